//! Age of the last edition of each channel, measured; lateness, said once a day.

use std::{collections::BTreeMap, time::Duration};

use ror_chassis::{Contexte, Resultat, conversion::maintenant};
use ror_proto::identity::v1::Format;
use sqlx::PgPool;
use time::OffsetDateTime;

use super::{reglages::ReglageCanal, store};

/// Between two measures.
const MESURE: Duration = Duration::from_secs(60);
/// Between two warnings of a channel.
const RAPPEL: Duration = Duration::from_secs(24 * 3600);

/// Measures until the process stops.
pub(super) async fn surveiller(c: Contexte, canaux: Vec<ReglageCanal>) {
    let depart = maintenant();
    let mut avertis = BTreeMap::new();
    loop {
        for canal in &canaux {
            match derniere(c.magasin.pool(), canal).await {
                Ok(derniere) => dire(canal, derniere, depart, maintenant(), &mut avertis),
                Err(e) => {
                    tracing::warn!(channel = canal.canal.nom, error = %e, "age of the last edition unknown");
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(MESURE) => {}
            () = c.arret.cancelled() => return,
        }
    }
}

/// When the channel was last up to date. A delta that found nothing counts; an
/// edition whose bytes were already applied does not.
async fn derniere(pool: &PgPool, canal: &ReglageCanal) -> Resultat<Option<OffsetDateTime>> {
    if canal.canal.format == Format::AnnuaireFhir {
        return Ok(store::connu(pool, canal.canal.nom).await?.map(|c| c.reussie_le));
    }
    Ok(store::derniere_appliquee(pool, canal.canal.format).await?.map(|e| e.fin))
}

fn dire(
    canal: &ReglageCanal,
    derniere: Option<OffsetDateTime>,
    depart: OffsetDateTime,
    maintenant: OffsetDateTime,
    avertis: &mut BTreeMap<&'static str, OffsetDateTime>,
) {
    let nom = canal.canal.nom;
    if let Some(derniere) = derniere {
        let age = (maintenant - derniere).as_seconds_f64().max(0.0);
        metrics::gauge!("ror_registry_edition_age_seconds", "channel" => nom).set(age);
    }
    // Without any edition, the channel is late once it has been followed that long.
    let retard = en_retard(derniere.unwrap_or(depart), maintenant, canal.seuil);
    if !retard {
        avertis.remove(nom);
        return;
    }
    if avertis.get(nom).is_none_or(|dit| maintenant - *dit >= RAPPEL) {
        avertis.insert(nom, maintenant);
        tracing::warn!(
            channel = nom,
            threshold_hours = canal.seuil.as_secs() / 3600,
            last = %derniere.map(|d| d.to_string()).unwrap_or_default(),
            "registry edition late"
        );
    }
}

/// Whether what dates from `derniere` is older than the threshold.
pub(super) fn en_retard(derniere: OffsetDateTime, maintenant: OffsetDateTime, seuil: Duration) -> bool {
    maintenant - derniere > seuil
}
