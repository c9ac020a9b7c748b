//! The operations, from a checked request to the bytes of the answer.

mod traduction;

use std::sync::Arc;

use ror_chassis::conversion::{horodatage, maintenant};
use ror_domaine::ressource::id_deterministe;

pub use traduction::traduire;

use super::{
    Edition, Genre, Terminologie,
    demande::Demande,
    iso,
    parametres::PAGE_MAX,
    regard::{Appartenance, Concept, Regard},
    textes::{Filtre, plier},
};
use crate::fhir::{
    outcome::Issue,
    temps,
    terminologie::{self as fhir, Codage, Echo, Expansion},
};

/// Why an operation has no result.
#[derive(Debug)]
pub enum Echec {
    /// Nothing by that name.
    Introuvable(Issue),
    /// Too much to answer at once.
    TropLong(Issue),
}

/// `$lookup`.
pub fn chercher(t: &Terminologie, d: &Demande) -> Result<Vec<u8>, Echec> {
    let e = d.edition(t)?;
    let codage = d.codages.first().cloned().unwrap_or_default();
    let groupe = if codage.systeme.is_empty() { Some(0) } else { e.groupe_de(&codage.systeme) };
    let Some(rang) = groupe.and_then(|g| e.chercher(g, &codage.code)) else {
        let partiel = if e.entete.complete { "" } else { ", dont la liste n'est pas complète" };
        let message = format!("Le code « {} » n'est pas dans {}{partiel}.", codage.code, e.titre());
        return Err(Echec::Introuvable(Issue::new("not-found", message).sur("code")));
    };
    let c = Regard::nouveau(t, &e).lire(rang);
    let demandees: Vec<&str> = d.textes("property").collect();
    let voulue = |nom: &str| demandees.is_empty() || demandees.contains(&nom);
    Ok(fhir::ecrire(|p| {
        fhir::texte(p, "name", e.titre());
        fhir::texte(p, "version", &e.entete.version);
        fhir::texte(p, "display", if c.libelle.is_empty() { c.code } else { c.libelle });
        if voulue("designation") || demandees.iter().any(|d| d.starts_with("lang.fr")) {
            for (usage, nom, libelle) in fhir::designations(&c) {
                p.objet(|o| {
                    o.texte("name", "designation");
                    o.tableau("part", |p| {
                        fhir::code(p, "language", "fr");
                        fhir::valeur(p, "use", |o| {
                            o.objet("valueCoding", |o| {
                                o.texte("code", usage);
                                o.texte("display", nom);
                            });
                        });
                        fhir::texte(p, "value", libelle);
                    });
                });
            }
        }
        for (code, nature, v) in proprietes(&e, &c, rang, d) {
            if voulue(&code) && !v.is_empty() {
                fhir::propriete(p, &code, nature, &v);
            }
        }
        // Told only when asked: the scan is that of the whole list.
        if demandees.contains(&"child") {
            for enfant in e.enfants(c.code) {
                fhir::propriete(p, "child", "code", enfant);
            }
        }
    }))
}

/// Properties of a looked up code: code, type, value.
fn proprietes<'e>(e: &'e Edition, c: &Concept<'e>, rang: u32, d: &Demande) -> Vec<(String, &'e str, String)> {
    let inactif = !c.vie.utilisable(d.quand.jour);
    let mut p = vec![
        ("definition".to_owned(), "string", c.definition.to_owned()),
        ("inactive".to_owned(), "boolean", inactif.to_string()),
    ];
    p.extend(fhir::proprietes_de_vie(c.vie).map(|(code, nature, v)| (code.to_owned(), nature, v)));
    p.extend(e.proprietes(rang).map(|x| (x.code.to_owned(), x.nature, x.valeur.to_owned())));
    p
}

/// `$validate-code`: an answer even for a code that nobody knows.
pub fn valider(t: &Terminologie, d: &Demande) -> Result<Vec<u8>, Echec> {
    let (e, _) = d.jeu(t)?;
    let regard = Regard::nouveau(t, &e);
    let avis: Vec<Appartenance> = d.codages.iter().map(|c| regard.appartient(c, d.quand.jour)).collect();
    // One code of a concept is enough.
    let bon = avis.iter().find(|a| a.valide);
    let message = match bon {
        Some(a) => a.motif.clone(),
        None => avis.iter().map(|a| a.motif.as_str()).collect::<Vec<_>>().join(" "),
    };
    let libelle = bon.or(avis.first()).map_or("", |a| a.libelle.as_str());
    Ok(fhir::ecrire(|p| {
        fhir::booleen(p, "result", bon.is_some());
        fhir::texte(p, "message", &message);
        fhir::texte(p, "display", libelle);
    }))
}

