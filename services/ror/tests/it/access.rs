//! Access: consumers, tokens, their verification by others, and the brake on guessing.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use ror_proto::access::v1::{
    CheckTokenRequest, CheckTokenResponse, Consumer, CreateConsumerRequest, CreateConsumerResponse,
    GetConsumerRequest, GetKeysRequest, InstallPolicyRequest, IssueTokenRequest, IssueTokenResponse, Policy,
    RevokeConsumerRequest,
};
use ror_proto::common::v1::Issue;
use serde_json::Value;
use tonic::{Code, Status};

use crate::{
    gabarits::{fautes, regles},
    harnais::{Banc, Options, compter},
};

const CERTIFICAT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn consommateur(client_id: &str, profil: Option<u32>, certificat: &str) -> Consumer {
    Consumer {
        client_id: client_id.into(),
        nom: "Éditeur".into(),
        profil,
        ecriture_capacite: profil.is_none(),
        certificat_sha256: certificat.into(),
        ..Default::default()
    }
}

async fn creer(banc: &Banc, c: Consumer) -> Result<CreateConsumerResponse, Status> {
    let d = CreateConsumerRequest { consumer: Some(c) };
    Ok(banc.access().create_consumer(d).await?.into_inner())
}

async fn jeton(
    banc: &Banc,
    client_id: &str,
    secret: &str,
    certificat: &str,
) -> Result<IssueTokenResponse, Status> {
    let d = IssueTokenRequest {
        client_id: client_id.into(),
        client_secret: secret.into(),
        certificat_sha256: certificat.into(),
    };
    Ok(banc.access().issue_token(d).await?.into_inner())
}

async fn controler(banc: &Banc, access_token: &str) -> CheckTokenResponse {
    let d = CheckTokenRequest { access_token: access_token.into() };
    banc.access().check_token(d).await.unwrap().into_inner()
}

