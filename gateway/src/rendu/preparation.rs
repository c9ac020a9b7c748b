//! Who fills the reserve: a thread of the lowest priority, which renders what the profiles that ask much may read, then
//! what changes, before anyone asks.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use roaring::RoaringBitmap;
use ror_chassis::{Erreur, Resultat};
use ror_domaine::vocabulaire::Tables;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{
    Contexte, Reserve,
    reserve::{Cle, Dictionnaire, Dictionnaires, Plume, Posee},
    temoin,
};
use crate::{
    Passerelle,
    fhir::politique::{PROFILS, Politique},
    modele::{Extrait, Modele, TypeFhir},
};

/// Between two looks at what changed.
const PAS: Duration = Duration::from_secs(1);
/// After a failure, and when nothing more holds.
const REPOS: Duration = Duration::from_secs(60);
/// Rows between two looks at the directory.
const LOT: usize = 256;
/// Resources a dictionary is learnt from: how many, or how many bytes.
const EXEMPLES: usize = 1_000;
const EXEMPLES_OCTETS: usize = 6 << 20;

/// Starts the thread; it ends when told to stop.
///
/// # Errors
///
/// The system gives no thread.
pub fn demarrer(p: &Arc<Passerelle>, arret: &CancellationToken) -> Resultat<()> {
    let Some(reserve) = p.rendues.reserve().cloned() else { return Ok(()) };
    let mut preparation = Preparation::nouvelle(p.clone(), reserve);
    let (arret, tokio) = (arret.clone(), Handle::current());
    let fil = thread::Builder::new().name("preparation".into()).spawn(move || {
        // Of this thread alone. Without it, answers are a little slower meanwhile.
        let _ = rustix::process::nice(19);
        while !arret.is_cancelled() {
            let attendre = preparation.passer(&arret).unwrap_or_else(|e| {
                tracing::warn!(error = %e, "resources not prepared");
                preparation.refaire();
                REPOS
            });
            let _ = tokio.block_on(async { tokio::time::timeout(attendre, arret.cancelled()).await });
        }
    });
    fil.map(drop).map_err(|e| Erreur::Indisponible(format!("le système ne donne plus de fil : {e}")))
}

struct Preparation {
    p: Arc<Passerelle>,
    reserve: Arc<Reserve>,
    plume: Plume,
    /// Policy and labels that what follows is of; none before the first time.
    en_vigueur: Option<u64>,
    /// Last moment whose changes were told.
    vu: u64,
    /// Rows that are there as they are, by profile and type.
    faites: [[RoaringBitmap; 5]; PROFILS],
}

/// Why a pass ended.
#[derive(Debug, PartialEq, Eq)]
enum Fin {
    Finie,
    /// Policy or labels changed, or told to stop.
    Interrompue,
    Pleine,
}

impl Preparation {
    fn nouvelle(p: Arc<Passerelle>, reserve: Arc<Reserve>) -> Self {
        let plume = Plume::nouvelle(reserve.clone());
        Self { p, reserve, plume, en_vigueur: None, vu: 0, faites: Default::default() }
    }

    fn faites(&mut self, cle: Cle) -> &mut RoaringBitmap {
        &mut self.faites[usize::from(cle.profil)][cle.type_fhir as usize]
    }

    fn a_refaire(&mut self, cles: &[Cle]) {
        for cle in cles {
            self.faites(*cle).remove(cle.rang);
        }
    }

    /// Counts again what is there.
    fn refaire(&mut self) {
        self.plume = Plume::nouvelle(self.reserve.clone());
        self.faites = Default::default();
        for cle in self.reserve.cles() {
            self.faites(cle).insert(cle.rang);
        }
    }

    /// Prepares what is not; how long to wait before the next time.
    fn passer(&mut self, arret: &CancellationToken) -> io::Result<Duration> {
        if self.en_vigueur.is_none() && !self.p.etat.pret() {
            return Ok(PAS);
        }
        let m = self.p.annuaire.instant();
        let tables = self.p.vocabulaire.tables();
        let empreinte = self.p.rendues.en_vigueur(m.politique(), &tables).empreinte;
        self.suivre(&m, empreinte, arret)?;
        let profils: Vec<u8> = self.reserve.profils().collect();
        self.apprendre(&m, &tables, &profils)?;
        let politique = m.politique().clone();
        // The moment would be held for minutes.
        drop(m);
        let mut fin = Fin::Finie;
        for profil in profils {
            for t in TypeFhir::TOUS {
                if fin == Fin::Finie {
                    fin = self.preparer(profil, t, &(&politique, &tables), arret)?;
                }
            }
        }
        self.plume.vider()?;
        self.dire();
        metrics::counter!("ror_gateway_prepared_passes_total").increment(1);
        Ok(if fin == Fin::Pleine { REPOS } else { PAS })
    }

    /// Learns what changed since the last time.
    fn suivre(&mut self, m: &Modele, empreinte: u64, arret: &CancellationToken) -> io::Result<()> {
        match self.en_vigueur.replace(empreinte) {
            None => {
                self.reserve.relire(m, empreinte, arret)?;
                self.refaire();
            }
            Some(e) if e != empreinte => {
                self.reserve.tout_oublier();
                self.refaire();
            }
            Some(_) => match m.journal_depuis(self.vu) {
                Some(touches) => {
                    let cles: Vec<Cle> = touches
                        .iter()
                        .flat_map(|t| {
                            (0..PROFILS as u8).map(|profil| Cle {
                                type_fhir: t.type_fhir,
                                profil,
                                rang: t.rang,
                            })
                        })
                        .collect();
                    self.a_refaire(&cles);
                    self.reserve.oublier(cles);
                }
                // Each row is looked at again, and those that are no more to be seen are forgotten.
                None => {
                    let vue = |c: &Cle| m.table(c.type_fhir).visibles(c.profil).contains(c.rang);
                    let cachees: Vec<Cle> = self.reserve.cles().into_iter().filter(|c| !vue(c)).collect();
                    self.reserve.oublier(cachees);
                    self.faites = Default::default();
                }
            },
        }
        self.vu = m.numero();
        let douteuses = self.reserve.douteuses();
        self.a_refaire(&douteuses);
        Ok(())
    }

