//! An edition of FINESS that closes a site reaches the FHIR answers of its offers, and so does its reopening.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Mesh, Vue, attendre,
    commande::ror,
    fhir::{codages, code_extension, entrees, texte},
};
use serde_json::{Value, json};

const REGION: &str = "52";
/// Kinds of closure.
const FERMETURES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R286-TypeFermeture/FHIR/TRE-R286-TypeFermeture";
const TYPE_FERMETURE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-closing-type";
/// Day FINESS closes the site.
const JOUR: &str = "2026-06-30";
/// Longest time from an import to its sight.
const LIMITE: Duration = Duration::from_secs(60);

/// A mirrored region and the files it came from.
struct Scene {
    mesh: Mesh,
    p1: Client,
    source: String,
    finess: String,
    eg: String,
    offre: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_that_finess_closes_closes_its_offers_for_everyone_who_reads() {
    let scene = Scene::monter().await.unwrap();
    // Each step stands on the one before: the first failure ends the story.
    if let Err(faute) = scene.histoire().await {
        panic!("{faute:#}");
    }
}

impl Scene {
    async fn monter() -> Result<Self> {
        let mesh = Mesh::start("none", false).await;
        let source = mesh.dossier.chemin("source").display().to_string();
        ror(&["demo", "generate", "--taille", "small", "--graine", "11", &source]).await?.attendre(0)?;
        let manifeste: Value = serde_json::from_slice(&fs::read(Path::new(&source).join("manifest.json"))?)?;
        let dit = |nom: &str| manifeste[nom].as_str().map(str::to_owned).context(nom.to_owned());
        let scene = Self {
            p1: mesh.client("p1")?,
            finess: dit("eg_finess")?,
            eg: dit("eg_id")?,
            offre: dit("offre_id")?,
            source,
            mesh,
        };
        let chemin = |nom: &str| format!("{}/{nom}", scene.source);
        scene.importer(&["finess", &chemin("finess-structures.json")]).await?;
        scene.importer(&["rpps", &chemin("rpps-personne-activite.txt")]).await?;
        let fhir = chemin("fhir");
        scene.importer(&["fhir", &fhir, "--region", REGION, "--channel", "regional"]).await?;
        let attendus = &manifeste["ressources"]["HealthcareService"];
        attendre("every offer is found", LIMITE, async || -> Result<Option<()>> {
            let page = scene.p1.chercher("HealthcareService", &[("_count", "1")]).await?.attendre(200)?;
            Ok((page.corps["total"] == *attendus).then_some(()))
        })
        .await?;
        Ok(scene)
    }

    async fn importer(&self, arguments: &[&str]) -> Result<()> {
        let donnees = self.mesh.donnees();
        let mut tous = vec!["import"];
        tous.extend(arguments);
        tous.extend(["--mesh", &donnees, "--report", "json"]);
        ror(&tous).await?.attendre(0).map(|_| ())
    }

