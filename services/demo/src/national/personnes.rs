//! The professionals of the country, each drawn alone from its rank.

use super::donnees::{Endroit, Profession};
use super::monde::{Monde, texte};
use crate::cles;
use crate::error::Error;
use crate::noms;
use crate::prng::{Prng, Tirage};

/// A code with its label.
pub type Libelle = (&'static str, &'static str);

/// What a professional knows how to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavoirFaire {
    /// Kind (R04).
    pub genre: Libelle,
    /// Code and label.
    pub code: Libelle,
}

/// Where an activity takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lieu {
    /// A site of FINESS.
    Site(u32),
    /// A number that FINESS does not know.
    Inconnu(String),
    /// A cabinet that only the RPPS knows.
    Cabinet {
        /// RPPS-rang.
        numero: String,
        /// Commune.
        commune: u16,
    },
    /// A company known by its SIRET.
    Societe {
        /// SIRET.
        siret: String,
        /// Commune.
        commune: u16,
    },
}

/// An activity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activite {
    /// Mode of exercise: `L` or `S`.
    pub mode: &'static str,
    /// Where.
    pub lieu: Lieu,
    /// Sector (R02), code empty when unknown.
    pub secteur: Libelle,
    /// Section of the pharmacists' roll (R06), code empty for the others.
    pub section: Libelle,
    /// Role, code empty for most.
    pub role: Libelle,
}

/// A profession exercised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercice {
    /// Index of the profession.
    pub profession: usize,
    /// Professional category.
    pub categorie: Libelle,
    /// Skills.
    pub savoir_faire: Vec<SavoirFaire>,
    /// Activities.
    pub activites: Vec<Activite>,
}

/// A professional.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Personne {
    /// RPPS number.
    pub rpps: String,
    /// First name.
    pub prenom: String,
    /// Surname.
    pub nom: String,
    /// True for a woman.
    pub femme: bool,
    /// Index of the region.
    pub region: usize,
    /// Professions.
    pub exercices: Vec<Exercice>,
    /// Trained by an authorisation, not by the usual diploma.
    pub autorise: bool,
}

impl Personne {
    /// idNat_PS: `8` + RPPS.
    pub fn id_nat(&self) -> String {
        format!("8{}", self.rpps)
    }

    /// Lines of Personne_activite.
    pub fn lignes(&self) -> u64 {
        self.exercices.iter().map(|e| (e.savoir_faire.len().max(1) * e.activites.len().max(1)) as u64).sum()
    }
}

/// The sites of a region where a kind of professional works.
struct Bassin {
    sites: Vec<u32>,
    tirage: Tirage,
}

/// Draws professionals.
pub struct Annuaire<'a> {
    /// The structures they work in.
    pub monde: &'a Monde<'a>,
    regions: Tirage,
    professions: Tirage,
    specialites: Vec<Libelle>,
    /// By region, in the order of [`ENDROITS`].
    bassins: Vec<Vec<Bassin>>,
}

/// Places that are sites of FINESS.
const ENDROITS: [Endroit; 5] =
    [Endroit::Hopital, Endroit::Pharmacie, Endroit::Laboratoire, Endroit::Ambulatoire, Endroit::Social];

/// Codes of general practice: two in five doctors.
const GENERALISTES: [&str; 3] = ["SM26", "SM53", "SM54"];

impl<'a> Annuaire<'a> {
    /// Over the structures of day J.
    pub fn nouveau(monde: &'a Monde<'a>) -> Self {
        let donnees = monde.donnees;
        let mut sites = vec![vec![(Vec::new(), Vec::new()); ENDROITS.len()]; donnees.regions.len()];
        for (rang, eg) in monde.egs.iter().enumerate().filter(|(_, eg)| eg.fermeture.is_none()) {
            let categorie = &donnees.categories[eg.categorie];
            let region = monde.ejs[eg.ej as usize].region;
            for (k, endroit) in ENDROITS.into_iter().enumerate() {
                let poids = poids(endroit, categorie.famille, categorie.code);
                if let Ok(rang) = u32::try_from(rang)
                    && poids > 0
                {
                    let (rangs, tous): &mut (Vec<u32>, Vec<u64>) = &mut sites[region][k];
                    rangs.push(rang);
                    tous.push(poids);
                }
            }
        }
        let bassin = |(sites, poids): (Vec<u32>, Vec<u64>)| Bassin {
            sites,
            tirage: Tirage::nouveau(poids.into_iter()),
        };
        Self {
            monde,
            regions: Tirage::nouveau(donnees.regions.iter().map(|r| r.eg)),
            professions: Tirage::nouveau(donnees.professions.iter().map(|p| p.effectif)),
            specialites: donnees.specialites.iter().map(|(c, l)| (*c, *l)).collect(),
            bassins: sites.into_iter().map(|r| r.into_iter().map(bassin).collect()).collect(),
        }
    }

