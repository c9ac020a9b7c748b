//! The gateway: what the world sees of the mesh.
//!
//! Reading order: [`modele`] (the directory in memory), [`recherche`] (from a query string to a
//! page), [`texte`] (full text), [`fhir`] (rendering, masks, reading), [`acces`] (tokens and
//! consumers), [`terminologie`] (the nomenclatures), [`export`] and [`flux`] (copies of the whole,
//! and what changes in it), [`suivi`] (how our own copies follow the services), [`http`] (routes),
//! [`accueil`] (the home page).

pub mod acces;
mod accueil;
mod accueil_vue;
#[cfg(any(test, feature = "epreuve"))]
#[doc(hidden)]
pub mod epreuve;
pub mod export;
pub mod fhir;
pub mod flux;
pub mod http;
pub mod modele;
mod pairs;
mod prive;
pub mod recherche;
pub mod reglages;
mod rendu;
mod sceau;
mod suivi;
pub mod terminologie;
pub mod texte;

use std::{net::SocketAddr, sync::Arc, time::SystemTime};

use arc_swap::ArcSwap;
use fhir::{canoniques::systeme_publie, outcome::Issue};
use recherche::{
    arbre::{Requete, Resume},
    evaluation::TropCouteux,
    requete::{self, Regard},
};
use ror_chassis::{
    Resultat,
    admin::{self, Etat},
    client::Canal,
    nats::Jet,
    processus::{Fin, jeton_d_arret},
    reglages::{Lecteur, ReglagesJournal},
    serveur, telemetrie,
};
use ror_domaine::vocabulaire::{Tables, Vocabulaire};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use reglages::ReglagesPasserelle;

/// What the routes share.
pub struct Passerelle {
    /// The directory.
    pub annuaire: modele::Annuaire,
    /// Tokens, consumers, policy.
    pub acces: acces::Acces,
    /// Labels and codes.
    pub vocabulaire: Vocabulaire,
    /// Every published version of the nomenclatures.
    pub terminologie: ArcSwap<terminologie::Terminologie>,
    /// Resources already rendered.
    pub rendues: Arc<rendu::Cache>,
    /// Key of page links and cursors; the same on every replica when it is set.
    pub secret: [u8; 32],
    /// This replica, for what only it can answer.
    pub replique: u32,
    /// Bulk exports.
    pub exports: export::Exports,
    /// Who follows the changes.
    pub abonnes: flux::Abonnes,
    /// Readiness.
    pub etat: Etat,
    /// Freshness of each follower.
    pub fraicheur: suivi::Fraicheur,
    /// Settings.
    pub reglages: ReglagesPasserelle,
    /// Full text of the directory.
    pub texte: Arc<texte::TexteIntegral>,
    /// Who feeds it.
    pub indexeur: Arc<suivi::Indexeur>,
    /// Heavy searches under way, at most: one a core.
    pub lourdes: Arc<tokio::sync::Semaphore>,
    /// Where parts of long answers are made, and first snapshots read: a thread a core.
    pub atelier: Arc<rendu::Atelier>,
    capacity: Canal,
    access: Canal,
    sante: Vec<(String, Canal)>,
}

/// What the criteria of a search are read with.
pub struct Lumiere {
    /// Moment.
    pub modele: Arc<modele::Modele>,
    /// Labels.
    pub tables: Arc<Tables>,
    /// Value sets.
    pub terminologie: Arc<terminologie::Terminologie>,
    /// Now, in milliseconds since 1970.
    pub maintenant: i64,
}

