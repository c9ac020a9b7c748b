//! Resources already rendered, kept within a bound: the same offers and the structures that
//! carry them come back in answer after answer.
//!
//! Half of the bound is for compressed ones; what comes back while compressed moves to the hot
//! half, as bytes ready to be sent. It keeps its compressed form with it, a fifth of its weight:
//! what leaves the hot half goes back to the other, and is not rendered again.
//!
//! An entry is only used when everything its bytes depend on is what it was: the
//! resource and its version, the profile, the facts rights depend on, the policy and
//! the labels in force.

use std::{
    hash::BuildHasher,
    sync::{
        Arc, LazyLock, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use foldhash::fast::RandomState;
use parking_lot::Mutex;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter, sync};
use ror_domaine::vocabulaire::Tables;

use super::Codages;
use crate::{
    fhir::{canoniques as c, politique::Faits, politique::Politique},
    modele::{Extrait, Id, TypeFhir},
    terminologie::Terminologie,
};

/// What precedes and follows most codes of a rendered resource. Matches reach back 64 kB.
static DICTIONNAIRE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut d = String::new();
    for url in c::EXTENSIONS {
        d.push_str("{\"url\":\"");
        d.push_str(url);
        d.push_str("\",\"valueCodeableConcept\":{\"coding\":[{\"system\":\"");
    }
    for systeme in c::SYSTEMES {
        d.push_str("{\"coding\":[{\"system\":\"");
        d.push_str(systeme);
        d.push_str("\",\"code\":\"01\",\"display\":\"");
    }
    d.push_str("\"}]}},{\"url\":\"\",\"versionId\":\"1\",\"lastUpdated\":\"2026-01-01T00:00:00.000Z\",\"profile\":[\"");
    d.into_bytes()
});

/// Resources met once that are remembered, so that only what comes back is kept.
const PASSANTS: usize = 1 << 16;
/// Pairs of a policy and labels whose number is remembered: walks hold on to former policies.
const PAIRES: usize = 4;
/// Overhead of an entry beside its bytes, about.
const ENTREE: u64 = 160;
/// Bytes of an entry, about: compressed, then hot.
const COMPRIMEE: u64 = 700;
const PRETE: u64 = 8_000;

type Cle = (TypeFhir, u8, u32);

struct Rendue {
    id: Id,
    version: u64,
    maj: i64,
    faits: Faits,
    generation: u64,
    comprimee: Box<[u8]>,
    longueur: usize,
}

impl Rendue {
    /// Whether this is what rendering would give; the profile is in the key.
    fn vaut(&self, e: &Extrait, generation: u64) -> bool {
        self.version == e.version
            && self.maj == e.maj
            && self.generation == generation
            && self.faits == e.faits
            && self.id == e.id
    }

    fn decomprimer(&self) -> Option<Bytes> {
        let lue = lz4_flex::block::decompress_with_dict(&self.comprimee, self.longueur, &DICTIONNAIRE);
        lue.ok().filter(|l| l.len() == self.longueur).map(Bytes::from)
    }
}

/// An entry of the hot half.
#[derive(Clone)]
struct Chaude {
    rendue: Arc<Rendue>,
    prete: Bytes,
}

#[derive(Clone)]
struct Poids;

impl Weighter<Cle, Arc<Rendue>> for Poids {
    fn weight(&self, _: &Cle, r: &Arc<Rendue>) -> u64 {
        ENTREE + r.comprimee.len() as u64
    }
}

impl Weighter<Cle, Chaude> for Poids {
    fn weight(&self, cle: &Cle, c: &Chaude) -> u64 {
        self.weight(cle, &c.rendue) + c.prete.len() as u64
    }
}

/// Hands over what leaves the hot half.
#[derive(Clone)]
struct Sortantes;

impl Lifecycle<Cle, Chaude> for Sortantes {
    type RequestState = Vec<(Cle, Chaude)>;

    fn begin_request(&self) -> Self::RequestState {
        Vec::new()
    }

