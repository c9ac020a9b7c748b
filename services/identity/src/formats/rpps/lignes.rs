//! Lines of a text, one at a time, of bounded length.

use std::io::{BufRead, BufReader, Read};

use super::super::ErreurFichier;
use super::super::source::erreur_lecture;

/// Longest line; real ones are below 2 kB.
const LIGNE_MAX: u64 = 64 * 1024;

/// How a line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lue {
    /// Whole.
    Entiere,
    /// Longer than allowed; the rest was skipped.
    TropLongue,
}

/// Reads the lines of a text.
pub(super) struct Lignes<R> {
    lecteur: BufReader<R>,
    tampon: Vec<u8>,
    numero: u64,
    lus: u64,
}

impl<R: Read> Lignes<R> {
    /// Before the first line.
    pub(super) fn nouvelles(lecteur: BufReader<R>) -> Self {
        Self { lecteur, tampon: Vec::new(), numero: 0, lus: 0 }
    }

    /// Reads the next line; None at the end.
    pub(super) fn suivante(&mut self) -> Result<Option<Lue>, ErreurFichier> {
        self.tampon.clear();
        let lus = self.morceau()?;
        if lus == 0 {
            return Ok(None);
        }
        self.numero += 1;
        if self.finie() || lus < LIGNE_MAX {
            return Ok(Some(Lue::Entiere));
        }
        loop {
            self.tampon.clear();
            if self.morceau()? == 0 || self.finie() {
                return Ok(Some(Lue::TropLongue));
            }
        }
    }

    fn finie(&self) -> bool {
        self.tampon.last() == Some(&b'\n')
    }

    fn morceau(&mut self) -> Result<u64, ErreurFichier> {
        let lus = Read::take(&mut self.lecteur, LIGNE_MAX)
            .read_until(b'\n', &mut self.tampon)
            .map_err(|erreur| erreur_lecture(&erreur, self.numero + 1, self.lus))?;
        let lus = u64::try_from(lus).unwrap_or(u64::MAX);
        self.lus = self.lus.saturating_add(lus);
        Ok(lus)
    }

    /// The line, without its end of line.
    pub(super) fn octets(&self) -> &[u8] {
        let ligne = self.tampon.as_slice();
        let ligne = ligne.strip_suffix(b"\n").unwrap_or(ligne);
        ligne.strip_suffix(b"\r").unwrap_or(ligne)
    }

    /// Its number, from 1.
    pub(super) fn numero(&self) -> u64 {
        self.numero
    }

    /// Bytes read so far.
    pub(super) fn lus(&self) -> u64 {
        self.lus
    }
}
