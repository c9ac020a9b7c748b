//! Capacity records of places, beside their rows, and what they add to the version and date of their place for
//! each profile: what a profile cannot read of them moves nothing that it reads.

use std::sync::Arc;

use prost::Message as _;
use ror_chassis::conversion::instant;
use ror_proto::capacity::v1::{Capacity, EnregistrementCapacite, capacity};

use super::{Modele, TypeFhir as T, enregistrements::Donnee, etat::Etat};
use crate::{
    fhir::{
        politique::{Bloc, Faits, PROFILS, Politique},
        rendu::statut_capacite,
    },
    recherche::parametres::Groupe,
};

/// Version and date of a change of the records of a place, and the profiles, one bit each, that could read none
/// since: most of them read the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Apport {
    profils: u8,
    version: u64,
    maj: i64,
}

super::image::par_champs!(Apport { profils, version, maj });

/// Of a profile that never read any.
const JAMAIS: (u64, i64) = (0, i64::MIN);

/// Capacity records of a place. What was withdrawn keeps its version, so that nothing older comes back.
#[derive(Clone, Default)]
pub(super) struct Capacites {
    pub version: u64,
    pub maj: i64,
    /// As it is kept.
    pub etat: Option<Arc<[u8]>>,
    /// A profile that is in none never read any.
    apports: Option<Arc<[Apport]>>,
}

super::image::par_champs!(Capacites { version, maj, etat, apports });

impl Capacites {
    pub fn etat(&self) -> Option<Etat<'_>> {
        self.etat.as_deref().map(Etat::de)
    }

    fn apports(&self) -> impl Iterator<Item = &Apport> {
        self.apports.iter().flat_map(|a| a.iter())
    }

    fn apport(&self, profil: u8) -> (u64, i64) {
        self.apports().find(|a| a.profils & (1 << profil) != 0).map_or(JAMAIS, |a| (a.version, a.maj))
    }

    /// Notes a change that these profiles read.
    fn dater(&mut self, profils: u8, (version, maj): (u64, i64)) {
        let mut apports: Vec<Apport> = Vec::new();
        for p in 0..PROFILS as u8 {
            let (profil, connu) = (1 << p, self.apport(p));
            let change = profils & profil != 0;
            let (version, maj) = if change { (connu.0.max(version), connu.1.max(maj)) } else { connu };
            if (version, maj) == JAMAIS {
                continue;
            }
            match apports.iter_mut().find(|a| (a.version, a.maj) == (version, maj)) {
                Some(a) => a.profils |= profil,
                None => apports.push(Apport { profils: profil, version, maj }),
            }
        }
        self.apports = Some(apports.into());
    }
}

/// What decides who reads which records of a place.
pub(super) struct Regard {
    politique: Arc<Politique>,
    faits: Faits,
    masque: u8,
}

impl Regard {
    fn vus<'a>(
        &'a self,
        tous: &'a [EnregistrementCapacite],
        profil: u8,
    ) -> impl Iterator<Item = &'a EnregistrementCapacite> {
        let voit_le_lieu = self.masque & (1 << profil) != 0;
        tous.iter().filter(move |e| {
            let faits = Faits { statut: statut_capacite(e), ..self.faits };
            voit_le_lieu && self.politique.permet(Bloc::LieuCapacite, profil, &faits)
        })
    }

    fn voit(&self, tous: &[EnregistrementCapacite], profil: u8) -> bool {
        self.vus(tous, profil).next().is_some()
    }

    /// When the records that a profile reads changed, as far as they tell: `maj` is when any of them did.
    fn date(&self, tous: &[EnregistrementCapacite], profil: u8, maj: i64) -> i64 {
        if self.vus(tous, profil).count() == tous.len() {
            return maj;
        }
        let dates = self.vus(tous, profil).filter_map(|e| e.date_maj.as_ref().and_then(instant));
        let derniere = dates.max().map(|d| (d.unix_timestamp_nanos() / 1_000_000) as i64);
        derniere.map_or(maj, |d| d.min(maj))
    }
}

/// Profiles that read these records otherwise than those; one bit each.
fn lisent_autrement(
    (avant, anciens): (&Regard, &[EnregistrementCapacite]),
    (apres, nouveaux): (&Regard, &[EnregistrementCapacite]),
) -> u8 {
    (0..PROFILS as u8)
        .filter(|p| !avant.vus(anciens, *p).eq(apres.vus(nouveaux, *p)))
        .fold(0, |m, p| m | (1 << p))
}

impl Modele {
    /// What is known of the records of a place, withdrawn ones too. Few places have any.
    pub(super) fn capacites_de(&self, rang: u32) -> Option<&Capacites> {
        self.capacites.get(rang)?.as_deref()
    }

