use std::collections::BTreeMap;
use std::io::Write;

use ror_proto::identity::v1::StructureFiness;
use ror_proto::identity::v1::identity::Ressource;
use serde_json::{Value, json};

use super::super::tests::Hasard;
use super::*;

mod apports;
mod echantillons;
mod equivalence;

fn charger(octets: &[u8]) -> (Vec<Lecture>, Result<Resume, ErreurFichier>) {
    let mut lectures = Vec::new();
    let resume = lire(octets, &mut |lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    });
    (lectures, resume)
}

fn structures(lectures: &[Lecture]) -> Vec<&StructureFiness> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ressource, suite: false, .. } => match ressource.as_ref() {
                Ressource::StructureFiness(structure) => Some(structure),
                autre => panic!("{autre:?}"),
            },
            Lecture::Enregistrement { .. } => panic!("une structure est remise entière"),
            Lecture::Refus { .. } => None,
        })
        .collect()
}

/// Rank, rule and element of the first fault of each refusal.
fn refus(lectures: &[Lecture]) -> Vec<(u64, &str, &str)> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Refus { ligne, fautes, .. } => {
                Some((*ligne, fautes[0].regle.as_str(), fautes[0].element.as_str()))
            }
            Lecture::Enregistrement { .. } => None,
        })
        .collect()
}

fn comptes<const N: usize>(resume: &Resume, noms: [&str; N]) -> [u64; N] {
    noms.map(|nom| resume.comptes[nom])
}

fn adresse(usage: &str, commune: &str, coordonnees: Value) -> Value {
    json!({"usageAdresse": usage, "numeroVoie": "12", "typeVoie": "R   ", "libelleVoie": "FICTIVE",
        "cogCommune": commune, "codePostal": "01000", "ligneAcheminement": "VILLE",
        "coordonneesGeographique": coordonnees})
}

fn degres() -> Value {
    json!({"coordonneeX": "5.2086", "coordonneeY": "46.2227", "directionLatitude": "6571585.5",
        "directionLongitude": "870216.1", "cleInInteropBAN": "01451_2380_00012", "scoreBAN": "0.96"})
}

fn ege(finess: &str, etat: &str, fermeture: Value, evenements: Value) -> Value {
    json!({"informationsGeneralesEGE": {"egeId": "1", "nomEgeLong": " SITE ", "nomEgeCourt": "S",
            "numFinessEge": finess, "siret": "99000101800128", "espic": ["1"],
            "dateOuverture": "1979-02-13", "dateFermeture": fermeture},
        "categorieentiteGeographiqueExercice": "355",
        "adresse": [adresse("06", "01053", Value::Null), adresse("03", "01451", degres())],
        "contact": [{"telecom": {"telephone": "0400000201 0400000202"}}],
        "evenement": evenements, "etatObjet": etat, "dateDerniereMaj": "2026-02-04 10:00:01"})
}

fn pmej(finess: &str, sites: Value) -> Value {
    json!({"informationsGeneralesPMEJ": {"numFinessPm": finess, "denominationPm": "CH",
            "siren": "990001018", "statutJuridique": "13", "dateCreation": "1900-01-01"},
        "adresse": [adresse("02", "01451", Value::Null)], "etatObjet": "A", "ege": sites})
}

fn fichier(elements: Value) -> String {
    json!({"schemaVersion": "v1.0.0", "generatedAt": "2026-10-01T02:14:30Z", "gco": [{}, {}],
        "gcc": null, "pmej": elements})
    .to_string()
}

#[test]
fn une_entite_et_son_site() {
    let texte = fichier(json!([pmej("019000108", json!([ege("019000207", "A", Value::Null, json!([]))]))]));
    let (lectures, resume) = charger(texte.as_bytes());
    let resume = resume.unwrap();
    let lues = structures(&lectures);
    assert_eq!(lues.len(), 2);
    assert!(lues[0].entite_juridique);
    assert_eq!(lues[0].siren, "990001018");
    assert_eq!(lues[0].date_ouverture, "");
    let site = lues[1];
    assert_eq!(site.num_finess_ej, "019000108");
    assert_eq!(site.denomination, "SITE");
    assert_eq!(site.meta.as_ref().unwrap().region, "84");
    assert_eq!(site.commune_cog, "01451");
    assert_eq!(site.telephone, "0400000201");
    assert_eq!(site.date_maj_source, "2026-02-04T10:00:01");
    assert_eq!(site.espic, "1");
    let adresse = site.adresse.as_ref().unwrap();
    assert_eq!(adresse.type_voie, "R");
    let position = site.position.as_ref().unwrap();
    assert!((position.latitude - 46.2227).abs() < 1e-9);
    assert_eq!(position.fiable, Some(true));
    assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20261001", "v1.0.0"));
    assert_eq!(
        resume.comptes,
        BTreeMap::from([
            ("gco", 2),
            ("gcc", 0),
            ("pmej", 1),
            ("ege", 1),
            ("actifs", 1),
            ("inactifs", 0),
            ("adresses", 2),
            ("adresses-sans-coordonnees", 1),
        ])
    );
    let attendus = BTreeMap::from([
        ("adresse-principale-non-premiere", 1),
        ("coordonnees-absentes", 1),
        ("coordonnees-absentes-ej", 1),
        ("date-inconnue", 1),
        ("telephones-multiples", 1),
        ("texte-rembourre", 1),
        ("type-voie-rembourre", 2),
        ("type-voie-rembourre-ej", 1),
    ]);
    assert_eq!(resume.constats, attendus);
}

