//! Queries drawn from a seed and from the data: every parameter in every form in turn, then what
//! chance adds to it. Most are about a witness, a resource that is there, so that they find
//! something; values are also rare, neighbouring, absent, or written another way.

mod autour;
mod chemins;
mod filtres;
mod formes;
mod tirages;

use std::collections::BTreeSet;

use super::{
    hasard::Hasard,
    index::Index,
    parametres::{Genre, Parametre, Sorte, de_genre},
    proximite,
    requete::{Centre, Critere, Pas, Requete, Test},
    valeurs::Enregistrement,
};
pub use formes::{Amorce, CANONIQUES, Forme, amorces};

/// Tries before a query that finds nothing, or everything, is kept as it is.
const ESSAIS: usize = 6;
/// Of those tries, how many are about the form whose turn it is.
const DU_TOUR: usize = 3;
/// Longest address; what is accepted is a little more.
const LONGUEUR: usize = 12_000;
/// Most codes that its value sets bring; what is accepted is a little more.
const CODES: usize = 90_000;

/// Draws one query.
pub struct Generateur<'i> {
    index: &'i Index,
    h: Hasard,
    maintenant: i64,
}

/// A resource, and one of its records when that is what counts.
#[derive(Clone, Copy)]
struct Temoin<'i> {
    ligne: usize,
    enregistrement: Option<&'i Enregistrement>,
}

/// The query of that number.
pub fn generer(index: &Index, amorces: &[Amorce], graine: u64, rang: u64) -> Requete {
    let maintenant = crate::temps::maintenant();
    let mut g = Generateur { index, h: Hasard::nouveau(graine, rang), maintenant };
    let mut retenue: Option<(Requete, usize)> = None;
    for essai in 0..ESSAIS {
        let amorce = if essai < DU_TOUR {
            amorces[(rang % amorces.len() as u64) as usize]
        } else {
            g.h.parmi(amorces)
        };
        let Some(requete) = g.base(amorce).filter(|r| acceptable(index, r)) else { continue };
        let reponse = index.repondre(&requete);
        let trouves = reponse.iter().filter(|t| **t).count();
        let utile = 0 < trouves && trouves < reponse.len();
        if retenue.is_none() || utile {
            retenue = Some((requete, trouves));
        }
        // What finds nothing or everything is asked too, now and then.
        if utile || g.h.chance(8) {
            break;
        }
    }
    let (mut requete, trouves) = retenue
        .unwrap_or_else(|| (Requete::nouvelle(Genre::HealthcareService), index.tables[1].lignes.len()));
    g.entourer(&mut requete, trouves);
    requete
}

/// Whether a query stays within the bounds of an address.
fn acceptable(index: &Index, requete: &Requete) -> bool {
    let jeux = requete.tous_les_criteres().into_iter().filter_map(|c| match &c.test {
        Test::Parmi(jeux) => Some(jeux),
        _ => None,
    });
    let codes = jeux.flatten().map(|j| index.contexte.jeux.get(j).map_or(0, BTreeSet::len));
    codes.sum::<usize>() < CODES && requete.url().len() < LONGUEUR
}

