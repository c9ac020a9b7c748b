//! The nomenclatures in memory: the header of every version, and the content of the
//! current one of each canonical, ready for lookup, validation, expansion, translation.
//! The content of the others stays in the store.

pub mod filtre;
pub mod vue;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Bound,
    sync::Arc,
};

use ror_domaine::{
    ressource::{cle_nomenclature, id_nomenclature},
    vocabulaire::Rang,
};
use ror_proto::nomenclatures::v1::{EtatEdition, Nomenclature, Sorte};

use crate::domaine::{self, Edition};

pub use vue::{Appartenance, Regard, Vue};

/// The header of a version.
pub struct Entete {
    /// Without content.
    pub nomenclature: Nomenclature,
    /// Version of the aggregate.
    pub revision: u64,
    /// Where it stands among the versions of its canonical.
    pub rang: Rang,
    /// Code systems its codes come from.
    pub systemes: Vec<String>,
}

impl Entete {
    fn publiee(&self) -> bool {
        domaine::etat_effectif(&self.nomenclature) == EtatEdition::Publiee
    }
}

/// Every header by canonical and version, and the content of the current versions.
#[derive(Clone, Default)]
pub struct Index {
    entetes: BTreeMap<(String, String), Arc<Entete>>,
    vues: HashMap<String, Arc<Vue>>,
}

impl Index {
    /// Versions held.
    pub fn nombre(&self) -> usize {
        self.entetes.len()
    }

    /// Adds a version, or what became of it; an older state of it is ignored. Answers the
    /// id of the version that becomes current when it is another one, whose content is
    /// then to be added in its turn.
    pub fn poser(&mut self, e: &Edition) -> Option<String> {
        let n = &e.nomenclature;
        let cle = (n.canonique.clone(), n.version.clone());
        let connue = self.entetes.get(&cle).map_or(0, |c| c.revision);
        if connue > e.version {
            return None;
        }
        if connue < e.version {
            let vue = Vue::nouvelle(n, e.version);
            let entete = Entete {
                nomenclature: vue.entete.clone(),
                revision: e.version,
                rang: Rang::de(n),
                systemes: vue.systemes(),
            };
            self.entetes.insert(cle, Arc::new(entete));
            return self.accorder(&n.canonique, Some(vue));
        }
        let entete = self.entetes.get(&cle)?;
        let tenu = self.vues.get(&n.canonique).is_some_and(|v| v.est(entete));
        if tenu { None } else { self.accorder(&n.canonique, Some(Vue::nouvelle(n, e.version))) }
    }

    /// Holds the content of the current version of a canonical: that of `offerte`, or the one held.
    fn accorder(&mut self, canonique: &str, offerte: Option<Vue>) -> Option<String> {
        let Some(courante) = self.courante(canonique).cloned() else {
            self.vues.remove(canonique);
            return None;
        };
        if let Some(v) = offerte.filter(|v| v.est(&courante)) {
            self.vues.insert(canonique.to_owned(), Arc::new(v));
        }
        self.manquant(&courante)
    }

    /// The id of a current version whose content is not the one held.
    fn manquant(&self, courante: &Entete) -> Option<String> {
        let n = &courante.nomenclature;
        let tenu = self.vues.get(&n.canonique).is_some_and(|v| v.est(courante));
        (!tenu).then(|| id_nomenclature(&n.canonique, &n.version))
    }

    /// The ids of the current versions whose content is to be added.
    pub fn manquants(&self) -> Vec<String> {
        let canoniques: BTreeSet<&str> = self.entetes.keys().map(|(c, _)| c.as_str()).collect();
        canoniques.into_iter().filter_map(|c| self.courante(c)).filter_map(|e| self.manquant(e)).collect()
    }

    /// Headers of the versions of a canonical.
    pub fn versions(&self, canonique: &str) -> impl Iterator<Item = &Arc<Entete>> {
        let debut = (canonique.to_owned(), String::new());
        self.entetes.range(debut..).take_while(move |((c, _), _)| c == canonique).map(|(_, e)| e)
    }

