//! Ties a child's life to ours: the kernel kills it when the thread that spawned it ends.
#![expect(unsafe_code, reason = "only pre_exec can set the parent-death signal")]

use std::{io, os::unix::process::CommandExt, process::Command};

use nix::{
    errno::Errno,
    sys::{prctl::set_pdeathsig, signal::Signal},
    unistd::{getpid, getppid},
};

/// The child dies with the spawning thread (hence the [`crate::spawner`]).
///
/// The standard library changes the user before it calls this hook, which matters: a change of
/// user clears the setting.
pub(crate) fn tie(command: &mut Command) {
    let parent = getpid();
    let hook = move || -> io::Result<()> {
        set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have died before the setting took hold.
        if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH.into()) }
    };
    // SAFETY: between fork and exec the hook only makes three system calls; it neither allocates
    // nor locks.
    unsafe {
        command.pre_exec(hook);
    }
}
