//! The whole country in the files of the registries: FINESS+ Structures and Activités,
//! the three files of PS_LibreAcces, for a day and for the next, with an oracle of what a
//! loader must find between the two.
//!
//! Structures are kept compact (some megabytes); everything else is drawn from its rank
//! as it is written, so that memory does not follow the size of the files. The same seed,
//! targets and scale give the same content for ever; compressed bytes are those of the
//! library of the day.

mod activites;
pub(crate) mod donnees;
mod fabrique;
mod gestes;
mod lendemain;
pub(crate) mod monde;
mod oracle;
pub(crate) mod personnes;
mod quotas;
mod rpps;
mod structures;
#[cfg(test)]
mod tests;
mod texte_lieu;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ror_domaine::territoire::region_de_commune;
use serde::{Deserialize, Serialize};

pub use oracle::{Attendu, Oracle};

use crate::dates::{AUJOURD_HUI, compacte};
use crate::error::Error;
use crate::sortie::{Sortie, creer_dossier};
use donnees::Donnees;
use gestes::{GesteEg, GestePs};
use lendemain::Lendemain;
use monde::{Eg, Ej, Monde, texte};
use personnes::Annuaire;
use quotas::Quotas;

/// Changes with the content that a seed gives: part of the name of a cache.
pub const VERSION: u32 = 1;

/// What to aim at, for the whole country. Shares are per mille.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cibles {
    /// Open legal entities.
    pub ej_ouvertes: u64,
    /// Closed ones.
    pub ej_fermees: u64,
    /// Open sites.
    pub eg_ouverts: u64,
    /// Closed ones.
    pub eg_fermes: u64,
    /// Activities authorised; as many are exercised.
    pub activites: u64,
    /// Professionals.
    pub professionnels: u64,
    /// Open legal entities without open site.
    pub ej_sans_eg: u64,
    /// Sites without SIRET.
    pub sans_siret: u64,
    /// Sites without coordinates.
    pub sans_coordonnees: u64,
    /// Professionals without activity.
    pub sans_activite: u64,
    /// Those with two.
    pub deux_activites: u64,
    /// Those with three.
    pub trois_activites: u64,
    /// Those with two professions.
    pub deux_professions: u64,
    /// Activities on a number that FINESS does not know.
    pub non_resolus: u64,
    /// Professionals with a line twice.
    pub doublons: u64,
}

impl Default for Cibles {
    fn default() -> Self {
        Self {
            ej_ouvertes: 56_200,
            ej_fermees: 41_900,
            eg_ouverts: 104_700,
            eg_fermes: 69_800,
            activites: 292_873,
            professionnels: 1_830_000,
            ej_sans_eg: 80,
            sans_siret: 200,
            sans_coordonnees: 330,
            sans_activite: 110,
            deux_activites: 150,
            trois_activites: 20,
            deux_professions: 25,
            non_resolus: 30,
            doublons: 5,
        }
    }
}

impl Cibles {
    /// The same country, smaller (or larger): numbers scaled, at least one of each; shares kept.
    pub fn a_l_echelle(&self, echelle: f64) -> Self {
        let n = |total: u64| (total as f64 * echelle).round().max(1.0) as u64;
        Self {
            ej_ouvertes: n(self.ej_ouvertes),
            ej_fermees: n(self.ej_fermees),
            eg_ouverts: n(self.eg_ouverts),
            eg_fermes: n(self.eg_fermes),
            activites: n(self.activites),
            professionnels: n(self.professionnels),
            ..self.clone()
        }
    }
}

/// How much changes between two editions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rythme {
    /// As on an ordinary day.
    Quotidien,
    /// This share of the open records of each kind, 0 to 1; with 0 the edition brings
    /// nothing but other bytes.
    Taux(f64),
}

/// An edition after the first, told as its differences from the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suivante {
    /// Days after the first.
    pub decalage: u16,
    /// What changes.
    pub rythme: Rythme,
}

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Reglages {
    /// Seed.
    pub graine: u64,
    /// 1.0 for the country, 0.01 for a small region, 0.001 for a test.
    pub echelle: f64,
    /// Targets at scale 1.
    pub cibles: Cibles,
    /// Editions after the first.
    pub suivantes: Vec<Suivante>,
}

