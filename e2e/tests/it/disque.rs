//! Starts on a disk that is full or closed: one sentence says so, and nothing is left running.

use std::{
    fs,
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use reqwest::Method;
use ror_e2e::{
    Dossier, Options, attendre,
    client::{appeler, http},
    fhir::francais,
    mesh::{commande_up, ports_libres},
    processus::{signaler, tous},
};

/// Longest time a start may take to be refused.
const REFUS: Duration = Duration::from_secs(60);
/// Longest start, and longest ordered end.
const VIE: Duration = Duration::from_secs(120);
/// Longest time a process may outlive its launcher.
const FIN: Duration = Duration::from_secs(15);
const PLEIN: &str = "disque est plein";
const MO: u64 = 1 << 20;
/// Mounts a small disk, says so, then keeps its mount namespace until its own input ends.
const GARDER: &str = r#"mount -t tmpfs -o "$1,mode=755" ror "$2" && echo fait && exec cat"#;

/// A disk of its own size, in a mount namespace: no process but ours and those we start there see
/// it, and it goes with the last of them, even when the test is killed.
struct Disque {
    gardien: Child,
    /// Open as long as the disk is wanted.
    lien: Option<ChildStdin>,
    entrer: Vec<String>,
    dossier: Dossier,
}

impl Disque {
    /// A disk with these mount options; none, said aloud, where this machine forbids it.
    fn monter(options: &str) -> Option<Self> {
        match Self::essayer(options) {
            Ok(disque) => Some(disque),
            Err(faute) => {
                eprintln!("NOT TESTED, no disk of {options} can be mounted here: {faute:#}");
                None
            }
        }
    }

    fn essayer(options: &str) -> Result<Self> {
        let dossier = Dossier::neuf();
        let point = dossier.chemin("disque");
        fs::create_dir(&point)?;
        let mut commande = Command::new("unshare");
        let mut entrer = vec!["--mount".to_owned()];
        if !nix::unistd::geteuid().is_root() {
            // As ourselves, not as its root: the servers must find an account they may run as.
            commande.args(["--user", "--map-current-user", "--keep-caps"]);
            entrer.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        commande.args(["--mount", "--propagation", "private", "sh", "-c", GARDER, "sh", options]).arg(&point);
        commande.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut gardien = commande.spawn().context("unshare")?;
        entrer.extend(["--target".to_owned(), gardien.id().to_string()]);
        let (lien, sortie) = (gardien.stdin.take(), gardien.stdout.take().context("its output")?);
        let mut disque = Self { gardien, lien, entrer, dossier };
        let mut dit = String::new();
        BufReader::new(sortie).read_line(&mut dit)?;
        if dit.trim() != "fait" {
            let mut erreurs = String::new();
            disque.gardien.stderr.take().context("its errors")?.read_to_string(&mut erreurs)?;
            bail!("{}", erreurs.trim());
        }
        Ok(disque)
    }

    /// The disk, by the name it has for the processes inside.
    fn point(&self) -> PathBuf {
        self.dossier.chemin("disque")
    }

    /// A file of the disk, by the name it has for the test.
    fn vu(&self, nom: &str) -> PathBuf {
        let dedans = self.point().join(nom);
        let relatif = dedans.strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(self.gardien.id().to_string()).join("root").join(relatif)
    }

    /// `ror up` inside.
    fn up(&self, donnees: &Path, ports: (u16, u16), options: &Options) -> tokio::process::Command {
        let ici = commande_up(donnees, ports.0, ports.1, options);
        let programme = std::path::absolute(ici.get_program()).expect("the program's path");
        let mut commande = tokio::process::Command::new("nsenter");
        commande.args(&self.entrer).arg("--").arg(programme).args(ici.get_args());
        for (nom, valeur) in ici.get_envs() {
            commande.env(nom, valeur.unwrap_or_default());
        }
        commande.stdin(Stdio::null()).process_group(0).kill_on_drop(true);
        commande
    }

    /// Processes inside, the keeper apart.
    fn habitants(&self) -> Vec<i32> {
        let espace = |pid: i32| fs::read_link(format!("/proc/{pid}/ns/mnt"));
        let gardien = i32::try_from(self.gardien.id()).expect("a process id");
        let dedans = espace(gardien).expect("the keeper's namespace");
        let mut habitants = tous();
        habitants.retain(|pid| *pid != gardien && espace(*pid).is_ok_and(|e| e == dedans));
        habitants
    }

    /// Leaves this much room, taking the rest with a file nobody of the mesh knows.
    fn remplir(&self, reste: u64) -> Result<()> {
        let mut fichier = fs::File::create(self.vu("plein"))?;
        let bloc = vec![0; 1 << 16];
        let refus = loop {
            if let Err(refus) = fichier.write_all(&bloc) {
                break refus;
            }
        };
        ensure!(refus.kind() == ErrorKind::StorageFull, "{refus}");
        let pris = fichier.metadata()?.len();
        Ok(fichier.set_len(pris.saturating_sub(reste))?)
    }

    fn vider(&self) -> Result<()> {
        Ok(fs::remove_file(self.vu("plein"))?)
    }

    /// Starts what cannot start: exit code 1, one sentence with the disk and the way out, last on
    /// stderr; then no process is left. What was said.
    async fn refuse(&self, nom: &str, options: &Options, dit: &str) -> Result<String> {
        let donnees = self.point().join(nom);
        let mut commande = self.up(&donnees, ports_libres(), options);
        // Their output ends with the last of the processes.
        let sortie =
            tokio::time::timeout(REFUS, commande.output()).await.context("not refused in time")??;
        let erreurs = String::from_utf8_lossy(&sortie.stderr).into_owned();
        ensure!(sortie.status.code() == Some(1), "{}: {erreurs}", sortie.status);
        let phrase = erreurs.lines().rfind(|ligne| !ligne.trim().is_empty()).unwrap_or_default();
        ensure!(
            phrase.starts_with("ror : ") && francais(phrase),
            "not a sentence of the launcher: {erreurs}"
        );
        ensure!(phrase.contains(dit), "the sentence does not say « {dit} »: {erreurs}");
        let lieu = self.point().display().to_string();
        ensure!(phrase.contains(&lieu), "the sentence does not name {lieu}: {phrase}");
        let issue = ["libérez de la place", "choisissez un autre"].iter().any(|issue| phrase.contains(issue));
        ensure!(issue, "the sentence names no way out: {phrase}");
        let brut = ["os error", "Error {"].iter().any(|brut| phrase.contains(brut));
        ensure!(!brut && !erreurs.contains("panicked at"), "not for people: {erreurs}");
        attendre("no process is left on the disk", FIN, async || -> Result<Option<()>> {
            Ok(self.habitants().is_empty().then_some(()))
        })
        .await?;
        Ok(erreurs)
    }

    /// A whole life: ready, then ended in order.
    async fn vivre(&self, nom: &str, options: &Options) -> Result<()> {
        let (donnees, ports) = (self.point().join(nom), ports_libres());
        let mut ror = self.up(&donnees, ports, options).stdout(Stdio::null()).spawn()?;
        let pid = i32::try_from(ror.id().context("it ended at once")?)?;
        let (http, url) = (http(None, None)?, format!("http://127.0.0.1:{}/ready", ports.0));
        let demo = self.vu(nom).join("demo.json");
        attendre("the mesh is ready", VIE, async || -> Result<Option<()>> {
            ensure!(ror.try_wait()?.is_none(), "it ended by itself");
            let pret = appeler(&http, Method::GET, &url, &[], None).await.is_ok_and(|r| r.statut == 200);
            Ok((pret && demo.is_file()).then_some(()))
        })
        .await?;
        signaler(pid, Signal::SIGINT);
        let statut = tokio::time::timeout(VIE, ror.wait()).await.context("no end after Ctrl-C")??;
        ensure!(statut.success(), "{statut}");
        Ok(())
    }
}

impl Drop for Disque {
    fn drop(&mut self) {
        drop(self.lien.take());
        let _ = self.gardien.kill();
        let _ = self.gardien.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_too_small_is_told_whatever_part_fills_it() {
    // In turn: no room for a new cluster, none for the tables, none for what is loaded.
    for (taille, demo, processus) in [(8, "none", false), (44, "small", false), (72, "small", true)] {
        let Some(disque) = Disque::monter(&format!("size={taille}m")) else { return };
        let debut = Instant::now();
        let options = Options::new(demo, processus);
        let dit = disque.refuse("data", &options, PLEIN).await;
        let dit = dit.with_context(|| format!("a disk of {taille} MB")).unwrap();
        println!("{taille} MB: refused after {:.1} s", debut.elapsed().as_secs_f64());
        if taille == 8 {
            assert_eq!(dit.trim_end().lines().count(), 1, "more than one line: {dit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_filled_between_two_lives_is_told_until_there_is_room_again() {
    let Some(disque) = Disque::monter("size=160m") else { return };
    disque.vivre("data", &Options::new("none", false)).await.unwrap();
    // No room at all, then none after the log of PostgreSQL: the demo files fill the rest.
    for (reste, demo, processus) in [(0, "none", true), (17 * MO, "small", false)] {
        disque.remplir(reste).unwrap();
        let dit = disque.refuse("data", &Options::new(demo, processus), PLEIN).await;
        dit.with_context(|| format!("with {reste} bytes left")).unwrap();
    }
    disque.vider().unwrap();
    disque.vivre("data", &Options::new("small", false)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_is_told_in_one_sentence() {
    let Some(disque) = Disque::monter("ro,size=1m") else { return };
    // A folder to create, and one that is there.
    for nom in ["data", ""] {
        let dit = disque.refuse(nom, &Options::new("none", false), "écriture est refusée").await.unwrap();
        assert_eq!(dit.trim_end().lines().count(), 1, "more than one line: {dit}");
    }
}
