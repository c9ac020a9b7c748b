//! The change feed: whoever follows it ends with what a fresh export gives.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use reqwest::{Method, Response};
use ror_e2e::{
    Client, Dossier, Mesh, Options, Rapport, Vue, attendre,
    client::requete,
    commande::ror,
    fhir::{REGION, issue, issues, texte},
    patch::{disponibles, nombre, plafond, remplacer},
};
use serde_json::Value;

use crate::{
    brut::{self, Brute, demander},
    changements_vus,
    export::{Contenu, de_vue, memes, tout_exporter},
    monde::{Monde, lire_lieu},
};

/// Longest wait until a follower has caught up.
const LIMITE: Duration = Duration::from_secs(60);
const LIGNES: (&str, &str) = ("accept", "application/x-ndjson");
const EVENEMENTS: (&str, &str) = ("accept", "text/event-stream");

/// A copy kept by following.
pub struct Suiveur<'a> {
    client: &'a Client,
    /// Below the base, before the query.
    chemin: String,
    criteres: String,
    pub copie: Contenu,
    curseur: String,
    /// What was told as gone, type and id.
    pub supprimees: BTreeSet<(String, String)>,
}

impl<'a> Suiveur<'a> {
    /// From an export on.
    pub async fn nouveau(client: &'a Client) -> Result<Self> {
        let (copie, curseur) = tout_exporter(client).await?;
        ensure!(!curseur.is_empty(), "the manifest has no cursor");
        let (chemin, supprimees) = ("$changes".into(), BTreeSet::new());
        Ok(Self { client, chemin, criteres: String::new(), copie, curseur, supprimees })
    }

    /// From now on, over some criteria of a type; the copy is what they find.
    pub async fn de(client: &'a Client, genre: &str, criteres: &[(&str, &str)]) -> Result<Self> {
        let curseur = maintenant(client, &format!("{genre}/$changes")).await?;
        let mut copie = Contenu::new();
        for page in client.pages(genre, criteres).await? {
            for (_, r) in ror_e2e::fhir::entrees(&page) {
                copie.insert((genre.to_owned(), texte(r, "/id").to_owned()), r.clone());
            }
        }
        let criteres = format!("{}&", requete(criteres));
        let (chemin, supprimees) = (format!("{genre}/$changes"), BTreeSet::new());
        Ok(Self { client, chemin, criteres, copie, curseur, supprimees })
    }

    /// Takes one bounded answer in; how many changes it held.
    async fn suivre(&mut self, attente: u64) -> Result<usize> {
        let criteres = format!("{}since={}&wait={attente}", self.criteres, self.curseur);
        let r = lire(self.client, &format!("{}?{criteres}", self.chemin), &[LIGNES]).await?;
        ensure!(r.entete("content-type").starts_with("application/x-ndjson"), "{:?}", r.entetes);
        let r = r.reponse().attendre(200)?;
        let lignes: Vec<Value> = r.texte.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let (fin, changements) = lignes.split_last().context("an empty answer")?;
        for ligne in changements {
            ensure!(!texte(ligne, "/cursor").is_empty() && !texte(ligne, "/moment").is_empty(), "{ligne}");
            appliquer(&mut self.copie, ligne)?;
            if texte(ligne, "/change") == "delete" {
                self.supprimees.insert((texte(ligne, "/type").to_owned(), texte(ligne, "/id").to_owned()));
            }
        }
        ensure!(fin.get("type").is_none(), "the last line is no cursor: {fin}");
        self.curseur = texte(fin, "/cursor").to_owned();
        Ok(changements.len())
    }

    /// Follows until nothing more comes: a write is told when it is acknowledged, and may be told
    /// again when its event comes.
    async fn apaiser(&mut self) -> Result<()> {
        attendre("a quiet second", LIMITE, async || Ok((self.suivre(1).await? == 0).then_some(()))).await
    }

    /// Follows until the copy is what the client sees.
    pub async fn rattraper(&mut self, voulu: impl AsyncFn() -> Result<Contenu>) -> Result<()> {
        let fin = Instant::now() + LIMITE;
        loop {
            self.suivre(1).await?;
            let ecart = memes(&self.copie, &voulu().await?);
            if ecart.is_ok() || Instant::now() >= fin {
                return ecart.with_context(|| format!("{}: not what a walk gives", self.client.nom));
            }
        }
    }

