//! Followers: a snapshot, then the events after its watermark. A follower that
//! falls behind what the stream keeps, or meets a new life of the stream, starts
//! again from a snapshot.

use std::{future::Future, mem, sync::Arc, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{
        DeliverPolicy,
        pull::{OrderedConfig, OrderedError},
    },
    stream::{Info, LastRawMessageErrorKind, Stream as Flux},
};
use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream::BoxStream};
use prost::Message;
use ror_proto::common::v1::{Evenement, Instantane, Repere, instantane};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::Instrument;

use crate::{
    Erreur, Resultat,
    magasin::PLANS,
    nats::{self, Jet},
    relai::micros,
    telemetrie::rattacher,
};

/// Where a follower stands in one life of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Birth of the stream.
    pub cree_le: OffsetDateTime,
    /// Last sequence applied.
    pub sequence: u64,
}

/// The snapshot stream of a service.
pub type Instantanes = BoxStream<'static, Result<Instantane, Status>>;

/// Calls the snapshot of the service followed.
pub type Appel = Arc<dyn Fn() -> BoxFuture<'static, Resultat<Instantanes>> + Send + Sync>;

/// What follows a service's events.
pub trait Suiveur: Send + 'static {
    /// Name in logs and metrics.
    fn nom(&self) -> String;
    /// The only kind of aggregate it looks at: events of others are not sent to it. All without.
    fn genre(&self) -> Option<&'static str> {
        None
    }
    /// Where to continue; `None` starts from a snapshot.
    fn reprise(&mut self) -> impl Future<Output = Resultat<Option<Position>>> + Send;
    /// A snapshot begins: what is not in it no longer exists.
    fn debut_instantane(&mut self, estimation: u64) -> impl Future<Output = Resultat<()>> + Send;
    /// Applies a batch; `position` is set for live events.
    fn appliquer(
        &mut self,
        lot: Vec<Evenement>,
        position: Option<Position>,
    ) -> impl Future<Output = Resultat<()>> + Send;
    /// The snapshot is whole and stands at this position.
    fn fin_instantane(&mut self, position: Position) -> impl Future<Output = Resultat<()>> + Send;
    /// Known to hold everything the stream held at this instant.
    fn a_jour(&mut self) {}
}

/// Events applied together.
const LOT: usize = 1_024;
/// Bytes of messages above which no more are taken together.
const OCTETS: usize = 8 * 1024 * 1024;
/// From so many events on, plans are made for the batch: those kept were made when the tables were empty, if a
/// load fills them, and read them whole.
const PLANIFIE: usize = 64;
/// Controls, one a second, after which a consumer that gives nothing of a stream that is ahead is made anew.
/// The client library gives one up after a minute without its heartbeats, and never while they come.
const CONTROLES_MUETS: u32 = 3;

/// Follows `service` until `arret`.
pub async fn suivre(
    jet: Jet,
    service: &'static str,
    appel: Appel,
    mut suiveur: impl Suiveur,
    arret: CancellationToken,
) {
    let mut attente = Duration::from_millis(50);
    let mut connue: Option<Position> = None;
    loop {
        let debut = tokio::time::Instant::now();
        let resultat = tokio::select! {
            r = tour(&jet, service, &appel, &mut suiveur, &mut connue) => r,
            () = arret.cancelled() => return,
        };
        if let Err(e) = resultat {
            tracing::warn!(follower = suiveur.nom(), source = service, error = %e, "follower stopped, starting again");
        }
        if debut.elapsed() > Duration::from_secs(10) {
            attente = Duration::from_millis(50);
        }
        tokio::select! {
            () = tokio::time::sleep(attente) => {}
            () = arret.cancelled() => return,
        }
        attente = (attente * 2).min(Duration::from_secs(2));
    }
}

