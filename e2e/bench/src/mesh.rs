//! The processes that are measured: `ror up`, and a second gateway on the same mesh.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::http::{self, Connexion};

/// Longest start, downloads and data load included.
const DEPART_MAX: Duration = Duration::from_secs(900);
/// Longest ordered stop.
const ARRET_MAX: Duration = Duration::from_secs(40);
/// Between two looks at a start.
const PAS: Duration = Duration::from_millis(5);

/// The `ror` program: `ROR_BIN`, or beside this one.
pub fn programme() -> Result<PathBuf> {
    let p = match std::env::var_os("ROR_BIN") {
        Some(p) => PathBuf::from(p),
        None => std::env::current_exe()?.with_file_name("ror"),
    };
    if !p.is_file() {
        bail!(
            "{} is not there: build it (cargo build --release --bin ror) or name it in ROR_BIN",
            p.display()
        );
    }
    Ok(p)
}

/// A free port of this machine.
pub fn port_libre() -> Result<u16> {
    let ports = ror_embedded::free_ports(1)?;
    ports.into_iter().next().context("no free port")
}

/// A process, stopped in order when dropped.
pub struct Processus {
    enfant: Child,
    nom: &'static str,
    journal: PathBuf,
    /// Where it answers in clear.
    pub adresse: SocketAddr,
    /// When it was started.
    debut: Instant,
}

impl Processus {
    /// Starts a command that answers on that port; what it says goes to `journal`.
    pub fn lancer(mut commande: Command, nom: &'static str, journal: PathBuf, port: u16) -> Result<Self> {
        let sortie = File::options().create(true).append(true).open(&journal)?;
        commande.stdin(Stdio::null()).stdout(sortie.try_clone()?).stderr(sortie);
        let debut = Instant::now();
        let enfant = commande.spawn().with_context(|| format!("{nom} cannot be started"))?;
        Ok(Self { enfant, nom, journal, adresse: (Ipv4Addr::LOCALHOST, port).into(), debut })
    }

    /// Its id.
    pub fn pid(&self) -> u32 {
        self.enfant.id()
    }

    fn vivant(&mut self) -> Result<()> {
        if let Some(s) = self.enfant.try_wait()? {
            bail!("{} ended by itself ({s}); see {}", self.nom, self.journal.display());
        }
        if self.debut.elapsed() > DEPART_MAX {
            bail!(
                "{} is not ready after {} s; see {}",
                self.nom,
                DEPART_MAX.as_secs(),
                self.journal.display()
            );
        }
        Ok(())
    }

    /// Time from its start to the first `/ready` that says 200.
    pub async fn pret(&mut self) -> Result<Duration> {
        let mut requete = Vec::new();
        http::get(&mut requete, "/ready", "Host: localhost\r\n");
        loop {
            self.vivant()?;
            let essai = async {
                let mut c = Connexion::ouvrir(self.adresse).await?;
                let r = c.echanger(&requete).await?;
                anyhow::Ok(r.statut == 200)
            };
            if let Ok(Ok(true)) = tokio::time::timeout(Duration::from_secs(5), essai).await {
                return Ok(self.debut.elapsed());
            }
            tokio::time::sleep(PAS).await;
        }
    }

    /// Ctrl-C, then waits for the end.
    pub async fn arreter(mut self) -> Result<()> {
        self.signaler();
        let fin = Instant::now() + ARRET_MAX;
        while self.enfant.try_wait()?.is_none() {
            if Instant::now() > fin {
                bail!("{} still runs {} s after Ctrl-C", self.nom, ARRET_MAX.as_secs());
            }
            tokio::time::sleep(PAS).await;
        }
        Ok(())
    }

    /// SIGKILL, as a crash; waits for the end.
    pub fn tuer(mut self) -> Result<()> {
        self.enfant.kill()?;
        self.enfant.wait()?;
        Ok(())
    }

    fn signaler(&self) {
        // Not reaped yet, so the id is still its own.
        if let Ok(pid) = i32::try_from(self.enfant.id()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
    }
}

impl Drop for Processus {
    fn drop(&mut self) {
        if matches!(self.enfant.try_wait(), Ok(None)) {
            self.signaler();
            let fin = Instant::now() + ARRET_MAX;
            while matches!(self.enfant.try_wait(), Ok(None)) && Instant::now() < fin {
                std::thread::sleep(PAS);
            }
            let _ = self.enfant.kill();
        }
        let _ = self.enfant.wait();
    }
}

/// A data directory and what runs on it.
pub struct Mesh {
    programme: PathBuf,
    /// The data directory.
    pub dossier: PathBuf,
    /// Scripts and logs of this benchmark.
    pub travail: PathBuf,
    demo: &'static str,
    processus: bool,
}

impl Mesh {
    /// Over that directory, made if needed.
    pub fn new(dossier: &Path, demo: &'static str) -> Result<Self> {
        fs::create_dir_all(dossier).with_context(|| format!("{} cannot be made", dossier.display()))?;
        let dossier = dossier.canonicalize()?;
        let travail = dossier.join("bench");
        fs::create_dir_all(&travail)?;
        Ok(Self { programme: programme()?, dossier, travail, demo, processus: false })
    }

