//! Wrong requests: the status, and an OperationOutcome that names the fault.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Rapport,
    client::{appeler, requete},
    fhir::{GENRES, issue, issues, texte},
};

use crate::monde::Monde;

/// type, parameter, value, text the diagnostics must name.
const CAS: &[(&str, &str, &str, &str)] = &[
    ("HealthcareService", "specialty:bidule", "005", "specialty"),
    ("HealthcareService", "specialty", "|", "specialty"),
    ("HealthcareService", "specialty", "", "specialty"),
    ("HealthcareService", "_lastUpdated", "hier", "_lastUpdated"),
    ("HealthcareService", "_lastUpdated", "ge2026-13-45", "_lastUpdated"),
    ("Organization", "_lastUpdated", "2026-02-30", "_lastUpdated"),
    ("Organization", "_lastUpdated", "zz2026-01-01", "_lastUpdated"),
    ("Location", "_lastUpdated", "ge", "_lastUpdated"),
    ("Organization", "_id", "pas un id !", "_id"),
    ("Location", "_count", "beaucoup", "_count"),
    ("Location", "_count", "-1", "_count"),
    ("Practitioner", "organization.identifier:above", "1", "organization"),
    ("HealthcareService", "organization.bidule", "1", "bidule"),
    ("Practitioner", "name", "x", "name"),
    ("PractitionerRole", "savoir-faire", "x", "savoir-faire"),
];

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("erreurs: unknown parameter on each type", inconnus(m)).await;
    for &(genre, nom, valeur, dit) in CAS {
        r.verifier(&format!("erreurs: {genre}?{nom}={valeur}"), fautif(m, genre, nom, valeur, dit)).await;
    }
    r.verifier("erreurs: several faults are told at once", plusieurs(m)).await;
    r.verifier("erreurs: each Ror-* header is demanded", entetes(m)).await;
    r.verifier("erreurs: each Ror-* header is true", entetes_faux(m)).await;
    r.verifier("erreurs: unknown ids and types", introuvables(m)).await;
    r.verifier("erreurs: interactions that do not exist", methodes(m)).await;
}

async fn fautif(m: &Monde, genre: &str, nom: &str, valeur: &str, dit: &str) -> Result<()> {
    let reponse = m.p1.chercher(genre, &[(nom, valeur)]).await?;
    let issues = issues(&reponse, &[400])?;
    let nomme = issues.iter().any(|i| texte(i, "/diagnostics").contains(dit));
    ensure!(nomme, "diagnostics do not name {dit}: {issues:?}");
    Ok(())
}

async fn inconnus(m: &Monde) -> Result<()> {
    for genre in GENRES {
        fautif(m, genre, "bidule", "1", "bidule").await.with_context(|| genre.to_owned())?;
    }
    Ok(())
}

async fn plusieurs(m: &Monde) -> Result<()> {
    let parametres = [("bidule", "1"), ("_lastUpdated", "hier"), ("_count", "x")];
    let reponse = m.p1.chercher("Location", &parametres).await?;
    let issues = issues(&reponse, &[400])?;
    for (nom, _) in parametres {
        ensure!(
            issues.iter().any(|i| texte(i, "/diagnostics").contains(nom)),
            "nothing on {nom}: {issues:?}"
        );
    }
    Ok(())
}

async fn entetes(m: &Monde) -> Result<()> {
    ensure!(m.p1.entetes.len() == 4, "demo.json: {} headers", m.p1.entetes.len());
    for (retire, _) in &m.p1.entetes {
        let reste: Vec<_> = m.p1.entetes.iter().filter(|(n, _)| n != retire).cloned().collect();
        for genre in GENRES {
            let id = m.vue1.tous(genre).next().map(|r| texte(r, "/id")).context("one of each")?;
            for chemin in [format!("{genre}?_count=1"), format!("{genre}/{id}")] {
                let reponse = m.p1.lire_avec(&format!("{}/{chemin}", m.p1.base), &reste).await?;
                let issues =
                    issues(&reponse, &[400]).with_context(|| format!("{chemin} without {retire}"))?;
                let bas = retire.to_lowercase();
                let nomme = issues.iter().any(|i| texte(i, "/diagnostics").to_lowercase().contains(&bas));
                ensure!(nomme, "diagnostics do not name {retire}: {issues:?}");
            }
        }
    }
    Ok(())
}

async fn entetes_faux(m: &Monde) -> Result<()> {
    let url = format!("{}/Organization?_count=1", m.p1.base);
    for (faux, _) in &m.p1.entetes {
        let fausser = |(n, v): &(String, String)| {
            let v = if n == faux { format!("{v}x") } else { v.clone() };
            (n.clone(), v)
        };
        let entetes: Vec<_> = m.p1.entetes.iter().map(fausser).collect();
        let issue = issue(&m.p1.lire_avec(&url, &entetes).await?, 403, "forbidden")?;
        let dit = texte(&issue, "/diagnostics").to_lowercase();
        ensure!(dit.contains(&faux.to_lowercase()), "diagnostics do not name {faux}: {dit}");
    }
    // A search by POST demands none of them.
    let porteur = format!("Bearer {}", m.p1.jeton().await?);
    let forme = [("authorization", porteur.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let url = format!("{}/Organization/_search", m.p1.base);
    appeler(&m.p1.http, Method::POST, &url, &forme, Some("_count=1")).await?.attendre(200)?;
    Ok(())
}

async fn introuvables(m: &Monde) -> Result<()> {
    for genre in GENRES {
        let reponse = m.p1.lire(&format!("{genre}/n-existe-pas")).await?;
        let issue = issue(&reponse, 404, "not-found")?;
        ensure!(texte(&issue, "/diagnostics").contains("n-existe-pas"), "{issue}");
        // An id that cannot be is no place to find anything either.
        issues(&m.p1.lire(&format!("{genre}/pas%20un%20id")).await?, &[400, 404])?;
    }
    // An address that is no text is refused as all else is.
    issues(&m.p1.lire("Location/%FF").await?, &[400])?;
    // Another type's id is unknown here.
    let offre = m.exemple("offre_id")?;
    issue(&m.p1.lire(&format!("Location/{offre}")).await?, 404, "not-found")?;
    for chemin in ["Patient/1", "Patient", "Bidule?_count=1"] {
        issues(&m.p1.lire(chemin).await?, &[404]).with_context(|| chemin.to_owned())?;
    }
    Ok(())
}

async fn methodes(m: &Monde) -> Result<()> {
    let url = format!("{}/Organization/{}", m.p1.base, m.exemple("eg_id")?);
    let porteur = format!("Bearer {}", m.p1.jeton().await?);
    for methode in [Method::DELETE, Method::PUT] {
        let entetes = [("authorization", porteur.as_str()), ("content-type", "application/fhir+json")];
        let reponse = appeler(&m.p1.http, methode.clone(), &url, &entetes, Some("{}")).await?;
        issues(&reponse, &[403, 404, 405]).with_context(|| methode.to_string())?;
    }
    let chemin = format!("Organization?{}", requete(&[("name", &"x".repeat(20_000))]));
    let reponse = m.p1.lire(&chemin).await?;
    ensure!(reponse.statut < 500, "a parameter of 20,000 letters: status {}", reponse.statut);
    Ok(())
}
