//! The keys of FINESS+ Structures, in the order of the real files. Fields bear the
//! names of the format.

use serde::Serialize;

/// A key that is always null in the files we produce.
pub type Nul = Option<()>;

/// A legal entity and its sites.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pmej {
    #[serde(rename = "informationsGeneralesPMEJ")]
    pub informations: InfosPm,
    pub adresse: Vec<Adresse>,
    pub contact: Vec<Contact>,
    pub engagement: Vec<()>,
    pub evenement: Vec<Evenement>,
    pub ege: Vec<Ege>,
    pub etat_objet: &'static str,
    pub date_derniere_maj: String,
}

/// What is told of a legal entity.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InfosPm {
    pub pm_smsse_id: String,
    pub code_ape: Option<&'static str>,
    pub complement_adresse_pm_smsse: Nul,
    pub date_creation: String,
    pub date_fermeture: Option<String>,
    pub denomination_longue_pm_smsse: String,
    pub denomination_pm: String,
    pub num_finess_pm: String,
    pub fonction_publique: Option<&'static str>,
    #[serde(rename = "categorieentiteGeographiqueExercice")]
    pub categorie: Nul,
    pub siren: Option<String>,
    pub statut_juridique: &'static str,
    pub type_groupe_gco: Nul,
    pub type_personne_morale: &'static str,
}

/// A site.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ege {
    #[serde(rename = "informationsGeneralesEGE")]
    pub informations: InfosEge,
    #[serde(rename = "categorieentiteGeographiqueExercice")]
    pub categorie: &'static str,
    #[serde(rename = "modefixationtarifaire")]
    pub mft: &'static str,
    pub type_budget: [&'static str; 1],
    pub adresse: Vec<Adresse>,
    pub contact: Vec<Contact>,
    pub engagement: Vec<()>,
    pub evenement: Vec<Evenement>,
    pub role_ege: Vec<RoleEge>,
    pub etat_objet: &'static str,
    pub date_derniere_maj: String,
}

/// What is told of a site.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InfosEge {
    pub ege_id: String,
    pub complement_denomination_eg: Nul,
    pub date_fermeture: Option<String>,
    pub date_ouverture: String,
    pub date_premiere_autorisation: String,
    pub nom_ege_court: String,
    pub nom_ege_long: String,
    pub numero_education_nationale: Nul,
    pub numero_reference_externe: Nul,
    pub num_finess_ege: String,
    pub espic: Option<[&'static str; 1]>,
    pub siret: Option<String>,
}

/// An address.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Adresse {
    pub usage_adresse: &'static str,
    pub numero_voie: String,
    pub type_voie: &'static str,
    pub libelle_voie: &'static str,
    pub complement_voie: Nul,
    pub complement_point_geographique: Nul,
    pub lieu_dit: Nul,
    pub cog_commune: &'static str,
    pub ligne_acheminement: &'static str,
    pub ligne_une: Nul,
    pub ligne_deux: Nul,
    pub ligne_trois: Nul,
    pub ligne_quatre: String,
    pub ligne_cinq: Nul,
    pub ligne_six: Nul,
    pub code_postal: &'static str,
    pub coordonnees_geographique: Option<Coordonnees>,
}

/// A position: degrees, then metres of the national projection.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coordonnees {
    pub coordonnee_x: String,
    pub coordonnee_y: String,
    pub direction_latitude: String,
    pub direction_longitude: String,
    #[serde(rename = "cleInInteropBAN")]
    pub cle_ban: String,
    #[serde(rename = "scoreBAN")]
    pub score_ban: &'static str,
}

/// A contact.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    pub type_contact: TypeContact,
    pub telecom: Telecom,
}

/// Kind of contact.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypeContact {
    pub role_contact: &'static str,
}

/// How to reach it.
#[derive(Serialize)]
pub struct Telecom {
    pub telephone: String,
    pub telecopie: Nul,
    pub courriel: Nul,
}

/// An event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evenement {
    pub evenement_id: String,
    pub date_enregistrement: &'static str,
    pub date_evenement: String,
    pub etat_objet1: Option<&'static str>,
    pub identifiant_objet1: String,
    pub identifiant_objet2: Option<String>,
    pub systeme_maitre: &'static str,
    pub type_objet1: &'static str,
    pub type_objet2: Option<&'static str>,
    pub code_evenement: &'static str,
}

/// Attachment of a secondary site.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleEge {
    pub id_ege_non_porteuse: String,
    pub id_ege_porteuse: String,
    pub role_relation_ege: &'static str,
}
