//! Resources rendered beforehand: what is read of them is what rendering gives, before and after a change, in another
//! life, and whatever became of their file.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Dossier, Mesh, Options, Rapport, attendre,
    client::{appeler, http},
    fhir::{entrees, texte},
};
use serde_json::Value;

use crate::monde::Ecriture;

const TYPES: [&str; 5] =
    ["Organization", "HealthcareService", "Location", "Practitioner", "PractitionerRole"];
const FICHIER: &str = "rendues";
const LIMITE: Duration = Duration::from_secs(60);
/// Where records begin in the file.
const RECORDS: usize = 16 << 20;

/// One measure of the gateway; zero while it has none.
async fn mesure(mesh: &Mesh, nom: &str) -> Result<f64> {
    let url = format!("{}/metrics", mesh.base());
    let r = appeler(&http(None, None)?, reqwest::Method::GET, &url, &[], None).await?.attendre(200)?;
    let valeur = r.texte.lines().find_map(|l| l.strip_prefix(nom)?.strip_prefix(' ')?.parse().ok());
    Ok(valeur.unwrap_or(0.0))
}

/// Waits until the gateway looked at everything, and told of it, since now.
async fn regardees(mesh: &Mesh) -> Result<()> {
    const PASSES: &str = "ror_gateway_prepared_passes_total";
    let avant = mesure(mesh, PASSES).await?;
    // The first one may have begun before.
    let encore = async || Ok((mesure(mesh, PASSES).await? >= avant + 2.0).then_some(()));
    attendre("the resources are looked at", LIMITE, encore).await
}

/// Waits until so many resources are prepared, and no other one is to be.
async fn preparees(mesh: &Mesh, au_moins: usize) -> Result<()> {
    regardees(mesh).await?;
    let pretes = async || {
        let la = mesure(mesh, "ror_gateway_prepared_resources").await? as usize;
        let attendues = mesure(mesh, "ror_gateway_prepared_waiting").await? as usize;
        Ok((la >= au_moins && attendues == 0).then_some(()))
    };
    attendre("the resources are prepared", LIMITE, pretes).await
}

/// Every resource that this client sees.
async fn tout(client: &Client) -> Result<BTreeMap<String, Value>> {
    let mut tout = BTreeMap::new();
    for genre in TYPES {
        for page in client.pages(genre, &[("_count", "200")]).await? {
            for (_, r) in entrees(&page) {
                tout.insert(format!("{genre}/{}", texte(r, "/id")), r.clone());
            }
        }
    }
    Ok(tout)
}

/// Everything again, which the reserve must have answered.
async fn relu(mesh: &Mesh, attendu: &BTreeMap<String, Value>) -> Result<()> {
    regardees(mesh).await?;
    let servies = mesure(mesh, "ror_gateway_prepared_served_total").await?;
    let relu = tout(&mesh.client("p1")?).await?;
    for (id, r) in attendu {
        ensure!(relu.get(id) == Some(r), "{id} is not what it was:\n{r}\n{:?}", relu.get(id));
    }
    ensure!(relu.len() == attendu.len(), "{} resources, then {}", attendu.len(), relu.len());
    // The cache, made small, answers for some of them.
    let assez = async || {
        let servies = mesure(mesh, "ror_gateway_prepared_served_total").await? - servies;
        Ok((servies > 0.5 * attendu.len() as f64).then_some(()))
    };
    attendre("the reserve says that it answered", LIMITE, assez).await
}

/// A change is shown, then prepared; everything as it is then.
async fn changee(mesh: &Mesh, avant: &BTreeMap<String, Value>) -> Result<BTreeMap<String, Value>> {
    let ecriture = Ecriture::nouvelle(mesh).await?;
    mesh.client("capacity")?.modifier(&ecriture.identifiant, &ecriture.corps).await?.attendre(200)?;
    let apres = tout(&mesh.client("p1")?).await?;
    let changees: Vec<&String> =
        apres.iter().filter(|(id, r)| avant.get(*id) != Some(r)).map(|(id, _)| id).collect();
    ensure!(changees.len() == 1 && changees[0].starts_with("Location/"), "{changees:?}");
    preparees(mesh, apres.len()).await?;
    relu(mesh, &apres).await?;
    Ok(apres)
}

async fn lancer(dossier: &Dossier) -> Mesh {
    let mut options = Options::new("small", true);
    options.env = vec![("ROR_HTTP__RENDER_CACHE_MB", "1".to_owned())];
    Mesh::relancer(dossier, options).await
}

/// The file of the reserve.
fn fichier(dossier: &Dossier) -> Result<PathBuf> {
    let donnees = fs::read_dir(dossier.donnees())?.flatten();
    let chemins = donnees.map(|d| d.path().join(FICHIER));
    chemins.into_iter().find(|c| c.exists()).context("no file of the reserve")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_rendered_beforehand_is_what_rendering_gives() {
    let dossier = Dossier::neuf();
    let mut mesh = lancer(&dossier).await;
    let mut rapport = Rapport::default();
    // Asked once, everything is rendered; then it is prepared.
    let avant = tout(&mesh.client("p1").unwrap()).await.unwrap();
    assert!(avant.len() > 500, "{}", avant.len());
    preparees(&mesh, avant.len()).await.unwrap();
    rapport.verifier("preparees: read again, every resource is what it was", relu(&mesh, &avant)).await;
    let apres = changee(&mesh, &avant).await.unwrap();
    mesh.arreter().await.unwrap();
    mesh = lancer(&dossier).await;
    rapport
        .verifier("preparees: another life has them without being asked", preparees(&mesh, apres.len()))
        .await;
    rapport.verifier("preparees: in another life, every resource is what it was", relu(&mesh, &apres)).await;
    mesh.arreter().await.unwrap();
    let chemin = fichier(&dossier).unwrap();
    let mut octets = fs::read(&chemin).unwrap();
    octets.iter_mut().skip(RECORDS + 2_500).step_by(5_000).for_each(|o| *o = !*o);
    fs::write(&chemin, octets).unwrap();
    mesh = lancer(&dossier).await;
    rapport.verifier("preparees: what is damaged is prepared again", preparees(&mesh, apres.len())).await;
    rapport.verifier("preparees: a damaged file changes nothing", relu(&mesh, &apres)).await;
    drop(mesh);
    rapport.finir();
}
