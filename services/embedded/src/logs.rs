//! The servers' log files: bounded, and read back when a start fails.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use nix::sys::statvfs::statvfs;

use crate::error::Error;

/// A log this long is emptied at the next start.
const LONG: u64 = 10 << 20;
/// How much of its end can explain a failure.
const TAIL: u64 = 8 << 10;
/// With less room than this nothing can start, and the log may not hold the line that says so.
const NO_ROOM: u64 = 1 << 20;
/// What a server says, in lower case, when a write finds no room.
const FULL: [&str; 2] = ["no space left on device", "disk quota exceeded"];

/// The part of a log that one start writes.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    from: u64,
}

impl Log {
    /// Opens the log for a server to append to.
    pub(crate) fn open(path: &Path) -> Result<(Self, File), Error> {
        let failed = |cause| Error::io(path, cause);
        let file = OpenOptions::new().create(true).append(true).open(path).map_err(failed)?;
        let mut from = file.metadata().map_err(failed)?.len();
        if from > LONG {
            file.set_len(0).map_err(failed)?;
            from = 0;
        }
        Ok((Self { path: path.to_path_buf(), from }, file))
    }

    /// What the log will hold from now on.
    pub(crate) fn from_now(path: &Path) -> Self {
        let from = fs::metadata(path).map_or(0, |found| found.len());
        Self { path: path.to_path_buf(), from }
    }

    /// Whether a line written since then tells of a full disk.
    pub(crate) fn tells_of_full_disk(&self) -> bool {
        let Ok(mut file) = File::open(&self.path) else {
            return false;
        };
        let end = file.metadata().map_or(0, |found| found.len());
        // Shorter than it was, it has been emptied: all of it is new.
        let from = if end < self.from { 0 } else { self.from };
        if file.seek(SeekFrom::Start(from)).is_err() {
            return false;
        }
        let mut lines = BufReader::new(file.take(LONG)).split(b'\n').map_while(Result::ok);
        lines.any(|line| says_full(&String::from_utf8_lossy(&line)))
    }

    /// The end of what was written since it was opened.
    pub(crate) fn tail(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.path) {
            let end = file.seek(SeekFrom::End(0)).unwrap_or(0);
            let from = self.from.max(end.saturating_sub(TAIL));
            // What cannot be read cannot explain anything: the caller then says less.
            let _ = file.seek(SeekFrom::Start(from));
            let _ = file.take(TAIL).read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Turns a start that failed into the error that tells the user what to do.
    pub(crate) fn explain(&self, server: &'static str, port: u16, data: &Path) -> Error {
        let tail = self.tail();
        let said = tail.to_lowercase();
        let path = data.to_path_buf();
        if says_full(&tail) || has_less_than(data, NO_ROOM) {
            Error::DiskFull { path }
        } else if said.contains("address already in use") {
            Error::PortTaken { server, port }
        } else if said.contains("permission denied") || said.contains("read-only file system") {
            Error::NotWritable { path }
        } else {
            Error::StartFailed { server, detail: telling_line(&tail), log: self.path.clone() }
        }
    }
}

fn says_full(text: &str) -> bool {
    let said = text.to_lowercase();
    FULL.iter().any(|mark| said.contains(mark))
}

/// Whether the disk of a path has less room than this, in bytes.
pub(crate) fn has_less_than(path: &Path, room: u64) -> bool {
    statvfs(path).is_ok_and(|found| found.blocks_available().saturating_mul(found.fragment_size()) < room)
}

/// The first line that names a fatal error, else the last line.
fn telling_line(tail: &str) -> String {
    let lines = || tail.lines().map(str::trim).filter(|line| !line.is_empty());
    lines()
        .find(|line| ["FATAL", "PANIC", "[FTL]", "error:"].iter().any(|mark| line.contains(mark)))
        .or_else(|| lines().next_back())
        .unwrap_or("aucun message")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn explained(said: &str) -> Error {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let path = folder.path().join("server.log");
        std::fs::write(&path, "FATAL: of a former start\n").expect("a log");
        let (log, mut file) = Log::open(&path).expect("the log");
        file.write_all(said.as_bytes()).expect("a line");
        log.explain("PostgreSQL", 5432, folder.path())
    }

    #[test]
    fn a_failed_start_is_explained_by_its_own_part_of_the_log() {
        let full = "FATAL:  could not write lock file: No space left on device\n";
        assert!(matches!(explained(full), Error::DiskFull { .. }));
        let taken = "[FTL] Error listening on port: bind: address already in use\n";
        assert!(matches!(explained(taken), Error::PortTaken { port: 5432, .. }));
        let other = "LOG: hello\nFATAL:  bad setting\nLOG: bye\n";
        let Error::StartFailed { detail, .. } = explained(other) else {
            panic!("a failed start");
        };
        assert_eq!(detail, "FATAL:  bad setting");
        let Error::StartFailed { detail, .. } = explained("") else {
            panic!("a failed start");
        };
        assert_eq!(detail, "aucun message");
    }

    #[test]
    fn a_full_disk_is_known_by_what_a_log_says_from_then_on() {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let path = folder.path().join("server.log");
        std::fs::write(&path, "FATAL:  before: No space left on device\n").expect("a log");
        let log = Log::from_now(&path);
        assert!(!log.tells_of_full_disk());
        let mut file = OpenOptions::new().append(true).open(&path).expect("the log");
        file.write_all(b"HINT: \xff\nERROR:  No space left on device\n").expect("lines");
        assert!(log.tells_of_full_disk());
        std::fs::write(&path, "x: disk quota exceeded\n").expect("an emptied log");
        assert!(log.tells_of_full_disk());
        std::fs::write(&path, "").expect("an emptied log");
        assert!(!log.tells_of_full_disk());
        assert!(has_less_than(folder.path(), u64::MAX) && !has_less_than(folder.path(), 0));
    }
}
