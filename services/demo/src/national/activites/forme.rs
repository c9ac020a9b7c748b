//! The keys of FINESS+ Activités, in the order of the real files. Fields bear the names of
//! the format.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::finess::forme::{Evenement, Nul};
use crate::national::donnees::NATURES;

/// A legal entity with its sites.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PmejActivites<'d> {
    pub num_finess: String,
    pub pm_smsse_id: String,
    pub activites_autorisees: Vec<Forme<'d>>,
    pub ege: Vec<EgeActivites<'d>>,
}

/// A site.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EgeActivites<'d> {
    pub ege_id: String,
    pub num_finess_ege: String,
    pub activites_exercees: Vec<Forme<'d>>,
}

/// An activity.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forme<'d> {
    pub caracteristiques_generiques: Generiques,
    pub nature: Nature<'d>,
    pub evenement: Vec<Evenement>,
    pub engagement: [(); 0],
    pub capacite: Vec<Capacite>,
    pub zone_intervention: Option<Zone>,
}

/// What every activity has; the last three keys are of one level each.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Generiques {
    pub activite_ae_id: String,
    pub etat_objet: &'static str,
    pub identifiant_autorisation: Option<String>,
    pub num_autorisation_arhgos: Option<String>,
    pub date_debut_activite_autorisee: String,
    pub date_fin_activite_autorisee: Option<String>,
    pub date_fin_effective_activite: Option<String>,
    pub date_caducite_autorisation: Nul,
    pub ege_id: Option<String>,
    #[serde(rename = "typeActiviteSMSSE")]
    pub type_activite: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pm_smsse_exploitante_id: Option<Nul>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ege_exploitante_id: Option<Nul>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ege_facturante: Option<Nul>,
}

/// Its nature.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Nature<'d> {
    pub code_nature: &'static str,
    pub caracteristiques_specifiques: Specifique<'d>,
}

/// Key of the typed block of each nature, and its own keys. The real files write AMSR
/// in that of the nature ASMR.
const BLOCS: [(&str, &[&str]); NATURES.len()] = [
    ("typeActiviteAMM", &["activiteAMM", "modaliteAMM", "mentionAMM", "ptsAMM", "declarationAMM"]),
    ("typeActiviteAMF", &["activiteAMF", "modaliteActivite", "formeActivite"]),
    ("typeActiviteAASA", &["activiteSanitaireRegulee", "modaliteActivite", "formeActivite"]),
    ("typeActiviteAMSR", &["activiteSocialeRegulee", "modeFonctionnement", "public"]),
    ("typeActiviteASOCR", &["activiteSocialeRegulee", "modeFonctionnement", "public"]),
    ("typeActiviteASDR", &["activiteSanitaireDiverseRegulee", "modeFonctionnement", "public"]),
    ("typeActiviteAER", &["activiteEnseignementRegulee", "modeFonctionnement", "public"]),
    ("typeActiviteEML", &["typeEmlId"]),
];

/// The id and the typed block.
pub struct Specifique<'d> {
    pub nature: usize,
    pub id: String,
    pub codes: &'d [&'static str],
}

impl Serialize for Specifique<'_> {
    fn serialize<S: Serializer>(&self, sortie: S) -> Result<S::Ok, S::Error> {
        let (bloc, cles) = BLOCS[self.nature];
        let mut objet = sortie.serialize_map(Some(2))?;
        objet.serialize_entry("activiteAeId", &self.id)?;
        objet.serialize_entry(bloc, &Codes { cles, codes: self.codes })?;
        objet.end()
    }
}

struct Codes<'d> {
    cles: &'static [&'static str],
    codes: &'d [&'static str],
}

impl Serialize for Codes<'_> {
    fn serialize<S: Serializer>(&self, sortie: S) -> Result<S::Ok, S::Error> {
        let mut objet = sortie.serialize_map(Some(self.cles.len()))?;
        for (cle, code) in self.cles.iter().zip(self.codes) {
            objet.serialize_entry(cle, code)?;
        }
        objet.end()
    }
}

/// A line of capacity.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Capacite {
    pub id_capacite: String,
    pub nombre: String,
    pub precision: Nul,
    pub variation: Nul,
    pub activite_ae_id: String,
    pub engagement_id: Nul,
    pub habilitation: Option<&'static str>,
    pub statut_capacite: &'static str,
    pub mode_financement: Nul,
    pub unite_mesure_capacite: &'static str,
    pub type_logement: Nul,
    pub genre: Option<&'static str>,
}

/// Where it is carried out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Zone {
    pub zone_intervention_autorisee_id: String,
    #[serde(rename = "libelleZI")]
    pub libelle: Nul,
    pub activite_ae_id: String,
    #[serde(rename = "communeZI")]
    pub communes: Vec<CommuneZone>,
}

/// A commune served.
#[derive(Serialize)]
pub struct CommuneZone {
    pub commune: &'static str,
}
