//! The text of a file on its way to the JSON reader, which takes it byte by byte. An
//! object may be read in place instead, many times faster: the reader is then given its
//! two braces only, and goes on after it as if it were empty.

use std::cell::RefCell;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use memchr::memrchr;

use super::super::source::{Compteur, Jauge};
use super::arbre::Arbre;

/// Bytes asked of the source at once.
const MORCEAU: usize = 256 * 1024;

/// What was read and not taken yet.
pub(super) struct Tampon<'j, S> {
    source: Compteur<'j, S>,
    jauge: &'j Jauge,
    /// The next text; what comes before `pos` was taken, the byte just before it last,
    /// unless `pos` is 0.
    texte: String,
    pos: usize,
    /// What follows the text and is not part of it yet: a cut character at most, or
    /// what begins with a byte that is not of UTF-8.
    brut: Vec<u8>,
    attente: Range<usize>,
    illisible: bool,
    fini: bool,
    /// Told once what comes before it was taken.
    erreur: Option<io::Error>,
    /// Bytes the next object may need, from those before: a file of long objects is not
    /// parsed twice.
    attendu: usize,
    /// Where the JSON reader believes it is.
    ligne: usize,
    colonne: usize,
    /// The last line, as it believes, where an object was read in place, and what to
    /// add (wrapping) to the columns that come after it.
    ligne_passee: usize,
    decalage: usize,
}

impl<'j, S: Read> Tampon<'j, S> {
    /// Nothing read yet.
    pub(super) fn nouveau(source: Compteur<'j, S>, jauge: &'j Jauge) -> Self {
        Self {
            source,
            jauge,
            texte: String::new(),
            pos: 0,
            brut: vec![0; MORCEAU],
            attente: 0..0,
            illisible: false,
            fini: false,
            erreur: None,
            attendu: 0,
            ligne: 1,
            colonne: 0,
            ligne_passee: 0,
            decalage: 0,
        }
    }

