//! The writer: one thread changes the directory, publishes its moments and frees those that no one reads any
//! more, so that no async worker ever does.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

use ror_chassis::{Erreur, Resultat};
use tokio::sync::{Semaphore, oneshot};

use super::{Coeur, Modele};

/// Least time between two moments, when no one waits for one.
pub(super) const PAS: Duration = Duration::from_millis(50);
/// Between two looks at the moments that are still read.
const LIBERATION: Duration = Duration::from_secs(1);
/// Writes that wait; past them, who writes waits too.
const FILE: usize = 64;

/// Answers who asked for a write, once it is published if that was asked.
type Reponse = Box<dyn FnOnce() + Send>;
type Ecriture = Box<dyn FnOnce(&mut Modele) -> Reponse + Send>;

enum Ordre {
    Ecrire {
        ecriture: Ecriture,
        publier: bool,
    },
    /// This moment is no longer the present one.
    Laisser(Arc<Modele>),
}

/// The thread, as others see it. It ends with it.
pub(super) struct Ecrivain {
    file: Sender<Ordre>,
    places: Arc<Semaphore>,
}

impl Ecrivain {
    pub(super) fn demarrer(coeur: Arc<Coeur>) -> Self {
        let (file, ordres) = channel();
        let fil = std::thread::Builder::new().name("annuaire".into());
        if let Err(e) = fil.spawn(move || tourner(&coeur, &ordres)) {
            tracing::error!(error = %e, "the writer of the directory cannot start");
        }
        Self { file, places: Arc::new(Semaphore::new(FILE)) }
    }

    /// Has a change made, and waits for its answer; `publier`: until a moment shows it.
    pub(super) async fn confier<R: Send + 'static>(
        &self,
        changer: impl FnOnce(&mut Modele) -> R + Send + 'static,
        publier: bool,
    ) -> Resultat<R> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| arrete())?;
        let (envoi, reception) = oneshot::channel();
        let ecriture: Ecriture = Box::new(move |m| {
            let r = changer(m);
            let repondre: Reponse = Box::new(move || {
                drop(place);
                // Who asked may have gone.
                let _ = envoi.send(r);
            });
            repondre
        });
        self.file.send(Ordre::Ecrire { ecriture, publier }).map_err(|_| arrete())?;
        reception.await.map_err(|_| arrete())
    }

    pub(super) fn laisser(&self, m: Arc<Modele>) {
        // Without the thread it is freed here.
        let _ = self.file.send(Ordre::Laisser(m));
    }
}

fn arrete() -> Erreur {
    Erreur::interne("the writer of the directory failed")
}

fn tourner(coeur: &Coeur, ordres: &Receiver<Ordre>) {
    // Former moments, until no one else holds them.
    let mut anciens: BTreeMap<u64, Arc<Modele>> = BTreeMap::new();
    loop {
        let liberation = (!anciens.is_empty()).then_some(LIBERATION);
        let attente = coeur.attente().into_iter().chain(liberation).min();
        let premier = match attente {
            None => match ordres.recv() {
                Ok(o) => Some(o),
                Err(_) => return,
            },
            Some(duree) => match ordres.recv_timeout(duree) {
                Ok(o) => Some(o),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            },
        };
        let (mut reponses, mut publier) = (Vec::new(), false);
        // What waits together is published together.
        for ordre in premier.into_iter().chain(ordres.try_iter().take(FILE)) {
            match ordre {
                Ordre::Ecrire { ecriture, publier: attendu } => {
                    publier |= attendu;
                    reponses.extend(proteger(|| coeur.changer(ecriture)));
                }
                Ordre::Laisser(m) => {
                    anciens.insert(m.numero, m);
                }
            }
        }
        if publier || coeur.attente().is_some_and(|a| a.is_zero()) {
            let ancien = proteger(|| coeur.publier()).flatten();
            anciens.extend(ancien.map(|m| (m.numero, m)));
        }
        reponses.into_iter().for_each(|repondre| repondre());
        anciens.retain(|_, m| Arc::strong_count(m) > 1);
    }
}

/// One write that fails must not end all others; who asked for it is told.
fn proteger<R>(faire: impl FnOnce() -> R) -> Option<R> {
    let fait = catch_unwind(AssertUnwindSafe(faire));
    if fait.is_err() {
        tracing::error!("a write of the directory failed, restart the gateway");
    }
    fait.ok()
}
