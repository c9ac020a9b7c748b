//! Capacity records and the FHIRPath Patch that changes them, in the published form.

use serde_json::{Value, json};

use crate::{
    fhir::{CAPACITE, code_extension, extensions},
    temps,
};

/// The attributes that name an indicator, in the order of its tuple.
pub const TUPLE: [&str; 7] = [
    "capacityStatus",
    "temporalityCapacity",
    "genderCapacityAvailable",
    "capacityClosingType",
    "additionalBedType",
    "crisisType",
    "temporaryAssignement",
];

/// Capacity records of a place.
pub fn enregistrements(lieu: &Value) -> Vec<&Value> {
    extensions(lieu, CAPACITE).collect()
}

/// The tuple of a record; absent members are empty.
pub fn tuple(enregistrement: &Value) -> [String; 7] {
    TUPLE.map(|nom| code_extension(enregistrement, nom).unwrap_or_default().to_owned())
}

/// nbCapacity of a record.
pub fn nombre(enregistrement: &Value) -> i64 {
    let premier = extensions(enregistrement, "nbCapacity").next();
    premier.and_then(|e| e["valueInteger"].as_i64()).unwrap_or(-1)
}

/// The free beds for either sex, now.
pub fn disponibles(lieu: &Value) -> Option<&Value> {
    enregistrements(lieu).into_iter().find(|e| tuple(e) == ["02", "01", "03", "", "", "", "01"])
}

/// Most free beds of that record that the other records of the place leave room for.
pub fn plafond(lieu: &Value) -> i64 {
    let somme = |statuts: &[&str], sauf: &str| -> i64 {
        let comptes = enregistrements(lieu).into_iter().filter(|e| {
            let [statut, temporalite, genre, ..] = tuple(e);
            temporalite == "01" && statuts.contains(&statut.as_str()) && (sauf.is_empty() || genre != sauf)
        });
        comptes.map(nombre).sum()
    };
    somme(&["01"], "") - somme(&["05", "03", "04"], "") - somme(&["02"], "03")
}

/// A copy with another count, dated now, as a source would send it.
pub fn avec_nombre(enregistrement: &Value, nombre: i64) -> Value {
    let mut copie = sans_libelles(enregistrement);
    let sous = copie.get_mut("extension").and_then(Value::as_array_mut).expect("a record has parts");
    for partie in sous {
        if partie["url"] == "nbCapacity" {
            partie["valueInteger"] = json!(nombre);
        } else if partie["url"] == "capacityUpdateDate" {
            partie["valueDateTime"] = json!(temps::ecrire(temps::maintenant()));
        }
    }
    copie
}

/// A copy with another code, added or, when empty, taken away.
pub fn avec_code(enregistrement: &Value, nom: &str, systeme: &str, code: &str) -> Value {
    let mut copie = sans_libelles(enregistrement);
    let sous = copie.get_mut("extension").and_then(Value::as_array_mut).expect("a record has parts");
    sous.retain(|partie| partie["url"] != nom);
    if !code.is_empty() {
        sous.push(
            json!({"url": nom, "valueCodeableConcept": {"coding": [{"system": systeme, "code": code}]}}),
        );
    }
    copie
}

/// Name of a code system of the NOS.
pub fn systeme(nom: &str) -> String {
    format!("https://mos.esante.gouv.fr/NOS/TRE_{nom}/FHIR/TRE-{nom}")
}

/// A copy without the labels, which a feed does not send.
pub fn sans_libelles(valeur: &Value) -> Value {
    match valeur {
        Value::Array(valeurs) => valeurs.iter().map(sans_libelles).collect(),
        Value::Object(membres) => Value::Object(
            membres
                .iter()
                .filter(|(cle, _)| *cle != "display")
                .map(|(c, v)| (c.clone(), sans_libelles(v)))
                .collect(),
        ),
        autre => autre.clone(),
    }
}

/// The path of every record of a place: the one of an add, and the expression of an absent record.
pub fn chemin() -> String {
    format!("Location.extension.where(url='{CAPACITE}')")
}

/// The path of one record.
pub fn chemin_de(enregistrement: &Value) -> String {
    let clauses: Vec<String> = TUPLE
        .into_iter()
        .zip(tuple(enregistrement))
        .filter(|(_, code)| !code.is_empty())
        .map(|(nom, code)| {
            format!("extension.where(url = '{nom}' and valueCodeableConcept.coding.code = '{code}')")
        })
        .collect();
    format!("{}.where({})", chemin(), clauses.join(" and "))
}

/// A body of one operation.
pub fn corps(operation: &str, chemin: &str, enregistrement: Option<&Value>) -> Value {
    let mut parties = vec![
        json!({"name": "type", "valueString": operation}),
        json!({"name": "path", "valueString": chemin}),
    ];
    if let Some(enregistrement) = enregistrement {
        parties.push(json!({"name": "value", "part": [{"extension": [enregistrement]}]}));
    }
    json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parties}]})
}

/// The body that gives a record another count.
pub fn remplacer(enregistrement: &Value, nombre: i64) -> Value {
    corps("replace", &chemin_de(enregistrement), Some(&avec_nombre(enregistrement, nombre)))
}
