//! What the paths refer to: parameters, headers, answers, schemas.

use serde_json::{Map, Value, json};

use super::parametre;
use crate::{
    http::conformite::{
        definitions::{GENERAUX, PREFIXES},
        enonce::lien,
    },
    modele::TypeFhir,
    recherche::parametres::{self, Genre, Parametre, Relation},
};

/// The four headers of a read: name, description, value of the demonstration.
pub const ROR: [(&str, &str, &str); 4] = [
    ("Ror-Profil-Utilisateur-Code", "Profil utilisateur : fonction dans l'organisation.", "CU20"),
    ("Ror-Profil-Utilisateur-System", "OID de la nomenclature du profil.", "1.2.250.1.213.1.6.1.66"),
    ("Ror-Role-Metier-Code", "Rôle métier : profession.", "AUTOMATE"),
    ("Ror-Role-Metier-System", "OID de la nomenclature du rôle.", "1.2.250.1.213.1.1.4.6"),
];

/// `_moment`.
const MOMENT: &str = "Instant de l'annuaire auquel répondre : le nombre de l'en-tête Ror-Moment d'une réponse. Il est gardé quelques minutes.";

/// Refusals: code, description, issue type and diagnostics of the example.
const REFUS: [(u16, &str, &str, &str); 14] = [
    (
        400,
        "La demande est mal formée : toutes les fautes à la fois.",
        "value",
        "Paramètre « couleur » inconnu pour Location. Attendu : _id, _lastUpdated, _tag, …",
    ),
    (
        401,
        "Le jeton manque, est expiré ou n'est pas reconnu.",
        "login",
        "Le jeton manque. Attendu : en-tête Authorization: Bearer <jeton>.",
    ),
    (
        403,
        "L'application n'a pas ce droit.",
        "forbidden",
        "Cette application n'a pas de profil de lecture. Attendu : une application consommatrice, profil 0 à 5.",
    ),
    (
        404,
        "N'existe pas, ou n'est pas visible de l'appelant : rien ne les distingue.",
        "not-found",
        "Location « absente » n'existe pas.",
    ),
    (
        406,
        "Aucun format demandé n'est servi.",
        "not-supported",
        "Aucun format demandé n'est servi. Attendu : application/fhir+json ou application/fhir+xml.",
    ),
    (
        409,
        "Un autre écrivain tient cette région, ou l'état a changé.",
        "conflict",
        "La région 52 n'est pas écrite par le ROR national.",
    ),
    (
        410,
        "Le repère de page ou de fil, ou l'extraction, n'est plus tenu : trop ancien, ou d'autres droits. Recommencez.",
        "expired",
        "Cette page n'est plus tenue. Attendu : la recherche depuis son début.",
    ),
    (
        412,
        "Plusieurs ressources répondent là où une seule est attendue.",
        "multiple-matches",
        "2 lieux portent l'identifiant « 1449000025/UF1001 ». Attendu : un seul ; signalez-le au GRADeS.",
    ),
    (413, "Le corps est trop grand.", "too-long", "Le corps dépasse 1 Mio."),
    (
        415,
        "Le type du corps n'est pas admis.",
        "not-supported",
        "Le type du corps n'est pas admis. Attendu : Content-Type: application/fhir+json.",
    ),
    (
        422,
        "La demande est lisible, mais contraire à une règle ou trop coûteuse.",
        "too-costly",
        "La requête dépasse le budget d'une recherche. Attendu : des critères plus étroits, ou $export.",
    ),
    (
        429,
        "Trop de demandes : attendez Retry-After.",
        "throttled",
        "Trop de demandes. Attendu : une nouvelle demande dans 2 secondes.",
    ),
    (
        503,
        "L'annuaire se charge, ou une partie ne répond pas : attendez Retry-After.",
        "transient",
        "L'annuaire se charge : recommencez dans un instant.",
    ),
    (504, "La demande a dépassé le temps imparti.", "timeout", "La requête a dépassé le temps imparti."),
];