    fn place_des_capacites(&mut self, rang: u32) -> &mut Capacites {
        Arc::make_mut(self.capacites.place(rang).get_or_insert_default())
    }

    pub(super) fn capacite(&self, rang: u32) -> Option<&Capacites> {
        self.capacites_de(rang).filter(|c| c.etat.is_some())
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

    /// What capacities add to the version of a place, and when they changed, as a profile may know. It never
    /// goes back, and moves only with what the profile reads.
    pub(super) fn apport_des_capacites(&self, rang: u32, profil: u8) -> (u64, i64) {
        self.capacites_de(rang).map_or(JAMAIS, |c| c.apport(profil))
    }

    fn enregistrements(&self, rang: u32) -> Vec<EnregistrementCapacite> {
        let etat = self.capacite(rang).and_then(Capacites::etat);
        let ressource = etat.and_then(|e| Capacity::decode(e.lire()).ok()?.ressource);
        ressource.map(|capacity::Ressource::CapaciteLieu(k)| k.enregistrements).unwrap_or_default()
    }

    /// Who reads which records of a place at present.
    pub(super) fn regard(&self, rang: u32) -> Regard {
        let table = self.table(T::Location);
        Regard { politique: self.politique.clone(), faits: table.faits(rang), masque: table.masque(rang) }
    }

    /// Dates the records of every place, once rights are known.
    pub(super) fn dater_toutes_les_capacites(&mut self) {
        let personne = Regard { politique: self.politique.clone(), faits: Faits::default(), masque: 0 };
        for rang in 0..self.table(T::Location).nombre() {
            self.revoir_capacites(rang, &personne);
        }
    }

    /// Notes who came to read other records of a place that did not change themselves. Who ceased to read any is
    /// told nothing of those hidden since.
    pub(super) fn revoir_capacites(&mut self, rang: u32, avant: &Regard) {
        let Some((version, maj)) = self.capacite(rang).map(|c| (c.version, c.maj)) else { return };
        let (apres, tous) = (self.regard(rang), self.enregistrements(rang));
        let autrement = lisent_autrement((avant, &tous), (&apres, &tous));
        for p in (0..PROFILS as u8).filter(|p| autrement & (1 << p) != 0 && apres.voit(&tous, *p)) {
            self.place_des_capacites(rang).dater(1 << p, (version, apres.date(&tous, p, maj)));
        }
    }

    /// Replaces the records of a place, when they are newer; answers whether they were.
    pub(super) fn poser_capacites(
        &mut self,
        rang: u32,
        (version, maj): (u64, i64),
        etat: Option<Arc<[u8]>>,
        donnees: &[Donnee],
    ) -> bool {
        if self.capacites_de(rang).is_some_and(|c| c.version >= version) {
            return false;
        }
        self.remplacer_capacites(rang, (version, maj), etat, donnees, (version, maj));
        true
    }

    /// Takes out the records that a whole snapshot does not hold; answers whether there were any. When they
    /// were withdrawn is not known: after the version they had.
    pub(super) fn oter_capacites(&mut self, rang: u32) -> bool {
        let Some(c) = self.capacite(rang) else { return false };
        let (version, maj) = (c.version, c.maj);
        self.remplacer_capacites(rang, (version, maj), None, &[], (version + 1, maj));
        true
    }

    fn remplacer_capacites(
        &mut self,
        rang: u32,
        (version, maj): (u64, i64),
        etat: Option<Arc<[u8]>>,
        donnees: &[Donnee],
        change: (u64, i64),
    ) {
        // Before rights are known, nobody reads any.
        let connus = !self.travail.differe;
        let anciens = if connus { self.enregistrements(rang) } else { Vec::new() };
        self.table_mut(T::Location).groupe_mut(Groupe::Capacite).poser(rang, donnees);
        let c = self.place_des_capacites(rang);
        (c.version, c.maj, c.etat) = (version, maj, etat);
        if connus {
            let regard = self.regard(rang);
            let pour = lisent_autrement((&regard, &anciens), (&regard, &self.enregistrements(rang)));
            if pour != 0 {
                self.place_des_capacites(rang).dater(pour, change);
            }
            self.journaliser_pour(T::Location, rang, pour);
        }
    }

    /// Tells again of the last change of the records of a place, to who could read it: an answer showed it before
    /// its event came.
    pub(super) fn rejournaliser_capacites(&mut self, rang: u32) {
        let Some(c) = self.capacites_de(rang) else { return };
        let pour = c.apports().filter(|a| a.version == c.version).fold(0, |m, a| m | a.profils);
        self.journaliser_pour(T::Location, rang, pour);
    }
}
