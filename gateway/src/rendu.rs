//! From rows taken out of the model to the bytes of an answer.

mod cache;
mod membres;

pub use cache::Cache;
pub use membres::Membres;

use std::{io::Write, sync::Arc};

use ror_domaine::vocabulaire::Tables;
use ror_proto::{
    capacity::v1::capacity, identity::v1::identity, offers::v1::offer, structures::v1::structure,
};

use crate::{
    fhir::{
        canoniques as c,
        outcome::{Issue, avertissements},
        politique::Politique,
        rendu::{self, Libelles, Vue},
    },
    modele::{Extrait, TypeFhir},
    recherche::{Page, Trouve, arbre::Requete},
};

/// Labels from the local copy of the nomenclatures.
struct LibellesLocaux(Arc<Tables>);

impl Libelles for LibellesLocaux {
    fn libelle(&self, systeme: &str, code: &str) -> Option<&str> {
        self.0.libelle(systeme, code)
    }
}

/// What rendering needs besides the rows.
pub struct Contexte {
    politique: Arc<Politique>,
    profil: u8,
    libelles: LibellesLocaux,
    base: Arc<str>,
    cache: Arc<Cache>,
    generation: u64,
}

impl Contexte {
    /// For one answer to a caller of that profile; `base` is the URL of the façade, without a
    /// final slash.
    pub fn nouveau(
        cache: &Arc<Cache>,
        politique: &Arc<Politique>,
        tables: &Arc<Tables>,
        profil: u8,
        base: &str,
    ) -> Self {
        let generation = cache.generation(politique, tables);
        Self {
            politique: politique.clone(),
            profil,
            libelles: LibellesLocaux(tables.clone()),
            base: base.into(),
            cache: cache.clone(),
            generation,
        }
    }
}

impl Contexte {
    /// Number of the policy and labels in force.
    pub fn generation(&self) -> u64 {
        self.generation
    }
}

/// Appends one resource; false when its state cannot be read.
pub fn ressource(e: &Extrait, c: &Contexte, sortie: &mut Vec<u8>) -> bool {
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

fn rendre(e: &Extrait, c: &Contexte, sortie: &mut Vec<u8>) -> bool {
    let vue = Vue { politique: &c.politique, profil: c.profil, faits: e.faits, libelles: &c.libelles };
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

/// What precedes the entries of a searchset, links included.
fn tete(page: &Page, liens: &[(&str, String)], s: &mut Vec<u8>) {
    s.extend_from_slice(b"{\"resourceType\":\"Bundle\",\"type\":\"searchset\"");
    if let Some(total) = page.total {
        s.extend_from_slice(format!(",\"total\":{total}").as_bytes());
    }
    s.extend_from_slice(b",\"link\":[");
    for (i, (relation, url)) in liens.iter().enumerate() {
        if i > 0 {
            s.push(b',');
        }
        lien(s, relation, url);
    }
    s.push(b']');
}

/// How the entries of a searchset are cut.
pub struct Coupe {
    /// By type, in the order of the tables.
    pub membres: [Membres; 5],
}

impl Coupe {
    /// That of a request.
    pub fn de(r: &Requete) -> Self {
        Self { membres: TypeFhir::TOUS.map(|t| Membres::de(r, t)) }
    }
}

/// A searchset in the making: its head, then its entries by pieces, then its end.
pub struct Searchset {
    contexte: Contexte,
    coupe: Coupe,
    premiere: bool,
    tampon: Vec<u8>,
}

impl Searchset {
    /// Nothing written yet.
    pub fn nouveau(contexte: Contexte, coupe: Coupe) -> Self {
        Self { contexte, coupe, premiere: true, tampon: Vec::new() }
    }

    /// Writes what precedes the entries.
    pub fn commencer(&self, page: &Page, liens: &[(&str, String)], s: &mut Vec<u8>) {
        tete(page, liens, s);
    }

    /// Writes one entry.
    pub fn entree(&mut self, t: &Trouve, mode: &str, s: &mut Vec<u8>) {
        let e = &t.extrait;
        let avant = s.len();
        s.extend_from_slice(if self.premiere { b",\"entry\":[" } else { b"," });
        s.extend_from_slice(b"{\"fullUrl\":\"");
        // The base is ours, ids need no escape: what does is refused at the door.
        s.extend_from_slice(self.contexte.base.as_bytes());
        s.push(b'/');
        s.extend_from_slice(e.type_fhir.nom().as_bytes());
        s.push(b'/');
        e.id.avec(|id| s.extend_from_slice(id.as_bytes()));
        s.extend_from_slice(b"\",\"resource\":");
        let membres = &self.coupe.membres[e.type_fhir as usize];
        let rendue = if *membres == Membres::Tous {
            ressource(e, &self.contexte, s)
        } else {
            self.tampon.clear();
            let rendue = ressource(e, &self.contexte, &mut self.tampon);
            membres.ecrire(&self.tampon, s);
            rendue
        };
        if !rendue {
            s.truncate(avant);
            return;
        }
        s.extend_from_slice(b",\"search\":{");
        if let Some(km) = t.distance_km {
            // Writing to memory does not fail.
            let _ = write!(
                s,
                "\"extension\":[{{\"url\":\"{}\",\"valueDistance\":{{\"value\":{km:.3},\"unit\":\"km\",\"system\":\"http://unitsofmeasure.org\",\"code\":\"km\"}}}}],",
                c::EXT_DISTANCE
            );
        }
        s.extend_from_slice(b"\"mode\":\"");
        s.extend_from_slice(mode.as_bytes());
        s.push(b'"');
        if let Some(score) = t.score {
            let _ = write!(s, ",\"score\":{score:.4}");
        }
        s.extend_from_slice(b"}}");
        self.premiere = false;
    }

    /// Writes an OperationOutcome entry, when there is something to say, and the end.
    pub fn finir(&mut self, dire: &[Issue], s: &mut Vec<u8>) {
        if !dire.is_empty() {
            s.extend_from_slice(if self.premiere { b",\"entry\":[" } else { b"," });
            s.extend_from_slice(b"{\"resource\":");
            s.extend_from_slice(&avertissements(dire));
            s.extend_from_slice(b",\"search\":{\"mode\":\"outcome\"}}");
            self.premiere = false;
        }
        if !self.premiere {
            s.push(b']');
        }
        s.push(b'}');
    }
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
