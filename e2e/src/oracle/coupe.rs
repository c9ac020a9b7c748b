//! Which members of a resource stay when only a part of it is asked for.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use serde_json::Value;

use super::{
    inclusion::Rang,
    index::Index,
    parametres::Genre,
    requete::{Coupe, Requete},
};
use crate::fhir::{tableau, texte};

/// Without them nothing says what a resource is.
const TOUJOURS: [&str; 3] = ["resourceType", "id", "meta"];
/// Tag of a resource given in part.
const PARTIEL: &str = "SUBSETTED";

/// Members of a resource, and a number that tells two values of one apart.
pub fn membres(ressource: &Value) -> BTreeMap<String, u64> {
    let membres = ressource.as_object().into_iter().flatten();
    membres.map(|(nom, valeur)| (nom.clone(), empreinte(valeur))).collect()
}

fn empreinte(valeur: &Value) -> u64 {
    let mut etat = DefaultHasher::new();
    valeur.hash(&mut etat);
    etat.finish()
}

/// What is wrong with the members of a resource of an answer.
pub fn verifier(index: &Index, requete: &Requete, rang: Rang, recue: &Value) -> Option<String> {
    let coupe = requete.coupe.as_ref()?;
    let (genre, ligne) = rang;
    let entiere = &index.table(genre).lignes[ligne].membres;
    let attendus: BTreeMap<String, u64> =
        entiere.iter().filter(|(nom, _)| garde(coupe, genre, nom)).map(|(n, e)| (n.clone(), *e)).collect();
    let recus = membres(&sans_marque(recue));
    let marquee = tableau(&recue["meta"], "tag").iter().any(|tag| texte(tag, "/code") == PARTIEL);
    if marquee == (*coupe == Coupe::Resume("data")) {
        return Some(format!("{coupe:?}: {PARTIEL} {marquee}"));
    }
    let noms = |m: &BTreeMap<String, u64>, autres: &BTreeMap<String, u64>| -> Vec<String> {
        m.iter().filter(|(nom, e)| autres.get(*nom) != Some(*e)).map(|(nom, _)| nom.clone()).collect()
    };
    let (manquent, autres) = (noms(&attendus, &recus), noms(&recus, &attendus));
    (!manquent.is_empty() || !autres.is_empty())
        .then(|| format!("{coupe:?}: members expected {manquent:?}, got {autres:?}"))
}

/// The resource without the tag that says it is given in part.
fn sans_marque(recue: &Value) -> Value {
    let mut recue = recue.clone();
    if let Some(meta) = recue.get_mut("meta").and_then(Value::as_object_mut) {
        let vide = meta.get_mut("tag").and_then(Value::as_array_mut).is_some_and(|tags| {
            tags.retain(|tag| texte(tag, "/code") != PARTIEL);
            tags.is_empty()
        });
        if vide {
            meta.remove("tag");
        }
    }
    recue
}

fn garde(coupe: &Coupe, genre: Genre, membre: &str) -> bool {
    let nom = membre.strip_prefix('_').unwrap_or(membre);
    let voulu = match coupe {
        Coupe::Elements(noms) => noms.contains(&nom) || obligatoires(genre).contains(&nom),
        Coupe::Resume("data") => return nom != "text",
        Coupe::Resume("text") => nom == "text" || obligatoires(genre).contains(&nom),
        Coupe::Resume(_) => resume(genre).contains(&nom),
    };
    voulu || TOUJOURS.contains(&nom)
}

/// Elements that the ROR profiles make mandatory.
fn obligatoires(genre: Genre) -> &'static [&'static str] {
    match genre {
        Genre::Organization | Genre::Location => &[],
        Genre::HealthcareService => &["identifier", "providedBy", "type", "specialty", "characteristic"],
        Genre::Practitioner => &["identifier"],
        Genre::PractitionerRole => &["practitioner", "code", "specialty"],
    }
}

/// Elements that FHIR R4 puts in a summary.
fn resume(genre: Genre) -> &'static [&'static str] {
    match genre {
        Genre::Organization => &["identifier", "active", "type", "name", "partOf"],
        Genre::HealthcareService => &[
            "identifier",
            "active",
            "providedBy",
            "category",
            "type",
            "specialty",
            "location",
            "name",
            "comment",
            "photo",
        ],
        Genre::Location => &[
            "identifier",
            "status",
            "operationalStatus",
            "name",
            "description",
            "mode",
            "type",
            "physicalType",
            "managingOrganization",
        ],
        Genre::Practitioner => &["identifier", "active", "name", "telecom", "address", "gender", "birthDate"],
        Genre::PractitionerRole => &[
            "identifier",
            "active",
            "period",
            "practitioner",
            "organization",
            "code",
            "specialty",
            "location",
            "telecom",
        ],
    }
}

/// Elements of a type that a query may name, some of which the data never carry.
pub fn elements(genre: Genre) -> &'static [&'static str] {
    match genre {
        Genre::Organization => &["name", "alias", "type", "address", "contact", "extension", "partOf"],
        Genre::HealthcareService => {
            &["name", "comment", "telecom", "availableTime", "notAvailable", "extension", "location", "photo"]
        }
        Genre::Location => &["name", "alias", "status", "address", "position", "telecom", "extension"],
        Genre::Practitioner => &["name", "telecom", "qualification"],
        Genre::PractitionerRole => &["healthcareService", "organization", "telecom", "extension"],
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;

    #[test]
    fn what_stays_is_whole_and_what_goes_is_told() {
        let entiere = json!({"resourceType": "Location", "id": "a", "meta": {"versionId": "1"},
            "name": "N", "_name": {"x": 1}, "address": {"city": "V"}});
        let index = Index::lire(&Arc::default(), 1, [&entiere]);
        let mut requete = Requete::nouvelle(Genre::Location);
        let marque = json!({"versionId": "1", "tag": [{"code": PARTIEL}]});
        let juste = |requete: &Requete, recue: &Value| {
            verifier(&index, requete, (Genre::Location, 0), recue).is_none()
        };
        requete.coupe = Some(Coupe::Elements(vec!["name"]));
        let mut coupee =
            json!({"resourceType": "Location", "id": "a", "meta": marque, "name": "N", "_name": {"x": 1}});
        assert!(juste(&requete, &coupee) && !juste(&requete, &entiere));
        coupee["name"] = json!("M");
        assert!(!juste(&requete, &coupee));
        coupee["name"] = json!("N");
        coupee["meta"] = json!({"versionId": "1"});
        assert!(!juste(&requete, &coupee));
        requete.coupe = Some(Coupe::Resume("data"));
        assert!(juste(&requete, &entiere));
    }
}
