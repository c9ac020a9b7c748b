//! The searches of the façade on a directory of the size of the country: one kept data
//! directory, sown once by `ror demo semer`, the whole mesh in processes of its own so that
//! the gateway's memory is its own.
//!
//! Reading order: this file (the course of a run), `semis` (the data), `jeu` (what the
//! requests are made of), `criteres` (searches that SQL can repeat), `plancher` (SQL),
//! `mesures` (searches, package, proximity, reads, readers under a writer), `scenarios` and
//! `pires` (requests, one line each), `export`, `ecrivain` (the writer).

mod criteres;
mod ecrivain;
mod export;
mod jeu;
mod mesures;
mod pires;
mod plancher;
mod scenarios;
mod semis;

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ror_demo::repertoire;

use crate::{
    charge::mediane, facade::Facade, machine, mesh::Mesh, postgres::Outils, registres::cible,
    tableau::Rapport,
};
use jeu::Jeu;
use mesures::Atelier;
use plancher::Plancher;

/// Parts of the measure, in their order.
const PARTIES: [(&str, &str); 8] = [
    ("a", "searches beside SQL"),
    ("b", "requests of the published scenarios"),
    ("c", "standard package"),
    ("d", "proximity with free beds"),
    ("e", "read by id"),
    ("f", "export"),
    ("g", "readers under a writer"),
    ("h", "rare, skewed and worst-shape requests"),
];

/// Measures the searches of the façade and prints a table.
#[derive(Parser)]
#[command(name = "ror-bench recherche", version)]
pub struct Options {
    /// Part of the country: 1 for the whole, 0.02 for a check.
    #[arg(long, default_value_t = 1.0)]
    echelle: f64,
    /// Seed of the directory.
    #[arg(long, default_value_t = 2026)]
    graine: u64,
    /// Data directory, kept; one of the build folder without it.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Seconds of a run.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    seconds: u64,
    /// Runs of each comparison, and starts; the medians are told.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100))]
    runs: u64,
    /// Requests a second of the main search.
    #[arg(long, default_value_t = 2000.0)]
    rate: f64,
    /// Requests a second while the writer writes, and without it.
    #[arg(long, default_value_t = 500.0)]
    reader_rate: f64,
    /// Requests at even distances instead of independent callers.
    #[arg(long)]
    even: bool,
    /// Parts measured, by letter: a searches, b scenarios, c package, d proximity, e reads, f export,
    /// g readers under a writer, h worst requests.
    #[arg(long, value_delimiter = ',', default_value = "a,b,c,d,e,f,g,h")]
    parties: Vec<String>,
    /// Where to write the table too.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Options {
    fn verifier(&self) -> Result<()> {
        ensure!(self.echelle > 0.0 && self.echelle <= 10.0, "--echelle must be above 0 and at most 10");
        for (quoi, taux) in [("--rate", self.rate), ("--reader-rate", self.reader_rate)] {
            ensure!((1.0..=100_000.0).contains(&taux), "{quoi} must be from 1 to 100000");
        }
        for p in &self.parties {
            ensure!(
                PARTIES.iter().any(|(lettre, _)| *lettre == p.as_str()),
                "--parties: {p:?} is none of {PARTIES:?}"
            );
        }
        Ok(())
    }

    fn veut(&self, partie: &str) -> bool {
        self.parties.iter().any(|p| p == partie)
    }

    fn dossier(&self) -> Result<PathBuf> {
        let nom = format!("bench-recherche/v{}-{}-{}", repertoire::VERSION, self.graine, self.echelle);
        self.data_dir.clone().map_or_else(|| Ok(cible()?.join(nom)), Ok)
    }
}

