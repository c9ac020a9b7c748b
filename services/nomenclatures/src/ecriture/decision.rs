//! What a write decides once it sees the present state.

use prost::Message;
use ror_chassis::{
    conversion::{horodatage, maintenant},
    erreur::faute,
    magasin::{Decision, Ligne, refuse},
};
use ror_domaine::{ressource::id_nomenclature, vocabulaire::Rang};
use ror_proto::{
    common::v1::{Canal, Faute, Meta, Provenance},
    nomenclatures::v1::{EtatEdition, Nomenclature, PromoteRegionalRequest, PromoteRegionalResponse},
};

use crate::{
    domaine::{
        self,
        gouvernance::{self, Autour},
    },
    index::Index,
};

/// Where a version loaded now would stand.
pub(super) fn rang_a_naitre(n: &Nomenclature) -> Rang {
    Rang::de(&Nomenclature {
        version: n.version.clone(),
        meta: Some(Meta { date_maj: Some(horodatage(maintenant())), ..Default::default() }),
        ..Default::default()
    })
}

/// What is known around a version.
pub(super) fn autour<'a>(
    index: &'a Index,
    n: &Nomenclature,
    reference: Option<&'a Nomenclature>,
) -> Autour<'a> {
    Autour {
        presente: index.entete(&n.canonique, &n.version).map(|e| &e.nomenclature),
        parente: index.versions(&n.canonique).next().map(|e| &e.nomenclature),
        reference,
    }
}

/// Who writes: the operator, when nobody is named.
pub(super) fn provenance(p: Option<Provenance>) -> Provenance {
    p.filter(|p| p.canal() != Canal::Unspecified).unwrap_or_else(|| Provenance {
        canal: Canal::Referentiel as i32,
        auteur: "nomenclatures".to_owned(),
        ..Default::default()
    })
}

/// Loads a version over the present state.
pub(super) fn charger(
    n: &Nomenclature,
    presente: Option<&Ligne>,
    courante: Option<&Nomenclature>,
) -> Decision {
    let etat = domaine::etat(n, presente, courante);
    let retiree = |l: &&Ligne| {
        Nomenclature::decode(l.etat.clone()).is_ok_and(|p| p.etat() == EtatEdition::Retiree) && l.etat != etat
    };
    if presente.filter(retiree).is_some() {
        return Decision::Refuser(vec![gouvernance::version_retiree()]);
    }
    Decision::Ecrire { region: n.region.clone(), etat, identifiants: None }
}

/// Changes the stored header of a version; an equal one writes nothing.
pub(super) fn modifier(
    presente: Option<&Ligne>,
    changer: impl Fn(&mut Nomenclature) -> Result<(), Faute>,
) -> Decision {
    let Some(mut n) = presente.and_then(|l| Nomenclature::decode(l.etat.clone()).ok()) else {
        let message = "Cette version est inconnue ou illisible.";
        return Decision::Refuser(vec![faute("version", "introuvable", message, "une version connue")]);
    };
    match changer(&mut n) {
        Ok(()) => {
            Decision::Ecrire { region: n.region.clone(), etat: n.encode_to_vec().into(), identifiants: None }
        }
        Err(f) => Decision::Refuser(vec![f]),
    }
}

/// The answer to a promotion that breaks rules.
pub(super) fn promotion_refusee(r: &PromoteRegionalRequest, fautes: Vec<Faute>) -> PromoteRegionalResponse {
    let id = id_nomenclature(&r.canonique_national, &r.version);
    PromoteRegionalResponse { resultats: vec![refuse(&id, 0, fautes)], ..Default::default() }
}
