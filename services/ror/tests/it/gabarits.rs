//! Resources and packets that the services accept, to be spoilt by each test.

use std::sync::LazyLock;

use ror_chassis::{
    Erreur,
    conversion::{horodatage, maintenant},
};
use ror_domaine::{
    controle::aujourdhui,
    liaisons::{self, Liaison},
    vocabulaire::Vocabulaire,
};
use ror_proto::{
    capacity::v1::{CleIndicateur, EnregistrementCapacite},
    common::v1::{Canal, Code, Contact, Faute, Issue, Meta, Provenance, Quantite, ResultatEcriture},
    nomenclatures::v1::{Nomenclature, Sorte},
    offers::v1::{LieuRealisation, Offer, OffreOperationnelle, WriteOffersItem, WriteOffersRequest, offer},
    structures::v1::{
        EntiteGeographique, EntiteJuridique, Structure, WriteStructuresItem, WriteStructuresRequest,
        structure,
    },
};
use tonic::Status;

use crate::harnais::Banc;

/// The region most tests write.
pub const REGION: &str = "52";
/// Another one.
pub const AUTRE: &str = "84";

/// The lists shipped with the product.
pub fn listes() -> &'static [Nomenclature] {
    static LISTES: LazyLock<Vec<Nomenclature>> =
        LazyLock::new(|| ror_nomenclatures::donnees::embarquees().unwrap());
    &LISTES
}

/// The `rang`-th code of a value set that may be used today.
pub fn code(liaison: Liaison, rang: usize) -> Code {
    static VOCABULAIRE: LazyLock<Vocabulaire> = LazyLock::new(|| Vocabulaire::fixe(listes()));
    let tables = VOCABULAIRE.tables();
    let jour = aujourdhui();
    listes()
        .iter()
        .filter(|n| n.sorte() == Sorte::Jdv && n.canonique == liaison.canonique)
        .flat_map(|n| &n.concepts)
        .map(|c| Code { systeme: c.systeme.clone(), code: c.code.clone() })
        .filter(|c| tables.valider(liaison, c, &jour).is_ok())
        .nth(rang)
        // A list that is not loaded proves nothing: any code does.
        .unwrap_or_else(|| Code { systeme: "urn:it".into(), code: format!("{rang}") })
}

/// A code by its value.
pub fn du_systeme(systeme: &str, code: &str) -> Code {
    Code { systeme: systeme.into(), code: code.into() }
}

pub fn provenance(region: &str, canal: Canal, epoque: u64) -> Provenance {
    Provenance { region: region.into(), canal: canal as i32, epoque, auteur: "it".into() }
}

/// The national channel at the first epoch.
pub fn nationale() -> Provenance {
    provenance(REGION, Canal::National, 1)
}

fn meta(id: &str, region: &str) -> Option<Meta> {
    Some(Meta { id: id.into(), region: region.into(), ..Default::default() })
}

/// A legal entity that FINESS does not know.
pub fn ej(id: &str, region: &str, nom: &str) -> Structure {
    let e = EntiteJuridique { meta: meta(id, region), raison_sociale: nom.into(), ..Default::default() };
    Structure { ressource: Some(structure::Ressource::EntiteJuridique(e)) }
}

/// The same with a national identification, which one structure alone may hold.
pub fn ej_identifiee(id: &str, nom: &str, id_nat_struct: &str) -> Structure {
    let mut s = ej(id, REGION, nom);
    if let Some(structure::Ressource::EntiteJuridique(e)) = &mut s.ressource {
        e.id_nat_struct = id_nat_struct.into();
    }
    s
}

/// A site.
pub fn eg(id: &str, region: &str, ej: &str) -> Structure {
    let e = EntiteGeographique {
        meta: meta(id, region),
        entite_juridique_id: ej.into(),
        denomination: format!("Site {id}"),
        ..Default::default()
    };
    Structure { ressource: Some(structure::Ressource::EntiteGeographique(e)) }
}

