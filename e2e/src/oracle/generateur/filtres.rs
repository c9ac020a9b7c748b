//! `_filter` trees.

use super::{Forme, Generateur, Temoin, formes::formes};
use crate::oracle::{
    dates::Prefixe,
    filtre::{Filtre, Noeud},
    parametres::{Genre, Parametre, Sorte, de_genre},
    requete::{Critere, Jeton, Mode, Pas, Test},
    valeurs::Valeur,
};

/// Deepest tree.
const PROFONDEUR: usize = 4;

impl Generateur<'_> {
    pub(super) fn filtre(&mut self, genre: Genre, temoin: Option<usize>) -> Option<Filtre> {
        let profondeur = self.h.borne(PROFONDEUR + 1);
        let noeud = self.noeud(genre, temoin, profondeur, false)?;
        Some(Filtre { noeud, majuscules: self.h.chance(25), entoure: self.h.chance(60) })
    }

    fn noeud(
        &mut self,
        genre: Genre,
        temoin: Option<usize>,
        profondeur: usize,
        dans_et: bool,
    ) -> Option<Noeud> {
        if profondeur == 0 || self.h.chance(20) {
            return self.feuille(genre, temoin);
        }
        match self.h.borne(100) {
            0..=34 if !dans_et => self.plusieurs(genre, temoin, profondeur, true).map(Noeud::Et),
            0..=59 => Some(Noeud::Ou(self.plusieurs(genre, temoin, profondeur, false)?, false)),
            60..=74 => self.court(genre, temoin),
            75..=84 => Some(Noeud::Non(Box::new(self.noeud(genre, temoin, profondeur - 1, false)?))),
            _ if !dans_et => self.crochet(genre, temoin, profondeur),
            _ => self.feuille(genre, temoin),
        }
    }

    fn plusieurs(
        &mut self,
        genre: Genre,
        temoin: Option<usize>,
        profondeur: usize,
        dans_et: bool,
    ) -> Option<Vec<Noeud>> {
        let mut noeuds = Vec::new();
        for _ in 0..self.h.entre(2, 3) {
            noeuds.extend(self.noeud(genre, temoin, profondeur - 1, dans_et));
        }
        (noeuds.len() > 1).then_some(noeuds)
    }

    fn feuille(&mut self, genre: Genre, temoin: Option<usize>) -> Option<Noeud> {
        let longueur = [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][self.h.borne(10)];
        let mut chemin = self.chemin_depuis(genre, longueur);
        // The type of a target is written in names of parameters only.
        for pas in &mut chemin {
            if let Pas::Avant(r, true) = *pas {
                *pas = Pas::Avant(r, false);
            }
        }
        let fin = chemin.last().map_or(genre, |pas| pas.cible());
        let ligne = temoin.and_then(|t| self.avancer(t, &chemin));
        // Some forms cannot be asked, some values cannot be written: another is drawn.
        for _ in 0..6 {
            let p = self.parametre_porte(fin)?;
            if let Some(mut critere) = self.comparaison(p, ligne) {
                critere.chemin.clone_from(&chemin);
                let forme = forme_de(&critere);
                self.au_dessus(&mut critere, forme);
                return Some(Noeud::Critere(Box::new(critere)));
            }
        }
        None
    }

    /// `param op value` for a resource of the parameter's own type.
    fn comparaison(&mut self, p: &'static Parametre, ligne: Option<usize>) -> Option<Critere> {
        let voulue = self.h.parmi(&formes(p));
        let forme = match voulue {
            Forme::Liste | Forme::Libelle | Forme::Exact | Forme::Non => Forme::Valeur,
            Forme::Prefixe(Prefixe::Ne) => Forme::Prefixe(Prefixe::Eq),
            autre => autre,
        };
        let temoin = ligne.map(|ligne| Temoin { ligne, enregistrement: None });
        let mut critere = self.critere(p, forme, temoin)?;
        critere.nie = matches!(voulue, Forme::Non | Forme::Prefixe(Prefixe::Ne))
            || (forme == Forme::Parmi && self.h.chance(40));
        match &mut critere.test {
            Test::Dates(valeurs) if forme == Forme::Prefixe(Prefixe::Sa) && self.h.chance(40) => {
                valeurs.iter_mut().for_each(|(prefixe, _)| *prefixe = Prefixe::Po);
            }
            Test::Textes(mode @ Mode::Contient, textes) if self.h.chance(40) => {
                let Valeur::Texte { brut, .. } = self.valeur(p, temoin)? else { return None };
                let taille = brut.chars().count();
                let longueur = self.h.entre(1, 10).min(taille);
                *textes = vec![brut.chars().skip(taille - longueur).collect::<String>().trim().to_owned()];
                *mode = Mode::Fin;
            }
            _ => {}
        }
        critere.operateur = self.operateur(&critere);
        ecrivable(&critere).then_some(critere)
    }

    /// One of the ways of saying an equality.
    fn operateur(&mut self, critere: &Critere) -> &'static str {
        let sorte = critere.parametre.sorte;
        match &critere.test {
            _ if self.h.chance(15) && !critere.nie => "=",
            Test::Jetons(_) if sorte == Sorte::Jeton => self.h.parmi(&["eq", "eq", "eq", "ss", "sb"]),
            Test::Textes(Mode::Debut, _) => self.h.parmi(&["eq", "sw"]),
            Test::References(_) if !critere.dessus => self.h.parmi(&["eq", "re"]),
            _ => "eq",
        }
    }

    /// `(a eq 1 or 2)`.
    fn court(&mut self, genre: Genre, temoin: Option<usize>) -> Option<Noeud> {
        let courts: Vec<&'static Parametre> = de_genre(genre)
            .iter()
            .filter(|p| matches!(p.sorte, Sorte::Id | Sorte::Jeton | Sorte::Identifiant | Sorte::Texte))
            .filter(|p| self.index.porte(genre, p.rang()))
            .collect();
        let p = self.h.un(&courts).copied()?;
        let avec_systeme = self.h.chance(50);
        let mut noeuds = Vec::new();
        for _ in 0..self.h.entre(2, 3) {
            let du_temoin = temoin.filter(|_| self.h.chance(40));
            let temoin = du_temoin.map(|ligne| Temoin { ligne, enregistrement: None });
            let test = match self.valeur(p, temoin)? {
                Valeur::Code { systeme, code, .. } => {
                    let systeme = (avec_systeme && !systeme.is_empty()).then_some(systeme);
                    Test::Jetons(vec![Jeton { systeme, code: Some(code), barre: false }])
                }
                Valeur::Texte { brut, .. } => Test::Textes(Mode::Debut, vec![brut]),
                _ => return None,
            };
            let critere = Critere::nouveau(p, test);
            if ecrivable(&critere) {
                noeuds.push(Noeud::Critere(Box::new(critere)));
            }
        }
        // A bare value after one with its system would say two things.
        let systemes = |n: &Noeud| match n {
            Noeud::Critere(c) => matches!(&c.test, Test::Jetons(j) if j.iter().any(|j| j.systeme.is_some())),
            _ => false,
        };
        let pareils = noeuds.iter().all(|n| systemes(n) == noeuds.first().is_some_and(systemes));
        (noeuds.len() > 1 && pareils).then_some(Noeud::Ou(noeuds, true))
    }

    /// `link[condition].param op value`.
    fn crochet(&mut self, genre: Genre, temoin: Option<usize>, profondeur: usize) -> Option<Noeud> {
        let chemin = self.chemin_depuis(genre, 1);
        let pas = match chemin.first()? {
            Pas::Avant(r, _) => Pas::Avant(*r, false),
            Pas::Arriere(_) => return None,
        };
        let ligne = temoin.and_then(|t| self.avancer(t, &chemin));
        let interieur = self.noeud(pas.cible(), ligne, profondeur - 1, false)?;
        let p = self.parametre_porte(pas.cible())?;
        let critere = self.comparaison(p, ligne)?;
        Some(Noeud::Crochet(pas, Box::new(interieur), Box::new(critere)))
    }
}

/// What `:above` looks at.
fn forme_de(critere: &Critere) -> Forme {
    match critere.test {
        Test::Absent(absent) => Forme::Absent(absent),
        Test::Parmi(_) => Forme::Parmi,
        Test::Textes(Mode::Contient | Mode::Fin, _) => Forme::Contient,
        _ => Forme::Valeur,
    }
}

/// Whether its value can stand in a filter as it is: no letter there that ends a word or a text.
fn ecrivable(critere: &Critere) -> bool {
    let textes = critere.test.valeurs_nues(false);
    let sain = |texte: &String| match critere.test {
        Test::Textes(..) => !texte.is_empty() && !texte.contains(['"', '\\', ',', '|', '$']),
        _ => !texte.is_empty() && !texte.contains([' ', '(', ')', '[', ']', '"', '\\', ',', '$']),
    };
    textes.iter().all(sain)
}
