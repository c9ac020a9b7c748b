//! A relation between two tables, readable both ways.

use roaring::RoaringBitmap;

/// Rows related to one: nearly always none or one, so these take no allocation.
#[derive(Default)]
enum Rangs {
    #[default]
    Aucun,
    Un(u32),
    Plusieurs(Vec<u32>),
}

impl Rangs {
    fn de(mut rangs: Vec<u32>) -> Self {
        match rangs[..] {
            [] => Self::Aucun,
            [r] => Self::Un(r),
            _ => {
                rangs.shrink_to_fit();
                Self::Plusieurs(rangs)
            }
        }
    }

    fn tous(&self) -> &[u32] {
        match self {
            Self::Aucun => &[],
            Self::Un(r) => std::slice::from_ref(r),
            Self::Plusieurs(v) => v,
        }
    }

    fn ajouter(&mut self, rang: u32) {
        match self {
            Self::Aucun => *self = Self::Un(rang),
            Self::Un(r) if *r == rang => {}
            Self::Un(r) => *self = Self::Plusieurs(vec![*r, rang]),
            Self::Plusieurs(v) => {
                if !v.contains(&rang) {
                    v.push(rang);
                }
            }
        }
    }

    fn retirer(&mut self, rang: u32) {
        match self {
            Self::Un(r) if *r == rang => *self = Self::Aucun,
            Self::Plusieurs(v) => v.retain(|r| *r != rang),
            _ => {}
        }
    }
}

/// Adjacency by row numbers.
#[derive(Default)]
pub struct Lien {
    avant: Vec<Rangs>,
    arriere: Vec<Rangs>,
}

impl Lien {
    /// What a row refers to.
    pub fn cibles(&self, rang: u32) -> &[u32] {
        self.avant.get(rang as usize).map_or(&[], Rangs::tous)
    }

    /// What refers to a row.
    pub fn sources(&self, rang: u32) -> &[u32] {
        self.arriere.get(rang as usize).map_or(&[], Rangs::tous)
    }

    /// Everything that refers to one of these rows.
    pub fn sources_de(&self, rangs: &RoaringBitmap) -> RoaringBitmap {
        let mut s = RoaringBitmap::new();
        rangs.iter().for_each(|r| s.extend(self.sources(r).iter().copied()));
        s
    }

    /// Replaces what a row refers to.
    pub fn poser(&mut self, rang: u32, cibles: Vec<u32>) {
        let anciennes = match self.avant.get_mut(rang as usize) {
            Some(a) => std::mem::take(a),
            None => Rangs::Aucun,
        };
        for c in anciennes.tous() {
            self.arriere[*c as usize].retirer(rang);
        }
        if cibles.is_empty() {
            return;
        }
        for c in &cibles {
            place(&mut self.arriere, *c).ajouter(rang);
        }
        *place(&mut self.avant, rang) = Rangs::de(cibles);
    }
}

fn place(rangs: &mut Vec<Rangs>, rang: u32) -> &mut Rangs {
    let rang = rang as usize;
    if rangs.len() <= rang {
        rangs.resize_with(rang + 1, Rangs::default);
    }
    &mut rangs[rang]
}

#[cfg(test)]
mod tests {
    use super::Lien;

    #[test]
    fn both_ways_agree_whatever_is_replaced() {
        let mut l = Lien::default();
        l.poser(5, vec![1, 2, 3]);
        l.poser(6, vec![2]);
        l.poser(9, vec![2]);
        assert_eq!(l.cibles(5), [1, 2, 3]);
        assert_eq!(l.sources(2), [5, 6, 9]);
        assert_eq!(l.sources_de(&[1, 3, 40].into_iter().collect()).iter().collect::<Vec<_>>(), [5]);
        l.poser(5, vec![3]);
        l.poser(6, vec![]);
        assert_eq!((l.cibles(5), l.cibles(6), l.sources(1)), (&[3u32][..], &[][..], &[][..]));
        assert_eq!(l.sources(2), [9]);
        l.poser(9, vec![2]);
        assert_eq!(l.sources(2), [9], "the same again adds nothing");
        assert_eq!((l.cibles(1000), l.sources(1000)), (&[][..], &[][..]));
    }
}
