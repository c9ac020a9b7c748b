//! Tolerant view of a JSON object that knows its path and notes what it meets.

use std::collections::BTreeMap;

use ror_domaine::identifiants::Finess;
use ror_proto::common::v1::Faute;
use serde_json::{Map, Value};

use super::super::faute;

static ABSENT: Value = Value::Null;

/// Faults of the element being read, warnings and repairs of the whole file.
#[derive(Debug, Default)]
pub(in crate::formats) struct Carnet {
    constats: BTreeMap<&'static str, u64>,
    fautes: Vec<Faute>,
}

impl Carnet {
    /// Counts a warning or a repair.
    pub(in crate::formats) fn constater(&mut self, regle: &'static str) {
        *self.constats.entry(regle).or_default() += 1;
    }

    /// Adds a fault to the element being read.
    pub(in crate::formats) fn ajouter_faute(&mut self, faute: Faute) {
        self.fautes.push(faute);
    }

    /// True when the element being read has faults.
    pub(in crate::formats) fn a_des_fautes(&self) -> bool {
        !self.fautes.is_empty()
    }

    /// Takes the faults of the element that was read.
    pub(in crate::formats) fn prendre_fautes(&mut self) -> Vec<Faute> {
        std::mem::take(&mut self.fautes)
    }

    /// The warnings and repairs.
    pub(in crate::formats) fn constats(self) -> BTreeMap<&'static str, u64> {
        self.constats
    }

    fn forme(&mut self, chemin: &str, attendu: &str) {
        self.ajouter_faute(faute(
            chemin,
            "forme-inattendue",
            "L'élément n'a pas la forme attendue.",
            attendu,
        ));
    }
}

/// A JSON object, or nothing when it is absent or null.
pub(in crate::formats) struct Vue<'v> {
    objet: Option<&'v Map<String, Value>>,
    chemin: String,
}

