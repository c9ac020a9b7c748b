//! Demo files in the real formats, from a seed: FINESS+ structures, RPPS
//! professionals, and the ROR's own resources as FHIR NDJSON. They take the
//! ordinary import path. Persons, structures and numbers are invented, in
//! ranges reserved for that; codes and volumes are the real ones. [`national`] writes the
//! registries of the whole country, [`repertoire`] gives its directory as the services
//! keep it.
//!
//! The same size and seed give the same bytes for ever.

use std::collections::BTreeMap;
use std::path::Path;

mod capacites;
mod cartes;
pub mod cles;
mod contacts;
mod dates;
mod donnees;
mod error;
mod fhir;
mod finess;
pub mod ids;
mod lieux;
mod listes;
mod manifeste;
mod monde;
pub mod national;
mod noms;
mod nos;
mod offres;
mod organisations;
mod plan;
mod prng;
mod professionnels;
mod repartition;
pub mod repertoire;
mod rpps;
mod services;
mod situations;
mod sortie;
mod territoire;

pub use crate::error::Error;
pub use crate::manifeste::Manifeste;
pub use crate::plan::Taille;

use crate::donnees::Donnees;
use crate::monde::Monde;
use crate::offres::{Contenu, LITS_REFERENCE, Lieu, Offre};
use crate::plan::Plan;
use crate::professionnels::Professionnel;
use crate::sortie::{Sortie, creer_dossier};

/// Free beds of the reference place.
const LITS_LIBRES: u64 = 3;

/// Writes the demo files into `dossier` (created if need be) and says what
/// they hold. Existing files of the same names are replaced.
pub fn generer(taille: Taille, graine: u64, dossier: &Path) -> Result<Manifeste, Error> {
    let plan = Plan::nouveau(taille);
    let donnees = Donnees::lire(plan.region)?;
    let monde = Monde::generer(&plan, &donnees, graine)?;
    let contenu = Contenu::generer(&plan, &donnees, &monde, graine)?;
    let ville = contenu.par_eg[monde.msp].start;
    let professionnels = professionnels::generer(&plan, &donnees, &contenu, ville, graine)?;
    let tout =
        Tout { donnees: &donnees, monde: &monde, contenu: &contenu, professionnels: &professionnels, graine };
    let comptes = tout.ecrire(dossier)?;
    let manifeste = tout.manifeste(comptes)?;
    let mut sortie = Sortie::creer(&dossier.join("manifest.json"))?;
    sortie.texte(&serde_json::to_string_pretty(&manifeste)?)?;
    sortie.texte("\n")?;
    sortie.finir()?;
    Ok(manifeste)
}

struct Tout<'a> {
    donnees: &'a Donnees,
    monde: &'a Monde,
    contenu: &'a Contenu,
    professionnels: &'a [Professionnel],
    graine: u64,
}

