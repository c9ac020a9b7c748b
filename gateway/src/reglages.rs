//! Settings of the gateway, beside those every service has.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use sha2::{Digest, Sha256};

use http::HeaderValue;
use ror_chassis::{
    client,
    reglages::{Lecteur, Reglages, Secret},
};

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

/// How long a connection may do nothing.
#[derive(Clone, Copy, Debug)]
pub struct Delais {
    /// Without a request, from its first moment.
    pub inactive: Duration,
    /// Without its peer taking anything of an answer.
    pub ecriture: Duration,
}

impl Default for Delais {
    fn default() -> Self {
        Self { inactive: Duration::from_secs(15), ecriture: Duration::from_secs(30) }
    }
}

impl Delais {
    fn lire(l: &mut Lecteur) -> Self {
        let d = Self::default();
        let inactive = l.ou("http.idle_seconds", d.inactive.as_secs());
        let ecriture = l.ou("http.stall_seconds", d.ecriture.as_secs());
        if inactive == 0 {
            l.faute("http.idle_seconds : une seconde au moins");
        }
        // An answer may be that long in the making.
        if ecriture <= crate::http::DELAI.as_secs() {
            let delai = crate::http::DELAI.as_secs();
            l.faute(format!(
                "http.stall_seconds : plus que le temps imparti à une requête, {delai} secondes"
            ));
        }
        Self { inactive: Duration::from_secs(inactive), ecriture: Duration::from_secs(ecriture) }
    }
}

/// Shortest secret accepted.
const SECRET_MIN: usize = 32;
/// Bulk export.
#[derive(Clone, Debug)]
pub struct ReglagesExport {
    /// Folder of the files.
    pub dossier: PathBuf,
    /// Most bytes on disk, all exports together.
    pub octets_max: u64,
    /// Hours during which a finished export is kept.
    pub heures: u64,
    /// Exports written at once.
    pub simultanes: usize,
    /// Exports of one caller that wait or run, at most.
    pub par_client: usize,
}

impl ReglagesExport {
    /// The defaults, in that folder.
    pub fn dans(dossier: PathBuf) -> Self {
        Self { dossier, octets_max: 20_000_000_000, heures: 24, simultanes: 2, par_client: 2 }
    }

    fn lire(l: &mut Lecteur) -> Self {
        let d = Self::dans(std::env::temp_dir().join("ror-exports"));
        Self {
            dossier: l.ou("http.export_dir", d.dossier),
            octets_max: l.ou("http.export_max_bytes", d.octets_max),
            heures: l.ou("http.export_hours", d.heures),
            simultanes: l.ou("http.export_jobs", d.simultanes),
            par_client: l.ou("http.export_jobs_per_client", d.par_client),
        }
    }
}

/// Change feed.
#[derive(Clone, Copy, Debug)]
pub struct ReglagesFlux {
    /// Answers at once, all callers together.
    pub abonnes: usize,
    /// Answers at once for one caller.
    pub par_client: usize,
}

impl Default for ReglagesFlux {
    fn default() -> Self {
        Self { abonnes: 64, par_client: 8 }
    }
}

impl ReglagesFlux {
    fn lire(l: &mut Lecteur) -> Self {
        let d = Self::default();
        Self {
            abonnes: l.ou("http.feed_subscribers", d.abonnes),
            par_client: l.ou("http.feed_subscribers_per_client", d.par_client),
        }
    }
}

/// Image of the read model.
#[derive(Clone, Debug)]
pub struct ReglagesImage {
    /// Its folder, of this gateway alone.
    pub dossier: PathBuf,
    /// Between two images of a directory that changes.
    pub intervalle: Duration,
}

impl ReglagesImage {
    /// The defaults, in that folder.
    pub fn dans(dossier: PathBuf) -> Self {
        Self { dossier, intervalle: Duration::from_secs(600) }
    }

