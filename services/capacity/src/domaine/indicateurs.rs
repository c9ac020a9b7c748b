//! Which tuples of codes name an indicator.
//!
//! The ANS keeps a closed catalogue of indicators in a document that is not public.
//! This table is our reading of the code lists, to be replaced by the catalogue the day
//! it can be read:
//!
//! * a gender says who may take an available bed (02), nothing else;
//! * a kind of closure belongs to closed beds (05);
//! * a kind of supplementary bed and a kind of crisis belong to supplementary beds (06);
//! * what is available, closed or supplementary can be foreseen; what is installed,
//!   occupied or reserved is only told as it stands (temporality 01).

use ror_domaine::{
    controle::Controle,
    liaisons::{self, Liaison},
};
use ror_proto::{capacity::v1::CleIndicateur, common::v1::Code};

/// Rule named when a tuple is not an indicator.
pub const REGLE: &str = "indicateur-invalide";
/// The temporality of the present moment.
pub const COURANT: &str = "01";
/// Status: installed.
pub const INSTALLE: &str = "01";
/// Status: available.
pub const DISPONIBLE: &str = "02";
/// Status: occupied.
pub const OCCUPE: &str = "03";
/// Status: reserved.
pub const RESERVE: &str = "04";
/// Status: closed.
pub const FERME: &str = "05";
/// Status: supplementary.
pub const SUPPLEMENTAIRE: &str = "06";

/// What one status admits beside it.
struct Admis {
    statut: &'static str,
    prevision: bool,
    genre: bool,
    fermeture: bool,
    supplementaire: bool,
}

const fn admis(statut: &'static str) -> Admis {
    Admis { statut, prevision: false, genre: false, fermeture: false, supplementaire: false }
}

const CATALOGUE: [Admis; 6] = [
    admis(INSTALLE),
    Admis { prevision: true, genre: true, ..admis(DISPONIBLE) },
    admis(OCCUPE),
    admis(RESERVE),
    Admis { prevision: true, fermeture: true, ..admis(FERME) },
    Admis { prevision: true, supplementaire: true, ..admis(SUPPLEMENTAIRE) },
];

/// Why a tuple is not an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ecart {
    /// French sentence.
    pub message: String,
    /// What would be accepted.
    pub attendu: &'static str,
}

/// The tuple in its order: the identity of an indicator.
pub fn tuple(c: &CleIndicateur) -> [&str; 7] {
    [
        &c.statut,
        &c.temporalite,
        &c.genre,
        &c.type_fermeture,
        &c.type_lit_supplementaire,
        &c.type_crise,
        &c.affectation_temporaire,
    ]
}

