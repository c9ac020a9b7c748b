//! Typed access to a JSON tree that remembers paths and gathers faults.

use ror_proto::common::v1::Faute;
use serde_json::{Map, Value};

/// Elements of a resource that the facade refuses by name.
const REFUSES: [&str; 5] = ["text", "contained", "implicitRules", "language", "modifierExtension"];

/// Builds a fault.
pub(super) fn faute(
    element: impl Into<String>,
    regle: &str,
    message: impl Into<String>,
    attendu: impl Into<String>,
) -> Faute {
    Faute {
        element: element.into(),
        regle: regle.to_owned(),
        message: message.into(),
        attendu: attendu.into(),
    }
}

/// Fault of a value that has not the JSON type wanted.
fn faute_type(element: &str, valeur: &Value, attendu: &str) -> Faute {
    let genre = match valeur {
        Value::Null => "null",
        Value::Bool(_) => "un booléen",
        Value::Number(_) => "un nombre",
        Value::String(_) => "un texte",
        Value::Array(_) => "une liste",
        Value::Object(_) => "un objet",
    };
    faute(element, "type-json", format!("L'élément reçu est {genre}."), attendu)
}

/// A JSON object and where it is.
pub(super) struct Noeud<'a> {
    chemin: String,
    carte: &'a Map<String, Value>,
}

impl<'a> Noeud<'a> {
    /// The resource itself.
    pub(super) fn racine(genre: &str, valeur: &'a Value, f: &mut Vec<Faute>) -> Option<Self> {
        let chemin = if genre.is_empty() { "Resource" } else { genre };
        Self::de(chemin.to_owned(), valeur, f)
    }

    /// An object; a fault when the value is something else, or is empty.
    pub(super) fn de(chemin: String, valeur: &'a Value, f: &mut Vec<Faute>) -> Option<Self> {
        match valeur {
            Value::Object(carte) if carte.is_empty() => {
                f.push(faute(chemin, "valeur", "Un objet vide n'a pas de sens.", "un contenu"));
                None
            }
            Value::Object(carte) => Some(Self { chemin, carte }),
            autre => {
                f.push(faute_type(&chemin, autre, "un objet"));
                None
            }
        }
    }

    /// Where this object is.
    pub(super) fn chemin(&self) -> &str {
        &self.chemin
    }

    /// Path of a member.
    pub(super) fn sous(&self, nom: &str) -> String {
        format!("{}.{nom}", self.chemin)
    }

    /// Whether a member is present.
    pub(super) fn a(&self, nom: &str) -> bool {
        self.carte.contains_key(nom)
    }

