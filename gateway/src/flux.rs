//! The change feed: what changed, in the order of the moments, at least once, for whoever gives back the
//! cursor it was given. Successive moments are compared as sets, so that a subscriber that falls behind
//! gets one step over all it missed, and rights and criteria that change count as changes.
//!
//! Reading order: [`curseur`], [`touches`] and [`voisinage`] (what a journal says), [`comparaison`] (from
//! two moments to rows), [`emission`] (from rows to the bytes of an answer).

pub mod comparaison;
pub mod curseur;
pub mod emission;
pub mod touches;
pub mod voisinage;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use ror_chassis::{Erreur, Resultat};
use tokio_util::sync::CancellationToken;

use crate::{
    Passerelle,
    export::{portee::Recherches, reduction::Elements, tache::maintenant},
    modele::{Modele, TypeFhir},
    reglages::ReglagesFlux,
};
use comparaison::{Perime, Repere};
use curseur::Curseur;

/// Clocks of two replicas differ by less, milliseconds.
const ECART_HORLOGES: i64 = 5_000;

/// What is followed, and as whom.
pub struct Abonnement {
    /// Profile.
    pub profil: u8,
    /// What is followed.
    pub recherches: Recherches,
    /// Types that this looks at.
    pub types: Vec<TypeFhir>,
    /// Elements kept, when not all are.
    pub elements: Option<Elements>,
    /// URL of the façade as the caller knows it.
    pub base: String,
    /// What tells the nomenclatures of the copy that is followed: its cursors say it.
    pub mots: u64,
    /// Whether the criteria mean something else with others.
    pub par_les_mots: bool,
}

impl Abonnement {
    /// To what these searches find under a profile.
    pub fn nouveau(profil: u8, recherches: Recherches, elements: Option<Elements>, base: String) -> Self {
        let mut types: Vec<TypeFhir> = Vec::new();
        for (t, requetes) in &recherches.0 {
            types.push(*t);
            types.extend(requetes.iter().flat_map(voisinage::types));
        }
        types.sort_unstable();
        types.dedup();
        Self { profil, recherches, types, elements, base, mots: 0, par_les_mots: false }
    }

    /// Follows a copy made with these nomenclatures; `lus`: the criteria are read with them.
    #[must_use]
    pub fn avec_les_mots(self, mots: u64, lus: bool) -> Self {
        Self { mots, par_les_mots: lus, ..self }
    }

    /// Whether the criteria still ask what they asked when the copy was made.
    ///
    /// # Errors
    ///
    /// [`Perime::Mots`]: rows may have come in or gone out that nothing touched.
    pub fn lire_encore(&self, mots: u64) -> Result<(), Perime> {
        if self.par_les_mots && self.mots != mots { Err(Perime::Mots) } else { Ok(()) }
    }
}

/// Subscribers of this replica.
pub struct Abonnes {
    reglages: ReglagesFlux,
    presents: Arc<Mutex<HashMap<String, usize>>>,
    /// Ends every answer that stays open.
    pub arret: CancellationToken,
}

impl Abonnes {
    /// None yet.
    pub fn nouveau(reglages: ReglagesFlux, arret: CancellationToken) -> Self {
        Self { reglages, presents: Arc::default(), arret }
    }

    /// A place for one answer of a caller, given back when dropped.
    ///
    /// # Errors
    ///
    /// [`Erreur::Epuise`] past a bound.
    pub fn prendre(&self, client_id: &str) -> Resultat<Place> {
        let mut presents = self.presents.lock();
        let siens = presents.get(client_id).copied().unwrap_or_default();
        if siens >= self.reglages.par_client {
            return Err(Erreur::Epuise(format!(
                "cette application suit déjà {siens} fois les changements. Attendu : {} abonnements au plus",
                self.reglages.par_client
            )));
        }
        let tous: usize = presents.values().sum();
        if tous >= self.reglages.abonnes {
            return Err(Erreur::Epuise(
                "trop d'abonnés suivent les changements. Attendu : recommencer plus tard".into(),
            ));
        }
        presents.insert(client_id.to_owned(), siens + 1);
        metrics::gauge!("ror_feed_subscribers").set((tous + 1) as f64);
        Ok(Place { presents: self.presents.clone(), client_id: client_id.to_owned() })
    }
}

/// A place taken.
pub struct Place {
    presents: Arc<Mutex<HashMap<String, usize>>>,
    client_id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut presents = self.presents.lock();
        match presents.get_mut(&self.client_id) {
            Some(n) if *n > 1 => *n -= 1,
            _ => {
                presents.remove(&self.client_id);
            }
        }
        metrics::gauge!("ror_feed_subscribers").set(presents.values().sum::<usize>() as f64);
    }
}

