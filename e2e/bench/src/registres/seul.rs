//! `identity` alone: its own process on its own servers, so that the memory of a load is
//! the loader's, and nothing else wears what a crash leaves.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ror_demo::national::Edition;
use ror_embedded::{Embedded, Options};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::{
    chargement::{Genre, importer},
    jeu::Jeu,
};
use crate::{
    machine,
    mesh::{Processus, port_libre, programme},
    postgres::Outils,
    tableau::{Rapport, debit, secondes},
};

/// Most memory of a load, in megabytes.
const MEMOIRE_MAX: f64 = 512.0;
/// Longest wait for the servers to settle.
const REPOS_MAX: Duration = Duration::from_secs(3600);
/// Between two looks.
const PAS: Duration = Duration::from_millis(200);

/// What a load writes: a name, its rows, and what is the same in two runs of each row; none
/// where only their number is.
const TABLES: [(&str, &str, Option<&str>); 7] = [
    ("agregat", "agregat", Some("genre, id, region, version, retire, md5(etat)")),
    ("identifiant", "identifiant", Some("id, systeme, valeur, unique_")),
    ("agregat_historique", "agregat_historique", None),
    ("changement", "changement", None),
    ("absence", "absence", None),
    ("outbox_event", "outbox_event", None),
    ("editions applied", "edition where statut = 3", None),
];

/// What a service holds: rows by table, and a fingerprint of those that two runs share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Empreinte(BTreeMap<String, (u64, String)>);

impl Empreinte {
    fn requete() -> String {
        let unes = TABLES.map(|(nom, rangees, colonnes)| {
            let somme = match colonnes {
                Some(c) => format!("coalesce(sum(hashtextextended(concat_ws('|', {c}), 0)::numeric), 0)"),
                None => "0".to_owned(),
            };
            format!("select '{nom}', count(*), {somme} from identity.{rangees}")
        });
        format!("{};\n", unes.join("\nunion all "))
    }

    fn lire(texte: &str) -> Option<Self> {
        let lignes = texte.lines().filter(|l| !l.trim().is_empty());
        let lues = lignes.map(|l| {
            let mut champs = l.trim().split('|');
            let table = champs.next()?.to_owned();
            Some((table, (champs.next()?.parse::<u64>().ok()?, champs.next()?.to_owned())))
        });
        let lues = lues.collect::<Option<BTreeMap<_, _>>>()?;
        (lues.len() == TABLES.len()).then_some(Self(lues))
    }

    /// Records.
    pub fn fiches(&self) -> u64 {
        self.0.get("agregat").map_or(0, |(n, _)| *n)
    }

    /// The tables that are not the same.
    pub fn ecarts(&self, autre: &Self) -> String {
        let differe = |(table, lu): &(&String, &(u64, String))| autre.0.get(*table) != Some(*lu);
        self.0.iter().filter(differe).map(|(table, _)| table.as_str()).collect::<Vec<_>>().join(", ")
    }
}

/// The process and its servers.
pub struct Seul<'a> {
    /// First, so that it is stopped before what it stands on.
    processus: Option<Processus>,
    jeu: &'a Jeu,
    /// PostgreSQL and NATS.
    pub embarque: Embedded,
    /// SQL.
    pub outils: Outils,
    /// The folder of it all.
    dossier: PathBuf,
    /// Logs, scripts and `mesh.json`.
    travail: PathBuf,
    grpc: u16,
}

/// A load without a fault.
pub struct Passage {
    /// To the report.
    pub engage: Duration,
    /// What it left.
    pub empreinte: Empreinte,
}

