use prost_types::Timestamp;
use ror_proto::{
    common::v1::Meta,
    nomenclatures::v1::{Association, Concept, EtatEdition, Propriete},
};
use serde_json::{Value, json};

use super::{
    demande::{Demande, de_chaine},
    operations::Echec,
    parametres::operations_de,
    recherche::{self, Resume},
    *,
};
use crate::fhir::{
    json,
    outcome::Issue,
    terminologie::{self as fhir, Entree},
};

const TRE: &str = "https://exemple.fr/NOS/TRE_R1-Fruit/FHIR/TRE-R1-Fruit";
const JDV: &str = "https://exemple.fr/NOS/JDV_J1-Fruit-ROR/FHIR/JDV-J1-Fruit-ROR";
const ASS: &str = "https://exemple.fr/NOS/ASS_A1-Fruit-Legume/FHIR/ASS-A1-Fruit-Legume";
const LEGUMES: &str = "urn:oid:1.2.3";
const AUJOURDHUI: Jour = 20_261_121;

fn meta(version: u64) -> Option<Meta> {
    let date_maj = Some(Timestamp { seconds: 1_760_000_000 + i64::try_from(version).unwrap(), nanos: 0 });
    Some(Meta { version, date_maj, ..Default::default() })
}

fn concept(systeme: &str, code: &str, libelle: &str) -> Concept {
    Concept {
        systeme: systeme.into(),
        code: code.into(),
        libelle: libelle.into(),
        statut: "active".into(),
        ..Default::default()
    }
}

fn nomenclature(sorte: Sorte, canonique: &str, version: &str, concepts: Vec<Concept>) -> Nomenclature {
    Nomenclature {
        meta: meta(1),
        sorte: sorte as i32,
        canonique: canonique.into(),
        version: version.into(),
        nom: canonique.split('/').nth(4).unwrap_or("TRE_R2-Legume").into(),
        etat: EtatEdition::Publiee as i32,
        complete: true,
        concepts,
        ..Default::default()
    }
}

fn fruits() -> Nomenclature {
    let parent = Propriete { code: "parent".into(), valeur: "01".into(), r#type: "code".into() };
    Nomenclature {
        oid: "1.2.250.1".into(),
        valide_du: "2019-01-01".into(),
        ..nomenclature(
            Sorte::Tre,
            TRE,
            "20250131120000",
            vec![
                Concept {
                    libelle_court: "Pom.".into(),
                    definition: "Fruit à pépins".into(),
                    ..concept("", "01", "Pomme")
                },
                Concept { proprietes: vec![parent], ..concept("", "02", "Pomme Grany à l'étouffée") },
                Concept {
                    statut: "retired".into(),
                    valide_au: "2024-12-31".into(),
                    ..concept("", "03", "Poire d'hiver")
                },
                Concept { valide_du: "2030-01-01".into(), ..concept("", "04", "Kaki") },
            ],
        )
    }
}

/// Fruit and vegetables, their value set in two versions, and the way from one to the other.
fn terminologie() -> Terminologie {
    let mut t = Terminologie::default();
    t.poser(fruits());
    t.poser(nomenclature(Sorte::Tre, LEGUMES, "1", vec![concept("", "01", "Poireau")]));
    let membres = |codes: &[&str]| codes.iter().map(|c| concept(TRE, c, "")).collect::<Vec<_>>();
    t.poser(nomenclature(Sorte::Jdv, JDV, "20230101120000", membres(&["01", "03"])));
    let mut j = membres(&["04", "02", "01"]);
    j.push(concept(LEGUMES, "01", "Poireau du jardin"));
    t.poser(nomenclature(Sorte::Jdv, JDV, "20250131120000", j));
    let paire = |source: &str, cible: &str, equivalence: &str| Association {
        systeme_source: TRE.into(),
        code_source: source.into(),
        systeme_cible: if cible.is_empty() { String::new() } else { LEGUMES.into() },
        code_cible: cible.into(),
        equivalence: equivalence.into(),
        ..Default::default()
    };
    t.poser(Nomenclature {
        associations: vec![
            paire("01", "01", "wider"),
            paire("03", "", "unmatched"),
            paire("02", "01", "equal"),
        ],
        source: JDV.into(),
        ..nomenclature(Sorte::Ass, ASS, "", Vec::new())
    });
    t.indexer();
    t
}

#[derive(Debug)]
enum Refus {
    Fautes(Vec<Issue>),
    Echec(Echec),
}

fn executer(
    t: &Terminologie,
    genre: Genre,
    nom: &str,
    id: Option<&str>,
    entrees: Vec<Entree>,
) -> Result<Value, Refus> {
    let operation = operations_de(genre).find(|o| o.nom == nom).unwrap();
    let instance = id.map(|id| t.par_id(genre, id).unwrap().clone());
    let d = Demande::lire(operation, instance, entrees, AUJOURDHUI).map_err(Refus::Fautes)?;
    let corps = (operation.executer)(t, &d).map_err(Refus::Echec)?;
    Ok(serde_json::from_slice(&corps).unwrap())
}

fn get(t: &Terminologie, genre: Genre, nom: &str, chaine: &str) -> Result<Value, Refus> {
    executer(t, genre, nom, None, de_chaine(chaine).unwrap())
}

static RIEN: Value = Value::Null;

/// The value of the first parameter of that name.
fn sortie<'v>(v: &'v Value, nom: &str) -> &'v Value {
    let parametre = v["parameter"].as_array().into_iter().flatten().find(|p| p["name"] == nom);
    let membres = parametre.and_then(Value::as_object).into_iter().flatten();
    membres.filter(|(k, _)| k.starts_with("value")).map(|(_, v)| v).next().unwrap_or(&RIEN)
}

