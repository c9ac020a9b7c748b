//! Keeps one server running: starts it, restarts it on the same port, ends it.

mod launch;

use std::{
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use nix::{sys::signal::Signal, unistd::Pid};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, sleep},
};

pub(crate) use self::launch::set_environment;
use crate::{
    account::Account,
    error::Error,
    processes::{living_in, locked, signal_all},
    spawner::Process,
};

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);
/// A server that ran this long was well: its next restart does not wait longer for past troubles.
const STEADY: Duration = Duration::from_secs(10);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const DROP_LIMIT: Duration = Duration::from_secs(1);

/// What a server is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Launched, or about to be.
    Starting,
    /// Answers.
    Ready,
    /// Ended by itself or was killed; it will be started again.
    Down,
    /// Ended for good.
    Stopped,
}

/// What the supervisor must know of a server.
pub(crate) trait Server: Send + Sync + 'static {
    /// For people.
    const NAME: &'static str;
    /// Asks it to end in order.
    const STOP: Signal;
    /// Ends it at once, as cleanly as that can be.
    const ABRUPT: Signal;

    /// Its executable file.
    fn program(&self) -> &Path;
    /// Its private folder, where it works (canonical).
    fn directory(&self) -> &Path;
    /// Where its output goes.
    fn log(&self) -> &Path;
    /// Where it listens.
    fn port(&self) -> u16;
    /// Who it runs as.
    fn account(&self) -> Account;
    /// Program and arguments.
    fn command(&self) -> Command;
    /// Work before each launch, once no process of a former one lives.
    fn before_launch(&self) -> impl Future<Output = Result<(), Error>> + Send;
    /// Whether this process, and no stranger, answers.
    fn is_ready(&self, pid: Pid) -> impl Future<Output = bool> + Send;
    /// Whether it says that it is still at work on its data, and may need longer.
    fn is_recovering(&self, pid: Pid) -> bool;
}

/// A server kept running until [`Supervised::stop`]; dropped, it is killed.
pub(crate) struct Supervised<S: Server> {
    shared: Arc<Shared<S>>,
    task: Option<JoinHandle<()>>,
}

struct Shared<S: Server> {
    server: S,
    /// The last launched process, dead or alive.
    process: Mutex<Option<Arc<Process>>>,
    /// Set before the process is ended; nothing is launched after that.
    stopping: watch::Sender<bool>,
    state: watch::Sender<State>,
}

impl<S: Server> Supervised<S> {
    /// Launches the server and waits until it is ready.
    pub(crate) async fn start(server: S) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            server,
            process: Mutex::new(None),
            stopping: watch::Sender::new(false),
            state: watch::Sender::new(State::Starting),
        });
        // Built before the launch: if that fails or is given up, dropping this kills the child.
        let mut supervised = Self { shared: Arc::clone(&shared), task: None };
        let process = shared.launch().await?;
        supervised.task = Some(tokio::spawn(supervise(shared, process)));
        Ok(supervised)
    }

    /// The server.
    pub(crate) fn server(&self) -> &S {
        &self.shared.server
    }

    /// Its process, if it lives.
    pub(crate) fn pid(&self) -> Option<u32> {
        let process = self.shared.current()?;
        if process.has_exited() { None } else { u32::try_from(process.pid().as_raw()).ok() }
    }

    /// Follows what it does.
    pub(crate) fn state(&self) -> watch::Receiver<State> {
        self.shared.state.subscribe()
    }

    /// Sends its process a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(process) = self.shared.current() {
            process.signal(signal);
        }
    }

    /// Sends a signal to its child processes (PostgreSQL has one per session).
    pub(crate) fn signal_others(&self, signal: Signal) {
        let first = self.shared.current().map(|process| process.pid());
        let mut others = self.shared.living();
        others.retain(|pid| Some(*pid) != first);
        signal_all(&others, signal);
    }

    /// Ends it in order; by force when it does not end in time.
    pub(crate) async fn stop(mut self) {
        self.shared.stopping.send_replace(true);
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::warn!(server = S::NAME, %error, "supervisor ended badly");
        }
        if let Some(process) = self.shared.current() {
            process.signal(S::STOP);
            // A paused process would not see it.
            self.signal_others(Signal::SIGCONT);
            process.signal(Signal::SIGCONT);
            if !process.exited_within(STOP_LIMIT).await {
                tracing::warn!(server = S::NAME, pid = process.pid().as_raw(), "killed");
                process.signal(Signal::SIGKILL);
                process.exited_within(STOP_LIMIT).await;
            }
        }
        self.shared.state.send_replace(State::Stopped);
    }
}

impl<S: Server> Drop for Supervised<S> {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
        if let Some(task) = self.task.take() {
            task.abort();
        }
        let Some(process) = self.shared.current() else {
            return;
        };
        if !process.has_exited() {
            process.signal(S::ABRUPT);
            self.signal_others(Signal::SIGCONT);
            process.signal(Signal::SIGCONT);
            if !process.block_until_exited(DROP_LIMIT) {
                process.signal(Signal::SIGKILL);
                process.block_until_exited(DROP_LIMIT);
            }
        }
        signal_all(&self.shared.living(), Signal::SIGKILL);
        self.shared.state.send_replace(State::Stopped);
    }
}

impl<S: Server> Shared<S> {
    fn current(&self) -> Option<Arc<Process>> {
        locked(&self.process).clone()
    }

    fn living(&self) -> Vec<Pid> {
        living_in(self.server.directory(), self.server.program())
    }
}

/// Restarts the server whenever its process ends, until told to stop.
async fn supervise<S: Server>(shared: Arc<Shared<S>>, mut process: Arc<Process>) {
    let mut stopping = shared.stopping.subscribe();
    let mut delay = FIRST_DELAY;
    loop {
        let since = Instant::now();
        tokio::select! {
            exit = process.exited() => tracing::warn!(
                server = S::NAME,
                pid = process.pid().as_raw(),
                status = exit.text,
                "server ended, restarting it"
            ),
            () = told(&mut stopping) => return,
        }
        shared.state.send_replace(State::Down);
        if since.elapsed() >= STEADY {
            delay = FIRST_DELAY;
        }
        process = loop {
            tokio::select! {
                () = sleep(delay) => {}
                () = told(&mut stopping) => return,
            }
            delay = (delay * 2).min(LONGEST_DELAY);
            let launched = tokio::select! {
                launched = shared.launch() => launched,
                () = told(&mut stopping) => return,
            };
            match launched {
                Ok(process) => break process,
                Err(error) => {
                    shared.state.send_replace(State::Down);
                    tracing::warn!(server = S::NAME, %error, "restart failed, trying again");
                }
            }
        };
        tracing::info!(server = S::NAME, pid = process.pid().as_raw(), "server restarted");
    }
}

/// Returns once a stop is asked for; a closed channel asks for it too.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}
