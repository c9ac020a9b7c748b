//! The servers that the machine already has.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Multiple filter subjects, metadata and more begin there.
const OLDEST_NATS: (u32, u32) = (2, 10);

/// The newest of Debian's versions, each in `<root>/<major>/bin`.
pub(super) fn newest_postgres(root: &Path) -> Option<(PathBuf, u32)> {
    let mut majors: Vec<u32> = fs::read_dir(root)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    majors.sort_unstable();
    majors.into_iter().rev().find_map(|major| postgres_in(root.join(major.to_string()).join("bin")))
}

/// The folder and its major version, if it has what a server needs.
pub(super) fn postgres_in(folder: PathBuf) -> Option<(PathBuf, u32)> {
    let folder = fs::canonicalize(folder).ok()?;
    if !folder.join("initdb").is_file() {
        return None;
    }
    let (major, _) = version_in(&said_by(&folder.join("postgres"))?)?;
    Some((folder, major))
}

/// The `nats-server` of the search path, if recent enough.
pub(super) fn nats_on_path() -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join("nats-server"))
        .filter(|program| program.is_file())
        .find_map(recent_nats)
}

/// The program, if it is a NATS server recent enough.
pub(super) fn recent_nats(program: PathBuf) -> Option<PathBuf> {
    let program = std::path::absolute(program).ok()?;
    (version_in(&said_by(&program)?)? >= OLDEST_NATS).then_some(program)
}

fn said_by(program: &Path) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first two numbers of the first word that looks like a version.
fn version_in(said: &str) -> Option<(u32, u32)> {
    said.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor: String = numbers.next()?.chars().take_while(char::is_ascii_digit).collect();
        Some((major, minor.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        assert_eq!(version_in("postgres (PostgreSQL) 18.6\n"), Some((18, 6)));
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(version_in(debian), Some((15, 18)));
        assert_eq!(version_in("nats-server: v2.15.1\n"), Some((2, 15)));
        assert_eq!(version_in("nats-server: v2.12.0-RC.3\n"), Some((2, 12)));
        assert_eq!(version_in("no version here."), None);
        assert!(version_in("nats-server: v2.9.10").expect("a version") < OLDEST_NATS);
    }

    #[test]
    fn a_folder_without_servers_has_none() {
        assert_eq!(newest_postgres(Path::new("/nonexistent")), None);
        assert_eq!(postgres_in(PathBuf::from("/nonexistent")), None);
        assert_eq!(recent_nats(PathBuf::from("/nonexistent")), None);
    }
}
