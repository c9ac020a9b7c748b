//! Resources rendered beforehand, on disk: what no one asked for yet is there when someone does.
//!
//! A file cut in slots: the first one holds what compresses, each of the others records one after the other. Where a
//! record is, is known in memory. Readers never wait for a disk: what the system does not have in memory is rendered,
//! which takes less. One thread writes ([`super::preparation`]); when the file is full, the slot of which the least is
//! still in use is written again from its beginning.
//!
//! A record that is not as it was written, that is of another build, policy or labels, or of another state of its
//! resource, is not used: nothing has to be on disk at any moment, and what is there may be anything.

mod dictionnaires;
mod fiche;
mod places;

use std::{
    cell::RefCell,
    fs::File,
    io::{self, IoSliceMut},
    os::unix::fs::FileExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::{Mutex, RwLock};
use rustix::{
    fs::Advice,
    io::{Errno, ReadWriteFlags},
};
use tokio_util::sync::CancellationToken;
use zstd::zstd_safe::CCtx;

use super::temoin::{Temoins, temoins, vue};
use crate::{
    fhir::politique::PROFILS,
    modele::{Extrait, Modele},
    prive,
};
pub use dictionnaires::{Dictionnaire, Dictionnaires};
pub use fiche::Cle;
use fiche::{Fiche, UNITE};
use places::{EMPLACEMENT, Place, Places, UNITES};

/// Name of the file in the folder of the image.
const FICHIER: &str = "rendues";
/// Resources of a profile that were not there when asked for, from which its own are prepared.
const FROIDES: u32 = 500;
/// Records that did not serve, remembered until they are looked at.
const DOUTEUSES: usize = 4096;
/// Bytes written at once.
const ECRITURE: usize = 256 << 10;
/// Bytes asked of the disk around one that is not in memory.
const ALENTOUR: u64 = 128 << 10;

#[derive(Default)]
struct Interieur {
    places: Places,
    /// None before the first ones are learnt.
    dictionnaires: Option<Arc<Dictionnaires>>,
}

impl Interieur {
    fn trouver(&self, cle: Cle) -> Option<(Place, Arc<Dictionnaires>)> {
        Some((self.places.lire(cle)?, self.dictionnaires.clone()?))
    }
}

/// The file, and where things are in it.
pub struct Reserve {
    fichier: File,
    /// Slots at most, and those written so far, the first one included.
    emplacements: AtomicUsize,
    ecrits: AtomicUsize,
    interieur: RwLock<Interieur>,
    froides: [AtomicU32; PROFILS],
    servies: AtomicU64,
    /// Records that did not serve, to be looked at.
    douteuses: Mutex<Vec<Cle>>,
    /// Whether the system tells what it has in memory.
    sans_attendre: AtomicBool,
}

thread_local! {
    static TAMPON: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Reserve {
    /// The file of that folder, with what a former life left there; at most about so many bytes.
    ///
    /// # Errors
    ///
    /// It cannot be made.
    pub fn ouvrir(dossier: &Path, octets: u64) -> io::Result<Self> {
        prive::dossier(dossier)?;
        let mut options = prive::options();
        options.read(true).write(true).create(true).truncate(false);
        let fichier = options.open(dossier.join(FICHIER))?;
        let dictionnaires = Dictionnaires::lire(&fichier).map(Arc::new);
        let emplacements = usize::try_from(octets).unwrap_or(usize::MAX) / EMPLACEMENT;
        // Places are told in units, in thirty-two bits.
        let emplacements = emplacements.clamp(3, (u32::MAX / UNITES) as usize);
        let ecrits = usize::try_from(fichier.metadata()?.len()).unwrap_or(usize::MAX).div_ceil(EMPLACEMENT);
        if ecrits > emplacements {
            fichier.set_len((emplacements * EMPLACEMENT) as u64)?;
        }
        Ok(Self {
            fichier,
            emplacements: emplacements.into(),
            ecrits: ecrits.clamp(1, emplacements).into(),
            interieur: RwLock::new(Interieur { places: Places::default(), dictionnaires }),
            froides: Default::default(),
            servies: AtomicU64::new(0),
            douteuses: Mutex::default(),
            sans_attendre: true.into(),
        })
    }

    /// Appends a resource that was rendered before; false when it must be rendered.
    pub fn lire(&self, e: &Extrait<'_>, profil: u8, en_vigueur: u64, sortie: &mut Vec<u8>) -> bool {
        let cle = Cle { type_fhir: e.type_fhir, profil, rang: e.rang };
        // Who writes is of the lowest priority: no one waits for it.
        let trouvee = match self.interieur.try_read() {
            Some(i) => i.trouver(cle),
            None => return false,
        };
        let Some((place, dictionnaires)) = trouvee else {
            self.manquer(profil);
            return false;
        };
        TAMPON.with_borrow_mut(|tampon| {
            let Some(octets) = self.prendre(place, tampon) else { return false };
            let cachet = dictionnaires.cachet(en_vigueur);
            let fiche = Fiche::lire(octets).filter(|f| f.est(cle, cachet) && f.temoins.vue == vue(e));
            let servie =
                fiche.is_some_and(|f| dictionnaires.decomprimer(cle.type_fhir, f.corps, f.longueur, sortie));
            if servie {
                self.servies.fetch_add(1, Relaxed);
            } else if let Some(mut douteuses) = self.douteuses.try_lock()
                && douteuses.len() < DOUTEUSES
            {
                douteuses.push(cle);
            }
            servie
        })
    }

    /// Those that did not serve since the last time, some of them at least.
    pub fn douteuses(&self) -> Vec<Cle> {
        std::mem::take(&mut self.douteuses.lock())
    }

    /// How many answers it gave.
    pub fn servies(&self) -> u64 {
        self.servies.load(Relaxed)
    }

    /// Bytes of a place, when reading them waits for nothing.
    fn prendre<'t>(&self, place: Place, tampon: &'t mut Vec<u8>) -> Option<&'t [u8]> {
        let (debut, longueur) = place.octets();
        if tampon.len() < longueur {
            tampon.resize(longueur, 0);
        }
        let tampon = &mut tampon[..longueur];
        if self.sans_attendre.load(Relaxed) {
            let mut ou = [IoSliceMut::new(tampon)];
            match rustix::io::preadv2(&self.fichier, &mut ou, debut, ReadWriteFlags::NOWAIT) {
                Ok(lus) if lus == longueur => return Some(tampon),
                Ok(_) | Err(Errno::AGAIN | Errno::INTR) => {
                    metrics::counter!("ror_gateway_prepared_on_disk_total").increment(1);
                    let (debut, longueur) = (debut.saturating_sub(ALENTOUR / 2), ALENTOUR.try_into().ok());
                    // Read soon, for who asks next.
                    let _ = rustix::fs::fadvise(&self.fichier, debut, longueur, Advice::WillNeed);
                    return None;
                }
                // Not of every file system.
                Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                    self.sans_attendre.store(false, Relaxed)
                }
                Err(_) => return None,
            }
        }
        self.fichier.read_exact_at(tampon, debut).is_ok().then_some(tampon)
    }

    fn manquer(&self, profil: u8) {
        if let Some(n) = self.froides.get(usize::from(profil))
            && n.load(Relaxed) < FROIDES
        {
            n.fetch_add(1, Relaxed);
        }
    }

    /// Profiles that ask for enough to be prepared for.
    pub fn profils(&self) -> impl Iterator<Item = u8> + '_ {
        (0..).zip(&self.froides).filter(|(_, n)| n.load(Relaxed) >= FROIDES).map(|(profil, _)| profil)
    }

    /// Whether a record is there that serves this resource as it is.
    pub fn a(&self, cle: Cle, t: Temoins, en_vigueur: u64) -> bool {
        let Some((place, dictionnaires)) = self.interieur.read().trouver(cle) else { return false };
        let (debut, longueur) = place.octets();
        let mut octets = vec![0; longueur];
        let lus = self.fichier.read_exact_at(&mut octets, debut);
        let fiche = lus.ok().and_then(|()| Fiche::lire(&octets));
        fiche.is_some_and(|f| f.est(cle, dictionnaires.cachet(en_vigueur)) && f.temoins == t)
    }

    /// Takes up what the file holds of a directory as it is now.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn relire(&self, m: &Modele, en_vigueur: u64, arret: &CancellationToken) -> io::Result<()> {
        let Some(dictionnaires) = self.dictionnaires() else { return Ok(()) };
        let cachet = dictionnaires.cachet(en_vigueur);
        let mut octets = vec![0; EMPLACEMENT];
        for emplacement in 1..self.ecrits.load(Relaxed) {
            if arret.is_cancelled() {
                return Ok(());
            }
            let lus = lire_jusqu_a(&self.fichier, &mut octets, (emplacement * EMPLACEMENT) as u64)?;
            let (mut reste, mut posees) = (&octets[..lus], Vec::new());
            let mut debut = (emplacement * EMPLACEMENT / UNITE) as u32;
            while let Some(f) = Fiche::lire(reste) {
                let Some(longueur) = f.unites() else { break };
                let encore = |f: &Fiche<'_>| {
                    let e = m.extraire(f.cle.type_fhir, f.cle.rang, f.cle.profil);
                    e.is_some_and(|e| temoins(&e) == f.temoins)
                };
                if f.cachet == cachet && encore(&f) {
                    posees.push((f.cle, Place::nouvelle(debut, longueur)));
                }
                debut += u32::from(longueur);
                reste = reste.get(usize::from(longueur) * UNITE..).unwrap_or_default();
            }
            let mut i = self.interieur.write();
            for (cle, place) in posees {
                i.places.poser(cle, place);
                if let Some(n) = self.froides.get(usize::from(cle.profil)) {
                    n.store(FROIDES, Relaxed);
                }
            }
        }
        Ok(())
    }

    /// What compresses, as it is now; none before it is learnt.
    pub fn dictionnaires(&self) -> Option<Arc<Dictionnaires>> {
        self.interieur.read().dictionnaires.clone()
    }

    /// Begins again, with other dictionaries.
    ///
    /// # Errors
    ///
    /// The file cannot be written: nothing is in it any more.
    pub fn recommencer(&self, dictionnaires: Dictionnaires) -> io::Result<()> {
        let tete = dictionnaires.ecrire();
        *self.interieur.write() =
            Interieur { places: Places::default(), dictionnaires: Some(Arc::new(dictionnaires)) };
        self.ecrits.store(1, Relaxed);
        self.fichier.set_len(0)?;
        self.fichier.write_all_at(&tete, 0)
    }

    /// Forgets every record.
    pub fn tout_oublier(&self) {
        self.interieur.write().places = Places::default();
    }

    /// Forgets these.
    pub fn oublier(&self, cles: impl IntoIterator<Item = Cle>) {
        let mut i = self.interieur.write();
        cles.into_iter().for_each(|cle| i.places.oublier(cle));
    }

    /// Every record.
    pub fn cles(&self) -> Vec<Cle> {
        self.interieur.read().places.cles().collect()
    }

    /// How many records, and their bytes.
    pub fn taille(&self) -> (usize, u64) {
        self.interieur.read().places.taille()
    }
}

