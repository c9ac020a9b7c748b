//! A relation between two tables, readable both ways, shared between moments.

use std::{convert::Infallible, sync::Arc};

use roaring::RoaringBitmap;

use super::{
    bits::{Bits, LOT, par_lots},
    colonne::{BLOC, Colonne},
    image::par_champs,
};

/// From so many rows on, marking their neighbours costs less than sorting them.
const MARQUER: u64 = 256;

/// The neighbours of the rows of one block, one after the other.
#[derive(Clone)]
struct Bloc {
    // Where the neighbours of each row begin; one more for the end of the last.
    debuts: Vec<u32>,
    voisins: Vec<u32>,
}

impl Default for Bloc {
    fn default() -> Self {
        Self { debuts: vec![0; BLOC + 1], voisins: Vec::new() }
    }
}

impl Bloc {
    fn de(&self, i: usize) -> &[u32] {
        &self.voisins[self.debuts[i] as usize..self.debuts[i + 1] as usize]
    }

    fn remplacer(&mut self, i: usize, voisins: &[u32]) {
        let (debut, fin) = (self.debuts[i] as usize, self.debuts[i + 1] as usize);
        self.voisins.splice(debut..fin, voisins.iter().copied());
        let ecart = voisins.len() as i64 - (fin - debut) as i64;
        for d in &mut self.debuts[i + 1..] {
            *d = (i64::from(*d) + ecart) as u32;
        }
    }
}

/// What a row has: one neighbour, as nearly all do, which is then at hand; none; or several, in its block.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Voisin(u32);

const AUCUN: u32 = u32::MAX;
const PLUSIEURS: u32 = u32::MAX - 1;

impl Default for Voisin {
    fn default() -> Self {
        Self(AUCUN)
    }
}

/// One direction.
#[derive(Clone, Default)]
struct Sens {
    voisins: Colonne<Voisin>,
    /// Neighbours of the rows that have several.
    blocs: Arc<Vec<Option<Arc<Bloc>>>>,
    /// Only rows below it have neighbours.
    fin: u32,
}

par_champs!(Bloc { debuts, voisins });
par_champs!(Voisin(_));
par_champs!(Sens { voisins, blocs, fin });

impl Sens {
    fn de(&self, rang: u32) -> &[u32] {
        match self.voisins.get(rang) {
            None | Some(Voisin(AUCUN)) => &[],
            Some(Voisin(PLUSIEURS)) => {
                let rang = rang as usize;
                self.blocs.get(rang / BLOC).and_then(Option::as_deref).map_or(&[], |b| b.de(rang % BLOC))
            }
            Some(Voisin(seul)) => std::slice::from_ref(seul),
        }
    }

    /// The neighbours of each of some rows, with its place among them.
    fn par_lot<'a>(&'a self, rangs: &[u32], mut voir: impl FnMut(usize, &'a [u32])) {
        let mut tetes = [AUCUN; LOT];
        for (debut, lot) in rangs.chunks(LOT).enumerate() {
            for (rang, tete) in lot.iter().zip(&mut tetes) {
                *tete = self.voisins.valeur(*rang).0;
            }
            for (i, (rang, tete)) in lot.iter().zip(&tetes).enumerate() {
                // It is at hand now.
                voir(debut * LOT + i, if *tete == AUCUN { &[] } else { self.de(*rang) });
            }
        }
    }

    fn bloc(&mut self, rang: u32) -> &mut Bloc {
        let i = rang as usize / BLOC;
        let blocs = Arc::make_mut(&mut self.blocs);
        if blocs.len() <= i {
            blocs.resize(i + 1, None);
        }
        Arc::make_mut(blocs[i].get_or_insert_default())
    }

    fn remplacer(&mut self, rang: u32, voisins: &[u32]) {
        let apres = match voisins {
            [] => AUCUN,
            [seul] if *seul < PLUSIEURS => *seul,
            _ => PLUSIEURS,
        };
        if apres == PLUSIEURS {
            self.bloc(rang).remplacer(rang as usize % BLOC, voisins);
        } else if self.voisins.valeur(rang) == Voisin(PLUSIEURS) {
            self.bloc(rang).remplacer(rang as usize % BLOC, &[]);
        }
        self.voisins.poser(rang, Voisin(apres));
        self.fin = self.fin.max(rang.saturating_add(1));
    }

    fn changer(&mut self, rang: u32, changer: impl FnOnce(&mut Vec<u32>)) {
        let mut voisins = self.de(rang).to_vec();
        changer(&mut voisins);
        self.remplacer(rang, &voisins);
    }

    /// Whether these rows have more neighbours than this: counts no further.
    fn plus_de(&self, nombre: u64, rangs: &RoaringBitmap) -> bool {
        let mut reste = nombre;
        rangs.iter().any(|r| match reste.checked_sub(self.de(r).len() as u64) {
            Some(apres) => {
                reste = apres;
                false
            }
            None => true,
        })
    }

