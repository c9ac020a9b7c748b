//! Full text over the read model: `_content`, `_text`.
//!
//! The index lags behind the model, by at most the time between two commits, and may be ahead of a moment that is held.
//! For an answer that is exact at a moment: feed [`TexteIntegral::poser`] and [`TexteIntegral::retirer`] before the
//! moment is published, keep [`TexteIntegral::numero`] with it, and at each search
//!
//! 1. call [`TexteIntegral::chercher`];
//! 2. ask [`TexteIntegral::touches_depuis`] the smaller of the moment's number and [`Trouves::numero`];
//! 3. decide each of these rows by [`Demande::convient`] on its text at the moment, and [`Trouves::corriger`].
//!
//! Both decisions are one: the index walks its dictionary with the automaton that `convient` asks term by term.
//!
//! With a folder for the image of the model, the index lives in it, and an image keeps a copy of it
//! ([`TexteIntegral::demander_copie`]) that the next life goes on with ([`TexteIntegral::reprendre`]). Asked for between
//! two publications, a copy is of the present moment: it has every change up to it and none after.
//!
//! Reading order: `analyse` (from a text to terms), `mot` (how a term answers a word), `demande` (what is asked,
//! scores), `index` (the same over the index), `ecrivain` (its writer), `disque` (its folder and copies), `fiche` (the
//! texts of each resource).

mod abreviations;
mod analyse;
mod demande;
mod disque;
mod ecrivain;
mod fiche;
mod index;
mod moment;
mod mot;
mod touches;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use ror_chassis::{Erreur, Resultat};

use crate::modele::{Bits, TypeFhir, image};
use ecrivain::{Ecrivain, Ordre, Outils};
use touches::Touches;

pub use analyse::Analyse;
pub use demande::{Demande, MOTS_MAX};
pub use disque::{CopieDemandee, est_copie, oublier};
pub use fiche::{d_offre, de_professionnel, de_structure};
pub use moment::{TextesDuMoment, fiche};

/// Batches that wait for the writer; past them, who feeds waits too.
const FILE: usize = 64;
/// What the writer may hold before it makes a segment: the least and the most.
const OCTETS: (usize, usize) = (15_000_000, 200_000_000);

/// The texts of one row. Contacts, telecommunications and every other block hidden from some profiles stay out, but for
/// `fin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fiche {
    /// Type of the row.
    pub type_fhir: TypeFhir,
    /// Row.
    pub rang: u32,
    /// Names, aliases, descriptions; one a line.
    pub narratif: String,
    /// What everyone may read beside: labels, address, comments.
    pub contenu: String,
    /// What only those who see the fine block of an offer, or the equipment of a place, may read.
    pub fin: String,
}

impl Fiche {
    fn textes(&self) -> [&str; 3] {
        [&self.narratif, &self.contenu, &self.fin]
    }
}

/// The texts of a row that are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChampTexte {
    /// `_text`: the narrative.
    Narratif,
    /// `_content`, for all.
    Contenu,
    /// `_content`, for the rows whose fine block (offers) or equipment (places) the profile sees.
    ContenuFin,
}

impl ChampTexte {
    /// How many of the texts of a row.
    fn nombre(self) -> usize {
        match self {
            Self::Narratif => 1,
            Self::Contenu => 2,
            Self::ContenuFin => 3,
        }
    }
}

/// Rows that answer, with their scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trouves {
    /// The rows.
    pub rangs: RoaringBitmap,
    /// Every change up to this one is in what was searched.
    pub numero: u64,
    /// In the order of rows.
    scores: Vec<(u32, f32)>,
}

impl Trouves {
    /// Score of a row, in ]0, 1]; 1 when its name is the words asked and nothing else.
    pub fn score(&self, rang: u32) -> Option<f32> {
        let place = self.scores.binary_search_by_key(&rang, |(r, _)| *r).ok()?;
        Some(self.scores[place].1)
    }

