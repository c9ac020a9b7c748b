//! CapabilityStatement, made from the table that the engine executes.

use axum::{
    extract::{Extension, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{Connexion, lecture};
use crate::{
    Partage,
    fhir::canoniques as c,
    modele::TypeFhir,
    recherche::parametres::{self, INCLUSIONS},
    terminologie::{Genre, parametres as nos},
};

/// GET /metadata, open to all.
pub async fn capacites(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    entetes: HeaderMap,
) -> Response {
    let base = lecture::base(&p, &entetes, connexion.tls);
    let nomenclatures = Genre::TOUS.into_iter().map(nomenclature);
    let ressources: Vec<Value> = TypeFhir::TOUS.into_iter().map(ressource).chain(nomenclatures).collect();
    let corps = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-21",
        "kind": "instance",
        "software": { "name": "ROR national", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": "ROR national, façade de diffusion", "url": base },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "patchFormat": ["application/fhir+json"],
        "rest": [{
            "mode": "server",
            "documentation": "Les quatre en-têtes Ror-* sont exigés sur les lectures. Un paramètre inconnu est refusé.",
            "security": {
                "cors": false,
                "service": [{ "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "OAuth" }] }],
                "description": "OAuth2 client_credentials ; secret pour le profil 0, certificat client (RFC 8705) pour les autres.",
            },
            "resource": ressources,
        }],
    });
    super::fhir(StatusCode::OK, corps.to_string().into_bytes())
}

fn ressource(t: TypeFhir) -> Value {
    let profil = match t {
        TypeFhir::Organization => c::PROFIL_ORGANIZATION,
        TypeFhir::HealthcareService => c::PROFIL_HEALTHCARE_SERVICE,
        TypeFhir::Location => c::PROFIL_LOCATION,
        TypeFhir::Practitioner => c::PROFIL_PRACTITIONER,
        TypeFhir::PractitionerRole => c::PROFIL_PRACTITIONER_ROLE,
    };
    let mut interactions = vec![json!({ "code": "read" }), json!({ "code": "search-type" })];
    if t == TypeFhir::Location {
        interactions.push(json!({ "code": "patch", "documentation": "Capacités seulement, sous /ws-synchro-dispo-lits-fhir." }));
    }
    let inclus: Vec<String> = INCLUSIONS.iter().map(|(s, n, _)| format!("{}:{n}", s.nom())).collect();
    let inverses: Vec<String> = INCLUSIONS
        .iter()
        .filter(|(_, _, r)| r.cible() == t)
        .map(|(s, n, _)| format!("{}:{n}", s.nom()))
        .collect();
    let mut v = json!({
        "type": t.nom(),
        "profile": profil,
        "supportedProfile": [profil],
        "interaction": interactions,
        "versioning": "versioned",
        "readHistory": false,
        "searchInclude": inclus,
        "searchParam": parametres::de_type(t).map(|p| json!({ "name": p.nom, "type": p.genre, "documentation": p.doc })).collect::<Vec<_>>(),
    });
    if !inverses.is_empty() {
        v["searchRevInclude"] = json!(inverses);
    }
    v
}

fn nomenclature(genre: Genre) -> Value {
    let parametres = nos::de_genre(genre);
    json!({
        "type": genre.nom(),
        "documentation": "Versions publiées. L'identifiant est le dernier segment du canonique pour la version en vigueur, suivi de -- et de la version pour une version nommée, ou un identifiant calculé.",
        "interaction": [{ "code": "read" }, { "code": "search-type" }],
        "versioning": "versioned",
        "readHistory": false,
        "searchParam": parametres.map(|p| json!({ "name": p.nom, "type": p.sorte, "documentation": p.doc })).collect::<Vec<_>>(),
        "operation": nos::operations_de(genre).map(operation).collect::<Vec<_>>(),
    })
}

fn operation(o: &nos::Operation) -> Value {
    let arguments: Vec<&str> = o.arguments.iter().map(|a| a.nom).collect();
    json!({
        "name": o.nom,
        "definition": o.definition,
        "documentation": format!("{} Paramètres : {}.", o.doc, arguments.join(", ")),
    })
}
