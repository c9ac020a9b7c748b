//! The follower that keeps the terminology current.

use std::sync::Arc;

use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    client::Canal,
    serveur::MESSAGE_MAX,
    suivi::{Position, Suiveur},
};
use ror_domaine::ressource::cle_nomenclature;
use ror_proto::{
    common::v1::Evenement,
    nomenclatures::v1::{
        GetNomenclatureRequest, Nomenclature, nomenclatures_service_client::NomenclaturesServiceClient,
    },
};

use super::Terminologie;
use crate::Passerelle;

/// Kind of the aggregates followed.
const GENRE: &str = "nomenclature";

/// Follows `nomenclatures`.
pub(crate) struct SuiviTerminologie {
    passerelle: Arc<Passerelle>,
    client: NomenclaturesServiceClient<Canal>,
    neuf: Terminologie,
    /// Called when the copy is known to be whole and current.
    pret: Box<dyn Fn() + Send>,
}

impl SuiviTerminologie {
    pub(crate) fn nouveau(
        passerelle: Arc<Passerelle>,
        canal: Canal,
        pret: impl Fn() + Send + 'static,
    ) -> Self {
        let client = NomenclaturesServiceClient::new(canal).max_decoding_message_size(MESSAGE_MAX);
        Self { passerelle, client, neuf: Terminologie::default(), pret: Box::new(pret) }
    }

    async fn integrer(&mut self, e: &Evenement) -> Resultat<()> {
        let (canonique, version) = cle_nomenclature(&e.agregat_id);
        if e.retire {
            self.neuf.oter(&canonique, &version);
            return Ok(());
        }
        if !e.etat.is_empty() {
            let mut n = Nomenclature::decode(e.etat.clone())?;
            let meta = n.meta.get_or_insert_default();
            (meta.version, meta.date_maj) = (e.version, e.date);
            self.neuf.poser(n);
            return Ok(());
        }
        // An event too large to carry its state names it only.
        let demande = GetNomenclatureRequest { canonique: canonique.clone(), version: version.clone() };
        match self.client.get_nomenclature(demande).await.map_err(Erreur::from) {
            Ok(r) => {
                if let Some(n) = r.into_inner().nomenclature {
                    self.neuf.poser(n);
                }
                Ok(())
            }
            Err(Erreur::Introuvable(_)) => {
                self.neuf.oter(&canonique, &version);
                Ok(())
            }
            Err(e) => Err(e),
        }
    }

    fn installer(&mut self) {
        self.neuf.indexer();
        self.passerelle.terminologie.store(Arc::new(self.neuf.clone()));
        metrics::gauge!("ror_gateway_terminology_bytes").set(self.neuf.poids() as f64);
    }
}

impl Suiveur for SuiviTerminologie {
    fn nom(&self) -> String {
        "gateway-terminology".into()
    }
    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        Ok(None)
    }
    async fn debut_instantane(&mut self, _: u64) -> Resultat<()> {
        self.neuf = Terminologie::default();
        Ok(())
    }
    async fn appliquer(&mut self, lot: Vec<Evenement>, position: Option<Position>) -> Resultat<()> {
        for e in lot.iter().filter(|e| e.genre == GENRE) {
            self.integrer(e).await?;
        }
        if position.is_some() {
            self.installer();
        }
        Ok(())
    }
    async fn fin_instantane(&mut self, _: Position) -> Resultat<()> {
        self.installer();
        tracing::info!(versions = self.neuf.nombre(), bytes = self.neuf.poids(), "terminology hydrated");
        Ok(())
    }
    fn a_jour(&mut self) {
        // Before the service has loaded anything, nothing is known to be whole.
        if self.neuf.nombre() > 0 {
            (self.pret)();
        }
    }
}
