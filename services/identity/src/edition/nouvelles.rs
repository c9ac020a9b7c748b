//! New records, set aside on disk until the whole file is read, then given back by order
//! of key. The indexes of the store are by id, and ids are hashes: rows that come in order
//! are added at their end, where those of a file would each touch a page of its own.

use bytes::Bytes;
use ror_chassis::{Erreur, Resultat};

use super::{connus::Cle, journal::Journal};

/// Parts by the first byte of the key: of two million records, each fits in memory, about
/// 20 MB, and is read from its beginning to its end.
const PARTS: usize = 64;
/// Key, line, rank.
const TETE: usize = 16 + 8 + 8;

/// The records set aside.
#[derive(Debug, Default)]
pub(super) struct Nouvelles {
    parts: Vec<Option<Journal>>,
    nombre: u64,
}

/// A new record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nouvelle {
    /// Line in the file.
    pub(super) ligne: u64,
    /// Rank among the new records, in the order of the file, from 0.
    pub(super) rang: u64,
    /// Its state.
    pub(super) etat: Bytes,
}

impl Nouvelles {
    /// Adds one; a key comes once.
    pub(super) fn ajouter(&mut self, cle: &Cle, ligne: u64, etat: &[u8]) -> Resultat<()> {
        self.parts.resize_with(PARTS, || None);
        let [premier, ..] = *cle;
        let part = self.parts.get_mut(usize::from(premier) * PARTS / 256);
        let part = part.ok_or_else(|| Erreur::interne("part absente"))?;
        let journal = match part {
            Some(journal) => journal,
            None => part.insert(Journal::nouveau()?),
        };
        journal.ajouter(&[cle, &ligne.to_be_bytes(), &self.nombre.to_be_bytes(), etat])?;
        self.nombre += 1;
        Ok(())
    }

    /// How many.
    pub(super) fn nombre(&self) -> u64 {
        self.nombre
    }

    /// Ends the writing.
    pub(super) fn relire(self) -> Relues {
        let mut parts: Vec<Journal> = self.parts.into_iter().flatten().collect();
        parts.reverse();
        Relues { parts, part: Vec::new() }
    }
}

/// The records set aside, by order of key.
#[derive(Debug)]
pub(super) struct Relues {
    /// Parts to come, the next one last.
    parts: Vec<Journal>,
    /// Records of the present one, the next one last.
    part: Vec<Vec<u8>>,
}

impl Relues {
    /// The next record; None at the end.
    pub(super) fn suivante(&mut self) -> Resultat<Option<Nouvelle>> {
        loop {
            if let Some(octets) = self.part.pop() {
                return lire(octets).map(Some);
            }
            let Some(part) = self.parts.pop() else {
                return Ok(None);
            };
            let mut relecture = part.relire()?;
            while let Some((_, octets)) = relecture.suivant()? {
                self.part.push(octets);
            }
            // The key comes first, and is of one record alone.
            self.part.sort_unstable_by(|a, b| b.cmp(a));
        }
    }
}

fn lire(octets: Vec<u8>) -> Resultat<Nouvelle> {
    let illisible = || Erreur::interne("enregistrement nouveau illisible");
    let (tete, _) = octets.split_first_chunk::<TETE>().ok_or_else(illisible)?;
    let (_, nombres) = tete.split_first_chunk::<16>().ok_or_else(illisible)?;
    let (ligne, rang) = nombres.split_first_chunk::<8>().ok_or_else(illisible)?;
    let ligne = u64::from_be_bytes(*ligne);
    let rang = u64::from_be_bytes(rang.try_into().map_err(|_| illisible())?);
    Ok(Nouvelle { ligne, rang, etat: Bytes::from(octets).slice(TETE..) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relire(nouvelles: Nouvelles) -> Vec<Nouvelle> {
        let mut relues = nouvelles.relire();
        std::iter::from_fn(|| relues.suivante().unwrap()).collect()
    }

    #[test]
    fn new_records_come_back_by_order_of_key_with_their_rank_in_the_file() {
        let mut nouvelles = Nouvelles::default();
        // Keys in no order, in one part and in others.
        let cles: Vec<Cle> =
            [0x80, 0x00, 0xff, 0x41, 0x40, 0x42].iter().map(|premier| [*premier; 16]).collect();
        for (rang, cle) in cles.iter().enumerate() {
            nouvelles.ajouter(cle, 100 + rang as u64, cle).unwrap();
        }
        assert_eq!(nouvelles.nombre(), 6);
        let mut attendues: Vec<(usize, Cle)> = cles.into_iter().enumerate().collect();
        attendues.sort_by_key(|(_, cle)| *cle);
        let attendues: Vec<Nouvelle> = attendues
            .into_iter()
            .map(|(rang, cle)| Nouvelle {
                ligne: 100 + rang as u64,
                rang: rang as u64,
                etat: Bytes::copy_from_slice(&cle),
            })
            .collect();
        assert_eq!(relire(nouvelles), attendues);
    }

    #[test]
    fn a_record_may_hold_nothing_and_there_may_be_none() {
        assert!(relire(Nouvelles::default()).is_empty());
        let mut nouvelles = Nouvelles::default();
        nouvelles.ajouter(&[7; 16], 2, b"").unwrap();
        assert_eq!(relire(nouvelles), [Nouvelle { ligne: 2, rang: 0, etat: Bytes::new() }]);
    }
}
