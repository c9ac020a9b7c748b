//! Which version of a nomenclature is the newer.

use ror_proto::nomenclatures::v1::Nomenclature;

/// Where a version stands among those of its canonical. A timestamp of 14 digits is newer
/// than any other text (those are marks of ours, not published versions), and the greater
/// of two timestamps is the newer; of the others, the last loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rang {
    horodatage: Option<u64>,
    charge_le: (i64, i32),
}

impl Rang {
    /// From its version and the instant it was loaded, in its metadata.
    pub fn de(n: &Nomenclature) -> Self {
        let charge_le = n.meta.as_ref().and_then(|m| m.date_maj.as_ref()).map(|d| (d.seconds, d.nanos));
        Self { horodatage: horodatage(&n.version), charge_le: charge_le.unwrap_or_default() }
    }

    /// The day of its timestamp, as an ISO date.
    pub fn jour(&self) -> Option<String> {
        let jour = self.horodatage? / 1_000_000;
        Some(format!("{:04}-{:02}-{:02}", jour / 10_000, jour / 100 % 100, jour % 100))
    }
}

fn horodatage(version: &str) -> Option<u64> {
    let conforme = version.len() == 14 && version.bytes().all(|b| b.is_ascii_digit());
    conforme.then(|| version.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost_types::Timestamp;
    use ror_proto::common::v1::Meta;

    fn rang(version: &str, charge_le: i64) -> Rang {
        let meta = Meta { date_maj: Some(Timestamp { seconds: charge_le, nanos: 0 }), ..Default::default() };
        Rang::de(&Nomenclature { version: version.into(), meta: Some(meta), ..Default::default() })
    }

    #[test]
    fn timestamps_come_before_marks_and_the_last_loaded_decides_between_marks() {
        assert!(rang("20250101120000", 1) > rang("20240101120000", 2));
        assert!(rang("20240101120000", 1) > rang("INSEE COG 2024", 2));
        assert!(rang("1", 2) > rang("2", 1));
        assert!(rang("2025010112000x", 1) < rang("20000101000000", 1));
        assert_eq!(rang("20250131120000", 1).jour().as_deref(), Some("2025-01-31"));
        assert_eq!(rang("", 1).jour(), None);
    }
}
