//! Readers of the registry files: FINESS+ (JSON), the former CSV and XML flows of
//! FINESS, the RPPS texts, the Annuaire Santé. They stream: memory does not grow with
//! the file. [`tous`] is the one door.

pub mod annuaire;
pub mod archive;
mod constats;
pub mod couverture;
pub mod etalab;
mod fiche;
pub mod finess_activites;
pub mod finess_plus;
pub mod finess_xml;
mod json;
mod lignes;
mod projections;
pub mod rpps;
mod source;
pub mod tous;

pub use constats::message_constat;

use std::collections::BTreeMap;

use ror_domaine::identifiants::IdentifiantInvalide;
use ror_proto::{common::v1::Faute, identity::v1::identity::Ressource};

/// One thing read, in the order of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum Lecture {
    /// A canonical record.
    Enregistrement {
        /// Line in a text file, ordinal of the element in a JSON or XML file; from 1.
        ligne: u64,
        /// The record.
        ressource: Box<Ressource>,
        /// True when the same record was delivered before in this file: this is the
        /// rest of it, to be merged with what was.
        suite: bool,
    },
    /// What cannot be read.
    Refus {
        /// As above.
        ligne: u64,
        /// Every fault; `element` is the field or the path inside the file.
        fautes: Vec<Faute>,
        /// Its text, cut at 4 kB; empty for personal data.
        contenu: String,
        /// Technical ids it names, as far as they can be read: a record that cannot be
        /// read is not a record that is gone.
        nommes: Vec<String>,
    },
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// Edition key told by the content (date or timestamp), empty when none.
    pub cle: String,
    /// Version of the schema told by the content, empty when none.
    pub schema: String,
    /// What was met, by name ("lignes", "pmej", "adresses-sans-coordonnees"…).
    pub comptes: BTreeMap<&'static str, u64>,
    /// Warnings and repairs, by rule; their sentences are in [`message_constat`].
    pub constats: BTreeMap<&'static str, u64>,
}

/// A file that cannot be read further. Everything before was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (ligne {ligne}, octet {octet})")]
pub struct ErreurFichier {
    /// Line reached, from 1, after decompression.
    pub ligne: u64,
    /// Bytes read so far, after decompression.
    pub octet: u64,
    /// French sentence.
    pub message: String,
}

/// Bytes of a refused record that are kept.
const CONTENU_MAX: usize = 4096;

fn faute(element: &str, regle: &str, message: &str, attendu: &str) -> Faute {
    Faute {
        element: element.to_owned(),
        regle: regle.to_owned(),
        message: message.to_owned(),
        attendu: attendu.to_owned(),
    }
}

/// A SIREN or SIRET, kept whatever its key; only the filling value is treated as absent.
fn garder_numero<T>(
    brut: String,
    lire: impl Fn(&str) -> Result<(T, Option<IdentifiantInvalide>), IdentifiantInvalide>,
    constater: impl FnOnce(&'static str),
) -> String {
    if brut.is_empty() {
        return brut;
    }
    let invalide = match lire(&brut) {
        Ok((_, None)) => return brut,
        Ok((_, Some(avertissement))) => avertissement,
        Err(invalide) => invalide,
    };
    constater(invalide.regle);
    if invalide.regle == "siret-fictif" { String::new() } else { brut }
}

/// The beginning of a text, cut between two characters.
fn couper(texte: &str) -> String {
    let mut fin = texte.len().min(CONTENU_MAX);
    while !texte.is_char_boundary(fin) {
        fin -= 1;
    }
    texte.get(..fin).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::path::PathBuf;

    /// A file of the folder named by `ROR_ECHANTILLONS` (or of its `samples` or
    /// `real` folder). None, said aloud, when the variable or the file is absent.
    pub(super) fn echantillon(nom: &str) -> Option<std::fs::File> {
        let Some(dossier) = std::env::var_os("ROR_ECHANTILLONS").map(PathBuf::from) else {
            eprintln!("TEST SAUTÉ : ROR_ECHANTILLONS n'est pas défini, {nom} n'est pas vérifié");
            return None;
        };
        let trouve = ["", "samples", "real"]
            .iter()
            .find_map(|sous| std::fs::File::open(dossier.join(sous).join(nom)).ok());
        if trouve.is_none() {
            eprintln!("TEST SAUTÉ : {nom} est absent de {}", dossier.display());
        }
        trouve
    }

    /// Gives at most so many bytes at a time.
    pub(super) struct Morceaux<'a>(pub(super) &'a [u8], pub(super) usize);

    impl Read for Morceaux<'_> {
        fn read(&mut self, tampon: &mut [u8]) -> std::io::Result<usize> {
            let borne = tampon.len().min(self.1);
            self.0.read(&mut tampon[..borne])
        }
    }

    /// A small reproducible generator for the tests.
    pub(super) struct Hasard(pub(super) u64);

    impl Hasard {
        pub(super) fn jusqu_a(&mut self, borne: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let tire = usize::try_from(self.0 >> 33).unwrap();
            tire % borne.max(1)
        }

        pub(super) fn melanger<T>(&mut self, liste: &mut [T]) {
            for rang in (1..liste.len()).rev() {
                liste.swap(rang, self.jusqu_a(rang + 1));
            }
        }
    }

    #[test]
    fn coupe_entre_deux_caracteres() {
        let texte = "é".repeat(super::CONTENU_MAX);
        assert_eq!(super::couper(&texte).len(), super::CONTENU_MAX);
        let decale = format!("a{texte}");
        assert_eq!(super::couper(&decale).len(), super::CONTENU_MAX - 1);
        assert_eq!(super::couper("court"), "court");
    }
}
