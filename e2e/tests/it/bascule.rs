//! A region mirrored from files, switched to the national writer, and switched back.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Mesh, Vue, attendre,
    commande::{Sortie, ror},
    fhir::{GENRES, francais, issues, texte},
    patch::{disponibles, nombre, remplacer},
};
use serde_json::{Value, json};

/// Region of the small demo.
const REGION: &str = "52";
/// A region that nobody touches.
const AUTRE: &str = "84";
/// Longest time from an import to its sight.
const LIMITE: Duration = Duration::from_secs(60);

/// A mesh without data and a folder of regional files.
struct Scene {
    mesh: Mesh,
    p1: Client,
    flux: Client,
    source: String,
    manifeste: Value,
    donnees: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_is_mirrored_switched_and_switched_back() {
    let scene = Scene::monter().await.unwrap();
    // Each step stands on the one before: the first failure ends the story.
    if let Err(faute) = scene.histoire().await {
        panic!("{faute:#}");
    }
}

impl Scene {
    async fn histoire(&self) -> Result<()> {
        self.etat_initial().await.context("initial state")?;
        self.miroir().await.context("mirror")?;
        self.miroir_identique().await.context("the same mirror again")?;
        let ancienne = self.epoque("description").await?;
        self.national_refuse().await.context("national writes before the switch")?;
        self.bascule_fausse().await.context("wrong demands")?;
        let autre = self.bascule(&["etat", "--region", AUTRE]).await?.attendre(0)?.stdout;
        self.changer("capacite", "national").await?;
        self.changer("description", "national").await?;
        let apres = self.bascule(&["etat", "--region", AUTRE]).await?.attendre(0)?.stdout;
        ensure!(autre == apres, "region {AUTRE} moved: {autre} then {apres}");
        self.paquet_en_retard("en-retard", &[]).await.context("late regional packet")?;
        self.ecriture("national", "Nom donné par le national").await.context("national write")?;
        self.capacite_nationale(true).await.context("national capacity")?;
        self.changer("description", "regional").await?;
        self.changer("capacite", "regional").await?;
        let tard = self.refusee("national", "Nom national trop tard", "trop-tard", &[]).await;
        tard.context("national write after the return")?;
        self.capacite_nationale(false).await.context("national capacity after the return")?;
        let epoque = ancienne.to_string();
        let vieux = self.paquet_en_retard("vieille-epoque", &["--epoch", &epoque]).await;
        vieux.context("regional packet of an old epoch")?;
        self.ecriture("regional", "Nom rendu à la région").await.context("regional write after the return")
    }

    async fn monter() -> Result<Self> {
        let mesh = Mesh::start("none", false).await;
        let source = mesh.dossier.chemin("source").display().to_string();
        ror(&["demo", "generate", "--taille", "small", "--graine", "7", &source]).await?.attendre(0)?;
        let manifeste = serde_json::from_slice(&fs::read(Path::new(&source).join("manifest.json"))?)?;
        let (p1, flux, donnees) = (mesh.client("p1")?, mesh.client("capacity")?, mesh.donnees());
        Ok(Self { mesh, p1, flux, source, manifeste, donnees })
    }

    fn dit(&self, nom: &str) -> Result<&str> {
        self.manifeste[nom].as_str().with_context(|| format!("manifest.json: no {nom}"))
    }

    async fn importer(&self, arguments: &[&str]) -> Result<Sortie> {
        let mut tous = vec!["import"];
        tous.extend(arguments);
        tous.extend(["--mesh", &self.donnees, "--report", "json"]);
        ror(&tous).await
    }

    async fn bascule(&self, arguments: &[&str]) -> Result<Sortie> {
        let mut tous = vec!["bascule"];
        tous.extend(arguments);
        tous.extend(["--mesh", &self.donnees, "--json"]);
        ror(&tous).await
    }

    async fn offre(&self) -> Result<Value> {
        Ok(self.p1.lire(&format!("HealthcareService/{}", self.dit("offre_id")?)).await?.attendre(200)?.corps)
    }

