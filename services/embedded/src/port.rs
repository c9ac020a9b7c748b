//! Choosing a free local port that stays ours while its server is down.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    hash::{BuildHasher, Hasher, RandomState},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::{LazyLock, Mutex, PoisonError},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    libc,
    unistd::geteuid,
};

use crate::error::Error;

/// Below this live well-known services.
const LOWEST: u16 = 15_000;
/// Linux's default start of the range for outgoing connections.
const EPHEMERAL: u16 = 32_768;
const ATTEMPTS: u32 = 200;

/// A port of 127.0.0.1 that nobody listens on, out of the range of outgoing connections if
/// possible: within it, while a killed server restarts, another program's connection could be
/// given its port, or a client retrying it could even connect to itself.
pub(crate) fn free() -> Result<u16, Error> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let highest = lowest_ephemeral(&range).unwrap_or(EPHEMERAL);
    if let Some(width) = highest.checked_sub(LOWEST).filter(|width| *width > 0) {
        for _ in 0..ATTEMPTS {
            // A fresh `RandomState` is the standard library's source of randomness.
            let random = RandomState::new().build_hasher().finish();
            let offset = u16::try_from(random % u64::from(width)).unwrap_or_default();
            if let Ok(port) = bound(LOWEST + offset)
                && reserve(port)
            {
                return Ok(port);
            }
        }
    }
    bound(0).map_err(|cause| Error::NoFreePort { cause })
}

/// Several, all different.
pub(crate) fn several(number: usize) -> Result<Vec<u16>, Error> {
    let mut ports = BTreeSet::new();
    while ports.len() < number {
        ports.insert(free()?);
    }
    Ok(ports.into_iter().collect())
}

fn bound(port: u16) -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, port))?.local_addr()?.port())
}

/// What processes of this user chose, for as long as each lives: nobody listens between the choice and the start,
/// nor while a server starts again.
static RESERVED: LazyLock<Mutex<Reserved>> =
    LazyLock::new(|| Mutex::new(Reserved { file: open().ok(), ours: BTreeSet::new() }));

struct Reserved {
    /// One byte a port, locked by the process that chose it; without the file, others are not known.
    file: Option<File>,
    ours: BTreeSet<u16>,
}

fn reserve(port: u16) -> bool {
    let mut reserved = RESERVED.lock().unwrap_or_else(PoisonError::into_inner);
    if reserved.ours.contains(&port) || reserved.file.as_ref().is_some_and(|file| !lock(file, port)) {
        return false;
    }
    reserved.ours.insert(port)
}

fn path() -> PathBuf {
    std::env::temp_dir().join(format!("ror-ports-{}", geteuid()))
}

fn open() -> std::io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(OFlag::O_NOFOLLOW.bits());
    options.open(path())
}

/// Whether no other process holds that port. The lock goes with the process.
fn lock(file: &File, port: u16) -> bool {
    let byte = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: port.into(),
        l_len: 1,
        l_pid: 0,
    };
    !matches!(fcntl(file, FcntlArg::F_OFD_SETLK(&byte)), Err(Errno::EAGAIN | Errno::EACCES))
}

fn lowest_ephemeral(range: &str) -> Option<u16> {
    range.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_bound_and_a_taken_one_is_not_chosen() {
        let port = free().expect("a free port");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("it is free");
        assert!(bound(port).is_err());
        drop(listener);
        assert_eq!(several(9).expect("nine ports").len(), 9);
        assert_eq!(lowest_ephemeral("32768\t60999\n"), Some(32_768));
        assert_eq!(lowest_ephemeral(""), None);
    }

    #[test]
    fn a_chosen_port_is_chosen_by_no_one_else_before_its_server_starts() {
        let port = free().expect("a free port");
        assert!(!reserve(port), "chosen twice here");
        // As another process sees the file.
        let other = open().expect("the file");
        assert!(!lock(&other, port), "chosen there too");
        assert!(lock(&other, 1) && !reserve(1), "what another chose is chosen here");
        drop(other);
        assert!(reserve(1), "still held by who is gone");
    }
}
