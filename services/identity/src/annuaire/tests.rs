use std::{
    ops::ControlFlow,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    http::header::RETRY_AFTER,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use time::macros::{date, datetime};

use super::*;
use crate::{
    formats::{self, Lecture},
    synchro::tests::serveur::{Requete, Serveur, coupee, statut},
};

const JOUR: Date = date!(2026 - 09 - 25);
const ORGANISATIONS: &str =
    "/fhir/v2/Organization?_lastUpdated=ge2026-09-25&_count=2&_include=Organization%3Apartof";
const PERSONNES: &str = "/fhir/v2/Practitioner?_lastUpdated=ge2026-09-25&_count=2";
const ACTIVITES: &str = "/fhir/v2/PractitionerRole?_lastUpdated=ge2026-09-25&_count=2\
    &_include=PractitionerRole%3Apractitioner&_include=PractitionerRole%3Aorganization";
const SUITE: &str = "/fhir/v2/_page?id=jeton-opaque";

/// Windows in memory, as the database keeps them.
#[derive(Default)]
struct Table(Mutex<(Option<Position>, Vec<Vec<u8>>)>);

impl Memoire for Table {
    async fn position(&self) -> Resultat<Option<Position>> {
        Ok(self.0.lock().unwrap().0.clone())
    }

    async fn ouvrir(&self, position: &Position) -> Resultat<()> {
        *self.0.lock().unwrap() = (Some(position.clone()), Vec::new());
        Ok(())
    }

    async fn garder(&self, position: &Position, page: Option<&[u8]>) -> Resultat<()> {
        let mut table = self.0.lock().unwrap();
        table.0 = Some(position.clone());
        table.1.extend(page.map(<[u8]>::to_vec));
        assert_eq!(table.1.len() as i64, position.pages);
        Ok(())
    }
}

impl Table {
    /// What the pages kept give once loaded: records, refusals.
    fn lues(&self) -> (usize, usize) {
        let octets = self.0.lock().unwrap().1.concat();
        let mut lues = (0, 0);
        formats::annuaire::lire(octets.as_slice(), &mut |lecture| {
            match lecture {
                Lecture::Enregistrement { .. } => lues.0 += 1,
                Lecture::Refus { .. } => lues.1 += 1,
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        lues
    }
}

fn rythme() -> Rythme {
    Rythme {
        intervalle: Duration::ZERO,
        delai: Duration::from_secs(5),
        essais: 3,
        attente: Duration::from_millis(1),
        attente_max: Duration::from_secs(2),
    }
}

fn acces(serveur: &Serveur) -> Acces {
    Acces { base: serveur.url("/fhir/v2"), cle: Secret::from("cle-de-test".to_owned()), taille: 2 }
}

fn entite(finess: &str) -> Value {
    json!({"resourceType": "Organization", "id": format!("001-{finess}"), "meta": {"versionId": "1"},
        "active": true, "name": "CENTRE INVENTÉ", "identifier": [{"type": {"coding": [{"code": "FINEJ"}]},
            "system": "https://finess.esante.gouv.fr", "value": finess}]})
}

fn personne(rpps: &str, version: &str) -> Value {
    json!({"resourceType": "Practitioner", "id": format!("003-{rpps}"), "meta": {"versionId": version},
        "active": true, "name": [{"family": "ALPHA", "given": ["Zoé"]}],
        "identifier": [{"type": {"coding": [{"code": "RPPS"}]}, "system": "https://rpps.esante.gouv.fr",
            "value": rpps}]})
}

fn activite(numero: &str, rpps: &str) -> Value {
    json!({"resourceType": "PractitionerRole", "id": format!("005-{numero}"), "meta": {"versionId": "1"},
        "active": true, "practitioner": {"reference": format!("Practitioner/003-{rpps}")},
        "identifier": [{"system": "https://rpps.esante.gouv.fr", "value": numero}]})
}

/// A page on several lines, as the API writes them.
fn bundle(trouvees: &[Value], jointes: &[Value], suivante: Option<String>) -> String {
    let entree = |r: &Value, mode: &str| json!({"resource": r, "search": {"mode": mode}});
    let entrees: Vec<Value> = trouvees
        .iter()
        .map(|r| entree(r, "match"))
        .chain(jointes.iter().map(|r| entree(r, "include")))
        .collect();
    let liens: Vec<Value> = suivante.into_iter().map(|url| json!({"relation": "next", "url": url})).collect();
    format!("{:#}", json!({"resourceType": "Bundle", "type": "searchset", "link": liens, "entry": entrees}))
}

/// The API over two legal entities, two persons and one activity.
fn api(r: &Requete) -> Response {
    if r.entetes.get("ESANTE-API-KEY").is_none_or(|cle| cle != "cle-de-test") {
        return statut(401);
    }
    let page = match r.uri.as_str() {
        ORGANISATIONS => bundle(&[entite("019000108")], &[], Some(r.lien(SUITE))),
        SUITE => bundle(&[entite("2B9000120")], &[], None),
        PERSONNES => bundle(&[personne("10990000019", "1"), personne("10990000027", "1")], &[], None),
        ACTIVITES => bundle(&[activite("77", "10990000019")], &[personne("10990000019", "1")], None),
        _ => return statut(404),
    };
    page.into_response()
}

async fn essai(serveur: &Serveur, table: &Table, versions: &mut Versions) -> Resultat<Position> {
    recuperer(&acces(serveur), rythme(), table, JOUR, versions).await
}

#[tokio::test]
async fn a_window_follows_the_links_waits_when_told_and_keeps_every_page() {
    let serveur = Serveur::lancer(|r| match (r.uri.as_str(), r.fois) {
        (SUITE, 1) => (axum::http::StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response(),
        (PERSONNES, 1) => statut(502),
        _ => api(r),
    })
    .await;
    let (table, debut) = (Table::default(), std::time::Instant::now());
    let position = essai(&serveur, &table, &mut Versions::default()).await.unwrap();
    assert!(debut.elapsed() >= Duration::from_secs(1), "Retry-After is honoured");
    assert_eq!((position.etape, position.pages, position.lien.as_str()), (3, 4, ""));
    assert_eq!(serveur.vues(), [ORGANISATIONS, SUITE, SUITE, PERSONNES, PERSONNES, ACTIVITES]);
    // Two legal entities, two persons, and the first one again with her activity.
    assert_eq!(table.lues(), (5, 0));
    let nom = en_tete(&Position { debut: datetime!(2026-10-02 08:05 UTC), ..position }).nom;
    assert_eq!(nom, "annuaire-20260925-202610020805");
}

#[tokio::test]
async fn after_a_crash_in_the_middle_of_a_page_the_window_goes_on_from_its_link() {
    let panne = Arc::new(AtomicBool::new(true));
    let coupure = panne.clone();
    let serveur = Serveur::lancer(move |r| {
        if r.uri == SUITE && coupure.load(Ordering::SeqCst) {
            return coupee(b"{\"resourceType\": \"Bundle\", \"entry\": [{\"res");
        }
        api(r)
    })
    .await;
    let table = Table::default();
    assert!(essai(&serveur, &table, &mut Versions::default()).await.is_err());
    assert_eq!(serveur.vues(), [ORGANISATIONS, SUITE, SUITE, SUITE], "as many calls as allowed");
    let gardee = table.position().await.unwrap().unwrap();
    assert_eq!((gardee.etape, gardee.pages), (0, 1));
    assert!(gardee.lien.ends_with(SUITE));

    panne.store(false, Ordering::SeqCst);
    let position = essai(&serveur, &table, &mut Versions::default()).await.unwrap();
    assert_eq!((position.pages, position.debut), (4, gardee.debut));
    assert_eq!(serveur.vues(), [SUITE, PERSONNES, ACTIVITES], "what was kept is not asked again");
    assert_eq!(table.lues(), (5, 0));
    // Loaded or not, a window that was read is not read again.
    essai(&serveur, &table, &mut Versions::default()).await.unwrap();
    assert!(serveur.vues().is_empty());
}

#[tokio::test]
async fn a_link_the_server_forgot_begins_the_window_again_once() {
    let serveur = Serveur::lancer(|r| if r.uri == SUITE && r.fois == 1 { statut(410) } else { api(r) }).await;
    let table = Table::default();
    assert_eq!(essai(&serveur, &table, &mut Versions::default()).await.unwrap().pages, 4);
    assert_eq!(serveur.vues(), [ORGANISATIONS, SUITE, ORGANISATIONS, SUITE, PERSONNES, ACTIVITES]);
    assert_eq!(table.lues(), (5, 0), "no page is kept twice");
    let serveur = Serveur::lancer(|r| if r.uri == SUITE { statut(410) } else { api(r) }).await;
    assert!(essai(&serveur, &Table::default(), &mut Versions::default()).await.is_err());
    assert_eq!(serveur.vues(), [ORGANISATIONS, SUITE, ORGANISATIONS, SUITE]);
}

#[tokio::test]
async fn what_was_loaded_is_left_out_and_a_new_version_is_not() {
    let change = Arc::new(AtomicBool::new(false));
    let nouvelle = change.clone();
    let serveur = Serveur::lancer(move |r| {
        if r.uri == PERSONNES && nouvelle.load(Ordering::SeqCst) {
            return bundle(&[personne("10990000019", "2"), personne("10990000027", "1")], &[], None)
                .into_response();
        }
        api(r)
    })
    .await;
    let mut versions = Versions::default();
    essai(&serveur, &Table::default(), &mut versions).await.unwrap();
    versions.charger();
    let table = Table::default();
    assert_eq!(essai(&serveur, &table, &mut versions).await.unwrap().pages, 0, "nothing is new");
    versions.charger();
    change.store(true, Ordering::SeqCst);
    assert_eq!(essai(&serveur, &Table::default(), &mut versions).await.unwrap().pages, 1);
}

#[tokio::test]
async fn the_key_goes_nowhere_else_and_is_never_printed() {
    let ailleurs = Serveur::lancer(|_| statut(200)).await;
    let lien = ailleurs.url(SUITE).to_string();
    let serveur = Serveur::lancer(move |r| match r.uri.as_str() {
        ORGANISATIONS => bundle(&[], &[], Some(lien.clone())).into_response(),
        _ => api(r),
    })
    .await;
    let refus = essai(&serveur, &Table::default(), &mut Versions::default()).await.unwrap_err();
    assert!(refus.phrase().contains("n'est pas suivi"), "{}", refus.phrase());
    assert!(ailleurs.vues().is_empty());
    let redirige = ailleurs.url("/").to_string();
    let serveur = Serveur::lancer(move |_| {
        (axum::http::StatusCode::FOUND, [("location", redirige.clone())]).into_response()
    })
    .await;
    assert!(essai(&serveur, &Table::default(), &mut Versions::default()).await.is_err());
    assert!(ailleurs.vues().is_empty(), "no redirection is followed");
    assert!(!format!("{:?}", acces(&serveur)).contains("cle-de-test"));
}

#[tokio::test]
async fn a_refused_key_or_a_long_wait_is_not_insisted_upon() {
    let serveur = Serveur::lancer(|_| statut(403)).await;
    let refus = essai(&serveur, &Table::default(), &mut Versions::default()).await.unwrap_err();
    assert!(refus.phrase().contains("sync.annuaire.api_key"), "{}", refus.phrase());
    assert_eq!(serveur.vues().len(), 1);
    let serveur = Serveur::lancer(|_| {
        (axum::http::StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "3600")]).into_response()
    })
    .await;
    assert!(essai(&serveur, &Table::default(), &mut Versions::default()).await.is_err());
    assert_eq!(serveur.vues().len(), 1);
}

#[tokio::test]
async fn calls_keep_their_pace() {
    let serveur = Serveur::lancer(api).await;
    let debut = std::time::Instant::now();
    let pas = Duration::from_millis(60);
    recuperer(
        &acces(&serveur),
        Rythme { intervalle: pas, ..rythme() },
        &Table::default(),
        JOUR,
        &mut Versions::default(),
    )
    .await
    .unwrap();
    assert!(debut.elapsed() >= pas * 3, "four calls, three waits");
    assert!(Rythme::default().intervalle * 17 >= Duration::from_secs(1), "17 calls a second at most");
}

#[test]
fn a_window_the_api_has_forgotten_asks_for_a_complete_edition() {
    let maintenant = datetime!(2026-10-31 10:00 UTC);
    assert_eq!(depuis(datetime!(2026-10-31 09:00 UTC), maintenant).unwrap(), date!(2026 - 10 - 30));
    assert_eq!(depuis(datetime!(2026-10-02 23:00 UTC), maintenant).unwrap(), date!(2026 - 10 - 01));
    let refus = depuis(datetime!(2026-10-01 23:00 UTC), maintenant).unwrap_err();
    assert!(refus.phrase().contains("30 jours") && refus.phrase().contains("édition complète"));
}

#[tokio::test]
async fn an_old_window_or_one_that_begins_too_late_is_begun_again() {
    let serveur = Serveur::lancer(api).await;
    let vieille = Position {
        depuis: JOUR,
        debut: maintenant() - Duration::from_secs(25 * 3600),
        etape: 3,
        lien: String::new(),
        pages: 0,
    };
    for position in
        [vieille.clone(), Position { debut: maintenant(), depuis: date!(2026 - 09 - 26), ..vieille }]
    {
        let table = Table::default();
        table.ouvrir(&position).await.unwrap();
        essai(&serveur, &table, &mut Versions::default()).await.unwrap();
        assert_eq!(serveur.vues().len(), 4);
    }
}
