//! What a change in the registries does to offers and situations.

use ror_domaine::{
    identifiants::{id_eg, id_ej, id_ps},
    liaisons::{self, TRE_FERMETURE},
};
use ror_proto::{
    common::v1::{Canal, Meta},
    identity::v1::StructureFiness,
    offers::v1::{
        DecideConsequenceRequest, EtatConsequence as Etat, GetOfferRequest, LieuRealisation, Offer,
        OffreOperationnelle, SituationOperationnelle, offer,
    },
    structures::v1::{OrganisationInterne, Structure, structure},
};
use tonic::Code;

use crate::{
    fiches::{AUTRE_EG, AUTRE_EJ, EG, Scene, entite, fermeture, site, site_clos, site_ferme},
    gabarits::{AUTRE, accepte, code, du_systeme, ecrire_offre, ecrire_un, en_lieu, lieu, offre, provenance},
    harnais::{attendre, compter},
};

async fn scene() -> Scene {
    Scene::monter(&["offers"], Canal::National).await
}

/// An internal organisation of a site.
async fn organisation(s: &Scene, id: &str, site: &str) {
    let o = OrganisationInterne {
        meta: Some(Meta { id: id.into(), region: AUTRE.into(), ..Default::default() }),
        entite_geographique_id: site.into(),
        nom: format!("Service {id}"),
        ..Default::default()
    };
    let o = Structure { ressource: Some(structure::Ressource::OrganisationInterne(o)) };
    accepte(ecrire_un(&s.banc, &provenance(AUTRE, Canal::National, 0), o).await);
}

