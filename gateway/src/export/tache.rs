//! One export: what was asked, where it stands, and its folder, from which all is read again after a
//! restart. `demande.json` is there from the first answer on; `manifeste.json` or `echec.json` comes
//! last, whole and on disk, so that neither is ever taken for true before it is.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use parking_lot::RwLock;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

use super::{demande::Demande, manifeste::Manifeste};
use crate::{fhir::outcome::Issue, prive};

const DEMANDE: &str = "demande.json";
const MANIFESTE: &str = "manifeste.json";
const ECHEC: &str = "echec.json";

/// What was asked, and by whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Fiche {
    /// Who asked, and alone may read.
    pub client_id: String,
    /// Profile under which everything is read.
    pub profil: u8,
    /// The request, as sent.
    pub url: String,
    /// URL of the façade as the caller knows it.
    pub base: String,
    /// When, milliseconds since 1970.
    pub creee: i64,
    /// The checked request.
    pub demande: Demande,
}

/// Why an export failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echec {
    /// FHIR issue-type code.
    pub code: String,
    /// French sentences.
    pub textes: Vec<String>,
    /// When, milliseconds since 1970.
    pub fin: i64,
}

impl Echec {
    /// One reason.
    pub fn nouveau(code: &str, texte: impl Into<String>) -> Self {
        Self { code: code.to_owned(), textes: vec![texte.into()], fin: maintenant() }
    }

    /// For the answer of the poll.
    pub fn issues(&self) -> Vec<Issue> {
        let connus = ["no-store", "invalid", "conflict", "too-costly", "transient", "expired"];
        let code = connus.into_iter().find(|c| *c == self.code);
        self.textes.iter().map(|t| Issue::new(code.unwrap_or("exception"), t.clone())).collect()
    }
}

impl From<io::Error> for Echec {
    fn from(e: io::Error) -> Self {
        tracing::error!(error = %e, "export not written");
        match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::nouveau(
                "no-store",
                "Le disque des exports est plein. Attendu : supprimer par DELETE les exports qui ne servent plus, demander un extrait plus petit, ou recommencer plus tard.",
            ),
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => Self::nouveau(
                "no-store",
                "L'écriture est refusée dans le dossier des exports. Attendu : prévenir l'exploitant du service.",
            ),
            _ => Self::nouveau(
                "exception",
                "L'export n'a pas pu être écrit. Attendu : recommencer, puis prévenir l'exploitant du service.",
            ),
        }
    }
}

/// Where an export stands.
#[derive(Clone, Debug)]
pub enum Etat {
    /// Waiting for its turn.
    Attente,
    /// Being written.
    Cours,
    /// Its files are there.
    Faite(Arc<Manifeste>),
    /// It failed.
    Echouee(Arc<Echec>),
}

/// One export.
#[derive(Debug)]
pub struct Tache {
    /// Its name in URLs.
    pub id: Uuid,
    /// What was asked.
    pub fiche: Fiche,
    /// Its folder.
    pub dossier: PathBuf,
    /// Whether a restart made it begin again.
    pub reprise: bool,
    /// Since when this process knows it.
    pub depuis: Instant,
    /// Resources written.
    pub fait: AtomicU64,
    /// Resources to write; 0 while unknown.
    pub total: AtomicU64,
    /// Bytes it holds on disk.
    pub octets: AtomicU64,
    annulee: AtomicBool,
    etat: RwLock<Etat>,
}

impl Tache {
    /// A new one below `racine`, its request on disk.
    pub fn creer(racine: &Path, fiche: Fiche) -> io::Result<Self> {
        let id = Uuid::new_v4();
        let dossier = racine.join(id.to_string());
        prive::dossier(&dossier)?;
        let pose = poser_json(&dossier, DEMANDE, &fiche).and_then(|()| File::open(racine)?.sync_all());
        if let Err(e) = pose {
            let _ = fs::remove_dir_all(&dossier);
            return Err(e);
        }
        Ok(Self::avec(id, fiche, dossier, Etat::Attente, false))
    }

    /// The export of a folder, as it was left; what was not finished waits to begin again.
    pub fn relire(dossier: &Path) -> io::Result<Self> {
        let nom = dossier.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let id = Uuid::parse_str(nom).map_err(io::Error::other)?;
        let fiche: Fiche = lire_json(dossier, DEMANDE)?;
        let entier = |m: &Manifeste| {
            m.fichiers().all(|f| {
                let pose = fs::metadata(dossier.join(f.sur_disque()));
                pose.is_ok_and(|p| p.len() == f.scelle.taille_gzip)
            })
        };
        let etat = if let Ok(m) = lire_json::<Manifeste>(dossier, MANIFESTE)
            && entier(&m)
        {
            Etat::Faite(Arc::new(m))
        } else if let Ok(e) = lire_json::<Echec>(dossier, ECHEC) {
            Etat::Echouee(Arc::new(e))
        } else {
            vider(dossier)?;
            Etat::Attente
        };
        let reprise = matches!(etat, Etat::Attente);
        let t = Self::avec(id, fiche, dossier.to_owned(), etat, reprise);
        if let Etat::Faite(m) = t.etat() {
            t.octets.store(m.fichiers().map(|f| f.scelle.taille_gzip).sum(), Ordering::Relaxed);
        }
        Ok(t)
    }