    /// The same, of a follower of the whole.
    pub async fn rattraper_la_vue(&mut self) -> Result<()> {
        let client = self.client;
        self.rattraper(async || -> Result<Contenu> { Ok(de_vue(&Vue::lire(client).await?)) }).await
    }
}

/// Applies one line to a copy.
fn appliquer(copie: &mut Contenu, ligne: &Value) -> Result<()> {
    let cle = (texte(ligne, "/type").to_owned(), texte(ligne, "/id").to_owned());
    match texte(ligne, "/change") {
        "upsert" => {
            let r = &ligne["resource"];
            ensure!(cle == (texte(r, "/resourceType").to_owned(), texte(r, "/id").to_owned()), "{ligne}");
            copie.insert(cle, r.clone());
        }
        "delete" => {
            ensure!(ligne.get("resource").is_none(), "{ligne}");
            copie.remove(&cle);
        }
        autre => anyhow::bail!("change {autre:?}: {ligne}"),
    }
    Ok(())
}

async fn lire(c: &Client, chemin: &str, entetes: &[(&str, &str)]) -> Result<Brute> {
    brut::lire(c, &format!("{}/{chemin}", c.base), entetes).await
}

/// The present cursor.
pub async fn maintenant(c: &Client, chemin: &str) -> Result<String> {
    let r = lire(c, chemin, &[LIGNES]).await?.reponse().attendre(200)?;
    let lignes: Vec<Value> = r.texte.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(lignes.len() == 1 && lignes[0].get("type").is_none(), "not a cursor alone: {}", r.texte);
    Ok(texte(&lignes[0], "/cursor").to_owned())
}

/// One more or one less free bed at some places.
pub async fn ecrire(m: &Monde, places: usize) -> Result<()> {
    for (id, identifiant) in m.lieux_modifiables()?.iter().take(places) {
        let lieu = lire_lieu(&m.p1, id).await?;
        let libres = disponibles(&lieu).context("no free bed")?;
        let n = if nombre(libres) < plafond(&lieu) { nombre(libres) + 1 } else { nombre(libres) - 1 };
        m.flux.modifier(identifiant, &remplacer(libres, n)).await?.attendre(200)?;
    }
    Ok(())
}

pub async fn tout(m: &Monde, r: &mut Rapport) {
    r.verifier("changements: a cursor and nothing more when nothing changes", calme(m)).await;
    r.verifier("changements: two profiles follow the writes of beds", lits(m)).await;
    r.verifier("changements: narrowed to a type and its criteria", restreint(m)).await;
    r.verifier("changements: from an export made while beds move", changements_vus::pendant(m)).await;
    r.verifier("changements: who waits is told at once", attente(m)).await;
    r.verifier("changements: events, resumed where they stopped", evenements(m)).await;
    r.verifier("changements: elements", elements(m)).await;
    r.verifier("changements: wrong requests", fautes(m)).await;
}

async fn calme(m: &Monde) -> Result<()> {
    for c in [&m.p0, m.p1.as_ref()] {
        let mut s = Suiveur {
            client: c,
            chemin: "%24changes".into(),
            criteres: String::new(),
            copie: Contenu::new(),
            curseur: maintenant(c, "$changes").await?,
            supprimees: BTreeSet::new(),
        };
        s.apaiser().await?;
        let depart = s.curseur.clone();
        ensure!(s.suivre(0).await? == 0, "a change without a write");
        // A cursor serves again, and serves any question.
        s.curseur = depart;
        s.chemin = "Location/$changes".into();
        ensure!(s.suivre(0).await? == 0, "a change without a write");
    }
    Ok(())
}

async fn lits(m: &Monde) -> Result<()> {
    let (mut un, mut zero) = (Suiveur::nouveau(&m.p1).await?, Suiveur::nouveau(&m.p0).await?);
    let avant = un.copie.clone();
    ecrire(m, 3).await?;
    un.rattraper_la_vue().await?;
    ensure!(un.copie != avant, "the writes are not seen");
    zero.rattraper_la_vue().await?;
    // And the same as an export made now.
    memes(&un.copie, &tout_exporter(&m.p1).await?.0)
}

