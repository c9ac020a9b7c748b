//! The data files of the national set: regions, categories, communes, professions,
//! activities. Counts weigh the draws; nothing in them is about a person or a site.

use std::collections::BTreeMap;

use ror_domaine::territoire::{departement_de_commune, region_de_commune};

use crate::donnees::{Commune, lignes, lire_communes, lire_specialites, liste};
use crate::error::Error;
use crate::prng::Tirage;

/// A region, or a territory that has none (975 is `05`, 986 is itself).
pub struct Region {
    /// INSEE code.
    pub code: &'static str,
    /// Open sites of January 2021, the weight of the region.
    pub eg: u64,
    /// Legal entities with an open site.
    pub ej: u64,
    /// Those by number of open sites: 1, 2, 3–4, 5–9, 10–19, 20 and more.
    pub tailles: [u64; 6],
    /// Its communes.
    pub communes: Vec<u16>,
    tirage: Tirage,
}

impl Region {
    /// A commune of the region, by its population.
    pub fn commune(&self, prng: &mut crate::prng::Prng) -> u16 {
        self.communes.get(self.tirage.tirer(prng)).copied().unwrap_or(0)
    }
}

/// A category of site.
pub struct Categorie {
    /// FINESS code.
    pub code: &'static str,
    /// Family of categories.
    pub famille: &'static str,
    /// Tariff mode.
    pub mft: &'static str,
    /// First words of the names.
    pub prefixe: &'static str,
    /// Weight among closed sites.
    pub fermes: u64,
    /// Open sites by region, in the order of the regions.
    pub ouverts: Vec<u64>,
}

/// Where a professional works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endroit {
    /// Hospital or EHPAD.
    Hopital,
    /// Pharmacy.
    Pharmacie,
    /// Laboratory.
    Laboratoire,
    /// Health centre, health house.
    Ambulatoire,
    /// Social or disability site.
    Social,
    /// Cabinet that only the RPPS knows.
    Cabinet,
    /// Company known by its SIRET alone.
    Societe,
}

impl Endroit {
    fn lire(lettre: &str) -> Option<Self> {
        Some(match lettre {
            "H" => Self::Hopital,
            "P" => Self::Pharmacie,
            "L" => Self::Laboratoire,
            "A" => Self::Ambulatoire,
            "S" => Self::Social,
            "C" => Self::Cabinet,
            "G" => Self::Societe,
            _ => return None,
        })
    }
}

/// A profession; the one without code is that of people known by a role.
pub struct Profession {
    /// Code (G15, R94, R95).
    pub code: &'static str,
    /// Label.
    pub libelle: &'static str,
    /// Registration authority.
    pub autorite: &'static str,
    /// Exercise title, may be empty.
    pub civilite: &'static str,
    /// Persons, the weight of the profession.
    pub effectif: u64,
    endroits: Vec<Endroit>,
    tirage: Tirage,
    /// Code of the diploma, may be empty.
    pub diplome: &'static str,
    /// Label of the diploma.
    pub libelle_diplome: &'static str,
}

impl Profession {
    /// A place of work.
    pub fn endroit(&self, prng: &mut crate::prng::Prng) -> Endroit {
        self.endroits.get(self.tirage.tirer(prng)).copied().unwrap_or(Endroit::Cabinet)
    }
}

/// Natures of activity, in the order of the counts of a site.
pub const NATURES: [&str; 8] = ["AMM", "AMF", "AASA", "ASMR", "ASOCR", "ASDR", "AER", "EML"];

/// Everything read from `data/`.
pub struct Donnees {
    /// Regions.
    pub regions: Vec<Region>,
    /// Categories of site.
    pub categories: Vec<Categorie>,
    /// Communes.
    pub communes: Vec<Commune>,
    /// Professions.
    pub professions: Vec<Profession>,
    /// Labels of the ordinal specialties.
    pub specialites: BTreeMap<&'static str, &'static str>,
    /// Codes of the activities of each nature.
    pub activites: Vec<Vec<Vec<&'static str>>>,
    /// Draw over them.
    pub tirages: Vec<Tirage>,
}

impl Donnees {
    /// Reads the files compiled in.
    pub fn lire() -> Result<Self, Error> {
        let communes = lire_communes("communes-france.tsv", include_str!("../../data/communes-france.tsv"))?;
        let regions = lire_regions(&communes)?;
        let (activites, tirages) = lire_activites()?;
        Ok(Self {
            categories: lire_categories(regions.len())?,
            regions,
            professions: lire_professions()?,
            specialites: lire_specialites()?,
            communes,
            activites,
            tirages,
        })
    }

    /// The commune of that index; indices come from the regions.
    pub fn commune(&self, indice: u16) -> Result<&Commune, Error> {
        self.communes.get(usize::from(indice)).ok_or(Error::Absent("commune"))
    }
}

