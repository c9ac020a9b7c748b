//! Draws from a seed: the same seed and data give the same queries for ever.

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Hasard(u64);

impl Hasard {
    /// The draws of the query of that number.
    pub fn nouveau(graine: u64, rang: u64) -> Self {
        let mut h =
            Self(graine.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ rang.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        h.suivant();
        h
    }

    pub fn suivant(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 when there is none.
    pub fn borne(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.suivant() % n as u64) as usize }
    }

    /// From `bas` to `haut`, both included.
    pub fn entre(&mut self, bas: usize, haut: usize) -> usize {
        bas + self.borne(haut.saturating_sub(bas) + 1)
    }

    /// True so many times in a hundred.
    pub fn chance(&mut self, pour_cent: usize) -> bool {
        self.borne(100) < pour_cent
    }

    /// One of a list; none of an empty one.
    pub fn un<'a, T>(&mut self, choix: &'a [T]) -> Option<&'a T> {
        choix.get(self.borne(choix.len()))
    }

    /// One of a list that is not empty.
    ///
    /// # Panics
    /// With an empty list.
    pub fn parmi<T: Copy>(&mut self, choix: &[T]) -> T {
        choix[self.borne(choix.len())]
    }
}
