//! How the structures of a region are drawn: legal entities by size, categories dealt so
//! that the mix of the region is exact, closed sites under closed legal entities first.

use super::donnees::{NATURES, Region};
use super::monde::{Cloture, Eg, Ej, Monde};
use crate::cartes::Cartes;
use crate::dates::AUJOURD_HUI;
use crate::error::Error;
use crate::monde::jour;
use crate::prng::{Prng, Tirage, repartir};

/// First closing date of the stock, 2004-01-01.
const PREMIERE_FERMETURE: i64 = 12_418;

/// What a region gets.
pub struct PlanRegion {
    /// Open legal entities.
    pub ej_ouvertes: u64,
    /// Closed ones.
    pub ej_fermees: u64,
    /// Open sites.
    pub eg_ouverts: u64,
    /// Closed ones.
    pub eg_fermes: u64,
}

/// Draws the structures, region after region.
pub struct Atelier<'a> {
    /// What is drawn.
    pub monde: Monde<'a>,
    /// The draws.
    pub prng: Prng,
    /// Categories of closed sites.
    pub fermes: Tirage,
}

impl Atelier<'_> {
    /// Adds the structures of a region.
    pub fn region(&mut self, indice: usize, region: &Region, plan: &PlanRegion) -> Result<(), Error> {
        let sans = plan.ej_ouvertes * self.monde.cibles.ej_sans_eg / 1000;
        let avec = (plan.ej_ouvertes - sans).min(plan.eg_ouverts);
        let tailles = tailles(region, avec, plan.eg_ouverts, &mut self.prng);
        let fermes = self.fermes_par_ej(plan);
        let parts = {
            let poids: Vec<u64> = self.monde.donnees.categories.iter().map(|c| c.ouverts[indice]).collect();
            repartir(&poids, plan.eg_ouverts)
        };
        let familles = self.monde.donnees.categories.iter().map(|c| c.famille);
        let mut cartes = Cartes::de_parts(familles.zip(parts), 0, &mut self.prng);
        for (k, fermes) in fermes.into_iter().enumerate() {
            let fermee = k as u64 >= plan.ej_ouvertes;
            let taille = tailles.get(k).copied().unwrap_or(0);
            let mains = cartes.tirer(taille, false, &mut self.prng);
            self.ej(indice, region, &mains, fermes, fermee)?;
        }
        Ok(())
    }

    /// How many closed sites each legal entity has: those of closed ones first, the rest
    /// under the open ones.
    fn fermes_par_ej(&mut self, plan: &PlanRegion) -> Vec<u64> {
        let (ouvertes, toutes) = (plan.ej_ouvertes as usize, (plan.ej_ouvertes + plan.ej_fermees) as usize);
        let mut fermes = vec![0_u64; toutes];
        let mut reste = plan.eg_fermes;
        for f in fermes.iter_mut().skip(ouvertes) {
            let n = match self.prng.borne(100) {
                0..15 => 0,
                15..90 => 1,
                _ => 2,
            };
            *f = u64::min(n, reste);
            reste -= *f;
        }
        let hotes = if ouvertes > 0 { ouvertes } else { toutes };
        while reste > 0 && hotes > 0 {
            fermes[self.prng.indice(hotes)] += 1;
            reste -= 1;
        }
        fermes
    }

    fn ej(
        &mut self,
        indice: usize,
        region: &Region,
        mains: &[usize],
        fermes: u64,
        fermee: bool,
    ) -> Result<(), Error> {
        let prng = &mut self.prng;
        let commune = region.commune(prng);
        let closes: Vec<usize> = (0..fermes).map(|_| self.fermes.tirer(prng)).collect();
        let fermeture = fermee.then(|| {
            let jour = jour(prng, PREMIERE_FERMETURE, AUJOURD_HUI);
            let hors_champ = prng.chance(320);
            let (code, etat) = if hors_champ { ("002", "002") } else { ("005", "005") };
            Cloture { jour, code, etat: Some(etat) }
        });
        let creation = jour(prng, -3650, if fermee { PREMIERE_FERMETURE } else { 18_000 });
        let rang = u32::try_from(self.monde.ejs.len()).unwrap_or(u32::MAX);
        let debut = u32::try_from(self.monde.egs.len()).unwrap_or(u32::MAX);
        let insee = self.monde.donnees.commune(commune)?.insee;
        let finess = self.monde.numeros.suivant(insee)?;
        let premiere = mains.first().or(closes.first()).copied();
        let categorie = premiere.unwrap_or_else(|| self.fermes.tirer(&mut self.prng));
        for (k, categorie) in mains.iter().chain(&closes).enumerate() {
            let cloture = (k >= mains.len()).then(|| self.cloture(fermeture));
            self.eg(rang, region, commune, k, *categorie, cloture)?;
        }
        let fin = u32::try_from(self.monde.egs.len()).unwrap_or(u32::MAX);
        self.monde.ejs.push(Ej {
            region: indice,
            commune,
            categorie,
            finess,
            creation,
            fermeture,
            eg: debut..fin,
        });
        Ok(())
    }

    fn cloture(&mut self, de_l_ej: Option<Cloture>) -> Cloture {
        let jour = match de_l_ej {
            Some(c) => c.jour,
            None => jour(&mut self.prng, PREMIERE_FERMETURE, AUJOURD_HUI),
        };
        let etat = match self.prng.borne(1000) {
            0..582 => Some("100"),
            582..870 => Some("102"),
            870..981 => Some("101"),
            981..999 => Some("103"),
            _ => None,
        };
        Cloture { jour, code: "005", etat }
    }

    fn eg(
        &mut self,
        ej: u32,
        region: &Region,
        siege: u16,
        k: usize,
        categorie: usize,
        fermeture: Option<Cloture>,
    ) -> Result<(), Error> {
        let commune = if k == 0 || self.prng.chance(500) { siege } else { region.commune(&mut self.prng) };
        let insee = self.monde.donnees.commune(commune)?.insee;
        let fin = fermeture.map_or(20_300, |f| f.jour - 30);
        let ouverture = jour(&mut self.prng, -2000, fin);
        let secondaire = k > 0 && fermeture.is_none() && self.prng.chance(450);
        let finess = self.monde.numeros.suivant(insee)?;
        self.monde.egs.push(Eg {
            ej,
            categorie,
            commune,
            finess,
            ouverture,
            fermeture,
            secondaire,
            activites: [0; NATURES.len()],
            premiere: 0,
        });
        Ok(())
    }
}