impl<'v> Vue<'v> {
    /// Looks at a value that must be an object or null; counts unknown keys.
    fn nouvelle(valeur: &'v Value, chemin: &str, cles: &[&str], carnet: &mut Carnet) -> Self {
        let objet = match valeur {
            Value::Object(objet) => {
                for cle in objet.keys() {
                    if !cles.contains(&cle.as_str()) {
                        carnet.constater("cle-inconnue");
                    }
                }
                Some(objet)
            }
            Value::Null => None,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                carnet.forme(chemin, "un objet");
                None
            }
        };
        Self { objet, chemin: chemin.to_owned() }
    }

    /// The same, for an element that may not be null.
    pub(in crate::formats) fn requise(
        valeur: &'v Value,
        chemin: &str,
        cles: &[&str],
        carnet: &mut Carnet,
    ) -> Self {
        if valeur.is_null() {
            carnet.ajouter_faute(faute(chemin, "forme-inattendue", "L'élément est vide.", "un objet"));
        }
        Self::nouvelle(valeur, chemin, cles, carnet)
    }

    /// Path of one of its keys.
    pub(in crate::formats) fn chemin(&self, cle: &str) -> String {
        format!("{}.{cle}", self.chemin)
    }

    fn valeur(&self, cle: &str) -> Option<&'v Value> {
        self.objet.and_then(|objet| objet.get(cle))
    }

    /// A text exactly as it is, empty when absent.
    pub(in crate::formats) fn texte_brut(&self, cle: &str, carnet: &mut Carnet) -> String {
        match self.valeur(cle) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(texte)) => texte.clone(),
            Some(scalaire @ (Value::Number(_) | Value::Bool(_))) => {
                carnet.constater("scalaire-non-textuel");
                scalaire.to_string()
            }
            Some(Value::Array(_) | Value::Object(_)) => {
                carnet.forme(&self.chemin(cle), "un texte");
                String::new()
            }
        }
    }

    /// A text without the spaces around it, empty when absent.
    pub(in crate::formats) fn texte(&self, cle: &str, carnet: &mut Carnet) -> String {
        let brut = self.texte_brut(cle, carnet);
        let texte = brut.trim();
        if texte.len() == brut.len() {
            return brut;
        }
        carnet.constater("texte-rembourre");
        texte.to_owned()
    }

    /// A text that may also be the first of a list.
    pub(in crate::formats) fn premier_texte(&self, cle: &str, carnet: &mut Carnet) -> String {
        match self.valeur(cle) {
            Some(Value::Array(liste)) => match liste.first() {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(texte)) => texte.trim().to_owned(),
                Some(_) => {
                    carnet.forme(&self.chemin(cle), "une liste de textes");
                    String::new()
                }
            },
            _ => self.texte(cle, carnet),
        }
    }

    /// A FINESS number. A wrong form is a fault; a wrong key is counted and kept.
    pub(in crate::formats) fn finess(&self, cle: &str, carnet: &mut Carnet) -> String {
        let brut = self.texte(cle, carnet);
        match Finess::lire_delivre(&brut) {
            Ok((lu, avertissement)) => {
                if avertissement.is_some() {
                    carnet.constater("finess-cle-invalide");
                }
                lu.to_string()
            }
            Err(invalide) => {
                carnet.ajouter_faute(faute(
                    &self.chemin(cle),
                    invalide.regle,
                    &invalide.message,
                    invalide.attendu,
                ));
                String::new()
            }
        }
    }

    /// An object it holds.
    pub(in crate::formats) fn sous(&self, cle: &str, cles: &[&str], carnet: &mut Carnet) -> Vue<'v> {
        Vue::nouvelle(self.valeur(cle).unwrap_or(&ABSENT), &self.chemin(cle), cles, carnet)
    }

    /// A list it holds, empty when absent or null.
    pub(in crate::formats) fn liste(&self, cle: &str, carnet: &mut Carnet) -> &'v [Value] {
        match self.valeur(cle) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(liste)) => liste,
            Some(_) => {
                carnet.forme(&self.chemin(cle), "une liste");
                &[]
            }
        }
    }

    /// The objects of a list it holds.
    pub(in crate::formats) fn vues(&self, cle: &str, cles: &[&str], carnet: &mut Carnet) -> Vec<Vue<'v>> {
        let chemin = self.chemin(cle);
        self.liste(cle, carnet)
            .iter()
            .enumerate()
            .map(|(rang, valeur)| Vue::nouvelle(valeur, &format!("{chemin}[{}]", rang + 1), cles, carnet))
            .collect()
    }

    /// A date as AAAA-MM-JJ, empty when absent, unknown (1900-01-01) or malformed.
    pub(in crate::formats) fn date(&self, cle: &str, carnet: &mut Carnet) -> String {
        let texte = self.texte(cle, carnet);
        if texte.is_empty() {
            return texte;
        }
        match texte.get(..10) {
            Some("1900-01-01") => {
                carnet.constater("date-inconnue");
                String::new()
            }
            Some(jour) if est_date(jour) => jour.to_owned(),
            _ => {
                carnet.constater("date-invalide");
                String::new()
            }
        }
    }

    /// An instant `AAAA-MM-JJ hh:mm:ss`, given back with a `T`; a date alone stays
    /// a date.
    pub(in crate::formats) fn instant(&self, cle: &str, carnet: &mut Carnet) -> String {
        let jour = self.date(cle, carnet);
        if jour.is_empty() {
            return jour;
        }
        let brut = self.valeur(cle).and_then(Value::as_str).unwrap_or_default();
        match brut.trim().split_once([' ', 'T']) {
            Some((_, heure)) if est_heure(heure) => format!("{jour}T{heure}"),
            _ => jour,
        }
    }
}

/// Compares with a pattern where `9` stands for a digit.
fn suit(texte: &str, patron: &str) -> bool {
    texte.len() == patron.len()
        && texte
            .bytes()
            .zip(patron.bytes())
            .all(|(octet, modele)| if modele == b'9' { octet.is_ascii_digit() } else { octet == modele })
}

fn nombre(texte: &str, debut: usize) -> u32 {
    texte.get(debut..debut + 2).and_then(|morceau| morceau.parse().ok()).unwrap_or(u32::MAX)
}

/// True for AAAA-MM-JJ.
pub(super) fn est_date(texte: &str) -> bool {
    suit(texte, "9999-99-99") && (1..=12).contains(&nombre(texte, 5)) && (1..=31).contains(&nombre(texte, 8))
}

fn est_heure(texte: &str) -> bool {
    suit(texte, "99:99:99") && nombre(texte, 0) < 24 && nombre(texte, 3) < 60 && nombre(texte, 6) < 60
}
