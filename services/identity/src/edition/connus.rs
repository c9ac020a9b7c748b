//! The known records of the kinds of an edition, compact: an id, a fingerprint and
//! two marks, 34 bytes each, so that two million of them fit beside a load.

use std::collections::{HashMap, HashSet};

use ror_chassis::{
    Resultat,
    magasin::{Bloc, Connu},
};
use sha2::{Digest, Sha256};
use uuid::{Uuid, fmt::Hyphenated};

/// Half a SHA-256 of a state.
pub(super) type Empreinte = [u8; 16];

/// Fingerprint of a state.
pub(super) fn empreinte(etat: &[u8]) -> Empreinte {
    let mut moitie = Empreinte::default();
    moitie.copy_from_slice(&Sha256::digest(etat)[..16]);
    moitie
}

/// An id, packed: the UUID it is, or the half hash of another text.
pub(super) type Cle = [u8; 16];

/// Packs an id; true when the packed form is enough to write it again.
fn tasser(id: &str) -> (Cle, bool) {
    let mut tampon = [0; Hyphenated::LENGTH];
    match Uuid::try_parse(id) {
        Ok(uuid) if *uuid.hyphenated().encode_lower(&mut tampon) == *id => (uuid.into_bytes(), true),
        _ => (empreinte(id.as_bytes()), false),
    }
}

/// Packs an id.
pub(super) fn cle(id: &str) -> Cle {
    tasser(id).0
}

#[derive(Debug, Clone, Copy)]
struct Fiche {
    cle: Cle,
    empreinte: Empreinte,
    retiree: bool,
    vue: bool,
}

/// How a record of the file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rencontre {
    /// Not known.
    Nouvelle,
    /// Known, with the same state.
    Egale,
    /// Known, with another state, or withdrawn.
    Differente,
    /// Met before in this file.
    Encore,
}

/// The known records, and which of them the file holds.
#[derive(Debug, Default)]
pub(super) struct Connus {
    /// By key.
    fiches: Vec<Fiche>,
    /// Ids that are not UUIDs.
    textes: HashMap<Cle, String>,
    /// Records of the file that are not known.
    nouvelles: HashSet<Cle>,
}

impl Connus {
    /// Reads those of some kinds.
    pub(super) async fn charger(bloc: &mut Bloc, genres: &[&str]) -> Resultat<Self> {
        let mut connus = Self::default();
        for genre in genres {
            bloc.connus(genre, |c| connus.ajouter(c)).await?;
        }
        connus.ordonner();
        Ok(connus)
    }

    fn ajouter(&mut self, c: Connu<'_>) {
        let (cle, entiere) = tasser(c.id);
        if !entiere {
            self.textes.insert(cle, c.id.to_owned());
        }
        self.fiches.push(Fiche { cle, empreinte: empreinte(c.etat), retiree: c.retire, vue: false });
    }

    fn ordonner(&mut self) {
        self.fiches.sort_unstable_by_key(|a| a.cle);
        self.fiches.shrink_to_fit();
    }

    fn chercher(&mut self, cle: &Cle) -> Option<&mut Fiche> {
        let rang = self.fiches.binary_search_by(|f| f.cle.cmp(cle)).ok()?;
        self.fiches.get_mut(rang)
    }

    /// Notes a record of the file; `empreinte` is that of its state.
    pub(super) fn rencontrer(&mut self, cle: &Cle, empreinte: &Empreinte) -> Rencontre {
        match self.chercher(cle) {
            Some(f) if f.vue => Rencontre::Encore,
            Some(f) => {
                f.vue = true;
                let egale = !f.retiree && f.empreinte == *empreinte;
                if egale { Rencontre::Egale } else { Rencontre::Differente }
            }
            None => {
                if self.nouvelles.insert(*cle) {
                    Rencontre::Nouvelle
                } else {
                    Rencontre::Encore
                }
            }
        }
    }

    /// Notes a record of the file that is left out: it is not absent.
    pub(super) fn laisser(&mut self, cle: &Cle) {
        if let Some(f) = self.chercher(cle) {
            f.vue = true;
        }
    }

    /// True when the file holds this record.
    pub(super) fn vu(&mut self, cle: &Cle) -> bool {
        self.chercher(cle).is_some_and(|f| f.vue) || self.nouvelles.contains(cle)
    }

    /// Known records, withdrawn ones excepted.
    pub(super) fn nombre(&self) -> u64 {
        self.fiches.iter().filter(|f| !f.retiree).count() as u64
    }

    /// Ids of the known records that the file does not hold, withdrawn ones excepted.
    pub(super) fn absents(&self) -> impl Iterator<Item = String> + '_ {
        self.fiches.iter().filter(|f| !f.vue && !f.retiree).map(|f| match self.textes.get(&f.cle) {
            Some(texte) => texte.clone(),
            None => Uuid::from_bytes(f.cle).to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UN: &str = "0190a5b4-0000-5000-a000-000000000001";
    const DEUX: &str = "0190a5b4-0000-5000-a000-000000000002";

    fn connus() -> Connus {
        let mut connus = Connus::default();
        for (id, etat, retire) in [(DEUX, "deux", false), ("ancien/1", "texte", false), (UN, "un", true)] {
            connus.ajouter(Connu { id, retire, etat: etat.as_bytes() });
        }
        connus.ordonner();
        connus
    }

    #[test]
    fn a_record_is_new_equal_different_or_met_again() {
        let mut connus = connus();
        assert_eq!(connus.nombre(), 2);
        let mut rencontrer = |id: &str, etat: &str| connus.rencontrer(&cle(id), &empreinte(etat.as_bytes()));
        assert_eq!(rencontrer(DEUX, "deux"), Rencontre::Egale);
        assert_eq!(rencontrer(DEUX, "deux"), Rencontre::Encore);
        assert_eq!(rencontrer("ancien/1", "autre"), Rencontre::Differente);
        assert_eq!(rencontrer(UN, "un"), Rencontre::Differente, "equal, but withdrawn");
        assert_eq!(rencontrer("inconnu", "x"), Rencontre::Nouvelle);
        assert_eq!(rencontrer("inconnu", "x"), Rencontre::Encore);
    }

    #[test]
    fn what_the_file_does_not_hold_is_absent_by_its_exact_id() {
        let mut connus = connus();
        let attendus = HashSet::from([DEUX, "ancien/1"].map(str::to_owned));
        assert_eq!(connus.absents().collect::<HashSet<_>>(), attendus);
        connus.laisser(&cle(DEUX));
        assert!(connus.vu(&cle(DEUX)) && !connus.vu(&cle("ancien/1")));
        assert_eq!(connus.absents().collect::<Vec<_>>(), ["ancien/1"]);
    }

    #[test]
    fn only_the_canonical_form_of_a_uuid_is_packed_as_one() {
        assert!(tasser(UN).1);
        for id in [UN.to_uppercase(), format!("{{{UN}}}"), UN.replace('-', "")] {
            assert!(!tasser(&id).1, "{id}");
            assert_ne!(cle(&id), cle(UN));
        }
    }

    #[test]
    fn two_million_records_fit_in_eighty_megabytes() {
        assert!(size_of::<Fiche>() <= 40);
    }
}
