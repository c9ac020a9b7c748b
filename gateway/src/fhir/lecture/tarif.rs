//! ror-organization-price: the prices of a site.

use ror_proto::common::v1::Faute;
use ror_proto::structures::v1::Tarif;

use super::communs::{complexes, exiger, ext_booleen, ext_code, ext_codes, ext_texte, ext_textes, valeur};
use super::outils::{Extensions, faute};
use crate::fhir::canoniques as c;
use crate::fhir::temps::lire_instant;

/// Largest amount, in cents.
const CENTIMES_MAX: f64 = 1e13;

/// Reads the prices.
pub(super) fn tarifs(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Vec<Tarif> {
    let mut tarifs = Vec::new();
    for mut sous in complexes(e, c::EXT_ORG_TARIF, f) {
        tarifs.push(tarif(&mut sous, f));
        sous.fin(f);
    }
    tarifs
}

fn tarif(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Tarif {
    let (montant_centimes, devise) = montant(e, f).unwrap_or_default();
    Tarif {
        r#type: ext_code(e, "priceType", f),
        unite_prix: ext_code(e, "priceUnit", f),
        montant_centimes,
        devise,
        date_debut_validite: debut(e, f),
        moins_60_ans: ext_booleen(e, "under60", f),
        prestations_incluses: ext_codes(e, "deliveryIncluded", f),
        autres_prestations_incluses: ext_textes(e, "othersDeliveryIncluded", f),
        type_habitation: ext_code(e, "residentialType", f),
        condition_tarifaire: ext_code(e, "specialPrice", f),
        temporalite_accueil: ext_code(e, "welcomeType", f),
        nom_portage_repas: ext_texte(e, "mealDeliveryName", f),
        groupe_dependance: ext_code(e, "dependencyLevel", f),
        nom_aides_humaines: ext_texte(e, "humanHelpPriceName", f),
        mode_gestion: ext_code(e, "managementType", f),
        prestation_supplementaire: ext_code(e, "additionalServiceName", f),
        autre_prestation_supplementaire: ext_texte(e, "otherAdditionalServiceName", f),
    }
}

fn debut(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> String {
    let valide = |texte: &str| lire_instant(texte).is_some();
    match valeur(e, "startDate", "valueDateTime", f) {
        Some(n) => n.texte_tel("valueDateTime", valide, "une date AAAA-MM-JJ", f),
        None => String::new(),
    }
}

/// Cents and currency of the amount.
fn montant(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Option<(i64, String)> {
    e.exiger("amount", f);
    let n = valeur(e, "amount", "valueMoney", f)?;
    let argent = n.objet("valueMoney", f)?;
    argent.borner(&["id", "value", "currency"], f);
    exiger(&argent, "value", f);
    let devise = argent.texte("currency", f);
    let centimes = argent.decimal("value", f)? * 100.0;
    if centimes.abs() > CENTIMES_MAX || (centimes - centimes.round()).abs() > 1e-3 {
        let message = "Le montant n'est pas valable.";
        f.push(faute(argent.sous("value"), "valeur", message, "un montant à deux décimales"));
        return None;
    }
    // Bounded above and without fraction: the conversion is exact.
    let centimes = centimes.round() as i64;
    Some((centimes, devise))
}
