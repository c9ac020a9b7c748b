//! The search parameters and includes that exist: one table for the parser, the
//! engine and the CapabilityStatement (fhir-api notes, §4).

use crate::modele::{Param, TypeFhir as T};

/// How a parameter is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lecture {
    /// Technical id.
    Id,
    /// Code with or without its system.
    Jeton(&'static [Param]),
    /// Name: starts with, accents and case ignored.
    Nom,
    /// Postal code prefix.
    CodePostal,
    /// Last update.
    Maj,
    /// Reference by a relation.
    Reference(Relation),
}

/// Relations a reference parameter, a chain or an include may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Organization.partOf.
    Parent,
    /// HealthcareService.providedBy.
    Porteur,
    /// HealthcareService.location.
    Lieux,
    /// PractitionerRole.healthcareService.
    Offre,
    /// PractitionerRole.practitioner.
    Professionnel,
    /// PractitionerRole.organization.
    Structure,
    /// Location.managingOrganization.
    Gestionnaire,
    /// Location.partOf.
    LieuParent,
}

impl Relation {
    /// Type it points to.
    pub fn cible(self) -> T {
        match self {
            Self::Parent | Self::Porteur | Self::Structure | Self::Gestionnaire => T::Organization,
            Self::Lieux | Self::LieuParent => T::Location,
            Self::Offre => T::HealthcareService,
            Self::Professionnel => T::Practitioner,
        }
    }
}

/// One parameter of one type.
#[derive(Debug)]
pub struct Parametre {
    /// Type it searches.
    pub type_fhir: T,
    /// Name in the URL.
    pub nom: &'static str,
    /// FHIR search type.
    pub genre: &'static str,
    /// How it is read.
    pub lecture: Lecture,
    /// French description.
    pub doc: &'static str,
}

const fn p(
    type_fhir: T,
    nom: &'static str,
    genre: &'static str,
    lecture: Lecture,
    doc: &'static str,
) -> Parametre {
    Parametre { type_fhir, nom, genre, lecture, doc }
}

use Lecture::{CodePostal, Id, Jeton, Maj, Nom, Reference};
use T::{HealthcareService as H, Location as L, Organization as O, Practitioner as P, PractitionerRole as R};

