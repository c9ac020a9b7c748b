//! Files of an export: gzip on disk, in one member that any client reads, cut in pieces that can each
//! be read alone, so that a range of the plain bytes costs no more than the pieces it touches.

use std::{
    fs::File,
    io::{self, ErrorKind, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Plain bytes of a piece; only the last one is shorter.
pub const MORCEAU: usize = 256 * 1024;
/// Gzip without name nor date, from an unknown system.
const ENTETE: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block, empty.
const FIN: [u8; 2] = [3, 0];

/// A file that is whole and on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scelle {
    /// Plain bytes.
    pub taille: u64,
    /// SHA-256 of the plain bytes, hexadecimal.
    pub sha256: String,
    /// Bytes on disk.
    pub taille_gzip: u64,
    /// SHA-256 of the bytes on disk.
    pub sha256_gzip: String,
    /// Bytes on disk of each piece.
    pub morceaux: Vec<u32>,
}

/// A file being written.
pub struct Ecrivain {
    fichier: File,
    clair: Vec<u8>,
    serre: Vec<u8>,
    deflate: Compress,
    crc: Crc,
    sha256: Sha256,
    sha256_gzip: Sha256,
    taille: u64,
    taille_gzip: u64,
    morceaux: Vec<u32>,
}

impl Ecrivain {
    /// Begins a file.
    pub fn creer(chemin: &Path) -> io::Result<Self> {
        let mut e = Self {
            fichier: File::create(chemin)?,
            clair: Vec::with_capacity(MORCEAU),
            serre: Vec::with_capacity(MORCEAU / 4),
            // FHIR JSON shrinks tenfold at the fastest level already.
            deflate: Compress::new(Compression::fast(), false),
            crc: Crc::new(),
            sha256: Sha256::new(),
            sha256_gzip: Sha256::new(),
            taille: 0,
            taille_gzip: 0,
            morceaux: Vec::new(),
        };
        e.poser(&ENTETE)?;
        Ok(e)
    }

    /// Adds plain bytes.
    pub fn ecrire(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let n = octets.len().min(MORCEAU - self.clair.len());
            self.clair.extend_from_slice(&octets[..n]);
            octets = &octets[n..];
            if self.clair.len() == MORCEAU {
                self.comprimer()?;
            }
        }
        Ok(())
    }

    /// Bytes on disk so far.
    pub fn sur_disque(&self) -> u64 {
        self.taille_gzip
    }

    /// Ends the file; it is on disk when this returns.
    pub fn clore(mut self) -> io::Result<Scelle> {
        if !self.clair.is_empty() {
            self.comprimer()?;
        }
        let mut fin = FIN.to_vec();
        fin.extend_from_slice(&self.crc.sum().to_le_bytes());
        // The trailer keeps the length modulo 2^32.
        fin.extend_from_slice(&(self.taille as u32).to_le_bytes());
        self.poser(&fin)?;
        self.fichier.sync_all()?;
        Ok(Scelle {
            taille: self.taille,
            sha256: hexadecimal(self.sha256),
            taille_gzip: self.taille_gzip,
            sha256_gzip: hexadecimal(self.sha256_gzip),
            morceaux: self.morceaux,
        })
    }

    /// One piece: a deflate stream of its own, flushed to a byte and not ended, so that the pieces one
    /// after the other are one stream.
    fn comprimer(&mut self) -> io::Result<()> {
        self.deflate.reset();
        self.serre.clear();
        let mut lus = 0;
        loop {
            self.serre.reserve(MORCEAU / 4);
            let avant = self.deflate.total_in();
            self.deflate.compress_vec(&self.clair[lus..], &mut self.serre, FlushCompress::Sync)?;
            lus += (self.deflate.total_in() - avant) as usize;
            // Room left: everything was flushed.
            if lus == self.clair.len() && self.serre.len() < self.serre.capacity() {
                break;
            }
        }
        self.crc.update(&self.clair);
        self.sha256.update(&self.clair);
        self.taille += self.clair.len() as u64;
        self.clair.clear();
        let serre = std::mem::take(&mut self.serre);
        self.morceaux.push(u32::try_from(serre.len()).map_err(io::Error::other)?);
        self.poser(&serre)?;
        self.serre = serre;
        Ok(())
    }

    fn poser(&mut self, octets: &[u8]) -> io::Result<()> {
        self.fichier.write_all(octets)?;
        self.sha256_gzip.update(octets);
        self.taille_gzip += octets.len() as u64;
        Ok(())
    }
}

fn hexadecimal(empreinte: Sha256) -> String {
    empreinte.finalize().iter().map(|o| format!("{o:02x}")).collect()
}

/// A file being read.
pub struct Lecteur {
    fichier: File,
    taille: u64,
    taille_gzip: u64,
    /// Where each piece begins on disk, then where the last one ends.
    bornes: Vec<u64>,
}

