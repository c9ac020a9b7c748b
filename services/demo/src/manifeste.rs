//! `manifest.json`: what was generated and a few things that surely exist.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Description of a generated folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifeste {
    /// INSEE code of the region.
    pub region: String,
    /// Seed of the generation.
    pub graine: u64,
    /// Numbers by kind of object (French names).
    pub comptes: BTreeMap<String, u64>,
    /// Numbers by FHIR resource type, registries included.
    pub ressources: BTreeMap<String, u64>,
    /// FINESS number of the reference hospital.
    pub eg_finess: String,
    /// Its technical id.
    pub eg_id: String,
    /// Its idNatStruct.
    pub eg_idnatst: String,
    /// Technical id of an offer of that hospital, with free beds.
    pub offre_id: String,
    /// Identifier of that offer.
    pub offre_identifier: String,
    /// Technical id of the place of that offer.
    pub lieu_id: String,
    /// Identifier of that place (type 25).
    pub lieu_identifier: String,
    /// Synchronisation identifier of that place (type 26).
    pub lieu_id_externe: String,
    /// Installed beds of that place.
    pub lieu_lits_installes: u64,
    /// Free beds of that place, for either sex.
    pub lieu_lits_disponibles: u64,
    /// Code system of the activity of that offer.
    pub activite_system: String,
    /// Code of the activity of that offer.
    pub activite_code: String,
    /// Postal code of that place.
    pub code_postal: String,
    /// Town of that place.
    pub ville: String,
    /// INSEE code of that town.
    pub commune_cog: String,
    /// Technical id of an intensive care offer of the same hospital.
    pub offre_reanimation_id: String,
    /// Technical id of a sensitive offer.
    pub offre_sensible_id: String,
    /// Technical id of an EHPAD offer.
    pub offre_ehpad_id: String,
    /// Technical id of the EHPAD, which has prices.
    pub ehpad_id: String,
    /// Technical id of a town offer with a professional.
    pub offre_ville_id: String,
    /// Technical id of that professional.
    pub professionnel_id: String,
    /// idNat_PS of that professional.
    pub professionnel_idnatps: String,
    /// Technical id of the situation of that professional.
    pub situation_id: String,
}