/// The cursor of a moment, for a copy made under that profile with these nomenclatures.
pub fn curseur_de(p: &Passerelle, m: &Modele, profil: u8, mots: u64) -> String {
    curseur(m, profil, mots).sceller(&p.secret)
}

fn curseur(m: &Modele, profil: u8, mots: u64) -> Curseur {
    let droits = m.politique().empreinte_pour(profil);
    Curseur { positions: m.positions(), date: maintenant(), droits, mots }
}

/// What tells the labels and value sets of now, alike on every replica of a build.
pub fn mots(p: &Passerelle) -> u64 {
    p.indexeur.empreinte_libelles() ^ p.terminologie.load().empreinte_jeux().rotate_left(1)
}

/// Where a cursor stands on this replica.
///
/// # Errors
///
/// [`Perime`] when what changed since cannot be told: also when the cursor is of another life of the streams.
pub fn retrouver(p: &Passerelle, m: &Modele, profil: u8, c: &Curseur) -> Result<Repere, Perime> {
    // A cursor may be ahead of a replica that is late, but not of one that has caught up since it was
    // given: its streams were then made anew.
    let retard = p.fraicheur.retard().map_or(i64::MAX, |s| (s * 1000.0) as i64);
    let devant = c.positions.iter().zip(m.positions()).any(|(c, ici)| *c > ici);
    if devant && c.date < maintenant().saturating_sub(retard).saturating_sub(ECART_HORLOGES) {
        return Err(Perime::Journal);
    }
    situer(m, profil, c)
}

/// Where a cursor stands among the moments up to this one.
fn situer(m: &Modele, profil: u8, c: &Curseur) -> Result<Repere, Perime> {
    // Another policy, or another profile, changes what is read of rows that nothing touched, at positions that stay the
    // same.
    if c.droits != m.politique().empreinte_pour(profil) {
        return Err(Perime::Droits);
    }
    m.journal_repere(c.positions).map(Repere::Numero).ok_or(Perime::Journal)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        fhir::politique::{POLITIQUE_TSV, Politique, politique_par_defaut},
        modele::{Annuaire, Source, tests::vide},
    };

    fn politique(tsv: &str) -> Arc<Politique> {
        Arc::new(Politique::compiler(&politique_par_defaut(tsv).unwrap()).unwrap())
    }

    #[test]
    fn a_cursor_given_under_other_rights_is_of_no_use_even_where_nothing_moved() {
        let a = Annuaire::nouveau(vide(), Duration::from_secs(60), 2);
        a.ecrire(|m| m.resituer(Source::Offers, 12, 1));
        let [avant, autre_profil] = [5, 1].map(|profil| curseur(&a.instant(), profil, 0));
        assert!(situer(&a.instant(), 5, &avant).is_ok());
        // The profile of an application may be another the day after.
        let sous = |profil| situer(&a.instant(), profil, &avant).err();
        assert_eq!([0, 1, 2, 3, 4].map(sous), [Some(Perime::Droits); 5]);
        let autre = POLITIQUE_TSV.replace("lieu.equipement\t5\t!sensible", "lieu.equipement\t5\tjamais");
        a.ecrire(|m| m.changer_politique(politique(&autre)));
        let m = a.instant();
        assert_eq!(curseur(&m, 5, 0).positions, avant.positions);
        assert_eq!(situer(&m, 5, &avant).err(), Some(Perime::Droits));
        assert!(situer(&m, 5, &curseur(&m, 5, 0)).is_ok());
        assert!(situer(&m, 1, &autre_profil).is_ok(), "its rules are the same");
        // The same policy, compiled again: alike on every replica, and after a restart.
        assert_eq!(politique(&autre).empreinte(), m.politique().empreinte());
    }

    #[test]
    fn a_feed_ends_with_the_nomenclatures_that_its_criteria_are_read_with() {
        let suivre = |lus| {
            let a = Abonnement::nouveau(1, Recherches(Vec::new()), None, String::new());
            a.avec_les_mots(7, lus)
        };
        assert_eq!([suivre(true).lire_encore(7), suivre(false).lire_encore(8)], [Ok(()); 2]);
        assert_eq!(suivre(true).lire_encore(8), Err(Perime::Mots));
    }

    #[test]
    fn places_are_bounded_for_one_and_for_all_and_given_back() {
        let a = Abonnes::nouveau(ReglagesFlux { abonnes: 3, par_client: 2 }, CancellationToken::new());
        let (un, deux) = (a.prendre("a").unwrap(), a.prendre("a").unwrap());
        assert!(matches!(a.prendre("a"), Err(Erreur::Epuise(_))));
        let _trois = a.prendre("b").unwrap();
        assert!(matches!(a.prendre("c"), Err(Erreur::Epuise(_))));
        drop(un);
        let _quatre = a.prendre("c").unwrap();
        drop(deux);
        assert!(a.prendre("a").is_ok());
        assert_eq!(a.presents.lock().len(), 2);
    }
}
