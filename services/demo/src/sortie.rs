//! Buffered writers that name the file they failed on.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::error::Error;

/// Bytes gathered before they are compressed or written.
const TAMPON: usize = 1 << 18;

/// Plain, or compressed as it goes. The header of gzip holds no date and no name.
enum Flux {
    Brut(BufWriter<File>),
    Gzip(Box<BufWriter<GzEncoder<File>>>),
}

impl Write for Flux {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self {
            Self::Brut(f) => f.write(octets),
            Self::Gzip(f) => f.write(octets),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Brut(f) => f.flush(),
            Self::Gzip(f) => f.flush(),
        }
    }
}

/// One output file, written as it is produced.
pub struct Sortie {
    chemin: String,
    flux: Flux,
    lignes: u64,
}

impl Sortie {
    /// Creates (or truncates) the file.
    pub fn creer(chemin: &Path) -> Result<Self, Error> {
        Self::ouvrir(chemin, |f| Flux::Brut(BufWriter::with_capacity(TAMPON, f)))
    }

    /// The same, compressed; fast rather than small.
    pub fn creer_gzip(chemin: &Path) -> Result<Self, Error> {
        Self::ouvrir(chemin, |f| {
            let encodeur = GzEncoder::new(f, Compression::fast());
            Flux::Gzip(Box::new(BufWriter::with_capacity(TAMPON, encodeur)))
        })
    }

    fn ouvrir(chemin: &Path, flux: impl FnOnce(File) -> Flux) -> Result<Self, Error> {
        let nom = chemin.display().to_string();
        match File::create(chemin) {
            Ok(fichier) => Ok(Self { chemin: nom, flux: flux(fichier), lignes: 0 }),
            Err(source) => Err(Error::Ecriture { chemin: nom, source }),
        }
    }

    /// Writes text as it is.
    pub fn texte(&mut self, texte: &str) -> Result<(), Error> {
        let resultat = self.flux.write_all(texte.as_bytes());
        resultat.map_err(|source| Error::Ecriture { chemin: self.chemin.clone(), source })
    }

    /// Writes compact JSON, without end of line.
    pub fn json<T: Serialize>(&mut self, valeur: &T) -> Result<(), Error> {
        serde_json::to_writer(&mut self.flux, valeur).map_err(|e| {
            // A full disk stops the encoder: it is still the file that failed.
            if e.is_io() {
                Error::Ecriture { chemin: self.chemin.clone(), source: e.into() }
            } else {
                Error::Encodage(e)
            }
        })
    }

    /// Writes one NDJSON line.
    pub fn ligne<T: Serialize>(&mut self, valeur: &T) -> Result<(), Error> {
        self.json(valeur)?;
        self.lignes += 1;
        self.texte("\n")
    }

    /// Flushes and tells how many NDJSON lines were written.
    pub fn finir(self) -> Result<u64, Error> {
        let fini = match self.flux {
            Flux::Brut(mut f) => f.flush(),
            Flux::Gzip(f) => {
                let encodeur = (*f).into_inner().map_err(io::IntoInnerError::into_error);
                encodeur.and_then(|e| e.finish().map(drop))
            }
        };
        match fini {
            Ok(()) => Ok(self.lignes),
            Err(source) => Err(Error::Ecriture { chemin: self.chemin, source }),
        }
    }
}

/// Creates a folder and its parents.
pub fn creer_dossier(chemin: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(chemin)
        .map_err(|source| Error::Ecriture { chemin: chemin.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_the_file_whoever_meets_it() -> Result<(), Error> {
        // Longer than the buffer: the encoder itself meets the refusal.
        for taille in [1, 1 << 19] {
            let mut sortie = Sortie::creer(Path::new("/dev/full"))?;
            let refus = sortie.json(&"x".repeat(taille)).and_then(|()| sortie.finir().map(|_| ()));
            let plein = matches!(&refus, Err(Error::Ecriture { chemin, source })
                if chemin == "/dev/full" && source.kind() == std::io::ErrorKind::StorageFull);
            assert!(plein, "{refus:?}");
        }
        Ok(())
    }
}
