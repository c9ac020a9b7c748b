//! Typed errors of a service and their gRPC form with `google.rpc` details.

use ror_proto::common::v1::Faute;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

/// Result of the mesh's own calls.
pub type Resultat<T> = Result<T, Erreur>;

/// What can go wrong, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum Erreur {
    /// The request is wrong: every fault, naming element and rule.
    #[error("invalid request: {} fault(s)", .0.len())]
    Invalide(Vec<Faute>),
    /// Nothing by that name.
    #[error("not found: {0}")]
    Introuvable(String),
    /// The name is taken.
    #[error("already exists: {0}")]
    Existe(String),
    /// The state forbids it.
    #[error("precondition failed: {} fault(s)", .0.len())]
    Regle(Vec<Faute>),
    /// Someone else changed it meanwhile.
    #[error("conflict: {0}")]
    Conflit(String),
    /// Known caller, missing right.
    #[error("forbidden: {0}")]
    Interdit(String),
    /// Unknown caller.
    #[error("unauthenticated: {0}")]
    NonAuthentifie(String),
    /// Too much at once.
    #[error("exhausted: {0}")]
    Epuise(String),
    /// A part is missing for now.
    #[error("unavailable: {0}")]
    Indisponible(String),
    /// Too slow.
    #[error("deadline exceeded: {0}")]
    Delai(String),
    /// Ours to mend; the cause is logged, never shown.
    #[error("internal error")]
    Interne(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Erreur {
    /// An internal error from a text.
    pub fn interne(texte: impl Into<String>) -> Self {
        Self::Interne(texte.into().into())
    }

    /// One fault, as a wrong request.
    pub fn faute(element: &str, regle: &str, message: impl Into<String>, attendu: impl Into<String>) -> Self {
        Self::Invalide(vec![faute(element, regle, message, attendu)])
    }

    /// One French sentence for a person: every fault of a wrong request.
    pub fn phrase(&self) -> String {
        match self {
            Self::Invalide(f) | Self::Regle(f) => f
                .iter()
                .map(|f| {
                    if f.attendu.is_empty() {
                        f.message.clone()
                    } else {
                        format!("{} Attendu : {}", f.message, f.attendu)
                    }
                })
                .collect::<Vec<_>>()
                .join(" ; "),
            Self::Introuvable(t)
            | Self::Existe(t)
            | Self::Conflit(t)
            | Self::Interdit(t)
            | Self::NonAuthentifie(t)
            | Self::Epuise(t)
            | Self::Indisponible(t)
            | Self::Delai(t) => t.clone(),
            Self::Interne(c) => format!("erreur interne : {c}"),
        }
    }

    fn code(&self) -> (Code, &'static str) {
        match self {
            Self::Invalide(_) => (Code::InvalidArgument, "INVALIDE"),
            Self::Introuvable(_) => (Code::NotFound, "INTROUVABLE"),
            Self::Existe(_) => (Code::AlreadyExists, "EXISTE"),
            Self::Regle(_) => (Code::FailedPrecondition, "REGLE"),
            Self::Conflit(_) => (Code::Aborted, "CONFLIT"),
            Self::Interdit(_) => (Code::PermissionDenied, "INTERDIT"),
            Self::NonAuthentifie(_) => (Code::Unauthenticated, "NON_AUTHENTIFIE"),
            Self::Epuise(_) => (Code::ResourceExhausted, "EPUISE"),
            Self::Indisponible(_) => (Code::Unavailable, "INDISPONIBLE"),
            Self::Delai(_) => (Code::DeadlineExceeded, "DELAI"),
            Self::Interne(_) => (Code::Internal, "INTERNE"),
        }
    }
}

/// Builds a fault.
pub fn faute(element: &str, regle: &str, message: impl Into<String>, attendu: impl Into<String>) -> Faute {
    Faute {
        element: element.to_owned(),
        regle: regle.to_owned(),
        message: message.into(),
        attendu: attendu.into(),
    }
}

impl From<sqlx::Error> for Erreur {
    fn from(e: sqlx::Error) -> Self {
        match e {
            sqlx::Error::PoolTimedOut => Self::Indisponible("base de données saturée".into()),
            sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                Self::Indisponible("base de données injoignable".into())
            }
            // 57P0x: the server is stopping or starting; 53x: out of resources.
            sqlx::Error::Database(ref d)
                if d.code().is_some_and(|c| c.starts_with("57P") || c.starts_with("53")) =>
            {
                Self::Indisponible("base de données indisponible".into())
            }
            sqlx::Error::Database(ref d) if d.code().as_deref() == Some("57014") => {
                Self::Delai("requête trop longue".into())
            }
            autre => Self::Interne(Box::new(autre)),
        }
    }
}

