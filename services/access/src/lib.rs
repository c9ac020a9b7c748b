//! Who may call and what each profile may see: consumers, tokens, the policy as data.
//!
//! [`domaine`]: rules of a consumer, admission, scopes. [`politique`]: rules of the
//! policy and its default. [`jetons`]: signing and checking tokens. [`freins`]: slows
//! down who guesses secrets. [`store`]: fingerprints and keys. [`grpc`]: the calls.

pub mod domaine;
pub mod freins;
pub mod grpc;
pub mod jetons;
pub mod politique;
pub mod store;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat, serveur::MESSAGE_MAX};
use ror_proto::access::v1::access_service_server::AccessServiceServer;
use tonic::service::Routes;

use crate::grpc::Service;

/// Migrations of the schema, after those of the mechanism.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "access", migrations: &MIGRATIONS, monter: demarrer };

fn demarrer(contexte: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(monter(contexte))
}

async fn monter(contexte: Contexte) -> Resultat<Routes> {
    let service = Service::ouvrir(contexte.magasin).await?;
    service.poser_politique_par_defaut().await?;
    Ok(Routes::new(AccessServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
}
