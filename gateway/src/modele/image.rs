//! A moment on disk, structure by structure: read back, it is the model, with no state decoded and nothing
//! indexed again. It holds personal data: its folder and its file are its owner's alone.
//!
//! An image serves the build that wrote it and no other (`build.rs`), so nothing in it says what follows:
//! each structure is read as it was written.

mod copie;
mod fichier;
mod formes;

use std::{io, path::Path, thread::ScopedJoinHandle};

use prost::Message as _;
use roaring::RoaringBitmap;
use ror_proto::access::v1::Policy;

use super::{Colonne, Id, Liens, Modele, Sorte, Table, Touche, TypeFhir, etat, journal::Journal};
use crate::fhir::politique::{Faits, Politique};
pub use copie::{Fichier, Reception, ouvrir};
pub use fichier::empreinte;
pub(super) use fichier::{Entree, Sortie, abime};
use fichier::{FICHIER, Lecture};
pub(crate) use fichier::{mesurer, somme};

/// What an image holds.
pub(super) trait Image: Sized {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()>;
    fn lire(e: &mut Entree<'_>) -> io::Result<Self>;

    /// Several, after their number.
    fn ecrire_suite(suite: &[Self], s: &mut Sortie) -> io::Result<()> {
        s.longueur(suite.len())?;
        suite.iter().try_for_each(|x| x.ecrire(s))
    }
    /// What [`Self::ecrire_suite`] wrote.
    fn lire_suite(e: &mut Entree<'_>) -> io::Result<Vec<Self>> {
        let n = e.longueur()?;
        let mut lus = Vec::with_capacity(n.min(AVANCE));
        for _ in 0..n {
            lus.push(Self::lire(e)?);
        }
        Ok(lus)
    }
}

/// Places made ready before anything is read: a length is believed no further.
const AVANCE: usize = 1 << 16;

/// A structure is its fields, one after the other; one left out does not compile.
macro_rules! par_champs {
    ($type:ident $(<$parametre:ident>)? { $($champ:ident),* $(,)? }) => {
        impl$(<$parametre: $crate::modele::image::Image>)? $crate::modele::image::Image
            for $type$(<$parametre>)?
        {
            fn ecrire(&self, s: &mut $crate::modele::image::Sortie) -> std::io::Result<()> {
                $($crate::modele::image::Image::ecrire(&self.$champ, s)?;)*
                Ok(())
            }
            fn lire(e: &mut $crate::modele::image::Entree<'_>) -> std::io::Result<Self> {
                Ok(Self { $($champ: $crate::modele::image::Image::lire(e)?),* })
            }
        }
    };
    ($type:ident(_)) => {
        impl $crate::modele::image::Image for $type {
            fn ecrire(&self, s: &mut $crate::modele::image::Sortie) -> std::io::Result<()> {
                $crate::modele::image::Image::ecrire(&self.0, s)
            }
            fn lire(e: &mut $crate::modele::image::Entree<'_>) -> std::io::Result<Self> {
                $crate::modele::image::Image::lire(e).map(Self)
            }
        }
    };
}
pub(super) use par_champs;

/// What is read first: the rest means nothing without it.
struct Prelude {
    /// What states were compressed with, by kind.
    dictionnaires: Vec<(u8, Vec<u8>)>,
    /// Policy in force, encoded.
    politique: Vec<u8>,
    positions: [u64; 4],
    naissances: [i64; 4],
    numero: u64,
    date: i64,
}

/// The index of full text at the moment of an image, in a folder beside it.
pub struct Texte {
    /// Name of the folder.
    pub dossier: String,
    /// Its files: name, then bytes and check sum.
    pub fichiers: Vec<(String, (u64, u32))>,
    /// Rows that it holds.
    pub presentes: [RoaringBitmap; 5],
    /// Rows that it may hold otherwise than the moment says them.
    pub a_nourrir: [RoaringBitmap; 5],
    /// Of the labels that it has for the others.
    pub libelles: u64,
}

par_champs!(Texte { dossier, fichiers, presentes, a_nourrir, libelles });
par_champs!(Prelude { dictionnaires, politique, positions, naissances, numero, date });
par_champs!(Faits { sensible, sensible_partage, ms, ville, niveau_contact, niveau_telecom, statut });
par_champs!(Liens(_));
par_champs!(Touche { numero, type_fhir, rang, avant, pour, quittent });

/// Sections, in their order: each is read by a thread of its own.
const PRELUDE: usize = 0;
const TABLES: usize = 1;
const CAPACITES: usize = 6;
const LIENS: usize = 7;
const JOURNAL: usize = 8;
const TEXTE: usize = 9;

/// Writes the image of a published moment, and what tells its full text, in place of the one of that folder;
/// its bytes.
///
/// # Errors
///
/// The folder cannot be written: the former image stays.
pub fn ecrire(m: &Modele, texte: Option<&Texte>, dossier: &Path) -> io::Result<u64> {
    fichier::remplacer(dossier, |s| {
        let prelude = Prelude {
            dictionnaires: etat::dictionnaires(),
            politique: m.politique.source().encode_to_vec(),
            positions: m.positions,
            naissances: m.naissances,
            numero: m.numero,
            date: m.date,
        };
        prelude.ecrire(s)?;
        s.clore()?;
        for table in &m.tables {
            table.ecrire(s)?;
            s.clore()?;
        }
        m.capacites.ecrire(s)?;
        s.clore()?;
        m.liens.ecrire(s)?;
        s.clore()?;
        m.journal.jusqu_a(m.numero).ecrire(s)?;
        s.clore()?;
        texte.is_some().ecrire(s)?;
        if let Some(texte) = texte {
            texte.ecrire(s)?;
        }
        s.clore()
    })
}

/// The moment of the image of that folder, and what tells its full text.
///
/// # Errors
///
/// `NotFound` without an image; anything else when it does not serve.
pub fn lire(dossier: &Path) -> io::Result<(Modele, Option<Texte>)> {
    let image = &Lecture::ouvrir(&dossier.join(FICHIER))?;
    let prelude = image.section::<Prelude>(PRELUDE)?;
    let texte = image.section::<Option<Texte>>(TEXTE)?;
    let politique = Policy::decode(prelude.politique.as_slice()).map_err(|_| abime())?;
    let politique = Politique::compiler(&politique).map_err(|_| abime())?;
    let (tables, capacites, liens, journal) = std::thread::scope(|s| {
        let tables = TypeFhir::TOUS.map(|t| s.spawn(move || image.section::<Table>(TABLES + t as usize)));
        let capacites = s.spawn(|| image.section::<Colonne<_>>(CAPACITES));
        let liens = s.spawn(|| image.section::<Liens>(LIENS));
        let journal = s.spawn(|| image.section::<Journal>(JOURNAL));
        (tables.map(joindre), joindre(capacites), joindre(liens), joindre(journal))
    });
    let [structures, offres, lieux, professionnels, roles] = tables;
    let (liens, capacites, journal) = (liens?, capacites?, journal?);
    let tables = [structures?, offres?, lieux?, professionnels?, roles?];
    // Last: an image that does not serve must not stand in the way of another one, which has others.
    if !prelude.dictionnaires.iter().all(|(genre, octets)| etat::installer(*genre, octets)) {
        return Err(io::Error::other("other dictionaries are in use"));
    }
    let m = Modele {
        alentours: Modele::situer_offres(&liens, &tables[TypeFhir::Location as usize]),
        tables,
        capacites,
        liens,
        politique: politique.into(),
        positions: prelude.positions,
        naissances: prelude.naissances,
        numero: prelude.numero,
        date: prelude.date,
        // That of this life knows nothing yet.
        texte: 0,
        journal: journal.into(),
        travail: Default::default(),
    };
    Ok((m, texte))
}

/// Deletes the image of that folder, if there is one.
pub fn oter(dossier: &Path) {
    let _ = std::fs::remove_file(dossier.join(FICHIER));
}

fn joindre<T>(fil: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    fil.join().unwrap_or_else(|_| Err(abime()))
}

impl Image for Id {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        match self {
            Self::Uuid(octets) => {
                true.ecrire(s)?;
                s.poser(octets)
            }
            Self::Texte(t) => {
                false.ecrire(s)?;
                t.ecrire(s)
            }
        }
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Ok(if bool::lire(e)? { Self::Uuid(e.tableau()?) } else { Self::Texte(Image::lire(e)?) })
    }
}

impl Image for TypeFhir {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        (*self as u8).ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Self::TOUS.get(usize::from(u8::lire(e)?)).copied().ok_or_else(abime)
    }
}

impl Image for Sorte {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        (*self as u8).ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        let sortes = [Self::Unique, Self::Ej, Self::Eg, Self::Oi];
        sortes.get(usize::from(u8::lire(e)?)).copied().ok_or_else(abime)
    }
}