impl<'a> Seul<'a> {
    /// Starts everything in a new folder.
    pub async fn monter(dossier: &Path, jeu: &'a Jeu) -> Result<Self> {
        let travail = dossier.join("bench");
        std::fs::create_dir_all(&travail).with_context(|| format!("{} cannot be made", travail.display()))?;
        let embarque = Embedded::start(Options {
            data_dir: dossier.to_owned(),
            cache_dir: std::env::var_os("ROR_CACHE_DIR").map(PathBuf::from),
            durable: true,
            max_connections: 100,
        })
        .await
        .map_err(|e| anyhow!("{e}"))?;
        let url = embarque.postgres_url("ror");
        let port = url.rsplit_once(':').and_then(|(_, fin)| fin.split('/').next()?.parse().ok());
        let pid = embarque.postgres_pid().context("PostgreSQL does not run")?;
        let outils = Outils::trouver(pid, port.context("no port in the URL of PostgreSQL")?, &travail)?;
        outils.creer_base().await?;
        let grpc = port_libre()?;
        let mesh = serde_json::json!({ "identity": format!("http://127.0.0.1:{grpc}") });
        std::fs::write(travail.join("mesh.json"), mesh.to_string())?;
        let dossier = dossier.to_owned();
        let mut seul = Self { processus: None, jeu, embarque, outils, dossier, travail, grpc };
        seul.allumer().await?;
        Ok(seul)
    }

    /// Starts `ror serve identity` and waits until it is ready.
    pub async fn allumer(&mut self) -> Result<()> {
        let admin = port_libre()?;
        let mut c = Command::new(programme()?);
        c.args(["serve", "identity"]);
        c.env("ROR_DATABASE__URL", self.embarque.postgres_url("ror"));
        c.env("ROR_DATABASE__MIGRATE", "true");
        c.env("ROR_NATS__URL", self.embarque.nats_url());
        c.env("ROR_GRPC__ADDR", format!("127.0.0.1:{}", self.grpc));
        c.env("ROR_ADMIN__ADDR", format!("127.0.0.1:{admin}"));
        c.env("ROR_LOG__FORMAT", "text").env("ROR_LOG__FILTER", "warn");
        let journal = self.travail.join("identity.log");
        let mut p = Processus::lancer(c, "ror serve identity", journal, admin)?;
        p.pret().await?;
        self.processus = Some(p);
        Ok(())
    }

    /// Stops it in order, and starts it again.
    pub async fn relancer(&mut self) -> Result<()> {
        if let Some(p) = self.processus.take() {
            p.arreter().await?;
        }
        self.allumer().await
    }

    /// Kills it as a crash would.
    pub fn tuer(&mut self) -> Result<()> {
        self.processus.take().context("identity does not run")?.tuer()
    }

    /// Sends a file to it.
    pub async fn importer(&self, genre: Genre, e: &Edition) -> Result<Value> {
        importer(&programme()?, &self.travail, genre, &self.jeu.fichier(genre, e)).await
    }

    /// The same, going on by itself.
    pub fn lancer(&self, genre: Genre, e: &Edition) -> Result<JoinHandle<Result<Value>>> {
        let (programme, mesh, fichier) = (programme()?, self.travail.clone(), self.jeu.fichier(genre, e));
        Ok(tokio::spawn(async move { importer(&programme, &mesh, genre, &fichier).await }))
    }

    /// Editions opened so far, those that died included.
    pub async fn editions(&self) -> Result<u64> {
        let lu = self.outils.psql("editions", "select count(*) from identity.edition;\n").await?;
        lu.trim().parse().with_context(|| format!("unexpected answer of psql: {lu:?}"))
    }

    /// What it holds.
    pub async fn empreinte(&self) -> Result<Empreinte> {
        let lu = self.outils.psql("empreinte", &Empreinte::requete()).await?;
        Empreinte::lire(&lu).with_context(|| format!("unexpected answer of psql: {lu:?}"))
    }

    /// Waits until everything written has left for JetStream.
    pub async fn attendre_publie(&self) -> Result<()> {
        let sql = "select count(*) from identity.outbox_attente;\n";
        self.attendre("the events to leave", sql, "0").await
    }

    /// Waits until only our own session is left: those of a dead process are undone.
    pub async fn attendre_seul(&self) -> Result<()> {
        let sql = "select count(*) from pg_stat_activity where datname = 'ror' \
                   and backend_type = 'client backend' and pid <> pg_backend_pid();\n";
        self.attendre("the sessions of a dead process to end", sql, "0").await
    }

    /// Waits until PostgreSQL answers.
    pub async fn attendre_base(&self) -> Result<()> {
        self.attendre("PostgreSQL to come back", "select 1;\n", "1").await
    }

