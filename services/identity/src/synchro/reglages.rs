//! Settings of the scheduled synchronisation, `sync.*`: a channel without a source is
//! not scheduled.

use std::{path::PathBuf, time::Duration};

use reqwest::Url;
use ror_chassis::{
    Erreur, Resultat,
    erreur::faute,
    reglages::{ConfigurationInvalide, Lecteur, Secret},
};
use ror_proto::identity::v1::Format;

use crate::annuaire::Acces;

/// A channel that can be scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canal {
    /// Name in the settings, the metrics and the tables.
    pub nom: &'static str,
    /// Format of its editions.
    pub format: Format,
    /// Beginnings of the names of its files, before the edition key: one for each file that
    /// the others do not replace, in the order they are loaded.
    pub motifs: &'static [&'static str],
    /// Age of the last edition above which an alert is raised, in hours.
    pub retard_h: u64,
}

const fn canal(nom: &'static str, format: Format, motifs: &'static [&'static str], retard_h: u64) -> Canal {
    Canal { nom, format, motifs, retard_h }
}

/// Every channel, in the order of a day.
pub const CANAUX: [Canal; 9] = [
    canal("finess_structures", Format::FinessStructures, &["finess-structures-journalier"], 48),
    canal("finess_activites", Format::FinessActivites, &["finess-activites-journalier"], 48),
    canal("finess_csv", Format::FinessCsv, ETALAB, 45 * 24),
    canal("finess_xml", Format::FinessXml, FLUX_XML, 48),
    canal("rpps_personne_activite", Format::RppsPersonneActivite, &["PS_LibreAcces_Personne_activite"], 72),
    canal("rpps_savoir_faire", Format::RppsSavoirFaire, &["PS_LibreAcces_SavoirFaire"], 72),
    canal("rpps_diplomes", Format::RppsDiplomes, &["PS_LibreAcces_Dipl_AutExerc"], 72),
    canal("rpps_restreint", Format::RppsRestreint, &["Extraction_ProSanteConnect_Personne_activite"], 72),
    canal("annuaire", Format::AnnuaireFhir, &[], 24),
];

/// Legal entities, sites, their positions, care activities, social equipments.
const ETALAB: &[&str] = &[
    "etalab-cs1100501-stock",
    "etalab-cs1100502-stock",
    "etalab-cs1100507-stock",
    "etalab-cs1100503-stock",
    "etalab-cs1100505-stock",
];

/// Legal entities, sites, care activities, social equipments.
const FLUX_XML: &[&str] =
    &["finess_cs1400101_stock", "finess_cs1400102_stock", "finess_cs1400103_stock", "finess_cs1400105_stock"];

/// Where the editions of a channel come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A folder: its newest file.
    Dossier(PathBuf),
    /// A dataset of data.gouv.fr, by its API: its newest file.
    Jeu(Url),
    /// One file, asked again when it has changed.
    Fichier(Url),
    /// The Annuaire Santé FHIR API.
    Annuaire(Acces),
}

impl Source {
    /// For a person: without the user, the password or the query of a URL.
    pub fn affichage(&self) -> String {
        let url = match self {
            Self::Dossier(chemin) => return chemin.display().to_string(),
            Self::Jeu(url) | Self::Fichier(url) => url,
            Self::Annuaire(acces) => &acces.base,
        };
        let mut url = url.clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.to_string()
    }
}

/// A channel that is scheduled.
#[derive(Clone, Debug)]
pub struct ReglageCanal {
    /// Which.
    pub canal: Canal,
    /// Its source.
    pub source: Source,
    /// Beginnings of the names of its files, in the order they are loaded.
    pub motifs: Vec<String>,
    /// Between two looks.
    pub intervalle: Duration,
    /// Age of the last edition above which an alert is raised.
    pub seuil: Duration,
}

/// Bounds of a download.
#[derive(Clone, Debug)]
pub struct Limites {
    /// Folder of the files being downloaded.
    pub dossier: PathBuf,
    /// Largest file, in bytes.
    pub octets_max: u64,
    /// Longest download, resumptions included.
    pub delai: Duration,
    /// Wait before the first resumption; it doubles.
    pub attente: Duration,
}

