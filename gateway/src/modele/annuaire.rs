//! Moments: one writer's copy, the moment everyone reads, those kept for walks, and the journal
//! of what changed from one to the next. Readers never wait for the writer.

mod ecrivain;

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use ror_chassis::Resultat;
use tokio::sync::watch;

use super::{Modele, TypeFhir};
use ecrivain::{Ecrivain, PAS};

/// A moment is kept no longer than this once it is no longer the present one, whoever walks through it: what
/// it shows may have been withdrawn since.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);

/// Who is told of the rows that change before the moment that shows them; answers the number of
/// what it was told.
pub trait Temoin: Send + Sync {
    /// The state of these rows changed: one by one, in order.
    fn dire(&self, m: &Modele, rangs: &[(TypeFhir, u32)]) -> u64;
}

struct Garde {
    modele: Arc<Modele>,
    dernier: Instant,
    /// Since when it is not the present one.
    ancien: Option<Instant>,
    suivi: bool,
    /// Who alone walks through it.
    seul: Option<Box<str>>,
}

impl Garde {
    fn perime(&self, duree: Duration) -> bool {
        self.dernier.elapsed() > duree || self.ancien.is_some_and(|a| a.elapsed() > AGE_MAX)
    }
}

/// The writer's copy.
struct Copie {
    modele: Modele,
    /// Whether it holds changes that no moment shows.
    a_publier: bool,
    publiee: Option<Instant>,
}

/// What the writer and the readers share.
struct Coeur {
    copie: Mutex<Copie>,
    /// From the telling of a change to the moment that shows it; taken before the copy.
    publication: Mutex<()>,
    courant: ArcSwap<Modele>,
    publie: watch::Sender<u64>,
    gardes: Mutex<BTreeMap<u64, Garde>>,
    temoin: OnceLock<Arc<dyn Temoin>>,
}

/// The directory through time.
pub struct Annuaire {
    coeur: Arc<Coeur>,
    ecrivain: Ecrivain,
    duree: Duration,
    nombre: usize,
}

/// The caller that holds the most moments for itself, when they are more than one.
fn avide(gardes: &BTreeMap<u64, Garde>) -> Option<Box<str>> {
    let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
    for seul in gardes.values().filter_map(|e| e.seul.as_deref()) {
        *parts.entry(seul).or_default() += 1;
    }
    let avide = parts.into_iter().filter(|(_, n)| *n > 1).max_by_key(|(_, n)| *n);
    avide.map(|(nom, _)| nom.into())
}

fn maintenant() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
}

impl Coeur {
    fn changer<R>(&self, changer: impl FnOnce(&mut Modele) -> R) -> R {
        let mut c = self.copie.lock();
        c.a_publier = true;
        changer(&mut c.modele)
    }

    /// How long what was written may still wait; `None` when nothing does. While the first snapshots come,
    /// nothing is published: no one reads a partial directory, and nothing is copied for it.
    fn attente(&self) -> Option<Duration> {
        let c = self.copie.lock();
        let attend = c.a_publier && !c.modele.travail.differe;
        attend.then(|| c.publiee.map_or(Duration::ZERO, |p| PAS.saturating_sub(p.elapsed())))
    }

    /// Publishes what was written, if anything was; the former moment. The copy is free while the witness is
    /// told, which may take a while.
    fn publier(&self) -> Option<Arc<Modele>> {
        let _publication = self.publication.lock();
        let (mut moment, touches, mut etats, refonte, retrait) = {
            let mut c = self.copie.lock();
            if !c.a_publier || c.modele.travail.differe {
                return None;
            }
            c.a_publier = false;
            c.publiee = Some(Instant::now());
            let m = &mut c.modele;
            m.numero += 1;
            m.date = maintenant();
            let touches = std::mem::take(&mut m.travail.touches);
            let etats = std::mem::take(&mut m.travail.etats);
            let refonte = std::mem::take(&mut m.travail.refonte);
            let retrait = std::mem::take(&mut m.travail.retrait);
            (m.clone(), touches, etats, refonte, retrait)
        };
        if let Some(temoin) = self.temoin.get() {
            etats.sort_unstable();
            etats.dedup();
            moment.texte = temoin.dire(&moment, &etats);
        }
        moment.journal.noter(moment.numero, moment.positions, &touches, refonte);
        let numero = moment.numero;
        let ancien = self.courant.swap(Arc::new(moment));
        let mut g = self.gardes.lock();
        if retrait {
            g.clear();
        } else if let Some(e) = g.get_mut(&ancien.numero) {
            e.ancien = Some(Instant::now());
        }
        drop(g);
        self.publie.send_if_modified(|n| {
            let nouveau = numero > *n;
            *n = numero.max(*n);
            nouveau
        });
        Some(ancien)
    }
}

impl Annuaire {
    /// Starts from a model; a moment is kept for a walk at most `duree` without use, and at most
    /// `nombre` of them.
    pub fn nouveau(modele: Modele, duree: Duration, nombre: usize) -> Self {
        let coeur = Arc::new(Coeur {
            courant: ArcSwap::from_pointee(modele.clone()),
            copie: Mutex::new(Copie { modele, a_publier: false, publiee: None }),
            publication: Mutex::default(),
            publie: watch::Sender::new(0),
            gardes: Mutex::default(),
            temoin: OnceLock::new(),
        });
        Self { ecrivain: Ecrivain::demarrer(coeur.clone()), coeur, duree, nombre: nombre.max(1) }
    }

