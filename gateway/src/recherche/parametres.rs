//! The search parameters and includes that exist: one table for the parser, the engine, the
//! CapabilityStatement, the SearchParameters and the reference (fhir-api notes, §4).

use crate::modele::{Param, TypeFhir as T};

/// FHIR search type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the specification")]
pub enum Genre {
    Token,
    String,
    Date,
    Number,
    Quantity,
    Reference,
    Special,
}

impl Genre {
    /// Name in FHIR.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::String => "string",
            Self::Date => "date",
            Self::Number => "number",
            Self::Quantity => "quantity",
            Self::Reference => "reference",
            Self::Special => "special",
        }
    }
}

/// Where the engine finds the values of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cible {
    /// Technical id.
    Id,
    /// Last update.
    Maj,
    /// Codes in these postings.
    Jeton(&'static [Param]),
    /// Business identifiers.
    Identifiant,
    /// A text.
    Texte(Texte),
    /// One field of the records of a group.
    Champ(Groupe, Champ),
    /// Lower age.
    AgeBas,
    /// Upper age.
    AgeHaut,
    /// Period of closure of an offer.
    Fermeture,
    /// End of the period of a structure.
    FinPeriode,
    /// Reference.
    Reference(Relation),
    /// Distance from a point.
    Proche,
    /// Distance from a commune.
    ProcheCommune,
    /// Full text of the resource.
    Contenu,
    /// Full text of its narrative: names and descriptions.
    Narratif,
}

/// Texts searched as strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texte {
    /// Names and aliases.
    Nom,
    /// City of the address.
    Ville,
    /// Postal code of the address.
    CodePostal,
    /// Psychiatric sectors.
    SecteurPsy,
}

/// Groups of records whose criteria hold on one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Groupe {
    /// Capacity records of a place.
    Capacite,
    /// Equipment of a place, one record a limit.
    Equipement,
    /// Habitation of a place.
    Habitation,
    /// Prices of a structure.
    Tarif,
}

/// A field of a record; tokens first, in the order of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Champ {
    /// Token field, by its place in the signature of its group.
    Code(u8),
    /// The number of the record (count, limit, amount).
    Nombre,
    /// The date of the record (update, start of validity).
    Date,
}

/// Relations a reference parameter, a chain or an include may follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// Every relation.
    pub const TOUTES: [Self; 8] = [
        Self::Parent,
        Self::Porteur,
        Self::Lieux,
        Self::Offre,
        Self::Professionnel,
        Self::Structure,
        Self::Gestionnaire,
        Self::LieuParent,
    ];

    /// Type that carries the reference.
    pub fn source(self) -> T {
        match self {
            Self::Parent => T::Organization,
            Self::Porteur | Self::Lieux => T::HealthcareService,
            Self::Offre | Self::Professionnel | Self::Structure => T::PractitionerRole,
            Self::Gestionnaire | Self::LieuParent => T::Location,
        }
    }

    /// Type it points to.
    pub fn cible(self) -> T {
        match self {
            Self::Parent | Self::Porteur | Self::Structure | Self::Gestionnaire => T::Organization,
            Self::Lieux | Self::LieuParent => T::Location,
            Self::Offre => T::HealthcareService,
            Self::Professionnel => T::Practitioner,
        }
    }

    /// Name of its parameter and of its include.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Parent | Self::LieuParent => "partof",
            Self::Porteur | Self::Structure | Self::Gestionnaire => "organization",
            Self::Lieux => "location",
            Self::Offre => "service",
            Self::Professionnel => "practitioner",
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
    pub genre: Genre,
    /// Where the engine finds it.
    pub cible: Cible,
    /// FHIRPath of the element.
    pub expression: &'static str,
    /// French description.
    pub doc: &'static str,
    /// A value that shows its form.
    pub exemple: &'static str,
}

impl PartialEq for Parametre {
    fn eq(&self, autre: &Self) -> bool {
        self.type_fhir == autre.type_fhir && self.nom == autre.nom
    }
}

