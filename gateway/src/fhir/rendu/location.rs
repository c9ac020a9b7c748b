//! Location: LieuRealisation with its capacity records.

use ror_proto::capacity::v1::{CapaciteLieu, EnregistrementCapacite};
use ror_proto::offers::v1::{Equipement, LieuRealisation};

use super::Vue;
use super::communs::{
    adresse, coding, concept_de, concepts, entete, ext_booleen, ext_code, ext_entier, ext_instant, ext_texte,
    extensions_meta, identifiant, quantite, reference, telecoms,
};
use crate::fhir::canoniques as c;
use crate::fhir::json::{self, Tableau};
use crate::fhir::politique::{Bloc, Faits};

/// statutCapacite of a supplementary capacity.
const SUPPLEMENTAIRE: u8 = 6;

/// Renders a place.
pub fn location(
    lieu: &LieuRealisation,
    capacite: Option<&CapaciteLieu>,
    vue: &Vue<'_>,
    sortie: &mut Vec<u8>,
) {
    json::document(sortie, |o| {
        entete(o, "Location", c::PROFIL_LOCATION, lieu.meta.as_ref(), vue);
        o.tableau("extension", |t| extensions(t, lieu, capacite, vue));
        o.tableau("identifier", |t| {
            identifiant(t, (c::TRE_R354, "26"), "", &lieu.id_externe_synchro);
            identifiant(t, (c::TRE_R354, "25"), "", &lieu.identifiant);
        });
        o.texte("status", &lieu.status);
        if let Some(statut) = &lieu.statut {
            o.objet("operationalStatus", |o| coding(o, &statut.systeme, &statut.code, vue));
        }
        o.texte("name", &lieu.nom);
        o.tableau("alias", |t| t.texte(&lieu.nom_externe_synchro));
        o.texte("description", &lieu.description);
        o.tableau("type", |t| concepts(t, lieu.fonction.as_ref(), vue));
        telecoms(o, &lieu.telecommunications, Bloc::LieuTelecom, &vue.faits, vue);
        adresse(o, lieu.adresse.as_ref(), "", None, false, vue);
        if let Some(position) = &lieu.position {
            o.objet("position", |o| {
                o.tableau("extension", |t| {
                    ext_booleen(t, c::EXT_GEO_FIABLE_LIEU, position.fiable);
                });
                o.decimal("longitude", position.longitude);
                o.decimal("latitude", position.latitude);
            });
        }
        reference(o, "managingOrganization", "Organization", &lieu.structure_gestionnaire_id);
        reference(o, "partOf", "Location", &lieu.lieu_parent_id);
    });
}

fn extensions(t: &mut Tableau<'_>, lieu: &LieuRealisation, capacite: Option<&CapaciteLieu>, vue: &Vue<'_>) {
    t.extension(c::EXT_COMMUNE_COG, |o| {
        concept_de(o, "valueCodeableConcept", c::TRE_R13, &lieu.commune_cog, vue);
    });
    if vue.permet(Bloc::LieuEquipement) {
        for item in &lieu.equipements {
            equipement(t, item, vue);
        }
    }
    for habitation in &lieu.habitations {
        t.extension(c::EXT_HABITATION, |o| {
            o.tableau("extension", |t| {
                ext_code(t, "residentialType", habitation.r#type.as_ref(), vue);
                ext_entier(t, "residentialNumber", habitation.nombre);
            });
        });
    }
    for enregistrement in capacite.map(|c| c.enregistrements.as_slice()).unwrap_or_default() {
        let faits = Faits { statut: statut_capacite(enregistrement), ..vue.faits };
        if vue.permet_avec(Bloc::LieuCapacite, &faits) {
            t.extension(c::EXT_CAPACITE, |o| {
                o.tableau("extension", |t| capacites(t, enregistrement, vue));
            });
        }
    }
    extensions_meta(t, lieu.meta.as_ref(), true);
    ext_texte(t, c::EXT_LIEU_COMMENTAIRE, &lieu.commentaire);
}

fn equipement(t: &mut Tableau<'_>, equipement: &Equipement, vue: &Vue<'_>) {
    t.extension(c::EXT_EQUIPEMENT, |o| {
        o.tableau("extension", |t| {
            ext_code(t, "equipmentType", equipement.r#type.as_ref(), vue);
            ext_entier(t, "nbInService", equipement.nombre_en_service);
            for limite in &equipement.limites {
                t.extension(c::EXT_EQUIPEMENT_LIMITE, |o| {
                    o.tableau("extension", |t| {
                        ext_code(t, "equipmentFeature", limite.r#type.as_ref(), vue);
                        t.extension("limitValue", |o| {
                            quantite(o, "valueQuantity", limite.valeur.as_ref(), vue);
                        });
                    });
                });
            }
        });
    });
}

/// The status the policy decides on: a supplementary or crisis record counts as status 06, an
/// unreadable status too.
pub fn statut_capacite(enregistrement: &EnregistrementCapacite) -> u8 {
    match &enregistrement.cle {
        Some(cle) if cle.type_lit_supplementaire.is_empty() && cle.type_crise.is_empty() => {
            cle.statut.parse().unwrap_or(SUPPLEMENTAIRE)
        }
        _ => SUPPLEMENTAIRE,
    }
}

/// Sub-extensions of ror-location-supported-capacity.
fn capacites(t: &mut Tableau<'_>, enregistrement: &EnregistrementCapacite, vue: &Vue<'_>) {
    let cle = enregistrement.cle.clone().unwrap_or_default();
    ext_code_de(t, "capacityType", c::TRE_R329, &enregistrement.nature, vue);
    ext_code_de(t, "capacityStatus", c::TRE_R330, &cle.statut, vue);
    ext_code_de(t, "temporalityCapacity", c::TRE_R331, &cle.temporalite, vue);
    ext_entier(t, "nbCapacity", Some(enregistrement.nombre));
    ext_code_de(t, "capacitySourceType", c::TRE_R335, &enregistrement.source, vue);
    ext_instant(t, "capacityUpdateDate", enregistrement.date_maj.as_ref());
    ext_code_de(t, "temporaryAssignement", c::TRE_R337, &cle.affectation_temporaire, vue);
    ext_code_de(t, "genderCapacityAvailable", c::TRE_R332, &cle.genre, vue);
    ext_code_de(t, "capacityClosingType", c::TRE_R333, &cle.type_fermeture, vue);
    ext_code_de(t, "additionalBedType", c::TRE_R334, &cle.type_lit_supplementaire, vue);
    ext_code_de(t, "crisisType", c::TRE_R336, &cle.type_crise, vue);
    ext_texte(t, "comment", &enregistrement.commentaire);
}

fn ext_code_de(t: &mut Tableau<'_>, url: &str, systeme: &str, code: &str, vue: &Vue<'_>) {
    t.extension(url, |o| concept_de(o, "valueCodeableConcept", systeme, code, vue));
}
