//! Codings already written: most of the bytes of a resource are codes with their labels, the same
//! ones in one resource after another.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use ror_domaine::vocabulaire::Tables;

use crate::fhir::rendu::codage;

/// Codes of a system beyond which its codings are written as they come: a resource has one
/// commune, and there are tens of thousands.
const PETIT: usize = 5_000;

/// The members of every Coding of the small systems of the nomenclatures, found by system and code.
#[derive(Default)]
pub struct Codages {
    textes: Vec<u8>,
    /// From where to where in the texts.
    places: HashTable<(u32, u32)>,
}

impl Codages {
    /// Those of the tables at one moment.
    pub fn de(tables: &Tables) -> Self {
        let mut tous = Self::default();
        let petits = tables.systemes().filter(|s| tables.concepts(s).nth(PETIT).is_none());
        for systeme in petits {
            for (code, concept) in tables.concepts(systeme) {
                tous.poser(systeme, code, concept.libelle);
            }
        }
        tous.textes.shrink_to_fit();
        tous
    }

    fn poser(&mut self, systeme: &str, code: &str, libelle: &str) {
        // The first of equal codes is the one the tables find.
        if self.lire(systeme, code).is_some() {
            return;
        }
        let debut = self.textes.len();
        codage(systeme, code, libelle, &mut self.textes);
        // More than four gigabytes of labels are left to be written as they come.
        if let (Ok(debut), Ok(fin)) = (u32::try_from(debut), u32::try_from(self.textes.len())) {
            let textes = &self.textes;
            let hache = |(d, f): &(u32, u32)| {
                let lus = textes.get(*d as usize..*f as usize).and_then(cle);
                lus.map_or(0, |(systeme, code)| empreinte(systeme, code))
            };
            let h = empreinte(systeme.as_bytes(), code.as_bytes());
            self.places.insert_unique(h, (debut, fin), hache);
        }
    }

    /// The members of a Coding; none when they are to be written.
    pub fn lire(&self, systeme: &str, code: &str) -> Option<&[u8]> {
        let voulus = (systeme.as_bytes(), code.as_bytes());
        let texte = |(d, f): &(u32, u32)| self.textes.get(*d as usize..*f as usize);
        let est = |p: &(u32, u32)| texte(p).is_some_and(|t| commence(t, voulus));
        self.places.find(empreinte(voulus.0, voulus.1), est).and_then(texte)
    }
}

fn empreinte(systeme: &[u8], code: &[u8]) -> u64 {
    FixedState::default().hash_one((systeme, code))
}

const SYSTEME: &[u8] = b"\"system\":\"";
const CODE: &[u8] = b"\",\"code\":\"";

/// Whether these are the members of that code; never when one of the two needs escapes.
fn commence(membres: &[u8], (systeme, code): (&[u8], &[u8])) -> bool {
    let reste = membres.strip_prefix(SYSTEME).and_then(|r| r.strip_prefix(systeme));
    let reste = reste.and_then(|r| r.strip_prefix(CODE)).and_then(|r| r.strip_prefix(code));
    reste.is_some_and(|r| r.first() == Some(&b'"'))
}

/// System and code of members, as written.
fn cle(membres: &[u8]) -> Option<(&[u8], &[u8])> {
    let fin = |t: &[u8]| t.iter().position(|o| *o == b'"');
    let reste = membres.strip_prefix(SYSTEME)?;
    let (systeme, reste) = reste.split_at_checked(fin(reste)?)?;
    let reste = reste.strip_prefix(CODE)?;
    Some((systeme, reste.get(..fin(reste)?)?))
}

#[cfg(test)]
mod tests {
    use ror_domaine::vocabulaire::Tables;
    use ror_proto::nomenclatures::v1::{Concept, EtatEdition, Nomenclature, Sorte};

    use super::{Codages, PETIT};

    fn nomenclature(canonique: &str, codes: &[(&str, &str)]) -> Nomenclature {
        let concepts = codes
            .iter()
            .map(|(code, libelle)| Concept {
                code: (*code).to_owned(),
                libelle: (*libelle).to_owned(),
                ..Concept::default()
            })
            .collect();
        Nomenclature {
            canonique: canonique.to_owned(),
            version: "20260101000000".to_owned(),
            sorte: Sorte::Tre.into(),
            etat: EtatEdition::Publiee.into(),
            concepts,
            ..Nomenclature::default()
        }
    }

    #[test]
    fn codings_are_those_of_the_tables_and_no_others() {
        let mut tables = Tables::default();
        tables.poser(&nomenclature("urn:a", &[("01", "Un « \"mot\" »"), ("1", "Autre"), ("vide", "")]));
        tables.poser(&nomenclature("urn:a0", &[("1", "D'un autre système")]));
        tables.poser(&nomenclature("urn:\"b", &[("1", "Échappé")]));
        let nombreux: Vec<String> = (0..=PETIT).map(|i| i.to_string()).collect();
        let nombreux: Vec<(&str, &str)> = nombreux.iter().map(|c| (c.as_str(), "x")).collect();
        tables.poser(&nomenclature("urn:communes", &nombreux));
        let codages = Codages::de(&tables);
        let lu = |s: &str, c: &str| codages.lire(s, c).map(|m| String::from_utf8(m.to_vec()).unwrap());
        assert_eq!(
            lu("urn:a", "01").as_deref(),
            Some(r#""system":"urn:a","code":"01","display":"Un « \"mot\" »""#)
        );
        assert_eq!(lu("urn:a", "1").as_deref(), Some(r#""system":"urn:a","code":"1","display":"Autre""#));
        assert_eq!(lu("urn:a", "vide").as_deref(), Some(r#""system":"urn:a","code":"vide""#));
        assert!(lu("urn:a0", "1").unwrap().contains("autre système"));
        for (systeme, code) in
            [("urn:a", "0"), ("urn:a", ""), ("urn:", "1"), ("urn:\"b", "1"), ("urn:communes", "7"), ("", "")]
        {
            assert_eq!(lu(systeme, code), None, "{systeme} {code}");
        }
    }
}
