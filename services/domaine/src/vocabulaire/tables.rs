//! The tables at one moment: code systems, value sets, associations, the current
//! published version of each, packed.

use std::{
    hash::{BuildHasher, Hash, Hasher},
    sync::Arc,
};

use ror_proto::{
    common::v1::Code,
    nomenclatures::v1::{Concept as Publie, EtatEdition, Nomenclature, Rigueur, Sorte},
};

use super::{
    association::{Association, Cible},
    rang::Rang,
    textes::{Lexique, Textes},
};
use crate::liaisons::Liaison;

/// Looked up for each code written or rendered: a fast hash, of our own keys only.
type HashMap<C, V> = std::collections::HashMap<C, V, foldhash::fast::FixedState>;

/// What a check is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Entry by a user or a national feed.
    #[default]
    Saisie,
    /// Migration of a regional instance.
    Migration,
}

/// What the local copy thinks of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Avis {
    /// A member, valid at the date, or nothing proves the contrary.
    Valide,
    /// Wrong, but the value set is lenient in this mode: to be told as a quality anomaly.
    Tolere(Motif),
    /// Wrong.
    Refuse(Motif),
}

/// Why a code is not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Motif {
    /// Stable rule id: code-manquant, code-inconnu, systeme-inconnu, code-hors-date.
    pub regle: &'static str,
    /// French sentence.
    pub message: String,
}

/// A concept as kept in memory.
#[derive(Clone, Copy, Debug)]
pub struct Concept<'a> {
    /// French label.
    pub libelle: &'a str,
}

/// Days of validity as numbers (20261121), both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Periode {
    du: u32,
    au: u32,
}

const TOUJOURS: Periode = Periode { du: 0, au: u32::MAX };

impl Periode {
    /// Known dates decide; a code retired without a known end is valid at no date.
    fn de(c: &Publie) -> Self {
        let au = match jour(&c.valide_au) {
            Some(au) => au,
            None if c.statut == "retired" => 0,
            None => u32::MAX,
        };
        Self { du: jour(&c.valide_du).unwrap_or(0), au }
    }
}

/// An ISO date as a number that orders as it does.
fn jour(date: &str) -> Option<u32> {
    let mut n = 0u32;
    for b in date.bytes().filter(|b| *b != b'-') {
        let chiffre = b.is_ascii_digit().then(|| u32::from(b - b'0'))?;
        n = n.checked_mul(10)?.checked_add(chiffre)?;
    }
    (n > 0).then_some(n)
}

#[derive(Debug)]
struct Systeme {
    complete: bool,
    version: Box<str>,
    rang: Rang,
    codes: Lexique,
    libelles: Textes,
    /// Empty when every code is valid at every date.
    periodes: Box<[Periode]>,
}

impl Systeme {
    fn periode(&self, code: &str) -> Option<Periode> {
        let rang = self.codes.rang(code)?;
        Some(self.periodes.get(rang as usize).copied().unwrap_or(TOUJOURS))
    }
}

#[derive(Debug)]
struct Jeu {
    complete: bool,
    version: Box<str>,
    rang: Rang,
    souple_saisie: bool,
    souple_migration: bool,
    /// Codes by code system, few of them.
    membres: Vec<(Box<str>, Lexique)>,
}

/// The tables at one moment.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    systemes: HashMap<Box<str>, Arc<Systeme>>,
    jeux: HashMap<Box<str>, Arc<Jeu>>,
    associations: HashMap<Box<str>, Arc<Association>>,
}

impl Tables {
    /// Adds or replaces a nomenclature. A draft, a retired version, or an older version
    /// than the one held changes nothing.
    pub fn poser(&mut self, n: &Nomenclature) {
        let rang = Rang::de(n);
        if !publiee(n) || self.rang(&n.canonique).is_some_and(|connu| connu > rang) {
            return;
        }
        let cle: Box<str> = n.canonique.as_str().into();
        match n.sorte() {
            Sorte::Tre => {
                self.systemes.insert(cle, Arc::new(systeme(n, rang)));
            }
            Sorte::Jdv => {
                self.jeux.insert(cle, Arc::new(jeu(n, rang)));
            }
            Sorte::Ass => {
                self.associations.insert(cle, Arc::new(Association::nouvelle(n, rang)));
            }
            Sorte::Unspecified => {}
        }
    }

