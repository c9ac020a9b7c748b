//! Bulk export: what it holds, how it is fetched, what a restart leaves of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use reqwest::Method;
use ror_e2e::{
    Client, Dossier, Mesh, Options, Rapport, Vue, attendre,
    client::requete,
    fhir::{GENRES, REGION, cible, codages, issues, tableau, texte},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    brut::{Brute, demander, lire},
    monde::Monde,
};

/// Longest wait for an export.
const LIMITE: Duration = Duration::from_secs(60);
/// The form of Bulk Data.
const NDJSON: (&str, &str) = ("_outputFormat", "application/fhir+ndjson");

/// Resources by type and id.
pub type Contenu = BTreeMap<(String, String), Value>;

/// Where a kick-off says to ask.
fn suivi(c: &Client, r: Brute) -> Result<String> {
    let url = r.entete("content-location").to_owned();
    r.reponse().attendre(202)?;
    let debut = format!("{}/$export-poll-status?_jobId=", c.base);
    ensure!(url.starts_with(&debut), "Content-Location {url:?}");
    Ok(url)
}

/// Starts an export below a path, `` or `/Type`.
async fn lancer(c: &Client, dossier: &str, parametres: &[(&str, &str)]) -> Result<String> {
    let url = format!("{}{dossier}/$export?{}", c.base, requete(parametres));
    suivi(c, lire(c, &url, &[("prefer", "respond-async")]).await?)
}

/// Asks until the manifest is there.
async fn manifeste(c: &Client, url: &str) -> Result<Value> {
    attendre("the export ends", LIMITE, async || -> Result<Option<Value>> {
        let r = lire(c, url, &[]).await?;
        if r.statut == 202 {
            ensure!(r.entete("retry-after").parse::<u64>().is_ok(), "no Retry-After");
            ensure!(r.entete("x-progress").ends_with('%'), "X-Progress {:?}", r.entete("x-progress"));
            return Ok(None);
        }
        ensure!(r.entete("content-type").starts_with("application/json"), "{}", r.entete("content-type"));
        ensure!(r.entete("expires").ends_with("GMT"), "Expires {:?}", r.entete("expires"));
        let m = r.reponse().attendre(200)?.corps;
        for nom in ["output", "deleted", "error"] {
            ensure!(m[nom].is_array(), "{nom}: {m}");
        }
        ensure!(
            m["requiresAccessToken"] == true && ror_e2e::temps::lire(texte(&m, "/transactionTime")).is_some(),
            "{m}"
        );
        Ok(Some(m))
    })
    .await
}

/// Starts an export and waits for its end.
async fn exporter(c: &Client, dossier: &str, parametres: &[(&str, &str)]) -> Result<Value> {
    manifeste(c, &lancer(c, dossier, parametres).await?).await
}

/// A whole NDJSON export of what a client reads, and the cursor from which to follow.
pub async fn tout_exporter(c: &Client) -> Result<(Contenu, String)> {
    let m = exporter(c, "", &[NDJSON]).await?;
    ensure!(tableau(&m, "error").is_empty(), "{m}");
    Ok((contenu(c, &m).await?, texte(&m, "/extension/cursor").to_owned()))
}

/// The instant that an export made now names.
pub async fn instant(c: &Client) -> Result<String> {
    let m = exporter(c, "/Location", &[NDJSON]).await?;
    Ok(texte(&m, "/transactionTime").to_owned())
}

/// What a client no longer reads of what it read at an instant, by relative URL.
pub async fn supprimees(c: &Client, depuis: &str) -> Result<BTreeSet<String>> {
    let m = exporter(c, "", &[NDJSON, ("_since", depuis)]).await?;
    ensure!(tableau(&m, "error").is_empty(), "{m}");
    let mut toutes = BTreeSet::new();
    for f in tableau(&m, "deleted") {
        for lot in fichier(c, f).await? {
            ensure!(
                texte(&lot, "/resourceType") == "Bundle" && texte(&lot, "/type") == "transaction",
                "{lot}"
            );
            for e in tableau(&lot, "entry") {
                ensure!(texte(e, "/request/method") == "DELETE", "{e}");
                toutes.insert(texte(e, "/request/url").to_owned());
            }
        }
    }
    Ok(toutes)
}

