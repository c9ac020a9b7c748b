//! Which criteria are told of one target or record, and what the answer counts from.

use super::*;
use crate::oracle::{
    parametres::LIEUX as DES_LIEUX,
    tri::{Cle, ordonnes},
};

const SERVICE: Genre = Genre::HealthcareService;

fn du_lieu(nom: &str, codes: &[&str]) -> Critere {
    par(jetons(Genre::Location, nom, codes), &[LIEUX])
}

fn rond(lat: &str, distance: &str) -> Critere {
    let centre = Centre::Point(lat.to_owned(), "-1.55".to_owned());
    let cercle = Cercle { centre, distance: Some(distance.to_owned()), unite: None };
    Critere::nouveau(parametre(Genre::Location, "near"), Test::Cercles(vec![cercle]))
}

#[test]
fn refusals_through_a_link_never_ask_for_another_target() {
    let genre = |code: &str| du_lieu("gender-capacity-available", &[code]);
    let sans = Critere { nie: true, ..genre("01") };
    assert_eq!(trouver(SERVICE, &[genre("03"), sans.clone()]), ["h1"]);
    // The place that has « 02 » has « 01 » too; another place has not.
    assert_eq!(trouver(SERVICE, &[genre("02"), sans.clone()]), [""; 0]);
    assert_eq!(trouver(SERVICE, &[sans, genre("02")]), [""; 0]);
    let p = parametre(Genre::Location, "commune-cog");
    let absente = par(Critere::nouveau(p, Test::Absent(true)), &[LIEUX]);
    assert_eq!(trouver(SERVICE, std::slice::from_ref(&absente)), ["h1", "h2"]);
    assert_eq!(trouver(SERVICE, &[du_lieu("commune-cog", &["44109"]), absente]), [""; 0]);
}

#[test]
fn a_circle_given_again_narrows_the_same_place() {
    let (a, b) = (par(rond("47.21", "1"), &[LIEUX]), par(rond("47.30", "1"), &[LIEUX]));
    assert_eq!(trouver(SERVICE, std::slice::from_ref(&a)), ["h1"]);
    assert_eq!(trouver(SERVICE, &[a.clone(), b]), [""; 0]);
    assert_eq!(trouver(SERVICE, &[a, par(rond("47.30", "50"), &[LIEUX])]), ["h1"]);
}

#[test]
fn brackets_and_what_follows_are_one_group() {
    let statut = |code: &str| feuille(jetons(Genre::Location, "capacity-status", &[code]));
    let crochet = |dedans: Noeud, genre: &str| {
        let dernier = jetons(Genre::Location, "gender-capacity-available", &[genre]);
        filtrer(SERVICE, Noeud::crochet(LIEUX, dedans, Box::new(dernier)))
    };
    assert_eq!(crochet(statut("02"), "02"), ["h1"]);
    // One place, and one record of it.
    assert_eq!(crochet(statut("01"), "02"), [""; 0]);
    let lits = feuille(nb(Prefixe::Gt, "0"));
    assert_eq!(crochet(Noeud::Et(vec![statut("02"), lits.clone()]), "02"), ["h1"]);
    assert_eq!(crochet(Noeud::Et(vec![statut("01"), lits]), "01"), [""; 0]);
}

#[test]
fn ne_and_ni_deny_the_whole_comparison() {
    let statut = Critere { nie: true, ..du_lieu("capacity-status", &["02"]) };
    assert_eq!(filtrer(SERVICE, feuille(statut)), ["h2"]);
    let p = parametre(SERVICE, "specialty");
    let parmi = Critere { nie: true, ..Critere::nouveau(p, Test::Parmi(vec!["urn:jeu".to_owned()])) };
    assert_eq!(filtre(feuille(parmi.clone())).ecrire(), "specialty ni urn:jeu");
    assert_eq!(filtrer(SERVICE, feuille(parmi)), ["h2"]);
}

#[test]
fn a_bare_code_inherits_and_a_type_alone_is_any_identifier() {
    let barre = Jeton { systeme: None, code: Some("005".to_owned()), barre: true };
    let test = Test::Jetons(vec![jeton("urn:s|1"), barre]);
    let critere = Critere::nouveau(parametre(SERVICE, "specialty"), test);
    assert_eq!(critere.ecrire().1, "urn:s|1,|005");
    assert_eq!(trouver(SERVICE, &[critere]), ["h1"]);
    let types =
        "https://mos.esante.gouv.fr/NOS/JDV_J236-TypeIdentifiant-ROR/FHIR/JDV-J236-TypeIdentifiant-ROR|";
    assert_eq!(trouver(Genre::Location, &[jetons(Genre::Location, "identifier", &[types])]), ["a"]);
}

#[test]
fn a_professional_answers_to_the_number_its_identifier_is_made_of() {
    let identifiants = json!([{"system": "urn:oid:1.2.250.1.71.4.2.1", "value": "810000000001"}]);
    let professionnel = ressource("Practitioner", "p", json!({"identifier": identifiants}));
    let index = Index::lire(&Arc::new(Contexte::default()), 1, &[professionnel]);
    for (demande, trouve) in [
        ("810000000001", true),
        ("10000000001", true),
        ("https://rpps.esante.gouv.fr|10000000001", true),
        ("https://rpps.esante.gouv.fr|", true),
        ("urn:oid:1.2.250.1.71.4.2.1|10000000001", true),
        ("https://rpps.esante.gouv.fr|810000000001", false),
    ] {
        let mut requete = Requete::nouvelle(Genre::Practitioner);
        requete.criteres = vec![jetons(Genre::Practitioner, "identifier", &[demande])];
        assert_eq!(!ids(&index, &requete).is_empty(), trouve, "{demande}");
    }
}

#[test]
fn distances_count_from_the_ordinary_circle_and_order_offers_by_their_places() {
    let index = petit();
    let mut requete = Requete::nouvelle(SERVICE);
    let noeud = feuille(par(rond("47.30", "50"), &[LIEUX]));
    requete.filtres = vec![filtre(noeud)];
    let distance = |r: &Requete| r.premier_cercle().and_then(|c| c.distance.clone());
    assert_eq!(distance(&requete).as_deref(), Some("50"));
    requete.criteres = vec![par(rond("47.21", "40"), &[LIEUX])];
    assert_eq!(distance(&requete).as_deref(), Some("40"));
    let rangs = &index.table(SERVICE).rangs;
    for chemin in [Vec::new(), vec![DES_LIEUX]] {
        let p = parametre(Genre::Location, "near");
        requete.tri = vec![Tri { chemin, parametre: p, descendant: false }];
        let (h1, h2) = (index.cles(&requete, rangs["h1"]), index.cles(&requete, rangs["h2"]));
        assert!(matches!(h1.as_slice(), [Some(Cle::Metres(m))] if *m < 1.0), "{h1:?}");
        assert!(ordonnes(&requete.tri, &h1, &h2) && !ordonnes(&requete.tri, &h2, &h1), "{h2:?}");
    }
}

#[test]
fn wildcards_are_told_of_the_type_searched_iterated_or_not() {
    let index = petit();
    let h1 = [index.table(SERVICE).rangs["h1"]];
    let tout = |itere| {
        inclus(
            &index,
            SERVICE,
            &h1,
            &[Inclusion { suivi: Suivi::Tout, inverse: false, itere, recurse: itere }],
        )
    };
    assert_eq!(tout(true), tout(false));
    assert_eq!(tout(true).map(|s| s.len()), Some(3));
}
