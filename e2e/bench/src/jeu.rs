//! What the requests are made of: ids, couples of criteria and places, all read from
//! the façade itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    charge::Tirage,
    facade::{CAPACITE, DIFFUSION, Facade},
    http::{Connexion, encoder},
};

/// Extension of a capacity record.
const CAPACITE_EXT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity";
/// The attributes that name an indicator.
const TUPLE: [&str; 7] = [
    "capacityStatus",
    "temporalityCapacity",
    "genderCapacityAvailable",
    "capacityClosingType",
    "additionalBedType",
    "crisisType",
    "temporaryAssignement",
];
/// Most couples searched.
const COUPLES_MAX: usize = 64;
/// Results that a couple must have.
pub const RESULTATS: usize = 20;

/// An offer and what it is found by.
pub struct Offre {
    /// Id.
    pub id: String,
    /// `specialty|code` and `cp|department`.
    pub jetons: BTreeSet<String>,
}

/// Two criteria that go together.
pub struct Couple {
    /// Activity.
    pub activite: String,
    /// First two digits of the postal code.
    pub departement: String,
}

impl Couple {
    /// The search.
    pub fn recherche(&self) -> String {
        let (a, d) = (encoder(&self.activite), encoder(&self.departement));
        format!("HealthcareService?_count={RESULTATS}&specialty={a}&location.address-postalcode={d}")
    }

    /// The same as tokens.
    pub fn jetons(&self) -> [String; 2] {
        [format!("specialty|{}", self.activite), format!("cp|{}", self.departement)]
    }
}

/// A place whose free beds may be changed.
pub struct Lieu {
    /// Id.
    pub id: String,
    /// Path and query of the PATCH.
    pub chemin: String,
    /// Two bodies that differ by the count.
    pub corps: [Vec<u8>; 2],
}

/// Everything the requests need.
pub struct Jeu {
    /// Offers, in the order of their ids.
    pub offres: Vec<Offre>,
    /// Couples with enough results, or the best there are.
    pub couples: Vec<Couple>,
    /// Results of the poorest couple.
    pub moindre: usize,
    /// Couples whose total on the façade is not the one counted from its own pages.
    pub ecarts: usize,
    /// Places.
    pub lieux: Vec<Lieu>,
    /// Resources read.
    pub lues: usize,
}

impl Jeu {
    /// Reads all offers and places, as profile 1 sees them.
    pub async fn lire(f: &Facade) -> Result<Self> {
        let mut codes_postaux: HashMap<String, String> = HashMap::new();
        let mut porteurs: HashMap<String, u32> = HashMap::new();
        let mut candidats: Vec<(String, String, Value, i64)> = Vec::new();
        f.parcourir("Location?_count=500", |l| {
            let id = l["id"].as_str().unwrap_or_default().to_owned();
            if let Some(cp) = l["address"]["postalCode"].as_str() {
                codes_postaux.insert(id.clone(), cp.chars().take(2).collect());
            }
            for i in l["identifier"].as_array().into_iter().flatten().filter_map(|i| i["value"].as_str()) {
                *porteurs.entry(i.to_owned()).or_default() += 1;
            }
            if let (Some(i), Some((r, n))) = (identifiant(l), libres(l)) {
                candidats.push((id, i.to_owned(), r.clone(), n));
            }
        })
        .await?;
        let mut offres: Vec<Offre> = Vec::new();
        f.parcourir("HealthcareService?_count=500", |o| offres.push(offre(o, &codes_postaux))).await?;
        offres.sort_by(|a, b| a.id.cmp(&b.id));
        ensure!(!offres.is_empty(), "the mesh shows no offer to profile 1");
        let mut tirage = Tirage::new(7);
        // An identifier that two places share is refused: only those of one place serve.
        candidats.retain(|(_, i, _, _)| porteurs.get(i) == Some(&1));
        tirage.meler(&mut candidats);
        let lieux: Vec<Lieu> = candidats.into_iter().take(4096).map(lieu).collect();
        let (couples, moindre) = couples(&offres, &mut tirage);
        let mut j =
            Self { lues: codes_postaux.len() + offres.len(), offres, couples, moindre, ecarts: 0, lieux };
        j.ecarts = j.ecarts_de_total(f).await?;
        Ok(j)
    }

    /// The search that SQL repeats must find the same offers.
    async fn ecarts_de_total(&self, f: &Facade) -> Result<usize> {
        let communs = f.lecteur().await?;
        let mut c = Connexion::ouvrir(f.adresse).await?;
        let mut ecarts = 0;
        for couple in &self.couples {
            let [a, b] = couple.jetons();
            let attendu =
                self.offres.iter().filter(|o| o.jetons.contains(&a) && o.jetons.contains(&b)).count();
            let total = f.total(&mut c, &communs, &couple.recherche()).await?;
            ecarts += usize::from(total != attendu as u64);
        }
        Ok(ecarts)
    }

    /// The standard package of a page of 200 offers, from an offer on.
    pub fn paquet(&self, rang: usize) -> String {
        let inclusions = "_include=HealthcareService:organization&_include:iterate=Organization:partof\
                          &_include=HealthcareService:location&_revinclude=PractitionerRole:service\
                          &_include=PractitionerRole:practitioner";
        let apres = self.offres.get(rang).map_or("", |o| o.id.as_str());
        format!("{DIFFUSION}/HealthcareService?_count=200&{inclusions}&_apres={apres}")
    }

