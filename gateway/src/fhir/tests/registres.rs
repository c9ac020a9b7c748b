//! What the registries say shows at once: a closed site, a corrected address, a former number.

use ror_proto::offers::v1::{FermetureSite, OffreOperationnelle};
use ror_proto::structures::v1::CorrectionAdresse;
use serde_json::{Value, json};

use super::exemples::{self, code, rendre};
use crate::fhir::canoniques as c;
use crate::fhir::lecture::{Ressource, lire};
use crate::fhir::politique::Faits;

/// Codes of closure and period of an offer rendered with the closure of its site.
fn fermeture(offre: OffreOperationnelle, genre: &str, date: &str) -> (Vec<Value>, Value) {
    let site = FermetureSite {
        structure_id: "eg-1".to_owned(),
        r#type: Some(code(c::TRE_R286, genre)),
        date: date.to_owned(),
    };
    let offre = OffreOperationnelle { fermeture_site: Some(site), ..offre };
    let json = rendre(&Ressource::Offre(offre), 1, Faits::default());
    let codes = json["characteristic"].as_array().expect("characteristics").iter();
    let codes = codes.filter(|k| k["coding"][0]["system"] == c::TRE_R286);
    (codes.map(|k| k["coding"][0]["code"].clone()).collect(), json["notAvailable"][0]["during"].clone())
}

#[test]
fn an_offer_of_a_closed_site_is_closed_whatever_it_says_itself() {
    let ouverte = OffreOperationnelle {
        type_fermeture: None,
        date_fermeture: String::new(),
        date_previsionnelle_reouverture: String::new(),
        ..exemples::offre()
    };
    let debut = json!({"start": "2026-10-01"});
    assert_eq!(fermeture(ouverte.clone(), "DEF", "2026-10-01"), (vec![json!("DEF")], debut.clone()));
    // A kind of closure that offers have no code for: the date alone.
    assert_eq!(fermeture(ouverte, "CHP", "2026-10-01"), (vec![], debut.clone()));
    // Closed for a time by itself, until September.
    let fermee = exemples::offre();
    let retour = json!({"start": "2026-10-01", "end": "2026-09-01"});
    assert_eq!(fermeture(fermee.clone(), "PRO", "2026-10-01"), (vec![json!("PRO")], retour));
    assert_eq!(fermeture(fermee.clone(), "DEF", "2026-10-01"), (vec![json!("DEF")], debut));
    // Closed for good before its site.
    let close = OffreOperationnelle {
        type_fermeture: Some(code(c::TRE_R286, "DEF")),
        date_previsionnelle_reouverture: String::new(),
        ..fermee
    };
    let avant = json!({"start": "2026-07-01"});
    assert_eq!(fermeture(close, "PRO", "2026-10-01"), (vec![json!("DEF")], avant));
}

#[test]
fn a_corrected_address_is_served_and_a_former_number_stays_beside_the_present_one() {
    let mut eg = exemples::eg();
    let mut adresse = eg.adresse.clone().expect("an address");
    adresse.numero_voie = "14".to_owned();
    let correction = CorrectionAdresse {
        adresse: Some(adresse),
        commune_cog: "75113".to_owned(),
        ..CorrectionAdresse::default()
    };
    eg.correction_adresse = Some(correction);
    eg.finess_anterieurs = vec!["750000034".to_owned()];
    let json = rendre(&Ressource::Eg(eg), 1, Faits::default());
    assert_eq!(json["address"][0]["line"], json!(["14 bis rue des « Lilas »"]));
    assert_eq!(json["address"][0]["extension"][0]["valueCoding"]["code"], "75113");
    let ancien = json!({"use": "old", "system": c::SYS_FINESS, "value": "750000034"});
    assert!(json["identifier"].as_array().is_some_and(|i| i.contains(&ancien)));
    // Read back, the former number is left to the registry.
    match lire(&json) {
        Ok(Ressource::Eg(lue)) => assert_eq!(lue.num_finess, "750000026"),
        autre => panic!("{autre:?}"),
    }
}
