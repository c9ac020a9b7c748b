//! The home page, for people.

use anyhow::{Context, Result, ensure};
use ror_e2e::{Rapport, client::requete, fhir::plier};

use crate::{monde::Monde, sante::page};

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("accueil: French page with heading and main part", structure(m)).await;
    r.verifier("accueil: every field of the search has a label", etiquettes(m)).await;
    r.verifier("accueil: shows the state of each part", parties(m)).await;
    r.verifier("accueil: search by activity and place shows free beds", recherche(m)).await;
    r.verifier("accueil: hostile search text comes back escaped", hostile(m)).await;
}

async fn html(m: &Monde, chemin: &str) -> Result<String> {
    let reponse = page(m, chemin).await?.attendre(200)?;
    let genre = reponse.entete("content-type").unwrap_or_default();
    ensure!(genre.starts_with("text/html"), "content type {genre:?}");
    Ok(reponse.texte)
}

/// Opening tags of that name.
fn balises<'a>(html: &'a str, nom: &str) -> Vec<&'a str> {
    let ouverture = format!("<{nom}");
    let debuts = html.match_indices(&ouverture).map(|(rang, _)| &html[rang..]);
    let ouvrantes = debuts.filter(|reste| reste[ouverture.len()..].starts_with([' ', '>', '\n', '/']));
    ouvrantes.map(|reste| reste.split_once('>').map_or(reste, |(balise, _)| balise)).collect()
}

fn attribut<'a>(balise: &'a str, nom: &str) -> Option<&'a str> {
    let motif = format!("{nom}=\"");
    let mut rangs = balise.match_indices(motif.as_str()).map(|(rang, _)| rang);
    let rang = rangs.find(|rang| balise[..*rang].ends_with(char::is_whitespace))?;
    balise[rang + motif.len()..].split_once('"').map(|(valeur, _)| valeur)
}

/// Visible controls of the page.
fn champs(html: &str) -> Vec<&str> {
    let mut champs = balises(html, "select");
    let saisies = balises(html, "input").into_iter();
    champs.extend(saisies.filter(|b| !matches!(attribut(b, "type"), Some("hidden" | "submit" | "button"))));
    champs
}

async fn structure(m: &Monde) -> Result<()> {
    let html = html(m, "/").await?;
    let langue = balises(&html, "html").first().copied().and_then(|b| attribut(b, "lang"));
    ensure!(langue == Some("fr"), "lang {langue:?}");
    for (nom, nombre) in [("h1", 1), ("main", 1), ("title", 1)] {
        ensure!(balises(&html, nom).len() == nombre, "{} elements {nom}", balises(&html, nom).len());
    }
    ensure!(!balises(&html, "form").is_empty(), "no form");
    // The page of the demo reads under profile 2.
    let total = m.vue2.ids("HealthcareService").len().to_string();
    let comptes = html.split_once("<dl class=\"comptes\">").and_then(|(_, suite)| suite.split_once("</dl>"));
    let comptes = comptes.context("no counts")?.0.split("<dd>").skip(1);
    let chiffres =
        |c: &str| -> String { c.chars().take_while(|c| *c != '<').filter(char::is_ascii_digit).collect() };
    let comptes: Vec<String> = comptes.map(chiffres).collect();
    ensure!(comptes.get(1) == Some(&total), "{comptes:?}: {total} offers are visible");
    let bas = html.to_lowercase();
    for marque in ["dsfr", "marianne", "république française"] {
        ensure!(!bas.contains(marque), "State branding: {marque}");
    }
    Ok(())
}

async fn etiquettes(m: &Monde) -> Result<()> {
    let html = html(m, "/").await?;
    let champs = champs(&html);
    ensure!(champs.len() >= 2, "{} fields", champs.len());
    let etiquettes: Vec<&str> =
        balises(&html, "label").into_iter().filter_map(|b| attribut(b, "for")).collect();
    for champ in champs {
        let id = attribut(champ, "id").with_context(|| format!("no id: {champ}"))?;
        ensure!(etiquettes.contains(&id), "no label for {id}");
    }
    Ok(())
}

async fn parties(m: &Monde) -> Result<()> {
    let texte = plier(&html(m, "/").await?);
    let parties: [&[&str]; 7] = [
        &["structures"],
        &["offres", "offers"],
        &["capacites", "capacity"],
        &["nomenclatures"],
        &["identite", "identity"],
        &["acces", "access"],
        &["bascule"],
    ];
    for noms in parties {
        ensure!(noms.iter().any(|nom| texte.contains(*nom)), "nothing about {noms:?}");
    }
    Ok(())
}

/// Name of the control whose name or id holds one of these words.
fn nom_du_champ<'a>(champs: &[&'a str], mots: &[&str]) -> Option<&'a str> {
    let mut noms = champs.iter().copied().filter_map(|champ| attribut(champ, "name"));
    noms.find(|nom| mots.iter().any(|mot| plier(nom).contains(*mot)))
}

/// Address of the search of the page with these values.
async fn adresse(m: &Monde, activite: &str, lieu: &str) -> Result<String> {
    let html = html(m, "/").await?;
    let formulaire = *balises(&html, "form").first().context("no form")?;
    let methode = attribut(formulaire, "method").unwrap_or("get");
    ensure!(methode.eq_ignore_ascii_case("get"), "a search by {methode}");
    // The fragment stays with the browser.
    let action = attribut(formulaire, "action").unwrap_or("/").split('#').next().unwrap_or("/");
    let champs = champs(&html);
    let nom_activite = nom_du_champ(&champs, &["activ", "specialty"]).context("no field for the activity")?;
    let nom_lieu =
        nom_du_champ(&champs, &["lieu", "ville", "commune", "postal"]).context("no field for the place")?;
    Ok(format!("{action}?{}", requete(&[(nom_activite, activite), (nom_lieu, lieu)])))
}

async fn recherche(m: &Monde) -> Result<()> {
    let chemin = adresse(m, m.exemple("activite_code")?, m.exemple("code_postal")?).await?;
    let trouve = html(m, &chemin).await?;
    let offre = m.vue0.un("HealthcareService", m.exemple("offre_id")?).context("the reference offer")?;
    let nom = offre["name"].as_str().context("its name")?;
    // Letters and digits only: the others may be escaped.
    let mot = nom.split(|c: char| !c.is_alphanumeric()).max_by_key(|mot| mot.len()).context("a word")?;
    ensure!(trouve.contains(mot), "{chemin} does not show {mot}");
    ensure!(plier(&trouve).contains("lit"), "{chemin} does not speak of beds");
    Ok(())
}

async fn hostile(m: &Monde) -> Result<()> {
    let chemin = adresse(m, "<script>alert(1)</script>", "\"><b>x</b>").await?;
    let reponse = page(m, &chemin).await?;
    ensure!([200, 400].contains(&reponse.statut), "status {}", reponse.statut);
    ensure!(!reponse.texte.contains("<script>alert(1)"), "a script comes back");
    ensure!(!reponse.texte.contains("\"><b>x"), "an attribute is left");
    Ok(())
}
