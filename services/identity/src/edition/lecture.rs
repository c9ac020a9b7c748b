//! The reading of a file, in a thread of its own. Each record is encoded and hashed where
//! it is read, while it is at hand; records then go by batches of bytes, and wait when who
//! compares them is late.

use std::{
    collections::HashSet,
    fs::File,
    ops::ControlFlow,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use prost::Message;
use ror_chassis::{Erreur, Resultat};
use ror_proto::identity::v1::{Format, Identity, LigneRefusee, identity::Ressource};
use tokio::task::JoinHandle;

use super::{
    comptes::Situation,
    connus::{Cle, Empreinte, cle, empreinte},
    jauge::{Jauge, Mesure},
    proposition::etat,
};
use crate::{
    difference::{GENRES, Sujet},
    formats::{ErreurFichier, Lecture, Resume, tous},
};

/// Bytes sent at once, about two thousand records.
const LOT: usize = 1024 * 1024;
/// Batches that wait.
const ATTENTE: usize = 8;

/// How the reading ends.
pub(super) type Fin = JoinHandle<Result<Resume, ErreurFichier>>;

/// Starts reading, `exclues` being the keys a person leaves out; nobody receiving ends it.
/// [`elements`] takes the batches apart.
pub(super) fn lancer(
    format: Format,
    nom: String,
    fichier: File,
    exclues: HashSet<String>,
    jauge: Arc<Jauge>,
) -> (Fin, Receiver<Vec<u8>>) {
    let (envoi, lots) = sync_channel(ATTENTE);
    let fin = tokio::task::spawn_blocking(move || {
        let mut envoi = Envoi { lot: Vec::with_capacity(LOT), exclues, envoi };
        let mut suite = |lecture: Lecture| envoi.ajouter(lecture);
        let resume = tous::lire_fichier(format, &nom, Mesure { interne: fichier, jauge }, &mut suite);
        // Nobody receiving has its own reason, told elsewhere.
        let _ = envoi.vider();
        resume
    });
    (fin, lots)
}

/// Something read, as a batch holds it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Element<'l> {
    /// A record, or a part of one.
    Fiche(Fiche<'l>),
    /// A record that a line that cannot be read names: its key.
    Nommee(Cle),
    /// What cannot be read.
    Refus(LigneRefusee),
}

/// A record read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fiche<'l> {
    /// Line in the file.
    pub(super) ligne: u64,
    /// Its id, packed.
    pub(super) cle: Cle,
    /// Fingerprint of its state.
    pub(super) empreinte: Empreinte,
    /// Kind, as changes name it.
    pub(super) genre: &'static str,
    /// What is counted of it.
    pub(super) situation: Situation,
    /// As in [`Lecture`].
    pub(super) suite: bool,
    /// True when a person leaves it out.
    pub(super) exclue: bool,
    /// Its state: an encoded [`Identity`].
    pub(super) etat: &'l [u8],
}

/// Marks of an element: what it is, then what is particular to it.
const REFUS: u8 = 1;
const SUITE: u8 = 2;
const EXCLUE: u8 = 4;
const NOMMEE: u8 = 8;

/// Batches on their way.
struct Envoi {
    lot: Vec<u8>,
    /// Keys a person leaves out.
    exclues: HashSet<String>,
    envoi: SyncSender<Vec<u8>>,
}

impl Envoi {
    fn ajouter(&mut self, lecture: Lecture) -> ControlFlow<()> {
        match lecture {
            Lecture::Refus { ligne, fautes, contenu, nommes } => {
                for id in &nommes {
                    self.lot.push(NOMMEE);
                    self.lot.extend_from_slice(&cle(id));
                }
                let refus = LigneRefusee { ligne, fautes, contenu };
                ecrire_refus(&mut self.lot, &refus);
            }
            Lecture::Enregistrement { ligne, ressource, suite } => self.fiche(ligne, *ressource, suite),
        }
        if self.lot.len() < LOT { ControlFlow::Continue(()) } else { self.vider() }
    }

