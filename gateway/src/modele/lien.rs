//! A relation between two tables, readable both ways.

use std::collections::HashMap;

use roaring::RoaringBitmap;

/// Adjacency by row numbers.
#[derive(Default)]
pub struct Lien {
    avant: HashMap<u32, Box<[u32]>>,
    arriere: HashMap<u32, Vec<u32>>,
}

impl Lien {
    /// What a row refers to.
    pub fn cibles(&self, rang: u32) -> &[u32] {
        self.avant.get(&rang).map_or(&[], AsRef::as_ref)
    }

    /// What refers to a row.
    pub fn sources(&self, rang: u32) -> &[u32] {
        self.arriere.get(&rang).map_or(&[], AsRef::as_ref)
    }

    /// Everything that refers to one of these rows.
    pub fn sources_de(&self, rangs: &RoaringBitmap) -> RoaringBitmap {
        let mut s = RoaringBitmap::new();
        // Walk the shorter side.
        if rangs.len() < self.arriere.len() as u64 {
            rangs.iter().for_each(|r| s.extend(self.sources(r).iter().copied()));
        } else {
            for (r, sources) in &self.arriere {
                if rangs.contains(*r) {
                    s.extend(sources.iter().copied());
                }
            }
        }
        s
    }

    /// Replaces what a row refers to.
    pub fn poser(&mut self, rang: u32, cibles: Vec<u32>) {
        if let Some(anciennes) = self.avant.remove(&rang) {
            for c in anciennes {
                if let Some(v) = self.arriere.get_mut(&c) {
                    v.retain(|r| *r != rang);
                    if v.is_empty() {
                        self.arriere.remove(&c);
                    }
                }
            }
        }
        if cibles.is_empty() {
            return;
        }
        for c in &cibles {
            let v = self.arriere.entry(*c).or_default();
            if !v.contains(&rang) {
                v.push(rang);
            }
        }
        self.avant.insert(rang, cibles.into_boxed_slice());
    }
}
