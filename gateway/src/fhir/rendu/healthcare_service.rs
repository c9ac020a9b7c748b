//! HealthcareService: OffreOperationnelle.

use ror_proto::common::v1::{Code, Contact, Quantite, Telecommunication};
use ror_proto::offers::v1::{FermetureSite, OffreOperationnelle};

use super::Vue;
use super::communs::{
    concepts, corps_concept, corps_reference, divisions, entete, ext_booleen, ext_code, ext_texte,
    extensions_meta, extensions_telecom, horaires, identifiant, niveau, periode, quantite, reference,
    telecoms, visibles,
};
use crate::fhir::canoniques as c;
use crate::fhir::json::{self, Objet, Tableau};
use crate::fhir::politique::{Bloc, Faits};

/// Fixed description of the closing period.
const FERMETURE: &str = "Période de fermeture et de réouverture prévisionnelle";

/// Renders an offer.
pub fn healthcare_service(offre: &OffreOperationnelle, vue: &Vue<'_>, sortie: &mut Vec<u8>) {
    json::document(sortie, |o| {
        let meta = offre.meta.as_ref();
        entete(o, "HealthcareService", c::PROFIL_HEALTHCARE_SERVICE, meta, vue);
        o.tableau("extension", |t| extensions(t, offre, vue));
        o.tableau("identifier", |t| identifiant(t, (c::TRE_R355, "35"), "", &offre.identifiant));
        reference(o, "providedBy", "Organization", &offre.porteur_id);
        o.tableau("category", |t| concepts(t, offre.type_offre.as_ref(), vue));
        o.tableau("type", |t| concepts(t, offre.champ_activite.as_ref(), vue));
        o.tableau("specialty", |t| {
            concepts(t, &offre.activites_operationnelles, vue);
            concepts(t, offre.famille_activite.as_ref(), vue);
        });
        o.tableau("location", |t| {
            for id in &offre.lieux_ids {
                t.objet(|o| corps_reference(o, "Location", id));
            }
        });
        o.texte("name", &offre.nom);
        if let Some(meta) = meta {
            o.texte("comment", &meta.commentaire);
        }
        telecoms(o, &offre.telecommunications, Bloc::OffreTelecom, &vue.faits, vue);
        o.tableau("characteristic", |t| characteristic(t, offre, vue));
        horaires(o, &offre.horaires, vue);
        fermeture(o, offre);
    });
}

fn extensions(t: &mut Tableau<'_>, offre: &OffreOperationnelle, vue: &Vue<'_>) {
    divisions(t, &offre.zones_intervention, vue);
    ext_booleen(t, c::EXT_OFFRE_SENSIBLE, Some(offre.unite_sensible));
    let habilitation = offre.habilitation_soins_sans_consentement;
    ext_booleen(t, c::EXT_OFFRE_SANS_CONSENTEMENT, habilitation);
    for secteur in &offre.secteurs_psychiatriques {
        ext_texte(t, c::EXT_OFFRE_SECTEUR_PSY, secteur);
    }
    t.extension(c::EXT_OFFRE_PATIENTELE, |o| {
        o.tableau("extension", |t| {
            for public in &offre.publics {
                ext_code(t, "supportedPatientInfo", Some(public), vue);
            }
            ages(t, offre.age_min.as_ref(), offre.age_max.as_ref(), vue);
        });
    });
    for contact in &offre.contacts {
        ext_contact(t, contact, vue);
    }
    extensions_meta(t, offre.meta.as_ref(), true);
}

fn ages(t: &mut Tableau<'_>, min: Option<&Quantite>, max: Option<&Quantite>, vue: &Vue<'_>) {
    t.extension("ageRange", |o| {
        o.objet("valueRange", |o| {
            quantite(o, "low", min, vue);
            quantite(o, "high", max, vue);
        });
    });
}

