//! CodeSystem, ValueSet and ConceptMap.

use super::parametres::{designations, valeur_typee};
use crate::{
    fhir::{
        json::{Objet, Tableau},
        temps,
    },
    terminologie::{Edition, Genre, Paire, TOUT_LE_SYSTEME, Vie, iso, regard::Concept},
};

const EXT_PERIODE: &str = "http://hl7.org/fhir/StructureDefinition/resource-effectivePeriod";
/// Types a property may have.
const NATURES: [&str; 7] = ["code", "Coding", "string", "integer", "boolean", "dateTime", "decimal"];

/// Writes a version as its resource; `resume` leaves the content out (`_summary=true`).
pub fn ressource(o: &mut Objet<'_>, e: &Edition, id: &str, resume: bool) {
    o.texte("resourceType", e.genre.nom());
    o.texte("id", id);
    o.objet("meta", |o| {
        o.texte("versionId", &e.etiquette());
        o.texte("lastUpdated", &maj(e));
        if resume {
            o.tableau("tag", |t| {
                t.objet(|o| {
                    o.texte("system", "http://terminology.hl7.org/CodeSystem/v3-ObservationValue");
                    o.texte("code", "SUBSETTED");
                });
            });
        }
    });
    entete(o, e, &e.entete.canonique);
    if !resume {
        o.texte("description", &e.entete.description);
        o.texte("copyright", &copyright(e));
    }
    match e.genre {
        Genre::CodeSystem => systeme(o, e, resume),
        Genre::ValueSet if resume => {}
        Genre::ValueSet => composition(o, e, false),
        Genre::ConceptMap => association(o, e, resume),
    }
}

/// What identifies a version, under the canonical it was asked by.
pub fn entete(o: &mut Objet<'_>, e: &Edition, url: &str) {
    let n = &e.entete;
    o.texte("language", "fr");
    if !(n.valide_du.is_empty() && n.valide_au.is_empty()) {
        o.tableau("extension", |t| {
            t.extension(EXT_PERIODE, |o| {
                o.objet("valuePeriod", |o| {
                    o.texte("start", &n.valide_du);
                    o.texte("end", &n.valide_au);
                });
            });
        });
    }
    o.texte("url", url);
    if !n.oid.is_empty() && url == n.canonique {
        o.tableau("identifier", |t| {
            t.objet(|o| {
                o.texte("system", "urn:ietf:rfc:3986");
                o.texte("value", &format!("urn:oid:{}", n.oid));
            });
        });
    }
    o.texte("version", &n.version);
    o.texte("name", &nom_fhir(&n.nom));
    o.texte("title", e.titre());
    // Drafts and retired versions are not held.
    o.texte("status", "active");
    let date = if n.date_maj.is_empty() { maj(e) } else { n.date_maj.clone() };
    o.texte("date", &date);
    o.texte("publisher", &n.editeur);
}

