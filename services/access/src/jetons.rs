//! Tokens: ES256 JWTs of five minutes, bound to the certificate when there is one.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as B64};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use p256::{
    SecretKey,
    elliptic_curve::{rand_core::OsRng, sec1::ToEncodedPoint},
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};
use ror_chassis::{Erreur, Resultat};
use ror_proto::access::v1::Consumer;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{domaine::portee, store::CleGardee};

/// Issuer of the tokens.
pub const EMETTEUR: &str = "ror-national";
/// Audience of the tokens.
pub const PUBLIC: &str = "ror";
/// Life of a token, in seconds.
pub const VIE: u32 = 300;
/// A clock of the mesh may be this much late, in seconds.
const ECART_HORLOGES: i64 = 5;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revendications {
    /// Issuer.
    pub iss: String,
    /// Subject: the client_id.
    pub sub: String,
    /// Client.
    pub client_id: String,
    /// Audience.
    pub aud: String,
    /// Instant of issue.
    pub iat: i64,
    /// Not before.
    pub nbf: i64,
    /// Expiry.
    pub exp: i64,
    /// Token id.
    pub jti: String,
    /// Scopes.
    pub scope: String,
    /// Access profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profil: Option<u32>,
    /// Certificate the token is bound to (RFC 8705).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The certificate a token is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// SHA-256 of the certificate, base64url.
    #[serde(rename = "x5t#S256")]
    pub x5t_s256: String,
}

/// Now, in Unix seconds.
pub fn maintenant() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// What a consumer's token says at this instant (Unix seconds).
pub fn revendications(c: &Consumer, maintenant: i64) -> Revendications {
    Revendications {
        iss: EMETTEUR.to_owned(),
        sub: c.client_id.clone(),
        client_id: c.client_id.clone(),
        aud: PUBLIC.to_owned(),
        iat: maintenant,
        nbf: maintenant - ECART_HORLOGES,
        exp: maintenant + i64::from(VIE),
        jti: Uuid::new_v4().to_string(),
        scope: portee(c),
        profil: c.profil,
        cnf: octets_hex(&c.certificat_sha256).map(|o| Confirmation { x5t_s256: B64.encode(o) }),
    }
}

fn octets_hex(hex: &str) -> Option<Vec<u8>> {
    if hex.is_empty() || !hex.is_ascii() || !hex.len().is_multiple_of(2) {
        return None;
    }
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()).collect()
}

struct ClePublique {
    x: String,
    y: String,
    verification: DecodingKey,
}

/// The keys in force.
pub struct Trousseau {
    kid: String,
    signature: EncodingKey,
    publiques: HashMap<String, ClePublique>,
    /// Order of the JWK set.
    ordre: Vec<String>,
}

impl Trousseau {
    /// From the keys of the store, the signing one first.
    pub fn nouveau(cles: &[CleGardee]) -> Resultat<Self> {
        let signe = cles
            .iter()
            .find(|c| !c.retiree)
            .ok_or_else(|| Erreur::Indisponible("aucune clé de signature : redémarrez le service".into()))?;
        let signature = EncodingKey::from_ec_pem(signe.pem.as_bytes()).map_err(interne)?;
        let mut publiques = HashMap::with_capacity(cles.len());
        for c in cles {
            let cle = SecretKey::from_pkcs8_pem(&c.pem).map_err(interne)?;
            let (x, y) = coordonnees(&cle);
            let verification = DecodingKey::from_ec_components(&x, &y).map_err(interne)?;
            publiques.insert(c.kid.clone(), ClePublique { x, y, verification });
        }
        Ok(Self {
            kid: signe.kid.clone(),
            signature,
            publiques,
            ordre: cles.iter().map(|c| c.kid.clone()).collect(),
        })
    }

    /// Signs a token.
    pub fn signer(&self, r: &Revendications) -> Resultat<String> {
        let mut entete = Header::new(Algorithm::ES256);
        entete.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&entete, r, &self.signature).map_err(interne)
    }

    /// What a token says, when it is ours, whole and in time.
    pub fn verifier(&self, jeton: &str) -> Option<Revendications> {
        let cle = self.publiques.get(&kid(jeton)?)?;
        let mut v = Validation::new(Algorithm::ES256);
        v.leeway = 0;
        v.validate_nbf = true;
        v.set_audience(&[PUBLIC]);
        v.set_issuer(&[EMETTEUR]);
        v.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        jsonwebtoken::decode::<Revendications>(jeton, &cle.verification, &v).ok().map(|d| d.claims)
    }

    /// Whether the key that signed this token is here; true when the token names none.
    pub fn connait(&self, jeton: &str) -> bool {
        kid(jeton).is_none_or(|k| self.publiques.contains_key(&k))
    }

    /// The public keys, as a JWK set.
    pub fn jwks(&self) -> String {
        let cles: Vec<serde_json::Value> = self
            .ordre
            .iter()
            .filter_map(|kid| self.publiques.get(kid).map(|c| (kid, c)))
            .map(|(kid, c)| {
                serde_json::json!({
                    "kty": "EC", "crv": "P-256", "x": c.x, "y": c.y, "kid": kid, "alg": "ES256", "use": "sig",
                })
            })
            .collect();
        serde_json::json!({ "keys": cles }).to_string()
    }
}

