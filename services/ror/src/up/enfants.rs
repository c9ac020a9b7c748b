//! One process a service, started again when it dies.

use std::{
    collections::BTreeMap,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use ror_chassis::reglages::SERVICES;
use tokio::process::{Child, Command};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Plan;

/// The processes.
pub struct Enfants {
    pids: Arc<Mutex<BTreeMap<String, u32>>>,
    taches: TaskTracker,
}

impl Enfants {
    /// Present pid of each service.
    pub fn pids(&self) -> BTreeMap<String, u32> {
        self.pids.lock().map(|p| p.clone()).unwrap_or_default()
    }

    /// Waits for the end of all; they were told by the token.
    pub async fn arreter(self) {
        self.taches.close();
        let _ = tokio::time::timeout(Duration::from_secs(30), self.taches.wait()).await;
    }
}

/// Starts every service and keeps it running.
pub fn lancer(plan: &Plan, arret: CancellationToken) -> anyhow::Result<Enfants> {
    let enfants = Enfants { pids: Arc::default(), taches: TaskTracker::new() };
    let programme = std::env::current_exe()?;
    for service in SERVICES.into_iter().chain(["gateway"]) {
        let env = environnement(plan, service);
        let (pids, arret, programme) = (enfants.pids.clone(), arret.clone(), programme.clone());
        let mut rupture = std::env::var("ROR_CRASH_SERVICE")
            .ok()
            .filter(|s| s == service)
            .and(std::env::var("ROR_CRASH_POINT").ok());
        enfants.taches.spawn(async move {
            let mut attente = Duration::from_millis(100);
            while !arret.is_cancelled() {
                let debut = tokio::time::Instant::now();
                let mut c = Command::new(&programme);
                c.arg("serve").arg(service).envs(env.clone()).kill_on_drop(true);
                // Our end of its input closes with us, however we end: it then stops by itself.
                c.env(ror_chassis::processus::SOUS_TUTELLE, "1").stdin(Stdio::piped());
                c.env_remove("ROR_CRASH_SERVICE").env_remove("ROR_CRASH_POINT");
                // A crash test breaks the first life only.
                if let Some(point) = rupture.take() {
                    c.env("ROR_CRASH_POINT", point);
                }
                match c.spawn() {
                    Ok(enfant) => surveiller(service, enfant, &pids, &arret).await,
                    Err(e) => tracing::error!(service, error = %e, "service not started"),
                }
                if debut.elapsed() > Duration::from_secs(20) {
                    attente = Duration::from_millis(100);
                }
                tokio::select! {
                    () = tokio::time::sleep(attente) => {}
                    () = arret.cancelled() => return,
                }
                attente = (attente * 2).min(Duration::from_secs(5));
            }
        });
    }
    Ok(enfants)
}

async fn surveiller(
    service: &'static str,
    mut enfant: Child,
    pids: &Mutex<BTreeMap<String, u32>>,
    arret: &CancellationToken,
) {
    // Waiting for a child closes its input unless we hold it apart, and its input is its tie to us.
    let _lien = enfant.stdin.take();
    let pid = enfant.id();
    if let (Some(pid), Ok(mut p)) = (pid, pids.lock()) {
        p.insert(service.to_owned(), pid);
    }
    tokio::select! {
        fin = enfant.wait() => {
            let fin = fin.map(|f| f.to_string()).unwrap_or_default();
            tracing::warn!(service, pid, status = fin, "service ended, starting it again");
        }
        () = arret.cancelled() => {
            if let Some(pid) = pid.and_then(|p| i32::try_from(p).ok()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
            }
            if tokio::time::timeout(Duration::from_secs(25), enfant.wait()).await.is_err() {
                let _ = enfant.kill().await;
            }
        }
    }
}

fn environnement(plan: &Plan, service: &str) -> BTreeMap<String, String> {
    let mut e = BTreeMap::new();
    let mut poser = |c: &str, v: String| {
        e.insert(format!("ROR_{c}"), v);
    };
    poser("NATS__URL", plan.nats.clone());
    poser("LOG__FORMAT", "text".into());
    poser("LOG__FILTER", std::env::var("ROR_LOG__FILTER").unwrap_or_else(|_| "warn".into()));
    // Any free port: the launcher reads readiness on the façade.
    poser("ADMIN__ADDR", "127.0.0.1:0".into());
    for (s, url) in plan.amont().into_iter().filter(|(s, _)| s != service) {
        poser(&format!("UPSTREAM__{}", s.to_uppercase()), url);
    }
    poser("GRPC__ADDR", format!("127.0.0.1:{}", plan.grpc.get(service).copied().unwrap_or(0)));
    if service == "gateway" {
        let c = &plan.certificats;
        poser("HTTP__ADDR", plan.http.to_string());
        // The launcher reads there what the façade shows.
        poser("HTTP__METRICS", "true".into());
        poser("HTTP__TLS_ADDR", plan.tls.to_string());
        poser("HTTP__TLS_CERT", c.serveur_cert().display().to_string());
        poser("HTTP__TLS_KEY", c.serveur_cle().display().to_string());
        poser("HTTP__CLIENT_CA", c.ca().display().to_string());
        poser("HTTP__SECRET_FILE", c.signature().display().to_string());
        poser("HTTP__EXPORT_DIR", plan.dossier_exports().display().to_string());
        poser("IMAGE__DIR", plan.dossier_image().display().to_string());
        if let Some(d) = &plan.reference {
            poser("HTTP__REFERENCE_DIR", d.display().to_string());
        }
        if let Some(p) = super::demo::profil_accueil(&plan.options) {
            poser("HOME__PROFILE", p.to_string());
        }
    } else {
        poser("DATABASE__URL", plan.base.clone());
        poser("DATABASE__MIGRATE", "true".into());
    }
    e
}
