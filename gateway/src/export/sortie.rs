//! The files of an export: rendered bytes are cut into series of files on one side of a channel,
//! compressed and written on the other.

use std::{
    mem,
    sync::{
        atomic::Ordering,
        mpsc::{Receiver, SyncSender},
    },
};

use super::{
    Espace,
    demande::Forme,
    fichier::{Ecrivain, MORCEAU, Scelle},
    manifeste::Fichier,
    tache::{Echec, Tache},
};

/// Resources of a Bundle of the product's form.
const PAR_BUNDLE: u64 = 5_000;
/// Resources of an NDJSON file.
const PAR_NDJSON: u64 = 100_000;
/// Pieces rendered ahead of the disk.
pub const AVANCE: usize = 8;

/// The three lists of a manifest.
#[derive(Clone, Copy)]
pub enum Liste {
    /// Resources.
    Sorties = 0,
    /// What is no longer seen.
    Suppressions = 1,
    /// OperationOutcomes.
    Messages = 2,
}

/// What the writing thread is told.
pub enum Ordre {
    /// A new file; the one before is whole.
    Fichier {
        /// Where it stands in the manifest.
        liste: Liste,
        /// Name.
        nom: String,
        /// Type of the resources.
        genre: &'static str,
    },
    /// Bytes of the present file, and how many resources they end.
    Octets(Vec<u8>, u64),
}

/// The export stopped before its end.
pub enum Arret {
    /// Nobody wants it, or the process ends.
    Voulu,
    /// The writing thread stopped: it says why.
    Ecriture,
}

/// A series of files of one kind, cut at a number of resources.
pub struct Sortie {
    ordres: SyncSender<Ordre>,
    forme: Forme,
    liste: Liste,
    radical: &'static str,
    genre: &'static str,
    /// Files of the series so far.
    fichiers: u32,
    /// Resources of the present file; none: no file is open.
    dedans: Option<u64>,
    une: Vec<u8>,
    tampon: Vec<u8>,
    /// Resources that end in the buffer.
    nombre: u64,
}

impl Sortie {
    /// Through a channel to [`ecrire`].
    pub fn nouvelle(ordres: SyncSender<Ordre>, forme: Forme) -> Self {
        Self {
            ordres,
            forme,
            liste: Liste::Sorties,
            radical: "",
            genre: "",
            fichiers: 0,
            dedans: None,
            une: Vec::new(),
            tampon: Vec::new(),
            nombre: 0,
        }
    }

    /// Begins a series; its files are made when something comes.
    pub fn commencer(&mut self, liste: Liste, radical: &'static str, genre: &'static str) {
        (self.liste, self.radical, self.genre, self.fichiers) = (liste, radical, genre, 0);
    }

    /// Adds what a closure writes, unless it answers false.
    pub fn ajouter(&mut self, ecrire: impl FnOnce(&mut Vec<u8>) -> bool) -> Result<bool, Arret> {
        self.une.clear();
        if !ecrire(&mut self.une) {
            return Ok(false);
        }
        let dedans = match self.dedans {
            Some(n) => n,
            None => {
                self.ouvrir()?;
                0
            }
        };
        if self.forme == Forme::Json && dedans > 0 {
            self.tampon.push(b',');
        }
        self.tampon.append(&mut self.une);
        if self.forme == Forme::Ndjson {
            self.tampon.push(b'\n');
        }
        self.nombre += 1;
        self.dedans = Some(dedans + 1);
        let bord = if self.forme == Forme::Json { PAR_BUNDLE } else { PAR_NDJSON };
        if dedans + 1 == bord {
            self.clore()?;
        } else if self.tampon.len() >= MORCEAU {
            self.passer()?;
        }
        Ok(true)
    }