    /// Forgets a canonical.
    pub fn oter(&mut self, canonique: &str) {
        self.systemes.remove(canonique);
        self.jeux.remove(canonique);
        self.associations.remove(canonique);
    }

    fn rang(&self, canonique: &str) -> Option<Rang> {
        let systeme = self.systemes.get(canonique).map(|s| s.rang);
        let jeu = || self.jeux.get(canonique).map(|j| j.rang);
        systeme.or_else(jeu).or_else(|| self.associations.get(canonique).map(|a| a.rang()))
    }

    /// The version held of a canonical of any kind.
    pub fn version(&self, canonique: &str) -> Option<&str> {
        let systeme = self.systemes.get(canonique).map(|s| s.version.as_ref());
        let jeu = || self.jeux.get(canonique).map(|j| j.version.as_ref());
        systeme.or_else(jeu).or_else(|| self.associations.get(canonique).map(|a| a.version()))
    }

    /// French label of a code.
    pub fn libelle(&self, systeme: &str, code: &str) -> Option<&str> {
        let s = self.systemes.get(systeme)?;
        s.codes.rang(code).map(|rang| s.libelles.lire(rang))
    }

    /// Canonicals of the code systems held, in no order.
    pub fn systemes(&self) -> impl Iterator<Item = &str> {
        self.systemes.keys().map(|s| &**s)
    }

    /// Codes of a system with their labels, in the order published.
    pub fn concepts(&self, systeme: &str) -> impl Iterator<Item = (&str, Concept<'_>)> {
        self.systemes.get(systeme).into_iter().flat_map(|s| {
            let libelles = &s.libelles;
            s.codes
                .tous()
                .zip(0u32..)
                .map(move |(code, rang)| (code, Concept { libelle: libelles.lire(rang) }))
        })
    }

    /// Of all that [`Self::libelle`] may answer: tables that answer alike have the same, within one build.
    pub fn empreinte_libelles(&self) -> u64 {
        let mut systemes: Vec<&str> = self.systemes().collect();
        systemes.sort_unstable();
        let mut empreinte = foldhash::fast::FixedState::default().build_hasher();
        for systeme in systemes {
            (systeme, self.concepts(systeme).count()).hash(&mut empreinte);
            for (code, concept) in self.concepts(systeme) {
                (code, concept.libelle).hash(&mut empreinte);
            }
        }
        empreinte.finish()
    }

    /// Whether anything was loaded.
    pub fn est_vide(&self) -> bool {
        self.systemes.is_empty()
    }

    /// Completeness and version of a code system.
    pub fn systeme(&self, canonique: &str) -> Option<(bool, &str)> {
        self.systemes.get(canonique).map(|s| (s.complete, s.version.as_ref()))
    }

    /// Whether the code belongs to the value set at the date (ISO), as for entry. A list
    /// that was not read whole never proves a code wrong. Allocates nothing when it does.
    pub fn valider(&self, liaison: Liaison, code: &Code, date: &str) -> Result<(), Motif> {
        match self.verifier(liaison.canonique, liaison.nom, code, date, Mode::Saisie) {
            Avis::Valide | Avis::Tolere(_) => Ok(()),
            Avis::Refuse(motif) => Err(motif),
        }
    }

