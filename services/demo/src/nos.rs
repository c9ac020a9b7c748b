//! Names of the national code systems used by the generated resources.

/// Region OM.
pub const R30: &str = "TRE_R30-RegionOM";
/// Champ Activite.
pub const R227: &str = "TRE_R227-ChampActivite";
/// Activite Operationnelle.
pub const R211: &str = "TRE_R211-ActiviteOperationnelle";
/// Prestation Pilotage Serafin.
pub const R265: &str = "TRE_R265-PrestationPilotageSerafin";
/// Famille Activite Operationnelle Hors Serafin.
pub const R266: &str = "TRE_R266-FamilleActiviteOperationnelleHorsSerafin";
/// Mode Prise En Charge.
pub const R213: &str = "TRE_R213-ModePriseEnCharge";
/// Categorie Organisation.
pub const R244: &str = "TRE_R244-CategorieOrganisation";
/// Temporalite Accueil.
pub const R240: &str = "TRE_R240-TemporaliteAccueil";
/// Modalite Accueil.
pub const R338: &str = "TRE_R338-ModaliteAccueil";
/// Mode Gestion.
pub const R236: &str = "TRE_R236-ModeGestion";
/// Acte Specifique.
pub const R210: &str = "TRE_R210-ActeSpecifique";
/// Specialisation De Prise En Charge.
pub const R245: &str = "TRE_R245-SpecialisationDePriseEnCharge";
/// Profession Ressource.
pub const R356: &str = "TRE_R356-ProfessionRessource";
/// Competence Specifique.
pub const R243: &str = "TRE_R243-CompetenceSpecifique";
/// Type Maternite.
pub const R253: &str = "TRE_R253-TypeMaternite";
/// Niveau Expertise.
pub const R344: &str = "TRE_R344-NiveauExpertise";
/// Type Fermeture.
pub const R286: &str = "TRE_R286-TypeFermeture";
/// Public Pris En Charge.
pub const R239: &str = "TRE_R239-PublicPrisEnCharge";
/// Type Division Territoriale.
pub const R201: &str = "TRE_R201-TypeDivisionTerritoriale";
/// Commune OM.
pub const R13: &str = "TRE_R13-CommuneOM";
/// Type Horaire.
pub const R252: &str = "TRE_R252-TypeHoraire";
/// Fonction Contact.
pub const R251: &str = "TRE_R251-FonctionContact";
/// Nature Contact.
pub const R287: &str = "TRE_R287-NatureContact";
/// Niveau Confidentialite.
pub const R283: &str = "TRE_R283-NiveauConfidentialite";
/// Canal Communication.
pub const R200: &str = "TRE_R200-CanalCommunication";
/// Type Identifiant Offre.
pub const R355: &str = "TRE_R355-TypeIdentifiantOffre";
/// Type Identifiant Ressource Operationnelle.
pub const R354: &str = "TRE_R354-TypeIdentifiantRessourceOperationnelle";
/// Type Identifiant Autre.
pub const R345: &str = "TRE_R345-TypeIdentifiantAutre";
/// Type Identifiant Structure.
pub const G07: &str = "TRE_G07-TypeIdentifiantStructure";
/// Type Identifiant Personne.
pub const G08: &str = "TRE_G08-TypeIdentifiantPersonne";
/// Statut Lieu.
pub const R203: &str = "TRE_R203-StatutLieu";
/// Fonction Lieu.
pub const R343: &str = "TRE_R343-FonctionLieu";
/// Equipement.
pub const R212: &str = "TRE_R212-Equipement";
/// Type Caracteristique Equipement.
pub const R340: &str = "TRE_R340-TypeCaracteristiqueEquipement";
/// Type Habitation.
pub const R242: &str = "TRE_R242-TypeHabitation";
/// Nature Capacite.
pub const R329: &str = "TRE_R329-NatureCapacite";
/// Type Statut Capacite.
pub const R330: &str = "TRE_R330-TypeStatutCapacite";
/// Temporalite Capacite.
pub const R331: &str = "TRE_R331-TemporaliteCapacite";
/// Genre Capacite.
pub const R332: &str = "TRE_R332-GenreCapacite";
/// Type Fermeture Capacite.
pub const R333: &str = "TRE_R333-TypeFermetureCapacite";
/// Type Lit Supplementaire.
pub const R334: &str = "TRE_R334-TypeLitSupplementaire";
/// Type Source Capacite.
pub const R335: &str = "TRE_R335-TypeSourceCapacite";
/// Type Crise.
pub const R336: &str = "TRE_R336-TypeCrise";
/// Affectation Temporaire.
pub const R337: &str = "TRE_R337-AffectationTemporaire";
/// Type Organisation Interne.
pub const R207: &str = "TRE_R207-TypeOrganisationInterne";
/// Categorie Etablissement.
pub const R66: &str = "TRE_R66-CategorieEtablissement";
/// Aide Financiere.
pub const R241: &str = "TRE_R241-AideFinanciere";
/// Accessibilite Lieu.
pub const R202: &str = "TRE_R202-AccessibiliteLieu";
/// Niveau Recours ORSAN.
pub const R284: &str = "TRE_R284-NiveauRecoursORSAN";
/// Type Tarif.
pub const R246: &str = "TRE_R246-TypeTarif";
/// Unite Prix.
pub const R228: &str = "TRE_R228-UnitePrix";
/// Groupe Tarifaire Dependance.
pub const R237: &str = "TRE_R237-GroupeTarifaireDependance";
/// Prestation Non Obligatoire Incluse.
pub const R264: &str = "TRE_R264-PrestationNonObligatoireIncluse";
/// Condition Tarifaire.
pub const R250: &str = "TRE_R250-ConditionTarifaire";
/// Mode Exercice.
pub const R23: &str = "TRE_R23-ModeExercice";
/// Profession Sante.
pub const G15: &str = "TRE_G15-ProfessionSante";
/// Type Savoir Faire.
pub const R04: &str = "TRE_R04-TypeSavoirFaire";
/// Specialite Ordinale.
pub const R38: &str = "TRE_R38-SpecialiteOrdinale";
/// CNAMAmeli Secteur Conventionnement.
pub const R282: &str = "TRE_R282-CNAMAmeliSecteurConventionnement";
/// Civilite.
pub const R81: &str = "TRE_R81-Civilite";
/// Ucum Unite Mesure.
pub const R247: &str = "TRE_R247-UcumUniteMesure";
/// Civilite Exercice.
pub const R11: &str = "TRE_R11-CiviliteExercice";

/// URL of a code system, e.g.
/// `https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM`.
pub fn systeme(nom: &str) -> String {
    let tiret = nom.replacen('_', "-", 1);
    format!("https://mos.esante.gouv.fr/NOS/{nom}/FHIR/{tiret}")
}
