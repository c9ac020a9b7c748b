//! gRPC of identity.

use std::pin::Pin;

use futures::{Stream, StreamExt};
use ror_chassis::{Erreur, magasin::Magasin};
use ror_domaine::ressource::Ressource as _;
use ror_proto::identity::v1::{identity_service_server::IdentityService, *};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::{edition, store};

pub(crate) struct IdentityApi {
    pub magasin: Magasin,
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
                "FINESS structures ou RPPS personne-activité",
            )
            .into());
        }
        let (octets, reception) = mpsc::channel(16);
        let (envoi, sortie) = mpsc::channel(64);
        let (avancement, mut avancements) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Ok(Some(m)) = entree.message().await {
                if let Some(import_edition_request::Contenu::Octets(o)) = m.contenu
                    && octets.send(o).await.is_err()
                {
                    break;
                }
            }
        });
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
            let fin = match edition::charger(&magasin, en_tete, reception, avancement).await {
                Ok(rapport) => Ok(ImportEditionResponse {
                    contenu: Some(import_edition_response::Contenu::Rapport(rapport)),
                }),
                Err(e) => Err(e.into()),
            };
            let _ = envoi.send(fin).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(sortie))))
    }

    async fn list_editions(
        &self,
        r: Request<ListEditionsRequest>,
    ) -> Result<Response<ListEditionsResponse>, Status> {
        let editions = store::editions(self.magasin.pool(), r.get_ref().limite).await?;
        Ok(Response::new(ListEditionsResponse { editions }))
    }

    async fn list_refused_lines(
        &self,
        r: Request<ListRefusedLinesRequest>,
    ) -> Result<Response<ListRefusedLinesResponse>, Status> {
        let r = r.into_inner();
        let (lignes, next_page_token) =
            store::refus(self.magasin.pool(), &r.edition_id, r.page_size, &r.page_token).await?;
        Ok(Response::new(ListRefusedLinesResponse { lignes, next_page_token }))
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
