//! Every search parameter with its canonical: those of the directory, of the nomenclatures and of
//! the definitions themselves, from the tables that their readers execute. A canonical shared by
//! several types is one definition.

use std::sync::LazyLock;

use crate::{
    modele::TypeFhir,
    recherche::{
        parametres::{self as annuaire, Cible, Genre, Parametre},
        requete,
    },
    terminologie::parametres::{self as nomenclatures, Lecture},
};

/// Root of the search parameters of the standard.
pub const HL7: &str = "http://hl7.org/fhir/SearchParameter/";
/// Root of the search parameters of the ROR implementation guide.
pub const ROR: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/";

/// Prefixes of dates, numbers and quantities: those that are read.
pub const PREFIXES: [&str; requete::PREFIXES.len()] = {
    let mut noms = [""; requete::PREFIXES.len()];
    let mut rang = 0;
    while rang < noms.len() {
        noms[rang] = requete::PREFIXES[rang].0;
        rang += 1;
    }
    noms
};

/// A parameter that every search of the directory takes.
pub struct General {
    /// Name in the URL.
    pub nom: &'static str,
    /// FHIR search type.
    pub sorte: &'static str,
    /// Canonical, when one is published.
    pub definition: Option<&'static str>,
    /// Values, when they are a closed list.
    pub valeurs: &'static [&'static str],
    /// Whether it may be given again.
    pub repete: bool,
    /// French description.
    pub doc: &'static str,
    /// A value that shows its form.
    pub exemple: &'static str,
}

macro_rules! generaux {
    ($($nom:literal $sorte:literal $definition:expr, $valeurs:expr, $repete:literal, $doc:literal, $exemple:literal;)*) => {
        /// Parameters of every search of the directory.
        pub static GENERAUX: &[General] = &[$(General {
            nom: $nom, sorte: $sorte, definition: $definition, valeurs: $valeurs, repete: $repete, doc: $doc, exemple: $exemple,
        },)*];
    };
}

generaux! {
    "_filter" "special" Some("http://hl7.org/fhir/SearchParameter/Resource-filter"), &[], true, "Condition écrite dans la grammaire _filter de FHIR : and, or, not, parenthèses, chaînes, :above, _has. Elle s'ajoute aux autres critères.", "(_lastUpdated ge 2020-01-01 and _tag eq 52)";
    "_has" "special" Some("http://hl7.org/fhir/SearchParameter/Resource-has"), &[], true, "Critère sur une ressource qui renvoie à celle-ci : _has:<Type>:<lien>:<paramètre>=<valeur>.", "_has:PractitionerRole:service:role=60";
    "_include" "special" Some("http://hl7.org/fhir/SearchParameter/Resource-include"), &[], true, "Joint les ressources vers lesquelles mène un lien : <Type>:<lien>, <Type>:* ou *. Avec :iterate, aussi celles des ressources jointes.", "HealthcareService:location";
    "_revinclude" "special" Some("http://hl7.org/fhir/SearchParameter/Resource-revinclude"), &[], true, "Joint les ressources qui renvoient à celles trouvées : <Type>:<lien>. Avec :iterate, aussi à celles jointes.", "PractitionerRole:service";
    "_sort" "special" None, &[], false, "Ordre : paramètres séparés par des virgules, « - » devant pour décroître ; _score pour la pertinence, near pour la distance ; une chaîne de liens peut précéder le paramètre.", "-_lastUpdated";
    "_count" "number" Some("http://hl7.org/fhir/SearchParameter/Resource-count"), &[], false, "Ressources trouvées par page : 200 par défaut, 1000 au plus ; 0 pour le total seul.", "20";
    "_total" "token" None, &["none", "estimate", "accurate"], false, "Total des ressources trouvées, toujours exact ; none pour s'en passer.", "accurate";
    "_summary" "token" None, &["true", "text", "data", "count", "false"], false, "Forme abrégée des ressources ; count pour le total seul.", "true";
    "_elements" "special" None, &[], false, "Éléments de premier niveau à rendre, séparés par des virgules.", "identifier,name";
    "_format" "token" None, &["json", "xml", "application/fhir+json", "application/fhir+xml"], false, "Format de la réponse ; l'emporte sur l'en-tête Accept.", "json";
}

