//! Frozen servers: they neither answer nor end. Reads go on, and say how old they may be.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use reqwest::Method;
use ror_e2e::{
    Client, Dossier, Mesh, Options, Rapport, Reponse, attendre,
    client::{appeler, http},
    processus::{enfants, fige, signaler, vivant},
};

use crate::monde::Ecriture;

/// Age past which answers are marked, in seconds: shorter than the default, for the test.
const SEUIL: f64 = 3.0;
/// Longest wait for one condition.
const DELAI: Duration = Duration::from_secs(30);
/// Times that everything is read again while a write hangs.
const TOURS: usize = 10;

/// A frozen server, its children included; dropped, it runs again.
struct Gel(Vec<i32>);

impl Gel {
    async fn nouveau(mesh: &Mesh, nom: &str) -> Result<Self> {
        let premier = *mesh.pids().get(nom).with_context(|| format!("demo.json: no process {nom}"))?;
        ensure!(vivant(premier), "{nom}: process {premier} of demo.json does not run");
        let mut gel = Self(Vec::new());
        // The parent first: frozen, it starts no other child.
        gel.figer(premier).await?;
        for enfant in enfants(premier) {
            gel.figer(enfant).await?;
        }
        Ok(gel)
    }

    async fn figer(&mut self, pid: i32) -> Result<()> {
        signaler(pid, Signal::SIGSTOP);
        self.0.push(pid);
        attendre(&format!("process {pid} is frozen"), DELAI, async || -> Result<Option<()>> {
            // A session may have ended just before.
            Ok((fige(pid) || !vivant(pid)).then_some(()))
        })
        .await
    }
}

impl Drop for Gel {
    fn drop(&mut self) {
        for pid in self.0.iter().rev() {
            signaler(*pid, Signal::SIGCONT);
        }
    }
}

/// What an answer says of its age.
struct Age {
    secondes: f64,
    perime: bool,
}

impl Age {
    fn de(reponse: &Reponse) -> Result<Self> {
        let secondes = reponse.entete("ror-retard-secondes").context("no ror-retard-secondes")?;
        let secondes = secondes.parse::<f64>()?;
        let marque = reponse.entete("warning");
        let age = Self { secondes, perime: marque.is_some_and(|m| m.starts_with("110 ")) };
        ensure!(age.perime == marque.is_some(), "another warning: {marque:?}");
        // The seconds told are rounded to a tenth.
        let juste = age.perime == (secondes > SEUIL) || (secondes - SEUIL).abs() < 0.1;
        ensure!(juste, "{secondes} s old, marked stale: {}", age.perime);
        Ok(age)
    }
}

/// A read and searches, with their answers while all was well.
struct Lectures {
    client: Client,
    temoins: Vec<(String, String)>,
}

impl Lectures {
    async fn nouvelles(mesh: &Mesh) -> Result<Self> {
        let client = mesh.client("p1")?;
        let mut temoins = Vec::new();
        for chemin in [
            format!("Location/{}", mesh.exemple("lieu_id")?),
            format!("HealthcareService?_id={}", mesh.exemple("offre_id")?),
            "Organization?_count=5".to_owned(),
            "PractitionerRole?_count=5&_include=PractitionerRole:practitioner".to_owned(),
        ] {
            let reponse = client.lire(&chemin).await?.attendre(200).with_context(|| chemin.clone())?;
            temoins.push((chemin, sans_liens(&reponse.texte)));
        }
        Ok(Self { client, temoins })
    }

    /// Reads all again: the same answers. Their ages.
    async fn relire(&self) -> Result<Vec<Age>> {
        let mut ages = Vec::new();
        for (chemin, temoin) in &self.temoins {
            let reponse = self.client.lire(chemin).await?.attendre(200).with_context(|| chemin.clone())?;
            let lu = sans_liens(&reponse.texte);
            if lu != *temoin {
                let ou = lu.bytes().zip(temoin.bytes()).take_while(|(a, b)| a == b).count();
                let autour = |t: &str| t.chars().skip(ou.saturating_sub(80)).take(200).collect::<String>();
                bail!("{chemin}: another answer: {} in place of {}", autour(&lu), autour(temoin));
            }
            ages.push(Age::de(&reponse).with_context(|| chemin.clone())?);
        }
        Ok(ages)
    }
}

