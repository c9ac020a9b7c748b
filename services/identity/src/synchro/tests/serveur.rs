//! A small HTTP server that answers what a test says.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use futures::{StreamExt, stream};
use reqwest::Url;
use ror_chassis::{
    reglages::{FormatJournal, ReglagesJournal},
    telemetrie::{self, Garde},
};

/// What HTTP clients need of the process.
pub(crate) fn preparer() {
    static GARDE: OnceLock<Garde> = OnceLock::new();
    GARDE.get_or_init(|| {
        let reglages = ReglagesJournal { format: FormatJournal::Texte, filtre: "error".into(), otlp: None };
        telemetrie::installer(&reglages, "identity").unwrap()
    });
}

/// A request that was received.
pub(crate) struct Requete {
    /// Path and query.
    pub(crate) uri: String,
    /// Headers.
    pub(crate) entetes: HeaderMap,
    /// How many times this URI was asked, this one included.
    pub(crate) fois: usize,
}

impl Requete {
    /// An absolute URL of this server.
    pub(crate) fn lien(&self, chemin: &str) -> String {
        format!("http://{}{chemin}", self.entetes["host"].to_str().unwrap())
    }
}

/// A server of this process.
pub(crate) struct Serveur {
    adresse: String,
    vues: Arc<Mutex<Vec<String>>>,
}

impl Serveur {
    /// Listens on a free port until the test ends.
    pub(crate) async fn lancer(repondre: impl Fn(&Requete) -> Response + Send + Sync + 'static) -> Self {
        preparer();
        let ecoute = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let adresse = format!("http://{}", ecoute.local_addr().unwrap());
        let vues = Arc::new(Mutex::new(Vec::new()));
        let (partagees, repondre) = (vues.clone(), Arc::new(repondre));
        let routes = Router::new().fallback(move |uri: Uri, entetes: HeaderMap| {
            let (vues, repondre) = (partagees.clone(), repondre.clone());
            async move {
                let uri = uri.to_string();
                let fois = noter(&vues, &uri);
                repondre(&Requete { uri, entetes, fois })
            }
        });
        tokio::spawn(async move { axum::serve(ecoute, routes).await.unwrap() });
        Self { adresse, vues }
    }

    /// A URL of this server.
    pub(crate) fn url(&self, chemin: &str) -> Url {
        Url::parse(&format!("{}{chemin}", self.adresse)).unwrap()
    }

    /// What was asked, in order, and forgets it.
    pub(crate) fn vues(&self) -> Vec<String> {
        std::mem::take(&mut *self.vues.lock().unwrap())
    }
}

fn noter(vues: &Mutex<Vec<String>>, uri: &str) -> usize {
    let mut vues = vues.lock().unwrap();
    vues.push(uri.to_owned());
    vues.iter().filter(|vue| *vue == uri).count()
}

/// A status without a body.
pub(crate) fn statut(code: u16) -> Response {
    StatusCode::from_u16(code).unwrap().into_response()
}

/// A body that breaks off once these bytes are sent.
pub(crate) fn coupee(octets: &[u8]) -> Response {
    let debut = stream::iter([Ok(Bytes::copy_from_slice(octets))]);
    let rupture = stream::once(async {
        // The beginning leaves first.
        tokio::time::sleep(Duration::from_millis(50)).await;
        Err(io::Error::other("coupure"))
    });
    Body::from_stream(debut.chain(rupture)).into_response()
}
