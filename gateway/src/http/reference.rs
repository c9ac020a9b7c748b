//! The reference for a reader: a maintained viewer over the OpenAPI document when its files are in
//! the folder of the settings, and in any case one page made from the tables, without a script.

mod vue;

use std::{io, path::Path as Chemin};

use askama::Template;
use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{
    conformite, erreurs,
    negociation::{Empreinte, detient, etiqueter, inchange},
};
use crate::Partage;

/// Files taken from the viewer, with their media types.
const LECTEUR: [(&str, &str); 2] = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
    ("swagger-ui.css", "text/css; charset=utf-8"),
];

/// Ours beside them.
const NOTRES: [(&str, &str, &str); 2] = [
    ("demarrage.js", "text/javascript; charset=utf-8", include_str!("../../templates/lecteur.js")),
    ("reference.css", "text/css; charset=utf-8", include_str!("../../templates/reference.css")),
];

/// The viewer runs from files and draws its icons from `data:`.
const REGLES_LECTEUR: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// The page needs a style sheet only.
const REGLES_PAGE: &str =
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

/// Routes at the root of the site.
pub fn routes() -> Router<Partage> {
    Router::new()
        .route("/openapi.json", get(conformite::document))
        .route("/reference", get(accueillir))
        .route("/reference/parametres", get(page))
        .route("/reference/{fichier}", get(fichier))
}

/// GET /reference: the viewer, or the page where it is not installed.
async fn accueillir(s: State<Partage>) -> Response {
    if !lecteur_present(&s.0).await {
        return page(s).await;
    }
    html(include_str!("../../templates/lecteur.html").to_owned(), REGLES_LECTEUR)
}

/// GET /reference/parametres.
async fn page(State(p): State<Partage>) -> Response {
    match vue::Reference::nouvelle(lecteur_present(&p).await).render() {
        Ok(texte) => html(texte, REGLES_PAGE),
        Err(e) => {
            tracing::error!(error = %e, "reference not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// GET /reference/{fichier}: a closed list, so that no name leads elsewhere.
async fn fichier(State(p): State<Partage>, Path(nom): Path<String>, entetes: HeaderMap) -> Response {
    if let Some((_, genre, texte)) = NOTRES.into_iter().find(|(n, ..)| *n == nom) {
        return servir(&entetes, genre, texte.as_bytes().to_vec());
    }
    let connu = LECTEUR.into_iter().find(|(n, _)| *n == nom);
    if let (Some((nom, genre)), Some(dossier)) = (connu, &p.reglages.reference) {
        match lire(dossier, nom).await {
            Ok(octets) => return servir(&entetes, genre, octets),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => {
                tracing::warn!(folder = %dossier.display(), file = nom, error = %e, "viewer not readable")
            }
        }
    }
    let nom: String = nom.chars().take(60).collect();
    let texte = format!(
        "« {nom} » n'est pas un fichier de la référence. Attendu : /reference ou /reference/parametres."
    );
    erreurs::reponse(StatusCode::NOT_FOUND, &[crate::fhir::outcome::Issue::new("not-found", texte)])
}

async fn lire(dossier: &Chemin, nom: &str) -> io::Result<Vec<u8>> {
    tokio::fs::read(dossier.join(nom)).await
}

async fn lecteur_present(p: &Partage) -> bool {
    let Some(dossier) = &p.reglages.reference else { return false };
    for (nom, _) in LECTEUR {
        if !tokio::fs::metadata(dossier.join(nom)).await.is_ok_and(|m| m.is_file()) {
            return false;
        }
    }
    true
}

fn servir(entetes: &HeaderMap, genre: &'static str, octets: Vec<u8>) -> Response {
    let etag = Empreinte::de(&octets);
    if detient(entetes, &etag) {
        return inchange(&etag);
    }
    let mut r = ([(header::CONTENT_TYPE, genre), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], octets)
        .into_response();
    etiqueter(&mut r, &etag);
    r
}

fn html(texte: String, regles: &'static str) -> Response {
    let entetes: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(regles)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (entetes, texte).into_response()
}
