//! A new cluster, made once per data directory.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use nix::sys::signal::Signal;

use super::{Postgres, directory, log};
use crate::{
    binaries::Binaries,
    error::Error,
    logs::Log,
    place::Place,
    spawner::{self, Leash},
    supervisor::{Server, set_environment},
};

/// `initdb` takes half a second; a slow disk ten times that.
const LIMIT: Duration = Duration::from_secs(30);

/// Makes a new cluster unless there is one. It is made under another name, then renamed: a killed
/// `initdb` leaves nothing half-made.
pub(crate) async fn initialise(place: &Place, binaries: &Binaries) -> Result<(), Error> {
    let directory = directory(place);
    let version = directory.join("PG_VERSION");
    if version.exists() {
        place.account.check_owner(&directory)?;
        let found = fs::read_to_string(&version).map_err(|cause| Error::io(&version, cause))?;
        let found = found.trim().to_owned();
        let expected = binaries.postgres_version;
        return if found == expected.to_string() {
            Ok(())
        } else {
            Err(Error::VersionMismatch { path: directory, found, expected })
        };
    }
    // The lock is ours, so what a killed run left under this name is nobody's.
    let new = place.server_dir.join("postgres.new");
    if new.exists() {
        fs::remove_dir_all(&new).map_err(|cause| Error::io(&new, cause))?;
    }
    place.account.private_dir(&new)?;
    let outcome = initdb(place, binaries, &new).await;
    let outcome =
        outcome.and_then(|()| fs::rename(&new, &directory).map_err(|cause| Error::io(&directory, cause)));
    if outcome.is_err() {
        // The first error is the one to tell; the next start clears what stays.
        let _ = fs::remove_dir_all(&new);
    }
    outcome
}

async fn initdb(place: &Place, binaries: &Binaries, new: &Path) -> Result<(), Error> {
    let path = log(place);
    let (log, output) = Log::open(&path)?;
    let errors = output.try_clone().map_err(|cause| Error::io(&path, cause))?;
    let program = binaries.postgres_bin.join("initdb");
    let mut command = Command::new(&program);
    command.arg("-D").arg(new).args(initdb_flags(binaries.postgres_version));
    command.stdin(Stdio::null()).stdout(output).stderr(errors).current_dir(new);
    set_environment(&mut command);
    place.account.apply(&mut command);

    let process = spawner::spawn(command).await.map_err(|cause| Error::Io { path: program, cause })?;
    let process = Leash(process);
    let Ok(exit) = tokio::time::timeout(LIMIT, process.exited()).await else {
        process.signal(Signal::SIGKILL);
        process.exited().await;
        return Err(Error::StartTimedOut { server: Postgres::NAME, log: path });
    };
    if exit.success { Ok(()) } else { Err(log.explain(Postgres::NAME, 0, &place.server_dir)) }
}

fn initdb_flags(version: u32) -> Vec<&'static str> {
    let mut flags = vec![
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-instructions",
        // Costs seconds otherwise; what it protects is empty yet.
        "--no-sync",
    ];
    // The same order of texts everywhere, whatever the system's locales.
    if version >= 17 {
        flags.extend(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    } else {
        flags.push("--locale=C.UTF-8");
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_chooses_the_locale_provider() {
        assert!(initdb_flags(18).contains(&"--builtin-locale=C.UTF-8"));
        assert!(!initdb_flags(18).contains(&"--locale=C.UTF-8"));
        assert!(initdb_flags(15).contains(&"--locale=C.UTF-8"));
    }
}