/// Properties of a lookup: code, value.
fn proprietes(v: &Value) -> Vec<(String, Value)> {
    let parametres = v["parameter"].as_array().unwrap().iter();
    parametres
        .filter(|p| p["name"] == "property")
        .map(|p| {
            let valeur = p["part"][1].as_object().unwrap().iter().find(|(k, _)| k.starts_with("value"));
            (p["part"][0]["valueCode"].as_str().unwrap().to_owned(), valeur.unwrap().1.clone())
        })
        .collect()
}

fn codes(v: &Value) -> Vec<&str> {
    let contenu = v["expansion"]["contains"].as_array().into_iter().flatten();
    contenu.map(|c| c["code"].as_str().unwrap()).collect()
}

fn ecrire(t: &Terminologie, genre: Genre, id: &str, resume: bool) -> Value {
    let mut s = Vec::new();
    json::document(&mut s, |o| fhir::ressource(o, t.par_id(genre, id).unwrap(), id, resume));
    serde_json::from_slice(&s).unwrap()
}

#[test]
fn only_published_versions_are_shown_and_an_older_state_changes_nothing() {
    let mut t = terminologie();
    let brouillon = EtatEdition::Brouillon as i32;
    t.poser(Nomenclature { version: "20260131120000".into(), etat: brouillon, ..fruits() });
    t.indexer();
    assert_eq!(t.courante(Genre::CodeSystem, TRE).unwrap().entete.version, "20250131120000");
    assert_eq!(t.versions(Genre::CodeSystem, TRE).count(), 1);
    let etat = EtatEdition::Retiree as i32;
    t.poser(Nomenclature { meta: meta(3), etat, ..fruits() });
    t.poser(Nomenclature { meta: meta(2), ..fruits() });
    t.indexer();
    assert!(t.courante(Genre::CodeSystem, TRE).is_none(), "retired at 3, published at 2 came late");
    assert!(t.par_id(Genre::CodeSystem, "TRE-R1-Fruit").is_none());
}