/// Every parameter.
pub static PARAMETRES: &[Parametre] = &[
    p(O, "_id", "token", Id, "Identifiant technique."),
    p(O, "_lastUpdated", "date", Maj, "Date de dernière mise à jour."),
    p(O, "_tag", "token", Jeton(&[Param::Tag]), "Région source."),
    p(
        O,
        "identifier",
        "token",
        Jeton(&[Param::Identifier]),
        "Tout identifiant : idNatStruct, FINESS, SIREN, SIRET, rang, OI.",
    ),
    p(O, "name", "string", Nom, "Raison sociale, dénomination, nom opérationnel ou nom d'OI."),
    p(O, "type", "token", Jeton(&[Param::Type]), "Catégorie d'EG, type d'OI, statut juridique."),
    p(O, "partof", "reference", Reference(Relation::Parent), "Structure de rattachement."),
    p(H, "_id", "token", Id, "Identifiant technique."),
    p(H, "_lastUpdated", "date", Maj, "Date de dernière mise à jour."),
    p(H, "_tag", "token", Jeton(&[Param::Tag]), "Région source."),
    p(H, "identifier", "token", Jeton(&[Param::Identifier]), "Identifiant fonctionnel de l'offre."),
    p(H, "name", "string", Nom, "Nom de l'offre."),
    p(H, "specialty", "token", Jeton(&[Param::Specialty]), "Activité opérationnelle ou famille d'activités."),
    p(H, "service-category", "token", Jeton(&[Param::ServiceCategory]), "Type d'offre."),
    p(H, "service-type", "token", Jeton(&[Param::ServiceType]), "Champ d'activité."),
    p(
        H,
        "characteristic",
        "token",
        Jeton(&[Param::Characteristic, Param::CharacteristicFine]),
        "Toute caractéristique de l'offre : mode de prise en charge, actes, spécialisation, compétences…",
    ),
    p(H, "organization", "reference", Reference(Relation::Porteur), "Structure porteuse."),
    p(H, "location", "reference", Reference(Relation::Lieux), "Lieu de réalisation."),
    p(L, "_id", "token", Id, "Identifiant technique."),
    p(L, "_lastUpdated", "date", Maj, "Date de dernière mise à jour, capacités comprises."),
    p(L, "_tag", "token", Jeton(&[Param::Tag]), "Région source."),
    p(
        L,
        "identifier",
        "token",
        Jeton(&[Param::Identifier]),
        "Identifiant fonctionnel (25) ou identifiant externe de synchro (26).",
    ),
    p(L, "name", "string", Nom, "Nom du lieu."),
    p(L, "type", "token", Jeton(&[Param::Type]), "Fonction du lieu."),
    p(L, "status", "token", Jeton(&[Param::Status]), "Statut natif."),
    p(L, "address-postalcode", "string", CodePostal, "Code postal ou son début : 71 pour le département."),
    p(L, "commune-cog", "token", Jeton(&[Param::CommuneCog]), "Commune, code officiel géographique."),
    p(L, "organization", "reference", Reference(Relation::Gestionnaire), "Structure gestionnaire."),
    p(L, "partof", "reference", Reference(Relation::LieuParent), "Lieu englobant."),
    p(P, "_id", "token", Id, "Identifiant technique."),
    p(P, "_lastUpdated", "date", Maj, "Date de dernière mise à jour."),
    p(P, "_tag", "token", Jeton(&[Param::Tag]), "Région source."),
    p(P, "identifier", "token", Jeton(&[Param::Identifier]), "idNat_PS ou numéro RPPS."),
    p(R, "_id", "token", Id, "Identifiant technique."),
    p(R, "_lastUpdated", "date", Maj, "Date de dernière mise à jour."),
    p(R, "_tag", "token", Jeton(&[Param::Tag]), "Région source."),
    p(R, "identifier", "token", Jeton(&[Param::Identifier]), "Identifiant de la situation opérationnelle."),
    p(R, "practitioner", "reference", Reference(Relation::Professionnel), "Professionnel."),
    p(R, "service", "reference", Reference(Relation::Offre), "Offre."),
    p(R, "organization", "reference", Reference(Relation::Structure), "Structure."),
];

/// Parameters of a type.
pub fn de_type(t: T) -> impl Iterator<Item = &'static Parametre> {
    PARAMETRES.iter().filter(move |p| p.type_fhir == t)
}

/// One parameter.
pub fn trouver(t: T, nom: &str) -> Option<&'static Parametre> {
    de_type(t).find(|p| p.nom == nom)
}

/// Includes: source type, name, relation followed.
pub static INCLUSIONS: &[(T, &str, Relation)] = &[
    (H, "organization", Relation::Porteur),
    (H, "location", Relation::Lieux),
    (L, "organization", Relation::Gestionnaire),
    (L, "partof", Relation::LieuParent),
    (O, "partof", Relation::Parent),
    (R, "service", Relation::Offre),
    (R, "practitioner", Relation::Professionnel),
    (R, "organization", Relation::Structure),
];

/// The include of that name.
pub fn inclusion(t: T, nom: &str) -> Option<Relation> {
    INCLUSIONS.iter().find(|(x, n, _)| *x == t && *n == nom).map(|(_, _, r)| *r)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_parameter_is_declared_twice() {
        for (i, a) in PARAMETRES.iter().enumerate() {
            assert!(
                !PARAMETRES[..i].iter().any(|b| a.type_fhir == b.type_fhir && a.nom == b.nom),
                "{:?} {}",
                a.type_fhir,
                a.nom
            );
        }
    }
}
