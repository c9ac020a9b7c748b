//! A load that is cut, or that meets another, leaves the former edition or the new one.

use std::time::Duration;

use futures::{StreamExt, stream};
use ror_chassis::{Erreur, magasin::Magasin};
use ror_proto::common::v1::Provenance;

use super::*;

fn douze() -> String {
    sites_du("2026-10-01", 12, |_, s| Some(s))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_whose_database_session_dies_leaves_nothing_and_may_start_again() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    // Writes of events wait: the load is stopped with its aggregates written.
    let mut verrou = identity.begin().await.unwrap();
    sqlx::query("lock table outbox_event in exclusive mode").execute(&mut *verrou).await.unwrap();
    let fichier = douze();
    let chargement =
        async { envoyer(&banc, en_tete(Format::FinessStructures, "edition-it"), fichier.as_bytes()).await };
    let meurtre = async {
        let mut tue = false;
        attendre("the load to be killed in the middle", async || {
            tue |= sqlx::query_scalar::<_, bool>(
                "select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity
                 where wait_event_type = 'Lock' and query like 'copy outbox_event%'",
            )
            .fetch_one(&identity)
            .await
            .unwrap();
            tue
        })
        .await;
        verrou.rollback().await.unwrap();
    };
    let (charge, ()) = tokio::join!(chargement, meurtre);
    assert_eq!(charge.unwrap_err().code(), Code::Unavailable);
    assert_eq!(traces(&identity).await, [0; 5]);
    // The edition is there, and says that it was not applied.
    let statuts: Vec<i32> =
        sqlx::query_scalar("select statut from edition").fetch_all(&identity).await.unwrap();
    assert_eq!(statuts, [StatutEdition::Rejetee as i32]);
    let r = finess(&banc, &fichier).await;
    assert_eq!((r.statut(), compte(&r, "entite_geographique").crees), (StatutEdition::Appliquee, 12));
    banc.attendre_publie(&identity).await;
    assert_eq!(traces(&identity).await, [13; 5]);
    assert_eq!(banc.deposes("identity").await.len(), 13, "each event once");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_loads_do_not_mix() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let magasin = Magasin::nouveau(identity.clone(), "identity");
    let tenu = magasin.bloc(Provenance::default()).await.unwrap();
    assert!(matches!(magasin.bloc(Provenance::default()).await, Err(Erreur::Conflit(_))));
    let fichier = douze();
    let refuse = envoyer(&banc, en_tete(Format::FinessStructures, "edition-it"), fichier.as_bytes()).await;
    assert_eq!(refuse.unwrap_err().code(), Code::Aborted);
    tenu.abandonner().await.unwrap();
    // At once from both sides: one wins, the other is told, and the content is that of one load.
    let autre = format!("{fichier}\n");
    let (une, deux) = tokio::join!(
        envoyer(&banc, en_tete(Format::FinessStructures, "une"), fichier.as_bytes()),
        envoyer(&banc, en_tete(Format::FinessStructures, "deux"), autre.as_bytes()),
    );
    let finis: Vec<_> = [une, deux].into_iter().collect();
    assert!(finis.iter().any(Result::is_ok), "{finis:?}");
    assert!(finis.iter().flat_map(|r| r.as_ref().err()).all(|e| e.code() == Code::Aborted), "{finis:?}");
    assert_eq!(traces(&identity).await, [13; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_is_not_a_shorter_file() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let lignes = personnes(50);
    let fichier = format!("{ENTETE}\n{}\n", lignes.join("\n"));
    let moitie = fichier.as_bytes()[..fichier.len() / 2].to_vec();
    let appeler = async |taille: u64| {
        let premier = EnTeteEdition { taille, ..en_tete(Format::RppsPersonneActivite, "edition-it") };
        let messages = [
            import_edition_request::Contenu::EnTete(premier),
            import_edition_request::Contenu::Octets(moitie.clone().into()),
        ]
        .map(|contenu| ImportEditionRequest { contenu: Some(contenu) });
        // Neither a third message nor an end: the caller goes away in the middle.
        let flux = stream::iter(messages).chain(stream::pending());
        let mut client = banc.identity();
        let appel = tokio::spawn(async move {
            if let Ok(reponses) = client.import_edition(flux).await {
                let mut reponses = reponses.into_inner();
                while let Ok(Some(_)) = reponses.message().await {}
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        appel.abort();
    };
    // The size announced or not, what came of it is neither applied nor in the way of the file.
    for taille in [0, fichier.len() as u64] {
        appeler(taille).await;
        assert_eq!(compter(&identity, "select count(*) from edition where statut = 3").await, 0);
        assert_eq!(traces(&identity).await, [0; 5]);
    }
    let entier =
        EnTeteEdition { taille: fichier.len() as u64, ..en_tete(Format::RppsPersonneActivite, "edition-it") };
    let r = envoyer(&banc, entier, fichier.as_bytes()).await.unwrap();
    assert_eq!((r.statut(), compte(&r, "professionnel").crees), (StatutEdition::Appliquee, 50));
    assert_eq!(compter(&identity, "select count(*) from edition where statut = 3").await, 1);
}
