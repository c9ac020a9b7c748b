//! Settings of the gateway, beside those every service has.

use std::{net::SocketAddr, path::PathBuf};

use ror_chassis::reglages::{Lecteur, Reglages};

/// TLS of the façade.
#[derive(Clone, Debug)]
pub struct TlsPublic {
    /// Listening address.
    pub adresse: SocketAddr,
    /// PEM certificate chain.
    pub cert: PathBuf,
    /// PEM private key.
    pub cle: PathBuf,
    /// PEM authority of client certificates.
    pub ca_clients: PathBuf,
}

/// All settings of the gateway.
#[derive(Clone, Debug)]
pub struct ReglagesPasserelle {
    /// Common ones.
    pub commun: Reglages,
    /// Plain HTTP address.
    pub http: SocketAddr,
    /// TLS, when given.
    pub tls: Option<TlsPublic>,
    /// Base URL put in links, without a final slash; that of the request when absent.
    pub url_publique: Option<String>,
    /// Profile that the home page searches with; none closes its search.
    pub profil_accueil: Option<u8>,
    /// Seconds after which answers are marked stale.
    pub retard_max_s: f64,
    /// Megabytes of rendered resources kept.
    pub rendues_mo: u64,
}

impl ReglagesPasserelle {
    /// Reads everything from the layered settings.
    pub fn lire(l: &mut Lecteur) -> Self {
        let commun = Reglages::lire(l, "gateway", false);
        let http = l.ou("http.addr", SocketAddr::from(([0, 0, 0, 0], 8080)));
        let adresse = l.ou("http.tls_addr", SocketAddr::from(([0, 0, 0, 0], 8443)));
        let (cert, cle, ca) = (
            l.option::<PathBuf>("http.tls_cert"),
            l.option::<PathBuf>("http.tls_key"),
            l.option::<PathBuf>("http.client_ca"),
        );
        let tls = match (cert, cle, ca) {
            (None, None, None) => None,
            (Some(cert), Some(cle), Some(ca_clients)) => Some(TlsPublic { adresse, cert, cle, ca_clients }),
            _ => {
                l.faute(
                    "http.tls_cert, http.tls_key et http.client_ca vont ensemble : donnez les trois ou aucun",
                );
                None
            }
        };
        let profil_accueil = l.option::<u8>("home.profile");
        if profil_accueil.is_some_and(|p| p > 5) {
            l.faute("home.profile : un profil va de 0 à 5");
        }
        Self {
            commun,
            http,
            tls,
            url_publique: l.option("http.public_url"),
            profil_accueil,
            retard_max_s: l.ou("http.stale_after_seconds", 10.0),
            rendues_mo: l.ou("http.render_cache_mb", 64),
        }
    }
}
