//! The data files of the crate: categories, offer templates, communes,
//! capacity quantiles, professions. They are compiled in.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::Error;

/// A category of establishment, with its weight in the region.
pub struct Categorie {
    /// FINESS category code.
    pub code: &'static str,
    /// Family of categories, one legal entity mostly keeps to one of them.
    pub famille: &'static str,
    /// Number of open sites in the region (January 2021).
    pub poids: u64,
    /// Tenfold mean number of offers of a site; 0 outside the perimeter.
    pub offres: u64,
    /// Tariff mode (FINESS).
    pub mft: &'static str,
    /// Groups of offer templates, weighted.
    pub groupes: Vec<(&'static str, u64)>,
    /// First word of the invented names.
    pub prefixe: &'static str,
}

/// A template of offer: the codes that go together.
pub struct Gabarit {
    /// Group named by the categories.
    pub groupe: &'static str,
    /// Weight inside the group.
    pub poids: u64,
    /// champActivite (R227).
    pub champ: &'static str,
    /// activiteOperationnelle (R211).
    pub activite: &'static str,
    /// familleActiviteOperationnelle (R265 or R266), may be empty.
    pub famille: &'static str,
    /// modePriseEnCharge (R213).
    pub mode: &'static str,
    /// typeOffre (R244), may be empty.
    pub type_offre: &'static str,
    /// `L` beds, `P` places, `-` no capacity.
    pub nature: &'static str,
    /// Name of the capacity distribution.
    pub discipline: &'static str,
    /// Lowest age, in years.
    pub age_min: u64,
    /// Highest age, in years.
    pub age_max: u64,
    /// publicPrisEnCharge (R239).
    pub publics: Vec<&'static str>,
    /// temporaliteAccueil (R240), may be empty.
    pub temporalite: &'static str,
    /// Professions (G15) with an ordinal specialty (R38) or nothing.
    pub professions: Vec<(&'static str, &'static str)>,
    traits: Vec<(&'static str, Vec<&'static str>)>,
    /// Display name.
    pub nom: &'static str,
}

impl Gabarit {
    /// Values of a trait (`equ`, `acc`, `esp`…), empty when absent.
    pub fn valeurs(&self, cle: &str) -> &[&'static str] {
        for (nom, valeurs) in &self.traits {
            if *nom == cle {
                return valeurs;
            }
        }
        &[]
    }

    /// True when the trait is present.
    pub fn a(&self, cle: &str) -> bool {
        !self.valeurs(cle).is_empty()
    }
}

/// A commune (or municipal arrondissement).
pub struct Commune {
    /// INSEE code.
    pub insee: &'static str,
    /// Name with its case and accents.
    pub nom: &'static str,
    /// Name as postal services write it.
    pub acheminement: &'static str,
    /// Postal code (invented but for the largest towns).
    pub cp: &'static str,
    /// Latitude of the centre, in 1e-5 degrees (approximate).
    pub lat: i64,
    /// Longitude of the centre, in 1e-5 degrees (approximate).
    pub lon: i64,
    /// Weight in the draws.
    pub poids: u64,
}

impl Commune {
    /// Code of the département.
    pub fn departement(&self) -> &'static str {
        self.insee.get(..2).unwrap_or("")
    }
}

/// A profession and how the RPPS file writes it.
pub struct Profession {
    /// Label.
    pub libelle: &'static str,
    /// Registration authority.
    pub autorite: &'static str,
    /// Exercise title (R11), may be empty.
    pub civilite: &'static str,
}

/// Everything read from `data/` for one region.
pub struct Donnees {
    /// INSEE code of the region.
    pub region: &'static str,
    /// Categories of establishment.
    pub categories: Vec<Categorie>,
    /// Offer templates.
    pub gabarits: Vec<Gabarit>,
    /// Communes of the region, by INSEE code.
    pub communes: Vec<Commune>,
    /// Capacity distributions: min, p10, p25, p50, p75, p90, p99, max.
    pub quantiles: BTreeMap<&'static str, Vec<u64>>,
    /// Professions by G15 code.
    pub professions: BTreeMap<&'static str, Profession>,
    /// Labels of the ordinal specialties.
    pub specialites: BTreeMap<&'static str, &'static str>,
}

