//! Positions, from the national projections.

use ror_domaine::territoire::departement_de_commune;
use ror_proto::common::v1::Position;

use super::super::fiche::Champs;
use super::super::finess_plus::plausible;
use super::super::projections::{connue, epsg, vers_wgs84};

/// Score of the geocoding, of 100, from which a position is taken as reliable.
const SCORE_FIABLE: u32 = 80;

/// Reads a position in metres. None, with a word, when it is absent (0 means so),
/// unreadable, in an unknown projection, or outside the territory of its commune.
pub(super) fn lire_position(champs: &mut Champs<'_>, commune: &str) -> Option<Position> {
    let (x, y) = (lire_metres(champs, "coordxet"), lire_metres(champs, "coordyet"));
    let source = champs.texte("sourcecoordet");
    let (Ok(x), Ok(y)) = (x, y) else {
        champs.constater("coordonnees-illisibles");
        return None;
    };
    if x == 0.0 || y == 0.0 {
        champs.constater("coordonnees-absentes");
        return None;
    }
    let Some(epsg) = epsg(&source).filter(|epsg| connue(*epsg)) else {
        champs.constater("projection-inconnue");
        return None;
    };
    let departement = departement_de_commune(commune);
    let lue = vers_wgs84(epsg, x, y).filter(|lue| plausible(departement, lue.longitude, lue.latitude));
    let Some(position) = lue else {
        champs.constater("coordonnees-hors-limites");
        return None;
    };
    Some(Position { fiable: score(&source).map(|score| score >= SCORE_FIABLE), ..position })
}

/// A number of metres, 0 when absent.
fn lire_metres(champs: &mut Champs<'_>, nom: &str) -> Result<f64, ()> {
    let texte = champs.texte(nom).replace(',', ".");
    if texte.is_empty() {
        return Ok(0.0);
    }
    texte.parse().ok().filter(|lu: &f64| lu.is_finite()).ok_or(())
}

/// The third piece of a source: `1,ATLASANTE,96,BAN,…`.
fn score(source: &str) -> Option<u32> {
    source.split(',').nth(2).and_then(|morceau| morceau.trim().parse().ok())
}
