//! Invented names. Persons are random pairs of common names; structures bear
//! names of places that do not exist.

use crate::listes::{MAISONS, NOMS, PAYS, PRENOMS_F, PRENOMS_M, TYPES_VOIE, VOIES};
use crate::prng::Prng;

/// A street address.
#[derive(Debug, Clone)]
pub struct Voie {
    /// Number in the street.
    pub numero: u64,
    /// Abbreviated kind of street.
    pub abrege: &'static str,
    /// Kind of street.
    pub genre: &'static str,
    /// Name of the street, without its kind.
    pub nom: &'static str,
}

impl Voie {
    /// Kind and name, upper case: what follows the number.
    pub fn libelle(&self) -> String {
        format!("{} {}", self.genre.to_uppercase(), self.nom).replace('É', "E")
    }

    /// The whole line.
    pub fn ligne(&self) -> String {
        format!("{} {}", self.numero, self.libelle())
    }
}

/// An invented street address.
pub fn voie(prng: &mut Prng) -> Voie {
    let (abrege, genre) = TYPES_VOIE[prng.indice(TYPES_VOIE.len())];
    Voie { numero: prng.entre(1, 180), abrege, genre, nom: prng.mot(&VOIES) }
}

/// An invented name of structure, e.g. `LES TILLEULS DE MONTBRUME`.
pub fn maison(prng: &mut Prng) -> String {
    let maison = prng.mot(&MAISONS);
    let pays = prng.mot(&PAYS);
    format!("{maison} DE {pays}")
}

/// An invented person: first name, name, true for a woman.
pub fn personne(prng: &mut Prng) -> (String, String, bool) {
    let femme = prng.chance(620);
    let prenom = prng.mot(if femme { &PRENOMS_F } else { &PRENOMS_M });
    let mut nom = prng.mot(&NOMS).to_owned();
    if prng.chance(60) {
        nom = format!("{nom}-{}", prng.mot(&NOMS));
    }
    (prenom.to_owned(), nom, femme)
}

/// A landline number of the range reserved for fiction in the region.
pub fn telephone(prng: &mut Prng, region: &str) -> String {
    let prefixe = if region == "52" { "026191" } else { "046571" };
    format!("{prefixe}{:04}", prng.borne(10_000))
}

/// A landline number of the range reserved for fiction in the zone of any region.
pub fn telephone_zone(prng: &mut Prng, region: &str) -> String {
    let prefixe = match region {
        "28" | "52" | "53" | "24" => "026191",
        "32" | "44" | "27" => "035301",
        "84" | "93" | "94" => "046571",
        "75" | "76" => "053649",
        _ => "019900",
    };
    format!("{prefixe}{:04}", prng.borne(10_000))
}

/// A mobile number of the range reserved for fiction.
pub fn mobile(prng: &mut Prng) -> String {
    format!("063998{:04}", prng.borne(10_000))
}

/// At most `longueur` characters.
pub fn tronquer(texte: &str, longueur: usize) -> String {
    let court: String = texte.chars().take(longueur).collect();
    court.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_the_ranges_for_fiction() {
        let mut prng = Prng::nouveau(1, "noms");
        for _ in 0..50 {
            assert!(telephone(&mut prng, "52").starts_with("026191"));
            assert!(telephone(&mut prng, "84").starts_with("046571"));
            let m = mobile(&mut prng);
            assert!(m.starts_with("063998") && m.len() == 10);
        }
    }

    #[test]
    fn names_are_never_empty() {
        let mut prng = Prng::nouveau(2, "noms");
        for _ in 0..50 {
            let (prenom, nom, _) = personne(&mut prng);
            assert!(!prenom.is_empty() && !nom.is_empty());
            assert!(maison(&mut prng).contains(" DE "));
            assert!(!voie(&mut prng).ligne().contains('É'));
        }
        assert_eq!(tronquer("ÉTÉ LONG", 4), "ÉTÉ");
    }
}
