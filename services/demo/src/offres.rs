//! What each site offers: offers, their places, the internal organisations,
//! before any resource is written.

use std::ops::Range;

use crate::donnees::{Categorie, Donnees, Gabarit};
use crate::error::Error;
use crate::ids;
use crate::monde::Monde;
use crate::plan::Plan;
use crate::prng::{Prng, Tirage};
use crate::repartition::{nombres_par_eg, ois_par_eg};

/// An operational offer.
pub struct Offre {
    /// `<region>/<number>`.
    pub identifiant: String,
    /// Technical id.
    pub id: String,
    /// Index of the site.
    pub eg: usize,
    /// Index of the template.
    pub gabarit: usize,
    /// Display name.
    pub nom: String,
    /// Index of the internal organisation that carries it, if any.
    pub oi: Option<usize>,
    /// Index of its place.
    pub lieu: usize,
    /// uniteSensible.
    pub sensible: bool,
}

/// A place where offers are realised.
pub struct Lieu {
    /// `<region>/<number>`.
    pub identifiant: String,
    /// Technical id.
    pub id: String,
    /// Index of the site.
    pub eg: usize,
    /// Index of its first offer.
    pub offre: usize,
    /// idExterneSynchro, for the bed zones.
    pub externe: Option<String>,
    /// Installed beds or places.
    pub capacite: u64,
}

/// An internal organisation.
pub struct Oi {
    /// `<region>/<number>`.
    pub identifiant: String,
    /// Technical id.
    pub id: String,
    /// Index of the site.
    pub eg: usize,
    /// typeOI (R207).
    pub genre: &'static str,
    /// Name.
    pub nom: String,
}

/// All the content of the sites.
pub struct Contenu {
    /// Offers, grouped by site.
    pub offres: Vec<Offre>,
    /// Places.
    pub lieux: Vec<Lieu>,
    /// Internal organisations.
    pub ois: Vec<Oi>,
    /// Offers of each site.
    pub par_eg: Vec<Range<usize>>,
}

/// Installed beds of the reference place.
pub const LITS_REFERENCE: u64 = 20;

impl Contenu {
    /// Draws the content of every open site of the perimeter.
    pub fn generer(plan: &Plan, donnees: &Donnees, monde: &Monde, graine: u64) -> Result<Self, Error> {
        let mut prng = Prng::nouveau(graine, "offres");
        let nombres = nombres_par_eg(plan, donnees, monde, &mut prng);
        let ois = ois_par_eg(plan, donnees, monde, &nombres);
        let mut atelier = Atelier {
            region: plan.region,
            donnees,
            monde,
            speciaux: [donnees.gabarit("cri", "127")?, donnees.gabarit("pen", "089")?],
            contenu: Self {
                offres: Vec::new(),
                lieux: Vec::new(),
                ois: Vec::new(),
                par_eg: Vec::with_capacity(monde.egs.len()),
            },
            prng,
        };
        for (eg, (nombre, oi)) in nombres.into_iter().zip(ois).enumerate() {
            let debut = atelier.contenu.offres.len();
            if nombre > 0 {
                atelier.site(eg, nombre as usize, oi as usize);
            }
            let fin = atelier.contenu.offres.len();
            atelier.contenu.par_eg.push(debut..fin);
        }
        Ok(atelier.contenu)
    }
}

struct Atelier<'a> {
    region: &'static str,
    donnees: &'a Donnees,
    monde: &'a Monde,
    /// Templates of the second and third offers of the reference hospital.
    speciaux: [usize; 2],
    contenu: Contenu,
    prng: Prng,
}

