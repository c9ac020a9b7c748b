//! What a registry file is, from its first bytes and, when they do not say, its name.

use std::io::Read;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use ror_domaine::texte::lettres;
use ror_identity::formats::archive::{MAGIE as MAGIE_ZIP, est_de_registre};
use ror_proto::identity::v1::Format;

/// First bytes that are looked at.
pub const ENTAME: usize = 64 * 1024;

/// The registries, as the command names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registre {
    /// FINESS.
    Finess,
    /// RPPS.
    Rpps,
    /// Annuaire Santé.
    Annuaire,
}

impl Registre {
    /// Name of its command.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Finess => "finess",
            Self::Rpps => "rpps",
            Self::Annuaire => "annuaire",
        }
    }

    /// What it accepts.
    pub fn attendu(self) -> &'static str {
        match self {
            Self::Finess => {
                "FINESS+ structures ou activités (JSON), fichier etalab (CSV) ou flux standard (XML), simples, gzip ou zip"
            }
            Self::Rpps => {
                "Personne_activite, SavoirFaire ou Dipl_AutExerc en libre accès, ou une extraction restreinte, simples, gzip ou zip"
            }
            Self::Annuaire => "Annuaire Santé FHIR en NDJSON : un Bundle de recherche par ligne",
        }
    }

    /// Whose files these are; none when not told.
    pub fn de(format: Format) -> Option<Self> {
        Some(match format {
            Format::FinessStructures | Format::FinessActivites | Format::FinessCsv | Format::FinessXml => {
                Self::Finess
            }
            Format::RppsPersonneActivite
            | Format::RppsSavoirFaire
            | Format::RppsDiplomes
            | Format::RppsRestreint => Self::Rpps,
            Format::AnnuaireFhir => Self::Annuaire,
            Format::Unspecified => return None,
        })
    }
}

/// Name of a format for a person.
pub fn nom_format(format: Format) -> &'static str {
    match format {
        Format::FinessStructures => "FINESS+ structures",
        Format::FinessActivites => "FINESS+ activités",
        Format::FinessCsv => "FINESS etalab (CSV)",
        Format::FinessXml => "FINESS flux standard (XML)",
        Format::RppsPersonneActivite => "RPPS Personne_activite",
        Format::RppsSavoirFaire => "RPPS SavoirFaire",
        Format::RppsDiplomes => "RPPS Dipl_AutExerc",
        Format::RppsRestreint => "RPPS extraction restreinte",
        Format::AnnuaireFhir => "Annuaire Santé FHIR",
        Format::Unspecified => "format inconnu",
    }
}

/// Place of a format among those of a same day: structures before what refers to them.
pub fn rang(format: Format) -> u8 {
    match format {
        Format::FinessStructures | Format::FinessXml | Format::FinessCsv => 0,
        Format::FinessActivites => 1,
        Format::RppsPersonneActivite | Format::RppsRestreint => 2,
        Format::RppsSavoirFaire => 3,
        Format::RppsDiplomes => 4,
        Format::AnnuaireFhir => 5,
        Format::Unspecified => 6,
    }
}

/// Date, or date and time, in a name: its first run of 8 digits or more that starts with
/// 19 or 20, a dash counting for nothing. Empty when there is none.
pub fn cle_du_nom(nom: &str) -> String {
    let mut suite = String::new();
    for c in nom.chars().chain([' ']) {
        match c {
            '0'..='9' => suite.push(c),
            '-' if !suite.is_empty() => {}
            _ if suite.len() >= 8 && (suite.starts_with("20") || suite.starts_with("19")) => return suite,
            _ => suite.clear(),
        }
    }
    String::new()
}

/// The format of a file, or of the first registry file of a zip archive; the error is a
/// French sentence.
pub fn reconnaitre(nom: &str, debut: &[u8]) -> Result<Format, String> {
    match membre(debut)? {
        Some(membre) => reconnaitre_fichier(&membre.nom, &membre.deplier()?),
        None => reconnaitre_fichier(nom, debut),
    }
}

/// Date, or date and time, of a file: that of its name, else that of the name of the
/// registry file that it brings.
pub fn cle(nom: &str, debut: &[u8]) -> String {
    let cle = cle_du_nom(nom);
    if !cle.is_empty() {
        return cle;
    }
    membre(debut).ok().flatten().map(|m| cle_du_nom(&m.nom)).unwrap_or_default()
}

