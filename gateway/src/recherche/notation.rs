//! Full-text scores: which texts of a condition give them, and how they are put together.

use std::sync::Arc;

use super::{
    arbre::{Noeud, Test},
    evaluation::{Moteur, TropCouteux},
    parametres::Cible,
};
use crate::{modele::TypeFhir, texte::Trouves};

/// What scores a resource: the texts that a condition asks of itself, neither denied nor asked of another one.
#[derive(Clone, Debug, PartialEq)]
pub enum Notation<T> {
    /// One text.
    Texte(T),
    /// All are asked: their mean, where what is not answered counts for nothing.
    Tous(Vec<Self>),
    /// One is enough: the best.
    Un(Vec<Self>),
}

/// A text, and whether it is asked of the narrative alone.
pub type Demande = (String, bool);

impl Notation<Demande> {
    /// That of a condition; `None` when no text scores what it finds.
    pub fn de(n: &Noeud) -> Option<Self> {
        match n {
            Noeud::Et(v) => reunir(v, Self::Tous),
            Noeud::Ou(v) => reunir(v, Self::Un),
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
    pub fn trouver(&self, m: &Moteur<'_>, t: TypeFhir) -> Result<Notation<Arc<Trouves>>, TropCouteux> {
        let chacun = |v: &[Self]| v.iter().map(|n| n.trouver(m, t)).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Self::Texte((texte, narratif)) => Notation::Texte(m.plein_texte(t, *narratif, texte)?),
            Self::Tous(v) => Notation::Tous(chacun(v)?),
            Self::Un(v) => Notation::Un(chacun(v)?),
        })
    }
}

fn reunir(
    noeuds: &[Noeud],
    ensemble: fn(Vec<Notation<Demande>>) -> Notation<Demande>,
) -> Option<Notation<Demande>> {
    let mut notes: Vec<_> = noeuds.iter().filter_map(Notation::<Demande>::de).collect();
    if notes.len() > 1 { Some(ensemble(notes)) } else { notes.pop() }
}

impl Notation<Arc<Trouves>> {
    /// How well a row answers, 0 to 1; `None` when it answers no text.
    pub fn score(&self, rang: u32) -> Option<f32> {
        match self {
            Self::Texte(trouves) => trouves.score(rang),
            Self::Tous(v) => {
                let somme = v.iter().filter_map(|n| n.score(rang)).reduce(|a, b| a + b)?;
                Some(somme / v.len() as f32)
            }
            Self::Un(v) => v.iter().filter_map(|n| n.score(rang)).reduce(f32::max),
        }
    }
}

impl<T> Notation<T> {
    /// How many texts are looked at for one row.
    pub fn textes(&self) -> u64 {
        match self {
            Self::Texte(_) => 1,
            Self::Tous(v) | Self::Un(v) => v.iter().map(Self::textes).sum(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recherche::requete::{self, Regard};

    fn notation(q: &str) -> Option<Notation<Demande>> {
        let regard = Regard { connu: &|_| true, jeu: &|_| None, maintenant: 0, indulgent: false };
        let t = TypeFhir::HealthcareService;
        requete::lire(t, q, &regard).unwrap_or_else(|f| panic!("{q}: {f:#?}")).notation
    }

    fn un(texte: &str, narratif: bool) -> Notation<Demande> {
        Notation::Texte((texte.to_owned(), narratif))
    }

    #[test]
    fn texts_asked_of_the_resource_itself_score_it_and_no_other() {
        let cas = [
            ("_content=cardio", Some(un("cardio", false))),
            ("_text=x", Some(un("x", true))),
            ("location._content=nantes&_content=cardio", Some(un("cardio", false))),
            ("_filter=not(_content eq psychiatrie) and _content eq cardio", Some(un("cardio", false))),
            ("_filter=_content ne psychiatrie and _text eq alpha", Some(un("alpha", true))),
            ("location._content=nantes&name=a", None),
            ("_filter=not(_content eq alpha)", None),
            ("_content=alpha&_text=b&name=c", Some(Notation::Tous(vec![un("alpha", false), un("b", true)]))),
            (
                "_content=alpha&_filter=_content eq b or location._content eq c or _text eq delta",
                Some(Notation::Tous(vec![
                    un("alpha", false),
                    Notation::Un(vec![un("b", false), un("delta", true)]),
                ])),
            ),
        ];
        for (q, attendue) in cas {
            assert_eq!(notation(q), attendue, "{q}");
        }
        assert_eq!(
            notation("_content=alpha&_filter=_content eq b or _text eq delta").map(|n| n.textes()),
            Some(3)
        );
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
        let scores = |n: Notation<Arc<Trouves>>| [0, 1, 2, 3].map(|r| n.score(r));
        assert_eq!(scores(Notation::Tous(deux())), [None, Some(0.75), Some(0.125), Some(0.25)]);
        assert_eq!(scores(Notation::Un(deux())), [None, Some(1.0), Some(0.25), Some(0.5)]);
    }
}
