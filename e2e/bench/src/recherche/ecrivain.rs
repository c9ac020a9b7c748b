//! A writer of ordinary capacity changes, through the service that owns them: its checks, its
//! transaction, its events. Whole batches, so that a thousand a second cost little.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use ror_proto::{
    bascule::v1::{GetRegionRequest, bascule_service_client::BasculeServiceClient},
    capacity::v1::{
        Capacity, CleIndicateur, ListCapacitiesRequest, WriteCapacitiesItem, WriteCapacitiesRequest,
        capacity, capacity_service_client::CapacityServiceClient,
    },
    common::v1::{Issue, Provenance},
};
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};

use crate::{
    facade::{DIFFUSION, Facade},
    http::{self, Connexion},
    mesh::Mesh,
};

/// Region whose places change: the largest.
const REGION: &str = "11";
/// Places that change.
const LIEUX: usize = 4_000;
/// Changes of one call.
const LOT: usize = 100;
/// Longest wait for a change to be seen.
const VISIBLE_MAX: Duration = Duration::from_secs(60);

/// The places, and which of their two counts each has.
#[derive(Clone)]
pub struct Ecrivain {
    client: CapacityServiceClient<Channel>,
    provenance: Provenance,
    lieux: Arc<Vec<Capacity>>,
}

/// Writes under way.
pub struct Travail {
    arret: Arc<AtomicBool>,
    tache: JoinHandle<Result<(u64, f64)>>,
}

impl Travail {
    /// Stops: changes acknowledged, in so many seconds.
    pub async fn finir(self) -> Result<(u64, f64)> {
        self.arret.store(true, Ordering::Relaxed);
        self.tache.await.context("the writer died")?
    }
}

