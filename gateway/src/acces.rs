//! Who calls: tokens verified here with the public keys of `access`, consumers and
//! policy followed by events. No call on the read path.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use parking_lot::{Mutex, RwLock};
use prost::Message;
use ror_chassis::{Erreur, Resultat, client::Canal};
use ror_proto::{
    access::v1::{Access, Consumer, GetKeysRequest, access, access_service_client::AccessServiceClient},
    common::v1::Evenement,
};
use serde::Deserialize;

use crate::fhir::politique::{Politique, politique_par_defaut};

/// Tokens remembered as verified.
const JETONS_MAX: usize = 5_000;
/// Least time between two fetches of the keys.
const CLES_DELAI: Duration = Duration::from_secs(2);

/// A verified caller.
#[derive(Clone, Debug)]
pub struct Appelant {
    /// client_id.
    pub client_id: String,
    /// Profile; none for a supplier that only writes.
    pub profil: Option<u8>,
    /// May write capacities.
    pub ecriture_capacite: bool,
    expiration: u64,
    certificat: Option<String>,
}

#[derive(Deserialize)]
struct Revendications {
    client_id: Option<String>,
    sub: Option<String>,
    exp: u64,
    #[serde(default)]
    scope: String,
    cnf: Option<Confirmation>,
}

#[derive(Deserialize)]
struct Confirmation {
    #[serde(rename = "x5t#S256")]
    x5t: Option<String>,
}

/// Tokens, consumers, policy.
pub struct Acces {
    canal: Canal,
    cles: RwLock<HashMap<String, DecodingKey>>,
    emetteur: RwLock<String>,
    derniere_recherche: Mutex<Option<Instant>>,
    verifies: RwLock<HashMap<Box<str>, Arc<Appelant>, foldhash::quality::RandomState>>,
    consommateurs: RwLock<HashMap<String, Arc<Consumer>>>,
    politique: AtomicBool,
    /// Whether a bound token needs its certificate at each call.
    exiger: bool,
}

impl Acces {
    /// Nothing known yet; `exiger` asks the certificate of a bound token at each call.
    pub fn nouveau(canal: Canal, exiger: bool) -> Self {
        Self {
            canal,
            cles: RwLock::default(),
            emetteur: RwLock::default(),
            derniere_recherche: Mutex::default(),
            verifies: RwLock::default(),
            consommateurs: RwLock::default(),
            politique: AtomicBool::new(false),
            exiger,
        }
    }

    /// The policy before any is known: nobody sees anything.
    pub fn politique_fermee(&self) -> Arc<Politique> {
        use crate::fhir::politique::Bloc;
        let mut tsv = String::from("bloc\tprofil\tcondition\n");
        for b in Bloc::TOUS {
            for p in 0..6 {
                tsv.push_str(&format!("{}\t{p}\tjamais\n", b.nom()));
            }
        }
        let fermee = politique_par_defaut(&tsv).and_then(|p| Politique::compiler(&p));
        // The text above covers every block and profile.
        Arc::new(fermee.unwrap_or_else(|e| unreachable!("closed policy: {e:?}")))
    }

    /// Whether a policy came.
    pub fn a_une_politique(&self) -> bool {
        self.politique.load(Ordering::Acquire)
    }

    /// Applies an event of `access`; a policy is handed to the model.
    pub fn appliquer(&self, e: &Evenement) -> Resultat<Option<Arc<Politique>>> {
        match Access::decode(e.etat.clone())?.ressource {
            Some(access::Ressource::Consumer(c)) => {
                if !c.actif || e.retire {
                    self.verifies.write().retain(|_, a| a.client_id != c.client_id);
                }
                self.consommateurs.write().insert(c.client_id.clone(), Arc::new(c));
                Ok(None)
            }
            Some(access::Ressource::Policy(p)) => match Politique::compiler(&p) {
                Ok(p) => {
                    self.politique.store(true, Ordering::Release);
                    Ok(Some(Arc::new(p)))
                }
                Err(fautes) => {
                    tracing::error!(faults = fautes.len(), "access policy refused, the former one stays");
                    Ok(None)
                }
            },
            None => Ok(None),
        }
    }

    /// The consumer registered under a client_id.
    pub fn consommateur(&self, client_id: &str) -> Option<Arc<Consumer>> {
        self.consommateurs.read().get(client_id).cloned()
    }

    /// Verifies a bearer token; `certificat` is the SHA-256 (hex) the transport saw.
    pub async fn verifier(&self, jeton: &str, certificat: Option<&str>) -> Resultat<Arc<Appelant>> {
        let connu = self.verifies.read().get(jeton).cloned();
        let appelant = match connu {
            Some(a) => a,
            None => self.verifier_neuf(jeton).await?,
        };
        if appelant.expiration <= maintenant() {
            return Err(refus("Le jeton a expiré : demandez-en un autre."));
        }
        match self.consommateur(&appelant.client_id) {
            Some(c) if c.actif => {}
            _ => return Err(refus("L'application n'est pas ou plus habilitée.")),
        }
        lier(appelant.certificat.as_deref(), certificat, self.exiger)?;
        Ok(appelant)
    }

