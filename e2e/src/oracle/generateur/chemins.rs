//! Paths of links, and walks of a witness along them.

use super::{Forme, Generateur};
use crate::oracle::{
    parametres::{Genre, RELATIONS, Relation},
    requete::{Critere, Pas},
};

impl Generateur<'_> {
    /// A path that ends at a type.
    pub(super) fn chemin_vers(&mut self, fin: Genre, longueur: usize) -> Vec<Pas> {
        let mut chemin: Vec<Pas> = Vec::new();
        let mut courant = fin;
        for _ in 0..longueur {
            let mut choix = self.arrieres(|r| r.source == courant);
            choix.extend(self.avants(|r| r.cible == courant));
            let Some(pas) = self.h.un(&choix).copied() else { break };
            courant = pas.depart();
            chemin.push(pas);
        }
        chemin.reverse();
        chemin
    }

    /// A path that leaves a type.
    pub(super) fn chemin_depuis(&mut self, depart: Genre, longueur: usize) -> Vec<Pas> {
        let mut chemin: Vec<Pas> = Vec::new();
        let mut courant = depart;
        for _ in 0..longueur {
            let mut choix = self.avants(|r| r.source == courant);
            choix.extend(self.arrieres(|r| r.cible == courant));
            let Some(pas) = self.h.un(&choix).copied() else { break };
            courant = pas.cible();
            chemin.push(pas);
        }
        chemin
    }

    /// References in a row, as brackets follow them.
    pub(super) fn liens_depuis(&mut self, depart: Genre, longueur: usize) -> Vec<Pas> {
        let mut liens: Vec<Pas> = Vec::new();
        let mut courant = depart;
        for _ in 0..longueur {
            let choix = self.avants(|r| r.source == courant);
            let Some(pas) = self.h.un(&choix).copied() else { break };
            courant = pas.cible();
            liens.push(pas);
        }
        liens
    }

    fn avants(&mut self, retenir: impl Fn(&Relation) -> bool) -> Vec<Pas> {
        let relations = self.relations(retenir);
        relations.into_iter().map(|r| Pas::Avant(r, self.h.chance(30))).collect()
    }

    fn arrieres(&mut self, retenir: impl Fn(&Relation) -> bool) -> Vec<Pas> {
        self.relations(retenir).into_iter().map(Pas::Arriere).collect()
    }

    /// Relations that the data carry, now and then the others.
    fn relations(&mut self, retenir: impl Fn(&Relation) -> bool) -> Vec<Relation> {
        let toutes = self.h.chance(5);
        let portee = |r: &Relation| toutes || self.index.cibles[r.rang].iter().any(|c| !c.is_empty());
        RELATIONS.into_iter().filter(|r| retenir(r) && portee(r)).collect()
    }

    /// Where a walk along a path leads.
    pub(super) fn avancer(&mut self, depart: usize, chemin: &[Pas]) -> Option<usize> {
        let index = self.index;
        chemin.iter().try_fold(depart, |ligne, pas| {
            let suivants = match pas {
                Pas::Avant(r, _) => &index.cibles[r.rang][ligne],
                Pas::Arriere(r) => &index.sources[r.rang][ligne],
            };
            self.h.un(suivants).copied()
        })
    }

    /// Where a walk along a path may have begun.
    pub(super) fn reculer(&mut self, fin: usize, chemin: &[Pas]) -> Option<usize> {
        let index = self.index;
        chemin.iter().rev().try_fold(fin, |ligne, pas| {
            let precedents = match pas {
                Pas::Avant(r, _) => &index.sources[r.rang][ligne],
                Pas::Arriere(r) => &index.cibles[r.rang][ligne],
            };
            self.h.un(precedents).copied()
        })
    }

    /// `:above` at the end of a chain to an organization, now and then, where the modifier is free.
    pub(super) fn au_dessus(&mut self, critere: &mut Critere, forme: Forme) {
        let libre = matches!(forme, Forme::Valeur | Forme::Liste | Forme::Prefixe(_)) && !critere.nie;
        let dernier = critere.chemin.last().copied();
        self.monter(critere, dernier, libre);
    }

    /// The same after that link; `libre`: whether another modifier does not take its place.
    pub(super) fn monter(&mut self, critere: &mut Critere, dernier: Option<Pas>, libre: bool) {
        if !matches!(dernier, Some(Pas::Avant(r, _)) if r.cible == Genre::Organization) {
            return;
        }
        // On a reference at the end of a chain it could climb from either link.
        let relative = critere.parametre.relation().is_some();
        critere.dessus = !relative && libre && self.h.chance(35);
    }
}
