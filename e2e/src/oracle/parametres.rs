//! What can be searched: the oracle's own list, told again from the published API, so that a line
//! lost in the engine's table is a difference.

/// The five types of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Genre {
    Organization,
    HealthcareService,
    Location,
    Practitioner,
    PractitionerRole,
}

impl Genre {
    pub const TOUS: [Self; 5] = [
        Self::Organization,
        Self::HealthcareService,
        Self::Location,
        Self::Practitioner,
        Self::PractitionerRole,
    ];

    /// Name in FHIR.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Organization => "Organization",
            Self::HealthcareService => "HealthcareService",
            Self::Location => "Location",
            Self::Practitioner => "Practitioner",
            Self::PractitionerRole => "PractitionerRole",
        }
    }

    /// The type of that name.
    pub fn de_nom(nom: &str) -> Option<Self> {
        Self::TOUS.into_iter().find(|g| g.nom() == nom)
    }
}

/// A reference from one type to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Relation {
    /// Place in [`RELATIONS`].
    pub rang: usize,
    pub source: Genre,
    pub nom: &'static str,
    pub cible: Genre,
    /// Element that holds it.
    pub element: &'static str,
}

const fn relation(
    rang: usize,
    source: Genre,
    nom: &'static str,
    cible: Genre,
    element: &'static str,
) -> Relation {
    Relation { rang, source, nom, cible, element }
}

/// Every reference that can be followed.
pub const RELATIONS: [Relation; 8] = [
    relation(0, Genre::Organization, "partof", Genre::Organization, "partOf"),
    relation(1, Genre::HealthcareService, "organization", Genre::Organization, "providedBy"),
    relation(2, Genre::HealthcareService, "location", Genre::Location, "location"),
    relation(3, Genre::PractitionerRole, "service", Genre::HealthcareService, "healthcareService"),
    relation(4, Genre::PractitionerRole, "practitioner", Genre::Practitioner, "practitioner"),
    relation(5, Genre::PractitionerRole, "organization", Genre::Organization, "organization"),
    relation(6, Genre::Location, "organization", Genre::Organization, "managingOrganization"),
    relation(7, Genre::Location, "partof", Genre::Location, "partOf"),
];

/// Organization.partOf: what `:above` climbs.
pub const PARENT: Relation = RELATIONS[0];
/// HealthcareService.location: what an offer's distance is told of.
pub const LIEUX: Relation = RELATIONS[2];

/// How the values of a parameter compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorte {
    Id,
    Jeton,
    Identifiant,
    Texte,
    Date,
    Nombre,
    Quantite,
    Reference,
    Proche,
    Commune,
}

/// Parameters whose criteria hold on one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Groupe {
    Capacite,
    Equipement,
    Habitation,
    Tarif,
}

impl Groupe {
    pub const TOUS: [Self; 4] = [Self::Capacite, Self::Equipement, Self::Habitation, Self::Tarif];
}

/// One parameter of one type.
#[derive(Debug, PartialEq, Eq)]
pub struct Parametre {
    pub genre: Genre,
    pub nom: &'static str,
    pub sorte: Sorte,
    pub groupe: Option<Groupe>,
}

impl Parametre {
    /// Place in the list of its type.
    pub fn rang(&self) -> usize {
        let rang = de_genre(self.genre).iter().position(|p| p.nom == self.nom);
        rang.expect("a parameter is in the list of its type")
    }

    /// Whether one given again narrows the same target or record.
    pub fn restreint(&self) -> bool {
        matches!(self.sorte, Sorte::Date | Sorte::Nombre | Sorte::Quantite) || self.situe()
    }

    /// Whether it draws circles, and as a sort orders by distance.
    pub fn situe(&self) -> bool {
        matches!(self.sorte, Sorte::Proche | Sorte::Commune)
    }

    /// The relation a reference follows.
    pub fn relation(&self) -> Option<Relation> {
        RELATIONS
            .into_iter()
            .find(|r| self.sorte == Sorte::Reference && r.source == self.genre && r.nom == self.nom)
    }

    /// Whether `:missing` can be asked.
    pub fn absence(&self) -> bool {
        !matches!(self.nom, "_id" | "_lastUpdated" | "near" | "near-insee-code")
    }

    /// Whether its codes have systems and labels; `status` and `drop-zone` are bare codes.
    pub fn nomenclature(&self) -> bool {
        self.sorte == Sorte::Jeton && !matches!(self.nom, "status" | "drop-zone")
    }
}

macro_rules! table {
    ($const:ident, $genre:ident: $($nom:literal $sorte:ident $($groupe:ident)?;)*) => {
        static $const: &[Parametre] = &[$(Parametre {
            genre: Genre::$genre,
            nom: $nom,
            sorte: Sorte::$sorte,
            groupe: table!(@ $($groupe)?),
        },)*];
    };
    (@) => { None };
    (@ $groupe:ident) => { Some(Groupe::$groupe) };
}

table! { ORGANIZATION, Organization:
    "_id" Id;
    "_lastUpdated" Date;
    "_tag" Jeton;
    "identifier" Identifiant;
    "name" Texte;
    "type" Jeton;
    "closing-type" Jeton;
    "drop-zone" Jeton;
    "period-end" Date;
    "price-type" Jeton Tarif;
    "price-unit" Jeton Tarif;
    "price-residential-type" Jeton Tarif;
    "price-dependency-level" Jeton Tarif;
    "price-welcome-type" Jeton Tarif;
    "special-price" Jeton Tarif;
    "price-amount-value" Nombre Tarif;
    "price-validity-start-date" Date Tarif;
    "partof" Reference;
}

