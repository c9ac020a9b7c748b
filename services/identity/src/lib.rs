//! Identity: mirrors of FINESS and RPPS.
//!
//! [`formats`] reads the files, [`difference`] says what an edition changes, [`edition`]
//! applies it, [`store`] keeps editions, changes and anomalies. Other services follow
//! the events: `structures` creates EJ and EG from them, the gateway shows the
//! professionals. [`synchro`] looks at the sources from time to time, [`annuaire`] asks
//! the Annuaire Santé for what changed.

pub mod annuaire;
pub mod difference;
pub mod edition;
pub mod formats;
mod grpc;
mod store;
pub mod synchro;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat, serveur::MESSAGE_MAX};
use ror_proto::identity::v1::identity_service_server::IdentityServiceServer;
use sqlx::migrate::Migrator;
use tonic::service::Routes;

/// Migrations of the schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "identity", migrations: &MIGRATIONS, monter };

fn monter(c: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(async move {
        let synchro = synchro::demarrer(&c)?;
        let service = grpc::IdentityApi { magasin: c.magasin.clone(), synchro };
        Ok(Routes::new(IdentityServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
    })
}