    fn fiche(&mut self, ligne: u64, ressource: Ressource, suite: bool) {
        let mut lue = Identity { ressource: Some(ressource) };
        let etat = etat(&mut lue);
        let Some(sujet) = Sujet::de(&lue) else {
            return;
        };
        let fiche = Fiche {
            ligne,
            cle: cle(sujet.id),
            empreinte: empreinte(&etat),
            genre: sujet.genre,
            situation: Situation::de(&lue),
            suite,
            exclue: !self.exclues.is_empty() && self.exclues.contains(sujet.cle),
            etat: &etat,
        };
        ecrire_fiche(&mut self.lot, &fiche);
    }

    fn vider(&mut self) -> ControlFlow<()> {
        let lot = std::mem::replace(&mut self.lot, Vec::with_capacity(LOT));
        match self.envoi.send(lot) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }
}

/// Adds what cannot be read to a batch.
pub(super) fn ecrire_refus(lot: &mut Vec<u8>, refus: &LigneRefusee) {
    lot.push(REFUS);
    ecrire_octets(lot, &refus.encode_to_vec());
}

/// Adds a record to a batch.
pub(super) fn ecrire_fiche(lot: &mut Vec<u8>, f: &Fiche<'_>) {
    let marques = if f.suite { SUITE } else { 0 } | if f.exclue { EXCLUE } else { 0 };
    let genre = GENRES.iter().position(|genre| *genre == f.genre).unwrap_or(GENRES.len());
    lot.extend_from_slice(&[marques, u8::try_from(genre).unwrap_or(u8::MAX), f.situation.octet()]);
    lot.extend_from_slice(&f.ligne.to_be_bytes());
    lot.extend_from_slice(&f.cle);
    lot.extend_from_slice(&f.empreinte);
    ecrire_octets(lot, f.etat);
}

fn ecrire_octets(lot: &mut Vec<u8>, octets: &[u8]) {
    lot.extend_from_slice(&(octets.len() as u64).to_be_bytes());
    lot.extend_from_slice(octets);
}

/// What a batch holds, in order.
pub(super) fn elements(lot: &[u8]) -> Elements<'_> {
    Elements(lot)
}

/// What remains of a batch.
pub(super) struct Elements<'l>(&'l [u8]);

impl<'l> Iterator for Elements<'l> {
    type Item = Resultat<Element<'l>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let lu = self.lire();
        if lu.is_err() {
            // What follows would be read from the wrong place.
            self.0 = &[];
        }
        Some(lu)
    }
}

impl<'l> Elements<'l> {
    fn lire(&mut self) -> Resultat<Element<'l>> {
        let [marques] = self.prendre()?;
        if marques & REFUS != 0 {
            return Ok(Element::Refus(LigneRefusee::decode(self.octets()?)?));
        }
        if marques & NOMMEE != 0 {
            return Ok(Element::Nommee(self.prendre()?));
        }
        let [genre, situation] = self.prendre()?;
        Ok(Element::Fiche(Fiche {
            genre: GENRES.get(usize::from(genre)).copied().ok_or_else(illisible)?,
            situation: Situation::depuis(situation),
            ligne: u64::from_be_bytes(self.prendre()?),
            cle: self.prendre()?,
            empreinte: self.prendre()?,
            suite: marques & SUITE != 0,
            exclue: marques & EXCLUE != 0,
            etat: self.octets()?,
        }))
    }

    /// The next bytes, so many.
    fn prendre<const N: usize>(&mut self) -> Resultat<[u8; N]> {
        let (pris, reste) = self.0.split_first_chunk::<N>().ok_or_else(illisible)?;
        self.0 = reste;
        Ok(*pris)
    }

    /// The next bytes, after how many they are.
    fn octets(&mut self) -> Resultat<&'l [u8]> {
        let longueur = usize::try_from(u64::from_be_bytes(self.prendre()?)).map_err(|_| illisible())?;
        let (octets, reste) = self.0.split_at_checked(longueur).ok_or_else(illisible)?;
        self.0 = reste;
        Ok(octets)
    }
}

