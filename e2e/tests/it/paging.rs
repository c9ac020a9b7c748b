//! Pages of a search.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Rapport,
    client::lien,
    fhir::{GENRES, entrees, issue, tableau, texte},
};
use serde_json::Value;

use crate::monde::Monde;

/// Matches of a page unless `_count` says otherwise.
const PAGE: usize = 200;

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("paging: a Bundle of type searchset", bundle(m)).await;
    for genre in GENRES {
        r.verifier(&format!("paging: 200 {genre} a page, each once"), promenade(m, genre, None)).await;
        r.verifier(&format!("paging: 37 {genre} a page, each once"), promenade(m, genre, Some(37))).await;
    }
    r.verifier("paging: pages count matches, not what they include", avec_inclusions(m)).await;
    r.verifier("paging: nothing found is 200 and total 0", vide(m)).await;
    r.verifier("paging: previous links lead back the same way", retour(m)).await;
    r.verifier("paging: a link serves its caller and its query only", liens_d_autrui(m)).await;
}

/// Three pages forward, then back.
async fn retour(m: &Monde) -> Result<()> {
    let mut page = m.p1.chercher("HealthcareService", &[("_count", "4")]).await?.attendre(200)?;
    ensure!(lien(&page.corps, "previous").is_none(), "something comes before the first page");
    let mut vues = Vec::new();
    for _ in 0..3 {
        vues.push(page.corps["entry"].clone());
        let suivante = lien(&page.corps, "next").context("no next link")?.to_owned();
        page = m.p1.suivre(&suivante).await?.attendre(200)?;
    }
    while let Some(avant) = vues.pop() {
        let precedente = lien(&page.corps, "previous").context("no previous link")?.to_owned();
        page = m.p1.suivre(&precedente).await?.attendre(200)?;
        ensure!(page.corps["entry"] == avant, "another page on the way back, {} before it", vues.len());
    }
    ensure!(lien(&page.corps, "previous").is_none(), "something comes before the first page");
    Ok(())
}

async fn liens_d_autrui(m: &Monde) -> Result<()> {
    let page = m.p0.chercher("HealthcareService", &[("_count", "3")]).await?.attendre(200)?;
    let suivante = lien(&page.corps, "next").context("no next link")?;
    issue(&m.p1.suivre(suivante).await?, 400, "value")?;
    issue(&m.p0.suivre(&suivante.replace("_count=3", "_count=4")).await?, 400, "value")?;
    m.p0.suivre(suivante).await?.attendre(200)?;
    Ok(())
}

async fn bundle(m: &Monde) -> Result<()> {
    let page = m.p1.chercher("HealthcareService", &[("_count", "3")]).await?.attendre(200)?;
    let genre = page.entete("content-type").unwrap_or_default();
    ensure!(genre.starts_with("application/fhir+json"), "content type {genre:?}");
    ensure!(texte(&page.corps, "/resourceType") == "Bundle", "resourceType");
    ensure!(texte(&page.corps, "/type") == "searchset", "type");
    ensure!(lien(&page.corps, "self").is_some(), "no self link");
    let suivante = lien(&page.corps, "next").context("no next link")?;
    let base = &m.p1.base;
    ensure!(suivante.starts_with(base.as_str()), "the next link {suivante} leaves {base}");
    for entree in tableau(&page.corps, "entry") {
        let fin = format!("/HealthcareService/{}", texte(entree, "/resource/id"));
        ensure!(texte(entree, "/fullUrl").ends_with(&fin), "fullUrl {}", entree["fullUrl"]);
        ensure!(texte(entree, "/search/mode") == "match", "mode");
    }
    Ok(())
}

async fn promenade(m: &Monde, genre: &str, taille: Option<usize>) -> Result<()> {
    let compte = taille.map(|t| t.to_string());
    let parametres: Vec<(&str, &str)> = compte.iter().map(|c| ("_count", c.as_str())).collect();
    let pages = m.p1.pages(genre, &parametres).await?;
    let taille = taille.unwrap_or(PAGE);
    let mut vus = BTreeSet::new();
    let (total, derniere) = (m.vue1.ids(genre).len(), pages.len() - 1);
    for (rang, page) in pages.iter().enumerate() {
        ensure!(
            page["total"].as_u64() == Some(total as u64),
            "page {rang}: total {} / {total}",
            page["total"]
        );
        let nombre = tableau(page, "entry").len();
        let pleine = nombre == taille || (rang == derniere && nombre <= taille && (nombre > 0 || total == 0));
        ensure!(pleine, "page {rang} of {}: {nombre} entries", pages.len());
        for (_, ressource) in entrees(page) {
            let id = texte(ressource, "/id");
            ensure!(vus.insert(id.to_owned()), "{id} twice");
        }
    }
    ensure!(vus == m.vue1.ids(genre), "{} ids instead of {total}", vus.len());
    Ok(())
}

async fn avec_inclusions(m: &Monde) -> Result<()> {
    let parametres = [
        ("_include", "HealthcareService:location"),
        ("_include", "HealthcareService:organization"),
        ("_count", "50"),
    ];
    let pages = m.p1.pages("HealthcareService", &parametres).await?;
    let total = m.vue1.ids("HealthcareService").len();
    let mut vus = BTreeSet::new();
    for page in &pages {
        ensure!(page["total"].as_u64() == Some(total as u64), "total {}", page["total"]);
        let (trouves, inclus): (Vec<_>, Vec<_>) = entrees(page).partition(|(mode, _)| *mode == "match");
        ensure!(trouves.len() <= 50, "{} matches", trouves.len());
        ensure!(!inclus.is_empty(), "a page without what it includes");
        let ids = |l: &[(&str, &Value)]| -> Vec<String> {
            l.iter().map(|(_, r)| texte(r, "/id").to_owned()).collect()
        };
        for id in ids(&trouves) {
            ensure!(vus.insert(id.clone()), "{id} twice");
        }
        let (liste, ensemble) = (ids(&inclus), ids(&inclus).into_iter().collect::<BTreeSet<_>>());
        ensure!(liste.len() == ensemble.len(), "something is included twice in a page");
    }
    ensure!(vus.len() == total, "{} matches instead of {total}", vus.len());
    Ok(())
}

async fn vide(m: &Monde) -> Result<()> {
    for genre in GENRES {
        let page = m.p1.chercher(genre, &[("identifier", "aucun-identifiant")]).await?.attendre(200)?;
        ensure!(page.corps["total"] == 0, "{genre}: total {}", page.corps["total"]);
        ensure!(tableau(&page.corps, "entry").is_empty(), "{genre}: entries");
        ensure!(lien(&page.corps, "next").is_none(), "{genre}: a next link");
    }
    Ok(())
}