/// As many bytes as there are.
fn lire_jusqu_a(fichier: &File, octets: &mut [u8], debut: u64) -> io::Result<usize> {
    let mut lus = 0;
    while lus < octets.len() {
        match fichier.read_at(&mut octets[lus..], debut + lus as u64) {
            Ok(0) => break,
            Ok(n) => lus += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(lus)
}

/// What became of a resource to be kept.
#[derive(Debug, PartialEq, Eq)]
pub enum Posee {
    /// Kept; those whose place was taken are to be kept again.
    Oui(Vec<Cle>),
    /// Nothing more holds in the file.
    Pleine,
}

/// Who writes: one at a time. What was not flushed is not there.
pub struct Plume {
    reserve: Arc<Reserve>,
    avec: CCtx<'static>,
    comprimee: Vec<u8>,
    tampon: Vec<u8>,
    posees: Vec<(Cle, u32, u16)>,
    emplacement: usize,
    /// Bytes of the slot that are taken, or will be.
    fin: usize,
}

impl Plume {
    /// In no slot yet.
    pub fn nouvelle(reserve: Arc<Reserve>) -> Self {
        Self {
            reserve,
            avec: CCtx::create(),
            comprimee: Vec::new(),
            tampon: Vec::new(),
            posees: Vec::new(),
            emplacement: 0,
            fin: EMPLACEMENT,
        }
    }

    /// Keeps a resource.
    ///
    /// # Errors
    ///
    /// The file cannot be written: what was not flushed is lost.
    pub fn poser(&mut self, cle: Cle, t: Temoins, en_vigueur: u64, json: &[u8]) -> io::Result<Posee> {
        let Some(d) = self.reserve.dictionnaires() else { return Ok(Posee::Pleine) };
        d.comprimer(cle.type_fhir, json, &mut self.avec, &mut self.comprimee)?;
        let (longueur, corps) = (json.len(), self.comprimee.as_slice());
        let fiche = Fiche { cle, cachet: d.cachet(en_vigueur), temoins: t, longueur, corps };
        let avant = self.tampon.len();
        if !fiche.ecrire(&mut self.tampon) {
            return Ok(Posee::Oui(Vec::new()));
        }
        let octets = self.tampon.len() - avant;
        let mut perdues = Vec::new();
        if self.fin + octets > EMPLACEMENT {
            let fiche = self.tampon.split_off(avant);
            self.vider()?;
            match self.changer() {
                Some(p) => perdues = p,
                None => return Ok(Posee::Pleine),
            }
            self.tampon = fiche;
        }
        let debut = (self.emplacement * EMPLACEMENT + self.fin) / UNITE;
        self.posees.push((cle, debut as u32, (octets / UNITE) as u16));
        self.fin += octets;
        if self.tampon.len() >= ECRITURE {
            self.vider()?;
        }
        Ok(Posee::Oui(perdues))
    }

    /// Goes to another slot, one of which nothing is in use, or a new one, or the one of which the least is; what it
    /// held. None when they are all in use.
    fn changer(&mut self) -> Option<Vec<Cle>> {
        let r = &self.reserve;
        let mut i = r.interieur.write();
        let ecrits = r.ecrits.load(Relaxed);
        let ancien = i.places.moins_rempli(ecrits, self.emplacement);
        let encore = ecrits < r.emplacements.load(Relaxed);
        let ancien = ancien.filter(|(_, vivants)| match encore {
            true => *vivants == 0,
            false => *vivants <= UNITES / 4 * 3,
        });
        self.emplacement = match ancien {
            Some((e, _)) => e,
            None if encore => {
                r.ecrits.store(ecrits + 1, Relaxed);
                ecrits
            }
            None => return None,
        };
        self.fin = 0;
        Some(i.places.vider(self.emplacement))
    }

    /// Writes what waits.
    ///
    /// # Errors
    ///
    /// The file cannot be written: what was not flushed is lost.
    pub fn vider(&mut self) -> io::Result<()> {
        let (octets, posees) = (std::mem::take(&mut self.tampon), std::mem::take(&mut self.posees));
        let Some((_, debut, _)) = posees.first() else { return Ok(()) };
        let r = &self.reserve;
        r.fichier.write_all_at(&octets, u64::from(*debut) * UNITE as u64).inspect_err(|_| {
            // The disk may give no more: what there is serves again.
            r.emplacements.store(r.ecrits.load(Relaxed), Relaxed);
        })?;
        let mut i = r.interieur.write();
        posees.into_iter().for_each(|(cle, debut, n)| i.places.poser(cle, Place::nouvelle(debut, n)));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
