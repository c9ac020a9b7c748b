//! Instants and civil dates, between protobuf and FHIR.

use prost_types::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

/// RFC 3339 in UTC with milliseconds, or `None` outside the years 1 to 9999.
#[must_use]
pub fn ecrire_instant(instant: &Timestamp) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(instant.seconds).ok()?;
    let annee = date.year();
    if !(1..=9999).contains(&annee) || !(0..1_000_000_000).contains(&instant.nanos) {
        return None;
    }
    Some(format!(
        "{annee:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        u8::from(date.month()),
        date.day(),
        date.hour(),
        date.minute(),
        date.second(),
        instant.nanos / 1_000_000,
    ))
}

/// FHIR dateTime or instant; a partial date is its first instant in UTC.
#[must_use]
pub fn lire_instant(texte: &str) -> Option<Timestamp> {
    let date = match OffsetDateTime::parse(texte, &Rfc3339) {
        Ok(date) => date,
        Err(_) => date_civile(texte)?.midnight().assume_utc(),
    };
    let nanos = i32::try_from(date.nanosecond()).ok()?;
    Some(Timestamp { seconds: date.unix_timestamp(), nanos })
}

/// Whether the text is a FHIR date (YYYY, YYYY-MM or YYYY-MM-DD).
#[must_use]
pub fn date_valide(texte: &str) -> bool {
    date_civile(texte).is_some()
}

/// Whether the text is a FHIR time (hh:mm:ss, fractions allowed).
#[must_use]
pub fn heure_valide(texte: &str) -> bool {
    let (entiere, fraction) = texte.split_once('.').unwrap_or((texte, "0"));
    let mut parties = entiere.split(':').map(|partie| nombre(partie, 2));
    let (heure, minute, seconde) = (parties.next(), parties.next(), parties.next());
    let borne = |partie: Option<Option<u16>>, max: u16| partie.flatten().is_some_and(|n| n <= max);
    borne(heure, 23)
        && borne(minute, 59)
        && borne(seconde, 59)
        && parties.next().is_none()
        && (1..=9).contains(&fraction.len())
        && fraction.bytes().all(|octet| octet.is_ascii_digit())
}

fn date_civile(texte: &str) -> Option<Date> {
    let mut parties = texte.split('-');
    let annee = nombre(parties.next()?, 4)?;
    let mois = parties.next().map_or(Some(1), |partie| nombre(partie, 2))?;
    let jour = parties.next().map_or(Some(1), |partie| nombre(partie, 2))?;
    if parties.next().is_some() || annee == 0 {
        return None;
    }
    let mois = Month::try_from(u8::try_from(mois).ok()?).ok()?;
    Date::from_calendar_date(i32::from(annee), mois, u8::try_from(jour).ok()?).ok()
}

fn nombre(texte: &str, chiffres: usize) -> Option<u16> {
    if texte.len() != chiffres || !texte.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    texte.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{date_valide, ecrire_instant, heure_valide, lire_instant};

    #[test]
    fn instants_round_trip_at_the_millisecond() {
        let lu = lire_instant("2026-03-16T10:05:06.789+01:00");
        let ecrit = lu.as_ref().and_then(ecrire_instant);
        assert_eq!(ecrit.as_deref(), Some("2026-03-16T09:05:06.789Z"));
        let civil = lire_instant("2024").as_ref().and_then(ecrire_instant);
        assert_eq!(civil.as_deref(), Some("2024-01-01T00:00:00.000Z"));
        assert!(lire_instant("hier").is_none());
    }

    #[test]
    fn dates_and_times_are_checked() {
        assert!(date_valide("2024-02-29") && date_valide("2024-02") && date_valide("2024"));
        assert!(!date_valide("2023-02-29") && !date_valide("24-1-1") && !date_valide(""));
        assert!(heure_valide("08:30:00") && heure_valide("08:30:00.5"));
        assert!(!heure_valide("24:00:00") && !heure_valide("08:30") && !heure_valide("8:30:00"));
    }
}