/// A computer name: letters, digits and underscores.
pub fn nom_fhir(nom: &str) -> String {
    nom.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

fn maj(e: &Edition) -> String {
    let date = e.entete.meta.as_ref().and_then(|m| m.date_maj.as_ref());
    date.and_then(temps::ecrire_instant).unwrap_or_default()
}

/// Licence and source of the national lists; a regional one is published by its region, on terms
/// that are not known here.
pub fn copyright(e: &Edition) -> String {
    let n = &e.entete;
    if !n.region.is_empty() {
        return String::new();
    }
    let source: &str = if n.version.starts_with("INSEE") {
        "Insee, code officiel géographique"
    } else if n.editeur.is_empty() {
        "Agence du Numérique en Santé, nomenclatures des objets de santé"
    } else {
        &n.editeur
    };
    format!("Licence Ouverte 2.0 (Etalab), source : {source}")
}

fn systeme(o: &mut Objet<'_>, e: &Edition, resume: bool) {
    o.texte("valueSet", &format!("{}{TOUT_LE_SYSTEME}", e.entete.canonique));
    o.texte("content", if e.entete.complete { "complete" } else { "fragment" });
    if e.entete.complete {
        o.entier("count", i64::from(e.nombre()));
    }
    o.tableau("property", |t| {
        if e.datee() {
            definition(t, "status", "Statut du code : draft, active, deprecated ou retired", "code");
            definition(t, "dateValid", "Premier jour de validité", "dateTime");
            definition(t, "dateFin", "Dernier jour de validité", "dateTime");
            definition(t, "dateMaj", "Dernière mise à jour", "dateTime");
        }
        for (code, nature) in e.natures() {
            definition(t, code, "", if NATURES.contains(&nature) { nature } else { "string" });
        }
    });
    if resume {
        return;
    }
    o.tableau("concept", |t| {
        for rang in 0..e.nombre() {
            t.objet(|o| {
                o.texte("code", e.code(rang));
                o.texte("display", e.libelle(rang));
                o.texte("definition", e.definition(rang));
                libelles(o, &seul(e, rang));
                o.tableau("property", |t| {
                    if e.datee() {
                        for (code, nature, v) in proprietes_de_vie(e.vie(rang)) {
                            propriete(t, code, nature, &v);
                        }
                    }
                    for p in e.proprietes(rang) {
                        propriete(t, p.code, p.nature, p.valeur);
                    }
                });
            });
        }
    });
}

fn definition(t: &mut Tableau<'_>, code: &str, description: &str, nature: &str) {
    t.objet(|o| {
        o.texte("code", code);
        o.texte("description", description);
        o.texte("type", nature);
    });
}

fn propriete(t: &mut Tableau<'_>, code: &str, nature: &str, v: &str) {
    if !v.is_empty() {
        t.objet(|o| {
            o.texte("code", code);
            valeur_typee(o, nature, v);
        });
    }
}

/// Status and dates as properties: code, type, value.
pub fn proprietes_de_vie(v: Vie) -> [(&'static str, &'static str, String); 4] {
    [
        ("status", "code", v.statut().to_owned()),
        ("dateValid", "dateTime", iso(v.du)),
        ("dateFin", "dateTime", iso(v.au)),
        ("dateMaj", "dateTime", iso(v.maj)),
    ]
}

/// A code as its version alone has it: what a resource says depends on nothing else.
fn seul(e: &Edition, rang: u32) -> Concept<'_> {
    Concept {
        systeme: e.systeme(e.groupe(rang)),
        code: e.code(rang),
        libelle: e.libelle(rang),
        libelle_court: e.libelle_court(rang),
        libelle_long: e.libelle_long(rang),
        definition: e.definition(rang),
        vie: e.vie(rang),
    }
}

/// The designations of a code.
pub fn libelles(o: &mut Objet<'_>, c: &Concept<'_>) {
    o.tableau("designation", |t| {
        for (usage, nom, libelle) in designations(c) {
            t.objet(|o| {
                o.texte("language", "fr");
                o.objet("use", |o| {
                    o.texte("code", usage);
                    o.texte("display", nom);
                });
                o.texte("value", libelle);
            });
        }
    });
}

/// The definition of a value set; `entier`: the whole of the code system, unlisted.
pub fn composition(o: &mut Objet<'_>, e: &Edition, entier: bool) {
    o.objet("compose", |o| {
        o.tableau("include", |t| {
            for (groupe, systeme) in e.systemes().enumerate() {
                t.objet(|o| {
                    o.texte("system", systeme);
                    if entier {
                        return;
                    }
                    o.tableau("concept", |t| {
                        for rang in e.plage(groupe) {
                            t.objet(|o| {
                                o.texte("code", e.code(rang));
                                o.texte("display", e.libelle(rang));
                                libelles(o, &seul(e, rang));
                            });
                        }
                    });
                });
            }
        });
    });
}

fn association(o: &mut Objet<'_>, e: &Edition, resume: bool) {
    o.texte("sourceUri", &e.entete.source);
    o.texte("targetUri", &e.entete.cible);
    if resume {
        return;
    }
    let paires: Vec<Paire<'_>> = e.paires().toutes().collect();
    let meme_groupe = |a: &Paire<'_>, b: &Paire<'_>| {
        a.systeme_source == b.systeme_source && a.systeme_cible == b.systeme_cible
    };
    o.tableau("group", |t| {
        for groupe in paires.chunk_by(meme_groupe) {
            t.objet(|o| {
                let tete = groupe.first();
                o.texte("source", tete.map_or("", |p| p.systeme_source));
                o.texte("target", tete.map_or("", |p| p.systeme_cible));
                o.tableau("element", |t| {
                    for element in groupe.chunk_by(|a, b| a.code_source == b.code_source) {
                        element_source(t, element);
                    }
                });
            });
        }
    });
}

fn element_source(t: &mut Tableau<'_>, paires: &[Paire<'_>]) {
    t.objet(|o| {
        o.texte("code", paires.first().map_or("", |p| p.code_source));
        o.tableau("target", |t| {
            for p in paires {
                t.objet(|o| {
                    o.texte("code", p.code_cible);
                    o.texte("equivalence", p.equivalence);
                    o.texte("comment", p.commentaire);
                });
            }
        });
    });
}
