//! Token, capacities, nomenclatures, descriptions, supervision.

use serde_json::{Map, Value, json};

use super::{composants, parametre, reponse, reponses, ror_libres, tete};
use crate::{
    http::{
        CAPACITE, DIFFUSION, JETON,
        conformite::definitions::{TYPES_PROPRES, propres_de},
    },
    terminologie::{
        Genre,
        parametres::{self as nos, Nature, Operation},
    },
};

pub fn chemins(chemins: &mut Map<String, Value>) {
    chemins.insert(JETON.to_owned(), jeton());
    capacite(chemins);
    for genre in Genre::TOUS {
        nomenclature(chemins, genre);
    }
    for t in TYPES_PROPRES {
        definitions(chemins, t);
    }
    descriptions(chemins);
    for (chemin, etiquette, resume, genre) in [
        ("/", "Supervision", "Page d'accueil", "text/html"),
        ("/live", "Supervision", "Le processus vit", "text/plain"),
        ("/ready", "Supervision", "L'annuaire est entier", "application/json"),
        ("/metrics", "Supervision", "Mesures Prometheus", "text/plain"),
        ("/reference", "Description", "Cette référence, pour un lecteur", "text/html"),
        ("/reference/parametres", "Description", "La référence en une page, sans script", "text/html"),
    ] {
        let contenu = json!({ "schema": { "type": "string" } });
        let mut bonnes = json!({ "200": { "description": resume, "content": { genre: contenu } } });
        if chemin == "/ready" {
            let contenu = json!({ "application/json": { "schema": { "type": "object" } } });
            bonnes["200"]["content"] = contenu.clone();
            bonnes["503"] = json!({ "description": "Pas encore, ou plus.", "content": contenu });
        }
        ouvert(chemins, chemin.to_owned(), etiquette, resume, bonnes);
    }
}

/// A path open to all.
fn ouvert(chemins: &mut Map<String, Value>, chemin: String, etiquette: &str, resume: &str, bonnes: Value) {
    let id = chemin.trim_matches('/').replace(['/', '.', '_'], "-");
    let get = json!({
        "operationId": if id.is_empty() { "accueil".to_owned() } else { id },
        "tags": [etiquette],
        "summary": resume,
        "security": [],
        "responses": bonnes,
    });
    chemins.insert(chemin, json!({ "get": get }));
}

fn jeton() -> Value {
    let champ = |doc: &str| json!({ "type": "string", "description": doc });
    let erreur = |doc: &str| {
        json!({ "description": doc, "content": { "application/json": { "schema": {
            "type": "object", "required": ["error"],
            "properties": { "error": { "type": "string" }, "error_description": { "type": "string" } } } } } })
    };
    let donne = json!({ "description": "Le jeton.", "content": { "application/json": { "schema": {
        "type": "object", "required": ["access_token", "token_type", "expires_in"],
        "properties": {
            "access_token": { "type": "string" }, "token_type": { "const": "Bearer" },
            "expires_in": { "type": "integer", "description": "Secondes." }, "scope": { "type": "string" } } } } } });
    json!({ "post": {
        "operationId": "jeton",
        "tags": ["Jeton"],
        "summary": "Demander un jeton",
        "description": "client_credentials (RFC 6749). Le secret va dans le formulaire, ou dans Authorization: Basic. Avec un certificat (RFC 8705), il n'y a pas de secret.",
        "security": [{}, { "certificat": [] }],
        "requestBody": { "required": true, "content": { "application/x-www-form-urlencoded": { "schema": {
            "type": "object", "required": ["grant_type"],
            "properties": {
                "grant_type": { "const": "client_credentials" },
                "client_id": champ("Donné à l'inscription ; ici, ou dans Authorization: Basic."),
                "client_secret": champ("Profil 0 et fournisseurs de capacité seulement."),
            } } } } },
        "responses": {
            "200": donne,
            "400": erreur("La demande est mal formée, ou son grant_type n'est pas admis."),
            "401": erreur("Application inconnue, secret ou certificat refusé."),
            "413": erreur("Le corps est trop grand."),
            "429": erreur("Trop de demandes."),
            "503": erreur("Le service d'accès ne répond pas."),
            "504": erreur("La demande a dépassé le temps imparti."),
        },
    } })
}

