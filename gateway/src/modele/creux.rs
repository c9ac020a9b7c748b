//! Values that few rows have, shared between moments.

use std::{collections::BTreeMap, sync::Arc};

/// Rows of one block.
const BLOC: u32 = 4096;

/// A sparse column.
pub struct Creux<T> {
    blocs: Arc<Vec<Arc<BTreeMap<u32, T>>>>,
}

super::image::par_champs!(Creux<T> { blocs });

impl<T> Clone for Creux<T> {
    fn clone(&self) -> Self {
        Self { blocs: self.blocs.clone() }
    }
}

impl<T> Default for Creux<T> {
    fn default() -> Self {
        Self { blocs: Arc::default() }
    }
}

impl<T> Creux<T> {
    /// The value of a row.
    pub fn get(&self, rang: u32) -> Option<&T> {
        self.blocs.get((rang / BLOC) as usize)?.get(&rang)
    }

    /// Every row that has a value.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.blocs.iter().flat_map(|b| b.iter().map(|(r, v)| (*r, v)))
    }
}

impl<T: Clone + PartialEq> Creux<T> {
    /// Changes a row; the same again copies nothing.
    pub fn poser(&mut self, rang: u32, valeur: Option<T>) {
        if self.get(rang) == valeur.as_ref() {
            return;
        }
        let blocs = Arc::make_mut(&mut self.blocs);
        let i = (rang / BLOC) as usize;
        if blocs.len() <= i {
            blocs.resize_with(i + 1, Arc::default);
        }
        let bloc = Arc::make_mut(&mut blocs[i]);
        match valeur {
            Some(v) => bloc.insert(rang, v),
            None => bloc.remove(&rang),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::Creux;

    #[test]
    fn values_come_and_go() {
        let mut c = Creux::default();
        c.poser(5000, Some(1));
        c.poser(3, Some(2));
        let avant = c.clone();
        c.poser(5000, None);
        assert_eq!(c.iter().map(|(r, v)| (r, *v)).collect::<Vec<_>>(), [(3, 2)]);
        assert_eq!((avant.get(5000), c.get(5000), c.get(70_000)), (Some(&1), None, None));
    }
}
