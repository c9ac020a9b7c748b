//! The reading of a file, in a thread of its own: records go by batches, and wait when
//! who compares them is late.

use std::{
    fs::File,
    ops::ControlFlow,
    sync::{
        Arc,
        mpsc::{Receiver, sync_channel},
    },
};

use ror_proto::identity::v1::Format;
use tokio::task::JoinHandle;

use super::jauge::{Jauge, Mesure};
use crate::formats::{ErreurFichier, Lecture, Resume, tous};

/// Records sent at once.
const LOT: usize = 256;
/// Batches that wait.
const ATTENTE: usize = 16;

/// How the reading ends.
pub(super) type Fin = JoinHandle<Result<Resume, ErreurFichier>>;

/// Starts reading; nobody receiving ends it.
pub(super) fn lancer(
    format: Format,
    nom: String,
    fichier: File,
    jauge: Arc<Jauge>,
) -> (Fin, Receiver<Vec<Lecture>>) {
    let (envoi, lectures) = sync_channel(ATTENTE);
    let fin = tokio::task::spawn_blocking(move || {
        let mut lot = Vec::with_capacity(LOT);
        let mut suite = |lecture: Lecture| {
            lot.push(lecture);
            if lot.len() < LOT {
                return ControlFlow::Continue(());
            }
            match envoi.send(std::mem::replace(&mut lot, Vec::with_capacity(LOT))) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        };
        let resume = tous::lire(format, &nom, Mesure { interne: fichier, jauge }, &mut suite);
        // Nobody receiving has its own reason, told elsewhere.
        let _ = envoi.send(lot);
        resume
    });
    (fin, lectures)
}
