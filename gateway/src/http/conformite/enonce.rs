//! The CapabilityStatement.

use super::{
    definitions::{Definition, GENERAUX, General, TYPES_PROPRES, canonique, propre, propres_de, toutes},
    operations::TOUTES,
};
use crate::{
    fhir::{
        canoniques as c,
        json::{self, Objet, Tableau},
    },
    modele::TypeFhir,
    recherche::parametres::{self, Parametre, Relation},
    terminologie::{Genre, parametres as nos},
};

/// What depends on the deployment.
pub struct Deploiement<'a> {
    /// Base of the façade.
    pub base: &'a str,
    /// Address of the token endpoint.
    pub jeton: &'a str,
    /// Whether other origins may call.
    pub cors: bool,
}

/// The statement, elements in the order of the standard.
pub fn ecrire(d: &Deploiement) -> Vec<u8> {
    let mut corps = Vec::with_capacity(48 * 1024);
    json::document(&mut corps, |o| {
        o.texte("resourceType", "CapabilityStatement");
        o.texte("id", "ror");
        o.texte("url", &format!("{}/metadata", d.base));
        o.texte("version", env!("CARGO_PKG_VERSION"));
        o.texte("name", "RorNational");
        o.texte("title", "ROR national");
        o.texte("status", "active");
        o.texte("date", super::DATE);
        o.texte("kind", "instance");
        textes(o, "instantiates", &["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"]);
        o.objet("software", |o| {
            o.texte("name", "ROR national");
            o.texte("version", env!("CARGO_PKG_VERSION"));
        });
        o.objet("implementation", |o| {
            o.texte("description", "ROR national, façade de diffusion");
            o.texte("url", d.base);
        });
        o.texte("fhirVersion", "4.0.1");
        textes(
            o,
            "format",
            &["application/fhir+json", "application/fhir+xml", "json", "xml", "application/fhir+ndjson"],
        );
        textes(o, "patchFormat", &["application/fhir+json"]);
        textes(
            o,
            "implementationGuide",
            &["https://interop.esante.gouv.fr/ig/fhir/ror/ImplementationGuide/ans.fhir.fr.ror"],
        );
        o.tableau("rest", |t| t.objet(|o| serveur(o, d)));
    });
    corps
}

fn textes(o: &mut Objet, nom: &str, valeurs: &[&str]) {
    o.tableau(nom, |t| valeurs.iter().for_each(|v| t.texte(v)));
}

fn serveur(o: &mut Objet, d: &Deploiement) {
    o.texte("mode", "server");
    o.texte("documentation", "Les quatre en-têtes Ror-* sont exigés par GET sur les cinq types de l'annuaire, par $export et par $changes ; ailleurs ils sont vérifiés s'ils sont donnés. Un paramètre inconnu est refusé, sauf avec Prefer: handling=lenient : il est alors laissé de côté, et la réponse le dit. HEAD est admis partout où GET l'est, sauf sur $export et $changes ; une recherche se fait aussi par POST sur _search. L'en-tête Ror-Moment d'une recherche nomme l'instant de l'annuaire auquel elle répond : rendu dans _moment, il garde plusieurs recherches au même instant. Chaque lecture et chaque recherche porte un ETag, à rendre dans If-None-Match. Les paramètres généraux valent pour les types de l'annuaire. La même description est en OpenAPI 3.1 sous /openapi.json, et pour un lecteur sous /reference.");
    o.objet("security", |o| securite(o, d));
    o.tableau("resource", |t| {
        TypeFhir::TOUS.into_iter().for_each(|x| t.objet(|o| ressource(o, x, d.base)));
        Genre::TOUS.into_iter().for_each(|g| t.objet(|o| nomenclature(o, g)));
        TYPES_PROPRES.into_iter().for_each(|p| t.objet(|o| definition(o, p)));
    });
    o.tableau("searchParam", |t| {
        GENERAUX.iter().filter(|g| g.sorte != "special").for_each(|g| general(t, g))
    });
    o.tableau("operation", |t| {
        for op in TOUTES {
            let definition = op.suit.map_or_else(|| op.definition(d.base), str::to_owned);
            t.objet(|o| operation(o, op.nom, &definition, op.doc));
        }
    });
}

