//! HealthcareService: OffreOperationnelle.

use ror_proto::common::v1::{Code, Contact, Faute, Quantite};
use ror_proto::offers::v1::OffreOperationnelle;

use super::communs::{
    coding_de_concept, complexe, complexes, corps_reference, divisions, exiger, ext_booleen, ext_code,
    ext_codes, ext_texte, ext_textes, extensions_meta, extensions_telecom, horaires, meta, nom_humain,
    periode, quantite, reference, seul_concept, telecoms, valeur,
};
use super::outils::{Extensions, Noeud, faute};
use super::tranches::{Tranches, TypeIdentifiant, concepts, identifiants, ranger};
use crate::fhir::canoniques as c;

const IDENTIFIANTS: [TypeIdentifiant; 1] = [TypeIdentifiant { code: "35", systeme: "", longueur: 0 }];

const MEMBRES: [&str; 16] = [
    "resourceType",
    "id",
    "meta",
    "extension",
    "identifier",
    "providedBy",
    "category",
    "type",
    "specialty",
    "location",
    "name",
    "comment",
    "telecom",
    "characteristic",
    "availableTime",
    "notAvailable",
];

const ACTIVITE: &str = "operationalActivity";
const FAMILLE: &str = "operationalActivityFamily";

fn classer_specialty(systeme: &str) -> Option<&'static str> {
    match systeme {
        c::TRE_R211 => Some(ACTIVITE),
        c::TRE_R265 | c::TRE_R266 => Some(FAMILLE),
        _ => None,
    }
}

fn classer_characteristic(systeme: &str) -> Option<&'static str> {
    match systeme {
        c::TRE_R240 => Some("receptionType"),
        c::TRE_R213 => Some("careMode"),
        c::TRE_R338 => Some("receptionModality"),
        c::TRE_R236 => Some("managementType"),
        c::TRE_R245 => Some("takingCareSpeciality"),
        c::TRE_R238 => Some("annualOpening"),
        c::TRE_G15 | c::TRE_G16 | c::TRE_R85 | c::TRE_R94 | c::TRE_R95 | c::TRE_R96 | c::TRE_R356 => {
            Some("ressourceProfession")
        }
        c::TRE_R243 => Some("specificCompetence"),
        c::TRE_R344 | c::TRE_R253 => Some("expertiseLevel"),
        c::TRE_R286 => Some("temporalityStopService"),
        _ => None,
    }
}

/// Reads an offer.
pub(super) fn lire(n: &Noeud<'_>, f: &mut Vec<Faute>) -> OffreOperationnelle {
    n.borner(&MEMBRES, f);
    let mut meta = meta(n, c::PROFIL_HEALTHCARE_SERVICE, f);
    meta.commentaire = n.texte("comment", f);
    let mut offre = OffreOperationnelle {
        porteur_id: reference(n, "providedBy", "Organization", f),
        type_offre: seul_concept(n, "category", f),
        champ_activite: seul_concept(n, "type", f),
        nom: n.texte("name", f),
        telecommunications: telecoms(n, f),
        horaires: horaires(n, f),
        lieux_ids: lieux(n, f),
        ..OffreOperationnelle::default()
    };
    let mut ids = identifiants(n, &IDENTIFIANTS, f);
    offre.identifiant = ids.une("35", f).unwrap_or_default();
    let mut specialites = concepts(n, "specialty", classer_specialty, f);
    offre.activites_operationnelles = specialites.toutes(ACTIVITE);
    offre.famille_activite = specialites.une(FAMILLE, f);
    let mut e = Extensions::de(n, f);
    extensions_meta(&mut meta, &mut e, true, f);
    extensions(&mut offre, &mut e, f);
    e.fin(f);
    characteristic(&mut offre, n, f);
    fermeture(&mut offre, n, f);
    offre.meta = Some(meta);
    offre
}

