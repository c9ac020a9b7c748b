//! What a criterion asks of the values of one parameter, made ready for many resources.

use std::collections::BTreeSet;

use super::{
    dates::{self, Intervalle, Prefixe},
    index::Contexte,
    nombres::{self, Nombre},
    parametres::Sorte,
    requete::{Critere, Jeton, Mode, Quantite, Test},
    valeurs::{Valeur, replier, systeme, valeur_seule},
};
use crate::temps::maintenant;

/// A test of a list of values.
pub enum Epreuve<'a> {
    Absent(bool),
    /// System, any when there is none; code, any when there is none.
    Jetons(Vec<(Option<String>, Option<String>)>),
    Parmi(Vec<&'a BTreeSet<(String, String)>>),
    Libelles(Vec<String>),
    Textes(Mode, Vec<String>),
    Dates(Vec<(Prefixe, Intervalle)>, i64),
    Nombres(Vec<(Prefixe, Nombre)>),
    Quantites(Vec<(Prefixe, Nombre, Option<String>)>),
    /// Not told by values alone: references, distances, or a value that cannot be read.
    Rien,
}

impl<'a> Epreuve<'a> {
    pub fn preparer(critere: &Critere, contexte: &'a Contexte) -> Self {
        match &critere.test {
            Test::Absent(absent) => Self::Absent(*absent),
            Test::Jetons(jetons) => Self::Jetons(voulus(jetons, critere.parametre.sorte)),
            Test::Parmi(jeux) => Self::Parmi(jeux.iter().filter_map(|j| contexte.jeux.get(j)).collect()),
            Test::Libelles(textes) => Self::Libelles(textes.iter().map(|t| replier(t)).collect()),
            Test::Textes(Mode::Exact, textes) => Self::Textes(Mode::Exact, textes.clone()),
            Test::Textes(mode, textes) => Self::Textes(*mode, textes.iter().map(|t| replier(t)).collect()),
            Test::Dates(valeurs) => {
                let lus = valeurs.iter().filter_map(|(p, v)| Some((*p, dates::lire(v)?)));
                Self::Dates(lus.collect(), maintenant())
            }
            Test::Nombres(valeurs) => {
                Self::Nombres(valeurs.iter().filter_map(|(p, v)| Some((*p, nombres::lire(v)?))).collect())
            }
            Test::Quantites(valeurs) => {
                let lire = |(p, (nombre, unite)): &(Prefixe, Quantite)| {
                    Some((*p, nombres::lire(nombre)?, unite.as_ref().map(|(_, code)| code.clone())))
                };
                Self::Quantites(valeurs.iter().filter_map(lire).collect())
            }
            Test::References(_) | Test::Cercles(_) => Self::Rien,
        }
    }

    /// Whether some value is one of those asked.
    pub fn tient(&self, valeurs: &[Valeur]) -> bool {
        match self {
            Self::Absent(absent) => valeurs.is_empty() == *absent,
            _ => valeurs.iter().any(|v| self.tient_de(v)),
        }
    }

    fn tient_de(&self, valeur: &Valeur) -> bool {
        match (self, valeur) {
            (Self::Jetons(voulus), Valeur::Code { systeme, code, .. }) => voulus.iter().any(|(s, c)| {
                c.as_ref().is_none_or(|c| c == code) && s.as_ref().is_none_or(|s| s == systeme)
            }),
            (Self::Parmi(jeux), Valeur::Code { systeme, code, .. }) => {
                let cle = (systeme.clone(), code.clone());
                jeux.iter().any(|jeu| jeu.contains(&cle))
            }
            (Self::Libelles(debuts), Valeur::Code { libelle, .. }) => {
                let libelle = replier(libelle);
                !libelle.is_empty() && debuts.iter().any(|d| libelle.starts_with(d.as_str()))
            }
            (Self::Textes(mode, textes), Valeur::Texte { brut, plie }) => textes.iter().any(|t| match mode {
                Mode::Debut => plie.starts_with(t.as_str()),
                Mode::Contient => plie.contains(t.as_str()),
                Mode::Fin => plie.ends_with(t.as_str()),
                Mode::Exact => brut == t,
            }),
            (Self::Dates(voulus, maintenant), Valeur::Date(r)) => {
                voulus.iter().any(|(p, s)| dates::tient(*p, *s, *r, *maintenant))
            }
            (Self::Nombres(voulus), Valeur::Nombre(v)) => {
                voulus.iter().any(|(p, n)| nombres::tient(*p, *n, *v))
            }
            (Self::Quantites(voulus), Valeur::Quantite { valeur, unite }) => {
                voulus.iter().any(|(p, n, u)| nombres::quantite_tient(*p, *n, u.as_deref(), *valeur, unite))
            }
            _ => false,
        }
    }
}

/// The system of a value holds for the bare codes after it.
fn voulus(jetons: &[Jeton], sorte: Sorte) -> Vec<(Option<String>, Option<String>)> {
    let mut courant: Option<String> = None;
    let mut voulus = Vec::with_capacity(jetons.len());
    for jeton in jetons {
        if let Some(ecrit) = &jeton.systeme {
            courant = Some(systeme(ecrit));
        }
        let seule = sorte == Sorte::Identifiant
            && courant.as_deref().is_some_and(|s| valeur_seule(s, jeton.code.as_deref()));
        voulus.push((if seule { None } else { courant.clone() }, jeton.code.clone()));
    }
    voulus
}
