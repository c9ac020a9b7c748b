//! Search: the query string becomes a checked request ([`requete`]), the request a
//! set of rows ([`evaluation`]), the set a page with its includes ([`inclusion`]).
//! One table ([`parametres`]) says what exists, to the parser and to the
//! CapabilityStatement alike.

pub mod evaluation;
pub mod inclusion;
pub mod parametres;
pub mod requete;

use crate::modele::{Extrait, Modele};
use requete::Requete;

/// One page of results, taken out of the model.
pub struct Page {
    /// Matches in all.
    pub total: u64,
    /// Matches of this page.
    pub trouves: Vec<Extrait>,
    /// Resources included with them.
    pub inclus: Vec<Extrait>,
    /// Last id of this page, when more follow.
    pub suite: Option<String>,
}

/// Runs a request for a profile.
pub fn chercher(modele: &Modele, requete: &Requete, profil: u8) -> Page {
    let t = requete.type_fhir;
    let trouves = evaluation::evaluer(modele, requete, profil);
    let (rangs, suite) =
        evaluation::page(modele.table(t), &trouves, requete.apres.as_deref(), requete.nombre);
    let inclus = inclusion::inclure(modele, t, &rangs, &requete.inclusions, profil);
    Page {
        total: trouves.len(),
        trouves: rangs.iter().filter_map(|r| modele.extraire(t, *r, profil)).collect(),
        inclus: inclus.into_iter().filter_map(|(t, r)| modele.extraire(t, r, profil)).collect(),
        suite,
    }
}
