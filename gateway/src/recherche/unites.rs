//! Units of quantities: converted within their kind, else equal by their code.

use super::arbre::{Nombre, Prefixe, exact};

/// Kinds of quantity whose units convert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// In minutes.
    Temps,
    /// In milligrams.
    Masse,
    /// In millimetres.
    Longueur,
}

/// What a unit measures, and how many of the smallest unit of its kind it is: whole, so that
/// converting is exact. Years and months are those of UCUM: 365.25 and 30.4375 days.
fn facteur(unite: &str) -> Option<(Dimension, i128)> {
    Some(match unite {
        "a" => (Dimension::Temps, 525_960),
        "mo" => (Dimension::Temps, 43_830),
        "wk" => (Dimension::Temps, 10_080),
        "d" => (Dimension::Temps, 1_440),
        "h" => (Dimension::Temps, 60),
        "min" => (Dimension::Temps, 1),
        "t" => (Dimension::Masse, 1_000_000_000),
        "kg" => (Dimension::Masse, 1_000_000),
        "g" => (Dimension::Masse, 1_000),
        "mg" => (Dimension::Masse, 1),
        "km" => (Dimension::Longueur, 1_000_000),
        "m" => (Dimension::Longueur, 1_000),
        "cm" => (Dimension::Longueur, 10),
        "mm" => (Dimension::Longueur, 1),
        _ => return None,
    })
}

/// The value in the smallest unit of its kind, at the tenth decimal; `None` for a unit that converts
/// to no other.
pub fn canonique(valeur: f64, unite: &str) -> Option<(Dimension, i128)> {
    facteur(unite).map(|(dimension, facteur)| (dimension, exact(valeur) * facteur))
}

/// What orders quantities: equal ones give the same number, whatever their units.
pub fn ordre(valeur: f64, unite: &str) -> f64 {
    canonique(valeur, unite).map_or_else(|| exact(valeur), |(_, v)| v) as f64
}

/// Whether a value of the directory satisfies a prefix and a number asked, each with its unit;
/// values that do not compare satisfy nothing.
pub fn verifie(p: Prefixe, n: Nombre, demandee: Option<&str>, valeur: f64, unite: &str) -> bool {
    let demandee = demandee.unwrap_or_default();
    if demandee.is_empty() || unite.is_empty() || demandee == unite {
        return n.verifie(p, valeur);
    }
    match (facteur(demandee), facteur(unite)) {
        (Some((a, f)), Some((b, g))) if a == b => n.verifie_entre(p, f, valeur, g),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_convert_exactly() {
        for (valeur, unite, jours) in [
            (1.0, "a", 365.25),
            (1.0, "mo", 30.4375),
            (2.0, "wk", 14.0),
            (48.0, "h", 2.0),
            (1440.0, "min", 1.0),
        ] {
            assert_eq!(canonique(valeur, unite), canonique(jours, "d"), "{unite}");
        }
        assert_eq!(canonique(18.0, "a"), canonique(216.0, "mo"));
        assert_eq!(canonique(0.2, "t"), canonique(200.0, "kg"));
        assert_eq!(canonique(1.0, "m"), canonique(100.0, "cm"));
        assert_eq!(canonique(1.0, "kg").map(|(d, _)| d), Some(Dimension::Masse));
        assert_eq!(canonique(1.0, "[lb_av]"), None);
    }

    #[test]
    fn units_of_a_kind_convert_and_others_match_by_code() {
        let n = |valeur, demi| Nombre { valeur, demi };
        assert!(verifie(Prefixe::Le, n(35.0, 0.5), Some("a"), 420.0, "mo"), "35 years are 420 months");
        assert!(!verifie(Prefixe::Lt, n(35.0, 0.5), Some("a"), 420.0, "mo"));
        assert!(verifie(Prefixe::Ge, n(200.0, 0.5), Some("kg"), 0.25, "t"));
        assert!(verifie(Prefixe::Eq, n(3.0, 0.5), Some("[iU]"), 3.0, "[iU]"));
        assert!(
            !verifie(Prefixe::Ne, n(3.0, 0.5), Some("[iU]"), 4.0, "kg"),
            "what does not compare never holds"
        );
        assert!(verifie(Prefixe::Gt, n(3.0, 0.5), None, 4.0, "kg"));
    }

    #[test]
    fn bounds_stay_exact_between_units() {
        let n = |valeur, demi| Nombre { valeur, demi };
        assert!(verifie(Prefixe::Eq, n(60.1, 0.05), Some("kg"), 60_050.0, "g"));
        assert!(!verifie(Prefixe::Eq, n(0.8, 0.05), Some("m"), 85.0, "cm"));
        assert!(verifie(Prefixe::Ap, n(13.0, 0.5), Some("t"), 14_300.0, "kg"));
        assert_eq!(ordre(12.1, "a"), ordre(145.2, "mo"));
        assert!(ordre(3.0, "mo") < ordre(1.0, "a") && ordre(2.0, "[iU]") < ordre(3.0, "[iU]"));
    }
}