impl<'a> Atelier<'a> {
    fn gabarit(&self, indice: usize) -> &'a Gabarit {
        &self.donnees.gabarits[indice]
    }

    fn site(&mut self, eg: usize, nombre: usize, ois: usize) {
        let gabarits = self.gabarits(eg, nombre);
        let capacites = self.capacites(eg, &gabarits);
        let services = self.organisations(eg, ois, &gabarits);
        let mut partage: Option<usize> = None;
        for (k, (gabarit, capacite)) in gabarits.iter().zip(capacites).enumerate() {
            let g = self.gabarit(*gabarit);
            let sans_capacite = g.nature == "-";
            let offre = self.contenu.offres.len();
            let reference = eg == 0 && k < 3;
            let ancien = partage.filter(|_| sans_capacite && self.prng.chance(130));
            let lieu = match ancien {
                Some(lieu) => lieu,
                None => self.lieu(eg, k, offre, capacite),
            };
            if sans_capacite {
                partage = Some(lieu);
            }
            let oi = if !services.is_empty() && (reference || self.prng.chance(850)) {
                Some(services.start + k * services.len() / gabarits.len())
            } else {
                None
            };
            let deja = gabarits[..k].iter().filter(|autre| *autre == gabarit).count();
            let nom = if deja == 0 { g.nom.to_owned() } else { format!("{} - unité {}", g.nom, deja + 1) };
            let hasard = g.champ != "05" && self.prng.chance(28);
            let numero = 200_001 + offre;
            let identifiant = format!("{}/{numero}", self.region);
            self.contenu.offres.push(Offre {
                id: ids::id_offre(&identifiant),
                identifiant,
                eg,
                gabarit: *gabarit,
                nom,
                oi,
                lieu,
                sensible: if k == 0 || reference { reference && k == 2 } else { hasard },
            });
        }
    }

    /// Templates of the offers of a site: the first one of its category, then
    /// draws that avoid repeating.
    fn gabarits(&mut self, eg: usize, nombre: usize) -> Vec<usize> {
        let donnees = self.donnees;
        let (candidats, poids) = candidats(donnees, &donnees.categories[self.monde.egs[eg].categorie]);
        let mut choisis: Vec<usize> = Vec::with_capacity(nombre);
        if candidats.is_empty() {
            return choisis;
        }
        let tirage = Tirage::nouveau(poids.into_iter());
        choisis.push(candidats[0]);
        if eg == 0 {
            choisis.extend(self.speciaux);
        }
        while choisis.len() < nombre {
            let mut i = candidats[tirage.tirer(&mut self.prng)];
            for _ in 0..6 {
                if !choisis.contains(&i) {
                    break;
                }
                i = candidats[tirage.tirer(&mut self.prng)];
            }
            choisis.push(i);
        }
        choisis.truncate(nombre);
        choisis
    }

    /// Capacity of each offer: one draw per discipline of the site, shared
    /// between its units.
    fn capacites(&mut self, eg: usize, gabarits: &[usize]) -> Vec<u64> {
        let mut sites: Vec<(&'static str, u64)> = Vec::new();
        let mut resultat = Vec::with_capacity(gabarits.len());
        for (k, i) in gabarits.iter().enumerate() {
            let g = self.gabarit(*i);
            if g.nature == "-" {
                resultat.push(0);
                continue;
            }
            if eg == 0 && k == 0 {
                resultat.push(LITS_REFERENCE);
                continue;
            }
            let connu = sites.iter().find(|s| s.0 == g.discipline).map(|s| s.1);
            let total = match connu {
                Some(total) => total,
                None => {
                    let total = quantile(self.donnees, g.discipline, &mut self.prng);
                    sites.push((g.discipline, total));
                    total
                }
            };
            let meme = |autre: &&usize| self.gabarit(**autre).discipline == g.discipline;
            let unites = gabarits.iter().filter(meme).count() as u64;
            resultat.push((total / unites.max(1)).clamp(2, 160));
        }
        resultat
    }

    fn lieu(&mut self, eg: usize, k: usize, offre: usize, capacite: u64) -> usize {
        let rang = self.contenu.lieux.len();
        let identifiant = format!("{}/{}", self.region, 400_001 + rang);
        let id_nat = self.monde.egs[eg].id_nat();
        let zone = format!("{id_nat}/UF{:04}", 1001 + k);
        self.contenu.lieux.push(Lieu {
            id: ids::id_lieu(&identifiant),
            identifiant,
            eg,
            offre,
            externe: (capacite > 0).then_some(zone),
            capacite,
        });
        rang
    }

    /// Creates the internal organisations of a site; answers the services.
    fn organisations(&mut self, eg: usize, nombre: usize, gabarits: &[usize]) -> Range<usize> {
        let poles = if nombre >= 4 { (nombre / 6).max(1) } else { 0 };
        let services = nombre - poles;
        for k in 0..poles {
            let nom = POLES[(eg + k) % POLES.len()];
            self.oi(eg, "1", format!("Pôle {nom}"));
        }
        let debut = self.contenu.ois.len();
        for s in 0..services {
            let Some(i) = gabarits.get(s * gabarits.len() / services) else {
                continue;
            };
            let nom = self.gabarit(*i).nom;
            if services > gabarits.len() && s % 2 == 1 {
                self.oi(eg, "3", format!("UF {nom}"));
            } else {
                self.oi(eg, "2", format!("Service {nom}"));
            }
        }
        debut..self.contenu.ois.len()
    }

    fn oi(&mut self, eg: usize, genre: &'static str, nom: String) {
        let identifiant = format!("{}/{}", self.region, 600_001 + self.contenu.ois.len());
        self.contenu.ois.push(Oi { id: ids::id_oi(&identifiant), identifiant, eg, genre, nom });
    }
}

