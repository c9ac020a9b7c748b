use std::io::Write;

use ror_proto::identity::v1::{CapaciteFiness, StatutActivite};
use serde_json::json;

use super::super::tests::Hasard;
use super::*;

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

fn fiches(lectures: &[Lecture]) -> Vec<&ActivitesFiness> {
    lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Enregistrement { ressource, suite: false, .. } => match ressource.as_ref() {
                Ressource::ActivitesFiness(fiche) => Some(fiche),
                autre => panic!("{autre:?}"),
            },
            Lecture::Enregistrement { .. } => panic!("une structure est remise entière"),
            Lecture::Refus { .. } => None,
        })
        .collect()
}

fn evenement(code: &str, jour: &str) -> Value {
    json!({"evenementId": "1", "codeEvenement": code, "etatObjet1": code, "dateEvenement": jour,
        "dateEnregistrement": "2026-07-07 12:22:32"})
}

fn activite(id: &str, etat: &str, nature: &str, bloc: Value, evenements: Value) -> Value {
    json!({"caracteristiquesGeneriques": {"activiteAeId": id, "etatObjet": etat,
            "numAutorisationArhgos": "ARA-1", "dateDebutActiviteAutorisee": "2017-01-03",
            "dateFinActiviteAutorisee": "2032-01-03", "dateFinEffectiveActivite": null,
            "dateCaduciteAutorisation": null},
        "nature": {"codeNature": nature, "caracteristiquesSpecifiques": bloc},
        "evenement": evenements, "engagement": [], "capacite": [], "zoneIntervention": null})
}

fn amf(id: &str, etat: &str, evenements: Value) -> Value {
    let bloc =
        json!({"typeActiviteAMF": {"activiteAMF": "14", "modaliteActivite": "23", "formeActivite": "00"}});
    activite(id, etat, "AMF", bloc, evenements)
}

fn pmej(autorisees: Value, sites: Value) -> Value {
    json!({"numFiness": "019000108", "pmSmsseId": "1", "activitesAutorisees": autorisees, "ege": sites})
}

fn ege(finess: &str, exercees: Value) -> Value {
    json!({"egeId": "2", "numFinessEge": finess, "activitesExercees": exercees})
}

fn fichier(elements: Value) -> String {
    json!({"schemaVersion": "v1.0.0", "generatedAt": "2026-10-01T02:16:50Z", "pmej": elements}).to_string()
}

/// The only activity of a site.
fn seule(activite: Value) -> ActiviteFiness {
    let texte = fichier(json!([pmej(json!([]), json!([ege("019000207", json!([activite]))]))]));
    let (lectures, _) = charger(texte.as_bytes());
    fiches(&lectures)[1].activites[0].clone()
}

