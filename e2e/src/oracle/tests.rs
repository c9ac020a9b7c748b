//! The oracle on a directory of a few resources written by hand.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    couverture::Couverture,
    dates::Prefixe,
    filtre::{Filtre, Noeud},
    generateur::{amorces, generer},
    inclusion::inclus,
    index::{Contexte, Index},
    parametres::{Genre, RELATIONS, de_genre, parametre},
    proximite,
    reponse::verifier,
    requete::{Centre, Cercle, Cible, Critere, Inclusion, Jeton, Mode, Pas, Requete, Suivi, Test, Tri},
};
use crate::fhir::{CAN, CAPACITE, EQUIPEMENT};

mod ecritures;
mod groupes;

const S: &str = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM";

fn concept(systeme: &str, code: &str) -> Value {
    json!({"coding": [{"system": systeme, "code": code, "display": format!("Libellé {code}")}]})
}

fn capacite(statut: &str, genre: &str, nombre: u32) -> Value {
    json!({"url": CAPACITE, "extension": [
        {"url": "capacityStatus", "valueCodeableConcept": concept("urn:statut", statut)},
        {"url": "genderCapacityAvailable", "valueCodeableConcept": concept("urn:genre", genre)},
        {"url": "nbCapacity", "valueInteger": nombre},
        {"url": "capacityUpdateDate", "valueDateTime": "2026-03-01T10:00:00.000Z"},
    ]})
}

fn ressource(genre: &str, id: &str, mut reste: Value) -> Value {
    reste["resourceType"] = json!(genre);
    reste["id"] = json!(id);
    reste["meta"] = json!({"lastUpdated": "2026-03-01T10:00:00.000Z"});
    reste
}

/// EJ above EG above OI; two offers of the OI and the EG; three places, one without capacity; one
/// role whose professional the caller may not read.
fn petit() -> Index {
    let limite = format!("{CAN}ror-location-equipment-limit");
    let lieu_b = json!({"extension": [capacite("01", "03", 9), {"url": EQUIPEMENT, "extension": [
        {"url": "equipmentType", "valueCodeableConcept": concept("urn:equ", "088")},
        {"url": limite, "extension": [
            {"url": "equipmentFeature", "valueCodeableConcept": concept("urn:car", "001")},
            {"url": "limitValue", "valueQuantity": {"value": 250, "code": "kg"}},
        ]},
        {"url": limite, "extension": [
            {"url": "equipmentFeature", "valueCodeableConcept": concept("urn:car", "002")},
            {"url": "limitValue", "valueQuantity": {"value": 70, "code": "cm"}},
        ]},
    ]}], "name": "Pavillon B", "position": {"latitude": 47.30, "longitude": -1.55}});
    let lieu_a = json!({
        "extension": [
            capacite("01", "01", 0), capacite("02", "02", 5),
            {"url": format!("{CAN}ror-commune-cog"), "valueCodeableConcept": concept(S, "44109")},
        ],
        "name": "Pavillon de l’Œuvre", "alias": ["Été"],
        "identifier": [{"type": concept("urn:t", "25"), "value": "52/1"}],
        "position": {"latitude": 47.21, "longitude": -1.55},
    });
    let ages = json!({"low": {"value": 18}, "high": {"value": 1200, "code": "mo"}});
    let patientele = json!({"url": format!("{CAN}ror-healthcareservice-patient-type"), "extension": [
        {"url": "ageRange", "valueRange": ages},
    ]});
    let lie = |genre: &str, id: &str| json!({"reference": format!("{genre}/{id}")});
    let lieux = json!([lie("Location", "a"), lie("Location", "b")]);
    let ressources = [
        ressource("Organization", "ej", json!({"name": "EJ", "type": [concept("urn:ej", "1")]})),
        ressource(
            "Organization",
            "eg",
            json!({"name": "EG", "partOf": lie("Organization", "ej"),
            "identifier": [{"system": "https://finess.esante.gouv.fr", "value": "440000001"}]}),
        ),
        ressource("Organization", "oi", json!({"name": "OI", "partOf": lie("Organization", "eg")})),
        ressource(
            "HealthcareService",
            "h1",
            json!({"providedBy": lie("Organization", "oi"),
            "location": lieux, "extension": [patientele], "specialty": [concept("urn:s", "005")]}),
        ),
        ressource(
            "HealthcareService",
            "h2",
            json!({"providedBy": lie("Organization", "eg"),
            "location": [lie("Location", "c")], "specialty": [concept("urn:s", "481"), concept("urn:z", "005")],
            "notAvailable": [{"id": "closingReopeningDate", "during": {"start": "2026-02-01"}}]}),
        ),
        ressource("Location", "a", lieu_a),
        ressource("Location", "b", lieu_b),
        ressource("Location", "c", json!({"name": "Sans rien"})),
        ressource(
            "PractitionerRole",
            "r",
            json!({"practitioner": lie("Practitioner", "cache"),
            "healthcareService": [lie("HealthcareService", "h1")], "code": [concept("urn:g15", "60")]}),
        ),
    ];
    let mut contexte = Contexte::default();
    contexte.communes.insert("44109".to_owned(), (47.21, -1.55));
    contexte.jeux.insert("urn:jeu".to_owned(), [("urn:s".to_owned(), "005".to_owned())].into());
    Index::lire(&Arc::new(contexte), 1, &ressources)
}

