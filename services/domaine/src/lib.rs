//! Domain kernel shared by the services.
//!
//! [`identifiants`] and [`territoire`]: numbers with their keys, communes to regions.
//! [`vocabulaire`]: the local copy of the nomenclatures, kept current by events.
//! [`liaisons`]: which value set binds which element. [`controle`]: gathers every
//! fault of a resource. [`references`]: which ids of other areas exist.

pub mod controle;
pub mod guichet;
pub mod identifiants;
pub mod liaisons;
pub mod references;
pub mod ressource;
pub mod territoire;
pub mod texte;
pub mod vocabulaire;
