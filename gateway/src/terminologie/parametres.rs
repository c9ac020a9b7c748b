//! What can be asked of the nomenclatures: one table for the reader, the engine and the
//! CapabilityStatement.

use super::{
    Genre, Terminologie,
    demande::Demande,
    operations::{self, Echec},
};

/// How a search parameter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lecture {
    /// Technical id.
    Id,
    /// OID.
    Identifiant,
    /// Computer name.
    Nom,
    /// Title.
    Titre,
    /// Publication status.
    Statut,
    /// Canonical.
    Url,
    /// Version.
    Version,
    /// A code it holds.
    Code,
    /// A code system it draws on.
    Systeme,
    /// Canonical that an association names at one end.
    Bout(Bout),
    /// Code system at one end of a pair.
    SystemeDe(Bout),
    /// Code at one end of a pair.
    CodeDe(Bout),
}

/// An end of an association.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bout {
    /// Where it starts.
    Source,
    /// Where it leads.
    Cible,
}

/// A search parameter.
#[derive(Debug)]
pub struct Parametre {
    /// Types it searches.
    pub genres: &'static [Genre],
    /// Name in the URL.
    pub nom: &'static str,
    /// FHIR search type.
    pub sorte: &'static str,
    /// How it is read.
    pub lecture: Lecture,
    /// French description.
    pub doc: &'static str,
}

const fn p(
    genres: &'static [Genre],
    nom: &'static str,
    sorte: &'static str,
    lecture: Lecture,
    doc: &'static str,
) -> Parametre {
    Parametre { genres, nom, sorte, lecture, doc }
}

const TOUS: &[Genre] = &Genre::TOUS;
const SYSTEME: &[Genre] = &[Genre::CodeSystem];
const JEU: &[Genre] = &[Genre::ValueSet];
const ASSOCIATION: &[Genre] = &[Genre::ConceptMap];

/// Every search parameter.
pub static PARAMETRES: &[Parametre] = &[
    p(TOUS, "_id", "token", Lecture::Id, "Identifiant technique."),
    p(TOUS, "identifier", "token", Lecture::Identifiant, "OID : urn:oid:1.2.250.1.213.3.3.1."),
    p(TOUS, "name", "string", Lecture::Nom, "Nom informatique ou son début, par exemple JDV_J17."),
    p(TOUS, "title", "string", Lecture::Titre, "Titre ou son début."),
    p(
        TOUS,
        "status",
        "token",
        Lecture::Statut,
        "Statut ; seules les versions publiées (active) sont diffusées.",
    ),
    p(TOUS, "url", "uri", Lecture::Url, "Canonique."),
    p(TOUS, "version", "token", Lecture::Version, "Version, toutes les versions publiées sont diffusées."),
    p(SYSTEME, "system", "uri", Lecture::Url, "Canonique, comme url."),
    p(SYSTEME, "code", "token", Lecture::Code, "Code que le système définit : code ou système|code."),
    p(JEU, "code", "token", Lecture::Code, "Code que le jeu de valeurs retient : code ou système|code."),
    p(JEU, "reference", "uri", Lecture::Systeme, "Système dont le jeu de valeurs retient des codes."),
    p(ASSOCIATION, "source", "reference", Lecture::Bout(Bout::Source), "Canonique de départ."),
    p(ASSOCIATION, "source-uri", "reference", Lecture::Bout(Bout::Source), "Canonique de départ."),
    p(ASSOCIATION, "source-system", "uri", Lecture::SystemeDe(Bout::Source), "Système des codes de départ."),
    p(ASSOCIATION, "source-code", "token", Lecture::CodeDe(Bout::Source), "Code de départ."),
    p(ASSOCIATION, "target", "reference", Lecture::Bout(Bout::Cible), "Canonique d'arrivée."),
    p(ASSOCIATION, "target-uri", "reference", Lecture::Bout(Bout::Cible), "Canonique d'arrivée."),
    p(ASSOCIATION, "target-system", "uri", Lecture::SystemeDe(Bout::Cible), "Système des codes d'arrivée."),
    p(ASSOCIATION, "target-code", "token", Lecture::CodeDe(Bout::Cible), "Code d'arrivée."),
];

/// Search parameters of a type.
pub fn de_genre(genre: Genre) -> impl Iterator<Item = &'static Parametre> {
    PARAMETRES.iter().filter(move |p| p.genres.contains(&genre))
}

/// How a parameter of an operation is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// Text, code or uri.
    Texte,
    /// dateTime, of which the day counts.
    Date,
    /// Boolean.
    Booleen,
    /// Integer from 0 to this.
    Entier(usize),
    /// Language: French only.
    Langue,
    /// Coding, in a body only.
    Codage,
    /// CodeableConcept, in a body only.
    Concept,
}

/// A parameter of an operation.
#[derive(Debug)]
pub struct Argument {
    /// Name.
    pub nom: &'static str,
    /// How it is read.
    pub nature: Nature,
    /// Whether it may be given several times.
    pub repete: bool,
}

const fn a(nom: &'static str, nature: Nature) -> Argument {
    Argument { nom, nature, repete: false }
}

