//! Invented contacts of the three confidentiality levels.

use crate::fhir::Contact;
use crate::noms;
use crate::prng::Prng;

/// A word of an e-mail address: lower case letters and digits only.
fn mot_courriel(texte: &str) -> String {
    let mut resultat = String::with_capacity(texte.len());
    for c in texte.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' => resultat.push(c),
            'à' | 'â' | 'ä' => resultat.push('a'),
            'é' | 'è' | 'ê' | 'ë' => resultat.push('e'),
            'î' | 'ï' => resultat.push('i'),
            'ô' | 'ö' => resultat.push('o'),
            'ù' | 'û' | 'ü' => resultat.push('u'),
            'ç' => resultat.push('c'),
            ' ' | '-' | '\'' if !resultat.ends_with('-') => resultat.push('-'),
            _ => {}
        }
    }
    resultat
}

fn nommee(prng: &mut Prng) -> (Option<(String, String)>, String) {
    let (prenom, nom, _) = noms::personne(prng);
    let courriel = format!("{}.{}@exemple.invalid", mot_courriel(&prenom), mot_courriel(&nom));
    (Some((prenom, nom)), courriel)
}

/// Contacts of an offer; those of a sensitive one are all of level 3.
pub fn offre(prng: &mut Prng, champ: &str, sensible: bool, region: &str) -> Vec<Contact> {
    let niveau = |ordinaire: &'static str| if sensible { "3" } else { ordinaire };
    let standard = noms::telephone(prng, region);
    let mut resultat = vec![Contact {
        nom: None,
        fonction: "",
        nature: if champ == "05" { "02" } else { "07" },
        niveau: niveau("1"),
        telecoms: vec![("2", standard)],
    }];
    if prng.chance(500) {
        let (nom, courriel) = nommee(prng);
        let (fonction, nature) = match champ {
            "04" => ("01", "10"),
            "05" => ("05", "07"),
            _ => ("03", "05"),
        };
        resultat.push(Contact {
            nom,
            fonction,
            nature,
            niveau: niveau("2"),
            telecoms: vec![("3", courriel), ("2", noms::telephone(prng, region))],
        });
    }
    if matches!(champ, "01" | "02" | "03") && prng.chance(350) {
        let (nom, _) = nommee(prng);
        resultat.push(Contact {
            nom,
            fonction: "10",
            nature: if champ == "01" { "14" } else { "04" },
            niveau: niveau("3"),
            telecoms: vec![("1", noms::mobile(prng))],
        });
    }
    resultat
}

/// Contacts of a site.
pub fn structure(prng: &mut Prng, hospitalier: bool, region: &str) -> Vec<Contact> {
    let standard = noms::telephone(prng, region);
    let (nom, courriel) = nommee(prng);
    let mut resultat = vec![
        Contact { nom: None, fonction: "", nature: "06", niveau: "1", telecoms: vec![("2", standard)] },
        Contact { nom, fonction: "01", nature: "10", niveau: "2", telecoms: vec![("3", courriel)] },
    ];
    if hospitalier {
        let (nom, courriel) = nommee(prng);
        resultat.push(Contact {
            nom,
            fonction: "12",
            nature: "13",
            niveau: "3",
            telecoms: vec![("8", noms::telephone(prng, region)), ("9", courriel)],
        });
    }
    resultat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_of_sensitive_offers_are_very_restricted() {
        let mut prng = Prng::nouveau(4, "contacts");
        for _ in 0..50 {
            for c in offre(&mut prng, "03", true, "84") {
                assert_eq!(c.niveau, "3");
            }
        }
        assert_eq!(mot_courriel("D'ESTREVILLE"), "d-estreville");
        assert_eq!(mot_courriel("Hélène"), "helene");
    }
}