async fn restreint(m: &Monde) -> Result<()> {
    let region = format!("{REGION}|{}", m.region()?);
    let id = m.lieux_modifiables()?[0].0.clone();
    let criteres = [[("_tag", region.as_str())], [("_id", "n-existe-pas")], [("_id", id.as_str())]];
    let mut suiveurs = Vec::new();
    for c in &criteres {
        suiveurs.push((c, Suiveur::de(&m.p1, "Location", c).await?));
    }
    ecrire(m, 2).await?;
    for (c, s) in &mut suiveurs {
        let frais =
            async || -> Result<Contenu> { Ok(Suiveur::de(&m.p1, "Location", c.as_slice()).await?.copie) };
        s.rattraper(frais).await.with_context(|| format!("{c:?}"))?;
    }
    // Over the whole, with filters.
    let filtre = requete(&[("_type", "Location"), ("_typeFilter", &format!("Location?_id={id}"))]);
    let mut s = Suiveur::de(&m.p1, "Location", &[("_id", &id)]).await?;
    (s.chemin, s.criteres) = ("$changes".into(), format!("{filtre}&"));
    ecrire(m, 1).await?;
    s.rattraper(async || -> Result<Contenu> {
        Ok(Suiveur::de(&m.p1, "Location", &[("_id", &id)]).await?.copie)
    })
    .await
}

async fn attente(m: &Monde) -> Result<()> {
    let mut s = Suiveur::de(&m.p1, "Location", &[]).await?;
    let debut = Instant::now();
    let (recus, ecrit) = tokio::join!(s.suivre(10), ecrire(m, 1));
    ecrit?;
    ensure!(recus? > 0 && debut.elapsed() < Duration::from_secs(8), "told after {:?}", debut.elapsed());
    s.apaiser().await?;
    let debut = Instant::now();
    ensure!(s.suivre(2).await? == 0 && debut.elapsed() >= Duration::from_secs(2), "did not wait");
    Ok(())
}

/// Server-sent events, as they come.
struct Evenements {
    reponse: Response,
    tampon: String,
}

impl Evenements {
    async fn ouvrir(c: &Client, chemin: &str, dernier: Option<&str>) -> Result<Self> {
        let mut r = c
            .http
            .get(format!("{}/{chemin}", c.base))
            .timeout(LIMITE)
            .header("authorization", format!("Bearer {}", c.jeton().await?))
            .header(EVENEMENTS.0, EVENEMENTS.1);
        for (nom, valeur) in &c.entetes {
            r = r.header(nom, valeur);
        }
        if let Some(id) = dernier {
            r = r.header("last-event-id", id);
        }
        let reponse = r.send().await?.error_for_status()?;
        let genre = reponse.headers()["content-type"].to_str()?.to_owned();
        ensure!(genre.starts_with("text/event-stream"), "content type {genre}");
        Ok(Self { reponse, tampon: String::new() })
    }

    /// The next event: its name, its id, its data.
    async fn suivant(&mut self) -> Result<(String, String, Value)> {
        loop {
            if let Some((bloc, reste)) = self.tampon.split_once("\n\n") {
                let champ = |nom: &str| {
                    let ligne = bloc.lines().find_map(|l| l.strip_prefix(nom));
                    ligne.unwrap_or_default().trim().to_owned()
                };
                let (nom, id, donnees) = (champ("event:"), champ("id:"), champ("data:"));
                self.tampon = reste.to_owned();
                if !nom.is_empty() {
                    return Ok((nom, id, serde_json::from_str(&donnees)?));
                }
                continue;
            }
            let morceau = self.reponse.chunk().await?.context("the stream ended")?;
            self.tampon.push_str(std::str::from_utf8(&morceau)?);
        }
    }

    /// Events up to the next cursor alone; the changes, and that cursor.
    async fn pas(&mut self) -> Result<(Vec<Value>, String)> {
        let mut changements = Vec::new();
        loop {
            let (nom, id, donnees) = self.suivant().await?;
            ensure!(texte(&donnees, "/cursor") == id && !id.is_empty(), "id {id}: {donnees}");
            match nom.as_str() {
                "change" => changements.push(donnees),
                "cursor" => return Ok((changements, id)),
                autre => anyhow::bail!("event {autre}"),
            }
        }
    }
}

