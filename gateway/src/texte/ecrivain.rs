//! The writer of the index: one thread, fed by a bounded queue. It commits when asked, and takes up the segments that
//! were merged since, so that the old ones are freed.

use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Duration,
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

/// How often merges are looked for while nothing comes.
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
    /// Commit, then say so.
    Attendre(SyncSender<()>),
    /// Commit, then copy what was.
    Copier(SyncSender<tantivy::Result<Copie>>),
    /// Go on with this index, which holds these rows; whether it was done.
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
    ) -> (Self, Arc<ArcSwap<Vue>>) {
        let vue = Arc::new(ArcSwap::from_pointee(Vue { lecteur: outils.lecteur.searcher(), numero: 0 }));
        let soi = Self {
            outils,
            presentes: Default::default(),
            numero: 0,
            en_cours: false,
            vue: vue.clone(),
            touches,
            a_valider,
        };
        (soi, vue)
    }

    /// Obeys until no one can ask any more, or the index fails.
    pub(super) fn tourner(mut self, ordres: &Receiver<Ordre>) {
        loop {
            let suite = match ordres.recv_timeout(REPOS) {
                Ok(ordre) => self.obeir(ordre),
                Err(RecvTimeoutError::Timeout) => self.rafraichir(),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let suite = suite.and_then(|()| {
                if self.a_valider.swap(false, Ordering::AcqRel) { self.valider() } else { Ok(()) }
            });
            if let Err(e) = suite {
                // What is posed from now on is decided text by text, more slowly; the answers stay right.
                tracing::error!(error = %e, "full text: the index failed, restart the gateway");
                return;
            }
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
            Ordre::Attendre(fait) => {
                self.valider()?;
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
        let mut ancien = std::mem::replace(&mut self.outils, outils);
        self.presentes = presentes;
        self.montrer(0);
        let vif = ancien.vif.take();
        drop(ancien);
        if let Some(vif) = vif {
            let _ = fs::remove_dir_all(vif);
        }
        true
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
        self.vue.store(Arc::new(Vue { lecteur: self.outils.lecteur.searcher(), numero }));
    }

    /// Takes up merged segments; nothing to do when the segments are those that are read.
    fn rafraichir(&self) -> tantivy::Result<()> {
        let presents: HashSet<_> = self.outils.index.searchable_segment_ids()?.into_iter().collect();
        let vue = self.vue.load_full();
        let lus: HashSet<_> = vue.lecteur.segment_readers().iter().map(|s| s.segment_id()).collect();
        if presents == lus { Ok(()) } else { self.publier(vue.numero) }
    }
}
