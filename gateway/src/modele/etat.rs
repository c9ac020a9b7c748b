//! States kept compact. The states of a kind resemble each other: each is compressed alone, against a
//! dictionary learnt from the first ones met, and read back in two microseconds.

use std::{
    cell::RefCell,
    sync::{LazyLock, OnceLock},
};

use bytes::Bytes;
use parking_lot::Mutex;
use zstd::{
    bulk::{Compressor, Decompressor},
    dict::{DecoderDictionary, EncoderDictionary},
    zstd_safe::CParameter,
};

use super::TypeFhir;
use crate::fhir::canoniques as c;

/// Kinds of states: those of the types, then capacities.
pub const GENRES: usize = 6;
/// States a dictionary is learnt from: how many, or how many bytes.
const ECHANTILLONS: usize = 2_000;
const ECHANTILLONS_OCTETS: usize = 8 << 20;
/// Bytes of a dictionary, at most.
const DICTIONNAIRE_MAX: usize = 64 << 10;
/// Effort; beyond, five times the time for five in a hundred.
const NIVEAU: i32 = 3;
/// What begins every frame, which is not kept.
const MAGIE: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// How a state is kept, in its first byte: as it is, against the canonicals, or against the dictionary
/// of its kind, that byte less this one.
const TEL_QUEL: u8 = 0;
const CANONIQUES: u8 = 1;
const APPRIS: u8 = 2;

/// What a state is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genre(u8);

impl Genre {
    /// Capacities of a place.
    pub const CAPACITE: Self = Self(5);
}

impl From<TypeFhir> for Genre {
    fn from(t: TypeFhir) -> Self {
        Self(t as u8)
    }
}

/// A dictionary, ready for both ways.
pub(crate) struct Dictionnaire {
    pub octets: Vec<u8>,
    pub ecrire: EncoderDictionary<'static>,
    pub lire: DecoderDictionary<'static>,
}

impl Dictionnaire {
    /// Learnt from these, of such lengths; none when they are too few.
    pub fn appris(exemples: &[u8], longueurs: &[usize]) -> Option<Self> {
        zstd::dict::from_continuous(exemples, longueurs, DICTIONNAIRE_MAX).ok().and_then(Self::nouveau)
    }

    /// Of those bytes.
    pub fn nouveau(octets: Vec<u8>) -> Option<Self> {
        let ecrire = EncoderDictionary::try_copy(&octets, NIVEAU).ok()?;
        let lire = DecoderDictionary::try_copy(&octets).ok()?;
        Some(Self { octets, ecrire, lire })
    }
}

/// What is learnt of a kind.
#[derive(Default)]
struct Ecole {
    /// `None` when nothing could be learnt.
    appris: OnceLock<Option<Dictionnaire>>,
    echantillons: Mutex<(Vec<u8>, Vec<usize>)>,
}

static ECOLES: LazyLock<[Ecole; GENRES]> = LazyLock::new(Default::default);
static PREMIER: LazyLock<Option<Dictionnaire>> =
    LazyLock::new(|| Dictionnaire::nouveau(c::SYSTEMES.concat().into_bytes()));

impl Ecole {
    /// Remembers a state; learns once there are enough.
    fn montrer(&self, octets: &[u8]) {
        let mut e = self.echantillons.lock();
        if self.appris.get().is_some() {
            return;
        }
        e.0.extend_from_slice(octets);
        e.1.push(octets.len());
        if e.1.len() < ECHANTILLONS && e.0.len() < ECHANTILLONS_OCTETS {
            return;
        }
        let (octets, longueurs) = std::mem::take(&mut *e);
        let _ = self.appris.set(Dictionnaire::appris(&octets, &longueurs));
    }
}

/// Dictionaries learnt so far, by kind: what was kept is not read without them.
pub fn dictionnaires() -> Vec<(u8, Vec<u8>)> {
    let appris = |e: &Ecole| Some(e.appris.get()?.as_ref()?.octets.clone());
    (0..).zip(ECOLES.iter()).filter_map(|(n, e)| Some((n, appris(e)?))).collect()
}

/// Takes up a dictionary learnt in another life; false when another one is in use.
pub fn installer(genre: u8, octets: &[u8]) -> bool {
    let Some(ecole) = ECOLES.get(usize::from(genre)) else { return false };
    // No one learns meanwhile.
    let mut e = ecole.echantillons.lock();
    if ecole.appris.get().is_none()
        && let Some(d) = Dictionnaire::nouveau(octets.to_vec())
    {
        let _ = ecole.appris.set(Some(d));
        *e = Default::default();
    }
    ecole.appris.get().is_some_and(|d| d.as_ref().is_some_and(|d| d.octets == octets))
}

/// What a thread compresses and reads with.
struct Outils {
    ecrire: Compressor<'static>,
    lire: Decompressor<'static>,
    tampon: Vec<u8>,
}

thread_local! {
    static OUTILS: RefCell<Option<Outils>> = const { RefCell::new(None) };
}

impl Outils {
    fn nouveaux() -> Option<Self> {
        let mut ecrire = Compressor::new(NIVEAU).ok()?;
        // The first byte of a state tells its dictionary.
        ecrire.set_parameter(CParameter::DictIdFlag(false)).ok()?;
        Some(Self { ecrire, lire: Decompressor::new().ok()?, tampon: Vec::new() })
    }

