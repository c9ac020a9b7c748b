//! The façade as its clients see it: tokens, headers, pages.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use anyhow::{Context, Result};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http::{self, Connexion, encoder};

/// Root of reads and searches.
pub const DIFFUSION: &str = "/ws-diffusion-fhir";
/// Root of the capacity PATCH.
pub const CAPACITE: &str = "/ws-synchro-dispo-lits-fhir";

/// A running mesh, from outside.
pub struct Facade {
    /// Plain HTTP.
    pub adresse: SocketAddr,
    /// demo.json.
    pub demo: Value,
}

impl Facade {
    fn texte(&self, pointeur: &str) -> Result<&str> {
        let v = self.demo.pointer(pointeur).and_then(Value::as_str);
        v.with_context(|| format!("demo.json has no {pointeur}"))
    }

    fn chemin_jeton(&self) -> Result<&str> {
        let url = self.texte("/token_url")?;
        let debut = url.find("://").map_or(0, |i| i + 3);
        let chemin = url[debut..].find('/').context("token_url has no path")?;
        Ok(&url[debut + chemin..])
    }

    /// Id of a process.
    pub fn pid(&self, nom: &str) -> Result<u32> {
        let pid = self.demo["pids"][nom].as_u64().and_then(|p| u32::try_from(p).ok());
        pid.with_context(|| format!("demo.json has no pid of {nom}"))
    }

    /// What the gateway tells of itself, as text.
    pub async fn metriques(&self) -> Result<String> {
        let mut requete = Vec::new();
        http::get(&mut requete, "/metrics", &format!("Host: {}\r\n", self.adresse));
        let mut c = Connexion::ouvrir(self.adresse).await?;
        let r = c.echanger(&requete).await?;
        r.exiger(200)?;
        Ok(String::from_utf8_lossy(r.corps).into_owned())
    }

    /// Region of the demo data.
    pub fn region(&self) -> Result<&str> {
        self.texte("/region")
    }

    /// Header lines of a reader of profile 1. Its token lasts five minutes: ask again before each run.
    pub async fn lecteur(&self) -> Result<String> {
        let formulaire = self.formulaire("p1", None)?;
        let tls: SocketAddr = (Ipv4Addr::LOCALHOST, self.port_tls()?).into();
        let flux = TcpStream::connect(tls).await.with_context(|| format!("no answer at {tls}"))?;
        let nom = ServerName::try_from("localhost")?;
        let flux = self
            .connecteur()?
            .connect(nom, flux)
            .await
            .context("the TLS port refuses the client certificate")?;
        let jeton = self.demander(Connexion::sur(flux), &formulaire).await?;
        let mut lignes = self.communs(&jeton);
        let entetes = self.demo["headers"].as_object().context("demo.json has no headers")?;
        for (nom, valeur) in entetes {
            lignes.push_str(&format!("{nom}: {}\r\n", valeur.as_str().unwrap_or_default()));
        }
        Ok(lignes)
    }

    /// Header lines of the capacity feed.
    pub async fn fournisseur(&self) -> Result<String> {
        let secret = self.texte("/clients/capacity/client_secret")?;
        let formulaire = self.formulaire("capacity", Some(secret))?;
        let jeton = self.demander(Connexion::ouvrir(self.adresse).await?, &formulaire).await?;
        Ok(self.communs(&jeton))
    }

    fn communs(&self, jeton: &str) -> String {
        format!("Host: {}\r\nAuthorization: Bearer {jeton}\r\n", self.adresse)
    }

    fn port_tls(&self) -> Result<u16> {
        let port =
            self.texte("/tls_url")?.trim_end_matches('/').rsplit(':').next().and_then(|p| p.parse().ok());
        port.context("tls_url has no port")
    }

    fn formulaire(&self, client: &str, secret: Option<&str>) -> Result<String> {
        let id = self.texte(&format!("/clients/{client}/client_id"))?;
        let mut f = format!("grant_type=client_credentials&client_id={}", encoder(id));
        if let Some(s) = secret {
            f.push_str(&format!("&client_secret={}", encoder(s)));
        }
        Ok(f)
    }

    async fn demander<S>(&self, mut c: Connexion<S>, formulaire: &str) -> Result<String>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    {
        let mut requete = Vec::new();
        let genre = "application/x-www-form-urlencoded";
        let chemin = self.chemin_jeton()?;
        http::avec_corps(&mut requete, "POST", chemin, "Host: localhost\r\n", genre, formulaire.as_bytes());
        let r = c.echanger(&requete).await?;
        r.exiger(200).context("no token")?;
        let v: Value = serde_json::from_slice(r.corps)?;
        Ok(v["access_token"].as_str().context("an answer without token")?.to_owned())
    }

    fn connecteur(&self) -> Result<TlsConnector> {
        let fichier = |nom: &str| self.texte(&format!("/clients/p1/{nom}")).map(Path::new);
        let mut racines = RootCertStore::empty();
        for c in certificats(fichier("ca")?)? {
            racines.add(c)?;
        }
        let cle = fichier("key")?;
        let octets = fs::read(cle).with_context(|| format!("{} cannot be read", cle.display()))?;
        let cle = PrivateKeyDer::from_pem_slice(&octets)
            .map_err(|e| anyhow::anyhow!("{}: {e:?}", cle.display()))?;
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(racines)
            .with_client_auth_cert(certificats(fichier("certificate")?)?, cle)?;
        Ok(TlsConnector::from(Arc::new(config)))
    }

    /// Reads every page of a search; `voir` gets each matched resource.
    pub async fn parcourir(&self, recherche: &str, mut voir: impl FnMut(&Value)) -> Result<()> {
        let communs = self.lecteur().await?;
        let mut c = Connexion::ouvrir(self.adresse).await?;
        let mut chemin = Some(format!("{DIFFUSION}/{recherche}"));
        let mut requete = Vec::new();
        while let Some(suivant) = chemin.take() {
            http::get(&mut requete, &suivant, &communs);
            let r = c.echanger(&requete).await?;
            r.exiger(200).with_context(|| suivant.clone())?;
            let page: Value = serde_json::from_slice(r.corps)?;
            for e in page["entry"].as_array().into_iter().flatten() {
                voir(&e["resource"]);
            }
            let liens = page["link"].as_array().into_iter().flatten();
            let url = liens.filter(|l| l["relation"] == "next").find_map(|l| l["url"].as_str());
            chemin = url.and_then(|u| u.find(DIFFUSION).map(|i| u[i..].to_owned()));
        }
        Ok(())
    }

    /// `total` of a search.
    pub async fn total(&self, c: &mut Connexion<TcpStream>, communs: &str, recherche: &str) -> Result<u64> {
        let mut requete = Vec::new();
        http::get(&mut requete, &format!("{DIFFUSION}/{recherche}"), communs);
        let r = c.echanger(&requete).await?;
        r.exiger(200)?;
        let v: Value = serde_json::from_slice(r.corps)?;
        v["total"].as_u64().context("a Bundle without total")
    }
}

fn certificats(chemin: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let octets = fs::read(chemin).with_context(|| format!("{} cannot be read", chemin.display()))?;
    let lus: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&octets).collect();
    lus.map_err(|e| anyhow::anyhow!("{}: {e:?}", chemin.display()))
}
