//! A table: rows numbered once, postings, and one set of visible rows a profile.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;

use super::{etat::Etat, index::Index};
use crate::fhir::politique::Faits;

/// Kinds within a type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sorte {
    /// The only kind of its type.
    #[default]
    Unique,
    /// Legal entity.
    Ej,
    /// Site.
    Eg,
    /// Internal organisation.
    Oi,
}

/// A row. A row without state was only referred to so far.
#[derive(Clone)]
pub struct Ligne {
    /// Technical id.
    pub id: Arc<str>,
    /// Kind.
    pub sorte: Sorte,
    /// Version of the owning service.
    pub version: u64,
    /// Last update, milliseconds.
    pub maj: i64,
    /// Protobuf union of its area.
    pub etat: Option<Etat>,
    /// Names, folded, separated by a newline; for string search.
    pub noms: Box<str>,
    /// Facts rights depend on.
    pub faits: Faits,
    /// Bit per profile that may see the row.
    pub masque: u8,
}

/// Place of an id in the order of answers: alike on every replica and after every restart, told by
/// the id alone, and compared without reading it (FNV-1a, 64 bits; the id itself settles a tie).
pub fn ordre(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |h, o| (h ^ u64::from(o)).wrapping_mul(0x0100_0000_01b3))
}

/// Profiles.
pub const PROFILS: usize = 6;

/// A table.
#[derive(Default)]
pub struct Table {
    ids: HashMap<Arc<str>, u32, RandomState>,
    lignes: Vec<Ligne>,
    // Beside the rows, so that ordering a page reads nothing else.
    ordres: Vec<u64>,
    presentes: RoaringBitmap,
    visibles: [RoaringBitmap; PROFILS],
    fines: [RoaringBitmap; PROFILS],
    /// Postings.
    pub index: Index,
}

impl Table {
    /// The row of an id, whether present or only referred to.
    pub fn rang(&self, id: &str) -> Option<u32> {
        self.ids.get(id).copied()
    }

    /// The row of an id, numbered when new.
    pub fn numeroter(&mut self, id: &str) -> u32 {
        if let Some(r) = self.ids.get(id) {
            return *r;
        }
        let id: Arc<str> = id.into();
        let r = self.lignes.len() as u32;
        self.lignes.push(Ligne {
            id: id.clone(),
            sorte: Sorte::Unique,
            version: 0,
            maj: 0,
            etat: None,
            noms: "".into(),
            faits: Faits::default(),
            masque: 0,
        });
        self.ordres.push(ordre(&id));
        self.ids.insert(id, r);
        r
    }

    /// Where a row stands among others: see [`ordre`].
    pub fn ordre(&self, rang: u32) -> u64 {
        self.ordres[rang as usize]
    }

    /// A row.
    pub fn ligne(&self, rang: u32) -> &Ligne {
        &self.lignes[rang as usize]
    }

    /// A row, to change it.
    pub fn ligne_mut(&mut self, rang: u32) -> &mut Ligne {
        &mut self.lignes[rang as usize]
    }

    /// Rows that have a state.
    pub fn presentes(&self) -> &RoaringBitmap {
        &self.presentes
    }

    /// Marks a row present or gone.
    pub fn poser_presence(&mut self, rang: u32, presente: bool) {
        if presente {
            self.presentes.insert(rang);
        } else {
            self.presentes.remove(rang);
        }
    }

    /// Rows a profile may see.
    pub fn visibles(&self, profil: u8) -> &RoaringBitmap {
        &self.visibles[usize::from(profil).min(PROFILS - 1)]
    }

    /// Rows whose fine attributes a profile may see.
    pub fn fines(&self, profil: u8) -> &RoaringBitmap {
        &self.fines[usize::from(profil).min(PROFILS - 1)]
    }

    /// Sets what may be seen of a row: one bit a profile.
    pub fn poser_droits(&mut self, rang: u32, faits: Faits, masque: u8, fin: u8) {
        let l = &mut self.lignes[rang as usize];
        l.faits = faits;
        l.masque = masque;
        for p in 0..PROFILS {
            for (ensemble, bits) in [(&mut self.visibles[p], masque), (&mut self.fines[p], fin)] {
                if bits & (1 << p) != 0 {
                    ensemble.insert(rang);
                } else {
                    ensemble.remove(rang);
                }
            }
        }
    }
}
