//! PractitionerRole: SituationOperationnelle with its exercice.

use ror_proto::common::v1::Code;
use ror_proto::offers::v1::SituationOperationnelle;

use super::Vue;
use super::communs::{
    concepts, corps_concept, corps_reference, entete, ext_booleen, ext_code, ext_texte, extensions_meta,
    horaires, identifiant, reference, telecoms,
};
use crate::fhir::canoniques as c;
use crate::fhir::json::{self, Tableau};
use crate::fhir::politique::Bloc;

/// Renders a situation opérationnelle.
pub fn practitioner_role(situation: &SituationOperationnelle, vue: &Vue<'_>, sortie: &mut Vec<u8>) {
    json::document(sortie, |o| {
        let meta = situation.meta.as_ref();
        entete(o, "PractitionerRole", c::PROFIL_PRACTITIONER_ROLE, meta, vue);
        o.tableau("extension", |t| extensions(t, situation, vue));
        o.tableau("identifier", |t| identifiant(t, (c::TRE_G08, "30"), "", &situation.identifiant));
        reference(o, "practitioner", "Practitioner", &situation.professionnel_id);
        reference(o, "organization", "Organization", &situation.structure_id);
        o.tableau("code", |t| concepts(t, situation.profession.as_ref(), vue));
        o.tableau("specialty", |t| {
            if let Some(genre) = type_savoir_faire(&situation.savoir_faire) {
                let genre = Code { systeme: c::TRE_R04.to_owned(), code: genre.to_owned() };
                t.objet(|o| corps_concept(o, &genre, vue));
            }
            concepts(t, &situation.savoir_faire, vue);
            concepts(t, &situation.competences_specifiques, vue);
        });
        o.tableau("healthcareService", |t| {
            t.objet(|o| corps_reference(o, "HealthcareService", &situation.offre_id));
        });
        telecoms(o, &situation.telecommunications, Bloc::SituationTelecom, &vue.faits, vue);
        horaires(o, &situation.horaires, vue);
    });
}

fn extensions(t: &mut Tableau<'_>, situation: &SituationOperationnelle, vue: &Vue<'_>) {
    ext_code(t, c::EXT_ROLE_MODE_EXERCICE, situation.mode_exercice.as_ref(), vue);
    t.extension(c::EXT_ROLE_NOM, |o| {
        o.tableau("extension", |t| {
            ext_code(t, "exerciseTitle", situation.civilite_exercice.as_ref(), vue);
            ext_texte(t, "exerciseLastName", &situation.nom_exercice);
            ext_texte(t, "exerciseFirstName", &situation.prenom_exercice);
        });
    });
    ext_code(t, c::EXT_ROLE_SECTEUR, situation.secteur_conventionnement.as_ref(), vue);
    ext_booleen(t, c::EXT_ROLE_CAS, situation.option_contrat_acces_aux_soins);
    ext_booleen(t, c::EXT_ROLE_VITALE, situation.carte_vitale_acceptee);
    extensions_meta(t, situation.meta.as_ref(), false);
    if let Some(meta) = &situation.meta {
        ext_texte(t, c::EXT_META_COMMENTAIRE, &meta.commentaire);
    }
}

/// The expertiseType (TRE_R04) of the first savoir-faire, unless the data already give one.
///
/// The profile wants exactly one; the reading drops it again when it can be derived.
pub(crate) fn type_savoir_faire(savoir_faire: &[Code]) -> Option<&'static str> {
    if savoir_faire.iter().any(|code| code.systeme == c::TRE_R04) {
        return None;
    }
    savoir_faire.iter().find_map(|code| match code.systeme.as_str() {
        c::TRE_R38 => Some("S"),
        c::TRE_R39 => Some("C"),
        c::TRE_R40 => Some("CEX"),
        c::TRE_R42 => Some("DNQ"),
        c::TRE_R43 => Some("CAPA"),
        c::TRE_R44 => Some("PAC"),
        c::TRE_R97 => Some("DEC"),
        _ => None,
    })
}