fn capacite(chemins: &mut Map<String, Value>) {
    let codes = [400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503, 504];
    let fait = json!({ "200": {
        "description": "Enregistrée : la recherche suivante la voit. Le corps est vide avec Prefer: return=minimal.",
        "headers": {
            "ETag": { "$ref": "#/components/headers/ETag" },
            "Last-Modified": { "$ref": "#/components/headers/Last-Modified" },
            "Content-Location": { "$ref": "#/components/headers/Content-Location" },
        },
        "content": composants::fhir("OperationOutcome"),
    } });
    let prefer = json!({ "name": "Prefer", "in": "header", "description": "return=minimal : sans corps.",
        "schema": { "type": "string", "enum": ["return=minimal", "return=OperationOutcome"] } });
    let corps = json!({ "required": true, "content": { "application/fhir+json": {
        "schema": { "$ref": "#/components/schemas/Parameters" }, "example": exemple_capacite() } } });
    let modifier = |id: &str, resume: &str, parametres: Vec<Value>| {
        json!({ "patch": {
            "operationId": id,
            "tags": ["Capacité"],
            "summary": resume,
            "description": "Un seul indicateur par demande. Sans aucun en-tête Ror-*. D'abord replace ; si la réponse est 404 sur l'extension, add.",
            "parameters": parametres,
            "requestBody": corps.clone(),
            "responses": reponses(fait.clone(), &codes),
        } })
    };
    let identifiant = json!({ "name": "identifier", "in": "query", "required": true,
        "description": "<idNatStruct de l'EG>/<code externe du lieu>, ou identifiant du lieu.",
        "schema": { "type": "string", "minLength": 1, "examples": ["1449000025/UF1001"] } });
    chemins.insert(
        format!("{CAPACITE}/Location"),
        modifier(
            "patcher-lieu",
            "Mettre à jour une capacité, par l'identifiant du lieu",
            vec![identifiant, prefer.clone()],
        ),
    );
    chemins.insert(
        format!("{CAPACITE}/Location/{{id}}"),
        modifier(
            "patcher-lieu-par-id",
            "Mettre à jour une capacité, par l'identifiant technique du lieu",
            vec![parametre("id"), prefer],
        ),
    );
}

fn exemple_capacite() -> Value {
    let url = crate::fhir::canoniques::EXT_CAPACITE;
    let cle = "extension.where(url = 'capacityStatus' and valueCodeableConcept.coding.code = '02') and extension.where(url = 'temporalityCapacity' and valueCodeableConcept.coding.code = '01') and extension.where(url = 'genderCapacityAvailable' and valueCodeableConcept.coding.code = '03') and extension.where(url = 'temporaryAssignement' and valueCodeableConcept.coding.code = '01')";
    let code = |nom: &str, systeme: &str, code: &str| {
        json!({ "url": nom, "valueCodeableConcept": { "coding": [{
        "system": format!("https://mos.esante.gouv.fr/NOS/TRE_{systeme}/FHIR/TRE-{systeme}"), "code": code }] } })
    };
    json!({ "resourceType": "Parameters", "parameter": [{ "name": "operation", "part": [
        { "name": "type", "valueString": "replace" },
        { "name": "path", "valueString": format!("Location.extension.where(url='{url}').where({cle})") },
        { "name": "value", "part": [{ "extension": [{ "url": url, "extension": [
            code("capacityType", "R329-NatureCapacite", "01"),
            code("capacityStatus", "R330-TypeStatutCapacite", "02"),
            code("temporalityCapacity", "R331-TemporaliteCapacite", "01"),
            code("genderCapacityAvailable", "R332-GenreCapacite", "03"),
            code("temporaryAssignement", "R337-AffectationTemporaire", "01"),
            code("capacitySourceType", "R335-TypeSourceCapacite", "02"),
            { "url": "nbCapacity", "valueInteger": 2 },
            { "url": "capacityUpdateDate", "valueDateTime": "2026-11-29T08:00:00+01:00" },
        ] }] }] },
    ] }] })
}

