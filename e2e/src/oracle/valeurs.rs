//! What a parameter finds in the JSON of a resource.

use serde_json::Value;

use super::{
    dates::{self, Intervalle},
    nombres,
    parametres::{Genre, Groupe, Parametre, SOUS_EXTENSIONS},
};
use crate::fhir::{CAN, CAPACITE, EQUIPEMENT, extensions, plier, tableau, texte};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Valeur {
    /// A code or an identifier; the system is normalised, empty when there is none.
    Code { systeme: String, code: String, libelle: String },
    /// A text and its folded form.
    Texte { brut: String, plie: String },
    /// A date or a period.
    Date(Intervalle),
    /// A number.
    Nombre(i128),
    /// A number with its unit.
    Quantite { valeur: i128, unite: String },
    /// What an element refers to, whether the caller may read it or not.
    Reference { genre: Genre, id: String },
}

/// Values of a record, in the order of the parameters of the type.
pub type Enregistrement = Vec<Vec<Valeur>>;

const ID_NAT_PS: &str = "urn:oid:1.2.250.1.71.4.2.1";
const PERIODE: &str = "http://hl7.org/fhir/StructureDefinition/organization-period";

/// Names that code systems had, and those they have.
pub const ANCIENS: [(&str, &str); 2] = [
    ("R350-ProfessionRessource", "R356-ProfessionRessource"),
    ("R237-NiveauDependance", "R237-GroupeTarifaireDependance"),
];

/// A code system as it is compared.
pub fn systeme(ecrit: &str) -> String {
    let https = ecrit.strip_prefix("http:").map_or_else(|| ecrit.to_owned(), |r| format!("https:{r}"));
    // One spelling whichever of the two is written.
    let commune = https.replace("R13-CommuneOM", "R13-Commune").replace("R13-Commune", "R13-CommuneOM");
    let autre = commune.replace("TRE_R345_", "TRE_R345-").replace("/FHIR/TRE_R345-", "/FHIR/TRE-R345-");
    ANCIENS.iter().fold(autre, |systeme, (ancien, nom)| systeme.replace(ancien, nom))
}

/// System of the FINESS numbers.
pub const FINESS: &str = "https://finess.esante.gouv.fr";

/// Whether an identifier asked with this system matches by its value alone: the system names a type
/// of identifier, or the value is an idNatStruct made of a FINESS number that was taken for one.
pub fn valeur_seule(systeme: &str, code: Option<&str>) -> bool {
    let types = ["JDV_J236-", "TRE_R354-", "TRE_R355-", "TRE_G07-", "TRE_G08-", "TRE_R345-"];
    types.into_iter().any(|nom| systeme.contains(nom))
        || (systeme == FINESS && code.is_some_and(|code| code.len() == 10 && code.starts_with('1')))
}

/// Lower case, no accents, œ as oe, ’ as '.
pub fn replier(ecrit: &str) -> String {
    plier(ecrit).replace('’', "'")
}

/// A text value.
pub fn en_texte(brut: &str) -> Valeur {
    Valeur::Texte { brut: brut.to_owned(), plie: replier(brut) }
}

fn code(systeme_ecrit: &str, code: &str, libelle: &str) -> Valeur {
    Valeur::Code { systeme: systeme(systeme_ecrit), code: code.to_owned(), libelle: libelle.to_owned() }
}

/// Codings of a CodeableConcept, of a Coding, or of an array of them.
fn codes(valeur: &Value) -> Vec<Valeur> {
    match valeur {
        Value::Array(valeurs) => valeurs.iter().flat_map(codes).collect(),
        Value::Object(o) if o.contains_key("coding") => codes(&valeur["coding"]),
        Value::Object(o) if o.contains_key("code") => {
            vec![code(texte(valeur, "/system"), texte(valeur, "/code"), texte(valeur, "/display"))]
        }
        _ => Vec::new(),
    }
}

fn textes<'v>(valeurs: impl IntoIterator<Item = &'v Value>) -> Vec<Valeur> {
    valeurs.into_iter().filter_map(Value::as_str).map(en_texte).collect()
}