    async fn histoire(&self) -> Result<()> {
        let avant = Vue::lire(&self.p1).await?;
        let siennes = self.offres(&avant);
        let reference =
            siennes.get(&self.offre).context("the reference offer is not of the reference site")?;
        ensure!(!fermee(reference), "closed before its site: {reference}");

        self.edition("2027-01-04", |ege| {
            ege["etatObjet"] = json!("I");
            ege["informationsGeneralesEGE"]["dateFermeture"] = json!(JOUR);
            if let Some(evenements) = ege["evenement"].as_array_mut() {
                evenements.push(json!({"evenementId": "1", "dateEnregistrement": "2026-07-01 10:00:00",
                    "dateEvenement": JOUR, "etatObjet1": "103", "codeEvenement": "005",
                    "systemeMaitre": "01", "typeObjet1": "EG"}));
            }
        })
        .await?;
        self.attendre_offre("the closure", fermee).await?;
        let pendant = Vue::lire(&self.p1).await?;
        let site = pendant.un("Organization", &self.eg).context("the site is gone")?;
        ensure!(code_extension(site, TYPE_FERMETURE) == Some("PRO"), "the site itself is not closed: {site}");
        for (id, avant) in &siennes {
            let offre = pendant.un("HealthcareService", id).context("an offer is gone")?;
            ensure!(fermee(offre), "{id} is still open: {offre}");
            let debut = texte(offre, "/notAvailable/0/during/start");
            ensure!(debut == JOUR, "{id} is closed on {debut:?}");
            let vue = |o: &Value| texte(o, "/meta/lastUpdated").to_owned();
            ensure!(vue(offre) > vue(avant), "{id} changed without a new date");
        }
        for offre in pendant.tous("HealthcareService") {
            let id = texte(offre, "/id");
            let touchee = siennes.contains_key(id) || avant.un("HealthcareService", id) == Some(offre);
            ensure!(touchee, "an offer of another site changed: {offre}");
        }
        // Searched as it is shown.
        let critere = format!("{FERMETURES}|PRO");
        let pages = self.p1.pages("HealthcareService", &[("characteristic", &critere)]).await?;
        let trouvees: Vec<&str> =
            pages.iter().flat_map(entrees).map(|(_, ressource)| texte(ressource, "/id")).collect();
        ensure!(siennes.keys().all(|id| trouvees.contains(&id.as_str())), "not found closed: {trouvees:?}");

        self.edition("2027-01-05", |_| {}).await?;
        self.attendre_offre("the reopening", |o| !fermee(o)).await?;
        let apres = Vue::lire(&self.p1).await?;
        for (id, avant) in &siennes {
            let offre = apres.un("HealthcareService", id).context("an offer is gone")?;
            ensure!(contenu(offre) == contenu(avant), "{id} is not as before: {avant} then {offre}");
        }
        Ok(())
    }

    /// Offers below the reference site, by id.
    fn offres(&self, vue: &Vue) -> BTreeMap<String, Value> {
        let sous = |offre: &&Value| vue.porteurs(offre).iter().any(|s| texte(s, "/id") == self.eg);
        let offres = vue.tous("HealthcareService").filter(sous);
        offres.map(|offre| (texte(offre, "/id").to_owned(), offre.clone())).collect()
    }

    async fn attendre_offre(&self, quoi: &str, condition: impl Fn(&Value) -> bool) -> Result<()> {
        let chemin = format!("HealthcareService/{}", self.offre);
        attendre(quoi, LIMITE, async || -> Result<Option<()>> {
            let offre = self.p1.lire(&chemin).await?.attendre(200)?.corps;
            Ok(condition(&offre).then_some(()))
        })
        .await
    }

    /// Loads the edition of that day: the first one, with the reference site changed.
    async fn edition(&self, jour: &str, changer: impl FnOnce(&mut Value)) -> Result<()> {
        let lue = fs::read(Path::new(&self.source).join("finess-structures.json"))?;
        let mut edition: Value = serde_json::from_slice(&lue)?;
        edition["generatedAt"] = json!(format!("{jour}T02:14:30Z"));
        let entites = edition["pmej"].as_array_mut().into_iter().flatten();
        let mut sites = entites.flat_map(|e| e["ege"].as_array_mut().into_iter().flatten());
        let voulu = sites.find(|s| s["informationsGeneralesEGE"]["numFinessEge"] == self.finess.as_str());
        changer(voulu.context("the reference site is not in the file")?);
        let nom = format!("finess-structures-journalier-{}.json", jour.replace('-', ""));
        let chemin = self.mesh.dossier.chemin(&nom);
        fs::write(&chemin, edition.to_string())?;
        self.importer(&["finess", &chemin.display().to_string()]).await
    }
}

/// Whether an offer is shown closed for a time.
fn fermee(offre: &Value) -> bool {
    codages(&offre["characteristic"]).iter().any(|(systeme, code)| systeme == FERMETURES && code == "PRO")
}

/// An offer without its version and date.
fn contenu(offre: &Value) -> Value {
    let mut offre = offre.clone();
    if let Some(membres) = offre.as_object_mut() {
        membres.remove("meta");
    }
    offre
}