async fn decider(s: &Scene, id: &str, accepter: bool, motif: &str) -> Result<Etat, Code> {
    let d =
        DecideConsequenceRequest { id: id.into(), accepter, operateur: "ars-84".into(), motif: motif.into() };
    let r = s.banc.offers().decide_consequence(d).await.map_err(|e| e.code())?;
    Ok(r.into_inner().consequence.unwrap().etat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_closed_for_a_time_closes_its_open_offers_and_its_reopening_opens_only_them() {
    let s = scene().await;
    organisation(&s, "oi-1", &id_eg(EG)).await;
    s.creer_offre("1", &id_eg(EG)).await;
    s.creer_offre("2", "oi-1").await;
    let close = OffreOperationnelle {
        type_fermeture: Some(du_systeme(TRE_FERMETURE, "PRO")),
        date_fermeture: "2026-09-01".into(),
        ..offre("3", AUTRE, &id_eg(EG))
    };
    s.ecrire_offre(close).await;

    s.dire(site_clos(EG, "PRO", "2026-10-01"), "edition-2").await;
    for id in ["1", "2"] {
        let o = s.attendre_offre("the closure", id, |o| fermeture(o) == ("PRO", "2026-10-01")).await;
        assert_eq!(site_ferme(&o), "PRO");
        let c = s.attendre_consequence(id, "eg-fermee-provisoirement", Etat::Appliquee).await;
        assert_eq!((c.cause_id.as_str(), c.decide_par.as_str()), (id_eg(EG).as_str(), ""));
        assert_eq!(c.origine, "finess:edition-2", "traced to its edition");
        assert!(c.cause_version > 1 && c.message.contains("2026-10-01"), "{c:?}");
    }
    let o = s.attendre_offre("the closed site", "3", |o| site_ferme(o) == "PRO").await;
    assert_eq!(fermeture(&o), ("PRO", "2026-09-01"), "closed by its own region, before");
    assert!(s.consequences("3").await.is_empty());
    // One that comes while the site is closed tells it too.
    s.creer_offre("4", "oi-1").await;
    let o = s.offre("4").await;
    assert_eq!((fermeture(&o), site_ferme(&o)), (("", ""), "PRO"));

    s.dire(site(EG), "edition-3").await;
    for id in ["1", "2", "4"] {
        s.attendre_offre("the reopening", id, |o| fermeture(o) == ("", "") && site_ferme(o).is_empty()).await;
    }
    let o = s.attendre_offre("the open site", "3", |o| site_ferme(o).is_empty()).await;
    assert_eq!(fermeture(&o), ("PRO", "2026-09-01"), "not closed by the rule, not opened by it");
    assert!(s.consequences("1").await[0].levee_le.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_closed_for_good_waits_for_a_person_and_shows_at_once() {
    let s = scene().await;
    for id in ["1", "2", "3"] {
        s.creer_offre(id, &id_eg(EG)).await;
    }
    s.dire(site_clos(EG, "DEF", "2026-10-01"), "edition-2").await;
    let regle = "eg-fermee-definitivement";
    let c = s.attendre_consequence("1", regle, Etat::AControler).await;
    assert_eq!((c.type_fermeture.as_str(), c.date_fermeture.as_str()), ("DEF", "2026-10-01"));
    let o = s.offre("1").await;
    assert_eq!((fermeture(&o), site_ferme(&o)), (("", ""), "DEF"), "nothing changed but what its site is");

    assert_eq!(decider(&s, &c.id, true, "").await, Ok(Etat::Appliquee));
    assert_eq!(fermeture(&s.offre("1").await), ("DEF", "2026-10-01"));
    assert_eq!(decider(&s, &c.id, true, "").await, Err(Code::FailedPrecondition), "decided once");
    assert_eq!(decider(&s, "inconnue", true, "").await, Err(Code::NotFound));
    let c = s.attendre_consequence("2", regle, Etat::AControler).await;
    assert_eq!(decider(&s, &c.id, false, " ").await, Err(Code::InvalidArgument), "a refusal says why");
    assert_eq!(decider(&s, &c.id, false, "déménage").await, Ok(Etat::Refusee));
    assert_eq!(fermeture(&s.offre("2").await), ("", ""));
    assert_eq!(s.consequences("2").await[0].motif, "déménage");
    // Moved to another site: nothing more to ask.
    s.dire(site(AUTRE_EG), "edition-2").await;
    s.attendre_eg("the other site", AUTRE_EG, |_| true).await;
    s.ecrire_offre(offre("3", AUTRE, &id_eg(AUTRE_EG))).await;
    s.attendre_consequence("3", regle, Etat::Levee).await;
    assert_eq!(site_ferme(&s.offre("3").await), "");

    // Open again: what a person closed is asked about, and not opened by itself.
    s.dire(site(EG), "edition-3").await;
    let c = s.attendre_consequence("1", "eg-rouverte", Etat::AControler).await;
    assert_eq!(fermeture(&s.offre("1").await), ("DEF", "2026-10-01"));
    assert_eq!(decider(&s, &c.id, true, "").await, Ok(Etat::Appliquee));
    assert_eq!(fermeture(&s.offre("1").await), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_declared_by_error_is_withdrawn_then_comes_back_with_what_the_ror_owned() {
    let s = scene().await;
    s.creer_offre("1", &id_eg(EG)).await;
    let mut e = s.eg(&id_eg(EG)).await.unwrap();
    e.nom_operationnel = "Urgences Nord".into();
    s.ecrire_eg(Canal::National, e).await;
    s.dire(site_clos(EG, "ERREUR", ""), "edition-2").await;
    s.attendre_consequence("1", "eg-declaree-par-erreur", Etat::AControler).await;
    assert_eq!(s.eg(&id_eg(EG)).await, None);
    let o = s.offre("1").await;
    assert_eq!((fermeture(&o), site_ferme(&o)), (("", ""), "ERR"));
    s.dire(site(EG), "edition-3").await;
    let e = s.attendre_eg("the site again", EG, |_| true).await;
    assert_eq!(e.nom_operationnel, "Urgences Nord");
    s.attendre_consequence("1", "eg-declaree-par-erreur", Etat::Levee).await;
    assert_eq!(site_ferme(&s.offre("1").await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_to_another_legal_entity_leaves_the_offers_as_they_are() {
    let s = scene().await;
    s.creer_offre("1", &id_eg(EG)).await;
    let avant = s.offre("1").await;
    s.dire(entite(AUTRE_EJ), "edition-2").await;
    s.dire(StructureFiness { num_finess_ej: AUTRE_EJ.into(), ..site(EG) }, "edition-2").await;
    let e = s.attendre_eg("the transfer", EG, |e| e.entite_juridique_id == id_ej(AUTRE_EJ)).await;
    assert_eq!(e.num_finess, EG);
    // A later closure bounds the wait: when it is seen, so is the transfer.
    s.dire(StructureFiness { num_finess_ej: AUTRE_EJ.into(), ..site_clos(EG, "DEF", "") }, "edition-3").await;
    s.attendre_consequence("1", "eg-fermee-definitivement", Etat::AControler).await;
    let apres = OffreOperationnelle { fermeture_site: None, ..s.offre("1").await };
    let version = |o: &OffreOperationnelle| o.meta.as_ref().unwrap().version;
    assert_eq!(version(&apres), version(&avant) + 1, "the closure alone wrote");
    assert_eq!(OffreOperationnelle { meta: None, ..apres }, OffreOperationnelle { meta: None, ..avant });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_succeeds_another_keeps_the_structure_and_all_that_hangs_on_it() {
    let s = scene().await;
    organisation(&s, "oi-1", &id_eg(EG)).await;
    s.creer_offre("1", &id_eg(EG)).await;
    s.creer_offre("2", "oi-1").await;
    s.dire(site_clos(EG, "DEF", "2026-10-01"), "edition-2").await;
    s.attendre_consequence("1", "eg-fermee-definitivement", Etat::AControler).await;
    // The new number lives its own life until a person says what it is.
    s.dire(site(AUTRE_EG), "edition-2").await;
    s.attendre_eg("the new site", AUTRE_EG, |_| true).await;
    organisation(&s, "oi-2", &id_eg(AUTRE_EG)).await;
    s.creer_offre("3", &id_eg(AUTRE_EG)).await;
    let l = LieuRealisation { structure_gestionnaire_id: id_eg(AUTRE_EG), ..lieu("lieu-1", AUTRE) };
    accepte(ecrire_offre(&s.banc, &provenance(AUTRE, Canal::National, 0), en_lieu(l)).await);

    s.dire(StructureFiness { finess_precedent: EG.into(), ..site(AUTRE_EG) }, "edition-2").await;
    let e = s.attendre_eg("the new number", EG, |e| e.num_finess == AUTRE_EG).await;
    assert_eq!((e.finess_anterieurs, e.type_fermeture), (vec![EG.to_owned()], None));
    assert_eq!(s.eg(&id_eg(AUTRE_EG)).await, None, "withdrawn");
    s.attendre_offre("what hung on it to move", "3", |o| o.porteur_id == id_eg(EG)).await;
    for id in ["1", "2", "3"] {
        s.attendre_offre("an open site", id, |o| site_ferme(o).is_empty()).await;
    }
    assert_eq!(s.offre("1").await.porteur_id, id_eg(EG));
    s.attendre_consequence("1", "eg-fermee-definitivement", Etat::Levee).await;
    let d = GetOfferRequest { id: "lieu-1".into() };
    match s.banc.offers().get_offer(d).await.unwrap().into_inner().ressource.unwrap().ressource {
        Some(offer::Ressource::Lieu(l)) => assert_eq!(l.structure_gestionnaire_id, id_eg(EG)),
        autre => panic!("{autre:?}"),
    }
    let d = ror_proto::structures::v1::GetStructureRequest { id: "oi-2".into() };
    match s.banc.structures().get_structure(d).await.unwrap().into_inner().ressource.unwrap().ressource {
        Some(structure::Ressource::OrganisationInterne(o)) => {
            assert_eq!(o.entite_geographique_id, id_eg(EG))
        }
        autre => panic!("{autre:?}"),
    }
    // Found by either number; what FINESS still says of the former one is history.
    for numero in [EG, AUTRE_EG] {
        let d = ror_proto::structures::v1::ListStructuresRequest {
            identifiant: numero.into(),
            ..Default::default()
        };
        let trouvees = s.banc.structures().list_structures(d).await.unwrap().into_inner().ressources;
        use ror_domaine::ressource::Ressource as _;
        assert_eq!(trouvees.iter().map(|t| t.id().to_owned()).collect::<Vec<_>>(), [id_eg(EG)], "{numero}");
    }
    s.dire(site_clos(EG, "DEF", "2026-10-02"), "edition-3").await;
    s.dire(StructureFiness { denomination: "SITE NEUF".into(), ..site(AUTRE_EG) }, "edition-3").await;
    let e = s.attendre_eg("the next edition", EG, |e| e.denomination == "SITE NEUF").await;
    assert_eq!((e.num_finess.as_str(), e.type_fermeture), (AUTRE_EG, None));
}

const PERSONNE: &str = "810990000019";

#[tokio::test(flavor = "multi_thread")]
async fn a_professional_who_left_is_told_and_leaves_the_situation_by_a_person_only() {
    let s = scene().await;
    let base = s.banc.base("offers").await;
    attendre("the professionals to be followed", async || {
        compter(&base, "select count(*) from suivi where nom = 'professionnels'").await == 1
    })
    .await;
    s.creer_offre("1", &id_eg(EG)).await;
    s.dire_professionnel(PERSONNE, true, "rpps-1").await;
    s.dire_professionnel("810990000027", true, "rpps-1").await;
    let situation = SituationOperationnelle {
        meta: Some(Meta { id: "sit-1".into(), region: AUTRE.into(), ..Default::default() }),
        professionnel_id: id_ps(PERSONNE),
        offre_id: "1".into(),
        profession: Some(code(liaisons::PROFESSION_SANTE, 0)),
        mode_exercice: Some(code(liaisons::MODE_EXERCICE, 0)),
        ..Default::default()
    };
    let situation = Offer { ressource: Some(offer::Ressource::Situation(situation)) };
    accepte(ecrire_offre(&s.banc, &provenance(AUTRE, Canal::National, 0), situation).await);
    let lire = async || s.banc.offers().get_offer(GetOfferRequest { id: "sit-1".into() }).await;
    let avant = lire().await.unwrap().into_inner();

    // One that nothing refers to leaves no trace.
    s.dire_professionnel("810990000027", false, "rpps-2").await;
    s.dire_professionnel(PERSONNE, false, "rpps-2").await;
    let regle = "professionnel-inactif";
    let c = s.attendre_consequence("sit-1", regle, Etat::AControler).await;
    assert_eq!((c.genre.as_str(), c.origine.as_str()), ("situation", "rpps:rpps-2"));
    assert_eq!(lire().await.unwrap().into_inner(), avant, "never changed by the rule");
    assert_eq!(s.consequences("").await.len(), 1);
    s.dire_professionnel(PERSONNE, true, "rpps-3").await;
    s.attendre_consequence("sit-1", regle, Etat::Levee).await;
    s.dire_professionnel(PERSONNE, false, "rpps-4").await;
    let c = s.attendre_consequence("sit-1", regle, Etat::AControler).await;
    assert_eq!(decider(&s, &c.id, true, "").await, Ok(Etat::Appliquee));
    assert_eq!(lire().await.unwrap_err().code(), Code::NotFound);
}
