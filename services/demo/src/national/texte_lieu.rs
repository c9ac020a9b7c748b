//! Places of work as the RPPS writes them.

use super::monde::Monde;
use super::personnes::{Activite, Annuaire, Lieu};
use crate::error::Error;
use crate::noms::{self, Voie};
use crate::prng::Prng;

/// A place of work as the RPPS writes it: FINESS as it was on day J.
pub struct TexteLieu {
    /// SIRET.
    pub siret: String,
    /// Number of the site.
    pub finess: String,
    /// Number of its legal entity.
    pub finess_ej: String,
    /// Technical id.
    pub technique: String,
    /// Former id: idNat_Struct.
    pub ancien: String,
    /// Name.
    pub nom: String,
    /// Number in the street.
    pub numero: String,
    /// Street.
    pub voie: Voie,
    /// Postal code and post town.
    pub bureau: String,
    /// Postal code.
    pub cp: &'static str,
    /// INSEE code of the commune.
    pub insee: &'static str,
    /// Its name.
    pub commune: &'static str,
    /// Telephone.
    pub telephone: String,
    cabinet: bool,
}

impl TexteLieu {
    /// Of an activity.
    pub fn nouveau(annuaire: &Annuaire<'_>, a: &Activite, autre_telephone: bool) -> Result<Self, Error> {
        let monde = annuaire.monde;
        let mut t = match &a.lieu {
            Lieu::Site(rang) => Self::site(annuaire, *rang)?,
            Lieu::Inconnu(finess) => Self {
                finess: finess.clone(),
                technique: format!("F{finess}"),
                ancien: format!("1{finess}"),
                nom: "STRUCTURE NON REFERENCEE".to_owned(),
                ..Self::vide()
            },
            Lieu::Cabinet { numero, commune } => {
                let cle = numero.bytes().fold(0_u64, |s, o| s.wrapping_mul(31).wrapping_add(u64::from(o)));
                Self {
                    technique: format!("R{numero}"),
                    ancien: format!("4{numero}"),
                    cabinet: true,
                    ..Self::ailleurs(monde, *commune, "CABINET", cle)?
                }
            }
            Lieu::Societe { siret, commune } => {
                let cle = siret.parse().unwrap_or(0);
                Self {
                    siret: siret.clone(),
                    technique: format!("C{siret}"),
                    ancien: format!("3{siret}"),
                    ..Self::ailleurs(monde, *commune, "SOCIETE", cle)?
                }
            }
        };
        if autre_telephone {
            t.telephone = "0199009999".to_owned();
        }
        Ok(t)
    }

    fn site(annuaire: &Annuaire<'_>, rang: u32) -> Result<Self, Error> {
        let monde = annuaire.monde;
        let eg = &monde.egs[rang as usize];
        let texte = monde.texte_eg(rang, eg, monde.ejs[eg.ej as usize].region)?;
        let (finess, finess_ej) = annuaire.numeros(rang);
        let commune = monde.donnees.commune(eg.commune)?;
        Ok(Self {
            siret: texte.siret.unwrap_or_default(),
            finess: finess.to_owned(),
            finess_ej: finess_ej.to_owned(),
            technique: format!("F{finess}"),
            ancien: format!("1{finess}"),
            nom: texte.nom,
            numero: texte.voie.numero.to_string(),
            voie: texte.voie,
            bureau: format!("{} {}", commune.cp, commune.acheminement),
            cp: commune.cp,
            insee: commune.insee,
            commune: commune.nom,
            telephone: texte.telephone.unwrap_or_default(),
            cabinet: false,
        })
    }

    /// A place that only its number tells from others: name and address follow from it.
    fn ailleurs(monde: &Monde<'_>, commune: u16, genre: &str, cle: u64) -> Result<Self, Error> {
        let mut prng = Prng::numerote(monde.graine, "ailleurs", cle);
        let commune = monde.donnees.commune(commune)?;
        let voie = noms::voie(&mut prng);
        Ok(Self {
            nom: format!("{genre} {}", noms::maison(&mut prng)),
            numero: voie.numero.to_string(),
            voie,
            bureau: format!("{} {}", commune.cp, commune.acheminement),
            cp: commune.cp,
            insee: commune.insee,
            commune: commune.nom,
            telephone: noms::telephone_zone(&mut prng, ""),
            ..Self::vide()
        })
    }

    fn vide() -> Self {
        Self {
            siret: String::new(),
            finess: String::new(),
            finess_ej: String::new(),
            technique: String::new(),
            ancien: String::new(),
            nom: String::new(),
            numero: String::new(),
            voie: Voie { numero: 0, abrege: "", genre: "", nom: "" },
            bureau: String::new(),
            cp: "",
            insee: "",
            commune: "",
            telephone: String::new(),
            cabinet: false,
        }
    }

    /// Registration authority, from the order of the profession.
    pub fn autorite(&self, ordre: &str) -> String {
        format!("{ordre}/{ordre}/{}", if self.cabinet { ordre } else { "ARS" })
    }
}
