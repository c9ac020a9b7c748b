//! The store: one transaction for the row, its version, its history and its event.

use prost::Message;
use ror_proto::{
    common::v1::{Canal, Issue},
    structures::v1::{
        BatchGetStructuresRequest, GetHistoryRequest, GetStructureRequest, ListStructuresRequest, Structure,
        WithdrawStructureRequest, WriteStructuresItem, WriteStructuresRequest, structure::Ressource,
    },
};
use sqlx::PgPool;
use tonic::Code;

use crate::{
    gabarits::{
        AUTRE, REGION, accepte, ecrire, ecrire_un, eg, ej, ej_identifiee, fautes, nationale, provenance,
        regles,
    },
    harnais::{Banc, compter},
};

/// Valid identifications of structures: 2 and a SIREN.
const SIREN_UN: &str = "2990001018";
const SIREN_DEUX: &str = "2990002040";

async fn banc() -> (Banc, PgPool) {
    let banc = Banc::demarrer(&["structures"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    (banc, base)
}

/// Rows that a write leaves behind: aggregates, versions, events.
async fn traces(base: &PgPool) -> (i64, i64, i64) {
    (
        compter(base, "select count(*) from agregat").await,
        compter(base, "select count(*) from agregat_historique").await,
        compter(base, "select count(*) from outbox_event").await,
    )
}

async fn nom(banc: &Banc, id: &str) -> (u64, String) {
    let r =
        banc.structures().get_structure(GetStructureRequest { id: id.into() }).await.unwrap().into_inner();
    match r.ressource.unwrap().ressource {
        Some(Ressource::EntiteJuridique(e)) => (e.meta.unwrap().version, e.raison_sociale),
        autre => panic!("{autre:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_content_writes_nothing_and_a_late_version_is_refused() {
    let (banc, base) = banc().await;
    let premier = ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "CH de la Baie")).await;
    assert_eq!((premier.issue(), premier.version), (Issue::Cree, 1), "{premier:?}");
    banc.attendre_publie(&base).await;
    let (avant, sequence) = (traces(&base).await, banc.derniere_sequence("structures").await);

    // Version and date told by a caller are not content.
    let mut versionnee = ej("ej-1", REGION, "CH de la Baie");
    if let Some(Ressource::EntiteJuridique(e)) = &mut versionnee.ressource {
        let m = e.meta.as_mut().unwrap();
        (m.version, m.date_maj) = (12, premier.date_maj);
    }
    for ressource in [ej("ej-1", REGION, "CH de la Baie"), versionnee] {
        let r = ecrire_un(&banc, &nationale(), ressource).await;
        assert_eq!((r.issue(), r.version, r.date_maj), (Issue::Inchange, 1, premier.date_maj));
    }
    assert_eq!(traces(&base).await, avant);
    // Whatever the equal writes had published would come before this one.
    accepte(ecrire_un(&banc, &nationale(), ej("ej-2", REGION, "Repère")).await);
    banc.attendre_publie(&base).await;
    assert_eq!(banc.derniere_sequence("structures").await, sequence + 1);

    let ecrire_vu = async |version_attendue, nom: &str| {
        let items = vec![WriteStructuresItem { ressource: Some(ej("ej-1", REGION, nom)), version_attendue }];
        let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
        banc.structures().write_structures(d).await.unwrap().into_inner().resultats.remove(0)
    };
    for trop in [2, 7] {
        let r = ecrire_vu(trop, "Autre nom").await;
        assert_eq!(regles(&r), ["version-depassee"]);
        assert_eq!(r.version, 1);
    }
    assert_eq!(nom(&banc, "ej-1").await, (1, "CH de la Baie".to_owned()));
    assert_eq!(ecrire_vu(1, "Autre nom").await.version, 2);
    assert_eq!(regles(&ecrire_vu(1, "Encore un").await), ["version-depassee"], "the version has moved on");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_is_written_back_without_a_new_version() {
    let (banc, base) = banc().await;
    let creation = |s: &ror_proto::structures::v1::Structure| match &s.ressource {
        Some(Ressource::EntiteJuridique(e)) => e.meta.as_ref().and_then(|m| m.date_creation),
        autre => panic!("{autre:?}"),
    };
    let lire = async || {
        let d = GetStructureRequest { id: "ej-1".into() };
        banc.structures().get_structure(d).await.unwrap().into_inner().ressource.unwrap()
    };
    accepte(ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "Un")).await);
    let premiere = creation(&lire().await);
    accepte(ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "Deux")).await);
    let lue = lire().await;
    assert!(premiere.is_some());
    assert_eq!(creation(&lue), premiere, "a creation date does not move with the changes");
    let r = ecrire_un(&banc, &nationale(), lue).await;
    assert_eq!((r.issue(), r.version), (Issue::Inchange, 2));
    // Nor does a source that does not tell the date make it flicker.
    let r = ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "Deux")).await;
    assert_eq!((r.issue(), r.version), (Issue::Inchange, 2));
    assert_eq!(traces(&base).await, (1, 2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn history_tells_every_version_and_a_withdrawn_resource_may_come_back() {
    let (banc, base) = banc().await;
    for (nom, auteur) in [("Un", "agent-a"), ("Deux", "agent-b"), ("Trois", "agent-a")] {
        let p = ror_proto::common::v1::Provenance { auteur: auteur.into(), ..nationale() };
        accepte(ecrire_un(&banc, &p, ej_identifiee("ej-1", nom, SIREN_UN)).await);
    }
    let retirer = async |id: &str| {
        let d = WithdrawStructureRequest { provenance: Some(nationale()), id: id.into() };
        banc.structures().withdraw_structure(d).await
    };
    let r = retirer("ej-1").await.unwrap().into_inner().resultat.unwrap();
    assert_eq!((r.issue(), r.version), (Issue::Modifie, 4));
    let absent =
        banc.structures().get_structure(GetStructureRequest { id: "ej-1".into() }).await.unwrap_err();
    assert_eq!(absent.code(), Code::NotFound);
    assert_eq!(retirer("ej-1").await.unwrap_err().code(), Code::NotFound, "it is already gone");
    assert_eq!(retirer("jamais-vue").await.unwrap_err().code(), Code::NotFound);
    let d = BatchGetStructuresRequest { ids: vec!["ej-1".into()] };
    assert!(banc.structures().batch_get_structures(d).await.unwrap().into_inner().ressources.is_empty());
    let liste =
        banc.structures().list_structures(ListStructuresRequest::default()).await.unwrap().into_inner();
    assert!(liste.ressources.is_empty());

    // What it was known by is free meanwhile, then taken.
    accepte(ecrire_un(&banc, &nationale(), ej_identifiee("ej-2", "Repreneur", SIREN_UN)).await);
    let r = ecrire_un(&banc, &nationale(), ej_identifiee("ej-1", "Retour", SIREN_UN)).await;
    assert_eq!(regles(&r), ["identifiant-deja-utilise"]);
    let r = ecrire_un(&banc, &nationale(), ej_identifiee("ej-1", "Retour", SIREN_DEUX)).await;
    assert_eq!(accepte(r).version, 5);
    assert_eq!(nom(&banc, "ej-1").await, (5, "Retour".to_owned()));

    let d = GetHistoryRequest { id: "ej-1".into(), limite: 0 };
    let versions = banc.structures().get_history(d).await.unwrap().into_inner().versions;
    let vues: Vec<(u64, bool, &str)> = versions
        .iter()
        .map(|v| (v.version, v.retire, v.provenance.as_ref().map_or("", |p| p.auteur.as_str())))
        .collect();
    assert_eq!(
        vues,
        [
            (5, false, "it"),
            (4, true, "it"),
            (3, false, "agent-a"),
            (2, false, "agent-b"),
            (1, false, "agent-a")
        ]
    );
    for v in &versions {
        let p = v.provenance.as_ref().unwrap();
        assert_eq!((p.region.as_str(), p.canal(), p.epoque), (REGION, Canal::National, 1));
    }
    assert!(versions.windows(2).all(|v| {
        let instant = |i: usize| v[i].date.map(|d| (d.seconds, d.nanos));
        instant(0) >= instant(1)
    }));
    let noms: Vec<String> = versions
        .iter()
        .map(|v| match Structure::decode(v.etat.clone()).unwrap().ressource {
            Some(Ressource::EntiteJuridique(e)) => e.raison_sociale,
            autre => panic!("{autre:?}"),
        })
        .collect();
    assert_eq!(noms, ["Retour", "Trois", "Trois", "Deux", "Un"], "a withdrawal keeps the last state");
    let d = GetHistoryRequest { id: "ej-1".into(), limite: 2 };
    assert_eq!(banc.structures().get_history(d).await.unwrap().into_inner().versions.len(), 2);
    let d = GetHistoryRequest { id: "jamais-vue".into(), limite: 0 };
    assert_eq!(banc.structures().get_history(d).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(compter(&base, "select count(*) from outbox_event").await, 6, "one event a version");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identifier_belongs_to_one_resource_whoever_comes_at_the_same_time() {
    let (banc, base) = banc().await;
    accepte(ecrire_un(&banc, &nationale(), ej_identifiee("ej-1", "Un", SIREN_UN)).await);
    let r = ecrire_un(&banc, &nationale(), ej_identifiee("ej-2", "Deux", SIREN_UN)).await;
    assert_eq!(regles(&r), ["identifiant-deja-utilise"]);
    assert!(r.fautes[0].message.contains("ej-1"), "the owner is named: {}", r.fautes[0].message);
    assert_eq!(r.fautes[0].element, "identifier");
    // Within one batch the first one wins.
    let r = ecrire(
        &banc,
        &nationale(),
        vec![ej_identifiee("ej-3", "Trois", SIREN_DEUX), ej_identifiee("ej-4", "Quatre", SIREN_DEUX)],
    )
    .await;
    assert_eq!(r[0].issue(), Issue::Cree);
    assert_eq!(regles(&r[1]), ["identifiant-deja-utilise"]);
    assert!(r[1].fautes[0].message.contains("ej-3"));
    // Given up by its owner, it is free.
    accepte(ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "Un")).await);
    // Eight at once: one owner, and the others are told who.
    let rivaux = (0..8).map(|n| {
        let (mut client, p) = (banc.structures(), nationale());
        async move {
            let ressource = Some(ej_identifiee(&format!("rival-{n}"), "Rival", SIREN_UN));
            let items = vec![WriteStructuresItem { ressource, version_attendue: 0 }];
            let d = WriteStructuresRequest { provenance: Some(p), items, essai: false };
            client.write_structures(d).await.unwrap().into_inner().resultats.remove(0)
        }
    });
    let resultats = futures::future::join_all(rivaux).await;
    let gagnants: Vec<&str> =
        resultats.iter().filter(|r| r.issue() == Issue::Cree).map(|r| r.id.as_str()).collect();
    assert_eq!(gagnants.len(), 1, "{resultats:?}");
    for r in resultats.iter().filter(|r| r.issue() != Issue::Cree) {
        assert_eq!(regles(r), ["identifiant-deja-utilise"]);
        assert!(r.fautes[0].message.contains(gagnants[0]), "{}", r.fautes[0].message);
    }
    let tenants =
        compter(&base, "select count(*) from identifiant where valeur = '2990001018' and unique_").await;
    assert_eq!(tenants, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writers_of_one_resource_lose_no_update() {
    const ECRIVAINS: u64 = 8;
    const TOURS: u64 = 15;
    let (banc, base) = banc().await;
    // The resource does not exist yet: its creation is part of the race.
    let taches: Vec<_> = (0..ECRIVAINS)
        .map(|_| {
            let mut client = banc.structures();
            tokio::spawn(async move {
                let mut faits = 0;
                while faits < TOURS {
                    let lue = client.get_structure(GetStructureRequest { id: "compteur".into() }).await;
                    let (version, valeur) = match lue {
                        Err(e) => {
                            assert_eq!(e.code(), Code::NotFound, "{e}");
                            (0, 0)
                        }
                        Ok(r) => match r.into_inner().ressource.unwrap().ressource {
                            Some(Ressource::EntiteJuridique(e)) => {
                                (e.meta.unwrap().version, e.raison_sociale.parse::<u64>().unwrap())
                            }
                            autre => panic!("{autre:?}"),
                        },
                    };
                    if version == 0 {
                        // Expecting version 0 is expecting nothing: the creation itself starts at zero.
                        let items = vec![WriteStructuresItem {
                            ressource: Some(ej("compteur", REGION, "0")),
                            version_attendue: 0,
                        }];
                        let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
                        let _ = client.write_structures(d).await;
                        continue;
                    }
                    let items = vec![WriteStructuresItem {
                        ressource: Some(ej("compteur", REGION, &(valeur + 1).to_string())),
                        version_attendue: version,
                    }];
                    let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
                    let r = client.write_structures(d).await.unwrap().into_inner().resultats.remove(0);
                    match r.issue() {
                        Issue::Modifie => faits += 1,
                        _ => assert_eq!(regles(&r), ["version-depassee"]),
                    }
                }
            })
        })
        .collect();
    for t in taches {
        t.await.unwrap();
    }
    let (version, _) = nom(&banc, "compteur").await;
    let versions: Vec<i64> =
        sqlx::query_scalar("select version from agregat_historique where id = 'compteur' order by version")
            .fetch_all(&base)
            .await
            .unwrap();
    let attendues: Vec<i64> = (1..=i64::try_from(version).unwrap()).collect();
    assert_eq!(versions, attendues, "no hole, no double");
    // A slow creator may put the count back to 0 with any-version; every increment is still there.
    let etats: Vec<Vec<u8>> =
        sqlx::query_scalar("select etat from agregat_historique where id = 'compteur' order by version")
            .fetch_all(&base)
            .await
            .unwrap();
    let valeurs: Vec<u64> = etats
        .iter()
        .map(|e| match Structure::decode(e.as_slice()).unwrap().ressource {
            Some(Ressource::EntiteJuridique(e)) => e.raison_sociale.parse().unwrap(),
            autre => panic!("{autre:?}"),
        })
        .collect();
    let pas = valeurs.windows(2).filter(|v| v[1] == v[0] + 1).count() as u64;
    assert_eq!(pas, ECRIVAINS * TOURS, "each acknowledged increment is one step of the history");
    assert!(valeurs.windows(2).all(|v| v[1] == v[0] + 1 || v[1] == 0), "{valeurs:?}");
    let evenements = compter(&base, "select count(*) from outbox_event").await;
    assert_eq!(evenements, i64::try_from(version).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_item_of_a_batch_stands_or_falls_alone() {
    let (banc, base) = banc().await;
    accepte(ecrire_un(&banc, &nationale(), ej("prise", REGION, "Une EJ")).await);
    let mut sans_nom = ej("sans-nom", REGION, "");
    if let Some(Ressource::EntiteJuridique(e)) = &mut sans_nom.ressource {
        e.commune_cog = "??".into();
    }
    let items = [
        Some(ej("bon-1", REGION, "Bon")),
        Some(sans_nom),
        Some(ej("bon-1", REGION, "Doublon")),
        None,
        Some(eg("prise", REGION, "bon-1")),
        Some(eg("eg-orpheline", REGION, "inconnue")),
        Some(ej("ailleurs", AUTRE, "Autre région")),
        // It refers to what the same batch creates.
        Some(eg("eg-1", REGION, "bon-1")),
        Some(ej("bon-2", REGION, "Bon")),
    ];
    let items =
        items.into_iter().map(|ressource| WriteStructuresItem { ressource, version_attendue: 0 }).collect();
    let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
    let r = banc.structures().write_structures(d).await.unwrap().into_inner().resultats;
    let issues: Vec<Issue> = r.iter().map(|r| r.issue()).collect();
    use Issue::{Cree, Refuse};
    assert_eq!(issues, [Cree, Refuse, Refuse, Refuse, Refuse, Refuse, Refuse, Cree, Cree], "{r:?}");
    let mut deux = regles(&r[1]);
    deux.sort_unstable();
    assert_eq!(deux, ["commune", "obligatoire"], "every fault of the item at once");
    for f in r.iter().flat_map(|r| &r.fautes) {
        assert!(!f.element.is_empty() && !f.message.is_empty() && !f.attendu.is_empty(), "{f:?}");
    }
    assert_eq!(regles(&r[2]), ["doublon-dans-le-lot"]);
    assert_eq!(regles(&r[3]), ["obligatoire"]);
    assert_eq!(regles(&r[4]), ["genre-different"]);
    assert_eq!(regles(&r[5]), ["reference-inconnue"]);
    assert_eq!(regles(&r[6]), ["region-differente"]);
    let ids: Vec<String> =
        sqlx::query_scalar("select id from agregat order by id").fetch_all(&base).await.unwrap();
    assert_eq!(ids, ["bon-1", "bon-2", "eg-1", "prise"]);
    assert_eq!(compter(&base, "select count(*) from outbox_event").await, 4);

    // A batch as such: too long, or without provenance.
    let items = (0..501)
        .map(|n| WriteStructuresItem {
            ressource: Some(ej(&format!("n-{n}"), REGION, "N")),
            version_attendue: 0,
        })
        .collect();
    let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
    let e = banc.structures().write_structures(d).await.unwrap_err();
    assert_eq!((e.code(), fautes(e)[0].regle.as_str()), (Code::InvalidArgument, "taille-du-lot"));
    for p in [None, Some(provenance(REGION, Canal::Unspecified, 1))] {
        let d = WriteStructuresRequest { provenance: p, items: Vec::new(), essai: false };
        let e = banc.structures().write_structures(d).await.unwrap_err();
        assert_eq!((e.code(), fautes(e)[0].regle.as_str()), (Code::InvalidArgument, "obligatoire"));
    }
    assert_eq!(compter(&base, "select count(*) from agregat").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn keyset_pages_list_every_id_once_and_a_token_serves_its_own_filter() {
    let (banc, _) = banc().await;
    banc.bail_description(AUTRE, Canal::National, 1).await;
    let attendus: Vec<String> = (0..120).map(|n| format!("ej-{n:03}")).collect();
    for r in ecrire(&banc, &nationale(), attendus.iter().map(|id| ej(id, REGION, "N")).collect()).await {
        accepte(r);
    }
    let autre = provenance(AUTRE, Canal::National, 1);
    accepte(ecrire_un(&banc, &autre, ej("ej-050-bis", AUTRE, "Ailleurs")).await);
    accepte(ecrire_un(&banc, &nationale(), eg("eg-1", REGION, "ej-000")).await);

    let page = async |region: &str, genre: &str, page_size, page_token: &str| {
        let d = ListStructuresRequest {
            genre: genre.into(),
            region: region.into(),
            page_size,
            page_token: page_token.into(),
            ..Default::default()
        };
        banc.structures().list_structures(d).await.map(tonic::Response::into_inner)
    };
    let mut ids = Vec::new();
    let mut jeton = String::new();
    let mut premiere_suite = String::new();
    let mut pages = Vec::new();
    loop {
        let p = page(REGION, "entite_juridique", 50, &jeton).await.unwrap();
        pages.push(p.ressources.len());
        for s in p.ressources {
            match s.ressource {
                Some(Ressource::EntiteJuridique(e)) => ids.push(e.meta.unwrap().id),
                autre => panic!("{autre:?}"),
            }
        }
        if p.next_page_token.is_empty() {
            break;
        }
        if premiere_suite.is_empty() {
            premiere_suite.clone_from(&p.next_page_token);
            // What is created behind the page does not come back, what is created ahead does.
            accepte(ecrire_un(&banc, &nationale(), ej("ej-000-derriere", REGION, "N")).await);
            accepte(ecrire_un(&banc, &nationale(), ej("ej-119-devant", REGION, "N")).await);
        }
        jeton = p.next_page_token;
    }
    assert_eq!(pages, [50, 50, 21]);
    let mut voulus = attendus.clone();
    voulus.push("ej-119-devant".into());
    assert_eq!(ids, voulus, "each once, in the order of the ids");

    for (region, genre, jeton) in [
        (AUTRE, "entite_juridique", premiere_suite.as_str()),
        ("", "entite_juridique", &premiere_suite),
        (REGION, "", &premiere_suite),
        (REGION, "entite_juridique", "%%pas-un-jeton%%"),
    ] {
        let e = page(region, genre, 50, jeton).await.unwrap_err();
        assert_eq!(e.code(), Code::InvalidArgument, "{region} {genre}");
        assert_eq!(fautes(e)[0].regle, "jeton-de-page");
    }
    assert_eq!(page(REGION, "", -1, "").await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(page(REGION, "", 9999, "").await.unwrap().ressources.len(), 123, "500 at most, not refused");
    assert_eq!(page("", "", 0, "").await.unwrap().ressources.len(), 50, "50 by default");
    assert_eq!(page(AUTRE, "", 0, "").await.unwrap().ressources.len(), 1);
}
