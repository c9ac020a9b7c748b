//! HTTP manners and self-description: HEAD, entity tags, formats, compression, preferences, origins;
//! what the façade says of itself is what it executes.

use std::{collections::BTreeSet, io::Read as _};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Client, Rapport, Reponse,
    client::appeler,
    fhir::{GENRES, tableau, texte},
};
use serde_json::Value;

use crate::{brut::lire, monde::Monde};

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("manieres: HEAD gives the headers of GET", tete(m)).await;
    r.verifier("manieres: what has not changed is not sent again", inchange(m)).await;
    r.verifier("manieres: JSON, XML, and nothing else", formats(m)).await;
    r.verifier("manieres: gzip and zstd", compression(m)).await;
    r.verifier("manieres: a search by POST is the search by GET", post(m)).await;
    r.verifier("manieres: strict refuses, lenient leaves aside and says so", preferences(m)).await;
    r.verifier("manieres: no other origin by default", origines(m)).await;
    r.verifier("manieres: a secret in the Basic header", basic(m)).await;
    r.verifier("manieres: every declared parameter has its definition", definitions(m)).await;
    r.verifier("manieres: operations have their definitions", operations(m)).await;
    r.verifier("manieres: the OpenAPI document tells the same", openapi(m)).await;
    r.verifier("manieres: the reference is one page without a script", reference(m)).await;
}

/// A call below the base of the reads, with token, headers and these more.
async fn appel(c: &Client, methode: Method, chemin: &str, autres: &[(&str, &str)]) -> Result<Reponse> {
    corps(c, methode, chemin, autres, None).await
}

