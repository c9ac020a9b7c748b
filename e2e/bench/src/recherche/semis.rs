//! The data: a mesh that has run once on an empty folder, then sown while it is stopped.

use std::{
    fs,
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    facade::Facade,
    mesh::{Mesh, Processus},
    postgres::Outils,
    tableau::Rapport,
};

/// Longest time for the followers of an empty mesh to stand somewhere.
const TOUR_MAX: Duration = Duration::from_secs(120);

/// Sows the folder unless it is already.
pub async fn preparer(mesh: &Mesh, echelle: f64, graine: u64, r: &mut Rapport) -> Result<()> {
    let temoin = mesh.dossier.join("semis.json");
    if let Ok(octets) = fs::read(&temoin) {
        let t: Value = serde_json::from_slice(&octets)?;
        ensure!(
            t["echelle"].as_f64() == Some(echelle) && t["graine"].as_u64() == Some(graine),
            "{} holds another directory: give --data-dir another folder",
            mesh.dossier.display()
        );
        eprintln!("{} is sown already", mesh.dossier.display());
        return Ok(());
    }
    eprintln!("first start, empty…");
    let mut vide = mesh.lancer()?;
    vide.pret().await?;
    attendre_suiveurs(mesh, &mut vide).await?;
    vide.arreter().await?;
    eprintln!("sowing…");
    let debut = Instant::now();
    let fin = Command::new(mesh.programme())
        .args(["demo", "semer", "--echelle", &echelle.to_string(), "--graine", &graine.to_string()])
        .arg("--data-dir")
        .arg(&mesh.dossier)
        .stdin(Stdio::null())
        // The table alone goes to the output.
        .stdout(std::io::stderr())
        .kill_on_drop(true)
        .status()
        .await
        .context("ror demo semer cannot be run")?;
    ensure!(fin.success(), "ror demo semer failed ({fin})");
    r.valeur("Sowing by COPY, indexes included", format!("{:.0} s", debut.elapsed().as_secs_f64()));
    Ok(())
}

/// Waits until every follower has kept its position: it then starts from there, not from a
/// snapshot of everything.
async fn attendre_suiveurs(mesh: &Mesh, ror: &mut Processus) -> Result<()> {
    let (_, demo) = mesh.annonce(ror).await?;
    let facade = Facade { adresse: ror.adresse, demo };
    let outils = Outils::trouver(facade.pid("postgres")?, mesh.port_postgres()?, &mesh.travail)?;
    // structures: identity. offers: structures twice, identity. capacity: offers. nomenclatures: the three.
    let sql = "select (select count(*) from structures.suivi) >= 1 and (select count(*) from offers.suivi) >= 3
        and (select count(*) from capacity.suivi) >= 1 and (select count(*) from nomenclatures.suivi) >= 3;\n";
    let fin = Instant::now() + TOUR_MAX;
    while outils.psql("suiveurs", sql).await?.trim() != "t" {
        ensure!(Instant::now() < fin, "the followers of an empty mesh stand nowhere after {TOUR_MAX:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}
