//! The types of lines and their fields.

use std::borrow::Cow;

/// Types of a file that told nothing yet.
pub(super) const TYPES: &str =
    "structureej, structureet, geolocalisation, equipementsocial ou activiteoffresoin";

/// Types that come together in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Famille {
    /// 501.
    Juridiques,
    /// 502, 505, 507.
    Sites,
    /// 503.
    Soins,
}

impl Famille {
    /// Their names.
    pub(super) fn types(self) -> &'static str {
        match self {
            Self::Juridiques => "structureej",
            Self::Sites => "structureet, geolocalisation ou equipementsocial",
            Self::Soins => "activiteoffresoin",
        }
    }
}

/// Type of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Genre {
    /// Legal entity.
    Ej,
    /// Site.
    Et,
    /// Site, reduced to its numbers and name, before its equipments.
    EtCourte,
    /// Position of a site.
    Geolocalisation,
    /// Social equipment.
    Equipement,
    /// Care activity.
    Soin,
}

impl Genre {
    /// Type told by the first of so many fields. A site is short only in a file that
    /// gave no whole one: elsewhere the line is truncated.
    pub(super) fn de(nom: &str, nombre: usize, entiere: bool) -> Option<Self> {
        match nom {
            "structureej" => Some(Self::Ej),
            "structureet" if nombre <= ET_COURTE.len() + 1 && !entiere => Some(Self::EtCourte),
            "structureet" => Some(Self::Et),
            "geolocalisation" => Some(Self::Geolocalisation),
            "equipementsocial" => Some(Self::Equipement),
            "activiteoffresoin" => Some(Self::Soin),
            _ => None,
        }
    }

    /// Its name.
    pub(super) fn nom(self) -> &'static str {
        match self {
            Self::Ej => "structureej",
            Self::Et | Self::EtCourte => "structureet",
            Self::Geolocalisation => "geolocalisation",
            Self::Equipement => "equipementsocial",
            Self::Soin => "activiteoffresoin",
        }
    }

    /// The files it comes in.
    pub(super) fn famille(self) -> Famille {
        match self {
            Self::Ej => Famille::Juridiques,
            Self::Et | Self::EtCourte | Self::Geolocalisation | Self::Equipement => Famille::Sites,
            Self::Soin => Famille::Soins,
        }
    }

    /// Names of its fields.
    pub(super) fn noms(self) -> &'static [&'static str] {
        match self {
            Self::Ej => EJ,
            Self::Et => ET,
            Self::EtCourte => ET_COURTE,
            Self::Geolocalisation => GEOLOCALISATION,
            Self::Equipement => EQUIPEMENT,
            Self::Soin => SOIN,
        }
    }

    /// How many fields it has, for a person.
    pub(super) fn attendu(self) -> &'static str {
        match self {
            Self::Ej => "23 champs séparés par ;",
            Self::Et => "31 ou 32 champs séparés par ;",
            Self::EtCourte => "3 ou 4 champs séparés par ;",
            Self::Geolocalisation => "6 champs séparés par ;, ou 12 dans les fichiers de 2016",
            Self::Equipement => "28 champs séparés par ;",
            Self::Soin => "13 ou 31 champs séparés par ;",
        }
    }

    /// Brings the fields to the form of the type: an empty last one is dropped, the
    /// source of a position cut at its `;` (2016) is put together again. False when
    /// their number cannot be.
    pub(super) fn ajuster(self, valeurs: &mut Vec<Cow<'_, str>>) -> bool {
        let attendus = self.noms().len();
        if valeurs.len() == attendus + 1 && valeurs.last().is_some_and(|dernier| dernier.is_empty()) {
            valeurs.pop();
        }
        let nombre = valeurs.len();
        match self {
            Self::Et | Self::EtCourte => nombre == attendus || nombre == attendus - 1,
            Self::Soin => nombre == attendus || nombre == SOIN_COURT,
            Self::Geolocalisation if (attendus + 1..=12).contains(&nombre) => {
                let source = valeurs[4..nombre - 1].join(",");
                drop(valeurs.splice(4..nombre - 1, [Cow::Owned(source)]));
                true
            }
            Self::Ej | Self::Geolocalisation | Self::Equipement => nombre == attendus,
        }
    }
}

const EJ: &[&str] = &[
    "structureej",
    "nofiness",
    "rs",
    "rslongue",
    "complrs",
    "numvoie",
    "typvoie",
    "voie",
    "compvoie",
    "compldistrib",
    "lieuditbp",
    "commune",
    "ligneacheminement",
    "departement",
    "libdepartement",
    "telephone",
    "statutjuridique",
    "libstatutjuridique",
    "categetab",
    "libcategetab",
    "siren",
    "codeape",
    "datecrea",
];

/// The last one came in 2018.
pub(super) const ET: &[&str] = &[
    "structureet",
    "nofinesset",
    "nofinessej",
    "rs",
    "rslongue",
    "complrs",
    "compldistrib",
    "numvoie",
    "typvoie",
    "voie",
    "compvoie",
    "lieuditbp",
    "commune",
    "departement",
    "libdepartement",
    "ligneacheminement",
    "telephone",
    "telecopie",
    "categetab",
    "libcategetab",
    "categagretab",
    "libcategagretab",
    "siret",
    "codeape",
    "codemft",
    "libmft",
    "codesph",
    "libsph",
    "dateouv",
    "dateautor",
    "datemaj",
    "numuai",
];

const ET_COURTE: &[&str] = &["structureet", "nofinesset", "nofinessej", "rs"];

const GEOLOCALISATION: &[&str] =
    &["geolocalisation", "nofinesset", "coordxet", "coordyet", "sourcecoordet", "datemaj"];

pub(super) const EQUIPEMENT: &[&str] = &[
    "equipementsocial",
    "nofinesset",
    "de",
    "libde",
    "ta",
    "libta",
    "client",
    "libclient",
    "sourceinfo",
    "capinstot",
    "capinstm",
    "capinstf",
    "capinsthab",
    "ageminiinst",
    "agemaxiinst",
    "indsupinst",
    "datederinst",
    "datepremautor",
    "capautot",
    "capautm",
    "capautf",
    "capauthab",
    "ageminiaut",
    "agemaxiaut",
    "indsupaut",
    "dateautor",
    "datemajaut",
    "datemajinst",
];

/// Fields that every file has.
const SOIN_COURT: usize = 13;

pub(super) const SOIN: &[&str] = &[
    "activiteoffresoin",
    "nofinessej",
    "rsej",
    "activite",
    "libactivite",
    "modalite",
    "libmodalite",
    "forme",
    "libforme",
    "noautor",
    "dateautor",
    "nofinesset",
    "rset",
    "noligautor",
    "noligautoranc",
    "noautorarhgos",
    "noimplarhgos",
    "noancautact",
    "noancauteml",
    "sectpsy",
    "libsectpsy",
    "datemeo",
    "datefin",
    "datelimite",
    "indcaduc",
    "daterenouv",
    "indrenouv",
    "indsupact",
    "indsupsite",
    "datemajact",
    "datemajsite",
];