/// An offer carried by a structure.
pub fn offre(id: &str, region: &str, porteur: &str) -> OffreOperationnelle {
    let age = |valeur| Some(Quantite { valeur, unite: Some(code(liaisons::UNITE_TEMPS, 0)) });
    OffreOperationnelle {
        meta: meta(id, region),
        identifiant: format!("{region}/{id}"),
        porteur_id: porteur.into(),
        nom: format!("Offre {id}"),
        champ_activite: Some(code(liaisons::CHAMP_ACTIVITE, 0)),
        mode_prise_en_charge: Some(code(liaisons::MODE_PRISE_EN_CHARGE, 0)),
        activites_operationnelles: vec![code(liaisons::ACTIVITE_OPERATIONNELLE, 0)],
        age_min: age(18.0),
        age_max: age(120.0),
        ..Default::default()
    }
}

/// A place.
pub fn lieu(id: &str, region: &str) -> LieuRealisation {
    LieuRealisation {
        meta: meta(id, region),
        identifiant: format!("{region}/{id}"),
        nom: format!("Lieu {id}"),
        commune_cog: "44109".into(),
        ..Default::default()
    }
}

/// A contact of one confidentiality level.
pub fn contact(niveau: &str) -> Contact {
    Contact {
        nom: "Accueil".into(),
        niveau_confidentialite: Some(du_systeme(liaisons::TRE_NIVEAU, niveau)),
        ..Default::default()
    }
}

pub fn en_offre(o: OffreOperationnelle) -> Offer {
    Offer { ressource: Some(offer::Ressource::Offre(o)) }
}

pub fn en_lieu(l: LieuRealisation) -> Offer {
    Offer { ressource: Some(offer::Ressource::Lieu(l)) }
}

/// The indicator of one status at the present moment.
pub fn cle(statut: &str) -> CleIndicateur {
    CleIndicateur {
        statut: statut.into(),
        temporalite: "01".into(),
        affectation_temporaire: "01".into(),
        ..Default::default()
    }
}

/// A record of beds.
pub fn enregistrement(statut: &str, nombre: u32) -> EnregistrementCapacite {
    EnregistrementCapacite {
        cle: Some(cle(statut)),
        nature: "01".into(),
        nombre,
        source: "02".into(),
        date_maj: Some(horodatage(maintenant())),
        commentaire: String::new(),
    }
}

/// Writes structures in one batch.
pub async fn ecrire(banc: &Banc, p: &Provenance, ressources: Vec<Structure>) -> Vec<ResultatEcriture> {
    let items = ressources
        .into_iter()
        .map(|r| WriteStructuresItem { ressource: Some(r), version_attendue: 0 })
        .collect();
    let demande = WriteStructuresRequest { provenance: Some(p.clone()), items, essai: false };
    banc.structures().write_structures(demande).await.unwrap().into_inner().resultats
}

/// Writes one structure.
pub async fn ecrire_un(banc: &Banc, p: &Provenance, ressource: Structure) -> ResultatEcriture {
    ecrire(banc, p, vec![ressource]).await.remove(0)
}

/// Writes offers and places in one batch.
pub async fn ecrire_offres(banc: &Banc, p: &Provenance, ressources: Vec<Offer>) -> Vec<ResultatEcriture> {
    let items =
        ressources.into_iter().map(|r| WriteOffersItem { ressource: Some(r), version_attendue: 0 }).collect();
    let demande = WriteOffersRequest { provenance: Some(p.clone()), items, essai: false };
    banc.offers().write_offers(demande).await.unwrap().into_inner().resultats
}

/// Writes one offer or place.
pub async fn ecrire_offre(banc: &Banc, p: &Provenance, ressource: Offer) -> ResultatEcriture {
    ecrire_offres(banc, p, vec![ressource]).await.remove(0)
}

/// The result, which must not be a refusal.
pub fn accepte(r: ResultatEcriture) -> ResultatEcriture {
    assert_ne!(r.issue(), Issue::Refuse, "{}: {:?}", r.id, r.fautes);
    r
}

/// The rules of a refused result.
pub fn regles(r: &ResultatEcriture) -> Vec<&str> {
    assert_eq!(r.issue(), Issue::Refuse, "{r:?}");
    r.fautes.iter().map(|f| f.regle.as_str()).collect()
}

/// The faults told by a status; its rule is the first one's.
pub fn fautes(s: Status) -> Vec<Faute> {
    match Erreur::from(s) {
        Erreur::Invalide(f) | Erreur::Regle(f) => f,
        autre => panic!("not a list of faults: {autre}"),
    }
}
