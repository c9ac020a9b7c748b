//! Bytes by row, packed: those of neighbouring rows are one piece of memory, for alone each would take a fifth more in
//! what holds it. Shared between moments: a copy costs one pointer, a change copies one packet.

use std::{io, sync::Arc};

use super::{
    colonne::Colonne,
    image::{Entree, Image, Sortie, abime, par_champs},
};

/// Rows of a packet.
const LIGNES: usize = 64;
/// Room made ready for the rows to come, as a part of what is there.
const AVANCE: usize = 8;

/// The bytes of some rows, one after the other.
#[derive(Clone)]
struct Paquet {
    /// Where those of each row end.
    fins: [u32; LIGNES],
    octets: Vec<u8>,
}

/// What a row has. A row never written has nothing, which is to have no byte.
#[derive(Clone, Default)]
pub struct Paquets {
    paquets: Colonne<Option<Arc<Paquet>>>,
}

par_champs!(Paquets { paquets });

impl Image for Paquet {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.fins.ecrire(s)?;
        self.octets.ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        let (fins, octets) = (<[u32; LIGNES]>::lire(e)?, Vec::lire(e)?);
        let entier = fins.is_sorted() && fins[LIGNES - 1] as usize == octets.len();
        if entier { Ok(Self { fins, octets }) } else { Err(abime()) }
    }
}

impl Default for Paquet {
    fn default() -> Self {
        Self { fins: [0; LIGNES], octets: Vec::new() }
    }
}

impl Paquet {
    fn bornes(&self, i: usize) -> (usize, usize) {
        let debut = i.checked_sub(1).map_or(0, |avant| self.fins[avant]);
        (debut as usize, self.fins[i] as usize)
    }

    fn de(&self, i: usize) -> &[u8] {
        let (debut, fin) = self.bornes(i);
        self.octets.get(debut..fin).unwrap_or_default()
    }

    fn remplacer(&mut self, i: usize, par: &[u8]) {
        let (debut, fin) = self.bornes(i);
        let longueur = self.octets.len() - (fin - debut) + par.len();
        if longueur > self.octets.capacity() {
            self.octets.reserve_exact(longueur - self.octets.len() + longueur / AVANCE);
        }
        self.octets.splice(debut..fin, par.iter().copied());
        let ecart = par.len() as i64 - (fin - debut) as i64;
        for f in &mut self.fins[i..] {
            *f = (i64::from(*f) + ecart) as u32;
        }
    }
}

fn place(rang: u32) -> (u32, usize) {
    (rang / LIGNES as u32, rang as usize % LIGNES)
}

impl Paquets {
    /// The bytes of a row that has some.
    pub fn get(&self, rang: u32) -> Option<&[u8]> {
        let (paquet, i) = place(rang);
        Some(self.paquets.get(paquet)?.as_deref()?.de(i)).filter(|o| !o.is_empty())
    }

    /// Gives a row its bytes, in place of what it had; the same again copies nothing.
    pub fn poser(&mut self, rang: u32, octets: &[u8]) {
        if self.get(rang).unwrap_or_default() == octets {
            return;
        }
        let (paquet, i) = place(rang);
        Arc::make_mut(self.paquets.place(paquet).get_or_insert_default()).remplacer(i, octets);
    }

    /// Gives back the room made ready, once rows come no more one after the other.
    pub fn tasser(&mut self, lignes: u32) {
        for p in 0..lignes.div_ceil(LIGNES as u32) {
            if let Some(paquet) = self.paquets.place(p) {
                Arc::make_mut(paquet).octets.shrink_to_fit();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn rows_keep_their_bytes_whatever_their_neighbours_become() {
        let mut p = Paquets::default();
        let mut attendus: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        let mut graine = 1u64;
        let mut hasard = |borne: u64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (graine >> 33) % borne
        };
        let mut gardes = Vec::new();
        for tour in 0..5000u32 {
            let (rang, longueur) = (hasard(400) as u32, hasard(90) as usize);
            let octets: Vec<u8> = (0..longueur).map(|i| (i as u32 + tour) as u8).collect();
            p.poser(rang, &octets);
            attendus.insert(rang, octets);
            if tour % 1000 == 0 {
                gardes.push((p.clone(), attendus.clone()));
            }
            if tour == 2500 {
                p.tasser(400);
            }
        }
        gardes.push((p, attendus));
        for (p, attendus) in gardes {
            for rang in 0..500 {
                let attendu = attendus.get(&rang).filter(|o| !o.is_empty());
                assert_eq!(p.get(rang), attendu.map(Vec::as_slice), "{rang}");
            }
        }
    }

    #[test]
    fn an_equal_value_copies_nothing() {
        let mut p = Paquets::default();
        p.poser(70, b"un");
        let avant = p.clone();
        p.poser(70, b"un");
        p.poser(3, b"");
        let memes = |n| {
            avant.paquets.get(n).cloned().flatten().map(|x| Arc::as_ptr(&x))
                == p.paquets.get(n).cloned().flatten().map(|x| Arc::as_ptr(&x))
        };
        assert!(memes(0) && memes(1));
    }

    #[test]
    fn packed_nothing_is_kept_ready() {
        let mut p = Paquets::default();
        for rang in 0..640 {
            p.poser(rang, &[7; 100]);
        }
        p.tasser(640);
        for n in 0..10 {
            let paquet = p.paquets.get(n).cloned().flatten().unwrap();
            assert!(paquet.octets.capacity() < 64 * 100 + 64, "{}", paquet.octets.capacity());
        }
    }
}
