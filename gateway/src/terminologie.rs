//! The nomenclatures as a terminology service: every published version in memory, kept
//! current by the events of `nomenclatures`. No call answers a question.
//!
//! [`edition`]: one version, packed. [`regard`]: a version with the code systems its codes
//! come from. [`parametres`]: what can be asked, one table. [`recherche`] and [`operations`]:
//! the questions.

mod colonnes;
pub mod demande;
pub mod edition;
pub mod operations;
pub mod parametres;
pub mod recherche;
pub mod regard;
mod suivi;
mod textes;

use std::{
    collections::{BTreeMap, HashMap},
    hash::{BuildHasher as _, Hash as _, Hasher as _},
    ops::Bound,
    sync::Arc,
};

use ror_domaine::{ressource::id_deterministe, vocabulaire::publiee};
use ror_proto::nomenclatures::v1::{Nomenclature, Sorte};

pub use colonnes::{Jour, Paire, Propriete, Vie, iso, jour};
pub use edition::Edition;
pub(crate) use suivi::SuiviTerminologie;

use crate::{fhir::canoniques::systeme_retenu, recherche::requete::id_conforme};

/// What names the whole of a code system, after its canonical.
pub const TOUT_LE_SYSTEME: &str = "?vs";

/// FHIR types of the nomenclatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Genre {
    /// TRE.
    CodeSystem,
    /// JDV.
    ValueSet,
    /// ASS.
    ConceptMap,
}

impl Genre {
    /// Every type.
    pub const TOUS: [Self; 3] = [Self::CodeSystem, Self::ValueSet, Self::ConceptMap];

    /// Name in URLs.
    pub fn nom(self) -> &'static str {
        match self {
            Self::CodeSystem => "CodeSystem",
            Self::ValueSet => "ValueSet",
            Self::ConceptMap => "ConceptMap",
        }
    }

    fn de(sorte: Sorte) -> Option<Self> {
        match sorte {
            Sorte::Tre => Some(Self::CodeSystem),
            Sorte::Jdv => Some(Self::ValueSet),
            Sorte::Ass => Some(Self::ConceptMap),
            Sorte::Unspecified => None,
        }
    }
}

/// Canonical and version.
type Cle = (String, String);

/// Every published version at one moment.
#[derive(Clone, Default)]
pub struct Terminologie {
    editions: BTreeMap<Cle, Arc<Edition>>,
    /// Last state seen of every version, hidden ones too: an older one changes nothing.
    vues: HashMap<Cle, u64>,
    /// What each id names; nothing when it could name two.
    ids: HashMap<(Genre, String), Option<Cle>>,
    empreinte: u64,
}

impl Terminologie {
    /// Takes the state of a version: published it is shown, in any other state it is not.
    /// [`Self::indexer`] is to be called after the last one.
    pub fn poser(&mut self, n: Nomenclature) {
        let vue = n.meta.as_ref().map_or(0, |m| m.version);
        let cle = (n.canonique.clone(), n.version.clone());
        if self.vues.get(&cle).is_some_and(|connue| *connue > vue) {
            return;
        }
        self.vues.insert(cle.clone(), vue);
        match Genre::de(n.sorte()).filter(|_| publiee(&n)) {
            Some(genre) => {
                self.editions.insert(cle, Arc::new(Edition::nouvelle(genre, n)));
            }
            None => {
                self.editions.remove(&cle);
            }
        }
    }

    /// Forgets a version.
    pub fn oter(&mut self, canonique: &str, version: &str) {
        self.editions.remove(&(canonique.to_owned(), version.to_owned()));
    }

    /// Names every version again.
    pub fn indexer(&mut self) {
        let mut ids: HashMap<(Genre, String), Option<Cle>> = HashMap::new();
        for e in self.editions.values() {
            for id in self.noms(e) {
                ids.entry((e.genre, id)).and_modify(|c| *c = None).or_insert_with(|| Some(e.cle()));
            }
        }
        self.ids = ids;
        let mut empreinte = foldhash::fast::FixedState::default().build_hasher();
        for cle in self.editions.iter().filter(|(_, e)| e.genre == Genre::ValueSet).map(|(cle, _)| cle) {
            (cle, self.vues.get(cle)).hash(&mut empreinte);
        }
        self.empreinte = empreinte.finish();
    }

    /// What tells these value sets from others, alike on every replica of a build.
    pub fn empreinte_jeux(&self) -> u64 {
        self.empreinte
    }

    /// Ids of a version, the preferred first. The current version of a canonical goes by the last
    /// segment of it, any version by that and its version; where these are no FHIR ids, or name
    /// two things, by an id computed from the whole.
    fn noms(&self, e: &Edition) -> Vec<String> {
        let n = &e.entete;
        let calcule = id_deterministe("nomenclature", &n.canonique);
        let segment = n.canonique.rsplit('/').next().unwrap_or_default();
        let base: &str = if id_conforme(segment) { segment } else { &calcule };
        let mut noms = Vec::new();
        if self.courante(e.genre, &n.canonique).is_some_and(|c| c.entete.version == n.version) {
            noms.extend([base.to_owned(), calcule.clone()]);
        }
        let versionne = format!("{base}--{}", n.version);
        if !n.version.is_empty() && id_conforme(&versionne) {
            noms.push(versionne);
        }
        noms.push(id_deterministe("nomenclature-version", &e.id_metier()));
        noms.dedup();
        noms
    }