    /// The professional of that rank.
    pub fn personne(&self, rang: u32) -> Result<Personne, Error> {
        let monde = self.monde;
        let mut prng = Prng::numerote(monde.graine, "personne", u64::from(rang));
        let region = self.regions.tirer(&mut prng);
        let (prenom, nom, femme) = noms::personne(&mut prng);
        let rpps = cles::rpps_national(u64::from(rang) + 1);
        let mut exercices = vec![self.exercice(&rpps, region, None, &mut prng)?];
        if prng.chance(monde.cibles.deux_professions) {
            let deja = exercices.first().map(|e| e.profession);
            let second = self.exercice(&rpps, region, deja, &mut prng)?;
            if Some(second.profession) != deja {
                exercices.push(second);
            }
        }
        Ok(Personne { rpps, prenom, nom, femme, region, exercices, autorise: prng.chance(8) })
    }

    fn exercice(
        &self,
        rpps: &str,
        region: usize,
        deja: Option<usize>,
        prng: &mut Prng,
    ) -> Result<Exercice, Error> {
        let cibles = self.monde.cibles;
        let profession = self.professions.tirer(prng);
        let p = &self.monde.donnees.professions[profession];
        let categorie = match prng.borne(1000) {
            0..975 => ("C", "Civil"),
            975..985 => ("M", "Militaire"),
            _ => ("E", "Etudiant"),
        };
        let nombre = match prng.borne(1000) {
            n if deja.is_none() && n < cibles.sans_activite => 0,
            n if n >= 1000 - cibles.trois_activites => 3,
            n if n >= 1000 - cibles.trois_activites - cibles.deux_activites => 2,
            _ => 1,
        };
        let mut activites: Vec<Activite> = Vec::with_capacity(nombre);
        for k in 0..nombre {
            let a = self.activite(p, rpps, region, k, prng)?;
            if activites.iter().all(|b| b.lieu != a.lieu) {
                activites.push(a);
            }
        }
        Ok(Exercice { profession, categorie, savoir_faire: self.savoir_faire(p, prng), activites })
    }

    fn savoir_faire(&self, p: &Profession, prng: &mut Prng) -> Vec<SavoirFaire> {
        let specialite = |code: Libelle| SavoirFaire { genre: ("S", "Spécialité ordinale"), code };
        let mut tous = Vec::new();
        match p.code {
            "10" => {
                let Some(s) = self.specialite(prng) else { return tous };
                tous.push(specialite(s));
                if prng.chance(180) {
                    tous.extend(self.autre_savoir_faire(&tous, prng));
                }
            }
            "40" if prng.chance(70) => tous.push(specialite(("SCD01", "Orthopédie dento-faciale"))),
            "60" if prng.chance(8) => tous.push(specialite((
                "SI01",
                "Exercice infirmier en pratique avancée pathologies chroniques stabilisées",
            ))),
            _ => {}
        }
        tous
    }

    fn specialite(&self, prng: &mut Prng) -> Option<Libelle> {
        let generaliste = prng.chance(420);
        let mut codes = self.specialites.iter().filter(|(c, _)| GENERALISTES.contains(c) == generaliste);
        let nombre = codes.clone().count();
        codes.nth(prng.indice(nombre)).copied()
    }

    /// One more skill of a doctor, of those they do not have.
    pub fn autre_savoir_faire(&self, deja: &[SavoirFaire], prng: &mut Prng) -> Option<SavoirFaire> {
        let angeiologie = SavoirFaire { genre: ("C", "Compétence"), code: ("C06", "Angéiologie") };
        if prng.chance(300) && !deja.contains(&angeiologie) {
            return Some(angeiologie);
        }
        let libres: Vec<Libelle> =
            self.specialites.iter().filter(|(c, _)| deja.iter().all(|s| s.code.0 != *c)).copied().collect();
        let code = libres.get(prng.indice(libres.len())).copied()?;
        Some(SavoirFaire { genre: ("S", "Spécialité ordinale"), code })
    }

