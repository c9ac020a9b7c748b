//! Postings: for each parameter, code to the rows that carry it, by code system.

use std::collections::{BTreeMap, HashMap};

use roaring::RoaringBitmap;

/// Indexed token parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Param {
    /// Business identifiers.
    Identifier,
    /// Region tag.
    Tag,
    /// Organization.type, Location.type.
    Type,
    /// Offer activities and family.
    Specialty,
    /// typeOffre.
    ServiceCategory,
    /// champActivite.
    ServiceType,
    /// Characteristics every profile that sees the offer sees.
    Characteristic,
    /// Characteristics of the block offre.fine.
    CharacteristicFine,
    /// Commune of a place.
    CommuneCog,
    /// Native status of a place.
    Status,
}

const PARAMS: usize = 10;

/// One posting of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cle {
    /// Parameter.
    pub param: Param,
    /// Code system, normalised.
    pub systeme: String,
    /// Code.
    pub code: String,
}

/// Code systems that published requests write in several ways.
pub fn normaliser_systeme(s: &str) -> String {
    let s = s.trim();
    let mut s = s.strip_prefix("http://").map_or_else(|| s.to_owned(), |r| format!("https://{r}"));
    if s.contains("R13-Commune") && !s.contains("R13-CommuneOM") {
        s = s.replace("R13-Commune", "R13-CommuneOM");
    }
    if s.contains("TRE_R345_") {
        s = s.replace("TRE_R345_", "TRE_R345-");
    }
    s
}

/// Postings of one table.
#[derive(Default)]
pub struct Index {
    systemes: Vec<Box<str>>,
    par_code: [HashMap<Box<str>, Vec<(u16, RoaringBitmap)>>; PARAMS],
    /// Postal codes, for prefixes.
    pub postal: BTreeMap<Box<str>, RoaringBitmap>,
}

impl Index {
    fn systeme(&mut self, s: &str) -> u16 {
        match self.systemes.iter().position(|x| x.as_ref() == s) {
            Some(i) => i as u16,
            None => {
                self.systemes.push(s.into());
                (self.systemes.len() - 1) as u16
            }
        }
    }

    /// Whether any posting ever named this system.
    pub fn systeme_connu(&self, s: &str) -> bool {
        self.systemes.iter().any(|x| x.as_ref() == s)
    }

    /// Adds a row to a posting.
    pub fn ajouter(&mut self, cle: &Cle, rang: u32) {
        let s = self.systeme(&cle.systeme);
        let postes = self.par_code[cle.param as usize].entry(cle.code.as_str().into()).or_default();
        match postes.iter_mut().find(|(x, _)| *x == s) {
            Some((_, b)) => {
                b.insert(rang);
            }
            None => postes.push((s, RoaringBitmap::from_iter([rang]))),
        }
    }

    /// Removes a row from a posting.
    pub fn retirer(&mut self, cle: &Cle, rang: u32) {
        let s = self.systeme(&cle.systeme);
        if let Some(postes) = self.par_code[cle.param as usize].get_mut(cle.code.as_str()) {
            for (x, b) in postes.iter_mut() {
                if *x == s {
                    b.remove(rang);
                }
            }
            postes.retain(|(_, b)| !b.is_empty());
            if postes.is_empty() {
                self.par_code[cle.param as usize].remove(cle.code.as_str());
            }
        }
    }

    /// Rows that carry a code; any system when none is given.
    pub fn chercher(&self, param: Param, systeme: Option<&str>, code: &str) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        for (s, b) in self.par_code[param as usize].get(code).into_iter().flatten() {
            if systeme.is_none_or(|x| self.systemes[*s as usize].as_ref() == x) {
                r |= b;
            }
        }
        r
    }

    /// Rows that carry any code of a system.
    pub fn chercher_systeme(&self, param: Param, systeme: &str) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        for (s, b) in self.par_code[param as usize].values().flatten() {
            if self.systemes[*s as usize].as_ref() == systeme {
                r |= b;
            }
        }
        r
    }

    /// Rows whose postal code starts with a prefix.
    pub fn code_postal(&self, prefixe: &str) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        for (_, b) in self
            .postal
            .range::<str, _>((std::ops::Bound::Included(prefixe), std::ops::Bound::Unbounded))
            .take_while(|(c, _)| c.starts_with(prefixe))
        {
            r |= b;
        }
        r
    }

    /// Adds or removes a row under its postal code.
    pub fn poser_code_postal(&mut self, code: &str, rang: u32, present: bool) {
        if code.is_empty() {
            return;
        }
        if present {
            self.postal.entry(code.into()).or_default().insert(rang);
        } else if let Some(b) = self.postal.get_mut(code) {
            b.remove(rang);
            if b.is_empty() {
                self.postal.remove(code);
            }
        }
    }

    /// Codes of a parameter with how many of these rows carry each, most first.
    pub fn frequences(&self, param: Param, parmi: &RoaringBitmap) -> Vec<(String, u64)> {
        let mut v: Vec<(String, u64)> = self.par_code[param as usize]
            .iter()
            .map(|(c, p)| (c.to_string(), p.iter().map(|(_, b)| b.intersection_len(parmi)).sum()))
            .filter(|(_, n)| *n > 0)
            .collect();
        v.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        v
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spellings_of_one_system_are_one() {
        let a = normaliser_systeme("https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune");
        let b = normaliser_systeme("https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM");
        assert_eq!(a, b);
        assert_eq!(normaliser_systeme("http://sirene.fr"), "https://sirene.fr");
    }
}
