//! FHIR XML, from the JSON of a resource: the same elements in the same order, which is that of the
//! standard where the JSON was written so.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

const TETE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
const ESPACE: &str = " xmlns=\"http://hl7.org/fhir\"";

/// The XML of a resource; none when this is not the JSON of one.
#[must_use]
pub fn de_json(json: &[u8]) -> Option<Vec<u8>> {
    let texte = std::str::from_utf8(json).ok()?;
    let membres: Membres = serde_json::from_str(texte).ok()?;
    let mut sortie = String::with_capacity(texte.len() + texte.len() / 2);
    sortie.push_str(TETE);
    ressource(&mut sortie, &membres, ESPACE)?;
    Some(sortie.into_bytes())
}

/// Members of an object in their order, their values unread.
struct Membres<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Membres<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Lecture;
        impl<'de> Visitor<'de> for Lecture {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut m: A) -> Result<Self::Value, A::Error> {
                let mut membres = Vec::with_capacity(m.size_hint().unwrap_or(8));
                while let Some(paire) = m.next_entry()? {
                    membres.push(paire);
                }
                Ok(membres)
            }
        }
        d.deserialize_map(Lecture).map(Self)
    }
}

impl<'a> Membres<'a> {
    fn de(&self, nom: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(n, _)| n == nom).map(|(_, v)| *v)
    }

    fn texte(&self, nom: &str) -> Option<String> {
        serde_json::from_str(self.de(nom)?.get()).ok()
    }
}

fn ressource(s: &mut String, membres: &Membres, espace: &str) -> Option<()> {
    let genre = membres.texte("resourceType").filter(|g| nommable(g))?;
    s.push('<');
    s.push_str(&genre);
    s.push_str(espace);
    s.push('>');
    elements(s, membres, &["resourceType"])?;
    fermer(s, &genre);
    Some(())
}

/// Every member but these, each with what its primitive carries beside its value (`_name`).
fn elements(s: &mut String, membres: &Membres, sauf: &[&str]) -> Option<()> {
    for (nom, valeur) in &membres.0 {
        if sauf.contains(&nom.as_str()) {
            continue;
        }
        match nom.strip_prefix('_') {
            None => element(s, nom, Some(*valeur), membres.de(&format!("_{nom}")))?,
            // Extensions without a value.
            Some(nu) if membres.de(nu).is_none() => element(s, nu, None, Some(*valeur))?,
            Some(_) => {}
        }
    }
    Some(())
}

fn element(s: &mut String, nom: &str, valeur: Option<&RawValue>, compagnon: Option<&RawValue>) -> Option<()> {
    if !nommable(nom) {
        return None;
    }
    let liste = |v: &RawValue| v.get().starts_with('[');
    if !valeur.is_some_and(liste) && !compagnon.is_some_and(liste) {
        return un(s, nom, valeur, compagnon);
    }
    let valeurs: Vec<&RawValue> = valeur.map_or(Some(Vec::new()), |v| serde_json::from_str(v.get()).ok())?;
    let compagnons: Vec<&RawValue> =
        compagnon.map_or(Some(Vec::new()), |v| serde_json::from_str(v.get()).ok())?;
    for rang in 0..valeurs.len().max(compagnons.len()) {
        un(s, nom, valeurs.get(rang).copied(), compagnons.get(rang).copied())?;
    }
    Some(())
}

/// One occurrence of an element.
fn un(s: &mut String, nom: &str, valeur: Option<&RawValue>, compagnon: Option<&RawValue>) -> Option<()> {
    let dit = |v: &&RawValue| v.get() != "null";
    let (valeur, compagnon) = (valeur.filter(dit), compagnon.filter(dit));
    if let Some(v) = valeur.filter(|v| v.get().starts_with('{')) {
        let membres: Membres = serde_json::from_str(v.get()).ok()?;
        if membres.de("resourceType").is_some() {
            s.push('<');
            s.push_str(nom);
            s.push('>');
            ressource(s, &membres, "")?;
            fermer(s, nom);
            return Some(());
        }
        return complexe(s, nom, None, &membres);
    }
    let texte = match valeur {
        Some(v) if v.get().starts_with('"') => Some(serde_json::from_str::<String>(v.get()).ok()?),
        // Numbers and booleans as they were written: a decimal keeps its zeros.
        Some(v) => Some(v.get().to_owned()),
        None => None,
    };
    match (texte, compagnon) {
        (None, None) => {}
        // XHTML, which is its own XML.
        (Some(t), None) if nom == "div" && t.starts_with("<div") => s.push_str(&t),
        (texte, Some(c)) => {
            let membres: Membres = serde_json::from_str(c.get()).ok()?;
            complexe(s, nom, texte.as_deref(), &membres)?;
        }
        (Some(t), None) => {
            s.push('<');
            s.push_str(nom);
            attribut(s, "value", &t);
            s.push_str("/>");
        }
    }
    Some(())
}