    /// Puts what is true of rows at the moment in place of what the index said. Each row once, in their order.
    pub fn corriger(&mut self, corrections: &[(u32, Option<f32>)]) {
        if corrections.is_empty() {
            return;
        }
        let mut scores = Vec::with_capacity(self.scores.len() + corrections.len());
        let mut anciens = self.scores.iter().copied().peekable();
        for (rang, score) in corrections {
            while let Some(avant) = anciens.next_if(|(r, _)| r < rang) {
                scores.push(avant);
            }
            anciens.next_if(|(r, _)| r == rang);
            if let Some(score) = score {
                scores.push((*rang, *score));
                self.rangs.insert(*rang);
            } else {
                self.rangs.remove(*rang);
            }
        }
        scores.extend(anciens);
        self.scores = scores;
    }

    /// Keeps the rows of another search too, the better score of each.
    pub fn unir(&mut self, autre: &Self) {
        let mut scores = Vec::with_capacity(self.scores.len() + autre.scores.len());
        let mut anciens = self.scores.iter().copied().peekable();
        for (rang, score) in &autre.scores {
            while let Some(avant) = anciens.next_if(|(r, _)| r < rang) {
                scores.push(avant);
            }
            let ancien = anciens.next_if(|(r, _)| r == rang);
            scores.push((*rang, ancien.map_or(*score, |(_, s)| s.max(*score))));
        }
        scores.extend(anciens);
        self.scores = scores;
        self.rangs |= &autre.rangs;
        self.numero = self.numero.min(autre.numero);
    }

    /// Leaves out the rows that are not among these.
    pub fn garder(&mut self, rangs: &RoaringBitmap) {
        self.rangs &= rangs;
        self.scores.retain(|(r, _)| rangs.contains(*r));
    }

    /// Leaves these rows out.
    pub fn oter(&mut self, rangs: &RoaringBitmap) {
        self.rangs -= rangs;
        self.scores.retain(|(r, _)| !rangs.contains(*r));
    }
}

/// What is searched: the index at a commit.
struct Vue {
    lecteur: tantivy::Searcher,
    numero: u64,
    /// Whether it was told of every row.
    entiere: bool,
}

/// One index a process, fed beside the model.
pub struct TexteIntegral {
    /// Of the image, where the index lives; in memory without one.
    dossier: Option<PathBuf>,
    /// What a writer may hold.
    octets: usize,
    champs: index::Champs,
    vue: Arc<ArcSwap<Vue>>,
    touches: Arc<Mutex<Touches>>,
    a_valider: Arc<AtomicBool>,
    en_panne: Arc<AtomicBool>,
    /// Held while a batch is handed over, so that numbers follow the order of the queue.
    file: Mutex<SyncSender<Ordre>>,
}

impl TexteIntegral {
    /// An empty index whose writer holds at most about this many bytes; it lives in the folder of the image, else in
    /// memory.
    pub fn nouveau(octets_max: usize, dossier: Option<&Path>) -> Resultat<Self> {
        let octets = octets_max.clamp(OCTETS.0, OCTETS.1);
        let sur_disque = dossier.and_then(|d| {
            let outils = sur_disque(d, octets);
            let refus = |e: &io::Error| {
                tracing::warn!(folder = %d.display(), error = %e, "full text in memory, and not in the image");
            };
            outils.inspect_err(refus).ok().map(|outils| (outils, d.to_owned()))
        });
        let (outils, dossier) = match sur_disque {
            Some((outils, dossier)) => (outils, Some(dossier)),
            None => (Outils::ouvrir(None, octets).map_err(|e| Erreur::Interne(Box::new(e)))?, None),
        };
        let champs = outils.champs.clone();
        let touches = Arc::new(Mutex::new(Touches::default()));
        let a_valider = Arc::new(AtomicBool::new(false));
        let en_panne = Arc::new(AtomicBool::new(false));
        let (ecrivain, vue) = Ecrivain::nouveau(outils, touches.clone(), a_valider.clone(), en_panne.clone());
        let (file, ordres) = sync_channel(FILE);
        std::thread::Builder::new()
            .name("texte".into())
            .spawn(move || ecrivain.tourner(&ordres))
            .map_err(|e| Erreur::Interne(Box::new(e)))?;
        Ok(Self { dossier, octets, champs, vue, touches, a_valider, en_panne, file: Mutex::new(file) })
    }

