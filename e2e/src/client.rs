//! A FHIR client: one profile, its token, its headers.

use std::{
    sync::Once,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use reqwest::{Certificate, Identity, Method, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::fhir::{tableau, texte};

/// Longest time of one request.
const LIMITE: Duration = Duration::from_secs(15);
/// How long a connection without a request is kept.
const INACTIVE: Duration = Duration::from_secs(5);
/// A token is renewed when it has less than this to live.
const MARGE: Duration = Duration::from_secs(10);
/// Most pages followed: a next link that never ends is a fault.
const PAGES_MAX: usize = 2000;
/// Path segment of the reads.
const SEGMENT: &str = "/ws-diffusion-fhir";
const FHIR: &str = "application/fhir+json";
const FORMULAIRE: &str = "application/x-www-form-urlencoded";

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Reponse {
    pub statut: u16,
    pub entetes: HeaderMap,
    pub texte: String,
    /// The body, when it is JSON; null otherwise.
    pub corps: Value,
}

impl Reponse {
    pub fn entete(&self, nom: &str) -> Option<&str> {
        self.entetes.get(nom).and_then(|valeur| valeur.to_str().ok())
    }

    /// An error unless the status is this one.
    pub fn attendre(self, statut: u16) -> Result<Self> {
        let debut: String = self.texte.chars().take(600).collect();
        ensure!(self.statut == statut, "status {} instead of {statut}: {debut}", self.statut);
        Ok(self)
    }
}

/// An HTTP client that trusts one authority at most and shows one certificate at most.
pub fn http(autorite: Option<Certificate>, identite: Option<Identity>) -> Result<reqwest::Client> {
    static FOURNISSEUR: Once = Once::new();
    FOURNISSEUR.call_once(|| {
        rustls::crypto::ring::default_provider().install_default().expect("no other provider is installed");
    });
    let mut constructeur = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(LIMITE)
        // Before the façade closes it: a request sent at that moment would be lost.
        .pool_idle_timeout(INACTIVE)
        .tls_certs_only(autorite);
    if let Some(identite) = identite {
        constructeur = constructeur.identity(identite);
    }
    Ok(constructeur.build()?)
}

/// Sends one request and reads its answer.
pub async fn appeler(
    http: &reqwest::Client,
    methode: Method,
    url: &str,
    entetes: &[(&str, &str)],
    corps: Option<&str>,
) -> Result<Reponse> {
    let mut requete = http.request(methode, url);
    for (nom, valeur) in entetes {
        requete = requete.header(*nom, *valeur);
    }
    if let Some(corps) = corps {
        requete = requete.body(corps.to_owned());
    }
    let reponse = requete.send().await.with_context(|| format!("no answer from {url}"))?;
    let statut = reponse.status().as_u16();
    let entetes = reponse.headers().clone();
    let texte = reponse.text().await.with_context(|| format!("half an answer from {url}"))?;
    let corps = serde_json::from_str(&texte).unwrap_or(Value::Null);
    Ok(Reponse { statut, entetes, texte, corps })
}

/// Posts a form, as the token endpoint wants.
pub async fn formulaire(http: &reqwest::Client, url: &str, champs: &[(&str, &str)]) -> Result<Reponse> {
    appeler(http, Method::POST, url, &[("content-type", FORMULAIRE)], Some(&requete(champs))).await
}

/// A query string or a form: every reserved character percent-encoded.
pub fn requete(parametres: &[(&str, &str)]) -> String {
    let paires: Vec<String> =
        parametres.iter().map(|(n, v)| format!("{}={}", encoder(n), encoder(v))).collect();
    paires.join("&")
}

fn encoder(valeur: &str) -> String {
    let mut sortie = String::with_capacity(valeur.len());
    for octet in valeur.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~:".contains(&octet) {
            sortie.push(char::from(octet));
        } else {
            sortie.push_str(&format!("%{octet:02X}"));
        }
    }
    sortie
}

/// URL of a link of a Bundle.
pub fn lien<'a>(bundle: &'a Value, relation: &str) -> Option<&'a str> {
    let lien = tableau(bundle, "link").iter().find(|lien| texte(lien, "/relation") == relation)?;
    lien.get("url").and_then(Value::as_str)
}

/// One client of the directory.
#[derive(Debug)]
pub struct Client {
    /// Name of its entry in demo.json.
    pub nom: String,
    /// Its transport, certificate included.
    pub http: reqwest::Client,
    /// Base of the reads.
    pub base: String,
    /// Base of the capacity feed.
    pub base_capacite: String,
    /// Where it gets its tokens.
    pub url_jeton: String,
    /// What it says to get them.
    pub champs: Vec<(String, String)>,
    /// The four Ror-* headers.
    pub entetes: Vec<(String, String)>,
    jeton: Mutex<Option<(String, Instant)>>,
}

