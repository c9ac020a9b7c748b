//! Capacity records of a place: installed, closed, available, supplementary,
//! and a forecast. Available never exceeds installed minus closed.

use serde_json::Value;

use crate::dates::{AUJOURD_HUI, instant};
use crate::fhir::{extension_complexe, sous, sous_code};
use crate::nos::{R329, R330, R331, R332, R333, R334, R335, R336, R337};
use crate::prng::Prng;

/// One capacity record; an empty code is an absent attribute.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capacite {
    /// statutCapacite (R330).
    pub statut: &'static str,
    /// temporaliteCapacite (R331).
    pub temporalite: &'static str,
    /// nombreCapacite.
    pub nombre: u64,
    /// genreCapaciteDispo (R332).
    pub genre: &'static str,
    /// typeFermetureCapacite (R333).
    pub fermeture: &'static str,
    /// typeLitSupplementaire (R334).
    pub supplement: &'static str,
    /// typeCrise (R336).
    pub crise: &'static str,
}

impl Capacite {
    fn courante(statut: &'static str, nombre: u64) -> Self {
        Self { statut, temporalite: "01", nombre, ..Self::default() }
    }
}

/// Kind of place, as far as capacity is concerned.
pub struct Zone<'a> {
    /// `L` beds, `P` places.
    pub nature: &'a str,
    /// champActivite of its offer.
    pub champ: &'a str,
    /// Installed capacity.
    pub installe: u64,
    /// The reference place of the manifest: fixed figures.
    pub reference: bool,
}

/// Draws the records of a place.
pub fn tirer(zone: &Zone<'_>, prng: &mut Prng) -> Vec<Capacite> {
    let mut resultat = vec![Capacite::courante("01", zone.installe)];
    if zone.reference {
        resultat.push(Capacite { genre: "03", ..Capacite::courante("02", 3) });
        return resultat;
    }
    let mut ouvert = zone.installe;
    if prng.chance(if zone.champ == "04" { 60 } else { 250 }) {
        let ferme = prng.entre(1, (zone.installe / 6).max(1));
        ouvert = zone.installe - ferme.min(zone.installe);
        resultat.push(Capacite {
            fermeture: if prng.chance(700) { "01" } else { "02" },
            ..Capacite::courante("05", zone.installe - ouvert)
        });
    }
    disponibles(zone, ouvert, &mut resultat, prng);
    if zone.champ == "01" && zone.nature == "L" && prng.chance(100) {
        resultat.push(Capacite {
            supplement: "01",
            crise: if prng.chance(500) { "01" } else { "02" },
            ..Capacite::courante("06", prng.entre(1, 4))
        });
    }
    resultat
}

fn disponibles(zone: &Zone<'_>, ouvert: u64, resultat: &mut Vec<Capacite>, prng: &mut Prng) {
    let part = if zone.champ == "04" { 6 } else { 18 };
    let libre = prng.borne(ouvert * part / 100 + 2).min(ouvert);
    if libre >= 2 && prng.chance(400) {
        let femmes = prng.borne(libre + 1);
        let hommes = prng.borne(libre - femmes + 1);
        let autres = libre - femmes - hommes;
        for (genre, nombre) in [("01", femmes), ("02", hommes), ("03", autres)] {
            resultat.push(Capacite { genre, ..Capacite::courante("02", nombre) });
        }
    } else {
        resultat.push(Capacite { genre: "03", ..Capacite::courante("02", libre) });
    }
    if zone.champ == "01" && prng.chance(150) {
        let prevu = (libre + prng.borne(3)).min(ouvert);
        resultat.push(Capacite { temporalite: "03", genre: "03", ..Capacite::courante("02", prevu) });
    }
}

/// The `ror-location-supported-capacity` extensions of a place.
pub fn extensions(zone: &Zone<'_>, records: &[Capacite], prng: &mut Prng) -> Vec<Value> {
    let medico_social = zone.champ == "04";
    let source = if medico_social {
        "01"
    } else if prng.chance(700) {
        "02"
    } else {
        prng.mot(&["01", "03", "04"])
    };
    let anciennete = if medico_social { 15 } else { 2 };
    let jour = AUJOURD_HUI - 1 - prng.borne(anciennete) as i64;
    let date = instant(jour, prng.borne(1440));
    let nature = if zone.nature == "L" { "01" } else { "02" };
    let mut resultat = Vec::with_capacity(records.len());
    for r in records {
        let mut parties = vec![
            sous_code("capacityType", R329, nature),
            sous_code("capacityStatus", R330, r.statut),
            sous_code("temporalityCapacity", R331, r.temporalite),
            sous("nbCapacity", "valueInteger", Value::from(r.nombre)),
            sous_code("capacitySourceType", R335, source),
            sous("capacityUpdateDate", "valueDateTime", Value::from(date.as_str())),
            sous_code("temporaryAssignement", R337, "01"),
        ];
        let facultatifs = [
            ("genderCapacityAvailable", R332, r.genre),
            ("capacityClosingType", R333, r.fermeture),
            ("additionalBedType", R334, r.supplement),
            ("crisisType", R336, r.crise),
        ];
        for (nom, systeme, code) in facultatifs {
            if !code.is_empty() {
                parties.push(sous_code(nom, systeme, code));
            }
        }
        resultat.push(extension_complexe("ror-location-supported-capacity", parties));
    }
    resultat
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somme(records: &[Capacite], statut: &str, temporalite: &str) -> u64 {
        records.iter().filter(|r| r.statut == statut && r.temporalite == temporalite).map(|r| r.nombre).sum()
    }

    #[test]
    fn available_fits_in_what_is_installed_and_not_closed() {
        let mut prng = Prng::nouveau(9, "capacites");
        for tour in 0..3000_u64 {
            let zone = Zone {
                nature: if tour.is_multiple_of(2) { "L" } else { "P" },
                champ: if tour.is_multiple_of(3) { "04" } else { "01" },
                installe: 1 + tour % 90,
                reference: tour.is_multiple_of(50),
            };
            if zone.reference && zone.installe < 3 {
                continue;
            }
            let records = tirer(&zone, &mut prng);
            let ouvert = somme(&records, "01", "01") - somme(&records, "05", "01");
            assert!(somme(&records, "02", "01") <= ouvert);
            assert!(somme(&records, "02", "03") <= ouvert);
            let cle = |r: &Capacite| (r.statut, r.temporalite, r.genre, r.crise);
            for (i, a) in records.iter().enumerate() {
                assert!(records[i + 1..].iter().all(|b| cle(a) != cle(b)));
            }
        }
    }
}
