//! Coordinates: text form and French national projection.

/// `1e-5` degrees as a decimal number of degrees, e.g. `-1.55360`.
pub fn degres(valeur: i64) -> String {
    let signe = if valeur < 0 { "-" } else { "" };
    let absolu = valeur.unsigned_abs();
    format!("{signe}{}.{:05}", absolu / 100_000, absolu % 100_000)
}

/// `1e-5` degrees as a floating number of degrees.
pub fn flottant(valeur: i64) -> f64 {
    valeur as f64 / 100_000.0
}

/// Metres (easting, northing) in the projection of the territory of a commune, for a
/// WGS84 position in `1e-5` degrees.
pub fn projeter(insee: &str, lat: i64, lon: i64) -> (f64, f64) {
    match insee.get(..3) {
        Some("971" | "972" | "977" | "978") => utm(lat, lon, -63.0),
        Some("973") => utm(lat, lon, -51.0),
        Some("974") => utm(lat, lon, 57.0),
        Some("975") => utm(lat, lon, -57.0),
        Some("976") => utm(lat, lon, 45.0),
        Some("986") => utm(lat, lon, -177.0),
        _ => lambert93(lat, lon),
    }
}

/// UTM metres around a central meridian, GRS80; false northing in the south.
fn utm(lat: i64, lon: i64, meridien: f64) -> (f64, f64) {
    const A: f64 = 6_378_137.0;
    const E2: f64 = 0.006_694_380_022_90;
    const K0: f64 = 0.9996;
    let phi = flottant(lat).to_radians();
    let (sinus, cosinus, tangente) = (phi.sin(), phi.cos(), phi.tan());
    let n = A / (1.0 - E2 * sinus * sinus).sqrt();
    let t = tangente * tangente;
    let c = E2 / (1.0 - E2) * cosinus * cosinus;
    let a = (flottant(lon) - meridien).to_radians() * cosinus;
    let m = A
        * ((1.0 - E2 / 4.0 - 3.0 * E2.powi(2) / 64.0 - 5.0 * E2.powi(3) / 256.0) * phi
            - (3.0 * E2 / 8.0 + 3.0 * E2.powi(2) / 32.0 + 45.0 * E2.powi(3) / 1024.0) * (2.0 * phi).sin()
            + (15.0 * E2.powi(2) / 256.0 + 45.0 * E2.powi(3) / 1024.0) * (4.0 * phi).sin()
            - (35.0 * E2.powi(3) / 3072.0) * (6.0 * phi).sin());
    let est = a + (1.0 - t + c) * a.powi(3) / 6.0 + (5.0 - 18.0 * t + t * t + 72.0 * c) * a.powi(5) / 120.0;
    let nord = a * a / 2.0
        + (5.0 - t + 9.0 * c + 4.0 * c * c) * a.powi(4) / 24.0
        + (61.0 - 58.0 * t + t * t) * a.powi(6) / 720.0;
    let sud = if lat < 0 { 10_000_000.0 } else { 0.0 };
    (K0 * n * est + 500_000.0, K0 * (m + n * tangente * nord) + sud)
}

/// Lambert-93 metres (easting, northing) of a WGS84 position given in `1e-5`
/// degrees.
pub fn lambert93(lat: i64, lon: i64) -> (f64, f64) {
    const N: f64 = 0.725_607_765_053_267;
    const C: f64 = 11_754_255.426_096;
    const E: f64 = 0.081_819_191_04;
    const XS: f64 = 700_000.0;
    const YS: f64 = 12_655_612.049_876;
    let phi = flottant(lat).to_radians();
    let sinus = phi.sin();
    let isometrique = sinus.atanh() - E * (E * sinus).atanh();
    let r = C * (-N * isometrique).exp();
    let gamma = N * (flottant(lon) - 3.0).to_radians();
    (XS + r * gamma.sin(), YS - r * gamma.cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_keep_their_sign() {
        assert_eq!(degres(4_721_840), "47.21840");
        assert_eq!(degres(-56_320), "-0.56320");
    }

    #[test]
    fn overseas_projections_match_published_points() {
        for (insee, lat, lon, est, nord) in [
            ("97101", 1_623_400, -6_152_874, 657_242.9, 1_795_384.4),
            ("97606", -1_279_172, 4_511_663, 512_658.2, 8_585_893.9),
        ] {
            let (x, y) = projeter(insee, lat, lon);
            assert!((x - est).abs() < 1.5 && (y - nord).abs() < 1.5, "{insee} {x} {y}");
        }
    }

    #[test]
    fn projection_matches_a_published_point() {
        // CH Fleyriat: 5.209181, 46.222286 is 870262.2, 6571540.8.
        let (x, y) = lambert93(4_622_229, 520_918);
        assert!((x - 870_262.2).abs() < 1.5, "{x}");
        assert!((y - 6_571_540.8).abs() < 1.5, "{y}");
    }
}
