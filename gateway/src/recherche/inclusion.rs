//! Includes: adjacency walks from the rows of a page, inside what the profile sees.

use std::collections::HashSet;

use super::{evaluation::lien, requete::Inclusion};
use crate::modele::{Modele, TypeFhir};

/// Most resources included in one page.
pub const MAX: usize = 20_000;
/// Rounds of `:iterate`.
const TOURS: usize = 10;

/// Rows to add to a page. A clause on another type than the one searched applies to
/// what was included (the published package counts on it for practitioners).
pub fn inclure(
    m: &Modele,
    t: TypeFhir,
    page: &[u32],
    clauses: &[Inclusion],
    profil: u8,
) -> Vec<(TypeFhir, u32)> {
    if clauses.is_empty() {
        return Vec::new();
    }
    let trouves: HashSet<(TypeFhir, u32)> = page.iter().map(|r| (t, *r)).collect();
    let mut vus = trouves.clone();
    let mut inclus: Vec<(TypeFhir, u32)> = Vec::new();
    let mut nouveaux: Vec<(TypeFhir, u32)> = page.iter().map(|r| (t, *r)).collect();
    for tour in 0..TOURS {
        let mut suivants = Vec::new();
        for c in clauses {
            let depart = if c.inverse { c.relation.cible() } else { c.source };
            let arrivee = if c.inverse { c.source } else { c.relation.cible() };
            // Without :iterate a clause on the type searched applies to the matches only.
            if tour > 0 && !c.repete && depart == t {
                continue;
            }
            let visibles = m.table(arrivee).visibles(profil);
            let l = lien(m, c.relation);
            for (_, rang) in nouveaux.iter().filter(|(x, _)| *x == depart) {
                let voisins = if c.inverse { l.sources(*rang) } else { l.cibles(*rang) };
                for v in voisins {
                    if visibles.contains(*v) && vus.insert((arrivee, *v)) {
                        suivants.push((arrivee, *v));
                    }
                }
            }
        }
        if suivants.is_empty() {
            break;
        }
        inclus.extend_from_slice(&suivants);
        if inclus.len() > MAX {
            inclus.truncate(MAX);
            break;
        }
        nouveaux = suivants;
    }
    inclus.sort_by(|a, b| {
        a.0.cmp(&b.0).then_with(|| m.table(a.0).ligne(a.1).id.cmp(&m.table(b.0).ligne(b.1).id))
    });
    inclus
}