impl From<prost::DecodeError> for Erreur {
    fn from(e: prost::DecodeError) -> Self {
        Self::Interne(Box::new(e))
    }
}

impl From<Erreur> for Status {
    fn from(e: Erreur) -> Self {
        let (code, raison) = e.code();
        let mut details = ErrorDetails::new();
        details.set_error_info(raison, "ror", std::collections::HashMap::new());
        match e {
            Erreur::Invalide(fautes) | Erreur::Regle(fautes) => {
                let texte = fautes.iter().map(|f| f.message.as_str()).collect::<Vec<_>>().join(" ; ");
                if let Some(f) = fautes.first() {
                    details.set_error_info(f.regle.clone(), "ror", std::collections::HashMap::new());
                }
                details.set_bad_request(
                    fautes
                        .into_iter()
                        .map(|f| {
                            let description = if f.attendu.is_empty() {
                                f.message
                            } else {
                                format!("{} Attendu : {}", f.message, f.attendu)
                            };
                            FieldViolation::new(f.element, description)
                        })
                        .collect::<Vec<_>>(),
                );
                Status::with_error_details(code, texte, details)
            }
            Erreur::Interne(cause) => {
                tracing::error!(error = %cause, "internal error");
                Status::with_error_details(code, "erreur interne", details)
            }
            Erreur::Introuvable(t)
            | Erreur::Existe(t)
            | Erreur::Conflit(t)
            | Erreur::Interdit(t)
            | Erreur::NonAuthentifie(t)
            | Erreur::Epuise(t)
            | Erreur::Indisponible(t)
            | Erreur::Delai(t) => Status::with_error_details(code, t, details),
        }
    }
}

impl From<Status> for Erreur {
    fn from(s: Status) -> Self {
        let texte = s.message().to_owned();
        let fautes = || {
            let details = s.get_error_details();
            let regle = details.error_info().map(|i| i.reason.clone()).unwrap_or_default();
            let mut fautes: Vec<Faute> = details
                .bad_request()
                .map(|b| {
                    b.field_violations
                        .iter()
                        .map(|v| faute(&v.field, &regle, v.description.clone(), ""))
                        .collect()
                })
                .unwrap_or_default();
            if fautes.is_empty() {
                fautes.push(faute("", &regle, texte.clone(), ""));
            }
            fautes
        };
        match s.code() {
            Code::InvalidArgument => Self::Invalide(fautes()),
            Code::FailedPrecondition => Self::Regle(fautes()),
            Code::NotFound => Self::Introuvable(texte),
            Code::AlreadyExists => Self::Existe(texte),
            Code::Aborted => Self::Conflit(texte),
            Code::PermissionDenied => Self::Interdit(texte),
            Code::Unauthenticated => Self::NonAuthentifie(texte),
            Code::ResourceExhausted => Self::Epuise(texte),
            Code::Unavailable | Code::Cancelled => Self::Indisponible(texte),
            Code::DeadlineExceeded => Self::Delai(texte),
            _ => Self::Interne(Box::new(s)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_survive_the_wire_and_an_internal_cause_does_not() {
        let s = Status::from(Erreur::Invalide(vec![faute(
            "Offre.type",
            "code-inconnu",
            "Code 99 inconnu.",
            "01 à 05",
        )]));
        match Erreur::from(s) {
            Erreur::Invalide(f) => {
                assert_eq!((f[0].element.as_str(), f[0].regle.as_str()), ("Offre.type", "code-inconnu"));
                assert!(f[0].message.contains("01 à 05"));
            }
            autre => panic!("{autre:?}"),
        }
        assert_eq!(Status::from(Erreur::interne("mot de passe")).message(), "erreur interne");
    }
}