async fn tour(
    jet: &Jet,
    service: &'static str,
    appel: &Appel,
    suiveur: &mut impl Suiveur,
    connue: &mut Option<Position>,
) -> Resultat<()> {
    let mut flux = jet.flux(service).await?;
    let info = flux.info().await.map_err(indisponible)?.clone();
    let naissance = micros(info.created);
    let sujet = suiveur.genre().map(|genre| nats::sujet(service, genre));
    if connue.is_none() {
        *connue = suiveur.reprise().await?;
    }
    let derniere = derniere(&flux, &info, sujet.as_deref()).await?;
    let continue_ici = connue.is_some_and(|p| {
        p.cree_le == naissance
            && p.sequence <= info.state.last_sequence
            && (p.sequence + 1 >= info.state.first_sequence || derniere <= p.sequence)
    });
    let mut position = match connue {
        Some(p) if continue_ici => *p,
        _ => {
            let p = hydrater(appel, suiveur, naissance).await?;
            *connue = Some(p);
            p
        }
    };
    let consommateur = flux
        .create_consumer(OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: position.sequence + 1 },
            filter_subject: sujet.clone().unwrap_or_default(),
            ..Default::default()
        })
        .await
        .map_err(indisponible)?;
    let mut messages = consommateur.messages().await.map_err(indisponible)?;
    let mut arrivees = Arrivees::default();
    let mut controle = tokio::time::interval(Duration::from_secs(1));
    controle.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut muets = 0;
    loop {
        if arrivees.messages.is_empty() {
            if let Some(e) = arrivees.rupture.take() {
                return Err(e);
            }
            tokio::select! {
                // A consumer is silent only when none of its messages is at hand.
                biased;
                m = messages.next() => arrivees.prendre(m),
                _ = controle.tick() => {
                    let info = flux.info().await.map_err(indisponible)?.clone();
                    if micros(info.created) != naissance || info.state.last_sequence < position.sequence {
                        *connue = None;
                        return Err(Erreur::Indisponible("le flux a été recréé".into()));
                    }
                    let derniere = self::derniere(&flux, &info, sujet.as_deref()).await?;
                    if derniere <= position.sequence {
                        muets = 0;
                        suiveur.a_jour();
                        continue;
                    }
                    muets += 1;
                    if muets >= CONTROLES_MUETS {
                        metrics::counter!("ror_follower_stalls_total", "follower" => suiveur.nom()).increment(1);
                        return Err(Erreur::Indisponible(format!(
                            "rien reçu après {} alors que le flux va jusqu'à {}",
                            position.sequence, derniere
                        )));
                    }
                    continue;
                }
            }
        }
        muets = 0;
        arrivees.completer(&mut messages);
        let lot = arrivees.vider();
        let mut evenements = Vec::with_capacity(lot.len());
        let mut restant = 0;
        let mut trace = None;
        for m in lot {
            let info = m.info().map_err(|e| Erreur::interne(e.to_string()))?;
            position.sequence = info.stream_sequence;
            restant = info.pending;
            if trace.is_none() {
                trace = m.headers.as_ref().and_then(|h| h.get("traceparent")).map(|t| t.as_str().to_owned());
            }
            match Evenement::decode(m.payload.clone()) {
                Ok(e) => evenements.push(e),
                Err(e) => {
                    tracing::error!(follower = suiveur.nom(), sequence = info.stream_sequence, error = %e, "undecodable event skipped");
                }
            }
        }
        if evenements.is_empty() {
            continue;
        }
        // A batch belongs to the trace of its first event that has one.
        let span = tracing::info_span!("events", follower = suiveur.nom(), count = evenements.len());
        if let Some(t) = trace.as_deref().and_then(|t| http::HeaderValue::from_str(t).ok()) {
            rattacher(
                &span,
                &http::HeaderMap::from_iter([(http::HeaderName::from_static("traceparent"), t)]),
            );
        }
        let application = suiveur.appliquer(evenements, Some(position)).instrument(span);
        arrivees.pendant(application, &mut messages).await?;
        *connue = Some(position);
        metrics::gauge!("ror_follower_pending_events", "follower" => suiveur.nom()).set(restant as f64);
        if restant == 0 && arrivees.messages.is_empty() {
            suiveur.a_jour();
        }
    }
}

