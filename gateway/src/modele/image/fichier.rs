//! The file: a header, then sections that can be read at once, each cut in frames with a check sum, so that
//! nothing is read of a frame that is not as it was written.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use flate2::{Crc, CrcReader};

use super::Image;
use crate::prive;

/// Name of the image in its folder, and while it is written.
pub const FICHIER: &str = "modele.image";
const PROVISOIRE: &str = "modele.image.tmp";

const MAGIE: &[u8] = b"RORIMAGE";
/// Of the build: see `build.rs`.
const EMPREINTE: &[u8] = env!("ROR_EMPREINTE").as_bytes();
const SECTIONS: usize = 10;

/// What tells this build from those that read nothing of its images, 16 hexadecimal digits.
pub fn empreinte() -> &'static str {
    env!("ROR_EMPREINTE")
}

/// Magic, fingerprint, end of each section, check sum.
const ENTETE: usize = 8 + 16 + 8 * SECTIONS + 4;
/// Bytes of a frame, at most.
const CADRE: usize = 1 << 20;
/// Length of a frame, and its check sum.
const TETE: usize = 8;

/// The image is not as it was written.
pub fn abime() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "damaged")
}

/// The check sum of bytes.
pub fn somme(octets: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(octets);
    crc.sum()
}

/// Bytes of a file, and their check sum.
///
/// # Errors
///
/// The file cannot be read.
pub fn mesurer(chemin: &Path) -> io::Result<(u64, u32)> {
    let mut fichier = CrcReader::new(File::open(chemin)?);
    let octets = io::copy(&mut fichier, &mut io::sink())?;
    Ok((octets, fichier.crc().sum()))
}

/// Writes a whole file in place of the former one, or nothing; its bytes.
pub fn remplacer(dossier: &Path, ecrire: impl FnOnce(&mut Sortie) -> io::Result<()>) -> io::Result<u64> {
    prive::dossier(dossier)?;
    let provisoire = dossier.join(PROVISOIRE);
    // What a life that was cut short left.
    let _ = fs::remove_file(&provisoire);
    let ecrit = Sortie::creer(&provisoire)
        .and_then(|mut s| {
            ecrire(&mut s)?;
            s.sceller()
        })
        .and_then(|octets| fs::rename(&provisoire, dossier.join(FICHIER)).map(|()| octets));
    if ecrit.is_err() {
        let _ = fs::remove_file(&provisoire);
    }
    ecrit
}

/// An image being written.
pub struct Sortie {
    fichier: File,
    cadre: Vec<u8>,
    ecrits: u64,
    fins: Vec<u64>,
}

impl Sortie {
    fn creer(chemin: &Path) -> io::Result<Self> {
        let mut fichier = prive::fichier(chemin)?;
        // The header is known last.
        fichier.write_all(&[0; ENTETE])?;
        Ok(Self { fichier, cadre: Vec::with_capacity(CADRE), ecrits: ENTETE as u64, fins: Vec::new() })
    }

    /// Adds bytes.
    pub fn poser(&mut self, mut octets: &[u8]) -> io::Result<()> {
        while !octets.is_empty() {
            let (ici, reste) = octets.split_at(octets.len().min(CADRE - self.cadre.len()));
            self.cadre.extend_from_slice(ici);
            octets = reste;
            if self.cadre.len() == CADRE {
                self.vider()?;
            }
        }
        Ok(())
    }

    /// Adds a number of things.
    pub fn longueur(&mut self, n: usize) -> io::Result<()> {
        self.poser(&u32::try_from(n).map_err(io::Error::other)?.to_le_bytes())
    }

    /// Adds bytes and how many they are.
    pub fn octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.longueur(octets.len())?;
        self.poser(octets)
    }

    fn vider(&mut self) -> io::Result<()> {
        if self.cadre.is_empty() {
            return Ok(());
        }
        let mut tete = [0; TETE];
        tete[..4].copy_from_slice(&(self.cadre.len() as u32).to_le_bytes());
        tete[4..].copy_from_slice(&somme(&self.cadre).to_le_bytes());
        self.fichier.write_all(&tete)?;
        self.fichier.write_all(&self.cadre)?;
        self.ecrits += (TETE + self.cadre.len()) as u64;
        self.cadre.clear();
        Ok(())
    }

    /// Ends a section.
    pub fn clore(&mut self) -> io::Result<()> {
        self.vider()?;
        self.fins.push(self.ecrits);
        Ok(())
    }

    /// Ends the file; it is on disk when this returns.
    fn sceller(self) -> io::Result<u64> {
        let mut entete = Vec::with_capacity(ENTETE);
        entete.extend_from_slice(MAGIE);
        entete.extend_from_slice(EMPREINTE);
        entete.extend(self.fins.iter().flat_map(|f| f.to_le_bytes()));
        entete.extend_from_slice(&somme(&entete).to_le_bytes());
        if entete.len() != ENTETE {
            return Err(io::Error::other("sections"));
        }
        self.fichier.write_all_at(&entete, 0)?;
        self.fichier.sync_all()?;
        Ok(self.ecrits)
    }
}

impl Write for Sortie {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.poser(octets)?;
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An image being read.
pub struct Lecture {
    fichier: File,
    /// Where each section begins, then where the last one ends.
    bornes: Vec<u64>,
}

impl Lecture {
    /// Opens an image of this build that has its length.
    pub fn ouvrir(chemin: &Path) -> io::Result<Self> {
        let fichier = File::open(chemin)?;
        let mut entete = [0; ENTETE];
        fichier.read_exact_at(&mut entete, 0)?;
        let (corps, lue) = entete.split_at(ENTETE - 4);
        let fins = corps.strip_prefix(MAGIE).ok_or_else(abime)?;
        let fins =
            fins.strip_prefix(EMPREINTE).ok_or_else(|| io::Error::other("written by another build"))?;
        if somme(corps).to_le_bytes() != *lue {
            return Err(abime());
        }
        let mut bornes = vec![ENTETE as u64];
        bornes.extend(fins.as_chunks().0.iter().map(|o| u64::from_le_bytes(*o)));
        if !bornes.is_sorted() || bornes.last() != Some(&fichier.metadata()?.len()) {
            return Err(abime());
        }
        Ok(Self { fichier, bornes })
    }

