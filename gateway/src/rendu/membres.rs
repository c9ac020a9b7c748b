//! `_summary` and `_elements`: which members of a rendered resource stay.

use crate::{
    modele::TypeFhir,
    recherche::arbre::{Requete, Resume},
};

/// Tag of a resource given in part.
const PARTIEL: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

/// Members that stay whatever is asked: without them nothing says what the resource is.
const TOUJOURS: [&str; 3] = ["resourceType", "id", "meta"];

/// Which members stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Membres {
    /// All.
    #[default]
    Tous,
    /// These, and their companions.
    Seulement(Vec<String>),
}

impl Membres {
    /// These root elements, and the mandatory ones.
    pub fn elements<'a>(t: TypeFhir, noms: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Seulement(obligatoires(t).iter().copied().chain(noms).map(str::to_owned).collect())
    }

    /// Those of a request, for one type.
    pub fn de(r: &Requete, t: TypeFhir) -> Self {
        let listes = match r.resume {
            Resume::Oui => resume(t),
            Resume::Texte => obligatoires(t),
            Resume::Non | Resume::Donnees | Resume::Compte => {
                if r.elements.is_empty() {
                    return Self::Tous;
                }
                obligatoires(t)
            }
        };
        let voulus = match r.resume {
            Resume::Non | Resume::Donnees => r.elements.as_slice(),
            Resume::Oui | Resume::Texte | Resume::Compte => &[],
        };
        Self::Seulement(listes.iter().map(|s| (*s).to_owned()).chain(voulus.iter().cloned()).collect())
    }

    /// Whether a member stays.
    fn garde(&self, nom: &str) -> bool {
        match self {
            Self::Tous => true,
            Self::Seulement(v) => {
                let nom = nom.strip_prefix('_').unwrap_or(nom);
                TOUJOURS.contains(&nom) || v.iter().any(|x| x == nom)
            }
        }
    }

    /// Appends a rendered resource, cut to these members and marked so.
    pub fn ecrire(&self, json: &[u8], sortie: &mut Vec<u8>) {
        if *self == Self::Tous {
            sortie.extend_from_slice(json);
            return;
        }
        sortie.push(b'{');
        let mut premier = true;
        for (nom, valeur) in membres(json) {
            if !self.garde(nom) {
                continue;
            }
            if !premier {
                sortie.push(b',');
            }
            premier = false;
            sortie.push(b'"');
            sortie.extend_from_slice(nom.as_bytes());
            sortie.extend_from_slice(b"\":");
            if nom == "meta" { marquer(valeur, sortie) } else { sortie.extend_from_slice(valeur) }
        }
        sortie.push(b'}');
    }
}

/// meta with the tag of a partial resource.
fn marquer(meta: &[u8], sortie: &mut Vec<u8>) {
    let mut tag = false;
    sortie.push(b'{');
    let mut premier = true;
    for (nom, valeur) in membres(meta) {
        if !premier {
            sortie.push(b',');
        }
        premier = false;
        sortie.push(b'"');
        sortie.extend_from_slice(nom.as_bytes());
        sortie.extend_from_slice(b"\":");
        match valeur.strip_suffix(b"]").filter(|_| nom == "tag") {
            Some(debut) => {
                tag = true;
                sortie.extend_from_slice(debut);
                if !debut.ends_with(b"[") {
                    sortie.push(b',');
                }
                sortie.extend_from_slice(PARTIEL.as_bytes());
                sortie.push(b']');
            }
            None => sortie.extend_from_slice(valeur),
        }
    }
    if !tag {
        if !premier {
            sortie.push(b',');
        }
        sortie.extend_from_slice(b"\"tag\":[");
        sortie.extend_from_slice(PARTIEL.as_bytes());
        sortie.push(b']');
    }
    sortie.push(b'}');
}

