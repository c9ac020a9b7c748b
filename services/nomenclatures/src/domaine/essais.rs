//! Small nomenclatures for the tests.

use ror_proto::nomenclatures::v1::{Association, Concept, Nomenclature, Sorte};

use super::normaliser;

pub(crate) fn concept(code: &str, libelle: &str) -> Concept {
    Concept { code: code.into(), libelle: libelle.into(), ..Default::default() }
}

pub(crate) fn tre(version: &str, concepts: Vec<Concept>) -> Nomenclature {
    normaliser(Nomenclature {
        sorte: Sorte::Tre as i32,
        canonique: "urn:t".into(),
        version: version.into(),
        complete: true,
        concepts,
        ..Default::default()
    })
}

pub(crate) fn jdv(version: &str, membres: &[(&str, &str)]) -> Nomenclature {
    let membre =
        |(s, c): &(&str, &str)| Concept { systeme: (*s).into(), code: (*c).into(), ..Default::default() };
    normaliser(Nomenclature {
        sorte: Sorte::Jdv as i32,
        canonique: "urn:j".into(),
        version: version.into(),
        complete: true,
        concepts: membres.iter().map(membre).collect(),
        ..Default::default()
    })
}

pub(crate) fn ass(version: &str, paires: &[(&str, &str)]) -> Nomenclature {
    let paire = |(s, c): &(&str, &str)| Association {
        systeme_source: "urn:t".into(),
        code_source: (*s).into(),
        systeme_cible: "urn:u".into(),
        code_cible: (*c).into(),
        ..Default::default()
    };
    normaliser(Nomenclature {
        sorte: Sorte::Ass as i32,
        canonique: "urn:a".into(),
        version: version.into(),
        complete: true,
        associations: paires.iter().map(paire).collect(),
        ..Default::default()
    })
}
