//! Numbers and quantities, exact: decimals are integers of ten decimal places, so that a bound is
//! never a matter of rounding.

use super::dates::Prefixe;

/// One, in the integers numbers are kept as.
pub const UN: i128 = 10_000_000_000;
const DECIMALES: i32 = 10;

/// A searched number and half of the unit of its last digit: `12.5` is 12.5 ± 0.05.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nombre {
    pub valeur: i128,
    pub demi: i128,
}

/// The value of a decimal; at most ten places.
pub fn exact(texte: &str) -> Option<i128> {
    let (chiffres, rang) = decouper(texte)?;
    chiffres.checked_mul(puissance(rang)?)
}

/// A number as it is searched.
pub fn lire(texte: &str) -> Option<Nombre> {
    let (_, rang) = decouper(texte)?;
    Some(Nombre { valeur: exact(texte)?, demi: puissance(rang)? / 2 })
}

/// The digits of a decimal, and the power of ten of the last one.
fn decouper(texte: &str) -> Option<(i128, i32)> {
    let (mantisse, exposant) = texte.split_once(['e', 'E']).unwrap_or((texte, "0"));
    let (entier, fraction) = mantisse.split_once('.').unwrap_or((mantisse, ""));
    let chiffres = format!("{entier}{fraction}").parse().ok()?;
    Some((chiffres, exposant.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?))
}

/// A power of ten, in the integers numbers are kept as.
fn puissance(rang: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(rang + DECIMALES).ok()?)
}

/// The shortest decimal of a value.
pub fn ecrire(valeur: i128) -> String {
    let signe = if valeur < 0 { "-" } else { "" };
    let absolue = valeur.abs();
    let fraction = format!("{:010}", absolue % UN);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{signe}{}{point}{fraction}", absolue / UN)
}

/// The same with that power of ten told apart; none when it has other digits.
pub fn ecrire_avec_exposant(valeur: i128, exposant: i32) -> Option<String> {
    let facteur = puissance(exposant)?;
    let mantisse = valeur.checked_mul(UN)?;
    (mantisse % facteur == 0).then(|| format!("{}e{exposant}", ecrire(mantisse / facteur)))
}

/// Whether a value satisfies a prefix.
pub fn tient(prefixe: Prefixe, voulu: Nombre, valeur: i128) -> bool {
    let eq = voulu.valeur - voulu.demi <= valeur && valeur < voulu.valeur + voulu.demi;
    match prefixe {
        Prefixe::Eq | Prefixe::Po => eq,
        Prefixe::Ne => !eq,
        Prefixe::Gt | Prefixe::Sa => valeur > voulu.valeur,
        Prefixe::Ge => valeur >= voulu.valeur,
        Prefixe::Lt | Prefixe::Eb => valeur < voulu.valeur,
        Prefixe::Le => valeur <= voulu.valeur,
        Prefixe::Ap => (valeur - voulu.valeur).abs() * 10 <= voulu.valeur.abs(),
    }
}

/// What a unit measures, and how many of the smallest unit it is.
pub fn unite(code: &str) -> Option<(&'static str, i128)> {
    Some(match code {
        "a" => ("temps", 525_960),
        "mo" => ("temps", 43_830),
        "wk" => ("temps", 10_080),
        "d" => ("temps", 1_440),
        "h" => ("temps", 60),
        "min" => ("temps", 1),
        "t" => ("masse", 1_000_000_000),
        "kg" => ("masse", 1_000_000),
        "g" => ("masse", 1_000),
        "mg" => ("masse", 1),
        "km" => ("longueur", 1_000_000),
        "m" => ("longueur", 1_000),
        "cm" => ("longueur", 10),
        "mm" => ("longueur", 1),
        _ => return None,
    })
}

/// Units of one kind.
pub fn unites_de(nature: &str) -> &'static [&'static str] {
    match nature {
        "temps" => &["a", "mo", "wk", "d", "h", "min"],
        "masse" => &["t", "kg", "g", "mg"],
        "longueur" => &["km", "m", "cm", "mm"],
        _ => &[],
    }
}