/// `$expand`.
pub fn deplier(t: &Terminologie, d: &Demande) -> Result<Vec<u8>, Echec> {
    let (e, entier) = d.jeu(t)?;
    let regard = Regard::nouveau(t, &e);
    let filtre = d.texte("filter").unwrap_or_default();
    let actifs = d.oui("activeOnly", true);
    let (offset, count) = (d.entier("offset"), d.entier("count"));
    let par_pages = offset.is_some() || count.is_some();
    let (debut, limite) = (offset.unwrap_or(0), count.unwrap_or(PAGE_MAX));
    let (rangs, total) = regard.deplier(Filtre::lire(filtre).as_ref(), d.quand.jour, !actifs, debut, limite);
    if !par_pages && total > PAGE_MAX {
        let message = format!(
            "{} compte {total} codes, plus que les {PAGE_MAX} d'une réponse. Attendu : count et offset, ou un filter.",
            e.titre()
        );
        return Err(Echec::TropLong(Issue::new("too-costly", message).sur("count")));
    }
    let adresse = url(&e, entier);
    let expansion = Expansion {
        url: &adresse,
        entier,
        identifiant: identifiant(&e, &regard, d, filtre, actifs),
        instant: temps::ecrire_instant(&horodatage(maintenant())).unwrap_or_default(),
        jour: d.quand.jour,
        total,
        offset: par_pages.then_some(debut),
        rangs,
        parametres: parametres(&e, &regard, d, actifs),
        designations: d.oui("includeDesignations", false),
        definition: d.oui("includeDefinition", false),
        edition: &e,
        regard: &regard,
    };
    Ok(expansion.ecrire())
}

fn url(e: &Edition, entier: bool) -> String {
    let suite = if entier { super::TOUT_LE_SYSTEME } else { "" };
    format!("{}{suite}", e.entete.canonique)
}

/// The same for the pages of one expansion, another when anything that makes it changes.
fn identifiant(e: &Edition, regard: &Regard<'_>, d: &Demande, filtre: &str, actifs: bool) -> String {
    let mut cle = format!("{}|{actifs}|{}|", d.quand.jour, plier(&[filtre]));
    cle.push_str(filtre.trim());
    for x in std::iter::once(e).chain(regard.sources()) {
        cle.push_str(&format!("|{}|{}", x.id_metier(), x.etiquette()));
    }
    format!("urn:uuid:{}", id_deterministe("expansion", &cle))
}

/// What made the expansion, to be told with it.
fn parametres(e: &Edition, regard: &Regard<'_>, d: &Demande, actifs: bool) -> Vec<(&'static str, Echo)> {
    let mut p = Vec::new();
    if let Some(f) = d.texte("filter") {
        p.push(("filter", Echo::Texte(f.to_owned())));
    }
    p.push(("date", Echo::Date(iso(d.quand.jour))));
    p.push(("activeOnly", Echo::Booleen(actifs)));
    for nom in ["includeDesignations", "includeDefinition", "excludeNested"] {
        if d.texte(nom).is_some() {
            p.push((nom, Echo::Booleen(d.oui(nom, false))));
        }
    }
    for nom in ["offset", "count"] {
        if let Some(n) = d.entier(nom) {
            p.push((nom, Echo::Entier(n)));
        }
    }
    let propre = (e.genre == Genre::CodeSystem).then_some(e);
    for x in propre.into_iter().chain(regard.sources()).filter(|x| !x.entete.version.is_empty()) {
        p.push(("version", Echo::Uri(x.id_metier())));
    }
    p
}

/// The current associations.
fn courantes(t: &Terminologie) -> Vec<Arc<Edition>> {
    let courante = |e: &&Arc<Edition>| {
        let c = t.courante(Genre::ConceptMap, &e.entete.canonique);
        c.is_some_and(|c| c.entete.version == e.entete.version)
    };
    t.toutes(Genre::ConceptMap, None).filter(courante).cloned().collect()
}

/// Whether a version holds a code.
pub(super) fn tient(e: &Edition, systeme: &str, code: &str) -> bool {
    e.groupe_de(systeme).and_then(|g| e.chercher(g, code)).is_some()
}

/// A code for people.
fn dire(c: &Codage) -> String {
    format!("« {} » ({})", c.code, c.systeme)
}
