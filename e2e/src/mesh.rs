//! A running `ror up`, from its start to its end.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    PAS,
    client::{Client, appeler, http},
    commande::binaire,
    processus::signaler,
};

/// Longest start, first downloads and demo data included.
const LIMITE_DEPART: Duration = Duration::from_secs(180);
/// Longest ordered stop before it is forced.
const LIMITE_ARRET: Duration = Duration::from_secs(20);
/// Lines of the log that a failed start shows.
const LIGNES: usize = 60;

/// A folder for one life or several of a mesh, deleted with its last user.
#[derive(Debug, Clone)]
pub struct Dossier(Arc<TempDir>);

impl Dossier {
    pub fn neuf() -> Self {
        let dossier = tempfile::Builder::new().prefix("ror-e2e-").tempdir().expect("a temporary folder");
        // As root the servers run as another account, which must be let through.
        fs::set_permissions(dossier.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        Self(Arc::new(dossier))
    }

    /// A path inside.
    pub fn chemin(&self, nom: &str) -> PathBuf {
        self.0.path().join(nom)
    }

    /// The data directory of the mesh.
    pub fn donnees(&self) -> PathBuf {
        self.chemin("data")
    }

    fn journal(&self) -> PathBuf {
        self.chemin("ror.log")
    }

    /// demo.json as it is now; none while it is absent or half written.
    pub fn demo(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.donnees().join("demo.json")).ok()?).ok()
    }
}

/// How to start.
#[derive(Debug, Clone)]
pub struct Options {
    pub demo: &'static str,
    pub processus: bool,
    pub env: Vec<(&'static str, String)>,
}

impl Options {
    pub fn new(demo: &'static str, processus: bool) -> Self {
        Self { demo, processus, env: Vec::new() }
    }
}

/// A running mesh; dropping it stops it.
#[derive(Debug)]
pub struct Mesh {
    enfant: Child,
    pub dossier: Dossier,
    pub port: u16,
    /// demo.json as it was when the mesh was ready.
    pub demo: Value,
}

impl Mesh {
    /// A mesh of its own, ready.
    pub async fn start(demo: &'static str, processus: bool) -> Self {
        Self::relancer(&Dossier::neuf(), Options::new(demo, processus)).await
    }

    /// A mesh in that folder, ready.
    ///
    /// # Panics
    /// With the end of the log, when it does not come up.
    pub async fn relancer(dossier: &Dossier, options: Options) -> Self {
        // Another program may take a port between the choice and the start.
        for _ in 0..2 {
            match Self::essayer(dossier, &options).await {
                Ok(mesh) => return mesh,
                Err(faute) if format!("{faute:#}").contains("port") => println!("again: {faute}"),
                Err(faute) => panic!("{faute:#}\n{}", fin_du_journal(dossier)),
            }
        }
        Self::essayer(dossier, &options)
            .await
            .unwrap_or_else(|f| panic!("{f:#}\n{}", fin_du_journal(dossier)))
    }

    async fn essayer(dossier: &Dossier, options: &Options) -> Result<Self> {
        // A former life's file must not be taken for this one's.
        let _ = fs::remove_file(dossier.donnees().join("demo.json"));
        let journal = fs::File::options().create(true).append(true).open(dossier.journal())?;
        let (port, port_tls) = ports_libres();
        let mut commande = commande_up(&dossier.donnees(), port, port_tls, options);
        commande.stdout(journal.try_clone()?).stderr(journal);
        let enfant = commande.spawn().with_context(|| binaire().display().to_string())?;
        let mut mesh = Self { enfant, dossier: dossier.clone(), port, demo: Value::Null };
        mesh.attendre_pret().await?;
        Ok(mesh)
    }

    async fn attendre_pret(&mut self) -> Result<()> {
        let (http, fin) = (http(None, None)?, Instant::now() + LIMITE_DEPART);
        loop {
            if let Some(statut) = self.enfant.try_wait()? {
                bail!("ror up ended by itself: {statut}; {}", derniere_ligne(&self.dossier));
            }
            if pret(&http, self.port).await
                && let Some(demo) = self.dossier.demo()
            {
                self.demo = demo;
                return Ok(());
            }
            if Instant::now() >= fin {
                bail!("the mesh is not whole after {} s", LIMITE_DEPART.as_secs());
            }
            tokio::time::sleep(PAS).await;
        }
    }