/// Resources of the files under `output`, each file being what its entry says.
async fn contenu(c: &Client, m: &Value) -> Result<Contenu> {
    let mut tous = Contenu::new();
    for f in tableau(m, "output") {
        for r in fichier(c, f).await? {
            let (genre, id) = (texte(&r, "/resourceType").to_owned(), texte(&r, "/id").to_owned());
            ensure!(genre == texte(f, "/type"), "a {genre} in {f}");
            ensure!(tous.insert((genre, id.clone()), r).is_none(), "{id} twice");
        }
    }
    Ok(tous)
}

/// Resources of one file of a manifest.
async fn fichier(c: &Client, f: &Value) -> Result<Vec<Value>> {
    let url = texte(f, "/url");
    let r = lire(c, url, &[]).await?;
    ensure!(r.statut == 200, "{url}: {}", r.statut);
    ensure!(f["extension"]["size"] == r.octets.len(), "{f}: {} bytes", r.octets.len());
    ensure!(texte(f, "/extension/sha256") == sha256(&r.octets), "{f}: another fingerprint");
    let genre = r.entete("content-type").to_owned();
    let contenu = String::from_utf8(r.octets)?;
    let lues: Vec<Value> = if url.ends_with(".ndjson") {
        ensure!(genre.starts_with("application/fhir+ndjson"), "{url}: {genre}");
        contenu.lines().map(serde_json::from_str).collect::<Result<_, _>>()?
    } else {
        ensure!(url.ends_with(".json") && genre.starts_with("application/fhir+json"), "{url}: {genre}");
        let bundle: Value = serde_json::from_str(&contenu)?;
        ensure!(texte(&bundle, "/type") == "collection", "{url}: {}", bundle["type"]);
        tableau(&bundle, "entry").iter().map(|e| e["resource"].clone()).collect()
    };
    ensure!(f["count"] == lues.len() && !lues.is_empty(), "{f}: {} resources", lues.len());
    Ok(lues)
}

fn sha256(octets: &[u8]) -> String {
    Sha256::digest(octets).iter().map(|o| format!("{o:02x}")).collect()
}

/// All that a profile sees, as an export has it.
pub fn de_vue(vue: &Vue) -> Contenu {
    let mut tous = Contenu::new();
    for genre in GENRES {
        tous.extend(vue.tous(genre).map(|r| ((genre.to_owned(), texte(r, "/id").to_owned()), r.clone())));
    }
    tous
}

/// Both hold the same resources, equal to the last letter.
pub fn memes(lu: &Contenu, attendu: &Contenu) -> Result<()> {
    let cles = |c: &Contenu| c.keys().cloned().collect::<BTreeSet<_>>();
    let (lues, attendues) = (cles(lu), cles(attendu));
    let manquantes: Vec<_> = attendues.difference(&lues).take(3).collect();
    let intruses: Vec<_> = lues.difference(&attendues).take(3).collect();
    ensure!(
        manquantes.is_empty() && intruses.is_empty(),
        "{} resources, {} expected: missing {manquantes:?}, too many {intruses:?}",
        lu.len(),
        attendu.len()
    );
    let autre = lu.iter().find(|(cle, r)| attendu[*cle] != **r);
    ensure!(autre.is_none(), "not the same: {autre:?} and {:?}", autre.map(|(cle, _)| &attendu[cle]));
    Ok(())
}

pub async fn tout(m: &Monde, r: &mut Rapport) {
    for (client, vue) in [(&m.p0, &m.vue0), (m.p1.as_ref(), &m.vue1), (&m.p2, &m.vue2)] {
        r.verifier(&format!("export: {} gets what its searches give", client.nom), promenade(client, vue))
            .await;
    }
    r.verifier("export: the product's form", produit(m)).await;
    r.verifier("export: types, searches, what goes with them", choix(m)).await;
    r.verifier("export: elements", elements(m)).await;
    r.verifier("export: since", depuis(m)).await;
    r.verifier("export: POST and the encoded dollar", poste(m)).await;
    r.verifier("export: gzip, ranges, conditions, HEAD", parties(m)).await;
    r.verifier("export: cancelled, it is gone", annuler(m)).await;
    r.verifier("export: nobody else's", autrui(m)).await;
    for (parametres, dits) in FAUTES {
        let nom = format!("export: refused: {parametres}");
        r.verifier(&nom, fautif(m, parametres, dits)).await;
    }
    r.verifier("export: lenient handling tells what it left aside", indulgent(m)).await;
}

