//! A document as a tree, whether it came as JSON or XML: the FHIR reader knows one form.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// Elements no reader looks at, dropped as they come: narratives are larger than codes.
pub(super) const IGNORES: [&str; 4] = ["text", "div", "contained", "meta"];

/// An element. In XML its attributes are children too, and `value` is also its value; in
/// JSON an array is as many children of one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Noeud {
    pub nom: Box<str>,
    pub valeur: Box<str>,
    pub enfants: Vec<Noeud>,
}

impl Noeud {
    /// Children of this name.
    pub fn tous(&self, nom: &str) -> impl Iterator<Item = &Self> {
        self.enfants.iter().filter(move |e| &*e.nom == nom)
    }

    /// First child of this name.
    pub fn premier(&self, nom: &str) -> Option<&Self> {
        self.enfants.iter().find(|e| &*e.nom == nom)
    }

    /// Value of the first child of this name, empty when there is none.
    pub fn texte(&self, nom: &str) -> &str {
        self.premier(nom).map_or("", |e| &*e.valeur)
    }

    /// Value of the first child whose name begins so, with the rest of the name:
    /// `valueString` is the value of type `String`.
    pub fn choix(&self, debut: &str) -> Option<(&str, &Self)> {
        self.enfants.iter().find_map(|e| Some((e.nom.strip_prefix(debut)?, e)))
    }
}

/// A JSON value not yet named: several when it was an array.
struct Anonyme(Vec<Noeud>);

impl Anonyme {
    fn feuille(valeur: impl ToString) -> Self {
        let valeur = valeur.to_string().into();
        Self(vec![Noeud { valeur, ..Default::default() }])
    }
}

impl<'de> Deserialize<'de> for Anonyme {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Lecteur)
    }
}

struct Lecteur;

impl<'de> Visitor<'de> for Lecteur {
    type Value = Anonyme;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, v: bool) -> Result<Anonyme, E> {
        Ok(Anonyme::feuille(v))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Anonyme, E> {
        Ok(Anonyme::feuille(v))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Anonyme, E> {
        Ok(Anonyme::feuille(v))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Anonyme, E> {
        Ok(Anonyme::feuille(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Anonyme, E> {
        Ok(Anonyme::feuille(v))
    }

    fn visit_unit<E>(self) -> Result<Anonyme, E> {
        Ok(Anonyme(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut s: A) -> Result<Anonyme, A::Error> {
        let mut tous = Vec::new();
        while let Some(Anonyme(n)) = s.next_element()? {
            tous.extend(n);
        }
        Ok(Anonyme(tous))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut m: A) -> Result<Anonyme, A::Error> {
        let mut noeud = Noeud::default();
        while let Some(nom) = m.next_key::<String>()? {
            if IGNORES.contains(&nom.as_str()) {
                m.next_value::<IgnoredAny>()?;
                continue;
            }
            let Anonyme(valeurs) = m.next_value()?;
            noeud.enfants.extend(valeurs.into_iter().map(|v| Noeud { nom: nom.as_str().into(), ..v }));
        }
        Ok(Anonyme(vec![noeud]))
    }
}

/// A JSON document: its values at the top, one but for an array.
pub(super) fn de_json(octets: &[u8]) -> serde_json::Result<Vec<Noeud>> {
    serde_json::from_slice::<Anonyme>(octets).map(|Anonyme(n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_a_tree_without_its_narratives() {
        let texte =
            br#"{"a":"x","b":[{"c":1},{"c":true}],"text":{"div":"<p/>"},"n":null,"valueCode":"k","f":1.5}"#;
        let arbre = de_json(texte).unwrap().remove(0);
        assert_eq!((arbre.texte("a"), arbre.texte("f"), arbre.texte("text")), ("x", "1.5", ""));
        assert_eq!(arbre.tous("b").map(|b| b.texte("c")).collect::<Vec<_>>(), ["1", "true"]);
        assert_eq!(arbre.choix("value").map(|(t, v)| (t, &*v.valeur)), Some(("Code", "k")));
        assert!(arbre.premier("n").is_none());
        assert!(de_json(b"{").is_err());
        assert!(de_json("[".repeat(10_000).as_bytes()).is_err(), "depth is bounded");
    }
}
