use ror_proto::{
    common::v1::Code,
    nomenclatures::v1::{Association as Paire, Concept as C, EtatEdition, Nomenclature, Rigueur, Sorte},
};

use super::*;
use crate::liaisons::{ACTE_SPECIFIQUE, CHAMP_ACTIVITE, TRE_CHAMP};

const JOUR: &str = "2026-11-21";

fn concept(systeme: &str, code: &str, valide_au: &str) -> C {
    C {
        systeme: systeme.into(),
        code: code.into(),
        libelle: format!("Libellé {code}"),
        valide_au: valide_au.into(),
        ..Default::default()
    }
}

fn tre(version: &str, concepts: Vec<C>) -> Nomenclature {
    Nomenclature {
        sorte: Sorte::Tre as i32,
        canonique: TRE_CHAMP.into(),
        version: version.into(),
        concepts,
        ..Default::default()
    }
}

fn jdv(concepts: Vec<C>) -> Nomenclature {
    Nomenclature {
        sorte: Sorte::Jdv as i32,
        canonique: CHAMP_ACTIVITE.canonique.into(),
        complete: true,
        concepts,
        ..Default::default()
    }
}

fn exemple() -> Vec<Nomenclature> {
    let ancien = C { statut: "retired".into(), ..concept("", "03", "") };
    vec![
        tre("20250101120000", vec![concept("", "01", ""), concept("", "02", "2020-01-01"), ancien]),
        jdv(["01", "02", "03"].map(|c| concept(TRE_CHAMP, c, "")).to_vec()),
    ]
}

fn code(systeme: &str, code: &str) -> Code {
    Code { systeme: systeme.into(), code: code.into() }
}

#[test]
fn a_complete_list_refuses_what_it_does_not_hold_and_a_date_ends_a_code() {
    let v = Vocabulaire::fixe(&exemple()).pret().unwrap();
    let regle = |c: &Code| v.valider(CHAMP_ACTIVITE, c, JOUR).map_err(|m| m.regle);
    assert_eq!(regle(&code(TRE_CHAMP, "01")), Ok(()));
    assert_eq!(regle(&code(TRE_CHAMP, "02")), Err("code-hors-date"));
    assert_eq!(regle(&code(TRE_CHAMP, "03")), Err("code-hors-date"), "retired, at no known date");
    assert_eq!(regle(&code(TRE_CHAMP, "99")), Err("code-inconnu"));
    assert_eq!(regle(&code("autre", "01")), Err("systeme-inconnu"));
    assert_eq!(regle(&code(TRE_CHAMP, "")), Err("code-manquant"));
    assert_eq!(v.valider(CHAMP_ACTIVITE, &code(TRE_CHAMP, "02"), "2019-06-01"), Ok(()));
    assert_eq!(v.valider(CHAMP_ACTIVITE, &code(TRE_CHAMP, "02"), "2020-01-01"), Ok(()), "its last day");
    assert_eq!(v.valider(ACTE_SPECIFIQUE, &code("x", "y"), JOUR), Ok(()), "a list not loaded proves nothing");
}

#[test]
fn strictness_is_that_of_the_value_set_in_the_mode() {
    let juger = |saisie: Rigueur, migration: Rigueur, c: &Code, mode: Mode| {
        let mut listes = exemple();
        listes[1].rigueur_saisie = saisie as i32;
        listes[1].rigueur_migration = migration as i32;
        let t = Vocabulaire::fixe(&listes).tables();
        match t.verifier(CHAMP_ACTIVITE.canonique, CHAMP_ACTIVITE.nom, c, JOUR, mode) {
            Avis::Valide => "valide",
            Avis::Tolere(m) | Avis::Refuse(m) if m.regle == "systeme-inconnu" => "systeme-inconnu",
            Avis::Tolere(_) => "tolere",
            Avis::Refuse(_) => "refuse",
        }
    };
    let (defaut, stricte, souple) = (Rigueur::Unspecified, Rigueur::Stricte, Rigueur::Souple);
    let inconnu = code(TRE_CHAMP, "99");
    assert_eq!(juger(defaut, defaut, &inconnu, Mode::Saisie), "refuse");
    assert_eq!(juger(defaut, defaut, &inconnu, Mode::Migration), "tolere");
    assert_eq!(juger(souple, stricte, &inconnu, Mode::Saisie), "tolere");
    assert_eq!(juger(souple, stricte, &inconnu, Mode::Migration), "refuse");
    assert_eq!(juger(defaut, defaut, &code(TRE_CHAMP, "02"), Mode::Migration), "tolere");
    assert_eq!(juger(defaut, defaut, &code(TRE_CHAMP, "01"), Mode::Migration), "valide");
    assert_eq!(juger(souple, souple, &code("autre", "01"), Mode::Migration), "systeme-inconnu");
}