    /// The data directory, as an argument.
    pub fn donnees(&self) -> String {
        self.dossier.donnees().display().to_string()
    }

    /// Base address in clear.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Something the demo says exists.
    pub fn exemple(&self, nom: &str) -> Result<&str> {
        let valeur = self.demo["exemples"][nom].as_str();
        valeur.filter(|v| !v.is_empty()).with_context(|| format!("demo.json: no exemples.{nom}"))
    }

    /// A gateway without an image beside that of this mesh, which it may take; ready.
    pub async fn replique(&self, nom: &str) -> Result<Replique> {
        Replique::lancer(self, nom).await
    }

    /// The client of that name in demo.json.
    pub fn client(&self, nom: &str) -> Result<Client> {
        Client::nouveau(&self.demo, nom)
    }

    /// Whether the directory is whole now.
    pub async fn pret(&self) -> bool {
        match http(None, None) {
            Ok(http) => pret(&http, self.port).await,
            Err(_) => false,
        }
    }

    /// Id of the launcher.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.enfant.id()).expect("a process id")
    }

    /// Every process demo.json names now; empty while it is being written.
    pub fn pids(&self) -> BTreeMap<String, i32> {
        let demo = self.dossier.demo().unwrap_or_default();
        let lus = demo["pids"].as_object().into_iter().flatten();
        lus.filter_map(|(nom, pid)| Some((nom.clone(), i32::try_from(pid.as_i64()?).ok()?))).collect()
    }

    /// Whether `ror up` still runs.
    pub fn vit(&mut self) -> bool {
        matches!(self.enfant.try_wait(), Ok(None))
    }

    /// Ctrl-C, then waits for the end.
    pub async fn arreter(mut self) -> Result<ExitStatus> {
        signaler(self.pid(), Signal::SIGINT);
        let fin = Instant::now() + LIMITE_ARRET;
        loop {
            if let Some(statut) = self.enfant.try_wait()? {
                return Ok(statut);
            }
            if Instant::now() >= fin {
                bail!("ror up still runs {} s after Ctrl-C", LIMITE_ARRET.as_secs());
            }
            tokio::time::sleep(PAS).await;
        }
    }

    /// kill -9 of the launcher alone.
    pub fn tuer(mut self) -> Result<()> {
        self.enfant.kill()?;
        self.enfant.wait()?;
        Ok(())
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", fin_du_journal(&self.dossier));
        }
        if matches!(self.enfant.try_wait(), Ok(None)) {
            signaler(self.pid(), Signal::SIGINT);
            let fin = Instant::now() + LIMITE_ARRET;
            while matches!(self.enfant.try_wait(), Ok(None)) && Instant::now() < fin {
                std::thread::sleep(PAS);
            }
            // Not reaped yet, so the id is still its own.
            if matches!(self.enfant.try_wait(), Ok(None)) {
                let _ = killpg(Pid::from_raw(self.pid()), Signal::SIGKILL);
            }
        }
        let _ = self.enfant.wait();
    }
}

/// A replica of the gateway of a mesh; dropping it kills it.
#[derive(Debug)]
pub struct Replique {
    enfant: Child,
    port: u16,
    demo: Value,
}

