use ror_proto::{common::v1::Code, nomenclatures::v1::Concept};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::domaine::{RETIRE, essais::concept, normaliser};

const JOUR: &str = "2026-11-21";

fn membre(systeme: &str, code: &str) -> Concept {
    Concept { systeme: systeme.into(), ..concept(code, "") }
}

/// A version loaded `rang` seconds after the first.
fn edition(sorte: Sorte, canonique: &str, version: &str, rang: i64, concepts: Vec<Concept>) -> Edition {
    let mut nomenclature = normaliser(Nomenclature {
        sorte: sorte as i32,
        canonique: canonique.into(),
        version: version.into(),
        complete: true,
        concepts,
        etat: EtatEdition::Publiee as i32,
        ..Default::default()
    });
    let date = OffsetDateTime::UNIX_EPOCH + Duration::seconds(rang);
    nomenclature.meta.get_or_insert_default().date_maj = Some(ror_chassis::conversion::horodatage(date));
    Edition { nomenclature, version: 1 }
}

fn exemple() -> Index {
    let dates = |code: &str, libelle: &str, du: &str, au: &str| Concept {
        valide_du: du.into(),
        valide_au: au.into(),
        ..concept(code, libelle)
    };
    let tre = vec![
        concept("01", "L'Abergement-Clémenciat"),
        concept("02", "Saint-Étienne"),
        dates("03", "Œuvre fermée", "2018-01-01", "2020-12-31"),
    ];
    let autres = vec![concept("A", "Autre"), concept("Z", "Zone")];
    let jeu = vec![membre("urn:t", "02"), membre("urn:u", "A"), membre("urn:t", "01"), membre("urn:t", "03")];
    let mut i = Index::default();
    for e in [
        edition(Sorte::Jdv, "urn:j", "20250101120000", 3, jeu),
        edition(Sorte::Tre, "urn:t", "20250101120000", 1, tre),
        edition(Sorte::Tre, "urn:u", "20250101120000", 2, autres),
    ] {
        assert_eq!(i.poser(&e), None);
    }
    i
}

fn deplier(i: &Index, canonique: &str, filtre: &str, date: &str) -> Vec<String> {
    let vue = i.vue(canonique).unwrap();
    let (page, total) = i.regard(vue).deplier(filtre, date, false, 0, 10);
    assert_eq!(page.len(), total);
    page.into_iter().map(|c| format!("{}|{} {}", c.systeme, c.code, c.libelle)).collect()
}

#[test]
fn a_filter_looks_at_codes_and_labels_wherever_they_come_from() {
    let i = exemple();
    assert_eq!(deplier(&i, "urn:t", "clem ABER", JOUR), ["urn:t|01 L'Abergement-Clémenciat"]);
    assert_eq!(
        deplier(&i, "urn:j", "etienne", JOUR),
        ["urn:t|02 Saint-Étienne"],
        "labelled by its code system"
    );
    assert_eq!(deplier(&i, "urn:t", "0", JOUR).len(), 2);
}

#[test]
fn a_value_set_is_ordered_by_system_completed_and_paged() {
    let i = exemple();
    let tous = ["urn:t|02 Saint-Étienne", "urn:t|01 L'Abergement-Clémenciat", "urn:u|A Autre"];
    assert_eq!(deplier(&i, "urn:j", "", JOUR), tous);
    let regard = i.regard(i.vue("urn:j").unwrap());
    let (page, total) = regard.deplier("", "2020-06-01", false, 1, 2);
    assert_eq!((page.len(), total, page[1].code.as_str()), (2, 4, "03"));
    assert_eq!(page[1].valide_au, "2020-12-31", "dated by its code system");
    assert!(regard.deplier("", JOUR, false, 50, 10).0.is_empty());
    assert_eq!(regard.deplier("", JOUR, true, 0, 10).1, 4, "inactive ones too");
}

#[test]
fn membership_says_why_not() {
    let i = exemple();
    let dire = |canonique: &str, systeme: &str, code: &str, date: &str| {
        let vue = i.vue(canonique).unwrap();
        i.regard(vue).appartient(&Code { systeme: systeme.into(), code: code.into() }, date)
    };
    assert!(dire("urn:j", "urn:t", "01", JOUR).valide);
    assert!(dire("urn:t?vs", "", "01", JOUR).valide, "one system needs no naming");
    assert!(dire("urn:j", "urn:t", "03", "2019-01-01").valide);
    let hors_date = dire("urn:j", "urn:t", "03", JOUR);
    assert_eq!(
        (hors_date.valide, hors_date.tolerable, hors_date.libelle.as_str()),
        (false, true, "Œuvre fermée")
    );
    let absent = dire("urn:j", "urn:u", "Z", JOUR);
    assert_eq!((absent.valide, absent.tolerable, absent.libelle.as_str()), (false, true, "Zone"));
    let etranger = dire("urn:j", "urn:x", "01", JOUR);
    assert!(!etranger.valide && !etranger.tolerable && etranger.motif.contains("source"));
    assert!(!dire("urn:j", "", "01", JOUR).valide);
    assert!(i.vue("urn:inconnu").is_none());
}

#[test]
fn a_partial_list_never_proves_a_code_wrong() {
    let mut partielle = edition(Sorte::Tre, "urn:p", "", 1, vec![concept("1", "Un")]);
    partielle.nomenclature.complete = false;
    let mut i = Index::default();
    i.poser(&partielle);
    let code = Code { systeme: "urn:p".into(), code: "2".into() };
    let a = i.regard(i.vue("urn:p").unwrap()).appartient(&code, JOUR);
    assert!(a.valide && a.motif.contains("complète"));
}