impl Generateur<'_> {
    /// A criterion of that form, at the end of some path or of none, and others beside it.
    fn base(&mut self, amorce: Amorce) -> Option<Requete> {
        let p = amorce.parametre;
        let longueur = match self.h.borne(100) {
            0..=59 => 0,
            60..=83 => 1,
            84..=93 => 2,
            94..=97 => 3,
            _ => self.h.entre(4, 6),
        };
        let chemin = self.chemin_vers(p.genre, longueur);
        let fin = self.porteur(p).map(|ligne| Temoin { ligne, enregistrement: None });
        let mut critere = self.critere(p, amorce.forme, fin)?;
        critere.chemin = chemin;
        let genre = critere.genre();
        self.au_dessus(&mut critere, amorce.forme);
        let temoin = fin.and_then(|fin| self.reculer(fin.ligne, &critere.chemin));
        let mut requete = Requete::nouvelle(genre);
        requete.criteres.push(critere);
        let autres = match self.h.borne(100) {
            0..=34 => 0,
            35..=64 => 1,
            65..=84 => 2,
            _ => 3,
        };
        for _ in 0..autres {
            let criteres = self.autres(&requete, temoin);
            requete.criteres.extend(criteres);
        }
        if self.h.chance(30) {
            let nombre = if self.h.chance(12) { 2 } else { 1 };
            for _ in 0..nombre {
                requete.filtres.extend(self.filtre(genre, temoin));
            }
            // Sometimes the filters say it all.
            if !requete.filtres.is_empty() && self.h.chance(25) {
                requete.criteres.clear();
            }
        }
        Some(requete)
    }

    /// One more criterion, or several on one record.
    fn autres(&mut self, requete: &Requete, temoin: Option<usize>) -> Vec<Critere> {
        let chemin = match self.h.borne(100) {
            0..=34 => Vec::new(),
            35..=69 => {
                let connus: Vec<&Vec<Pas>> =
                    requete.criteres.iter().map(|c| &c.chemin).filter(|c| !c.is_empty()).collect();
                self.h.un(&connus).map(|c| (*c).clone()).unwrap_or_default()
            }
            _ => {
                let longueur = [1, 1, 1, 1, 1, 1, 1, 2, 2, 3][self.h.borne(10)];
                self.chemin_depuis(requete.genre, longueur)
            }
        };
        let genre = chemin.last().map_or(requete.genre, |pas| pas.cible());
        let fin = temoin.and_then(|t| self.avancer(t, &chemin));
        let Some(p) = self.parametre_porte(genre) else { return Vec::new() };
        let mut criteres = match (p.groupe, fin) {
            (Some(_), Some(ligne)) if self.h.chance(65) => self.du_meme_groupe(p, ligne),
            _ => {
                let forme = self.h.parmi(&formes::formes(p));
                let temoin = fin.map(|ligne| Temoin { ligne, enregistrement: None });
                self.critere(p, forme, temoin).into_iter().map(|c| (c, forme)).collect()
            }
        };
        for (critere, forme) in &mut criteres {
            critere.chemin.clone_from(&chemin);
            self.au_dessus(critere, *forme);
        }
        criteres.into_iter().map(|(critere, _)| critere).collect()
    }

    /// Criteria of the group of a parameter, told of one record of a resource, or of two of them.
    fn du_meme_groupe(&mut self, p: &'static Parametre, ligne: usize) -> Vec<(Critere, Forme)> {
        let Some(groupe) = p.groupe else { return Vec::new() };
        let index = self.index;
        let enregistrements = &index.table(p.genre).lignes[ligne].groupes[groupe as usize];
        let Some(mut choisi) = self.h.un(enregistrements) else { return Vec::new() };
        let melange = self.h.chance(30);
        let mut criteres = Vec::new();
        for _ in 0..self.h.entre(2, 4) {
            let rang = self.h.borne(choisi.len());
            if choisi[rang].is_empty() {
                continue;
            }
            let autre = &de_genre(p.genre)[rang];
            let forme = self.h.parmi(&formes::formes(autre));
            let temoin = Temoin { ligne, enregistrement: Some(choisi) };
            criteres.extend(self.critere(autre, forme, Some(temoin)).map(|c| (c, forme)));
            if melange {
                choisi = self.h.un(enregistrements).unwrap_or(choisi);
            }
        }
        criteres
    }

    /// A parameter that the data carry, most of the time.
    fn parametre_porte(&mut self, genre: Genre) -> Option<&'static Parametre> {
        let liste = de_genre(genre);
        for _ in 0..4 {
            let rang = self.h.borne(liste.len());
            if self.index.porte(genre, rang) || self.h.chance(10) {
                return liste.get(rang);
            }
        }
        None
    }

    /// A resource that has a value of the parameter.
    fn porteur(&mut self, p: &'static Parametre) -> Option<usize> {
        let (lignes, rang) = (&self.index.table(p.genre).lignes, p.rang());
        let porte = |l: &usize| match p.sorte {
            Sorte::Proche => lignes[*l].position.is_some(),
            Sorte::Commune => {
                let vu_de = Centre::Commune(String::new());
                proximite::lieu(&lignes[*l], &vu_de, &self.index.contexte).is_some()
            }
            _ => !lignes[*l].valeurs[rang].is_empty(),
        };
        let porteurs: Vec<usize> = (0..lignes.len()).filter(porte).collect();
        self.h.un(&porteurs).copied()
    }
}
