//! Which rows changed after which change: by generations, one a commit. Old ones are put together, so that the answer
//! may hold too many rows, never too few, and weighs little.

use std::collections::VecDeque;

use roaring::RoaringBitmap;

use crate::modele::TypeFhir;

/// Generations kept apart.
const GENERATIONS: usize = 64;

#[derive(Default)]
struct Generation {
    /// Its last change.
    dernier: u64,
    rangs: [RoaringBitmap; 5],
}

/// Rows changed, by generation.
#[derive(Default)]
pub(super) struct Touches {
    numero: u64,
    /// Oldest first; the last one is still growing.
    generations: VecDeque<Generation>,
}

impl Touches {
    /// Number of the last change.
    pub(super) fn numero(&self) -> u64 {
        self.numero
    }

    /// Notes a change of these rows; its number.
    pub(super) fn noter(&mut self, rangs: &[(TypeFhir, u32)]) -> u64 {
        self.numero += 1;
        if self.generations.is_empty() {
            self.generations.push_back(Generation::default());
        }
        if let Some(derniere) = self.generations.back_mut() {
            derniere.dernier = self.numero;
            for (t, rang) in rangs {
                derniere.rangs[*t as usize].insert(*rang);
            }
        }
        self.numero
    }

    /// Begins a generation.
    pub(super) fn clore(&mut self) {
        if self.generations.back().is_none_or(|g| g.dernier == 0) {
            return;
        }
        self.generations.push_back(Generation::default());
        if self.generations.len() > GENERATIONS
            && let Some(ancienne) = self.generations.pop_front()
            && let Some(premiere) = self.generations.front_mut()
        {
            for (rangs, anciens) in premiere.rangs.iter_mut().zip(ancienne.rangs) {
                *rangs |= anciens;
            }
        }
    }

    /// Rows of a type changed after that change.
    pub(super) fn depuis(&self, t: TypeFhir, numero: u64) -> RoaringBitmap {
        let recentes = self.generations.iter().rev().take_while(|g| g.dernier > numero || g.dernier == 0);
        recentes.fold(RoaringBitmap::new(), |tous, g| tous | &g.rangs[t as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: TypeFhir = TypeFhir::Location;

    #[test]
    fn rows_changed_after_a_number_are_never_missed() {
        let mut touches = Touches::default();
        assert!(touches.depuis(T, 0).is_empty());
        for n in 1..=500u32 {
            assert_eq!(touches.noter(&[(T, n), (TypeFhir::Practitioner, 7)]), u64::from(n));
            if n % 3 == 0 {
                touches.clore();
                touches.clore();
            }
        }
        assert!(touches.generations.len() <= GENERATIONS);
        for depuis in 0..=500u32 {
            let rangs = touches.depuis(T, u64::from(depuis));
            assert!((depuis + 1..=500).all(|n| rangs.contains(n)), "{depuis}");
        }
        assert!(touches.depuis(T, 499).len() <= 3);
        assert!(touches.depuis(T, 500).is_empty());
        assert!(touches.depuis(TypeFhir::Organization, 0).is_empty());
    }
}
