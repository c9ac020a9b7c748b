//! RPPS text files, `|` between the fields: the three files in free access
//! (`PS_LibreAcces`) and the restricted extract of `Personne_activite`.
//!
//! The lines of a person make one record. They follow each other in practice,
//! which is not promised: a person met again later is handed over a second time
//! with `suite`, to be merged. No line is kept, no value is quoted in a fault.
//!
//! Lines are numbered from 1, the header being 1; a record has the number of its
//! first line. Counts: `colonnes` of the header, `lignes` with something in them,
//! `doublons` (equal to another line of the same person), `personnes`, `reprises`
//! (records handed over with `suite`).

mod colonnes;
mod diplomes;
mod fusion;
mod identifiant;
mod modeles;
mod personne;
mod savoir_faire;
mod table;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::ops::ControlFlow;

use super::{ErreurFichier, Lecture, Resume};
use diplomes::Diplomes;
use personne::Personne;
use savoir_faire::Savoirs;

pub use diplomes::fusionner_formation;
pub use fusion::fusionner;
pub use savoir_faire::{completer_savoir_faire, poser_savoir_faire};

/// Code system of `civilite`.
pub const SYSTEME_CIVILITE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R81-Civilite/FHIR/TRE-R81-Civilite";

/// Reads `PS_LibreAcces_Personne_activite` (52 or 56 columns), gzip or plain: one
/// `Professionnel` a person, continuations being merged by [`fusionner`].
///
/// # Errors
///
/// When the file is not readable or its header lacks a required column. What
/// came before was handed over, except the person whose lines were being read.
pub fn lire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    table::lire::<Personne>(source, &modeles::PERSONNE_ACTIVITE, suite)
}

/// Reads `Extraction_ProSanteConnect_Personne_activite` (49 columns and later
/// ones), gzip or plain, into the same records. The columns about the person
/// (birth, correspondence, family name) are never read.
///
/// # Errors
///
/// As [`lire`].
pub fn lire_restreint(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    table::lire::<Personne>(source, &modeles::RESTREINT, suite)
}

/// Reads `PS_LibreAcces_SavoirFaire`, gzip or plain: one `Professionnel` a person
/// that carries its ids and, by profession, its savoir-faire, to be put on the
/// known one by [`poser_savoir_faire`], then [`completer_savoir_faire`] for a
/// continuation.
///
/// # Errors
///
/// As [`lire`].
pub fn lire_savoir_faire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    table::lire::<Savoirs>(source, &modeles::SAVOIRS, suite)
}

/// Reads `PS_LibreAcces_Dipl_AutExerc`, gzip or plain: one `Formation` a person,
/// continuations being merged by [`fusionner_formation`].
///
/// # Errors
///
/// As [`lire`].
pub fn lire_diplomes(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    table::lire::<Diplomes>(source, &modeles::DIPLOMES, suite)
}
