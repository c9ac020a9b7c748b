use super::*;

/// A national base on an ordinary day.
fn nationale() -> Bilan {
    Bilan {
        taille: 50_000_000,
        taille_avant: 50_100_000,
        collections: vec![
            Collection { nom: "pmej".into(), avant: 98_168, apres: 98_170 },
            Collection { nom: "ege".into(), avant: 174_508, apres: 174_520 },
        ],
        schema: "v1.0.0".into(),
        schema_avant: "v1.0.0".into(),
        connus: 272_676,
        fermetures: 12,
        modifications: 900,
        lignes: 272_690,
        refus: 3,
        ..Bilan::default()
    }
}

fn regles(bilan: &Bilan) -> Vec<String> {
    juger(bilan, &Seuils::default()).into_iter().map(|motif| motif.regle).collect()
}

#[test]
fn a_record_counts_once_and_a_closure_first() {
    let change = |operation: Operation| Changement { operation: operation as i32, ..Changement::default() };
    let mut bilan = Bilan::default();
    bilan.compter(&[]);
    bilan.compter(&[change(Operation::Creee)]);
    assert_eq!((bilan.fermetures, bilan.modifications), (0, 0));
    bilan.compter(&[change(Operation::Transferee), change(Operation::Modifiee)]);
    bilan.compter(&[change(Operation::Rouverte)]);
    bilan.compter(&[change(Operation::Modifiee), change(Operation::Fermee)]);
    bilan.compter(&[change(Operation::HorsChamp)]);
    assert_eq!((bilan.fermetures, bilan.modifications), (2, 2));
}

#[test]
fn an_ordinary_day_passes() {
    assert_eq!(regles(&nationale()), Vec::<String>::new());
}

#[test]
fn a_file_under_98_percent_is_held_and_98_percent_is_not() {
    let a_98 = Bilan { taille: 49_000_000, taille_avant: 50_000_000, ..nationale() };
    assert!(regles(&a_98).is_empty());
    let dessous = Bilan { taille: 48_999_999, ..a_98 };
    assert_eq!(regles(&dessous), ["taille-en-baisse"]);
    let motif = juger(&dessous, &Seuils::default()).remove(0);
    assert_eq!(motif.message, "Le fichier a perdu 2 % de sa taille : 48999999 octets au lieu de 50000000.");
    assert_eq!(motif.attendu, "au plus 2 % de moins que l'édition précédente, ou l'accord d'une personne");
}

#[test]
fn a_small_file_may_vary_but_not_lose_a_fifth() {
    let petit = Bilan { taille: 7_925, taille_avant: 8_233, connus: 13, lignes: 18, ..Bilan::default() };
    assert!(regles(&petit).is_empty());
    let coupe = Bilan { taille: 6_586, ..petit };
    assert_eq!(regles(&coupe), ["taille-en-baisse"]);
}

#[test]
fn a_part_of_an_edition_and_a_first_load_have_no_former_size() {
    let coupe = Bilan {
        taille: 10,
        collections: vec![Collection { nom: "ege".into(), avant: 174_508, apres: 1 }],
        ..nationale()
    };
    assert_eq!(regles(&coupe), ["taille-en-baisse", "collection-en-baisse"]);
    assert!(regles(&Bilan { partielle: true, ..coupe.clone() }).is_empty());
    assert!(regles(&Bilan { premiere: true, modifications: 200_000, ..coupe }).is_empty());
    let inconnue = Bilan { taille_avant: 0, ..nationale() };
    assert!(regles(&inconnue).is_empty());
}

#[test]
fn a_collection_that_loses_more_than_one_percent_is_held() {
    let collection = |avant, apres| Bilan {
        collections: vec![Collection { nom: "gcc".into(), avant, apres }],
        ..nationale()
    };
    assert!(regles(&collection(10_000, 9_900)).is_empty());
    assert_eq!(regles(&collection(10_000, 9_899)), ["collection-en-baisse"]);
    assert!(regles(&collection(135, 130)).is_empty(), "below the floor");
    assert_eq!(regles(&collection(135, 108)), ["collection-en-baisse"], "a fifth");
    assert!(regles(&collection(1, 0)).is_empty(), "a single element may go");
    assert_eq!(regles(&collection(10, 0)), ["collection-en-baisse"]);
}

