//! Elements read in place are those read apart.

use super::super::super::json::tests::{Lent, Lu, comparer, essayer};
use super::super::super::tests::echantillon;
use super::*;

fn lent(octets: &[u8]) -> Lu {
    let mut lectures = Vec::new();
    let mut suite = |lecture: Lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    };
    let mut contenu = Activites::nouvelles(&mut suite);
    let lu = json::lire(octets, &mut Lent(&mut contenu));
    let resume = lu.map(|etat| etat.resume(contenu.comptes()));
    (lectures, resume)
}

fn exemple() -> Value {
    let bloc = json!({"aaSoinAmmId": "3", "typeActiviteAMM": {"activiteAMM": "QA002", "modaliteAMM": "MO006",
        "mentionAMM": "ME000", "ptsAMM": "PTS19", "declarationAMM": "DE022"}, "appareil": []});
    let soin = activite("11", "A", "AMM", bloc, json!([evenement("012", "2017-01-03")]));
    let bloc = json!({"typeActiviteAMSR": {"activiteSocialeRegulee": "924", "modeFonctionnement": "11",
        "public": "711"}});
    let mut social = activite("12", "I", "AMSR", bloc, json!([evenement("013", "2023-01-01")]));
    social["capacite"] = json!([
        {"idCapacite": "1", "nombre": "80", "statutCapacite": "09", "uniteMesureCapacite": "02", "genre": null},
        {"idCapacite": "2", "nombre": 78, "statutCapacite": "08", "uniteMesureCapacite": "02"},
        {"idCapacite": "3", "nombre": "40", "statutCapacite": "08", "uniteMesureCapacite": "02", "genre": "01"}
    ]);
    social["zoneIntervention"] = json!({"zoneInterventionAutoriseeId": "7",
        "communeZI": [{"commune": "01451"}, {"commune": "01053"}, {"commune": "01451"}]});
    let materiel = activite("13", "A", "EML", json!({"typeActiviteEML": {"typeEmlId": "7"}}), json!([]));
    let autorisees = json!([amf("20", "A", json!([])), social, materiel]);
    let sites = json!([ege("019000207", json!([soin.clone(), soin])), ege("019000215", json!([]))]);
    let elements = json!([pmej(autorisees, sites), pmej(json!([]), json!([]))]);
    serde_json::from_str(&fichier(elements)).unwrap()
}

#[test]
fn an_element_read_in_place_is_the_one_read_apart() {
    essayer(&exemple(), 1500, charger, lent);
}

#[test]
fn the_samples_too() {
    for nom in
        ["finess-activites-journalier-20261001.json", "finess-activites-mensuel-202607-echantillon.json.gz"]
    {
        let Some(mut source) = echantillon(nom) else {
            return;
        };
        let mut octets = Vec::new();
        source.read_to_end(&mut octets).unwrap();
        comparer(&octets, charger, lent);
        if let Ok(racine) = serde_json::from_slice::<Value>(&octets) {
            essayer(&racine, 100, charger, lent);
        }
    }
}
