//! Bulk export: jobs in a bounded folder, each from one moment of the directory. A job survives a
//! restart of its replica with its files; one that was not finished begins again at a new moment, under
//! the same address.
//!
//! Reading order: [`demande`] (what is asked), [`portee`] (which rows), [`production`] (from a moment to
//! bytes), [`sortie`] and [`fichier`] (how files are cut and lie on disk), [`tache`] (one job and its
//! folder), [`manifeste`].

pub mod demande;
pub mod fichier;
pub mod manifeste;
pub mod portee;
mod production;
pub mod reduction;
pub mod reperes;
mod sortie;
pub mod tache;

use std::{
    collections::BTreeMap,
    fs,
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use ror_chassis::{Erreur, Resultat};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

use crate::{Partage, Passerelle, prive, reglages::ReglagesExport};
use manifeste::Manifeste;
use reperes::Reperes;
use tache::{Echec, Etat, Fiche, Tache, maintenant};

/// Said of an export made under other rights.
pub const AUTRES_DROITS: &str = "L'export est d'une autre politique d'accès que celle en vigueur, ou d'une autre version du service : il n'est plus rendu. Attendu : un nouvel export.";
/// Most exports that wait or run, all callers together.
const FILE_MAX: usize = 100;
/// Most exports kept for one caller.
const GARDES_MAX: usize = 50;
/// Between two looks at the clock.
const PAS: Duration = Duration::from_secs(1);
/// Looks between two searches of what is out of date.
const PAS_PAR_MENAGE: u32 = 30;

/// Room on disk.
#[derive(Debug)]
pub struct Espace {
    pris: AtomicU64,
    max: u64,
}

impl Espace {
    /// Takes bytes; false past the bound, the bytes being taken all the same.
    fn prendre(&self, octets: u64) -> bool {
        self.pris.fetch_add(octets, Ordering::Relaxed) + octets <= self.max
    }

    fn rendre(&self, octets: u64) {
        self.pris.fetch_sub(octets, Ordering::Relaxed);
    }

    fn plein(&self) -> bool {
        self.pris.load(Ordering::Relaxed) >= self.max
    }
}

/// Every export of this replica.
#[derive(Debug)]
pub struct Exports {
    reglages: ReglagesExport,
    taches: Mutex<BTreeMap<Uuid, Arc<Tache>>>,
    /// One admission at a time, so that the bounds hold.
    admission: Mutex<()>,
    espace: Espace,
    reperes: Reperes,
    reveil: Notify,
}

impl Exports {
    /// None known yet: [`Self::charger`] reads the folder.
    pub fn nouveau(reglages: ReglagesExport) -> Self {
        let espace = Espace { pris: AtomicU64::new(0), max: reglages.octets_max };
        Self {
            reglages,
            taches: Mutex::default(),
            admission: Mutex::default(),
            espace,
            reperes: Reperes::default(),
            reveil: Notify::new(),
        }
    }

    /// Reads the jobs that a former life left.
    pub fn charger(&self) {
        let racine = &self.reglages.dossier;
        let dossiers = match prive::dossier(racine).and_then(|()| fs::read_dir(racine)) {
            Ok(d) => d,
            Err(e) => {
                tracing::error!(folder = %racine.display(), error = %e, "exports refused: their folder cannot be used");
                return;
            }
        };
        for dossier in dossiers.filter_map(Result::ok).map(|d| d.path()) {
            // Only what is named as ours is ours.
            let nom = dossier.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            if Uuid::parse_str(nom).is_err() {
                continue;
            }
            match Tache::relire(&dossier) {
                Ok(t) => {
                    self.espace.prendre(t.octets.load(Ordering::Relaxed));
                    self.taches.lock().insert(t.id, Arc::new(t));
                }
                Err(e) => {
                    tracing::warn!(folder = %dossier.display(), error = %e, "export that cannot be read, deleted");
                    let _ = fs::remove_dir_all(&dossier);
                }
            }
        }
        self.reveil.notify_one();
    }

    /// Takes a request in. Writes on disk.
    ///
    /// # Errors
    ///
    /// [`Erreur::Epuise`] past a bound, [`Erreur::Indisponible`] when the folder cannot be written.
    pub fn accepter(&self, fiche: Fiche) -> Resultat<Arc<Tache>> {
        let _seul = self.admission.lock();
        let (mut actives, mut siennes, mut gardees) = (0, 0, 0);
        for t in self.taches.lock().values() {
            let sienne = t.fiche.client_id == fiche.client_id;
            gardees += usize::from(sienne);
            if t.active() {
                actives += 1;
                siennes += usize::from(sienne);
            }
        }
        if siennes >= self.reglages.par_client {
            return Err(Erreur::Epuise(format!(
                "cette application a déjà {siennes} export(s) en cours. Attendu : attendre leur fin, ou en annuler un par DELETE"
            )));
        }
        if gardees >= GARDES_MAX {
            return Err(Erreur::Epuise(format!(
                "cette application a {gardees} exports conservés. Attendu : supprimer par DELETE ceux qui ne servent plus"
            )));
        }
        if actives >= FILE_MAX {
            return Err(Erreur::Epuise("trop d'exports attendent. Attendu : recommencer plus tard".into()));
        }
        if self.espace.plein() {
            return Err(Erreur::Epuise(
                "la place réservée aux exports est prise. Attendu : supprimer par DELETE ceux qui ne servent plus, ou recommencer plus tard".into(),
            ));
        }
        let racine = &self.reglages.dossier;
        let creee = prive::dossier(racine).and_then(|()| Tache::creer(racine, fiche));
        let t = Arc::new(creee.map_err(|e| Erreur::Indisponible(Echec::from(e).textes.join(" ")))?);
        self.taches.lock().insert(t.id, t.clone());
        self.reveil.notify_one();
        Ok(t)
    }

    /// A caller's export. Another's is unknown, and so is one made under another profile than today's.
    pub fn trouver(&self, id: Uuid, client_id: &str, profil: u8) -> Option<Arc<Tache>> {
        let taches = self.taches.lock();
        taches.get(&id).filter(|t| t.fiche.client_id == client_id && t.fiche.profil == profil).cloned()
    }

    /// Forgets an export and deletes its files; whoever writes it stops. Writes on disk.
    pub fn retirer(&self, t: &Tache) {
        self.taches.lock().remove(&t.id);
        t.annuler();
        // The one who writes deletes what it may still be writing.
        if !matches!(t.etat(), Etat::Cours) {
            self.effacer(t);
        }
    }

    fn effacer(&self, t: &Tache) {
        t.supprimer();
        self.espace.rendre(t.octets.swap(0, Ordering::Relaxed));
    }

    /// Last instant at which the files of an export are there, milliseconds since 1970.
    pub fn expiration(&self, fin: i64) -> i64 {
        fin.saturating_add_unsigned(self.reglages.heures.saturating_mul(3_600_000))
    }

    /// Deletes what is out of date. Writes on disk.
    pub fn expirer(&self, maintenant: i64) {
        let finies: Vec<Arc<Tache>> = {
            let taches = self.taches.lock();
            let finie = |t: &&Arc<Tache>| t.finie_le().is_some_and(|f| self.expiration(f) < maintenant);
            taches.values().filter(finie).cloned().collect()
        };
        for t in finies {
            tracing::info!(job = %t.id, "export out of date, deleted");
            self.retirer(&t);
        }
    }

    /// Deletes the files of exports made under other rights than these of each profile. Writes on disk.
    pub fn perimer(&self, droits: impl Fn(u8) -> u64) {
        let perimees: Vec<Arc<Tache>> = {
            let perimee =
                |t: &&Arc<Tache>| matches!(t.etat(), Etat::Faite(m) if m.droits != droits(t.fiche.profil));
            self.taches.lock().values().filter(perimee).cloned().collect()
        };
        for t in perimees {
            tracing::info!(job = %t.id, "export of other rights, deleted");
            t.echouer(Echec::nouveau("expired", AUTRES_DROITS));
            self.espace.rendre(t.octets.swap(0, Ordering::Relaxed));
        }
    }

    /// The one that waits for longest, taken out of the queue.
    fn prochaine(&self) -> Option<Arc<Tache>> {
        let mut attente: Vec<Arc<Tache>> = {
            let taches = self.taches.lock();
            taches.values().filter(|t| matches!(t.etat(), Etat::Attente)).cloned().collect()
        };
        attente.sort_by_key(|t| (t.fiche.creee, t.id));
        attente.into_iter().find(|t| t.commencer())
    }

    pub(crate) fn espace(&self) -> &Espace {
        &self.espace
    }

    pub(crate) fn reperes(&self) -> &Reperes {
        &self.reperes
    }
}

/// Reads the folder, then writes what is asked until `arret`.
pub fn demarrer(p: &Partage, taches: &TaskTracker, arret: &CancellationToken) {
    p.exports.charger();
    taches.spawn(mener(p.clone(), taches.clone(), arret.clone()));
    taches.spawn(entretenir(p.clone(), arret.clone()));
}

async fn mener(p: Partage, taches: TaskTracker, arret: CancellationToken) {
    let places = Arc::new(Semaphore::new(p.exports.reglages.simultanes.max(1)));
    loop {
        // What a directory that is not whole would give is not an export of it.
        if !p.etat.pret() {
            tokio::select! {
                () = tokio::time::sleep(PAS / 4) => {}
                () = arret.cancelled() => return,
            }
            continue;
        }
        let place = tokio::select! {
            place = places.clone().acquire_owned() => place,
            () = arret.cancelled() => return,
        };
        let Ok(place) = place else { return };
        let Some(t) = p.exports.prochaine() else {
            drop(place);
            tokio::select! {
                () = p.exports.reveil.notified() => {}
                () = arret.cancelled() => return,
            }
            continue;
        };
        let (p, arret) = (p.clone(), arret.clone());
        taches.spawn_blocking(move || {
            executer(&p, &t, &arret);
            drop(place);
        });
    }
}

fn executer(p: &Passerelle, t: &Tache, arret: &CancellationToken) {
    let debut = Instant::now();
    let resultat = loop {
        let produit =
            catch_unwind(AssertUnwindSafe(|| production::produire(p, t, arret))).unwrap_or_else(|_| {
                Err(Echec::nouveau(
                    "exception",
                    "L'export s'est interrompu. Attendu : prévenir l'exploitant du service.",
                ))
            });
        let lisible = |m: &Manifeste| m.droits == p.droits(t.fiche.profil);
        match produit {
            Ok(m) if !t.annulee() && !arret.is_cancelled() && !m.as_ref().is_some_and(lisible) => {
                tracing::info!(job = %t.id, "access policy changed, export begun again");
                p.exports.espace.rendre(t.octets.swap(0, Ordering::Relaxed));
                if let Err(e) = t.recommencer() {
                    break Err(Echec::from(e));
                }
            }
            produit => break produit,
        }
    };
    let resultat = match resultat {
        // The process ends: it begins again in the next life.
        Ok(None) if !t.annulee() => return,
        Ok(Some(m)) => t.reussir(m).map_err(Echec::from),
        Ok(None) => Ok(()),
        Err(e) => Err(e),
    };
    let octets = t.octets.load(Ordering::Relaxed);
    if let Err(e) = resultat {
        metrics::counter!("ror_exports_failed").increment(1);
        t.echouer(e);
        p.exports.espace.rendre(t.octets.swap(0, Ordering::Relaxed));
    } else {
        metrics::histogram!("ror_export_seconds").record(debut.elapsed().as_secs_f64());
        tracing::info!(job = %t.id, bytes = octets, seconds = debut.elapsed().as_secs_f64(), "export written");
    }
    // Cancelled meanwhile: whoever cancelled left the files to us.
    if t.annulee() {
        p.exports.effacer(t);
    }
}

/// Notes the moments, and deletes what is out of date.
async fn entretenir(p: Partage, arret: CancellationToken) {
    let mut horloge = tokio::time::interval(PAS);
    let mut tours = 0u32;
    loop {
        tokio::select! {
            _ = horloge.tick() => {}
            () = arret.cancelled() => return,
        }
        if p.etat.pret() {
            let m = p.annuaire.instant();
            // It stands now, whenever it was published.
            p.exports.reperes.noter(maintenant(), m.numero());
        }
        tours = tours.wrapping_add(1);
        if tours.is_multiple_of(PAS_PAR_MENAGE) {
            let p = p.clone();
            let menage = move || {
                p.exports.expirer(maintenant());
                if p.etat.pret() {
                    p.exports.perimer(|profil| p.droits(profil));
                }
            };
            let _ = tokio::task::spawn_blocking(menage).await;
        }
    }
}

/// Whether a failure to open a file means that the export is gone.
pub fn disparu(e: &std::io::Error) -> bool {
    e.kind() == ErrorKind::NotFound
}

#[cfg(test)]
mod tests;
