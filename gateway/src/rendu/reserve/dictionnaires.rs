//! What compresses: resources of a type resemble each other, and weigh a twentieth against what is learnt from some.

use std::{
    cell::RefCell,
    fs::File,
    hash::BuildHasher as _,
    io::{self, Cursor},
    os::unix::fs::FileExt as _,
};

use foldhash::fast::FixedState;
use zstd::zstd_safe::{CCtx, DCtx, compress_bound, get_error_name};

use super::places::EMPLACEMENT;
use crate::{
    fhir::canoniques as c,
    modele::{TypeFhir, etat, image::somme},
};

const MAGIE: &[u8; 8] = b"RORRENDU";
/// Of the build: see `build.rs`.
const EMPREINTE: &str = env!("ROR_EMPREINTE");
/// That of a type.
pub struct Dictionnaire {
    zstd: etat::Dictionnaire,
    /// Resources there were to learn from.
    pub exemples: u32,
}

impl Dictionnaire {
    /// Learnt from these resources, of such lengths, when there were so many; none without memory for it.
    pub fn appris(ressources: &[u8], longueurs: &[usize], exemples: u32) -> Option<Self> {
        // Of too few nothing can be learnt.
        let communs = || etat::Dictionnaire::nouveau(c::EXTENSIONS.concat().into_bytes());
        let zstd = etat::Dictionnaire::appris(ressources, longueurs).or_else(communs)?;
        Some(Self { zstd, exemples })
    }
}

/// Those of every type.
pub struct Dictionnaires {
    par_type: [Dictionnaire; 5],
    empreinte: u64,
}

thread_local! {
    static LIRE: RefCell<Option<DCtx<'static>>> = const { RefCell::new(None) };
}

impl Dictionnaires {
    /// By type, in the order of the tables.
    pub fn nouveaux(par_type: [Dictionnaire; 5]) -> Self {
        let octets: Vec<&[u8]> = par_type.iter().map(|d| &d.zstd.octets[..]).collect();
        let empreinte = FixedState::default().hash_one((EMPREINTE, octets));
        Self { par_type, empreinte }
    }

    /// That of a type.
    pub fn de(&self, t: TypeFhir) -> &Dictionnaire {
        &self.par_type[t as usize]
    }

    /// What records depend on beside their resources.
    pub fn cachet(&self, en_vigueur: u64) -> u64 {
        FixedState::default().hash_one((self.empreinte, en_vigueur))
    }

    /// As the file has them.
    pub fn ecrire(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        for d in &self.par_type {
            octets.extend_from_slice(&d.exemples.to_le_bytes());
            octets.extend_from_slice(&(d.zstd.octets.len() as u32).to_le_bytes());
            octets.extend_from_slice(&d.zstd.octets);
        }
        let mut tete = MAGIE.to_vec();
        tete.extend_from_slice(&(octets.len() as u32).to_le_bytes());
        tete.extend_from_slice(&somme(&octets).to_le_bytes());
        tete.extend_from_slice(&octets);
        tete
    }

    /// None when they are not as they were written.
    pub fn lire(fichier: &File) -> Option<Self> {
        let mut tete = [0; 16];
        fichier.read_exact_at(&mut tete, 0).ok()?;
        let mot = |o: &[u8]| Some(u32::from_le_bytes(o.get(..4)?.try_into().ok()?));
        let longueur = usize::try_from(mot(&tete[8..])?).ok().filter(|l| *l < EMPLACEMENT)?;
        let mut octets = vec![0; longueur];
        fichier.read_exact_at(&mut octets, 16).ok()?;
        if !tete.starts_with(MAGIE) || somme(&octets) != mot(&tete[12..])? {
            return None;
        }
        let mut reste = octets.as_slice();
        let mut suivant = || {
            let (exemples, longueur) = (mot(reste)?, usize::try_from(mot(reste.get(4..)?)?).ok()?);
            let (dit, suite) = reste.get(8..)?.split_at_checked(longueur)?;
            reste = suite;
            Some(Dictionnaire { zstd: etat::Dictionnaire::nouveau(dit.to_vec())?, exemples })
        };
        let par_type = [suivant()?, suivant()?, suivant()?, suivant()?, suivant()?];
        Some(Self::nouveaux(par_type))
    }

    /// Compresses a resource, in place of what was there.
    ///
    /// # Errors
    ///
    /// There is no memory for it.
    pub fn comprimer(
        &self,
        t: TypeFhir,
        json: &[u8],
        avec: &mut CCtx<'static>,
        sortie: &mut Vec<u8>,
    ) -> io::Result<()> {
        sortie.clear();
        sortie.reserve(compress_bound(json.len()));
        let fait = avec.compress_using_cdict(sortie, json, self.de(t).zstd.ecrire.as_cdict());
        fait.map(drop).map_err(|e| io::Error::other(get_error_name(e)))
    }

    /// Appends a resource of that length; false when it cannot be read.
    pub fn decomprimer(&self, t: TypeFhir, corps: &[u8], longueur: usize, sortie: &mut Vec<u8>) -> bool {
        let debut = sortie.len();
        sortie.reserve(longueur);
        let mut suite = Cursor::new(&mut *sortie);
        suite.set_position(debut as u64);
        let lue = LIRE.with_borrow_mut(|lire| {
            if lire.is_none() {
                *lire = DCtx::try_create();
            }
            let lire = lire.as_mut()?;
            lire.decompress_using_ddict(&mut suite, corps, self.de(t).zstd.lire.as_ddict()).ok()
        });
        let entiere = lue == Some(longueur);
        if !entiere {
            sortie.truncate(debut);
        }
        entiere
    }
}
