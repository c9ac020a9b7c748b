//! Where places are: a grid of cells of a tenth of a degree, and exact distances.

use std::{collections::HashMap, sync::Arc};

use foldhash::fast::RandomState;
use roaring::{MultiOps, RoaringBitmap};

use super::colonne::Colonne;

/// Mean radius of the Earth, in metres.
const RAYON: f64 = 6_371_008.8;
/// Cells of one degree.
const PAR_DEGRE: f64 = 10.0;
/// Cells of one turn.
const TOUR: i32 = 3600;

/// A point in WGS84 degrees; without one, not a number.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
}

impl Default for Point {
    fn default() -> Self {
        Self { lat: f64::NAN, lon: f64::NAN }
    }
}

impl Point {
    /// Great-circle distance in metres; not a number when a point is missing.
    pub fn distance(self, autre: Self) -> f64 {
        let (la, lb) = (self.lat.to_radians(), autre.lat.to_radians());
        let dlat = ((autre.lat - self.lat).to_radians() / 2.0).sin();
        let dlon = ((autre.lon - self.lon).to_radians() / 2.0).sin();
        let h = dlat * dlat + la.cos() * lb.cos() * dlon * dlon;
        2.0 * RAYON * h.clamp(0.0, 1.0).sqrt().asin()
    }

    fn connu(self) -> bool {
        self.lat.is_finite() && self.lon.is_finite() && self.lat.abs() <= 90.0 && self.lon.abs() <= 180.0
    }

    fn cellule(self) -> (i16, i16) {
        let x = (((self.lon + 180.0) * PAR_DEGRE).floor() as i32).rem_euclid(TOUR);
        (((self.lat + 90.0) * PAR_DEGRE).floor() as i16, x as i16)
    }
}

/// The points within so many metres of another one, told mostly without trigonometry.
pub struct Disque {
    centre: Point,
    rayon_m: f64,
    /// The haversine of the radius.
    limite: f64,
    /// Least and greatest product of the cosines of the latitudes, over what the disk spans.
    cosinus: (f64, f64),
    /// Degrees of latitude and longitude beyond which the bounds do not hold.
    etendue: f64,
}

/// Widest difference of latitude or longitude that bounds decide, degrees.
const ETENDUE: f64 = 20.0;
/// What rounding may change, either way.
const MARGE: f64 = 1e-9;

impl Disque {
    /// A disk on the sphere.
    pub fn nouveau(centre: Point, rayon_m: f64) -> Self {
        let dlat = (rayon_m / RAYON).to_degrees();
        let (bas, haut) = (centre.lat - dlat, centre.lat + dlat);
        let cos = |lat: f64| lat.to_radians().cos();
        let c = cos(centre.lat);
        let le_plus = if bas <= 0.0 && haut >= 0.0 { 1.0 } else { cos(bas).max(cos(haut)) };
        // Near a pole, or wide: point by point.
        let borne = bas > -85.0 && haut < 85.0 && dlat < ETENDUE;
        Self {
            centre,
            rayon_m,
            limite: (rayon_m / RAYON / 2.0).sin().powi(2),
            cosinus: (c * cos(bas).min(cos(haut)), c * le_plus),
            etendue: if borne { ETENDUE } else { 0.0 },
        }
    }

    /// Whether a point is at most that far: what [`Point::distance`] says.
    pub fn contient(&self, p: Point) -> bool {
        let (dlat, dlon) = ((p.lat - self.centre.lat).abs(), (p.lon - self.centre.lon).abs());
        if dlat < self.etendue && dlon < self.etendue {
            // Outside of the band of latitudes the cosines are not bounded: but that is too far.
            if dlat.to_radians() * RAYON > self.rayon_m * (1.0 + MARGE) + 1.0 {
                return false;
            }
            // x - x³/6 <= sin x <= x
            let (a, b) = (dlat.to_radians() / 2.0, dlon.to_radians() / 2.0);
            let (a2, b2) = (a * a, b * b);
            if a2 + self.cosinus.1 * b2 <= self.limite * (1.0 - MARGE) {
                return true;
            }
            let bas = |x2: f64| x2 * (1.0 - x2 / 6.0) * (1.0 - x2 / 6.0);
            if bas(a2) + self.cosinus.0 * bas(b2) > self.limite * (1.0 + MARGE) {
                return false;
            }
        }
        p.distance(self.centre) <= self.rayon_m
    }
}

/// Points of the rows of a table.
#[derive(Clone, Default)]
pub struct Positions {
    points: Colonne<Point>,
    cellules: Arc<HashMap<(i16, i16), Arc<RoaringBitmap>, RandomState>>,
}

super::image::par_champs!(Point { lat, lon });
super::image::par_champs!(Positions { points, cellules });

impl Positions {
    /// The point of a row.
    pub fn point(&self, rang: u32) -> Point {
        self.points.valeur(rang)
    }

    /// Moves a row; a point out of the Earth is none.
    pub fn poser(&mut self, rang: u32, point: Point) {
        let point = if point.connu() { point } else { Point::default() };
        let ancien = self.point(rang);
        if (ancien.lat.to_bits(), ancien.lon.to_bits()) == (point.lat.to_bits(), point.lon.to_bits()) {
            return;
        }
        *self.points.place(rang) = point;
        let (avant, apres) =
            (ancien.connu().then(|| ancien.cellule()), point.connu().then(|| point.cellule()));
        if avant == apres {
            return;
        }
        let cellules = Arc::make_mut(&mut self.cellules);
        if let Some(c) = avant
            && let Some(b) = cellules.get_mut(&c)
        {
            Arc::make_mut(b).remove(rang);
        }
        if let Some(c) = apres {
            Arc::make_mut(cellules.entry(c).or_default()).insert(rang);
        }
    }

