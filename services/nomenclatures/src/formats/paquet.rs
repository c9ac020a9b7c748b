//! Files, folders and archives of any of the forms. Nothing is unpacked to disk: a name
//! in an archive is only told in faults, so none can lead anywhere.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use ror_chassis::erreur::faute;

use super::{Lecture, fhir_json, fhir_xml, svs, tabs, tsv, xml};

/// Largest file read, once decompressed.
const FICHIER_MAX: u64 = 64 * 1024 * 1024;
/// Most bytes read in all, once decompressed.
const TOTAL_MAX: u64 = 1024 * 1024 * 1024;
/// Most files looked at.
const FICHIERS_MAX: usize = 20_000;
/// Folders inside folders, at most.
const PROFONDEUR_MAX: usize = 8;
/// Names worth opening in a folder or an archive.
const EXTENSIONS: [&str; 6] = ["json", "xml", "tabs", "tsv", "txt", "csv"];

const MAGIE_GZIP: [u8; 2] = [0x1f, 0x8b];
const MAGIE_ZIP: [u8; 2] = *b"PK";

/// What stops the whole reading: the path, or the archive itself.
#[derive(Debug, thiserror::Error)]
pub enum Erreur {
    /// The file or folder cannot be read.
    #[error("lecture de {chemin} impossible : {cause}")]
    Lecture {
        /// Its path.
        chemin: String,
        /// Why.
        cause: io::Error,
    },
    /// Too many files or bytes.
    #[error("{0} : c'est plus qu'un paquet de nomenclatures")]
    Taille(String),
}

/// Reads a file (of any form, gzip or not), a folder, a zip or a .tgz package. Faults tell
/// the file; the others go on.
pub fn lire(chemin: &Path) -> Result<Lecture, Erreur> {
    let mut p = Paquet::default();
    let resultat = if chemin.is_dir() { p.dossier(chemin, chemin, 0) } else { p.fichier(chemin) };
    match resultat {
        Ok(()) => Ok(p.lecture),
        Err(Arret::Taille(t)) => Err(Erreur::Taille(t)),
        Err(Arret::Io(cause)) => Err(Erreur::Lecture { chemin: chemin.display().to_string(), cause }),
    }
}

enum Arret {
    Io(io::Error),
    Taille(String),
}

impl From<io::Error> for Arret {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

#[derive(Default)]
struct Paquet {
    lecture: Lecture,
    fichiers: usize,
    octets: u64,
}

impl Paquet {
    fn dossier(&mut self, racine: &Path, dossier: &Path, profondeur: usize) -> Result<(), Arret> {
        let mut entrees: Vec<PathBuf> =
            fs::read_dir(dossier)?.map(|e| e.map(|e| e.path())).collect::<io::Result<_>>()?;
        entrees.sort();
        for e in entrees {
            // A link may lead out of the folder, or back into it.
            let nature = fs::symlink_metadata(&e)?.file_type();
            if nature.is_dir() && profondeur < PROFONDEUR_MAX {
                self.dossier(racine, &e, profondeur + 1)?;
            } else if nature.is_file() && interesse(&e) {
                let nom = e.strip_prefix(racine).unwrap_or(&e).display().to_string();
                self.contenu(&nom, File::open(&e)?)?;
            }
        }
        Ok(())
    }

    fn fichier(&mut self, chemin: &Path) -> Result<(), Arret> {
        let mut fichier = File::open(chemin)?;
        let mut magie = Vec::new();
        (&mut fichier).take(2).read_to_end(&mut magie)?;
        fichier.seek(SeekFrom::Start(0))?;
        let nom = chemin.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let lecteur = BufReader::new(fichier);
        if magie == MAGIE_ZIP {
            self.zip(&nom, lecteur)
        } else if magie == MAGIE_GZIP && (nom.ends_with(".tgz") || nom.ends_with(".tar.gz")) {
            self.tar(&nom, MultiGzDecoder::new(lecteur))
        } else if magie == MAGIE_GZIP {
            self.contenu(&nom, MultiGzDecoder::new(lecteur))
        } else {
            self.contenu(&nom, lecteur)
        }
    }

    fn tar(&mut self, nom: &str, source: impl Read) -> Result<(), Arret> {
        let mut archive = tar::Archive::new(source);
        for entree in archive.entries()? {
            let entree = match entree {
                Ok(e) => e,
                Err(e) => {
                    self.abimee(nom, &e);
                    return Ok(());
                }
            };
            let chemin = entree.path().map(|p| p.into_owned()).unwrap_or_default();
            if entree.header().entry_type().is_file() && interesse(&chemin) {
                self.contenu(&chemin.display().to_string(), entree)?;
            } else {
                self.compter()?;
            }
        }
        Ok(())
    }

