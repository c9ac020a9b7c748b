//! gRPC of offers: each handler names its messages and calls the counter.

use ror_chassis::{Erreur, Resultat, client::Canal};
use ror_domaine::{
    guichet::{Flux, Guichet},
    references::{Connues, resoudre},
    ressource::Ressource,
    vocabulaire::Vocabulaire,
};
use ror_proto::{
    common::v1::{Issue, ResultatEcriture},
    identity::v1::{BatchGetIdentitiesRequest, identity_service_client::IdentityServiceClient},
    offers::v1::{offers_service_server::OffersService, *},
    structures::v1::{BatchGetStructuresRequest, structures_service_client::StructuresServiceClient},
};
use tonic::{Request, Response, Status};

use crate::{decisions, domaine, store};

pub(crate) struct Offers {
    pub guichet: Guichet<Offer>,
    pub vocabulaire: Vocabulaire,
    pub structures: Canal,
    pub identity: Canal,
}

impl Offers {
    /// What the batch refers to and exists: places and offers here, structures from
    /// the local copy, professionals and the late ones from their owner.
    async fn references(&self, items: &[WriteOffersItem]) -> Result<Connues, Status> {
        let mut demandees = domaine::References::default();
        items.iter().filter_map(|i| i.ressource.as_ref()).for_each(|r| demandees.ajouter(r));
        let mut connues = Connues::new();
        for lot in uniques(demandees.ici).chunks(500) {
            for l in self.guichet.magasin.lire_lot(lot).await? {
                connues.insert(l.id, (l.genre, l.region));
            }
        }
        let pool = self.guichet.magasin.pool();
        connues.extend(resoudre(pool, demandees.structures, |ids| self.structures(ids)).await?);
        connues.extend(resoudre(pool, demandees.professionnels, |ids| self.professionnels(ids)).await?);
        Ok(connues)
    }

    /// The structures that are closed, among those that carry the offers of the batch.
    async fn sites(&self, items: &[WriteOffersItem]) -> Result<domaine::Sites, Status> {
        let porteurs = items.iter().filter_map(|i| match &i.ressource.as_ref()?.ressource {
            Some(offer::Ressource::Offre(o)) => Some(o.porteur_id.clone()),
            _ => None,
        });
        let porteurs = uniques(porteurs.collect());
        if porteurs.is_empty() {
            return Ok(domaine::Sites::new());
        }
        let mut c = self.guichet.magasin.pool().acquire().await.map_err(Erreur::from)?;
        Ok(store::structures::fermetures(&mut c, &porteurs).await?)
    }

    /// What was asked about a resource ends when it no longer hangs on what it was about.
    async fn lever(&self, resultats: &[ResultatEcriture]) -> Result<(), Status> {
        let modifiees: Vec<&str> =
            resultats.iter().filter(|r| r.issue() == Issue::Modifie).map(|r| r.id.as_str()).collect();
        if modifiees.is_empty() {
            return Ok(());
        }
        let mut c = self.guichet.magasin.pool().acquire().await.map_err(Erreur::from)?;
        Ok(store::consequences::lever_deplacees(&mut c, &modifiees).await?)
    }

    async fn structures(&self, ids: Vec<String>) -> Resultat<Connues> {
        let mut client = StructuresServiceClient::new(self.structures.clone());
        let mut connues = Connues::new();
        for lot in ids.chunks(500) {
            let r = client
                .batch_get_structures(BatchGetStructuresRequest { ids: lot.to_vec() })
                .await?
                .into_inner();
            connues.extend(r.ressources.iter().filter_map(connue));
        }
        Ok(connues)
    }

    async fn professionnels(&self, ids: Vec<String>) -> Resultat<Connues> {
        let mut client = IdentityServiceClient::new(self.identity.clone());
        let mut connues = Connues::new();
        for lot in ids.chunks(500) {
            let r = client
                .batch_get_identities(BatchGetIdentitiesRequest { ids: lot.to_vec() })
                .await?
                .into_inner();
            connues.extend(r.ressources.iter().filter_map(connue));
        }
        Ok(connues)
    }
}

