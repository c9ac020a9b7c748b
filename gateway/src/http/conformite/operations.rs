//! The operations on the directory: what they take, for the CapabilityStatement, the
//! OperationDefinitions, the OpenAPI document and the reference.

use super::fiches::Fiche;
use crate::{fhir::json, modele::TypeFhir};

/// A parameter of an operation.
pub struct Argument {
    /// Name in the URL.
    pub nom: &'static str,
    /// FHIR type.
    pub sorte: &'static str,
    /// Whether it may be given again.
    pub repete: bool,
    /// French description.
    pub doc: &'static str,
    /// A value that shows its form.
    pub exemple: &'static str,
}

/// An operation of the whole directory and of each of its types.
pub struct Operation {
    /// Name, without `$`.
    pub nom: &'static str,
    /// Computer name.
    pub nom_informatique: &'static str,
    /// Title.
    pub titre: &'static str,
    /// Canonical of what it follows, when one is published.
    pub suit: Option<&'static str>,
    /// French description.
    pub doc: &'static str,
    /// Parameters.
    pub arguments: &'static [Argument],
}

const fn a(
    nom: &'static str,
    sorte: &'static str,
    repete: bool,
    doc: &'static str,
    exemple: &'static str,
) -> Argument {
    Argument { nom, sorte, repete, doc, exemple }
}

/// Bulk export.
pub static EXPORT: Operation = Operation {
    nom: "export",
    nom_informatique: "RorExport",
    titre: "Extraction en masse",
    suit: Some("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"),
    doc: "Extrait ce que l'appelant peut lire, à un instant donné. La réponse 202 porte Content-Location : l'adresse à interroger jusqu'au manifeste, qui nomme les fichiers à télécharger avec le même jeton et les mêmes en-têtes Ror-*. Sans _outputFormat, les fichiers sont en JSON ; avec application/fhir+ndjson, en NDJSON (Bulk Data 2.0).",
    arguments: &[
        a(
            "_outputFormat",
            "string",
            false,
            "Format des fichiers : application/fhir+ndjson, application/ndjson, ndjson, application/fhir+json ou application/json. Sans lui, l'en-tête Accept, puis JSON.",
            "application/fhir+ndjson",
        ),
        a(
            "_since",
            "instant",
            false,
            "Ce qui a changé depuis cet instant, avec ce qui l'accompagne dans l'extrait complet ; ce que l'appelant ne voit plus est sous deleted.",
            "2026-01-01T00:00:00Z",
        ),
        a(
            "_type",
            "string",
            true,
            "Types extraits, séparés par des virgules ; tous par défaut.",
            "HealthcareService,Location",
        ),
        a(
            "_typeFilter",
            "string",
            true,
            "Recherche à laquelle un type est restreint ; plusieurs du même type s'ajoutent.",
            "HealthcareService?_tag=52",
        ),
        a(
            "_elements",
            "string",
            true,
            "Éléments de premier niveau à garder, séparés par des virgules, avec ou sans leur type ; ceux que les profils rendent obligatoires restent.",
            "HealthcareService.name,Location.address",
        ),
        a(
            "includeAssociatedData",
            "code",
            true,
            "_myCompleteExtract joint aux ressources trouvées leurs structures, lieux, situations et professionnels ; c'est toujours le cas en JSON.",
            "_myCompleteExtract",
        ),
    ],
};

/// Change feed.
pub static CHANGES: Operation = Operation {
    nom: "changes",
    nom_informatique: "RorChanges",
    titre: "Fil des changements",
    suit: None,
    doc: "Donne dans l'ordre, au moins une fois, ce qui a changé depuis un curseur : une ligne par changement (application/x-ndjson), ou un flux d'événements qui reste ouvert (Accept: text/event-stream). Ce qui disparaît de la vue de l'appelant est annoncé comme supprimé. Sur un type, les critères de recherche restreignent le fil.",
    arguments: &[
        a(
            "since",
            "string",
            false,
            "Curseur reçu sous le même profil dans une ligne, un événement ou un manifeste d'extraction ; absent, le fil commence maintenant.",
            "",
        ),
        a(
            "wait",
            "integer",
            false,
            "Secondes à attendre s'il n'y a rien à dire, 30 au plus ; pas avec un flux d'événements.",
            "10",
        ),
        a(
            "_elements",
            "string",
            true,
            "Éléments de premier niveau à garder, séparés par des virgules, avec ou sans leur type ; ceux que les profils rendent obligatoires restent.",
            "HealthcareService.name,Location.address",
        ),
        a(
            "_type",
            "string",
            true,
            "Types suivis, séparés par des virgules ; tous par défaut. Pas sur un type.",
            "Location",
        ),
        a(
            "_typeFilter",
            "string",
            true,
            "Recherche à laquelle un type est restreint ; plusieurs du même type s'ajoutent. Pas sur un type.",
            "Location?_tag=52",
        ),
    ],
};

/// Both.
pub static TOUTES: [&Operation; 2] = [&EXPORT, &CHANGES];

impl Operation {
    /// Logical id of its definition.
    pub fn id(&self) -> String {
        format!("ror-{}", self.nom)
    }

    /// Address of its definition on this server, which is its canonical.
    pub fn definition(&self, base: &str) -> String {
        format!("{base}/OperationDefinition/{}", self.id())
    }

    /// Its OperationDefinition.
    pub fn fiche(&self, base: &str) -> Fiche {
        let (id, url) = (self.id(), self.definition(base));
        let mut corps = Vec::with_capacity(2048);
        json::document(&mut corps, |o| {
            o.texte("resourceType", "OperationDefinition");
            o.texte("id", &id);
            o.texte("url", &url);
            o.texte("version", env!("CARGO_PKG_VERSION"));
            o.texte("name", self.nom_informatique);
            o.texte("title", self.titre);
            o.texte("status", "active");
            o.texte("kind", "operation");
            o.texte("date", super::DATE);
            o.texte("description", self.doc);
            o.booleen("affectsState", false);
            o.texte("code", self.nom);
            o.texte("base", self.suit.unwrap_or_default());
            o.tableau("resource", |t| TypeFhir::TOUS.into_iter().for_each(|x| t.texte(x.nom())));
            o.booleen("system", true);
            o.booleen("type", true);
            o.booleen("instance", false);
            o.tableau("parameter", |t| {
                for a in self.arguments {
                    t.objet(|o| {
                        o.texte("name", a.nom);
                        o.texte("use", "in");
                        o.entier("min", 0);
                        o.texte("max", if a.repete { "*" } else { "1" });
                        o.texte("documentation", &a.documentation());
                        o.texte("type", a.sorte);
                    });
                }
            });
        });
        Fiche { id, url, nom: self.nom_informatique.to_owned(), code: self.nom, bases: Vec::new(), corps }
    }
}

impl Argument {
    /// Description and example.
    pub fn documentation(&self) -> String {
        match self.exemple {
            "" => self.doc.to_owned(),
            e => format!("{} Exemple : {e}", self.doc),
        }
    }
}