#[test]
fn only_the_newest_published_version_is_held() {
    let mut t = Tables::default();
    t.poser(&tre("20250101120000", vec![concept("", "01", "")]));
    let brouillon = Nomenclature {
        etat: EtatEdition::Brouillon as i32,
        ..tre("20270101120000", vec![concept("", "09", "")])
    };
    t.poser(&brouillon);
    t.poser(&tre("20240101120000", vec![concept("", "08", "")]));
    t.poser(&tre("publiée en 2030", vec![concept("", "07", "")]));
    assert_eq!(t.version(TRE_CHAMP), Some("20250101120000"));
    assert_eq!(t.systeme(TRE_CHAMP), Some((false, "20250101120000")));
    assert_eq!(
        t.concepts(TRE_CHAMP).map(|(c, k)| (c, k.libelle)).collect::<Vec<_>>(),
        [("01", "Libellé 01")]
    );
    assert_eq!((t.libelle(TRE_CHAMP, "01"), t.libelle(TRE_CHAMP, "09")), (Some("Libellé 01"), None));
    t.oter(TRE_CHAMP);
    assert!(t.est_vide());
}

#[test]
fn associations_translate_in_the_order_published() {
    let paire = |source: &str, systeme: &str, cible: &str| Paire {
        systeme_source: "urn:s".into(),
        code_source: source.into(),
        systeme_cible: systeme.into(),
        code_cible: cible.into(),
        equivalence: "wider".into(),
        ..Default::default()
    };
    let mut t = Tables::default();
    t.poser(&Nomenclature {
        sorte: Sorte::Ass as i32,
        canonique: "urn:a".into(),
        associations: vec![paire("2", "urn:t", "B"), paire("1", "urn:t", "Z"), paire("1", "urn:u", "A")],
        ..Default::default()
    });
    let lues = |s: &str, c: &str| {
        t.traduire("urn:a", s, c).map(|c| (c.systeme, c.code, c.equivalence)).collect::<Vec<_>>()
    };
    assert_eq!(lues("urn:s", "1"), [("urn:t", "Z", "wider"), ("urn:u", "A", "wider")]);
    assert_eq!(lues("urn:s", "2"), [("urn:t", "B", "wider")]);
    assert!(lues("urn:s", "3").is_empty() && lues("urn:x", "1").is_empty());
    assert_eq!(t.traduire("urn:inconnue", "urn:s", "1").count(), 0);
}

#[test]
fn examples_are_bounded() {
    let t = Vocabulaire::fixe(&exemple()).tables();
    let dits = t.exemples(CHAMP_ACTIVITE, 2);
    assert!(dits.ends_with("01, 02 et 1 autres"), "{dits}");
}

#[tokio::test]
async fn services_of_one_run_and_mesh_share_a_copy() {
    let reglages = |nats: &str| Reglages {
        nom: "essai".into(),
        base: None,
        base_connexions: 1,
        nats: nats.into(),
        nats_replicas: 1,
        grpc: ([127, 0, 0, 1], 0).into(),
        admin: None,
        tls: None,
        amont: [("nomenclatures".to_owned(), "http://n".to_owned())].into(),
        migrer: false,
    };
    let (a, b, c) = (
        Vocabulaire::partage(&reglages("nats://a")),
        Vocabulaire::partage(&reglages("nats://a")),
        Vocabulaire::partage(&reglages("nats://b")),
    );
    assert!(Arc::ptr_eq(&a.0, &b.0) && !Arc::ptr_eq(&a.0, &c.0));
}

#[test]
fn tables_that_say_the_same_labels_have_the_same_fingerprint() {
    let empreinte = |n: &[Nomenclature]| Vocabulaire::fixe(n).tables().empreinte_libelles();
    let mut listes = exemple();
    let ici = empreinte(&listes);
    listes[0].version = "20260101120000".into();
    listes.reverse();
    assert_eq!(empreinte(&listes), ici, "another version and another order");
    listes.remove(0);
    assert_eq!(empreinte(&listes), ici, "value sets have no labels");
    listes[0].concepts[1].libelle = "Autre".into();
    assert_ne!(empreinte(&listes), ici);
    listes[0].concepts.pop();
    assert_ne!(empreinte(&listes), ici);
    assert_ne!(empreinte(&[]), ici);
}
