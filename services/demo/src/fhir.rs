//! JSON builders for the façade's own form of the resources.

use serde_json::{Map, Value};

use crate::dates::{AUJOURD_HUI, instant};
use crate::donnees::Commune;
use crate::noms::Voie;
use crate::nos::{self, R30, R200, R251, R252, R283, R287};
use crate::prng::Prng;

/// Root of the profiles and extensions.
pub const CANONIQUE: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";

/// UCUM.
pub const UCUM: &str = "http://unitsofmeasure.org";

const HL7: &str = "http://hl7.org/fhir/StructureDefinition/";

/// A JSON object under construction; empty lists are left out.
#[derive(Default)]
pub struct Objet(Map<String, Value>);

impl Objet {
    /// An empty object.
    pub fn nouveau() -> Self {
        Self(Map::new())
    }

    /// A resource of a type.
    pub fn ressource(sorte: &str, id: &str, meta: Value) -> Self {
        Self::nouveau().texte("resourceType", sorte).texte("id", id).mettre("meta", meta)
    }

    /// Sets a member.
    pub fn mettre(mut self, cle: &str, valeur: Value) -> Self {
        self.0.insert(cle.to_owned(), valeur);
        self
    }

    /// Sets a string member.
    pub fn texte(self, cle: &str, valeur: &str) -> Self {
        self.mettre(cle, Value::from(valeur))
    }

    /// Sets a list member unless it is empty.
    pub fn liste(self, cle: &str, valeurs: Vec<Value>) -> Self {
        if valeurs.is_empty() { self } else { self.mettre(cle, Value::Array(valeurs)) }
    }

    /// The finished value.
    pub fn fin(self) -> Value {
        Value::Object(self.0)
    }
}

/// Coding of a national code system.
pub fn codage(systeme: &str, code: &str) -> Value {
    Objet::nouveau().texte("system", &nos::systeme(systeme)).texte("code", code).fin()
}

/// CodeableConcept with one coding.
pub fn concept(systeme: &str, code: &str) -> Value {
    Objet::nouveau().liste("coding", vec![codage(systeme, code)]).fin()
}

/// Canonical URL of a profile or extension of the ROR.
pub fn canonique(id: &str) -> String {
    format!("{CANONIQUE}{id}")
}

/// Simple extension of the ROR, `cle` being the typed value member.
pub fn extension(id: &str, cle: &str, valeur: Value) -> Value {
    sous(&canonique(id), cle, valeur)
}

/// Simple extension with a CodeableConcept.
pub fn extension_code(id: &str, systeme: &str, code: &str) -> Value {
    extension(id, "valueCodeableConcept", concept(systeme, code))
}

/// Extension (or sub-extension) at a given URL or bare name.
pub fn sous(url: &str, cle: &str, valeur: Value) -> Value {
    Objet::nouveau().texte("url", url).mettre(cle, valeur).fin()
}

/// Sub-extension with a CodeableConcept.
pub fn sous_code(nom: &str, systeme: &str, code: &str) -> Value {
    sous(nom, "valueCodeableConcept", concept(systeme, code))
}

/// Complex extension of the ROR.
pub fn extension_complexe(id: &str, parties: Vec<Value>) -> Value {
    Objet::nouveau().texte("url", &canonique(id)).liste("extension", parties).fin()
}

/// Reference to a resource.
pub fn reference(sorte: &str, id: &str) -> Value {
    Objet::nouveau().texte("reference", &format!("{sorte}/{id}")).fin()
}

/// Identifier with its type.
pub fn identifiant(systeme_type: &str, code: &str, valeur: &str) -> Objet {
    Objet::nouveau().mettre("type", concept(systeme_type, code)).texte("value", valeur)
}

/// Creation and update instants of a resource.
pub struct Horodatage {
    /// Creation, for `ror-meta-creation-date`.
    pub creation: String,
    /// Last update, for `meta.lastUpdated`.
    pub maj: String,
}

impl Horodatage {
    /// Draws a creation in the last five years and an update after it.
    pub fn tirer(prng: &mut Prng) -> Self {
        let age = prng.entre(30, 1800) as i64;
        let depuis = prng.borne(age as u64) as i64;
        Self {
            creation: instant(AUJOURD_HUI - age - 1, prng.entre(420, 1140)),
            maj: instant(AUJOURD_HUI - depuis - 1, prng.entre(420, 1140)),
        }
    }

    /// The `ror-meta-creation-date` extension.
    pub fn extension(&self) -> Value {
        let valeur = Value::from(self.creation.as_str());
        extension("ror-meta-creation-date", "valueDateTime", valeur)
    }
}

/// `meta` of a resource.
pub fn meta(profil: &str, region: &str, dates: &Horodatage) -> Value {
    Objet::nouveau()
        .texte("lastUpdated", &dates.maj)
        .liste("profile", vec![Value::from(canonique(profil))])
        .liste("tag", vec![codage(R30, region)])
        .fin()
}