/// What a token says, verified by the public keys alone as a gateway does.
async fn verifie(banc: &Banc, jeton: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let cles = banc.access().get_keys(GetKeysRequest {}).await.unwrap().into_inner();
    let jeu: JwkSet = serde_json::from_str(&cles.jwks).unwrap();
    let kid = jsonwebtoken::decode_header(jeton)?.kid.expect("a key id");
    let cle = DecodingKey::from_jwk(jeu.find(&kid).expect("its key is published"))?;
    let mut v = Validation::new(Algorithm::ES256);
    v.set_audience(&["ror"]);
    v.set_issuer(&[cles.emetteur]);
    v.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    Ok(jsonwebtoken::decode::<Value>(jeton, &cle, &v)?.claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_given_for_a_secret_or_a_certificate_and_verified_by_the_published_keys() {
    let banc = Banc::demarrer(&["access"]).await;
    let base = banc.base("access").await;
    let cree = creer(&banc, consommateur("editeur-0", Some(0), "")).await.unwrap();
    let secret = cree.client_secret;
    assert!(secret.len() >= 43, "256 bits");
    let r = jeton(&banc, "editeur-0", &secret, "").await.unwrap();
    assert_eq!((r.scope.as_str(), r.expires_in), ("ror.read.p0", 300));
    let dit = verifie(&banc, &r.access_token).await.unwrap();
    assert_eq!(
        (dit["sub"].as_str(), dit["scope"].as_str(), dit["profil"].as_u64()),
        (Some("editeur-0"), Some("ror.read.p0"), Some(0))
    );
    assert_eq!(dit["exp"].as_i64().unwrap() - dit["iat"].as_i64().unwrap(), 300);
    assert!(dit.get("cnf").is_none());
    let c = controler(&banc, &r.access_token).await;
    assert!(c.actif && c.client_id == "editeur-0" && c.scope == r.scope && c.expiration.is_some());

    let cree = creer(&banc, consommateur("editeur-3", Some(3), &CERTIFICAT.to_uppercase())).await.unwrap();
    assert_eq!(cree.client_secret, "", "a certificate needs no secret");
    let lie = jeton(&banc, "editeur-3", "", CERTIFICAT).await.unwrap();
    assert_eq!(lie.scope, "ror.read.p3");
    let dit = verifie(&banc, &lie.access_token).await.unwrap();
    assert!(
        dit["cnf"]["x5t#S256"].as_str().is_some_and(|e| e.len() == 43),
        "bound to the certificate: {dit}"
    );
    let cree = creer(&banc, consommateur("flux-capacite", None, "")).await.unwrap();
    let r2 = jeton(&banc, "flux-capacite", &cree.client_secret, "").await.unwrap();
    assert_eq!(r2.scope, "ror.capacity.write");

    // Altered, or signed by another key, it is worth nothing.
    let mut altere = r.access_token.clone();
    let milieu = altere.len() / 2;
    let remplace = if &altere[milieu..=milieu] == "A" { "B" } else { "A" };
    altere.replace_range(milieu..=milieu, remplace);
    assert!(verifie(&banc, &altere).await.is_err());
    for faux in [altere.as_str(), "", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJlZGl0ZXVyLTAifQ."] {
        assert!(!controler(&banc, faux).await.actif, "{faux}");
    }
    // The secret lies nowhere as it is.
    for table in [
        "select count(*) from agregat where position($1::bytea in etat) > 0",
        "select count(*) from outbox_event where position($1::bytea in charge) > 0",
        "select count(*) from secret where position($1::bytea in empreinte) > 0",
    ] {
        let n: i64 = sqlx::query_scalar(table).bind(secret.as_bytes()).fetch_one(&base).await.unwrap();
        assert_eq!(n, 0, "{table}");
    }
    // The keys outlive the process.
    banc.tuer("access").await;
    banc.allumer("access").await;
    assert!(controler(&banc, &r.access_token).await.actif);
    assert!(
        verifie(&banc, &jeton(&banc, "editeur-0", &secret, "").await.unwrap().access_token).await.is_ok()
    );
    assert_eq!(compter(&base, "select count(*) from secret").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_of_a_credential_is_the_same_and_guessing_is_slowed_down() {
    let banc = Banc::demarrer(&["access"]).await;
    let secret = creer(&banc, consommateur("editeur-0", Some(0), "")).await.unwrap().client_secret;
    let autre = creer(&banc, consommateur("editeur-1", Some(0), "")).await.unwrap().client_secret;
    creer(&banc, consommateur("editeur-3", Some(3), CERTIFICAT)).await.unwrap();
    let long = "x".repeat(100_000);
    let mut refus = Vec::new();
    for (client, secret, certificat) in [
        ("editeur-0", "faux", ""),
        ("editeur-0", "", ""),
        ("editeur-0", autre.as_str(), ""),
        ("editeur-0", "", CERTIFICAT),
        ("editeur-0", long.as_str(), ""),
        ("inconnu", secret.as_str(), ""),
        ("pas un client_id", secret.as_str(), ""),
        ("", "", ""),
        ("editeur-3", secret.as_str(), ""),
        ("editeur-3", "", &CERTIFICAT.replace('a', "b")),
        ("editeur-3", "", ""),
    ] {
        let e = jeton(&banc, client, secret, certificat).await.unwrap_err();
        refus.push((e.code(), e.message().to_owned(), e.details().to_vec()));
    }
    assert_eq!(refus[0].0, Code::Unauthenticated);
    assert!(refus.windows(2).all(|r| r[0] == r[1]), "nothing tells one reason from another: {refus:?}");
    // A success forgets: ten failures in a row are needed.
    jeton(&banc, "editeur-0", &secret, "").await.unwrap();
    for n in 0..10 {
        let e = jeton(&banc, "editeur-0", "faux", "").await.unwrap_err();
        assert_eq!(e.code(), Code::Unauthenticated, "failure {n}");
    }
    let e = jeton(&banc, "editeur-0", &secret, "").await.unwrap_err();
    assert_eq!(e.code(), Code::ResourceExhausted, "even the right secret waits");
    jeton(&banc, "editeur-1", &autre, "").await.expect("another client does not");
    // An unknown client is slowed down alike.
    for _ in 0..9 {
        let _ = jeton(&banc, "inconnu", "faux", "").await;
    }
    let e = jeton(&banc, "inconnu", "faux", "").await.unwrap_err();
    assert_eq!(e.code(), Code::ResourceExhausted, "it cannot be told from a known one by the brake");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_consumer_is_out_at_once_and_for_good() {
    let banc = Banc::demarrer_avec(Options { durable: true, communes: false }, &["access"]).await;
    let base = banc.base("access").await;
    let secret = creer(&banc, consommateur("editeur-0", Some(0), "")).await.unwrap().client_secret;
    let pris = creer(&banc, consommateur("editeur-0", Some(0), "")).await.unwrap_err();
    assert_eq!(pris.code(), Code::AlreadyExists);
    let e = creer(&banc, consommateur("a b", Some(9), "zz")).await.unwrap_err();
    assert_eq!(e.code(), Code::InvalidArgument);
    assert_eq!(fautes(e).len(), 3, "every fault at once");
    let avant = jeton(&banc, "editeur-0", &secret, "").await.unwrap().access_token;
    let inconnu = jeton(&banc, "jamais-vu", &secret, "").await.unwrap_err();
    let revoquer = async |id: &str| {
        let d = RevokeConsumerRequest { client_id: id.into() };
        banc.access().revoke_consumer(d).await.map(|r| r.into_inner().consumer.unwrap())
    };
    assert_eq!(revoquer("jamais-vu").await.unwrap_err().code(), Code::NotFound);
    assert!(!revoquer("editeur-0").await.unwrap().actif);
    let c = controler(&banc, &avant).await;
    assert_eq!(c, CheckTokenResponse::default(), "nothing is told of it");
    assert!(
        verifie(&banc, &avant).await.is_ok(),
        "the signature alone does not tell: gateways follow the events"
    );
    let e = jeton(&banc, "editeur-0", &secret, "").await.unwrap_err();
    assert_eq!((e.code(), e.message()), (inconnu.code(), inconnu.message()));
    // Again: nothing more is written.
    let evenements = compter(&base, "select count(*) from outbox_event").await;
    assert!(!revoquer("editeur-0").await.unwrap().actif);
    assert_eq!(compter(&base, "select count(*) from outbox_event").await, evenements);
    banc.attendre_publie(&base).await;
    let dernier = banc.deposes("access").await.pop().unwrap().evenement;
    assert_eq!((dernier.agregat_id.as_str(), dernier.version, dernier.retire), ("editeur-0", 2, false));
    banc.tuer("access").await;
    banc.allumer("access").await;
    assert!(!controler(&banc, &avant).await.actif);
    let d = GetConsumerRequest { client_id: "editeur-0".into() };
    let c = banc.access().get_consumer(d).await.unwrap().into_inner().consumer.unwrap();
    assert!(!c.actif && c.meta.unwrap().version == 2);
    // The policy is there from the first start, and a wrong one does not replace it.
    assert_eq!(
        compter(&base, "select count(*) from agregat where id = 'politique' and version = 1").await,
        1
    );
    let d = InstallPolicyRequest { policy: Some(Policy::default()) };
    let r = banc.access().install_policy(d).await.unwrap().into_inner().resultat.unwrap();
    assert_eq!(r.issue(), Issue::Refuse);
    assert!(!regles(&r).is_empty());
    assert_eq!(
        compter(&base, "select count(*) from agregat where id = 'politique' and version = 1").await,
        1
    );
}
