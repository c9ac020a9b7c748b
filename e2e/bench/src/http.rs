//! The smallest HTTP/1.1 client that can be honest: one connection kept open, a
//! prepared request, a reply read by its Content-Length. It shares the cores with what
//! it measures, so it must cost next to nothing; it asks for no compression.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

/// Longest head of a reply.
const ENTETE_MAX: usize = 64 * 1024;

/// One connection.
pub struct Connexion<S> {
    flux: S,
    recu: Vec<u8>,
}

/// A whole reply.
pub struct Reponse<'a> {
    /// Status code.
    pub statut: u16,
    /// Header lines, status line first.
    pub entetes: &'a [u8],
    /// Body.
    pub corps: &'a [u8],
    /// From the first byte sent to the first byte received.
    pub premier_octet: Duration,
}

impl Reponse<'_> {
    /// A header.
    pub fn entete(&self, nom: &str) -> Option<&str> {
        entete(self.entetes, nom)
    }

    /// Refuses any other status, showing the beginning of the body.
    pub fn exiger(&self, statut: u16) -> Result<()> {
        if self.statut != statut {
            let debut = &self.corps[..self.corps.len().min(600)];
            bail!("status {} instead of {statut}: {}", self.statut, String::from_utf8_lossy(debut));
        }
        Ok(())
    }
}

impl Connexion<TcpStream> {
    /// Connects in clear.
    pub async fn ouvrir(adresse: SocketAddr) -> Result<Self> {
        let flux = TcpStream::connect(adresse).await.with_context(|| format!("no answer at {adresse}"))?;
        flux.set_nodelay(true)?;
        Ok(Self::sur(flux))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connexion<S> {
    /// Over a stream that is open already.
    pub fn sur(flux: S) -> Self {
        Self { flux, recu: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and reads the whole reply.
    pub async fn echanger(&mut self, requete: &[u8]) -> Result<Reponse<'_>> {
        self.recu.clear();
        let debut = Instant::now();
        self.flux.write_all(requete).await?;
        self.flux.flush().await?;
        self.lire().await?;
        let premier_octet = debut.elapsed();
        let fin = loop {
            if let Some(i) = self.recu.windows(4).position(|f| f == b"\r\n\r\n") {
                break i;
            }
            ensure!(self.recu.len() < ENTETE_MAX, "the head of the reply never ends");
            self.lire().await?;
        };
        let tete = &self.recu[..fin];
        let statut = tete.get(9..12).and_then(|c| std::str::from_utf8(c).ok()).and_then(|c| c.parse().ok());
        let statut: u16 = statut.context("unreadable status line")?;
        let longueur = match entete(tete, "content-length") {
            Some(l) => l.parse::<usize>().context("unreadable Content-Length")?,
            None if matches!(statut, 204 | 304) => 0,
            None => bail!("a reply without Content-Length (status {statut})"),
        };
        let total = fin + 4 + longueur;
        self.recu.reserve(total.saturating_sub(self.recu.len()));
        while self.recu.len() < total {
            self.lire().await?;
        }
        Ok(Reponse { statut, entetes: &self.recu[..fin], corps: &self.recu[fin + 4..total], premier_octet })
    }

    async fn lire(&mut self) -> Result<()> {
        let n = self.flux.read_buf(&mut self.recu).await?;
        ensure!(n > 0, "the server closed the connection");
        Ok(())
    }
}

fn entete<'a>(tete: &'a [u8], nom: &str) -> Option<&'a str> {
    let tete = std::str::from_utf8(tete).ok()?;
    let lignes = tete.split("\r\n").skip(1).filter_map(|l| l.split_once(':'));
    lignes.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(nom)).map(|(_, v)| v.trim())
}

/// Percent-encodes a value of a query or of a form.
pub fn encoder(valeur: &str) -> String {
    let mut s = String::with_capacity(valeur.len());
    for o in valeur.bytes() {
        if o.is_ascii_alphanumeric() || matches!(o, b'-' | b'.' | b'_' | b'~') {
            s.push(char::from(o));
        } else {
            s.push_str(&format!("%{o:02X}"));
        }
    }
    s
}

/// Writes a request without body.
pub fn get(sortie: &mut Vec<u8>, chemin: &str, communs: &str) {
    sortie.clear();
    for partie in ["GET ", chemin, " HTTP/1.1\r\n", communs, "\r\n"] {
        sortie.extend_from_slice(partie.as_bytes());
    }
}

/// Writes a request with a body; `communs` are whole header lines.
pub fn avec_corps(
    sortie: &mut Vec<u8>,
    methode: &str,
    chemin: &str,
    communs: &str,
    genre: &str,
    corps: &[u8],
) {
    sortie.clear();
    let tete = format!(
        "{methode} {chemin} HTTP/1.1\r\n{communs}Content-Type: {genre}\r\nContent-Length: {}\r\n\r\n",
        corps.len()
    );
    sortie.extend_from_slice(tete.as_bytes());
    sortie.extend_from_slice(corps);
}
