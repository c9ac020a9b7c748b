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
    fn projection_matches_a_published_point() {
        // CH Fleyriat: 5.209181, 46.222286 is 870262.2, 6571540.8.
        let (x, y) = lambert93(4_622_229, 520_918);
        assert!((x - 870_262.2).abs() < 1.5, "{x}");
        assert!((y - 6_571_540.8).abs() < 1.5, "{y}");
    }
}
