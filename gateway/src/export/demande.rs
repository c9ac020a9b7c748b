//! What an export is asked: the parameters of a kick-off, checked all at once.

use serde::{Deserialize, Serialize};

use super::{portee::Portee, reduction::Elements};
use crate::{
    fhir::{
        outcome::Issue,
        temps::lire_instant,
        terminologie::{Entree, Valeur},
    },
    recherche::requete,
};

/// The value of `includeAssociatedData` that asks for all that goes with the resources found.
pub const COMPLET: &str = "_myCompleteExtract";

/// Form of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Forme {
    /// Bundles of type collection: the form of the product, always the complete extract.
    Json,
    /// One resource a line: Bulk Data.
    Ndjson,
}

impl Forme {
    /// Ending of the file names.
    pub fn suffixe(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
        }
    }

    /// Media type of the files.
    pub fn media(self) -> &'static str {
        match self {
            Self::Json => "application/fhir+json",
            Self::Ndjson => "application/fhir+ndjson",
        }
    }
}

/// A checked request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demande {
    /// Form of the files.
    pub forme: Forme,
    /// What is asked for.
    pub portee: Portee,
    /// Only what changed after this instant, milliseconds since 1970.
    pub depuis: Option<i64>,
    /// Elements kept, when not all are.
    pub elements: Option<Elements>,
    /// Whether what goes with the resources found comes too.
    pub complet: bool,
    /// Whether its searches are read in lenient handling.
    #[serde(default)]
    pub indulgent: bool,
    /// What was asked and left aside, in lenient handling.
    pub ignores: Vec<String>,
}

/// How a request is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lecture {
    /// The type of the address, when it has one.
    pub seul: Option<crate::modele::TypeFhir>,
    /// NDJSON is what the `Accept` header asks for.
    pub ndjson: bool,
    /// `Prefer: handling=lenient`: what is not supported is left aside, and told.
    pub indulgent: bool,
}

impl Demande {
    /// Checks the parameters of a kick-off; `controler` gives the faults of its searches, and adds what they leave
    /// aside.
    ///
    /// # Errors
    ///
    /// Every fault; never empty.
    pub fn lire(
        entrees: Vec<Entree>,
        l: Lecture,
        controler: impl FnOnce(&Portee, &mut Vec<Issue>) -> Vec<Issue>,
    ) -> Result<Self, Vec<Issue>> {
        let mut issues = Vec::new();
        let mut ecartes = Vec::new();
        let mut forme = None;
        let mut depuis = None;
        let mut complet = false;
        let (mut types, mut filtres, mut elements) = (Vec::new(), Vec::new(), Vec::new());
        for Entree { nom, valeur } in entrees {
            let Valeur::Simple(valeur) = valeur else {
                issues.push(faute("value", &nom, "la valeur n'est pas un texte", "un texte"));
                continue;
            };
            match nom.as_str() {
                "_outputFormat" => match format(&valeur) {
                    Some(f) if forme.is_none_or(|autre| autre == f) => forme = Some(f),
                    Some(_) => issues.push(faute("value", &nom, "deux formats différents", "un seul format")),
                    None => issues.push(faute(
                        "not-supported",
                        &nom,
                        &format!("le format « {} » n'est pas servi", court(&valeur)),
                        "application/fhir+ndjson, application/ndjson, ndjson, application/fhir+json ou application/json",
                    )),
                },
                "_since" if depuis.is_some() => {
                    issues.push(faute("value", &nom, "le paramètre est répété", "un seul instant"));
                }
                "_since" => match instant(&valeur) {
                    Some(i) => depuis = Some(i),
                    None => issues.push(faute(
                        "value",
                        &nom,
                        &format!("« {} » n'est pas un instant", court(&valeur)),
                        "un instant avec sa zone, par exemple 2026-11-21T08:00:00Z",
                    )),
                },
                "_type" => types.push(valeur),
                "_typeFilter" => filtres.push(valeur),
                "_elements" => elements.push(valeur),
                "includeAssociatedData" => {
                    for v in valeur.split(',').map(str::trim).filter(|v| !v.is_empty()) {
                        if v == COMPLET {
                            complet = true;
                        } else {
                            let quoi = format!("la valeur « {} » n'est pas servie", court(v));
                            ecartes.push(faute("not-supported", &nom, &quoi, COMPLET));
                        }
                    }
                }
                // Clients of FHIR add it to every request; answers are JSON anyway.
                "_format" if valeur.contains("json") => {}
                "patient" | "_until" | "organizeOutputBy" | "allowPartialManifests" => ecartes.push(faute(
                    "not-supported",
                    &nom,
                    "le paramètre n'est pas servi ici",
                    ADMIS,
                )),
                autre => {
                    let quoi = format!("le paramètre « {} » n'existe pas", court(autre));
                    ecartes.push(faute("not-supported", autre, &quoi, ADMIS));
                }
            }
        }
        let portee = Portee::lire(&types, &filtres, l.seul, &mut issues, &mut ecartes);
        issues.extend(controler(&portee, &mut ecartes));
        let elements = Elements::lire(&elements, &mut issues);
        requete::abreger(&mut issues);
        requete::abreger(&mut ecartes);
        let ignores = if l.indulgent {
            ecartes.into_iter().map(|i| i.diagnostics).collect()
        } else {
            issues.extend(ecartes);
            Vec::new()
        };
        if !issues.is_empty() {
            return Err(issues);
        }
        let defaut = if l.ndjson { Forme::Ndjson } else { Forme::Json };
        let forme = forme.unwrap_or(defaut);
        let complet = complet || forme == Forme::Json;
        Ok(Self { forme, portee, depuis, elements, complet, indulgent: l.indulgent, ignores })
    }
}

