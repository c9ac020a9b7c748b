//! Bascule: one writer a region and domain, and how that writer changes.
//!
//! Reading order: [`domaine`] (proposals, approvals, guards, ceilings), `transitions`
//! (propose, approve, cancel: one transaction each), `conduite` (carries an approved
//! change out, and keeps the leases in force installed), `services` (the owners of
//! the data), `store` (tables), `grpc` (the wire).

mod conduite;
pub mod domaine;
mod grpc;
mod services;
mod store;
mod transitions;

use std::sync::Arc;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Resultat};
use ror_proto::bascule::v1::bascule_service_server::BasculeServiceServer;
use tokio::sync::Notify;
use tonic::service::Routes;

use crate::{
    conduite::Conduite, domaine::plafond::Plafonds, services::Services, store::Store,
    transitions::Transitions,
};

/// Migrations of the schema `bascule`, after those of the mechanism.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "bascule", migrations: &MIGRATIONS, monter };

fn monter(c: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(async move {
        let plafonds = Plafonds::de_l_environnement()?;
        let services = Services::nouveau(&c)?;
        let store = Store::nouveau(c.magasin.clone());
        store.semer(&plafonds).await?;
        c.etat.poser(conduite::CONDITION, false);
        let reveil = Arc::new(Notify::new());
        let conduite = Conduite::nouveau(store.clone(), services, reveil.clone());
        c.lancer(conduite.clone().mener_les_transitions(c.arret.clone()));
        c.lancer(conduite.tenir_les_baux(c.etat.clone(), c.arret.clone()));
        let transitions = Transitions::nouveau(store.clone(), plafonds, reveil);
        Ok(Routes::new(BasculeServiceServer::new(grpc::Service::nouveau(store, transitions))))
    })
}
