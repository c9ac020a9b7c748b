//! The calls of `NomenclaturesService`.

use std::sync::Arc;

use futures::{StreamExt, stream::BoxStream};
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    magasin::{Decision, Demande, Magasin, refuse},
    page,
};
use ror_domaine::{
    controle::{aujourdhui, lire_date},
    ressource::id_nomenclature,
};
use ror_proto::{
    common::v1::{Canal, Issue, Provenance, ResultatEcriture},
    nomenclatures::v1::{
        BatchGetNomenclaturesRequest, BatchGetNomenclaturesResponse, ExpandValueSetRequest,
        ExpandValueSetResponse, GetNomenclatureRequest, GetNomenclatureResponse, ListNomenclaturesRequest,
        ListNomenclaturesResponse, LoadNomenclatureRequest, LoadNomenclatureResponse, LookupCodeRequest,
        LookupCodeResponse, Nomenclature, SnapshotNomenclaturesRequest, SnapshotNomenclaturesResponse,
        ValidateCodeRequest, ValidateCodeResponse, nomenclatures_service_server::NomenclaturesService,
    },
};
use tonic::{Request, Response, Status};

use crate::{
    catalogue::Catalogue,
    domaine::{self, Ecarts, Edition, GENRE},
};

/// Most canonicals of one batch.
const LOT_MAX: usize = 100;

/// The service over its store and its index.
pub struct Service {
    magasin: Magasin,
    catalogue: Catalogue,
}

impl Service {
    /// Answers from this index, loads into this store.
    pub fn nouveau(magasin: Magasin, catalogue: Catalogue) -> Self {
        Self { magasin, catalogue }
    }

    async fn ecrire(&self, n: &Nomenclature) -> Resultat<ResultatEcriture> {
        let provenance = Provenance {
            canal: Canal::Referentiel as i32,
            auteur: "nomenclatures".to_owned(),
            ..Default::default()
        };
        let demande = Demande {
            id: id_nomenclature(&n.canonique, &n.version),
            genre: GENRE,
            version_attendue: 0,
            recu: n.encode_to_vec().into(),
        };
        let resultats = self
            .magasin
            .ecrire(&provenance, None, &[demande], |_, courant| Decision::Ecrire {
                region: String::new(),
                etat: domaine::etat(n, courant),
                identifiants: None,
            })
            .await?;
        resultats.into_iter().next().ok_or_else(|| Erreur::interne("write without result"))
    }

    async fn charger(&self, n: Nomenclature) -> Resultat<LoadNomenclatureResponse> {
        let n = domaine::normaliser(n);
        let id = id_nomenclature(&n.canonique, &n.version);
        let fautes = domaine::valider(&n);
        if !fautes.is_empty() {
            return Ok(LoadNomenclatureResponse {
                resultat: Some(refuse(&id, 0, fautes)),
                ..Default::default()
            });
        }
        let avant = self.catalogue.index().courante(&n.canonique);
        let resultat = self.ecrire(&n).await?;
        let mut ecarts = Ecarts::default();
        if matches!(resultat.issue(), Issue::Cree | Issue::Modifie) {
            ecarts = domaine::comparer(avant.as_ref().map(|e| &e.nomenclature), &n);
            let edition = Edition::depuis_ligne(&self.magasin.lire(&id).await?)?;
            self.catalogue.poser(vec![Arc::new(edition)]);
            tracing::info!(
                id,
                added = ecarts.ajoutes,
                changed = ecarts.modifies,
                removed = ecarts.retires,
                "nomenclature loaded"
            );
        }
        Ok(LoadNomenclatureResponse {
            resultat: Some(resultat),
            ajoutes: ecarts.ajoutes,
            modifies: ecarts.modifies,
            retires: ecarts.retires,
        })
    }
}

fn inconnue(canonique: &str) -> Erreur {
    Erreur::Introuvable(format!("nomenclature {canonique} inconnue"))
}

fn date_ou_jour(date: String) -> Resultat<String> {
    if date.is_empty() {
        return Ok(aujourdhui());
    }
    if lire_date(&date).is_none() {
        return Err(Erreur::faute("date", "date", format!("« {date} » n'est pas une date."), "AAAA-MM-JJ"));
    }
    Ok(date)
}

/// Offset and limit of an expansion: 100 members by default, 1000 at most.
fn fenetre(offset: i32, limite: i32) -> Resultat<(usize, usize)> {
    let debut = usize::try_from(offset)
        .map_err(|_| Erreur::faute("offset", "valeur", "Le début est négatif.", "0 ou plus"))?;
    let limite = usize::try_from(limite)
        .map_err(|_| Erreur::faute("limite", "valeur", "La limite est négative.", "1 à 1000"))?;
    Ok((debut, if limite == 0 { 100 } else { limite.min(1000) }))
}

#[tonic::async_trait]
impl NomenclaturesService for Service {
    type SnapshotNomenclaturesStream = BoxStream<'static, Result<SnapshotNomenclaturesResponse, Status>>;

