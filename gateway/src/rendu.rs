//! From rows taken out of the model to the bytes of an answer.

mod atelier;
mod cache;
mod codages;
mod corde;
mod membres;
pub mod preparation;
mod reserve;
mod temoin;

pub use atelier::Atelier;
pub use cache::Cache;
pub use codages::Codages;
pub use corde::Corde;
pub use membres::Membres;
pub use reserve::Reserve;

use std::{io::Write, sync::Arc};

use bytes::Bytes;
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
    modele::{Extrait, Modele, TypeFhir},
    recherche::{Page, Trouve, arbre::Requete},
};

/// Labels from the local copy of the nomenclatures.
#[derive(Clone)]
struct LibellesLocaux {
    tables: Arc<Tables>,
    codages: Arc<Codages>,
}

impl Libelles for LibellesLocaux {
    fn libelle(&self, systeme: &str, code: &str) -> Option<&str> {
        self.tables.libelle(systeme, code)
    }

    fn codage(&self, systeme: &str, code: &str) -> Option<&[u8]> {
        self.codages.lire(systeme, code)
    }
}

/// What rendering needs besides the rows.
#[derive(Clone)]
pub struct Contexte {
    politique: Arc<Politique>,
    profil: u8,
    libelles: LibellesLocaux,
    base: Arc<str>,
    cache: Arc<Cache>,
    generation: u64,
    empreinte: u64,
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
        let v = cache.en_vigueur(politique, tables);
        Self {
            politique: politique.clone(),
            profil,
            libelles: LibellesLocaux { tables: tables.clone(), codages: v.codages },
            base: base.into(),
            cache: cache.clone(),
            generation: v.numero,
            empreinte: v.empreinte,
        }
    }

    /// Number of the policy and labels in force.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// A resource that is ready to be sent.
    fn prete(&self, e: &Extrait<'_>) -> Option<Bytes> {
        self.cache.prete(e, self.profil, self.generation)
    }

    /// Appends a resource as it is made now; false when its state cannot be read.
    fn rendre(&self, e: &Extrait<'_>, sortie: &mut Vec<u8>) -> bool {
        let Self { politique, profil, libelles, .. } = self;
        rendre(e, &Vue { politique, profil: *profil, faits: e.faits, libelles }, sortie)
    }
}

/// Room made for a resource.
const PLACE: usize = 12 * 1024;

/// Bytes of an entry of a searchset, about: a little more than the mean of a full directory.
pub fn environ(t: TypeFhir) -> usize {
    match t {
        TypeFhir::Organization => 7_000,
        TypeFhir::HealthcareService => 8_500,
        TypeFhir::Location => 5_000,
        TypeFhir::Practitioner => 1_000,
        TypeFhir::PractitionerRole => 2_500,
    }
}

/// One resource, shared with the cache when it keeps it; none when its state cannot be read.
pub fn octets(e: &Extrait<'_>, c: &Contexte) -> Option<Bytes> {
    c.prete(e).or_else(|| {
        let mut json = Vec::with_capacity(PLACE);
        autre(e, c, &mut json).then(|| json.into())
    })
}

/// Appends one resource; false when its state cannot be read.
pub fn ressource(e: &Extrait<'_>, c: &Contexte, sortie: &mut Vec<u8>) -> bool {
    if let Some(prete) = c.prete(e) {
        sortie.extend_from_slice(&prete);
        return true;
    }
    autre(e, c, sortie)
}

/// Appends a resource that is not ready, from the reserve or made now, and offers it to the cache.
fn autre(e: &Extrait<'_>, c: &Contexte, sortie: &mut Vec<u8>) -> bool {
    let debut = sortie.len();
    let la =
        c.cache.reserve().is_some_and(|r| r.lire(e, c.profil, c.empreinte, sortie)) || c.rendre(e, sortie);
    if la {
        c.cache.garder(e, c.profil, c.generation, &sortie[debut..]);
    }
    la
}