impl Donnees {
    /// Reads the data of a region: `52` or `84`.
    pub fn lire(region: &'static str) -> Result<Self, Error> {
        let communes = match region {
            "52" => lire_communes("communes-52.tsv", include_str!("../data/communes-52.tsv"))?,
            _ => lire_communes("communes-84.tsv", include_str!("../data/communes-84.tsv"))?,
        };
        Ok(Self {
            region,
            categories: lire_categories(if region == "52" { 2 } else { 3 })?,
            gabarits: lire_gabarits()?,
            communes,
            quantiles: lire_quantiles()?,
            professions: lire_professions()?,
            specialites: lire_specialites()?,
        })
    }

    /// Index of the first template of a group with an activity.
    pub fn gabarit(&self, groupe: &str, activite: &str) -> Result<usize, Error> {
        self.gabarits
            .iter()
            .position(|g| g.groupe == groupe && g.activite == activite)
            .ok_or(Error::Absent("offer template of the reference site"))
    }
}

/// A line of a data file.
pub(crate) struct Ligne {
    fichier: &'static str,
    numero: usize,
    champs: Vec<&'static str>,
}

impl Ligne {
    /// A column, empty when absent.
    pub(crate) fn texte(&self, colonne: usize) -> &'static str {
        self.champs.get(colonne).copied().unwrap_or("")
    }

    /// The line is malformed.
    pub(crate) fn erreur(&self) -> Error {
        Error::Donnee { fichier: self.fichier, ligne: self.numero }
    }

    /// A column as a number.
    pub(crate) fn nombre<T: FromStr>(&self, colonne: usize) -> Result<T, Error> {
        self.texte(colonne).parse().map_err(|_| self.erreur())
    }
}

/// The lines of a data file, the header excepted.
pub(crate) fn lignes(
    fichier: &'static str,
    texte: &'static str,
    colonnes: usize,
) -> Result<Vec<Ligne>, Error> {
    let mut resultat = Vec::new();
    for (rang, brut) in texte.lines().enumerate().skip(1) {
        if brut.is_empty() {
            continue;
        }
        let ligne = Ligne { fichier, numero: rang + 1, champs: brut.split('\t').collect() };
        if ligne.champs.len() != colonnes {
            return Err(ligne.erreur());
        }
        resultat.push(ligne);
    }
    Ok(resultat)
}

