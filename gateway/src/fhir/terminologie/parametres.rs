//! The Parameters resource: read as named values, written part by part.

use serde_json::Value;

use crate::{
    fhir::{
        json::{self, Objet, Tableau},
        outcome::Issue,
    },
    terminologie::regard::Concept,
};

/// A code with its system, as sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codage {
    /// Code system, empty when not given.
    pub systeme: String,
    /// Its version, empty when not given.
    pub version: String,
    /// Code.
    pub code: String,
    /// Label, empty when not given.
    pub libelle: String,
}

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Valeur {
    /// Any primitive, as text.
    Simple(String),
    /// A Coding.
    Codage(Codage),
    /// The codings of a CodeableConcept.
    Concept(Vec<Codage>),
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entree {
    /// Name of the parameter.
    pub nom: String,
    /// Its value.
    pub valeur: Valeur,
}

/// Reads a Parameters resource.
///
/// # Errors
///
/// Every fault found, with its FHIRPath; never empty.
pub fn lire(corps: &Value) -> Result<Vec<Entree>, Vec<Issue>> {
    if corps.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        return Err(vec![faute(
            "Parameters",
            "Le corps n'est pas une ressource Parameters.",
            "une ressource Parameters",
        )]);
    }
    let parametres = match corps.get("parameter") {
        None => return Ok(Vec::new()),
        Some(Value::Array(p)) => p,
        Some(_) => {
            return Err(vec![faute("Parameters.parameter", "L'élément n'est pas une liste.", "une liste")]);
        }
    };
    let mut entrees = Vec::new();
    let mut issues = Vec::new();
    for (rang, p) in parametres.iter().enumerate() {
        match lire_un(p, &format!("Parameters.parameter[{rang}]")) {
            Ok(e) => entrees.push(e),
            Err(i) => issues.push(i),
        }
    }
    if issues.is_empty() { Ok(entrees) } else { Err(issues) }
}

fn lire_un(p: &Value, place: &str) -> Result<Entree, Issue> {
    let nom = p.get("name").and_then(Value::as_str).unwrap_or_default();
    if nom.is_empty() {
        return Err(faute(&format!("{place}.name"), "Le nom du paramètre manque.", "un texte"));
    }
    let membres = p.as_object().into_iter().flatten();
    let valeurs: Vec<(&str, &Value)> =
        membres.filter(|(cle, _)| cle.starts_with("value")).map(|(cle, v)| (cle.as_str(), v)).collect();
    let [(cle, v)] = valeurs.as_slice() else {
        let message = format!("Le paramètre « {} » ne porte pas une valeur.", abreger(nom));
        return Err(faute(
            place,
            &message,
            "un seul élément value[x] ; resource et part ne sont pas admis ici",
        ));
    };
    let valeur = match (*cle, *v) {
        ("valueCoding", v) => codage(v).map(Valeur::Codage),
        ("valueCodeableConcept", v) => codages(v).map(Valeur::Concept),
        (_, Value::String(t)) => Some(Valeur::Simple(t.clone())),
        (_, Value::Bool(b)) => Some(Valeur::Simple(b.to_string())),
        (_, Value::Number(n)) => Some(Valeur::Simple(n.to_string())),
        _ => None,
    };
    let illisible = || {
        let message = format!("La valeur du paramètre « {} » est illisible.", abreger(nom));
        faute(&format!("{place}.{}", abreger(cle)), &message, "la forme JSON du type annoncé")
    };
    Ok(Entree { nom: nom.to_owned(), valeur: valeur.ok_or_else(illisible)? })
}

fn codages(v: &Value) -> Option<Vec<Codage>> {
    v.get("coding")?.as_array()?.iter().map(codage).collect()
}

fn codage(v: &Value) -> Option<Codage> {
    let membres = v.as_object()?;
    let texte = |nom: &str| match membres.get(nom) {
        None => Some(String::new()),
        Some(Value::String(t)) => Some(t.clone()),
        Some(_) => None,
    };
    Some(Codage {
        systeme: texte("system")?,
        version: texte("version")?,
        code: texte("code")?,
        libelle: texte("display")?,
    })
}

fn abreger(texte: &str) -> String {
    texte.chars().take(60).collect()
}

fn faute(element: &str, message: &str, attendu: &str) -> Issue {
    Issue::new("structure", format!("{message} Attendu : {attendu}.")).sur(element)
}

/// Writes a Parameters resource.
pub fn ecrire(remplir: impl FnOnce(&mut Tableau<'_>)) -> Vec<u8> {
    let mut sortie = Vec::with_capacity(1024);
    json::document(&mut sortie, |o| {
        o.texte("resourceType", "Parameters");
        o.tableau("parameter", remplir);
    });
    sortie
}

/// A parameter or part with its value.
pub fn valeur(t: &mut Tableau<'_>, nom: &str, remplir: impl FnOnce(&mut Objet<'_>)) {
    t.objet(|o| {
        o.texte("name", nom);
        remplir(o);
    });
}

/// A string, left out when empty.
pub fn texte(t: &mut Tableau<'_>, nom: &str, v: &str) {
    if !v.is_empty() {
        valeur(t, nom, |o| o.texte("valueString", v));
    }
}