    fn ouvrir(&mut self) -> Result<(), Arret> {
        self.fichiers += 1;
        let nom = format!("{}.{}.{}", self.radical, self.fichiers, self.forme.suffixe());
        self.envoyer(Ordre::Fichier { liste: self.liste, nom, genre: self.genre })?;
        if self.forme == Forme::Json {
            let genre = if matches!(self.liste, Liste::Suppressions) { "transaction" } else { "collection" };
            let entete = format!(r#"{{"resourceType":"Bundle","type":"{genre}","entry":["#);
            self.tampon.extend_from_slice(entete.as_bytes());
        }
        Ok(())
    }

    /// Ends the present file, when there is one.
    pub fn clore(&mut self) -> Result<(), Arret> {
        if self.dedans.take().is_none() {
            return Ok(());
        }
        if self.forme == Forme::Json {
            self.tampon.extend_from_slice(b"]}");
        }
        self.passer()
    }

    fn passer(&mut self) -> Result<(), Arret> {
        let tampon = mem::replace(&mut self.tampon, Vec::with_capacity(MORCEAU + MORCEAU / 8));
        let nombre = mem::take(&mut self.nombre);
        self.envoyer(Ordre::Octets(tampon, nombre))
    }

    fn envoyer(&self, ordre: Ordre) -> Result<(), Arret> {
        self.ordres.send(ordre).map_err(|_| Arret::Ecriture)
    }
}

/// The file being written.
struct Ouvert {
    liste: Liste,
    fichier: Fichier,
    ecrivain: Ecrivain,
    /// Bytes already counted.
    compte: u64,
}

/// Counts the room taken since the last count.
fn compter(compte: &mut u64, sur_disque: u64, t: &Tache, espace: &Espace) -> Result<(), Echec> {
    let plus = sur_disque - mem::replace(compte, sur_disque);
    t.octets.fetch_add(plus, Ordering::Relaxed);
    if espace.prendre(plus) {
        return Ok(());
    }
    Err(Echec::nouveau(
        "no-store",
        "La place réservée aux exports est prise. Attendu : supprimer par DELETE les exports qui ne servent plus, demander un extrait plus petit, ou recommencer plus tard.",
    ))
}

/// The writing side: ends when nobody sends any more.
pub fn ecrire(t: &Tache, espace: &Espace, recus: Receiver<Ordre>) -> Result<[Vec<Fichier>; 3], Echec> {
    let mut listes: [Vec<Fichier>; 3] = Default::default();
    let mut clore = |o: Option<Ouvert>| -> Result<(), Echec> {
        let Some(Ouvert { liste, mut fichier, ecrivain, mut compte }) = o else { return Ok(()) };
        fichier.scelle = ecrivain.clore()?;
        compter(&mut compte, fichier.scelle.taille_gzip, t, espace)?;
        listes[liste as usize].push(fichier);
        Ok(())
    };
    let mut ouvert: Option<Ouvert> = None;
    for ordre in recus {
        match ordre {
            Ordre::Fichier { liste, nom, genre } => {
                clore(ouvert.take())?;
                let fichier = Fichier { nom, genre: genre.to_owned(), nombre: 0, scelle: Scelle::default() };
                let ecrivain = Ecrivain::creer(&t.dossier.join(fichier.sur_disque()))?;
                ouvert = Some(Ouvert { liste, fichier, ecrivain, compte: 0 });
            }
            Ordre::Octets(octets, nombre) => {
                let Some(o) = &mut ouvert else { continue };
                o.ecrivain.ecrire(&octets)?;
                compter(&mut o.compte, o.ecrivain.sur_disque(), t, espace)?;
                o.fichier.nombre += nombre;
                t.fait.fetch_add(nombre, Ordering::Relaxed);
            }
        }
    }
    clore(ouvert.take())?;
    Ok(listes)
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        sync::{atomic::AtomicU64, mpsc::sync_channel},
    };

    use serde_json::{Value, json};

    use super::*;
    use crate::export::{
        demande::{Demande, Lecture},
        tache::Fiche,
    };

