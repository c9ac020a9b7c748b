//! Which criteria hold on one and the same target or record (`docs/recherche.md`, "Structure").

use super::nom::Etape;
use crate::recherche::{
    arbre::{Cercle, Critere, Noeud, Test},
    parametres::{Cible, Genre, Groupe, Parametre},
};

/// What is asked, as written: criteria with their path, not yet put together.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// All hold: the criteria of one group.
    Et(Vec<Expression>),
    /// One holds.
    Ou(Vec<Expression>),
    /// It does not hold.
    Non(Box<Expression>),
    /// One criterion.
    Feuille(Feuille),
    /// `link[…].…`: one target meets all this; the flag is the `:above` of its last criterion.
    Lien(Etape, bool, Box<Expression>),
}

/// One criterion as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Feuille {
    /// Links to follow.
    pub(super) chemin: Vec<Etape>,
    /// `:above` at the end of the last link.
    pub(super) au_dessus: bool,
    /// What is asked there.
    pub(super) critere: Critere,
    /// `:not`.
    pub(super) non: bool,
    /// `:missing`.
    pub(super) absence: bool,
}

/// Puts together what holds on one target or record.
pub(super) fn relier(e: Expression) -> Noeud {
    match e {
        Expression::Et(v) => ensemble(v),
        Expression::Ou(v) => Noeud::Ou(v.into_iter().map(relier).collect()),
        Expression::Non(e) => Noeud::Non(Box::new(relier(*e))),
        Expression::Lien(etape, au_dessus, e) => suivre(etape, au_dessus, relier(*e)),
        Expression::Feuille(_) => ensemble(vec![e]),
    }
}

/// The first circle asked, what is denied left aside.
pub(super) fn premier_cercle(e: &Expression) -> Option<Cercle> {
    match e {
        Expression::Et(v) | Expression::Ou(v) => v.iter().find_map(premier_cercle),
        Expression::Non(_) => None,
        Expression::Lien(_, _, e) => premier_cercle(e),
        Expression::Feuille(f) => match &f.critere.test {
            Test::Proche(cercles) => cercles.first().copied(),
            _ => None,
        },
    }
}

/// All of these, without needless levels.
pub(super) fn tous(noeuds: Vec<Noeud>) -> Noeud {
    let mut plats = Vec::with_capacity(noeuds.len());
    for n in noeuds {
        match n {
            Noeud::Et(v) => plats.extend(v),
            autre => plats.push(autre),
        }
    }
    match plats.pop() {
        Some(seul) if plats.is_empty() => seul,
        Some(dernier) => {
            plats.push(dernier);
            Noeud::Et(plats)
        }
        None => Noeud::Et(plats),
    }
}

fn suivre(etape: Etape, au_dessus: bool, n: Noeud) -> Noeud {
    match etape {
        Etape::Vers(r) if au_dessus => Noeud::AuDessus(r, Box::new(n)),
        Etape::Vers(r) => Noeud::Chaine(r, Box::new(n)),
        Etape::Depuis(r) => Noeud::Inverse(r, Box::new(n)),
    }
}

/// Where a criterion of a group stands.
enum Place {
    /// A criterion of the whole resource, or a group of its own.
    Seule(Noeud),
    /// On the target of a link, of this number.
    Cible(Etape, usize, Vec<Expression>),
    /// On a record, of this number.
    Fiche(Groupe, usize, Vec<Critere>),
}

impl Place {
    fn noeud(self) -> Noeud {
        match self {
            Self::Seule(n) => n,
            Self::Cible(etape, _, v) => suivre(etape, false, ensemble(v)),
            Self::Fiche(g, _, v) => Noeud::Enregistrement(g, v),
        }
    }
}

/// What tells one occurrence of a criterion from the next.
type Cle = (Vec<Etape>, bool, &'static Parametre);

fn ensemble(operandes: Vec<Expression>) -> Noeud {
    let mut places: Vec<Place> = Vec::new();
    let mut vues: Vec<Cle> = Vec::new();
    for o in operandes {
        match o {
            Expression::Feuille(f) => ranger(&mut places, &mut vues, f),
            autre => places.push(Place::Seule(relier(autre))),
        }
    }
    tous(places.into_iter().map(Place::noeud).collect())
}

fn ranger(places: &mut Vec<Place>, vues: &mut Vec<Cle>, mut f: Feuille) {
    let numero = occurrence(vues, &f);
    if f.chemin.is_empty() {
        ranger_ici(places, numero, f);
        return;
    }
    let etape = f.chemin.remove(0);
    if f.au_dessus && f.chemin.is_empty() {
        f.au_dessus = false;
        let n = ensemble(vec![Expression::Feuille(f)]);
        places.push(Place::Seule(suivre(etape, true, n)));
        return;
    }
    let place = places.iter_mut().find_map(|p| match p {
        Place::Cible(e, n, v) if *e == etape && *n == numero => Some(v),
        _ => None,
    });
    match place {
        Some(v) => v.push(Expression::Feuille(f)),
        None => places.push(Place::Cible(etape, numero, vec![Expression::Feuille(f)])),
    }
}

/// A criterion of the resource itself.
fn ranger_ici(places: &mut Vec<Place>, numero: usize, f: Feuille) {
    let cible = f.critere.parametre.cible;
    let groupe = match cible {
        Cible::Champ(g, _) if positif(&f) => g,
        _ => {
            let n = Noeud::Critere(f.critere);
            places.push(Place::Seule(if f.non { Noeud::Non(Box::new(n)) } else { n }));
            return;
        }
    };
    let place = places.iter_mut().find_map(|p| match p {
        Place::Fiche(g, n, v) if *g == groupe && *n == numero => Some(v),
        _ => None,
    });
    match place {
        Some(v) => v.push(f.critere),
        None => places.push(Place::Fiche(groupe, numero, vec![f.critere])),
    }
}

/// Number of the target or record a criterion is about: a token, string or reference given again
/// asks for another one, whatever its modifier. Orders and circles narrow, and so do refusals:
/// "neither A nor B" is said of one target.
fn occurrence(vues: &mut Vec<Cle>, f: &Feuille) -> usize {
    let p = f.critere.parametre;
    if !positif(f) || !matches!(p.genre, Genre::Token | Genre::String | Genre::Reference) {
        return 0;
    }
    let cle = (f.chemin.clone(), f.au_dessus, p);
    let numero = vues.iter().filter(|v| **v == cle).count();
    vues.push(cle);
    numero
}

/// Neither `:not` nor `:missing`.
fn positif(f: &Feuille) -> bool {
    !f.non && !f.absence
}
