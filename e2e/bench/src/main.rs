//! `ror-bench`: a whole mesh measured from outside, each figure beside the physical limit
//! of the same machine in the same run. `ror-bench registries` measures the registries
//! instead: reading, loading, loading again; `ror-bench recherche` the searches of the façade
//! on a directory of the size of the country.
//!
//! Reading order: this file (the course of a run), `mesures` (what is measured and how),
//! `charge` (the closed loop), `http` (the client), `jeu` (what the requests are made
//! of), `plancher` and `postgres` (the limits), `mesh` (the processes), `tableau`; then
//! `registres` and `recherche`, each on its own.
#![allow(clippy::print_stdout, reason = "a benchmark prints its results")]

mod charge;
mod facade;
mod http;
mod jeu;
mod machine;
mod mesh;
mod mesures;
mod ouverte;
mod plancher;
mod postgres;
mod recherche;
mod registres;
mod tableau;

use std::{ffi::OsString, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    charge::mediane,
    facade::Facade,
    jeu::{Jeu, RESULTATS},
    mesh::Mesh,
    mesures::Atelier,
    plancher::Plancher,
    postgres::Postgres,
    tableau::Rapport,
};

/// Measures the mesh of `ror up` and prints a table.
#[derive(Parser)]
#[command(name = "ror-bench", version, about)]
struct Options {
    /// Data directory; an empty one has its first start measured too.
    #[arg(long)]
    data_dir: PathBuf,
    /// Demonstration data.
    #[arg(long, value_enum, default_value = "region")]
    demo: Demo,
    /// Seconds of a run.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=120))]
    seconds: u64,
    /// Runs of each measure; the medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    runs: u64,
    /// Where to write the table too.
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Demo {
    Small,
    Region,
}

impl Demo {
    fn nom(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Region => "region",
        }
    }
}

