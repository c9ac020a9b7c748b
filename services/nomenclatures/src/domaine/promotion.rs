//! From a regional code system to a national one: the national edition with the new
//! codes, and the association from the regional codes to the national ones.

use std::collections::{HashMap, HashSet};

use ror_chassis::erreur::faute;
use ror_proto::{
    common::v1::{Canal, Faute},
    nomenclatures::v1::{
        Association, CodePromu, Concept, EtatEdition, Nomenclature, PromoteRegionalRequest, Sorte,
    },
};

use super::{nom, normaliser, utilisable};

/// What a promotion makes.
#[derive(Debug)]
pub struct Promotion {
    /// The national edition.
    pub nationale: Nomenclature,
    /// The association.
    pub association: Nomenclature,
    /// Codes new in the national edition.
    pub ajoutes: u32,
}

/// The promotion of a regional code system, content given, at an ISO date. `nationale` is
/// the current national version, content included, when there is one.
pub fn promouvoir(
    r: &PromoteRegionalRequest,
    regionale: &Nomenclature,
    nationale: Option<&Nomenclature>,
    jour: &str,
) -> Result<Promotion, Vec<Faute>> {
    let fautes = controler(r, regionale, nationale, jour);
    if !fautes.is_empty() {
        return Err(fautes);
    }
    let etat = match r.etat() {
        EtatEdition::Publiee => EtatEdition::Publiee,
        _ => EtatEdition::Brouillon,
    };
    let mut edition = nationale.cloned().unwrap_or_else(|| Nomenclature {
        sorte: Sorte::Tre as i32,
        canonique: r.canonique_national.clone(),
        nom: r.nom.clone(),
        oid: r.oid.clone(),
        complete: true,
        valide_du: date_de_version(&r.version),
        ..Default::default()
    });
    edition.version.clone_from(&r.version);
    edition.etat = etat as i32;
    let sources: HashMap<&str, &Concept> = regionale.concepts.iter().map(|c| (c.code.as_str(), c)).collect();
    let mut connus: HashSet<String> = edition.concepts.iter().map(|c| c.code.clone()).collect();
    let mut ajoutes = 0;
    for p in &r.codes {
        if let Some(source) = sources.get(p.code_regional.as_str())
            && connus.insert(code_national(p).to_owned())
        {
            edition.concepts.push(nouveau(p, source, &date_de_version(&r.version)));
            ajoutes += 1;
        }
    }
    let association = associer(r, regionale, &edition, etat);
    Ok(Promotion { nationale: normaliser(edition), association: normaliser(association), ajoutes })
}

fn code_national(p: &CodePromu) -> &str {
    if p.code_national.is_empty() { &p.code_regional } else { &p.code_national }
}

fn nouveau(p: &CodePromu, source: &Concept, depuis: &str) -> Concept {
    Concept {
        systeme: String::new(),
        code: code_national(p).to_owned(),
        libelle: if p.libelle.is_empty() { source.libelle.clone() } else { p.libelle.clone() },
        statut: source.statut.clone(),
        valide_du: depuis.to_owned(),
        valide_au: String::new(),
        date_maj: depuis.to_owned(),
        ..source.clone()
    }
}

fn associer(
    r: &PromoteRegionalRequest,
    regionale: &Nomenclature,
    nationale: &Nomenclature,
    etat: EtatEdition,
) -> Nomenclature {
    Nomenclature {
        sorte: Sorte::Ass as i32,
        canonique: canonique_association(r),
        version: r.version.clone(),
        nom: format!("ASS_{}-{}", nom(regionale), nom(nationale)),
        complete: true,
        valide_du: date_de_version(&r.version),
        etat: etat as i32,
        source: regionale.canonique.clone(),
        cible: nationale.canonique.clone(),
        associations: r
            .codes
            .iter()
            .map(|p| Association {
                systeme_source: regionale.canonique.clone(),
                code_source: p.code_regional.clone(),
                systeme_cible: nationale.canonique.clone(),
                code_cible: code_national(p).to_owned(),
                equivalence: if p.equivalence.is_empty() {
                    "equivalent".into()
                } else {
                    p.equivalence.clone()
                },
                commentaire: String::new(),
            })
            .collect(),
        ..Default::default()
    }
}

/// Canonical of the association a promotion makes.
pub fn canonique_association(r: &PromoteRegionalRequest) -> String {
    if r.canonique_association.is_empty() {
        format!("{}/promotion", r.canonique)
    } else {
        r.canonique_association.clone()
    }
}

/// The ISO date of a 14-digit version.
fn date_de_version(version: &str) -> String {
    match (version.get(..4), version.get(4..6), version.get(6..8)) {
        (Some(annee), Some(mois), Some(jour)) => format!("{annee}-{mois}-{jour}"),
        _ => String::new(),
    }
}

