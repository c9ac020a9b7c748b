//! Brute force: which resources satisfy a query.
//!
//! Readings of `docs/recherche.md` where it leaves a choice are marked *reading*: they are the
//! places to look at first when the engine and the oracle disagree.

use std::collections::BTreeMap;

use super::{
    epreuve::Epreuve,
    filtre::{Crochet, Noeud},
    index::{Index, Ligne},
    parametres::{Genre, Groupe, Relation},
    requete::{Cercle, Critere, Pas, Requete, Test},
};

/// For each resource of a type, whether it is kept.
pub type Gardees = Vec<bool>;

/// A criterion and the links of its path that are still to follow.
#[derive(Clone, Copy)]
struct Suite<'q> {
    chemin: &'q [Pas],
    critere: &'q Critere,
}

impl<'q> Suite<'q> {
    fn entiere(critere: &'q Critere) -> Self {
        Self { chemin: &critere.chemin, critere }
    }

    /// What makes two criteria the same parameter given again: the links still to follow and the
    /// name, whatever the modifier; one that climbs at the end is told apart.
    fn cle(&self) -> (Vec<(bool, usize)>, &'static str, bool) {
        let liens = self.chemin.iter().map(|pas| pas.cle()).collect();
        (liens, self.critere.parametre.nom, self.critere.monte())
    }
}

/// Gives each criterion to the target or record it belongs to: the k-th occurrence of a token,
/// string or reference to the k-th, an ordered value, a circle or a refusal to the first.
fn repartir<'q>(suites: &[Suite<'q>]) -> Vec<Vec<Suite<'q>>> {
    let mut occurrences: BTreeMap<_, usize> = BTreeMap::new();
    let mut groupes: Vec<Vec<Suite<'q>>> = Vec::new();
    for suite in suites {
        let mut rang = 0;
        if !suite.critere.parametre.restreint() && !suite.critere.refuse() {
            let deja = occurrences.entry(suite.cle()).or_insert(0);
            rang = *deja;
            *deja += 1;
        }
        while groupes.len() <= rang {
            groupes.push(Vec::new());
        }
        groupes[rang].push(*suite);
    }
    groupes
}

fn et(gardees: &mut [bool], autres: &[bool]) {
    for (gardee, autre) in gardees.iter_mut().zip(autres) {
        *gardee &= *autre;
    }
}

impl Index {
    /// The matches of a query.
    pub fn repondre(&self, requete: &Requete) -> Gardees {
        let suites: Vec<Suite<'_>> = requete.criteres.iter().map(Suite::entiere).collect();
        let mut gardees = self.ensemble(requete.genre, &suites);
        for filtre in &requete.filtres {
            et(&mut gardees, &self.noeud(requete.genre, &filtre.noeud));
        }
        gardees
    }

