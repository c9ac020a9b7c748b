//! Standard XML flow of FINESS: structures and activities in every state.
//!
//! Read element by element, in bounded memory. No DTD is accepted and no entity is
//! expanded beyond those of XML itself. An absent value is an empty element
//! (`xsi:nil`), so attributes are not looked at.

mod analyse;
mod element;
#[cfg(test)]
mod tests;

use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use super::fiche::{Remise, lire_ej, lire_equipement, lire_et, lire_soin};
use super::source::{Compteur, Jauge, Source, erreur_lecture, sauter_marque};
use super::{ErreurFichier, Lecture, Resume};
use analyse::{Analyse, Morceau};
use element::Element;

const RACINE: &str = "fluxfiness";
/// Fields of a structure reduced to its numbers and name, in the files of activities.
const STRUCTURE_COURTE: usize = 3;

/// Reads a file, gzip or plain, and hands over each record as it comes. `ligne` is the
/// ordinal of the record.
///
/// Read: `structureej` (cs1400101), `structureet` (cs1400102), `activiteoffresoin`
/// (cs1400103), `equipementsocial` (cs1400105). Activities make one record a structure;
/// a structure met again later is handed over with `suite`.
///
/// Counts: the records of each kind.
///
/// # Errors
///
/// When the file is not readable, not XML, truncated, or holds other records. What came
/// before was handed over.
pub fn lire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let tamponne = BufReader::with_capacity(64 * 1024, source);
    let (texte, marque) = sauter_marque(tamponne).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let jauge = Jauge::nouvelle(marque);
    // Small, so that the line told in an error is near.
    let texte = BufReader::with_capacity(4 * 1024, Compteur::nouveau(texte, &jauge));
    let mut analyse = Analyse::nouvelle(texte, &jauge);
    let mut lecteur = Lecteur { remise: Remise::nouvelle(suite), ordinal: 0, entiere: false };
    match analyse.suivant_utile()? {
        Morceau::Debut(nom) if nom == RACINE => {}
        _ => {
            let message = format!("Ce n'est pas le flux XML de FINESS : la racine doit être {RACINE}.");
            return Err(analyse.erreur(&message));
        }
    }
    loop {
        let nom = match analyse.suivant_utile()? {
            Morceau::Debut(nom) => nom,
            Morceau::Fin => break,
            Morceau::Texte(_) | Morceau::EntiteInconnue => {
                return Err(analyse.erreur("Texte inattendu entre deux enregistrements."));
            }
            Morceau::Termine => return Err(analyse.tronque()),
        };
        if lecteur.element(&mut analyse, nom)?.is_break() {
            return Ok(lecteur.remise.resume());
        }
        if lecteur.remise.pleine() {
            return Err(analyse.erreur("Le fichier décrit plus de 4 000 000 de structures."));
        }
    }
    match analyse.suivant_utile()? {
        Morceau::Termine => Ok(lecteur.remise.finir()),
        _ => Err(analyse.erreur(&format!("Du contenu suit la fin de {RACINE}."))),
    }
}

struct Lecteur<'s> {
    remise: Remise<'s>,
    ordinal: u64,
    /// True once a whole structure was met: a short one is then a truncated one.
    entiere: bool,
}

impl Lecteur<'_> {
    /// Reads a child of the root.
    fn element<B: BufRead>(
        &mut self,
        analyse: &mut Analyse<'_, B>,
        nom: String,
    ) -> Result<ControlFlow<()>, ErreurFichier> {
        let genre = match nom.as_str() {
            "horodatage" => {
                let entete = analyse.element(nom)?;
                self.remise.dater(entete.texte("datemaj"));
                self.remise.versionner(entete.texte("versionmessage").to_owned());
                return Ok(ControlFlow::Continue(()));
            }
            "structureej" => "structureej",
            "structureet" => "structureet",
            "equipementsocial" => "equipementsocial",
            "activiteoffresoin" => "activiteoffresoin",
            _ => {
                return Err(analyse.erreur(
                    "Enregistrement inconnu ; sont lus structureej, structureet, equipementsocial et \
                     activiteoffresoin.",
                ));
            }
        };
        let element = analyse.element(nom)?;
        self.ordinal += 1;
        self.remise.compter(genre);
        Ok(self.enregistrement(genre, &element))
    }

    fn enregistrement(&mut self, genre: &'static str, element: &Element) -> ControlFlow<()> {
        let contenu = || element.contenu();
        for (champ, regle, message, attendu) in element.fautes() {
            self.remise.fauter(champ, regle, message, attendu);
        }
        let courte = !self.entiere && element.nombre() <= STRUCTURE_COURTE && !element.texte("rs").is_empty();
        match genre {
            "structureej" | "structureet" if courte => {
                if self.remise.a_des_fautes() {
                    return self.remise.refuser(self.ordinal, contenu());
                }
                ControlFlow::Continue(())
            }
            "structureej" => {
                self.entiere = true;
                let structure = lire_ej(&mut self.remise.champs(element));
                self.remise.structure(self.ordinal, structure, &contenu)
            }
            "structureet" => {
                self.entiere = true;
                let structure = lire_et(&mut self.remise.champs(element));
                self.remise.structure(self.ordinal, structure, &contenu)
            }
            "equipementsocial" => {
                let (num_finess, lu) = lire_equipement(&mut self.remise.champs(element));
                self.remise.activite(self.ordinal, num_finess, lu, &contenu)
            }
            _ => {
                let (num_finess, lu) = lire_soin(&mut self.remise.champs(element));
                self.remise.activite(self.ordinal, num_finess, lu, &contenu)
            }
        }
    }
}