fn jeton(texte: &str) -> Jeton {
    let (systeme, code) = match texte.split_once('|') {
        Some((systeme, code)) => (Some(systeme.to_owned()), code),
        None => (None, texte),
    };
    Jeton { systeme, code: (!code.is_empty()).then(|| code.to_owned()), barre: false }
}

fn jetons(genre: Genre, nom: &str, textes: &[&str]) -> Critere {
    Critere::nouveau(parametre(genre, nom), Test::Jetons(textes.iter().map(|t| jeton(t)).collect()))
}

fn par(critere: Critere, pas: &[Pas]) -> Critere {
    Critere { chemin: pas.to_vec(), ..critere }
}

fn ids(index: &Index, requete: &Requete) -> Vec<String> {
    let lignes = &index.table(requete.genre).lignes;
    let gardees = index.repondre(requete);
    lignes.iter().zip(gardees).filter(|(_, g)| *g).map(|(l, _)| l.id.clone()).collect()
}

fn trouver(genre: Genre, criteres: &[Critere]) -> Vec<String> {
    let mut requete = Requete::nouvelle(genre);
    requete.criteres = criteres.to_vec();
    ids(&petit(), &requete)
}

fn filtrer(genre: Genre, noeud: Noeud) -> Vec<String> {
    let mut requete = Requete::nouvelle(genre);
    requete.filtres = vec![filtre(noeud)];
    ids(&petit(), &requete)
}

fn filtre(noeud: Noeud) -> Filtre {
    Filtre { noeud, majuscules: false, entoure: false, echappe: false }
}

fn nb(prefixe: Prefixe, texte: &str) -> Critere {
    Critere::nouveau(
        parametre(Genre::Location, "nb-capacity"),
        Test::Nombres(vec![(prefixe, texte.to_owned())]),
    )
}

fn feuille(critere: Critere) -> Noeud {
    Noeud::Critere(Box::new(critere))
}

const LIEUX: Pas = Pas::Avant(RELATIONS[2], false);
const PORTEUR: Pas = Pas::Avant(RELATIONS[1], false);

#[test]
fn capacity_criteria_hold_on_one_record() {
    let statut = |code: &str| jetons(Genre::Location, "capacity-status", &[code]);
    let genre = |code: &str| jetons(Genre::Location, "gender-capacity-available", &[code]);
    assert_eq!(trouver(Genre::Location, &[statut("01"), nb(Prefixe::Gt, "0")]), ["b"]);
    assert_eq!(trouver(Genre::Location, &[statut("02"), genre("01")]), [""; 0]);
    // A token again is another record; a number again narrows the first.
    assert_eq!(trouver(Genre::Location, &[statut("01"), statut("02")]), ["a"]);
    assert_eq!(trouver(Genre::Location, &[statut("01"), statut("02"), nb(Prefixe::Gt, "0")]), [""; 0]);
    assert_eq!(trouver(Genre::Location, &[nb(Prefixe::Gt, "0"), nb(Prefixe::Lt, "6")]), ["a"]);
    // What is denied or absent is so of the whole place.
    let mut sans = statut("02");
    sans.nie = true;
    assert_eq!(trouver(Genre::Location, &[sans.clone(), statut("01")]), ["b"]);
    assert_eq!(trouver(Genre::Location, &[sans]), ["b", "c"]);
    let absent = Critere::nouveau(parametre(Genre::Location, "capacity-status"), Test::Absent(true));
    assert_eq!(trouver(Genre::Location, &[absent]), ["c"]);
}

