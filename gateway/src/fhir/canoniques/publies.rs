//! Code systems that the specification and the nomenclatures publish and that resources do not name by themselves.

/// Whether a code system is published, whatever the nomenclatures at hand and the codes in use: a search by it is one
/// that may find nothing.
#[must_use]
pub fn systeme_publie(systeme: &str) -> bool {
    super::SYSTEMES.contains(&systeme) || AUTRES.contains(&systeme)
}

const AUTRES: &[&str] = &[
    crate::modele::SYSTEME_STATUT_LIEU,
    tre!("G09-DepartementOM"),
    tre!("R09-CategorieProfessionnelle"),
    tre!("R20-Pays"),
    tre!("R202-AccessibiliteLieu"),
    tre!("R203-StatutLieu"),
    tre!("R21-Fonction"),
    tre!("R212-Equipement"),
    tre!("R22-GenreActivite"),
    tre!("R228-UnitePrix"),
    tre!("R237-GroupeTarifaireDependance"),
    tre!("R237-NiveauDependance"),
    tre!("R239-PublicPrisEnCharge"),
    tre!("R241-AideFinanciere"),
    tre!("R242-TypeHabitation"),
    tre!("R246-TypeTarif"),
    tre!("R250-ConditionTarifaire"),
    tre!("R251-FonctionContact"),
    tre!("R252-TypeHoraire"),
    tre!("R264-PrestationNonObligatoireIncluse"),
    tre!("R282-CNAMAmeliSecteurConventionnement"),
    tre!("R284-NiveauRecoursORSAN"),
    tre!("R287-NatureContact"),
    tre!("R288-TypeProfession"),
    tre!("R340-TypeCaracteristiqueEquipement"),
    tre!("R343-FonctionLieu"),
    tre!("R350-ThematiqueAnomalie"),
    tre!("R359-SurspecialiteTransversale"),
    tre!("R45-FonctionQualifiee"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fhir::canoniques as c, modele::normaliser_systeme};

    #[test]
    fn what_the_specification_names_is_known_without_any_data() {
        let nommes = [
            c::TRE_R350,
            c::TRE_R94,
            c::TRE_R238,
            c::TRE_R316,
            c::TRE_R13_COMMUNE,
            "https://mos.esante.gouv.fr/NOS/TRE_R237-NiveauDependance/FHIR/TRE-R237-NiveauDependance",
            "https://mos.esante.gouv.fr/NOS/TRE_R343-FonctionLieu/FHIR/TRE-R343-FonctionLieu",
            "https://hl7.org/fhir/location-status",
        ];
        for s in nommes {
            assert!(systeme_publie(s) && systeme_publie(&normaliser_systeme(s)), "{s}");
        }
        assert!(!systeme_publie(&c::TRE_R316.replace("Etablissement", "Etablissements")));
        // The spelling that is kept is the one that is searched.
        assert_eq!(normaliser_systeme(c::TRE_R350), c::systeme_retenu(c::TRE_R350));
    }
}
