//! The span of a request: as long as its answer is being made.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    Error,
    body::{Body, Bytes, HttpBody},
    extract::Request,
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};
use ror_chassis::telemetrie::rattacher;
use tracing::{Instrument, Span};

/// Layer: a span around each request.
pub(super) async fn suivre(r: Request, next: Next) -> Response {
    // The path only: a query string may hold a person's number.
    let span = tracing::info_span!("http", method = %r.method(), path = super::chemin(r.uri().path()));
    rattacher(&span, r.headers());
    let reponse = next.run(r).instrument(span.clone()).await;
    // A body of known length is made: sending it has nothing to say, and is by many pieces.
    if reponse.body().size_hint().exact().is_some() {
        return reponse;
    }
    reponse.map(|corps| Body::new(Suivi { corps, span }))
}

/// A body that is made while it is sent.
struct Suivi {
    corps: Body,
    span: Span,
}

impl HttpBody for Suivi {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let moi = self.get_mut();
        let _dedans = moi.span.enter();
        Pin::new(&mut moi.corps).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.corps.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.corps.size_hint()
    }
}
