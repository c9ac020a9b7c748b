//! Clients that others wrote, as they come from npm and PyPI, and schemathesis on the OpenAPI document.
//! `cargo xtask test` installs them.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use ror_e2e::{
    Rapport,
    fhir::{tableau, texte},
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::monde::Monde;

/// Longest run of one client.
const LIMITE: Duration = Duration::from_secs(120);
/// Tries of schemathesis on each operation: all of them within a minute.
const ESSAIS: &str = "12";
/// Left out: a feed that does not end, and the token endpoint, which slows who insists.
const EXCLUS: &str = r"(\$changes|openid-connect)";
/// What each answer is held to.
const CONTROLES: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Headers of `schemathesis.toml`, by their variable.
const ENTETES: [(&str, &str); 4] = [
    ("ROR_PROFIL_CODE", "Ror-Profil-Utilisateur-Code"),
    ("ROR_PROFIL_SYSTEM", "Ror-Profil-Utilisateur-System"),
    ("ROR_ROLE_CODE", "Ror-Role-Metier-Code"),
    ("ROR_ROLE_SYSTEM", "Ror-Role-Metier-System"),
];

pub async fn tout(m: &Monde, r: &mut Rapport) {
    let clients = match Clients::trouver(m) {
        Ok(c) => c,
        Err(e) => return r.verifier("clients: installed", async { Err(e) }).await,
    };
    for script in ["fhir-kit-client.mjs", "fhirclient.mjs"] {
        clients.mener(script, Path::new("node"), &clients.base.join("node").join(script), r).await;
    }
    let python = clients.base.join("venv/bin/python");
    for script in ["essai_fhirpy.py", "essai_fhirclient.py"] {
        clients.mener(script, &python, &source().join(script), r).await;
    }
    r.verifier("clients: schemathesis finds no fault", clients.schemathesis(m)).await;
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

struct Clients {
    base: PathBuf,
    /// What the scripts are told: addresses, credentials, headers, identifiers that exist.
    monde: String,
}

impl Clients {
    /// Where xtask installed them: the folder it named, or the one beside the tests.
    fn trouver(m: &Monde) -> Result<Self> {
        let base = match std::env::var_os("ROR_CLIENTS") {
            Some(donne) => PathBuf::from(donne),
            None => {
                let ici = std::env::current_exe()?;
                ici.ancestors().nth(3).context("target/<profile>/deps")?.join("clients")
            }
        };
        ensure!(base.join("temoin").is_file(), "{} is not there: run cargo xtask test", base.display());
        // A module finds its packages beside itself: the scripts go to them.
        for fichier in fs::read_dir(source())? {
            let chemin = fichier?.path();
            if let (Some("mjs"), Some(nom)) = (chemin.extension().and_then(OsStr::to_str), chemin.file_name())
            {
                fs::copy(&chemin, base.join("node").join(nom))?;
            }
        }
        let (demo, p0) = (&m.mesh.demo, &m.mesh.demo["clients"]["p0"]);
        let monde = json!({
            "base": demo["fhir_base"],
            "token_url": demo["token_url"],
            "client_id": p0["client_id"],
            "client_secret": p0["client_secret"],
            "headers": demo["headers"],
            "exemples": demo["exemples"],
        });
        Ok(Self { base, monde: monde.to_string() })
    }

    /// Runs one script and notes each of its checks.
    async fn mener(&self, nom: &str, programme: &Path, script: &Path, r: &mut Rapport) {
        let mut commande = Command::new(programme);
        commande.arg(script).env("ROR_CLIENT", &self.monde).env("PYTHONDONTWRITEBYTECODE", "1");
        let faits = match executer(&mut commande).await.and_then(|s| lire(&s)) {
            Ok(v) => v,
            Err(e) => return r.verifier(&format!("clients: {nom}"), async { Err(e) }).await,
        };
        for fait in tableau(&faits, "checks") {
            let titre = format!("clients: {nom}: {}", texte(fait, "/name"));
            r.verifier(&titre, async { verdict(fait) }).await;
        }
    }

    async fn schemathesis(&self, m: &Monde) -> Result<()> {
        // It keeps notes where it runs.
        let dossier = tempfile::tempdir()?;
        let mut commande = Command::new(self.base.join("venv/bin/schemathesis"));
        commande.arg("--config-file").arg(source().join("schemathesis.toml")).arg("run");
        commande.arg(format!("{}/openapi.json", m.mesh.base())).args(["--url", &m.mesh.base()]);
        commande.args(["--phases", "examples,fuzzing", "--max-examples", ESSAIS, "--continue-on-failure"]);
        commande.args(["--checks", CONTROLES, "--exclude-path-regex", EXCLUS, "--exclude-method", "HEAD"]);
        commande.args(["--request-timeout", "15", "--generation-database", "none"]);
        commande.env("ROR_TOKEN", m.p0.jeton().await?).current_dir(dossier.path());
        for (variable, entete) in ENTETES {
            commande.env(variable, texte(&m.mesh.demo["headers"], &format!("/{entete}")));
        }
        let sortie = executer(&mut commande).await?;
        let dit = String::from_utf8_lossy(&sortie.stdout);
        let lignes: Vec<&str> = dit.lines().collect();
        let fin = lignes[lignes.len().saturating_sub(150)..].join("\n");
        ensure!(
            sortie.status.success(),
            "{}:\n{fin}\n{}",
            sortie.status,
            String::from_utf8_lossy(&sortie.stderr)
        );
        println!("{}", lignes.iter().rev().find(|l| l.contains("generated")).unwrap_or(&"").trim());
        Ok(())
    }
}

fn verdict(fait: &Value) -> Result<()> {
    ensure!(fait["ok"] == true, "{}", texte(fait, "/detail"));
    Ok(())
}

async fn executer(commande: &mut Command) -> Result<Output> {
    commande.stdin(Stdio::null()).kill_on_drop(true);
    let programme = commande.as_std().get_program().to_owned();
    let fini = tokio::time::timeout(LIMITE, commande.output()).await;
    fini.with_context(|| format!("no end of {}", programme.display()))?
        .with_context(|| programme.display().to_string())
}

/// The checks that a script printed.
fn lire(sortie: &Output) -> Result<Value> {
    let dit = String::from_utf8_lossy(&sortie.stdout);
    match dit.lines().next_back().map(serde_json::from_str) {
        Some(Ok(v)) => Ok(v),
        _ => bail!("{}: {dit}{}", sortie.status, String::from_utf8_lossy(&sortie.stderr)),
    }
}