/// One search parameter.
pub struct Definition {
    /// Canonical.
    pub url: String,
    /// Name in the URL.
    pub code: &'static str,
    /// FHIR search type.
    pub sorte: &'static str,
    /// Types it searches, each with its description.
    pub bases: Vec<(&'static str, &'static str)>,
    /// FHIRPath of its elements.
    pub expressions: Vec<String>,
    /// A value that shows its form.
    pub exemple: &'static str,
    /// Modifiers, without their colon.
    pub modificateurs: Vec<&'static str>,
    /// Whether prefixes are read.
    pub prefixes: bool,
    /// Whether a comma parts alternatives.
    pub ou: bool,
    /// Types a reference leads to.
    pub cibles: Vec<&'static str>,
    /// Parameters that may follow it in a chain.
    pub chaines: Vec<&'static str>,
}

impl Definition {
    /// Logical id: the last segment of the canonical.
    pub fn id(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Computer name: the words of the id, joined.
    pub fn nom(&self) -> String {
        let mots = self.id().split(['-', '_']).filter(|m| !m.is_empty());
        mots.flat_map(|m| m.chars().next().into_iter().flat_map(char::to_uppercase).chain(m.chars().skip(1)))
            .collect()
    }

    /// What it is, type by type where the types differ.
    pub fn description(&self) -> String {
        let commune = self.bases.first().map(|(_, d)| *d).unwrap_or_default();
        if self.bases.iter().all(|(_, d)| *d == commune) {
            return commune.to_owned();
        }
        self.bases.iter().map(|(t, d)| format!("{t} : {d}")).collect::<Vec<_>>().join(" ")
    }
}

/// Canonical of a parameter of the directory.
pub fn canonique(p: &Parametre) -> String {
    let (t, nom) = (p.type_fhir, p.nom);
    if nom == "_text" {
        return format!("{HL7}DomainResource-text");
    }
    if let Some(commun) = nom.strip_prefix('_') {
        return format!("{HL7}Resource-{commun}");
    }
    if natifs(t).contains(&nom) {
        return format!("{HL7}{}-{nom}", t.nom());
    }
    match (t, nom) {
        (TypeFhir::Location, "commune-cog" | "near-insee-code") => format!("{ROR}ror-sp-location-{nom}"),
        (TypeFhir::Location, _) => format!("{ROR}ror-sp-{nom}"),
        _ => format!("{ROR}ror-sp-{}-{nom}", t.nom().to_lowercase()),
    }
}

/// Parameters of a type that the standard defines.
fn natifs(t: TypeFhir) -> &'static [&'static str] {
    match t {
        TypeFhir::Organization => &["identifier", "name", "type", "partof"],
        TypeFhir::HealthcareService => &[
            "identifier",
            "name",
            "service-category",
            "service-type",
            "specialty",
            "characteristic",
            "organization",
            "location",
        ],
        TypeFhir::Location => &[
            "identifier",
            "name",
            "type",
            "status",
            "operational-status",
            "address-postalcode",
            "address-city",
            "near",
            "organization",
            "partof",
        ],
        TypeFhir::Practitioner => &["identifier"],
        TypeFhir::PractitionerRole => {
            &["identifier", "role", "specialty", "practitioner", "service", "organization"]
        }
    }
}

/// Every definition, by canonical.
pub fn toutes() -> &'static [Definition] {
    static TOUTES: LazyLock<Vec<Definition>> = LazyLock::new(|| {
        let mut toutes: Vec<Definition> = Vec::new();
        let propres = annuaire::PARAMETRES.iter().map(de_annuaire);
        for d in propres.chain(de_nomenclatures()).chain(de_definitions()) {
            match toutes.iter_mut().find(|x| x.url == d.url) {
                Some(x) => fondre(x, d),
                None => toutes.push(d),
            }
        }
        toutes.sort_by(|a, b| a.url.cmp(&b.url));
        toutes
    });
    &TOUTES
}