/// A code, left out when empty.
pub fn code(t: &mut Tableau<'_>, nom: &str, v: &str) {
    if !v.is_empty() {
        valeur(t, nom, |o| o.texte("valueCode", v));
    }
}

/// A boolean.
pub fn booleen(t: &mut Tableau<'_>, nom: &str, v: bool) {
    valeur(t, nom, |o| o.booleen("valueBoolean", v));
}

/// A property of a looked up code.
pub fn propriete(t: &mut Tableau<'_>, nom: &str, nature: &str, v: &str) {
    t.objet(|o| {
        o.texte("name", "property");
        o.tableau("part", |t| {
            code(t, "code", nom);
            valeur(t, "value", |o| valeur_typee(o, nature, v));
        });
    });
}

/// The element value[x] of a property, of its published type; text when it is not of that type.
pub fn valeur_typee(o: &mut Objet<'_>, nature: &str, v: &str) {
    match nature {
        "code" => o.texte("valueCode", v),
        "dateTime" => o.texte("valueDateTime", v),
        "boolean" if matches!(v, "true" | "false") => o.booleen("valueBoolean", v == "true"),
        "integer" if v.parse::<i64>().is_ok() => o.entier("valueInteger", v.parse().unwrap_or_default()),
        "decimal" if v.parse::<f64>().is_ok_and(f64::is_finite) => {
            o.decimal("valueDecimal", v.parse().unwrap_or_default());
        }
        "Coding" => o.objet("valueCoding", |o| {
            let (systeme, code) = v.rsplit_once('|').unwrap_or(("", v));
            o.texte("system", systeme);
            o.texte("code", code);
        }),
        _ => o.texte("valueString", v),
    }
}

/// Code of a use, its name, the label.
pub type Designation<'c> = (&'static str, &'static str, &'c str);

/// The labels of a code besides its display.
pub fn designations<'c>(c: &Concept<'c>) -> impl Iterator<Item = Designation<'c>> + use<'c> {
    let toutes =
        [("LibelleCourt", "Libellé court", c.libelle_court), ("LibelleLong", "Libellé long", c.libelle_long)];
    toutes.into_iter().filter(|(_, _, libelle)| !libelle.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let corps = json!({"resourceType": "Parameters", "parameter": [
            {"name": "url", "valueUri": "urn:x"},
            {"name": "count", "valueInteger": 10},
            {"name": "activeOnly", "valueBoolean": false},
            {"name": "coding", "valueCoding": {"system": "urn:s", "code": "01", "userSelected": true}},
            {"name": "codeableConcept", "valueCodeableConcept": {"coding": [{"code": "02", "display": "Deux"}]}},
        ]});
        let lus = lire(&corps).unwrap();
        let simple = |t: &str| Valeur::Simple(t.into());
        assert_eq!(lus[0].valeur, simple("urn:x"));
        assert_eq!((&lus[1].valeur, &lus[2].valeur), (&simple("10"), &simple("false")));
        let coding = Codage { systeme: "urn:s".into(), code: "01".into(), ..Default::default() };
        assert_eq!(lus[3].valeur, Valeur::Codage(coding));
        let Valeur::Concept(c) = &lus[4].valeur else { panic!("{lus:?}") };
        assert_eq!((c[0].code.as_str(), c[0].libelle.as_str()), ("02", "Deux"));
        assert_eq!(lire(&json!({"resourceType": "Parameters"})), Ok(Vec::new()));
    }

    #[test]
    fn every_fault_of_a_body_is_told_with_its_place() {
        let corps = json!({"resourceType": "Parameters", "parameter": [
            {"valueUri": "urn:x"},
            {"name": "valueSet", "resource": {"resourceType": "ValueSet"}},
            {"name": "coding", "valueCoding": {"code": 1}},
            {"name": "deux", "valueUri": "a", "valueString": "b"},
            7,
        ]});
        let fautes = lire(&corps).unwrap_err();
        let places: Vec<&str> = fautes.iter().map(|i| i.expression[0].as_str()).collect();
        let p = "Parameters.parameter";
        assert_eq!(
            places,
            [
                format!("{p}[0].name"),
                format!("{p}[1]"),
                format!("{p}[2].valueCoding"),
                format!("{p}[3]"),
                format!("{p}[4].name")
            ]
        );
        assert!(
            lire(&json!([])).is_err()
                && lire(&json!({"resourceType": "Parameters", "parameter": {}})).is_err()
        );
    }

    #[test]
    fn properties_keep_their_type_when_they_are_of_it() {
        let ecrit = |nature: &str, v: &str| {
            let mut s = Vec::new();
            json::document(&mut s, |o| valeur_typee(o, nature, v));
            String::from_utf8(s).unwrap()
        };
        assert_eq!(ecrit("integer", "2"), r#"{"valueInteger":2}"#);
        assert_eq!(ecrit("integer", "deux"), r#"{"valueString":"deux"}"#);
        assert_eq!(ecrit("boolean", "true"), r#"{"valueBoolean":true}"#);
        assert_eq!(ecrit("Coding", "urn:x|9"), r#"{"valueCoding":{"system":"urn:x","code":"9"}}"#);
    }
}
