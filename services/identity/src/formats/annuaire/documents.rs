//! JSON documents of a stream: one a line, or spread over lines.

use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::ErreurFichier;
use super::super::source::erreur_lecture;

/// Longest document; a page of 1,000 resources is below 8 MB.
const DOCUMENT_MAX: u64 = 64 * 1024 * 1024;

/// A Bundle, or any other resource without what it holds.
#[derive(Deserialize)]
pub(super) struct Document<'d> {
    #[serde(rename = "resourceType", default)]
    pub(super) genre: String,
    #[serde(borrow, default)]
    pub(super) entry: Vec<Entree<'d>>,
}

/// An entry of a Bundle.
#[derive(Deserialize)]
pub(super) struct Entree<'d> {
    #[serde(borrow, default)]
    pub(super) resource: Option<&'d RawValue>,
}

/// Reads the documents of a text.
pub(super) struct Documents<R> {
    lecteur: R,
    tampon: Vec<u8>,
    ligne: u64,
    lus: u64,
}

impl<R: BufRead> Documents<R> {
    /// Before the first line.
    pub(super) fn nouveaux(lecteur: R) -> Self {
        Self { lecteur, tampon: Vec::new(), ligne: 0, lus: 0 }
    }

    /// Reads the next line: false when it is longer than allowed (the rest is then
    /// skipped), None at the end.
    pub(super) fn suivant(&mut self) -> Result<Option<bool>, ErreurFichier> {
        self.tampon.clear();
        let lus = self.morceau(DOCUMENT_MAX)?;
        if lus == 0 {
            return Ok(None);
        }
        self.ligne += 1;
        if lus < DOCUMENT_MAX || self.finie() {
            return Ok(Some(true));
        }
        loop {
            self.tampon = Vec::new();
            if self.morceau(64 * 1024)? == 0 || self.finie() {
                return Ok(Some(false));
            }
        }
    }

    fn finie(&self) -> bool {
        self.tampon.last() == Some(&b'\n')
    }

    fn morceau(&mut self, borne: u64) -> Result<u64, ErreurFichier> {
        let lus = Read::take(&mut self.lecteur, borne)
            .read_until(b'\n', &mut self.tampon)
            .map_err(|erreur| erreur_lecture(&erreur, self.ligne + 1, self.lus))?;
        let lus = u64::try_from(lus).unwrap_or(u64::MAX);
        self.lus = self.lus.saturating_add(lus);
        Ok(lus)
    }

    /// Reads what follows the line, to the end of the text.
    pub(super) fn reste(&mut self) -> Result<(), ErreurFichier> {
        let place = DOCUMENT_MAX.saturating_sub(self.lus);
        let lus = Read::take(&mut self.lecteur, place)
            .read_to_end(&mut self.tampon)
            .map_err(|erreur| erreur_lecture(&erreur, self.ligne, self.lus))?;
        let lus = u64::try_from(lus).unwrap_or(u64::MAX);
        self.lus = self.lus.saturating_add(lus);
        if lus < place {
            return Ok(());
        }
        Err(ErreurFichier {
            ligne: self.ligne,
            octet: self.lus,
            message:
                "Les documents étalés sur plusieurs lignes dépassent 64 Mio : donnez un document par ligne."
                    .to_owned(),
        })
    }

    /// What was read last.
    pub(super) fn octets(&self) -> &[u8] {
        &self.tampon
    }

    /// Line reached, from 1.
    pub(super) fn ligne(&self) -> u64 {
        self.ligne
    }

    /// French error for a document spread over lines.
    pub(super) fn erreur(&self, erreur: &serde_json::Error) -> ErreurFichier {
        let message = if erreur.is_eof() {
            "JSON tronqué : le fichier s'arrête avant la fin du document.".to_owned()
        } else {
            format!("JSON invalide à la colonne {}.", erreur.column())
        };
        ErreurFichier { ligne: u64::try_from(erreur.line()).unwrap_or(u64::MAX), octet: self.lus, message }
    }
}
