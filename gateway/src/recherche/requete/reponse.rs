//! What the answer is made of: page, order, includes, summary, format.

use super::{
    NOMBRE_MAX, Rejet, TRIS_MAX, court,
    nom::{self, Depart, Etape},
    sans_modificateur,
};
use crate::{
    http::format_nomme,
    modele::TypeFhir,
    recherche::{
        arbre::{CleTri, Inclusion, Requete, Resume, Total, Tri},
        parametres::{Cible, Relation, relation},
    },
};

/// Parameters given once that say how to answer.
pub(super) const PARAMETRES: [&str; 7] =
    ["_count", "_elements", "_format", "_page", "_sort", "_summary", "_total"];
/// What every type accepts beside its parameters.
pub(super) const GENERAUX: [&str; 10] = [
    "_has",
    "_filter",
    "_include",
    "_revinclude",
    "_sort",
    "_count",
    "_summary",
    "_elements",
    "_total",
    "_format",
];
/// Most elements of `_elements`.
const ELEMENTS_MAX: usize = 64;

/// `_count`: what is past the largest page is that page, for who asks for lenience.
pub(super) fn nombre(r: &mut Requete, v: &str) -> Result<(), Rejet> {
    let attendu = format!("un entier de 0 à {NOMBRE_MAX}");
    match v.parse::<usize>() {
        Ok(n) if n <= NOMBRE_MAX => {
            r.nombre = n;
            Ok(())
        }
        Ok(_) => {
            r.nombre = NOMBRE_MAX;
            let message = format!("Une page porte {NOMBRE_MAX} ressources au plus, pas {}.", court(v));
            Err(Rejet { ignorable: true, ..Rejet::new("value", message, attendu) })
        }
        Err(_) => {
            let message = format!("« {} » n'est pas une taille de page.", court(v));
            Err(Rejet::new("value", message, attendu))
        }
    }
}

/// `_total`.
pub(super) fn total(v: &str) -> Result<Total, Rejet> {
    match v {
        "accurate" | "estimate" => Ok(Total::Exact),
        "none" => Ok(Total::Aucun),
        _ => {
            let message = format!("« {} » n'est pas une façon de compter.", court(v));
            Err(Rejet::new("value", message, "accurate, estimate ou none"))
        }
    }
}

/// `_summary`.
pub(super) fn resume(v: &str) -> Result<Resume, Rejet> {
    match v {
        "false" => Ok(Resume::Non),
        "true" => Ok(Resume::Oui),
        "text" => Ok(Resume::Texte),
        "data" => Ok(Resume::Donnees),
        "count" => Ok(Resume::Compte),
        _ => {
            let message = format!("« {} » n'est pas un résumé.", court(v));
            Err(Rejet::new("value", message, "true, false, text, data ou count"))
        }
    }
}

/// `_format`: one that is served; the layer that turns answers reads it by itself.
pub(super) fn format(v: &str) -> Result<(), Rejet> {
    if format_nomme(v).is_some() {
        return Ok(());
    }
    let message = format!("Le format « {} » n'est pas servi.", court(v));
    Err(Rejet::new("not-supported", message, "application/fhir+json ou application/fhir+xml"))
}

/// `_page`.
pub(super) fn page(v: &str) -> Result<String, Rejet> {
    if v.is_empty() {
        let attendu = "un lien « next » ou « previous » tel qu'il a été rendu";
        return Err(Rejet::new("value", "La page manque.", attendu));
    }
    Ok(v.to_owned())
}

/// `_elements`.
pub(super) fn elements(t: TypeFhir, v: &str) -> Result<Vec<String>, Rejet> {
    let mut lus: Vec<String> = Vec::new();
    for ecrit in v.split(',').filter(|e| !e.is_empty()) {
        let nu = ecrit.strip_prefix(t.nom()).and_then(|e| e.strip_prefix('.')).unwrap_or(ecrit);
        let bon = nu.len() <= 64
            && nu.starts_with(|c: char| c.is_ascii_alphabetic())
            && nu.bytes().all(|b| b.is_ascii_alphanumeric());
        if !bon {
            let message = format!("« {} » n'est pas un élément de premier niveau.", court(ecrit));
            return Err(Rejet::new("value", message, "des noms d'éléments comme name,telecom"));
        }
        if !lus.iter().any(|l| l == nu) {
            lus.push(nu.to_owned());
        }
    }
    if lus.is_empty() || lus.len() > ELEMENTS_MAX {
        let message = format!("La liste nomme {} éléments.", lus.len());
        return Err(Rejet::new("value", message, format!("1 à {ELEMENTS_MAX} noms d'éléments")));
    }
    Ok(lus)
}

/// `_sort`: the keys that hold, and what is wrong with the others. `sain`: the criteria were read whole.
pub(super) fn tri(r: &Requete, v: &str, sain: bool) -> (Vec<Tri>, Vec<Rejet>) {
    let ecrites: Vec<&str> = v.split(',').collect();
    if ecrites.len() > TRIS_MAX {
        let message = format!("Le tri porte {} clés.", ecrites.len());
        return (Vec::new(), vec![Rejet::new("too-costly", message, format!("{TRIS_MAX} clés au plus"))]);
    }
    let (mut cles, mut rejets) = (Vec::new(), Vec::new());
    for ecrite in ecrites {
        match cle(r, ecrite, sain) {
            // Given again, a key orders nothing more.
            Ok(c) if cles.contains(&c) => {}
            Ok(c) => cles.push(c),
            Err(r) => rejets.push(r),
        }
    }
    (cles, rejets)
}

