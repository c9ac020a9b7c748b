//! CodeSystem, ValueSet and ConceptMap of FHIR R4, alone or in a Bundle.

use std::collections::HashSet;

use ror_proto::nomenclatures::v1::{Association, Concept, EtatEdition, Nomenclature, Propriete, Sorte};

use super::{Lecture, arbre::Noeud, jour, statut};
use crate::{
    domaine::{LIE, regles::SANS_CIBLE},
    index::filtre::plier,
};

/// Concepts inside concepts, at most.
const PROFONDEUR_MAX: u32 = 32;
/// Longest libellé court.
const COURT_MAX: usize = 30;

/// Reads a resource, or every resource of a Bundle; other kinds of resource are passed over.
pub(super) fn lire(document: &Noeud) -> Lecture {
    let mut l = Lecture::default();
    ressource(document, "", &mut l);
    l
}

/// The kind of a resource, and where its elements are: JSON names it inside, XML around.
fn nature(n: &Noeud) -> Option<(&str, &Noeud)> {
    let interne = n.texte("resourceType");
    if !interne.is_empty() {
        return Some((interne, n));
    }
    let de_ressource = |n: &Noeud| n.nom.starts_with(|c: char| c.is_ascii_uppercase());
    let n = if de_ressource(n) { n } else { n.enfants.iter().find(|e| de_ressource(e))? };
    Some((&*n.nom, n))
}

fn ressource(n: &Noeud, place: &str, l: &mut Lecture) {
    let Some((nature, n)) = nature(n) else { return };
    match nature {
        "CodeSystem" => systeme(n, place, l),
        "ValueSet" => jeu(n, place, l),
        "ConceptMap" => association(n, place, l),
        // A Bundle in a Bundle is none of ours.
        "Bundle" if place.is_empty() => {
            for (rang, r) in n.tous("entry").filter_map(|e| e.premier("resource")).enumerate() {
                ressource(r, &format!("entry[{rang}]."), l);
            }
        }
        _ => {}
    }
}

/// What the three kinds share.
fn entete(n: &Noeud, sorte: Sorte) -> Nomenclature {
    let oid = n.tous("identifier").find_map(|i| i.texte("value").strip_prefix("urn:oid:"));
    let periode = n
        .tous("extension")
        // Published with one s and with two.
        .find(|e| e.texte("url").ends_with("source-effectivePeriod"))
        .and_then(|e| e.premier("valuePeriod"));
    let etat = match n.texte("status") {
        "draft" => EtatEdition::Brouillon,
        "retired" => EtatEdition::Retiree,
        // Published when new, as it stands when known.
        _ => EtatEdition::Unspecified,
    };
    Nomenclature {
        sorte: sorte as i32,
        canonique: n.texte("url").to_owned(),
        version: n.texte("version").to_owned(),
        nom: n.texte("name").to_owned(),
        titre: n.texte("title").to_owned(),
        description: n.texte("description").to_owned(),
        editeur: n.texte("publisher").to_owned(),
        oid: oid.unwrap_or_default().to_owned(),
        valide_du: periode.map(|p| jour(p.texte("start"))).unwrap_or_default(),
        valide_au: periode.map(|p| jour(p.texte("end"))).unwrap_or_default(),
        date_maj: date_entiere(n.texte("date")),
        etat: etat as i32,
        complete: true,
        ..Default::default()
    }
}

/// FHIR dates may be a year or a month: only whole days are kept.
fn date_entiere(date: &str) -> String {
    let date = jour(date);
    if date.len() == 10 { date } else { String::new() }
}

fn systeme(n: &Noeud, place: &str, l: &mut Lecture) {
    let mut s = entete(n, Sorte::Tre);
    s.complete = matches!(n.texte("content"), "complete" | "");
    for c in n.tous("concept") {
        concepts(c, None, &mut s.concepts, PROFONDEUR_MAX);
    }
    if s.concepts.is_empty() {
        let message = format!("{} ne contient aucun code (content « {} »).", s.canonique, n.texte("content"));
        return l.refuser(
            &format!("{place}concept"),
            "contenu-absent",
            message,
            "un CodeSystem avec ses codes",
        );
    }
    l.nomenclatures.push(s);
}

