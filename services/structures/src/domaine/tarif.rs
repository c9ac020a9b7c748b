//! What a price must be to be kept.

use ror_domaine::{controle::Controle, liaisons};
use ror_proto::structures::v1::Tarif;

/// Adds the faults of one price.
pub(super) fn verifier(c: &mut Controle, t: &Tarif) {
    c.code("tarif.typeTarif", liaisons::TYPE_TARIF, t.r#type.as_ref(), true);
    c.code("tarif.unitePrix", liaisons::UNITE_PRIX, t.unite_prix.as_ref(), true);
    c.codes(
        "tarif.prestationsNonObligatoiresIncluses",
        liaisons::PRESTATION_INCLUSE,
        &t.prestations_incluses,
    );
    c.code("tarif.typeHabitation", liaisons::TYPE_HABITATION, t.type_habitation.as_ref(), false);
    c.code("tarif.conditionTarifaire", liaisons::CONDITION_TARIFAIRE, t.condition_tarifaire.as_ref(), false);
    c.code("tarif.temporaliteAccueil", liaisons::TEMPORALITE_ACCUEIL, t.temporalite_accueil.as_ref(), false);
    c.code(
        "tarif.groupeTarifaireDependance",
        liaisons::GROUPE_DEPENDANCE,
        t.groupe_dependance.as_ref(),
        false,
    );
    c.code("tarif.modeGestion", liaisons::MODE_GESTION, t.mode_gestion.as_ref(), false);
    c.code(
        "tarif.nomPrestationSupp",
        liaisons::PRESTATION_INCLUSE,
        t.prestation_supplementaire.as_ref(),
        false,
    );
    c.date("tarif.dateDebutValiditeTarif", &t.date_debut_validite);
    if !(0..=100_000_000).contains(&t.montant_centimes) {
        c.refuser(
            "tarif.montantTarif",
            "bornes",
            format!("Montant {} centimes hors bornes.", t.montant_centimes),
            "0 à 1 000 000 euros",
        );
    }
    let devise = t.devise.len() == 3 && t.devise.bytes().all(|b| b.is_ascii_uppercase());
    if !t.devise.is_empty() && !devise {
        c.refuser("tarif.devise", "devise", format!("« {} » n'est pas une devise.", t.devise), "EUR");
    }
    // RG_EXP_029: supplément tarif hébergement (01) bears on a single room (02).
    let type_ = t.r#type.as_ref().map_or("", |t| t.code.as_str());
    if type_ == "01" && t.type_habitation.as_ref().is_some_and(|h| h.code != "02") {
        c.refuser(
            "tarif.typeHabitation",
            "RG_EXP_029",
            "Un supplément de tarif d'hébergement porte sur la chambre simple.",
            "le code 02",
        );
    }
    if type_ == "06" && t.mode_gestion.is_none() {
        c.refuser(
            "tarif.modeGestion",
            "obligatoire",
            "Un tarif d'aides humaines dit son mode de gestion.",
            "01 prestataire ou 02 mandataire",
        );
    }
}