fn nomenclature(chemins: &mut Map<String, Value>, genre: Genre) {
    let t = genre.nom();
    let base = format!("{DIFFUSION}/{t}");
    let refus = [400, 401, 403, 404, 406, 422, 429, 503, 504];
    let valeur = |sorte: &str| json!({ "type": sorte, "minLength": 1 });
    let mut communs = ror_libres();
    for p in nos::de_genre(genre) {
        communs.push(json!({ "name": p.nom, "in": "query", "description": p.doc, "schema": { "type": "array", "items": valeur("string") } }));
        if matches!(p.nom, "name" | "title") {
            for m in ["contains", "exact"] {
                communs.push(json!({ "name": format!("{}:{m}", p.nom), "in": "query", "description": p.doc, "schema": { "type": "array", "items": valeur("string") } }));
            }
        }
    }
    communs.push(json!({ "name": "_count", "in": "query", "description": "Versions par page.", "schema": { "type": "integer", "minimum": 1, "maximum": 1000 }, "example": 20 }));
    communs.extend([resume(), parametre("_format")]);
    let mut formulaire = ror_libres();
    formulaire.push(parametre("_format"));
    let liste = json!({ "type": "array", "items": valeur("string") });
    let champs: Map<String, Value> =
        nos::de_genre(genre).map(|p| (p.nom.to_owned(), liste.clone())).collect();
    let refus_du_corps: Vec<u16> = refus.into_iter().chain([413, 415]).collect();
    chemins.insert(format!("{base}/_search"), json!({ "post": {
        "operationId": format!("chercher-{t}-post"), "tags": ["Nomenclatures"], "summary": format!("Chercher des {t} par POST"),
        "parameters": formulaire,
        "requestBody": { "content": { "application/x-www-form-urlencoded": { "schema": { "type": "object", "properties": champs } } } },
        "responses": reponses(json!({ "200": reponse("Bundle"), "304": reponse("Inchange") }), &refus_du_corps),
    } }));
    communs.push(parametre("If-None-Match"));
    let get = json!({
        "operationId": format!("chercher-{t}"),
        "tags": ["Nomenclatures"],
        "summary": format!("Chercher des {t}"),
        "responses": reponses(json!({ "200": reponse("Bundle"), "304": reponse("Inchange") }), &refus),
    });
    chemins.insert(
        base.clone(),
        json!({ "parameters": communs, "head": tete(&get, "Compter sans le corps"), "get": get }),
    );
    let mut communs = vec![parametre("id")];
    communs.extend(ror_libres());
    communs.extend([parametre("If-None-Match"), resume(), parametre("_format")]);
    let get = json!({
        "operationId": format!("lire-{t}"),
        "tags": ["Nomenclatures"],
        "summary": format!("Lire un {t}"),
        "responses": reponses(json!({ "200": reponse("Ressource"), "304": reponse("Inchange") }), &refus),
    });
    chemins.insert(
        format!("{base}/{{id}}"),
        json!({ "parameters": communs, "head": tete(&get, "Dater sans le corps"), "get": get }),
    );
    for o in nos::operations_de(genre) {
        let nom = format!("{}-{t}", o.nom);
        chemins.insert(format!("{base}/${}", o.nom), operer(o, &nom, &[]));
        chemins.insert(
            format!("{base}/{{id}}/${}", o.nom),
            operer(o, &format!("{nom}-par-id"), &[parametre("id")]),
        );
    }
}

fn resume() -> Value {
    json!({ "name": "_summary", "in": "query", "description": "true : sans le contenu.", "schema": { "type": "string", "enum": ["true", "false", "data"] } })
}

fn operer(o: &Operation, nom: &str, chemin: &[Value]) -> Value {
    let mut communs = chemin.to_vec();
    communs.extend(ror_libres());
    let mut entree = communs.clone();
    entree.push(parametre("_format"));
    for a in o.arguments {
        let schema = match a.nature {
            Nature::Texte => json!({ "type": "string", "minLength": 1 }),
            Nature::Date => json!({ "type": "string", "format": "date" }),
            Nature::Booleen => json!({ "type": "boolean" }),
            Nature::Entier(max) if max == usize::MAX => json!({ "type": "integer", "minimum": 0 }),
            Nature::Entier(max) => json!({ "type": "integer", "minimum": 0, "maximum": max }),
            Nature::Langue => json!({ "type": "string", "enum": ["fr", "fr-FR"] }),
            // In a body only.
            Nature::Codage | Nature::Concept => continue,
        };
        let schema = if a.repete { json!({ "type": "array", "items": schema }) } else { schema };
        entree.push(json!({ "name": a.nom, "in": "query", "schema": schema }));
    }
    let refus = [400, 401, 403, 404, 406, 413, 415, 422, 429, 503, 504];
    let corps = json!({ "content": { "application/fhir+json": { "schema": { "$ref": "#/components/schemas/Parameters" } } } });
    json!({
        "get": {
            "operationId": nom, "tags": ["Nomenclatures"], "summary": o.doc.split_inclusive('.').next().unwrap_or(o.doc),
            "description": o.doc, "parameters": entree,
            "responses": reponses(json!({ "200": reponse("Ressource") }), &refus),
        },
        "post": {
            "operationId": format!("{nom}-post"), "tags": ["Nomenclatures"],
            "summary": format!("${} avec des paramètres dans le corps", o.nom),
            "parameters": communs, "requestBody": corps,
            "responses": reponses(json!({ "200": reponse("Ressource") }), &refus),
        },
    })
}