async fn promenade(c: &Client, vue: &Vue) -> Result<()> {
    let (lu, _) = tout_exporter(c).await?;
    memes(&lu, &de_vue(vue))
}

async fn produit(m: &Monde) -> Result<()> {
    let region = format!("{REGION}|{}", m.region()?);
    let filtre = format!("HealthcareService?_tag={region}");
    let parametres = [("_type", "HealthcareService"), ("_typeFilter", filtre.as_str())];
    // Without Prefer, as the product allows; any of its formats, or none.
    let url = format!("{}/$export?{}", m.p1.base, requete(&parametres));
    let m1 = manifeste(&m.p1, &suivi(&m.p1, lire(&m.p1, &url, &[]).await?)?).await?;
    ensure!(texte(&m1, "/request") == url, "request {}", m1["request"]);
    let lu = contenu(&m.p1, &m1).await?;
    let genre =
        |g: &str| lu.keys().filter(|(x, _)| x == g).map(|(_, id)| id.clone()).collect::<BTreeSet<_>>();
    let offres = m.vue1.filtrer("HealthcareService", |o| {
        tableau(&o["meta"], "tag").iter().any(|t| texte(t, "/code") == m.region().unwrap_or_default())
    });
    ensure!(!offres.is_empty() && genre("HealthcareService") == offres, "{} offers", offres.len());
    // The whole associated set, and nothing else.
    let vue = &m.vue1;
    let roles = vue.filtrer("PractitionerRole", |role| {
        vue.offre_du_role(role).is_some_and(|o| offres.contains(texte(o, "/id")))
    });
    ensure!(genre("PractitionerRole") == roles, "{} roles", roles.len());
    let mut attendus: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut ajouter = |genre: &'static str, id: Option<&str>| {
        let vu = id.filter(|id| vue.un(genre, id).is_some()).map(str::to_owned);
        attendus.entry(genre).or_default().extend(vu);
    };
    for role in vue.tous("PractitionerRole").filter(|r| roles.contains(texte(r, "/id"))) {
        ajouter("Practitioner", role.get("practitioner").and_then(|r| cible(r, "Practitioner")));
    }
    for offre in vue.tous("HealthcareService").filter(|o| offres.contains(texte(o, "/id"))) {
        for lieu in tableau(offre, "location") {
            ajouter("Location", cible(lieu, "Location"));
        }
        for structure in vue.porteurs(offre) {
            ajouter("Organization", Some(texte(structure, "/id")));
        }
    }
    for (nom, ids) in &attendus {
        let lus = genre(nom);
        let absents: Vec<&String> = ids.difference(&lus).take(3).collect();
        ensure!(absents.is_empty(), "{nom}: missing {absents:?}");
    }
    ensure!(genre("Practitioner") == attendus["Practitioner"], "professionals of no role here");
    // Each resource is the one that is read.
    for ((g, id), r) in &lu {
        ensure!(vue.un(g, id) == Some(r), "{g}/{id} is not what a read gives");
    }
    Ok(())
}

