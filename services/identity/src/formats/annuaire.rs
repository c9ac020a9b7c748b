//! Annuaire Santé FHIR API: search bundles, one JSON document a line (a Bundle or
//! one resource), or bundles spread over lines.
//!
//! The channel covers a part of each record only: an empty field means "not told".
//! [`superposer`] lays a record over what is known, and is the only right way to
//! apply one. Technical ids serve to join resources of the same stream and are
//! never stored: they change with the version of the API.
//!
//! An inactive resource is reduced to its identifiers. An inactive Organization
//! becomes a record that holds its FINESS number and `type_fermeture` `NDI` (closed,
//! neither date nor kind told); an inactive Practitioner one with `actif` false. An
//! inactive PractitionerRole names nobody: it is counted, and the next complete
//! edition closes the activity.

mod documents;
mod fhir;

pub(crate) use fhir::empreinte;
mod lecteur;
mod organisation;
mod professionnel;
mod superposition;
#[cfg(test)]
mod tests;

use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use serde::de::IgnoredAny;

use super::source::{Source, erreur_lecture, sauter_marque};
use super::{ErreurFichier, Lecture, Resume, faute};
use documents::Documents;
use lecteur::Lecteur;

pub use superposition::superposer;

/// Reads a stream, gzip or plain, and hands over each record as it comes: in each
/// document, structures, then persons with their activities. `ligne` is the line,
/// or the ordinal of the resource when documents are spread over lines.
///
/// A person met again, or whose Practitioner is not in the stream, is handed over
/// with `suite`; so is a structure met again in another version.
///
/// # Errors
///
/// When the stream is not readable, empty, or a document spread over lines is not
/// JSON. What came before was handed over.
pub fn lire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let tamponne = BufReader::with_capacity(64 * 1024, source);
    let (texte, _) = sauter_marque(tamponne).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let mut documents = Documents::nouveaux(texte);
    let mut lecteur = Lecteur::nouveau(suite);
    let mut premier = true;
    while let Some(entier) = documents.suivant()? {
        let ligne = documents.ligne();
        let octets = documents.octets().trim_ascii();
        if entier && octets.is_empty() {
            continue;
        }
        if entier && premier && etale(octets) {
            return lecteur.lire_etale(&mut documents);
        }
        premier = false;
        let suite = if entier {
            lecteur.ligne(ligne, octets)
        } else {
            lecteur.refuser(
                ligne,
                vec![faute(
                    "ligne",
                    "ligne-trop-longue",
                    "La ligne dépasse 64 Mio.",
                    "Un Bundle ou une ressource par ligne",
                )],
                String::new(),
            )
        };
        if suite.is_break() {
            return Ok(lecteur.interrompre());
        }
    }
    if premier {
        return Err(ErreurFichier { ligne: 1, octet: 0, message: "Le fichier est vide.".to_owned() });
    }
    Ok(lecteur.finir())
}

/// True when a line is the beginning of a document that goes on below. A cut line
/// does not end where a line of an indented document may.
fn etale(octets: &[u8]) -> bool {
    matches!(octets.last(), Some(b'{' | b'[' | b','))
        && serde_json::from_slice::<IgnoredAny>(octets).is_err_and(|erreur| erreur.is_eof())
}
