//! Files of a pinned npm package, downloaded with npm, the registry's own client. They are read, never
//! run by us: no script of the package starts.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use flate2::read::GzDecoder;
use sha2::{Digest, Sha512};

use super::{
    pip::{only_file, run},
    wheel::{Aside, STAMP, clear_abandoned, settle},
};
use crate::place::hex;

/// Largest file taken out.
const LARGEST: u64 = 16 << 20;

/// A package of npm, of which some files are kept.
pub(super) struct Package {
    name: &'static str,
    version: &'static str,
    /// Of the archive, as the lock of npm has it, in hexadecimal.
    sha512: &'static str,
    /// Names below the folder of the package.
    files: &'static [&'static str],
}

/// The viewer of the API reference, with its licences.
pub(super) const VIEWER: Package = Package {
    name: "swagger-ui-dist",
    version: "5.35.0",
    sha512: "534eaba4cb56f55dd73c638179a993512af4674f63317e0826e00da44fc465b0\
             21c341bc0a0c2bcd4e18997927fe1d3008336c5dd19aad334d1c2dec53cc9551",
    files: &[
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css",
        "LICENSE",
        "NOTICE",
    ],
};

impl Package {
    /// Its folder in the cache.
    pub(super) fn folder(&self, cache: &Path) -> PathBuf {
        cache.join(format!("{}-{}-{}", self.name, self.version, &self.sha512[..8]))
    }

    /// Whether all its files are there.
    pub(super) fn is_complete(&self, folder: &Path) -> bool {
        fs::read_to_string(folder.join(STAMP)).is_ok_and(|stamp| stamp == self.sha512)
            && self.files.iter().all(|name| folder.join(name).is_file())
    }

    /// Downloads, checks and unpacks it; safe against other processes doing the same.
    ///
    /// # Errors
    /// The reason, in French.
    pub(super) fn fetch(&self, cache: &Path) -> Result<(), String> {
        let told = |cause: io::Error| cause.to_string();
        clear_abandoned(cache);
        let aside = Aside::new(cache).map_err(told)?;
        tracing::info!(package = self.name, version = self.version, "downloading");
        let archive = self.download(&aside.0)?;
        let tree = aside.0.join("tree");
        self.unpack(&archive, &tree).map_err(told)?;
        fs::write(tree.join(STAMP), self.sha512).map_err(told)?;
        settle(&tree, &self.folder(cache), &aside.0, |folder| self.is_complete(folder)).map_err(told)
    }

    fn download(&self, folder: &Path) -> Result<PathBuf, String> {
        let files = folder.join("files");
        let said = folder.join("npm.log");
        let told = |cause: io::Error| cause.to_string();
        fs::create_dir(&files).map_err(told)?;
        let output = File::create(&said).map_err(told)?;
        let errors = output.try_clone().map_err(told)?;
        let mut command = Command::new("npm");
        command
            .args(["pack", "--ignore-scripts", "--loglevel=error", "--no-update-notifier"])
            .args(["--fetch-retries=1", "--fetch-timeout=15000"])
            .arg(format!("{}@{}", self.name, self.version))
            .arg("--pack-destination")
            .arg(&files)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        match run(&mut command) {
            Ok(status) if status.success() => {}
            Ok(_) => {
                let log = fs::read_to_string(&said).unwrap_or_default();
                let line = log.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("sans message");
                return Err(format!("le téléchargement par npm a échoué, {line}"));
            }
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Err("npm est absent".to_owned()),
            Err(cause) if cause.kind() == ErrorKind::TimedOut => {
                return Err("le téléchargement par npm dure trop".to_owned());
            }
            Err(cause) => return Err(told(cause)),
        }
        let file = only_file(&files).map_err(told)?;
        if sha512(&file).map_err(told)? == self.sha512 {
            Ok(file)
        } else {
            Err("l'archive téléchargée n'a pas l'empreinte attendue".to_owned())
        }
    }

    fn unpack(&self, archive: &Path, tree: &Path) -> io::Result<()> {
        fs::create_dir(tree)?;
        let mut wanted: BTreeSet<&str> = self.files.iter().copied().collect();
        let mut tar = tar::Archive::new(GzDecoder::new(File::open(archive)?));
        for entry in tar.entries()? {
            let entry = entry?;
            let path = entry.path()?.into_owned();
            // Only names of the list, so that none can lead out of the folder.
            let Some(name) = path.strip_prefix("package").ok().and_then(Path::to_str) else { continue };
            if let Some(name) = wanted.take(name) {
                let mut file = File::create(tree.join(name))?;
                io::copy(&mut entry.take(LARGEST), &mut file)?;
            }
        }
        if let Some(missing) = wanted.first() {
            return Err(io::Error::other(format!("{missing} is not in the archive")));
        }
        // Our umask may close the folder to another account of the cache.
        fs::set_permissions(tree, fs::Permissions::from_mode(0o755))
    }
}

fn sha512(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha512::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let digest: [u8; 64] = hasher.finalize().into();
    Ok(hex(&digest))
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn the_pin_has_a_version_and_a_whole_fingerprint() {
        assert_eq!(VIEWER.sha512.len(), 128);
        assert!(VIEWER.sha512.bytes().all(|b| b.is_ascii_hexdigit()));
        let folder = VIEWER.folder(Path::new("/cache"));
        assert_eq!(folder, Path::new("/cache/swagger-ui-dist-5.35.0-534eaba4"));
        assert!(!VIEWER.is_complete(&folder));
    }

    #[test]
    fn only_the_listed_files_are_taken_out_and_all_must_be_there() {
        let folder = tempfile::tempdir_in("/var/tmp").expect("a temporary folder");
        let archive = |name: &str, files: &[&str]| {
            let path = folder.path().join(name);
            let mut tar =
                tar::Builder::new(GzEncoder::new(File::create(&path).expect("a file"), Compression::fast()));
            for file in files {
                let mut header = tar::Header::new_gnu();
                header.set_size(4);
                header.set_mode(0o644);
                header.set_cksum();
                tar.append_data(&mut header, format!("package/{file}"), b"text".as_slice())
                    .expect("an entry");
            }
            tar.into_inner().and_then(GzEncoder::finish).expect("an archive");
            path
        };
        let mut files = VIEWER.files.to_vec();
        files.push("index.html");
        let tree = folder.path().join("tree");
        VIEWER.unpack(&archive("whole.tgz", &files), &tree).expect("unpacked");
        assert!(VIEWER.files.iter().all(|name| tree.join(name).is_file()));
        assert!(!tree.join("index.html").exists());
        let partial = VIEWER.unpack(&archive("partial.tgz", &files[1..]), &folder.path().join("other"));
        assert!(partial.is_err_and(|e| e.to_string().contains("swagger-ui-bundle.js")));
    }
}