/// The gauge `ror_gateway_lag_seconds`.
async fn mesure(mesh: &Mesh) -> Result<f64> {
    let url = format!("{}/metrics", mesh.base());
    let page = appeler(&http(None, None)?, Method::GET, &url, &[], None).await?.attendre(200)?;
    let ligne = page.texte.lines().find_map(|ligne| ligne.strip_prefix("ror_gateway_lag_seconds "));
    Ok(ligne.context("no ror_gateway_lag_seconds")?.trim().parse()?)
}

/// Waits until every answer and the gauge are below the limit.
async fn frais(mesh: &Mesh, lectures: &Lectures) -> Result<()> {
    attendre("no answer is marked stale", DELAI, async || -> Result<Option<()>> {
        let frais = lectures.relire().await?.iter().all(|age| !age.perime);
        Ok((frais && mesure(mesh).await? < SEUIL).then_some(()))
    })
    .await
}

async fn courtier(mesh: &Mesh, lectures: &Lectures) -> Result<()> {
    lectures.client.renouveler().await?;
    frais(mesh, lectures).await?;
    let gel = Gel::nouveau(mesh, "nats").await?;
    let premier = attendre("every answer is marked stale", DELAI, async || -> Result<Option<f64>> {
        let ages = lectures.relire().await?;
        let tous = ages.iter().all(|age| age.perime);
        Ok(tous.then(|| ages.iter().map(|age| age.secondes).fold(0.0, f64::max)))
    })
    .await?;
    let mesure_avant = mesure(mesh).await?;
    attendre("the age told and the one measured grow", DELAI, async || -> Result<Option<()>> {
        let ages = lectures.relire().await?;
        ensure!(ages.iter().all(|age| age.perime), "a mark went while the broker was frozen");
        let vieillis = ages.iter().all(|age| age.secondes >= premier + 1.0);
        let mesuree = mesure(mesh).await?;
        Ok((vieillis && mesuree > SEUIL && mesuree > mesure_avant).then_some(()))
    })
    .await?;
    drop(gel);
    frais(mesh, lectures).await.context("after the thaw")
}

async fn base(mesh: &Mesh, lectures: &Lectures) -> Result<()> {
    let flux = mesh.client("capacity")?;
    flux.renouveler().await?;
    lectures.client.renouveler().await?;
    let ecriture = Ecriture::nouvelle(mesh).await?;
    let (identifiant, corps) = (ecriture.identifiant.clone(), ecriture.corps.clone());
    let gel = Gel::nouveau(mesh, "postgres").await?;
    ensure!(gel.0.len() > 1, "no session was frozen");
    let attente = tokio::spawn(async move { flux.modifier(&identifiant, &corps).await });
    for _ in 0..TOURS {
        lectures.relire().await?;
    }
    let finie = attente.is_finished();
    drop(gel);
    let reponse = attente.await??;
    ensure!(!finie || reponse.statut >= 500, "a write was done without the database: nothing was frozen");
    let flux = mesh.client("capacity")?;
    attendre("the write is acknowledged after the thaw", DELAI, async || -> Result<Option<()>> {
        let reponse = flux.modifier(&ecriture.identifiant, &ecriture.corps).await?;
        Ok((reponse.statut == 200).then_some(()))
    })
    .await?;
    ensure!(ecriture.vue(&lectures.client).await?, "the write is not seen");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn frozen_servers_leave_reads_whole_and_their_age_told() {
    let mut options = Options::new("small", true);
    options.env = vec![("ROR_HTTP__STALE_AFTER_SECONDS", SEUIL.to_string())];
    let mesh = Mesh::relancer(&Dossier::neuf(), options).await;
    let lectures = Lectures::nouvelles(&mesh).await.unwrap();
    let mut rapport = Rapport::default();
    rapport.verifier("perime: the broker is frozen", courtier(&mesh, &lectures)).await;
    rapport.verifier("perime: the database is frozen", base(&mesh, &lectures)).await;
    rapport.finir();
}

/// An answer without its links, which name the moment of each.
fn sans_liens(texte: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(texte) {
        Ok(mut v) => {
            if let Some(o) = v.as_object_mut() {
                o.remove("link");
            }
            v.to_string()
        }
        Err(_) => texte.to_owned(),
    }
}
