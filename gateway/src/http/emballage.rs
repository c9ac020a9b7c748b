//! Long answers in gzip: one thread packs fewer bytes a second than they are made at, so they are packed by blocks, some
//! at once, in the threads that make them. Blocks of deflate that each end on a whole byte are one stream when put
//! one after the other.

use std::io::{self, Write as _};

use axum::{
    body::{Body, Bytes, HttpBody as _},
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use flate2::{Compression, Crc, write::DeflateEncoder};
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, header};

use super::{
    negociation::JSON,
    telechargement::{TelQuel, encodages},
};
use crate::{Partage, rendu::Atelier};

/// Pieces of a block, at most, among those that are ready.
const PIECES: usize = 64;
/// Blocks under way for one answer.
const EN_COURS: usize = 3;
/// What begins a file, of no name and no date, packed fast (RFC 1952).
const TETE: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// A last block, of nothing.
const FIN: [u8; 2] = [3, 0];

/// Layer: packs the answers that are made part by part, for who takes gzip and nothing better. The others are for the
/// next layer.
pub(super) async fn par_blocs(State(p): State<Partage>, r: Request, next: Next) -> Response {
    let voulu = voulu(r.headers());
    let reponse = next.run(r).await;
    if !voulu || !par_parties(&reponse) {
        return reponse;
    }
    let (mut tete, corps) = reponse.into_parts();
    tete.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    tete.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let atelier = p.atelier.clone();
    Response::from_parts(tete, Body::from_stream(emballer(atelier, corps)))
}

fn voulu(entetes: &HeaderMap) -> bool {
    let (gzip, clair) = encodages(entetes);
    let autres = |v: &HeaderValue| v.to_str().is_ok_and(|v| v.contains("zstd") || v.contains('*'));
    gzip > 0 && gzip >= clair && !entetes.get_all(header::ACCEPT_ENCODING).iter().any(autres)
}

/// What is made part by part, and is not a file that lies on disk, with its own length and ranges.
fn par_parties(r: &Response) -> bool {
    let h = r.headers();
    let json =
        h.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with(JSON[0]));
    let fixe = [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::CONTENT_RANGE];
    json && !fixe.iter().any(|f| h.contains_key(f))
        && r.extensions().get::<TelQuel>().is_none()
        && r.body().size_hint().exact().is_none()
}

/// A block, packed, and what sums its bytes.
type Bloc = (Vec<u8>, Crc);

fn comprimer(pieces: &[Bytes]) -> io::Result<Bloc> {
    let (mut deflate, mut somme) = (DeflateEncoder::new(Vec::new(), Compression::fast()), Crc::new());
    for piece in pieces {
        somme.update(piece);
        deflate.write_all(piece)?;
    }
    // To a whole byte; what ends a stream is left out.
    deflate.flush()?;
    Ok((std::mem::take(deflate.get_mut()), somme))
}

fn emballer(atelier: std::sync::Arc<Atelier>, corps: Body) -> impl Stream<Item = io::Result<Bytes>> {
    let blocs = corps.into_data_stream().ready_chunks(PIECES).map(move |pieces| {
        let pieces: Result<Vec<Bytes>, _> = pieces.into_iter().collect();
        let fait = pieces.map(|pieces| atelier.faire(move || comprimer(&pieces)));
        async move { fait.map_err(io::Error::other)?.await? }
    });
    let blocs = Box::pin(blocs.buffered(EN_COURS));
    let suite = stream::unfold((blocs, Some(Crc::new())), |(mut blocs, somme)| async move {
        let mut somme = somme?;
        let (octets, reste) = match blocs.next().await {
            Some(Ok((octets, de))) => {
                somme.combine(&de);
                (Ok(octets), Some(somme))
            }
            Some(Err(e)) => (Err(e), None),
            None => {
                let fin = [&FIN[..], &somme.sum().to_le_bytes(), &somme.amount().to_le_bytes()].concat();
                (Ok(fin), None)
            }
        };
        Some((octets.map(Bytes::from), (blocs, reste)))
    });
    stream::iter([Ok(Bytes::from_static(&TETE))]).chain(suite)
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, sync::Arc};

    use super::*;

    fn entetes(lignes: &[&'static str]) -> HeaderMap {
        let paire = |l: &&'static str| (header::ACCEPT_ENCODING, HeaderValue::from_static(l));
        lignes.iter().map(paire).collect()
    }

    #[test]
    fn gzip_is_for_who_takes_nothing_better() {
        for oui in
            [&["gzip"][..], &["gzip, deflate"], &["deflate", "gzip;q=0.5, identity;q=0.1"], &["x-gzip"]]
        {
            assert!(voulu(&entetes(oui)), "{oui:?}");
        }
        for non in [&[][..], &["identity"], &["gzip;q=0"], &["gzip, zstd"], &["*"], &["gzip;q=0.1, identity"]]
        {
            assert!(!voulu(&entetes(non)), "{non:?}");
        }
    }

    async fn emballe(pieces: Vec<io::Result<Bytes>>) -> Vec<io::Result<Bytes>> {
        let atelier = Arc::new(Atelier::nouveau(2).unwrap());
        emballer(atelier, Body::from_stream(stream::iter(pieces))).collect().await
    }

    #[tokio::test]
    async fn blocks_are_one_file() {
        for nombre in [0, 1, PIECES, 5 * PIECES + 1] {
            let pieces: Vec<Bytes> =
                (0..nombre).map(|n| format!("pièce {n} ").repeat(n * 37 % 5_003).into()).collect();
            let blocs = emballe(pieces.iter().cloned().map(Ok).collect()).await;
            assert!(blocs.len() >= 2 + nombre / PIECES);
            let paquet: Vec<u8> = blocs.into_iter().flat_map(Result::unwrap).collect();
            let mut lu = Vec::new();
            // Of one member only: some clients read no more.
            let mut gzip = flate2::read::GzDecoder::new(&paquet[..]);
            gzip.read_to_end(&mut lu).unwrap();
            assert_eq!(lu, pieces.concat());
            assert!(gzip.into_inner().is_empty());
        }
    }

    #[tokio::test]
    async fn a_body_that_fails_ends_as_it_failed() {
        let mut blocs = emballe(vec![Ok(Bytes::from_static(b"un")), Err(io::Error::other("coupure"))]).await;
        assert!(blocs.pop().unwrap().is_err());
        assert!(blocs.into_iter().all(|b| b.is_ok_and(|b| !b.starts_with(&FIN))));
    }
}
