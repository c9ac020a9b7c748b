//! Rows by cells of a tenth of a degree, each of those where a row has a point; those that have only the centre of their
//! commune in cells of their own.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use roaring::{MultiOps, RoaringBitmap};

use super::positions::{Point, boite};

/// Cells of one degree.
const PAR_DEGRE: f64 = 10.0;
/// Cells of one turn.
const TOUR: i32 = 3600;
/// Lines from the South to those of the cells of communes.
const COMMUNES: i16 = 4096;

/// A cell: its line from the South, its column from the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cellule {
    y: i16,
    x: i16,
}

impl Cellule {
    /// That of a point, or of a commune as its places have it, if it is one.
    pub fn de(p: Point) -> Option<Self> {
        let lignes = if p.connu() { 0 } else { COMMUNES };
        let p = p.nu(true);
        p.connu().then(|| {
            let x = (((p.lon + 180.0) * PAR_DEGRE).floor() as i32).rem_euclid(TOUR);
            Self { y: ((p.lat + 90.0) * PAR_DEGRE).floor() as i16 + lignes, x: x as i16 }
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
    pub fn alentour(&self, centre: Point, rayon_m: f64, par_commune: bool) -> RoaringBitmap {
        MultiOps::<&RoaringBitmap>::union(self.touchees(centre, rayon_m, par_commune))
    }

    /// How many they are.
    pub fn environ(&self, centre: Point, rayon_m: f64, par_commune: bool) -> u64 {
        self.touchees(centre, rayon_m, par_commune).into_iter().map(RoaringBitmap::len).sum()
    }

    /// The rows of each cell in use that a circle touches, those of communes where they count. Longitudes go round, and
    /// near a pole every meridian is close.
    pub fn touchees(&self, centre: Point, rayon_m: f64, par_commune: bool) -> Vec<&RoaringBitmap> {
        let sortes: &[i16] = if par_commune { &[0, COMMUNES] } else { &[0] };
        let (dlat, dlon) = boite(centre, rayon_m);
        let (bas, haut) = (centre.lat - dlat, centre.lat + dlat);
        let ligne = |lat: f64| ((lat.clamp(-90.0, 90.0) + 90.0) * PAR_DEGRE).floor() as i32;
        let colonne = |lon: f64| ((lon + 180.0) * PAR_DEGRE).floor() as i32;
        let (y0, y1) = (ligne(bas), ligne(haut));
        let (x0, x1) = (colonne(centre.lon - dlon), colonne(centre.lon + dlon));
        let largeur = (x1 - x0 + 1).min(TOUR);
        let nombre = i64::from(y1 - y0 + 1) * i64::from(largeur);
        if nombre * sortes.len() as i64 > self.cellules.len() as i64 {
            // Fewer cells are in use than the circle touches: look at these.
            let dedans = |Cellule { y, x }: &Cellule| {
                let ecart = (i32::from(*x) - x0).rem_euclid(TOUR);
                let ligne = |lignes: &i16| (y0..=y1).contains(&i32::from(*y - lignes));
                ecart < largeur && sortes.iter().any(ligne)
            };
            return self.cellules.iter().filter(|(c, _)| dedans(c)).map(|(_, b)| b.as_ref()).collect();
        }
        let touchees = (y0..=y1).flat_map(|y| (x0..x0 + largeur).map(move |x| (y, x.rem_euclid(TOUR))));
        let cellules = touchees.flat_map(|(y, x)| {
            sortes.iter().map(move |lignes| Cellule { y: y as i16 + lignes, x: x as i16 })
        });
        cellules.filter_map(|c| self.cellules.get(&c).map(AsRef::as_ref)).collect()
    }
}
