//! A feed that changes capacities and descriptions while the searches are compared.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::descriptions::Descriptions;
use crate::{
    client::Client,
    fhir::{entrees, tableau, texte},
    patch::{disponibles, nombre, plafond, remplacer},
};

/// Between two writes.
const PAUSE: Duration = Duration::from_millis(5);

/// Tells the writers to stop, at the latest when no one holds it: a check that takes too long leaves no writer behind.
struct Arret(Arc<AtomicBool>);

impl Drop for Arret {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A running writer.
pub struct Ecrivain {
    arret: Arret,
    lecteur: Arc<Client>,
    lits: JoinHandle<Result<usize>>,
    descriptions: Option<JoinHandle<(Descriptions, Result<usize>)>>,
}

impl Ecrivain {
    /// Starts to write: `lecteur` sees every capacity, `flux` may change them.
    pub async fn lancer(
        lecteur: Arc<Client>,
        flux: Arc<Client>,
        descriptions: Option<Descriptions>,
    ) -> Result<Self> {
        let lieux = lieux_modifiables(&lecteur).await?;
        ensure!(!lieux.is_empty(), "no place whose free beds can move");
        let arret = Arc::new(AtomicBool::new(false));
        let lits = tokio::spawn(ecrire(lecteur.clone(), flux, lieux, arret.clone()));
        let descriptions = descriptions.map(|d| tokio::spawn(decrire(d, arret.clone())));
        Ok(Self { arret: Arret(arret), lecteur, lits, descriptions })
    }

    /// Ends it; gives the number of writes. Descriptions are given back, whatever happened.
    pub async fn arreter(self) -> Result<usize> {
        drop(self.arret);
        let lits = self.lits.await;
        let Some(tache) = self.descriptions else { return lits? };
        let (descriptions, ecrites) = tache.await?;
        descriptions.rendre(&self.lecteur).await.context("descriptions to give back")?;
        let descriptions = ecrites.context("descriptions")?;
        let lits = lits??;
        ensure!(lits > 0 && descriptions > 0, "{lits} writes of beds, {descriptions} of descriptions");
        println!("{lits} writes of beds, {descriptions} of descriptions");
        Ok(lits + descriptions)
    }
}

/// Ids of the places whose free beds can move, with their synchronisation identifiers.
async fn lieux_modifiables(client: &Client) -> Result<Vec<(String, String)>> {
    let mut lieux = Vec::new();
    for page in client.pages("Location", &[("_count", "1000")]).await? {
        for (_, lieu) in entrees(&page) {
            let mut externes =
                tableau(lieu, "identifier").iter().filter(|i| texte(i, "/type/coding/0/code") == "26");
            let externe = externes.next().map(|i| texte(i, "/value").to_owned());
            if let Some(externe) = externe.filter(|_| disponibles(lieu).is_some() && plafond(lieu) >= 4) {
                lieux.push((texte(lieu, "/id").to_owned(), externe));
            }
        }
    }
    Ok(lieux)
}

async fn ecrire(
    lecteur: Arc<Client>,
    flux: Arc<Client>,
    lieux: Vec<(String, String)>,
    arret: Arc<AtomicBool>,
) -> Result<usize> {
    let mut ecrites = 0;
    for (id, externe) in lieux.iter().cycle() {
        if arret.load(Ordering::Relaxed) {
            break;
        }
        let lieu: Value = lecteur.lire(&format!("Location/{id}")).await?.attendre(200)?.corps;
        let libres = disponibles(&lieu).with_context(|| format!("{id} lost its free beds"))?;
        let n = nombre(libres);
        let corps = remplacer(libres, if n < plafond(&lieu) { n + 1 } else { n - 1 });
        flux.modifier(externe, &corps).await?.attendre(200).with_context(|| externe.clone())?;
        ecrites += 1;
        tokio::time::sleep(PAUSE).await;
    }
    Ok(ecrites)
}

/// Changes descriptions in turn.
async fn decrire(mut descriptions: Descriptions, arret: Arc<AtomicBool>) -> (Descriptions, Result<usize>) {
    let mut ecrites = 0;
    for tour in 0.. {
        if arret.load(Ordering::Relaxed) {
            break;
        }
        match descriptions.avancer(tour).await {
            Ok(n) => ecrites += n,
            Err(faute) => return (descriptions, Err(faute)),
        }
    }
    (descriptions, Ok(ecrites))
}
