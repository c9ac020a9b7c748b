//! Kills: whatever process dies, what was acknowledged stays and the mesh comes back.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use reqwest::Method;
use ror_e2e::{
    Client, Dossier, Mesh, Options, PAS, Rapport, Vue, attendre,
    client::{appeler, http},
    fhir::{GENRES, entrees, texte},
    patch::{disponibles, nombre, plafond, remplacer},
    processus::{signaler, vivant},
    vue::Ids,
};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{
    changements,
    monde::{self, Monde, externe, lire_lieu, version},
    oracle::Part,
};

/// Longest time until writes go on after a kill.
const RETOUR: Duration = Duration::from_secs(60);
/// The services of the mesh, in the order they are killed; then the servers, then the gateway.
const SERVICES: [&str; 7] =
    ["structures", "offers", "capacity", "nomenclatures", "identity", "access", "bascule"];

/// The free beds of one place, written again and again.
struct Compteur {
    id: String,
    identifiant: String,
    /// The record as first read.
    modele: Value,
    plafond: i64,
    nombre: i64,
    /// Version after the last acknowledged write.
    version: u64,
}

impl Compteur {
    async fn nouveau(client: &Client, id: &str) -> Result<Self> {
        let lieu = lire_lieu(client, id).await?;
        let modele = disponibles(&lieu).context("no free bed")?.clone();
        Ok(Self {
            id: id.to_owned(),
            identifiant: externe(&lieu).context("no synchronisation identifier")?.to_owned(),
            plafond: plafond(&lieu),
            nombre: nombre(&modele),
            version: version(&lieu)?,
            modele,
        })
    }

    /// The next count and the body that writes it; the body is made once, so that sending it again
    /// is no second change.
    fn suivant(&self) -> (i64, Value) {
        let n = if self.nombre >= self.plafond { 0 } else { self.nombre + 1 };
        (n, remplacer(&self.modele, n))
    }

    /// Writes the next count, again and again until it is acknowledged.
    async fn ecrire(&mut self, flux: &Client) -> Result<()> {
        let (n, corps) = self.suivant();
        let quoi = format!("the write of {n} free beds is acknowledged");
        attendre(&quoi, RETOUR, async || -> Result<Option<()>> {
            match flux.modifier(&self.identifiant, &corps).await {
                Ok(reponse) if reponse.statut == 200 => Ok(Some(())),
                // Not a fault of the mesh: the feed is told so.
                Ok(reponse) if [400, 403, 404, 412].contains(&reponse.statut) => {
                    bail!("status {}: {}", reponse.statut, reponse.texte)
                }
                _ => Ok(None),
            }
        })
        .await?;
        self.nombre = n;
        self.version += 1;
        Ok(())
    }

    /// Waits until the read and the search show the last count, at its version.
    async fn visible(&self, client: &Client) -> Result<()> {
        let quoi = format!("{} free beds at version {} are seen", self.nombre, self.version);
        attendre(&quoi, RETOUR, async || -> Result<Option<()>> {
            let Ok(lu) = client.lire(&format!("Location/{}", self.id)).await else { return Ok(None) };
            let Ok(page) = client.chercher("Location", &[("_id", &self.id)]).await else { return Ok(None) };
            let trouve = entrees(&page.corps).next().map(|(_, lieu)| lieu.clone()).unwrap_or_default();
            let tous = [lu.corps, trouve];
            for lieu in &tous {
                let version = version(lieu).unwrap_or(0);
                ensure!(version <= self.version, "version {version} after {} writes at most", self.version);
            }
            let montre = |l: &Value| {
                disponibles(l).map(nombre) == Some(self.nombre) && version(l).ok() == Some(self.version)
            };
            Ok(tous.iter().all(montre).then_some(()))
        })
        .await
    }
}

/// Reads all the time, and remembers what failed.
struct Lecteur {
    arret: Arc<AtomicBool>,
    tache: JoinHandle<(usize, Vec<String>)>,
}

impl Lecteur {
    fn lancer(client: &Arc<Client>, id: &str) -> Self {
        let arret = Arc::new(AtomicBool::new(false));
        let (fin, client, id) = (Arc::clone(&arret), Arc::clone(client), id.to_owned());
        let tache = tokio::spawn(async move {
            let (mut lus, mut echecs) = (0, Vec::new());
            while !fin.load(Ordering::Relaxed) {
                for chemin in [format!("Location/{id}"), "HealthcareService?_count=5".to_owned()] {
                    match client.lire(&chemin).await {
                        Ok(reponse) if reponse.statut == 200 => lus += 1,
                        Ok(reponse) => echecs.push(format!("{chemin}: status {}", reponse.statut)),
                        Err(faute) => echecs.push(format!("{chemin}: {faute:#}")),
                    }
                }
                tokio::time::sleep(PAS).await;
            }
            (lus, echecs)
        });
        Self { arret, tache }
    }

