//! The relay: publishes the outbox to JetStream, in order, at least once; the
//! broker drops an event id it has seen, and followers ignore versions they hold,
//! so each change takes effect once whatever the moment of a crash.

mod marques;

use std::time::Duration;

use async_nats::{HeaderMap, jetstream::context::PublishAckFuture};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream::FuturesOrdered};
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Erreur, Resultat, magasin::Magasin, nats::Jet};
use marques::{Lignes, Marques, Plage};

/// Events read together.
const LOT: usize = 5_000;
/// Bytes of events above which no more are read together.
const OCTETS: usize = 16 * 1024 * 1024;
/// Publications that wait for their acknowledgement; the context allows 5,000.
const FENETRE: usize = 2_048;
/// Poll of the leader, should a wake-up be lost.
const REPRISE: Duration = Duration::from_secs(1);
/// Looking in vain takes one part in so many of the time, at most: the events of a load that is not committed
/// are passed over one by one.
const PART: u32 = 10;
/// Longest time without a look, should a wake-up be lost.
const REPRISE_MAX: Duration = Duration::from_secs(15);
const PURGE: Duration = Duration::from_secs(600);
/// Published rows stay this long, as evidence.
const CONSERVATION: &str = "3 days";
/// Rows looked at together to be purged.
const LOT_PURGE: i64 = 10_000;

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
    let mut marques = Marques::lire(&mut verrou).await?;
    pret(true);
    let mut derniere_mesure = tokio::time::Instant::now();
    // At once: a service that often starts again purges all the same.
    let mut purge = derniere_mesure;
    loop {
        let debut = tokio::time::Instant::now();
        let publies = vider(&mut verrou, jet, service, &mut marques).await?;
        if derniere_mesure.elapsed() > REPRISE {
            // A follower may have made the stream anew while nothing was published.
            reperer_flux(&mut verrou, jet, service).await?;
            marques.combler(&mut verrou).await?;
            mesurer_retard(&mut verrou, service).await?;
            derniere_mesure = tokio::time::Instant::now();
        }
        let attente = match publies {
            0 => (debut.elapsed() * (PART - 1)).clamp(REPRISE, REPRISE_MAX),
            _ => REPRISE,
        };
        // A part each time while there is more: what is written meanwhile leaves first.
        if purge <= tokio::time::Instant::now() && !purger(&mut verrou, &marques).await? {
            purge = tokio::time::Instant::now() + PURGE;
        }
        tokio::select! {
            () = magasin.reveil().notified() => {}
            a = appels.next() => if a.is_none() {
                return Err(Erreur::Indisponible("NATS : abonnement interrompu".into()));
            },
            () = tokio::time::sleep(attente) => {}
            () = arret.cancelled() => {
                // What was committed before the stop still leaves.
                while vider(&mut verrou, jet, service, &mut marques).await? > 0 {}
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

/// An event to publish.
struct Envoi {
    position: i64,
    id: Uuid,
    sujet: String,
    charge: Bytes,
    traceparent: Option<String>,
}

/// Events read together, in order.
#[derive(Default)]
struct Lot {
    envois: Vec<Envoi>,
    /// Bytes of their events.
    octets: usize,
    /// True when others may follow.
    plein: bool,
}

/// What JetStream said of an event.
#[derive(Clone, Copy, Debug)]
struct Accuse {
    position: i64,
    sequence: i64,
    double: bool,
}

/// Publishes all that waits; how many events left. While a batch leaves, the one before it
/// is marked and the one after it read: the broker and the database do not wait for each
/// other.
async fn vider(tx: &mut PgConnection, jet: &Jet, service: &str, marques: &mut Marques) -> Resultat<usize> {
    let mut publies = 0;
    let mut lot = lire(tx, marques, None).await?;
    let mut accuses: Vec<Accuse> = Vec::new();
    let mut relire = false;
    while !lot.envois.is_empty() || !accuses.is_empty() {
        let en_vol = bornes(&lot.envois);
        // Read ahead only where what is left aside is exactly what leaves: an event committed
        // late among those positions must still come before the next ones.
        let avance = lot.plein && en_vol.is_some();
        let lire_ensuite = relire || avance;
        relire = lot.plein && !avance;
        publies += lot.envois.len();
        let suivre = async {
            marquer(tx, jet, service, marques, &accuses).await?;
            if lire_ensuite { lire(tx, marques, en_vol).await } else { Ok(Lot::default()) }
        };
        let ((faits, echec), suite) = tokio::join!(publier(jet, lot.envois), suivre);
        lot = suite?;
        accuses = faits;
        if let Some(e) = echec {
            // What came before the failure is published: only the rest leaves again.
            marquer(tx, jet, service, marques, &accuses).await?;
            return Err(e);
        }
    }
    Ok(publies)
}

/// First and last positions of these events, when there is no other between them.
fn bornes(envois: &[Envoi]) -> Option<(i64, i64)> {
    let (premier, dernier) = (envois.first()?.position, envois.last()?.position);
    let nombre = i64::try_from(envois.len()).ok()?;
    (dernier - premier + 1 == nombre).then_some((premier, dernier))
}

/// The first events that are not published, those of `en_vol` left aside.
async fn lire(tx: &mut PgConnection, marques: &Marques, en_vol: Option<(i64, i64)>) -> Resultat<Lot> {
    let mut lot = Lot::default();
    let libres = marques.libres(en_vol);
    if let [libre] = libres[..] {
        lire_plage(tx, libre, &mut lot).await?;
        return Ok(lot);
    }
    // All at one instant: an event of the last range must not leave before one of the first that it
    // follows, committed between the two looks.
    let mut instant = tx.begin_with("begin isolation level repeatable read read only").await?;
    let a_lire = garnies(&mut instant, &libres).await?;
    for libre in a_lire {
        if lot.plein {
            break;
        }
        lire_plage(&mut instant, libre, &mut lot).await?;
    }
    instant.commit().await?;
    Ok(lot)
}

/// Those of these ranges where there is an event. Each by the key: joined with the events, all of them
/// might be read for each range.
async fn garnies(tx: &mut PgConnection, plages: &[(i64, i64)]) -> Resultat<Vec<(i64, i64)>> {
    let (debuts, fins): (Vec<i64>, Vec<i64>) = plages.iter().copied().unzip();
    let garnies = sqlx::query_as(
        "select t.de, t.a from unnest($1::bigint[], $2::bigint[]) as t(de, a)
         where (select e.position from outbox_event e where e.position between t.de and t.a
                order by e.position limit 1) is not null
         order by t.de",
    )
    .bind(debuts)
    .bind(fins)
    .fetch_all(tx)
    .await?;
    Ok(garnies)
}

/// Adds the first events of a range, as many as there is room for.
async fn lire_plage(tx: &mut PgConnection, (de, a): (i64, i64), lot: &mut Lot) -> Resultat<()> {
    let place = |max: usize, pris: usize| i64::try_from(max.saturating_sub(pris)).unwrap_or(i64::MAX);
    let mut rangees = sqlx::query(
        "select position, event_id, sujet, charge, traceparent from (
            select l.*, sum(octet_length(charge)) over (order by position rows unbounded preceding)
                - octet_length(charge) as avant
            from (
                select position, event_id, sujet, charge, traceparent from outbox_event
                where position between $1 and $2 order by position limit $3) l) p
         where avant < $4 order by position",
    )
    .bind(de)
    .bind(a)
    .bind(place(LOT, lot.envois.len()))
    .bind(place(OCTETS, lot.octets))
    .fetch(tx);
    while let Some(r) = rangees.try_next().await? {
        let envoi = envoi(&r)?;
        lot.octets += envoi.charge.len();
        lot.envois.push(envoi);
    }
    lot.plein = lot.envois.len() >= LOT || lot.octets >= OCTETS;
    Ok(())
}

fn envoi(r: &PgRow) -> Resultat<Envoi> {
    Ok(Envoi {
        position: r.try_get("position")?,
        id: r.try_get("event_id")?,
        sujet: r.try_get("sujet")?,
        charge: r.try_get::<Vec<u8>, _>("charge")?.into(),
        traceparent: r.try_get("traceparent")?,
    })
}

/// Publishes in order; what JetStream acknowledged before the first failure, and that failure.
async fn publier(jet: &Jet, envois: Vec<Envoi>) -> (Vec<Accuse>, Option<Erreur>) {
    let mut accuses = Vec::with_capacity(envois.len());
    let echec = publier_tout(jet, envois, &mut accuses).await.err();
    (accuses, echec)
}

async fn publier_tout(jet: &Jet, envois: Vec<Envoi>, accuses: &mut Vec<Accuse>) -> Resultat<()> {
    if !envois.is_empty() {
        point_de_rupture("avant-publication");
    }
    let mut vols: FuturesOrdered<BoxFuture<'static, Resultat<Accuse>>> = FuturesOrdered::new();
    for e in envois {
        while vols.len() >= FENETRE {
            let Some(accuse) = vols.next().await else { break };
            accuses.push(accuse?);
        }
        let position = e.position;
        let depart = partir(jet, e);
        tokio::pin!(depart);
        // The context gives room again only as acknowledgements are taken: both at once.
        let vol = loop {
            tokio::select! {
                biased;
                vol = &mut depart => break vol?,
                Some(accuse) = vols.next(), if !vols.is_empty() => accuses.push(accuse?),
            }
        };
        vols.push_back(Box::pin(accuser(position, vol)));
    }
    while let Some(accuse) = vols.next().await {
        accuses.push(accuse?);
    }
    Ok(())
}

async fn partir(jet: &Jet, e: Envoi) -> Resultat<PublishAckFuture> {
    let mut entetes = HeaderMap::new();
    entetes.insert(async_nats::header::NATS_MESSAGE_ID, e.id.to_string().as_str());
    if let Some(t) = e.traceparent {
        entetes.insert("traceparent", t.as_str());
    }
    jet.contexte
        .publish_with_headers(e.sujet, entetes, e.charge)
        .await
        .map_err(|e| Erreur::Indisponible(format!("JetStream refuse la publication : {e}")))
}

async fn accuser(position: i64, vol: PublishAckFuture) -> Resultat<Accuse> {
    let accuse =
        vol.await.map_err(|e| Erreur::Indisponible(format!("JetStream n'a pas accusé réception : {e}")))?;
    let sequence = i64::try_from(accuse.sequence).unwrap_or(i64::MAX);
    Ok(Accuse { position, sequence, double: accuse.duplicate })
}

/// Notes at which sequences events stand, and the last of them.
async fn marquer(
    tx: &mut PgConnection,
    jet: &Jet,
    service: &str,
    marques: &mut Marques,
    accuses: &[Accuse],
) -> Resultat<()> {
    if accuses.is_empty() {
        return Ok(());
    }
    point_de_rupture("avant-marquage");
    let derniere = accuses.iter().map(|a| a.sequence).max().unwrap_or(0);
    // Sequences only grow within one life of the stream: a fresh one that does not is of another.
    let fraiche = accuses.iter().filter(|a| !a.double).map(|a| a.sequence).min();
    let connue: Option<i64> = sqlx::query_scalar("select sequence from relai where flux = $1")
        .bind(crate::nats::flux(service))
        .fetch_optional(&mut *tx)
        .await?;
    if fraiche.zip(connue).is_some_and(|(f, c)| f <= c) {
        reperer_flux(&mut *tx, jet, service).await?;
    }
    let mut lignes = Lignes::new();
    for p in plages(accuses) {
        marques.noter(p, &mut lignes);
    }
    let (mut debuts, mut fins, mut ecarts) = (Vec::new(), Vec::new(), Vec::new());
    for (de, (a, ecart)) in lignes {
        debuts.push(de);
        fins.push(a);
        ecarts.push(ecart);
    }
    sqlx::query(
        "with m as (
            insert into outbox_publication (de, a, ecart)
            select * from unnest($1::bigint[], $2::bigint[], $3::bigint[])
            on conflict (de) do update set a = excluded.a, ecart = excluded.ecart)
         update relai set sequence = greatest(sequence, $4) where flux = $5",
    )
    .bind(debuts)
    .bind(fins)
    .bind(ecarts)
    .bind(derniere)
    .bind(crate::nats::flux(service))
    .execute(tx)
    .await?;
    metrics::counter!("ror_outbox_published_total", "service" => service.to_owned())
        .increment(accuses.len() as u64);
    Ok(())
}

/// The fewest ranges that say the same: one, most often, for a whole batch.
fn plages(accuses: &[Accuse]) -> Vec<Plage> {
    let mut plages: Vec<Plage> = Vec::new();
    for accuse in accuses {
        let (position, ecart) = (accuse.position, accuse.sequence - accuse.position);
        match plages.last_mut() {
            Some(p) if p.ecart == ecart && p.a + 1 == position => p.a = position,
            _ => plages.push(Plage { de: position, a: position, ecart }),
        }
    }
    plages
}

async fn mesurer_retard(tx: &mut PgConnection, service: &str) -> Resultat<()> {
    let age: Option<f64> = sqlx::query_scalar(
        "select extract(epoch from now() - e.cree_le)::float8
         from outbox_libre l
         cross join lateral (
            select o.position, o.cree_le from outbox_event o where o.position between l.de and l.a
            order by o.position limit 1) e
         order by e.position limit 1",
    )
    .fetch_optional(tx)
    .await?;
    metrics::gauge!("ror_outbox_oldest_unpublished_seconds", "service" => service.to_owned())
        .set(age.unwrap_or(0.0));
    Ok(())
}

/// Takes out events published long ago, the first ones, and the ranges that tell of them; whether others
/// may remain.
async fn purger(tx: &mut PgConnection, marques: &Marques) -> Resultat<bool> {
    let certaines = marques.certaines();
    let otees = sqlx::query(
        "delete from outbox_event where position in (
            select e.position from (
                select position, cree_le from outbox_event where position < $1 order by position limit $2) e
            where e.cree_le < now() - $3::interval)",
    )
    .bind(certaines)
    .bind(LOT_PURGE)
    .bind(CONSERVATION)
    .execute(&mut *tx)
    .await?
    .rows_affected();
    if otees == 0 {
        return Ok(false);
    }
    let premiere: Option<i64> =
        sqlx::query_scalar("select min(position) from outbox_event where position < $1")
            .bind(certaines)
            .fetch_one(&mut *tx)
            .await?;
    // The last range stays: it tells where what is not published begins.
    sqlx::query(
        "delete from outbox_publication
         where de < $1 and a < $1 and de < (select max(de) from outbox_publication)",
    )
    .bind(premiere.unwrap_or(certaines))
    .execute(tx)
    .await?;
    Ok(otees == LOT_PURGE.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accuses(couples: &[(i64, i64)]) -> Vec<Accuse> {
        couples.iter().map(|(position, sequence)| accuse(*position, *sequence)).collect()
    }

    fn accuse(position: i64, sequence: i64) -> Accuse {
        Accuse { position, sequence, double: false }
    }

    fn envoi(position: i64) -> Envoi {
        Envoi { position, id: Uuid::nil(), sujet: String::new(), charge: Bytes::new(), traceparent: None }
    }

    #[test]
    fn events_that_follow_one_another_are_marked_as_one_range() {
        assert_eq!(plages(&accuses(&[(7, 3), (8, 4), (9, 5)])), [Plage { de: 7, a: 9, ecart: -4 }]);
        assert!(plages(&[]).is_empty());
    }

    #[test]
    fn a_hole_or_an_event_published_before_begins_another_range() {
        // A position that nobody holds, then one the stream had already, elsewhere.
        let lus = plages(&accuses(&[(7, 3), (9, 4), (10, 2), (11, 5), (12, 6)]));
        let attendues = [(7, 7, -4), (9, 9, -5), (10, 10, -8), (11, 12, -6)];
        assert_eq!(lus, attendues.map(|(de, a, ecart)| Plage { de, a, ecart }));
        let marques: Vec<(i64, i64)> =
            lus.iter().flat_map(|p| (p.de..=p.a).map(|position| (position, position + p.ecart))).collect();
        assert_eq!(marques, [(7, 3), (9, 4), (10, 2), (11, 5), (12, 6)], "each at its own sequence");
    }

    #[test]
    fn a_batch_is_left_aside_only_when_it_is_whole() {
        let lot = |positions: &[i64]| positions.iter().copied().map(envoi).collect::<Vec<_>>();
        assert_eq!(bornes(&lot(&[4, 5, 6])), Some((4, 6)));
        assert_eq!(bornes(&lot(&[4])), Some((4, 4)));
        assert_eq!(bornes(&lot(&[4, 6])), None, "an event may still come at 5");
        assert_eq!(bornes(&[]), None);
    }
}
