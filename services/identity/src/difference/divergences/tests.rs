use ror_proto::common::v1::Meta;
use ror_proto::identity::v1::EvenementFiness;

use super::*;

fn ej() -> StructureFiness {
    StructureFiness {
        meta: Some(Meta { id: "ej".to_owned(), ..Meta::default() }),
        num_finess: "019000108".to_owned(),
        entite_juridique: true,
        denomination: "CH".to_owned(),
        ..StructureFiness::default()
    }
}

fn eg() -> StructureFiness {
    StructureFiness {
        meta: Some(Meta { id: "eg".to_owned(), ..Meta::default() }),
        num_finess: "019000207".to_owned(),
        num_finess_ej: "019000108".to_owned(),
        denomination: "SITE".to_owned(),
        date_maj_source: "2026-05-11T00:00:00".to_owned(),
        ..StructureFiness::default()
    }
}

fn regles(s: &StructureFiness, ej: Option<&StructureFiness>) -> Vec<String> {
    structure(s, ej).into_iter().map(|anomalie| anomalie.regle).collect()
}

#[test]
fn ordinary_structures_have_no_anomaly() {
    assert!(structure(&ej(), None).is_empty());
    assert!(structure(&eg(), Some(&ej())).is_empty());
    let fermee =
        StructureFiness { type_fermeture: "DEF".to_owned(), date_fermeture: "2026-01-01".to_owned(), ..eg() };
    assert!(structure(&fermee, Some(&ej())).is_empty());
}

#[test]
fn an_open_site_under_a_closed_ej_tells_both() {
    let fermee =
        StructureFiness { type_fermeture: "DEF".to_owned(), date_fermeture: "2026-10-01".to_owned(), ..ej() };
    let anomalies = structure(&eg(), Some(&fermee));
    assert_eq!(anomalies.len(), 1);
    assert_eq!(anomalies[0].regle, "eg-active-sous-ej-inactive");
    assert_eq!(anomalies[0].valeur_connue, "ouvert");
    assert_eq!(anomalies[0].valeur_recue, "019000108 DEF 2026-10-01");
    assert_eq!((anomalies[0].ressource_id.as_str(), anomalies[0].cle.as_str()), ("eg", "019000207"));
    let fermes =
        StructureFiness { type_fermeture: "PRO".to_owned(), date_fermeture: "2026-10-01".to_owned(), ..eg() };
    assert!(structure(&fermes, Some(&fermee)).is_empty());
}

#[test]
fn a_site_without_its_ej_is_told() {
    let anomalies = structure(&eg(), None);
    assert_eq!(anomalies.len(), 1);
    assert_eq!(anomalies[0].regle, "ej-absente");
    assert_eq!(anomalies[0].valeur_recue, "019000108");
}

#[test]
fn state_and_closing_date_that_disagree_are_told() {
    let sans_date = StructureFiness { type_fermeture: "PRO".to_owned(), ..eg() };
    assert_eq!(regles(&sans_date, Some(&ej())), ["fermee-sans-date"]);
    let datee = StructureFiness { date_fermeture: "2026-05-11".to_owned(), ..eg() };
    assert_eq!(regles(&datee, Some(&ej())), ["ouverte-avec-date-de-fermeture"]);
    let annoncee = StructureFiness { date_fermeture: "2026-12-31".to_owned(), ..eg() };
    assert_eq!(regles(&annoncee, Some(&ej())), Vec::<String>::new());
    let sans_maj = StructureFiness { date_maj_source: String::new(), ..annoncee };
    assert_eq!(regles(&sans_maj, Some(&ej())), ["ouverte-avec-date-de-fermeture"]);
}

#[test]
fn an_open_ej_that_ceased_at_insee_is_told_once() {
    let evenement = |date: &str| EvenementFiness {
        code: "004".to_owned(),
        date: date.to_owned(),
        ..EvenementFiness::default()
    };
    let evenements = vec![evenement("2020-01-01"), evenement("2019-01-01")];
    let cessee = StructureFiness { evenements, ..ej() };
    let anomalies = structure(&cessee, None);
    assert_eq!(anomalies.len(), 1);
    assert_eq!(anomalies[0].valeur_recue, "004 2020-01-01");
    let fermee = StructureFiness {
        type_fermeture: "DEF".to_owned(),
        date_fermeture: "2020-01-01".to_owned(),
        ..cessee
    };
    assert!(structure(&fermee, None).is_empty());
}

#[test]
fn a_number_delivered_twice_tells_where() {
    let ailleurs = StructureFiness { num_finess_ej: "2A9000114".to_owned(), ..eg() };
    let anomalie = doublon(&eg(), &ailleurs).unwrap();
    assert_eq!(anomalie.valeur_connue, "site « SITE » de 019000108");
    assert_eq!(anomalie.valeur_recue, "site « SITE » de 2A9000114");
    assert_eq!(doublon(&eg(), &ej()), None);
}
