//! Professionals, and their roles in the offers.

use std::collections::BTreeMap;

use ror_proto::{
    identity::v1::{Activite, ExerciceProfessionnel, Identity, Professionnel, SavoirFaire, identity},
    offers::v1::{Offer, SituationOperationnelle, offer::Ressource as R},
};

use super::codes::{Dates, code, telecom};
use super::offres::Projet;
use super::{Atelier, Fiche, Ressource, Site};
use crate::error::Error;
use crate::ids;
use crate::national::personnes::{self, Annuaire, Lieu};
use crate::noms;
use crate::nos::{G15, R11, R23, R38, R81, R282};
use crate::prng::Prng;

/// Professionals by region and profession.
pub(super) struct Effectifs {
    professions: BTreeMap<&'static str, usize>,
    par_region: Vec<Vec<u32>>,
    partout: Vec<Vec<u32>>,
}

impl Effectifs {
    /// Looks at each of them once.
    pub fn nouveau(annuaire: &Annuaire<'_>, total: u32) -> Result<Self, Error> {
        let pays = annuaire.monde.donnees;
        let n = pays.professions.len();
        let mut par_region = vec![Vec::new(); n * pays.regions.len()];
        let mut partout = vec![Vec::new(); n];
        for rang in 0..total {
            let p = annuaire.personne(rang)?;
            if let Some(e) = p.exercices.first() {
                par_region[p.region * n + e.profession].push(rang);
                partout[e.profession].push(rang);
            }
        }
        let professions = pays.professions.iter().enumerate().map(|(i, p)| (p.code, i)).collect();
        Ok(Self { professions, par_region, partout })
    }

    /// One of that profession, in that region if there is any; some are taken again and again.
    fn tirer(&self, region: usize, profession: &str, prng: &mut Prng) -> Option<u32> {
        let p = *self.professions.get(profession)?;
        let ici = &self.par_region[region * self.partout.len() + p];
        let liste = if ici.is_empty() { &self.partout[p] } else { ici };
        let borne = prng.indice(liste.len()) + 1;
        liste.get(prng.indice(borne)).copied()
    }
}