const ADMIS: &str = "_outputFormat, _since, _type, _typeFilter, _elements ou includeAssociatedData";

fn format(valeur: &str) -> Option<Forme> {
    // An unencoded + of a query string is read as a blank.
    match valeur.replace(' ', "+").as_str() {
        "application/fhir+ndjson" | "application/ndjson" | "ndjson" => Some(Forme::Ndjson),
        "application/fhir+json" | "application/json" | "json" => Some(Forme::Json),
        _ => None,
    }
}

/// Milliseconds since 1970; a blank stands for the + of a zone.
fn instant(valeur: &str) -> Option<i64> {
    let t = lire_instant(&valeur.trim().replace(' ', "+"))?;
    Some(t.seconds * 1000 + i64::from(t.nanos / 1_000_000))
}

fn court(texte: &str) -> String {
    texte.chars().take(60).collect()
}

fn faute(code: &'static str, nom: &str, quoi: &str, attendu: &str) -> Issue {
    Issue::new(code, format!("{} : {quoi}. Attendu : {attendu}.", court(nom))).sur(court(nom))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modele::TypeFhir;

    fn lire(entrees: Vec<Entree>, l: Lecture) -> Result<Demande, Vec<Issue>> {
        Demande::lire(entrees, l, |_, _| Vec::new())
    }

    fn entrees(paires: &[(&str, &str)]) -> Vec<Entree> {
        let une = |(n, v): &(&str, &str)| Entree { nom: (*n).into(), valeur: Valeur::Simple((*v).into()) };
        paires.iter().map(une).collect()
    }

    #[test]
    fn the_product_form_is_json_and_always_complete() {
        let d = lire(
            entrees(&[("_type", "HealthcareService"), ("_typeFilter", "HealthcareService?_tag=urn:r|11")]),
            Lecture::default(),
        )
        .unwrap();
        assert_eq!((d.forme, d.complet), (Forme::Json, true));
        assert_eq!(d.portee.0[0].filtres, ["_tag=urn:r|11"]);
    }

    #[test]
    fn ndjson_is_asked_by_the_parameter_or_by_the_header() {
        for f in ["ndjson", "application/ndjson", "application/fhir+ndjson", "application/fhir ndjson"] {
            let d = lire(entrees(&[("_outputFormat", f)]), Lecture::default()).unwrap();
            assert_eq!((d.forme, d.complet), (Forme::Ndjson, false), "{f}");
        }
        let l = Lecture { ndjson: true, ..Lecture::default() };
        assert_eq!(lire(Vec::new(), l).unwrap().forme, Forme::Ndjson);
        let json = entrees(&[("_outputFormat", "application/fhir+json")]);
        assert_eq!(lire(json, l).unwrap().forme, Forme::Json);
        let complet = entrees(&[("_outputFormat", "ndjson"), ("includeAssociatedData", COMPLET)]);
        assert!(lire(complet, Lecture::default()).unwrap().complet);
    }

    #[test]
    fn instants_keep_their_zone() {
        let lu = |v: &str| lire(entrees(&[("_since", v)]), Lecture::default()).unwrap().depuis;
        assert_eq!(lu("1970-01-01T01:00:01.5+01:00"), Some(1500));
        assert_eq!(lu("1970-01-01T01:00:01.500 01:00"), Some(1500));
    }

    #[test]
    fn every_fault_is_told_and_lenient_handling_keeps_what_it_left_aside() {
        let fautes = entrees(&[
            ("_outputFormat", "csv"),
            ("_since", "hier"),
            ("_type", "Patient"),
            ("_elements", "a.b.c"),
            ("includeAssociatedData", "LatestProvenanceResources"),
            ("patient", "1"),
            ("bidule", "x"),
        ]);
        let issues = lire(fautes, Lecture::default()).unwrap_err();
        assert_eq!(issues.len(), 7, "{issues:?}");
        for i in &issues {
            assert!(i.diagnostics.contains("Attendu : ") && !i.expression.is_empty(), "{i:?}");
        }
        let l = Lecture { indulgent: true, seul: Some(TypeFhir::Location), ..Lecture::default() };
        let ecarter = |_: &Portee, ecartes: &mut Vec<Issue>| {
            ecartes.push(faute("not-supported", "_typeFilter", "inconnu", "autre chose"));
            Vec::new()
        };
        let d =
            Demande::lire(entrees(&[("bidule", "x"), ("_type", "Location,Patient")]), l, ecarter).unwrap();
        assert_eq!((d.ignores.len(), d.indulgent), (3, true));
        assert_eq!(d.portee.0.len(), 1);
        // As many as one answer holds, and a word of the others.
        let beaucoup: Vec<(&str, &str)> = vec![("bidule", "x"); 1_000];
        let issues = lire(entrees(&beaucoup), Lecture::default()).unwrap_err();
        assert!(issues.len() < 100 && issues.last().unwrap().code == "too-costly");
        let d = Demande::lire(entrees(&beaucoup), l, |_, _| Vec::new()).unwrap();
        assert!(d.ignores.len() < 100);
        // A value that cannot be understood is a fault all the same.
        assert!(lire(entrees(&[("_since", "hier")]), l).is_err());
    }
}