/// Members of an object that we rendered: names without escapes, no blank between tokens.
fn membres(objet: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    let mut i = 1;
    std::iter::from_fn(move || {
        if objet.get(i) == Some(&b',') {
            i += 1;
        }
        if objet.get(i) != Some(&b'"') {
            return None;
        }
        let fin_nom = i + 1 + objet[i + 1..].iter().position(|o| *o == b'"')?;
        let nom = std::str::from_utf8(&objet[i + 1..fin_nom]).ok()?;
        let debut = fin_nom + 2;
        let fin = debut + longueur(objet.get(debut..)?);
        i = fin;
        Some((nom, &objet[debut..fin]))
    })
}

/// Length of the JSON value at the beginning.
fn longueur(json: &[u8]) -> usize {
    let (mut profondeur, mut texte, mut echappe) = (0i32, false, false);
    for (i, o) in json.iter().enumerate() {
        if texte {
            match o {
                _ if echappe => echappe = false,
                b'\\' => echappe = true,
                b'"' => texte = false,
                _ => {}
            }
            if !texte && profondeur == 0 {
                return i + 1;
            }
            continue;
        }
        match o {
            b'"' => texte = true,
            b'{' | b'[' => profondeur += 1,
            b'}' | b']' if profondeur == 0 => return i,
            b'}' | b']' => {
                profondeur -= 1;
                if profondeur == 0 {
                    return i + 1;
                }
            }
            b',' if profondeur == 0 => return i,
            _ => {}
        }
    }
    json.len()
}

/// Mandatory elements of the ROR profiles at the first level.
fn obligatoires(t: TypeFhir) -> &'static [&'static str] {
    match t {
        TypeFhir::HealthcareService => &["identifier", "providedBy", "type", "specialty", "characteristic"],
        TypeFhir::PractitionerRole => &["practitioner", "code", "specialty"],
        TypeFhir::Practitioner => &["identifier"],
        TypeFhir::Organization | TypeFhir::Location => &[],
    }
}

/// Elements that FHIR R4 marks as summary, at the first level.
fn resume(t: TypeFhir) -> &'static [&'static str] {
    match t {
        TypeFhir::Organization => &["identifier", "active", "type", "name", "partOf"],
        TypeFhir::HealthcareService => &[
            "identifier",
            "active",
            "providedBy",
            "category",
            "type",
            "specialty",
            "location",
            "name",
            "comment",
            "photo",
        ],
        TypeFhir::Location => &[
            "identifier",
            "status",
            "operationalStatus",
            "name",
            "description",
            "mode",
            "type",
            "physicalType",
            "managingOrganization",
        ],
        TypeFhir::Practitioner => {
            &["identifier", "active", "name", "telecom", "address", "gender", "birthDate"]
        }
        TypeFhir::PractitionerRole => &[
            "identifier",
            "active",
            "period",
            "practitioner",
            "organization",
            "code",
            "specialty",
            "location",
            "telecom",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::Membres;

    #[test]
    fn only_what_is_asked_stays_and_says_so() {
        let json = br#"{"resourceType":"Location","id":"a","meta":{"versionId":"1","tag":[{"code":"52"}]},"extension":[{"url":"x,}","v":[1,{"a":"\"]"}]}],"status":"active","name":"N","_name":{"extension":[]},"position":{"latitude":1.5}}"#;
        let mut s = Vec::new();
        Membres::Seulement(vec!["name".into(), "position".into()]).ecrire(json, &mut s);
        let lu: serde_json::Value = serde_json::from_slice(&s).unwrap();
        let noms: Vec<&str> = lu.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(noms, ["_name", "id", "meta", "name", "position", "resourceType"]);
        assert_eq!(
            (lu["meta"]["tag"][0]["code"].as_str(), lu["meta"]["tag"][1]["code"].as_str()),
            (Some("52"), Some("SUBSETTED"))
        );
        let mut tout = Vec::new();
        Membres::Tous.ecrire(json, &mut tout);
        assert_eq!(tout, json);
        let mut sans = Vec::new();
        Membres::Seulement(vec![])
            .ecrire(br#"{"resourceType":"X","meta":{"versionId":"1"},"n":-1.5e3}"#, &mut sans);
        let lu: serde_json::Value = serde_json::from_slice(&sans).unwrap();
        assert_eq!((lu["meta"]["tag"][0]["code"].as_str(), lu.get("n")), (Some("SUBSETTED"), None));
    }
}
