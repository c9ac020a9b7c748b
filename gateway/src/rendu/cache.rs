//! Resources already rendered: those asked again and again, ready to be sent and within a bound; the others in a
//! reserve on disk, when there is one.
//!
//! An entry is only used when everything its bytes depend on is what it was: the
//! resource and its version, the profile, the facts rights depend on, the policy and
//! the labels in force.

use std::{
    hash::BuildHasher,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
};

use bytes::Bytes;
use foldhash::fast::{FixedState, RandomState};
use parking_lot::Mutex;
use quick_cache::{Weighter, sync};
use ror_domaine::vocabulaire::Tables;

use super::{Codages, Reserve, temoin};
use crate::{
    fhir::politique::Politique,
    modele::{Extrait, TypeFhir},
    terminologie::Terminologie,
};

/// Resources met once that are remembered, so that only what comes back is kept.
const PASSANTS: usize = 1 << 16;
/// Pairs of a policy and labels whose number is remembered: walks hold on to former policies.
const PAIRES: usize = 4;
/// Overhead of an entry beside its bytes, about.
const ENTREE: u64 = 160;
/// Bytes of an entry, about.
const PRETE: u64 = 8_000;

type Cle = (TypeFhir, u8, u32);

#[derive(Clone)]
struct Rendue {
    vue: u64,
    generation: u64,
    json: Bytes,
}

#[derive(Clone)]
struct Poids;

impl Weighter<Cle, Rendue> for Poids {
    fn weight(&self, _: &Cle, r: &Rendue) -> u64 {
        ENTREE + r.json.len() as u64
    }
}

/// A policy and labels, and what is made of these.
#[derive(Clone)]
pub struct EnVigueur {
    /// Of this pair in this life; another pair has another one.
    pub numero: u64,
    /// The same in every life of one build.
    pub empreinte: u64,
    /// Codings of the labels.
    pub codages: Arc<Codages>,
}

struct Paire {
    politique: Weak<Politique>,
    tables: Weak<Tables>,
    en_vigueur: EnVigueur,
}

/// What answers depend on beside the rows, each value under a number of its own. A weak pointer
/// holds no content, and no later value takes its address.
#[derive(Default)]
struct Connus {
    numero: u64,
    /// The last met is last.
    paires: Vec<Paire>,
    nomenclatures: (u64, Weak<Terminologie>),
}

/// The cache.
pub struct Cache {
    pretes: sync::Cache<Cle, Rendue, Poids, RandomState>,
    reserve: Option<Arc<Reserve>>,
    passants: Box<[AtomicU32]>,
    hacheur: RandomState,
    connus: Arc<Mutex<Connus>>,
}

impl Cache {
    /// Keeps at most about so many bytes ready to be sent.
    pub fn nouveau(octets: u64, reserve: Option<Arc<Reserve>>) -> Self {
        let passants = (0..PASSANTS).map(|_| AtomicU32::new(0)).collect();
        let entrees = usize::try_from(octets / PRETE).unwrap_or(usize::MAX);
        Self {
            pretes: sync::Cache::with(entrees, octets, Poids, RandomState::default(), Default::default()),
            reserve,
            passants,
            hacheur: RandomState::default(),
            connus: Arc::default(),
        }
    }

    /// Another one, with so many bytes of its own: what answers ask again and again stays in this one.
    pub fn a_part(&self, octets: u64) -> Self {
        Self { connus: self.connus.clone(), ..Self::nouveau(octets, self.reserve.clone()) }
    }

    /// What was rendered beforehand.
    pub fn reserve(&self) -> Option<&Arc<Reserve>> {
        self.reserve.as_ref()
    }

    /// A policy and labels: another pair has another number.
    pub fn en_vigueur(&self, politique: &Arc<Politique>, tables: &Arc<Tables>) -> EnVigueur {
        let memes = |p: &Paire| std::ptr::eq(p.tables.as_ptr(), Arc::as_ptr(tables));
        let meme = |p: &Paire| memes(p) && std::ptr::eq(p.politique.as_ptr(), Arc::as_ptr(politique));
        let codages = {
            let mut c = self.connus.lock();
            if let Some(i) = c.paires.iter().position(meme) {
                let paire = c.paires.remove(i);
                let en_vigueur = paire.en_vigueur.clone();
                c.paires.push(paire);
                return en_vigueur;
            }
            c.paires.iter().find(|p| memes(p)).map(|p| p.en_vigueur.codages.clone())
        };
        // Read apart, from every label: no answer waits for it meanwhile.
        let codages = codages.unwrap_or_else(|| Arc::new(Codages::de(tables)));
        let empreinte = FixedState::default().hash_one((politique.empreinte(), tables.empreinte_libelles()));
        let mut c = self.connus.lock();
        // Another one may have made the same.
        if let Some(connue) = c.paires.iter().find(|p| meme(p)) {
            return connue.en_vigueur.clone();
        }
        c.numero += 1;
        let en_vigueur = EnVigueur { numero: c.numero, empreinte, codages };
        let (politique, tables) = (Arc::downgrade(politique), Arc::downgrade(tables));
        c.paires.push(Paire { politique, tables, en_vigueur: en_vigueur.clone() });
        if c.paires.len() > PAIRES {
            c.paires.remove(0);
        }
        en_vigueur
    }