#[test]
fn une_fiche_par_structure() {
    let autorisees = json!([amf("20", "A", json!([])), amf("10", "A", json!([]))]);
    let mut exercee = amf("11", "A", json!([evenement("012", "2017-01-03")]));
    exercee["caracteristiquesGeneriques"]["identifiantAutorisation"] = json!("10");
    let sites = json!([ege("019000207", json!([exercee])), ege("019000215", json!([]))]);
    let (lectures, resume) = charger(fichier(json!([pmej(autorisees, sites)])).as_bytes());
    let resume = resume.unwrap();
    assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20261001", "v1.0.0"));
    assert_eq!(
        resume.comptes,
        BTreeMap::from([
            ("pmej", 1),
            ("ege", 2),
            ("activites-autorisees", 2),
            ("activites-exercees", 1),
            ("capacites", 0),
            ("communes", 0),
        ])
    );
    assert!(resume.constats.is_empty(), "{:?}", resume.constats);
    let lues = fiches(&lectures);
    let numeros: Vec<_> = lues.iter().map(|lue| lue.num_finess.as_str()).collect();
    assert_eq!(numeros, ["019000108", "019000207", "019000215"]);
    let ids: Vec<_> = lues[0].activites.iter().map(|lue| lue.identifiant.as_str()).collect();
    assert_eq!(ids, ["10", "20"]);
    assert!(lues[2].activites.is_empty());
    let identifiants: Vec<_> = lues.iter().map(|lue| lue.meta.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(identifiants[0], id_activites(&id_ej("019000108")));
    assert_eq!(identifiants[1], id_activites(&id_eg("019000207")));
    let exercee = &lues[1].activites[0];
    assert_eq!(exercee.identifiant_autorisation, "10");
    assert_eq!(exercee.num_arhgos, "ARA-1");
    assert_eq!((exercee.date_debut.as_str(), exercee.date_fin.as_str()), ("2017-01-03", "2032-01-03"));
    assert_eq!(exercee.date_fin_effective, "");
    assert_eq!(exercee.statut(), StatutActivite::MiseEnOeuvre);
}

#[test]
fn chaque_nature_a_son_bloc() {
    let ms = |cle: &str| json!({cle: {"activiteSocialeRegulee": "924", "modeFonctionnement": "11", "public": "711"}});
    let cas = [
        (
            "AMM",
            json!({"typeActiviteAMM": {"activiteAMM": "QA002", "modaliteAMM": "MO006", "mentionAMM": "ME000",
                "ptsAMM": "PTS19", "declarationAMM": "DE022"}, "appareil": []}),
            ["AMM", "QA002", "MO006", "PTS19 DE022", ""],
        ),
        (
            "AMM",
            json!({"typeActiviteAMM": {"activiteAMM": "QA014", "modaliteAMM": "MO032", "mentionAMM": "ME065",
                "ptsAMM": "PTS00", "declarationAMM": "DE000"}}),
            ["AMM", "QA014", "MO032", "ME065", ""],
        ),
        (
            "AMF",
            json!({"typeActiviteAMF": {"activiteAMF": "14", "modaliteActivite": "23", "formeActivite": "00"}}),
            ["AMF", "14", "23", "00", ""],
        ),
        (
            "AASA",
            json!({"typeActiviteAASA": {"activiteSanitaireRegulee": "A0", "modaliteActivite": "00",
                "formeActivite": "15"}, "numDecision": "2014-1"}),
            ["AASA", "A0", "00", "15", ""],
        ),
        ("EML", json!({"typeActiviteEML": {"typeEmlId": "7"}, "marque": "0000"}), ["EML", "7", "", "", ""]),
        ("ASMR", ms("typeActiviteAMSR"), ["ASMR", "924", "11", "", "711"]),
        ("AMSR", ms("typeActiviteAMSR"), ["ASMR", "924", "11", "", "711"]),
        ("ASOCR", ms("typeActiviteASOCR"), ["ASOCR", "924", "11", "", "711"]),
        (
            "ASDR",
            json!({"typeActiviteASDR": {"activiteSanitaireDiverseRegulee": "084", "modeFonctionnement": "09",
                "public": "990"}}),
            ["ASDR", "084", "09", "", "990"],
        ),
        (
            "AER",
            json!({"typeActiviteAER": {"activiteEnseignementRegulee": "414", "modeFonctionnement": "34",
                "public": "990"}}),
            ["AER", "414", "34", "", "990"],
        ),
        ("NEUVE", json!({}), ["NEUVE", "", "", "", ""]),
    ];
    for (nature, bloc, attendus) in cas {
        let lue = seule(activite("1", "A", nature, bloc, json!([])));
        let lus = [lue.nature, lue.activite, lue.modalite, lue.forme, lue.public];
        assert_eq!(lus, attendus, "{nature}");
    }
}

#[test]
fn etat_selon_les_evenements() {
    let mise = || evenement("012", "2020-01-01");
    let cas = [
        ("A", json!([]), StatutActivite::Autorisee, ""),
        ("A", json!([mise()]), StatutActivite::MiseEnOeuvre, ""),
        ("A", json!([evenement("015", "2021-01-01"), mise()]), StatutActivite::Autorisee, ""),
        ("A", json!([mise(), evenement("015", "2020-01-01")]), StatutActivite::Autorisee, ""),
        ("A", json!([evenement("015", "2019-01-01"), mise()]), StatutActivite::MiseEnOeuvre, ""),
        ("A", json!([mise(), evenement("026", "2022-01-01")]), StatutActivite::Suspendue, ""),
        (
            "A",
            json!([evenement("027", "2022-03-01"), evenement("026", "2022-01-01"), mise()]),
            StatutActivite::MiseEnOeuvre,
            "",
        ),
        ("I", json!([mise(), evenement("013", "2023-01-01")]), StatutActivite::Inactive, "2023-01-01"),
        ("I", json!([mise(), evenement("029", "2014-05-05")]), StatutActivite::Inactive, "2014-05-05"),
        ("I", json!([]), StatutActivite::Inactive, ""),
        ("Z", json!([mise()]), StatutActivite::Unspecified, ""),
    ];
    for (etat, evenements, attendu, fin) in cas {
        let lue = seule(amf("1", etat, evenements.clone()));
        assert_eq!(lue.statut(), attendu, "{etat} {evenements}");
        assert_eq!(lue.date_fin_effective, fin, "{etat} {evenements}");
    }
    let mut menacee = amf("1", "A", json!([mise()]));
    menacee["caracteristiquesGeneriques"]["dateCaduciteAutorisation"] = json!("2029-12-01");
    assert_eq!(seule(menacee.clone()).date_fin_effective, "");
    menacee["caracteristiquesGeneriques"]["etatObjet"] = json!("I");
    assert_eq!(seule(menacee).date_fin_effective, "2029-12-01");
}

#[test]
fn seuls_les_totaux_sont_gardes() {
    let capacite = |statut: &str, unite: &str, nombre: Value, genre: Value, habilitation: Value| {
        json!({"idCapacite": "1",
        "nombre": nombre, "statutCapacite": statut, "uniteMesureCapacite": unite, "genre": genre,
        "habilitation": habilitation, "typeLogement": null, "modeFinancement": null})
    };
    let rien = || Value::Null;
    let mut avec = amf("1", "A", json!([]));
    avec["capacite"] = json!([
        capacite("09", "02", json!("80"), rien(), rien()),
        capacite("08", "02", json!("78"), rien(), rien()),
        capacite("08", "02", json!("40"), json!("01"), rien()),
        capacite("08", "02", json!("78"), rien(), json!("02")),
        capacite("08", "03", json!("beaucoup"), rien(), rien())
    ]);
    avec["zoneIntervention"] = json!({"zoneInterventionAutoriseeId": "7", "libelleZI": null,
        "communeZI": [{"commune": "01451"}, {"commune": "01053"}, {"commune": "01451"}]});
    let total =
        |statut: &str, nombre| CapaciteFiness { statut: statut.to_owned(), unite: "02".to_owned(), nombre };
    let lue = seule(avec.clone());
    assert_eq!(lue.capacites, [total("08", 78), total("09", 80)]);
    assert_eq!(lue.communes, ["01053", "01451"]);
    let (_, resume) = charger(fichier(json!([pmej(json!([avec]), json!([]))])).as_bytes());
    let resume = resume.unwrap();
    assert_eq!((resume.comptes["capacites"], resume.comptes["communes"]), (2, 2));
    assert_eq!(resume.constats.get("capacite-illisible"), Some(&1));
}

#[test]
fn l_ordre_du_fichier_ne_change_rien() {
    let mut activites: Vec<Value> =
        (0..8).map(|rang| amf(&format!("{rang}"), "A", json!([evenement("012", "2020-01-01")]))).collect();
    let lire_tout = |activites: &[Value]| {
        let (lectures, resume) = charger(fichier(json!([pmej(json!(activites), json!([]))])).as_bytes());
        (fiches(&lectures)[0].clone(), resume.unwrap().constats)
    };
    let (attendue, constats) = lire_tout(&activites);
    assert!(constats.is_empty());
    let mut hasard = Hasard(11);
    for _ in 0..20 {
        hasard.melanger(&mut activites);
        assert_eq!(lire_tout(&activites).0, attendue);
    }
    activites.push(activites[0].clone());
    let (avec_double, constats) = lire_tout(&activites);
    assert_eq!(avec_double, attendue);
    assert_eq!(constats.get("activite-en-double"), Some(&1));
}

#[test]
fn une_structure_fausse_n_arrete_pas_les_autres() {
    let sans_id = amf("", "A", json!([]));
    let sites =
        json!([42, ege("019000207", json!([])), ege("12", json!([])), ege("019000215", json!("aucune"))]);
    let (lectures, resume) = charger(fichier(json!(["seul", pmej(json!([sans_id]), sites)])).as_bytes());
    let refus: Vec<_> = lectures
        .iter()
        .filter_map(|lecture| match lecture {
            Lecture::Refus { ligne, fautes, .. } => {
                Some((*ligne, fautes[0].regle.as_str(), fautes[0].element.as_str()))
            }
            Lecture::Enregistrement { .. } => None,
        })
        .collect();
    assert_eq!(
        refus,
        [
            (1, "forme-inattendue", "pmej[1]"),
            (
                2,
                "identifiant-absent",
                "pmej[2].activitesAutorisees[1].caracteristiquesGeneriques.activiteAeId"
            ),
            (2, "forme-inattendue", "pmej[2].ege[1]"),
            (2, "finess-forme-invalide", "pmej[2].ege[3].numFinessEge"),
            (2, "forme-inattendue", "pmej[2].ege[4].activitesExercees"),
        ]
    );
    assert_eq!(fiches(&lectures).len(), 1);
    let comptes = resume.unwrap().comptes;
    assert_eq!((comptes["pmej"], comptes["ege"]), (2, 4));
}

#[test]
fn entete_dans_un_objet() {
    let texte = json!({"metadata": {"schemaVersion": "v1.1.0", "generatedAt": "2026-11-02T02:00:00Z",
        "producteur": "x"}, "pmej": []});
    let (_, resume) = charger(texte.to_string().as_bytes());
    let resume = resume.unwrap();
    assert_eq!((resume.cle.as_str(), resume.schema.as_str()), ("20261102", "v1.1.0"));
    assert_eq!(resume.constats.get("cle-inconnue"), Some(&1));
}

#[test]
fn fichiers_coupes_ou_d_un_autre_format() {
    let texte = fichier(json!([pmej(json!([amf("1", "A", json!([]))]), json!([]))]));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(texte.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    assert_eq!(charger(&gzip).1.map(|resume| resume.comptes["pmej"]), Ok(1));
    assert!(charger(&gzip[..gzip.len() - 12]).1.is_err());
    for fin in 0..texte.len() {
        assert!(charger(&texte.as_bytes()[..fin]).1.is_err());
    }
    let erreur = charger(b"{}").1.unwrap_err();
    assert!(erreur.message.contains("FINESS+ Activités"), "{erreur}");
}

#[test]
fn rien_ne_fait_paniquer() {
    let sites = json!([ege("019000207", json!([amf("1", "A", json!([evenement("012", "2020-01-01")]))]))]);
    let texte = fichier(json!([pmej(json!([]), sites)]));
    let mut hasard = Hasard(5);
    for _ in 0..2000 {
        let mut octets = texte.clone().into_bytes();
        for _ in 0..=hasard.jusqu_a(3) {
            let rang = hasard.jusqu_a(octets.len());
            octets[rang] = u8::try_from(hasard.jusqu_a(256)).unwrap();
        }
        let _ = charger(&octets);
    }
}

#[test]
fn arret_demande() {
    let texte = fichier(json!([pmej(json!([]), json!([])), pmej(json!([]), json!([]))]));
    let mut lues = 0;
    let resume = lire(texte.as_bytes(), &mut |_| {
        lues += 1;
        ControlFlow::Break(())
    })
    .unwrap();
    assert_eq!((lues, resume.comptes["pmej"]), (1, 1));
}
