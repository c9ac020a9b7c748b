//! Our own tabulated form.
//!
//! `@` opens a nomenclature (kind, name, canonical, OID, version, first day, complete,
//! region); `$` names the code system of the lines that follow, in a value set, or the
//! source and target systems, in an association; any other line is a code (code, label,
//! status, first day, last day, libellé court, libellé long) or a pair (source code,
//! target code, equivalence). `#` starts a comment. The labels a value set does not repeat
//! are taken from its code systems.

use ror_proto::nomenclatures::v1::{Association, Concept, Nomenclature, Sorte};

use super::{Lecture, statut};

/// Whether a text is of this form: its first line that is no comment opens a nomenclature.
pub(super) fn reconnait(texte: &str) -> bool {
    let premiere = texte.lines().find(|l| !l.trim().is_empty() && !l.starts_with('#'));
    premiere.is_some_and(|l| l.starts_with("@\t"))
}

/// Reads one file.
pub fn lire(octets: &[u8]) -> Lecture {
    let mut l = Lecture::default();
    let Ok(texte) = std::str::from_utf8(octets) else {
        l.refuser("ligne 1", "encodage", "Le fichier n'est pas en UTF-8.", "un fichier UTF-8");
        return l;
    };
    let mut systemes = (String::new(), String::new());
    for (ligne, rang) in texte.trim_start_matches('\u{feff}').lines().zip(1u32..) {
        let ligne = ligne.trim_end_matches('\r');
        if ligne.trim().is_empty() || ligne.starts_with('#') {
            continue;
        }
        let place = format!("ligne {rang}");
        let champs: Vec<&str> = ligne.split('\t').map(str::trim).collect();
        let champ = |i: usize| champs.get(i).copied().unwrap_or_default();
        match champ(0) {
            "@" => {
                systemes = Default::default();
                let n = en_tete(champ, &place, &mut l);
                l.nomenclatures.push(n);
            }
            "$" if champ(1).is_empty() => {
                l.refuser(&place, "systeme", "Le système manque.", "$ puis le canonique d'une TRE");
            }
            "$" => systemes = (champ(1).to_owned(), champ(2).to_owned()),
            "" => l.refuser(&place, "code", "Le code manque.", "un code en première colonne"),
            code => element(code, champ, &systemes, &place, &mut l),
        }
    }
    l
}

fn en_tete<'a>(champ: impl Fn(usize) -> &'a str, place: &str, l: &mut Lecture) -> Nomenclature {
    let sorte = match champ(1) {
        "TRE" => Sorte::Tre,
        "JDV" => Sorte::Jdv,
        "ASS" => Sorte::Ass,
        autre => {
            l.refuser(place, "sorte", format!("Sorte « {autre} » inconnue."), "TRE, JDV ou ASS");
            Sorte::Unspecified
        }
    };
    let complete = match champ(7) {
        "0" => false,
        "1" => true,
        autre => {
            let message = format!("« {autre} » ne dit pas si la liste est complète.");
            l.refuser(place, "complete", message, "0 ou 1");
            false
        }
    };
    Nomenclature {
        sorte: sorte as i32,
        nom: champ(2).to_owned(),
        canonique: champ(3).to_owned(),
        oid: champ(4).to_owned(),
        version: champ(5).to_owned(),
        valide_du: champ(6).to_owned(),
        complete,
        region: champ(8).to_owned(),
        ..Default::default()
    }
}

fn element<'a>(
    code: &str,
    champ: impl Fn(usize) -> &'a str,
    (systeme, cible): &(String, String),
    place: &str,
    l: &mut Lecture,
) {
    let Some(n) = l.nomenclatures.last_mut() else {
        let message = "Un code précède la première nomenclature.";
        return l.refuser(place, "ordre", message, "une ligne @ d'abord");
    };
    let manque = match n.sorte() {
        Sorte::Jdv => systeme.is_empty(),
        Sorte::Ass => systeme.is_empty() || cible.is_empty(),
        Sorte::Tre | Sorte::Unspecified => false,
    };
    if n.sorte() == Sorte::Ass {
        n.associations.push(Association {
            systeme_source: systeme.clone(),
            code_source: code.to_owned(),
            systeme_cible: cible.clone(),
            code_cible: champ(1).to_owned(),
            equivalence: champ(2).to_owned(),
            commentaire: String::new(),
        });
    } else {
        n.concepts.push(Concept {
            systeme: systeme.clone(),
            code: code.to_owned(),
            libelle: champ(1).to_owned(),
            statut: statut(champ(2)).to_owned(),
            valide_du: champ(3).to_owned(),
            valide_au: champ(4).to_owned(),
            libelle_court: champ(5).to_owned(),
            libelle_long: champ(6).to_owned(),
            ..Default::default()
        });
    }
    if manque {
        l.refuser(
            place,
            "systeme",
            format!("Le code « {code} » n'a pas de système."),
            "une ligne $ avant lui",
        );
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{
        domaine::{RETIRE, normaliser, regles::valider},
        formats::resoudre,
    };

    #[test]
    fn a_value_set_takes_its_labels_from_its_code_systems() {
        let texte = "# essai\n@\tJDV\tJ\turn:j\t1.2\tv\t2020-01-01\t1\n$\turn:t\n01\n\
                     @\tTRE\tRR52-T\turn:t\t\t\t\t0\t52\n01\tUn\tinactive\n02\tDeux\t\t2015-04-08\t2018-01-26\tD\n\
                     @\tASS\tA\turn:a\t\t\t\t1\n$\turn:t\turn:u\n01\tZ\twider\n";
        assert!(reconnait(texte));
        let mut l = lire(texte.as_bytes());
        resoudre(&mut l, &HashMap::new());
        assert!(l.fautes.is_empty(), "{:?}", l.fautes);
        let [j, t, a] = l.nomenclatures.as_slice() else { panic!("{l:?}") };
        assert_eq!((j.concepts[0].systeme.as_str(), j.concepts[0].libelle.as_str()), ("urn:t", "Un"));
        assert_eq!((t.concepts[0].statut.as_str(), t.concepts[1].valide_au.as_str()), (RETIRE, "2018-01-26"));
        assert_eq!((t.region.as_str(), t.concepts[1].libelle_court.as_str()), ("52", "D"));
        assert_eq!((j.oid.as_str(), j.valide_du.as_str(), j.complete), ("1.2", "2020-01-01", true));
        assert_eq!(
            (a.associations[0].systeme_cible.as_str(), a.associations[0].equivalence.as_str()),
            ("urn:u", "wider")
        );
        assert!(l.nomenclatures.iter().all(|n| valider(&normaliser(n.clone())).is_empty()));
    }

    #[test]
    fn every_faulty_line_is_told() {
        let l = lire(b"01\tUn\n@\tXXX\tN\turn:n\t\t\t\t\n@\tJDV\tJ\turn:j\t\t\t\t1\n02\n\tsans code\n$\n");
        let lignes: Vec<_> = l.fautes.iter().map(|f| f.element.as_str()).collect();
        assert_eq!(lignes, ["ligne 1", "ligne 2", "ligne 2", "ligne 4", "ligne 5", "ligne 6"]);
    }
}
