//! Closed loop: each client sends its next request when it has read the whole reply of
//! the last one. Latencies go into a histogram; runs are summed up by their medians.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::http::Connexion;

/// Largest latency told apart, in nanoseconds.
const LATENCE_MAX: u64 = 60_000_000_000;
/// How long a run may go on past its end before it is given up.
const RETARD: Duration = Duration::from_secs(60);

/// A small pseudo-random sequence (splitmix64): same seed, same draws.
#[derive(Clone)]
pub struct Tirage(u64);

impl Tirage {
    /// From a seed.
    pub fn new(graine: u64) -> Self {
        Self(graine)
    }

    /// The next number.
    pub fn suivant(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn sous(&mut self, n: usize) -> usize {
        let n = n.max(1) as u64;
        usize::try_from(self.suivant() % n).unwrap_or(0)
    }

    /// Shuffles.
    pub fn meler<T>(&mut self, v: &mut [T]) {
        for i in (1..v.len()).rev() {
            v.swap(i, self.sous(i + 1));
        }
    }
}

/// Latencies.
pub fn histogramme() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LATENCE_MAX, 3).map_err(|e| anyhow!("histogram: {e:?}"))
}

/// Adds a latency.
pub fn noter(h: &mut Histogram<u64>, d: Duration) {
    h.saturating_record(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX).max(1));
}

/// A quantile in milliseconds.
pub fn quantile(h: &Histogram<u64>, q: f64) -> f64 {
    h.value_at_quantile(q) as f64 / 1e6
}

/// What one run, or the median of several, measured.
#[derive(Clone, Copy, Debug)]
pub struct Mesure {
    /// Requests a second.
    pub debit: f64,
    /// Median latency, ms.
    pub p50: f64,
    /// 99th centile, ms.
    pub p99: f64,
    /// Median time to first byte, ms.
    pub premier: f64,
    /// Mean body, bytes.
    pub octets: f64,
}

/// The medians of several runs, value by value.
pub fn resumer(runs: &[Mesure]) -> Mesure {
    let m = |f: fn(&Mesure) -> f64| mediane(runs.iter().map(f).collect());
    Mesure {
        debit: m(|r| r.debit),
        p50: m(|r| r.p50),
        p99: m(|r| r.p99),
        premier: m(|r| r.premier),
        octets: m(|r| r.octets),
    }
}

/// The median; not a number when there is nothing.
pub fn mediane(mut v: Vec<f64>) -> f64 {
    if v.is_empty() {
        return f64::NAN;
    }
    v.sort_by(f64::total_cmp);
    let milieu = v.len() / 2;
    if v.len() % 2 == 1 { v[milieu] } else { (v[milieu - 1] + v[milieu]) / 2.0 }
}

/// The median of the ratios of runs made one after the other.
pub fn rapport(valeurs: &[Mesure], planchers: &[f64]) -> f64 {
    mediane(valeurs.iter().zip(planchers).map(|(v, p)| v.debit / p).collect())
}

/// The turn of a client.
pub struct Tour {
    /// Which client, from 0.
    pub client: usize,
    /// Its own draws.
    pub tirage: Tirage,
}

struct Compte {
    latences: Histogram<u64>,
    premiers: Histogram<u64>,
    octets: u64,
    fin: Instant,
}

/// Runs `clients` clients for that long; `preparer` writes each request.
pub async fn boucler<F>(
    adresse: SocketAddr,
    clients: usize,
    duree: Duration,
    preparer: &Arc<F>,
) -> Result<Mesure>
where
    F: Fn(&mut Tour, &mut Vec<u8>) + Send + Sync + 'static,
{
    static GRAINE: AtomicU64 = AtomicU64::new(2026);
    let mut connexions = Vec::with_capacity(clients);
    for _ in 0..clients {
        connexions.push(Connexion::ouvrir(adresse).await?);
    }
    let debut = Instant::now();
    let mut taches = JoinSet::new();
    for (client, connexion) in connexions.into_iter().enumerate() {
        let preparer = preparer.clone();
        let tirage = Tirage::new(GRAINE.fetch_add(0x1_0000, Ordering::Relaxed));
        taches.spawn(
            async move { un_client(connexion, Tour { client, tirage }, debut + duree, preparer).await },
        );
    }
    let mut total = Compte { latences: histogramme()?, premiers: histogramme()?, octets: 0, fin: debut };
    let attente = async {
        while let Some(fini) = taches.join_next().await {
            let c = fini.context("a client died")??;
            total.latences.add(&c.latences).map_err(|e| anyhow!("histogram: {e:?}"))?;
            total.premiers.add(&c.premiers).map_err(|e| anyhow!("histogram: {e:?}"))?;
            total.octets += c.octets;
            total.fin = total.fin.max(c.fin);
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(duree + RETARD, attente)
        .await
        .context("a run does not end: the mesh no longer answers")??;
    let n = total.latences.len().max(1) as f64;
    Ok(Mesure {
        debit: n / (total.fin - debut).as_secs_f64().max(1e-9),
        p50: quantile(&total.latences, 0.5),
        p99: quantile(&total.latences, 0.99),
        premier: quantile(&total.premiers, 0.5),
        octets: total.octets as f64 / n,
    })
}

async fn un_client<F>(
    mut connexion: Connexion<tokio::net::TcpStream>,
    mut tour: Tour,
    fin: Instant,
    preparer: Arc<F>,
) -> Result<Compte>
where
    F: Fn(&mut Tour, &mut Vec<u8>),
{
    let mut c = Compte { latences: histogramme()?, premiers: histogramme()?, octets: 0, fin: Instant::now() };
    let mut requete = Vec::with_capacity(4096);
    while c.fin < fin {
        preparer(&mut tour, &mut requete);
        let depart = Instant::now();
        let reponse = connexion.echanger(&requete).await?;
        c.fin = Instant::now();
        reponse.exiger(200)?;
        c.octets += reponse.corps.len() as u64;
        noter(&mut c.premiers, reponse.premier_octet);
        noter(&mut c.latences, c.fin - depart);
    }
    Ok(c)
}