async fn corps(
    c: &Client,
    methode: Method,
    chemin: &str,
    autres: &[(&str, &str)],
    corps: Option<&str>,
) -> Result<Reponse> {
    let porteur = format!("Bearer {}", c.jeton().await?);
    let mut entetes = vec![("authorization", porteur.as_str())];
    entetes.extend(c.entetes.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    entetes.extend_from_slice(autres);
    appeler(&c.http, methode, &format!("{}/{chemin}", c.base), &entetes, corps).await
}

async fn racine(m: &Monde, chemin: &str, entetes: &[(&str, &str)]) -> Result<Reponse> {
    appeler(&m.p0.http, Method::GET, &format!("{}{chemin}", m.mesh.base()), entetes, None).await
}

fn lectures(m: &Monde) -> Result<[String; 4]> {
    Ok([
        "metadata".to_owned(),
        "SearchParameter?base=Location".to_owned(),
        format!("HealthcareService?_id={}", m.exemple("offre_id")?),
        format!("HealthcareService/{}", m.exemple("offre_id")?),
    ])
}

async fn tete(m: &Monde) -> Result<()> {
    for chemin in lectures(m)? {
        let get = appel(&m.p0, Method::GET, &chemin, &[]).await?.attendre(200)?;
        let head = appel(&m.p0, Method::HEAD, &chemin, &[]).await?.attendre(200)?;
        ensure!(head.texte.is_empty(), "{chemin}: HEAD has a body");
        for nom in ["content-type", "etag"] {
            ensure!(get.entete(nom).is_some(), "{chemin}: no {nom}");
            ensure!(head.entete(nom) == get.entete(nom), "{chemin}: {nom}");
        }
    }
    Ok(())
}

async fn inchange(m: &Monde) -> Result<()> {
    for chemin in lectures(m)? {
        let get = appel(&m.p0, Method::GET, &chemin, &[]).await?.attendre(200)?;
        let etag = get.entete("etag").with_context(|| format!("{chemin}: no ETag"))?;
        ensure!(etag.starts_with("W/\""), "{chemin}: {etag}");
        let tenu = appel(&m.p0, Method::GET, &chemin, &[("if-none-match", etag)]).await?.attendre(304)?;
        ensure!(tenu.texte.is_empty() && tenu.entete("etag") == Some(etag), "{chemin}: the 304");
        appel(&m.p0, Method::GET, &chemin, &[("if-none-match", "W/\"autre\"")]).await?.attendre(200)?;
    }
    // A version read in part is another body; the version alone asks whether there is another one.
    let chemin = format!("HealthcareService/{}", m.exemple("offre_id")?);
    let entiere = appel(&m.p0, Method::GET, &chemin, &[]).await?.attendre(200)?;
    let etag = entiere.entete("etag").context("no ETag")?;
    let version = texte(&entiere.corps, "/meta/versionId");
    ensure!(etag.starts_with(&format!("W/\"{version}-")), "{etag}");
    let partie = format!("{chemin}?_elements=name");
    appel(&m.p0, Method::GET, &partie, &[("if-none-match", etag)]).await?.attendre(200)?;
    let seule = format!("W/\"{version}\"");
    appel(&m.p0, Method::GET, &chemin, &[("if-none-match", &seule)]).await?.attendre(304)?;
    appel(&m.p0, Method::GET, &partie, &[("if-none-match", &seule)]).await?.attendre(200)?;
    appel(&m.p0, Method::GET, &chemin, &[("if-none-match", "W/\"9999999\"")]).await?.attendre(200)?;
    // Two profiles see two answers: one's tag is not the other's.
    let chemin = format!("Location?_id={}", m.exemple("lieu_id")?);
    let de = async |c: &Client| -> Result<String> {
        let r = appel(c, Method::GET, &chemin, &[]).await?.attendre(200)?;
        Ok(r.entete("etag").unwrap_or_default().to_owned())
    };
    ensure!(de(&m.p0).await? != de(&m.p2).await?, "two profiles have one tag");
    Ok(())
}

async fn formats(m: &Monde) -> Result<()> {
    for chemin in lectures(m)? {
        let lien = if chemin.contains('?') { '&' } else { '?' };
        let nomme =
            appel(&m.p0, Method::GET, &format!("{chemin}{lien}_format=xml"), &[]).await?.attendre(200)?;
        let prefere = [("accept", "application/fhir+json;q=0.5, application/fhir+xml")];
        let prefere = appel(&m.p0, Method::GET, &chemin, &prefere).await?.attendre(200)?;
        for r in [&nomme, &prefere] {
            let genre = r.entete("content-type").unwrap_or_default();
            ensure!(genre.starts_with("application/fhir+xml"), "{chemin}: {genre}");
            ensure!(r.texte.contains("xmlns=\"http://hl7.org/fhir\""), "{chemin}: {:.120}", r.texte);
        }
    }
    let faute = appel(&m.p0, Method::GET, "Location/absente?_format=xml", &[]).await?.attendre(404)?;
    ensure!(faute.texte.contains("<OperationOutcome"), "{:.200}", faute.texte);
    for chemin in [format!("HealthcareService/{}", m.exemple("offre_id")?), "HealthcareService".to_owned()] {
        appel(&m.p0, Method::GET, &chemin, &[("accept", "text/csv")]).await?.attendre(406)?;
    }
    Ok(())
}

async fn compression(m: &Monde) -> Result<()> {
    for codage in ["gzip", "zstd"] {
        let r = appel(&m.p0, Method::GET, "HealthcareService", &[("accept-encoding", codage)]).await?;
        ensure!(r.entete("content-encoding") == Some(codage), "{codage}: {:?}", r.entetes);
        let varie = r.entetes.get_all("vary").iter().filter_map(|v| v.to_str().ok()).collect::<String>();
        ensure!(varie.contains("accept-encoding"), "vary: {varie}");
    }
    let clair = appel(&m.p0, Method::GET, "HealthcareService", &[]).await?.attendre(200)?;
    ensure!(clair.entete("content-encoding").is_none(), "packed unasked");
    for (accepte, attendu) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=0.5, zstd", "zstd"),
        ("gzip;q=0.5, identity", ""),
        ("gzip;q=0", ""),
    ] {
        let r = appel(&m.p0, Method::GET, "HealthcareService", &[("accept-encoding", accepte)]).await?;
        let donne = r.entete("content-encoding").unwrap_or_default();
        ensure!(donne == attendu, "{accepte}: {donne} instead of {attendu}");
    }
    for chemin in [
        "HealthcareService?_count=20",
        "HealthcareService?_count=200&_include=HealthcareService:organization&_include=HealthcareService:location&_revinclude=PractitionerRole:service",
        "Organization?_count=100&_elements=name",
        "Location?_count=100&_summary=true",
        "Organization?identifier=nothing-has-it",
        "Practitioner?_summary=count",
        "Location?_count=5&_format=xml",
        "Location?inconnu=1",
    ] {
        // Made, kept, then found.
        for _ in 0..3 {
            serre(m, chemin).await.with_context(|| chemin.to_owned())?;
        }
    }
    Ok(())
}

