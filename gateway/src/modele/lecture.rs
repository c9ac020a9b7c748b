//! Events read apart from the directory, by whoever has a thread for it: decoded, what is searched of them told, their
//! states as they are to be kept. It is more than half of the work of an event, and the directory has one writer.

use std::sync::Arc;

use prost::{DecodeError, Message};
use ror_chassis::conversion::instant;
use ror_proto::{
    capacity::v1::{Capacity, capacity},
    common::v1::Evenement,
    identity::v1::{Identity, identity},
    offers::v1::{Offer, offer},
    structures::v1::{Structure, structure},
};

use super::{
    Source, TypeFhir as T,
    application::PROFESSIONNEL,
    enregistrements::Donnee,
    etat::{self, Genre},
    vue::{self, Vue},
};
use crate::recherche::parametres::Relation;

/// What a row refers to, by relation: technical ids, some of which may be empty.
pub(super) type Renvois = Vec<(Relation, Vec<String>)>;

/// An event that concerns the directory.
pub struct Lu {
    pub(super) id: String,
    pub(super) version: u64,
    /// Milliseconds since 1970.
    pub(super) maj: i64,
    pub(super) contenu: Contenu,
}

/// What it says.
pub(super) enum Contenu {
    /// Capacity records of a place; none when they are withdrawn.
    Capacites { etat: Option<Arc<[u8]>>, donnees: Vec<Donnee> },
    /// A row, and its state as it is to be kept.
    Ligne { t: T, vue: Box<Vue>, etat: Vec<u8>, renvois: Renvois },
    /// A row is withdrawn.
    Retrait { t: T },
}

/// Reads a batch of one source; what cannot be read is told to the log.
pub fn lire(source: Source, lot: &[Evenement]) -> Vec<Lu> {
    let un = |e: &Evenement| {
        Lu::lire(source, e).unwrap_or_else(|erreur| {
            tracing::error!(source = source.nom(), id = %e.agregat_id, version = e.version, error = %erreur, "event not applied");
            None
        })
    };
    lot.iter().filter_map(un).collect()
}

impl Lu {
    /// None when the directory takes nothing of it.
    fn lire(source: Source, e: &Evenement) -> Result<Option<Self>, DecodeError> {
        let contenu = match source {
            Source::Capacity => Some(capacites(e)?),
            Source::Structures => structure(e)?,
            Source::Offers => offre(e)?,
            Source::Identity => professionnel(e)?,
        };
        let date = e.date.as_ref().and_then(instant);
        Ok(contenu.map(|contenu| Self {
            id: e.agregat_id.clone(),
            version: e.version,
            maj: date.map_or(0, |d| (d.unix_timestamp_nanos() / 1_000_000) as i64),
            contenu,
        }))
    }
}

fn capacites(e: &Evenement) -> Result<Contenu, DecodeError> {
    let ressource = Capacity::decode(e.etat.clone())?.ressource;
    if e.retire {
        return Ok(Contenu::Capacites { etat: None, donnees: Vec::new() });
    }
    let donnees = ressource.map(|capacity::Ressource::CapaciteLieu(k)| vue::capacites(&k));
    let etat = etat::garder(Genre::CAPACITE, &e.etat);
    Ok(Contenu::Capacites { etat: Some(etat.into()), donnees: donnees.unwrap_or_default() })
}

/// A row with its state, or without when it is withdrawn.
fn ligne(retire: bool, t: T, etat: &[u8], dire: impl FnOnce() -> (Vue, Renvois)) -> Contenu {
    if retire {
        return Contenu::Retrait { t };
    }
    let (vue, renvois) = dire();
    Contenu::Ligne { t, vue: vue.into(), etat: etat::garder(t.into(), etat), renvois }
}

fn structure(e: &Evenement) -> Result<Option<Contenu>, DecodeError> {
    let Some(r) = Structure::decode(e.etat.clone())?.ressource else { return Ok(None) };
    Ok(Some(ligne(e.retire, T::Organization, &e.etat, || {
        let vue = vue::structure(&r);
        let parent = match r {
            structure::Ressource::EntiteGeographique(s) => s.entite_juridique_id,
            structure::Ressource::OrganisationInterne(o) => o.entite_geographique_id,
            structure::Ressource::EntiteJuridique(_) => String::new(),
        };
        (vue, vec![(Relation::Parent, vec![parent])])
    })))
}

fn offre(e: &Evenement) -> Result<Option<Contenu>, DecodeError> {
    let Some(r) = Offer::decode(e.etat.clone())?.ressource else { return Ok(None) };
    Ok(Some(ligne(e.retire, vue::type_d_offre(&r), &e.etat, || {
        let vue = vue::offre(&r);
        let renvois = match r {
            offer::Ressource::Offre(o) => {
                vec![(Relation::Porteur, vec![o.porteur_id]), (Relation::Lieux, o.lieux_ids)]
            }
            offer::Ressource::Lieu(l) => vec![
                (Relation::Gestionnaire, vec![l.structure_gestionnaire_id]),
                (Relation::LieuParent, vec![l.lieu_parent_id]),
            ],
            offer::Ressource::Situation(s) => vec![
                (Relation::Offre, vec![s.offre_id]),
                (Relation::Professionnel, vec![s.professionnel_id]),
                (Relation::Structure, vec![s.structure_id]),
            ],
        };
        (vue, renvois)
    })))
}

fn professionnel(e: &Evenement) -> Result<Option<Contenu>, DecodeError> {
    if e.genre != PROFESSIONNEL {
        return Ok(None);
    }
    let Some(identity::Ressource::Professionnel(mut p)) = Identity::decode(e.etat.clone())?.ressource else {
        return Ok(None);
    };
    // The mirror's states do not depend on time; the façade shows the date.
    let meta = p.meta.get_or_insert_default();
    meta.date_creation = meta.date_creation.or(e.date_creation);
    let vue = vue::professionnel(&p);
    let etat = Identity { ressource: Some(identity::Ressource::Professionnel(p)) };
    Ok(Some(ligne(e.retire, T::Practitioner, &etat.encode_to_vec(), || (vue, Vec::new()))))
}
