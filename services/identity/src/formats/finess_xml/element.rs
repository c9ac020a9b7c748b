//! A record: fields and their texts, bounded.

use quick_xml::escape::escape;

use super::super::couper;
use super::super::fiche::Fiche;

/// Fields of a record; the longest has 49.
const CHAMPS_MAX: usize = 100;
/// Bytes of a field; the longest is below 300.
const VALEUR_MAX: usize = 4096;
/// Faults of a record that are told.
const FAUTES_MAX: usize = 20;

/// Field, rule, message, what would be accepted.
pub(super) type Faute = (String, &'static str, &'static str, &'static str);

/// A record.
#[derive(Debug)]
pub(super) struct Element {
    nom: String,
    champs: Vec<(String, String)>,
    fautes: Vec<Faute>,
}

impl Element {
    /// Without fields.
    pub(super) fn nouveau(nom: String) -> Self {
        Self { nom, champs: Vec::new(), fautes: Vec::new() }
    }

    /// Adds a fault.
    pub(super) fn fauter(
        &mut self,
        champ: &str,
        regle: &'static str,
        message: &'static str,
        attendu: &'static str,
    ) {
        if self.fautes.len() < FAUTES_MAX {
            self.fautes.push((champ.to_owned(), regle, message, attendu));
        }
    }

    /// Adds a field.
    pub(super) fn ajouter(&mut self, champ: String, valeur: String) {
        if self.champs.iter().any(|(connu, _)| *connu == champ) {
            self.fauter(&champ, "champ-en-double", "Le champ est présent deux fois.", "Un seul");
        } else if self.champs.len() < CHAMPS_MAX {
            self.champs.push((champ, valeur));
        } else {
            self.fauter(&champ, "champs-trop-nombreux", "L'enregistrement a trop de champs.", "Au plus 100");
        }
    }

    /// Adds to the text of a field being read.
    pub(super) fn allonger(&mut self, champ: &str, valeur: &mut String, texte: &str) {
        if valeur.len().saturating_add(texte.len()) > VALEUR_MAX {
            self.fauter(champ, "texte-trop-long", "Le champ dépasse 4 096 octets.", "Un texte plus court");
        } else {
            valeur.push_str(texte);
        }
    }

    /// How many fields it has.
    pub(super) fn nombre(&self) -> usize {
        self.champs.len()
    }

    /// Text of a field without the spaces around it, empty when absent.
    pub(super) fn texte(&self, nom: &str) -> &str {
        self.champ(nom).trim()
    }

    /// What is wrong with its form.
    pub(super) fn fautes(&self) -> &[Faute] {
        &self.fautes
    }

    /// Its XML, cut at 4 kB.
    pub(super) fn contenu(&self) -> String {
        let mut xml = format!("<{}>", self.nom);
        for (champ, valeur) in &self.champs {
            xml.push_str(&format!("<{champ}>{}</{champ}>", escape(valeur.as_str())));
        }
        xml.push_str(&format!("</{}>", self.nom));
        couper(&xml)
    }
}

impl Fiche for Element {
    fn champ(&self, nom: &str) -> &str {
        self.champs.iter().find(|(connu, _)| connu == nom).map_or("", |(_, valeur)| valeur.as_str())
    }
}