/// Every parameter that several paths share.
pub fn parametres() -> Value {
    let mut tous = Map::new();
    for (nom, doc, exemple) in ROR {
        let mut v = json!({ "name": nom, "in": "header", "required": true, "description": doc,
            "schema": { "type": "string", "minLength": 1 }, "example": exemple });
        tous.insert(nom.to_owned(), v.clone());
        v["required"] = json!(false);
        tous.insert(format!("{nom}.libre"), v);
    }
    let moment = json!({ "name": "_moment", "in": "query", "description": MOMENT, "schema": { "type": "integer", "minimum": 0 } });
    tous.insert("_moment".to_owned(), moment);
    let prefer = json!({ "name": "Prefer", "in": "header",
        "description": "handling=strict (par défaut) refuse un paramètre inconnu ; handling=lenient le laisse de côté et le dit dans la réponse.",
        "schema": { "type": "string", "enum": ["handling=strict", "handling=lenient"] } });
    tous.insert("Prefer".to_owned(), prefer);
    let condition = json!({ "name": "If-None-Match", "in": "header",
        "description": "ETag reçu : la réponse est 304, sans corps, si rien n'a changé.",
        "schema": { "type": "string", "examples": ["W/\"3-5f0c9d1e2b3a4876\""] } });
    tous.insert("If-None-Match".to_owned(), condition);
    let id = json!({ "name": "id", "in": "path", "required": true, "description": "Identifiant technique.",
        "schema": { "type": "string", "pattern": "^[A-Za-z0-9.-]{1,64}$" }, "example": "8d4c1f0e-1111-5222-8333-444455556666" });
    tous.insert("id".to_owned(), id);
    for g in GENERAUX.iter().filter(|g| g.nom != "_has") {
        let mut v = json!({ "name": g.nom, "in": "query",
            "description": format!("{} Exemple : `{}`", g.doc, g.exemple), "schema": schema_general(g.nom) });
        if g.nom == "_count" {
            // The viewer fills it in: a first try stays short.
            v["example"] = json!(10);
        }
        tous.insert(g.nom.to_owned(), v);
    }
    for g in GENERAUX.iter().filter(|g| matches!(g.nom, "_include" | "_revinclude")) {
        let nom = format!("{}:iterate", g.nom);
        let doc = format!("{} Exemple : `{}`", g.doc, g.exemple);
        tous.insert(
            format!("{}.iterate", g.nom),
            json!({ "name": nom, "in": "query", "description": doc, "schema": liste("string", None) }),
        );
    }
    for t in TypeFhir::TOUS {
        for p in parametres::de_type(t) {
            tous.insert(cle(p, None), critere(p, None));
            for &m in p.modificateurs() {
                tous.insert(cle(p, Some(m)), critere(p, Some(m)));
            }
        }
        tous.insert(format!("{}.liens", t.nom()), json!({
            "name": "liens", "in": "query", "style": "form", "explode": true,
            "description": "Critères par un lien, chacun sous son propre nom : `<lien>.<paramètre>`, `<lien>:<Type>.<paramètre>`, `_has:<Type>:<lien>:<paramètre>` ; les chaînes s'allongent jusqu'à six liens.",
            "schema": liens(t), "example": {},
        }));
    }
    Value::Object(tous)
}

/// Key of a criterion among the components.
pub fn cle(p: &Parametre, modificateur: Option<&str>) -> String {
    let suite = modificateur.map(|m| format!(".{m}")).unwrap_or_default();
    format!("{}.{}{suite}", p.type_fhir.nom(), p.nom)
}

/// References to everything a search of a type takes.
pub fn criteres(t: TypeFhir) -> Vec<Value> {
    let mut tous = conditions(t);
    let autres = GENERAUX.iter().filter(|g| !matches!(g.nom, "_has" | "_filter"));
    let autres =
        autres.map(|g| parametre(g.nom)).chain(["_include.iterate", "_revinclude.iterate"].map(parametre));
    // The plain names first: a reader sees them before their variants.
    let rang = parametres::de_type(t).count() + 2;
    tous.splice(rang..rang, autres);
    tous
}

/// References to what narrows a search: plain names, links, `_filter`, then names with a modifier.
pub fn conditions(t: TypeFhir) -> Vec<Value> {
    let mut toutes: Vec<Value> = parametres::de_type(t).map(|p| parametre(&cle(p, None))).collect();
    toutes.push(parametre(&format!("{}.liens", t.nom())));
    toutes.push(parametre("_filter"));
    for p in parametres::de_type(t) {
        toutes.extend(p.modificateurs().iter().map(|&m| parametre(&cle(p, Some(m)))));
    }
    toutes
}

fn critere(p: &Parametre, modificateur: Option<&str>) -> Value {
    let nom = modificateur.map_or_else(|| p.nom.to_owned(), |m| format!("{}:{m}", p.nom));
    let quoi = match modificateur {
        None => String::new(),
        Some("not") => " N'a aucune de ces valeurs.".to_owned(),
        Some("missing") => " true : absent ; false : présent.".to_owned(),
        Some("in") => " A un code de ce jeu de valeurs (canonique).".to_owned(),
        Some("text") => " A un libellé qui commence ainsi.".to_owned(),
        Some("contains") => " Contient, sans casse ni accents.".to_owned(),
        Some("exact") => " Égal, au caractère près.".to_owned(),
        Some("above") => " Cette structure, ou une structure rattachée à elle.".to_owned(),
        Some(m) => format!(" Avec le modificateur :{m}."),
    };
    let forme = match p.genre {
        Genre::Date | Genre::Number | Genre::Quantity if modificateur.is_none() => {
            format!(" Préfixes : {}.", PREFIXES.join(" "))
        }
        _ => String::new(),
    };
    let schema = schema(p, modificateur);
    let exemple = match modificateur {
        None | Some("not" | "contains" | "exact" | "above") => format!(" Exemple : `{}`", p.exemple),
        _ => String::new(),
    };
    json!({ "name": nom, "in": "query", "description": format!("{}{quoi}{forme}{exemple}", p.doc), "schema": schema })
}

