//! Technical identifiers, derived from the business identifiers so that every
//! service that meets the same structure or person finds the same id.

use ror_domaine::ressource::id_deterministe;

pub use ror_domaine::identifiants::{id_eg, id_ej, id_ps};

/// Id of an internal organisation, from `<region>/<number>`.
pub fn id_oi(identifiant: &str) -> String {
    id_deterministe("oi", identifiant)
}

/// Id of an operational offer, from `<region>/<number>`.
pub fn id_offre(identifiant: &str) -> String {
    id_deterministe("offre", identifiant)
}

/// Id of a place, from `<region>/<number>`.
pub fn id_lieu(identifiant: &str) -> String {
    id_deterministe("lieu", identifiant)
}

/// Id of a situation, from its identifier.
pub fn id_situation(identifiant: &str) -> String {
    id_deterministe("situation", identifiant)
}
