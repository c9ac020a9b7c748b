//! One version of a nomenclature, packed: texts in a few allocations, what most codes do
//! not have in columns that are empty when none has it.

use std::ops::Range;

use ror_domaine::{ressource::id_nomenclature, vocabulaire::Rang};
use ror_proto::nomenclatures::v1::{Concept, Nomenclature};

use super::{
    Genre,
    colonnes::{Jour, Paires, Propriete, Proprietes, Vie, jour},
    textes::{Textes, court, plier},
};
use crate::fhir::canoniques::systeme_retenu;

/// A published version.
#[derive(Debug)]
pub struct Edition {
    /// FHIR type.
    pub genre: Genre,
    /// Header: the nomenclature without its content.
    pub entete: Nomenclature,
    /// Where it stands among the versions of its canonical.
    pub rang: Rang,
    /// Code systems, in the order they first appear.
    systemes: Vec<Box<str>>,
    /// Where the codes of each system end.
    bornes: Vec<u32>,
    codes: Textes,
    libelles: Textes,
    courts: Textes,
    longs: Textes,
    definitions: Textes,
    /// Labels folded for the filters.
    plies: Textes,
    /// Empty when no code says anything of its life.
    vies: Box<[Vie]>,
    /// Ranks by code system and code.
    tries: Box<[u32]>,
    proprietes: Proprietes,
    paires: Paires,
    sans_libelle: bool,
}

impl Edition {
    /// Packs a version. Codes are by code system, then in the order published.
    pub fn nouvelle(genre: Genre, mut n: Nomenclature) -> Self {
        let concepts = std::mem::take(&mut n.concepts);
        let associations = std::mem::take(&mut n.associations);
        n.nombre = court(concepts.len() + associations.len());
        let mut systemes: Vec<Box<str>> = Vec::new();
        let mut places: Vec<(usize, &Concept)> =
            concepts.iter().map(|c| (groupe_du_concept(&mut systemes, c, &n.canonique), c)).collect();
        // Stable: within a code system, as published.
        places.sort_by_key(|(groupe, _)| *groupe);
        let bornes = (0..systemes.len()).map(|g| court(places.partition_point(|(p, _)| *p <= g))).collect();
        let cle = |rang: u32| places.get(rang as usize).map(|(groupe, c)| (*groupe, c.code.as_str()));
        let mut tries: Vec<u32> = (0..court(places.len())).collect();
        tries.sort_by(|a, b| cle(*a).cmp(&cle(*b)));
        let membres: Vec<&Concept> = places.iter().map(|(_, c)| *c).collect();
        Self {
            genre,
            rang: Rang::de(&n),
            bornes,
            codes: colonne(&membres, |c| c.code.as_str()),
            libelles: colonne(&membres, |c| c.libelle.as_str()),
            courts: colonne(&membres, |c| c.libelle_court.as_str()),
            longs: colonne(&membres, |c| c.libelle_long.as_str()),
            definitions: colonne(&membres, |c| c.definition.as_str()),
            plies: Textes::nouveaux(membres.iter().map(|c| plies(c))),
            vies: vies(&membres),
            tries: tries.into(),
            proprietes: Proprietes::nouvelles(&membres),
            paires: Paires::nouvelles(&associations),
            sans_libelle: membres.iter().any(|c| c.libelle.is_empty()),
            systemes,
            entete: n,
        }
    }

    /// Canonical and version.
    pub fn cle(&self) -> (String, String) {
        (self.entete.canonique.clone(), self.entete.version.clone())
    }

    /// Canonical and version as one text.
    pub fn id_metier(&self) -> String {
        id_nomenclature(&self.entete.canonique, &self.entete.version)
    }

    /// Instant of the last change, milliseconds since 1970.
    pub fn maj(&self) -> i64 {
        let date = self.entete.meta.as_ref().and_then(|m| m.date_maj.as_ref());
        date.map_or(0, |d| d.seconds * 1000 + i64::from(d.nanos / 1_000_000))
    }

    /// What tells a state of the resource from another. The version of the aggregate would not:
    /// one id shows the current version, whichever it becomes.
    pub fn etiquette(&self) -> String {
        self.maj().to_string()
    }

    /// Name for people.
    pub fn titre(&self) -> &str {
        let n = &self.entete;
        [&n.titre, &n.nom].into_iter().find(|t| !t.is_empty()).unwrap_or(&n.canonique)
    }

    /// Number of codes.
    pub fn nombre(&self) -> u32 {
        self.bornes.last().copied().unwrap_or(0)
    }

    /// Code systems, in the order they first appear.
    pub fn systemes(&self) -> impl Iterator<Item = &str> {
        self.systemes.iter().map(|s| &**s)
    }

