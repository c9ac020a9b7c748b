use std::slice::from_ref;

use ror_proto::common::v1::{Adresse, Meta};
use ror_proto::identity::v1::EvenementFiness;

use super::*;

fn site(finess: &str, siret: &str, voie: &str) -> StructureFiness {
    StructureFiness {
        meta: Some(Meta { id: format!("id-{finess}"), ..Meta::default() }),
        num_finess: finess.to_owned(),
        siret: siret.to_owned(),
        denomination: format!("SITE {finess}"),
        categorie: "355".to_owned(),
        commune_cog: "01451".to_owned(),
        adresse: Some(Adresse {
            numero_voie: "12".to_owned(),
            libelle_voie: voie.to_owned(),
            ..Adresse::default()
        }),
        ..StructureFiness::default()
    }
}

fn ferme(date: &str, site: StructureFiness) -> StructureFiness {
    StructureFiness { type_fermeture: "DEF".to_owned(), date_fermeture: date.to_owned(), ..site }
}

fn ouvert(date: &str, site: StructureFiness) -> StructureFiness {
    StructureFiness { date_ouverture: date.to_owned(), ..site }
}

fn nombre(ancien: StructureFiness, nouveau: StructureFiness) -> usize {
    proposer(&[ancien], &[nouveau]).len()
}

#[test]
fn the_same_siret_is_enough_and_says_why() {
    let ancien = ferme("2026-09-30", site("010000001", "99000101800128", "FICTIVE"));
    let nouveau = ouvert("2026-10-01", site("010000002", "99000101800128", "AUTRE"));
    let propositions = proposer(&[ancien], &[nouveau]);
    assert_eq!(propositions.len(), 1);
    let proposition = &propositions[0];
    assert_eq!((proposition.ancien.as_str(), proposition.nouveau.as_str()), ("010000001", "010000002"));
    assert!((proposition.score - 0.55).abs() < 1e-9, "{}", proposition.score);
    assert_eq!(
        proposition.preuves,
        [
            "Même SIRET : 99000101800128.",
            "Fermeture le 2026-09-30, création le 2026-10-01 : 1 jour(s) d'écart."
        ]
    );
    let anomalie = proposition.anomalie();
    assert_eq!(anomalie.regle, "successeur-presume");
    assert_eq!(anomalie.ressource_id, "id-010000001");
    assert_eq!((anomalie.valeur_connue.as_str(), anomalie.valeur_recue.as_str()), ("010000001", "010000002"));
}

#[test]
fn the_same_address_and_category_is_enough_whatever_the_spelling() {
    let ancien = ferme("2026-09-30", site("010000001", "", "DE L'ÉTANG-NEUF"));
    let nouveau = ouvert("2026-09-30", site("010000002", "99000101800128", "De l'etang neuf"));
    assert!((proposer(from_ref(&ancien), from_ref(&nouveau))[0].score - 0.4).abs() < 1e-9);
    let autre = StructureFiness { categorie: "500".to_owned(), ..nouveau.clone() };
    assert_eq!(nombre(ancien.clone(), autre), 0);
    let ailleurs = StructureFiness { commune_cog: "01053".to_owned(), ..nouveau };
    assert_eq!(nombre(ancien, ailleurs), 0);
}

#[test]
fn everything_alike_is_certain_and_the_best_comes_first() {
    let nomme = |site: StructureFiness| StructureFiness { denomination: "CH".to_owned(), ..site };
    let ancien = ferme("2026-10-01", nomme(site("010000001", "99000101800128", "FICTIVE")));
    let meme = ouvert("2026-10-01", nomme(site("010000003", "99000101800128", "FICTIVE")));
    let voisin = ouvert("2026-10-01", site("010000002", "", "FICTIVE"));
    let propositions = proposer(&[ancien], &[voisin, meme]);
    let nouveaux: Vec<&str> = propositions.iter().map(|p| p.nouveau.as_str()).collect();
    assert_eq!(nouveaux, ["010000003", "010000002"]);
    assert!((propositions[0].score - 1.0).abs() < 1e-9);
    assert!(propositions.iter().all(|p| (0.0..=1.0).contains(&p.score)));
}

#[test]
fn sixty_days_and_no_more() {
    let ancien = ferme("2026-08-02", site("010000001", "99000101800128", "FICTIVE"));
    let a = |date: &str| ouvert(date, site("010000002", "99000101800128", "FICTIVE"));
    assert_eq!(nombre(ancien.clone(), a("2026-10-01")), 1);
    assert_eq!(nombre(ancien.clone(), a("2026-10-02")), 0);
    assert_eq!(nombre(ancien.clone(), a("2026-06-03")), 1, "created before");
    assert_eq!(nombre(ancien.clone(), a("")), 0);
    assert_eq!(nombre(ancien, a("2026-02-30")), 0, "not a date");
}

#[test]
fn the_creation_event_dates_the_creation() {
    let ancien = ferme("2026-10-01", site("010000001", "99000101800128", "FICTIVE"));
    let mut nouveau = ouvert("1985-05-05", site("010000002", "99000101800128", "FICTIVE"));
    assert_eq!(nombre(ancien.clone(), nouveau.clone()), 0);
    nouveau.evenements.push(EvenementFiness {
        code: "003".to_owned(),
        date: "2026-10-03".to_owned(),
        ..EvenementFiness::default()
    });
    assert_eq!(nombre(ancien, nouveau), 1);
}

#[test]
fn only_sites_closed_for_good_and_open_sites_are_paired() {
    let ancien = ferme("2026-10-01", site("010000001", "99000101800128", "FICTIVE"));
    let nouveau = ouvert("2026-10-01", site("010000002", "99000101800128", "FICTIVE"));
    assert_eq!(nombre(ancien.clone(), nouveau.clone()), 1);
    let provisoire = StructureFiness { type_fermeture: "PRO".to_owned(), ..ancien.clone() };
    assert_eq!(nombre(provisoire, nouveau.clone()), 0);
    let entite = StructureFiness { entite_juridique: true, ..ancien.clone() };
    assert_eq!(nombre(entite, nouveau.clone()), 0);
    assert_eq!(nombre(ancien.clone(), ferme("2026-10-01", nouveau)), 0);
    let lui_meme = StructureFiness { type_fermeture: String::new(), ..ancien.clone() };
    assert_eq!(nombre(ancien, ouvert("2026-10-01", lui_meme)), 0);
}

#[test]
fn a_number_shared_by_too_many_sites_identifies_nothing() {
    let partage = |finess: String| site(&finess, "99999999999999", "FICTIVE");
    let anciens: Vec<StructureFiness> =
        (0..3_000).map(|n| ferme("2026-10-01", partage(format!("1{n:08}")))).collect();
    let nouveaux: Vec<StructureFiness> =
        (0..3_000).map(|n| ouvert("2026-10-01", partage(format!("2{n:08}")))).collect();
    assert!(proposer(&anciens, &nouveaux).is_empty());
}
