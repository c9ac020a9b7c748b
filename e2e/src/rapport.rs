//! A list of named checks that all run, whatever the first ones find.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use anyhow::Result;
use futures::FutureExt;

/// Longest time of one check.
const LIMITE: Duration = Duration::from_secs(600);

/// What was checked so far.
#[derive(Debug, Default)]
pub struct Rapport {
    faites: usize,
    echecs: Vec<String>,
}

impl Rapport {
    /// Runs one check to its end and notes how it went.
    pub async fn verifier(&mut self, nom: &str, verification: impl Future<Output = Result<()>>) {
        let borne = tokio::time::timeout(LIMITE, AssertUnwindSafe(verification).catch_unwind());
        let echec = match borne.await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(faute))) => Some(format!("{faute:#}")),
            Ok(Err(panique)) => Some(message(&*panique)),
            Err(_) => Some(format!("no end within {} s", LIMITE.as_secs())),
        };
        self.faites += 1;
        println!("{} {nom}", if echec.is_none() { "ok    " } else { "FAILED" });
        if let Some(echec) = echec {
            self.echecs.push(format!("{nom}: {echec}"));
        }
    }

    /// # Panics
    /// With every failure, when there is one.
    pub fn finir(self) {
        let Self { faites, echecs } = self;
        assert!(echecs.is_empty(), "{} of {faites} checks failed:\n{}", echecs.len(), echecs.join("\n"));
        println!("{faites} checks");
    }
}

fn message(panique: &(dyn Any + Send)) -> String {
    let texte = panique.downcast_ref::<&str>().map(|t| (*t).to_owned());
    texte.or_else(|| panique.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panicked".to_owned())
}
