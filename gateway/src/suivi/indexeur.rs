//! How full text is fed: rows as they change, before anyone reads them, and every row again when labels do.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use roaring::RoaringBitmap;
use ror_domaine::vocabulaire::{Tables, Vocabulaire};
use tokio_util::sync::CancellationToken;

use crate::{
    Passerelle,
    modele::{Annuaire, Modele, Temoin, TypeFhir, image},
    texte::{self, CopieDemandee, Fiche, TexteIntegral},
};

/// Between two commits.
const PAS: Duration = Duration::from_millis(200);
/// Between two feedings, when labels change.
const REFONTE: Duration = Duration::from_secs(60);
/// Rows fed at once: what is written is not published meanwhile.
const LOT: usize = 200;

/// Who tells full text of the rows.
pub struct Indexeur {
    texte: Arc<TexteIntegral>,
    vocabulaire: Vocabulaire,
    /// Changed between two publications only, as what the index is told.
    nourri: Mutex<Nourri>,
    /// Labels last looked at, and what identifies them.
    vues: Mutex<Option<(Arc<Tables>, u64)>>,
}

/// What the index was told.
#[derive(Default)]
struct Nourri {
    /// Labels that its rows have; `None` before the first feeding.
    libelles: Option<u64>,
    /// Rows that it has otherwise, or not yet.
    reste: [RoaringBitmap; 5],
}

impl Nourri {
    fn entier(&self) -> bool {
        self.reste.iter().all(RoaringBitmap::is_empty)
    }

    /// These rows were told with these labels.
    fn noter(&mut self, libelles: u64, rangs: &[(TypeFhir, u32)]) {
        for &(t, r) in rangs {
            let reste = &mut self.reste[t as usize];
            match self.libelles {
                Some(l) if l == libelles => reste.remove(r),
                Some(_) => reste.insert(r),
                // The first feeding is of every row.
                None => false,
            };
        }
    }
}

impl Temoin for Indexeur {
    fn dire(&self, m: &Modele, rangs: &[(TypeFhir, u32)]) -> u64 {
        let (tables, libelles) = self.libelles();
        let (fiches, absents) = lire(m, rangs, &tables);
        self.texte.poser(fiches);
        self.texte.retirer(&absents);
        self.nourri.lock().noter(libelles, rangs);
        self.texte.numero()
    }
}

/// The texts of rows, and those that are not there.
fn lire(m: &Modele, rangs: &[(TypeFhir, u32)], tables: &Tables) -> (Vec<Fiche>, Vec<(TypeFhir, u32)>) {
    let (mut fiches, mut absents) = (Vec::new(), Vec::new());
    for &(t, r) in rangs {
        match m.extraire(t, r, 1).and_then(|e| texte::fiche(&e, tables)) {
            Some(f) => fiches.push(f),
            None => absents.push((t, r)),
        }
    }
    (fiches, absents)
}

impl Indexeur {
    /// For an index that knows nothing yet.
    pub fn nouveau(texte: Arc<TexteIntegral>, vocabulaire: Vocabulaire) -> Self {
        Self { texte, vocabulaire, nourri: Mutex::default(), vues: Mutex::default() }
    }

    /// What identifies the labels now.
    pub(crate) fn empreinte_libelles(&self) -> u64 {
        self.libelles().1
    }

    /// The labels now, and what identifies them.
    fn libelles(&self) -> (Arc<Tables>, u64) {
        let tables = self.vocabulaire.tables();
        let mut vues = self.vues.lock();
        if let Some((vue, empreinte)) = &*vues
            && Arc::ptr_eq(vue, &tables)
        {
            return (tables, *empreinte);
        }
        let empreinte = tables.empreinte_libelles();
        *vues = Some((tables.clone(), empreinte));
        (tables, empreinte)
    }

    /// The labels that every row of the index has; `None` when some row has not.
    pub(super) fn entier(&self) -> Option<u64> {
        let nourri = self.nourri.lock();
        nourri.libelles.filter(|_| nourri.entier())
    }

    /// Whether these are the labels that its rows have, all but some.
    fn porte(&self, libelles: u64) -> bool {
        self.nourri.lock().libelles == Some(libelles)
    }

