//! Folders and files that nobody else of this machine may look into.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

/// Makes a folder, and those above it, unless it is there.
///
/// # Errors
///
/// It cannot be made.
pub fn dossier(chemin: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(chemin)
}

/// How a file is opened.
pub fn options() -> OpenOptions {
    let mut options = File::options();
    options.mode(0o600);
    options
}

/// A new file, to be written.
///
/// # Errors
///
/// It is there already, or cannot be made.
pub fn fichier(chemin: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(chemin)
}
