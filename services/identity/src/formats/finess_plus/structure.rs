//! From a `pmej` element to the records of a legal entity and of its sites.

use ror_domaine::identifiants::{Finess, IdentifiantInvalide, Siren, Siret, id_eg, id_ej};
use ror_domaine::territoire::region_de_commune;
use ror_proto::common::v1::Meta;
use ror_proto::identity::v1::StructureFiness;
use serde_json::Value;

use super::super::faute;
use super::adresse::{Porteur, lire_adresses};
use super::fermeture::lire_fermeture;
use super::vue::{Carnet, Vue};

const PMEJ: &[&str] = &[
    "informationsGeneralesPMEJ",
    "adresse",
    "contact",
    "engagement",
    "evenement",
    "ege",
    "etatObjet",
    "dateDerniereMaj",
];

const INFORMATIONS_PMEJ: &[&str] = &[
    "pmSmsseId",
    "codeApe",
    "complementAdressePmSmsse",
    "dateCreation",
    "dateFermeture",
    "denominationLonguePmSmsse",
    "denominationPm",
    "numFinessPm",
    "fonctionPublique",
    "categorieentiteGeographiqueExercice",
    "siren",
    "statutJuridique",
    "typeGroupeGco",
    "typePersonneMorale",
];

const EGE: &[&str] = &[
    "informationsGeneralesEGE",
    "categorieentiteGeographiqueExercice",
    "modefixationtarifaire",
    "typeBudget",
    "adresse",
    "contact",
    "engagement",
    "evenement",
    "roleEge",
    "etatObjet",
    "dateDerniereMaj",
];

const INFORMATIONS_EGE: &[&str] = &[
    "egeId",
    "complementDenominationEg",
    "dateFermeture",
    "dateOuverture",
    "datePremiereAutorisation",
    "nomEgeCourt",
    "nomEgeLong",
    "numeroEducationNationale",
    "numeroReferenceExterne",
    "numFinessEge",
    "espic",
    "siret",
];

const CONTACT: &[&str] = &["typeContact", "telecom"];
const TELECOM: &[&str] = &["telephone", "telecopie", "courriel"];

/// A legal entity and its sites, not yet read.
pub(super) struct Entite<'v> {
    /// The record.
    pub(super) structure: StructureFiness,
    /// True when open.
    pub(super) active: bool,
    /// Its sites.
    pub(super) sites: &'v [Value],
}

/// A site.
pub(super) struct Site {
    /// The record.
    pub(super) structure: StructureFiness,
    /// True when open.
    pub(super) active: bool,
    /// How many addresses it has.
    pub(super) adresses: u64,
    /// How many have no coordinates.
    pub(super) sans_coordonnees: u64,
}

/// Reads a legal entity; faults go to the notebook.
pub(super) fn lire_pmej<'v>(valeur: &'v Value, chemin: &str, jour: &str, carnet: &mut Carnet) -> Entite<'v> {
    let vue = vue_requise(valeur, chemin, PMEJ, carnet);
    let infos = vue.sous("informationsGeneralesPMEJ", INFORMATIONS_PMEJ, carnet);
    let num_finess = lire_finess(&infos, "numFinessPm", carnet);
    let active = lire_etat(&vue, carnet);
    let date = infos.date("dateFermeture", carnet);
    let fermeture = lire_fermeture(&vue, active, date, &["002", "005", "020"], jour, carnet);
    let adresses = lire_adresses(&vue, Porteur::Ej, carnet);
    let denomination = lire_nom(&infos, "denominationLonguePmSmsse", "denominationPm", carnet);
    let siren = avertir(infos.texte("siren", carnet), Siren::lire_delivre, carnet);
    let structure = StructureFiness {
        meta: Some(lire_meta(id_ej(&num_finess), &adresses.commune, carnet)),
        num_finess,
        entite_juridique: true,
        num_finess_ej: String::new(),
        siren,
        siret: String::new(),
        denomination,
        complement: infos.texte("complementAdressePmSmsse", carnet),
        statut_juridique: infos.texte("statutJuridique", carnet),
        categorie: String::new(),
        espic: String::new(),
        date_ouverture: infos.date("dateCreation", carnet),
        date_fermeture: fermeture.date,
        type_fermeture: fermeture.genre.to_owned(),
        adresse: adresses.principale,
        commune_cog: adresses.commune,
        position: adresses.position,
        telephone: lire_telephone(&vue, carnet),
        date_maj_source: vue.instant("dateDerniereMaj", carnet),
    };
    Entite { structure, active: fermeture.active, sites: vue.liste("ege", carnet) }
}