    /// A member as it came.
    pub(super) fn brut(&self, nom: &str) -> Option<&'a Value> {
        self.carte.get(nom)
    }

    /// A fault for each member that is not among the known ones.
    pub(super) fn borner(&self, connus: &[&str], f: &mut Vec<Faute>) {
        for nom in self.carte.keys() {
            if connus.contains(&nom.as_str()) {
                continue;
            }
            let element = self.sous(nom);
            if REFUSES.contains(&nom.as_str()) {
                let message = format!("L'élément « {nom} » n'est pas accepté par le ROR.");
                f.push(faute(element, "element-refuse", message, "l'absence de cet élément"));
            } else {
                let message = format!("L'élément « {nom} » est inconnu à cet endroit.");
                f.push(faute(element, "element-inconnu", message, connus.join(", ")));
            }
        }
    }

    /// Text, empty when absent.
    pub(super) fn texte(&self, nom: &str, f: &mut Vec<Faute>) -> String {
        match self.carte.get(nom) {
            None => String::new(),
            Some(valeur) => texte_de(&self.sous(nom), valeur, f),
        }
    }

    /// Text that must satisfy a check, empty when absent or faulty.
    pub(super) fn texte_tel(
        &self,
        nom: &str,
        valide: impl FnOnce(&str) -> bool,
        attendu: &str,
        f: &mut Vec<Faute>,
    ) -> String {
        let texte = self.texte(nom, f);
        if texte.is_empty() || valide(&texte) {
            return texte;
        }
        let message = format!("La valeur « {texte} » n'est pas valable.");
        f.push(faute(self.sous(nom), "valeur", message, attendu));
        String::new()
    }

    /// Boolean.
    pub(super) fn booleen(&self, nom: &str, f: &mut Vec<Faute>) -> Option<bool> {
        match self.carte.get(nom)? {
            Value::Bool(valeur) => Some(*valeur),
            autre => {
                f.push(faute_type(&self.sous(nom), autre, "true ou false"));
                None
            }
        }
    }

    /// Integer from 0 to a bound.
    pub(super) fn entier(&self, nom: &str, max: u32, f: &mut Vec<Faute>) -> Option<u32> {
        let valeur = self.carte.get(nom)?;
        let attendu = format!("un entier de 0 à {max}");
        let Value::Number(nombre) = valeur else {
            f.push(faute_type(&self.sous(nom), valeur, &attendu));
            return None;
        };
        let entier = nombre.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= max);
        if entier.is_none() {
            let message = format!("Le nombre {nombre} n'est pas valable.");
            f.push(faute(self.sous(nom), "valeur", message, attendu));
        }
        entier
    }

    /// Finite decimal.
    pub(super) fn decimal(&self, nom: &str, f: &mut Vec<Faute>) -> Option<f64> {
        let valeur = self.carte.get(nom)?;
        let nombre = valeur.as_f64().filter(|nombre| nombre.is_finite());
        if nombre.is_none() {
            f.push(faute_type(&self.sous(nom), valeur, "un nombre"));
        }
        nombre
    }

    /// Member object.
    pub(super) fn objet(&self, nom: &str, f: &mut Vec<Faute>) -> Option<Noeud<'a>> {
        let valeur = self.carte.get(nom)?;
        Self::de(self.sous(nom), valeur, f)
    }

    /// Items of a member array, each with its path.
    fn elements(&self, nom: &str, f: &mut Vec<Faute>) -> Vec<(String, &'a Value)> {
        let chemin = self.sous(nom);
        match self.carte.get(nom) {
            None => Vec::new(),
            Some(Value::Array(items)) if items.is_empty() => {
                let message = "Une liste vide n'a pas de sens.";
                f.push(faute(chemin, "valeur", message, "au moins un élément"));
                Vec::new()
            }
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(rang, valeur)| (format!("{chemin}[{rang}]"), valeur)).collect()
            }
            Some(autre) => {
                f.push(faute_type(&chemin, autre, "une liste"));
                Vec::new()
            }
        }
    }

    /// Member array of objects.
    pub(super) fn objets(&self, nom: &str, f: &mut Vec<Faute>) -> Vec<Noeud<'a>> {
        let elements = self.elements(nom, f);
        elements.into_iter().filter_map(|(chemin, valeur)| Self::de(chemin, valeur, f)).collect()
    }

    /// Member array of objects where `null` keeps the place of an absent one (`_line`).
    pub(super) fn objets_ou_nul(&self, nom: &str, f: &mut Vec<Faute>) -> Vec<Noeud<'a>> {
        let elements = self.elements(nom, f);
        elements
            .into_iter()
            .filter(|(_, valeur)| !valeur.is_null())
            .filter_map(|(chemin, valeur)| Self::de(chemin, valeur, f))
            .collect()
    }

    /// Member array of texts; `null` keeps the place of a primitive that has only extensions.
    pub(super) fn textes(&self, nom: &str, f: &mut Vec<Faute>) -> Vec<String> {
        let elements = self.elements(nom, f);
        elements
            .into_iter()
            .filter(|(_, valeur)| !valeur.is_null())
            .map(|(chemin, valeur)| texte_de(&chemin, valeur, f))
            .filter(|texte| !texte.is_empty())
            .collect()
    }

    /// Member array that may hold one object only.
    pub(super) fn seul_objet(&self, nom: &str, f: &mut Vec<Faute>) -> Option<Noeud<'a>> {
        let objets = self.objets(nom, f);
        seul(objets, &self.sous(nom), f)
    }

    /// Member array that may hold one text only.
    pub(super) fn seul_texte(&self, nom: &str, f: &mut Vec<Faute>) -> String {
        let textes = self.textes(nom, f);
        seul(textes, &self.sous(nom), f).unwrap_or_default()
    }
}

