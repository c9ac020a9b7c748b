//! `ror demo semer`: the directory of the country straight into the tables of the services,
//! for measures at that size. The rows are those the store would have written; they have
//! neither history nor events, and what the services keep of each other is filled beside
//! them, so that a mesh started on the folder has nothing left to digest.

mod indices;
mod rangees;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use ror_chassis::{magasin::copier, processus::ouvrir_base, reglages::Secret};
use ror_embedded::Embedded;
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};
use tokio::sync::mpsc;

use crate::up;
use indices::Indices;
use rangees::{Lots, Paquet, Schema};

/// Written last: what the folder holds.
const TEMOIN: &str = "semis.json";

/// Sème un annuaire national dans les tables des services.
#[derive(Args)]
pub struct Options {
    /// Dossier de données d'un maillage arrêté, qui a tourné une fois sans données
    /// (« ror up --demo none »).
    #[arg(long, default_value = ".ror")]
    data_dir: PathBuf,
    /// Part du pays : 1 pour tout (500 000 offres et plus), 0.01 pour un essai.
    #[arg(long, default_value_t = 1.0)]
    echelle: f64,
    /// Graine du tirage.
    #[arg(long, default_value_t = 2026)]
    graine: u64,
}

/// What was sown.
#[derive(Serialize, Deserialize)]
struct Temoin {
    version: u32,
    graine: u64,
    echelle: f64,
    comptes: BTreeMap<String, u64>,
}

/// Runs the command.
pub async fn executer(o: Options) -> anyhow::Result<ExitCode> {
    ensure!(o.echelle > 0.0 && o.echelle <= 10.0, "--echelle {} : attendu de 0 à 10", o.echelle);
    let temoin = o.data_dir.join(TEMOIN);
    if let Ok(octets) = std::fs::read(&temoin) {
        let t: Temoin = serde_json::from_slice(&octets).context("semis.json illisible")?;
        let meme =
            (t.version, t.graine) == (ror_demo::repertoire::VERSION, o.graine) && t.echelle == o.echelle;
        ensure!(
            meme,
            "{} tient déjà un autre annuaire (graine {}, échelle {}) : choisissez un dossier neuf",
            o.data_dir.display(),
            t.graine,
            t.echelle
        );
        println!("{} est déjà semé.", o.data_dir.display());
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(o.data_dir.is_dir(), "{} n'existe pas : {}", o.data_dir.display(), premier_tour(&o.data_dir));
    // No event tells of these rows: an image of the empty directory would be taken for theirs.
    match std::fs::remove_dir_all(up::dossier_image(&o.data_dir)) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(e).context("image non supprimée"),
        _ => {}
    }
    let embarque = Embedded::start(ror_embedded::Options {
        data_dir: o.data_dir.canonicalize()?,
        cache_dir: std::env::var_os("ROR_CACHE_DIR").map(PathBuf::from),
        // A crash of the machine during it leaves a folder to throw away; nothing else is there.
        durable: false,
        max_connections: 50,
    })
    .await
    .map_err(|e| anyhow::anyhow!("{e}"))?;
    let resultat = semer(&embarque, &o).await;
    embarque.stop().await;
    let comptes = resultat?;
    let t = Temoin { version: ror_demo::repertoire::VERSION, graine: o.graine, echelle: o.echelle, comptes };
    std::fs::write(&temoin, serde_json::to_vec_pretty(&t)?)?;
    Ok(ExitCode::SUCCESS)
}

fn premier_tour(dossier: &Path) -> String {
    format!("lancez d'abord « ror up --demo none --data-dir {} », puis arrêtez-le", dossier.display())
}

