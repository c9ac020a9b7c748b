//! Elements read in place, and elements copied out of the file then parsed as a
//! [`Value`], must give the same records, refusals, counts and errors.

use std::ops::ControlFlow;

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::super::tests::Hasard;
use super::super::{ErreurFichier, Lecture, Resume, couper};
use super::arbre::Arbre;
use super::*;

/// What a reader gives.
pub(in crate::formats) type Lu = (Vec<Lecture>, Result<Resume, ErreurFichier>);

/// A content whose elements are never read in place, and are read from a [`Value`].
pub(in crate::formats) struct Lent<'c, C>(pub(in crate::formats) &'c mut C);

impl<C: Contenu> Contenu for Lent<'_, C> {
    const FORMAT: &'static str = C::FORMAT;
    const LISTES: &'static [&'static str] = C::LISTES;
    const EN_PLACE: bool = false;

    fn element(
        &mut self,
        liste: &'static str,
        brut: &str,
        _: Option<Noeud<'_>>,
        etat: &mut Etat,
    ) -> ControlFlow<()> {
        let valeur = serde_json::from_str::<Value>(brut).ok();
        let arbre = valeur.as_ref().map(Arbre::de_valeur);
        self.0.element(liste, brut, arbre.as_ref().map(Arbre::racine), etat)
    }
}

/// Reads a file both ways.
pub(in crate::formats) fn comparer(octets: &[u8], vite: impl Fn(&[u8]) -> Lu, lent: impl Fn(&[u8]) -> Lu) {
    let texte = couper(&String::from_utf8_lossy(octets));
    let (vite, lent) = (vite(octets), lent(octets));
    for (une, autre) in vite.0.iter().zip(&lent.0) {
        assert_eq!(une, autre, "{texte}");
    }
    assert_eq!(vite.0.len(), lent.0.len(), "{texte}");
    assert_eq!(vite.1, lent.1, "{texte}");
}

/// Reads both ways a file, and that file damaged so many times.
pub(in crate::formats) fn essayer(
    base: &Value,
    fois: usize,
    vite: impl Fn(&[u8]) -> Lu,
    lent: impl Fn(&[u8]) -> Lu,
) {
    comparer(base.to_string().as_bytes(), &vite, &lent);
    comparer(format!("{base:#}").as_bytes(), &vite, &lent);
    let mut hasard = Hasard(19);
    for _ in 0..fois {
        let mut racine = base.clone();
        for _ in 0..hasard.jusqu_a(4) {
            let liste = ["pmej", "pmej", "pmej", "pmej", "gco", "gcc"][hasard.jusqu_a(6)];
            abimer(&mut racine[liste], &mut hasard);
        }
        let mut octets = racine.to_string().into_bytes();
        for _ in 0..hasard.jusqu_a(3) {
            octets = retoucher(octets, &mut hasard);
        }
        comparer(&octets, &vite, &lent);
    }
}

/// Removes, adds, repeats or replaces something somewhere in a value.
fn abimer(valeur: &mut Value, hasard: &mut Hasard) {
    let descendre = hasard.jusqu_a(12) > 0;
    match valeur {
        Value::Object(objet) if descendre && !objet.is_empty() => {
            let cle = objet.keys().nth(hasard.jusqu_a(objet.len())).cloned().unwrap();
            match hasard.jusqu_a(8) {
                0 => {
                    objet.remove(&cle);
                }
                1 => {
                    objet.insert("clé nouvelle".to_owned(), etrange(hasard));
                }
                _ => abimer(objet.get_mut(&cle).unwrap(), hasard),
            }
        }
        Value::Array(liste) if descendre && !liste.is_empty() => {
            let rang = hasard.jusqu_a(liste.len());
            match hasard.jusqu_a(8) {
                0 => {
                    liste.remove(rang);
                }
                1 => {
                    let double = liste[rang].clone();
                    liste.push(double);
                }
                _ => abimer(&mut liste[rang], hasard),
            }
        }
        autre => *autre = etrange(hasard),
    }
}

fn etrange(hasard: &mut Hasard) -> Value {
    let valeurs = [
        Value::Null,
        json!(true),
        json!(12),
        json!(-3),
        json!(1.50),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("  "),
        json!(" rembourré\u{a0}"),
        json!("é\"\\\n\u{7f}😀"),
        json!("A"),
        json!("I"),
        json!("1"),
        json!("1900-01-01"),
        json!("2020-13-45"),
        json!("2020-01-01 10:00:00"),
        json!("019000207"),
        json!([]),
        json!({}),
        json!([null, {"a": [1, {}]}]),
        json!({"": "x", "etatObjet": "A"}),
    ];
    valeurs[hasard.jusqu_a(valeurs.len())].clone()
}

