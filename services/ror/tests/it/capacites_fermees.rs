//! Capacities of places whose offers close: nothing is available, nothing is lost.

use ror_domaine::identifiants::id_eg;
use ror_proto::{
    capacity::v1::{
        CapaciteLieu, GetCapacitieRequest, PatchCapacityRequest, PatchOperation, capacity::Ressource,
    },
    common::v1::Canal,
    offers::v1::OffreOperationnelle,
};

use crate::{
    fiches::{AUTRE_EG, EG, Scene, site, site_clos},
    gabarits::{AUTRE, accepte, ecrire_offre, en_lieu, enregistrement, lieu, offre, provenance},
    harnais::attendre,
};

/// Long past, whatever the day of the test.
const JOUR: &str = "2020-10-01";

async fn lue(s: &Scene, id: &str) -> CapaciteLieu {
    let d = GetCapacitieRequest { id: id.into() };
    match s.banc.capacity().get_capacitie(d).await.unwrap().into_inner().ressource.unwrap().ressource.unwrap()
    {
        Ressource::CapaciteLieu(l) => l,
    }
}

/// Number served of one status, and kind of closure of the place.
fn servi(l: &CapaciteLieu, statut: &str) -> (u32, String) {
    let e = l.enregistrements.iter().find(|e| e.cle.as_ref().is_some_and(|c| c.statut == statut));
    let fermeture = l.fermeture.as_ref().and_then(|f| f.r#type.as_ref()).map(|t| t.code.clone());
    (e.unwrap().nombre, fermeture.unwrap_or_default())
}

async fn attendre_servi(s: &Scene, id: &str, nombre: u32, fermeture: &str) {
    let quoi = format!("{nombre} available in {id}, closed « {fermeture} »");
    let attendu = (nombre, fermeture.to_owned());
    attendre(&quoi, async || servi(&lue(s, id).await, "02") == attendu).await;
}

/// A feed tells a number; the set as it is served after it.
async fn dire(s: &Scene, id: &str, statut: &str, nombre: u32) -> CapaciteLieu {
    let d = PatchCapacityRequest {
        provenance: Some(provenance(AUTRE, Canal::National, 0)),
        lieu_id: id.into(),
        operation: PatchOperation::Add as i32,
        cle: None,
        enregistrement: Some(enregistrement(statut, nombre)),
    };
    s.banc.capacity().patch_capacity(d).await.unwrap().into_inner().capacite_lieu.unwrap()
}

async fn creer_offre(s: &Scene, id: &str, site: &str, lieux: &[&str]) {
    let lieux_ids = lieux.iter().map(|l| (*l).to_owned()).collect();
    s.ecrire_offre(OffreOperationnelle { lieux_ids, ..offre(id, AUTRE, &id_eg(site)) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_whose_offers_are_all_closed_has_nothing_available_until_one_opens() {
    let s = Scene::monter(&["capacity"], Canal::National).await;
    s.banc.bail_capacite(AUTRE, Canal::National, 1).await;
    for id in ["lieu-1", "lieu-2"] {
        let r = ecrire_offre(&s.banc, &provenance(AUTRE, Canal::National, 0), en_lieu(lieu(id, AUTRE))).await;
        accepte(r);
    }
    creer_offre(&s, "1", EG, &["lieu-1"]).await;
    creer_offre(&s, "2", EG, &["lieu-1", "lieu-2"]).await;
    dire(&s, "lieu-1", "01", 10).await;
    assert_eq!(servi(&dire(&s, "lieu-1", "02", 3).await, "02"), (3, String::new()));

    s.dire(site_clos(EG, "PRO", JOUR), "edition-2").await;
    attendre_servi(&s, "lieu-1", 0, "PRO").await;
    assert_eq!(servi(&lue(&s, "lieu-1").await, "01").0, 10, "what is installed is");
    // Its feed goes on and is heard; a first one too.
    assert_eq!(servi(&dire(&s, "lieu-1", "02", 2).await, "02"), (0, "PRO".to_owned()));
    dire(&s, "lieu-2", "02", 5).await;
    attendre_servi(&s, "lieu-2", 0, "PRO").await;

    s.dire(site(EG), "edition-3").await;
    attendre_servi(&s, "lieu-1", 2, "").await;
    attendre_servi(&s, "lieu-2", 5, "").await;
    assert_eq!(lue(&s, "lieu-1").await.fermeture, None);

    // An offer of another site keeps its place open.
    s.dire(site(AUTRE_EG), "edition-3").await;
    s.attendre_eg("the other site", AUTRE_EG, |_| true).await;
    creer_offre(&s, "3", AUTRE_EG, &["lieu-1"]).await;
    s.dire(site_clos(EG, "PRO", JOUR), "edition-4").await;
    attendre_servi(&s, "lieu-2", 0, "PRO").await;
    attendre_servi(&s, "lieu-1", 2, "").await;
}
