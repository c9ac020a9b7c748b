//! How much there is of everything, and how it is shared over the sites.

use ror_domaine::territoire::region_de_commune;

use super::Modeles;
use crate::donnees::Categorie;
use crate::national::Cibles;
use crate::national::monde::Monde;
use crate::offres::candidats;
use crate::prng::{Prng, Tirage, repartir};

/// Places for a thousand offers, as `offres` draws them: some share, some have several.
const LIEUX: u64 = 1_080;
/// Places for a thousand offers with beds: none share.
const LIEUX_A_LITS: u64 = 1_135;
/// Places whose capacities are told, per mille.
const AVEC_CAPACITE: u64 = 300;

/// What to aim at.
pub struct Volumes {
    ej_ouvertes: u64,
    ej_fermees: u64,
    eg_ouverts: u64,
    eg_fermes: u64,
    oi: u64,
    offres: u64,
    roles: u64,
    /// Professionals.
    pub professionnels: u32,
}

impl Volumes {
    /// A part of the country, at least one of each.
    pub fn a_l_echelle(echelle: f64) -> Self {
        let n = |pays: u64| (pays as f64 * echelle).round().max(1.0) as u64;
        Self {
            ej_ouvertes: n(40_000),
            ej_fermees: n(3_000),
            eg_ouverts: n(90_000),
            eg_fermes: n(7_000),
            oi: n(60_000),
            offres: n(510_000),
            roles: n(1_000_000),
            professionnels: u32::try_from(n(900_000)).unwrap_or(u32::MAX),
        }
    }

    /// The structures to draw.
    pub fn cibles(&self) -> Cibles {
        Cibles {
            ej_ouvertes: self.ej_ouvertes,
            ej_fermees: self.ej_fermees,
            eg_ouverts: self.eg_ouverts,
            eg_fermes: self.eg_fermes,
            activites: 0,
            professionnels: u64::from(self.professionnels),
            sans_coordonnees: 40,
            ..Cibles::default()
        }
    }
}

/// What the sites of a category offer.
pub struct Menu {
    candidats: Vec<usize>,
    tirage: Tirage,
    /// Share of the templates with beds or places, per mille.
    lits: u64,
    /// Share of those with professions, per mille.
    professions: u64,
}

impl Menu {
    fn nouveau(modeles: &Modeles, categorie: &Categorie) -> Option<Self> {
        let (candidats, poids) = candidats(modeles, categorie);
        let part = |convient: &dyn Fn(usize) -> bool| {
            let retenus: u64 =
                candidats.iter().zip(&poids).filter(|(i, _)| convient(**i)).map(|(_, p)| p).sum();
            1000 * retenus / poids.iter().sum::<u64>().max(1)
        };
        let lits = part(&|i| modeles.gabarits[i].nature != "-");
        let professions = part(&|i| !modeles.gabarits[i].professions.is_empty());
        let tirage = Tirage::nouveau(poids.into_iter());
        (categorie.offres > 0 && !candidats.is_empty()).then_some(Self {
            candidats,
            tirage,
            lits,
            professions,
        })
    }

    /// Templates of the offers of a site: the first one of its category, then draws that avoid repeating.
    pub fn choisir(&self, nombre: usize, prng: &mut Prng) -> Vec<usize> {
        let mut choisis: Vec<usize> = Vec::with_capacity(nombre);
        choisis.extend(self.candidats.first().filter(|_| prng.chance(600)));
        while choisis.len() < nombre {
            let mut i = self.candidats[self.tirage.tirer(prng)];
            for _ in 0..6 {
                if !choisis.contains(&i) {
                    break;
                }
                i = self.candidats[self.tirage.tirer(prng)];
            }
            choisis.push(i);
        }
        choisis
    }
}

/// What each site gets.
pub struct Plan {
    /// By national category.
    pub menus: Vec<Option<Menu>>,
    /// Offers of each site.
    pub offres: Vec<u32>,
    /// Offers of the sites before it.
    pub premiere_offre: Vec<u32>,
    /// Internal organisations of each site.
    pub ois: Vec<u32>,
    /// Internal organisations of the sites before it.
    pub premiere_oi: Vec<u32>,
    /// Places with beds whose capacities are told, per mille.
    pub capacites: u64,
    /// Mean number of roles of an offer that has professions, in thousandths.
    pub roles: u64,
}

impl Plan {
    /// Shares the volumes over the sites.
    pub fn nouveau(monde: &Monde<'_>, modeles: &Modeles, v: &Volumes) -> Self {
        let pays = monde.donnees;
        let connues: Vec<Option<&Categorie>> = pays
            .categories
            .iter()
            .map(|c| modeles.categories.iter().find(|connue| connue.code == c.code))
            .collect();
        let menus: Vec<Option<Menu>> =
            connues.iter().map(|c| c.and_then(|c| Menu::nouveau(modeles, c))).collect();
        let mut prng = Prng::nouveau(monde.graine, "repertoire");
        let poids: Vec<u64> = monde
            .egs
            .iter()
            .map(|eg| {
                let place = pays.commune(eg.commune).ok().and_then(|c| region_de_commune(c.insee));
                let tirage = prng.entre(60, 160);
                match (connues[eg.categorie], &menus[eg.categorie]) {
                    (Some(c), Some(_)) if eg.fermeture.is_none() && place.is_some() => c.offres * tirage,
                    _ => 0,
                }
            })
            .collect();
        let offres = repartir(&poids, v.offres);
        let poids: Vec<u64> = monde
            .egs
            .iter()
            .zip(&offres)
            .map(|(eg, n)| {
                let facteur: u64 = match pays.categories[eg.categorie].famille {
                    "SAN" => 20,
                    "PSY" => 14,
                    "PA" | "PH" | "ENF" => 3,
                    _ => 0,
                };
                facteur * n
            })
            .collect();
        let ois = repartir(&poids, v.oi);
        let part = |lire: fn(&Menu) -> u64| -> u64 {
            let sites = monde.egs.iter().zip(&offres);
            sites.map(|(eg, n)| n * menus[eg.categorie].as_ref().map_or(0, lire)).sum()
        };
        let (lits, professions) = (part(|m| m.lits).max(1), part(|m| m.professions).max(1));
        let total: u64 = offres.iter().sum();
        Self {
            capacites: (AVEC_CAPACITE * LIEUX * total * 1000 / (LIEUX_A_LITS * lits)).min(1000),
            roles: v.roles * 1_000_000 / professions,
            premiere_offre: cumuler(&offres),
            offres: courts(&offres),
            premiere_oi: cumuler(&ois),
            ois: courts(&ois),
            menus,
        }
    }
}

fn courts(nombres: &[u64]) -> Vec<u32> {
    nombres.iter().map(|n| u32::try_from(*n).unwrap_or(u32::MAX)).collect()
}

/// The sum of what comes before each.
fn cumuler(nombres: &[u64]) -> Vec<u32> {
    let mut total: u64 = 0;
    let avant = nombres.iter().map(|n| {
        let avant = total;
        total += n;
        avant
    });
    courts(&avant.collect::<Vec<u64>>())
}
