//! FHIRPath Patch of the capacity records of a place, in the published form and in the R4 one.

mod chemin;

use ror_proto::capacity::v1::{CleIndicateur, EnregistrementCapacite, PatchOperation};
use ror_proto::common::v1::Faute;
use serde_json::{Map, Value};

use super::communs::{complexe, exiger};
use super::location::enregistrement;
use super::outils::{Extensions, Noeud, faute, seul};
use crate::fhir::canoniques as c;
use crate::fhir::outcome::Issue;

/// Most operations one request may hold.
pub const OPERATIONS_MAX: usize = 50;

/// One operation on the records of a place.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchCapacite {
    /// What to do.
    pub operation: PatchOperation,
    /// Indicator named by the path; for an add, the one of the record.
    pub cle: CleIndicateur,
    /// Record wanted; absent for a delete.
    pub enregistrement: Option<EnregistrementCapacite>,
}

/// Reads the body of a capacity PATCH; the operations are to be applied all or none.
///
/// # Errors
///
/// Every issue found; never empty.
pub fn lire_patch_capacite(corps: &Value) -> Result<Vec<PatchCapacite>, Vec<Issue>> {
    if corps.get("resourceType").and_then(Value::as_str) != Some("Parameters") {
        let message = "Le corps de la requête doit être une ressource Parameters.";
        return Err(vec![Issue::new("structure", message).sur("Parameters")]);
    }
    let mut fautes = Vec::new();
    let mut issues = Vec::new();
    let mut patchs = Vec::new();
    if let Some(n) = Noeud::racine("Parameters", corps, &mut fautes) {
        n.borner(&["resourceType", "id", "meta", "parameter"], &mut fautes);
        let parametres = n.objets("parameter", &mut fautes);
        if parametres.is_empty() || parametres.len() > OPERATIONS_MAX {
            let code = if parametres.is_empty() { "required" } else { "too-costly" };
            let message = format!("Une requête porte de 1 à {OPERATIONS_MAX} opérations.");
            return Err(vec![Issue::new(code, message).sur("Parameters.parameter")]);
        }
        for parametre in &parametres {
            patchs.extend(operation(parametre, &mut fautes, &mut issues));
        }
    }
    issues.extend(fautes.iter().map(Issue::from));
    if issues.is_empty() && !patchs.is_empty() { Ok(patchs) } else { Err(issues) }
}

/// The parts of an operation.
struct Parties<'a> {
    genre: String,
    chemin: String,
    valeur: Option<Noeud<'a>>,
}

fn parties<'a>(n: &Noeud<'a>, f: &mut Vec<Faute>) -> Parties<'a> {
    n.borner(&["id", "name", "part"], f);
    if n.texte("name", f) != "operation" {
        let message = "Seul le paramètre « operation » est connu.";
        f.push(faute(n.sous("name"), "valeur", message, "operation"));
    }
    exiger(n, "part", f);
    let (mut genres, mut chemins, mut valeurs) = (Vec::new(), Vec::new(), Vec::new());
    for part in n.objets("part", f) {
        match part.texte("name", f).as_str() {
            "type" => genres.push(texte_de(&part, f)),
            "path" => chemins.push(texte_de(&part, f)),
            "value" => valeurs.push(part),
            autre => {
                let message = format!("La partie « {autre} » est inconnue.");
                f.push(faute(part.sous("name"), "valeur", message, "type, path ou value"));
            }
        }
    }
    let chemin_parts = n.sous("part");
    Parties {
        genre: seul(genres, &chemin_parts, f).unwrap_or_default(),
        chemin: seul(chemins, &chemin_parts, f).unwrap_or_default(),
        valeur: seul(valeurs, &chemin_parts, f),
    }
}

/// Text of a part: valueString, or valueCode for the type.
fn texte_de(part: &Noeud<'_>, f: &mut Vec<Faute>) -> String {
    part.borner(&["id", "name", "valueString", "valueCode"], f);
    let texte = part.texte("valueString", f);
    let code = part.texte("valueCode", f);
    if texte.is_empty() { code } else { texte }
}

