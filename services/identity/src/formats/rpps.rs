//! RPPS free-access text, `PS_LibreAcces_Personne_activite` (52 or 56 columns).
//!
//! One line is a professional, a profession, a savoir-faire and an activity:
//! the lines of a person make one record. They follow each other in practice,
//! which is not promised: a person met again later is handed over a second time
//! with `reprise`, to be merged by [`fusionner`].

mod colonnes;
mod ligne;
mod lignes;
mod personne;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::Professionnel;

use super::source::{Source, erreur_lecture};
use super::{ErreurFichier, faute};
use colonnes::Colonnes;
use ligne::lire_ligne;
use lignes::{Lignes, Lue};
use personne::Personne;

pub use personne::fusionner;

/// Code system of `civilite`.
pub const SYSTEME_CIVILITE: &str = "https://mos.esante.gouv.fr/NOS/TRE_R81-Civilite/FHIR/TRE-R81-Civilite";

/// One thing read.
#[expect(clippy::large_enum_variant, reason = "one value at a time, handed over at once")]
#[derive(Debug, Clone, PartialEq)]
pub enum Lecture {
    /// A professional.
    Enregistrement {
        /// The record; its lists are sorted, so that the order of the lines does
        /// not change it.
        professionnel: Professionnel,
        /// True when this person was already handed over: merge the two.
        reprise: bool,
    },
    /// A line that cannot be read.
    Refus {
        /// Line number, from 1, the header being 1.
        ligne: u64,
        /// Every fault; no value is quoted.
        fautes: Vec<Faute>,
        /// Always empty: the line is personal data.
        contenu: String,
    },
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// Columns of the header.
    pub colonnes: u64,
    /// Lines with something in them, the header excepted.
    pub lignes: u64,
    /// Lines refused.
    pub refus: u64,
    /// Lines equal to another of the same person.
    pub doublons: u64,
    /// Distinct professionals.
    pub personnes: u64,
    /// Professionals handed over once more.
    pub reprises: u64,
    /// True when the caller stopped the reading.
    pub interrompu: bool,
    /// Warnings, by rule, with how often they happened.
    pub constats: BTreeMap<&'static str, u64>,
}

impl Resume {
    fn constater(&mut self, regle: &'static str) {
        *self.constats.entry(regle).or_default() += 1;
    }
}

/// Reads a file, gzip or plain, and hands over each professional as it comes.
///
/// # Errors
///
/// When the file is not readable or its header lacks a required column. What
/// came before was handed over, except the person whose lines were being read.
pub fn lire(
    source: impl Read,
    recoit: &mut dyn FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let mut lignes = Lignes::nouvelles(BufReader::with_capacity(64 * 1024, source));
    let mut resume = Resume::default();
    let colonnes = lire_entete(&mut lignes, &mut resume)?;
    let mut remise = Remise { recoit, vus: HashSet::new() };
    let mut courante: Option<Personne> = None;
    while let Some(lue) = lignes.suivante()? {
        let lu = match contenu(&lignes, lue) {
            Ok("") => {
                resume.constater("ligne-vide");
                continue;
            }
            Ok(texte) => lire_ligne(texte, &colonnes, &mut resume).map(|rangee| (rangee, texte)),
            Err(faute) => Err(vec![faute]),
        };
        resume.lignes += 1;
        let suite = match lu {
            Ok((rangee, texte)) => match courante.as_mut() {
                Some(personne) if personne.id() == rangee.id_nat_ps => {
                    personne.ajouter(rangee, texte, &mut resume);
                    ControlFlow::Continue(())
                }
                _ => {
                    let mut suivante = Personne::nouvelle(&rangee);
                    suivante.ajouter(rangee, texte, &mut resume);
                    remise.personne(courante.replace(suivante), &mut resume)
                }
            },
            Err(fautes) => {
                resume.refus += 1;
                (remise.recoit)(Lecture::Refus { ligne: lignes.numero(), fautes, contenu: String::new() })
            }
        };
        if suite.is_break() {
            resume.interrompu = true;
            return Ok(resume);
        }
    }
    if remise.personne(courante, &mut resume).is_break() {
        resume.interrompu = true;
    }
    Ok(resume)
}

/// Hands over professionals and remembers them.
struct Remise<'r> {
    recoit: &'r mut dyn FnMut(Lecture) -> ControlFlow<()>,
    vus: HashSet<u64>,
}

impl Remise<'_> {
    fn personne(&mut self, personne: Option<Personne>, resume: &mut Resume) -> ControlFlow<()> {
        let Some(personne) = personne else {
            return ControlFlow::Continue(());
        };
        let reprise = !self.vus.insert(cle_compacte(personne.id()));
        if reprise {
            resume.reprises += 1;
            resume.constater("personne-reprise");
        } else {
            resume.personnes += 1;
        }
        let professionnel = personne.professionnel(resume);
        (self.recoit)(Lecture::Enregistrement { professionnel, reprise })
    }
}

/// At most 12 characters among [0-9A-Z]: exact in 64 bits.
fn cle_compacte(id_nat_ps: &str) -> u64 {
    u64::from_str_radix(id_nat_ps, 36).unwrap_or(u64::MAX)
}

fn contenu<R: Read>(lignes: &Lignes<R>, lue: Lue) -> Result<&str, Faute> {
    match lue {
        Lue::Entiere => std::str::from_utf8(lignes.octets()).map_err(|_| {
            faute("ligne", "encodage-invalide", "La ligne n'est pas en UTF-8.", "Un texte UTF-8")
        }),
        Lue::TropLongue => Err(faute(
            "ligne",
            "ligne-trop-longue",
            "La ligne dépasse 64 Kio.",
            "Une ligne d'au plus 65 536 octets",
        )),
    }
}

fn lire_entete<R: Read>(lignes: &mut Lignes<R>, resume: &mut Resume) -> Result<Colonnes, ErreurFichier> {
    let refus = |message: String, octet: u64| ErreurFichier { ligne: 1, octet, message };
    let Some(lue) = lignes.suivante()? else {
        return Err(refus("Le fichier est vide.".to_owned(), 0));
    };
    let octet = lignes.lus();
    let entete = match contenu(lignes, lue) {
        Ok(texte) => texte.strip_prefix('\u{feff}').unwrap_or(texte),
        Err(faute) => return Err(refus(format!("En-tête : {}", faute.message), octet)),
    };
    let colonnes = Colonnes::lire(entete, resume).map_err(|message| refus(message, octet))?;
    resume.colonnes = colonnes.nombre();
    Ok(colonnes)
}