    fn on_evict(&self, sorties: &mut Self::RequestState, cle: Cle, chaude: Chaude) {
        sorties.push((cle, chaude));
    }
}

/// A policy and labels, and what is made of these.
struct Paire {
    numero: u64,
    politique: Weak<Politique>,
    tables: Weak<Tables>,
    codages: Arc<Codages>,
}

/// What answers depend on beside the rows, each value under a number of its own. A weak pointer
/// holds no content, and no later value takes its address.
#[derive(Default)]
struct EnVigueur {
    numero: u64,
    /// The last met is last.
    paires: Vec<Paire>,
    nomenclatures: (u64, Weak<Terminologie>),
}

/// The cache.
pub struct Cache {
    comprimees: sync::Cache<Cle, Arc<Rendue>, Poids, RandomState>,
    chaudes: sync::Cache<Cle, Chaude, Poids, RandomState, Sortantes>,
    passants: Box<[AtomicU32]>,
    hacheur: RandomState,
    en_vigueur: Mutex<EnVigueur>,
}

impl Cache {
    /// Keeps at most about so many bytes, half of them ready to be sent.
    pub fn nouveau(octets: u64) -> Self {
        let passants = (0..PASSANTS).map(|_| AtomicU32::new(0)).collect();
        Self {
            comprimees: moitie(octets / 2, COMPRIMEE, sync::DefaultLifecycle::default()),
            chaudes: moitie(octets / 2, PRETE, Sortantes),
            passants,
            hacheur: RandomState::default(),
            en_vigueur: Mutex::default(),
        }
    }

    /// Number of a pair, and the codings of its labels; another pair has another number.
    pub fn generation(&self, politique: &Arc<Politique>, tables: &Arc<Tables>) -> (u64, Arc<Codages>) {
        let mut e = self.en_vigueur.lock();
        let memes = |p: &Paire| std::ptr::eq(p.tables.as_ptr(), Arc::as_ptr(tables));
        let meme = |p: &Paire| memes(p) && std::ptr::eq(p.politique.as_ptr(), Arc::as_ptr(politique));
        let paire = if let Some(i) = e.paires.iter().position(meme) {
            e.paires.remove(i)
        } else {
            e.numero += 1;
            let codages = e.paires.iter().find(|p| memes(p)).map(|p| p.codages.clone());
            Paire {
                numero: e.numero,
                politique: Arc::downgrade(politique),
                tables: Arc::downgrade(tables),
                codages: codages.unwrap_or_else(|| Arc::new(Codages::de(tables))),
            }
        };
        let generation = (paire.numero, paire.codages.clone());
        e.paires.push(paire);
        if e.paires.len() > PAIRES {
            e.paires.remove(0);
        }
        generation
    }

    /// Number of the nomenclatures, from 1; others have another number.
    pub fn nomenclatures(&self, t: &Arc<Terminologie>) -> u64 {
        let mut e = self.en_vigueur.lock();
        let (numero, connues) = &mut e.nomenclatures;
        if !std::ptr::eq(connues.as_ptr(), Arc::as_ptr(t)) {
            *numero += 1;
            *connues = Arc::downgrade(t);
        }
        *numero
    }

    /// The resource as rendered before; none when it must be rendered.
    pub fn trouver(&self, e: &Extrait, profil: u8, generation: u64) -> Option<Bytes> {
        let cle = (e.type_fhir, profil, e.rang);
        if let Some(c) = self.chaudes.get(&cle)
            && c.rendue.vaut(e, generation)
        {
            return Some(c.prete);
        }
        let rendue = self.comprimees.get(&cle).filter(|r| r.vaut(e, generation))?;
        let prete = rendue.decomprimer()?;
        self.chauffer(cle, Chaude { rendue, prete: prete.clone() });
        Some(prete)
    }

    /// Moves an entry to the hot half: of the threads that found it, the one that takes it out of
    /// the other. Another version that it drives out is one that a walk still asks for, or ages there.
    fn chauffer(&self, cle: Cle, c: Chaude) {
        if self.comprimees.remove_if(&cle, |r| Arc::ptr_eq(r, &c.rendue)).is_none() {
            return;
        }
        for (cle, sortie) in self.chaudes.insert_with_lifecycle(cle, c) {
            self.comprimees.insert(cle, sortie.rendue);
        }
    }

