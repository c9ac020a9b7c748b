//! The gateway: what the world sees of the mesh.
//!
//! Reading order: [`modele`] (the directory in memory), [`recherche`] (from a query
//! string to a page), [`fhir`] (rendering, masks, reading), [`acces`] (tokens and
//! consumers), [`terminologie`] (the nomenclatures), [`suivi`] (how the copies follow the
//! services), [`http`] (routes), [`accueil`] (the home page).

pub mod acces;
mod accueil;
mod accueil_vue;
pub mod fhir;
pub mod http;
pub mod modele;
pub mod recherche;
pub mod reglages;
mod rendu;
mod suivi;
pub mod terminologie;

use std::{net::SocketAddr, sync::Arc};

use arc_swap::ArcSwap;
use parking_lot::RwLock;
use ror_chassis::{
    Resultat,
    admin::Etat,
    client::Canal,
    nats::Jet,
    processus::{Fin, jeton_d_arret},
    reglages::{Lecteur, ReglagesJournal},
    serveur, telemetrie,
};
use ror_domaine::vocabulaire::Vocabulaire;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use reglages::ReglagesPasserelle;

/// What the routes share.
pub struct Passerelle {
    /// The directory.
    pub modele: RwLock<modele::Modele>,
    /// Tokens, consumers, policy.
    pub acces: acces::Acces,
    /// Labels and codes.
    pub vocabulaire: Vocabulaire,
    /// Every published version of the nomenclatures.
    pub terminologie: ArcSwap<terminologie::Terminologie>,
    /// Resources already rendered.
    pub rendues: rendu::Cache,
    /// Readiness.
    pub etat: Etat,
    /// Freshness of each follower.
    pub fraicheur: suivi::Fraicheur,
    /// Settings.
    pub reglages: ReglagesPasserelle,
    capacity: Canal,
    access: Canal,
    sante: Vec<(String, Canal)>,
}

/// A gateway that runs.
pub struct EnMarche {
    /// Plain HTTP address.
    pub http: SocketAddr,
    /// TLS address, when TLS is on.
    pub tls: Option<SocketAddr>,
    /// Readiness.
    pub etat: Etat,
    taches: TaskTracker,
}

impl EnMarche {
    /// Waits for the drain.
    pub async fn attendre(self) {
        self.taches.close();
        let _ = tokio::time::timeout(serveur::VIDANGE, self.taches.wait()).await;
    }
}

/// Starts the gateway; it stops when `arret` is cancelled.
pub async fn demarrer(reglages: ReglagesPasserelle, arret: CancellationToken) -> Resultat<EnMarche> {
    // The ports first: taken, it says so before anything else.
    let ecoute = serveur::ecouter(reglages.http, "HTTP").await?;
    let ecoute_tls = match &reglages.tls {
        Some(t) => Some((serveur::ecouter(t.adresse, "TLS").await?, http::ecoute::configurer_tls(t)?)),
        None => None,
    };
    let local =
        |e: &tokio::net::TcpListener| e.local_addr().map_err(|e| ror_chassis::Erreur::Interne(Box::new(e)));
    let adresse = local(&ecoute)?;
    let adresse_tls = ecoute_tls.as_ref().map(|(e, _)| local(e)).transpose()?;
    let jet = Jet::connecter(&reglages.commun.nats, "ror-gateway", reglages.commun.nats_replicas).await?;
    let taches = TaskTracker::new();
    let passerelle = suivi::demarrer(reglages, &jet, &taches, &arret)?;
    let routes = http::routes(passerelle.clone());
    taches.spawn(http::ecoute::servir(ecoute, routes.clone(), None, arret.clone()));
    if let Some((ecoute, config)) = ecoute_tls {
        taches.spawn(http::ecoute::servir(ecoute, routes, Some(config), arret.clone()));
    }
    let etat = passerelle.etat.clone();
    tracing::info!(http = %adresse, tls = ?adresse_tls, "gateway started");
    Ok(EnMarche { http: adresse, tls: adresse_tls, etat, taches })
}

/// The gateway as its own process, settings read from the file and the environment.
pub async fn servir_seule() -> Result<(), Fin> {
    let mut l = Lecteur::nouveau("")?;
    let journal = ReglagesJournal::lire(&mut l);
    let reglages = ReglagesPasserelle::lire(&mut l);
    l.finir()?;
    let _garde = telemetrie::installer(&journal, "gateway")?;
    let arret = jeton_d_arret();
    let passerelle = demarrer(reglages, arret.clone()).await?;
    arret.cancelled().await;
    passerelle.attendre().await;
    Ok(())
}

pub(crate) type Partage = Arc<Passerelle>;