    fn zip(&mut self, nom: &str, source: impl Read + Seek) -> Result<(), Arret> {
        let mut archive = match zip::ZipArchive::new(source) {
            Ok(a) => a,
            Err(e) => {
                self.abimee(nom, &e);
                return Ok(());
            }
        };
        for rang in 0..archive.len() {
            let entree = match archive.by_index(rang) {
                Ok(e) => e,
                Err(e) => {
                    self.abimee(&format!("{nom}, entrée {rang}"), &e);
                    continue;
                }
            };
            // A name that leads out of the archive is none of a package's.
            match entree.enclosed_name().filter(|n| entree.is_file() && interesse(n)) {
                Some(chemin) => self.contenu(&chemin.display().to_string(), entree)?,
                None => self.compter()?,
            }
        }
        Ok(())
    }

    fn abimee(&mut self, place: &str, cause: &dyn std::error::Error) {
        let message = format!("L'archive est abîmée : {cause}.");
        self.lecture.refuser(place, "archive", message, "une archive entière");
    }

    fn compter(&mut self) -> Result<(), Arret> {
        self.fichiers += 1;
        if self.fichiers > FICHIERS_MAX {
            return Err(Arret::Taille(format!("plus de {FICHIERS_MAX} fichiers")));
        }
        Ok(())
    }

    /// Reads one file whole, within the bounds.
    fn contenu(&mut self, nom: &str, source: impl Read) -> Result<(), Arret> {
        self.compter()?;
        let mut octets = Vec::new();
        if let Err(e) = source.take(FICHIER_MAX + 1).read_to_end(&mut octets) {
            self.abimee(nom, &e);
            return Ok(());
        }
        let taille = octets.len() as u64;
        self.octets = self.octets.saturating_add(taille);
        if self.octets > TOTAL_MAX {
            return Err(Arret::Taille(format!("plus de {} Mo", TOTAL_MAX / 1024 / 1024)));
        }
        if taille > FICHIER_MAX {
            let message = format!("Le fichier dépasse {} Mo.", FICHIER_MAX / 1024 / 1024);
            self.lecture.refuser(nom, "taille", message, "un fichier par nomenclature");
            return Ok(());
        }
        let mut lue = reconnaitre(&octets);
        for f in &mut lue.fautes {
            f.element = format!("{nom} : {}", f.element);
        }
        self.lecture.absorber(lue);
        Ok(())
    }
}

fn interesse(chemin: &Path) -> bool {
    let cache = chemin.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.'));
    let extension = chemin.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    !cache && extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str()))
}

/// Reads a file by what it holds, whatever its name says.
fn reconnaitre(octets: &[u8]) -> Lecture {
    let octets = octets.strip_prefix(b"\xef\xbb\xbf").unwrap_or(octets);
    match octets.iter().find(|b| !b.is_ascii_whitespace()) {
        None => Lecture::default(),
        Some(b'{' | b'[') => fhir_json::lire(octets),
        Some(b'<') => en_xml_ou_tabs(octets),
        Some(_) => en_texte(octets),
    }
}

/// Column names of a TABS file begin with `<` too.
fn en_xml_ou_tabs(octets: &[u8]) -> Lecture {
    if octets.starts_with(b"<OID>") {
        return en_texte(octets);
    }
    match xml::lire(octets) {
        Ok(racine) if svs::reconnait(&racine) => svs::lire_arbre(&racine),
        Ok(racine) => fhir_xml::lire_arbre(&racine),
        Err(message) => fhir_xml::illisible(message),
    }
}