/// ror-healthcareservice-contact, when the profile may see it.
fn ext_contact(t: &mut Tableau<'_>, contact: &Contact, vue: &Vue<'_>) {
    let niveau_contact = niveau(contact.niveau_confidentialite.as_ref());
    let faits = Faits { niveau_contact, ..vue.faits };
    if !vue.permet_avec(Bloc::OffreContact, &faits) {
        return;
    }
    t.extension(c::EXT_OFFRE_CONTACT, |o| {
        o.tableau("extension", |t| {
            t.extension("name", |o| {
                o.objet("valueHumanName", |o| o.texte("text", &contact.nom));
            });
            ext_code(t, c::EXT_CONTACT_FONCTION, contact.fonction.as_ref(), vue);
            ext_code(t, "purposeContact", contact.nature.as_ref(), vue);
            ext_texte(t, "description", &contact.description);
            let niveau = contact.niveau_confidentialite.as_ref();
            ext_code(t, c::EXT_CONTACT_NIVEAU_OFFRE, niveau, vue);
            let bloc = Bloc::OffreContactTelecom;
            for telecom in visibles(&contact.telecommunications, bloc, &faits, vue) {
                ext_contact_telecom(t, telecom, vue);
            }
        });
    });
}

fn ext_contact_telecom(t: &mut Tableau<'_>, telecom: &Telecommunication, vue: &Vue<'_>) {
    t.extension(c::EXT_OFFRE_CONTACT_TELECOM, |o| {
        o.tableau("extension", |t| {
            extensions_telecom(t, telecom, vue);
            ext_texte(t, "telecomAddress", &telecom.adresse);
        });
    });
}

/// The characteristic slices, in the order of the profile.
fn characteristic(t: &mut Tableau<'_>, offre: &OffreOperationnelle, vue: &Vue<'_>) {
    concepts(t, offre.temporalite_accueil.as_ref(), vue);
    concepts(t, offre.mode_prise_en_charge.as_ref(), vue);
    concepts(t, &offre.modalites_accueil, vue);
    concepts(t, &offre.modes_gestion, vue);
    let fines = vue.permet(Bloc::OffreFine);
    if fines {
        actes(t, "specificAct", &offre.actes_specifiques, vue);
        actes(t, "outsideOfficeAct", &offre.actes_hors_cabinet, vue);
        concepts(t, &offre.specialisations, vue);
    }
    concepts(t, offre.ouverture_annuelle.as_ref(), vue);
    if fines {
        concepts(t, &offre.professions_ressources, vue);
        concepts(t, &offre.competences_specifiques, vue);
    }
    concepts(t, &offre.niveaux_expertise, vue);
    concepts(t, type_fermeture(offre), vue);
}

fn actes(t: &mut Tableau<'_>, genre: &str, actes: &[Code], vue: &Vue<'_>) {
    for acte in actes.iter().filter(|acte| !acte.code.is_empty()) {
        t.objet(|o| {
            o.tableau("extension", |t| {
                t.extension(c::EXT_ACTE_TYPE, |o| o.texte("valueCode", genre));
            });
            corps_concept(o, acte, vue);
        });
    }
}

/// Kinds of closure an offer may carry (JDV_J185).
const FERMETURES: [&str; 2] = ["DEF", "PRO"];

/// Closure of the site of an offer, which closes the offer too unless it is closed for good itself.
fn site_ferme(offre: &OffreOperationnelle) -> Option<&FermetureSite> {
    let definitive = offre.type_fermeture.as_ref().is_some_and(|t| t.code == "DEF");
    offre.fermeture_site.as_ref().filter(|_| !definitive)
}

/// Kind of closure in force, of the offer or of its site.
pub fn type_fermeture(offre: &OffreOperationnelle) -> Option<&Code> {
    let site = site_ferme(offre).and_then(|f| f.r#type.as_ref());
    site.filter(|t| FERMETURES.contains(&t.code.as_str())).or(offre.type_fermeture.as_ref())
}

/// First and last day of the closure in force, of the offer or of its site; empty when unknown.
pub fn fermeture_en_vigueur(offre: &OffreOperationnelle) -> (&str, &str) {
    let site = site_ferme(offre);
    let debut = site.map_or(&offre.date_fermeture, |f| &f.date);
    // Only a closure for a time has an end.
    let provisoire = site.is_none() || type_fermeture(offre).is_some_and(|t| t.code == "PRO");
    (debut, if provisoire { offre.date_previsionnelle_reouverture.as_str() } else { "" })
}

fn fermeture(o: &mut Objet<'_>, offre: &OffreOperationnelle) {
    let (debut, fin) = fermeture_en_vigueur(offre);
    if debut.is_empty() && fin.is_empty() {
        return;
    }
    o.tableau("notAvailable", |t| {
        t.objet(|o| {
            o.texte("id", "closingReopeningDate");
            o.texte("description", FERMETURE);
            periode(o, "during", debut, fin);
        });
    });
}
