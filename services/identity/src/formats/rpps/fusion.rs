//! Order of the lists of a professional, and two records of a person merged.

use ror_proto::identity::v1::{Activite, ExerciceProfessionnel, Professionnel, SavoirFaire};

/// Merges a record read again later in the same file into the first one. The
/// result is the record that contiguous lines would have given; the metadata of
/// `base` stay, except the region. A record without a name (of a `SavoirFaire`
/// file) says nothing of the identity.
pub fn fusionner(base: &mut Professionnel, reprise: Professionnel) {
    let region = reprise.meta.as_ref().map_or("", |meta| meta.region.as_str());
    if let Some(meta) = base.meta.as_mut() {
        let retenue = region_retenue(&meta.region, region).to_owned();
        meta.region = retenue;
    }
    if !reprise.nom.is_empty() && identite(&reprise) < identite(base) {
        base.civilite = reprise.civilite;
        base.nom = reprise.nom;
        base.prenom = reprise.prenom;
    }
    base.actif |= reprise.actif;
    for exercice in reprise.exercices {
        let meme = base.exercices.iter_mut().find(|connu| meme_exercice(connu, &exercice));
        match meme {
            Some(connu) => fusionner_exercice(connu, exercice),
            None => base.exercices.push(exercice),
        }
    }
    trier_exercices(&mut base.exercices);
}

/// True for the same profession in the same category.
pub(super) fn meme_exercice(un: &ExerciceProfessionnel, autre: &ExerciceProfessionnel) -> bool {
    un.profession == autre.profession && un.categorie == autre.categorie
}

/// The region of a person: the smallest code among those of the activities, so
/// that neither the order of the lines nor a merge changes it.
pub(super) fn region_retenue<'r>(connue: &'r str, autre: &'r str) -> &'r str {
    if autre.is_empty() || (!connue.is_empty() && connue <= autre) { connue } else { autre }
}

/// Puts exercices in order.
pub(super) fn trier_exercices(exercices: &mut [ExerciceProfessionnel]) {
    exercices
        .sort_by(|un, autre| (&un.profession, &un.categorie).cmp(&(&autre.profession, &autre.categorie)));
}

/// Puts savoir-faire in order, each once.
pub(super) fn trier_savoir_faire(savoir_faire: &mut Vec<SavoirFaire>) {
    savoir_faire.sort_by(|un, autre| (&un.r#type, &un.code).cmp(&(&autre.r#type, &autre.code)));
    savoir_faire.dedup();
}

/// Puts activities in order, each once.
pub(super) fn trier_activites(activites: &mut Vec<Activite>) {
    activites.sort_by(|une, autre| cle(une).cmp(&cle(autre)));
    activites.dedup();
}

/// What makes an activity: mode, FINESS of the site, FINESS of the legal entity,
/// SIRET, technical id, sector, role, genre.
pub(super) fn cle(activite: &Activite) -> [&str; 8] {
    [
        activite.mode_exercice.as_str(),
        activite.finess_site.as_str(),
        activite.finess_ej.as_str(),
        activite.siret.as_str(),
        activite.id_technique_structure.as_str(),
        activite.secteur.as_str(),
        activite.role.as_str(),
        activite.genre.as_str(),
    ]
}

/// The smallest is kept: with a civilité when one has.
fn identite(professionnel: &Professionnel) -> (bool, &str, &str, &str) {
    let civilite = professionnel.civilite.as_ref().map_or("", |civilite| civilite.code.as_str());
    (civilite.is_empty(), professionnel.nom.as_str(), professionnel.prenom.as_str(), civilite)
}

fn fusionner_exercice(base: &mut ExerciceProfessionnel, reprise: ExerciceProfessionnel) {
    let autre = reprise.civilite_exercice;
    if !autre.is_empty() && (base.civilite_exercice.is_empty() || autre < base.civilite_exercice) {
        base.civilite_exercice = autre;
    }
    base.savoir_faire.extend(reprise.savoir_faire);
    trier_savoir_faire(&mut base.savoir_faire);
    base.activites.extend(reprise.activites);
    trier_activites(&mut base.activites);
}