/// One edition on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edition {
    /// Day, `AAAAMMJJ`.
    pub jour: String,
    /// FINESS+ Structures.
    pub structures: PathBuf,
    /// FINESS+ Activités.
    pub activites: PathBuf,
    /// Personne_activite.
    pub rpps: PathBuf,
    /// SavoirFaire.
    pub savoir_faire: PathBuf,
    /// Dipl_AutExerc.
    pub diplomes: PathBuf,
    /// Expected operations, for an edition after the first.
    pub oracle: Option<PathBuf>,
    /// Numbers by kind of object.
    pub comptes: BTreeMap<String, u64>,
    /// numFINESS of the last open site of the file that is in a region.
    pub dernier_eg: String,
    /// idNat_PS of the last professional of the file.
    pub dernier_professionnel: String,
}

/// Description of a generated folder (`manifest.json`); paths are names in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifeste {
    /// Version of the generator.
    pub version: u32,
    /// Seed.
    pub graine: u64,
    /// Scale.
    pub echelle: f64,
    /// Editions, the first first.
    pub editions: Vec<Edition>,
}

/// Writes every edition into `dossier` (created if need be); existing files of the same
/// names are replaced.
///
/// # Errors
///
/// When a file cannot be written, or a data file of the crate is malformed.
pub fn generer(r: &Reglages, dossier: &Path) -> Result<Manifeste, Error> {
    creer_dossier(dossier)?;
    let donnees = Donnees::lire()?;
    let cibles = r.cibles.a_l_echelle(r.echelle);
    let monde = Monde::generer(&donnees, &cibles, r.graine)?;
    let annuaire = Annuaire::nouveau(&monde);
    let mut editions = vec![ecrire(dossier, &annuaire, &Vue { monde: &monde, lendemain: None })?];
    for s in &r.suivantes {
        let quotas = match s.rythme {
            Rythme::Quotidien => Quotas::quotidien(r.echelle),
            Rythme::Taux(taux) => Quotas::au_taux(taux, &cibles),
        };
        let mut l = Lendemain::generer(&annuaire, &quotas, i64::from(s.decalage))?;
        let edition = ecrire(dossier, &annuaire, &Vue { monde: &monde, lendemain: Some(&l) })?;
        let mut o = std::mem::take(&mut l.oracle);
        o.graine = r.graine;
        o.echelle = r.echelle;
        o.taux = match s.rythme {
            Rythme::Quotidien => None,
            Rythme::Taux(taux) => Some(taux),
        };
        o.de = compacte(AUJOURD_HUI);
        o.vers.clone_from(&edition.jour);
        for cle in ["lignes_inversees", "telephones_changes"] {
            o.sans_effet.insert(cle.to_owned(), edition.comptes.get(cle).copied().unwrap_or(0));
        }
        let nom = PathBuf::from(format!("oracle-{}.json", edition.jour));
        ecrire_json(&dossier.join(&nom), &o)?;
        editions.push(Edition { oracle: Some(nom), ..edition });
    }
    let m = Manifeste { version: VERSION, graine: r.graine, echelle: r.echelle, editions };
    ecrire_json(&dossier.join("manifest.json"), &m)?;
    Ok(m)
}

fn ecrire_json<T: Serialize>(chemin: &Path, valeur: &T) -> Result<(), Error> {
    let mut sortie = Sortie::creer(chemin)?;
    sortie.texte(&serde_json::to_string_pretty(valeur)?)?;
    sortie.texte("\n")?;
    sortie.finir()?;
    Ok(())
}