fn date(valeur: &Value) -> Vec<Valeur> {
    valeur.as_str().and_then(dates::lire).map(Valeur::Date).into_iter().collect()
}

/// An absent end of a period is infinite.
fn periode(valeur: &Value) -> Vec<Valeur> {
    let bout = |nom: &str| valeur[nom].as_str().and_then(dates::lire);
    let (debut, fin) = (bout("start"), bout("end"));
    if debut.is_none() && fin.is_none() {
        return Vec::new();
    }
    vec![Valeur::Date(Intervalle { de: debut.map_or(i64::MIN, |d| d.de), a: fin.map_or(i64::MAX, |f| f.a) })]
}

fn nombre(valeur: &Value) -> Option<i128> {
    valeur.as_number().and_then(|n| nombres::exact(&n.to_string()))
}

/// A quantity; `defaut` is the unit of one that tells none.
fn quantite(valeur: &Value, defaut: &str) -> Vec<Valeur> {
    let unite = valeur["code"].as_str().unwrap_or(defaut).to_owned();
    nombre(&valeur["value"]).map(|valeur| Valeur::Quantite { valeur, unite }).into_iter().collect()
}

/// The value of an extension, whatever its type.
fn valeur_de(extension: &Value) -> Vec<Valeur> {
    let Some((cle, valeur)) =
        extension.as_object().and_then(|o| o.iter().find(|(c, _)| c.starts_with("value")))
    else {
        return Vec::new();
    };
    match cle.as_str() {
        "valueCodeableConcept" | "valueCoding" => codes(valeur),
        "valueInteger" | "valueDecimal" => nombre(valeur).map(Valeur::Nombre).into_iter().collect(),
        "valueMoney" => nombre(&valeur["value"]).map(Valeur::Nombre).into_iter().collect(),
        "valueQuantity" => quantite(valeur, ""),
        "valueDateTime" | "valueDate" => date(valeur),
        "valueBoolean" => valeur.as_bool().map(|b| code("", &b.to_string(), "")).into_iter().collect(),
        "valueString" => textes([valeur]),
        _ => Vec::new(),
    }
}

fn de_extension(ressource: &Value, url: &str) -> Vec<Valeur> {
    extensions(ressource, url).flat_map(valeur_de).collect()
}

fn references(valeur: &Value) -> Vec<Valeur> {
    match valeur {
        Value::Array(valeurs) => valeurs.iter().flat_map(references).collect(),
        _ => {
            let lue = texte(valeur, "/reference").rsplit_once('/').and_then(|(avant, id)| {
                let genre = Genre::de_nom(avant.rsplit('/').next().unwrap_or_default())?;
                Some(Valeur::Reference { genre, id: id.to_owned() })
            });
            lue.into_iter().collect()
        }
    }
}

fn ages(ressource: &Value, bout: &str) -> Vec<Valeur> {
    let url = format!("{CAN}ror-healthcareservice-patient-type");
    let patientele = extensions(ressource, &url);
    let plages = patientele.flat_map(|p| extensions(p, "ageRange"));
    plages.flat_map(|plage| quantite(&plage["valueRange"][bout], "a")).collect()
}

/// The RPPS number that an idNat_PS is made of: searched under its own system and under that of the idNat_PS, though the
/// JSON does not show it apart.
fn rpps(systeme: &str, valeur: &str) -> Vec<Valeur> {
    match valeur.strip_prefix('8').filter(|n| n.len() == 11 && systeme == ID_NAT_PS) {
        Some(numero) => ["https://rpps.esante.gouv.fr", ID_NAT_PS].map(|s| code(s, numero, "")).into(),
        None => Vec::new(),
    }
}