fn securite(o: &mut Objet, d: &Deploiement) {
    o.tableau("extension", |t| {
        t.extension("http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", |o| {
            o.tableau("extension", |t| t.extension("token", |o| o.texte("valueUri", d.jeton)));
        });
    });
    o.booleen("cors", d.cors);
    o.tableau("service", |t| {
        t.objet(|o| {
            o.tableau("coding", |t| {
                t.objet(|o| {
                    o.texte("system", "http://terminology.hl7.org/CodeSystem/restful-security-service");
                    o.texte("code", "OAuth");
                });
            });
        });
    });
    o.texte(
        "description",
        "OAuth2 client_credentials ; secret pour le profil 0, certificat client (RFC 8705) pour les autres.",
    );
}

fn ressource(o: &mut Objet, t: TypeFhir, base: &str) {
    let profil = match t {
        TypeFhir::Organization => c::PROFIL_ORGANIZATION,
        TypeFhir::HealthcareService => c::PROFIL_HEALTHCARE_SERVICE,
        TypeFhir::Location => c::PROFIL_LOCATION,
        TypeFhir::Practitioner => c::PROFIL_PRACTITIONER,
        TypeFhir::PractitionerRole => c::PROFIL_PRACTITIONER_ROLE,
    };
    o.texte("type", t.nom());
    o.texte("profile", profil);
    textes(o, "supportedProfile", &[profil]);
    interactions(o, t == TypeFhir::Location);
    o.texte("versioning", "versioned");
    o.booleen("readHistory", false);
    o.texte("conditionalRead", "not-match");
    textes(o, "referencePolicy", &["literal"]);
    o.tableau("searchInclude", |x| inclusions().iter().for_each(|i| x.texte(i)));
    o.tableau("searchRevInclude", |x| parametres::vers(t).for_each(|r| x.texte(&lien(r))));
    o.tableau("searchParam", |x| {
        parametres::de_type(t).for_each(|p| parametre(x, p));
        GENERAUX.iter().filter(|g| matches!(g.nom, "_filter" | "_has")).for_each(|g| general(x, g));
    });
    o.tableau("operation", |x| {
        TOUTES.into_iter().for_each(|op| x.objet(|o| operation(o, op.nom, &op.definition(base), op.doc)));
    });
}

/// A relation, as includes name it.
pub fn lien(r: Relation) -> String {
    format!("{}:{}", r.source().nom(), r.nom())
}

/// Every value of `_include`.
pub fn inclusions() -> Vec<String> {
    let liens = Relation::TOUTES.into_iter().map(lien);
    let jokers =
        TypeFhir::TOUS.into_iter().filter(|t| Relation::TOUTES.into_iter().any(|r| r.source() == *t));
    liens.chain(jokers.map(|t| format!("{}:*", t.nom()))).chain(["*".to_owned()]).collect()
}

fn interactions(o: &mut Objet, capacites: bool) {
    o.tableau("interaction", |t| {
        for code in ["read", "search-type"] {
            t.objet(|o| o.texte("code", code));
        }
        if capacites {
            t.objet(|o| {
                o.texte("code", "patch");
                o.texte("documentation", "Capacités seulement, sous /ws-synchro-dispo-lits-fhir.");
            });
        }
    });
}

fn parametre(t: &mut Tableau, p: &Parametre) {
    let noms: Vec<String> = p.modificateurs().iter().map(|m| format!(":{m}")).collect();
    let modificateurs =
        if noms.is_empty() { String::new() } else { format!(" Modificateurs : {}.", noms.join(", ")) };
    let doc = format!("{}{modificateurs} Exemple : {}", p.doc, p.exemple);
    un(t, p.nom, &canonique(p), p.genre.nom(), &doc);
}

fn general(t: &mut Tableau, g: &General) {
    un(t, g.nom, g.definition.unwrap_or_default(), g.sorte, &format!("{} Exemple : {}", g.doc, g.exemple));
}

