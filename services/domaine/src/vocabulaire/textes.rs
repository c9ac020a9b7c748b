//! Texts packed in one allocation, and found by their value: a copy of seventy thousand
//! codes costs their letters, not seventy thousand allocations.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Texts one after the other, known by their rank.
#[derive(Clone, Debug, Default)]
pub(super) struct Textes {
    lettres: String,
    fins: Vec<u32>,
}

impl Textes {
    /// Packs them, in order.
    pub(super) fn nouveaux<'a>(textes: impl Iterator<Item = &'a str>) -> Self {
        let mut t = Self::default();
        for texte in textes {
            t.lettres.push_str(texte);
            t.fins.push(court(t.lettres.len()));
        }
        t.lettres.shrink_to_fit();
        t.fins.shrink_to_fit();
        t
    }

    /// The text of a rank, empty beyond the last one.
    pub(super) fn lire(&self, rang: u32) -> &str {
        let rang = rang as usize;
        let debut = rang.checked_sub(1).and_then(|r| self.fins.get(r)).map_or(0, |f| *f as usize);
        let fin = self.fins.get(rang).map_or(debut, |f| *f as usize);
        self.lettres.get(debut..fin).unwrap_or_default()
    }

    /// How many there are.
    pub(super) fn nombre(&self) -> u32 {
        court(self.fins.len())
    }
}

/// A free slot.
const LIBRE: u32 = u32::MAX;

/// Texts whose rank is found from their value.
#[derive(Clone, Debug, Default)]
pub(super) struct Lexique {
    textes: Textes,
    /// Ranks by hash, linear probing; at most half full, so that a search always ends.
    cases: Box<[u32]>,
}

impl Lexique {
    /// Packs them, in order; of equal texts the first is found.
    pub(super) fn nouveau<'a>(textes: impl Iterator<Item = &'a str>) -> Self {
        let textes = Textes::nouveaux(textes);
        let nombre = textes.nombre();
        let places = (nombre as usize).saturating_mul(2).next_power_of_two();
        let mut cases = vec![LIBRE; places].into_boxed_slice();
        let masque = places - 1;
        for rang in 0..nombre {
            let texte = textes.lire(rang);
            let mut case = empreinte(texte) & masque;
            while let Some(occupant) = cases.get(case).copied().filter(|c| *c != LIBRE) {
                if textes.lire(occupant) == texte {
                    break;
                }
                case = (case + 1) & masque;
            }
            if let Some(libre) = cases.get_mut(case).filter(|c| **c == LIBRE) {
                *libre = rang;
            }
        }
        Self { textes, cases }
    }

    /// The rank of a text. Allocates nothing.
    pub(super) fn rang(&self, texte: &str) -> Option<u32> {
        let masque = self.cases.len().checked_sub(1)?;
        let mut case = empreinte(texte) & masque;
        loop {
            let rang = self.cases.get(case).copied().filter(|r| *r != LIBRE)?;
            if self.textes.lire(rang) == texte {
                return Some(rang);
            }
            case = (case + 1) & masque;
        }
    }

    /// Every text, in order.
    pub(super) fn tous(&self) -> impl Iterator<Item = &str> {
        (0..self.textes.nombre()).map(|r| self.textes.lire(r))
    }
}

fn empreinte(texte: &str) -> usize {
    // Only the low bits are kept by the mask.
    FixedState::default().hash_one(texte) as usize
}

/// A message is at most some tens of megabytes: a length fits.
fn court(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back_by_rank_and_found_by_value() {
        let codes: Vec<String> = (0..5000).map(|i| format!("{i:05}")).collect();
        let l = Lexique::nouveau(codes.iter().map(String::as_str));
        for (rang, c) in codes.iter().enumerate() {
            assert_eq!(l.rang(c), Some(u32::try_from(rang).unwrap()));
        }
        assert_eq!((l.rang("5000"), l.rang(""), l.rang("0")), (None, None, None));
        assert_eq!(l.tous().nth(4999), Some("04999"));
    }

    #[test]
    fn empty_and_repeated_texts_hold() {
        let vide = Lexique::nouveau(std::iter::empty());
        assert_eq!((vide.rang("a"), vide.tous().count()), (None, 0));
        assert_eq!(Lexique::default().rang("a"), None);
        let l = Lexique::nouveau(["é", "", "é", "b"].into_iter());
        assert_eq!((l.rang("é"), l.rang(""), l.rang("b")), (Some(0), Some(1), Some(3)));
        assert_eq!(l.textes.lire(9), "");
    }
}