#[test]
fn ids_are_fhir_ids_that_name_one_thing() {
    let mut t = terminologie();
    let id = |t: &Terminologie, canonique: &str, version: &str| {
        t.id(t.editions.get(&(canonique.to_owned(), version.to_owned())).unwrap())
    };
    assert_eq!(id(&t, JDV, "20250131120000"), "JDV-J1-Fruit-ROR");
    assert_eq!(id(&t, JDV, "20230101120000"), "JDV-J1-Fruit-ROR--20230101120000");
    let par_version = t.par_id(Genre::ValueSet, "JDV-J1-Fruit-ROR--20250131120000").unwrap();
    assert_eq!(par_version.entete.version, "20250131120000", "a version keeps the name it will have");
    let calcule = id(&t, LEGUMES, "1");
    assert_eq!((calcule.len(), id_conforme(&calcule)), (36, true), "{calcule}");
    assert_eq!(t.par_id(Genre::CodeSystem, &calcule).unwrap().entete.canonique, LEGUMES);
    assert!(t.par_id(Genre::ValueSet, &calcule).is_none());
    // A second canonical ends with the same segment: neither goes by it.
    let autre = "https://ailleurs.fr/TRE-R1-Fruit";
    t.poser(nomenclature(Sorte::Tre, autre, "version 2", vec![concept("", "1", "x")]));
    t.indexer();
    assert!(t.par_id(Genre::CodeSystem, "TRE-R1-Fruit").is_none());
    for (canonique, version) in [(TRE, "20250131120000"), (autre, "version 2")] {
        let id = id(&t, canonique, version);
        assert!(id_conforme(&id), "{id}");
        assert_eq!(t.par_id(Genre::CodeSystem, &id).unwrap().entete.canonique, canonique);
    }
}

#[test]
fn a_value_set_answers_with_the_version_of_the_day() {
    let t = terminologie();
    let version = |jour: Jour| {
        let q = Quand { jour, aujourdhui: AUJOURDHUI };
        t.demandee(Genre::ValueSet, JDV, "", q).unwrap().entete.version.as_str()
    };
    assert_eq!(version(AUJOURDHUI), "20250131120000");
    assert_eq!(version(20_240_601), "20230101120000");
    assert_eq!(version(20_200_601), "20230101120000", "before the first, the first");
    let v = get(&t, Genre::ValueSet, "expand", &format!("url={JDV}&date=2024-06-01")).unwrap();
    assert_eq!((codes(&v), v["version"].as_str()), (vec!["01", "03"], Some("20230101120000")));
}

#[test]
fn a_lookup_tells_everything_of_a_code_and_of_its_day() {
    let t = terminologie();
    let v = get(&t, Genre::CodeSystem, "lookup", &format!("system={TRE}&code=01")).unwrap();
    assert_eq!((sortie(&v, "name"), sortie(&v, "display")), (&json!("TRE_R1-Fruit"), &json!("Pomme")));
    assert_eq!(sortie(&v, "version"), "20250131120000");
    let p = proprietes(&v);
    assert!(p.contains(&("definition".into(), json!("Fruit à pépins"))), "{p:?}");
    assert!(
        p.contains(&("inactive".into(), json!(false))) && p.contains(&("status".into(), json!("active")))
    );
    let designation = v["parameter"].as_array().unwrap().iter().find(|p| p["name"] == "designation").unwrap();
    assert_eq!(designation["part"][2]["valueString"], "Pom.");
    let retire = |date: &str| {
        let q = format!("system={TRE}&code=03&property=inactive&date={date}");
        proprietes(&get(&t, Genre::CodeSystem, "lookup", &q).unwrap())
    };
    assert_eq!(retire("2026-01-01"), [("inactive".to_owned(), json!(true))]);
    assert_eq!(retire("2024-06"), [("inactive".to_owned(), json!(false))]);
    let v = get(&t, Genre::CodeSystem, "lookup", &format!("system={TRE}&code=01&property=child")).unwrap();
    assert_eq!(proprietes(&v), [("child".to_owned(), json!("02"))]);
    let id = Some("TRE-R1-Fruit");
    let v = executer(&t, Genre::CodeSystem, "lookup", id, de_chaine("code=02").unwrap()).unwrap();
    assert_eq!(sortie(&v, "display"), "Pomme Grany à l'étouffée");
    for q in [format!("system={TRE}&code=99"), "system=urn:inconnu&code=01".to_owned()] {
        let e = get(&t, Genre::CodeSystem, "lookup", &q).unwrap_err();
        assert!(matches!(e, Refus::Echec(Echec::Introuvable(_))), "{q}: {e:?}");
    }
}

