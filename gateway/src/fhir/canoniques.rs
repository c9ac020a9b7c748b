//! Canonical URLs of the ROR implementation guide, with its odd spellings.
//!
//! A canonical is an opaque string: none is derived from a code or from another canonical.

macro_rules! ror {
    ($id:literal) => {
        concat!("https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/", $id)
    };
}

macro_rules! tre {
    ($nom:literal) => {
        concat!("https://mos.esante.gouv.fr/NOS/TRE_", $nom, "/FHIR/TRE-", $nom)
    };
}

mod publies;

pub use publies::systeme_publie;

/// Profile of EJ, EG and OI.
pub const PROFIL_ORGANIZATION: &str = ror!("ror-organization");
/// Profile of the offer.
pub const PROFIL_HEALTHCARE_SERVICE: &str = ror!("ror-healthcareservice");
/// Profile of the place.
pub const PROFIL_LOCATION: &str = ror!("ror-location");
/// Profile of the professional.
pub const PROFIL_PRACTITIONER: &str = ror!("ror-practitioner");
/// Profile of the situation opérationnelle.
pub const PROFIL_PRACTITIONER_ROLE: &str = ror!("ror-practitionerrole");
/// Profile of the anomaly.
pub const PROFIL_TASK: &str = ror!("ror-task");
/// Profile of the entry template.
pub const PROFIL_QUESTIONNAIRE: &str = ror!("ror-questionnaire-healthcareservice");
/// Creation date in the source.
pub const EXT_META_CREATION: &str = ror!("ror-meta-creation-date");
/// Entry template used.
pub const EXT_META_MODELE: &str = ror!("ror-meta-questionnaire-used-as-a-template");
/// Comment of the metadata.
pub const EXT_META_COMMENTAIRE: &str = ror!("ror-meta-comment");
/// Tells acteSpecifique from acteRealiseHorsCabinet.
pub const EXT_ACTE_TYPE: &str = ror!("ror-act-type");
/// Kind of slot.
pub const EXT_HORAIRE_TYPE: &str = ror!("ror-available-time-type-of-time");
/// Exceptional period of a slot.
pub const EXT_HORAIRE_PERIODE: &str = ror!("ror-available-time-effective-opening-closing-date");
/// Day number, 1 Monday to 7.
pub const EXT_HORAIRE_JOUR: &str = ror!("ror-available-time-number-days-of-week");
/// Comment of a place.
pub const EXT_LIEU_COMMENTAIRE: &str = ror!("ror-comment");
/// Commune of a place.
pub const EXT_COMMUNE_COG: &str = ror!("ror-commune-cog");
/// Reliability, inside the geolocation of an address.
pub const EXT_GEO_FIABLE_ADRESSE: &str = ror!("ror-confidence-geolocation");
/// Reliability, on Location.position.
pub const EXT_GEO_FIABLE_LIEU: &str = ror!("ror-coordinate-reliability");
/// Level of a contact of an offer.
pub const EXT_CONTACT_NIVEAU_OFFRE: &str = ror!("ror-confidentiality-level");
/// Level of a contact of a structure.
pub const EXT_CONTACT_NIVEAU: &str = ror!("ror-contact-confidentiality-level");
/// Description of a contact of a structure.
pub const EXT_CONTACT_DESCRIPTION: &str = ror!("ror-contact-description");
/// Function of a contact.
pub const EXT_CONTACT_FONCTION: &str = ror!("ror-contact-function-contact");
/// Contact of an offer.
pub const EXT_OFFRE_CONTACT: &str = ror!("ror-healthcareservice-contact");
/// Telecommunication of a contact of an offer.
pub const EXT_OFFRE_CONTACT_TELECOM: &str = ror!("ror-healthcareservice-contact-telecom");
/// Care without consent.
pub const EXT_OFFRE_SANS_CONSENTEMENT: &str = ror!("ror-healthcareservice-no-consent-habilitation");
/// Persons served.
pub const EXT_OFFRE_PATIENTELE: &str = ror!("ror-healthcareservice-patient-type");
/// Psychiatric sector.
pub const EXT_OFFRE_SECTEUR_PSY: &str = ror!("ror-healthcareservice-psychiatric-sector");
/// uniteSensible.
pub const EXT_OFFRE_SENSIBLE: &str = ror!("ror-healthcareservice-sensitive-unit");
/// Equipment of a place.
pub const EXT_EQUIPEMENT: &str = ror!("ror-location-equipment");
/// Limit of an equipment, nested.
pub const EXT_EQUIPEMENT_LIMITE: &str = ror!("ror-location-equipment-limit");
/// Housing of a place.
pub const EXT_HABITATION: &str = ror!("ror-location-residential-capacity");
/// Capacity record of a place.
pub const EXT_CAPACITE: &str = ror!("ror-location-supported-capacity");
/// accessibiliteLieu.
pub const EXT_ORG_ACCESSIBILITE: &str = ror!("ror-organization-accessibility-location");
/// hebergementFamille (published with one m).
pub const EXT_ORG_HEBERGEMENT_FAMILLE: &str = ror!("ror-organization-accomodation-family");
/// Complement of the name, on Organization.name.
pub const EXT_ORG_NOM_COMPLEMENT: &str = ror!("ror-organization-additional-name");
/// typeFermeture.
pub const EXT_ORG_TYPE_FERMETURE: &str = ror!("ror-organization-closing-type");
/// commentaire of a site.
pub const EXT_ORG_COMMENTAIRE: &str = ror!("ror-organization-comment");
/// dateCreation of a legal entity.
pub const EXT_ORG_DATE_CREATION: &str = ror!("ror-organization-creation-date");
/// zonePoser.
pub const EXT_ORG_ZONE_POSER: &str = ror!("ror-organization-drop-zone");
/// aideFinanciere.
pub const EXT_ORG_AIDE_FINANCIERE: &str = ror!("ror-organization-financial-help-type");
/// niveauRecoursORSAN (published with recours).
pub const EXT_ORG_ORSAN: &str = ror!("ror-organization-level-recours-orsan");
/// nbPlaceAideSocialPermanent.
pub const EXT_ORG_PLACES_PERMANENTES: &str = ror!("ror-organization-nb-permanent-social-help-place");
/// nbPlaceAideSocialTemporaire.
pub const EXT_ORG_PLACES_TEMPORAIRES: &str = ror!("ror-organization-nb-temporary-social-help-place");
/// Tarif.
pub const EXT_ORG_TARIF: &str = ror!("ror-organization-price");
/// datePrevisionnelleReouverture of an OI.
pub const EXT_ORG_REOUVERTURE: &str = ror!("ror-organization-reopening-date");
/// Name of exercice.
pub const EXT_ROLE_NOM: &str = ror!("ror-practitionerrole-name");
/// modeExerciceOffre.
pub const EXT_ROLE_MODE_EXERCICE: &str = ror!("ror-practitionerrole-unit-exercise-mode");
/// canal.
pub const EXT_TELECOM_CANAL: &str = ror!("ror-telecom-communication-channel");
/// niveauConfidentialite of a telecommunication.
pub const EXT_TELECOM_NIVEAU: &str = ror!("ror-telecom-confidentiality-level");
/// utilisation.
pub const EXT_TELECOM_UTILISATION: &str = ror!("ror-telecom-usage");
/// DivisionTerritoriale.
pub const EXT_DIVISION: &str = ror!("ror-territorial-division");
/// Position of an address.
pub const EXT_GEOLOCATION: &str = "http://hl7.org/fhir/StructureDefinition/geolocation";
/// Opening and closing dates of a structure.
pub const EXT_PERIODE: &str = "http://hl7.org/fhir/StructureDefinition/organization-period";
/// Distance of a search entry.
pub const EXT_DISTANCE: &str = "http://hl7.org/fhir/StructureDefinition/location-distance";
/// INSEE code of an address.
pub const EXT_INSEE: &str = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code";
/// Older canonical of the INSEE code, read only.
pub const EXT_INSEE_ANCIEN: &str = "http://interopsante.org/fhir/StructureDefinition/FrAddressInseeCode";
/// lieuDit of an address line.
pub const EXT_LIEU_DIT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-lieu-dit";
/// secteurConventionnement.
pub const EXT_ROLE_SECTEUR: &str =
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-contracted";
/// optionContratAccesAuxSoins.
pub const EXT_ROLE_CAS: &str =
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-hasCAS";
/// carteVitaleAcceptee.
pub const EXT_ROLE_VITALE: &str =
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-vitaleAccepted";
/// Newer spelling of the former, read only.
pub const EXT_ROLE_SECTEUR_AS: &str =
    "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-practitionerrole-contracted";