#[test]
fn fermetures() {
    let evenement = |code: &str, etat: Value, jour: &str| json!({"codeEvenement": code, "etatObjet1": etat, "dateEvenement": jour});
    let cas = [
        (
            "I",
            json!("2020-01-01"),
            json!([evenement("005", json!("100"), "2020-01-01")]),
            "DEF",
            "2020-01-01",
        ),
        ("I", json!("2020-01-01"), json!([evenement("005", Value::Null, "2020-01-01")]), "DEF", "2020-01-01"),
        (
            "I",
            json!("2020-01-01"),
            json!([evenement("005", json!("103"), "2020-01-01")]),
            "PRO",
            "2020-01-01",
        ),
        (
            "I",
            json!("2020-01-01"),
            json!([evenement("005", json!("102"), "2020-01-01")]),
            "HORS_CHAMP",
            "2020-01-01",
        ),
        (
            "I",
            json!("2020-01-01"),
            json!([evenement("005", json!("101"), "2020-01-01")]),
            "ERREUR",
            "2020-01-01",
        ),
        (
            "I",
            Value::Null,
            json!([
                evenement("005", json!("103"), "2019-01-01"),
                evenement("005", json!("100"), "2020-02-02")
            ]),
            "DEF",
            "2020-02-02",
        ),
        ("I", json!("2020-01-01"), json!([]), "DEF", "2020-01-01"),
        ("A", json!("2020-01-01"), json!([]), "", ""),
        ("A", json!("2027-01-01"), json!([]), "", "2027-01-01"),
        ("A", Value::Null, json!([evenement("005", json!("103"), "2019-01-01")]), "", ""),
    ];
    for (etat, date, evenements, genre, jour) in cas {
        let site = ege("019000207", etat, date.clone(), evenements.clone());
        let texte = fichier(json!([pmej("019000108", json!([site]))]));
        let (lectures, _) = charger(texte.as_bytes());
        let lues = structures(&lectures);
        assert_eq!(lues[1].type_fermeture, genre, "{etat} {date} {evenements}");
        assert_eq!(lues[1].date_fermeture, jour, "{etat} {date} {evenements}");
    }
}

#[test]
fn coordonnees_permutees_et_impossibles() {
    let mut site = ege("019000207", "A", Value::Null, json!([]));
    let permutees = json!({"coordonneeX": "870216.1", "coordonneeY": "6571585.5",
        "directionLatitude": "46.2227", "directionLongitude": "5.2086"});
    let ailleurs = json!({"coordonneeX": "-52.0", "coordonneeY": "5.0"});
    let metres = json!({"coordonneeX": "870216.1", "coordonneeY": "6571585.5"});
    let illisibles = json!({"coordonneeX": "NaN", "coordonneeY": "ici"});
    site["adresse"] = json!([
        adresse("03", "01451", permutees),
        adresse("04", "01451", ailleurs),
        adresse("04", "01451", metres),
        adresse("04", "01451", illisibles)
    ]);
    let texte = fichier(json!([pmej("019000108", json!([site]))]));
    let (lectures, resume) = charger(texte.as_bytes());
    let constats = resume.unwrap().constats;
    assert_eq!(constats.get("coordonnees-permutees"), Some(&1));
    assert_eq!(constats.get("coordonnees-hors-limites"), Some(&2));
    assert_eq!(constats.get("coordonnees-illisibles"), Some(&1));
    let lues = structures(&lectures);
    let position = lues[1].position.as_ref().unwrap();
    assert!((position.longitude - 5.2086).abs() < 1e-9);
    assert_eq!(position.fiable, None);
}

