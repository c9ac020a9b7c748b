//! Rows by cells of a tenth of a degree, each of those where a row has a point.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use roaring::{MultiOps, RoaringBitmap};

use super::positions::{Point, boite};

/// Cells of one degree.
const PAR_DEGRE: f64 = 10.0;
/// Cells of one turn.
const TOUR: i32 = 3600;

/// A cell: its line from the South, its column from the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cellule {
    y: i16,
    x: i16,
}

impl Cellule {
    /// That of a point, if it is one.
    pub fn de(p: Point) -> Option<Self> {
        p.connu().then(|| {
            let x = (((p.lon + 180.0) * PAR_DEGRE).floor() as i32).rem_euclid(TOUR);
            Self { y: ((p.lat + 90.0) * PAR_DEGRE).floor() as i16, x: x as i16 }
        })
    }
}

/// The grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grille {
    cellules: Arc<HashMap<Cellule, Arc<RoaringBitmap>, RandomState>>,
}

super::image::par_champs!(Cellule { y, x });
super::image::par_champs!(Grille { cellules });

impl Grille {
    /// One made at once of rows that come in order.
    pub fn de(rangs: impl Iterator<Item = (u32, Cellule)>) -> Self {
        let mut cellules: HashMap<Cellule, RoaringBitmap, RandomState> = HashMap::default();
        for (rang, c) in rangs {
            cellules.entry(c).or_default().insert(rang);
        }
        Self { cellules: Arc::new(cellules.into_iter().map(|(c, rangs)| (c, Arc::new(rangs))).collect()) }
    }

    /// Puts a row in a cell.
    pub fn ajouter(&mut self, c: Cellule, rang: u32) {
        if self.cellules.get(&c).is_none_or(|rangs| !rangs.contains(rang)) {
            Arc::make_mut(Arc::make_mut(&mut self.cellules).entry(c).or_default()).insert(rang);
        }
    }

    /// Takes a row out of a cell.
    pub fn oter(&mut self, c: Cellule, rang: u32) {
        if self.cellules.get(&c).is_some_and(|rangs| rangs.contains(rang)) {
            let cellules = Arc::make_mut(&mut self.cellules);
            if let Some(rangs) = cellules.get_mut(&c).map(Arc::make_mut) {
                rangs.remove(rang);
                if rangs.is_empty() {
                    cellules.remove(&c);
                }
            }
        }
    }

    /// Rows that may lie within a circle: those of the cells it touches.
    pub fn alentour(&self, centre: Point, rayon_m: f64) -> RoaringBitmap {
        MultiOps::<&RoaringBitmap>::union(self.touchees(centre, rayon_m))
    }

    /// How many they are.
    pub fn environ(&self, centre: Point, rayon_m: f64) -> u64 {
        self.touchees(centre, rayon_m).into_iter().map(RoaringBitmap::len).sum()
    }

    /// The rows of each cell in use that a circle touches. Longitudes go round, and near a pole every meridian is
    /// close.
    pub fn touchees(&self, centre: Point, rayon_m: f64) -> Vec<&RoaringBitmap> {
        let (dlat, dlon) = boite(centre, rayon_m);
        let (bas, haut) = (centre.lat - dlat, centre.lat + dlat);
        let ligne = |lat: f64| ((lat.clamp(-90.0, 90.0) + 90.0) * PAR_DEGRE).floor() as i32;
        let colonne = |lon: f64| ((lon + 180.0) * PAR_DEGRE).floor() as i32;
        let (y0, y1) = (ligne(bas), ligne(haut));
        let (x0, x1) = (colonne(centre.lon - dlon), colonne(centre.lon + dlon));
        let largeur = (x1 - x0 + 1).min(TOUR);
        let nombre = i64::from(y1 - y0 + 1) * i64::from(largeur);
        if nombre > self.cellules.len() as i64 {
            // Fewer cells are in use than the circle touches: look at these.
            let dedans = |Cellule { y, x }: &Cellule| {
                let ecart = (i32::from(*x) - x0).rem_euclid(TOUR);
                (y0..=y1).contains(&i32::from(*y)) && ecart < largeur
            };
            return self.cellules.iter().filter(|(c, _)| dedans(c)).map(|(_, b)| b.as_ref()).collect();
        }
        let touchees = (y0..=y1).flat_map(|y| (x0..x0 + largeur).map(move |x| (y, x.rem_euclid(TOUR))));
        touchees
            .filter_map(|(y, x)| self.cellules.get(&Cellule { y: y as i16, x: x as i16 }).map(AsRef::as_ref))
            .collect()
    }
}