impl Lecteur {
    /// Opens a file.
    pub fn ouvrir(chemin: &Path, scelle: &Scelle) -> io::Result<Self> {
        let mut bornes = Vec::with_capacity(scelle.morceaux.len() + 1);
        let mut ici = ENTETE.len() as u64;
        bornes.push(ici);
        for m in &scelle.morceaux {
            ici += u64::from(*m);
            bornes.push(ici);
        }
        let (taille, taille_gzip) = (scelle.taille, scelle.taille_gzip);
        Ok(Self { fichier: File::open(chemin)?, taille, taille_gzip, bornes })
    }

    /// Bytes as they are on disk, from `de`, to `a` at most: never none.
    pub fn serre(&self, de: u64, a: u64) -> io::Result<Vec<u8>> {
        let n = a.min(self.taille_gzip).saturating_sub(de).min(MORCEAU as u64);
        self.lire(de, n)
    }

    /// Plain bytes from `de`, to `a` or the end of their piece: never none.
    pub fn clair(&self, de: u64, a: u64) -> io::Result<Vec<u8>> {
        let a = a.min(self.taille);
        let rang = (de / MORCEAU as u64) as usize;
        let (Some(debut), Some(fin)) = (self.bornes.get(rang), self.bornes.get(rang + 1)) else {
            return Err(ErrorKind::UnexpectedEof.into());
        };
        let premier = (rang * MORCEAU) as u64;
        let attendus = (self.taille - premier).min(MORCEAU as u64) as usize;
        let serre = self.lire(*debut, fin - debut)?;
        let mut clair = Vec::with_capacity(attendus);
        let mut inflate = Decompress::new(false);
        while clair.len() < attendus {
            let (lus, avant) = (inflate.total_in() as usize, clair.len());
            inflate.decompress_vec(&serre[lus..], &mut clair, FlushDecompress::Sync)?;
            if clair.len() == avant {
                return Err(ErrorKind::InvalidData.into());
            }
        }
        clair.truncate(attendus.min(a.saturating_sub(premier) as usize));
        let debut = (de - premier) as usize;
        if debut >= clair.len() {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        clair.drain(..debut);
        Ok(clair)
    }

    fn lire(&self, de: u64, n: u64) -> io::Result<Vec<u8>> {
        if n == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let mut octets = vec![0; n as usize];
        self.fichier.read_exact_at(&mut octets, de)?;
        Ok(octets)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn contenu(n: usize) -> Vec<u8> {
        let mut graine = 7u32;
        (0..n)
            .map(|i| {
                graine = graine.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // Runs that compress, noise that does not.
                if i / 3000 % 3 == 0 { (graine >> 24) as u8 } else { b"{\"resourceType\":"[i % 16] }
            })
            .collect()
    }

    #[test]
    fn what_is_written_in_any_steps_is_one_gzip_member_and_reads_back_from_anywhere() {
        for n in [0, 1, MORCEAU - 1, MORCEAU, MORCEAU + 1, 3 * MORCEAU + 17] {
            let clair = contenu(n);
            let chemin = std::env::temp_dir().join(format!("ror-fichier-{}-{n}", std::process::id()));
            let mut e = Ecrivain::creer(&chemin).unwrap();
            for tranche in clair.chunks(100_003) {
                e.ecrire(tranche).unwrap();
            }
            let scelle = e.clore().unwrap();
            let octets = std::fs::read(&chemin).unwrap();
            let hex = |o: &[u8]| Sha256::digest(o).iter().map(|x| format!("{x:02x}")).collect::<String>();
            assert_eq!((scelle.taille, scelle.taille_gzip), (n as u64, octets.len() as u64));
            assert_eq!((&scelle.sha256, &scelle.sha256_gzip), (&hex(&clair), &hex(&octets)));
            // One member: a reader that knows no second one gets everything, the check sum included.
            let mut lu = Vec::new();
            flate2::read::GzDecoder::new(&octets[..]).read_to_end(&mut lu).unwrap();
            assert!(lu == clair, "{n} bytes");
            let l = Lecteur::ouvrir(&chemin, &scelle).unwrap();
            for (de, a) in [(0, n), (n / 2, n), (n / 3, n / 3 + 5), (MORCEAU, n), (n.saturating_sub(1), n)] {
                if de >= a.min(n) {
                    assert!(l.clair(de as u64, a as u64).is_err());
                    continue;
                }
                let (a, mut lu) = (a.min(n), Vec::new());
                while de + lu.len() < a {
                    lu.extend(l.clair((de + lu.len()) as u64, a as u64).unwrap());
                }
                assert!(lu == clair[de..a], "{de} to {a} of {n}");
            }
            let mut lu = Vec::new();
            while lu.len() < octets.len() {
                lu.extend(l.serre(lu.len() as u64, u64::MAX).unwrap());
            }
            assert!(lu == octets);
            std::fs::remove_file(chemin).unwrap();
        }
    }
}