    /// Header of a version.
    pub fn entete(&self, canonique: &str, version: &str) -> Option<&Arc<Entete>> {
        self.entetes.get(&(canonique.to_owned(), version.to_owned()))
    }

    /// Header of the newest published version.
    pub fn courante(&self, canonique: &str) -> Option<&Arc<Entete>> {
        self.versions(canonique).filter(|e| e.publiee()).max_by_key(|e| e.rang)
    }

    /// Header of the newest published version older than this place.
    pub fn precedente(&self, canonique: &str, rang: Rang) -> Option<&Arc<Entete>> {
        self.versions(canonique).filter(|e| e.publiee() && e.rang < rang).max_by_key(|e| e.rang)
    }

    /// Header of the newest draft.
    pub fn brouillon(&self, canonique: &str) -> Option<&Arc<Entete>> {
        let brouillon = |e: &&Arc<Entete>| e.nomenclature.etat() == EtatEdition::Brouillon;
        self.versions(canonique).filter(brouillon).max_by_key(|e| e.rang)
    }

    /// Header of the version in force at an ISO date, `jour` being today. The codes of a
    /// TRE carry their own dates: its current version answers for all. A code leaves a
    /// JDV without a date: at a past date, the version that was then current answers.
    pub fn en_vigueur(&self, canonique: &str, date: &str, jour: &str) -> Option<&Arc<Entete>> {
        let courante = self.courante(canonique)?;
        if courante.nomenclature.sorte() != Sorte::Jdv || date >= jour {
            return Some(courante);
        }
        let datees =
            || self.versions(canonique).filter(|e| e.publiee()).filter_map(|e| Some((e.rang.jour()?, e)));
        let alors = datees().filter(|(j, _)| j.as_str() <= date).max_by_key(|(_, e)| e.rang);
        alors.or_else(|| datees().min_by_key(|(_, e)| e.rang)).map_or(Some(courante), |(_, e)| Some(e))
    }

    /// A header as told: whether it is the current version is known here only.
    pub fn dire(&self, e: &Entete) -> Nomenclature {
        Nomenclature { courante: self.est_courante(e), ..e.nomenclature.clone() }
    }

    /// Whether a version is the current one of its canonical.
    pub fn est_courante(&self, e: &Entete) -> bool {
        let n = &e.nomenclature;
        self.courante(&n.canonique).is_some_and(|c| c.nomenclature.version == n.version)
    }

    /// Every header after the id `apres`, ordered by canonical and version.
    pub fn apres(&self, apres: &str) -> impl Iterator<Item = &Arc<Entete>> {
        let debut =
            if apres.is_empty() { Bound::Unbounded } else { Bound::Excluded(cle_nomenclature(apres)) };
        self.entetes.range((debut, Bound::Unbounded)).map(|(_, e)| e)
    }

    /// The content of the current version; `<canonical>?vs` names the whole of a code system.
    pub fn vue(&self, canonique: &str) -> Option<&Arc<Vue>> {
        self.vues.get(canonique).or_else(|| self.vues.get(canonique.strip_suffix("?vs")?))
    }

    /// The content of the current version of a code system.
    pub fn systeme(&self, canonique: &str) -> Option<&Arc<Vue>> {
        self.vues.get(canonique).filter(|v| v.entete.sorte() == Sorte::Tre)
    }

    /// The content of the current associations, ordered by canonical.
    pub fn associations(&self) -> Vec<&Arc<Vue>> {
        let mut v: Vec<_> = self.vues.values().filter(|v| v.entete.sorte() == Sorte::Ass).collect();
        v.sort_by(|a, b| a.entete.canonique.cmp(&b.entete.canonique));
        v
    }

    /// A version with the code systems its members come from.
    pub fn regard<'v>(&self, vue: &'v Vue) -> Regard<'v> {
        Regard::nouveau(vue, |s| self.systeme(s).cloned())
    }
}

#[cfg(test)]
mod tests;
