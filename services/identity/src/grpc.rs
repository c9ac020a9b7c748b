//! gRPC of identity.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use ror_chassis::{Erreur, magasin::Magasin};
use ror_domaine::ressource::Ressource as _;
use ror_proto::identity::v1::{identity_service_server::IdentityService, *};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::{edition, store};

pub(crate) struct IdentityApi {
    pub magasin: Magasin,
    pub synchro: crate::synchro::Etat,
}

type Flux<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl IdentityService for IdentityApi {
    async fn get_identity(
        &self,
        r: Request<GetIdentityRequest>,
    ) -> Result<Response<GetIdentityResponse>, Status> {
        let ressource = Some(Identity::depuis(&self.magasin.lire(&r.get_ref().id).await?)?);
        Ok(Response::new(GetIdentityResponse { ressource }))
    }

    async fn batch_get_identities(
        &self,
        r: Request<BatchGetIdentitiesRequest>,
    ) -> Result<Response<BatchGetIdentitiesResponse>, Status> {
        let lignes = self.magasin.lire_lot(&r.get_ref().ids).await?;
        let ressources = lignes.iter().map(Identity::depuis).collect::<Result<_, _>>()?;
        Ok(Response::new(BatchGetIdentitiesResponse { ressources }))
    }

    async fn list_identities(
        &self,
        r: Request<ListIdentitiesRequest>,
    ) -> Result<Response<ListIdentitiesResponse>, Status> {
        let r = r.into_inner();
        let (lignes, next_page_token) =
            self.magasin.lister(&r.genre, "", &r.identifiant, r.page_size, &r.page_token).await?;
        let ressources = lignes.iter().map(Identity::depuis).collect::<Result<_, _>>()?;
        Ok(Response::new(ListIdentitiesResponse { ressources, next_page_token }))
    }

    type ImportEditionStream = Flux<ImportEditionResponse>;
    async fn import_edition(
        &self,
        r: Request<Streaming<ImportEditionRequest>>,
    ) -> Result<Response<Self::ImportEditionStream>, Status> {
        let mut entree = r.into_inner();
        let premier = entree.message().await?.and_then(|m| m.contenu);
        let Some(import_edition_request::Contenu::EnTete(en_tete)) = premier else {
            return Err(Erreur::faute(
                "en_tete",
                "obligatoire",
                "Le premier message est l'en-tête de l'édition.",
                "en_tete",
            )
            .into());
        };
        if en_tete.format() == Format::Unspecified {
            return Err(Erreur::faute(
                "en_tete.format",
                "obligatoire",
                "Le format de l'édition manque.",
                "un format de FINESS, du RPPS ou de l'Annuaire Santé",
            )
            .into());
        }
        let (octets, reception) = mpsc::channel(16);
        let (envoi, sortie) = mpsc::channel(64);
        let (coupure, coupee) = oneshot::channel();
        // With a size announced, a file that is cut is known by it.
        let appelant = (en_tete.taille == 0).then(|| envoi.clone());
        tokio::spawn(recevoir(entree, octets, appelant, coupure));
        let (avancement, mut avancements) = mpsc::channel(8);
        let relais = envoi.clone();
        tokio::spawn(async move {
            while let Some(a) = avancements.recv().await {
                let contenu = Some(import_edition_response::Contenu::Avancement(a));
                if relais.send(Ok(ImportEditionResponse { contenu })).await.is_err() {
                    break;
                }
            }
        });
        let magasin = self.magasin.clone();
        tokio::spawn(async move {
            let fin = tokio::select! {
                biased;
                e = interrompue(coupee) => Err(e),
                r = edition::charger(&magasin, en_tete, reception, avancement) => r,
            };
            let fin = fin.map_err(Status::from).map(|rapport| ImportEditionResponse {
                contenu: Some(import_edition_response::Contenu::Rapport(rapport)),
            });
            let _ = envoi.send(fin).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(sortie))))
    }

    async fn list_editions(
        &self,
        r: Request<ListEditionsRequest>,
    ) -> Result<Response<ListEditionsResponse>, Status> {
        let editions = store::editions::lister(self.magasin.pool(), r.get_ref().limite).await?;
        Ok(Response::new(ListEditionsResponse { editions }))
    }

    async fn list_refused_lines(
        &self,
        r: Request<ListRefusedLinesRequest>,
    ) -> Result<Response<ListRefusedLinesResponse>, Status> {
        let r = r.into_inner();
        let (lignes, next_page_token) =
            store::refus::lister(self.magasin.pool(), &r.edition_id, r.page_size, &r.page_token).await?;
        Ok(Response::new(ListRefusedLinesResponse { lignes, next_page_token }))
    }

    async fn list_changes(
        &self,
        r: Request<ListChangesRequest>,
    ) -> Result<Response<ListChangesResponse>, Status> {
        let r = r.into_inner();
        let (changements, next_page_token) =
            store::changements::lister(self.magasin.pool(), &r.edition_id, &r.id, r.page_size, &r.page_token)
                .await?;
        Ok(Response::new(ListChangesResponse { changements, next_page_token }))
    }

    async fn rollback_edition(
        &self,
        r: Request<RollbackEditionRequest>,
    ) -> Result<Response<RollbackEditionResponse>, Status> {
        let (magasin, r) = (self.magasin.clone(), r.into_inner());
        // In a task of its own: a caller who gives up does not stop it half-way through its work.
        let tache =
            tokio::spawn(
                async move { edition::annuler(&magasin, &r.edition_id, &r.operateur, r.essai).await },
            );
        let rapport = tache.await.map_err(|e| Erreur::Interne(Box::new(e)))??;
        Ok(Response::new(RollbackEditionResponse { rapport: Some(rapport) }))
    }

    async fn list_anomalies(
        &self,
        r: Request<ListAnomaliesRequest>,
    ) -> Result<Response<ListAnomaliesResponse>, Status> {
        let r = r.into_inner();
        let (anomalies, next_page_token) = store::anomalies::lister(
            self.magasin.pool(),
            r.statut(),
            &r.regle,
            &r.cle,
            r.page_size,
            &r.page_token,
        )
        .await?;
        Ok(Response::new(ListAnomaliesResponse { anomalies, next_page_token }))
    }

    async fn decide_anomaly(
        &self,
        r: Request<DecideAnomalyRequest>,
    ) -> Result<Response<DecideAnomalyResponse>, Status> {
        let r = r.into_inner();
        let anomalie = edition::decider(&self.magasin, &r.id, r.accepter, &r.operateur, &r.motif).await?;
        Ok(Response::new(DecideAnomalyResponse { anomalie: Some(anomalie) }))
    }

    async fn get_sync_status(
        &self,
        _: Request<GetSyncStatusRequest>,
    ) -> Result<Response<GetSyncStatusResponse>, Status> {
        let canaux = edition::etat_des_canaux(self.magasin.pool(), &self.synchro.etat()).await?;
        Ok(Response::new(GetSyncStatusResponse { canaux }))
    }

    type SnapshotIdentitiesStream = Flux<SnapshotIdentitiesResponse>;
    async fn snapshot_identities(
        &self,
        r: Request<SnapshotIdentitiesRequest>,
    ) -> Result<Response<Self::SnapshotIdentitiesStream>, Status> {
        let flux = self.magasin.instantane(r.into_inner().genre);
        Ok(Response::new(Box::pin(
            flux.map(|m| m.map(|i| SnapshotIdentitiesResponse { instantane: Some(i) })),
        )))
    }

    async fn get_history(
        &self,
        r: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        let versions = self.magasin.historique(&r.get_ref().id, r.get_ref().limite).await?;
        Ok(Response::new(GetHistoryResponse { versions }))
    }
}

