//! From an Organization to the record of a structure of FINESS.

use std::collections::HashMap;

use ror_domaine::identifiants::{Finess, IdentifiantInvalide, Siren, Siret, id_eg, id_ej};
use ror_domaine::territoire::region_de_commune;
use ror_proto::common::v1::{Adresse, Faute, Meta};
use ror_proto::identity::v1::StructureFiness;
use serde_json::Value;

use super::super::{Resume, faute};
use super::fhir::{
    code_parmi, extension, identifiant, inactive, liste, par_systeme, premier, reference, texte,
};

const SYSTEME_FINESS: &str = "https://finess.esante.gouv.fr";
const SYSTEME_RANG: &str = "https://rppsrang.esante.gouv.fr";

/// What is remembered of a structure, to join others with it.
#[derive(Debug, Clone, Default)]
pub(super) struct Lieu {
    /// FINESS number, empty when it has none.
    pub(super) finess: String,
    /// True for a legal entity.
    pub(super) juridique: bool,
    /// SIRET.
    pub(super) siret: String,
    /// Technical id in RPPS: a letter and the business identifier.
    pub(super) technique: String,
    /// Sector, TRE_R02.
    pub(super) secteur: String,
    /// Region of its commune, empty when not derivable.
    pub(super) region: &'static str,
    /// Technical id of the structure it is part of.
    parent: String,
    /// FINESS number of its legal entity, when the resource itself says it.
    ej: String,
}

impl Lieu {
    /// Reads what others may need of a structure.
    pub(super) fn lire(r: &Value) -> Self {
        let (finess, juridique) = match numero_finess(r) {
            Ok(Some((brut, juridique))) => (normaliser(brut), juridique),
            Ok(None) | Err(_) => (String::new(), false),
        };
        let rang = par_systeme(r, SYSTEME_RANG);
        let technique = if !finess.is_empty() {
            format!("F{finess}")
        } else if est_technique(rang) {
            rang.to_owned()
        } else {
            String::new()
        };
        Self {
            siret: identifiant(r, "SIRET").to_owned(),
            technique,
            secteur: code_parmi(liste(r, "type"), &["R02"]).to_owned(),
            region: region_de_commune(commune(r)).unwrap_or_default(),
            parent: reference(r, "partOf").to_owned(),
            ej: if juridique { String::new() } else { ej_dite(r) },
            finess,
            juridique,
        }
    }

    /// FINESS number of its legal entity, itself when it is one; empty when not known.
    pub(super) fn entite_juridique(&self, lieux: &HashMap<String, Self>) -> String {
        if self.juridique {
            return self.finess.clone();
        }
        if !self.ej.is_empty() {
            return self.ej.clone();
        }
        lieux.get(&self.parent).filter(|l| l.juridique).map(|l| l.finess.clone()).unwrap_or_default()
    }
}

/// A letter, then digits and capitals.
fn est_technique(rang: &str) -> bool {
    rang.starts_with(|lettre: char| lettre.is_ascii_uppercase())
        && rang.bytes().all(|octet| octet.is_ascii_digit() || octet.is_ascii_uppercase())
}

fn normaliser(brut: &str) -> String {
    Finess::lire_delivre(brut).map(|(lu, _)| lu.to_string()).unwrap_or_default()
}

/// The number of the legal entity a site names beside its own, or by a logical reference.
fn ej_dite(r: &Value) -> String {
    let logique = r.get("partOf").and_then(|p| p.get("identifier")).map(|i| texte(i, "value"));
    let brut = match identifiant(r, "FINEJ") {
        "" => logique.unwrap_or_default(),
        brut => brut,
    };
    normaliser(brut)
}

