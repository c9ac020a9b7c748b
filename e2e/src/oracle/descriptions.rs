//! Descriptions that change while searches are compared: names, places of offers, rights, closures,
//! positions. They go by the import that regions use and are given back at the end; what the demo
//! names, and what hangs on it, is left alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    attendre,
    client::Client,
    commande::ror,
    fhir::{CAN, CAPACITE, SENSIBLE, cible, codages, extensions, tableau, texte},
};

/// Changes of each kind.
const PAR_GESTE: usize = 4;
/// Changes of one import.
const LOT: usize = 3;
/// Longest time until what was given back is seen.
const LIMITE: Duration = Duration::from_secs(60);

/// A change of a resource, the id of another place beside it; false when it has nothing to change.
type Geste = fn(&mut Value, &str) -> bool;

const DES_STRUCTURES: &[Geste] = &[renommer_interne];
const DES_LIEUX: &[Geste] = &[deplacer, perdre, renommer];
const DES_OFFRES: &[Geste] = &[renommer, changer_de_lieu, fermer, cacher];

/// Resources of the demo, as they are and as they become.
#[derive(Debug)]
pub struct Descriptions {
    region: String,
    donnees: PathBuf,
    dossier: TempDir,
    lignes: Vec<Ligne>,
}

#[derive(Debug)]
struct Ligne {
    avant: Value,
    apres: Value,
    changee: bool,
    /// What it was seen to tell at first.
    vue: Value,
}

impl Descriptions {
    /// Chooses what will change in a mesh; none when it was not filled by the demo.
    pub async fn choisir(lecteur: &Client, donnees: &Path, demo: &Value) -> Result<Option<Self>> {
        let Some((source, region)) = source(donnees).zip(demo["region"].as_str()) else { return Ok(None) };
        let lire = |genre: &str| lire(&source.join(fichier(genre)));
        let (structures, lieux, offres) =
            (lire("Organization")?, lire("Location")?, lire("HealthcareService")?);
        let nommees: BTreeSet<&str> =
            demo["exemples"].as_object().into_iter().flatten().filter_map(|(_, v)| v.as_str()).collect();
        let liees = |offre: &Value| -> Vec<String> {
            let lieux = tableau(offre, "location").iter().filter_map(|r| cible(r, "Location"));
            let porteur = cible(&offre["providedBy"], "Organization");
            lieux.chain(porteur).chain([texte(offre, "/id")]).map(str::to_owned).collect()
        };
        // An offer that the demo names keeps its places and its structure as they are.
        let mut gardees: BTreeSet<String> = nommees.iter().map(|id| (*id).to_owned()).collect();
        let touche = |offre: &&Value| liees(offre).iter().any(|id| nommees.contains(id.as_str()));
        gardees.extend(offres.iter().filter(touche).flat_map(liees));
        // A closure reaches the beds of its place: the writer of beds wants them open.
        let avec_lits: BTreeSet<&str> = lieux
            .iter()
            .filter(|l| extensions(l, CAPACITE).next().is_some())
            .map(|l| texte(l, "/id"))
            .collect();
        let libre = |r: &&Value| !gardees.contains(texte(r, "/id"));
        let sans_lits = |o: &&Value| !liees(o).iter().any(|id| avec_lits.contains(id.as_str()));
        let autre = lieux.iter().find(libre).map_or("", |l| texte(l, "/id"));
        let mut lignes = changer(structures.iter().filter(libre), DES_STRUCTURES, autre);
        lignes.extend(changer(lieux.iter().filter(libre), DES_LIEUX, autre));
        lignes.extend(changer(offres.iter().filter(libre).filter(sans_lits), DES_OFFRES, autre));
        ensure!(!lignes.is_empty(), "nothing of the demo can change");
        for ligne in &mut lignes {
            ligne.vue = voir(lecteur, &ligne.avant).await?;
        }
        let (region, donnees) = (region.to_owned(), donnees.to_owned());
        Ok(Some(Self { region, donnees, dossier: TempDir::new()?, lignes }))
    }