impl Tout<'_> {
    /// Writes all the files but the manifest; answers the counts.
    fn ecrire(&self, dossier: &Path) -> Result<BTreeMap<String, u64>, Error> {
        let (donnees, monde, contenu) = (self.donnees, self.monde, self.contenu);
        let (graine, professionnels) = (self.graine, self.professionnels);
        let fhir = dossier.join("fhir");
        creer_dossier(&fhir)?;
        let structures = dossier.join("finess-structures.json");
        finess::ecrire(&structures, monde, donnees, graine)?;
        let fichier = dossier.join("rpps-personne-activite.txt");
        let rpps = rpps::ecrire(&fichier, donnees, monde, contenu, professionnels, graine)?;
        let fichier = fhir.join("organization.ndjson");
        let complements = organisations::ecrire(&fichier, donnees, monde, contenu, graine)?;
        let fichier = fhir.join("location.ndjson");
        let lieux = lieux::ecrire(&fichier, donnees, monde, contenu, graine)?;
        let fichier = fhir.join("healthcareservice.ndjson");
        let offres = services::ecrire(&fichier, donnees, monde, contenu, graine)?;
        let fichier = fhir.join("practitionerrole.ndjson");
        let situations = situations::ecrire(&fichier, donnees, monde, contenu, professionnels, graine)?;
        let fermees = monde.egs.iter().filter(|eg| eg.fermeture.is_some()).count();
        let sensibles = contenu.offres.iter().filter(|o| o.sensible).count();
        let paires = [
            ("entites_juridiques", monde.ejs.len() as u64),
            ("entites_geographiques", monde.egs.len() as u64),
            ("entites_geographiques_fermees", fermees as u64),
            ("complements_eg", complements),
            ("organisations_internes", contenu.ois.len() as u64),
            ("offres", offres),
            ("offres_sensibles", sensibles as u64),
            ("lieux", lieux.lieux),
            ("capacites", lieux.capacites),
            ("professionnels", professionnels.len() as u64),
            ("situations", situations),
            ("lignes_rpps", rpps.lignes),
            ("cabinets_rpps", rpps.cabinets),
        ];
        Ok(paires.into_iter().map(|(nom, n)| (nom.to_owned(), n)).collect())
    }

    fn manifeste(&self, comptes: BTreeMap<String, u64>) -> Result<Manifeste, Error> {
        let (donnees, monde) = (self.donnees, self.monde);
        let absent = Error::Absent("reference site");
        let Some(eg) = monde.egs.first() else {
            return Err(absent);
        };
        let commune = &donnees.communes[eg.commune];
        let offre = self.offre(0, 0)?;
        let lieu: &Lieu = &self.contenu.lieux[offre.lieu];
        let gabarit = &donnees.gabarits[offre.gabarit];
        let ville = self.offre(monde.msp, 0)?;
        let Some(professionnel) = self.professionnels.first() else {
            return Err(absent);
        };
        let ressources = self.ressources(&comptes);
        Ok(Manifeste {
            region: donnees.region.to_owned(),
            graine: self.graine,
            comptes,
            ressources,
            eg_finess: eg.finess.clone(),
            eg_id: eg.id.clone(),
            eg_idnatst: eg.id_nat(),
            offre_id: offre.id.clone(),
            offre_identifier: offre.identifiant.clone(),
            lieu_id: lieu.id.clone(),
            lieu_identifier: lieu.identifiant.clone(),
            lieu_id_externe: lieu.externe.clone().unwrap_or_default(),
            lieu_lits_installes: LITS_REFERENCE,
            lieu_lits_disponibles: LITS_LIBRES,
            activite_system: nos::systeme(nos::R211),
            activite_code: gabarit.activite.to_owned(),
            code_postal: commune.cp.to_owned(),
            ville: commune.acheminement.to_owned(),
            commune_cog: commune.insee.to_owned(),
            offre_reanimation_id: self.offre(0, 1)?.id.clone(),
            offre_sensible_id: self.offre(0, 2)?.id.clone(),
            offre_ehpad_id: self.offre(monde.ehpad, 0)?.id.clone(),
            ehpad_id: monde.egs[monde.ehpad].id.clone(),
            offre_ville_id: ville.id.clone(),
            professionnel_id: professionnel.id.clone(),
            professionnel_idnatps: professionnel.id_nat(),
            situation_id: ids::id_situation(&situations::numero(ville, professionnel)),
        })
    }

    /// The `rang`-th offer of a site.
    fn offre(&self, eg: usize, rang: usize) -> Result<&Offre, Error> {
        let site = self.contenu.par_eg[eg].clone();
        let offres = self.contenu.offres.get(site).unwrap_or(&[]);
        offres.get(rang).ok_or(Error::Absent("reference offer"))
    }

    /// Counts by FHIR type, as a full import should show them (cabinets that
    /// only the RPPS knows excepted).
    fn ressources(&self, comptes: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
        let n = |nom: &str| comptes.get(nom).copied().unwrap_or(0);
        let organisations =
            n("entites_juridiques") + n("entites_geographiques") + n("organisations_internes");
        let paires = [
            ("Organization", organisations),
            ("HealthcareService", n("offres")),
            ("Location", n("lieux")),
            ("Practitioner", n("professionnels")),
            ("PractitionerRole", n("situations")),
        ];
        let total: u64 = paires.iter().map(|p| p.1).sum();
        let mut resultat: BTreeMap<String, u64> = BTreeMap::new();
        for (nom, nombre) in paires {
            resultat.insert(nom.to_owned(), nombre);
        }
        resultat.insert("total".to_owned(), total);
        resultat
    }
}

#[cfg(test)]
mod tests;
