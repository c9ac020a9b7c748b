//! A download: bounded in size and time, resumed where it broke when the server can.

use std::time::Duration;

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{
        CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
        LAST_MODIFIED, RANGE,
    },
};
use ror_chassis::{Erreur, Resultat, conversion::maintenant};
use sha1::{Digest, Sha1};
use tempfile::NamedTempFile;
use tokio::{
    fs::File,
    io::{AsyncSeekExt, AsyncWriteExt},
};

use super::{gigue, reglages::Limites};
use crate::annuaire::attente_demandee;

/// Calls of one download, the first included.
const ESSAIS: u32 = 8;
/// Longest wait between two of them.
const ATTENTE_MAX: Duration = Duration::from_secs(120);
/// Longest silence of a server.
const SILENCE: Duration = Duration::from_secs(60);

/// What makes a file the same as another, as its server tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Version {
    /// `ETag`, empty when none.
    pub(super) etag: String,
    /// `Last-Modified`, empty when none.
    pub(super) modifie: String,
}

impl Version {
    fn lire(entetes: &HeaderMap) -> Self {
        let lire =
            |nom: HeaderName| entetes.get(nom).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        Self { etag: lire(ETAG), modifie: lire(LAST_MODIFIED) }
    }

    /// What allows to resume: a weak tag does not.
    fn validateur(&self) -> &str {
        if self.etag.is_empty() || self.etag.starts_with("W/") { &self.modifie } else { &self.etag }
    }
}

/// A file that was downloaded whole; it goes when dropped.
pub(super) struct Telecharge {
    /// Where it is.
    pub(super) fichier: NamedTempFile,
    /// Its size.
    pub(super) taille: u64,
    /// Its SHA-1, hexadecimal.
    pub(super) sha1: String,
    /// As its server tells it.
    pub(super) version: Version,
}

/// Downloads a file; None when it is still the one of `connue`.
pub(super) async fn telecharger(
    http: &Client,
    url: &Url,
    connue: &Version,
    limites: &Limites,
) -> Resultat<Option<Telecharge>> {
    let delai = limites.delai;
    tokio::time::timeout(delai, sans_delai(http, url, connue, limites)).await.map_err(|_| {
        Erreur::Delai(format!("téléchargement de {} : plus de {} s", url.path(), delai.as_secs()))
    })?
}

async fn sans_delai(
    http: &Client,
    url: &Url,
    connue: &Version,
    limites: &Limites,
) -> Resultat<Option<Telecharge>> {
    let fichier = NamedTempFile::new_in(&limites.dossier).map_err(disque)?;
    let mut recu = Recu {
        sortie: File::from_std(fichier.reopen().map_err(disque)?),
        somme: Sha1::new(),
        taille: 0,
        version: Version::default(),
    };
    let mut attente = limites.attente;
    for reste in (0..ESSAIS).rev() {
        match recu.essayer(http, url, connue, limites).await {
            Ok(Tour::Entier) => {
                recu.sortie.flush().await.map_err(disque)?;
                let sha1 = recu.somme.finalize().iter().map(|o| format!("{o:02x}")).collect();
                let (taille, version) = (recu.taille, recu.version);
                return Ok(Some(Telecharge { fichier, taille, sha1, version }));
            }
            Ok(Tour::Inchange) => return Ok(None),
            Err(Arret { erreur, reprise: Some(demandee) }) if reste > 0 && demandee <= ATTENTE_MAX => {
                tracing::info!(received = recu.taille, reason = %erreur.phrase(), "download interrupted, resuming");
                tokio::time::sleep(demandee.max(gigue(attente))).await;
                attente = (attente * 2).min(ATTENTE_MAX);
            }
            Err(arret) => return Err(arret.erreur),
        }
    }
    Err(Erreur::interne("no call was made"))
}

fn disque(e: std::io::Error) -> Erreur {
    Erreur::Indisponible(format!("fichier de téléchargement (sync.download.folder) : {e}"))
}

/// How a call ended well.
enum Tour {
    Entier,
    Inchange,
}

/// How a call ended otherwise, and whether another one may do better.
struct Arret {
    erreur: Erreur,
    reprise: Option<Duration>,
}

