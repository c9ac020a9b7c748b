//! The lists shipped with the program, and the tabulated form they have.
//!
//! `@` opens a nomenclature (kind, name, canonical, OID, version, first day, complete);
//! `$` names the code system of the lines that follow, in a value set; any other line
//! is a code (code, label, status, first day, last day). `#` starts a comment. The
//! labels a value set does not repeat are taken from its code systems.

use std::collections::HashMap;

use ror_chassis::erreur::faute;
use ror_proto::{
    common::v1::Faute,
    nomenclatures::v1::{Concept, Nomenclature, Sorte},
};

use crate::domaine::{RETIRE, normaliser};

const NOS: &str = include_str!("../data/nos.tsv");
const COMMUNES: &str = include_str!("../data/communes.tsv");

/// The lists shipped with the program, code systems before the value sets that use them.
pub fn embarquees() -> Result<Vec<Nomenclature>, String> {
    let mut listes = Vec::new();
    let mut fautes = Vec::new();
    for texte in [NOS, COMMUNES] {
        lire(texte, &mut listes, &mut fautes);
    }
    if let Some(f) = fautes.first() {
        return Err(format!("{} : {} ({} fautes)", f.element, f.message, fautes.len()));
    }
    Ok(achever(listes))
}

/// Reads tabulated nomenclatures, or tells every faulty line.
pub fn lire_tsv(texte: &str) -> Result<Vec<Nomenclature>, Vec<Faute>> {
    let mut listes = Vec::new();
    let mut fautes = Vec::new();
    lire(texte, &mut listes, &mut fautes);
    if fautes.is_empty() { Ok(achever(listes)) } else { Err(fautes) }
}

fn lire(texte: &str, listes: &mut Vec<Nomenclature>, fautes: &mut Vec<Faute>) {
    let mut systeme = "";
    let debut = listes.len();
    for (rang, ligne) in texte.trim_start_matches('\u{feff}').lines().enumerate() {
        let ligne = ligne.trim_end_matches('\r');
        if ligne.trim().is_empty() || ligne.starts_with('#') {
            continue;
        }
        let mut refuser = |regle: &str, message: String, attendu: &str| {
            fautes.push(faute(&format!("ligne {}", rang + 1), regle, message, attendu));
        };
        let champs: Vec<&str> = ligne.split('\t').map(str::trim).collect();
        let champ = |i: usize| champs.get(i).copied().unwrap_or_default();
        match champ(0) {
            "@" => {
                systeme = "";
                let sorte = match champ(1) {
                    "TRE" => Sorte::Tre,
                    "JDV" => Sorte::Jdv,
                    autre => {
                        refuser("sorte", format!("Sorte « {autre} » inconnue."), "TRE ou JDV");
                        Sorte::Unspecified
                    }
                };
                let complete = match champ(7) {
                    "0" => false,
                    "1" => true,
                    autre => {
                        refuser(
                            "complete",
                            format!("« {autre} » ne dit pas si la liste est complète."),
                            "0 ou 1",
                        );
                        false
                    }
                };
                listes.push(Nomenclature {
                    sorte: sorte as i32,
                    nom: champ(2).to_owned(),
                    canonique: champ(3).to_owned(),
                    oid: champ(4).to_owned(),
                    version: champ(5).to_owned(),
                    valide_du: champ(6).to_owned(),
                    complete,
                    ..Default::default()
                });
            }
            "$" => {
                systeme = champ(1);
                if systeme.is_empty() {
                    refuser("systeme", "Le système manque.".to_owned(), "$ puis le canonique d'une TRE");
                }
            }
            "" => refuser("code", "Le code manque.".to_owned(), "un code en première colonne"),
            code => {
                let Some(n) = listes[debut..].last_mut() else {
                    refuser(
                        "ordre",
                        "Un code précède la première nomenclature.".to_owned(),
                        "une ligne @ d'abord",
                    );
                    continue;
                };
                if n.sorte() == Sorte::Jdv && systeme.is_empty() {
                    refuser(
                        "systeme",
                        format!("Le code « {code} » n'a pas de système."),
                        "une ligne $ avant lui",
                    );
                }
                n.concepts.push(Concept {
                    systeme: systeme.to_owned(),
                    code: code.to_owned(),
                    libelle: champ(1).to_owned(),
                    statut: statut(champ(2)).to_owned(),
                    valide_du: champ(3).to_owned(),
                    valide_au: champ(4).to_owned(),
                });
            }
        }
    }
}

/// An inactive code is refused on new entries, as a retired one.
fn statut(publie: &str) -> &str {
    if publie == "inactive" { RETIRE } else { publie }
}

fn achever(listes: Vec<Nomenclature>) -> Vec<Nomenclature> {
    let (tre, jdv): (Vec<_>, Vec<_>) = listes.into_iter().partition(|n| n.sorte() == Sorte::Tre);
    let libelles: HashMap<(&str, &str), &str> = tre
        .iter()
        .flat_map(|n| {
            n.concepts.iter().map(|c| ((n.canonique.as_str(), c.code.as_str()), c.libelle.as_str()))
        })
        .collect();
    let jdv: Vec<Nomenclature> = jdv
        .into_iter()
        .map(|mut n| {
            for c in n.concepts.iter_mut().filter(|c| c.libelle.is_empty()) {
                if let Some(l) = libelles.get(&(c.systeme.as_str(), c.code.as_str())) {
                    c.libelle = (*l).to_owned();
                }
            }
            n
        })
        .collect();
    drop(libelles);
    tre.into_iter().chain(jdv).map(normaliser).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::valider;
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
    }

    #[test]
    fn a_value_set_takes_its_labels_from_its_code_systems() {
        let texte = "# essai\n@\tJDV\tJ\turn:j\t1.2\tv\t2020-01-01\t1\n$\turn:t\n01\n\
                     @\tTRE\tT\turn:t\t\t\t\t0\n01\tUn\tinactive\n02\tDeux\t\t2015-04-08\t2018-01-26\n";
        let listes = lire_tsv(texte).unwrap();
        assert_eq!(listes.iter().map(|n| n.nom.as_str()).collect::<Vec<_>>(), ["T", "J"]);
        let (t, j) = (&listes[0], &listes[1]);
        assert_eq!((j.concepts[0].systeme.as_str(), j.concepts[0].libelle.as_str()), ("urn:t", "Un"));
        assert_eq!((t.concepts[0].statut.as_str(), t.concepts[1].valide_au.as_str()), (RETIRE, "2018-01-26"));
        assert_eq!((j.oid.as_str(), j.valide_du.as_str(), j.complete), ("1.2", "2020-01-01", true));
    }

    #[test]
    fn every_faulty_line_is_told() {
        let fautes =
            lire_tsv("01\tUn\n@\tXXX\tN\turn:n\t\t\t\t\n@\tJDV\tJ\turn:j\t\t\t\t1\n02\n\tsans code\n")
                .unwrap_err();
        let lignes: Vec<_> = fautes.iter().map(|f| f.element.as_str()).collect();
        assert_eq!(lignes, ["ligne 1", "ligne 2", "ligne 2", "ligne 4", "ligne 5"]);
    }
}
