//! `cargo xtask`: the two commands of the project, and what serves them. Only the
//! standard library, so that it is there in a second on a fresh machine.
#![allow(clippy::print_stdout, reason = "a command prints what it does")]

mod clients;
mod outils;

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

const AIDE: &str = "\
cargo xtask <commande>

  up [options]      compile en release et lance tout le maillage (voir « up --help »)
  test [filtre]     prépare tout et lance tous les tests ; un filtre ne lance que les tests Rust qu'il nomme
  lint              format, contrats, clippy, chart
  bench [options]   mesures sur des données de taille régionale
  bench registries [options]
                    mesures des registres à la taille du pays : lecture, chargement, édition suivante
                    (--echelle 0.02 pour un essai d'une minute, --out FICHIER pour garder le tableau)
  bench recherche [options]
                    mesures de la recherche sur un annuaire à la taille du pays, semé une fois puis gardé
                    (--echelle 0.02 pour un essai, --parties a,d pour n'en mesurer que deux)
  oracle [options]  compare la recherche d'un maillage démarré (up) à une évaluation par force brute
                    (--requetes 1000000, --graine N, --mesh DOSSIER, --sans-ecriture)
  fuzz [--secondes 60] [cible…]
                    textes inventés par libFuzzer (cargo-fuzz) pour ce qui lit : requete, filtre, page, export, curseur, xml
  proto-baseline    refait la référence des contrats (à une version publiée seulement)
";

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let commande = args.next().unwrap_or_default();
    let reste: Vec<OsString> = args.collect();
    let resultat = match commande.to_str() {
        Some("up") => up(&reste),
        Some("test") => test(&reste),
        Some("lint") => lint(),
        Some("bench") => bench(&reste),
        Some("oracle") => oracle(&reste),
        Some("fuzz") => fuzz(&reste),
        Some("proto-baseline") => reference(),
        _ => {
            print!("{AIDE}");
            return ExitCode::from(2);
        }
    };
    match resultat {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask : {e}");
            ExitCode::FAILURE
        }
    }
}

type Resultat<T> = Result<T, String>;

/// The root of the repository.
pub(crate) fn racine() -> PathBuf {
    // Two folders above this crate's manifest.
    let ici = Path::new(env!("CARGO_MANIFEST_DIR"));
    ici.ancestors().nth(2).unwrap_or(ici).to_owned()
}

fn cible() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| racine().join("target"), PathBuf::from)
}

fn cargo() -> Command {
    let mut c = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    c.current_dir(racine());
    // What cargo tells the program it runs, this one, is not for what it builds: `ring` is compiled again, and all
    // that follows, each time it is there and then is not.
    for (nom, _) in env::vars_os() {
        let dit = nom.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"].iter().any(|p| dit.starts_with(p))
        {
            c.env_remove(nom);
        }
    }
    c
}

/// Runs a step, told before and timed after.
pub(crate) fn etape(nom: &str, c: &mut Command) -> Resultat<()> {
    println!("── {nom}");
    let debut = Instant::now();
    let fin = c.status().map_err(|e| format!("{nom} : {:?} ne se lance pas ({e})", c.get_program()))?;
    if fin.success() {
        eprintln!("── {nom} : {:.0} s", debut.elapsed().as_secs_f64());
        Ok(())
    } else {
        Err(format!("{nom} a échoué ({fin})"))
    }
}

fn up(args: &[OsString]) -> Resultat<()> {
    etape(
        "compilation en release",
        cargo().args(["build", "--release", "--locked", "--package", "ror", "--bin", "ror"]),
    )?;
    // In place of this process: signals and exit code are then those of the mesh.
    let e = Command::new(cible().join("release/ror")).arg("up").args(args).exec();
    Err(format!("ror ne se lance pas : {e}"))
}

fn test(filtre: &[OsString]) -> Resultat<()> {
    if filtre.is_empty() {
        lint_sans_cargo()?;
    }
    // A filter may name tests that need no client: without them the one that does says so.
    let clients = match clients::preparer(&cible()) {
        Err(e) if !filtre.is_empty() => {
            eprintln!("xtask : {e}");
            None
        }
        r => Some(r?),
    };
    // All targets: with the bins alone, features differ from those of the tests and all is compiled twice.
    etape("compilation", cargo().args(["build", "--workspace", "--locked", "--all-targets"]))?;
    if filtre.is_empty() {
        clippy()?;
    }
    let nextest =
        Command::new("cargo").args(["nextest", "--version"]).output().is_ok_and(|s| s.status.success());
    let mut c = cargo();
    if nextest {
        c.args(["nextest", "run", "--workspace", "--locked"]);
        if env::var_os("CI").is_some() {
            c.args(["--profile", "ci"]);
        }
    } else {
        // Without nextest the meshes of the end-to-end tests must still run one at a time.
        c.args(["test", "--workspace", "--locked", "--no-fail-fast"]).env("RUST_TEST_THREADS", "1");
    }
    if let Some(dossier) = clients {
        c.env("ROR_CLIENTS", dossier);
    }
    // A failed check says what it saw; a backtrace through the runtime would bury it in the report.
    if env::var_os("CI").is_some() {
        c.env("RUST_BACKTRACE", "0");
    }
    // Last, so that the runner's own closing lines end the output.
    etape("tests", c.args(filtre))
}

fn clippy() -> Resultat<()> {
    etape(
        "clippy",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]),
    )
}

