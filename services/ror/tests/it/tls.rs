//! Mutual TLS between services: both ends show a certificate of the mesh's authority.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ror_chassis::{
    client::{canal, repliques},
    processus,
    reglages::FichiersTls,
};
use ror_proto::access::v1::{GetKeysRequest, access_service_client::AccessServiceClient};
use tokio_util::sync::CancellationToken;

use crate::harnais::Banc;

/// An authority and one certificate of it, as PEM files.
fn fichiers(dossier: &Path, nom: &str) -> FichiersTls {
    let ca_cle = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(vec![]).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = ca.self_signed(&ca_cle).unwrap().pem();
    let emetteur = Issuer::new(ca, ca_cle);
    let cle = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let cert = cert.signed_by(&cle, &emetteur).unwrap().pem();
    let ecrire = |suffixe: &str, texte: &str| {
        let chemin = dossier.join(format!("{nom}-{suffixe}.pem"));
        std::fs::write(&chemin, texte).unwrap();
        chemin
    };
    FichiersTls {
        cert: ecrire("cert", &cert),
        cle: ecrire("cle", &cle.serialize_pem()),
        ca: ecrire("ca", &ca_pem),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_without_a_certificate_of_the_mesh_is_not_answered() {
    let banc = Banc::demarrer(&[]).await;
    let dossier = tempfile::tempdir().unwrap();
    let maillage = fichiers(dossier.path(), "maillage");
    let etranger = fichiers(dossier.path(), "etranger");
    let mut reglages = banc.reglages("access");
    reglages.tls = Some(maillage.clone());
    let arret = CancellationToken::new();
    let service = processus::demarrer(ror_access::DEFINITION, reglages, arret.clone()).await.unwrap();
    let (clair, chiffre) =
        (format!("http://{}", service.grpc), format!("https://localhost:{}", service.grpc.port()));
    let appel = |url: String, tls: Option<FichiersTls>| async move {
        AccessServiceClient::new(canal(&url, tls.as_ref()).unwrap()).get_keys(GetKeysRequest {}).await
    };
    let cles = appel(chiffre.clone(), Some(maillage.clone())).await.unwrap().into_inner();
    assert!(cles.jwks.contains("keys"));
    // By its address, under its name; one of ::1 and 127.0.0.1 may have nobody.
    let mut atteintes = 0;
    for (_, canal) in repliques(&chiffre, Some(&maillage)).await.unwrap() {
        let cles = AccessServiceClient::new(canal).get_keys(GetKeysRequest {}).await;
        atteintes += usize::from(cles.is_ok());
    }
    assert_eq!(atteintes, 1);
    let par_adresse = repliques(&chiffre.replace("localhost", "127.0.0.1"), Some(&maillage)).await.unwrap();
    for (_, canal) in par_adresse {
        let cles = AccessServiceClient::new(canal).get_keys(GetKeysRequest {}).await;
        assert!(cles.is_err(), "the certificate does not name that address");
    }
    assert!(repliques("localhost:50051", None).await.is_err(), "no scheme");
    assert!(appel(clair, None).await.is_err(), "in clear");
    assert!(appel(chiffre.clone(), Some(etranger.clone())).await.is_err(), "another authority, both ways");
    // Trusts the mesh, but shows a stranger's certificate.
    let intrus = FichiersTls { ca: maillage.ca.clone(), ..etranger };
    assert!(appel(chiffre, Some(intrus)).await.is_err(), "a stranger's certificate");
    arret.cancel();
    service.attendre().await;
}