    /// Reads in place the object whose brace was just taken. None when it is not one, or
    /// cannot be read so: nothing more was taken then.
    pub(super) fn objet<R>(&mut self, voir: impl FnOnce(&str, &Arbre<'_>) -> R) -> Option<R> {
        let debut = self.pos.checked_sub(1)?;
        if self.texte.as_bytes().get(debut) != Some(&b'{') {
            return None;
        }
        let manque = self.attendu.saturating_sub(self.texte.len() - debut);
        if manque > 0 {
            self.etendre(manque);
        }
        loop {
            let debut = self.pos - 1;
            let reste = &self.texte[debut..];
            let lus = reste.len();
            match Arbre::lire(reste) {
                Ok((arbre, longueur)) => {
                    let vu = voir(&reste[..longueur], &arbre);
                    drop(arbre);
                    self.passer(longueur);
                    return Some(vu);
                }
                Err(erreur) if erreur.is_eof() => {}
                Err(_) => return None,
            }
            // Twice as much each time: a long object is not read over and over.
            if !self.etendre(lus.max(MORCEAU)) {
                return None;
            }
        }
    }

    /// Goes to the last brace of an object so long, whose first was just taken.
    fn passer(&mut self, longueur: usize) {
        let fin = self.pos - 1 + longueur;
        let passe = &self.texte.as_bytes()[self.pos..fin - 1];
        let decalage = if self.ligne == self.ligne_passee { self.decalage } else { 0 };
        self.decalage = match memrchr(b'\n', passe) {
            None => decalage.wrapping_add(passe.len()),
            Some(saut) => (passe.len() - 1 - saut).wrapping_sub(self.colonne),
        };
        self.ligne_passee = self.ligne;
        self.attendu = longueur.max(self.attendu - self.attendu / 8);
        self.pos = fin - 1;
    }

    /// The column of an error of the JSON reader.
    pub(super) fn colonne(&self, erreur: &serde_json::Error) -> usize {
        let decalage = if erreur.line() == self.ligne_passee { self.decalage } else { 0 };
        erreur.column().wrapping_add(decalage)
    }

    /// Adds to the text, so much if possible; false when nothing could be added.
    fn etendre(&mut self, octets: usize) -> bool {
        let pris = self.texte.floor_char_boundary(self.pos.saturating_sub(1));
        self.texte.drain(..pris);
        self.pos -= pris;
        let avant = self.texte.len();
        self.verifier();
        while self.texte.len() - avant < octets && self.remplir() {}
        self.texte.len() > avant
    }

    /// Asks the source for more; false when it has no more to give.
    fn remplir(&mut self) -> bool {
        if self.illisible || self.fini || self.erreur.is_some() || self.jauge.atteinte() {
            return false;
        }
        let attente = self.attente.clone();
        self.attente = 0..attente.len();
        self.brut.copy_within(attente, 0);
        match self.source.read(&mut self.brut[self.attente.end..]) {
            Ok(0) => self.fini = true,
            Ok(lus) => {
                self.attente.end += lus;
                self.verifier();
            }
            Err(erreur) if erreur.kind() == ErrorKind::Interrupted => {}
            Err(erreur) => self.erreur = Some(erreur),
        }
        true
    }

    /// Makes text of what is.
    fn verifier(&mut self) {
        let attente = &self.brut[self.attente.clone()];
        let (texte, illisible) = match std::str::from_utf8(attente) {
            Ok(texte) => (texte, false),
            Err(erreur) => {
                let debut = &attente[..erreur.valid_up_to()];
                (std::str::from_utf8(debut).unwrap_or_default(), erreur.error_len().is_some())
            }
        };
        self.texte.push_str(texte);
        self.attente.start += texte.len();
        self.illisible = illisible;
    }

    /// Takes a byte; None at the end.
    fn octet(&mut self) -> io::Result<Option<u8>> {
        if self.pos == self.texte.len() && !self.etendre(1) {
            return self.hors_texte();
        }
        let octet = self.texte.as_bytes()[self.pos];
        self.pos += 1;
        self.compter(octet);
        Ok(Some(octet))
    }

    /// Takes a byte that is not text, or tells why there is none.
    fn hors_texte(&mut self) -> io::Result<Option<u8>> {
        if !self.attente.is_empty() {
            let octet = self.brut[self.attente.start];
            self.attente.start += 1;
            self.illisible = false;
            self.texte.clear();
            self.pos = 0;
            self.compter(octet);
            return Ok(Some(octet));
        }
        if let Some(erreur) = self.erreur.take() {
            return Err(erreur);
        }
        if self.fini {
            return Ok(None);
        }
        // Only the limit is left: the source tells it.
        self.source.read(&mut [0]).map(|_| None)
    }

    fn compter(&mut self, octet: u8) {
        if octet == b'\n' {
            self.ligne += 1;
            self.colonne = 0;
        } else {
            self.colonne += 1;
        }
    }
}

/// What the JSON reader reads: a byte at a time, so that nothing is taken ahead.
pub(super) struct Fil<'t, 'j, S>(pub(super) &'t RefCell<Tampon<'j, S>>);

impl<S: Read> Read for Fil<'_, '_, S> {
    fn read(&mut self, sortie: &mut [u8]) -> io::Result<usize> {
        let Some(place) = sortie.first_mut() else {
            return Ok(0);
        };
        let Some(octet) = self.0.borrow_mut().octet()? else {
            return Ok(0);
        };
        *place = octet;
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::{Hasard, Morceaux};
    use super::*;

    fn tampon<'j, 'a>(octets: &'a [u8], morceau: usize, jauge: &'j Jauge) -> Tampon<'j, Morceaux<'a>> {
        Tampon::nouveau(Compteur::nouveau(Morceaux(octets, morceau), jauge), jauge)
    }

    #[test]
    fn every_byte_is_given_once_text_or_not() {
        let mut hasard = Hasard(3);
        let lettres: [&[u8]; 7] =
            ["a".as_bytes(), b"{", b"\n", "é".as_bytes(), "😀".as_bytes(), b"\xff", b"\xc3"];
        for morceau in [1, 2, 3, 7, MORCEAU] {
            for _ in 0..50 {
                let lettres = (0..hasard.jusqu_a(60)).map(|_| lettres[hasard.jusqu_a(lettres.len())]);
                let octets = lettres.collect::<Vec<_>>().concat();
                let jauge = Jauge::nouvelle(0);
                let tampon = RefCell::new(tampon(&octets, morceau, &jauge));
                let mut lus = Vec::new();
                Fil(&tampon).read_to_end(&mut lus).unwrap();
                assert_eq!(lus, octets, "{morceau}");
                assert_eq!(jauge.octets(), octets.len() as u64);
            }
        }
    }

    #[test]
    fn an_object_read_in_place_leaves_its_braces() {
        let long = format!("{{\"a\":\"{}\"}}", "é".repeat(MORCEAU));
        let texte = format!("{{}}{{\"b\":[{{}}]}},{long};{{\"c\":1");
        for morceau in [1000, 4096, usize::MAX] {
            let jauge = Jauge::nouvelle(0);
            let mut tampon = tampon(texte.as_bytes(), morceau, &jauge);
            let mut vus = Vec::new();
            let mut donnes = Vec::new();
            while let Some(octet) = tampon.octet().unwrap() {
                donnes.push(octet);
                vus.extend(tampon.objet(|brut, _| brut.to_owned()));
            }
            assert_eq!(vus, ["{}", "{\"b\":[{}]}", long.as_str()]);
            assert_eq!(donnes, b"{}{},{};{\"c\":1");
        }
    }

    #[test]
    fn what_stops_the_source_is_told_after_what_it_gave() {
        let texte = "{\"a\":1}".repeat(3);
        let jauge = Jauge::nouvelle(0);
        jauge.borner(10);
        let mut tampon = tampon(texte.as_bytes(), 5, &jauge);
        assert_eq!(tampon.octet().unwrap(), Some(b'{'));
        assert_eq!(tampon.objet(|brut, _| brut.to_owned()), Some("{\"a\":1}".to_owned()));
        let mut restes = 0;
        let erreur = loop {
            match tampon.octet() {
                Ok(Some(_)) => restes += 1,
                Ok(None) => panic!("the limit is not told"),
                Err(erreur) => break erreur,
            }
        };
        assert_eq!((restes, erreur.kind()), (4, ErrorKind::Other));
        assert!(jauge.depasse());
    }
}
