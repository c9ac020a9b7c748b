//! Processes seen from outside, by their id only.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// State and parent of a process.
fn etat(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, parentheses included: the state follows the last one.
    let mut apres = stat.rsplit_once(')')?.1.split_whitespace();
    Some((apres.next()?.chars().next()?, apres.next()?.parse().ok()?))
}

/// Whether a process of that id still runs; one that only waits to be reaped does not.
pub fn vivant(pid: i32) -> bool {
    etat(pid).is_some_and(|(etat, _)| !['Z', 'X'].contains(&etat))
}

/// Whether a SIGSTOP holds it.
pub fn fige(pid: i32) -> bool {
    etat(pid).is_some_and(|(etat, _)| etat == 'T')
}

/// Every process there is.
pub fn tous() -> Vec<i32> {
    let entrees = std::fs::read_dir("/proc").expect("/proc");
    entrees.filter_map(|entree| entree.ok()?.file_name().to_str()?.parse().ok()).collect()
}

/// The living children of a process.
pub fn enfants(pid: i32) -> Vec<i32> {
    let mut tous = tous();
    tous.retain(|p| vivant(*p) && etat(*p).is_some_and(|(_, parent)| parent == pid));
    tous
}

/// Sends a signal; a process that is already gone is no fault.
pub fn signaler(pid: i32, signal: Signal) {
    assert!(pid > 1, "no process to signal: {pid}");
    let _ = kill(Pid::from_raw(pid), signal);
}
