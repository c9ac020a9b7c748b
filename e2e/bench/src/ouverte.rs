//! Open loop: requests leave when they are due, whether or not the last ones were answered.
//! Latencies count from the instant a request was due, so that a server that stalls is told
//! by every request that it kept waiting, not by one (no coordinated omission).

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow};
use hdrhistogram::Histogram;
use tokio::{
    net::TcpStream,
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use crate::{
    charge::{Tirage, histogramme, noter, quantile},
    http::Connexion,
    tableau::ms,
};

/// Longest wait for one reply.
const REPONSE_MAX: Duration = Duration::from_secs(60);
/// A request that is that late is given up: the server does not hold the rate.
const RETARD_MAX: Duration = Duration::from_secs(20);

/// How requests come.
#[derive(Clone, Copy, Debug)]
pub struct Cadence {
    /// Requests a second, in the mean.
    pub taux: f64,
    /// Every one at the same distance of the last; else as callers who do not know of each
    /// other come (Poisson).
    pub reguliere: bool,
    /// How long.
    pub duree: Duration,
    /// Connections, kept open.
    pub connexions: usize,
}

/// What was measured.
pub struct Releve {
    /// From the instant due to the end of the body.
    pub latences: Histogram<u64>,
    /// From the sending to the first byte.
    pub premiers: Histogram<u64>,
    /// Replies by status; 0 for a connection that broke.
    pub statuts: BTreeMap<u16, u64>,
    /// Requests given up unsent.
    pub perdues: u64,
    /// Bytes of the bodies.
    pub octets: u64,
    /// Replies a second.
    pub debit: f64,
}

impl Releve {
    fn vide() -> Result<Self> {
        Ok(Self {
            latences: histogramme()?,
            premiers: histogramme()?,
            statuts: BTreeMap::new(),
            perdues: 0,
            octets: 0,
            debit: 0.0,
        })
    }

    fn ajouter(&mut self, autre: &Self) -> Result<()> {
        self.latences.add(&autre.latences).map_err(|e| anyhow!("histogram: {e:?}"))?;
        self.premiers.add(&autre.premiers).map_err(|e| anyhow!("histogram: {e:?}"))?;
        for (statut, n) in &autre.statuts {
            *self.statuts.entry(*statut).or_default() += n;
        }
        self.perdues += autre.perdues;
        self.octets += autre.octets;
        Ok(())
    }

    /// A centile of the latencies, ms.
    pub fn q(&self, q: f64) -> f64 {
        quantile(&self.latences, q)
    }

    /// A centile of the times to the first byte, ms.
    pub fn premier(&self, q: f64) -> f64 {
        quantile(&self.premiers, q)
    }

    /// Mean body, bytes.
    pub fn corps(&self) -> f64 {
        self.octets as f64 / self.latences.len().max(1) as f64
    }

    /// Replies of that status alone, and nothing given up.
    pub fn net(&self, statut: u16) -> bool {
        self.perdues == 0 && self.statuts.keys().all(|s| *s == statut)
    }

    /// Median and 99th centile.
    pub fn texte(&self) -> String {
        format!("p50 {}, p99 {}", ms(self.q(0.5)), ms(self.q(0.99)))
    }

    /// What was not a reply of that status; empty when all were.
    pub fn ecarts(&self, statut: u16) -> String {
        let mut s = String::new();
        for (code, n) in self.statuts.iter().filter(|(code, _)| **code != statut) {
            s.push_str(&match *code {
                0 => format!("; **{n} connections broken**"),
                code => format!("; **{n} × {code}**"),
            });
        }
        if self.perdues > 0 {
            s.push_str(&format!("; **{} never sent, too late**", self.perdues));
        }
        s
    }
}

/// Sends at that cadence; `preparer` writes each request.
pub async fn soumettre<F>(adresse: SocketAddr, c: Cadence, preparer: F) -> Result<Releve>
where
    F: Fn(&mut Tirage, &mut Vec<u8>) + Send + Sync + 'static,
{
    let preparer = Arc::new(preparer);
    let mut ouvertes = Vec::with_capacity(c.connexions);
    for _ in 0..c.connexions.max(1) {
        ouvertes.push(Connexion::ouvrir(adresse).await?);
    }
    let (envoi, dues) = mpsc::unbounded_channel();
    let dues = Arc::new(Mutex::new(dues));
    let debut = Instant::now();
    // Timers of the runtime tell milliseconds apart; a sleeping thread, tens of microseconds.
    let metronome = std::thread::spawn(move || cadencer(&envoi, debut, c));
    let mut taches = JoinSet::new();
    for (graine, connexion) in (1_u64..).zip(ouvertes) {
        let (dues, preparer) = (dues.clone(), preparer.clone());
        let tirage = Tirage::new(graine.wrapping_mul(0x51_7C_C1_B7));
        taches.spawn(async move { un_client(adresse, connexion, &dues, tirage, &*preparer).await });
    }
    let mut total = Releve::vide()?;
    while let Some(fini) = taches.join_next().await {
        total.ajouter(&fini.context("a client died")??)?;
    }
    total.debit = total.latences.len() as f64 / debut.elapsed().as_secs_f64().max(c.duree.as_secs_f64());
    metronome.join().map_err(|_| anyhow!("the metronome died"))?;
    Ok(total)
}

/// Tells when each request is due, when it is.
fn cadencer(envoi: &mpsc::UnboundedSender<Instant>, debut: Instant, c: Cadence) {
    let mut tirage = Tirage::new(c.taux.to_bits());
    let mut prevu = 0.0;
    loop {
        // Between 0 excluded and 1.
        let u = ((tirage.suivant() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        prevu += if c.reguliere { 1.0 } else { -u.ln() } / c.taux;
        if prevu >= c.duree.as_secs_f64() {
            return;
        }
        let due = debut + Duration::from_secs_f64(prevu);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if envoi.send(due).is_err() {
            return;
        }
    }
}

async fn un_client<F>(
    adresse: SocketAddr,
    premiere: Connexion<TcpStream>,
    dues: &Mutex<mpsc::UnboundedReceiver<Instant>>,
    mut tirage: Tirage,
    preparer: &F,
) -> Result<Releve>
where
    F: Fn(&mut Tirage, &mut Vec<u8>),
{
    let mut r = Releve::vide()?;
    let mut connexion = Some(premiere);
    let mut requete = Vec::with_capacity(4096);
    loop {
        let due = dues.lock().await.recv().await;
        let Some(due) = due else { return Ok(r) };
        if due.elapsed() > RETARD_MAX {
            r.perdues += 1;
            continue;
        }
        preparer(&mut tirage, &mut requete);
        let mut c = match connexion.take() {
            Some(c) => c,
            None => Connexion::ouvrir(adresse).await?,
        };
        let recu = match tokio::time::timeout(REPONSE_MAX, c.echanger(&requete)).await {
            Ok(Ok(reponse)) => Some((reponse.statut, reponse.corps.len() as u64, reponse.premier_octet)),
            _ => None,
        };
        noter(&mut r.latences, due.elapsed());
        match recu {
            Some((statut, octets, premier)) => {
                *r.statuts.entry(statut).or_default() += 1;
                r.octets += octets;
                noter(&mut r.premiers, premier);
                connexion = Some(c);
            }
            None => *r.statuts.entry(0).or_default() += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_the_mean_rate_whatever_the_cadence() {
        for reguliere in [true, false] {
            let (envoi, mut dues) = mpsc::unbounded_channel();
            let duree = Duration::from_millis(400);
            let c = Cadence { taux: 2_000.0, reguliere, duree, connexions: 1 };
            let debut = Instant::now();
            cadencer(&envoi, debut, c);
            drop(envoi);
            let mut n = 0_u32;
            let mut avant = debut;
            while let Ok(due) = dues.try_recv() {
                assert!(due >= avant && due < debut + duree);
                avant = due;
                n += 1;
            }
            assert!((650..950).contains(&n), "{n}");
        }
    }
}
