//! Quantities of which there are few different ones: each with the rows that carry it.

use std::{collections::BTreeMap, sync::Arc};

use roaring::RoaringBitmap;

/// A value and the code of its unit, empty without one. The order is not that of the numbers.
pub type Valeur = (u64, Arc<str>);

/// Distinct values of one quantity.
#[derive(Clone, Default)]
pub struct Valeurs {
    ensembles: Arc<BTreeMap<Valeur, Arc<RoaringBitmap>>>,
}

super::image::par_champs!(Valeurs { ensembles });

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
        if let Some(v) = ancienne
            && let Some(b) = ensembles.get_mut(v)
        {
            Arc::make_mut(b).remove(rang);
            if b.is_empty() {
                ensembles.remove(v);
            }
        }
        if let Some(v) = nouvelle {
            Arc::make_mut(ensembles.entry(v.clone()).or_default()).insert(rang);
        }
    }

    /// How many different values.
    pub fn nombre(&self) -> u64 {
        self.ensembles.len() as u64
    }

    /// Every value: number, unit, rows.
    pub fn toutes(&self) -> impl Iterator<Item = (f64, &str, &RoaringBitmap)> {
        self.ensembles.iter().map(|((n, u), b)| (f64::from_bits(*n), u.as_ref(), b.as_ref()))
    }
}
