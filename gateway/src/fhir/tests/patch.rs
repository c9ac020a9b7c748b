use ror_proto::capacity::v1::{CleIndicateur, PatchOperation};
use serde_json::{Value, json};

use crate::fhir::canoniques as c;
use crate::fhir::lecture::{OPERATIONS_MAX, lire_patch_capacite};

fn concept(systeme: &str, code: &str) -> Value {
    json!({"coding": [{"system": systeme, "code": code}]})
}

fn sous_extensions() -> Vec<Value> {
    let code = |url: &str, systeme: &str, code: &str| {
        let valeur = concept(systeme, code);
        json!({"url": url, "valueCodeableConcept": valeur})
    };
    vec![
        code("capacityType", c::TRE_R329, "01"),
        code("capacityStatus", c::TRE_R330, "02"),
        code("temporalityCapacity", c::TRE_R331, "01"),
        json!({"url": "nbCapacity", "valueInteger": 3}),
        code("capacitySourceType", c::TRE_R335, "02"),
        json!({"url": "capacityUpdateDate", "valueDateTime": "2026-03-16T10:00:00+01:00"}),
        code("temporaryAssignement", c::TRE_R337, "01"),
        code("genderCapacityAvailable", c::TRE_R332, "03"),
    ]
}

/// The value part as the product documents it.
fn valeur_publiee() -> Value {
    let extension = json!({"url": c::EXT_CAPACITE, "extension": sous_extensions()});
    json!({"name": "value", "part": [{"extension": [extension]}]})
}

/// The value part as R4 FHIRPath Patch writes it.
fn valeur_r4() -> Value {
    let mut parts = vec![json!({"name": "url", "valueUri": c::EXT_CAPACITE})];
    for sous in sous_extensions() {
        let Value::Object(mut membres) = sous else {
            continue;
        };
        let url = membres.remove("url");
        membres.insert("name".to_owned(), Value::from("value"));
        let url = json!({"name": "url", "valueUri": url});
        parts.push(json!({"name": "extension", "part": [url, membres]}));
    }
    json!({"name": "value", "part": [{"name": "extension", "part": parts}]})
}

fn base() -> String {
    format!("Location.extension.where(url='{}')", c::EXT_CAPACITE)
}

fn clause(nom: &str, code: &str) -> String {
    format!("extension.where(url = '{nom}' and valueCodeableConcept.coding.code = '{code}')")
}

fn criteres() -> String {
    let clauses = [
        clause("capacityStatus", "02"),
        clause("temporalityCapacity", "01"),
        clause("genderCapacityAvailable", "03"),
        clause("temporaryAssignement", "01"),
    ];
    format!("{}.where({})", base(), clauses.join(" and "))
}

fn operation(genre: &str, chemin: &str, valeur: Option<Value>) -> Value {
    let mut parts =
        vec![json!({"name": "type", "valueString": genre}), json!({"name": "path", "valueString": chemin})];
    parts.extend(valeur);
    json!({"name": "operation", "part": parts})
}

fn corps(operations: &[Value]) -> Value {
    json!({"resourceType": "Parameters", "parameter": operations})
}

fn cle() -> CleIndicateur {
    CleIndicateur {
        statut: "02".to_owned(),
        temporalite: "01".to_owned(),
        genre: "03".to_owned(),
        affectation_temporaire: "01".to_owned(),
        ..CleIndicateur::default()
    }
}

#[test]
fn the_documented_replace_reads_in_both_forms() {
    for valeur in [valeur_publiee(), valeur_r4()] {
        let corps = corps(&[operation("replace", &criteres(), Some(valeur))]);
        let patchs = lire_patch_capacite(&corps).unwrap_or_else(|issues| panic!("{issues:#?}"));
        let [patch] = patchs.as_slice() else { panic!("one operation") };
        assert_eq!(patch.operation, PatchOperation::Replace);
        assert_eq!(patch.cle, cle());
        let lu = patch.enregistrement.clone().unwrap_or_default();
        assert_eq!((lu.nombre, lu.nature.as_str(), lu.source.as_str()), (3, "01", "02"));
        assert_eq!(lu.cle, Some(cle()));
        assert!(lu.date_maj.is_some());
    }
}

#[test]
fn add_delete_and_spaces_are_understood() {
    let clause = clause("capacityStatus", "02").replace(" = ", "=").replace(" and ", "\n and\t");
    let espaces = format!(" {} . where ( {clause} ) ", base());
    let corps = corps(&[
        operation("add", &base(), Some(valeur_publiee())),
        operation("delete", &criteres(), None),
        operation("delete", &espaces, None),
    ]);
    let patchs = lire_patch_capacite(&corps).unwrap_or_else(|issues| panic!("{issues:#?}"));
    assert_eq!(patchs.len(), 3);
    assert_eq!(patchs[0].operation, PatchOperation::Add);
    assert_eq!(patchs[0].cle, cle());
    assert_eq!((patchs[1].operation, patchs[1].cle.clone()), (PatchOperation::Delete, cle()));
    assert_eq!(patchs[2].cle.statut, "02");
}

#[test]
fn wrong_paths_are_business_rules_without_expression() {
    let chemins = [
        base(),
        format!("{}.where({})", base(), clause("capacityType", "01")),
        format!("{0}.where({1} and {1})", base(), clause("capacityStatus", "02")),
        format!("{}.where({})", base(), clause("capacityStatus", "")),
        criteres().replace("ror-location-supported-capacity", "ror-autre"),
        criteres().replace("Location", "Organization"),
        format!("{}.value", criteres()),
        criteres().replace(" = '", " = "),
        criteres().replace(" and ", " or "),
    ];
    for chemin in chemins {
        let corps = corps(&[operation("replace", &chemin, Some(valeur_publiee()))]);
        let issues = lire_patch_capacite(&corps).expect_err(&chemin);
        assert_eq!(issues.len(), 1, "{chemin} {issues:#?}");
        assert_eq!(issues[0].code, "business-rule");
        assert!(issues[0].expression.is_empty());
    }
}

#[test]
fn faults_of_the_value_are_located_from_the_place() {
    let mut valeur = valeur_publiee();
    let chemin = "/part/0/extension/0/extension/3/valueInteger";
    if let Some(nombre) = valeur.pointer_mut(chemin) {
        *nombre = Value::from("3");
    }
    let corps = corps(&[operation("replace", &criteres(), Some(valeur))]);
    let issues = lire_patch_capacite(&corps).expect_err("refused");
    let attendu = format!("{}.extension.where(url='nbCapacity').valueInteger", base());
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert_eq!(issues[0].expression, [attendu]);
}

#[test]
fn structure_of_the_request_is_checked() {
    let fausses = [
        corps(&[]),
        corps(&[operation("remove", &criteres(), None)]),
        corps(&[operation("add", &base(), None)]),
        corps(&[operation("add", &criteres(), Some(valeur_publiee()))]),
        corps(&[operation("delete", &criteres(), Some(valeur_publiee()))]),
        corps(&[json!({"name": "autre", "part": []})]),
        corps(&vec![operation("delete", &criteres(), None); OPERATIONS_MAX + 1]),
    ];
    for corps in fausses {
        let issues = lire_patch_capacite(&corps).expect_err("refused");
        assert!(issues.iter().all(|issue| !issue.diagnostics.is_empty()));
    }
    let pleine = corps(&vec![operation("delete", &criteres(), None); OPERATIONS_MAX]);
    assert_eq!(lire_patch_capacite(&pleine).map(|p| p.len()).ok(), Some(OPERATIONS_MAX));
}