/// Values of a parameter that no record holds.
pub fn lire(p: &Parametre, r: &Value) -> Vec<Valeur> {
    let ror = |nom: &str| de_extension(r, &format!("{CAN}ror-{nom}"));
    match p.nom {
        "_id" => vec![code("", texte(r, "/id"), "")],
        "_lastUpdated" => date(&r["meta"]["lastUpdated"]),
        "_tag" => codes(&r["meta"]["tag"]),
        "identifier" => {
            let mut lus: Vec<Valeur> = Vec::new();
            for i in tableau(r, "identifier") {
                let (systeme, valeur) = (texte(i, "/system"), texte(i, "/value"));
                lus.push(code(systeme, valeur, ""));
                if p.genre == Genre::Practitioner {
                    lus.extend(rpps(systeme, valeur));
                }
            }
            lus
        }
        "name" => textes(r.get("name").into_iter().chain(tableau(r, "alias"))),
        "type" => codes(&r["type"]),
        "closing-type" => ror("organization-closing-type"),
        "drop-zone" => ror("organization-drop-zone"),
        "period-end" => extensions(r, PERIODE).flat_map(|e| date(&e["valuePeriod"]["end"])).collect(),
        "service-category" => codes(&r["category"]),
        "service-type" => codes(&r["type"]),
        "specialty" => codes(&r["specialty"]),
        "characteristic" => codes(&r["characteristic"]),
        "age-range-low" => ages(r, "low"),
        "age-range-high" => ages(r, "high"),
        "intervention-zone" => {
            let url = format!("{CAN}ror-territorial-division");
            extensions(r, &url).flat_map(|z| de_extension(z, "codeTerritorialDivision")).collect()
        }
        "patient-type" => {
            let url = format!("{CAN}ror-healthcareservice-patient-type");
            extensions(r, &url).flat_map(|z| de_extension(z, "supportedPatientInfo")).collect()
        }
        "psychiatric-sector" => ror("healthcareservice-psychiatric-sector"),
        "notavailable-closing-reopeningdate" => {
            let fermetures =
                tableau(r, "notAvailable").iter().filter(|n| texte(n, "/id") == "closingReopeningDate");
            fermetures.flat_map(|n| periode(&n["during"])).collect()
        }
        "status" => r["status"].as_str().map(|s| code("", s, "")).into_iter().collect(),
        "operational-status" => codes(&r["operationalStatus"]),
        "address-postalcode" => textes(r.pointer("/address/postalCode")),
        "address-city" => textes(r.pointer("/address/city")),
        "commune-cog" => ror("commune-cog"),
        "role" => codes(&r["code"]),
        _ => p.relation().map(|relation| references(&r[relation.element])).unwrap_or_default(),
    }
}

/// Position of a place.
pub fn position(r: &Value) -> Option<(f64, f64)> {
    Some((r.pointer("/position/latitude")?.as_f64()?, r.pointer("/position/longitude")?.as_f64()?))
}

/// The records of a group.
pub fn enregistrements(groupe: Groupe, r: &Value, liste: &[Parametre]) -> Vec<Enregistrement> {
    let lire = |parties: &[&Value]| -> Enregistrement {
        let un = |p: &Parametre| -> Vec<Valeur> {
            let sous = SOUS_EXTENSIONS.iter().find(|(nom, _)| p.groupe == Some(groupe) && *nom == p.nom);
            let Some((_, url)) = sous else { return Vec::new() };
            parties.iter().flat_map(|partie| de_extension(partie, url)).collect()
        };
        liste.iter().map(un).collect()
    };
    let simples = |url: &str| extensions(r, url).map(|e| lire(&[e])).collect();
    match groupe {
        Groupe::Capacite => simples(CAPACITE),
        Groupe::Habitation => simples(&format!("{CAN}ror-location-residential-capacity")),
        Groupe::Tarif => simples(&format!("{CAN}ror-organization-price")),
        Groupe::Equipement => {
            let limite = format!("{CAN}ror-location-equipment-limit");
            let mut lus = Vec::new();
            for equipement in extensions(r, EQUIPEMENT) {
                let avant = lus.len();
                lus.extend(extensions(equipement, &limite).map(|l| lire(&[equipement, l])));
                // One without any limit is a record of its own.
                if lus.len() == avant {
                    lus.push(lire(&[equipement]));
                }
            }
            lus
        }
    }
}