    fn lire(l: &mut Lecteur) -> Option<Self> {
        let intervalle = l.option::<u64>("image.interval_s");
        let d = l.option("image.dir").map(Self::dans)?;
        Some(Self { intervalle: intervalle.map_or(d.intervalle, |s| Duration::from_secs(s.max(1))), ..d })
    }
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
    /// Whether a token bound to a certificate is refused without it (RFC 8705 §3), rather than at the token endpoint
    /// alone, as the published API has it: nothing for a façade whose TLS ends before it.
    pub exiger_certificat: bool,
    /// Of each connection.
    pub delais: Delais,
    /// Base URL put in links, without a final slash; that of the request when absent.
    pub url_publique: Option<String>,
    /// Origins whose pages may call the façade; none by default.
    pub origines: Vec<HeaderValue>,
    /// Folder of the viewer of the reference; without it the reference is one page.
    pub reference: Option<PathBuf>,
    /// Whether the façade gives `/metrics`, which counts what no profile sees too; else the port of administration.
    pub metriques: bool,
    /// Profile that the home page searches with; none closes its search.
    pub profil_accueil: Option<u8>,
    /// Seconds after which answers are marked stale.
    pub retard_max_s: f64,
    /// Megabytes of rendered resources kept ready to be sent.
    pub rendues_mo: u64,
    /// Megabytes on disk of resources rendered beforehand, in the folder of the image; none without it, or for 0.
    pub reserve_mo: u64,
    /// Minutes a walk may rest between two pages.
    pub page_minutes: u64,
    /// Moments kept for walks, at most.
    pub page_moments: usize,
    /// Most results one walk gives, as the former API did; 0 for all.
    pub coupe: u64,
    /// Text of the key of page links; that of this process alone when absent.
    pub cle_des_pages: Option<Secret>,
    /// Image of the read model; without a folder for it, none.
    pub image: Option<ReglagesImage>,
    /// gRPC URL of the other replicas, behind which each address is one: a replica without an image takes theirs.
    pub pairs: Option<String>,
    /// Where it gives its image to them, which holds everything; nowhere when there are none and no address is given.
    pub aux_pairs: Option<SocketAddr>,
    /// Bulk export.
    pub exports: ReglagesExport,
    /// Change feed.
    pub flux: ReglagesFlux,
}

impl ReglagesPasserelle {
    /// The key of page links: that of the settings, or one of this process alone.
    pub fn secret(&self) -> [u8; 32] {
        match &self.cle_des_pages {
            Some(s) => Sha256::digest(s.exposer()).into(),
            None => Sha256::new()
                .chain_update(uuid::Uuid::new_v4())
                .chain_update(uuid::Uuid::new_v4())
                .finalize()
                .into(),
        }
    }

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
        let origines = l.option::<String>("http.cors_origins").unwrap_or_default();
        let origines = crate::http::origines(&origines).unwrap_or_else(|fautes| {
            let fautes = fautes.join(", ");
            l.faute(format!("http.cors_origins : {fautes} : une origine est un schéma, un hôte et un port (https://exemple.fr), ou « * » seul"));
            Vec::new()
        });
        let profil_accueil = l.option::<u8>("home.profile");
        if profil_accueil.is_some_and(|p| p > 5) {
            l.faute("home.profile : un profil va de 0 à 5");
        }
        let cle_des_pages = l.option::<Secret>("http.secret");
        if cle_des_pages.as_ref().is_some_and(|s| s.exposer().len() < SECRET_MIN) {
            l.faute("http.secret : 32 caractères au moins, les mêmes pour toutes les répliques");
        }
        let pairs = l.option::<String>("upstream.gateway");
        if pairs.as_deref().is_some_and(|url| client::adresse(url).is_err()) {
            l.faute("upstream.gateway : une URL avec son port, comme http://ror-gateway-peers:50051");
        }
        let aux_pairs = l.option("grpc.addr").or_else(|| pairs.is_some().then_some(commun.grpc));
        Self {
            commun,
            http,
            tls,
            exiger_certificat: l.ou("http.require_certificate", false),
            delais: Delais::lire(l),
            url_publique: l.option("http.public_url"),
            origines,
            reference: l.option("http.reference_dir"),
            metriques: l.ou("http.metrics", true),
            profil_accueil,
            retard_max_s: l.ou("http.stale_after_seconds", 10.0),
            rendues_mo: l.ou("http.render_cache_mb", 32),
            reserve_mo: l.ou("http.render_disk_mb", 4096),
            page_minutes: l.ou("http.page_minutes", 10),
            page_moments: l.ou("http.page_moments", 64),
            coupe: l.ou("http.search_cut", 0),
            cle_des_pages,
            image: ReglagesImage::lire(l),
            pairs,
            aux_pairs,
            exports: ReglagesExport::lire(l),
            flux: ReglagesFlux::lire(l),
        }
    }
}
