//! The operator's command, run to its end.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Longest time of a command.
const LIMITE: Duration = Duration::from_secs(180);

/// How a command ended.
#[derive(Debug)]
pub struct Sortie {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The standard output, when it is one JSON value; null otherwise.
    pub json: Value,
}

impl Sortie {
    /// Ends the test unless the command ended with that code.
    pub fn attendre(self, code: i32) -> Result<Self> {
        ensure!(
            self.code == Some(code),
            "exit code {:?} instead of {code}\nstdout: {}\nstderr: {}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self)
    }
}

/// The program under test: `ROR_BIN`, or the one built beside the tests or this program.
pub fn binaire() -> PathBuf {
    if let Some(donne) = std::env::var_os("ROR_BIN") {
        return PathBuf::from(donne);
    }
    let ici = std::env::current_exe().expect("the path of the test");
    let voisin = ici.with_file_name("ror");
    if voisin.is_file() {
        return voisin;
    }
    let trouve = ici.parent().and_then(Path::parent).expect("target/<profile>/deps").join("ror");
    assert!(trouve.is_file(), "{} is not there: build the workspace, or set ROR_BIN", trouve.display());
    trouve
}

/// Runs `ror` with these arguments.
pub async fn ror(arguments: &[&str]) -> Result<Sortie> {
    let mut commande = tokio::process::Command::new(binaire());
    commande.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let ligne = || format!("ror {}", arguments.join(" "));
    let fini = tokio::time::timeout(LIMITE, commande.output());
    let fini = fini.await.with_context(|| format!("no end of {}", ligne()))?.with_context(ligne)?;
    let stdout = String::from_utf8_lossy(&fini.stdout).into_owned();
    let json = serde_json::from_str(&stdout).unwrap_or(Value::Null);
    Ok(Sortie {
        code: fini.status.code(),
        stdout,
        stderr: String::from_utf8_lossy(&fini.stderr).into_owned(),
        json,
    })
}
