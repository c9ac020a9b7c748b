//! Civil dates from day numbers: no clock is read, the generation has a fixed
//! "today".

/// The fixed "today" of the demo, 2026-10-01, in days since 1970-01-01.
pub const AUJOURD_HUI: i64 = 20_727;

fn civil(jour: i64) -> (i64, i64, i64) {
    let z = jour + 719_468;
    let ere = z.div_euclid(146_097);
    let doe = z - ere * 146_097;
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    let y = yoe + ere * 400 + i64::from(m <= 2);
    (y, m, d)
}

/// `AAAA-MM-JJ`.
pub fn date(jour: i64) -> String {
    let (y, m, d) = civil(jour);
    format!("{y:04}-{m:02}-{d:02}")
}

/// `AAAAMMJJ`, the form of the names of editions.
pub fn compacte(jour: i64) -> String {
    let (y, m, d) = civil(jour);
    format!("{y:04}{m:02}{d:02}")
}

/// FHIR instant at a given minute of the day, UTC.
pub fn instant(jour: i64, minute: u64) -> String {
    let minute = minute % 1440;
    format!("{}T{:02}:{:02}:00Z", date(jour), minute / 60, minute % 60)
}

/// `AAAA-MM-JJ hh:mm:ss`, the form of FINESS+.
pub fn horodatage(jour: i64) -> String {
    format!("{} 00:00:00", date(jour))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(AUJOURD_HUI), "2026-10-01");
        assert_eq!(compacte(AUJOURD_HUI), "20261001");
        assert_eq!(instant(AUJOURD_HUI, 125), "2026-10-01T02:05:00Z");
    }
}
