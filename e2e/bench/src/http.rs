//! The smallest HTTP/1.1 client that can be honest: one connection kept open, a
//! prepared request, a reply read by its Content-Length or by its chunks. It shares the
//! cores with what it measures, so it must cost next to nothing; it asks for no compression.

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
/// Largest chunk of a body.
const MORCEAU_MAX: usize = 1 << 30;

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
        let (fin, premier_octet) = self.demander(requete).await?;
        let statut = statut(&self.recu[..fin])?;
        let debut = fin + 4;
        let total = match cadre(&self.recu[..fin], statut)? {
            Cadre::Longueur(n) => {
                let total = debut + n;
                self.recu.reserve(total.saturating_sub(self.recu.len()));
                while self.recu.len() < total {
                    self.lire().await?;
                }
                total
            }
            Cadre::Morceaux => self.assembler(debut).await?,
        };
        Ok(Reponse { statut, entetes: &self.recu[..fin], corps: &self.recu[debut..total], premier_octet })
    }

    /// Sends a request and drops the body as it comes, whatever its length: the status and
    /// the bytes of the body.
    pub async fn avaler(&mut self, requete: &[u8]) -> Result<(u16, u64)> {
        let (fin, _) = self.demander(requete).await?;
        let statut = statut(&self.recu[..fin])?;
        let cadre = cadre(&self.recu[..fin], statut)?;
        self.recu.drain(..fin + 4);
        let octets = match cadre {
            Cadre::Longueur(n) => {
                self.consommer(n).await?;
                n as u64
            }
            Cadre::Morceaux => {
                let mut octets = 0;
                loop {
                    let taille = self.taille_morceau(0).await?;
                    self.recu.drain(..taille.entete);
                    // Data, then an empty line.
                    self.consommer(taille.octets + 2).await?;
                    octets += taille.octets as u64;
                    if taille.octets == 0 {
                        break octets;
                    }
                }
            }
        };
        Ok((statut, octets))
    }

    /// Sends a request and reads the head of the reply: where it ends, and how long the first byte took.
    async fn demander(&mut self, requete: &[u8]) -> Result<(usize, Duration)> {
        self.recu.clear();
        let debut = Instant::now();
        self.flux.write_all(requete).await?;
        self.flux.flush().await?;
        self.lire().await?;
        let premier_octet = debut.elapsed();
        loop {
            if let Some(i) = self.recu.windows(4).position(|f| f == b"\r\n\r\n") {
                return Ok((i, premier_octet));
            }
            ensure!(self.recu.len() < ENTETE_MAX, "the head of the reply never ends");
            self.lire().await?;
        }
    }

    /// Reads a chunked body and puts its chunks one after the other; where it ends.
    async fn assembler(&mut self, debut: usize) -> Result<usize> {
        let (mut lu, mut ecrit) = (debut, debut);
        loop {
            let taille = self.taille_morceau(lu).await?;
            let donnees = lu + taille.entete;
            while self.recu.len() < donnees + taille.octets + 2 {
                self.lire().await?;
            }
            self.recu.copy_within(donnees..donnees + taille.octets, ecrit);
            ecrit += taille.octets;
            lu = donnees + taille.octets + 2;
            if taille.octets == 0 {
                return Ok(ecrit);
            }
        }
    }

    /// The size line of the chunk that begins there.
    async fn taille_morceau(&mut self, debut: usize) -> Result<Morceau> {
        loop {
            if let Some(i) = self.recu[debut..].windows(2).position(|f| f == b"\r\n") {
                let ligne = std::str::from_utf8(&self.recu[debut..debut + i])?;
                let taille = ligne.split(';').next().unwrap_or("").trim();
                let octets = usize::from_str_radix(taille, 16).context("unreadable chunk size")?;
                ensure!(octets < MORCEAU_MAX, "a chunk of {octets} bytes");
                return Ok(Morceau { entete: i + 2, octets });
            }
            ensure!(self.recu.len() - debut < ENTETE_MAX, "a chunk size that never ends");
            self.lire().await?;
        }
    }

    /// Reads so many bytes and drops them.
    async fn consommer(&mut self, mut reste: usize) -> Result<()> {
        loop {
            let n = reste.min(self.recu.len());
            self.recu.drain(..n);
            reste -= n;
            if reste == 0 {
                return Ok(());
            }
            self.lire().await?;
        }
    }

    async fn lire(&mut self) -> Result<()> {
        let n = self.flux.read_buf(&mut self.recu).await?;
        ensure!(n > 0, "the server closed the connection");
        Ok(())
    }
}

/// How the end of a body is told.
enum Cadre {
    Longueur(usize),
    Morceaux,
}

/// A chunk: length of its size line, and of its data.
struct Morceau {
    entete: usize,
    octets: usize,
}

fn statut(tete: &[u8]) -> Result<u16> {
    let code = tete.get(9..12).and_then(|c| std::str::from_utf8(c).ok()).and_then(|c| c.parse().ok());
    code.context("unreadable status line")
}

fn cadre(tete: &[u8], statut: u16) -> Result<Cadre> {
    if entete(tete, "transfer-encoding").is_some_and(|t| t.eq_ignore_ascii_case("chunked")) {
        return Ok(Cadre::Morceaux);
    }
    match entete(tete, "content-length") {
        Some(l) => Ok(Cadre::Longueur(l.parse().context("unreadable Content-Length")?)),
        None if matches!(statut, 204 | 304) => Ok(Cadre::Longueur(0)),
        None => bail!("a reply whose end is not told (status {statut})"),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection whose other end answers these pieces to each request.
    fn repondre(morceaux: &'static [&'static str]) -> Connexion<tokio::io::DuplexStream> {
        let (ici, mut la_bas) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let mut recu = [0; 256];
            while la_bas.read(&mut recu).await.is_ok_and(|n| n > 0) {
                for m in morceaux {
                    la_bas.write_all(m.as_bytes()).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        });
        Connexion::sur(ici)
    }

    #[tokio::test]
    async fn chunks_are_put_together_wherever_they_are_cut() {
        let mut c = repondre(&[
            "HTTP/1.1 200 OK\r\nTransfer-Enco",
            "ding: chunked\r\n\r\n4\r\nab",
            "cd\r",
            "\n0a;x=y\r\n0123456789\r\n0\r\n\r\n",
        ]);
        for _ in 0..2 {
            let r = c.echanger(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
            assert_eq!((r.statut, r.corps), (200, b"abcd0123456789".as_slice()));
            assert_eq!(c.avaler(b"GET / HTTP/1.1\r\n\r\n").await.unwrap(), (200, 14));
        }
    }

    #[tokio::test]
    async fn lengths_are_obeyed() {
        let mut c = repondre(&["HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\n\r\nno", "n"]);
        let r = c.echanger(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!((r.statut, r.corps), (404, b"non".as_slice()));
        assert_eq!(c.avaler(b"GET / HTTP/1.1\r\n\r\n").await.unwrap(), (404, 3));
    }
}
