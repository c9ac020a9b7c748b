//! What a person is shown, and what comes of the decision.

use ror_proto::identity::v1::{Anomalie, DecideAnomalyRequest, ListAnomaliesRequest, StatutAnomalie};

use super::*;

pub(super) async fn ouvertes(banc: &Banc, regle: &str) -> Vec<Anomalie> {
    lister(banc, regle, StatutAnomalie::Ouverte).await
}

async fn lister(banc: &Banc, regle: &str, statut: StatutAnomalie) -> Vec<Anomalie> {
    let d = ListAnomaliesRequest { statut: statut as i32, regle: regle.into(), ..Default::default() };
    banc.identity().list_anomalies(d).await.unwrap().into_inner().anomalies
}

async fn decider(banc: &Banc, id: &str, accepter: bool) -> Result<Anomalie, Status> {
    let d = DecideAnomalyRequest {
        id: id.into(),
        accepter,
        operateur: "exploitant".into(),
        motif: "vu sur place".into(),
    };
    banc.identity().decide_anomaly(d).await.map(|r| r.into_inner().anomalie.unwrap())
}

/// Closed, without a date nor an event that gives one.
fn fermer_sans_date(mut site: Value) -> Value {
    site["etatObjet"] = json!("I");
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contradiction_is_open_while_it_is_shown_and_what_is_set_aside_stays_so() {
    let banc = Banc::demarrer(&["identity"]).await;
    let du = |jour: &str, sans_date: &[usize]| {
        sites_du(jour, 15, |rang, s| Some(if sans_date.contains(&rang) { fermer_sans_date(s) } else { s }))
    };
    finess(&banc, &du("2026-10-01", &[2, 3])).await;
    let vues = ouvertes(&banc, "fermee-sans-date").await;
    assert_eq!(vues.len(), 2);
    let deux = vues.iter().find(|a| a.cle == numero(2)).unwrap();
    assert_eq!(
        (deux.ligne, deux.champ.as_str(), deux.genre.as_str()),
        (1, "date_fermeture", "entite_geographique")
    );
    assert_eq!(deux.ressource_id, id_eg(&numero(2)));
    let ecartee = decider(&banc, &deux.id, false).await.unwrap();
    assert_eq!((ecartee.statut(), ecartee.decide_par.as_str()), (StatutAnomalie::Ecartee, "exploitant"));
    assert!(ecartee.decide_le.is_some());
    let e = decider(&banc, &deux.id, true).await.unwrap_err();
    assert_eq!(fautes(e)[0].regle, "anomalie-close");
    assert_eq!(decider(&banc, "pas-un-id", true).await.unwrap_err().code(), Code::InvalidArgument);
    let inconnue = uuid_quelconque();
    assert_eq!(decider(&banc, &inconnue, true).await.unwrap_err().code(), Code::NotFound);

    // Still true: one stays open, the other set aside.
    finess(&banc, &du("2026-10-02", &[2, 3])).await;
    let restent = ouvertes(&banc, "fermee-sans-date").await;
    assert_eq!(restent.iter().map(|a| a.cle.clone()).collect::<Vec<_>>(), [numero(3)]);
    // No longer true, then true again.
    finess(&banc, &du("2026-10-03", &[2])).await;
    assert!(ouvertes(&banc, "fermee-sans-date").await.is_empty());
    assert_eq!(lister(&banc, "fermee-sans-date", StatutAnomalie::Resolue).await.len(), 1);
    finess(&banc, &du("2026-10-04", &[2, 3])).await;
    assert_eq!(ouvertes(&banc, "fermee-sans-date").await.len(), 1);
}

/// An id that names nothing.
fn uuid_quelconque() -> String {
    "019aa000-0000-7000-8000-000000000001".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_successor_carries_the_number_it_took_the_place_of() {
    let banc = Banc::demarrer(&["identity"]).await;
    let identity = banc.base("identity").await;
    let nouveau = |mut s: Value| {
        s["informationsGeneralesEGE"]["numFinessEge"] = json!(numero(90));
        s["informationsGeneralesEGE"]["dateOuverture"] = json!("2026-10-01");
        s
    };
    let suivante = |jour: &str| {
        let mut sites: Vec<Value> = (0..15)
            .map(|rang| site(&numero(rang), &format!("SITE {rang}")))
            .map(|mut s| {
                let siret = format!(
                    "990001018{}",
                    &s["informationsGeneralesEGE"]["numFinessEge"].as_str().unwrap()[4..]
                );
                s["informationsGeneralesEGE"]["siret"] = json!(siret);
                s
            })
            .collect();
        if jour > "2026-10-01" {
            let repris = nouveau(sites[7].clone());
            sites[7] = fermer(sites[7].clone(), "100");
            sites.push(repris);
        }
        edition_du(jour, vec![entite(EJ, "CH DE LA BAIE", sites)])
    };
    finess(&banc, &suivante("2026-10-01")).await;
    assert!(ouvertes(&banc, "successeur-presume").await.is_empty(), "nothing succeeds in a first edition");
    let r = finess(&banc, &suivante("2026-10-02")).await;
    assert_eq!((fois(&r, Operation::Fermee), fois(&r, Operation::Creee)), (1, 1), "{r:?}");
    let propositions = ouvertes(&banc, "successeur-presume").await;
    assert_eq!(propositions.len(), 1);
    let proposition = &propositions[0];
    assert_eq!((proposition.cle.as_str(), proposition.valeur_recue.as_str()), (&*numero(7), &*numero(90)));
    assert!(proposition.score > 0.5 && !proposition.preuves.is_empty(), "{proposition:?}");
    assert!(fiche(&banc, &numero(90)).await.finess_precedent.is_empty(), "never by itself");

    let sans_nom = DecideAnomalyRequest { id: proposition.id.clone(), accepter: true, ..Default::default() };
    let e = banc.identity().decide_anomaly(sans_nom).await.unwrap_err();
    assert_eq!(fautes(e)[0].element, "operateur");
    let decidee = decider(&banc, &proposition.id, true).await.unwrap();
    assert_eq!(decidee.statut(), StatutAnomalie::Acceptee);
    assert_eq!(fiche(&banc, &numero(90)).await.finess_precedent, numero(7));
    let dits = changements(&banc, "", &id_eg(&numero(90))).await;
    assert_eq!((dits.len(), dits[1].champs.as_slice()), (2, ["finess_precedent".to_owned()].as_slice()));
    banc.attendre_publie(&identity).await;
    let dernier = banc.deposes("identity").await.pop().unwrap().evenement;
    assert_eq!((dernier.agregat_id, dernier.version), (id_eg(&numero(90)), 2), "who follows is told");
    // The editions that follow know nothing of it and change nothing of it.
    let avant = traces(&identity).await;
    finess(&banc, &suivante("2026-10-03")).await;
    assert_eq!(traces(&identity).await, avant);
    assert!(ouvertes(&banc, "successeur-presume").await.is_empty());
}
