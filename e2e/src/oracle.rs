//! The oracle of the searches: queries it builds itself, answered by brute force over the JSON that
//! the same caller reads at the same moment, after `docs/recherche.md`. It shares no code with the
//! engine: a parameter, a prefix or a rule that one of the two gets wrong is a difference.

pub mod campagne;
pub mod couverture;
pub mod dates;
pub mod demande;
pub mod ecrivain;
pub mod epreuve;
pub mod evaluation;
pub mod filtre;
pub mod generateur;
pub mod hasard;
pub mod inclusion;
pub mod index;
pub mod nombres;
pub mod parametres;
pub mod proximite;
pub mod reduction;
pub mod reponse;
pub mod requete;
pub mod tri;
pub mod valeurs;

#[cfg(test)]
mod tests;

pub use campagne::Campagne;
pub use ecrivain::Ecrivain;