/// Templates that a category may offer, with their weights.
pub(crate) fn candidats(donnees: &Donnees, categorie: &Categorie) -> (Vec<usize>, Vec<u64>) {
    let (mut candidats, mut poids) = (Vec::new(), Vec::new());
    for (groupe, part) in &categorie.groupes {
        let debut = candidats.len();
        let mut total: u64 = 0;
        for (i, g) in donnees.gabarits.iter().enumerate() {
            if g.groupe == *groupe {
                candidats.push(i);
                total += g.poids;
            }
        }
        for i in &candidats[debut..] {
            poids.push(1000 * *part * donnees.gabarits[*i].poids / total.max(1));
        }
    }
    (candidats, poids)
}

/// A capacity drawn between the quantiles of a discipline.
pub(crate) fn quantile(donnees: &Donnees, discipline: &str, prng: &mut Prng) -> u64 {
    const BORNES: [u64; 8] = [0, 1000, 2500, 5000, 7500, 9000, 9900, 10_000];
    let tirage = prng.borne(10_000);
    let Some(valeurs) = donnees.quantiles.get(discipline) else {
        return 10;
    };
    for (b, v) in BORNES.windows(2).zip(valeurs.windows(2)) {
        if tirage < b[1] {
            let largeur = b[1] - b[0];
            return v[0] + v[1].saturating_sub(v[0]) * (tirage - b[0]) / largeur;
        }
    }
    valeurs.last().copied().unwrap_or(10)
}

/// Kinds of pôle.
pub(crate) const POLES: [&str; 8] = [
    "Médecine",
    "Chirurgie et anesthésie",
    "Femme-mère-enfant",
    "Urgences et soins critiques",
    "Gériatrie et réadaptation",
    "Santé mentale",
    "Plateau médico-technique",
    "Autonomie et parcours",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Taille;

    #[test]
    fn the_content_of_the_sites_holds_together() -> Result<(), Error> {
        let plan = Plan::nouveau(Taille::Small);
        let donnees = Donnees::lire(plan.region)?;
        let monde = Monde::generer(&plan, &donnees, 5)?;
        let contenu = Contenu::generer(&plan, &donnees, &monde, 5)?;
        assert!(contenu.offres.len() as u64 >= plan.offres);
        assert!(contenu.ois.len() as u64 <= plan.oi && !contenu.ois.is_empty());
        assert_eq!(contenu.par_eg.len(), monde.egs.len());
        for (i, offre) in contenu.offres.iter().enumerate() {
            assert!(contenu.par_eg[offre.eg].contains(&i));
            assert!(monde.egs[offre.eg].fermeture.is_none());
            assert_eq!(contenu.lieux[offre.lieu].eg, offre.eg);
            if let Some(oi) = offre.oi {
                assert_eq!(contenu.ois[oi].eg, offre.eg);
            }
        }
        let hopital = contenu.par_eg[0].start;
        assert_eq!(donnees.gabarits[contenu.offres[hopital].gabarit].activite, "083");
        assert!(contenu.offres[hopital + 2].sensible);
        let ehpad = &contenu.offres[contenu.par_eg[monde.ehpad].start];
        assert_eq!(donnees.gabarits[ehpad.gabarit].type_offre, "21");
        let ville = &contenu.offres[contenu.par_eg[monde.msp].start];
        assert_eq!(donnees.gabarits[ville.gabarit].activite, "437");
        Ok(())
    }
}