/// Newer spelling, read only.
pub const EXT_ROLE_CAS_AS: &str =
    "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-practitionerrole-hascas";
/// Newer spelling, read only.
pub const EXT_ROLE_VITALE_AS: &str = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-practitionerrole-vitale-accepted";
/// Codes specificAct and outsideOfficeAct.
pub const SYS_ACTE_TYPE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/act-type-ror-codesystem";
/// idNatStruct.
pub const SYS_ID_NAT_STRUCT: &str = "urn:oid:1.2.250.1.71.4.2.2";
/// idNat_PS.
pub const SYS_ID_NAT_PS: &str = "urn:oid:1.2.250.1.71.4.2.1";
/// FINESS.
pub const SYS_FINESS: &str = "https://finess.esante.gouv.fr";
/// SIREN and SIRET.
pub const SYS_SIRENE: &str = "https://sirene.fr";
/// RPPS-rang.
pub const SYS_RPPS_RANG: &str = "https://rppsrang.esante.gouv.fr";
/// ADELI-rang.
pub const SYS_ADELI_RANG: &str = "https://adelirang.esante.gouv.fr";
/// identifiantOI.
pub const SYS_OI: &str = "https://oi.esante.gouv.fr";
/// UCUM; read as TRE_R247.
pub const SYS_UCUM: &str = "http://unitsofmeasure.org";
/// UCUM as the published filters write it.
pub const SYS_UCUM_HTTPS: &str = "https://unitsofmeasure.org";
/// pointRemise of an address line.
pub const EXT_ADXP_CARE_OF: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-careOf";
/// complementPointGeographique of an address line.
pub const EXT_ADXP_ADDITIONAL_LOCATOR: &str =
    "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-additionalLocator";