async fn choix(m: &Monde) -> Result<()> {
    let ids: Vec<String> = m.vue1.ids("HealthcareService").into_iter().take(3).collect();
    let filtres: Vec<String> = ids.iter().map(|id| format!("HealthcareService?_id={id}")).collect();
    // Several searches of a type are added, repeated or in a list; the other type comes whole.
    let liste = filtres[..2].join(",");
    let parametres = [
        NDJSON,
        ("_type", "HealthcareService,Practitioner"),
        ("_typeFilter", liste.as_str()),
        ("_typeFilter", filtres[2].as_str()),
    ];
    let lu = contenu(&m.p1, &exporter(&m.p1, "", &parametres).await?).await?;
    let attendues: Contenu = de_vue(&m.vue1)
        .into_iter()
        .filter(|((g, id), _)| g == "Practitioner" || (g == "HealthcareService" && ids.contains(id)))
        .collect();
    memes(&lu, &attendues)?;
    // A type alone, by its address.
    let lu = contenu(&m.p1, &exporter(&m.p1, "/Location", &[NDJSON]).await?).await?;
    let attendues: Contenu = de_vue(&m.vue1).into_iter().filter(|((g, _), _)| g == "Location").collect();
    memes(&lu, &attendues)?;
    // What goes with an offer, when asked.
    let parametres = [
        NDJSON,
        ("_type", "HealthcareService"),
        ("_typeFilter", filtres[0].as_str()),
        ("includeAssociatedData", "_myCompleteExtract"),
    ];
    let lu = contenu(&m.p1, &exporter(&m.p1, "", &parametres).await?).await?;
    let offres: Vec<_> = lu.keys().filter(|(g, _)| g == "HealthcareService").collect();
    ensure!(offres.len() == 1 && lu.keys().any(|(g, _)| g == "Organization"), "{:?}", lu.keys());
    // Nothing found is an empty list.
    let parametres = [NDJSON, ("_type", "Location"), ("_typeFilter", "Location?_id=n-existe-pas")];
    let vide = exporter(&m.p1, "", &parametres).await?;
    ensure!(vide["output"] == json!([]), "{vide}");
    Ok(())
}

async fn elements(m: &Monde) -> Result<()> {
    let parametres =
        [NDJSON, ("_type", "HealthcareService,Location"), ("_elements", "name,HealthcareService.active")];
    let lu = contenu(&m.p1, &exporter(&m.p1, "", &parametres).await?).await?;
    for ((genre, id), r) in &lu {
        let entier = m.vue1.un(genre, id).with_context(|| format!("{genre}/{id} is not seen"))?;
        let permis: &[&str] = match genre.as_str() {
            "Location" => &["resourceType", "id", "meta", "name"],
            // What the profiles make mandatory stays.
            _ => &[
                "resourceType",
                "id",
                "meta",
                "name",
                "active",
                "identifier",
                "providedBy",
                "type",
                "specialty",
                "characteristic",
            ],
        };
        let membres = r.as_object().context("an object")?;
        for nom in permis.iter().filter(|n| entier.get(**n).is_some()) {
            ensure!(membres.contains_key(*nom), "{genre}/{id}: without {nom}");
        }
        for (nom, valeur) in membres {
            ensure!(permis.contains(&nom.trim_start_matches('_')), "{genre}/{id}: {nom}");
            ensure!(nom == "meta" || entier[nom] == *valeur, "{genre}/{id}: {nom}");
        }
        ensure!(codages(&r["meta"]["tag"]).iter().any(|(_, code)| code == "SUBSETTED"), "{}", r["meta"]);
    }
    ensure!(lu.len() == m.vue1.ids("HealthcareService").len() + m.vue1.ids("Location").len(), "{}", lu.len());
    Ok(())
}

async fn depuis(m: &Monde) -> Result<()> {
    // What was touched shortly before an instant may be given again: soon after, nothing is.
    attendre("nothing since an instant", Duration::from_secs(90), async || {
        let premier = exporter(&m.p1, "", &[NDJSON]).await?;
        let parametres = [NDJSON, ("_since", texte(&premier, "/transactionTime"))];
        let second = exporter(&m.p1, "", &parametres).await?;
        Ok((second["output"] == json!([]) && second["deleted"] == json!([])).then_some(()))
    })
    .await?;
    // The journal of a young process does not go back so far, and it says so.
    let ancien = exporter(&m.p1, "", &[NDJSON, ("_since", "2020-01-01T00:00:00Z")]).await?;
    memes(&contenu(&m.p1, &ancien).await?, &de_vue(&m.vue1))?;
    let message = tableau(&ancien, "error").first().context("no message")?;
    let lu = fichier(&m.p1, message).await?;
    ensure!(texte(&lu[0], "/issue/0/severity") == "warning", "{lu:?}");
    ensure!(ror_e2e::fhir::francais(texte(&lu[0], "/issue/0/diagnostics")), "{lu:?}");
    Ok(())
}