    /// Keeps a rendered resource that was met before: one walk through everything neither pays for
    /// compressing nor drives out what is asked again and again.
    pub fn garder(&self, e: &Extrait, profil: u8, generation: u64, json: &[u8]) {
        let h = self.hacheur.hash_one((e.type_fhir, profil, e.rang));
        let (place, trace) = (h as usize % PASSANTS, (h >> 32) as u32);
        if self.passants[place].swap(trace, Ordering::Relaxed) != trace {
            return;
        }
        let rendue = Rendue {
            id: e.id.clone(),
            version: e.version,
            maj: e.maj,
            faits: e.faits,
            generation,
            comprimee: lz4_flex::block::compress_with_dict(json, &DICTIONNAIRE).into(),
            longueur: json.len(),
        };
        self.comprimees.insert((e.type_fhir, profil, e.rang), Arc::new(rendue));
    }
}

/// One of the two halves, for entries of about that many bytes.
fn moitie<V: Clone, L: Lifecycle<Cle, V> + Clone>(
    octets: u64,
    entree: u64,
    vie: L,
) -> sync::Cache<Cle, V, Poids, RandomState, L>
where
    Poids: Weighter<Cle, V>,
{
    let options = OptionsBuilder::new()
        .estimated_items_capacity(usize::try_from(octets / entree).unwrap_or(usize::MAX))
        .weight_capacity(octets)
        .build();
    match options {
        Ok(o) => sync::Cache::with_options(o, Poids, RandomState::default(), vie),
        Err(_) => sync::Cache::with(1, octets, Poids, RandomState::default(), vie),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ror_domaine::vocabulaire::Tables;

    use super::Cache;
    use crate::{
        fhir::politique::Faits,
        modele::{Etat, Extrait, Sorte, TypeFhir},
    };

    fn extrait(id: &str, version: u64) -> Extrait {
        Extrait {
            type_fhir: TypeFhir::Location,
            sorte: Sorte::Unique,
            rang: 7,
            id: id.into(),
            version,
            maj: 1000,
            faits: Faits::default(),
            etat: Etat::garder(TypeFhir::Location.into(), b""),
            capacite: None,
        }
    }

    /// Bytes that do not compress, others for each number.
    fn bruit(n: u32) -> Vec<u8> {
        let mut x = u64::from(n);
        let mut suivant = || {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 56) as u8
        };
        (0..2000).map(|_| suivant()).collect()
    }

    fn garder_deux_fois(cache: &Cache, e: &Extrait, json: &[u8]) {
        cache.garder(e, 1, 1, json);
        cache.garder(e, 1, 1, json);
    }

    /// Nothing but these facts is served.
    fn rien_d_autre(cache: &Cache, e: &Extrait) {
        assert!(cache.trouver(e, 2, 1).is_none(), "another profile");
        assert!(cache.trouver(e, 1, 2).is_none(), "another policy or other labels");
        assert!(cache.trouver(&extrait("a", 4), 1, 1).is_none(), "another version");
        assert!(cache.trouver(&extrait("b", 3), 1, 1).is_none(), "another resource in the same row");
        assert!(cache.trouver(&Extrait { maj: 1001, ..e.clone() }, 1, 1).is_none(), "another date");
        let faits = Faits { sensible: true, ..e.faits };
        assert!(cache.trouver(&Extrait { faits, ..e.clone() }, 1, 1).is_none(), "other facts");
    }

    #[test]
    fn an_entry_serves_what_it_was_made_of_and_nothing_else() {
        let cache = Cache::nouveau(1_000_000);
        let json = br#"{"resourceType":"Location","id":"a"}"#.repeat(50);
        let e = extrait("a", 3);
        cache.garder(&e, 1, 1, &json);
        assert!(cache.trouver(&e, 1, 1).is_none(), "met once");
        cache.garder(&e, 1, 1, &json);
        rien_d_autre(&cache, &e);
        assert_eq!((cache.comprimees.len(), cache.chaudes.len()), (1, 0));
        let premiere = cache.trouver(&e, 1, 1).unwrap();
        assert_eq!((cache.comprimees.len(), cache.chaudes.len()), (0, 1), "in one half only");
        rien_d_autre(&cache, &e);
        let seconde = cache.trouver(&e, 1, 1).unwrap();
        assert_eq!((&premiere[..], &seconde[..]), (&json[..], &json[..]));
        assert_eq!(premiere.as_ptr(), seconde.as_ptr(), "shared, not copied");
    }

    #[test]
    fn two_versions_of_a_row_take_each_other_s_place() {
        let cache = Cache::nouveau(1_000_000);
        let (ancienne, nouvelle) = (extrait("a", 3), extrait("a", 4));
        for (e, json) in [(&ancienne, b"3".repeat(2000)), (&nouvelle, b"4".repeat(2000))] {
            garder_deux_fois(&cache, e, &json);
            assert_eq!(cache.trouver(e, 1, 1).unwrap(), json);
        }
        for _ in 0..3 {
            assert_eq!(cache.trouver(&ancienne, 1, 1).unwrap(), b"3".repeat(2000));
            assert_eq!(cache.trouver(&nouvelle, 1, 1).unwrap(), b"4".repeat(2000));
        }
        assert_eq!((cache.comprimees.len(), cache.chaudes.len()), (1, 1));
    }

    #[test]
    fn what_leaves_the_hot_half_is_still_kept() {
        let cache = Cache::nouveau(40_000);
        let extraits: Vec<Extrait> =
            (0..8).map(|rang| Extrait { rang, ..extrait(&rang.to_string(), 1) }).collect();
        extraits.iter().for_each(|e| garder_deux_fois(&cache, e, &bruit(e.rang)));
        for e in extraits.iter().chain(&extraits) {
            assert_eq!(cache.trouver(e, 1, 1).unwrap(), bruit(e.rang), "{}", e.rang);
        }
        assert!(cache.chaudes.len() < 8 && cache.chaudes.len() + cache.comprimees.len() == 8);
    }

    #[test]
    fn the_bound_holds_and_a_generation_is_a_pair() {
        let cache = Cache::nouveau(200_000);
        for rang in 0..600 {
            let e = Extrait { rang, ..extrait(&rang.to_string(), 1) };
            garder_deux_fois(&cache, &e, &bruit(rang));
            assert!(rang % 2 == 0 || cache.trouver(&e, 1, 1).is_some());
            let poids = [cache.comprimees.weight(), cache.chaudes.weight()];
            assert!(poids.iter().all(|p| *p <= 100_000), "{poids:?}");
        }
        let poids = [cache.comprimees.weight(), cache.chaudes.weight()];
        assert!(poids.iter().all(|p| *p > 50_000), "{poids:?}");
        let politique = || Arc::new(crate::fhir::tests::exemples::politique());
        let (p, t) = (politique(), Arc::new(Tables::default()));
        let numero = |p, t| cache.generation(p, t).0;
        let un = numero(&p, &t);
        assert_eq!(numero(&p, &t), un);
        let autres: Vec<_> = (0..super::PAIRES).map(|_| politique()).collect();
        let numeros: Vec<u64> = autres[1..].iter().map(|p| numero(p, &t)).collect();
        assert!(!numeros.contains(&un), "{numeros:?}");
        assert_eq!(numero(&p, &t), un, "a former pair keeps its number");
        let encore: Vec<u64> = autres[1..].iter().map(|p| numero(p, &t)).collect();
        assert_eq!(encore, numeros);
        numero(&autres[0], &t);
        assert_ne!(numero(&p, &t), un, "too many others came between");
        let n = Arc::new(crate::terminologie::Terminologie::default());
        let avant = cache.nomenclatures(&n);
        assert_eq!(cache.nomenclatures(&n), avant);
        assert_ne!(cache.nomenclatures(&Arc::new((*n).clone())), avant);
    }
}