fn lieux(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Vec<String> {
    let mut lieux = Vec::new();
    for item in n.objets("location", f) {
        let id = corps_reference(&item, "Location", f);
        if !id.is_empty() {
            lieux.push(id);
        }
    }
    lieux
}

fn extensions(offre: &mut OffreOperationnelle, e: &mut Extensions<'_>, f: &mut Vec<Faute>) {
    e.exiger(c::EXT_OFFRE_SENSIBLE, f);
    offre.zones_intervention = divisions(e, f);
    offre.unite_sensible = ext_booleen(e, c::EXT_OFFRE_SENSIBLE, f).unwrap_or_default();
    offre.habilitation_soins_sans_consentement = ext_booleen(e, c::EXT_OFFRE_SANS_CONSENTEMENT, f);
    offre.secteurs_psychiatriques = ext_textes(e, c::EXT_OFFRE_SECTEUR_PSY, f);
    if let Some(mut sous) = complexe(e, c::EXT_OFFRE_PATIENTELE, f) {
        offre.publics = ext_codes(&mut sous, "supportedPatientInfo", f);
        (offre.age_min, offre.age_max) = ages(&mut sous, f);
        sous.fin(f);
    }
    for mut sous in complexes(e, c::EXT_OFFRE_CONTACT, f) {
        offre.contacts.push(contact(&mut sous, f));
        sous.fin(f);
    }
}

/// Both bounds, in years unless they say otherwise.
fn ages(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> (Option<Quantite>, Option<Quantite>) {
    let plage = valeur(e, "ageRange", "valueRange", f).and_then(|n| n.objet("valueRange", f));
    let Some(plage) = plage else {
        return (None, None);
    };
    plage.borner(&["id", "low", "high"], f);
    (quantite(&plage, "low", Some("a"), f), quantite(&plage, "high", Some("a"), f))
}

fn contact(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Contact {
    let nom = match valeur(e, "name", "valueHumanName", f) {
        Some(n) => nom_humain(&n, "valueHumanName", f),
        None => String::new(),
    };
    let mut contact = Contact {
        nom,
        fonction: ext_code(e, c::EXT_CONTACT_FONCTION, f),
        nature: ext_code(e, "purposeContact", f),
        description: ext_texte(e, "description", f),
        niveau_confidentialite: ext_code(e, c::EXT_CONTACT_NIVEAU_OFFRE, f),
        telecommunications: Vec::new(),
    };
    for mut sous in complexes(e, c::EXT_OFFRE_CONTACT_TELECOM, f) {
        sous.exiger("telecomAddress", f);
        let mut telecom = extensions_telecom(&mut sous, f);
        telecom.adresse = ext_texte(&mut sous, "telecomAddress", f);
        contact.telecommunications.push(telecom);
        sous.fin(f);
    }
    contact
}

/// The characteristic slices, told apart by system and, for acts, by ror-act-type.
fn characteristic(offre: &mut OffreOperationnelle, n: &Noeud<'_>, f: &mut Vec<Faute>) {
    let mut t: Tranches<Code> = Tranches::new();
    for item in n.objets("characteristic", f) {
        item.borner(&["id", "extension", "coding", "text"], f);
        let mut e = Extensions::de(&item, f);
        let genre = match valeur(&mut e, c::EXT_ACTE_TYPE, "valueCode", f) {
            Some(n) => n.texte("valueCode", f),
            None => String::new(),
        };
        e.fin(f);
        let Some(code) = coding_de_concept(&item, f) else {
            continue;
        };
        match (genre.as_str(), code.systeme == c::TRE_R210) {
            ("specificAct", true) => offre.actes_specifiques.push(code),
            ("outsideOfficeAct", true) => offre.actes_hors_cabinet.push(code),
            ("", false) => ranger(&mut t, classer_characteristic, code, item.chemin(), f),
            _ => {
                let message = "L'extension ror-act-type distingue les actes, et eux seuls.";
                let attendu = "specificAct ou outsideOfficeAct pour un acte (TRE_R210)";
                f.push(faute(item.sous("extension"), "valeur", message, attendu));
            }
        }
    }
    offre.temporalite_accueil = t.une("receptionType", f);
    offre.mode_prise_en_charge = t.une("careMode", f);
    offre.modalites_accueil = t.toutes("receptionModality");
    offre.modes_gestion = t.toutes("managementType");
    offre.specialisations = t.toutes("takingCareSpeciality");
    offre.ouverture_annuelle = t.une("annualOpening", f);
    offre.professions_ressources = t.toutes("ressourceProfession");
    offre.competences_specifiques = t.toutes("specificCompetence");
    offre.niveaux_expertise = t.toutes("expertiseLevel");
    offre.type_fermeture = t.une("temporalityStopService", f);
}

/// The only slice of notAvailable: closing and expected reopening.
fn fermeture(offre: &mut OffreOperationnelle, n: &Noeud<'_>, f: &mut Vec<Faute>) {
    let Some(periode_fermee) = n.seul_objet("notAvailable", f) else {
        return;
    };
    periode_fermee.borner(&["id", "description", "during"], f);
    // id and description are fixed: checked as texts, not kept.
    periode_fermee.texte("id", f);
    periode_fermee.texte("description", f);
    exiger(&periode_fermee, "during", f);
    let (debut, fin) = periode(&periode_fermee, "during", f);
    offre.date_fermeture = debut;
    offre.date_previsionnelle_reouverture = fin;
}
