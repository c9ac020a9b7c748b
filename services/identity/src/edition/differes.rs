//! Records that wait for the end of the file: those to be compared with what is
//! known, and those that come in several parts, wherever the parts are. A record is
//! then compared once, whole: a file that says the same in another order writes nothing.

use std::collections::HashMap;

use prost::Message;
use ror_chassis::{Erreur, Resultat};
use ror_proto::identity::v1::Identity;

use super::{
    connus::Cle,
    journal::{Journal, Relecture},
};
use crate::difference::Sujet;

/// What a part is to its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Premiere = 0,
    Suite = 1,
    Doublon = 2,
}

/// Nature, line, key.
const TETE: usize = 1 + 8 + 16;

/// The parts set aside.
#[derive(Debug)]
pub(super) struct Differes {
    journal: Journal,
    /// Where the continuations of a record are.
    suites: HashMap<Cle, Vec<u64>>,
}

impl Differes {
    /// None yet.
    pub(super) fn nouveaux() -> Resultat<Self> {
        Ok(Self { journal: Journal::nouveau()?, suites: HashMap::new() })
    }

    /// A record, or its first part; `etat` is an encoded [`Identity`].
    pub(super) fn premiere(&mut self, cle: Cle, ligne: u64, etat: &[u8]) -> Resultat<()> {
        self.ajouter(Nature::Premiere, cle, ligne, etat).map(drop)
    }

    /// A continuation.
    pub(super) fn suite(&mut self, cle: Cle, ligne: u64, etat: &[u8]) -> Resultat<()> {
        let place = self.ajouter(Nature::Suite, cle, ligne, etat)?;
        self.suites.entry(cle).or_default().push(place);
        Ok(())
    }

    /// A second record of the same id, refused.
    pub(super) fn doublon(&mut self, cle: Cle, ligne: u64, etat: &[u8]) -> Resultat<()> {
        self.ajouter(Nature::Doublon, cle, ligne, etat).map(drop)
    }

    fn ajouter(&mut self, nature: Nature, cle: Cle, ligne: u64, etat: &[u8]) -> Resultat<u64> {
        self.journal.ajouter(&[&[nature as u8], &ligne.to_be_bytes(), &cle, etat])
    }

    /// Ends the writing.
    pub(super) fn relire(self) -> Resultat<Groupes> {
        Ok(Groupes { relecture: self.journal.relire()?, suites: self.suites })
    }
}

/// The parts of one record.
#[derive(Debug, PartialEq)]
pub(super) struct Groupe {
    /// Line of the first part.
    pub(super) ligne: u64,
    /// True for a second record of the same id: the only part.
    pub(super) doublon: bool,
    /// Whether each part is a continuation, and what it says; at least one.
    pub(super) parties: Vec<(bool, Identity)>,
}

impl Groupe {
    /// Technical id of the record.
    pub(super) fn id(&self) -> Option<&str> {
        self.parties.first().and_then(|(_, identite)| Sujet::de(identite)).map(|sujet| sujet.id)
    }
}

/// The records set aside, in the order of the file.
#[derive(Debug)]
pub(super) struct Groupes {
    relecture: Relecture,
    suites: HashMap<Cle, Vec<u64>>,
}

impl Groupes {
    /// The next record; None at the end.
    pub(super) fn suivant(&mut self) -> Resultat<Option<Groupe>> {
        while let Some((_, octets)) = self.relecture.suivant()? {
            let (nature, ligne, cle, identite) = lire(&octets)?;
            if nature == Nature::Doublon as u8 {
                return Ok(Some(Groupe { ligne, doublon: true, parties: vec![(false, identite)] }));
            }
            let suites = self.suites.remove(&cle);
            let mut parties = Vec::new();
            if nature == Nature::Premiere as u8 {
                parties.push((false, identite));
            } else if suites.is_none() {
                // It went with the first part of its record.
                continue;
            }
            for place in suites.into_iter().flatten() {
                let (_, _, _, suite) = lire(&self.relecture.a(place)?)?;
                parties.push((true, suite));
            }
            return Ok(Some(Groupe { ligne, doublon: false, parties }));
        }
        Ok(None)
    }
}

fn lire(octets: &[u8]) -> Resultat<(u8, u64, Cle, Identity)> {
    let illisible = || Erreur::interne("enregistrement différé illisible");
    let (tete, etat) = octets.split_at_checked(TETE).ok_or_else(illisible)?;
    let (nature, reste) = tete.split_first().ok_or_else(illisible)?;
    let (ligne, cle) = reste.split_at_checked(8).ok_or_else(illisible)?;
    let ligne = u64::from_be_bytes(ligne.try_into().map_err(|_| illisible())?);
    let cle = Cle::try_from(cle).map_err(|_| illisible())?;
    Ok((*nature, ligne, cle, Identity::decode(etat)?))
}

#[cfg(test)]
mod tests {
    use ror_proto::identity::v1::{Formation, identity::Ressource};

    use super::*;

    fn formation(id_nat_ps: &str) -> Identity {
        let f = Formation { id_nat_ps: id_nat_ps.to_owned(), ..Formation::default() };
        Identity { ressource: Some(Ressource::Formation(f)) }
    }

    #[test]
    fn the_parts_of_a_record_come_together_where_it_began() {
        let etat = |nom: &str| formation(nom).encode_to_vec();
        let mut differes = Differes::nouveaux().unwrap();
        differes.premiere([1; 16], 2, &etat("a")).unwrap();
        differes.premiere([2; 16], 3, &etat("b")).unwrap();
        differes.suite([1; 16], 4, &etat("a2")).unwrap();
        differes.doublon([2; 16], 5, &etat("b2")).unwrap();
        // The first part of this one was equal, or new: it did not wait.
        differes.suite([3; 16], 6, &etat("c2")).unwrap();
        differes.suite([1; 16], 7, &etat("a3")).unwrap();
        differes.suite([3; 16], 8, &etat("c3")).unwrap();
        let mut groupes = differes.relire().unwrap();
        let mut lus = Vec::new();
        while let Some(groupe) = groupes.suivant().unwrap() {
            lus.push(groupe);
        }
        let groupe = |ligne, doublon, parties: &[(bool, &str)]| Groupe {
            ligne,
            doublon,
            parties: parties.iter().map(|(suite, nom)| (*suite, formation(nom))).collect(),
        };
        let attendus = [
            groupe(2, false, &[(false, "a"), (true, "a2"), (true, "a3")]),
            groupe(3, false, &[(false, "b")]),
            groupe(5, true, &[(false, "b2")]),
            groupe(6, false, &[(true, "c2"), (true, "c3")]),
        ];
        assert_eq!(lus, attendus);
    }
}
