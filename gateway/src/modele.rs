//! The read model: the whole directory in memory. A resource is a row of its
//! table; a criterion is a set of rows; an access right is one more set, computed
//! when rows change and intersected first. Nothing here waits for anything.

mod application;
mod droits;
mod etat;
mod index;
mod lien;
mod table;

use std::{collections::HashMap, sync::Arc};

use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    capacity::v1::Capacity, identity::v1::Identity, offers::v1::Offer, structures::v1::Structure,
};

use crate::fhir::politique::{Bloc, Faits, Politique};

pub use application::{ACTIVITES, SYSTEME_STATUT_LIEU, Source, plier, systeme_d_identifiant_quelconque};
pub(crate) use etat::Etat;
pub use index::{Param, normaliser_systeme};
pub use lien::Lien;
pub use table::{Sorte, Table, ordre};

/// Resource types of the façade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeFhir {
    /// EJ, EG, OI.
    Organization = 0,
    /// Offers.
    HealthcareService = 1,
    /// Places with their capacities.
    Location = 2,
    /// Professionals.
    Practitioner = 3,
    /// Situations.
    PractitionerRole = 4,
}

impl TypeFhir {
    /// Every type, in the order of the tables.
    pub const TOUS: [Self; 5] = [
        Self::Organization,
        Self::HealthcareService,
        Self::Location,
        Self::Practitioner,
        Self::PractitionerRole,
    ];

    /// Name in URLs.
    pub fn nom(self) -> &'static str {
        ["Organization", "HealthcareService", "Location", "Practitioner", "PractitionerRole"][self as usize]
    }

    /// The type of that name.
    pub fn de_nom(nom: &str) -> Option<Self> {
        Self::TOUS.into_iter().find(|t| t.nom() == nom)
    }
}

/// Capacity records of a place, beside its row.
#[derive(Clone)]
pub(crate) struct Capacites {
    pub version: u64,
    pub maj: i64,
    pub etat: Etat,
}

/// The relations between tables.
#[derive(Default)]
pub struct Liens {
    /// Organization → Organization it is part of.
    pub parent: Lien,
    /// Offer → Organization that carries it.
    pub porteur: Lien,
    /// Offer → places.
    pub lieux: Lien,
    /// Role → offer.
    pub offre: Lien,
    /// Role → professional.
    pub professionnel: Lien,
    /// Role → organization.
    pub structure: Lien,
    /// Place → Organization that manages it.
    pub gestionnaire: Lien,
    /// Place → place it is part of.
    pub lieu_parent: Lien,
}

/// The directory at one moment.
pub struct Modele {
    tables: [Table; 5],
    capacites: HashMap<u32, Capacites>,
    /// Relations.
    pub liens: Liens,
    politique: Arc<Politique>,
    /// Until every source came once, rows wait for one computation of all rights.
    differe: bool,
    hydratees: Vec<Source>,
    vus: HashMap<Source, HashMap<TypeFhir, roaring::RoaringBitmap>>,
}

/// A resource taken out of the model, to be rendered without holding it.
#[derive(Clone)]
pub struct Extrait {
    /// Type.
    pub type_fhir: TypeFhir,
    /// Kind within the type.
    pub sorte: Sorte,
    /// Row in its table.
    pub rang: u32,
    /// Technical id.
    pub id: Arc<str>,
    /// Version shown to clients.
    pub version: u64,
    /// Last update, milliseconds since 1970.
    pub maj: i64,
    /// Facts that rights depend on.
    pub faits: Faits,
    pub(crate) etat: Etat,
    pub(crate) capacite: Option<Etat>,
}

impl Modele {
    /// An empty directory under a policy.
    pub fn nouveau(politique: Arc<Politique>) -> Self {
        Self {
            tables: Default::default(),
            capacites: HashMap::new(),
            liens: Liens::default(),
            politique,
            differe: true,
            hydratees: Vec::new(),
            vus: HashMap::new(),
        }
    }

    /// One table.
    pub fn table(&self, t: TypeFhir) -> &Table {
        &self.tables[t as usize]
    }

    pub(crate) fn table_mut(&mut self, t: TypeFhir) -> &mut Table {
        &mut self.tables[t as usize]
    }

    /// The policy in force.
    pub fn politique(&self) -> &Arc<Politique> {
        &self.politique
    }

    /// Last update of a row as a profile may know it: the capacities of a place count
    /// for who sees them.
    pub fn maj(&self, t: TypeFhir, rang: u32, profil: u8) -> i64 {
        let maj = self.table(t).ligne(rang).maj;
        match (t, self.capacites.get(&rang)) {
            (TypeFhir::Location, Some(c)) if self.capacite_visible(rang, profil) => maj.max(c.maj),
            _ => maj,
        }
    }

    /// The row of an id, if this profile may see it.
    pub fn visible(&self, t: TypeFhir, id: &str, profil: u8) -> Option<u32> {
        let table = self.table(t);
        table.rang(id).filter(|r| table.visibles(profil).contains(*r))
    }

    /// Whether a profile sees any capacity of a place.
    fn capacite_visible(&self, rang: u32, profil: u8) -> bool {
        let faits = self.table(TypeFhir::Location).ligne(rang).faits;
        (1..=6).any(|statut| self.politique.permet(Bloc::LieuCapacite, profil, &Faits { statut, ..faits }))
    }

    /// Takes a row out for rendering, without what the profile may not even date.
    pub fn extraire(&self, t: TypeFhir, rang: u32, profil: u8) -> Option<Extrait> {
        let l = self.table(t).ligne(rang);
        let etat = l.etat.clone()?;
        let capacite = match t {
            TypeFhir::Location => self.capacites.get(&rang).filter(|_| self.capacite_visible(rang, profil)),
            _ => None,
        };
        Some(Extrait {
            type_fhir: t,
            sorte: l.sorte,
            rang,
            id: l.id.clone(),
            version: l.version + capacite.map_or(0, |c| c.version),
            maj: capacite.map_or(l.maj, |c| c.maj.max(l.maj)),
            faits: l.faits,
            etat,
            capacite: capacite.map(|c| c.etat.clone()),
        })
    }

    /// Whether any resource carries codes of this (normalised) system.
    pub fn systeme_connu(&self, s: &str) -> bool {
        self.tables.iter().any(|t| t.index.systeme_connu(s))
    }

    /// Rows present in each table.
    pub fn comptes(&self) -> [(TypeFhir, u64); 5] {
        TypeFhir::TOUS.map(|t| (t, self.table(t).presentes().len()))
    }
}

impl Extrait {
    fn horodatage(&self) -> prost_types::Timestamp {
        prost_types::Timestamp {
            seconds: self.maj.div_euclid(1000),
            nanos: i32::try_from(self.maj.rem_euclid(1000)).unwrap_or(0) * 1_000_000,
        }
    }

    pub(crate) fn structure(&self) -> Option<Structure> {
        Structure::decoder(self.etat.lire(), self.version, self.horodatage()).ok()
    }

    pub(crate) fn offre(&self) -> Option<Offer> {
        Offer::decoder(self.etat.lire(), self.version, self.horodatage()).ok()
    }

    pub(crate) fn identite(&self) -> Option<Identity> {
        Identity::decoder(self.etat.lire(), self.version, self.horodatage()).ok()
    }

    pub(crate) fn capacite(&self) -> Option<Capacity> {
        Capacity::decoder(self.capacite.as_ref()?.lire(), self.version, self.horodatage()).ok()
    }
}

#[cfg(test)]
mod tests;
