//! From a text to the rows that may carry it, by its hash: ids and business identifiers. The
//! texts themselves stay in the rows, so an entry weighs a few bytes; who asks verifies.

use std::{hash::BuildHasher, io, sync::Arc};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::image::{self, Image, Sortie, par_champs};

/// Parts, so that a change copies a small one.
const PARTS: usize = 1024;

/// Hash and row.
type Entree = (u32, u32);

/// A directory.
#[derive(Clone)]
pub struct Repertoire {
    parts: Arc<Vec<Arc<HashTable<Entree>>>>,
}

impl Default for Repertoire {
    fn default() -> Self {
        Self { parts: Arc::new((0..PARTS).map(|_| Arc::default()).collect()) }
    }
}

par_champs!(Repertoire { parts });

impl Image for HashTable<Entree> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        let mut entrees: Vec<Entree> = self.iter().copied().collect();
        entrees.sort_unstable();
        entrees.ecrire(s)
    }
    fn lire(e: &mut image::Entree<'_>) -> io::Result<Self> {
        let entrees = Vec::<Entree>::lire(e)?;
        let mut table = Self::with_capacity(entrees.len());
        for entree in entrees {
            table.insert_unique(etaler(entree.0), entree, |e| etaler(e.0));
        }
        Ok(table)
    }
}

fn hacher(texte: &str) -> (usize, u32) {
    let h = FixedState::default().hash_one(texte);
    ((h >> 54) as usize, h as u32)
}

/// The table looks at the top and bottom bits.
fn etaler(h: u32) -> u64 {
    u64::from(h).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Repertoire {
    /// Rows entered under a text of the same hash.
    pub fn candidats(&self, texte: &str) -> impl Iterator<Item = u32> {
        let (part, h) = hacher(texte);
        self.parts[part].iter_hash(etaler(h)).filter(move |e| e.0 == h).map(|e| e.1)
    }

    /// Enters a row.
    pub fn ajouter(&mut self, texte: &str, rang: u32) {
        let (part, h) = hacher(texte);
        if self.parts[part].find(etaler(h), |e| *e == (h, rang)).is_none() {
            let part = Arc::make_mut(&mut Arc::make_mut(&mut self.parts)[part]);
            part.insert_unique(etaler(h), (h, rang), |e| etaler(e.0));
        }
    }

    /// Takes a row out.
    pub fn retirer(&mut self, texte: &str, rang: u32) {
        let (part, h) = hacher(texte);
        if self.parts[part].find(etaler(h), |e| *e == (h, rang)).is_none() {
            return;
        }
        let part = Arc::make_mut(&mut Arc::make_mut(&mut self.parts)[part]);
        if let Ok(e) = part.find_entry(etaler(h), |e| *e == (h, rang)) {
            e.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Repertoire;

    #[test]
    fn rows_are_found_under_every_text_and_gone_once_taken_out() {
        let mut r = Repertoire::default();
        for i in 0..5000u32 {
            r.ajouter(&format!("id{i}"), i);
            r.ajouter("commun", i % 3);
        }
        let avant = r.clone();
        r.retirer("id77", 77);
        let trouves = |r: &Repertoire, t: &str| {
            let mut v: Vec<u32> = r.candidats(t).collect();
            v.sort_unstable();
            v
        };
        assert_eq!(trouves(&r, "commun"), [0, 1, 2]);
        assert_eq!((trouves(&r, "id77"), trouves(&avant, "id77")), (vec![], vec![77]));
        assert_eq!(trouves(&r, "id4999"), [4999]);
    }
}
