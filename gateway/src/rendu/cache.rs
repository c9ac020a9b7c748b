//! Resources already rendered, kept compressed within a bound: the same offers and
//! the structures that carry them come back in answer after answer.
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

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use quick_cache::{OptionsBuilder, Weighter, sync};
use ror_domaine::vocabulaire::Tables;

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

type Cle = (TypeFhir, u8, u32);

struct Rendue {
    id: Id,
    version: u64,
    maj: i64,
    faits: Faits,
    generation: u64,
    octets: Box<[u8]>,
    longueur: usize,
}

#[derive(Clone)]
struct Poids;

impl Weighter<Cle, Arc<Rendue>> for Poids {
    fn weight(&self, _: &Cle, r: &Arc<Rendue>) -> u64 {
        ENTREE + r.octets.len() as u64
    }
}

/// What answers depend on beside the rows, each value under a number of its own. A weak pointer
/// holds no content, and no later value takes its address.
#[derive(Default)]
struct EnVigueur {
    numero: u64,
    /// The last met is last.
    paires: Vec<(u64, Weak<Politique>, Weak<Tables>)>,
    nomenclatures: (u64, Weak<Terminologie>),
}

/// The cache.
pub struct Cache {
    entrees: sync::Cache<Cle, Arc<Rendue>, Poids, RandomState>,
    passants: Box<[AtomicU32]>,
    hacheur: RandomState,
    en_vigueur: Mutex<EnVigueur>,
}

impl Cache {
    /// Keeps at most about so many bytes.
    pub fn nouveau(octets: u64) -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(octets / 700).unwrap_or(usize::MAX))
            .weight_capacity(octets)
            .build();
        let entrees = match options {
            Ok(o) => sync::Cache::with_options(o, Poids, RandomState::default(), Default::default()),
            Err(_) => sync::Cache::with(1, octets, Poids, RandomState::default(), Default::default()),
        };
        let passants = (0..PASSANTS).map(|_| AtomicU32::new(0)).collect();
        Self { entrees, passants, hacheur: RandomState::default(), en_vigueur: Mutex::default() }
    }

    /// Number of a pair; another pair has another number.
    pub fn generation(&self, politique: &Arc<Politique>, tables: &Arc<Tables>) -> u64 {
        let mut e = self.en_vigueur.lock();
        let connue = e.paires.iter().position(|(_, p, t)| {
            std::ptr::eq(p.as_ptr(), Arc::as_ptr(politique)) && std::ptr::eq(t.as_ptr(), Arc::as_ptr(tables))
        });
        let paire = if let Some(i) = connue {
            e.paires.remove(i)
        } else {
            e.numero += 1;
            (e.numero, Arc::downgrade(politique), Arc::downgrade(tables))
        };
        let numero = paire.0;
        e.paires.push(paire);
        if e.paires.len() > PAIRES {
            e.paires.remove(0);
        }
        numero
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

    /// Appends the resource as rendered before; false when it must be rendered.
    pub fn ecrire(&self, e: &Extrait, profil: u8, generation: u64, sortie: &mut Vec<u8>) -> bool {
        let Some(r) = self.entrees.get(&(e.type_fhir, profil, e.rang)) else { return false };
        let bonne = r.version == e.version
            && r.maj == e.maj
            && r.generation == generation
            && r.faits == e.faits
            && r.id == e.id;
        if !bonne {
            return false;
        }
        let debut = sortie.len();
        sortie.resize(debut + r.longueur, 0);
        let lus = lz4_flex::block::decompress_into_with_dict(&r.octets, &mut sortie[debut..], &DICTIONNAIRE);
        if !lus.is_ok_and(|n| n == r.longueur) {
            sortie.truncate(debut);
            return false;
        }
        true
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
            octets: lz4_flex::block::compress_with_dict(json, &DICTIONNAIRE).into(),
            longueur: json.len(),
        };
        self.entrees.insert((e.type_fhir, profil, e.rang), Arc::new(rendue));
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

    #[test]
    fn an_entry_serves_what_it_was_made_of_and_nothing_else() {
        let cache = Cache::nouveau(1_000_000);
        let json = br#"{"resourceType":"Location","id":"a"}"#.repeat(50);
        let e = extrait("a", 3);
        cache.garder(&e, 1, 1, &json);
        assert!(!cache.ecrire(&e, 1, 1, &mut Vec::new()), "met once");
        cache.garder(&e, 1, 1, &json);
        let rendu = |e: &Extrait, profil, generation| {
            let mut sortie = b"avant".to_vec();
            cache.ecrire(e, profil, generation, &mut sortie).then(|| sortie.split_off(5))
        };
        assert_eq!(rendu(&e, 1, 1).as_deref(), Some(json.as_slice()));
        assert!(rendu(&e, 2, 1).is_none(), "another profile");
        assert!(rendu(&e, 1, 2).is_none(), "another policy or other labels");
        assert!(rendu(&extrait("a", 4), 1, 1).is_none(), "another version");
        assert!(rendu(&extrait("b", 3), 1, 1).is_none(), "another resource in the same row");
        assert!(rendu(&Extrait { maj: 1001, ..e.clone() }, 1, 1).is_none(), "another date");
        let faits = Faits { sensible: true, ..e.faits };
        assert!(rendu(&Extrait { faits, ..e }, 1, 1).is_none(), "other facts");
    }

    #[test]
    fn the_bound_holds_and_a_generation_is_a_pair() {
        let cache = Cache::nouveau(200_000);
        for rang in 0..2000 {
            let e = Extrait { rang, ..extrait(&rang.to_string(), 1) };
            let json: Vec<u8> = (0..2000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            cache.garder(&e, 1, 1, &json);
            cache.garder(&e, 1, 1, &json);
        }
        let poids = cache.entrees.weight();
        assert!(0 < poids && poids <= 200_000, "{poids}");
        let politique = || Arc::new(crate::fhir::tests::exemples::politique());
        let (p, t) = (politique(), Arc::new(Tables::default()));
        let un = cache.generation(&p, &t);
        assert_eq!(cache.generation(&p, &t), un);
        let autres: Vec<_> = (0..super::PAIRES).map(|_| politique()).collect();
        let numeros: Vec<u64> = autres[1..].iter().map(|p| cache.generation(p, &t)).collect();
        assert!(!numeros.contains(&un), "{numeros:?}");
        assert_eq!(cache.generation(&p, &t), un, "a former pair keeps its number");
        let encore: Vec<u64> = autres[1..].iter().map(|p| cache.generation(p, &t)).collect();
        assert_eq!(encore, numeros);
        cache.generation(&autres[0], &t);
        assert_ne!(cache.generation(&p, &t), un, "too many others came between");
        let n = Arc::new(crate::terminologie::Terminologie::default());
        let avant = cache.nomenclatures(&n);
        assert_eq!(cache.nomenclatures(&n), avant);
        assert_ne!(cache.nomenclatures(&Arc::new((*n).clone())), avant);
    }
}
