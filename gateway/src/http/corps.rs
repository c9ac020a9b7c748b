//! A body that is whole before it leaves: its pieces go as they are, its length is told.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

/// Pieces, sent one after another.
pub(super) struct Entier {
    pieces: vec::IntoIter<Bytes>,
    reste: u64,
}

impl Entier {
    /// Made of these, none empty.
    pub(super) fn de(pieces: Vec<Bytes>) -> Self {
        let reste = pieces.iter().map(|p| p.len() as u64).sum();
        Self { pieces: pieces.into_iter(), reste }
    }
}

impl HttpBody for Entier {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let moi = self.get_mut();
        let piece = moi.pieces.next();
        moi.reste -= piece.as_ref().map_or(0, |p| p.len() as u64);
        Poll::Ready(piece.map(|p| Ok(Frame::data(p))))
    }

    fn is_end_stream(&self) -> bool {
        self.reste == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.reste)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn the_length_is_told_and_holds_to_the_end() {
        let pieces: Vec<Bytes> = [b"un".as_slice(), b"deux", b"trois"].map(Bytes::from_static).into();
        let mut corps = Body::new(Entier::de(pieces.clone()));
        let mut reste = 11;
        for piece in pieces {
            assert_eq!(corps.size_hint().exact(), Some(reste));
            assert!(!corps.is_end_stream());
            assert_eq!(corps.frame().await.unwrap().unwrap().into_data().unwrap(), piece);
            reste -= piece.len() as u64;
        }
        assert_eq!((corps.size_hint().exact(), corps.is_end_stream()), (Some(0), true));
        assert!(corps.frame().await.is_none());
        assert!(Entier::de(Vec::new()).is_end_stream());
    }
}
