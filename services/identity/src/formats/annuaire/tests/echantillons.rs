use super::super::super::tests::echantillon;
use super::*;

#[test]
fn pages_of_structures() {
    let mut octets = Vec::new();
    for page in ["page1", "page2"] {
        let Some(mut source) = echantillon(&format!("fhir-annuaire-delta-organization-{page}.json")) else {
            return;
        };
        source.read_to_end(&mut octets).unwrap();
    }
    let (lectures, resume) = charger(octets.as_slice());
    let resume = resume.unwrap();
    assert_eq!(compte(&resume, "ressources"), 5);
    assert_eq!(resume.constats.get("entite-juridique-non-resolue"), Some(&4));
    let lues = structures(&lectures);
    assert_eq!((lectures.len(), lues.len()), (5, 5));
    let par_numero = |numero: &str| lues.iter().find(|(s, _)| s.num_finess == numero).unwrap().0;
    let ferme = par_numero("970299418");
    assert_eq!((ferme.type_fermeture.as_str(), ferme.denomination.as_str()), ("NDI", ""));
    let ouvert = par_numero("019000207");
    assert_eq!(ouvert.denomination, "CH DU VAL D'ORNAIN");
    assert_eq!((ouvert.siret.as_str(), ouvert.date_maj_source.as_str()), ("99000101800128", "2026-02-04"));
    assert_eq!(ouvert.adresse.as_ref().unwrap().code_postal, "01440");
    assert!(lues.iter().all(|(s, suite)| !s.entite_juridique && !suite));
}

#[test]
fn persons_then_their_activities() {
    let mut octets = Vec::new();
    for genre in ["practitioner", "practitionerrole"] {
        let Some(mut source) = echantillon(&format!("fhir-annuaire-delta-{genre}.json")) else {
            return;
        };
        source.read_to_end(&mut octets).unwrap();
    }
    let (lectures, resume) = charger(octets.as_slice());
    assert_eq!(compte(&resume.unwrap(), "activites-inactives"), 1);
    let lues = personnes(&lectures);
    assert_eq!((lectures.len(), lues.len()), (5, 5));
    let etats: Vec<(&str, bool, bool)> =
        lues.iter().map(|(p, suite)| (p.rpps.as_str(), p.actif, *suite)).collect();
    assert_eq!(
        etats,
        [
            ("10990000019", true, false),
            ("10990000043", true, false),
            ("10990000084", false, false),
            ("10990000019", true, true),
            ("10990000043", true, true),
        ]
    );
    let zoe = lues[0].0;
    assert_eq!((zoe.nom.as_str(), zoe.prenom.as_str()), ("D'ESTIENNE-LAVÎGNE", "Zoé"));
    assert_eq!(zoe.exercices[0].civilite_exercice, "DR");
    assert_eq!(lues[3].0.exercices[0].activites[0].mode_exercice, "S");
}
