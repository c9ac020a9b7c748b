//! Where the ROR and FINESS disagree on a structure: nothing is overwritten, both values are told.

use ror_domaine::identifiants::id_eg;
use ror_proto::{
    common::v1::{Canal, Position},
    identity::v1::StructureFiness,
    structures::v1::{
        Anomalie, CorrectionAdresse, EntiteGeographique, EtatAnomalie as Etat, ListAnomaliesRequest,
        Structure, structure,
    },
};

use crate::{
    fiches::{EG, Scene, adresse, site},
    gabarits::{AUTRE, ecrire_un, provenance, regles},
    harnais::attendre,
};

async fn anomalies(s: &Scene, etat: Etat) -> Vec<Anomalie> {
    let d = ListAnomaliesRequest { etat: etat as i32, region: AUTRE.into(), ..Default::default() };
    s.banc.structures().list_anomalies(d).await.unwrap().into_inner().anomalies
}

#[tokio::test(flavor = "multi_thread")]
async fn a_regional_feed_is_taken_without_what_finess_owns_and_both_values_are_told() {
    let s = Scene::monter(&["structures"], Canal::Regional).await;
    let tenue = s.eg(&id_eg(EG)).await.unwrap();
    assert_eq!(tenue.telecommunications[0].adresse, "0400000201", "pre-filled");
    let recue = EntiteGeographique {
        denomination: "SITE DU NORD".into(),
        nom_operationnel: "Urgences Nord".into(),
        telecommunications: vec![],
        ..tenue
    };
    // Told once, however often the region sends it.
    for _ in 0..2 {
        s.ecrire_eg(Canal::Regional, recue.clone()).await;
        let e = s.eg(&id_eg(EG)).await.unwrap();
        assert_eq!((e.denomination.as_str(), e.nom_operationnel.as_str()), ("SITE NORD", "Urgences Nord"));
        let ouvertes = anomalies(&s, Etat::Ouverte).await;
        assert_eq!(ouvertes.len(), 1, "{ouvertes:?}");
        let a = &ouvertes[0];
        assert_eq!((a.champ.as_str(), a.regle.as_str()), ("denominationEG", "divergence-finess"));
        assert_eq!((a.valeur_ror.as_str(), a.valeur_recue.as_str()), ("SITE NORD", "SITE DU NORD"));
        assert_eq!((a.structure_id.clone(), a.source.as_str()), (id_eg(EG), "regional (it)"));
    }
    // FINESS changes its mind, though not to what the region says; then it does.
    s.dire(StructureFiness { denomination: "NORD".into(), ..site(EG) }, "edition-2").await;
    attendre("the new value", async || {
        anomalies(&s, Etat::Ouverte).await.iter().any(|a| a.valeur_ror == "NORD")
    })
    .await;
    s.dire(StructureFiness { denomination: "SITE DU NORD".into(), ..site(EG) }, "edition-3").await;
    attendre("the agreement", async || anomalies(&s, Etat::Ouverte).await.is_empty()).await;
    let closes = anomalies(&s, Etat::Resolue).await;
    assert!(closes.len() == 1 && closes[0].close_le.is_some(), "{closes:?}");
    let e = s.eg(&id_eg(EG)).await.unwrap();
    assert!(e.telecommunications.is_empty(), "the phone is the ROR's since it was given");
    // The region corrects itself: as good an end.
    let autre = EntiteGeographique { num_siret: "99000101800128".into(), ..e.clone() };
    s.ecrire_eg(Canal::Regional, autre).await;
    assert_eq!(anomalies(&s, Etat::Ouverte).await[0].champ, "numSIRET");
    s.dire(StructureFiness { siret: "99000203200029".into(), ..site(EG) }, "edition-4").await;
    let e = s.attendre_eg("the number", EG, |e| e.num_siret == "99000203200029").await;
    s.ecrire_eg(Canal::Regional, e).await;
    assert!(anomalies(&s, Etat::Ouverte).await.is_empty());

    // A person is refused, and told whose it is.
    s.banc.bail_description(AUTRE, Canal::National, 2).await;
    let saisie = EntiteGeographique { denomination: "AUTRE".into(), ..s.eg(&id_eg(EG)).await.unwrap() };
    let saisie = Structure { ressource: Some(structure::Ressource::EntiteGeographique(saisie)) };
    let r = ecrire_un(&s.banc, &provenance(AUTRE, Canal::National, 2), saisie).await;
    assert_eq!(regles(&r), ["champ-verrouille"]);
    assert!(r.fautes[0].message.contains("FINESS") && r.fautes[0].attendu.contains("FINESS"));
    assert!(anomalies(&s, Etat::Ouverte).await.is_empty(), "refused, so nothing to tell");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_outlives_the_editions_until_finess_agrees_or_too_long() {
    let s = Scene::monter(&["structures"], Canal::National).await;
    let base = s.banc.base("structures").await;
    let correction = CorrectionAdresse { adresse: adresse("JUSTE"), ..Default::default() };
    let corriger = async || {
        let e = s.eg(&id_eg(EG)).await.unwrap();
        let e = EntiteGeographique { correction_adresse: Some(correction.clone()), ..e };
        s.ecrire_eg(Canal::National, e).await;
        assert_eq!(anomalies(&s, Etat::Ouverte).await.len(), 1);
    };
    corriger().await;
    s.dire(StructureFiness { adresse: adresse("AUTRE"), ..site(EG) }, "edition-2").await;
    let e = s.attendre_eg("the edition", EG, |e| e.adresse == adresse("AUTRE")).await;
    let c = e.correction_adresse.expect("a sync never loses it");
    assert_eq!((c.adresse, c.demandee_par.as_str()), (adresse("JUSTE"), "it"));
    let a = anomalies(&s, Etat::Ouverte).await.remove(0);
    assert_eq!(a.regle, "correction-en-attente");
    assert!(a.valeur_ror.contains("JUSTE") && a.valeur_recue.contains("AUTRE"), "{a:?}");
    s.dire(StructureFiness { adresse: adresse("JUSTE"), ..site(EG) }, "edition-3").await;
    let e = s.attendre_eg("the agreement", EG, |e| e.correction_adresse.is_none()).await;
    assert_eq!(e.adresse, adresse("JUSTE"));
    assert_eq!(anomalies(&s, Etat::Resolue).await.len(), 1);

    s.dire(site(EG), "edition-4").await;
    s.attendre_eg("another address", EG, |e| e.adresse == adresse("FICTIVE")).await;
    corriger().await;
    sqlx::query("update anomalie set vue_le = now() - interval '181 days' where etat = 1")
        .execute(&base)
        .await
        .unwrap();
    s.banc.arreter("structures").await;
    s.banc.allumer("structures").await;
    s.banc.attendre_pret("structures").await;
    s.attendre_eg("the end of the wait", EG, |e| e.correction_adresse.is_none()).await;
    attendre("its trace", async || anomalies(&s, Etat::Expiree).await.len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_refined_in_the_ror_is_not_moved_by_the_next_edition() {
    let s = Scene::monter(&["structures"], Canal::National).await;
    let place = |latitude| Some(Position { latitude, longitude: 5.2, fiable: None });
    s.dire(StructureFiness { position: place(46.1), ..site(EG) }, "edition-2").await;
    let e = s.attendre_eg("its position", EG, |e| e.position == place(46.1)).await;
    s.dire(StructureFiness { position: place(46.2), ..site(EG) }, "edition-3").await;
    s.attendre_eg("moved by FINESS", EG, |e| e.position == place(46.2)).await;
    s.ecrire_eg(Canal::National, EntiteGeographique { position: place(46.25), ..e }).await;
    let autre = StructureFiness { position: place(46.3), denomination: "NORD".into(), ..site(EG) };
    s.dire(autre, "edition-4").await;
    let e = s.attendre_eg("the edition", EG, |e| e.denomination == "NORD").await;
    assert!(e.position == place(46.25) && e.position_affinee);
}
