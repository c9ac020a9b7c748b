//! Rows touched between two moments, as one profile may know them.

use crate::{
    export::portee::Ensembles,
    modele::{Touche, TypeFhir},
};

/// Rows by type.
#[derive(Debug, Default)]
pub struct Touches {
    /// Changed.
    pub rangs: Ensembles,
    /// Changed, and seen by the profile at some time before.
    pub vus: Ensembles,
    /// No longer referred to by some row that the profile saw: they did not change, but they may be followed by it.
    pub quittes: Ensembles,
}

impl Touches {
    /// From the journal of a moment.
    pub fn de(journal: &[Touche], profil: u8) -> Self {
        let mut t = Self::default();
        let bit = 1 << profil;
        for touche in journal {
            let genre = touche.type_fhir as usize;
            if touche.quittent & bit != 0 {
                t.quittes[genre].insert(touche.rang);
            }
            if touche.pour & bit == 0 {
                continue;
            }
            t.rangs[genre].insert(touche.rang);
            if touche.avant & bit != 0 {
                t.vus[genre].insert(touche.rang);
            }
        }
        t
    }

    /// Whether nothing of a type was touched.
    pub fn rien(&self, t: TypeFhir) -> bool {
        self.rangs[t as usize].is_empty() && self.quittes[t as usize].is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_seen_once_counts_as_seen() {
        let touche = |numero, rang, avant, pour| Touche {
            numero,
            type_fhir: TypeFhir::Location,
            rang,
            avant,
            pour,
            quittent: 0b11 ^ pour,
        };
        let t = Touches::de(
            &[
                touche(1, 7, 0b10, 0b11),
                touche(2, 7, 0, 0b10),
                touche(2, 8, 0b01, 0b10),
                touche(3, 9, 0b11, 0b01),
            ],
            1,
        );
        let rangs = |e: &Ensembles| e[TypeFhir::Location as usize].iter().collect::<Vec<_>>();
        assert_eq!((rangs(&t.rangs), rangs(&t.vus), rangs(&t.quittes)), (vec![7, 8], vec![7], vec![9]));
        assert!(!t.rien(TypeFhir::Location) && t.rien(TypeFhir::Organization));
    }
}
