//! What the codes and the pairs of a version hold besides their texts, packed.

use ror_proto::nomenclatures::v1::{Association, Concept};

use super::textes::{Textes, court};

const STATUTS: [&str; 4] = ["draft", "active", "deprecated", "retired"];
/// Rank of "active": the status of a code that does not say.
const ACTIF: u8 = 1;
/// Rank of "retired".
const RETIRE: u8 = 3;

/// A day as a number that orders as it does (20261121); 0 when unknown.
pub type Jour = u32;

/// The day of an ISO date; 0 when it is not a whole one.
pub fn jour(date: &str) -> Jour {
    if date.len() != 10 {
        return 0;
    }
    let chiffre = |n: u32, b: u8| {
        if b.is_ascii_digit() { n.checked_mul(10)?.checked_add(u32::from(b - b'0')) } else { None }
    };
    date.bytes().filter(|b| *b != b'-').try_fold(0, chiffre).unwrap_or(0)
}

/// The ISO date of a day; empty when unknown.
pub fn iso(jour: Jour) -> String {
    if jour == 0 {
        return String::new();
    }
    format!("{:04}-{:02}-{:02}", jour / 10_000, jour / 100 % 100, jour % 100)
}

/// Status and dates of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vie {
    statut: u8,
    /// First day of validity.
    pub du: Jour,
    /// Last day of validity.
    pub au: Jour,
    /// Last change told by the publisher.
    pub maj: Jour,
}

impl Vie {
    /// Of a code that says nothing.
    pub const SIMPLE: Self = Self { statut: ACTIF, du: 0, au: 0, maj: 0 };

    /// Of a code as published.
    pub fn de(c: &Concept) -> Self {
        let statut = STATUTS.iter().position(|s| *s == c.statut).and_then(|r| u8::try_from(r).ok());
        Self {
            statut: statut.unwrap_or(ACTIF),
            du: jour(&c.valide_du),
            au: jour(&c.valide_au),
            maj: jour(&c.date_maj),
        }
    }

    /// draft, active, deprecated or retired.
    pub fn statut(self) -> &'static str {
        STATUTS.get(usize::from(self.statut)).copied().unwrap_or_default()
    }

    /// That of a member of a value set, completed from its code system.
    pub fn completee(self, source: Self) -> Self {
        let ou = |a: Jour, b: Jour| if a == 0 { b } else { a };
        Self {
            statut: if self.statut == ACTIF { source.statut } else { self.statut },
            du: ou(self.du, source.du),
            au: ou(self.au, source.au),
            maj: ou(self.maj, source.maj),
        }
    }

    /// Whether the code may be used that day. Known dates decide; a code retired without a
    /// known end is usable at no date.
    pub fn utilisable(self, jour: Jour) -> bool {
        jour >= self.du && if self.au == 0 { self.statut != RETIRE } else { jour <= self.au }
    }
}

/// A property of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propriete<'a> {
    /// Its code.
    pub code: &'a str,
    /// FHIR type, as published.
    pub nature: &'a str,
    /// Value as text; "system|code" for a Coding.
    pub valeur: &'a str,
}

/// The properties of the codes of a version.
#[derive(Debug, Default)]
pub struct Proprietes {
    /// Distinct codes with their types.
    natures: Vec<(Box<str>, Box<str>)>,
    /// Rank of the code and of the nature of each value, ordered by code.
    places: Box<[(u32, u16)]>,
    valeurs: Textes,
}