    /// Resources for which all criteria hold together: one target a link, one record a group.
    fn ensemble(&self, genre: Genre, suites: &[Suite<'_>]) -> Gardees {
        let mut gardees = vec![true; self.table(genre).lignes.len()];
        let mut groupes: Vec<(Groupe, Vec<Suite<'_>>)> = Vec::new();
        let mut liens: Vec<(Pas, Vec<Suite<'_>>)> = Vec::new();
        for suite in suites {
            let Some((pas, reste)) = suite.chemin.split_first() else {
                match suite.critere.groupe() {
                    None => et(&mut gardees, &self.feuille(genre, suite.critere)),
                    Some(groupe) => match groupes.iter_mut().find(|(g, _)| *g == groupe) {
                        Some((_, suites)) => suites.push(*suite),
                        None => groupes.push((groupe, vec![*suite])),
                    },
                }
                continue;
            };
            let suivante = Suite { chemin: reste, critere: suite.critere };
            match pas {
                // It stands alone at the link it climbs from, not at those before.
                Pas::Avant(relation, _) if reste.is_empty() && suite.critere.monte() => {
                    let organisations = self.ensemble(relation.cible, &[suivante]);
                    et(&mut gardees, &self.au_dessus(*relation, &organisations));
                }
                _ => match liens.iter_mut().find(|(p, _)| p.cle() == pas.cle()) {
                    Some((_, suites)) => suites.push(suivante),
                    None => liens.push((*pas, vec![suivante])),
                },
            }
        }
        for (groupe, suites) in groupes {
            for ensemble in repartir(&suites) {
                et(&mut gardees, &self.enregistrement(genre, groupe, &ensemble));
            }
        }
        for (pas, suites) in liens {
            // Two occurrences may find the same target.
            for ensemble in repartir(&suites) {
                let cibles = self.ensemble(pas.cible(), &ensemble);
                et(&mut gardees, &self.par_lien(pas, &cibles));
            }
        }
        gardees
    }

    /// Resources one record of which satisfies all the criteria.
    fn enregistrement(&self, genre: Genre, groupe: Groupe, suites: &[Suite<'_>]) -> Gardees {
        let epreuves: Vec<(usize, Epreuve<'_>)> = suites
            .iter()
            .map(|s| (s.critere.parametre.rang(), Epreuve::preparer(s.critere, &self.contexte)))
            .collect();
        let lignes = self.table(genre).lignes.iter();
        lignes
            .map(|ligne| {
                let mut enregistrements = ligne.groupes[groupe as usize].iter();
                enregistrements.any(|e| epreuves.iter().all(|(rang, epreuve)| epreuve.tient(&e[*rang])))
            })
            .collect()
    }

    /// Resources of which some target, or some resource that refers to them, is kept.
    fn par_lien(&self, pas: Pas, cibles: &[bool]) -> Gardees {
        let liens = match pas {
            Pas::Avant(r, _) => &self.cibles[r.rang],
            Pas::Arriere(r) => &self.sources[r.rang],
        };
        liens.iter().map(|suivants| suivants.iter().any(|s| cibles[*s])).collect()
    }

    /// Resources whose organization, or one of its ancestors, is kept.
    fn au_dessus(&self, relation: Relation, organisations: &[bool]) -> Gardees {
        let liens = self.cibles[relation.rang].iter();
        liens
            .map(|cibles| {
                cibles
                    .iter()
                    .any(|c| self.lignee(*c).into_iter().any(|organisation| organisations[organisation]))
            })
            .collect()
    }

    /// Resources that satisfy a criterion of their own, on all of their values.
    fn feuille(&self, genre: Genre, critere: &Critere) -> Gardees {
        let lignes = &self.table(genre).lignes;
        let rang = critere.parametre.rang();
        let mut gardees: Gardees = match &critere.test {
            Test::References(voulues) => {
                let relation = critere.parametre.relation().expect("a reference has a relation");
                let cible = self.table(relation.cible);
                let voulues: Vec<usize> =
                    voulues.iter().filter_map(|c| cible.rangs.get(&c.id)).copied().collect();
                let liens = self.cibles[relation.rang].iter();
                liens
                    .map(|cibles| {
                        cibles.iter().any(|c| {
                            if critere.dessus {
                                self.lignee(*c).iter().any(|o| voulues.contains(o))
                            } else {
                                voulues.contains(c)
                            }
                        })
                    })
                    .collect()
            }
            Test::Cercles(cercles) => {
                let dans = |l: &Ligne, c: &Cercle| {
                    let metres = self.metres(&c.centre, l);
                    metres.is_some_and(|metres| metres <= c.rayon())
                };
                lignes.iter().map(|l| cercles.iter().any(|c| dans(l, c))).collect()
            }
            _ => {
                let epreuve = Epreuve::preparer(critere, &self.contexte);
                lignes.iter().map(|l| epreuve.tient(&l.valeurs[rang])).collect()
            }
        };
        if critere.nie {
            gardees.iter_mut().for_each(|g| *g = !*g);
        }
        gardees
    }

    /// Resources that satisfy a condition of `_filter`.
    fn noeud(&self, genre: Genre, noeud: &Noeud) -> Gardees {
        match noeud {
            Noeud::Critere(critere) if critere.nie => {
                self.noeud(genre, &Noeud::Critere(affirmer(critere))).into_iter().map(|g| !g).collect()
            }
            Noeud::Critere(critere) => self.ensemble(genre, &[Suite::entiere(critere)]),
            Noeud::Non(noeud) => self.noeud(genre, noeud).into_iter().map(|g| !g).collect(),
            Noeud::Ou(noeuds, _) => {
                let mut gardees = vec![false; self.table(genre).lignes.len()];
                for n in noeuds {
                    for (gardee, autre) in gardees.iter_mut().zip(self.noeud(genre, n)) {
                        *gardee |= autre;
                    }
                }
                gardees
            }
            Noeud::Et(noeuds) => self.conjonction(genre, noeuds, None),
            Noeud::Crochets(crochets, critere) if critere.nie => {
                let affirme = Noeud::Crochets(crochets.clone(), affirmer(critere));
                self.noeud(genre, &affirme).into_iter().map(|g| !g).collect()
            }
            Noeud::Crochets(crochets, critere) => self.crochets(genre, crochets, critere),
        }
    }

    /// What stands between brackets and what follows them is told of one target.
    fn crochets(&self, genre: Genre, crochets: &[Crochet], critere: &Critere) -> Gardees {
        let Some((premier, suivants)) = crochets.split_first() else {
            return self.ensemble(genre, &[Suite::entiere(critere)]);
        };
        let arrivee = premier.liens.last().map_or(genre, |pas| pas.cible());
        let dedans = match &premier.dedans {
            Noeud::Et(noeuds) => noeuds.as_slice(),
            seul => std::slice::from_ref(seul),
        };
        // `links[…].parameter:above` climbs from the last link, and all of the group with it.
        let monte = suivants.is_empty() && critere.monte() && critere.chemin.is_empty();
        let mut gardees = if suivants.is_empty() {
            let dernier = Critere { dessus: critere.dessus && !monte, ..critere.clone() };
            self.conjonction(arrivee, dedans, Some(&dernier))
        } else {
            let mut gardees = self.conjonction(arrivee, dedans, None);
            et(&mut gardees, &self.crochets(arrivee, suivants, critere));
            gardees
        };
        for (rang, pas) in premier.liens.iter().enumerate().rev() {
            gardees = match pas {
                Pas::Avant(relation, _) if monte && rang + 1 == premier.liens.len() => {
                    self.au_dessus(*relation, &gardees)
                }
                _ => self.par_lien(*pas, &gardees),
            };
        }
        gardees
    }

    /// Conditions of which the criteria are one group.
    fn conjonction(&self, genre: Genre, noeuds: &[Noeud], dernier: Option<&Critere>) -> Gardees {
        let direct = |n: &Noeud| matches!(n, Noeud::Critere(c) if !c.nie);
        let directs = noeuds.iter().filter_map(|n| match n {
            Noeud::Critere(critere) if !critere.nie => Some(Suite::entiere(critere)),
            _ => None,
        });
        let suites: Vec<Suite<'_>> = directs.chain(dernier.map(Suite::entiere)).collect();
        let mut gardees = self.ensemble(genre, &suites);
        for noeud in noeuds.iter().filter(|n| !direct(n)) {
            et(&mut gardees, &self.noeud(genre, noeud));
        }
        gardees
    }
}

/// The comparison that `ne` or `ni` denies.
fn affirmer(critere: &Critere) -> Box<Critere> {
    Box::new(Critere { nie: false, ..critere.clone() })
}