impl Parametre {
    /// Modifiers accepted, without their colon.
    pub fn modificateurs(&self) -> &'static [&'static str] {
        match (self.genre, self.cible) {
            (_, Cible::Id) => &["not"],
            (_, Cible::Maj | Cible::Proche | Cible::ProcheCommune | Cible::Contenu | Cible::Narratif) => &[],
            (Genre::Token, Cible::Identifiant) => &["not", "missing"],
            (Genre::Token, _) => &["not", "missing", "in", "text"],
            (Genre::String, _) => &["contains", "exact", "missing"],
            (Genre::Reference, Cible::Reference(r)) if r.cible() == T::Organization => &["above", "missing"],
            _ => &["missing"],
        }
    }

    /// Whether a parameter given again narrows the same record or target.
    pub fn ordonne(&self) -> bool {
        matches!(self.genre, Genre::Date | Genre::Number | Genre::Quantity)
    }
}

macro_rules! table {
    ($($t:ident $nom:literal $genre:ident $cible:expr, $expression:literal, $doc:literal, $exemple:literal;)*) => {
        /// Every parameter.
        pub static PARAMETRES: &[Parametre] = &[$(Parametre {
            type_fhir: T::$t, nom: $nom, genre: Genre::$genre, cible: $cible,
            expression: $expression, doc: $doc, exemple: $exemple,
        },)*];
    };
}

use Champ::{Code, Date as DateDe, Nombre as NombreDe};
use Cible::{
    AgeBas, AgeHaut, Champ as DeChamp, Contenu, Fermeture, FinPeriode, Id, Identifiant, Jeton, Maj, Narratif,
    Proche, ProcheCommune, Reference, Texte as DeTexte,
};
use Groupe::{Capacite, Equipement, Habitation, Tarif};

