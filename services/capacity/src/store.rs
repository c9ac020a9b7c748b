//! What the service keeps: its aggregates, and which places exist, in tables of the
//! mechanism and of the kernel; then which places are closed ([`fermetures`]).

pub(crate) mod fermetures;

use std::sync::Arc;

use futures::StreamExt;
use ror_chassis::{
    Contexte, Resultat,
    client::Canal,
    magasin::Magasin,
    serveur::MESSAGE_MAX,
    suivi::{Appel, Durable},
};
use ror_domaine::{
    references::{self, Connues, Suivies},
    ressource::Ressource,
};
use ror_proto::offers::v1::{
    BatchGetOffersRequest, Offer, SnapshotOffersRequest, offers_service_client::OffersServiceClient,
};

/// Aggregates and known places.
#[derive(Clone)]
pub struct Store {
    magasin: Magasin,
    offers: OffersServiceClient<Canal>,
}

impl Store {
    /// Opens the store and follows `offers` for the life of the process.
    pub fn suivre(c: &Contexte) -> Resultat<Self> {
        let offers = OffersServiceClient::new(c.vers("offers")?).max_decoding_message_size(MESSAGE_MAX);
        c.etat.poser("references", false);
        let etat = c.etat.clone();
        let suiveur = Durable::nouveau(
            c.magasin.pool().clone(),
            "offers",
            Suivies::nouveau("capacity-offers"),
            move || etat.poser("references", true),
        );
        c.suivre("offers", instantane(offers.clone()), suiveur);
        crate::fermetures::suivre(c, instantane(offers.clone()));
        Ok(Self { magasin: c.magasin.clone(), offers })
    }

    /// The aggregates.
    pub fn magasin(&self) -> &Magasin {
        &self.magasin
    }

    /// Kind and region of the known ones; an id whose event is late is asked of `offers`.
    pub async fn lieux(&self, ids: Vec<String>) -> Resultat<Connues> {
        references::resoudre(self.magasin.pool(), ids, |inconnus| demander(self.offers.clone(), inconnus))
            .await
    }
}

async fn demander(mut offers: OffersServiceClient<Canal>, ids: Vec<String>) -> Resultat<Connues> {
    let reponse = offers.batch_get_offers(BatchGetOffersRequest { ids }).await?.into_inner();
    let connue = |r: &Offer| {
        let region = r.meta()?.region.clone();
        Some((r.id().to_owned(), (r.genre()?.to_owned(), region)))
    };
    Ok(reponse.ressources.iter().filter_map(connue).collect())
}

fn instantane(offers: OffersServiceClient<Canal>) -> Appel {
    Arc::new(move || {
        let mut offers = offers.clone();
        Box::pin(async move {
            let flux = offers.snapshot_offers(SnapshotOffersRequest {}).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    })
}
