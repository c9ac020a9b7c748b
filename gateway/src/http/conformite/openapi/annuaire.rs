//! Reads and searches of the five types.

use serde_json::{Map, Value, json};

use super::{composants, parametre, reponse, reponses, ror, ror_libres, tete};
use crate::{http::DIFFUSION, modele::TypeFhir};

/// Refusals of a read.
const LECTURE: [u16; 8] = [400, 401, 403, 404, 406, 429, 503, 504];
/// Refusals of a search.
const RECHERCHE: [u16; 9] = [400, 401, 403, 406, 410, 422, 429, 503, 504];

pub fn chemins(chemins: &mut Map<String, Value>) {
    for t in TypeFhir::TOUS {
        let (nom, bonnes) = (t.nom(), json!({ "200": reponse("Bundle"), "304": reponse("Inchange") }));
        let base = format!("{DIFFUSION}/{nom}");
        let get = json!({
            "operationId": format!("chercher-{nom}"),
            "tags": [etiquette(t)],
            "summary": format!("Chercher des {nom}"),
            "description": exemple(t),
            "responses": reponses(bonnes, &RECHERCHE),
        });
        let mut communs = ror();
        communs.extend(["Prefer", "If-None-Match", "_moment"].map(parametre));
        communs.extend(composants::criteres(t));
        let tete_ = tete(&get, "Compter et dater sans le corps");
        chemins.insert(base.clone(), json!({ "parameters": communs, "get": get, "head": tete_ }));

        let mut entetes = ror_libres();
        entetes.push(parametre("Prefer"));
        let refus: Vec<u16> = RECHERCHE.into_iter().chain([413, 415]).collect();
        chemins.insert(format!("{base}/_search"), json!({ "post": {
            "operationId": format!("chercher-{nom}-post"),
            "tags": [etiquette(t)],
            "summary": format!("Chercher des {nom} par POST"),
            "description": "Les mêmes critères dans un formulaire : pour une requête longue, ou qui ne doit pas rester dans une adresse.",
            "parameters": entetes,
            "requestBody": { "content": { "application/x-www-form-urlencoded": {
                "schema": { "$ref": format!("#/components/schemas/Criteres.{nom}") }, "example": { "_count": 20 } } } },
            "responses": reponses(json!({ "200": reponse("Bundle") }), &refus),
        } }));

        let lire = json!({
            "operationId": format!("lire-{nom}"),
            "tags": [etiquette(t)],
            "summary": format!("Lire un {nom}"),
            "responses": reponses(json!({ "200": reponse("Ressource"), "304": reponse("Inchange") }), &LECTURE),
        });
        let mut communs = vec![parametre("id")];
        communs.extend(ror());
        communs.extend(["If-None-Match", "_format", "_summary", "_elements"].map(parametre));
        let tete_ = tete(&lire, "Dater sans le corps");
        chemins
            .insert(format!("{base}/{{id}}"), json!({ "parameters": communs, "get": lire, "head": tete_ }));
    }
}

/// Tag of a type.
pub fn etiquette(t: TypeFhir) -> &'static str {
    match t {
        TypeFhir::Organization => "Structures",
        TypeFhir::HealthcareService => "Offres",
        TypeFhir::Location => "Lieux",
        TypeFhir::Practitioner => "Professionnels",
        TypeFhir::PractitionerRole => "Situations",
    }
}

/// Requests of the published scenarios.
fn exemple(t: TypeFhir) -> &'static str {
    match t {
        TypeFhir::Organization => {
            "Un établissement par n'importe lequel de ses identifiants : `identifier=1910800002`. Sa hiérarchie : `_include:iterate=Organization:partof`."
        }
        TypeFhir::HealthcareService => {
            "Une activité autour d'une commune, avec un lit libre pour une femme, et les lieux joints :\n\n`specialty=017&location.near-insee-code=44162|15|km&location.capacity-status=02&location.gender-capacity-available=01&location.nb-capacity=gt0&_include=HealthcareService:location`\n\nLes offres d'un établissement et de tout ce qu'il contient : `organization.identifier:above=1910800002`."
        }
        TypeFhir::Location => {
            "Les lits d'une région et leurs offres : `_tag=52&_revinclude=HealthcareService:location`. Ce qui a bougé : `_lastUpdated=ge2026-01-01T00:00`."
        }
        TypeFhir::Practitioner => "Un professionnel par son numéro : `identifier=810000000001`.",
        TypeFhir::PractitionerRole => {
            "Les infirmiers d'une offre : `role=60&service=HealthcareService/8d4c1f0e-1111-5222-8333-444455556666&_include=PractitionerRole:practitioner`."
        }
    }
}
