//! Structures: legal entities (EJ), sites (EG) and internal organisations (OI).
//!
//! EJ and EG come from the FINESS mirror ([`registre`]); what FINESS owns cannot be
//! written by another channel ([`domaine`]): a person is refused, a regional feed is
//! taken without it and the two values become an anomaly (`anomalies`, `store`).
//! Called by the gateway, by `offers` (references) and by the operator's imports.

mod anomalies;
pub mod domaine;
mod grpc;
pub mod registre;
mod store;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat, serveur::MESSAGE_MAX};
use ror_domaine::{guichet::Guichet, vocabulaire::Vocabulaire};
use ror_proto::structures::v1::structures_service_server::StructuresServiceServer;
use sqlx::migrate::Migrator;
use tonic::service::Routes;

/// Migrations of the schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "structures", migrations: &MIGRATIONS, monter };

fn monter(c: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(async move {
        let vocabulaire = Vocabulaire::suivre(&c)?;
        registre::suivre(&c)?;
        anomalies::surveiller(&c);
        let service =
            grpc::Structures { guichet: Guichet::nouveau(c.magasin.clone(), "description"), vocabulaire };
        Ok(Routes::new(StructuresServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
    })
}