#[test]
fn the_current_version_is_the_newest_published_one() {
    let v = |version: &str, rang| edition(Sorte::Tre, "urn:t", version, rang, vec![concept("1", version)]);
    let courante = |i: &Index| i.vue("urn:t").map(|v| v.entete.version.clone()).unwrap_or_default();
    let parmi = |editions: Vec<Edition>| {
        let mut i = Index::default();
        for e in &editions {
            assert_eq!(i.poser(e), None);
        }
        courante(&i)
    };
    assert_eq!(parmi(vec![v("20250101120000", 1), v("20240101120000", 2)]), "20250101120000");
    assert_eq!(parmi(vec![v("20250101120000", 1), v("INSEE", 2)]), "20250101120000");
    assert_eq!(parmi(vec![v("INSEE", 2), v("COG", 3)]), "COG");
    let en = |mut e: Edition, etat: EtatEdition, revision| {
        e.nomenclature.etat = etat as i32;
        Edition { version: revision, ..e }
    };
    let mut i = Index::default();
    i.poser(&v("20240101120000", 1));
    i.poser(&en(v("20250101120000", 2), EtatEdition::Brouillon, 1));
    assert_eq!(courante(&i), "20240101120000", "a draft is not current");
    assert_eq!(i.brouillon("urn:t").map(|e| e.nomenclature.version.as_str()), Some("20250101120000"));
    assert_eq!(i.poser(&en(v("20250101120000", 2), EtatEdition::Publiee, 2)), None);
    assert_eq!(courante(&i), "20250101120000");
    let a_lire = i.poser(&en(v("20250101120000", 2), EtatEdition::Retiree, 3));
    assert_eq!(a_lire.as_deref(), Some("urn:t|20240101120000"), "the one before is current again");
    assert_eq!(i.poser(&v("20240101120000", 1)), None);
    assert_eq!(courante(&i), "20240101120000");
    assert_eq!(
        i.poser(&en(v("20250101120000", 2), EtatEdition::Publiee, 2)),
        None,
        "an older state is ignored"
    );
    assert_eq!(courante(&i), "20240101120000");
    i.poser(&en(v("20240101120000", 1), EtatEdition::Retiree, 2));
    assert!(i.vue("urn:t").is_none() && i.courante("urn:t").is_none());
}

#[test]
fn at_a_past_date_a_value_set_is_as_it_was() {
    let mut i = exemple();
    i.poser(&edition(Sorte::Jdv, "urn:j", "20230101120000", 9, vec![membre("urn:t", "03")]));
    i.poser(&edition(Sorte::Tre, "urn:t", "20230101120000", 9, vec![concept("03", "x")]));
    let version = |canonique: &str, date: &str| {
        i.en_vigueur(canonique, date, JOUR).map(|e| e.nomenclature.version.clone()).unwrap_or_default()
    };
    assert_eq!(version("urn:j", JOUR), "20250101120000");
    assert_eq!(version("urn:j", "2030-01-01"), "20250101120000");
    assert_eq!(version("urn:j", "2024-06-01"), "20230101120000");
    assert_eq!(version("urn:j", "2020-01-01"), "20230101120000", "the oldest known, before it");
    assert_eq!(version("urn:t", "2024-06-01"), "20250101120000", "a code system dates its codes itself");
    assert_eq!(version("urn:x", JOUR), "");
}

#[test]
fn headers_come_in_order_after_an_id_and_say_which_is_current() {
    let mut i = exemple();
    i.poser(&edition(Sorte::Tre, "urn:t", "20230101120000", 9, vec![concept("03", "x")]));
    let vus: Vec<_> = i.apres("").map(|e| i.dire(e)).map(|n| (n.canonique, n.version, n.courante)).collect();
    let attendus = [
        ("urn:j", "20250101120000", true),
        ("urn:t", "20230101120000", false),
        ("urn:t", "20250101120000", true),
        ("urn:u", "20250101120000", true),
    ]
    .map(|(c, v, courante)| (c.to_owned(), v.to_owned(), courante));
    assert_eq!(vus, attendus);
    assert_eq!(i.apres("urn:t|20230101120000").count(), 2);
    assert!(i.apres("").all(|e| e.nomenclature.concepts.is_empty()));
    assert_eq!(i.apres("").next().unwrap().systemes, ["urn:t", "urn:u"]);
}

#[test]
fn a_lookup_gives_everything_known_of_a_code() {
    let complet = Concept {
        statut: RETIRE.into(),
        valide_au: "2020-01-01".into(),
        libelle_court: "Court".into(),
        libelle_long: "Un peu plus long".into(),
        definition: "Ce que c'est.".into(),
        date_maj: "2024-01-01".into(),
        proprietes: vec![ror_proto::nomenclatures::v1::Propriete {
            code: "parent".into(),
            valeur: "00".into(),
            r#type: "code".into(),
        }],
        ..concept("01", "Libellé")
    };
    let mut i = Index::default();
    i.poser(&edition(Sorte::Tre, "urn:t", "1", 1, vec![concept("02", "Deux"), complet.clone()]));
    let vue = i.systeme("urn:t").unwrap();
    assert_eq!(i.regard(vue).lire("urn:t", "01"), Some(Concept { systeme: "urn:t".into(), ..complet }));
    assert_eq!(i.regard(vue).lire("urn:t", "99"), None);
    assert_eq!(deplier(&i, "urn:t", "deux", JOUR), ["urn:t|02 Deux"]);
    assert!(exemple().systeme("urn:j").is_none(), "a value set is no code system");
}