/// Appends one resource as someone sees it; false when its state cannot be read.
pub(crate) fn rendre(e: &Extrait<'_>, vue: &Vue<'_>, sortie: &mut Vec<u8>) -> bool {
    let avant = sortie.len();
    match e.type_fhir {
        crate::modele::TypeFhir::Organization => match e.structure().and_then(|s| s.ressource) {
            Some(structure::Ressource::EntiteJuridique(x)) => rendu::organization_ej(&x, vue, sortie),
            Some(structure::Ressource::EntiteGeographique(x)) => rendu::organization_eg(&x, vue, sortie),
            Some(structure::Ressource::OrganisationInterne(x)) => rendu::organization_oi(&x, vue, sortie),
            None => {}
        },
        crate::modele::TypeFhir::Practitioner => {
            if let Some(identity::Ressource::Professionnel(x)) = e.identite().and_then(|s| s.ressource) {
                rendu::practitioner(&x, vue, sortie);
            }
        }
        _ => match e.offre().and_then(|s| s.ressource) {
            Some(offer::Ressource::Offre(x)) => rendu::healthcare_service(&x, vue, sortie),
            Some(offer::Ressource::Situation(x)) => rendu::practitioner_role(&x, vue, sortie),
            Some(offer::Ressource::Lieu(x)) => {
                let capacite =
                    e.capacite().and_then(|k| k.ressource).map(|capacity::Ressource::CapaciteLieu(k)| k);
                rendu::location(&x, capacite.as_ref(), vue, sortie);
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
        // Writing to memory does not fail.
        let _ = write!(s, ",\"total\":{total}");
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
#[derive(Clone)]
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
    modele: Arc<Modele>,
    contexte: Contexte,
    coupe: Coupe,
    premiere: bool,
}

impl Searchset {
    /// Nothing written yet.
    pub fn nouveau(modele: Arc<Modele>, contexte: Contexte, coupe: Coupe) -> Self {
        Self { modele, contexte, coupe, premiere: true }
    }

    /// One that goes on from here, apart: its entries follow others.
    pub fn suite(&self) -> Self {
        let Self { modele, contexte, coupe, .. } = self;
        Self { modele: modele.clone(), contexte: contexte.clone(), coupe: coupe.clone(), premiere: false }
    }

    /// Whether no entry was written yet.
    pub fn vide(&self) -> bool {
        self.premiere
    }

    /// Writes what precedes the entries.
    pub fn commencer(&self, page: &Page, liens: &[(&str, String)], s: &mut Corde) {
        tete(page, liens, s.texte());
    }

    /// Writes one entry; none when its resource cannot be read.
    pub fn entree(&mut self, t: &Trouve, mode: &str, s: &mut Corde) {
        let Some(e) = self.modele.extraire(t.type_fhir, t.rang, self.contexte.profil) else { return };
        let avant = s.texte().len();
        self.ouvrir(&e, s.texte());
        // What is ready is shared; the rest is made where it goes.
        let ecrite = match &self.coupe.membres[e.type_fhir as usize] {
            Membres::Tous => match self.contexte.prete(&e) {
                Some(json) => {
                    s.joindre(json);
                    true
                }
                None => autre(&e, &self.contexte, s.texte()),
            },
            membres => {
                let json = octets(&e, &self.contexte);
                json.map(|json| membres.ecrire(&json, s.texte())).is_some()
            }
        };
        if !ecrite {
            s.texte().truncate(avant);
            return;
        }
        fermer(t, mode, s.texte());
        self.premiere = false;
    }

    /// What precedes the resource of an entry.
    fn ouvrir(&self, e: &Extrait<'_>, s: &mut Vec<u8>) {
        s.extend_from_slice(if self.premiere { b",\"entry\":[" } else { b"," });
        s.extend_from_slice(b"{\"fullUrl\":\"");
        // The base is ours, ids need no escape: what does is refused at the door.
        s.extend_from_slice(self.contexte.base.as_bytes());
        s.push(b'/');
        s.extend_from_slice(e.type_fhir.nom().as_bytes());
        s.push(b'/');
        e.id.avec(|id| s.extend_from_slice(id.as_bytes()));
        s.extend_from_slice(b"\",\"resource\":");
    }

    /// Writes an OperationOutcome entry, when there is something to say, and the end.
    pub fn finir(&mut self, dire: &[Issue], s: &mut Corde) {
        let s = s.texte();
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

/// What follows the resource of an entry.
fn fermer(t: &Trouve, mode: &str, s: &mut Vec<u8>) {
    s.extend_from_slice(b",\"search\":{");
    if let Some(km) = t.distance_km {
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
    let _ = serde_json::to_writer(s, t);
}
