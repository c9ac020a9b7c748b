//! How the resources of each area become aggregates of the store and back.

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::{horodatage, maintenant},
    magasin::Ligne,
};
use ror_proto::{
    capacity::v1::{Capacity, capacity},
    common::v1::Meta,
    identity::v1::{Identity, identity},
    offers::v1::{Offer, offer},
    structures::v1::{Structure, structure},
};

use crate::identifiants::id_technique;

/// A union of the resources of an area.
pub trait Ressource: Message + Default + Clone {
    /// Kind of the resource held; `None` when the union is empty.
    fn genre(&self) -> Option<&'static str>;
    /// Its metadata.
    fn meta(&self) -> Option<&Meta>;
    /// Its metadata, made when missing.
    fn meta_mut(&mut self) -> Option<&mut Meta>;

    /// Technical id, empty when missing.
    fn id(&self) -> &str {
        self.meta().map_or("", |m| m.id.as_str())
    }

    /// The state the store keeps: without version and date, which are its columns.
    fn etat(&self) -> Bytes {
        let mut r = self.clone();
        if let Some(m) = r.meta_mut() {
            m.version = 0;
            m.date_maj = None;
        }
        r.encode_to_vec().into()
    }

    /// Gives a creation date to what has none: that of the present state, else now.
    /// It then belongs to the state, so that reading and writing back changes nothing.
    fn dater(mut self, present: Option<&Self>) -> Self {
        let connue = present.and_then(Self::meta).and_then(|m| m.date_creation);
        if let Some(m) = self.meta_mut()
            && m.date_creation.is_none()
        {
            m.date_creation = Some(connue.unwrap_or_else(|| horodatage(maintenant())));
        }
        self
    }

    /// Back from the store, version and date set.
    fn depuis(l: &Ligne) -> Resultat<Self> {
        Self::decoder(l.etat.clone(), l.version, horodatage(l.maj_le))
    }

    /// Back from a state, version and date set.
    fn decoder(etat: Bytes, version: u64, date_maj: prost_types::Timestamp) -> Resultat<Self> {
        let mut r = Self::decode(etat)?;
        let m = r.meta_mut().ok_or_else(|| Erreur::interne("état sans ressource"))?;
        m.version = version;
        m.date_maj = Some(date_maj);
        Ok(r)
    }
}

macro_rules! ressource {
    ($union:ty, $module:ident, { $($variante:ident => $genre:literal),+ }) => {
        impl Ressource for $union {
            fn genre(&self) -> Option<&'static str> {
                match self.ressource.as_ref()? { $($module::Ressource::$variante(_) => Some($genre),)+ }
            }
            fn meta(&self) -> Option<&Meta> {
                match self.ressource.as_ref()? { $($module::Ressource::$variante(r) => r.meta.as_ref(),)+ }
            }
            fn meta_mut(&mut self) -> Option<&mut Meta> {
                match self.ressource.as_mut()? { $($module::Ressource::$variante(r) => Some(r.meta.get_or_insert_default()),)+ }
            }
        }
    };
}

ressource!(Structure, structure, {
    EntiteJuridique => "entite_juridique",
    EntiteGeographique => "entite_geographique",
    OrganisationInterne => "organisation_interne"
});
ressource!(Offer, offer, {
    Offre => "offre",
    Lieu => "lieu",
    Situation => "situation"
});
ressource!(Capacity, capacity, { CapaciteLieu => "capacite_lieu" });
ressource!(Identity, identity, {
    StructureFiness => "structure_finess",
    Professionnel => "professionnel",
    ActivitesFiness => "activites_finess",
    Formation => "formation"
});

/// Id of a nomenclature version: readable back into its canonical and version.
pub fn id_nomenclature(canonique: &str, version: &str) -> String {
    format!("{canonique}|{version}")
}

/// Canonical and version of such an id.
pub fn cle_nomenclature(id: &str) -> (String, String) {
    id.rsplit_once('|').map_or((id.to_owned(), String::new()), |(c, v)| (c.to_owned(), v.to_owned()))
}

/// Deterministic technical id of a thing known by a business key.
pub fn id_deterministe(sorte: &str, cle: &str) -> String {
    id_technique(sorte, cle)
}
