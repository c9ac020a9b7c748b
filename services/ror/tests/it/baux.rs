//! Writer leases: one writer a region and domain, as a fact of the database.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use prost::Message;
use ror_proto::{
    common::v1::{Canal, Issue, Provenance},
    structures::v1::{
        GetStructureRequest, InstallLeaseRequest, ListRefusalsRequest, Structure, WithdrawStructureRequest,
        WriteStructuresItem, WriteStructuresRequest, structure::Ressource,
    },
};
use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tonic::Code;

use crate::{
    gabarits::{AUTRE, REGION, accepte, ecrire, ecrire_un, ej, fautes, provenance, regles},
    harnais::{Banc, attendre, bail, compter},
};

const REGLE: &str = "bail-d-ecriture";

async fn refus(banc: &Banc, d: ListRefusalsRequest) -> Vec<ror_proto::common::v1::PaquetRefuse> {
    banc.structures().list_refusals(d).await.unwrap().into_inner().paquets
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_without_the_lease_is_refused_kept_and_listed() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    let essai = async |p: &Provenance, id: &str| ecrire_un(&banc, p, ej(id, &p.region, "Essai")).await;
    // No lease at all.
    let r = essai(&provenance(REGION, Canal::National, 1), "sans-bail").await;
    assert_eq!(regles(&r), [REGLE]);
    banc.bail_description(REGION, Canal::National, 3).await;
    // Another channel; an older epoch; one that nobody gave.
    for (p, id) in [
        (provenance(REGION, Canal::Regional, 3), "autre-canal"),
        (provenance(REGION, Canal::National, 2), "vieille-epoque"),
        (provenance(REGION, Canal::National, 4), "epoque-inventee"),
        (provenance(AUTRE, Canal::National, 3), "autre-region"),
    ] {
        let r = essai(&p, id).await;
        assert_eq!(regles(&r), [REGLE], "{id}");
        assert!(!r.fautes[0].message.is_empty() && !r.fautes[0].attendu.is_empty());
    }
    // The lease covers the whole batch: nothing of it is written, each packet is kept.
    let p = provenance(REGION, Canal::Regional, 0);
    let lot = ecrire(&banc, &p, vec![ej("lot-1", REGION, "Un"), ej("lot-2", REGION, "Deux")]).await;
    assert!(lot.iter().all(|r| regles(r) == [REGLE]));
    assert_eq!(compter(&base, "select count(*) from agregat").await, 0);
    assert_eq!(compter(&base, "select count(*) from outbox_event").await, 0);

    // In force, or epoch 0 for a caller of the mesh that follows it.
    accepte(essai(&provenance(REGION, Canal::National, 3), "bon-1").await);
    accepte(essai(&provenance(REGION, Canal::National, 0), "bon-2").await);

    let tous = refus(&banc, ListRefusalsRequest::default()).await;
    let mut ids: Vec<&str> = tous.iter().map(|p| p.agregat_id.as_str()).collect();
    assert!(tous.windows(2).all(|p| {
        let instant = |i: usize| p[i].date.map(|d| (d.seconds, d.nanos));
        instant(0) >= instant(1)
    }));
    assert_eq!(ids.last(), Some(&"sans-bail"), "the newest first");
    ids.sort_unstable();
    assert_eq!(
        ids,
        ["autre-canal", "autre-region", "epoque-inventee", "lot-1", "lot-2", "sans-bail", "vieille-epoque"]
    );
    let vieux = tous.iter().find(|p| p.agregat_id == "vieille-epoque").unwrap();
    assert_eq!(vieux.provenance, Some(provenance(REGION, Canal::National, 2)), "as it claimed");
    assert_eq!(vieux.genre, "entite_juridique");
    assert!(vieux.motif.contains('2') && vieux.motif.contains('3'), "{}", vieux.motif);
    match Structure::decode(vieux.etat.clone()).unwrap().ressource {
        Some(Ressource::EntiteJuridique(e)) => assert_eq!(e.raison_sociale, "Essai"),
        autre => panic!("{autre:?}"),
    }
    let d = ListRefusalsRequest { region: AUTRE.into(), ..Default::default() };
    let ailleurs = refus(&banc, d).await;
    assert_eq!(ailleurs.len(), 1);
    assert_eq!(ailleurs[0].agregat_id, "autre-region");
    assert_eq!(refus(&banc, ListRefusalsRequest { limite: 2, ..Default::default() }).await.len(), 2);
    let d = ListRefusalsRequest { avant: vieux.date, ..Default::default() };
    let plus_vieux = refus(&banc, d).await;
    assert!(plus_vieux.iter().any(|p| p.agregat_id == "sans-bail"));
    assert!(plus_vieux.iter().all(|p| p.agregat_id != "vieille-epoque"));

    // Nobody writes.
    banc.bail_description(REGION, Canal::Unspecified, 4).await;
    for canal in [Canal::National, Canal::Regional] {
        assert_eq!(regles(&essai(&provenance(REGION, canal, 0), "gel").await), [REGLE]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_lease_is_refused_and_the_same_one_accepted_again() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    let installer = async |region: &str, domaine: &str, ecrivain, epoque| {
        let d = InstallLeaseRequest { bail: Some(bail(region, domaine, ecrivain, epoque)) };
        banc.structures().install_lease(d).await.map(tonic::Response::into_inner)
    };
    let pose = installer(REGION, "description", Canal::National, 5).await.unwrap();
    assert_eq!(pose.bail, Some(bail(REGION, "description", Canal::National, 5)));
    installer(REGION, "description", Canal::National, 5).await.expect("the same again");
    for (ecrivain, epoque) in
        [(Canal::National, 4), (Canal::Regional, 4), (Canal::Regional, 5), (Canal::Unspecified, 5)]
    {
        let e = installer(REGION, "description", ecrivain, epoque).await.unwrap_err();
        assert_eq!(e.code(), Code::FailedPrecondition, "{ecrivain:?} {epoque}");
        assert_eq!(fautes(e)[0].regle, REGLE);
    }
    let e = installer(REGION, "capacite", Canal::National, 9).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument, "this service does not hold that domain");
    let e = banc.structures().install_lease(InstallLeaseRequest { bail: None }).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
    installer(AUTRE, "description", Canal::Regional, 1).await.expect("another region has its own epochs");
    installer(REGION, "description", Canal::Regional, 6).await.expect("a later one");
    let baux: Vec<(String, i32, i64)> =
        sqlx::query_as("select region, ecrivain, epoque from bail order by region")
            .fetch_all(&base)
            .await
            .unwrap();
    assert_eq!(baux, [(REGION.to_owned(), 1, 6), (AUTRE.to_owned(), 1, 1)]);
    // It is kept: a service that starts again holds it.
    banc.tuer("structures").await;
    banc.allumer("structures").await;
    banc.attendre_pret("structures").await;
    let r = ecrire_un(&banc, &provenance(REGION, Canal::National, 5), ej("tard", REGION, "Tard")).await;
    assert_eq!(regles(&r), [REGLE]);
}

/// The lock that the writes of a region and domain share, as the chassis derives it.
fn verrou(region: &str, domaine: &str) -> i64 {
    let h = Sha256::digest(format!("bail/{region}/{domaine}"));
    let octets: [u8; 8] = h[..8].try_into().unwrap();
    i64::from_be_bytes(octets)
}

#[tokio::test(flavor = "multi_thread")]
async fn installing_a_lease_waits_for_the_writes_under_way() {
    let banc = Banc::demarrer(&["structures"]).await;
    banc.bail_description(REGION, Canal::Regional, 1).await;
    let base = banc.base("structures").await;
    let cle = verrou(REGION, "description");
    // A write of the present writer that has not committed yet.
    let mut en_cours = base.begin().await.unwrap();
    sqlx::query("select pg_advisory_xact_lock_shared($1)").bind(cle).execute(&mut *en_cours).await.unwrap();
    // Other writes of the region are not held back by it.
    accepte(ecrire_un(&banc, &provenance(REGION, Canal::Regional, 1), ej("ej-1", REGION, "Un")).await);
    let mut client = banc.structures();
    let demande = InstallLeaseRequest { bail: Some(bail(REGION, "description", Canal::National, 2)) };
    let pose = tokio::spawn(async move { client.install_lease(demande).await });
    attendre("the new lease to wait for the write", async || {
        compter(&base, "select count(*) from pg_locks where locktype = 'advisory' and not granted and mode = 'ExclusiveLock'")
            .await
            > 0
    })
    .await;
    assert!(!pose.is_finished());
    let tenu: (i32, i64) = sqlx::query_as("select ecrivain, epoque from bail where region = '52'")
        .fetch_one(&base)
        .await
        .unwrap();
    assert_eq!(tenu, (Canal::Regional as i32, 1), "the former lease still stands");
    // Another region does not wait.
    banc.bail_description(AUTRE, Canal::National, 1).await;
    assert!(!pose.is_finished());
    en_cours.commit().await.unwrap();
    pose.await.unwrap().unwrap();
    let r = ecrire_un(&banc, &provenance(REGION, Canal::Regional, 0), ej("ej-2", REGION, "Tard")).await;
    assert_eq!(regles(&r), [REGLE]);
}

/// Versions that this author has committed.
async fn versions_de(base: &PgPool, auteur: &str) -> i64 {
    sqlx::query_scalar("select count(*) from agregat_historique where position($1::bytea in provenance) > 0")
        .bind(auteur.as_bytes())
        .fetch_one(base)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_lease_stands_no_write_of_the_former_writer_is_committed() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    banc.bail_description(REGION, Canal::Regional, 1).await;
    let fini = Arc::new(AtomicBool::new(false));
    let auteurs = [(Canal::Regional, "auteur-regional"), (Canal::National, "auteur-national")];
    let ecrivains: Vec<_> = auteurs
        .iter()
        .flat_map(|a| (0..3).map(move |n| (*a, n)))
        .map(|((canal, auteur), n)| {
            let (mut client, fini) = (banc.structures(), fini.clone());
            tokio::spawn(async move {
                let p = Provenance { auteur: auteur.into(), ..provenance(REGION, canal, 0) };
                let (mut ecrits, mut refuses) = (0i64, 0i64);
                let mut tour = 0;
                while !fini.load(Ordering::Relaxed) {
                    tour += 1;
                    let ressource = Some(ej(&format!("{auteur}-{n}"), REGION, &format!("Tour {tour}")));
                    let items = vec![WriteStructuresItem { ressource, version_attendue: 0 }];
                    let d = WriteStructuresRequest { provenance: Some(p.clone()), items, essai: false };
                    let r = client.write_structures(d).await.unwrap().into_inner().resultats.remove(0);
                    match r.issue() {
                        Issue::Refuse => {
                            assert_eq!(regles(&r), [REGLE]);
                            refuses += 1;
                        }
                        _ => ecrits += 1,
                    }
                }
                (auteur, ecrits, refuses)
            })
        })
        .collect();
    // The lease goes back and forth under them.
    for tour in 0..10 {
        let (ancien, nouveau) = (auteurs[tour % 2], auteurs[(tour + 1) % 2]);
        let avant = versions_de(&base, ancien.1).await;
        attendre("the writer in force to write", async || versions_de(&base, ancien.1).await > avant + 5)
            .await;
        let epoque = u64::try_from(tour).unwrap() + 2;
        banc.bail_description(REGION, nouveau.0, epoque).await;
        let a_la_pose = versions_de(&base, ancien.1).await;
        let avant = versions_de(&base, nouveau.1).await;
        attendre("the new writer to write", async || versions_de(&base, nouveau.1).await > avant + 5).await;
        assert_eq!(
            versions_de(&base, ancien.1).await,
            a_la_pose,
            "switch {tour}: a late write of {}",
            ancien.1
        );
    }
    fini.store(true, Ordering::Relaxed);
    let (mut ecrits, mut refuses) = ([0, 0], 0);
    for e in ecrivains {
        let (auteur, e, r) = e.await.unwrap();
        ecrits[usize::from(auteur == auteurs[1].1)] += e;
        refuses += r;
    }
    for (rang, (_, auteur)) in auteurs.iter().enumerate() {
        assert_eq!(
            versions_de(&base, auteur).await,
            ecrits[rang],
            "what was acknowledged is what was committed"
        );
    }
    assert!(refuses > 0);
    assert_eq!(
        compter(&base, "select count(*) from paquet_refuse").await,
        refuses,
        "each late packet is kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_one_region_does_not_reach_the_resources_of_another() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    for region in [REGION, AUTRE] {
        banc.bail_description(region, Canal::National, 1).await;
    }
    let (ici, la) = (provenance(REGION, Canal::National, 1), provenance(AUTRE, Canal::National, 1));
    accepte(ecrire_un(&banc, &la, ej("leur", AUTRE, "La leur")).await);
    // Told of either region, under this region's lease, it is not touched.
    for region in [REGION, AUTRE] {
        let r = ecrire_un(&banc, &ici, ej("leur", region, "Prise")).await;
        assert!(regles(&r).contains(&"region-differente"), "{r:?}");
    }
    let d = WithdrawStructureRequest { provenance: Some(ici.clone()), id: "leur".into() };
    let r = banc.structures().withdraw_structure(d).await.unwrap().into_inner().resultat.unwrap();
    assert_eq!(regles(&r), ["region-differente"]);
    // Nor moved out of its region by its own writer.
    let r = ecrire_un(&banc, &la, ej("leur", REGION, "Partie")).await;
    assert!(regles(&r).contains(&"region-differente"), "{r:?}");
    let d = GetStructureRequest { id: "leur".into() };
    match banc.structures().get_structure(d).await.unwrap().into_inner().ressource.unwrap().ressource {
        Some(Ressource::EntiteJuridique(e)) => {
            let m = e.meta.unwrap();
            assert_eq!((e.raison_sociale.as_str(), m.version, m.region.as_str()), ("La leur", 1, AUTRE));
        }
        autre => panic!("{autre:?}"),
    }
    // A withdrawn one neither comes back through another region.
    let d = WithdrawStructureRequest { provenance: Some(la), id: "leur".into() };
    banc.structures().withdraw_structure(d).await.unwrap();
    let r = ecrire_un(&banc, &ici, ej("leur", REGION, "Revenue")).await;
    assert!(regles(&r).contains(&"region-differente"), "{r:?}");
    assert_eq!(compter(&base, "select count(*) from agregat_historique").await, 2);
}
