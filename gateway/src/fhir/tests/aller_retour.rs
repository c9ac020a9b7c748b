use serde_json::{Value, json};

use super::exemples::{self, code, rendre, tous};
use crate::fhir::canoniques as c;
use crate::fhir::lecture::{Ressource, lire};
use crate::fhir::politique::Faits;
use crate::fhir::temps::lire_instant;

#[test]
fn every_kind_comes_back_as_it_was() {
    for ressource in tous() {
        let json = rendre(&ressource, 1, Faits::default());
        let lue = lire(&json).unwrap_or_else(|fautes| panic!("{fautes:#?}\n{json:#}"));
        assert_eq!(lue, ressource);
    }
}

#[test]
fn meta_carries_version_dates_profile_and_region() {
    let mut ej = exemples::ej();
    if let Some(meta) = &mut ej.meta {
        meta.version = 7;
        meta.date_maj = lire_instant("2026-03-16T09:05:06Z");
    }
    let json = rendre(&Ressource::Ej(ej), 1, Faits::default());
    assert_eq!(json["meta"]["versionId"], "7");
    assert_eq!(json["meta"]["lastUpdated"], "2026-03-16T09:05:06.000Z");
    assert_eq!(json["meta"]["profile"][0], c::PROFIL_ORGANIZATION);
    let tag = json!({"system": c::TRE_R30, "code": "11", "display": "Île-de-France"});
    assert_eq!(json["meta"]["tag"], json!([tag]));
    assert_eq!(json["extension"][0]["valueDateTime"], "2023-06-30T08:00:00.250Z");
}

#[test]
fn the_address_line_is_readable_and_carries_its_parts() {
    let json = rendre(&Ressource::Ej(exemples::ej()), 1, Faits::default());
    assert_eq!(json["address"][0]["line"], json!(["12 bis rue des « Lilas »"]));
    assert_eq!(json["address"][0]["_line"][0]["extension"][0]["url"], c::EXT_ADXP_HOUSE_NUMBER);
    assert_eq!(json["address"][0]["extension"][0]["valueCoding"]["code"], "75112");
    assert_eq!(json["_name"]["extension"][0]["valueString"], "Groupe Est");
    assert_eq!(json["identifier"][0]["type"]["coding"][0]["code"], "40");
}

#[test]
fn an_offer_has_its_slices() {
    let json = rendre(&Ressource::Offre(exemples::offre()), 1, Faits::default());
    assert_eq!(json["identifier"][0]["value"], "11/666");
    assert!(json["identifier"][0].get("system").is_none());
    assert_eq!(json["providedBy"]["reference"], "Organization/oi-1");
    assert_eq!(json["location"][1]["reference"], "Location/lieu-2");
    assert_eq!(json["notAvailable"][0]["id"], "closingReopeningDate");
    assert_eq!(json["notAvailable"][0]["during"]["end"], "2026-09-01");
    let acte = &json["characteristic"][4];
    assert_eq!(acte["extension"][0]["valueCode"], "specificAct");
    let horaire = &json["availableTime"][0];
    assert_eq!(horaire["extension"][2]["valueInteger"], 1);
    assert_eq!(horaire["availableStartTime"], "08:30:00");
}

#[test]
fn tolerances_of_the_published_requests_hold() {
    let mut json = rendre(&Ressource::Ej(exemples::ej()), 1, Faits::default());
    json["identifier"][2]["system"] = Value::from("http://sirene.fr");
    assert_eq!(lire(&json).ok(), Some(Ressource::Ej(exemples::ej())));

    let mut json = rendre(&Ressource::Offre(exemples::offre()), 1, Faits::default());
    let texte = json.to_string().replace(c::TRE_R247, "https://unitsofmeasure.org");
    json = serde_json::from_str(&texte).expect("still JSON");
    assert_eq!(lire(&json).ok(), Some(Ressource::Offre(exemples::offre())));
    let texte = texte.replace(c::TRE_R13, c::TRE_R13_COMMUNE);
    json = serde_json::from_str(&texte).expect("still JSON");
    assert_eq!(lire(&json).ok(), Some(Ressource::Offre(exemples::offre())));
}

#[test]
fn the_kind_of_a_structure_is_told_by_its_slices() {
    let genre = |json: Value| match lire(&json) {
        Ok(Ressource::Ej(_)) => "EJ",
        Ok(Ressource::Eg(_)) => "EG",
        Ok(Ressource::Oi(_)) => "OI",
        _ => "faute",
    };
    let base = json!({"resourceType": "Organization", "name": "x"});
    let mut eg = base.clone();
    eg["partOf"] = json!({"reference": "Organization/ej-1"});
    let mut oi = eg.clone();
    oi["type"] = json!([{"coding": [{"system": c::TRE_R207, "code": "1"}]}]);
    let mut ej_avec_parent = eg.clone();
    ej_avec_parent["type"] = json!([{"coding": [{"system": c::TRE_R72, "code": "13"}]}]);
    assert_eq!([genre(base), genre(eg), genre(oi)], ["EJ", "EG", "OI"]);
    assert_eq!(genre(ej_avec_parent), "faute");
}

#[test]
fn a_derived_savoir_faire_type_is_not_kept() {
    let json = rendre(&Ressource::Situation(exemples::situation()), 1, Faits::default());
    assert_eq!(json["specialty"][0]["coding"][0]["code"], "S");
    let mut situation = exemples::situation();
    situation.savoir_faire = vec![code(c::TRE_R04, "FQ")];
    let explicite = Ressource::Situation(situation);
    let lue = lire(&rendre(&explicite, 1, Faits::default()));
    assert_eq!(lue.ok(), Some(explicite));
}
