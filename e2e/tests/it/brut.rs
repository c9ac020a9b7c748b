//! Requests whose answers are bytes, or have any method and headers.

use anyhow::{Context, Result};
use reqwest::{Method, header::HeaderMap};
use ror_e2e::{Client, Reponse};
use serde_json::Value;

/// An answer whose body is bytes.
pub struct Brute {
    pub statut: u16,
    pub entetes: HeaderMap,
    pub octets: Vec<u8>,
}

impl Brute {
    pub fn entete(&self, nom: &str) -> &str {
        self.entetes.get(nom).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// The same, as text.
    pub fn reponse(self) -> Reponse {
        let texte = String::from_utf8_lossy(&self.octets).into_owned();
        let corps = serde_json::from_str(&texte).unwrap_or(Value::Null);
        Reponse { statut: self.statut, entetes: self.entetes, texte, corps }
    }
}

/// One request with the token and the headers of a client, and others.
pub async fn demander(
    c: &Client,
    methode: Method,
    url: &str,
    autres: &[(&str, &str)],
    corps: Option<String>,
) -> Result<Brute> {
    let mut r = c.http.request(methode, url).header("authorization", format!("Bearer {}", c.jeton().await?));
    for (nom, valeur) in &c.entetes {
        r = r.header(nom, valeur);
    }
    for (nom, valeur) in autres {
        r = r.header(*nom, *valeur);
    }
    if let Some(corps) = corps {
        r = r.body(corps);
    }
    let r = r.send().await.with_context(|| format!("no answer from {url}"))?;
    let (statut, entetes) = (r.status().as_u16(), r.headers().clone());
    Ok(Brute { statut, entetes, octets: r.bytes().await?.to_vec() })
}

/// GET of an absolute address.
pub async fn lire(c: &Client, url: &str, autres: &[(&str, &str)]) -> Result<Brute> {
    demander(c, Method::GET, url, autres, None).await
}
