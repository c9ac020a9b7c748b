//! Code systems (TRE) and value sets (JDV): their versions, lookup, validation, expansion.
//!
//! [`domaine`]: rules of a load and the differences it makes. [`index`]: what is
//! answered from memory. [`catalogue`]: keeps the index at the state of the store,
//! whichever replica loads. [`donnees`]: the lists shipped with the program.
//! [`grpc`]: the calls.

pub mod catalogue;
pub mod domaine;
pub mod donnees;
pub mod grpc;
pub mod index;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat, serveur::MESSAGE_MAX};
use ror_proto::nomenclatures::v1::nomenclatures_service_server::NomenclaturesServiceServer;
use tonic::service::Routes;

use crate::{catalogue::Catalogue, grpc::Service};

/// Migrations of the schema, after those of the mechanism.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition =
    Definition { nom: "nomenclatures", migrations: &MIGRATIONS, monter: demarrer };

fn demarrer(contexte: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(monter(contexte))
}

async fn monter(contexte: Contexte) -> Resultat<Routes> {
    let catalogue = Catalogue::default();
    // From the store at once, so that answers do not wait for the broker.
    catalogue.charger(&contexte.magasin).await?;
    contexte.suivre(
        DEFINITION.nom,
        catalogue::appel(contexte.magasin.clone()),
        catalogue.suiveur(contexte.magasin.clone()),
    );
    let service = Service::nouveau(contexte.magasin, catalogue);
    Ok(Routes::new(NomenclaturesServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
}
