//! At the edge of the transport: the pieces that a body has ready leave in one write, where each
//! would be a frame of its own, and sixteen of them a write.

use std::{
    collections::VecDeque,
    io::IoSlice,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
};
use bytes::Buf;
use http::HeaderMap;
use hyper::body::{Frame, SizeHint};

/// Pieces of a lot: with the head of the answer, what one vectored write takes (64).
const PIECES: usize = 60;
/// Bytes from which a lot leaves.
const OCTETS: usize = 256 * 1024;

/// Pieces that leave together, none empty.
#[derive(Default)]
pub(super) struct Lot {
    pieces: VecDeque<Bytes>,
    reste: usize,
}

impl Lot {
    fn ajouter(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.reste += piece.len();
            self.pieces.push_back(piece);
        }
    }

    fn plein(&self) -> bool {
        self.pieces.len() >= PIECES || self.reste >= OCTETS
    }
}

impl Buf for Lot {
    fn remaining(&self) -> usize {
        self.reste
    }

    fn chunk(&self) -> &[u8] {
        self.pieces.front().map_or(&[], |p| &p[..])
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        for (place, piece) in dst.iter_mut().zip(&self.pieces) {
            *place = IoSlice::new(piece);
        }
        dst.len().min(self.pieces.len())
    }

    fn advance(&mut self, mut n: usize) {
        self.reste -= n;
        while let Some(piece) = self.pieces.front_mut() {
            if n < piece.len() {
                piece.advance(n);
                return;
            }
            n -= piece.len();
            self.pieces.pop_front();
        }
    }
}

/// A body by lots.
pub(super) struct ParLots {
    corps: Body,
    finie: bool,
    /// What follows the last lot.
    fin: Option<Result<HeaderMap, Error>>,
}

impl ParLots {
    /// Of that body.
    pub(super) fn de(corps: Body) -> Self {
        Self { corps, finie: false, fin: None }
    }

    fn finir(&mut self, fin: Option<Result<HeaderMap, Error>>) {
        self.finie = true;
        self.fin = fin;
    }
}

impl HttpBody for ParLots {
    type Data = Lot;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Lot>, Error>>> {
        let moi = self.get_mut();
        let mut lot = Lot::default();
        while !moi.finie && !lot.plein() {
            match Pin::new(&mut moi.corps).poll_frame(cx) {
                Poll::Pending if lot.reste == 0 => return Poll::Pending,
                Poll::Pending => break,
                Poll::Ready(None) => moi.finir(None),
                Poll::Ready(Some(Err(e))) => moi.finir(Some(Err(e))),
                Poll::Ready(Some(Ok(trame))) => match trame.into_data() {
                    Ok(piece) => {
                        lot.ajouter(piece);
                        moi.finie = moi.corps.is_end_stream();
                    }
                    Err(autre) => moi.finir(autre.into_trailers().ok().map(Ok)),
                },
            }
        }
        if lot.reste > 0 {
            return Poll::Ready(Some(Ok(Frame::data(lot))));
        }
        Poll::Ready(moi.fin.take().map(|fin| fin.map(Frame::trailers)))
    }

