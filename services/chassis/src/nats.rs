//! Connection to NATS JetStream and the stream of each service.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{self, stream};

use crate::{Erreur, Resultat};

/// Name of the stream that carries the events of a service.
pub fn flux(service: &str) -> String {
    format!("ROR_{}", service.to_uppercase())
}

/// Subject of a kind of aggregate.
pub fn sujet(service: &str, genre: &str) -> String {
    format!("ror.{service}.v1.{genre}")
}

/// How long JetStream drops an event id it has seen.
pub const FENETRE_DOUBLONS: Duration = Duration::from_secs(15 * 60);
/// How long events stay; an older follower starts again from a snapshot.
const CONSERVATION: Duration = Duration::from_secs(7 * 24 * 3600);

/// JetStream, shared by the parts of a process.
#[derive(Clone)]
pub struct Jet {
    /// The client.
    pub client: async_nats::Client,
    /// The JetStream context.
    pub contexte: Arc<jetstream::Context>,
    replicas: usize,
}

impl Jet {
    /// Connects; waits up to 20 s for a broker that starts at the same time.
    pub async fn connecter(url: &str, nom: &str, replicas: usize) -> Resultat<Self> {
        let fin = tokio::time::Instant::now() + Duration::from_secs(20);
        loop {
            let options = async_nats::ConnectOptions::new()
                .name(nom)
                .request_timeout(Some(Duration::from_secs(10)))
                .reconnect_delay_callback(|essai| Duration::from_millis((25u64 << essai.min(7)).min(2_000)));
            match options.connect(url).await {
                Ok(client) => {
                    let mut contexte = jetstream::new(client.clone());
                    contexte.set_timeout(Duration::from_secs(5));
                    return Ok(Self { client, contexte: Arc::new(contexte), replicas });
                }
                Err(e) if tokio::time::Instant::now() >= fin => {
                    return Err(Erreur::Indisponible(format!(
                        "NATS ne répond pas à {} ({}) : démarrez-le ou corrigez nats.url (ROR_NATS__URL)",
                        sans_secret(url),
                        e.kind()
                    )));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    }

    /// The stream of a service, created when missing.
    pub async fn flux(&self, service: &str) -> Resultat<stream::Stream> {
        self.contexte
            .get_or_create_stream(stream::Config {
                name: flux(service),
                subjects: vec![format!("ror.{service}.v1.>")],
                storage: stream::StorageType::File,
                num_replicas: self.replicas,
                duplicate_window: FENETRE_DOUBLONS,
                max_age: CONSERVATION,
                ..Default::default()
            })
            .await
            .map_err(|e| Erreur::Indisponible(format!("JetStream : {e}")))
    }
}

/// A URL without its user and password, for messages and logs.
pub fn sans_secret(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(d), Some(a)) if a > d => format!("{}{}", &url[..d + 3], &url[a + 1..]),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn urls_are_told_without_their_secret() {
        assert_eq!(super::sans_secret("postgres://u:p@h:5/b"), "postgres://h:5/b");
        assert_eq!(super::sans_secret("nats://h:4222"), "nats://h:4222");
    }
}
