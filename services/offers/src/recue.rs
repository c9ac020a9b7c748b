//! A structure as its event tells it, reduced to what offers need.

use std::collections::BTreeMap;

use ror_chassis::{Resultat, conversion::instant};
use ror_domaine::{
    identifiants::{id_eg, id_ej},
    ressource::Ressource as _,
};
use ror_proto::{
    common::v1::{Code, Evenement},
    structures::v1::{self as proto, structure::Ressource as R},
};

use crate::{consequences::ERR, store::structures::Structure};

/// A structure received.
pub(crate) struct Recue {
    /// What is kept of it.
    pub structure: Structure,
    /// Ids made for numbers it holds, that are not its own: it took their place.
    pub reprises: Vec<String>,
    /// Who wrote it; empty in a snapshot.
    pub origine: String,
}

impl Recue {
    /// The last version of each structure of a batch.
    pub fn lire(lot: &[Evenement]) -> Resultat<Vec<Self>> {
        let mut dernieres: BTreeMap<&str, &Evenement> = BTreeMap::new();
        for e in lot {
            if e.etat.is_empty() {
                tracing::warn!(structure = %e.agregat_id, "event without its state: consequences not looked at");
                continue;
            }
            let d = dernieres.entry(e.agregat_id.as_str()).or_insert(e);
            if e.version > d.version {
                *d = e;
            }
        }
        dernieres.into_values().map(Self::nouvelle).collect()
    }

    fn nouvelle(e: &Evenement) -> Resultat<Self> {
        let date = e.date.unwrap_or_default();
        let s = proto::Structure::decoder(e.etat.clone(), e.version, date)?;
        let code = |c: &Option<Code>| c.as_ref().map(|c| c.code.clone()).unwrap_or_default();
        let (parent, mut type_fermeture, mut date_fermeture, reprises) = match &s.ressource {
            Some(R::EntiteJuridique(x)) => (
                String::new(),
                code(&x.type_fermeture),
                x.date_fermeture.clone(),
                reprises(&e.agregat_id, &x.num_finess, &x.finess_anterieurs, id_ej),
            ),
            Some(R::EntiteGeographique(x)) => (
                x.entite_juridique_id.clone(),
                code(&x.type_fermeture),
                x.date_fermeture.clone(),
                reprises(&e.agregat_id, &x.num_finess, &x.finess_anterieurs, id_eg),
            ),
            Some(R::OrganisationInterne(x)) => (
                x.entite_geographique_id.clone(),
                code(&x.type_fermeture),
                x.date_fermeture.clone(),
                Vec::new(),
            ),
            None => Default::default(),
        };
        if e.retire {
            ERR.clone_into(&mut type_fermeture);
            date_fermeture = instant(&date).map(|d| d.date().to_string()).unwrap_or_default();
        }
        Ok(Self {
            structure: Structure {
                id: e.agregat_id.clone(),
                version: e.version,
                genre: e.genre.clone(),
                parent,
                type_fermeture,
                date_fermeture,
            },
            reprises: if e.retire { Vec::new() } else { reprises },
            origine: e.provenance.as_ref().map(|p| p.auteur.clone()).unwrap_or_default(),
        })
    }

    /// Whether its closure, or its date, is another than before.
    pub fn fermeture_change(&self, avant: Option<&Structure>) -> bool {
        let (t, d) = avant.map_or(("", ""), |a| (a.type_fermeture.as_str(), a.date_fermeture.as_str()));
        let s = &self.structure;
        s.type_fermeture != t || (!t.is_empty() && s.date_fermeture != d)
    }

    /// Whether anything it carries may have to follow.
    pub fn touche(&self, avant: Option<&Structure>) -> bool {
        let deplacee = self.structure.genre == "organisation_interne"
            && avant.is_some_and(|a| a.parent != self.structure.parent);
        deplacee || !self.reprises.is_empty() || self.fermeture_change(avant)
    }
}

fn reprises(id: &str, numero: &str, anterieurs: &[String], id_de: fn(&str) -> String) -> Vec<String> {
    if anterieurs.is_empty() {
        return Vec::new();
    }
    let numeros = anterieurs.iter().map(String::as_str).chain([numero]);
    numeros.map(id_de).filter(|autre| autre != id).collect()
}