fn en_texte(octets: &[u8]) -> Lecture {
    let texte = String::from_utf8_lossy(octets);
    if tabs::reconnait(&texte) {
        tabs::lire(octets)
    } else if tsv::reconnait(&texte) {
        tsv::lire(octets)
    } else {
        let attendu = "FHIR (JSON, XML), SVS (XML), TABS, ou notre TSV";
        let f = faute("ligne 1", "forme", "La forme du fichier n'est pas reconnue.", attendu);
        Lecture { nomenclatures: Vec::new(), fautes: vec![f] }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    const TSV: &str = "@\tTRE\tT\turn:tsv\t\t\t\t1\n1\tUn\n";
    const JSON: &str =
        r#"{"resourceType":"CodeSystem","url":"urn:json","content":"complete","concept":[{"code":"1"}]}"#;
    const XML: &str = r#"<CodeSystem xmlns="http://hl7.org/fhir"><url value="urn:xml"/><concept><code value="1"/></concept></CodeSystem>"#;
    const SVS: &str = r#"<RetrieveValueSetResponse xmlns="urn:ihe:iti:svs:2008"><ValueSet id="1.2" displayName="TRE_S" typeFichier="TRE" urlFichier="urn:svs"><ConceptList><Concept code="1"/></ConceptList></ValueSet></RetrieveValueSetResponse>"#;
    const TABS: &str = "<OID>;<Type fichier>;<Nom fichier>;<Description>;<URL fichier>\n1.2;TRE;TRE_T;;urn:tabs\n<OID>;<Code>;<Libellé>\n1.2;1;Un\n";

    /// Names and contents of a package, some of no use.
    const FICHIERS: [(&str, &str); 8] = [
        ("package/package.json", r#"{"name":"ans.fr.essai"}"#),
        ("package/CodeSystem.json", JSON),
        ("package/CodeSystem.xml", XML),
        ("package/svs.xml", SVS),
        ("package/liste.tabs", TABS),
        ("package/liste.tsv", TSV),
        ("package/image.png", "\u{1}"),
        ("package/notes.txt", "bonjour"),
    ];

    fn canoniques(l: &Lecture) -> Vec<&str> {
        let mut c: Vec<_> = l.nomenclatures.iter().map(|n| n.canonique.as_str()).collect();
        c.sort_unstable();
        c
    }

    fn lire_octets(nom: &str, octets: &[u8]) -> Lecture {
        let d = tempfile::tempdir().unwrap();
        let chemin = d.path().join(nom);
        fs::write(&chemin, octets).unwrap();
        lire(&chemin).unwrap()
    }

    fn verifier(l: &Lecture) {
        assert_eq!(canoniques(l), ["urn:json", "urn:svs", "urn:tabs", "urn:tsv", "urn:xml"]);
        let fautes: Vec<_> = l.fautes.iter().map(|f| (f.element.as_str(), f.regle.as_str())).collect();
        assert_eq!(fautes.len(), 1, "{fautes:?}");
        assert!(fautes[0].0.ends_with("notes.txt : ligne 1") && fautes[0].1 == "forme", "{fautes:?}");
    }

    #[test]
    fn a_package_is_read_as_a_folder_a_zip_or_a_tgz() {
        let d = tempfile::tempdir().unwrap();
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let mut tgz = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (nom, texte) in FICHIERS {
            let chemin = d.path().join(nom);
            fs::create_dir_all(chemin.parent().unwrap()).unwrap();
            fs::write(chemin, texte).unwrap();
            zip.start_file(nom, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(texte.as_bytes()).unwrap();
            let mut tete = tar::Header::new_gnu();
            tete.set_size(texte.len() as u64);
            tete.set_mode(0o644);
            tete.set_cksum();
            tgz.append_data(&mut tete, nom, texte.as_bytes()).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc", d.path().join("dehors")).unwrap();
        verifier(&lire(d.path()).unwrap());
        verifier(&lire_octets("p.zip", &zip.finish().unwrap().into_inner()));
        verifier(&lire_octets("p.tgz", &tgz.into_inner().unwrap().finish().unwrap()));
    }

    #[test]
    fn a_single_file_is_known_by_what_it_holds() {
        for (texte, canonique) in
            [(JSON, "urn:json"), (XML, "urn:xml"), (SVS, "urn:svs"), (TABS, "urn:tabs"), (TSV, "urn:tsv")]
        {
            assert_eq!(canoniques(&lire_octets("x", texte.as_bytes())), [canonique]);
        }
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(format!("\u{feff}{TSV}").as_bytes()).unwrap();
        assert_eq!(canoniques(&lire_octets("x.tsv.gz", &gz.finish().unwrap())), ["urn:tsv"]);
    }

    #[test]
    fn damaged_archives_and_missing_paths_are_told() {
        for (nom, octets) in [
            ("p.zip", &b"PK\x03\x04rien"[..]),
            ("p.tgz", &[0x1f, 0x8b, 8, 0, 1, 2]),
            ("p.gz", &[0x1f, 0x8b, 9]),
        ] {
            let l = lire_octets(nom, octets);
            assert!(l.nomenclatures.is_empty() && l.fautes[0].regle == "archive", "{nom} {l:?}");
        }
        assert!(matches!(lire(Path::new("/nulle/part")), Err(Erreur::Lecture { .. })));
        assert_eq!(lire_octets("vide.json", b" \n"), Lecture::default());
    }

    #[test]
    fn names_of_archives_are_kept_out_of_the_disk() {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("../../dehors.tsv", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(TSV.as_bytes()).unwrap();
        let l = lire_octets("p.zip", &zip.finish().unwrap().into_inner());
        assert!(l.nomenclatures.is_empty() && l.fautes.is_empty());
    }
}
