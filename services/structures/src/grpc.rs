//! gRPC of structures: each handler names its messages and calls the counter.

use std::collections::{HashMap, HashSet};

use ror_domaine::{
    guichet::{Flux, Guichet},
    references::Connues,
    ressource::Ressource,
    vocabulaire::Vocabulaire,
};
use ror_proto::structures::v1::{structures_service_server::StructuresService, *};
use tonic::{Request, Response, Status};

use crate::{
    anomalies::{self, Dit},
    domaine, store,
};

pub(crate) struct Structures {
    pub guichet: Guichet<Structure>,
    pub vocabulaire: Vocabulaire,
}

impl Structures {
    /// The structures that the batch refers to and that exist.
    async fn references(&self, items: &[WriteStructuresItem]) -> Result<Connues, Status> {
        let ids: HashSet<String> =
            items.iter().filter_map(|i| i.ressource.as_ref()).flat_map(domaine::references).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let mut connues = Connues::new();
        for lot in ids.chunks(500) {
            for l in self.guichet.magasin.lire_lot(lot).await? {
                connues.insert(l.id, (l.genre, l.region));
            }
        }
        Ok(connues)
    }
}

#[tonic::async_trait]
impl StructuresService for Structures {
    async fn get_structure(
        &self,
        r: Request<GetStructureRequest>,
    ) -> Result<Response<GetStructureResponse>, Status> {
        let ressource = Some(self.guichet.lire(&r.get_ref().id).await?);
        Ok(Response::new(GetStructureResponse { ressource }))
    }

    async fn batch_get_structures(
        &self,
        r: Request<BatchGetStructuresRequest>,
    ) -> Result<Response<BatchGetStructuresResponse>, Status> {
        let ressources = self.guichet.lire_lot(&r.get_ref().ids).await?;
        Ok(Response::new(BatchGetStructuresResponse { ressources }))
    }

    async fn list_structures(
        &self,
        r: Request<ListStructuresRequest>,
    ) -> Result<Response<ListStructuresResponse>, Status> {
        let r = r.into_inner();
        let (ressources, next_page_token) =
            self.guichet.lister(&r.genre, &r.region, &r.identifiant, r.page_size, &r.page_token).await?;
        Ok(Response::new(ListStructuresResponse { ressources, next_page_token }))
    }

    async fn write_structures(
        &self,
        r: Request<WriteStructuresRequest>,
    ) -> Result<Response<WriteStructuresResponse>, Status> {
        let r = r.into_inner();
        let tables = self.vocabulaire.pret()?;
        let mut connues = self.references(&r.items).await?;
        let items = r.items.into_iter().map(|i| (i.ressource, i.version_attendue)).collect();
        let mut dits = HashMap::new();
        let resultats = self
            .guichet
            .ecrire(r.provenance, items, r.essai, |recue, courante, provenance| {
                let v = domaine::verifier(recue, courante, provenance, &tables, &connues)?;
                // What this batch creates can be referred to by what follows in it.
                if let (Some(genre), Some(m)) = (v.structure.genre(), v.structure.meta()) {
                    connues.insert(m.id.clone(), (genre.to_owned(), m.region.clone()));
                    dits.extend(v.constat.map(|c| (m.id.clone(), Dit::nouveau(&v.structure, c))));
                }
                Ok((v.structure, v.identifiants))
            })
            .await?;
        // After the write: a caller that is not answered sends again, and nothing is lost.
        if !r.essai {
            anomalies::noter(&self.guichet.magasin, &resultats, dits).await?;
        }
        Ok(Response::new(WriteStructuresResponse { resultats }))
    }

    async fn withdraw_structure(
        &self,
        r: Request<WithdrawStructureRequest>,
    ) -> Result<Response<WithdrawStructureResponse>, Status> {
        let r = r.into_inner();
        let resultat = Some(self.guichet.retirer(r.provenance, &r.id).await?);
        Ok(Response::new(WithdrawStructureResponse { resultat }))
    }

    type SnapshotStructuresStream = Flux<SnapshotStructuresResponse>;
    async fn snapshot_structures(
        &self,
        _: Request<SnapshotStructuresRequest>,
    ) -> Result<Response<Self::SnapshotStructuresStream>, Status> {
        Ok(Response::new(self.guichet.instantane(|i| SnapshotStructuresResponse { instantane: Some(i) })))
    }

    async fn get_history(
        &self,
        r: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        let versions = self.guichet.historique(&r.get_ref().id, r.get_ref().limite).await?;
        Ok(Response::new(GetHistoryResponse { versions }))
    }

    async fn list_refusals(
        &self,
        r: Request<ListRefusalsRequest>,
    ) -> Result<Response<ListRefusalsResponse>, Status> {
        let r = r.into_inner();
        let paquets = self.guichet.refus(&r.region, r.limite, r.avant.as_ref()).await?;
        Ok(Response::new(ListRefusalsResponse { paquets }))
    }

    async fn list_anomalies(
        &self,
        r: Request<ListAnomaliesRequest>,
    ) -> Result<Response<ListAnomaliesResponse>, Status> {
        let (anomalies, next_page_token) = store::lister(self.guichet.magasin.pool(), r.get_ref()).await?;
        Ok(Response::new(ListAnomaliesResponse { anomalies, next_page_token }))
    }

    async fn install_lease(
        &self,
        r: Request<InstallLeaseRequest>,
    ) -> Result<Response<InstallLeaseResponse>, Status> {
        let bail = Some(self.guichet.installer_bail(r.into_inner().bail).await?);
        Ok(Response::new(InstallLeaseResponse { bail }))
    }
}
