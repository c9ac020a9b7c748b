//! Whether the pages of an answer are what brute force expects.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    coupe,
    inclusion::{Rang, inclus},
    index::Index,
    parametres::Genre,
    proximite::MARGE,
    requete::{PAGE, Requete},
    tri::ordonnes,
};
use crate::fhir::{extensions, tableau, texte};

/// Ids told of a difference.
const MONTRES: usize = 8;
const DISTANCE: &str = "http://hl7.org/fhir/StructureDefinition/location-distance";

/// A difference, told.
#[derive(Clone, Debug)]
pub struct Ecart(pub String);

/// What the matches are, and whether they are as they must be.
#[derive(Debug)]
pub struct Verdict {
    /// Number of matches expected.
    pub attendus: usize,
    pub ecart: Option<Ecart>,
}

/// One entry.
struct Entree<'p> {
    mode: &'p str,
    rang: Rang,
    recherche: &'p Value,
    ressource: &'p Value,
}

/// Compares an answer, read to its last page.
pub fn verifier(index: &Index, requete: &Requete, pages: &[Value]) -> Verdict {
    let attendues = index.repondre(requete);
    let attendus = attendues.iter().filter(|a| **a).count();
    let ecart = comparer(index, requete, pages, &attendues, attendus).err().map(Ecart);
    Verdict { attendus, ecart }
}

fn comparer(
    index: &Index,
    requete: &Requete,
    pages: &[Value],
    attendues: &[bool],
    attendus: usize,
) -> Result<(), String> {
    let mut recus: Vec<usize> = Vec::new();
    let taille = requete.nombre.unwrap_or(PAGE);
    let mut fautes = Vec::new();
    for (numero, page) in pages.iter().enumerate() {
        let total = page["total"].as_u64();
        let voulu = (requete.total != Some("none")).then_some(attendus as u64);
        if total != voulu {
            fautes.push(format!("page {numero}: total {total:?} instead of {voulu:?}"));
        }
        let entrees = lire(index, page)?;
        let de_la_page: Vec<usize> = entrees.iter().filter(|e| e.mode == "match").map(|e| e.rang.1).collect();
        if entrees.iter().any(|e| e.mode == "match" && e.rang.0 != requete.genre) {
            return Err(format!("page {numero}: a match of another type"));
        }
        let pleine = de_la_page.len() == taille || numero + 1 == pages.len();
        if de_la_page.len() > taille || !pleine {
            fautes.push(format!("page {numero} of {}: {} matches", pages.len(), de_la_page.len()));
        }
        fautes.extend(inclusions(index, requete, &entrees, &de_la_page));
        fautes.extend(distances(index, requete, &entrees));
        fautes.extend(coupees(index, requete, &entrees));
        recus.extend(de_la_page);
    }
    if !requete.compte && taille > 0 {
        fautes.extend(ensembles(index, requete.genre, attendues, &recus));
    } else if !recus.is_empty() {
        fautes.push("matches in a count".to_owned());
    }
    let cles: Vec<_> = recus.iter().map(|r| index.cles(requete, *r)).collect();
    let faux = cles.windows(2).position(|deux| !ordonnes(&requete.tri, &deux[0], &deux[1]));
    if let Some(rang) = faux {
        let noms: Vec<&str> = recus[rang..rang + 2].iter().map(|r| id(index, (requete.genre, *r))).collect();
        fautes.push(format!("order: {noms:?}, keys {:?}", &cles[rang..rang + 2]));
    }
    if fautes.is_empty() { Ok(()) } else { Err(fautes.join("\n  ")) }
}

fn lire<'p>(index: &Index, page: &'p Value) -> Result<Vec<Entree<'p>>, String> {
    let mut entrees = Vec::new();
    for entree in tableau(page, "entry") {
        let (mode, ressource) = (texte(entree, "/search/mode"), &entree["resource"]);
        if mode == "outcome" {
            continue;
        }
        let (genre, id) = (texte(ressource, "/resourceType"), texte(ressource, "/id"));
        let connue = Genre::de_nom(genre).and_then(|g| Some((g, *index.table(g).rangs.get(id)?)));
        let Some(rang) = connue else {
            return Err(format!("{mode} {genre}/{id} is not in the export"));
        };
        entrees.push(Entree { mode, rang, recherche: &entree["search"], ressource });
    }
    Ok(entrees)
}