    async fn verifier_neuf(&self, jeton: &str) -> Resultat<Arc<Appelant>> {
        if jeton.len() > 8192 {
            return Err(refus("Le jeton est illisible."));
        }
        let entete = decode_header(jeton).map_err(|_| refus("Le jeton est illisible."))?;
        let kid = entete.kid.unwrap_or_default();
        let cle = match self.cle(&kid) {
            Some(c) => c,
            None => {
                self.chercher_cles().await?;
                self.cle(&kid).ok_or_else(|| refus("Le jeton est signé d'une clé inconnue."))?
            }
        };
        let mut v = Validation::new(Algorithm::ES256);
        v.leeway = 0;
        v.set_audience(&["ror"]);
        v.set_issuer(&[self.emetteur.read().clone()]);
        let r = decode::<Revendications>(jeton, &cle, &v)
            .map_err(|e| match e.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => {
                    refus("Le jeton a expiré : demandez-en un autre.")
                }
                _ => refus("Le jeton n'est pas valide."),
            })?
            .claims;
        let profil = r
            .scope
            .split(' ')
            .find_map(|s| s.strip_prefix("ror.read.p"))
            .and_then(|p| p.parse().ok())
            .filter(|p| *p <= 5);
        let appelant = Arc::new(Appelant {
            client_id: r.client_id.or(r.sub).unwrap_or_default(),
            profil,
            ecriture_capacite: r.scope.split(' ').any(|s| s == "ror.capacity.write"),
            expiration: r.exp,
            certificat: r.cnf.and_then(|c| c.x5t).and_then(|x| hexadecimal(&x)),
        });
        let mut verifies = self.verifies.write();
        if verifies.len() >= JETONS_MAX {
            let t = maintenant();
            verifies.retain(|_, a| a.expiration > t);
            if verifies.len() >= JETONS_MAX {
                verifies.clear();
            }
        }
        verifies.insert(jeton.into(), appelant.clone());
        Ok(appelant)
    }

    fn cle(&self, kid: &str) -> Option<DecodingKey> {
        self.cles.read().get(kid).cloned()
    }

    async fn chercher_cles(&self) -> Resultat<()> {
        {
            let mut derniere = self.derniere_recherche.lock();
            if derniere.is_some_and(|d| d.elapsed() < CLES_DELAI) && !self.cles.read().is_empty() {
                return Ok(());
            }
            *derniere = Some(Instant::now());
        }
        let r = AccessServiceClient::new(self.canal.clone()).get_keys(GetKeysRequest {}).await?.into_inner();
        let jeu: JwkSet = serde_json::from_str(&r.jwks).map_err(|e| Erreur::Interne(Box::new(e)))?;
        let mut cles = HashMap::new();
        for k in &jeu.keys {
            if let (Some(kid), Ok(cle)) = (k.common.key_id.clone(), DecodingKey::from_jwk(k)) {
                cles.insert(kid, cle);
            }
        }
        *self.emetteur.write() = r.emetteur;
        *self.cles.write() = cles;
        Ok(())
    }
}

/// RFC 8705: the certificate that the transport shows is that of the token; where it shows none, a proxy may have it.
fn lier(lie: Option<&str>, vu: Option<&str>, exiger: bool) -> Resultat<()> {
    match (lie, vu) {
        (Some(lie), Some(vu)) if lie != vu => {
            Err(refus("Le certificat présenté n'est pas celui auquel le jeton est lié."))
        }
        (Some(_), None) if exiger => Err(refus(
            "Le jeton est lié à un certificat, qui n'est pas présenté. Attendu : l'appel en TLS avec ce certificat.",
        )),
        _ => Ok(()),
    }
}

fn refus(message: &str) -> Erreur {
    Erreur::NonAuthentifie(message.to_owned())
}

fn maintenant() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// base64url to hexadecimal.
fn hexadecimal(x5t: &str) -> Option<String> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    Some(URL_SAFE_NO_PAD.decode(x5t).ok()?.iter().map(|o| format!("{o:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_token_goes_with_its_certificate() {
        for exiger in [false, true] {
            assert!(lier(Some("a"), Some("a"), exiger).is_ok());
            assert!(lier(Some("a"), Some("b"), exiger).is_err());
            assert!(lier(None, Some("b"), exiger).is_ok() && lier(None, None, exiger).is_ok());
            assert_eq!(lier(Some("a"), None, exiger).is_err(), exiger);
        }
    }
}
