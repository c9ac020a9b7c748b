//! Organization: EntiteJuridique, EntiteGeographique, OrganisationInterne.

use ror_proto::common::v1::{Adresse, Code, Contact};
use ror_proto::structures::v1::{
    CorrectionAdresse, EntiteGeographique, EntiteJuridique, OrganisationInterne, Tarif,
};

use super::Vue;
use super::communs::{
    adresse, concept, concepts, divisions, entete, ext_booleen, ext_code, ext_date, ext_entier, ext_periode,
    ext_texte, extensions_meta, identifiant, niveau, reference, telecoms,
};
use crate::fhir::canoniques as c;
use crate::fhir::json::{self, Objet, Tableau};
use crate::fhir::politique::{Bloc, Faits};

const GENRE: &str = "Organization";

/// Renders a legal entity.
pub fn organization_ej(ej: &EntiteJuridique, vue: &Vue<'_>, sortie: &mut Vec<u8>) {
    json::document(sortie, |o| {
        let meta = ej.meta.as_ref();
        entete(o, GENRE, c::PROFIL_ORGANIZATION, meta, vue);
        o.tableau("extension", |t| {
            extensions_meta(t, meta, true);
            commentaire_meta(t, meta.map(|meta| meta.commentaire.as_str()));
            ext_periode(t, c::EXT_PERIODE, "", &ej.date_fermeture);
            ext_code(t, c::EXT_ORG_TYPE_FERMETURE, ej.type_fermeture.as_ref(), vue);
            ext_date(t, c::EXT_ORG_DATE_CREATION, &ej.date_creation);
        });
        o.tableau("identifier", |t| {
            identifiant(t, (c::TRE_G07, "40"), c::SYS_ID_NAT_STRUCT, &ej.id_nat_struct);
            identifiant(t, (c::TRE_G07, "1"), c::SYS_FINESS, &ej.num_finess);
            identifiant(t, (c::TRE_G07, "2"), c::SYS_SIRENE, &ej.num_siren);
            identifiant(t, (c::TRE_G07, "4"), c::SYS_RPPS_RANG, &ej.num_rpps_rang);
            identifiant(t, (c::TRE_G07, "0"), c::SYS_ADELI_RANG, &ej.num_adeli_rang);
            anterieurs(t, &ej.finess_anterieurs);
        });
        types(o, [ej.statut_juridique.as_ref(), ej.sous_ensemble_statut_juridique.as_ref()], vue);
        nom(o, &ej.raison_sociale, &ej.complement_raison_sociale);
        telecoms(o, &ej.telecommunications, Bloc::StructureTelecom, &vue.faits, vue);
        let (postale, commune) =
            en_vigueur(ej.correction_adresse.as_ref(), ej.adresse.as_ref(), &ej.commune_cog);
        adresse(o, postale, commune, None, true, vue);
        contacts(o, &ej.contacts, vue);
    });
}

/// Renders a site.
pub fn organization_eg(eg: &EntiteGeographique, vue: &Vue<'_>, sortie: &mut Vec<u8>) {
    json::document(sortie, |o| {
        entete(o, GENRE, c::PROFIL_ORGANIZATION, eg.meta.as_ref(), vue);
        o.tableau("extension", |t| extensions_eg(t, eg, vue));
        o.tableau("identifier", |t| {
            identifiant(t, (c::TRE_G07, "40"), c::SYS_ID_NAT_STRUCT, &eg.id_nat_struct);
            identifiant(t, (c::TRE_G07, "1"), c::SYS_FINESS, &eg.num_finess);
            identifiant(t, (c::TRE_G07, "2"), c::SYS_SIRENE, &eg.num_siren);
            identifiant(t, (c::TRE_G07, "3"), c::SYS_SIRENE, &eg.num_siret);
            identifiant(t, (c::TRE_G07, "4"), c::SYS_RPPS_RANG, &eg.num_rpps_rang);
            identifiant(t, (c::TRE_G07, "0"), c::SYS_ADELI_RANG, &eg.num_adeli_rang);
            anterieurs(t, &eg.finess_anterieurs);
        });
        types(o, [eg.categorie.as_ref(), eg.modalite_participation_sph.as_ref()], vue);
        nom(o, &eg.denomination, &eg.complement_denomination);
        o.tableau("alias", |t| t.texte(&eg.nom_operationnel));
        telecoms(o, &eg.telecommunications, Bloc::StructureTelecom, &vue.faits, vue);
        let (postale, commune) =
            en_vigueur(eg.correction_adresse.as_ref(), eg.adresse.as_ref(), &eg.commune_cog);
        adresse(o, postale, commune, eg.position.as_ref(), true, vue);
        reference(o, "partOf", GENRE, &eg.entite_juridique_id);
        contacts(o, &eg.contacts, vue);
    });
}

