//! The regions and their leases: the aggregate the other services follow.

use bytes::Bytes;
use prost::Message;
use ror_chassis::{Erreur, Resultat, conversion::horodatage, magasin::Ligne};
use ror_proto::{
    bascule::v1::Region,
    common::v1::{Bail, Canal, Meta},
};

use super::{Domaine, plafond::Plafond};

/// Kind of the aggregate.
pub const GENRE: &str = "region";

/// The 18 regions by INSEE code.
pub const REGIONS: [(&str, &str); 18] = [
    ("01", "Guadeloupe"),
    ("02", "Martinique"),
    ("03", "Guyane"),
    ("04", "La Réunion"),
    ("06", "Mayotte"),
    ("11", "Île-de-France"),
    ("24", "Centre-Val de Loire"),
    ("27", "Bourgogne-Franche-Comté"),
    ("28", "Normandie"),
    ("32", "Hauts-de-France"),
    ("44", "Grand Est"),
    ("52", "Pays de la Loire"),
    ("53", "Bretagne"),
    ("75", "Nouvelle-Aquitaine"),
    ("76", "Occitanie"),
    ("84", "Auvergne-Rhône-Alpes"),
    ("93", "Provence-Alpes-Côte d'Azur"),
    ("94", "Corse"),
];

/// Name of a region; `None` outside the 18.
pub fn nom(code: &str) -> Option<&'static str> {
    REGIONS.iter().find(|(c, _)| *c == code).map(|(_, n)| *n)
}

/// A region as it begins: its regional ROR writes, at the first epoch.
pub fn nouvelle(code: &str, plafond: Plafond) -> Region {
    let bail = |d: Domaine| Bail {
        region: code.to_owned(),
        domaine: d.nom().to_owned(),
        ecrivain: Canal::Regional as i32,
        epoque: 1,
    };
    Region {
        meta: Some(Meta { id: code.to_owned(), region: code.to_owned(), ..Default::default() }),
        code: code.to_owned(),
        baux: Domaine::TOUS.map(bail).to_vec(),
        plafond: plafond.nom().to_owned(),
    }
}

/// The lease in force of one domain.
pub fn bail(r: &Region, domaine: Domaine) -> Resultat<&Bail> {
    r.baux
        .iter()
        .find(|b| b.domaine == domaine.nom())
        .ok_or_else(|| Erreur::interne(format!("region {} without lease {}", r.code, domaine.nom())))
}

/// Puts a lease in the place of the former one.
pub fn poser(r: &mut Region, nouveau: &Bail) {
    for b in r.baux.iter_mut().filter(|b| b.domaine == nouveau.domaine) {
        *b = nouveau.clone();
    }
}

/// State kept by the store: without version and date, which are its columns.
pub fn etat(r: &Region) -> Bytes {
    let mut r = r.clone();
    if let Some(m) = r.meta.as_mut() {
        m.version = 0;
        m.date_maj = None;
    }
    r.encode_to_vec().into()
}

/// Back from the store, version and date set.
pub fn depuis(l: &Ligne) -> Resultat<Region> {
    let mut r = Region::decode(l.etat.clone())?;
    let m = r.meta.get_or_insert_default();
    m.version = l.version;
    m.date_maj = Some(horodatage(l.maj_le));
    Ok(r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_begins_with_its_regional_writer_and_a_lease_replaces_its_own_domain() {
        let mut r = nouvelle("52", Plafond::Closed);
        let nouveau = Bail {
            ecrivain: Canal::National as i32,
            epoque: 3,
            ..bail(&r, Domaine::Capacite).unwrap().clone()
        };
        poser(&mut r, &nouveau);
        assert_eq!(bail(&r, Domaine::Capacite).unwrap(), &nouveau);
        let autre = bail(&r, Domaine::Description).unwrap();
        assert_eq!((autre.ecrivain(), autre.epoque), (Canal::Regional, 1));
        assert_eq!(Region::decode(etat(&r)).unwrap(), r);
    }

    #[test]
    fn the_codes_are_in_order_and_named() {
        assert!(REGIONS.windows(2).all(|p| p[0].0 < p[1].0));
        assert_eq!(nom("52"), Some("Pays de la Loire"));
        assert_eq!(nom("13"), None);
    }
}
