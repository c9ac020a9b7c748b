//! Where each record is, in memory: six bytes a row, for each profile that is prepared.

use super::fiche::{Cle, UNITE};
use crate::{fhir::politique::PROFILS, modele::TypeFhir};

/// Bytes of a slot.
pub const EMPLACEMENT: usize = 16 << 20;
/// The same, in units.
pub const UNITES: u32 = (EMPLACEMENT / UNITE) as u32;

/// A place in the file and its length, in units; of no length when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place([u16; 3]);

impl Place {
    pub fn nouvelle(debut: u32, longueur: u16) -> Self {
        Self([(debut >> 16) as u16, debut as u16, longueur])
    }

    fn debut(self) -> u32 {
        u32::from(self.0[0]) << 16 | u32::from(self.0[1])
    }

    fn longueur(self) -> u32 {
        self.0[2].into()
    }

    fn emplacement(self) -> usize {
        (self.debut() / UNITES) as usize
    }

    /// In bytes: from where, how many.
    pub fn octets(self) -> (u64, usize) {
        (u64::from(self.debut()) * UNITE as u64, usize::from(self.0[2]) * UNITE)
    }
}

/// Every place.
#[derive(Default)]
pub struct Places {
    lignes: [[Vec<Place>; 5]; PROFILS],
    /// Units that records in use take in each slot; the first slot holds none.
    vivants: Vec<u32>,
    nombre: usize,
}

impl Places {
    /// Where a record is.
    pub fn lire(&self, cle: Cle) -> Option<Place> {
        let place =
            self.lignes.get(usize::from(cle.profil))?[cle.type_fhir as usize].get(cle.rang as usize)?;
        (place.longueur() > 0).then_some(*place)
    }

    /// Puts a record in the place of the former one.
    pub fn poser(&mut self, cle: Cle, place: Place) {
        let Some(types) = self.lignes.get_mut(usize::from(cle.profil)) else { return };
        let (lignes, rang) = (&mut types[cle.type_fhir as usize], cle.rang as usize);
        if lignes.len() <= rang {
            // A directory grows little by little: not twofold at once.
            if lignes.capacity() <= rang {
                lignes.reserve_exact(rang + 1 + rang / 16 - lignes.len());
            }
            lignes.resize(rang + 1, Place::default());
        }
        let ancienne = std::mem::replace(&mut lignes[rang], place);
        self.compter(ancienne, false);
        self.compter(place, true);
    }

    /// Forgets a record.
    pub fn oublier(&mut self, cle: Cle) {
        if self.lire(cle).is_some() {
            self.poser(cle, Place::default());
        }
    }

    fn compter(&mut self, place: Place, present: bool) {
        if place.longueur() == 0 {
            return;
        }
        let e = place.emplacement();
        if self.vivants.len() <= e {
            self.vivants.resize(e + 1, 0);
        }
        if present {
            self.vivants[e] += place.longueur();
            self.nombre += 1;
        } else {
            self.vivants[e] = self.vivants[e].saturating_sub(place.longueur());
            self.nombre -= 1;
        }
    }

    /// The slot, after the first one, that holds the least; and how much, in units.
    pub fn moins_rempli(&self, emplacements: usize, sauf: usize) -> Option<(usize, u32)> {
        let vivants = |e: usize| self.vivants.get(e).copied().unwrap_or(0);
        (1..emplacements).filter(|e| *e != sauf).map(|e| (e, vivants(e))).min_by_key(|(_, v)| *v)
    }

    /// Forgets all that a slot holds.
    pub fn vider(&mut self, emplacement: usize) -> Vec<Cle> {
        let ici = |p: &Place| p.longueur() > 0 && p.emplacement() == emplacement;
        let cles: Vec<Cle> = self.toutes().filter(|(_, p)| ici(p)).map(|(cle, _)| cle).collect();
        cles.iter().for_each(|cle| self.oublier(*cle));
        cles
    }

    /// Every row, with its place.
    fn toutes(&self) -> impl Iterator<Item = (Cle, Place)> + '_ {
        (0u8..).zip(&self.lignes).flat_map(|(profil, types)| {
            TypeFhir::TOUS.into_iter().zip(types).flat_map(move |(type_fhir, lignes)| {
                (0u32..).zip(lignes).map(move |(rang, p)| (Cle { type_fhir, profil, rang }, *p))
            })
        })
    }

    /// Every record.
    pub fn cles(&self) -> impl Iterator<Item = Cle> + '_ {
        self.toutes().filter(|(_, p)| p.longueur() > 0).map(|(cle, _)| cle)
    }

    /// How many records, and bytes of them.
    pub fn taille(&self) -> (usize, u64) {
        (self.nombre, self.vivants.iter().map(|v| u64::from(*v) * UNITE as u64).sum())
    }
}