    fn avec<R>(faire: impl FnOnce(&mut Self) -> Option<R>) -> Option<R> {
        OUTILS.with_borrow_mut(|outils| {
            if outils.is_none() {
                *outils = Self::nouveaux();
            }
            faire(outils.as_mut()?)
        })
    }

    /// A frame, without what begins every frame.
    fn comprimer(&mut self, octets: &[u8], d: &'static Dictionnaire) -> Option<&[u8]> {
        self.ecrire.set_prepared_dictionary(&d.ecrire).ok()?;
        self.tampon.clear();
        self.tampon.reserve(zstd::zstd_safe::compress_bound(octets.len()));
        self.ecrire.compress_to_buffer(octets, &mut self.tampon).ok()?;
        self.tampon.strip_prefix(&MAGIE)
    }

    fn lire(&mut self, corps: &[u8], d: &'static Dictionnaire) -> Option<Vec<u8>> {
        self.tampon.clear();
        self.tampon.extend_from_slice(&MAGIE);
        self.tampon.extend_from_slice(corps);
        let longueur = usize::try_from(zstd::decompressed_size(&self.tampon)?).ok()?;
        self.lire.set_prepared_dictionary(&d.lire).ok()?;
        let mut octets = Vec::with_capacity(longueur);
        self.lire.decompress_to_buffer(&self.tampon, &mut octets).ok()?;
        Some(octets)
    }
}

/// A state as it is to be kept: how, in a first byte, then its bytes.
pub fn garder(genre: Genre, octets: &[u8]) -> Vec<u8> {
    let ecole = &ECOLES[usize::from(genre.0)];
    let (marque, d) = match ecole.appris.get() {
        Some(Some(d)) => (APPRIS + genre.0, Some(d)),
        Some(None) => (CANONIQUES, PREMIER.as_ref()),
        None => {
            ecole.montrer(octets);
            (CANONIQUES, PREMIER.as_ref())
        }
    };
    let comprime = d.and_then(|d| {
        Outils::avec(|o| {
            let corps = o.comprimer(octets, d)?;
            (corps.len() < octets.len()).then(|| [&[marque], corps].concat())
        })
    });
    comprime.unwrap_or_else(|| [&[TEL_QUEL], octets].concat())
}

/// A kept state.
#[derive(Clone, Copy)]
pub struct Etat<'m>(&'m [u8]);

impl<'m> Etat<'m> {
    /// From what [`garder`] gave, in this life or in one whose dictionaries are installed.
    pub fn de(octets: &'m [u8]) -> Self {
        Self(octets)
    }

    /// The state; empty when it cannot be read, which decoding then reports.
    pub fn lire(self) -> Bytes {
        let Some((marque, corps)) = self.0.split_first() else { return Bytes::new() };
        let d = match *marque {
            TEL_QUEL => return Bytes::copy_from_slice(corps),
            CANONIQUES => PREMIER.as_ref(),
            n => ECOLES.get(usize::from(n - APPRIS)).and_then(|e| e.appris.get()?.as_ref()),
        };
        d.and_then(|d| Outils::avec(|o| o.lire(corps, d))).unwrap_or_default().into()
    }

    /// As kept.
    pub fn brut(self) -> &'m [u8] {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_and_canonicals_weigh_little() {
        let genre = Genre::from(TypeFhir::Practitioner);
        for i in 0..50 {
            let t = format!("{} code {i} é", c::TRE_R211).repeat(i).into_bytes();
            assert_eq!(Etat::de(&garder(genre, &t)).lire(), t);
        }
        let t = c::TRE_R211.as_bytes();
        assert!(garder(genre, t).len() < t.len() / 2);
        assert_eq!(Etat::de(&garder(genre, &[])).lire().len(), 0);
        for abime in [&[][..], &[CANONIQUES], &[APPRIS, 1, 2, 3], &[200, 1], &[CANONIQUES, 0xff, 0xff, 0xff]]
        {
            assert!(Etat::de(abime).lire().is_empty(), "{abime:?}");
        }
    }

    #[test]
    fn what_is_common_to_a_kind_is_learnt_and_what_was_kept_before_is_still_read() {
        let genre = Genre::CAPACITE;
        let etat = |i: u32| {
            let h = i.wrapping_mul(2_654_435_761);
            format!("hospitalisation complete {h:08x} lits {} ouverts de chirurgie {:04x}", i % 40, h >> 7)
        };
        let gardes: Vec<Vec<u8>> =
            (0..2 * ECHANTILLONS as u32).map(|i| garder(genre, etat(i).as_bytes())).collect();
        for (i, e) in (0..).zip(&gardes) {
            assert_eq!(Etat::de(e).lire(), etat(i));
        }
        let (avant, apres) = (gardes[0].len(), gardes[gardes.len() - 1].len());
        assert!(apres * 2 < avant, "{avant} then {apres} bytes");
        let appris = dictionnaires().into_iter().find(|(n, _)| *n == genre.0).unwrap().1;
        assert!(installer(genre.0, &appris) && !installer(genre.0, b"autre") && !installer(99, &appris));
    }
}
