//! gRPC server: trace, deadline, bounded concurrency, panics answered, health,
//! reflection, optional mutual TLS, graceful drain.

use std::{net::SocketAddr, time::Duration};

use futures::{Stream, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::{
    service::Routes,
    transport::{Certificate, Identity, Server, ServerTlsConfig},
};
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};

use crate::{Erreur, Resultat, reglages::FichiersTls, telemetrie::rattacher};

/// Longest a unary call may last.
pub const DELAI: Duration = Duration::from_secs(30);
/// Longest the drain waits for calls under way.
pub const VIDANGE: Duration = Duration::from_secs(20);
/// Largest message accepted.
pub const MESSAGE_MAX: usize = 32 * 1024 * 1024;

/// Largest frame accepted: an edition comes by hundreds of megabytes, and each frame wakes both
/// ends.
const TRAME_MAX: u32 = 256 * 1024;
/// Bytes that may be on their way in one call, then in all those of a connection.
const FENETRES: (u32, u32) = (4 * 1024 * 1024, 8 * 1024 * 1024);

/// Serves until `arret`, then lets calls under way end within [`VIDANGE`].
pub async fn servir(
    ecoute: TcpListener,
    mut routes: Routes,
    tls: Option<&FichiersTls>,
    arret: CancellationToken,
) -> Resultat<()> {
    let (_, sante) = tonic_health::server::health_reporter();
    let reflexion = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(ror_proto::DESCRIPTEURS)
        .build_v1()
        .map_err(|e| Erreur::Interne(Box::new(e)))?;
    routes = routes.add_service(sante).add_service(reflexion);
    let mut serveur = Server::builder();
    if let Some(t) = tls {
        let lire = |c: &std::path::Path| {
            std::fs::read(c)
                .map_err(|e| Erreur::Indisponible(format!("fichier TLS {} illisible : {e}", c.display())))
        };
        let config = ServerTlsConfig::new()
            .identity(Identity::from_pem(lire(&t.cert)?, lire(&t.cle)?))
            .client_ca_root(Certificate::from_pem(lire(&t.ca)?));
        serveur = serveur.tls_config(config).map_err(|e| Erreur::Indisponible(format!("TLS : {e}")))?;
    }
    let trace = TraceLayer::new_for_grpc().make_span_with(|requete: &http::Request<_>| {
        let span = tracing::info_span!("grpc", path = requete.uri().path());
        rattacher(&span, requete.headers());
        span
    });
    let fin = arret.clone();
    let service = serveur
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .max_frame_size(TRAME_MAX)
        .initial_stream_window_size(FENETRES.0)
        .initial_connection_window_size(FENETRES.1)
        .concurrency_limit_per_connection(512)
        .timeout(DELAI)
        .layer(trace.on_failure(()).on_request(()).on_response(()))
        .layer(CatchPanicLayer::new())
        .add_routes(routes)
        .serve_with_incoming_shutdown(connexions(ecoute), async move { fin.cancelled().await });
    tokio::pin!(service);
    tokio::select! {
        r = &mut service => r.map_err(|e| Erreur::Interne(Box::new(e))),
        () = async { arret.cancelled().await; tokio::time::sleep(VIDANGE).await } => Ok(()),
    }
}

/// Accepted connections, small answers sent at once: without it each waits for the
/// caller's delayed acknowledgement, 40 ms.
fn connexions(ecoute: TcpListener) -> impl Stream<Item = std::io::Result<TcpStream>> {
    TcpListenerStream::new(ecoute).inspect(|c| {
        if let Ok(c) = c {
            let _ = c.set_nodelay(true);
        }
    })
}

/// Binds, or says in one sentence why not.
pub async fn ecouter(adresse: SocketAddr, quoi: &str) -> Resultat<TcpListener> {
    TcpListener::bind(adresse).await.map_err(|e| {
        Erreur::Indisponible(if e.kind() == std::io::ErrorKind::AddrInUse {
            format!(
                "le port {} ({quoi}) est déjà pris : arrêtez l'autre programme ou choisissez un autre port",
                adresse.port()
            )
        } else {
            format!("impossible d'écouter sur {adresse} ({quoi}) : {e}")
        })
    })
}
