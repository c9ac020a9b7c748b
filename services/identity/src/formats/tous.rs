//! Every format behind one door: how to read it, how a record of it is laid over
//! what is known, and what a whole file of it covers.

use std::cell::Cell;
use std::io::{self, Read, Seek};
use std::ops::ControlFlow;

use ror_proto::identity::v1::Format;
use ror_proto::identity::v1::identity::Ressource;

use super::archive::Contenant;
use super::couverture::{fusionner_activites, fusionner_structure};
use super::source::{Source, erreur_lecture};
use super::{
    ErreurFichier, Lecture, Resume, annuaire, etalab, finess_activites, finess_plus, finess_xml, rpps,
};

/// Count, in a [`Resume`], of the bytes read after decompression.
pub const OCTETS: &str = "octets";

/// Name of the registry file, when the source is a zip archive that brings one; None
/// for any other source.
///
/// # Errors
///
/// An archive that is not readable, or brings no registry file, or several.
pub fn membre(source: impl Read + Seek) -> Result<Option<String>, ErreurFichier> {
    Ok(match Contenant::ouvrir(source)? {
        Contenant::Fichier(_) => None,
        Contenant::Archive(archive) => Some(archive.nom),
    })
}

/// Reads a file as [`lire`] does, or the one that a zip archive brings.
///
/// # Errors
///
/// Those of [`membre`] and of [`lire`].
pub fn lire_fichier(
    format: Format,
    nom: &str,
    source: impl Read + Seek,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    match Contenant::ouvrir(source)? {
        Contenant::Fichier(source) => lire(format, nom, source, suite),
        Contenant::Archive(mut archive) => {
            let contenu = archive.contenu()?;
            lire(format, nom, contenu, suite)
        }
    }
}

/// Reads a file of any format, gzip or plain. The key of the edition comes from its
/// content, else from its name.
///
/// # Errors
///
/// Those of the reader of the format. What came before was handed over.
pub fn lire(
    format: Format,
    nom: &str,
    source: impl Read,
    suite: &mut impl FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let lus = Cell::new(0);
    let interne = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let source = Compte { interne, lus: &lus };
    let mut resume = match format {
        Format::FinessStructures => finess_plus::lire(source, suite),
        Format::FinessActivites => finess_activites::lire(source, suite),
        Format::FinessCsv => etalab::lire(source, suite),
        Format::FinessXml => finess_xml::lire(source, suite),
        Format::RppsPersonneActivite => rpps::lire(source, suite),
        Format::RppsSavoirFaire => rpps::lire_savoir_faire(source, suite),
        Format::RppsDiplomes => rpps::lire_diplomes(source, suite),
        Format::RppsRestreint => rpps::lire_restreint(source, suite),
        Format::AnnuaireFhir => annuaire::lire(source, suite),
        Format::Unspecified => {
            Err(ErreurFichier { ligne: 1, octet: 0, message: "Le format de l'édition manque.".to_owned() })
        }
    }?;
    resume.comptes.insert(OCTETS, lus.get());
    if resume.cle.is_empty() {
        resume.cle = cle_du_nom(nom).unwrap_or_default().1;
    }
    Ok(resume)
}

/// Counts what passes.
struct Compte<'c, R> {
    interne: R,
    lus: &'c Cell<u64>,
}

impl<R: Read> Read for Compte<'_, R> {
    fn read(&mut self, tampon: &mut [u8]) -> io::Result<usize> {
        let n = self.interne.read(tampon)?;
        self.lus.set(self.lus.get() + n as u64);
        Ok(n)
    }
}