    /// An activity of that profession in that region; `k` tells it from the others.
    pub fn activite(
        &self,
        p: &Profession,
        rpps: &str,
        region: usize,
        k: usize,
        prng: &mut Prng,
    ) -> Result<Activite, Error> {
        let donnees = self.monde.donnees;
        let endroit = p.endroit(prng);
        let lieu = if prng.chance(self.monde.cibles.non_resolus) {
            self.inconnu(region, prng)?
        } else {
            self.lieu(endroit, rpps, region, k, prng)
        };
        let mode = match (&lieu, endroit) {
            (Lieu::Cabinet { .. }, _) => "L",
            (_, Endroit::Ambulatoire) if prng.chance(500) => "L",
            _ => "S",
        };
        let secteur = match &lieu {
            Lieu::Cabinet { .. } if prng.chance(550) => ("SA08", "Cabinet de groupe"),
            Lieu::Cabinet { .. } => ("SA07", "Cabinet individuel"),
            Lieu::Societe { .. } => ("SA09", "Société"),
            Lieu::Inconnu(_) => ("", ""),
            Lieu::Site(rang) => {
                let eg = &self.monde.egs[*rang as usize];
                secteur(&donnees.categories[eg.categorie])
            }
        };
        let section = match (p.code, endroit) {
            ("21", Endroit::Pharmacie) if prng.chance(450) => ("A", "Titulaire d'officine"),
            ("21", Endroit::Pharmacie) => ("D", "Adjoint d'officine"),
            _ => ("", ""),
        };
        let role = match p.code {
            "" => ("302", "Aide et accompagnement à domicile (PAERPA)"),
            "10" if mode == "S" && prng.chance(60) => ("FON-35", "Chef de service"),
            "60" if mode == "S" && prng.chance(40) => ("FON-43", "Cadre de santé"),
            _ => ("", ""),
        };
        Ok(Activite { mode, lieu, secteur, section, role })
    }

    fn lieu(&self, endroit: Endroit, rpps: &str, region: usize, k: usize, prng: &mut Prng) -> Lieu {
        let commune = |prng: &mut Prng| self.monde.donnees.regions[region].commune(prng);
        let cabinet = |prng: &mut Prng| Lieu::Cabinet {
            numero: cles::rpps_rang_numero(rpps, k as u64),
            commune: commune(prng),
        };
        match ENDROITS.iter().position(|e| *e == endroit) {
            Some(k) => {
                let bassin = &self.bassins[region][k];
                let site = bassin.sites.get(bassin.tirage.tirer(prng)).copied();
                site.map_or_else(|| cabinet(prng), Lieu::Site)
            }
            None if endroit == Endroit::Societe => {
                let siren = cles::siren(900_000 + prng.borne(90_000));
                Lieu::Societe { siret: cles::siret(&siren, 1 + prng.borne(20)), commune: commune(prng) }
            }
            None => cabinet(prng),
        }
    }

    /// A valid number of the territory that was given to nobody.
    fn inconnu(&self, region: usize, prng: &mut Prng) -> Result<Lieu, Error> {
        let commune = self.monde.donnees.regions[region].commune(prng);
        let departement = self.monde.donnees.commune(commune)?.departement();
        Ok(Lieu::Inconnu(cles::finess(departement, 99_000 + prng.borne(900))))
    }

    /// FINESS numbers of a site and of its legal entity, on day J.
    pub fn numeros(&self, rang: u32) -> (&str, &str) {
        let eg = &self.monde.egs[rang as usize];
        (texte(&eg.finess), texte(&self.monde.ejs[eg.ej as usize].finess))
    }
}

fn secteur(categorie: &super::donnees::Categorie) -> Libelle {
    match (categorie.code, categorie.famille) {
        ("101" | "355" | "292" | "106", _) => ("SA01", "Etablissement public de santé"),
        ("124", _) => ("SA05", "Centre de santé"),
        (_, "PHA") => ("SA33", "Pharmacie d'officine"),
        _ => ("", ""),
    }
}

/// Weight of a site for a place of work.
fn poids(endroit: Endroit, famille: &str, categorie: &str) -> u64 {
    match (endroit, famille) {
        (Endroit::Hopital, "SAN" | "PSY" | "PA") => match categorie {
            "101" => 150,
            "355" => 60,
            "365" => 40,
            "292" => 20,
            "109" => 12,
            "500" => 6,
            _ => 2,
        },
        (Endroit::Pharmacie, "PHA") | (Endroit::Laboratoire, "LBM") | (Endroit::Ambulatoire, "VIL") => 1,
        (Endroit::Social, "PH" | "ENF" | "PSY" | "SOC") => 1,
        _ => 0,
    }
}
