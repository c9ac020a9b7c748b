//! The calls of `AccessService`. Secrets and tokens never reach the logs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use parking_lot::RwLock;
use ror_chassis::{
    Erreur, Resultat,
    erreur::faute,
    magasin::{Decision, Demande, Ligne, Magasin, refuse},
};
use ror_proto::{
    access::v1::{
        BatchGetConsumersRequest, BatchGetConsumersResponse, CheckTokenRequest, CheckTokenResponse, Consumer,
        CreateConsumerRequest, CreateConsumerResponse, GetConsumerRequest, GetConsumerResponse,
        GetKeysRequest, GetKeysResponse, InstallPolicyRequest, InstallPolicyResponse, IssueTokenRequest,
        IssueTokenResponse, ListConsumersRequest, ListConsumersResponse, Policy, RevokeConsumerRequest,
        RevokeConsumerResponse, SnapshotAccessRequest, SnapshotAccessResponse, access::Ressource,
        access_service_server::AccessService,
    },
    common::v1::{Canal, Issue, Provenance, ResultatEcriture},
};
use tonic::{Request, Response, Status};

use crate::{
    domaine::{self, GENRE_CONSOMMATEUR, GENRE_POLITIQUE, ID_POLITIQUE, REFUS},
    freins::Freins,
    jetons::{self, Trousseau},
    politique, store,
};

const ESSAIS: usize = 4;
/// Longer than any secret given.
const SECRET_MAX: usize = 512;
/// Age at which the keys are read again before signing: a key withdrawn stops signing.
const AGE_CLES: Duration = Duration::from_secs(60);
/// Least age at which an unknown key makes them read again.
const AGE_CLE_INCONNUE: Duration = Duration::from_secs(5);

struct Cles {
    trousseau: Arc<Trousseau>,
    lues: Instant,
}

/// The service over its store and its keys.
pub struct Service {
    magasin: Magasin,
    cles: RwLock<Cles>,
    freins: Freins,
}

impl Service {
    /// Opens the service; the first one makes the signing key.
    pub async fn ouvrir(magasin: Magasin) -> Resultat<Self> {
        store::assurer_cle(magasin.pool(), jetons::nouvelle_cle).await?;
        let cles = lire_cles(&magasin).await?;
        Ok(Self { magasin, cles: RwLock::new(cles), freins: Freins::default() })
    }

    /// Installs the default policy when there is none.
    pub async fn poser_politique_par_defaut(&self) -> Resultat<()> {
        let p = politique::par_defaut()?;
        let r = self
            .ecrire(ID_POLITIQUE, GENRE_POLITIQUE, |courant| match courant {
                Some(_) => Decision::Rien,
                None => poser(politique::etat(&p, None)),
            })
            .await?;
        match r.issue() {
            Issue::Cree => tracing::info!(version = p.nom_version, "default access policy installed"),
            Issue::Refuse => return Err(Erreur::Regle(r.fautes)),
            _ => {}
        }
        Ok(())
    }

    /// One write outside the leases.
    async fn ecrire(
        &self,
        id: &str,
        genre: &'static str,
        mut decider: impl FnMut(Option<&Ligne>) -> Decision + Send,
    ) -> Resultat<ResultatEcriture> {
        let resultats = self
            .magasin
            .ecrire(&provenance(), None, &[demande(id, genre)], |_, courant| decider(courant))
            .await?;
        resultats.into_iter().next().ok_or_else(|| Erreur::interne("write without result"))
    }

    fn trousseau(&self) -> Arc<Trousseau> {
        self.cles.read().trousseau.clone()
    }

    async fn relire_cles(&self) -> Resultat<()> {
        let neuves = lire_cles(&self.magasin).await?;
        *self.cles.write() = neuves;
        Ok(())
    }

    fn cles_plus_vieilles(&self, age: Duration) -> bool {
        self.cles.read().lues.elapsed() > age
    }

    async fn chercher(&self, client_id: &str) -> Resultat<Option<Consumer>> {
        let ligne = self.magasin.lire_lot(&[client_id.to_owned()]).await?.pop();
        ligne.filter(|l| l.genre == GENRE_CONSOMMATEUR).map(|l| domaine::consommateur(&l)).transpose()
    }

    async fn trouver(&self, client_id: &str) -> Resultat<Consumer> {
        self.chercher(client_id)
            .await?
            .ok_or_else(|| Erreur::Introuvable(format!("consommateur {client_id} inconnu")))
    }

