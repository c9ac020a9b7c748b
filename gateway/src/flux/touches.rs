//! Rows touched between two moments, as one profile may know them.

use crate::{export::portee::Ensembles, modele::Touche};

/// Rows by type.
#[derive(Debug, Default)]
pub struct Touches {
    /// Touched.
    pub rangs: Ensembles,
    /// Touched, and seen by the profile at some time before.
    pub vus: Ensembles,
}

impl Touches {
    /// From the journal of a moment.
    pub fn de(journal: &[Touche], profil: u8) -> Self {
        let mut t = Self::default();
        for touche in journal {
            if touche.pour & (1 << profil) == 0 {
                continue;
            }
            let rang = touche.type_fhir as usize;
            t.rangs[rang].insert(touche.rang);
            if touche.avant & (1 << profil) != 0 {
                t.vus[rang].insert(touche.rang);
            }
        }
        t
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modele::TypeFhir;

    #[test]
    fn a_row_seen_once_counts_as_seen() {
        let touche =
            |numero, rang, avant, pour| Touche { numero, type_fhir: TypeFhir::Location, rang, avant, pour };
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
        assert_eq!((rangs(&t.rangs), rangs(&t.vus)), (vec![7, 8], vec![7]));
    }
}