/// Last sequence of the stream that is for these followers; 0 when it keeps none of theirs, which may have been.
async fn derniere(flux: &Flux<Info>, info: &Info, sujet: Option<&str>) -> Resultat<u64> {
    if info.state.messages == 0 {
        return Ok(0);
    }
    let Some(sujet) = sujet else { return Ok(info.state.last_sequence) };
    match flux.get_last_raw_message_by_subject(sujet).await {
        Ok(m) => Ok(m.sequence),
        Err(e) if e.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(0),
        Err(e) => Err(indisponible(e)),
    }
}

/// A message, or why none comes.
type Arrivee = Result<jetstream::Message, OrderedError>;

/// Messages that came and are not applied yet, in bounded number.
#[derive(Default)]
struct Arrivees {
    messages: Vec<jetstream::Message>,
    octets: usize,
    /// Why no other one comes.
    rupture: Option<Erreur>,
}

impl Arrivees {
    fn prendre(&mut self, message: Option<Arrivee>) {
        match message {
            Some(Ok(m)) => {
                self.octets += m.payload.len();
                self.messages.push(m);
            }
            Some(Err(e)) => self.rupture = Some(indisponible(e)),
            None => self.rupture = Some(Erreur::Indisponible("flux interrompu".into())),
        }
    }

    fn place(&self) -> bool {
        self.rupture.is_none() && self.messages.len() < LOT && self.octets < OCTETS
    }

    /// Takes what is at hand. Out of the turns that the runtime counts: it would give a hundred at most.
    fn completer(&mut self, messages: &mut (impl Stream<Item = Arrivee> + Unpin)) {
        while self.place()
            && let Some(m) = tokio::task::unconstrained(messages.next()).now_or_never()
        {
            self.prendre(m);
        }
    }

    fn vider(&mut self) -> Vec<jetstream::Message> {
        self.octets = 0;
        mem::take(&mut self.messages)
    }

    /// Takes what comes while a batch is applied: the consumer is asked for more, and the next batch is large.
    async fn pendant<T>(
        &mut self,
        application: impl Future<Output = T>,
        messages: &mut (impl Stream<Item = Arrivee> + Unpin),
    ) -> T {
        tokio::pin!(application);
        loop {
            tokio::select! {
                biased;
                fin = &mut application => return fin,
                m = messages.next(), if self.place() => self.prendre(m),
            }
        }
    }
}

/// Birth of the stream of a service: another one is another life, whose versions may have gone back.
pub async fn naissance(jet: &Jet, service: &str) -> Resultat<OffsetDateTime> {
    let mut flux = jet.flux(service).await?;
    Ok(micros(flux.info().await.map_err(indisponible)?.created))
}

async fn hydrater(
    appel: &Appel,
    suiveur: &mut impl Suiveur,
    naissance: OffsetDateTime,
) -> Resultat<Position> {
    let mut morceaux = appel().await?.ready_chunks(512);
    let mut repere: Option<Repere> = None;
    while let Some(morceau) = morceaux.next().await {
        let mut lot = Vec::with_capacity(morceau.len());
        for m in morceau {
            match m?.contenu {
                Some(instantane::Contenu::Repere(r)) => {
                    suiveur.debut_instantane(r.estimation).await?;
                    repere = Some(r);
                }
                Some(instantane::Contenu::Evenement(e)) => lot.push(e),
                None => {}
            }
        }
        if !lot.is_empty() {
            suiveur.appliquer(lot, None).await?;
        }
    }
    let repere = repere.ok_or_else(|| Erreur::Indisponible("instantané sans repère".into()))?;
    let position = Position { cree_le: naissance, sequence: repere.sequence };
    suiveur.fin_instantane(position).await?;
    Ok(position)
}

