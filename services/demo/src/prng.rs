//! A small pseudo-random generator of our own: the same seed gives the same
//! bytes for ever, whatever happens to any outside crate.

/// SplitMix64, one instance per named stream so that a change in one file of
/// the generation does not move the others.
#[derive(Debug, Clone)]
pub struct Prng {
    etat: u64,
}

impl Prng {
    /// Starts the stream `flux` of the seed `graine`.
    pub fn nouveau(graine: u64, flux: &str) -> Self {
        let mut empreinte: u64 = 0xcbf2_9ce4_8422_2325;
        for octet in flux.bytes() {
            empreinte ^= u64::from(octet);
            empreinte = empreinte.wrapping_mul(0x0000_0100_0000_01b3);
        }
        let mut prng = Self { etat: graine ^ empreinte };
        prng.suivant();
        prng
    }

    /// Starts the stream of the `rang`-th thing of `flux`: each can be drawn again alone.
    pub fn numerote(graine: u64, flux: &str, rang: u64) -> Self {
        let mut prng = Self::nouveau(graine, flux);
        prng.etat ^= rang.wrapping_mul(0xd6e8_feb8_6659_fd93);
        prng.suivant();
        prng
    }

    /// The next 64 bits.
    pub fn suivant(&mut self) -> u64 {
        self.etat = self.etat.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.etat;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..n`, or 0 when `n` is 0.
    pub fn borne(&mut self, n: u64) -> u64 {
        ((u128::from(self.suivant()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `min..=max`.
    pub fn entre(&mut self, min: u64, max: u64) -> u64 {
        min + self.borne(max.saturating_sub(min) + 1)
    }

    /// An index below `longueur`, or 0 when it is 0.
    pub fn indice(&mut self, longueur: usize) -> usize {
        self.borne(longueur as u64) as usize
    }

    /// True `pour_mille` times out of a thousand.
    pub fn chance(&mut self, pour_mille: u64) -> bool {
        self.borne(1000) < pour_mille
    }

    /// One of the words, or the empty word when there is none.
    pub fn mot(&mut self, mots: &[&'static str]) -> &'static str {
        let indice = self.indice(mots.len());
        mots.get(indice).copied().unwrap_or("")
    }

    /// Shuffles in place (Fisher–Yates).
    pub fn melanger<T>(&mut self, elements: &mut [T]) {
        for i in (1..elements.len()).rev() {
            let j = self.indice(i + 1);
            elements.swap(i, j);
        }
    }
}

/// A weighted draw over indices.
#[derive(Debug, Clone)]
pub struct Tirage {
    cumul: Vec<u64>,
}

impl Tirage {
    /// Prepares a draw where index `i` has the `i`-th weight.
    pub fn nouveau(poids: impl Iterator<Item = u64>) -> Self {
        let mut total: u64 = 0;
        let mut cumul = Vec::new();
        for p in poids {
            total += p;
            cumul.push(total);
        }
        Self { cumul }
    }

    /// Sum of the weights.
    pub fn total(&self) -> u64 {
        self.cumul.last().copied().unwrap_or(0)
    }

    /// Draws an index; 0 when every weight is 0.
    pub fn tirer(&self, prng: &mut Prng) -> usize {
        if self.total() == 0 {
            return 0;
        }
        let x = prng.borne(self.total());
        self.cumul.partition_point(|c| *c <= x)
    }
}

/// Shares `cible` units over the weights so that the parts add up to it
/// exactly (nothing when every weight is 0).
pub fn repartir(poids: &[u64], cible: u64) -> Vec<u64> {
    let total: u128 = poids.iter().map(|p| u128::from(*p)).sum();
    if total == 0 {
        return vec![0; poids.len()];
    }
    let mut cumul: u128 = 0;
    let mut deja: u128 = 0;
    let mut parts = Vec::with_capacity(poids.len());
    for p in poids {
        cumul += u128::from(*p);
        let jusque = cumul * u128::from(cible) / total;
        parts.push((jusque - deja) as u64);
        deja = jusque;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_matches_its_published_first_values() {
        let mut prng = Prng { etat: 1_234_567 };
        assert_eq!(prng.suivant(), 6_457_827_717_110_365_317);
        assert_eq!(prng.suivant(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn streams_are_repeatable_and_bounded() {
        let mut a = Prng::nouveau(7, "essai");
        let mut b = Prng::nouveau(7, "essai");
        for _ in 0..1000 {
            let x = a.entre(3, 9);
            assert_eq!(x, b.entre(3, 9));
            assert!((3..=9).contains(&x));
        }
        assert_eq!(a.borne(0), 0);
        assert_eq!(a.mot(&[]), "");
    }

    #[test]
    fn a_numbered_stream_depends_on_its_number_alone() {
        let premier = |rang| Prng::numerote(7, "essai", rang).suivant();
        assert_eq!(premier(41), premier(41));
        let tous: std::collections::BTreeSet<u64> = (0..1000).map(premier).collect();
        assert_eq!(tous.len(), 1000);
    }

    #[test]
    fn weighted_draw_never_takes_a_zero_weight() {
        let tirage = Tirage::nouveau([0, 3, 0, 1].into_iter());
        let mut prng = Prng::nouveau(1, "tirage");
        for _ in 0..500 {
            let i = tirage.tirer(&mut prng);
            assert!(i == 1 || i == 3);
        }
    }

    #[test]
    fn parts_add_up() {
        assert_eq!(repartir(&[5, 1, 7, 0], 1000).iter().sum::<u64>(), 1000);
        assert_eq!(repartir(&[0, 0], 10), vec![0, 0]);
    }
}