    async fn etat_initial(&self) -> Result<()> {
        for genre in GENRES {
            let page = self.p1.chercher(genre, &[]).await?.attendre(200)?;
            ensure!(page.corps["total"] == 0, "{genre}: total {}", page.corps["total"]);
        }
        for region in [REGION, AUTRE] {
            let etat = self.bascule(&["etat", "--region", region]).await?.attendre(0)?;
            for domaine in ["description", "capacite"] {
                let bail = bail(&etat.json, domaine)?;
                ensure!(bail.to_string().contains("regional"), "{region}, {domaine}: {bail}");
            }
        }
        let inconnue = self.bascule(&["etat", "--region", "99"]).await?;
        ensure!(inconnue.code == Some(1) && francais(&inconnue.stderr), "region 99: {inconnue:?}");
        Ok(())
    }

    /// The registries, then the region's own files.
    async fn charger(&self) -> Result<[Sortie; 3]> {
        let chemin = |nom: &str| format!("{}/{nom}", self.source);
        let finess = self.importer(&["finess", &chemin("finess-structures.json")]).await?.attendre(0)?;
        let rpps = self.importer(&["rpps", &chemin("rpps-personne-activite.txt")]).await?.attendre(0)?;
        let dossier = chemin("fhir");
        let regional = ["fhir", &dossier, "--region", REGION, "--channel", "regional"];
        let fhir = self.importer(&regional).await?.attendre(0)?;
        Ok([finess, rpps, fhir])
    }

    async fn miroir(&self) -> Result<()> {
        // A rehearsal writes nothing.
        let finess = format!("{}/finess-structures.json", self.source);
        self.importer(&["finess", &finess, "--dry-run"]).await?.attendre(0)?;
        for sortie in self.charger().await? {
            ensure!(somme(&sortie.json, "crees")? > 0, "nothing created: {}", sortie.stdout);
            ensure!(somme(&sortie.json, "refuses")? == 0, "refusals: {}", sortie.stdout);
        }
        let attendus = &self.manifeste["ressources"];
        for genre in ["HealthcareService", "Location", "PractitionerRole"] {
            attendre(&format!("every {genre} is found"), LIMITE, async || -> Result<Option<()>> {
                let page = self.p1.chercher(genre, &[("_count", "1")]).await?.attendre(200)?;
                Ok((page.corps["total"] == attendus[genre]).then_some(()))
            })
            .await?;
        }
        self.offre().await.map(|_| ())
    }

    async fn miroir_identique(&self) -> Result<()> {
        let avant = Vue::lire(&self.p1).await?;
        for sortie in self.charger().await? {
            // The bytes of an edition that stands are not even compared.
            let deja = sortie.json["statut"] == "deja_appliquee";
            ensure!(deja || somme(&sortie.json, "inchanges")? > 0, "nothing unchanged: {}", sortie.stdout);
            for champ in ["crees", "modifies", "refuses"] {
                ensure!(somme(&sortie.json, champ)? == 0, "{champ}: {}", sortie.stdout);
            }
        }
        // A write that follows them in the order of events bounds the wait: when it is seen, they are.
        self.ecriture("regional", "Nom écrit après le second miroir").await?;
        let apres = Vue::lire(&self.p1).await?;
        for genre in GENRES {
            ensure!(avant.ids(genre) == apres.ids(genre), "{genre}: resources appear or vanish");
            for ressource in apres.tous(genre) {
                let id = texte(ressource, "/id");
                let change = id != self.dit("offre_id")? && avant.un(genre, id) != Some(ressource);
                ensure!(!change, "{genre}/{id} changed: {:?} then {ressource}", avant.un(genre, id));
            }
        }
        Ok(())
    }

    /// A folder with one offer under another name.
    fn paquet(&self, dossier: &str, nom: &str) -> Result<String> {
        let id = self.dit("offre_id")?;
        let lignes = fs::read_to_string(Path::new(&self.source).join("fhir/healthcareservice.ndjson"))?;
        let ligne = lignes.lines().find(|l| serde_json::from_str::<Value>(l).is_ok_and(|v| v["id"] == id));
        let mut offre: Value =
            serde_json::from_str(ligne.context("the reference offer is not in the file")?)?;
        offre["name"] = json!(nom);
        let dossier = self.mesh.dossier.chemin(dossier);
        fs::create_dir_all(&dossier)?;
        for vide in ["organization", "location", "practitionerrole"] {
            fs::write(dossier.join(format!("{vide}.ndjson")), "")?;
        }
        fs::write(dossier.join("healthcareservice.ndjson"), format!("{offre}\n"))?;
        Ok(dossier.display().to_string())
    }