    /// Number of the nomenclatures, from 1; others have another number.
    pub fn nomenclatures(&self, t: &Arc<Terminologie>) -> u64 {
        let mut c = self.connus.lock();
        let (numero, connues) = &mut c.nomenclatures;
        if !std::ptr::eq(connues.as_ptr(), Arc::as_ptr(t)) {
            *numero += 1;
            *connues = Arc::downgrade(t);
        }
        *numero
    }

    /// The resource as rendered before, when it is ready to be sent.
    pub fn prete(&self, e: &Extrait<'_>, profil: u8, generation: u64) -> Option<Bytes> {
        let rendue = self.pretes.get(&(e.type_fhir, profil, e.rang))?;
        (rendue.generation == generation && rendue.vue == temoin::vue(e)).then_some(rendue.json)
    }

    /// Keeps a resource that was met before: one walk through everything does not drive out what is asked again
    /// and again.
    pub fn garder(&self, e: &Extrait<'_>, profil: u8, generation: u64, json: &[u8]) {
        let h = self.hacheur.hash_one((e.type_fhir, profil, e.rang));
        let (place, trace) = (h as usize % PASSANTS, (h >> 32) as u32);
        if self.passants[place].swap(trace, Ordering::Relaxed) != trace {
            return;
        }
        let rendue = Rendue { vue: temoin::vue(e), generation, json: Bytes::copy_from_slice(json) };
        self.pretes.insert((e.type_fhir, profil, e.rang), rendue);
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

    fn extrait(id: &str, version: u64) -> Extrait<'static> {
        Extrait {
            type_fhir: TypeFhir::Location,
            sorte: Sorte::Unique,
            rang: 7,
            id: id.into(),
            version,
            maj: 1000,
            faits: Faits::default(),
            etat: Etat::de(b"etat"),
            capacite: None,
        }
    }

    fn garder_deux_fois(cache: &Cache, e: &Extrait<'_>, json: &[u8]) {
        cache.garder(e, 1, 1, json);
        cache.garder(e, 1, 1, json);
    }

    #[test]
    fn an_entry_serves_what_it_was_made_of_and_nothing_else() {
        let cache = Cache::nouveau(1_000_000, None);
        let json = br#"{"resourceType":"Location","id":"a"}"#.repeat(50);
        let e = extrait("a", 3);
        cache.garder(&e, 1, 1, &json);
        assert!(cache.prete(&e, 1, 1).is_none(), "met once");
        cache.garder(&e, 1, 1, &json);
        assert!(cache.prete(&e, 2, 1).is_none(), "another profile");
        assert!(cache.prete(&e, 1, 2).is_none(), "another policy or other labels");
        assert!(cache.prete(&extrait("a", 4), 1, 1).is_none(), "another version");
        assert!(cache.prete(&extrait("b", 3), 1, 1).is_none(), "another resource in the same row");
        assert!(cache.prete(&Extrait { maj: 1001, ..e.clone() }, 1, 1).is_none(), "another date");
        let faits = Faits { sensible: true, ..e.faits };
        assert!(cache.prete(&Extrait { faits, ..e.clone() }, 1, 1).is_none(), "other facts");
        let capacite = Some(e.etat);
        assert!(cache.prete(&Extrait { capacite, ..e.clone() }, 1, 1).is_none(), "capacities in sight");
        let (premiere, seconde) = (cache.prete(&e, 1, 1).unwrap(), cache.prete(&e, 1, 1).unwrap());
        assert_eq!((&premiere[..], &seconde[..]), (&json[..], &json[..]));
        assert_eq!(premiere.as_ptr(), seconde.as_ptr(), "shared, not copied");
    }

    #[test]
    fn the_bound_holds_and_a_generation_is_a_pair() {
        let cache = Cache::nouveau(200_000, None);
        for rang in 0..600u32 {
            let e = Extrait { rang, ..extrait(&rang.to_string(), 1) };
            garder_deux_fois(&cache, &e, &rang.to_le_bytes().repeat(500));
            assert!(cache.pretes.weight() <= 200_000, "{}", cache.pretes.weight());
        }
        assert!(cache.pretes.weight() > 100_000, "{}", cache.pretes.weight());
        let politique = || Arc::new(crate::fhir::tests::exemples::politique());
        let (p, t) = (politique(), Arc::new(Tables::default()));
        let numero = |p, t| cache.en_vigueur(p, t).numero;
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
