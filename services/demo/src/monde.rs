//! The structures of the demo: legal entities and their sites, as FINESS
//! would know them.

use std::ops::Range;

use crate::cartes::{Cartes, tailles_ej};
use crate::cles;
use crate::dates::AUJOURD_HUI;
use crate::donnees::Donnees;
use crate::error::Error;
use crate::ids;
use crate::noms::{self, Voie};
use crate::plan::Plan;
use crate::prng::{Prng, Tirage};

/// A legal entity.
pub struct Ej {
    /// FINESS number.
    pub finess: String,
    /// SIREN.
    pub siren: String,
    /// Name.
    pub nom: String,
    /// Family of its sites.
    pub famille: &'static str,
    /// Legal status (R400, R72).
    pub statut: &'static str,
    /// Index of the commune.
    pub commune: usize,
    /// Address.
    pub voie: Voie,
    /// Telephone.
    pub telephone: String,
    /// Day of creation.
    pub creation: i64,
    /// Its sites.
    pub eg: Range<usize>,
}

/// A geographic entity.
pub struct Eg {
    /// FINESS number.
    pub finess: String,
    /// Technical id.
    pub id: String,
    /// Index of the legal entity.
    pub ej: usize,
    /// SIRET, unknown for some.
    pub siret: Option<String>,
    /// Name.
    pub nom: String,
    /// Index of the category.
    pub categorie: usize,
    /// Index of the commune.
    pub commune: usize,
    /// Address.
    pub voie: Voie,
    /// Latitude in 1e-5 degrees.
    pub lat: i64,
    /// Longitude in 1e-5 degrees.
    pub lon: i64,
    /// Whether the registry knows the coordinates.
    pub geolocalise: bool,
    /// Telephone.
    pub telephone: String,
    /// Opening day.
    pub ouverture: i64,
    /// Closing day and kind (state of the 005 event), when closed.
    pub fermeture: Option<(i64, &'static str)>,
}

impl Eg {
    /// National identifier of structure: `1` + FINESS.
    pub fn id_nat(&self) -> String {
        format!("1{}", self.finess)
    }
}

/// All the structures.
pub struct Monde {
    /// Legal entities.
    pub ejs: Vec<Ej>,
    /// Sites, grouped by legal entity.
    pub egs: Vec<Eg>,
    /// Index of the reference EHPAD.
    pub ehpad: usize,
    /// Index of the reference health house (ville).
    pub msp: usize,
}

impl Monde {
    /// Draws the structures of the plan. Site 0 is the reference hospital.
    pub fn generer(plan: &Plan, donnees: &Donnees, graine: u64) -> Result<Self, Error> {
        let mut prng = Prng::nouveau(graine, "structures");
        let tailles = tailles_ej(plan, &mut prng);
        let mut cartes = Cartes::nouveau(plan, donnees, &mut prng)?;
        let communes = Tirage::nouveau(donnees.communes.iter().map(|c| c.poids));
        let mut atelier = Atelier { donnees, communes, compteurs: vec![0; 100], prng };
        let mut ejs = Vec::with_capacity(plan.ej);
        let mut egs = Vec::with_capacity(plan.eg);
        for (rang, taille) in tailles.into_iter().enumerate() {
            let mains = cartes.tirer(taille, rang == 0, &mut atelier.prng);
            let ej = atelier.ej(rang, &mains, egs.len())?;
            for (k, categorie) in mains.into_iter().enumerate() {
                let eg = atelier.eg(rang, &ej, k, categorie)?;
                egs.push(eg);
            }
            ejs.push(ej);
        }
        let mut monde =
            Self { ehpad: reference(&egs, donnees, "500")?, msp: reference(&egs, donnees, "603")?, ejs, egs };
        monde.fermer(&mut atelier.prng);
        Ok(monde)
    }

    /// Closes about 5 % of the sites, never a reference one.
    fn fermer(&mut self, prng: &mut Prng) {
        let (ehpad, msp) = (self.ehpad, self.msp);
        for (i, eg) in self.egs.iter_mut().enumerate() {
            if i == 0 || i == ehpad || i == msp || !prng.chance(50) {
                continue;
            }
            let depuis = (AUJOURD_HUI - eg.ouverture - 60).clamp(1, 4000) as u64;
            let jour = AUJOURD_HUI - 30 - prng.borne(depuis) as i64;
            let genre = if prng.chance(850) { "100" } else { "103" };
            eg.fermeture = Some((jour.max(eg.ouverture + 1), genre));
        }
    }
}

fn reference(egs: &[Eg], donnees: &Donnees, code: &str) -> Result<usize, Error> {
    egs.iter()
        .position(|eg| donnees.categories[eg.categorie].code == code)
        .ok_or(Error::Absent("reference site"))
}

struct Atelier<'a> {
    donnees: &'a Donnees,
    communes: Tirage,
    compteurs: Vec<u64>,
    prng: Prng,
}