/// Region of a commune; the two territories without a region stand for themselves.
fn territoire(insee: &str) -> &'static str {
    region_de_commune(insee).unwrap_or_else(|| match departement_de_commune(insee) {
        Some("975") => "05",
        Some("986") => "986",
        _ => "",
    })
}

fn lire_regions(communes: &[Commune]) -> Result<Vec<Region>, Error> {
    let mut regions = Vec::new();
    for l in lignes("regions-france.tsv", include_str!("../../data/regions-france.tsv"), 9)? {
        let code = l.texte(0);
        let siennes: Vec<u16> = communes
            .iter()
            .enumerate()
            .filter(|(_, c)| territoire(c.insee) == code)
            .filter_map(|(i, _)| u16::try_from(i).ok())
            .collect();
        if siennes.is_empty() {
            return Err(l.erreur());
        }
        let mut tailles = [0; 6];
        for (k, t) in tailles.iter_mut().enumerate() {
            *t = l.nombre(3 + k)?;
        }
        let tirage =
            Tirage::nouveau(siennes.iter().filter_map(|i| communes.get(usize::from(*i))).map(|c| c.poids));
        regions.push(Region { code, eg: l.nombre(1)?, ej: l.nombre(2)?, tailles, communes: siennes, tirage });
    }
    Ok(regions)
}

fn lire_categories(regions: usize) -> Result<Vec<Categorie>, Error> {
    let mut resultat = Vec::new();
    let texte = include_str!("../../data/categories-france.tsv");
    for l in lignes("categories-france.tsv", texte, 5 + regions)? {
        let mut ouverts = Vec::with_capacity(regions);
        for k in 0..regions {
            ouverts.push(l.nombre(5 + k)?);
        }
        resultat.push(Categorie {
            code: l.texte(0),
            famille: l.texte(1),
            mft: l.texte(2),
            prefixe: l.texte(3),
            fermes: l.nombre(4)?,
            ouverts,
        });
    }
    Ok(resultat)
}

fn lire_professions() -> Result<Vec<Profession>, Error> {
    let mut resultat = Vec::new();
    for l in lignes("professions-france.tsv", include_str!("../../data/professions-france.tsv"), 8)? {
        let mut endroits = Vec::new();
        let mut poids: Vec<u64> = Vec::new();
        for part in liste(l.texte(5)) {
            let (lettre, nombre) = part.split_at_checked(1).ok_or_else(|| l.erreur())?;
            endroits.push(Endroit::lire(lettre).ok_or_else(|| l.erreur())?);
            poids.push(nombre.parse().map_err(|_| l.erreur())?);
        }
        resultat.push(Profession {
            code: l.texte(0),
            libelle: l.texte(1),
            autorite: l.texte(2),
            civilite: l.texte(3),
            effectif: l.nombre(4)?,
            endroits,
            tirage: Tirage::nouveau(poids.into_iter()),
            diplome: l.texte(6),
            libelle_diplome: l.texte(7),
        });
    }
    Ok(resultat)
}

type Activites = (Vec<Vec<Vec<&'static str>>>, Vec<Tirage>);

fn lire_activites() -> Result<Activites, Error> {
    let mut codes: Vec<Vec<Vec<&'static str>>> = vec![Vec::new(); NATURES.len()];
    let mut poids: Vec<Vec<u64>> = vec![Vec::new(); NATURES.len()];
    for l in lignes("activites-france.tsv", include_str!("../../data/activites-france.tsv"), 3)? {
        let nature = NATURES.iter().position(|n| *n == l.texte(0)).ok_or_else(|| l.erreur())?;
        poids[nature].push(l.nombre(1)?);
        codes[nature].push(liste(l.texte(2)));
    }
    Ok((codes, poids.into_iter().map(|p| Tirage::nouveau(p.into_iter())).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_national_data_files_are_whole_and_agree() -> Result<(), Error> {
        let d = Donnees::lire()?;
        assert_eq!(d.regions.len(), 20);
        let entete = include_str!("../../data/categories-france.tsv").lines().next().unwrap_or("");
        let codes: Vec<&str> = entete.split('\t').skip(5).collect();
        assert_eq!(codes, d.regions.iter().map(|r| r.code).collect::<Vec<_>>());
        for (i, r) in d.regions.iter().enumerate() {
            assert!(d.categories.iter().map(|c| c.ouverts[i]).sum::<u64>() > 0, "{}", r.code);
            assert!(r.tailles.iter().sum::<u64>() > 0, "{}", r.code);
        }
        let placees: usize = d.regions.iter().map(|r| r.communes.len()).sum();
        assert_eq!(placees, d.communes.len(), "every commune has its region");
        assert!(d.activites.iter().all(|a| !a.is_empty()));
        for (nature, arite) in [(0, 5), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3), (6, 3), (7, 1)] {
            assert!(d.activites[nature].iter().all(|c| c.len() == arite), "{}", NATURES[nature]);
        }
        assert!(d.professions.iter().map(|p| p.effectif).sum::<u64>() > 1_000_000);
        Ok(())
    }
}
