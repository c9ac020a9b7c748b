//! Snapshot and events: the state at the watermark and what follows it are the whole.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use ror_proto::{
    common::v1::{Canal, Evenement, instantane::Contenu},
    structures::v1::{
        SnapshotStructuresRequest, WithdrawStructureRequest, WriteStructuresItem, WriteStructuresRequest,
    },
};
use time::OffsetDateTime;
use tokio_stream::StreamExt;

use crate::{
    gabarits::{REGION, ecrire, ej, nationale},
    harnais::{Banc, attendre, compter},
};

/// What a follower holds: version and state by id, withdrawn ones left out.
#[derive(Default)]
struct Copie(BTreeMap<String, (u64, bool, Bytes)>);

impl Copie {
    fn appliquer(&mut self, e: &Evenement) {
        let tenue = self.0.get(&e.agregat_id).map_or(0, |t| t.0);
        if e.version > tenue {
            self.0.insert(e.agregat_id.clone(), (e.version, e.retire, e.etat.clone()));
        }
    }

    fn presents(&self) -> Vec<(String, i64, Vec<u8>)> {
        let present = |(id, t): (&String, &(u64, bool, Bytes))| {
            (!t.1).then(|| (id.clone(), i64::try_from(t.0).unwrap(), t.2.to_vec()))
        };
        self.0.iter().filter_map(present).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_and_the_events_after_its_watermark_leave_no_gap() {
    let banc = Banc::demarrer(&["structures"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    ecrire(&banc, &nationale(), (0..100).map(|n| ej(&format!("ej-{n:03}"), REGION, "Départ")).collect())
        .await;
    banc.attendre_publie(&base).await;
    let fini = Arc::new(AtomicBool::new(false));
    let ecrivains: Vec<_> = (0..3)
        .map(|e| {
            let (mut client, fini) = (banc.structures(), fini.clone());
            tokio::spawn(async move {
                let mut tour = 0usize;
                while !fini.load(Ordering::Relaxed) {
                    tour += 1;
                    let id = |n: usize| format!("ej-{:03}", (tour * 7 + e * 31 + n) % 130);
                    if tour.is_multiple_of(11) {
                        let d = WithdrawStructureRequest { provenance: Some(nationale()), id: id(0) };
                        let _ = client.withdraw_structure(d).await;
                        continue;
                    }
                    let items = (0..3)
                        .map(|n| WriteStructuresItem {
                            ressource: Some(ej(&id(n), REGION, &format!("Écrivain {e}, tour {tour}"))),
                            version_attendue: 0,
                        })
                        .collect();
                    let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
                    client.write_structures(d).await.unwrap();
                }
            })
        })
        .collect();
    // Snapshots taken in the middle of it, far enough from each other to differ.
    let mut prises = Vec::new();
    for _ in 0..8 {
        let avant = compter(&base, "select count(*) from outbox_event").await;
        attendre("the writers to go on", async || {
            compter(&base, "select count(*) from outbox_event").await > avant + 30
        })
        .await;
        let mut flux =
            banc.structures().snapshot_structures(SnapshotStructuresRequest {}).await.unwrap().into_inner();
        let (mut repere, mut copie) = (None, Copie::default());
        while let Some(m) = flux.message().await.unwrap() {
            match m.instantane.unwrap().contenu.unwrap() {
                Contenu::Repere(r) => {
                    assert!(repere.is_none() && copie.0.is_empty(), "the watermark comes first, once");
                    repere = Some(r);
                }
                Contenu::Evenement(e) => {
                    assert!(!e.retire, "what is withdrawn is not in a snapshot");
                    copie.appliquer(&e);
                }
            }
        }
        let repere = repere.expect("a watermark");
        assert_eq!(repere.flux, "ROR_STRUCTURES");
        assert!(repere.sequence > 0);
        prises.push((repere.sequence, copie));
    }
    fini.store(true, Ordering::Relaxed);
    for e in ecrivains {
        e.await.unwrap();
    }
    banc.attendre_publie(&base).await;
    let deposes = banc.deposes("structures").await;
    let fin: Vec<(String, i64, Vec<u8>)> =
        sqlx::query_as("select id, version, etat from agregat where not retire order by id")
            .fetch_all(&base)
            .await
            .unwrap();
    let derniere = deposes.last().unwrap().sequence;
    for (repere, mut copie) in prises {
        assert!(repere < derniere, "the snapshot was taken while writes went on");
        assert_ne!(copie.presents(), fin);
        for d in deposes.iter().filter(|d| d.sequence > repere) {
            copie.appliquer(&d.evenement);
        }
        assert_eq!(copie.presents(), fin, "from watermark {repere}");
    }
    // The events alone, from the first one, tell the same.
    let mut copie = Copie::default();
    deposes.iter().for_each(|d| copie.appliquer(&d.evenement));
    assert_eq!(copie.presents(), fin);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_stays_silent_is_replaced() {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    let suivies = banc.base("offers").await;
    let atteinte = async || {
        compter(&suivies, "select sequence from suivi where nom = 'structures'").await.cast_unsigned()
    };
    ecrire(&banc, &nationale(), vec![ej("ej-1", REGION, "Avant")]).await;
    banc.attendre_publie(&base).await;
    let avant = banc.derniere_sequence("structures").await;
    attendre("the first event to be followed", async || atteinte().await == avant).await;
    // Paused, they send heartbeats and nothing else.
    let flux = banc.jet.flux("structures").await.unwrap();
    let mut noms = flux.consumer_names();
    let jusqu_a = OffsetDateTime::now_utc() + Duration::from_secs(3600);
    let mut muets = 0;
    while let Some(nom) = noms.next().await {
        flux.pause_consumer(&nom.unwrap(), jusqu_a).await.unwrap();
        muets += 1;
    }
    assert!(muets > 0, "nobody follows");
    ecrire(&banc, &nationale(), vec![ej("ej-1", REGION, "Après")]).await;
    banc.attendre_publie(&base).await;
    let apres = banc.derniere_sequence("structures").await;
    assert!(apres > avant);
    attendre("the second event to be followed", async || atteinte().await == apres).await;
}
