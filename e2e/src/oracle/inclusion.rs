//! What a page must include, given its matches.

use std::collections::BTreeSet;

use super::{
    index::Index,
    parametres::{Genre, RELATIONS, Relation},
    requete::{Inclusion, Suivi},
};

/// A row of a type.
pub type Rang = (Genre, usize);

/// Rounds within which two orders of applying the clauses give the same.
const TOURS: usize = 9;
/// Resources that stay below the bound of an answer.
const RESSOURCES: usize = 19_000;

/// One relation followed one way.
struct Clause {
    relation: Relation,
    inverse: bool,
    itere: bool,
}

impl Clause {
    /// Type it starts from.
    fn origine(&self) -> Genre {
        if self.inverse { self.relation.cible } else { self.relation.source }
    }

    fn arrivee(&self) -> Genre {
        if self.inverse { self.relation.source } else { self.relation.cible }
    }
}

/// Spreads the wildcards: `*` stands for the relations of the type searched, `Type:*`
/// for those whose source is that type.
fn clauses(genre: Genre, inclusions: &[Inclusion]) -> Vec<Clause> {
    let etaler = |i: &Inclusion| -> Vec<Clause> {
        let retenue = |r: &Relation| match i.suivi {
            Suivi::Une(une, _) => *r == une,
            Suivi::Type(source) => r.source == source,
            Suivi::TypeVers(source, cible) => r.source == source && r.cible == cible,
            Suivi::Tout if i.inverse => r.cible == genre,
            Suivi::Tout => r.source == genre,
        };
        let (inverse, itere) = (i.inverse, i.itere);
        RELATIONS.into_iter().filter(retenue).map(|relation| Clause { relation, inverse, itere }).collect()
    };
    inclusions.iter().flat_map(etaler).collect()
}

/// Everything included; none when the answer may stop before the end.
///
/// *Reading*: the type that a `_revinclude` starts from is the one referred to; what a clause of
/// another type brings is followed again, up to the bound.
pub fn inclus(
    index: &Index,
    genre: Genre,
    trouves: &[usize],
    inclusions: &[Inclusion],
) -> Option<BTreeSet<Rang>> {
    let clauses = clauses(genre, inclusions);
    let matchs: BTreeSet<Rang> = trouves.iter().map(|t| (genre, *t)).collect();
    let mut vus = matchs.clone();
    let mut bord: Vec<Rang> = matchs.iter().copied().collect();
    for tour in 0.. {
        let mut suivant = Vec::new();
        for (depart, rang) in &bord {
            for clause in clauses.iter().filter(|c| c.origine() == *depart) {
                // Beyond the matches the type searched is followed only when asked.
                if *depart == genre && tour > 0 && !clause.itere {
                    continue;
                }
                let liens = if clause.inverse { &index.sources } else { &index.cibles };
                for arrivee in &liens[clause.relation.rang][*rang] {
                    let arrivee = (clause.arrivee(), *arrivee);
                    if vus.insert(arrivee) {
                        suivant.push(arrivee);
                    }
                }
            }
        }
        if suivant.is_empty() {
            break;
        }
        if tour >= TOURS || vus.len() > RESSOURCES {
            return None;
        }
        bord = suivant;
    }
    Some(vus.difference(&matchs).copied().collect())
}