/// An operation.
pub struct Operation {
    /// Type it is on.
    pub genre: Genre,
    /// Name, without `$`.
    pub nom: &'static str,
    /// Canonical of its definition.
    pub definition: &'static str,
    /// French description.
    pub doc: &'static str,
    /// Parameter that names the resource when the address does not.
    pub cible: &'static str,
    /// Parameter that names its version.
    pub version: &'static str,
    /// Whether the resource must be named.
    pub cible_requise: bool,
    /// Parameters.
    pub arguments: &'static [Argument],
    /// What it does.
    pub executer: fn(&Terminologie, &Demande) -> Result<Vec<u8>, Echec>,
}

impl Operation {
    /// The parameter of that name.
    pub fn argument(&self, nom: &str) -> Option<&'static Argument> {
        self.arguments.iter().find(|a| a.nom == nom)
    }
}

/// Most members of one answer of `$expand`.
pub const PAGE_MAX: usize = 1000;

/// Every operation.
pub static OPERATIONS: &[Operation] = &[
    Operation {
        genre: Genre::CodeSystem,
        nom: "lookup",
        definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
        doc: "Libellés, propriétés et validité d'un code à une date.",
        cible: "system",
        version: "version",
        cible_requise: true,
        arguments: &[
            a("code", Nature::Texte),
            a("system", Nature::Texte),
            a("version", Nature::Texte),
            a("coding", Nature::Codage),
            a("date", Nature::Date),
            a("displayLanguage", Nature::Langue),
            Argument { nom: "property", nature: Nature::Texte, repete: true },
        ],
        executer: operations::chercher,
    },
    Operation {
        genre: Genre::CodeSystem,
        nom: "validate-code",
        definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-validate-code",
        doc: "Dit si un code est valide à une date dans un système de codes.",
        cible: "url",
        version: "version",
        cible_requise: true,
        arguments: &[
            a("url", Nature::Texte),
            a("code", Nature::Texte),
            a("version", Nature::Texte),
            a("display", Nature::Texte),
            a("coding", Nature::Codage),
            a("codeableConcept", Nature::Concept),
            a("date", Nature::Date),
            a("displayLanguage", Nature::Langue),
        ],
        executer: operations::valider,
    },
    Operation {
        genre: Genre::ValueSet,
        nom: "validate-code",
        definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-validate-code",
        doc: "Dit si un code est dans un jeu de valeurs à une date ; <canonique de TRE>?vs nomme tout un système.",
        cible: "url",
        version: "valueSetVersion",
        cible_requise: true,
        arguments: &[
            a("url", Nature::Texte),
            a("valueSetVersion", Nature::Texte),
            a("code", Nature::Texte),
            a("system", Nature::Texte),
            a("display", Nature::Texte),
            a("coding", Nature::Codage),
            a("codeableConcept", Nature::Concept),
            a("date", Nature::Date),
            a("displayLanguage", Nature::Langue),
        ],
        executer: operations::valider,
    },
    Operation {
        genre: Genre::ValueSet,
        nom: "expand",
        definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
        doc: "Codes d'un jeu de valeurs à une date, dans l'ordre publié ; <canonique de TRE>?vs nomme tout un système. filter : chaque mot commence un mot d'un libellé, sans accents, ou le tout commence le code. activeOnly vaut true par défaut. Au-delà de 1000 codes, demandez des pages avec count et offset.",
        cible: "url",
        version: "valueSetVersion",
        cible_requise: true,
        arguments: &[
            a("url", Nature::Texte),
            a("valueSetVersion", Nature::Texte),
            a("filter", Nature::Texte),
            a("date", Nature::Date),
            a("offset", Nature::Entier(usize::MAX)),
            a("count", Nature::Entier(PAGE_MAX)),
            a("activeOnly", Nature::Booleen),
            a("includeDesignations", Nature::Booleen),
            a("includeDefinition", Nature::Booleen),
            // Expansions are always flat.
            a("excludeNested", Nature::Booleen),
            a("displayLanguage", Nature::Langue),
        ],
        executer: operations::deplier,
    },
    Operation {
        genre: Genre::ConceptMap,
        nom: "translate",
        definition: "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
        doc: "Codes associés à un code, par une table nommée ou par toutes celles en vigueur.",
        cible: "url",
        version: "conceptMapVersion",
        cible_requise: false,
        arguments: &[
            a("url", Nature::Texte),
            a("conceptMapVersion", Nature::Texte),
            a("code", Nature::Texte),
            a("system", Nature::Texte),
            a("coding", Nature::Codage),
            a("codeableConcept", Nature::Concept),
            a("source", Nature::Texte),
            a("target", Nature::Texte),
            a("targetsystem", Nature::Texte),
            a("reverse", Nature::Booleen),
        ],
        executer: operations::traduire,
    },
];

/// Operations of a type.
pub fn operations_de(genre: Genre) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(move |o| o.genre == genre)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_declared_twice_and_targets_are_parameters() {
        for genre in Genre::TOUS {
            let mut noms: Vec<&str> = de_genre(genre).map(|p| p.nom).collect();
            noms.extend(operations_de(genre).map(|o| o.nom));
            let declares = noms.len();
            noms.sort_unstable();
            noms.dedup();
            assert_eq!(noms.len(), declares, "{genre:?}");
        }
        for o in OPERATIONS {
            assert!(o.argument(o.cible).is_some() && o.argument(o.version).is_some(), "{}", o.nom);
        }
    }
}
