//! Organization: EntiteJuridique, EntiteGeographique or OrganisationInterne.

use ror_proto::common::v1::{Code, Contact, Faute, Meta};
use ror_proto::structures::v1::{EntiteGeographique, EntiteJuridique, OrganisationInterne};

use super::Ressource;
use super::adresse::adresse;
use super::communs::{
    concept, divisions, ext_booleen, ext_code, ext_codes, ext_date, ext_entier, ext_periode, ext_texte,
    extensions_meta, meta, nom_humain, reference, telecoms,
};
use super::outils::{Extensions, Noeud, faute};
use super::tarif::tarifs;
use super::tranches::{Tranches, TypeIdentifiant, concepts, identifiants};
use crate::fhir::canoniques as c;

const IDENTIFIANTS: [TypeIdentifiant; 7] = [
    TypeIdentifiant { code: "40", systeme: c::SYS_ID_NAT_STRUCT, longueur: 0 },
    TypeIdentifiant { code: "1", systeme: c::SYS_FINESS, longueur: 0 },
    TypeIdentifiant { code: "2", systeme: c::SYS_SIRENE, longueur: 9 },
    TypeIdentifiant { code: "3", systeme: c::SYS_SIRENE, longueur: 14 },
    TypeIdentifiant { code: "4", systeme: c::SYS_RPPS_RANG, longueur: 0 },
    TypeIdentifiant { code: "0", systeme: c::SYS_ADELI_RANG, longueur: 0 },
    TypeIdentifiant { code: "42", systeme: c::SYS_OI, longueur: 0 },
];

const STATUT: &str = "statutJuridiqueINSEE";
const SOUS_ENSEMBLE: &str = "sousEnsembleAgregatStatutJuridique";
const CATEGORIE: &str = "categorieEtablissement";
const SPH: &str = "sphParticipation";
const TYPE_OI: &str = "OIType";

/// Members every kind has.
const COMMUNS: [&str; 10] =
    ["resourceType", "id", "meta", "extension", "identifier", "type", "name", "telecom", "contact", "partOf"];

fn classer(systeme: &str) -> Option<&'static str> {
    match systeme {
        c::TRE_R72 => Some(STATUT),
        c::TRE_R69 => Some(SOUS_ENSEMBLE),
        c::TRE_R66 | c::TRE_R316 | c::TRE_R02 => Some(CATEGORIE),
        c::TRE_R73 => Some(SPH),
        c::TRE_R207 => Some(TYPE_OI),
        _ => None,
    }
}

/// What is read before the kind is known.
struct Debut<'a> {
    meta: Meta,
    e: Extensions<'a>,
    ids: Tranches<String>,
    types: Tranches<Code>,
}

impl Debut<'_> {
    fn id(&mut self, code: &str, f: &mut Vec<Faute>) -> String {
        self.ids.une(code, f).unwrap_or_default()
    }

    fn fin(self, f: &mut Vec<Faute>) -> Meta {
        self.e.fin(f);
        self.ids.fin("les identifiants de ce genre de structure", f);
        self.types.fin("les types de ce genre de structure", f);
        self.meta
    }
}