fn main() -> ExitCode {
    let mut mots: Vec<OsString> = std::env::args_os().collect();
    let resultat = match mots.get(1).and_then(|m| m.to_str()) {
        Some("registries") => {
            mots.remove(1);
            let options = registres::Options::parse_from(mots);
            courir(registres::executer(&options))
        }
        Some("recherche") => {
            mots.remove(1);
            let options = recherche::Options::parse_from(mots);
            courir(recherche::executer(&options))
        }
        _ => {
            let options = Options::parse_from(mots);
            courir(executer(&options))
        }
    };
    match resultat {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("ror-bench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs to the end, on one thread: the clients cost as little as they can. A signal drops
/// everything that was started, which stops it.
fn courir(travail: impl Future<Output = Result<()>>) -> Result<()> {
    let execution = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let resultat = execution.block_on(async {
        let (mut fin, mut interruption) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::select! {
            r = travail => r,
            _ = fin.recv() => bail!("ended by a signal"),
            _ = interruption.recv() => bail!("ended by a signal"),
        }
    });
    // Work in a thread of its own is not waited for.
    execution.shutdown_background();
    resultat
}

async fn executer(o: &Options) -> Result<()> {
    let charge_au_depart = machine::charge();
    let runs = usize::try_from(o.runs)?;
    let mesh = Mesh::new(&o.data_dir, o.demo.nom())?;
    let mut r = Rapport { titre: format!("Measures on `{}`", o.demo.nom()), ..Rapport::default() };

    demarrages(&mesh, runs, &mut r).await?;
    let mut ror = mesh.lancer()?;
    ror.pret().await?;
    let (_, demo) = mesh.annonce(&mut ror).await?;
    let facade = Facade { adresse: ror.adresse, demo };
    anyhow::ensure!(facade.pid("ror")? == ror.pid(), "demo.json is that of another mesh");
    repos().await;
    let memoire = machine::memoire(ror.pid()).residente;
    let quoi = "Memory of the mesh (one process), idle after its start";
    r.au_plus(quoi, format!("{memoire:.0} MB resident"), memoire, 150.0, "MB");

    eprintln!("reading the directory…");
    let jeu = Arc::new(Jeu::lire(&facade).await?);
    eprintln!("copying the rows of the SQL floors…");
    let pid = facade.pid("postgres")?;
    let postgres =
        Postgres::preparer(pid, mesh.port_postgres()?, &mesh.travail, facade.region()?, &jeu).await?;
    let nu = Plancher::demarrer()?;
    let duree = Duration::from_secs(o.seconds);
    let a = Atelier { facade: &facade, jeu: jeu.clone(), postgres: &postgres, nu: &nu, duree, runs };
    a.lecture(&mut r).await?;
    a.recherche(&mut r).await?;
    a.paquet(&mut r).await?;
    a.patch(&mut r).await?;
    {
        let mut seconde = mesh.passerelle(None)?;
        let pret = seconde.pret().await.context("the second gateway")?;
        a.visibilite(seconde.adresse, &mut r).await?;
        let m = machine::memoire(seconde.pid()).residente;
        r.valeur(
            "A second gateway on the running mesh",
            format!("ready in {:.2} s, {m:.0} MB resident", pret.as_secs_f64()),
        );
        seconde.arreter().await?;
    }
    postgres.nettoyer().await?;
    repos().await;
    a.memoire("after the measures", &mut r)?;
    ror.arreter().await?;

    r.environnement = machine::environnement(&charge_au_depart, &postgres.dit);
    r.notes = notes(o, &jeu);
    let texte = r.markdown();
    println!("{texte}");
    if let Some(chemin) = &o.out {
        std::fs::write(chemin, &texte).with_context(|| format!("{} cannot be written", chemin.display()))?;
    }
    Ok(())
}

/// First start when the directory is empty, then starts on the kept data.
async fn demarrages(mesh: &Mesh, runs: usize, r: &mut Rapport) -> Result<()> {
    if mesh.peuple() {
        eprintln!("{} holds its data already: the first start is not measured", mesh.dossier.display());
    } else {
        eprintln!("first start, with the data load…");
        let mut p = mesh.lancer()?;
        let (duree, _) = mesh.annonce(&mut p).await?;
        r.valeur(
            "First start, data generated and loaded by the ordinary path",
            format!("{:.1} s", duree.as_secs_f64()),
        );
        p.arreter().await?;
    }
    let (mut prets, mut annonces) = (Vec::new(), Vec::new());
    for i in 1..=runs {
        eprintln!("start on the kept data, {i}/{runs}…");
        let mut p = mesh.lancer()?;
        prets.push(p.pret().await?.as_secs_f64());
        annonces.push(mesh.annonce(&mut p).await?.0.as_secs_f64());
        p.arreter().await?;
    }
    let (pret, annonce) = (mediane(prets), mediane(annonces));
    let texte = format!("{pret:.2} s to /ready ({annonce:.2} s to demo.json)");
    r.au_plus("Start on the kept data, servers included", texte, pret, 10.0, "s");
    Ok(())
}

/// Lets what is still under way end: relays, followers, allocator.
async fn repos() {
    tokio::time::sleep(Duration::from_secs(6)).await;
}

fn notes(o: &Options, jeu: &Jeu) -> Vec<String> {
    let mut n = vec![
        format!(
            "{} offers and places read by profile 1; each figure is the median of {} runs of {} s after a warm-up.",
            jeu.lues, o.runs, o.seconds
        ),
        "Load is a closed loop over connections kept open, HTTP/1.1 in clear, no compression asked for; the load \
         generator, the mesh, PostgreSQL and NATS share the cores. Ratios are of requests a second, each run beside \
         its floor; compare only figures of one run."
            .to_owned(),
        "A start is on a warm page cache. The first one downloads the servers' programs when the cache has none."
            .to_owned(),
        format!(
            "SQL search: `jetons @> array[a, b] order by id limit {RESULTATS}` with a GIN index on the tokens, one \
             prepared statement a couple of criteria ({} couples of at least {} offers), no total, no rendering; {} \
             couples have another total on the façade than in its own pages.",
            jeu.couples.len(),
            jeu.moindre,
            jeu.ecarts
        ),
        "SQL write: the statements of the store in as many round trips, on copies with rows of the same size; the \
         relay to JetStream and the reply in FHIR are in the façade's figure only."
            .to_owned(),
    ];
    if jeu.moindre < RESULTATS {
        n.push(format!(
            "These data have no couple of criteria with {RESULTATS} offers: the searches are of fewer."
        ));
    }
    n
}
