//! Whose membership in a search a touched row may change. What a row is found by lies in it, or at the
//! end of the links that the search follows: from the touched rows back along these links.
//!
//! One moment is enough, if the journal of the model also names the old target of a link that changes:
//! on a path that held before, take the touched row nearest to its beginning; no link before it changed,
//! for that would have touched its nearer end.

use roaring::RoaringBitmap;

use super::touches::Touches;
use crate::{
    modele::{Modele, TypeFhir},
    recherche::{
        arbre::{Noeud, Requete, Test},
        parametres::{Cible, Relation},
    },
};

/// Longest chain of organisations.
const PROFONDEUR: usize = 12;

/// Rows of the type searched that may have come in or gone out.
pub fn etendre(m: &Modele, r: &Requete, touches: &Touches) -> RoaringBitmap {
    let mut rangs = touches.rangs[r.type_fhir as usize].clone();
    rangs |= par_les_liens(m, &r.condition, touches);
    rangs
}

/// Types that a search looks at, its own included.
pub fn types(r: &Requete) -> Vec<TypeFhir> {
    let mut types = vec![r.type_fhir];
    ajouter_types(&r.condition, &mut types);
    types
}

fn ajouter_types(n: &Noeud, types: &mut Vec<TypeFhir>) {
    match n {
        Noeud::Et(v) | Noeud::Ou(v) => v.iter().for_each(|n| ajouter_types(n, types)),
        Noeud::Non(n) => ajouter_types(n, types),
        Noeud::Critere(c) => {
            if let Cible::Reference(r) = c.parametre.cible {
                types.push(r.cible());
            }
        }
        Noeud::Chaine(r, n) | Noeud::AuDessus(r, n) => {
            types.push(r.cible());
            ajouter_types(n, types);
        }
        Noeud::Inverse(r, n) => {
            types.push(r.source());
            ajouter_types(n, types);
        }
        Noeud::Enregistrement(..) => {}
    }
}

/// Rows reached from touched rows of other types, or of the same type by a link.
fn par_les_liens(m: &Modele, n: &Noeud, touches: &Touches) -> RoaringBitmap {
    let tous =
        |v: &[Noeud]| v.iter().fold(RoaringBitmap::new(), |rangs, n| rangs | par_les_liens(m, n, touches));
    // Touched at the other end, or reached there from further.
    let au_bout = |t: TypeFhir, n: &Noeud| &touches.rangs[t as usize] | par_les_liens(m, n, touches);
    match n {
        Noeud::Et(v) | Noeud::Ou(v) => tous(v),
        Noeud::Non(n) => par_les_liens(m, n, touches),
        Noeud::Critere(c) => match (c.parametre.cible, &c.test) {
            // Absence looks at the element alone.
            (_, Test::Absent(_)) => RoaringBitmap::new(),
            (Cible::Reference(r), Test::ReferenceAuDessus(_)) => {
                let cibles = dessous(m, touches.rangs[r.cible() as usize].clone());
                m.liens.de(r).sources_de(&cibles)
            }
            // A target that the caller no longer sees is no target.
            (Cible::Reference(r), _) => m.liens.de(r).sources_de(&touches.rangs[r.cible() as usize]),
            _ => RoaringBitmap::new(),
        },
        Noeud::Chaine(r, n) => m.liens.de(*r).sources_de(&au_bout(r.cible(), n)),
        Noeud::AuDessus(r, n) => m.liens.de(*r).sources_de(&dessous(m, au_bout(r.cible(), n))),
        Noeud::Inverse(r, n) => m.liens.de(*r).cibles_de(&au_bout(r.source(), n)),
        // Records lie in their row.
        Noeud::Enregistrement(..) => RoaringBitmap::new(),
    }
}

/// Organisations and all that stand below them.
fn dessous(m: &Modele, racines: RoaringBitmap) -> RoaringBitmap {
    let mut tous = racines.clone();
    let mut couche = racines;
    for _ in 0..PROFONDEUR {
        couche = m.liens.de(Relation::Parent).sources_de(&couche) - &tous;
        if couche.is_empty() {
            break;
        }
        tous |= &couche;
    }
    tous
}
