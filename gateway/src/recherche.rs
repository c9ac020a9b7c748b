//! Search: the query string becomes a checked request ([`requete`], a tree in [`arbre`]), the
//! request a set of rows ([`evaluation`]), the set an ordered page ([`tri`]) with its includes
//! ([`inclusion`]). One table ([`parametres`]) says what exists, to the parser, the engine and
//! every description of the façade. `docs/recherche.md` says what a search means.

pub mod appuis;
pub mod arbre;
pub mod communes;
pub mod evaluation;
pub mod inclusion;
pub mod libelles;
pub mod notation;
pub mod parametres;
pub mod requete;
pub mod tri;
pub mod unites;

use std::sync::Arc;

use crate::modele::{Modele, TypeFhir};
use arbre::{Requete, Total};
use evaluation::{Moteur, Textes, TropCouteux};
use tri::{Depart, Ordre};

/// One resource of an answer: its row, taken out of the model when it is rendered.
pub struct Trouve {
    /// Type.
    pub type_fhir: TypeFhir,
    /// Row.
    pub rang: u32,
    /// Kilometres from the first point asked, for a place.
    pub distance_km: Option<f64>,
    /// Full-text score, 0 to 1.
    pub score: Option<f32>,
}

/// One page of results.
pub struct Page {
    /// Matches in all; `None` when the total was not wanted.
    pub total: Option<u64>,
    /// Matches of this page.
    pub trouves: Vec<Trouve>,
    /// Resources included with them.
    pub inclus: Vec<Trouve>,
    /// Whether a bound left some includes out.
    pub tronque: bool,
    /// Last row of the page, when more follow.
    pub suivante: Option<u32>,
    /// First row of the page, when others come before.
    pub precedente: Option<u32>,
}

/// Runs a request for a profile at a moment.
pub fn chercher(
    modele: &Arc<Modele>,
    requete: &Requete,
    profil: u8,
    depart: Depart,
    textes: &dyn Textes,
    budget: i64,
) -> Result<Page, TropCouteux> {
    let t = requete.type_fhir;
    let moteur = Moteur::nouveau(modele, profil, textes, budget);
    let rangs = moteur.rangs(t, &requete.condition)?;
    let notes = match &requete.notation {
        Some(n) if requete.nombre > 0 && !rangs.is_empty() => Some(n.trouver(&moteur, t)?),
        _ => None,
    };
    let tranche = if requete.nombre == 0 {
        tri::Tranche::default()
    } else {
        let depuis = requete.cercle.map(|c| c.centre);
        let ordre = Ordre::nouveau(&moteur, t, &requete.tri, depuis, notes.as_ref(), &rangs, depart)?;
        ordre.tranche(&moteur, &rangs, depart, requete.nombre)?
    };
    if let Some(n) = &notes {
        moteur.payer(tranche.rangs.iter().map(|r| n.cout(*r)).sum())?;
    }
    let score = |r: u32| notes.as_ref().and_then(|n| n.score(r));
    let inclus = inclusion::inclure(&moteur, t, &tranche.rangs, &requete.inclusions)?;
    let depuis = requete.cercle.map(|c| c.centre);
    let depuis = depuis.and_then(|c| Some((evaluation::centre(&c)?, c.par_commune())));
    let sortir = |type_fhir: TypeFhir, rang: u32, score: Option<f32>| {
        let depuis = depuis.filter(|_| type_fhir == TypeFhir::Location);
        let distance = depuis.map(|(d, par_commune)| {
            modele.table(type_fhir).positions.point(rang, par_commune).distance(d) / 1000.0
        });
        Trouve { type_fhir, rang, distance_km: distance.filter(|d| d.is_finite()), score }
    };
    Ok(Page {
        total: (requete.total == Total::Exact).then_some(rangs.len()),
        trouves: tranche.rangs.iter().map(|r| sortir(t, *r, score(*r))).collect(),
        inclus: inclus.rangs.iter().map(|(t, r)| sortir(*t, *r, None)).collect(),
        tronque: inclus.tronque,
        suivante: tranche.rangs.last().copied().filter(|_| tranche.apres),
        precedente: tranche.rangs.first().copied().filter(|_| tranche.avant),
    })
}

#[cfg(test)]
pub(crate) mod tests;
