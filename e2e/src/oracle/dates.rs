//! Dates as intervals, and what each prefix asks of two of them.

use crate::temps::{civil, jours};

const MINUTE: i64 = 60_000;
const JOUR: i64 = 86_400_000;

/// The prefixes of ordered values; `Po` is the `po` of `_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefixe {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Sa,
    Eb,
    Ap,
    Po,
}

impl Prefixe {
    /// Those of an ordinary parameter.
    pub const TOUS: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Gt, Self::Ge, Self::Lt, Self::Le, Self::Sa, Self::Eb, Self::Ap];

    pub fn nom(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Sa => "sa",
            Self::Eb => "eb",
            Self::Ap => "ap",
            Self::Po => "po",
        }
    }
}

/// Milliseconds since 1970: first instant, first instant after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Intervalle {
    pub de: i64,
    pub a: i64,
}

/// The finest part a date tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Annee,
    Mois,
    Jour,
    Minute,
    Seconde,
    Dixieme,
    Centieme,
    Milli,
}

impl Precision {
    pub const TOUTES: [Self; 8] = [
        Self::Annee,
        Self::Mois,
        Self::Jour,
        Self::Minute,
        Self::Seconde,
        Self::Dixieme,
        Self::Centieme,
        Self::Milli,
    ];
}

/// The interval a date covers; without zone, UTC.
pub fn lire(texte: &str) -> Option<Intervalle> {
    let texte = texte.replacen(' ', "+", 1);
    let (date, heure) = match texte.split_once('T') {
        Some((date, heure)) => (date, Some(heure)),
        None => (texte.as_str(), None),
    };
    let parties: Vec<i64> = date.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let minuit = |a, m, j| jours(a, m, j) * JOUR;
    match (parties.as_slice(), heure) {
        ([a], None) => Some(Intervalle { de: minuit(*a, 1, 1), a: minuit(a + 1, 1, 1) }),
        ([a, m], None) => {
            let (suivante, suivant) = if *m == 12 { (a + 1, 1) } else { (*a, m + 1) };
            Some(Intervalle { de: minuit(*a, *m, 1), a: minuit(suivante, suivant, 1) })
        }
        ([a, m, j], None) => Some(Intervalle { de: minuit(*a, *m, *j), a: minuit(*a, *m, *j) + JOUR }),
        ([a, m, j], Some(heure)) => {
            let (depuis_minuit, largeur) = lire_heure(heure)?;
            let de = minuit(*a, *m, *j) + depuis_minuit;
            Some(Intervalle { de, a: de + largeur })
        }
        _ => None,
    }
}

/// Milliseconds since midnight UTC, and the width of what is told.
fn lire_heure(texte: &str) -> Option<(i64, i64)> {
    let (heure, decalage) = match (texte.strip_suffix('Z'), texte.rfind(['+', '-'])) {
        (Some(heure), _) => (heure, 0),
        (None, Some(rang)) => {
            let (h, m) = texte[rang + 1..].split_once(':')?;
            let minutes = h.parse::<i64>().ok()? * 60 + m.parse::<i64>().ok()?;
            (&texte[..rang], if texte[rang..].starts_with('-') { -minutes } else { minutes })
        }
        (None, None) => (texte, 0),
    };
    let (entier, fraction) = heure.split_once('.').unwrap_or((heure, ""));
    let parties: Vec<i64> = entier.split(':').map(str::parse).collect::<Result<_, _>>().ok()?;
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let (debut, largeur) = match parties.as_slice() {
        [h, m] => (h * 60 + m, MINUTE),
        [h, m, _] => (h * 60 + m, 1000),
        _ => return None,
    };
    let secondes = parties.get(2).copied().unwrap_or(0);
    let largeur = match fraction.len() {
        0 => largeur,
        1 => 100,
        2 => 10,
        _ => 1,
    };
    Some(((debut - decalage) * MINUTE + secondes * 1000 + millis, largeur))
}

