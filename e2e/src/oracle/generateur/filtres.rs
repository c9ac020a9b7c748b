//! `_filter` trees.

use super::{Forme, Generateur, Temoin, formes::formes};
use crate::oracle::{
    dates::Prefixe,
    filtre::{Crochet, Filtre, Noeud, nue, operateur},
    parametres::{Genre, Parametre, Sorte},
    requete::{Critere, Mode, Pas, Test},
};

/// Deepest tree.
const PROFONDEUR: usize = 4;
/// Most links that one comparison follows, those of its brackets included.
const LIENS: usize = 6;

/// Where a condition stands.
#[derive(Clone, Copy)]
struct Lieu {
    genre: Genre,
    temoin: Option<usize>,
    /// Links that lead there.
    liens: usize,
}

impl Generateur<'_> {
    pub(super) fn filtre(&mut self, genre: Genre, temoin: Option<usize>) -> Option<Filtre> {
        let profondeur = self.h.borne(PROFONDEUR + 1);
        let noeud = self.noeud(Lieu { genre, temoin, liens: 0 }, profondeur, false)?;
        let [majuscules, entoure, echappe] = [25, 60, 30].map(|chances| self.h.chance(chances));
        Some(Filtre { noeud, majuscules, entoure, echappe })
    }

    fn noeud(&mut self, lieu: Lieu, profondeur: usize, dans_et: bool) -> Option<Noeud> {
        if profondeur == 0 || self.h.chance(20) {
            return self.feuille(lieu);
        }
        match self.h.borne(100) {
            0..=34 if !dans_et => self.plusieurs(lieu, profondeur, true).map(Noeud::Et),
            0..=54 => Some(Noeud::Ou(self.plusieurs(lieu, profondeur, false)?, false)),
            55..=69 => self.court(lieu),
            70..=79 => Some(Noeud::Non(Box::new(self.noeud(lieu, profondeur - 1, false)?))),
            _ => self.crochets(lieu, profondeur),
        }
    }

    fn plusieurs(&mut self, lieu: Lieu, profondeur: usize, dans_et: bool) -> Option<Vec<Noeud>> {
        let mut noeuds = Vec::new();
        for _ in 0..self.h.entre(2, 3) {
            noeuds.extend(self.noeud(lieu, profondeur - 1, dans_et));
        }
        (noeuds.len() > 1).then_some(noeuds)
    }

    fn suivre(&mut self, lieu: Lieu, liens: &[Pas]) -> Lieu {
        Lieu {
            genre: liens.last().map_or(lieu.genre, |pas| pas.cible()),
            temoin: lieu.temoin.and_then(|t| self.avancer(t, liens)),
            liens: lieu.liens + liens.len(),
        }
    }

    fn feuille(&mut self, lieu: Lieu) -> Option<Noeud> {
        self.pointe(lieu).map(|(critere, _)| Noeud::Critere(Box::new(critere)))
    }

    /// A comparison at the end of some path or of none, and the form it was drawn in.
    fn pointe(&mut self, lieu: Lieu) -> Option<(Critere, Forme)> {
        let longueur: usize = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][self.h.borne(10)];
        let chemin = self.chemin_depuis(lieu.genre, longueur.min(LIENS.saturating_sub(lieu.liens)));
        let fin = self.suivre(lieu, &chemin);
        // Some forms cannot be asked, some values cannot be written: another is drawn.
        for _ in 0..6 {
            let p = self.parametre_porte(fin.genre)?;
            let forme = self.h.parmi(&formes(p));
            if let Some(mut critere) = self.comparaison(p, forme, fin.temoin) {
                critere.chemin.clone_from(&chemin);
                // Operators leave the place of the modifier free.
                self.monter(&mut critere, chemin.last().copied(), true);
                return Some((critere, forme));
            }
        }
        None
    }

    /// `param op value` for a resource of the parameter's own type.
    fn comparaison(&mut self, p: &'static Parametre, voulue: Forme, ligne: Option<usize>) -> Option<Critere> {
        let forme = match voulue {
            Forme::Libelle | Forme::Exact | Forme::Non => Forme::Valeur,
            Forme::Prefixe(Prefixe::Ne) => Forme::Prefixe(Prefixe::Eq),
            autre => autre,
        };
        let temoin = ligne.map(|ligne| Temoin { ligne, enregistrement: None });
        let mut critere = self.critere(p, forme, temoin)?;
        critere.nie = match forme {
            _ if voulue != forme => matches!(voulue, Forme::Non | Forme::Prefixe(_)),
            Forme::Parmi => self.h.chance(40),
            Forme::Valeur | Forme::Liste | Forme::Dessus => self.h.chance(20),
            _ => false,
        };
        let nie = critere.nie;
        match &mut critere.test {
            Test::Dates(valeurs) => accorder(valeurs, nie),
            Test::Nombres(valeurs) => accorder(valeurs, nie),
            Test::Quantites(valeurs) => accorder(valeurs, nie),
            _ => {}
        }
        match &mut critere.test {
            Test::Dates(valeurs) if forme == Forme::Prefixe(Prefixe::Sa) && self.h.chance(40) => {
                valeurs.iter_mut().for_each(|(prefixe, _)| *prefixe = Prefixe::Po);
            }
            Test::Textes(mode @ Mode::Contient, textes) if self.h.chance(40) => {
                *textes = vec![self.texte(p, temoin, Mode::Fin)?];
                *mode = Mode::Fin;
            }
            _ => {}
        }
        critere.operateur = self.operateur(&critere);
        ecrivable(&critere).then_some(critere)
    }

    /// One of the ways of saying an equality.
    fn operateur(&mut self, critere: &Critere) -> &'static str {
        match &critere.test {
            _ if self.h.chance(15) && !critere.nie => "=",
            Test::Jetons(_) if critere.parametre.sorte != Sorte::Id => {
                self.h.parmi(&["eq", "eq", "eq", "ss", "sb"])
            }
            Test::Textes(Mode::Debut, _) => self.h.parmi(&["eq", "sw"]),
            Test::References(_) => self.h.parmi(&["eq", "re"]),
            _ => "eq",
        }
    }

    /// `(a op 1 or 2)`: the bare values take the path and the operator of the first.
    fn court(&mut self, lieu: Lieu) -> Option<Noeud> {
        let (premier, forme) = self.pointe(lieu)?;
        let mut criteres = vec![premier.clone()];
        for _ in 0..4 {
            let Some(autre) = self.comparaison(premier.parametre, forme, None) else { continue };
            let autre = Critere { test: autre.test, nie: autre.nie, ..premier.clone() };
            // A bare value after one with its system would say two things.
            let pareil = operateur(&autre) == operateur(&premier) && a_systeme(&autre) == a_systeme(&premier);
            if pareil && criteres.len() < 3 {
                criteres.push(autre);
            }
        }
        let noeuds: Vec<Noeud> = criteres.into_iter().map(|c| Noeud::Critere(Box::new(c))).collect();
        (noeuds.len() > 1).then_some(Noeud::Ou(noeuds, true))
    }

    /// `links[condition].path op value`, brackets once or twice.
    fn crochets(&mut self, lieu: Lieu, profondeur: usize) -> Option<Noeud> {
        let (mut ici, mut crochets) = (lieu, Vec::new());
        for _ in 0..[1, 1, 1, 2][self.h.borne(4)] {
            let longueur: usize = [1, 1, 1, 2][self.h.borne(4)];
            let liens = self.liens_depuis(ici.genre, longueur.min(LIENS.saturating_sub(ici.liens)));
            if liens.is_empty() {
                break;
            }
            ici = self.suivre(ici, &liens);
            let dedans = self.noeud(ici, profondeur - 1, false)?;
            crochets.push(Crochet { liens, dedans });
        }
        let dernier = crochets.last()?.liens.last().copied();
        let (mut critere, _) = self.pointe(ici)?;
        if critere.chemin.is_empty() {
            self.monter(&mut critere, dernier, true);
        }
        Some(Noeud::Crochets(crochets, Box::new(critere)))
    }
}

/// The operator stands for every value of a list.
fn accorder<T>(valeurs: &mut [(Prefixe, T)], nie: bool) {
    let premier = valeurs.first().map_or(Prefixe::Eq, |(prefixe, _)| *prefixe);
    let prefixe = if nie { Prefixe::Eq } else { premier };
    valeurs.iter_mut().for_each(|(p, _)| *p = prefixe);
}

fn a_systeme(critere: &Critere) -> bool {
    matches!(&critere.test, Test::Jetons(jetons) if jetons.iter().any(|j| j.systeme.is_some()))
}

/// Whether its values can be written: one alone between quotes if it must, those of a list never.
fn ecrivable(critere: &Critere) -> bool {
    let valeurs = critere.test.valeurs(false);
    let seule = valeurs.len() == 1;
    valeurs.iter().all(|v| !v.is_empty() && (seule || nue(v)))
}
