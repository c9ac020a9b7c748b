//! The wire: each call is translated, handed on, translated back.

use futures::{StreamExt, stream::BoxStream};
use ror_chassis::{Erreur, Resultat, bail, magasin::Ligne};
use ror_domaine::ressource::Ressource;
use ror_proto::capacity::v1::{
    BatchGetCapacitiesRequest, BatchGetCapacitiesResponse, Capacity, GetCapacitieRequest,
    GetCapacitieResponse, GetHistoryRequest, GetHistoryResponse, InstallLeaseRequest, InstallLeaseResponse,
    ListCapacitiesRequest, ListCapacitiesResponse, ListRefusalsRequest, ListRefusalsResponse,
    PatchCapacityRequest, PatchCapacityResponse, SnapshotCapacitiesRequest, SnapshotCapacitiesResponse,
    WithdrawCapacitieRequest, WithdrawCapacitieResponse, WriteCapacitiesRequest, WriteCapacitiesResponse,
    capacity_service_server::CapacityService,
};
use tonic::{Request, Response, Status};

use crate::{domaine::BAIL, ecriture::Ecritures, store::Store};

/// The gRPC service.
pub struct Service {
    store: Store,
    ecritures: Ecritures,
}

impl Service {
    /// Reads from the store, writes through the writes.
    pub fn nouveau(store: Store, ecritures: Ecritures) -> Self {
        Self { store, ecritures }
    }
}

fn ressources(lignes: &[Ligne]) -> Resultat<Vec<Capacity>> {
    lignes.iter().map(Capacity::depuis).collect()
}

#[tonic::async_trait]
impl CapacityService for Service {
    async fn get_capacitie(
        &self,
        r: Request<GetCapacitieRequest>,
    ) -> Result<Response<GetCapacitieResponse>, Status> {
        let ligne = self.store.magasin().lire(&r.into_inner().id).await?;
        Ok(Response::new(GetCapacitieResponse { ressource: Some(Capacity::depuis(&ligne)?) }))
    }

    async fn batch_get_capacities(
        &self,
        r: Request<BatchGetCapacitiesRequest>,
    ) -> Result<Response<BatchGetCapacitiesResponse>, Status> {
        let lignes = self.store.magasin().lire_lot(&r.into_inner().ids).await?;
        Ok(Response::new(BatchGetCapacitiesResponse { ressources: ressources(&lignes)? }))
    }

    async fn list_capacities(
        &self,
        r: Request<ListCapacitiesRequest>,
    ) -> Result<Response<ListCapacitiesResponse>, Status> {
        let r = r.into_inner();
        let (lignes, next_page_token) = self
            .store
            .magasin()
            .lister(&r.genre, &r.region, &r.identifiant, r.page_size, &r.page_token)
            .await?;
        Ok(Response::new(ListCapacitiesResponse { ressources: ressources(&lignes)?, next_page_token }))
    }

    async fn write_capacities(
        &self,
        r: Request<WriteCapacitiesRequest>,
    ) -> Result<Response<WriteCapacitiesResponse>, Status> {
        let resultats = self.ecritures.ecrire(r.into_inner()).await?;
        Ok(Response::new(WriteCapacitiesResponse { resultats }))
    }

    async fn withdraw_capacitie(
        &self,
        r: Request<WithdrawCapacitieRequest>,
    ) -> Result<Response<WithdrawCapacitieResponse>, Status> {
        let resultat = self.ecritures.retirer(r.into_inner()).await?;
        Ok(Response::new(WithdrawCapacitieResponse { resultat: Some(resultat) }))
    }

    type SnapshotCapacitiesStream = BoxStream<'static, Result<SnapshotCapacitiesResponse, Status>>;

    async fn snapshot_capacities(
        &self,
        _: Request<SnapshotCapacitiesRequest>,
    ) -> Result<Response<Self::SnapshotCapacitiesStream>, Status> {
        let flux = self.store.magasin().instantane(String::new());
        let flux = flux.map(|m| m.map(|i| SnapshotCapacitiesResponse { instantane: Some(i) }));
        Ok(Response::new(flux.boxed()))
    }

    async fn get_history(
        &self,
        r: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        let r = r.into_inner();
        let versions = self.store.magasin().historique(&r.id, r.limite).await?;
        Ok(Response::new(GetHistoryResponse { versions }))
    }

    async fn list_refusals(
        &self,
        r: Request<ListRefusalsRequest>,
    ) -> Result<Response<ListRefusalsResponse>, Status> {
        let r = r.into_inner();
        let paquets = self.store.magasin().refus(&r.region, r.limite, r.avant.as_ref()).await?;
        Ok(Response::new(ListRefusalsResponse { paquets }))
    }

    async fn install_lease(
        &self,
        r: Request<InstallLeaseRequest>,
    ) -> Result<Response<InstallLeaseResponse>, Status> {
        let demande =
            r.into_inner().bail.filter(|b| b.domaine == BAIL && !b.region.is_empty()).ok_or_else(|| {
                Erreur::faute(
                    "bail",
                    "valeur",
                    "Ce bail n'est pas de ce service.",
                    "une région et le domaine capacite",
                )
            })?;
        let bail = bail::installer(self.store.magasin().pool(), &demande).await?;
        Ok(Response::new(InstallLeaseResponse { bail: Some(bail) }))
    }

    async fn patch_capacity(
        &self,
        r: Request<PatchCapacityRequest>,
    ) -> Result<Response<PatchCapacityResponse>, Status> {
        Ok(Response::new(self.ecritures.modifier(r.into_inner()).await?))
    }
}