    /// The consumer and the fingerprint of its secret stand or fall together.
    async fn creer(&self, c: Consumer) -> Resultat<CreateConsumerResponse> {
        let c = domaine::normaliser(c);
        let fautes = domaine::valider(&c);
        if !fautes.is_empty() {
            return Err(Erreur::Invalide(fautes));
        }
        let secret = domaine::a_un_secret(&c).then(domaine::nouveau_secret).unwrap_or_default();
        let id = c.client_id.clone();
        let demandes = [demande(&id, GENRE_CONSOMMATEUR)];
        let etat = domaine::etat(Ressource::Consumer(c));
        for _ in 0..ESSAIS {
            let mut pris = false;
            let mut decider = |_: usize, courant: Option<&Ligne>| {
                if courant.is_some() {
                    pris = true;
                    return Decision::Rien;
                }
                poser(etat.clone())
            };
            let mut tx = self.magasin.pool().begin().await?;
            match self.magasin.ecrire_dans(&mut tx, &provenance(), None, &demandes, &mut decider).await? {
                Some((_, true)) => {
                    if !secret.is_empty() {
                        store::poser_empreinte(&mut tx, &id, &domaine::empreinte(&secret)).await?;
                    }
                    tx.commit().await?;
                    self.magasin.reveil().notify_one();
                    tracing::info!(client_id = id, "consumer registered");
                    return Ok(CreateConsumerResponse {
                        consumer: Some(self.trouver(&id).await?),
                        client_secret: secret,
                    });
                }
                Some((resultats, false)) => {
                    tx.rollback().await?;
                    if pris {
                        return Err(Erreur::Existe(format!("le client_id {id} est déjà pris")));
                    }
                    return Err(Erreur::Regle(resultats.into_iter().flat_map(|r| r.fautes).collect()));
                }
                None => tx.rollback().await?,
            }
        }
        Err(Erreur::Conflit("écritures simultanées sur le même consommateur : recommencez".into()))
    }

    async fn revoquer(&self, client_id: &str) -> Resultat<Consumer> {
        self.trouver(client_id).await?;
        let r = self
            .ecrire(client_id, GENRE_CONSOMMATEUR, |courant| match courant.map(domaine::consommateur) {
                Some(Ok(c)) if !c.actif => Decision::Rien,
                Some(Ok(mut c)) => {
                    c.actif = false;
                    poser(domaine::etat(Ressource::Consumer(c)))
                }
                Some(Err(_)) | None => Decision::Refuser(vec![faute(
                    "client_id",
                    "introuvable",
                    "Le consommateur ne peut pas être lu.",
                    "un consommateur existant",
                )]),
            })
            .await?;
        match r.issue() {
            Issue::Refuse => return Err(Erreur::Regle(r.fautes)),
            Issue::Modifie => tracing::info!(client_id, "consumer revoked"),
            _ => {}
        }
        self.trouver(client_id).await
    }

    async fn emettre(&self, r: IssueTokenRequest) -> Resultat<IssueTokenResponse> {
        let refus = || Erreur::NonAuthentifie(REFUS.to_owned());
        if !domaine::est_client_id(&r.client_id) {
            return Err(refus());
        }
        if !self.freins.permet(&r.client_id, Instant::now()) {
            return Err(Erreur::Epuise("trop d'échecs pour ce client : recommencez dans une minute".into()));
        }
        // Both are read whether the client exists or not: the answer takes the same time.
        let client = self.chercher(&r.client_id).await?;
        let garde = store::empreinte(self.magasin.pool(), &r.client_id).await?;
        let secret = if r.client_secret.len() <= SECRET_MAX { r.client_secret.as_str() } else { "" };
        let admis = domaine::admis(client.as_ref(), garde.as_deref(), secret, &r.certificat_sha256);
        let Some(client) = client.filter(|_| admis) else {
            if self.freins.echec(&r.client_id, Instant::now()) {
                tracing::warn!(client_id = r.client_id, "client blocked after repeated failures");
            }
            return Err(refus());
        };
        self.freins.succes(&r.client_id);
        if self.cles_plus_vieilles(AGE_CLES) {
            self.relire_cles().await?;
        }
        let maintenant = jetons::maintenant();
        let dit = jetons::revendications(&client, maintenant);
        Ok(IssueTokenResponse {
            access_token: self.trousseau().signer(&dit)?,
            expires_in: jetons::VIE,
            scope: dit.scope,
        })
    }

    async fn controler(&self, jeton: &str) -> Resultat<CheckTokenResponse> {
        if !self.trousseau().connait(jeton) && self.cles_plus_vieilles(AGE_CLE_INCONNUE) {
            self.relire_cles().await?;
        }
        let Some(dit) = self.trousseau().verifier(jeton) else { return Ok(CheckTokenResponse::default()) };
        if !self.chercher(&dit.sub).await?.is_some_and(|c| c.actif) {
            return Ok(CheckTokenResponse::default());
        }
        Ok(CheckTokenResponse {
            actif: true,
            client_id: dit.sub,
            scope: dit.scope,
            expiration: Some(prost_types::Timestamp { seconds: dit.exp, nanos: 0 }),
        })
    }

    async fn installer(&self, p: Policy) -> Resultat<ResultatEcriture> {
        let p = politique::normaliser(p);
        let fautes = politique::valider(&p);
        if !fautes.is_empty() {
            return Ok(refuse(ID_POLITIQUE, 0, fautes));
        }
        let r =
            self.ecrire(ID_POLITIQUE, GENRE_POLITIQUE, |courant| poser(politique::etat(&p, courant))).await?;
        tracing::info!(version = p.nom_version, rules = p.regles.len(), "access policy installed");
        Ok(r)
    }
}

