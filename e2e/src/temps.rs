//! Instants as FHIR writes them, without a date library.

use std::time::{SystemTime, UNIX_EPOCH};

const JOUR: i64 = 86_400_000;

/// Now, in milliseconds since 1970.
pub fn maintenant() -> i64 {
    let depuis = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(depuis.as_millis()).expect("a clock before the year 292 million")
}

/// RFC 3339 in UTC with milliseconds.
pub fn ecrire(millis: i64) -> String {
    let (jours, reste) = (millis.div_euclid(JOUR), millis.rem_euclid(JOUR));
    let (annee, mois, jour) = civil(jours);
    let (heure, minute, seconde) = (reste / 3_600_000, reste / 60_000 % 60, reste / 1000 % 60);
    format!("{annee:04}-{mois:02}-{jour:02}T{heure:02}:{minute:02}:{seconde:02}.{:03}Z", reste % 1000)
}

/// Milliseconds of an RFC 3339 instant; finer digits are dropped.
pub fn lire(texte: &str) -> Option<i64> {
    let (date, heure) = texte.split_once('T')?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (annee, mois, jour) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (heure, decalage) = if let Some(heure) = heure.strip_suffix('Z') {
        (heure, 0)
    } else {
        let rang = heure.rfind(['+', '-'])?;
        let (h, m) = heure[rang + 1..].split_once(':')?;
        let minutes = h.parse::<i64>().ok()? * 60 + m.parse::<i64>().ok()?;
        (&heure[..rang], if heure[rang..].starts_with('-') { -minutes } else { minutes })
    };
    let (entier, fraction) = heure.split_once('.').unwrap_or((heure, "0"));
    let mut parties = entier.split(':').map(str::parse::<i64>);
    let (h, m, s) = (parties.next()?.ok()?, parties.next()?.ok()?, parties.next()?.ok()?);
    let millis = format!("{fraction:0<3}").get(..3)?.parse::<i64>().ok()?;
    Some(jours(annee, mois, jour) * JOUR + ((h * 60 + m - decalage) * 60 + s) * 1000 + millis)
}

/// Year, month and day of a day counted from 1970.
pub fn civil(jour: i64) -> (i64, i64, i64) {
    let z = jour + 719_468;
    let ere = z.div_euclid(146_097);
    let doe = z - ere * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let mois = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + ere * 400 + i64::from(mois <= 2), mois, doy - (153 * mp + 2) / 5 + 1)
}

/// Day counted from 1970.
pub fn jours(annee: i64, mois: i64, jour: i64) -> i64 {
    let annee = annee - i64::from(mois <= 2);
    let ere = annee.div_euclid(400);
    let yoe = annee - ere * 400;
    let mp = if mois > 2 { mois - 3 } else { mois + 9 };
    let doe = yoe * 365 + yoe / 4 - yoe / 100 + (153 * mp + 2) / 5 + jour - 1;
    ere * 146_097 + doe - 719_468
}

#[cfg(test)]
mod tests {
    use super::{ecrire, lire};

    #[test]
    fn instants_round_trip() {
        for texte in ["1970-01-01T00:00:00.000Z", "2000-02-29T23:59:59.999Z", "2026-11-21T22:19:20.007Z"] {
            assert_eq!(lire(texte).map(ecrire).as_deref(), Some(texte));
        }
        assert_eq!(lire("2026-01-01T01:00:00+01:00"), lire("2026-01-01T00:00:00.0001Z"));
        assert_eq!(lire("hier"), None);
    }
}
