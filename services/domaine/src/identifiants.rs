//! Identifiers of structures and professionals: reading, check keys, technical ids.
//!
//! Every number stays text. Reading trims and upper-cases, and never left-pads:
//! a number that lost its leading zero is refused, not guessed.

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};
use uuid::{Builder, Uuid};

/// Why an identifier is not acceptable. The value itself is never quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct IdentifiantInvalide {
    /// Stable name of the rule, such as `finess-cle-invalide`.
    pub regle: &'static str,
    /// French sentence for a person.
    pub message: String,
    /// What would be accepted, in French.
    pub attendu: &'static str,
}

impl IdentifiantInvalide {
    fn nouveau(regle: &'static str, message: &str, attendu: &'static str) -> Self {
        Self { regle, message: message.to_owned(), attendu }
    }
}

const ATTENDU_FINESS: &str = "9 caractères : un chiffre, un chiffre ou A ou B, puis 7 chiffres dont la clé";
const ATTENDU_SIREN: &str = "9 chiffres, le dernier étant la clé";
const ATTENDU_SIRET: &str = "14 chiffres, le dernier étant la clé";
const ATTENDU_RPPS: &str = "11 chiffres, le dernier étant la clé";
const ATTENDU_ADELI: &str = "9 caractères : le département puis 7 chiffres dont la clé";

/// SIREN of La Poste, whose establishments follow another key rule.
const SIREN_LA_POSTE: &str = "356000000";
/// SIRET seen in the sources where the real one is unknown.
const SIRET_FICTIF: &str = "99999999999999";

fn normaliser(brut: &str) -> String {
    brut.trim().to_ascii_uppercase()
}

fn que_des_chiffres(texte: &str, longueur: usize) -> bool {
    texte.len() == longueur && texte.bytes().all(|octet| octet.is_ascii_digit())
}

/// Digit, digit or letter, seven digits: the official pattern of FINESS and old ADELI.
fn forme_departementale(texte: &str) -> bool {
    texte.len() == 9
        && texte
            .bytes()
            .enumerate()
            .all(|(rang, octet)| octet.is_ascii_digit() || (rang == 1 && octet.is_ascii_uppercase()))
}

fn valeur(octet: u8) -> u32 {
    match octet {
        b'0'..=b'9' => u32::from(octet - b'0'),
        b'A' => 1,
        b'B' => 2,
        _ => 0,
    }
}

fn luhn(texte: &str) -> bool {
    let somme: u32 = texte
        .bytes()
        .rev()
        .enumerate()
        .map(|(rang, octet)| {
            let chiffre = valeur(octet);
            if rang.is_multiple_of(2) {
                chiffre
            } else if chiffre > 4 {
                chiffre * 2 - 9
            } else {
                chiffre * 2
            }
        })
        .sum();
    somme.is_multiple_of(10)
}

fn forme_finess(texte: &str) -> Result<(), IdentifiantInvalide> {
    if forme_departementale(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "finess-forme-invalide",
        "Le numéro FINESS n'a pas la forme attendue.",
        ATTENDU_FINESS,
    ))
}

fn cle_finess(texte: &str) -> Result<(), IdentifiantInvalide> {
    if !matches!(texte.as_bytes().get(1), Some(b'0'..=b'9' | b'A' | b'B')) {
        return Err(IdentifiantInvalide::nouveau(
            "finess-lettre-inconnue",
            "Le deuxième caractère du numéro FINESS est une lettre inconnue.",
            ATTENDU_FINESS,
        ));
    }
    if luhn(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "finess-cle-invalide",
        "La clé du numéro FINESS est fausse.",
        ATTENDU_FINESS,
    ))
}

fn forme_siren(texte: &str) -> Result<(), IdentifiantInvalide> {
    if que_des_chiffres(texte, 9) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "siren-forme-invalide",
        "Le numéro SIREN n'a pas la forme attendue.",
        ATTENDU_SIREN,
    ))
}

fn cle_siren(texte: &str) -> Result<(), IdentifiantInvalide> {
    if luhn(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "siren-cle-invalide",
        "La clé du numéro SIREN est fausse.",
        ATTENDU_SIREN,
    ))
}

fn forme_siret(texte: &str) -> Result<(), IdentifiantInvalide> {
    if que_des_chiffres(texte, 14) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "siret-forme-invalide",
        "Le numéro SIRET n'a pas la forme attendue.",
        ATTENDU_SIRET,
    ))
}

fn cle_siret(texte: &str) -> Result<(), IdentifiantInvalide> {
    if texte == SIRET_FICTIF {
        return Err(IdentifiantInvalide::nouveau(
            "siret-fictif",
            "Le numéro SIRET est une valeur de remplissage, à traiter comme absente.",
            ATTENDU_SIRET,
        ));
    }
    let somme: u32 = texte.bytes().map(valeur).sum();
    let la_poste = texte.starts_with(SIREN_LA_POSTE) && somme.is_multiple_of(5);
    if la_poste || luhn(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "siret-cle-invalide",
        "La clé du numéro SIRET est fausse.",
        ATTENDU_SIRET,
    ))
}

