//! A page of a search: where the next one is, and what is worth keeping of it.

use std::{collections::HashSet, io::Write};

use flate2::{Compression, write::GzEncoder};
use reqwest::Url;
use ror_chassis::{Erreur, Resultat};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use time::Date;

use super::Acces;
use crate::formats::annuaire::empreinte;

#[derive(Deserialize)]
struct Bundle<'p> {
    #[serde(rename = "resourceType", default)]
    genre: String,
    #[serde(default)]
    link: Vec<Lien>,
    #[serde(borrow, default)]
    entry: Vec<&'p RawValue>,
}

#[derive(Deserialize)]
struct Lien {
    relation: String,
    url: String,
}

/// A page, once read.
#[derive(Debug)]
pub(super) struct Page {
    /// The next page; None on the last one.
    pub(super) suivante: Option<Url>,
    /// A Bundle of what is new, on one line, gzip; None when nothing is.
    pub(super) charge: Option<Vec<u8>>,
}

/// The search of a type.
pub(super) fn premiere(acces: &Acces, genre: &str, inclus: &[&str], depuis: Date) -> Resultat<Url> {
    let mut url = acces.base.clone();
    match url.path_segments_mut() {
        Ok(mut segments) => {
            segments.pop_if_empty().push(genre);
        }
        Err(()) => {
            return Err(Erreur::faute(
                "sync.annuaire.source",
                "valeur",
                "L'adresse de l'API Annuaire Santé ne peut pas porter de recherche.",
                "https://hote/chemin",
            ));
        }
    }
    url.query_pairs_mut()
        .append_pair("_lastUpdated", &format!("ge{depuis}"))
        .append_pair("_count", &acces.taille.to_string())
        .extend_pairs(inclus.iter().map(|i| ("_include", *i)));
    Ok(url)
}

/// The page a link leads to; refused when it leaves the API, where the key would follow.
pub(super) fn suivante(base: &Url, lien: &str) -> Resultat<Url> {
    match base.join(lien) {
        Ok(url) if url.origin() == base.origin() => Ok(url),
        _ => Err(Erreur::Indisponible(
            "le lien de page suivante sort de l'API Annuaire Santé : il n'est pas suivi".into(),
        )),
    }
}

/// Reads the page found at `url`. Resources whose version is in `chargees` are left
/// out, except those asked beside others; the others join `vues`.
pub(super) fn lire(
    octets: &[u8],
    url: &Url,
    chargees: &HashSet<u64>,
    vues: &mut HashSet<u64>,
) -> Resultat<Page> {
    let bundle: Bundle<'_> = serde_json::from_slice(octets)
        .map_err(|_| Erreur::Indisponible("une page de l'API Annuaire Santé est illisible".into()))?;
    if bundle.genre != "Bundle" {
        return Err(Erreur::Indisponible(format!(
            "l'API Annuaire Santé répond par une ressource « {} » au lieu d'un Bundle",
            bundle.genre
        )));
    }
    let suivante = match bundle.link.iter().find(|l| l.relation == "next") {
        None => None,
        Some(lien) => Some(suivante(url, &lien.url)?),
    };
    if suivante.as_ref() == Some(url) {
        return Err(Erreur::Indisponible("une page de l'API Annuaire Santé renvoie à elle-même".into()));
    }
    let mut gardees = Vec::with_capacity(bundle.entry.len());
    let mut nouvelles = false;
    for brut in &bundle.entry {
        let (jointe, version) = situer(brut);
        let connue = version.is_some_and(|v| chargees.contains(&v));
        if !jointe {
            vues.extend(version);
            nouvelles |= !connue;
        }
        if jointe || !connue {
            gardees.push(brut.get());
        }
    }
    let charge =
        nouvelles.then(|| comprimer(&gardees)).transpose().map_err(|e| Erreur::Interne(Box::new(e)))?;
    Ok(Page { suivante, charge })
}

/// Whether an entry was asked beside others, and its version.
fn situer(brut: &RawValue) -> (bool, Option<u64>) {
    let Ok(entree) = serde_json::from_str::<Value>(brut.get()) else {
        // Kept: the reader will refuse it and say why.
        return (false, None);
    };
    let mode = entree.get("search").and_then(|s| s.get("mode")).and_then(Value::as_str);
    (mode == Some("include"), entree.get("resource").and_then(empreinte))
}

/// A Bundle on one line.
fn comprimer(entrees: &[&str]) -> std::io::Result<Vec<u8>> {
    let mut sortie = GzEncoder::new(Vec::new(), Compression::fast());
    sortie.write_all(br#"{"resourceType":"Bundle","type":"searchset","entry":["#)?;
    for (rang, entree) in entrees.iter().enumerate() {
        if rang > 0 {
            sortie.write_all(b",")?;
        }
        // A line break can only stand between two tokens.
        for ligne in entree.split(['\n', '\r']) {
            sortie.write_all(ligne.as_bytes())?;
        }
    }
    sortie.write_all(b"]}\n")?;
    sortie.finish()
}
