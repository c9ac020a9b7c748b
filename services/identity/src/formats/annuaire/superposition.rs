//! A record of this channel laid over what is known.
//!
//! What the channel does not tell stays; what it tells in another form than the
//! complete editions, and means the same, stays too: a delta then writes nothing that
//! the next complete edition would write back. A record older in FINESS than the known
//! one changes nothing.

use ror_proto::common::v1::Adresse;
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{Activite, ExerciceProfessionnel, Professionnel, StructureFiness};

/// The record to keep. None when nothing is known of it and what was read does not
/// suffice to create it (an inactive resource, an activity alone, a site without its
/// legal entity or commune): a complete edition will bring it.
#[must_use]
pub fn superposer(connu: Option<&Ressource>, lu: Ressource) -> Option<Ressource> {
    match (connu, lu) {
        (None, lu) => suffit(&lu).then_some(lu),
        (Some(Ressource::StructureFiness(connue)), Ressource::StructureFiness(lue)) => {
            Some(Ressource::StructureFiness(structure(connue.clone(), lue)))
        }
        (Some(Ressource::Professionnel(connu)), Ressource::Professionnel(lu)) => {
            Some(Ressource::Professionnel(professionnel(connu.clone(), lu)))
        }
        (Some(_), _) => None,
    }
}

fn suffit(lu: &Ressource) -> bool {
    match lu {
        Ressource::StructureFiness(s) => {
            !s.denomination.is_empty()
                && !s.commune_cog.is_empty()
                && (s.entite_juridique || !s.num_finess_ej.is_empty())
        }
        Ressource::Professionnel(p) => !p.nom.is_empty(),
        Ressource::ActivitesFiness(_) | Ressource::Formation(_) => false,
    }
}

fn structure(mut connue: StructureFiness, lue: StructureFiness) -> StructureFiness {
    // Inactive: nothing else is told, and a closure already known says more.
    if lue.denomination.is_empty() {
        if connue.type_fermeture.is_empty() {
            connue.type_fermeture = lue.type_fermeture;
        }
        return connue;
    }
    let connue_le = connue.date_maj_source.get(..10).unwrap_or_default();
    if !lue.date_maj_source.is_empty() && connue_le > lue.date_maj_source.as_str() {
        return connue;
    }
    if lue.type_fermeture != connue.type_fermeture {
        connue.type_fermeture = lue.type_fermeture;
        connue.date_fermeture = lue.date_fermeture;
    }
    if !lue.commune_cog.is_empty() && lue.commune_cog != connue.commune_cog {
        connue.commune_cog = lue.commune_cog;
        connue.position = None;
        if let (Some(meta), Some(lu)) = (connue.meta.as_mut(), lue.meta) {
            meta.region = lu.region;
        }
    }
    if lue.denomination != connue.denomination_courte {
        connue.denomination = lue.denomination;
    }
    connue.adresse = adresse(connue.adresse, lue.adresse);
    // FINESS gives an instant where this channel gives its day.
    if !connue.date_maj_source.starts_with(&lue.date_maj_source) {
        connue.date_maj_source = lue.date_maj_source;
    }
    for (champ, dit) in [
        (&mut connue.num_finess_ej, lue.num_finess_ej),
        (&mut connue.siren, lue.siren),
        (&mut connue.siret, lue.siret),
        (&mut connue.statut_juridique, lue.statut_juridique),
        (&mut connue.code_ape, lue.code_ape),
        (&mut connue.categorie, lue.categorie),
        (&mut connue.espic, lue.espic),
        (&mut connue.mode_tarification, lue.mode_tarification),
        (&mut connue.date_ouverture, lue.date_ouverture),
    ] {
        if !dit.is_empty() {
            *champ = dit;
        }
    }
    connue
}

/// The known address when both mean the same.
fn adresse(connue: Option<Adresse>, lue: Option<Adresse>) -> Option<Adresse> {
    match (connue, lue) {
        (Some(connue), Some(lue)) => Some(if voie(&connue) == voie(&lue) { connue } else { lue }),
        (connue, lue) => connue.or(lue),
    }
}

/// Postcode and street in one line, whatever the parts.
fn voie(a: &Adresse) -> String {
    let parties = [&a.code_postal, &a.numero_voie, &a.extension, &a.type_voie, &a.libelle_voie];
    let texte =
        parties.into_iter().filter(|p| !p.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ");
    texte.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}

fn professionnel(mut connu: Professionnel, lu: Professionnel) -> Professionnel {
    connu.actif = lu.actif;
    if !lu.actif {
        return connu;
    }
    if !lu.nom.is_empty() {
        connu.nom = lu.nom;
        connu.prenom = lu.prenom;
        connu.civilite = lu.civilite.or(connu.civilite);
    }
    if let (Some(meta), Some(lu)) = (connu.meta.as_mut(), lu.meta) {
        // As for a complete edition: the smallest region among those of the activities.
        if !lu.region.is_empty() && (meta.region.is_empty() || lu.region < meta.region) {
            meta.region = lu.region;
        }
    }
    for exercice in lu.exercices {
        superposer_exercice(&mut connu.exercices, exercice);
    }
    connu
        .exercices
        .sort_by(|un, autre| (&un.profession, &un.categorie).cmp(&(&autre.profession, &autre.categorie)));
    connu
}

/// The channel may give a savoir-faire or an activity to the wrong profession of a
/// person who has several: what is known under any of them is not added.
fn superposer_exercice(connus: &mut Vec<ExerciceProfessionnel>, mut lu: ExerciceProfessionnel) {
    lu.savoir_faire.retain(|s| {
        let mut sus = connus.iter().flat_map(|e| &e.savoir_faire);
        !sus.any(|c| c.code == s.code && (s.r#type.is_empty() || c.r#type == s.r#type))
    });
    lu.activites.retain(|a| !connus.iter().flat_map(|e| &e.activites).any(|c| couvre(c, a)));
    let meme = connus.iter().position(|e| e.profession == lu.profession && e.categorie == lu.categorie);
    // An activity whose profession is not told goes to the only one, else to the first.
    let rang = if lu.profession.is_empty() && !connus.is_empty() { meme.or(Some(0)) } else { meme };
    let Some(connu) = rang.and_then(|r| connus.get_mut(r)) else {
        connus.push(lu);
        return;
    };
    if !lu.civilite_exercice.is_empty() {
        connu.civilite_exercice = lu.civilite_exercice;
    }
    connu.savoir_faire.extend(lu.savoir_faire);
    connu.savoir_faire.sort_by(|un, autre| (&un.r#type, &un.code).cmp(&(&autre.r#type, &autre.code)));
    connu.activites.extend(lu.activites);
    connu.activites.sort_by(|une, autre| champs(une).cmp(&champs(autre)));
}

/// True when everything told of an activity is true of a known one.
fn couvre(connue: &Activite, lue: &Activite) -> bool {
    champs(connue).iter().zip(champs(lue)).all(|(connu, dit)| dit.is_empty() || *connu == dit)
}

/// In the order activities are sorted.
fn champs(a: &Activite) -> [&str; 8] {
    [
        &a.mode_exercice,
        &a.finess_site,
        &a.finess_ej,
        &a.siret,
        &a.id_technique_structure,
        &a.secteur,
        &a.role,
        &a.genre,
    ]
}
