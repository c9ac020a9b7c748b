//! Includes: adjacency walks from the rows of a page, inside what the profile sees.

use std::collections::HashSet;

use super::{
    arbre::Inclusion,
    evaluation::{Moteur, TropCouteux},
};
use crate::modele::TypeFhir;

/// Most resources included in one page.
pub const MAX: usize = 20_000;
/// Rounds of `:iterate`.
const TOURS: usize = 10;

/// What is added to a page.
#[derive(Debug, Default)]
pub struct Inclus {
    /// Rows, in the order of types and ids.
    pub rangs: Vec<(TypeFhir, u32)>,
    /// Whether a bound left some out.
    pub tronque: bool,
}

/// Rows to add to a page. A clause on another type than the one searched applies to
/// what was included (the published package counts on it for practitioners).
pub fn inclure(
    moteur: &Moteur<'_>,
    t: TypeFhir,
    page: &[u32],
    clauses: &[Inclusion],
) -> Result<Inclus, TropCouteux> {
    if clauses.is_empty() {
        return Ok(Inclus::default());
    }
    let m = moteur.modele;
    let mut vus: HashSet<(TypeFhir, u32)> = page.iter().map(|r| (t, *r)).collect();
    let mut inclus: Vec<(TypeFhir, u32)> = Vec::new();
    let mut nouveaux: Vec<(TypeFhir, u32)> = page.iter().map(|r| (t, *r)).collect();
    let mut tronque = false;
    'tours: for tour in 0..=TOURS {
        let mut suivants = Vec::new();
        for c in clauses {
            let depart = if c.inverse { c.relation.cible() } else { c.source };
            let arrivee = if c.inverse { c.source } else { c.relation.cible() };
            // Without :iterate a clause on the type searched applies to the matches only.
            if tour > 0 && !c.repete && depart == t {
                continue;
            }
            let visibles = m.table(arrivee).visibles(moteur.profil);
            moteur.payer(nouveaux.len() as u64)?;
            let l = m.liens.de(c.relation);
            for (_, rang) in nouveaux.iter().filter(|(x, _)| *x == depart) {
                let voisins = if c.inverse { l.sources(*rang) } else { l.cibles(*rang) };
                moteur.payer(voisins.len() as u64 * 2)?;
                for v in voisins {
                    if visibles.contains(*v) && vus.insert((arrivee, *v)) {
                        if tour == TOURS || inclus.len() + suivants.len() == MAX {
                            tronque = true;
                            inclus.append(&mut suivants);
                            break 'tours;
                        }
                        suivants.push((arrivee, *v));
                    }
                }
            }
        }
        if suivants.is_empty() {
            break;
        }
        inclus.extend_from_slice(&suivants);
        nouveaux = suivants;
    }
    moteur.payer(inclus.len() as u64 * 8)?;
    inclus.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| m.table(a.0).id(a.1).cmp(&m.table(b.0).id(b.1))));
    Ok(Inclus { rangs: inclus, tronque })
}