/// An answer in gzip says what the plain one does.
async fn serre(m: &Monde, chemin: &str) -> Result<()> {
    let url = format!("{}/{chemin}", m.p0.base);
    let serree = lire(&m.p0, &url, &[("accept-encoding", "gzip")]).await?;
    let claire = lire(&m.p0, &url, &[]).await?;
    ensure!(serree.entete("etag") == claire.entete("etag"), "the directory changed in between");
    let octets = if serree.entete("content-encoding") == "gzip" {
        let mut lecteur = flate2::read::GzDecoder::new(&serree.octets[..]);
        let mut lus = Vec::new();
        lecteur.read_to_end(&mut lus)?;
        ensure!(lecteur.into_inner().is_empty(), "more than one member");
        lus
    } else {
        ensure!(serree.octets.len() < 600, "a long answer is not packed");
        serree.octets
    };
    ensure!(octets == claire.octets, "another answer in gzip than plain");
    Ok(())
}

async fn post(m: &Monde) -> Result<()> {
    let criteres = format!("_id={}&_include=HealthcareService:location", m.exemple("offre_id")?);
    let forme = [("content-type", "application/x-www-form-urlencoded")];
    let get =
        appel(&m.p0, Method::GET, &format!("HealthcareService?{criteres}"), &[]).await?.attendre(200)?;
    let post = corps(&m.p0, Method::POST, "HealthcareService/_search", &forme, Some(&criteres)).await?;
    let post = post.attendre(200)?;
    ensure!(
        get.corps["entry"] == post.corps["entry"] && get.corps["total"] == post.corps["total"],
        "two answers"
    );
    let json = [("content-type", "application/json")];
    corps(&m.p0, Method::POST, "HealthcareService/_search", &json, Some("{}")).await?.attendre(415)?;
    // The form says the format too, of a refusal as well, whatever is accepted.
    let forme = [forme[0], ("accept", "text/csv")];
    for (criteres, statut) in [("_count=1&%5Fformat=xml", 200), ("couleur=bleu&_format=xml", 400)] {
        let xml = corps(&m.p0, Method::POST, "HealthcareService/_search", &forme, Some(criteres)).await?;
        let xml = xml.attendre(statut)?;
        let genre = xml.entete("content-type").unwrap_or_default();
        ensure!(genre.starts_with("application/fhir+xml"), "{criteres}: {genre}");
    }
    Ok(())
}

async fn preferences(m: &Monde) -> Result<()> {
    let chemin = "Organization?couleur=bleu&_count=1";
    let strict = [("prefer", "handling=strict")];
    for r in
        [appel(&m.p0, Method::GET, chemin, &[]).await?, appel(&m.p0, Method::GET, chemin, &strict).await?]
    {
        let r = r.attendre(400)?;
        ensure!(texte(&r.corps, "/issue/0/diagnostics").contains("couleur"), "{}", r.corps);
    }
    let souple = [("prefer", "handling=lenient")];
    let r = appel(&m.p0, Method::GET, chemin, &souple).await?.attendre(200)?;
    ensure!(r.entete("preference-applied") == Some("handling=lenient"), "{:?}", r.entetes);
    let dits = tableau(&r.corps, "entry").iter().filter(|e| texte(e, "/search/mode") == "outcome");
    let dits: String = dits.map(Value::to_string).collect();
    ensure!(dits.contains("couleur"), "the answer does not tell what it left aside: {dits}");
    let sans = m.p0.chercher("Organization", &[("_count", "1")]).await?.attendre(200)?;
    ensure!(r.corps["total"] == sans.corps["total"], "totals");
    Ok(())
}

async fn origines(m: &Monde) -> Result<()> {
    let r = appel(&m.p0, Method::GET, "metadata", &[("origin", "https://ailleurs.exemple.invalid")]).await?;
    ensure!(r.entete("access-control-allow-origin").is_none(), "another origin is let in");
    Ok(())
}

async fn basic(m: &Monde) -> Result<()> {
    let p0 = &m.mesh.demo["clients"]["p0"];
    let paire = [texte(p0, "/client_id"), texte(p0, "/client_secret")];
    let requete = m.p0.http.post(&m.p0.url_jeton).basic_auth(paire[0], Some(paire[1]));
    let requete = requete.header("content-type", "application/x-www-form-urlencoded");
    let reponse = requete.body("grant_type=client_credentials").send().await?;
    ensure!(reponse.status() == 200, "status {}", reponse.status());
    Ok(())
}