async fn evenements(m: &Monde) -> Result<()> {
    let mut flux = Evenements::ouvrir(&m.p1, "Location/$changes", None).await?;
    let (rien, depart) = flux.pas().await?;
    ensure!(rien.is_empty(), "a change without a write: {rien:?}");
    ecrire(m, 1).await?;
    let (changements, apres) = flux.pas().await?;
    let id = m.lieux_modifiables()?[0].0.clone();
    ensure!(changements.iter().any(|c| texte(c, "/id") == id), "not told: {changements:?}");
    let lu = lire_lieu(&m.p1, &id).await?;
    ensure!(changements.iter().any(|c| c["resource"] == lu), "not as it is read");
    drop(flux);
    // Written while nobody listens, told to who comes back; told again from further back.
    ecrire(m, 2).await?;
    for (dernier, moins) in [(&apres, 2), (&depart, 2)] {
        let mut flux = Evenements::ouvrir(&m.p1, "Location/$changes", Some(dernier)).await?;
        let (changements, _) = flux.pas().await?;
        ensure!(changements.len() >= moins, "{} changes since {dernier}", changements.len());
        let lu = lire_lieu(&m.p1, &id).await?;
        ensure!(changements.iter().any(|c| c["resource"] == lu), "not the present state");
    }
    Ok(())
}

async fn elements(m: &Monde) -> Result<()> {
    let depart = maintenant(&m.p1, "$changes").await?;
    ecrire(m, 1).await?;
    let ligne = attendre("the write is told", LIMITE, async || -> Result<Option<Value>> {
        let chemin = format!("Location/$changes?_elements=status&since={depart}");
        let r = lire(&m.p1, &chemin, &[LIGNES]).await?.reponse().attendre(200)?;
        let premiere: Value = serde_json::from_str(r.texte.lines().next().unwrap_or_default())?;
        Ok(premiere.get("type").is_some().then_some(premiere))
    })
    .await?;
    let membres = ligne["resource"].as_object().context("a resource")?;
    let permis = ["resourceType", "id", "meta", "status"];
    ensure!(
        membres.keys().all(|k| permis.contains(&k.as_str())) && membres.contains_key("status"),
        "{ligne}"
    );
    Ok(())
}

async fn fautes(m: &Monde) -> Result<()> {
    let curseur = maintenant(&m.p1, "$changes").await?;
    let mut falsifie = curseur.clone();
    falsifie.replace_range(10..11, if &curseur[10..11] == "A" { "B" } else { "A" });
    for (chemin, dits) in [
        (format!("$changes?since={falsifie}"), vec!["since"]),
        (format!("$changes?since={curseur}&bidule=1"), vec!["bidule"]),
        ("Location/$changes?bidule=1&wait=99&since=x".to_owned(), vec!["bidule", "wait", "since"]),
        ("Location/$changes?_include=Location:organization".to_owned(), vec!["_include"]),
        ("Location/$changes?_lastUpdated=ap2026-01-01".to_owned(), vec!["_lastUpdated", "ap"]),
        ("$changes?_type=Patient&_elements=A.b.c".to_owned(), vec!["Patient", "_elements"]),
    ] {
        let issues = issues(&lire(&m.p1, &chemin, &[LIGNES]).await?.reponse(), &[400])?;
        for dit in dits {
            let nomme = issues.iter().any(|i| texte(i, "/diagnostics").contains(dit));
            ensure!(nomme, "{chemin}: nothing on {dit}: {issues:?}");
        }
    }
    issues(&lire(&m.p1, "$changes?wait=5", &[EVENEMENTS]).await?.reponse(), &[400])?;
    issues(&lire(&m.p1, "$changes", &[("accept", "text/csv")]).await?.reponse(), &[406])?;
    issues(&lire(&m.p1, "Patient/$changes", &[LIGNES]).await?.reponse(), &[404])?;
    let url = format!("{}/$changes", m.p1.base);
    let tete = demander(&m.p1, Method::HEAD, &url, &[], None).await?;
    ensure!(tete.statut == 405, "HEAD: {}", tete.statut);
    ensure!(m.p1.http.get(&url).send().await?.status().as_u16() == 401, "without token");
    Ok(())
}

const IMPORT: &str = "52";

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_imports_has_what_a_walk_gives_and_a_restart_asks_for_a_fresh_export() {
    let dossier = Dossier::neuf();
    if let Err(faute) = imports(&dossier).await {
        panic!("{faute:#}");
    }
}

