//! What was asked, and what was found by it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    filtre::{Noeud, operateur},
    index::Index,
    parametres::{Genre, de_genre},
    requete::{Coupe, Critere, Pas, Requete, Test},
};

/// Share of the queries, in a hundred, that must find something and not everything.
const UTILES: usize = 60;
/// Fewer queries prove nothing about a parameter.
const ASSEZ: usize = 2000;

/// Times asked, times something was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compte {
    pub demandes: usize,
    pub trouves: usize,
}

/// Counts of a campaign.
#[derive(Debug, Default)]
pub struct Couverture {
    par_forme: BTreeMap<(Genre, &'static str, String), Compte>,
    portes: BTreeSet<(Genre, &'static str)>,
    pub requetes: usize,
    utiles: usize,
    autour: BTreeMap<&'static str, Compte>,
}

impl Couverture {
    /// Notes what the data of a caller carry.
    pub fn porter(&mut self, index: &Index) {
        for genre in Genre::TOUS {
            for (rang, p) in de_genre(genre).iter().enumerate() {
                if index.porte(genre, rang) {
                    self.portes.insert((genre, p.nom));
                }
            }
        }
    }

    /// Notes an answered query.
    pub fn noter(&mut self, requete: &Requete, trouves: usize, tous: usize) {
        self.requetes += 1;
        let vide = trouves == 0;
        self.utiles += usize::from(!vide && trouves < tous);
        for critere in &requete.criteres {
            self.compter(critere, forme(critere), vide);
        }
        for filtre in &requete.filtres {
            filtre.noeud.visiter(&mut |c| self.compter(c, format!("_filter {}", operateur(c)), vide));
        }
        let criteres = requete.tous_les_criteres();
        let elements = matches!(requete.coupe, Some(Coupe::Elements(_)));
        let autour = [
            ("_filter", !requete.filtres.is_empty()),
            ("_filter twice", requete.filtres.len() > 1),
            ("_filter brackets", a_crochets(requete, 1)),
            ("_filter brackets in a row", a_crochets(requete, 2)),
            ("_filter short or", courts(requete)),
            ("_sort", !requete.tri.is_empty()),
            ("_include", requete.inclusions.iter().any(|i| !i.inverse)),
            ("_revinclude", requete.inclusions.iter().any(|i| i.inverse)),
            (":iterate", requete.inclusions.iter().any(|i| i.itere)),
            ("_count", requete.nombre.is_some()),
            ("_count=0", requete.nombre == Some(0)),
            ("_total", requete.total.is_some()),
            ("_summary=count", requete.compte),
            ("_summary", requete.coupe.is_some() && !elements),
            ("_elements", elements),
            ("chains", criteres.iter().any(|c| !c.chemin.is_empty())),
            ("_has after a reference", criteres.iter().any(|c| retourne(c))),
            ("several criteria", requete.criteres.len() > 1),
        ];
        for (nom, present) in autour {
            if present {
                ajouter(self.autour.entry(nom).or_default(), vide);
            }
        }
    }

    fn compter(&mut self, critere: &Critere, forme: String, vide: bool) {
        let p = critere.parametre;
        ajouter(self.par_forme.entry((p.genre, p.nom, forme)).or_default(), vide);
    }

    /// What the counts say is missing.
    pub fn fautes(&self) -> Vec<String> {
        let mut fautes = Vec::new();
        if self.utiles * 100 < self.requetes * UTILES {
            fautes.push(format!(
                "only {} of {} queries found something and not everything",
                self.utiles, self.requetes
            ));
        }
        if self.requetes < ASSEZ {
            return fautes;
        }
        for (genre, nom) in &self.portes {
            let mut formes = self.par_forme.iter().filter(|((g, n, _), _)| g == genre && n == nom);
            if !formes.any(|(_, compte)| compte.trouves > 0) {
                fautes.push(format!("{}?{nom}= never found anything, though the data carry it", genre.nom()));
            }
        }
        fautes
    }

    /// The table: a line a parameter, its forms with found/asked.
    pub fn dire(&self) -> String {
        let mut lignes = vec![format!(
            "{} queries, {} of which found something and not everything",
            self.requetes, self.utiles
        )];
        let dire = |nom: &str, c: &Compte| format!("{nom} {}/{}", c.trouves, c.demandes);
        let autour: Vec<String> = self.autour.iter().map(|(nom, c)| dire(nom, c)).collect();
        lignes.push(autour.join(", "));
        for genre in Genre::TOUS {
            for p in de_genre(genre) {
                let formes = self.par_forme.iter().filter(|((g, n, _), _)| *g == genre && *n == p.nom);
                let dites: Vec<String> = formes.map(|((_, _, forme), c)| dire(forme, c)).collect();
                let portee = if self.portes.contains(&(genre, p.nom)) { "" } else { " (not in the data)" };
                lignes.push(format!("{} {}{portee}: {}", genre.nom(), p.nom, dites.join(", ")));
            }
        }
        lignes.join("\n")
    }
}

/// Whether a filter has so many brackets in a row.
fn a_crochets(requete: &Requete, nombre: usize) -> bool {
    contient(requete, |n| matches!(n, Noeud::Crochets(crochets, _) if crochets.len() >= nombre))
}

fn courts(requete: &Requete) -> bool {
    contient(requete, |n| matches!(n, Noeud::Ou(_, true)))
}

fn contient(requete: &Requete, est: impl Fn(&Noeud) -> bool) -> bool {
    let mut trouve = false;
    for filtre in &requete.filtres {
        filtre.noeud.parcourir(&mut |n| trouve |= est(n));
    }
    trouve
}

/// Whether a `_has` follows a reference.
fn retourne(critere: &Critere) -> bool {
    critere.chemin.windows(2).any(|deux| matches!(deux, [Pas::Avant(..), Pas::Arriere(_)]))
}

fn ajouter(compte: &mut Compte, vide: bool) {
    compte.demandes += 1;
    compte.trouves += usize::from(!vide);
}

/// Modifier, prefix or number of values of an ordinary criterion.
fn forme(critere: &Critere) -> String {
    let prefixe = match &critere.test {
        Test::Dates(v) | Test::Nombres(v) => v.first().map(|(p, _)| p.nom()),
        Test::Quantites(v) => v.first().map(|(p, _)| p.nom()),
        _ => None,
    };
    let liste = if critere.test.nombre() > 1 { " list" } else { "" };
    let modificateur = critere.modificateur();
    let base = prefixe.unwrap_or(if modificateur.is_empty() { "=" } else { modificateur });
    format!("{base}{liste}")
}