table! {
    Organization "_id" Token Id, "Resource.id", "Identifiant technique.", "8d4c1f0e-1111-5222-8333-444455556666";
    Organization "_lastUpdated" Date Maj, "Resource.meta.lastUpdated", "Date de dernière mise à jour.", "ge2026-01-01";
    Organization "_tag" Token Jeton(&[Param::Tag]), "Resource.meta.tag", "Région source.", "52";
    Organization "_content" String Contenu, "Resource", "Texte intégral : noms, adresse, libellés des codes ; fautes de frappe tolérées.", "clinique chateau";
    Organization "_text" String Narratif, "Resource.text", "Texte des noms et descriptions.", "clinique";
    Organization "identifier" Token Identifiant, "Organization.identifier", "Tout identifiant : idNatStruct, FINESS, SIREN, SIRET, rang, OI.", "1910800002";
    Organization "name" String DeTexte(Texte::Nom), "Organization.name | Organization.alias", "Raison sociale, dénomination, nom opérationnel ou nom d'OI.", "clinique";
    Organization "type" Token Jeton(&[Param::Type]), "Organization.type", "Catégorie d'EG, type d'OI, statut juridique.", "355";
    Organization "closing-type" Token Jeton(&[Param::TypeFermeture]), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-closing-type').value", "Type de fermeture.", "DEF";
    Organization "drop-zone" Token Jeton(&[Param::ZonePoser]), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-drop-zone').value", "Présence d'une zone de poser.", "true";
    Organization "period-end" Date FinPeriode, "Organization.extension.where(url='http://hl7.org/fhir/StructureDefinition/organization-period').value.as(Period).end", "Date de fermeture de la structure.", "ge2026-01-01";
    Organization "price-type" Token DeChamp(Tarif, Code(0)), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='priceType').value", "Type de tarif.", "02";
    Organization "price-unit" Token DeChamp(Tarif, Code(1)), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='priceUnit').value", "Unité du prix.", "01";
    Organization "price-residential-type" Token DeChamp(Tarif, Code(2)), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='residentialType').value", "Type d'habitation du tarif.", "03";
    Organization "price-dependency-level" Token DeChamp(Tarif, Code(3)), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='dependencyLevel').value", "Groupe tarifaire de dépendance.", "02";
    Organization "price-welcome-type" Token DeChamp(Tarif, Code(4)), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='welcomeType').value", "Temporalité d'accueil du tarif.", "02";
    Organization "special-price" Token DeChamp(Tarif, Code(5)), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='specialPrice').value", "Condition tarifaire.", "03";
    Organization "price-amount-value" Number DeChamp(Tarif, NombreDe), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='amount').value.as(Money).value", "Montant du tarif, en euros.", "lt75";
    Organization "price-validity-start-date" Date DeChamp(Tarif, DateDe), "Organization.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price').extension.where(url='startDate').value", "Début de validité du tarif.", "ge2026-01-01";
    Organization "partof" Reference Reference(Relation::Parent), "Organization.partOf", "Structure de rattachement.", "Organization/8d4c1f0e-1111-5222-8333-444455556666";
    HealthcareService "_id" Token Id, "Resource.id", "Identifiant technique.", "8d4c1f0e-1111-5222-8333-444455556666";
    HealthcareService "_lastUpdated" Date Maj, "Resource.meta.lastUpdated", "Date de dernière mise à jour.", "ge2022-11-06T15:00";
    HealthcareService "_tag" Token Jeton(&[Param::Tag]), "Resource.meta.tag", "Région source.", "52";
    HealthcareService "_content" String Contenu, "Resource", "Texte intégral : nom, commentaire, libellés des codes ; fautes de frappe tolérées.", "cardio";
    HealthcareService "_text" String Narratif, "Resource.text", "Texte des noms et descriptions.", "cardiologie";
    HealthcareService "identifier" Token Identifiant, "HealthcareService.identifier", "Identifiant fonctionnel de l'offre.", "52/192675";
    HealthcareService "name" String DeTexte(Texte::Nom), "HealthcareService.name", "Nom de l'offre.", "cardiologie";
    HealthcareService "service-category" Token Jeton(&[Param::ServiceCategory]), "HealthcareService.category", "Type d'offre.", "50";
    HealthcareService "service-type" Token Jeton(&[Param::ServiceType]), "HealthcareService.type", "Champ d'activité.", "01";
    HealthcareService "specialty" Token Jeton(&[Param::Specialty]), "HealthcareService.specialty", "Activité opérationnelle ou famille d'activités.", "005";
    HealthcareService "characteristic" Token Jeton(&[Param::Characteristic, Param::CharacteristicFine]), "HealthcareService.characteristic", "Toute caractéristique de l'offre : mode de prise en charge, actes, spécialisation, compétences…", "46";
    HealthcareService "age-range-low" Quantity AgeBas, "HealthcareService.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-patient-type').extension.where(url='ageRange').value.low", "Âge minimal pris en charge.", "le35|https://unitsofmeasure.org|a";
    HealthcareService "age-range-high" Quantity AgeHaut, "HealthcareService.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-patient-type').extension.where(url='ageRange').value.high", "Âge maximal pris en charge.", "ge35|https://unitsofmeasure.org|a";
    HealthcareService "intervention-zone" Token Jeton(&[Param::ZoneIntervention]), "HealthcareService.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-territorial-division').extension.where(url='codeTerritorialDivision').value", "Commune où l'offre intervient.", "29151";
    HealthcareService "patient-type" Token Jeton(&[Param::Public]), "HealthcareService.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-patient-type').extension.where(url='supportedPatientInfo').value", "Public pris en charge.", "01";
    HealthcareService "psychiatric-sector" String DeTexte(Texte::SecteurPsy), "HealthcareService.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-psychiatric-sector').value", "Secteur psychiatrique.", "44G01";
    HealthcareService "notavailable-closing-reopeningdate" Date Fermeture, "HealthcareService.notAvailable.where(id='closingReopeningDate').during", "Période de fermeture et de réouverture prévisionnelle.", "ap2026-01-01";
    HealthcareService "organization" Reference Reference(Relation::Porteur), "HealthcareService.providedBy", "Structure porteuse.", "Organization/8d4c1f0e-1111-5222-8333-444455556666";
    HealthcareService "location" Reference Reference(Relation::Lieux), "HealthcareService.location", "Lieu de réalisation.", "Location/8d4c1f0e-1111-5222-8333-444455556666";
    Location "_id" Token Id, "Resource.id", "Identifiant technique.", "8d4c1f0e-1111-5222-8333-444455556666";
    Location "_lastUpdated" Date Maj, "Resource.meta.lastUpdated", "Date de dernière mise à jour, capacités comprises.", "ge2023-08-02";
    Location "_tag" Token Jeton(&[Param::Tag]), "Resource.meta.tag", "Région source.", "52";
    Location "_content" String Contenu, "Resource", "Texte intégral : noms, description, adresse, libellés des codes ; fautes de frappe tolérées.", "pavillon nantes";
    Location "_text" String Narratif, "Resource.text", "Texte des noms et descriptions.", "pavillon";
    Location "identifier" Token Identifiant, "Location.identifier", "Identifiant fonctionnel (25) ou identifiant externe de synchro (26).", "52/192675";
    Location "name" String DeTexte(Texte::Nom), "Location.name | Location.alias", "Nom du lieu.", "pavillon";
    Location "type" Token Jeton(&[Param::Type]), "Location.type", "Fonction du lieu.", "001";
    Location "status" Token Jeton(&[Param::Status]), "Location.status", "Statut natif.", "active";
    Location "operational-status" Token Jeton(&[Param::StatutLieu]), "Location.operationalStatus", "Statut du lieu.", "01";
    Location "address-postalcode" String DeTexte(Texte::CodePostal), "Location.address.postalCode", "Code postal ou son début : 71 pour le département.", "71";
    Location "address-city" String DeTexte(Texte::Ville), "Location.address.city", "Localité.", "nantes";
    Location "near" Special Proche, "Location.position", "Proximité d'un point : latitude|longitude|distance|unité.", "47.218|-1.637|15|km";
    Location "near-insee-code" Special ProcheCommune, "Location.position", "Proximité du centre d'une commune : code INSEE|distance|unité.", "44162|15|km";
    Location "commune-cog" Token Jeton(&[Param::CommuneCog]), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-commune-cog').value", "Commune, code officiel géographique.", "44109";
    Location "capacity-type" Token DeChamp(Capacite, Code(0)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='capacityType').value", "Nature de la capacité : lit ou place.", "01";
    Location "capacity-status" Token DeChamp(Capacite, Code(1)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='capacityStatus').value", "Statut de la capacité : installée, disponible, fermée.", "02";
    Location "temporality-capacity" Token DeChamp(Capacite, Code(2)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='temporalityCapacity').value", "Temporalité de la capacité.", "01";
    Location "gender-capacity-available" Token DeChamp(Capacite, Code(3)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='genderCapacityAvailable').value", "Genre admis.", "01";
    Location "capacity-closing-type" Token DeChamp(Capacite, Code(4)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='capacityClosingType').value", "Type de fermeture de la capacité.", "01";
    Location "additional-bed-type" Token DeChamp(Capacite, Code(5)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='additionalBedType').value", "Type de lit supplémentaire.", "01";
    Location "crisis-type" Token DeChamp(Capacite, Code(6)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='crisisType').value", "Type de crise.", "01";
    Location "temporary-assignement" Token DeChamp(Capacite, Code(7)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='temporaryAssignement').value", "Affectation temporaire.", "01";
    Location "nb-capacity" Number DeChamp(Capacite, NombreDe), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='nbCapacity').value", "Nombre de lits ou de places.", "gt0";
    Location "capacity-update-date" Date DeChamp(Capacite, DateDe), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity').extension.where(url='capacityUpdateDate').value", "Date de mise à jour de la capacité.", "ge2026-01-01";
    Location "equipment-type" Token DeChamp(Equipement, Code(0)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment').extension.where(url='equipmentType').value", "Équipement spécifique.", "088";
    Location "equipment-feature" Token DeChamp(Equipement, Code(1)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment').extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment-limit').extension.where(url='equipmentFeature').value", "Caractéristique limitée de l'équipement.", "001";
    Location "limit-value" Quantity DeChamp(Equipement, NombreDe), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment').extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment-limit').extension.where(url='limitValue').value", "Valeur de la limite.", "ge200|http://unitsofmeasure.org|kg";
    Location "residential-type" Token DeChamp(Habitation, Code(0)), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-residential-capacity').extension.where(url='residentialType').value", "Type d'habitation.", "03";
    Location "residential-number" Number DeChamp(Habitation, NombreDe), "Location.extension.where(url='https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-residential-capacity').extension.where(url='residentialNumber').value", "Nombre d'habitations.", "ge10";
    Location "organization" Reference Reference(Relation::Gestionnaire), "Location.managingOrganization", "Structure gestionnaire.", "Organization/8d4c1f0e-1111-5222-8333-444455556666";
    Location "partof" Reference Reference(Relation::LieuParent), "Location.partOf", "Lieu englobant.", "Location/8d4c1f0e-1111-5222-8333-444455556666";
    Practitioner "_id" Token Id, "Resource.id", "Identifiant technique.", "8d4c1f0e-1111-5222-8333-444455556666";
    Practitioner "_lastUpdated" Date Maj, "Resource.meta.lastUpdated", "Date de dernière mise à jour.", "ge2026-01-01";
    Practitioner "_tag" Token Jeton(&[Param::Tag]), "Resource.meta.tag", "Région source.", "52";
    Practitioner "_content" String Contenu, "Resource", "Texte intégral : nom et prénoms.", "durand";
    Practitioner "_text" String Narratif, "Resource.text", "Texte des noms.", "durand";
    Practitioner "identifier" Token Identifiant, "Practitioner.identifier", "idNat_PS ou numéro RPPS.", "810000000001";
    PractitionerRole "_id" Token Id, "Resource.id", "Identifiant technique.", "8d4c1f0e-1111-5222-8333-444455556666";
    PractitionerRole "_lastUpdated" Date Maj, "Resource.meta.lastUpdated", "Date de dernière mise à jour.", "ge2026-01-01";
    PractitionerRole "_tag" Token Jeton(&[Param::Tag]), "Resource.meta.tag", "Région source.", "52";
    PractitionerRole "_content" String Contenu, "Resource", "Texte intégral : nom d'exercice, profession, savoir-faire.", "infirmier";
    PractitionerRole "_text" String Narratif, "Resource.text", "Texte des noms.", "durand";
    PractitionerRole "identifier" Token Identifiant, "PractitionerRole.identifier", "Identifiant de la situation opérationnelle.", "11102379616";
    PractitionerRole "role" Token Jeton(&[Param::Profession]), "PractitionerRole.code", "Profession exercée.", "60";
    PractitionerRole "specialty" Token Jeton(&[Param::SavoirFaire]), "PractitionerRole.specialty", "Savoir-faire ou compétence spécifique.", "SM04";
    PractitionerRole "practitioner" Reference Reference(Relation::Professionnel), "PractitionerRole.practitioner", "Professionnel.", "Practitioner/8d4c1f0e-1111-5222-8333-444455556666";
    PractitionerRole "service" Reference Reference(Relation::Offre), "PractitionerRole.healthcareService", "Offre.", "HealthcareService/8d4c1f0e-1111-5222-8333-444455556666";
    PractitionerRole "organization" Reference Reference(Relation::Structure), "PractitionerRole.organization", "Structure.", "Organization/8d4c1f0e-1111-5222-8333-444455556666";
}

