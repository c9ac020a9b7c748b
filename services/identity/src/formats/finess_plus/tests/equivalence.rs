//! Elements read in place are those read apart.

use super::super::super::json::tests::{Lent, Lu, comparer, essayer};
use super::super::super::tests::{Morceaux, echantillon};
use super::*;

fn lent(octets: &[u8]) -> Lu {
    let mut lectures = Vec::new();
    let mut suite = |lecture: Lecture| {
        lectures.push(lecture);
        ControlFlow::Continue(())
    };
    let mut contenu = Structures::nouvelles(&mut suite);
    let lu = json::lire(octets, &mut Lent(&mut contenu));
    let resume = lu.map(|etat| etat.resume(contenu.comptes()));
    (lectures, resume)
}

fn exemple() -> Value {
    let evenements = json!([
        {"codeEvenement": "005", "etatObjet1": "103", "dateEvenement": "2019-01-01"},
        {"codeEvenement": "018", "etatObjet1": "018", "dateEvenement": "2026-09-30", "identifiantObjet2": "4",
            "dateEnregistrement": "2026-02-04 10:00:00"}
    ]);
    let mut secondaire = ege("019000215", "I", json!("2020-01-01"), evenements);
    secondaire["informationsGeneralesEGE"]["egeId"] = json!("2");
    secondaire["roleEge"] = json!([
        {"idEgeNonPorteuse": "2", "idEgePorteuse": "1", "roleRelationEge": "B"},
        {"idEgeNonPorteuse": "2", "idEgePorteuse": "77", "roleRelationEge": "B"}
    ]);
    let sites = json!([ege("019000207", "A", Value::Null, json!([])), secondaire]);
    let mut entite = pmej("019000108", sites);
    entite["informationsGeneralesPMEJ"]["pmSmsseId"] = json!("42");
    let elements = json!([entite, pmej("019000108", json!([])), 12, null]);
    let mut racine: Value = serde_json::from_str(&fichier(elements)).unwrap();
    racine["gco"] = json!([
        {"pmSmsseId": "7", "typeGco": "001", "pmejDuGco": [{"pmSmsseId": "42"}], "egeDuGco": []},
        {"pmSmsseId": "42", "typeGco": "003", "pmejDuGco": null, "egeDuGco": null}
    ]);
    racine["gcc"] = json!([{"gccId": "9", "numFinessGcc": "99000000001", "typeGcc": "001", "etatObjet": "A",
        "pmejDuGcc": [{"pmSmsseId": "42", "typeRoleEntiteGroupe": "S"}],
        "egeDuGcc": [{"egeId": "1", "typeRoleEntiteGroupe": "M"}]}]);
    racine
}

#[test]
fn an_element_read_in_place_is_the_one_read_apart() {
    essayer(&exemple(), 1500, charger, lent);
}

#[test]
fn the_size_of_the_pieces_changes_nothing() {
    let mut racine = exemple();
    let sites = vec![racine["pmej"][0]["ege"][1].clone(); 700];
    let petite = racine["pmej"][0].clone();
    racine["pmej"][0]["ege"] = json!(sites);
    let liste = racine["pmej"].as_array_mut().unwrap();
    liste.extend(vec![petite; 200]);
    let longue = liste[0].clone();
    liste.push(longue);
    let texte = racine.to_string();
    assert!(texte.len() > 1_000_000);
    comparer(texte.as_bytes(), charger, lent);
    let (attendues, attendu) = charger(texte.as_bytes());
    for morceau in [1009, 65_536, 300_000] {
        let mut lues = Vec::new();
        let resume = lire(Morceaux(texte.as_bytes(), morceau), &mut |lecture| {
            lues.push(lecture);
            ControlFlow::Continue(())
        });
        assert_eq!(resume, attendu);
        assert!(lues == attendues, "{morceau}");
    }
}

#[test]
fn the_samples_too() {
    for nom in
        ["finess-structures-journalier-20261001.json", "finess-structures-mensuel-202607-echantillon.json.gz"]
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