#[test]
fn un_element_faux_n_arrete_pas_les_autres() {
    let mut sans_etat = pmej("019000108", json!([]));
    sans_etat["etatObjet"] = json!("Z");
    let bon = ege("019000207", "A", Value::Null, json!([]));
    let elements = json!([
        "pas un objet",
        null,
        sans_etat,
        pmej("12", json!([])),
        pmej("019000108", json!("pas une liste")),
        pmej("019000108", json!([42, bon]))
    ]);
    let (lectures, resume) = charger(fichier(elements).as_bytes());
    let resume = resume.unwrap();
    assert_eq!(
        refus(&lectures),
        [
            (1, "forme-inattendue", "pmej[1]"),
            (2, "forme-inattendue", "pmej[2]"),
            (3, "etat-inconnu", "pmej[3].etatObjet"),
            (4, "finess-forme-invalide", "pmej[4].informationsGeneralesPMEJ.numFinessPm"),
            (5, "forme-inattendue", "pmej[5].ege"),
            (6, "forme-inattendue", "pmej[6].ege[1]"),
        ]
    );
    assert_eq!(structures(&lectures).len(), 2);
    assert_eq!(comptes(&resume, ["pmej", "ege"]), [6, 2]);
}

#[test]
fn cles_inconnues_et_cles_fausses() {
    let mut entite = pmej("019000109", json!([]));
    entite["nouveaute"] = json!({"a": 1});
    entite["informationsGeneralesPMEJ"]["siren"] = json!("990001019");
    let (_, resume) = charger(fichier(json!([entite])).as_bytes());
    let constats = resume.unwrap().constats;
    assert_eq!(constats.get("cle-inconnue"), Some(&1));
    assert_eq!(constats.get("finess-cle-invalide"), Some(&1));
    assert_eq!(constats.get("siren-cle-invalide"), Some(&1));
}

#[test]
fn fichier_coupe() {
    let texte = fichier(json!([pmej("019000108", json!([])), pmej("019000108", json!([]))]));
    let coupe = texte.len() - 40;
    let (lectures, resume) = charger(&texte.as_bytes()[..coupe]);
    let erreur = resume.unwrap_err();
    assert_eq!(structures(&lectures).len(), 1);
    assert_eq!(erreur.octet, coupe as u64);
    assert_eq!(erreur.ligne, 1);
    assert!(erreur.message.contains("tronqué"), "{}", erreur.message);
}

#[test]
fn gzip_coupe() {
    let texte = fichier(json!([pmej("019000108", json!([]))]));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(texte.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(charger(&gzip).1.map(|resume| resume.comptes["pmej"]), Ok(1));
    assert!(charger(&gzip[..gzip.len() - 12]).1.is_err());
}

#[test]
fn arret_demande() {
    let texte = fichier(json!([pmej("019000108", json!([])), pmej("019000108", json!([]))]));
    let mut lues = 0;
    let resume = lire(texte.as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!(resume.comptes["pmej"], 1);
    assert_eq!(lues, 1);
}

#[test]
fn rien_ne_fait_paniquer() {
    let texte = fichier(json!([pmej("019000108", json!([ege("019000207", "A", Value::Null, json!([]))]))]));
    for fin in 0..texte.len() {
        assert!(charger(&texte.as_bytes()[..fin]).1.is_err());
    }
    let mut hasard = Hasard(7);
    for _ in 0..2000 {
        let mut octets = texte.clone().into_bytes();
        for _ in 0..=hasard.jusqu_a(3) {
            let rang = hasard.jusqu_a(octets.len());
            octets[rang] = u8::try_from(hasard.jusqu_a(256)).unwrap();
        }
        let _ = charger(&octets);
    }
    let profond = format!("{{\"pmej\":[{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
    let (lectures, resume) = charger(profond.as_bytes());
    assert!(resume.is_ok());
    assert!(matches!(lectures[0], Lecture::Refus { .. }));
    for hostile in [
        "",
        "[]",
        "null",
        "{}",
        "{\"pmej\":{}}",
        "{\"pmej\":null}",
        "{\"pmej\":[]}x",
        "{\"pmej\":[1e999]",
        "{\"gco\":3,\"pmej\":[]}",
    ] {
        assert!(charger(hostile.as_bytes()).1.is_err(), "{hostile}");
    }
    for etrange in ["{\"pmej\":[1e999,\"\\ud800\",{\"ege\":[{}]}]}", "{\"pmej\":[],\"pmej\":[]}"] {
        assert!(charger(etrange.as_bytes()).1.is_ok(), "{etrange}");
    }
}
