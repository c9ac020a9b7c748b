use std::io::Write;
use std::ops::ControlFlow;

use ror_domaine::identifiants::{id_eg, id_ej, id_ps};
use ror_proto::common::v1::Meta;
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{Professionnel, StructureFiness};
use serde_json::{Value, json};

use super::super::{ErreurFichier, Lecture, Resume};
use super::*;

mod echantillons;
mod superposition;

const EJ: &str = "019000108";
const EG: &str = "019000207";
const ZOE: &str = "10990000019";

fn identifiant(genre: &str, valeur: &str) -> Value {
    let systeme = match genre {
        "FINEJ" | "FINEG" => "https://finess.esante.gouv.fr",
        "IDNPS" => "urn:oid:1.2.250.1.71.4.2.1",
        "RPPS" => "https://rpps.esante.gouv.fr",
        _ => "https://sirene.fr",
    };
    json!({"type": {"coding": [{"code": genre}]}, "system": systeme, "value": valeur})
}

fn nos(table: &str, code: &str) -> Value {
    json!({"coding": [{"system": format!("https://mos.esante.gouv.fr/NOS/TRE_{table}-X/FHIR/TRE-{table}-X"),
        "code": code}]})
}

fn meta(version: &str) -> Value {
    json!({"versionId": version, "lastUpdated": "2026-10-01T18:19:26.335+02:00"})
}

fn entite() -> Value {
    json!({"resourceType": "Organization", "id": "001-ej", "meta": meta("1"), "active": true,
        "identifier": [identifiant("FINEJ", EJ), identifiant("SIREN", "990001018")],
        "name": "CENTRE INVENTÉ", "type": [nos("R72", "13"), nos("R75", "86.10Z")],
        "address": [{"city": "VIRIAT", "postalCode": "01440", "line": ["12 RTE DE LA FICTION"],
            "extension": [{"url": "https://x/fr-core-address-insee-code", "valueCoding": {"code": "01451"}}]}]})
}

fn site() -> Value {
    let partie = |nom: &str, valeur: &str| json!({"url": format!("http://x/iso21090-ADXP-{nom}"), "valueString": valeur});
    json!({"resourceType": "Organization", "id": "001-eg", "meta": meta("1"), "active": true,
        "identifier": [identifiant("FINEG", EG), identifiant("SIRET", "99000101800128")],
        "name": "SITE INVENTÉ", "partOf": {"reference": "Organization/001-ej"},
        "type": [nos("R66", "355"), nos("R73", "1"), nos("R02", "SA01")],
        "extension": [
            {"url": "https://x/as-ext-data-trace",
                "extension": [{"url": "date-maj-ae", "valueDate": "2026-02-04"}]},
            {"url": "http://hl7.org/fhir/StructureDefinition/organization-period",
                "valuePeriod": {"start": "1979-02-13T00:00:00+01:00"}}],
        "address": [{"city": "VIRIAT", "postalCode": "01440", "line": ["12 RTE DE LA FICTION"],
            "_line": [{"extension": [partie("houseNumber", "12"), partie("streetNameType", "RTE"),
                partie("streetNameBase", "DE LA FICTION")]}],
            "extension": [{"url": "https://x/fr-core-address-insee-code", "valueCoding": {"code": "01451"}}]}]})
}

fn praticien(rpps: &str, nom: &str, version: &str) -> Value {
    json!({"resourceType": "Practitioner", "id": format!("003-{rpps}"), "meta": meta(version), "active": true,
        "identifier": [identifiant("IDNPS", &format!("8{rpps}")), identifiant("RPPS", rpps)],
        "name": [{"use": "usual", "family": nom, "given": ["Zoé"], "prefix": ["MME"], "suffix": ["DR"]}],
        "qualification": [
            {"code": {"coding": [nos("G15", "10")["coding"][0], nos("R09", "C")["coding"][0]]}},
            {"code": {"coding": [nos("R04", "S")["coding"][0], nos("R38", "SM53")["coding"][0]]}},
            {"code": {"coding": [nos("R14", "DE")["coding"][0], nos("R48", "DE09")["coding"][0]]}}]})
}

fn role(numero: &str, rpps: &str, lieu: &str) -> Value {
    json!({"resourceType": "PractitionerRole", "id": format!("005-{numero}"), "meta": meta("1"), "active": true,
        "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": numero}],
        "practitioner": {"reference": format!("https://api.invalid/fhir/v2/Practitioner/003-{rpps}")},
        "organization": {"reference": format!("Organization/{lieu}")},
        "code": [nos("R22", "GENR01"), nos("R23", "S")]})
}

