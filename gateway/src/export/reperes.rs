//! Which moment stood at an instant: what `_since` needs to find its place in the journal.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// Moments remembered; one a second at most is noted, so at least a day.
const GARDES: usize = 100_000;
/// Least time between two, milliseconds.
const PAS: i64 = 1000;

/// Instants and the number of the moment published then, oldest first.
#[derive(Debug, Default)]
pub struct Reperes(Mutex<VecDeque<(i64, u64)>>);

impl Reperes {
    /// Notes a moment and when it was published, milliseconds since 1970.
    pub fn noter(&self, date: i64, numero: u64) {
        let mut gardes = self.0.lock();
        if gardes.back().is_some_and(|(d, n)| date < d + PAS || numero <= *n) {
            return;
        }
        if gardes.len() == GARDES {
            gardes.pop_front();
        }
        gardes.push_back((date, numero));
    }

    /// The last moment noted that stood at an instant; none when it goes back further.
    pub fn au(&self, date: i64) -> Option<u64> {
        let gardes = self.0.lock();
        let apres = gardes.partition_point(|(d, _)| *d <= date);
        Some(gardes.get(apres.checked_sub(1)?)?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_finds_the_moment_before_it() {
        let r = Reperes::default();
        assert_eq!(r.au(i64::MAX), None);
        for (date, numero) in [(10_000, 3), (10_500, 4), (12_000, 6), (11_000, 9), (15_000, 7)] {
            r.noter(date, numero);
        }
        let trouves = [9_999, 10_000, 11_999, 12_000, 14_999, i64::MAX].map(|d| r.au(d));
        assert_eq!(trouves, [None, Some(3), Some(3), Some(6), Some(6), Some(7)]);
    }
}
