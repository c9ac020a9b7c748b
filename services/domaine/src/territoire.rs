//! From a commune to its département and its region.
//!
//! A territory is never derived from a FINESS number, only from the commune
//! (INSEE code, 5 characters).

/// INSEE départements and overseas collectivités, with the INSEE region (`TRE_R30`).
///
/// Saint-Barthélemy (977) and Saint-Martin (978) follow Guadeloupe, which FINESS
/// keeps them in and whose ARS they depend on. The collectivités without a region
/// of the ROR have none.
const DEPARTEMENTS: &[(&str, Option<&str>)] = &[
    ("01", Some("84")),
    ("02", Some("32")),
    ("03", Some("84")),
    ("04", Some("93")),
    ("05", Some("93")),
    ("06", Some("93")),
    ("07", Some("84")),
    ("08", Some("44")),
    ("09", Some("76")),
    ("10", Some("44")),
    ("11", Some("76")),
    ("12", Some("76")),
    ("13", Some("93")),
    ("14", Some("28")),
    ("15", Some("84")),
    ("16", Some("75")),
    ("17", Some("75")),
    ("18", Some("24")),
    ("19", Some("75")),
    ("21", Some("27")),
    ("22", Some("53")),
    ("23", Some("75")),
    ("24", Some("75")),
    ("25", Some("27")),
    ("26", Some("84")),
    ("27", Some("28")),
    ("28", Some("24")),
    ("29", Some("53")),
    ("2A", Some("94")),
    ("2B", Some("94")),
    ("30", Some("76")),
    ("31", Some("76")),
    ("32", Some("76")),
    ("33", Some("75")),
    ("34", Some("76")),
    ("35", Some("53")),
    ("36", Some("24")),
    ("37", Some("24")),
    ("38", Some("84")),
    ("39", Some("27")),
    ("40", Some("75")),
    ("41", Some("24")),
    ("42", Some("84")),
    ("43", Some("84")),
    ("44", Some("52")),
    ("45", Some("24")),
    ("46", Some("76")),
    ("47", Some("75")),
    ("48", Some("76")),
    ("49", Some("52")),
    ("50", Some("28")),
    ("51", Some("44")),
    ("52", Some("44")),
    ("53", Some("52")),
    ("54", Some("44")),
    ("55", Some("44")),
    ("56", Some("53")),
    ("57", Some("44")),
    ("58", Some("27")),
    ("59", Some("32")),
    ("60", Some("32")),
    ("61", Some("28")),
    ("62", Some("32")),
    ("63", Some("84")),
    ("64", Some("75")),
    ("65", Some("76")),
    ("66", Some("76")),
    ("67", Some("44")),
    ("68", Some("44")),
    ("69", Some("84")),
    ("70", Some("27")),
    ("71", Some("27")),
    ("72", Some("52")),
    ("73", Some("84")),
    ("74", Some("84")),
    ("75", Some("11")),
    ("76", Some("28")),
    ("77", Some("11")),
    ("78", Some("11")),
    ("79", Some("75")),
    ("80", Some("32")),
    ("81", Some("76")),
    ("82", Some("76")),
    ("83", Some("93")),
    ("84", Some("93")),
    ("85", Some("52")),
    ("86", Some("75")),
    ("87", Some("75")),
    ("88", Some("44")),
    ("89", Some("27")),
    ("90", Some("27")),
    ("91", Some("11")),
    ("92", Some("11")),
    ("93", Some("11")),
    ("94", Some("11")),
    ("95", Some("11")),
    ("971", Some("01")),
    ("972", Some("02")),
    ("973", Some("03")),
    ("974", Some("04")),
    ("976", Some("06")),
    ("975", None),
    ("977", Some("01")),
    ("978", Some("01")),
    ("984", None),
    ("986", None),
    ("987", None),
    ("988", None),
    ("989", None),
];

/// Départements as FINESS wrote them overseas, with the INSEE one.
const DEPARTEMENTS_FINESS: &[(&str, &str)] = &[
    ("9A", "971"),
    ("9B", "972"),
    ("9C", "973"),
    ("9D", "974"),
    ("9E", "975"),
    ("9F", "976"),
    ("9J", "986"),
];

