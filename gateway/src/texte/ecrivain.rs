//! The writer of the index: one thread, fed by a bounded queue. It commits when asked, and takes up the segments that
//! were merged since, so that the old ones are freed. When the index fails, a full disk for instance, it waits for
//! another one to go on with.

use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use roaring::RoaringBitmap;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError, indexer::LogMergePolicy};

use super::{
    Fiche, Vue,
    disque::{self, Copie},
    index::{self, Champs},
    touches::Touches,
};
use crate::modele::TypeFhir;

/// How often merges are looked for, commits apart.
const REPOS: Duration = Duration::from_secs(5);
/// Share of deleted documents from which a segment is written anew.
const EFFACES: f32 = 0.25;

/// What the writer is told.
pub(super) enum Ordre {
    /// Replace rows; number of the change.
    Poser(Vec<Fiche>, u64),
    /// Take rows out; number of the change.
    Retirer(Vec<(TypeFhir, u32)>, u64),
    /// Look whether a commit is asked for.
    Reveil,
    /// Every row was handed over: commit, then say so.
    Achever(SyncSender<()>),
    /// Commit, then copy what was.
    Copier(SyncSender<tantivy::Result<Copie>>),
    /// Go on with this index, which holds these rows, before any is handed over or after a failure; whether it was done.
    Reprendre(Box<Outils>, [RoaringBitmap; 5], SyncSender<bool>),
}

/// An index, who writes it and who reads it.
pub(super) struct Outils {
    index: Index,
    ecrivain: IndexWriter,
    lecteur: IndexReader,
    pub champs: Champs,
    /// The folder it lives in; none in memory.
    vif: Option<PathBuf>,
}

impl Outils {
    /// The index of that folder, or a new one.
    pub(super) fn ouvrir(vif: Option<PathBuf>, octets: usize) -> tantivy::Result<Self> {
        let (index, champs) = index::ouvrir(vif.as_deref())?;
        let ecrivain: IndexWriter = index.writer_with_num_threads(1, octets)?;
        let mut fusions = LogMergePolicy::default();
        fusions.set_del_docs_ratio_before_merge(EFFACES);
        ecrivain.set_merge_policy(Box::new(fusions));
        let lecteur: IndexReader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, ecrivain, lecteur, champs, vif })
    }

    /// Rows in the index.
    pub(super) fn lignes(&self) -> u64 {
        self.lecteur.searcher().num_docs()
    }
}

/// The writer.
pub(super) struct Ecrivain {
    outils: Outils,
    /// Rows in the index: the others need no deletion.
    presentes: [RoaringBitmap; 5],
    numero: u64,
    /// Whether something waits for a commit.
    en_cours: bool,
    /// Whether the index was told of every row.
    entier: bool,
    /// When the segments were last looked at.
    relu: Instant,
    /// Whether it failed.
    en_panne: Arc<AtomicBool>,
    vue: Arc<ArcSwap<Vue>>,
    touches: Arc<Mutex<Touches>>,
    a_valider: Arc<AtomicBool>,
}

impl Ecrivain {
    /// A writer, and what it will publish.
    pub(super) fn nouveau(
        outils: Outils,
        touches: Arc<Mutex<Touches>>,
        a_valider: Arc<AtomicBool>,
        en_panne: Arc<AtomicBool>,
    ) -> (Self, Arc<ArcSwap<Vue>>) {
        let vue = Vue { lecteur: outils.lecteur.searcher(), numero: 0, entiere: false };
        let vue = Arc::new(ArcSwap::from_pointee(vue));
        let soi = Self {
            outils,
            presentes: Default::default(),
            numero: 0,
            en_cours: false,
            entier: false,
            relu: Instant::now(),
            en_panne,
            vue: vue.clone(),
            touches,
            a_valider,
        };
        (soi, vue)
    }

