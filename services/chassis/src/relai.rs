//! The relay: publishes the outbox to JetStream, in order, at least once; the
//! broker drops an event id it has seen, and followers ignore versions they hold,
//! so each change takes effect once whatever the moment of a crash.

use std::time::Duration;

use async_nats::{HeaderMap, jetstream};
use futures::{StreamExt, future::try_join_all};
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Erreur, Resultat, magasin::Magasin, nats::Jet};

const LOT: i64 = 500;
/// Poll of the leader, should a wake-up be lost.
const REPRISE: Duration = Duration::from_secs(1);
const PURGE: Duration = Duration::from_secs(600);
/// Published rows stay this long, as evidence.
const CONSERVATION: &str = "3 days";

/// Moments at which a crash test stops the relay (`ROR_CRASH_POINT`, debug builds only).
fn point_de_rupture(_moment: &str) {
    #[cfg(debug_assertions)]
    if std::env::var("ROR_CRASH_POINT").is_ok_and(|m| m == _moment) {
        tracing::error!(moment = _moment, "crash point reached");
        std::process::abort();
    }
}

/// Subject by which a replica that wrote wakes the one that relays.
fn appel(service: &str) -> String {
    format!("ror.{service}.reveil")
}

/// Runs until `arret`; one relay a service holds the advisory lock, the others wait.
pub async fn faire_suivre(magasin: Magasin, jet: Jet, arret: CancellationToken, pret: impl Fn(bool) + Send) {
    let mut attente = Duration::from_millis(50);
    while !arret.is_cancelled() {
        match tour(&magasin, &jet, &arret, &pret).await {
            Ok(()) => return,
            Err(e) => {
                pret(false);
                tracing::warn!(service = magasin.service(), error = %e, "outbox relay stopped, starting again");
                // The age of what waits must show precisely while nothing leaves.
                if let Ok(mut c) = magasin.pool().acquire().await {
                    let _ = mesurer_retard(&mut c, magasin.service()).await;
                }
                tokio::select! {
                    () = tokio::time::sleep(attente) => {}
                    () = arret.cancelled() => return,
                }
                attente = (attente * 2).min(Duration::from_secs(2));
            }
        }
    }
}

async fn tour(magasin: &Magasin, jet: &Jet, arret: &CancellationToken, pret: &impl Fn(bool)) -> Resultat<()> {
    let service = magasin.service();
    // Its own connection: the advisory lock lives and dies with it.
    let mut verrou = magasin.pool().acquire().await?.detach();
    // A mark lost in a crash only publishes again what the broker or the followers drop:
    // marks must not wait for the disk, nor make writes wait for theirs.
    sqlx::query("set synchronous_commit = off").execute(&mut verrou).await?;
    loop {
        let pris: bool =
            sqlx::query_scalar("select pg_try_advisory_lock(hashtext(current_schema()), hashtext('relai'))")
                .fetch_one(&mut verrou)
                .await?;
        if pris {
            break;
        }
        pret(true);
        tokio::select! {
            // This replica wrote: the one that relays is told at once.
            () = magasin.reveil().notified() => {
                let _ = jet.client.publish(appel(service), Default::default()).await;
            }
            () = tokio::time::sleep(Duration::from_millis(500)) => {}
            () = arret.cancelled() => { let _ = verrou.close().await; return Ok(()); }
        }
    }
    let mut appels = jet
        .client
        .subscribe(appel(service))
        .await
        .map_err(|e| Erreur::Indisponible(format!("NATS : {e}")))?;
    reperer_flux(&mut verrou, jet, service).await?;
    pret(true);
    let mut derniere_purge = tokio::time::Instant::now();
    let mut derniere_mesure = derniere_purge;
    loop {
        let publies = vider(&mut verrou, jet, service).await?;
        if publies as i64 == LOT {
            continue;
        }
        if derniere_mesure.elapsed() > REPRISE {
            // A follower may have made the stream anew while nothing was published.
            reperer_flux(&mut verrou, jet, service).await?;
            mesurer_retard(&mut verrou, service).await?;
            derniere_mesure = tokio::time::Instant::now();
        }
        if derniere_purge.elapsed() > PURGE {
            purger(&mut verrou).await?;
            derniere_purge = tokio::time::Instant::now();
        }
        tokio::select! {
            () = magasin.reveil().notified() => {}
            a = appels.next() => if a.is_none() {
                return Err(Erreur::Indisponible("NATS : abonnement interrompu".into()));
            },
            () = tokio::time::sleep(REPRISE) => {}
            () = arret.cancelled() => {
                // What was committed before the stop still leaves.
                while vider(&mut verrou, jet, service).await? > 0 {}
                let _ = verrou.close().await;
                return Ok(());
            }
        }
    }
}

