use ror_proto::common::v1::{Adresse, Position};
use ror_proto::identity::v1::{Activite, ExerciceProfessionnel, SavoirFaire};

use super::*;

fn lue(documents: &[Value]) -> Vec<Ressource> {
    charger(lignes(documents).as_bytes())
        .0
        .into_iter()
        .map(|l| match l {
            Lecture::Enregistrement { ressource, .. } => *ressource,
            Lecture::Refus { fautes, .. } => panic!("{fautes:?}"),
        })
        .collect()
}

fn le_site() -> Ressource {
    lue(&[page(&[entite(), site()])]).remove(1)
}

fn structure(r: Option<Ressource>) -> StructureFiness {
    match r {
        Some(Ressource::StructureFiness(s)) => s,
        autre => panic!("{autre:?}"),
    }
}

/// What a complete edition gave of the same site.
fn connu() -> StructureFiness {
    StructureFiness {
        adresse: Some(Adresse {
            libelle_voie: "RTE DE LA FICTION".into(),
            numero_voie: "12".into(),
            code_postal: "01440".into(),
            localite: "01440 VIRIAT".into(),
            ..Default::default()
        }),
        position: Some(Position { latitude: 46.2, longitude: 5.2, fiable: None }),
        telephone: "0400000201".into(),
        date_maj_source: "2026-02-04T10:00:01".into(),
        ..structure(Some(le_site()))
    }
}

#[test]
fn what_means_the_same_changes_nothing() {
    let connu = Ressource::StructureFiness(connu());
    assert_eq!(superposer(Some(&connu), le_site()), Some(connu));
}

#[test]
fn what_is_told_replaces_and_what_is_not_stays() {
    let connu = StructureFiness { denomination: "ANCIEN NOM".into(), categorie: "101".into(), ..connu() };
    let Ressource::StructureFiness(mut dite) = le_site() else { panic!("a structure") };
    dite.commune_cog = "01053".into();
    dite.date_maj_source = "2026-10-01".into();
    dite.siret.clear();
    let s = structure(superposer(
        Some(&Ressource::StructureFiness(connu.clone())),
        Ressource::StructureFiness(dite),
    ));
    assert_eq!((s.denomination.as_str(), s.categorie.as_str()), ("SITE INVENTÉ", "355"));
    assert_eq!((s.siret.as_str(), s.telephone.as_str()), (connu.siret.as_str(), "0400000201"));
    assert_eq!(s.position, None, "the position is that of another commune");
}

#[test]
fn a_record_older_than_the_known_one_changes_nothing() {
    let connu = StructureFiness {
        type_fermeture: "DEF".into(),
        date_fermeture: "2026-09-30".into(),
        date_maj_source: "2026-09-30T10:00:00".into(),
        ..connu()
    };
    let connu = Ressource::StructureFiness(connu);
    assert_eq!(superposer(Some(&connu), le_site()), Some(connu));
}

#[test]
fn inactive_closes_what_is_open_and_adds_nothing_to_what_is_closed() {
    let ferme = json!({"resourceType": "Organization", "active": false, "name": "SITE INVENTÉ",
        "identifier": [identifiant("FINEG", EG)]});
    let inactive = lue(&[ferme]).remove(0);
    let ouvert = connu();
    let s = structure(superposer(Some(&Ressource::StructureFiness(ouvert.clone())), inactive.clone()));
    assert_eq!(s, StructureFiness { type_fermeture: "NDI".into(), ..ouvert.clone() });
    let rouvert = structure(superposer(Some(&Ressource::StructureFiness(s)), le_site()));
    assert_eq!(rouvert.type_fermeture, "");
    let clos =
        StructureFiness { type_fermeture: "DEF".into(), date_fermeture: "2026-01-01".into(), ..ouvert };
    let clos = Ressource::StructureFiness(clos);
    assert_eq!(superposer(Some(&clos), inactive.clone()), Some(clos));
    assert_eq!(superposer(None, inactive), None, "nothing is created closed");
}

#[test]
fn a_site_without_its_legal_entity_creates_nothing() {
    assert_eq!(superposer(None, lue(&[site()]).remove(0)), None);
    assert!(superposer(None, le_site()).is_some());
}

#[test]
fn an_activity_known_under_any_profession_is_not_added() {
    let complete = Activite {
        mode_exercice: "S".into(),
        finess_site: EG.into(),
        finess_ej: EJ.into(),
        siret: "99000101800128".into(),
        id_technique_structure: "F019000207".into(),
        secteur: "SA01".into(),
        genre: "GENR01".into(),
        ..Default::default()
    };
    let savoir = SavoirFaire { r#type: "S".into(), code: "SM53".into() };
    let exercice =
        |profession: &str, activites: Vec<Activite>, savoir_faire: Vec<SavoirFaire>| ExerciceProfessionnel {
            profession: profession.into(),
            categorie: "C".into(),
            civilite_exercice: "DR".into(),
            savoir_faire,
            activites,
        };
    let connu = Professionnel {
        meta: Some(Meta { id: id_ps(&format!("8{ZOE}")), region: "84".into(), ..Default::default() }),
        exercices: vec![exercice("10", vec![], vec![]), exercice("50", vec![complete], vec![savoir])],
        ..match lue(&[praticien(ZOE, "ALPHA", "1")]).remove(0) {
            Ressource::Professionnel(p) => p,
            autre => panic!("{autre:?}"),
        }
    };
    let connu = Ressource::Professionnel(connu);
    // The legal entity is not in the page: the activity is less precise than the known one.
    let dite = lue(&[page(&[praticien(ZOE, "ALPHA", "1"), role("1", ZOE, "001-eg"), {
        let mut eg = site();
        eg["partOf"] = Value::Null;
        eg
    }])]);
    let personne = dite.into_iter().find(|r| matches!(r, Ressource::Professionnel(_))).unwrap();
    assert_eq!(superposer(Some(&connu), personne), Some(connu));
}

#[test]
fn a_new_activity_is_added_and_an_inactive_person_keeps_hers() {
    let seule = lue(&[praticien(ZOE, "ALPHA", "1")]).remove(0);
    let avec = lue(&[page(&[entite(), site(), praticien(ZOE, "ALPHA", "1"), role("1", ZOE, "001-eg")])])
        .into_iter()
        .find(|r| matches!(r, Ressource::Professionnel(_)))
        .unwrap();
    assert_eq!(superposer(Some(&seule), avec.clone()), Some(avec.clone()));
    assert_eq!(superposer(Some(&avec), seule), Some(avec.clone()), "an activity that is not told stays");
    let parti =
        json!({"resourceType": "Practitioner", "active": false, "identifier": [identifiant("RPPS", ZOE)]});
    let Some(Ressource::Professionnel(p)) = superposer(Some(&avec), lue(&[parti]).remove(0)) else {
        panic!("a person")
    };
    assert!(!p.actif && p.nom == "ALPHA" && p.exercices[0].activites.len() == 1);
}