    /// The file itself.
    pub fn fichier(self) -> File {
        self.fichier
    }

    /// All of a section, which is one thing.
    pub fn section<T: Image>(&self, n: usize) -> io::Result<T> {
        let (Some(&place), Some(&fin)) = (self.bornes.get(n), self.bornes.get(n + 1)) else {
            return Err(abime());
        };
        let mut e = Entree { fichier: &self.fichier, place, fin, cadre: Vec::new(), ici: 0 };
        let lu = T::lire(&mut e)?;
        if e.reste() == 0 { Ok(lu) } else { Err(abime()) }
    }
}

/// A section being read.
pub struct Entree<'a> {
    fichier: &'a File,
    /// Where the next frame begins, and where the last one ends.
    place: u64,
    fin: u64,
    cadre: Vec<u8>,
    /// How far the frame was read.
    ici: usize,
}

impl Entree<'_> {
    /// Bytes that are left, at most.
    fn reste(&self) -> u64 {
        self.fin - self.place + (self.cadre.len() - self.ici) as u64
    }

    fn avancer(&mut self) -> io::Result<()> {
        let mut tete = [0; TETE];
        let corps = self.place.checked_add(TETE as u64).filter(|c| *c <= self.fin).ok_or_else(abime)?;
        self.fichier.read_exact_at(&mut tete, self.place)?;
        let [a, b, c, d, lue @ ..] = tete;
        let longueur = u32::from_le_bytes([a, b, c, d]);
        if longueur == 0 || longueur as usize > CADRE || u64::from(longueur) > self.fin - corps {
            return Err(abime());
        }
        self.cadre.resize(longueur as usize, 0);
        self.fichier.read_exact_at(&mut self.cadre, corps)?;
        self.place = corps + u64::from(longueur);
        self.ici = 0;
        if somme(&self.cadre).to_le_bytes() == lue { Ok(()) } else { Err(abime()) }
    }

    /// That many bytes.
    pub fn tableau<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut octets = [0; N];
        self.read_exact(&mut octets)?;
        Ok(octets)
    }

    /// A number of things that take a byte each at least: never more than what is left.
    pub fn longueur(&mut self) -> io::Result<usize> {
        let n = u32::from_le_bytes(self.tableau()?);
        if u64::from(n) > self.reste() {
            return Err(abime());
        }
        usize::try_from(n).map_err(|_| abime())
    }

    /// What is made of as many bytes as is told in front of them.
    pub fn octets<R>(&mut self, faire: impl FnOnce(&[u8]) -> R) -> io::Result<R> {
        let n = self.longueur()?;
        if let Some(octets) = self.cadre.get(self.ici..self.ici + n) {
            let fait = faire(octets);
            self.ici += n;
            return Ok(fait);
        }
        let mut octets = vec![0; n];
        self.read_exact(&mut octets)?;
        Ok(faire(&octets))
    }
}

impl Read for Entree<'_> {
    fn read(&mut self, dans: &mut [u8]) -> io::Result<usize> {
        if self.ici == self.cadre.len() {
            if self.place == self.fin {
                return Ok(0);
            }
            self.avancer()?;
        }
        let n = dans.len().min(self.cadre.len() - self.ici);
        dans[..n].copy_from_slice(&self.cadre[self.ici..self.ici + n]);
        self.ici += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use roaring::RoaringBitmap;

    use super::*;

    type Tout = ((Vec<(String, Option<u32>)>, Vec<u8>), (BTreeMap<u32, Arc<[i64]>>, (RoaringBitmap, bool)));

    #[test]
    fn any_content_under_a_right_sum_is_read_or_refused() {
        let dossier = std::env::temp_dir().join(format!("ror-image-{}-contenu", std::process::id()));
        let tout: Tout = (
            (vec![("é".into(), None), ("b".into(), Some(7))], b"octets".to_vec()),
            (
                BTreeMap::from([(3, Arc::from([1, -2])), (9, Arc::default())]),
                ((0..50).chain(70_000..80_000).collect(), true),
            ),
        );
        let ecrire = |s: &mut Sortie| {
            (0..SECTIONS).try_for_each(|_| {
                tout.ecrire(s)?;
                s.clore()
            })
        };
        remplacer(&dossier, ecrire).unwrap();
        let chemin = dossier.join(FICHIER);
        let mut octets = fs::read(&chemin).unwrap();
        let lecture = Lecture::ouvrir(&chemin).unwrap();
        assert_eq!(lecture.section::<Tout>(SECTIONS - 1).unwrap(), tout);
        let (debut, fin) = (ENTETE + TETE, lecture.bornes[1] as usize);
        // What is not a bitmap's own bytes, of which there are thousands.
        for i in debut..fin.min(debut + 300) {
            for ecart in [1, 0x7f, 0xff] {
                let juste = octets[i];
                octets[i] = juste.wrapping_add(ecart);
                let somme = somme(&octets[debut..fin]).to_le_bytes();
                octets[debut - 4..debut].copy_from_slice(&somme);
                fs::write(&chemin, &octets).unwrap();
                let _ = Lecture::ouvrir(&chemin).unwrap().section::<Tout>(0);
                octets[i] = juste;
            }
        }
        fs::remove_dir_all(dossier).unwrap();
    }
}
