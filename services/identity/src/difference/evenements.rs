//! Events that came and events that went between two states of a structure.

use std::collections::BTreeSet;

use ror_proto::identity::v1::EvenementFiness;

/// An event is what it says: FINESS renumbers its ids between editions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fait<'e> {
    date: &'e str,
    code: &'e str,
    etat_objet: &'e str,
    objet_lie: &'e str,
}

/// What two lists of events do not share.
#[derive(Debug, Default)]
pub(super) struct Ecart<'e> {
    nouveaux: Vec<Fait<'e>>,
    partis: Vec<Fait<'e>>,
}

impl<'e> Ecart<'e> {
    /// From the known events to the new ones.
    pub(super) fn entre(avant: &'e [EvenementFiness], apres: &'e [EvenementFiness]) -> Self {
        if avant == apres {
            return Self::default();
        }
        let (avant, apres) = (faits(avant), faits(apres));
        Self {
            nouveaux: apres.difference(&avant).copied().collect(),
            partis: avant.difference(&apres).copied().collect(),
        }
    }

    /// Codes of the new events, among these.
    pub(super) fn codes(&self, parmi: &[&str]) -> Vec<String> {
        distincts(self.nouveaux.iter().map(|fait| fait.code).filter(|code| parmi.contains(code)))
    }

    /// Latest date of the new events of these codes, empty when none.
    pub(super) fn derniere_date(&self, parmi: &[&str]) -> String {
        let retenus = self.nouveaux.iter().filter(|fait| parmi.contains(&fait.code));
        retenus.map(|fait| fait.date).max().unwrap_or_default().to_owned()
    }

    /// True when an event of another code came or went.
    pub(super) fn autres_que(&self, expliques: &[&str]) -> bool {
        self.nouveaux.iter().chain(&self.partis).any(|fait| !expliques.contains(&fait.code))
    }

    /// Codes of the new events, except these.
    pub(super) fn codes_sauf(&self, expliques: &[&str]) -> Vec<String> {
        distincts(self.nouveaux.iter().map(|fait| fait.code).filter(|code| !expliques.contains(code)))
    }
}

/// Codes present in a record, among these and, when given, at this date.
pub(super) fn presents(evenements: &[EvenementFiness], parmi: &[&str], date: Option<&str>) -> Vec<String> {
    let retenus = evenements.iter().filter(|e| date.is_none_or(|date| e.date == date));
    distincts(retenus.map(|e| e.code.as_str()).filter(|code| parmi.contains(code)))
}

fn faits(evenements: &[EvenementFiness]) -> BTreeSet<Fait<'_>> {
    evenements
        .iter()
        .map(|e| Fait { date: &e.date, code: &e.code, etat_objet: &e.etat_objet, objet_lie: &e.objet_lie })
        .collect()
}

fn distincts<'c>(codes: impl Iterator<Item = &'c str>) -> Vec<String> {
    codes.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}
