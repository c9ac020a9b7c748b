//! The files: the columns each has, those that are read, those that are required.

use super::colonnes::Champ;

/// A column: what it is, its names over the editions, its label, whether the
/// file is refused without it.
type Description = (Champ, &'static [&'static str], &'static str, bool);

/// The columns of a file.
pub(super) struct Modele {
    champs: &'static [&'static [Description]],
    /// Known and never read, such as labels and contact data.
    ignorees: &'static [&'static [&'static str]],
}

impl Modele {
    /// What the column of this title (lower case, no accents, only [a-z0-9]) holds,
    /// when it is read.
    pub(super) fn champ(&self, titre: &str) -> Option<Champ> {
        self.descriptions().find(|(_, noms, ..)| noms.contains(&titre)).map(|(champ, ..)| *champ)
    }

    /// True for a column known and not read.
    pub(super) fn ignore(&self, titre: &str) -> bool {
        self.ignorees.iter().any(|noms| noms.contains(&titre))
    }

    /// The required columns, with their labels.
    pub(super) fn requis(&self) -> impl Iterator<Item = (Champ, &'static str)> {
        self.descriptions().filter(|(.., requise)| *requise).map(|(champ, _, titre, _)| (*champ, *titre))
    }

    fn descriptions(&self) -> impl Iterator<Item = &'static Description> {
        self.champs.iter().copied().flatten()
    }
}

/// `Personne_activite` in free access.
pub(super) const PERSONNE_ACTIVITE: Modele =
    Modele { champs: &[IDENTIFIANT, EXERCICE, SAVOIR_FAIRE, IDENTITE, ACTIVITE], ignorees: &[IGNOREES] };

/// `Personne_activite`, restricted extract: the columns about the person are not read.
pub(super) const RESTREINT: Modele = Modele {
    champs: &[IDENTIFIANT, EXERCICE, SAVOIR_FAIRE, IDENTITE, ACTIVITE],
    ignorees: &[IGNOREES, PERSONNELLES],
};

/// `SavoirFaire`.
pub(super) const SAVOIRS: Modele =
    Modele { champs: &[IDENTIFIANT, EXERCICE, SAVOIR_FAIRE], ignorees: &[NOMS, IGNOREES] };

/// `Dipl_AutExerc`.
pub(super) const DIPLOMES: Modele =
    Modele { champs: &[IDENTIFIANT, FORMATION], ignorees: &[NOMS, LIBELLES_FORMATION] };

const IDENTIFIANT: &[Description] = &[
    (Champ::TypeIdentifiant, &["typedidentifiantpp"], "Type d'identifiant PP", true),
    (Champ::Identifiant, &["identifiantpp"], "Identifiant PP", true),
    (Champ::IdNatPs, &["identificationnationalepp"], "Identification nationale PP", true),
];

const EXERCICE: &[Description] = &[
    (Champ::Profession, &["codeprofession"], "Code profession", true),
    (Champ::Categorie, &["codecategorieprofessionnelle"], "Code catégorie professionnelle", true),
];

const SAVOIR_FAIRE: &[Description] = &[
    (Champ::TypeSavoirFaire, &["codetypesavoirfaire"], "Code type savoir-faire", true),
    (Champ::SavoirFaire, &["codesavoirfaire"], "Code savoir-faire", true),
];

const IDENTITE: &[Description] = &[
    (Champ::CiviliteExercice, &["codecivilitedexercice"], "Code civilité d'exercice", true),
    (Champ::Civilite, &["codecivilite"], "Code civilité", true),
    (Champ::Nom, &["nomdexercice"], "Nom d'exercice", true),
    (Champ::Prenom, &["prenomdexercice"], "Prénom d'exercice", true),
];

const ACTIVITE: &[Description] = &[
    (Champ::Mode, &["codemodeexercice"], "Code mode exercice", true),
    (Champ::Siret, &["numerosiretsite"], "Numéro SIRET site", true),
    (Champ::FinessSite, &["numerofinesssite"], "Numéro FINESS site", true),
    (Champ::FinessEj, &["numerofinessetablissementjuridique"], "Numéro FINESS établissement juridique", true),
    (
        Champ::IdTechnique,
        &["identifianttechniquedelastructure"],
        "Identifiant technique de la structure",
        true,
    ),
    (Champ::Secteur, &["codesecteurdactivite"], "Code secteur d'activité", true),
    (Champ::Commune, &["codecommunecoordstructure"], "Code commune (coord. structure)", false),
    (
        Champ::Departement,
        &["codedepartementstructure", "codedepartementcoordstructure"],
        "Code Département (structure)",
        false,
    ),
    (Champ::Role, &["coderole", "codefonction"], "Code rôle", false),
    (Champ::Genre, &["codegenreactivite", "codegenredactivite"], "Code genre activité", false),
];

const FORMATION: &[Description] = &[
    (Champ::TypeDiplome, &["codetypediplomeobtenu"], "Code type diplôme obtenu", true),
    (Champ::Diplome, &["codediplomeobtenu"], "Code diplôme obtenu", true),
    (Champ::TypeAutorisation, &["codetypeautorisation"], "Code type autorisation", true),
    (Champ::Discipline, &["codedisciplineautorisation"], "Code discipline autorisation", true),
];

const NOMS: &[&str] = &["nomdexercice", "prenomdexercice"];

const LIBELLES_FORMATION: &[&str] = &[
    "libelletypediplomeobtenu",
    "libellediplomeobtenu",
    "libelletypeautorisation",
    "libelledisciplineautorisation",
];

/// Personal data of the restricted extract.
const PERSONNELLES: &[&str] = &[
    "nomdefamille",
    "prenoms",
    "datedenaissance",
    "codecommunedenaissance",
    "codepaysdenaissance",
    "lieudenaissance",
    "codesexe",
    "telephonecoordcorrespondance",
    "adresseemailcoordcorrespondance",
    "autresidentifiants",
];

const IGNOREES: &[&str] = &[
    "libellecivilitedexercice",
    "libellecivilite",
    "libelleprofession",
    "libellecategorieprofessionnelle",
    "libelletypesavoirfaire",
    "libellesavoirfaire",
    "libellemodeexercice",
    "numerosirensite",
    "raisonsocialesite",
    "enseignecommercialesite",
    "complementdestinatairecoordstructure",
    "complementpointgeographiquecoordstructure",
    "numerovoiecoordstructure",
    "indicerepetitionvoiecoordstructure",
    "codetypedevoiecoordstructure",
    "libelletypedevoiecoordstructure",
    "libellevoiecoordstructure",
    "mentiondistributioncoordstructure",
    "bureaucedexcoordstructure",
    "codepostalcoordstructure",
    "libellecommunecoordstructure",
    "codepayscoordstructure",
    "libellepayscoordstructure",
    "telephonecoordstructure",
    "telephone2coordstructure",
    "telecopiecoordstructure",
    "adresseemailcoordstructure",
    "libelledepartementstructure",
    "libelledepartementcoordstructure",
    "ancienidentifiantdelastructure",
    "autoritedenregistrement",
    "libellesecteurdactivite",
    "codesectiontableaupharmaciens",
    "libellesectiontableaupharmaciens",
    "libellerole",
    "libellefonction",
    "libellegenreactivite",
    "libellegenredactivite",
];
