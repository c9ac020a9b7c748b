//! A record of FINESS written over a structure: what FINESS owns, and nothing else.

use ror_domaine::{
    identifiants::{Finess, id_ej, id_nat_struct_finess},
    liaisons::{TRE_CANAL, TRE_CATEGORIE, TRE_ESPIC, TRE_FERMETURE, TRE_NIVEAU, TRE_STATUT_JURIDIQUE},
};
use ror_proto::{
    common::v1::{Code, Meta, Telecommunication},
    identity::v1::StructureFiness,
    structures::v1::{
        CorrectionAdresse, EntiteGeographique, EntiteJuridique, Structure, structure::Ressource as R,
    },
};

use super::successions::Successions;
use crate::domaine::accordee;

/// The structure as FINESS now describes it, under the id it has here.
pub(super) fn structure(
    s: &StructureFiness,
    id: &str,
    present: Option<&Structure>,
    successions: &Successions,
) -> Structure {
    let present = present.and_then(|p| p.ressource.as_ref());
    let ressource = if s.entite_juridique {
        R::EntiteJuridique(entite_juridique(s, id, present, successions))
    } else {
        R::EntiteGeographique(entite_geographique(s, id, present, successions))
    };
    Structure { ressource: Some(ressource) }
}

fn entite_juridique(
    s: &StructureFiness,
    id: &str,
    present: Option<&R>,
    successions: &Successions,
) -> EntiteJuridique {
    let mut e = match present {
        Some(R::EntiteJuridique(p)) => p.clone(),
        _ => EntiteJuridique { meta: s.meta.clone(), telecommunications: telecoms(s), ..Default::default() },
    };
    meta(&mut e.meta, id, s);
    renumeroter(&mut e.num_finess, &mut e.finess_anterieurs, s, successions);
    corriger(&mut e.correction_adresse, s);
    e.id_nat_struct = id_nat_struct(s);
    e.num_siren.clone_from(&s.siren);
    e.raison_sociale.clone_from(&s.denomination);
    e.complement_raison_sociale.clone_from(&s.complement);
    e.statut_juridique = code(TRE_STATUT_JURIDIQUE, &s.statut_juridique);
    e.date_creation.clone_from(&s.date_ouverture);
    e.date_fermeture.clone_from(&s.date_fermeture);
    e.type_fermeture = fermeture(s);
    e.adresse.clone_from(&s.adresse);
    e.commune_cog.clone_from(&s.commune_cog);
    e
}

fn entite_geographique(
    s: &StructureFiness,
    id: &str,
    present: Option<&R>,
    successions: &Successions,
) -> EntiteGeographique {
    let mut e = match present {
        Some(R::EntiteGeographique(p)) => p.clone(),
        _ => {
            EntiteGeographique { meta: s.meta.clone(), telecommunications: telecoms(s), ..Default::default() }
        }
    };
    meta(&mut e.meta, id, s);
    renumeroter(&mut e.num_finess, &mut e.finess_anterieurs, s, successions);
    corriger(&mut e.correction_adresse, s);
    e.entite_juridique_id = successions.tenu(&s.num_finess_ej).unwrap_or_else(|| id_ej(&s.num_finess_ej));
    e.id_nat_struct = id_nat_struct(s);
    e.num_siren.clone_from(&s.siren);
    e.num_siret.clone_from(&s.siret);
    e.denomination.clone_from(&s.denomination);
    e.complement_denomination.clone_from(&s.complement);
    e.categorie = code(TRE_CATEGORIE, &s.categorie);
    e.modalite_participation_sph = code(TRE_ESPIC, &s.espic);
    e.date_ouverture.clone_from(&s.date_ouverture);
    e.date_fermeture.clone_from(&s.date_fermeture);
    e.type_fermeture = fermeture(s);
    e.adresse.clone_from(&s.adresse);
    e.commune_cog.clone_from(&s.commune_cog);
    // A position refined in the ROR is better than FINESS's; one that FINESS lost is better than none.
    if !e.position_affinee && s.position.is_some() {
        e.position = s.position;
    }
    e
}

fn code(systeme: &str, code: &str) -> Option<Code> {
    (!code.is_empty()).then(|| Code { systeme: systeme.to_owned(), code: code.to_owned() })
}

fn fermeture(s: &StructureFiness) -> Option<Code> {
    let type_fermeture = match s.type_fermeture.as_str() {
        "HORS_CHAMP" => "CHP",
        autre => autre,
    };
    code(TRE_FERMETURE, type_fermeture)
}

fn id_nat_struct(s: &StructureFiness) -> String {
    Finess::lire_delivre(&s.num_finess).map(|(f, _)| id_nat_struct_finess(&f)).unwrap_or_default()
}

/// Phone and e-mail are pre-filled once; the ROR owns them afterwards.
fn telecoms(s: &StructureFiness) -> Vec<Telecommunication> {
    [("2", &s.telephone), ("3", &s.courriel)]
        .into_iter()
        .filter(|(_, adresse)| (1..=255).contains(&adresse.len()))
        .map(|(canal, adresse)| Telecommunication {
            canal: code(TRE_CANAL, canal),
            adresse: adresse.clone(),
            utilisation: String::new(),
            niveau_confidentialite: code(TRE_NIVEAU, "1"),
        })
        .collect()
}

/// The number in force; those it succeeds stay beside it.
fn renumeroter(
    num_finess: &mut String,
    anterieurs: &mut Vec<String>,
    s: &StructureFiness,
    successions: &Successions,
) {
    let accepte = successions.tenu(&s.num_finess).is_some();
    let precedent = if accepte { s.finess_precedent.as_str() } else { "" };
    for ancien in [num_finess.as_str(), precedent] {
        if !ancien.is_empty() && ancien != s.num_finess && !anterieurs.iter().any(|a| a == ancien) {
            anterieurs.push(ancien.to_owned());
        }
    }
    num_finess.clone_from(&s.num_finess);
}

/// A correction ends when FINESS gives what it asked for.
fn corriger(correction: &mut Option<CorrectionAdresse>, s: &StructureFiness) {
    if correction.as_ref().is_some_and(|c| accordee(c, s.adresse.as_ref(), &s.commune_cog)) {
        *correction = None;
    }
}

/// The commune commands the region; the creation date is that of the first load.
fn meta(m: &mut Option<Meta>, id: &str, s: &StructureFiness) {
    let m = m.get_or_insert_default();
    id.clone_into(&mut m.id);
    if let Some(source) = s.meta.as_ref().filter(|source| !source.region.is_empty()) {
        m.region.clone_from(&source.region);
    }
}
