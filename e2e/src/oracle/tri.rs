//! The order a sort asks for: keys that never go down, ties free.

use std::cmp::Ordering;

use super::{
    index::Index,
    nombres,
    parametres::Genre,
    proximite::MARGE,
    requete::{Requete, Tri},
    valeurs::Valeur,
};

/// What a resource is ordered by; none is last.
#[derive(Clone, Debug, PartialEq)]
pub enum Cle {
    Texte(String),
    Entier(i128),
    Metres(f64),
}

impl Index {
    /// The keys of a row.
    pub fn cles(&self, requete: &Requete, ligne: usize) -> Vec<Option<Cle>> {
        requete.tri.iter().map(|tri| self.cle(requete, tri, ligne)).collect()
    }

    fn cle(&self, requete: &Requete, tri: &Tri, ligne: usize) -> Option<Cle> {
        let (mut genre, mut lignes) = (requete.genre, vec![ligne]);
        for relation in tri.suivies(requete.genre) {
            lignes = lignes.iter().flat_map(|l| self.cibles[relation.rang][*l].iter().copied()).collect();
            genre = relation.cible;
        }
        let mut cles: Vec<Cle> =
            lignes.iter().flat_map(|l| self.valeurs_de_tri(requete, tri, genre, *l)).collect();
        cles.sort_by(comparer_cles);
        if tri.descendant { cles.pop() } else { cles.into_iter().next() }
    }

    fn valeurs_de_tri(&self, requete: &Requete, tri: &Tri, genre: Genre, ligne: usize) -> Vec<Cle> {
        let ligne = &self.table(genre).lignes[ligne];
        if tri.parametre.situe() {
            let metres = requete.premier_cercle().and_then(|c| self.metres(&c.centre, ligne));
            return metres.map(Cle::Metres).into_iter().collect();
        }
        ligne.valeurs[tri.parametre.rang()].iter().map(en_cle).collect()
    }
}

fn en_cle(valeur: &Valeur) -> Cle {
    match valeur {
        Valeur::Code { code, .. } => Cle::Texte(code.clone()),
        Valeur::Texte { plie, .. } => Cle::Texte(plie.clone()),
        // The beginning, in both directions.
        Valeur::Date(i) => Cle::Entier(i128::from(i.de)),
        Valeur::Nombre(n) => Cle::Entier(*n),
        Valeur::Quantite { valeur, unite } => {
            Cle::Entier(valeur * nombres::unite(unite).map_or(1, |(_, f)| f))
        }
        Valeur::Reference { id, .. } => Cle::Texte(id.clone()),
    }
}

fn comparer_cles(a: &Cle, b: &Cle) -> Ordering {
    match (a, b) {
        (Cle::Texte(a), Cle::Texte(b)) => a.cmp(b),
        (Cle::Entier(a), Cle::Entier(b)) => a.cmp(b),
        (Cle::Metres(a), Cle::Metres(b)) => a.total_cmp(b),
        _ => Ordering::Equal,
    }
}

/// Whether a row may come just before another.
pub fn ordonnes(tri: &[Tri], avant: &[Option<Cle>], apres: &[Option<Cle>]) -> bool {
    for ((tri, a), b) in tri.iter().zip(avant).zip(apres) {
        let ordre = match (a, b) {
            (None, None) => continue,
            (Some(_), None) => return true,
            (None, Some(_)) => return false,
            // Nearer than the margin, nobody knows which comes first, nor what the next key says.
            (Some(Cle::Metres(a)), Some(Cle::Metres(b))) if (a - b).abs() < MARGE => return true,
            (Some(a), Some(b)) => comparer_cles(a, b),
        };
        let ordre = if tri.descendant { ordre.reverse() } else { ordre };
        match ordre {
            Ordering::Less => return true,
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::parametres::parametre;

    #[test]
    fn absent_keys_come_last_whatever_the_direction() {
        let tri = |descendant| {
            vec![Tri { chemin: Vec::new(), parametre: parametre(Genre::Location, "name"), descendant }]
        };
        let cle = |t: &str| vec![Some(Cle::Texte(t.to_owned()))];
        assert!(ordonnes(&tri(false), &cle("a"), &cle("b")) && !ordonnes(&tri(true), &cle("a"), &cle("b")));
        for sens in [false, true] {
            assert!(ordonnes(&tri(sens), &cle("a"), &[None]) && !ordonnes(&tri(sens), &[None], &cle("a")));
            assert!(ordonnes(&tri(sens), &cle("a"), &cle("a")) && ordonnes(&tri(sens), &[None], &[None]));
        }
    }
}
