//! Propose, approve, cancel: each decides with the region locked, in one transaction.

use std::{sync::Arc, time::Duration};

use ror_chassis::{Erreur, Resultat, conversion::maintenant};
use ror_proto::{
    bascule::v1::{
        ApproveTransitionRequest, CancelTransitionRequest, EtatTransition, ProposeTransitionRequest, Region,
    },
    common::v1::Faute,
};
use sqlx::PgConnection;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use crate::{
    domaine::{Approbation, Proposition, Transition, gardes, lire_nom, plafond::Plafonds, region},
    store::{self, Store},
};

/// How long an approval waits for the change to be carried out. Below the 15 s after
/// which a caller of the mesh gives up, so that it is told the change goes on.
const ATTENTE: Duration = Duration::from_secs(12);

/// The changes of writer.
#[derive(Clone)]
pub struct Transitions {
    store: Store,
    plafonds: Arc<Plafonds>,
    reveil: Arc<Notify>,
}

impl Transitions {
    /// Under these ceilings; `reveil` is told of each change to carry out.
    pub fn nouveau(store: Store, plafonds: Plafonds, reveil: Arc<Notify>) -> Self {
        Self { store, plafonds: Arc::new(plafonds), reveil }
    }

    /// Proposes a change; counts as its first approval.
    pub async fn proposer(&self, r: ProposeTransitionRequest) -> Resultat<Transition> {
        let p = Proposition::lire(r, maintenant())?;
        let mut tx = self.store.debut().await?;
        let r = store::verrouiller(&mut tx, &p.region).await?;
        let ouvertes = store::ouvertes(&mut tx, &p.region).await?;
        let mut fautes: Vec<Faute> = gardes::seule(p.domaine, &r, &ouvertes).into_iter().collect();
        fautes.extend(gardes::avancer(&self.plafonds, &r, p.domaine, p.vers, &ouvertes)?);
        refuser_si(fautes)?;
        let de = region::bail(&r, p.domaine)?.ecrivain();
        let t = Transition::proposee(p, de);
        store::proposer(&mut tx, &t).await?;
        tx.commit().await?;
        tracing::info!(transition = %t.id, region = %t.region, domaine = t.domaine.nom(), vers = t.vers as i32, "change of writer proposed");
        Ok(t)
    }

    /// Second approval: fixes the epochs, then waits a while for the change to be carried out.
    pub async fn approuver(&self, r: ApproveTransitionRequest) -> Resultat<Transition> {
        let id = lire_id(&r.id)?;
        let a = Approbation::lire(r.approbation, maintenant())?;
        let mut tx = self.store.debut().await?;
        let (t, r) = verrouillee(&mut tx, id).await?;
        refuser_si(gardes::proposee(&t).into_iter().collect())?;
        let ouvertes = store::ouvertes(&mut tx, &t.region).await?;
        let mut fautes = gardes::seconde(&t, &a);
        // Ceilings and leases may have moved since the proposal.
        fautes.extend(gardes::avancer(&self.plafonds, &r, t.domaine, t.vers, &ouvertes)?);
        refuser_si(fautes)?;
        let epoque = region::bail(&r, t.domaine)?.epoque;
        store::approuver(&mut tx, id, 2, &a).await?;
        store::lancer(&mut tx, id, epoque).await?;
        tx.commit().await?;
        tracing::info!(transition = %id, region = %t.region, domaine = t.domaine.nom(), epoque, "change of writer approved");
        self.reveil.notify_one();
        self.attendre(id).await
    }

    /// Gives a proposal up.
    pub async fn annuler(&self, r: CancelTransitionRequest) -> Resultat<Transition> {
        let id = lire_id(&r.id)?;
        let nom = lire_nom(&r.nom)?;
        let mut tx = self.store.debut().await?;
        let (t, _) = verrouillee(&mut tx, id).await?;
        refuser_si(gardes::proposee(&t).into_iter().collect())?;
        store::annuler(&mut tx, id, &nom).await?;
        tx.commit().await?;
        tracing::info!(transition = %id, region = %t.region, "change of writer cancelled");
        self.store.transition(id).await
    }

    async fn attendre(&self, id: Uuid) -> Resultat<Transition> {
        let fin = Instant::now() + ATTENTE;
        loop {
            let t = self.store.transition(id).await?;
            if t.etat != EtatTransition::EnCours || Instant::now() >= fin {
                return Ok(t);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A transition as it stands once its region is locked.
async fn verrouillee(tx: &mut PgConnection, id: Uuid) -> Resultat<(Transition, Region)> {
    let region = store::lire(&mut *tx, id).await?.region;
    let r = store::verrouiller(&mut *tx, &region).await?;
    Ok((store::lire(tx, id).await?, r))
}

fn lire_id(id: &str) -> Resultat<Uuid> {
    id.parse().map_err(|_| Erreur::Introuvable(format!("changement d'écrivain {id} inconnu")))
}

fn refuser_si(fautes: Vec<Faute>) -> Resultat<()> {
    if fautes.is_empty() { Ok(()) } else { Err(Erreur::Regle(fautes)) }
}