/// Checks that need no compilation.
fn lint_sans_cargo() -> Resultat<()> {
    etape("format", cargo().args(["fmt", "--all", "--check"]))?;
    let outils = outils::Outils::preparer(&cible())?;
    contrats(&outils)?;
    let mut chart = outils.python();
    etape("chart", chart.arg("e2e/charts/check.py").arg("--helm").arg(outils.helm()).current_dir(racine()))?;
    let deny = Command::new("cargo").args(["deny", "--version"]).output().is_ok_and(|s| s.status.success());
    if deny {
        etape(
            "cargo deny",
            cargo().args(["deny", "check", "--config", ".config/deny.toml", "licenses", "bans", "sources"]),
        )
    } else {
        println!("── cargo deny : PASSÉ, l'outil n'est pas installé (cargo install cargo-deny)");
        Ok(())
    }
}

fn contrats(outils: &outils::Outils) -> Resultat<()> {
    let proto = racine().join("proto");
    let buf = |args: &[&str]| {
        let mut c = Command::new(outils.buf());
        c.args(args).current_dir(&proto);
        c
    };
    etape("buf lint", &mut buf(&["lint"]))?;
    etape("buf format", &mut buf(&["format", "--diff", "--exit-code"]))?;
    etape("buf breaking", &mut buf(&["breaking", "--against", "baseline.binpb"]))
}

fn lint() -> Resultat<()> {
    lint_sans_cargo()?;
    clippy()
}

fn reference() -> Resultat<()> {
    let outils = outils::Outils::preparer(&cible())?;
    etape(
        "référence des contrats",
        Command::new(outils.buf())
            .args(["build", "-o", "baseline.binpb"])
            .current_dir(racine().join("proto")),
    )
}

fn bench(args: &[OsString]) -> Resultat<()> {
    etape(
        "compilation en release",
        cargo().args(["build", "--release", "--locked", "--package", "ror", "--package", "ror-bench"]),
    )?;
    let e = Command::new(cible().join("release/ror-bench")).args(args).current_dir(racine()).exec();
    Err(format!("ror-bench ne se lance pas : {e}"))
}

fn oracle(args: &[OsString]) -> Resultat<()> {
    etape(
        "compilation en release",
        cargo().args(["build", "--release", "--locked", "--package", "ror-e2e", "--bin", "ror-oracle"]),
    )?;
    let e = Command::new(cible().join("release/ror-oracle")).args(args).current_dir(racine()).exec();
    Err(format!("ror-oracle ne se lance pas : {e}"))
}

/// What `e2e/fuzz` reads.
const CIBLES: [&str; 6] = ["requete", "filtre", "page", "export", "curseur", "xml"];

fn fuzz(args: &[OsString]) -> Resultat<()> {
    let (mut secondes, mut cibles) = (60, Vec::new());
    let mut suite = args.iter().map(|a| a.to_string_lossy());
    while let Some(arg) = suite.next() {
        if arg == "--secondes" {
            let lu = suite.next().and_then(|s| s.parse::<u32>().ok()).filter(|s| *s > 0);
            secondes = lu.ok_or("fuzz --secondes : ce n'est pas une durée. Attendu : un entier positif.")?;
            continue;
        }
        let connue = CIBLES.into_iter().find(|c| *c == arg);
        let attendu =
            || format!("fuzz : « {arg} » est inconnu. Attendu : --secondes N, {}.", CIBLES.join(", "));
        cibles.push(connue.ok_or_else(attendu)?);
    }
    if cibles.is_empty() {
        cibles.extend(CIBLES);
    }
    let la = Command::new("cargo").args(["fuzz", "--version"]).output().is_ok_and(|s| s.status.success());
    if !la {
        return Err(
            "cargo-fuzz manque : installez-le (cargo install cargo-fuzz), avec un compilateur C++ (Debian : apt install g++)"
                .into(),
        );
    }
    let dossier = racine().join("e2e/fuzz");
    // The versions of the product; cargo keeps those that serve and adds libFuzzer.
    let (voulu, verrou) = (racine().join("Cargo.lock"), dossier.join("Cargo.lock"));
    let ecrit = |p: &Path| fs::metadata(p).and_then(|m| m.modified()).ok();
    if ecrit(&verrou) < ecrit(&voulu) {
        fs::copy(&voulu, &verrou).map_err(|e| format!("{} : {e}", verrou.display()))?;
    }
    let sortie = cible().join("fuzz");
    for nom in cibles {
        // What is found goes there; the kept texts are only read.
        let trouves = sortie.join("corpus").join(nom);
        fs::create_dir_all(&trouves).map_err(|e| format!("{} : {e}", trouves.display()))?;
        let mut c = Command::new("cargo");
        // No sanitizer: no code of ours is unsafe. The toolchain is the stable one.
        c.args(["fuzz", "run", "--sanitizer", "none", "--strip-dead-code", "--fuzz-dir"])
            .arg(&dossier)
            .arg(nom)
            .arg(&trouves)
            .arg(dossier.join("corpus").join(nom))
            .args(["--", "-max_len=2048", "-timeout=10"])
            .arg(format!("-max_total_time={secondes}"))
            .arg(format!("-dict={}", dossier.join("mots.dict").display()))
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", &sortie)
            .current_dir(racine().join("e2e"));
        etape(&format!("fuzz {nom}"), &mut c)?;
    }
    Ok(())
}
