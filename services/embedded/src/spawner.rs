//! Spawns children from one thread that lives as long as the process, and watches them end.

use std::{
    io,
    process::{Child, Command},
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};
use tokio::sync::{oneshot, watch};

use crate::{parent_death, processes::locked};

/// How a process ended.
#[derive(Debug, Clone)]
pub(crate) struct Exit {
    /// It ended by itself with code 0.
    pub success: bool,
    /// Code or signal, for logs.
    pub text: String,
}

/// A child of this process.
#[derive(Debug)]
pub(crate) struct Process {
    pid: Pid,
    /// `false` before the number is given back to the system: a signal cannot hit a stranger.
    live: Mutex<bool>,
    exit: watch::Sender<Option<Exit>>,
}

impl Process {
    /// Its process number.
    pub(crate) fn pid(&self) -> Pid {
        self.pid
    }

    /// Sends a signal, unless it is dead.
    pub(crate) fn signal(&self, signal: Signal) {
        let live = locked(&self.live);
        if *live && let Err(errno) = kill(self.pid, signal) {
            let (pid, signal) = (self.pid.as_raw(), signal.as_str());
            tracing::warn!(pid, signal, %errno, "signal not delivered");
        }
    }

    /// Whether it is dead and gone.
    pub(crate) fn has_exited(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// Waits for its end.
    pub(crate) async fn exited(&self) -> Exit {
        let mut exit = self.exit.subscribe();
        let seen = exit.wait_for(Option::is_some).await.map(|found| found.clone());
        seen.ok().flatten().unwrap_or(Exit { success: false, text: "unknown".to_owned() })
    }

    /// Waits for its end at most this long; true when it is dead.
    pub(crate) async fn exited_within(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.exited()).await.is_ok()
    }

    /// The same for code that cannot await (a `Drop`).
    pub(crate) fn block_until_exited(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while !self.has_exited() && Instant::now() < until {
            thread::sleep(Duration::from_millis(2));
        }
        self.has_exited()
    }
}

/// Kills the process when dropped: for a child that must not outlive the future that awaits it.
pub(crate) struct Leash(pub Arc<Process>);

impl std::ops::Deref for Leash {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.0
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.signal(Signal::SIGKILL);
    }
}

struct Request {
    command: Command,
    reply: oneshot::Sender<io::Result<Arc<Process>>>,
}

/// Starts the command as a child that dies with this process. If the caller goes away before it
/// gets the answer, the child is killed.
pub(crate) async fn spawn(mut command: Command) -> io::Result<Arc<Process>> {
    parent_death::tie(&mut command);
    let (reply, answer) = oneshot::channel();
    requests().send(Request { command, reply }).map_err(|_| gone())?;
    answer.await.map_err(|_| gone())?
}

fn gone() -> io::Error {
    io::Error::other("the spawner thread is gone")
}

/// The parent-death signal follows the spawning thread, not the process, so no worker of an async
/// runtime may spawn: this thread never ends.
fn requests() -> &'static mpsc::Sender<Request> {
    static REQUESTS: OnceLock<mpsc::Sender<Request>> = OnceLock::new();
    REQUESTS.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        let started = thread::Builder::new().name("ror-spawner".to_owned()).spawn(move || serve(&receiver));
        if let Err(error) = started {
            tracing::error!(%error, "the spawner thread cannot start");
        }
        sender
    })
}

fn serve(requests: &mpsc::Receiver<Request>) {
    while let Ok(Request { mut command, reply }) = requests.recv() {
        let outcome = command.spawn().and_then(watched);
        if let Err(Ok(unwanted)) = reply.send(outcome) {
            unwanted.signal(Signal::SIGKILL);
        }
    }
}

/// Hands the child to a thread that waits for its end.
fn watched(mut child: Child) -> io::Result<Arc<Process>> {
    let number = i32::try_from(child.id()).map_err(io::Error::other)?;
    let process = Arc::new(Process {
        pid: Pid::from_raw(number),
        live: Mutex::new(true),
        exit: watch::Sender::new(None),
    });
    let watching = Arc::clone(&process);
    let started =
        thread::Builder::new().name("ror-child".to_owned()).spawn(move || watch_over(&watching, &mut child));
    match started {
        Ok(_) => Ok(process),
        Err(error) => {
            process.signal(Signal::SIGKILL);
            Err(error)
        }
    }
}

fn watch_over(process: &Process, child: &mut Child) {
    // Seen dead, but not reaped: its number cannot be reused before `live` says so.
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while matches!(waitid(Id::Pid(process.pid), flags), Err(Errno::EINTR)) {}
    let outcome = {
        let mut live = locked(&process.live);
        *live = false;
        child.wait()
    };
    let exit = match outcome {
        Ok(status) => Exit { success: status.success(), text: status.to_string() },
        Err(error) => Exit { success: false, text: error.to_string() },
    };
    process.exit.send_replace(Some(exit));
}
