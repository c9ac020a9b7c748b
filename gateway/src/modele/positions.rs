//! Where places are, and exact distances.

use super::{
    colonne::Colonne,
    grille::{Cellule, Grille},
};

/// Mean radius of the Earth, in metres.
const RAYON: f64 = 6_371_008.8;

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

/// Added to the latitude of a place without position of its own, which has that of the centre of its commune.
const COMMUNE: f64 = 1024.0;

impl Point {
    /// The centre of a commune, as that of a place without position of its own.
    pub(super) fn de_commune(self) -> Self {
        Self { lat: self.lat + COMMUNE, lon: self.lon }
    }

    /// Where a place stands: the centre of a commune counts, or is no point.
    pub(super) fn nu(self, par_commune: bool) -> Self {
        // Which rows have only that cannot be foretold: nothing need branch on it.
        let approche = self.lat > 90.0;
        let lat = if approche { self.lat - COMMUNE } else { self.lat };
        Self { lat: if approche && !par_commune { f64::NAN } else { lat }, lon: self.lon }
    }

    /// Great-circle distance in metres; not a number when a point is missing.
    pub fn distance(self, autre: Self) -> f64 {
        let (la, lb) = (self.lat.to_radians(), autre.lat.to_radians());
        let dlat = ((autre.lat - self.lat).to_radians() / 2.0).sin();
        let dlon = ((autre.lon - self.lon).to_radians() / 2.0).sin();
        let h = dlat * dlat + la.cos() * lb.cos() * dlon * dlon;
        2.0 * RAYON * h.clamp(0.0, 1.0).sqrt().asin()
    }