/// Renders an internal organisation.
pub fn organization_oi(oi: &OrganisationInterne, vue: &Vue<'_>, sortie: &mut Vec<u8>) {
    json::document(sortie, |o| {
        let meta = oi.meta.as_ref();
        entete(o, GENRE, c::PROFIL_ORGANIZATION, meta, vue);
        o.tableau("extension", |t| {
            extensions_meta(t, meta, true);
            commentaire_meta(t, meta.map(|meta| meta.commentaire.as_str()));
            ext_periode(t, c::EXT_PERIODE, &oi.date_ouverture, &oi.date_fermeture);
            ext_code(t, c::EXT_ORG_TYPE_FERMETURE, oi.type_fermeture.as_ref(), vue);
            ext_date(t, c::EXT_ORG_REOUVERTURE, &oi.date_previsionnelle_reouverture);
        });
        o.tableau("identifier", |t| {
            identifiant(t, (c::TRE_R345, "42"), c::SYS_OI, &oi.identifiant);
        });
        types(o, [oi.r#type.as_ref(), None], vue);
        nom(o, &oi.nom, "");
        telecoms(o, &oi.telecommunications, Bloc::StructureTelecom, &vue.faits, vue);
        reference(o, "partOf", GENRE, &oi.entite_geographique_id);
        contacts(o, &oi.contacts, vue);
    });
}

fn extensions_eg(t: &mut Tableau<'_>, eg: &EntiteGeographique, vue: &Vue<'_>) {
    let meta = eg.meta.as_ref();
    extensions_meta(t, meta, true);
    commentaire_meta(t, meta.map(|meta| meta.commentaire.as_str()));
    ext_periode(t, c::EXT_PERIODE, &eg.date_ouverture, &eg.date_fermeture);
    ext_code(t, c::EXT_ORG_TYPE_FERMETURE, eg.type_fermeture.as_ref(), vue);
    ext_code(t, c::EXT_ORG_ACCESSIBILITE, eg.accessibilite.as_ref(), vue);
    ext_booleen(t, c::EXT_ORG_HEBERGEMENT_FAMILLE, eg.hebergement_famille);
    for aide in &eg.aides_financieres {
        ext_code(t, c::EXT_ORG_AIDE_FINANCIERE, Some(aide), vue);
    }
    ext_entier(t, c::EXT_ORG_PLACES_PERMANENTES, eg.nb_place_aide_sociale_permanent);
    ext_entier(t, c::EXT_ORG_PLACES_TEMPORAIRES, eg.nb_place_aide_sociale_temporaire);
    if vue.permet(Bloc::StructureRecours) {
        ext_code(t, c::EXT_ORG_ORSAN, eg.niveau_recours_orsan.as_ref(), vue);
        ext_booleen(t, c::EXT_ORG_ZONE_POSER, eg.zone_poser);
    }
    divisions(t, &eg.territoires_sante, vue);
    for prix in &eg.tarifs {
        t.extension(c::EXT_ORG_TARIF, |o| o.tableau("extension", |t| tarif(t, prix, vue)));
    }
    ext_texte(t, c::EXT_ORG_COMMENTAIRE, &eg.commentaire);
}

/// FINESS numbers held before; without a type, so that the profile's slice stays the present one's.
fn anterieurs(t: &mut Tableau<'_>, numeros: &[String]) {
    for numero in numeros {
        t.objet(|o| {
            o.texte("use", "old");
            o.texte("system", c::SYS_FINESS);
            o.texte("value", numero);
        });
    }
}

/// Address and commune served: the correction that awaits FINESS, else FINESS's.
fn en_vigueur<'a>(
    correction: Option<&'a CorrectionAdresse>,
    adresse: Option<&'a Adresse>,
    commune: &'a str,
) -> (Option<&'a Adresse>, &'a str) {
    correction.map_or((adresse, commune), |x| (x.adresse.as_ref(), x.commune_cog.as_str()))
}

fn commentaire_meta(t: &mut Tableau<'_>, commentaire: Option<&str>) {
    ext_texte(t, c::EXT_META_COMMENTAIRE, commentaire.unwrap_or_default());
}

fn types(o: &mut Objet<'_>, codes: [Option<&Code>; 2], vue: &Vue<'_>) {
    o.tableau("type", |t| concepts(t, codes.into_iter().flatten(), vue));
}

/// Name, its complement on the primitive.
fn nom(o: &mut Objet<'_>, nom: &str, complement: &str) {
    o.texte("name", nom);
    o.objet("_name", |o| {
        o.tableau("extension", |t| ext_texte(t, c::EXT_ORG_NOM_COMPLEMENT, complement));
    });
}

/// The contacts the profile may see.
fn contacts(o: &mut Objet<'_>, contacts: &[Contact], vue: &Vue<'_>) {
    o.tableau("contact", |t| {
        for contact in contacts {
            let niveau_contact = niveau(contact.niveau_confidentialite.as_ref());
            let faits = Faits { niveau_contact, ..vue.faits };
            if !vue.permet_avec(Bloc::StructureContact, &faits) {
                continue;
            }
            t.objet(|o| {
                o.tableau("extension", |t| {
                    ext_code(t, c::EXT_CONTACT_FONCTION, contact.fonction.as_ref(), vue);
                    ext_texte(t, c::EXT_CONTACT_DESCRIPTION, &contact.description);
                    let niveau = contact.niveau_confidentialite.as_ref();
                    ext_code(t, c::EXT_CONTACT_NIVEAU, niveau, vue);
                });
                concept(o, "purpose", contact.nature.as_ref(), vue);
                o.objet("name", |o| o.texte("text", &contact.nom));
                let bloc = Bloc::StructureContactTelecom;
                telecoms(o, &contact.telecommunications, bloc, &faits, vue);
            });
        }
    });
}

/// Sub-extensions of ror-organization-price.
fn tarif(t: &mut Tableau<'_>, tarif: &Tarif, vue: &Vue<'_>) {
    ext_code(t, "priceType", tarif.r#type.as_ref(), vue);
    ext_code(t, "priceUnit", tarif.unite_prix.as_ref(), vue);
    t.extension("amount", |o| {
        o.objet("valueMoney", |o| {
            o.centimes("value", tarif.montant_centimes);
            o.texte("currency", if tarif.devise.is_empty() { "EUR" } else { &tarif.devise });
        });
    });
    t.extension("startDate", |o| o.texte("valueDateTime", &tarif.date_debut_validite));
    ext_booleen(t, "under60", tarif.moins_60_ans);
    for prestation in &tarif.prestations_incluses {
        ext_code(t, "deliveryIncluded", Some(prestation), vue);
    }
    for prestation in &tarif.autres_prestations_incluses {
        ext_texte(t, "othersDeliveryIncluded", prestation);
    }
    ext_code(t, "residentialType", tarif.type_habitation.as_ref(), vue);
    ext_code(t, "specialPrice", tarif.condition_tarifaire.as_ref(), vue);
    ext_code(t, "welcomeType", tarif.temporalite_accueil.as_ref(), vue);
    ext_texte(t, "mealDeliveryName", &tarif.nom_portage_repas);
    ext_code(t, "dependencyLevel", tarif.groupe_dependance.as_ref(), vue);
    ext_texte(t, "humanHelpPriceName", &tarif.nom_aides_humaines);
    ext_code(t, "managementType", tarif.mode_gestion.as_ref(), vue);
    ext_code(t, "additionalServiceName", tarif.prestation_supplementaire.as_ref(), vue);
    ext_texte(t, "otherAdditionalServiceName", &tarif.autre_prestation_supplementaire);
}
