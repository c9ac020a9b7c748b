//! Which legal entity gets how many sites, of which categories.

use crate::donnees::Donnees;
use crate::error::Error;
use crate::plan::Plan;
use crate::prng::{Prng, Tirage, repartir};

/// Number of sites of each legal entity, largest first, adding up to the plan.
pub fn tailles_ej(plan: &Plan, prng: &mut Prng) -> Vec<usize> {
    let classes = Tirage::nouveau(plan.tailles_ej.iter().copied());
    let mut tailles: Vec<usize> = Vec::with_capacity(plan.ej);
    for _ in 0..plan.ej {
        let (min, max) = plan.bornes(classes.tirer(prng));
        tailles.push(prng.entre(min, max) as usize);
    }
    tailles.sort_unstable_by(|a, b| b.cmp(a));
    let mut total: usize = tailles.iter().sum();
    let mut i = 0;
    while total != plan.eg && !tailles.is_empty() {
        let place = i % tailles.len();
        if total < plan.eg {
            tailles[place] += 1;
            total += 1;
        } else if tailles[place] > 1 {
            tailles[place] -= 1;
            total -= 1;
        } else if tailles.iter().all(|t| *t == 1) {
            break;
        }
        i += 1;
    }
    tailles.sort_unstable_by(|a, b| b.cmp(a));
    tailles
}

/// The categories still to deal, by family: the mix of the region is exact.
pub struct Cartes {
    familles: Vec<(&'static str, Vec<usize>)>,
    hopital: usize,
}

impl Cartes {
    /// Prepares the cards of a region.
    pub fn nouveau(plan: &Plan, donnees: &Donnees, prng: &mut Prng) -> Result<Self, Error> {
        let hopital =
            donnees.categories.iter().position(|c| c.code == "355").ok_or(Error::Absent("category 355"))?;
        let poids: Vec<u64> = donnees.categories.iter().map(|c| c.poids).collect();
        let mut parts = repartir(&poids, plan.eg as u64);
        garantir(&mut parts, donnees);
        Ok(Self::de_parts(donnees.categories.iter().map(|c| c.famille).zip(parts), hopital, prng))
    }

    /// From the family and the number of sites of each category, in their order.
    pub fn de_parts(
        parts: impl Iterator<Item = (&'static str, u64)>,
        hopital: usize,
        prng: &mut Prng,
    ) -> Self {
        let mut familles: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (i, (famille, nombre)) in parts.enumerate() {
            let position = familles.iter().position(|f| f.0 == famille);
            let k = position.unwrap_or(familles.len());
            if position.is_none() {
                familles.push((famille, Vec::new()));
            }
            for _ in 0..nombre {
                familles[k].1.push(i);
            }
        }
        for (_, cartes) in &mut familles {
            prng.melanger(cartes);
        }
        Self { familles, hopital }
    }

    /// Deals `nombre` categories to one legal entity, of one family as far as
    /// it goes. Pharmacies are dealt to single-site entities only.
    pub fn tirer(&mut self, nombre: usize, hopital: bool, prng: &mut Prng) -> Vec<usize> {
        let mut mains = Vec::with_capacity(nombre);
        if hopital {
            for (_, cartes) in &mut self.familles {
                if let Some(k) = cartes.iter().position(|c| *c == self.hopital) {
                    mains.push(cartes.swap_remove(k));
                    break;
                }
            }
        }
        let mut famille = if hopital { self.rang("SAN") } else { None };
        while mains.len() < nombre {
            if famille.is_none_or(|f| self.familles[f].1.is_empty()) {
                famille = self.choisir(nombre > 1, prng);
            }
            let Some(f) = famille else { break };
            let autre = nombre > 1 && prng.chance(150);
            let source = if autre { self.choisir(true, prng).unwrap_or(f) } else { f };
            if let Some(carte) = self.familles[source].1.pop() {
                mains.push(carte);
            }
        }
        mains
    }

    fn rang(&self, nom: &str) -> Option<usize> {
        self.familles.iter().position(|f| f.0 == nom)
    }

    /// A family with cards left, drawn by what is left of it.
    fn choisir(&self, sans_pharmacie: bool, prng: &mut Prng) -> Option<usize> {
        let reste =
            |pharmacies: bool| {
                Tirage::nouveau(self.familles.iter().map(move |(nom, cartes)| {
                    if *nom == "PHA" && !pharmacies { 0 } else { cartes.len() as u64 }
                }))
            };
        let tirage = reste(!sans_pharmacie);
        if tirage.total() > 0 {
            return Some(tirage.tirer(prng));
        }
        let tirage = reste(true);
        (tirage.total() > 0).then(|| tirage.tirer(prng))
    }
}

/// Makes sure that the categories of the reference sites are dealt.
fn garantir(parts: &mut [u64], donnees: &Donnees) {
    for code in ["355", "500", "603"] {
        let Some(i) = donnees.categories.iter().position(|c| c.code == code) else {
            continue;
        };
        if parts[i] == 0 {
            let plus_grande = (0..parts.len()).max_by_key(|k| parts[*k]).unwrap_or(i);
            parts[plus_grande] = parts[plus_grande].saturating_sub(1);
            parts[i] = 1;
        }
    }
}