/// An instant cut at a precision, in a zone so many minutes to the east.
pub fn ecrire(instant: i64, precision: Precision, zone: Option<i64>) -> String {
    let local = instant + zone.unwrap_or(0) * MINUTE;
    let (a, m, j) = civil(local.div_euclid(JOUR));
    let reste = local.rem_euclid(JOUR);
    let (h, min) = (reste / 3_600_000, reste / MINUTE % 60);
    let (s, ms) = (reste / 1000 % 60, reste % 1000);
    let suffixe = match zone {
        None => String::new(),
        Some(0) => "Z".to_owned(),
        Some(z) => {
            let signe = if z < 0 { '-' } else { '+' };
            format!("{signe}{:02}:{:02}", z.abs() / 60, z.abs() % 60)
        }
    };
    match precision {
        Precision::Annee => format!("{a:04}"),
        Precision::Mois => format!("{a:04}-{m:02}"),
        Precision::Jour => format!("{a:04}-{m:02}-{j:02}"),
        Precision::Minute => format!("{a:04}-{m:02}-{j:02}T{h:02}:{min:02}{suffixe}"),
        Precision::Seconde => format!("{a:04}-{m:02}-{j:02}T{h:02}:{min:02}:{s:02}{suffixe}"),
        Precision::Dixieme => {
            format!("{a:04}-{m:02}-{j:02}T{h:02}:{min:02}:{s:02}.{}{suffixe}", ms / 100)
        }
        Precision::Centieme => {
            format!("{a:04}-{m:02}-{j:02}T{h:02}:{min:02}:{s:02}.{:02}{suffixe}", ms / 10)
        }
        Precision::Milli => format!("{a:04}-{m:02}-{j:02}T{h:02}:{min:02}:{s:02}.{ms:03}{suffixe}"),
    }
}

/// Whether the interval of a resource satisfies a prefix with the searched one.
pub fn tient(prefixe: Prefixe, voulu: Intervalle, r: Intervalle, maintenant: i64) -> bool {
    let eq = voulu.de <= r.de && r.a <= voulu.a;
    match prefixe {
        Prefixe::Eq => eq,
        Prefixe::Ne => !eq,
        Prefixe::Gt => r.a > voulu.a,
        Prefixe::Ge => r.a > voulu.a || eq,
        Prefixe::Lt => r.de < voulu.de,
        Prefixe::Le => r.de < voulu.de || eq,
        Prefixe::Sa => r.de >= voulu.a,
        Prefixe::Eb => r.a <= voulu.de,
        Prefixe::Po => touche(voulu, r, 0),
        Prefixe::Ap => touche(voulu, r, distance(voulu, maintenant) / 10),
    }
}

/// Whether `ap` does not hang on the very instant of the question: only such can be compared.
pub fn tranche(voulu: Intervalle, r: Intervalle, maintenant: i64) -> bool {
    let plus = distance(voulu, maintenant) + 5 * MINUTE;
    let moins = (distance(voulu, maintenant) - 5 * MINUTE).max(0);
    touche(voulu, r, moins / 10) == touche(voulu, r, plus / 10 + 1)
}

/// From now to the nearest end of an interval, nothing when now is inside.
fn distance(i: Intervalle, maintenant: i64) -> i64 {
    (i.de - maintenant).max(maintenant - i.a).max(0)
}