    async fn finir(self) -> Result<()> {
        self.arret.store(true, Ordering::Relaxed);
        let (lus, echecs) = self.tache.await?;
        let premiers: Vec<&String> = echecs.iter().take(5).collect();
        ensure!(echecs.is_empty(), "{} reads failed of {}: {premiers:?}", echecs.len(), lus + echecs.len());
        ensure!(lus > 0, "no read");
        Ok(())
    }
}

/// Kills one process and waits until the launcher has put another one in its place.
async fn tuer(mesh: &Mesh, nom: &str) -> Result<i32> {
    let pid = *mesh.pids().get(nom).with_context(|| format!("demo.json: no process {nom}"))?;
    ensure!(vivant(pid), "{nom}: process {pid} of demo.json does not run");
    signaler(pid, Signal::SIGKILL);
    Ok(pid)
}

/// Waits until a process of that name runs that is not the killed one.
async fn remplace(mesh: &Mesh, nom: &str, tue: i32) -> Result<()> {
    attendre(&format!("{nom} runs again"), RETOUR, async || -> Result<Option<()>> {
        let nouveau = mesh.pids().get(nom).copied().filter(|pid| *pid != tue && vivant(*pid));
        Ok(nouveau.map(|_| ()))
    })
    .await
}

async fn victime(m: &Monde, nom: &str, a: &mut Compteur, b: &mut Compteur) -> Result<()> {
    // Fresh tokens: the renewal of one must not fall into the fault, nor into the end of the one before.
    for client in [&m.p1, &m.flux] {
        attendre("a token is given", RETOUR, async || -> Result<Option<()>> {
            Ok(client.renouveler().await.is_ok().then_some(()))
        })
        .await?;
    }
    let lecteur = (nom != "gateway").then(|| Lecteur::lancer(&m.p1, &a.id));
    a.ecrire(&m.flux).await?;
    let tue = tuer(&m.mesh, nom).await?;
    b.ecrire(&m.flux).await.context("a write after the kill")?;
    b.visible(&m.p1).await?;
    a.visible(&m.p1).await.context("the write acknowledged just before the kill")?;
    remplace(&m.mesh, nom, tue).await?;
    if let Some(lecteur) = lecteur {
        lecteur.finir().await?;
    }
    attendre("the directory is whole again", RETOUR, async || -> Result<Option<()>> {
        Ok(m.mesh.pret().await.then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn separate_processes_answer_alike_and_survive_every_kill() {
    let mesh = Mesh::start("small", true).await;
    let monde = Monde::lire(mesh).await.unwrap();
    let mut rapport = Rapport::default();
    monde::tout(&monde, &mut rapport, Part::Seconde).await;
    let lieux = monde.lieux_modifiables().unwrap();
    let mut a = Compteur::nouveau(&monde.p1, &lieux[0].0).await.unwrap();
    let mut b = Compteur::nouveau(&monde.p1, &lieux[1].0).await.unwrap();
    for nom in SERVICES.into_iter().chain(["postgres", "nats", "gateway"]) {
        rapport.verifier(&format!("pannes: kill -9 of {nom}"), victime(&monde, nom, &mut a, &mut b)).await;
    }
    rapport.verifier("pannes: no process is left out", tous_tues(&monde)).await;
    rapport.verifier("pannes: every write is there once, none lost", compte_juste(&monde, &a, &b)).await;
    rapport.finir();
}

/// demo.json names no process that the test forgot to kill.
async fn tous_tues(m: &Monde) -> Result<()> {
    let connus = SERVICES.into_iter().chain(["postgres", "nats", "gateway", "ror"]).collect::<Vec<_>>();
    let autres: Vec<String> =
        m.mesh.pids().into_keys().filter(|nom| !connus.contains(&nom.as_str())).collect();
    ensure!(autres.is_empty(), "never killed: {autres:?}");
    Ok(())
}

/// After the gateway's own death it read everything anew from the services.
async fn compte_juste(m: &Monde, a: &Compteur, b: &Compteur) -> Result<()> {
    a.visible(&m.p1).await?;
    b.visible(&m.p1).await
}

/// The relay dies between the commit and the publication, or between the publication and its mark.
async fn relais(point: &'static str) -> Result<()> {
    let dossier = Dossier::neuf();
    // A first life loads the demo, so that the write is the first thing the second life publishes.
    let premiere = Mesh::relancer(&dossier, Options::new("small", true)).await;
    premiere.arreter().await?;
    let mut options = Options::new("small", true);
    options.env = vec![("ROR_CRASH_POINT", point.to_owned()), ("ROR_CRASH_SERVICE", "capacity".to_owned())];
    let mesh = Mesh::relancer(&dossier, options).await;
    let monde = Monde::lire(mesh).await?;
    let premier = *monde.mesh.pids().get("capacity").context("demo.json: no process capacity")?;
    let lieu = monde.exemple("lieu_id")?.to_owned();
    let mut compteur = Compteur::nouveau(&monde.p1, &lieu).await?;
    let lecteur = Lecteur::lancer(&monde.p1, &lieu);
    compteur.ecrire(&monde.flux).await?;
    remplace(&monde.mesh, "capacity", premier).await.context("the crash point")?;
    ensure!(!vivant(premier), "the relay did not die: the test tests nothing");
    compteur.visible(&monde.p1).await?;
    // A second write comes right after: what was published twice would show between them.
    compteur.ecrire(&monde.flux).await?;
    compteur.visible(&monde.p1).await?;
    lecteur.finir().await?;
    // Read anew from the services, it is the same.
    let passerelle = tuer(&monde.mesh, "gateway").await?;
    remplace(&monde.mesh, "gateway", passerelle).await?;
    attendre("the directory is whole again", RETOUR, async || -> Result<Option<()>> {
        Ok(monde.mesh.pret().await.then_some(()))
    })
    .await?;
    compteur.visible(&monde.p1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_killed_before_publication_loses_and_doubles_nothing() {
    relais("avant-publication").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn relay_killed_before_mark_loses_and_doubles_nothing() {
    relais("avant-marquage").await.unwrap();
}

/// What the gateway there says of itself.
async fn mesures(base: &str) -> Result<String> {
    let url = format!("{base}/metrics");
    Ok(appeler(&http(None, None)?, Method::GET, &url, &[], None).await?.attendre(200)?.texte)
}

/// Ends the gateway and waits for the next one to be whole; whether it read the directory from an image, and
/// full text.
async fn autre_passerelle(m: &Monde, signal: Signal) -> Result<(bool, bool)> {
    let ancienne = *m.mesh.pids().get("gateway").context("demo.json: no process gateway")?;
    signaler(ancienne, signal);
    remplace(&m.mesh, "gateway", ancienne).await?;
    attendre("the directory is whole again", RETOUR, async || -> Result<Option<()>> {
        Ok(m.mesh.pret().await.then_some(()))
    })
    .await?;
    let page = mesures(&m.mesh.base()).await?;
    Ok((page.contains("ror_gateway_image_read_seconds"), page.contains("ror_gateway_image_text_rows")))
}

/// What full text finds, once it answers.
async fn trouves(client: &Client, mot: &str) -> Result<Ids> {
    attendre("full text answers", RETOUR, async || -> Result<Option<Ids>> {
        let page = client.chercher("Organization", &[("_content", mot), ("_count", "1000")]).await?;
        if page.statut == 503 {
            return Ok(None);
        }
        let page = page.attendre(200)?;
        Ok(Some(entrees(&page.corps).map(|(_, r)| texte(r, "/id").to_owned()).collect()))
    })
    .await
}

async fn image() -> Result<()> {
    let m = Monde::lire(Mesh::start("small", true).await).await?;
    let noms = m.vue1.tous("Organization").flat_map(|o| texte(o, "/name").split_whitespace());
    let mots = noms.filter(|n| n.chars().all(char::is_alphanumeric));
    let mot = mots.max_by_key(|n| n.len()).context("no name")?;
    let avant = trouves(&m.p1, mot).await?;
    ensure!(!avant.is_empty(), "{mot} finds nothing");
    let mut compteur = Compteur::nouveau(&m.p1, &m.lieux_modifiables()?[0].0).await?;
    ensure!(autre_passerelle(&m, Signal::SIGINT).await? == (true, true), "told to stop, it left no image");
    ensure!(trouves(&m.p1, mot).await? == avant, "full text: not as before");
    let vue = Vue::lire(&m.p1).await?;
    for genre in GENRES {
        ensure!(vue.tous(genre).eq(m.vue1.tous(genre)), "{genre}: not as before");
    }
    // Killed, it goes on from the image of before this write.
    compteur.ecrire(&m.flux).await?;
    ensure!(autre_passerelle(&m, Signal::SIGKILL).await? == (true, true), "killed, it read no image");
    compteur.visible(&m.p1).await?;
    ensure!(trouves(&m.p1, mot).await? == avant, "full text: not as before the kill");
    // Without its full text, the rest of the image serves.
    let image = m.mesh.dossier.donnees().join("image");
    for entree in std::fs::read_dir(&image)? {
        let entree = entree?;
        if entree.file_name().to_string_lossy().starts_with("texte-copie-") {
            std::fs::remove_file(entree.path().join("meta.json"))?;
        }
    }
    ensure!(autre_passerelle(&m, Signal::SIGKILL).await? == (true, false), "it read half a full text");
    ensure!(trouves(&m.p1, mot).await? == avant, "full text: not fed as before");
    // Once full text is whole another image is written, and none soon after it.
    attendre("an image is written", RETOUR, async || -> Result<Option<()>> {
        Ok(mesures(&m.mesh.base()).await?.contains("ror_gateway_image_write_seconds").then_some(()))
    })
    .await?;
    let fichier = image.join("modele.image");
    let octets = std::fs::read(&fichier)?;
    std::fs::write(&fichier, &octets[..octets.len() / 2])?;
    ensure!(autre_passerelle(&m, Signal::SIGKILL).await? == (false, false), "it read half an image");
    compteur.visible(&m.p1).await?;
    ensure!(trouves(&m.p1, mot).await? == avant, "full text: not read as before");
    let vue = Vue::lire(&m.p1).await?;
    for genre in GENRES {
        ensure!(vue.tous(genre).count() == m.vue1.tous(genre).count(), "{genre}: not as many as before");
    }
    attendre("an image with a copy of the full text", RETOUR, async || -> Result<Option<()>> {
        // The one that did not serve was deleted; a copy that no image names yet is younger than the last one.
        let Ok(ecrite) = std::fs::metadata(&fichier).and_then(|m| m.modified()) else { return Ok(None) };
        let Some(copie) = dossier_de(&image, "texte-copie-")? else { return Ok(None) };
        let copiee = std::fs::metadata(image.join(copie)).and_then(|m| m.modified());
        Ok(copiee.is_ok_and(|copiee| copiee <= ecrite).then_some(()))
    })
    .await?;
    // Its live full text gone, the gateway makes it again by itself.
    let vif = texte_vif(&image)?.context("no folder of the full text")?;
    std::fs::rename(image.join(&vif), image.join("ailleurs"))?;
    attendre("full text lives in another folder", RETOUR, async || -> Result<Option<()>> {
        Ok(texte_vif(&image)?.is_some_and(|autre| autre != vif).then_some(()))
    })
    .await?;
    ensure!(trouves(&m.p1, mot).await? == avant, "full text: not made again as before");
    repliques(&m, mot, &mut compteur).await
}

/// New replicas, without an image: they take that of the gateway that runs, or read the services.
async fn repliques(m: &Monde, mot: &str, compteur: &mut Compteur) -> Result<()> {
    let curseur = changements::maintenant(&m.p1, "$changes").await?;
    let image = m.mesh.dossier.donnees().join("image/modele.image");
    for (nom, donnee) in [("prise", true), ("abimee", false)] {
        if !donnee {
            let octets = std::fs::read(&image)?;
            std::fs::write(&image, &octets[..octets.len() / 2])?;
        }
        let replique = m.mesh.replique(nom).await?;
        let page = mesures(&replique.base()).await?;
        for dit in ["taken_bytes", "read_seconds", "text_rows"] {
            ensure!(page.contains(&format!("ror_gateway_image_{dit}")) == donnee, "{nom}: {dit}\n{page}");
        }
        let p1 = replique.client("p1")?;
        let (ici, la) = (Vue::lire(&m.p1).await?, Vue::lire(&p1).await?);
        for genre in GENRES {
            ensure!(ici.tous(genre).eq(la.tous(genre)), "{nom}: {genre}: not as the other replica");
        }
        ensure!(trouves(&p1, mot).await? == trouves(&m.p1, mot).await?, "{nom}: full text");
        compteur.ecrire(&m.flux).await?;
        compteur.visible(&p1).await?;
        // A cursor of the other replica goes on here, where what it was told of came with the image.
        let suite = p1.lire(&format!("$changes?since={curseur}")).await?;
        suite.attendre(if donnee { 200 } else { 410 }).with_context(|| format!("{nom}: its cursor"))?;
    }
    Ok(())
}

/// Name of the folder that full text lives in.
fn texte_vif(image: &Path) -> Result<Option<String>> {
    dossier_de(image, "texte-vif-")
}

/// A name in that folder that begins so.
fn dossier_de(dossier: &Path, debut: &str) -> Result<Option<String>> {
    let noms = std::fs::read_dir(dossier)?.map(|e| Ok(e?.file_name().to_string_lossy().into_owned()));
    let noms: Vec<String> = noms.collect::<Result<_>>()?;
    Ok(noms.into_iter().find(|nom| nom.starts_with(debut)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_starts_again_on_its_image_and_shows_what_it_missed() {
    image().await.unwrap();
}
