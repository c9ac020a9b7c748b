//! Searches that SQL repeats on flattened rows: the same criteria, the same twenty ids.

use super::jeu::{Exemple, Jeu};
use crate::{charge::Tirage, facade::DIFFUSION, http::encoder};

/// Results of a page.
pub const RESULTATS: usize = 20;
/// Mean radius of the Earth, km.
const RAYON: f64 = 6371.0088;

/// Where an id stands among others in the façade's answers (FNV-1a, 64 bits), as a signed
/// number of the same order.
pub fn ordre(id: &str) -> i64 {
    let h =
        id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, o| (h ^ u64::from(o)).wrapping_mul(0x0100_0000_01b3));
    i64::from_ne_bytes((h ^ (1 << 63)).to_ne_bytes())
}

/// One search, in both languages.
#[derive(Clone, Debug)]
pub struct Recherche {
    /// Path and query.
    pub chemin: String,
    /// Condition over a row `o` of the offers.
    pub condition: String,
}

/// How many criteria, and a search made of what an offer says; none when it does not say it.
pub type Famille = fn(&Exemple) -> Option<Recherche>;

/// The families of searches, two to four criteria each.
pub const FAMILLES: [(&str, Famille); 4] = [
    ("activity, département", departement),
    ("activity, type, region", region),
    ("activity, mode, age within both bounds", age),
    ("activity within 15 km", rayon),
];

/// Searches of a family made of offers drawn, each once.
pub fn tirer(jeu: &Jeu, famille: Famille, nombre: usize, t: &mut Tirage) -> Vec<Recherche> {
    let mut toutes: Vec<Recherche> = Vec::new();
    for _ in 0..nombre * 20 {
        if toutes.len() == nombre {
            break;
        }
        if let Some(r) = famille(jeu.exemple(t))
            && toutes.iter().all(|autre| autre.chemin != r.chemin)
        {
            toutes.push(r);
        }
    }
    toutes
}

fn recherche(parametres: &[(&str, String)], condition: String) -> Option<Recherche> {
    let requete: Vec<String> = parametres.iter().map(|(nom, v)| format!("{nom}={}", encoder(v))).collect();
    let chemin = format!("{DIFFUSION}/HealthcareService?_count={RESULTATS}&{}", requete.join("&"));
    Some(Recherche { chemin, condition })
}

/// Tokens that a row must hold; they come from our own generator, without a quote.
fn jetons(jetons: &[(&str, &str)]) -> Option<String> {
    if jetons.iter().any(|(_, code)| code.is_empty() || !code.bytes().all(|o| o.is_ascii_alphanumeric())) {
        return None;
    }
    let textes: Vec<String> = jetons.iter().map(|(cle, code)| format!("'{cle}|{code}'")).collect();
    Some(format!("o.jetons @> array[{}]", textes.join(", ")))
}

fn departement(e: &Exemple) -> Option<Recherche> {
    let d = e.lieu.code_postal.get(..2)?;
    let condition = jetons(&[("s", e.activite()), ("d", d)])?;
    recherche(
        &[("specialty", e.activite().to_owned()), ("location.address-postalcode", d.to_owned())],
        condition,
    )
}

fn region(e: &Exemple) -> Option<Recherche> {
    let condition = jetons(&[("s", e.activite()), ("c", e.type_offre.as_str()), ("r", e.region.as_str())])?;
    recherche(
        &[
            ("specialty", e.activite().to_owned()),
            ("service-category", e.type_offre.clone()),
            ("_tag", e.region.clone()),
        ],
        condition,
    )
}

fn age(e: &Exemple) -> Option<Recherche> {
    let condition = jetons(&[("s", e.activite()), ("k", e.mode.as_str())])?;
    let borne = |prefixe: &str| format!("{prefixe}35|https://unitsofmeasure.org|a");
    recherche(
        &[
            ("specialty", e.activite().to_owned()),
            ("characteristic", e.mode.clone()),
            ("age-range-low", borne("le")),
            ("age-range-high", borne("ge")),
        ],
        format!("{condition} and o.age_bas <= 35 and o.age_haut >= 35"),
    )
}

fn rayon(e: &Exemple) -> Option<Recherche> {
    let (lat, lon) = e.lieu.position?;
    let condition = jetons(&[("s", e.activite())])?;
    let proche = proximite(lat, lon, 15.0);
    recherche(
        &[("specialty", e.activite().to_owned()), ("location.near", format!("{lat}|{lon}|15|km"))],
        format!("{condition} and exists (select 1 from lieu l where l.ordre = o.ordre and {proche})"),
    )
}

/// Within so many km on a sphere: the box first, which the GiST index finds, then the distance.
fn proximite(lat: f64, lon: f64, km: f64) -> String {
    // A little wider than the circle, so that rounding loses nothing.
    let dlat = (km / RAYON).to_degrees() * 1.001;
    let dlon = dlat / lat.to_radians().cos().max(0.01);
    format!(
        "l.place <@ box '(({},{}),({},{}))' and 2 * {RAYON} * asin(sqrt(least(1, \
         power(sin(radians(l.place[1] - {lat}) / 2), 2) + cos(radians({lat})) * cos(radians(l.place[1])) * \
         power(sin(radians(l.place[0] - {lon}) / 2), 2)))) <= {km}",
        lon - dlon,
        lat - dlat,
        lon + dlon,
        lat + dlat
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_unsigned_hash() {
        let h = |id: &str| {
            id.bytes()
                .fold(0xcbf2_9ce4_8422_2325_u64, |h, o| (h ^ u64::from(o)).wrapping_mul(0x0100_0000_01b3))
        };
        assert_eq!(h("a"), 0xaf63_dc4c_8601_ec8c, "the published vector");
        let mut ids: Vec<String> = (0..500).map(|i| format!("id-{i}")).collect();
        ids.sort_by_key(|id| h(id));
        assert!(ids.windows(2).all(|p| ordre(&p[0]) < ordre(&p[1])));
    }

    #[test]
    fn an_offer_that_lacks_a_criterion_makes_no_search() {
        let mut e = Exemple { activites: vec!["013".into()], mode: "28".into(), ..Exemple::default() };
        assert!(departement(&e).is_none() && region(&e).is_none() && rayon(&e).is_none());
        e.lieu.code_postal = "44000".into();
        let r = departement(&e).unwrap();
        assert!(r.chemin.ends_with("specialty=013&location.address-postalcode=44"), "{}", r.chemin);
        assert_eq!(r.condition, "o.jetons @> array['s|013', 'd|44']");
        e.mode = "2'8".into();
        assert!(age(&e).is_none(), "nothing that SQL would read");
    }
}
