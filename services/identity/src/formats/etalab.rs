//! The "etalab" CSV files of FINESS, 2004 to 2026: open structures only.
//!
//! A file says what it is: `finess;etalab;…` then lines that begin with their type
//! (501, 502, 503, 505, 507), or a header (annual historised files). Lines are cut one
//! by one: a broken quote spoils its line only.

mod entete;
mod genre;
mod ligne;
mod position;
#[cfg(test)]
mod tests;
mod texte;

use std::borrow::Cow;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use super::fiche::{Remise, lire_ej, lire_equipement, lire_et, lire_soin};
use super::lignes::{Lignes, Lue};
use super::source::{Source, erreur_lecture, sauter_marque};
use super::{ErreurFichier, Lecture, Resume, couper};
use entete::Entete;
use genre::{Famille, Genre};
use ligne::{Rangee, couper_ligne};
use position::lire_position;
use texte::Encodage;

/// Lines of unknown types that a file may begin with before it is given up.
const INCONNUES_MAX: u64 = 20;

const FORMAT_INCONNU: &str = "Ce n'est pas un fichier FINESS « etalab » : la première ligne doit être \
     « finess;etalab;numéro;date » ou un en-tête qui nomme nofinesset ou nofinessej.";
const TYPES_INCONNUS: &str = "Aucun type de ligne connu au début du fichier ; sont lus structureej, \
     structureet, geolocalisation, equipementsocial et activiteoffresoin.";

/// Reads a file, gzip or plain, and hands over each record as it comes. UTF-8, or
/// ISO-8859-15 (Windows-1252 for the annual files).
///
/// Structures of 501, 502, 507 and the annual files; the positions of 507 come after
/// the structures and are handed over with `suite`, holding number, commune and
/// position only. Activities of 503 and 505, one record a structure; a structure met
/// again later is handed over with `suite`.
///
/// Counts: `lignes` (with something in them, the first one excepted), then the lines
/// of each type that have its fields.
///
/// # Errors
///
/// When the file is not readable or not of this format. What came before was handed
/// over.
pub fn lire(
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let tamponne = BufReader::with_capacity(64 * 1024, source);
    let (texte, marque) = sauter_marque(tamponne).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let mut lignes = Lignes::nouvelles(texte);
    let mut encodage = Encodage::nouveau(marque > 0);
    let mut lecteur = Lecteur::nouveau(suite);
    let forme = lire_forme(&mut lignes, &mut encodage, &mut lecteur.remise)?;
    if matches!(forme, Forme::Entete(_)) {
        encodage.annuel();
    }
    while let Some(lue) = lignes.suivante()? {
        let numero = lignes.numero();
        // What is left of a line too long may begin inside a character: it says nothing.
        let texte = match lue {
            Lue::Entiere => encodage.lire(lignes.octets()),
            Lue::TropLongue => None,
        };
        let suite = match (lue, texte) {
            (Lue::TropLongue, _) => lecteur.illisible(
                numero,
                "ligne-trop-longue",
                "La ligne dépasse 64 Kio.",
                "Une ligne d'au plus 65 536 octets",
            ),
            (Lue::Entiere, None) => lecteur.illisible(
                numero,
                "encodage-invalide",
                "La ligne n'est pas en UTF-8, alors que le fichier l'est.",
                "Un texte UTF-8",
            ),
            (Lue::Entiere, Some(texte)) => lecteur.ligne(numero, &texte, &forme),
        };
        if suite.is_break() {
            return Ok(lecteur.remise.resume());
        }
        if lecteur.inconnues >= INCONNUES_MAX {
            return Err(erreur(&lignes, TYPES_INCONNUS));
        }
        if lecteur.remise.pleine() {
            return Err(erreur(&lignes, "Le fichier décrit plus de 4 000 000 de structures."));
        }
    }
    if lecteur.famille.is_none() && lecteur.inconnues > 0 {
        return Err(erreur(&lignes, TYPES_INCONNUS));
    }
    Ok(lecteur.remise.finir())
}