/// Whether a quantity satisfies a prefix. Without a unit on either side numbers compare; units of
/// two kinds do not, and satisfy nothing, `ne` included.
pub fn quantite_tient(
    prefixe: Prefixe,
    voulu: Nombre,
    unite_voulue: Option<&str>,
    valeur: i128,
    unite_valeur: &str,
) -> bool {
    let code = unite_voulue.unwrap_or_default();
    if code.is_empty() || unite_valeur.is_empty() {
        return tient(prefixe, voulu, valeur);
    }
    match (unite(code), unite(unite_valeur)) {
        (Some((n1, f1)), Some((n2, f2))) if n1 == n2 => {
            let converti = Nombre { valeur: voulu.valeur * f1, demi: voulu.demi * f1 };
            tient(prefixe, converti, valeur * f2)
        }
        _ => code == unite_valeur && tient(prefixe, voulu, valeur),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn va(prefixe: Prefixe, voulu: &str, valeur: &str) -> bool {
        tient(prefixe, lire(voulu).unwrap(), exact(valeur).unwrap())
    }

    #[test]
    fn decimals_are_exact_and_round_trip() {
        for texte in ["0", "12.5", "-3.25", "100", "0.05", "65.55"] {
            assert_eq!(ecrire(exact(texte).unwrap()), texte);
        }
        assert_eq!(exact("1e2"), exact("100"));
        assert_eq!(exact("-12.5e-1"), exact("-1.25"));
        assert_eq!(exact("x"), None);
        assert_eq!(lire("1e2").unwrap().demi, exact("50").unwrap());
        assert_eq!(lire("12e-1").unwrap(), lire("1.2").unwrap());
        assert_eq!(ecrire_avec_exposant(exact("120").unwrap(), 1).as_deref(), Some("12e1"));
        assert_eq!(ecrire_avec_exposant(exact("1.2").unwrap(), -1).as_deref(), Some("12e-1"));
        assert_eq!(ecrire_avec_exposant(exact("125").unwrap(), 2).as_deref(), Some("1.25e2"));
        assert_eq!(lire("12.50").unwrap().demi, exact("0.005").unwrap());
    }

    #[test]
    fn equality_has_the_precision_as_written() {
        assert!(va(Prefixe::Eq, "12.5", "12.45") && !va(Prefixe::Eq, "12.5", "12.55"));
        assert!(va(Prefixe::Eq, "100", "99.5") && !va(Prefixe::Eq, "100", "100.5"));
        assert!(!va(Prefixe::Eq, "100.0", "99.5") && va(Prefixe::Ne, "100.0", "99.5"));
        assert!(!va(Prefixe::Gt, "100", "100") && va(Prefixe::Gt, "100", "100.1"));
        assert!(va(Prefixe::Ge, "100", "100") && va(Prefixe::Le, "100", "100"));
        assert!(va(Prefixe::Sa, "1", "2") && va(Prefixe::Eb, "1", "0.9") && va(Prefixe::Lt, "1", "0.9"));
        assert!(va(Prefixe::Ap, "30", "33") && !va(Prefixe::Ap, "30", "33.1") && va(Prefixe::Ap, "30", "27"));
    }

    #[test]
    fn quantities_convert_within_their_kind_with_their_precision() {
        let va = |p, voulu: &str, unite, valeur: &str, stockee: &str| {
            quantite_tient(p, lire(voulu).unwrap(), unite, exact(valeur).unwrap(), stockee)
        };
        assert!(va(Prefixe::Eq, "35", Some("a"), "420", "mo"));
        assert!(
            va(Prefixe::Eq, "35", Some("a"), "415", "mo") && !va(Prefixe::Eq, "35", Some("a"), "413", "mo")
        );
        assert!(
            va(Prefixe::Ge, "0.25", Some("t"), "250", "kg")
                && !va(Prefixe::Gt, "0.25", Some("t"), "250", "kg")
        );
        assert!(!va(Prefixe::Eq, "70", Some("kg"), "70", "cm"));
        assert!(!va(Prefixe::Ne, "70", Some("kg"), "70", "cm") && !va(Prefixe::Lt, "1", Some("a"), "0", "m"));
        assert!(
            va(Prefixe::Ne, "70", Some("m"), "70", "cm") && !va(Prefixe::Ne, "0.7", Some("m"), "70", "cm")
        );
        assert!(va(Prefixe::Eq, "70", None, "70", "cm") && va(Prefixe::Eq, "70", Some("kg"), "70", ""));
        assert!(
            va(Prefixe::Eq, "3", Some("[iU]"), "3", "[iU]") && !va(Prefixe::Eq, "3", Some("[iU]"), "3", "kg")
        );
    }
}
