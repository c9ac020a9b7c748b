//! Structures that contradict themselves or their EJ: anomalies with both values,
//! the record being kept as it is. The readers count the same contradictions
//! (`etat-et-date-fermeture-divergents`, `eg-active-sous-ej-inactive`); here each
//! one is told for one structure.

use ror_proto::identity::v1::{Anomalie, StructureFiness};

use super::Sujet;

/// What is wrong with a structure of an edition. `ej` is the EJ of a site, of the
/// same edition or known before; `None` says that nobody knows it (a legal entity
/// has none). Id, edition, line and date of the anomalies are left to the caller.
#[must_use]
pub fn structure(s: &StructureFiness, ej: Option<&StructureFiness>) -> Vec<Anomalie> {
    let trouvees = if s.entite_juridique {
        [fermee_sans_date(s), ouverte_mais_datee(s), cessation(s)]
    } else {
        [fermee_sans_date(s), ouverte_mais_datee(s), rattachement(s, ej)]
    };
    trouvees.into_iter().flatten().collect()
}

/// A number delivered twice by one edition. `None` when the numbers differ.
#[must_use]
pub fn doublon(premiere: &StructureFiness, seconde: &StructureFiness) -> Option<Anomalie> {
    (premiere.num_finess == seconde.num_finess).then(|| Anomalie {
        champ: "num_finess".to_owned(),
        valeur_connue: situer(premiere),
        valeur_recue: situer(seconde),
        ..Sujet::structure(premiere).anomalie("numero-en-double", "Un numéro FINESS est fourni deux fois.")
    })
}

fn fermee_sans_date(s: &StructureFiness) -> Option<Anomalie> {
    if s.type_fermeture.is_empty() || !s.date_fermeture.is_empty() {
        return None;
    }
    Some(Anomalie {
        champ: "date_fermeture".to_owned(),
        valeur_connue: s.type_fermeture.clone(),
        ..Sujet::structure(s).anomalie("fermee-sans-date", "Une structure fermée l'est sans date.")
    })
}

/// A closing date after the date of the record announces a closure.
fn ouverte_mais_datee(s: &StructureFiness) -> Option<Anomalie> {
    let maj = s.date_maj_source.get(..10).unwrap_or_default();
    let annoncee = !maj.is_empty() && s.date_fermeture.as_str() > maj;
    if !s.type_fermeture.is_empty() || s.date_fermeture.is_empty() || annoncee {
        return None;
    }
    Some(Anomalie {
        champ: "date_fermeture".to_owned(),
        valeur_connue: "ouverte".to_owned(),
        valeur_recue: s.date_fermeture.clone(),
        ..Sujet::structure(s)
            .anomalie("ouverte-avec-date-de-fermeture", "Une structure active a une date de fermeture.")
    })
}

/// INSEE told that an open legal entity ceased: a warning, not a closure.
fn cessation(s: &StructureFiness) -> Option<Anomalie> {
    let date = s.evenements.iter().filter(|e| e.code == "004").map(|e| e.date.as_str()).max()?;
    if !s.type_fermeture.is_empty() {
        return None;
    }
    Some(Anomalie {
        champ: "evenements".to_owned(),
        valeur_connue: "ouverte".to_owned(),
        valeur_recue: format!("004 {date}").trim_end().to_owned(),
        ..Sujet::structure(s)
            .anomalie("cessation-insee", "L'INSEE a déclaré la cessation d'une entité juridique active.")
    })
}

fn rattachement(s: &StructureFiness, ej: Option<&StructureFiness>) -> Option<Anomalie> {
    let sujet = Sujet::structure(s);
    let Some(ej) = ej else {
        return Some(Anomalie {
            champ: "num_finess_ej".to_owned(),
            valeur_recue: s.num_finess_ej.clone(),
            ..sujet.anomalie("ej-absente", "L'entité juridique d'un site est inconnue.")
        });
    };
    if !s.type_fermeture.is_empty() || ej.type_fermeture.is_empty() {
        return None;
    }
    Some(Anomalie {
        champ: "num_finess_ej".to_owned(),
        valeur_connue: "ouvert".to_owned(),
        valeur_recue: format!("{} {} {}", ej.num_finess, ej.type_fermeture, ej.date_fermeture)
            .trim_end()
            .to_owned(),
        ..sujet.anomalie("eg-active-sous-ej-inactive", "Un site actif dépend d'une entité inactive.")
    })
}

/// Where a number was found.
fn situer(s: &StructureFiness) -> String {
    let nom = &s.denomination;
    if s.entite_juridique {
        format!("entité juridique « {nom} »")
    } else {
        format!("site « {nom} » de {}", s.num_finess_ej)
    }
}

#[cfg(test)]
mod tests;
