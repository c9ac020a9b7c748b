//! What the page of the reference shows. The template (`templates/reference.html`) escapes every
//! value and takes no decision.

use askama::Template;

use crate::{
    http::{
        CAPACITE, DIFFUSION, JETON,
        conformite::{
            definitions::{GENERAUX, General, PREFIXES, canonique},
            inclusions, lien,
            operations::{Operation, TOUTES},
        },
    },
    modele::TypeFhir,
    recherche::parametres::{self, Parametre, Relation},
    terminologie::{
        Genre,
        parametres::{self as nos, Operation as OperationNos},
    },
};

/// The page.
#[derive(Template)]
#[template(path = "reference.html")]
pub struct Reference {
    /// Version of the program.
    pub version: &'static str,
    /// Base of the reads.
    pub base: &'static str,
    /// Base of the capacity PATCH.
    pub capacite: &'static str,
    /// Token endpoint.
    pub jeton: &'static str,
    /// Whether the viewer is installed.
    pub lecteur: bool,
    /// Prefixes of ordered values.
    pub prefixes: String,
    /// Parameters of every search.
    pub generaux: &'static [General],
    /// Every value of `_include`.
    pub inclusions: String,
    /// The types.
    pub types: Vec<TypeVu>,
    /// Operations on the directory.
    pub operations: [&'static Operation; 2],
    /// The nomenclatures.
    pub nomenclatures: Vec<NomenclatureVue>,
}

/// One type.
pub struct TypeVu {
    /// Name.
    pub nom: &'static str,
    /// What it is.
    pub quoi: &'static str,
    /// A search that shows it.
    pub exemple: String,
    /// Its parameters.
    pub parametres: Vec<ParametreVu>,
    /// Links that leave it: name, type reached.
    pub liens: Vec<(&'static str, &'static str)>,
    /// Links that reach it, as `_revinclude` names them.
    pub inverses: Vec<String>,
}

/// One parameter.
pub struct ParametreVu {
    /// Name in the URL.
    pub nom: &'static str,
    /// FHIR search type.
    pub genre: &'static str,
    /// Description.
    pub doc: &'static str,
    /// Modifiers, with their colon.
    pub modificateurs: Vec<String>,
    /// A value that shows its form.
    pub exemple: &'static str,
    /// Canonical.
    pub canonique: String,
}

/// One type of nomenclatures.
pub struct NomenclatureVue {
    /// Name.
    pub nom: &'static str,
    /// Parameters: name, FHIR type, description.
    pub parametres: Vec<(&'static str, &'static str, &'static str)>,
    /// Operations.
    pub operations: Vec<&'static OperationNos>,
}

impl Reference {
    /// The page; `lecteur` tells whether the viewer is installed.
    pub fn nouvelle(lecteur: bool) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            base: DIFFUSION,
            capacite: CAPACITE,
            jeton: JETON,
            lecteur,
            prefixes: PREFIXES.join(", "),
            generaux: GENERAUX,
            inclusions: inclusions().join(", "),
            types: TypeFhir::TOUS.into_iter().map(type_vu).collect(),
            operations: TOUTES,
            nomenclatures: Genre::TOUS.into_iter().map(nomenclature).collect(),
        }
    }
}

fn type_vu(t: TypeFhir) -> TypeVu {
    let quoi = match t {
        TypeFhir::Organization => "Structures : entités juridiques, établissements, organisations internes",
        TypeFhir::HealthcareService => "Offres : qui prend en charge quel besoin",
        TypeFhir::Location => "Lieux, avec leurs capacités",
        TypeFhir::Practitioner => "Professionnels",
        TypeFhir::PractitionerRole => "Situations opérationnelles : qui exerce dans quelle offre",
    };
    let montre = match t {
        TypeFhir::Organization => "type",
        TypeFhir::HealthcareService | TypeFhir::PractitionerRole => "specialty",
        TypeFhir::Location => "near",
        TypeFhir::Practitioner => "identifier",
    };
    let exemple = parametres::trouver(t, montre)
        .map(|p| format!("GET {DIFFUSION}/{}?{}={}", t.nom(), p.nom, p.exemple))
        .unwrap_or_default();
    let sortants = Relation::TOUTES.into_iter().filter(|r| r.source() == t);
    TypeVu {
        nom: t.nom(),
        quoi,
        exemple,
        parametres: parametres::de_type(t).map(parametre_vu).collect(),
        liens: sortants.map(|r| (r.nom(), r.cible().nom())).collect(),
        inverses: parametres::vers(t).map(lien).collect(),
    }
}

fn parametre_vu(p: &'static Parametre) -> ParametreVu {
    ParametreVu {
        nom: p.nom,
        genre: p.genre.nom(),
        doc: p.doc,
        modificateurs: p.modificateurs().iter().map(|m| format!(":{m}")).collect(),
        exemple: p.exemple,
        canonique: canonique(p),
    }
}

fn nomenclature(g: Genre) -> NomenclatureVue {
    NomenclatureVue {
        nom: g.nom(),
        parametres: nos::de_genre(g).map(|p| (p.nom, p.sorte, p.doc)).collect(),
        operations: nos::operations_de(g).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_the_table_is_on_the_page() {
        let page = Reference::nouvelle(true).render().unwrap();
        for p in parametres::PARAMETRES {
            assert!(page.contains(&format!("id=\"{}.{}\"", p.type_fhir.nom(), p.nom)), "{}", p.nom);
        }
        for g in GENERAUX {
            assert!(page.contains(&format!("<code>{}</code>", g.nom)), "{}", g.nom);
        }
        for o in nos::OPERATIONS {
            assert!(page.contains(&format!("${}", o.nom)), "{}", o.nom);
        }
    }

    #[test]
    fn the_page_has_no_script_and_no_style_of_its_own() {
        let page = Reference::nouvelle(false).render().unwrap();
        for interdit in ["<script", "<style", " style=", " onclick=", "href=\"/reference\""] {
            assert!(!page.contains(interdit), "{interdit}");
        }
        assert!(page.contains("<html lang=\"fr\">") && page.matches("<h1>").count() == 1);
        assert!(page.contains("scope=\"col\"") && page.contains("<caption>"));
    }
}
