//! The ValueSet that `$expand` answers.

use super::ressources::{composition, copyright, entete, libelles};
use crate::{
    fhir::json::{self, Objet},
    terminologie::{Edition, Jour, regard::Regard},
};

/// A parameter told again in the expansion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Echo {
    /// String.
    Texte(String),
    /// Uri.
    Uri(String),
    /// Integer.
    Entier(usize),
    /// Boolean.
    Booleen(bool),
    /// dateTime.
    Date(String),
}

/// An expansion, or one page of it.
pub struct Expansion<'a> {
    /// What was expanded.
    pub edition: &'a Edition,
    /// With its code systems.
    pub regard: &'a Regard<'a>,
    /// The canonical asked.
    pub url: &'a str,
    /// Whether it is the whole of a code system.
    pub entier: bool,
    /// Uri of the expansion, the same for its every page.
    pub identifiant: String,
    /// Now, RFC 3339.
    pub instant: String,
    /// Day asked about.
    pub jour: Jour,
    /// Members in all.
    pub total: usize,
    /// First member, when pages were asked.
    pub offset: Option<usize>,
    /// Ranks of the members of this page.
    pub rangs: Vec<u32>,
    /// Parameters used.
    pub parametres: Vec<(&'static str, Echo)>,
    /// With the designations.
    pub designations: bool,
    /// With the definition of the value set.
    pub definition: bool,
}

impl Expansion<'_> {
    /// Writes the resource.
    pub fn ecrire(&self) -> Vec<u8> {
        let mut sortie = Vec::with_capacity(2048 + 192 * self.rangs.len());
        json::document(&mut sortie, |o| {
            o.texte("resourceType", "ValueSet");
            entete(o, self.edition, self.url);
            o.texte("copyright", &copyright(self.edition));
            if self.definition {
                composition(o, self.edition, self.entier);
            }
            o.objet("expansion", |o| self.expansion(o));
        });
        sortie
    }

    fn expansion(&self, o: &mut Objet<'_>) {
        o.texte("identifier", &self.identifiant);
        o.texte("timestamp", &self.instant);
        o.entier("total", entier(self.total));
        if let Some(offset) = self.offset {
            o.entier("offset", entier(offset));
        }
        o.tableau("parameter", |t| {
            for (nom, echo) in &self.parametres {
                t.objet(|o| {
                    o.texte("name", nom);
                    match echo {
                        Echo::Texte(v) => o.texte("valueString", v),
                        Echo::Uri(v) => o.texte("valueUri", v),
                        Echo::Entier(n) => o.entier("valueInteger", entier(*n)),
                        Echo::Booleen(b) => o.booleen("valueBoolean", *b),
                        Echo::Date(v) => o.texte("valueDateTime", v),
                    }
                });
            }
        });
        o.tableau("contains", |t| {
            for rang in &self.rangs {
                let c = self.regard.lire(*rang);
                t.objet(|o| {
                    o.texte("system", c.systeme);
                    if !c.vie.utilisable(self.jour) {
                        o.booleen("inactive", true);
                    }
                    o.texte("code", c.code);
                    o.texte("display", c.libelle);
                    if self.designations {
                        libelles(o, &c);
                    }
                });
            }
        });
    }
}

fn entier(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