/// Reads a structure; its kind is told by its identifiers, types and parent.
pub(super) fn lire(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Ressource {
    let mut debut = Debut {
        meta: meta(n, c::PROFIL_ORGANIZATION, f),
        e: Extensions::de(n, f),
        ids: identifiants(n, &IDENTIFIANTS, f),
        types: concepts(n, "type", classer, f),
    };
    extensions_meta(&mut debut.meta, &mut debut.e, true, f);
    debut.meta.commentaire = ext_texte(&mut debut.e, c::EXT_META_COMMENTAIRE, f);
    if debut.ids.a("42") || debut.types.a(TYPE_OI) {
        Ressource::Oi(lire_oi(n, debut, f))
    } else if debut.types.a(STATUT) || !n.a("partOf") {
        Ressource::Ej(lire_ej(n, debut, f))
    } else {
        Ressource::Eg(lire_eg(n, debut, f))
    }
}

fn borner(n: &Noeud<'_>, propres: &[&str], f: &mut Vec<Faute>) {
    let connus: Vec<&str> = COMMUNS.iter().chain(propres).copied().collect();
    n.borner(&connus, f);
}

fn lire_ej(n: &Noeud<'_>, mut d: Debut<'_>, f: &mut Vec<Faute>) -> EntiteJuridique {
    borner(n, &["_name", "address"], f);
    if n.a("partOf") {
        let message = "Une entité juridique n'a pas de structure parente.";
        let regle = "element-inconnu";
        f.push(faute(n.sous("partOf"), regle, message, "l'absence de partOf"));
    }
    let lue = adresse(n, true, f);
    if lue.position.is_some() {
        let message = "La position d'une entité juridique n'est pas portée par le ROR.";
        let element = n.sous("address");
        f.push(faute(element, "extension-inconnue", message, "une adresse seule"));
    }
    let (ouverture, date_fermeture) = ext_periode(&mut d.e, c::EXT_PERIODE, f);
    let creation = ext_date(&mut d.e, c::EXT_ORG_DATE_CREATION, f);
    EntiteJuridique {
        id_nat_struct: d.id("40", f),
        num_finess: d.id("1", f),
        num_siren: d.id("2", f),
        num_rpps_rang: d.id("4", f),
        num_adeli_rang: d.id("0", f),
        raison_sociale: n.texte("name", f),
        complement_raison_sociale: complement(n, f),
        statut_juridique: d.types.une(STATUT, f),
        sous_ensemble_statut_juridique: d.types.une(SOUS_ENSEMBLE, f),
        date_creation: if creation.is_empty() { ouverture } else { creation },
        date_fermeture,
        type_fermeture: ext_code(&mut d.e, c::EXT_ORG_TYPE_FERMETURE, f),
        adresse: lue.adresse,
        commune_cog: lue.commune,
        contacts: contacts(n, f),
        telecommunications: telecoms(n, f),
        meta: Some(d.fin(f)),
        ..EntiteJuridique::default()
    }
}

fn lire_eg(n: &Noeud<'_>, mut d: Debut<'_>, f: &mut Vec<Faute>) -> EntiteGeographique {
    borner(n, &["_name", "alias", "address"], f);
    let lue = adresse(n, true, f);
    let (date_ouverture, date_fermeture) = ext_periode(&mut d.e, c::EXT_PERIODE, f);
    let places = u32::MAX >> 1;
    let permanentes = ext_entier(&mut d.e, c::EXT_ORG_PLACES_PERMANENTES, places, f);
    let temporaires = ext_entier(&mut d.e, c::EXT_ORG_PLACES_TEMPORAIRES, places, f);
    EntiteGeographique {
        entite_juridique_id: reference(n, "partOf", "Organization", f),
        id_nat_struct: d.id("40", f),
        num_finess: d.id("1", f),
        num_siren: d.id("2", f),
        num_siret: d.id("3", f),
        num_rpps_rang: d.id("4", f),
        num_adeli_rang: d.id("0", f),
        denomination: n.texte("name", f),
        complement_denomination: complement(n, f),
        nom_operationnel: n.seul_texte("alias", f),
        categorie: d.types.une(CATEGORIE, f),
        modalite_participation_sph: d.types.une(SPH, f),
        aides_financieres: ext_codes(&mut d.e, c::EXT_ORG_AIDE_FINANCIERE, f),
        hebergement_famille: ext_booleen(&mut d.e, c::EXT_ORG_HEBERGEMENT_FAMILLE, f),
        nb_place_aide_sociale_permanent: permanentes,
        nb_place_aide_sociale_temporaire: temporaires,
        accessibilite: ext_code(&mut d.e, c::EXT_ORG_ACCESSIBILITE, f),
        niveau_recours_orsan: ext_code(&mut d.e, c::EXT_ORG_ORSAN, f),
        zone_poser: ext_booleen(&mut d.e, c::EXT_ORG_ZONE_POSER, f),
        date_ouverture,
        date_fermeture,
        type_fermeture: ext_code(&mut d.e, c::EXT_ORG_TYPE_FERMETURE, f),
        adresse: lue.adresse,
        commune_cog: lue.commune,
        position: lue.position,
        territoires_sante: divisions(&mut d.e, f),
        contacts: contacts(n, f),
        telecommunications: telecoms(n, f),
        tarifs: tarifs(&mut d.e, f),
        commentaire: ext_texte(&mut d.e, c::EXT_ORG_COMMENTAIRE, f),
        meta: Some(d.fin(f)),
        ..EntiteGeographique::default()
    }
}

fn lire_oi(n: &Noeud<'_>, mut d: Debut<'_>, f: &mut Vec<Faute>) -> OrganisationInterne {
    borner(n, &[], f);
    let (date_ouverture, date_fermeture) = ext_periode(&mut d.e, c::EXT_PERIODE, f);
    let reouverture = ext_date(&mut d.e, c::EXT_ORG_REOUVERTURE, f);
    OrganisationInterne {
        entite_geographique_id: reference(n, "partOf", "Organization", f),
        identifiant: d.id("42", f),
        nom: n.texte("name", f),
        r#type: d.types.une(TYPE_OI, f),
        date_ouverture,
        date_fermeture,
        type_fermeture: ext_code(&mut d.e, c::EXT_ORG_TYPE_FERMETURE, f),
        date_previsionnelle_reouverture: reouverture,
        contacts: contacts(n, f),
        telecommunications: telecoms(n, f),
        meta: Some(d.fin(f)),
    }
}

/// Complement of the name, on the primitive.
fn complement(n: &Noeud<'_>, f: &mut Vec<Faute>) -> String {
    let Some(nom) = n.objet("_name", f) else {
        return String::new();
    };
    nom.borner(&["id", "extension"], f);
    let mut e = Extensions::de(&nom, f);
    let complement = ext_texte(&mut e, c::EXT_ORG_NOM_COMPLEMENT, f);
    e.fin(f);
    complement
}

fn contacts(n: &Noeud<'_>, f: &mut Vec<Faute>) -> Vec<Contact> {
    let mut contacts = Vec::new();
    for item in n.objets("contact", f) {
        item.borner(&["id", "extension", "purpose", "name", "telecom"], f);
        let mut e = Extensions::de(&item, f);
        contacts.push(Contact {
            nom: nom_humain(&item, "name", f),
            fonction: ext_code(&mut e, c::EXT_CONTACT_FONCTION, f),
            nature: concept(&item, "purpose", f),
            description: ext_texte(&mut e, c::EXT_CONTACT_DESCRIPTION, f),
            niveau_confidentialite: ext_code(&mut e, c::EXT_CONTACT_NIVEAU, f),
            telecommunications: telecoms(&item, f),
        });
        e.fin(f);
    }
    contacts
}