fn page(ressources: &[Value]) -> Value {
    let entrees: Vec<Value> = ressources.iter().map(|r| json!({"resource": r})).collect();
    json!({"resourceType": "Bundle", "type": "searchset", "entry": entrees})
}

fn charger(source: impl Read) -> (Vec<Lecture>, Result<Resume, ErreurFichier>) {
    let mut lectures = Vec::new();
    let resume = lire(source, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume)
}

fn lignes(documents: &[Value]) -> String {
    documents.iter().map(|d| format!("{d}\n")).collect()
}

fn structures(lectures: &[Lecture]) -> Vec<(&StructureFiness, bool)> {
    lectures
        .iter()
        .filter_map(|l| match l {
            Lecture::Enregistrement { ressource, suite, .. } => match &**ressource {
                Ressource::StructureFiness(s) => Some((s, *suite)),
                _ => None,
            },
            Lecture::Refus { .. } => None,
        })
        .collect()
}

fn personnes(lectures: &[Lecture]) -> Vec<(&Professionnel, bool)> {
    lectures
        .iter()
        .filter_map(|l| match l {
            Lecture::Enregistrement { ressource, suite, .. } => match &**ressource {
                Ressource::Professionnel(p) => Some((p, *suite)),
                _ => None,
            },
            Lecture::Refus { .. } => None,
        })
        .collect()
}

fn refus(lectures: &[Lecture]) -> Vec<(u64, &str, &str)> {
    lectures
        .iter()
        .filter_map(|l| match l {
            Lecture::Refus { ligne, fautes, contenu, .. } => {
                Some((*ligne, fautes[0].regle.as_str(), contenu.as_str()))
            }
            Lecture::Enregistrement { .. } => None,
        })
        .collect()
}

fn compte(resume: &Resume, nom: &str) -> u64 {
    resume.comptes.get(nom).copied().unwrap_or_default()
}

#[test]
fn a_page_gives_structures_then_the_person_with_her_activities_in_any_order() {
    let page = page(&[role("99", ZOE, "001-eg"), site(), praticien(ZOE, "ALPHA", "1"), entite()]);
    let (lectures, resume) = charger(lignes(&[page]).as_bytes());
    assert_eq!(compte(&resume.unwrap(), "ressources"), 4);
    let lues = structures(&lectures);
    assert_eq!(lues.len(), 2);
    let (eg, ej) = (lues[0].0, lues[1].0);
    assert_eq!(ej.meta.as_ref().unwrap().id, id_ej(EJ));
    assert!(ej.entite_juridique && ej.num_finess_ej.is_empty());
    assert_eq!((ej.siren.as_str(), ej.statut_juridique.as_str()), ("990001018", "13"));
    assert_eq!(ej.code_ape, "86.10Z");
    assert_eq!(ej.adresse.as_ref().unwrap().libelle_voie, "12 RTE DE LA FICTION");
    let meta = eg.meta.as_ref().unwrap();
    assert_eq!((meta.id.as_str(), meta.region.as_str()), (id_eg(EG).as_str(), "84"));
    assert_eq!((eg.num_finess_ej.as_str(), eg.siret.as_str()), (EJ, "99000101800128"));
    assert_eq!((eg.categorie.as_str(), eg.espic.as_str()), ("355", "1"));
    assert_eq!((eg.date_ouverture.as_str(), eg.date_maj_source.as_str()), ("1979-02-13", "2026-02-04"));
    let adresse = eg.adresse.as_ref().unwrap();
    assert_eq!((adresse.type_voie.as_str(), adresse.libelle_voie.as_str()), ("RTE", "DE LA FICTION"));

    let lues = personnes(&lectures);
    assert_eq!(lues.len(), 1);
    let (p, suite) = lues[0];
    assert!(!suite && p.actif);
    assert_eq!(p.meta.as_ref().unwrap().id, id_ps(&format!("8{ZOE}")));
    assert_eq!((p.rpps.as_str(), p.nom.as_str(), p.prenom.as_str()), (ZOE, "ALPHA", "Zoé"));
    assert_eq!(p.civilite.as_ref().unwrap().code, "MME");
    assert_eq!(p.exercices.len(), 1);
    let exercice = &p.exercices[0];
    assert_eq!((exercice.profession.as_str(), exercice.civilite_exercice.as_str()), ("10", "DR"));
    assert_eq!(exercice.savoir_faire[0].code, "SM53");
    let activite = &exercice.activites[0];
    assert_eq!((activite.finess_site.as_str(), activite.finess_ej.as_str()), (EG, EJ));
    assert_eq!((activite.siret.as_str(), activite.secteur.as_str()), ("99000101800128", "SA01"));
    assert_eq!((activite.id_technique_structure.as_str(), activite.genre.as_str()), ("F019000207", "GENR01"));
}

