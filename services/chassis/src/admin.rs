//! `/live`, `/ready` and `/metrics` of a process.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use std::sync::RwLock;
use tokio_util::sync::CancellationToken;

use crate::{Resultat, serveur, telemetrie};

/// Named conditions that must all hold before a process is ready.
#[derive(Clone, Default)]
pub struct Etat(Arc<RwLock<BTreeMap<String, bool>>>);

impl Etat {
    /// Sets one condition.
    pub fn poser(&self, nom: &str, vrai: bool) {
        if let Ok(mut e) = self.0.write()
            && e.get(nom) != Some(&vrai)
        {
            e.insert(nom.to_owned(), vrai);
        }
    }

    /// Every condition.
    pub fn lire(&self) -> BTreeMap<String, bool> {
        self.0.read().map(|e| e.clone()).unwrap_or_default()
    }

    /// Whether all hold.
    pub fn pret(&self) -> bool {
        self.0.read().is_ok_and(|e| !e.is_empty() && e.values().all(|v| *v))
    }
}

/// `/live` and `/ready`.
pub fn sondes(etat: Etat) -> Router {
    Router::new().route("/live", get(|| async { "ok" })).route("/ready", get(pret)).with_state(etat)
}

/// The three routes.
pub fn routes(etat: Etat) -> Router {
    sondes(etat).route("/metrics", get(metriques))
}

async fn pret(State(etat): State<Etat>) -> impl IntoResponse {
    let code = if etat.pret() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(etat.lire()))
}

async fn metriques() -> impl IntoResponse {
    let m = telemetrie::metriques();
    m.run_upkeep();
    ([("content-type", "text/plain; version=0.0.4")], m.render())
}

/// Serves the routes on their own port.
pub async fn servir(adresse: SocketAddr, etat: Etat, arret: CancellationToken) -> Resultat<()> {
    let ecoute = serveur::ecouter(adresse, "administration").await?;
    axum::serve(ecoute, routes(etat))
        .with_graceful_shutdown(async move { arret.cancelled().await })
        .await
        .map_err(|e| crate::Erreur::Interne(Box::new(e)))
}
