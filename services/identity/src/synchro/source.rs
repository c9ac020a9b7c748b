//! Which file of a source to take: the newest by the edition key of its name.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use reqwest::{Client, Url};
use ror_chassis::{Erreur, Resultat};
use serde::Deserialize;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::fs;

/// A file whose last change is younger may still be being written.
const STABLE: Duration = Duration::from_secs(30);
/// Largest description of a dataset.
const DESCRIPTION_MAX: usize = 16 * 1024 * 1024;
const DELAI: Duration = Duration::from_secs(30);

/// A file a source offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Offre {
    /// Name, which carries the edition key.
    pub(super) nom: String,
    /// Edition key, digits.
    pub(super) cle: String,
    /// What tells it apart from another file of the same key.
    pub(super) signature: String,
    /// Where it is.
    pub(super) lieu: Lieu,
}

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lieu {
    /// On a disk.
    Chemin(PathBuf),
    /// To download; size and sum as the source tells them.
    Adresse {
        /// Its URL.
        url: Url,
        /// Its size.
        taille: Option<u64>,
        /// Its SHA-1 or SHA-256, hexadecimal; empty when not told.
        somme: String,
    },
}

/// Edition key of a name that begins as `motif`, case and `-` or `_` put aside; empty
/// when the name has none, None when it is of another kind.
pub(super) fn cle(nom: &str, motif: &str) -> Option<String> {
    let meme = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
    let mut reste = nom.chars();
    for attendu in motif.chars() {
        if reste.next().map(meme) != Some(meme(attendu)) {
            return None;
        }
    }
    let reste = reste.as_str().trim_start_matches(['-', '_']);
    let chiffres: String = reste.chars().take_while(char::is_ascii_digit).collect();
    match chiffres.len() {
        8..=14 => Some(chiffres),
        0 if reste.is_empty() || reste.starts_with('.') => Some(chiffres),
        _ => None,
    }
}

/// A name that lacks its edition key, with it.
pub(super) fn nommer(nom: &str, cle: &str) -> String {
    let (debut, fin) = nom.split_at(nom.find('.').unwrap_or(nom.len()));
    format!("{debut}_{cle}{fin}")
}

/// Digits of an instant, such as 202610010214.
pub(super) fn cle_d_instant(texte: &str) -> String {
    texte.chars().take(16).filter(char::is_ascii_digit).collect()
}

/// Digits of a `Last-Modified`, else of now.
pub(super) fn cle_http(modifie: &str, maintenant: OffsetDateTime) -> String {
    let instant = OffsetDateTime::parse(modifie, &Rfc2822).unwrap_or(maintenant);
    cle_d_instant(&format!("{}T{:02}:{:02}", instant.date(), instant.hour(), instant.minute()))
}

/// The newest file of a folder; None while it may still be being written.
pub(super) async fn du_dossier(dossier: &Path, motif: &str) -> Resultat<Option<Offre>> {
    let illisible =
        |e: std::io::Error| Erreur::Indisponible(format!("dossier {} illisible : {e}", dossier.display()));
    let mut entrees = fs::read_dir(dossier).await.map_err(illisible)?;
    let mut meilleure: Option<(String, String, PathBuf)> = None;
    while let Some(entree) = entrees.next_entry().await.map_err(illisible)? {
        let nom = entree.file_name().to_string_lossy().into_owned();
        let en_cours = nom.ends_with(".part") || nom.ends_with(".tmp");
        let Some(cle) = cle(&nom, motif).filter(|c| !c.is_empty() && !en_cours) else {
            continue;
        };
        let candidate = (cle, nom, entree.path());
        if meilleure.as_ref().is_none_or(|connue| candidate > *connue) {
            meilleure = Some(candidate);
        }
    }
    let Some((cle, nom, chemin)) = meilleure else {
        return Err(Erreur::Introuvable(format!(
            "aucun fichier « {motif}… » avec une date dans le dossier {}",
            dossier.display()
        )));
    };
    let meta = fs::metadata(&chemin).await.map_err(illisible)?;
    let modifie = meta.modified().map_err(illisible)?;
    if modifie.elapsed().is_ok_and(|age| age < STABLE) {
        return Ok(None);
    }
    let instant = modifie.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let signature = format!("{nom}:{}:{}", meta.len(), instant.as_millis());
    Ok(Some(Offre { nom, cle, signature, lieu: Lieu::Chemin(chemin) }))
}