    /// Replaces rows, at the next commit. Waits when the writer is far behind.
    pub fn poser(&self, fiches: impl Into<Vec<Fiche>>) {
        let fiches: Vec<Fiche> = fiches.into();
        let rangs: Vec<_> = fiches.iter().map(|f| (f.type_fhir, f.rang)).collect();
        self.envoyer(&rangs, |numero| Ordre::Poser(fiches, numero));
    }

    /// Hands over again rows as the present moment has them, those it does not have among `absents`, at the next
    /// commit: no moment has another text of them for that, so none is corrected for it.
    pub fn nourrir(&self, fiches: Vec<Fiche>, absents: Vec<(TypeFhir, u32)>) {
        let file = self.file.lock();
        let numero = self.touches.lock().numero();
        ceder(&file, Ordre::Poser(fiches, numero));
        if !absents.is_empty() {
            ceder(&file, Ordre::Retirer(absents, numero));
        }
    }

    /// Takes rows out, at the next commit.
    pub fn retirer(&self, rangs: &[(TypeFhir, u32)]) {
        self.envoyer(rangs, |numero| Ordre::Retirer(rangs.to_vec(), numero));
    }

    fn envoyer(&self, rangs: &[(TypeFhir, u32)], ordre: impl FnOnce(u64) -> Ordre) {
        if rangs.is_empty() {
            return;
        }
        let file = self.file.lock();
        let numero = self.touches.lock().noter(rangs);
        ceder(&file, ordre(numero));
    }

    /// Asks for a commit; returns at once.
    pub fn valider(&self) {
        self.a_valider.store(true, Ordering::Release);
        // Wakes the writer; when it is busy it looks at the flag by itself.
        if let Some(file) = self.file.try_lock() {
            let _ = file.try_send(Ordre::Reveil);
        }
    }

    /// Says that every row was handed over; waits until all are found, false when the index failed. Blocks: not for
    /// an async task.
    pub fn achever(&self) -> bool {
        let (fait, attente) = sync_channel(1);
        ceder(&self.file.lock(), Ordre::Achever(fait));
        attente.recv().is_ok()
    }

    /// Whether it finds every row.
    pub fn entier(&self) -> bool {
        self.vue().entiere
    }

    /// Whether the index failed: it no longer learns what changes, and is to be made again.
    pub fn en_panne(&self) -> bool {
        self.en_panne.load(Ordering::Acquire)
    }

    /// Begins again with an empty index after a failure; every row is then to be handed over. Blocks: not for an async
    /// task.
    ///
    /// # Errors
    ///
    /// There is no place for it: full text answers as it did.
    pub fn refaire(&self) -> io::Result<()> {
        let outils = match &self.dossier {
            Some(dossier) => sur_disque(dossier, self.octets)?,
            None => Outils::ouvrir(None, self.octets).map_err(io::Error::other)?,
        };
        if self.ceder_index(outils, Default::default()) {
            Ok(())
        } else {
            Err(io::Error::other("the index did not fail"))
        }
    }

    /// Asks for a copy of the index with all that was handed over before and nothing after; `None` for one in memory.
    pub fn demander_copie(&self) -> Option<CopieDemandee> {
        let dossier = self.dossier.clone()?;
        let (fait, attente) = sync_channel(1);
        ceder(&self.file.lock(), Ordre::Copier(fait));
        Some(CopieDemandee { dossier, attente })
    }

