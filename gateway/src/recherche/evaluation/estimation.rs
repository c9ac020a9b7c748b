//! What a condition is worth first: about how many rows it keeps, told without evaluating it.

use std::collections::HashMap;

use roaring::RoaringBitmap;

use super::{Moteur, PETIT_RAYON, centre, dictionnaire};
use crate::{
    modele::{Param, TypeFhir},
    recherche::{
        arbre::{Cercle, Critere, Jeton, ModeTexte, Noeud, Test},
        parametres::{Cible, Texte},
    },
};

/// Estimates by the place of the node, which does not move while its tree is evaluated.
pub(super) type Estimations = HashMap<usize, u64, foldhash::fast::RandomState>;

/// Texts whose rows are counted, at most.
const TEXTES: usize = 512;
/// A condition that keeps so few rows comes first, whatever it costs.
const PEU: u64 = 64;
/// Past so many codes, their sets are not looked up twice.
const CODES: usize = 64;

impl Moteur<'_> {
    /// About how many rows a condition keeps; each node is looked at once.
    pub(super) fn estimer(&self, t: TypeFhir, n: &Noeud) -> u64 {
        let place = std::ptr::from_ref(n).addr();
        let connue = self.estimations.borrow().get(&place).copied();
        connue.unwrap_or_else(|| {
            let e = self.calculer(t, n);
            self.estimations.borrow_mut().insert(place, e);
            e
        })
    }

    /// When a condition comes among others: what is a set already costs next to nothing and spares the others work on
    /// each row; then what keeps fewer rows.
    pub(super) fn priorite(&self, t: TypeFhir, n: &Noeud) -> (bool, u64) {
        let estimation = self.estimer(t, n);
        let ensemble = matches!(n, Noeud::Critere(c) if matches!((&c.test, c.parametre.cible),
            (Test::Jeton(v), Cible::Jeton(_)) if v.len() <= CODES && v.iter().all(|j| j.code.is_some())));
        (!ensemble && estimation > PEU, estimation)
    }

    fn calculer(&self, t: TypeFhir, n: &Noeud) -> u64 {
        let tout = self.visibles(t).len();
        match n {
            Noeud::Et(v) => v.iter().map(|c| self.estimer(t, c)).min().unwrap_or(tout),
            Noeud::Ou(v) => v.iter().map(|c| self.estimer(t, c)).sum::<u64>().min(tout),
            // What excludes is best done last, on few rows.
            Noeud::Non(_) => tout,
            Noeud::Critere(c) => self.estimer_critere(t, c, tout),
            Noeud::Chaine(r, c) => self.estimer(r.cible(), c).saturating_mul(2).min(tout),
            Noeud::AuDessus(r, c) => self.estimer(r.cible(), c).saturating_mul(8).min(tout),
            Noeud::Inverse(r, c) => self.estimer(r.source(), c).min(tout),
            Noeud::Enregistrement(..) => tout / 2,
        }
    }

    fn estimer_critere(&self, t: TypeFhir, c: &Critere, tout: u64) -> u64 {
        match (&c.test, c.parametre.cible) {
            (Test::Id(v) | Test::Reference(v), _) => v.len() as u64,
            (Test::Jeton(v), Cible::Identifiant) => v.len() as u64,
            (Test::Jeton(v), Cible::Jeton(_)) if v.len() > CODES || v.iter().any(|j| j.code.is_none()) => {
                tout / 2
            }
            (Test::Jeton(v), Cible::Jeton(params)) => {
                v.iter().map(|j| self.estimer_jeton(t, params, j)).sum::<u64>().min(tout)
            }
            (Test::Proche(cercles), _) => self.estimer_cercles(t, cercles, tout),
            (Test::Texte(..), Cible::Texte(Texte::Nom)) => tout / 4,
            (Test::Texte(ModeTexte::Debut, v), Cible::Texte(quoi)) => self.estimer_debuts(t, quoi, v, tout),
            (Test::Texte(..), _) => tout / 32,
            (Test::Date(_), Cible::Maj) => tout / 2 + 1,
            (Test::Contenu(_), _) => tout / 16,
            _ => tout / 4,
        }
    }

    /// What the cells of the grid hold, where few tell it.
    fn estimer_cercles(&self, t: TypeFhir, cercles: &[Cercle], tout: u64) -> u64 {
        let positions = &self.table(t).positions;
        let un = |c: &Cercle| match centre(&c.centre) {
            Some(_) if c.rayon_m > PETIT_RAYON => tout / 16,
            Some(p) => positions.grille().environ(p, c.rayon_m, c.centre.par_commune()),
            None => 0,
        };
        cercles.iter().map(un).sum::<u64>().min(tout)
    }

    /// What the texts that start so hold, where few tell it.
    fn estimer_debuts(&self, t: TypeFhir, quoi: Texte, valeurs: &[String], tout: u64) -> u64 {
        let d = dictionnaire(self.table(t), quoi);
        let un = |v: &String| d.environ(v, TEXTES).unwrap_or(tout / 32);
        valeurs.iter().take(TEXTES).map(un).sum::<u64>().min(tout)
    }

    fn estimer_jeton(&self, t: TypeFhir, params: &[Param], j: &Jeton) -> u64 {
        let index = &self.table(t).index;
        let ensembles =
            params.iter().flat_map(|p| index.ensembles(*p, j.systeme.as_deref(), j.code.as_deref()));
        ensembles.map(RoaringBitmap::len).sum()
    }
}
