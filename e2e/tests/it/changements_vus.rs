//! Feeds and exports of callers who do not read the same: what is hidden from one leaves its copy alone.

use std::{collections::BTreeSet, fs, time::Duration};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Mesh, Vue, attendre,
    commande::ror,
    fhir::{SENSIBLE, cible, tableau, texte},
    vue::ville,
};
use serde_json::{Value, json};

use crate::{
    changements::{Suiveur, ecrire},
    export::{Contenu, de_vue, instant, memes, supprimees},
    monde::Monde,
};

const LIMITE: Duration = Duration::from_secs(60);
const OFFRE: &str = "HealthcareService";

/// An export made while beds move is of the moment it names: followed from there, it is what a walk gives.
pub async fn pendant(m: &Monde) -> Result<()> {
    let ecritures = async {
        for _ in 0..3 {
            ecrire(m, 2).await?;
        }
        Ok::<(), anyhow::Error>(())
    };
    let (suiveur, ecrites) = tokio::join!(Suiveur::nouveau(&m.p1), ecritures);
    ecrites?;
    suiveur?.rattraper_la_vue().await
}

/// An offer that profile 0 reads, with its place and roles, and the file it came from.
struct Scene<'a> {
    mesh: &'a Mesh,
    region: &'a str,
    id: String,
    /// Its place, and another one.
    lieux: [String; 2],
    /// The structure at the top of its own.
    racine: String,
    ligne: Value,
}

impl<'a> Scene<'a> {
    fn nouvelle(mesh: &'a Mesh, region: &'a str, source: &str, vue: &Vue) -> Result<Self> {
        let suivies: BTreeSet<&str> = vue
            .tous("PractitionerRole")
            .filter_map(|r| vue.offre_du_role(r))
            .map(|o| texte(o, "/id"))
            .collect();
        let lieu = |o: &Value| -> Option<String> {
            Some(cible(tableau(o, "location").first()?, "Location")?.to_owned())
        };
        let offre = vue
            .tous(OFFRE)
            .find(|o| ville(o) && suivies.contains(texte(o, "/id")) && lieu(o).is_some())
            .context("profile 0 reads no offer with a place and a role")?;
        let (id, le_sien) = (texte(offre, "/id").to_owned(), lieu(offre).context("no place")?);
        let autre = vue.ids("Location").into_iter().find(|l| *l != le_sien).context("one place only")?;
        let racine =
            vue.porteurs(offre).last().map(|s| texte(s, "/id").to_owned()).context("no structure")?;
        let lignes = fs::read_to_string(format!("{source}/fhir/healthcareservice.ndjson"))?;
        let elle = |l: &&str| serde_json::from_str::<Value>(l).is_ok_and(|v| v["id"] == id.as_str());
        let ligne = lignes.lines().find(elle).context("the offer is not in the file")?;
        let ligne = serde_json::from_str(ligne)?;
        Ok(Self { mesh, region, id, lieux: [le_sien, autre], racine, ligne })
    }

    /// Writes the offer again, sensitive or not, at its place or at the other one.
    async fn ecrire(&self, sensible: bool, lieu: &str) -> Result<()> {
        let mut offre = self.ligne.clone();
        let extensions = offre["extension"].as_array_mut().context("no extension")?;
        // The contacts of a sensitive offer have a level of their own.
        extensions.retain(|e| !texte(e, "/url").ends_with("ror-healthcareservice-contact"));
        for e in extensions.iter_mut().filter(|e| texte(e, "/url") == SENSIBLE) {
            e["valueBoolean"] = json!(sensible);
        }
        offre["location"] = json!([{ "reference": format!("Location/{lieu}") }]);
        let dossier = self.mesh.dossier.chemin(&format!("offre-{sensible}-{lieu}"));
        fs::create_dir_all(&dossier)?;
        fs::write(dossier.join("healthcareservice.ndjson"), format!("{offre}\n"))?;
        let (dossier, donnees) = (dossier.display().to_string(), self.mesh.donnees());
        let fhir = ["import", "fhir", &dossier, "--region", self.region, "--channel", "regional"];
        let arguments = [&fhir[..], &["--mesh", &donnees, "--report", "json"]].concat();
        ror(&arguments).await?.attendre(0).map(|_| ())
    }

