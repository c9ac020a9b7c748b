//! Whether a structure is closed, when and how.
//!
//! `etatObjet` decides; `dateFermeture` gives the date; the latest closing event
//! gives the kind.

use super::super::json::{Carnet, Evenement, dernier};

/// State of a structure.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fermeture {
    /// True when open.
    pub(super) active: bool,
    /// Closing date, also the future one of an announced closure.
    pub(super) date: String,
    /// DEF, PRO, HORS_CHAMP or ERREUR; empty when open.
    pub(super) genre: &'static str,
}

/// Reads the state of a structure. `codes` are the closing events of its kind,
/// `jour` the day of the edition.
pub(super) fn lire_fermeture(
    evenements: &[Evenement<'_>],
    active: bool,
    date: String,
    codes: &[&str],
    jour: &str,
    carnet: &mut Carnet,
) -> Fermeture {
    if active {
        if date.is_empty() {
            return Fermeture { active, ..Fermeture::default() };
        }
        let annoncee = !jour.is_empty() && date.as_str() > jour;
        carnet.constater(if annoncee { "fermeture-annoncee" } else { "etat-et-date-fermeture-divergents" });
        return Fermeture { active, date: if annoncee { date } else { String::new() }, genre: "" };
    }
    if date.is_empty() {
        carnet.constater("etat-et-date-fermeture-divergents");
    }
    let Some(cloture) = dernier(evenements, codes) else {
        carnet.constater("fermeture-sans-evenement");
        return Fermeture { active, date, genre: "DEF" };
    };
    Fermeture {
        active,
        genre: genre(&cloture.code, &cloture.etat, carnet),
        date: if date.is_empty() { cloture.jour.clone().into_owned() } else { date },
    }
}

fn genre(code: &str, etat: &str, carnet: &mut Carnet) -> &'static str {
    match (code, etat) {
        ("002", _) => "HORS_CHAMP",
        ("020", _) => "DEF",
        ("038", _) | (_, "103") => "PRO",
        (_, "102") => "HORS_CHAMP",
        (_, "101") => "ERREUR",
        (_, "" | "100" | "005") => "DEF",
        _ => {
            carnet.constater("type-fermeture-inconnu");
            "DEF"
        }
    }
}