/// The whole run.
pub async fn executer(o: &Options) -> Result<()> {
    o.verifier()?;
    let charge_au_depart = machine::charge();
    let mut r =
        Rapport { titre: format!("Search, scale {}, seed {}", o.echelle, o.graine), ..Rapport::default() };
    let mesh = Mesh::new(&o.dossier()?, "none")?.en_processus(true);
    semis::preparer(&mesh, o.echelle, o.graine, &mut r).await?;
    demarrages(&mesh, usize::try_from(o.runs)?, &mut r).await?;
    // What former lives rendered.
    let _ = std::fs::remove_file(o.dossier()?.join("image/rendues"));

    let mut ror = mesh.lancer()?;
    ror.pret().await?;
    let (_, demo) = mesh.annonce(&mut ror).await?;
    let facade = Facade { adresse: ror.adresse, demo };
    ensure!(facade.pid("ror")? == ror.pid(), "demo.json is that of another mesh");
    crate::repos().await;
    memoire(&facade, "Memory of the gateway alone, idle after its start", &mut r)?;
    autres_passerelles(&mesh, &mut r).await?;

    let outils = Outils::trouver(facade.pid("postgres")?, mesh.port_postgres()?, &mesh.travail)?;
    let (postgres, _) = outils.reglages().await?;
    eprintln!("drawing the requests from the directory…");
    let (graine, echelle, travail) = (o.graine, o.echelle, mesh.travail.clone());
    let jeu = tokio::task::spawn_blocking(move || Jeu::tirer(graine, echelle, &travail)).await??;
    let a = Atelier {
        facade: &facade,
        mesh: &mesh,
        jeu: Arc::new(jeu),
        outils: &outils,
        duree: Duration::from_secs(o.seconds),
        runs: usize::try_from(o.runs)?,
        reguliere: o.even,
    };
    a.paquet_froid(&mut r).await?;
    preparation(&facade, &mut r).await?;
    mesurer(&a, o, &mut r).await?;
    outils.psql("fin", "drop schema if exists bench cascade;\n").await?;
    crate::repos().await;
    memoire(&facade, "Memory of the gateway alone, idle after the measures", &mut r)?;
    memoires(&facade, &mut r)?;
    ror.arreter().await?;

    r.environnement = machine::environnement(&charge_au_depart, &postgres);
    r.notes.extend(notes(o, &a.jeu));
    let texte = r.markdown();
    println!("{texte}");
    if let Some(chemin) = &o.out {
        std::fs::write(chemin, &texte).with_context(|| format!("{} cannot be written", chemin.display()))?;
    }
    Ok(())
}

async fn mesurer(a: &Atelier<'_>, o: &Options, r: &mut Rapport) -> Result<()> {
    for (lettre, quoi) in PARTIES.into_iter().filter(|(lettre, _)| o.veut(lettre)) {
        eprintln!("({lettre}) {quoi}…");
        match lettre {
            "a" => {
                let plancher = Plancher::preparer(a.outils, &a.jeu).await?;
                a.recherches(&plancher, o.rate, r).await?;
            }
            "b" => a.lignes("§", scenarios::TOUS, 20.0, Some(50.0), r).await?,
            "c" => a.paquet(r).await?,
            "d" => a.proximite(r).await?,
            "e" => a.lecture(r).await?,
            "f" => export::mesurer(a, r).await?,
            "g" => a.sous_ecriture(o.reader_rate, r).await?,
            _ => {
                a.lignes("Worst: ", pires::TOUTES, 2.0, None, r).await?;
                a.marche(r).await?;
            }
        }
    }
    Ok(())
}

/// Starts of the whole mesh on the kept data: the gateway reads the image that its last life left.
async fn demarrages(mesh: &Mesh, runs: usize, r: &mut Rapport) -> Result<()> {
    // An image of another build is not read: the first start leaves one of this one.
    eprintln!("a start that leaves an image…");
    let mut p = mesh.lancer()?;
    p.pret().await?;
    mesh.annonce(&mut p).await?;
    p.arreter().await?;
    let mut prets = Vec::new();
    for i in 1..=runs {
        eprintln!("start on the kept data, {i}/{runs}…");
        let mut p = mesh.lancer()?;
        prets.push(p.pret().await?.as_secs_f64());
        mesh.annonce(&mut p).await?;
        p.arreter().await?;
    }
    let pret = mediane(prets);
    let quoi = "Start of the mesh on the kept data, servers included, the gateway from its image, to /ready";
    r.au_plus(quoi, format!("{pret:.2} s"), pret, 10.0, "s");
    Ok(())
}

/// Gateways that start on services that run already.
async fn autres_passerelles(mesh: &Mesh, r: &mut Rapport) -> Result<()> {
    eprintln!("a second gateway…");
    let image = mesh.travail.join("image");
    let _ = fs::remove_dir_all(&image);
    let mut seconde = mesh.passerelle(Some(&image))?;
    let pret = seconde.pret().await.context("the second gateway")?.as_secs_f64();
    let texte = format!("{pret:.2} s");
    let quoi = "Start of a gateway that takes the image of the one that runs, on running services, to /ready";
    r.au_plus(quoi, texte, pret, 10.0, "s");
    seconde.arreter().await?;
    fs::remove_dir_all(&image)?;
    let mut seconde = mesh.passerelle(None)?;
    let pret = seconde.pret().await.context("the second gateway")?.as_secs_f64();
    let sommet = machine::memoire(seconde.pid()).sommet;
    let texte = format!("{pret:.2} s ({sommet:.0} MB resident at the highest)");
    r.au_plus("Start of a gateway that has no image, on running services, to /ready", texte, pret, 10.0, "s");
    seconde.arreter().await
}

