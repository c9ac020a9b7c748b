//! Identifiers a bulk load knows to be free without asking: those of a system that nobody
//! used before the load, unless the load took them itself. A first load then looks up
//! nothing.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
};

use sqlx::PgConnection;

use super::{Ecrite, Identifiant, uniques};
use crate::Resultat;

/// Bits of the filter, 8 MB: of two million identifiers, one in ten thousand is looked up
/// for nothing.
const BITS: u64 = 1 << 26;
/// Bits an identifier sets.
const POSES: u64 = 4;

/// What was free before the load, and what the load took.
#[derive(Default)]
pub(super) struct Vierges {
    /// Systems met: true when no unique identifier was of them.
    systemes: HashMap<&'static str, bool>,
    /// A filter of what the load took: it never forgets one. Empty until the first.
    pris: Vec<u64>,
    hache: RandomState,
}

impl Vierges {
    /// Looks at the systems of these that are not met yet; before anything of them is written.
    pub(super) async fn regarder(&mut self, tx: &mut PgConnection, ecrites: &[Ecrite]) -> Resultat<()> {
        for i in uniques(ecrites) {
            if self.systemes.contains_key(i.systeme) {
                continue;
            }
            let employe: Option<i32> =
                sqlx::query_scalar("select 1 from identifiant where systeme = $1 and unique_ limit 1")
                    .bind(i.systeme)
                    .fetch_optional(&mut *tx)
                    .await?;
            self.systemes.insert(i.systeme, employe.is_none());
        }
        Ok(())
    }

    /// True when nobody can hold it; else it is to be looked up.
    pub(super) fn libre(&self, i: &Identifiant) -> bool {
        self.vierge(i) && !self.places(i).all(|(mot, bit)| self.pris.get(mot).is_some_and(|m| m & bit != 0))
    }

    /// Notes what the load takes.
    pub(super) fn prendre(&mut self, ecrites: &[Ecrite]) {
        for i in uniques(ecrites) {
            self.noter(i);
        }
    }

    fn noter(&mut self, i: &Identifiant) {
        if !self.vierge(i) {
            return;
        }
        if self.pris.is_empty() {
            self.pris = vec![0; (BITS / 64) as usize];
        }
        for (mot, bit) in self.places(i) {
            if let Some(m) = self.pris.get_mut(mot) {
                *m |= bit;
            }
        }
    }

    fn vierge(&self, i: &Identifiant) -> bool {
        self.systemes.get(i.systeme).copied().unwrap_or(false)
    }

    /// Word and bit of each place of an identifier.
    fn places(&self, i: &Identifiant) -> impl Iterator<Item = (usize, u64)> + use<> {
        let hache = self.hache.hash_one((i.systeme, i.valeur.as_str()));
        let (debut, pas) = (hache >> 32, (hache & 0xffff_ffff) | 1);
        (0..POSES).map(move |rang| {
            let bit = (debut + rang * pas) % BITS;
            ((bit / 64) as usize, 1 << (bit % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identifiant(systeme: &'static str, n: u32) -> Identifiant {
        Identifiant { systeme, valeur: n.to_string(), unique: true }
    }

    #[test]
    fn what_the_load_took_is_never_said_to_be_free() {
        let systemes = HashMap::from([("neuf", true), ("connu", false)]);
        let mut vierges = Vierges { systemes, ..Vierges::default() };
        for n in 0..10_000 {
            vierges.noter(&identifiant("neuf", n));
            vierges.noter(&identifiant("connu", n));
        }
        assert!((0..10_000).all(|n| !vierges.libre(&identifiant("neuf", n))));
        let doutes = (10_000..20_000).filter(|n| !vierges.libre(&identifiant("neuf", *n))).count();
        assert!(doutes < 10, "{doutes} looked up for nothing");
    }

    #[test]
    fn nothing_is_known_of_a_system_that_was_used_or_not_looked_at() {
        let mut vierges = Vierges::default();
        vierges.systemes.insert("connu", false);
        vierges.systemes.insert("neuf", true);
        assert!(!vierges.libre(&identifiant("connu", 1)));
        assert!(!vierges.libre(&identifiant("jamais-vu", 1)));
        assert!(vierges.libre(&identifiant("neuf", 1)));
    }
}
