//! The nomenclatures as a terminology service.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use ror_e2e::{
    Client, Rapport,
    client::{Reponse, appeler, lien, requete},
    fhir::{issue, issues, tableau, texte},
};
use serde_json::{Value, json};

use crate::monde::Monde;

const ACTIVITES: &str = "https://mos.esante.gouv.fr/NOS/JDV_J17-ActiviteOperationnelle-ROR/FHIR/JDV-J17-ActiviteOperationnelle-ROR";
const TRE_ACTIVITES: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R211-ActiviteOperationnelle/FHIR/TRE-R211-ActiviteOperationnelle";
const COMMUNES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM";

/// Types, with the operations each must declare.
const TYPES: [(&str, &[&str]); 3] = [
    ("CodeSystem", &["lookup", "validate-code"]),
    ("ValueSet", &["expand", "validate-code"]),
    ("ConceptMap", &["translate"]),
];

pub async fn tout(m: &Monde, r: &mut Rapport) {
    for (genre, operations) in TYPES {
        r.verifier(
            &format!("terminologie: {genre} is declared as it answers"),
            declare(m, genre, operations),
        )
        .await;
    }
    r.verifier("terminologie: a version by url, by id, in summary", ressources(m)).await;
    r.verifier("terminologie: the list of a type, page by page", pages(m)).await;
    r.verifier("terminologie: $lookup by GET and by POST, whoever asks", consultation(m)).await;
    r.verifier("terminologie: codes of the directory are looked up as they are shown", annuaire(m)).await;
    r.verifier("terminologie: $validate-code never fails on a code", validation(m)).await;
    r.verifier("terminologie: $expand pages through the communes", communes(m)).await;
    r.verifier("terminologie: $expand filters without accents", filtre(m)).await;
    r.verifier("terminologie: $translate without a table", traduction(m)).await;
    r.verifier("terminologie: what is unknown and what is wrong", fautes(m)).await;
    r.verifier("terminologie: token and headers are demanded", acces(m)).await;
}

async fn lire(m: &Monde, chemin: &str, parametres: &[(&str, &str)]) -> Result<Value> {
    let reponse = m.p1.chercher(chemin, parametres).await?;
    Ok(reponse.attendre(200).with_context(|| format!("{chemin} {parametres:?}"))?.corps)
}

async fn poster(client: &Client, chemin: &str, corps: &Value) -> Result<Reponse> {
    let porteur = format!("Bearer {}", client.jeton().await?);
    let mut entetes = vec![("authorization", porteur.as_str()), ("content-type", "application/fhir+json")];
    entetes.extend(client.entetes.iter().map(|(n, v)| (n.as_str(), v.as_str())));
    let url = format!("{}/{chemin}", client.base);
    appeler(&client.http, Method::POST, &url, &entetes, Some(&corps.to_string())).await
}

/// Value of the first parameter of that name.
fn sortie<'v>(parametres: &'v Value, nom: &str) -> Option<&'v Value> {
    let p = tableau(parametres, "parameter").iter().find(|p| texte(p, "/name") == nom)?;
    p.as_object()?.iter().find(|(cle, _)| cle.starts_with("value")).map(|(_, v)| v)
}

fn codes(expansion: &Value) -> Result<Vec<&str>> {
    let contenu = expansion.get("expansion").context("no expansion")?;
    Ok(tableau(contenu, "contains").iter().map(|c| texte(c, "/code")).collect())
}

async fn declare(m: &Monde, genre: &str, operations: &[&str]) -> Result<()> {
    let enonce = m.p0.lire("metadata").await?.attendre(200)?.corps;
    let ressources = enonce.pointer("/rest/0/resource").and_then(Value::as_array).context("no resource")?;
    let declaree = ressources.iter().find(|r| texte(r, "/type") == genre).context("not declared")?;
    let dites: BTreeSet<&str> = tableau(declaree, "operation").iter().map(|o| texte(o, "/name")).collect();
    let attendues: BTreeSet<&str> = operations.iter().copied().collect();
    ensure!(dites == attendues, "operations {dites:?}");
    let interactions: Vec<&str> =
        tableau(declaree, "interaction").iter().map(|i| texte(i, "/code")).collect();
    ensure!(interactions == ["read", "search-type"], "{interactions:?}");
    let parametres = tableau(declaree, "searchParam");
    ensure!(parametres.len() >= 7, "{parametres:?}");
    for parametre in parametres {
        let nom = texte(parametre, "/name");
        let valeur = if nom == "status" { "active" } else { "x" };
        lire(m, genre, &[(nom, valeur), ("_count", "1"), ("_summary", "true")]).await?;
    }
    // Every operation answers, if only to say what it wants.
    for operation in operations {
        let reponse = m.p1.lire(&format!("{genre}/${operation}")).await?;
        issues(&reponse, &[400]).with_context(|| format!("{genre}/${operation} without parameters"))?;
    }
    issue(&m.p1.lire(&format!("{genre}/$bidule")).await?, 404, "not-supported")?;
    issue(&m.p1.lire(&format!("{genre}/n-existe-pas")).await?, 404, "not-found")?;
    Ok(())
}