fn reconnaitre_fichier(nom: &str, debut: &[u8]) -> Result<Format, String> {
    if debut.is_empty() {
        return Err("le fichier est vide".into());
    }
    if debut.starts_with(&MAGIE_ZIP) {
        return Err("c'est une archive zip dans une autre".into());
    }
    let deplie;
    let octets = if debut.starts_with(&[0x1f, 0x8b]) {
        deplie = deplier(debut);
        &deplie[..]
    } else {
        debut
    };
    let texte = String::from_utf8_lossy(octets);
    let texte = texte.trim_start_matches('\u{feff}').trim_start();
    match texte.as_bytes().first() {
        None => Err("le fichier n'a que des blancs, ou sa compression est abîmée".into()),
        Some(b'{' | b'[') => json(nom, texte),
        Some(b'<') if texte.starts_with("<?xml") || texte.starts_with("<fluxfiness") => Ok(Format::FinessXml),
        _ => lignes(texte).ok_or_else(|| "ni JSON, ni XML, ni un en-tête connu en première ligne".to_owned()),
    }
}

/// A file of a zip archive, as its own header tells it.
struct Membre<'a> {
    nom: String,
    /// 0 when kept as it is, 8 when compressed.
    methode: u16,
    chiffre: bool,
    /// Bytes it takes; none when only what follows it tells them.
    taille: Option<usize>,
    /// What follows its header.
    suite: &'a [u8],
}

impl<'a> Membre<'a> {
    fn lire(octets: &'a [u8]) -> Option<Self> {
        let court = |place: usize| Some(u16::from_le_bytes(octets.get(place..place + 2)?.try_into().ok()?));
        let long = |place: usize| Some(u32::from_le_bytes(octets.get(place..place + 4)?.try_into().ok()?));
        if !octets.starts_with(&MAGIE_ZIP) {
            return None;
        }
        let drapeaux = court(6)?;
        let fin_nom = 30 + usize::from(court(26)?);
        let suite = octets.get(fin_nom + usize::from(court(28)?)..)?;
        let taille = usize::try_from(long(18)?).ok();
        Some(Self {
            nom: String::from_utf8_lossy(octets.get(30..fin_nom)?).into_owned(),
            methode: court(8)?,
            chiffre: drapeaux & 1 != 0,
            taille: taille.filter(|_| drapeaux & 8 == 0),
            suite,
        })
    }

    /// Its beginning, decompressed.
    fn deplier(&self) -> Result<Vec<u8>, String> {
        let suite = self.taille.and_then(|t| self.suite.get(..t)).unwrap_or(self.suite);
        match self.methode {
            _ if self.chiffre => Err("c'est une archive zip chiffrée".into()),
            0 => Ok(suite.to_vec()),
            8 => Ok(entamer(DeflateDecoder::new(suite))),
            _ => Err("c'est une archive zip d'une compression inconnue".into()),
        }
    }
}

/// The first registry file of a zip archive; none for any other file.
fn membre(debut: &[u8]) -> Result<Option<Membre<'_>>, String> {
    if !debut.starts_with(&MAGIE_ZIP) {
        return Ok(None);
    }
    let mut reste = debut;
    while let Some(m) = Membre::lire(reste) {
        if est_de_registre(&m.nom) {
            return Ok(Some(m));
        }
        match m.taille.and_then(|t| m.suite.get(t..)) {
            Some(suite) => reste = suite,
            None => break,
        }
    }
    Err("c'est une archive zip qui ne commence pas par un fichier de registre".into())
}

/// The beginning of a gzip file; what cannot be read is left out.
fn deplier(debut: &[u8]) -> Vec<u8> {
    entamer(MultiGzDecoder::new(debut))
}

fn entamer(lecteur: impl Read) -> Vec<u8> {
    let mut octets = Vec::new();
    // The input stops in the middle of the file: what came before the end is good.
    let _ = lecteur.take(ENTAME as u64).read_to_end(&mut octets);
    octets
}