    /// Rows that may lie within a circle: those of the cells it touches. Longitudes go round, and
    /// near a pole every meridian is close.
    pub fn alentour(&self, centre: Point, rayon_m: f64) -> RoaringBitmap {
        MultiOps::<&RoaringBitmap>::union(self.cellules_de(centre, rayon_m))
    }

    /// How many they are.
    pub fn environ(&self, centre: Point, rayon_m: f64) -> u64 {
        self.cellules_de(centre, rayon_m).into_iter().map(RoaringBitmap::len).sum()
    }

    fn cellules_de(&self, centre: Point, rayon_m: f64) -> Vec<&RoaringBitmap> {
        let dlat = (rayon_m / RAYON).to_degrees() + 1e-6;
        let (bas, haut) = (centre.lat - dlat, centre.lat + dlat);
        let plus_haut = bas.abs().max(haut.abs());
        // Half the width in longitude of a circle: asin(sin(r) / cos(lat)); all round when it holds a pole.
        let rapport = (rayon_m / RAYON).sin() / centre.lat.to_radians().cos();
        let tout = plus_haut >= 90.0 || rayon_m / RAYON >= std::f64::consts::FRAC_PI_2 || rapport >= 1.0;
        let dlon = if tout { 180.0 } else { rapport.asin().to_degrees() + 1e-6 };
        let ligne = |lat: f64| ((lat.clamp(-90.0, 90.0) + 90.0) * PAR_DEGRE).floor() as i32;
        let colonne = |lon: f64| ((lon + 180.0) * PAR_DEGRE).floor() as i32;
        let (y0, y1) = (ligne(bas), ligne(haut));
        let (x0, x1) = (colonne(centre.lon - dlon), colonne(centre.lon + dlon));
        let largeur = (x1 - x0 + 1).min(TOUR);
        let nombre = i64::from(y1 - y0 + 1) * i64::from(largeur);
        if nombre > self.cellules.len() as i64 {
            // Fewer cells are in use than the circle touches: look at these.
            let dedans = |(y, x): &(i16, i16)| {
                let ecart = (i32::from(*x) - x0).rem_euclid(TOUR);
                (y0..=y1).contains(&i32::from(*y)) && ecart < largeur
            };
            return self.cellules.iter().filter(|(c, _)| dedans(c)).map(|(_, b)| b.as_ref()).collect();
        }
        let touchees = (y0..=y1).flat_map(|y| (x0..x0 + largeur).map(move |x| (y, x.rem_euclid(TOUR))));
        touchees.filter_map(|(y, x)| self.cellules.get(&(y as i16, x as i16)).map(AsRef::as_ref)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_says_what_the_distance_says() {
        let mut graine = 11u64;
        let mut hasard = |borne: f64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((graine >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * borne
        };
        for lat in [0.0, 0.1, -13.3, 46.5, 48.86, -49.3, 84.0, 89.9] {
            for rayon in [0.0, 1.0, 300.0, 15_000.0, 50_000.0, 600_000.0, 5_000_000.0, 30_000_000.0] {
                let centre = Point { lat, lon: hasard(180.0) };
                let disque = Disque::nouveau(centre, rayon);
                for i in 0..2000 {
                    // Around the circle, where it matters, and anywhere.
                    let ecart = if i % 4 == 0 { 90.0 } else { (rayon / RAYON).to_degrees() * 1.5 + 1e-7 };
                    let p = Point {
                        lat: (lat + hasard(ecart)).clamp(-90.0, 90.0),
                        lon: centre.lon + hasard(ecart / lat.to_radians().cos()),
                    };
                    let dit = p.distance(centre) <= rayon;
                    assert_eq!(disque.contient(p), dit, "{p:?} {rayon} m of {centre:?}");
                }
                assert!(!disque.contient(Point::default()));
            }
        }
    }

    #[test]
    fn the_cells_of_a_circle_hold_all_that_lies_in_it_everywhere_on_earth() {
        let mut p = Positions::default();
        let mut graine = 3u64;
        let mut hasard = |borne: f64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((graine >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * borne
        };
        for r in 0..3000 {
            p.poser(r, Point { lat: hasard(90.0), lon: hasard(180.0) });
        }
        p.poser(5000, Point { lat: 91.0, lon: 0.0 });
        // Wallis, Fiji on the other side of the line, a pole, Paris, Saint-Pierre.
        for centre in [(-13.3, -176.2), (-16.8, 179.99), (89.9, 10.0), (48.86, 2.35), (46.78, -56.17)] {
            let centre = Point { lat: centre.0, lon: centre.1 };
            for rayon in [1.0, 15_000.0, 600_000.0, 5_000_000.0, 30_000_000.0] {
                let alentour = p.alentour(centre, rayon);
                for r in 0..3000 {
                    assert!(
                        alentour.contains(r) || p.point(r).distance(centre) > rayon,
                        "{centre:?} {rayon} {r}"
                    );
                }
                assert!(!alentour.contains(5000));
            }
        }
        let paris = Point { lat: 48.8566, lon: 2.3522 };
        let lyon = Point { lat: 45.764, lon: 4.8357 };
        assert!((paris.distance(lyon) - 391_500.0).abs() < 1_000.0);
    }
}
