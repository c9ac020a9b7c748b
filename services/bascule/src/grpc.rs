//! The wire: each call is translated, handed on, translated back.

use futures::{StreamExt, stream::BoxStream};
use ror_chassis::{Erreur, Resultat, magasin::Ligne};
use ror_proto::bascule::v1::{
    ApproveTransitionRequest, ApproveTransitionResponse, BatchGetRegionsRequest, BatchGetRegionsResponse,
    CancelTransitionRequest, CancelTransitionResponse, GetRegionRequest, GetRegionResponse,
    ListRegionsRequest, ListRegionsResponse, ListTransitionsRequest, ListTransitionsResponse,
    ProposeTransitionRequest, ProposeTransitionResponse, Region, SnapshotRegionsRequest,
    SnapshotRegionsResponse, bascule_service_server::BasculeService,
};
use tonic::{Request, Response, Status};

use crate::{
    domaine::region::{self, GENRE, REGIONS},
    store::Store,
    transitions::Transitions,
};

/// The gRPC service.
pub struct Service {
    store: Store,
    transitions: Transitions,
}

impl Service {
    /// Reads from the store, changes through the transitions.
    pub fn nouveau(store: Store, transitions: Transitions) -> Self {
        Self { store, transitions }
    }

    async fn regions(&self, codes: &[String]) -> Resultat<Vec<Region>> {
        if codes.len() > REGIONS.len() {
            let message = format!("{} codes demandés.", codes.len());
            return Err(Erreur::faute("codes", "taille-du-lot", message, "18 au plus"));
        }
        lues(&self.store.magasin().lire_lot(codes).await?)
    }
}

fn lues(lignes: &[Ligne]) -> Resultat<Vec<Region>> {
    lignes.iter().map(region::depuis).collect()
}

#[tonic::async_trait]
impl BasculeService for Service {
    async fn get_region(&self, r: Request<GetRegionRequest>) -> Result<Response<GetRegionResponse>, Status> {
        let code = r.into_inner().code;
        let region = self
            .regions(std::slice::from_ref(&code))
            .await?
            .pop()
            .ok_or_else(|| Erreur::Introuvable(format!("région {code} inconnue")))?;
        Ok(Response::new(GetRegionResponse { region: Some(region) }))
    }

    async fn batch_get_regions(
        &self,
        r: Request<BatchGetRegionsRequest>,
    ) -> Result<Response<BatchGetRegionsResponse>, Status> {
        let regions = self.regions(&r.into_inner().codes).await?;
        Ok(Response::new(BatchGetRegionsResponse { regions }))
    }

    async fn list_regions(
        &self,
        r: Request<ListRegionsRequest>,
    ) -> Result<Response<ListRegionsResponse>, Status> {
        let r = r.into_inner();
        let (lignes, next_page_token) =
            self.store.magasin().lister(GENRE, "", "", r.page_size, &r.page_token).await?;
        Ok(Response::new(ListRegionsResponse { regions: lues(&lignes)?, next_page_token }))
    }

    async fn propose_transition(
        &self,
        r: Request<ProposeTransitionRequest>,
    ) -> Result<Response<ProposeTransitionResponse>, Status> {
        let t = self.transitions.proposer(r.into_inner()).await?;
        Ok(Response::new(ProposeTransitionResponse { transition: Some(t.message()) }))
    }

    async fn approve_transition(
        &self,
        r: Request<ApproveTransitionRequest>,
    ) -> Result<Response<ApproveTransitionResponse>, Status> {
        let t = self.transitions.approuver(r.into_inner()).await?;
        Ok(Response::new(ApproveTransitionResponse { transition: Some(t.message()) }))
    }

    async fn cancel_transition(
        &self,
        r: Request<CancelTransitionRequest>,
    ) -> Result<Response<CancelTransitionResponse>, Status> {
        let t = self.transitions.annuler(r.into_inner()).await?;
        Ok(Response::new(CancelTransitionResponse { transition: Some(t.message()) }))
    }

    async fn list_transitions(
        &self,
        r: Request<ListTransitionsRequest>,
    ) -> Result<Response<ListTransitionsResponse>, Status> {
        let r = r.into_inner();
        let transitions = self.store.transitions(&r.region, r.limite).await?;
        let transitions = transitions.iter().map(|t| t.message()).collect();
        Ok(Response::new(ListTransitionsResponse { transitions }))
    }

    type SnapshotRegionsStream = BoxStream<'static, Result<SnapshotRegionsResponse, Status>>;

    async fn snapshot_regions(
        &self,
        _: Request<SnapshotRegionsRequest>,
    ) -> Result<Response<Self::SnapshotRegionsStream>, Status> {
        let flux = self.store.magasin().instantane(GENRE.to_owned());
        let flux = flux.map(|m| m.map(|i| SnapshotRegionsResponse { instantane: Some(i) }));
        Ok(Response::new(flux.boxed()))
    }
}
