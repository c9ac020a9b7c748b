//! The bare HTTP reply: a hyper server that does nothing, on threads of its own, asked
//! by the same client. `GET /n` answers n bytes.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context, Result};
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Largest reply.
const TAILLE_MAX: usize = 64 * 1024 * 1024;

/// The server; it stops when dropped.
pub struct Plancher {
    /// Where it listens.
    pub adresse: SocketAddr,
    execution: Option<tokio::runtime::Runtime>,
}

impl Plancher {
    /// Starts it on a free port.
    pub fn demarrer() -> Result<Self> {
        let execution = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("no threads for the bare HTTP server")?;
        let ecoute = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        ecoute.set_nonblocking(true)?;
        let adresse = ecoute.local_addr()?;
        let garde = execution.enter();
        let ecoute = TcpListener::from_std(ecoute)?;
        drop(garde);
        execution.spawn(servir(ecoute));
        Ok(Self { adresse, execution: Some(execution) })
    }
}

impl Drop for Plancher {
    fn drop(&mut self) {
        if let Some(e) = self.execution.take() {
            e.shutdown_background();
        }
    }
}

async fn servir(ecoute: TcpListener) {
    // Zeroed pages cost nothing until they are read.
    let octets = Bytes::from(vec![0; TAILLE_MAX]);
    while let Ok((flux, _)) = ecoute.accept().await {
        let _ = flux.set_nodelay(true);
        let octets = octets.clone();
        tokio::spawn(async move {
            let service = service_fn(move |r: Request<Incoming>| {
                let n = r.uri().path().trim_start_matches('/').parse().unwrap_or(0);
                let corps = octets.slice(..usize::min(n, TAILLE_MAX));
                async move { Ok::<_, Infallible>(Response::new(Full::new(corps))) }
            });
            let _ = http1::Builder::new().serve_connection(TokioIo::new(flux), service).await;
        });
    }
}
