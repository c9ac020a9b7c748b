//! Reading requests: the published ones, the wrong ones, the random ones.

mod correlation;
mod fautes;
mod hasard;
mod publiees;
mod reponse;

use time::{OffsetDateTime, macros::datetime};

use super::*;
use crate::recherche::{
    arbre::*,
    parametres::{self, Relation},
};

/// Code system of these tests.
pub(super) const S: &str = "https://x/s";
pub(super) const MAINTENANT: OffsetDateTime = datetime!(2026-09-01 0:00 UTC);

pub(super) fn connu(s: &str) -> bool {
    s.starts_with("https://x/")
}

pub(super) fn jeu(canonique: &str) -> Option<Codes> {
    let code = |c: &str| (S.to_owned(), c.to_owned());
    (canonique == "https://x/jeu").then(|| vec![code("01"), code("02")])
}

pub(super) fn ms(d: OffsetDateTime) -> i64 {
    d.unix_timestamp() * 1000
}

pub(super) fn regard(indulgent: bool) -> Regard<'static> {
    Regard { connu: &connu, jeu: &jeu, maintenant: ms(MAINTENANT), indulgent }
}

fn lue(t: TypeFhir, q: &str) -> Requete {
    lire(t, q, &regard(false)).unwrap_or_else(|f| panic!("{q}: {f:#?}"))
}

fn condition(t: TypeFhir, q: &str) -> Noeud {
    lue(t, q).condition
}

/// What is said of a wrong request.
fn fautes(t: TypeFhir, q: &str) -> Vec<String> {
    match lire(t, q, &regard(false)) {
        Ok(r) => panic!("{q}: {r:#?}"),
        Err(f) => f.into_iter().map(|i| i.diagnostics).collect(),
    }
}

/// A criterion.
pub(super) fn critere(t: TypeFhir, nom: &str, test: Test) -> Critere {
    let parametre = parametres::trouver(t, nom).unwrap_or_else(|| panic!("{t:?} {nom}"));
    Critere { parametre, test }
}

/// A criterion of the type itself.
fn un(t: TypeFhir, nom: &str, test: Test) -> Noeud {
    Noeud::Critere(critere(t, nom, test))
}

/// Codes; those that begin with "S|" are of the code system of these tests.
pub(super) fn codes(codes: &[&str]) -> Test {
    let jeton = |c: &&str| match c.strip_prefix("S|") {
        Some(code) => Jeton { systeme: Some(S.to_owned()), code: Some(code.to_owned()) },
        None => Jeton { systeme: None, code: Some((*c).to_owned()) },
    };
    Test::Jeton(codes.iter().map(jeton).collect())
}

fn debuts(textes: &[&str]) -> Test {
    Test::Texte(ModeTexte::Debut, textes.iter().map(|t| (*t).to_owned()).collect())
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|i| (*i).to_owned()).collect()
}

/// A whole number under a prefix.
fn entier(p: Prefixe, n: u16) -> Test {
    Test::Nombre(vec![(p, Nombre { valeur: f64::from(n), demi: 0.5 })])
}

fn quantite(p: Prefixe, n: u16, unite: &str) -> Test {
    Test::Quantite(vec![(p, Nombre { valeur: f64::from(n), demi: 0.5 }, Some(unite.to_owned()))])
}

/// A date of so many minutes under a prefix.
fn date(p: Prefixe, d: OffsetDateTime, minutes: i64) -> Test {
    let de = ms(d);
    Test::Date(vec![(p, Intervalle { de, a: de + minutes * 60_000 })])
}

fn vers(r: Relation, n: Noeud) -> Noeud {
    Noeud::Chaine(r, Box::new(n))
}

fn depuis(r: Relation, n: Noeud) -> Noeud {
    Noeud::Inverse(r, Box::new(n))
}

fn au_dessus(r: Relation, n: Noeud) -> Noeud {
    Noeud::AuDessus(r, Box::new(n))
}
