//! `cargo xtask oracle`: as many searches as wanted against brute force, on a started mesh.
#![allow(clippy::print_stdout, reason = "a command prints what it does")]

use std::{env, path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use anyhow::{Context, Result, bail};
use ror_e2e::{
    Client,
    oracle::{Campagne, Descriptions, Ecrivain},
};
use serde_json::Value;

const AIDE: &str = "\
cargo xtask oracle [options]   (un maillage doit tourner : cargo xtask up)

  --requetes N      nombre de recherches à comparer (10000 par défaut)
  --graine N        graine du tirage (1 par défaut) : mêmes graine et données, mêmes recherches
  --mesh DOSSIER    dossier des données du maillage démarré (.ror par défaut)
  --sans-ecriture   ne modifie ni capacité ni description
";

/// Queries of one caller before the next one's turn.
const TRANCHE: u64 = 2000;
/// One query in so many is asked while writes run.
const SOUS_ECRITURES: u64 = 8;
const PROFILS: [&str; 6] = ["p0", "p1", "p2", "p3", "p4", "p5"];

struct Options {
    requetes: u64,
    graine: u64,
    mesh: PathBuf,
    ecriture: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = match lire(env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{AIDE}");
            return ExitCode::SUCCESS;
        }
        Err(faute) => {
            eprintln!("oracle : {faute:#}\n\n{AIDE}");
            return ExitCode::from(2);
        }
    };
    match executer(&options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(faute) => {
            eprintln!("oracle : {faute:#}");
            ExitCode::FAILURE
        }
    }
}

fn lire(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>> {
    let mut options = Options { requetes: 10_000, graine: 1, mesh: PathBuf::from(".ror"), ecriture: true };
    while let Some(nom) = arguments.next() {
        let mut valeur = || arguments.next().with_context(|| format!("{nom} : la valeur manque"));
        let entier = |texte: String| -> Result<u64> {
            texte.replace('_', "").parse().with_context(|| format!("{texte:?}. Attendu : un entier"))
        };
        match nom.as_str() {
            "--requetes" => options.requetes = entier(valeur()?)?,
            "--graine" => options.graine = entier(valeur()?)?,
            "--mesh" => options.mesh = valeur()?.into(),
            "--sans-ecriture" => options.ecriture = false,
            "-h" | "--help" => return Ok(None),
            autre => bail!("option {autre} inconnue"),
        }
    }
    Ok(Some(options))
}

async fn executer(options: &Options) -> Result<()> {
    let fichier = options.mesh.join("demo.json");
    let octets = std::fs::read(&fichier).with_context(|| {
        format!("{} est illisible : lancez d'abord cargo xtask up, ou donnez --mesh", fichier.display())
    })?;
    let demo: Value = serde_json::from_slice(&octets).with_context(|| fichier.display().to_string())?;
    let client = |nom: &str| Ok::<_, anyhow::Error>(Arc::new(Client::nouveau(&demo, nom)?));
    let clients = PROFILS.into_iter().map(client).collect::<Result<Vec<_>>>()?;
    let campagne = Campagne::preparer(&clients[1], options.graine).await?;
    let (depart, total) = (Instant::now(), options.requetes);
    let ecritures = if options.ecriture { total / SOUS_ECRITURES } else { 0 };
    let (calmes, mut faites, mut tour) = (total - ecritures, 0, 0);
    while faites < calmes {
        let fin = calmes.min(faites + TRANCHE);
        campagne.lire(&clients[tour % clients.len()], faites..fin).await?;
        (faites, tour) = (fin, tour + 1);
        println!("{faites} / {total}, {:.0} s", depart.elapsed().as_secs_f64());
    }
    if ecritures > 0 {
        let descriptions = Descriptions::choisir(&clients[1], &options.mesh, &demo).await?;
        let ecrivain = Ecrivain::lancer(clients[1].clone(), client("capacity")?, descriptions).await?;
        campagne.lire_sous_ecritures(&clients, ecrivain, calmes..total).await?;
    }
    campagne.bilan()?;
    println!("{total} recherches égales à la force brute, {:.0} s", depart.elapsed().as_secs_f64());
    Ok(())
}
