//! FINESS records whose fields are known by name. Etalab lines and the standard XML
//! flow give the same fields: the same functions read them.

mod activite;
mod remise;
mod structure;
#[cfg(test)]
mod tests;

pub(super) use super::json::Carnet;
pub(super) use activite::{lire_equipement, lire_soin};
pub(super) use remise::Remise;
pub(super) use structure::{lire_ej, lire_et};

use ror_domaine::controle::lire_date;
use ror_domaine::identifiants::{Finess, IdentifiantInvalide};
use ror_domaine::territoire::{departement_de_commune, region_de_commune};
use ror_proto::common::v1::{Adresse, Meta};

use super::faute;

/// Written where a date is not known.
const DATE_INCONNUE: &str = "1900-01-01";

/// A record, as a file gives it.
pub(super) trait Fiche {
    /// Text of a field, empty when it is absent.
    fn champ(&self, nom: &str) -> &str;
}

/// Reads the fields of a record, and notes what it meets.
pub(super) struct Champs<'a> {
    fiche: &'a dyn Fiche,
    carnet: &'a mut Carnet,
    jour: &'a str,
}

impl<'a> Champs<'a> {
    /// `jour` is the day of the edition, AAAA-MM-JJ, empty when not known.
    pub(super) fn nouveaux(fiche: &'a dyn Fiche, carnet: &'a mut Carnet, jour: &'a str) -> Self {
        Self { fiche, carnet, jour }
    }

    /// Day of the edition.
    pub(super) fn jour(&self) -> &str {
        self.jour
    }

    /// Counts a warning or a repair.
    pub(super) fn constater(&mut self, regle: &'static str) {
        self.carnet.constater(regle);
    }

    /// Adds a fault to the record.
    pub(super) fn refuser(&mut self, element: &str, regle: &str, message: &str, attendu: &str) {
        self.carnet.ajouter_faute(faute(element, regle, message, attendu));
    }

    /// True when the field holds something.
    pub(super) fn present(&self, nom: &str) -> bool {
        !self.fiche.champ(nom).trim().is_empty()
    }

    /// True for the indicator O (oui).
    pub(super) fn oui(&self, nom: &str) -> bool {
        self.fiche.champ(nom).trim() == "O"
    }

    /// A text without the spaces around it.
    pub(super) fn texte(&mut self, nom: &str) -> String {
        let brut = self.fiche.champ(nom);
        let texte = brut.trim();
        if texte.len() != brut.len() {
            self.carnet.constater("texte-rembourre");
        }
        texte.to_owned()
    }

    /// A date as AAAA-MM-JJ, empty when absent, unknown or malformed. JJ/MM/AAAA,
    /// which files passed through a spreadsheet hold, is put right.
    pub(super) fn date(&mut self, nom: &str) -> String {
        let texte = self.texte(nom);
        if texte.is_empty() {
            return texte;
        }
        let (jour, regle) = match texte.get(..10) {
            Some(jour) if lire_date(jour).is_some() => (jour.to_owned(), None),
            _ => (retourner(&texte), Some("date-remise-en-forme")),
        };
        if jour == DATE_INCONNUE {
            self.carnet.constater("date-inconnue");
            return String::new();
        }
        if lire_date(&jour).is_none() {
            self.carnet.constater("date-invalide");
            return String::new();
        }
        if let Some(regle) = regle {
            self.carnet.constater(regle);
        }
        jour
    }

    /// A FINESS number. A wrong form is a fault; a wrong key is counted and kept.
    pub(super) fn finess(&mut self, nom: &str) -> String {
        match Finess::lire_delivre(self.fiche.champ(nom)) {
            Ok((lu, avertissement)) => {
                if avertissement.is_some() {
                    self.carnet.constater("finess-cle-invalide");
                }
                lu.to_string()
            }
            Err(invalide) => {
                self.refuser(nom, invalide.regle, &invalide.message, invalide.attendu);
                String::new()
            }
        }
    }

    /// A SIREN or SIRET, kept whatever its key; only the filling value is treated as
    /// absent.
    pub(super) fn numero<T>(
        &mut self,
        nom: &str,
        lire: impl Fn(&str) -> Result<(T, Option<IdentifiantInvalide>), IdentifiantInvalide>,
    ) -> String {
        let brut = self.texte(nom);
        super::garder_numero(brut, lire, |regle| self.carnet.constater(regle))
    }

