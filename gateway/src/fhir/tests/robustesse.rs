use serde_json::{Value, json};

use super::exemples::{rendre, tous};
use crate::fhir::lecture::{lire, lire_patch_capacite};
use crate::fhir::politique::Faits;

/// JSON pointers of every value of a tree.
fn pointeurs(valeur: &Value, ici: &str, tous: &mut Vec<String>) {
    tous.push(ici.to_owned());
    match valeur {
        Value::Array(items) => {
            for (rang, item) in items.iter().enumerate() {
                pointeurs(item, &format!("{ici}/{rang}"), tous);
            }
        }
        Value::Object(membres) => {
            for (nom, membre) in membres {
                pointeurs(membre, &format!("{ici}/{nom}"), tous);
            }
        }
        _ => {}
    }
}

#[test]
fn no_mutation_makes_the_reading_panic_or_fail_silently() {
    let mutations = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("é€𝄞 quelconque"),
        json!([]),
        json!({}),
        json!([[null]]),
        json!([{"x": null}]),
        json!({"extension": [{"url": "urn:inconnue", "valueString": "x"}]}),
    ];
    for ressource in tous() {
        let json = rendre(&ressource, 1, Faits::default());
        let mut chemins = Vec::new();
        pointeurs(&json, "", &mut chemins);
        for (rang, chemin) in chemins.iter().enumerate() {
            // Four of the mutations a place, in turn: the whole product would take minutes.
            for mutation in mutations.iter().cycle().skip(rang % mutations.len()).take(4) {
                let mut mutee = json.clone();
                if let Some(cible) = mutee.pointer_mut(chemin) {
                    *cible = mutation.clone();
                }
                if let Err(fautes) = lire(&mutee) {
                    assert!(!fautes.is_empty(), "{chemin}");
                    assert!(fautes.iter().all(|f| !f.element.is_empty() && !f.message.is_empty()));
                }
                if let Err(issues) = lire_patch_capacite(&mutee) {
                    assert!(!issues.is_empty());
                }
            }
        }
    }
}

#[test]
fn faults_are_all_told_at_once() {
    let json = json!({
        "resourceType": "HealthcareService",
        "text": {"div": "x"},
        "inconnu": 1,
        "name": 12,
        "providedBy": {"reference": "Location/x"},
        "type": [{"coding": [{"code": "01"}]}],
        "extension": [
            {"url": "urn:inconnue", "valueString": "x"},
            {"url": crate::fhir::canoniques::EXT_OFFRE_SENSIBLE, "valueBoolean": "non"},
        ],
        "availableTime": [{"availableStartTime": "8h"}],
    });
    let fautes = lire(&json).expect_err("refused");
    let regles = |element: &str| -> Vec<String> {
        let ici = fautes.iter().filter(|faute| faute.element.starts_with(element));
        ici.map(|faute| faute.regle.clone()).collect()
    };
    assert_eq!(regles("HealthcareService.text"), ["element-refuse"]);
    assert_eq!(regles("HealthcareService.inconnu"), ["element-inconnu"]);
    assert_eq!(regles("HealthcareService.name"), ["type-json"]);
    assert_eq!(regles("HealthcareService.providedBy"), ["reference"]);
    assert_eq!(regles("HealthcareService.type[0].coding[0].system"), ["requis"]);
    assert_eq!(regles("HealthcareService.extension.where(url='urn:"), ["extension-inconnue"]);
    assert_eq!(regles("HealthcareService.extension.where(url='https"), ["type-json"]);
    assert_eq!(regles("HealthcareService.availableTime[0]"), ["valeur"]);
    assert_eq!(fautes.len(), 8, "{fautes:#?}");
}

#[test]
fn anything_else_is_refused() {
    for json in [Value::Null, json!([]), json!({}), json!({"resourceType": "Patient"})] {
        assert!(lire(&json).is_err_and(|fautes| !fautes.is_empty()), "{json}");
        assert!(lire_patch_capacite(&json).is_err_and(|issues| !issues.is_empty()), "{json}");
    }
}
