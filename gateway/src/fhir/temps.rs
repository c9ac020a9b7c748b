//! Instants and civil dates, between protobuf and FHIR.

use prost_types::Timestamp;
use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

const JOUR_MS: i64 = 86_400_000;

/// Letters of an instant as FHIR writes it.
const LETTRES: usize = "2026-01-01T00:00:00.000Z".len();

/// RFC 3339 in UTC with milliseconds, or `None` outside the years 1 to 9999.
#[must_use]
pub fn ecrire_instant(instant: &Timestamp) -> Option<String> {
    Some(Instant::de(instant)?.as_str().to_owned())
}

/// An instant as FHIR writes it: every resource has two or more, so that none is allocated.
pub struct Instant([u8; LETTRES]);

impl Instant {
    /// RFC 3339 in UTC with milliseconds, or `None` outside the years 1 to 9999.
    #[must_use]
    pub fn de(instant: &Timestamp) -> Option<Self> {
        let date = OffsetDateTime::from_unix_timestamp(instant.seconds).ok()?;
        let (annee, mois, jour) = date.to_calendar_date();
        let annee = u32::try_from(annee).ok().filter(|a| (1..=9999).contains(a))?;
        let nanos = u32::try_from(instant.nanos).ok().filter(|n| *n < 1_000_000_000)?;
        let (heure, minute, seconde) = date.to_hms();
        let mut lettres = *b"0000-00-00T00:00:00.000Z";
        let parties = [
            (0..4, annee),
            (5..7, u32::from(u8::from(mois))),
            (8..10, u32::from(jour)),
            (11..13, u32::from(heure)),
            (14..16, u32::from(minute)),
            (17..19, u32::from(seconde)),
            (20..23, nanos / 1_000_000),
        ];
        for (place, mut nombre) in parties {
            for chiffre in lettres[place].iter_mut().rev() {
                *chiffre = b'0' + (nombre % 10) as u8;
                nombre /= 10;
            }
        }
        Some(Self(lettres))
    }

    /// Its letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits and signs only.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
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

/// First instant of a partial date and first instant after it, in milliseconds; without a zone, UTC.
/// The width is that of the precision written: a tenth of a second for `.5`, a millisecond at least.
#[must_use]
pub fn etendue(texte: &str) -> Option<(i64, i64)> {
    let (date, heure) = texte.split_once('T').map_or((texte, None), |(d, h)| (d, Some(h)));
    let mut parties = date.split('-');
    let annee = i32::from(nombre(parties.next()?, 4)?);
    let mois = facultatif(parties.next(), |m| Month::try_from(m).ok())?;
    let jour = facultatif(parties.next(), Some)?;
    if parties.next().is_some() || annee == 0 {
        return None;
    }
    let premier = Date::from_calendar_date(annee, mois.unwrap_or(Month::January), jour.unwrap_or(1)).ok()?;
    if let Some(heure) = heure {
        jour?;
        let (heure, zone) = zone(heure)?;
        let (t, pas) = horaire(heure)?;
        let debut = ms(PrimitiveDateTime::new(premier, t), zone)?;
        return Some((debut, debut.checked_add(pas)?));
    }
    let dernier = match (mois, jour) {
        (_, Some(_)) => premier,
        (Some(m), None) => Date::from_calendar_date(annee, m, m.length(annee)).ok()?,
        (None, None) => Date::from_calendar_date(annee, Month::December, 31).ok()?,
    };
    let minuit = |d: Date| ms(PrimitiveDateTime::new(d, Time::MIDNIGHT), UtcOffset::UTC);
    Some((minuit(premier)?, minuit(dernier)?.checked_add(JOUR_MS)?))
}

/// A part of two digits that may be absent.
fn facultatif<T>(partie: Option<&str>, lire: impl Fn(u8) -> Option<T>) -> Option<Option<T>> {
    let Some(texte) = partie else { return Some(None) };
    deux(texte).and_then(lire).map(Some)
}

fn deux(texte: &str) -> Option<u8> {
    nombre(texte, 2).and_then(|n| u8::try_from(n).ok())
}

fn ms(d: PrimitiveDateTime, z: UtcOffset) -> Option<i64> {
    i64::try_from(d.assume_offset(z).unix_timestamp_nanos() / 1_000_000).ok()
}

fn zone(heure: &str) -> Option<(&str, UtcOffset)> {
    if let Some(h) = heure.strip_suffix(['Z', 'z']) {
        return Some((h, UtcOffset::UTC));
    }
    // A "+" left unescaped in a URL arrives as a space.
    let Some(i) = heure.rfind(['+', '-', ' ']) else { return Some((heure, UtcOffset::UTC)) };
    let (h, m) = heure[i + 1..].split_once(':')?;
    let (h, m) = (deux(h).filter(|h| *h <= 14)?, deux(m).filter(|m| *m <= 59)?);
    let signe = if heure.as_bytes()[i] == b'-' { -1 } else { 1 };
    let zone = UtcOffset::from_whole_seconds(signe * (i32::from(h) * 60 + i32::from(m)) * 60).ok()?;
    Some((&heure[..i], zone))
}

/// A time of day and the milliseconds its precision covers.
fn horaire(texte: &str) -> Option<(Time, i64)> {
    let mut p = texte.split(':');
    let (h, m) = (deux(p.next()?)?, deux(p.next()?)?);
    let Some(s) = p.next() else { return Some((Time::from_hms(h, m, 0).ok()?, 60_000)) };
    if p.next().is_some() {
        return None;
    }
    let Some((s, f)) = s.split_once('.') else { return Some((Time::from_hms(h, m, deux(s)?).ok()?, 1_000)) };
    if f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let pas = match f.len() {
        1 => 100,
        2 => 10,
        _ => 1,
    };
    let millis = nombre(format!("{f:0<3}").get(..3)?, 3)?;
    Some((Time::from_hms_milli(h, m, deux(s)?, millis).ok()?, pas))
}

#[cfg(test)]
mod tests {
    use super::{JOUR_MS, Timestamp, date_valide, ecrire_instant, etendue, heure_valide, lire_instant};

