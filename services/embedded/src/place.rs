//! Where the data live, and the lock that gives them to one launcher at a time.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::Uid,
};
use sha2::{Digest, Sha256};

use crate::{
    account::{Account, owned_dir},
    error::Error,
};

/// A prepared data directory, ours until dropped.
pub(crate) struct Place {
    /// The user's data directory, absolute.
    pub data_dir: PathBuf,
    /// Where the servers keep theirs: the same, unless their account cannot reach it.
    pub server_dir: PathBuf,
    /// Who the servers run as.
    pub account: Account,
    /// Held for the life of the servers; the kernel gives them back if we are killed.
    _locks: Vec<Flock<File>>,
}

impl Place {
    /// Creates the directory if needed, takes its lock and finds where the servers' data go.
    pub(crate) fn prepare(wanted: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::io(wanted, cause);
        fs::create_dir_all(wanted).map_err(failed)?;
        let data_dir = fs::canonicalize(wanted).map_err(failed)?;
        let mut locks = vec![lock(&data_dir)?];
        let account = Account::of_servers();
        let note = data_dir.join("embedded.path");
        let double = double(&data_dir);
        // Once data are in the double they stay there, even if the directory has become reachable.
        let server_dir = if account.reaches(&data_dir) && !(note.exists() && double.is_dir()) {
            data_dir.clone()
        } else {
            owned_dir(&double)?;
            // Somebody may have deleted a data directory, lock and all, that is still in use.
            locks.push(lock(&double)?);
            settle_double(&double, &note).map_err(|cause| Error::io(&double, cause))?;
            tracing::info!(data = %double.display(), "the servers' account keeps its data here");
            double
        };
        Ok(Self { data_dir, server_dir, account, _locks: locks })
    }
}

/// Notes in the data directory where its double is. Without that note the double's content is of
/// a data directory that was deleted, and goes too.
fn settle_double(double: &Path, note: &Path) -> io::Result<()> {
    if note.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(double)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if entry.file_name() != "lock" {
            fs::remove_file(entry.path())?;
        }
    }
    let mut content = double.as_os_str().as_bytes().to_vec();
    content.push(b'\n');
    fs::write(note, content)
}

fn lock(data_dir: &Path) -> Result<Flock<File>, Error> {
    let path = data_dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|cause| Error::io(&path, cause))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, Errno::EWOULDBLOCK)) => Err(Error::InUse { path: data_dir.to_path_buf() }),
        Err((_, errno)) => Err(Error::io(&path, errno.into())),
    }
}

/// The folder that stands in for a data directory that the servers' account cannot reach.
fn double(data_dir: &Path) -> PathBuf {
    let digest: [u8; 32] = Sha256::digest(data_dir.as_os_str().as_bytes()).into();
    let uid = Uid::effective().as_raw();
    PathBuf::from(format!("/var/tmp/ror-data-{uid}-{}", &hex(&digest)[..12]))
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |half: u8| DIGITS[usize::from(half & 0x0f)];
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_double_is_named_by_the_account_and_the_path() {
        let name = double(Path::new("/srv/ror")).display().to_string();
        let (start, digest) = name.split_at(name.len() - 12);
        assert_eq!(start, format!("/var/tmp/ror-data-{}-", Uid::effective().as_raw()));
        assert!(digest.chars().all(|c| c.is_ascii_hexdigit()));
        assert_ne!(name, double(Path::new("/srv/other")).display().to_string());
        assert_eq!(hex(&[0x00, 0x1f, 0xa0]), "001fa0");
    }

    #[test]
    fn a_double_of_a_deleted_directory_starts_anew() {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let (double, note) = (folder.path().join("double"), folder.path().join("embedded.path"));
        fs::create_dir_all(double.join("postgres")).expect("old data");
        settle_double(&double, &note).expect("settled");
        assert!(!double.join("postgres").exists());
        let named = fs::read_to_string(&note).expect("the note");
        assert_eq!(Path::new(named.trim_end()), double);

        fs::create_dir(double.join("postgres")).expect("data");
        settle_double(&double, &note).expect("settled again");
        assert!(double.join("postgres").exists(), "noted data stay");
    }

    #[test]
    fn a_second_launcher_is_refused_until_the_first_ends() {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let path = fs::canonicalize(folder.path()).expect("its path");
        let first = lock(&path).expect("the lock");
        assert!(matches!(lock(&path), Err(Error::InUse { .. })));
        drop(first);
        lock(&path).expect("the lock is free again");
    }
}
