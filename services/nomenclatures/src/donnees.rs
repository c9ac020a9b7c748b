//! The lists shipped with the program.

use std::collections::HashMap;

use ror_proto::nomenclatures::v1::{Nomenclature, Sorte};

use crate::{
    domaine::normaliser,
    formats::{Lecture, resoudre, tsv},
};

const NOS: &str = include_str!("../data/nos.tsv");
const COMMUNES: &str = include_str!("../data/communes.tsv");

/// The lists shipped with the program, code systems before the value sets that use them.
pub fn embarquees() -> Result<Vec<Nomenclature>, String> {
    let mut l = Lecture::default();
    for texte in [NOS, COMMUNES] {
        let lue = tsv::lire(texte.as_bytes());
        l.nomenclatures.extend(lue.nomenclatures);
        l.fautes.extend(lue.fautes);
    }
    resoudre(&mut l, &HashMap::new());
    if let Some(f) = l.fautes.first() {
        return Err(format!("{} : {} ({} fautes)", f.element, f.message, l.fautes.len()));
    }
    // Stable: in the order of the files.
    l.nomenclatures.sort_by_key(|n| n.sorte() != Sorte::Tre);
    Ok(l.nomenclatures.into_iter().map(normaliser).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::regles::valider;
    use ror_domaine::liaisons;

    #[test]
    fn the_lists_shipped_are_sound() {
        let listes = embarquees().unwrap();
        for n in &listes {
            let fautes = valider(n);
            assert!(fautes.is_empty(), "{} : {:?}", n.nom, fautes.first());
        }
        let communes = listes.iter().find(|n| n.canonique == liaisons::TRE_COMMUNE).unwrap();
        assert!(communes.concepts.len() > 34_000);
        let activites =
            listes.iter().find(|n| n.canonique == liaisons::ACTIVITE_OPERATIONNELLE.canonique).unwrap();
        assert!(activites.complete && activites.concepts.iter().all(|c| !c.libelle.is_empty()));
        let premier_jeu = listes.iter().position(|n| n.sorte() == Sorte::Jdv).unwrap();
        assert!(listes[premier_jeu..].iter().all(|n| n.sorte() == Sorte::Jdv), "code systems first");
    }
}