impl Default for Limites {
    fn default() -> Self {
        Self {
            dossier: std::env::temp_dir(),
            octets_max: 4 * 1024 * 1024 * 1024,
            delai: Duration::from_secs(3600),
            attente: Duration::from_secs(2),
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Reglages {
    /// Channels that have a source.
    pub canaux: Vec<ReglageCanal>,
    /// Bounds of every download.
    pub limites: Limites,
}

impl Reglages {
    /// Reads `sync.*`; faults join those of the reader.
    pub fn lire(l: &mut Lecteur) -> Self {
        let canaux: Vec<ReglageCanal> = CANAUX.iter().filter_map(|canal| lire_canal(l, *canal)).collect();
        exclure(l, &canaux);
        let defaut = Limites::default();
        let limites = Limites {
            dossier: l.ou("sync.download.folder", defaut.dossier),
            octets_max: l.ou("sync.download.max_bytes", defaut.octets_max),
            delai: Duration::from_secs(l.ou("sync.download.deadline_seconds", defaut.delai.as_secs())),
            attente: defaut.attente,
        };
        if limites.delai.is_zero() || limites.octets_max == 0 {
            l.faute("sync.download : deadline_seconds et max_bytes sont plus grands que 0");
        }
        Self { canaux, limites }
    }

    /// From the file and the environment. The keys of others are not its business.
    pub fn de_l_environnement() -> Resultat<Self> {
        let mut l = Lecteur::nouveau("").map_err(refuser)?;
        let reglages = Self::lire(&mut l);
        let fautes = match l.finir() {
            Ok(()) => return Ok(reglages),
            Err(ConfigurationInvalide(fautes)) => fautes,
        };
        let miennes: Vec<String> = fautes.into_iter().filter(|f| f.starts_with("sync.")).collect();
        if miennes.is_empty() { Ok(reglages) } else { Err(refuser(ConfigurationInvalide(miennes))) }
    }
}

fn refuser(ConfigurationInvalide(fautes): ConfigurationInvalide) -> Erreur {
    Erreur::Invalide(fautes.into_iter().map(|f| faute("sync", "configuration", f, "")).collect())
}

fn lire_canal(l: &mut Lecteur, canal: Canal) -> Option<ReglageCanal> {
    let cle = |nom: &str| format!("sync.{}.{nom}", canal.nom);
    let texte = l.option::<String>(&cle("source"));
    let annuaire = canal.format == Format::AnnuaireFhir;
    let intervalle = l.ou(&cle("interval_seconds"), 3600);
    if intervalle < 60 {
        l.faute(format!("{} : 60 au moins", cle("interval_seconds")));
    }
    let heures = l.ou(&cle("late_after_hours"), canal.retard_h);
    if heures == 0 {
        l.faute(format!("{} : 1 au moins", cle("late_after_hours")));
    }
    let motifs = if annuaire { Vec::new() } else { lire_motifs(l, &cle("pattern"), canal.motifs) };
    let source = if annuaire {
        lire_annuaire(l, texte.as_deref(), &cle)
    } else {
        texte.and_then(|t| lire_source(l, &t, &cle("source")))
    };
    Some(ReglageCanal {
        canal,
        source: source?,
        motifs,
        intervalle: Duration::from_secs(intervalle),
        seuil: Duration::from_secs(heures.saturating_mul(3600)),
    })
}

/// Beginnings of names, with commas between them.
fn lire_motifs(l: &mut Lecteur, cle: &str, defaut: &[&str]) -> Vec<String> {
    let texte = l.ou(cle, defaut.join(","));
    let motifs: Vec<String> =
        texte.split(',').map(str::trim).filter(|m| !m.is_empty()).map(str::to_owned).collect();
    if motifs.is_empty() {
        l.faute(format!(
            "{cle} : attendu le début du nom des fichiers, ou plusieurs séparés par des virgules"
        ));
    }
    motifs
}

/// What tells of structures and of their activities, for a person; none for the others.
fn flux(format: Format) -> Option<&'static str> {
    match format {
        Format::FinessStructures | Format::FinessActivites => Some("FINESS+"),
        Format::FinessCsv => Some("les fichiers etalab (CSV)"),
        Format::FinessXml => Some("le flux standard (XML)"),
        _ => None,
    }
}

/// FINESS+, its former CSV files and its XML flow converge on the same records: each would
/// undo what the other one tells.
fn exclure(l: &mut Lecteur, canaux: &[ReglageCanal]) {
    let mut programmes = canaux.iter().filter_map(|c| Some((flux(c.canal.format)?, c.canal.nom)));
    let Some((premier, nom)) = programmes.next() else { return };
    for (autre, cle) in programmes.filter(|(autre, _)| *autre != premier) {
        l.faute(format!(
            "sync.{cle}.source : {autre} et {premier} (sync.{nom}) décrivent les mêmes fiches ; \
             n'en programmez qu'un"
        ));
    }
}

fn lire_source(l: &mut Lecteur, texte: &str, cle: &str) -> Option<Source> {
    if texte.starts_with("http://") || texte.starts_with("https://") {
        let url = lire_url(l, texte, cle)?;
        let jeu = url.path().contains("/api/1/datasets/");
        return Some(if jeu { Source::Jeu(url) } else { Source::Fichier(url) });
    }
    let chemin = PathBuf::from(texte);
    if !chemin.is_absolute() {
        l.faute(format!("{cle} : attendu un dossier (chemin absolu) ou une adresse http(s)"));
        return None;
    }
    Some(Source::Dossier(chemin))
}

fn lire_annuaire(l: &mut Lecteur, texte: Option<&str>, cle: &impl Fn(&str) -> String) -> Option<Source> {
    let secret = l.option::<Secret>(&cle("api_key"));
    let taille = l.ou(&cle("page_size"), 200);
    if !(1..=1000).contains(&taille) {
        l.faute(format!("{} : de 1 à 1000", cle("page_size")));
    }
    let base = lire_url(l, texte?, &cle("source"))?;
    let locale = matches!(base.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if base.scheme() != "https" && !locale {
        l.faute(format!("{} : attendu une adresse https, la clé y passe", cle("source")));
    }
    let Some(secret) = secret else {
        l.faute(format!("{} manque : clé de l'API Annuaire Santé", cle("api_key")));
        return None;
    };
    Some(Source::Annuaire(Acces { base, cle: secret, taille }))
}

/// The value is not quoted: a URL may hold a secret.
fn lire_url(l: &mut Lecteur, texte: &str, cle: &str) -> Option<Url> {
    match Url::parse(texte) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Some(url),
        _ => {
            l.faute(format!("{cle} : adresse illisible, attendu https://hote/chemin"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lire(toml: &str) -> (Reglages, Vec<String>) {
        let mut l = Lecteur::nouveau(toml).unwrap();
        let reglages = Reglages::lire(&mut l);
        let fautes = match l.finir() {
            Ok(()) => Vec::new(),
            Err(ConfigurationInvalide(fautes)) => {
                fautes.into_iter().filter(|f| f.starts_with("sync.")).collect()
            }
        };
        (reglages, fautes)
    }

    #[test]
    fn without_a_source_nothing_is_scheduled() {
        let (reglages, fautes) = lire("");
        assert!(reglages.canaux.is_empty() && fautes.is_empty());
        assert!(Reglages::de_l_environnement().is_ok());
    }

    #[test]
    fn a_source_is_a_folder_a_dataset_or_a_file() {
        let (reglages, fautes) = lire(
            "[sync.finess_structures]\nsource='https://www.data.gouv.fr/api/1/datasets/finess-structures-1/'\n\
             [sync.rpps_personne_activite]\nsource='/depot/rpps'\ninterval_seconds=600\nlate_after_hours=96\n\
             [sync.rpps_diplomes]\nsource='https://lecteur:motdepasse@hote.invalid/dipl.txt?jeton=x'\n\
             pattern='Dipl'\n\
             [sync.annuaire]\nsource='https://gateway.invalid/fhir/v2'\napi_key='cle-secrete'\n",
        );
        assert_eq!(fautes, Vec::<String>::new());
        let sources: Vec<String> = reglages.canaux.iter().map(|c| c.source.affichage()).collect();
        assert_eq!(
            sources,
            [
                "https://www.data.gouv.fr/api/1/datasets/finess-structures-1/",
                "/depot/rpps",
                "https://hote.invalid/dipl.txt",
                "https://gateway.invalid/fhir/v2",
            ]
        );
        assert!(matches!(reglages.canaux[0].source, Source::Jeu(_)));
        assert!(matches!(reglages.canaux[2].source, Source::Fichier(_)));
        assert_eq!(reglages.canaux[1].intervalle, Duration::from_secs(600));
        assert_eq!(reglages.canaux[1].seuil, Duration::from_secs(96 * 3600));
        assert_eq!(reglages.canaux[2].motifs, ["Dipl"]);
        let texte = format!("{reglages:?}");
        assert!(!texte.contains("cle-secrete"), "a key never prints");
    }

    #[test]
    fn a_legacy_channel_follows_each_of_its_files_or_those_it_is_told() {
        let (reglages, fautes) = lire("[sync.finess_csv]\nsource='/depot/etalab'\n");
        assert_eq!(fautes, Vec::<String>::new());
        assert_eq!(reglages.canaux[0].canal.format, Format::FinessCsv);
        assert_eq!(reglages.canaux[0].motifs, ETALAB);
        let (reglages, fautes) = lire(
            "[sync.finess_xml]\nsource='/depot/xml'\npattern='finess_cs1400101_stock , finess_cs1400102_stock'\n",
        );
        assert_eq!(fautes, Vec::<String>::new());
        assert_eq!(reglages.canaux[0].motifs, ["finess_cs1400101_stock", "finess_cs1400102_stock"]);
        let (_, fautes) = lire("[sync.finess_csv]\nsource='/depot/etalab'\npattern=' , '\n");
        assert!(fautes.len() == 1 && fautes[0].starts_with("sync.finess_csv.pattern"), "{fautes:?}");
    }

    #[test]
    fn what_tells_of_the_same_structures_is_not_scheduled_twice() {
        let programmer = |canaux: &[&str]| {
            let texte: String = canaux.iter().map(|c| format!("[sync.{c}]\nsource='/depot/{c}'\n")).collect();
            lire(&texte).1
        };
        for permis in [
            &["finess_structures", "finess_activites", "rpps_personne_activite"][..],
            &["finess_csv", "rpps_personne_activite"],
            &["finess_xml"],
        ] {
            assert_eq!(programmer(permis), Vec::<String>::new(), "{permis:?}");
        }
        let fautes = programmer(&["finess_activites", "finess_csv", "finess_xml"]);
        assert_eq!(fautes.len(), 2, "{fautes:?}");
        assert!(fautes[0].starts_with("sync.finess_csv.source : les fichiers etalab (CSV) et FINESS+"));
        assert!(fautes[0].contains("sync.finess_activites"), "{fautes:?}");
        assert!(fautes[1].starts_with("sync.finess_xml.source"));
        assert_eq!(programmer(&["finess_csv", "finess_xml"]).len(), 1);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let (_, fautes) = lire(
            "[sync.finess_structures]\nsource='depot'\ninterval_seconds=5\n\
             [sync.finess_activites]\nsource='https://'\nlate_after_hours=0\n\
             [sync.annuaire]\nsource='http://ailleurs.invalid/fhir'\npage_size=0\n\
             [sync.download]\nmax_bytes=0\n",
        );
        for cle in [
            "sync.finess_structures.source",
            "sync.finess_structures.interval_seconds",
            "sync.finess_activites.source",
            "sync.finess_activites.late_after_hours",
            "sync.annuaire.source",
            "sync.annuaire.page_size",
            "sync.annuaire.api_key",
            "sync.download",
        ] {
            assert!(fautes.iter().any(|f| f.starts_with(cle)), "{cle} is named: {fautes:?}");
        }
        assert_eq!(fautes.len(), 8, "{fautes:?}");
    }
}