/// The tuple for people, `null` for what is absent.
pub fn decrire(c: &CleIndicateur) -> String {
    const NOMS: [&str; 7] = [
        "statutCapacite",
        "temporaliteCapacite",
        "genreCapaciteDispo",
        "typeFermetureCapacite",
        "typeLitSupplementaire",
        "typeCrise",
        "affectationTemporaire",
    ];
    NOMS.iter()
        .zip(tuple(c))
        .map(|(nom, code)| format!("{nom} {}", if code.is_empty() { "null" } else { code }))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Where the tuple leaves the catalogue; a missing status is told by [`controler`].
pub fn ecarts(c: &CleIndicateur) -> Vec<Ecart> {
    if c.statut.is_empty() {
        return Vec::new();
    }
    let Some(a) = CATALOGUE.iter().find(|a| a.statut == c.statut) else {
        let message = format!("Aucun indicateur n'a le statut « {} ».", c.statut);
        return vec![Ecart { message, attendu: "un statut de 01 à 06" }];
    };
    let prevision = if c.temporalite == COURANT { "" } else { c.temporalite.as_str() };
    [
        (a.prevision, "la temporalité", prevision, "la temporalité 01, ou le statut 02, 05 ou 06"),
        (a.genre, "le genre", c.genre.as_str(), "aucun genre, ou le statut 02"),
        (
            a.fermeture,
            "le type de fermeture",
            c.type_fermeture.as_str(),
            "aucun type de fermeture, ou le statut 05",
        ),
        (
            a.supplementaire,
            "le type de lit supplémentaire",
            c.type_lit_supplementaire.as_str(),
            "aucun type de lit supplémentaire, ou le statut 06",
        ),
        (a.supplementaire, "le type de crise", c.type_crise.as_str(), "aucun type de crise, ou le statut 06"),
    ]
    .into_iter()
    .filter(|(permis, _, code, _)| !permis && !code.is_empty())
    .map(|(_, nom, code, attendu)| Ecart {
        message: format!("Le statut « {} » n'admet pas {nom} « {code} » : {}.", c.statut, decrire(c)),
        attendu,
    })
    .collect()
}

/// Checks the codes of a tuple, then the tuple; `ici` is its path.
pub fn controler(c: &mut Controle<'_>, ici: &str, cle: &CleIndicateur) {
    use liaisons as l;
    let codes = [
        ("statut", l::STATUT_CAPACITE, l::TRE_STATUT_CAPACITE, &cle.statut, true),
        ("temporalite", l::TEMPORALITE_CAPACITE, l::TRE_TEMPORALITE_CAPACITE, &cle.temporalite, true),
        ("genre", l::GENRE_CAPACITE, l::TRE_GENRE_CAPACITE, &cle.genre, false),
        ("type_fermeture", l::FERMETURE_CAPACITE, l::TRE_FERMETURE_CAPACITE, &cle.type_fermeture, false),
        (
            "type_lit_supplementaire",
            l::LIT_SUPPLEMENTAIRE,
            l::TRE_LIT_SUPPLEMENTAIRE,
            &cle.type_lit_supplementaire,
            false,
        ),
        ("type_crise", l::TYPE_CRISE, l::TRE_TYPE_CRISE, &cle.type_crise, false),
        (
            "affectation_temporaire",
            l::AFFECTATION_TEMPORAIRE,
            l::TRE_AFFECTATION,
            &cle.affectation_temporaire,
            true,
        ),
    ];
    for (nom, liaison, systeme, code, requis) in codes {
        controler_code(c, &sous(ici, nom), liaison, systeme, code, requis);
    }
    for e in ecarts(cle) {
        c.refuser(ici, REGLE, e.message, e.attendu);
    }
}

/// Checks one code of a capacity record; the wire carries codes alone, their system is known.
pub fn controler_code(
    c: &mut Controle<'_>,
    element: &str,
    liaison: Liaison,
    systeme: &str,
    code: &str,
    requis: bool,
) {
    let code = (!code.is_empty()).then(|| Code { systeme: systeme.to_owned(), code: code.to_owned() });
    c.code(element, liaison, code.as_ref(), requis);
}

/// The path of `nom` below `ici`.
pub fn sous(ici: &str, nom: &str) -> String {
    if ici.is_empty() { nom.to_owned() } else { format!("{ici}.{nom}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::tests::cle;

    #[test]
    fn each_status_admits_its_own_attributes_and_no_other() {
        type Pose = fn(&mut CleIndicateur);
        let attributs: [(Pose, &[&str]); 5] = [
            (|c| c.temporalite = "03".into(), &["02", "05", "06"]),
            (|c| c.genre = "01".into(), &["02"]),
            (|c| c.type_fermeture = "01".into(), &["05"]),
            (|c| c.type_lit_supplementaire = "01".into(), &["06"]),
            (|c| c.type_crise = "02".into(), &["06"]),
        ];
        for statut in ["01", "02", "03", "04", "05", "06"] {
            assert!(ecarts(&cle(statut)).is_empty(), "{statut} alone is an indicator");
            for (rang, (poser, statuts)) in attributs.iter().enumerate() {
                let mut c = cle(statut);
                poser(&mut c);
                assert_eq!(
                    ecarts(&c).is_empty(),
                    statuts.contains(&statut),
                    "status {statut}, attribute {rang}"
                );
            }
        }
        assert_eq!(ecarts(&cle("07")).len(), 1);
    }

    #[test]
    fn an_absent_member_is_told_as_null() {
        let texte = decrire(&cle("02"));
        assert!(
            texte.starts_with("statutCapacite 02, temporaliteCapacite 01, genreCapaciteDispo null"),
            "{texte}"
        );
    }
}
