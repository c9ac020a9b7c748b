use super::*;

fn professionnel() -> Professionnel {
    let savoir_faire = |code: &str| SavoirFaire { r#type: "S".to_owned(), code: code.to_owned() };
    let activite = |site: &str| Activite {
        mode_exercice: "S".to_owned(),
        finess_site: site.to_owned(),
        ..Activite::default()
    };
    let exercice = |profession: &str| ExerciceProfessionnel {
        profession: profession.to_owned(),
        categorie: "C".to_owned(),
        civilite_exercice: "DR".to_owned(),
        savoir_faire: vec![savoir_faire("SM02"), savoir_faire("SM54")],
        activites: vec![activite("019000207"), activite("2A9000312")],
    };
    Professionnel {
        meta: meta("ps"),
        id_nat_ps: "810990000019".to_owned(),
        rpps: "10990000019".to_owned(),
        civilite: Some(Code { systeme: "s".to_owned(), code: "M".to_owned() }),
        nom: "FICTIF".to_owned(),
        prenom: "ANTOINE".to_owned(),
        exercices: vec![exercice("10"), exercice("60")],
        actif: true,
    }
}

fn entre(avant: Professionnel, apres: Professionnel) -> Vec<Changement> {
    comparer(Some(&identite(Ressource::Professionnel(avant))), &identite(Ressource::Professionnel(apres)))
}

fn changer(changement: fn(&mut Professionnel)) -> Vec<Changement> {
    let mut apres = professionnel();
    changement(&mut apres);
    entre(professionnel(), apres)
}

#[test]
fn a_professional_first_seen_is_created() {
    let creees = comparer(None, &identite(Ressource::Professionnel(professionnel())));
    assert_eq!(operations(&creees), [(Operation::Creee, vec![])]);
    assert_eq!((creees[0].genre.as_str(), creees[0].cle.as_str()), (PROFESSIONNEL, "810990000019"));
    assert_eq!((creees[0].id.as_str(), creees[0].ligne), ("ps", 0));
}

#[test]
fn each_field_is_named() {
    type Cas = (fn(&mut Professionnel), &'static str);
    let cas: [Cas; 12] = [
        (|p| p.rpps.clear(), "rpps"),
        (|p| p.civilite = None, "civilite"),
        (|p| p.nom.push('X'), "nom"),
        (|p| p.prenom.push('X'), "prenom"),
        (|p| p.exercices[0].civilite_exercice.clear(), "exercices"),
        (|p| p.exercices[0].savoir_faire.truncate(1), "savoir_faire"),
        (|p| p.exercices[1].savoir_faire[0].code.push('X'), "savoir_faire"),
        (|p| p.exercices[1].activites.truncate(1), "activites"),
        (|p| p.exercices[1].activites[1].siret.push('X'), "activites"),
        (|p| p.exercices[1].activites[1].id_technique_structure.push('X'), "activites"),
        (|p| p.exercices[1].activites[1].genre.push('X'), "activites"),
        (|p| p.meta.get_or_insert_default().region = "94".to_owned(), "region"),
    ];
    for (changement, champ) in cas {
        assert_eq!(operations(&changer(changement)), [(Operation::Modifiee, vec![champ])]);
    }
}

#[test]
fn a_profession_gone_takes_its_savoir_faire_and_activities() {
    let changements = changer(|p| p.exercices.truncate(1));
    let attendus = vec!["exercices", "savoir_faire", "activites"];
    assert_eq!(operations(&changements), [(Operation::Modifiee, attendus)]);
}

#[test]
fn an_activity_that_changes_profession_is_a_change() {
    let sans_la_seconde_de = |rang: usize| {
        let mut professionnel = professionnel();
        professionnel.exercices[rang].activites.truncate(1);
        professionnel
    };
    let changements = entre(sans_la_seconde_de(0), sans_la_seconde_de(1));
    assert_eq!(operations(&changements), [(Operation::Modifiee, vec!["activites"])]);
}

#[test]
fn order_is_no_difference() {
    let changements = changer(|p| {
        p.exercices.reverse();
        for exercice in &mut p.exercices {
            exercice.savoir_faire.reverse();
            exercice.activites.reverse();
        }
        p.meta.get_or_insert_default().version = 3;
    });
    assert!(changements.is_empty(), "{changements:?}");
}

#[test]
fn a_professional_no_longer_active_is_closed_then_reopened() {
    let inactif = Professionnel { actif: false, ..professionnel() };
    assert_eq!(operations(&entre(professionnel(), inactif.clone())), [(Operation::Fermee, vec![])]);
    let renomme = Professionnel { nom: "AUTRE".to_owned(), ..professionnel() };
    let attendues = [(Operation::Rouverte, vec![]), (Operation::Modifiee, vec!["nom"])];
    assert_eq!(operations(&entre(inactif.clone(), renomme)), attendues);
    assert!(entre(inactif.clone(), inactif).is_empty());
}
