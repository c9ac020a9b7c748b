//! What tells that bytes rendered before are those that rendering would give now.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use foldhash::fast::FixedState;

use crate::{
    fhir::politique::Faits,
    modele::{Etat, Extrait},
};

/// Of a resource, beside the policy and the labels in force; alike in every life of one build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Temoins {
    /// See [`vue`].
    pub vue: u64,
    /// Of its states: from one life to another, versions may have been given again.
    pub etat: u64,
}

/// Of a resource as it is shown: in one life of the directory no two states of a row have the same.
pub fn vue(e: &Extrait<'_>) -> u64 {
    let Faits { sensible, sensible_partage, ms, ville, niveau_contact, niveau_telecom, statut } = e.faits;
    let mut h = FixedState::default().build_hasher();
    (&e.id, e.version, e.maj, e.capacite.is_some()).hash(&mut h);
    (sensible, sensible_partage, ms, ville, niveau_contact, niveau_telecom, statut).hash(&mut h);
    h.finish()
}

/// Both.
pub fn temoins(e: &Extrait<'_>) -> Temoins {
    let etats = (e.etat.brut(), e.capacite.map(Etat::brut));
    Temoins { vue: vue(e), etat: FixedState::default().hash_one(etats) }
}
