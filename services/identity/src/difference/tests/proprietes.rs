//! Random pairs of editions: the operations lead exactly from one to the other.

use std::collections::BTreeMap;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

type Edition = BTreeMap<String, Identity>;

fn parmi(valeurs: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(valeurs).prop_map(str::to_owned)
}

fn texte() -> impl Strategy<Value = String> {
    parmi(&["", "A", "B"])
}

fn region_tiree() -> impl Strategy<Value = String> {
    parmi(&["84", "94"])
}

fn meta_de(id: String, region: String) -> Option<Meta> {
    Some(Meta { id, region, ..Meta::default() })
}

fn evenement() -> impl Strategy<Value = EvenementFiness> {
    let codes = parmi(&["003", "005", "016", "018", "019", "039"]);
    (codes, parmi(&["2026-01-01", "2026-10-01"]), parmi(&["100", "103"])).prop_map(
        |(code, date, etat_objet)| EvenementFiness { code, date, etat_objet, objet_lie: String::new() },
    )
}

fn structure() -> impl Strategy<Value = Ressource> {
    (
        0..4_u32,
        parmi(&["", "EJ1", "EJ2"]),
        texte(),
        texte(),
        parmi(&["", "DEF", "PRO", "HORS_CHAMP", "ERREUR"]),
        parmi(&["", "2026-10-01", "2026-12-31"]),
        vec(evenement(), 0..4),
        texte(),
        region_tiree(),
        option::of(0..2_i32),
    )
        .prop_map(|(numero, ej, nom, court, fermeture, date, evenements, maj, region, nord)| {
            let entite_juridique = matches!(numero, 0 | 2);
            Ressource::StructureFiness(StructureFiness {
                meta: meta_de(format!("s-{numero}"), region),
                num_finess: format!("{numero:09}"),
                entite_juridique,
                num_finess_ej: if entite_juridique { String::new() } else { ej },
                denomination: nom,
                denomination_courte: court,
                type_fermeture: fermeture,
                date_fermeture: date,
                evenements,
                date_maj_source: maj,
                position: nord.map(|nord| Position { latitude: f64::from(nord), ..Position::default() }),
                ..StructureFiness::default()
            })
        })
}

