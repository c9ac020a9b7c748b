//! A random tree, printed, is read back equal.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::recherche::{
    arbre::{Intervalle, Jeton, Nombre},
    parametres::{Relation, de_type},
    requete::tests::S,
};

const JOUR_MS: i64 = 86_400_000;

/// Texts that folding leaves as they are, with all that must be escaped.
fn texte() -> BoxedStrategy<String> {
    ("[a-z]", r#"[a-z0-9 ,|$\\"()'\[\]-]{0,6}"#).prop_map(|(a, b)| a + &b).boxed()
}

fn code() -> BoxedStrategy<String> {
    prop_oneof![r"[A-Z0-9/-]{1,4}", r#"[a-z ,|$\\"()é]{1,4}"#].boxed()
}

fn prefixe() -> BoxedStrategy<Prefixe> {
    use Prefixe as P;
    select(vec![P::Eq, P::Gt, P::Lt, P::Ge, P::Le, P::Sa, P::Eb]).boxed()
}

fn nombre() -> BoxedStrategy<Nombre> {
    (0..1000_u16).prop_map(|n| Nombre { valeur: f64::from(n), demi: 0.5 }).boxed()
}

/// What may be asked of a parameter.
fn test_de(p: &'static Parametre) -> BoxedStrategy<Test> {
    let absent = any::<bool>().prop_map(Test::Absent);
    let id = || "[a-z0-9.-]{1,6}".prop_map(|i: String| vec![i]);
    match (p.genre, p.cible) {
        (_, Cible::Id) => id().prop_map(Test::Id).boxed(),
        // A full text has a word.
        (_, Cible::Contenu | Cible::Narratif) => {
            texte().prop_map(|t| Test::Contenu(format!("cardio {t}"))).boxed()
        }
        (_, Cible::Identifiant) => {
            let jeton = code().prop_map(|c| Test::Jeton(vec![Jeton { systeme: None, code: Some(c) }]));
            prop_oneof![jeton, absent].boxed()
        }
        (Genre::Token, _) => {
            let jeton = (any::<bool>(), code()).prop_map(|(avec, c)| {
                Test::Jeton(vec![Jeton { systeme: avec.then(|| S.to_owned()), code: Some(c) }])
            });
            prop_oneof![3 => jeton, 1 => absent].boxed()
        }
        (Genre::String, _) => {
            let mode = select(vec![ModeTexte::Debut, ModeTexte::Contient, ModeTexte::Fin]);
            let cherche = (mode, texte()).prop_map(|(m, t)| Test::Texte(m, vec![t]));
            prop_oneof![3 => cherche, 1 => absent].boxed()
        }
        (Genre::Date, _) => {
            let date = (prefixe(), 0..20_000_i64).prop_map(|(p, jour)| {
                let de = jour * JOUR_MS;
                Test::Date(vec![(p, Intervalle { de, a: de + JOUR_MS })])
            });
            date.boxed()
        }
        (Genre::Number, _) => (prefixe(), nombre()).prop_map(|(p, n)| Test::Nombre(vec![(p, n)])).boxed(),
        (Genre::Quantity, _) => {
            let unite = select(vec![None, Some("a".to_owned()), Some("kg".to_owned())]);
            (prefixe(), nombre(), unite).prop_map(|(p, n, u)| Test::Quantite(vec![(p, n, u)])).boxed()
        }
        (Genre::Reference, Cible::Reference(r)) if r.cible() == TypeFhir::Organization => {
            prop_oneof![id().prop_map(Test::Reference), id().prop_map(Test::ReferenceAuDessus)].boxed()
        }
        _ => id().prop_map(Test::Reference).boxed(),
    }
}

/// A criterion of a type, at the end of a path.
fn feuille(t: TypeFhir, chemin: Vec<Etape>, au_dessus: bool) -> BoxedStrategy<Expression> {
    // At the end of a chain `:above` of a reference is the reference's own; drop-zone takes two codes.
    let admis = |p: &&Parametre| {
        p.genre != Genre::Special && p.nom != "drop-zone" && !(au_dessus && p.genre == Genre::Reference)
    };
    let parametres: Vec<&'static Parametre> = de_type(t).filter(admis).collect();
    select(parametres)
        .prop_flat_map(move |parametre| {
            let chemin = chemin.clone();
            test_de(parametre).prop_map(move |test| {
                let absence = matches!(test, Test::Absent(_));
                let (chemin, critere) = (chemin.clone(), Critere { parametre, test });
                Expression::Feuille(Feuille { chemin, au_dessus, critere, non: false, absence })
            })
        })
        .boxed()
}

fn feuilles() -> BoxedStrategy<Expression> {
    use Etape::{Depuis, Vers};
    use Relation as R;
    prop_oneof![
        feuille(TypeFhir::HealthcareService, vec![], false),
        feuille(TypeFhir::Location, vec![Vers(R::Lieux)], false),
        feuille(TypeFhir::Organization, vec![Vers(R::Porteur)], true),
        feuille(TypeFhir::Organization, vec![Vers(R::Porteur), Vers(R::Parent)], false),
        feuille(TypeFhir::PractitionerRole, vec![Depuis(R::Offre)], false),
        feuille(TypeFhir::Practitioner, vec![Depuis(R::Offre), Vers(R::Professionnel)], false),
        feuille(TypeFhir::Organization, vec![Depuis(R::Offre), Vers(R::Structure)], true),
    ]
    .boxed()
}

/// `location[…].…` and `organization[…].…:above`.
fn groupes() -> BoxedStrategy<Expression> {
    let groupe = |r: Relation, au_dessus: bool| {
        let t = r.cible();
        let filtre = prop_oneof![
            vec(feuille(t, vec![], false), 1..3),
            vec(feuille(t, vec![], false), 2..3).prop_map(|v| vec![Expression::Ou(v)]),
        ];
        // What `:above` is said of has no link and is no reference.
        let derniere = select(de_type(t).filter(|p| p.nom == "identifier").collect::<Vec<_>>());
        let derniere = derniere.prop_flat_map(|parametre| {
            test_de(parametre).prop_map(move |test| seule(Critere { parametre, test }))
        });
        (filtre, derniere).prop_map(move |(mut operandes, derniere)| {
            operandes.push(derniere);
            Expression::Lien(Etape::Vers(r), au_dessus, Box::new(Expression::Et(operandes)))
        })
    };
    prop_oneof![groupe(Relation::Lieux, false), groupe(Relation::Porteur, true)].boxed()
}

fn arbre() -> BoxedStrategy<Expression> {
    prop_oneof![4 => feuilles(), 1 => groupes()]
        .prop_recursive(4, 24, 4, |dedans| {
            prop_oneof![
                vec(dedans.clone(), 2..4).prop_map(Expression::Et),
                vec(dedans.clone(), 2..4).prop_map(Expression::Ou),
                dedans.prop_map(|e| Expression::Non(Box::new(e))),
            ]
        })
        .boxed()
}

fn imprimer(e: &Expression) -> String {
    let joindre = |v: &[Expression], mot: &str| v.iter().map(operande).collect::<Vec<_>>().join(mot);
    match e {
        Expression::Et(v) => joindre(v, " and "),
        Expression::Ou(v) => v.iter().map(branche).collect::<Vec<_>>().join(" OR "),
        Expression::Non(e) => format!("not({})", imprimer(e)),
        Expression::Feuille(f) => imprimer_feuille(f, f.au_dessus),
        Expression::Lien(etape, au_dessus, e) => {
            let Expression::Et(v) = e.as_ref() else { panic!("{e:?}") };
            let (derniere, filtre) = v.split_last().unwrap();
            let Expression::Feuille(f) = derniere else { panic!("{derniere:?}") };
            let filtre = match filtre {
                [seul] => imprimer(seul),
                plusieurs => joindre(plusieurs, " and "),
            };
            let lien = imprimer_etape(*etape);
            format!("{}[{filtre}].{}", lien.trim_end_matches('.'), imprimer_feuille(f, *au_dessus))
        }
    }
}

/// `and` binds tighter than `or`: only a group of groups needs parentheses.
fn branche(e: &Expression) -> String {
    if matches!(e, Expression::Ou(_)) { format!("({})", imprimer(e)) } else { imprimer(e) }
}

fn operande(e: &Expression) -> String {
    if matches!(e, Expression::Et(_)) { format!("({})", imprimer(e)) } else { branche(e) }
}

fn imprimer_etape(e: Etape) -> String {
    match e {
        Etape::Vers(r) => format!("{}.", r.nom()),
        Etape::Depuis(r) => format!("_has:{}:{}:", r.source().nom(), r.nom()),
    }
}

fn imprimer_feuille(f: &Feuille, au_dessus: bool) -> String {
    let mut sortie: String = f.chemin.iter().map(|e| imprimer_etape(*e)).collect();
    sortie.push_str(f.critere.parametre.nom);
    if au_dessus || matches!(f.critere.test, Test::ReferenceAuDessus(_)) {
        sortie.push_str(":above");
    }
    sortie.push_str(&imprimer_test(&f.critere.test));
    sortie
}

/// A text between quotes.
fn guillemets(t: &str) -> String {
    format!("\"{}\"", t.replace('\\', r"\\").replace('"', "\\\""))
}

fn imprimer_test(test: &Test) -> String {
    let nom = |p: &Prefixe| {
        let cherche = Operateur::Prefixe(*p);
        OPERATEURS.iter().find(|(_, o)| *o == cherche).map_or("eq", |(nom, _)| *nom)
    };
    match test {
        Test::Absent(b) => format!(" pr {}", !b),
        Test::Id(v) | Test::Reference(v) | Test::ReferenceAuDessus(v) => format!(" eq {}", v[0]),
        Test::Contenu(t) => format!("={}", guillemets(t)),
        Test::Texte(mode, v) => {
            let (nom, _) = OPERATEURS.iter().find(|(_, o)| *o == Operateur::Texte(*mode)).unwrap();
            format!(" {nom} {}", guillemets(&v[0]))
        }
        Test::Jeton(v) => {
            let code = guillemets(v[0].code.as_deref().unwrap()).replace('|', r"\|");
            let systeme = v[0].systeme.as_ref().map_or_else(String::new, |s| format!("{s}|"));
            format!(" eq \"{systeme}{}", &code[1..])
        }
        Test::Date(v) => {
            let (p, i) = &v[0];
            let jour = time::OffsetDateTime::from_unix_timestamp(i.de / 1000).unwrap().date();
            format!(" {} {jour}", nom(p))
        }
        Test::Nombre(v) => format!(" {} {}", nom(&v[0].0), v[0].1.valeur),
        Test::Quantite(v) => {
            let (p, n, unite) = &v[0];
            let unite =
                unite.as_ref().map_or_else(String::new, |u| format!("|http://unitsofmeasure.org|{u}"));
            format!(" {} {}{unite}", nom(p), n.valeur)
        }
        Test::Libelle(_) | Test::Proche(_) => panic!("{test:?}"),
    }
}

proptest! {
    #[test]
    fn a_printed_tree_is_read_back(e in arbre()) {
        let texte = imprimer(&e);
        prop_assert_eq!(lu(&texte), Ok(e), "{}", texte);
    }
}
