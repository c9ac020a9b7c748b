//! Full-text scores: which texts of a condition give them, and how they are put together.

use std::{borrow::Cow, sync::Arc};

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
/// Looks that a score of one text costs, about.
const PAR_TEXTE: u64 = 4;

/// What scores a resource: the texts that a condition asks of it or one link away, and does not deny.
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

/// Texts as asked, each of the narrative alone or not.
pub type Demandee = Notation<(String, bool), Voie>;

/// Texts with what answers them.
pub type Trouvee<'a> = Notation<Arc<Trouves>, Suite<'a>>;

/// A link, and what is asked of the resource at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Voie {
    relation: Relation,
    a_rebours: bool,
    condition: Noeud,
}

/// A link, and the resources at its end that the profile sees and that meet the condition.
pub struct Suite<'a> {
    lien: &'a Lien,
    a_rebours: bool,
    retenus: Cow<'a, RoaringBitmap>,
}

impl Suite<'_> {
    fn bouts(&self, rang: u32) -> &[u32] {
        if self.a_rebours { self.lien.sources(rang) } else { self.lien.cibles(rang) }
    }

    fn retenus(&self, rang: u32) -> impl Iterator<Item = u32> {
        self.bouts(rang).iter().copied().filter(|r| self.retenus.contains(*r))
    }
}

impl Demandee {
    /// That of a condition; `None` when no text scores what it finds.
    pub fn de(n: &Noeud) -> Option<Self> {
        Self::lire(n, true)
    }

    /// Beyond one link nothing scores: what links lead to grows with each.
    fn lire(n: &Noeud, liens: bool) -> Option<Self> {
        match n {
            Noeud::Et(v) => reunir(v, liens, Self::Tous),
            Noeud::Ou(v) => reunir(v, liens, Self::Un),
            Noeud::Chaine(r, bout) | Noeud::Inverse(r, bout) if liens => {
                let a_rebours = matches!(n, Noeud::Inverse(..));
                let voie = Voie { relation: *r, a_rebours, condition: (**bout).clone() };
                Some(Self::Lien(voie, Box::new(Self::lire(bout, false)?)))
            }
            Noeud::Critere(c) => match &c.test {
                Test::Contenu(texte) => {
                    Some(Self::Texte((texte.clone(), c.parametre.cible == Cible::Narratif)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The answers to its texts, paid for.
    pub fn trouver<'a>(&self, m: &Moteur<'a>, t: TypeFhir) -> Result<Trouvee<'a>, TropCouteux> {
        let chacun = |v: &[Self]| v.iter().map(|n| n.trouver(m, t)).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::Texte((texte, narratif)) => Notation::Texte(m.plein_texte(t, *narratif, texte)?),
            Self::Lien(voie, n) => {
                let r = voie.relation;
                let bout = if voie.a_rebours { r.source() } else { r.cible() };
                let retenus = match &voie.condition {
                    // The text alone: who answers it has a score.
                    Noeud::Critere(_) => Cow::Borrowed(m.modele.table(bout).visibles(m.profil)),
                    condition => Cow::Owned(m.rangs(bout, condition)?),
                };
                let suite = Suite { lien: m.modele.liens.de(r), a_rebours: voie.a_rebours, retenus };
                Notation::Lien(suite, Box::new(n.trouver(m, bout)?))
            }
            Self::Tous(v) => Notation::Tous(chacun(v)?),
            Self::Un(v) => Notation::Un(chacun(v)?),
        })
    }
}

fn reunir(noeuds: &[Noeud], liens: bool, ensemble: fn(Vec<Demandee>) -> Demandee) -> Option<Demandee> {
    let mut notes: Vec<_> = noeuds.iter().filter_map(|n| Demandee::lire(n, liens)).collect();
    if notes.len() > 1 { Some(ensemble(notes)) } else { notes.pop() }
}

impl Trouvee<'_> {
    /// How well a row answers, 0 to 1; `None` when it answers no text.
    pub fn score(&self, rang: u32) -> Option<f32> {
        match self {
            Self::Texte(trouves) => trouves.score(rang),
            Self::Lien(suite, n) => {
                suite.retenus(rang).filter_map(|r| n.score(r)).reduce(f32::max).map(|s| PAR_UN_LIEN * s)
            }
            Self::Tous(v) => {
                let somme = v.iter().filter_map(|n| n.score(rang)).reduce(|a, b| a + b)?;
                Some(somme / v.len() as f32)
            }
            Self::Un(v) => v.iter().filter_map(|n| n.score(rang)).reduce(f32::max),
        }
    }

    /// How many looks the score of a row costs, about.
    pub fn cout(&self, rang: u32) -> u64 {
        match self {
            Self::Texte(_) => PAR_TEXTE,
            // What is at the end of a link has texts alone: they cost the same everywhere.
            Self::Lien(suite, n) => 1 + suite.bouts(rang).len() as u64 * n.cout(0),
            Self::Tous(v) | Self::Un(v) => v.iter().map(|n| n.cout(rang)).sum(),
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

    /// A text asked beyond a link, of what meets that.
    fn lie(relation: Relation, q: &str, n: Demandee) -> Demandee {
        let regard = Regard { connu: &|_| true, jeu: &|_| None, maintenant: 0, indulgent: false };
        let a_rebours = relation == Relation::Offre;
        let bout = if a_rebours { relation.source() } else { relation.cible() };
        let condition = requete::lire(bout, q, &regard).unwrap().condition;
        Notation::Lien(Voie { relation, a_rebours, condition }, Box::new(n))
    }

    #[test]
    fn texts_asked_of_the_resource_and_one_link_away_score_it() {
        let cas = [
            ("_content=cardio", Some(un("cardio", false))),
            ("_text=x", Some(un("x", true))),
            (
                "location._content=nantes&_content=cardio",
                Some(Notation::Tous(vec![
                    lie(Relation::Lieux, "_content=nantes", un("nantes", false)),
                    un("cardio", false),
                ])),
            ),
            ("_filter=not(_content eq psychiatrie) and _content eq cardio", Some(un("cardio", false))),
            ("_filter=_content ne psychiatrie and _text eq alpha", Some(un("alpha", true))),
            (
                "location._content=nantes&name=a",
                Some(lie(Relation::Lieux, "_content=nantes", un("nantes", false))),
            ),
            ("_has:PractitionerRole:service:_text=b", Some(lie(Relation::Offre, "_text=b", un("b", true)))),
            (
                "location._content=b&location.name=x",
                Some(lie(Relation::Lieux, "_content=b&name=x", un("b", false))),
            ),
            ("_has:PractitionerRole:service:practitioner._content=b&name=a", None),
            ("organization._content:above=b&name=a", None),
            ("_filter=not(_content eq alpha)", None),
            ("_content=alpha&_text=b&name=c", Some(Notation::Tous(vec![un("alpha", false), un("b", true)]))),
            (
                "_content=alpha&_filter=_content eq b or location._content eq c or _text eq delta",
                Some(Notation::Tous(vec![
                    un("alpha", false),
                    Notation::Un(vec![
                        un("b", false),
                        lie(Relation::Lieux, "_content=c", un("c", false)),
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
