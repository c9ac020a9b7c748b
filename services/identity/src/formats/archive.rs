//! A zip archive that brings one registry file. Its directory is looked at first, then
//! the file is read as it is decompressed: nothing is unpacked to disk, and no name
//! leads anywhere.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memmem;
use zip::{ZipArchive, result::ZipError};

use super::ErreurFichier;
use super::source::erreur_lecture;

/// How a zip archive begins.
pub const MAGIE: [u8; 4] = *b"PK\x03\x04";
/// Files of an archive.
const FICHIERS_MAX: u64 = 100;
/// Bytes of its directory, which is held in memory.
const REPERTOIRE_MAX: u64 = 256 * 1024;
/// Bytes of the registry file, once decompressed.
const OCTETS_MAX: u64 = 16 * 1024 * 1024 * 1024;
/// Endings of registry files, `.gz` put aside.
const EXTENSIONS: [&str; 5] = ["txt", "csv", "xml", "json", "ndjson"];

/// Record that ends an archive, its size without the comment, and the longest comment.
const FIN: [u8; 4] = *b"PK\x05\x06";
const FIN_TAILLE: u64 = 22;
const COMMENTAIRE_MAX: u64 = 65_535;
/// What comes before it in an archive of the large form.
const FIN_LONGUE: [u8; 4] = *b"PK\x06\x07";
const FIN_LONGUE_TAILLE: usize = 20;

/// True for the name of a registry file; a notice or a folder has another one.
#[must_use]
pub fn est_de_registre(nom: &str) -> bool {
    let nom = base(nom).to_ascii_lowercase();
    let nom = nom.strip_suffix(".gz").unwrap_or(&nom);
    !nom.starts_with('.') && nom.rsplit_once('.').is_some_and(|(_, fin)| EXTENSIONS.contains(&fin))
}

/// Last part of a path.
fn base(chemin: &str) -> &str {
    chemin.rsplit(['/', '\\']).next().unwrap_or_default()
}

/// What holds a registry file.
pub(super) enum Contenant<S> {
    /// The file itself.
    Fichier(S),
    /// An archive that brings it.
    Archive(Archive<S>),
}

/// An archive, and the registry file it brings.
pub(super) struct Archive<S> {
    zip: ZipArchive<S>,
    rang: usize,
    /// Name of the registry file.
    pub(super) nom: String,
}

impl<S: Read + Seek> Contenant<S> {
    /// Looks at the first bytes, then at the directory of an archive.
    pub(super) fn ouvrir(mut source: S) -> Result<Self, ErreurFichier> {
        let mut debut = Vec::new();
        source.by_ref().take(MAGIE.len() as u64).read_to_end(&mut debut).map_err(|e| lecture(&e))?;
        source.seek(SeekFrom::Start(0)).map_err(|e| lecture(&e))?;
        if debut != MAGIE {
            return Ok(Self::Fichier(source));
        }
        borner(&mut source)?;
        let zip = ZipArchive::new(source).map_err(|e| abimee(&e))?;
        Archive::choisir(zip).map(Self::Archive)
    }
}

impl<S: Read + Seek> Archive<S> {
    /// The only registry file of an archive.
    fn choisir(zip: ZipArchive<S>) -> Result<Self, ErreurFichier> {
        let mut trouves = Vec::new();
        for rang in 0..zip.len() {
            let entree = zip.by_index_data(rang).map_err(|e| abimee(&e))?;
            let nom = entree.name().map_err(|e| abimee(&e))?.into_owned();
            if !entree.is_file() || !est_de_registre(&nom) {
                continue;
            }
            if entree.encrypted() {
                return Err(refus("L'archive zip est chiffrée."));
            }
            if entree.size() > OCTETS_MAX {
                return Err(refus("Le fichier de l'archive zip dépasse 16 Gio."));
            }
            trouves.push((rang, base(&nom).to_owned()));
        }
        let noms = trouves.iter().map(|(_, nom)| nom.as_str()).collect::<Vec<_>>().join(", ");
        let nombre = trouves.len();
        match (trouves.pop(), nombre) {
            (Some((rang, nom)), 1) => Ok(Self { zip, rang, nom }),
            (Some(_), _) => Err(refus(&format!(
                "L'archive zip contient {nombre} fichiers de registre ({noms}) : elle n'en apporte qu'un à la fois."
            ))),
            (None, _) => Err(refus("L'archive zip ne contient aucun fichier de registre.")),
        }
    }

    /// The registry file, decompressed as it is read; its size and its sum are those told.
    pub(super) fn contenu(&mut self) -> Result<impl Read, ErreurFichier> {
        self.zip.by_index(self.rang).map_err(|e| abimee(&e))
    }
}

/// Refuses a directory that would not fit in memory, before anything holds it.
fn borner(source: &mut (impl Read + Seek)) -> Result<(), ErreurFichier> {
    let fin = lire_fin(source).map_err(|e| lecture(&e))?;
    let abimee = || refus("L'archive zip est tronquée ou abîmée.");
    let place = memmem::rfind(&fin, &FIN).ok_or_else(abimee)?;
    let (avant, bloc) = fin.split_at(place);
    let nombre = entier::<2>(bloc, 10).ok_or_else(abimee)?;
    let repertoire = entier::<4>(bloc, 12).ok_or_else(abimee)?;
    let commentaire = entier::<2>(bloc, 20).ok_or_else(abimee)?;
    if bloc.len() as u64 != FIN_TAILLE + commentaire {
        return Err(abimee());
    }
    let longue = avant.len().checked_sub(FIN_LONGUE_TAILLE).and_then(|debut| avant.get(debut..));
    if longue.is_some_and(|l| l.starts_with(&FIN_LONGUE)) {
        return Err(refus("L'archive zip est de la forme longue (zip64), qui n'est pas lue."));
    }
    if nombre > FICHIERS_MAX || repertoire > REPERTOIRE_MAX {
        return Err(refus("L'archive zip contient plus de 100 fichiers."));
    }
    Ok(())
}