#[test]
fn too_many_closures_or_changes_are_held() {
    assert!(regles(&Bilan { connus: 10_000, fermetures: 50, modifications: 0, ..nationale() }).is_empty());
    let fermetures = Bilan { connus: 10_000, fermetures: 51, modifications: 0, ..nationale() };
    assert_eq!(regles(&fermetures), ["fermetures-nombreuses"]);
    let motif = juger(&fermetures, &Seuils::default()).remove(0);
    assert_eq!(motif.message, "L'édition ferme 51 enregistrements sur 10000 connus (0,51 %).");
    assert_eq!(motif.attendu, "au plus 0,5 % des enregistrements connus, ou l'accord d'une personne");
    assert!(regles(&Bilan { connus: 10_000, modifications: 500, ..nationale() }).is_empty());
    let modifications = Bilan { connus: 10_000, modifications: 501, ..nationale() };
    assert_eq!(regles(&modifications), ["modifications-nombreuses"]);
    let petite = Bilan { connus: 31, fermetures: 2, modifications: 3, ..Bilan::default() };
    assert!(regles(&petite).is_empty());
}

#[test]
fn a_new_schema_is_held_when_one_was_known() {
    assert_eq!(regles(&Bilan { schema: "v1.1.0".into(), ..nationale() }), ["schema-change"]);
    assert_eq!(regles(&Bilan { schema: String::new(), ..nationale() }), ["schema-change"]);
    assert!(regles(&Bilan { schema_avant: String::new(), ..nationale() }).is_empty());
}

#[test]
fn many_refusals_are_held_even_on_a_first_load() {
    assert!(regles(&Bilan { refus: 100, ..nationale() }).is_empty());
    assert_eq!(regles(&Bilan { refus: 101, premiere: true, ..nationale() }), ["refus-nombreux"]);
    assert_eq!(regles(&Bilan { lignes: 20_000, refus: 21, ..nationale() }), ["refus-nombreux"]);
    let hostile = Bilan { premiere: true, lignes: 15, refus: 10, ..Bilan::default() };
    assert!(regles(&hostile).is_empty(), "the rest of a small faulty file goes on");
}

#[test]
fn an_older_edition_is_rejected_whatever_the_form_of_the_keys() {
    assert_eq!(rejeter_ancienne("20260930", "20261001").unwrap().regle, "edition-ancienne");
    assert!(rejeter_ancienne("202610010830", "202610020830").is_some());
    assert!(rejeter_ancienne("20261002", "20261001").is_none());
    assert!(rejeter_ancienne("20261001", "20261001").is_none());
    assert!(rejeter_ancienne("2026-10-01T02:14:30Z", "20261001").is_none());
    assert!(rejeter_ancienne("20260512-0338", "2026-05-12").is_none());
    assert!(rejeter_ancienne("2026-09-30T02:14:30Z", "20261001").is_some());
    assert!(rejeter_ancienne("", "20261001").is_none());
    assert!(rejeter_ancienne("20261001", "").is_none());
}

#[test]
fn no_count_overflows() {
    let enorme = Bilan {
        taille: 1,
        taille_avant: u64::MAX,
        connus: u64::MAX,
        fermetures: u64::MAX,
        modifications: u64::MAX,
        lignes: 0,
        refus: u64::MAX,
        ..Bilan::default()
    };
    assert!(regles(&enorme).contains(&"refus-nombreux".to_owned()));
}

#[test]
fn percentages_are_french() {
    let lus: Vec<String> = [0, 5, 50, 100, 200, 250, 9_999].into_iter().map(pour_cent).collect();
    assert_eq!(lus, ["0 %", "0,05 %", "0,5 %", "1 %", "2 %", "2,5 %", "99,99 %"]);
}