#[test]
fn no_technical_id_reaches_a_record() {
    let page = page(&[entite(), site(), praticien(ZOE, "ALPHA", "1"), role("99", ZOE, "001-eg")]);
    let (lectures, _) = charger(lignes(&[page]).as_bytes());
    let texte = format!("{lectures:?}");
    for id in ["001-ej", "001-eg", "003-", "005-"] {
        assert!(!texte.contains(id), "{id} is in a record");
    }
}

#[test]
fn an_inactive_resource_says_so_and_nothing_else() {
    let ferme = json!({"resourceType": "Organization", "id": "001-x", "active": false, "name": "SITE INVENTÉ",
        "identifier": [identifiant("FINEG", EG)]});
    let parti = json!({"resourceType": "Practitioner", "id": "003-x", "active": false,
        "identifier": [identifiant("RPPS", ZOE)]});
    let finie = json!({"resourceType": "PractitionerRole", "id": "005-x", "active": false,
        "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": "99"}]});
    let (lectures, resume) = charger(lignes(&[ferme, parti, finie]).as_bytes());
    assert_eq!(
        structures(&lectures)[0].0,
        &StructureFiness {
            meta: Some(Meta { id: id_eg(EG), ..Default::default() }),
            num_finess: EG.to_owned(),
            type_fermeture: "NDI".to_owned(),
            ..Default::default()
        }
    );
    let id_nat_ps = format!("8{ZOE}");
    assert_eq!(
        personnes(&lectures)[0].0,
        &Professionnel {
            meta: Some(Meta { id: id_ps(&id_nat_ps), ..Default::default() }),
            id_nat_ps,
            rpps: ZOE.to_owned(),
            ..Default::default()
        }
    );
    assert_eq!(compte(&resume.unwrap(), "activites-inactives"), 1);
    assert_eq!(lectures.len(), 2);
}

#[test]
fn each_fault_names_its_resource_and_the_rest_goes_on() {
    let mut sans_nom = entite();
    sans_nom["name"] = json!("");
    let mut finess_faux = entite();
    finess_faux["identifier"][0]["value"] = json!("ABC");
    let mut sans_nature = entite();
    sans_nature["identifier"] = json!([{"system": "https://finess.esante.gouv.fr", "value": EJ}]);
    sans_nature["meta"] = meta("2");
    let mut anonyme = praticien("10990000027", "", "1");
    anonyme["name"] = json!([]);
    let texte = format!(
        "{}{{\"resourceType\": \"Prac\n\n{}",
        lignes(&[page(&[
            sans_nom,
            finess_faux,
            sans_nature,
            praticien("10990000018", "BETA", "1"),
            anonyme
        ])]),
        lignes(&[json!({"resourceType": "Device"}), json!({}), praticien(ZOE, "ALPHA", "1")])
    );
    let (lectures, resume) = charger(texte.as_bytes());
    let regles: Vec<(u64, &str)> = refus(&lectures).iter().map(|(l, r, _)| (*l, *r)).collect();
    assert_eq!(
        regles,
        [
            (1, "denomination-absente"),
            (1, "finess-forme-invalide"),
            (1, "nature-finess-inconnue"),
            (1, "rpps-cle-invalide"),
            (1, "nom-absent"),
            (2, "json-illisible"),
            (5, "type-de-ressource-absent"),
        ]
    );
    assert_eq!(personnes(&lectures).len(), 1, "the one after all the faults");
    assert_eq!(compte(&resume.unwrap(), "ressources-ignorees"), 1);
    for (_, regle, contenu) in refus(&lectures) {
        let de_structure =
            ["denomination-absente", "finess-forme-invalide", "nature-finess-inconnue"].contains(&regle);
        assert_eq!(!contenu.is_empty(), de_structure, "{regle}: only structures are quoted");
    }
}