#[test]
fn a_code_is_valid_or_told_why_not_and_never_an_error() {
    let t = terminologie();
    let juger = |genre: Genre, q: String| {
        let v = get(&t, genre, "validate-code", &q).unwrap();
        let message = sortie(&v, "message").as_str().unwrap_or_default().to_owned();
        (sortie(&v, "result") == true, message)
    };
    let jdv = |q: &str| juger(Genre::ValueSet, format!("url={JDV}&{q}"));
    assert_eq!(jdv(&format!("system={TRE}&code=01&display=pomme")), (true, String::new()));
    let cas = [
        (format!("system={TRE}&code=99"), "n'est pas dans"),
        (format!("system={TRE}&code=03"), "n'est pas dans"),
        (format!("system={TRE}&code=04"), "n'est pas valide le 2026-11-21"),
        (format!("system={TRE}&code=01&display=Banane"), "libellé"),
        ("system=urn:x&code=01".to_owned(), "n'est pas une source"),
        ("code=01".to_owned(), "Le système du code manque"),
    ];
    for (q, dit) in cas {
        let (bon, message) = jdv(&q);
        assert!(!bon && message.contains(dit), "{q}: {message}");
    }
    assert!(jdv(&format!("system={TRE}&code=04&date=2031-01-01T08:00:00Z")).0);
    assert!(juger(Genre::CodeSystem, format!("url={TRE}&code=03&date=2024-12-31")).0);
    assert!(!juger(Genre::CodeSystem, format!("url={TRE}&code=03")).0);
    assert!(juger(Genre::ValueSet, format!("url={TRE}?vs&code=02")).0, "the whole of a system");
    let e = get(&t, Genre::ValueSet, "validate-code", &format!("url={TRE}&code=02")).unwrap_err();
    let Refus::Echec(Echec::Introuvable(i)) = e else { panic!("{e:?}") };
    assert!(i.diagnostics.contains("?vs"), "{}", i.diagnostics);
    let corps = json!({"resourceType": "Parameters", "parameter": [
        {"name": "url", "valueUri": JDV},
        {"name": "codeableConcept", "valueCodeableConcept": {"coding": [
            {"system": TRE, "code": "99"}, {"system": LEGUMES, "code": "01"}]}},
    ]});
    let entrees = fhir::lire(&corps).unwrap();
    let v = executer(&t, Genre::ValueSet, "validate-code", None, entrees).unwrap();
    assert_eq!((sortie(&v, "result"), sortie(&v, "display")), (&json!(true), &json!("Poireau du jardin")));
}

#[test]
fn a_partial_list_never_proves_a_code_wrong() {
    let mut t = terminologie();
    t.poser(Nomenclature { complete: false, ..fruits() });
    let v = get(&t, Genre::CodeSystem, "validate-code", &format!("url={TRE}&code=99")).unwrap();
    assert_eq!(sortie(&v, "result"), true);
    assert!(sortie(&v, "message").as_str().unwrap().contains("pas complète"));
}

#[test]
fn an_expansion_is_paged_filtered_and_dated() {
    let t = terminologie();
    let expand = |q: &str| get(&t, Genre::ValueSet, "expand", &format!("url={JDV}{q}")).unwrap();
    let tout = expand("");
    assert_eq!(codes(&tout), ["02", "01", "01"], "as published, system by system");
    assert_eq!(tout["expansion"]["total"], 3);
    assert!(tout["expansion"].get("offset").is_none() && tout.get("compose").is_none());
    assert_eq!(tout["expansion"]["contains"][1]["display"], "Pomme", "the label of the code system");
    assert_eq!(tout["expansion"]["contains"][2]["display"], "Poireau du jardin");
    let inactifs = expand("&activeOnly=false");
    assert_eq!(codes(&inactifs), ["04", "02", "01", "01"]);
    assert_eq!(inactifs["expansion"]["contains"][0]["inactive"], true);
    assert_eq!(codes(&expand("&date=2031-01-01")), ["04", "02", "01", "01"]);
    for (filtre, attendus) in [
        ("POMME", vec!["02", "01"]),
        ("etouf pomm", vec!["02"]),
        ("jardin", vec!["01"]),
        ("01", vec!["01", "01"]),
    ] {
        assert_eq!(codes(&expand(&format!("&filter={filtre}"))), attendus, "{filtre}");
    }
    assert_eq!(expand("&filter=banane")["expansion"]["total"], 0);
    let page = expand("&count=1&offset=1");
    assert_eq!((codes(&page), &page["expansion"]["offset"]), (vec!["01"], &json!(1)));
    assert_eq!(page["expansion"]["total"], 3);
    assert_eq!(page["expansion"]["identifier"], tout["expansion"]["identifier"], "pages of one expansion");
    assert_ne!(page["expansion"]["identifier"], inactifs["expansion"]["identifier"]);
    assert_eq!(codes(&expand("&count=0")), Vec::<&str>::new());
    let riche = expand("&includeDesignations=true&includeDefinition=true&displayLanguage=fr-FR");
    assert_eq!(riche["expansion"]["contains"][1]["designation"][0]["value"], "Pom.");
    assert_eq!(riche["compose"]["include"].as_array().unwrap().len(), 2);
    let entier = get(&t, Genre::ValueSet, "expand", &format!("url={TRE}?vs")).unwrap();
    assert_eq!((codes(&entier), &entier["url"]), (vec!["01", "02"], &json!(format!("{TRE}?vs"))));
}

