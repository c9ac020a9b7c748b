//! The index on disk: the folder it lives in, and the copies of it that images keep. No file of a segment ever changes,
//! so a copy is links, which merges and deletions of the index leave alone.

use std::{
    fs::{self, File},
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, mpsc::Receiver},
};

use roaring::RoaringBitmap;
use tantivy::{
    Directory, Index,
    directory::{
        AntiCallToken, DirectoryLock, FileHandle, Lock, META_LOCK, MmapDirectory, TerminatingWrite,
        WatchCallback, WatchHandle, WritePtr,
        error::{DeleteError, LockError, OpenReadError, OpenWriteError},
    },
};
use uuid::Uuid;

use crate::{
    modele::image::{self, Texte},
    prive,
};

/// Begins the name of the folder that an index lives in.
const VIF: &str = "texte-vif-";
/// Begins the name of the folder of a copy.
const COPIE: &str = "texte-copie-";
/// What tantivy says of the index, and of the files that it may delete.
const META: &str = "meta.json";
const GERES: &str = ".managed.json";

/// A folder for an index to live in, among those of the image; those of former lives are deleted.
pub(super) fn naitre(dossier: &Path) -> io::Result<PathBuf> {
    vider(dossier, VIF, None);
    let vif = dossier.join(nommer(VIF));
    prive::dossier(&vif)?;
    Ok(vif)
}

/// Deletes the copies of the index in the folder of the image, but for the one of that name.
pub fn oublier(dossier: &Path, sauf: Option<&str>) {
    vider(dossier, COPIE, sauf);
}

/// Whether a folder of that name, in that of the image, is a copy of the index.
pub fn est_copie(nom: &str) -> bool {
    nom.starts_with(COPIE)
}

fn vider(dossier: &Path, genre: &str, sauf: Option<&str>) {
    let Ok(entrees) = fs::read_dir(dossier) else { return };
    for entree in entrees.flatten() {
        let nom = entree.file_name();
        let nom = nom.to_string_lossy();
        if nom.starts_with(genre) && sauf != Some(&*nom) {
            let _ = fs::remove_dir_all(entree.path());
        }
    }
}

fn nommer(genre: &str) -> String {
    format!("{genre}{}", Uuid::new_v4().simple())
}

fn lier(de: &Path, vers: &Path) -> io::Result<()> {
    fs::hard_link(de, vers).or_else(|_| fs::copy(de, vers).map(drop))
}

/// A copy, as the writer makes it.
pub(super) struct Copie {
    /// Name of its folder.
    pub dossier: String,
    pub fichiers: Vec<String>,
    /// Rows in it.
    pub presentes: [RoaringBitmap; 5],
}

/// Links the files of the last commit in a folder of their own: its name, and theirs.
pub(super) fn copier(index: &Index, vif: &Path) -> tantivy::Result<(String, Vec<String>)> {
    let metas = {
        let _verrou = index.directory().acquire_lock(&META_LOCK)?;
        // As long as these are held, none of their files is deleted.
        index.load_metas()?
    };
    let nom = nommer(COPIE);
    let copie = vif.with_file_name(&nom);
    let remplir = || -> tantivy::Result<Vec<String>> {
        prive::dossier(&copie)?;
        let mut fichiers = Vec::new();
        for fichier in metas.list_segment_files() {
            match lier(&vif.join(&fichier), &copie.join(&fichier)) {
                Ok(()) => fichiers.push(fichier.to_string_lossy().into_owned()),
                // Of those that may be, one that is not; one that must be is missed when the copy is opened.
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e.into()),
            }
        }
        // The file itself may say a later merge.
        fs::write(copie.join(META), serde_json::to_vec(&metas)?)?;
        fichiers.push(META.to_owned());
        Ok(fichiers)
    };
    let fichiers = remplir().inspect_err(|_| {
        let _ = fs::remove_dir_all(&copie);
    })?;
    Ok((nom, fichiers))
}

/// A folder for an index to live in that holds the files of a copy, each as it was.
pub(super) fn reprendre(dossier: &Path, copie: &Texte) -> io::Result<PathBuf> {
    let vif = dossier.join(nommer(VIF));
    let remplir = || -> io::Result<()> {
        prive::dossier(&vif)?;
        for (nom, mesure) in &copie.fichiers {
            lier(&dossier.join(&copie.dossier).join(nom), &vif.join(nom))?;
            if image::mesurer(&vif.join(nom))? != *mesure {
                return Err(io::Error::new(ErrorKind::InvalidData, format!("{nom} is damaged")));
            }
        }
        let noms: Vec<&str> = copie.fichiers.iter().map(|(nom, _)| nom.as_str()).collect();
        fs::write(vif.join(GERES), serde_json::to_vec(&noms)?)
    };
    remplir().inspect_err(|_| {
        let _ = fs::remove_dir_all(&vif);
    })?;
    Ok(vif)
}

/// A copy of the index that was asked for.
pub struct CopieDemandee {
    /// Where it is made.
    pub(super) dossier: PathBuf,
    pub(super) attente: Receiver<tantivy::Result<Copie>>,
}

impl CopieDemandee {
    /// What an image says of it, with the labels of its rows and the rows that it may not hold as they are. Waits
    /// until it is made: not for an async task.
    ///
    /// # Errors
    ///
    /// The copy was not made: there is none.
    pub fn attendre(self, libelles: u64, a_nourrir: [RoaringBitmap; 5]) -> io::Result<Texte> {
        let copie = self.attente.recv().map_err(io::Error::other)?.map_err(io::Error::other)?;
        let Copie { dossier, fichiers, presentes } = copie;
        let chemin = self.dossier.join(&dossier);
        let mesurer = |nom: String| image::mesurer(&chemin.join(&nom)).map(|mesure| (nom, mesure));
        let fichiers: io::Result<Vec<_>> = fichiers.into_iter().map(mesurer).collect();
        let fichiers = fichiers.inspect_err(|_| {
            let _ = fs::remove_dir_all(&chemin);
        })?;
        Ok(Texte { dossier, fichiers, presentes, a_nourrir, libelles })
    }
}

/// The folder as tantivy uses it. Nothing waits for the disk: no later life reads this folder, and a copy is verified
/// before it is.
#[derive(Clone, Debug)]
pub(super) struct Dossier {
    racine: PathBuf,
    /// Files are read as pages of the system, which takes them back when it wants.
    pages: MmapDirectory,
}

impl Dossier {
    pub(super) fn ouvrir(racine: &Path) -> tantivy::Result<Self> {
        Ok(Self { racine: racine.to_owned(), pages: MmapDirectory::open(racine)? })
    }
}

impl Directory for Dossier {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.pages.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.pages.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.pages.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let fichier = prive::fichier(&self.racine.join(path)).map_err(|e| match e.kind() {
            ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(e, path.to_owned()),
        })?;
        Ok(BufWriter::new(Box::new(Ecrit(fichier))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        self.pages.atomic_read(path)
    }

    /// Always a new file: a copy may have a link to the former one.
    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let chemin = self.racine.join(path);
        let provisoire = chemin.with_extension("tmp");
        fs::write(&provisoire, data)?;
        fs::rename(provisoire, chemin)
    }

    fn sync_directory(&self) -> io::Result<()> {
        Ok(())
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.pages.acquire_lock(lock)
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.pages.watch(watch_callback)
    }
}

/// A file of a segment being written.
struct Ecrit(File);

impl Write for Ecrit {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl TerminatingWrite for Ecrit {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.0.flush()
    }
}