    /// Whether it is on the Earth.
    pub(super) fn connu(self) -> bool {
        self.lat.is_finite() && self.lon.is_finite() && self.lat.abs() <= 90.0 && self.lon.abs() <= 180.0
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
    /// Differences of latitude and longitude past which a point is too far, degrees.
    boite: (f64, f64),
}

/// Widest difference of latitude or longitude that bounds decide, degrees.
const ETENDUE: f64 = 20.0;
/// What rounding may change, either way; the same in degrees, about ten centimetres.
const MARGE: f64 = 1e-9;
const MARGE_DEGRES: f64 = 1e-6;
/// Points looked at together: none waits for the memory that another asks for.
const ENSEMBLE: usize = 256;

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
            boite: boite(centre, rayon_m),
        }
    }

    /// Whether a point is out of the box around the disk, or is none.
    fn loin(&self, p: Point) -> bool {
        let (dlat, dlon) = ((p.lat - self.centre.lat).abs(), (p.lon - self.centre.lon).abs());
        let proche = (dlat <= self.boite.0) & ((dlon <= self.boite.1) | (dlon >= 360.0 - self.boite.1));
        !proche
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

/// Differences of latitude and longitude that the circle spans, degrees; all longitudes when it holds a pole.
pub(super) fn boite(centre: Point, rayon_m: f64) -> (f64, f64) {
    let dlat = (rayon_m / RAYON).to_degrees() + MARGE_DEGRES;
    // Half the width in longitude of a circle: asin(sin(r) / cos(lat)).
    let rapport = (rayon_m / RAYON).sin() / centre.lat.to_radians().cos();
    let tout = centre.lat.abs() + dlat >= 90.0
        || rayon_m / RAYON >= std::f64::consts::FRAC_PI_2
        || !(0.0..1.0).contains(&rapport);
    (dlat, if tout { 180.0 } else { rapport.asin().to_degrees() + MARGE_DEGRES })
}

/// Points of the rows of a table: their own, else that of their commune, told apart by their latitude.
#[derive(Clone, Default)]
pub struct Positions {
    points: Colonne<Point>,
    grille: Grille,
}

super::image::par_champs!(Point { lat, lon });
super::image::par_champs!(Positions { points, grille });

impl Positions {
    /// The point of a row: its own, or else the centre of its commune where that counts.
    pub fn point(&self, rang: u32, par_commune: bool) -> Point {
        self.points.valeur(rang).nu(par_commune)
    }

    /// Tells which of these rows are in one of the disks, by their places in the slice, in order.
    pub fn dedans(
        &self,
        disques: &[Disque],
        par_commune: bool,
        rangs: &[u32],
        mut trouver: impl FnMut(usize),
    ) {
        let mut proches = [0; ENSEMBLE];
        for (n, lot) in rangs.chunks(ENSEMBLE).enumerate() {
            // Most are far: which ones cannot be foretold, so nothing branches on it.
            let mut nombre = 0;
            for (i, rang) in lot.iter().enumerate() {
                let point = self.point(*rang, par_commune);
                proches[nombre] = i;
                nombre += usize::from(disques.iter().any(|d| !d.loin(point)));
            }
            for i in &proches[..nombre] {
                let point = self.point(lot[*i], par_commune);
                if disques.iter().any(|d| d.contient(point)) {
                    trouver(n * ENSEMBLE + i);
                }
            }
        }
    }

    /// Moves a row; a point out of the Earth is none. The cells that it left and entered, when they are not the same.
    pub fn poser(&mut self, rang: u32, point: Point) -> Option<(Option<Cellule>, Option<Cellule>)> {
        let point = if point.nu(true).connu() { point } else { Point::default() };
        let ancien = self.points.valeur(rang);
        if (ancien.lat.to_bits(), ancien.lon.to_bits()) == (point.lat.to_bits(), point.lon.to_bits()) {
            return None;
        }
        *self.points.place(rang) = point;
        let (avant, apres) = (Cellule::de(ancien), Cellule::de(point));
        if avant == apres {
            return None;
        }
        if let Some(c) = avant {
            self.grille.oter(c, rang);
        }
        if let Some(c) = apres {
            self.grille.ajouter(c, rang);
        }
        Some((avant, apres))
    }

    /// The cell of a row.
    pub fn cellule(&self, rang: u32) -> Option<Cellule> {
        Cellule::de(self.points.valeur(rang))
    }

    /// The rows by cells.
    pub fn grille(&self) -> &Grille {
        &self.grille
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
                    assert!(!dit || !disque.loin(p), "{p:?} {rayon} m of {centre:?}");
                }
                assert!(!disque.contient(Point::default()) && disque.loin(Point::default()));
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
                let alentour = p.grille().alentour(centre, rayon, false);
                for r in 0..3000 {
                    assert!(
                        alentour.contains(r) || p.point(r, false).distance(centre) > rayon,
                        "{centre:?} {rayon} {r}"
                    );
                }
                assert!(!alentour.contains(5000));
            }
        }
        // The centre of a commune is near that of another one, and near nothing else.
        let wallis = Point { lat: -13.3, lon: -176.2 };
        let trouves = |p: &Positions, par_commune: bool| {
            let mut n = 0;
            p.dedans(&[Disque::nouveau(wallis, 2_000.0)], par_commune, &[6000], |_| n += 1);
            let alentour = p.grille().alentour(wallis, 2_000.0, par_commune);
            (n == 1, alentour.contains(6000), p.point(6000, par_commune).lat.is_finite())
        };
        assert!(p.poser(6000, Point { lat: -13.301, lon: -176.2 }.de_commune()).is_some());
        assert_eq!((trouves(&p, true), trouves(&p, false)), ((true, true, true), (false, false, false)));
        assert!(p.point(6000, true).distance(wallis) < 150.0);
        // Its own position takes its place, in a cell of another kind.
        assert!(p.poser(6000, Point { lat: -13.301, lon: -176.2 }).is_some());
        assert_eq!((trouves(&p, true), trouves(&p, false)), ((true, true, true), (true, true, true)));
        let paris = Point { lat: 48.8566, lon: 2.3522 };
        let lyon = Point { lat: 45.764, lon: 4.8357 };
        assert!((paris.distance(lyon) - 391_500.0).abs() < 1_000.0);
    }
}