fn concepts(n: &Noeud, parent: Option<&str>, sortie: &mut Vec<Concept>, reste: u32) {
    let mut c = Concept {
        code: n.texte("code").to_owned(),
        libelle: n.texte("display").to_owned(),
        definition: n.texte("definition").to_owned(),
        ..Default::default()
    };
    for p in n.tous("property") {
        propriete(p, &mut c);
    }
    designations(n, &mut c);
    if let Some(parent) = parent.filter(|_| !c.proprietes.iter().any(|p| p.code == "parent")) {
        c.proprietes.push(Propriete { code: "parent".into(), valeur: parent.into(), r#type: "code".into() });
    }
    sortie.push(c);
    if reste > 0 {
        for enfant in n.tous("concept") {
            concepts(enfant, Some(n.texte("code")), sortie, reste - 1);
        }
    }
}

/// Status and dates have fields of their own; the rest is kept as published.
fn propriete(p: &Noeud, c: &mut Concept) {
    let Some((nature, v)) = p.choix("value") else { return };
    let valeur = &*v.valeur;
    match p.texte("code") {
        "status" => statut(valeur).clone_into(&mut c.statut),
        // Older files say only this; a status says it better.
        "inactive" if c.statut.is_empty() => {
            let dit = if valeur == "true" { "inactive" } else { "" };
            statut(dit).clone_into(&mut c.statut);
        }
        "inactive" => {}
        "dateValid" | "effectiveDate" => c.valide_du = jour(valeur),
        "dateFin" | "retirementDate" => c.valide_au = jour(valeur),
        "dateMaj" => c.date_maj = jour(valeur),
        code => {
            let (valeur, nature) = match nature {
                "Coding" => (format!("{}|{}", v.texte("system"), v.texte("code")), "Coding".to_owned()),
                _ => (valeur.to_owned(), minuscule(nature)),
            };
            c.proprietes.push(Propriete { code: code.to_owned(), valeur, r#type: nature });
        }
    }
}

/// `DateTime` of `valueDateTime` as the type `dateTime`.
fn minuscule(nature: &str) -> String {
    let mut lettres = nature.chars();
    lettres.next().map(|c| c.to_lowercase().chain(lettres).collect()).unwrap_or_default()
}

/// Libellé court and libellé long: told by their use, else by their length. Other uses
/// (the libellé adapté is the display, the OID that of the system) are passed over.
fn designations(n: &Noeud, c: &mut Concept) {
    for d in n.tous("designation") {
        let valeur = d.texte("value");
        let usage = d.premier("use").map(|u| plier(&format!("{} {}", u.texte("code"), u.texte("display"))));
        let usage = usage.unwrap_or_default();
        let cible = if usage.contains("court") || usage.contains("short") {
            &mut c.libelle_court
        } else if usage.contains("long") {
            &mut c.libelle_long
        } else if !usage.is_empty() {
            continue;
        } else if valeur.chars().count() <= COURT_MAX {
            &mut c.libelle_court
        } else {
            &mut c.libelle_long
        };
        if cible.is_empty() && valeur != c.libelle {
            valeur.clone_into(cible);
        }
    }
}

fn jeu(n: &Noeud, place: &str, l: &mut Lecture) {
    let mut j = entete(n, Sorte::Jdv);
    let inclusions: Vec<&Noeud> =
        n.premier("compose").map(|c| c.tous("include").collect()).unwrap_or_default();
    let par_listes = inclusions.iter().all(|i| {
        i.premier("concept").is_some() && i.premier("valueSet").is_none() && i.premier("filter").is_none()
    });
    if !inclusions.is_empty() && par_listes {
        for i in &inclusions {
            j.concepts.extend(i.tous("concept").map(|c| membre(c, i.texte("system"))));
        }
        exclure(n, &mut j.concepts);
    } else if let Some(e) = n.premier("expansion") {
        deplies(e, &mut j.concepts, PROFONDEUR_MAX);
    } else {
        let message = format!("{} ne liste pas ses codes.", j.canonique);
        let attendu = "compose.include.concept pour chaque système, ou une expansion";
        return l.refuser(&format!("{place}compose.include"), "inclusion-sans-codes", message, attendu);
    }
    l.nomenclatures.push(j);
}

fn membre(n: &Noeud, systeme: &str) -> Concept {
    let mut c = super::concept(systeme.to_owned(), n.texte("code"), n.texte("display"));
    designations(n, &mut c);
    c
}

fn exclure(n: &Noeud, membres: &mut Vec<Concept>) {
    let exclusions = n.premier("compose").into_iter().flat_map(|c| c.tous("exclude"));
    let exclus: HashSet<(&str, &str)> =
        exclusions.flat_map(|e| e.tous("concept").map(|c| (e.texte("system"), c.texte("code")))).collect();
    membres.retain(|c| !exclus.contains(&(c.systeme.as_str(), c.code.as_str())));
}

fn deplies(n: &Noeud, sortie: &mut Vec<Concept>, reste: u32) {
    for c in n.tous("contains") {
        if c.texte("abstract") != "true" && !c.texte("code").is_empty() {
            let mut m = membre(c, c.texte("system"));
            if c.texte("inactive") == "true" {
                statut("inactive").clone_into(&mut m.statut);
            }
            sortie.push(m);
        }
        if reste > 0 {
            deplies(c, sortie, reste - 1);
        }
    }
}

fn association(n: &Noeud, place: &str, l: &mut Lecture) {
    let mut a = entete(n, Sorte::Ass);
    a.source = n.choix("source").map(|(_, v)| v.valeur.to_string()).unwrap_or_default();
    a.cible = n.choix("target").map(|(_, v)| v.valeur.to_string()).unwrap_or_default();
    for g in n.tous("group") {
        for e in g.tous("element") {
            paires(g, e, &mut a.associations);
        }
    }
    if a.associations.is_empty() {
        let message = format!("{} n'associe aucun code.", a.canonique);
        return l.refuser(
            &format!("{place}group"),
            "contenu-absent",
            message,
            "un ConceptMap avec ses éléments",
        );
    }
    l.nomenclatures.push(a);
}

fn paires(groupe: &Noeud, element: &Noeud, sortie: &mut Vec<Association>) {
    let paire = |cible: Option<&Noeud>| {
        let equivalence = cible.map_or(SANS_CIBLE, |c| c.texte("equivalence"));
        let code_cible = cible.map_or("", |c| c.texte("code"));
        Association {
            systeme_source: groupe.texte("source").to_owned(),
            code_source: element.texte("code").to_owned(),
            systeme_cible: if code_cible.is_empty() {
                String::new()
            } else {
                groupe.texte("target").to_owned()
            },
            code_cible: code_cible.to_owned(),
            equivalence: if equivalence.is_empty() { LIE } else { equivalence }.to_owned(),
            commentaire: cible.map_or("", |c| c.texte("comment")).to_owned(),
        }
    };
    if element.premier("target").is_none() {
        sortie.push(paire(None));
    }
    sortie.extend(element.tous("target").map(|c| paire(Some(c))));
}
