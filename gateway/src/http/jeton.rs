//! Token endpoint: OAuth2 client credentials (RFC 6749), by secret or by certificate (RFC 8705).

use axum::{
    extract::{Extension, State},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
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
    let Ok((client_id, client_secret)) = identite_basic(&entetes) else {
        return refus(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "L'en-tête Authorization est illisible. Attendu : Basic, puis identifiant:secret en base64.",
        );
    };
    let mut demande = IssueTokenRequest {
        certificat_sha256: connexion.certificat.unwrap_or_default(),
        client_id,
        client_secret,
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

/// Client id and secret of `Authorization: Basic` (RFC 6749 §2.3.1), empty when it is not there.
fn identite_basic(entetes: &HeaderMap) -> Result<(String, String), ()> {
    let valeur = entetes.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (schema, code) = valeur.split_once(' ').unwrap_or((valeur, ""));
    if !schema.eq_ignore_ascii_case("basic") {
        return Ok(Default::default());
    }
    let octets = STANDARD.decode(code.trim()).map_err(|_| ())?;
    let paire = String::from_utf8(octets).map_err(|_| ())?;
    let (id, secret) = paire.split_once(':').ok_or(())?;
    Ok((decoder(id).ok_or(())?, decoder(secret).ok_or(())?))
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn avec(v: &str) -> HeaderMap {
        let mut h = HeaderMap::new();
        h.insert(header::AUTHORIZATION, HeaderValue::from_str(v).unwrap());
        h
    }

    #[test]
    fn a_secret_may_come_in_the_basic_header() {
        for ailleurs in [HeaderMap::new(), avec("Bearer x")] {
            assert_eq!(identite_basic(&ailleurs), Ok(Default::default()));
        }
        // demo-p0:a%3Ab+c, each part encoded as a form is.
        let lu = identite_basic(&avec("basic ZGVtby1wMDphJTNBYitj"));
        assert_eq!(lu, Ok(("demo-p0".into(), "a:b c".into())));
        for mauvais in ["Basic", "Basic !!", "Basic ZGVtbw==", "Basic /w=="] {
            assert_eq!(identite_basic(&avec(mauvais)), Err(()), "{mauvais}");
        }
    }
}