async fn poste(m: &Monde) -> Result<()> {
    let corps = json!({"resourceType": "Parameters", "parameter": [
        {"name": "_outputFormat", "valueString": "ndjson"},
        {"name": "_type", "valueString": "Practitioner"},
        {"name": "_type", "valueString": "Location"},
    ]});
    let genre = [("content-type", "application/fhir+json")];
    for chemin in ["$export", "%24export"] {
        let url = format!("{}/{chemin}", m.p1.base);
        let r = demander(&m.p1, Method::POST, &url, &genre, Some(corps.to_string())).await?;
        let fini = manifeste(&m.p1, &suivi(&m.p1, r)?).await?;
        let lu = contenu(&m.p1, &fini).await?;
        let attendu = m.vue1.ids("Practitioner").len() + m.vue1.ids("Location").len();
        ensure!(lu.len() == attendu, "{} resources instead of {attendu}", lu.len());
        ensure!(texte(&fini, "/request").ends_with("/$export"), "{}", fini["request"]);
    }
    let url = format!("{}/$export", m.p1.base);
    let r = demander(&m.p1, Method::POST, &url, &genre, Some("{".into())).await?;
    issues(&r.reponse(), &[400]).map(|_| ())
}

async fn parties(m: &Monde) -> Result<()> {
    for criteres in [&[NDJSON, ("_type", "HealthcareService")][..], &[("_type", "HealthcareService")]] {
        parties_de(m, criteres).await?;
    }
    Ok(())
}

async fn parties_de(m: &Monde, criteres: &[(&str, &str)]) -> Result<()> {
    let fini = exporter(&m.p1, "", criteres).await?;
    let f = tableau(&fini, "output").first().context("a file")?;
    let url = texte(f, "/url");
    let entier = lire(&m.p1, url, &[]).await?;
    ensure!(
        entier.entete("content-encoding").is_empty() && entier.entete("accept-ranges") == "bytes",
        "{:?}",
        entier.entetes
    );
    let etag = entier.entete("etag").to_owned();
    ensure!(etag == format!("\"{}\"", texte(f, "/extension/sha256")), "ETag {etag}");
    // As it lies on disk.
    let serre = lire(&m.p1, url, &[("accept-encoding", "gzip")]).await?;
    ensure!(
        serre.entete("content-encoding") == "gzip" && serre.octets.len() < entier.octets.len(),
        "{:?}",
        serre.entetes
    );
    ensure!(sha256(&serre.octets) == texte(f, "/extension/gzip/sha256"), "another fingerprint");
    ensure!(f["extension"]["gzip"]["size"] == serre.octets.len(), "another size");
    let mut ouvert = Vec::new();
    GzDecoder::new(&serre.octets[..]).read_to_end(&mut ouvert)?;
    ensure!(ouvert == entier.octets, "not the same once unpacked");
    // In parts, put together.
    let n = entier.octets.len();
    let mut recolle = Vec::new();
    while recolle.len() < n {
        let (de, a) = (recolle.len(), n.min(recolle.len() + n / 3 + 1));
        let plage = format!("bytes={de}-{}", a - 1);
        let entetes = [("range", plage.as_str()), ("if-range", etag.as_str()), ("accept-encoding", "gzip")];
        let r = lire(&m.p1, url, &entetes).await?;
        ensure!(r.statut == 206, "{plage}: {}", r.statut);
        ensure!(
            r.entete("content-range") == format!("bytes {de}-{}/{n}", a - 1),
            "{}",
            r.entete("content-range")
        );
        recolle.extend(r.octets);
    }
    ensure!(recolle == entier.octets, "not the same once put together");
    let fin = lire(&m.p1, url, &[("range", "bytes=-10")]).await?;
    ensure!(fin.statut == 206 && fin.octets == entier.octets[n - 10..], "the last bytes");
    let etag_serre = serre.entete("etag").to_owned();
    let entetes = [("accept-encoding", "gzip"), ("range", "bytes=5-"), ("if-range", etag_serre.as_str())];
    let fin = lire(&m.p1, url, &entetes).await?;
    ensure!(fin.statut == 206 && fin.octets == serre.octets[5..], "the end of the packed bytes");
    let autre = lire(&m.p1, url, &[("range", "bytes=0-1"), ("if-range", "\"autre\"")]).await?;
    ensure!(autre.statut == 200 && autre.octets == entier.octets, "another state asks for all of it");
    let loin = lire(&m.p1, url, &[("range", &format!("bytes={n}-"))]).await?;
    ensure!(loin.entete("content-range") == format!("bytes */{n}"), "{}", loin.entete("content-range"));
    issues(&loin.reponse(), &[416])?;
    let connue = lire(&m.p1, url, &[("if-none-match", &etag)]).await?;
    ensure!(connue.statut == 304 && connue.octets.is_empty(), "{}", connue.statut);
    let tete = demander(&m.p1, Method::HEAD, url, &[], None).await?;
    ensure!(tete.statut == 200 && tete.octets.is_empty(), "HEAD: {}", tete.statut);
    ensure!(
        tete.entete("content-length") == n.to_string() && tete.entete("etag") == etag,
        "{:?}",
        tete.entetes
    );
    Ok(())
}