    /// The place of a code system, whatever accepted spelling names it.
    pub fn groupe_de(&self, systeme: &str) -> Option<usize> {
        let exact = |s: &str| self.systemes.iter().position(|connu| **connu == *s);
        exact(systeme).or_else(|| exact(systeme_retenu(systeme)))
    }

    /// The code system at a place.
    pub fn systeme(&self, groupe: usize) -> &str {
        self.systemes.get(groupe).map_or("", |s| &**s)
    }

    /// The place of the code system of a code.
    pub fn groupe(&self, rang: u32) -> usize {
        self.bornes.partition_point(|b| *b <= rang)
    }

    /// Ranks of the codes of a system.
    pub fn plage(&self, groupe: usize) -> Range<u32> {
        let debut = groupe.checked_sub(1).and_then(|g| self.bornes.get(g)).copied().unwrap_or(0);
        debut..self.bornes.get(groupe).copied().unwrap_or(debut)
    }

    /// The rank of a code of a system.
    pub fn chercher(&self, groupe: usize, code: &str) -> Option<u32> {
        let plage = self.plage(groupe);
        let tries = self.tries.get(plage.start as usize..plage.end as usize)?;
        let place = tries.binary_search_by(|rang| self.code(*rang).cmp(code)).ok()?;
        tries.get(place).copied()
    }

    /// Code.
    pub fn code(&self, rang: u32) -> &str {
        self.codes.lire(rang)
    }

    /// Label.
    pub fn libelle(&self, rang: u32) -> &str {
        self.libelles.lire(rang)
    }

    /// Libellé court.
    pub fn libelle_court(&self, rang: u32) -> &str {
        self.courts.lire(rang)
    }

    /// Libellé long.
    pub fn libelle_long(&self, rang: u32) -> &str {
        self.longs.lire(rang)
    }

    /// Definition.
    pub fn definition(&self, rang: u32) -> &str {
        self.definitions.lire(rang)
    }

    /// The folded labels, all of them.
    pub fn plies(&self) -> &Textes {
        &self.plies
    }

    /// Status and dates.
    pub fn vie(&self, rang: u32) -> Vie {
        self.vies.get(rang as usize).copied().unwrap_or(Vie::SIMPLE)
    }

    /// Whether some code has a status or dates of its own.
    pub fn datee(&self) -> bool {
        !self.vies.is_empty()
    }

    /// Whether some code has no label of its own.
    pub fn sans_libelle(&self) -> bool {
        self.sans_libelle
    }

    /// Properties of a code.
    pub fn proprietes(&self, rang: u32) -> impl Iterator<Item = Propriete<'_>> {
        self.proprietes.de(rang)
    }

    /// Distinct properties: code and type.
    pub fn natures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.proprietes.natures()
    }

    /// Codes whose parent is this one.
    pub fn enfants(&self, code: &str) -> impl Iterator<Item = &str> {
        let enfant = move |(_, p): &(u32, Propriete<'_>)| p.code == PARENT && p.valeur == code;
        self.proprietes.depuis(0).filter(enfant).map(move |(rang, _)| self.code(rang))
    }

    /// The pairs of an association table.
    pub fn paires(&self) -> &Paires {
        &self.paires
    }

    /// The day its timestamp names, 0 when it has none.
    pub fn jour(&self) -> Jour {
        self.rang.jour().map_or(0, |j| jour(&j))
    }

    /// Bytes held, but for the header and the few distinct systems.
    pub fn poids(&self) -> usize {
        let textes = [&self.codes, &self.libelles, &self.courts, &self.longs, &self.definitions, &self.plies];
        textes.iter().map(|t| t.poids()).sum::<usize>()
            + size_of_val(&*self.vies)
            + size_of_val(&*self.tries)
            + self.proprietes.poids()
            + self.paires.poids()
    }
}

/// The property that names the code above.
const PARENT: &str = "parent";

fn groupe_du_concept(systemes: &mut Vec<Box<str>>, c: &Concept, canonique: &str) -> usize {
    let systeme: &str = if c.systeme.is_empty() { canonique } else { &c.systeme };
    systemes.iter().position(|s| **s == *systeme).unwrap_or_else(|| {
        systemes.push(systeme.into());
        systemes.len() - 1
    })
}

fn colonne(membres: &[&Concept], lire: fn(&Concept) -> &str) -> Textes {
    Textes::nouveaux(membres.iter().map(|c| lire(c)))
}

fn plies(c: &Concept) -> String {
    plier(&[&c.libelle, &c.libelle_court, &c.libelle_long])
}

fn vies(membres: &[&Concept]) -> Box<[Vie]> {
    let vies: Vec<Vie> = membres.iter().map(|c| Vie::de(c)).collect();
    if vies.iter().all(|v| *v == Vie::SIMPLE) { Box::default() } else { vies.into() }
}