fn controler(
    r: &PromoteRegionalRequest,
    regionale: &Nomenclature,
    nationale: Option<&Nomenclature>,
    jour: &str,
) -> Vec<Faute> {
    let mut f = Vec::new();
    if regionale.sorte() != Sorte::Tre || regionale.region.is_empty() {
        let message = format!("{} n'est pas une TRE régionale.", nom(regionale));
        f.push(faute("canonique", "non-regionale", message, "une TRE nommée RR<région>-…"));
    }
    if r.provenance.as_ref().is_some_and(|p| p.canal() == Canal::Regional) {
        let message = "Une région ne promeut pas elle-même ses codes.";
        f.push(faute("provenance", "canal", message, "l'opérateur national"));
    }
    if r.version.len() != 14 || !r.version.bytes().all(|b| b.is_ascii_digit()) {
        let message = format!("La version « {} » n'est pas un horodatage.", r.version);
        f.push(faute("version", "forme", message, "14 chiffres AAAAMMJJhhmmss"));
    }
    match nationale {
        Some(n) if n.sorte() != Sorte::Tre || !n.region.is_empty() => {
            let message = format!("{} n'est pas une TRE nationale.", nom(n));
            f.push(faute("canonique_national", "non-nationale", message, "le canonique d'une TRE nationale"));
        }
        Some(n) if n.version.len() == 14 && n.version >= r.version => {
            let message = format!("La version {} n'est pas après la version {}.", r.version, n.version);
            f.push(faute("version", "ordre", message, "un horodatage plus récent"));
        }
        None if r.canonique_national.trim().is_empty() || r.nom.trim().is_empty() => {
            let message = "La TRE nationale à créer n'a pas de canonique ou de nom.";
            f.push(faute("canonique_national", "obligatoire", message, "canonique_national et nom"));
        }
        _ => {}
    }
    controler_codes(r, regionale, jour, &mut f);
    f
}

fn controler_codes(r: &PromoteRegionalRequest, regionale: &Nomenclature, jour: &str, f: &mut Vec<Faute>) {
    let connus: HashSet<&str> = regionale.concepts.iter().map(|c| c.code.as_str()).collect();
    let mut nommes = HashSet::new();
    for (rang, p) in r.codes.iter().enumerate() {
        let element = format!("codes[{rang}].code_regional");
        let code = p.code_regional.as_str();
        if !connus.contains(code) {
            let message = format!("Le code « {code} » n'est pas dans {}.", nom(regionale));
            f.push(faute(&element, "code-inconnu", message, "un code de la TRE régionale"));
        } else if !nommes.insert(code) {
            let message = format!("Le code « {code} » est répété.");
            f.push(faute(&element, "doublon", message, "chaque code une fois"));
        }
    }
    let oublies =
        regionale.concepts.iter().filter(|c| utilisable(c, jour) && !nommes.contains(c.code.as_str()));
    for c in oublies.take(100) {
        let message = format!("Le code « {} » ({}) n'a pas de correspondance.", c.code, c.libelle);
        f.push(faute("codes", "code-sans-correspondance", message, "ce que devient chaque code utilisable"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{essais::*, regles::valider};

    const JOUR: &str = "2026-11-21";

    fn regionale() -> Nomenclature {
        let fini = Concept { valide_au: "2020-01-01".into(), ..concept("09", "Fini") };
        Nomenclature {
            nom: "RR52-Secteurs".into(),
            region: "52".into(),
            canonique: "urn:rr52".into(),
            ..tre("1", vec![concept("01", "Un"), concept("02", "Deux"), fini])
        }
    }

    fn promu(regional: &str, national: &str) -> CodePromu {
        CodePromu { code_regional: regional.into(), code_national: national.into(), ..Default::default() }
    }

    fn demande(codes: Vec<CodePromu>) -> PromoteRegionalRequest {
        PromoteRegionalRequest {
            canonique: "urn:rr52".into(),
            canonique_national: "urn:t".into(),
            version: "20261201120000".into(),
            nom: "TRE_N-Secteurs".into(),
            codes,
            ..Default::default()
        }
    }

    #[test]
    fn new_codes_are_added_and_all_are_associated() {
        let nationale = tre("20250101120000", vec![concept("A", "Existant")]);
        let d = demande(vec![promu("01", "A"), promu("02", "")]);
        let p = promouvoir(&d, &regionale(), Some(&nationale), JOUR).unwrap();
        let codes: Vec<_> =
            p.nationale.concepts.iter().map(|c| (c.code.as_str(), c.libelle.as_str())).collect();
        assert_eq!((codes, p.ajoutes), (vec![("A", "Existant"), ("02", "Deux")], 1));
        assert_eq!(p.nationale.concepts[1].valide_du, "2026-12-01");
        assert_eq!(p.nationale.etat(), EtatEdition::Brouillon);
        let paires: Vec<_> = p
            .association
            .associations
            .iter()
            .map(|a| (a.code_source.as_str(), a.code_cible.as_str()))
            .collect();
        assert_eq!(paires, [("01", "A"), ("02", "02")]);
        assert_eq!(p.association.canonique, "urn:rr52/promotion");
        assert!(valider(&p.nationale).is_empty() && valider(&p.association).is_empty());
        let neuve =
            promouvoir(&demande(vec![promu("01", ""), promu("02", "")]), &regionale(), None, JOUR).unwrap();
        assert_eq!((neuve.nationale.nom.as_str(), neuve.ajoutes), ("TRE_N-Secteurs", 2));
    }

    #[test]
    fn every_fault_of_a_promotion_is_told() {
        let regles = |d: &PromoteRegionalRequest, r: &Nomenclature, n: Option<&Nomenclature>| {
            promouvoir(d, r, n, JOUR).unwrap_err().into_iter().map(|f| f.regle).collect::<Vec<_>>()
        };
        let d = demande(vec![promu("01", ""), promu("01", ""), promu("77", "")]);
        assert_eq!(regles(&d, &regionale(), None), ["doublon", "code-inconnu", "code-sans-correspondance"]);
        let tous = demande(vec![promu("01", ""), promu("02", "")]);
        let recente = tre("20270101120000", vec![concept("A", "A")]);
        assert_eq!(regles(&tous, &regionale(), Some(&recente)), ["ordre"]);
        let sans_nom = PromoteRegionalRequest { nom: String::new(), version: "1".into(), ..tous.clone() };
        assert_eq!(regles(&sans_nom, &regionale(), None), ["forme", "obligatoire"]);
        let nationale = Nomenclature { region: String::new(), ..regionale() };
        assert_eq!(regles(&tous, &nationale, None), ["non-regionale"]);
    }
}