    /// The id of a version.
    pub fn id(&self, e: &Edition) -> String {
        let cle = Some(e.cle());
        let sien = |id: &String| self.ids.get(&(e.genre, id.clone())) == Some(&cle);
        self.noms(e).into_iter().find(sien).unwrap_or_default()
    }

    /// The version an id names.
    pub fn par_id(&self, genre: Genre, id: &str) -> Option<&Arc<Edition>> {
        self.editions.get(self.ids.get(&(genre, id.to_owned()))?.as_ref()?)
    }

    /// Versions of a canonical, by version.
    pub fn versions(&self, genre: Genre, canonique: &str) -> impl Iterator<Item = &Arc<Edition>> {
        let debut = (canonique.to_owned(), String::new());
        let de_lui = self.editions.range(debut..).take_while(move |((c, _), _)| c == canonique);
        de_lui.map(|(_, e)| e).filter(move |e| e.genre == genre)
    }

    /// The newest version of a canonical.
    pub fn courante(&self, genre: Genre, canonique: &str) -> Option<&Arc<Edition>> {
        self.versions(genre, canonique).max_by_key(|e| e.rang)
    }

    /// The version of a canonical that a question names; without one, that in force on a day. The
    /// codes of a TRE carry their own dates: its current version answers for all. A code leaves a
    /// JDV without a date: at a past day, the version that was then current answers.
    pub fn demandee(&self, genre: Genre, canonique: &str, version: &str, q: Quand) -> Option<&Arc<Edition>> {
        if self.versions(genre, canonique).next().is_none() {
            let retenu = systeme_retenu(canonique);
            return if retenu == canonique { None } else { self.demandee(genre, retenu, version, q) };
        }
        if !version.is_empty() {
            return self.versions(genre, canonique).find(|e| e.entete.version == version);
        }
        let courante = self.courante(genre, canonique);
        if genre != Genre::ValueSet || q.jour >= q.aujourdhui {
            return courante;
        }
        let datees = || self.versions(genre, canonique).filter(|e| e.jour() > 0);
        let alors = datees().filter(|e| e.jour() <= q.jour).max_by_key(|e| e.rang);
        alors.or_else(|| datees().min_by_key(|e| e.rang)).or(courante)
    }

    /// The value set a question names: its version, and whether it is the whole of a code system.
    pub fn jeu(&self, canonique: &str, version: &str, q: Quand) -> Option<(&Arc<Edition>, bool)> {
        match self.demandee(Genre::ValueSet, canonique, version, q) {
            Some(e) => Some((e, false)),
            None => {
                let systeme = canonique.strip_suffix(TOUT_LE_SYSTEME)?;
                self.demandee(Genre::CodeSystem, systeme, version, q).map(|e| (e, true))
            }
        }
    }

    /// Codes of the current version of a value set, with their systems.
    pub fn codes_du_jeu(&self, canonique: &str) -> Option<Vec<(String, String)>> {
        let e = self.courante(Genre::ValueSet, canonique)?;
        let groupes = 0..e.systemes().count();
        let du_groupe = |g: usize| e.plage(g).map(move |r| (e.systeme(g).to_owned(), e.code(r).to_owned()));
        Some(groupes.flat_map(du_groupe).collect())
    }

    /// Versions of a type after a key, by canonical and version.
    pub fn toutes(&self, genre: Genre, apres: Option<Cle>) -> impl Iterator<Item = &Arc<Edition>> {
        let debut = apres.map_or(Bound::Unbounded, Bound::Excluded);
        self.editions.range((debut, Bound::Unbounded)).map(|(_, e)| e).filter(move |e| e.genre == genre)
    }

    /// The label of a code in the current version of its system, empty when unknown.
    pub fn libelle(&self, systeme: &str, code: &str) -> &str {
        let trouve = self.courante(Genre::CodeSystem, systeme).and_then(|e| {
            let rang = e.chercher(e.groupe_de(systeme)?, code)?;
            Some(e.libelle(rang))
        });
        trouve.unwrap_or_default()
    }

    /// Versions held.
    pub fn nombre(&self) -> usize {
        self.editions.len()
    }

    /// Bytes their content takes.
    pub fn poids(&self) -> usize {
        self.editions.values().map(|e| e.poids()).sum()
    }
}

/// The day a question is asked about, and the day it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quand {
    /// About.
    pub jour: Jour,
    /// Asked.
    pub aujourdhui: Jour,
}

#[cfg(test)]
mod tests;
