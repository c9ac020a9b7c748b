//! The same interface as an OpenAPI 3.1 document, from the same tables.

mod annuaire;
mod autres;
mod composants;
mod masse;

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::http::JETON;

/// Stands for the address of the server until a request tells it.
const SERVEUR: &str = "{serveur}";

/// The document for a server at this address.
pub fn texte(serveur: &str) -> String {
    static TEXTE: LazyLock<String> = LazyLock::new(|| document().to_string());
    let serveur = Value::from(serveur).to_string();
    TEXTE.replacen(&format!("\"{SERVEUR}\""), &serveur, 1)
}

fn document() -> Value {
    let mut chemins = Map::new();
    annuaire::chemins(&mut chemins);
    masse::chemins(&mut chemins);
    autres::chemins(&mut chemins);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "ROR national",
            "summary": "Le répertoire national de l'offre de santé et de l'accompagnement, en FHIR R4",
            "description": PRESENTATION,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": SERVEUR }],
        "tags": [
            { "name": "Jeton", "description": "OAuth2 client_credentials, par secret ou par certificat." },
            { "name": "Offres", "description": "HealthcareService : qui prend en charge quel besoin." },
            { "name": "Lieux", "description": "Location : où, avec combien de lits." },
            { "name": "Structures", "description": "Organization : entités juridiques, établissements, organisations internes." },
            { "name": "Situations", "description": "PractitionerRole : qui exerce dans quelle offre." },
            { "name": "Professionnels", "description": "Practitioner." },
            { "name": "Extraction", "description": "Bulk Data : tout ce que l'appelant peut lire, à un instant donné." },
            { "name": "Changements", "description": "Ce qui change, dans l'ordre." },
            { "name": "Capacité", "description": "Mise à jour des lits par les logiciels de gestion." },
            { "name": "Nomenclatures", "description": "CodeSystem, ValueSet, ConceptMap et leurs opérations." },
            { "name": "Description", "description": "Ce que la façade sait faire ; sans jeton." },
            { "name": "Supervision", "description": "État et mesures ; sans jeton." },
        ],
        "security": [{ "porteur": [] }, { "oauth2": [] }],
        "paths": chemins,
        "components": {
            "securitySchemes": {
                "porteur": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Jeton reçu du point de jeton." },
                "oauth2": {
                    "type": "oauth2",
                    "description": "Le jeton est demandé avec client_id et client_secret (profil 0, fournisseurs de capacité).",
                    "flows": { "clientCredentials": { "tokenUrl": JETON, "scopes": {} } },
                },
                "certificat": { "type": "mutualTLS", "description": "Certificat client (RFC 8705) : profils 1 à 5. Le jeton obtenu est lié au certificat : avec un autre, il est refusé. Le présenter à chaque appel n'est exigé que là où l'exploitant le veut (http.require_certificate)." },
            },
            "parameters": composants::parametres(),
            "headers": composants::entetes(),
            "responses": composants::reponses(),
            "schemas": composants::schemas(),
        },
    })
}

const PRESENTATION: &str = "\
Les quatre en-têtes `Ror-*` accompagnent chaque GET sur les cinq types de l'annuaire, `$export` et `$changes` : leurs \
valeurs sont remises à l'inscription, avec le `client_id`. Ailleurs, ils sont vérifiés s'ils sont donnés.\n\n\
Un critère regarde la ressource telle que l'appelant la lit : ce que son profil ne voit pas ne répond pas, ne compte \
pas, ne trie pas.\n\n\
**Valeurs.** Une virgule sépare des valeurs dont une suffit ; le même paramètre donné deux fois doit être vérifié deux \
fois. Dates, nombres et quantités prennent un préfixe : `eq ne gt lt ge le sa eb ap`. Un code s'écrit `code` ou \
`système|code`.\n\n\
**Liens.** `organization.type=355` porte sur la structure de l'offre, `_has:PractitionerRole:service:role=60` sur ses \
situations.\n\n\
**Erreurs.** Un OperationOutcome dit toutes les fautes à la fois : l'élément, la règle, ce qui serait accepté.";

/// The answer of this name.
fn reponse(nom: &str) -> Value {
    json!({ "$ref": format!("#/components/responses/{nom}") })
}

/// The parameter of this key.
fn parametre(cle: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{cle}") })
}

/// The answers of a call: the good ones, then refusals by their codes.
fn reponses(bonnes: Value, refus: &[u16]) -> Value {
    let mut toutes = match bonnes {
        Value::Object(m) => m,
        _ => Map::new(),
    };
    for code in refus {
        toutes.insert(code.to_string(), reponse(&format!("Refus{code}")));
    }
    Value::Object(toutes)
}