/// Other spellings that published requests and SearchParameters use.
pub const AUTRES_NOMS: &[(T, &str, &str)] = &[(T::Organization, "amount-value", "price-amount-value")];

/// Parameters of a type.
pub fn de_type(t: T) -> impl Iterator<Item = &'static Parametre> {
    PARAMETRES.iter().filter(move |p| p.type_fhir == t)
}

/// One parameter.
pub fn trouver(t: T, nom: &str) -> Option<&'static Parametre> {
    let nom = AUTRES_NOMS.iter().find(|(x, autre, _)| *x == t && *autre == nom).map_or(nom, |(_, _, n)| n);
    de_type(t).find(|p| p.nom == nom)
}

/// The relation of a type by its name, for chains and includes.
pub fn relation(t: T, nom: &str) -> Option<Relation> {
    Relation::TOUTES.into_iter().find(|r| r.source() == t && r.nom() == nom)
}

/// Relations that point to a type.
pub fn vers(t: T) -> impl Iterator<Item = Relation> {
    Relation::TOUTES.into_iter().filter(move |r| r.cible() == t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_parameter_is_declared_twice_and_every_relation_has_one() {
        for (i, a) in PARAMETRES.iter().enumerate() {
            assert!(!PARAMETRES[..i].contains(a), "{:?} {}", a.type_fhir, a.nom);
        }
        for r in Relation::TOUTES {
            assert!(trouver(r.source(), r.nom()).is_some_and(|p| p.cible == Cible::Reference(r)), "{r:?}");
        }
    }
}