/// Open sites of each legal entity that has some, adding up to `cible`.
fn tailles(region: &Region, nombre: u64, cible: u64, prng: &mut Prng) -> Vec<usize> {
    let classes = Tirage::nouveau(region.tailles.iter().copied());
    let mut tailles: Vec<u64> = (0..nombre)
        .map(|_| match classes.tirer(prng) {
            0 => 1,
            1 => 2,
            2 => prng.entre(3, 4),
            3 => prng.entre(5, 9),
            4 => prng.entre(10, 19),
            // Most have some tens, a few some hundreds.
            _ => 20 + prng.borne(25) + if prng.chance(60) { prng.borne(640) } else { 0 },
        })
        .collect();
    tailles.sort_unstable_by(|a, b| b.cmp(a));
    // What does not add up is made up on the largest ones, so that the small classes keep their share.
    let grandes = tailles.iter().filter(|t| **t >= 5).count().max(1).min(tailles.len());
    let mut total: u64 = tailles.iter().sum();
    let mut i = 0;
    while total != cible && !tailles.is_empty() {
        let large =
            if total > cible && tailles[..grandes].iter().all(|t| *t <= 1) { tailles.len() } else { grandes };
        let place = i % large;
        if total < cible {
            tailles[place] += 1;
            total += 1;
        } else if tailles[place] > 1 {
            tailles[place] -= 1;
            total -= 1;
        }
        i += 1;
    }
    tailles.into_iter().map(|t| t as usize).collect()
}
