//! Code systems (TRE), value sets (JDV) and associations (ASS): their versions and states,
//! lookup, validation, expansion, translation, differences, and which codes are in use.
//!
//! [`domaine`]: what a version must be, who may change it, what a change means. [`index`]:
//! what is answered from memory. [`catalogue`]: keeps the index at the state of the store,
//! whichever replica writes. [`lecture`] and [`ecriture`]: the questions and the writes.
//! [`usage`]: counts from the events of the services that use codes. [`formats`]: the
//! published files, read by the operator's command. [`donnees`]: the lists shipped with
//! the program. [`grpc`]: the calls.

pub mod catalogue;
pub mod domaine;
pub mod donnees;
pub mod ecriture;
pub mod formats;
pub mod grpc;
pub mod index;
pub mod lecture;
pub mod usage;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat, serveur::MESSAGE_MAX};
use ror_proto::nomenclatures::v1::nomenclatures_service_server::NomenclaturesServiceServer;
use tonic::service::Routes;

use crate::{catalogue::Catalogue, grpc::Service, usage::Usages};

/// Migrations of the schema, after those of the mechanism.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition =
    Definition { nom: "nomenclatures", migrations: &MIGRATIONS, monter: demarrer };

fn demarrer(contexte: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(monter(contexte))
}

async fn monter(contexte: Contexte) -> Resultat<Routes> {
    let catalogue = Catalogue::nouveau(contexte.magasin.clone());
    // From the store at once, so that answers do not wait for the broker.
    catalogue.charger().await?;
    contexte.suivre(DEFINITION.nom, catalogue.appel(), catalogue.suiveur());
    let usages = Usages::suivre(&contexte)?;
    let service = Service::nouveau(catalogue, usages);
    Ok(Routes::new(NomenclaturesServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
}
