//! Two states of the activities of a structure.

use ror_proto::identity::v1::{ActiviteFiness, ActivitesFiness};

use super::{different, retenir};

/// Fields that differ. An activity added or gone is `activites` alone; when the
/// same activities stay, their state, capacities and communes are told apart.
/// Their region is that of the structure, which their file does not tell.
pub(super) fn champs(a: &ActivitesFiness, b: &ActivitesFiness) -> Vec<&'static str> {
    let (a, b) = (a.activites.as_slice(), b.activites.as_slice());
    if a == b {
        return Vec::new();
    }
    if different(identifiants(a), identifiants(b)) {
        return vec!["activites"];
    }
    retenir([
        ("activites", different(descriptions(a), descriptions(b))),
        ("statut", different(statuts(a), statuts(b))),
        ("capacites", different(capacites(a), capacites(b))),
        ("communes", different(communes(a), communes(b))),
    ])
}

fn identifiants(activites: &[ActiviteFiness]) -> impl Iterator<Item = &str> {
    activites.iter().map(|a| a.identifiant.as_str())
}

fn descriptions(activites: &[ActiviteFiness]) -> impl Iterator<Item = [&str; 11]> {
    activites.iter().map(|a| {
        [
            a.identifiant.as_str(),
            a.nature.as_str(),
            a.activite.as_str(),
            a.modalite.as_str(),
            a.forme.as_str(),
            a.public.as_str(),
            a.identifiant_autorisation.as_str(),
            a.num_arhgos.as_str(),
            a.date_debut.as_str(),
            a.date_fin.as_str(),
            a.date_fin_effective.as_str(),
        ]
    })
}

fn statuts(activites: &[ActiviteFiness]) -> impl Iterator<Item = (&str, i32)> {
    activites.iter().map(|a| (a.identifiant.as_str(), a.statut))
}

fn capacites(activites: &[ActiviteFiness]) -> impl Iterator<Item = (&str, &str, &str, u32)> {
    activites.iter().flat_map(|a| {
        a.capacites
            .iter()
            .map(move |c| (a.identifiant.as_str(), c.statut.as_str(), c.unite.as_str(), c.nombre))
    })
}

fn communes(activites: &[ActiviteFiness]) -> impl Iterator<Item = (&str, &str)> {
    activites.iter().flat_map(|a| a.communes.iter().map(move |c| (a.identifiant.as_str(), c.as_str())))
}