/// What a [`Value`] cannot hold: keys that come twice, escapes, spaces, bytes.
fn retoucher(octets: Vec<u8>, hasard: &mut Hasard) -> Vec<u8> {
    const DOUBLES: [&str; 9] = [
        r#""etatObjet":"I""#,
        r#""numFinessEge":null"#,
        r#""numFinessPm":"019000207""#,
        r#""numFiness":"019000207""#,
        r#""egeId":"9""#,
        r#""activiteAeId":{}"#,
        r#""ege":[]"#,
        r#""inconnue":1,"inconnue":[2],"autre":{"a":"\u00e9"}"#,
        r#""inconnue":1e999"#,
    ];
    let mut texte = match String::from_utf8(octets) {
        Ok(texte) => texte,
        Err(erreur) => return erreur.into_bytes(),
    };
    let double = DOUBLES[hasard.jusqu_a(DOUBLES.len())];
    match hasard.jusqu_a(7) {
        0 => texte.insert_str(place(&texte, '{', hasard) + 1, &format!("{double},")),
        1 => texte.insert_str(place(&texte, '}', hasard), &format!(",{double}")),
        2 => {
            let rang = place(&texte, 'e', hasard);
            texte.replace_range(rang..=rang, "\\u0065");
        }
        3 => {
            let rang = place(&texte, 'a', hasard);
            texte.replace_range(rang..=rang, ["\\ud83d\\ude00", "\\ud83d", "\\/\\t"][hasard.jusqu_a(3)]);
        }
        4 => texte.insert_str(place(&texte, ',', hasard), " \r\n\t"),
        5 => {
            let mut octets = texte.into_bytes();
            let rang = hasard.jusqu_a(octets.len());
            octets[rang] = u8::try_from(hasard.jusqu_a(256)).unwrap();
            return octets;
        }
        _ => {
            let rang = place(&texte, '"', hasard);
            texte.truncate(rang.max(1));
        }
    }
    texte.into_bytes()
}

/// One of the places of a letter.
fn place(texte: &str, lettre: char, hasard: &mut Hasard) -> usize {
    let places: Vec<usize> = texte.match_indices(lettre).map(|(rang, _)| rang).collect();
    places.get(hasard.jusqu_a(places.len())).copied().unwrap_or_default()
}

/// A content that keeps the text of its elements.
#[derive(Default)]
struct Textes(Vec<String>);

impl Contenu for Textes {
    const FORMAT: &'static str = "de test";
    const LISTES: &'static [&'static str] = &["pmej"];

    fn element(
        &mut self,
        _: &'static str,
        brut: &str,
        lu: Option<Noeud<'_>>,
        _: &mut Etat,
    ) -> ControlFlow<()> {
        let attendu = serde_json::from_str::<Value>(brut).ok();
        assert_eq!(lu.map(Value::from), attendu, "{brut}");
        self.0.push(brut.to_owned());
        ControlFlow::Continue(())
    }
}

#[test]
fn an_error_is_where_it_is_in_the_file() {
    for texte in [
        "{\"pmej\":[{\"a\":1},x]}",
        "{\"pmej\":[{\"a\":\n1},x]}",
        "{\"pmej\":[{\"a\":\n1},{},{\"b\":[1,2]},x]}",
        "{\"pmej\":[{\"a\":1}\n,{\"a\":2},x]}",
        "{\"pmej\":[{},{\"a\":\"é\"} {}]}",
        "{\"pmej\":[{}],\n\"b\":{\"c\":[{}}}",
        "{\"pmej\":[{\"a\":1\n},{\"a\":2},{\"a\":3]}]}",
        "{\"pmej\":[{\"a\":1}]]",
        "{\"pmej\":[{\"a\":1}]}x",
        "{\"pmej\":[{\"a\":1},]}",
    ] {
        let attendue = serde_json::from_reader::<_, IgnoredAny>(texte.as_bytes()).unwrap_err();
        let erreur = lire(texte.as_bytes(), &mut Textes::default()).unwrap_err();
        assert_eq!(erreur.message, format!("JSON invalide à la colonne {}.", attendue.column()), "{texte}");
        assert_eq!(erreur.octet, texte.len() as u64);
    }
}

#[test]
fn bytes_that_are_not_text_stop_the_file_only_in_an_element() {
    let mut vus = Textes::default();
    lire(b"{\"b\":\"\xff\xc3\",\"pmej\":[{\"a\":1},2],\"c\":\"\xe9\"}".as_slice(), &mut vus).unwrap();
    assert_eq!(vus.0, ["{\"a\":1}", "2"]);
    let mut vus = Textes::default();
    let erreur = lire(b"{\"pmej\":[{\"a\":1},{\"a\":\"\xff\"}]}".as_slice(), &mut vus).unwrap_err();
    assert_eq!(vus.0, ["{\"a\":1}"]);
    assert_eq!(erreur.message, "JSON invalide à la colonne 24.");
}

#[test]
fn any_value_is_an_element() {
    let elements = [
        "{}",
        "{\"a\":{\"b\":[[],{},null,true,false,-1,2.5,1e5]},\"a\":\"\\u00e9\\n\",\"\\u0062\":\"é\"}",
        "[1,[2]]",
        "\"x\"",
        "12",
        "null",
        "{\"a\":1e999}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\" : 1 , \"b\":\r\n[ ] }",
    ];
    let profond = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let attendus: Vec<_> = elements.into_iter().chain([profond.as_str()]).collect();
    let mut vus = Textes::default();
    lire(format!("{{\"pmej\" : [ {} ] }}", attendus.join(" ,\n")).as_bytes(), &mut vus).unwrap();
    assert_eq!(vus.0, attendus);
}
