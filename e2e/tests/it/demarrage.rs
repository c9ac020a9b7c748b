//! Starts that must be refused, ends, and new starts on kept data.

use std::{
    collections::BTreeMap,
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Dossier, Mesh, Options, Vue, attendre,
    fhir::{GENRES, francais, texte},
    mesh::{commande_up, ports_libres},
    processus::vivant,
};

use crate::monde::Ecriture;

/// Longest time a start may take to be refused.
const REFUS: Duration = Duration::from_secs(60);
/// Longest start on kept data.
const REPRISE: Duration = Duration::from_secs(30);
/// Longest time a process may outlive its launcher.
const FIN: Duration = Duration::from_secs(15);

/// Starts what cannot start: exit code 1, and one sentence that says why.
async fn refuse(donnees: &Path, ports: (u16, u16), dit: &str) -> Result<()> {
    let options = Options::new("none", false);
    let mut commande = tokio::process::Command::from(commande_up(donnees, ports.0, ports.1, &options));
    let sortie = tokio::time::timeout(REFUS, commande.kill_on_drop(true).output());
    let sortie = sortie.await.context("not refused in time")??;
    let erreurs = String::from_utf8_lossy(&sortie.stderr).into_owned();
    ensure!(sortie.status.code() == Some(1), "{}: {erreurs}", sortie.status);
    let lignes: Vec<&str> = erreurs.lines().filter(|l| !l.trim().is_empty()).collect();
    let [phrase] = lignes.as_slice() else { anyhow::bail!("{} lines on stderr: {erreurs}", lignes.len()) };
    ensure!(francais(phrase), "not a French sentence: {phrase}");
    ensure!(phrase.contains(dit), "the sentence does not name {dit}: {phrase}");
    ensure!(!phrase.contains("panicked") && !phrase.contains("Error {"), "not for people: {phrase}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_told_in_one_sentence() {
    let prise = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = prise.local_addr().unwrap().port();
    let libre = ports_libres().0;
    for (nom, ports) in [("clair", (port, libre)), ("tls", (libre, port))] {
        let dossier = Dossier::neuf();
        refuse(&dossier.chemin(nom), ports, &port.to_string()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_cannot_be_is_told_in_one_sentence() {
    let dossier = Dossier::neuf();
    let fichier = dossier.chemin("un-fichier");
    fs::write(&fichier, "").unwrap();
    refuse(&fichier, ports_libres(), "un-fichier").await.unwrap();
    refuse(&fichier.join("data"), ports_libres(), "un-fichier").await.unwrap();
    if nix::unistd::geteuid().is_root() {
        // No directory is closed to root.
        return;
    }
    let ferme = dossier.chemin("ferme");
    fs::create_dir(&ferme).unwrap();
    fs::set_permissions(&ferme, fs::Permissions::from_mode(0o555)).unwrap();
    refuse(&ferme.join("data"), ports_libres(), "ferme").await.unwrap();
    refuse(&ferme, ports_libres(), "ferme").await.unwrap();
    fs::set_permissions(&ferme, fs::Permissions::from_mode(0o755)).unwrap();
}

/// One more or one less free bed at the reference place, acknowledged.
async fn ecrire(mesh: &Mesh) -> Result<()> {
    let ecriture = Ecriture::nouvelle(mesh).await?;
    mesh.client("capacity")?.modifier(&ecriture.identifiant, &ecriture.corps).await?.attendre(200)?;
    ensure!(ecriture.vue(&mesh.client("p1")?).await?, "not seen at once");
    Ok(())
}

/// Waits until none of these processes runs.
async fn tous_finis(pids: &BTreeMap<String, i32>) -> Result<()> {
    ensure!(pids.contains_key("postgres") && pids.contains_key("nats"), "demo.json: processes {pids:?}");
    let restes =
        || pids.iter().filter(|(_, pid)| vivant(**pid)).map(|(nom, _)| nom.as_str()).collect::<Vec<_>>();
    let finis = async || -> Result<Option<()>> { Ok(restes().is_empty().then_some(())) };
    attendre("every process ends with its launcher", FIN, finis)
        .await
        .with_context(|| format!("{:?}", restes()))
}

fn meme(avant: &Vue, apres: &Vue) -> Result<()> {
    for genre in GENRES {
        ensure!(avant.ids(genre) == apres.ids(genre), "{genre}: resources appear or vanish");
        for ressource in apres.tous(genre) {
            let id = texte(ressource, "/id");
            ensure!(avant.un(genre, id) == Some(ressource), "{genre}/{id} changed");
        }
    }
    Ok(())
}

/// Starts on kept data and compares them.
async fn reprendre(dossier: &Dossier, processus: bool, avant: &Vue) -> Result<Mesh> {
    let depart = Instant::now();
    let mesh = Mesh::relancer(dossier, Options::new("small", processus)).await;
    let duree = depart.elapsed();
    meme(avant, &Vue::lire(&mesh.client("p1")?).await?)?;
    ensure!(duree < REPRISE, "ready after {} s", duree.as_secs());
    Ok(mesh)
}

/// In turn: an ordered end and a kill, the mesh in one process and in many, on the same data.
#[tokio::test(flavor = "multi_thread")]
async fn kept_data_outlives_an_ordered_end_and_a_kill() {
    let dossier = Dossier::neuf();
    let mut mesh = Mesh::relancer(&dossier, Options::new("small", false)).await;
    refuse(&dossier.donnees(), ports_libres(), &dossier.donnees().display().to_string()).await.unwrap();
    assert!(mesh.vit() && mesh.pret().await, "the refused start disturbed the first one");
    assert!(dossier.demo().is_some(), "the refused start took demo.json away");

    ecrire(&mesh).await.unwrap();
    let avant = Vue::lire(&mesh.client("p1").unwrap()).await.unwrap();
    let pids = mesh.pids();
    let statut = mesh.arreter().await.unwrap();
    assert_eq!(statut.code(), Some(0), "Ctrl-C");
    tous_finis(&pids).await.unwrap();

    let mesh = reprendre(&dossier, true, &avant).await.unwrap();
    ecrire(&mesh).await.unwrap();
    let avant = Vue::lire(&mesh.client("p1").unwrap()).await.unwrap();
    let pids = mesh.pids();
    assert!(pids.len() >= 10, "a process of each service: {pids:?}");
    mesh.tuer().unwrap();
    tous_finis(&pids).await.unwrap();

    let mesh = reprendre(&dossier, false, &avant).await.unwrap();
    ecrire(&mesh).await.unwrap();
    let avant = Vue::lire(&mesh.client("p1").unwrap()).await.unwrap();
    let pids = mesh.pids();
    mesh.tuer().unwrap();
    tous_finis(&pids).await.unwrap();

    let mesh = reprendre(&dossier, false, &avant).await.unwrap();
    mesh.arreter().await.unwrap();
}
