//! What a query may be written like, and what it then means.

use super::*;
use crate::oracle::filtre::Crochet;

const SERVICE: Genre = Genre::HealthcareService;
const STRUCTURE: Genre = Genre::Organization;
const PARENT: Pas = Pas::Avant(RELATIONS[0], false);

fn nom_de_structure(texte: &str) -> Critere {
    let test = Test::Textes(Mode::Exact, vec![texte.to_owned()]);
    Critere::nouveau(parametre(STRUCTURE, "name"), test)
}

fn crochets(dedans: &[(&[Pas], &str)], dernier: Critere) -> Vec<String> {
    let un = |(liens, nom): &(&[Pas], &str)| Crochet {
        liens: liens.to_vec(),
        dedans: feuille(nom_de_structure(nom)),
    };
    filtrer(SERVICE, Noeud::Crochets(dedans.iter().map(un).collect(), Box::new(dernier)))
}

#[test]
fn brackets_follow_each_other_and_links_lead_to_them() {
    assert_eq!(crochets(&[(&[PORTEUR], "OI"), (&[PARENT], "EG")], nom_de_structure("EG")), ["h1"]);
    assert_eq!(crochets(&[(&[PORTEUR], "EG"), (&[PARENT], "EG")], nom_de_structure("EG")), [""; 0]);
    assert_eq!(crochets(&[(&[PORTEUR, PARENT], "EJ")], nom_de_structure("EJ")), ["h2"]);
    assert_eq!(crochets(&[(&[PORTEUR], "EG")], par(nom_de_structure("EJ"), &[PARENT])), ["h2"]);
    let nie = Critere { nie: true, ..nom_de_structure("EG") };
    assert_eq!(crochets(&[(&[PORTEUR], "EG")], nie), ["h1"]);
}

#[test]
fn above_after_brackets_climbs_with_all_of_the_group() {
    let dessus = |nom: &str| Critere { dessus: true, ..nom_de_structure(nom) };
    // The structure that carries the first offer is « OI »; « EJ » is above both.
    assert_eq!(crochets(&[(&[PORTEUR], "EJ")], dessus("EJ")), ["h1", "h2"]);
    assert_eq!(crochets(&[(&[PORTEUR], "OI")], dessus("EJ")), [""; 0]);
    assert_eq!(crochets(&[(&[PORTEUR], "OI")], Critere { chemin: vec![PARENT], ..dessus("EJ") }), ["h1"]);
}

#[test]
fn a_reverse_link_may_follow_a_reference() {
    // Offers made where those of « OI » are.
    let chemin = [LIEUX, Pas::Arriere(RELATIONS[2]), PORTEUR];
    let critere = par(nom_de_structure("OI"), &chemin);
    assert_eq!(critere.ecrire().0, "location._has:HealthcareService:location:organization.name:exact");
    assert_eq!(trouver(SERVICE, &[critere]), ["h1"]);
}

#[test]
fn two_filters_hold_apart() {
    let nom = |texte: &str| {
        let test = Test::Textes(Mode::Debut, vec![texte.to_owned()]);
        feuille(par(Critere::nouveau(parametre(Genre::Location, "name"), test), &[LIEUX]))
    };
    let mut requete = Requete::nouvelle(SERVICE);
    requete.filtres = vec![filtre(nom("pavillon b")), filtre(nom("ete"))];
    assert_eq!(ids(&petit(), &requete), ["h1"]);
    assert_eq!(requete.parametres().len(), 2);
}

#[test]
fn modifiers_take_lists_and_references_their_type() {
    let jeux = Test::Parmi(vec!["urn:absent".to_owned(), "urn:jeu".to_owned()]);
    let parmi = Critere::nouveau(parametre(SERVICE, "specialty"), jeux);
    assert_eq!(parmi.ecrire(), ("specialty:in".to_owned(), "urn:absent,urn:jeu".to_owned()));
    assert_eq!(trouver(SERVICE, &[parmi]), ["h1"]);
    let cible = Cible { avant: String::new(), id: "oi".to_owned() };
    let porteur = Critere::nouveau(parametre(SERVICE, "organization"), Test::References(vec![cible]));
    let porteur = Critere { typee: true, ..porteur };
    assert_eq!(porteur.ecrire().0, "organization:Organization");
    assert_eq!(trouver(SERVICE, &[porteur]), ["h1"]);
}

#[test]
fn from_a_commune_a_place_without_position_is_at_the_centre_of_its_own() {
    let cog = json!({"url": format!("{CAN}ror-commune-cog"), "valueCodeableConcept": concept(S, "44109")});
    let ressources = [
        ressource("Location", "cog", json!({"extension": [cog]})),
        ressource("Location", "ailleurs", json!({"position": {"latitude": 48.0, "longitude": -1.55}})),
        ressource("Location", "rien", json!({})),
    ];
    let mut contexte = Contexte::default();
    contexte.communes.insert("44109".to_owned(), (47.21, -1.55));
    let index = Index::lire(&Arc::new(contexte), 1, &ressources);
    let cherche = |nom: &str, centre| {
        let cercle = Cercle { centre, distance: Some("1".to_owned()), unite: None };
        let mut requete = Requete::nouvelle(Genre::Location);
        let test = Test::Cercles(vec![cercle]);
        requete.criteres = vec![Critere::nouveau(parametre(Genre::Location, nom), test)];
        ids(&index, &requete)
    };
    assert_eq!(cherche("near-insee-code", Centre::Commune("44109".to_owned())), ["cog"]);
    assert_eq!(cherche("near", Centre::Point("47.21".to_owned(), "-1.55".to_owned())), [""; 0]);
}

#[test]
fn a_finess_number_with_its_one_is_found_whatever_its_system() {
    let identifiants = json!([{"system": "urn:oid:1.2.250.1.71.4.2.2", "value": "1440000001"}]);
    let index = Index::lire(
        &Arc::new(Contexte::default()),
        1,
        &[ressource("Organization", "eg", json!({"identifier": identifiants}))],
    );
    for (demande, trouve) in [
        ("https://finess.esante.gouv.fr|1440000001", true),
        ("https://finess.esante.gouv.fr|440000001", false),
        ("https://finess.esante.gouv.fr|1440000002", false),
        ("urn:oid:1.2.250.1.71.4.2.2|1440000001", true),
    ] {
        let mut requete = Requete::nouvelle(STRUCTURE);
        requete.criteres = vec![jetons(STRUCTURE, "identifier", &[demande])];
        assert_eq!(!ids(&index, &requete).is_empty(), trouve, "{demande}");
    }
}