    #[test]
    fn instants_round_trip_at_the_millisecond() {
        let lu = lire_instant("2026-03-16T10:05:06.789+01:00");
        let ecrit = lu.as_ref().and_then(ecrire_instant);
        assert_eq!(ecrit.as_deref(), Some("2026-03-16T09:05:06.789Z"));
        let civil = lire_instant("2024").as_ref().and_then(ecrire_instant);
        assert_eq!(civil.as_deref(), Some("2024-01-01T00:00:00.000Z"));
        assert!(lire_instant("hier").is_none());
        for texte in ["0001-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.001Z"] {
            assert_eq!(lire_instant(texte).as_ref().and_then(ecrire_instant).as_deref(), Some(texte));
        }
        for (seconds, nanos) in [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000)] {
            assert_eq!(ecrire_instant(&Timestamp { seconds, nanos }), None, "{seconds} {nanos}");
        }
    }

    #[test]
    fn dates_and_times_are_checked() {
        assert!(date_valide("2024-02-29") && date_valide("2024-02") && date_valide("2024"));
        assert!(!date_valide("2023-02-29") && !date_valide("24-1-1") && !date_valide(""));
        assert!(heure_valide("08:30:00") && heure_valide("08:30:00.5"));
        assert!(!heure_valide("24:00:00") && !heure_valide("08:30") && !heure_valide("8:30:00"));
    }

    #[test]
    fn partial_dates_cover_their_precision() {
        let b = |t: &str| etendue(t).map(|(d, f)| f - d);
        assert_eq!(b("2024"), Some(366 * JOUR_MS));
        assert_eq!(b("2023-02"), Some(28 * JOUR_MS));
        assert_eq!(b("2023-12"), Some(31 * JOUR_MS));
        assert_eq!(b("2023-08-02"), Some(JOUR_MS));
        assert_eq!(b("9999-12-31"), Some(JOUR_MS));
        assert_eq!(b("2022-11-06T15:00"), Some(60_000));
        assert_eq!(b("2024-01-01T00:00:00+01:00"), Some(1_000));
        for (fraction, largeur) in [(".5", 100), (".12", 10), (".123", 1), (".123456", 1)] {
            assert_eq!(b(&format!("2024-01-01T00:00:00{fraction}Z")), Some(largeur), "{fraction}");
        }
        assert_eq!(etendue("1970-01-01T00:00:00.05"), Some((50, 60)));
        assert_eq!(etendue("1970-01-01"), Some((0, JOUR_MS)));
        for faux in [
            "",
            "0000",
            "2024-13",
            "2024-02-30",
            "24",
            "2024-1-1",
            "2024T10:00",
            "2024-01-01T25:00",
            "demain",
            "+202",
            "2024-+1",
            "2024-01-01T10",
            "2024-01-01T10:00:00.",
            "2024-01-01T10:00+15:00",
            "2024-01-01T10:00+1:00",
            "2024-01-01-01",
            "2024-01-01T",
            "٢٠٢٤",
        ] {
            assert_eq!(etendue(faux), None, "{faux}");
        }
    }

    #[test]
    fn zones_move_instants_and_a_blank_is_a_plus() {
        let debut = |t: &str| etendue(t).map(|(d, _)| d).unwrap();
        let utc = debut("2024-01-01T00:00:00Z");
        assert_eq!(debut("2024-01-01T00:00:00"), utc);
        assert_eq!(debut("2024-01-01T00:00:00+01:00"), utc - 3_600_000);
        assert_eq!(debut("2024-01-01T00:00:00 01:00"), utc - 3_600_000);
        assert_eq!(debut("2024-01-01T00:00:00-03:30"), utc + 12_600_000);
    }
}