/// FINESS number, and whether it is that of a legal entity; None when it has none.
fn numero_finess(r: &Value) -> Result<Option<(&str, bool)>, Faute> {
    let (ej, eg) = (identifiant(r, "FINEJ"), identifiant(r, "FINEG"));
    let nature =
        liste(r, "type").iter().flat_map(|t| liste(t, "coding")).find_map(|c| match texte(c, "code") {
            "LEGAL-ENTITY" => Some(true),
            "GEOGRAPHICAL-ENTITY" => Some(false),
            _ => None,
        });
    match (ej, eg, nature) {
        ("", "", _) => {}
        (ej, "", _) | (ej, _, Some(true)) if !ej.is_empty() => return Ok(Some((ej, true))),
        (_, eg, _) => return Ok(Some((eg, false))),
    }
    match (par_systeme(r, SYSTEME_FINESS), nature) {
        ("", _) => Ok(None),
        (brut, Some(juridique)) => Ok(Some((brut, juridique))),
        (_, None) => Err(faute(
            "Organization.identifier",
            "nature-finess-inconnue",
            "Rien ne dit si le numéro FINESS est celui d'une entité juridique ou géographique.",
            "Un type d'identifiant FINEJ ou FINEG",
        )),
    }
}

/// What an Organization gives.
pub(super) enum Lue {
    /// Not a structure of FINESS.
    HorsFiness,
    /// A site whose legal entity may come later in the stream.
    EnAttente,
    /// A record.
    Structure(Box<StructureFiness>),
}

/// Reads an Organization; `dernier` when nothing more will come.
pub(super) fn lire(
    r: &Value,
    lieux: &HashMap<String, Lieu>,
    dernier: bool,
    resume: &mut Resume,
) -> Result<Lue, Vec<Faute>> {
    let Some((brut, juridique)) = numero_finess(r).map_err(|f| vec![f])? else {
        return Ok(Lue::HorsFiness);
    };
    let (num_finess, avertissement) = Finess::lire_delivre(brut)
        .map_err(|i| vec![faute("Organization.identifier", i.regle, &i.message, i.attendu)])?;
    if avertissement.is_some() {
        constater(resume, "finess-cle-invalide");
    }
    let num_finess = num_finess.to_string();
    let id = if juridique { id_ej(&num_finess) } else { id_eg(&num_finess) };
    let base = StructureFiness { num_finess, entite_juridique: juridique, ..Default::default() };
    if inactive(r) {
        let meta = Some(Meta { id, ..Default::default() });
        return Ok(Lue::Structure(Box::new(StructureFiness {
            meta,
            type_fermeture: "NDI".to_owned(),
            ..base
        })));
    }
    let lieu = Lieu::lire(r);
    let ej = if juridique { String::new() } else { lieu.entite_juridique(lieux) };
    if !juridique && ej.is_empty() {
        if !dernier {
            return Ok(Lue::EnAttente);
        }
        constater(resume, "entite-juridique-non-resolue");
    }
    let denomination = texte(r, "name").to_owned();
    if denomination.is_empty() {
        return Err(vec![faute(
            "Organization.name",
            "denomination-absente",
            "La structure n'a pas de dénomination.",
            "Un texte",
        )]);
    }
    let meta = Some(Meta { id, region: lieu.region.to_owned(), ..Default::default() });
    let structure = StructureFiness { meta, denomination, num_finess_ej: ej, ..base };
    Ok(Lue::Structure(Box::new(completer(structure, r, resume))))
}

/// What is told beside the identity.
fn completer(structure: StructureFiness, r: &Value, resume: &mut Resume) -> StructureFiness {
    let juridique = structure.entite_juridique;
    let types = liste(r, "type");
    let si = |vrai: bool, texte: &str| if vrai { texte.to_owned() } else { String::new() };
    let periode = extension(r, "organization-period").and_then(|e| e.get("valuePeriod"));
    let jour = |cle: &str| periode.and_then(|p| texte(p, cle).get(..10)).unwrap_or_default().to_owned();
    let type_fermeture = type_fermeture(r);
    StructureFiness {
        siren: numero(si(juridique, identifiant(r, "SIREN")), Siren::lire_delivre, resume),
        siret: numero(si(!juridique, identifiant(r, "SIRET")), Siret::lire_delivre, resume),
        statut_juridique: si(juridique, code_parmi(types, &["R72"])),
        code_ape: si(juridique, code_parmi(types, &["R75"])),
        categorie: si(!juridique, code_parmi(types, &["R66"])),
        espic: si(!juridique, code_parmi(types, &["R73"])),
        mode_tarification: si(!juridique, concept(r, "organization-pricing-model")),
        date_ouverture: jour("start"),
        date_fermeture: if type_fermeture.is_empty() { String::new() } else { jour("end") },
        type_fermeture: type_fermeture.to_owned(),
        adresse: adresse(r),
        commune_cog: commune(r).to_owned(),
        date_maj_source: date_maj(r).to_owned(),
        ..structure
    }
}