impl Proprietes {
    /// Those of these codes.
    pub fn nouvelles(concepts: &[&Concept]) -> Self {
        let mut natures: Vec<(Box<str>, Box<str>)> = Vec::new();
        let mut places = Vec::new();
        let mut valeurs: Vec<&str> = Vec::new();
        for (rang, c) in (0u32..).zip(concepts) {
            for p in &c.proprietes {
                let connue = natures.iter().position(|(code, t)| **code == *p.code && **t == *p.r#type);
                let nature = connue.unwrap_or_else(|| {
                    natures.push((p.code.as_str().into(), p.r#type.as_str().into()));
                    natures.len() - 1
                });
                places.push((rang, u16::try_from(nature).unwrap_or(u16::MAX)));
                valeurs.push(&p.valeur);
            }
        }
        Self { natures, places: places.into(), valeurs: Textes::nouveaux(valeurs.into_iter()) }
    }

    /// Distinct codes with their types.
    pub fn natures(&self) -> impl Iterator<Item = (&str, &str)> {
        self.natures.iter().map(|(code, t)| (&**code, &**t))
    }

    /// Those of the code of this rank.
    pub fn de(&self, rang: u32) -> impl Iterator<Item = Propriete<'_>> {
        let debut = self.places.partition_point(|(r, _)| *r < rang);
        self.depuis(debut).take_while(move |(r, _)| *r == rang).map(|(_, p)| p)
    }

    /// Each value with the rank of its code, from a place on.
    pub fn depuis(&self, debut: usize) -> impl Iterator<Item = (u32, Propriete<'_>)> {
        self.places.iter().enumerate().skip(debut).filter_map(|(place, (rang, nature))| {
            let (code, t) = self.natures.get(usize::from(*nature))?;
            Some((*rang, Propriete { code, nature: t, valeur: self.valeurs.lire(court(place)) }))
        })
    }

    /// Bytes held, but for the few distinct codes.
    pub fn poids(&self) -> usize {
        size_of_val(&*self.places) + self.valeurs.poids()
    }
}

/// A pair of an association table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paire<'a> {
    /// Code system of the source code.
    pub systeme_source: &'a str,
    /// Source code.
    pub code_source: &'a str,
    /// Code system of the target code.
    pub systeme_cible: &'a str,
    /// Target code; empty when the table says that there is none.
    pub code_cible: &'a str,
    /// FHIR R4 equivalence.
    pub equivalence: &'a str,
    /// Comment.
    pub commentaire: &'a str,
}

/// The pairs of a version, by source and target system, then in the order published.
#[derive(Debug, Default)]
pub struct Paires {
    /// Systems and equivalences, few of them.
    mots: Vec<Box<str>>,
    /// Source system, target system and equivalence of each pair, as ranks of `mots`.
    natures: Box<[[u16; 3]]>,
    sources: Textes,
    cibles: Textes,
    commentaires: Textes,
}

impl Paires {
    /// Packs them.
    pub fn nouvelles(associations: &[Association]) -> Self {
        let mut mots = Vec::new();
        let mut lignes: Vec<([u16; 3], &Association)> = associations
            .iter()
            .map(|a| {
                let source = mot(&mut mots, &a.systeme_source);
                let cible = mot(&mut mots, &a.systeme_cible);
                ([source, cible, mot(&mut mots, &a.equivalence)], a)
            })
            .collect();
        // Stable: in the order published.
        lignes.sort_by_key(|([source, cible, _], _)| (*source, *cible));
        Self {
            natures: lignes.iter().map(|(n, _)| *n).collect(),
            sources: Textes::nouveaux(lignes.iter().map(|(_, a)| a.code_source.as_str())),
            cibles: Textes::nouveaux(lignes.iter().map(|(_, a)| a.code_cible.as_str())),
            commentaires: Textes::nouveaux(lignes.iter().map(|(_, a)| a.commentaire.as_str())),
            mots,
        }
    }

    /// Every pair.
    pub fn toutes(&self) -> impl Iterator<Item = Paire<'_>> {
        let mot = move |rang: u16| self.mots.get(usize::from(rang)).map_or("", |m| &**m);
        (0u32..).zip(self.natures.iter()).map(move |(rang, [source, cible, equivalence])| Paire {
            systeme_source: mot(*source),
            code_source: self.sources.lire(rang),
            systeme_cible: mot(*cible),
            code_cible: self.cibles.lire(rang),
            equivalence: mot(*equivalence),
            commentaire: self.commentaires.lire(rang),
        })
    }

    /// Bytes held, but for the few distinct systems.
    pub fn poids(&self) -> usize {
        size_of_val(&*self.natures) + self.sources.poids() + self.cibles.poids() + self.commentaires.poids()
    }
}

fn mot(mots: &mut Vec<Box<str>>, texte: &str) -> u16 {
    let connu = mots.iter().position(|m| **m == *texte);
    let rang = connu.unwrap_or_else(|| {
        mots.push(texte.into());
        mots.len() - 1
    });
    u16::try_from(rang).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_order_and_come_back() {
        assert_eq!((jour("2026-11-21"), jour(""), jour("2026"), jour("2026/11/21")), (20_261_121, 0, 0, 0));
        assert_eq!((iso(20_260_101).as_str(), iso(0).as_str()), ("2026-01-01", ""));
        assert_eq!(jour("9999999999"), 0, "too large for a day");
    }

    #[test]
    fn known_dates_decide_and_retirement_without_date_is_final() {
        let vie = |statut: &str, du: &str, au: &str| {
            Vie::de(&Concept {
                statut: statut.into(),
                valide_du: du.into(),
                valide_au: au.into(),
                ..Default::default()
            })
        };
        assert!(vie("retired", "", "2018-01-26").utilisable(20_180_126));
        assert!(!vie("retired", "", "2018-01-26").utilisable(20_180_127));
        assert!(!vie("retired", "", "").utilisable(20_180_126));
        assert!(vie("deprecated", "2015-04-08", "").utilisable(20_261_121));
        assert!(!vie("active", "2015-04-08", "").utilisable(20_150_407));
        let membre = vie("", "", "").completee(vie("retired", "2015-04-08", ""));
        assert_eq!((membre.statut(), membre.du), ("retired", 20_150_408));
        assert_eq!(vie("", "", ""), Vie::SIMPLE);
    }
}