#[test]
fn a_translation_goes_both_ways() {
    let t = terminologie();
    let translate = |q: &str| get(&t, Genre::ConceptMap, "translate", q).unwrap();
    let premiere = |v: &Value| {
        let m = v["parameter"].as_array().unwrap().iter().find(|p| p["name"] == "match").cloned();
        m.map(|m| m["part"].clone()).unwrap_or_default()
    };
    let v = translate(&format!("url={ASS}&system={TRE}&code=01"));
    assert_eq!(sortie(&v, "result"), true);
    let m = premiere(&v);
    assert_eq!(m[0]["valueCode"], "wider");
    assert_eq!(m[1]["valueCoding"], json!({"system": LEGUMES, "code": "01", "display": "Poireau"}));
    assert_eq!(m[2]["valueUri"], ASS);
    let v = translate(&format!("system={LEGUMES}&code=01&reverse=true"));
    let m = premiere(&v);
    assert_eq!((&m[0]["valueCode"], &m[1]["valueCoding"]["code"]), (&json!("narrower"), &json!("01")));
    let v = translate(&format!("system={TRE}&code=03"));
    assert_eq!(
        (sortie(&v, "result"), premiere(&v)[0]["valueCode"].as_str()),
        (&json!(false), Some("unmatched"))
    );
    for q in ["&source=urn:autre", "&target=urn:autre", "&targetsystem=urn:autre"] {
        let v = translate(&format!("system={TRE}&code=01{q}"));
        assert!(sortie(&v, "result") == false && !sortie(&v, "message").is_null(), "{q}");
    }
    assert_eq!(
        sortie(&translate(&format!("system={TRE}&code=01&source={JDV}&target={JDV}")), "result"),
        true
    );
}

#[test]
fn every_fault_of_an_operation_is_told_at_once() {
    let t = terminologie();
    let fautes = |genre: Genre, nom: &str, q: &str| match get(&t, genre, nom, q) {
        Err(Refus::Fautes(f)) => f,
        autre => panic!("{q}: {autre:?}"),
    };
    let f = fautes(
        Genre::ValueSet,
        "expand",
        "count=-1&offset=x&date=hier&activeOnly=oui&displayLanguage=en&bidule=1&filter=a&filter=b&_format=turtle",
    );
    assert_eq!(f.len(), 9, "{f:#?}");
    assert!(f.iter().any(|i| i.diagnostics.contains("langue « en »")), "{f:#?}");
    assert!(
        f.iter().any(|i| i.diagnostics.contains("bidule") && i.diagnostics.contains("includeDesignations"))
    );
    let f = fautes(Genre::CodeSystem, "lookup", "code=01");
    assert_eq!((f.len(), f[0].code), (1, "required"), "{f:#?}");
    let f = fautes(Genre::CodeSystem, "lookup", "coding=x%7C1");
    assert!(f[0].diagnostics.contains("corps d'un POST"), "{f:#?}");
    assert_eq!(fautes(Genre::ValueSet, "validate-code", "").len(), 2, "no code, no value set");
    let entrees = de_chaine(&format!("url={ASS}&code=01")).unwrap();
    let e = executer(&t, Genre::CodeSystem, "validate-code", Some("TRE-R1-Fruit"), entrees).unwrap_err();
    let Refus::Fautes(f) = e else { panic!("{e:?}") };
    assert!(f[0].diagnostics.contains("n'est pas la ressource de l'adresse"), "{f:#?}");
    assert!(de_chaine("a=%zz&b=%").is_err_and(|i| i.len() == 2));
}

