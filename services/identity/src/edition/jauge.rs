//! How far a load is, told to who waits for it.

use std::{
    io::{self, Read, Seek, SeekFrom},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use ror_proto::identity::v1::Avancement;
use tokio::{sync::mpsc, task::JoinHandle};

/// Between two messages.
const RYTHME: Duration = Duration::from_millis(100);

/// Bytes read and records handled.
#[derive(Debug, Default)]
pub(super) struct Jauge {
    octets: AtomicU64,
    enregistrements: AtomicU64,
}

impl Jauge {
    /// Counts records.
    pub(super) fn compter(&self, nombre: u64) {
        self.enregistrements.fetch_add(nombre, Relaxed);
    }

    fn lire(&self) -> Avancement {
        Avancement { octets: self.octets.load(Relaxed), enregistrements: self.enregistrements.load(Relaxed) }
    }
}

/// A reader that fills a gauge.
#[derive(Debug)]
pub(super) struct Mesure<R> {
    /// Where the bytes come from.
    pub(super) interne: R,
    /// What they fill.
    pub(super) jauge: Arc<Jauge>,
}

impl<R: Read> Read for Mesure<R> {
    fn read(&mut self, tampon: &mut [u8]) -> io::Result<usize> {
        let n = self.interne.read(tampon)?;
        self.jauge.octets.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

impl<R: Seek> Seek for Mesure<R> {
    fn seek(&mut self, place: SeekFrom) -> io::Result<u64> {
        self.interne.seek(place)
    }
}

/// Tells a gauge from time to time, until dropped.
#[derive(Debug)]
pub(super) struct Annonce(JoinHandle<()>);

impl Annonce {
    /// Begins; nobody listening is not a fault.
    pub(super) fn commencer(jauge: Arc<Jauge>, avancement: mpsc::Sender<Avancement>) -> Self {
        Self(tokio::spawn(async move {
            let mut dit = Avancement::default();
            loop {
                tokio::time::sleep(RYTHME).await;
                let lu = jauge.lire();
                if lu != dit && avancement.send(lu).await.is_err() {
                    return;
                }
                dit = lu;
            }
        }))
    }
}

impl Drop for Annonce {
    fn drop(&mut self) {
        self.0.abort();
    }
}
