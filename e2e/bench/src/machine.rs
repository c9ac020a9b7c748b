//! The machine: what it is, and the memory of processes.

use std::{
    fs,
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

/// How long the cores are looked at.
const REGARD: Duration = Duration::from_secs(3);

/// Memory of a process or of several, in megabytes (10⁶ bytes).
#[derive(Clone, Copy, Debug, Default)]
pub struct Memoire {
    /// Resident now.
    pub residente: f64,
    /// Resident at its highest.
    pub sommet: f64,
}

/// Memory of one process; zero when it is gone.
pub fn memoire(pid: u32) -> Memoire {
    let texte = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    Memoire { residente: champ(&texte, "VmRSS:"), sommet: champ(&texte, "VmHWM:") }
}

/// Makes the highest resident memory of a process start again from now; false where the
/// kernel does not let us.
pub fn oublier_sommet(pid: u32) -> bool {
    fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok()
}

/// Proportional memory of a process and its children: shared pages are counted once.
/// Resident memory stands for it where the kernel does not let us read it.
pub fn memoire_arbre(pid: u32) -> f64 {
    let mut pids = vec![pid];
    for e in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(fils) = e.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else { continue };
        let texte = fs::read_to_string(e.path().join("status")).unwrap_or_default();
        let pere =
            texte.lines().find_map(|l| l.strip_prefix("PPid:")).and_then(|v| v.trim().parse::<u32>().ok());
        if pere == Some(pid) {
            pids.push(fils);
        }
    }
    let un = |pid: &u32| match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Ok(t) => champ(&t, "Pss:"),
        Err(_) => memoire(*pid).residente,
    };
    pids.iter().map(un).sum()
}

/// A field in kB, as megabytes.
fn champ(texte: &str, nom: &str) -> f64 {
    let valeur = texte.lines().find_map(|l| l.strip_prefix(nom)).and_then(|v| v.split_whitespace().next());
    valeur.and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0 / 1e6
}

/// Cores this process may use.
pub fn coeurs() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// One, five and fifteen minutes.
pub fn charge() -> String {
    let texte = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    texte.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

/// How even the cores are, all busy for a while: a fixed computation of some milliseconds again and again, and in how
/// many hundredths of the tries it took over 1.3 times, then over twice, its shortest. On a machine of one's own both
/// are near 0; where neighbours take the cores, high centiles tell of them.
fn irregularite() -> [f64; 2] {
    let compter = || {
        let (debut, mut durees, mut x) = (Instant::now(), Vec::new(), 1_u64);
        while debut.elapsed() < REGARD {
            let essai = Instant::now();
            for _ in 0..1_000_000 {
                x = black_box(x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
            durees.push(essai.elapsed());
        }
        durees
    };
    let durees: Vec<Duration> = std::thread::scope(|s| {
        let coeurs: Vec<_> = (0..coeurs()).map(|_| s.spawn(compter)).collect();
        coeurs.into_iter().flat_map(|c| c.join().unwrap_or_default()).collect()
    });
    let courte = durees.iter().min().copied().unwrap_or_default();
    [1.3, 2.0].map(|fois| {
        let longues = durees.iter().filter(|d| **d > courte.mul_f64(fois)).count();
        100.0 * longues as f64 / durees.len().max(1) as f64
    })
}

/// One line on where and when.
pub fn environnement(charge_au_depart: &str, postgres: &str) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown CPU", |(_, v)| v);
    let date = commande("date", &["-u", "+%Y-%m-%d %H:%M UTC"]);
    let mut commit = commande("git", &["rev-parse", "--short", "HEAD"]);
    if !commande("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty() {
        commit.push_str(" with changes");
    }
    let charge = charge();
    let [lentes, tres_lentes] = irregularite();
    format!(
        "{cpu}, {} cores, on which a fixed computation took over 1.3 times its shortest {lentes:.1} times in a hundred, over twice {tres_lentes:.1}; load average {charge_au_depart} before, {charge} after; {date}; commit {commit}; {postgres}.",
        coeurs(),
    )
}

/// What a command prints; empty when it fails.
fn commande(nom: &str, arguments: &[&str]) -> String {
    let sortie = Command::new(nom).args(arguments).output();
    sortie.map(|s| String::from_utf8_lossy(&s.stdout).trim().to_owned()).unwrap_or_default()
}
