//! The terminology resources of FHIR R4 and the Parameters of their operations.

mod expansion;
mod parametres;
mod ressources;

pub use expansion::{Echo, Expansion};
pub use parametres::{
    Codage, Entree, Valeur, booleen, code, designations, ecrire, lire, propriete, texte, valeur, valeur_typee,
};
pub use ressources::{nom_fhir, proprietes_de_vie, ressource};

/// Longest text of a parameter.
pub const TEXTE_MAX: usize = 1000;