/// Values of a criterion: each repetition is one more condition.
fn schema(p: &Parametre, modificateur: Option<&str>) -> Value {
    match modificateur {
        Some("missing") => json!({ "type": "string", "enum": ["true", "false"] }),
        Some("in" | "text") => liste("string", None),
        _ => liste("string", Some(p.exemple)),
    }
}

fn liste(sorte: &str, exemple: Option<&str>) -> Value {
    let mut item = json!({ "type": sorte, "minLength": 1 });
    if let Some(e) = exemple {
        item["examples"] = json!([e]);
    }
    json!({ "type": "array", "items": item })
}

fn schema_general(nom: &str) -> Value {
    let g = GENERAUX.iter().find(|g| g.nom == nom);
    match g {
        Some(g) if nom == "_count" => {
            json!({ "type": "integer", "minimum": 0, "maximum": 1000, "examples": [20], "description": g.doc })
        }
        Some(g) if !g.valeurs.is_empty() => json!({ "type": "string", "enum": g.valeurs }),
        Some(g) if g.repete => liste("string", Some(g.exemple)),
        Some(g) => json!({ "type": "string", "minLength": 1, "examples": [g.exemple] }),
        None => json!({ "type": "string" }),
    }
}

/// Names that lead through a link of a type.
fn liens(t: TypeFhir) -> Value {
    let sortants: Vec<&str> =
        Relation::TOUTES.into_iter().filter(|r| r.source() == t).map(Relation::nom).collect();
    let entrants: Vec<String> = parametres::vers(t).map(lien).collect();
    let mut motifs = Map::new();
    if !sortants.is_empty() {
        motifs.insert(
            format!("^({})(:[A-Za-z]+)?\\.[A-Za-z_:.-]+$", sortants.join("|")),
            json!({ "type": "string", "minLength": 1 }),
        );
    }
    if !entrants.is_empty() {
        motifs.insert(
            format!("^_has:({}):[A-Za-z_:.-]+$", entrants.join("|")),
            json!({ "type": "string", "minLength": 1 }),
        );
    }
    json!({ "type": "object", "patternProperties": motifs, "additionalProperties": false })
}

/// Headers of the answers.
pub fn entetes() -> Value {
    let h = |doc: &str| json!({ "description": doc, "schema": { "type": "string" } });
    json!({
        "ETag": h("Version de la réponse, à rendre dans If-None-Match."),
        "Last-Modified": h("Dernière mise à jour."),
        "Retry-After": h("Secondes à attendre."),
        "Content-Location": h("Adresse où suivre la demande, ou de ce qui a été écrit."),
        "Ror-Retard-Secondes": h("Âge des données servies, en secondes."),
        "Warning": h("110 quand ces données ont trop d'âge."),
        "Ror-Moment": h("Instant de l'annuaire auquel la recherche répond, à rendre dans _moment."),
        "X-Progress": h("Avancement, pour une personne."),
    })
}

/// Answers.
pub fn reponses() -> Value {
    let mut toutes = Map::new();
    let entete = |nom: &str| json!({ "$ref": format!("#/components/headers/{nom}") });
    let age = json!({ "ETag": entete("ETag"), "Ror-Retard-Secondes": entete("Ror-Retard-Secondes"), "Warning": entete("Warning") });
    for (nom, doc, schema) in [
        ("Bundle", "Une page de résultats, avec les ressources jointes.", "Bundle"),
        ("Ressource", "La ressource.", "Ressource"),
    ] {
        let mut entetes = age.clone();
        if nom == "Ressource" {
            entetes["Last-Modified"] = entete("Last-Modified");
        } else {
            entetes["Ror-Moment"] = entete("Ror-Moment");
        }
        toutes.insert(
            nom.to_owned(),
            json!({ "description": doc, "headers": entetes, "content": fhir(schema) }),
        );
    }
    toutes.insert("Inchange".to_owned(), json!({ "description": "Rien n'a changé depuis l'ETag donné.", "headers": { "ETag": entete("ETag") } }));
    for (code, doc, genre, diagnostics) in REFUS {
        let mut contenu = fhir("OperationOutcome");
        contenu["application/fhir+json"]["example"] = json!({ "resourceType": "OperationOutcome",
            "issue": [{ "severity": "error", "code": genre, "diagnostics": diagnostics }] });
        let mut r = json!({ "description": doc, "content": contenu });
        if matches!(code, 429 | 503) {
            r["headers"] = json!({ "Retry-After": entete("Retry-After") });
        }
        toutes.insert(format!("Refus{code}"), r);
    }
    Value::Object(toutes)
}

