//! From rows taken out of the model to the bytes of an answer.

mod cache;

pub use cache::Cache;

use std::sync::Arc;

use ror_domaine::vocabulaire::Tables;
use ror_proto::{
    capacity::v1::capacity, identity::v1::identity, offers::v1::offer, structures::v1::structure,
};

use crate::{
    fhir::{
        politique::Politique,
        rendu::{self, Libelles, Vue},
    },
    modele::Extrait,
    recherche::Page,
};

/// Labels from the local copy of the nomenclatures.
struct LibellesLocaux<'a>(&'a Tables);

impl Libelles for LibellesLocaux<'_> {
    fn libelle(&self, systeme: &str, code: &str) -> Option<&str> {
        self.0.libelle(systeme, code)
    }
}

/// What rendering needs besides the rows.
pub struct Contexte<'a> {
    politique: &'a Politique,
    profil: u8,
    libelles: LibellesLocaux<'a>,
    base: &'a str,
    cache: &'a Cache,
    generation: u64,
}

impl<'a> Contexte<'a> {
    /// For one answer to a caller of that profile; `base` is the URL of the façade, without a
    /// final slash.
    pub fn nouveau(
        cache: &'a Cache,
        politique: &'a Arc<Politique>,
        tables: &'a Arc<Tables>,
        profil: u8,
        base: &'a str,
    ) -> Self {
        let generation = cache.generation(politique, tables);
        Self { politique, profil, libelles: LibellesLocaux(tables), base, cache, generation }
    }
}

/// Appends one resource; false when its state cannot be read.
pub fn ressource(e: &Extrait, c: &Contexte<'_>, sortie: &mut Vec<u8>) -> bool {
    if c.cache.ecrire(e, c.profil, c.generation, sortie) {
        return true;
    }
    let debut = sortie.len();
    let rendue = rendre(e, c, sortie);
    if rendue {
        c.cache.garder(e, c.profil, c.generation, &sortie[debut..]);
    }
    rendue
}

fn rendre(e: &Extrait, c: &Contexte<'_>, sortie: &mut Vec<u8>) -> bool {
    let vue = Vue { politique: c.politique, profil: c.profil, faits: e.faits, libelles: &c.libelles };
    let avant = sortie.len();
    match e.type_fhir {
        crate::modele::TypeFhir::Organization => match e.structure().and_then(|s| s.ressource) {
            Some(structure::Ressource::EntiteJuridique(x)) => rendu::organization_ej(&x, &vue, sortie),
            Some(structure::Ressource::EntiteGeographique(x)) => rendu::organization_eg(&x, &vue, sortie),
            Some(structure::Ressource::OrganisationInterne(x)) => rendu::organization_oi(&x, &vue, sortie),
            None => {}
        },
        crate::modele::TypeFhir::Practitioner => {
            if let Some(identity::Ressource::Professionnel(x)) = e.identite().and_then(|s| s.ressource) {
                rendu::practitioner(&x, &vue, sortie);
            }
        }
        _ => match e.offre().and_then(|s| s.ressource) {
            Some(offer::Ressource::Offre(x)) => rendu::healthcare_service(&x, &vue, sortie),
            Some(offer::Ressource::Situation(x)) => rendu::practitioner_role(&x, &vue, sortie),
            Some(offer::Ressource::Lieu(x)) => {
                let capacite =
                    e.capacite().and_then(|k| k.ressource).map(|capacity::Ressource::CapaciteLieu(k)| k);
                rendu::location(&x, capacite.as_ref(), &vue, sortie);
            }
            None => {}
        },
    }
    if sortie.len() == avant {
        tracing::error!(kind = e.type_fhir.nom(), id = %e.id, "state cannot be rendered");
    }
    sortie.len() > avant
}

/// Renders a searchset Bundle.
pub fn bundle(page: &Page, c: &Contexte<'_>, soi: &str, suivant: Option<&str>) -> Vec<u8> {
    let mut s = Vec::with_capacity(1024 + 3000 * (page.trouves.len() + page.inclus.len()));
    s.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"total\":");
    s.extend_from_slice(page.total.to_string().as_bytes());
    s.extend_from_slice(b",\"link\":[");
    lien(&mut s, "self", soi);
    if let Some(url) = suivant {
        s.push(b',');
        lien(&mut s, "next", url);
    }
    s.push(b']');
    let mut premiere = true;
    for (extraits, mode) in [(&page.trouves, "match"), (&page.inclus, "include")] {
        for e in extraits {
            let avant = s.len();
            s.extend_from_slice(if premiere { b",\"entry\":[" } else { b"," });
            s.extend_from_slice(b"{\"fullUrl\":");
            texte(&mut s, &format!("{}/{}/{}", c.base, e.type_fhir.nom(), e.id));
            s.extend_from_slice(b",\"resource\":");
            if !ressource(e, c, &mut s) {
                s.truncate(avant);
                continue;
            }
            s.extend_from_slice(b",\"search\":{\"mode\":\"");
            s.extend_from_slice(mode.as_bytes());
            s.extend_from_slice(b"\"}}");
            premiere = false;
        }
    }
    if !premiere {
        s.push(b']');
    }
    s.push(b'}');
    s
}

fn lien(s: &mut Vec<u8>, relation: &str, url: &str) {
    s.extend_from_slice(b"{\"relation\":\"");
    s.extend_from_slice(relation.as_bytes());
    s.extend_from_slice(b"\",\"url\":");
    texte(s, url);
    s.push(b'}');
}

fn texte(s: &mut Vec<u8>, t: &str) {
    // A string always serialises.
    if let Ok(j) = serde_json::to_vec(t) {
        s.extend_from_slice(&j);
    }
}
