//! Where the parts of long answers are made, and a first snapshot is read before there is any: a thread a core, first come,
//! first made. What waits takes no thread, and a thread that ends a part begins the next one without being woken.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
};

use parking_lot::Mutex;
use ror_chassis::{Erreur, Resultat};
use tokio::sync::oneshot;

type Travail = Box<dyn FnOnce() + Send>;

/// The threads, which end with it.
pub struct Atelier {
    file: mpsc::Sender<Travail>,
}

impl Atelier {
    /// With so many threads.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn nouveau(fils: usize) -> Resultat<Self> {
        let (file, recue) = mpsc::channel();
        let recue = Arc::new(Mutex::new(recue));
        for _ in 0..fils {
            let recue = recue.clone();
            let fil = thread::Builder::new().name("atelier".into()).spawn(move || travailler(&recue));
            fil.map_err(|e| Erreur::Indisponible(format!("le système ne donne plus de fil : {e}")))?;
        }
        Ok(Self { file })
    }

    /// What this work gives, in its turn; an error when it panicked. It is not begun when no one waits for it any more.
    pub fn faire<R, F>(&self, travail: F) -> impl Future<Output = io::Result<R>> + use<R, F>
    where
        R: Send + 'static,
        F: FnOnce() -> R + Send + 'static,
    {
        let (donner, recevoir) = oneshot::channel();
        let travail = move || {
            if !donner.is_closed() {
                // Whoever left meanwhile has no use for it.
                let _ = donner.send(travail());
            }
        };
        // Without a thread it is dropped, which the receiver hears.
        let _ = self.file.send(Box::new(travail));
        async move { recevoir.await.map_err(io::Error::other) }
    }
}

fn travailler(file: &Mutex<mpsc::Receiver<Travail>>) {
    loop {
        // Whoever waits for work holds the queue, and the others wait for that.
        let travail = file.lock().recv();
        let Ok(travail) = travail else { return };
        // The receiver hears of a panic by its sender, dropped; the next work is not concerned.
        let _ = catch_unwind(AssertUnwindSafe(travail));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use futures::StreamExt as _;

    use super::*;

    #[tokio::test]
    async fn works_are_made_in_their_turn_and_a_panic_is_one_work_s_own() {
        let atelier = Atelier::nouveau(2).unwrap();
        let works = futures::stream::iter(0..100).map(|n| {
            atelier.faire(move || {
                assert_ne!(n, 50, "on purpose");
                n
            })
        });
        let faits: Vec<Option<i32>> = works.buffered(3).map(Result::ok).collect().await;
        let attendus: Vec<Option<i32>> = (0..100).map(|n| (n != 50).then_some(n)).collect();
        assert_eq!(faits, attendus);
    }

    #[tokio::test]
    async fn no_more_are_made_at_once_than_there_are_threads_and_none_that_no_one_waits_for() {
        let atelier = Atelier::nouveau(1).unwrap();
        let (retenir, retenu) = mpsc::channel::<()>();
        let premier = atelier.faire(move || retenu.recv().is_ok());
        let faits = Arc::new(AtomicUsize::new(0));
        let compter = |faits: &Arc<AtomicUsize>| {
            let faits = faits.clone();
            move || faits.fetch_add(1, Relaxed)
        };
        drop(atelier.faire(compter(&faits)));
        let dernier = atelier.faire(compter(&faits));
        assert_eq!(faits.load(Relaxed), 0);
        retenir.send(()).unwrap();
        assert!(premier.await.unwrap());
        assert_eq!(dernier.await.unwrap(), 0, "the one before was not made");
    }

    #[tokio::test]
    async fn without_a_thread_nothing_is_waited_for_for_ever() {
        let atelier = Atelier::nouveau(0).unwrap();
        assert!(atelier.faire(|| ()).await.is_err());
    }
}