/// numeroVoie of an address line.
pub const EXT_ADXP_HOUSE_NUMBER: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-houseNumber";
/// extension of an address line.
pub const EXT_ADXP_BUILDING_NUMBER_SUFFIX: &str =
    "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-buildingNumberSuffix";
/// typeVoie of an address line.
pub const EXT_ADXP_STREET_NAME_TYPE: &str =
    "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-streetNameType";
/// libelleVoie of an address line.
pub const EXT_ADXP_STREET_NAME_BASE: &str =
    "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-streetNameBase";
/// mentionDistribution of an address line.
pub const EXT_ADXP_POST_BOX: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-postBox";
/// Code system TRE_G07-TypeIdentifiantStructure.
pub const TRE_G07: &str = tre!("G07-TypeIdentifiantStructure");
/// Code system TRE_G08-TypeIdentifiantPersonne.
pub const TRE_G08: &str = tre!("G08-TypeIdentifiantPersonne");
/// Code system TRE_G13-OrientationParticuliere.
pub const TRE_G13: &str = tre!("G13-OrientationParticuliere");
/// Code system TRE_G15-ProfessionSante.
pub const TRE_G15: &str = tre!("G15-ProfessionSante");
/// Code system TRE_G16-ProfessionFormation.
pub const TRE_G16: &str = tre!("G16-ProfessionFormation");
/// Code system TRE_R02-SecteurActivite.
pub const TRE_R02: &str = tre!("R02-SecteurActivite");
/// Code system TRE_R04-TypeSavoirFaire.
pub const TRE_R04: &str = tre!("R04-TypeSavoirFaire");
/// Code system TRE_R11-CiviliteExercice.
pub const TRE_R11: &str = tre!("R11-CiviliteExercice");
/// Older name of TRE_R13-CommuneOM, read only.
pub const TRE_R13_COMMUNE: &str = tre!("R13-Commune");
/// Code system TRE_R13-CommuneOM.
pub const TRE_R13: &str = tre!("R13-CommuneOM");
/// Code system TRE_R23-ModeExercice.
pub const TRE_R23: &str = tre!("R23-ModeExercice");
/// Code system TRE_R30-RegionOM.
pub const TRE_R30: &str = tre!("R30-RegionOM");
/// Code system TRE_R35-TypeVoie.
pub const TRE_R35: &str = tre!("R35-TypeVoie");
/// Code system TRE_R38-SpecialiteOrdinale.
pub const TRE_R38: &str = tre!("R38-SpecialiteOrdinale");
/// Code system TRE_R39-Competence.
pub const TRE_R39: &str = tre!("R39-Competence");
/// Code system TRE_R40-CompetenceExclusive.
pub const TRE_R40: &str = tre!("R40-CompetenceExclusive");
/// Code system TRE_R42-DESCnonQualifiant.
pub const TRE_R42: &str = tre!("R42-DESCnonQualifiant");
/// Code system TRE_R43-CapaciteSavoirFaire.
pub const TRE_R43: &str = tre!("R43-CapaciteSavoirFaire");
/// Code system TRE_R44-QualificationPAC.
pub const TRE_R44: &str = tre!("R44-QualificationPAC");
/// Code system TRE_R66-CategorieEtablissement.
pub const TRE_R66: &str = tre!("R66-CategorieEtablissement");
/// Code system TRE_R67-TypeStructure-EJ-EG.
pub const TRE_R67: &str = tre!("R67-TypeStructure-EJ-EG");
/// Code system TRE_R69-FinessAgregatStatutJuridiqueNiv2.
pub const TRE_R69: &str = tre!("R69-FinessAgregatStatutJuridiqueNiv2");
/// Code system TRE_R72-FinessStatutJuridique.
pub const TRE_R72: &str = tre!("R72-FinessStatutJuridique");
/// Code system TRE_R73-ESPIC.
pub const TRE_R73: &str = tre!("R73-ESPIC");
/// Code system TRE_R81-Civilite.
pub const TRE_R81: &str = tre!("R81-Civilite");
/// Code system TRE_R85-RolePriseCharge.
pub const TRE_R85: &str = tre!("R85-RolePriseCharge");
/// Code system TRE_R94-ProfessionSocial.
pub const TRE_R94: &str = tre!("R94-ProfessionSocial");
/// Code system TRE_R95-UsagerTitre.
pub const TRE_R95: &str = tre!("R95-UsagerTitre");
/// Code system TRE_R96-AutreFonctionSanitaire.
pub const TRE_R96: &str = tre!("R96-AutreFonctionSanitaire");
/// Code system TRE_R97-DroitExerciceCompl.
pub const TRE_R97: &str = tre!("R97-DroitExerciceCompl");
/// Code system TRE_R200-CanalCommunication.
pub const TRE_R200: &str = tre!("R200-CanalCommunication");
/// Code system TRE_R201-TypeDivisionTerritoriale.
pub const TRE_R201: &str = tre!("R201-TypeDivisionTerritoriale");
/// Code system TRE_R207-TypeOrganisationInterne.
pub const TRE_R207: &str = tre!("R207-TypeOrganisationInterne");
/// Code system TRE_R210-ActeSpecifique.
pub const TRE_R210: &str = tre!("R210-ActeSpecifique");
/// Code system TRE_R211-ActiviteOperationnelle.
pub const TRE_R211: &str = tre!("R211-ActiviteOperationnelle");
/// Code system TRE_R213-ModePriseEnCharge.
pub const TRE_R213: &str = tre!("R213-ModePriseEnCharge");
/// Code system TRE_R227-ChampActivite.
pub const TRE_R227: &str = tre!("R227-ChampActivite");
/// Code system TRE_R236-ModeGestion.
pub const TRE_R236: &str = tre!("R236-ModeGestion");
/// Code system TRE_R238-OuvertureAnnuelle.
pub const TRE_R238: &str = tre!("R238-OuvertureAnnuelle");
/// Code system TRE_R240-TemporaliteAccueil.
pub const TRE_R240: &str = tre!("R240-TemporaliteAccueil");
/// Code system TRE_R243-CompetenceSpecifique.
pub const TRE_R243: &str = tre!("R243-CompetenceSpecifique");
/// Code system TRE_R244-CategorieOrganisation.
pub const TRE_R244: &str = tre!("R244-CategorieOrganisation");
/// Code system TRE_R245-SpecialisationDePriseEnCharge.
pub const TRE_R245: &str = tre!("R245-SpecialisationDePriseEnCharge");
/// Code system TRE_R247-UcumUniteMesure.
pub const TRE_R247: &str = tre!("R247-UcumUniteMesure");
/// Code system TRE_R253-TypeMaternite.
pub const TRE_R253: &str = tre!("R253-TypeMaternite");
/// Code system TRE_R265-PrestationPilotageSerafin.
pub const TRE_R265: &str = tre!("R265-PrestationPilotageSerafin");
/// Code system TRE_R266-FamilleActiviteOperationnelleHorsSerafin.
pub const TRE_R266: &str = tre!("R266-FamilleActiviteOperationnelleHorsSerafin");
/// Code system TRE_R283-NiveauConfidentialite.
pub const TRE_R283: &str = tre!("R283-NiveauConfidentialite");
/// Code system TRE_R286-TypeFermeture.
pub const TRE_R286: &str = tre!("R286-TypeFermeture");
/// Code system TRE_R316-AutreCategorieEtablissement.
pub const TRE_R316: &str = tre!("R316-AutreCategorieEtablissement");
/// Code system TRE_R329-NatureCapacite.
pub const TRE_R329: &str = tre!("R329-NatureCapacite");
/// Code system TRE_R330-TypeStatutCapacite.
pub const TRE_R330: &str = tre!("R330-TypeStatutCapacite");
/// Code system TRE_R331-TemporaliteCapacite.
pub const TRE_R331: &str = tre!("R331-TemporaliteCapacite");
/// Code system TRE_R332-GenreCapacite.
pub const TRE_R332: &str = tre!("R332-GenreCapacite");
/// Code system TRE_R333-TypeFermetureCapacite.
pub const TRE_R333: &str = tre!("R333-TypeFermetureCapacite");
/// Code system TRE_R334-TypeLitSupplementaire.
pub const TRE_R334: &str = tre!("R334-TypeLitSupplementaire");
/// Code system TRE_R335-TypeSourceCapacite.
pub const TRE_R335: &str = tre!("R335-TypeSourceCapacite");
/// Code system TRE_R336-TypeCrise.
pub const TRE_R336: &str = tre!("R336-TypeCrise");
/// Code system TRE_R337-AffectationTemporaire.
pub const TRE_R337: &str = tre!("R337-AffectationTemporaire");
/// Code system TRE_R338-ModaliteAccueil.
pub const TRE_R338: &str = tre!("R338-ModaliteAccueil");
/// Code system TRE_R344-NiveauExpertise.
pub const TRE_R344: &str = tre!("R344-NiveauExpertise");
/// Code system TRE_R345-TypeIdentifiantAutre.
pub const TRE_R345: &str = tre!("R345-TypeIdentifiantAutre");
/// Name some tables give to TRE_R356, read only.
pub const TRE_R350: &str = tre!("R350-ProfessionRessource");
/// Code system TRE_R354-TypeIdentifiantRessourceOperationnelle.
pub const TRE_R354: &str = tre!("R354-TypeIdentifiantRessourceOperationnelle");
/// Code system TRE_R355-TypeIdentifiantOffre.
pub const TRE_R355: &str = tre!("R355-TypeIdentifiantOffre");
/// Code system TRE_R356-ProfessionRessource.
pub const TRE_R356: &str = tre!("R356-ProfessionRessource");
/// TRE_R345 as one published page spells it, read only.
pub const TRE_R345_BIS: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R345-TypeIdentifiantAutre/FHIR/TRE_R345-TypeIdentifiantAutre";