impl Ecrivain {
    /// Reads places with free beds, and who writes in their region.
    pub async fn nouveau(mesh: &Mesh) -> Result<Self> {
        let canal = Endpoint::from_shared(mesh.service("bascule")?)?.connect().await?;
        let demande = GetRegionRequest { code: REGION.to_owned() };
        let region = BasculeServiceClient::new(canal).get_region(demande).await?.into_inner().region;
        let baux = region.unwrap_or_default().baux;
        let bail = baux.iter().find(|b| b.domaine == "capacite").context("no capacity lease")?;
        let provenance = Provenance {
            region: REGION.to_owned(),
            canal: bail.ecrivain,
            epoque: 0,
            auteur: "ror-bench".to_owned(),
        };
        let canal = Endpoint::from_shared(mesh.service("capacity")?)?.connect().await?;
        let mut client = CapacityServiceClient::new(canal).max_decoding_message_size(64 << 20);
        let (mut lieux, mut page_token) = (Vec::new(), String::new());
        while lieux.len() < LIEUX {
            let demande = ListCapacitiesRequest {
                region: REGION.to_owned(),
                page_size: 500,
                page_token,
                ..ListCapacitiesRequest::default()
            };
            let page = client.list_capacities(demande).await?.into_inner();
            lieux.extend(page.ressources.into_iter().filter(|c| libres(c).is_some_and(|n| n > 0)));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        ensure!(lieux.len() >= 2, "region {REGION} has no place with free beds: take a larger scale");
        Ok(Self { client, provenance, lieux: Arc::new(lieux) })
    }

    /// Writes at that rate until told to stop, one bed less and one bed more in turn. The last
    /// place is left alone, for [`Self::visible`].
    pub fn lancer(&self, taux: f64) -> Travail {
        let arret = Arc::new(AtomicBool::new(false));
        let (moi, fin) = (self.clone(), arret.clone());
        let tache = tokio::spawn(async move { moi.ecrire(taux, &fin).await });
        Travail { arret, tache }
    }

    async fn ecrire(mut self, taux: f64, arret: &AtomicBool) -> Result<(u64, f64)> {
        let debut = Instant::now();
        let nombre = self.lieux.len() - 1;
        let (mut ecrites, mut rang) = (0_u64, 0_usize);
        let lot = LOT.min(nombre);
        while !arret.load(Ordering::Relaxed) {
            let du = debut + Duration::from_secs_f64(rang as f64 / taux);
            tokio::time::sleep(du.saturating_duration_since(Instant::now())).await;
            let changer = |k: usize| {
                // Every other round takes a bed away, the next one gives it back.
                let moins = u32::from((k / nombre).is_multiple_of(2));
                self.changement(k % nombre, moins)
            };
            let items: Vec<WriteCapacitiesItem> = (rang..rang + lot).map(changer).collect();
            ecrites += self.envoyer(items).await?;
            rang += lot;
        }
        Ok((ecrites, debut.elapsed().as_secs_f64()))
    }

    fn changement(&self, lieu: usize, moins: u32) -> WriteCapacitiesItem {
        let mut c = self.lieux[lieu].clone();
        if let Some(n) = nombre_libre(&mut c) {
            *n = n.saturating_sub(moins);
        }
        WriteCapacitiesItem { ressource: Some(c), version_attendue: 0 }
    }

    /// How many were changed; the service must refuse none.
    async fn envoyer(&mut self, items: Vec<WriteCapacitiesItem>) -> Result<u64> {
        let demande =
            WriteCapacitiesRequest { provenance: Some(self.provenance.clone()), items, essai: false };
        let resultats = self.client.write_capacities(demande).await?.into_inner().resultats;
        let mut changes = 0;
        for r in &resultats {
            ensure!(r.issue() != Issue::Refuse, "a capacity was refused: {:?}", r.fautes);
            changes += u64::from(r.issue() == Issue::Modifie);
        }
        Ok(changes)
    }

    /// Changes one more place; how long until the façade shows it, behind all that was written.
    pub async fn visible(&mut self, facade: &Facade) -> Result<Duration> {
        let dernier = self.lieux.len() - 1;
        let id = lieu_id(&self.lieux[dernier]).to_owned();
        let communs = facade.lecteur().await?;
        let mut c = Connexion::ouvrir(facade.adresse).await?;
        let mut requete = Vec::new();
        http::get(&mut requete, &format!("{DIFFUSION}/Location/{id}"), &communs);
        let avant = c.echanger(&requete).await?;
        avant.exiger(200)?;
        let avant = avant.corps.to_vec();
        let item = self.changement(dernier, 1);
        self.envoyer(vec![item]).await?;
        let acquitte = Instant::now();
        loop {
            let vu = c.echanger(&requete).await?;
            vu.exiger(200)?;
            if vu.corps != avant {
                break;
            }
            ensure!(acquitte.elapsed() < VISIBLE_MAX, "a change is not seen after {VISIBLE_MAX:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let duree = acquitte.elapsed();
        let item = self.changement(dernier, 0);
        self.envoyer(vec![item]).await?;
        Ok(duree)
    }
}

fn lieu_id(c: &Capacity) -> &str {
    match &c.ressource {
        Some(capacity::Ressource::CapaciteLieu(l)) => l.meta.as_ref().map_or("", |m| m.id.as_str()),
        None => "",
    }
}

/// Beds free now, whoever may take them.
fn libres(c: &Capacity) -> Option<u32> {
    let Some(capacity::Ressource::CapaciteLieu(l)) = &c.ressource else { return None };
    l.enregistrements.iter().find(|e| e.cle.as_ref().is_some_and(disponible)).map(|e| e.nombre)
}

fn nombre_libre(c: &mut Capacity) -> Option<&mut u32> {
    let Some(capacity::Ressource::CapaciteLieu(l)) = &mut c.ressource else { return None };
    l.enregistrements.iter_mut().find(|e| e.cle.as_ref().is_some_and(disponible)).map(|e| &mut e.nombre)
}

fn disponible(c: &CleIndicateur) -> bool {
    c.statut == "02" && c.temporalite == "01"
}