/// The HEAD beside a GET.
fn tete(get: &Value, resume: &str) -> Value {
    let mut tete = get.clone();
    tete["summary"] = json!(resume);
    tete["operationId"] = json!(format!("{}-tete", get["operationId"].as_str().unwrap_or_default()));
    if let Some(o) = tete.as_object_mut() {
        o.remove("description");
    }
    tete
}

/// The four headers of a read.
fn ror() -> Vec<Value> {
    composants::ROR.iter().map(|(nom, ..)| parametre(nom)).collect()
}

/// The same, where they may be left out.
fn ror_libres() -> Vec<Value> {
    composants::ROR.iter().map(|(nom, ..)| parametre(&format!("{nom}.libre"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{modele::TypeFhir, recherche::parametres, terminologie::parametres as nos};

    fn lu() -> Value {
        serde_json::from_str(&texte("https://h:8443")).unwrap()
    }

    /// Every `$ref` of a value.
    fn references<'a>(v: &'a Value, vues: &mut Vec<&'a str>) {
        match v {
            Value::Array(a) => a.iter().for_each(|v| references(v, vues)),
            Value::Object(o) => {
                vues.extend(o.get("$ref").and_then(Value::as_str));
                o.values().for_each(|v| references(v, vues));
            }
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_component_serves() {
        let d = lu();
        let mut vues = Vec::new();
        references(&d, &mut vues);
        for r in &vues {
            let chemin = r.strip_prefix('#').unwrap();
            assert!(d.pointer(chemin).is_some(), "{r}");
        }
        for famille in ["parameters", "headers", "responses", "schemas"] {
            for cle in d["components"][famille].as_object().unwrap().keys() {
                assert!(cle.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)), "{cle}");
                assert!(
                    vues.contains(&format!("#/components/{famille}/{cle}").as_str()),
                    "{famille}/{cle} serves nothing"
                );
            }
        }
        assert_eq!(d["servers"][0]["url"], "https://h:8443");
    }

    #[test]
    fn every_parameter_and_modifier_of_the_tables_is_there() {
        let d = lu();
        for p in parametres::PARAMETRES {
            let t = p.type_fhir.nom();
            let noms = std::iter::once(p.nom.to_owned())
                .chain(p.modificateurs().iter().map(|m| format!("{}:{m}", p.nom)));
            let declares = d["paths"][format!("/ws-diffusion-fhir/{t}")]["parameters"].as_array().unwrap();
            let champs = &d["components"]["schemas"][format!("Criteres.{t}")]["properties"];
            for nom in noms {
                let cle = format!("#/components/parameters/{t}.{}", nom.replace(':', "."));
                assert!(declares.iter().any(|x| x["$ref"] == cle.as_str()), "{t}?{nom}");
                assert_eq!(d.pointer(&cle[1..]).unwrap()["name"], nom.as_str());
                assert!(champs.get(&nom).is_some(), "{t}/_search {nom}");
            }
        }
        for o in nos::OPERATIONS {
            let chemin = format!("/ws-diffusion-fhir/{}/${}", o.genre.nom(), o.nom);
            assert!(d["paths"][&chemin]["post"].is_object(), "{chemin}");
        }
    }

    #[test]
    fn operations_have_one_id_each_and_paths_their_parameters() {
        let d = lu();
        let mut ids = Vec::new();
        for (chemin, v) in d["paths"].as_object().unwrap() {
            for methode in ["get", "head", "post", "patch", "delete"] {
                let o = &v[methode];
                if o.is_null() {
                    continue;
                }
                ids.push(o["operationId"].as_str().unwrap().to_owned());
                assert!(o["summary"].is_string() && o["tags"].is_array(), "{methode} {chemin}");
                assert!(o["responses"].as_object().is_some_and(|r| !r.is_empty()), "{methode} {chemin}");
                let declares: Vec<&Value> = [&v["parameters"], &o["parameters"]]
                    .into_iter()
                    .filter_map(Value::as_array)
                    .flatten()
                    .collect();
                for nom in chemin.split('{').skip(1).filter_map(|s| s.split('}').next()) {
                    let la = |p: &&Value| {
                        let p = p["$ref"].as_str().map_or(Some(*p), |r| d.pointer(&r[1..]));
                        p.is_some_and(|p| p["name"] == nom && p["in"] == "path")
                    };
                    assert!(declares.iter().any(la), "{chemin}: {nom}");
                }
            }
        }
        let nombre = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), nombre);
        assert!(TypeFhir::TOUS.iter().all(|t| ids.contains(&format!("chercher-{}", t.nom()))));
    }
}