impl Client {
    /// The client of that name in demo.json. One with a certificate goes by TLS.
    pub fn nouveau(demo: &Value, nom: &str) -> Result<Self> {
        let fiche = &demo["clients"][nom];
        let client_id = fiche["client_id"].as_str().with_context(|| format!("demo.json: no client {nom}"))?;
        let mut champs = vec![
            ("grant_type".to_owned(), "client_credentials".to_owned()),
            ("client_id".to_owned(), client_id.to_owned()),
        ];
        if let Some(secret) = fiche["client_secret"].as_str() {
            champs.push(("client_secret".to_owned(), secret.to_owned()));
        }
        let url =
            |cle: &str| demo[cle].as_str().map(str::to_owned).with_context(|| format!("demo.json: no {cle}"));
        let (clair, tls) = (url("base_url")?, url("tls_url")?);
        let certifie = fiche.get("certificate").is_some();
        let choisir = |url: String| if certifie { url.replacen(&clair, &tls, 1) } else { url };
        let entetes = demo["headers"].as_object().context("demo.json: no headers")?;
        Ok(Self {
            nom: nom.to_owned(),
            http: if certifie { http(autorite(fiche)?, identite(fiche)?)? } else { http(None, None)? },
            base: choisir(url("fhir_base")?),
            base_capacite: choisir(url("capacity_base")?),
            url_jeton: choisir(url("token_url")?),
            champs,
            entetes: entetes
                .iter()
                .map(|(n, v)| (n.clone(), v.as_str().unwrap_or_default().to_owned()))
                .collect(),
            jeton: Mutex::new(None),
        })
    }

    /// A token with some time to live.
    pub async fn jeton(&self) -> Result<String> {
        let mut garde = self.jeton.lock().await;
        if let Some((jeton, fin)) = garde.as_ref()
            && Instant::now() + MARGE < *fin
        {
            return Ok(jeton.clone());
        }
        let champs: Vec<(&str, &str)> = self.champs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let reponse = formulaire(&self.http, &self.url_jeton, &champs).await?.attendre(200)?;
        let jeton = reponse.corps["access_token"].as_str().context("no access_token")?.to_owned();
        let duree = reponse.corps["expires_in"].as_u64().context("no expires_in")?;
        *garde = Some((jeton.clone(), Instant::now() + Duration::from_secs(duree)));
        Ok(jeton)
    }

    /// Forgets the token, so that the next one has all its life before it.
    pub async fn renouveler(&self) -> Result<()> {
        *self.jeton.lock().await = None;
        self.jeton().await.map(|_| ())
    }

    /// GET below the base of the reads, with token and headers.
    pub async fn lire(&self, chemin: &str) -> Result<Reponse> {
        self.lire_avec(&format!("{}/{chemin}", self.base), &self.entetes).await
    }

    /// GET of an absolute address with the token and these headers.
    pub async fn lire_avec(&self, url: &str, entetes: &[(String, String)]) -> Result<Reponse> {
        let porteur = format!("Bearer {}", self.jeton().await?);
        let mut tous = vec![("authorization", porteur.as_str()), ("accept", FHIR)];
        tous.extend(entetes.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        appeler(&self.http, Method::GET, url, &tous, None).await
    }

    /// First page of a search.
    pub async fn chercher(&self, genre: &str, parametres: &[(&str, &str)]) -> Result<Reponse> {
        if parametres.is_empty() {
            return self.lire(genre).await;
        }
        self.lire(&format!("{genre}?{}", requete(parametres))).await
    }

    /// The page a link leads to, by this client's own transport.
    pub async fn suivre(&self, url: &str) -> Result<Reponse> {
        let rang = url.find(SEGMENT).with_context(|| format!("a link outside the directory: {url}"))?;
        self.lire_avec(&format!("{}{}", self.base, &url[rang + SEGMENT.len()..]), &self.entetes).await
    }

    /// Every page of a search, following the next links.
    pub async fn pages(&self, genre: &str, parametres: &[(&str, &str)]) -> Result<Vec<Value>> {
        let mut page = self.chercher(genre, parametres).await?;
        let mut pages = Vec::new();
        loop {
            page = page.attendre(200).with_context(|| format!("{genre}?{}", requete(parametres)))?;
            let suivante = lien(&page.corps, "next").map(str::to_owned);
            pages.push(page.corps);
            ensure!(pages.len() <= PAGES_MAX, "more than {PAGES_MAX} pages of {genre}");
            match suivante {
                Some(url) => page = self.suivre(&url).await?,
                None => return Ok(pages),
            }
        }
    }

    /// PATCH of the place that has this identifier.
    pub async fn modifier(&self, identifiant: &str, corps: &Value) -> Result<Reponse> {
        let url = format!("{}/Location?{}", self.base_capacite, requete(&[("identifier", identifiant)]));
        self.modifier_brut(&url, &corps.to_string(), &[]).await
    }

    /// PATCH of an absolute address with any body and further headers.
    pub async fn modifier_brut(
        &self,
        url: &str,
        corps: &str,
        autres: &[(String, String)],
    ) -> Result<Reponse> {
        let porteur = format!("Bearer {}", self.jeton().await?);
        let mut entetes = vec![("authorization", porteur.as_str()), ("content-type", FHIR)];
        entetes.extend(autres.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        appeler(&self.http, Method::PATCH, url, &entetes, Some(corps)).await
    }
}

fn fichier(fiche: &Value, cle: &str) -> Result<Vec<u8>> {
    let chemin = fiche[cle].as_str().with_context(|| format!("demo.json: a client without {cle}"))?;
    std::fs::read(chemin).with_context(|| chemin.to_owned())
}

/// The authority a client's entry names.
pub fn autorite(fiche: &Value) -> Result<Option<Certificate>> {
    Ok(Some(Certificate::from_pem(&fichier(fiche, "ca")?)?))
}

/// The certificate and key a client's entry names.
pub fn identite(fiche: &Value) -> Result<Option<Identity>> {
    let mut pem = fichier(fiche, "certificate")?;
    pem.push(b'\n');
    pem.extend(fichier(fiche, "key")?);
    Ok(Some(Identity::from_pem(&pem)?))
}