    /// Waits until a query answers this; one that fails is asked again.
    async fn attendre(&self, quoi: &str, sql: &str, attendu: &str) -> Result<()> {
        let debut = Instant::now();
        while debut.elapsed() < REPOS_MAX {
            if self.outils.psql("attente", sql).await.is_ok_and(|lu| lu.trim() == attendu) {
                return Ok(());
            }
            tokio::time::sleep(PAS).await;
        }
        bail!("still waiting after {} s: {quoi}", REPOS_MAX.as_secs())
    }

    /// Loads a file in a process that did nothing before; its memory joins the table.
    async fn mesurer(&mut self, quoi: &str, genre: Genre, e: &Edition, r: &mut Rapport) -> Result<Passage> {
        eprintln!("identity alone: {quoi}…");
        self.attendre_publie().await?;
        self.relancer().await?;
        let pid = self.processus.as_ref().context("identity does not run")?.pid();
        let depart = machine::memoire(pid).residente;
        let debut = Instant::now();
        let rapport = self.importer(genre, e).await?;
        let engage = debut.elapsed();
        let statut = rapport["statut"].as_str().unwrap_or("");
        ensure!(statut == "appliquee", "{quoi} ended {statut:?}");
        let sommet = machine::memoire(pid).sommet;
        let comptes = rapport["comptes"].as_array().context("a report without counts")?;
        let lus: u64 = comptes.iter().filter_map(|c| c["lus"].as_u64()).sum();
        let s = engage.as_secs_f64();
        let texte = format!(
            "peak {sommet:.0} MB ({depart:.0} MB before); committed {}, records {}",
            secondes(s),
            debit(lus as f64 / s)
        );
        r.au_plus(format!("The loader alone, {quoi}"), texte, sommet, MEMOIRE_MAX, "MB");
        self.attendre_publie().await?;
        Ok(Passage { engage, empreinte: self.empreinte().await? })
    }

    /// Every load of the run, without a fault, in the order of [`etapes`].
    pub async fn temoin(&mut self, r: &mut Rapport) -> Result<Vec<Passage>> {
        let mut passages = Vec::new();
        for (quoi, genre, e) in etapes(self.jeu) {
            passages.push(self.mesurer(&quoi, genre, e, r).await?);
        }
        Ok(passages)
    }

    /// Stops everything in order; the data go.
    pub async fn demonter(mut self) -> Result<()> {
        if let Some(p) = self.processus.take() {
            p.arreter().await?;
        }
        self.embarque.stop().await;
        // Where the servers' account cannot reach the folder, they have one of their own.
        if let Ok(ailleurs) = std::fs::read_to_string(self.dossier.join("embedded.path")) {
            let ailleurs = PathBuf::from(ailleurs.trim_end());
            if ailleurs.starts_with("/var/tmp") {
                let _ = std::fs::remove_dir_all(ailleurs);
            }
        }
        std::fs::remove_dir_all(&self.dossier)
            .with_context(|| format!("{} cannot be removed", self.dossier.display()))
    }
}

/// The loads of a run: the first edition of each kind, then the one with changes.
pub fn etapes(jeu: &Jeu) -> Vec<(String, Genre, &Edition)> {
    let [premiere, _, suivante] = jeu.editions();
    let genres = [Genre::Structures, Genre::Activites, Genre::Professionnels];
    let premieres = genres.map(|g| (format!("first load of {}", g.nom()), g, premiere));
    let suivantes = genres.map(|g| (format!("next edition of {}", g.nom()), g, suivante));
    premieres.into_iter().chain(suivantes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_and_tells_what_differs() {
        let texte = "agregat|3|12\nidentifiant|4|-7\nagregat_historique|3|0\nchangement|3|0\nabsence|0|0\n\
                     outbox_event|3|0\neditions applied|1|0\n";
        let e = Empreinte::lire(texte).unwrap();
        assert_eq!((e.fiches(), e.ecarts(&e).as_str()), (3, ""));
        let autre = Empreinte::lire(&texte.replace("|12", "|13").replace("absence|0", "absence|1")).unwrap();
        assert_eq!(e.ecarts(&autre), "absence, agregat");
        assert_eq!(Empreinte::lire("agregat|3|12\n"), None);
        assert!(Empreinte::requete().ends_with("from identity.edition where statut = 3;\n"));
    }
}
