//! Processes seen from outside, by their id only.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Whether a process of that id still runs; one that only waits to be reaped does not.
pub fn vivant(pid: i32) -> bool {
    let Ok(etat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name may hold anything, parentheses included: the state follows the last one.
    let apres = etat.rsplit_once(')').map_or("", |(_, apres)| apres).trim_start();
    !apres.is_empty() && !apres.starts_with(['Z', 'X'])
}

/// Sends a signal; a process that is already gone is no fault.
pub fn signaler(pid: i32, signal: Signal) {
    assert!(pid > 1, "no process to signal: {pid}");
    let _ = kill(Pid::from_raw(pid), signal);
}