table! { HEALTHCARE_SERVICE, HealthcareService:
    "_id" Id;
    "_lastUpdated" Date;
    "_tag" Jeton;
    "identifier" Identifiant;
    "name" Texte;
    "service-category" Jeton;
    "service-type" Jeton;
    "specialty" Jeton;
    "characteristic" Jeton;
    "age-range-low" Quantite;
    "age-range-high" Quantite;
    "intervention-zone" Jeton;
    "patient-type" Jeton;
    "psychiatric-sector" Texte;
    "notavailable-closing-reopeningdate" Date;
    "organization" Reference;
    "location" Reference;
}

table! { LOCATION, Location:
    "_id" Id;
    "_lastUpdated" Date;
    "_tag" Jeton;
    "identifier" Identifiant;
    "name" Texte;
    "type" Jeton;
    "status" Jeton;
    "operational-status" Jeton;
    "address-postalcode" Texte;
    "address-city" Texte;
    "near" Proche;
    "near-insee-code" Commune;
    "commune-cog" Jeton;
    "capacity-type" Jeton Capacite;
    "capacity-status" Jeton Capacite;
    "temporality-capacity" Jeton Capacite;
    "gender-capacity-available" Jeton Capacite;
    "capacity-closing-type" Jeton Capacite;
    "additional-bed-type" Jeton Capacite;
    "crisis-type" Jeton Capacite;
    "temporary-assignement" Jeton Capacite;
    "nb-capacity" Nombre Capacite;
    "capacity-update-date" Date Capacite;
    "equipment-type" Jeton Equipement;
    "equipment-feature" Jeton Equipement;
    "limit-value" Quantite Equipement;
    "residential-type" Jeton Habitation;
    "residential-number" Nombre Habitation;
    "organization" Reference;
    "partof" Reference;
}

table! { PRACTITIONER, Practitioner:
    "_id" Id;
    "_lastUpdated" Date;
    "_tag" Jeton;
    "identifier" Identifiant;
}

table! { PRACTITIONER_ROLE, PractitionerRole:
    "_id" Id;
    "_lastUpdated" Date;
    "_tag" Jeton;
    "identifier" Identifiant;
    "role" Jeton;
    "specialty" Jeton;
    "practitioner" Reference;
    "service" Reference;
    "organization" Reference;
}

/// Sub-extension that holds each parameter of a record.
pub const SOUS_EXTENSIONS: &[(&str, &str)] = &[
    ("capacity-type", "capacityType"),
    ("capacity-status", "capacityStatus"),
    ("temporality-capacity", "temporalityCapacity"),
    ("gender-capacity-available", "genderCapacityAvailable"),
    ("capacity-closing-type", "capacityClosingType"),
    ("additional-bed-type", "additionalBedType"),
    ("crisis-type", "crisisType"),
    ("temporary-assignement", "temporaryAssignement"),
    ("nb-capacity", "nbCapacity"),
    ("capacity-update-date", "capacityUpdateDate"),
    ("equipment-type", "equipmentType"),
    ("equipment-feature", "equipmentFeature"),
    ("limit-value", "limitValue"),
    ("residential-type", "residentialType"),
    ("residential-number", "residentialNumber"),
    ("price-type", "priceType"),
    ("price-unit", "priceUnit"),
    ("price-residential-type", "residentialType"),
    ("price-dependency-level", "dependencyLevel"),
    ("price-welcome-type", "welcomeType"),
    ("special-price", "specialPrice"),
    ("price-amount-value", "amount"),
    ("price-validity-start-date", "startDate"),
];

/// Parameters of a type. `_content` and `_text` are left out: how full text ranks and forgives is
/// no matter of brute force.
pub fn de_genre(genre: Genre) -> &'static [Parametre] {
    match genre {
        Genre::Organization => ORGANIZATION,
        Genre::HealthcareService => HEALTHCARE_SERVICE,
        Genre::Location => LOCATION,
        Genre::Practitioner => PRACTITIONER,
        Genre::PractitionerRole => PRACTITIONER_ROLE,
    }
}

/// A parameter by its name.
///
/// # Panics
/// When the type has none of that name.
pub fn parametre(genre: Genre, nom: &str) -> &'static Parametre {
    let trouve = de_genre(genre).iter().find(|p| p.nom == nom);
    trouve.unwrap_or_else(|| panic!("{} has no parameter {nom}", genre.nom()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_relation_and_every_record_element_has_its_parameter() {
        for (rang, r) in RELATIONS.into_iter().enumerate() {
            assert_eq!(r.rang, rang);
            assert_eq!(parametre(r.source, r.nom).relation(), Some(r));
        }
        for genre in Genre::TOUS {
            for (rang, p) in de_genre(genre).iter().enumerate() {
                assert_eq!(p.rang(), rang, "{} twice", p.nom);
                let sous = SOUS_EXTENSIONS.iter().filter(|(nom, _)| *nom == p.nom).count();
                assert_eq!(sous, usize::from(p.groupe.is_some()), "{}", p.nom);
            }
        }
    }
}
