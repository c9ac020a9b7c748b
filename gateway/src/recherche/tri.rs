//! Order of results: the keys asked for, then the stable order of the table; and the rows of a
//! page on either side of a place.

mod cles;

use std::{borrow::Cow, cmp::Ordering, convert::Infallible};

use roaring::RoaringBitmap;

use super::{
    arbre::{Centre, Tri},
    evaluation::{Moteur, TropCouteux},
    notation::Trouvee,
};
use crate::modele::{LOT, Table, TypeFhir, par_lots};
pub use cles::Cle;
use cles::Source;

/// What the keys of one request may keep in memory: several that every role has, at the size of the country.
const OCTETS_MAX: usize = 96 << 20;

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depart {
    /// At the first row.
    Debut,
    /// After this row.
    Apres(u32),
    /// Before this row.
    Avant(u32),
}

/// Rows of a page, and whether others lie before and after them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tranche {
    /// Rows, in order.
    pub rangs: Vec<u32>,
    /// Others before.
    pub avant: bool,
    /// Others after.
    pub apres: bool,
}

/// The order of a request over its rows.
pub struct Ordre<'a> {
    table: &'a Table,
    sources: Vec<Source<'a>>,
}

/// A row, after a number in the order of its first key.
type Numerote = (u64, u32);

impl<'a> Ordre<'a> {
    /// Reads the keys of these rows, and of the one a page begins at, which may no longer be of them.
    pub fn nouveau(
        m: &Moteur<'a>,
        t: TypeFhir,
        tri: &[Tri],
        depuis: Option<Centre>,
        notes: Option<&'a Trouvee<'a>>,
        rangs: &RoaringBitmap,
        depart: Depart,
    ) -> Result<Self, TropCouteux> {
        let mut rangs = Cow::Borrowed(rangs);
        if let Depart::Apres(r) | Depart::Avant(r) = depart
            && !tri.is_empty()
            && !rangs.contains(r)
        {
            rangs.to_mut().insert(r);
        }
        let mut sources = Vec::with_capacity(tri.len());
        let mut octets = 0;
        for k in tri {
            let source = Source::lire(m, t, k, depuis, notes, &rangs)?;
            octets += source.octets();
            if octets > OCTETS_MAX {
                return Err(TropCouteux);
            }
            sources.push(source);
        }
        Ok(Self { table: m.modele.table(t), sources })
    }

    /// The order of two rows of the same number.
    fn departager(&self, a: u32, b: u32) -> Ordering {
        let exactes = usize::from(self.sources.first().is_some_and(Source::exacte));
        for source in self.sources.iter().skip(exactes) {
            let o = presents_d_abord(source.cle(a), source.cle(b), source.descendant());
            if o != Ordering::Equal {
                return o;
            }
        }
        self.table.comparer(a, b)
    }

    /// `n` rows of these from a place on.
    pub fn tranche(
        &self,
        m: &Moteur<'_>,
        rangs: &RoaringBitmap,
        depart: Depart,
        n: usize,
    ) -> Result<Tranche, TropCouteux> {
        m.payer(rangs.len() / 4 + rangs.len().saturating_mul(self.sources.len() as u64))?;
        Ok(match self.sources.first() {
            None => self.trancher(rangs, depart, n, |lot, nombres| self.table.lire_ordres(lot, nombres)),
            Some(source) => self.trancher(rangs, depart, n, |lot, nombres| {
                nombres.clear();
                nombres.extend(lot.iter().map(|r| source.nombre(*r)));
            }),
        })
    }