    /// Obeys until no one can ask any more.
    pub(super) fn tourner(mut self, ordres: &Receiver<Ordre>) {
        loop {
            let recu = match ordres.recv_timeout(REPOS) {
                Ok(ordre) => Some(ordre),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.en_panne.load(Ordering::Acquire) {
                self.attendre_un_index(recu);
            } else if let Err(e) = self.servir(recu) {
                // What changed since the last commit is decided text by text meanwhile: the answers stay right.
                tracing::error!(error = %e, "full text: the index failed, it will be made again");
                self.en_panne.store(true, Ordering::Release);
            }
        }
    }

    fn servir(&mut self, recu: Option<Ordre>) -> tantivy::Result<()> {
        if let Some(ordre) = recu {
            self.obeir(ordre)?;
        }
        if self.a_valider.swap(false, Ordering::AcqRel) {
            self.valider()?;
        }
        if self.relu.elapsed() >= REPOS { self.rafraichir() } else { Ok(()) }
    }

    /// After a failure: who asks anything else learns that it is not done.
    fn attendre_un_index(&mut self, recu: Option<Ordre>) {
        match recu {
            Some(Ordre::Poser(_, numero) | Ordre::Retirer(_, numero)) => self.numero = numero,
            Some(Ordre::Reprendre(outils, presentes, fait)) => {
                self.adopter(*outils, presentes);
                self.en_panne.store(false, Ordering::Release);
                let _ = fait.send(true);
            }
            _ => {}
        }
    }

    fn obeir(&mut self, ordre: Ordre) -> tantivy::Result<()> {
        match ordre {
            Ordre::Poser(fiches, numero) => {
                for fiche in &fiches {
                    self.effacer(fiche.type_fhir, fiche.rang);
                    self.outils.ecrivain.add_document(self.outils.champs.document(fiche))?;
                    self.presentes[fiche.type_fhir as usize].insert(fiche.rang);
                }
                self.noter(numero);
            }
            Ordre::Retirer(rangs, numero) => {
                for (t, rang) in rangs {
                    self.effacer(t, rang);
                }
                self.noter(numero);
            }
            Ordre::Reveil => {}
            Ordre::Achever(fait) => {
                self.valider()?;
                self.entier = true;
                self.montrer(self.numero);
                // Who asked may have gone.
                let _ = fait.send(());
            }
            Ordre::Copier(fait) => {
                self.valider()?;
                let _ = fait.send(self.copier());
            }
            Ordre::Reprendre(outils, presentes, fait) => {
                let _ = fait.send(self.reprendre(*outils, presentes));
            }
        }
        Ok(())
    }

    fn copier(&self) -> tantivy::Result<Copie> {
        let vif = self.outils.vif.as_ref();
        let vif = vif.ok_or_else(|| TantivyError::InvalidArgument("an index in memory".into()))?;
        let (dossier, fichiers) = disque::copier(&self.outils.index, vif)?;
        Ok(Copie { dossier, fichiers, presentes: self.presentes.clone() })
    }

    /// Only one that knows nothing yet gives its place.
    fn reprendre(&mut self, outils: Outils, presentes: [RoaringBitmap; 5]) -> bool {
        if self.numero != 0 || self.en_cours || self.presentes.iter().any(|p| !p.is_empty()) {
            return false;
        }
        self.adopter(outils, presentes);
        true
    }

    fn adopter(&mut self, outils: Outils, presentes: [RoaringBitmap; 5]) {
        let mut ancien = std::mem::replace(&mut self.outils, outils);
        self.presentes = presentes;
        (self.en_cours, self.entier) = (false, false);
        self.montrer(self.numero);
        let vif = ancien.vif.take();
        drop(ancien);
        if let Some(vif) = vif {
            let _ = fs::remove_dir_all(vif);
        }
    }

    fn noter(&mut self, numero: u64) {
        self.numero = numero;
        self.en_cours = true;
    }

    fn effacer(&mut self, t: TypeFhir, rang: u32) {
        if self.presentes[t as usize].remove(rang) {
            self.outils.ecrivain.delete_term(self.outils.champs.cle(t, rang));
        }
    }

    fn valider(&mut self) -> tantivy::Result<()> {
        if !self.en_cours {
            return Ok(());
        }
        self.outils.ecrivain.commit()?;
        self.en_cours = false;
        self.touches.lock().clore();
        self.publier(self.numero)
    }

    fn publier(&self, numero: u64) -> tantivy::Result<()> {
        self.outils.lecteur.reload()?;
        self.montrer(numero);
        Ok(())
    }

    fn montrer(&self, numero: u64) {
        let vue = Vue { lecteur: self.outils.lecteur.searcher(), numero, entiere: self.entier };
        self.vue.store(Arc::new(vue));
    }

    /// Takes up merged segments; nothing to do when the segments are those that are read.
    fn rafraichir(&mut self) -> tantivy::Result<()> {
        self.relu = Instant::now();
        let presents: HashSet<_> = self.outils.index.searchable_segment_ids()?.into_iter().collect();
        let vue = self.vue.load_full();
        let lus: HashSet<_> = vue.lecteur.segment_readers().iter().map(|s| s.segment_id()).collect();
        if presents == lus { Ok(()) } else { self.publier(vue.numero) }
    }
}
