//! Records set aside in an anonymous file until their turn: a load never holds in
//! memory what grows with the edition.

use std::{
    fs::File,
    io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
};

use ror_chassis::{Erreur, Resultat};
use tokio::sync::mpsc;

use super::depot::sans_place;

/// Bytes of the length before a record.
const PREFIXE: u64 = 4;

/// A journal being written.
#[derive(Debug)]
pub(super) struct Journal {
    sortie: BufWriter<File>,
    taille: u64,
    nombre: u64,
}

impl Journal {
    /// An empty one.
    pub(super) fn nouveau() -> Resultat<Self> {
        let fichier = tempfile::tempfile().map_err(|e| sans_place(&e))?;
        Ok(Self { sortie: BufWriter::with_capacity(64 * 1024, fichier), taille: 0, nombre: 0 })
    }

    /// Adds a record, in pieces; where it is.
    pub(super) fn ajouter(&mut self, morceaux: &[&[u8]]) -> Resultat<u64> {
        let longueur: usize = morceaux.iter().map(|m| m.len()).sum();
        let prefixe = u32::try_from(longueur).map_err(|e| Erreur::Interne(Box::new(e)))?.to_be_bytes();
        let place = self.taille;
        for morceau in [prefixe.as_slice()].iter().chain(morceaux) {
            self.sortie.write_all(morceau).map_err(|e| sans_place(&e))?;
        }
        self.taille += PREFIXE + longueur as u64;
        self.nombre += 1;
        Ok(place)
    }

    /// Records added.
    pub(super) fn nombre(&self) -> u64 {
        self.nombre
    }

    /// Ends the writing.
    pub(super) fn relire(self) -> Resultat<Relecture> {
        let mut fichier = self.sortie.into_inner().map_err(|e| sans_place(e.error()))?;
        fichier.seek(SeekFrom::Start(0)).map_err(|e| sans_place(&e))?;
        Ok(Relecture { entree: BufReader::with_capacity(256 * 1024, fichier), place: 0, taille: self.taille })
    }
}

/// A journal being read, in order; any record may be read apart by its place.
#[derive(Debug)]
pub(super) struct Relecture {
    entree: BufReader<File>,
    place: u64,
    taille: u64,
}

impl Relecture {
    /// The next record and its place; None at the end.
    pub(super) fn suivant(&mut self) -> Resultat<Option<(u64, Vec<u8>)>> {
        if self.place >= self.taille {
            return Ok(None);
        }
        let place = self.place;
        let mut prefixe = [0; PREFIXE as usize];
        self.entree.read_exact(&mut prefixe).map_err(|e| sans_place(&e))?;
        let longueur = u32::from_be_bytes(prefixe);
        let mut octets = vec![0; longueur as usize];
        self.entree.read_exact(&mut octets).map_err(|e| sans_place(&e))?;
        self.place += PREFIXE + u64::from(longueur);
        Ok(Some((place, octets)))
    }

    /// The record at this place.
    pub(super) fn a(&self, place: u64) -> Resultat<Vec<u8>> {
        let fichier = self.entree.get_ref();
        let mut prefixe = [0; PREFIXE as usize];
        fichier.read_exact_at(&mut prefixe, place).map_err(|e| sans_place(&e))?;
        let mut octets = vec![0; u32::from_be_bytes(prefixe) as usize];
        fichier.read_exact_at(&mut octets, place + PREFIXE).map_err(|e| sans_place(&e))?;
        Ok(octets)
    }
}

/// Produces values in a thread of its own, by batches. `produire` gives the next one,
/// None at the end.
pub(super) fn par_lots<T: Send + 'static>(
    taille: usize,
    mut produire: impl FnMut() -> Resultat<Option<T>> + Send + 'static,
) -> mpsc::Receiver<Resultat<Vec<T>>> {
    let (envoi, reception) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut lot = Vec::with_capacity(taille);
            let mut fin = None;
            while lot.len() < taille && fin.is_none() {
                match produire() {
                    Ok(Some(valeur)) => lot.push(valeur),
                    Ok(None) => fin = Some(None),
                    Err(e) => fin = Some(Some(e)),
                }
            }
            if !lot.is_empty() && envoi.blocking_send(Ok(lot)).is_err() {
                return;
            }
            match fin {
                Some(Some(e)) => {
                    let _ = envoi.blocking_send(Err(e));
                    return;
                }
                Some(None) => return,
                None => {}
            }
        }
    });
    reception
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_set_aside_comes_back_in_order_and_by_place() {
        let mut journal = Journal::nouveau().unwrap();
        let places: Vec<u64> =
            [b"un".as_slice(), b"", b"trois"].iter().map(|r| journal.ajouter(&[r, b"!"]).unwrap()).collect();
        assert_eq!((journal.nombre(), places.as_slice()), (3, [0, 7, 12].as_slice()));
        let mut relecture = journal.relire().unwrap();
        assert_eq!(relecture.suivant().unwrap(), Some((0, b"un!".to_vec())));
        assert_eq!(relecture.a(12).unwrap(), b"trois!", "read apart, which moves nothing");
        let mut lots = par_lots(1, move || relecture.suivant());
        assert_eq!(lots.recv().await.unwrap().unwrap(), [(7, b"!".to_vec())]);
        assert_eq!(lots.recv().await.unwrap().unwrap(), [(12, b"trois!".to_vec())]);
        assert!(lots.recv().await.is_none());
    }

    #[tokio::test]
    async fn a_failure_ends_the_batches() {
        let mut restes = 3;
        let mut lots = par_lots(2, move || {
            restes -= 1;
            if restes == 0 { Err(Erreur::interne("panne")) } else { Ok(Some(restes)) }
        });
        assert_eq!(lots.recv().await.unwrap().unwrap(), [2, 1]);
        assert!(lots.recv().await.unwrap().is_err());
        assert!(lots.recv().await.is_none());
    }
}
