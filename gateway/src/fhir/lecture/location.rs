//! Location: LieuRealisation, with the capacity records it carries.

use ror_proto::capacity::v1::{CapaciteLieu, CleIndicateur, EnregistrementCapacite};
use ror_proto::common::v1::{Faute, Meta};
use ror_proto::offers::v1::{Equipement, Habitation, LieuRealisation, Limite};

use super::adresse::{adresse, position_native};
use super::communs::{
    coding, complexes, ext_code, ext_code_de, ext_entier, ext_instant, ext_texte, extensions_meta, meta,
    quantite, reference, seul_concept, telecoms, valeur,
};
use super::outils::{Extensions, Noeud};
use super::tranches::{TypeIdentifiant, identifiants};
use crate::fhir::canoniques as c;

const IDENTIFIANTS: [TypeIdentifiant; 2] = [
    TypeIdentifiant { code: "25", systeme: "", longueur: 0 },
    TypeIdentifiant { code: "26", systeme: "", longueur: 0 },
];

const MEMBRES: [&str; 16] = [
    "resourceType",
    "id",
    "meta",
    "extension",
    "identifier",
    "status",
    "operationalStatus",
    "name",
    "alias",
    "description",
    "type",
    "telecom",
    "address",
    "position",
    "managingOrganization",
    "partOf",
];

/// Largest number an element of a place may hold.
const NOMBRE_MAX: u32 = u32::MAX >> 1;

/// Largest nombreCapacite.
const CAPACITE_MAX: u32 = 9999;

/// Reads a place.
pub(super) fn lire(n: &Noeud<'_>, f: &mut Vec<Faute>) -> (LieuRealisation, Option<CapaciteLieu>) {
    n.borner(&MEMBRES, f);
    let mut meta = meta(n, c::PROFIL_LOCATION, f);
    let mut e = Extensions::de(n, f);
    extensions_meta(&mut meta, &mut e, true, f);
    let mut ids = identifiants(n, &IDENTIFIANTS, f);
    let status = |texte: &str| matches!(texte, "active" | "suspended" | "inactive");
    let statut = n.objet("operationalStatus", f).and_then(|statut| coding(&statut, f));
    let enregistrements = capacites(&mut e, f);
    let lieu = LieuRealisation {
        identifiant: ids.une("25", f).unwrap_or_default(),
        id_externe_synchro: ids.une("26", f).unwrap_or_default(),
        nom_externe_synchro: n.seul_texte("alias", f),
        nom: n.texte("name", f),
        description: n.texte("description", f),
        fonction: seul_concept(n, "type", f),
        statut,
        status: n.texte_tel("status", status, "active, suspended ou inactive", f),
        commune_cog: ext_code_de(&mut e, c::EXT_COMMUNE_COG, c::TRE_R13, f),
        adresse: adresse(n, false, f).adresse,
        position: position_native(n, f),
        telecommunications: telecoms(n, f),
        equipements: equipements(&mut e, f),
        habitations: habitations(&mut e, f),
        structure_gestionnaire_id: reference(n, "managingOrganization", "Organization", f),
        lieu_parent_id: reference(n, "partOf", "Location", f),
        commentaire: ext_texte(&mut e, c::EXT_LIEU_COMMENTAIRE, f),
        meta: Some(meta.clone()),
    };
    e.fin(f);
    let capacite = (!enregistrements.is_empty()).then(|| CapaciteLieu {
        meta: Some(Meta { modele_saisie: String::new(), ..meta }),
        enregistrements,
        fermeture: None,
    });
    (lieu, capacite)
}

fn equipements(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Vec<Equipement> {
    let mut equipements = Vec::new();
    for mut sous in complexes(e, c::EXT_EQUIPEMENT, f) {
        let mut equipement = Equipement {
            r#type: ext_code(&mut sous, "equipmentType", f),
            nombre_en_service: ext_entier(&mut sous, "nbInService", NOMBRE_MAX, f),
            limites: Vec::new(),
        };
        for mut limite in complexes(&mut sous, c::EXT_EQUIPEMENT_LIMITE, f) {
            let r#type = ext_code(&mut limite, "equipmentFeature", f);
            let valeur = valeur(&mut limite, "limitValue", "valueQuantity", f)
                .and_then(|n| quantite(&n, "valueQuantity", None, f));
            equipement.limites.push(Limite { r#type, valeur });
            limite.fin(f);
        }
        equipements.push(equipement);
        sous.fin(f);
    }
    equipements
}

fn habitations(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Vec<Habitation> {
    let mut habitations = Vec::new();
    for mut sous in complexes(e, c::EXT_HABITATION, f) {
        habitations.push(Habitation {
            r#type: ext_code(&mut sous, "residentialType", f),
            nombre: ext_entier(&mut sous, "residentialNumber", NOMBRE_MAX, f),
        });
        sous.fin(f);
    }
    habitations
}

fn capacites(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> Vec<EnregistrementCapacite> {
    let mut enregistrements = Vec::new();
    for mut sous in complexes(e, c::EXT_CAPACITE, f) {
        enregistrements.push(enregistrement(&mut sous, f));
        sous.fin(f);
    }
    enregistrements
}

/// Reads the sub-extensions of one capacity record; those left are for the caller to refuse.
pub(super) fn enregistrement(e: &mut Extensions<'_>, f: &mut Vec<Faute>) -> EnregistrementCapacite {
    e.exiger("nbCapacity", f);
    let cle = CleIndicateur {
        statut: ext_code_de(e, "capacityStatus", c::TRE_R330, f),
        temporalite: ext_code_de(e, "temporalityCapacity", c::TRE_R331, f),
        genre: ext_code_de(e, "genderCapacityAvailable", c::TRE_R332, f),
        type_fermeture: ext_code_de(e, "capacityClosingType", c::TRE_R333, f),
        type_lit_supplementaire: ext_code_de(e, "additionalBedType", c::TRE_R334, f),
        type_crise: ext_code_de(e, "crisisType", c::TRE_R336, f),
        affectation_temporaire: ext_code_de(e, "temporaryAssignement", c::TRE_R337, f),
    };
    EnregistrementCapacite {
        cle: Some(cle),
        nature: ext_code_de(e, "capacityType", c::TRE_R329, f),
        nombre: ext_entier(e, "nbCapacity", CAPACITE_MAX, f).unwrap_or_default(),
        source: ext_code_de(e, "capacitySourceType", c::TRE_R335, f),
        date_maj: ext_instant(e, "capacityUpdateDate", f),
        commentaire: ext_texte(e, "comment", f),
    }
}