#[derive(Deserialize)]
struct Ressource {
    title: Option<String>,
    url: String,
    filesize: Option<u64>,
    checksum: Option<Somme>,
    last_modified: Option<String>,
}

#[derive(Deserialize)]
struct Somme {
    #[serde(rename = "type")]
    genre: String,
    value: String,
}

/// The newest file of a dataset of data.gouv.fr.
pub(super) async fn du_jeu(http: &Client, jeu: &Url, motif: &str) -> Resultat<Offre> {
    let echec = |e: reqwest::Error| {
        Erreur::Indisponible(format!("description du jeu de données illisible : {}", e.without_url()))
    };
    let mut reponse = http.get(jeu.clone()).timeout(DELAI).send().await.map_err(echec)?;
    if !reponse.status().is_success() {
        return Err(Erreur::Indisponible(format!(
            "le jeu de données {} répond {}",
            jeu.path(),
            reponse.status()
        )));
    }
    let mut octets = Vec::new();
    while let Some(morceau) = reponse.chunk().await.map_err(echec)? {
        if octets.len() + morceau.len() > DESCRIPTION_MAX {
            return Err(Erreur::Indisponible("description du jeu de données de plus de 16 Mio".into()));
        }
        octets.extend_from_slice(&morceau);
    }
    let description: Value = serde_json::from_slice(&octets)
        .map_err(|e| Erreur::Indisponible(format!("description du jeu de données illisible : {e}")))?;
    choisir(&description, motif, jeu.scheme()).ok_or_else(|| {
        Erreur::Introuvable(format!("aucun fichier « {motif}… » daté dans le jeu de données {}", jeu.path()))
    })
}

/// The newest file of a description. A resource of another shape is passed over.
pub(super) fn choisir(description: &Value, motif: &str, schema: &str) -> Option<Offre> {
    let ressources = description.get("resources").and_then(Value::as_array)?;
    ressources
        .iter()
        .filter_map(|brute| Ressource::deserialize(brute).ok())
        .filter_map(|r| Some((Url::parse(&r.url).ok()?, r)))
        .filter(|(url, _)| url.scheme() == "https" || url.scheme() == schema)
        .filter_map(|(url, r)| offre(r, url, motif))
        .max_by(|une, autre| (&une.cle, &une.signature).cmp(&(&autre.cle, &autre.signature)))
}

fn offre(r: Ressource, url: Url, motif: &str) -> Option<Offre> {
    let (nom, lue) = r
        .title
        .as_deref()
        .into_iter()
        .chain([fichier(&url)])
        .find_map(|nom| cle(nom, motif).map(|cle| (nom.to_owned(), cle)))?;
    let modifie = r.last_modified.unwrap_or_default();
    let (nom, cle) = if lue.is_empty() {
        let cle = cle_d_instant(&modifie);
        (nommer(&nom, &cle), cle)
    } else {
        (nom, lue)
    };
    let somme = r
        .checksum
        .filter(|s| matches!(s.genre.to_ascii_lowercase().as_str(), "sha1" | "sha-1" | "sha256" | "sha-256"))
        .map(|s| s.value.to_ascii_lowercase())
        .unwrap_or_default();
    let signature = if somme.is_empty() { format!("{}:{modifie}", url.path()) } else { somme.clone() };
    let lieu = Lieu::Adresse { url, taille: r.filesize, somme };
    (!cle.is_empty()).then_some(Offre { nom, cle, signature, lieu })
}

/// Last segment of a URL.
pub(super) fn fichier(url: &Url) -> &str {
    url.path().rsplit('/').next().unwrap_or_default()
}
