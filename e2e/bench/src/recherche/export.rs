//! `$export` as Bulk Data 2.0 says it: kick-off, polls, manifest, files, deletion.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::net::TcpStream;

use super::mesures::Atelier;
use crate::{
    facade::{DIFFUSION, Facade},
    http::{self, Connexion},
    machine,
    tableau::{Rapport, octets, secondes},
};

/// Longest export.
const EXPORT_MAX: Duration = Duration::from_secs(1800);
/// A token older than that is replaced.
const JETON: Duration = Duration::from_secs(120);
/// Between two polls when the server gives no delay.
const PAS: Duration = Duration::from_millis(200);
/// Longest wait between two polls, whatever the server asks.
const PAS_MAX: Duration = Duration::from_secs(2);

/// (f) One type, then everything.
pub async fn mesurer(a: &Atelier<'_>, r: &mut Rapport) -> Result<()> {
    let pid = a.facade.pid("gateway")?;
    for (quoi, requete) in [
        ("one type (HealthcareService)", "_type=HealthcareService"),
        ("system, every type", "_type=Organization,HealthcareService,Location,Practitioner,PractitionerRole"),
    ] {
        eprintln!("  export, {quoi}…");
        let avant = machine::memoire(pid).residente;
        machine::oublier_sommet(pid);
        match exporter(a.facade, requete).await {
            Ok(e) => {
                let total = e.octets as f64;
                let (debit, brut) =
                    (total / e.duree.as_secs_f64() / 1e6, total / e.lecture.as_secs_f64() / 1e6);
                let sommet = machine::memoire(pid).sommet;
                let texte = format!(
                    "{debit:.0} MB/s from the kick-off to the last byte ({} in {}, manifest after {}, {} files read at \
                     {brut:.0} MB/s); gateway {avant:.0} MB before, {sommet:.0} MB at the highest",
                    octets(total),
                    secondes(e.duree.as_secs_f64()),
                    secondes(e.manifeste.as_secs_f64()),
                    e.fichiers
                );
                r.au_moins(format!("Export as NDJSON, {quoi}"), texte, debit, 100.0, "MB/s");
            }
            Err(e) => {
                let texte = format!("**{e:#}**").replace('\n', " ");
                r.valeur(format!("Export as NDJSON, {quoi}"), texte.chars().take(300).collect::<String>());
            }
        }
    }
    Ok(())
}

struct Export {
    /// From the kick-off to the last byte.
    duree: Duration,
    /// From the kick-off to the manifest.
    manifeste: Duration,
    /// Reading the files alone.
    lecture: Duration,
    octets: u64,
    fichiers: usize,
}

/// The headers of the reader, whose token lasts five minutes.
struct Porteur<'a> {
    facade: &'a Facade,
    communs: String,
    pris: Instant,
}

impl<'a> Porteur<'a> {
    async fn nouveau(facade: &'a Facade) -> Result<Self> {
        Ok(Self { facade, communs: facade.lecteur().await?, pris: Instant::now() })
    }

    async fn communs(&mut self) -> Result<&str> {
        if self.pris.elapsed() > JETON {
            *self = Self::nouveau(self.facade).await?;
        }
        Ok(&self.communs)
    }
}

async fn exporter(f: &Facade, requete: &str) -> Result<Export> {
    let mut porteur = Porteur::nouveau(f).await?;
    let mut c = Connexion::ouvrir(f.adresse).await?;
    let mut tampon = Vec::new();
    let debut = Instant::now();
    let chemin = format!("{DIFFUSION}/$export?{requete}&_outputFormat=application%2Ffhir%2Bndjson");
    let entetes =
        format!("{}Accept: application/fhir+json\r\nPrefer: respond-async\r\n", porteur.communs().await?);
    http::get(&mut tampon, &chemin, &entetes);
    let reponse = c.echanger(&tampon).await?;
    reponse.exiger(202).context("kick-off")?;
    let etat = chemin_de(reponse.entete("content-location").context("a kick-off without Content-Location")?)?;
    let manifeste = attendre(&mut porteur, &mut c, &etat).await?;
    let pret = debut.elapsed();
    let sorties = manifeste["output"].as_array().into_iter().flatten();
    let urls: Vec<&str> = sorties.filter_map(|o| o["url"].as_str()).collect();
    ensure!(!urls.is_empty(), "a manifest without files");
    let mut octets = 0;
    for url in &urls {
        let entetes = format!("{}Accept: application/fhir+ndjson\r\n", porteur.communs().await?);
        http::get(&mut tampon, &chemin_de(url)?, &entetes);
        let (statut, n) = c.avaler(&tampon).await?;
        ensure!(statut == 200, "status {statut} for a file");
        octets += n;
    }
    let duree = debut.elapsed();
    // The job is done with: its files may go.
    let requete = format!("DELETE {etat} HTTP/1.1\r\n{}\r\n", porteur.communs().await?);
    if let Err(e) = c.echanger(requete.as_bytes()).await.and_then(|r| r.exiger(202)) {
        eprintln!("  deletion of the export: {e:#}");
    }
    Ok(Export { duree, manifeste: pret, lecture: duree - pret, octets, fichiers: urls.len() })
}

/// Polls until the manifest is there.
async fn attendre(porteur: &mut Porteur<'_>, c: &mut Connexion<TcpStream>, etat: &str) -> Result<Value> {
    let fin = Instant::now() + EXPORT_MAX;
    let mut tampon = Vec::new();
    loop {
        let entetes = format!("{}Accept: application/json\r\n", porteur.communs().await?);
        http::get(&mut tampon, etat, &entetes);
        let reponse = c.echanger(&tampon).await?;
        let attente = reponse.entete("retry-after").and_then(|s| s.parse().ok()).map(Duration::from_secs);
        match reponse.statut {
            200 => return Ok(serde_json::from_slice(reponse.corps)?),
            202 | 429 => {}
            _ => reponse.exiger(200).context("poll")?,
        }
        ensure!(Instant::now() < fin, "no manifest after {EXPORT_MAX:?}");
        tokio::time::sleep(attente.unwrap_or(PAS).min(PAS_MAX)).await;
    }
}

/// Path and query of a URL of the façade.
fn chemin_de(url: &str) -> Result<String> {
    let i = url.find(DIFFUSION).with_context(|| format!("{url} is not of the façade"))?;
    Ok(url[i..].to_owned())
}