    /// Every row that has neighbours, in order.
    fn lignes(&self) -> impl Iterator<Item = (u32, &[u32])> {
        (0..self.fin).map(|r| (r, self.de(r))).filter(|(_, v)| !v.is_empty())
    }

    /// The other direction of all this, by a counting sort.
    fn retourner(&self) -> Self {
        // Where the neighbours of each row begin, then where the next of them goes.
        let mut places: Vec<usize> = Vec::new();
        for (_, voisins) in self.lignes() {
            for v in voisins.iter().map(|v| *v as usize) {
                if places.len() <= v {
                    places.resize(v + 1, 0);
                }
                places[v] += 1;
            }
        }
        let mut total = 0;
        for place in &mut places {
            total += std::mem::replace(place, total);
        }
        let mut tous = vec![0; total];
        for (rang, voisins) in self.lignes() {
            for v in voisins.iter().map(|v| *v as usize) {
                tous[places[v]] = rang;
                places[v] += 1;
            }
        }
        let (mut retour, mut debut) = (Self::default(), 0);
        for (rang, fin) in (0..).zip(places) {
            retour.remplacer(rang, &tous[debut..fin]);
            debut = fin;
        }
        retour
    }

    /// The neighbours of these rows, all below `fin` when that is known; each is paid for.
    fn tous<E>(
        &self,
        rangs: &RoaringBitmap,
        fin: u32,
        mut payer: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<RoaringBitmap, E> {
        let mut chacun = |voir: &mut dyn FnMut(&[u32])| {
            par_lots(rangs, |lot| {
                let mut dus = 0;
                self.par_lot(lot, |_, voisins| dus += voisins.len() as u64);
                payer(dus)?;
                self.par_lot(lot, |_, voisins| voir(voisins));
                Ok(())
            })
        };
        if rangs.len() >= MARQUER && fin > 0 {
            let mut bits = Bits::jusqu_a(fin);
            chacun(&mut |voisins| voisins.iter().for_each(|v| bits.marquer(*v)))?;
            return Ok(bits.ensemble());
        }
        let mut trouves: Vec<u32> = Vec::new();
        chacun(&mut |voisins| trouves.extend_from_slice(voisins))?;
        trouves.sort_unstable();
        trouves.dedup();
        Ok(RoaringBitmap::from_sorted_iter(trouves).unwrap_or_default())
    }
}

/// Adjacency by row numbers.
#[derive(Clone, Default)]
pub struct Lien {
    avant: Sens,
    arriere: Sens,
    // Only forwards so far.
    ouvert: bool,
}

par_champs!(Lien { avant, arriere, ouvert });

impl Lien {
    /// One that is filled before it is read backwards: adding to a row one by one what refers to it takes
    /// the square of their number.
    pub fn ouvert() -> Self {
        Self { ouvert: true, ..Self::default() }
    }

    /// Readable both ways from here on.
    pub fn clore(&mut self) {
        if std::mem::take(&mut self.ouvert) {
            self.arriere = self.avant.retourner();
        }
    }

    /// What a row refers to.
    pub fn cibles(&self, rang: u32) -> &[u32] {
        self.avant.de(rang)
    }

    /// What each of some rows refers to, with its place among them.
    pub fn cibles_par_lot<'a>(&'a self, rangs: &[u32], voir: impl FnMut(usize, &'a [u32])) {
        self.avant.par_lot(rangs, voir);
    }

    /// Every row that refers to something, in order, with what it refers to.
    pub fn lignes(&self) -> impl Iterator<Item = (u32, &[u32])> {
        self.avant.lignes()
    }

    /// What refers to a row, once closed.
    pub fn sources(&self, rang: u32) -> &[u32] {
        self.arriere.de(rang)
    }

    /// Whether more links than this reach these rows.
    pub fn plus_de_sources(&self, nombre: u64, rangs: &RoaringBitmap) -> bool {
        self.arriere.plus_de(nombre, rangs)
    }

    /// Everything that one of these rows refers to.
    pub fn cibles_de(&self, rangs: &RoaringBitmap) -> RoaringBitmap {
        gratuit(|payer| self.cibles_payees(rangs, payer))
    }

    /// Everything that refers to one of these rows.
    pub fn sources_de(&self, rangs: &RoaringBitmap) -> RoaringBitmap {
        gratuit(|payer| self.sources_payees(rangs, payer))
    }

