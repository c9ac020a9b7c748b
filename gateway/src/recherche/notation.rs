//! Full-text scores: which texts of a condition give them, and how they are put together.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::{
    arbre::{Noeud, Test},
    evaluation::{Moteur, TropCouteux},
    parametres::{Cible, Relation},
};
use crate::{
    modele::{Lien, TypeFhir},
    texte::Trouves,
};

/// What a text is worth where it is another resource that answers it, for a text of the resource itself.
pub(super) const PAR_UN_LIEN: f32 = 0.8;

/// What scores a resource: the texts that a condition asks of it or of what it is linked to, and does not deny.
#[derive(Clone, Debug, PartialEq)]
pub enum Notation<T, L> {
    /// One text.
    Texte(T),
    /// The best of the resources that a link leads to.
    Lien(L, Box<Self>),
    /// All are asked: their mean, where what is not answered counts for nothing.
    Tous(Vec<Self>),
    /// One is enough: the best.
    Un(Vec<Self>),
}

/// Texts as asked, each of the narrative alone or not, and links, followed back or not.
pub type Demandee = Notation<(String, bool), (Relation, bool)>;

/// Texts with what answers them.
pub type Trouvee<'a> = Notation<Arc<Trouves>, Suite<'a>>;

/// A link, as far as a profile sees.
pub struct Suite<'a> {
    lien: &'a Lien,
    a_rebours: bool,
    visibles: &'a RoaringBitmap,
}

impl Suite<'_> {
    fn bouts(&self, rang: u32) -> &[u32] {
        if self.a_rebours { self.lien.sources(rang) } else { self.lien.cibles(rang) }
    }

    fn visibles(&self, rang: u32) -> impl Iterator<Item = u32> {
        self.bouts(rang).iter().copied().filter(|r| self.visibles.contains(*r))
    }
}

impl Demandee {
    /// That of a condition; `None` when no text scores what it finds.
    pub fn de(n: &Noeud) -> Option<Self> {
        let lien = |r: Relation, a_rebours: bool, n: &Noeud| {
            Some(Self::Lien((r, a_rebours), Box::new(Self::de(n)?)))
        };
        match n {
            Noeud::Et(v) => reunir(v, Self::Tous),
            Noeud::Ou(v) => reunir(v, Self::Un),
            Noeud::Chaine(r, n) => lien(*r, false, n),
            Noeud::Inverse(r, n) => lien(*r, true, n),
            Noeud::Critere(c) => match &c.test {
                Test::Contenu(texte) => {
                    Some(Self::Texte((texte.clone(), c.parametre.cible == Cible::Narratif)))
                }
                _ => None,
            },
            Noeud::Non(_) | Noeud::AuDessus(..) | Noeud::Enregistrement(..) => None,
        }
    }

    /// The answers to its texts, paid for.
    pub fn trouver<'a>(&self, m: &Moteur<'a>, t: TypeFhir) -> Result<Trouvee<'a>, TropCouteux> {
        let chacun = |v: &[Self]| v.iter().map(|n| n.trouver(m, t)).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::Texte((texte, narratif)) => Notation::Texte(m.plein_texte(t, *narratif, texte)?),
            Self::Lien((r, a_rebours), n) => {
                let bout = if *a_rebours { r.source() } else { r.cible() };
                let suite = Suite {
                    lien: m.modele.liens.de(*r),
                    a_rebours: *a_rebours,
                    visibles: m.modele.table(bout).visibles(m.profil),
                };
                Notation::Lien(suite, Box::new(n.trouver(m, bout)?))
            }
            Self::Tous(v) => Notation::Tous(chacun(v)?),
            Self::Un(v) => Notation::Un(chacun(v)?),
        })
    }
}

fn reunir(noeuds: &[Noeud], ensemble: fn(Vec<Demandee>) -> Demandee) -> Option<Demandee> {
    let mut notes: Vec<_> = noeuds.iter().filter_map(Demandee::de).collect();
    if notes.len() > 1 { Some(ensemble(notes)) } else { notes.pop() }
}

