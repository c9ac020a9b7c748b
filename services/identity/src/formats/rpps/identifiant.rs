//! Who a line is about.

use ror_domaine::identifiants::{Adeli, IdentifiantInvalide, Rpps};
use ror_proto::common::v1::Faute;

use super::super::faute;
use super::colonnes::{Champ, Champs};
use super::table::Suivi;

/// Identifiers of a person, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifiant {
    /// `idNat_PS`.
    pub(super) id_nat_ps: String,
    /// RPPS number, empty for ADELI.
    pub(super) rpps: String,
}

impl Identifiant {
    /// Reads the identifiers of a line. The fault quotes no value.
    pub(super) fn lire(ligne: &Champs<'_>, suivi: &mut Suivi) -> Result<Self, Faute> {
        let identifiant = ligne.valeur(Champ::Identifiant);
        let lu = match ligne.valeur(Champ::TypeIdentifiant) {
            "8" => {
                let lu = Rpps::lire(identifiant).map_err(|invalide| refuser(&invalide))?;
                Self { id_nat_ps: ["8", lu.as_str()].concat(), rpps: lu.as_str().to_owned() }
            }
            "0" => {
                let (lu, avertissement) =
                    Adeli::lire_delivre(identifiant).map_err(|invalide| refuser(&invalide))?;
                if avertissement.is_some() {
                    suivi.constater("adeli-cle-invalide");
                }
                Self { id_nat_ps: ["0", lu.as_str()].concat(), rpps: String::new() }
            }
            _ => {
                return Err(faute(
                    "Type d'identifiant PP",
                    "type-identifiant-inconnu",
                    "Le type d'identifiant est inconnu.",
                    "8 (RPPS) ou 0 (ADELI)",
                ));
            }
        };
        if !ligne.valeur(Champ::IdNatPs).eq_ignore_ascii_case(&lu.id_nat_ps) {
            return Err(faute(
                "Identification nationale PP",
                "idnatps-incoherent",
                "L'identification nationale n'est pas le type suivi de l'identifiant.",
                "Type d'identifiant PP puis Identifiant PP",
            ));
        }
        Ok(lu)
    }

    /// Every `idNat_PS` that a line which is refused names, right or wrong.
    pub(super) fn cites(ligne: &Champs<'_>) -> Vec<String> {
        let deduit = [ligne.valeur(Champ::TypeIdentifiant), ligne.valeur(Champ::Identifiant)].concat();
        let mut cites = vec![deduit, ligne.valeur(Champ::IdNatPs).to_owned()];
        cites.iter_mut().for_each(|cite| cite.make_ascii_uppercase());
        cites.retain(|cite| !cite.is_empty());
        cites.dedup();
        cites
    }

    /// True for a line written with these very identifiers: nothing more to check.
    pub(super) fn est_de(&self, ligne: &Champs<'_>) -> bool {
        let genre = ligne.valeur(Champ::TypeIdentifiant);
        genre.len() == 1
            && self.id_nat_ps == ligne.valeur(Champ::IdNatPs)
            && self.id_nat_ps.strip_prefix(genre) == Some(ligne.valeur(Champ::Identifiant))
    }

    /// At most 12 characters among [0-9A-Z]: exact in 64 bits.
    pub(super) fn compact(&self) -> u64 {
        u64::from_str_radix(&self.id_nat_ps, 36).unwrap_or(u64::MAX)
    }
}

fn refuser(invalide: &IdentifiantInvalide) -> Faute {
    faute("Identifiant PP", invalide.regle, &invalide.message, invalide.attendu)
}
