//! Readers of the registry files: FINESS+ Structures (JSON) and RPPS free-access
//! text. They stream: memory does not grow with the file.

mod constats;
pub mod finess_plus;
pub mod rpps;
mod source;

pub use constats::message_constat;

use ror_proto::common::v1::Faute;

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