impl Trouvee<'_> {
    /// How well a row answers, 0 to 1; `None` when it answers no text.
    pub fn score(&self, rang: u32) -> Option<f32> {
        match self {
            Self::Texte(trouves) => trouves.score(rang),
            Self::Lien(suite, n) => {
                suite.visibles(rang).filter_map(|r| n.score(r)).reduce(f32::max).map(|s| PAR_UN_LIEN * s)
            }
            Self::Tous(v) => {
                let somme = v.iter().filter_map(|n| n.score(rang)).reduce(|a, b| a + b)?;
                Some(somme / v.len() as f32)
            }
            Self::Un(v) => v.iter().filter_map(|n| n.score(rang)).reduce(f32::max),
        }
    }

    /// How many looks the scores of these rows cost, about.
    pub fn cout(&self, rangs: &RoaringBitmap) -> u64 {
        match self {
            Self::Texte(_) => 4 * rangs.len(),
            Self::Lien(suite, n) => {
                let bouts: u64 = rangs.iter().map(|r| 1 + suite.bouts(r).len() as u64).sum();
                bouts.saturating_mul(4 * n.textes())
            }
            Self::Tous(v) | Self::Un(v) => v.iter().map(|n| n.cout(rangs)).sum(),
        }
    }
}

impl<T, L> Notation<T, L> {
    /// How many texts are looked at for one row, about.
    fn textes(&self) -> u64 {
        match self {
            Self::Texte(_) => 1,
            Self::Lien(_, n) => 2 * n.textes(),
            Self::Tous(v) | Self::Un(v) => v.iter().map(Self::textes).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recherche::requete::{self, Regard};

    fn notation(q: &str) -> Option<Demandee> {
        let regard = Regard { connu: &|_| true, jeu: &|_| None, maintenant: 0, indulgent: false };
        let t = TypeFhir::HealthcareService;
        requete::lire(t, q, &regard).unwrap_or_else(|f| panic!("{q}: {f:#?}")).notation
    }

    fn un(texte: &str, narratif: bool) -> Demandee {
        Notation::Texte((texte.to_owned(), narratif))
    }

    fn lie(r: Relation, a_rebours: bool, n: Demandee) -> Demandee {
        Notation::Lien((r, a_rebours), Box::new(n))
    }

    #[test]
    fn texts_asked_of_the_resource_and_through_its_links_score_it() {
        let cas = [
            ("_content=cardio", Some(un("cardio", false))),
            ("_text=x", Some(un("x", true))),
            (
                "location._content=nantes&_content=cardio",
                Some(Notation::Tous(vec![
                    lie(Relation::Lieux, false, un("nantes", false)),
                    un("cardio", false),
                ])),
            ),
            ("_filter=not(_content eq psychiatrie) and _content eq cardio", Some(un("cardio", false))),
            ("_filter=_content ne psychiatrie and _text eq alpha", Some(un("alpha", true))),
            ("location._content=nantes&name=a", Some(lie(Relation::Lieux, false, un("nantes", false)))),
            ("_has:PractitionerRole:service:_text=b", Some(lie(Relation::Offre, true, un("b", true)))),
            ("organization._content:above=b&name=a", None),
            ("_filter=not(_content eq alpha)", None),
            ("_content=alpha&_text=b&name=c", Some(Notation::Tous(vec![un("alpha", false), un("b", true)]))),
            (
                "_content=alpha&_filter=_content eq b or location._content eq c or _text eq delta",
                Some(Notation::Tous(vec![
                    un("alpha", false),
                    Notation::Un(vec![
                        un("b", false),
                        lie(Relation::Lieux, false, un("c", false)),
                        un("delta", true),
                    ]),
                ])),
            ),
        ];
        for (q, attendue) in cas {
            assert_eq!(notation(q), attendue, "{q}");
        }
    }

    #[test]
    fn all_count_for_their_mean_and_alternatives_for_the_best() {
        let trouves = |scores: &[(u32, f32)]| {
            let mut t = Trouves::default();
            let corrections: Vec<_> = scores.iter().map(|(r, s)| (*r, Some(*s))).collect();
            t.corriger(&corrections);
            Notation::Texte(Arc::new(t))
        };
        let deux = || vec![trouves(&[(1, 0.5), (2, 0.25)]), trouves(&[(1, 1.0), (3, 0.5)])];
        let scores = |n: Trouvee<'_>| [0, 1, 2, 3].map(|r| n.score(r));
        assert_eq!(scores(Notation::Tous(deux())), [None, Some(0.75), Some(0.125), Some(0.25)]);
        assert_eq!(scores(Notation::Un(deux())), [None, Some(1.0), Some(0.25), Some(0.5)]);
    }
}