    /// Feeds the rows that the index has not as they are with these labels, some at a time; false when told to stop
    /// before the end, or when the index failed.
    fn nourrir(
        &self,
        annuaire: &Annuaire,
        (tables, libelles): &(Arc<Tables>, u64),
        arret: &CancellationToken,
    ) -> bool {
        annuaire.entre_publications(|m| {
            let mut nourri = self.nourri.lock();
            if nourri.libelles != Some(*libelles) {
                nourri.libelles = Some(*libelles);
                for t in TypeFhir::TOUS {
                    nourri.reste[t as usize] |= m.table(t).presentes();
                }
            }
        });
        for t in TypeFhir::TOUS {
            // Those that are told with other labels meanwhile wait for the next time.
            let rangs: Vec<(TypeFhir, u32)> =
                self.nourri.lock().reste[t as usize].iter().map(|r| (t, r)).collect();
            for lot in rangs.chunks(LOT) {
                if arret.is_cancelled() {
                    return false;
                }
                // No other text of a row is handed over since it was read: the newest is last.
                annuaire.entre_publications(|m| {
                    let (fiches, absents) = lire(m, lot, tables);
                    self.texte.nourrir(fiches, absents);
                    self.nourri.lock().noter(*libelles, lot);
                });
            }
        }
        self.texte.achever()
    }

    /// Begins again with an empty index, once the former one failed.
    fn refaire(&self) -> io::Result<()> {
        // Before: no copy of the new one may be taken for a whole one.
        *self.nourri.lock() = Nourri::default();
        self.texte.refaire()
    }

    /// Asks for a copy of the index as it is at the present moment: between two publications. `None` while there is
    /// nothing to copy, or no place for it.
    pub(super) fn demander_copie(&self) -> Option<Copie> {
        let (libelles, reste) = {
            let nourri = self.nourri.lock();
            (nourri.libelles?, nourri.reste.clone())
        };
        Some(Copie { demande: self.texte.demander_copie()?, libelles, reste })
    }

    /// Goes on with the index of an image, once its moment is the present one and before any other; its rows.
    pub(super) fn reprendre(&self, copie: image::Texte) -> io::Result<u64> {
        let lignes = self.texte.reprendre(&copie)?;
        *self.nourri.lock() = Nourri { libelles: Some(copie.libelles), reste: copie.a_nourrir };
        Ok(lignes)
    }
}

/// A copy of the index that was asked for.
pub(super) struct Copie {
    demande: CopieDemandee,
    libelles: u64,
    reste: [RoaringBitmap; 5],
}

impl Copie {
    /// Waits until it is made: not for an async task.
    pub(super) fn attendre(self) -> io::Result<image::Texte> {
        self.demande.attendre(self.libelles, self.reste)
    }
}

/// Feeds full text once the directory is whole, and again when labels change or when it failed; commits what changes
/// meanwhile.
pub(super) async fn tourner(p: Arc<Passerelle>, arret: CancellationToken) {
    let (mut derniere, mut refaite): (Option<Instant>, Option<Instant>) = (None, None);
    loop {
        tokio::select! {
            () = tokio::time::sleep(PAS) => {}
            () = arret.cancelled() => return,
        }
        if p.texte.en_panne() {
            if refaite.is_none_or(|r| r.elapsed() >= REFONTE) {
                refaite = Some(Instant::now());
                let indexeur = p.indexeur.clone();
                if let Ok(Err(e)) = tokio::task::spawn_blocking(move || indexeur.refaire()).await {
                    tracing::warn!(error = %e, "full text not made again yet");
                }
                derniere = None;
            }
            continue;
        }
        let libelles = p.indexeur.libelles();
        let fait = p.texte.entier() && p.indexeur.entier() == Some(libelles.1);
        let attendre = derniere.is_some_and(|d| d.elapsed() < REFONTE);
        // What an image brought lacks little: it is made whole before the directory is.
        let repris = p.indexeur.porte(libelles.1) && p.vocabulaire.pret().is_ok();
        if fait || attendre || !(repris || p.etat.pret()) {
            p.texte.valider();
            continue;
        }
        let (passerelle, arret) = (p.clone(), arret.clone());
        let nourrir = move || passerelle.indexeur.nourrir(&passerelle.annuaire, &libelles, &arret);
        if let Err(e) = tokio::task::spawn_blocking(nourrir).await {
            tracing::error!(error = %e, "full text: rows not fed");
        }
        derniere = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests;