/// Now, in milliseconds since 1970.
pub(crate) fn maintenant() -> i64 {
    let depuis = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    depuis.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

impl Passerelle {
    /// Reads the criteria of a search, labels resolved; `indulgent` leaves aside what does not exist
    /// and says so.
    pub fn lire_recherche(
        &self,
        t: modele::TypeFhir,
        criteres: &str,
        indulgent: bool,
    ) -> Result<Requete, Vec<Issue>> {
        self.lire_recherche_a(t, criteres, indulgent, &self.lumiere(self.annuaire.instant(), None))
    }

    /// What tells the rules by which a profile reads now.
    pub fn droits(&self, profil: u8) -> u64 {
        self.annuaire.instant().politique().empreinte_pour(profil)
    }

    /// What to read criteria with at a moment, as if it were that time; now without one.
    pub fn lumiere(&self, modele: Arc<modele::Modele>, quand: Option<i64>) -> Lumiere {
        Lumiere {
            modele,
            tables: self.vocabulaire.tables(),
            terminologie: self.terminologie.load_full(),
            maintenant: quand.unwrap_or_else(maintenant),
        }
    }

    /// The same, with these labels and value sets, at that moment and time.
    pub fn lire_recherche_a(
        &self,
        t: modele::TypeFhir,
        criteres: &str,
        indulgent: bool,
        avec: &Lumiere,
    ) -> Result<Requete, Vec<Issue>> {
        let Lumiere { modele, tables, terminologie, maintenant } = avec;
        // Not the codes in use: what is hidden from the caller would show.
        let connu = |s: &str| systeme_publie(s) || tables.systeme(s).is_some();
        let jeu = |url: &str| terminologie.codes_du_jeu(url);
        let regard = Regard { connu: &connu, jeu: &jeu, maintenant: *maintenant, indulgent };
        let mut requete = requete::lire(t, criteres, &regard)?;
        recherche::libelles::resoudre(&mut requete.condition, t, modele, &|s, c| {
            tables.libelle(s, c).map(str::to_owned)
        })
        .map_err(|TropCouteux| {
            let message = "Les critères « :text » regardent plus de libellés qu'une requête n'en peut coûter. Attendu : moins de critères « :text », ou les codes eux-mêmes.";
            vec![Issue::new("too-costly", message)]
        })?;
        requete.condition = requete.condition.reunir();
        if requete.resume == Resume::Compte {
            requete.nombre = 0;
        }
        Ok(requete)
    }

    /// Full text, for searches that ask it or not; `None` when they do and it does not know every row yet.
    pub fn textes<'a>(
        &self,
        profil: u8,
        requetes: impl IntoIterator<Item = &'a recherche::arbre::Requete>,
    ) -> Option<texte::TextesDuMoment> {
        let textes = texte::TextesDuMoment::nouveau(self.texte.clone(), self.vocabulaire.tables(), profil);
        let entiers = textes.entiers() || requetes.into_iter().all(|r| !r.texte_integral);
        entiers.then_some(textes)
    }
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
    // Without an image there is nothing to give.
    let aux_pairs = match (&reglages.image, reglages.aux_pairs) {
        (Some(i), Some(adresse)) => {
            let ecoute = serveur::ecouter(adresse, "gRPC").await?;
            Some((ecoute, i.dossier.clone(), reglages.commun.tls.clone()))
        }
        _ => None,
    };
    let local =
        |e: &tokio::net::TcpListener| e.local_addr().map_err(|e| ror_chassis::Erreur::Interne(Box::new(e)));
    let adresse = local(&ecoute)?;
    let adresse_tls = ecoute_tls.as_ref().map(|(e, _)| local(e)).transpose()?;
    let jet = Jet::connecter(&reglages.commun.nats, "ror-gateway", reglages.commun.nats_replicas).await?;
    let taches = TaskTracker::new();
    let delais = reglages.delais;
    let admin = reglages.commun.admin.filter(|_| !reglages.metriques);
    let passerelle = suivi::demarrer(reglages, &jet, &taches, &arret)?;
    if let Some((ecoute, dossier, tls)) = aux_pairs {
        let routes = tonic::service::Routes::new(pairs::service(dossier, passerelle.etat.clone()));
        let arret = arret.clone();
        taches.spawn(async move {
            if let Err(e) = serveur::servir(ecoute, routes, tls.as_ref(), arret).await {
                tracing::error!(error = %e, "gRPC server ended");
            }
        });
    }
    let routes = http::routes(passerelle.clone());
    taches.spawn(http::ecoute::servir(ecoute, routes.clone(), None, delais, arret.clone()));
    if let Some((ecoute, config)) = ecoute_tls {
        taches.spawn(http::ecoute::servir(ecoute, routes, Some(config), delais, arret.clone()));
    }
    let etat = passerelle.etat.clone();
    if let Some(adresse) = admin {
        let (etat, arret) = (etat.clone(), arret.clone());
        taches.spawn(async move {
            if let Err(e) = admin::servir(adresse, etat, arret).await {
                tracing::error!(error = %e, "admin server ended");
            }
        });
    }
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