fn id(index: &Index, rang: Rang) -> &str {
    &index.table(rang.0).lignes[rang.1].id
}

/// A few ids, and how many there are.
fn montrer(index: &Index, rangs: &[Rang]) -> String {
    let noms: Vec<String> =
        rangs.iter().take(MONTRES).map(|r| format!("{}/{}", r.0.nom(), id(index, *r))).collect();
    format!("{} [{}{}]", rangs.len(), noms.join(", "), if rangs.len() > MONTRES { ", …" } else { "" })
}

fn ensembles(index: &Index, genre: Genre, attendues: &[bool], recus: &[usize]) -> Vec<String> {
    let mut fautes = Vec::new();
    let vus: BTreeSet<usize> = recus.iter().copied().collect();
    if vus.len() < recus.len() {
        fautes.push(format!("{} matches for {} resources", recus.len(), vus.len()));
    }
    let rangs = |choisir: &dyn Fn(usize) -> bool| -> Vec<Rang> {
        (0..attendues.len()).filter(|r| choisir(*r)).map(|r| (genre, r)).collect()
    };
    let manquants = rangs(&|r| attendues[r] && !vus.contains(&r));
    let intrus = rangs(&|r| !attendues[r] && vus.contains(&r));
    if !manquants.is_empty() || !intrus.is_empty() {
        fautes.push(format!(
            "expected {}\n  got {}\n  missing {}\n  not expected {}",
            montrer(index, &rangs(&|r| attendues[r])),
            montrer(index, &rangs(&|r| vus.contains(&r))),
            montrer(index, &manquants),
            montrer(index, &intrus),
        ));
    }
    fautes
}

fn inclusions(
    index: &Index,
    requete: &Requete,
    entrees: &[Entree<'_>],
    de_la_page: &[usize],
) -> Option<String> {
    let liste: Vec<Rang> = entrees.iter().filter(|e| e.mode == "include").map(|e| e.rang).collect();
    let vus: BTreeSet<Rang> = liste.iter().copied().collect();
    if vus.len() < liste.len() {
        return Some(format!("{} includes for {} resources", liste.len(), vus.len()));
    }
    let voulus = inclus(index, requete.genre, de_la_page, &requete.inclusions)?;
    let manquants: Vec<Rang> = voulus.difference(&vus).copied().collect();
    let intrus: Vec<Rang> = vus.difference(&voulus).copied().collect();
    (!manquants.is_empty() || !intrus.is_empty()).then(|| {
        format!(
            "includes of {} matches: expected {}, got {}; missing {}, not expected {}",
            de_la_page.len(),
            voulus.len(),
            vus.len(),
            montrer(index, &manquants),
            montrer(index, &intrus)
        )
    })
}

/// Each place carries its distance from the first point given.
fn distances(index: &Index, requete: &Requete, entrees: &[Entree<'_>]) -> Option<String> {
    let cercle = requete.premier_cercle()?;
    for entree in entrees.iter().filter(|e| e.rang.0 == Genre::Location) {
        let voulue = index.metres(&cercle.centre, &index.table(Genre::Location).lignes[entree.rang.1]);
        let dites: Vec<f64> = extensions(entree.recherche, DISTANCE).filter_map(en_metres).collect();
        let juste = match (voulue, dites.as_slice()) {
            (None, []) => true,
            (Some(voulue), [dite]) => (voulue - dite).abs() < MARGE,
            _ => false,
        };
        if !juste {
            return Some(format!(
                "distance of {}: {dites:?} m instead of {voulue:?}",
                id(index, entree.rang)
            ));
        }
    }
    None
}

/// Members cut as asked, told of the first resource that is not.
fn coupees(index: &Index, requete: &Requete, entrees: &[Entree<'_>]) -> Option<String> {
    entrees.iter().find_map(|e| {
        let faute = coupe::verifier(index, requete, e.rang, e.ressource)?;
        Some(format!("{}: {faute}", montrer(index, &[e.rang])))
    })
}

fn en_metres(extension: &Value) -> Option<f64> {
    let distance = &extension["valueDistance"];
    let facteur = match distance["code"].as_str().or(distance["unit"].as_str())? {
        "km" => 1000.0,
        "m" => 1.0,
        _ => return None,
    };
    Some(distance["value"].as_f64()? * facteur)
}
