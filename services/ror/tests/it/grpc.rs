//! The wire: reflection, health, deadlines, and a database that no longer answers.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use ror_chassis::processus;
use ror_proto::{
    common::v1::{Canal, Issue},
    structures::v1::{GetStructureRequest, WriteStructuresItem, WriteStructuresRequest},
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Request};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{
    gabarits::{REGION, accepte, ecrire_un, ej, nationale},
    harnais::{Banc, Options, attendre, compter},
};

/// A call of the mesh gives up after 15 s; nothing may hang much longer.
const BORNE: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn each_service_tells_its_contract_and_its_health() {
    let banc = Banc::demarrer(&["bascule", "access"]).await;
    for (nom, service) in [
        ("structures", "ror.structures.v1.StructuresService"),
        ("offers", "ror.offers.v1.OffersService"),
        ("capacity", "ror.capacity.v1.CapacityService"),
        ("nomenclatures", "ror.nomenclatures.v1.NomenclaturesService"),
        ("identity", "ror.identity.v1.IdentityService"),
        ("access", "ror.access.v1.AccessService"),
        ("bascule", "ror.bascule.v1.BasculeService"),
    ] {
        let mut sante = HealthClient::new(banc.canal(nom));
        let r = sante.check(HealthCheckRequest::default()).await.unwrap().into_inner();
        assert_eq!(r.status(), ServingStatus::Serving, "{nom}");

        let mut reflexion = ServerReflectionClient::new(banc.canal(nom));
        let demander = |m| ServerReflectionRequest { host: String::new(), message_request: Some(m) };
        let demandes = [
            demander(MessageRequest::ListServices(String::new())),
            demander(MessageRequest::FileContainingSymbol(service.into())),
        ];
        let mut flux =
            reflexion.server_reflection_info(futures::stream::iter(demandes)).await.unwrap().into_inner();
        let mut prochaine = async || flux.message().await.unwrap().unwrap().message_response.unwrap();
        match prochaine().await {
            MessageResponse::ListServicesResponse(l) => {
                let noms: BTreeSet<&str> = l.service.iter().map(|s| s.name.as_str()).collect();
                assert!(noms.contains(service), "{nom}: {noms:?}");
            }
            autre => panic!("{autre:?}"),
        }
        match prochaine().await {
            MessageResponse::FileDescriptorResponse(f) => assert!(!f.file_descriptor_proto.is_empty()),
            autre => panic!("{autre:?}"),
        }
        let etat = banc.etat(nom).lire();
        assert!(etat.contains_key("database") && etat.contains_key("relay"), "{nom}: {etat:?}");
    }
    // What is not there is said so, and a port that is taken as well.
    let mut ailleurs =
        ror_proto::offers::v1::offers_service_client::OffersServiceClient::new(banc.canal("structures"));
    let e = ailleurs.get_offer(ror_proto::offers::v1::GetOfferRequest::default()).await.unwrap_err();
    assert_eq!(e.code(), Code::Unimplemented);
    let e = processus::demarrer(
        ror_structures::DEFINITION,
        banc.reglages("structures"),
        CancellationToken::new(),
    )
    .await
    .err()
    .expect("the port is taken");
    let port = banc.url("structures").rsplit(':').next().unwrap().to_owned();
    assert!(e.to_string().contains(&port), "{e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_is_answered_within_a_bound_and_forgotten_once_it_is_back() {
    let banc = Banc::demarrer_avec(Options { durable: true, communes: false }, &["structures"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    accepte(ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "Un")).await);
    let lire = async |delai: Option<Duration>| {
        let mut d = Request::new(GetStructureRequest { id: "ej-1".into() });
        if let Some(t) = delai {
            d.set_timeout(t);
        }
        let debut = Instant::now();
        let r = banc.structures().get_structure(d).await;
        (r.map(|_| ()).map_err(|e| e.code()), debut.elapsed())
    };
    assert_eq!(lire(None).await.0, Ok(()));

    banc.embarque.pause_postgres();
    // The caller's own deadline is kept.
    let (r, duree) = lire(Some(Duration::from_secs(1))).await;
    let indisponible = |c: Code| matches!(c, Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled);
    assert!(r.is_err_and(indisponible), "{r:?}");
    assert!(duree < Duration::from_secs(5), "{duree:?}");
    // Without one, the mesh's.
    let mut client = banc.structures();
    let ecriture = tokio::spawn(async move {
        let items =
            vec![WriteStructuresItem { ressource: Some(ej("ej-2", REGION, "Deux")), version_attendue: 0 }];
        let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
        let debut = Instant::now();
        (client.write_structures(d).await.map(|_| ()).map_err(|e| e.code()), debut.elapsed())
    });
    let (r, duree) = lire(None).await;
    assert!(r.is_err_and(indisponible), "{r:?}");
    assert!(duree < BORNE, "{duree:?}");
    let (r, duree) = ecriture.await.unwrap();
    assert!(r.is_err_and(indisponible), "not acknowledged: {r:?}");
    assert!(duree < BORNE, "{duree:?}");
    attendre("readiness to tell of the database", async || !banc.etat("structures").pret()).await;
    assert_eq!(banc.etat("structures").lire().get("database"), Some(&false));

    banc.embarque.resume_postgres();
    banc.attendre_pret("structures").await;
    attendre("reads to be answered again", async || lire(None).await.0 == Ok(())).await;
    // The write that was not acknowledged may stand or not, whole in either case.
    let r = ecrire_un(&banc, &nationale(), ej("ej-2", REGION, "Deux")).await;
    assert!(matches!(r.issue(), Issue::Cree | Issue::Inchange), "{r:?}");
    banc.attendre_publie(&base).await;
    let versions = compter(&base, "select count(*) from agregat_historique").await;
    assert_eq!(versions, 2);
    assert_eq!(banc.deposes("structures").await.len(), 2, "one event a version");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_outlive_the_death_of_the_database() {
    let banc = Banc::demarrer_avec(Options { durable: true, communes: false }, &["structures"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    let mut acquittees = Vec::new();
    for mort in 0..2 {
        let mut faites = 0;
        let avant = banc.embarque.postgres_pid();
        let debut = Instant::now();
        // Killed under the writer, which goes on insisting.
        while faites < 60 {
            assert!(debut.elapsed() < crate::harnais::LIMITE, "writes do not come back");
            if faites == 30 && banc.embarque.postgres_pid() == avant {
                banc.embarque.kill_postgres();
            }
            let id = format!("ej-{mort}-{faites}");
            let items =
                vec![WriteStructuresItem { ressource: Some(ej(&id, REGION, "N")), version_attendue: 0 }];
            let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
            match banc.structures().write_structures(d).await {
                Ok(r) => {
                    accepte(r.into_inner().resultats.remove(0));
                    acquittees.push(id);
                    faites += 1;
                }
                Err(e) => assert!(
                    matches!(
                        e.code(),
                        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Internal
                    ),
                    "{e}"
                ),
            }
        }
        assert_ne!(banc.embarque.postgres_pid(), avant, "it did die");
    }
    banc.attendre_pret("structures").await;
    attendre("the relay to have caught up", async || {
        let n: Result<i64, _> =
            sqlx::query_scalar("select count(*) from outbox_attente").fetch_one(&base).await;
        n.is_ok_and(|n| n == 0)
    })
    .await;
    let presentes: BTreeSet<String> = sqlx::query_scalar::<_, String>("select id from agregat")
        .fetch_all(&base)
        .await
        .unwrap()
        .into_iter()
        .collect();
    assert!(acquittees.iter().all(|id| presentes.contains(id)), "nothing acknowledged is lost");
    let deposes = banc.deposes("structures").await;
    let dits: BTreeSet<String> = deposes.iter().map(|d| d.evenement.agregat_id.clone()).collect();
    assert_eq!(dits, presentes);
    let versions = compter(&base, "select count(*) from agregat_historique").await;
    assert_eq!(deposes.len(), usize::try_from(versions).unwrap(), "one event a version");
}