impl Replique {
    async fn lancer(mesh: &Mesh, nom: &str) -> Result<Self> {
        let donnees = mesh.dossier.donnees();
        let lire = |chemin: PathBuf| -> Result<Value> {
            let octets = fs::read(&chemin).with_context(|| chemin.display().to_string())?;
            Ok(serde_json::from_slice(&octets)?)
        };
        // Where the servers are when this folder could not have them.
        let ailleurs = fs::read_to_string(donnees.join("embedded.path"));
        let serveurs = ailleurs.map_or_else(|_| donnees.clone(), |p| PathBuf::from(p.trim_end()));
        let nats = lire(serveurs.join("nats.conf"))?;
        let (port, grpc) = ports_libres();
        let mut c = Command::new(binaire());
        c.args(["serve", "gateway"]).stdin(Stdio::null());
        for (service, url) in lire(donnees.join("mesh.json"))?.as_object().context("mesh.json")? {
            c.env(format!("ROR_UPSTREAM__{}", service.to_uppercase()), url.as_str().context("mesh.json")?);
        }
        c.env("ROR_NATS__URL", format!("nats://{}", nats["listen"].as_str().context("nats.conf")?));
        c.env("ROR_HTTP__ADDR", format!("127.0.0.1:{port}"))
            .env("ROR_GRPC__ADDR", format!("127.0.0.1:{grpc}"));
        c.env("ROR_ADMIN__ADDR", "127.0.0.1:0").env("ROR_LOG__FORMAT", "text");
        c.env("ROR_HTTP__SECRET_FILE", donnees.join("tls/signature.key"));
        c.env("ROR_IMAGE__DIR", mesh.dossier.chemin(nom));
        let journal = fs::File::options().create(true).append(true).open(mesh.dossier.journal())?;
        c.stdout(journal.try_clone()?).stderr(journal);
        let enfant = c.spawn().with_context(|| binaire().display().to_string())?;
        let mut replique = Self { enfant, port, demo: mesh.demo.clone() };
        let (http, fin) = (http(None, None)?, Instant::now() + LIMITE_DEPART);
        while !pret(&http, port).await {
            if let Some(statut) = replique.enfant.try_wait()? {
                bail!("ror serve gateway ended by itself: {statut}");
            }
            if Instant::now() >= fin {
                bail!("the replica is not whole after {} s", LIMITE_DEPART.as_secs());
            }
            tokio::time::sleep(PAS).await;
        }
        Ok(replique)
    }

    /// Base address in clear.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The client of that name in demo.json, reading here.
    pub fn client(&self, nom: &str) -> Result<Client> {
        let mut client = Client::nouveau(&self.demo, nom)?;
        let (_, chemin) = client.base.split_once("://").context("no scheme")?;
        let chemin = chemin.split_once('/').map_or("", |(_, c)| c);
        client.base = format!("{}/{chemin}", self.base());
        Ok(client)
    }
}

impl Drop for Replique {
    fn drop(&mut self) {
        let _ = self.enfant.kill();
        let _ = self.enfant.wait();
    }
}

/// `ror up`, at the head of its own process group.
pub fn commande_up(donnees: &Path, port: u16, port_tls: u16, options: &Options) -> Command {
    let mut commande = Command::new(binaire());
    commande.args(["up", "--port", &port.to_string(), "--tls-port", &port_tls.to_string()]);
    commande.arg("--data-dir").arg(donnees).args(["--demo", options.demo]);
    if options.processus {
        commande.arg("--processes");
    }
    commande.envs(options.env.clone()).stdin(Stdio::null()).process_group(0);
    commande
}

/// Two ports nobody listens on, which stay free while their server starts again.
pub fn ports_libres() -> (u16, u16) {
    let ports = ror_embedded::free_ports(2).expect("free ports");
    (ports[0], ports[1])
}

async fn pret(http: &reqwest::Client, port: u16) -> bool {
    let url = format!("http://127.0.0.1:{port}/ready");
    appeler(http, Method::GET, &url, &[], None).await.is_ok_and(|reponse| reponse.statut == 200)
}

fn lignes_du_journal(dossier: &Dossier) -> Vec<String> {
    let journal = fs::read(dossier.journal()).unwrap_or_default();
    String::from_utf8_lossy(&journal).lines().map(str::to_owned).collect()
}

fn derniere_ligne(dossier: &Dossier) -> String {
    lignes_du_journal(dossier).pop().unwrap_or_default()
}

fn fin_du_journal(dossier: &Dossier) -> String {
    let lignes = lignes_du_journal(dossier);
    let fin = &lignes[lignes.len().saturating_sub(LIGNES)..];
    format!("--- end of {} ---\n{}", dossier.journal().display(), fin.join("\n"))
}
