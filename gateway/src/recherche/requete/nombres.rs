//! Numbers, quantities and circles, and the prefix of ordered values.

use super::{
    Rejet, court,
    valeurs::{desechapper, separer},
};
use crate::{
    fhir::canoniques as c,
    modele::normaliser_systeme,
    recherche::{
        arbre::{Centre, Cercle, Nombre, Prefixe},
        communes,
    },
};

/// Prefixes of the query string, and operators of `_filter` of the same name.
pub(crate) const PREFIXES: [(&str, Prefixe); 9] = [
    ("eq", Prefixe::Eq),
    ("ne", Prefixe::Ne),
    ("gt", Prefixe::Gt),
    ("lt", Prefixe::Lt),
    ("ge", Prefixe::Ge),
    ("le", Prefixe::Le),
    ("sa", Prefixe::Sa),
    ("eb", Prefixe::Eb),
    ("ap", Prefixe::Ap),
];
/// Longest decimal that is read.
const CHIFFRES_MAX: usize = 40;
/// Distance when none is given, metres.
const RAYON_M: f64 = 10_000.0;

/// An ordered value after its prefix; `impose`: the prefix is said apart, the value has none.
pub(super) fn ordonne<T>(
    impose: Option<Prefixe>,
    v: &str,
    lire: impl Fn(&str) -> Result<T, Rejet>,
) -> Result<(Prefixe, T), Rejet> {
    let (ecrit, reste) = match v.get(..2) {
        Some(p) if impose.is_none() && p.bytes().all(|b| b.is_ascii_lowercase()) => (p, &v[2..]),
        _ => ("eq", v),
    };
    if let Some((_, prefixe)) = PREFIXES.into_iter().find(|(nom, _)| *nom == ecrit) {
        return lire(reste).map(|lu| (impose.unwrap_or(prefixe), lu));
    }
    // Two letters that are no prefix: the prefix is to blame only when a value follows.
    lire(reste).or_else(|_| lire(v))?;
    let noms: Vec<&str> = PREFIXES.iter().map(|(nom, _)| *nom).collect();
    Err(Rejet::new("value", format!("Le préfixe « {ecrit} » n'existe pas."), noms.join(", ")))
}

pub(super) fn nombre(v: &str) -> Result<Nombre, Rejet> {
    decimal(v).ok_or_else(|| {
        let message = format!("« {} » n'est pas un nombre.", court(v));
        Rejet::new("value", message, "un nombre comme 12 ou 12.5, après un préfixe s'il le faut (ge12)")
    })
}

/// A decimal as FHIR writes it, with the precision its digits say.
fn decimal(v: &str) -> Option<Nombre> {
    if v.len() > CHIFFRES_MAX {
        return None;
    }
    let sans_signe = v.strip_prefix(['-', '+']).unwrap_or(v);
    let (mantisse, exposant) = match sans_signe.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok().filter(|e| (-300..=300).contains(e))?),
        None => (sans_signe, 0),
    };
    let chiffres = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let decimales = match mantisse.split_once('.') {
        Some((entier, fraction)) if chiffres(entier) && chiffres(fraction) => fraction.len(),
        None if chiffres(mantisse) => 0,
        _ => return None,
    };
    let valeur = v.parse::<f64>().ok().filter(|v| v.is_finite())?;
    let derniere = exposant - i32::try_from(decimales).ok()?;
    // Written, so that it is the nearest to the decimal half: 0.05 and not 0.5 / 10.
    let demi = format!("5e{}", derniere - 1).parse().ok()?;
    Some(Nombre { valeur, demi })
}

