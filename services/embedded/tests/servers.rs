//! The real servers, from a new data directory to their end.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by failing")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use ror_embedded::{Embedded, Error, Options, State};

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn starts_serves_survives_a_kill_and_stops() {
    let folder =
        tempfile::Builder::new().prefix("ror-embedded-").tempdir_in("/var/tmp").expect("a temporary folder");
    // Root's servers run as another account, which must be let through.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
    let data_dir = folder.path().join("data");
    let options = Options { data_dir: data_dir.clone(), cache_dir: None, durable: true, max_connections: 20 };

    let embedded = Embedded::start(options.clone()).await.expect("both servers");
    assert_eq!(select_1(&embedded).as_deref(), Some("1"));
    let refused = Embedded::start(options.clone()).await;
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");

    let url = embedded.postgres_url("postgres");
    let (first, first_nats) = (embedded.postgres_pid(), embedded.nats_pid());
    embedded.kill_postgres();
    embedded.kill_nats();
    wait_for("PostgreSQL comes back", || {
        embedded.postgres_pid().is_some_and(|pid| Some(pid) != first)
            && select_1(&embedded).as_deref() == Some("1")
    })
    .await;
    wait_for("NATS comes back", || {
        embedded.nats_pid().is_some_and(|pid| Some(pid) != first_nats)
            && *embedded.nats_state().borrow() == State::Ready
    })
    .await;
    assert_eq!(embedded.postgres_url("postgres"), url, "same port");

    embedded.pause_nats();
    embedded.resume_nats();
    embedded.pause_postgres();
    embedded.resume_postgres();
    assert_eq!(select_1(&embedded).as_deref(), Some("1"));

    embedded.stop().await;
    wait_for("no child remains", || working_below(&data_dir).is_empty()).await;

    let again = Embedded::start(options).await.expect("both servers on old data");
    assert_eq!(select_1(&again).as_deref(), Some("1"));
    drop(again);
    wait_for("a drop kills both", || working_below(&data_dir).is_empty()).await;
}

fn select_1(embedded: &Embedded) -> Option<String> {
    let output = Command::new(embedded.postgres_bin().join("psql"))
        .args(["-X", "-At", "-c", "select 1"])
        .arg(embedded.postgres_url("postgres"))
        .env("PGCONNECT_TIMEOUT", "5")
        .output()
        .expect("psql runs");
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(said)
}

/// Processes whose working folder is there: the servers and their children.
fn working_below(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir("/proc")
        .expect("processes")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| fs::read_link(path.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder)))
        .collect()
}

async fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < until, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
