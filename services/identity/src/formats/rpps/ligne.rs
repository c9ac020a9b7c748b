//! One line, checked.

use ror_domaine::identifiants::{Adeli, IdentifiantInvalide, Rpps};
use ror_domaine::territoire::{region_de_commune, region_de_departement};
use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::Activite;

use super::super::faute;
use super::Resume;
use super::colonnes::{Champ, Colonnes};

/// Who the line is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identite {
    /// False first, so that the smallest identity has a civilité when one has.
    pub(super) sans_civilite: bool,
    /// Name.
    pub(super) nom: String,
    /// First name.
    pub(super) prenom: String,
    /// Code of civilité.
    pub(super) civilite: String,
}

/// What makes an activity: mode, FINESS of the site, FINESS of the legal entity,
/// SIRET, technical id, sector, role, genre.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CleActivite(pub(super) [String; 8]);

impl CleActivite {
    /// As a record.
    pub(super) fn activite(self) -> Activite {
        let [mode_exercice, finess_site, finess_ej, siret, id_technique_structure, secteur, role, genre] =
            self.0;
        Activite {
            mode_exercice,
            finess_site,
            finess_ej,
            siret,
            id_technique_structure,
            secteur,
            role,
            genre,
        }
    }
}

/// A line.
#[derive(Debug, Clone)]
pub(super) struct Rangee {
    /// `idNat_PS`.
    pub(super) id_nat_ps: String,
    /// RPPS number, empty for ADELI.
    pub(super) rpps: String,
    /// Who.
    pub(super) identite: Identite,
    /// Profession.
    pub(super) profession: String,
    /// Category.
    pub(super) categorie: String,
    /// Civilité of exercice.
    pub(super) civilite_exercice: String,
    /// Type and code of the savoir-faire.
    pub(super) savoir_faire: Option<(String, String)>,
    /// Activity.
    pub(super) activite: Option<CleActivite>,
    /// Region of the activity, empty when not derivable.
    pub(super) region: &'static str,
}

/// Reads a line. Faults never quote a value.
pub(super) fn lire_ligne(
    ligne: &str,
    colonnes: &Colonnes,
    resume: &mut Resume,
) -> Result<Rangee, Vec<Faute>> {
    let Some(champs) = colonnes.couper(ligne) else {
        return Err(vec![faute(
            "ligne",
            "nombre-de-champs",
            "La ligne n'a pas autant de champs que l'en-tête.",
            &format!("{} champs, chacun suivi de |", colonnes.nombre()),
        )]);
    };
    let champ = |champ: Champ| colonnes.valeur(&champs, champ);
    let mut fautes = Vec::new();
    let lu = lire_identifiant(champ(Champ::TypeIdentifiant), champ(Champ::Identifiant), resume);
    let (id_nat_ps, rpps) = match lu {
        Ok(lu) => lu,
        Err(faute) => {
            fautes.push(faute);
            (String::new(), String::new())
        }
    };
    if fautes.is_empty() && champ(Champ::IdNatPs).to_ascii_uppercase() != id_nat_ps {
        fautes.push(faute(
            "Identification nationale PP",
            "idnatps-incoherent",
            "L'identification nationale n'est pas le type suivi de l'identifiant.",
            "Type d'identifiant PP puis Identifiant PP",
        ));
    }
    let nom = champ(Champ::Nom);
    if nom.is_empty() {
        fautes.push(faute("Nom d'exercice", "nom-absent", "Le nom d'exercice est absent.", "Un nom"));
    }
    if !fautes.is_empty() {
        return Err(fautes);
    }
    let prenom = champ(Champ::Prenom);
    if prenom.is_empty() {
        resume.constater("prenom-absent");
    }
    let profession = champ(Champ::Profession);
    if profession.is_empty() {
        resume.constater("profession-absente");
    }
    let civilite = champ(Champ::Civilite);
    let (type_savoir_faire, savoir_faire) = (champ(Champ::TypeSavoirFaire), champ(Champ::SavoirFaire));
    let cle = [
        champ(Champ::Mode),
        champ(Champ::FinessSite),
        champ(Champ::FinessEj),
        champ(Champ::Siret),
        champ(Champ::IdTechnique),
        champ(Champ::Secteur),
        champ(Champ::Role),
        champ(Champ::Genre),
    ];
    let activite = cle.iter().any(|partie| !partie.is_empty()).then(|| CleActivite(cle.map(str::to_owned)));
    let region = match activite {
        Some(_) => region_de_commune(champ(Champ::Commune))
            .or_else(|| region_de_departement(champ(Champ::Departement)))
            .unwrap_or_default(),
        None => "",
    };
    Ok(Rangee {
        id_nat_ps,
        rpps,
        identite: Identite {
            sans_civilite: civilite.is_empty(),
            nom: nom.to_owned(),
            prenom: prenom.to_owned(),
            civilite: civilite.to_owned(),
        },
        profession: profession.to_owned(),
        categorie: champ(Champ::Categorie).to_owned(),
        civilite_exercice: champ(Champ::CiviliteExercice).to_owned(),
        savoir_faire: (!savoir_faire.is_empty())
            .then(|| (type_savoir_faire.to_owned(), savoir_faire.to_owned())),
        activite,
        region,
    })
}

/// `idNat_PS` and RPPS number.
fn lire_identifiant(genre: &str, identifiant: &str, resume: &mut Resume) -> Result<(String, String), Faute> {
    match genre {
        "8" => {
            let lu = Rpps::lire(identifiant).map_err(|invalide| refuser(&invalide))?;
            Ok((format!("8{lu}"), lu.to_string()))
        }
        "0" => {
            let (lu, avertissement) =
                Adeli::lire_delivre(identifiant).map_err(|invalide| refuser(&invalide))?;
            if avertissement.is_some() {
                resume.constater("adeli-cle-invalide");
            }
            Ok((format!("0{lu}"), String::new()))
        }
        _ => Err(faute(
            "Type d'identifiant PP",
            "type-identifiant-inconnu",
            "Le type d'identifiant est inconnu.",
            "8 (RPPS) ou 0 (ADELI)",
        )),
    }
}

fn refuser(invalide: &IdentifiantInvalide) -> Faute {
    faute("Identifiant PP", invalide.regle, &invalide.message, invalide.attendu)
}