/// Writes the five files of an edition.
fn ecrire(dossier: &Path, annuaire: &Annuaire<'_>, vue: &Vue<'_>) -> Result<Edition, Error> {
    let jour = compacte(vue.jour());
    let structures = PathBuf::from(format!("finess-structures-journalier-{jour}.json.gz"));
    let activites = PathBuf::from(format!("finess-activites-journalier-{jour}.json.gz"));
    let rpps = PathBuf::from(format!("PS_LibreAcces_Personne_activite_{jour}0830.txt"));
    let savoir_faire = PathBuf::from(format!("PS_LibreAcces_SavoirFaire_{jour}0830.txt"));
    let diplomes = PathBuf::from(format!("PS_LibreAcces_Dipl_AutExerc_{jour}0830.txt"));
    let (ej, eg) = structures::ecrire(&dossier.join(&structures), vue)?;
    let (niveau, capacites) = activites::ecrire(&dossier.join(&activites), vue)?;
    let (a, s, d) = (dossier.join(&rpps), dossier.join(&savoir_faire), dossier.join(&diplomes));
    let chemins = rpps::Chemins { activites: &a, savoir_faire: &s, diplomes: &d };
    let b = rpps::ecrire(&chemins, annuaire, vue)?;
    let paires = [
        ("entites_juridiques", ej),
        ("entites_geographiques", eg),
        ("activites", 2 * niveau),
        ("capacites", capacites),
        ("professionnels", b.personnes),
        ("lignes_rpps", b.lignes),
        ("lignes_savoir_faire", b.savoir_faire),
        ("lignes_diplomes", b.diplomes),
        ("doublons", b.doublons),
        ("lignes_inversees", b.inversees),
        ("telephones_changes", b.telephones),
    ];
    Ok(Edition {
        jour,
        structures,
        activites,
        rpps,
        savoir_faire,
        diplomes,
        oracle: None,
        comptes: paires.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        dernier_eg: vue.dernier_eg()?,
        dernier_professionnel: vue.dernier_professionnel(annuaire)?,
    })
}

/// The structures as an edition shows them.
struct Vue<'a> {
    monde: &'a Monde<'a>,
    lendemain: Option<&'a Lendemain>,
}

impl Vue<'_> {
    fn jour(&self) -> i64 {
        self.lendemain.map_or(AUJOURD_HUI, |l| l.jour)
    }

    /// FINESS numbers its events anew in each edition: nobody may count on them.
    fn premier_evenement(&self) -> u64 {
        self.jour().unsigned_abs() * 1_000
    }

    fn nombre_ej(&self) -> u32 {
        let creees = self.lendemain.map_or(0, |l| l.ej_creees.len());
        u32::try_from(self.monde.ejs.len() + creees).unwrap_or(u32::MAX)
    }

    fn ej(&self, rang: u32) -> Result<&Ej, Error> {
        let (rang, base) = (rang as usize, self.monde.ejs.len());
        let creee = || self.lendemain.and_then(|l| l.ej_creees.get(rang.checked_sub(base)?));
        self.monde.ejs.get(rang).or_else(creee).ok_or(Error::Absent("legal entity of that rank"))
    }

    fn eg(&self, rang: u32) -> Result<&Eg, Error> {
        let (rang, base) = (rang as usize, self.monde.egs.len());
        let cree = || self.lendemain.and_then(|l| l.eg_creees.get(rang.checked_sub(base)?));
        self.monde.egs.get(rang).or_else(cree).ok_or(Error::Absent("site of that rank"))
    }

    /// Sites of a legal entity: its own but those that left, then those that came.
    fn sites(&self, rang: u32, ej: &Ej) -> Vec<u32> {
        let Some(l) = self.lendemain else { return ej.eg.clone().collect() };
        let parti = |r: &u32| matches!(l.eg.get(r), Some(GesteEg::Transferee));
        let arrives = l.arrivees.get(&rang).into_iter().flatten().copied();
        ej.eg.clone().filter(|r| !parti(r)).chain(arrives).collect()
    }

    fn dernier_eg(&self) -> Result<String, Error> {
        let ferme = |r: u32| self.lendemain.is_some_and(|l| matches!(l.eg.get(&r), Some(GesteEg::Fermee(_))));
        for rang in (0..self.nombre_ej()).rev() {
            let ej = self.ej(rang)?;
            if region_de_commune(self.monde.donnees.commune(ej.commune)?.insee).is_none() {
                continue;
            }
            for site in self.sites(rang, ej).into_iter().rev() {
                let eg = self.eg(site)?;
                if eg.fermeture.is_none() && !ferme(site) {
                    return Ok(texte(&eg.finess).to_owned());
                }
            }
        }
        Err(Error::Absent("open site in a region"))
    }

    fn dernier_professionnel(&self, annuaire: &Annuaire<'_>) -> Result<String, Error> {
        let total = u32::try_from(self.monde.cibles.professionnels).unwrap_or(u32::MAX);
        let tous = total.saturating_add(self.lendemain.map_or(0, |l| l.ps_crees));
        let absent = |r: &u32| self.lendemain.is_some_and(|l| l.ps.get(r) == Some(&GestePs::Disparu));
        let dernier = (0..tous).rev().find(|r| !absent(r)).ok_or(Error::Absent("professional"))?;
        Ok(annuaire.personne(dernier)?.id_nat())
    }
}
