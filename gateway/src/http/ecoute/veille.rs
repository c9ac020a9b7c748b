//! Whether a connection lives: its requests, and who waits for whom. One timer a connection; a request, a piece
//! or a write costs a counter.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use axum::body::HttpBody;
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::reglages::Delais;

/// What a connection has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// Nothing is asked, and nothing was for long.
    Oisive,
    /// Its peer has taken nothing for long of what it asked.
    Bloquee,
}

/// What moves on a connection.
#[derive(Debug, Default)]
pub(super) struct Veille {
    /// Requests whose answer is not all handed over.
    en_cours: AtomicUsize,
    /// Of these, the ones whose peer waits for us.
    attendues: AtomicUsize,
    /// Whether the peer leaves no room to write.
    pleine: AtomicBool,
    /// Changes whenever something moves.
    mouvements: AtomicUsize,
}

impl Veille {
    fn bouger(&self) {
        self.mouvements.fetch_add(1, Relaxed);
    }

    fn ecrire(&self, pleine: bool) {
        if self.pleine.load(Relaxed) != pleine {
            self.pleine.store(pleine, Relaxed);
            self.bouger();
        }
    }

    /// What nothing that moves would make of it.
    fn sort(&self) -> Option<Sort> {
        let (pleine, en_cours) = (self.pleine.load(Relaxed), self.en_cours.load(Relaxed));
        if pleine || en_cours > self.attendues.load(Relaxed) {
            return Some(Sort::Bloquee);
        }
        (en_cours == 0).then_some(Sort::Oisive)
    }

    /// Waits until nothing has moved for as long as these allow, twice that at most.
    pub(super) async fn fin(&self, delais: &Delais) -> Sort {
        let mut vus = self.mouvements.load(Relaxed);
        loop {
            let delai = if self.sort() == Some(Sort::Oisive) { delais.inactive } else { delais.ecriture };
            tokio::time::sleep(delai).await;
            let lus = self.mouvements.load(Relaxed);
            if let Some(sort) = self.sort().filter(|_| lus == vus) {
                return sort;
            }
            vus = lus;
        }
    }
}

/// A request under way, to the end of its answer.
pub(super) struct Presence {
    veille: Arc<Veille>,
    /// Whether its peer waits for us.
    attendue: bool,
}

impl Presence {
    pub(super) fn nouvelle(veille: &Arc<Veille>) -> Self {
        veille.en_cours.fetch_add(1, Relaxed);
        veille.bouger();
        Self { veille: veille.clone(), attendue: false }
    }

    fn attendre(&mut self, attendue: bool) {
        match (self.attendue, attendue) {
            (false, true) => self.veille.attendues.fetch_add(1, Relaxed),
            (true, false) => self.veille.attendues.fetch_sub(1, Relaxed),
            _ => return,
        };
        self.attendue = attendue;
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.attendre(false);
        self.veille.en_cours.fetch_sub(1, Relaxed);
        self.veille.bouger();
    }
}

/// The body of an answer, watched.
pub(super) struct Veillee<B> {
    corps: B,
    presence: Presence,
}

impl<B> Veillee<B> {
    pub(super) fn nouvelle(corps: B, presence: Presence) -> Self {
        Self { corps, presence }
    }
}

impl<B: HttpBody + Unpin> HttpBody for Veillee<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let moi = self.get_mut();
        let trame = Pin::new(&mut moi.corps).poll_frame(cx);
        moi.presence.attendre(trame.is_pending());
        // What only joins what the peer does not take moves nothing: a sign of life does not keep it.
        if trame.is_ready() && !moi.presence.veille.pleine.load(Relaxed) {
            moi.presence.veille.bouger();
        }
        trame
    }

    fn is_end_stream(&self) -> bool {
        self.corps.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.corps.size_hint()
    }
}

/// The socket of a connection, watched.
pub(super) struct Flux {
    flux: TcpStream,
    veille: Arc<Veille>,
}

impl Flux {
    pub(super) fn nouveau(flux: TcpStream, veille: Arc<Veille>) -> Self {
        Self { flux, veille }
    }
}

impl AsyncRead for Flux {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        place: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.flux).poll_read(cx, place)
    }
}

impl AsyncWrite for Flux {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let ecrits = Pin::new(&mut self.flux).poll_write(cx, octets);
        self.veille.ecrire(ecrits.is_pending());
        ecrits
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let ecrits = Pin::new(&mut self.flux).poll_write_vectored(cx, pieces);
        self.veille.ecrire(ecrits.is_pending());
        ecrits
    }

    fn is_write_vectored(&self) -> bool {
        self.flux.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.flux).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.flux).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_idle_waits_for_us_or_for_its_peer() {
        let veille = Arc::new(Veille::default());
        assert_eq!(veille.sort(), Some(Sort::Oisive));
        let (mut une, autre) = (Presence::nouvelle(&veille), Presence::nouvelle(&veille));
        une.attendre(true);
        une.attendre(true);
        assert_eq!(veille.sort(), Some(Sort::Bloquee), "one waits for its peer");
        drop(autre);
        assert_eq!(veille.sort(), None, "we are waited for");
        let vus = veille.mouvements.load(Relaxed);
        veille.ecrire(false);
        assert_eq!(veille.mouvements.load(Relaxed), vus, "a write that goes through is no news");
        veille.ecrire(true);
        assert_eq!((veille.sort(), veille.mouvements.load(Relaxed)), (Some(Sort::Bloquee), vus + 1));
        veille.ecrire(false);
        drop(une);
        assert_eq!((veille.sort(), veille.attendues.load(Relaxed)), (Some(Sort::Oisive), 0));
    }
}