fn json(nom: &str, texte: &str) -> Result<Format, String> {
    let a = |cle: &str| texte.contains(&format!("\"{cle}\""));
    if a("resourceType") {
        let premiere = texte.lines().next().unwrap_or("");
        return if premiere.contains("\"resourceType\"") {
            Ok(Format::AnnuaireFhir)
        } else {
            Err("du FHIR, mais sur plusieurs lignes : il faut un document JSON par ligne (NDJSON)".into())
        };
    }
    if a("activitesAutorisees") || a("activitesExercees") || a("numFiness") {
        return Ok(Format::FinessActivites);
    }
    if a("gco") || a("gcc") || a("informationsGeneralesPMEJ") {
        return Ok(Format::FinessStructures);
    }
    let nom = nom.to_lowercase();
    match (nom.contains("finess-structures"), nom.contains("finess-activites")) {
        (true, _) => Ok(Format::FinessStructures),
        (_, true) => Ok(Format::FinessActivites),
        _ => Err("du JSON, mais ni FINESS+ (pmej, gco, gcc) ni FHIR (resourceType)".into()),
    }
}

fn lignes(texte: &str) -> Option<Format> {
    let premiere = texte.lines().next().unwrap_or("").trim_end();
    let minuscules = premiere.to_lowercase();
    let etalab = ["finess;etalab;", "nofinesset;", "nofinessej;", "structureet;", "structureej;"];
    if etalab.iter().any(|d| minuscules.starts_with(d)) {
        return Some(Format::FinessCsv);
    }
    let colonnes: Vec<String> = premiere.split('|').map(lettres).collect();
    let a = |nom: &str| colonnes.iter().any(|c| c == nom);
    if !a("identifiantpp") {
        return None;
    }
    if a("codetypediplomeobtenu") || a("codetypeautorisation") {
        Some(Format::RppsDiplomes)
    } else if a("nomdefamille") || a("datedenaissance") {
        Some(Format::RppsRestreint)
    } else if a("codemodeexercice") || a("identifianttechniquedelastructure") {
        Some(Format::RppsPersonneActivite)
    } else if a("codesavoirfaire") {
        Some(Format::RppsSavoirFaire)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(texte: &str) -> Vec<u8> {
        let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        e.write_all(texte.as_bytes()).unwrap();
        e.finish().unwrap()
    }

    #[test]
    fn each_format_is_known_by_its_first_bytes_compressed_or_not() {
        let rpps = "Type d'identifiant PP|Identifiant PP|Identification nationale PP|";
        let cas = [
            (r#"{"schemaVersion":"v1.0.0","generatedAt":"x","gco":[],"gcc":[],"pmej":["#.to_owned(), Format::FinessStructures),
            (
                r#"{"schemaVersion":"v1.0.0","pmej":[{"numFiness":"1","pmSmsseId":"2","activitesAutorisees":["#.to_owned(),
                Format::FinessActivites,
            ),
            ("\u{feff}finess;etalab;111;2026-05-12\n".to_owned(), Format::FinessCsv),
            ("nofinesset;nofinessej;rs\n".to_owned(), Format::FinessCsv),
            ("<?xml version=\"1.0\"?>\n<fluxfiness>".to_owned(), Format::FinessXml),
            (format!("{rpps}Code mode exercice|\n8|"), Format::RppsPersonneActivite),
            (format!("{}CODE MODE EXERCICE\n8|", rpps.to_uppercase()), Format::RppsPersonneActivite),
            (format!("{rpps}Code profession|Code savoir-faire|\n"), Format::RppsSavoirFaire),
            (format!("{rpps}Code type diplôme obtenu|\n"), Format::RppsDiplomes),
            (format!("{rpps}Nom de famille|Code mode exercice|\n"), Format::RppsRestreint),
            (r#"{"resourceType":"Bundle","type":"searchset","entry":[]}"#.to_owned(), Format::AnnuaireFhir),
        ];
        for (texte, attendu) in cas {
            assert_eq!(reconnaitre("sans-nom", texte.as_bytes()), Ok(attendu), "{texte}");
            assert_eq!(reconnaitre("sans-nom.gz", &gzip(&texte)), Ok(attendu), "gzip {texte}");
        }
    }

    #[test]
    fn a_cut_gzip_is_enough_and_the_name_helps_a_mute_content() {
        // Letters that do not repeat, so that the compressed text is long enough to be cut.
        let mut n = 1_u64;
        let bruit: String = (0..60_000)
            .map(|_| {
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                char::from(b'a' + u8::try_from((n >> 33) % 26).unwrap())
            })
            .collect();
        let long = gzip(&format!(r#"{{"gco":[],"x":"{bruit}"}}"#));
        assert_eq!(reconnaitre("x", &long[..long.len() / 2]), Ok(Format::FinessStructures));
        assert_eq!(
            reconnaitre(
                "finess-activites-journalier-20261001.json",
                b"{\"schemaVersion\":\"v1.0.0\",\"pmej\":[]}"
            ),
            Ok(Format::FinessActivites)
        );
    }

    /// A file as it lies in a zip archive, its sizes told after it.
    fn membre_de(nom: &str, methode: u16, octets: &[u8]) -> Vec<u8> {
        let mut m = MAGIE_ZIP.to_vec();
        m.extend([20, 0, 8, 0]);
        m.extend(methode.to_le_bytes());
        m.extend([0; 16]);
        m.extend(u16::try_from(nom.len()).unwrap().to_le_bytes());
        m.extend([4, 0]);
        m.extend(nom.as_bytes());
        m.extend([1, 2, 3, 4]);
        m.extend(octets);
        m
    }

    #[test]
    fn the_first_registry_file_of_a_zip_archive_says_what_it_is() {
        let texte = b"finess;etalab;111;2026-05-12\n";
        let mut e = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        e.write_all(texte).unwrap();
        let compresse = e.finish().unwrap();
        let nom = "etalab-cs1100502-stock-20260512-0339.csv";
        let simple = membre_de(nom, 8, &compresse);
        assert_eq!(reconnaitre("x.zip", &simple), Ok(Format::FinessCsv));
        assert_eq!(cle("x.zip", &simple), "202605120339");
        assert_eq!(cle("x-20260601.zip", &simple), "20260601");
        assert_eq!(reconnaitre("x.zip", &membre_de(nom, 0, texte)), Ok(Format::FinessCsv));
        // A folder, whose size is told, comes before.
        let mut dossier = membre_de("etalab/", 0, b"");
        dossier[6] = 0;
        assert_eq!(reconnaitre("x.zip", &[dossier, simple.clone()].concat()), Ok(Format::FinessCsv));
        let mut chiffre = simple.clone();
        chiffre[6] |= 1;
        for (octets, mot) in [
            (chiffre, "chiffrée"),
            (membre_de(nom, 12, texte), "compression"),
            (membre_de("notice.pdf", 8, &compresse), "ne commence pas"),
            (membre_de("x.json", 0, &simple), "dans une autre"),
            (simple[..20].to_vec(), "ne commence pas"),
        ] {
            let e = reconnaitre("x.zip", &octets).unwrap_err();
            assert!(e.contains(mot), "{e}");
        }
    }

    #[test]
    fn what_is_not_known_is_told_in_a_sentence() {
        let cas: [(&[u8], &str); 6] = [
            (b"", "vide"),
            (b"PK\x03\x04rest", "zip"),
            (b"{\"autre\":1}", "FINESS+"),
            (b"{\n \"resourceType\": \"Bundle\"", "par ligne"),
            (b"a,b,c\n1,2,3\n", "en-tête"),
            (b"\x1f\x8bcasse", "compression"),
        ];
        for (octets, mot) in cas {
            let e = reconnaitre("fichier", octets).unwrap_err();
            assert!(e.contains(mot), "{e}");
        }
    }

    #[test]
    fn the_day_is_read_in_the_name() {
        assert_eq!(cle_du_nom("finess-structures-journalier-20261001.json.gz"), "20261001");
        assert_eq!(cle_du_nom("PS_LibreAcces_Personne_activite_202610010830.txt"), "202610010830");
        assert_eq!(cle_du_nom("etalab-cs1100502-stock-20260512-0339.csv"), "202605120339");
        assert_eq!(cle_du_nom("etalab_stock_et_20201231.csv"), "20201231");
        assert_eq!(cle_du_nom("fichier.txt"), "");
    }

    #[test]
    fn structures_come_before_activities_and_professionals() {
        let mut tous = [
            Format::RppsDiplomes,
            Format::RppsPersonneActivite,
            Format::FinessActivites,
            Format::FinessStructures,
        ];
        tous.sort_by_key(|f| rang(*f));
        assert_eq!(tous[0], Format::FinessStructures);
        assert_eq!(tous[3], Format::RppsDiplomes);
        assert_eq!(Registre::de(tous[1]), Some(Registre::Finess));
        assert_eq!(Registre::de(Format::Unspecified), None);
    }
}
