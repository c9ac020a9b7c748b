//! FINESS+ Structures: one JSON object whose `pmej` array is read element by
//! element, so memory holds one legal entity and its sites at most.

mod adresse;
mod fermeture;
mod racine;
mod structure;
#[cfg(test)]
mod tests;
mod vue;

use std::collections::BTreeMap;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::StructureFiness;

use super::ErreurFichier;
use super::source::{Compteur, Jauge, Source, erreur_lecture, sauter_marque};
use racine::Lecteur;

/// One thing read, in the order of the file: a legal entity, then its sites.
#[expect(clippy::large_enum_variant, reason = "one value at a time, handed over at once")]
#[derive(Debug, Clone, PartialEq)]
pub enum Lecture {
    /// A structure.
    Enregistrement(StructureFiness),
    /// A legal entity with its sites, or one site, that cannot be read.
    Refus {
        /// Ordinal of the `pmej` element, from 1.
        ordinal: u64,
        /// Every fault; `element` is the path inside the file.
        fautes: Vec<Faute>,
        /// Its JSON, cut at 4 kB.
        contenu: String,
    },
}

/// What a file held. Counts include the refused elements that could be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// `schemaVersion`.
    pub schema_version: String,
    /// `generatedAt`.
    pub genere_le: String,
    /// Cooperation groups (GCO).
    pub gco: u64,
    /// Coordination groups (GCC, GHT and others).
    pub gcc: u64,
    /// Legal entities.
    pub pmej: u64,
    /// Sites.
    pub ege: u64,
    /// Active sites.
    pub actifs: u64,
    /// Inactive sites.
    pub inactifs: u64,
    /// Addresses of sites (those of legal entities are not counted).
    pub adresses: u64,
    /// Addresses of sites without coordinates.
    pub adresses_sans_coordonnees: u64,
    /// Elements refused.
    pub refus: u64,
    /// True when the caller stopped the reading.
    pub interrompu: bool,
    /// Warnings and repairs, by rule, with how often they happened. Rules on
    /// addresses count every address of sites; the same ending with `-ej` count
    /// those of legal entities.
    pub constats: BTreeMap<&'static str, u64>,
}

/// Reads a file, gzip or plain, and hands over each record as it comes.
///
/// # Errors
///
/// When the file is not readable, not JSON, truncated, or not of this format.
/// What came before was handed over.
pub fn lire(
    source: impl Read,
    recoit: &mut dyn FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let tamponne = BufReader::with_capacity(64 * 1024, source);
    let (texte, marque) = sauter_marque(tamponne).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let jauge = Jauge::nouvelle(marque);
    let mut json = serde_json::Deserializer::from_reader(Compteur::nouveau(texte, &jauge));
    let mut lecteur = Lecteur::nouveau(recoit, &jauge);
    let lu = lecteur.parcourir(&mut json).and_then(|()| json.end());
    if lecteur.interrompu() {
        return Ok(lecteur.resume());
    }
    match lu {
        Ok(()) if lecteur.pmej_vu() => Ok(lecteur.resume()),
        Ok(()) => Err(ErreurFichier {
            ligne: jauge.ligne(),
            octet: jauge.octets(),
            message: "Ce n'est pas un fichier FINESS+ Structures : la liste « pmej » manque.".to_owned(),
        }),
        Err(erreur) => Err(racine::erreur_json(erreur, &jauge)),
    }
}
