//! A running mesh as its commands see it: where each service listens.

use std::{collections::BTreeMap, path::Path, process::ExitCode, time::Duration};

use anyhow::Context;
use ror_chassis::client::{Canal, canal};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::Cible;

/// Written by `ror up` in its data directory.
pub const FICHIER: &str = "mesh.json";

/// gRPC URL by service.
pub struct Maillage(pub BTreeMap<String, String>);

impl Maillage {
    /// Reads the file that `ror up` left.
    pub fn lire(dossier: &Path) -> anyhow::Result<Self> {
        let chemin = dossier.join(FICHIER);
        let texte = std::fs::read(&chemin).with_context(|| {
            format!(
                "aucun maillage en marche dans {} : lancez « ror up » ou donnez --mesh",
                dossier.display()
            )
        })?;
        Ok(Self(serde_json::from_slice(&texte).context("mesh.json illisible")?))
    }

    /// A channel to a service.
    pub fn vers(&self, service: &str) -> anyhow::Result<Canal> {
        let url =
            self.0.get(service).with_context(|| format!("le service {service} manque dans mesh.json"))?;
        Ok(canal(url, None)?)
    }
}

async fn repond(url: &str) -> bool {
    let Ok(canal) = canal(url, None) else { return false };
    let appel = async { HealthClient::new(canal).check(HealthCheckRequest::default()).await };
    matches!(tokio::time::timeout(Duration::from_secs(2), appel).await, Ok(Ok(_)))
}

/// `ror status`.
pub async fn etat(c: &Cible) -> anyhow::Result<ExitCode> {
    let m = Maillage::lire(&c.mesh)?;
    let mut tous = true;
    for (service, url) in &m.0 {
        let vivant = repond(url).await;
        tous &= vivant;
        println!("{:<14} {:<28} {}", service, url, if vivant { "répond" } else { "ne répond pas" });
    }
    Ok(if tous { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
