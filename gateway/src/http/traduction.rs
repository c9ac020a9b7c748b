//! XML where it is asked: handlers write JSON, errors included; this turns it.

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::Semaphore;

use super::{
    erreurs::Refus,
    negociation::{JSON, accepter_json, format, format_demande, sans_corps},
    telechargement::TelQuel,
};
use crate::{
    fhir::{
        outcome::{Issue, operation_outcome},
        xml,
    },
    recherche::arbre::Format,
};

/// The type of answers in XML.
const EN_XML: &str = "application/fhir+xml; charset=utf-8";
/// Bytes of JSON that are turned to XML at once, and at most.
const XML_COURT: u64 = 64 * 1024;
const XML_MAX: usize = 32_000_000;
/// Longer ones that are turned at once: each is whole in memory, twice.
static TRADUCTIONS: Semaphore = Semaphore::const_new(2);

/// What the body of a request asks, which the layer does not read.
#[derive(Clone, Copy)]
struct Demande(Format);

/// Says to the layer the format that a form asks.
pub(super) fn repondre_en(demande: Option<Format>, reponse: impl IntoResponse) -> Response {
    let mut reponse = reponse.into_response();
    if let Some(f) = demande {
        reponse.extensions_mut().insert(Demande(f));
    }
    reponse
}

/// The criteria of a form, those of the address first, and the format that it asks.
pub(super) fn formulaire(
    entetes: &HeaderMap,
    chaine: Option<&str>,
    corps: &Bytes,
) -> Result<(String, Option<Format>), Refus> {
    let nature = entetes.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let nature = nature.split(';').next().unwrap_or_default().trim();
    if !corps.is_empty() && !nature.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let texte = "Le corps n'est pas un formulaire. Attendu : application/x-www-form-urlencoded.";
        let issue = Issue::new("not-supported", texte).sur("Content-Type");
        return Err(Refus::un(StatusCode::UNSUPPORTED_MEDIA_TYPE, issue));
    }
    let corps = std::str::from_utf8(corps).map_err(|_| {
        Refus::un(StatusCode::BAD_REQUEST, Issue::new("structure", "Le corps n'est pas un texte UTF-8."))
    })?;
    let parties: Vec<&str> =
        [chaine.unwrap_or_default(), corps.trim()].into_iter().filter(|c| !c.is_empty()).collect();
    Ok((parties.join("&"), format_demande(corps)))
}

/// Layer: who prefers XML gets it. `_format` stands for `Accept`, which handlers then see as JSON.
pub(super) async fn en_xml(mut r: Request, next: Next) -> Response {
    let demande = r.uri().query().and_then(format_demande);
    let accepte = matches!(format(r.headers(), demande), Ok(Format::Xml));
    let tete_seule = r.method() == Method::HEAD;
    if demande.is_some() {
        accepter_json(r.headers_mut());
    }
    let mut reponse = next.run(r).await;
    let json = reponse
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.starts_with(JSON[0]));
    // A file of an export has its own sizes and fingerprint.
    if !json || reponse.extensions().get::<TelQuel>().is_some() {
        return reponse;
    }
    reponse.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    let du_corps = reponse.extensions().get::<Demande>().filter(|_| demande.is_none());
    if !du_corps.map_or(accepte, |d| d.0 == Format::Xml) {
        return reponse;
    }
    let (mut tete, corps) = reponse.into_parts();
    tete.headers.remove(header::CONTENT_LENGTH);
    tete.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EN_XML));
    // Its length would be that of the JSON.
    if tete_seule {
        return Response::from_parts(tete, sans_corps());
    }
    match traduire(corps).await {
        Ok(traduit) => Response::from_parts(tete, Body::from(traduit)),
        Err(Refus(statut, issues)) => {
            let corps = xml::de_json(&operation_outcome(&issues)).unwrap_or_default();
            (statut, [(header::CONTENT_TYPE, EN_XML)], corps).into_response()
        }
    }
}

/// A body turned to XML: at once when it is small, else apart, a few at a time, and up to a bound.
async fn traduire(corps: Body) -> Result<Vec<u8>, Refus> {
    let court = corps.size_hint().exact().is_some_and(|n| n <= XML_COURT);
    let place = if court { None } else { Some(TRADUCTIONS.acquire().await.map_err(|_| interne())?) };
    let lu = Limited::new(corps, XML_MAX)
        .collect()
        .await
        .map_err(|e| if e.is::<LengthLimitError>() { trop_long() } else { interne() })?;
    let octets = lu.to_bytes();
    if court {
        return xml::de_json(&octets).ok_or_else(interne);
    }
    let fait = tokio::task::spawn_blocking(move || {
        let _place = place;
        xml::de_json(&octets)
    });
    fait.await.ok().flatten().ok_or_else(interne)
}

fn trop_long() -> Refus {
    let texte = format!(
        "La réponse est trop longue pour le XML : plus de {} Mo. Attendu : des pages plus petites (_count), moins de ressources liées (_include, _revinclude), ou application/fhir+json.",
        XML_MAX / 1_000_000
    );
    Refus::un(StatusCode::UNPROCESSABLE_ENTITY, Issue::new("too-costly", texte))
}

fn interne() -> Refus {
    Refus::un(StatusCode::INTERNAL_SERVER_ERROR, Issue::new("exception", "Erreur interne du serveur."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_follows_its_address_and_says_what_it_is() {
        let de = |nature: &'static str, corps: &'static str| {
            let mut entetes = HeaderMap::new();
            entetes.insert(header::CONTENT_TYPE, HeaderValue::from_static(nature));
            formulaire(&entetes, Some("a=1"), &Bytes::from_static(corps.as_bytes())).map_err(|r| r.0.as_u16())
        };
        let forme = "Application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(
            de(forme, "b=2&_format=xml").ok(),
            Some(("a=1&b=2&_format=xml".into(), Some(Format::Xml)))
        );
        assert_eq!(de("text/plain", "").ok(), Some(("a=1".into(), None)));
        assert_eq!(de("application/json", "{}").err(), Some(415));
    }

    #[tokio::test]
    async fn what_is_turned_to_xml_is_bounded() {
        let de = |nom: String| Body::from(format!("{{\"resourceType\":\"Location\",\"name\":\"{nom}\"}}"));
        for longueur in [1, 2 * XML_COURT as usize] {
            let traduit = traduire(de("x".repeat(longueur))).await.ok().unwrap();
            assert!(traduit.len() > longueur && traduit.ends_with(b"</Location>"), "{longueur}");
        }
        let statut = |r: Result<Vec<u8>, Refus>| r.err().map(|r| r.0.as_u16());
        assert_eq!(statut(traduire(de("x".repeat(XML_MAX))).await), Some(422));
        assert_eq!(statut(traduire(Body::from("{")).await), Some(500));
    }
}