    /// Writes a series of numbers, one of seven of which cannot be rendered; its files.
    fn serie(forme: Forme, n: u64, max: u64) -> Result<Vec<(Fichier, String)>, Echec> {
        let nom = format!("ror-production-{}-{forme:?}-{n}-{max}", std::process::id());
        let racine = std::env::temp_dir().join(nom);
        std::fs::create_dir_all(&racine).unwrap();
        let demande = Demande::lire(Vec::new(), Lecture::default(), |_, _| Vec::new()).unwrap();
        let fiche = Fiche {
            client_id: "a".into(),
            profil: 1,
            url: String::new(),
            base: String::new(),
            creee: 0,
            demande,
        };
        let t = Tache::creer(&racine, fiche).unwrap();
        let espace = Espace { pris: AtomicU64::new(0), max };
        let (ordres, recus) = sync_channel(2);
        let ecrits = std::thread::scope(|s| {
            let (t, espace) = (&t, &espace);
            let ecriture = s.spawn(move || ecrire(t, espace, recus));
            let mut sortie = Sortie::nouvelle(ordres, forme);
            sortie.commencer(Liste::Sorties, "Location", "Location");
            for i in 0..n {
                let ajoute = sortie.ajouter(|s| {
                    s.extend_from_slice(format!(r#"{{"i":{i}}}"#).as_bytes());
                    i % 7 != 6
                });
                if ajoute.is_err() {
                    break;
                }
            }
            let _ = sortie.clore();
            drop(sortie);
            ecriture.join().unwrap()
        });
        let lus = ecrits.map(|[sorties, ..]| {
            let lire = |f: Fichier| {
                let disque = std::fs::read(t.dossier.join(f.sur_disque())).unwrap();
                let mut texte = String::new();
                flate2::read::GzDecoder::new(&disque[..]).read_to_string(&mut texte).unwrap();
                (f, texte)
            };
            sorties.into_iter().map(lire).collect::<Vec<_>>()
        });
        if lus.is_ok() {
            assert_eq!(espace.pris.load(Ordering::Relaxed), t.octets.load(Ordering::Relaxed));
        }
        std::fs::remove_dir_all(racine).unwrap();
        lus
    }

    #[test]
    fn each_form_is_well_formed_and_cut_at_its_bound() {
        let n = 2 * PAR_BUNDLE + 1000;
        let attendus: Vec<u64> = (0..n).filter(|i| i % 7 != 6).collect();
        let lignes = serie(Forme::Ndjson, n, u64::MAX).unwrap();
        assert_eq!(lignes.len(), 1);
        let (f, texte) = &lignes[0];
        assert_eq!((f.nom.as_str(), f.nombre), ("Location.1.ndjson", attendus.len() as u64));
        let nombre = |v: &Value| v["i"].as_u64().unwrap();
        let lus: Vec<u64> = texte.lines().map(|l| nombre(&serde_json::from_str(l).unwrap())).collect();
        assert!(texte.ends_with('\n') && lus == attendus);

        let bundles = serie(Forme::Json, n, u64::MAX).unwrap();
        let noms: Vec<&str> = bundles.iter().map(|(f, _)| f.nom.as_str()).collect();
        assert_eq!(noms, ["Location.1.json", "Location.2.json"]);
        let mut lus = Vec::new();
        for (f, texte) in &bundles {
            let b: Value = serde_json::from_str(texte).unwrap();
            assert_eq!(
                (&b["type"], b["entry"].as_array().map(Vec::len)),
                (&json!("collection"), Some(f.nombre as usize))
            );
            lus.extend(b["entry"].as_array().unwrap().iter().map(nombre));
        }
        assert!(lus == attendus && bundles[0].0.nombre == PAR_BUNDLE);
        assert!(serie(Forme::Json, 0, u64::MAX).unwrap().is_empty(), "nothing, no file");
    }

    #[test]
    fn past_its_room_an_export_fails_and_says_so() {
        let e = serie(Forme::Ndjson, 100_000, 1000).unwrap_err();
        assert_eq!(e.issues()[0].code, "no-store");
        assert!(e.textes[0].contains("DELETE"));
    }
}
