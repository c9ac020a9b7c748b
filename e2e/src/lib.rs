//! Harness of the end-to-end tests: starts the real `ror`, speaks HTTP to it, kills what it is told
//! to kill, and counts what holds. It knows the public contract only, none of our crates.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs,
    reason = "test harness"
)]

pub mod client;
pub mod commande;
pub mod fhir;
pub mod mesh;
pub mod oracle;
pub mod patch;
pub mod processus;
pub mod rapport;
pub mod temps;
pub mod vue;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

pub use crate::client::{Client, Reponse};
pub use crate::mesh::{Dossier, Mesh, Options};
pub use crate::rapport::Rapport;
pub use crate::vue::Vue;

/// Between two looks at a condition.
pub const PAS: Duration = Duration::from_millis(75);

/// Looks until `essai` gives something. An error of `essai` ends the wait at once; after `limite`
/// the wait is an error that says what it waited for.
pub async fn attendre<T>(
    quoi: &str,
    limite: Duration,
    mut essai: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let fin = Instant::now() + limite;
    loop {
        if let Some(trouve) = essai().await? {
            return Ok(trouve);
        }
        if Instant::now() >= fin {
            bail!("in vain for {} s: {quoi}", limite.as_secs());
        }
        tokio::time::sleep(PAS).await;
    }
}