/// Canonical under which a code system is stored, whatever accepted spelling was sent.
#[must_use]
pub fn systeme_retenu(systeme: &str) -> &str {
    match systeme {
        TRE_R13_COMMUNE => TRE_R13,
        TRE_R345_BIS => TRE_R345,
        TRE_R350 => TRE_R356,
        SYS_UCUM | SYS_UCUM_HTTPS => TRE_R247,
        autre => autre,
    }
}

/// Whether two identifier systems are the same but for `http` or `https`.
#[must_use]
pub fn meme_systeme(a: &str, b: &str) -> bool {
    let nu = |s: &str| -> String {
        s.strip_prefix("https://")
            .or_else(|| s.strip_prefix("http://"))
            .unwrap_or(s)
            .trim_end_matches('/')
            .to_owned()
    };
    a == b || nu(a) == nu(b)
}

/// Every code system of resources.
pub const SYSTEMES: &[&str] = &[
    TRE_G07,
    TRE_G08,
    TRE_G13,
    TRE_G15,
    TRE_G16,
    TRE_R02,
    TRE_R04,
    TRE_R11,
    TRE_R13_COMMUNE,
    TRE_R13,
    TRE_R23,
    TRE_R30,
    TRE_R35,
    TRE_R38,
    TRE_R39,
    TRE_R40,
    TRE_R42,
    TRE_R43,
    TRE_R44,
    TRE_R66,
    TRE_R67,
    TRE_R69,
    TRE_R72,
    TRE_R73,
    TRE_R81,
    TRE_R85,
    TRE_R94,
    TRE_R95,
    TRE_R96,
    TRE_R97,
    TRE_R200,
    TRE_R201,
    TRE_R207,
    TRE_R210,
    TRE_R211,
    TRE_R213,
    TRE_R227,
    TRE_R236,
    TRE_R238,
    TRE_R240,
    TRE_R243,
    TRE_R244,
    TRE_R245,
    TRE_R247,
    TRE_R253,
    TRE_R265,
    TRE_R266,
    TRE_R283,
    TRE_R286,
    TRE_R316,
    TRE_R329,
    TRE_R330,
    TRE_R331,
    TRE_R332,
    TRE_R333,
    TRE_R334,
    TRE_R335,
    TRE_R336,
    TRE_R337,
    TRE_R338,
    TRE_R344,
    TRE_R345,
    TRE_R350,
    TRE_R354,
    TRE_R355,
    TRE_R356,
    TRE_R345_BIS,
];