fn illisible() -> Erreur {
    Erreur::interne("lot illisible")
}

#[cfg(test)]
mod tests {
    use ror_proto::{
        common::v1::{Faute, Meta},
        identity::v1::Professionnel,
    };

    use super::*;

    fn personne(id_nat_ps: &str, nom: &str) -> Ressource {
        Ressource::Professionnel(Professionnel {
            meta: Some(Meta { id: format!("id-{id_nat_ps}"), version: 3, ..Meta::default() }),
            id_nat_ps: id_nat_ps.to_owned(),
            nom: nom.to_owned(),
            actif: true,
            ..Professionnel::default()
        })
    }

    fn enregistrement(ligne: u64, ressource: Ressource, suite: bool) -> Lecture {
        Lecture::Enregistrement { ligne, ressource: Box::new(ressource), suite }
    }

    #[test]
    fn what_is_read_is_what_a_batch_holds() {
        let (envoi, lots) = sync_channel(1);
        let exclues = HashSet::from(["810990000027".to_owned()]);
        let mut envoi = Envoi { lot: Vec::new(), exclues, envoi };
        let fautes = vec![Faute { regle: "nom-absent".to_owned(), ..Faute::default() }];
        for lecture in [
            enregistrement(2, personne("810990000019", "ALPHA"), false),
            Lecture::Refus {
                ligne: 4,
                fautes: fautes.clone(),
                contenu: String::new(),
                nommes: vec!["id-7".to_owned()],
            },
            enregistrement(5, personne("810990000027", "BETA"), true),
        ] {
            assert!(envoi.ajouter(lecture).is_continue());
        }
        assert!(envoi.vider().is_continue());
        let lot = lots.recv().unwrap();
        let lus: Vec<Element<'_>> = elements(&lot).collect::<Resultat<_>>().unwrap();
        let [Element::Fiche(alpha), Element::Nommee(nommee), Element::Refus(refus), Element::Fiche(beta)] =
            lus.as_slice()
        else {
            panic!("{lus:?}");
        };
        assert_eq!((*nommee, refus.ligne, &refus.fautes), (cle("id-7"), 4, &fautes));
        assert_eq!((alpha.ligne, alpha.suite, alpha.exclue, alpha.genre), (2, false, false, "professionnel"));
        assert_eq!((beta.ligne, beta.suite, beta.exclue), (5, true, true));
        assert_eq!(alpha.cle, cle("id-810990000019"));
        assert_eq!(alpha.empreinte, empreinte(alpha.etat));
        let relue = Identity::decode(alpha.etat).unwrap();
        assert_eq!(alpha.situation, Situation::de(&relue));
        let Some(Ressource::Professionnel(relue)) = relue.ressource else { panic!("another kind") };
        assert_eq!(
            (relue.nom.as_str(), relue.meta.unwrap().version),
            ("ALPHA", 0),
            "the version is a column"
        );
    }

    #[test]
    fn a_batch_that_is_cut_is_an_error_and_the_last_thing_read() {
        let mut lot = Vec::new();
        ecrire_refus(&mut lot, &LigneRefusee { ligne: 7, ..LigneRefusee::default() });
        for fin in 1..lot.len() {
            let lus: Vec<_> = elements(&lot[..fin]).collect();
            assert_eq!((lus.len(), lus[0].is_err()), (1, true), "{fin}");
        }
        assert_eq!(elements(&lot).filter_map(Result::ok).count(), 1);
        assert_eq!(elements(&[]).count(), 0);
    }

    #[test]
    fn nobody_receiving_stops_the_reading() {
        let (envoi, lots) = sync_channel(1);
        let mut envoi = Envoi { lot: vec![0; LOT], exclues: HashSet::new(), envoi };
        drop(lots);
        assert!(envoi.ajouter(enregistrement(2, personne("810990000019", "ALPHA"), false)).is_break());
    }
}