/// Fills every table; counts by kind.
async fn semer(embarque: &Embedded, o: &Options) -> anyhow::Result<BTreeMap<String, u64>> {
    let debut = Instant::now();
    let etape = |quoi: &str| println!("{:>6.1} s  {quoi}", debut.elapsed().as_secs_f64());
    exiger_base(embarque, &o.data_dir).await?;
    let url = Secret::from(embarque.postgres_url("ror"));
    let mut bases = BTreeMap::new();
    let mut indices = Vec::new();
    for schema in Schema::TOUS {
        let mut c = ouvrir(&url, schema).await?;
        verifier(&mut c, schema, &o.data_dir).await?;
        indices.push((schema, Indices::deposer(&mut c, schema.tables()).await?));
        bases.insert(schema, c);
    }
    etape("tables vides, index déposés");
    let (envoi, mut reception) = mpsc::channel::<Paquet>(4);
    let (graine, echelle) = (o.graine, o.echelle);
    let tirage = tokio::task::spawn_blocking(move || {
        let mut lots = Lots::nouveau(envoi);
        ror_demo::repertoire::parcourir(graine, echelle, |f| lots.ajouter(f))?;
        lots.finir()
    });
    while let Some(p) = reception.recv().await {
        let base = bases.get_mut(&p.table.schema()).context("a table without schema")?;
        copier(base, p.table.instruction(), p.copie).await?;
    }
    let comptes = tirage.await??;
    etape("rangées copiées");
    for (schema, sql) in VOISINAGE {
        let base = bases.get_mut(&schema).context("a table without schema")?;
        sqlx::query(sql).execute(base).await?;
    }
    etape("références entre services remplies");
    for (schema, indices) in indices {
        let base = bases.get_mut(&schema).context("a table without schema")?;
        indices.reposer(base).await?;
        etape(&format!("index de {} reposés", schema.nom()));
    }
    for (schema, base) in &mut bases {
        for table in schema.tables() {
            sqlx::query(sqlx::AssertSqlSafe(format!("vacuum (analyze) {table}"))).execute(&mut *base).await?;
        }
    }
    if let Some(base) = bases.values_mut().next() {
        sqlx::query("checkpoint").execute(base).await?;
    }
    etape("tables analysées");
    for (genre, n) in &comptes {
        println!("  {genre:<24} {n:>10}");
    }
    Ok(comptes)
}

/// What each service keeps of its neighbours, as its followers would have.
const VOISINAGE: [(Schema, &str); 2] = [
    (
        Schema::Offers,
        "insert into reference (id, genre, region, version, retire)
         select id, genre, region, version, false from structures.agregat",
    ),
    (
        Schema::Capacity,
        "insert into reference (id, genre, region, version, retire)
         select id, genre, region, version, false from offers.agregat",
    ),
];

async fn exiger_base(embarque: &Embedded, dossier: &Path) -> anyhow::Result<()> {
    let mut c = PgConnection::connect(&embarque.postgres_url("postgres")).await?;
    let existe: bool = sqlx::query_scalar("select exists (select 1 from pg_database where datname = 'ror')")
        .fetch_one(&mut c)
        .await?;
    c.close().await?;
    ensure!(existe, "{} n'a pas encore servi : {}", dossier.display(), premier_tour(dossier));
    Ok(())
}

async fn ouvrir(url: &Secret, schema: Schema) -> anyhow::Result<PgConnection> {
    let mut c = ouvrir_base(url, schema.nom(), 1).await?.acquire().await?.detach();
    for reglage in ["set statement_timeout = 0", "set maintenance_work_mem = '512MB'"] {
        sqlx::query(reglage).execute(&mut c).await?;
    }
    Ok(c)
}

/// The tables must be there, empty, and their followers must stand somewhere: they would
/// otherwise read all of it again at the first start.
async fn verifier(c: &mut PgConnection, schema: Schema, dossier: &Path) -> anyhow::Result<()> {
    let present: bool =
        sqlx::query_scalar("select to_regclass('agregat') is not null and to_regclass('suivi') is not null")
            .fetch_one(&mut *c)
            .await?;
    ensure!(present, "le schéma {} n'existe pas : {}", schema.nom(), premier_tour(dossier));
    let peuple: bool = sqlx::query_scalar("select exists (select 1 from agregat)").fetch_one(&mut *c).await?;
    if peuple {
        bail!(
            "le schéma {} tient déjà des ressources, d'un maillage ou d'un semis interrompu : choisissez un dossier neuf",
            schema.nom()
        );
    }
    // Identity follows nobody.
    let suit: bool = sqlx::query_scalar("select exists (select 1 from suivi)").fetch_one(&mut *c).await?;
    ensure!(
        suit || schema == Schema::Identity,
        "le service {} n'a pas encore fait le tour des autres : {} une fois prêt",
        schema.nom(),
        premier_tour(dossier)
    );
    Ok(())
}
