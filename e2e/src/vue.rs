//! All that one profile sees, walked page by page: the oracle of the searches.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::{
    client::Client,
    fhir::{GENRES, SENSIBLE, cible, codages, entrees, extensions, tableau, texte},
};

/// Ids of resources of one type.
pub type Ids = BTreeSet<String>;

/// Resources by type and id.
#[derive(Debug, Default)]
pub struct Vue {
    ressources: BTreeMap<&'static str, BTreeMap<String, Value>>,
}

impl Vue {
    /// Walks the whole directory.
    pub async fn lire(client: &Client) -> Result<Self> {
        let mut vue = Self::default();
        for genre in GENRES {
            let mut toutes = BTreeMap::new();
            for page in client.pages(genre, &[]).await? {
                for (_, ressource) in entrees(&page) {
                    let id = texte(ressource, "/id").to_owned();
                    ensure!(!id.is_empty(), "{}: a {genre} without id", client.nom);
                    let double = toutes.insert(id, ressource.clone());
                    ensure!(double.is_none(), "{}: a {genre} twice: {ressource}", client.nom);
                }
            }
            vue.ressources.insert(genre, toutes);
        }
        Ok(vue)
    }

    /// Resources of a type.
    pub fn tous(&self, genre: &str) -> impl Iterator<Item = &Value> {
        self.ressources.get(genre).into_iter().flat_map(BTreeMap::values)
    }

    /// One resource.
    pub fn un(&self, genre: &str, id: &str) -> Option<&Value> {
        self.ressources.get(genre)?.get(id)
    }

    /// Ids of a type.
    pub fn ids(&self, genre: &str) -> Ids {
        self.ressources.get(genre).into_iter().flat_map(BTreeMap::keys).cloned().collect()
    }

    /// Ids of the resources of a type for which a condition holds.
    pub fn filtrer(&self, genre: &str, condition: impl Fn(&Value) -> bool) -> Ids {
        self.tous(genre).filter(|r| condition(r)).map(|r| texte(r, "/id").to_owned()).collect()
    }

    /// The providing organization of an offer, then its ancestors.
    pub fn porteurs(&self, offre: &Value) -> Vec<&Value> {
        let mut chaine: Vec<&Value> = Vec::new();
        let mut suivant = offre.get("providedBy").and_then(|r| cible(r, "Organization"));
        while let Some(structure) = suivant.and_then(|id| self.un("Organization", id)) {
            if chaine.len() > 8 {
                break;
            }
            chaine.push(structure);
            suivant = structure.get("partOf").and_then(|r| cible(r, "Organization"));
        }
        chaine
    }

    /// Offers made at each place.
    pub fn offres_par_lieu(&self) -> BTreeMap<&str, Vec<&Value>> {
        let mut par_lieu: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for offre in self.tous("HealthcareService") {
            for lieu in tableau(offre, "location").iter().filter_map(|r| cible(r, "Location")) {
                par_lieu.entry(lieu).or_default().push(offre);
            }
        }
        par_lieu
    }

    /// Offer of a role.
    pub fn offre_du_role(&self, role: &Value) -> Option<&Value> {
        let id = tableau(role, "healthcareService").first().and_then(|r| cible(r, "HealthcareService"))?;
        self.un("HealthcareService", id)
    }
}

/// uniteSensible of an offer.
pub fn sensible(offre: &Value) -> bool {
    extensions(offre, SENSIBLE).any(|extension| extension.get("valueBoolean") == Some(&Value::Bool(true)))
}

/// Whether champActivite is Ville.
pub fn ville(offre: &Value) -> bool {
    codages(&offre["type"]).iter().any(|(_, code)| code == "05")
}
