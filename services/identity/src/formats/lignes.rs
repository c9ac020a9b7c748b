//! Lines of a text, one at a time, of bounded length, read in place.

use std::io::{ErrorKind, Read};
use std::ops::Range;

use memchr::memchr;

use super::ErreurFichier;
use super::source::erreur_lecture;

/// Longest line; real ones are below 2 kB.
const LIGNE_MAX: usize = 64 * 1024;
const TAMPON: usize = 512 * 1024;

/// How a line was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lue {
    /// Whole.
    Entiere,
    /// Longer than allowed.
    TropLongue,
}

/// Reads the lines of a text.
pub(super) struct Lignes<R> {
    source: R,
    tampon: Vec<u8>,
    /// What was read and not looked at yet.
    reste: Range<usize>,
    ligne: Range<usize>,
    numero: u64,
    octets: u64,
}

impl<R: Read> Lignes<R> {
    /// Before the first line.
    pub(super) fn nouvelles(source: R) -> Self {
        Self { source, tampon: vec![0; TAMPON], reste: 0..0, ligne: 0..0, numero: 0, octets: 0 }
    }

    /// Reads the next line; None at the end.
    pub(super) fn suivante(&mut self) -> Result<Option<Lue>, ErreurFichier> {
        let mut cherches = 0;
        loop {
            let reste = &self.tampon[self.reste.clone()];
            if let Some(rang) = memchr(b'\n', &reste[cherches..]) {
                return Ok(Some(self.prendre(cherches + rang, 1)));
            }
            cherches = reste.len();
            if cherches >= LIGNE_MAX {
                return self.sauter();
            }
            if self.remplir()? == 0 {
                return Ok((cherches > 0).then(|| self.prendre(cherches, 0)));
            }
        }
    }

    /// The line is the next `longueur` bytes, then come `fin` bytes of end of line.
    fn prendre(&mut self, longueur: usize, fin: usize) -> Lue {
        self.ligne = self.reste.start..self.reste.start + longueur;
        self.avancer(longueur + fin);
        self.numero += 1;
        if longueur < LIGNE_MAX { Lue::Entiere } else { Lue::TropLongue }
    }

    /// Goes to the end of a line that does not end where it should.
    fn sauter(&mut self) -> Result<Option<Lue>, ErreurFichier> {
        self.numero += 1;
        loop {
            let reste = &self.tampon[self.reste.clone()];
            let fin = memchr(b'\n', reste);
            let passes = fin.map_or(reste.len(), |rang| rang + 1);
            self.avancer(passes);
            if fin.is_some() || self.remplir()? == 0 {
                self.ligne = 0..0;
                return Ok(Some(Lue::TropLongue));
            }
        }
    }

    fn avancer(&mut self, octets: usize) {
        self.reste.start += octets;
        self.octets = self.octets.saturating_add(u64::try_from(octets).unwrap_or(u64::MAX));
    }

    /// Moves what remains to the front and reads what comes after; 0 at the end.
    fn remplir(&mut self) -> Result<usize, ErreurFichier> {
        self.tampon.copy_within(self.reste.clone(), 0);
        self.reste = 0..self.reste.len();
        loop {
            match self.source.read(&mut self.tampon[self.reste.end..]) {
                Ok(lus) => {
                    self.reste.end += lus;
                    return Ok(lus);
                }
                Err(erreur) if erreur.kind() == ErrorKind::Interrupted => {}
                Err(erreur) => return Err(erreur_lecture(&erreur, self.numero + 1, self.octets)),
            }
        }
    }

    /// The line, when it is whole, without its end of line.
    pub(super) fn octets(&self) -> &[u8] {
        let ligne = &self.tampon[self.ligne.clone()];
        ligne.strip_suffix(b"\r").unwrap_or(ligne)
    }

    /// Its number, from 1.
    pub(super) fn numero(&self) -> u64 {
        self.numero
    }

    /// Bytes of the lines read so far.
    pub(super) fn lus(&self) -> u64 {
        self.octets
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Morceaux;
    use super::*;

    fn lire(texte: &[u8], morceau: usize) -> Vec<(u64, Lue, Vec<u8>)> {
        let mut lignes = Lignes::nouvelles(Morceaux(texte, morceau));
        let mut lues = Vec::new();
        while let Some(lue) = lignes.suivante().unwrap() {
            let octets = if lue == Lue::Entiere { lignes.octets().to_vec() } else { Vec::new() };
            lues.push((lignes.numero(), lue, octets));
        }
        assert_eq!(lignes.lus(), texte.len() as u64);
        lues
    }

    #[test]
    fn memes_lignes_quels_que_soient_les_morceaux() {
        let longue = "x".repeat(LIGNE_MAX - 1);
        let texte = format!("une\r\n\n{longue}\n{longue}y\n{}\nfin", longue.repeat(20));
        let attendues = vec![
            (1, Lue::Entiere, b"une".to_vec()),
            (2, Lue::Entiere, Vec::new()),
            (3, Lue::Entiere, longue.clone().into_bytes()),
            (4, Lue::TropLongue, Vec::new()),
            (5, Lue::TropLongue, Vec::new()),
            (6, Lue::Entiere, b"fin".to_vec()),
        ];
        for morceau in [1000, 4096, TAMPON, usize::MAX] {
            assert_eq!(lire(texte.as_bytes(), morceau), attendues, "{morceau}");
        }
        assert_eq!(lire(b"a\nb", 1), [(1, Lue::Entiere, b"a".to_vec()), (2, Lue::Entiere, b"b".to_vec())]);
        assert!(lire(b"", 1).is_empty());
    }

    #[test]
    fn une_ligne_trop_longue_sans_fin() {
        let texte = vec![b'x'; TAMPON * 3];
        assert_eq!(lire(&texte, usize::MAX), [(1, Lue::TropLongue, Vec::new())]);
    }
}