impl Atelier<'_> {
    fn finess(&mut self, commune: usize) -> Result<String, Error> {
        let departement = self.donnees.communes[commune].departement();
        let rang: usize = departement.parse().map_err(|_| Error::Absent("numeric département"))?;
        self.compteurs[rang] += 1;
        Ok(cles::finess(departement, self.compteurs[rang]))
    }

    fn ej(&mut self, rang: usize, mains: &[usize], debut: usize) -> Result<Ej, Error> {
        let donnees = self.donnees;
        let categories = &donnees.categories;
        let premiere = mains.first().copied().unwrap_or(0);
        let famille = categories[premiere].famille;
        let statut = statut(categories[premiere].code, famille, &mut self.prng);
        let commune = self.communes.tirer(&mut self.prng);
        let maison = noms::maison(&mut self.prng);
        Ok(Ej {
            finess: self.finess(commune)?,
            siren: cles::siren(rang as u64 + 1),
            nom: format!("{} {maison}", prefixe_juridique(statut)),
            famille,
            statut,
            commune,
            voie: noms::voie(&mut self.prng),
            telephone: noms::telephone(&mut self.prng, self.donnees.region),
            creation: jour(&mut self.prng, -3650, 18_000),
            eg: debut..debut + mains.len(),
        })
    }

    fn eg(&mut self, rang: usize, ej: &Ej, k: usize, categorie: usize) -> Result<Eg, Error> {
        let commune =
            if k == 0 || self.prng.chance(500) { ej.commune } else { self.communes.tirer(&mut self.prng) };
        let finess = self.finess(commune)?;
        let donnees = self.donnees;
        let centre = &donnees.communes[commune];
        let siret = self.prng.chance(870).then(|| cles::siret(&ej.siren, k as u64 + 1));
        let maison = noms::maison(&mut self.prng);
        let prefixe = self.donnees.categories[categorie].prefixe;
        Ok(Eg {
            id: ids::id_eg(&finess),
            finess,
            ej: rang,
            siret,
            nom: noms::tronquer(&format!("{prefixe} {maison}"), 80),
            categorie,
            commune,
            voie: noms::voie(&mut self.prng),
            lat: centre.lat + self.prng.borne(1401) as i64 - 700,
            lon: centre.lon + self.prng.borne(1401) as i64 - 700,
            geolocalise: self.prng.chance(670) || rang == 0,
            telephone: noms::telephone(&mut self.prng, self.donnees.region),
            ouverture: jour(&mut self.prng, -2000, 20_300),
            fermeture: None,
        })
    }
}

/// A day in `min..max`.
pub(crate) fn jour(prng: &mut Prng, min: i64, max: i64) -> i64 {
    min + prng.borne((max - min).unsigned_abs()) as i64
}

/// Legal status of an entity, from the category and the family of its first site.
pub(crate) fn statut(categorie: &str, famille: &str, prng: &mut Prng) -> &'static str {
    match categorie {
        "101" | "355" | "106" | "292" => "13",
        "365" | "109" | "128" | "161" => prng.mot(&["95", "73"]),
        "603" => "80",
        _ => prng.mot(statuts(famille)),
    }
}

fn statuts(famille: &str) -> &'static [&'static str] {
    match famille {
        "SAN" | "PSY" => &["13", "60", "95", "61"],
        "DOM" => &["60", "17", "72", "60"],
        "PA" => &["21", "17", "60", "95", "72"],
        "PHA" => &["85", "91", "70", "78"],
        "LBM" => &["91", "85"],
        "ENF" | "PH" => &["60", "61"],
        "VIL" => &["60", "80", "03", "17"],
        _ => &["60", "61", "03"],
    }
}

/// First words of the name of a legal entity.
pub(crate) fn prefixe_juridique(statut: &str) -> &'static str {
    match statut {
        "13" => "CENTRE HOSPITALIER",
        "17" => "CCAS",
        "03" => "COMMUNE",
        "21" => "ETABLISSEMENT PUBLIC",
        "70" => "ENTREPRISE",
        "72" => "SARL",
        "73" => "SA",
        "78" => "EURL",
        "80" => "SISA",
        "85" => "SELARL",
        "91" => "SELAS",
        "95" => "SAS",
        _ => "ASSOCIATION",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Taille;

    #[test]
    fn counts_keys_and_nesting() -> Result<(), Error> {
        let plan = Plan::nouveau(Taille::Small);
        let donnees = Donnees::lire(plan.region)?;
        let monde = Monde::generer(&plan, &donnees, 3)?;
        assert_eq!(monde.ejs.len(), plan.ej);
        assert_eq!(monde.egs.len(), plan.eg);
        assert_eq!(donnees.categories[monde.egs[0].categorie].code, "355");
        let mut vus = std::collections::BTreeSet::new();
        for (i, ej) in monde.ejs.iter().enumerate() {
            assert!(cles::luhn_valide(&ej.finess) && cles::luhn_valide(&ej.siren));
            assert!(vus.insert(ej.finess.clone()));
            assert!(monde.egs[ej.eg.clone()].iter().all(|eg| eg.ej == i));
        }
        for eg in &monde.egs {
            assert!(cles::luhn_valide(&eg.finess) && vus.insert(eg.finess.clone()));
            assert!(eg.siret.as_deref().is_none_or(cles::luhn_valide));
            if let Some((jour, _)) = eg.fermeture {
                assert!(jour > eg.ouverture && jour <= AUJOURD_HUI);
            }
        }
        Ok(())
    }
}