/// The only item of a list; a fault when there are several.
pub(super) fn seul<T>(liste: Vec<T>, chemin: &str, f: &mut Vec<Faute>) -> Option<T> {
    let nombre = liste.len();
    if nombre > 1 {
        let message = format!("{nombre} valeurs sont données.");
        f.push(faute(chemin, "cardinalite", message, "une seule valeur"));
    }
    liste.into_iter().next()
}

fn texte_de(chemin: &str, valeur: &Value, f: &mut Vec<Faute>) -> String {
    match valeur {
        Value::String(texte) if texte.trim().is_empty() => {
            let message = "Un texte vide n'a pas de sens.";
            f.push(faute(chemin, "valeur", message, "un texte, ou l'absence de l'élément"));
            String::new()
        }
        Value::String(texte) => texte.clone(),
        autre => {
            f.push(faute_type(chemin, autre, "un texte"));
            String::new()
        }
    }
}

/// The extensions of an object, taken one after the other; those left are faults.
pub(super) struct Extensions<'a> {
    chemin: String,
    restantes: Vec<(String, Noeud<'a>)>,
}

impl<'a> Extensions<'a> {
    /// The extensions of an object, each located by its url.
    pub(super) fn de(noeud: &Noeud<'a>, f: &mut Vec<Faute>) -> Self {
        let mut restantes = Vec::new();
        for mut extension in noeud.objets("extension", f) {
            let url = extension.texte("url", f);
            if url.is_empty() {
                let message = "L'extension n'a pas d'adresse (url).";
                f.push(faute(extension.sous("url"), "requis", message, "une url"));
                continue;
            }
            extension.chemin = format!("{}.extension.where(url='{url}')", noeud.chemin);
            restantes.push((url, extension));
        }
        Self { chemin: noeud.sous("extension"), restantes }
    }

    /// A fault when no extension of that url is left.
    pub(super) fn exiger(&self, url: &str, f: &mut Vec<Faute>) {
        if !self.restantes.iter().any(|(autre, _)| autre == url) {
            let message = format!("L'extension « {url} » est obligatoire.");
            let chemin = format!("{}.where(url='{url}')", self.chemin);
            f.push(faute(chemin, "requis", message, "une valeur"));
        }
    }

    /// Takes every extension of that url.
    pub(super) fn toutes(&mut self, url: &str) -> Vec<Noeud<'a>> {
        let toutes = std::mem::take(&mut self.restantes);
        let (prises, restantes): (Vec<_>, Vec<_>) = toutes.into_iter().partition(|(autre, _)| autre == url);
        self.restantes = restantes;
        prises.into_iter().map(|(_, noeud)| noeud).collect()
    }

    /// Takes the extension of that url; a fault when there are several.
    pub(super) fn une(&mut self, url: &str, f: &mut Vec<Faute>) -> Option<Noeud<'a>> {
        let toutes = self.toutes(url);
        let chemin = format!("{}.where(url='{url}')", self.chemin);
        seul(toutes, &chemin, f)
    }

    /// A fault for each extension nobody took.
    pub(super) fn fin(self, f: &mut Vec<Faute>) {
        for (url, noeud) in self.restantes {
            let message = format!("L'extension « {url} » est inconnue à cet endroit.");
            let attendu = "une extension du profil publié";
            f.push(faute(noeud.chemin, "extension-inconnue", message, attendu));
        }
    }
}
