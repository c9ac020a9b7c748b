//! A thousandth of the country and a little more, as a whole.

use std::collections::{BTreeMap, BTreeSet};

use ror_domaine::ressource::Ressource as _;
use ror_proto::{offers::v1::offer, structures::v1::structure};

use super::*;

const ECHELLE: f64 = 0.002;

fn lire(graine: u64) -> Result<Vec<Fiche>, Error> {
    let mut toutes = Vec::new();
    parcourir(graine, ECHELLE, |f| {
        toutes.push(f);
        Ok::<(), Error>(())
    })?;
    Ok(toutes)
}

fn cle(f: &Fiche) -> (&'static str, String) {
    let (genre, id) = match &f.ressource {
        Ressource::Identite(r) => (r.genre(), r.id()),
        Ressource::Structure(r) => (r.genre(), r.id()),
        Ressource::Offre(r) => (r.genre(), r.id()),
        Ressource::Capacite(r) => (r.genre(), r.id()),
    };
    (genre.unwrap_or_default(), id.to_owned())
}

/// Kind and id of what a resource refers to; `porteur` is a site or an organisation of one.
fn references(f: &Fiche) -> Vec<(&'static str, String)> {
    match &f.ressource {
        Ressource::Structure(s) => match &s.ressource {
            Some(structure::Ressource::EntiteGeographique(e)) => {
                vec![("entite_juridique", e.entite_juridique_id.clone())]
            }
            Some(structure::Ressource::OrganisationInterne(o)) => {
                vec![("entite_geographique", o.entite_geographique_id.clone())]
            }
            _ => Vec::new(),
        },
        Ressource::Offre(o) => match &o.ressource {
            Some(offer::Ressource::Offre(o)) => {
                let lieux = o.lieux_ids.iter().map(|l| ("lieu", l.clone()));
                lieux.chain([("porteur", o.porteur_id.clone())]).collect()
            }
            Some(offer::Ressource::Situation(s)) => vec![
                ("professionnel", s.professionnel_id.clone()),
                ("offre", s.offre_id.clone()),
                ("entite_geographique", s.structure_id.clone()),
            ],
            _ => Vec::new(),
        },
        Ressource::Capacite(c) => vec![("lieu", c.id().to_owned())],
        Ressource::Identite(_) => Vec::new(),
    }
}

#[test]
fn each_resource_comes_once_after_what_it_refers_to() -> Result<(), Error> {
    let mut connues: BTreeSet<(&'static str, String)> = BTreeSet::new();
    for f in lire(11)? {
        for (genre, id) in references(&f) {
            let genres: &[&'static str] = match genre {
                "porteur" => &["entite_geographique", "organisation_interne"],
                "lieu" => &["lieu"],
                "offre" => &["offre"],
                "professionnel" => &["professionnel"],
                "entite_juridique" => &["entite_juridique"],
                _ => &["entite_geographique"],
            };
            assert!(genres.iter().any(|g| connues.contains(&(*g, id.clone()))), "{genre} {id}");
        }
        assert!(f.version > 0 && f.creation < f.maj && f.maj < AUJOURD_HUI * 86_400);
        assert!(connues.insert(cle(&f)), "{:?} twice", cle(&f));
    }
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_directory() -> Result<(), Error> {
    let (a, b, autre) = (lire(3)?, lire(3)?, lire(4)?);
    assert!(a == b);
    assert!(a != autre);
    Ok(())
}

#[test]
fn volumes_are_those_of_the_scale() -> Result<(), Error> {
    let mut comptes: BTreeMap<&'static str, f64> = BTreeMap::new();
    let (mut enregistrements, mut sensibles, mut activites) = (Vec::new(), 0.0, BTreeMap::new());
    for f in lire(5)? {
        *comptes.entry(cle(&f).0).or_default() += 1.0;
        if let Ressource::Capacite(c) = &f.ressource
            && let Some(ror_proto::capacity::v1::capacity::Ressource::CapaciteLieu(l)) = &c.ressource
        {
            enregistrements.push(l.enregistrements.len());
        }
        if let Ressource::Offre(o) = &f.ressource
            && let Some(offer::Ressource::Offre(o)) = &o.ressource
        {
            sensibles += f64::from(u8::from(o.unite_sensible));
            let activite = o.activites_operationnelles[0].code.clone();
            *activites.entry(activite).or_insert(0_u32) += 1;
        }
    }
    let n = |genre: &str| comptes.get(genre).copied().unwrap_or(0.0);
    let pres = |genre: &str, attendu: f64, ecart: f64| {
        assert!((n(genre) / attendu - 1.0).abs() < ecart, "{genre}: {} for {attendu}", n(genre));
    };
    pres("offre", 1_020.0, 0.001);
    pres("lieu", 1_100.0, 0.15);
    pres("professionnel", 1_800.0, 0.001);
    pres("situation", 2_000.0, 0.4);
    pres("organisation_interne", 120.0, 0.001);
    pres("entite_geographique", 194.0, 0.1);
    let part = n("capacite_lieu") / n("lieu");
    assert!((0.22..0.38).contains(&part), "{part}");
    assert!(enregistrements.iter().all(|n| (2..=8).contains(n)));
    assert!((0.005..0.05).contains(&(sensibles / n("offre"))), "{sensibles}");
    let premiere = activites.values().max().copied().unwrap_or(0);
    assert!(premiere > 40 && activites.len() > 50, "{premiere} of {}", activites.len());
    Ok(())
}