/// The record to keep, the one read being laid over the known one; `suite` as in
/// [`Lecture`]. None when nothing is known and what was read does not make a record.
#[must_use]
pub fn superposer(
    format: Format,
    connu: Option<&Ressource>,
    lu: Ressource,
    suite: bool,
) -> Option<Ressource> {
    use Ressource::{ActivitesFiness, Formation, Professionnel, StructureFiness};
    match (connu, lu) {
        (connu, lu) if format == Format::AnnuaireFhir => annuaire::superposer(connu, lu),
        (Some(Professionnel(connu)), Professionnel(lu)) if format == Format::RppsSavoirFaire => {
            let poser = if suite { rpps::completer_savoir_faire } else { rpps::poser_savoir_faire };
            Some(Professionnel(poser(connu, lu)))
        }
        // A continuation, or savoir-faire alone, is not a whole record.
        (None, lu) => (!suite && format != Format::RppsSavoirFaire).then_some(lu),
        (Some(StructureFiness(connue)), StructureFiness(lue)) => {
            let mut structure = fusionner_structure(connue, lue, format);
            // No file tells it: a person accepted it.
            structure.finess_precedent.clone_from(&connue.finess_precedent);
            Some(StructureFiness(structure))
        }
        (Some(ActivitesFiness(connues)), ActivitesFiness(lues)) => {
            Some(ActivitesFiness(fusionner_activites(connues, lues, format, suite)))
        }
        (Some(Professionnel(connu)), Professionnel(lu)) if suite => {
            let mut entier = connu.clone();
            rpps::fusionner(&mut entier, lu);
            Some(Professionnel(entier))
        }
        (Some(Formation(connue)), Formation(lue)) if suite => {
            let mut entiere = connue.clone();
            rpps::fusionner_formation(&mut entiere, lue);
            Some(Formation(entiere))
        }
        (Some(_), lu) => Some(lu),
    }
}

/// True when a record of the format tells everything known of it, and a whole file
/// holds every record of its kind: equal bytes are then an equal record, and what is
/// missing is absent.
#[must_use]
pub fn complet(format: Format) -> bool {
    matches!(
        format,
        Format::FinessStructures
            | Format::FinessActivites
            | Format::RppsPersonneActivite
            | Format::RppsRestreint
            | Format::RppsDiplomes
    )
}

/// Kinds of the records a format holds, as the store names them.
#[must_use]
pub fn genres(format: Format) -> &'static [&'static str] {
    match format {
        Format::FinessStructures => &["structure_finess"],
        Format::FinessActivites => &["activites_finess"],
        Format::FinessCsv | Format::FinessXml => &["structure_finess", "activites_finess"],
        Format::RppsPersonneActivite | Format::RppsRestreint | Format::RppsSavoirFaire => &["professionnel"],
        Format::RppsDiplomes => &["formation"],
        Format::AnnuaireFhir => &["structure_finess", "professionnel"],
        Format::Unspecified => &[],
    }
}

/// Counts of a [`Resume`] that do not fall from one edition to the next.
#[must_use]
pub fn collections(format: Format) -> &'static [&'static str] {
    match format {
        Format::FinessStructures => &["gco", "gcc", "pmej", "ege"],
        Format::FinessActivites => {
            &["pmej", "ege", "activites-autorisees", "activites-exercees", "capacites"]
        }
        Format::FinessCsv | Format::FinessXml => {
            &["structureej", "structureet", "geolocalisation", "activiteoffresoin", "equipementsocial"]
        }
        Format::RppsPersonneActivite
        | Format::RppsRestreint
        | Format::RppsSavoirFaire
        | Format::RppsDiplomes => &["lignes", "personnes"],
        Format::AnnuaireFhir | Format::Unspecified => &[],
    }
}

/// Where the edition key is in the name of a file, and that key: day, or day and hour,
/// digits only. None when the name has no date.
#[must_use]
pub fn cle_du_nom(nom: &str) -> Option<(usize, String)> {
    (0..nom.len()).find_map(|debut| Some((debut, cle_ici(nom, debut)?)))
}

/// The key that begins exactly there.
fn cle_ici(nom: &str, debut: usize) -> Option<String> {
    let avant = debut.checked_sub(1).and_then(|rang| nom.as_bytes().get(rang));
    if avant.is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let reste = nom.get(debut..)?;
    let suite = chiffres(reste);
    match suite.len() {
        8 | 10 | 12 | 14 if est_jour(suite) => {
            let heure = reste.get(9..).map(chiffres).unwrap_or_default();
            let separee = reste.get(8..9).is_some_and(|s| matches!(s, "-" | "_" | "T"));
            let entiere = suite.len() == 8 && separee && matches!(heure.len(), 4 | 6);
            Some(if entiere { format!("{suite}{heure}") } else { suite.to_owned() })
        }
        6 if est_mois(suite) => Some(suite.to_owned()),
        4 => {
            let jour: String = reste.get(..10)?.split('-').collect();
            (jour.len() == 8 && est_jour(&jour)).then_some(jour)
        }
        _ => None,
    }
}

