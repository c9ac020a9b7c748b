//! What is sown is what the services would have taken.

use std::collections::BTreeMap;

use ror_capacity::domaine::Capacites;
use ror_chassis::conversion::maintenant;
use ror_demo::repertoire::{Fiche, Ressource, parcourir};
use ror_domaine::{references::Connues, ressource::Ressource as Union, vocabulaire::Vocabulaire};
use ror_proto::{
    capacity::v1::capacity,
    common::v1::{Canal, Faute, Provenance},
    structures::v1::structure,
};
use tokio::sync::mpsc;

use super::rangees::{Lots, Table};

fn toutes() -> Vec<Fiche> {
    let mut toutes = Vec::new();
    parcourir(2026, 0.002, |f| {
        toutes.push(f);
        anyhow::Ok(())
    })
    .unwrap();
    toutes
}

fn connaitre<R: Union>(connues: &mut Connues, r: &R) {
    let region = r.meta().unwrap().region.clone();
    connues.insert(r.id().to_owned(), (r.genre().unwrap().to_owned(), region));
}

#[test]
fn the_domains_take_everything() {
    let nomenclatures = ror_nomenclatures::donnees::embarquees().unwrap();
    let tables = Vocabulaire::fixe(&nomenclatures).tables();
    let mut connues = Connues::new();
    let mut fautes: BTreeMap<(String, String), (u32, String)> = BTreeMap::new();
    let mut noter = |lues: Vec<Faute>| {
        for f in lues {
            let vue = fautes.entry((f.element, f.regle)).or_insert((0, f.message));
            vue.0 += 1;
        }
    };
    let provenance = |region: &str, canal: Canal| Provenance {
        region: region.to_owned(),
        canal: canal as i32,
        ..Provenance::default()
    };
    for f in toutes() {
        match &f.ressource {
            Ressource::Identite(r) => connaitre(&mut connues, r),
            Ressource::Structure(r) => {
                let interne = matches!(&r.ressource, Some(structure::Ressource::OrganisationInterne(_)));
                let canal = if interne { Canal::National } else { Canal::Referentiel };
                let p = provenance(&r.meta().unwrap().region, canal);
                if let Err(lues) = ror_structures::domaine::verifier(r, None, &p, &tables, &connues) {
                    noter(lues);
                }
                connaitre(&mut connues, r);
            }
            Ressource::Offre(r) => {
                let p = provenance(&r.meta().unwrap().region, Canal::National);
                let sites = Default::default();
                if let Err(lues) = ror_offers::domaine::verifier(r, None, &p, &tables, &connues, &sites) {
                    noter(lues);
                }
                connaitre(&mut connues, r);
            }
            Ressource::Capacite(r) => {
                let p = provenance(&r.meta().unwrap().region, Canal::National);
                let Some(capacity::Ressource::CapaciteLieu(l)) = r.ressource.clone() else { unreachable!() };
                if let Err(lues) = Capacites::valider(l, &p, &tables, &connues, maintenant()) {
                    noter(lues);
                }
            }
        }
    }
    assert!(fautes.is_empty(), "{fautes:#?}");
}

#[test]
fn every_resource_becomes_a_row_and_every_structure_two() {
    let (envoi, mut reception) = mpsc::channel(64);
    let fil = std::thread::spawn(move || {
        let mut lots = Lots::nouveau(envoi);
        let mut structures = 0_u64;
        for f in toutes() {
            structures += u64::from(matches!(f.ressource, Ressource::Structure(_)));
            lots.ajouter(f).unwrap();
        }
        (structures, lots.finir().unwrap())
    });
    let mut tables = Vec::new();
    while let Some(p) = reception.blocking_recv() {
        assert!(!p.copie.est_vide());
        tables.push(p.table);
    }
    let (structures, comptes) = fil.join().unwrap();
    let compte = |genres: &[&str]| genres.iter().filter_map(|g| comptes.get(*g)).sum::<u64>();
    assert_eq!(compte(&["entite_juridique", "entite_geographique", "organisation_interne"]), structures);
    assert!(compte(&["offre"]) > 1_000 && compte(&["capacite_lieu"]) > 100);
    for attendue in [Table::Structure, Table::Agregat(super::Schema::Capacity)] {
        assert!(tables.contains(&attendue), "{attendue:?} in {tables:?}");
    }
}
