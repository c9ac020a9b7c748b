//! The directory of the whole country as the services keep it: professionals, structures,
//! places, capacities, offers and roles, as protobuf resources. It is for measures at that
//! size, where the import path would take hours; [`crate::generer`] is the demonstration.
//!
//! Everything about a site follows from its rank, everything about a person from theirs:
//! what is held is the compact structures of [`crate::national`] and the ranks of the persons
//! of each profession. The same seed and scale give the same resources for ever.

mod codes;
mod lieux;
mod offres;
mod plan;
mod roles;
mod structures;
#[cfg(test)]
mod tests;

use ror_domaine::territoire::region_de_commune;
use ror_proto::{
    capacity::v1::Capacity, identity::v1::Identity, offers::v1::Offer, structures::v1::Structure,
};

use crate::dates::{AUJOURD_HUI, date};
use crate::donnees::{Commune, Donnees as Modeles};
use crate::error::Error;
use crate::ids;
use crate::national::donnees::{Categorie, Donnees as Pays};
use crate::national::monde::{Eg, Monde, TexteEg, texte};
use crate::national::personnes::Annuaire;
use crate::prng::Prng;
use plan::{Plan, Volumes};
use roles::Effectifs;

/// Changes with the content that a seed gives: part of what tells a seeded folder apart.
pub const VERSION: u32 = 1;

/// A resource, under the union of the service that owns it.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "passed on one at a time, never gathered")]
pub enum Ressource {
    /// A professional.
    Identite(Identity),
    /// A legal entity, a site or an internal organisation.
    Structure(Structure),
    /// An offer, a place or a role.
    Offre(Offer),
    /// The capacity records of a place.
    Capacite(Capacity),
}

/// A resource and what is kept beside its state.
#[derive(Debug, Clone, PartialEq)]
pub struct Fiche {
    /// The resource; its metadata hold neither version nor date of update.
    pub ressource: Ressource,
    /// Version.
    pub version: u64,
    /// Instant of the first version, Unix seconds.
    pub creation: i64,
    /// Instant of the last one, Unix seconds.
    pub maj: i64,
}

/// The date that many days before the "today" of the directory: no resource is younger.
#[must_use]
pub fn il_y_a(jours: i64) -> String {
    date(AUJOURD_HUI - jours)
}

/// Gives every resource of a part of the country (1 for the whole: some 200,000 structures,
/// 550,000 places, 500,000 offers, a million roles, 900,000 professionals), each after what it
/// refers to, and all those of a site together.
///
/// # Errors
/// The first one that `recevoir` answers, or a data file of the crate that is broken.
pub fn parcourir<E: From<Error>>(
    graine: u64,
    echelle: f64,
    mut recevoir: impl FnMut(Fiche) -> Result<(), E>,
) -> Result<(), E> {
    let volumes = Volumes::a_l_echelle(echelle);
    let pays = Pays::lire()?;
    let modeles = Modeles::lire("84")?;
    let cibles = volumes.cibles();
    let monde = Monde::generer(&pays, &cibles, graine)?;
    let annuaire = Annuaire::nouveau(&monde);
    let plan = Plan::nouveau(&monde, &modeles, &volumes);
    let effectifs = Effectifs::nouveau(&annuaire, volumes.professionnels)?;
    let atelier = Atelier {
        graine,
        monde: &monde,
        modeles: &modeles,
        annuaire: &annuaire,
        plan: &plan,
        effectifs: &effectifs,
    };
    for rang in 0..volumes.professionnels {
        recevoir(atelier.professionnel(rang)?)?;
    }
    for (rang, ej) in (0_u32..).zip(&monde.ejs) {
        recevoir(atelier.entite_juridique(rang, ej)?)?;
        for eg in ej.eg.clone() {
            for fiche in atelier.site(eg)? {
                recevoir(fiche)?;
            }
        }
    }
    Ok(())
}

/// Draws the resources.
struct Atelier<'a> {
    graine: u64,
    monde: &'a Monde<'a>,
    modeles: &'a Modeles,
    annuaire: &'a Annuaire<'a>,
    plan: &'a Plan,
    effectifs: &'a Effectifs,
}

/// A site whose resources are being drawn.
struct Site<'a> {
    rang: usize,
    eg: &'a Eg,
    categorie: &'a Categorie,
    commune: &'a Commune,
    region: &'static str,
    finess: &'a str,
    id: String,
    /// Id of its legal entity.
    ej_id: String,
    texte: TexteEg,
    /// Where it stands, in 1e-5 degrees, whether the registry knows it or not.
    place: (i64, i64),
}

impl<'a> Atelier<'a> {
    fn decrire(&self, rang: u32) -> Result<Site<'a>, Error> {
        let monde = self.monde;
        let eg = &monde.egs[rang as usize];
        let ej = &monde.ejs[eg.ej as usize];
        let commune = monde.donnees.commune(eg.commune)?;
        let texte_eg = monde.texte_eg(rang, eg, ej.region)?;
        let finess = texte(&eg.finess);
        Ok(Site {
            rang: rang as usize,
            eg,
            categorie: &monde.donnees.categories[eg.categorie],
            commune,
            region: region(commune),
            finess,
            id: ids::id_eg(finess),
            ej_id: ids::id_ej(texte(&ej.finess)),
            place: texte_eg.place.unwrap_or((commune.lat, commune.lon)),
            texte: texte_eg,
        })
    }

    /// A site, then what it holds: organisations, places and their capacities, offers, roles.
    fn site(&self, rang: u32) -> Result<Vec<Fiche>, Error> {
        let s = self.decrire(rang)?;
        let mut prng = Prng::numerote(self.graine, "site", u64::from(rang));
        let mut fiches = vec![self.entite_geographique(&s, &mut prng)];
        let nombre = self.plan.offres[s.rang] as usize;
        let Some(menu) = self.plan.menus[s.eg.categorie].as_ref().filter(|_| nombre > 0) else {
            return Ok(fiches);
        };
        let modeles = menu.choisir(nombre, &mut prng);
        let services = self.organisations(&s, &modeles, &mut prng, &mut fiches);
        let projets = self.offres(&s, &modeles, &services, &mut prng, &mut fiches);
        for p in &projets {
            self.roles(&s, p, &mut prng, &mut fiches)?;
        }
        Ok(fiches)
    }
}

/// Region of a commune; empty in the two territories that have none.
fn region(commune: &Commune) -> &'static str {
    region_de_commune(commune.insee).unwrap_or("")
}