    /// A write by that channel is accepted and seen.
    async fn ecriture(&self, canal: &str, nom: &str) -> Result<()> {
        let dossier = self.paquet(&format!("accepte-{}", nom.len()), nom)?;
        let sortie =
            self.importer(&["fhir", &dossier, "--region", REGION, "--channel", canal]).await?.attendre(0)?;
        ensure!(somme(&sortie.json, "modifies")? == 1, "{}", sortie.stdout);
        attendre(&format!("the name {nom:?} is seen"), LIMITE, async || -> Result<Option<()>> {
            Ok((self.offre().await?["name"] == nom).then_some(()))
        })
        .await
    }

    /// A write by that channel is refused, kept, reported, and not seen.
    async fn refusee(&self, canal: &str, nom: &str, dossier: &str, autres: &[&str]) -> Result<()> {
        let avant = self.offre().await?;
        let listes = self.refus_listes().await?;
        let dossier = self.paquet(dossier, nom)?;
        let mut arguments = vec!["fhir", &dossier, "--region", REGION, "--channel", canal];
        arguments.extend(autres);
        let sortie = self.importer(&arguments).await?.attendre(3)?;
        ensure!(somme(&sortie.json, "refuses")? == 1, "{}", sortie.stdout);
        let refus = sortie.json["refus"].as_array().context("no refus in the report")?;
        let fautes = refus.iter().flat_map(|r| r["fautes"].as_array().into_iter().flatten());
        let dites: Vec<&str> = fautes.map(|f| texte(f, "/message")).collect();
        ensure!(!dites.is_empty() && dites.iter().all(|f| francais(f)), "faults: {dites:?}");
        let id = self.dit("offre_id")?;
        let mut gardes = String::new();
        for fichier in fs::read_dir(&dossier)? {
            let chemin = fichier?.path();
            if chemin.to_string_lossy().ends_with(".refus.ndjson") {
                gardes.push_str(&fs::read_to_string(chemin)?);
            }
        }
        ensure!(gardes.contains(id) && gardes.contains(nom), "the line is not kept: {gardes:?}");
        ensure!(self.refus_listes().await? > listes, "the refusal is not listed");
        ensure!(self.offre().await? == avant, "a refused packet shows");
        Ok(())
    }

    /// How often the refusals kept for the region name the reference offer.
    async fn refus_listes(&self) -> Result<usize> {
        let liste = self.bascule(&["refus", "--region", REGION]).await?.attendre(0)?;
        ensure!(liste.json != Value::Null, "not JSON: {}", liste.stdout);
        Ok(liste.stdout.matches(self.dit("offre_id")?).count())
    }

    async fn paquet_en_retard(&self, dossier: &str, autres: &[&str]) -> Result<()> {
        self.refusee("regional", &format!("Nom arrivé {dossier}"), dossier, autres).await
    }

    async fn national_refuse(&self) -> Result<()> {
        self.refusee("national", "Nom national trop tôt", "trop-tot", &[]).await?;
        self.capacite_nationale(false).await
    }

    /// The capacity feed is national: accepted, or refused without effect.
    async fn capacite_nationale(&self, acceptee: bool) -> Result<()> {
        let chemin = format!("Location/{}", self.dit("lieu_id")?);
        let avant = self.p1.lire(&chemin).await?.attendre(200)?.corps;
        let libres = disponibles(&avant).context("no free bed")?;
        let corps = remplacer(libres, nombre(libres) + 1);
        let reponse = self.flux.modifier(self.dit("lieu_id_externe")?, &corps).await?;
        if acceptee {
            reponse.attendre(200)?;
            let apres = self.p1.lire(&chemin).await?.attendre(200)?.corps;
            ensure!(disponibles(&apres).map(nombre) == Some(nombre(libres) + 1), "not seen at once: {apres}");
        } else {
            issues(&reponse, &[400, 403, 409, 422, 423])?;
            ensure!(self.p1.lire(&chemin).await?.attendre(200)?.corps == avant, "a refused change shows");
        }
        Ok(())
    }

