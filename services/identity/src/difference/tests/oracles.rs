//! The pairs of editions whose operations are known, through the readers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::ControlFlow;
use std::path::PathBuf;

use serde_json::Value;

use super::super::absences::{SuiteAbsence, decider_absence};
use super::*;
use crate::formats::{Lecture, finess_plus, rpps};

/// Records by numFINESS or idNat_PS.
type Edition = BTreeMap<String, Identity>;

/// A file of the folder named by `ROR_ECHANTILLONS` (or of its `samples` folder).
/// None, said aloud, when the variable or the file is absent.
fn echantillon(nom: &str) -> Option<File> {
    let Some(dossier) = std::env::var_os("ROR_ECHANTILLONS").map(PathBuf::from) else {
        eprintln!("TEST SAUTÉ : ROR_ECHANTILLONS n'est pas défini, {nom} n'est pas vérifié");
        return None;
    };
    let trouve = ["", "samples"].iter().find_map(|sous| File::open(dossier.join(sous).join(nom)).ok());
    if trouve.is_none() {
        eprintln!("TEST SAUTÉ : {nom} est absent de {}", dossier.display());
    }
    trouve
}

fn oracle(nom: &str) -> Option<Value> {
    echantillon(nom).map(|fichier| serde_json::from_reader(fichier).unwrap())
}

fn recevoir(edition: &mut Edition, lecture: Lecture) -> ControlFlow<()> {
    match lecture {
        Lecture::Enregistrement { ressource, suite, .. } => {
            let lue = identite(*ressource);
            let cle = Sujet::de(&lue).unwrap().cle.to_owned();
            assert!(!suite, "{cle} comes twice");
            assert!(edition.insert(cle, lue).is_none());
        }
        Lecture::Refus { fautes, .. } => panic!("{fautes:?}"),
    }
    ControlFlow::Continue(())
}

fn structures_du(jour: &str) -> Option<Edition> {
    let fichier = echantillon(&format!("finess-structures-journalier-{jour}.json"))?;
    let mut edition = Edition::new();
    finess_plus::lire(fichier, &mut |lecture: Lecture| recevoir(&mut edition, lecture)).unwrap();
    Some(edition)
}

fn professionnels_du(instant: &str) -> Option<Edition> {
    let fichier = echantillon(&format!("PS_LibreAcces_Personne_activite_{instant}.txt"))?;
    let mut edition = Edition::new();
    rpps::lire(fichier, &mut |lecture: Lecture| recevoir(&mut edition, lecture)).unwrap();
    Some(edition)
}

fn differences(avant: &Edition, apres: &Edition) -> Vec<Changement> {
    apres.iter().flat_map(|(cle, identite)| comparer(avant.get(cle), identite)).collect()
}

fn verbe(changement: &Changement) -> &'static str {
    match changement.operation() {
        Operation::Creee => "create",
        Operation::Modifiee => "update",
        Operation::Transferee => "transfer",
        Operation::Fermee => "close",
        Operation::Rouverte => "reopen",
        autre => autre.as_str_name(),
    }
}

fn verifier(attendue: &Value, obtenue: &Changement) {
    let textes = [
        ("from_ej", &obtenue.de),
        ("to_ej", &obtenue.vers),
        ("date", &obtenue.date),
        ("type", &obtenue.type_fermeture),
    ];
    for (nom, obtenu) in textes {
        if let Some(attendu) = attendue.get(nom) {
            assert_eq!(attendu.as_str(), Some(obtenu.as_str()), "{nom} of {attendue}");
        }
    }
    if let Some(codes) = attendue.get("events") {
        assert_eq!(codes, &Value::from(obtenue.evenements.clone()), "{attendue}");
    }
    let champs = attendue.get("fields").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    assert_eq!(champs, Value::from(obtenue.champs.clone()), "{attendue}");
    let genre = match attendue.get("kind").and_then(Value::as_str) {
        Some("EJ") => ENTITE_JURIDIQUE,
        _ => ENTITE_GEOGRAPHIQUE,
    };
    assert_eq!(obtenue.genre, genre, "{attendue}");
}

#[test]
fn a_day_of_finess_gives_the_expected_operations_and_nothing_more() {
    let (Some(veille), Some(jour), Some(oracle)) = (
        structures_du("20261001"),
        structures_du("20261002"),
        oracle("expected-diff-finess-20261001-20261002.json"),
    ) else {
        return;
    };
    assert!(veille.keys().all(|finess| jour.contains_key(finess)), "nothing is absent");
    let obtenues = differences(&veille, &jour);
    let attendues = oracle["operations"].as_array().unwrap();
    for attendue in attendues {
        let (op, finess) = (attendue["op"].as_str().unwrap(), attendue["finess"].as_str().unwrap());
        let memes: Vec<&Changement> = obtenues.iter().filter(|c| c.cle == finess && verbe(c) == op).collect();
        assert_eq!(memes.len(), 1, "{attendue} among {obtenues:?}");
        verifier(attendue, memes[0]);
    }
    assert_eq!(obtenues.len(), attendues.len(), "{obtenues:?}");
    assert!(differences(&jour, &jour).is_empty());
}

/// Identifiers the oracle gives an operation.
fn attendus(oracle: &Value, op: &str) -> BTreeSet<String> {
    let operations = oracle["operations"].as_array().unwrap().iter().filter(|o| o["op"] == op);
    operations.map(|o| o["idnps"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_day_of_rpps_gives_the_expected_operations_and_nothing_more() {
    let (Some(veille), Some(jour), Some(oracle)) = (
        professionnels_du("202610010830"),
        professionnels_du("202610020830"),
        oracle("expected-diff-rpps-20261001-20261002.json"),
    ) else {
        return;
    };
    assert_eq!((veille.len(), jour.len()), (13, 13));
    let obtenues = differences(&veille, &jour);
    let cles = |op: &str| -> Vec<String> {
        obtenues.iter().filter(|c| verbe(c) == op).map(|c| c.cle.clone()).collect()
    };
    for op in ["create", "update"] {
        assert_eq!(cles(op), attendus(&oracle, op).into_iter().collect::<Vec<_>>(), "{op}");
    }
    assert_eq!(obtenues.len(), attendus(&oracle, "create").len() + attendus(&oracle, "update").len());
    let renomme = obtenues.iter().find(|c| c.cle == "810990000043").unwrap();
    assert_eq!(renomme.champs, ["nom"]);

    let absents = veille.keys().filter(|cle| !jour.contains_key(*cle));
    let suites: Vec<(String, SuiteAbsence)> =
        absents.map(|cle| (cle.clone(), decider_absence(PROFESSIONNEL, cle, 1))).collect();
    let retenus: Vec<(String, SuiteAbsence)> =
        attendus(&oracle, "retain").into_iter().map(|cle| (cle, SuiteAbsence::Retenir)).collect();
    assert_eq!(suites, retenus);

    let inchanges: Vec<&str> =
        jour.keys().filter(|cle| !obtenues.iter().any(|c| c.cle == **cle)).map(String::as_str).collect();
    let mut attendus: Vec<&str> =
        oracle["unchanged"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    attendus.sort_unstable();
    assert_eq!(inchanges, attendus);
    assert!(differences(&jour, &jour).is_empty());
}
