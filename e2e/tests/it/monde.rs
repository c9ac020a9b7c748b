//! A ready mesh with its demo data, its clients, and what each of three profiles sees.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use ror_e2e::{
    Client, Mesh, Rapport, Vue,
    fhir::texte,
    patch::{disponibles, nombre, plafond, remplacer},
};
use serde_json::Value;

use crate::{
    accueil, capacite, changements, droits, erreurs, export, jetons, lecture, manieres, oracle, paging,
    profils, publiees, recherche, sante, terminologie,
};

pub struct Monde {
    pub mesh: Mesh,
    pub p0: Client,
    /// Shared with the readers that run beside a fault.
    pub p1: Arc<Client>,
    pub p2: Client,
    /// The feed of the capacities.
    pub flux: Client,
    pub vue0: Vue,
    pub vue1: Vue,
    pub vue2: Vue,
}

impl Monde {
    pub async fn lire(mesh: Mesh) -> Result<Self> {
        let (p0, p1, p2) = (mesh.client("p0")?, mesh.client("p1")?, mesh.client("p2")?);
        let flux = mesh.client("capacity")?;
        let (vue0, vue1, vue2) = (Vue::lire(&p0).await?, Vue::lire(&p1).await?, Vue::lire(&p2).await?);
        Ok(Self { mesh, p0, p1: Arc::new(p1), p2, flux, vue0, vue1, vue2 })
    }

    /// Something the demo says exists.
    pub fn exemple(&self, nom: &str) -> Result<&str> {
        self.mesh.exemple(nom)
    }

    /// Region of the demo.
    pub fn region(&self) -> Result<&str> {
        self.mesh.demo["region"].as_str().context("demo.json: no region")
    }

    /// A place as profile 1 reads it now.
    pub async fn lieu(&self, id: &str) -> Result<Value> {
        lire_lieu(&self.p1, id).await
    }

    /// The places, reference place first, whose free beds can move: id, synchronisation identifier.
    pub fn lieux_modifiables(&self) -> Result<Vec<(String, String)>> {
        let par_lieu = self.vue1.offres_par_lieu();
        let reference = self.exemple("lieu_id")?;
        let mut lieux: Vec<(bool, String, String)> = Vec::new();
        for lieu in self.vue1.tous("Location") {
            let id = texte(lieu, "/id");
            let visible =
                par_lieu.get(id).is_some_and(|o| !o.iter().any(|offre| ror_e2e::vue::sensible(offre)));
            let externe = externe(lieu);
            let place = disponibles(lieu).is_some() && plafond(lieu) >= 4;
            if let Some(externe) = externe.filter(|_| visible && place) {
                lieux.push((id != reference, id.to_owned(), externe.to_owned()));
            }
        }
        lieux.sort();
        ensure!(lieux.len() >= 2, "the demo has {} places with free beds", lieux.len());
        Ok(lieux.into_iter().map(|(_, id, externe)| (id, externe)).collect())
    }
}

/// idExterneSynchro of a place.
pub fn externe(lieu: &Value) -> Option<&str> {
    let identifiants = ror_e2e::fhir::tableau(lieu, "identifier").iter();
    let mut externes = identifiants.filter(|i| texte(i, "/type/coding/0/code") == "26");
    externes.next().and_then(|i| i["value"].as_str())
}

pub async fn lire_lieu(client: &Client, id: &str) -> Result<Value> {
    Ok(client.lire(&format!("Location/{id}")).await?.attendre(200)?.corps)
}

/// One more or one less free bed at the reference place, not asked yet.
pub struct Ecriture {
    /// Id of the place.
    pub id: String,
    /// Its synchronisation identifier.
    pub identifiant: String,
    /// The new count.
    pub nombre: i64,
    /// The body that writes it.
    pub corps: Value,
}

impl Ecriture {
    pub async fn nouvelle(mesh: &Mesh) -> Result<Self> {
        let (id, identifiant) = (mesh.exemple("lieu_id")?, mesh.exemple("lieu_id_externe")?);
        let lieu = lire_lieu(&mesh.client("p1")?, id).await?;
        let libres = disponibles(&lieu).context("no free bed")?;
        let n = if nombre(libres) < plafond(&lieu) { nombre(libres) + 1 } else { nombre(libres) - 1 };
        let corps = remplacer(libres, n);
        Ok(Self { id: id.to_owned(), identifiant: identifiant.to_owned(), nombre: n, corps })
    }

    /// Whether a read shows it.
    pub async fn vue(&self, client: &Client) -> Result<bool> {
        let lieu = lire_lieu(client, &self.id).await?;
        Ok(disponibles(&lieu).map(nombre) == Some(self.nombre))
    }
}

/// meta.versionId as a number.
pub fn version(ressource: &Value) -> Result<u64> {
    let texte = texte(ressource, "/meta/versionId");
    texte.parse().with_context(|| format!("versionId {texte:?}"))
}

/// Every check of the public interface; the ones that write come last. Each mesh has its share of the oracle's queries.
pub async fn tout(monde: &Monde, rapport: &mut Rapport, part: oracle::Part) {
    sante::tout(monde, rapport).await;
    accueil::tout(monde, rapport).await;
    jetons::tout(monde, rapport).await;
    lecture::tout(monde, rapport).await;
    manieres::tout(monde, rapport).await;
    terminologie::tout(monde, rapport).await;
    erreurs::tout(monde, rapport).await;
    paging::tout(monde, rapport).await;
    recherche::tout(monde, rapport).await;
    publiees::tout(monde, rapport).await;
    droits::tout(monde, rapport).await;
    profils::tout(monde, rapport).await;
    export::tout(monde, rapport).await;
    capacite::tout(monde, rapport).await;
    oracle::tout(monde, rapport, part).await;
    changements::tout(monde, rapport).await;
}
