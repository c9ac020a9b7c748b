//! Quantities of which there are few different ones: each with the rows that carry it.

use std::{collections::BTreeMap, sync::Arc};

use roaring::RoaringBitmap;

use super::{bits::LOT, colonne::Colonne};

/// A value and the code of its unit, empty without one. The order is not that of the numbers.
pub type Valeur = (u64, Arc<str>);

/// Distinct values of one quantity.
#[derive(Clone, Default)]
pub struct Valeurs {
    /// Each with its number, from 1, and the rows that carry it. A set left empty keeps its number.
    ensembles: Arc<BTreeMap<Valeur, (u32, Arc<RoaringBitmap>)>>,
    /// The number of the value of each row; 0 for none.
    numeros: Colonne<u32>,
}

super::image::par_champs!(Valeurs { ensembles, numeros });

/// The key of a quantity.
pub fn valeur(nombre: f64, unite: &str) -> Valeur {
    (nombre.to_bits(), unite.into())
}

impl Valeurs {
    /// Moves a row from its former value to its new one.
    pub fn changer(&mut self, rang: u32, ancienne: Option<&Valeur>, nouvelle: Option<&Valeur>) {
        if ancienne == nouvelle {
            return;
        }
        let ensembles = Arc::make_mut(&mut self.ensembles);
        if let Some((_, b)) = ancienne.and_then(|v| ensembles.get_mut(v)) {
            Arc::make_mut(b).remove(rang);
        }
        let mut numero = 0;
        if let Some(v) = nouvelle {
            let suivant = u32::try_from(ensembles.len() + 1).unwrap_or(u32::MAX);
            let (n, b) = ensembles.entry(v.clone()).or_insert_with(|| (suivant, Arc::default()));
            Arc::make_mut(b).insert(rang);
            numero = *n;
        }
        self.numeros.poser(rang, numero);
    }

    /// How many different values.
    pub fn nombre(&self) -> u64 {
        self.ensembles.len() as u64
    }

    /// Every value in use: number, unit, rows.
    pub fn toutes(&self) -> impl Iterator<Item = (f64, &str, &RoaringBitmap)> {
        let toutes =
            self.ensembles.iter().map(|((n, u), (_, b))| (f64::from_bits(*n), u.as_ref(), b.as_ref()));
        toutes.filter(|(_, _, b)| !b.is_empty())
    }

    /// Tells of each of some rows whether its value is one of those for which this holds: each value is looked at once,
    /// whatever the number of rows then asked.
    pub fn admises(&self, condition: impl Fn(f64, &str) -> bool) -> impl FnMut(&[u32], &mut [bool]) {
        let mut admises = vec![false; self.ensembles.len() + 1];
        for ((n, u), (numero, _)) in self.ensembles.iter() {
            if let Some(a) = admises.get_mut(*numero as usize) {
                *a = condition(f64::from_bits(*n), u);
            }
        }
        let mut numeros = Vec::with_capacity(LOT);
        move |rangs, verdicts| {
            self.numeros.lire(rangs, &mut numeros);
            for (numero, verdict) in numeros.iter().zip(verdicts) {
                *verdict = admises.get(*numero as usize).is_some_and(|a| *a);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_value_at_a_time_whichever_way_it_is_asked() {
        let mut v = Valeurs::default();
        let ans = |n: u32| valeur(f64::from(n), "a");
        for r in 0..1000 {
            v.changer(r, None, Some(&ans(r % 7)));
        }
        for r in (0..1000).step_by(3) {
            v.changer(r, Some(&ans(r % 7)), (r % 2 == 0).then(|| ans(90)).as_ref());
        }
        for seuil in [0.0, 3.0, 80.0, 99.0] {
            let (tous, mut verdicts) = ((0..1200).collect::<Vec<u32>>(), vec![true; 1200]);
            v.admises(|n, u| n >= seuil && u == "a")(&tous, &mut verdicts);
            let par_colonne: RoaringBitmap = tous.into_iter().filter(|r| verdicts[*r as usize]).collect();
            let par_ensembles = v
                .toutes()
                .filter(|(n, _, _)| *n >= seuil)
                .fold(RoaringBitmap::new(), |tous, (_, _, b)| tous | b);
            assert_eq!(par_colonne, par_ensembles, "{seuil}");
            assert_eq!(par_colonne.is_empty(), seuil > 90.0);
        }
        for r in (0..1000).filter(|r| r % 7 == 6 && r % 3 != 0) {
            v.changer(r, Some(&ans(6)), None);
        }
        assert!(v.toutes().all(|(n, _, _)| n != 6.0) && v.nombre() == 8, "a value no one has any more");
    }
}
