//! Rows marked one bit each: for sets built from thousands of rows in no order, or asked of every row.

use roaring::RoaringBitmap;

/// From so many rows on, marking them costs less than entering them.
const BEAUCOUP: usize = 4096;

/// Rows looked at together: what each needs is read before any is decided, so that as many reads are on their way at
/// once as a core can have.
pub const LOT: usize = 1024;

/// Walks through the rows of a set, some at a time.
pub fn par_lots<E>(rangs: &RoaringBitmap, mut voir: impl FnMut(&[u32]) -> Result<(), E>) -> Result<(), E> {
    let mut place = [0; LOT];
    let mut rangs = rangs.iter();
    loop {
        let lot = rangs.next_many(&mut place);
        voir(lot)?;
        if lot.len() < LOT {
            return Ok(());
        }
    }
}

/// A set of rows, one bit each.
pub struct Bits(Vec<u8>);

impl Bits {
    /// An empty set of rows below this one.
    pub fn jusqu_a(fin: u32) -> Self {
        Self(vec![0; (fin as usize).div_ceil(8)])
    }

    /// The rows of a set.
    pub fn de(rangs: &RoaringBitmap) -> Self {
        let mut bits = Self::jusqu_a(rangs.max().map_or(0, |m| m.saturating_add(1)));
        rangs.iter().for_each(|r| bits.marquer(r));
        bits
    }

    /// The set of rows given in order.
    pub fn en_ordre(rangs: &[u32]) -> RoaringBitmap {
        match rangs.last() {
            // One by one, each would look for its place.
            Some(dernier) if rangs.len() >= BEAUCOUP => {
                let mut bits = Self::jusqu_a(dernier.saturating_add(1));
                rangs.iter().for_each(|r| bits.marquer(*r));
                bits.ensemble()
            }
            _ => RoaringBitmap::from_sorted_iter(rangs.iter().copied())
                .unwrap_or_else(|_| rangs.iter().copied().collect()),
        }
    }

    /// Marks a row; one beyond the end is left out.
    pub fn marquer(&mut self, rang: u32) {
        if let Some(octet) = self.0.get_mut(rang as usize / 8) {
            *octet |= 1 << (rang % 8);
        }
    }

    /// Whether a row is marked.
    pub fn contient(&self, rang: u32) -> bool {
        self.0.get(rang as usize / 8).is_some_and(|octet| octet & (1 << (rang % 8)) != 0)
    }

    /// The rows marked.
    pub fn ensemble(&self) -> RoaringBitmap {
        RoaringBitmap::from_lsb0_bytes(0, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_the_set() {
        for pas in [1u32, 7, 64, 1000, 70_001] {
            let e: RoaringBitmap = (0..300u32).map(|i| 5 + i * pas).collect();
            let b = Bits::de(&e);
            assert_eq!(b.ensemble(), e, "{pas}");
            assert_eq!(Bits::en_ordre(&e.iter().collect::<Vec<_>>()), e, "{pas}");
            assert!((0..2000).chain([u32::MAX]).all(|r| b.contient(r) == e.contains(r)), "{pas}");
        }
        let beaucoup: Vec<u32> = (0..2 * BEAUCOUP as u32).map(|i| i * 3).collect();
        assert_eq!(Bits::en_ordre(&beaucoup), beaucoup.iter().copied().collect());
        let mut b = Bits::jusqu_a(64);
        b.marquer(64);
        b.marquer(63);
        assert_eq!(b.ensemble(), [63].into_iter().collect());
        assert_eq!(Bits::de(&RoaringBitmap::new()).ensemble(), RoaringBitmap::new());
    }
}
