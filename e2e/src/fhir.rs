//! Reading FHIR JSON by hand.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::client::Reponse;

/// The five resource types of the directory.
pub const GENRES: [&str; 5] =
    ["Organization", "HealthcareService", "Location", "Practitioner", "PractitionerRole"];
/// Root of the profiles and extensions.
pub const CAN: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";
/// Capacity record of a place.
pub const CAPACITE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity";
/// Equipment of a place.
pub const EQUIPEMENT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment";
/// uniteSensible.
pub const SENSIBLE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-sensitive-unit";
/// Region tags.
pub const REGION: &str = "https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM";

/// A system and a code, or a system and a value.
pub type Code = (String, String);

/// Members of an array member; none when it is absent.
pub fn tableau<'a>(valeur: &'a Value, cle: &str) -> &'a [Value] {
    valeur.get(cle).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Text at a JSON pointer; empty when there is none.
pub fn texte<'a>(valeur: &'a Value, pointeur: &str) -> &'a str {
    valeur.pointer(pointeur).and_then(Value::as_str).unwrap_or_default()
}

/// Extensions of that url.
pub fn extensions<'a>(valeur: &'a Value, url: &'a str) -> impl Iterator<Item = &'a Value> {
    tableau(valeur, "extension").iter().filter(move |extension| texte(extension, "/url") == url)
}

/// Codings of a CodeableConcept, of a Coding, or of an array of them.
pub fn codages(valeur: &Value) -> Vec<Code> {
    match valeur {
        Value::Array(valeurs) => valeurs.iter().flat_map(codages).collect(),
        Value::Object(_) if valeur.get("coding").is_some() => codages(&valeur["coding"]),
        Value::Object(_) if valeur.get("code").is_some() => {
            vec![(texte(valeur, "/system").to_owned(), texte(valeur, "/code").to_owned())]
        }
        _ => Vec::new(),
    }
}

/// Systems and values of the identifiers.
pub fn identifiants(ressource: &Value) -> Vec<Code> {
    let paire = |i: &Value| (texte(i, "/system").to_owned(), texte(i, "/value").to_owned());
    tableau(ressource, "identifier").iter().map(paire).collect()
}

/// Logical id of a reference to that type.
pub fn cible<'a>(reference: &'a Value, genre: &str) -> Option<&'a str> {
    texte(reference, "/reference")
        .rsplit_once('/')
        .filter(|(avant, _)| avant.ends_with(genre))
        .map(|(_, id)| id)
}

/// Code of the CodeableConcept of an extension.
pub fn code_extension<'a>(valeur: &'a Value, url: &'a str) -> Option<&'a str> {
    let extension = extensions(valeur, url).next()?;
    extension.pointer("/valueCodeableConcept/coding/0/code").and_then(Value::as_str)
}

/// Resources of the entries of a page, with their search mode.
pub fn entrees(bundle: &Value) -> impl Iterator<Item = (&str, &Value)> {
    tableau(bundle, "entry").iter().map(|entree| (texte(entree, "/search/mode"), &entree["resource"]))
}

/// Lower case without accents, to compare strings as FHIR does.
pub fn plier(texte: &str) -> String {
    let mut sortie = String::with_capacity(texte.len());
    for lettre in texte.to_lowercase().chars() {
        match lettre {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => sortie.push('a'),
            'ç' => sortie.push('c'),
            'è' | 'é' | 'ê' | 'ë' => sortie.push('e'),
            'ì' | 'í' | 'î' | 'ï' => sortie.push('i'),
            'ñ' => sortie.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => sortie.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => sortie.push('u'),
            'ý' | 'ÿ' => sortie.push('y'),
            'œ' => sortie.push_str("oe"),
            'æ' => sortie.push_str("ae"),
            autre => sortie.push(autre),
        }
    }
    sortie
}

/// Codes an OperationOutcome may carry.
const CODES: &[&str] = &[
    "invalid",
    "structure",
    "required",
    "value",
    "invariant",
    "security",
    "login",
    "unknown",
    "expired",
    "forbidden",
    "suppressed",
    "processing",
    "not-supported",
    "duplicate",
    "multiple-matches",
    "not-found",
    "deleted",
    "too-long",
    "code-invalid",
    "extension",
    "too-costly",
    "business-rule",
    "conflict",
    "transient",
    "lock-error",
    "no-store",
    "exception",
    "timeout",
    "incomplete",
    "throttled",
    "informational",
];

/// An answer of that status with an OperationOutcome in French; gives its issues.
pub fn issues(reponse: &Reponse, statuts: &[u16]) -> Result<Vec<Value>> {
    let debut: String = reponse.texte.chars().take(400).collect();
    ensure!(statuts.contains(&reponse.statut), "status {} instead of {statuts:?}: {debut}", reponse.statut);
    let genre = reponse.entete("content-type").unwrap_or_default();
    ensure!(genre.starts_with("application/fhir+json"), "content type {genre:?}");
    ensure!(texte(&reponse.corps, "/resourceType") == "OperationOutcome", "no OperationOutcome: {debut}");
    let issues = tableau(&reponse.corps, "issue");
    ensure!(!issues.is_empty(), "an OperationOutcome without issue");
    for issue in issues {
        ensure!(texte(issue, "/severity") == "error", "severity: {issue}");
        ensure!(CODES.contains(&texte(issue, "/code")), "issue code: {issue}");
        ensure!(francais(texte(issue, "/diagnostics")), "diagnostics are not a French sentence: {issue}");
    }
    Ok(issues.to_vec())
}

/// The same with one status and one issue code; gives the first issue of that code.
pub fn issue(reponse: &Reponse, statut: u16, code: &str) -> Result<Value> {
    let issues = issues(reponse, &[statut])?;
    let trouvee = issues.iter().find(|issue| texte(issue, "/code") == code);
    ensure!(trouvee.is_some(), "no issue {code}: {issues:?}");
    Ok(trouvee.cloned().unwrap_or_default())
}

/// Whether a text looks like a French sentence.
pub fn francais(texte: &str) -> bool {
    let bas = format!(" {} ", texte.to_lowercase().replace('’', "'"));
    let mots = [
        " le ", " la ", " les ", " de ", " des ", " du ", " un ", " une ", " est ", " pas ", " et ", " au ",
        " aucun ", " aucune ", " ce ", " cette ", " l'", " d'", " n'", "«", "attendu", "manque", "inconnu",
        "refusé",
    ];
    mots.iter().any(|mot| bas.contains(*mot))
}
