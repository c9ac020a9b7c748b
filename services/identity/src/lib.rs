//! Identity: mirrors of FINESS and RPPS.
//!
//! [`formats`] reads the files, [`edition`] compares them with what is known and
//! writes the differences, [`store`] keeps editions and refused lines. Other
//! services follow the events: `structures` creates EJ and EG from them, the
//! gateway shows the professionals.

pub mod edition;
pub mod formats;
mod grpc;
mod store;

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
        let service = grpc::IdentityApi { magasin: c.magasin.clone() };
        Ok(Routes::new(IdentityServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
    })
}
