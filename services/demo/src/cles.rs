//! Check digits and the reserved ranges of invented numbers.

/// Luhn key to append to `chiffres` (FINESS letters A and B count 1 and 2).
pub fn cle_luhn(chiffres: &str) -> u8 {
    let mut somme: u32 = 0;
    for (rang, c) in chiffres.bytes().rev().enumerate() {
        let v = valeur(c);
        somme += if rang.is_multiple_of(2) { double(v) } else { v };
    }
    ((10 - somme % 10) % 10) as u8
}

fn valeur(c: u8) -> u32 {
    match c {
        b'0'..=b'9' => u32::from(c - b'0'),
        b'A' => 1,
        b'B' => 2,
        _ => 0,
    }
}

fn double(v: u32) -> u32 {
    if v > 4 { 2 * v - 9 } else { 2 * v }
}

/// True when the last character is the Luhn key of the others.
pub fn luhn_valide(numero: &str) -> bool {
    match numero.split_at_checked(numero.len().saturating_sub(1)) {
        Some((corps, cle)) if !corps.is_empty() => cle_luhn(corps).to_string() == cle,
        _ => false,
    }
}

fn avec_cle(corps: String) -> String {
    let cle = cle_luhn(&corps);
    format!("{corps}{cle}")
}

/// FINESS number of the range 9xxxxx of a département (`rang` below 100 000).
pub fn finess(departement: &str, rang: u64) -> String {
    avec_cle(format!("{departement}9{:05}", rang % 100_000))
}

/// FINESS number of the range 99xx of an overseas prefix of four digits (`rang`
/// below 100).
pub fn finess_outremer(prefixe: &str, rang: u64) -> String {
    avec_cle(format!("{prefixe}99{:02}", rang % 100))
}

/// SIREN of the invented range 99….
pub fn siren(rang: u64) -> String {
    avec_cle(format!("99{:06}", rang % 1_000_000))
}

/// SIRET of the `rang`-th site of a SIREN.
pub fn siret(siren: &str, rang: u64) -> String {
    avec_cle(format!("{siren}{:04}", rang % 10_000))
}

/// RPPS number of the reserved range 1099….
pub fn rpps(rang: u64) -> String {
    avec_cle(format!("1099{:06}", rang % 1_000_000))
}

/// RPPS number of the ranges 1099…, then 1098…: a million each. No real number
/// begins so.
pub fn rpps_national(rang: u64) -> String {
    let serie = 1099_u64.saturating_sub(rang / 1_000_000);
    avec_cle(format!("{serie:04}{:06}", rang % 1_000_000))
}

/// Cabinet number of a professional (RPPS-rang: RPPS, order 00, key).
pub fn rpps_rang(rpps: &str) -> String {
    rpps_rang_numero(rpps, 0)
}

/// Number of the `ordre`-th cabinet of a professional.
pub fn rpps_rang_numero(rpps: &str, ordre: u64) -> String {
    avec_cle(format!("{rpps}{:02}", ordre % 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        for n in ["010000024", "750712184", "2A0000014", "2B0000020", "970100400"] {
            assert!(luhn_valide(n), "{n}");
        }
        for n in ["10990000019", "990001018", "99000101800128", "259001238"] {
            assert!(luhn_valide(n), "{n}");
        }
        for n in ["010000025", "10990000012", "", "7"] {
            assert!(!luhn_valide(n), "{n}");
        }
    }

    #[test]
    fn invented_numbers_are_well_formed() {
        assert_eq!(rpps(1), "10990000019");
        assert_eq!(rpps_national(1), rpps(1));
        assert!(rpps_national(1_000_000).starts_with("1098000000"));
        let o = finess_outremer("9704", 7);
        assert!(o.len() == 9 && o.starts_with("97049907") && luhn_valide(&o));
        let f = finess("44", 12);
        assert_eq!(f.len(), 9);
        assert!(f.starts_with("449") && luhn_valide(&f));
        let s = siren(345);
        assert!(s.len() == 9 && s.starts_with("99") && luhn_valide(&s));
        let t = siret(&s, 3);
        assert!(t.len() == 14 && luhn_valide(&t));
        let r = rpps_rang(&rpps(8));
        assert!(r.len() == 14 && luhn_valide(&r));
    }
}