    async fn get_nomenclature(
        &self,
        requete: Request<GetNomenclatureRequest>,
    ) -> Result<Response<GetNomenclatureResponse>, Status> {
        let r = requete.into_inner();
        let connue = self.catalogue.index().edition(&r.canonique, &r.version).map(|e| e.nomenclature.clone());
        // A follower may ask for what it was told of before this replica's index has it.
        let nomenclature = match connue {
            Some(n) => n,
            None => {
                let ligne = self.magasin.lire(&id_nomenclature(&r.canonique, &r.version)).await;
                let ligne = ligne.map_err(|_| inconnue(&r.canonique))?;
                Nomenclature::decode(ligne.etat).map_err(Erreur::from)?
            }
        };
        Ok(Response::new(GetNomenclatureResponse { nomenclature: Some(nomenclature) }))
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
        let nomenclatures =
            canoniques.iter().filter_map(|c| index.courante(c)).map(|e| e.nomenclature.clone()).collect();
        Ok(Response::new(BatchGetNomenclaturesResponse { nomenclatures }))
    }

    async fn list_nomenclatures(
        &self,
        requete: Request<ListNomenclaturesRequest>,
    ) -> Result<Response<ListNomenclaturesResponse>, Status> {
        let r = requete.into_inner();
        let taille = usize::try_from(page::taille(r.page_size)?).unwrap_or(50);
        let apres = page::lire(&r.page_token, &[GENRE])?;
        let (nomenclatures, dernier) = self.catalogue.index().entetes(&apres, taille);
        let next_page_token = dernier.map_or_else(String::new, |id| page::jeton(&id, &[GENRE]));
        Ok(Response::new(ListNomenclaturesResponse { nomenclatures, next_page_token }))
    }

    async fn load_nomenclature(
        &self,
        requete: Request<LoadNomenclatureRequest>,
    ) -> Result<Response<LoadNomenclatureResponse>, Status> {
        let n = requete.into_inner().nomenclature.ok_or_else(|| {
            Erreur::faute("nomenclature", "obligatoire", "La nomenclature manque.", "une version entière")
        })?;
        Ok(Response::new(self.charger(n).await?))
    }

    async fn lookup_code(
        &self,
        requete: Request<LookupCodeRequest>,
    ) -> Result<Response<LookupCodeResponse>, Status> {
        let r = requete.into_inner();
        let code = r.code.unwrap_or_default();
        let date = date_ou_jour(r.date)?;
        let index = self.catalogue.index();
        let (vue, concept) = index.chercher(&code.systeme, &code.code).ok_or_else(|| {
            Erreur::Introuvable(format!("code « {} » inconnu du système « {} »", code.code, code.systeme))
        })?;
        Ok(Response::new(LookupCodeResponse {
            valide: domaine::utilisable(concept, &date),
            concept: Some(concept.clone()),
            version: vue.version().to_owned(),
        }))
    }

    async fn validate_code(
        &self,
        requete: Request<ValidateCodeRequest>,
    ) -> Result<Response<ValidateCodeResponse>, Status> {
        let r = requete.into_inner();
        let code = r.code.unwrap_or_default();
        let date = date_ou_jour(r.date)?;
        let a = self
            .catalogue
            .index()
            .appartient(&r.canonique, &code, &date)
            .ok_or_else(|| inconnue(&r.canonique))?;
        Ok(Response::new(ValidateCodeResponse { valide: a.valide, libelle: a.libelle, motif: a.motif }))
    }

    async fn expand_value_set(
        &self,
        requete: Request<ExpandValueSetRequest>,
    ) -> Result<Response<ExpandValueSetResponse>, Status> {
        let r = requete.into_inner();
        let date = date_ou_jour(r.date)?;
        let (debut, limite) = fenetre(r.offset, r.limite)?;
        let index = self.catalogue.index();
        let vue = index.vue(&r.canonique).ok_or_else(|| inconnue(&r.canonique))?;
        let (concepts, total) = vue.deplier(&r.filtre, &date, debut, limite);
        Ok(Response::new(ExpandValueSetResponse {
            concepts,
            total: u32::try_from(total).unwrap_or(u32::MAX),
            version: vue.version().to_owned(),
        }))
    }

    async fn snapshot_nomenclatures(
        &self,
        _requete: Request<SnapshotNomenclaturesRequest>,
    ) -> Result<Response<Self::SnapshotNomenclaturesStream>, Status> {
        let flux = self
            .magasin
            .instantane(GENRE.to_owned())
            .map(|m| m.map(|i| SnapshotNomenclaturesResponse { instantane: Some(i) }))
            .boxed();
        Ok(Response::new(flux))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_and_dates_are_bounded() {
        assert_eq!(fenetre(0, 0).unwrap(), (0, 100));
        assert_eq!(fenetre(7, 5000).unwrap(), (7, 1000));
        assert!(fenetre(-1, 0).is_err() && fenetre(0, -1).is_err());
        assert!(date_ou_jour("2026-02-30".into()).is_err());
        assert_eq!(date_ou_jour("2026-02-28".into()).unwrap(), "2026-02-28");
        assert!(lire_date(&date_ou_jour(String::new()).unwrap()).is_some());
    }
}
