//! The registries, at the scale of the country: reading alone, the first load, the same
//! edition again, an edition that brings nothing, the next one; each beside what the disk,
//! `COPY` and one SQL comparison of the whole file cost in the same run.
//!
//! Reading order: this file (the course of a run), `jeu` (the files), `lecture` (reading
//! and validating in this process), `chargement` (loads, from outside), `planchers` (SQL);
//! then `seul` (the loader alone, its memory) and `pannes` (killed in the middle of a load).

mod chargement;
mod jeu;
mod lecture;
mod pannes;
mod planchers;
mod seul;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use ror_demo::national::Edition;
use ror_proto::nomenclatures::v1::{
    ExpandValueSetRequest, nomenclatures_service_client::NomenclaturesServiceClient,
};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    charge::mediane,
    facade::Facade,
    machine,
    mesh::Mesh,
    postgres::Outils,
    tableau::{Rapport, ms, octets},
};
use chargement::{Chargeur, Genre};
use jeu::Jeu;
use planchers::Planchers;
use seul::Seul;

/// Calls of which the median is told.
const APPELS: usize = 50;

/// Measures the registries and prints a table.
#[derive(Parser)]
#[command(name = "ror-bench registries", version)]
pub struct Options {
    /// Part of the country: 1 for the whole, 0.02 for a check of about a minute.
    #[arg(long, default_value_t = 1.0)]
    echelle: f64,
    /// Seed of the files.
    #[arg(long, default_value_t = 2026)]
    graine: u64,
    /// Share of the records that the next edition changes.
    #[arg(long, default_value_t = 0.01)]
    taux: f64,
    /// Data directory, which must be empty; one of its own, removed at the end, without it.
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// A process a service: the memory of the loader is then its own.
    #[arg(long)]
    processes: bool,
    /// Loads too in `identity` alone, a process and servers of its own: memory of the loader.
    #[arg(long)]
    loader: bool,
    /// The same, then kills it, and once PostgreSQL, at several moments of each load.
    #[arg(long)]
    kills: bool,
    /// Neither reading nor the mesh: what --loader or --kills asks for, alone.
    #[arg(long)]
    skip_mesh: bool,
    /// Where to write the table too.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// The build folder: the program is in its `release` or `debug`.
pub fn cible() -> Result<PathBuf> {
    let programme = std::env::current_exe()?;
    programme.ancestors().nth(2).map(Path::to_owned).context("the program is not in a build folder")
}

/// A folder of this run, removed when dropped unless it was given.
struct Dossier {
    chemin: PathBuf,
    garder: bool,
}

impl Dossier {
    fn neuf(o: &Options) -> Result<Self> {
        let garder = o.data_dir.is_some();
        let chemin = match &o.data_dir {
            Some(d) => d.clone(),
            None => cible()?.join(format!("bench-registres/donnees-{}", std::process::id())),
        };
        std::fs::create_dir_all(&chemin).with_context(|| format!("{} cannot be made", chemin.display()))?;
        let vide = std::fs::read_dir(&chemin)?.next().is_none();
        ensure!(vide, "{} is not empty: a first load needs an empty directory", chemin.display());
        Ok(Self { chemin, garder })
    }
}

impl Drop for Dossier {
    fn drop(&mut self) {
        if !self.garder {
            let _ = std::fs::remove_dir_all(&self.chemin);
        }
    }
}

/// The whole run.
pub async fn executer(o: &Options) -> Result<()> {
    ensure!(o.echelle > 0.0 && o.echelle <= 10.0, "--echelle must be above 0 and at most 10");
    ensure!((0.0..=1.0).contains(&o.taux), "--taux must be from 0 to 1");
    let charge_au_depart = machine::charge();
    let mut r = Rapport {
        titre: format!("Registries, scale {}, seed {}", o.echelle, o.graine),
        ..Rapport::default()
    };
    ensure!(!o.skip_mesh || o.loader || o.kills, "--skip-mesh goes with --loader or --kills");
    let jeu = jeu::preparer(&cible()?, o.graine, o.echelle, o.taux, &mut r).await?;
    let dossier = Dossier::neuf(o)?;
    let mut postgres = String::new();
    if !o.skip_mesh {
        lecture::fichiers(&jeu, &mut r).await?;
        lecture::codes(&mut r).await?;
        postgres = maillage(o, &jeu, &dossier.chemin.join("mesh"), &mut r).await?;
    }
    if o.loader || o.kills {
        postgres = chargeur_seul(o, &jeu, &dossier.chemin, &mut r).await?;
    }

    r.environnement = machine::environnement(&charge_au_depart, &postgres);
    r.notes = notes(&jeu, o);
    let texte = r.markdown();
    println!("{texte}");
    if let Some(chemin) = &o.out {
        std::fs::write(chemin, &texte).with_context(|| format!("{} cannot be written", chemin.display()))?;
    }
    Ok(())
}

/// The loads in a whole mesh; what PostgreSQL is.
async fn maillage(o: &Options, jeu: &Jeu, dossier: &Path, r: &mut Rapport) -> Result<String> {
    let mesh = Mesh::new(dossier, "none")?.en_processus(o.processes);
    eprintln!("starting the mesh…");
    let mut ror = mesh.lancer()?;
    ror.pret().await?;
    let (_, demo) = mesh.annonce(&mut ror).await?;
    let facade = Facade { adresse: ror.adresse, demo };
    let outils = Outils::trouver(facade.pid("postgres")?, mesh.port_postgres()?, &mesh.travail)?;
    let (postgres, _) = outils.reglages().await?;
    let planchers = Planchers::preparer(&outils, &mesh.travail).await?;
    let c = Chargeur { mesh: &mesh, facade: &facade, outils: &outils, jeu };
    charger(&c, &planchers, o, r).await?;
    expansion(&mesh, r).await?;
    memoire(&facade, r)?;
    planchers.nettoyer().await?;
    ror.arreter().await?;
    Ok(postgres)
}

/// The loads in `identity` alone, without a fault, then with crashes; what PostgreSQL is.
async fn chargeur_seul(o: &Options, jeu: &Jeu, dossier: &Path, r: &mut Rapport) -> Result<String> {
    let mut seul = Seul::monter(&dossier.join("temoin"), jeu).await?;
    let (postgres, _) = seul.outils.reglages().await?;
    let temoin = seul.temoin(r).await?;
    seul.demonter().await?;
    if o.kills {
        let mut seul = Seul::monter(&dossier.join("pannes"), jeu).await?;
        pannes::eprouver(&mut seul, jeu, &temoin, r).await?;
        seul.demonter().await?;
    }
    Ok(postgres)
}

/// The loads, in the order of a day, then the days after.
async fn charger(c: &Chargeur<'_>, planchers: &Planchers<'_>, o: &Options, r: &mut Rapport) -> Result<()> {
    let jeu = c.jeu;
    let [premiere, vide, suivante] = jeu.editions();
    let genres = [Genre::Structures, Genre::Activites, Genre::Professionnels];
    for genre in genres {
        let quoi = format!("First load of {}", genre.nom());
        let m = c.charger(genre, premiere, dernier(genre, premiere)).await?;
        planchers.copier(&quoi, genre, &m, r).await?;
    }
    // What follows the registries has settled: from here on every version counts.
    c.ecritures_depuis(0).await?;
    for genre in genres {
        let m = c.sans_ecriture(genre, premiere).await?;
        r.valeur(format!("The same file again, {}", genre.nom()), m);
    }
    for genre in genres {
        eprintln!("an edition that brings nothing, {}…", genre.nom());
        let avant = c.ecritures().await?;
        let m = c.charger(genre, vide, None).await?;
        let ecrites = c.ecritures_depuis(avant).await?;
        let quoi = format!("An edition of {} that brings nothing: {ecrites} records written", genre.nom());
        planchers.comparer(&quoi, genre, &m, r).await?;
        ensure!(ecrites == 0, "an edition without a change wrote {ecrites} records");
    }
    for genre in genres {
        planchers.retenir(genre).await?;
        let cree = jeu.derniere_creation(genre)?;
        let quoi = format!("The next edition of {}, {} % changed", genre.nom(), o.taux * 100.0);
        let avant = c.ecritures().await?;
        let m = c.charger(genre, suivante, cree.as_deref()).await?;
        let ecrites = c.ecritures_depuis(avant).await?;
        let attendues = jeu.attendues(genre)?;
        let quoi = format!("{quoi}: {ecrites} records written, {attendues} operations expected");
        planchers.comparer(&quoi, genre, &m, r).await?;
    }
    Ok(())
}

/// Key of the last record of an edition; activities are not searched.
fn dernier(genre: Genre, e: &Edition) -> Option<&str> {
    match genre {
        Genre::Structures => Some(&e.dernier_eg),
        Genre::Activites => None,
        Genre::Professionnels => Some(&e.dernier_professionnel),
    }
}

/// First page of the communes, and a call that does nothing, over the same connection.
async fn expansion(mesh: &Mesh, r: &mut Rapport) -> Result<()> {
    eprintln!("expansion of the communes…");
    let canal: Channel = Endpoint::from_shared(mesh.service("nomenclatures")?)?.connect().await?;
    let mut client = NomenclaturesServiceClient::new(canal.clone());
    let mut sante = HealthClient::new(canal);
    let demande = || ExpandValueSetRequest {
        canonique: ror_domaine::liaisons::TRE_COMMUNE.to_owned(),
        limite: 100,
        ..Default::default()
    };
    let premiere = client.expand_value_set(demande()).await?.into_inner();
    let (mut page, mut rien) = (Vec::new(), Vec::new());
    for _ in 0..APPELS {
        let debut = Instant::now();
        sante.check(HealthCheckRequest::default()).await?;
        rien.push(millisecondes(debut.elapsed()));
        let debut = Instant::now();
        client.expand_value_set(demande()).await?;
        page.push(millisecondes(debut.elapsed()));
    }
    let (page, rien) = (mediane(page), mediane(rien));
    let quoi = format!("$expand of the communes, first {} of {}", premiere.concepts.len(), premiere.total);
    r.compare(
        quoi,
        format!("{} a call", ms(page)),
        format!("gRPC call that does nothing {}", ms(rien)),
        rien / page,
        None,
    );
    Ok(())
}

fn millisecondes(d: Duration) -> f64 {
    d.as_secs_f64() * 1000.0
}

/// Memory of the processes at the end.
fn memoire(facade: &Facade, r: &mut Rapport) -> Result<()> {
    let ror = machine::memoire(facade.pid("ror")?);
    let (postgres, nats) =
        (machine::memoire_arbre(facade.pid("postgres")?), machine::memoire(facade.pid("nats")?).residente);
    r.valeur(
        "Memory of the mesh, of PostgreSQL and of NATS, at the end",
        format!("{:.0} MB, {postgres:.0} MB (shared pages once), {nats:.0} MB", ror.residente),
    );
    Ok(())
}

fn notes(jeu: &Jeu, o: &Options) -> Vec<String> {
    let e = jeu.premiere();
    let n = |cle: &str| e.comptes.get(cle).copied().unwrap_or(0);
    let mut notes = vec![format!(
        "Files: {} legal entities, {} sites, {} activities, {} professionals on {} lines; {} in all, cached between \
         runs; one run of each measure.",
        n("entites_juridiques"),
        n("entites_geographiques"),
        n("activites"),
        n("professionnels"),
        n("lignes_rpps"),
        octets(jeu.octets(e) as f64)
    )];
    if !o.skip_mesh {
        notes.extend([
            "Reading: the library of `identity` on a file in the page cache, every record made and dropped; MB are \
             those after decompression. Floor: the same file decompressed, or its lines counted."
                .to_owned(),
            "Committed: from the start of `ror import` to its report. Searchable: to the moment the gateway finds \
             the last record of the file (for the next edition, the last one created) by its identifier. The \
             loader, the mesh, PostgreSQL and NATS share the cores."
                .to_owned(),
            "COPY: the rows the load left (id, region, state), binary, into a bare table with its primary key, psql \
             included. Comparison: COPY of all rows of the edition into a staging table, then one join each way; it \
             finds the changes and applies none."
                .to_owned(),
            format!(
                "Peak memory: highest resident memory of the {} during the load, started again before it; it holds \
                 what the process held before.",
                if o.processes { "process of `identity`" } else { "one process of the mesh, read model included" }
            ),
        ]);
    }
    if o.loader || o.kills {
        notes.push(
            "The loader alone: `ror serve identity` on its own PostgreSQL (durable) and NATS, a new process for each \
             load; its peak is the highest resident memory of its life (VmHWM), read at the report."
                .to_owned(),
        );
    }
    if o.kills {
        notes.push(
            "Killed: SIGKILL of the process, or of the postmaster, at a moment seen in the database; \"before the \
             commit\" is held there by a lock. As before, or the same: rows of each table of the load, and a hash \
             of every record and identifier, equal."
                .to_owned(),
        );
    }
    notes
}
