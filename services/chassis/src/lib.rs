//! Mechanism shared by the services, and not one domain word.
//!
//! Reading order: [`reglages`] (settings), [`processus`] (how a service lives),
//! [`magasin`] (the store of aggregates: one transaction for the row, its version,
//! its history and its event), [`relai`] (outbox to JetStream), [`suivi`]
//! (followers of another service's events), [`serveur`] and [`client`] (gRPC),
//! [`erreur`] (typed errors), [`admin`] (probes and metrics), [`telemetrie`].

pub mod admin;
pub mod bail;
pub mod client;
pub mod conversion;
pub mod erreur;
pub mod magasin;
pub mod nats;
pub mod page;
pub mod processus;
pub mod reglages;
pub mod relai;
pub mod serveur;
pub mod suivi;
pub mod telemetrie;

pub use erreur::{Erreur, Resultat};
pub use processus::{Contexte, Definition};
