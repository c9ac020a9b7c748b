//! Calls to the API: at its pace, again when it is worth it.

use std::time::Duration;

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};
use ror_chassis::{Erreur, Resultat, conversion::maintenant, reglages::Secret};
use serde::de::IgnoredAny;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::time::Instant;

use crate::synchro::{client, gigue};

/// Header of the key, `ESANTE-API-KEY`.
const CLE: &str = "esante-api-key";
/// Largest page.
const PAGE_MAX: usize = 32 * 1024 * 1024;

/// Pace of the calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rythme {
    /// Shortest time between two calls.
    pub(crate) intervalle: Duration,
    /// Longest time of one call.
    pub(crate) delai: Duration,
    /// Calls of one page, the first included.
    pub(crate) essais: u32,
    /// Wait before the second call; it doubles.
    pub(crate) attente: Duration,
    /// Longest wait; a server that asks for more is left for later.
    pub(crate) attente_max: Duration,
}

impl Default for Rythme {
    /// That of the API: 17 calls a second, 30 seconds each.
    fn default() -> Self {
        Self {
            intervalle: Duration::from_millis(60),
            delai: Duration::from_secs(30),
            essais: 6,
            attente: Duration::from_secs(1),
            attente_max: Duration::from_secs(300),
        }
    }
}

/// Why a page could not be read.
pub(super) enum Echec {
    /// The server no longer knows the link, or refuses the search.
    Perdue(StatusCode),
    /// Anything else.
    Autre(Erreur),
}

impl From<Echec> for Erreur {
    fn from(e: Echec) -> Self {
        match e {
            Echec::Perdue(statut) => {
                Self::Indisponible(format!("l'API Annuaire Santé refuse la recherche ({statut})"))
            }
            Echec::Autre(erreur) => erreur,
        }
    }
}

/// What one call failed on.
struct Defaut {
    echec: Echec,
    /// Whether another call may do better, and after how long at least.
    reprise: Option<Duration>,
}

impl Defaut {
    fn definitif(echec: Echec) -> Self {
        Self { echec, reprise: None }
    }

    fn passager(phrase: String, attente: Duration) -> Self {
        Self { echec: Echec::Autre(Erreur::Indisponible(phrase)), reprise: Some(attente) }
    }
}

/// The calls of a window.
pub(super) struct Appels {
    http: Client,
    entetes: HeaderMap,
    rythme: Rythme,
    prochain: Instant,
}

impl Appels {
    /// None made yet.
    pub(super) fn nouveaux(cle: &Secret, rythme: Rythme) -> Resultat<Self> {
        let mut valeur = HeaderValue::from_str(cle.exposer()).map_err(|_| {
            Erreur::faute(
                "sync.annuaire.api_key",
                "valeur",
                "La clé de l'API Annuaire Santé ne peut pas être un en-tête HTTP.",
                "la clé telle qu'elle a été remise, sans saut de ligne",
            )
        })?;
        valeur.set_sensitive(true);
        let mut entetes = HeaderMap::new();
        entetes.insert(CLE, valeur);
        // No redirection: the key would follow it.
        Ok(Self { http: client(0)?, entetes, rythme, prochain: Instant::now() })
    }

    /// The body of a page.
    pub(super) async fn lire(&mut self, url: &Url) -> Result<Vec<u8>, Echec> {
        let mut attente = self.rythme.attente;
        for reste in (0..self.rythme.essais.max(1)).rev() {
            tokio::time::sleep_until(self.prochain).await;
            self.prochain = Instant::now() + self.rythme.intervalle;
            let defaut = match self.appeler(url).await {
                Ok(octets) => return Ok(octets),
                Err(defaut) => defaut,
            };
            match defaut.reprise {
                Some(demandee) if reste > 0 && demandee <= self.rythme.attente_max => {
                    tokio::time::sleep(demandee.max(gigue(attente))).await;
                    attente = (attente * 2).min(self.rythme.attente_max);
                }
                _ => return Err(defaut.echec),
            }
        }
        Err(Echec::Autre(Erreur::interne("no call was made")))
    }

