//! What a loader must find between two editions. Names are those of the contract of
//! `identity` (operations, kinds, fields), in lower case.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One operation to be found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attendu {
    /// creee, modifiee, transferee, fermee, fermee_provisoirement, rouverte, hors_champ,
    /// declaree_par_erreur, disparue.
    pub operation: String,
    /// entite_juridique, entite_geographique, activites_finess, professionnel, formation.
    pub genre: String,
    /// numFINESS or idNat_PS.
    pub cle: String,
    /// Fields changed, the date of the record and its events excepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub champs: Vec<String>,
    /// Former legal entity of a transfer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub de: String,
    /// New one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vers: String,
    /// Day it takes effect, ISO 8601.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub date: String,
    /// DEF, PRO, HORS_CHAMP, ERREUR.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub type_fermeture: String,
    /// Codes of the events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evenements: Vec<String>,
}

impl Attendu {
    /// An operation on a record.
    pub fn nouveau(operation: &str, genre: &str, cle: &str) -> Self {
        Self { operation: operation.into(), genre: genre.into(), cle: cle.into(), ..Self::default() }
    }

    /// With the fields it changes.
    pub fn champs(mut self, champs: &[&str]) -> Self {
        self.champs = champs.iter().map(|c| (*c).to_owned()).collect();
        self
    }

    /// With its date and its events.
    pub fn le(mut self, date: &str, evenements: &[&str]) -> Self {
        self.date = date.to_owned();
        self.evenements = evenements.iter().map(|e| (*e).to_owned()).collect();
        self
    }
}

/// The expected result of loading an edition after the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Oracle {
    /// Seed.
    pub graine: u64,
    /// Scale.
    pub echelle: f64,
    /// Share of the records that change; absent for a day as it is.
    pub taux: Option<f64>,
    /// Edition loaded before.
    pub de: String,
    /// Edition loaded after.
    pub vers: String,
    /// Operations by kind, then by name.
    pub comptes: BTreeMap<String, BTreeMap<String, u64>>,
    /// Differences of bytes that change nothing: lines of a person in another order,
    /// telephones of an activity, ids of events.
    pub sans_effet: BTreeMap<String, u64>,
    /// Every operation.
    pub operations: Vec<Attendu>,
}

impl Oracle {
    /// Adds an operation and counts it.
    pub fn ajouter(&mut self, a: Attendu) {
        let par_genre = self.comptes.entry(a.genre.clone()).or_default();
        *par_genre.entry(a.operation.clone()).or_default() += 1;
        self.operations.push(a);
    }

    /// How many operations of that name on that kind.
    pub fn nombre(&self, genre: &str, operation: &str) -> u64 {
        self.comptes.get(genre).and_then(|c| c.get(operation)).copied().unwrap_or(0)
    }
}
