//! `_elements`: resources cut to some of their root elements, and marked as such.

use serde::{Deserialize, Serialize};

use super::portee::types_servis;
use crate::{fhir::outcome::Issue, modele::TypeFhir, rendu::Membres};

/// Most names in one request.
const NOMS_MAX: usize = 100;

/// Root elements asked for, as `element` or `Type.element`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elements(Vec<String>);

impl Elements {
    /// From the values of `_elements`; none asks for nothing in particular.
    pub fn lire(valeurs: &[String], issues: &mut Vec<Issue>) -> Option<Self> {
        let noms: Vec<&str> =
            valeurs.iter().flat_map(|v| v.split(',')).map(str::trim).filter(|n| !n.is_empty()).collect();
        if valeurs.is_empty() {
            return None;
        }
        let mut fautif = |texte: String| issues.push(Issue::new("value", texte).sur("_elements"));
        if noms.is_empty() || noms.len() > NOMS_MAX {
            fautif(format!(
                "_elements : {} éléments demandés. Attendu : de 1 à {NOMS_MAX} noms, séparés par des virgules.",
                noms.len()
            ));
        }
        for nom in noms.iter().take(NOMS_MAX) {
            let (genre, element) = match nom.split_once('.') {
                Some((g, e)) => (Some(g), e),
                None => (None, *nom),
            };
            let racine = element.starts_with(|c: char| c.is_ascii_lowercase())
                && element.bytes().all(|o| o.is_ascii_alphanumeric());
            if !racine || genre.is_some_and(|g| TypeFhir::de_nom(g).is_none()) {
                let nom: String = nom.chars().take(60).collect();
                fautif(format!(
                    "_elements : « {nom} » n'est pas un élément racine. Attendu : <élément> ou <type>.<élément>, par exemple HealthcareService.name ; types : {}.",
                    types_servis()
                ));
            }
        }
        Some(Self(noms.into_iter().map(str::to_owned).collect()))
    }

    /// Names kept in a type.
    fn de(&self, t: TypeFhir) -> Vec<&str> {
        let nom = |n: &String| -> Option<usize> {
            match n.split_once('.') {
                Some((g, _)) => (g == t.nom()).then_some(g.len() + 1),
                None => Some(0),
            }
        };
        self.0.iter().filter_map(|n| nom(n).map(|debut| &n[debut..])).collect()
    }

    /// The members kept in a type.
    pub fn membres(&self, t: TypeFhir) -> Membres {
        Membres::elements(t, self.de(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lire(valeurs: &[&str]) -> (Option<Elements>, usize) {
        let mut issues = Vec::new();
        let v: Vec<String> = valeurs.iter().map(|v| (*v).to_owned()).collect();
        (Elements::lire(&v, &mut issues), issues.len())
    }

    #[test]
    fn names_are_checked_and_sorted_by_type() {
        let (e, fautes) = lire(&["name,HealthcareService.active", "Location.address"]);
        let e = e.unwrap();
        assert_eq!(fautes, 0);
        assert_eq!(e.de(TypeFhir::HealthcareService), ["name", "active"]);
        assert_eq!(e.de(TypeFhir::Location), ["name", "address"]);
        assert_eq!(lire(&[]), (None, 0));
        assert_eq!(lire(&["Patient.name,a.b.c,name!,Name,_id"]).1, 5);
        assert_eq!(lire(&[" , "]).1, 1);
    }
}