fn cle(r: &Requete, ecrite: &str, sain: bool) -> Result<Tri, Rejet> {
    let t = r.type_fhir;
    let (descendant, nom) = match ecrite.strip_prefix('-') {
        Some(nom) => (true, nom),
        None => (false, ecrite),
    };
    if nom.is_empty() {
        return Err(Rejet::new(
            "value",
            "Une clé de tri manque.",
            "des paramètres : _sort=name,-_lastUpdated",
        ));
    }
    if nom == "_score" {
        if sain && r.notation.is_none() {
            let message = "Trier par « _score » demande un texte intégral.";
            let attendu = "un critère _content ou _text, de la ressource ou par un seul lien, hors de not(…) et de :above";
            return Err(Rejet::new("value", message, attendu));
        }
        return Ok(Tri { chemin: Vec::new(), cle: CleTri::Score, descendant });
    }
    // An offer is as near as its nearest place.
    let deplie = match (t, nom) {
        (TypeFhir::HealthcareService, "near" | "near-insee-code") => format!("location.{nom}"),
        _ => nom.to_owned(),
    };
    let n = nom::lire(t, &deplie, Depart::default())?;
    let refuser = |pourquoi: &str, attendu: &str| {
        Err(Rejet::new("value", format!("« {} » {pourquoi}", court(nom)), attendu))
    };
    if n.modificateur.is_some() || n.au_dessus {
        return refuser("porte un modificateur, qu'un tri n'a pas.", "un paramètre sans modificateur");
    }
    let mut chemin: Vec<Relation> = Vec::with_capacity(n.chemin.len());
    for etape in n.chemin {
        match etape {
            Etape::Vers(r) => chemin.push(r),
            Etape::Depuis(_) => {
                return refuser(
                    "suit un lien à rebours, ce qu'un tri ne fait pas.",
                    "une chaîne de références",
                );
            }
        }
    }
    let cle = match n.parametre.cible {
        Cible::Proche | Cible::ProcheCommune if !situable(t, &chemin) => {
            return refuser("n'ordonne pas ces ressources.", "near, pour Location ou HealthcareService");
        }
        Cible::Proche | Cible::ProcheCommune if sain && r.cercle.is_none() => {
            return refuser(
                "demande un point d'où mesurer.",
                "un critère near ou near-insee-code dans la requête",
            );
        }
        Cible::Proche | Cible::ProcheCommune => CleTri::Distance,
        Cible::Contenu | Cible::Narratif => return refuser("n'ordonne rien.", "_score"),
        Cible::Reference(r) => {
            let attendu = format!("un paramètre de son bout : {}.<paramètre>", r.nom());
            return refuser("est un lien, sans ordre.", &attendu);
        }
        _ => CleTri::Parametre(n.parametre),
    };
    Ok(Tri { chemin, cle, descendant })
}

/// Whether distances order what is searched: a place, or an offer by its places.
fn situable(t: TypeFhir, chemin: &[Relation]) -> bool {
    matches!((t, chemin), (TypeFhir::Location, []) | (TypeFhir::HealthcareService, [Relation::Lieux]))
}

/// `_include` and `_revinclude`, wildcards spread.
pub(super) fn inclusions(
    t: TypeFhir,
    inverse: bool,
    modificateur: Option<&str>,
    v: &str,
) -> Result<Vec<Inclusion>, Rejet> {
    let repete = match modificateur {
        None => false,
        Some("iterate" | "recurse") => true,
        Some(m) => return Err(sans_modificateur(m, ":iterate")),
    };
    let parties: Vec<&str> = v.split(':').collect();
    if parties.first() == Some(&"Task") || parties.get(1) == Some(&"focus") {
        return Err(nom::taches());
    }
    let toutes = Relation::TOUTES.into_iter();
    let relations: Vec<Relation> = match parties.as_slice() {
        // What the resources searched refer to, or what refers to them, iterated or not.
        ["*"] => toutes.filter(|r| bout(*r, inverse) == t).collect(),
        [source, "*"] => toutes.filter(|r| r.source().nom() == *source).collect(),
        [source, "*", cible] => {
            toutes.filter(|r| r.source().nom() == *source && r.cible().nom() == *cible).collect()
        }
        [source, lien] => liee(source, lien).into_iter().collect(),
        [source, lien, cible] => {
            liee(source, lien).filter(|r| r.cible().nom() == *cible).into_iter().collect()
        }
        _ => Vec::new(),
    };
    // A type that refers to nothing makes an empty clause, not a wrong one.
    let connue = match parties.as_slice() {
        ["*"] => true,
        [source, "*"] => TypeFhir::de_nom(source).is_some(),
        _ => !relations.is_empty(),
    };
    if !connue {
        return Err(inclusion_inconnue(v));
    }
    Ok(relations
        .into_iter()
        .map(|r| Inclusion { source: r.source(), relation: r, inverse, repete })
        .collect())
}

/// The end of a relation that a clause starts from.
fn bout(r: Relation, inverse: bool) -> TypeFhir {
    if inverse { r.cible() } else { r.source() }
}

fn liee(source: &str, lien: &str) -> Option<Relation> {
    TypeFhir::de_nom(source).and_then(|t| relation(t, lien))
}

fn inclusion_inconnue(v: &str) -> Rejet {
    let connues: Vec<String> =
        Relation::TOUTES.into_iter().map(|r| format!("{}:{}", r.source().nom(), r.nom())).collect();
    let ecrites: Vec<&str> = connues.iter().map(String::as_str).collect();
    let message = format!("L'inclusion « {} » n'existe pas.{}", court(v), nom::suggestion(v, &ecrites));
    Rejet::inconnu(message, format!("{}, <Type>:* ou *", ecrites.join(", ")))
}
