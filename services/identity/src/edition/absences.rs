//! What a whole edition no longer holds: told the first time, counted as long as it
//! lasts, closed only where absence is the sign of the end, forgotten when it is back.

use std::collections::HashMap;

use ror_chassis::{
    Resultat,
    magasin::{Bloc, Ligne},
};
use ror_domaine::ressource::Ressource as _;
use ror_proto::identity::v1::{Changement, Format, Identity, Operation, identity::Ressource};

use super::{
    application::Application,
    comptes::ouverte,
    connus::{self, Cle, Connus},
    proposition::Proposition,
};
use crate::{
    difference::{
        GENRES, Sujet,
        absences::{SuiteAbsence, anomalie, decider_absence},
    },
    store::absences::{self as store, Absence},
};

/// Records looked at together.
const LOT: usize = 500;

/// The absences of one edition.
pub(super) struct Absences<'a> {
    format: Format,
    /// Key of the edition: the same edition counts once.
    edition: &'a str,
    connues: HashMap<Cle, Absence>,
}

impl<'a> Absences<'a> {
    /// Those that stood before the edition.
    pub(super) async fn charger(bloc: &mut Bloc, format: Format, edition: &'a str) -> Resultat<Self> {
        let toutes = store::toutes(bloc.connexion(), format as i32).await?;
        let connues = toutes.into_iter().map(|a| (connus::cle(&a.id), a)).collect();
        Ok(Self { format, edition, connues })
    }

    /// Forgets those of records that are back, and tells it: one that was closed for it
    /// is told by its reopening.
    pub(super) async fn lever(
        &mut self,
        bloc: &mut Bloc,
        connus: &mut Connus,
        application: &mut Application,
    ) -> Resultat<()> {
        let revenues: Vec<Cle> = self.connues.keys().filter(|cle| connus.vu(cle)).copied().collect();
        for lot in revenues.chunks(LOT) {
            let absences: Vec<Absence> = lot.iter().filter_map(|cle| self.connues.remove(cle)).collect();
            let ids: Vec<String> = absences.iter().map(|a| a.id.clone()).collect();
            store::lever(bloc.connexion(), self.format as i32, &ids).await?;
            let dits = absences.into_iter().filter(|a| !a.fermee).filter_map(reapparue).collect();
            application.signaler(bloc, dits).await?;
        }
        Ok(())
    }

    /// Notes every known and open record that the edition does not hold.
    pub(super) async fn noter(
        &self,
        bloc: &mut Bloc,
        connus: &Connus,
        application: &mut Application,
    ) -> Resultat<()> {
        let mut absents = connus.absents().filter(|id| !self.fermee(id));
        loop {
            let ids: Vec<String> = absents.by_ref().take(LOT).collect();
            if ids.is_empty() {
                return application.vider(bloc).await;
            }
            let lignes = bloc.etats(&ids).await?;
            let (mut posees, mut dits) = (Vec::new(), Vec::new());
            for ligne in &lignes {
                let tenue = Identity::depuis(ligne)?;
                let Some(sujet) = Sujet::de(&tenue).filter(|_| ouverte(&tenue)) else {
                    continue;
                };
                application.comptes.absent(sujet.genre);
                let absence = self.suivante(sujet);
                if !self.connues.contains_key(&connus::cle(sujet.id)) {
                    dits.push((sujet.genre, sujet.changement(Operation::Disparue)));
                }
                let nombre = u32::try_from(absence.nombre).unwrap_or(0);
                if let Some(a) = anomalie(sujet, nombre) {
                    application.anomalies.ajouter(a, 0)?;
                }
                let fermer = decider_absence(sujet.genre, sujet.cle, nombre) == SuiteAbsence::Fermer;
                if fermer && let Some(p) = self.fermer(ligne, &tenue) {
                    application.ajouter(bloc, p).await?;
                }
                posees.push(Absence { fermee: fermer, ..absence });
            }
            store::poser(bloc.connexion(), self.format as i32, &posees).await?;
            application.signaler(bloc, dits).await?;
        }
    }

    /// True when the record was closed for its absence: there is nothing more to say.
    fn fermee(&self, id: &str) -> bool {
        self.connues.get(&connus::cle(id)).is_some_and(|a| a.fermee)
    }

    /// The absence, one edition later.
    fn suivante(&self, sujet: Sujet<'_>) -> Absence {
        let connue = self.connues.get(&connus::cle(sujet.id));
        let meme = connue.is_some_and(|a| !self.edition.is_empty() && a.edition == self.edition);
        Absence {
            id: sujet.id.to_owned(),
            genre: sujet.genre.to_owned(),
            cle: sujet.cle.to_owned(),
            edition: self.edition.to_owned(),
            nombre: connue.map_or(0, |a| a.nombre).saturating_add(i32::from(!meme)),
            fermee: false,
        }
    }

    /// The record, no longer active as of this edition.
    fn fermer(&self, ligne: &Ligne, tenue: &Identity) -> Option<Proposition> {
        let mut apres = tenue.clone();
        if let Some(Ressource::Professionnel(p)) = &mut apres.ressource {
            p.actif = false;
        }
        let mut p = Proposition::nouvelle(Some(tenue), ligne.version + 1, &mut apres, 0)?;
        for c in &mut p.changements {
            c.date = jour(self.edition);
        }
        Some(p)
    }
}

/// Day of an edition key, ISO 8601; empty when it has none.
fn jour(cle: &str) -> String {
    match (cle.get(..4), cle.get(4..6), cle.get(6..8)) {
        (Some(annee), Some(mois), Some(jour)) => format!("{annee}-{mois}-{jour}"),
        _ => String::new(),
    }
}

fn reapparue(a: Absence) -> Option<(&'static str, Changement)> {
    let genre = GENRES.into_iter().find(|genre| *genre == a.genre)?;
    let sujet = Sujet { genre, id: &a.id, cle: &a.cle };
    Some((genre, sujet.changement(Operation::Reapparue)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::difference::PROFESSIONNEL;

    #[test]
    fn the_day_of_an_edition_is_read_in_its_key() {
        assert_eq!(jour("202610020830"), "2026-10-02");
        assert_eq!(jour("20261002"), "2026-10-02");
        assert_eq!(jour("202610"), "");
        assert_eq!(jour(""), "");
    }

    #[test]
    fn an_absence_counts_once_an_edition() {
        let sujet = Sujet { genre: PROFESSIONNEL, id: "x", cle: "810990000019" };
        let mut absences =
            Absences { format: Format::RppsRestreint, edition: "20261001", connues: HashMap::new() };
        let premiere = absences.suivante(sujet);
        assert_eq!((premiere.nombre, premiere.fermee), (1, false));
        absences.connues.insert(connus::cle("x"), premiere);
        assert_eq!(absences.suivante(sujet).nombre, 1, "the same edition again");
        absences.edition = "20261002";
        assert_eq!(absences.suivante(sujet).nombre, 2);
        absences.edition = "";
        assert_eq!(absences.suivante(sujet).nombre, 2, "an edition without a key is another one");
    }
}
