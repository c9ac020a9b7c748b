//! Where an edition comes from: a file of this machine or an http(s) address. Read in
//! pieces, never whole.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use tokio::io::AsyncReadExt;

use super::reconnaitre::ENTAME;

/// Bytes of a piece, as many as the contract allows in a message.
const MORCEAU: usize = 1024 * 1024;
/// Longest silence of a server.
const SILENCE: Duration = Duration::from_secs(60);

/// A file or an address.
#[derive(Clone, Debug)]
pub enum Lieu {
    /// On this machine.
    Fichier(PathBuf),
    /// On a server.
    Url(reqwest::Url),
}

impl Lieu {
    /// What a person wrote.
    pub fn lire(texte: &str) -> anyhow::Result<Self> {
        if !texte.starts_with("http://") && !texte.starts_with("https://") {
            return Ok(Self::Fichier(PathBuf::from(texte)));
        }
        let url = reqwest::Url::parse(texte).with_context(|| format!("adresse {texte} illisible"))?;
        Ok(Self::Url(url))
    }

    /// Name of the file, which carries the edition.
    pub fn nom(&self) -> String {
        match self {
            Self::Fichier(f) => f.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            Self::Url(u) => {
                let dernier = u.path_segments().and_then(|mut s| s.rfind(|p| !p.is_empty()));
                dernier.unwrap_or("edition").to_owned()
            }
        }
    }

    /// Starts reading.
    pub async fn ouvrir(&self) -> anyhow::Result<Source> {
        match self {
            Self::Fichier(f) => ouvrir_fichier(f).await,
            Self::Url(u) => ouvrir_url(u).await,
        }
    }

    /// The first bytes, enough to know what it is.
    pub async fn entame(&self) -> anyhow::Result<Vec<u8>> {
        let mut source = self.ouvrir().await?;
        let mut debut = Vec::new();
        while debut.len() < ENTAME {
            let Some(octets) = source.suivant().await? else { break };
            debut.extend_from_slice(&octets);
        }
        debut.truncate(ENTAME);
        Ok(debut)
    }
}

impl From<&Path> for Lieu {
    fn from(f: &Path) -> Self {
        Self::Fichier(f.to_owned())
    }
}

async fn ouvrir_fichier(f: &Path) -> anyhow::Result<Source> {
    let ouvert = async {
        let fichier = tokio::fs::File::open(f).await?;
        let taille = fichier.metadata().await?.len();
        std::io::Result::Ok((fichier, taille))
    };
    let (fichier, taille) = match ouvert.await {
        Ok(o) => o,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            anyhow::bail!("fichier {} introuvable", f.display())
        }
        Err(e) => anyhow::bail!("fichier {} illisible : {e}", f.display()),
    };
    Ok(Source { taille: Some(taille), corps: Corps::Fichier(fichier) })
}

async fn ouvrir_url(u: &reqwest::Url) -> anyhow::Result<Source> {
    let client = reqwest::Client::builder()
        .user_agent(concat!("ror/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(SILENCE)
        .build()
        .context("le client HTTP ne peut pas être préparé")?;
    let reponse = client.get(u.clone()).send().await.with_context(|| format!("{u} ne répond pas"))?;
    anyhow::ensure!(reponse.status().is_success(), "{u} répond {}", reponse.status());
    Ok(Source { taille: reponse.content_length(), corps: Corps::Http(Box::new(reponse)) })
}

enum Corps {
    Fichier(tokio::fs::File),
    Http(Box<reqwest::Response>),
}

/// Bytes being read.
pub struct Source {
    /// How many there are, when it is told.
    pub taille: Option<u64>,
    corps: Corps,
}

impl Source {
    /// The next bytes; none at the end.
    pub async fn suivant(&mut self) -> anyhow::Result<Option<Bytes>> {
        match &mut self.corps {
            Corps::Fichier(f) => {
                let mut tampon = Vec::with_capacity(MORCEAU);
                let n = f.read_buf(&mut tampon).await.context("la lecture du fichier a échoué")?;
                Ok((n > 0).then(|| Bytes::from(tampon)))
            }
            Corps::Http(r) => r.chunk().await.context("le téléchargement s'est interrompu"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path_or_of_an_address() {
        let nom = |t: &str| Lieu::lire(t).map(|l| l.nom()).unwrap_or_default();
        assert_eq!(nom("/tmp/jeu/finess-structures-20261001.json.gz"), "finess-structures-20261001.json.gz");
        assert_eq!(nom("https://exemple.invalid/r/a.json.gz?x=1"), "a.json.gz");
        assert_eq!(nom("http://exemple.invalid/"), "edition");
        assert!(Lieu::lire("http://").is_err());
    }

    #[tokio::test]
    async fn a_file_is_read_in_pieces_and_a_missing_one_is_told() -> anyhow::Result<()> {
        let dossier = tempfile::tempdir()?;
        let chemin = dossier.path().join("long");
        std::fs::write(&chemin, vec![b'a'; 3 * MORCEAU / 2])?;
        let lieu = Lieu::from(chemin.as_path());
        assert_eq!(lieu.entame().await?.len(), ENTAME);
        let mut source = lieu.ouvrir().await?;
        assert_eq!(source.taille, Some(3 * MORCEAU as u64 / 2));
        let mut total = 0;
        while let Some(o) = source.suivant().await? {
            assert!(o.len() <= MORCEAU);
            total += o.len();
        }
        assert_eq!(total, 3 * MORCEAU / 2);
        let e = Lieu::from(dossier.path().join("absent").as_path()).ouvrir().await.err();
        assert!(e.is_some_and(|e| e.to_string().contains("introuvable")));
        Ok(())
    }
}
