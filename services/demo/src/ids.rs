//! Technical identifiers, derived from the business identifiers so that every
//! service that meets the same structure or person finds the same id.

use uuid::Uuid;

/// Name space of the deterministic technical ids.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6f1c0e5a_7d0b_5c55_9a51_3c1f6b6c2e01);

fn v5(sorte: &str, cle: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("{sorte}:{cle}").as_bytes()).to_string()
}

/// Id of a legal entity, from its FINESS number.
pub fn id_ej(finess: &str) -> String {
    v5("ej", finess)
}

/// Id of a geographic entity, from its FINESS number.
pub fn id_eg(finess: &str) -> String {
    v5("eg", finess)
}

/// Id of a professional, from the national identifier (`8` + RPPS).
pub fn id_ps(id_nat_ps: &str) -> String {
    v5("ps", id_nat_ps)
}

/// Id of an internal organisation, from `<region>/<number>`.
pub fn id_oi(identifiant: &str) -> String {
    v5("oi", identifiant)
}

/// Id of an operational offer, from `<region>/<number>`.
pub fn id_offre(identifiant: &str) -> String {
    v5("offre", identifiant)
}

/// Id of a place, from `<region>/<number>`.
pub fn id_lieu(identifiant: &str) -> String {
    v5("lieu", identifiant)
}

/// Id of an operational situation, from `<offer>/<professional>`.
pub fn id_situation(identifiant: &str) -> String {
    v5("situation", identifiant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_kind_and_key() {
        assert_eq!(id_ej("010000024"), id_ej("010000024"));
        assert_ne!(id_ej("010000024"), id_eg("010000024"));
        assert_eq!(id_ps("810990000019").len(), 36);
    }
}