    /// What to think of a code of the value set `canonique`, called `nom` for people, at the
    /// date (ISO), in a mode. An unknown or ended code of a known system is tolerated where
    /// the value set is lenient; a missing code and an unknown system never are.
    pub fn verifier(&self, canonique: &str, nom: &str, code: &Code, date: &str, mode: Mode) -> Avis {
        if code.code.is_empty() {
            return Avis::Refuse(Motif { regle: "code-manquant", message: "Le code manque.".into() });
        }
        let Some(jeu) = self.jeux.get(canonique) else { return Avis::Valide };
        let codes =
            jeu.membres.iter().find(|(systeme, _)| **systeme == *code.systeme).map(|(_, codes)| codes);
        let (regle, message) = match codes.map(|c| c.rang(&code.code).is_some()) {
            Some(true) => {
                match self.systemes.get(code.systeme.as_str()).and_then(|s| s.periode(&code.code)) {
                    Some(p) if jour(date).is_some_and(|j| j < p.du || j > p.au) => (
                        "code-hors-date",
                        format!("Le code « {} » de {nom} n'est pas valide le {date}.", code.code),
                    ),
                    _ => return Avis::Valide,
                }
            }
            Some(false) if jeu.complete => {
                ("code-inconnu", format!("Le code « {} » n'est pas dans {nom}.", code.code))
            }
            None if !jeu.membres.is_empty() => {
                let message = format!("Le système « {} » n'est pas une source de {nom}.", code.systeme);
                return Avis::Refuse(Motif { regle: "systeme-inconnu", message });
            }
            _ => return Avis::Valide,
        };
        let souple = match mode {
            Mode::Saisie => jeu.souple_saisie,
            Mode::Migration => jeu.souple_migration,
        };
        let motif = Motif { regle, message };
        if souple { Avis::Tolere(motif) } else { Avis::Refuse(motif) }
    }

    /// What an association table gives for a code, in the order published.
    pub fn traduire(&self, association: &str, systeme: &str, code: &str) -> impl Iterator<Item = Cible<'_>> {
        self.associations.get(association).into_iter().flat_map(move |a| a.cibles(systeme, code))
    }

    /// The members of a value set, at most `n`, for "what would be accepted".
    pub fn exemples(&self, liaison: Liaison, n: usize) -> String {
        let Some(jeu) = self.jeux.get(liaison.canonique) else {
            return format!("un code de {}", liaison.nom);
        };
        let mut codes: Vec<&str> = jeu.membres.iter().flat_map(|(_, codes)| codes.tous()).collect();
        codes.sort_unstable();
        let reste = codes.len().saturating_sub(n);
        codes.truncate(n);
        let suite = if reste > 0 { format!(" et {reste} autres") } else { String::new() };
        format!("un code de {} : {}{suite}", liaison.nom, codes.join(", "))
    }
}

/// Whether a version may validate; states that precede governance were all published.
pub fn publiee(n: &Nomenclature) -> bool {
    matches!(n.etat(), EtatEdition::Publiee | EtatEdition::Unspecified)
}

fn systeme(n: &Nomenclature, rang: Rang) -> Systeme {
    let periodes: Vec<Periode> = n.concepts.iter().map(Periode::de).collect();
    let periodes = if periodes.iter().all(|p| *p == TOUJOURS) { Vec::new() } else { periodes };
    Systeme {
        complete: n.complete,
        version: n.version.as_str().into(),
        rang,
        codes: Lexique::nouveau(n.concepts.iter().map(|c| c.code.as_str())),
        libelles: Textes::nouveaux(n.concepts.iter().map(|c| c.libelle.as_str())),
        periodes: periodes.into(),
    }
}

fn jeu(n: &Nomenclature, rang: Rang) -> Jeu {
    let mut par_systeme: Vec<(&str, Vec<&str>)> = Vec::new();
    for c in &n.concepts {
        match par_systeme.iter_mut().find(|(s, _)| *s == c.systeme) {
            Some((_, codes)) => codes.push(c.code.as_str()),
            None => par_systeme.push((c.systeme.as_str(), vec![c.code.as_str()])),
        }
    }
    Jeu {
        complete: n.complete,
        version: n.version.as_str().into(),
        rang,
        souple_saisie: n.rigueur_saisie() == Rigueur::Souple,
        souple_migration: n.rigueur_migration() != Rigueur::Stricte,
        membres: par_systeme
            .into_iter()
            .map(|(s, codes)| (s.into(), Lexique::nouveau(codes.into_iter())))
            .collect(),
    }
}