fn forme_rpps(texte: &str) -> Result<(), IdentifiantInvalide> {
    if que_des_chiffres(texte, 11) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "rpps-forme-invalide",
        "Le numéro RPPS n'a pas la forme attendue.",
        ATTENDU_RPPS,
    ))
}

fn cle_rpps(texte: &str) -> Result<(), IdentifiantInvalide> {
    if luhn(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau("rpps-cle-invalide", "La clé du numéro RPPS est fausse.", ATTENDU_RPPS))
}

fn forme_adeli(texte: &str) -> Result<(), IdentifiantInvalide> {
    if forme_departementale(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "adeli-forme-invalide",
        "Le numéro ADELI n'a pas la forme attendue.",
        ATTENDU_ADELI,
    ))
}

/// Numbers with a letter (2A, 9A) belong to old data whose key rule is not
/// published: they are accepted as they are.
fn cle_adeli(texte: &str) -> Result<(), IdentifiantInvalide> {
    if !que_des_chiffres(texte, 9) || luhn(texte) {
        return Ok(());
    }
    Err(IdentifiantInvalide::nouveau(
        "adeli-cle-invalide",
        "La clé du numéro ADELI est fausse.",
        ATTENDU_ADELI,
    ))
}

macro_rules! identifiant {
    ($(#[$doc:meta])* $nom:ident, $forme:ident, $cle:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $nom(String);

        impl $nom {
            /// Reads a number: trims, upper-cases, checks the form and the key.
            pub fn lire(brut: &str) -> Result<Self, IdentifiantInvalide> {
                match Self::lire_delivre(brut)? {
                    (lu, None) => Ok(lu),
                    (_, Some(avertissement)) => Err(avertissement),
                }
            }

            /// Reads a number delivered by its own registry: a wrong form is an
            /// error, a wrong key only a warning returned beside the number.
            pub fn lire_delivre(
                brut: &str,
            ) -> Result<(Self, Option<IdentifiantInvalide>), IdentifiantInvalide> {
                let texte = normaliser(brut);
                $forme(&texte)?;
                let avertissement = $cle(&texte).err();
                Ok((Self(texte), avertissement))
            }

            /// The number as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $nom {
            fn fmt(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
                sortie.write_str(&self.0)
            }
        }

        impl AsRef<str> for $nom {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $nom {
            type Err = IdentifiantInvalide;

            fn from_str(brut: &str) -> Result<Self, Self::Err> {
                Self::lire(brut)
            }
        }
    };
}

identifiant!(
    /// FINESS number of a legal entity or a site, 9 characters. It says nothing
    /// of the present territory: use the commune.
    Finess,
    forme_finess,
    cle_finess
);
identifiant!(
    /// SIREN of a legal person, 9 digits.
    Siren,
    forme_siren,
    cle_siren
);
identifiant!(
    /// SIRET of an establishment, 14 digits.
    Siret,
    forme_siret,
    cle_siret
);
identifiant!(
    /// RPPS number of a professional, 11 digits.
    Rpps,
    forme_rpps,
    cle_rpps
);
identifiant!(
    /// ADELI number (closed register), 9 characters.
    Adeli,
    forme_adeli,
    cle_adeli
);

/// Namespace of the technical ids the ROR gives.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x6f1c0e5a_7d0b_5c55_9a51_3c1f6b6c2e01);

/// The UUID v5 of `prefixe:cle`. A registry makes one a record, by millions: the hash is
/// that of a crate which uses the instructions of the processor.
pub(crate) fn id_technique(prefixe: &str, cle: &str) -> String {
    let mut hache = Sha1::new();
    for partie in [NAMESPACE.as_bytes().as_slice(), prefixe.as_bytes(), b":", cle.as_bytes()] {
        hache.update(partie);
    }
    let mut octets = [0; 16];
    octets.copy_from_slice(&hache.finalize()[..16]);
    let mut tampon = Uuid::encode_buffer();
    Builder::from_sha1_bytes(octets).into_uuid().hyphenated().encode_lower(&mut tampon).to_owned()
}

/// Technical id of a legal entity, from its FINESS number.
#[must_use]
pub fn id_ej(finess: &str) -> String {
    id_technique("ej", finess)
}

/// Technical id of a site, from its FINESS number.
#[must_use]
pub fn id_eg(finess: &str) -> String {
    id_technique("eg", finess)
}

/// Technical id of a professional, from the `idNat_PS`.
#[must_use]
pub fn id_ps(id_nat_ps: &str) -> String {
    id_technique("ps", id_nat_ps)
}

mod nationaux;

pub use nationaux::{IdNatPs, IdNatStruct, NaturePs, NatureStruct, id_nat_struct_finess};

#[cfg(test)]
mod tests;
