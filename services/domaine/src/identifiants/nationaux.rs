//! National identifications of structures (`idNat_Struct`) and persons (`idNat_PS`).

use std::fmt;

use super::{
    Adeli, Finess, IdentifiantInvalide, Rpps, Siren, Siret, forme_departementale, normaliser,
    que_des_chiffres,
};

const ATTENDU_STRUCT: &str = "0 + ADELI-rang, 1 + FINESS, 2 + SIREN, 3 + SIRET ou 4 + RPPS-rang";
const ATTENDU_PS: &str =
    "8 + RPPS, 0 + ADELI, ou 1, 3, 4, 5, 6 + identifiant de structure + / + identifiant interne";

/// The `idNat_Struct` of a FINESS structure.
#[must_use]
pub fn id_nat_struct_finess(finess: &Finess) -> String {
    format!("1{finess}")
}

/// What an `idNat_Struct` is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NatureStruct {
    /// 0 + ADELI (9) + order (2).
    AdeliRang,
    /// 1 + FINESS.
    Finess,
    /// 2 + SIREN.
    Siren,
    /// 3 + SIRET.
    Siret,
    /// 4 + RPPS (11) + order (2) + key (1).
    RppsRang,
}

/// National identification of a structure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdNatStruct {
    texte: String,
    nature: NatureStruct,
}

impl IdNatStruct {
    /// Reads an identification and checks the number it holds.
    pub fn lire(brut: &str) -> Result<Self, IdentifiantInvalide> {
        let texte = normaliser(brut);
        let nature = match texte.split_at_checked(1) {
            Some(("0", reste)) => {
                adeli_rang(reste)?;
                NatureStruct::AdeliRang
            }
            Some(("1", reste)) => {
                Finess::lire(reste)?;
                NatureStruct::Finess
            }
            Some(("2", reste)) => {
                Siren::lire(reste)?;
                NatureStruct::Siren
            }
            Some(("3", reste)) => {
                Siret::lire(reste)?;
                NatureStruct::Siret
            }
            Some(("4", reste)) => {
                rpps_rang(reste)?;
                NatureStruct::RppsRang
            }
            _ => {
                return Err(IdentifiantInvalide::nouveau(
                    "idnatstruct-type-inconnu",
                    "Le type de l'identification nationale de structure est inconnu.",
                    ATTENDU_STRUCT,
                ));
            }
        };
        Ok(Self { texte, nature })
    }

    /// The whole identification, type digit included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.texte
    }

    /// What it is made of.
    #[must_use]
    pub fn nature(&self) -> NatureStruct {
        self.nature
    }

    /// The number without the type digit.
    #[must_use]
    pub fn identifiant(&self) -> &str {
        self.texte.get(1..).unwrap_or_default()
    }
}

impl fmt::Display for IdNatStruct {
    fn fmt(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str(&self.texte)
    }
}

/// What an `idNat_PS` is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NaturePs {
    /// 8 + RPPS.
    Rpps,
    /// 0 + ADELI.
    Adeli,
    /// 1, 3, 4, 5 or 6 + structure + `/` + internal identifier: a person known
    /// only inside a structure.
    Interne,
}

/// National identification of a professional.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdNatPs {
    texte: String,
    nature: NaturePs,
}

impl IdNatPs {
    /// Reads an identification and checks the number it holds. The internal
    /// identifier after `/` keeps its case.
    pub fn lire(brut: &str) -> Result<Self, IdentifiantInvalide> {
        let (tete, interne) = match brut.trim().split_once('/') {
            Some((tete, interne)) => (normaliser(tete), Some(interne.trim())),
            None => (normaliser(brut), None),
        };
        let nature = match (tete.split_at_checked(1), interne) {
            (Some(("8", reste)), None) => {
                Rpps::lire(reste)?;
                NaturePs::Rpps
            }
            (Some(("0", reste)), None) => {
                Adeli::lire(reste)?;
                NaturePs::Adeli
            }
            (Some((genre, reste)), Some(local)) if !local.is_empty() => {
                structure_porteuse(genre, reste)?;
                NaturePs::Interne
            }
            _ => return Err(inconnu()),
        };
        let texte = match interne {
            Some(local) => format!("{tete}/{local}"),
            None => tete,
        };
        Ok(Self { texte, nature })
    }

    /// The whole identification, type digit included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.texte
    }

    /// What it is made of.
    #[must_use]
    pub fn nature(&self) -> NaturePs {
        self.nature
    }

    /// The RPPS number, when it is one.
    #[must_use]
    pub fn rpps(&self) -> Option<&str> {
        match self.nature {
            NaturePs::Rpps => self.texte.get(1..),
            NaturePs::Adeli | NaturePs::Interne => None,
        }
    }
}

impl fmt::Display for IdNatPs {
    fn fmt(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str(&self.texte)
    }
}

fn inconnu() -> IdentifiantInvalide {
    IdentifiantInvalide::nouveau(
        "idnatps-forme-invalide",
        "L'identification nationale du professionnel n'a pas une forme connue.",
        ATTENDU_PS,
    )
}

fn structure_porteuse(genre: &str, reste: &str) -> Result<(), IdentifiantInvalide> {
    match genre {
        "1" => adeli_rang(reste),
        "3" => Finess::lire(reste).map(|_| ()),
        "4" => Siren::lire(reste).map(|_| ()),
        "5" => Siret::lire(reste).map(|_| ()),
        "6" => rpps_rang(reste),
        _ => Err(inconnu()),
    }
}

fn adeli_rang(texte: &str) -> Result<(), IdentifiantInvalide> {
    match texte.split_at_checked(9) {
        Some((adeli, rang)) if forme_departementale(adeli) && que_des_chiffres(rang, 2) => Ok(()),
        _ => Err(IdentifiantInvalide::nouveau(
            "adeli-rang-forme-invalide",
            "Le numéro ADELI-rang n'a pas la forme attendue.",
            "9 caractères ADELI puis 2 chiffres de rang",
        )),
    }
}

/// The key of the rank itself is not checked: its rule is not published.
fn rpps_rang(texte: &str) -> Result<(), IdentifiantInvalide> {
    match texte.split_at_checked(11) {
        Some((rpps, rang)) if que_des_chiffres(rang, 3) => Rpps::lire(rpps).map(|_| ()),
        _ => Err(IdentifiantInvalide::nouveau(
            "rpps-rang-forme-invalide",
            "Le numéro RPPS-rang n'a pas la forme attendue.",
            "11 chiffres RPPS, 2 chiffres de rang puis 1 chiffre de clé",
        )),
    }
}