    /// Offers a page of the package may start after and still be full.
    pub fn departs(&self) -> usize {
        self.offres.len().saturating_sub(201).max(1)
    }
}

fn offre(o: &Value, codes_postaux: &HashMap<String, String>) -> Offre {
    let mut jetons = BTreeSet::new();
    for s in o["specialty"].as_array().into_iter().flatten() {
        for c in s["coding"].as_array().into_iter().flatten().filter_map(|c| c["code"].as_str()) {
            jetons.insert(format!("specialty|{c}"));
        }
    }
    for l in o["location"].as_array().into_iter().flatten().filter_map(|l| l["reference"].as_str()) {
        let id = l.rsplit('/').next().unwrap_or(l);
        if let Some(d) = codes_postaux.get(id) {
            jetons.insert(format!("cp|{d}"));
        }
    }
    // Tokens go through COPY and SQL as they are.
    jetons.retain(|j| j.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '|' | '-' | '.' | '_')));
    Offre { id: o["id"].as_str().unwrap_or_default().to_owned(), jetons }
}

/// Random couples among those with enough results; the best ones when there is none.
fn couples(offres: &[Offre], tirage: &mut Tirage) -> (Vec<Couple>, usize) {
    let mut comptes: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for o in offres {
        for a in o.jetons.iter().filter_map(|j| j.strip_prefix("specialty|")) {
            for d in o.jetons.iter().filter_map(|j| j.strip_prefix("cp|")) {
                *comptes.entry((a, d)).or_default() += 1;
            }
        }
    }
    let mut tous: Vec<((&str, &str), usize)> = comptes.into_iter().collect();
    if tous.iter().any(|(_, n)| *n >= RESULTATS) {
        tous.retain(|(_, n)| *n >= RESULTATS);
        tirage.meler(&mut tous);
        tous.truncate(COUPLES_MAX);
    } else {
        tous.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        tous.truncate(8);
    }
    let moindre = tous.iter().map(|(_, n)| *n).min().unwrap_or(0);
    let couple =
        |((a, d), _): ((&str, &str), usize)| Couple { activite: a.to_owned(), departement: d.to_owned() };
    (tous.into_iter().map(couple).collect(), moindre)
}

/// The synchronisation identifier of a place, else its functional one.
fn identifiant(l: &Value) -> Option<&str> {
    let de_type = |code: &str| {
        let tous = l["identifier"].as_array()?.iter();
        let mut bons = tous.filter(|i| i["type"]["coding"][0]["code"] == code);
        bons.find_map(|i| i["value"].as_str())
    };
    de_type("26").or_else(|| de_type("25"))
}

/// A record of free beds now with at least one bed, so that one bed less is valid too.
fn libres(l: &Value) -> Option<(&Value, i64)> {
    let records = l["extension"].as_array()?.iter().filter(|e| e["url"] == CAPACITE_EXT);
    records
        .filter(|r| code(r, "capacityStatus") == Some("02") && code(r, "temporalityCapacity") == Some("01"))
        .find_map(|r| Some((r, nombre(r).filter(|n| *n >= 1)?)))
}

fn partie<'a>(record: &'a Value, nom: &str) -> Option<&'a Value> {
    record["extension"].as_array()?.iter().find(|e| e["url"] == nom)
}

fn code<'a>(record: &'a Value, nom: &str) -> Option<&'a str> {
    partie(record, nom)?.pointer("/valueCodeableConcept/coding/0/code")?.as_str()
}

fn nombre(record: &Value) -> Option<i64> {
    partie(record, "nbCapacity")?["valueInteger"].as_i64()
}

fn lieu((id, identifiant, record, n): (String, String, Value, i64)) -> Lieu {
    let clauses: Vec<String> = TUPLE
        .into_iter()
        .filter_map(|nom| {
            let code = code(&record, nom)?;
            Some(format!("extension.where(url = '{nom}' and valueCodeableConcept.coding.code = '{code}')"))
        })
        .collect();
    let chemin = format!("Location.extension.where(url='{CAPACITE_EXT}').where({})", clauses.join(" and "));
    let corps = |n: i64| {
        let parts = json!([
            {"name": "type", "valueString": "replace"},
            {"name": "path", "valueString": &chemin},
            {"name": "value", "part": [{"extension": [avec_nombre(&record, n)]}]},
        ]);
        let v = json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]});
        v.to_string().into_bytes()
    };
    let corps = [corps(n - 1), corps(n)];
    Lieu { id, chemin: format!("{CAPACITE}/Location?identifier={}", encoder(&identifiant)), corps }
}

/// The record with another count and without labels, as a feed sends it.
fn avec_nombre(record: &Value, n: i64) -> Value {
    let parties = record["extension"].as_array().into_iter().flatten().map(|p| {
        if p["url"] == "nbCapacity" {
            return json!({"url": "nbCapacity", "valueInteger": n});
        }
        let mut p = p.clone();
        for c in
            p.pointer_mut("/valueCodeableConcept/coding").and_then(Value::as_array_mut).into_iter().flatten()
        {
            if let Some(c) = c.as_object_mut() {
                c.remove("display");
            }
        }
        p
    });
    json!({"url": CAPACITE_EXT, "extension": parties.collect::<Vec<_>>()})
}
