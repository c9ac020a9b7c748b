//! Dates of a search: prefixes, partial dates, zones.

use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

use super::{Intervalle, refus};
use crate::fhir::outcome::Issue;

/// A prefix and a partial date, without zone read as Paris civil time is not known to
/// the server: UTC, as FHIR lets a server choose.
pub(super) fn intervalle(complet: &str, v: &str) -> Result<Intervalle, Issue> {
    let (prefixe, date) = match v.get(..2) {
        Some(p) if p.bytes().all(|b| b.is_ascii_lowercase()) => (p, &v[2..]),
        _ => ("eq", v),
    };
    let attendu = "préfixe eq, ne, gt, lt, ge, le, sa ou eb puis AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm[:ss][Z ou +hh:mm]";
    let (debut, fin) = bornes(date)
        .ok_or_else(|| refus(complet, "value", format!("« {v} » n'est pas une date."), attendu))?;
    let i = |de, a| Ok(Intervalle { de, a, exclu: false });
    match prefixe {
        "eq" => i(debut, fin),
        "ne" => Ok(Intervalle { de: debut, a: fin, exclu: true }),
        "gt" | "sa" => i(fin, i64::MAX),
        "lt" | "eb" => i(i64::MIN, debut),
        "ge" => i(debut, i64::MAX),
        "le" => i(i64::MIN, fin),
        autre => Err(refus(
            complet,
            "value",
            format!("Le préfixe « {autre} » n'existe pas pour une date."),
            attendu,
        )),
    }
}

/// First instant of a partial date and first instant after it, in milliseconds.
fn bornes(texte: &str) -> Option<(i64, i64)> {
    let ms = |d: PrimitiveDateTime, z: UtcOffset| {
        i64::try_from(d.assume_offset(z).unix_timestamp_nanos() / 1_000_000).ok()
    };
    let (date, heure) = texte.split_once('T').map_or((texte, None), |(d, h)| (d, Some(h)));
    let mut parties = date.split('-');
    let annee: i32 = parties.next().filter(|a| a.len() == 4)?.parse().ok()?;
    let mois = parties.next().map(|m| if m.len() == 2 { m.parse::<u8>().ok() } else { None });
    let jour = parties.next().map(|j| if j.len() == 2 { j.parse::<u8>().ok() } else { None });
    if parties.next().is_some() {
        return None;
    }
    let debut = Date::from_calendar_date(
        annee,
        Month::try_from(mois.unwrap_or(Some(1))?).ok()?,
        jour.unwrap_or(Some(1))?,
    )
    .ok()?;
    if let Some(heure) = heure {
        jour?;
        let (heure, zone) = zone(heure)?;
        let (t, pas) = horaire(heure)?;
        let d = ms(PrimitiveDateTime::new(debut, t), zone)?;
        return Some((d, d.checked_add(pas)?));
    }
    let fin = match (mois, jour) {
        (_, Some(_)) => debut.next_day()?,
        (Some(Some(12)), None) => Date::from_calendar_date(annee.checked_add(1)?, Month::January, 1).ok()?,
        (Some(Some(m)), None) => Date::from_calendar_date(annee, Month::try_from(m + 1).ok()?, 1).ok()?,
        _ => Date::from_calendar_date(annee.checked_add(1)?, Month::January, 1).ok()?,
    };
    let minuit = |d: Date| ms(PrimitiveDateTime::new(d, Time::MIDNIGHT), UtcOffset::UTC);
    Some((minuit(debut)?, minuit(fin)?))
}

fn zone(heure: &str) -> Option<(&str, UtcOffset)> {
    if let Some(h) = heure.strip_suffix(['Z', 'z']) {
        return Some((h, UtcOffset::UTC));
    }
    // A "+" left unescaped in a URL arrives as a space.
    let Some(i) = heure.rfind(['+', '-', ' ']) else { return Some((heure, UtcOffset::UTC)) };
    let (h, m) = heure[i + 1..].split_once(':')?;
    let signe = if heure.as_bytes()[i] == b'-' { -1 } else { 1 };
    let (h, m): (i8, i8) = (h.parse().ok()?, m.parse().ok()?);
    Some((&heure[..i], UtcOffset::from_hms(signe * h, signe * m, 0).ok()?))
}

/// A time of day and the milliseconds its precision covers.
fn horaire(texte: &str) -> Option<(Time, i64)> {
    let mut p = texte.split(':');
    let h: u8 = p.next()?.parse().ok()?;
    let m: u8 = p.next()?.parse().ok()?;
    let Some(s) = p.next() else { return Some((Time::from_hms(h, m, 0).ok()?, 60_000)) };
    if p.next().is_some() {
        return None;
    }
    match s.split_once('.') {
        None => Some((Time::from_hms(h, m, s.parse().ok()?).ok()?, 1_000)),
        Some((s, f)) => {
            if f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            let ms: u16 = format!("{f:0<3}").get(..3)?.parse().ok()?;
            Some((Time::from_hms_milli(h, m, s.parse().ok()?, ms).ok()?, 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_cover_their_precision() {
        let b = |t| bornes(t).map(|(d, f)| f - d);
        assert_eq!(b("2024"), Some(366 * 86_400_000));
        assert_eq!(b("2023-02"), Some(28 * 86_400_000));
        assert_eq!(b("2023-12"), Some(31 * 86_400_000));
        assert_eq!(b("2023-08-02"), Some(86_400_000));
        assert_eq!(b("2022-11-06T15:00"), Some(60_000));
        assert_eq!(b("2024-01-01T00:00:00+01:00"), Some(1_000));
        assert_eq!(
            bornes("2024-01-01T00:00:00+01:00").unwrap().0 + 3_600_000,
            bornes("2024-01-01T00:00:00Z").unwrap().0
        );
        for faux in
            ["", "2024-13", "2024-02-30", "24", "2024-1-1", "2024T10:00", "2024-01-01T25:00", "demain"]
        {
            assert_eq!(bornes(faux), None, "{faux}");
        }
    }
}
