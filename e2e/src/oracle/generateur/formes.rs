//! The forms a parameter can be asked in.

use crate::oracle::{
    dates::Prefixe,
    parametres::{Genre, Parametre, Sorte, de_genre},
};

/// How a parameter is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forme {
    Valeur,
    Liste,
    /// `:not`.
    Non,
    /// `:missing`.
    Absent(bool),
    /// `:in`.
    Parmi,
    /// `:text`.
    Libelle,
    /// `:contains`.
    Contient,
    /// `:exact`.
    Exact,
    /// `:above` on a whole reference.
    Dessus,
    Prefixe(Prefixe),
}

/// A parameter in one form: what a query starts from.
#[derive(Clone, Copy, Debug)]
pub struct Amorce {
    pub parametre: &'static Parametre,
    pub forme: Forme,
}

/// Every parameter in every form.
pub fn amorces() -> Vec<Amorce> {
    let tous = Genre::TOUS.into_iter().flat_map(de_genre);
    tous.flat_map(|parametre| formes(parametre).into_iter().map(move |forme| Amorce { parametre, forme }))
        .collect()
}

/// The forms of a parameter.
pub fn formes(p: &'static Parametre) -> Vec<Forme> {
    let mut formes = match p.sorte {
        Sorte::Proche | Sorte::Commune => vec![Forme::Valeur, Forme::Liste],
        Sorte::Jeton if p.nomenclature() => {
            vec![Forme::Valeur, Forme::Liste, Forme::Non, Forme::Parmi, Forme::Libelle]
        }
        Sorte::Id | Sorte::Jeton | Sorte::Identifiant => vec![Forme::Valeur, Forme::Liste, Forme::Non],
        Sorte::Texte => vec![Forme::Valeur, Forme::Liste, Forme::Contient, Forme::Exact],
        Sorte::Date | Sorte::Nombre | Sorte::Quantite => {
            let prefixes = Prefixe::TOUS.into_iter().map(Forme::Prefixe);
            prefixes.chain([Forme::Liste]).collect()
        }
        Sorte::Reference => {
            let monte = p.relation().is_some_and(|r| r.cible == Genre::Organization);
            let dessus = monte.then_some(Forme::Dessus);
            [Forme::Valeur, Forme::Liste].into_iter().chain(dessus).collect()
        }
    };
    if p.absence() {
        formes.extend([Forme::Absent(true), Forme::Absent(false)]);
    }
    formes
}

/// Value sets a parameter is bound to, by the beginning of their names.
pub fn jeux(nom: &str) -> &'static [&'static str] {
    match nom {
        "_tag" => &["J237"],
        "type" => &["J55", "J198", "J199", "J200", "J203"],
        "closing-type" => &["J201"],
        "price-type" => &["J36"],
        "price-unit" => &["J205"],
        "price-residential-type" | "residential-type" => &["J32"],
        "price-dependency-level" => &["J27"],
        "price-welcome-type" => &["J30"],
        "special-price" => &["J39"],
        "service-category" => &["J238"],
        "service-type" => &["J20"],
        "specialty" => &["J17", "J33", "J51", "J209", "J210", "J211", "J212", "J213", "J214", "J232"],
        "characteristic" => {
            &["J16", "J19", "J26", "J28", "J30", "J33", "J35", "J185", "J186", "J226", "J227"]
        }
        "intervention-zone" | "commune-cog" => &["J124", "J237", "J247", "J248"],
        "patient-type" => &["J29"],
        "operational-status" => &["J224"],
        "capacity-type" => &["J187"],
        "capacity-status" => &["J188"],
        "temporality-capacity" => &["J189"],
        "gender-capacity-available" => &["J190"],
        "capacity-closing-type" => &["J191"],
        "additional-bed-type" => &["J192"],
        "crisis-type" => &["J194"],
        "temporary-assignement" => &["J195"],
        "equipment-type" => &["J18"],
        "equipment-feature" => &["J228"],
        "role" => &["J229"],
        _ => &[],
    }
}

/// Canonicals of those value sets.
pub const CANONIQUES: &[&str] = &[
    "J16-ActeSpecifique-ROR",
    "J17-ActiviteOperationnelle-ROR",
    "J18-EquipementSpecifique-ROR",
    "J19-ModePriseEnCharge-ROR",
    "J20-ChampActivite-ROR",
    "J26-ModeGestion-ROR",
    "J27-GroupeTarifaireDependance-ROR",
    "J28-OuvertureAnnuelle-ROR",
    "J29-PublicPrisEnCharge-ROR",
    "J30-TemporaliteAccueil-ROR",
    "J32-TypeHabitation-ROR",
    "J33-CompetenceSpecifique-ROR",
    "J35-SpecialisationDePriseEnCharge-ROR",
    "J36-TypeTarif-ROR",
    "J39-ConditionTarifaire-ROR",
    "J51-FamilleActiviteOperationnelle-ROR",
    "J55-CategorieEG-ROR",
    "J124-Commune",
    "J185-TypeFermeture-ROR",
    "J186-ProfessionRessource-ROR",
    "J187-NatureCapacite-ROR",
    "J188-TypeStatutCapacite-ROR",
    "J189-TemporaliteCapacite-ROR",
    "J190-GenreCapacite-ROR",
    "J191-TypeFermetureCapacite-ROR",
    "J192-TypeLitSupplementaire-ROR",
    "J194-TypeCrise-ROR",
    "J195-AffectationTemporaire-ROR",
    "J198-FonctionLieu-ROR",
    "J199-StatutJuridique-ROR",
    "J200-SousEnsembleAgregatStatutJuridique-ROR",
    "J201-TypeFermeture-ROR",
    "J203-TypeOrganisationInterne-ROR",
    "J205-UnitePrix-ROR",
    "J209-TypeSavoirFaire-ROR",
    "J210-SpecialiteOrdinale-ROR",
    "J211-CompetenceExclusive-ROR",
    "J212-OrientationParticuliere-ROR",
    "J213-CapaciteSavoirFaire-ROR",
    "J214-QualificationPAC-ROR",
    "J224-StatutLieu-ROR",
    "J226-ModaliteAccueil-ROR",
    "J227-NiveauExpertise-ROR",
    "J228-TypeCaracteristiqueEquipement-ROR",
    "J229-ProfessionSante-ROR",
    "J232-Competence-ROR",
    "J237-RegionOM-ROR",
    "J238-TypeOffre-ROR",
    "J247-Pays-ROR",
    "J248-DepartementOM-ROR",
];
