use ror_proto::common::v1::{Adresse, Code, Position};
use ror_proto::identity::v1::{
    Activite, ActiviteFiness, ActivitesFiness, AutorisationExercice, CapaciteFiness, Diplome,
    EvenementFiness, ExerciceProfessionnel, Formation, GroupeFiness, Professionnel, SavoirFaire,
};

use super::*;

mod oracles;
mod professionnels;
mod proprietes;
mod structures;

fn identite(ressource: Ressource) -> Identity {
    Identity { ressource: Some(ressource) }
}

fn meta(id: &str) -> Option<Meta> {
    Some(Meta { id: id.to_owned(), region: "84".to_owned(), ..Meta::default() })
}

/// Operations, each with its fields.
fn operations(changements: &[Changement]) -> Vec<(Operation, Vec<&str>)> {
    changements.iter().map(|c| (c.operation(), c.champs.iter().map(String::as_str).collect())).collect()
}

fn activites() -> ActivitesFiness {
    let activite = |identifiant: &str| ActiviteFiness {
        identifiant: identifiant.to_owned(),
        nature: "AMM".to_owned(),
        capacites: vec![
            CapaciteFiness { statut: "08".to_owned(), unite: "02".to_owned(), nombre: 12 },
            CapaciteFiness { statut: "09".to_owned(), unite: "02".to_owned(), nombre: 14 },
        ],
        communes: vec!["01451".to_owned(), "01053".to_owned()],
        ..ActiviteFiness::default()
    };
    ActivitesFiness {
        meta: meta("activites"),
        num_finess: "019000207".to_owned(),
        activites: vec![activite("1"), activite("2")],
    }
}

fn comparer_activites(changer: impl FnOnce(&mut ActivitesFiness)) -> Vec<Changement> {
    let avant = activites();
    let mut apres = activites();
    changer(&mut apres);
    comparer(Some(&identite(Ressource::ActivitesFiness(avant))), &identite(Ressource::ActivitesFiness(apres)))
}

#[test]
fn activities_added_or_gone_are_told_once() {
    for changements in [
        comparer_activites(|a| a.activites.truncate(1)),
        comparer_activites(|a| {
            let copie = ActiviteFiness { identifiant: "3".to_owned(), ..a.activites[0].clone() };
            a.activites.push(copie);
        }),
    ] {
        assert_eq!(operations(&changements), [(Operation::Modifiee, vec!["activites"])]);
        assert_eq!((changements[0].genre.as_str(), changements[0].cle.as_str()), (ACTIVITES, "019000207"));
    }
}

#[test]
fn state_capacities_and_communes_of_an_activity_are_told_apart() {
    let champs = |changer: fn(&mut ActiviteFiness)| -> Vec<String> {
        let changements = comparer_activites(|a| changer(&mut a.activites[1]));
        assert_eq!(changements.len(), 1);
        changements[0].champs.clone()
    };
    assert_eq!(champs(|a| a.statut = 3), ["statut"]);
    assert_eq!(champs(|a| a.capacites[0].nombre = 13), ["capacites"]);
    assert_eq!(champs(|a| a.communes.clear()), ["communes"]);
    assert_eq!(champs(|a| a.date_fin = "2027-01-01".to_owned()), ["activites"]);
}

#[test]
fn order_and_region_of_activities_are_no_difference() {
    let changements = comparer_activites(|a| {
        a.activites.reverse();
        a.activites[0].capacites.reverse();
        a.activites[1].communes.reverse();
        a.meta = None;
    });
    assert!(changements.is_empty());
}

#[test]
fn diplomas_and_authorisations_are_told_apart() {
    let formation = |diplome: &str, discipline: &str| {
        identite(Ressource::Formation(Formation {
            meta: meta("formation"),
            id_nat_ps: "810990000019".to_owned(),
            diplomes: vec![
                Diplome { r#type: "DE".to_owned(), code: "DE09".to_owned() },
                Diplome { r#type: "DE".to_owned(), code: diplome.to_owned() },
            ],
            autorisations: vec![AutorisationExercice {
                r#type: "AE".to_owned(),
                discipline: discipline.to_owned(),
            }],
        }))
    };
    let connue = formation("DE28", "D1");
    assert!(egaux(&connue, &formation("DE28", "D1")));
    let diplome = comparer(Some(&connue), &formation("DE29", "D1"));
    assert_eq!(operations(&diplome), [(Operation::Modifiee, vec!["diplomes"])]);
    let autorisation = comparer(Some(&connue), &formation("DE28", "D2"));
    assert_eq!(operations(&autorisation), [(Operation::Modifiee, vec!["autorisations"])]);
    let creee = comparer(None, &connue);
    assert_eq!(operations(&creee), [(Operation::Creee, vec![])]);
    assert_eq!((creee[0].genre.as_str(), creee[0].id.as_str()), (FORMATION, "formation"));
}

#[test]
fn an_empty_record_says_nothing() {
    assert!(comparer(None, &Identity::default()).is_empty());
    assert_eq!(Sujet::de(&Identity::default()), None);
}
