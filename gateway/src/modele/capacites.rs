//! Capacity records of places, beside their rows: who sees some, and what they add to the version and date
//! of their place for each profile.

use super::{Modele, TypeFhir as T, enregistrements::Donnee, etat::Etat};
use crate::{
    fhir::politique::{Bloc, Faits, PROFILS},
    recherche::parametres::Groupe,
};

/// Capacity records of a place. What was withdrawn keeps its version, so that nothing older comes back.
#[derive(Clone, Default)]
pub(super) struct Capacites {
    pub version: u64,
    pub maj: i64,
    pub etat: Option<Etat>,
}

super::image::par_champs!(Capacites { version, maj, etat });

/// Version and date of the last change by which each profile ceased to see any record of a place.
pub(super) type Perdues = [(u64, i64); PROFILS];

/// Of a profile that never did.
const JAMAIS: (u64, i64) = (0, i64::MIN);

impl Modele {
    pub(super) fn capacite(&self, rang: u32) -> Option<&Capacites> {
        self.capacites.get(rang).filter(|c| c.etat.is_some())
    }

    /// Whether a profile that sees a place sees any capacity record of it.
    pub(super) fn capacite_visible(&self, rang: u32, profil: u8) -> bool {
        let table = self.table(T::Location);
        let (groupe, faits) = (table.groupe(Groupe::Capacite), table.faits(rang));
        groupe.de(rang).iter().any(|e| {
            let statut = groupe.signatures()[e.signature as usize].statut;
            self.politique.permet(Bloc::LieuCapacite, profil, &Faits { statut, ..faits })
        })
    }

    /// What capacities add to the version of a place, and when they changed, as a profile may know: that of
    /// the records while it sees some, then that of the change which hid the last of them. So what it is
    /// shown never goes back, and changes only with what it sees.
    pub(super) fn apport_des_capacites(&self, rang: u32, profil: u8) -> (u64, i64) {
        let perdue = self.perdue(rang, profil);
        match self.capacite(rang) {
            Some(c) if self.capacite_visible(rang, profil) => (c.version.max(perdue.0), c.maj.max(perdue.1)),
            _ => perdue,
        }
    }

    fn perdue(&self, rang: u32, profil: u8) -> (u64, i64) {
        self.perdues.get(rang).and_then(|p| p.get(usize::from(profil))).copied().unwrap_or(JAMAIS)
    }

    /// When capacities last changed a place, as a profile may know if it sees none of them, then if it sees some:
    /// who sees them takes longer to tell.
    pub(super) fn dates_des_capacites(&self, rang: u32, profil: u8) -> (i64, i64) {
        let (_, perdue) = self.perdue(rang, profil);
        (perdue, self.capacite(rang).map_or(perdue, |c| c.maj.max(perdue)))
    }

    /// Profiles that see some capacity record of a place, one bit each. Before rights are known, none.
    pub(super) fn voient_capacites(&self, rang: u32) -> u8 {
        let masque = self.table(T::Location).masque(rang);
        if self.travail.differe || masque == 0 {
            return 0;
        }
        (0..PROFILS as u8)
            .filter(|p| masque & (1 << p) != 0 && self.capacite_visible(rang, *p))
            .fold(0, |m, p| m | (1 << p))
    }

    /// Notes that these profiles ceased to see any record of a place, by a change of that version and date.
    pub(super) fn perdre_capacites(&mut self, rang: u32, profils: u8, change: (u64, i64)) {
        if profils == 0 {
            return;
        }
        let mut perdues = self.perdues.get(rang).copied().unwrap_or([JAMAIS; PROFILS]);
        for (_, perdue) in perdues.iter_mut().enumerate().filter(|(p, _)| profils & (1 << p) != 0) {
            *perdue = (perdue.0.max(change.0), perdue.1.max(change.1));
        }
        self.perdues.poser(rang, Some(perdues));
    }

    /// Replaces the records of a place, when they are newer; answers whether they were.
    pub(super) fn poser_capacites(
        &mut self,
        rang: u32,
        (version, maj): (u64, i64),
        etat: Option<Etat>,
        donnees: &[Donnee],
    ) -> bool {
        if self.capacites.get(rang).is_some_and(|c| c.version >= version) {
            return false;
        }
        self.remplacer_capacites(rang, Capacites { version, maj, etat }, donnees, (version, maj));
        true
    }

    /// Takes out the records that a whole snapshot does not hold; answers whether there were any. When they
    /// were withdrawn is not known: after the version they had.
    pub(super) fn oter_capacites(&mut self, rang: u32) -> bool {
        let Some(c) = self.capacite(rang) else { return false };
        let (version, maj) = (c.version, c.maj);
        self.remplacer_capacites(rang, Capacites { version, maj, etat: None }, &[], (version + 1, maj));
        true
    }

    fn remplacer_capacites(
        &mut self,
        rang: u32,
        capacites: Capacites,
        donnees: &[Donnee],
        change: (u64, i64),
    ) {
        let avant = self.voient_capacites(rang);
        self.table_mut(T::Location).groupe_mut(Groupe::Capacite).poser(rang, donnees);
        *self.capacites.place(rang) = capacites;
        let apres = self.voient_capacites(rang);
        self.perdre_capacites(rang, avant & !apres, change);
        // Nothing changed for who saw none and sees none.
        self.journaliser_pour(T::Location, rang, avant | apres);
    }

    /// Tells again of the last change of the records of a place: an answer showed it before its event came.
    pub(super) fn rejournaliser_capacites(&mut self, rang: u32) {
        let Some(version) = self.capacites.get(rang).map(|c| c.version) else { return };
        let perdues = self.perdues.get(rang).copied().unwrap_or([JAMAIS; PROFILS]);
        let par_lui = perdues.iter().enumerate().filter(|(_, p)| p.0 == version);
        let pour = par_lui.fold(self.voient_capacites(rang), |m, (p, _)| m | (1 << p));
        self.journaliser_pour(T::Location, rang, pour);
    }
}
