//! The outbox and its relay: nothing lost, nothing doubled in effect, in order.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use prost::Message;
use ror_chassis::nats;
use ror_proto::{
    common::v1::{Canal, Evenement, Issue},
    structures::v1::{WriteStructuresItem, WriteStructuresRequest},
};
use sqlx::{PgExecutor, PgPool, types::Uuid};

use crate::{
    gabarits::{REGION, accepte, ecrire, ecrire_un, ej, nationale},
    harnais::{Banc, Depose, Options, attendre, compter},
};

const DURABLE: Options = Options { durable: true, communes: false };

/// The stream says what the outbox says: each event once, at the sequence noted, versions in order.
async fn verifier(banc: &Banc, base: &PgPool) -> Vec<Depose> {
    banc.attendre_publie(base).await;
    let deposes = banc.deposes("structures").await;
    let ids: BTreeSet<&str> = deposes.iter().map(|d| d.id.as_str()).collect();
    assert_eq!(ids.len(), deposes.len(), "no event id twice in the stream");
    let notes: Vec<(String, i64)> =
        sqlx::query_as("select event_id::text, sequence from outbox_publie order by sequence")
            .fetch_all(base)
            .await
            .unwrap();
    assert_eq!(
        compter(base, "select count(*) from outbox_event").await,
        notes.len() as i64,
        "none forgotten"
    );
    let lus: Vec<(String, i64)> =
        deposes.iter().map(|d| (d.id.clone(), i64::try_from(d.sequence).unwrap())).collect();
    assert_eq!(notes, lus, "every event published, at the sequence noted");
    let mut versions: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for d in &deposes {
        assert_eq!(d.id, d.evenement.id);
        assert_eq!(d.sujet, nats::sujet("structures", &d.evenement.genre));
        assert_eq!(d.evenement.source, "structures");
        assert!(d.evenement.provenance.is_some());
        versions.entry(&d.evenement.agregat_id).or_default().push(d.evenement.version);
    }
    for (id, v) in versions {
        assert_eq!(v, (1..=v.len() as u64).collect::<Vec<_>>(), "versions of {id}");
    }
    deposes
}

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_in_order_and_once_whatever_the_moment_the_service_dies() {
    let banc = Banc::demarrer_avec(DURABLE, &["structures"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    // Writers that insist, while the service is killed under them.
    let fini = Arc::new(AtomicBool::new(false));
    let ecrivains: Vec<_> = (0..4)
        .map(|e| {
            let (mut client, fini) = (banc.structures(), fini.clone());
            tokio::spawn(async move {
                let mut acquittes = 0u64;
                while !fini.load(Ordering::Relaxed) {
                    let items = (0..5)
                        .map(|n| WriteStructuresItem {
                            ressource: Some(ej(
                                &format!("ej-{e}-{n}"),
                                REGION,
                                &format!("Version {acquittes}"),
                            )),
                            version_attendue: 0,
                        })
                        .collect();
                    let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
                    if client.write_structures(d).await.is_ok() {
                        acquittes += 1;
                    } else {
                        tokio::task::yield_now().await;
                    }
                }
                acquittes
            })
        })
        .collect();
    for vie in 0..3 {
        let avant = compter(&base, "select count(*) from outbox_event").await;
        attendre("this life of the service to have written", async || {
            compter(&base, "select count(*) from outbox_event").await > avant + 40
        })
        .await;
        banc.tuer("structures").await;
        if vie == 1 {
            // A crash between publication and marking: all that is published is to be published again.
            sqlx::query("delete from outbox_publication").execute(&base).await.unwrap();
        }
        banc.allumer("structures").await;
    }
    attendre("the last life to write", async || {
        let n: i64 = compter(&base, "select count(*) from outbox_event").await;
        n > 160
    })
    .await;
    fini.store(true, Ordering::Relaxed);
    let mut acquittes = 0;
    for e in ecrivains {
        acquittes += e.await.unwrap();
    }
    let deposes = verifier(&banc, &base).await;
    assert!(
        deposes.len() as u64 >= acquittes,
        "{} events for {acquittes} acknowledged batches",
        deposes.len()
    );
    let versions = compter(&base, "select count(*) from agregat_historique").await;
    assert_eq!(deposes.len(), usize::try_from(versions).unwrap(), "one event a version");
    let (note, derniere) =
        (compter(&base, "select sequence from relai").await, banc.derniere_sequence("structures").await);
    assert_eq!(u64::try_from(note).unwrap(), derniere, "the watermark is the end of the stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_acknowledged_without_the_broker_and_its_event_follows() {
    let banc = Banc::demarrer(&["structures"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let base = banc.base("structures").await;
    accepte(ecrire_un(&banc, &nationale(), ej("ej-1", REGION, "Avant")).await);
    banc.attendre_publie(&base).await;

    banc.embarque.pause_nats();
    let r =
        ecrire(&banc, &nationale(), (0..20).map(|n| ej(&format!("gel-{n}"), REGION, "Gelé")).collect()).await;
    assert!(r.iter().all(|r| r.issue() == Issue::Cree));
    let attente = compter(&base, "select count(*) from outbox_attente").await;
    assert_eq!(attente, 20, "nothing is marked as published that was not acknowledged");
    banc.embarque.resume_nats();
    assert_eq!(verifier(&banc, &base).await.len(), 21);

    let avant = banc.embarque.nats_pid();
    banc.embarque.kill_nats();
    let r = ecrire(&banc, &nationale(), (0..20).map(|n| ej(&format!("mort-{n}"), REGION, "Mort")).collect())
        .await;
    assert!(r.iter().all(|r| r.issue() == Issue::Cree));
    attendre("NATS to be back", async || banc.embarque.nats_pid().is_some_and(|p| Some(p) != avant)).await;
    assert_eq!(verifier(&banc, &base).await.len(), 41);
    banc.attendre_pret("structures").await;
    // Once all is published, the watermark is again the end of the stream.
    let (note, derniere) =
        (compter(&base, "select sequence from relai").await, banc.derniere_sequence("structures").await);
    assert_eq!(u64::try_from(note).unwrap(), derniere);
}

/// Puts the next versions of one aggregate in the outbox, as a load does.
async fn deposer(base: impl PgExecutor<'_>, agregat: &str, versions: std::ops::Range<u64>) {
    let (ids, charges): (Vec<Uuid>, Vec<Vec<u8>>) = versions
        .map(|version| {
            let id = Uuid::now_v7();
            let e = Evenement {
                id: id.to_string(),
                source: "structures".into(),
                genre: "entite_juridique".into(),
                agregat_id: agregat.into(),
                version,
                provenance: Some(nationale()),
                ..Default::default()
            };
            (id, e.encode_to_vec())
        })
        .unzip();
    sqlx::query(
        "insert into outbox_event (event_id, sujet, charge)
         select x.event_id, $3, x.charge from unnest($1::uuid[], $2::bytea[]) as x(event_id, charge)",
    )
    .bind(ids)
    .bind(charges)
    .bind(nats::sujet("structures", "entite_juridique"))
    .execute(base)
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_events_than_a_batch_holds_leave_in_order_whatever_the_holes_among_them() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    // Three batches, one of which has a hole: what was taken and given up leaves no event.
    deposer(&base, "masse", 1..6_001).await;
    perdre(&base).await;
    deposer(&base, "masse", 6_001..11_001).await;
    assert_eq!(verifier(&banc, &base).await.len(), 11_000);
    let (note, derniere) =
        (compter(&base, "select sequence from relai").await, banc.derniere_sequence("structures").await);
    assert_eq!(u64::try_from(note).unwrap(), derniere, "the watermark is the end of the stream");
}

/// Takes a position and gives it up: nobody will be there.
async fn perdre(base: &PgPool) {
    let mut perdue = base.begin().await.unwrap();
    deposer(&mut *perdue, "perdu", 1..2).await;
    perdue.rollback().await.unwrap();
}

/// Positions below published ones where an event may still come.
async fn trous(base: &PgPool) -> i64 {
    compter(base, "select coalesce(sum(a - de + 1), 0)::bigint from outbox_publication where ecart is null")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_committed_late_leaves_and_a_position_given_up_is_closed() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    deposer(&base, "masse", 1..3).await;
    perdre(&base).await;
    deposer(&base, "masse", 3..5).await;
    banc.attendre_publie(&base).await;
    attendre("the position given up to be closed", async || trous(&base).await == 0).await;

    // More than a batch holds, below what is published while it is not committed.
    let mut tardive = base.begin().await.unwrap();
    deposer(&mut *tardive, "tardif", 1..6_001).await;
    perdre(&base).await;
    // Longer than the relay takes to look at the holes, more than once.
    for version in 5..9 {
        deposer(&base, "masse", version..version + 1).await;
        banc.attendre_publie(&base).await;
    }
    assert_eq!(trous(&base).await, 6_001, "nothing is closed while somebody may fill it");
    deposer(&mut *tardive, "tardif", 6_001..6_003).await;
    tardive.commit().await.unwrap();
    deposer(&base, "masse", 9..11).await;
    let deposes = verifier(&banc, &base).await;
    assert_eq!(deposes.len(), 10 + 6_002);
    let (tardifs, autres): (Vec<&Depose>, Vec<&Depose>) =
        deposes.iter().partition(|d| d.evenement.agregat_id == "tardif");
    assert!(tardifs[0].sequence > autres[7].sequence, "what was published before it stays before it");
    attendre("every hole to be closed", async || trous(&base).await == 0).await;
    let (note, derniere) =
        (compter(&base, "select sequence from relai").await, banc.derniere_sequence("structures").await);
    assert_eq!(u64::try_from(note).unwrap(), derniere, "the watermark is the end of the stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_outlives_the_relay_that_saw_it() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    let mut tardive = base.begin().await.unwrap();
    deposer(&mut *tardive, "tardif", 1..4).await;
    deposer(&base, "masse", 1..4).await;
    banc.attendre_publie(&base).await;
    banc.tuer("structures").await;
    tardive.commit().await.unwrap();
    assert_eq!(compter(&base, "select count(*) from outbox_attente").await, 3, "they wait, and nothing else");
    banc.allumer("structures").await;
    assert_eq!(verifier(&banc, &base).await.len(), 6);
    assert_eq!(trous(&base).await, 0, "filled whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_long_ago_is_purged_with_its_ranges() {
    let banc = Banc::demarrer(&["structures"]).await;
    let base = banc.base("structures").await;
    deposer(&base, "masse", 1..61).await;
    perdre(&base).await;
    deposer(&base, "masse", 61..101).await;
    banc.attendre_publie(&base).await;
    let plages = "select count(*) from outbox_publication where ecart is not null";
    assert!(compter(&base, plages).await > 1, "a hole parts them");
    banc.tuer("structures").await;
    sqlx::query(
        "update outbox_event set cree_le = now() - interval '4 days'
         where position <= (select position from outbox_event order by position offset 59 limit 1)",
    )
    .execute(&base)
    .await
    .unwrap();
    // A relay purges when it starts.
    banc.allumer("structures").await;
    attendre("the old ones to be gone", async || {
        compter(&base, "select count(*) from outbox_event").await == 40 && compter(&base, plages).await == 1
    })
    .await;
    deposer(&base, "masse", 101..102).await;
    banc.attendre_publie(&base).await;
    assert_eq!(compter(&base, "select count(*) from outbox_publie").await, 41);
    assert_eq!(banc.deposes("structures").await.len(), 101, "nothing left twice");
}

/// Ids and versions that `offers` knows of `structures`.
async fn references(offers: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("select id, version from reference where not retire order by id")
        .fetch_all(offers)
        .await
        .unwrap()
}

async fn agregats(structures: &PgPool) -> Vec<(String, i64)> {
    sqlx::query_as("select id, version from agregat where not retire order by id")
        .fetch_all(structures)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_start_again_from_a_snapshot_when_the_broker_has_lost_its_storage() {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let (structures, offers) = (banc.base("structures").await, banc.base("offers").await);
    ecrire(&banc, &nationale(), (0..40).map(|n| ej(&format!("ej-{n}"), REGION, "Un")).collect()).await;
    attendre("offers to know the forty", async || references(&offers).await.len() == 40).await;
    banc.attendre_publie(&structures).await;

    // What a wiped disk of the broker does, for this stream.
    banc.jet.contexte.delete_stream(nats::flux("structures")).await.unwrap();
    // A hole in the copy is only mended by a snapshot: no event of these will come again.
    sqlx::query("delete from reference where id in ('ej-3', 'ej-5')").execute(&offers).await.unwrap();
    attendre("offers to have started again from a snapshot", async || references(&offers).await.len() == 40)
        .await;

    // Later events flow, each taken from the new life of the stream.
    for n in 0..10 {
        accepte(ecrire_un(&banc, &nationale(), ej(&format!("neuve-{n}"), REGION, "Deux")).await);
    }
    accepte(ecrire_un(&banc, &nationale(), ej("ej-7", REGION, "Changée")).await);
    let voulus = agregats(&structures).await;
    assert_eq!(voulus.len(), 50);
    attendre("offers to know what came after", async || references(&offers).await == voulus).await;
    banc.attendre_publie(&structures).await;
    let mut flux = banc.jet.contexte.get_stream(nats::flux("structures")).await.unwrap();
    let info = flux.info().await.unwrap().clone();
    assert_eq!(info.state.messages, 11, "the new life holds what came after, each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watermark_is_of_the_present_life_of_the_stream() {
    let banc = Banc::demarrer(&["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let structures = banc.base("structures").await;
    ecrire(&banc, &nationale(), (0..40).map(|n| ej(&format!("ej-{n}"), REGION, "Un")).collect()).await;
    banc.attendre_publie(&structures).await;
    let naissance = async || {
        let mut f = banc.jet.contexte.get_stream(nats::flux("structures")).await.ok()?;
        f.info().await.ok().map(|i| i.created)
    };
    let avant = naissance().await;
    banc.jet.contexte.delete_stream(nats::flux("structures")).await.unwrap();
    // A follower may be the one that makes it anew, while the relay has nothing to publish.
    attendre("the stream to be made anew", async || naissance().await.is_some_and(|n| Some(n) != avant))
        .await;
    accepte(ecrire_un(&banc, &nationale(), ej("neuve", REGION, "Un")).await);
    banc.attendre_publie(&structures).await;
    let derniere = i64::try_from(banc.derniere_sequence("structures").await).unwrap();
    attendre("the watermark to be a sequence of this life", async || {
        compter(&structures, "select sequence from relai").await == derniere
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_durable_follower_misses_nothing_when_it_dies_in_the_middle_of_a_burst() {
    let banc = Banc::demarrer_avec(DURABLE, &["offers"]).await;
    banc.bail_description(REGION, Canal::National, 1).await;
    let (structures, offers) = (banc.base("structures").await, banc.base("offers").await);
    let mut client = banc.structures();
    let rafale = tokio::spawn(async move {
        // Forty batches, one in four about resources already written.
        for lot in 0..40 {
            let items = (0..20)
                .map(|n| WriteStructuresItem {
                    ressource: Some(ej(&format!("ej-{}-{n}", lot % 30), REGION, &format!("Lot {lot}"))),
                    version_attendue: 0,
                })
                .collect();
            let d = WriteStructuresRequest { provenance: Some(nationale()), items, essai: false };
            for r in client.write_structures(d).await.unwrap().into_inner().resultats {
                accepte(r);
            }
        }
    });
    for seuil in [60, 240] {
        attendre("the copy to be under way", async || references(&offers).await.len() >= seuil).await;
        banc.tuer("offers").await;
        banc.allumer("offers").await;
    }
    rafale.await.unwrap();
    let voulus = agregats(&structures).await;
    assert_eq!(voulus.len(), 600);
    attendre("the copy to equal its source", async || references(&offers).await == voulus).await;
    banc.attendre_publie(&structures).await;
    let derniere = i64::try_from(banc.derniere_sequence("structures").await).unwrap();
    attendre("the position to be the end of the stream", async || {
        compter(&offers, "select sequence from suivi where nom = 'structures'").await == derniere
    })
    .await;
    // Started once more with nothing new, it stays where it stands.
    banc.arreter("offers").await;
    banc.allumer("offers").await;
    banc.attendre_pret("offers").await;
    assert_eq!(references(&offers).await, voulus);
    assert_eq!(compter(&offers, "select sequence from suivi where nom = 'structures'").await, derniere);
}
