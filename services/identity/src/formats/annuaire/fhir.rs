//! Tolerant view of a FHIR resource: what is absent or of another shape is empty.

use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::Value;

/// Text of a key, without the spaces around it.
pub(super) fn texte<'v>(valeur: &'v Value, cle: &str) -> &'v str {
    valeur.get(cle).and_then(Value::as_str).map(str::trim).unwrap_or_default()
}

/// List of a key.
pub(super) fn liste<'v>(valeur: &'v Value, cle: &str) -> &'v [Value] {
    valeur.get(cle).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// First text of a list of texts.
pub(super) fn premier<'v>(valeur: &'v Value, cle: &str) -> &'v str {
    liste(valeur, cle).iter().find_map(Value::as_str).map(str::trim).unwrap_or_default()
}

/// True when the resource says so; active is the default.
pub(super) fn inactive(ressource: &Value) -> bool {
    ressource.get("active").and_then(Value::as_bool) == Some(false)
}

/// Value of the identifier of this type.
pub(super) fn identifiant<'v>(ressource: &'v Value, genre: &str) -> &'v str {
    liste(ressource, "identifier")
        .iter()
        .find(|i| {
            let types = i.get("type").map(|t| liste(t, "coding")).unwrap_or_default();
            types.iter().any(|c| texte(c, "code") == genre)
        })
        .map(|i| texte(i, "value"))
        .unwrap_or_default()
}

/// Value of the identifier of this system.
pub(super) fn par_systeme<'v>(ressource: &'v Value, systeme: &str) -> &'v str {
    liste(ressource, "identifier")
        .iter()
        .find(|i| texte(i, "system") == systeme)
        .map(|i| texte(i, "value"))
        .unwrap_or_default()
}

/// Table of a NOS system: `G15` for `…/NOS/TRE_G15-ProfessionSante/FHIR/…`.
fn table(systeme: &str) -> &str {
    systeme.split("/TRE_").nth(1).and_then(|reste| reste.split(['-', '/']).next()).unwrap_or_default()
}

/// Code of the first coding of one of these NOS tables.
pub(super) fn code<'v>(concept: &'v Value, tables: &[&str]) -> &'v str {
    liste(concept, "coding")
        .iter()
        .find(|c| tables.contains(&table(texte(c, "system"))))
        .map(|c| texte(c, "code"))
        .unwrap_or_default()
}

/// As [`code`], among several concepts.
pub(super) fn code_parmi<'v>(concepts: &'v [Value], tables: &[&str]) -> &'v str {
    concepts.iter().map(|c| code(c, tables)).find(|c| !c.is_empty()).unwrap_or_default()
}

/// The extension whose URL ends so: its beginning changes with the version of the guide.
pub(super) fn extension<'v>(valeur: &'v Value, fin: &str) -> Option<&'v Value> {
    liste(valeur, "extension").iter().find(|e| texte(e, "url").ends_with(fin))
}

/// Technical id a reference leads to, only good inside the stream.
pub(super) fn reference<'v>(ressource: &'v Value, cle: &str) -> &'v str {
    let adresse = ressource.get(cle).map(|r| texte(r, "reference")).unwrap_or_default();
    let adresse = adresse.split("/_history/").next().unwrap_or_default();
    adresse.rsplit('/').next().unwrap_or_default()
}

/// Which version of which resource this is: kind, business identifier, version.
/// None when one of them lacks.
pub(crate) fn empreinte(ressource: &Value) -> Option<u64> {
    let identifiant = liste(ressource, "identifier").first()?;
    let version = match ressource.get("meta").and_then(|m| m.get("versionId"))? {
        Value::String(version) => version.clone(),
        autre => autre.to_string(),
    };
    let mut empreinte = DefaultHasher::new();
    let cle = (
        texte(ressource, "resourceType"),
        texte(identifiant, "system"),
        texte(identifiant, "value"),
        version.as_str(),
    );
    cle.hash(&mut empreinte);
    Some(empreinte.finish())
}
