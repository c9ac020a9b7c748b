//! SearchParameter and OperationDefinition as served types: what they are found by, their search.

use std::sync::LazyLock;

use super::definitions::{Definition, HL7, PREFIXES, propres_de, toutes};
use crate::{
    fhir::{json, outcome::Issue},
    http::negociation::format_nomme,
    modele::plier,
    recherche::requete::{NOMBRE, NOMBRE_MAX, decoder},
};

/// A served definition.
#[derive(Clone)]
pub struct Fiche {
    /// Logical id.
    pub id: String,
    /// Canonical.
    pub url: String,
    /// Computer name.
    pub nom: String,
    /// Name in the URL.
    pub code: &'static str,
    /// Types it applies to.
    pub bases: Vec<&'static str>,
    /// Its JSON.
    pub corps: Vec<u8>,
}

/// Every SearchParameter.
pub fn parametres() -> &'static [Fiche] {
    static FICHES: LazyLock<Vec<Fiche>> = LazyLock::new(|| {
        let mut fiches: Vec<Fiche> = toutes().iter().map(fiche).collect();
        fiches.sort_by(|a, b| a.id.cmp(&b.id));
        fiches
    });
    &FICHES
}

fn fiche(d: &Definition) -> Fiche {
    let bases: Vec<&'static str> = d.bases.iter().map(|(t, _)| *t).collect();
    let mut corps = Vec::with_capacity(1024);
    json::document(&mut corps, |o| {
        o.texte("resourceType", "SearchParameter");
        o.texte("id", d.id());
        o.texte("url", &d.url);
        o.texte("version", if d.url.starts_with(HL7) { "4.0.1" } else { "0.7.0" });
        o.texte("name", &d.nom());
        o.texte("status", "active");
        o.texte("date", super::DATE);
        let exemple = if d.exemple.is_empty() { String::new() } else { format!(" Exemple : {}", d.exemple) };
        o.texte("description", &format!("{}{exemple}", d.description()));
        o.texte("code", d.code);
        o.tableau("base", |t| bases.iter().for_each(|b| t.texte(b)));
        o.texte("type", d.sorte);
        o.texte("expression", &d.expressions.join(" | "));
        o.tableau("target", |t| d.cibles.iter().for_each(|c| t.texte(c)));
        o.booleen("multipleOr", d.ou);
        o.booleen("multipleAnd", true);
        o.tableau("comparator", |t| PREFIXES.iter().filter(|_| d.prefixes).for_each(|p| t.texte(p)));
        o.tableau("modifier", |t| d.modificateurs.iter().for_each(|m| t.texte(m)));
        o.tableau("chain", |t| d.chaines.iter().for_each(|c| t.texte(c)));
    });
    Fiche { id: d.id().to_owned(), url: d.url.clone(), nom: d.nom(), code: d.code, bases, corps }
}