    /// Everything that one of these rows refers to; links are paid for as they are followed.
    pub fn cibles_payees<E>(
        &self,
        rangs: &RoaringBitmap,
        payer: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<RoaringBitmap, E> {
        self.avant.tous(rangs, self.arriere.fin, payer)
    }

    /// Everything that refers to one of these rows; links are paid for as they are followed.
    pub fn sources_payees<E>(
        &self,
        rangs: &RoaringBitmap,
        payer: impl FnMut(u64) -> Result<(), E>,
    ) -> Result<RoaringBitmap, E> {
        self.arriere.tous(rangs, self.avant.fin, payer)
    }

    /// Replaces what a row refers to; the same again copies nothing.
    pub fn poser(&mut self, rang: u32, cibles: &[u32]) {
        let anciennes = self.avant.de(rang);
        if anciennes == cibles {
            return;
        }
        if !self.ouvert {
            let anciennes = anciennes.to_vec();
            for c in anciennes.iter().filter(|c| !cibles.contains(c)) {
                self.arriere.changer(*c, |v| v.retain(|r| *r != rang));
            }
            for c in cibles.iter().filter(|c| !anciennes.contains(c)) {
                self.arriere.changer(*c, |v| v.push(rang));
            }
        }
        self.avant.remplacer(rang, cibles);
    }
}

/// What costs nothing is always paid.
fn gratuit(
    suivre: impl FnOnce(fn(u64) -> Result<(), Infallible>) -> Result<RoaringBitmap, Infallible>,
) -> RoaringBitmap {
    match suivre(|_| Ok(())) {
        Ok(trouves) => trouves,
        Err(jamais) => match jamais {},
    }
}

#[cfg(test)]
mod tests {
    use roaring::RoaringBitmap;

    use super::Lien;

    #[test]
    fn both_ways_agree_whatever_is_replaced() {
        let mut l = Lien::default();
        l.poser(5, &[1, 2, 3]);
        l.poser(6, &[2]);
        l.poser(9, &[2]);
        assert_eq!(l.cibles(5), [1, 2, 3]);
        assert_eq!(l.sources(2), [5, 6, 9]);
        assert_eq!(l.sources_de(&[1, 3, 40].into_iter().collect()).iter().collect::<Vec<_>>(), [5]);
        assert_eq!(l.cibles_de(&[5, 6, 4000].into_iter().collect()).iter().collect::<Vec<_>>(), [1, 2, 3]);
        let deux = [2, 3, 40].into_iter().collect();
        assert!(l.plus_de_sources(3, &deux) && !l.plus_de_sources(4, &deux));
        let paye = |rangs: &[u32], bourse: u64| {
            let mut reste = bourse;
            let rangs = rangs.iter().copied().collect();
            l.cibles_payees(&rangs, |n| reste.checked_sub(n).map(|r| reste = r).ok_or(())).is_ok()
        };
        assert!(paye(&[5, 6], 4) && !paye(&[5, 6], 3));
        let avant = l.clone();
        l.poser(5, &[3]);
        l.poser(6, &[]);
        assert_eq!((l.cibles(5), l.cibles(6), l.sources(1)), (&[3u32][..], &[][..], &[][..]));
        assert_eq!(l.sources(2), [9]);
        assert_eq!((avant.cibles(5), avant.sources(2)), (&[1, 2, 3][..], &[5, 6, 9][..]), "a copy keeps");
        l.poser(9, &[2]);
        assert_eq!(l.sources(2), [9], "the same again adds nothing");
        assert_eq!((l.cibles(1000), l.sources(100_000)), (&[][..], &[][..]));
    }

    #[test]
    fn filled_forwards_then_closed_it_is_as_if_filled_both_ways() {
        let (mut ouvert, mut ferme) = (Lien::ouvert(), Lien::default());
        let mut graine = 1u64;
        let mut hasard = |borne: u64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((graine >> 33) % borne) as u32
        };
        for _ in 0..3000 {
            let (rang, mut cibles) = (hasard(2000), vec![hasard(1700), hasard(3), 40_000]);
            cibles.truncate(hasard(4) as usize);
            cibles.dedup();
            ouvert.poser(rang, &cibles);
            ferme.poser(rang, &cibles);
        }
        ouvert.clore();
        ouvert.clore();
        ouvert.poser(7, &[1, 5000]);
        ferme.poser(7, &[1, 5000]);
        let tri = |l: &Lien, c| {
            let mut v = l.sources(c).to_vec();
            v.sort_unstable();
            v
        };
        // Marked or sorted, many rows or few: the same.
        for part in [1, 7, 97] {
            let rangs: RoaringBitmap = (0..2000).filter(|r| r % part == 0).collect();
            let attendues: RoaringBitmap = rangs.iter().flat_map(|r| ferme.cibles(r).to_vec()).collect();
            assert_eq!(ouvert.cibles_de(&rangs), attendues, "{part}");
            let attendues: RoaringBitmap = rangs.iter().flat_map(|r| ferme.sources(r).to_vec()).collect();
            assert_eq!(ouvert.sources_de(&rangs), attendues, "{part}");
        }
        for c in (0..6000).chain(39_000..41_000) {
            assert_eq!(tri(&ouvert, c), tri(&ferme, c), "{c}");
            assert_eq!(ouvert.cibles(c), ferme.cibles(c), "{c}");
        }
    }
}