    /// Changes the next ones, or gives them back.
    pub async fn avancer(&mut self, tour: usize) -> Result<usize> {
        let nombre = self.lignes.len();
        let rangs: BTreeSet<usize> = (0..LOT).map(|k| (tour * LOT + k) % nombre).collect();
        for rang in &rangs {
            self.lignes[*rang].changee ^= true;
        }
        let lignes: Vec<&Ligne> = rangs.iter().map(|rang| &self.lignes[*rang]).collect();
        self.importer(&lignes).await?;
        Ok(rangs.len())
    }

    /// Gives everything back, and waits until it is seen.
    pub async fn rendre(mut self, lecteur: &Client) -> Result<()> {
        self.lignes.iter_mut().for_each(|l| l.changee = false);
        let lignes: Vec<&Ligne> = self.lignes.iter().collect();
        self.importer(&lignes).await?;
        for ligne in &self.lignes {
            let quoi = format!("{} is as it was", texte(&ligne.avant, "/id"));
            attendre(&quoi, LIMITE, async || -> Result<Option<()>> {
                Ok((voir(lecteur, &ligne.avant).await? == ligne.vue).then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    /// One file a type, then the command.
    async fn importer(&self, lignes: &[&Ligne]) -> Result<()> {
        let mut par_genre: BTreeMap<&str, String> = BTreeMap::new();
        for ligne in lignes {
            let etat = if ligne.changee { &ligne.apres } else { &ligne.avant };
            let contenu = par_genre.entry(texte(etat, "/resourceType")).or_default();
            contenu.push_str(&format!("{etat}\n"));
        }
        for genre in ["Organization", "Location", "HealthcareService"] {
            let contenu = par_genre.remove(genre).unwrap_or_default();
            fs::write(self.dossier.path().join(fichier(genre)), contenu)?;
        }
        let (dossier, mesh) = (self.dossier.path().display().to_string(), self.donnees.display().to_string());
        let canal = ["--region", self.region.as_str(), "--channel", "national"];
        let mut arguments = vec!["import", "fhir", dossier.as_str()];
        arguments.extend(canal);
        arguments.extend(["--mesh", mesh.as_str(), "--report", "json"]);
        ror(&arguments).await?.attendre(0).map(|_| ())
    }
}

/// Where the demo that fills a mesh was written.
fn source(donnees: &Path) -> Option<PathBuf> {
    let dossiers = fs::read_dir(donnees).ok()?.filter_map(Result::ok);
    let demos = dossiers.filter(|d| d.file_name().to_string_lossy().starts_with("demo-"));
    demos.map(|d| d.path().join("fhir")).find(|d| d.join(fichier("HealthcareService")).is_file())
}

fn fichier(genre: &str) -> String {
    format!("{}.ndjson", genre.to_lowercase())
}

/// The resources of a file; beds are another writer's.
fn lire(fichier: &Path) -> Result<Vec<Value>> {
    let lignes = fs::read_to_string(fichier).with_context(|| fichier.display().to_string())?;
    lignes.lines().map(|ligne| Ok(serde_json::from_str(ligne)?)).collect()
}

fn changer<'v>(mut ressources: impl Iterator<Item = &'v Value>, gestes: &[Geste], autre: &str) -> Vec<Ligne> {
    let mut lignes = Vec::new();
    for geste in gestes.iter().cycle().take(gestes.len() * PAR_GESTE) {
        lignes.extend(ressources.find_map(|r| {
            let avant = sans_lits(r);
            let mut apres = avant.clone();
            geste(&mut apres, autre).then_some(Ligne { avant, apres, changee: false, vue: Value::Null })
        }));
    }
    lignes
}

/// Without capacity records, which are another writer's: an import that tells none leaves them.
fn sans_lits(ressource: &Value) -> Value {
    sans_extension(ressource, |url| url == CAPACITE)
}

fn sans_extension(ressource: &Value, ecarter: impl Fn(&str) -> bool) -> Value {
    let mut copie = ressource.clone();
    if let Some(liste) = copie.get_mut("extension").and_then(Value::as_array_mut) {
        liste.retain(|e| !ecarter(texte(e, "/url")));
    }
    copie
}

/// What is seen of it now.
async fn voir(lecteur: &Client, ressource: &Value) -> Result<Value> {
    let chemin = format!("{}/{}", texte(ressource, "/resourceType"), texte(ressource, "/id"));
    Ok(dit(&lecteur.lire(&chemin).await?.attendre(200)?.corps))
}

/// What the changes are about.
fn dit(ressource: &Value) -> Value {
    let sensible: Vec<bool> =
        extensions(ressource, SENSIBLE).filter_map(|e| e["valueBoolean"].as_bool()).collect();
    let liens: Vec<&str> =
        tableau(ressource, "location").iter().filter_map(|r| cible(r, "Location")).collect();
    let position = |bout: &str| ressource["position"][bout].as_f64();
    json!([
        ressource["name"],
        sensible,
        liens,
        texte(ressource, "/notAvailable/0/during/start"),
        [position("latitude"), position("longitude")],
    ])
}

fn renommer(ressource: &mut Value, _: &str) -> bool {
    let nom = texte(ressource, "/name").to_owned();
    if !nom.is_empty() {
        ressource["name"] = json!(format!("{nom} (renommé)"));
    }
    !nom.is_empty()
}

/// A structure that no registry names.
fn renommer_interne(structure: &mut Value, autre: &str) -> bool {
    let interne = codages(&structure["type"]).iter().any(|(systeme, _)| systeme.contains("TRE_R207"));
    interne && renommer(structure, autre)
}

fn deplacer(lieu: &mut Value, _: &str) -> bool {
    let Some(latitude) = lieu.pointer("/position/latitude").and_then(Value::as_f64) else { return false };
    lieu["position"]["latitude"] = json!(latitude + 0.02);
    true
}

fn perdre(lieu: &mut Value, _: &str) -> bool {
    lieu.as_object_mut().is_some_and(|membres| membres.remove("position").is_some())
}

/// One place less, or one more.
fn changer_de_lieu(offre: &mut Value, autre: &str) -> bool {
    let Some(lieux) = offre.get_mut("location").and_then(Value::as_array_mut) else { return false };
    if lieux.len() > 1 {
        return lieux.pop().is_some();
    }
    let neuf = json!({"reference": format!("Location/{autre}")});
    if autre.is_empty() || lieux.contains(&neuf) {
        return false;
    }
    lieux.push(neuf);
    true
}

fn fermer(offre: &mut Value, _: &str) -> bool {
    if !tableau(offre, "notAvailable").is_empty() {
        return false;
    }
    offre["notAvailable"] = json!([{
        "id": "closingReopeningDate",
        "description": "Période de fermeture et de réouverture prévisionnelle",
        "during": {"start": "2026-06-01"},
    }]);
    true
}

/// A sensitive unit, without the contacts that such a unit may not show.
fn cacher(offre: &mut Value, _: &str) -> bool {
    if !extensions(offre, SENSIBLE).any(|e| e["valueBoolean"] == false) {
        return false;
    }
    let contact = format!("{CAN}ror-healthcareservice-contact");
    *offre = sans_extension(offre, |url| url == contact || url == SENSIBLE);
    let Some(liste) = offre.get_mut("extension").and_then(Value::as_array_mut) else { return false };
    liste.push(json!({"url": SENSIBLE, "valueBoolean": true}));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_seen_and_leaves_beds_alone() {
        let offre = json!({"resourceType": "HealthcareService", "id": "o", "name": "N",
            "location": [{"reference": "Location/a"}],
            "extension": [{"url": SENSIBLE, "valueBoolean": false}]});
        let lieu = json!({"resourceType": "Location", "id": "a", "name": "A",
            "position": {"latitude": 47.0, "longitude": 2.0}, "extension": [{"url": CAPACITE}]});
        for (ressource, gestes) in [(&offre, DES_OFFRES), (&lieu, DES_LIEUX)] {
            for geste in gestes {
                let lignes = changer([ressource].into_iter(), &[*geste], "b");
                assert_eq!(lignes.len(), 1);
                assert_ne!(dit(&lignes[0].avant), dit(&lignes[0].apres));
                assert!(extensions(&lignes[0].avant, CAPACITE).next().is_none());
            }
        }
        assert!(!renommer_interne(&mut json!({"name": "EG", "type": []}), ""));
    }
}
