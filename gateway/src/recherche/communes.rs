//! Centres of communes, for distances from one of them.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;

use crate::modele::Point;

/// INSEE code, latitude, longitude; the notice says where they come from.
const TABLE: &str = include_str!("../../data/communes.tsv");

static CENTRES: LazyLock<HashMap<&'static str, Point, RandomState>> = LazyLock::new(|| {
    let ligne = |l: &'static str| {
        let mut c = l.split('\t');
        let (code, lat, lon) = (c.next()?, c.next()?.parse().ok()?, c.next()?.parse().ok()?);
        Some((code, Point { lat, lon }))
    };
    TABLE.lines().filter_map(ligne).collect()
});

/// Centre of a commune by its INSEE code; `None` when the table does not hold it.
pub fn centre(code: &str) -> Option<Point> {
    CENTRES.get(code).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn communes_lie_where_they_are() {
        let nantes = centre("44109").unwrap();
        assert!(nantes.distance(Point { lat: 47.218, lon: -1.554 }) < 5_000.0, "{nantes:?}");
        assert!(centre("97411").is_some_and(|p| p.lat < -20.0), "Saint-Denis de La Réunion");
        assert!(centre("00000").is_none());
        assert!(CENTRES.len() > 34_900);
    }
}
