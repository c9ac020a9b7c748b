use serde_json::Value;

use super::exemples::{capacite, eg, lieu, offre, rendre, situation};
use crate::fhir::canoniques as c;
use crate::fhir::lecture::Ressource;
use crate::fhir::politique::Faits;

/// How often an extension url occurs in a rendering.
fn nombre(json: &Value, url: &str) -> usize {
    json.to_string().matches(&format!("\"{url}\"")).count()
}

#[test]
fn profile_0_sees_public_contacts_and_public_telecoms_only() {
    let json = rendre(&Ressource::Eg(eg()), 0, Faits::default());
    assert_eq!(json["contact"].as_array().map(Vec::len), Some(1));
    assert_eq!(json["contact"][0]["telecom"].as_array().map(Vec::len), Some(1));
    assert_eq!(nombre(&json, c::EXT_ORG_ORSAN) + nombre(&json, c::EXT_ORG_ZONE_POSER), 0);
    assert_eq!(nombre(&json, c::EXT_ORG_TARIF), 1);

    let json = rendre(&Ressource::Offre(offre()), 0, Faits::default());
    assert_eq!(nombre(&json, c::EXT_OFFRE_CONTACT), 1);
    assert_eq!(nombre(&json, c::EXT_OFFRE_CONTACT_TELECOM), 1);
    for fine in [c::TRE_R210, c::TRE_R245, c::TRE_G15, c::TRE_R243, c::EXT_ACTE_TYPE] {
        assert_eq!(nombre(&json, fine), 0, "{fine}");
    }
    assert_eq!(nombre(&json, c::TRE_R253), 1);
}

#[test]
fn a_place_is_cut_by_profile() {
    let place = Ressource::Lieu(lieu(), Some(capacite()));
    let vu = |profil: u8, faits: Faits| {
        let json = rendre(&place, profil, faits);
        let telecoms = json["telecom"].as_array().map_or(0, Vec::len);
        (telecoms, nombre(&json, c::EXT_EQUIPEMENT), nombre(&json, c::EXT_CAPACITE))
    };
    let ms = Faits { ms: true, ..Faits::default() };
    let partage = Faits { sensible_partage: true, ..Faits::default() };
    assert_eq!(vu(0, Faits::default()), (1, 0, 0));
    assert_eq!(vu(1, Faits::default()), (2, 1, 3));
    assert_eq!(vu(2, Faits::default()), (2, 1, 2));
    assert_eq!(vu(2, partage), (2, 1, 0));
    assert_eq!(vu(3, Faits::default()), (1, 0, 0));
    assert_eq!(vu(3, ms), (2, 1, 2));
    assert_eq!(vu(4, partage), (1, 1, 3));
    assert_eq!(vu(5, Faits::default()), (2, 1, 1));
}

#[test]
fn profile_4_sees_no_contact() {
    let json = rendre(&Ressource::Eg(eg()), 4, Faits::default());
    assert!(json.get("contact").is_none());
    assert_eq!(nombre(&json, c::EXT_ORG_ORSAN), 1);
    let json = rendre(&Ressource::Offre(offre()), 4, Faits::default());
    assert_eq!(nombre(&json, c::EXT_OFFRE_CONTACT), 0);
    let json = rendre(&Ressource::Situation(situation()), 4, Faits::default());
    assert!(json.get("telecom").is_none());
}