async fn ressources(m: &Monde) -> Result<()> {
    for (genre, url) in [("ValueSet", ACTIVITES), ("CodeSystem", TRE_ACTIVITES)] {
        let trouvees = lire(m, genre, &[("url", url)]).await?;
        ensure!(trouvees["total"] == 1, "{genre}: {} versions", trouvees["total"]);
        let cherchee = trouvees.pointer("/entry/0/resource").context("no entry")?;
        let id = texte(cherchee, "/id");
        ensure!(url.ends_with(id), "{genre}: id {id}");
        let reponse = m.p1.lire(&format!("{genre}/{id}")).await?.attendre(200)?;
        ensure!(&reponse.corps == cherchee, "the read is not the entry of the search");
        ensure!(texte(cherchee, "/copyright").starts_with("Licence Ouverte 2.0"), "{genre}: copyright");
        ensure!(texte(cherchee, "/status") == "active" && texte(cherchee, "/url") == url, "{genre}: header");
        let etag = reponse.entete("etag").context("no etag")?.to_owned();
        let mut entetes = m.p1.entetes.clone();
        entetes.push(("if-none-match".to_owned(), etag));
        let url_ressource = format!("{}/{genre}/{id}", m.p1.base);
        m.p1.lire_avec(&url_ressource, &entetes).await?.attendre(304)?;
        let resume = lire(m, &format!("{genre}/{id}"), &[("_summary", "true")]).await?;
        ensure!(resume.get("concept").is_none() && resume.get("compose").is_none(), "{genre}: summary");
        ensure!(texte(&resume, "/meta/tag/0/code") == "SUBSETTED", "{genre}: summary not told");
    }
    let jeu = lire(m, "ValueSet/JDV-J17-ActiviteOperationnelle-ROR", &[]).await?;
    let inclus = jeu.pointer("/compose/include/0").context("no include")?;
    ensure!(texte(inclus, "/system") == TRE_ACTIVITES && tableau(inclus, "concept").len() > 400, "{inclus}");
    Ok(())
}

async fn pages(m: &Monde) -> Result<()> {
    let pages = m.p1.pages("ValueSet", &[("_count", "20"), ("_summary", "true")]).await?;
    let ids: Vec<&str> =
        pages.iter().flat_map(|p| tableau(p, "entry")).map(|e| texte(e, "/resource/id")).collect();
    let distincts: BTreeSet<&str> = ids.iter().copied().collect();
    ensure!(pages.len() > 2 && ids.len() == distincts.len(), "{} pages, {} ids", pages.len(), ids.len());
    let total = pages.first().and_then(|p| p["total"].as_u64());
    ensure!(total == Some(ids.len() as u64), "total {total:?}, {} found", ids.len());
    ensure!(lien(&pages[0], "self").is_some(), "no self link");
    let compte = lire(m, "ValueSet", &[("_summary", "count")]).await?;
    ensure!(compte["total"].as_u64() == total && compte.get("entry").is_none(), "{compte}");
    Ok(())
}

async fn consultation(m: &Monde) -> Result<()> {
    let deplie = lire(m, "ValueSet/$expand", &[("url", ACTIVITES), ("count", "1")]).await?;
    let membre = deplie.pointer("/expansion/contains/0").context("an empty value set")?;
    let (systeme, code, libelle) =
        (texte(membre, "/system"), texte(membre, "/code"), texte(membre, "/display"));
    let chemin = format!("CodeSystem/$lookup?{}", requete(&[("system", systeme), ("code", code)]));
    let par_get = m.p1.lire(&chemin).await?.attendre(200)?.corps;
    ensure!(sortie(&par_get, "display").and_then(Value::as_str) == Some(libelle), "{par_get}");
    ensure!(sortie(&par_get, "name").is_some(), "no name: {par_get}");
    let coding = json!({"name": "coding", "valueCoding": {"system": systeme, "code": code}});
    let corps = json!({"resourceType": "Parameters", "parameter": [coding]});
    let par_post = poster(&m.p1, "CodeSystem/$lookup", &corps).await?.attendre(200)?.corps;
    ensure!(par_get == par_post, "GET {par_get} / POST {par_post}");
    // A client may encode the dollar.
    let encode = chemin.replace('$', "%24");
    for client in [&m.p0, &m.p2] {
        let autre = client.lire(&encode).await?.attendre(200)?.corps;
        ensure!(autre == par_get, "{}: {autre}", client.nom);
    }
    Ok(())
}