/// Extensions that come back in most resources.
pub const EXTENSIONS: &[&str] = &[
    EXT_META_CREATION,
    EXT_META_MODELE,
    EXT_ACTE_TYPE,
    EXT_HORAIRE_TYPE,
    EXT_HORAIRE_PERIODE,
    EXT_HORAIRE_JOUR,
    EXT_COMMUNE_COG,
    EXT_GEO_FIABLE_ADRESSE,
    EXT_GEO_FIABLE_LIEU,
    EXT_CONTACT_NIVEAU_OFFRE,
    EXT_CONTACT_NIVEAU,
    EXT_CONTACT_DESCRIPTION,
    EXT_CONTACT_FONCTION,
    EXT_OFFRE_CONTACT,
    EXT_OFFRE_CONTACT_TELECOM,
    EXT_OFFRE_SANS_CONSENTEMENT,
    EXT_OFFRE_PATIENTELE,
    EXT_OFFRE_SECTEUR_PSY,
    EXT_OFFRE_SENSIBLE,
    EXT_EQUIPEMENT,
    EXT_EQUIPEMENT_LIMITE,
    EXT_HABITATION,
    EXT_CAPACITE,
    EXT_ORG_ACCESSIBILITE,
    EXT_ORG_NOM_COMPLEMENT,
    EXT_ORG_TYPE_FERMETURE,
    EXT_ORG_DATE_CREATION,
    EXT_ORG_TARIF,
    EXT_ROLE_NOM,
    EXT_ROLE_MODE_EXERCICE,
    EXT_TELECOM_CANAL,
    EXT_TELECOM_NIVEAU,
    EXT_TELECOM_UTILISATION,
    EXT_DIVISION,
    EXT_GEOLOCATION,
    EXT_PERIODE,
    EXT_INSEE,
    EXT_LIEU_DIT,
    EXT_ROLE_SECTEUR,
    EXT_ROLE_CAS,
    EXT_ROLE_VITALE,
];