    /// The same with a process a service.
    pub fn en_processus(self, processus: bool) -> Self {
        Self { processus, ..self }
    }

    /// The `ror` program.
    pub fn programme(&self) -> &Path {
        &self.programme
    }

    /// gRPC URL of a service of the running mesh.
    pub fn service(&self, nom: &str) -> Result<String> {
        let amont: Value = serde_json::from_slice(&fs::read(self.dossier.join("mesh.json"))?)?;
        Ok(amont[nom].as_str().with_context(|| format!("mesh.json has no {nom}"))?.to_owned())
    }

    /// Whether the demo data are there already.
    pub fn peuple(&self) -> bool {
        self.dossier.join(format!("demo-{}", self.demo)).join("charge").exists()
    }

    /// Starts `ror up` on free ports.
    pub fn lancer(&self) -> Result<Processus> {
        let (port, tls) = (port_libre()?, port_libre()?);
        // A former life's file must not be taken for this one's.
        let _ = fs::remove_file(self.dossier.join("demo.json"));
        let mut c = Command::new(&self.programme);
        c.args([
            "up",
            "--demo",
            self.demo,
            "--port",
            &port.to_string(),
            "--tls-port",
            &tls.to_string(),
            "--data-dir",
        ]);
        c.arg(&self.dossier);
        if self.processus {
            c.arg("--processes");
        }
        Processus::lancer(c, "ror up", self.travail.join("ror.log"), port)
    }

    /// Waits for `demo.json`; the time from the start, and its content.
    pub async fn annonce(&self, p: &mut Processus) -> Result<(Duration, Value)> {
        let chemin = self.dossier.join("demo.json");
        loop {
            p.vivant()?;
            if let Ok(octets) = fs::read(&chemin)
                && let Ok(v) = serde_json::from_slice(&octets)
            {
                return Ok((p.debut.elapsed(), v));
            }
            tokio::time::sleep(PAS).await;
        }
    }

    /// Starts a second gateway over the services of the running mesh; with a folder for its image, it takes that of
    /// the first one.
    pub fn passerelle(&self, image: Option<&Path>) -> Result<Processus> {
        let amont: Value = serde_json::from_slice(&fs::read(self.dossier.join("mesh.json"))?)?;
        let port = port_libre()?;
        let mut c = Command::new(&self.programme);
        c.args(["serve", "gateway"]);
        for (service, url) in amont.as_object().context("mesh.json is not an object")? {
            let url = url.as_str().context("mesh.json holds something else than URLs")?;
            c.env(format!("ROR_UPSTREAM__{}", service.to_uppercase()), url);
        }
        c.env("ROR_NATS__URL", self.nats()?);
        c.env("ROR_HTTP__ADDR", format!("127.0.0.1:{port}"));
        c.env("ROR_ADMIN__ADDR", "127.0.0.1:0");
        if let Some(image) = image {
            c.env("ROR_IMAGE__DIR", image);
            c.env("ROR_GRPC__ADDR", format!("127.0.0.1:{}", port_libre()?));
        }
        c.env("ROR_LOG__FORMAT", "text").env("ROR_LOG__FILTER", "warn");
        Processus::lancer(c, "ror serve gateway", self.travail.join("gateway.log"), port)
    }

    /// Where the servers keep their data.
    fn serveurs(&self) -> PathBuf {
        match fs::read_to_string(self.dossier.join("embedded.path")) {
            Ok(p) => PathBuf::from(p.trim_end()),
            Err(_) => self.dossier.clone(),
        }
    }

    /// Port of the embedded PostgreSQL.
    pub fn port_postgres(&self) -> Result<u16> {
        let chemin = self.serveurs().join("postgres/postmaster.pid");
        let texte =
            fs::read_to_string(&chemin).with_context(|| format!("{} cannot be read", chemin.display()))?;
        let port = texte.lines().nth(3).and_then(|l| l.trim().parse().ok());
        port.with_context(|| format!("no port in {}", chemin.display()))
    }

    /// URL of the embedded NATS.
    fn nats(&self) -> Result<String> {
        let chemin = self.serveurs().join("nats.conf");
        let octets = fs::read(&chemin).with_context(|| format!("{} cannot be read", chemin.display()))?;
        let v: Value = serde_json::from_slice(&octets)?;
        let adresse = v["listen"].as_str().with_context(|| format!("no address in {}", chemin.display()))?;
        Ok(format!("nats://{adresse}"))
    }
}