fn definitions(chemins: &mut Map<String, Value>, t: &str) {
    let base = format!("{DIFFUSION}/{t}");
    let liste = json!({ "type": "array", "items": { "type": "string", "minLength": 1 } });
    let mut communs: Vec<Value> = propres_de(t)
        .iter()
        .map(|(nom, _, doc)| json!({ "name": nom, "in": "query", "description": doc, "schema": liste }))
        .collect();
    for m in ["contains", "exact"] {
        communs.push(json!({ "name": format!("name:{m}"), "in": "query", "description": "Nom informatique.", "schema": liste }));
    }
    communs.push(json!({ "name": "_count", "in": "query", "description": "Définitions par page ; 0 pour le total seul.", "schema": { "type": "integer", "minimum": 0, "maximum": 1000 } }));
    communs.extend(["_format", "If-None-Match"].map(parametre));
    let bonnes = |nom: &str| json!({ "200": reponse(nom), "304": reponse("Inchange") });
    let get = json!({
        "operationId": format!("chercher-{t}"), "tags": ["Description"], "summary": format!("Chercher des {t}"),
        "security": [], "responses": reponses(bonnes("Bundle"), &[400, 504]),
    });
    chemins.insert(
        base.clone(),
        json!({ "parameters": communs, "head": tete(&get, "Compter sans le corps"), "get": get }),
    );
    chemins.insert(format!("{base}/_search"), json!({ "post": {
        "operationId": format!("chercher-{t}-post"), "tags": ["Description"], "summary": format!("Chercher des {t} par POST"),
        "security": [],
        "requestBody": { "content": { "application/x-www-form-urlencoded": { "schema": { "type": "object", "properties": { "code": liste } } } } },
        "responses": reponses(bonnes("Bundle"), &[400, 413, 415, 504]),
    } }));
    let get = json!({
        "operationId": format!("lire-{t}"), "tags": ["Description"], "summary": format!("Lire un {t}"),
        "security": [], "responses": reponses(bonnes("Ressource"), &[404, 504]),
    });
    let id = json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$" },
        "example": if t == TYPES_PROPRES[0] { "ror-sp-nb-capacity" } else { "ror-export" } });
    let communs = vec![id, parametre("_format"), parametre("If-None-Match")];
    chemins.insert(
        format!("{base}/{{id}}"),
        json!({ "parameters": communs, "head": tete(&get, "Lire sans le corps"), "get": get }),
    );
}

fn descriptions(chemins: &mut Map<String, Value>) {
    let bonnes = json!({ "200": reponse("Ressource"), "304": reponse("Inchange") });
    let chemin = format!("{DIFFUSION}/metadata");
    ouvert(chemins, chemin.clone(), "Description", "CapabilityStatement", bonnes);
    chemins[&chemin]["parameters"] = json!(["_format", "If-None-Match"].map(parametre));
    let objet = |doc: &str| json!({ "200": { "description": doc, "content": { "application/json": { "schema": { "type": "object" } } } } });
    for (chemin, doc) in [
        ("/openapi.json".to_owned(), "Ce document"),
        (format!("{DIFFUSION}/openapi.json"), "Ce document"),
        (
            format!("{DIFFUSION}/.well-known/smart-configuration"),
            "Adresse du point de jeton, pour les logiciels SMART",
        ),
    ] {
        ouvert(chemins, chemin, "Description", doc, objet(doc));
    }
}
