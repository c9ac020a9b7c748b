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

/// Rows of the type searched that may have come in or gone out, as a profile may know.
pub fn etendre(m: &Modele, r: &Requete, touches: &Touches, profil: u8) -> RoaringBitmap {
    let v = Voisinage { m, touches, profil };
    v.au_bout(r.type_fhir, &r.condition)
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

/// What lies around touched rows. Only what the profile sees is walked through: on a path that held before, what is
/// before the touched row nearest to its beginning was seen, and still is.
struct Voisinage<'a> {
    m: &'a Modele,
    touches: &'a Touches,
    profil: u8,
}

impl Voisinage<'_> {
    /// Changed at the end of a link, or reached there from further.
    fn au_bout(&self, t: TypeFhir, n: &Noeud) -> RoaringBitmap {
        &self.touches.rangs[t as usize] | self.par_les_liens(n)
    }

    fn visibles(&self, t: TypeFhir) -> &RoaringBitmap {
        self.m.table(t).visibles(self.profil)
    }

    fn sources(&self, r: Relation, cibles: &RoaringBitmap) -> RoaringBitmap {
        self.m.liens.de(r).sources_de(cibles) & self.visibles(r.source())
    }

    /// Rows reached from touched rows of other types, or of the same type by a link.
    fn par_les_liens(&self, n: &Noeud) -> RoaringBitmap {
        match n {
            Noeud::Et(v) | Noeud::Ou(v) => {
                v.iter().fold(RoaringBitmap::new(), |rangs, n| rangs | self.par_les_liens(n))
            }
            Noeud::Non(n) => self.par_les_liens(n),
            Noeud::Critere(c) => match (c.parametre.cible, &c.test) {
                // Absence looks at the element alone.
                (_, Test::Absent(_)) => RoaringBitmap::new(),
                (Cible::Reference(r), Test::ReferenceAuDessus(_)) => {
                    self.sources(r, &self.dessous(self.touches.rangs[r.cible() as usize].clone()))
                }
                // A target that the caller no longer sees is no target.
                (Cible::Reference(r), _) => self.sources(r, &self.touches.rangs[r.cible() as usize]),
                _ => RoaringBitmap::new(),
            },
            Noeud::Chaine(r, n) => self.sources(*r, &self.au_bout(r.cible(), n)),
            Noeud::AuDessus(r, n) => self.sources(*r, &self.dessous(self.au_bout(r.cible(), n))),
            Noeud::Inverse(r, n) => {
                let cibles = self.m.liens.de(*r).cibles_de(&self.au_bout(r.source(), n));
                (cibles | &self.touches.quittes[r.cible() as usize]) & self.visibles(r.cible())
            }
            // Records lie in their row.
            Noeud::Enregistrement(..) => RoaringBitmap::new(),
        }
    }

    /// Organisations and all that stand below them.
    fn dessous(&self, racines: RoaringBitmap) -> RoaringBitmap {
        let mut tous = racines.clone();
        let mut couche = racines;
        for _ in 0..PROFONDEUR {
            couche = self.sources(Relation::Parent, &couche) - &tous;
            if couche.is_empty() {
                break;
            }
            tous |= &couche;
        }
        tous
    }
}