/// ROR telecom: channel (R200), value, use, confidentiality (R283).
pub fn telecom(canal: &str, valeur: &str, utilisation: Option<&str>, niveau: &str) -> Value {
    let systeme = match canal {
        "1" | "2" | "8" => "phone",
        "3" | "9" => "email",
        "4" => "url",
        "6" => "fax",
        _ => "other",
    };
    let mut ext = vec![extension_code("ror-telecom-communication-channel", R200, canal)];
    if let Some(u) = utilisation {
        ext.push(extension("ror-telecom-usage", "valueString", Value::from(u)));
    }
    ext.push(extension_code("ror-telecom-confidentiality-level", R283, niveau));
    Objet::nouveau().liste("extension", ext).texte("system", systeme).texte("value", valeur).fin()
}

/// ROR opening time of one day: type (R252), day 1 to 7, `hh:mm:ss` bounds.
pub fn horaire(genre: &str, jour: u64, debut: &str, fin: &str) -> Value {
    let ext = vec![
        extension_code("ror-available-time-type-of-time", R252, genre),
        extension("ror-available-time-number-days-of-week", "valueInteger", Value::from(jour)),
    ];
    Objet::nouveau()
        .liste("extension", ext)
        .texte("availableStartTime", debut)
        .texte("availableEndTime", fin)
        .fin()
}

/// Postal address with the ROR line extensions.
pub fn adresse(voie: &Voie, commune: &Commune) -> Value {
    let numero = Value::from(voie.numero.to_string());
    let base = Value::from(voie.libelle());
    let parties = vec![
        sous(&format!("{HL7}iso21090-ADXP-houseNumber"), "valueString", numero),
        sous(&format!("{HL7}iso21090-ADXP-streetNameBase"), "valueString", base),
    ];
    let precision = Objet::nouveau().liste("extension", parties).fin();
    Objet::nouveau()
        .liste("line", vec![Value::from(voie.ligne())])
        .liste("_line", vec![precision])
        .texte("city", commune.acheminement)
        .texte("postalCode", commune.cp)
        .fin()
}

/// A contact of a structure or of an offer.
pub struct Contact {
    /// Name of the person, if any.
    pub nom: Option<(String, String)>,
    /// Function (R251), may be empty.
    pub fonction: &'static str,
    /// Nature (R287).
    pub nature: &'static str,
    /// Confidentiality (R283) of the contact and of its telecoms.
    pub niveau: &'static str,
    /// Channel (R200) and value of each telecom.
    pub telecoms: Vec<(&'static str, String)>,
}

fn nom_humain(prenom: &str, nom: &str) -> Value {
    Objet::nouveau().texte("family", nom).liste("given", vec![Value::from(prenom)]).fin()
}

impl Contact {
    /// As an element of Organization.contact.
    pub fn organisation(&self) -> Value {
        let mut ext = Vec::new();
        if !self.fonction.is_empty() {
            ext.push(extension_code("ror-contact-function-contact", R251, self.fonction));
        }
        ext.push(extension_code("ror-contact-confidentiality-level", R283, self.niveau));
        let telecoms =
            self.telecoms.iter().map(|(canal, valeur)| telecom(canal, valeur, None, self.niveau)).collect();
        let mut objet = Objet::nouveau()
            .liste("extension", ext)
            .mettre("purpose", concept(R287, self.nature))
            .liste("telecom", telecoms);
        if let Some((prenom, nom)) = &self.nom {
            objet = objet.mettre("name", nom_humain(prenom, nom));
        }
        objet.fin()
    }

    /// As the `ror-healthcareservice-contact` extension.
    pub fn offre(&self) -> Value {
        let mut parties = Vec::new();
        if let Some((prenom, nom)) = &self.nom {
            parties.push(sous("name", "valueHumanName", nom_humain(prenom, nom)));
        }
        if !self.fonction.is_empty() {
            parties.push(extension_code("ror-contact-function-contact", R251, self.fonction));
        }
        parties.push(sous_code("purposeContact", R287, self.nature));
        parties.push(extension_code("ror-confidentiality-level", R283, self.niveau));
        for (canal, valeur) in &self.telecoms {
            let details = vec![
                extension_code("ror-telecom-communication-channel", R200, canal),
                extension_code("ror-telecom-confidentiality-level", R283, self.niveau),
                sous("telecomAddress", "valueString", Value::from(valeur.as_str())),
            ];
            parties.push(extension_complexe("ror-healthcareservice-contact-telecom", details));
        }
        extension_complexe("ror-healthcareservice-contact", parties)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_carry_the_code_system_url() {
        let v = concept(R30, "84");
        assert_eq!(
            v["coding"][0]["system"],
            "https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM"
        );
    }

    #[test]
    fn updates_follow_creations() {
        let mut prng = Prng::nouveau(1, "dates");
        for _ in 0..200 {
            let h = Horodatage::tirer(&mut prng);
            assert!(h.creation < h.maj, "{} {}", h.creation, h.maj);
        }
    }
}
