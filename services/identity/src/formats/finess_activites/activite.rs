//! An activity and its state.

use ror_proto::identity::v1::{ActiviteFiness, StatutActivite};

use super::super::faute;
use super::super::json::{Carnet, Evenement, Vue, dernier, lire_evenements};
use super::capacite::{lire_capacites, lire_communes};
use super::nature::lire_nature;

const ACTIVITE: &[&str] =
    &["caracteristiquesGeneriques", "nature", "evenement", "engagement", "capacite", "zoneIntervention"];

const GENERIQUES: &[&str] = &[
    "activiteAeId",
    "etatObjet",
    "identifiantAutorisation",
    "numAutorisationArhgos",
    "dateDebutActiviteAutorisee",
    "dateFinActiviteAutorisee",
    "dateFinEffectiveActivite",
    "dateCaduciteAutorisation",
    "egeId",
    "typeActiviteSMSSE",
    "pmSmsseExploitanteId",
    "egeExploitanteId",
    "egeFacturante",
];

/// Withdrawal, end of installation, withdrawal of an exercised activity, caducité.
const FINS: &[&str] = &["013", "015", "028", "029"];

/// The activities of a list of a structure, ordered; faults go to the notebook.
pub(super) fn lire_activites(vue: &Vue<'_>, liste: &'static str, carnet: &mut Carnet) -> Vec<ActiviteFiness> {
    let vues = vue.vues(liste, ACTIVITE, carnet);
    let mut activites: Vec<ActiviteFiness> =
        vues.iter().map(|activite| lire_activite(activite, carnet)).collect();
    activites.sort_by(|une, autre| ordre(une).cmp(&ordre(autre)));
    let lues = activites.len();
    activites.dedup();
    for _ in activites.len()..lues {
        carnet.constater("activite-en-double");
    }
    activites
}

/// The id first; the rest only when the same id comes twice.
fn ordre(activite: &ActiviteFiness) -> ([&str; 7], i32) {
    let textes = [
        activite.identifiant.as_str(),
        activite.nature.as_str(),
        activite.activite.as_str(),
        activite.modalite.as_str(),
        activite.forme.as_str(),
        activite.public.as_str(),
        activite.identifiant_autorisation.as_str(),
    ];
    (textes, activite.statut)
}

fn lire_activite(vue: &Vue<'_>, carnet: &mut Carnet) -> ActiviteFiness {
    let generiques = vue.sous("caracteristiquesGeneriques", GENERIQUES, carnet);
    let identifiant = generiques.texte("activiteAeId", carnet);
    if identifiant.is_empty() {
        carnet.ajouter_faute(faute(
            &generiques.chemin("activiteAeId"),
            "identifiant-absent",
            "L'activité n'a pas d'identifiant.",
            "L'identifiant de l'activité dans FINESS",
        ));
    }
    let evenements = lire_evenements(vue, carnet);
    let statut = lire_statut(&generiques.texte_vu("etatObjet", carnet), &evenements, carnet);
    let nature = lire_nature(vue, carnet);
    ActiviteFiness {
        identifiant,
        nature: nature.code,
        activite: nature.activite,
        modalite: nature.modalite,
        forme: nature.forme,
        public: nature.public,
        identifiant_autorisation: generiques.texte("identifiantAutorisation", carnet),
        num_arhgos: generiques.texte("numAutorisationArhgos", carnet),
        date_debut: generiques.date("dateDebutActiviteAutorisee", carnet),
        date_fin: generiques.date("dateFinActiviteAutorisee", carnet),
        date_fin_effective: lire_fin_effective(&generiques, statut, &evenements, carnet),
        statut: statut as i32,
        capacites: lire_capacites(vue, carnet),
        communes: lire_communes(vue, carnet),
    }
}

fn lire_statut(etat: &str, evenements: &[Evenement<'_>], carnet: &mut Carnet) -> StatutActivite {
    let dernier_est = |codes: &[&str]| dernier(evenements, codes).map(|evenement| &*evenement.code);
    match etat {
        "I" => StatutActivite::Inactive,
        "A" if dernier_est(&["026", "027"]) == Some("026") => StatutActivite::Suspendue,
        "A" if dernier_est(&["012", "015"]) == Some("012") => StatutActivite::MiseEnOeuvre,
        "A" => StatutActivite::Autorisee,
        _ => {
            carnet.constater("etat-activite-inconnu");
            StatutActivite::Unspecified
        }
    }
}

/// The date FINESS gives; for an activity that ended without one, the date it
/// lapsed or that of its latest end. A date of caducité of an activity still
/// there is only a threat.
fn lire_fin_effective(
    generiques: &Vue<'_>,
    statut: StatutActivite,
    evenements: &[Evenement<'_>],
    carnet: &mut Carnet,
) -> String {
    let dite = generiques.date("dateFinEffectiveActivite", carnet);
    let caducite = generiques.date_vue("dateCaduciteAutorisation", carnet);
    if !dite.is_empty() || statut != StatutActivite::Inactive {
        return dite;
    }
    if !caducite.is_empty() {
        return caducite.into_owned();
    }
    dernier(evenements, FINS).map(|fin| fin.jour.clone().into_owned()).unwrap_or_default()
}