    /// Most rows are told by one number, read once.
    fn trancher(
        &self,
        rangs: &RoaringBitmap,
        depart: Depart,
        n: usize,
        mut numeroter: impl FnMut(&[u32], &mut Vec<u64>),
    ) -> Tranche {
        let comparer = |a: &Numerote, b: &Numerote| a.0.cmp(&b.0).then_with(|| self.departager(a.1, b.1));
        let mut nombres = Vec::with_capacity(LOT);
        let mut numeros = |lot: &[u32]| -> Numerote {
            numeroter(lot, &mut nombres);
            (nombres[0], lot[0])
        };
        match depart {
            Depart::Debut => {
                let (rangs, apres) = premiers(rangs, numeroter, |_| true, n, comparer);
                Tranche { rangs, avant: false, apres }
            }
            Depart::Apres(r) => {
                let r = numeros(&[r]);
                let suivant = |x: &Numerote| comparer(x, &r) == Ordering::Greater;
                let (rangs, apres) = premiers(rangs, numeroter, suivant, n, comparer);
                Tranche { rangs, avant: true, apres }
            }
            Depart::Avant(r) => {
                let r = numeros(&[r]);
                let precedent = |x: &Numerote| comparer(x, &r) == Ordering::Less;
                let (mut rangs, avant) = premiers(rangs, numeroter, precedent, n, |a, b| comparer(b, a));
                rangs.reverse();
                Tranche { rangs, avant, apres: true }
            }
        }
    }
}

/// The first `n` in an order among those that count, and whether there are more.
fn premiers(
    rangs: &RoaringBitmap,
    mut numeroter: impl FnMut(&[u32], &mut Vec<u64>),
    compte: impl Fn(&Numerote) -> bool,
    n: usize,
    comparer: impl Fn(&Numerote, &Numerote) -> Ordering,
) -> (Vec<u32>, bool) {
    let mut v: Vec<Numerote> = Vec::with_capacity(2 * (n + 1));
    let mut borne: Option<Numerote> = None;
    let mut nombres = Vec::with_capacity(LOT);
    let Ok(()) = par_lots::<Infallible>(rangs, |lot| {
        numeroter(lot, &mut nombres);
        for x in nombres.iter().copied().zip(lot.iter().copied()) {
            if borne.is_some_and(|b| comparer(&x, &b) == Ordering::Greater) || !compte(&x) {
                continue;
            }
            v.push(x);
            // Twice too many: keep the first half, and know what needs no look any more.
            if v.len() == 2 * (n + 1) {
                v.select_nth_unstable_by(n, &comparer);
                v.truncate(n + 1);
                borne = Some(v[n]);
            }
        }
        Ok(())
    });
    v.sort_unstable_by(comparer);
    let suite = v.len() > n;
    v.truncate(n);
    (v.into_iter().map(|(_, r)| r).collect(), suite)
}

/// What is present first, then by the direction asked.
fn presents_d_abord(a: Option<Cle<'_>>, b: Option<Cle<'_>>, descendant: bool) -> Ordering {
    match (a, b) {
        (Some(x), Some(y)) => {
            let o = x.partial_cmp(&y).unwrap_or(Ordering::Equal);
            if descendant { o.reverse() } else { o }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_are_those_of_a_whole_sort_among_ties_too() {
        let mut graine = 5u64;
        let mut hasard = |borne: u64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (graine >> 33) % borne
        };
        for (lignes, numeros) in [(0, 1), (5, 3), (21, 2), (1000, 1), (3000, 7), (3000, 1_000_000)] {
            let tous: Vec<Numerote> = (0..lignes).map(|r| (hasard(numeros), r)).collect();
            let rangs: RoaringBitmap = (0..lignes).collect();
            let numeroter = |lot: &[u32], nombres: &mut Vec<u64>| {
                nombres.clear();
                nombres.extend(lot.iter().map(|r| tous[*r as usize].0));
            };
            for sens in [1, -1] {
                let comparer = |a: &Numerote, b: &Numerote| {
                    let o = a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1));
                    if sens == 1 { o } else { o.reverse() }
                };
                let mut tries = tous.clone();
                tries.sort_by(comparer);
                for n in [1, 4, 5, 20, 999, 1000, 1001] {
                    let attendus: Vec<u32> = tries.iter().take(n).map(|(_, r)| *r).collect();
                    let suite = tries.len() > n;
                    assert_eq!(
                        premiers(&rangs, numeroter, |_| true, n, comparer),
                        (attendus, suite),
                        "{lignes} {n}"
                    );
                }
            }
        }
    }
}