/// Puts two definitions of one canonical together.
fn fondre(x: &mut Definition, d: Definition) {
    x.bases.extend(d.bases);
    for e in d.expressions {
        if !x.expressions.contains(&e) {
            x.expressions.push(e);
        }
    }
    // What holds for every type only.
    x.modificateurs.retain(|m| d.modificateurs.contains(m));
}

fn de_annuaire(p: &'static Parametre) -> Definition {
    let (cibles, chaines) = match p.cible {
        Cible::Reference(r) => (vec![r.cible().nom()], annuaire::de_type(r.cible()).map(|p| p.nom).collect()),
        _ => (Vec::new(), Vec::new()),
    };
    Definition {
        url: canonique(p),
        code: p.nom,
        sorte: p.genre.nom(),
        bases: vec![(p.type_fhir.nom(), p.doc)],
        expressions: vec![p.expression.to_owned()],
        exemple: p.exemple,
        modificateurs: p.modificateurs().to_vec(),
        prefixes: matches!(p.genre, Genre::Date | Genre::Number | Genre::Quantity),
        ou: !matches!(p.cible, Cible::Contenu | Cible::Narratif),
        cibles,
        chaines,
    }
}

fn de_nomenclatures() -> impl Iterator<Item = Definition> {
    nomenclatures::PARAMETRES.iter().flat_map(|p| {
        p.genres.iter().map(move |genre| {
            let t = genre.nom();
            let (url, expression) = match (p.lecture, p.nom, t) {
                (Lecture::Id, ..) => (format!("{HL7}Resource-id"), "Resource.id".to_owned()),
                (_, "system", _) => (format!("{HL7}CodeSystem-system"), "CodeSystem.url".to_owned()),
                (_, "code", "ValueSet") => (
                    format!("{HL7}ValueSet-code"),
                    "ValueSet.expansion.contains.code | ValueSet.compose.include.concept.code".to_owned(),
                ),
                (_, "code", _) => (format!("{HL7}CodeSystem-code"), "CodeSystem.concept.code".to_owned()),
                (_, "reference", _) => {
                    (format!("{HL7}ValueSet-reference"), "ValueSet.compose.include.system".to_owned())
                }
                (_, nom, "ConceptMap") if nom.starts_with("source") || nom.starts_with("target") => {
                    (format!("{HL7}ConceptMap-{nom}"), association(nom).to_owned())
                }
                (_, nom, _) => (format!("{HL7}conformance-{nom}"), format!("{t}.{nom}")),
            };
            Definition {
                url,
                code: p.nom,
                sorte: p.sorte,
                bases: vec![(t, p.doc)],
                expressions: vec![expression],
                exemple: "",
                modificateurs: match p.lecture {
                    Lecture::Nom | Lecture::Titre => vec!["contains", "exact"],
                    _ => Vec::new(),
                },
                prefixes: false,
                ou: true,
                cibles: match (p.sorte, t) {
                    ("reference", "ConceptMap") => vec!["ValueSet"],
                    _ => Vec::new(),
                },
                chaines: Vec::new(),
            }
        })
    })
}

/// Element of a parameter of the associations.
fn association(nom: &str) -> &'static str {
    match nom {
        "source" => "(ConceptMap.source as Reference)",
        "source-uri" => "(ConceptMap.source as uri)",
        "source-system" => "ConceptMap.group.source",
        "source-code" => "ConceptMap.group.element.code",
        "target" => "(ConceptMap.target as Reference)",
        "target-uri" => "(ConceptMap.target as uri)",
        "target-system" => "ConceptMap.group.target",
        _ => "ConceptMap.group.element.target.code",
    }
}

/// Parameters that the definitions themselves are searched by: name, FHIR type, description. The
/// last is of SearchParameter only.
static PROPRES: [(&str, &str, &str); 5] = [
    ("_id", "token", "Identifiant technique."),
    ("url", "uri", "Canonique."),
    ("name", "string", "Nom informatique ou son début."),
    ("code", "token", "Nom dans l'URL."),
    ("base", "token", "Type auquel le paramètre s'applique."),
];