async fn lire_cles(magasin: &Magasin) -> Resultat<Cles> {
    let gardees = store::cles(magasin.pool()).await?;
    Ok(Cles { trousseau: Arc::new(Trousseau::nouveau(&gardees)?), lues: Instant::now() })
}

fn provenance() -> Provenance {
    Provenance { canal: Canal::Referentiel as i32, auteur: "access".to_owned(), ..Default::default() }
}

fn demande(id: &str, genre: &'static str) -> Demande {
    Demande { id: id.to_owned(), genre, version_attendue: 0, recu: Bytes::new() }
}

fn poser(etat: Bytes) -> Decision {
    Decision::Ecrire { region: String::new(), etat, identifiants: None }
}

#[tonic::async_trait]
impl AccessService for Service {
    type SnapshotAccessStream = BoxStream<'static, Result<SnapshotAccessResponse, Status>>;

    async fn create_consumer(
        &self,
        requete: Request<CreateConsumerRequest>,
    ) -> Result<Response<CreateConsumerResponse>, Status> {
        let c = requete.into_inner().consumer.ok_or_else(|| {
            Erreur::faute("consumer", "obligatoire", "Le consommateur manque.", "un consommateur")
        })?;
        Ok(Response::new(self.creer(c).await?))
    }

    async fn get_consumer(
        &self,
        requete: Request<GetConsumerRequest>,
    ) -> Result<Response<GetConsumerResponse>, Status> {
        let consumer = self.trouver(&requete.into_inner().client_id).await?;
        Ok(Response::new(GetConsumerResponse { consumer: Some(consumer) }))
    }

    async fn batch_get_consumers(
        &self,
        requete: Request<BatchGetConsumersRequest>,
    ) -> Result<Response<BatchGetConsumersResponse>, Status> {
        let lignes = self.magasin.lire_lot(&requete.into_inner().client_ids).await?;
        let consumers = lignes
            .iter()
            .filter(|l| l.genre == GENRE_CONSOMMATEUR)
            .map(domaine::consommateur)
            .collect::<Resultat<Vec<_>>>()?;
        Ok(Response::new(BatchGetConsumersResponse { consumers }))
    }

    async fn list_consumers(
        &self,
        requete: Request<ListConsumersRequest>,
    ) -> Result<Response<ListConsumersResponse>, Status> {
        let r = requete.into_inner();
        let (lignes, next_page_token) =
            self.magasin.lister(GENRE_CONSOMMATEUR, "", "", r.page_size, &r.page_token).await?;
        let consumers = lignes.iter().map(domaine::consommateur).collect::<Resultat<Vec<_>>>()?;
        Ok(Response::new(ListConsumersResponse { consumers, next_page_token }))
    }

    async fn revoke_consumer(
        &self,
        requete: Request<RevokeConsumerRequest>,
    ) -> Result<Response<RevokeConsumerResponse>, Status> {
        let consumer = self.revoquer(&requete.into_inner().client_id).await?;
        Ok(Response::new(RevokeConsumerResponse { consumer: Some(consumer) }))
    }

    async fn issue_token(
        &self,
        requete: Request<IssueTokenRequest>,
    ) -> Result<Response<IssueTokenResponse>, Status> {
        Ok(Response::new(self.emettre(requete.into_inner()).await?))
    }

    async fn check_token(
        &self,
        requete: Request<CheckTokenRequest>,
    ) -> Result<Response<CheckTokenResponse>, Status> {
        Ok(Response::new(self.controler(&requete.into_inner().access_token).await?))
    }

    async fn get_keys(&self, _requete: Request<GetKeysRequest>) -> Result<Response<GetKeysResponse>, Status> {
        self.relire_cles().await?;
        Ok(Response::new(GetKeysResponse {
            jwks: self.trousseau().jwks(),
            emetteur: jetons::EMETTEUR.to_owned(),
        }))
    }

    async fn snapshot_access(
        &self,
        _requete: Request<SnapshotAccessRequest>,
    ) -> Result<Response<Self::SnapshotAccessStream>, Status> {
        let flux = self
            .magasin
            .instantane(String::new())
            .map(|m| m.map(|i| SnapshotAccessResponse { instantane: Some(i) }))
            .boxed();
        Ok(Response::new(flux))
    }

    async fn install_policy(
        &self,
        requete: Request<InstallPolicyRequest>,
    ) -> Result<Response<InstallPolicyResponse>, Status> {
        let p = requete
            .into_inner()
            .policy
            .ok_or_else(|| Erreur::faute("policy", "obligatoire", "La politique manque.", "une politique"))?;
        let resultat = self.installer(p).await?;
        Ok(Response::new(InstallPolicyResponse { resultat: Some(resultat) }))
    }
}