/// `number`, `number||unit` or `number|system|unit`; the unit's code decides, whatever its system.
pub(super) fn quantite(v: &str) -> Result<(Nombre, Option<String>), Rejet> {
    let attendu = "nombre, nombre||unité ou nombre|http://unitsofmeasure.org|unité, après un préfixe s'il le faut (ge200||kg)";
    let (n, systeme, unite) = match separer(v, '|').as_slice() {
        [n] => (*n, String::new(), String::new()),
        [n, systeme, unite] => (*n, desechapper(systeme), desechapper(unite)),
        _ => {
            let message = format!("« {} » n'est pas une quantité.", court(v));
            return Err(Rejet::new("value", message, attendu));
        }
    };
    let lu = decimal(n)
        .ok_or_else(|| Rejet::new("value", format!("« {} » n'est pas un nombre.", court(n)), attendu))?;
    let normal = normaliser_systeme(&systeme);
    if !normal.is_empty() && normal != c::SYS_UCUM_HTTPS && !normal.contains("R247-UcumUniteMesure") {
        let message = format!("Le système d'unités « {} » est inconnu.", court(&systeme));
        return Err(Rejet::new("code-invalid", message, format!("{} ou {}", c::SYS_UCUM, c::TRE_R247)));
    }
    let unite = unite.trim();
    Ok((lu, (!unite.is_empty()).then(|| unite.to_owned())))
}

/// `latitude|longitude[|distance[|unit]]`.
pub(super) fn autour_d_un_point(v: &str) -> Result<Cercle, Rejet> {
    let attendu = "latitude|longitude|distance|unité, en degrés WGS84 et en km ou m : 47.218|-1.637|15|km";
    let refuser = |quoi: &str| Err(Rejet::new("value", format!("« {} » : {quoi}.", court(v)), attendu));
    let parties = separer(v, '|');
    let [lat, lon, suite @ ..] = parties.as_slice() else {
        return refuser("il faut une latitude et une longitude");
    };
    let degres = |v: &str, max: f64| decimal(v).map(|n| n.valeur).filter(|d| d.abs() <= max);
    let Some(lat) = degres(lat, 90.0) else { return refuser("la latitude n'est pas entre -90 et 90") };
    let Some(lon) = degres(lon, 180.0) else { return refuser("la longitude n'est pas entre -180 et 180") };
    match rayon(suite) {
        Ok(rayon_m) => Ok(Cercle { centre: Centre::Point { lat, lon }, rayon_m }),
        Err(quoi) => refuser(quoi),
    }
}

/// `commune[|distance[|unit]]`.
pub(super) fn autour_d_une_commune(v: &str) -> Result<Cercle, Rejet> {
    let attendu = "code INSEE|distance|unité, en km ou m : 44162|15|km";
    let refuser = |quoi: &str| Err(Rejet::new("value", format!("« {} » : {quoi}.", court(v)), attendu));
    let parties = separer(v, '|');
    let [code, suite @ ..] = parties.as_slice() else { return refuser("le code INSEE manque") };
    let Some(code) = commune(code) else {
        return refuser("ce n'est pas le code INSEE d'une commune, de cinq caractères");
    };
    if std::str::from_utf8(&code).ok().and_then(communes::centre).is_none() {
        return refuser("aucune commune connue ne porte ce code INSEE");
    }
    match rayon(suite) {
        Ok(rayon_m) => Ok(Cercle { centre: Centre::Commune(code), rayon_m }),
        Err(quoi) => refuser(quoi),
    }
}

fn commune(code: &str) -> Option<[u8; 5]> {
    let code: [u8; 5] = code.to_ascii_uppercase().as_bytes().try_into().ok()?;
    let [a, b, reste @ ..] = &code;
    let bon = a.is_ascii_digit()
        && (b.is_ascii_digit() || matches!(b, b'A' | b'B'))
        && reste.iter().all(u8::is_ascii_digit);
    bon.then_some(code)
}