fn connue<R: Ressource>(r: &R) -> Option<(String, (String, String))> {
    Some((r.id().to_owned(), (r.genre()?.to_owned(), r.meta()?.region.clone())))
}

fn uniques(mut ids: Vec<String>) -> Vec<String> {
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[tonic::async_trait]
impl OffersService for Offers {
    async fn get_offer(&self, r: Request<GetOfferRequest>) -> Result<Response<GetOfferResponse>, Status> {
        let ressource = Some(self.guichet.lire(&r.get_ref().id).await?);
        Ok(Response::new(GetOfferResponse { ressource }))
    }

    async fn batch_get_offers(
        &self,
        r: Request<BatchGetOffersRequest>,
    ) -> Result<Response<BatchGetOffersResponse>, Status> {
        let ressources = self.guichet.lire_lot(&r.get_ref().ids).await?;
        Ok(Response::new(BatchGetOffersResponse { ressources }))
    }

    async fn list_offers(
        &self,
        r: Request<ListOffersRequest>,
    ) -> Result<Response<ListOffersResponse>, Status> {
        let r = r.into_inner();
        let (ressources, next_page_token) =
            self.guichet.lister(&r.genre, &r.region, &r.identifiant, r.page_size, &r.page_token).await?;
        Ok(Response::new(ListOffersResponse { ressources, next_page_token }))
    }

    async fn write_offers(
        &self,
        r: Request<WriteOffersRequest>,
    ) -> Result<Response<WriteOffersResponse>, Status> {
        let r = r.into_inner();
        let tables = self.vocabulaire.pret()?;
        let mut connues = self.references(&r.items).await?;
        let sites = self.sites(&r.items).await?;
        let items = r.items.into_iter().map(|i| (i.ressource, i.version_attendue)).collect();
        let resultats = self
            .guichet
            .ecrire(r.provenance, items, r.essai, |recue, courante, provenance| {
                let verdict = domaine::verifier(recue, courante, provenance, &tables, &connues, &sites)?;
                // What this batch creates can be referred to by what follows in it.
                if let (Some(genre), Some(m)) = (verdict.0.genre(), verdict.0.meta()) {
                    connues.insert(m.id.clone(), (genre.to_owned(), m.region.clone()));
                }
                Ok(verdict)
            })
            .await?;
        if !r.essai {
            self.lever(&resultats).await?;
        }
        Ok(Response::new(WriteOffersResponse { resultats }))
    }

    async fn withdraw_offer(
        &self,
        r: Request<WithdrawOfferRequest>,
    ) -> Result<Response<WithdrawOfferResponse>, Status> {
        let r = r.into_inner();
        let resultat = Some(self.guichet.retirer(r.provenance, &r.id).await?);
        Ok(Response::new(WithdrawOfferResponse { resultat }))
    }

    type SnapshotOffersStream = Flux<SnapshotOffersResponse>;
    async fn snapshot_offers(
        &self,
        _: Request<SnapshotOffersRequest>,
    ) -> Result<Response<Self::SnapshotOffersStream>, Status> {
        Ok(Response::new(self.guichet.instantane(|i| SnapshotOffersResponse { instantane: Some(i) })))
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

    async fn list_consequences(
        &self,
        r: Request<ListConsequencesRequest>,
    ) -> Result<Response<ListConsequencesResponse>, Status> {
        let pool = self.guichet.magasin.pool();
        let (consequences, next_page_token) = store::consequences::lister(pool, r.get_ref()).await?;
        Ok(Response::new(ListConsequencesResponse { consequences, next_page_token }))
    }

    async fn decide_consequence(
        &self,
        r: Request<DecideConsequenceRequest>,
    ) -> Result<Response<DecideConsequenceResponse>, Status> {
        let consequence = Some(decisions::decider(&self.guichet.magasin, r.into_inner()).await?);
        Ok(Response::new(DecideConsequenceResponse { consequence }))
    }

    async fn install_lease(
        &self,
        r: Request<InstallLeaseRequest>,
    ) -> Result<Response<InstallLeaseResponse>, Status> {
        let bail = Some(self.guichet.installer_bail(r.into_inner().bail).await?);
        Ok(Response::new(InstallLeaseResponse { bail }))
    }
}
