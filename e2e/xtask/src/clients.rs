//! The FHIR clients of the end-to-end tests, as others wrote them: installed from their locks into a
//! folder of the project's own. No script of a package runs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Resultat, etape, racine};

/// Oldest Node that fhir-kit-client runs on.
const NODE: u32 = 20;

/// Installs what is missing; the folder, which the tests read in `ROR_CLIENTS`.
pub fn preparer(cible: &Path) -> Resultat<PathBuf> {
    let base = cible.join("clients");
    let source = racine().join("e2e/clients");
    let lire = |nom: &str| {
        let chemin = source.join(nom);
        fs::read_to_string(&chemin).map_err(|e| format!("{} : {e}", chemin.display()))
    };
    // The stamp holds what was installed: a changed lock installs again.
    let mut voulu = String::new();
    for nom in ["package.json", "package-lock.json", ".npmrc", "requirements.txt"] {
        voulu += &lire(nom)?;
    }
    let temoin = base.join("temoin");
    if fs::read_to_string(&temoin).is_ok_and(|t| t == voulu) {
        return Ok(base);
    }
    verifier_node()?;
    verifier_python()?;
    let _ = fs::remove_dir_all(&base);
    let node = base.join("node");
    fs::create_dir_all(&node).map_err(|e| format!("{} : {e}", node.display()))?;
    for nom in ["package.json", "package-lock.json", ".npmrc"] {
        fs::write(node.join(nom), lire(nom)?).map_err(|e| e.to_string())?;
    }
    etape(
        "clients npm",
        Command::new("npm").args(["ci", "--ignore-scripts", "--loglevel=error"]).current_dir(&node),
    )?;
    let venv = base.join("venv");
    etape("environnement Python", Command::new("python3").args(["-m", "venv"]).arg(&venv)).map_err(|e| {
        format!("{e} ; le module venv manque : installez-le (Debian : apt install python3-venv)")
    })?;
    let mut pip = Command::new(venv.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"])
        .args(["--only-binary=:all:", "-r"])
        .arg(source.join("requirements.txt"));
    etape("clients PyPI", &mut pip)?;
    fs::write(&temoin, voulu).map_err(|e| e.to_string())?;
    Ok(base)
}

fn dit(programme: &str, arguments: &[&str]) -> Option<String> {
    let sortie = Command::new(programme).args(arguments).output().ok().filter(|s| s.status.success())?;
    Some(String::from_utf8_lossy(&sortie.stdout).trim().to_owned())
}

fn verifier_node() -> Resultat<()> {
    let version = dit("node", &["--version"]);
    let majeure = version.as_deref().and_then(|v| v.trim_start_matches('v').split('.').next()?.parse().ok());
    if majeure.is_some_and(|m: u32| m >= NODE) && dit("npm", &["--version"]).is_some() {
        return Ok(());
    }
    let trouve = version.unwrap_or_else(|| "rien".to_owned());
    Err(format!(
        "node {NODE} ou plus récent, avec npm, manque (trouvé : {trouve}) : installez-les (https://nodejs.org), les tests des clients FHIR en ont besoin"
    ))
}

fn verifier_python() -> Resultat<()> {
    let version = "import sys; sys.exit(sys.version_info < (3, 11))";
    if dit("python3", &["-c", version]).is_none() {
        return Err("python3 3.11 ou plus récent manque : installez-le (Debian 12 : apt install python3 python3-venv)".into());
    }
    if dit("python3", &["-m", "pip", "--version"]).is_none() {
        return Err(
            "pip manque à python3 : installez-le (Debian : apt install python3-pip python3-venv)".into()
        );
    }
    Ok(())
}
