//! Capacities and communes of an activity.

use std::borrow::Cow;

use ror_proto::identity::v1::CapaciteFiness;

use super::super::json::{Carnet, Vue};

const CAPACITE: &[&str] = &[
    "idCapacite",
    "nombre",
    "precision",
    "variation",
    "activiteAeId",
    "engagementId",
    "habilitation",
    "statutCapacite",
    "modeFinancement",
    "uniteMesureCapacite",
    "typeLogement",
    "genre",
];

/// A line with one of these breaks a total down: adding it would count twice.
const VENTILATIONS: &[&str] = &["genre", "habilitation", "typeLogement", "modeFinancement"];

const ZONE: &[&str] = &["zoneInterventionAutoriseeId", "libelleZI", "activiteAeId", "communeZI"];
const COMMUNE: &[&str] = &["commune"];

/// The totals, ordered.
pub(super) fn lire_capacites(activite: &Vue<'_>, carnet: &mut Carnet) -> Vec<CapaciteFiness> {
    let mut capacites = Vec::new();
    for capacite in activite.vues("capacite", CAPACITE, carnet) {
        if VENTILATIONS.iter().any(|cle| !capacite.texte_vu(cle, carnet).is_empty()) {
            continue;
        }
        let Ok(nombre) = capacite.texte_vu("nombre", carnet).parse::<u32>() else {
            carnet.constater("capacite-illisible");
            continue;
        };
        capacites.push(CapaciteFiness {
            statut: capacite.texte("statutCapacite", carnet),
            unite: capacite.texte("uniteMesureCapacite", carnet),
            nombre,
        });
    }
    capacites.sort_by(|une, autre| {
        (&une.statut, &une.unite, une.nombre).cmp(&(&autre.statut, &autre.unite, autre.nombre))
    });
    capacites
}

/// The communes served, ordered, each once.
pub(super) fn lire_communes(activite: &Vue<'_>, carnet: &mut Carnet) -> Vec<String> {
    let zone = activite.sous("zoneIntervention", ZONE, carnet);
    let vues = zone.vues("communeZI", COMMUNE, carnet);
    let mut communes: Vec<_> = vues.iter().map(|vue| vue.texte_vu("commune", carnet)).collect();
    communes.retain(|commune| !commune.is_empty());
    communes.sort_unstable();
    communes.dedup();
    communes.into_iter().map(Cow::into_owned).collect()
}