impl Atelier<'_> {
    pub(super) fn professionnel(&self, rang: u32) -> Result<Fiche, Error> {
        let p = self.annuaire.personne(rang)?;
        let mut prng = Prng::numerote(self.graine, "personne-repertoire", u64::from(rang));
        let dates = Dates::tirer(&mut prng);
        let id_nat_ps = p.id_nat();
        let region = match self.monde.donnees.regions[p.region].code {
            "05" | "986" => "",
            code => code,
        };
        // As the mirror keeps it: its states do not depend on time.
        let mut meta = dates.meta(ids::id_ps(&id_nat_ps), region);
        meta.date_creation = None;
        let professionnel = Professionnel {
            meta: Some(meta),
            id_nat_ps,
            civilite: code(R81, if p.femme { "MME" } else { "M" }),
            exercices: p.exercices.iter().map(|e| self.exercice(e)).collect(),
            rpps: p.rpps,
            nom: p.nom,
            prenom: p.prenom,
            actif: true,
        };
        let ressource = identity::Ressource::Professionnel(professionnel);
        Ok(dates.fiche(Ressource::Identite(Identity { ressource: Some(ressource) })))
    }

    fn exercice(&self, e: &personnes::Exercice) -> ExerciceProfessionnel {
        let profession = &self.monde.donnees.professions[e.profession];
        let savoir = |s: &personnes::SavoirFaire| SavoirFaire {
            r#type: s.genre.0.to_owned(),
            code: s.code.0.to_owned(),
        };
        ExerciceProfessionnel {
            profession: profession.code.to_owned(),
            categorie: e.categorie.0.to_owned(),
            civilite_exercice: profession.civilite.to_owned(),
            savoir_faire: e.savoir_faire.iter().map(savoir).collect(),
            activites: e.activites.iter().map(|a| self.activite(a)).collect(),
        }
    }

    fn activite(&self, a: &personnes::Activite) -> Activite {
        let mut activite = Activite {
            mode_exercice: a.mode.to_owned(),
            secteur: a.secteur.0.to_owned(),
            role: a.role.0.to_owned(),
            ..Activite::default()
        };
        match &a.lieu {
            Lieu::Site(rang) => {
                let (eg, ej) = self.annuaire.numeros(*rang);
                activite.finess_site = eg.to_owned();
                activite.finess_ej = ej.to_owned();
                activite.id_technique_structure = format!("F{eg}");
            }
            Lieu::Inconnu(finess) => activite.finess_site.clone_from(finess),
            Lieu::Cabinet { numero, .. } => activite.id_technique_structure = format!("R{numero}"),
            Lieu::Societe { siret, .. } => activite.siret.clone_from(siret),
        }
        activite
    }

    /// Writes the roles of an offer: none for a quarter of them, some tens for a few.
    pub(super) fn roles(
        &self,
        s: &Site<'_>,
        p: &Projet<'_>,
        prng: &mut Prng,
        fiches: &mut Vec<Fiche>,
    ) -> Result<(), Error> {
        if p.modele.professions.is_empty() {
            return Ok(());
        }
        // Thousandths of the mean; their own mean is a thousand.
        let poids = match prng.borne(1000) {
            0..250 => 0,
            250..600 => 500,
            600..850 => 1_300,
            850..970 => 2_500,
            _ => 6_667,
        };
        let millioniemes = self.plan.roles * poids;
        let nombre = millioniemes / 1_000_000 + u64::from(prng.borne(1_000_000) < millioniemes % 1_000_000);
        let region = self.monde.ejs[s.eg.ej as usize].region;
        let mut pris: Vec<u32> = Vec::new();
        for _ in 0..nombre {
            let (profession, specialite) = p.modele.professions[prng.indice(p.modele.professions.len())];
            let tire = self.effectifs.tirer(region, profession, prng).filter(|r| !pris.contains(r));
            let Some(rang) = tire else { continue };
            pris.push(rang);
            fiches.push(self.role(s, p, &self.annuaire.personne(rang)?, (profession, specialite), prng));
        }
        Ok(())
    }

    fn role(
        &self,
        s: &Site<'_>,
        p: &Projet<'_>,
        personne: &personnes::Personne,
        (profession, specialite): (&str, &str),
        prng: &mut Prng,
    ) -> Fiche {
        let id_nat = personne.id_nat();
        let identifiant = format!("{}/{id_nat}", p.identifiant);
        let connue = self.monde.donnees.professions.iter().find(|c| c.code == profession);
        let liberal = matches!(p.modele.groupe, "msp" | "snp");
        let dates = Dates::tirer(prng);
        let mut meta = dates.meta(ids::id_situation(&identifiant), s.region);
        let secteur = prng.mot(&["c1", "c1", "c1", "c3", "nc"]);
        if !liberal && prng.chance(50) {
            meta.commentaire = "Présence à temps partiel".to_owned();
        }
        let mut situation = SituationOperationnelle {
            meta: Some(meta),
            identifiant,
            professionnel_id: ids::id_ps(&id_nat),
            offre_id: p.id.clone(),
            structure_id: s.id.clone(),
            profession: code(G15, profession),
            savoir_faire: code(R38, specialite).into_iter().collect(),
            mode_exercice: code(R23, if liberal { "L" } else { "S" }),
            civilite_exercice: code(R11, connue.map_or("", |c| c.civilite)),
            nom_exercice: personne.nom.clone(),
            prenom_exercice: personne.prenom.clone(),
            ..SituationOperationnelle::default()
        };
        if liberal {
            situation.secteur_conventionnement = code(R282, secteur);
            situation.carte_vitale_acceptee = Some(prng.chance(930));
            if profession == "10" && secteur == "c3" {
                situation.option_contrat_acces_aux_soins = Some(prng.chance(400));
            }
        }
        if prng.chance(350) {
            let niveau = if p.sensible { "3" } else { prng.mot(&["1", "2", "3"]) };
            situation.telecommunications = vec![telecom("1", &noms::mobile(prng), "", niveau)];
        }
        dates.fiche(Ressource::Offre(Offer { ressource: Some(R::Situation(situation)) }))
    }
}
