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
};

/// GET /metadata, open to all.
pub async fn capacites(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    entetes: HeaderMap,
) -> Response {
    let base = lecture::base(&p, &entetes, connexion.tls);
    let ressources: Vec<Value> = TypeFhir::TOUS.into_iter().map(ressource).collect();
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