fn erreur<R: Read>(lignes: &Lignes<R>, message: &str) -> ErreurFichier {
    ErreurFichier { ligne: lignes.numero().max(1), octet: lignes.lus(), message: message.to_owned() }
}

/// How the lines of a file say what their fields are.
enum Forme {
    /// Each begins with its type.
    Types,
    /// All are as the header says.
    Entete(Entete),
}

/// Reads the first line.
fn lire_forme<R: Read>(
    lignes: &mut Lignes<R>,
    encodage: &mut Encodage,
    remise: &mut Remise<'_>,
) -> Result<Forme, ErreurFichier> {
    let Some(lue) = lignes.suivante()? else {
        return Err(erreur(lignes, "Le fichier est vide."));
    };
    let texte = match lue {
        Lue::Entiere => encodage.lire(lignes.octets()),
        Lue::TropLongue => None,
    };
    let Some(champs) = texte.as_deref().and_then(couper_ligne) else {
        return Err(erreur(lignes, FORMAT_INCONNU));
    };
    let champ = |rang: usize| champs.get(rang).map_or("", |champ| champ.trim());
    if champ(0).eq_ignore_ascii_case("finess") && champ(1).eq_ignore_ascii_case("etalab") {
        remise.dater(champ(3));
        return Ok(Forme::Types);
    }
    match Entete::lire(&champs, remise) {
        Some(Ok(entete)) => Ok(Forme::Entete(entete)),
        Some(Err(message)) => Err(erreur(lignes, &message)),
        None => Err(erreur(lignes, FORMAT_INCONNU)),
    }
}

struct Lecteur<'s> {
    remise: Remise<'s>,
    /// What the file describes, once a line told it.
    famille: Option<Famille>,
    /// True once a whole structure was met: a short line is then a truncated one.
    entiere: bool,
    /// Lines of unknown types met before any known one.
    inconnues: u64,
}

impl<'s> Lecteur<'s> {
    fn nouveau(suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>) -> Self {
        Self { remise: Remise::nouvelle(suite), famille: None, entiere: false, inconnues: 0 }
    }

    /// Refuses a line that gives no text.
    fn illisible(
        &mut self,
        numero: u64,
        regle: &'static str,
        message: &str,
        attendu: &str,
    ) -> ControlFlow<()> {
        self.remise.compter("lignes");
        self.remise.fauter("ligne", regle, message, attendu);
        self.remise.refuser(numero, String::new())
    }

    fn ligne(&mut self, numero: u64, texte: &str, forme: &Forme) -> ControlFlow<()> {
        if texte.trim().is_empty() {
            self.remise.constater("ligne-vide");
            return ControlFlow::Continue(());
        }
        self.remise.compter("lignes");
        let Some(valeurs) = couper_ligne(texte) else {
            self.remise.fauter(
                "ligne",
                "guillemets-mal-formes",
                "Un guillemet n'est ni doublé ni au bord de son champ : les champs sont inséparables.",
                "Un champ entre guillemets, où chaque guillemet est doublé",
            );
            return self.remise.refuser(numero, couper(texte));
        };
        match forme {
            Forme::Types => self.typee(numero, texte, valeurs),
            Forme::Entete(entete) => self.annuelle(numero, texte, &valeurs, entete),
        }
    }

