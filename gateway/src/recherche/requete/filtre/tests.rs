//! Habits of the published requests, columns of faults, and what is printed comes back.

mod aller_retour;

use super::*;
use crate::{
    modele::TypeFhir::HealthcareService as Offre,
    recherche::{
        arbre::Test,
        parametres::Relation,
        requete::tests::{codes, critere, regard},
    },
};

/// A filter read, or what is said of it; "S|" stands for the code system of the tests.
fn lu(texte: &str) -> Result<Expression, Vec<String>> {
    let texte = texte.replace("S|", "https://x/s|");
    let r = regard(false);
    let mut l = Lecture { regard: &r, valeurs: 0, codes: 0, textes: Vec::new() };
    lire(Offre, &texte, &mut l).map_err(|f| f.into_iter().map(|i| i.diagnostics).collect())
}

fn bon(texte: &str) -> Expression {
    lu(texte).unwrap_or_else(|f| panic!("{texte}: {f:#?}"))
}

/// Two ways to write the same filter.
fn pareils(a: &str, b: &str) {
    assert_eq!(bon(a), bon(b), "{a} / {b}");
}

#[test]
fn a_bare_value_takes_the_path_and_operator_before_it() {
    pareils("(specialty eq S|005 or S|481)", "specialty eq S|005 or specialty eq S|481");
    pareils("_id eq 140 or 141 or 142", "(_id eq 140) or (_id eq 141) or (_id eq 142)");
    pareils(
        r#"(location.address-postalcode eq "60000" or "76620")"#,
        r#"location.address-postalcode eq "60000" or location.address-postalcode eq 76620"#,
    );
    pareils("name co a or b and name sw c or d", "name co a or (name co b and name sw c) or name sw d");
    pareils("specialty ne 1 or 2", "not(specialty eq 1) or not(specialty eq 2)");
    pareils(
        "organization.type:above eq 1 or 2",
        "organization.type:above eq 1 or organization.type:above eq 2",
    );
    pareils("_lastUpdated ge 2024-01-01 or 2025", "_lastUpdated ge 2024-01-01 or _lastUpdated ge 2025");
    // A value may look like a path.
    pareils("name eq a or b.c:d-e", r#"name eq "a" or name eq "b.c:d-e""#);
}

#[test]
fn published_habits_are_read() {
    pareils(
        "specialty eq 1 OR specialty eq 2 AND name eq x",
        "specialty eq 1 or (specialty eq 2 and name eq x)",
    );
    pareils("NOT (name eq x)", "not(name eq x)");
    pareils("_content=cardio", "_content eq cardio");
    pareils(
        "(_content = cardio or location._content=cardio)",
        "_content eq cardio or location._content eq cardio",
    );
    pareils("  ( ( name   eq x ) )  ", "name eq x");
    pareils("organization:Organization.name eq x", "organization.name eq x");
    pareils("specialty eq S|1,2", "specialty eq S|1,S|2");
    pareils(r#"name eq "a\"b\/c\u00e9,d""#, r#"name eq "a\"b/cé\,d""#);
    pareils(r#"specialty eq "S|a\|b""#, r"specialty eq S|a\|b");
    pareils(
        "_lastUpdated ge 2024-01-01T00:00:00 01:00 and name eq x",
        "_lastUpdated ge 2024-01-01T00:00:00+01:00 and name eq x",
    );
    pareils("(_lastUpdated ge 2024-01-01T00:00 01:00)", "_lastUpdated ge 2023-12-31T23:00");
    pareils("organization re Organization/x", "organization eq x");
    pareils("specialty ss 1 and specialty sb 2", "specialty eq 1 and specialty eq 2");
    pareils("specialty ni https://x/jeu", "not(specialty in https://x/jeu)");
    pareils("name sw x", "name eq x");
    assert_eq!(
        bon("specialty pr false"),
        Expression::Feuille(Feuille {
            chemin: Vec::new(),
            au_dessus: false,
            critere: critere(Offre, "specialty", Test::Absent(true)),
            non: false,
            absence: true,
        })
    );
    assert_eq!(
        bon("location[type eq 1 and type eq 2].organization[name eq x].type eq 3"),
        Expression::Lien(
            Etape::Vers(Relation::Lieux),
            false,
            Box::new(Expression::Et(vec![
                lieu("1"),
                lieu("2"),
                Expression::Lien(
                    Etape::Vers(Relation::Gestionnaire),
                    false,
                    Box::new(Expression::Et(vec![
                        structure("name", Test::Texte(ModeTexte::Debut, vec!["x".to_owned()])),
                        structure("type", codes(&["3"])),
                    ]))
                ),
            ]))
        )
    );
}

fn lieu(code: &str) -> Expression {
    seule(critere(TypeFhir::Location, "type", codes(&[code])))
}

fn structure(nom: &str, test: Test) -> Expression {
    seule(critere(TypeFhir::Organization, nom, test))
}

fn seule(critere: Critere) -> Expression {
    let absence = matches!(critere.test, Test::Absent(_));
    Expression::Feuille(Feuille { chemin: Vec::new(), au_dessus: false, critere, non: false, absence })
}

#[test]
fn a_fault_stands_at_its_column() {
    // The mark stands where the fault is.
    for (marque, dit) in [
        ("¤", "comparaison"),
        ("specialty¤", "opérateur"),
        ("specialty eq¤", "valeur"),
        ("specialty eq ¤\"\"", "valeur"),
        ("specialty ¤eqq 1", "« eqq »"),
        ("specialty ¤(eq 1)", "opérateur"),
        ("not ¤specialty eq 1", "« specialty »"),
        ("¤(specialty eq 1", "« ( » n'est pas fermé"),
        ("¤(name eq x and (specialty eq 1)", "« ( » n'est pas fermé"),
        ("specialty eq 1¤)", "ouverture"),
        ("specialty eq 1 ¤bidule", "relie"),
        ("(specialty eq 1 ¤bidule)", "« ) »"),
        ("specialty eq 1 or¤", "valeur"),
        ("specialty eq 1 and¤", "comparaison"),
        ("(specialty eq 1) or ¤2", "reprendre"),
        ("location[type eq 1].name eq a or ¤b", "groupe"),
        ("location[type eq 1]¤ name eq a", "point"),
        ("location¤[type eq 1", "« [ » n'est pas fermé"),
        ("¤bidule[type eq 1].name eq a", "« bidule »"),
        ("¤bidule eq 1", "« bidule »"),
        ("name eq \"été\" and ¤bidule eq 1", "« bidule »"),
        ("¤specialty:not eq 1", ":not"),
        ("¤specialty:above eq 1", ":above"),
        ("name eq ¤\"abc", "fermé"),
        ("name eq \"a¤\\x\"", "échappement"),
        ("name eq \"a¤\\u12\"", "échappement"),
        ("name eq ¤'abc'", "guillemet"),
        ("name eq ¤«abc»", "guillemet"),
        ("_lastUpdated ge ¤hier", "date"),
        ("_lastUpdated ge ¤ge2024", "date"),
        ("_lastUpdated ¤co 2024", "eq, ne, gt, lt, ge, le, sa, eb, ap, po."),
        ("name ¤gt 1", "co, sw, ew"),
        ("_id ¤pr true", "eq, ne"),
        ("organization:above ¤sw x", "eq, ne, re"),
        ("age-range-low le ¤35|https://x/unites|a", "unités"),
        ("specialty eq ¤https://y/s|1", "https://y/s"),
        ("specialty in ¤https://y/jeu", "https://y/jeu"),
        ("specialty pr ¤oui", "true ou false"),
        ("¤_filter eq x", "_filter"),
        ("¤partof.partof.partof.partof.partof.partof.partof.name eq x", "lien"),
    ] {
        let colonne = marque.chars().take_while(|c| *c != '¤').count() + 1;
        let texte = marque.replace('¤', "");
        let f = lu(&texte).unwrap_err();
        assert_eq!(f.len(), 1, "{texte}: {f:#?}");
        let ici = format!("colonne {colonne}, ");
        assert!(f[0].contains(&ici) && f[0].contains(dit), "{texte} at {colonne}: {}", f[0]);
        assert!(f[0].contains("Attendu : "), "{}", f[0]);
    }
}

#[test]
fn a_fault_shows_what_stands_there_and_hides_no_other() {
    let f = lu("bidule eq 1 or 2 and _lastUpdated ge hier or (name gt 3) or demain").unwrap_err();
    assert_eq!(f.len(), 4, "{f:#?}");
    assert!(f[0].contains("colonne 1, à « bidule eq 1 or 2 and _la… » : "), "{}", f[0]);
    assert!(f[1].contains("« hier » n'est pas une date."), "{}", f[1]);
    assert!(f[2].contains("colonne 52, à « gt 3) or demain » : "), "{}", f[2]);
    // After the parenthesis there is nothing to take over.
    assert!(f[3].contains("reprendre"), "{}", f[3]);
    assert!(lu("name eq").unwrap_err()[0].contains("colonne 8, à la fin : "));
}
