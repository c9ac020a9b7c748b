//! Slices of a repeated element: identifiers, and codes told apart by their system.

use ror_proto::common::v1::{Code, Faute};

use super::communs::{concept, corps_concept, exiger};
use super::outils::{Noeud, faute, seul};
use crate::fhir::canoniques as c;

/// Items sorted by slice, taken one slice after the other; those left are faults.
pub(super) struct Tranches<T> {
    restantes: Vec<Tranche<T>>,
}

struct Tranche<T> {
    nom: &'static str,
    valeur: T,
    chemin: String,
}

impl<T> Tranches<T> {
    /// No item yet.
    pub(super) fn new() -> Self {
        Self { restantes: Vec::new() }
    }

    /// Adds an item to a slice.
    pub(super) fn ajouter(&mut self, nom: &'static str, valeur: T, chemin: &str) {
        self.restantes.push(Tranche { nom, valeur, chemin: chemin.to_owned() });
    }

    /// Whether a slice has an item.
    pub(super) fn a(&self, nom: &str) -> bool {
        self.restantes.iter().any(|tranche| tranche.nom == nom)
    }

    /// Takes every item of a slice.
    pub(super) fn toutes(&mut self, nom: &str) -> Vec<T> {
        self.prendre(nom).into_iter().map(|tranche| tranche.valeur).collect()
    }

    /// Takes the item of a slice; a fault when there are several.
    pub(super) fn une(&mut self, nom: &str, f: &mut Vec<Faute>) -> Option<T> {
        let prises = self.prendre(nom);
        let chemin = prises.get(1).map(|tranche| tranche.chemin.clone()).unwrap_or_default();
        seul(prises, &chemin, f).map(|tranche| tranche.valeur)
    }

    fn prendre(&mut self, nom: &str) -> Vec<Tranche<T>> {
        let toutes = std::mem::take(&mut self.restantes);
        let (prises, restantes): (Vec<_>, Vec<_>) =
            toutes.into_iter().partition(|tranche| tranche.nom == nom);
        self.restantes = restantes;
        prises
    }

    /// A fault for each item nobody took.
    pub(super) fn fin(self, attendu: &str, f: &mut Vec<Faute>) {
        for tranche in self.restantes {
            let message = format!("La tranche « {} » n'a pas sa place ici.", tranche.nom);
            f.push(faute(tranche.chemin, "tranche-inattendue", message, attendu));
        }
    }
}

/// The CodeableConcepts of a member, sorted by the slice their system names.
pub(super) fn concepts(
    n: &Noeud<'_>,
    nom: &str,
    classer: fn(&str) -> Option<&'static str>,
    f: &mut Vec<Faute>,
) -> Tranches<Code> {
    let mut tranches = Tranches::new();
    for item in n.objets(nom, f) {
        if let Some(code) = corps_concept(&item, f) {
            ranger(&mut tranches, classer, code, item.chemin(), f);
        }
    }
    tranches
}

/// Adds a code to the slice its system names; a fault when it names none.
pub(super) fn ranger(
    tranches: &mut Tranches<Code>,
    classer: fn(&str) -> Option<&'static str>,
    code: Code,
    chemin: &str,
    f: &mut Vec<Faute>,
) {
    if let Some(tranche) = classer(&code.systeme) {
        tranches.ajouter(tranche, code, chemin);
    } else {
        let message = format!("Le système « {} » n'est pas admis ici.", code.systeme);
        f.push(faute(chemin, "systeme-inattendu", message, "un système du profil publié"));
    }
}

/// What the identifiers of a resource may be: type code, systems of that type, system of the value.
pub(super) struct TypeIdentifiant {
    /// Type code, also the name of the slice.
    pub(super) code: &'static str,
    /// System of the value, empty when the profile gives none.
    pub(super) systeme: &'static str,
    /// Length of the value where two types share a system; 0 otherwise.
    pub(super) longueur: usize,
}

/// The identifiers, sorted by type code. The type's own system is not looked at (TRE or JDV_J236);
/// an identifier without type is told by the system of its value.
pub(super) fn identifiants(n: &Noeud<'_>, types: &[TypeIdentifiant], f: &mut Vec<Faute>) -> Tranches<String> {
    let mut tranches = Tranches::new();
    for item in n.objets("identifier", f) {
        item.borner(&["id", "use", "type", "system", "value"], f);
        exiger(&item, "value", f);
        // A number held before is ours to tell, from the registry: it is not read back.
        if item.texte("use", f) == "old" {
            continue;
        }
        let genre = concept(&item, "type", f);
        let (systeme, valeur) = (item.texte("system", f), item.texte("value", f));
        if valeur.is_empty() || (genre.is_none() && item.a("type")) {
            continue;
        }
        let trouve = types.iter().find(|t| match &genre {
            Some(genre) => genre.code == t.code,
            None => {
                (t.longueur == 0 || t.longueur == valeur.len())
                    && (!t.systeme.is_empty() && c::meme_systeme(t.systeme, &systeme))
            }
        });
        let Some(t) = trouve else {
            let codes: Vec<&str> = types.iter().map(|t| t.code).collect();
            let message = "Le type de cet identifiant n'est pas connu ici.";
            let attendu = format!("un type parmi {}", codes.join(", "));
            f.push(faute(item.sous("type"), "code-inconnu", message, attendu));
            continue;
        };
        if !systeme.is_empty() && !c::meme_systeme(t.systeme, &systeme) {
            let message = format!("Le système « {systeme} » ne va pas avec ce type.");
            let attendu = if t.systeme.is_empty() { "aucun système" } else { t.systeme };
            f.push(faute(item.sous("system"), "systeme-inattendu", message, attendu));
        }
        tranches.ajouter(t.code, valeur, item.chemin());
    }
    tranches
}