    /// Goes on with a copy, before anything is handed over; its rows. Blocks: not for an async task.
    ///
    /// # Errors
    ///
    /// The copy does not serve: the index is as it was.
    pub fn reprendre(&self, copie: &image::Texte) -> io::Result<u64> {
        let dossier = self.dossier.as_deref().ok_or_else(|| io::Error::other("the index is in memory"))?;
        let vif = disque::reprendre(dossier, copie)?;
        self.adopter(&vif, copie).inspect_err(|_| {
            let _ = fs::remove_dir_all(&vif);
        })
    }

    fn adopter(&self, vif: &Path, copie: &image::Texte) -> io::Result<u64> {
        let outils = Outils::ouvrir(Some(vif.to_owned()), self.octets).map_err(io::Error::other)?;
        let lignes: u64 = copie.presentes.iter().map(RoaringBitmap::len).sum();
        if outils.lignes() != lignes {
            return Err(io::Error::other("other rows than told"));
        }
        if self.ceder_index(outils, copie.presentes.clone()) {
            Ok(lignes)
        } else {
            Err(io::Error::other("rows were handed over already"))
        }
    }

    /// Whether the writer goes on with this index, which holds these rows.
    fn ceder_index(&self, outils: Outils, presentes: [RoaringBitmap; 5]) -> bool {
        let (fait, attente) = sync_channel(1);
        ceder(&self.file.lock(), Ordre::Reprendre(Box::new(outils), presentes, fait));
        attente.recv() == Ok(true)
    }

    /// Number of the last change handed over; to be kept with each moment.
    pub fn numero(&self) -> u64 {
        self.touches.lock().numero()
    }

    /// The index at its last commit.
    fn vue(&self) -> Arc<Vue> {
        self.vue.load_full()
    }

    /// Rows of a type changed after that change, and maybe some others.
    pub fn touches_depuis(&self, t: TypeFhir, numero: u64) -> RoaringBitmap {
        self.touches.lock().depuis(t, numero)
    }

    /// Rows that answer at the last commit, the best `limite` of them when given; `None` when the text asks for no word.
    pub fn chercher(
        &self,
        t: TypeFhir,
        champ: ChampTexte,
        texte: &str,
        limite: Option<usize>,
    ) -> Option<Trouves> {
        Some(self.repondre(&self.vue(), t, champ, &Demande::lire(texte)?, limite))
    }

    /// The same, for a text read already, at some commit.
    fn repondre(
        &self,
        vue: &Vue,
        t: TypeFhir,
        champ: ChampTexte,
        demande: &Demande,
        limite: Option<usize>,
    ) -> Trouves {
        let mut scores = index::chercher(&vue.lecteur, &self.champs, t, champ, demande).unwrap_or_else(|e| {
            tracing::error!(error = %e, "full text not read");
            Vec::new()
        });
        if let Some(limite) = limite.filter(|l| *l < scores.len()) {
            scores.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            scores.truncate(limite);
        }
        // A segment gives most of them in their order: what knows a run when it sees one is faster here.
        scores.sort_by_key(|(rang, _)| *rang);
        let rangs: Vec<u32> = scores.iter().map(|(rang, _)| *rang).collect();
        Trouves { rangs: Bits::en_ordre(&rangs), numero: vue.numero, scores }
    }

    /// What the index would answer for one text, in it or not: `None` when it does not answer.
    pub fn convient(&self, champ: ChampTexte, texte_cherche: &str, fiche: &Fiche) -> Option<f32> {
        Demande::lire(texte_cherche)?.convient(champ, fiche, &mut Analyse::default())
    }
}

/// An empty index in the folder of the image.
fn sur_disque(dossier: &Path, octets: usize) -> io::Result<Outils> {
    let vif = disque::naitre(dossier)?;
    Outils::ouvrir(Some(vif), octets).map_err(io::Error::other)
}

fn ceder(file: &SyncSender<Ordre>, ordre: Ordre) {
    if file.send(ordre).is_err() {
        tracing::error!("full text: the writer has stopped");
    }
}

#[cfg(test)]
mod tests;
