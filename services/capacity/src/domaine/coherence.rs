//! Hard rules between the records of one place, taken from the DIVI register: for each
//! nature and for the present moment, what is used and free fits in what is open.
//!
//! They hold only where the installed count is known: unknown is not zero.

use std::collections::BTreeMap;

use ror_proto::capacity::v1::EnregistrementCapacite;

use super::indicateurs::{COURANT, DISPONIBLE, FERME, INSTALLE, OCCUPE, RESERVE, SUPPLEMENTAIRE};

/// The kind of supplementary bed that is in use now.
const MOBILISE: &str = "01";

/// Two counts that cannot both be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoherence {
    /// Stable rule id.
    pub regle: &'static str,
    /// French sentence with the counts.
    pub message: String,
    /// What would be accepted.
    pub attendu: &'static str,
}

#[derive(Default)]
struct Bilan {
    installes: Option<u64>,
    disponibles: u64,
    occupes: u64,
    reserves: u64,
    fermes: u64,
    mobilises: u64,
}

/// Every incoherence of the set.
pub fn incoherences(enregistrements: &[EnregistrementCapacite]) -> Vec<Incoherence> {
    let mut natures: BTreeMap<&str, Bilan> = BTreeMap::new();
    for e in enregistrements {
        let Some(cle) = e.cle.as_ref().filter(|c| c.temporalite == COURANT) else { continue };
        let b = natures.entry(&e.nature).or_default();
        let n = u64::from(e.nombre);
        match cle.statut.as_str() {
            INSTALLE => b.installes = Some(b.installes.unwrap_or(0) + n),
            DISPONIBLE => b.disponibles += n,
            OCCUPE => b.occupes += n,
            RESERVE => b.reserves += n,
            FERME => b.fermes += n,
            SUPPLEMENTAIRE if cle.type_lit_supplementaire == MOBILISE => b.mobilises += n,
            _ => {}
        }
    }
    natures.iter().flat_map(|(nature, b)| b.incoherences(nature)).collect()
}

impl Bilan {
    fn incoherences(&self, nature: &str) -> Vec<Incoherence> {
        let Some(installes) = self.installes else { return Vec::new() };
        let mut trouvees = Vec::new();
        if self.fermes > installes {
            trouvees.push(Incoherence {
                regle: "fermes-superieurs-aux-installes",
                message: format!("Nature {nature} : {} fermés pour {installes} installés.", self.fermes),
                attendu: "au plus autant de fermés que d'installés",
            });
        }
        let pris = self.disponibles + self.occupes + self.reserves;
        let ouverts = installes.saturating_sub(self.fermes) + self.mobilises;
        if pris > ouverts {
            trouvees.push(Incoherence {
                regle: "capacite-depassee",
                message: format!(
                    "Nature {nature} : {} disponibles, {} occupés et {} réservés font {pris}, plus que les {ouverts} ouverts \
                     ({installes} installés, {} fermés, {} supplémentaires mobilisés).",
                    self.disponibles, self.occupes, self.reserves, self.fermes, self.mobilises
                ),
                attendu: "disponibles + occupés + réservés ≤ installés − fermés + supplémentaires mobilisés",
            });
        }
        trouvees
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::tests::{cle, record};

    fn regles(e: &[EnregistrementCapacite]) -> Vec<&'static str> {
        incoherences(e).iter().map(|i| i.regle).collect()
    }

    #[test]
    fn what_is_used_and_free_fits_in_what_is_open() {
        let mut femmes = cle("02");
        femmes.genre = "01".into();
        let mut set = vec![
            record(cle("01"), 10),
            record(cle("05"), 2),
            record(cle("02"), 3),
            record(femmes, 2),
            record(cle("03"), 3),
        ];
        assert!(regles(&set).is_empty());
        set[4].nombre = 4;
        assert_eq!(regles(&set), ["capacite-depassee"]);
        let mut mobilise = cle("06");
        mobilise.type_lit_supplementaire = "01".into();
        set.push(record(mobilise, 1));
        assert!(regles(&set).is_empty(), "a mobilised bed opens room");
        set[1].nombre = 11;
        assert_eq!(regles(&set), ["fermes-superieurs-aux-installes", "capacite-depassee"]);
    }

    #[test]
    fn unknown_is_not_zero_and_a_forecast_is_not_the_present() {
        assert!(regles(&[record(cle("02"), 50)]).is_empty());
        let mut demain = cle("02");
        demain.temporalite = "03".into();
        assert!(regles(&[record(cle("01"), 1), record(demain, 50)]).is_empty());
        let mut places = record(cle("02"), 50);
        places.nature = "02".into();
        assert!(regles(&[record(cle("01"), 1), places]).is_empty(), "beds and places are counted apart");
    }
}
