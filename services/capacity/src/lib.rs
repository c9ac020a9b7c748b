//! Capacity: how many beds and places each place of care has, open, taken or closed.
//!
//! Reading order: [`domaine`] (the records of one place, which cannot be invalid, and
//! how a PATCH changes them), `ecriture` (one transaction a call), `fermetures` (places
//! whose offers are closed), `store` (the aggregates and the places known), `grpc` (the wire).

pub mod domaine;
mod ecriture;
mod fermetures;
mod grpc;
mod store;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat, serveur::MESSAGE_MAX};
use ror_domaine::vocabulaire::Vocabulaire;
use ror_proto::capacity::v1::capacity_service_server::CapacityServiceServer;
use tonic::service::Routes;

/// Migrations of the schema `capacity`, after those of the mechanism.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "capacity", migrations: &MIGRATIONS, monter };

fn monter(c: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(async move {
        let vocabulaire = Vocabulaire::suivre(&c)?;
        let store = store::Store::suivre(&c)?;
        let service = grpc::Service::nouveau(store.clone(), ecriture::Ecritures::nouveau(store, vocabulaire));
        Ok(Routes::new(CapacityServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
    })
}
