//! Practitioner and PractitionerRole: Professionnel, SituationOperationnelle.

use ror_proto::common::v1::{Code, Faute};
use ror_proto::identity::v1::Professionnel;
use ror_proto::offers::v1::SituationOperationnelle;

use super::communs::{
    complexe, corps_reference, ext_booleen, ext_code, ext_texte, extensions_meta, horaires, meta, reference,
    seul_concept, telecoms,
};
use super::outils::{Extensions, Noeud, faute};
use super::tranches::{TypeIdentifiant, concepts, identifiants};
use crate::fhir::canoniques as c;
use crate::fhir::rendu::type_savoir_faire;

/// Type code of a professional's identifier in some senders; the profile only gives the system.
const IDENTIFIANTS_PS: [TypeIdentifiant; 1] =
    [TypeIdentifiant { code: "IDNPS", systeme: c::SYS_ID_NAT_PS, longueur: 0 }];

const IDENTIFIANTS_ROLE: [TypeIdentifiant; 1] = [TypeIdentifiant { code: "30", systeme: "", longueur: 0 }];

const MEMBRES_PS: [&str; 7] = ["resourceType", "id", "meta", "extension", "identifier", "active", "name"];

const MEMBRES_ROLE: [&str; 12] = [
    "resourceType",
    "id",
    "meta",
    "extension",
    "identifier",
    "practitioner",
    "organization",
    "code",
    "specialty",
    "healthcareService",
    "telecom",
    "availableTime",
];

const SAVOIR_FAIRE: &str = "savoirFaire";
const COMPETENCE: &str = "specificCompetence";

/// Reads a professional.
pub(super) fn lire(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Professionnel {
    n.borner(&MEMBRES_PS, f);
    let mut meta = meta(n, c::PROFIL_PRACTITIONER, f);
    let mut e = Extensions::de(n, f);
    extensions_meta(&mut meta, &mut e, false, f);
    e.fin(f);
    let mut ids = identifiants(n, &IDENTIFIANTS_PS, f);
    let id_nat_ps = ids.une("IDNPS", f).unwrap_or_default();
    let rpps = id_nat_ps.strip_prefix('8').filter(|rpps| rpps.len() == 11).unwrap_or_default();
    let mut professionnel = Professionnel {
        rpps: rpps.to_owned(),
        actif: n.booleen("active", f).unwrap_or(true),
        ..Professionnel::default()
    };
    if let Some(nom) = n.seul_objet("name", f) {
        nom.borner(&["id", "family", "given", "prefix"], f);
        professionnel.nom = nom.texte("family", f);
        professionnel.prenom = nom.textes("given", f).join(" ");
        let civilite = nom.seul_texte("prefix", f);
        if !civilite.is_empty() {
            let systeme = c::TRE_R81.to_owned();
            professionnel.civilite = Some(Code { systeme, code: civilite });
        }
    }
    professionnel.id_nat_ps = id_nat_ps;
    professionnel.meta = Some(meta);
    professionnel
}

fn classer(systeme: &str) -> Option<&'static str> {
    match systeme {
        c::TRE_R04
        | c::TRE_R38
        | c::TRE_R39
        | c::TRE_R40
        | c::TRE_R42
        | c::TRE_R43
        | c::TRE_R44
        | c::TRE_R97
        | c::TRE_G13 => Some(SAVOIR_FAIRE),
        c::TRE_R243 => Some(COMPETENCE),
        _ => None,
    }
}

/// Reads a situation opérationnelle.
pub(super) fn lire_role(n: &Noeud<'_>, f: &mut Vec<Faute>) -> SituationOperationnelle {
    n.borner(&MEMBRES_ROLE, f);
    let mut meta = meta(n, c::PROFIL_PRACTITIONER_ROLE, f);
    let mut e = Extensions::de(n, f);
    extensions_meta(&mut meta, &mut e, false, f);
    meta.commentaire = ext_texte(&mut e, c::EXT_META_COMMENTAIRE, f);
    let mut ids = identifiants(n, &IDENTIFIANTS_ROLE, f);
    let mut specialites = concepts(n, "specialty", classer, f);
    let mut situation = SituationOperationnelle {
        identifiant: ids.une("30", f).unwrap_or_default(),
        professionnel_id: reference(n, "practitioner", "Practitioner", f),
        structure_id: reference(n, "organization", "Organization", f),
        profession: seul_concept(n, "code", f),
        savoir_faire: sans_type_derive(specialites.toutes(SAVOIR_FAIRE)),
        competences_specifiques: specialites.toutes(COMPETENCE),
        mode_exercice: ext_code(&mut e, c::EXT_ROLE_MODE_EXERCICE, f),
        telecommunications: telecoms(n, f),
        horaires: horaires(n, f),
        ..SituationOperationnelle::default()
    };
    if let Some(offre) = n.seul_objet("healthcareService", f) {
        situation.offre_id = corps_reference(&offre, "HealthcareService", f);
    }
    if let Some(mut sous) = complexe(&mut e, c::EXT_ROLE_NOM, f) {
        situation.civilite_exercice = ext_code(&mut sous, "exerciseTitle", f);
        situation.nom_exercice = ext_texte(&mut sous, "exerciseLastName", f);
        situation.prenom_exercice = ext_texte(&mut sous, "exerciseFirstName", f);
        sous.fin(f);
    }
    annuaire(&mut situation, &mut e, f);
    e.fin(f);
    situation.meta = Some(meta);
    situation
}

/// The three extensions of the annuaire, under either of their canonicals.
fn annuaire(situation: &mut SituationOperationnelle, e: &mut Extensions<'_>, f: &mut Vec<Faute>) {
    let secteurs = [ext_code(e, c::EXT_ROLE_SECTEUR, f), ext_code(e, c::EXT_ROLE_SECTEUR_AS, f)];
    situation.secteur_conventionnement = un_des_deux(secteurs, c::EXT_ROLE_SECTEUR, f);
    let options = [ext_booleen(e, c::EXT_ROLE_CAS, f), ext_booleen(e, c::EXT_ROLE_CAS_AS, f)];
    situation.option_contrat_acces_aux_soins = un_des_deux(options, c::EXT_ROLE_CAS, f);
    let cartes = [ext_booleen(e, c::EXT_ROLE_VITALE, f), ext_booleen(e, c::EXT_ROLE_VITALE_AS, f)];
    situation.carte_vitale_acceptee = un_des_deux(cartes, c::EXT_ROLE_VITALE, f);
}

fn un_des_deux<T: PartialEq>([publie, variante]: [Option<T>; 2], url: &str, f: &mut Vec<Faute>) -> Option<T> {
    if publie.is_some() && variante.is_some() && publie != variante {
        let chemin = format!("PractitionerRole.extension.where(url='{url}')");
        let message = "Deux valeurs différentes sont données sous deux adresses.";
        f.push(faute(chemin, "cardinalite", message, "une seule valeur"));
    }
    publie.or(variante)
}

/// Drops the expertiseType the rendering adds, when it says no more than the savoir-faire.
fn sans_type_derive(savoir_faire: Vec<Code>) -> Vec<Code> {
    let (types, autres): (Vec<Code>, Vec<Code>) =
        savoir_faire.into_iter().partition(|code| code.systeme == c::TRE_R04);
    let derive = type_savoir_faire(&autres);
    let types = types.into_iter().filter(|code| Some(code.code.as_str()) != derive);
    types.chain(autres).collect()
}
