//! A record: what its bytes depend on, and the bytes, compressed.

use super::super::temoin::Temoins;
use crate::{
    fhir::politique::PROFILS,
    modele::{TypeFhir, image::somme},
};

/// Bytes of what precedes the compressed ones.
pub const TETE: usize = 48;
/// Records begin at multiples of this.
pub const UNITE: usize = 16;
/// Bytes of a rendered resource, at most; a larger one is not kept.
const JSON_MAX: usize = 4 << 20;

/// Which resource, for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cle {
    pub type_fhir: TypeFhir,
    pub profil: u8,
    pub rang: u32,
}

/// A record, as read.
pub struct Fiche<'a> {
    pub cle: Cle,
    /// Policy, labels, dictionaries.
    pub cachet: u64,
    pub temoins: Temoins,
    /// Bytes of the resource.
    pub longueur: usize,
    pub corps: &'a [u8],
}

/// Units that a record takes; none when they are too many.
fn unites(corps: usize) -> Option<u16> {
    TETE.checked_add(corps)?.div_ceil(UNITE).try_into().ok()
}

impl Fiche<'_> {
    /// Units that it takes, up to the next one; none when it is too long to be kept.
    pub fn unites(&self) -> Option<u16> {
        unites(self.corps.len())
    }

    /// Whether it is the one of that resource, and what it depends on beside it still holds.
    pub fn est(&self, cle: Cle, cachet: u64) -> bool {
        self.cle == cle && self.cachet == cachet
    }

    /// Appends a record; false when it is too long to be kept.
    pub fn ecrire(&self, sortie: &mut Vec<u8>) -> bool {
        let Some(unites) = self.unites().filter(|_| self.longueur <= JSON_MAX) else { return false };
        let (corps, longueur) = (self.corps.len() as u32, self.longueur as u32);
        let debut = sortie.len();
        sortie.extend_from_slice(&[0; 4]);
        sortie.extend_from_slice(&corps.to_le_bytes());
        sortie.extend_from_slice(&longueur.to_le_bytes());
        sortie.extend_from_slice(&self.cle.rang.to_le_bytes());
        for n in [self.cachet, self.temoins.vue, self.temoins.etat] {
            sortie.extend_from_slice(&n.to_le_bytes());
        }
        sortie.extend_from_slice(&[self.cle.type_fhir as u8, self.cle.profil, 0, 0, 0, 0, 0, 0]);
        sortie.extend_from_slice(self.corps);
        let somme = somme(&sortie[debut + 4..]);
        sortie[debut..debut + 4].copy_from_slice(&somme.to_le_bytes());
        sortie.resize(debut + usize::from(unites) * UNITE, 0);
        true
    }
}

impl<'a> Fiche<'a> {
    /// The record that begins there; none when it is not as it was written.
    pub fn lire(octets: &'a [u8]) -> Option<Self> {
        let mot = |i: usize| Some(u32::from_le_bytes(octets.get(i..i + 4)?.try_into().ok()?));
        let long = |i: usize| Some(u64::from_le_bytes(octets.get(i..i + 8)?.try_into().ok()?));
        let corps = usize::try_from(mot(4)?).ok()?;
        unites(corps)?;
        let fin = TETE + corps;
        let longueur = usize::try_from(mot(8)?).ok().filter(|l| *l <= JSON_MAX)?;
        if somme(octets.get(4..fin)?) != mot(0)? {
            return None;
        }
        let type_fhir = *TypeFhir::TOUS.get(usize::from(octets[40]))?;
        if usize::from(octets[41]) >= PROFILS {
            return None;
        }
        Some(Self {
            cle: Cle { type_fhir, profil: octets[41], rang: mot(12)? },
            cachet: long(16)?,
            temoins: Temoins { vue: long(24)?, etat: long(32)? },
            longueur,
            corps: &octets[TETE..fin],
        })
    }
}
