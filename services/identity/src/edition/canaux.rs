//! State of the channels, as the editions tell it.

use std::time::Duration;

use ror_chassis::{
    Resultat,
    conversion::{horodatage, maintenant},
};
use ror_proto::identity::v1::{EtatCanal, Format};
use sqlx::PgPool;

use crate::{
    store::editions,
    synchro::{CANAUX, CanalSuivi},
};

const FORMATS: [Format; 9] = [
    Format::FinessStructures,
    Format::FinessActivites,
    Format::FinessCsv,
    Format::FinessXml,
    Format::RppsPersonneActivite,
    Format::RppsSavoirFaire,
    Format::RppsDiplomes,
    Format::RppsRestreint,
    Format::AnnuaireFhir,
];

/// Age of the last edition above which a channel is late.
fn seuil(format: Format) -> Duration {
    let heures = CANAUX.iter().find(|c| c.format == format).map_or(48, |c| c.retard_h);
    Duration::from_secs(heures * 3600)
}

/// One entry a format met or scheduled.
///
/// # Errors
///
/// Those of the database.
pub async fn etat_des_canaux(pool: &PgPool, suivis: &[CanalSuivi]) -> Resultat<Vec<EtatCanal>> {
    let lus = editions::canaux(pool).await?;
    let maintenant = maintenant().unix_timestamp();
    let mut etats = Vec::new();
    for format in FORMATS {
        let du_format = |e: &&ror_proto::identity::v1::Edition| e.format == format as i32;
        let derniere = lus.appliquees.iter().find(du_format).cloned();
        let en_cours = lus.en_cours.iter().find(du_format).cloned();
        let retenues: Vec<_> = lus.retenues.iter().filter(du_format).cloned().collect();
        let suivi = suivis.iter().find(|s| s.format == format);
        if derniere.is_none() && en_cours.is_none() && retenues.is_empty() && suivi.is_none() {
            continue;
        }
        let fin = derniere.as_ref().and_then(|e| e.fin);
        let age_s = fin.map_or(0, |fin| u64::try_from(maintenant - fin.seconds).unwrap_or(0));
        etats.push(EtatCanal {
            format: format as i32,
            derniere,
            age_s,
            en_retard: age_s > suivi.map_or(seuil(format), |s| s.seuil).as_secs(),
            en_cours,
            retenues,
            source: suivi.map(|s| s.source.clone()).unwrap_or_default(),
            prochaine: suivi.and_then(|s| s.prochaine).map(horodatage),
            dernier_echec: suivi.map(|s| s.dernier_echec.clone()).unwrap_or_default(),
        });
    }
    Ok(etats)
}
