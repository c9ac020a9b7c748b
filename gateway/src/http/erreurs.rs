//! Refusals as OperationOutcome, in French.

use axum::{
    extract::OriginalUri,
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
