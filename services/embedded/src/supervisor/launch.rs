//! One launch: clear what a former one left, spawn, wait until ready.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use super::{Server, Shared, State};
use crate::{
    error::Error,
    logs::Log,
    processes::{locked, signal_all, wait_until},
    spawner::{self, Process},
};

const POLL: Duration = Duration::from_millis(5);
const READY_LIMIT: Duration = Duration::from_secs(30);
/// For a server that says it is recovering: killing it would only make it begin again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(300);
const LEFTOVER_LIMIT: Duration = Duration::from_secs(10);

impl<S: Server> Shared<S> {
    /// Starts the server and waits until it answers. If it does not, its process is killed.
    pub(super) async fn launch(&self) -> Result<Arc<Process>, Error> {
        self.state.send_replace(State::Starting);
        self.end_leftovers().await?;
        self.server.before_launch().await?;

        let (log, command) = self.prepared_command()?;
        let spawned = spawner::spawn(command).await;
        let path = || self.server.program().to_path_buf();
        let process = spawned.map_err(|cause| Error::Io { path: path(), cause })?;
        *locked(&self.process) = Some(Arc::clone(&process));
        // Whoever stops us sets the flag, then ends the process it finds: one of us sees the other.
        if *self.stopping.borrow() {
            process.signal(Signal::SIGKILL);
            return Err(Error::Interrupted);
        }
        self.until_ready(&process, &log).await?;
        self.state.send_replace(State::Ready);
        Ok(process)
    }

    fn prepared_command(&self) -> Result<(Log, Command), Error> {
        let path = self.server.log();
        let (log, output) = Log::open(path)?;
        let errors = output.try_clone().map_err(|cause| Error::io(path, cause))?;
        let mut command = self.server.command();
        command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .current_dir(self.server.directory())
            // A Ctrl-C in the terminal must reach us alone: we stop the servers last.
            .process_group(0);
        set_environment(&mut command);
        self.server.account().apply(&mut command);
        Ok((log, command))
    }

    async fn until_ready(&self, process: &Process, log: &Log) -> Result<(), Error> {
        let pid = process.pid();
        let since = Instant::now();
        loop {
            if process.has_exited() {
                let (port, directory) = (self.server.port(), self.server.directory());
                return Err(log.explain(S::NAME, port, directory));
            }
            if self.server.is_ready(pid).await {
                return Ok(());
            }
            let limit = if self.server.is_recovering(pid) { RECOVERY_LIMIT } else { READY_LIMIT };
            if since.elapsed() >= limit {
                process.signal(Signal::SIGKILL);
                process.exited_within(LEFTOVER_LIMIT).await;
                let log = self.server.log().to_path_buf();
                return Err(Error::StartTimedOut { server: S::NAME, log });
            }
            sleep(POLL).await;
        }
    }

    /// Ends processes of a former run or of a killed server that still work on our data: asked
    /// first, then killed.
    async fn end_leftovers(&self) -> Result<(), Error> {
        for signal in [S::STOP, Signal::SIGKILL] {
            let leftovers = self.living();
            if leftovers.is_empty() {
                return Ok(());
            }
            let pids: Vec<i32> = leftovers.iter().map(|pid| pid.as_raw()).collect();
            let signal_name = signal.as_str();
            tracing::warn!(server = S::NAME, ?pids, signal = signal_name, "ending leftovers");
            signal_all(&leftovers, signal);
            signal_all(&leftovers, Signal::SIGCONT);
            if wait_until(LEFTOVER_LIMIT, || self.living().is_empty()).await {
                return Ok(());
            }
        }
        let path = self.server.directory().to_path_buf();
        Err(Error::LeftoverAlive { server: S::NAME, path })
    }
}

/// The servers see nothing of our environment but the path: `PGDATA` and its like, or a language,
/// would change what they do.
pub(crate) fn set_environment(command: &mut Command) {
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
}
