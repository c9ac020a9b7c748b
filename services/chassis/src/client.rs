//! gRPC client channels: lazy, with deadlines, the trace context carried along.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use http::Uri;
use tonic::{
    Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use crate::{
    Erreur, Resultat,
    reglages::{FichiersTls, Reglages},
    telemetrie::traceparent_courant,
};

/// Longest time to find an address, and to be connected.
const CONNEXION: Duration = Duration::from_secs(3);

/// A channel to one service.
pub type Canal = InterceptedService<Channel, Propagation>;

/// Adds the trace context to each call.
#[derive(Clone, Copy)]
pub struct Propagation;

impl Interceptor for Propagation {
    fn call(&mut self, mut requete: Request<()>) -> Result<Request<()>, Status> {
        if let Some(t) = traceparent_courant().and_then(|t| MetadataValue::try_from(t).ok()) {
            requete.metadata_mut().insert("traceparent", t);
        }
        Ok(requete)
    }
}

/// A channel to `url`; connects at the first call and again after a loss.
pub fn canal(url: &str, tls: Option<&FichiersTls>) -> Resultat<Canal> {
    point(url, tls, None).map(ouvrir)
}

/// A channel to each address that the name in `url` has now: one a replica, behind a name that has them all.
pub async fn repliques(url: &str, tls: Option<&FichiersTls>) -> Resultat<Vec<(SocketAddr, Canal)>> {
    let (schema, nom, port) = adresse(url)?;
    let adresses = tokio::time::timeout(CONNEXION, tokio::net::lookup_host((nom.as_str(), port)));
    let adresses = adresses.await.map_err(|_| Erreur::Indisponible(format!("{nom} sans réponse")))?;
    let adresses = adresses.map_err(|e| Erreur::Indisponible(format!("{nom} introuvable : {e}")))?;
    // A certificate names the service, not the address of a replica.
    let vers = |a: SocketAddr| Ok((a, ouvrir(point(&format!("{schema}://{a}"), tls, Some(&nom))?)));
    adresses.collect::<BTreeSet<_>>().into_iter().map(vers).collect()
}

/// Scheme, host and port of a URL that says all three.
pub fn adresse(url: &str) -> Resultat<(String, String, u16)> {
    let uri: Uri = url.parse().map_err(|e| illisible(url, &e))?;
    match (uri.scheme_str(), uri.host(), uri.port_u16()) {
        (Some(schema @ ("http" | "https")), Some(hote), Some(port)) => {
            // An IPv6 address is in brackets.
            Ok((schema.to_owned(), hote.trim_matches(['[', ']']).to_owned(), port))
        }
        _ => Err(illisible(url, &"schéma, hôte et port attendus")),
    }
}

fn illisible(url: &str, e: &dyn std::fmt::Display) -> Erreur {
    Erreur::Indisponible(format!("adresse gRPC {url} illisible : {e}"))
}

fn ouvrir(point: Endpoint) -> Canal {
    InterceptedService::new(point.connect_lazy(), Propagation)
}

fn point(url: &str, tls: Option<&FichiersTls>, nom: Option<&str>) -> Resultat<Endpoint> {
    let mut point = Endpoint::from_shared(url.to_owned())
        .map_err(|e| illisible(url, &e))?
        .connect_timeout(CONNEXION)
        .timeout(Duration::from_secs(15))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    if let Some(t) = tls {
        let lire = |c: &std::path::Path| {
            std::fs::read(c)
                .map_err(|e| Erreur::Indisponible(format!("fichier TLS {} illisible : {e}", c.display())))
        };
        let mut config = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(lire(&t.ca)?))
            .identity(Identity::from_pem(lire(&t.cert)?, lire(&t.cle)?));
        if let Some(nom) = nom {
            config = config.domain_name(nom);
        }
        point = point.tls_config(config).map_err(|e| Erreur::Indisponible(format!("TLS : {e}")))?;
    }
    Ok(point)
}

/// A channel to a service named in the settings.
pub fn vers(reglages: &Reglages, service: &str) -> Resultat<Canal> {
    let url = reglages.amont.get(service).ok_or_else(|| {
        Erreur::Indisponible(format!(
            "l'adresse du service {service} manque : donnez upstream.{service} (ROR_UPSTREAM__{})",
            service.to_uppercase()
        ))
    })?;
    canal(url, reglages.tls.as_ref())
}
