//! Routes of the façade. Handlers stay thin: who calls, what is asked, hand over.

mod capacite;
mod changements;
mod chercher;
mod conformite;
mod corps;
pub mod ecoute;
mod emballage;
mod erreurs;
mod export;
mod jeton;
mod lecture;
mod lot;
mod negociation;
pub(crate) mod page;
mod reference;
mod telechargement;
mod terminologie;
mod trace;
mod traduction;

use std::time::Duration;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, patch, post},
};
use http::{HeaderName, HeaderValue, StatusCode};
use ror_chassis::admin;
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use self::negociation::{format_nomme, origines};
use crate::{Partage, accueil, fhir::outcome::Issue};

/// Root of reads and searches.
pub const DIFFUSION: &str = "/ws-diffusion-fhir";
/// Root of the capacity PATCH.
pub const CAPACITE: &str = "/ws-synchro-dispo-lits-fhir";
/// Token endpoint.
pub const JETON: &str = "/auth/realms/ror/protocol/openid-connect/token";

/// Longest a request may last.
pub(crate) const DELAI: Duration = Duration::from_secs(20);
/// Largest body.
const CORPS_MAX: usize = 1024 * 1024;

/// What the transport knows of a connection.
#[derive(Clone, Debug, Default)]
pub struct Connexion {
    /// Whether it is TLS.
    pub tls: bool,
    /// SHA-256 (hex) of the client certificate.
    pub certificat: Option<String>,
}

/// Every route.
pub fn routes(p: Partage) -> Router {
    let diffusion = Router::new()
        .route("/{type}", get(chercher::par_url))
        .route("/{type}/_search", post(chercher::par_formulaire))
        .route("/{type}/{id}", get(lecture::lire))
        .merge(terminologie::routes())
        .merge(export::routes())
        .merge(changements::routes())
        .merge(conformite::routes())
        .fallback(erreurs::route_inconnue)
        .method_not_allowed_fallback(erreurs::methode_refusee)
        .layer(middleware::from_fn(erreurs::en_outcome))
        .layer(middleware::from_fn(traduction::en_xml));
    let synchro = Router::new()
        .route("/Location", patch(capacite::patcher))
        .route("/Location/{id}", patch(capacite::patcher_par_id))
        .fallback(erreurs::route_inconnue)
        .method_not_allowed_fallback(erreurs::methode_refusee)
        .layer(middleware::from_fn(erreurs::en_outcome))
        .layer(middleware::from_fn(traduction::en_xml));
    let routes = Router::new()
        .route("/", get(accueil::page))
        .route("/accueil.css", get(accueil::style))
        .merge(reference::routes())
        .nest(DIFFUSION, diffusion)
        .nest(CAPACITE, synchro)
        .route(JETON, post(jeton::donner))
        .fallback(erreurs::route_inconnue)
        .layer(middleware::from_fn_with_state(p.clone(), fraicheur))
        .layer(middleware::from_fn_with_state(p.clone(), emballage::par_blocs))
        .with_state(p.clone())
        .layer(negociation::compression());
    // Before the compression: a browser's preliminary question has no body and asks nothing else.
    let routes = match negociation::cors(&p.reglages.origines) {
        Some(cors) => routes.layer(cors),
        None => routes,
    };
    let admin = if p.reglages.metriques { admin::routes } else { admin::sondes };
    routes
        .layer(DefaultBodyLimit::max(CORPS_MAX))
        .layer(middleware::from_fn(borner))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            erreurs::reponse(
                StatusCode::INTERNAL_SERVER_ERROR,
                &[Issue::new("exception", "Erreur interne du serveur.")],
            )
        }))
        .layer(middleware::from_fn(trace::suivre))
        .layer(middleware::from_fn(mesurer))
        .layer(middleware::map_request(nommer_hote))
        .merge(admin(p.etat.clone()))
}

/// HTTP/2 names the host in the address of the request: it is put where HTTP/1 has it, so that
/// links lead back here whatever the protocol.
async fn nommer_hote(mut r: Request) -> Request {
    if !r.headers().contains_key(http::header::HOST)
        && let Some(hote) = r.uri().authority().and_then(|a| HeaderValue::from_str(a.as_str()).ok())
    {
        r.headers_mut().insert(http::header::HOST, hote);
    }
    r
}

/// The route without its id.
fn chemin(path: &str) -> &str {
    match path.strip_prefix(DIFFUSION).and_then(|p| p.strip_prefix('/')).and_then(|p| p.find('/')) {
        Some(i) => &path[..DIFFUSION.len() + 1 + i],
        None => path,
    }
}

async fn borner(r: Request, next: Next) -> Response {
    match tokio::time::timeout(DELAI, next.run(r)).await {
        Ok(reponse) => reponse,
        Err(_) => erreurs::reponse(
            StatusCode::GATEWAY_TIMEOUT,
            &[Issue::new("timeout", "La requête a dépassé le temps imparti.")],
        ),
    }
}

async fn mesurer(r: Request, next: Next) -> Response {
    let debut = std::time::Instant::now();
    let famille = match r.uri().path() {
        p if p.starts_with(CAPACITE) => "capacity",
        p if p.starts_with(DIFFUSION) => {
            if chemin(p).len() < p.len() {
                "read"
            } else {
                "search"
            }
        }
        JETON => "token",
        _ => "other",
    };
    let reponse = next.run(r).await;
    let code = reponse.status().as_u16() / 100;
    metrics::histogram!("ror_http_seconds", "family" => famille, "code" => format!("{code}xx"))
        .record(debut.elapsed().as_secs_f64());
    reponse
}

/// Each answer says how late its data may be; past the limit it is marked stale.
async fn fraicheur(State(p): State<Partage>, r: Request, next: Next) -> Response {
    let mut reponse = next.run(r).await;
    let Some(retard) = p.fraicheur.retard() else { return reponse };
    let h = reponse.headers_mut();
    if let Ok(v) = HeaderValue::from_str(&format!("{retard:.1}")) {
        h.insert(HeaderName::from_static("ror-retard-secondes"), v);
    }
    if retard > p.reglages.retard_max_s {
        h.insert(http::header::WARNING, HeaderValue::from_static("110 - \"Response is Stale\""));
    }
    reponse
}

/// JSON of FHIR.
fn fhir(status: StatusCode, corps: impl Into<Body>) -> Response {
    (status, [(http::header::CONTENT_TYPE, "application/fhir+json; charset=utf-8")], corps.into())
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_host_of_http2_is_where_http1_has_it() {
        let lu = |uri: &'static str, hote: Option<&'static str>| async move {
            let mut r = Request::builder().uri(uri);
            if let Some(h) = hote {
                r = r.header(http::header::HOST, h);
            }
            let r = nommer_hote(r.body(Body::empty()).unwrap()).await;
            r.headers().get(http::header::HOST).map(|v| v.to_str().unwrap().to_owned())
        };
        assert_eq!(lu("https://localhost:8443/a?b", None).await.as_deref(), Some("localhost:8443"));
        assert_eq!(lu("/a", Some("ici:1")).await.as_deref(), Some("ici:1"));
        assert_eq!(lu("/a", None).await, None);
    }
}