    async fn montree(&self, c: &Client, voulue: impl Fn(Option<Value>) -> bool) -> Result<()> {
        let chemin = format!("{OFFRE}/{}", self.id);
        attendre("the offer is read as it was written", LIMITE, async || -> Result<Option<()>> {
            let lue = c.lire(&chemin).await?;
            let lue = (lue.statut == 200).then_some(lue.corps);
            Ok(voulue(lue).then_some(()))
        })
        .await
    }
}

async fn suivre(tous: &mut [Suiveur<'_>]) -> Result<()> {
    for s in tous {
        s.rattraper_la_vue().await?;
    }
    Ok(())
}

/// Whether an offer left a copy.
fn partie(s: &Suiveur<'_>, id: &str) -> bool {
    s.supprimees.contains(&(OFFRE.to_owned(), id.to_owned()))
}

/// An offer is hidden from two profiles of three, shown again elsewhere: each copy has what its owner reads.
pub async fn cachee(mesh: &Mesh, source: &str, region: &str) -> Result<()> {
    let (p0, p1, p2) = (mesh.client("p0")?, mesh.client("p1")?, mesh.client("p2")?);
    let s = Scene::nouvelle(mesh, region, source, &Vue::lire(&p0).await?)?;
    let mut entiers =
        [Suiveur::nouveau(&p0).await?, Suiveur::nouveau(&p1).await?, Suiveur::nouveau(&p2).await?];
    // By a chain, from what refers to it, below a structure.
    let criteres = [
        ("PractitionerRole", [("service._id", s.id.as_str())]),
        ("Location", [("_has:HealthcareService:location:_id", s.id.as_str())]),
        (OFFRE, [("organization:above", s.racine.as_str())]),
    ];
    let mut reduits = Vec::new();
    for (genre, c) in &criteres {
        reduits.push(Suiveur::de(&p0, genre, c).await?);
        ensure!(!reduits.iter().any(|s| s.copie.is_empty()), "{genre}?{c:?} finds nothing");
    }
    let avant = instant(&p0).await?;

    s.ecrire(true, &s.lieux[0]).await?;
    s.montree(&p0, |o| o.is_none()).await?;
    suivre(&mut entiers).await?;
    ensure!(partie(&entiers[0], &s.id) && partie(&entiers[2], &s.id), "hidden, and not told");
    ensure!(!partie(&entiers[1], &s.id), "told as gone to who reads it");
    for ((genre, c), suiveur) in criteres.iter().zip(&mut reduits) {
        suiveur
            .rattraper(async || -> Result<Contenu> { Ok(Suiveur::de(&p0, genre, c).await?.copie) })
            .await?;
        ensure!(!suiveur.supprimees.is_empty(), "{genre}?{c:?}: nothing left");
    }
    // Told to an export of what changed since, too, and to no other profile's.
    let url = format!("{OFFRE}/{}", s.id);
    ensure!(supprimees(&p0, &avant).await?.contains(&url), "not deleted since {avant}");
    ensure!(!supprimees(&p1, &avant).await?.contains(&url), "deleted for who reads it");

    s.ecrire(false, &s.lieux[1]).await?;
    let ailleurs = |o: Option<Value>| {
        let autre = Some(s.lieux[1].as_str());
        o.is_some_and(|o| tableau(&o, "location").iter().any(|r| cible(r, "Location") == autre))
    };
    s.montree(&p0, ailleurs).await?;
    suivre(&mut entiers).await?;
    for ((genre, c), suiveur) in criteres.iter().zip(&mut reduits) {
        let frais = async || -> Result<Contenu> { Ok(Suiveur::de(&p0, genre, c).await?.copie) };
        suiveur.rattraper(frais).await.with_context(|| format!("{genre}?{c:?}"))?;
    }
    memes(&entiers[0].copie, &de_vue(&Vue::lire(&p0).await?))
}