async fn annuler(m: &Monde) -> Result<()> {
    // Under way or finished, as it comes.
    let tot = lancer(&m.p1, "", &[]).await?;
    let tard = lancer(&m.p1, "", &[NDJSON]).await?;
    let fini = manifeste(&m.p1, &tard).await?;
    for url in [&tot, &tard] {
        let r = demander(&m.p1, Method::DELETE, url, &[], None).await?;
        ensure!(r.statut == 202, "DELETE: {}", r.statut);
        for methode in [Method::GET, Method::DELETE] {
            issues(&demander(&m.p1, methode, url, &[], None).await?.reponse(), &[404])?;
        }
    }
    for f in tableau(&fini, "output") {
        issues(&lire(&m.p1, texte(f, "/url"), &[]).await?.reponse(), &[404])?;
    }
    Ok(())
}

async fn autrui(m: &Monde) -> Result<()> {
    let url = lancer(&m.p1, "", &[NDJSON, ("_type", "Location")]).await?;
    let fini = manifeste(&m.p1, &url).await?;
    let fichier = texte(&tableau(&fini, "output")[0], "/url").to_owned();
    for adresse in [&url, &fichier] {
        // Over the transport of each: the paths are what counts.
        let chemin = adresse.strip_prefix(&m.p1.base).context("another base")?;
        for c in [&m.p0, &m.p2] {
            issues(&lire(c, &format!("{}{chemin}", c.base), &[]).await?.reponse(), &[404])?;
        }
        let sans = m.p1.lire_avec(adresse, &[]).await?;
        issues(&sans, &[400])?;
        let nu = m.p1.http.get(adresse).send().await?;
        ensure!(nu.status().as_u16() == 401, "without token: {}", nu.status());
    }
    let r = demander(&m.p2, Method::DELETE, &format!("{}{}", m.p2.base, &url[m.p1.base.len()..]), &[], None)
        .await?;
    issues(&r.reponse(), &[404])?;
    let autre = format!("{}/$export-file/{}/..%2F..%2Fdemande.json", m.p1.base, &url[url.len() - 36..]);
    issues(&lire(&m.p1, &autre, &[]).await?.reponse(), &[404])?;
    manifeste(&m.p1, &url).await.map(|_| ())
}

/// A query string, and what the diagnostics must name.
const FAUTES: &[(&str, &[&str])] = &[
    ("bidule=1", &["bidule"]),
    ("_outputFormat=text/csv", &["_outputFormat"]),
    ("_since=hier", &["_since"]),
    ("_type=Patient", &["Patient"]),
    ("_typeFilter=status=active", &["_typeFilter"]),
    ("_type=Location&_typeFilter=Organization%3Fname%3Dx", &["Organization"]),
    ("_typeFilter=Location%3Fbidule%3D1", &["bidule"]),
    ("_typeFilter=Location%3F_include%3DLocation:organization", &["_include"]),
    ("_elements=a.b.c", &["_elements"]),
    ("includeAssociatedData=LatestProvenanceResources", &["includeAssociatedData"]),
    ("patient=1", &["patient"]),
    (
        "_type=Patient&_since=hier&bidule=1&_typeFilter=Location%3Fautre%3D1",
        &["Patient", "_since", "bidule", "autre"],
    ),
    ("a=%zz", &["mal encodé"]),
];

