//! A bulk write leaves what an ordinary write leaves.

use bytes::Bytes;
use ror_chassis::magasin::{Decision, Demande, ETAT_MAX_EVENEMENT, Ecriture, Identifiant, Ligne, Magasin};
use ror_proto::common::v1::{Evenement, Issue, Provenance};
use sqlx::Row;

use super::*;

fn origine() -> Provenance {
    Provenance { canal: Canal::Referentiel as i32, auteur: "essai".into(), ..Default::default() }
}

fn identifiant(valeur: &str, unique: bool) -> Identifiant {
    Identifiant { systeme: "finess", valeur: valeur.into(), unique }
}

fn ecriture(id: &str, version: u64, etat: &[u8], identifiants: Option<Vec<Identifiant>>) -> Ecriture {
    Ecriture {
        id: id.into(),
        genre: "structure_finess",
        region: "84".into(),
        version,
        etat: Bytes::copy_from_slice(etat),
        retire: false,
        identifiants,
    }
}

/// Everything the store holds of an aggregate, but its id and the instants.
async fn contenu(base: &PgPool, id: &str) -> Vec<String> {
    let mut lignes = Vec::new();
    for requete in [
        "select genre || region || version || retire || encode(etat, 'hex') from agregat where id = $1",
        "select version || encode(etat, 'hex') || retire || encode(provenance, 'hex') from agregat_historique
         where id = $1 order by version",
        "select systeme || valeur || unique_ from identifiant where id = $1 order by valeur",
    ] {
        let lues: Vec<String> = sqlx::query_scalar(requete).bind(id).fetch_all(base).await.unwrap();
        lignes.extend(lues);
    }
    let rangees =
        sqlx::query("select event_id, sujet, charge, traceparent from outbox_event order by position")
            .fetch_all(base)
            .await
            .unwrap();
    for r in rangees {
        let e = Evenement::decode(r.get::<Vec<u8>, _>("charge").as_slice()).unwrap();
        if e.agregat_id == id {
            assert_eq!(e.id, r.get::<sqlx::types::Uuid, _>("event_id").to_string());
            assert!(e.date.is_some());
            let e = Evenement { id: String::new(), agregat_id: String::new(), ..e };
            let tel = Evenement { date: None, date_creation: None, ..e };
            let traceparent: Option<String> = r.get("traceparent");
            lignes.push(format!("{} {tel:?} {traceparent:?}", r.get::<String, _>("sujet")));
        }
    }
    lignes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_write_leaves_the_rows_of_an_ordinary_one() {
    let banc = Banc::demarrer(&["identity"]).await;
    let base = banc.base("identity").await;
    let magasin = Magasin::nouveau(base.clone(), "identity");
    let grand = vec![7u8; ETAT_MAX_EVENEMENT + 1];
    let etats: [&[u8]; 3] = [b"un\\\t\n\0", b"deux", &grand];
    let numeros =
        |id: &str| [vec![identifiant(id, true), identifiant("groupe", false)], vec![identifiant(id, true)]];
    for (version, etat) in (1..).zip(etats) {
        let voulus = |id: &str| numeros(id).get(usize::try_from(version).unwrap() - 1).cloned();
        let demande =
            Demande { id: "a".into(), genre: "structure_finess", version_attendue: 0, recu: Bytes::new() };
        let decider = |_: usize, _: Option<&Ligne>| Decision::Ecrire {
            region: "84".into(),
            etat: Bytes::copy_from_slice(etat),
            identifiants: voulus("x"),
        };
        let r = magasin.ecrire(&origine(), None, &[demande], decider).await.unwrap();
        assert_ne!(r[0].issue(), Issue::Refuse);
        let mut bloc = magasin.bloc(origine()).await.unwrap();
        let refus = bloc
            .ecrire(vec![ecriture(
                "b",
                version,
                etat,
                voulus("x").map(|mut v| {
                    v[0].valeur = "y".into();
                    v
                }),
            )])
            .await
            .unwrap();
        assert!(refus.is_empty(), "{refus:?}");
        assert_eq!(bloc.valider().await.unwrap(), 1);
        let (ordinaire, en_bloc) = (contenu(&base, "a").await, contenu(&base, "b").await);
        let en_bloc: Vec<String> = en_bloc.iter().map(|l| l.replace("finessytrue", "finessxtrue")).collect();
        assert_eq!(ordinaire, en_bloc, "version {version}");
    }
    banc.attendre_publie(&base).await;
    assert_eq!(banc.deposes("identity").await.len(), 6, "the relay of the service found them all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_is_another_s_is_handed_back_and_the_others_go_on() {
    let banc = Banc::demarrer(&["identity"]).await;
    let base = banc.base("identity").await;
    let magasin = Magasin::nouveau(base.clone(), "identity");
    let avec = |id: &str, numero: &str| ecriture(id, 1, id.as_bytes(), Some(vec![identifiant(numero, true)]));
    let mut bloc = magasin.bloc(origine()).await.unwrap();
    assert!(bloc.ecrire(vec![avec("premier", "1")]).await.unwrap().is_empty());
    // Taken before in the load, taken in the same call, free.
    let refus = bloc
        .ecrire(vec![avec("trop-tard", "1"), avec("b", "2"), avec("a", "2"), avec("c", "3")])
        .await
        .unwrap();
    let refuses: Vec<&str> = refus.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(refuses, ["b", "trop-tard"], "by order of id, the first one has it");
    assert!(refus.iter().all(|r| regles(r) == ["identifiant-deja-utilise"]));
    // What the load wrote is read before it commits, by it alone.
    let lus = bloc.etats(&["a".to_owned(), "b".to_owned()]).await.unwrap();
    assert_eq!(lus.iter().map(|l| (l.id.as_str(), l.version)).collect::<Vec<_>>(), [("a", 1)]);
    assert_eq!(traces(&base).await, [0; 5]);
    assert_eq!(bloc.valider().await.unwrap(), 3);
    assert_eq!(traces(&base).await, [3, 3, 3, 3, 0]);
    // A version that moved meanwhile loses the load, not the row.
    let mut bloc = magasin.bloc(origine()).await.unwrap();
    let perdue = bloc.ecrire(vec![ecriture("a", 5, b"autre", None)]).await;
    assert!(matches!(perdue, Err(ror_chassis::Erreur::Conflit(_))), "{perdue:?}");
    drop(bloc);
    assert_eq!(traces(&base).await, [3, 3, 3, 3, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_encoded_beforehand_is_written_and_refused_alike() {
    let banc = Banc::demarrer(&["identity"]).await;
    let base = banc.base("identity").await;
    let magasin = Magasin::nouveau(base.clone(), "identity");
    let avec = |id: &str, numero: &str| ecriture(id, 1, id.as_bytes(), Some(vec![identifiant(numero, true)]));
    let mut bloc = magasin.bloc(origine()).await.unwrap();
    let encodeur = bloc.encodeur();
    assert!(bloc.ecrire_pretes(encodeur.preparer(vec![avec("premier", "1")])).await.unwrap().is_empty());
    let pretes =
        encodeur.preparer(vec![avec("trop-tard", "1"), avec("b", "2"), avec("a", "2"), avec("c", "3")]);
    let refus = bloc.ecrire_pretes(pretes).await.unwrap();
    let refuses: Vec<&str> = refus.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(refuses, ["b", "trop-tard"], "by order of id, the first one has it");
    assert_eq!(bloc.valider().await.unwrap(), 3);
    assert_eq!(traces(&base).await, [3, 3, 3, 3, 0]);
    // Another load finds the numbers of the first one, and leaves the same rows either way.
    let pareille = |id: &str, numero: &str| ecriture(id, 1, b"etat", Some(vec![identifiant(numero, true)]));
    let mut bloc = magasin.bloc(origine()).await.unwrap();
    assert!(bloc.ecrire(vec![pareille("d", "4")]).await.unwrap().is_empty());
    let pretes = bloc.encodeur().preparer(vec![avec("e", "3"), avec("f", "4"), pareille("g", "5")]);
    let refus = bloc.ecrire_pretes(pretes).await.unwrap();
    let refuses: Vec<&str> = refus.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(refuses, ["e", "f"]);
    assert_eq!(bloc.valider().await.unwrap(), 2);
    let encodee: Vec<String> =
        contenu(&base, "g").await.iter().map(|l| l.replace("finess5true", "finess4true")).collect();
    assert_eq!(contenu(&base, "d").await, encodee);
}
