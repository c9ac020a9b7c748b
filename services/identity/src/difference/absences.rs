//! What to do of a record that is known, open, and not in a complete edition.
//!
//! The caller asks only for what the channel should have held: open structures
//! (the legacy files hold no other), active professionals, and never for a part
//! of an edition.

use ror_proto::identity::v1::Anomalie;

use super::{PROFESSIONNEL, Sujet};

/// Consecutive absences after which a professional of RPPS is no longer active:
/// an edition may be partial without a word.
pub const ABSENCES_PROFESSIONNEL: u32 = 2;

/// Consecutive absences before a person may close a structure that vanished.
pub const ABSENCES_STRUCTURE: u32 = 3;

/// What follows an absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuiteAbsence {
    /// Tell it; the record stays as it is.
    Signaler,
    /// The record is no longer active, as of the date of the edition.
    Fermer,
    /// Tell it for a person; nothing but a person ever closes the record.
    Retenir,
}

/// Decides after `editions_consecutives` absences in a row, this edition
/// included. `genre` and `cle` are those of [`Sujet`]. Only professionals with a
/// RPPS number close by absence, their file having no other sign; ADELI is a
/// closed register whose numbers leave when they are replaced.
#[must_use]
pub fn decider_absence(genre: &str, cle: &str, editions_consecutives: u32) -> SuiteAbsence {
    if genre != PROFESSIONNEL {
        return SuiteAbsence::Signaler;
    }
    match cle.as_bytes().first() {
        Some(b'8') if editions_consecutives >= ABSENCES_PROFESSIONNEL => SuiteAbsence::Fermer,
        Some(b'8') => SuiteAbsence::Signaler,
        _ => SuiteAbsence::Retenir,
    }
}

/// True when a person may close what vanished without an event. Never enough by
/// itself: somebody decides.
#[must_use]
pub fn fermeture_permise(genre: &str, editions_consecutives: u32) -> bool {
    genre == PROFESSIONNEL || editions_consecutives >= ABSENCES_STRUCTURE
}

/// The anomaly of an absence, to be shown to a person. `None` when it is an
/// ordinary one, that needs nobody.
#[must_use]
pub fn anomalie(sujet: Sujet<'_>, editions_consecutives: u32) -> Option<Anomalie> {
    let suite = decider_absence(sujet.genre, sujet.cle, editions_consecutives);
    let (regle, message) = match suite {
        SuiteAbsence::Retenir => (
            "adeli-absent",
            "Un professionnel à numéro ADELI est absent de l'édition ; il n'est pas fermé pour cela.",
        ),
        SuiteAbsence::Signaler if sujet.genre != PROFESSIONNEL => (
            "disparue-sans-evenement",
            "Absent d'une édition complète, sans événement qui l'explique ; rien n'est fermé.",
        ),
        SuiteAbsence::Signaler | SuiteAbsence::Fermer => return None,
    };
    let preuve = format!("Absent de {editions_consecutives} édition(s) complète(s) de suite.");
    Some(Anomalie {
        valeur_connue: sujet.cle.to_owned(),
        preuves: vec![preuve],
        ..sujet.anomalie(regle, message)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ACTIVITES, ENTITE_GEOGRAPHIQUE, ENTITE_JURIDIQUE, FORMATION};
    use super::*;

    #[test]
    fn a_structure_never_closes_by_absence() {
        for genre in [ENTITE_JURIDIQUE, ENTITE_GEOGRAPHIQUE, ACTIVITES, FORMATION] {
            for absences in [1, 2, 3, 1000] {
                assert_eq!(decider_absence(genre, "010000024", absences), SuiteAbsence::Signaler);
            }
        }
        assert!(!fermeture_permise(ENTITE_GEOGRAPHIQUE, 2));
        assert!(fermeture_permise(ENTITE_GEOGRAPHIQUE, 3));
    }

    #[test]
    fn a_professional_of_rpps_closes_at_the_second_absence() {
        assert_eq!(decider_absence(PROFESSIONNEL, "810990000019", 1), SuiteAbsence::Signaler);
        assert_eq!(decider_absence(PROFESSIONNEL, "810990000019", 2), SuiteAbsence::Fermer);
        assert_eq!(decider_absence(PROFESSIONNEL, "810990000019", 3), SuiteAbsence::Fermer);
    }

    #[test]
    fn any_other_identifier_is_retained() {
        for cle in ["0259001238", "", "3019000207/1", "é"] {
            assert_eq!(decider_absence(PROFESSIONNEL, cle, 1000), SuiteAbsence::Retenir, "{cle}");
        }
    }

    #[test]
    fn only_what_needs_a_person_becomes_an_anomaly() {
        let sujet = |genre, cle| Sujet { genre, id: "x", cle };
        assert_eq!(anomalie(sujet(PROFESSIONNEL, "810990000019"), 1), None);
        assert_eq!(anomalie(sujet(PROFESSIONNEL, "810990000019"), 2), None);
        let adeli = anomalie(sujet(PROFESSIONNEL, "0259001238"), 1).unwrap();
        assert_eq!(adeli.regle, "adeli-absent");
        let site = anomalie(sujet(ENTITE_GEOGRAPHIQUE, "019000207"), 2).unwrap();
        assert_eq!((site.regle.as_str(), site.ressource_id.as_str()), ("disparue-sans-evenement", "x"));
        assert_eq!(site.preuves, ["Absent de 2 édition(s) complète(s) de suite."]);
    }
}
