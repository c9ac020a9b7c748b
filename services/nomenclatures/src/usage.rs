//! Which codes are in use, by how many resources of each kind: the service follows the
//! events of their owners, and counts what each new state adds and takes away.
//!
//! A resource withdrawn while this follower was away longer than the broker keeps its
//! events stays counted until it changes: these are statistics, not references.

mod codes;
mod store;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::StreamExt;
use ror_chassis::{
    Contexte, Resultat,
    client::Canal,
    serveur::MESSAGE_MAX,
    suivi::{Appel, Durable, Effet},
};
use ror_proto::{
    capacity::v1::{SnapshotCapacitiesRequest, capacity_service_client::CapacityServiceClient},
    common::v1::Evenement,
    nomenclatures::v1::UsageGenre,
    offers::v1::{SnapshotOffersRequest, offers_service_client::OffersServiceClient},
    structures::v1::{SnapshotStructuresRequest, structures_service_client::StructuresServiceClient},
};
use sqlx::{PgConnection, PgPool};

use codes::Plan;

/// Counts by system and code, kinds most first; a code that nothing uses is absent.
pub type Comptes = HashMap<(String, String), Vec<UsageGenre>>;

/// A service whose resources use codes.
#[derive(Clone, Copy)]
struct Source {
    service: &'static str,
    /// Name of the follower.
    nom: &'static str,
    /// Message its states are.
    racine: &'static str,
    /// Kinds counted; other aggregates are not resources.
    genres: &'static [&'static str],
}

const STRUCTURES: Source = Source {
    service: "structures",
    nom: "usage-structures",
    racine: ".ror.structures.v1.Structure",
    genres: &["entite_juridique", "entite_geographique", "organisation_interne"],
};
const OFFERS: Source = Source {
    service: "offers",
    nom: "usage-offers",
    racine: ".ror.offers.v1.Offer",
    genres: &["offre", "lieu", "situation"],
};
const CAPACITY: Source = Source {
    service: "capacity",
    nom: "usage-capacity",
    racine: ".ror.capacity.v1.Capacity",
    genres: &["capacite_lieu"],
};

/// The counts.
#[derive(Clone)]
pub struct Usages {
    pool: PgPool,
    /// One a service followed: whether its first count is whole.
    complets: Arc<[AtomicBool]>,
}

macro_rules! appel {
    ($canal:expr, $client:ident, $methode:ident, $demande:expr) => {{
        let canal: Canal = $canal;
        let appel: Appel = Arc::new(move || {
            let mut client = $client::new(canal.clone()).max_decoding_message_size(MESSAGE_MAX);
            Box::pin(async move {
                let flux = client.$methode($demande).await?.into_inner();
                Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
            })
        });
        appel
    }};
}

impl Usages {
    /// Follows the services whose address is known. None makes this service ready or not:
    /// they wait for it to be.
    pub fn suivre(c: &Contexte) -> Resultat<Self> {
        let mut sources: Vec<(Source, Appel)> = Vec::new();
        let connue = |s: &str| c.reglages.amont.contains_key(s);
        if connue("structures") {
            let appel = appel!(
                c.vers("structures")?,
                StructuresServiceClient,
                snapshot_structures,
                SnapshotStructuresRequest {}
            );
            sources.push((STRUCTURES, appel));
        }
        if connue("offers") {
            let appel =
                appel!(c.vers("offers")?, OffersServiceClient, snapshot_offers, SnapshotOffersRequest {});
            sources.push((OFFERS, appel));
        }
        if connue("capacity") {
            let appel = appel!(
                c.vers("capacity")?,
                CapacityServiceClient,
                snapshot_capacities,
                SnapshotCapacitiesRequest {}
            );
            sources.push((CAPACITY, appel));
        }
        if sources.len() < 3 {
            tracing::warn!(
                followed = sources.len(),
                "usage of codes is counted in part: upstream addresses missing"
            );
        }
        let pool = c.magasin.pool().clone();
        let complets: Arc<[AtomicBool]> = sources.iter().map(|_| AtomicBool::new(false)).collect();
        for (rang, (source, appel)) in sources.into_iter().enumerate() {
            let plan = Plan::nouveau(source.racine)?;
            let complets = complets.clone();
            let a_jour = move || {
                if let Some(c) = complets.get(rang) {
                    c.store(true, Ordering::Release);
                }
            };
            let comptage = Comptage { source, plan };
            let suiveur = Durable::nouveau(pool.clone(), source.service, comptage, a_jour);
            c.suivre(source.service, appel, suiveur);
        }
        Ok(Self { pool, complets })
    }

    /// Whether every service followed has been counted whole.
    pub fn complets(&self) -> bool {
        self.complets.iter().all(|c| c.load(Ordering::Acquire))
    }

    /// Counts of these codes; all kinds, all regions when empty.
    pub async fn compter(&self, codes: &[(String, String)], genre: &str, region: &str) -> Resultat<Comptes> {
        store::compter(&self.pool, codes, genre, region).await
    }

    /// The codes of a system that resources use, after `apres`, in order.
    pub async fn codes_utilises(
        &self,
        systeme: &str,
        genre: &str,
        region: &str,
        apres: &str,
        limite: i64,
    ) -> Resultat<Vec<String>> {
        store::codes_utilises(&self.pool, systeme, genre, region, apres, limite).await
    }
}

/// The effect of one owner's events.
struct Comptage {
    source: Source,
    plan: Plan,
}

impl Comptage {
    /// The codes of an event; an unreadable state is told and left as it was counted.
    fn lire(&self, e: &Evenement) -> Option<store::Ressource> {
        if !self.source.genres.contains(&e.genre.as_str()) {
            return None;
        }
        let codes = match self.plan.lire(&e.etat) {
            _ if e.retire => codes::Codes::new(),
            // An event too large to carry its state names it only.
            Ok(_) if e.etat.is_empty() => return None,
            Ok(codes) => codes,
            Err(erreur) => {
                tracing::error!(follower = self.source.nom, id = e.agregat_id, error = %erreur, "unreadable state");
                return None;
            }
        };
        Some(store::Ressource {
            genre: e.genre.clone(),
            id: e.agregat_id.clone(),
            region: e.region.clone(),
            version: i64::try_from(e.version).unwrap_or(i64::MAX),
            codes,
        })
    }
}

impl Effet for Comptage {
    fn nom(&self) -> &'static str {
        self.source.nom
    }

    async fn appliquer(&mut self, tx: &mut PgConnection, lot: &[Evenement]) -> Resultat<()> {
        // The last version of each: a resource is counted once a batch.
        let mut derniers: HashMap<(&str, &str), &Evenement> = HashMap::new();
        for e in lot {
            let d = derniers.entry((e.genre.as_str(), e.agregat_id.as_str())).or_insert(e);
            if e.version > d.version {
                *d = e;
            }
        }
        store::poser(tx, derniers.into_values().filter_map(|e| self.lire(e)).collect()).await
    }
}