#[test]
fn equipment_criteria_hold_on_one_limit() {
    let p = parametre(Genre::Location, "limit-value");
    let limite = |prefixe, nombre: &str, unite: &str| {
        let quantite = (nombre.to_owned(), Some(("http://unitsofmeasure.org", unite.to_owned())));
        Critere::nouveau(p, Test::Quantites(vec![(prefixe, quantite)]))
    };
    let trait_ = |code: &str| jetons(Genre::Location, "equipment-feature", &[code]);
    let genre = jetons(Genre::Location, "equipment-type", &["088"]);
    let cherche = |a: Critere, b: Critere| trouver(Genre::Location, &[genre.clone(), a, b]);
    assert_eq!(cherche(trait_("001"), limite(Prefixe::Ge, "0.2", "t")), ["b"]);
    assert_eq!(cherche(trait_("002"), limite(Prefixe::Ge, "200", "kg")), [""; 0]);
    assert_eq!(cherche(trait_("002"), limite(Prefixe::Eq, "0.7", "m")), ["b"]);
}

#[test]
fn criteria_through_one_link_name_one_target() {
    let statut = |code: &str| par(jetons(Genre::Location, "capacity-status", &[code]), &[LIEUX]);
    let nom = |texte: &str| {
        let test = Test::Textes(Mode::Debut, vec![texte.to_owned()]);
        par(Critere::nouveau(parametre(Genre::Location, "name"), test), &[LIEUX])
    };
    let service = Genre::HealthcareService;
    assert_eq!(trouver(service, &[nom("pavillon b"), statut("01")]), ["h1"]);
    assert_eq!(trouver(service, &[nom("pavillon b"), statut("02")]), [""; 0]);
    // Given again, a text is told of another place.
    assert_eq!(trouver(service, &[nom("pavillon b"), nom("ete")]), ["h1"]);
    assert_eq!(trouver(service, &[nom("pavillon b"), nom("sans")]), [""; 0]);
    let et = Noeud::Et(vec![feuille(nom("pavillon b")), feuille(statut("02"))]);
    assert_eq!(filtrer(service, et), [""; 0]);
    let crochet = |code: &str| {
        let dedans = feuille(par(nom("pavillon b"), &[]));
        Noeud::crochet(LIEUX, dedans, Box::new(par(statut(code), &[])))
    };
    assert_eq!(filtrer(service, crochet("01")), ["h1"]);
    assert_eq!(filtrer(service, crochet("02")), [""; 0]);
}

#[test]
fn above_climbs_each_criterion_by_itself() {
    let service = Genre::HealthcareService;
    let dessus = |critere: Critere| Critere { dessus: true, ..par(critere, &[PORTEUR]) };
    let finess = || jetons(Genre::Organization, "identifier", &["440000001"]);
    assert_eq!(trouver(service, &[dessus(finess())]), ["h1", "h2"]);
    assert_eq!(trouver(service, &[par(finess(), &[PORTEUR])]), ["h2"]);
    let categorie = jetons(Genre::Organization, "type", &["1"]);
    assert_eq!(trouver(service, &[dessus(finess()), dessus(categorie)]), ["h1", "h2"]);
    let cible = Cible { avant: "Organization/".to_owned(), id: "ej".to_owned() };
    let reference = Critere::nouveau(parametre(service, "organization"), Test::References(vec![cible]));
    assert_eq!(trouver(service, std::slice::from_ref(&reference)), [""; 0]);
    assert_eq!(trouver(service, &[Critere { dessus: true, ..reference }]), ["h1", "h2"]);
}

#[test]
fn links_go_only_to_what_is_read_and_missing_looks_at_the_element() {
    let role = Genre::PractitionerRole;
    let p = parametre(role, "practitioner");
    let cible = Cible { avant: String::new(), id: "cache".to_owned() };
    assert_eq!(trouver(role, &[Critere::nouveau(p, Test::References(vec![cible]))]), [""; 0]);
    assert_eq!(trouver(role, &[Critere::nouveau(p, Test::Absent(false))]), ["r"]);
    let roles = [Pas::Arriere(RELATIONS[3])];
    let profession = par(jetons(role, "role", &["60"]), &roles);
    assert_eq!(trouver(Genre::HealthcareService, std::slice::from_ref(&profession)), ["h1"]);
    assert_eq!(profession.ecrire().0, "_has:PractitionerRole:service:role");
    let lieux = [Pas::Arriere(RELATIONS[2]), Pas::Arriere(RELATIONS[3])];
    assert_eq!(trouver(Genre::Location, &[par(profession, &lieux)]), ["a", "b"]);
}

