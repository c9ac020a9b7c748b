//! Probes and metrics.

use anyhow::{Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Rapport, Reponse,
    client::{appeler, http},
};

use crate::monde::Monde;

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("sante: live and ready answer 200", sondes(m)).await;
    r.verifier("sante: metrics are Prometheus text", metriques(m)).await;
}

pub async fn page(m: &Monde, chemin: &str) -> Result<Reponse> {
    let http = http(None, None)?;
    appeler(&http, Method::GET, &format!("{}{chemin}", m.mesh.base()), &[], None).await
}

async fn sondes(m: &Monde) -> Result<()> {
    for chemin in ["/live", "/ready"] {
        page(m, chemin).await?.attendre(200)?;
    }
    Ok(())
}

async fn metriques(m: &Monde) -> Result<()> {
    let reponse = page(m, "/metrics").await?.attendre(200)?;
    let genre = reponse.entete("content-type").unwrap_or_default();
    ensure!(genre.starts_with("text/plain"), "content type {genre:?}");
    let mesures = reponse.texte.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    let mut vues = 0;
    for ligne in mesures {
        let valeur = ligne.rsplit_once(' ').map(|(_, v)| v.parse::<f64>());
        ensure!(matches!(valeur, Some(Ok(_))), "not a measure: {ligne}");
        vues += 1;
    }
    ensure!(vues > 0 && reponse.texte.contains("# TYPE "), "no measure");
    Ok(())
}
