//! Listening: plain or TLS, bounded connections, which their peers use or lose, graceful drain.
//! With TLS a client may show a certificate; the token endpoint binds tokens to it.

mod veille;

use std::{convert::Infallible, path::Path, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use ror_chassis::{Erreur, Resultat};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service as _;

use self::veille::{Flux, Presence, Sort, Veille, Veillee};
use super::{Connexion, lot::ParLots};
use crate::reglages::{Delais, TlsPublic};

/// Connections at once; more wait to be accepted.
const CONNEXIONS: usize = 4096;
const POIGNEE_DE_MAIN: Duration = Duration::from_secs(10);
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

/// How connections are served.
#[derive(Clone)]
struct Service {
    routes: Router,
    constructeur: auto::Builder<TokioExecutor>,
    delais: Delais,
    arret: CancellationToken,
}

/// Serves until `arret`, then lets requests under way end.
pub async fn servir(
    ecoute: TcpListener,
    routes: Router,
    tls: Option<TlsAcceptor>,
    delais: Delais,
    arret: CancellationToken,
) {
    let places = Arc::new(tokio::sync::Semaphore::new(CONNEXIONS));
    let connexions = TaskTracker::new();
    let mut constructeur = auto::Builder::new(TokioExecutor::new());
    // Writes gather pieces, in clear and in TLS; flushing a pipeline at once would copy them.
    constructeur.http1().timer(TokioTimer::new()).header_read_timeout(delais.inactive).keep_alive(true);
    constructeur
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(256)
        .keep_alive_interval(Duration::from_secs(30));
    let service = Service { routes, constructeur, delais, arret };
    loop {
        let place = tokio::select! {
            p = places.clone().acquire_owned() => p,
            () = service.arret.cancelled() => break,
        };
        let flux = tokio::select! {
            f = ecoute.accept() => f,
            () = service.arret.cancelled() => break,
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
        let veille = Arc::new(Veille::default());
        let flux = Flux::nouveau(flux, veille.clone());
        let (service, tls) = (service.clone(), tls.clone());
        connexions.spawn(async move {
            let _place = place;
            match tls {
                None => service.mener(flux, Connexion::default(), veille).await,
                Some(tls) => {
                    let Some((flux, certificat)) = poignee_de_main(&tls, flux).await else { return };
                    service.mener(flux, Connexion { tls: true, certificat }, veille).await;
                }
            }
        });
    }
    drop(ecoute);
    connexions.close();
    let _ = tokio::time::timeout(VIDANGE, connexions.wait()).await;
}

impl Service {
    /// One connection, until its peer leaves, or is left.
    async fn mener<F>(self, flux: F, connexion: Connexion, veille: Arc<Veille>)
    where
        F: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { routes, constructeur, delais, arret } = self;
        let veillee = veille.clone();
        let repondre = service_fn(move |mut r: http::Request<Incoming>| {
            r.extensions_mut().insert(connexion.clone());
            let presence = Presence::nouvelle(&veillee);
            let reponse = routes.clone().call(r);
            async move {
                let reponse = reponse.await?;
                Ok::<_, Infallible>(reponse.map(|c| Veillee::nouvelle(ParLots::de(c), presence)))
            }
        });
        let conduite = constructeur.serve_connection(TokioIo::new(flux), repondre).into_owned();
        let mut conduite = pin!(conduite);
        let mut finir = false;
        loop {
            let sort = tokio::select! {
                _ = conduite.as_mut() => return,
                () = arret.cancelled(), if !finir => None,
                sort = veille.fin(&delais) => Some(sort),
            };
            if sort == Some(Sort::Bloquee) || (sort.is_some() && finir) {
                return;
            }
            // What is under way goes on, and nothing comes after it.
            conduite.as_mut().graceful_shutdown();
            finir = true;
        }
    }
}

async fn poignee_de_main(
    tls: &TlsAcceptor,
    flux: Flux,
) -> Option<(tokio_rustls::server::TlsStream<Flux>, Option<String>)> {
    let flux = tokio::time::timeout(POIGNEE_DE_MAIN, tls.accept(flux)).await.ok()?.ok()?;
    let cert = flux
        .get_ref()
        .1
        .peer_certificates()
        .and_then(|c| c.first())
        .map(|c| Sha256::digest(c.as_ref()).iter().map(|o| format!("{o:02x}")).collect());
    Some((flux, cert))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use bytes::Bytes;
    use futures::{StreamExt as _, stream};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpStream,
        sync::mpsc,
        time::timeout,
    };

    use super::*;

    const COURT: Duration = Duration::from_millis(300);
    const LONG: Duration = Duration::from_secs(60);

    /// A client of these routes, not yet connected to anything but the socket.
    async fn client(routes: Router, delais: Delais) -> TcpStream {
        let ecoute = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let adresse = ecoute.local_addr().unwrap();
        tokio::spawn(servir(ecoute, routes, None, delais, CancellationToken::new()));
        TcpStream::connect(adresse).await.unwrap()
    }

    async fn fermee(c: &mut TcpStream) -> Vec<u8> {
        let mut lus = Vec::new();
        let _ = timeout(LONG, c.read_to_end(&mut lus)).await.expect("the connection is left open");
        lus
    }

    fn demande(chemin: &str) -> Vec<u8> {
        format!("GET {chemin} HTTP/1.1\r\nhost: a\r\n\r\n").into_bytes()
    }

    #[tokio::test]
    async fn who_asks_nothing_does_not_keep_a_place() {
        let delais = Delais { inactive: COURT, ecriture: LONG };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice();
        for debut in [b"".as_slice(), b"PRI * HT", preface, b"GET / HT"] {
            let mut c = client(Router::new(), delais).await;
            c.write_all(debut).await.unwrap();
            fermee(&mut c).await;
        }
        let mut c = client(Router::new().route("/", get(|| async { "ici" })), delais).await;
        c.write_all(&demande("/")).await.unwrap();
        assert!(fermee(&mut c).await.ends_with(b"ici"), "answered, then left");
    }

    #[tokio::test]
    async fn who_reads_nothing_does_not_keep_an_answer() {
        let (vivant, mut mort) = mpsc::channel::<()>(1);
        let grand = get(move || {
            let vivant = vivant.clone();
            async move {
                Body::from_stream(stream::repeat(Bytes::from(vec![b'x'; 64 * 1024])).map(move |o| {
                    let _tenu = &vivant;
                    Ok::<_, Infallible>(o)
                }))
            }
        });
        let delais = Delais { inactive: LONG, ecriture: COURT };
        let ecoute = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let adresse = ecoute.local_addr().unwrap();
        let arret = CancellationToken::new();
        let sert = servir(ecoute, Router::new().route("/", grand), None, delais, arret.clone());
        let sert = tokio::spawn(sert);
        let mut c = TcpStream::connect(adresse).await.unwrap();
        c.write_all(&demande("/")).await.unwrap();
        // It is being answered, and asks no more of it.
        c.read_u8().await.unwrap();
        arret.cancel();
        timeout(LONG, sert).await.expect("the server waits for its reader").unwrap();
        assert_eq!(timeout(LONG, mort.recv()).await.expect("the answer is kept"), None);
    }

    #[tokio::test]
    async fn who_waits_for_us_is_waited_for() {
        let lent = get(|| async {
            let suite = stream::iter(["un", "deux"]).then(|m| async move {
                tokio::time::sleep(3 * COURT).await;
                Ok::<_, Infallible>(m)
            });
            Body::from_stream(suite)
        });
        let mut c = client(Router::new().route("/", lent), Delais { inactive: COURT, ecriture: COURT }).await;
        c.write_all(&demande("/")).await.unwrap();
        let lus = String::from_utf8(fermee(&mut c).await).unwrap();
        assert!(lus.contains("un") && lus.contains("deux"), "{lus}");
    }
}
