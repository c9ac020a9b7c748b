//! Association tables, packed.

use ror_proto::nomenclatures::v1::Nomenclature;

use super::{
    rang::Rang,
    textes::{Lexique, Textes},
};

/// What a code is associated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cible<'a> {
    /// Target code system.
    pub systeme: &'a str,
    /// Target code; empty when the table says that there is none.
    pub code: &'a str,
    /// FHIR R4 equivalence.
    pub equivalence: &'a str,
}

/// One association table.
#[derive(Debug)]
pub(super) struct Association {
    version: Box<str>,
    rang: Rang,
    sources: Vec<Source>,
    /// Target systems and equivalences, few of them.
    mots: Vec<Box<str>>,
}

/// The pairs of one source system, grouped by source code.
#[derive(Debug)]
struct Source {
    systeme: Box<str>,
    codes: Lexique,
    /// Where the pairs of each code begin; one more at the end.
    debuts: Box<[u32]>,
    cibles: Textes,
    /// Target system and equivalence of each pair, as ranks of `mots`.
    natures: Box<[(u16, u16)]>,
}

impl Association {
    pub(super) fn nouvelle(n: &Nomenclature, rang: Rang) -> Self {
        let mut mots: Vec<Box<str>> = Vec::new();
        let mut mot = |texte: &str| {
            let rang = mots.iter().position(|m| **m == *texte).unwrap_or_else(|| {
                mots.push(texte.into());
                mots.len() - 1
            });
            u16::try_from(rang).unwrap_or(u16::MAX)
        };
        // Stable: the pairs of a code stay in the order published.
        let mut paires: Vec<_> = n.associations.iter().collect();
        paires.sort_by(|a, b| (&a.systeme_source, &a.code_source).cmp(&(&b.systeme_source, &b.code_source)));
        let sources = paires
            .chunk_by(|a, b| a.systeme_source == b.systeme_source)
            .map(|du_systeme| {
                let par_code: Vec<_> = du_systeme.chunk_by(|a, b| a.code_source == b.code_source).collect();
                let mut debuts = vec![0u32];
                debuts.extend(par_code.iter().scan(0usize, |fin, p| {
                    *fin += p.len();
                    Some(u32::try_from(*fin).unwrap_or(u32::MAX))
                }));
                Source {
                    systeme: du_systeme.first().map_or("", |p| p.systeme_source.as_str()).into(),
                    codes: Lexique::nouveau(
                        par_code.iter().filter_map(|p| p.first()).map(|p| p.code_source.as_str()),
                    ),
                    debuts: debuts.into(),
                    cibles: Textes::nouveaux(du_systeme.iter().map(|p| p.code_cible.as_str())),
                    natures: du_systeme
                        .iter()
                        .map(|p| (mot(&p.systeme_cible), mot(&p.equivalence)))
                        .collect(),
                }
            })
            .collect();
        Self { version: n.version.as_str().into(), rang, sources, mots }
    }

    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn rang(&self) -> Rang {
        self.rang
    }

    /// The targets of a code.
    pub(super) fn cibles<'a>(
        &'a self,
        systeme: &str,
        code: &str,
    ) -> impl Iterator<Item = Cible<'a>> + use<'a> {
        let trouvee = self.sources.iter().find(|s| *s.systeme == *systeme).and_then(|s| {
            let rang = s.codes.rang(code)? as usize;
            Some((s, *s.debuts.get(rang)?..*s.debuts.get(rang + 1)?))
        });
        trouvee.into_iter().flat_map(move |(s, paires)| {
            paires.filter_map(move |p| {
                let (systeme, equivalence) = *s.natures.get(p as usize)?;
                Some(Cible {
                    systeme: self.mots.get(usize::from(systeme))?,
                    code: s.cibles.lire(p),
                    equivalence: self.mots.get(usize::from(equivalence))?,
                })
            })
        })
    }
}