/// Words between commas.
pub(crate) fn liste(texte: &'static str) -> Vec<&'static str> {
    texte.split(',').filter(|t| !t.is_empty()).collect()
}

fn lire_categories(colonne_poids: usize) -> Result<Vec<Categorie>, Error> {
    let mut resultat = Vec::new();
    for l in lignes("categories.tsv", include_str!("../data/categories.tsv"), 8)? {
        let mut groupes = Vec::new();
        for partie in liste(l.texte(6)) {
            let (nom, poids) = partie.split_once(':').ok_or_else(|| l.erreur())?;
            groupes.push((nom, poids.parse::<u64>().map_err(|_| l.erreur())?));
        }
        resultat.push(Categorie {
            code: l.texte(0),
            famille: l.texte(1),
            poids: l.nombre(colonne_poids)?,
            offres: l.nombre(4)?,
            mft: l.texte(5),
            groupes,
            prefixe: l.texte(7),
        });
    }
    Ok(resultat)
}

fn lire_gabarits() -> Result<Vec<Gabarit>, Error> {
    let mut resultat = Vec::new();
    for l in lignes("gabarits.tsv", include_str!("../data/gabarits.tsv"), 15)? {
        let (age_min, age_max) = l.texte(9).split_once('-').ok_or_else(|| l.erreur())?;
        let mut professions = Vec::new();
        for p in liste(l.texte(12)) {
            professions.push(p.split_once(':').unwrap_or((p, "")));
        }
        let mut traits = Vec::new();
        for t in l.texte(13).split(';').filter(|t| !t.is_empty()) {
            let (nom, valeurs) = t.split_once('=').ok_or_else(|| l.erreur())?;
            traits.push((nom, liste(valeurs)));
        }
        resultat.push(Gabarit {
            groupe: l.texte(0),
            poids: l.nombre(1)?,
            champ: l.texte(2),
            activite: l.texte(3),
            famille: l.texte(4),
            mode: l.texte(5),
            type_offre: l.texte(6),
            nature: l.texte(7),
            discipline: l.texte(8),
            age_min: age_min.parse().map_err(|_| l.erreur())?,
            age_max: age_max.parse().map_err(|_| l.erreur())?,
            publics: liste(l.texte(10)),
            temporalite: l.texte(11),
            professions,
            traits,
            nom: l.texte(14),
        });
    }
    Ok(resultat)
}

/// Communes, in the order of the file.
pub(crate) fn lire_communes(fichier: &'static str, texte: &'static str) -> Result<Vec<Commune>, Error> {
    let mut resultat = Vec::new();
    for l in lignes(fichier, texte, 7)? {
        resultat.push(Commune {
            insee: l.texte(0),
            nom: l.texte(1),
            acheminement: l.texte(2),
            cp: l.texte(3),
            lat: l.nombre(4)?,
            lon: l.nombre(5)?,
            poids: l.nombre(6)?,
        });
    }
    Ok(resultat)
}

fn lire_quantiles() -> Result<BTreeMap<&'static str, Vec<u64>>, Error> {
    let mut resultat = BTreeMap::new();
    for l in lignes("quantiles.tsv", include_str!("../data/quantiles.tsv"), 9)? {
        let mut valeurs = Vec::new();
        for colonne in 1..9 {
            valeurs.push(l.nombre(colonne)?);
        }
        resultat.insert(l.texte(0), valeurs);
    }
    Ok(resultat)
}

fn lire_professions() -> Result<BTreeMap<&'static str, Profession>, Error> {
    let mut resultat = BTreeMap::new();
    for l in lignes("professions.tsv", include_str!("../data/professions.tsv"), 4)? {
        resultat.insert(
            l.texte(0),
            Profession { libelle: l.texte(1), autorite: l.texte(2), civilite: l.texte(3) },
        );
    }
    Ok(resultat)
}

/// Labels of the ordinal specialties.
pub(crate) fn lire_specialites() -> Result<BTreeMap<&'static str, &'static str>, Error> {
    let mut resultat = BTreeMap::new();
    for l in lignes("specialites.tsv", include_str!("../data/specialites.tsv"), 2)? {
        resultat.insert(l.texte(0), l.texte(1));
    }
    Ok(resultat)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_files_are_whole_and_agree() -> Result<(), Error> {
        for region in ["52", "84"] {
            let d = Donnees::lire(region)?;
            assert!(d.communes.len() > 1000);
            for g in &d.gabarits {
                assert_eq!(g.nature == "-", g.discipline.is_empty(), "{}", g.nom);
                if g.nature != "-" {
                    assert!(d.quantiles.contains_key(g.discipline), "{}", g.discipline);
                }
                assert!(g.age_min < g.age_max);
                for (profession, specialite) in &g.professions {
                    assert!(d.professions.contains_key(profession), "{profession}");
                    assert!(specialite.is_empty() || d.specialites.contains_key(specialite));
                }
            }
            for c in &d.categories {
                assert_eq!(c.offres > 0, !c.groupes.is_empty(), "{}", c.code);
                for (groupe, _) in &c.groupes {
                    assert!(d.gabarits.iter().any(|g| g.groupe == *groupe), "{groupe}");
                }
            }
        }
        Ok(())
    }
}