/// Communes known under two codes: (code kept by FINESS, code of INSEE or RPPS).
const COMMUNES_EQUIVALENTES: &[(&str, &str)] = &[("97123", "97701"), ("97127", "97801")];

/// One code for the communes that have two, the one FINESS keeps; any other code
/// unchanged.
#[must_use]
pub fn commune_canonique(commune: &str) -> &str {
    COMMUNES_EQUIVALENTES.iter().find(|(_, insee)| *insee == commune).map_or(commune, |(finess, _)| *finess)
}

/// True when two codes name the same commune.
#[must_use]
pub fn meme_commune(une: &str, autre: &str) -> bool {
    commune_canonique(une) == commune_canonique(autre)
}

/// Département or overseas collectivité of a commune: 2 characters, 3 overseas.
/// None when the code is malformed or the département unknown.
#[must_use]
pub fn departement_de_commune(commune: &str) -> Option<&'static str> {
    let commune = commune.trim();
    let forme = commune.len() == 5
        && commune
            .bytes()
            .enumerate()
            .all(|(rang, octet)| octet.is_ascii_digit() || (rang == 1 && matches!(octet, b'A' | b'B')));
    if !forme {
        return None;
    }
    let longueur = if commune.starts_with("97") || commune.starts_with("98") { 3 } else { 2 };
    let prefixe = commune.get(..longueur)?;
    DEPARTEMENTS.iter().find(|(departement, _)| *departement == prefixe).map(|(departement, _)| *departement)
}

/// INSEE code of the region of a département, written as INSEE (`2A`, `971`) or
/// as FINESS (`9A`). None when unknown, or when it has no region.
#[must_use]
pub fn region_de_departement(departement: &str) -> Option<&'static str> {
    let departement = departement.trim();
    let insee = DEPARTEMENTS_FINESS
        .iter()
        .find(|(finess, _)| *finess == departement)
        .map_or(departement, |(_, insee)| *insee);
    DEPARTEMENTS.iter().find(|(connu, _)| *connu == insee).and_then(|(_, region)| *region)
}

/// INSEE code of the region of a commune. None when unknown, or when its
/// territory has no region.
#[must_use]
pub fn region_de_commune(commune: &str) -> Option<&'static str> {
    departement_de_commune(commune).and_then(region_de_departement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn communes() {
        let cas = [
            ("01053", Some("01"), Some("84")),
            ("2A004", Some("2A"), Some("94")),
            ("2B033", Some("2B"), Some("94")),
            ("75113", Some("75"), Some("11")),
            ("97101", Some("971"), Some("01")),
            ("97123", Some("971"), Some("01")),
            ("97701", Some("977"), Some("01")),
            ("97801", Some("978"), Some("01")),
            ("97209", Some("972"), Some("02")),
            ("97302", Some("973"), Some("03")),
            ("97411", Some("974"), Some("04")),
            ("97606", Some("976"), Some("06")),
            ("97502", Some("975"), None),
            ("98613", Some("986"), None),
            ("98818", Some("988"), None),
            ("99132", None, None),
            ("20004", None, None),
            ("1053", None, None),
            ("2C004", None, None),
            ("9713é", None, None),
            ("", None, None),
        ];
        for (commune, departement, region) in cas {
            assert_eq!(departement_de_commune(commune), departement, "{commune}");
            assert_eq!(region_de_commune(commune), region, "{commune}");
        }
    }

    #[test]
    fn departements() {
        assert_eq!(region_de_departement("9F"), Some("06"));
        assert_eq!(region_de_departement("9E"), None);
        assert_eq!(region_de_departement("93"), Some("11"));
        assert_eq!(region_de_departement("20"), None);
        let mut regions: Vec<_> = DEPARTEMENTS.iter().filter_map(|(_, region)| *region).collect();
        regions.sort_unstable();
        regions.dedup();
        assert_eq!(regions.len(), 18);
        assert_eq!(DEPARTEMENTS.len(), 101 + 8);
    }

    #[test]
    fn equivalences() {
        assert!(meme_commune("97123", "97701"));
        assert!(meme_commune("97801", "97127"));
        assert!(!meme_commune("97123", "97127"));
        assert_eq!(commune_canonique("01053"), "01053");
    }
}