    /// Reads a line that begins with its type.
    fn typee(&mut self, numero: u64, texte: &str, mut valeurs: Vec<Cow<'_, str>>) -> ControlFlow<()> {
        let nom = valeurs.first().map_or("", |nom| nom.trim());
        let genre = Genre::de(nom, valeurs.len(), self.entiere);
        let attendue = |genre: &Genre| self.famille.is_none_or(|famille| famille == genre.famille());
        let Some(genre) = genre.filter(attendue) else {
            if self.famille.is_none() {
                self.inconnues += 1;
            }
            self.remise.fauter(
                "ligne",
                "type-inattendu",
                "Le type de la ligne n'est pas de ceux que ce fichier annonce.",
                self.famille.map_or(genre::TYPES, Famille::types),
            );
            return self.remise.refuser(numero, couper(texte));
        };
        self.famille = Some(genre.famille());
        if !genre.ajuster(&mut valeurs) {
            self.remise.fauter(
                "ligne",
                "nombre-de-champs",
                "La ligne n'a pas le nombre de champs de son type.",
                genre.attendu(),
            );
            return self.remise.refuser(numero, couper(texte));
        }
        self.remise.compter(genre.nom());
        let rangee = Rangee { noms: genre.noms(), valeurs: &valeurs };
        let contenu = || couper(texte);
        match genre {
            Genre::Ej => {
                let structure = lire_ej(&mut self.remise.champs(&rangee));
                self.remise.structure(numero, structure, &contenu)
            }
            Genre::Et => {
                self.entiere = true;
                let structure = lire_et(&mut self.remise.champs(&rangee));
                self.remise.structure(numero, structure, &contenu)
            }
            Genre::EtCourte => {
                self.remise.champs(&rangee).finess("nofinesset");
                if self.remise.a_des_fautes() {
                    return self.remise.refuser(numero, contenu());
                }
                ControlFlow::Continue(())
            }
            Genre::Geolocalisation => self.geolocaliser(numero, &rangee, &contenu),
            Genre::Equipement => {
                let (num_finess, lu) = lire_equipement(&mut self.remise.champs(&rangee));
                self.remise.activite(numero, num_finess, lu, &contenu)
            }
            Genre::Soin => {
                let (num_finess, lu) = lire_soin(&mut self.remise.champs(&rangee));
                self.remise.activite(numero, num_finess, lu, &contenu)
            }
        }
    }

    /// Reads the position of a structure read before.
    fn geolocaliser(
        &mut self,
        numero: u64,
        rangee: &Rangee<'_>,
        contenu: &dyn Fn() -> String,
    ) -> ControlFlow<()> {
        let num_finess = self.remise.champs(rangee).finess("nofinesset");
        let commune = self.remise.commune(&num_finess);
        if commune.is_none() && !self.remise.a_des_fautes() {
            self.remise.fauter(
                "nofinesset",
                "site-absent-du-fichier",
                "La structure de cette géolocalisation est absente du fichier, ou refusée plus haut.",
                "Le numéro d'une ligne structureet lue avant",
            );
        }
        let Some(commune) = commune.filter(|_| !self.remise.a_des_fautes()) else {
            return self.remise.refuser(numero, contenu());
        };
        let position = lire_position(&mut self.remise.champs(rangee), &commune);
        match position {
            Some(position) => self.remise.position(numero, num_finess, commune, position),
            None => ControlFlow::Continue(()),
        }
    }

    /// Reads a line of an annual file.
    fn annuelle(
        &mut self,
        numero: u64,
        texte: &str,
        valeurs: &[Cow<'_, str>],
        entete: &Entete,
    ) -> ControlFlow<()> {
        if valeurs.len() != entete.noms().len() {
            self.remise.fauter(
                "ligne",
                "nombre-de-champs",
                "La ligne n'a pas autant de champs que l'en-tête.",
                &format!("{} champs séparés par ;", entete.noms().len()),
            );
            return self.remise.refuser(numero, couper(texte));
        }
        let rangee = Rangee { noms: entete.noms(), valeurs };
        let mut champs = self.remise.champs(&rangee);
        let structure = if entete.juridique() {
            lire_ej(&mut champs)
        } else {
            let mut site = lire_et(&mut champs);
            if entete.a("coordxet") {
                site.position = lire_position(&mut champs, &site.commune_cog);
            }
            site
        };
        self.remise.compter(if entete.juridique() { "structureej" } else { "structureet" });
        self.remise.structure(numero, structure, &|| couper(texte))
    }
}
