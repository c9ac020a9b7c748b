//! Token endpoint: OAuth2 client credentials (RFC 6749), by secret or by certificate (RFC 8705).

use axum::{
    extract::{Extension, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use ror_chassis::Erreur;
use ror_proto::access::v1::{IssueTokenRequest, access_service_client::AccessServiceClient};
use serde_json::json;

use super::Connexion;
use crate::{Partage, recherche::requete::decoder};

/// POST of the form.
pub async fn donner(
    State(p): State<Partage>,
    Extension(connexion): Extension<Connexion>,
    entetes: HeaderMap,
    corps: Bytes,
) -> Response {
    let formulaire = entetes
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with("application/x-www-form-urlencoded"));
    let Some(champs) = formulaire.then(|| std::str::from_utf8(&corps).ok()).flatten() else {
        return refus(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Le corps attendu est un formulaire application/x-www-form-urlencoded.",
        );
    };
    let mut grant = String::new();
    let mut demande = IssueTokenRequest {
        certificat_sha256: connexion.certificat.unwrap_or_default(),
        ..Default::default()
    };
    for (nom, valeur) in champs.split('&').filter_map(|c| c.split_once('=')) {
        let Some(valeur) = decoder(valeur) else {
            return refus(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "Un champ du formulaire est mal encodé.",
            );
        };
        match nom {
            "grant_type" => grant = valeur,
            "client_id" => demande.client_id = valeur,
            "client_secret" => demande.client_secret = valeur,
            _ => {}
        }
    }
    if grant.is_empty() || demande.client_id.is_empty() {
        return refus(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Les champs grant_type et client_id sont obligatoires.",
        );
    }
    if grant != "client_credentials" {
        return refus(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            "Seul grant_type=client_credentials est admis.",
        );
    }
    match AccessServiceClient::new(p.access.clone()).issue_token(demande).await.map_err(Erreur::from) {
        Ok(r) => {
            let r = r.into_inner();
            let corps = json!({
                "access_token": r.access_token,
                "token_type": "Bearer",
                "expires_in": r.expires_in,
                "scope": r.scope,
            });
            reponse(StatusCode::OK, &corps)
        }
        Err(Erreur::NonAuthentifie(t) | Erreur::Introuvable(t)) => {
            refus(StatusCode::UNAUTHORIZED, "invalid_client", &t)
        }
        Err(Erreur::Invalide(_)) => {
            refus(StatusCode::BAD_REQUEST, "invalid_request", "La demande de jeton est mal formée.")
        }
        Err(Erreur::Epuise(t)) => refus(StatusCode::TOO_MANY_REQUESTS, "slow_down", &t),
        Err(Erreur::Interne(e)) => {
            tracing::error!(error = %e, "token not issued");
            refus(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "Erreur interne du serveur.")
        }
        Err(_) => refus(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "Le service d'accès ne répond pas : recommencez dans un instant.",
        ),
    }
}

fn reponse(status: StatusCode, corps: &serde_json::Value) -> Response {
    (
        status,
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
            (header::PRAGMA, "no-cache"),
        ],
        corps.to_string(),
    )
        .into_response()
}

fn refus(status: StatusCode, code: &str, description: &str) -> Response {
    reponse(status, &json!({ "error": code, "error_description": description }))
}
