//! Addresses, read back from the extensions of their line.

use ror_proto::common::v1::{Adresse, Faute, Position};

use super::communs::{code_de, coding, complexe, exiger, ext_booleen, ext_texte, valeur};
use super::outils::{Extensions, Noeud};
use crate::fhir::canoniques as c;

/// An address with what its extensions carry.
#[derive(Default)]
pub(super) struct AdresseLue {
    /// The postal parts; absent when there are none.
    pub(super) adresse: Option<Adresse>,
    /// INSEE code of the commune.
    pub(super) commune: String,
    /// Position.
    pub(super) position: Option<Position>,
}

/// Reads the address member. Only the address of a structure carries commune and position.
pub(super) fn adresse(n: &Noeud<'_>, structure: bool, f: &mut Vec<Faute>) -> AdresseLue {
    let mut lue = AdresseLue::default();
    // Organization.address is a list in FHIR R4, of one at most here; Location.address is not.
    let lu = if structure { n.seul_objet("address", f) } else { n.objet("address", f) };
    let Some(a) = lu else { return lue };
    a.borner(&["id", "extension", "line", "_line", "city", "postalCode"], f);
    let mut e = Extensions::de(&a, f);
    if structure {
        lue.commune = commune(&mut e, f);
        lue.position = position(&mut e, f);
    }
    e.fin(f);
    let mut adresse = Adresse::default();
    for ligne in a.objets_ou_nul("_line", f) {
        ligne.borner(&["id", "extension"], f);
        let mut e = Extensions::de(&ligne, f);
        parties(&mut adresse, &mut e, f);
        e.fin(f);
    }
    let lignes = a.textes("line", f);
    if adresse == Adresse::default() {
        // A line without parts is kept whole as the street.
        adresse.libelle_voie = lignes.join(", ");
    }
    adresse.localite = a.texte("city", f);
    adresse.code_postal = a.texte("postalCode", f);
    lue.adresse = (adresse != Adresse::default()).then_some(adresse);
    lue
}

fn parties(adresse: &mut Adresse, e: &mut Extensions<'_>, f: &mut Vec<Faute>) {
    let cases = [
        (c::EXT_ADXP_CARE_OF, &mut adresse.point_remise),
        (c::EXT_ADXP_ADDITIONAL_LOCATOR, &mut adresse.complement_point_geographique),
        (c::EXT_ADXP_HOUSE_NUMBER, &mut adresse.numero_voie),
        (c::EXT_ADXP_BUILDING_NUMBER_SUFFIX, &mut adresse.extension),
        (c::EXT_ADXP_STREET_NAME_TYPE, &mut adresse.type_voie),
        (c::EXT_ADXP_STREET_NAME_BASE, &mut adresse.libelle_voie),
        (c::EXT_ADXP_POST_BOX, &mut adresse.mention_distribution),
        (c::EXT_LIEU_DIT, &mut adresse.lieu_dit),
    ];
    for (url, case) in cases {
        let texte = ext_texte(e, url, f);
        if !texte.is_empty() {
            *case = texte;
        }
    }
}

fn commune(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> String {
    for url in [c::EXT_INSEE, c::EXT_INSEE_ANCIEN] {
        let lue = valeur(e, url, "valueCoding", f).and_then(|n| n.objet("valueCoding", f));
        if let Some(n) = lue {
            let code = coding(&n, f).map(|code| code_de(code, c::TRE_R13, &n.sous("system"), f));
            return code.unwrap_or_default();
        }
    }
    String::new()
}

fn position(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Option<Position> {
    let mut sous = complexe(e, c::EXT_GEOLOCATION, f)?;
    let latitude = decimal(&mut sous, "latitude", f);
    let longitude = decimal(&mut sous, "longitude", f);
    let fiable = ext_booleen(&mut sous, c::EXT_GEO_FIABLE_ADRESSE, f);
    sous.fin(f);
    Some(Position { latitude: latitude?, longitude: longitude?, fiable })
}

fn decimal(e: &mut Extensions<'_>, url: &str, f: &mut Vec<Faute>) -> Option<f64> {
    let n = valeur(e, url, "valueDecimal", f)?;
    n.decimal("valueDecimal", f)
}

/// Reads Location.position.
pub(super) fn position_native(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<Position> {
    let p = n.objet("position", f)?;
    p.borner(&["id", "extension", "longitude", "latitude"], f);
    let mut e = Extensions::de(&p, f);
    let fiable = ext_booleen(&mut e, c::EXT_GEO_FIABLE_LIEU, f);
    e.fin(f);
    exiger(&p, "latitude", f);
    exiger(&p, "longitude", f);
    let (latitude, longitude) = (p.decimal("latitude", f), p.decimal("longitude", f));
    Some(Position { latitude: latitude?, longitude: longitude?, fiable })
}
