//! The local copy of the nomenclatures: validation and labels in process, no call
//! on any write path. Hydrated by the snapshot of `nomenclatures`, followed live.
//!
//! The services of one process that follow the same mesh share one copy; one of them
//! follows for all, and another takes over when it stops.

mod association;
mod rang;
mod suivi;
mod tables;
mod textes;

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use ror_chassis::{
    Contexte, Erreur, Resultat, client::Canal, nats::Jet, reglages::Reglages, suivi as suivis,
};
use ror_proto::nomenclatures::v1::Nomenclature;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use association::Cible;
pub use rang::Rang;
pub use suivi::appel;
pub use tables::{Avis, Concept, Mode, Motif, Tables, publiee};

/// A shared, live copy.
#[derive(Clone, Default)]
pub struct Vocabulaire(Arc<Partage>);

#[derive(Default)]
struct Partage {
    tables: ArcSwap<Tables>,
    pret: AtomicBool,
    /// Held by the one that follows for all.
    tour: tokio::sync::Mutex<()>,
    /// Moves each time the copy is known to be current.
    battement: watch::Sender<u64>,
}

/// What makes two services share a copy: the same run, the same broker, the same owner.
type Maillage = (Option<tokio::runtime::Id>, String, String);

/// The copies of this process.
static COPIES: Mutex<Vec<(Maillage, Weak<Partage>)>> = Mutex::new(Vec::new());

impl Vocabulaire {
    /// A fixed copy, for tests and tools.
    pub fn fixe(nomenclatures: &[Nomenclature]) -> Self {
        let mut t = Tables::default();
        nomenclatures.iter().for_each(|n| t.poser(n));
        let v = Self::default();
        v.0.tables.store(Arc::new(t));
        v.0.pret.store(true, Ordering::Release);
        v
    }

    /// The copy of this process for the mesh of these settings; [`Self::tenir`] keeps it.
    pub fn partage(reglages: &Reglages) -> Self {
        let execution = tokio::runtime::Handle::try_current().ok().map(|h| h.id());
        let amont = reglages.amont.get("nomenclatures").cloned().unwrap_or_default();
        let maillage = (execution, reglages.nats.clone(), amont);
        let mut copies = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
        copies.retain(|(_, c)| c.strong_count() > 0);
        if let Some(c) = copies.iter().find(|(m, _)| *m == maillage).and_then(|(_, c)| c.upgrade()) {
            return Self(c);
        }
        let v = Self::default();
        copies.push((maillage, Arc::downgrade(&v.0)));
        v
    }

    /// The tables now.
    pub fn tables(&self) -> Arc<Tables> {
        self.0.tables.load_full()
    }

    /// The tables, or "not yet" while the first copy is not whole.
    pub fn pret(&self) -> Resultat<Arc<Tables>> {
        if self.0.pret.load(Ordering::Acquire) {
            Ok(self.tables())
        } else {
            Err(Erreur::Indisponible("les nomenclatures se chargent : recommencez dans un instant".into()))
        }
    }

    /// Follows the service `nomenclatures` for the life of the service.
    pub fn suivre(contexte: &Contexte) -> Resultat<Self> {
        let v = Self::partage(&contexte.reglages);
        let canal = contexte.vers("nomenclatures")?;
        contexte.etat.poser("vocabulary", false);
        let etat = contexte.etat.clone();
        let a_jour = move || etat.poser("vocabulary", true);
        contexte.lancer(v.clone().tenir(contexte.jet.clone(), canal, contexte.arret.clone(), a_jour));
        Ok(v)
    }

    /// Keeps the copy current until `arret`, alone or in turn with the others that share it.
    /// `a_jour` is called each time the copy is known to be whole and current.
    pub async fn tenir(
        self,
        jet: Jet,
        canal: Canal,
        arret: CancellationToken,
        a_jour: impl Fn() + Send + Sync + 'static,
    ) {
        let mut battement = self.0.battement.subscribe();
        let mener = async {
            let _tour = self.0.tour.lock().await;
            let suiveur = self.suiveur(canal.clone(), || {});
            suivis::suivre(jet, "nomenclatures", appel(canal.clone()), suiveur, arret.clone()).await;
        };
        let relayer = async {
            // Already whole when this one joins.
            if self.0.pret.load(Ordering::Acquire) {
                a_jour();
            }
            while battement.changed().await.is_ok() {
                a_jour();
            }
        };
        tokio::select! {
            () = mener => {}
            () = relayer => {}
            () = arret.cancelled() => {}
        }
    }

    /// The follower that keeps this copy; `pret` is called when the copy is whole.
    pub fn suiveur(&self, canal: Canal, pret: impl Fn() + Send + 'static) -> impl suivis::Suiveur {
        suivi::Suivi::nouveau(self.clone(), canal, Box::new(pret))
    }

    fn installer(&self, tables: &Tables) {
        self.0.tables.store(Arc::new(tables.clone()));
    }

    fn annoncer(&self) {
        self.0.pret.store(true, Ordering::Release);
        self.0.battement.send_modify(|n| *n = n.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests;
