//! Keeps the index at the state of the store: read whole at the start, extended by
//! each load of this replica, and by the service's own events for the loads of others.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures::StreamExt;
use parking_lot::Mutex;
use ror_chassis::{
    Resultat,
    magasin::Magasin,
    suivi::{Appel, Instantanes, Position, Suiveur},
};
use ror_proto::common::v1::{Evenement, instantane};

use crate::{
    domaine::{Edition, GENRE},
    index::Index,
};

/// The index, shared and live.
#[derive(Clone, Default)]
pub struct Catalogue(Arc<Partage>);

#[derive(Default)]
struct Partage {
    index: ArcSwap<Index>,
    /// The index a snapshot under way will install.
    neuf: Mutex<Option<Index>>,
}

impl Catalogue {
    /// The index now.
    pub fn index(&self) -> Arc<Index> {
        self.0.index.load_full()
    }

    /// Adds versions; those already held are ignored.
    pub fn poser(&self, editions: Vec<Arc<Edition>>) {
        // The lock also orders the writers of the index.
        let mut neuf = self.0.neuf.lock();
        if let Some(n) = neuf.as_mut() {
            for e in &editions {
                n.accueillir(e.clone());
            }
        }
        let mut index = Index::clone(&self.0.index.load());
        if index.poser(editions) {
            self.0.index.store(Arc::new(index));
        }
    }

    /// Reads the whole store.
    pub async fn charger(&self, magasin: &Magasin) -> Resultat<()> {
        self.commencer();
        let mut flux = magasin.instantane(GENRE.to_owned());
        while let Some(m) = flux.next().await {
            if let Some(instantane::Contenu::Evenement(e)) = m?.contenu {
                self.accueillir(vec![Arc::new(Edition::depuis_evenement(&e)?)]);
            }
        }
        self.installer();
        Ok(())
    }

    /// The follower of the service's own events.
    pub fn suiveur(&self, magasin: Magasin) -> impl Suiveur + use<> {
        Suivi { catalogue: self.clone(), magasin }
    }

    fn commencer(&self) {
        *self.0.neuf.lock() = Some(Index::default());
    }

    fn accueillir(&self, editions: Vec<Arc<Edition>>) {
        if let Some(n) = self.0.neuf.lock().as_mut() {
            for e in editions {
                n.accueillir(e);
            }
        }
    }

    fn installer(&self) {
        let mut neuf = self.0.neuf.lock();
        if let Some(mut index) = neuf.take() {
            index.refaire_tout();
            self.0.index.store(Arc::new(index));
        }
    }
}

/// The snapshot of the store, as a follower calls it.
pub fn appel(magasin: Magasin) -> Appel {
    Arc::new(move || {
        let flux: Instantanes = magasin.instantane(GENRE.to_owned()).boxed();
        Box::pin(async move { Resultat::Ok(flux) })
    })
}

struct Suivi {
    catalogue: Catalogue,
    magasin: Magasin,
}

impl Suivi {
    async fn lire(&self, e: &Evenement) -> Resultat<Edition> {
        // An event too large to carry its state names it only.
        if e.etat.is_empty() {
            return Edition::depuis_ligne(&self.magasin.lire(&e.agregat_id).await?);
        }
        Edition::depuis_evenement(e)
    }
}

impl Suiveur for Suivi {
    fn nom(&self) -> String {
        "nomenclatures-index".into()
    }

    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(None)
    }

    async fn debut_instantane(&mut self, _estimation: u64) -> Resultat<()> {
        self.catalogue.commencer();
        Ok(())
    }

    async fn appliquer(&mut self, lot: Vec<Evenement>, position: Option<Position>) -> Resultat<()> {
        let mut editions = Vec::with_capacity(lot.len());
        for e in lot.iter().filter(|e| e.genre == GENRE && !e.retire) {
            editions.push(Arc::new(self.lire(e).await?));
        }
        if position.is_some() {
            self.catalogue.poser(editions);
        } else {
            self.catalogue.accueillir(editions);
        }
        Ok(())
    }

    async fn fin_instantane(&mut self, _position: Position) -> Resultat<()> {
        self.catalogue.installer();
        tracing::info!(versions = self.catalogue.index().nombre(), "nomenclature index rebuilt");
        Ok(())
    }
}
