//! Social equipments and care activities.

use ror_proto::identity::v1::{ActiviteFiness, CapaciteFiness, StatutActivite};

use super::Champs;

/// Statuses and unit of a capacity.
const INSTALLEE: &str = "08";
const AUTORISEE: &str = "09";
const PLACES: &str = "02";

/// Reads a social equipment (`equipementsocial`): the site, and what it runs. The
/// triplet discipline, functioning, clientele is its identity.
pub(in crate::formats) fn lire_equipement(champs: &mut Champs<'_>) -> (String, ActiviteFiness) {
    let num_finess = champs.finess("nofinesset");
    let activite = lire_code(champs, "de");
    let (modalite, public) = (champs.texte("ta"), champs.texte("client"));
    let (supprimee, desinstallee) = (champs.oui("indsupaut"), champs.oui("indsupinst"));
    let installation = champs.date("datederinst");
    let (premiere, autorisation) = (champs.date("datepremautor"), champs.date("dateautor"));
    let statut = if supprimee {
        StatutActivite::Inactive
    } else if desinstallee || installation.is_empty() {
        StatutActivite::Autorisee
    } else {
        StatutActivite::MiseEnOeuvre
    };
    let mut capacites = Vec::new();
    for (champ, genre, retiree) in
        [("capinstot", INSTALLEE, desinstallee), ("capautot", AUTORISEE, supprimee)]
    {
        // Zero and absent mean the same here: the flow writes 0 by default.
        let nombre = champs.nombre(champ).unwrap_or_default();
        if nombre > 0 && !retiree {
            capacites.push(CapaciteFiness { statut: genre.to_owned(), unite: PLACES.to_owned(), nombre });
        }
    }
    let equipement = ActiviteFiness {
        identifiant: identifiant(&[&activite, &modalite, &public]),
        nature: "ASMR".to_owned(),
        activite,
        modalite,
        public,
        date_debut: if premiere.is_empty() { autorisation } else { premiere },
        statut: statut as i32,
        capacites,
        ..ActiviteFiness::default()
    };
    (num_finess, equipement)
}

/// Reads a care activity (`activiteoffresoin`): the site, and what it runs under the
/// authorisation of its legal entity.
pub(in crate::formats) fn lire_soin(champs: &mut Champs<'_>) -> (String, ActiviteFiness) {
    champs.finess("nofinessej");
    let num_finess = champs.finess("nofinesset");
    let activite = lire_code(champs, "activite");
    let (modalite, forme) = (champs.texte("modalite"), champs.texte("forme"));
    let num_arhgos = champs.texte("noautorarhgos");
    let date_debut = champs.date("dateautor");
    let date_fin = champs.date("datefin");
    let limite = champs.date("datelimite");
    let (statut, fin_effective) = lire_statut(champs, &date_fin, limite);
    let soin = ActiviteFiness {
        identifiant: identifiant(&[&activite, &modalite, &forme, &num_arhgos]),
        nature: "AMF".to_owned(),
        activite,
        modalite,
        forme,
        num_arhgos,
        date_debut,
        date_fin,
        date_fin_effective: fin_effective,
        statut: statut as i32,
        ..ActiviteFiness::default()
    };
    (num_finess, soin)
}

/// State of a care activity, and the date it ended.
fn lire_statut(champs: &mut Champs<'_>, fin: &str, limite: String) -> (StatutActivite, String) {
    // The shortest lines of the CSV stop before the state.
    if !["indcaduc", "indsupact", "indsupsite"].iter().any(|nom| champs.present(nom)) {
        return (StatutActivite::Unspecified, String::new());
    }
    if champs.oui("indcaduc") {
        return (StatutActivite::Inactive, limite);
    }
    if champs.oui("indsupact") || champs.oui("indsupsite") {
        return (StatutActivite::Inactive, String::new());
    }
    if !fin.is_empty() && !champs.jour().is_empty() && fin <= champs.jour() {
        return (StatutActivite::Inactive, fin.to_owned());
    }
    if champs.date("datemeo").is_empty() {
        return (StatutActivite::Autorisee, String::new());
    }
    (StatutActivite::MiseEnOeuvre, String::new())
}

fn lire_code(champs: &mut Champs<'_>, nom: &str) -> String {
    let code = champs.texte(nom);
    if code.is_empty() {
        champs.refuser(
            nom,
            "activite-absente",
            "Le code de l'activité est absent.",
            "Un code de la nomenclature de FINESS",
        );
    }
    code
}

/// These files give no id: an activity is what it says.
fn identifiant(parties: &[&str]) -> String {
    let dites: Vec<&str> = parties.iter().copied().filter(|partie| !partie.is_empty()).collect();
    dites.join("-")
}
