//! Two states of a professional, and of their diplomas and authorisations.

use ror_proto::identity::v1::{Changement, Formation, Operation, Professionnel};

use super::{Sujet, different, modifiee, region, retenir};

/// From a known professional to the new one. An activity that is gone is a
/// change of `activites`; a professional is gone when no longer `actif`.
pub(super) fn comparer(sujet: Sujet<'_>, avant: &Professionnel, apres: &Professionnel) -> Vec<Changement> {
    let mut changements = Vec::new();
    if !avant.actif && apres.actif {
        changements.push(sujet.changement(Operation::Rouverte));
    }
    changements.extend(modifiee(sujet, champs(avant, apres)));
    if avant.actif && !apres.actif {
        changements.push(sujet.changement(Operation::Fermee));
    }
    changements
}

fn champs(a: &Professionnel, b: &Professionnel) -> Vec<&'static str> {
    // Equal lists in the same order are the ordinary case: nothing to sort.
    let exercent_autrement = a.exercices != b.exercices;
    retenir([
        ("rpps", a.rpps != b.rpps),
        ("civilite", a.civilite != b.civilite),
        ("nom", a.nom != b.nom),
        ("prenom", a.prenom != b.prenom),
        ("exercices", exercent_autrement && different(exercices(a), exercices(b))),
        ("savoir_faire", exercent_autrement && different(savoir_faire(a), savoir_faire(b))),
        ("activites", exercent_autrement && different(activites(a), activites(b))),
        ("region", region(a.meta.as_ref()) != region(b.meta.as_ref())),
    ])
}

fn exercices(p: &Professionnel) -> impl Iterator<Item = [&str; 3]> {
    p.exercices.iter().map(|e| [e.profession.as_str(), e.categorie.as_str(), e.civilite_exercice.as_str()])
}

fn savoir_faire(p: &Professionnel) -> impl Iterator<Item = [&str; 4]> {
    p.exercices.iter().flat_map(|e| {
        e.savoir_faire
            .iter()
            .map(move |s| [e.profession.as_str(), e.categorie.as_str(), s.r#type.as_str(), s.code.as_str()])
    })
}

fn activites(p: &Professionnel) -> impl Iterator<Item = [&str; 10]> {
    p.exercices.iter().flat_map(|e| {
        e.activites.iter().map(move |a| {
            [
                e.profession.as_str(),
                e.categorie.as_str(),
                a.mode_exercice.as_str(),
                a.finess_site.as_str(),
                a.finess_ej.as_str(),
                a.siret.as_str(),
                a.id_technique_structure.as_str(),
                a.secteur.as_str(),
                a.role.as_str(),
                a.genre.as_str(),
            ]
        })
    })
}

/// Fields that differ between two states of diplomas and authorisations. Their
/// region is that of the professional, which their file does not tell.
pub(super) fn champs_formation(a: &Formation, b: &Formation) -> Vec<&'static str> {
    retenir([
        ("diplomes", different(diplomes(a), diplomes(b))),
        ("autorisations", different(autorisations(a), autorisations(b))),
    ])
}

fn diplomes(f: &Formation) -> impl Iterator<Item = [&str; 2]> {
    f.diplomes.iter().map(|d| [d.r#type.as_str(), d.code.as_str()])
}

fn autorisations(f: &Formation) -> impl Iterator<Item = [&str; 2]> {
    f.autorisations.iter().map(|a| [a.r#type.as_str(), a.discipline.as_str()])
}
