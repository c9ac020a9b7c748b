//! No text makes the reader panic.

use super::*;

/// Requests that are cut up and spoilt.
const SAINES: [&str; 12] = [
    "specialty=https://x/s|227&_include:iterate=Organization:partof&_count=20",
    "_filter=(((service-category eq https://x/s|102) or (specialty ne 233)) and age-range-low le 35||a)",
    "_filter=location[capacity-status eq 02 or 05].nb-capacity gt 0 and not(name co \"é\\\"\\u0041\")",
    "_filter=(_id eq 140 or 141) OR _has:PractitionerRole:service:practitioner.identifier = 8",
    "_filter=_lastUpdated ge 2024-01-01T00:00:00 01:00 or organization._lastUpdated:above sa 2024",
    "location.near=47.218|-1.636|15|km&_sort=location.near,-name",
    "_has:HealthcareService:location:_has:PractitionerRole:service:role:not=1,2\\,3",
    "organization.partof.partof.name:contains=%C3%A9t%C3%A9&organization:above=Organization/x",
    "_lastUpdated=ge2022-11-06T15:00&_lastUpdated=le9999-12-31&_lastUpdated=ap2026",
    "identifier=https://finess.esante.gouv.fr|1&location.limit-value=ge2e3|http://unitsofmeasure.org|kg",
    "_elements=name,telecom&_summary=text&_total=none&_format=json&_page=abc",
    "specialty:in=https://x/jeu&characteristic:text=a&name:missing=false&_include=*&_revinclude=A:*:B",
];
const ECLATS: [&str; 28] = [
    "&",
    "=",
    "%",
    "%zz",
    "%00",
    "+",
    ":",
    ".",
    "|",
    "\\",
    ",",
    "é",
    "\u{301}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    " ",
    "or",
    " and ",
    "not(",
    "_filter=",
    "_has:",
    "location.",
    " eq ",
    "-",
    "9",
];

/// A small generator: the same texts each time.
struct Hasard(u64);

impl Hasard {
    fn moins_de(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n.max(1)
    }

    /// A place between two characters.
    fn coupure(&mut self, s: &str) -> usize {
        let mut i = self.moins_de(s.len() + 1);
        while !s.is_char_boundary(i) {
            i -= 1;
        }
        i
    }

    fn gater(&mut self, s: &mut String) {
        let (a, b) = (self.coupure(s), self.coupure(s));
        let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 12));
        let b = (b..=s.len()).find(|i| s.is_char_boundary(*i)).unwrap_or(s.len());
        match self.moins_de(4) {
            0 => s.replace_range(a..b, ""),
            1 => s.replace_range(a..b, ECLATS[self.moins_de(ECLATS.len())]),
            2 => s.insert_str(a, ECLATS[self.moins_de(ECLATS.len())]),
            _ => {
                let morceau = s[a..b].to_owned();
                let ici = self.coupure(s);
                s.insert_str(ici, &morceau);
            }
        }
    }
}

#[test]
fn no_query_string_panics() {
    let (mut hasard, mut lues) = (Hasard(7), 0);
    for i in 0..50_000 {
        let mut q = SAINES[i % SAINES.len()].to_owned();
        for _ in 0..=hasard.moins_de(4) {
            hasard.gater(&mut q);
        }
        let t = TypeFhir::TOUS[if i % 5 == 0 { hasard.moins_de(5) } else { 1 }];
        match lire(t, &q, &regard(i % 3 == 0)) {
            Ok(_) => lues += 1,
            Err(f) => assert!(!f.is_empty(), "{q}"),
        }
    }
    // Spoilt, but not so much that nothing is read.
    assert!((100..50_000).contains(&lues), "{lues}");
}

#[test]
fn no_filter_panics() {
    let (mut hasard, r) = (Hasard(11), regard(false));
    for i in 0..50_000 {
        let saine = SAINES[1 + i % 4];
        let mut texte = saine.trim_start_matches("_filter=").to_owned();
        for _ in 0..=hasard.moins_de(5) {
            hasard.gater(&mut texte);
        }
        let mut l = Lecture { regard: &r, valeurs: 0, codes: 0, textes: Vec::new() };
        if let Err(f) = filtre::lire(TypeFhir::HealthcareService, &texte, &mut l) {
            assert!(f.iter().all(|i| i.diagnostics.contains("colonne ")), "{texte}: {f:?}");
        }
    }
}

#[test]
fn deep_and_long_texts_are_refused_without_harm() {
    for texte in ["(", "not(", "location[", "((((name eq x or ", "_has:PractitionerRole:service:", "partof."]
    {
        let q = format!("_filter={}", texte.repeat(1_000));
        for t in TypeFhir::TOUS {
            assert!(lire(t, &q, &regard(false)).is_err(), "{texte}");
        }
    }
}
