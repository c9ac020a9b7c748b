//! FINESS+ Structures: legal entities with their sites, one `pmej` element at a
//! time, and the groups they belong to, which come before them.

mod adresse;
mod contact;
mod fermeture;
mod groupe;
mod lecteur;
mod structure;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::ops::ControlFlow;

use super::{ErreurFichier, Lecture, Resume, json};
pub(super) use adresse::plausible;
use lecteur::Structures;

/// Reads a file, gzip or plain, and hands over each structure as it comes: a
/// legal entity, then its sites. Lines are ordinals of `pmej` elements (of `gco`
/// or `gcc` elements for a refused group).
///
/// Counts, refused elements included when they could be reached: `gco`, `gcc`,
/// `pmej`, `ege`, `actifs` and `inactifs` (sites), `adresses` and
/// `adresses-sans-coordonnees` (of sites). Warnings on addresses count every
/// address of sites; the same ending with `-ej` count those of legal entities.
///
/// # Errors
///
/// When the file is not readable, not JSON, truncated, or not of this format.
/// What came before was handed over.
pub fn lire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let mut structures = Structures::nouvelles(suite);
    let etat = json::lire(source, &mut structures)?;
    Ok(etat.resume(structures.comptes()))
}
