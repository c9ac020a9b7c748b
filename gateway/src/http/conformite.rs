//! How the façade describes itself: CapabilityStatement, SearchParameter, OperationDefinition,
//! OpenAPI. All of it comes from the tables that are executed, and is open to all.

pub(super) mod definitions;
mod enonce;
mod fiches;
mod openapi;
pub(super) mod operations;

use std::borrow::Cow;

use axum::{
    Router,
    extract::{Extension, Path, RawQuery, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use self::{
    definitions::TYPES_PROPRES,
    enonce::Deploiement,
    fiches::{Fiche, parametres},
    operations::TOUTES,
};
use super::{
    Connexion, DIFFUSION, JETON,
    erreurs::Refus,
    lecture,
    negociation::{self, Empreinte, detient, etiqueter, inchange},
    traduction::{formulaire, repondre_en},
};
use crate::{Partage, fhir::outcome::Issue};

pub(super) use self::enonce::{inclusions, lien};

/// When these descriptions last changed by hand.
const DATE: &str = "2026-11-30";

type Suite = (State<Partage>, Extension<Connexion>, HeaderMap);

/// Routes under the base of the façade.
pub fn routes() -> Router<Partage> {
    let routes = Router::new()
        .route("/metadata", get(capacites))
        .route("/openapi.json", get(document))
        .route("/.well-known/smart-configuration", get(smart));
    TYPES_PROPRES.into_iter().fold(routes, |routes, t| {
        let chercher =
            move |s: State<Partage>, c: Extension<Connexion>, RawQuery(q): RawQuery, h: HeaderMap| {
                trouver(t, (s, c, h), q.unwrap_or_default())
            };
        let poster =
            move |s: State<Partage>,
                  c: Extension<Connexion>,
                  RawQuery(q): RawQuery,
                  h: HeaderMap,
                  corps: Bytes| publier(t, (s, c, h), q.unwrap_or_default(), corps);
        let lire = move |Path(id): Path<String>, s: State<Partage>, c: Extension<Connexion>, h: HeaderMap| {
            lire(t, id, (s, c, h))
        };
        routes
            .route(&format!("/{t}"), get(chercher))
            .route(&format!("/{t}/_search"), post(poster))
            .route(&format!("/{t}/{{id}}"), get(lire))
    })
}

/// GET /metadata.
async fn capacites(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    entetes: HeaderMap,
) -> Response {
    let base = lecture::base(&p, &entetes, connexion.tls);
    let jeton = adresse_jeton(&base);
    let cors = !p.reglages.origines.is_empty();
    negociation::selon_empreinte(&entetes, enonce::ecrire(&Deploiement { base: &base, jeton: &jeton, cors }))
}

/// GET /openapi.json.
pub(super) async fn document(State(p): State<Partage>, entetes: HeaderMap) -> Response {
    let corps = openapi::texte(p.reglages.url_publique.as_deref().unwrap_or("/"));
    let etag = Empreinte::de(corps.as_bytes());
    if detient(&entetes, &etag) {
        return inchange(&etag);
    }
    let mut r = ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], corps).into_response();
    etiqueter(&mut r, &etag);
    r
}

/// GET /.well-known/smart-configuration: where software of the SMART family looks for the token endpoint.
async fn smart(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    entetes: HeaderMap,
) -> Response {
    let corps = json!({
        "token_endpoint": adresse_jeton(&lecture::base(&p, &entetes, connexion.tls)),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "tls_client_auth"],
        "tls_client_certificate_bound_access_tokens": true,
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "capabilities": ["client-confidential-symmetric"],
    });
    ([(header::CONTENT_TYPE, "application/json")], corps.to_string()).into_response()
}

fn adresse_jeton(base: &str) -> String {
    format!("{}{JETON}", base.strip_suffix(DIFFUSION).unwrap_or(base))
}

/// GET /{type}?…
async fn trouver(
    t: &'static str,
    (State(p), Extension(connexion), entetes): Suite,
    chaine: String,
) -> Result<Response, Refus> {
    let base = lecture::base(&p, &entetes, connexion.tls);
    let r = fiches::lire(t, &chaine).map_err(|i| Refus(StatusCode::BAD_REQUEST, i))?;
    let corps = fiches::chercher(&de_type(t, &base), &r, &format!("{base}/{t}"), &chaine);
    Ok(negociation::selon_empreinte(&entetes, corps))
}

/// POST /{type}/_search: criteria of the address and of the form.
async fn publier(t: &'static str, suite: Suite, chaine: String, corps: Bytes) -> Result<Response, Refus> {
    let (chaine, demande) = formulaire(&suite.2, Some(&chaine), &corps)?;
    Ok(repondre_en(demande, trouver(t, suite, chaine).await))
}

/// GET /{type}/{id}.
async fn lire(
    t: &'static str,
    id: String,
    (State(p), Extension(connexion), entetes): Suite,
) -> Result<Response, Refus> {
    let base = lecture::base(&p, &entetes, connexion.tls);
    let fiches = de_type(t, &base);
    let Some(f) = fiches.iter().find(|f| f.id == id) else {
        let id: String = id.chars().take(64).collect();
        let texte = format!("{t} « {id} » n'existe pas. Attendu : un identifiant donné par {base}/{t}.");
        return Err(Refus::un(StatusCode::NOT_FOUND, Issue::new("not-found", texte).sur(t)));
    };
    Ok(negociation::selon_empreinte(&entetes, f.corps.clone()))
}

fn de_type(t: &str, base: &str) -> Cow<'static, [Fiche]> {
    if t == TYPES_PROPRES[0] {
        Cow::Borrowed(parametres())
    } else {
        // In the order of their ids.
        let mut fiches: Vec<Fiche> = TOUTES.into_iter().map(|o| o.fiche(base)).collect();
        fiches.sort_by(|a, b| a.id.cmp(&b.id));
        Cow::Owned(fiches)
    }
}