    /// Learns dictionaries, the first time and once there is enough to learn from.
    fn apprendre(&mut self, m: &Arc<Modele>, tables: &Arc<Tables>, profils: &[u8]) -> io::Result<()> {
        let connus = self.reserve.dictionnaires();
        // Of each type, the profile that sees the most of it.
        let source = |t: TypeFhir| {
            let vus = profils.iter().map(|p| (m.table(t).visibles(*p).len().min(EXEMPLES as u64), *p));
            vus.max().unwrap_or_default()
        };
        let manque = |t: TypeFhir| {
            let (exemples, _) = source(t);
            let sus = connus.as_ref().map_or(0, |d| d.de(t).exemples.into());
            (sus == 0 && exemples > 0) || (sus < EXEMPLES as u64 / 2 && exemples == EXEMPLES as u64)
        };
        if !TypeFhir::TOUS.into_iter().any(manque) {
            return Ok(());
        }
        let [a, b, c, d, e] = TypeFhir::TOUS.map(|t| {
            let (exemples, profil) = source(t);
            let contexte = Contexte::nouveau(&self.p.rendues, m.politique(), tables, profil, "");
            apprendre(m, &contexte, t, exemples as u32)
        });
        self.reserve.recommencer(Dictionnaires::nouveaux([a?, b?, c?, d?, e?]))?;
        self.refaire();
        Ok(())
    }

    /// Prepares the rows of a type that a profile may read.
    fn preparer(
        &mut self,
        profil: u8,
        t: TypeFhir,
        (politique, tables): &(&Arc<Politique>, &Arc<Tables>),
        arret: &CancellationToken,
    ) -> io::Result<Fin> {
        let faites = &self.faites[usize::from(profil)][t as usize];
        let reste: Vec<u32> = (self.p.annuaire.instant().table(t).visibles(profil) - faites).iter().collect();
        let mut json = Vec::new();
        for lot in reste.chunks(LOT) {
            let m = self.p.annuaire.instant();
            let memes = Arc::ptr_eq(m.politique(), politique);
            if !memes || !Arc::ptr_eq(&self.p.vocabulaire.tables(), tables) || arret.is_cancelled() {
                return Ok(Fin::Interrompue);
            }
            let contexte = Contexte::nouveau(&self.p.rendues, politique, tables, profil, "");
            for &rang in lot {
                let Some(e) = m.extraire(t, rang, profil) else { continue };
                let (cle, temoins) = (Cle { type_fhir: t, profil, rang }, temoin::temoins(&e));
                self.faites(cle).insert(rang);
                json.clear();
                if self.reserve.a(cle, temoins, contexte.empreinte) || !rendre(&contexte, &e, &mut json) {
                    continue;
                }
                match self.plume.poser(cle, temoins, contexte.empreinte, &json)? {
                    Posee::Oui(perdues) => self.a_refaire(&perdues),
                    Posee::Pleine => {
                        self.a_refaire(&[cle]);
                        return Ok(Fin::Pleine);
                    }
                }
            }
            self.dire();
        }
        Ok(Fin::Finie)
    }

    fn dire(&self) {
        let m = self.p.annuaire.instant();
        let (nombre, octets) = self.reserve.taille();
        let reste = |profil: u8, t: TypeFhir| {
            let faites = &self.faites[usize::from(profil)][t as usize];
            m.table(t).visibles(profil).difference_len(faites)
        };
        let reste: u64 = self.reserve.profils().flat_map(|p| TypeFhir::TOUS.map(|t| reste(p, t))).sum();
        metrics::gauge!("ror_gateway_prepared_resources").set(nombre as f64);
        metrics::counter!("ror_gateway_prepared_served_total").absolute(self.reserve.servies());
        metrics::gauge!("ror_gateway_prepared_bytes").set(octets as f64);
        metrics::gauge!("ror_gateway_prepared_waiting").set(reste as f64);
    }
}

/// Renders a resource; one that makes rendering panic is left out, and does not end the preparation of the others.
fn rendre(contexte: &Contexte, e: &Extrait<'_>, json: &mut Vec<u8>) -> bool {
    let avant = json.len();
    let rendue = catch_unwind(AssertUnwindSafe(|| contexte.rendre(e, json))).unwrap_or(false);
    if !rendue {
        json.truncate(avant);
    }
    rendue
}

/// What compresses the resources of a type, learnt from so many of them at most, here and there.
fn apprendre(m: &Modele, contexte: &Contexte, t: TypeFhir, exemples: u32) -> io::Result<Dictionnaire> {
    let visibles = m.table(t).visibles(contexte.profil);
    let pas = (visibles.len() as usize / EXEMPLES).max(1);
    let (mut octets, mut longueurs) = (Vec::new(), Vec::new());
    for rang in visibles.iter().step_by(pas) {
        let avant = octets.len();
        if let Some(e) = m.extraire(t, rang, contexte.profil)
            && rendre(contexte, &e, &mut octets)
        {
            longueurs.push(octets.len() - avant);
        }
        if longueurs.len() == EXEMPLES || octets.len() >= EXEMPLES_OCTETS {
            break;
        }
    }
    Dictionnaire::appris(&octets, &longueurs, exemples).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}