async fn annuaire(m: &Monde) -> Result<()> {
    let codages = m.vue1.tous("HealthcareService").flat_map(|o| tableau(o, "specialty"));
    let codages = codages.flat_map(|s| tableau(s, "coding"));
    let vus: BTreeSet<(&str, &str)> = codages
        .filter(|c| texte(c, "/system") == TRE_ACTIVITES)
        .map(|c| (texte(c, "/code"), texte(c, "/display")))
        .collect();
    ensure!(!vus.is_empty(), "no activity in the directory");
    for (code, libelle) in vus.into_iter().take(10) {
        let parametres = [("system", TRE_ACTIVITES), ("code", code)];
        let v = lire(m, "CodeSystem/$lookup", &parametres).await?;
        ensure!(sortie(&v, "display").and_then(Value::as_str) == Some(libelle), "{code}: {v}");
        let parametres =
            [("url", ACTIVITES), ("system", TRE_ACTIVITES), ("code", code), ("display", libelle)];
        let v = lire(m, "ValueSet/$validate-code", &parametres).await?;
        ensure!(sortie(&v, "result") == Some(&Value::Bool(true)), "{code}: {v}");
    }
    Ok(())
}

async fn validation(m: &Monde) -> Result<()> {
    let faux = [
        [("url", ACTIVITES), ("system", TRE_ACTIVITES), ("code", "n-existe-pas")],
        [("url", ACTIVITES), ("system", "urn:inconnu"), ("code", "1")],
    ];
    for parametres in faux {
        let v = lire(m, "ValueSet/$validate-code", &parametres).await?;
        let message = sortie(&v, "message").and_then(Value::as_str).unwrap_or_default();
        ensure!(sortie(&v, "result") == Some(&Value::Bool(false)) && !message.is_empty(), "{v}");
    }
    let instance = "ValueSet/JDV-J17-ActiviteOperationnelle-ROR/$validate-code";
    let v = lire(m, instance, &[("code", "n-existe-pas")]).await?;
    ensure!(sortie(&v, "result") == Some(&Value::Bool(false)), "one system only: it may be left out: {v}");
    let parametres = [("url", "urn:inconnu"), ("system", TRE_ACTIVITES), ("code", "1")];
    issue(&m.p1.chercher("ValueSet/$validate-code", &parametres).await?, 404, "not-found")?;
    Ok(())
}

async fn communes(m: &Monde) -> Result<()> {
    let url = format!("{COMMUNES}?vs");
    let mut vues = BTreeSet::new();
    let mut total = 0;
    for debut in ["0", "500", "1000"] {
        let page = lire(m, "ValueSet/$expand", &[("url", &url), ("count", "500"), ("offset", debut)]).await?;
        total = page.pointer("/expansion/total").and_then(Value::as_u64).context("no total")?;
        let attendu = debut.parse::<u64>()?;
        ensure!(page.pointer("/expansion/offset").and_then(Value::as_u64) == Some(attendu), "offset");
        vues.extend(codes(&page)?.into_iter().map(str::to_owned));
    }
    ensure!(total > 34_000 && vues.len() == 1500, "{total} communes, {} seen", vues.len());
    let fin = (total - 1).to_string();
    let page = lire(m, "ValueSet/$expand", &[("url", &url), ("count", "10"), ("offset", &fin)]).await?;
    ensure!(codes(&page)?.len() == 1, "the last page: {page}");
    let vide = lire(m, "ValueSet/$expand", &[("url", &url), ("count", "0")]).await?;
    ensure!(codes(&vide)?.is_empty() && vide.pointer("/expansion/total") == Some(&json!(total)), "{vide}");
    issue(&m.p1.chercher("ValueSet/$expand", &[("url", &url)]).await?, 422, "too-costly")?;
    Ok(())
}

