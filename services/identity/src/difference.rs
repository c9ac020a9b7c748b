//! The registry differential: what an edition changes in what is known. Pure: no
//! clock, no database, no file.
//!
//! [`comparer`] tells every operation that leads from a known record to the new
//! one; no operation means equal records ([`egaux`]), and nothing is written.
//! Told apart from the content, and never a difference by themselves: version,
//! dates and comments of the metadata, `date_maj_source` (FINESS touches it
//! without changing anything), the order of lists, an event told twice. Such a
//! record keeps the state already written. An event that appears or goes is a
//! change of its own, and the region too, which places the record.
//!
//! [`absences`] decides of what an edition no longer holds, [`plausibilite`]
//! whether an edition may be applied without a person, [`successeurs`] proposes
//! renumberings, [`divergences`] finds structures that contradict themselves.

pub mod absences;
mod activites;
pub mod divergences;
mod evenements;
pub mod plausibilite;
mod professionnel;
mod structure;
pub mod successeurs;
#[cfg(test)]
mod tests;

use ror_proto::common::v1::Meta;
use ror_proto::identity::v1::{
    Anomalie, Changement, Identity, Operation, StatutAnomalie, StructureFiness, identity::Ressource,
};

/// Kind of a legal entity of FINESS.
pub const ENTITE_JURIDIQUE: &str = "entite_juridique";
/// Kind of a site of FINESS.
pub const ENTITE_GEOGRAPHIQUE: &str = "entite_geographique";
/// Kind of a professional of RPPS.
pub const PROFESSIONNEL: &str = "professionnel";
/// Kind of the activities of one structure.
pub const ACTIVITES: &str = "activites_finess";
/// Kind of the diplomas and authorisations of one professional.
pub const FORMATION: &str = "formation";
/// Every kind.
pub const GENRES: [&str; 5] = [ENTITE_JURIDIQUE, ENTITE_GEOGRAPHIQUE, PROFESSIONNEL, ACTIVITES, FORMATION];

/// Who a change or an anomaly is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sujet<'r> {
    /// Kind, such as [`ENTITE_JURIDIQUE`].
    pub genre: &'static str,
    /// Technical id.
    pub id: &'r str,
    /// numFINESS or idNat_PS.
    pub cle: &'r str,
}

impl<'r> Sujet<'r> {
    /// The subject of a record; `None` when the union is empty.
    #[must_use]
    pub fn de(identite: &'r Identity) -> Option<Self> {
        identite.ressource.as_ref().map(Self::ressource)
    }

    /// A structure.
    #[must_use]
    pub fn structure(s: &'r StructureFiness) -> Self {
        let genre = if s.entite_juridique { ENTITE_JURIDIQUE } else { ENTITE_GEOGRAPHIQUE };
        Self { genre, id: id(s.meta.as_ref()), cle: s.num_finess.as_str() }
    }

    fn ressource(ressource: &'r Ressource) -> Self {
        let (genre, meta, cle) = match ressource {
            Ressource::StructureFiness(s) => return Self::structure(s),
            Ressource::Professionnel(p) => (PROFESSIONNEL, p.meta.as_ref(), p.id_nat_ps.as_str()),
            Ressource::ActivitesFiness(a) => (ACTIVITES, a.meta.as_ref(), a.num_finess.as_str()),
            Ressource::Formation(f) => (FORMATION, f.meta.as_ref(), f.id_nat_ps.as_str()),
        };
        Self { genre, id: id(meta), cle }
    }

    /// A change of this record; line, edition, instant and version are left to the caller.
    #[must_use]
    pub fn changement(self, operation: Operation) -> Changement {
        Changement {
            operation: operation as i32,
            genre: self.genre.to_owned(),
            id: self.id.to_owned(),
            cle: self.cle.to_owned(),
            ..Changement::default()
        }
    }

    /// An open anomaly of this record; id, edition, line and date are left to the caller.
    #[must_use]
    pub fn anomalie(self, regle: &str, message: &str) -> Anomalie {
        Anomalie {
            regle: regle.to_owned(),
            message: message.to_owned(),
            genre: self.genre.to_owned(),
            ressource_id: self.id.to_owned(),
            cle: self.cle.to_owned(),
            statut: StatutAnomalie::Ouverte as i32,
            ..Anomalie::default()
        }
    }
}

/// Every operation that leads from the known record to the new one of the same
/// id, in the order they are to be told: reopening, transfer, other fields,
/// closure. Fields are named as their source names them: FINESS names for
/// structures, ours for the rest.
#[must_use]
pub fn comparer(avant: Option<&Identity>, apres: &Identity) -> Vec<Changement> {
    let Some(nouvelle) = apres.ressource.as_ref() else {
        return Vec::new();
    };
    let sujet = Sujet::ressource(nouvelle);
    match (avant.and_then(|connu| connu.ressource.as_ref()), nouvelle) {
        (Some(Ressource::StructureFiness(a)), Ressource::StructureFiness(b)) => {
            structure::comparer(sujet, a, b)
        }
        (Some(Ressource::Professionnel(a)), Ressource::Professionnel(b)) => {
            professionnel::comparer(sujet, a, b)
        }
        (Some(Ressource::ActivitesFiness(a)), Ressource::ActivitesFiness(b)) => {
            modifiee(sujet, activites::champs(a, b)).into_iter().collect()
        }
        (Some(Ressource::Formation(a)), Ressource::Formation(b)) => {
            modifiee(sujet, professionnel::champs_formation(a, b)).into_iter().collect()
        }
        (_, Ressource::StructureFiness(b)) => vec![structure::creer(sujet, b)],
        _ => vec![sujet.changement(Operation::Creee)],
    }
}

/// True when the new record would change nothing: it is not written.
#[must_use]
pub fn egaux(avant: &Identity, apres: &Identity) -> bool {
    comparer(Some(avant), apres).is_empty()
}

fn id(meta: Option<&Meta>) -> &str {
    meta.map_or("", |meta| meta.id.as_str())
}

fn region(meta: Option<&Meta>) -> &str {
    meta.map_or("", |meta| meta.region.as_str())
}

fn modifiee(sujet: Sujet<'_>, champs: Vec<&'static str>) -> Option<Changement> {
    if champs.is_empty() {
        return None;
    }
    let champs = champs.into_iter().map(str::to_owned).collect();
    Some(Changement { champs, ..sujet.changement(Operation::Modifiee) })
}

/// Names of the fields that differ.
fn retenir<const N: usize>(differences: [(&'static str, bool); N]) -> Vec<&'static str> {
    differences.into_iter().filter(|(_, differe)| *differe).map(|(champ, _)| champ).collect()
}

/// True when two lists do not hold the same things, whatever their order.
fn different<K: Ord>(une: impl Iterator<Item = K>, autre: impl Iterator<Item = K>) -> bool {
    let (mut une, mut autre): (Vec<K>, Vec<K>) = (une.collect(), autre.collect());
    une.sort_unstable();
    autre.sort_unstable();
    une != autre
}