    fn avec(id: Uuid, fiche: Fiche, dossier: PathBuf, etat: Etat, reprise: bool) -> Self {
        Self {
            id,
            fiche,
            dossier,
            reprise,
            depuis: Instant::now(),
            fait: AtomicU64::new(0),
            total: AtomicU64::new(0),
            octets: AtomicU64::new(0),
            annulee: AtomicBool::new(false),
            etat: RwLock::new(etat),
        }
    }

    /// Where it stands.
    pub fn etat(&self) -> Etat {
        self.etat.read().clone()
    }

    /// Takes it out of the queue; false when it is not in it.
    pub fn commencer(&self) -> bool {
        let mut etat = self.etat.write();
        let attendait = matches!(*etat, Etat::Attente);
        if attendait {
            *etat = Etat::Cours;
        }
        attendait
    }

    /// Whether it waits or runs.
    pub fn active(&self) -> bool {
        matches!(*self.etat.read(), Etat::Attente | Etat::Cours)
    }

    /// When it ended.
    pub fn finie_le(&self) -> Option<i64> {
        match &*self.etat.read() {
            Etat::Faite(m) => Some(m.fin),
            Etat::Echouee(e) => Some(e.fin),
            _ => None,
        }
    }

    /// What was written goes, to be written again.
    pub fn recommencer(&self) -> io::Result<()> {
        self.fait.store(0, Ordering::Relaxed);
        vider(&self.dossier)
    }

    /// Its files are all on disk: says so, on disk first.
    pub fn reussir(&self, m: Manifeste) -> io::Result<()> {
        poser_json(&self.dossier, MANIFESTE, &m)?;
        *self.etat.write() = Etat::Faite(Arc::new(m));
        Ok(())
    }

    /// It failed: its files go, their room with them.
    pub fn echouer(&self, e: Echec) {
        if let Err(erreur) = vider(&self.dossier).and_then(|()| poser_json(&self.dossier, ECHEC, &e)) {
            // It is told from memory; after a restart it begins again.
            tracing::warn!(job = %self.id, error = %erreur, "failure of an export not kept");
        }
        *self.etat.write() = Etat::Echouee(Arc::new(e));
    }

    /// Tells the one who writes to stop.
    pub fn annuler(&self) {
        self.annulee.store(true, Ordering::Release);
    }

    /// Whether nobody wants it any more.
    pub fn annulee(&self) -> bool {
        self.annulee.load(Ordering::Acquire)
    }

    /// Deletes its folder.
    pub fn supprimer(&self) {
        if let Err(e) = fs::remove_dir_all(&self.dossier)
            && e.kind() != ErrorKind::NotFound
        {
            tracing::warn!(job = %self.id, error = %e, "folder of an export not deleted");
        }
    }

    /// Hundredths done.
    pub fn progres(&self) -> u64 {
        let total = self.total.load(Ordering::Relaxed);
        // The last hundredth is the manifest.
        self.fait.load(Ordering::Relaxed).saturating_mul(100).checked_div(total).map_or(0, |p| p.min(99))
    }
}

/// Milliseconds since 1970.
pub fn maintenant() -> i64 {
    let depuis = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(depuis.as_millis()).unwrap_or(i64::MAX)
}

/// Deletes every file but the request.
fn vider(dossier: &Path) -> io::Result<()> {
    for entree in fs::read_dir(dossier)? {
        let entree = entree?;
        if entree.file_name() != DEMANDE {
            fs::remove_file(entree.path())?;
        }
    }
    Ok(())
}

fn lire_json<T: DeserializeOwned>(dossier: &Path, nom: &str) -> io::Result<T> {
    Ok(serde_json::from_slice(&fs::read(dossier.join(nom))?)?)
}

/// Whole and on disk, or not there.
fn poser_json(dossier: &Path, nom: &str, valeur: &impl Serialize) -> io::Result<()> {
    let provisoire = dossier.join(format!("{nom}.part"));
    let mut f = File::create(&provisoire)?;
    f.write_all(&serde_json::to_vec(valeur)?)?;
    f.sync_all()?;
    fs::rename(provisoire, dossier.join(nom))?;
    File::open(dossier)?.sync_all()
}
