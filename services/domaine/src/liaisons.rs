//! Bindings: the value set (JDV) of each coded element, and the code systems the
//! rules name. A canonical is an opaque string; these are the published ones.

/// A value set an element is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liaison {
    /// Canonical of the value set.
    pub canonique: &'static str,
    /// Short name for people.
    pub nom: &'static str,
}

macro_rules! jdv {
    ($($(#[$doc:meta])* $const:ident = $numero:literal $suite:literal;)*) => {$(
        $(#[$doc])*
        pub const $const: Liaison = Liaison {
            canonique: concat!("https://mos.esante.gouv.fr/NOS/JDV_", $numero, $suite, "/FHIR/JDV-", $numero, $suite),
            nom: concat!("JDV_", $numero, $suite),
        };
    )*};
}
macro_rules! tre {
    ($($(#[$doc:meta])* $const:ident = $nom:literal;)*) => {$(
        $(#[$doc])*
        pub const $const: &str = concat!("https://mos.esante.gouv.fr/NOS/TRE_", $nom, "/FHIR/TRE-", $nom);
    )*};
}

jdv! {
    /// acteSpecifique, acteRealiseHorsCabinet.
    ACTE_SPECIFIQUE = "J16" "-ActeSpecifique-ROR";
    /// activiteOperationnelle.
    ACTIVITE_OPERATIONNELLE = "J17" "-ActiviteOperationnelle-ROR";
    /// typeEquipement.
    EQUIPEMENT = "J18" "-EquipementSpecifique-ROR";
    /// modePriseEnCharge.
    MODE_PRISE_EN_CHARGE = "J19" "-ModePriseEnCharge-ROR";
    /// champActivite.
    CHAMP_ACTIVITE = "J20" "-ChampActivite-ROR";
    /// modeGestion.
    MODE_GESTION = "J26" "-ModeGestion-ROR";
    /// groupeTarifaireDependance.
    GROUPE_DEPENDANCE = "J27" "-GroupeTarifaireDependance-ROR";
    /// ouvertureAnnuelle.
    OUVERTURE_ANNUELLE = "J28" "-OuvertureAnnuelle-ROR";
    /// publicPrisEnCharge.
    PUBLIC = "J29" "-PublicPrisEnCharge-ROR";
    /// temporaliteAccueil.
    TEMPORALITE_ACCUEIL = "J30" "-TemporaliteAccueil-ROR";
    /// aideFinanciere.
    AIDE_FINANCIERE = "J31" "-AideFinanciere-ROR";
    /// typeHabitation.
    TYPE_HABITATION = "J32" "-TypeHabitation-ROR";
    /// competenceSpecifique.
    COMPETENCE_SPECIFIQUE = "J33" "-CompetenceSpecifique-ROR";
    /// specialisationPriseEnCharge.
    SPECIALISATION = "J35" "-SpecialisationDePriseEnCharge-ROR";
    /// typeTarif.
    TYPE_TARIF = "J36" "-TypeTarif-ROR";
    /// Unit of age bounds.
    UNITE_TEMPS = "J37" "-UcumUniteTemps";
    /// conditionTarifaire.
    CONDITION_TARIFAIRE = "J39" "-ConditionTarifaire-ROR";
    /// typePlageHoraire.
    TYPE_HORAIRE = "J41" "-TypeHoraire-ROR";
    /// accessibiliteLieu.
    ACCESSIBILITE = "J50" "-AccessibiliteLieu-ROR";
    /// familleActiviteOperationnelle.
    FAMILLE_ACTIVITE = "J51" "-FamilleActiviteOperationnelle-ROR";
    /// categorieEG.
    CATEGORIE_EG = "J55" "-CategorieEG-ROR";
    /// communeCog.
    COMMUNE = "J124" "-Commune";
    /// typeFermeture of an offer.
    FERMETURE_OFFRE = "J185" "-TypeFermeture-ROR";
    /// professionRessource.
    PROFESSION_RESSOURCE = "J186" "-ProfessionRessource-ROR";
    /// natureCapacite.
    NATURE_CAPACITE = "J187" "-NatureCapacite-ROR";
    /// statutCapacite.
    STATUT_CAPACITE = "J188" "-TypeStatutCapacite-ROR";
    /// temporaliteCapacite.
    TEMPORALITE_CAPACITE = "J189" "-TemporaliteCapacite-ROR";
    /// genreCapaciteDispo.
    GENRE_CAPACITE = "J190" "-GenreCapacite-ROR";
    /// typeFermetureCapacite.
    FERMETURE_CAPACITE = "J191" "-TypeFermetureCapacite-ROR";
    /// typeLitSupplementaire.
    LIT_SUPPLEMENTAIRE = "J192" "-TypeLitSupplementaire-ROR";
    /// typeSourceCapacite.
    SOURCE_CAPACITE = "J193" "-TypeSourceCapacite-ROR";
    /// typeCrise.
    TYPE_CRISE = "J194" "-TypeCrise-ROR";
    /// affectationTemporaire.
    AFFECTATION_TEMPORAIRE = "J195" "-AffectationTemporaire-ROR";
    /// fonctionLieu.
    FONCTION_LIEU = "J198" "-FonctionLieu-ROR";
    /// statutJuridique.
    STATUT_JURIDIQUE = "J199" "-StatutJuridique-ROR";
    /// sousEnsembleAgregatStatutJuridique.
    SOUS_ENSEMBLE_STATUT = "J200" "-SousEnsembleAgregatStatutJuridique-ROR";
    /// typeFermeture of a structure.
    FERMETURE_STRUCTURE = "J201" "-TypeFermeture-ROR";
    /// modaliteParticipationSPH.
    ESPIC = "J202" "-ESPIC-ROR";
    /// typeOI.
    TYPE_OI = "J203" "-TypeOrganisationInterne-ROR";
    /// niveauRecoursORSAN.
    NIVEAU_ORSAN = "J204" "-NiveauRecoursORSAN-ROR";
    /// unitePrix.
    UNITE_PRIX = "J205" "-UnitePrix-ROR";
    /// prestationsNonObligatoiresIncluses.
    PRESTATION_INCLUSE = "J206" "-PrestationNonObligatoireIncluse-ROR";
    /// civiliteExercice.
    CIVILITE_EXERCICE = "J208" "-CiviliteExercice-ROR";
    /// modeExerciceOffre.
    MODE_EXERCICE = "J217" "-ModeExercice-ROR";
    /// secteurConventionnement.
    SECTEUR_CONVENTIONNEMENT = "J218" "-CNAMAmeliSecteurConventionnement-ROR";
    /// fonctionContact.
    FONCTION_CONTACT = "J220" "-FonctionContact-ROR";
    /// natureContact.
    NATURE_CONTACT = "J221" "-NatureContact-ROR";
    /// niveauConfidentialite.
    NIVEAU_CONFIDENTIALITE = "J222" "-NiveauConfidentialite-ROR";
    /// Type of a territorial division.
    TYPE_DIVISION = "J223" "-TypeDivisionTerritoriale-ROR";
    /// statut of a place.
    STATUT_LIEU = "J224" "-StatutLieu-ROR";
    /// canal of a telecommunication.
    CANAL = "J225" "-CanalCommunication-ROR";
    /// modaliteAccueil.
    MODALITE_ACCUEIL = "J226" "-ModaliteAccueil-ROR";
    /// niveauExpertise.
    NIVEAU_EXPERTISE = "J227" "-NiveauExpertise-ROR";
    /// typeCaracteristique of an equipment limit.
    CARACTERISTIQUE_EQUIPEMENT = "J228" "-TypeCaracteristiqueEquipement-ROR";
    /// profession.
    PROFESSION_SANTE = "J229" "-ProfessionSante-ROR";
    /// Region.
    REGION = "J237" "-RegionOM-ROR";
    /// typeOffre.
    TYPE_OFFRE = "J238" "-TypeOffre-ROR";
}

tre! {
    /// Regions.
    TRE_REGION = "R30-RegionOM";
    /// Communes.
    TRE_COMMUNE = "R13-CommuneOM";
    /// Activities.
    TRE_ACTIVITE = "R211-ActiviteOperationnelle";
    /// Field of activity.
    TRE_CHAMP = "R227-ChampActivite";
    /// FINESS categories.
    TRE_CATEGORIE = "R66-CategorieEtablissement";
    /// Other categories (cabinets).
    TRE_SECTEUR = "R02-SecteurActivite";
    /// FINESS legal status.
    TRE_STATUT_JURIDIQUE = "R72-FinessStatutJuridique";
    /// Kinds of closure.
    TRE_FERMETURE = "R286-TypeFermeture";
    /// Communication channels.
    TRE_CANAL = "R200-CanalCommunication";
    /// Confidentiality levels.
    TRE_NIVEAU = "R283-NiveauConfidentialite";
    /// Kinds of internal organisation.
    TRE_TYPE_OI = "R207-TypeOrganisationInterne";
    /// Units (UCUM).
    TRE_UCUM = "R247-UcumUniteMesure";
    /// SPH participation.
    TRE_ESPIC = "R73-ESPIC";
    /// natureCapacite.
    TRE_NATURE_CAPACITE = "R329-NatureCapacite";
    /// statutCapacite.
    TRE_STATUT_CAPACITE = "R330-TypeStatutCapacite";
    /// temporaliteCapacite.
    TRE_TEMPORALITE_CAPACITE = "R331-TemporaliteCapacite";
    /// genreCapaciteDispo.
    TRE_GENRE_CAPACITE = "R332-GenreCapacite";
    /// typeFermetureCapacite.
    TRE_FERMETURE_CAPACITE = "R333-TypeFermetureCapacite";
    /// typeLitSupplementaire.
    TRE_LIT_SUPPLEMENTAIRE = "R334-TypeLitSupplementaire";
    /// typeSourceCapacite.
    TRE_SOURCE_CAPACITE = "R335-TypeSourceCapacite";
    /// typeCrise.
    TRE_TYPE_CRISE = "R336-TypeCrise";
    /// affectationTemporaire.
    TRE_AFFECTATION = "R337-AffectationTemporaire";
}

/// Savoir-faire may come from any of these value sets (J210 to J216, J232, J209).
pub const SAVOIR_FAIRE: [&str; 9] = [
    "https://mos.esante.gouv.fr/NOS/TRE_R04-TypeSavoirFaire/FHIR/TRE-R04-TypeSavoirFaire",
    "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale",
    "https://mos.esante.gouv.fr/NOS/TRE_R39-Competence/FHIR/TRE-R39-Competence",
    "https://mos.esante.gouv.fr/NOS/TRE_R40-CompetenceExclusive/FHIR/TRE-R40-CompetenceExclusive",
    "https://mos.esante.gouv.fr/NOS/TRE_G13-OrientationParticuliere/FHIR/TRE-G13-OrientationParticuliere",
    "https://mos.esante.gouv.fr/NOS/TRE_R43-CapaciteSavoirFaire/FHIR/TRE-R43-CapaciteSavoirFaire",
    "https://mos.esante.gouv.fr/NOS/TRE_R44-QualificationPAC/FHIR/TRE-R44-QualificationPAC",
    "https://mos.esante.gouv.fr/NOS/TRE_R42-DESCnonQualifiant/FHIR/TRE-R42-DESCnonQualifiant",
    "https://mos.esante.gouv.fr/NOS/TRE_R97-DroitExerciceCompl/FHIR/TRE-R97-DroitExerciceCompl",
];