fn touche(voulu: Intervalle, r: Intervalle, marge: i64) -> bool {
    r.de < voulu.a.saturating_add(marge) && voulu.de.saturating_sub(marge) < r.a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_date_is_the_interval_it_covers() {
        let de = |t: &str| lire(t).map(|i| (i.de, i.a - i.de));
        assert_eq!(de("1970"), Some((0, 365 * JOUR)));
        assert_eq!(de("1970-02"), Some((31 * JOUR, 28 * JOUR)));
        assert_eq!(de("1970-12"), Some((334 * JOUR, 31 * JOUR)));
        assert_eq!(de("1970-01-02"), Some((JOUR, JOUR)));
        assert_eq!(de("1970-01-01T00:01"), Some((MINUTE, MINUTE)));
        assert_eq!(de("1970-01-01T01:00:00+01:00"), Some((0, 1000)));
        assert_eq!(de("1970-01-01T01:00:00 01:00"), Some((0, 1000)));
        assert_eq!(de("1969-12-31T23:00:00.250-01:00"), Some((250, 1)));
        assert_eq!(de("1970-01-01T00:00:00.5"), Some((500, 100)));
        assert_eq!(de("1970-01-01T00:00:00.12Z"), Some((120, 10)));
        assert_eq!(de("1970-01-01T00:00:00.123456Z"), Some((123, 1)));
        assert_eq!(de("hier"), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let instant = 1_780_000_123_456;
        for precision in Precision::TOUTES {
            for zone in [None, Some(0), Some(120), Some(-330)] {
                let texte = ecrire(instant, precision, zone);
                let lu = lire(&texte).unwrap_or_else(|| panic!("{texte}"));
                // A day is cut in its own zone and read in UTC: only times are the same instant.
                if precision as u8 >= Precision::Minute as u8 || zone.is_none() {
                    assert!(lu.de <= instant && instant < lu.a, "{texte}");
                }
            }
        }
    }

    #[test]
    fn every_prefix_of_the_table() {
        let s = Intervalle { de: 10, a: 20 };
        let i = |de, a| Intervalle { de, a };
        // The resource: before, before and across, inside, across and after, after, all around, the same.
        let cas = [i(0, 10), i(5, 15), i(12, 18), i(15, 25), i(20, 30), i(0, 30), s];
        let attendus = [
            (Prefixe::Eq, [false, false, true, false, false, false, true]),
            (Prefixe::Ne, [true, true, false, true, true, true, false]),
            (Prefixe::Gt, [false, false, false, true, true, true, false]),
            (Prefixe::Ge, [false, false, true, true, true, true, true]),
            (Prefixe::Lt, [true, true, false, false, false, true, false]),
            (Prefixe::Le, [true, true, true, false, false, true, true]),
            (Prefixe::Sa, [false, false, false, false, true, false, false]),
            (Prefixe::Eb, [true, false, false, false, false, false, false]),
            (Prefixe::Po, [false, true, true, true, false, true, true]),
        ];
        for (prefixe, voulus) in attendus {
            assert_eq!(cas.map(|r| tient(prefixe, s, r, 0)), voulus, "{}", prefixe.nom());
        }
        let ouvert = i(i64::MIN, 5);
        assert!(tient(Prefixe::Lt, s, ouvert, 0) && !tient(Prefixe::Sa, s, ouvert, 0));
        assert!(tient(Prefixe::Gt, s, i(5, i64::MAX), 0) && !tient(Prefixe::Eq, s, i(12, i64::MAX), 0));
    }

    #[test]
    fn about_widens_by_a_tenth_of_the_distance_from_now() {
        let s = Intervalle { de: 900, a: 1000 };
        assert!(tient(Prefixe::Ap, s, Intervalle { de: 1090, a: 1091 }, 2000));
        assert!(!tient(Prefixe::Ap, s, Intervalle { de: 1100, a: 1101 }, 2000));
        let loin = lire("2019").unwrap();
        let maintenant = lire("2026-06-01T00:00:00Z").unwrap().de;
        assert!(tranche(loin, lire("2019-05").unwrap(), maintenant));
        // A tenth of the 2343 days since the end of 2019.
        assert!(!tranche(loin, lire("2020-08-22T07:12:00Z").unwrap(), maintenant));
        assert!(tranche(loin, lire("2020-09-01").unwrap(), maintenant));
        // Now is inside: nothing is widened.
        let annee = lire("2026").unwrap();
        assert!(!tient(Prefixe::Ap, annee, lire("2027-01-01").unwrap(), maintenant));
    }
}