impl From<Erreur> for Arret {
    fn from(erreur: Erreur) -> Self {
        Self { erreur, reprise: None }
    }
}

fn coupure(url: &Url, e: &reqwest::Error) -> Arret {
    let quoi = if e.is_timeout() {
        "le serveur ne répond pas à temps"
    } else if e.is_connect() {
        "le serveur est injoignable"
    } else {
        "connexion coupée"
    };
    passager(url, quoi, Duration::ZERO)
}

fn passager(url: &Url, quoi: impl std::fmt::Display, attente: Duration) -> Arret {
    let erreur = Erreur::Indisponible(format!("téléchargement de {} : {quoi}", url.path()));
    Arret { erreur, reprise: Some(attente) }
}

/// What was received so far.
struct Recu {
    sortie: File,
    somme: Sha1,
    taille: u64,
    version: Version,
}

impl Recu {
    async fn essayer(
        &mut self,
        http: &Client,
        url: &Url,
        connue: &Version,
        limites: &Limites,
    ) -> Result<Tour, Arret> {
        let mut appel = http.get(url.clone());
        let reprise = self.taille > 0 && !self.version.validateur().is_empty();
        if reprise {
            appel = appel
                .header(RANGE, format!("bytes={}-", self.taille))
                .header(IF_RANGE, self.version.validateur());
        } else {
            if !connue.etag.is_empty() {
                appel = appel.header(IF_NONE_MATCH, &connue.etag);
            }
            if !connue.modifie.is_empty() {
                appel = appel.header(IF_MODIFIED_SINCE, &connue.modifie);
            }
        }
        let envoi = tokio::time::timeout(SILENCE, appel.send()).await;
        let reponse = envoi
            .map_err(|_| passager(url, "le serveur ne répond pas à temps", Duration::ZERO))?
            .map_err(|e| coupure(url, &e))?;
        let statut = reponse.status();
        match statut {
            StatusCode::NOT_MODIFIED => Ok(Tour::Inchange),
            StatusCode::PARTIAL_CONTENT if reprise && self.suit(reponse.headers()) => {
                self.ecrire(reponse, url, limites).await
            }
            StatusCode::OK => {
                self.recommencer().await?;
                self.version = Version::lire(reponse.headers());
                self.ecrire(reponse, url, limites).await
            }
            // What was received does not fit what the server has: from the start.
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.recommencer().await?;
                Err(passager(url, statut, Duration::ZERO))
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Err(passager(url, statut, attente_demandee(reponse.headers(), maintenant())))
            }
            _ if statut.is_server_error() => {
                Err(passager(url, statut, attente_demandee(reponse.headers(), maintenant())))
            }
            _ => Err(Erreur::Indisponible(format!("téléchargement de {} : {statut}", url.path())).into()),
        }
    }

    /// True when a partial answer begins where the file stops.
    fn suit(&self, entetes: &HeaderMap) -> bool {
        let dit = entetes.get(CONTENT_RANGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        dit.starts_with(&format!("bytes {}-", self.taille))
    }

    async fn recommencer(&mut self) -> Resultat<()> {
        self.sortie.set_len(0).await.map_err(disque)?;
        self.sortie.rewind().await.map_err(disque)?;
        self.somme = Sha1::new();
        self.taille = 0;
        self.version = Version::default();
        Ok(())
    }

    async fn ecrire(&mut self, mut reponse: Response, url: &Url, limites: &Limites) -> Result<Tour, Arret> {
        loop {
            let morceau = tokio::time::timeout(SILENCE, reponse.chunk())
                .await
                .map_err(|_| passager(url, "le serveur ne répond plus", Duration::ZERO))?
                .map_err(|e| coupure(url, &e))?;
            let Some(morceau) = morceau else {
                return Ok(Tour::Entier);
            };
            self.taille = self.taille.saturating_add(morceau.len() as u64);
            if self.taille > limites.octets_max {
                return Err(Erreur::Epuise(format!(
                    "téléchargement de {} : plus de {} octets (sync.download.max_bytes)",
                    url.path(),
                    limites.octets_max
                ))
                .into());
            }
            self.somme.update(&morceau);
            self.sortie.write_all(&morceau).await.map_err(disque)?;
        }
    }
}
