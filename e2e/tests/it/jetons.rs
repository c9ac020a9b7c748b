//! The token endpoint, and what is done with tokens.

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Client, Rapport, Reponse,
    client::{appeler, autorite, formulaire, http, identite},
    fhir::issues,
};

use crate::monde::Monde;

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("jetons: profile 0 by secret", par_secret(m)).await;
    for nom in ["p1", "p2", "p3", "p4", "p5"] {
        r.verifier(&format!("jetons: {nom} by certificate"), par_certificat(m, nom)).await;
    }
    r.verifier("jetons: wrong requests", demandes_fausses(m)).await;
    r.verifier("jetons: a certificate speaks for its own client only", certificat_d_un_autre(m)).await;
    r.verifier("jetons: a certificate is asked of profile 1", sans_certificat(m)).await;
    r.verifier("jetons: no, garbage and altered bearer", porteurs_faux(m)).await;
}

/// An OAuth error of that name.
fn refus(reponse: &Reponse, statut: u16, erreur: &str) -> Result<()> {
    ensure!(reponse.statut == statut, "status {} instead of {statut}: {}", reponse.statut, reponse.texte);
    ensure!(reponse.corps["error"] == erreur, "error {} instead of {erreur}", reponse.corps["error"]);
    ensure!(reponse.corps.get("access_token").is_none(), "a token all the same");
    Ok(())
}

async fn demander(client: &Client, champs: &[(&str, &str)]) -> Result<Reponse> {
    formulaire(&client.http, &client.url_jeton, champs).await
}

fn champ<'a>(client: &'a Client, nom: &str) -> Result<&'a str> {
    let trouve = client.champs.iter().find(|(n, _)| n == nom).map(|(_, v)| v.as_str());
    trouve.with_context(|| format!("{}: no {nom}", client.nom))
}

fn bon(reponse: &Reponse) -> Result<()> {
    let jeton = reponse.corps["access_token"].as_str().context("no access_token")?;
    ensure!(jeton.split('.').count() == 3, "not a JWT");
    ensure!(reponse.corps["expires_in"].as_u64().is_some_and(|s| s > 0), "expires_in");
    let genre = reponse.corps["token_type"].as_str().unwrap_or_default();
    ensure!(genre.eq_ignore_ascii_case("bearer"), "token_type {genre:?}");
    let cache = reponse.entete("cache-control").unwrap_or_default();
    ensure!(cache.contains("no-store"), "cache-control {cache:?}");
    Ok(())
}

async fn par_secret(m: &Monde) -> Result<()> {
    let champs: Vec<(&str, &str)> = m.p0.champs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    bon(&demander(&m.p0, &champs).await?.attendre(200)?)
}

async fn par_certificat(m: &Monde, nom: &str) -> Result<()> {
    let client = m.mesh.client(nom)?;
    let id = champ(&client, "client_id")?;
    let champs = [("grant_type", "client_credentials"), ("client_id", id)];
    bon(&demander(&client, &champs).await?.attendre(200)?)?;
    client.chercher("Organization", &[("_count", "1")]).await?.attendre(200).map(|_| ())
}

fn avec<'a>(genre: &'a str, id: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("grant_type", genre), ("client_id", id), ("client_secret", secret)]
}

async fn demandes_fausses(m: &Monde) -> Result<()> {
    let (id, secret) = (champ(&m.p0, "client_id")?, champ(&m.p0, "client_secret")?);
    let faux = format!("{secret}x");
    let cas = [
        (avec("client_credentials", id, &faux), 401, "invalid_client"),
        (avec("client_credentials", "client-inconnu", secret), 401, "invalid_client"),
        (avec("password", id, secret), 400, "unsupported_grant_type"),
        (vec![("client_id", id), ("client_secret", secret)], 400, "invalid_request"),
    ];
    for (champs, statut, erreur) in &cas {
        let reponse = demander(&m.p0, champs).await?;
        refus(&reponse, *statut, erreur).with_context(|| format!("{:?}", champs.first()))?;
    }
    Ok(())
}

async fn certificat_d_un_autre(m: &Monde) -> Result<()> {
    let p2 = champ(&m.p2, "client_id")?;
    let p0 = champ(&m.p0, "client_id")?;
    for id in [p2, p0] {
        let champs = [("grant_type", "client_credentials"), ("client_id", id)];
        refus(&demander(&m.p1, &champs).await?, 401, "invalid_client")?;
    }
    Ok(())
}

async fn sans_certificat(m: &Monde) -> Result<()> {
    let fiche = &m.mesh.demo["clients"]["p1"];
    let sans = http(autorite(fiche)?, None)?;
    let id = champ(&m.p1, "client_id")?;
    let nus = [("grant_type", "client_credentials"), ("client_id", id)];
    let secret = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "secret")];
    for champs in [&nus[..], &secret[..]] {
        refus(&formulaire(&sans, &m.p1.url_jeton, champs).await?, 401, "invalid_client")?;
        refus(&formulaire(&sans, &m.p0.url_jeton, champs).await?, 401, "invalid_client")?;
    }
    // The authority of the demo is the only one trusted, and the server shows a certificate of it.
    let mefiant = http(None, identite(fiche)?)?;
    ensure!(formulaire(&mefiant, &m.p1.url_jeton, &nus).await.is_err(), "TLS without trust");
    Ok(())
}

async fn porteurs_faux(m: &Monde) -> Result<()> {
    let vrai = m.p0.jeton().await?;
    // The signature begins after the last dot: its first letter carries six bits.
    let rang = vrai.rfind('.').context("a JWT")? + 1;
    let autre = if vrai[rang..].starts_with('A') { "B" } else { "A" };
    let altere = format!("Bearer {}{autre}{}", &vrai[..rang], &vrai[rang + 1..]);
    let url = format!("{}/Organization?_count=1", m.p0.base);
    for porteur in [None, Some("Bearer n-importe-quoi"), Some("Basic cDA6c2VjcmV0"), Some(altere.as_str())] {
        let mut entetes: Vec<(&str, &str)> =
            m.p0.entetes.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        entetes.extend(porteur.map(|p| ("authorization", p)));
        let reponse = appeler(&m.p0.http, Method::GET, &url, &entetes, None).await?;
        issues(&reponse, &[401]).with_context(|| format!("{porteur:?}"))?;
        let invite = reponse.entete("www-authenticate").unwrap_or_default();
        ensure!(invite.starts_with("Bearer"), "www-authenticate {invite:?}");
    }
    Ok(())
}
