//! The known records of the kinds of an edition, compact: an id, a fingerprint and
//! three marks, 35 bytes each, so that two million of them fit beside a load.

use std::{
    collections::{HashMap, HashSet},
    hash::BuildHasher,
    sync::LazyLock,
};

use foldhash::{fast, quality};
use ror_chassis::{
    Resultat,
    magasin::{Bloc, Connu},
};
use sha2::{Digest, Sha256};
use uuid::{Uuid, fmt::Hyphenated};

/// Hash of a state, made and compared within one load and never kept: 128 bits, under
/// seeds of this process.
pub(super) type Empreinte = [u8; 16];

static GRAINES: LazyLock<[quality::RandomState; 2]> = LazyLock::new(Default::default);

/// Fingerprint of a state.
pub(super) fn empreinte(etat: &[u8]) -> Empreinte {
    let mut empreinte = Empreinte::default();
    for (moitie, graine) in empreinte.chunks_exact_mut(8).zip(GRAINES.iter()) {
        moitie.copy_from_slice(&graine.hash_one(etat).to_be_bytes());
    }
    empreinte
}

/// An id, packed: the UUID it is, or the half SHA-256 of another text.
pub(super) type Cle = [u8; 16];

/// Packs an id; true when the packed form is enough to write it again.
fn tasser(id: &str) -> (Cle, bool) {
    let mut tampon = [0; Hyphenated::LENGTH];
    match Uuid::try_parse(id) {
        Ok(uuid) if *uuid.hyphenated().encode_lower(&mut tampon) == *id => (uuid.into_bytes(), true),
        _ => {
            let mut cle = Cle::default();
            cle.copy_from_slice(&Sha256::digest(id.as_bytes())[..16]);
            (cle, false)
        }
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
    /// Named by a line that was refused.
    nommee: bool,
}

/// Slice of a key.
fn tranche(cle: &Cle, decalage: u32) -> usize {
    let [a, b, c, d, e, f, g, h, ..] = *cle;
    (u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> decalage) as usize
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

/// Records of a slice, about: what one look in memory brings.
const TRANCHE: usize = 8;

/// The known records, and which of them the file holds.
#[derive(Debug, Default)]
pub(super) struct Connus {
    /// By key.
    fiches: Vec<Fiche>,
    /// Where each slice of the keys begins, then where the last one ends: keys are hashes,
    /// their first bits spread them evenly.
    tranches: Vec<u32>,
    /// From the first 64 bits of a key to its slice.
    decalage: u32,
    /// Ids that are not UUIDs.
    textes: HashMap<Cle, String>,
    /// Records of the file that are not known.
    nouvelles: HashSet<Cle, fast::RandomState>,
}

impl Connus {
    /// Reads those of some kinds; [`Self::ordonner`] is still to be called.
    pub(super) async fn charger(bloc: &mut Bloc, genres: &[&str]) -> Resultat<Self> {
        let mut connus = Self::default();
        for genre in genres {
            bloc.connus(genre, |c| connus.ajouter(c)).await?;
        }
        Ok(connus)
    }

    /// Adds one.
    pub(super) fn ajouter(&mut self, c: Connu<'_>) {
        let (cle, entiere) = tasser(c.id);
        if !entiere {
            self.textes.insert(cle, c.id.to_owned());
        }
        self.fiches.push(Fiche {
            cle,
            empreinte: empreinte(c.etat),
            retiree: c.retire,
            vue: false,
            nommee: false,
        });
    }

    /// Makes the records ready to be met; apart from their reading, for it takes a moment.
    pub(super) fn ordonner(&mut self) {
        self.fiches.sort_unstable_by_key(|a| a.cle);
        self.fiches.shrink_to_fit();
        let bits = (self.fiches.len() / TRANCHE).max(2).ilog2();
        self.decalage = u64::BITS - bits;
        self.tranches = vec![0; (1_usize << bits) + 1];
        for f in &self.fiches {
            let suivante = tranche(&f.cle, self.decalage) + 1;
            if let Some(fin) = self.tranches.get_mut(suivante) {
                *fin += 1;
            }
        }
        let mut passees = 0;
        for debut in &mut self.tranches {
            passees += *debut;
            *debut = passees;
        }
    }

    fn chercher(&mut self, cle: &Cle) -> Option<&mut Fiche> {
        let rang = tranche(cle, self.decalage);
        let bornes = (*self.tranches.get(rang)? as usize, *self.tranches.get(rang + 1)? as usize);
        let fiches = self.fiches.get_mut(bornes.0..bornes.1)?;
        let rang = fiches.binary_search_by(|f| f.cle.cmp(cle)).ok()?;
        fiches.get_mut(rang)
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

    /// Notes a record that a refused line names: it is not absent, and may still be met.
    pub(super) fn nommer(&mut self, cle: &Cle) {
        if let Some(f) = self.chercher(cle) {
            f.nommee = true;
        }
    }

    /// True when the file holds this record, or names it.
    pub(super) fn vu(&mut self, cle: &Cle) -> bool {
        self.chercher(cle).is_some_and(|f| f.vue || f.nommee) || self.nouvelles.contains(cle)
    }

    /// Known records, withdrawn ones excepted.
    pub(super) fn nombre(&self) -> u64 {
        self.fiches.iter().filter(|f| !f.retiree).count() as u64
    }

    /// Ids of the known records that the file does not hold, withdrawn ones excepted.
    pub(super) fn absents(&self) -> impl Iterator<Item = String> + '_ {
        let absente = |f: &&Fiche| !f.vue && !f.nommee && !f.retiree;
        self.fiches.iter().filter(absente).map(|f| match self.textes.get(&f.cle) {
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
    fn what_a_refused_line_names_is_not_absent_and_may_still_be_met() {
        let mut connus = connus();
        connus.nommer(&cle("ancien/1"));
        connus.nommer(&cle("inconnu"));
        assert!(connus.vu(&cle("ancien/1")) && !connus.vu(&cle("inconnu")));
        assert_eq!(connus.absents().collect::<Vec<_>>(), [DEUX]);
        assert_eq!(connus.rencontrer(&cle("ancien/1"), &empreinte(b"texte")), Rencontre::Egale);
        assert_eq!(connus.rencontrer(&cle("inconnu"), &empreinte(b"x")), Rencontre::Nouvelle);
    }

    #[test]
    fn every_record_is_found_in_its_slice_and_no_other_is() {
        let id = |n: u128| Uuid::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        // Evenly spread, then all in one slice.
        for id in [&id as &dyn Fn(u128) -> Uuid, &Uuid::from_u128] {
            let mut connus = Connus::default();
            for n in 0..1_000 {
                let id = id(2 * n).to_string();
                connus.ajouter(Connu { id: &id, retire: false, etat: id.as_bytes() });
            }
            connus.ordonner();
            for n in 0..1_000 {
                let connu = id(2 * n).to_string();
                assert!(!connus.vu(&cle(&connu)));
                assert_eq!(connus.rencontrer(&cle(&connu), &empreinte(connu.as_bytes())), Rencontre::Egale);
                let inconnu = id(2 * n + 1).to_string();
                assert_eq!(connus.rencontrer(&cle(&inconnu), &empreinte(b"")), Rencontre::Nouvelle);
            }
            assert_eq!(connus.absents().count(), 0);
        }
    }

    #[test]
    fn nothing_is_found_where_nothing_is_known() {
        for mut connus in [Connus::default(), {
            let mut vide = Connus::default();
            vide.ordonner();
            vide
        }] {
            assert_eq!(connus.rencontrer(&cle(UN), &empreinte(b"un")), Rencontre::Nouvelle);
            assert_eq!(connus.nombre(), 0);
        }
    }

    #[test]
    fn a_fingerprint_tells_states_apart() {
        let etats = [b"".as_slice(), b"\0", b"\0\0", b"a", &[7; 300], &[7; 301]];
        let empreintes: HashSet<Empreinte> = etats.iter().map(|etat| empreinte(etat)).collect();
        assert_eq!(empreintes.len(), etats.len());
        let [.., longue] = etats;
        let (lue, ailleurs) = (empreinte(longue), longue.to_vec());
        assert_eq!(lue, empreinte(&ailleurs));
        assert_ne!(lue[..8], lue[8..], "two seeds");
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
