//! `$translate`.

use std::sync::Arc;

use super::{Echec, courantes, dire, tient};
use crate::{
    fhir::terminologie as fhir,
    terminologie::{Edition, Paire, Terminologie, demande::Demande},
};

/// What a translation is bounded by; an empty text bounds nothing.
struct Bornes<'a> {
    source: &'a str,
    cible: &'a str,
    systeme: &'a str,
    /// The target value set, when it is held.
    jeu: Option<Arc<Edition>>,
}

/// A code reached.
struct Correspondance {
    equivalence: String,
    systeme: String,
    code: String,
    /// The table, by canonical and version.
    table: String,
}

/// `$translate`.
pub fn traduire(t: &Terminologie, d: &Demande) -> Result<Vec<u8>, Echec> {
    let tables = if d.nommee() { vec![d.edition(t)?] } else { courantes(t) };
    let inverse = d.oui("reverse", false);
    let cible = d.texte("target").unwrap_or_default();
    let bornes = Bornes {
        source: d.texte("source").unwrap_or_default(),
        cible,
        systeme: d.texte("targetsystem").unwrap_or_default(),
        jeu: t.jeu(cible, "", d.quand).map(|(e, _)| e.clone()),
    };
    let mut trouvees = Vec::new();
    for table in &tables {
        chercher(table, d, &bornes, inverse, &mut trouvees);
    }
    let traduit = trouvees.iter().any(|c| !matches!(c.equivalence.as_str(), "unmatched" | "disjoint"));
    let message = if traduit {
        String::new()
    } else {
        let codes: Vec<String> = d.codages.iter().map(dire).collect();
        format!("Aucune correspondance pour le code {}.", codes.join(", "))
    };
    Ok(fhir::ecrire(|p| {
        fhir::booleen(p, "result", traduit);
        fhir::texte(p, "message", &message);
        for c in &trouvees {
            p.objet(|o| {
                o.texte("name", "match");
                o.tableau("part", |p| {
                    fhir::code(p, "equivalence", &c.equivalence);
                    if !c.code.is_empty() {
                        fhir::valeur(p, "concept", |o| {
                            o.objet("valueCoding", |o| {
                                o.texte("system", &c.systeme);
                                o.texte("code", &c.code);
                                o.texte("display", t.libelle(&c.systeme, &c.code));
                            });
                        });
                    }
                    fhir::valeur(p, "source", |o| o.texte("valueUri", &c.table));
                });
            });
        }
    }))
}

/// What a table gives for the codes, in the order published.
fn chercher(
    e: &Edition,
    d: &Demande,
    bornes: &Bornes<'_>,
    inverse: bool,
    trouvees: &mut Vec<Correspondance>,
) {
    let n = &e.entete;
    let (depart, arrivee) = if inverse { (&n.cible, &n.source) } else { (&n.source, &n.cible) };
    if !bornes.source.is_empty() && !depart.is_empty() && depart != bornes.source {
        return;
    }
    for p in e.paires().toutes() {
        let ((de_systeme, de_code), (systeme, code)) = cotes(&p, inverse);
        let demandee = d.codages.iter().any(|c| c.code == de_code && c.systeme == de_systeme);
        let dans_le_jeu = || bornes.jeu.as_ref().is_some_and(|j| tient(j, systeme, code));
        let vise = bornes.cible.is_empty() || arrivee == bornes.cible || dans_le_jeu();
        if !demandee || !vise || !(bornes.systeme.is_empty() || bornes.systeme == systeme) {
            continue;
        }
        trouvees.push(Correspondance {
            equivalence: if inverse { renverser(p.equivalence) } else { p.equivalence }.to_owned(),
            systeme: systeme.to_owned(),
            code: code.to_owned(),
            table: if n.version.is_empty() { n.canonique.clone() } else { e.id_metier() },
        });
    }
}

/// Where a pair starts from and leads to: system, code.
fn cotes<'p>(p: &Paire<'p>, inverse: bool) -> ((&'p str, &'p str), (&'p str, &'p str)) {
    let (source, cible) = ((p.systeme_source, p.code_source), (p.systeme_cible, p.code_cible));
    if inverse { (cible, source) } else { (source, cible) }
}

/// An equivalence says what the target is to the source: seen from the target, the contrary.
fn renverser(equivalence: &str) -> &str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        autre => autre,
    }
}
