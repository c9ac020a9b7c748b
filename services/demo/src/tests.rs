//! The generated folder as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::*;

const FICHIERS: [&str; 7] = [
    "finess-structures.json",
    "rpps-personne-activite.txt",
    "fhir/organization.ndjson",
    "fhir/location.ndjson",
    "fhir/healthcareservice.ndjson",
    "fhir/practitionerrole.ndjson",
    "manifest.json",
];

type Resultat = Result<(), Box<dyn std::error::Error>>;

fn dossier(nom: &str) -> PathBuf {
    std::env::temp_dir().join(format!("ror-demo-{}-{nom}", std::process::id()))
}

fn ndjson(chemin: PathBuf) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let mut resultat = Vec::new();
    for ligne in fs::read_to_string(chemin)?.lines() {
        resultat.push(serde_json::from_str(ligne)?);
    }
    Ok(resultat)
}

fn texte<'a>(v: &'a Value, pointeur: &str) -> &'a str {
    v.pointer(pointeur).and_then(Value::as_str).unwrap_or("")
}

#[test]
fn same_seed_same_bytes_other_seed_other_bytes() -> Resultat {
    let (a, b, c) = (dossier("a"), dossier("b"), dossier("c"));
    generer(Taille::Small, 42, &a)?;
    generer(Taille::Small, 42, &b)?;
    generer(Taille::Small, 43, &c)?;
    for fichier in FICHIERS {
        let premier = fs::read(a.join(fichier))?;
        assert!(premier == fs::read(b.join(fichier))?, "{fichier}");
        assert!(premier != fs::read(c.join(fichier))?, "{fichier}");
    }
    for d in [a, b, c] {
        fs::remove_dir_all(d)?;
    }
    Ok(())
}

/// Technical ids that the registries bring: EJ, EG, professionals.
fn ids_des_registres(d: &Path) -> Result<BTreeSet<String>, Box<dyn std::error::Error>> {
    let mut ids = BTreeSet::new();
    let finess: Value = serde_json::from_str(&fs::read_to_string(d.join("finess-structures.json"))?)?;
    for pm in finess["pmej"].as_array().into_iter().flatten() {
        let numero = texte(pm, "/informationsGeneralesPMEJ/numFinessPm");
        assert!(cles::luhn_valide(numero), "{numero}");
        ids.insert(format!("Organization/{}", crate::ids::id_ej(numero)));
        for eg in pm["ege"].as_array().into_iter().flatten() {
            let numero = texte(eg, "/informationsGeneralesEGE/numFinessEge");
            assert!(cles::luhn_valide(numero), "{numero}");
            ids.insert(format!("Organization/{}", crate::ids::id_eg(numero)));
        }
    }
    let rpps = fs::read_to_string(d.join("rpps-personne-activite.txt"))?;
    for ligne in rpps.lines().skip(1) {
        let champs: Vec<&str> = ligne.split('|').collect();
        assert_eq!(champs.len(), 57, "{ligne}");
        assert!(champs[1].starts_with("1099") && cles::luhn_valide(champs[1]));
        ids.insert(format!("Practitioner/{}", crate::ids::id_ps(champs[2])));
    }
    Ok(ids)
}

fn references(v: &Value, trouvees: &mut Vec<String>) {
    match v {
        Value::Object(membres) => {
            for (cle, valeur) in membres {
                match valeur {
                    Value::String(cible) if cle == "reference" => trouvees.push(cible.clone()),
                    _ => references(valeur, trouvees),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|e| references(e, trouvees)),
        _ => {}
    }
}

#[test]
fn references_resolve_and_counts_agree() -> Resultat {
    let d = dossier("refs");
    let manifeste = generer(Taille::Small, 7, &d)?;
    let mut connus = ids_des_registres(&d)?;
    let mut vues = Vec::new();
    let mut lignes = 0_u64;
    let mut identifiants = BTreeSet::new();
    for fichier in &FICHIERS[2..6] {
        for ressource in ndjson(d.join(fichier))? {
            let sorte = texte(&ressource, "/resourceType");
            let id = texte(&ressource, "/id");
            connus.insert(format!("{sorte}/{id}"));
            assert!(!texte(&ressource, "/meta/lastUpdated").is_empty());
            assert_eq!(texte(&ressource, "/meta/tag/0/code"), "52");
            let cle = format!("{sorte} {}", texte(&ressource, "/identifier/0/value"));
            assert!(identifiants.insert(cle.clone()), "{cle}");
            references(&ressource, &mut vues);
            lignes += 1;
        }
    }
    for cible in &vues {
        assert!(connus.contains(cible), "{cible}");
    }
    let n = |nom: &str| manifeste.comptes.get(nom).copied().unwrap_or(0);
    assert_eq!(
        lignes,
        n("organisations_internes") + n("complements_eg") + n("offres") + n("lieux") + n("situations")
    );
    let total = manifeste.ressources.get("total").copied().unwrap_or(0);
    assert!((1_800..=2_300).contains(&total), "{total}");
    assert!(connus.contains(&format!("HealthcareService/{}", manifeste.offre_id)));
    assert!(connus.contains(&format!("HealthcareService/{}", manifeste.offre_ehpad_id)));
    assert!(connus.contains(&format!("PractitionerRole/{}", manifeste.situation_id)));
    assert!(connus.contains(&format!("Practitioner/{}", manifeste.professionnel_id)));
    let relu: Manifeste = serde_json::from_str(&fs::read_to_string(d.join("manifest.json"))?)?;
    assert_eq!(relu, manifeste);
    fs::remove_dir_all(d)?;
    Ok(())
}

#[test]
fn the_reference_place_has_three_free_beds_of_twenty() -> Resultat {
    let d = dossier("lieu");
    let manifeste = generer(Taille::Small, 11, &d)?;
    let lieux = ndjson(d.join("fhir/location.ndjson"))?;
    let lieu = lieux.iter().find(|l| texte(l, "/id") == manifeste.lieu_id).ok_or("no reference place")?;
    let externe = texte(lieu, "/identifier/1/value");
    assert_eq!(externe, manifeste.lieu_id_externe);
    assert_eq!(externe, format!("{}/UF1001", manifeste.eg_idnatst));
    let mut nombres = Vec::new();
    for ext in lieu["extension"].as_array().into_iter().flatten() {
        if !texte(ext, "/url").ends_with("/ror-location-supported-capacity") {
            continue;
        }
        for partie in ext["extension"].as_array().into_iter().flatten() {
            if texte(partie, "/url") == "nbCapacity" {
                nombres.push(partie["valueInteger"].as_u64().unwrap_or(0));
            }
        }
    }
    assert_eq!(nombres, vec![LITS_REFERENCE, LITS_LIBRES]);
    let offres = ndjson(d.join("fhir/healthcareservice.ndjson"))?;
    let sensible = offres.iter().find(|o| texte(o, "/id") == manifeste.offre_sensible_id);
    let marque = sensible.is_some_and(|o| {
        o["extension"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|e| texte(e, "/url").ends_with("-sensitive-unit") && e["valueBoolean"] == true)
    });
    assert!(marque);
    fs::remove_dir_all(d)?;
    Ok(())
}