    async fn bascule_fausse(&self) -> Result<()> {
        let motif = ["--motif", "essai", "--nom", "Alix Essai", "--role", "ARS"];
        for (region, domaine, vers) in
            [("99", "capacite", "national"), (REGION, "bidule", "national"), (REGION, "capacite", "bidule")]
        {
            let mut arguments = vec!["proposer", "--region", region, "--domaine", domaine, "--vers", vers];
            arguments.extend(motif);
            let sortie = self.bascule(&arguments).await?;
            ensure!(sortie.code.is_some_and(|c| c != 0), "{region} {domaine} {vers} is accepted");
        }
        let inconnue = ["approuver", "n-existe-pas", "--nom", "Alix Essai", "--role", "ARS"];
        let sortie = self.bascule(&inconnue).await?;
        ensure!(sortie.code == Some(1) && francais(&sortie.stderr), "an unknown transition: {sortie:?}");
        Ok(())
    }

    async fn epoque(&self, domaine: &str) -> Result<u64> {
        let etat = self.bascule(&["etat", "--region", REGION]).await?.attendre(0)?;
        let bail = bail(&etat.json, domaine)?;
        entier(&bail["epoque"]).with_context(|| format!("no epoch: {bail}"))
    }

    /// A change of writer by two persons; one person alone cannot.
    async fn changer(&self, domaine: &str, vers: &str) -> Result<()> {
        let quoi = || format!("{domaine} to {vers}");
        let avant = self.epoque(domaine).await?;
        let proposition = [
            "proposer",
            "--region",
            REGION,
            "--domaine",
            domaine,
            "--vers",
            vers,
            "--motif",
            "essai de bascule",
            "--nom",
            "Alix Premier",
            "--role",
            "ARS",
        ];
        let sortie = self.bascule(&proposition).await?.attendre(0).with_context(quoi)?;
        ensure!(sortie.json["etat"] == "proposee", "{}: {}", quoi(), sortie.stdout);
        let id = sortie.json["id"].as_str().context("a proposal without id")?;
        let encore = self.bascule(&proposition).await?;
        ensure!(encore.code == Some(1), "{}: two proposals open at once", quoi());
        let seul = self.bascule(&["approuver", id, "--nom", "Alix Premier", "--role", "ANS"]).await?;
        ensure!(
            seul.code == Some(1) && francais(&seul.stderr),
            "{}: one person approves twice: {seul:?}",
            quoi()
        );
        ensure!(
            self.epoque(domaine).await? == avant,
            "{}: the epoch moved before the second approval",
            quoi()
        );
        let second = self.bascule(&["approuver", id, "--nom", "Camille Second", "--role", "ANS"]).await?;
        let second = second.attendre(0).with_context(quoi)?;
        ensure!(second.json["etat"] == "faite", "{}: {}", quoi(), second.stdout);
        let apres = self.epoque(domaine).await?;
        ensure!(apres > avant, "{}: epoch {avant} then {apres}", quoi());
        ensure!(entier(&second.json["epoque"]) == Some(apres), "{}: {}", quoi(), second.stdout);
        let etat = self.bascule(&["etat", "--region", REGION]).await?.attendre(0)?;
        let bail = bail(&etat.json, domaine)?;
        ensure!(bail.to_string().contains(vers), "{}: {bail}", quoi());
        let rejoue = self.bascule(&["approuver", id, "--nom", "Dominique Tiers", "--role", "ANS"]).await?;
        ensure!(self.epoque(domaine).await? == apres, "{}: approved a third time, {rejoue:?}", quoi());
        Ok(())
    }
}

/// An integer, written as a number or, as protobuf does for 64 bits, as a text.
fn entier(valeur: &Value) -> Option<u64> {
    valeur.as_u64().or_else(|| valeur.as_str()?.parse().ok())
}

/// The lease of a domain, wherever it is in the answer.
fn bail<'a>(etat: &'a Value, domaine: &str) -> Result<&'a Value> {
    fn chercher<'a>(valeur: &'a Value, domaine: &str) -> Option<&'a Value> {
        match valeur {
            Value::Object(_) if texte(valeur, "/domaine") == domaine => Some(valeur),
            Value::Object(membres) => membres.values().find_map(|v| chercher(v, domaine)),
            Value::Array(valeurs) => valeurs.iter().find_map(|v| chercher(v, domaine)),
            _ => None,
        }
    }
    chercher(etat, domaine).with_context(|| format!("no lease of {domaine} in {etat}"))
}

/// Sum of a column of the report of an import.
fn somme(rapport: &Value, champ: &str) -> Result<u64> {
    let comptes = rapport["comptes"].as_array().with_context(|| format!("no report: {rapport}"))?;
    Ok(comptes.iter().filter_map(|c| c[champ].as_u64()).sum())
}