/// Both formats of a FHIR body.
pub fn fhir(schema: &str) -> Value {
    json!({
        "application/fhir+json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } },
        "application/fhir+xml": { "schema": { "type": "string" } },
    })
}

/// Schemas.
pub fn schemas() -> Value {
    let mut tous = Map::new();
    let ressource = json!({ "type": "object", "description": "Une ressource FHIR R4 ; les profils sont nommés dans /metadata.",
        "required": ["resourceType"], "properties": { "resourceType": { "type": "string" }, "id": { "type": "string" } } });
    tous.insert("Ressource".to_owned(), ressource);
    tous.insert("Bundle".to_owned(), json!({
        "type": "object", "required": ["resourceType", "type"],
        "properties": {
            "resourceType": { "const": "Bundle" },
            "type": { "type": "string" },
            "total": { "type": "integer", "minimum": 0, "description": "Ressources trouvées, toutes pages confondues." },
            "link": { "type": "array", "items": { "type": "object", "required": ["relation", "url"],
                "properties": { "relation": { "type": "string", "examples": ["next"] }, "url": { "type": "string" } } } },
            "entry": { "type": "array", "items": { "type": "object", "properties": {
                "fullUrl": { "type": "string" },
                "resource": { "$ref": "#/components/schemas/Ressource" },
                "search": { "type": "object", "properties": { "mode": { "enum": ["match", "include", "outcome"] }, "score": { "type": "number" } } } } } },
        } }));
    tous.insert("OperationOutcome".to_owned(), json!({
        "type": "object", "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": { "const": "OperationOutcome" },
            "issue": { "type": "array", "minItems": 1, "items": { "type": "object", "required": ["severity", "code"],
                "properties": {
                    "severity": { "enum": ["fatal", "error", "warning", "information"] },
                    "code": { "type": "string", "description": "Code FHIR de la faute." },
                    "details": { "type": "object", "properties": { "text": { "type": "string", "description": "Identifiant stable de la règle." } } },
                    "diagnostics": { "type": "string", "description": "Phrase en français : la faute, puis ce qui serait accepté." },
                    "expression": { "type": "array", "items": { "type": "string" } } } } },
        } }));
    let parametres = json!({ "type": "object", "required": ["resourceType"], "properties": {
        "resourceType": { "const": "Parameters" }, "parameter": { "type": "array", "items": { "type": "object" } } } });
    tous.insert("Parameters".to_owned(), parametres);
    tous.insert("Manifeste".to_owned(), json!({
        "type": "object", "required": ["transactionTime", "request", "requiresAccessToken", "output", "error"],
        "properties": {
            "transactionTime": { "type": "string", "format": "date-time" },
            "request": { "type": "string" },
            "requiresAccessToken": { "type": "boolean" },
            "output": { "$ref": "#/components/schemas/Fichiers" },
            "deleted": { "$ref": "#/components/schemas/Fichiers" },
            "error": { "$ref": "#/components/schemas/Fichiers" },
            "extension": { "type": "object", "properties": {
                "cursor": { "type": "string", "description": "Curseur de $changes d'où suivre ce qui change après cette extraction." },
            } },
        } }));
    let mesure =
        json!({ "size": { "type": "integer", "description": "Octets." }, "sha256": { "type": "string" } });
    tous.insert("Fichiers".to_owned(), json!({ "type": "array", "items": { "type": "object", "required": ["type", "url"],
        "properties": { "type": { "type": "string" }, "url": { "type": "string" }, "count": { "type": "integer" },
            "extension": { "type": "object", "properties": { "size": mesure["size"], "sha256": mesure["sha256"],
                "gzip": { "type": "object", "description": "Du fichier tel qu'il est rendu sous Accept-Encoding: gzip.", "properties": mesure } } } } } }));
    for t in TypeFhir::TOUS {
        tous.insert(format!("Criteres.{}", t.nom()), formulaire(t));
    }
    Value::Object(tous)
}

/// The form of a search by POST.
fn formulaire(t: TypeFhir) -> Value {
    let mut champs = Map::new();
    for p in parametres::de_type(t) {
        champs.insert(p.nom.to_owned(), schema(p, None));
        for &m in p.modificateurs() {
            champs.insert(format!("{}:{m}", p.nom), schema(p, Some(m)));
        }
    }
    for g in GENERAUX.iter().filter(|g| g.nom != "_has") {
        champs.insert(g.nom.to_owned(), schema_general(g.nom));
    }
    champs.insert("_moment".to_owned(), json!({ "type": "integer", "minimum": 0, "description": MOMENT }));
    let mut v = liens(t);
    v["properties"] = Value::Object(champs);
    v
}