/// Closing type of a structure that is still active, such as a provisional closure.
fn type_fermeture(r: &Value) -> &'static str {
    match concept(r, "organization-closing-type") {
        "" => "",
        "DEF" => "DEF",
        "PRO" => "PRO",
        "CHP" => "HORS_CHAMP",
        "ERR" => "ERREUR",
        _ => "NDI",
    }
}

/// Code of an extension that holds a concept.
fn concept<'v>(r: &'v Value, fin: &str) -> &'v str {
    let Some(e) = extension(r, fin) else {
        return "";
    };
    let concept = e.get("valueCodeableConcept").map(|c| liste(c, "coding")).unwrap_or_default();
    match concept.first().or_else(|| e.get("valueCoding")) {
        Some(c) => texte(c, "code"),
        None => texte(e, "valueCode"),
    }
}

/// Date of the record in FINESS, told on the resource or on its metadata.
fn date_maj(r: &Value) -> &str {
    extension(r, "as-ext-data-trace")
        .or_else(|| r.get("meta").and_then(|m| extension(m, "as-ext-data-trace")))
        .and_then(|trace| extension(trace, "date-maj-ae"))
        .map(|e| texte(e, "valueDate"))
        .unwrap_or_default()
}

fn adresse_courante(r: &Value) -> Option<&Value> {
    liste(r, "address").iter().find(|a| texte(a, "use") != "old")
}

/// INSEE code of the commune, empty when not told.
fn commune(r: &Value) -> &str {
    adresse_courante(r)
        .and_then(|a| extension(a, "insee-code"))
        .and_then(|e| e.get("valueCoding"))
        .map(|c| texte(c, "code"))
        .unwrap_or_default()
}

/// The parts when they are told, else the line as it is.
fn adresse(r: &Value) -> Option<Adresse> {
    let a = adresse_courante(r)?;
    let lignes = liste(a, "_line");
    let partie = |nom: &str| {
        let lue = lignes.iter().find_map(|l| extension(l, nom)).map(|e| texte(e, "valueString"));
        lue.unwrap_or_default().to_owned()
    };
    let base = match partie("ADXP-streetNameBase") {
        nom if nom.is_empty() => premier(a, "line").to_owned(),
        nom => nom,
    };
    Some(Adresse {
        point_remise: partie("ADXP-careOf"),
        complement_point_geographique: partie("ADXP-additionalLocator"),
        numero_voie: partie("ADXP-houseNumber"),
        extension: partie("ADXP-buildingNumberSuffix"),
        type_voie: partie("ADXP-streetNameType"),
        libelle_voie: base,
        lieu_dit: partie("lieu-dit"),
        mention_distribution: partie("ADXP-postBox"),
        code_postal: texte(a, "postalCode").to_owned(),
        localite: texte(a, "city").to_owned(),
    })
}

/// A number is kept whatever its key; only the filling value is treated as absent.
fn numero<T>(
    brut: String,
    lire: impl Fn(&str) -> Result<(T, Option<IdentifiantInvalide>), IdentifiantInvalide>,
    resume: &mut Resume,
) -> String {
    super::super::garder_numero(brut, lire, |regle| constater(resume, regle))
}

/// Counts a warning.
pub(super) fn constater(resume: &mut Resume, regle: &'static str) {
    *resume.constats.entry(regle).or_default() += 1;
}