/// A checked search.
#[derive(Debug)]
pub struct Requete {
    criteres: Vec<(&'static str, Mode, Vec<String>)>,
    nombre: usize,
    apres: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Debut,
    Contient,
    Exact,
}

/// Reads a query string for one of the two types; every fault at once.
pub fn lire(t: &str, chaine: &str) -> Result<Requete, Vec<Issue>> {
    let mut r = Requete { criteres: Vec::new(), nombre: NOMBRE, apres: String::new() };
    let mut fautes = Vec::new();
    for paire in chaine.split('&').filter(|p| !p.is_empty()) {
        let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
        let (Some(nom), Some(valeur)) = (decoder(nom), decoder(valeur)) else {
            fautes.push(Issue::new(
                "invalid",
                format!(
                    "Le paramètre « {} » est mal encodé. Attendu : de l'UTF-8 encodé pour une URL.",
                    court(nom)
                ),
            ));
            continue;
        };
        if let Err(f) = lire_un(&mut r, t, &nom, &valeur) {
            fautes.push(f);
        }
    }
    if fautes.is_empty() { Ok(r) } else { Err(fautes) }
}

fn lire_un(r: &mut Requete, t: &str, nom: &str, valeur: &str) -> Result<(), Issue> {
    let refus = |code, texte: String| Issue::new(code, texte).sur(court(nom));
    match nom {
        "_format" => {
            format_nomme(valeur).ok_or_else(|| {
                refus(
                    "not-supported",
                    format!("Le format « {} » n'est pas servi. Attendu : json ou xml.", court(valeur)),
                )
            })?;
        }
        "_count" => {
            r.nombre = valeur.parse::<usize>().ok().filter(|n| *n <= NOMBRE_MAX).ok_or_else(|| {
                refus(
                    "value",
                    format!(
                        "« {} » n'est pas une taille de page. Attendu : un entier de 0 à {NOMBRE_MAX}.",
                        court(valeur)
                    ),
                )
            })?;
        }
        // The page link carries the last id under this name.
        "_apres" => r.apres = valeur.to_owned(),
        _ => {
            let (base, modificateur) = nom.split_once(':').map_or((nom, None), |(b, m)| (b, Some(m)));
            let connu = propres_de(t).iter().find(|(n, ..)| *n == base).ok_or_else(|| {
                let connus: Vec<&str> = propres_de(t).iter().map(|(n, ..)| *n).collect();
                refus(
                    "not-supported",
                    format!(
                        "Paramètre « {} » inconnu pour {t}. Attendu : {}, _count, _format.",
                        court(nom),
                        connus.join(", ")
                    ),
                )
            })?;
            let mode = match modificateur {
                None if base == "name" => Mode::Debut,
                None => Mode::Exact,
                Some("contains") if base == "name" => Mode::Contient,
                Some("exact") if base == "name" => Mode::Exact,
                Some(m) => {
                    let admis = if base == "name" { ":contains ou :exact" } else { "aucun modificateur" };
                    return Err(refus(
                        "not-supported",
                        format!("Le modificateur « :{} » n'existe pas ici. Attendu : {admis}.", court(m)),
                    ));
                }
            };
            let valeurs: Vec<String> =
                valeur.split(',').filter(|v| !v.is_empty()).map(str::to_owned).collect();
            if valeurs.is_empty() {
                return Err(refus(
                    "value",
                    format!("Le paramètre « {} » n'a pas de valeur. Attendu : {}", court(nom), connu.2),
                ));
            }
            r.criteres.push((connu.0, mode, valeurs));
        }
    }
    Ok(())
}

fn court(texte: &str) -> String {
    texte.chars().take(60).collect()
}

impl Requete {
    fn retient(&self, f: &Fiche) -> bool {
        self.criteres.iter().all(|(nom, mode, valeurs)| {
            valeurs.iter().any(|v| match *nom {
                "_id" => f.id == *v,
                // A canonical may name a version.
                "url" => v.split('|').next() == Some(f.url.as_str()),
                "code" => v.rsplit('|').next() == Some(f.code),
                "base" => f.bases.iter().any(|b| v.rsplit('|').next() == Some(*b)),
                _ => match mode {
                    Mode::Exact => f.nom == *v,
                    Mode::Debut => plier(&f.nom).starts_with(&plier(v)),
                    Mode::Contient => plier(&f.nom).contains(&plier(v)),
                },
            })
        })
    }
}

/// The searchset of a request over definitions in the order of their ids.
pub fn chercher(fiches: &[Fiche], r: &Requete, racine: &str, chaine: &str) -> Vec<u8> {
    let trouvees: Vec<&Fiche> = fiches.iter().filter(|f| r.retient(f)).collect();
    let total = trouvees.len();
    let suite: Vec<&Fiche> = trouvees.into_iter().filter(|f| f.id > r.apres).collect();
    let page = &suite[..suite.len().min(r.nombre)];
    let suivant = page.last().filter(|_| suite.len() > page.len()).map(|dernier| {
        let reste = chaine.split('&').filter(|p| !p.is_empty() && !p.starts_with("_apres="));
        let reste: String = reste.map(|p| format!("{p}&")).collect();
        format!("{racine}?{reste}_apres={}", dernier.id)
    });
    let soi = if chaine.is_empty() { racine.to_owned() } else { format!("{racine}?{chaine}") };
    let mut corps = Vec::with_capacity(256 + page.iter().map(|f| f.corps.len() + 256).sum::<usize>());
    json::document(&mut corps, |o| {
        o.texte("resourceType", "Bundle");
        o.texte("type", "searchset");
        o.entier("total", i64::try_from(total).unwrap_or(i64::MAX));
        o.tableau("link", |t| {
            for (relation, url) in [("self", Some(&soi)), ("next", suivant.as_ref())] {
                if let Some(url) = url {
                    t.objet(|o| {
                        o.texte("relation", relation);
                        o.texte("url", url);
                    });
                }
            }
        });
        o.tableau("entry", |t| {
            for f in page {
                t.objet(|o| {
                    o.texte("fullUrl", &format!("{racine}/{}", f.id));
                    o.brut("resource", &f.corps);
                    o.objet("search", |o| o.texte("mode", "match"));
                });
            }
        });
    });
    corps
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const RACINE: &str = "http://h/SearchParameter";

    fn trouver(chaine: &str) -> Value {
        let r = lire("SearchParameter", chaine).unwrap();
        serde_json::from_slice(&chercher(parametres(), &r, RACINE, chaine)).unwrap()
    }

    #[test]
    fn every_parameter_of_the_table_is_served_and_found() {
        for p in crate::recherche::parametres::PARAMETRES {
            let url = super::super::definitions::canonique(p);
            let b = trouver(&format!("url={url}&base={}", p.type_fhir.nom()));
            assert_eq!(b["total"], 1, "{url}");
            let r = &b["entry"][0]["resource"];
            assert_eq!(r["code"], p.nom);
            assert_eq!(r["type"], p.genre.nom());
            assert!(r["expression"].as_str().is_some_and(|e| e.contains(p.expression)));
            for champ in ["url", "name", "status", "description", "base"] {
                assert!(!r[champ].is_null(), "{url}: {champ}");
            }
        }
    }

    #[test]
    fn criteria_narrow_and_a_page_leads_to_the_next() {
        assert_eq!(trouver("code=near&base=Location")["total"], 1);
        assert_eq!(trouver("code=nb-capacity,near")["total"], 2);
        assert_eq!(trouver("name:contains=capacity&base=Organization")["total"], 0);
        assert!(trouver("name=ror")["total"].as_u64() > Some(30));
        assert_eq!(trouver("_count=0").get("entry"), None);
        let (mut vus, mut chaine) = (Vec::new(), "base=Location&_count=7".to_owned());
        loop {
            let b = trouver(&chaine);
            let entrees = b["entry"].as_array().unwrap();
            vus.extend(entrees.iter().map(|e| e["resource"]["id"].as_str().unwrap().to_owned()));
            let Some(suite) = b["link"].as_array().unwrap().iter().find(|l| l["relation"] == "next") else {
                break;
            };
            chaine = suite["url"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
        }
        let total = trouver("base=Location")["total"].as_u64();
        assert_eq!(Some(vus.len() as u64), total);
        vus.dedup();
        assert_eq!(Some(vus.len() as u64), total);
    }

    #[test]
    fn every_fault_names_its_parameter_and_what_would_be_accepted() {
        let fautes = lire(
            "OperationDefinition",
            "couleur=bleu&base=Location&url:below=x&_count=-1&name=&_format=turtle&%=1&code",
        )
        .unwrap_err();
        assert_eq!(fautes.len(), 8, "{fautes:?}");
        assert!(fautes.iter().all(|f| f.diagnostics.contains("Attendu : ")));
    }

    #[test]
    fn prefixes_modifiers_chains_and_targets_are_told() {
        let r = |id: &str| trouver(&format!("_id={id}"))["entry"][0]["resource"].clone();
        assert_eq!(r("ror-sp-nb-capacity")["comparator"].as_array().map(Vec::len), Some(9));
        assert_eq!(r("Location-name")["modifier"], serde_json::json!(["contains", "exact", "missing"]));
        let porteur = r("HealthcareService-organization");
        assert_eq!(porteur["target"], serde_json::json!(["Organization"]));
        assert!(porteur["chain"].as_array().is_some_and(|c| c.iter().any(|n| n == "period-end")));
        assert!(r("Resource-id").get("modifier").is_none());
    }
}
