//! Postings: for each parameter, code to the rows that carry it, by code system.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
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

/// Rows that carry one code. Most codes are identifiers, carried by one row: no set for them.
enum Postes {
    Un(u16, u32),
    Plusieurs(Vec<(u16, RoaringBitmap)>),
}

impl Postes {
    fn ajouter(&mut self, systeme: u16, rang: u32) {
        if let Self::Un(s, r) = *self {
            if (s, r) == (systeme, rang) {
                return;
            }
            *self = Self::Plusieurs(vec![(s, RoaringBitmap::from_iter([r]))]);
        }
        if let Self::Plusieurs(v) = self {
            match v.iter_mut().find(|(x, _)| *x == systeme) {
                Some((_, b)) => {
                    b.insert(rang);
                }
                None => v.push((systeme, RoaringBitmap::from_iter([rang]))),
            }
        }
    }

    /// True when nothing is left.
    fn retirer(&mut self, systeme: u16, rang: u32) -> bool {
        match self {
            Self::Un(s, r) => (*s, *r) == (systeme, rang),
            Self::Plusieurs(v) => {
                for (x, b) in v.iter_mut() {
                    if *x == systeme {
                        b.remove(rang);
                    }
                }
                v.retain(|(_, b)| !b.is_empty());
                v.is_empty()
            }
        }
    }

    /// Adds its rows of the systems wanted.
    fn verser(&self, voulu: impl Fn(u16) -> bool, dans: &mut RoaringBitmap) {
        match self {
            Self::Un(s, r) if voulu(*s) => {
                dans.insert(*r);
            }
            Self::Un(..) => {}
            Self::Plusieurs(v) => v.iter().filter(|(s, _)| voulu(*s)).for_each(|(_, b)| *dans |= b),
        }
    }
}

/// Postings of one table.
#[derive(Default)]
pub struct Index {
    systemes: Vec<Box<str>>,
    par_code: [HashMap<Box<str>, Postes, RandomState>; PARAMS],
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

    fn est(&self, numero: u16, systeme: &str) -> bool {
        self.systemes[usize::from(numero)].as_ref() == systeme
    }

    /// Whether any posting ever named this system.
    pub fn systeme_connu(&self, s: &str) -> bool {
        self.systemes.iter().any(|x| x.as_ref() == s)
    }

    /// Adds a row to a posting.
    pub fn ajouter(&mut self, cle: &Cle, rang: u32) {
        let s = self.systeme(&cle.systeme);
        let codes = &mut self.par_code[cle.param as usize];
        match codes.get_mut(cle.code.as_str()) {
            Some(p) => p.ajouter(s, rang),
            None => {
                codes.insert(cle.code.as_str().into(), Postes::Un(s, rang));
            }
        }
    }

    /// Removes a row from a posting.
    pub fn retirer(&mut self, cle: &Cle, rang: u32) {
        let s = self.systeme(&cle.systeme);
        let codes = &mut self.par_code[cle.param as usize];
        if codes.get_mut(cle.code.as_str()).is_some_and(|p| p.retirer(s, rang)) {
            codes.remove(cle.code.as_str());
        }
    }

    /// Rows that carry a code; any system when none is given.
    pub fn chercher(&self, param: Param, systeme: Option<&str>, code: &str) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        if let Some(p) = self.par_code[param as usize].get(code) {
            p.verser(|s| systeme.is_none_or(|x| self.est(s, x)), &mut r);
        }
        r
    }

    /// Rows that carry any code of a system.
    pub fn chercher_systeme(&self, param: Param, systeme: &str) -> RoaringBitmap {
        let mut r = RoaringBitmap::new();
        for p in self.par_code[param as usize].values() {
            p.verser(|s| self.est(s, systeme), &mut r);
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
            .map(|(c, p)| {
                let mut r = RoaringBitmap::new();
                p.verser(|_| true, &mut r);
                (c.to_string(), r.intersection_len(parmi))
            })
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