/// Types of the definitions.
pub const TYPES_PROPRES: [&str; 2] = ["SearchParameter", "OperationDefinition"];

/// The parameters of one of them.
pub fn propres_de(t: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    if t == TYPES_PROPRES[0] { &PROPRES } else { &PROPRES[..4] }
}

/// Canonical of a parameter of the definitions.
pub fn propre(t: &str, nom: &str) -> String {
    match nom {
        "_id" => format!("{HL7}Resource-id"),
        "url" | "name" => format!("{HL7}conformance-{nom}"),
        _ => format!("{HL7}{t}-{nom}"),
    }
}

fn de_definitions() -> impl Iterator<Item = Definition> {
    TYPES_PROPRES.into_iter().flat_map(|t| {
        propres_de(t).iter().map(move |&(nom, sorte, doc)| Definition {
            url: propre(t, nom),
            code: nom,
            sorte,
            bases: vec![(t, doc)],
            expressions: vec![if nom == "_id" { "Resource.id".to_owned() } else { format!("{t}.{nom}") }],
            exemple: "",
            modificateurs: if nom == "name" { vec!["contains", "exact"] } else { Vec::new() },
            prefixes: false,
            ou: true,
            cibles: Vec::new(),
            chaines: Vec::new(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonicals_are_the_published_ones() {
        let de = |t, nom| annuaire::trouver(t, nom).map(canonique).unwrap_or_default();
        for (t, nom, attendu) in [
            (TypeFhir::Location, "_tag", "http://hl7.org/fhir/SearchParameter/Resource-tag"),
            (TypeFhir::Organization, "_text", "http://hl7.org/fhir/SearchParameter/DomainResource-text"),
            (TypeFhir::Location, "near", "http://hl7.org/fhir/SearchParameter/Location-near"),
            (
                TypeFhir::HealthcareService,
                "service-type",
                "http://hl7.org/fhir/SearchParameter/HealthcareService-service-type",
            ),
            (
                TypeFhir::Location,
                "nb-capacity",
                "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-nb-capacity",
            ),
            (
                TypeFhir::Location,
                "commune-cog",
                "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-location-commune-cog",
            ),
            (
                TypeFhir::Organization,
                "special-price",
                "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-organization-special-price",
            ),
            (
                TypeFhir::HealthcareService,
                "age-range-low",
                "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-healthcareservice-age-range-low",
            ),
        ] {
            assert_eq!(de(t, nom), attendu);
        }
        // What reads an extension is never of the standard.
        for p in annuaire::PARAMETRES {
            assert_eq!(
                p.expression.contains("extension"),
                !canonique(p).starts_with(HL7) && !sans_extension(p)
            );
        }
    }

    fn sans_extension(p: &Parametre) -> bool {
        matches!(p.nom, "near-insee-code" | "notavailable-closing-reopeningdate")
    }

    #[test]
    fn every_definition_is_one_resource_with_a_valid_id() {
        let mut ids: Vec<&str> = toutes().iter().map(Definition::id).collect();
        let nombre = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), nombre, "two canonicals give one id");
        for d in toutes() {
            assert!(
                d.id().len() <= 64 && d.id().bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
            );
            assert!(d.nom().starts_with(char::is_uppercase) && d.nom().chars().all(char::is_alphanumeric));
            assert!(!d.bases.is_empty() && !d.expressions.is_empty() && !d.description().is_empty());
        }
        let id = toutes().iter().find(|d| d.id() == "Resource-id").unwrap();
        assert_eq!(id.bases.len(), 5 + 3 + 2);
        assert_eq!(id.expressions, ["Resource.id"]);
        let zone = toutes().iter().find(|d| d.id() == "HealthcareService-organization").unwrap();
        assert!(zone.chaines.contains(&"price-type") && zone.modificateurs == ["above", "missing"]);
    }
}