#[test]
fn an_activity_finds_its_person_before_or_after_and_is_refused_without() {
    let texte = lignes(&[
        role("1", ZOE, "001-eg"),
        praticien(ZOE, "ALPHA", "1"),
        role("2", ZOE, "001-eg"),
        role("3", "10990000027", "001-eg"),
    ]);
    let (lectures, _) = charger(texte.as_bytes());
    let lues = personnes(&lectures);
    let vues: Vec<(bool, usize)> =
        lues.iter().map(|(p, suite)| (*suite, p.exercices.iter().map(|e| e.activites.len()).sum())).collect();
    assert_eq!(vues, [(false, 0), (true, 1), (true, 1)], "the person, her activities as they come");
    assert!(lues.iter().all(|(p, _)| p.nom == "ALPHA"));
    assert_eq!(refus(&lectures), [(4, "praticien-non-resolu", "")]);
}

#[test]
fn an_activity_that_names_its_person_by_a_number_is_the_rest_of_a_record() {
    let mut seule = role("1", ZOE, "001-eg");
    seule["practitioner"] = json!({"identifier": {"system": "https://rpps.esante.gouv.fr", "value": ZOE}});
    let (lectures, _) = charger(lignes(&[seule]).as_bytes());
    let (p, suite) = personnes(&lectures)[0];
    assert!(suite && p.actif && p.nom.is_empty());
    assert_eq!(p.id_nat_ps, format!("8{ZOE}"));
}

#[test]
fn a_version_met_twice_is_read_once_and_another_version_is_the_rest() {
    let texte = lignes(&[
        page(&[entite(), praticien(ZOE, "ALPHA", "1")]),
        page(&[entite(), praticien(ZOE, "ALPHA", "1")]),
        page(&[praticien(ZOE, "OMEGA", "2")]),
    ]);
    let (lectures, resume) = charger(texte.as_bytes());
    assert_eq!(compte(&resume.unwrap(), "doublons"), 2);
    let noms: Vec<(&str, bool)> = personnes(&lectures).iter().map(|(p, s)| (p.nom.as_str(), *s)).collect();
    assert_eq!(noms, [("ALPHA", false), ("OMEGA", true)]);
    assert_eq!(structures(&lectures).len(), 1);
}

#[test]
fn a_site_waits_for_its_legal_entity_and_is_told_without_it_in_the_end() {
    let (lectures, resume) = charger(lignes(&[site(), entite()]).as_bytes());
    let numeros: Vec<&str> = structures(&lectures).iter().map(|(s, _)| s.num_finess_ej.as_str()).collect();
    assert_eq!(numeros, ["", EJ], "the legal entity, then the site that waited");
    assert!(resume.unwrap().constats.is_empty());
    let (lectures, resume) = charger(lignes(&[site()]).as_bytes());
    assert_eq!(structures(&lectures)[0].0.num_finess_ej, "");
    assert_eq!(resume.unwrap().constats.get("entite-juridique-non-resolue"), Some(&1));
}

#[test]
fn the_form_of_the_text_changes_nothing() {
    let pages = [page(&[entite(), site()]), page(&[praticien(ZOE, "ALPHA", "1"), role("1", ZOE, "001-eg")])];
    let (attendues, _) = charger(lignes(&pages).as_bytes());
    let sans_numero = |lectures: Vec<Lecture>| -> Vec<String> {
        lectures
            .into_iter()
            .map(|l| match l {
                Lecture::Enregistrement { ressource, suite, .. } => format!("{ressource:?} {suite}"),
                Lecture::Refus { .. } => panic!("nothing is refused"),
            })
            .collect()
    };
    let attendues = sans_numero(attendues);
    assert_eq!(attendues.len(), 3);
    let etale: String = pages.iter().map(|p| format!("{p:#}\n")).collect();
    assert_eq!(sans_numero(charger(etale.as_bytes()).0), attendues);
    let mut gzip = Vec::new();
    for page in &pages {
        let mut membre = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        membre.write_all(format!("{page}\n").as_bytes()).unwrap();
        gzip.extend(membre.finish().unwrap());
    }
    assert_eq!(sans_numero(charger(gzip.as_slice()).0), attendues, "one gzip member a page");
}

#[test]
fn a_cut_or_empty_file_is_an_error_and_the_caller_may_stop() {
    let etale = format!("{:#}", page(&[entite()]));
    let (_, resume) = charger(&etale.as_bytes()[..etale.len() / 2]);
    assert!(resume.unwrap_err().message.contains("tronqué"));
    for vide in ["", "\n \n"] {
        assert_eq!(charger(vide.as_bytes()).1.unwrap_err().message, "Le fichier est vide.");
    }
    let mut lues = 0;
    lire(lignes(&[entite(), praticien(ZOE, "ALPHA", "1")]).as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(lues, 1);
}