/// Time for a caller who went away to be seen gone.
const GRACE: Duration = Duration::from_millis(100);

type Reponses = mpsc::Sender<Result<ImportEditionResponse, Status>>;

/// Hands over the bytes of a file; says so when they stop before the end. A call that
/// the caller drops ends as one that is complete does: `appelant`, when given, tells them
/// apart.
async fn recevoir(
    mut entree: Streaming<ImportEditionRequest>,
    octets: mpsc::Sender<Bytes>,
    appelant: Option<Reponses>,
    coupure: oneshot::Sender<Status>,
) {
    loop {
        match entree.message().await {
            Ok(Some(m)) => {
                if let Some(import_edition_request::Contenu::Octets(o)) = m.contenu
                    && octets.send(o).await.is_err()
                {
                    return;
                }
            }
            Ok(None) => {
                if let Some(appelant) = appelant
                    && tokio::time::timeout(GRACE, appelant.closed()).await.is_ok()
                {
                    let _ = coupure.send(Status::cancelled("appel abandonné"));
                }
                return;
            }
            Err(e) => {
                // Before the channel closes: a file cut there would pass for a whole one.
                let _ = coupure.send(e);
                return;
            }
        }
    }
}

/// Resolves only when the reception was cut.
async fn interrompue(coupee: oneshot::Receiver<Status>) -> Erreur {
    match coupee.await {
        Ok(cause) => Erreur::Indisponible(format!("réception interrompue : {}", cause.message())),
        Err(_) => std::future::pending().await,
    }
}