fn exercice() -> impl Strategy<Value = ExerciceProfessionnel> {
    let savoir_faire = texte().prop_map(|code| SavoirFaire { r#type: "S".to_owned(), code });
    let activite = (texte(), texte()).prop_map(|(finess_site, mode_exercice)| Activite {
        finess_site,
        mode_exercice,
        ..Activite::default()
    });
    (parmi(&["10", "60"]), texte(), vec(savoir_faire, 0..3), vec(activite, 0..3)).prop_map(
        |(profession, civilite_exercice, savoir_faire, activites)| ExerciceProfessionnel {
            profession,
            categorie: "C".to_owned(),
            civilite_exercice,
            savoir_faire,
            activites,
        },
    )
}

fn professionnel() -> impl Strategy<Value = Ressource> {
    (0..3_u32, texte(), texte(), any::<bool>(), vec(exercice(), 0..3), region_tiree()).prop_map(
        |(numero, nom, prenom, actif, exercices, region)| {
            let uniques: BTreeMap<String, ExerciceProfessionnel> =
                exercices.into_iter().map(|e| (e.profession.clone(), e)).collect();
            Ressource::Professionnel(Professionnel {
                meta: meta_de(format!("p-{numero}"), region),
                id_nat_ps: format!("8{numero:011}"),
                nom,
                prenom,
                exercices: uniques.into_values().collect(),
                actif,
                ..Professionnel::default()
            })
        },
    )
}

fn activites_tirees() -> impl Strategy<Value = Ressource> {
    let capacite = (0..3_u32).prop_map(|nombre| CapaciteFiness { nombre, ..CapaciteFiness::default() });
    let activite = (parmi(&["1", "2"]), texte(), 0..3_i32, vec(capacite, 0..3), vec(texte(), 0..3)).prop_map(
        |(identifiant, nature, statut, capacites, communes)| ActiviteFiness {
            identifiant,
            nature,
            statut,
            capacites,
            communes,
            ..ActiviteFiness::default()
        },
    );
    (0..2_u32, vec(activite, 0..3)).prop_map(|(numero, activites)| {
        let uniques: BTreeMap<String, ActiviteFiness> =
            activites.into_iter().map(|a| (a.identifiant.clone(), a)).collect();
        Ressource::ActivitesFiness(ActivitesFiness {
            meta: meta_de(format!("a-{numero}"), String::new()),
            num_finess: format!("{numero:09}"),
            activites: uniques.into_values().collect(),
        })
    })
}

fn formation() -> impl Strategy<Value = Ressource> {
    let diplome = (texte(), texte()).prop_map(|(genre, code)| Diplome { r#type: genre, code });
    let autorisation =
        (texte(), texte()).prop_map(|(genre, discipline)| AutorisationExercice { r#type: genre, discipline });
    (0..2_u32, vec(diplome, 0..3), vec(autorisation, 0..3)).prop_map(|(numero, diplomes, autorisations)| {
        Ressource::Formation(Formation {
            meta: meta_de(format!("f-{numero}"), String::new()),
            id_nat_ps: format!("8{numero:011}"),
            diplomes,
            autorisations,
        })
    })
}

fn edition() -> impl Strategy<Value = Edition> {
    let tiree = prop_oneof![structure(), professionnel(), activites_tirees(), formation()];
    vec(tiree.prop_map(identite), 0..8).prop_map(|identites| {
        identites
            .into_iter()
            .map(|i| (Sujet::de(&i).map(|sujet| sujet.id.to_owned()).unwrap_or_default(), i))
            .collect::<Edition>()
    })
}

/// Structures of the second edition take only some of their fields from it, so
/// that single differences occur.
fn rapprocher(connus: &Edition, recus: Edition, masque: u32) -> Edition {
    recus
        .into_iter()
        .map(|(id, recu)| {
            let rapprochee = match (connus.get(&id).and_then(|i| i.ressource.as_ref()), &recu.ressource) {
                (Some(Ressource::StructureFiness(a)), Some(Ressource::StructureFiness(b))) => {
                    Some(croiser(a, b, masque))
                }
                _ => None,
            };
            (id, rapprochee.map_or(recu, |s| identite(Ressource::StructureFiness(s))))
        })
        .collect()
}

fn croiser(avant: &StructureFiness, apres: &StructureFiness, masque: u32) -> StructureFiness {
    let choix = |rang: u32| if (masque >> rang) & 1 == 1 { apres } else { avant };
    StructureFiness {
        meta: choix(0).meta.clone(),
        num_finess_ej: choix(1).num_finess_ej.clone(),
        denomination: choix(2).denomination.clone(),
        denomination_courte: choix(3).denomination_courte.clone(),
        type_fermeture: choix(4).type_fermeture.clone(),
        date_fermeture: choix(5).date_fermeture.clone(),
        evenements: choix(6).evenements.clone(),
        position: choix(7).position,
        ..apres.clone()
    }
}

/// What must be the same for two records to be equal, told without the code
/// under test.
fn forme(identite: &Identity) -> Identity {
    let mut forme = identite.clone();
    match forme.ressource.as_mut() {
        Some(Ressource::StructureFiness(s)) => {
            s.date_maj_source.clear();
            trier(&mut s.evenements);
            s.evenements.dedup();
        }
        Some(Ressource::Professionnel(p)) => {
            for exercice in &mut p.exercices {
                trier(&mut exercice.savoir_faire);
                trier(&mut exercice.activites);
            }
            trier(&mut p.exercices);
        }
        Some(Ressource::ActivitesFiness(a)) => {
            for activite in &mut a.activites {
                trier(&mut activite.capacites);
                trier(&mut activite.communes);
            }
            trier(&mut a.activites);
        }
        Some(Ressource::Formation(f)) => {
            trier(&mut f.diplomes);
            trier(&mut f.autorisations);
        }
        None => {}
    }
    forme
}

fn formes(edition: &Edition) -> Edition {
    edition.iter().map(|(id, identite)| (id.clone(), forme(identite))).collect()
}

fn trier<T: Debug>(liste: &mut [T]) {
    liste.sort_by_cached_key(|element| format!("{element:?}"));
}

/// The same record, told in another order, another day.
fn redire(identite: &Identity) -> Identity {
    let mut redite = identite.clone();
    match redite.ressource.as_mut() {
        Some(Ressource::StructureFiness(s)) => {
            s.meta.get_or_insert_default().version = 7;
            s.date_maj_source = "2026-11-01T00:00:00".to_owned();
            s.evenements.reverse();
        }
        Some(Ressource::Professionnel(p)) => {
            p.meta.get_or_insert_default().version = 7;
            p.exercices.reverse();
            for exercice in &mut p.exercices {
                exercice.savoir_faire.reverse();
                exercice.activites.reverse();
            }
        }
        Some(Ressource::ActivitesFiness(a)) => {
            a.meta.get_or_insert_default().version = 7;
            a.activites.reverse();
            for activite in &mut a.activites {
                activite.capacites.reverse();
                activite.communes.reverse();
            }
        }
        Some(Ressource::Formation(f)) => {
            f.meta.get_or_insert_default().version = 7;
            f.diplomes.reverse();
            f.autorisations.reverse();
        }
        None => {}
    }
    redite
}

proptest! {
    #[test]
    fn the_operations_lead_exactly_from_an_edition_to_the_next(
        connus in edition(),
        recus in edition(),
        masque in select(vec![0_u32, 1, 2, 4, 8, 16, 32, 64, 128, 255]),
    ) {
        let recus = rapprocher(&connus, recus, masque);
        let operations: Vec<Changement> =
            recus.iter().flat_map(|(id, recu)| comparer(connus.get(id), recu)).collect();
        let mut appliques = connus.clone();
        for operation in &operations {
            let inconnu = !connus.contains_key(&operation.id);
            prop_assert_eq!(operation.operation() == Operation::Creee, inconnu);
            appliques.insert(operation.id.clone(), recus[&operation.id].clone());
        }
        // What is absent from the second edition stays: absence is no operation.
        let mut attendus = connus.clone();
        attendus.extend(recus);
        prop_assert_eq!(formes(&appliques), formes(&attendus));
    }

    #[test]
    fn an_operation_is_told_only_of_records_that_differ_and_once(
        connus in edition(),
        recus in edition(),
        masque in select(vec![0_u32, 1, 2, 4, 8, 16, 32, 64, 128, 255]),
    ) {
        for (id, recu) in &rapprocher(&connus, recus, masque) {
            let Some(connu) = connus.get(id) else { continue };
            let mut operations: Vec<i32> =
                comparer(Some(connu), recu).iter().map(|c| c.operation).collect();
            prop_assert_eq!(operations.is_empty(), forme(connu) == forme(recu));
            prop_assert_eq!(operations.is_empty(), egaux(connu, recu));
            let nombre = operations.len();
            operations.sort_unstable();
            operations.dedup();
            prop_assert_eq!(operations.len(), nombre);
        }
    }

    #[test]
    fn the_same_record_told_otherwise_is_equal(connus in edition()) {
        for connu in connus.values() {
            prop_assert!(egaux(connu, &redire(connu)));
        }
    }
}
