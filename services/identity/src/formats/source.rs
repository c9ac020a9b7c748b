//! Where the bytes come from: gzip or plain, counted.

use std::cell::Cell;
use std::io::{self, Chain, Cursor, Read};

use flate2::read::MultiGzDecoder;
use memchr::memchr_iter;

use super::ErreurFichier;

const MAGIE_GZIP: [u8; 2] = [0x1f, 0x8b];
const MARQUE_UTF8: [u8; 3] = [0xef, 0xbb, 0xbf];

type Entame<S> = Chain<Cursor<Vec<u8>>, S>;

/// A source, decompressed when its first bytes say gzip.
pub(super) enum Source<S: Read> {
    /// Plain bytes.
    Brut(Entame<S>),
    /// One or several gzip members.
    Gzip(Box<MultiGzDecoder<Entame<S>>>),
}

/// Reads the first bytes, which may come in several pieces.
fn entamer<S: Read>(source: &mut S, taille: u64) -> io::Result<Vec<u8>> {
    let mut debut = Vec::new();
    source.by_ref().take(taille).read_to_end(&mut debut)?;
    Ok(debut)
}

impl<S: Read> Source<S> {
    /// Looks at the first two bytes and chooses.
    pub(super) fn ouvrir(mut source: S) -> io::Result<Self> {
        let debut = entamer(&mut source, 2)?;
        let gzip = debut == MAGIE_GZIP;
        let complet = Cursor::new(debut).chain(source);
        if gzip { Ok(Self::Gzip(Box::new(MultiGzDecoder::new(complet)))) } else { Ok(Self::Brut(complet)) }
    }
}

impl<S: Read> Read for Source<S> {
    fn read(&mut self, tampon: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Brut(source) => source.read(tampon),
            Self::Gzip(source) => source.read(tampon),
        }
    }
}

/// Skips a UTF-8 byte order mark; says how many bytes it took.
pub(super) fn sauter_marque<R: Read>(mut source: R) -> io::Result<(Entame<R>, u64)> {
    let debut = entamer(&mut source, 3)?;
    if debut == MARQUE_UTF8 {
        return Ok((Cursor::new(Vec::new()).chain(source), 3));
    }
    Ok((Cursor::new(debut).chain(source), 0))
}

/// French error for a failed read.
pub(super) fn erreur_lecture(erreur: &io::Error, ligne: u64, octet: u64) -> ErreurFichier {
    let message = match erreur.kind() {
        io::ErrorKind::UnexpectedEof => "Fichier compressé tronqué.".to_owned(),
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => "Fichier compressé abîmé.".to_owned(),
        _ => format!("Lecture du fichier impossible : {erreur}."),
    };
    ErreurFichier { ligne, octet, message }
}

/// What a [`Compteur`] has read, and how far it may go.
#[derive(Debug)]
pub(super) struct Jauge {
    octets: Cell<u64>,
    sauts: Cell<u64>,
    borne: Cell<u64>,
    depasse: Cell<bool>,
}

impl Jauge {
    /// A gauge without limit, some bytes being already read.
    pub(super) fn nouvelle(octets: u64) -> Self {
        Self {
            octets: Cell::new(octets),
            sauts: Cell::new(0),
            borne: Cell::new(u64::MAX),
            depasse: Cell::new(false),
        }
    }

    /// Allows so many more bytes, and no more.
    pub(super) fn borner(&self, octets: u64) {
        self.borne.set(self.octets.get().saturating_add(octets));
    }

    /// Removes the limit.
    pub(super) fn debrider(&self) {
        self.borne.set(u64::MAX);
    }

    /// Bytes read.
    pub(super) fn octets(&self) -> u64 {
        self.octets.get()
    }

    /// Line reached, from 1.
    pub(super) fn ligne(&self) -> u64 {
        self.sauts.get().saturating_add(1)
    }

    /// True when nothing more may be read.
    pub(super) fn atteinte(&self) -> bool {
        self.octets.get() >= self.borne.get()
    }

    /// True when the limit stopped the reading.
    pub(super) fn depasse(&self) -> bool {
        self.depasse.get()
    }
}

/// A reader that fills a [`Jauge`].
pub(super) struct Compteur<'j, R> {
    interne: R,
    jauge: &'j Jauge,
}

impl<'j, R: Read> Compteur<'j, R> {
    /// Counts what is read from `interne`.
    pub(super) fn nouveau(interne: R, jauge: &'j Jauge) -> Self {
        Self { interne, jauge }
    }
}

impl<R: Read> Read for Compteur<'_, R> {
    fn read(&mut self, tampon: &mut [u8]) -> io::Result<usize> {
        if self.jauge.atteinte() {
            self.jauge.depasse.set(true);
            return Err(io::Error::other("enregistrement trop long"));
        }
        let lus = self.interne.read(tampon)?;
        let sauts = memchr_iter(b'\n', tampon.get(..lus).unwrap_or_default()).count();
        let ajouter = |compte: &Cell<u64>, nombre: usize| {
            compte.set(compte.get().saturating_add(u64::try_from(nombre).unwrap_or(u64::MAX)));
        };
        ajouter(&self.jauge.octets, lus);
        ajouter(&self.jauge.sauts, sauts);
        Ok(lus)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Gives one byte at a time.
    struct Goutte<'a>(&'a [u8]);

    impl Read for Goutte<'_> {
        fn read(&mut self, tampon: &mut [u8]) -> io::Result<usize> {
            let borne = tampon.len().min(1);
            self.0.read(&mut tampon[..borne])
        }
    }

    fn lu(octets: &[u8]) -> Vec<u8> {
        let mut sortie = Vec::new();
        let (mut source, _) = sauter_marque(Source::ouvrir(Goutte(octets)).unwrap()).unwrap();
        source.read_to_end(&mut sortie).unwrap();
        sortie
    }

    #[test]
    fn gzip_ou_brut() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"\xef\xbb\xbfbonjour").unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(lu(&gzip), b"bonjour");
        assert_eq!(lu(&[gzip.clone(), gzip].concat()), b"bonjour\xef\xbb\xbfbonjour");
        assert_eq!(lu(b"bonjour"), b"bonjour");
        assert_eq!(lu(b"\xef\xbb\xbfbonjour"), b"bonjour");
        assert_eq!(lu(b"b"), b"b");
        assert_eq!(lu(b""), b"");
    }
}
