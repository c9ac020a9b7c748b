//! Keeps the index at the state of the store: read whole at the start, extended by
//! each write of this replica, and by the service's own events for those of others.

use std::sync::Arc;

use arc_swap::ArcSwap;
use futures::StreamExt;
use parking_lot::Mutex;
use ror_chassis::{
    Erreur, Resultat,
    magasin::Magasin,
    suivi::{Appel, Instantanes, Position, Suiveur},
};
use ror_domaine::ressource::id_nomenclature;
use ror_proto::{
    common::v1::{Evenement, instantane},
    nomenclatures::v1::Nomenclature,
};

use crate::{
    domaine::{Edition, GENRE},
    index::{Entete, Index, Vue},
};

/// The index, shared and live, over the store.
#[derive(Clone)]
pub struct Catalogue {
    magasin: Magasin,
    partage: Arc<Partage>,
}

#[derive(Default)]
struct Partage {
    index: ArcSwap<Index>,
    /// The index a snapshot under way will install.
    neuf: Mutex<Option<Index>>,
}

/// Nothing by that canonical, or by that version of it.
pub fn inconnue(canonique: &str, version: &str) -> Erreur {
    let suite = if version.is_empty() { String::new() } else { format!(", version {version}") };
    Erreur::Introuvable(format!("nomenclature {canonique}{suite} inconnue"))
}

impl Catalogue {
    /// Empty, over a store.
    pub fn nouveau(magasin: Magasin) -> Self {
        Self { magasin, partage: Arc::default() }
    }

    /// The store.
    pub fn magasin(&self) -> &Magasin {
        &self.magasin
    }

    /// The index now.
    pub fn index(&self) -> Arc<Index> {
        self.partage.index.load_full()
    }

    /// A version with its content, from the store; `courante` is told by the index.
    pub async fn contenu(&self, canonique: &str, version: &str) -> Resultat<Nomenclature> {
        let ligne = self.magasin.lire(&id_nomenclature(canonique, version)).await.map_err(|e| match e {
            Erreur::Introuvable(_) => inconnue(canonique, version),
            autre => autre,
        })?;
        let mut n = Edition::depuis_ligne(&ligne)?.nomenclature;
        n.courante = self.index().courante(canonique).is_some_and(|c| c.nomenclature.version == version);
        Ok(n)
    }

    /// The packed content of a header: held for a current version, else read from the store.
    pub async fn vue(&self, index: &Index, e: &Entete) -> Resultat<Arc<Vue>> {
        let n = &e.nomenclature;
        if let Some(v) = index.vue(&n.canonique).filter(|v| v.est(e)) {
            return Ok(v.clone());
        }
        let ligne = self.magasin.lire(&id_nomenclature(&n.canonique, &n.version)).await?;
        let lue = Edition::depuis_ligne(&ligne)?;
        Ok(Arc::new(Vue::nouvelle(&lue.nomenclature, lue.version)))
    }

    /// Adds a version of the store.
    pub async fn relire(&self, id: &str) -> Resultat<()> {
        let e = Edition::depuis_ligne(&self.magasin.lire(id).await?)?;
        self.poser(vec![e]).await
    }

    /// Adds versions; older states than those held are ignored.
    pub async fn poser(&self, editions: Vec<Edition>) -> Resultat<()> {
        let mut a_lire = self.ajouter(&editions);
        while let Some(id) = a_lire.pop() {
            let e = Edition::depuis_ligne(&self.magasin.lire(&id).await?)?;
            a_lire.extend(self.ajouter(&[e]));
        }
        Ok(())
    }

    fn ajouter(&self, editions: &[Edition]) -> Vec<String> {
        // The lock also orders the writers of the index.
        let mut neuf = self.partage.neuf.lock();
        if let Some(n) = neuf.as_mut() {
            for e in editions {
                n.poser(e);
            }
        }
        let mut index = Index::clone(&self.partage.index.load());
        let a_lire = editions.iter().filter_map(|e| index.poser(e)).collect();
        self.partage.index.store(Arc::new(index));
        a_lire
    }

    /// Reads the whole store.
    pub async fn charger(&self) -> Resultat<()> {
        self.commencer();
        let mut flux = self.magasin.instantane(GENRE.to_owned());
        while let Some(m) = flux.next().await {
            if let Some(instantane::Contenu::Evenement(e)) = m?.contenu {
                self.accueillir(&Edition::depuis_evenement(&e)?);
            }
        }
        self.installer().await
    }

    /// The follower of the service's own events.
    pub fn suiveur(&self) -> impl Suiveur + use<> {
        Suivi { catalogue: self.clone() }
    }

    /// The snapshot of the store, as a follower calls it.
    pub fn appel(&self) -> Appel {
        let magasin = self.magasin.clone();
        Arc::new(move || {
            let flux: Instantanes = magasin.instantane(GENRE.to_owned()).boxed();
            Box::pin(async move { Resultat::Ok(flux) })
        })
    }

    fn commencer(&self) {
        *self.partage.neuf.lock() = Some(Index::default());
    }

    fn accueillir(&self, e: &Edition) {
        if let Some(n) = self.partage.neuf.lock().as_mut() {
            n.poser(e);
        }
    }

    /// Installs the index a snapshot built, then what a change meanwhile left to be read.
    async fn installer(&self) -> Resultat<()> {
        let manquants = {
            let mut neuf = self.partage.neuf.lock();
            let Some(index) = neuf.take() else { return Ok(()) };
            let manquants = index.manquants();
            self.partage.index.store(Arc::new(index));
            manquants
        };
        for id in manquants {
            self.relire(&id).await?;
        }
        Ok(())
    }
}

struct Suivi {
    catalogue: Catalogue,
}

impl Suivi {
    async fn lire(&self, e: &Evenement) -> Resultat<Edition> {
        // An event too large to carry its state names it only.
        if e.etat.is_empty() {
            return Edition::depuis_ligne(&self.catalogue.magasin.lire(&e.agregat_id).await?);
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
        for e in lot.iter().filter(|e| e.genre == GENRE && !e.retire) {
            let edition = self.lire(e).await?;
            if position.is_some() {
                self.catalogue.poser(vec![edition]).await?;
            } else {
                self.catalogue.accueillir(&edition);
            }
        }
        Ok(())
    }

    async fn fin_instantane(&mut self, _position: Position) -> Resultat<()> {
        self.catalogue.installer().await?;
        tracing::info!(versions = self.catalogue.index().nombre(), "nomenclature index rebuilt");
        Ok(())
    }
}
