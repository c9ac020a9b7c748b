//! Values by row, shared between moments: a copy costs one pointer, a change copies one block.

use std::sync::Arc;

/// Rows of one block. Small enough that copying one for a change is a matter of microseconds.
pub const BLOC: usize = 512;

/// A column. A row never written has the default value.
pub struct Colonne<T> {
    blocs: Arc<Vec<Arc<[T]>>>,
}

super::image::par_champs!(Colonne<T> { blocs });

impl<T> Clone for Colonne<T> {
    fn clone(&self) -> Self {
        Self { blocs: self.blocs.clone() }
    }
}

impl<T> Default for Colonne<T> {
    fn default() -> Self {
        Self { blocs: Arc::default() }
    }
}

impl<T> Colonne<T> {
    /// The value of a row, when its block was ever written.
    pub fn get(&self, rang: u32) -> Option<&T> {
        let rang = rang as usize;
        self.blocs.get(rang / BLOC)?.get(rang % BLOC)
    }
}

impl<T: Clone + Default> Colonne<T> {
    /// The place of a row, to change it.
    pub fn place(&mut self, rang: u32) -> &mut T {
        let rang = rang as usize;
        let blocs = Arc::make_mut(&mut self.blocs);
        while blocs.len() <= rang / BLOC {
            blocs.push(std::iter::repeat_with(T::default).take(BLOC).collect());
        }
        &mut Arc::make_mut(&mut blocs[rang / BLOC])[rang % BLOC]
    }
}

impl<T: Clone + Default + PartialEq> Colonne<T> {
    /// Changes a row; an equal value copies nothing.
    pub fn poser(&mut self, rang: u32, valeur: T) {
        match self.get(rang) {
            Some(v) if *v == valeur => {}
            None if valeur == T::default() => {}
            _ => *self.place(rang) = valeur,
        }
    }
}

impl<T: Copy + Default> Colonne<T> {
    /// The value of a row.
    pub fn valeur(&self, rang: u32) -> T {
        self.get(rang).copied().unwrap_or_default()
    }

    /// The values of these rows, in place of what was there.
    pub fn lire(&self, rangs: &[u32], valeurs: &mut Vec<T>) {
        valeurs.clear();
        valeurs.extend(rangs.iter().map(|r| self.valeur(*r)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_keeps_what_it_saw_and_shares_the_rest() {
        let mut c = Colonne::<u32>::default();
        for r in 0..2000 {
            c.poser(r, r * 2);
        }
        let avant = c.clone();
        c.poser(1500, 7);
        c.poser(10, 20);
        assert_eq!((avant.valeur(1500), c.valeur(1500), c.valeur(9999)), (3000, 7, 0));
        let partages = avant.blocs.iter().zip(c.blocs.iter()).filter(|(a, b)| Arc::ptr_eq(a, b)).count();
        assert_eq!(partages, avant.blocs.len() - 1, "an equal value copies nothing");
    }
}
