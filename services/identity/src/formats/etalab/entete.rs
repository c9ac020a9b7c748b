//! The header of an annual file.

use std::borrow::Cow;

use super::super::fiche::Remise;

/// Titles read under the name the other files give the same field.
const RENOMMES: &[(&str, &str)] = &[
    ("coordx", "coordxet"),
    ("coordy", "coordyet"),
    ("dateouvert", "dateouv"),
    ("mft", "codemft"),
    ("numen", "numuai"),
    ("sourcegeocod", "sourcecoordet"),
    ("sph", "codesph"),
];

/// Titles read as they are.
const LUS: &[&str] = &[
    "categetab",
    "codeape",
    "codepostal",
    "cog",
    "commune",
    "compldistrib",
    "complrs",
    "compvoie",
    "dateautor",
    "datecrea",
    "datemaj",
    "departement",
    "libcategetab",
    "lieuditbp",
    "ligneacheminement",
    "nofinessej",
    "nofinesset",
    "numvoie",
    "rs",
    "rslongue",
    "siren",
    "siret",
    "statutjuridique",
    "telecopie",
    "telephone",
    "typvoie",
    "voie",
];

/// Titles known and not read: labels, and codes derived from others.
const IGNORES: &[&str] = &[
    "categej",
    "categretab",
    "dategeocod",
    "libcategej",
    "libcategretab",
    "libcodeape",
    "libdepartement",
    "libelle_routage",
    "liblongcategetab",
    "liblongmft",
    "libmft",
    "libregion",
    "libsph",
    "libstatutjuridique",
    "region",
];

/// Where each field is.
pub(super) struct Entete {
    noms: Vec<&'static str>,
    juridique: bool,
}

impl Entete {
    /// Reads a header. None when the line is none; an error names the required columns
    /// that lack.
    pub(super) fn lire(titres: &[Cow<'_, str>], remise: &mut Remise<'_>) -> Option<Result<Self, String>> {
        let titres: Vec<String> = titres.iter().map(|titre| titre.trim().to_ascii_lowercase()).collect();
        let a = |nom: &str| titres.iter().any(|titre| titre == nom);
        let juridique = !a("nofinesset");
        if juridique && !a("nofinessej") {
            return None;
        }
        let mut absents: Vec<&str> = ["nofinessej", "rs"].into_iter().filter(|nom| !a(nom)).collect();
        if !juridique && !a("categetab") {
            absents.push("categetab");
        }
        if !(a("cog") || a("departement") && a("commune")) {
            absents.push("cog");
        }
        if !absents.is_empty() {
            return Some(Err(format!(
                "Colonnes obligatoires absentes de l'en-tête : {}.",
                absents.join(", ")
            )));
        }
        let mut noms: Vec<&'static str> = Vec::with_capacity(titres.len());
        for titre in &titres {
            let nom = match nommer(titre, juridique) {
                Some(nom) => nom,
                None => {
                    if !IGNORES.contains(&titre.as_str()) {
                        remise.constater("colonne-inconnue");
                    }
                    ""
                }
            };
            if !nom.is_empty() && noms.contains(&nom) {
                remise.constater("colonne-en-double");
                noms.push("");
            } else {
                noms.push(nom);
            }
        }
        Some(Ok(Self { noms, juridique }))
    }

    /// Names of the fields, empty for those that are not read.
    pub(super) fn noms(&self) -> &[&'static str] {
        &self.noms
    }

    /// True for a file of legal entities.
    pub(super) fn juridique(&self) -> bool {
        self.juridique
    }

    /// True when the file has a field.
    pub(super) fn a(&self, nom: &str) -> bool {
        self.noms.contains(&nom)
    }
}

/// Name of the field under a title; None when it is not read.
fn nommer(titre: &str, juridique: bool) -> Option<&'static str> {
    if juridique && titre == "nofinessej" {
        return Some("nofiness");
    }
    let renomme = RENOMMES.iter().find(|(ancien, _)| *ancien == titre).map(|(_, nom)| *nom);
    renomme.or_else(|| LUS.iter().copied().find(|nom| *nom == titre))
}
