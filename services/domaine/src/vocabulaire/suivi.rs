//! The follower that keeps a copy.

use std::sync::Arc;

use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    client::Canal,
    suivi::{Appel, Position, Suiveur},
};
use ror_proto::{
    common::v1::Evenement,
    nomenclatures::v1::{
        GetNomenclatureRequest, Nomenclature, SnapshotNomenclaturesRequest,
        nomenclatures_service_client::NomenclaturesServiceClient,
    },
};

use super::{Tables, Vocabulaire, publiee};
use crate::ressource::cle_nomenclature;

fn client(canal: Canal) -> NomenclaturesServiceClient<Canal> {
    NomenclaturesServiceClient::new(canal).max_decoding_message_size(ror_chassis::serveur::MESSAGE_MAX)
}

/// The snapshot call of `nomenclatures`.
pub fn appel(canal: Canal) -> Appel {
    Arc::new(move || {
        let mut client = client(canal.clone());
        Box::pin(async move {
            use futures::StreamExt;
            let flux = client.snapshot_nomenclatures(SnapshotNomenclaturesRequest {}).await?.into_inner();
            Ok(flux.map(|m| m.map(|m| m.instantane.unwrap_or_default())).boxed())
        })
    })
}

pub(super) struct Suivi {
    voc: Vocabulaire,
    neuf: Tables,
    client: NomenclaturesServiceClient<Canal>,
    pret: Box<dyn Fn() + Send>,
}

impl Suivi {
    pub(super) fn nouveau(voc: Vocabulaire, canal: Canal, pret: Box<dyn Fn() + Send>) -> Self {
        Self { voc, neuf: Tables::default(), client: client(canal), pret }
    }

    async fn demander(&mut self, canonique: &str, version: &str) -> Resultat<Nomenclature> {
        let d = GetNomenclatureRequest { canonique: canonique.into(), version: version.into() };
        Ok(self.client.get_nomenclature(d).await?.into_inner().nomenclature.unwrap_or_default())
    }

    /// The version an event tells of, with the instant it was stored.
    async fn lire(&mut self, e: &Evenement) -> Resultat<Nomenclature> {
        // An event too large to carry its state names it only.
        if e.etat.is_empty() {
            let (canonique, version) = cle_nomenclature(&e.agregat_id);
            return self.demander(&canonique, &version).await;
        }
        let mut n = Nomenclature::decode(e.etat.clone())?;
        n.meta.get_or_insert_default().date_maj = e.date;
        Ok(n)
    }

    async fn integrer(&mut self, e: &Evenement) -> Resultat<()> {
        let n = self.lire(e).await?;
        let perimee = !publiee(&n) && self.neuf.version(&n.canonique) == Some(n.version.as_str());
        if !perimee {
            self.neuf.poser(&n);
            return Ok(());
        }
        // The version held was retired: another becomes current, or none.
        match self.demander(&n.canonique, "").await {
            Ok(courante) if courante.version == n.version => {
                Err(Erreur::Indisponible("nomenclatures has not caught up with its own event".into()))
            }
            Ok(courante) => {
                self.neuf.oter(&n.canonique);
                self.neuf.poser(&courante);
                Ok(())
            }
            Err(Erreur::Introuvable(_)) => {
                self.neuf.oter(&n.canonique);
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    fn annoncer(&self) {
        self.voc.annoncer();
        (self.pret)();
    }
}

impl Suiveur for Suivi {
    fn nom(&self) -> String {
        "vocabulary".into()
    }
    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(None)
    }
    async fn debut_instantane(&mut self, _: u64) -> Resultat<()> {
        self.neuf = Tables::default();
        Ok(())
    }
    async fn appliquer(&mut self, lot: Vec<Evenement>, position: Option<Position>) -> Resultat<()> {
        for e in lot.iter().filter(|e| !e.retire) {
            self.integrer(e).await?;
        }
        if position.is_some() {
            self.voc.installer(&self.neuf);
        }
        Ok(())
    }
    async fn fin_instantane(&mut self, _: Position) -> Resultat<()> {
        self.voc.installer(&self.neuf);
        // An empty copy would accept any code: it counts as whole once something is there.
        if !self.neuf.est_vide() {
            self.annoncer();
        }
        Ok(())
    }
    fn a_jour(&mut self) {
        if !self.neuf.est_vide() {
            self.annoncer();
        }
    }
}