/// The digits a text begins with.
fn chiffres(texte: &str) -> &str {
    let fin = texte.bytes().position(|octet| !octet.is_ascii_digit()).unwrap_or(texte.len());
    texte.get(..fin).unwrap_or_default()
}

fn est_mois(texte: &str) -> bool {
    let siecle = matches!(texte.get(..2), Some("19" | "20"));
    siecle && texte.get(4..6).is_some_and(|mois| ("01"..="12").contains(&mois))
}

fn est_jour(texte: &str) -> bool {
    est_mois(texte) && texte.get(6..8).is_some_and(|jour| ("01"..="31").contains(&jour))
}

#[cfg(test)]
mod tests {
    use ror_proto::identity::v1::{self as proto, StructureFiness};

    use super::*;

    #[test]
    fn names_carry_the_key_of_their_edition() {
        for (nom, attendue) in [
            ("PS_LibreAcces_Personne_activite_202610010830.txt", "202610010830"),
            ("PS_LibreAcces_Personne_activite_202211220857.52cols.txt", "202211220857"),
            ("etalab-cs1100502-stock-20260512-0339.csv", "202605120339"),
            ("finess_cs1400101_stock_20260512-0130.xml", "202605120130"),
            ("finess-structures-journalier-20261001.json", "20261001"),
            ("finess-structures-mensuel-202607-echantillon.json.gz", "202607"),
            ("etalab_stock_et_20201231.csv", "20201231"),
            ("delta-2026-10-01.ndjson", "20261001"),
        ] {
            assert_eq!(cle_du_nom(nom).unwrap().1, attendue, "{nom}");
        }
        for nom in ["", "edition-it", "cs1100502.csv", "20269901.csv", "é-1234", "12345678901234567890"] {
            assert_eq!(cle_du_nom(nom), None, "{nom}");
        }
        assert_eq!(cle_du_nom("stock-20260512.csv").unwrap().0, 6);
    }

    #[test]
    fn an_accepted_predecessor_survives_every_edition() {
        let connue = StructureFiness {
            denomination: "AVANT".to_owned(),
            finess_precedent: "019000207".to_owned(),
            ..StructureFiness::default()
        };
        let lue = StructureFiness { denomination: "APRES".to_owned(), ..StructureFiness::default() };
        let connue = Ressource::StructureFiness(connue);
        let gardee =
            superposer(Format::FinessStructures, Some(&connue), Ressource::StructureFiness(lue), false);
        match gardee {
            Some(Ressource::StructureFiness(s)) => {
                assert_eq!((s.denomination.as_str(), s.finess_precedent.as_str()), ("APRES", "019000207"));
            }
            autre => panic!("{autre:?}"),
        }
    }

    #[test]
    fn savoir_faire_alone_does_not_make_a_professional() {
        let lu = Ressource::Professionnel(proto::Professionnel::default());
        assert_eq!(superposer(Format::RppsSavoirFaire, None, lu.clone(), false), None);
        assert_eq!(superposer(Format::RppsPersonneActivite, None, lu.clone(), true), None);
        assert_eq!(superposer(Format::RppsPersonneActivite, None, lu.clone(), false), Some(lu));
    }

    #[test]
    fn bytes_are_counted_after_decompression() {
        use std::io::Write;
        let texte = br#"{"schemaVersion":"v1.0.0","generatedAt":"2026-10-01T02:14:30Z","pmej":[]}"#;
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(texte).unwrap();
        for octets in [texte.to_vec(), gzip.finish().unwrap()] {
            let mut rien = |_: Lecture| ControlFlow::Continue(());
            let resume = lire(Format::FinessStructures, "x-20260930.json", octets.as_slice(), &mut rien);
            let resume = resume.unwrap();
            assert_eq!(resume.comptes.get(OCTETS), Some(&(texte.len() as u64)));
            assert_eq!(resume.cle, "20261001", "the content tells better than the name");
        }
    }
}