#[test]
fn resources_carry_what_was_published() {
    let t = terminologie();
    let v = ecrire(&t, Genre::CodeSystem, "TRE-R1-Fruit", false);
    assert_eq!(
        (&v["resourceType"], &v["id"], &v["url"]),
        (&json!("CodeSystem"), &json!("TRE-R1-Fruit"), &json!(TRE))
    );
    assert_eq!(v["identifier"][0], json!({"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.250.1"}));
    assert_eq!(
        (&v["name"], &v["status"], &v["content"]),
        (&json!("TRE_R1_Fruit"), &json!("active"), &json!("complete"))
    );
    assert_eq!(v["extension"][0]["valuePeriod"], json!({"start": "2019-01-01"}));
    assert!(v["copyright"].as_str().unwrap().starts_with("Licence Ouverte 2.0"));
    assert_eq!((&v["count"], v["concept"].as_array().unwrap().len()), (&json!(4), 4));
    assert_eq!(
        v["concept"][2]["property"],
        json!([{"code": "status", "valueCode": "retired"}, {"code": "dateFin", "valueDateTime": "2024-12-31"}])
    );
    assert_eq!(v["concept"][1]["property"][1], json!({"code": "parent", "valueCode": "01"}));
    let resume = ecrire(&t, Genre::CodeSystem, "TRE-R1-Fruit", true);
    assert_eq!(resume["meta"]["tag"][0]["code"], "SUBSETTED");
    assert!(resume.get("concept").is_none() && resume["url"] == TRE);
    let v = ecrire(&t, Genre::ValueSet, "JDV-J1-Fruit-ROR", false);
    let inclus = v["compose"]["include"].as_array().unwrap();
    assert_eq!((&inclus[0]["system"], &inclus[1]["system"]), (&json!(TRE), &json!(LEGUMES)));
    assert_eq!(inclus[0]["concept"], json!([{"code": "04"}, {"code": "02"}, {"code": "01"}]), "as published");
    let v = ecrire(&t, Genre::ConceptMap, "ASS-A1-Fruit-Legume", false);
    assert_eq!((&v["sourceUri"], v["group"].as_array().unwrap().len()), (&json!(JDV), 2));
    let avec_cible = v["group"].as_array().unwrap().iter().find(|g| g["target"] == LEGUMES).unwrap();
    assert_eq!(
        avec_cible["element"][0],
        json!({"code": "01", "target": [{"code": "01", "equivalence": "wider"}]})
    );
}

