//! OperationOutcome: what went wrong, for a machine and for a person.

use ror_proto::common::v1::Faute;

use super::json;

/// One issue, always of severity error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issue {
    /// FHIR issue-type code, such as "not-found".
    pub code: &'static str,
    /// FHIRPath of the faulty elements; empty when none is to blame.
    pub expression: Vec<String>,
    /// French sentence for a person.
    pub diagnostics: String,
    /// Stable identifier of the rule; empty when there is none.
    pub details: String,
}

impl Issue {
    /// An issue on no element in particular.
    #[must_use]
    pub fn new(code: &'static str, diagnostics: impl Into<String>) -> Self {
        Self { code, diagnostics: diagnostics.into(), ..Self::default() }
    }

    /// The same issue, on an element.
    #[must_use]
    pub fn sur(mut self, expression: impl Into<String>) -> Self {
        self.expression.push(expression.into());
        self
    }

    /// The same issue, naming its rule.
    #[must_use]
    pub fn avec_details(mut self, details: impl Into<String>) -> Self {
        self.details = details.into();
        self
    }
}

impl From<&Faute> for Issue {
    fn from(faute: &Faute) -> Self {
        let diagnostics = if faute.attendu.is_empty() {
            faute.message.clone()
        } else {
            format!("{} Attendu : {}.", faute.message, faute.attendu.trim_end_matches('.'))
        };
        let issue = Self::new(code_de_regle(&faute.regle), diagnostics).avec_details(&faute.regle);
        if faute.element.is_empty() { issue } else { issue.sur(&faute.element) }
    }
}

fn code_de_regle(regle: &str) -> &'static str {
    match regle {
        "type-json" | "element-inconnu" => "structure",
        "element-refuse" => "not-supported",
        "extension-inconnue" => "extension",
        "requis" => "required",
        "valeur" | "cardinalite" | "reference" => "value",
        "code-inconnu" | "systeme-inattendu" => "code-invalid",
        _ => "business-rule",
    }
}

/// The OperationOutcome of these issues.
#[must_use]
pub fn operation_outcome(issues: &[Issue]) -> Vec<u8> {
    de_gravite("error", issues)
}

/// The OperationOutcome of what an answer has to say without failing.
#[must_use]
pub fn avertissements(issues: &[Issue]) -> Vec<u8> {
    de_gravite("warning", issues)
}

fn de_gravite(gravite: &str, issues: &[Issue]) -> Vec<u8> {
    let mut sortie = Vec::with_capacity(256 * issues.len().max(1));
    json::document(&mut sortie, |o| {
        o.texte("resourceType", "OperationOutcome");
        o.tableau("issue", |t| {
            for issue in issues {
                t.objet(|o| {
                    o.texte("severity", gravite);
                    o.texte("code", issue.code);
                    o.objet("details", |o| o.texte("text", &issue.details));
                    o.texte("diagnostics", &issue.diagnostics);
                    o.tableau("expression", |t| {
                        for expression in &issue.expression {
                            t.texte(expression);
                        }
                    });
                });
            }
        });
    });
    sortie
}

/// The OperationOutcome of the faults of a reading or of a write.
#[must_use]
pub fn outcome_de_fautes(fautes: &[Faute]) -> Vec<u8> {
    let issues: Vec<Issue> = fautes.iter().map(Issue::from).collect();
    operation_outcome(&issues)
}

#[cfg(test)]
mod tests {
    use ror_proto::common::v1::Faute;

    use super::{Issue, operation_outcome, outcome_de_fautes};

    #[test]
    fn outcome_keeps_every_part() {
        let issue = Issue::new("not-found", "Lieu inconnu.").sur("Location").avec_details("lieu");
        let json = operation_outcome(&[issue, Issue::new("login", "Jeton absent.")]);
        let lu: serde_json::Value = serde_json::from_slice(&json).unwrap_or_default();
        assert_eq!(lu["resourceType"], "OperationOutcome");
        assert_eq!(lu["issue"][0]["severity"], "error");
        assert_eq!(lu["issue"][0]["details"]["text"], "lieu");
        assert_eq!(lu["issue"][0]["expression"], serde_json::json!(["Location"]));
        assert!(lu["issue"][1].get("expression").is_none());
    }

    #[test]
    fn a_fault_becomes_an_issue() {
        let faute = Faute {
            element: "Location.type".to_owned(),
            regle: "type-json".to_owned(),
            message: "Valeur illisible.".to_owned(),
            attendu: "un texte".to_owned(),
        };
        let lu: serde_json::Value = serde_json::from_slice(&outcome_de_fautes(&[faute])).unwrap_or_default();
        assert_eq!(lu["issue"][0]["code"], "structure");
        assert_eq!(lu["issue"][0]["diagnostics"], "Valeur illisible. Attendu : un texte.");
    }
}