async fn filtre(m: &Monde) -> Result<()> {
    let url = format!("{COMMUNES}?vs");
    for filtre in ["abergement clemenciat", "CLÉMENCIAT", "01001"] {
        let v = lire(m, "ValueSet/$expand", &[("url", &url), ("filter", filtre), ("count", "5")]).await?;
        ensure!(codes(&v)? == ["01001"], "{filtre}: {v}");
        ensure!(texte(&v, "/expansion/contains/0/display") == "L'Abergement-Clémenciat", "{v}");
    }
    let v = lire(m, "ValueSet/$expand", &[("url", ACTIVITES), ("filter", "zzzz")]).await?;
    ensure!(v.pointer("/expansion/total") == Some(&json!(0)) && codes(&v)?.is_empty(), "{v}");
    Ok(())
}

async fn traduction(m: &Monde) -> Result<()> {
    let v = lire(m, "ConceptMap/$translate", &[("system", "urn:inconnu"), ("code", "1")]).await?;
    ensure!(sortie(&v, "result") == Some(&Value::Bool(false)) && sortie(&v, "message").is_some(), "{v}");
    let parametres = [("url", "urn:inconnu"), ("system", TRE_ACTIVITES), ("code", "1")];
    issue(&m.p1.chercher("ConceptMap/$translate", &parametres).await?, 404, "not-found")?;
    Ok(())
}

async fn fautes(m: &Monde) -> Result<()> {
    let parametres =
        [("count", "x"), ("offset", "-1"), ("date", "hier"), ("bidule", "1"), ("displayLanguage", "en")];
    let dites = issues(&m.p1.chercher("ValueSet/$expand", &parametres).await?, &[400])?;
    for nom in ["count", "offset", "date", "bidule", "displayLanguage", "url"] {
        let cite = |i: &Value| texte(i, "/diagnostics").contains(nom);
        ensure!(dites.iter().any(cite), "nothing on {nom}: {dites:?}");
    }
    let inconnu = [("system", TRE_ACTIVITES), ("code", "n-existe-pas")];
    issue(&m.p1.chercher("CodeSystem/$lookup", &inconnu).await?, 404, "not-found")?;
    let systeme = [("url", COMMUNES)];
    let i = issue(&m.p1.chercher("ValueSet/$expand", &systeme).await?, 404, "not-found")?;
    ensure!(texte(&i, "/diagnostics").contains("?vs"), "{i}");
    for (nom, valeur) in [("bidule", "1"), ("name:flou", "x"), ("status", "nul"), ("_summary", "text")] {
        let dites = issues(&m.p1.chercher("CodeSystem", &[(nom, valeur)]).await?, &[400])?;
        ensure!(texte(&dites[0], "/diagnostics").contains(nom.split(':').next().unwrap()), "{dites:?}");
    }
    for corps in [
        json!([]),
        json!({"resourceType": "Parameters", "parameter": [{"name": "valueSet", "resource": {}}]}),
    ] {
        let dites = issues(&poster(&m.p1, "ValueSet/$expand", &corps).await?, &[400])?;
        ensure!(texte(&dites[0], "/code") == "structure", "{dites:?}");
    }
    Ok(())
}

async fn acces(m: &Monde) -> Result<()> {
    let criteres = requete(&[("url", ACTIVITES)]);
    let get = m.p1.lire(&format!("ValueSet?{criteres}")).await?.attendre(200)?;
    let porteur = format!("Bearer {}", m.p1.jeton().await?);
    let forme = [("authorization", porteur.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let url = format!("{}/ValueSet/_search", m.p1.base);
    let post = appeler(&m.p1.http, Method::POST, &url, &forme, Some(&criteres)).await?.attendre(200)?;
    ensure!(post.corps["entry"] == get.corps["entry"], "two answers");
    let etag = get.entete("etag").context("a search without ETag")?;
    let mut tenu = m.p1.entetes.clone();
    tenu.push(("if-none-match".to_owned(), etag.to_owned()));
    m.p1.lire_avec(&format!("{}/ValueSet?{criteres}", m.p1.base), &tenu).await?.attendre(304)?;
    let chemin = format!("{}/ValueSet/$expand?{}", m.p1.base, requete(&[("url", ACTIVITES), ("count", "1")]));
    let sans_jeton = appeler(&m.p1.http, Method::GET, &chemin, &[], None).await?;
    issue(&sans_jeton, 401, "login")?;
    // The four headers are of the reads of the directory; given, they are true.
    m.p1.lire_avec(&chemin, &[]).await?.attendre(200)?;
    let faux = [("Ror-Role-Metier-Code".to_owned(), "AUTRE".to_owned())];
    issue(&m.p1.lire_avec(&chemin, &faux).await?, 403, "forbidden")?;
    Ok(())
}