/// Metres of `[distance[, unit]]`.
fn rayon(parties: &[&str]) -> Result<f64, &'static str> {
    let (distance, unite) = match parties {
        [] => ("", ""),
        [d] => (*d, ""),
        [d, u] => (*d, *u),
        _ => return Err("il y a trop de parties"),
    };
    let facteur = match unite {
        "" | "km" => 1000.0,
        "m" => 1.0,
        _ => return Err("l'unité n'est ni km ni m"),
    };
    if distance.is_empty() {
        return Ok(RAYON_M);
    }
    let lue = decimal(distance).map(|n| n.valeur * facteur).filter(|m| m.is_finite() && *m >= 0.0);
    lue.ok_or("la distance n'est pas un nombre positif")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_of_a_number_say_its_precision() {
        let lu = |v: &str| decimal(v).map(|n| (n.valeur, n.demi));
        assert_eq!(lu("12.5"), Some((12.5, 0.05)));
        assert_eq!(lu("100"), Some((100.0, 0.5)));
        assert_eq!(lu("-1.20"), Some((-1.2, 0.005)));
        assert_eq!(lu("1e2"), Some((100.0, 50.0)));
        assert_eq!(lu("1.5E-3"), Some((0.0015, 0.00005)));
        for faux in ["", "-", ".5", "5.", "1.2.3", "1e", "1e999", "inf", "NaN", "0x1", " 1", "1_000"] {
            assert_eq!(lu(faux), None, "{faux}");
        }
        assert_eq!(lu(&"9".repeat(CHIFFRES_MAX + 1)), None);
    }

    #[test]
    fn a_prefix_is_told_from_a_wrong_value() {
        let lu = |v: &str| ordonne(None, v, nombre).map_err(|r| r.message);
        assert_eq!(lu("ge5").unwrap().0, Prefixe::Ge);
        assert_eq!(lu("5").unwrap().0, Prefixe::Eq);
        assert_eq!(lu("zz5").unwrap_err(), "Le préfixe « zz » n'existe pas.");
        assert_eq!(lu("hier").unwrap_err(), "« hier » n'est pas un nombre.");
        assert_eq!(lu("gé5").unwrap_err(), "« gé5 » n'est pas un nombre.");
        assert!(ordonne(Some(Prefixe::Lt), "ge5", nombre).is_err());
    }

    #[test]
    fn quantities_take_every_published_unit_system() {
        for systeme in [c::SYS_UCUM, c::SYS_UCUM_HTTPS, c::TRE_R247, ""] {
            let (n, unite) = quantite(&format!("200|{systeme}|kg")).unwrap();
            assert_eq!((n.valeur, unite.as_deref()), (200.0, Some("kg")));
        }
        assert_eq!(quantite("200").unwrap().1, None);
        assert_eq!(quantite("1||").unwrap().1, None);
        for faux in ["", "200|kg", "x||kg", "1|https://x/unites|kg", "1||kg|x"] {
            assert!(quantite(faux).is_err(), "{faux}");
        }
    }

    #[test]
    fn circles_have_a_default_distance_and_two_units() {
        let point = |v: &str| autour_d_un_point(v).map(|c| c.rayon_m).map_err(|r| r.message);
        assert_eq!(point("47.218|-1.637|15|km"), Ok(15_000.0));
        assert_eq!(point("47.218|-1.637|15"), Ok(15_000.0));
        assert_eq!(point("47.218|-1.637|250|m"), Ok(250.0));
        assert_eq!(point("47.218|-1.637"), Ok(RAYON_M));
        assert_eq!(point("47.218|-1.637||m"), Ok(RAYON_M));
        for faux in ["", "47", "91|0", "0|181", "0|0|-1", "0|0|1|mi", "0|0|1|km|x", "a|b"] {
            assert!(point(faux).is_err(), "{faux}");
        }
        let commune = |v: &str| autour_d_une_commune(v).map(|c| c.centre).ok();
        assert_eq!(commune("2a004|5|km"), Some(Centre::Commune(*b"2A004")));
        assert_eq!(commune("44162"), Some(Centre::Commune(*b"44162")));
        for faux in ["", "4416", "441620", "ZZZZZ", "4416é", "44162|x"] {
            assert_eq!(commune(faux), None, "{faux}");
        }
    }
}
