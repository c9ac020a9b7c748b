//! What stands around the criteria: circles, sorts, includes, the size of the pages.

use super::{Generateur, Temoin};
use crate::oracle::{
    coupe::elements,
    parametres::{Genre, LIEUX, Parametre, RELATIONS, Relation, Sorte, de_genre, parametre},
    proximite::MARGE,
    requete::{Centre, Cercle, Coupe, Inclusion, PAGE, Pas, Requete, Suivi, Tri},
    valeurs::Valeur,
};

impl Generateur<'_> {
    /// A circle around a place that is there, or not far from it, whose rim touches no place.
    pub(super) fn cercle(&mut self, p: &'static Parametre, temoin: Option<Temoin<'_>>) -> Option<Cercle> {
        let centre = if p.sorte == Sorte::Commune { self.commune(temoin)? } else { self.point(temoin)? };
        let distances = [("0.3", "300"), ("1", "1000"), ("2.5", "2500"), ("5", "5000"), ("15", "15000")];
        let loin = [("15", "15000"), ("30", "30000"), ("50", "50000"), ("100", "100000")];
        let (km, m) = if self.h.chance(50) { self.h.parmi(&distances) } else { self.h.parmi(&loin) };
        let (distance, unite) = match self.h.borne(10) {
            0 => (None, None),
            1 | 2 => (Some(km), None),
            3 | 4 => (Some(m), Some("m")),
            _ => (Some(km), Some("km")),
        };
        let cercle = Cercle { centre, distance: distance.map(str::to_owned), unite };
        let (index, rayon) = (self.index, cercle.rayon());
        let lieux = index.table(Genre::Location).lignes.iter();
        let mut ecarts = lieux.filter_map(|l| index.metres(&cercle.centre, l)).map(|m| (m - rayon).abs());
        let net = ecarts.all(|ecart| ecart > MARGE);
        net.then_some(cercle)
    }

    fn point(&mut self, temoin: Option<Temoin<'_>>) -> Option<Centre> {
        let lignes = &self.index.table(Genre::Location).lignes;
        let du_temoin = temoin.and_then(|t| lignes.get(t.ligne)).and_then(|l| l.position);
        let connues: Vec<(f64, f64)> = lignes.iter().filter_map(|l| l.position).collect();
        let hasard = self.h.un(&connues).copied();
        let (lat, lon) = du_temoin.filter(|_| self.h.chance(80)).or(hasard)?;
        let ecart = self.h.parmi(&[0.0, 0.0, 0.01, -0.02, 0.1]);
        let point = Centre::Point(format!("{:.5}", lat + ecart), format!("{:.6}", lon - ecart));
        Some(point)
    }

    fn commune(&mut self, temoin: Option<Temoin<'_>>) -> Option<Centre> {
        let p = parametre(Genre::Location, "commune-cog");
        let Valeur::Code { code, .. } = self.valeur(p, temoin)? else { return None };
        self.index.contexte.communes.contains_key(&code).then_some(Centre::Commune(code))
    }

    /// Adds a sort, includes, the size of the pages.
    pub(super) fn entourer(&mut self, requete: &mut Requete, trouves: usize) {
        if self.h.chance(3) {
            requete.compte = true;
            return;
        }
        if self.h.chance(25) {
            self.trier(requete);
        }
        if self.h.chance(20) {
            for _ in 0..self.h.entre(1, 4) {
                requete.inclusions.extend(self.inclusion(requete.genre));
            }
        }
        if self.h.chance(12) {
            let pages = self.h.entre(2, 5);
            requete.nombre = Some((trouves / pages + self.h.entre(1, 3)).min(PAGE));
        } else if self.h.chance(2) {
            requete.nombre = Some(0);
        }
        if self.h.chance(6) {
            requete.coupe = Some(self.coupe(requete.genre));
        }
        if self.h.chance(6) {
            requete.total = Some(self.h.parmi(&["none", "accurate", "estimate"]));
        }
    }

    fn coupe(&mut self, genre: Genre) -> Coupe {
        if self.h.chance(50) {
            return Coupe::Resume(self.h.parmi(&["true", "text", "data"]));
        }
        let noms = elements(genre);
        Coupe::Elements((0..self.h.entre(1, 3)).map(|_| self.h.parmi(noms)).collect())
    }

    fn trier(&mut self, requete: &mut Requete) {
        for _ in 0..self.h.entre(1, 2) {
            let proche = self.h.chance(60).then(|| self.tri_proche(requete)).flatten();
            let (chemin, p) = match proche {
                Some(trouve) => trouve,
                None => {
                    let longueur = [0, 0, 0, 1, 1, 2][self.h.borne(6)];
                    let pas = self.chemin_depuis(requete.genre, longueur);
                    let chemin: Vec<Relation> = pas
                        .iter()
                        .map_while(|p| if let Pas::Avant(r, _) = p { Some(*r) } else { None })
                        .collect();
                    let fin = chemin.last().map_or(requete.genre, |r| r.cible);
                    let triables: Vec<&'static Parametre> =
                        de_genre(fin).iter().filter(|p| triable(p)).collect();
                    let Some(p) = self.h.un(&triables).copied() else { continue };
                    (chemin, p)
                }
            };
            let connu = requete.tri.iter().any(|t| t.parametre == p && t.chemin == chemin);
            if !connu {
                requete.tri.push(Tri { chemin, parametre: p, descendant: self.h.chance(45) });
            }
        }
    }

    fn inclusion(&mut self, genre: Genre) -> Option<Inclusion> {
        let proches: Vec<Relation> =
            RELATIONS.into_iter().filter(|r| r.source == genre || r.cible == genre).collect();
        let relation =
            if self.h.chance(65) { self.h.un(&proches).copied()? } else { self.h.parmi(&RELATIONS) };
        let inverse = if relation.source == genre { self.h.chance(15) } else { self.h.chance(60) };
        let itere = self.h.chance(35);
        let de_la_recherche = |r: &Relation| if inverse { r.cible == genre } else { r.source == genre };
        let suivi = match self.h.borne(100) {
            0..=9 => Suivi::Type(relation.source),
            10..=17 if RELATIONS.iter().any(de_la_recherche) => Suivi::Tout,
            18..=23 => Suivi::TypeVers(relation.source, relation.cible),
            _ => Suivi::Une(relation, self.h.chance(20)),
        };
        Some(Inclusion { suivi, inverse, itere, recurse: self.h.chance(25) })
    }

    /// Sort by distance, where there is a point to count from: of a place, of an offer's places.
    fn tri_proche(&mut self, requete: &Requete) -> Option<(Vec<Relation>, &'static Parametre)> {
        requete.premier_cercle()?;
        let chemin = match requete.genre {
            Genre::Location => Vec::new(),
            Genre::HealthcareService if self.h.chance(50) => vec![LIEUX],
            Genre::HealthcareService => Vec::new(),
            _ => return None,
        };
        let nom = self.h.parmi(&["near", "near", "near-insee-code"]);
        Some((chemin, parametre(Genre::Location, nom)))
    }
}

/// Parameters that order by their value: distances need a circle, references are followed.
fn triable(p: &Parametre) -> bool {
    p.sorte != Sorte::Reference && !p.situe()
}
