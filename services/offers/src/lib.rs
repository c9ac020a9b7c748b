//! Offers: operational offers, the places where they are realised, and the
//! professionals' situations in them. Called by the gateway and by imports;
//! `capacity` follows its places.
//!
//! [`domaine`] says what may be kept, [`consequences`] what the changes of the
//! registries mean for it; `sites` and `professionnels` follow those changes,
//! `decisions` carries out what a person decides of them, `store` holds the tables.

pub mod consequences;
mod decisions;
pub mod domaine;
mod grpc;
mod professionnels;
mod recue;
mod sites;
mod store;

use futures::future::BoxFuture;
use ror_chassis::{Contexte, Definition, Erreur, Resultat, reglages::Lecteur, serveur::MESSAGE_MAX};
use ror_domaine::{guichet::Guichet, vocabulaire::Vocabulaire};
use ror_proto::offers::v1::offers_service_server::OffersServiceServer;
use sqlx::migrate::Migrator;
use tonic::service::Routes;

/// Migrations of the schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// The service.
pub const DEFINITION: Definition = Definition { nom: "offers", migrations: &MIGRATIONS, monter };

/// Who closes the offers of a site that is closed for good: `controle` (a person, the
/// default) or `automatique`. Variable `ROR_OFFERS__FERMETURE_DEF`.
pub const REGLAGE: &str = "offers.fermeture_def";

fn monter(c: Contexte) -> BoxFuture<'static, Resultat<Routes>> {
    Box::pin(async move {
        let mode = mode()?;
        let vocabulaire = Vocabulaire::suivre(&c)?;
        store::structures::completer_liens(c.magasin.pool()).await?;
        sites::suivre(&c, mode)?;
        professionnels::suivre(&c)?;
        let service = grpc::Offers {
            guichet: Guichet::nouveau(c.magasin.clone(), "description"),
            vocabulaire,
            structures: c.vers("structures")?,
            identity: c.vers("identity")?,
        };
        Ok(Routes::new(OffersServiceServer::new(service).max_decoding_message_size(MESSAGE_MAX)))
    })
}

fn mode() -> Resultat<consequences::Mode> {
    let refus = |texte: String| Erreur::faute(REGLAGE, "valeur", texte, "controle ou automatique");
    let lu = Lecteur::nouveau("").map_err(|e| refus(e.to_string()))?.option::<String>(REGLAGE);
    let Some(nom) = lu else { return Ok(consequences::Mode::default()) };
    consequences::Mode::de_nom(&nom).ok_or_else(|| refus(format!("« {nom} » n'est pas un réglage connu.")))
}
