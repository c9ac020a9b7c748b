//! Includes: adjacency walks from the rows of a page, inside what the profile sees.

use std::collections::HashSet;

use foldhash::fast::RandomState;

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
    inclure_au_plus(moteur, t, page, clauses, MAX)
}

fn inclure_au_plus(
    moteur: &Moteur<'_>,
    t: TypeFhir,
    page: &[u32],
    clauses: &[Inclusion],
    max: usize,
) -> Result<Inclus, TropCouteux> {
    if clauses.is_empty() {
        return Ok(Inclus::default());
    }
    let m = moteur.modele;
    let mut vus: HashSet<(TypeFhir, u32), RandomState> = page.iter().map(|r| (t, *r)).collect();
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
                        if tour == TOURS || inclus.len() + suivants.len() == max {
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
    // What orders them is read once: it is elsewhere for each of them.
    let mut ordonnes: Vec<_> = inclus.into_iter().map(|(t, r)| (t, m.table(t).ordre(r), r)).collect();
    ordonnes
        .sort_unstable_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| m.table(a.0).comparer(a.2, b.2)));
    Ok(Inclus { rangs: ordonnes.into_iter().map(|(t, _, r)| (t, r)).collect(), tronque })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use prost::Message as _;
    use ror_proto::{
        common::v1::{Evenement, Meta},
        offers::v1::{LieuRealisation, Offer, offer},
    };

    use super::*;
    use crate::{
        fhir::politique::{POLITIQUE_TSV, Politique, politique_par_defaut},
        modele::{Modele, Source},
        recherche::{parametres::Relation, tests::SansTexte},
    };

    const LIEU: TypeFhir = TypeFhir::Location;
    const PROFIL: u8 = 1;

    /// Each place is within the one before it; the last ones are all within the first.
    fn lieux(profondeur: usize, largeur: usize) -> Modele {
        let politique = Politique::compiler(&politique_par_defaut(POLITIQUE_TSV).unwrap()).unwrap();
        let mut m = Modele::nouveau(Arc::new(politique));
        for s in Source::TOUTES {
            m.debut_instantane(s);
            m.fin_instantane(s);
        }
        let lieu = |id: String, lieu_parent_id: String| {
            let meta = Some(Meta { id: id.clone(), region: "52".into(), ..Default::default() });
            let l = LieuRealisation { meta, lieu_parent_id, ..Default::default() };
            let etat = Offer { ressource: Some(offer::Ressource::Lieu(l)) }.encode_to_vec().into();
            Evenement { agregat_id: id, version: 1, etat, ..Default::default() }
        };
        let suite = (1..=profondeur).map(|n| lieu(format!("p{n}"), format!("p{}", n - 1)));
        let fratrie = (0..largeur).map(|n| lieu(format!("f{n}"), "p0".to_owned()));
        let lot: Vec<Evenement> =
            std::iter::once(lieu("p0".to_owned(), String::new())).chain(suite).chain(fratrie).collect();
        m.appliquer(Source::Offers, &lot);
        m
    }

    fn inclus(m: &Modele, depuis: &str, inverse: bool, max: usize) -> (usize, bool) {
        let clause = Inclusion { source: LIEU, relation: Relation::LieuParent, inverse, repete: true };
        let moteur = Moteur::nouveau(m, PROFIL, &SansTexte, i64::MAX);
        let page = [m.visible(LIEU, depuis, PROFIL).unwrap()];
        let i = inclure_au_plus(&moteur, LIEU, &page, &[clause], max).unwrap();
        (i.rangs.len(), i.tronque)
    }

    #[test]
    fn what_is_left_out_is_told_and_nothing_else_is() {
        let m = lieux(TOURS + 2, 30);
        // As many rounds as are made, and one link more.
        assert_eq!(inclus(&m, &format!("p{TOURS}"), false, MAX), (TOURS, false));
        assert_eq!(inclus(&m, &format!("p{}", TOURS + 1), false, MAX), (TOURS, true));
        // As many resources as there may be, and one more.
        let m = lieux(1, 30);
        assert_eq!(inclus(&m, "p0", true, 31), (31, false));
        assert_eq!(inclus(&m, "p0", true, 30), (30, true));
        assert_eq!(inclus(&m, "p0", true, 1), (1, true));
    }
}