    fn is_end_stream(&self) -> bool {
        self.fin.is_none() && (self.finie || self.corps.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.corps.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use futures::{StreamExt as _, stream};
    use http_body_util::{BodyExt, StreamBody};

    fn lot(pieces: &[&'static str]) -> Lot {
        let mut lot = Lot::default();
        pieces.iter().for_each(|p| lot.ajouter(Bytes::from_static(p.as_bytes())));
        lot
    }

    async fn suivant(corps: &mut ParLots) -> Option<Lot> {
        corps.frame().await.map(|t| t.unwrap().into_data().ok().unwrap())
    }

    #[test]
    fn a_lot_reads_as_its_pieces_one_after_another() {
        for pas in 1..=9 {
            let (mut lot, mut lu) = (lot(&["un", "", "deux", "six"]), Vec::new());
            while lot.has_remaining() {
                let mut vues = [IoSlice::new(&[]); 4];
                let nombre = lot.chunks_vectored(&mut vues);
                let vues: Vec<u8> = vues[..nombre].iter().flat_map(|v| v.iter().copied()).collect();
                assert_eq!((vues.len(), vues.as_slice()), (lot.remaining(), &b"undeuxsix"[lu.len()..]));
                let n = pas.min(lot.remaining());
                lu.extend_from_slice(&vues[..n]);
                lot.advance(n);
                assert_eq!(lot.chunk().is_empty(), lot.remaining() == 0);
            }
            assert_eq!(lu, b"undeuxsix");
        }
        let (deux, rien) = (lot(&["un", "deux"]), lot(&[]));
        let mut une = [IoSlice::new(&[]); 1];
        assert_eq!((deux.chunks_vectored(&mut une), rien.chunks_vectored(&mut une)), (1, 0));
    }

    #[tokio::test]
    async fn what_is_ready_leaves_together_and_what_is_not_holds_nothing_back() {
        let pieces = ["un", "", "deux"].map(|p| Ok::<_, Infallible>(Bytes::from_static(p.as_bytes())));
        let suite = stream::once(async {
            tokio::task::yield_now().await;
            Ok(Bytes::from_static(b"trois"))
        });
        let mut corps = ParLots::de(Body::from_stream(stream::iter(pieces).chain(suite)));
        assert_eq!(suivant(&mut corps).await.unwrap().copy_to_bytes(6), "undeux");
        assert_eq!(suivant(&mut corps).await.unwrap().copy_to_bytes(5), "trois");
        assert!(suivant(&mut corps).await.is_none() && corps.is_end_stream());
        assert!(suivant(&mut corps).await.is_none(), "the stream is not asked again");
        let entier = ParLots::de(Body::from("un"));
        assert_eq!((entier.size_hint().exact(), entier.is_end_stream()), (Some(2), false));
        assert!(ParLots::de(Body::empty()).is_end_stream());
    }

    #[tokio::test]
    async fn a_lot_is_bounded_and_the_last_one_ends_the_body() {
        let pieces = vec![Bytes::from_static(b"x"); PIECES + 1];
        let mut corps = ParLots::de(Body::new(super::super::corps::Entier::de(pieces)));
        assert_eq!(suivant(&mut corps).await.unwrap().remaining(), PIECES);
        assert!(!corps.is_end_stream());
        assert_eq!((suivant(&mut corps).await.unwrap().remaining(), corps.is_end_stream()), (1, true));
        let gros = vec![Bytes::from(vec![0u8; OCTETS / 2]); 3];
        let mut corps = ParLots::de(Body::new(super::super::corps::Entier::de(gros)));
        assert_eq!(suivant(&mut corps).await.unwrap().remaining(), OCTETS);
    }

    #[tokio::test]
    async fn errors_and_trailers_come_after_what_precedes_them() {
        let trames = [Ok(Bytes::from_static(b"un")), Err(std::io::Error::other("coupure"))];
        let mut corps = ParLots::de(Body::from_stream(stream::iter(trames)));
        assert_eq!(suivant(&mut corps).await.unwrap().copy_to_bytes(2), "un");
        assert!(!corps.is_end_stream());
        assert!(corps.frame().await.unwrap().is_err());
        let mut apres = HeaderMap::new();
        apres.insert("a", http::HeaderValue::from_static("b"));
        let trames = [Frame::data(Bytes::from_static(b"un")), Frame::trailers(apres.clone())];
        let trames = stream::iter(trames.map(Ok::<_, Infallible>));
        let mut corps = ParLots::de(Body::new(StreamBody::new(trames)));
        assert_eq!(suivant(&mut corps).await.unwrap().copy_to_bytes(2), "un");
        let fin = corps.frame().await.unwrap().unwrap().into_trailers().ok().unwrap();
        assert_eq!(fin, apres);
        assert!(corps.is_end_stream());
    }
}