/// Notes which life of the stream the sequences belong to; a new life starts from 0.
async fn reperer_flux(tx: &mut PgConnection, jet: &Jet, service: &str) -> Resultat<()> {
    let mut flux = jet.flux(service).await?;
    let info = flux.info().await.map_err(|e| Erreur::Indisponible(format!("JetStream : {e}")))?;
    sqlx::query(
        "insert into relai (flux, cree_le, sequence) values ($1, $2, 0)
         on conflict (flux) do update set cree_le = excluded.cree_le, sequence = 0 where relai.cree_le <> excluded.cree_le",
    )
    .bind(&info.config.name)
    .bind(micros(info.created))
    .execute(tx)
    .await?;
    Ok(())
}

/// PostgreSQL keeps microseconds: both sides are cut there before they are compared.
pub(crate) fn micros(t: OffsetDateTime) -> OffsetDateTime {
    t.replace_nanosecond(t.nanosecond() / 1000 * 1000).unwrap_or(t)
}

async fn vider(tx: &mut PgConnection, jet: &Jet, service: &str) -> Resultat<usize> {
    let rangees = sqlx::query(
        "select position, event_id, sujet, charge, traceparent from outbox_event
         where sequence is null order by position limit $1",
    )
    .bind(LOT)
    .fetch_all(&mut *tx)
    .await?;
    if rangees.is_empty() {
        return Ok(0);
    }
    point_de_rupture("avant-publication");
    let mut envois = Vec::with_capacity(rangees.len());
    for r in &rangees {
        envois.push(publier(jet, r).await?);
    }
    let accuses = try_join_all(envois.into_iter().map(|e| async move { e.await }))
        .await
        .map_err(|e| Erreur::Indisponible(format!("JetStream n'a pas accusé réception : {e}")))?;
    point_de_rupture("avant-marquage");
    let positions: Vec<i64> = rangees.iter().map(|r| r.try_get("position")).collect::<Result<_, _>>()?;
    let sequences: Vec<i64> = accuses.iter().map(|a| i64::try_from(a.sequence).unwrap_or(i64::MAX)).collect();
    let derniere = sequences.iter().copied().max().unwrap_or(0);
    // Sequences only grow within one life of the stream: a fresh one that does not is of another.
    let fraiche = accuses.iter().zip(&sequences).filter(|(a, _)| !a.duplicate).map(|(_, s)| *s).min();
    let connue: Option<i64> = sqlx::query_scalar("select sequence from relai where flux = $1")
        .bind(crate::nats::flux(service))
        .fetch_optional(&mut *tx)
        .await?;
    if fraiche.zip(connue).is_some_and(|(f, c)| f <= c) {
        reperer_flux(&mut *tx, jet, service).await?;
    }
    sqlx::query(
        "with m as (
            update outbox_event o set sequence = x.sequence
            from unnest($1::bigint[], $2::bigint[]) as x(position, sequence) where o.position = x.position)
         update relai set sequence = greatest(sequence, $3) where flux = $4",
    )
    .bind(&positions)
    .bind(&sequences)
    .bind(derniere)
    .bind(crate::nats::flux(service))
    .execute(tx)
    .await?;
    metrics::counter!("ror_outbox_published_total", "service" => service.to_owned())
        .increment(rangees.len() as u64);
    Ok(rangees.len())
}

async fn publier(jet: &Jet, r: &PgRow) -> Resultat<jetstream::context::PublishAckFuture> {
    let id: Uuid = r.try_get("event_id")?;
    let mut entetes = HeaderMap::new();
    entetes.insert(async_nats::header::NATS_MESSAGE_ID, id.to_string().as_str());
    if let Some(t) = r.try_get::<Option<String>, _>("traceparent")? {
        entetes.insert("traceparent", t.as_str());
    }
    let sujet: String = r.try_get("sujet")?;
    let charge: Vec<u8> = r.try_get("charge")?;
    jet.contexte
        .publish_with_headers(sujet, entetes, charge.into())
        .await
        .map_err(|e| Erreur::Indisponible(format!("JetStream refuse la publication : {e}")))
}

async fn mesurer_retard(tx: &mut PgConnection, service: &str) -> Resultat<()> {
    let age: Option<f64> = sqlx::query_scalar(
        "select extract(epoch from now() - cree_le)::float8 from outbox_event where sequence is null order by position limit 1",
    )
    .fetch_optional(tx)
    .await?;
    metrics::gauge!("ror_outbox_oldest_unpublished_seconds", "service" => service.to_owned())
        .set(age.unwrap_or(0.0));
    Ok(())
}

async fn purger(tx: &mut PgConnection) -> Resultat<()> {
    sqlx::query(
        "delete from outbox_event where position in (
            select position from outbox_event where sequence is not null and cree_le < now() - $1::interval limit 10000)",
    )
    .bind(CONSERVATION)
    .execute(tx)
    .await?;
    Ok(())
}