async fn imports(dossier: &Dossier) -> Result<()> {
    let mesh = Mesh::relancer(dossier, Options::new("none", false)).await;
    let source = dossier.chemin("source").display().to_string();
    ror(&["demo", "generate", "--taille", "small", "--graine", "11", &source]).await?.attendre(0)?;
    let (p0, p1) = (mesh.client("p0")?, mesh.client("p1")?);
    // An empty directory, then all of it by the ordinary imports.
    let (mut zero, mut un) = (Suiveur::nouveau(&p0).await?, Suiveur::nouveau(&p1).await?);
    ensure!(un.copie.is_empty(), "{} resources before any import", un.copie.len());
    let donnees = mesh.donnees();
    let finess = format!("{source}/finess-structures.json");
    let rpps = format!("{source}/rpps-personne-activite.txt");
    let fhir = format!("{source}/fhir");
    for fichier in [
        vec!["finess", finess.as_str()],
        vec!["rpps", rpps.as_str()],
        vec!["fhir", fhir.as_str(), "--region", IMPORT, "--channel", "regional"],
    ] {
        let mut arguments = vec!["import"];
        arguments.extend(fichier);
        arguments.extend(["--mesh", donnees.as_str(), "--report", "json"]);
        ror(&arguments).await?.attendre(0)?;
        // On the way, in as many steps as it takes.
        un.suivre(0).await?;
    }
    un.rattraper_la_vue().await?;
    zero.rattraper_la_vue().await?;
    ensure!(
        un.copie.len() > zero.copie.len() && !zero.copie.is_empty(),
        "{} and {}",
        un.copie.len(),
        zero.copie.len()
    );
    changements_vus::cachee(&mesh, &source, IMPORT).await?;
    un.rattraper_la_vue().await?;

    // The next life goes on from its image; without one, it has no journal: it says so, and what to do.
    let ancien = maintenant(&p1, "$changes").await?;
    let edition: Value = serde_json::from_slice(&std::fs::read(&finess)?)?;
    let suivante = dossier.chemin("finess-structures-journalier-20270104.json");
    std::fs::write(&suivante, plus_tard(edition).to_string())?;
    let suivante = suivante.display().to_string();
    ror(&["import", "finess", &suivante, "--mesh", &donnees, "--report", "json"]).await?.attendre(0)?;
    attendre("the edition is told", LIMITE, async || -> Result<Option<()>> {
        Ok((un.suivre(1).await? > 0).then_some(()))
    })
    .await?;
    un.rattraper_la_vue().await?;
    mesh.arreter().await?;
    let mesh = Mesh::relancer(dossier, Options::new("none", false)).await;
    let p1 = mesh.client("p1")?;
    let r = lire(&p1, &format!("$changes?since={ancien}"), &[LIGNES]).await?.reponse().attendre(200)?;
    ensure!(r.texte.contains("SITE RENOMME"), "{}", r.texte);
    mesh.arreter().await?;
    std::fs::remove_dir_all(dossier.donnees().join("image"))?;
    let mesh = Mesh::relancer(dossier, Options::new("none", false)).await;
    let p1 = mesh.client("p1")?;
    let r = lire(&p1, &format!("$changes?since={ancien}"), &[LIGNES]).await?.reponse();
    let dit = issue(&r, 410, "expired")?;
    ensure!(texte(&dit, "/diagnostics").contains("$export"), "{dit}");
    // The cursor it gives is a good one.
    let chemin = format!("$changes?since={}", texte(&dit, "/details/text"));
    let r = lire(&p1, &chemin, &[LIGNES]).await?.reponse().attendre(200)?;
    ensure!(r.texte.lines().count() == 1, "{}", r.texte);
    Suiveur::nouveau(&p1).await?.suivre(0).await.map(|_| ())
}

/// The same edition, a day later, its first site under another name.
fn plus_tard(mut edition: Value) -> Value {
    edition["generatedAt"] = "2027-01-04T02:14:30Z".into();
    let entites = edition["pmej"].as_array_mut().into_iter().flatten();
    let premier = entites.flat_map(|e| e["ege"].as_array_mut().into_iter().flatten()).next();
    if let Some(site) = premier {
        site["informationsGeneralesEGE"]["nomEgeLong"] = "SITE RENOMME".into();
    }
    edition
}