async fn definitions(m: &Monde) -> Result<()> {
    let enonce = racine(m, "/ws-diffusion-fhir/metadata", &[]).await?.attendre(200)?.corps;
    let ressources = enonce.pointer("/rest/0/resource").and_then(Value::as_array).context("no resource")?;
    let mut vues = 0;
    for ressource in ressources {
        let genre = texte(ressource, "/type");
        for p in tableau(ressource, "searchParam") {
            let (nom, url) = (texte(p, "/name"), texte(p, "/definition"));
            if matches!(nom, "_filter" | "_has") {
                continue;
            }
            let chemin = format!("/ws-diffusion-fhir/SearchParameter?url={url}&base={genre}");
            // Open: no token.
            let trouvee = racine(m, &chemin, &[]).await?.attendre(200)?.corps;
            ensure!(trouvee["total"] == 1, "{genre}.{nom}: {url}");
            let d = &trouvee["entry"][0]["resource"];
            ensure!(texte(d, "/code") == nom && texte(d, "/type") == texte(p, "/type"), "{genre}.{nom}: {d}");
            let lue =
                racine(m, &format!("/ws-diffusion-fhir/SearchParameter/{}", texte(d, "/id")), &[]).await?;
            ensure!(&lue.attendre(200)?.corps == d, "{genre}.{nom}: the read is another one");
            vues += 1;
        }
    }
    ensure!(vues > 100, "{vues} definitions");
    racine(m, "/ws-diffusion-fhir/SearchParameter?couleur=bleu", &[]).await?.attendre(400)?;
    racine(m, "/ws-diffusion-fhir/SearchParameter/absente", &[]).await?.attendre(404)?;
    Ok(())
}

async fn operations(m: &Monde) -> Result<()> {
    let enonce = racine(m, "/ws-diffusion-fhir/metadata", &[]).await?.attendre(200)?.corps;
    let noms: BTreeSet<&str> =
        tableau(&enonce["rest"][0], "operation").iter().map(|o| texte(o, "/name")).collect();
    ensure!(noms == BTreeSet::from(["changes", "export"]), "{noms:?}");
    for nom in noms {
        let r = racine(m, &format!("/ws-diffusion-fhir/OperationDefinition?code={nom}"), &[])
            .await?
            .attendre(200)?;
        let d = &r.corps["entry"][0]["resource"];
        ensure!(r.corps["total"] == 1 && d["system"] == true && d["type"] == true, "{nom}: {d}");
        ensure!(!tableau(d, "parameter").is_empty(), "{nom}: no parameter");
    }
    Ok(())
}

async fn openapi(m: &Monde) -> Result<()> {
    let document = racine(m, "/openapi.json", &[]).await?.attendre(200)?.corps;
    let ailleurs = racine(m, "/ws-diffusion-fhir/openapi.json", &[]).await?.attendre(200)?.corps;
    ensure!(document == ailleurs, "two documents");
    ensure!(texte(&document, "/openapi").starts_with("3.1"), "not 3.1");
    let enonce = racine(m, "/ws-diffusion-fhir/metadata", &[]).await?.attendre(200)?.corps;
    let ressources = enonce.pointer("/rest/0/resource").and_then(Value::as_array).context("no resource")?;
    for ressource in ressources.iter().filter(|r| GENRES.contains(&texte(r, "/type"))) {
        let genre = texte(ressource, "/type");
        let chemin = &document["paths"][format!("/ws-diffusion-fhir/{genre}")];
        let declares: BTreeSet<&str> = tableau(chemin, "parameters")
            .iter()
            .filter_map(|p| document.pointer(texte(p, "/$ref").trim_start_matches('#')))
            .map(|p| texte(p, "/name"))
            .collect();
        for p in tableau(ressource, "searchParam") {
            let nom = texte(p, "/name");
            ensure!(nom == "_has" || declares.contains(nom), "{genre}: {nom} is not in the document");
        }
    }
    Ok(())
}

async fn reference(m: &Monde) -> Result<()> {
    let page = racine(m, "/reference/parametres", &[]).await?.attendre(200)?;
    let regles = page.entete("content-security-policy").context("no policy")?;
    ensure!(!regles.contains("unsafe") && !regles.contains("script-src"), "{regles}");
    ensure!(!page.texte.contains("<script"), "a script");
    for nom in ["nb-capacity", "near-insee-code", "price-amount-value", "_filter", "$export", "$expand"] {
        ensure!(page.texte.contains(nom), "{nom} is not on the page");
    }
    // The viewer where it could be fetched, the page elsewhere.
    let entree = racine(m, "/reference", &[]).await?.attendre(200)?;
    ensure!(entree.entete("content-type").is_some_and(|t| t.starts_with("text/html")), "not a page");
    if entree.texte.contains("swagger-ui-bundle.js") {
        for fichier in ["swagger-ui-bundle.js", "swagger-ui.css", "demarrage.js", "reference.css"] {
            racine(m, &format!("/reference/{fichier}"), &[]).await?.attendre(200)?;
        }
    }
    racine(m, "/reference/..%2Fhttp.rs", &[]).await?.attendre(404)?;
    Ok(())
}
