//! PostgreSQL: its command line, its readiness; a new cluster in `initdb`.

mod initdb;
mod pidfile;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use nix::{sys::signal::Signal, unistd::Pid};

pub(crate) use self::initdb::initialise;
use self::pidfile::PidFile;
use crate::{
    account::Account, binaries::Binaries, error::Error, place::Place, processes, supervisor::Server,
};

/// What the user chose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub durable: bool,
    pub max_connections: u16,
}

/// One PostgreSQL server on one port.
#[derive(Debug)]
pub(crate) struct Postgres {
    program: PathBuf,
    directory: PathBuf,
    log: PathBuf,
    account: Account,
    settings: Settings,
    port: u16,
}

impl Postgres {
    /// The server of an initialised place.
    pub(crate) fn new(place: &Place, binaries: &Binaries, settings: Settings, port: u16) -> Self {
        Self {
            program: binaries.postgres_bin.join("postgres"),
            directory: directory(place),
            log: log(place),
            account: place.account,
            settings,
            port,
        }
    }

    fn pid_file(&self) -> Option<PidFile> {
        pidfile::parse(&fs::read_to_string(self.directory.join(pidfile::NAME)).ok()?)
    }
}

impl Server for Postgres {
    const NAME: &'static str = "PostgreSQL";
    /// Fast: open sessions are ended, then a checkpoint is written.
    const STOP: Signal = Signal::SIGINT;
    /// Immediate: no checkpoint, but sessions end and shared memory is given back.
    const ABRUPT: Signal = Signal::SIGQUIT;

    fn program(&self) -> &Path {
        &self.program
    }

    fn directory(&self) -> &Path {
        &self.directory
    }

    fn log(&self) -> &Path {
        &self.log
    }

    fn port(&self) -> u16 {
        self.port
    }

    fn account(&self) -> Account {
        self.account
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-D").arg(&self.directory).arg("-p").arg(self.port.to_string());
        for setting in settings(self.settings) {
            command.arg("-c").arg(setting);
        }
        command
    }

    async fn before_launch(&self) -> Result<(), Error> {
        // A former run's file whose number another program has now would make PostgreSQL refuse
        // to start. In any other case the file stays: PostgreSQL finds its orphans by it.
        let stale = self.pid_file().is_some_and(|file| {
            let pid = Pid::from_raw(file.pid);
            // A killed server that nobody has reaped yet would count as running.
            processes::is_zombie(pid) || processes::is_stranger(pid, &self.directory, &self.program)
        });
        if stale {
            let path = self.directory.join(pidfile::NAME);
            tracing::warn!(path = %path.display(), "removing a stale pid file");
            fs::remove_file(&path).map_err(|cause| Error::io(&path, cause))?;
        }
        Ok(())
    }

    async fn is_ready(&self, pid: Pid) -> bool {
        self.pid_file().is_some_and(|file| file.pid == pid.as_raw() && file.status == "ready")
    }

    fn is_recovering(&self, pid: Pid) -> bool {
        self.pid_file().is_some_and(|file| file.pid == pid.as_raw() && file.status == "starting")
    }
}

fn settings(Settings { durable, max_connections }: Settings) -> Vec<String> {
    let fixed = [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "wal_level=replica",
        // A bulk load that checkpoints every gigabyte writes each page of its indexes again and again.
        "max_wal_size=8GB",
        "checkpoint_timeout=15min",
        "logging_collector=off",
        "log_timezone=UTC",
        "timezone=UTC",
    ];
    let disk = if durable {
        ["fsync=on", "synchronous_commit=on", "full_page_writes=on"]
    } else {
        ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    };
    fixed
        .into_iter()
        .chain(disk)
        .map(str::to_owned)
        .chain([
            format!("max_connections={max_connections}"),
            format!("shared_buffers={}MB", shared_buffers(memory_mb())),
        ])
        .collect()
}

/// A thirty-second of the machine: others share it.
fn shared_buffers(memory_mb: u64) -> u64 {
    (memory_mb / 32).clamp(128, 1024)
}

/// Memory of the machine; 0 where it is not told.
fn memory_mb() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = told.lines().find_map(|l| l.strip_prefix("MemTotal:"));
    let kb = total.and_then(|t| t.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kb.map_or(0, |kb| kb / 1024)
}

fn directory(place: &Place) -> PathBuf {
    place.server_dir.join("postgres")
}

fn log(place: &Place) -> PathBuf {
    place.data_dir.join("postgres.log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durability_chooses_the_settings() {
        let safe = settings(Settings { durable: true, max_connections: 77 });
        assert!(safe.contains(&"fsync=on".to_owned()));
        assert!(safe.contains(&"max_connections=77".to_owned()));
        let fast = settings(Settings { durable: false, max_connections: 77 });
        assert!(fast.contains(&"fsync=off".to_owned()));
    }

    #[test]
    fn buffers_are_a_share_of_the_machine_within_bounds() {
        assert_eq!([0, 8192, 24_576, 1 << 20].map(shared_buffers), [128, 256, 768, 1024]);
        assert!(memory_mb() > 0);
    }
}