    /// A phone: ten digits whatever the separators, the first number when there are
    /// two.
    pub(super) fn telephone(&mut self, nom: &str) -> String {
        let brut = self.texte(nom);
        let connu = |lettre: char| lettre.is_ascii_digit() || " .-/,;".contains(lettre);
        if !brut.chars().all(connu) {
            return brut;
        }
        let mut chiffres: String = brut.chars().filter(char::is_ascii_digit).collect();
        match chiffres.len() {
            10 => {
                if brut.len() != chiffres.len() {
                    self.carnet.constater("telephone-remis-en-forme");
                }
                chiffres
            }
            20 => {
                self.carnet.constater("telephones-multiples");
                chiffres.truncate(10);
                chiffres
            }
            _ => brut,
        }
    }

    /// An APE code, with the dot these files leave out: 8610Z is 86.10Z.
    pub(super) fn ape(&mut self, nom: &str) -> String {
        let brut = self.texte(nom);
        match (brut.get(..2), brut.get(2..)) {
            (Some(division), Some(classe)) if brut.len() == 5 && !brut.contains('.') => {
                format!("{division}.{classe}")
            }
            _ => brut,
        }
    }

    /// A whole number, decimals being zeros; None when absent or unreadable.
    pub(super) fn nombre(&mut self, nom: &str) -> Option<u32> {
        let texte = self.texte(nom);
        if texte.is_empty() {
            return None;
        }
        let entier = match texte.split_once(['.', ',']) {
            Some((entier, decimales)) if decimales.bytes().all(|octet| octet == b'0') => entier,
            _ => texte.as_str(),
        };
        let lu: Option<u32> = entier.parse().ok();
        if lu.is_none() {
            self.carnet.constater("nombre-illisible");
        }
        lu
    }

    /// INSEE code of the commune: `cog`, else `departement` and `commune`, FINESS
    /// having départements of its own overseas.
    pub(super) fn commune(&mut self) -> String {
        let cog = self.texte("cog");
        if !cog.is_empty() {
            if departement_de_commune(&cog).is_none() {
                self.refuser(
                    "cog",
                    "commune-inconnue",
                    "Le code de la commune n'est d'aucun département.",
                    "Le code INSEE de la commune, 5 caractères",
                );
                return String::new();
            }
            return cog;
        }
        let (departement, commune) = (self.texte("departement"), self.texte("commune"));
        if commune.is_empty() {
            self.carnet.constater("commune-absente");
            return String::new();
        }
        let code = format!("{}{commune}", prefixe(&departement));
        let etranger = departement == "99" && code.len() == 5;
        if !etranger && departement_de_commune(&code).is_none() {
            self.refuser(
                "departement",
                "departement-inconnu",
                "Le département et la commune ne forment pas un code de commune.",
                "Un département de FINESS (01 à 95, 2A, 2B, 9A à 9F, 9J) et une commune de 3 chiffres",
            );
            return String::new();
        }
        code
    }

    /// The address, its parts as they are: no repair of the wording.
    pub(super) fn adresse(&mut self) -> Adresse {
        let acheminement = self.texte("ligneacheminement");
        let (code, localite) = match acheminement.split_once(' ') {
            Some((code, localite)) if code.len() == 5 && code.bytes().all(|o| o.is_ascii_digit()) => {
                (code, localite.trim())
            }
            _ => ("", acheminement.as_str()),
        };
        let code_postal = self.texte("codepostal");
        Adresse {
            complement_point_geographique: self.texte("compldistrib"),
            numero_voie: self.texte("numvoie"),
            extension: self.texte("compvoie"),
            type_voie: self.texte("typvoie"),
            libelle_voie: self.texte("voie"),
            lieu_dit: self.texte("lieuditbp"),
            code_postal: if code_postal.is_empty() { code.to_owned() } else { code_postal },
            localite: localite.to_owned(),
            ..Adresse::default()
        }
    }

    /// Metadata of a structure.
    pub(super) fn meta(&mut self, id: String, commune: &str) -> Meta {
        let region = region_de_commune(commune);
        if region.is_none() && !commune.is_empty() {
            self.carnet.constater("commune-sans-region");
        }
        Meta { id, region: region.unwrap_or_default().to_owned(), ..Meta::default() }
    }
}

/// First characters of the INSEE code of a commune.
fn prefixe(departement: &str) -> &str {
    match departement {
        "9A" | "9B" | "9C" | "9D" | "9E" | "9F" => "97",
        "9J" => "98",
        // Not départements of FINESS: the commune would be a guess.
        "97" | "98" => "",
        _ => departement,
    }
}

/// AAAA-MM-JJ from JJ/MM/AAAA; empty when the parts are not there.
fn retourner(texte: &str) -> String {
    let mut parties = texte.split('/');
    match (parties.next(), parties.next(), parties.next(), parties.next()) {
        (Some(jour), Some(mois), Some(annee), None) => format!("{annee}-{mois}-{jour}"),
        _ => String::new(),
    }
}