fn kid(jeton: &str) -> Option<String> {
    jsonwebtoken::decode_header(jeton).ok()?.kid
}

/// A new signing key, named by its RFC 7638 thumbprint.
pub fn nouvelle_cle() -> Resultat<CleGardee> {
    let cle = SecretKey::random(&mut OsRng);
    let (x, y) = coordonnees(&cle);
    let canonique = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = B64.encode(&Sha256::digest(canonique.as_bytes())[..]);
    let pem = cle.to_pkcs8_pem(LineEnding::LF).map_err(interne)?;
    Ok(CleGardee { kid, pem: pem.as_str().to_owned(), retiree: false })
}

/// Coordinates of the public point, base64url.
fn coordonnees(cle: &SecretKey) -> (String, String) {
    // Uncompressed SEC 1: one byte of form, then x and y of 32 bytes.
    let point = cle.public_key().to_encoded_point(false);
    let octets = point.as_bytes();
    let partie = |de: usize| octets.get(de..de + 32).map(|o| B64.encode(o)).unwrap_or_default();
    (partie(1), partie(33))
}

/// The cause is told by its text alone: these libraries never put the key in it.
fn interne(e: impl std::fmt::Display) -> Erreur {
    Erreur::interne(e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consommateur(certificat: &str) -> Consumer {
        Consumer {
            client_id: "editeur-1".into(),
            profil: Some(2),
            certificat_sha256: certificat.into(),
            ..Default::default()
        }
    }

    #[test]
    fn a_token_is_signed_checked_and_bound() {
        let t = Trousseau::nouveau(&[nouvelle_cle().unwrap()]).unwrap();
        let r = revendications(&consommateur(&"ab".repeat(32)), maintenant());
        let jeton = t.signer(&r).unwrap();
        let lues = t.verifier(&jeton).unwrap();
        assert_eq!(lues, r);
        assert_eq!((lues.scope.as_str(), lues.exp - lues.iat), ("ror.read.p2", 300));
        assert_eq!(lues.cnf.map(|c| c.x5t_s256), Some(B64.encode([0xab_u8; 32])));
        assert_eq!(revendications(&consommateur(""), 0).cnf, None);
    }

    #[test]
    fn expired_foreign_or_altered_tokens_are_refused() {
        let t = Trousseau::nouveau(&[nouvelle_cle().unwrap()]).unwrap();
        let autre = Trousseau::nouveau(&[nouvelle_cle().unwrap()]).unwrap();
        let c = consommateur("");
        assert_eq!(t.verifier(&t.signer(&revendications(&c, maintenant() - 400)).unwrap()), None);
        assert_eq!(t.verifier(&t.signer(&revendications(&c, maintenant() + 400)).unwrap()), None);
        let etranger = autre.signer(&revendications(&c, maintenant())).unwrap();
        assert_eq!(t.verifier(&etranger), None);
        assert!(!t.connait(&etranger) && t.connait("x.y.z"));
        let mut ailleurs = revendications(&c, maintenant());
        ailleurs.iss = "ailleurs".into();
        assert_eq!(t.verifier(&t.signer(&ailleurs).unwrap()), None);
        let jeton = t.signer(&revendications(&c, maintenant())).unwrap();
        let autre_jeton = t.signer(&revendications(&c, maintenant() - 1)).unwrap();
        let mut parties: Vec<&str> = jeton.split('.').collect();
        parties[1] = autre_jeton.split('.').nth(1).unwrap();
        assert_eq!(t.verifier(&parties.join(".")), None);
        assert_eq!(t.verifier(""), None);
    }

    #[test]
    fn a_withdrawn_key_verifies_and_no_longer_signs() {
        let ancienne = nouvelle_cle().unwrap();
        let avant = Trousseau::nouveau(std::slice::from_ref(&ancienne)).unwrap();
        let jeton = avant.signer(&revendications(&consommateur(""), maintenant())).unwrap();
        let apres =
            Trousseau::nouveau(&[nouvelle_cle().unwrap(), CleGardee { retiree: true, ..ancienne }]).unwrap();
        assert!(apres.verifier(&jeton).is_some());
        assert_ne!(avant.kid, apres.kid);
        assert!(Trousseau::nouveau(&[]).is_err());
    }

    #[test]
    fn the_key_set_is_public_only() {
        let t = Trousseau::nouveau(&[nouvelle_cle().unwrap()]).unwrap();
        let jwks: serde_json::Value = serde_json::from_str(&t.jwks()).unwrap();
        let cle = &jwks["keys"][0];
        assert_eq!(
            (cle["kty"].as_str(), cle["crv"].as_str(), cle["alg"].as_str()),
            (Some("EC"), Some("P-256"), Some("ES256"))
        );
        assert_eq!(cle["kid"].as_str(), Some(t.kid.as_str()));
        assert_eq!(B64.decode(cle["x"].as_str().unwrap()).unwrap().len(), 32);
        assert!(cle.get("d").is_none());
    }

    #[test]
    fn hexadecimal_is_read_whole_or_not_at_all() {
        assert_eq!(octets_hex("00fF"), Some(vec![0, 255]));
        assert_eq!(
            (octets_hex(""), octets_hex("0"), octets_hex("zz"), octets_hex("é")),
            (None, None, None, None)
        );
    }
}