#[test]
fn tokens_identifiers_and_texts_tolerate_what_is_published() {
    let service = Genre::HealthcareService;
    assert_eq!(trouver(service, &[jetons(service, "specialty", &["005"])]), ["h1", "h2"]);
    // The system holds for the bare codes after it.
    assert_eq!(trouver(service, &[jetons(service, "specialty", &["urn:s|1", "005"])]), ["h1"]);
    assert_eq!(trouver(service, &[jetons(service, "specialty", &["urn:z|"])]), ["h2"]);
    let commune = "http://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune|44109";
    assert_eq!(trouver(Genre::Location, &[jetons(Genre::Location, "commune-cog", &[commune])]), ["a"]);
    let type_seul =
        "https://mos.esante.gouv.fr/NOS/JDV_J236-TypeIdentifiant-ROR/FHIR/JDV-J236-TypeIdentifiant-ROR|52/1";
    assert_eq!(trouver(Genre::Location, &[jetons(Genre::Location, "identifier", &[type_seul])]), ["a"]);
    let parmi = Critere::nouveau(parametre(service, "specialty"), Test::Parmi(vec!["urn:jeu".to_owned()]));
    assert_eq!(trouver(service, &[parmi]), ["h1"]);
    let nom = |mode, texte: &str| {
        let test = Test::Textes(mode, vec![texte.to_owned()]);
        trouver(Genre::Location, &[Critere::nouveau(parametre(Genre::Location, "name"), test)])
    };
    assert_eq!(nom(Mode::Debut, "PAVILLON DE L'OE"), ["a"]);
    assert_eq!(nom(Mode::Debut, "été"), ["a"]);
    assert_eq!(nom(Mode::Contient, "oeuvre"), ["a"]);
    assert_eq!(nom(Mode::Fin, "B"), ["b"]);
    assert_eq!(nom(Mode::Exact, "Pavillon b"), [""; 0]);
}

#[test]
fn ages_periods_and_distances() {
    let service = Genre::HealthcareService;
    let age = |nom: &str, prefixe, nombre: &str, unite: Option<&str>| {
        let quantite = (nombre.to_owned(), unite.map(|u| ("", u.to_owned())));
        trouver(
            service,
            &[Critere::nouveau(parametre(service, nom), Test::Quantites(vec![(prefixe, quantite)]))],
        )
    };
    assert_eq!(age("age-range-low", Prefixe::Le, "216", Some("mo")), ["h1"]);
    assert_eq!(age("age-range-low", Prefixe::Lt, "216", Some("mo")), [""; 0]);
    assert_eq!(age("age-range-high", Prefixe::Eq, "100", Some("a")), ["h1"]);
    assert_eq!(age("age-range-high", Prefixe::Eq, "1200", None), ["h1"]);
    let fermee = |prefixe, texte: &str| {
        let p = parametre(service, "notavailable-closing-reopeningdate");
        trouver(service, &[Critere::nouveau(p, Test::Dates(vec![(prefixe, texte.to_owned())]))])
    };
    assert_eq!(fermee(Prefixe::Gt, "2030"), ["h2"]);
    assert_eq!(fermee(Prefixe::Eq, "2026"), [""; 0]);
    assert_eq!(fermee(Prefixe::Ne, "2026"), ["h2"]);
    assert_eq!(fermee(Prefixe::Sa, "2026-01"), ["h2"]);
    let cercle = |nom: &str, centre, distance: &str| {
        let cercle = Cercle { centre, distance: Some(distance.to_owned()), unite: Some("km") };
        trouver(
            Genre::Location,
            &[Critere::nouveau(parametre(Genre::Location, nom), Test::Cercles(vec![cercle]))],
        )
    };
    let point = || Centre::Point("47.21".to_owned(), "-1.55".to_owned());
    assert_eq!(cercle("near", point(), "9"), ["a"]);
    assert_eq!(cercle("near", point(), "11"), ["a", "b"]);
    let commune = || Centre::Commune("44109".to_owned());
    assert_eq!(cercle("near-insee-code", commune(), "9"), ["a"]);
    // Around a commune, a place without position is at the centre of its own; around a point it is nowhere.
    let sans = json!({"extension": [
        {"url": format!("{CAN}ror-commune-cog"), "valueCodeableConcept": concept(S, "44109")},
    ]});
    let contexte = petit().contexte;
    let index = Index::lire(&contexte, 1, &[ressource("Location", "sans", sans)]);
    let lieu = |vu_de: Centre| proximite::lieu(&index.table(Genre::Location).lignes[0], &vu_de, &contexte);
    assert_eq!(lieu(commune()), Some((47.21, -1.55)));
    assert!(lieu(commune()).is_some() && lieu(point()).is_none());
}

