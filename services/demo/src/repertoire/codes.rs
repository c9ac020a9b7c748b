//! Small parts of the resources: codes, dates, addresses, contacts.

use prost_types::Timestamp;
use ror_proto::common::v1::{Adresse, Code, Contact, Meta, Position, Quantite, Telecommunication};

use super::{Fiche, Ressource};
use crate::dates::AUJOURD_HUI;
use crate::donnees::Commune;
use crate::fhir;
use crate::noms::Voie;
use crate::nos::{self, R200, R247, R251, R283, R287};
use crate::prng::Prng;
use crate::territoire::flottant;

const JOUR: i64 = 86_400;

/// A code of a national system; none when it is empty.
pub fn code(systeme: &str, code: &str) -> Option<Code> {
    (!code.is_empty()).then(|| Code { systeme: nos::systeme(systeme), code: code.to_owned() })
}

/// Dates and version of a resource.
pub struct Dates {
    creation: i64,
    maj: i64,
    version: u64,
}

impl Dates {
    /// Most of a directory was touched lately, and a long tail not for years.
    pub fn tirer(prng: &mut Prng) -> Self {
        let age = match prng.borne(100) {
            0..10 => prng.borne(7),
            10..40 => prng.entre(7, 60),
            40..75 => prng.entre(61, 400),
            _ => prng.entre(401, 1700),
        };
        Self::depuis(age, prng)
    }

    /// As bed management keeps its records.
    pub fn recentes(prng: &mut Prng) -> Self {
        let age = if prng.chance(850) { prng.borne(2) } else { prng.entre(2, 60) };
        Self::depuis(age, prng)
    }

    fn depuis(age: u64, prng: &mut Prng) -> Self {
        let maj = (AUJOURD_HUI - age as i64) * JOUR - 1 - prng.borne(JOUR as u64) as i64;
        let creation = maj - prng.entre(1, 900) as i64 * JOUR;
        Self { creation, maj, version: prng.entre(1, 6) }
    }

    /// Metadata of the state.
    pub fn meta(&self, id: String, region: &str) -> Meta {
        Meta { id, region: region.to_owned(), date_creation: Some(instant(self.creation)), ..Meta::default() }
    }

    /// Instant of the last update.
    pub fn maj(&self) -> Timestamp {
        instant(self.maj)
    }

    /// The resource with its dates.
    pub fn fiche(self, ressource: Ressource) -> Fiche {
        Fiche { ressource, version: self.version, creation: self.creation, maj: self.maj }
    }
}

fn instant(secondes: i64) -> Timestamp {
    Timestamp { seconds: secondes, nanos: 0 }
}

/// Postal address.
pub fn adresse(voie: &Voie, commune: &Commune) -> Adresse {
    Adresse {
        numero_voie: voie.numero.to_string(),
        libelle_voie: voie.libelle(),
        code_postal: commune.cp.to_owned(),
        localite: commune.acheminement.to_owned(),
        ..Adresse::default()
    }
}

/// Position from 1e-5 degrees.
pub fn position((lat, lon): (i64, i64), fiable: bool) -> Position {
    Position { latitude: flottant(lat), longitude: flottant(lon), fiable: Some(fiable) }
}

/// Quantity of a UCUM unit.
pub fn quantite(valeur: u64, unite: &str) -> Quantite {
    Quantite { valeur: valeur as f64, unite: code(R247, unite) }
}

/// A telecommunication: channel (R200), value, use, confidentiality (R283).
pub fn telecom(canal: &str, adresse: &str, utilisation: &str, niveau: &str) -> Telecommunication {
    Telecommunication {
        canal: code(R200, canal),
        adresse: adresse.to_owned(),
        utilisation: utilisation.to_owned(),
        niveau_confidentialite: code(R283, niveau),
    }
}

/// A contact.
pub fn contact(c: &fhir::Contact) -> Contact {
    let telecoms = c.telecoms.iter().map(|(canal, valeur)| telecom(canal, valeur, "", c.niveau));
    Contact {
        nom: c.nom.as_ref().map(|(prenom, nom)| format!("{prenom} {nom}")).unwrap_or_default(),
        fonction: code(R251, c.fonction),
        nature: code(R287, c.nature),
        description: String::new(),
        niveau_confidentialite: code(R283, c.niveau),
        telecommunications: telecoms.collect(),
    }
}
