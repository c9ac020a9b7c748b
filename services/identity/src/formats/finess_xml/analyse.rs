//! XML events, reduced to what these files are made of, and bounded.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::super::ErreurFichier;
use super::super::source::{Jauge, erreur_lecture};
use super::element::Element;

/// Longest tag, text, comment or instruction.
const MORCEAU_MAX: u64 = 256 * 1024;
/// Elements one inside the other, in a field that should hold none.
const PROFONDEUR_MAX: u32 = 16;

/// A piece of a file.
#[derive(Debug)]
pub(super) enum Morceau {
    /// Opening tag: its name, without prefix.
    Debut(String),
    /// Closing tag of the element opened last.
    Fin,
    /// Text, its references resolved; an element may hold several.
    Texte(String),
    /// Reference to an entity that is not one of XML.
    EntiteInconnue,
    /// End of the file.
    Termine,
}

/// Reads the pieces of a file.
pub(super) struct Analyse<'j, B> {
    xml: Reader<B>,
    jauge: &'j Jauge,
    tampon: Vec<u8>,
}

impl<'j, B: BufRead> Analyse<'j, B> {
    /// Before the first piece.
    pub(super) fn nouvelle(texte: B, jauge: &'j Jauge) -> Self {
        let mut xml = Reader::from_reader(texte);
        xml.config_mut().expand_empty_elements = true;
        Self { xml, jauge, tampon: Vec::new() }
    }

    fn suivant(&mut self) -> Result<Morceau, ErreurFichier> {
        let jauge = self.jauge;
        let Self { xml, tampon, .. } = self;
        loop {
            tampon.clear();
            jauge.borner(MORCEAU_MAX);
            let evenement = xml.read_event_into(tampon).map_err(|erreur| erreur_xml(&erreur, jauge))?;
            let morceau = match evenement {
                Event::Start(debut) => Morceau::Debut(debut.local_name().as_ref().to_owned()),
                Event::End(_) => Morceau::Fin,
                Event::Text(texte) => Morceau::Texte(String::from(&*texte)),
                Event::CData(texte) => Morceau::Texte(String::from(&*texte)),
                Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                    Ok(Some(lettre)) => Morceau::Texte(lettre.to_string()),
                    Ok(None) => resolve_predefined_entity(&reference)
                        .map_or(Morceau::EntiteInconnue, |texte| Morceau::Texte(texte.to_owned())),
                    Err(_) => Morceau::EntiteInconnue,
                },
                Event::DocType(_) => {
                    return Err(erreur(jauge, "Le fichier déclare un DTD ; il est refusé."));
                }
                Event::Eof => Morceau::Termine,
                // Declaration, comments and instructions say nothing.
                _ => continue,
            };
            return Ok(morceau);
        }
    }

    /// The next piece that is not white space.
    pub(super) fn suivant_utile(&mut self) -> Result<Morceau, ErreurFichier> {
        loop {
            match self.suivant()? {
                Morceau::Texte(texte) if texte.trim().is_empty() => {}
                morceau => return Ok(morceau),
            }
        }
    }

    /// Reads an element whose opening tag was read, to its closing one.
    pub(super) fn element(&mut self, nom: String) -> Result<Element, ErreurFichier> {
        let mut element = Element::nouveau(nom);
        loop {
            match self.suivant_utile()? {
                Morceau::Debut(champ) => self.champ(champ, &mut element)?,
                Morceau::Fin => return Ok(element),
                Morceau::Texte(_) | Morceau::EntiteInconnue => {
                    element.fauter("texte", "forme-inattendue", "Du texte est hors des champs.", "Des champs")
                }
                Morceau::Termine => return Err(self.tronque()),
            }
        }
    }

    fn champ(&mut self, champ: String, element: &mut Element) -> Result<(), ErreurFichier> {
        let mut valeur = String::new();
        let mut profondeur = 0;
        loop {
            match self.suivant()? {
                Morceau::Texte(texte) if profondeur == 0 => element.allonger(&champ, &mut valeur, &texte),
                Morceau::Texte(_) => {}
                Morceau::EntiteInconnue => {
                    let message = "Le champ appelle une entité qui n'est pas de XML.";
                    element.fauter(&champ, "entite-inconnue", message, "Un texte");
                }
                Morceau::Debut(_) => {
                    profondeur += 1;
                    if profondeur > PROFONDEUR_MAX {
                        return Err(self.erreur("Trop d'éléments sont imbriqués."));
                    }
                    element.fauter(&champ, "forme-inattendue", "Le champ contient un élément.", "Un texte");
                }
                Morceau::Fin if profondeur > 0 => profondeur -= 1,
                Morceau::Fin => {
                    element.ajouter(champ, valeur);
                    return Ok(());
                }
                Morceau::Termine => return Err(self.tronque()),
            }
        }
    }

    /// An error where the reading is.
    pub(super) fn erreur(&self, message: &str) -> ErreurFichier {
        erreur(self.jauge, message)
    }

    /// The error of a file that stops too early.
    pub(super) fn tronque(&self) -> ErreurFichier {
        self.erreur("XML tronqué : le fichier s'arrête avant la fin de son dernier élément.")
    }
}

fn erreur(jauge: &Jauge, message: &str) -> ErreurFichier {
    ErreurFichier { ligne: jauge.ligne(), octet: jauge.octets(), message: message.to_owned() }
}

/// French error for a file the XML reader gave up.
fn erreur_xml(lue: &quick_xml::Error, jauge: &Jauge) -> ErreurFichier {
    if jauge.depasse() {
        return erreur(jauge, "Un élément dépasse 256 Kio.");
    }
    match lue {
        quick_xml::Error::Io(io) => erreur_lecture(io, jauge.ligne(), jauge.octets()),
        quick_xml::Error::Encoding(..) => erreur(jauge, "Le fichier n'est pas en UTF-8."),
        _ => erreur(jauge, "XML invalide : balise, attribut ou caractère impossible, ou fichier tronqué."),
    }
}