#[test]
fn searches_find_versions_and_page_through_them() {
    let t = terminologie();
    let chercher = |genre: Genre, q: &str| {
        let r = recherche::lire(genre, q, false).unwrap_or_else(|f| panic!("{q}: {f:#?}"));
        recherche::chercher(&t, genre, &r)
    };
    let nombre = |genre: Genre, q: &str| {
        let p = chercher(genre, q);
        assert_eq!(p.total, p.editions.len(), "{q}");
        p.total
    };
    assert_eq!(nombre(Genre::ValueSet, ""), 2);
    let cas = [
        (Genre::ValueSet, format!("url={JDV}&version=20230101120000"), 1),
        (Genre::ValueSet, "_id=JDV-J1-Fruit-ROR,JDV-J1-Fruit-ROR--20230101120000".into(), 2),
        (Genre::ValueSet, format!("code={LEGUMES}%7C01"), 1),
        (Genre::ValueSet, "code=03".into(), 1),
        (Genre::ValueSet, format!("reference={LEGUMES}"), 1),
        (Genre::ValueSet, "status=draft".into(), 0),
        (Genre::CodeSystem, "status=http://hl7.org/fhir/publication-status%7Cactive".into(), 2),
        (Genre::CodeSystem, "name=tre_r1".into(), 1),
        (Genre::CodeSystem, "name:contains=FRUIT".into(), 1),
        (Genre::CodeSystem, "name:exact=TRE_R1-Fruit".into(), 0),
        (Genre::CodeSystem, "name:exact=TRE_R1_Fruit".into(), 1),
        (Genre::CodeSystem, "title=TRE_R1".into(), 1),
        (Genre::CodeSystem, "identifier=urn:ietf:rfc:3986%7Curn:oid:1.2.250.1".into(), 1),
        (Genre::CodeSystem, "identifier=1.2.250.1&code=04".into(), 1),
        (Genre::CodeSystem, format!("system={TRE},{LEGUMES}"), 2),
        (Genre::ConceptMap, format!("source={JDV}"), 1),
        (Genre::ConceptMap, format!("target={JDV}"), 0),
        (Genre::ConceptMap, format!("source-system={TRE}&target-system={LEGUMES}"), 1),
        (Genre::ConceptMap, format!("source-code=03&target-code={LEGUMES}%7C01"), 1),
    ];
    for (genre, q, attendu) in cas {
        assert_eq!(nombre(genre, &q), attendu, "{genre:?}?{q}");
    }
    let page = chercher(Genre::ValueSet, "_count=1");
    assert_eq!((page.total, page.editions[0].entete.version.as_str()), (2, "20230101120000"));
    let suite = chercher(Genre::ValueSet, &format!("_count=1&_apres={}", page.suite.unwrap()));
    assert_eq!((suite.total, suite.editions[0].entete.version.as_str()), (2, "20250131120000"));
    assert!(suite.suite.is_none());
    let compte = chercher(Genre::ValueSet, "_summary=count");
    assert_eq!((compte.total, compte.editions.len()), (2, 0));
    assert_eq!(recherche::lire(Genre::ValueSet, "_summary=true", true).unwrap().resume, Resume::Oui);
}

#[test]
fn every_fault_of_a_search_is_told_at_once() {
    let q = "bidule=1&_count=0&_summary=text&status=nul&_id=pas+un+id&url:below=x&name=&identifier=urn:x%7C1";
    let f = recherche::lire(Genre::CodeSystem, q, false).unwrap_err();
    assert_eq!(f.len(), 8, "{f:#?}");
    assert!(
        f[0].diagnostics.contains("bidule") && f[0].diagnostics.contains("identifier"),
        "{}",
        f[0].diagnostics
    );
    assert_eq!(recherche::lire(Genre::CodeSystem, "url=x&_count=1", true).unwrap_err().len(), 2, "a read");
}

#[test]
fn the_communes_of_france_take_little_room_and_any_page_is_theirs() {
    let nombre = 35_000u32;
    let communes = |systeme: &str, libelles: bool| -> Vec<Concept> {
        let libelle = |i: u32| if libelles { format!("Saint-Exemple-lès-Bois {i}") } else { String::new() };
        (0..nombre).map(|i| concept(systeme, &format!("{i:05}"), &libelle(i))).collect()
    };
    let mut t = Terminologie::default();
    t.poser(nomenclature(Sorte::Tre, TRE, "1", communes("", true)));
    t.poser(nomenclature(Sorte::Jdv, JDV, "1", communes(TRE, false)));
    t.indexer();
    assert!(t.poids() < 6_000_000, "{} bytes", t.poids());
    let debut = std::time::Instant::now();
    let v = get(&t, Genre::ValueSet, "expand", &format!("url={JDV}&count=100")).unwrap();
    eprintln!("first page of {nombre} members: {:?}", debut.elapsed());
    assert_eq!((&v["expansion"]["total"], codes(&v).len()), (&json!(nombre), 100));
    let v = get(&t, Genre::ValueSet, "expand", &format!("url={JDV}&count=10&filter=bois 34999")).unwrap();
    assert_eq!((&v["expansion"]["total"], codes(&v)), (&json!(1), vec!["34999"]));
    let trop = get(&t, Genre::ValueSet, "expand", &format!("url={JDV}")).unwrap_err();
    let Refus::Echec(Echec::TropLong(i)) = trop else { panic!("{trop:?}") };
    assert_eq!(i.code, "too-costly");
}
