//! What can go wrong: writing the files, or a broken data file in the crate.

/// Failure of a generation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be written.
    #[error("l'écriture de {chemin} a échoué : {source}")]
    Ecriture {
        /// Path of the file or folder.
        chemin: String,
        /// Cause.
        source: std::io::Error,
    },
    /// A record could not be encoded.
    #[error("cannot encode a record: {0}")]
    Encodage(#[from] serde_json::Error),
    /// A data file of the crate is malformed.
    #[error("data file {fichier}, line {ligne}: malformed")]
    Donnee {
        /// Name of the file under `data/`.
        fichier: &'static str,
        /// Line number, from 1.
        ligne: usize,
    },
    /// The data files lack something the generation needs.
    #[error("the data files hold no {0}")]
    Absent(&'static str),
}
