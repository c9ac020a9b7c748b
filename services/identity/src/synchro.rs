//! Scheduled synchronisation: each channel that has a source is looked at from time
//! to time, and what is new goes the way of any edition.
//!
//! One process at a time runs a channel, whatever the number of replicas. A look that
//! fails is tried again, later and later. The age of the last edition applied is
//! measured, and its lateness said once a day.

mod canal;
pub(crate) mod chargement;
mod reglages;
mod retard;
mod source;
pub(crate) mod store;
mod telechargement;
#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
    time::Duration,
};

use reqwest::redirect::Policy;
use ror_chassis::{Contexte, Erreur, Resultat};
use ror_proto::identity::v1::Format;
use time::OffsetDateTime;
use uuid::Uuid;

pub use reglages::{CANAUX, Canal, Limites, ReglageCanal, Reglages, Source};

/// Redirections followed by a download.
const REDIRECTIONS: usize = 5;

/// A channel that is scheduled, as this process sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanalSuivi {
    /// Format of its editions.
    pub format: Format,
    /// Folder or URL, without any secret.
    pub source: String,
    /// Age of the last edition applied above which the channel is late.
    pub seuil: Duration,
    /// Next look; None while one runs.
    pub prochaine: Option<OffsetDateTime>,
    /// French sentence: why the last look failed; empty when it did not.
    pub dernier_echec: String,
}

/// State of the scheduled channels; clones share it.
#[derive(Clone, Default)]
pub struct Etat(Arc<RwLock<BTreeMap<&'static str, CanalSuivi>>>);

impl Etat {
    fn nouveau(reglages: &Reglages) -> Self {
        let suivi = |r: &ReglageCanal| CanalSuivi {
            format: r.canal.format,
            source: r.source.affichage(),
            seuil: r.seuil,
            prochaine: None,
            dernier_echec: String::new(),
        };
        let canaux = reglages.canaux.iter().map(|r| (r.canal.nom, suivi(r))).collect();
        Self(Arc::new(RwLock::new(canaux)))
    }

    /// The scheduled channels.
    pub fn etat(&self) -> Vec<CanalSuivi> {
        self.0.read().map(|canaux| canaux.values().cloned().collect()).unwrap_or_default()
    }

    fn changer(&self, nom: &str, changement: impl FnOnce(&mut CanalSuivi)) {
        if let Ok(mut canaux) = self.0.write()
            && let Some(canal) = canaux.get_mut(nom)
        {
            changement(canal);
        }
    }
}

/// Reads `sync.*` and starts what is scheduled, until the process stops.
///
/// # Errors
///
/// Every fault of the settings at once.
pub fn demarrer(c: &Contexte) -> Resultat<Etat> {
    let reglages = Reglages::de_l_environnement()?;
    let etat = Etat::nouveau(&reglages);
    if !reglages.canaux.is_empty() {
        c.lancer(retard::surveiller(c.clone(), reglages.canaux.clone()));
    }
    for reglage in reglages.canaux {
        let suivi = canal::Suivi::nouveau(c.clone(), reglage, reglages.limites.clone(), etat.clone());
        c.lancer(suivi.suivre());
    }
    Ok(etat)
}

/// An HTTP client that follows so many redirections, none of them to a clear connection.
pub(crate) fn client(redirections: usize) -> Resultat<reqwest::Client> {
    let regle = Policy::custom(move |saut| {
        let clair = saut.url().scheme() == "http" && saut.previous().iter().any(|u| u.scheme() == "https");
        if clair || saut.previous().len() > redirections {
            saut.error("redirection refusée")
        } else {
            saut.follow()
        }
    });
    let constructeur = reqwest::Client::builder()
        .user_agent(concat!("ror-identity/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(10))
        .redirect(if redirections == 0 { Policy::none() } else { regle });
    // Tests talk to servers of this machine, whatever proxy it has.
    let constructeur = if cfg!(test) { constructeur.no_proxy() } else { constructeur };
    constructeur.build().map_err(|e| Erreur::Interne(Box::new(e)))
}

/// A wait, more or less a tenth, so that not everyone wakes at once.
pub(crate) fn gigue(attente: Duration) -> Duration {
    attente.mul_f64(0.9 + f64::from(tirer(201)) / 1000.0)
}

/// A number below `borne`, at random.
fn tirer(borne: u32) -> u32 {
    let tire = Uuid::new_v4().as_u128() % u128::from(borne.max(1));
    u32::try_from(tire).unwrap_or_default()
}