#[test]
fn ne_in_a_filter_denies_equality() {
    let mut sans = nb(Prefixe::Eq, "5");
    sans.nie = true;
    assert_eq!(filtrer(Genre::Location, feuille(sans)), ["b", "c"]);
    assert_eq!(trouver(Genre::Location, &[nb(Prefixe::Ne, "5")]), ["a", "b"]);
    let non = Noeud::Non(Box::new(feuille(nb(Prefixe::Gt, "6"))));
    assert_eq!(filtrer(Genre::Location, non), ["a", "c"]);
}

#[test]
fn includes_follow_what_they_bring() {
    let index = petit();
    let clause = |rang: usize, inverse, itere| Inclusion {
        suivi: Suivi::Une(RELATIONS[rang], false),
        inverse,
        itere,
        recurse: false,
    };
    let rang = |genre, id: &str| (genre, index.table(genre).rangs[id]);
    let h1 = [index.table(Genre::HealthcareService).rangs["h1"]];
    let (service, structure) = (Genre::HealthcareService, Genre::Organization);
    let apporte = |clauses: &[Inclusion]| {
        inclus(&index, service, &h1, clauses).unwrap().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(apporte(&[clause(1, false, false)]), [rang(structure, "oi")]);
    // Another type than the searched one is followed without being asked to.
    let tous = [rang(structure, "ej"), rang(structure, "eg"), rang(structure, "oi")];
    assert_eq!(apporte(&[clause(1, false, false), clause(0, false, false)]), tous);
    assert_eq!(
        apporte(&[clause(3, true, false), clause(4, false, false)]),
        [rang(Genre::PractitionerRole, "r")]
    );
    let oi = [index.table(structure).rangs["oi"]];
    let parents = |itere| inclus(&index, structure, &oi, &[clause(0, false, itere)]).unwrap().len();
    assert_eq!((parents(false), parents(true)), (1, 2));
}

#[test]
fn an_answer_is_compared_to_the_last_detail() {
    let index = petit();
    let mut requete = Requete::nouvelle(Genre::Location);
    requete.nombre = Some(2);
    let page = |total: u64, lieux: &[&str]| {
        let entree = |id: &&str| json!({"resource": {"resourceType": "Location", "id": id}, "search": {"mode": "match"}});
        json!({"total": total, "entry": lieux.iter().map(entree).collect::<Vec<_>>()})
    };
    let juste = |pages: &[Value]| verifier(&index, &requete, pages).ecart.is_none();
    assert!(juste(&[page(3, &["a", "b"]), page(3, &["c"])]));
    assert!(!juste(&[page(3, &["a"]), page(3, &["b", "c"])]));
    assert!(!juste(&[page(3, &["a", "b"]), page(3, &["b"])]));
    assert!(!juste(&[page(2, &["a", "b"]), page(2, &["c"])]));
    assert!(!juste(&[page(3, &["a", "b"])]));
    let mut triee = requete.clone();
    let p = parametre(Genre::Location, "name");
    triee.tri = vec![Tri { chemin: Vec::new(), parametre: p, descendant: false }];
    assert!(verifier(&index, &triee, &[page(3, &["a", "b"]), page(3, &["c"])]).ecart.is_none());
    assert!(verifier(&index, &triee, &[page(3, &["b", "a"]), page(3, &["c"])]).ecart.is_some());
}

#[test]
fn the_generator_is_the_same_for_a_seed_and_asks_everything() {
    let index = petit();
    let amorces = amorces();
    assert!(Genre::TOUS.into_iter().all(|g| amorces.iter().any(|a| a.parametre.genre == g)));
    let mut couverture = Couverture::default();
    couverture.porter(&index);
    let mut filtres = 0;
    for rang in 0..3 * amorces.len() as u64 {
        let requete = generer(&index, &amorces, 7, rang);
        assert_eq!(requete, generer(&index, &amorces, 7, rang));
        assert!(requete.url().len() < 16_000);
        let trouves = index.repondre(&requete).into_iter().filter(|t| *t).count();
        couverture.noter(&requete, trouves, index.table(requete.genre).lignes.len());
        filtres += usize::from(!requete.filtres.is_empty());
    }
    assert!(filtres > 20, "{filtres}");
    let dites = couverture.dire();
    for p in Genre::TOUS.into_iter().flat_map(de_genre).filter(|p| index.porte(p.genre, p.rang())) {
        let vide = format!("\n{} {}: \n", p.genre.nom(), p.nom);
        assert!(!dites.contains(&vide), "{} is never asked:\n{dites}", p.nom);
    }
}
