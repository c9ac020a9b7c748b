//! Finding processes of a server by the folder they work in, whoever started them.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};

/// How often a condition on processes is looked at.
const POLL: Duration = Duration::from_millis(10);

/// Processes of `program` that work in `directory` (canonical), and their children of the same
/// program. Includes stopped ones, not dead ones.
pub(crate) fn living_in(directory: &Path, program: &Path) -> Vec<Pid> {
    let wanted = kernel_name(program);
    let named: Vec<(i32, i32)> = numbers()
        .filter(|pid| command_name(*pid).is_some_and(|name| name == wanted))
        .filter_map(|pid| Some((pid, living_parent(pid)?)))
        .collect();
    let mut ours: Vec<i32> =
        named.iter().map(|(pid, _)| *pid).filter(|pid| works_in(*pid, directory)).collect();
    // In a container root may be refused the working folder of another account's process: then
    // the server itself is known by its command line, and its children by their parent.
    let children: Vec<i32> = named
        .iter()
        .filter(|(pid, parent)| ours.contains(parent) && !ours.contains(pid))
        .map(|(pid, _)| *pid)
        .collect();
    ours.extend(children);
    ours.into_iter().map(Pid::from_raw).collect()
}

/// Sends a signal to each; the dead ones do not matter.
pub(crate) fn signal_all(pids: &[Pid], signal: Signal) {
    for pid in pids {
        if let Err(errno) = kill(*pid, signal)
            && errno != Errno::ESRCH
        {
            let (pid, signal) = (pid.as_raw(), signal.as_str());
            tracing::warn!(pid, signal, %errno, "signal not delivered");
        }
    }
}

/// Whether this number is surely another program's, or another folder's server.
pub(crate) fn is_stranger(pid: Pid, directory: &Path, program: &Path) -> bool {
    let pid = pid.as_raw();
    match command_name(pid) {
        None => false,
        Some(name) if name != kernel_name(program) => true,
        Some(_) => fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd != directory),
    }
}

/// Looks at a condition every few milliseconds until it holds; false when time is out.
pub(crate) async fn wait_until(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        sleep(POLL).await;
    }
}

/// Whether a process has ended and only waits for its parent to be told.
pub(crate) fn is_zombie(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The state follows the program's name, which stands in parentheses and may hold any character.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// A poisoned lock still guards plain values here.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn numbers() -> impl Iterator<Item = i32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The name that the kernel gives a process of this program: at most 15 bytes of the file's.
fn kernel_name(program: &Path) -> String {
    let name = program.file_name().unwrap_or_default().as_bytes();
    String::from_utf8_lossy(&name[..name.len().min(15)]).into_owned()
}

fn command_name(pid: i32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

fn living_parent(pid: i32) -> Option<i32> {
    parent_in_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The parent's number in `/proc/PID/stat`; `None` for a dead process not yet reaped. The name in
/// parentheses may hold anything, so fields count from the last one.
fn parent_in_stat(stat: &str) -> Option<i32> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.next()?.parse().ok(),
    }
}

fn works_in(pid: i32, directory: &Path) -> bool {
    if let Ok(cwd) = fs::read_link(format!("/proc/{pid}/cwd")) {
        return cwd == directory;
    }
    fs::read_to_string(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|line| line.split('\0').any(|argument| Path::new(argument) == directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parent_is_read_after_the_last_parenthesis() {
        assert_eq!(parent_in_stat("12 (a) b) c) S 7 12 12 0"), Some(7));
        assert_eq!(parent_in_stat("12 (postgres) Z 7 12 12 0"), None);
        assert_eq!(parent_in_stat("garbage"), None);
    }

    #[test]
    fn this_process_is_found_by_its_folder_and_name() {
        let me = Pid::this();
        let here = std::env::current_dir().and_then(fs::canonicalize).expect("a folder");
        let program = std::env::current_exe().expect("a program");
        let other = Path::new("/bin/no-such-name");
        assert!(living_in(&here, &program).contains(&me));
        assert!(!living_in(&here, other).contains(&me));
        assert!(is_stranger(me, &here, other));
        assert!(!is_stranger(me, &here, &program));
    }
}