fn operation(n: &Noeud<'_>, f: &mut Vec<Faute>, issues: &mut Vec<Issue>) -> Option<PatchCapacite> {
    let parties = parties(n, f);
    let operation = match parties.genre.as_str() {
        "add" => PatchOperation::Add,
        "replace" => PatchOperation::Replace,
        "delete" => PatchOperation::Delete,
        autre => {
            let message = format!("L'opération « {autre} » est inconnue.");
            f.push(faute(n.sous("part"), "valeur", message, "add, replace ou delete"));
            return None;
        }
    };
    let criteres = match chemin::lire(&parties.chemin) {
        Ok(criteres) => criteres,
        Err(message) => {
            issues.push(Issue::new("business-rule", message));
            return None;
        }
    };
    let ajout = operation == PatchOperation::Add;
    if criteres.is_some() == ajout {
        let message = if ajout {
            "Le chemin d'un ajout (add) ne porte pas de critères."
        } else {
            "Le chemin doit désigner l'indicateur par ses critères."
        };
        issues.push(Issue::new("business-rule", message));
        return None;
    }
    let enregistrement = match (parties.valeur, operation) {
        (None, PatchOperation::Delete) => None,
        (Some(valeur), PatchOperation::Delete) => {
            let message = "Une suppression (delete) ne porte pas de valeur.";
            f.push(faute(valeur.chemin(), "valeur", message, "l'absence de value"));
            return None;
        }
        (None, _) => {
            let message = "La partie « value » est obligatoire.";
            f.push(faute(n.sous("part"), "requis", message, "un enregistrement de capacité"));
            return None;
        }
        (Some(valeur), _) => Some(lire_valeur(&valeur, f)?),
    };
    let cle = criteres
        .or_else(|| enregistrement.as_ref().and_then(|valeur| valeur.cle.clone()))
        .unwrap_or_default();
    Some(PatchCapacite { operation, cle, enregistrement })
}

/// Reads the record of a value part, whatever the form it was sent in.
fn lire_valeur(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Option<EnregistrementCapacite> {
    n.borner(&["id", "name", "part", "extension"], f);
    let Some(lieu) = extension_portee(n) else {
        let message = "La valeur ne porte pas d'enregistrement de capacité.";
        f.push(faute(n.chemin(), "requis", message, c::EXT_CAPACITE));
        return None;
    };
    // Located from the place, where the published answers locate their issues.
    let lieu = Noeud::de("Location".to_owned(), &lieu, f)?;
    let mut e = Extensions::de(&lieu, f);
    e.exiger(c::EXT_CAPACITE, f);
    let sous = complexe(&mut e, c::EXT_CAPACITE, f);
    e.fin(f);
    let mut sous = sous?;
    let lu = enregistrement(&mut sous, f);
    sous.fin(f);
    Some(lu)
}

/// An object whose `extension` holds what the value part carries, as a place would.
fn extension_portee(n: &Noeud<'_>) -> Option<Value> {
    let parts: &[Value] = match n.brut("part") {
        Some(Value::Array(parts)) => parts,
        _ => &[],
    };
    let publiee = parts.iter().find_map(|part| part.get("extension"));
    let extension = match publiee.or_else(|| n.brut("extension")) {
        Some(extension) => extension.clone(),
        None => Value::Array(vec![extension_r4(parts)?]),
    };
    let mut lieu = Map::new();
    lieu.insert("extension".to_owned(), extension);
    Some(Value::Object(lieu))
}

/// The extension that R4 parts describe, wrapped in a part named "extension" or not.
fn extension_r4(parts: &[Value]) -> Option<Value> {
    let nomme = |part: &&Value, nom: &str| part.get("name").and_then(Value::as_str) == Some(nom);
    let corps = if parts.iter().any(|part| nomme(&part, "url")) {
        parts
    } else {
        let enveloppe = parts.iter().find(|part| nomme(part, "extension"))?;
        enveloppe.get("part").and_then(Value::as_array)?.as_slice()
    };
    Some(corps_extension(corps))
}

fn corps_extension(parts: &[Value]) -> Value {
    let mut carte = Map::new();
    let mut sous = Vec::new();
    for part in parts {
        let nom = part.get("name").and_then(Value::as_str).unwrap_or("part");
        match part.get("part").and_then(Value::as_array) {
            Some(parts) if nom == "extension" => sous.push(corps_extension(parts)),
            _ => copier_valeur(nom, part, &mut carte),
        }
    }
    if !sous.is_empty() {
        carte.insert("extension".to_owned(), Value::Array(sous));
    }
    Value::Object(carte)
}

/// Copies the value[x] of a part; a part without one stays under its name, to be refused.
fn copier_valeur(nom: &str, part: &Value, carte: &mut Map<String, Value>) {
    let membres = part.as_object();
    let trouve = membres.and_then(|m| m.iter().find(|(cle, _)| cle.starts_with("value")));
    let (cle, valeur) = match trouve {
        Some((_, valeur)) if nom == "url" => ("url", valeur.clone()),
        Some((cle, valeur)) => (cle.as_str(), valeur.clone()),
        None => (nom, Value::Null),
    };
    carte.insert(cle.to_owned(), valeur);
}