/// An element with its own attributes: `id`, the `url` of an extension, the value of a primitive.
fn complexe(s: &mut String, nom: &str, valeur: Option<&str>, membres: &Membres) -> Option<()> {
    let extension = matches!(nom, "extension" | "modifierExtension");
    s.push('<');
    s.push_str(nom);
    if let Some(id) = membres.texte("id") {
        attribut(s, "id", &id);
    }
    if let Some(url) = membres.texte("url").filter(|_| extension) {
        attribut(s, "url", &url);
    }
    if let Some(v) = valeur {
        attribut(s, "value", v);
    }
    s.push('>');
    elements(s, membres, if extension { &["id", "url"] } else { &["id"] })?;
    fermer(s, nom);
    Some(())
}

fn fermer(s: &mut String, nom: &str) {
    s.push_str("</");
    s.push_str(nom);
    s.push('>');
}

fn nommable(nom: &str) -> bool {
    nom.starts_with(|c: char| c.is_ascii_alphabetic()) && nom.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn attribut(s: &mut String, nom: &str, valeur: &str) {
    s.push(' ');
    s.push_str(nom);
    s.push_str("=\"");
    for c in valeur.chars() {
        match c {
            '&' => s.push_str("&amp;"),
            '<' => s.push_str("&lt;"),
            '>' => s.push_str("&gt;"),
            '"' => s.push_str("&quot;"),
            '\n' => s.push_str("&#10;"),
            '\r' => s.push_str("&#13;"),
            '\t' => s.push_str("&#9;"),
            // XML 1.0 has no place for these.
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => s.push('\u{fffd}'),
            c => s.push(c),
        }
    }
    s.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(json: &str) -> String {
        let octets = de_json(json.as_bytes()).unwrap();
        String::from_utf8(octets).unwrap().strip_prefix(TETE).unwrap().to_owned()
    }

    #[test]
    fn elements_keep_their_order_and_their_writing() {
        assert_eq!(
            xml(
                r#"{"resourceType":"Location","id":"a","name":"L'<eau> & \"vent\"\n","position":{"longitude":-1.50,"latitude":47},"mode":null}"#
            ),
            "<Location xmlns=\"http://hl7.org/fhir\"><id value=\"a\"/><name value=\"L'&lt;eau&gt; &amp; &quot;vent&quot;&#10;\"/>\
             <position><longitude value=\"-1.50\"/><latitude value=\"47\"/></position></Location>"
        );
    }

    #[test]
    fn identifiers_of_elements_and_urls_of_extensions_are_attributes() {
        assert_eq!(
            xml(
                r#"{"resourceType":"HealthcareService","extension":[{"url":"u","extension":[{"url":"v","valueBoolean":true}]}],"notAvailable":[{"id":"x","description":"d"}],"url":"w"}"#
            ),
            "<HealthcareService xmlns=\"http://hl7.org/fhir\"><extension url=\"u\"><extension url=\"v\"><valueBoolean value=\"true\"/>\
             </extension></extension><notAvailable id=\"x\"><description value=\"d\"/></notAvailable><url value=\"w\"/></HealthcareService>"
        );
    }

    #[test]
    fn what_a_primitive_carries_stays_with_it() {
        assert_eq!(
            xml(
                r#"{"resourceType":"Organization","address":[{"line":["a","b"],"_line":[null,{"extension":[{"url":"u","valueString":"s"}]}],"_city":{"id":"c"}}]}"#
            ),
            "<Organization xmlns=\"http://hl7.org/fhir\"><address><line value=\"a\"/><line value=\"b\"><extension url=\"u\">\
             <valueString value=\"s\"/></extension></line><city id=\"c\"></city></address></Organization>"
        );
    }

    #[test]
    fn resources_are_nested_by_their_type() {
        assert_eq!(
            xml(
                r#"{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Location","id":"a"},"search":{"mode":"match"}}]}"#
            ),
            "<Bundle xmlns=\"http://hl7.org/fhir\"><entry><resource><Location><id value=\"a\"/></Location></resource>\
             <search><mode value=\"match\"/></search></entry></Bundle>"
        );
    }

    #[test]
    fn what_is_no_resource_gives_nothing() {
        for mauvais in
            ["", "[]", "{}", "{\"resourceType\":\"a b\"}", "{\"resourceType\":\"A\",\"x y\":1}", "\"a\""]
        {
            assert_eq!(de_json(mauvais.as_bytes()), None, "{mauvais}");
        }
        assert!(de_json(&[0xff]).is_none());
    }
}