    /// Tells someone of every change; the first one who asks.
    pub fn avec_temoin(self, temoin: Arc<dyn Temoin>) -> Self {
        let _ = self.coeur.temoin.set(temoin);
        self
    }

    /// Looks at the present moment while the witness is told of no other: what is handed over meanwhile is
    /// older than what it will be told.
    pub fn entre_publications<R>(&self, lire: impl FnOnce(&Arc<Modele>) -> R) -> R {
        let _publication = self.coeur.publication.lock();
        lire(&self.instant())
    }

    /// The last published moment; never blocks.
    pub fn instant(&self) -> Arc<Modele> {
        self.coeur.courant.load_full()
    }

    /// Number of the last published moment, as it changes.
    pub fn abonner(&self) -> watch::Receiver<u64> {
        self.coeur.publie.subscribe()
    }

    /// Changes the directory. A moment shows it at once or soon after: under load, moments are few.
    ///
    /// # Errors
    ///
    /// The change failed.
    pub async fn ecrire_async<R: Send + 'static>(
        &self,
        changer: impl FnOnce(&mut Modele) -> R + Send + 'static,
    ) -> Resultat<R> {
        self.ecrivain.confier(changer, false).await
    }

    /// Changes the directory; the present moment then shows it.
    ///
    /// # Errors
    ///
    /// The change failed.
    pub async fn ecrire_et_publier<R: Send + 'static>(
        &self,
        changer: impl FnOnce(&mut Modele) -> R + Send + 'static,
    ) -> Resultat<R> {
        self.ecrivain.confier(changer, true).await
    }

    /// The same on this thread, which it may block: not for an async task.
    pub fn ecrire<R>(&self, changer: impl FnOnce(&mut Modele) -> R) -> R {
        let r = self.coeur.changer(changer);
        if let Some(ancien) = self.coeur.publier() {
            self.ecrivain.laisser(ancien);
        }
        r
    }

    /// Keeps a moment for a walk of that caller that begins (`suivi`: that goes on). One whose rights are no
    /// longer in force is not kept.
    pub fn garder(&self, m: &Arc<Modele>, suivi: bool, appelant: &str) {
        let mut g = self.coeur.gardes.lock();
        let present = self.instant();
        g.retain(|_, e| !e.perime(self.duree));
        let est_present = present.numero == m.numero;
        // An answer that outlasted its moment does not give it another life.
        let age = u64::try_from(maintenant().saturating_sub(m.date)).unwrap_or(0);
        let vieux = !est_present && !g.contains_key(&m.numero) && Duration::from_millis(age) > AGE_MAX;
        if vieux || !Arc::ptr_eq(&present.politique, &m.politique) {
            return;
        }
        let maintenant = Instant::now();
        let ancien = (!est_present).then_some(maintenant);
        let e = g.entry(m.numero).or_insert_with(|| Garde {
            modele: m.clone(),
            dernier: maintenant,
            ancien,
            suivi,
            seul: Some(appelant.into()),
        });
        e.dernier = maintenant;
        e.suivi |= suivi;
        if e.seul.as_deref().is_some_and(|seul| seul != appelant) {
            e.seul = None;
        }
        // Whoever holds the most of them for itself gives one up: no caller makes the walks of others lapse.
        // Walks that begin have a share of their own, which those that go on never take: past it the one of
        // them left aside the longest goes, else the one that goes on and was left aside the longest.
        let part = (self.nombre / 4).max(1);
        while g.len() > self.nombre {
            let debordent = g.values().filter(|e| !e.suivi).count() > part;
            let avide = avide(&g);
            let autres = g.iter().filter(|(n, e)| **n != m.numero && (avide.is_none() || e.seul == avide));
            let partant = autres.min_by_key(|(_, e)| (e.suivi == debordent, e.dernier)).map(|(n, _)| *n);
            let Some(n) = partant else { break };
            g.remove(&n);
        }
    }

    /// Gives another life to a moment, if it is kept.
    pub fn prolonger(&self, numero: u64) {
        let present = self.instant().numero;
        if let Some(e) = self.coeur.gardes.lock().get_mut(&numero)
            && (numero == present || !e.perime(self.duree))
        {
            e.dernier = Instant::now();
        }
    }

    /// A kept moment, or the present one.
    pub fn moment(&self, numero: u64) -> Option<Arc<Modele>> {
        let present = self.instant();
        if present.numero == numero {
            return Some(present);
        }
        let mut g = self.coeur.gardes.lock();
        let e = g.get_mut(&numero)?;
        if e.perime(self.duree) || !Arc::ptr_eq(&present.politique, &e.modele.politique) {
            return None;
        }
        e.dernier = Instant::now();
        Some(e.modele.clone())
    }

    /// Moments kept.
    pub fn gardes(&self) -> usize {
        self.coeur.gardes.lock().len()
    }

    /// Lets go of the moments no walk used for long, but for the present one, which costs nothing. The writer frees
    /// them.
    pub fn nettoyer(&self) {
        let present = self.instant().numero;
        self.coeur.gardes.lock().retain(|n, e| *n == present || !e.perime(self.duree));
    }
}
