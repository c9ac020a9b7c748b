//! Listening: plain or TLS, bounded connections, header deadline, graceful drain.
//! With TLS a client may show a certificate; the token endpoint binds tokens to it.

use std::{path::Path, sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use ror_chassis::{Erreur, Resultat};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, util::MapResponse};

use super::{Connexion, lot::ParLots};
use crate::reglages::TlsPublic;

/// Connections at once; more wait to be accepted.
const CONNEXIONS: usize = 4096;
const POIGNEE_DE_MAIN: Duration = Duration::from_secs(10);
const ENTETES: Duration = Duration::from_secs(15);
const VIDANGE: Duration = Duration::from_secs(15);

/// Reads the certificates of the façade.
pub fn configurer_tls(t: &TlsPublic) -> Resultat<TlsAcceptor> {
    let fichier = |quoi: &str, c: &Path| {
        Erreur::Indisponible(format!("{quoi} {} illisible : vérifiez le fichier PEM", c.display()))
    };
    let certificats = |c: &Path| -> Result<Vec<CertificateDer<'static>>, ()> {
        CertificateDer::pem_file_iter(c).map_err(|_| ())?.collect::<Result<Vec<_>, _>>().map_err(|_| ())
    };
    let chaine = certificats(&t.cert).map_err(|()| fichier("certificat", &t.cert))?;
    let cle = PrivateKeyDer::from_pem_file(&t.cle).map_err(|_| fichier("clé", &t.cle))?;
    let mut racines = RootCertStore::empty();
    for c in certificats(&t.ca_clients).map_err(|()| fichier("autorité des clients", &t.ca_clients))? {
        racines.add(c).map_err(|e| Erreur::Indisponible(format!("autorité des clients refusée : {e}")))?;
    }
    let verificateur = WebPkiClientVerifier::builder(Arc::new(racines))
        .allow_unauthenticated()
        .build()
        .map_err(|e| Erreur::Indisponible(format!("autorité des clients refusée : {e}")))?;
    let mut config = ServerConfig::builder()
        .with_client_cert_verifier(verificateur)
        .with_single_cert(chaine, cle)
        .map_err(|e| Erreur::Indisponible(format!("certificat et clé ne vont pas ensemble : {e}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves until `arret`, then lets requests under way end.
pub async fn servir(ecoute: TcpListener, routes: Router, tls: Option<TlsAcceptor>, arret: CancellationToken) {
    let places = Arc::new(tokio::sync::Semaphore::new(CONNEXIONS));
    let vidange = GracefulShutdown::new();
    let mut constructeur = auto::Builder::new(TokioExecutor::new());
    // Writes gather pieces, in clear and in TLS; flushing a pipeline at once would copy them.
    constructeur.http1().timer(TokioTimer::new()).header_read_timeout(ENTETES).keep_alive(true);
    constructeur
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .keep_alive_interval(Duration::from_secs(30));
    loop {
        let place = tokio::select! {
            p = places.clone().acquire_owned() => p,
            () = arret.cancelled() => break,
        };
        let flux = tokio::select! {
            f = ecoute.accept() => f,
            () = arret.cancelled() => break,
        };
        let flux = match flux {
            Ok((f, _)) => f,
            Err(e) => {
                // Out of descriptors or a connection reset: the next accept may go through.
                tracing::warn!(error = %e, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        let _ = flux.set_nodelay(true);
        let (routes, tls, constructeur) = (routes.clone(), tls.clone(), constructeur.clone());
        let garde = vidange.watcher();
        tokio::spawn(async move {
            let _place = place;
            match tls {
                None => {
                    let service = decrite(routes, Connexion::default());
                    let _ = garde
                        .watch(constructeur.serve_connection(TokioIo::new(flux), service).into_owned())
                        .await;
                }
                Some(tls) => {
                    let Some((flux, certificat)) = poignee_de_main(&tls, flux).await else { return };
                    let service = decrite(routes, Connexion { tls: true, certificat });
                    let _ = garde
                        .watch(constructeur.serve_connection(TokioIo::new(flux), service).into_owned())
                        .await;
                }
            }
        });
    }
    drop(ecoute);
    let _ = tokio::time::timeout(VIDANGE, vidange.shutdown()).await;
}

async fn poignee_de_main(
    tls: &TlsAcceptor,
    flux: TcpStream,
) -> Option<(tokio_rustls::server::TlsStream<TcpStream>, Option<String>)> {
    let flux = tokio::time::timeout(POIGNEE_DE_MAIN, tls.accept(flux)).await.ok()?.ok()?;
    let cert = flux
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|c| c.first())
        .map(|c| Sha256::digest(c.as_ref()).iter().map(|o| format!("{o:02x}")).collect());
    Some((flux, cert))
}

type Service = TowerToHyperService<
    tower::util::BoxCloneSyncService<
        http::Request<hyper::body::Incoming>,
        http::Response<ParLots>,
        std::convert::Infallible,
    >,
>;

fn decrite(routes: Router, connexion: Connexion) -> Service {
    let service = routes.map_request(move |mut r: http::Request<hyper::body::Incoming>| {
        r.extensions_mut().insert(connexion.clone());
        r.map(axum::body::Body::new)
    });
    let par_lots = MapResponse::new(service, |r: axum::response::Response| r.map(ParLots::de));
    TowerToHyperService::new(tower::util::BoxCloneSyncService::new(par_lots))
}
