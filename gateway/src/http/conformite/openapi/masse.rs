//! Bulk export and change feed.

use serde_json::{Map, Value, json};

use super::{annuaire::etiquette, composants, parametre, reponses, ror, tete};
use crate::{
    http::{
        DIFFUSION,
        conformite::operations::{Argument, CHANGES, EXPORT},
    },
    modele::TypeFhir,
};

const NDJSON: &str = "application/fhir+ndjson";

pub fn chemins(chemins: &mut Map<String, Value>) {
    let types = TypeFhir::TOUS.into_iter().map(Some);
    for t in std::iter::once(None).chain(types) {
        let base = t.map_or_else(|| DIFFUSION.to_owned(), |t| format!("{DIFFUSION}/{}", t.nom()));
        chemins.insert(format!("{base}/$export"), extraire(t));
        chemins.insert(format!("{base}/$changes"), suivre(t));
    }
    chemins.insert(format!("{DIFFUSION}/$export-poll-status"), avancement());
    chemins.insert(format!("{DIFFUSION}/$export-file/{{export}}/{{fichier}}"), fichier());
}

fn nom(verbe: &str, t: Option<TypeFhir>) -> String {
    t.map_or_else(|| verbe.to_owned(), |t| format!("{verbe}-{}", t.nom()))
}

fn requete(a: &Argument) -> Value {
    let schema = match (a.sorte, a.repete) {
        ("integer", _) => json!({ "type": "integer", "minimum": 0 }),
        (_, repete) => {
            let mut texte = json!({ "type": "string", "minLength": 1 });
            if !a.exemple.is_empty() {
                texte["examples"] = json!([a.exemple]);
            }
            if repete { json!({ "type": "array", "items": texte }) } else { texte }
        }
    };
    json!({ "name": a.nom, "in": "query", "description": a.documentation(), "schema": schema })
}

fn extraire(t: Option<TypeFhir>) -> Value {
    let mut communs = ror();
    communs.push(json!({ "name": "Prefer", "in": "header", "description": "respond-async : recommandé, sans effet. handling=lenient laisse de côté ce qui n'est pas servi.",
        "schema": { "type": "string" }, "example": "respond-async" }));
    communs.extend(EXPORT.arguments.iter().map(requete));
    let accepte = json!({ "202": {
        "description": "Acceptée : suivez Content-Location.",
        "headers": { "Content-Location": { "$ref": "#/components/headers/Content-Location" } },
        "content": composants::fhir("OperationOutcome"),
    } });
    let refus = [400, 401, 403, 406, 415, 422, 429, 503, 504];
    let sujet = t.map_or("l'annuaire", TypeFhir::nom);
    json!({
        "parameters": communs,
        "get": {
            "operationId": nom("extraire", t),
            "tags": ["Extraction"],
            "summary": format!("Extraire {sujet}"),
            "description": EXPORT.doc,
            "responses": reponses(accepte.clone(), &refus),
        },
        "post": {
            "operationId": nom("extraire-post", t),
            "tags": ["Extraction"],
            "summary": format!("Extraire {sujet}, paramètres dans le corps"),
            "requestBody": { "content": { "application/fhir+json": { "schema": { "$ref": "#/components/schemas/Parameters" },
                "example": { "resourceType": "Parameters", "parameter": [{ "name": "_outputFormat", "valueString": NDJSON }] } } } },
            "responses": reponses(accepte, &[400, 401, 403, 406, 413, 415, 422, 429, 503, 504]),
        },
    })
}

