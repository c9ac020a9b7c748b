//! The calls of `NomenclaturesService`.

use std::collections::HashMap;

use futures::{StreamExt, stream::BoxStream};
use ror_chassis::{Erreur, page};
use ror_domaine::ressource::id_nomenclature;
use ror_proto::nomenclatures::v1::{nomenclatures_service_server::NomenclaturesService, *};
use tonic::{Request, Response, Status};

use crate::{
    catalogue::{Catalogue, inconnue},
    domaine::{Edition, GENRE},
    ecriture::Ecritures,
    lecture::Lectures,
    usage::Usages,
};

/// Most canonicals of one batch.
const LOT_MAX: usize = 100;

/// The service over its store and its index.
pub struct Service {
    catalogue: Catalogue,
    lectures: Lectures,
    ecritures: Ecritures,
}

impl Service {
    /// Answers from this catalogue and these counts, and writes through the catalogue.
    pub fn nouveau(catalogue: Catalogue, usages: Usages) -> Self {
        Self {
            lectures: Lectures::nouvelles(catalogue.clone(), usages.clone()),
            ecritures: Ecritures::nouveau(catalogue.clone(), usages),
            catalogue,
        }
    }
}

#[tonic::async_trait]
impl NomenclaturesService for Service {
    type SnapshotNomenclaturesStream = BoxStream<'static, Result<SnapshotNomenclaturesResponse, Status>>;

    async fn get_nomenclature(
        &self,
        requete: Request<GetNomenclatureRequest>,
    ) -> Result<Response<GetNomenclatureResponse>, Status> {
        let r = requete.into_inner();
        // A named version comes from the store: a follower may ask for what it was told of
        // before this replica's index has it.
        let version = if r.version.is_empty() {
            let index = self.catalogue.index();
            let courante = index.courante(&r.canonique).ok_or_else(|| inconnue(&r.canonique, ""))?;
            courante.nomenclature.version.clone()
        } else {
            r.version
        };
        let nomenclature = Some(self.catalogue.contenu(&r.canonique, &version).await?);
        Ok(Response::new(GetNomenclatureResponse { nomenclature }))
    }

    async fn batch_get_nomenclatures(
        &self,
        requete: Request<BatchGetNomenclaturesRequest>,
    ) -> Result<Response<BatchGetNomenclaturesResponse>, Status> {
        let canoniques = requete.into_inner().canoniques;
        if canoniques.len() > LOT_MAX {
            let message = format!("{} canoniques demandés.", canoniques.len());
            return Err(Erreur::faute("canoniques", "taille-du-lot", message, "100 au plus").into());
        }
        let index = self.catalogue.index();
        let ids: Vec<String> = canoniques
            .iter()
            .filter_map(|c| index.courante(c))
            .map(|e| id_nomenclature(&e.nomenclature.canonique, &e.nomenclature.version))
            .collect();
        let mut lues = HashMap::new();
        for l in self.catalogue.magasin().lire_lot(&ids).await? {
            let n = Nomenclature { courante: true, ..Edition::depuis_ligne(&l)?.nomenclature };
            lues.insert(l.id, n);
        }
        let nomenclatures = ids.iter().filter_map(|id| lues.get(id).cloned()).collect();
        Ok(Response::new(BatchGetNomenclaturesResponse { nomenclatures }))
    }

    async fn list_nomenclatures(
        &self,
        requete: Request<ListNomenclaturesRequest>,
    ) -> Result<Response<ListNomenclaturesResponse>, Status> {
        let r = requete.into_inner();
        let taille = usize::try_from(page::taille(r.page_size)?).unwrap_or(50);
        let apres = page::lire(&r.page_token, &[GENRE])?;
        let index = self.catalogue.index();
        let mut suite = index.apres(&apres);
        let nomenclatures: Vec<Nomenclature> = suite.by_ref().take(taille).map(|e| index.dire(e)).collect();
        let dernier = nomenclatures.last().filter(|_| suite.next().is_some());
        let next_page_token = dernier
            .map_or_else(String::new, |n| page::jeton(&id_nomenclature(&n.canonique, &n.version), &[GENRE]));
        Ok(Response::new(ListNomenclaturesResponse { nomenclatures, next_page_token }))
    }

    async fn search_nomenclatures(
        &self,
        requete: Request<SearchNomenclaturesRequest>,
    ) -> Result<Response<SearchNomenclaturesResponse>, Status> {
        Ok(Response::new(self.lectures.rechercher(requete.get_ref())?))
    }

    async fn load_nomenclature(
        &self,
        requete: Request<LoadNomenclatureRequest>,
    ) -> Result<Response<LoadNomenclatureResponse>, Status> {
        Ok(Response::new(self.ecritures.charger(requete.into_inner()).await?))
    }

    async fn lookup_code(
        &self,
        requete: Request<LookupCodeRequest>,
    ) -> Result<Response<LookupCodeResponse>, Status> {
        Ok(Response::new(self.lectures.chercher(requete.into_inner()).await?))
    }

    async fn validate_code(
        &self,
        requete: Request<ValidateCodeRequest>,
    ) -> Result<Response<ValidateCodeResponse>, Status> {
        Ok(Response::new(self.lectures.valider(requete.into_inner()).await?))
    }

    async fn expand_value_set(
        &self,
        requete: Request<ExpandValueSetRequest>,
    ) -> Result<Response<ExpandValueSetResponse>, Status> {
        Ok(Response::new(self.lectures.deplier(requete.into_inner()).await?))
    }

    async fn translate_code(
        &self,
        requete: Request<TranslateCodeRequest>,
    ) -> Result<Response<TranslateCodeResponse>, Status> {
        Ok(Response::new(self.lectures.traduire(requete.into_inner()).await?))
    }

    async fn diff_versions(
        &self,
        requete: Request<DiffVersionsRequest>,
    ) -> Result<Response<DiffVersionsResponse>, Status> {
        Ok(Response::new(self.lectures.comparer(requete.into_inner()).await?))
    }

    async fn set_state(
        &self,
        requete: Request<SetStateRequest>,
    ) -> Result<Response<SetStateResponse>, Status> {
        Ok(Response::new(self.ecritures.changer_etat(requete.into_inner()).await?))
    }

    async fn set_strictness(
        &self,
        requete: Request<SetStrictnessRequest>,
    ) -> Result<Response<SetStrictnessResponse>, Status> {
        Ok(Response::new(self.ecritures.regler(requete.into_inner()).await?))
    }

    async fn promote_regional(
        &self,
        requete: Request<PromoteRegionalRequest>,
    ) -> Result<Response<PromoteRegionalResponse>, Status> {
        Ok(Response::new(self.ecritures.promouvoir(requete.into_inner()).await?))
    }

    async fn get_usage(
        &self,
        requete: Request<GetUsageRequest>,
    ) -> Result<Response<GetUsageResponse>, Status> {
        Ok(Response::new(self.lectures.usage(requete.into_inner()).await?))
    }

    async fn snapshot_nomenclatures(
        &self,
        _requete: Request<SnapshotNomenclaturesRequest>,
    ) -> Result<Response<Self::SnapshotNomenclaturesStream>, Status> {
        let flux = self
            .catalogue
            .magasin()
            .instantane(GENRE.to_owned())
            .map(|m| m.map(|i| SnapshotNomenclaturesResponse { instantane: Some(i) }))
            .boxed();
        Ok(Response::new(flux))
    }
}
