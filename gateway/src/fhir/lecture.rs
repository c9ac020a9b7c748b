//! Reading of a resource in the facade's own form, the inverse of the rendering.
//!
//! Every fault is gathered before answering, and nothing is dropped in silence: what the facade
//! does not know is a fault. Cardinality and bindings belong to the owning services, which check
//! them again; here only what cannot be carried is refused.

mod adresse;
mod communs;
mod healthcare_service;
mod location;
mod organization;
mod outils;
mod patch;
mod practitioner;
mod tarif;
mod tranches;

use ror_proto::capacity::v1::CapaciteLieu;
use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::Professionnel;
use ror_proto::offers::v1::{LieuRealisation, OffreOperationnelle, SituationOperationnelle};
use ror_proto::structures::v1::{EntiteGeographique, EntiteJuridique, OrganisationInterne};
use serde_json::Value;

use outils::{Noeud, faute};

pub use patch::{OPERATIONS_MAX, PatchCapacite, lire_patch_capacite};

/// A resource read, as the owning service takes it.
#[expect(clippy::large_enum_variant, reason = "one value at a time, handed over at once")]
#[derive(Clone, Debug, PartialEq)]
pub enum Ressource {
    /// Legal entity.
    Ej(EntiteJuridique),
    /// Site.
    Eg(EntiteGeographique),
    /// Internal organisation.
    Oi(OrganisationInterne),
    /// Offer.
    Offre(OffreOperationnelle),
    /// Place, with its capacity records when it carries some.
    Lieu(LieuRealisation, Option<CapaciteLieu>),
    /// Situation opérationnelle.
    Situation(SituationOperationnelle),
    /// Professional.
    Professionnel(Professionnel),
}

/// Reads one resource.
///
/// # Errors
///
/// Every fault found, with its FHIRPath; never empty.
pub fn lire(ligne: &Value) -> Result<Ressource, Vec<Faute>> {
    let mut fautes = Vec::new();
    let genre = ligne.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    let ressource = match Noeud::racine(genre, ligne, &mut fautes) {
        None => None,
        Some(noeud) => lire_genre(genre, &noeud, &mut fautes),
    };
    match ressource {
        Some(ressource) if fautes.is_empty() => Ok(ressource),
        _ if fautes.is_empty() => Err(vec![genre_inconnu(genre)]),
        _ => Err(fautes),
    }
}

fn lire_genre(genre: &str, noeud: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<Ressource> {
    let ressource = match genre {
        "Organization" => organization::lire(noeud, f),
        "HealthcareService" => Ressource::Offre(healthcare_service::lire(noeud, f)),
        "Location" => {
            let (lieu, capacite) = location::lire(noeud, f);
            Ressource::Lieu(lieu, capacite)
        }
        "Practitioner" => Ressource::Professionnel(practitioner::lire(noeud, f)),
        "PractitionerRole" => Ressource::Situation(practitioner::lire_role(noeud, f)),
        _ => {
            f.push(genre_inconnu(genre));
            return None;
        }
    };
    Some(ressource)
}

fn genre_inconnu(genre: &str) -> Faute {
    let message = if genre.is_empty() {
        "Le type de la ressource est absent ou illisible.".to_owned()
    } else {
        format!("La ressource « {genre} » ne peut pas être écrite ici.")
    };
    let attendu = "Organization, HealthcareService, Location, Practitioner ou PractitionerRole";
    faute("resourceType", "type-ressource", message, attendu)
}