async fn fautif(m: &Monde, parametres: &str, dits: &[&str]) -> Result<()> {
    let r = lire(&m.p1, &format!("{}/$export?{parametres}", m.p1.base), &[]).await?;
    let issues = issues(&r.reponse(), &[400])?;
    for dit in dits {
        ensure!(
            issues.iter().any(|i| texte(i, "/diagnostics").contains(dit)),
            "nothing on {dit}: {issues:?}"
        );
    }
    Ok(())
}

async fn indulgent(m: &Monde) -> Result<()> {
    let filtre = requete(&[("_typeFilter", "Location?truc=1&_sort=name")]);
    let url = format!("{}/$export?bidule=1&_type=Location,Patient&_outputFormat=ndjson&{filtre}", m.p1.base);
    // As searches read it: quoted or not, and the first of two stands.
    let souple = [("prefer", "respond-async, handling=\"lenient\", handling=strict")];
    let r = lire(&m.p1, &url, &souple).await?;
    let applique = r.entete("preference-applied").to_owned();
    ensure!(applique == "handling=lenient", "Preference-Applied {applique:?}");
    let fini = manifeste(&m.p1, &suivi(&m.p1, r)?).await?;
    let dits = fichier(&m.p1, tableau(&fini, "error").first().context("no message")?).await?;
    for nom in ["bidule", "Patient", "truc", "_sort"] {
        let dit = dits.iter().any(|d| texte(d, "/issue/0/diagnostics").contains(nom));
        ensure!(dit, "nothing on {nom}: {dits:?}");
    }
    let lus = contenu(&m.p1, &fini).await?;
    ensure!(lus.len() == m.vue1.ids("Location").len(), "{} places", lus.len());
    let strict = [("prefer", "handling=strict, handling=lenient")];
    issues(&lire(&m.p1, &url, &strict).await?.reponse(), &[400])?;
    // None of the types asked is not all of them.
    let url = format!("{}/$export?_type=Patient", m.p1.base);
    issues(&lire(&m.p1, &url, &souple).await?.reponse(), &[400])?;
    for (methode, chemin, statut) in [
        (Method::HEAD, "$export", 405),
        (Method::PUT, "$export", 405),
        (Method::GET, "Patient/$export", 404),
        (Method::GET, "$export-poll-status", 400),
        (Method::GET, "$export-poll-status?_jobId=x", 404),
        (Method::GET, "$export-file/x/y", 404),
    ] {
        let url = format!("{}/{chemin}", m.p1.base);
        let r = demander(&m.p1, methode.clone(), &url, &[], None).await?;
        ensure!(r.statut == statut, "{methode} {chemin}: {}", r.statut);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_outlives_a_restart_of_its_replica() {
    let dossier = Dossier::neuf();
    if let Err(faute) = vies(&dossier).await {
        panic!("{faute:#}");
    }
}

async fn vies(dossier: &Dossier) -> Result<()> {
    let mesh = Mesh::relancer(dossier, Options::new("small", false)).await;
    let c = mesh.client("p1")?;
    let base = c.base.clone();
    let fini = lancer(&c, "", &[NDJSON]).await?;
    let avant = manifeste(&c, &fini).await?;
    // Perhaps under way when the process ends, perhaps not begun.
    let coupe = lancer(&c, "", &[]).await?;
    mesh.arreter().await?;

    let mesh = Mesh::relancer(dossier, Options::new("small", false)).await;
    let c = mesh.client("p1")?;
    let ici = |url: &str| url.replacen(&base, &c.base, 1);
    let apres = manifeste(&c, &ici(&fini)).await?;
    let fichiers = |m: &Value| -> Vec<(String, Value)> {
        let nom = |f: &Value| texte(f, "/url").rsplit('/').next().unwrap_or_default().to_owned();
        tableau(m, "output").iter().map(|f| (nom(f), f["extension"].clone())).collect()
    };
    ensure!(fichiers(&avant) == fichiers(&apres), "not the files it had: {avant} then {apres}");
    ensure!(avant["transactionTime"] == apres["transactionTime"], "another moment");
    memes(&contenu(&c, &apres).await?, &de_vue(&Vue::lire(&c).await?))?;
    let repris = manifeste(&c, &ici(&coupe)).await?;
    memes(&contenu(&c, &repris).await?, &de_vue(&Vue::lire(&c).await?))
}