/// The last bytes, where the end of an archive is; the source is back at its beginning.
fn lire_fin(source: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let taille = source.seek(SeekFrom::End(0))?;
    let longueur = taille.min(FIN_TAILLE + COMMENTAIRE_MAX + FIN_LONGUE_TAILLE as u64);
    source.seek(SeekFrom::Start(taille - longueur))?;
    let mut fin = Vec::new();
    source.by_ref().take(longueur).read_to_end(&mut fin)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(fin)
}

/// A number of so many bytes, at that place.
fn entier<const N: usize>(bloc: &[u8], place: usize) -> Option<u64> {
    let octets = bloc.get(place..place + N)?;
    Some(octets.iter().rev().fold(0, |n, octet| (n << 8) | u64::from(*octet)))
}

fn lecture(e: &io::Error) -> ErreurFichier {
    erreur_lecture(e, 1, 0)
}

fn abimee(e: &ZipError) -> ErreurFichier {
    refus(&format!("L'archive zip est abîmée : {e}."))
}

fn refus(message: &str) -> ErreurFichier {
    ErreurFichier { ligne: 1, octet: 0, message: message.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn archive(fichiers: &[(&str, &str)]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (nom, texte) in fichiers {
            zip.start_file(*nom, SimpleFileOptions::default()).unwrap();
            zip.write_all(texte.as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// Name and text of the registry file; None when the bytes are no archive.
    fn lire(octets: &[u8]) -> Result<Option<(String, String)>, String> {
        match Contenant::ouvrir(Cursor::new(octets)).map_err(|e| e.message)? {
            Contenant::Fichier(mut source) => {
                let mut lus = Vec::new();
                source.read_to_end(&mut lus).unwrap();
                assert_eq!(lus, octets, "read from its beginning");
                Ok(None)
            }
            Contenant::Archive(mut archive) => {
                let mut texte = String::new();
                let mut contenu = archive.contenu().map_err(|e| e.message)?;
                contenu.read_to_string(&mut texte).map_err(|e| lecture(&e).message)?;
                drop(contenu);
                Ok(Some((archive.nom, texte)))
            }
        }
    }

    #[test]
    fn the_one_registry_file_of_an_archive_is_read_whatever_comes_with_it() {
        for octets in [&b""[..], b"PK", b"finess;etalab;111;2026-05-12\n"] {
            assert_eq!(lire(octets), Ok(None));
        }
        let long = "ligne\n".repeat(100_000);
        let octets = archive(&[
            ("dossier/notice.pdf", "%PDF"),
            ("dossier/etalab-cs1100502-stock-20260512-0339.csv", long.as_str()),
            ("__MACOSX/._etalab-cs1100502-stock-20260512-0339.csv", "x"),
        ]);
        assert!(octets.len() < long.len() / 10);
        let lu = lire(&octets).unwrap().unwrap();
        assert_eq!((lu.0.as_str(), lu.1), ("etalab-cs1100502-stock-20260512-0339.csv", long));
        for (nom, attendu) in [
            ("PS_LibreAcces_Personne_activite_202610010830.TXT", true),
            ("a/finess-structures-journalier-20261001.json.gz", true),
            ("delta.ndjson", true),
            (".csv", false),
            ("notice.pdf", false),
            ("csv", false),
            ("a.csv/", false),
        ] {
            assert_eq!(est_de_registre(nom), attendu, "{nom}");
        }
    }

    #[test]
    fn what_an_archive_should_not_be_is_told() {
        let dit = |octets: &[u8]| lire(octets).unwrap_err();
        assert!(dit(&archive(&[("notice.pdf", "%PDF")])).contains("aucun fichier"));
        let deux = dit(&archive(&[("a.txt", "1"), ("b.txt", "2")]));
        assert!(deux.contains("2 fichiers") && deux.contains("a.txt, b.txt"), "{deux}");
        let noms: Vec<String> = (0..101).map(|n| format!("{n}.pdf")).collect();
        let nombreux: Vec<(&str, &str)> = noms.iter().map(|nom| (nom.as_str(), "")).collect();
        assert!(dit(&archive(&nombreux)).contains("plus de 100"));
        let entiere = archive(&[("a.txt", "un texte")]);
        assert!(dit(&entiere[..entiere.len() - 30]).contains("tronquée"));
        assert!(dit(b"PK\x03\x04rien").contains("tronquée"));
    }

    #[test]
    fn the_sum_of_what_is_read_is_the_one_told() {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        let brut = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        zip.start_file("a.txt", brut).unwrap();
        zip.write_all(b"contenu").unwrap();
        let mut octets = zip.finish().unwrap().into_inner();
        assert_eq!(lire(&octets).unwrap().unwrap().1, "contenu");
        let place = memmem::find(&octets, b"contenu").unwrap();
        octets[place] ^= 0x20;
        assert!(lire(&octets).unwrap_err().contains("abîmé"));
    }
}