fn un(t: &mut Tableau, nom: &str, definition: &str, sorte: &str, doc: &str) {
    t.objet(|o| {
        o.texte("name", nom);
        o.texte("definition", definition);
        o.texte("type", sorte);
        o.texte("documentation", doc);
    });
}

fn nomenclature(o: &mut Objet, genre: Genre) {
    o.texte("type", genre.nom());
    o.texte("documentation", "Versions publiées. L'identifiant est le dernier segment du canonique pour la version en vigueur, suivi de -- et de la version pour une version nommée, ou un identifiant calculé.");
    interactions(o, false);
    o.texte("versioning", "versioned");
    o.booleen("readHistory", false);
    o.texte("conditionalRead", "not-match");
    o.tableau("searchParam", |t| {
        for p in nos::de_genre(genre) {
            let pareil = |d: &&Definition| d.code == p.nom && d.bases.iter().any(|(b, _)| *b == genre.nom());
            let url = toutes().iter().find(pareil).map(|d| d.url.as_str()).unwrap_or_default();
            un(t, p.nom, url, p.sorte, p.doc);
        }
    });
    o.tableau("operation", |t| {
        for op in nos::operations_de(genre) {
            let arguments: Vec<&str> = op.arguments.iter().map(|a| a.nom).collect();
            let doc = format!("{} Paramètres : {}.", op.doc, arguments.join(", "));
            t.objet(|o| operation(o, op.nom, op.definition, &doc));
        }
    });
}

fn definition(o: &mut Objet, t: &'static str) {
    o.texte("type", t);
    o.texte("documentation", "Sans jeton, comme cette description.");
    interactions(o, false);
    o.texte("versioning", "no-version");
    o.booleen("readHistory", false);
    o.texte("conditionalRead", "not-match");
    o.tableau("searchParam", |x| {
        propres_de(t).iter().for_each(|(nom, sorte, doc)| un(x, nom, &propre(t, nom), sorte, doc));
    });
}

fn operation(o: &mut Objet, nom: &str, definition: &str, doc: &str) {
    o.texte("name", nom);
    o.texte("definition", definition);
    o.texte("documentation", doc);
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn everything_that_is_executed_is_declared() {
        let d = Deploiement { base: "http://h/ws-diffusion-fhir", jeton: "http://h/jeton", cors: false };
        let v: Value = serde_json::from_slice(&ecrire(&d)).unwrap();
        let rest = &v["rest"][0];
        assert_eq!(rest["security"]["cors"], false);
        assert_eq!(rest["security"]["extension"][0]["extension"][0]["valueUri"], "http://h/jeton");
        let ressources = rest["resource"].as_array().unwrap();
        assert_eq!(ressources.len(), 5 + 3 + 2);
        for t in TypeFhir::TOUS {
            let r = ressources.iter().find(|r| r["type"] == t.nom()).unwrap();
            let declares = r["searchParam"].as_array().unwrap();
            for p in parametres::de_type(t) {
                let x = declares.iter().find(|x| x["name"] == p.nom).unwrap();
                assert_eq!(x["definition"], canonique(p).as_str());
                assert_eq!(x["type"], p.genre.nom());
                let doc = x["documentation"].as_str().unwrap();
                assert!(p.modificateurs().iter().all(|m| doc.contains(&format!(":{m}"))), "{doc}");
            }
            for op in ["export", "changes"] {
                assert!(r["operation"].as_array().unwrap().iter().any(|o| o["name"] == op));
            }
        }
        let offre = ressources.iter().find(|r| r["type"] == "HealthcareService").unwrap();
        assert_eq!(offre["searchRevInclude"], serde_json::json!(["PractitionerRole:service"]));
        assert!(offre["searchInclude"].as_array().unwrap().iter().any(|i| i == "Organization:partof"));
        // Every canonical told is one that SearchParameter serves.
        for r in ressources {
            for p in r["searchParam"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|p| !p["name"].as_str().unwrap().starts_with("_"))
            {
                assert!(toutes().iter().any(|d| d.url == p["definition"]), "{p}");
            }
        }
    }
}
