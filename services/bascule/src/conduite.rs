//! Carries approved changes out, and keeps the leases in force installed.
//!
//! A change is two steps, both acknowledged by every owning service: nobody writes, at
//! the next epoch; then the new writer, at the one after. The end of the first step is
//! kept before the second begins. Epochs are fixed by the second approval and services
//! accept an equal lease again, so a step may be repeated after a crash, or done by two
//! replicas at once, without harm.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::future::join_all;
use ror_chassis::{Erreur, Resultat, admin::Etat, conversion::maintenant};
use ror_proto::{
    bascule::v1::EtatTransition,
    common::v1::{Bail, Canal},
};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domaine::Domaine,
    services::{Service, Services},
    store::Store,
};

/// Readiness condition: every service has been given the leases in force.
pub const CONDITION: &str = "leases";

/// Looks for changes to resume: those of a process that died, or of another replica.
const REPRISE: Duration = Duration::from_secs(5);
/// Between two installations of the leases in force: a service restored or new gets them.
const RAPPEL: Duration = Duration::from_secs(30);
const ATTENTE_MIN: Duration = Duration::from_millis(200);
const ATTENTE_MAX: Duration = Duration::from_secs(10);

/// What carries changes out.
#[derive(Clone)]
pub struct Conduite {
    store: Store,
    services: Services,
    reveil: Arc<Notify>,
}

impl Conduite {
    /// Woken by `reveil` when a change has just been approved.
    pub fn nouveau(store: Store, services: Services, reveil: Arc<Notify>) -> Self {
        Self { store, services, reveil }
    }

    /// Carries every change under way out, until the stop. A change that waits for a
    /// service holds no other one back.
    pub async fn mener_les_transitions(self, arret: CancellationToken) {
        let mut en_main: HashSet<Uuid> = HashSet::new();
        let mut taches: JoinSet<Uuid> = JoinSet::new();
        let mut reprise = tokio::time::interval(REPRISE);
        loop {
            tokio::select! {
                _ = reprise.tick() => {}
                () = self.reveil.notified() => {}
                Some(fin) = taches.join_next(), if !taches.is_empty() => {
                    match fin {
                        Ok(id) => { en_main.remove(&id); }
                        // A task that panicked does not say which: all may be taken again.
                        Err(_) => en_main.clear(),
                    }
                    continue;
                }
                () = arret.cancelled() => return,
            }
            match self.store.en_cours().await {
                Ok(liste) => {
                    for t in liste {
                        if en_main.insert(t.id) {
                            taches.spawn(self.clone().mener(t.id));
                        }
                    }
                }
                Err(e) => tracing::warn!(error = %e, "changes under way could not be read"),
            }
        }
    }

    /// Carries one change out, again until done.
    async fn mener(self, id: Uuid) -> Uuid {
        let mut attente = ATTENTE_MIN;
        while let Err(e) = self.avancer(id).await {
            tracing::warn!(transition = %id, error = %e, "change of writer waits, trying again");
            tokio::time::sleep(attente).await;
            attente = (attente * 2).min(ATTENTE_MAX);
        }
        id
    }

    async fn avancer(&self, id: Uuid) -> Resultat<()> {
        let t = self.store.transition(id).await?;
        if t.etat != EtatTransition::EnCours {
            return Ok(());
        }
        if !t.gelee {
            self.services.installer_partout(t.domaine, &t.bail_de_gel()).await?;
            self.store.geler(id).await?;
        }
        if t.vers != Canal::Unspecified {
            self.services.installer_partout(t.domaine, &t.bail_final()).await?;
        }
        self.store.achever(&t).await?;
        tracing::info!(transition = %id, region = %t.region, domaine = t.domaine.nom(), "change of writer done");
        Ok(())
    }

    /// Gives every service the leases in force, at start then again and again.
    pub async fn tenir_les_baux(self, etat: Etat, arret: CancellationToken) {
        let mut essai = ATTENTE_MIN;
        loop {
            let tous = self.poser_les_baux().await.unwrap_or_else(|e| {
                tracing::warn!(error = %e, "leases in force could not be read");
                false
            });
            let attente = if tous {
                etat.poser(CONDITION, true);
                essai = ATTENTE_MIN;
                RAPPEL
            } else {
                essai = (essai * 2).min(ATTENTE_MAX);
                essai
            };
            if let Err(e) = self.mesurer_les_gels().await {
                tracing::warn!(error = %e, "age of the freezes could not be read");
            }
            tokio::select! {
                () = tokio::time::sleep(attente) => {}
                () = arret.cancelled() => return,
            }
        }
    }

    /// Whether every service has been given every lease.
    async fn poser_les_baux(&self) -> Resultat<bool> {
        // A change under way is the business of who carries it out. It is read before the
        // leases: one that begins meanwhile only makes this older lease be refused.
        let bougent: Vec<(String, Domaine)> =
            self.store.en_cours().await?.into_iter().map(|t| (t.region, t.domaine)).collect();
        let mut baux: Vec<(Domaine, Bail)> = Vec::new();
        for r in self.store.regions().await? {
            for b in r.baux {
                let Some(domaine) = Domaine::lire(&b.domaine) else { continue };
                if !bougent.iter().any(|(region, d)| *region == b.region && *d == domaine) {
                    baux.push((domaine, b));
                }
            }
        }
        let poses = join_all(Service::TOUS.map(|s| self.poser_dans(s, &baux))).await;
        Ok(poses.into_iter().all(|p| p))
    }

    async fn poser_dans(&self, service: Service, baux: &[(Domaine, Bail)]) -> bool {
        for (domaine, bail) in baux {
            if !Service::de(*domaine).contains(&service) {
                continue;
            }
            match self.services.installer(service, bail).await {
                Ok(()) => {}
                // A change has begun meanwhile; or this database is older than the service's.
                Err(Erreur::Regle(_)) => tracing::warn!(
                    service = service.nom(),
                    region = %bail.region,
                    domaine = domaine.nom(),
                    epoque = bail.epoque,
                    "the service holds a later lease"
                ),
                Err(e) => {
                    tracing::warn!(service = service.nom(), error = %e, "leases not installed, trying again");
                    return false;
                }
            }
        }
        true
    }

    /// How long the description of each region has had no writer.
    async fn mesurer_les_gels(&self) -> Resultat<()> {
        let maintenant = maintenant();
        for (region, depuis) in self.store.gels().await? {
            let age = depuis.map_or(0.0, |d| (maintenant - d).as_seconds_f64());
            metrics::gauge!("ror_bascule_freeze_age_seconds", "region" => region).set(age);
        }
        Ok(())
    }
}