fn avancement() -> Value {
    let mut communs = ror();
    communs.push(json!({ "name": "_jobId", "in": "query", "required": true, "description": "Donné par Content-Location.",
        "schema": { "type": "string", "format": "uuid" } }));
    let en_cours = json!({
        "description": "En cours : revenez après Retry-After.",
        "headers": {
            "Retry-After": { "$ref": "#/components/headers/Retry-After" },
            "X-Progress": { "$ref": "#/components/headers/X-Progress" },
        },
        "content": composants::fhir("OperationOutcome"),
    });
    let manifeste = json!({
        "description": "Terminée : les fichiers à télécharger.",
        "headers": { "Expires": { "description": "Jusqu'à quand ils sont gardés.", "schema": { "type": "string" } } },
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Manifeste" } } },
    });
    let echouee = json!({ "description": "L'extraction a échoué : l'OperationOutcome dit pourquoi.", "content": composants::fhir("OperationOutcome") });
    let get = json!({
        "operationId": "suivre-extraction",
        "tags": ["Extraction"],
        "summary": "Suivre une extraction",
        "responses": reponses(json!({ "200": manifeste, "202": en_cours, "500": echouee }), &[400, 401, 403, 404, 410, 422, 429, 503, 504]),
    });
    let annulee = json!({ "202": { "description": "Annulée : ses fichiers sont supprimés.", "content": composants::fhir("OperationOutcome") } });
    json!({
        "parameters": communs,
        "head": tete(&get, "Suivre une extraction sans le corps"),
        "get": get,
        "delete": {
            "operationId": "annuler-extraction",
            "tags": ["Extraction"],
            "summary": "Annuler une extraction",
            "responses": reponses(annulee, &[400, 401, 403, 404, 429, 503, 504]),
        },
    })
}

fn fichier() -> Value {
    let chaine = |nom: &str, doc: &str| json!({ "name": nom, "in": "path", "required": true, "description": doc, "schema": { "type": "string", "minLength": 1 } });
    let mut communs = vec![
        chaine("export", "Identifiant de l'extraction."),
        chaine("fichier", "Nom donné par le manifeste."),
    ];
    communs.extend(ror());
    communs.push(parametre("If-None-Match"));
    communs.push(json!({ "name": "Range", "in": "header", "description": "Reprend un téléchargement : bytes=<début>-.", "schema": { "type": "string" } }));
    communs.push(json!({ "name": "If-Range", "in": "header", "description": "ETag du fichier commencé : s'il a changé, il est rendu entier.", "schema": { "type": "string" } }));
    let octets = json!({
        NDJSON: { "schema": { "type": "string" } },
        "application/fhir+json": { "schema": { "$ref": "#/components/schemas/Ressource" } },
    });
    let hors = json!({ "description": "La plage demandée ne touche pas le fichier.", "content": composants::fhir("OperationOutcome") });
    let bonnes = json!({
        "200": { "description": "Le fichier.", "headers": { "ETag": { "$ref": "#/components/headers/ETag" } }, "content": octets },
        "206": { "description": "La partie demandée.",
            "headers": { "ETag": { "$ref": "#/components/headers/ETag" }, "Content-Range": { "description": "Octets rendus, et taille du fichier.", "schema": { "type": "string" } } },
            "content": { NDJSON: { "schema": { "type": "string" } }, "application/fhir+json": { "schema": { "type": "string" } } } },
        "304": super::reponse("Inchange"),
        "416": hors,
    });
    let get = json!({
        "operationId": "telecharger",
        "tags": ["Extraction"],
        "summary": "Télécharger un fichier d'une extraction",
        "responses": reponses(bonnes, &[400, 401, 403, 404, 410, 429, 503, 504]),
    });
    json!({ "parameters": communs, "head": tete(&get, "Taille et empreinte d'un fichier"), "get": get })
}

fn suivre(t: Option<TypeFhir>) -> Value {
    let mut communs = ror();
    // A type has its own criteria in place of the filters of the whole.
    let du_tout = |a: &&Argument| t.is_none() || !a.nom.starts_with("_type");
    communs.extend(CHANGES.arguments.iter().filter(du_tout).map(requete));
    communs.push(json!({ "name": "Last-Event-ID", "in": "header", "description": "Curseur du dernier événement reçu : ce qu'un navigateur envoie quand il reprend un flux. L'emporte sur since.", "schema": { "type": "string" } }));
    if let Some(t) = t {
        communs.extend(composants::conditions(t));
    }
    let flux = json!({ "200": {
        "description": "Les changements, le plus ancien d'abord.",
        "content": { "application/x-ndjson": { "schema": { "type": "string" } }, "text/event-stream": { "schema": { "type": "string" } } },
    } });
    let mut etiquettes = vec!["Changements"];
    etiquettes.extend(t.map(etiquette));
    json!({
        "parameters": communs,
        "get": {
            "operationId": nom("changements", t),
            "tags": etiquettes,
            "summary": format!("Suivre ce qui change dans {}", t.map_or("l'annuaire", TypeFhir::nom)),
            "description": CHANGES.doc,
            "responses": reponses(flux, &[400, 401, 403, 406, 410, 422, 429, 503, 504]),
        },
    })
}
