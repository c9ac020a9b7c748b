//! gRPC client channels: lazy, with deadlines, the trace context carried along.

use std::time::Duration;

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
    let mut point = Endpoint::from_shared(url.to_owned())
        .map_err(|e| Erreur::Indisponible(format!("adresse gRPC {url} illisible : {e}")))?
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(15))
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_while_idle(true)
        .tcp_nodelay(true);
    if let Some(t) = tls {
        let lire = |c: &std::path::Path| {
            std::fs::read(c)
                .map_err(|e| Erreur::Indisponible(format!("fichier TLS {} illisible : {e}", c.display())))
        };
        point = point
            .tls_config(
                ClientTlsConfig::new()
                    .ca_certificate(Certificate::from_pem(lire(&t.ca)?))
                    .identity(Identity::from_pem(lire(&t.cert)?, lire(&t.cle)?)),
            )
            .map_err(|e| Erreur::Indisponible(format!("TLS : {e}")))?;
    }
    Ok(InterceptedService::new(point.connect_lazy(), Propagation))
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
