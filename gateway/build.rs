//! A fingerprint of all that decides what an image of the read model holds, so that a build reads none of
//! another one (`src/modele/image.rs`).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// From the folder of this package, where cargo runs this.
const SOURCES: [&str; 4] = ["src", "../proto/ror", "../services/domaine", "../Cargo.lock"];

fn main() -> io::Result<()> {
    let mut fichiers = Vec::new();
    for source in SOURCES {
        println!("cargo:rerun-if-changed={source}");
        lister(Path::new(source), &mut fichiers)?;
    }
    fichiers.sort();
    // FNV-1a, 64 bits.
    let mut empreinte = 0xcbf2_9ce4_8422_2325_u64;
    for f in fichiers {
        for octet in f.to_string_lossy().bytes().chain(fs::read(&f)?) {
            empreinte = (empreinte ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    println!("cargo:rustc-env=ROR_EMPREINTE={empreinte:016x}");
    Ok(())
}

fn lister(chemin: &Path, fichiers: &mut Vec<PathBuf>) -> io::Result<()> {
    if !chemin.is_dir() {
        fichiers.push(chemin.to_owned());
        return Ok(());
    }
    for entree in fs::read_dir(chemin)? {
        lister(&entree?.path(), fichiers)?;
    }
    Ok(())
}
