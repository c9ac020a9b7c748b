//! Refusals as OperationOutcome, in French.

use axum::{
    extract::{OriginalUri, Request},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use ror_chassis::Erreur;

use crate::fhir::outcome::{Issue, operation_outcome};

/// An OperationOutcome with a status.
pub fn reponse(status: StatusCode, issues: &[Issue]) -> Response {
    let mut r = super::fhir(status, operation_outcome(issues));
    if status == StatusCode::UNAUTHORIZED {
        r.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"ror\", error=\"invalid_token\""),
        );
    }
    r
}

/// Status and issues of an error of the mesh.
pub fn de_erreur(e: &Erreur) -> (StatusCode, Vec<Issue>) {
    let un = |status, code, texte: &str| (status, vec![Issue::new(code, phrase(texte))]);
    match e {
        Erreur::Invalide(f) => (StatusCode::BAD_REQUEST, f.iter().map(Issue::from).collect()),
        Erreur::Regle(f) => (StatusCode::UNPROCESSABLE_ENTITY, f.iter().map(Issue::from).collect()),
        Erreur::Introuvable(t) => un(StatusCode::NOT_FOUND, "not-found", t),
        Erreur::Existe(t) => un(StatusCode::CONFLICT, "duplicate", t),
        Erreur::Conflit(t) => un(StatusCode::CONFLICT, "conflict", t),
        Erreur::Interdit(t) => un(StatusCode::FORBIDDEN, "forbidden", t),
        Erreur::NonAuthentifie(t) => un(StatusCode::UNAUTHORIZED, "login", t),
        Erreur::Epuise(t) => un(StatusCode::TOO_MANY_REQUESTS, "throttled", t),
        Erreur::Indisponible(t) => un(StatusCode::SERVICE_UNAVAILABLE, "transient", t),
        Erreur::Delai(t) => un(StatusCode::GATEWAY_TIMEOUT, "timeout", t),
        Erreur::Interne(cause) => {
            tracing::error!(error = %cause, "internal error");
            un(StatusCode::INTERNAL_SERVER_ERROR, "exception", "erreur interne du serveur")
        }
    }
}

fn phrase(t: &str) -> String {
    let mut c = t.chars();
    let debut: String = c.next().into_iter().flat_map(char::to_uppercase).collect();
    let fin = if t.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{debut}{}{fin}", c.as_str())
}

/// The error of a handler.
pub struct Refus(pub StatusCode, pub Vec<Issue>);

impl Refus {
    /// One issue.
    pub fn un(status: StatusCode, issue: Issue) -> Self {
        Self(status, vec![issue])
    }
}

impl From<Erreur> for Refus {
    fn from(e: Erreur) -> Self {
        let (s, i) = de_erreur(&e);
        Self(s, i)
    }
}

impl IntoResponse for Refus {
    fn into_response(self) -> Response {
        let mut r = reponse(self.0, &self.1);
        if matches!(self.0, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            r.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        r
    }
}

/// Layer: what is refused before a handler is told as handlers tell it.
pub async fn en_outcome(r: Request, next: Next) -> Response {
    let reponse = next.run(r).await;
    let statut = reponse.status();
    let genre = reponse.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !(statut.is_client_error() || statut.is_server_error()) || genre.starts_with(b"application/") {
        return reponse;
    }
    let issue = match statut {
        StatusCode::BAD_REQUEST => Issue::new(
            "structure",
            "La demande est illisible. Attendu : une adresse encodée en UTF-8, et un corps entier.",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => Issue::new(
            "too-long",
            format!("Le corps est trop grand. Attendu : {} Mio au plus.", super::CORPS_MAX / (1024 * 1024)),
        ),
        _ => Issue::new("processing", format!("La demande est refusée ({}).", statut.as_u16())),
    };
    let mut refus = self::reponse(statut, &[issue]);
    // A method refused comes with those that are not.
    if let Some(permises) = reponse.headers().get(header::ALLOW) {
        refus.headers_mut().insert(header::ALLOW, permises.clone());
    }
    refus
}

/// No such route.
pub async fn route_inconnue(OriginalUri(uri): OriginalUri) -> Response {
    let chemin: String = uri.path().chars().take(200).collect();
    let attendu = format!(
        "{0}/metadata, {0}/<type>?…, {0}/<type>/<id> ; types : Organization, HealthcareService, Location, Practitioner, PractitionerRole",
        super::DIFFUSION
    );
    reponse(
        StatusCode::NOT_FOUND,
        &[Issue::new("not-found", format!("L'adresse « {chemin} » n'existe pas. Attendu : {attendu}."))],
    )
}

/// The route exists, not with this method.
pub async fn methode_refusee(m: http::Method) -> Response {
    reponse(
        StatusCode::METHOD_NOT_ALLOWED,
        &[Issue::new(
            "not-supported",
            format!(
                "La méthode {m} n'est pas admise ici. Attendu : GET pour lire et chercher, PATCH pour la capacité."
            ),
        )],
    )
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, Bytes, to_bytes},
        extract::{DefaultBodyLimit, Path},
        middleware,
        routing::post,
    };
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn what_no_handler_sees_is_refused_alike() {
        let routes: Router = Router::new()
            .route("/{id}", post(|Path(_): Path<String>, _: Bytes| async { "fait" }))
            .layer(DefaultBodyLimit::max(8))
            .layer(middleware::from_fn(en_outcome));
        for (methode, chemin, corps, statut, code) in [
            ("POST", "/a", "court", 200, ""),
            ("POST", "/%FF", "court", 400, "structure"),
            ("POST", "/a", "bien trop long", 413, "too-long"),
            ("GET", "/a", "", 405, "processing"),
        ] {
            let r = Request::builder().method(methode).uri(chemin).body(Body::from(corps)).unwrap();
            let r = routes.clone().oneshot(r).await.unwrap();
            assert_eq!(r.status(), statut, "{methode} {chemin}");
            assert_eq!(r.headers().contains_key(header::ALLOW), statut == 405);
            let octets = to_bytes(r.into_body(), 10_000).await.unwrap();
            let json: serde_json::Value = serde_json::from_slice(&octets).unwrap_or_default();
            assert_eq!(json["issue"][0]["code"].as_str().unwrap_or_default(), code, "{methode} {chemin}");
        }
    }
}
