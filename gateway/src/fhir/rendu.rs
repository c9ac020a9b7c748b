//! Rendering of the ROR messages as FHIR R4 JSON, masked for the profile that reads.
//!
//! Whether the resource itself may be seen is decided before, by the search or the read; here the
//! policy cuts the elements inside it.

mod communs;
mod healthcare_service;
mod location;
mod organization;
mod practitioner;
mod practitioner_role;

use super::politique::{Bloc, Faits, Politique};

pub use communs::codage;
pub use healthcare_service::{fermeture_en_vigueur, healthcare_service, type_fermeture};
pub use location::{location, statut_capacite};
pub use organization::{organization_eg, organization_ej, organization_oi};
pub use practitioner::practitioner;
pub use practitioner_role::practitioner_role;
pub(crate) use practitioner_role::type_savoir_faire;

/// Labels of the nomenclatures at the date of use.
pub trait Libelles {
    /// Label of a code, or `None` when it is unknown: the display is then left out.
    fn libelle(&self, systeme: &str, code: &str) -> Option<&str>;

    /// The members of a Coding as [`codage`] writes them, when they are at hand.
    fn codage(&self, _systeme: &str, _code: &str) -> Option<&[u8]> {
        None
    }
}

/// Who looks at a resource, and the facts of that resource.
pub struct Vue<'a> {
    /// Policy in force.
    pub politique: &'a Politique,
    /// Access profile, 0 to 5.
    pub profil: u8,
    /// Facts of the resource: sensible, sensible_partage, ms, ville.
    pub faits: Faits,
    /// Labels.
    pub libelles: &'a dyn Libelles,
}

impl Vue<'_> {
    fn permet(&self, bloc: Bloc) -> bool {
        self.permet_avec(bloc, &self.faits)
    }

    fn permet_avec(&self, bloc: Bloc, faits: &Faits) -> bool {
        self.politique.permet(bloc, self.profil, faits)
    }
}
