//! The files of an image as one replica gives them to another, and as this one takes them.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use super::{
    TEXTE, Texte,
    fichier::{FICHIER, Lecture},
};
use crate::{prive, texte};

/// Name of the image while it comes: this gateway may begin to write its own.
const RECUE: &str = "modele.image.recue";

/// A file of an image, open: whatever replaces the image, its bytes stay.
pub struct Fichier {
    /// Folder of full text that it is in; empty for the image itself.
    pub dossier: String,
    /// Its name there.
    pub nom: String,
    /// Bytes.
    pub taille: u64,
    /// To be read from its beginning.
    pub octets: File,
}

impl Fichier {
    fn nouveau(dossier: &str, nom: &str, octets: File) -> io::Result<Self> {
        Ok(Self { dossier: dossier.into(), nom: nom.into(), taille: octets.metadata()?.len(), octets })
    }
}

/// Times that an image replaced while its files are opened is left for the next one.
const ESSAIS: usize = 3;

/// Opens the files of the image of that folder, the image last; alone when its full text is no more, which its
/// reader then makes from the rows.
///
/// # Errors
///
/// `NotFound` without an image; anything else when it does not serve.
pub fn ouvrir(dossier: &Path) -> io::Result<Vec<Fichier>> {
    for _ in 0..ESSAIS {
        match ouvrir_tout(dossier, true) {
            // Replaced, the copy that it names is deleted.
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            fait => return fait,
        }
    }
    ouvrir_tout(dossier, false)
}

fn ouvrir_tout(dossier: &Path, avec_texte: bool) -> io::Result<Vec<Fichier>> {
    let image = Lecture::ouvrir(&dossier.join(FICHIER))?;
    let mut ouverts = Vec::new();
    if let Some(texte) = image.section::<Option<Texte>>(TEXTE)?.filter(|_| avec_texte) {
        for (nom, _) in &texte.fichiers {
            let octets = File::open(dossier.join(&texte.dossier).join(nom))?;
            ouverts.push(Fichier::nouveau(&texte.dossier, nom, octets)?);
        }
    }
    ouverts.push(Fichier::nouveau("", FICHIER, image.fichier())?);
    Ok(ouverts)
}

/// An image that comes; unless it came whole, nothing of it stays.
pub struct Reception {
    dossier: PathBuf,
    /// Folder of its full text.
    texte: Option<String>,
    /// The file that is being written, and the bytes it waits for.
    en_cours: Option<(File, u64)>,
    /// Whether the last file begun is the image.
    image: bool,
    entiere: bool,
}

fn refus(quoi: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, quoi.to_owned())
}

/// Whether a name is that of one file or folder below, and of nothing hidden.
fn nom_simple(nom: &str) -> bool {
    let permis = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=100).contains(&nom.len()) && !nom.starts_with('.') && nom.chars().all(permis)
}

impl Reception {
    /// One that is put in that folder.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn nouvelle(dossier: &Path) -> io::Result<Self> {
        prive::dossier(dossier)?;
        Ok(Self { dossier: dossier.into(), texte: None, en_cours: None, image: false, entiere: false })
    }

    /// Begins the next file.
    ///
    /// # Errors
    ///
    /// The one before is not whole, the name is not one of an image, the file cannot be written.
    pub fn commencer(&mut self, dossier: &str, nom: &str, taille: u64) -> io::Result<()> {
        if self.image || self.en_cours.as_ref().is_some_and(|(_, reste)| *reste > 0) {
            return Err(refus("a file begins before the one before it ends, or after the image"));
        }
        self.image = dossier.is_empty();
        let chemin = if self.image {
            if nom != FICHIER {
                return Err(refus("no file of an image has that name"));
            }
            let recue = self.dossier.join(RECUE);
            // What a life that was cut short left.
            let _ = fs::remove_file(&recue);
            recue
        } else {
            let meme = self.texte.as_deref().is_none_or(|t| t == dossier);
            if !meme || !texte::est_copie(dossier) || !nom_simple(dossier) || !nom_simple(nom) {
                return Err(refus("no file of an image has that name"));
            }
            let copie = self.dossier.join(dossier);
            if self.texte.is_none() {
                self.texte = Some(dossier.to_owned());
                // As above.
                let _ = fs::remove_dir_all(&copie);
                prive::dossier(&copie)?;
            }
            copie.join(nom)
        };
        self.en_cours = Some((prive::fichier(&chemin)?, taille));
        Ok(())
    }

    /// Adds bytes to the present file.
    ///
    /// # Errors
    ///
    /// They are more than it was to have, or cannot be written.
    pub fn poser(&mut self, octets: &[u8]) -> io::Result<()> {
        let Some((fichier, reste)) = &mut self.en_cours else { return Err(refus("bytes of no file")) };
        *reste = reste.checked_sub(octets.len() as u64).ok_or_else(|| refus("more bytes than told"))?;
        fichier.write_all(octets)
    }

    /// Puts the image in its place, whole. Its sums are verified when it is read.
    ///
    /// # Errors
    ///
    /// Something of it did not come.
    pub fn finir(mut self) -> io::Result<()> {
        match &self.en_cours {
            Some((_, 0)) if self.image => {}
            _ => return Err(refus("the image did not come whole")),
        }
        fs::rename(self.dossier.join(RECUE), self.dossier.join(FICHIER))?;
        self.entiere = true;
        Ok(())
    }
}

impl Drop for Reception {
    fn drop(&mut self) {
        if self.entiere {
            return;
        }
        let _ = fs::remove_file(self.dossier.join(RECUE));
        if let Some(texte) = &self.texte {
            let _ = fs::remove_dir_all(self.dossier.join(texte));
        }
    }
}
