//! Offers: operational offers, the places where they are realised, and the
//! professionals' situations in them. Called by the gateway and by imports;
//! `capacity` follows its places.

pub mod domaine;
mod grpc;

use std::sync::Arc;

use futures::{StreamExt, future::BoxFuture};
use ror_chassis::{
    Contexte, Definition, Resultat,
    serveur::MESSAGE_MAX,
    suivi::{Appel, Durable},
};
use ror_domaine::{guichet::Guichet, references::Suivies, vocabulaire::Vocabulaire};
use ror_proto::{
    offers::v1::offers_service_server::OffersServiceServer,
    structures::v1::{SnapshotStructuresRequest, structures_service_client::StructuresServiceClient},
};
use sqlx::migrate::Migrator;
use tonic::service::Routes;

/// Migrations of the schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "offers", migrations: &MIGRATIONS, monter };

fn monter(c: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(async move {
        let vocabulaire = Vocabulaire::suivre(&c)?;
        let structures = c.vers("structures")?;
        suivre_structures(&c)?;
        let service = grpc::Offers {
            guichet: Guichet::nouveau(c.magasin.clone(), "description"),
            vocabulaire,
            structures,
            identity: c.vers("identity")?,
        };
        Ok(Routes::new(OffersServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
    })
}

fn suivre_structures(c: &Contexte) -> Resultat<()> {
    let canal = c.vers("structures")?;
    let appel: Appel = Arc::new(move || {
        let mut client = StructuresServiceClient::new(canal.clone());
        Box::pin(async move {
            let flux = client.snapshot_structures(SnapshotStructuresRequest {}).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    });
    c.etat.poser("structures", false);
    let etat = c.etat.clone();
    let effet = Suivies::nouveau("structures");
    c.suivre(
        "structures",
        appel,
        Durable::nouveau(c.magasin.pool().clone(), "structures", effet, move || {
            etat.poser("structures", true)
        }),
    );
    Ok(())
}
