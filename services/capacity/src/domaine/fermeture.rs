//! A place whose offers are all closed has nothing available: 0 means full but open, so
//! what its sources tell is kept aside, never lost, and served again once an offer opens.

use ror_domaine::liaisons::TRE_FERMETURE;
use ror_proto::{
    capacity::v1::{EnregistrementCapacite, FermetureLieu},
    common::v1::Code,
};

use super::indicateurs::DISPONIBLE;

const DEFINITIVE: &str = "DEF";
const PROVISOIRE: &str = "PRO";

/// Closure of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fermeture {
    /// typeFermeture: DEF or PRO.
    pub type_fermeture: String,
    /// ISO 8601; empty when not known.
    pub date: String,
}

/// Closure of an offer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offre {
    /// typeFermeture; empty while it is open.
    pub type_fermeture: String,
    /// dateFermeture, ISO 8601; empty when not known.
    pub date: String,
}

impl Offre {
    /// Whether it is closed on that day: a closure may be announced.
    fn fermee(&self, jour: &str) -> bool {
        !self.type_fermeture.is_empty() && self.date.as_str() <= jour
    }
}

/// Closure of the place that these offers use, on that ISO day; none while one is open, or
/// when nothing uses it.
pub fn du_lieu(offres: &[Offre], jour: &str) -> Option<Fermeture> {
    let derniere = offres.iter().map(|o| o.date.as_str()).max()?;
    if !offres.iter().all(|o| o.fermee(jour)) {
        return None;
    }
    let definitive = offres.iter().all(|o| o.type_fermeture == DEFINITIVE);
    Some(Fermeture {
        type_fermeture: if definitive { DEFINITIVE } else { PROVISOIRE }.to_owned(),
        date: derniere.to_owned(),
    })
}

impl Fermeture {
    /// As it is kept.
    pub(super) fn de(gardee: &FermetureLieu) -> Self {
        Self {
            type_fermeture: gardee.r#type.as_ref().map(|t| t.code.clone()).unwrap_or_default(),
            date: gardee.date.clone(),
        }
    }

    /// To be kept, with the records it keeps aside.
    pub(super) fn dire(self, retenus: Vec<EnregistrementCapacite>) -> FermetureLieu {
        let r#type = Some(Code { systeme: TRE_FERMETURE.to_owned(), code: self.type_fermeture });
        FermetureLieu { r#type, date: self.date, retenus }
    }
}

fn disponible(e: &EnregistrementCapacite) -> bool {
    e.cle.as_ref().is_some_and(|c| c.statut == DISPONIBLE)
}

/// The records of a closed place: nothing available; apart, what their sources tell of it.
pub(super) fn retenir(
    mut enregistrements: Vec<EnregistrementCapacite>,
) -> (Vec<EnregistrementCapacite>, Vec<EnregistrementCapacite>) {
    let mut retenus = Vec::new();
    for e in enregistrements.iter_mut().filter(|e| e.nombre > 0 && disponible(e)) {
        retenus.push(e.clone());
        e.nombre = 0;
    }
    (enregistrements, retenus)
}

/// The records as their sources tell them.
pub(super) fn rendre(
    mut enregistrements: Vec<EnregistrementCapacite>,
    retenus: Vec<EnregistrementCapacite>,
) -> Vec<EnregistrementCapacite> {
    for retenu in retenus {
        if let Some(e) = enregistrements.iter_mut().find(|e| e.cle == retenu.cle) {
            *e = retenu;
        }
    }
    enregistrements
}

#[cfg(test)]
mod tests {
    use ror_chassis::{conversion::maintenant, magasin::Ligne};
    use ror_proto::{capacity::v1::PatchOperation, common::v1::ResultatEcriture};

    use super::*;
    use crate::domaine::{
        Capacites, GENRE,
        patch::Patch,
        tests::{cle, record},
    };

    const JOUR: &str = "2026-10-01";

    fn offre(type_fermeture: &str, date: &str) -> Offre {
        Offre { type_fermeture: type_fermeture.into(), date: date.into() }
    }

    fn fermeture(type_fermeture: &str, date: &str) -> Option<Fermeture> {
        Some(Fermeture { type_fermeture: type_fermeture.into(), date: date.into() })
    }

    #[test]
    fn a_place_is_closed_once_every_offer_that_uses_it_is() {
        let (ouverte, pro, def) = (Offre::default(), offre("PRO", "2026-09-01"), offre("DEF", JOUR));
        for (offres, attendue) in [
            (vec![], None),
            (vec![ouverte.clone()], None),
            (vec![def.clone(), ouverte], None),
            (vec![pro.clone()], fermeture("PRO", "2026-09-01")),
            (vec![pro.clone(), def.clone()], fermeture("PRO", JOUR)),
            (vec![def.clone(), offre("DEF", "")], fermeture("DEF", JOUR)),
            (vec![offre("DEF", "")], fermeture("DEF", "")),
            (vec![pro, offre("PRO", "2026-10-02")], None),
        ] {
            assert_eq!(du_lieu(&offres, JOUR), attendue, "{offres:?}");
        }
        assert_eq!(du_lieu(&[offre("PRO", "2026-10-02")], "2026-10-02"), fermeture("PRO", "2026-10-02"));
    }

    fn ajouter(avant: Capacites, e: EnregistrementCapacite) -> Capacites {
        let tables = ror_domaine::vocabulaire::Tables::default();
        let patch = Patch::valider(PatchOperation::Add, None, Some(e), &tables, maintenant()).unwrap();
        patch.appliquer(avant).unwrap()
    }

    /// As the store gives it back.
    fn relue(c: &Capacites) -> Capacites {
        let ligne = Ligne {
            genre: GENRE.into(),
            id: "lieu-1".into(),
            region: "52".into(),
            version: 1,
            etat: c.etat(),
            retire: false,
            cree_le: maintenant(),
            maj_le: maintenant(),
        };
        Capacites::relire(&ligne, "52").unwrap()
    }

    fn servis(c: &Capacites) -> Vec<u32> {
        let lieu = c.clone().apres(&ResultatEcriture::default());
        lieu.enregistrements.iter().map(|e| e.nombre).collect()
    }

    #[test]
    fn what_is_available_is_served_as_zero_and_comes_back_as_its_source_last_told_it() {
        let mut demain = cle("02");
        demain.temporalite = "03".into();
        let mut ouverte = Capacites::vide("lieu-1", "52");
        for e in [record(cle("01"), 10), record(cle("02"), 3), record(demain, 4), record(cle("03"), 5)] {
            ouverte = ajouter(ouverte, e);
        }
        assert_eq!(servis(&ouverte), [10, 3, 4, 5]);
        let fermee = relue(&ouverte.clone().fermer(fermeture("PRO", JOUR)));
        assert_eq!(
            (servis(&fermee), fermee.fermeture()),
            (vec![10, 0, 0, 5], fermeture("PRO", JOUR).as_ref())
        );
        assert_eq!(relue(&fermee).etat(), fermee.etat(), "kept as it is");
        assert_eq!(fermee.clone().fermer(None).etat(), ouverte.etat(), "open again, as before");
        // A feed goes on: it is heard, and served once the place is open.
        let dite = relue(&ajouter(fermee, record(cle("02"), 2)));
        assert_eq!(servis(&dite), [10, 0, 0, 5]);
        assert_eq!(servis(&dite.fermer(None)), [10, 2, 4, 5]);
    }
}
