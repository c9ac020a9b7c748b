//! From the national projections to WGS84.
//!
//! The national datums are taken as WGS84: the difference is below 1 m.

use proj4rs::Proj;
use proj4rs::transform::transform;
use ror_proto::common::v1::Position;

/// EPSG code and definition of each projection FINESS uses.
const DEFINITIONS: &[(u32, &str)] = &[
    (
        2154,
        "+proj=lcc +lat_0=46.5 +lon_0=3 +lat_1=49 +lat_2=44 +x_0=700000 +y_0=6600000 +ellps=GRS80 \
         +towgs84=0,0,0,0,0,0,0 +units=m +no_defs",
    ),
    (2972, "+proj=utm +zone=22 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
    (2975, "+proj=utm +zone=40 +south +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
    (4467, "+proj=utm +zone=21 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
    (4471, "+proj=utm +zone=38 +south +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
    (4559, "+proj=utm +zone=20 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
    (5490, "+proj=utm +zone=20 +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
    (8903, "+proj=utm +zone=1 +south +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +units=m +no_defs"),
];

const WGS84: &str = "+proj=longlat +ellps=GRS80 +towgs84=0,0,0,0,0,0,0 +no_defs";

/// Labels of the editions before 2022, which gave no EPSG number.
const LIBELLES: &[(&str, u32)] = &[
    ("LAMBERT_93", 2154),
    ("UTM_N20", 5490),
    ("UTM_N21", 4467),
    ("UTM_N22", 2972),
    ("UTM_S38", 4471),
    ("UTM_S40", 2975),
];

thread_local! {
    /// Read once a thread: a definition costs more than a point.
    static PROJECTIONS: Vec<(u32, Proj)> = DEFINITIONS
        .iter()
        .filter_map(|(epsg, texte)| Proj::from_proj_string(texte).ok().map(|lue| (*epsg, lue)))
        .collect();
    static GEOGRAPHIQUE: Option<Proj> = Proj::from_proj_string(WGS84).ok();
}

/// WGS84 position of a point in metres, rounded to 7 decimals (about 1 cm) so that
/// it is the same on every machine. None when the projection is not one of FINESS
/// or the point is outside its domain. `fiable` is left to the caller.
pub fn vers_wgs84(epsg: u32, x: f64, y: f64) -> Option<Position> {
    let mut point = (x, y, 0.0);
    PROJECTIONS.with(|projections| {
        GEOGRAPHIQUE.with(|geographique| {
            let (_, source) = projections.iter().find(|(code, _)| *code == epsg)?;
            transform(source, geographique.as_ref()?, &mut point).ok()
        })
    })?;
    let (longitude, latitude) = (arrondir(point.0.to_degrees()), arrondir(point.1.to_degrees()));
    let possible = longitude.abs() <= 180.0 && latitude.abs() <= 90.0;
    possible.then_some(Position { latitude, longitude, fiable: None })
}

fn arrondir(degres: f64) -> f64 {
    (degres * 1e7).round() / 1e7
}

/// True when [`vers_wgs84`] knows the projection.
pub fn connue(epsg: u32) -> bool {
    DEFINITIONS.iter().any(|(code, _)| *code == epsg)
}

/// EPSG number of the projection in a `sourcecoordet`: the number when there is
/// one (its label is free text), else the label of the older editions.
pub fn epsg(source: &str) -> Option<u32> {
    if let Some((_, apres)) = source.split_once("EPSG:") {
        let chiffres: String = apres.trim_start().chars().take_while(char::is_ascii_digit).collect();
        return chiffres.parse().ok();
    }
    source
        .split([',', ';'])
        .find_map(|morceau| LIBELLES.iter().find(|(libelle, _)| *libelle == morceau.trim()))
        .map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: f64 = 0.000_005;

    fn verifier(epsg: u32, x: f64, y: f64, longitude: f64, latitude: f64) {
        let lue = vers_wgs84(epsg, x, y).unwrap();
        assert!((lue.longitude - longitude).abs() < TOLERANCE, "{epsg} {x} {y} : {lue:?}");
        assert!((lue.latitude - latitude).abs() < TOLERANCE, "{epsg} {x} {y} : {lue:?}");
    }

    #[test]
    fn every_definition_is_understood() {
        for (epsg, _) in DEFINITIONS {
            assert!(vers_wgs84(*epsg, 500_000.0, 6_000_000.0).is_some(), "{epsg}");
            assert!(connue(*epsg));
        }
        assert_eq!(vers_wgs84(4326, 2.0, 48.0), None);
        assert!(!connue(4326));
        assert_eq!(vers_wgs84(2154, f64::NAN, 1.0), None);
    }

    #[test]
    fn known_points_are_found_in_every_territory() {
        verifier(2154, 700_000.0, 6_600_000.0, 3.0, 46.5);
        verifier(2154, 652_297.0, 6_861_636.0, 2.349_900, 48.852_997);
        verifier(2154, 870_262.2, 6_571_540.8, 5.209_181, 46.222_286);
        verifier(5490, 657_242.9, 1_795_384.4, -61.528_737, 16.234_004);
        verifier(4559, 708_000.0, 1_616_000.0, -61.069_034, 14.609_319);
        verifier(2972, 352_969.1, 545_868.9, -52.326_1, 4.937_2);
        verifier(2975, 338_647.6, 7_688_727.0, 55.448_7, -20.894_7);
        verifier(4467, 562_872.2, 5_180_935.0, -56.176_4, 46.779);
        verifier(4471, 512_658.2, 8_585_893.9, 45.116_632, -12.791_722);
        verifier(8903, 589_419.1, 8_531_574.9, -176.174_5, -13.281_6);
    }

    #[test]
    fn the_number_is_read_before_the_label() {
        let cas = [
            ("1,ATLASANTE,96,BAN,EPSG:2154 RGF93 / Lambert-93 (Métropole)", Some(2154)),
            ("2,ATLASANTE,96,BAN,EPSG:5490 LAMBERT_93", Some(5490)),
            ("2,ATLASANTE,96,BAN,EPSG: 8903", Some(8903)),
            ("1,ATLASANTE,100,IGN,BD_ADRESSE,V2.2,LAMBERT_93", Some(2154)),
            ("1;ATLASANTE;100;IGN;BD_ADRESSE;V2.1;UTM_N20", Some(5490)),
            ("3,ATLASANTE,61,IGN,BD_ADRESSE,V2.2,UTM_S38 ", Some(4471)),
            ("1,ATLASANTE,96,BAN,EPSG:", None),
            ("1,ATLASANTE,96,BAN", None),
            ("", None),
        ];
        for (source, attendu) in cas {
            assert_eq!(epsg(source), attendu, "{source}");
        }
    }
}