fn indisponible(e: impl std::fmt::Display) -> Erreur {
    Erreur::Indisponible(format!("JetStream : {e}"))
}

/// The effect of another service's events on this one's tables.
pub trait Effet: Send + 'static {
    /// Name of the follower, stable: it keys the position kept.
    fn nom(&self) -> &'static str;
    /// As [`Suiveur::genre`].
    fn genre(&self) -> Option<&'static str> {
        None
    }
    /// Applies a batch inside the transaction that will also keep the position.
    fn appliquer(
        &mut self,
        tx: &mut PgConnection,
        lot: &[Evenement],
    ) -> impl Future<Output = Resultat<()>> + Send;
    /// After the commit.
    fn apres(&mut self) {}
}

/// A follower whose effect and position are one transaction.
pub struct Durable<E> {
    pool: PgPool,
    flux: String,
    effet: E,
    a_jour: Box<dyn Fn() + Send>,
}

impl<E: Effet> Durable<E> {
    /// Follows `service` into this pool; `a_jour` is called each time it has caught up.
    pub fn nouveau(pool: PgPool, service: &str, effet: E, a_jour: impl Fn() + Send + 'static) -> Self {
        Self { pool, flux: nats::flux(service), effet, a_jour: Box::new(a_jour) }
    }

    async fn garder(tx: &mut PgConnection, nom: &str, flux: &str, p: Position) -> Resultat<()> {
        sqlx::query(
            "insert into suivi (nom, flux, cree_le, sequence) values ($1, $2, $3, $4)
             on conflict (nom) do update set flux = excluded.flux, cree_le = excluded.cree_le, sequence = excluded.sequence",
        )
        .bind(nom)
        .bind(flux)
        .bind(p.cree_le)
        .bind(i64::try_from(p.sequence).unwrap_or(i64::MAX))
        .execute(tx)
        .await?;
        Ok(())
    }
}

impl<E: Effet> Suiveur for Durable<E> {
    fn nom(&self) -> String {
        self.effet.nom().to_owned()
    }

    fn genre(&self) -> Option<&'static str> {
        self.effet.genre()
    }

    async fn reprise(&mut self) -> Resultat<Option<Position>> {
        let connu: Option<(OffsetDateTime, i64)> =
            sqlx::query_as("select cree_le, sequence from suivi where nom = $1 and flux = $2")
                .bind(self.effet.nom())
                .bind(&self.flux)
                .fetch_optional(&self.pool)
                .await?;
        Ok(connu.map(|(cree_le, s)| Position { cree_le, sequence: u64::try_from(s).unwrap_or(0) }))
    }

    async fn debut_instantane(&mut self, _estimation: u64) -> Resultat<()> {
        Ok(())
    }

    async fn appliquer(&mut self, lot: Vec<Evenement>, position: Option<Position>) -> Resultat<()> {
        // Two replicas of a service may follow at once: one applies at a time. The name is a constant.
        let plans = if lot.len() < PLANIFIE { "" } else { PLANS };
        let debut = format!(
            "begin; {plans} select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('{}'))",
            self.effet.nom()
        );
        let mut tx = self.pool.begin_with(sqlx::AssertSqlSafe(debut)).await?;
        self.effet.appliquer(&mut tx, &lot).await?;
        if let Some(p) = position {
            Self::garder(&mut tx, self.effet.nom(), &self.flux, p).await?;
        }
        tx.commit().await?;
        self.effet.apres();
        Ok(())
    }

    async fn fin_instantane(&mut self, position: Position) -> Resultat<()> {
        let mut tx = self.pool.begin().await?;
        Self::garder(&mut tx, self.effet.nom(), &self.flux, position).await?;
        tx.commit().await?;
        Ok(())
    }

    fn a_jour(&mut self) {
        (self.a_jour)();
    }
}