/// Reads a site of the legal entity `ej`; faults go to the notebook.
pub(super) fn lire_ege(valeur: &Value, chemin: &str, ej: &str, jour: &str, carnet: &mut Carnet) -> Site {
    let vue = vue_requise(valeur, chemin, EGE, carnet);
    let infos = vue.sous("informationsGeneralesEGE", INFORMATIONS_EGE, carnet);
    let num_finess = lire_finess(&infos, "numFinessEge", carnet);
    let active = lire_etat(&vue, carnet);
    let date = infos.date("dateFermeture", carnet);
    let fermeture = lire_fermeture(&vue, active, date, &["005", "038"], jour, carnet);
    let adresses = lire_adresses(&vue, Porteur::Eg, carnet);
    let denomination = lire_nom(&infos, "nomEgeLong", "nomEgeCourt", carnet);
    let siret = avertir(infos.texte("siret", carnet), Siret::lire_delivre, carnet);
    let structure = StructureFiness {
        meta: Some(lire_meta(id_eg(&num_finess), &adresses.commune, carnet)),
        num_finess,
        entite_juridique: false,
        num_finess_ej: ej.to_owned(),
        siren: String::new(),
        siret,
        denomination,
        complement: infos.texte("complementDenominationEg", carnet),
        statut_juridique: String::new(),
        categorie: vue.texte("categorieentiteGeographiqueExercice", carnet),
        espic: infos.premier_texte("espic", carnet),
        date_ouverture: infos.date("dateOuverture", carnet),
        date_fermeture: fermeture.date,
        type_fermeture: fermeture.genre.to_owned(),
        adresse: adresses.principale,
        commune_cog: adresses.commune,
        position: adresses.position,
        telephone: lire_telephone(&vue, carnet),
        date_maj_source: vue.instant("dateDerniereMaj", carnet),
    };
    Site {
        structure,
        active: fermeture.active,
        adresses: adresses.nombre,
        sans_coordonnees: adresses.sans_coordonnees,
    }
}

/// The element itself may not be null.
fn vue_requise<'v>(valeur: &'v Value, chemin: &str, cles: &[&str], carnet: &mut Carnet) -> Vue<'v> {
    let vue = Vue::nouvelle(valeur, chemin, cles, carnet);
    if valeur.is_null() {
        carnet.ajouter_faute(faute(chemin, "forme-inattendue", "L'élément est vide.", "un objet"));
    }
    vue
}

fn lire_finess(infos: &Vue<'_>, cle: &str, carnet: &mut Carnet) -> String {
    let brut = infos.texte(cle, carnet);
    match Finess::lire_delivre(&brut) {
        Ok((lu, avertissement)) => {
            if avertissement.is_some() {
                carnet.constater("finess-cle-invalide");
            }
            lu.to_string()
        }
        Err(invalide) => {
            carnet.ajouter_faute(faute(
                &infos.chemin(cle),
                invalide.regle,
                &invalide.message,
                invalide.attendu,
            ));
            String::new()
        }
    }
}

fn lire_etat(vue: &Vue<'_>, carnet: &mut Carnet) -> bool {
    match vue.texte("etatObjet", carnet).as_str() {
        "A" => true,
        "I" => false,
        _ => {
            carnet.ajouter_faute(faute(
                &vue.chemin("etatObjet"),
                "etat-inconnu",
                "L'état de la structure est absent ou inconnu.",
                "A (active) ou I (inactive)",
            ));
            false
        }
    }
}

fn lire_nom(infos: &Vue<'_>, long: &str, court: &str, carnet: &mut Carnet) -> String {
    let nom = infos.texte(long, carnet);
    let nom = if nom.is_empty() { infos.texte(court, carnet) } else { nom };
    if nom.is_empty() {
        carnet.ajouter_faute(faute(
            &infos.chemin(long),
            "denomination-absente",
            "La structure n'a ni dénomination longue ni dénomination courte.",
            "Un texte",
        ));
    }
    nom
}

/// Keeps a number whatever its key, and counts what is wrong; only the filling
/// value is treated as absent.
fn avertir<T>(
    brut: String,
    lire: impl Fn(&str) -> Result<(T, Option<IdentifiantInvalide>), IdentifiantInvalide>,
    carnet: &mut Carnet,
) -> String {
    if brut.is_empty() {
        return brut;
    }
    let invalide = match lire(&brut) {
        Ok((_, None)) => return brut,
        Ok((_, Some(avertissement))) => avertissement,
        Err(invalide) => invalide,
    };
    carnet.constater(invalide.regle);
    if invalide.regle == "siret-fictif" {
        return String::new();
    }
    brut
}

fn lire_meta(id: String, commune: &str, carnet: &mut Carnet) -> Meta {
    let region = region_de_commune(commune);
    if region.is_none() && !commune.is_empty() {
        carnet.constater("commune-sans-region");
    }
    Meta { id, region: region.unwrap_or_default().to_owned(), ..Meta::default() }
}

/// The first phone of the first contact that has one.
fn lire_telephone(vue: &Vue<'_>, carnet: &mut Carnet) -> String {
    for contact in vue.vues("contact", CONTACT, carnet) {
        let telecom = contact.sous("telecom", TELECOM, carnet);
        let brut = telecom.texte("telephone", carnet);
        if !brut.is_empty() {
            return premier_numero(brut, carnet);
        }
    }
    String::new()
}

/// Ten digits whatever the separators; the first number when there are two.
fn premier_numero(brut: String, carnet: &mut Carnet) -> String {
    let connu = |lettre: char| lettre.is_ascii_digit() || " .-/,;".contains(lettre);
    if !brut.chars().all(connu) {
        return brut;
    }
    let mut chiffres: String = brut.chars().filter(char::is_ascii_digit).collect();
    match chiffres.len() {
        10 => chiffres,
        20 => {
            carnet.constater("telephones-multiples");
            chiffres.truncate(10);
            chiffres
        }
        _ => brut,
    }
}