/// Longest preparation, and between two looks at it.
const PREPARATION_MAX: Duration = Duration::from_secs(1800);
const PAS: Duration = Duration::from_millis(200);

/// Waits until everything that profile 1 may read is rendered.
async fn preparation(facade: &Facade, r: &mut Rapport) -> Result<()> {
    eprintln!("waiting for what is rendered beforehand…");
    let debut = Instant::now();
    loop {
        let dites = facade.metriques().await?;
        let lue = |nom: &str| -> f64 {
            let valeur = dites.lines().find_map(|l| l.strip_prefix(nom)?.strip_prefix(' ')?.parse().ok());
            valeur.unwrap_or(0.0)
        };
        let (nombre, reste) = (lue("ror_gateway_prepared_resources"), lue("ror_gateway_prepared_waiting"));
        if nombre > 0.0 && reste == 0.0 {
            let mo = lue("ror_gateway_prepared_bytes") / 1e6;
            let secondes = debut.elapsed().as_secs_f64();
            let quoi = "Everything that a profile reads rendered beforehand, on disk, by a thread of the lowest priority";
            r.valeur(quoi, format!("{nombre:.0} resources, {mo:.0} MB, {secondes:.0} s"));
            return memoire(facade, "Memory of the gateway alone, idle once it is", r);
        }
        ensure!(debut.elapsed() < PREPARATION_MAX, "{reste} resources are not rendered");
        tokio::time::sleep(PAS).await;
    }
}

fn memoire(facade: &Facade, quoi: &str, r: &mut Rapport) -> Result<()> {
    let m = machine::memoire(facade.pid("gateway")?);
    let texte = format!("{:.0} MB resident, {:.0} MB at the highest", m.residente, m.sommet);
    r.au_plus(quoi, texte, m.residente, 1500.0, "MB");
    Ok(())
}

fn memoires(facade: &Facade, r: &mut Rapport) -> Result<()> {
    let services = ror_services()
        .iter()
        .map(|s| Ok(format!("{s} {:.0}", machine::memoire(facade.pid(s)?).residente)))
        .collect::<Result<Vec<_>>>()?;
    let postgres = machine::memoire_arbre(facade.pid("postgres")?);
    let nats = machine::memoire(facade.pid("nats")?).residente;
    let texte = format!(
        "{} MB; PostgreSQL {postgres:.0} MB (shared pages once), NATS {nats:.0} MB",
        services.join(", ")
    );
    r.valeur("Memory of the services and of the servers, after the measures", texte);
    Ok(())
}

fn ror_services() -> [&'static str; 7] {
    ["structures", "offers", "capacity", "identity", "nomenclatures", "access", "bascule"]
}

fn notes(o: &Options, jeu: &Jeu) -> Vec<String> {
    let comptes: Vec<String> = jeu.comptes.iter().map(|(genre, n)| format!("{n} {genre}")).collect();
    let arrivees = if o.even { "at even distances" } else { "as independent callers come (Poisson)" };
    vec![
        format!("Directory: {}; read by profile 1, which sees all of it.", comptes.join(", ")),
        format!(
            "Open loop: requests leave when they are due, {arrivees}, over connections kept open; latencies count \
             from the instant due (no coordinated omission), some 60 µs of which are the metronome's. HTTP/1.1 in \
             clear, bodies read to their end, no compression asked for unless told. Statuses other than the one \
             expected are counted in the cell. Throughputs are a closed loop."
        ),
        format!(
            "Each figure is of one run of {} s after a warm-up, comparisons are medians of {} runs, value and floor \
             in turn. The load generator, the mesh, PostgreSQL and NATS share the cores: compare figures of one run \
             only. A start is on a warm page cache.",
            o.seconds, o.runs
        ),
        "Rows were sown by COPY, without history nor events (`ror demo semer`); the services serve them as any \
         others. Usage counts of codes are empty."
            .to_owned(),
    ]
}
