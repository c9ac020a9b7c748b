//! Distances on the sphere, and the centres of the communes.

use std::{collections::BTreeMap, path::Path};

use super::{
    index::{Contexte, Index, Ligne},
    parametres::{Genre, parametre},
    requete::Centre,
    valeurs::Valeur,
};

/// Mean radius of the Earth, in metres.
const RAYON: f64 = 6_371_008.8;

/// Metres that an engine with coarser coordinates may be off by: questions that hang on less are
/// not asked, orders and distances that differ by less are not faults.
pub const MARGE: f64 = 5.0;

/// Great-circle distance in metres between two points in degrees.
pub fn distance(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat1, lat2) = (a.0.to_radians(), b.0.to_radians());
    let (dlat, dlon) = ((lat2 - lat1) / 2.0, (b.1 - a.1).to_radians() / 2.0);
    let h = dlat.sin().powi(2) + lat1.cos() * lat2.cos() * dlon.sin().powi(2);
    2.0 * RAYON * h.sqrt().min(1.0).asin()
}

/// Where a circle is drawn around.
pub fn centre(centre: &Centre, contexte: &Contexte) -> Option<(f64, f64)> {
    match centre {
        Centre::Point(lat, lon) => Some((lat.parse().ok()?, lon.parse().ok()?)),
        Centre::Commune(code) => contexte.communes.get(code).copied(),
    }
}

/// Where a place stands: seen from a commune, one without position is at the centre of its own.
pub fn lieu(ligne: &Ligne, vu_de: &Centre, contexte: &Contexte) -> Option<(f64, f64)> {
    let rang = parametre(Genre::Location, "commune-cog").rang();
    let commune = || match (vu_de, ligne.valeurs.get(rang)?.first()?) {
        (Centre::Commune(_), Valeur::Code { code, .. }) => contexte.communes.get(code).copied(),
        _ => None,
    };
    ligne.position.or_else(commune)
}

impl Index {
    /// Metres from a point or a commune to a place.
    pub fn metres(&self, depuis: &Centre, ligne: &Ligne) -> Option<f64> {
        let depart = centre(depuis, &self.contexte)?;
        lieu(ligne, depuis, &self.contexte).map(|arrivee| distance(depart, arrivee))
    }
}

/// The table of communes: code, latitude, longitude; several lines of a code give their mean. None
/// when there is no file.
pub fn communes(fichier: &Path) -> BTreeMap<String, (f64, f64)> {
    let mut sommes: BTreeMap<String, (f64, f64, f64)> = BTreeMap::new();
    for ligne in std::fs::read_to_string(fichier).unwrap_or_default().lines() {
        let mut colonnes = ligne.split('\t');
        let code = colonnes.next().unwrap_or_default();
        let mut nombre = || colonnes.next()?.trim().parse::<f64>().ok();
        // A heading or a comment has no numbers.
        if let (Some(lat), Some(lon)) = (nombre(), nombre()) {
            let somme = sommes.entry(code.to_owned()).or_default();
            *somme = (somme.0 + lat, somme.1 + lon, somme.2 + 1.0);
        }
    }
    sommes.into_iter().map(|(code, (lat, lon, n))| (code, (lat / n, lon / n))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_sphere() {
        let degre = distance((0.0, 0.0), (0.0, 1.0));
        assert!((degre - 111_195.08).abs() < 0.1, "{degre}");
        // Nantes to Angers, and to the other side of the Earth.
        let angers = distance((47.2184, -1.5536), (47.4784, -0.5632));
        assert!((79_000.0..81_500.0).contains(&angers), "{angers}");
        assert!((distance((0.0, 0.0), (0.0, 180.0)) - 20_015_114.0).abs() < 20.0);
        assert!(distance((47.0, 2.0), (47.0, 2.0)).abs() < f64::EPSILON);
    }
}