    async fn appeler(&self, url: &Url) -> Result<Vec<u8>, Defaut> {
        let appel = self.http.get(url.clone()).headers(self.entetes.clone()).timeout(self.rythme.delai);
        let reponse = appel.send().await.map_err(|e| coupure(&e))?;
        let statut = reponse.status();
        match statut {
            StatusCode::OK => corps(reponse).await,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Defaut::definitif(Echec::Autre(Erreur::Indisponible(format!(
                    "l'API Annuaire Santé refuse la clé ({statut}) : corrigez sync.annuaire.api_key"
                )))))
            }
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE => {
                Err(Defaut::definitif(Echec::Perdue(statut)))
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err(Defaut::passager(
                format!("l'API Annuaire Santé demande d'attendre ({statut})"),
                attente_demandee(reponse.headers(), maintenant()),
            )),
            _ if statut.is_server_error() => Err(Defaut::passager(
                format!("l'API Annuaire Santé est en panne ({statut})"),
                attente_demandee(reponse.headers(), maintenant()),
            )),
            _ => Err(Defaut::definitif(Echec::Autre(Erreur::Indisponible(format!(
                "réponse inattendue de l'API Annuaire Santé ({statut})"
            ))))),
        }
    }
}

/// Without the URL: a page link is opaque and may say who asks.
fn coupure(e: &reqwest::Error) -> Defaut {
    let quoi =
        if e.is_timeout() { "ne répond pas à temps" } else { "est injoignable ou coupe la réponse" };
    Defaut::passager(format!("l'API Annuaire Santé {quoi}"), Duration::ZERO)
}

async fn corps(mut reponse: Response) -> Result<Vec<u8>, Defaut> {
    let mut octets = Vec::new();
    while let Some(morceau) = reponse.chunk().await.map_err(|e| coupure(&e))? {
        if octets.len() + morceau.len() > PAGE_MAX {
            return Err(Defaut::definitif(Echec::Autre(Erreur::Indisponible(
                "une page de l'API Annuaire Santé dépasse 32 Mio : baissez sync.annuaire.page_size".into(),
            ))));
        }
        octets.extend_from_slice(&morceau);
    }
    // A body without a length may be cut without an error.
    match serde_json::from_slice::<IgnoredAny>(&octets) {
        Ok(_) => Ok(octets),
        Err(_) => Err(Defaut::passager(
            "une page de l'API Annuaire Santé n'est pas du JSON entier".into(),
            Duration::ZERO,
        )),
    }
}

/// What `Retry-After` asks, in seconds or until a date; zero when it asks nothing.
pub(crate) fn attente_demandee(entetes: &HeaderMap, maintenant: OffsetDateTime) -> Duration {
    let Some(texte) = entetes.get(RETRY_AFTER).and_then(|v| v.to_str().ok()).map(str::trim) else {
        return Duration::ZERO;
    };
    if let Ok(secondes) = texte.parse() {
        return Duration::from_secs(secondes);
    }
    OffsetDateTime::parse(texte, &Rfc2822)
        .ok()
        .and_then(|date| Duration::try_from(date - maintenant).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let lire = |texte: &str| {
            let entetes = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(texte).unwrap())]);
            attente_demandee(&entetes, datetime!(2026-10-01 12:00:00 UTC))
        };
        assert_eq!(lire("7"), Duration::from_secs(7));
        assert_eq!(lire("Thu, 01 Oct 2026 12:00:30 GMT"), Duration::from_secs(30));
        assert_eq!(lire("Thu, 01 Oct 2026 11:00:00 GMT"), Duration::ZERO, "already past");
        assert_eq!(lire("bientôt"), Duration::ZERO);
        assert_eq!(attente_demandee(&HeaderMap::new(), datetime!(2026-10-01 12:00:00 UTC)), Duration::ZERO);
    }
}
