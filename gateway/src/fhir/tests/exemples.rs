//! Rich, invented samples of each kind, and the means to render them.

use ror_proto::capacity::v1::{CapaciteLieu, CleIndicateur, EnregistrementCapacite};
use ror_proto::common::v1::{
    Adresse, Code, Contact, DivisionTerritoriale, Horaire, Meta, Position, Quantite, Telecommunication,
};
use ror_proto::identity::v1::Professionnel;
use ror_proto::offers::v1::{
    Equipement, Habitation, LieuRealisation, Limite, OffreOperationnelle, SituationOperationnelle,
};
use ror_proto::structures::v1::{EntiteGeographique, EntiteJuridique, OrganisationInterne, Tarif};
use serde_json::Value;

use crate::fhir::canoniques as c;
use crate::fhir::lecture::Ressource;
use crate::fhir::politique::{Faits, POLITIQUE_TSV, Politique, politique_par_defaut};
use crate::fhir::rendu::{self, Libelles, Vue};
use crate::fhir::temps::lire_instant;

struct Repertoire;

impl Libelles for Repertoire {
    fn libelle(&self, systeme: &str, code: &str) -> Option<&str> {
        match (systeme, code) {
            (c::TRE_R30, "11") => Some("Île-de-France"),
            (c::TRE_R35, "R") => Some("rue"),
            _ => None,
        }
    }
}

pub fn politique() -> Politique {
    let regles = politique_par_defaut(POLITIQUE_TSV).expect("default policy reads");
    Politique::compiler(&regles).expect("default policy compiles")
}

/// Renders a sample for a profile and facts.
pub fn rendre(ressource: &Ressource, profil: u8, faits: Faits) -> Value {
    let politique = politique();
    let vue = Vue { politique: &politique, profil, faits, libelles: &Repertoire };
    let mut sortie = Vec::new();
    match ressource {
        Ressource::Ej(ej) => rendu::organization_ej(ej, &vue, &mut sortie),
        Ressource::Eg(eg) => rendu::organization_eg(eg, &vue, &mut sortie),
        Ressource::Oi(oi) => rendu::organization_oi(oi, &vue, &mut sortie),
        Ressource::Offre(offre) => rendu::healthcare_service(offre, &vue, &mut sortie),
        Ressource::Lieu(lieu, cap) => rendu::location(lieu, cap.as_ref(), &vue, &mut sortie),
        Ressource::Situation(role) => rendu::practitioner_role(role, &vue, &mut sortie),
        Ressource::Professionnel(ps) => rendu::practitioner(ps, &vue, &mut sortie),
    }
    serde_json::from_slice(&sortie).expect("rendered JSON is valid")
}

pub fn tous() -> Vec<Ressource> {
    vec![
        Ressource::Ej(ej()),
        Ressource::Eg(eg()),
        Ressource::Oi(oi()),
        Ressource::Offre(offre()),
        Ressource::Lieu(lieu(), Some(capacite())),
        Ressource::Situation(situation()),
        Ressource::Professionnel(professionnel()),
    ]
}

pub fn code(systeme: &str, code: &str) -> Code {
    Code { systeme: systeme.to_owned(), code: code.to_owned() }
}

fn un(systeme: &str, valeur: &str) -> Option<Code> {
    Some(code(systeme, valeur))
}

fn meta(id: &str, commentaire: &str, modele: &str) -> Option<Meta> {
    Some(Meta {
        id: id.to_owned(),
        region: "11".to_owned(),
        date_creation: lire_instant("2023-06-30T08:00:00.250Z"),
        commentaire: commentaire.to_owned(),
        modele_saisie: modele.to_owned(),
        ..Meta::default()
    })
}

fn telecom(canal: &str, adresse: &str, niveau: &str) -> Telecommunication {
    Telecommunication {
        canal: un(c::TRE_R200, canal),
        adresse: adresse.to_owned(),
        utilisation: "Accueil".to_owned(),
        niveau_confidentialite: un(c::TRE_R283, niveau),
    }
}

fn contacts() -> Vec<Contact> {
    let contact = |nom: &str, niveau: &str| Contact {
        nom: nom.to_owned(),
        fonction: un("https://exemple.fr/R251", "01"),
        nature: un("https://exemple.fr/R287", "06"),
        description: "Du lundi au vendredi".to_owned(),
        niveau_confidentialite: un(c::TRE_R283, niveau),
        telecommunications: vec![telecom("2", "0102030405", "1"), telecom("1", "0602", "3")],
    };
    vec![contact("Standard", "1"), contact("Direction", "2"), contact("Crise", "3")]
}

fn adresse() -> Option<Adresse> {
    Some(Adresse {
        numero_voie: "12".to_owned(),
        extension: "bis".to_owned(),
        type_voie: "R".to_owned(),
        libelle_voie: "des « Lilas »".to_owned(),
        lieu_dit: "Le Bourg".to_owned(),
        mention_distribution: "BP 3".to_owned(),
        code_postal: "75012".to_owned(),
        localite: "Paris".to_owned(),
        ..Adresse::default()
    })
}

fn position() -> Option<Position> {
    Some(Position { latitude: 48.8412, longitude: 2.3876, fiable: Some(true) })
}

fn horaires() -> Vec<Horaire> {
    vec![Horaire {
        r#type: un("https://exemple.fr/R252", "01"),
        jour_semaine: 1,
        heure_debut: "08:30:00".to_owned(),
        heure_fin: "18:00:00".to_owned(),
        debut_date_effective: "2026-01-01".to_owned(),
        fin_date_effective: "2026-12-31".to_owned(),
    }]
}

fn division(genre: &str, systeme: &str, valeur: &str) -> DivisionTerritoriale {
    DivisionTerritoriale { r#type: un(c::TRE_R201, genre), code: un(systeme, valeur) }
}

pub fn ej() -> EntiteJuridique {
    EntiteJuridique {
        meta: meta("ej-1", "note", "https://exemple.fr/q|1"),
        id_nat_struct: "1750000018".to_owned(),
        num_finess: "750000018".to_owned(),
        num_siren: "267500452".to_owned(),
        raison_sociale: "Hôpital d'essai".to_owned(),
        complement_raison_sociale: "Groupe Est".to_owned(),
        statut_juridique: un(c::TRE_R72, "13"),
        sous_ensemble_statut_juridique: un(c::TRE_R69, "1100"),
        date_creation: "1990-01-01".to_owned(),
        date_fermeture: "2030-12-31".to_owned(),
        type_fermeture: un(c::TRE_R286, "DEF"),
        adresse: adresse(),
        commune_cog: "75112".to_owned(),
        contacts: contacts(),
        ..EntiteJuridique::default()
    }
}

fn tarif() -> Tarif {
    Tarif {
        r#type: un("https://exemple.fr/R246", "02"),
        unite_prix: un("https://exemple.fr/R228", "1"),
        montant_centimes: 6205,
        devise: "EUR".to_owned(),
        date_debut_validite: "2026-01-01".to_owned(),
        moins_60_ans: Some(false),
        prestations_incluses: vec![code("https://exemple.fr/R264", "01")],
        autres_prestations_incluses: vec!["Blanchisserie".to_owned()],
        type_habitation: un("https://exemple.fr/R242", "03"),
        ..Tarif::default()
    }
}

pub fn eg() -> EntiteGeographique {
    EntiteGeographique {
        meta: meta("eg-1", "", ""),
        entite_juridique_id: "ej-1".to_owned(),
        id_nat_struct: "1750000026".to_owned(),
        num_finess: "750000026".to_owned(),
        num_siret: "26750045200011".to_owned(),
        denomination: "Site Est".to_owned(),
        nom_operationnel: "Bel-Air".to_owned(),
        categorie: un(c::TRE_R66, "355"),
        modalite_participation_sph: un(c::TRE_R73, "1"),
        aides_financieres: vec![code("https://exemple.fr/R241", "02")],
        hebergement_famille: Some(true),
        nb_place_aide_sociale_permanent: Some(12),
        nb_place_aide_sociale_temporaire: Some(0),
        accessibilite: un("https://exemple.fr/R202", "1"),
        niveau_recours_orsan: un("https://exemple.fr/R284", "1"),
        zone_poser: Some(true),
        date_ouverture: "1995-05-01".to_owned(),
        adresse: adresse(),
        commune_cog: "75112".to_owned(),
        position: position(),
        territoires_sante: vec![division("4", "https://exemple.fr/territoires", "T1")],
        contacts: contacts(),
        tarifs: vec![tarif()],
        commentaire: "Entrée rue des Lilas".to_owned(),
        ..EntiteGeographique::default()
    }
}

pub fn oi() -> OrganisationInterne {
    OrganisationInterne {
        meta: meta("oi-1", "", ""),
        entite_geographique_id: "eg-1".to_owned(),
        identifiant: "11/42".to_owned(),
        nom: "Pôle Femme".to_owned(),
        r#type: un(c::TRE_R207, "1"),
        date_ouverture: "2001-01-01".to_owned(),
        date_previsionnelle_reouverture: "2026-09-01".to_owned(),
        contacts: contacts(),
        telecommunications: vec![telecom("3", "pole@exemple.mssante.fr", "1")],
        ..OrganisationInterne::default()
    }
}

pub fn offre() -> OffreOperationnelle {
    let age = |valeur: f64| Some(Quantite { valeur, unite: un(c::TRE_R247, "a") });
    OffreOperationnelle {
        meta: meta("offre-1", "commentaire", "https://exemple.fr/q|2"),
        identifiant: "11/666".to_owned(),
        porteur_id: "oi-1".to_owned(),
        nom: "Maternité".to_owned(),
        type_offre: un(c::TRE_R244, "21"),
        champ_activite: un(c::TRE_R227, "01"),
        mode_prise_en_charge: un(c::TRE_R213, "01"),
        activites_operationnelles: vec![code(c::TRE_R211, "013"), code(c::TRE_R211, "017")],
        famille_activite: un(c::TRE_R266, "019"),
        temporalite_accueil: un(c::TRE_R240, "02"),
        modalites_accueil: vec![code(c::TRE_R338, "01")],
        modes_gestion: vec![code(c::TRE_R236, "02")],
        actes_specifiques: vec![code(c::TRE_R210, "0529")],
        actes_hors_cabinet: vec![code(c::TRE_R210, "0626")],
        specialisations: vec![code(c::TRE_R245, "24")],
        habilitation_soins_sans_consentement: Some(false),
        ouverture_annuelle: un(c::TRE_R238, "02"),
        zones_intervention: vec![division("3", c::TRE_R13, "75112")],
        secteurs_psychiatriques: vec!["75G01".to_owned()],
        professions_ressources: vec![code(c::TRE_G15, "50")],
        competences_specifiques: vec![code(c::TRE_R243, "05")],
        niveaux_expertise: vec![code(c::TRE_R253, "04")],
        type_fermeture: un(c::TRE_R286, "PRO"),
        date_fermeture: "2026-07-01".to_owned(),
        date_previsionnelle_reouverture: "2026-09-01".to_owned(),
        publics: vec![code("https://exemple.fr/R239", "01")],
        age_min: age(15.0),
        age_max: age(50.5),
        horaires: horaires(),
        contacts: contacts(),
        telecommunications: vec![telecom("3", "mater@exemple.mssante.fr", "1")],
        lieux_ids: vec!["lieu-1".to_owned(), "lieu-2".to_owned()],
        ..OffreOperationnelle::default()
    }
}

pub fn lieu() -> LieuRealisation {
    let poids = Quantite { valeur: 200.0, unite: un(c::TRE_R247, "kg") };
    LieuRealisation {
        meta: meta("lieu-1", "", ""),
        identifiant: "11/339772".to_owned(),
        id_externe_synchro: "UF-12".to_owned(),
        nom_externe_synchro: "Zone A".to_owned(),
        nom: "Hospitalisation".to_owned(),
        description: "2e étage".to_owned(),
        fonction: un("https://exemple.fr/R343", "001"),
        statut: un("https://exemple.fr/R203", "3"),
        status: "active".to_owned(),
        commune_cog: "75112".to_owned(),
        adresse: adresse(),
        position: position(),
        telecommunications: vec![telecom("2", "0102030406", "1"), telecom("2", "0107", "2")],
        equipements: vec![Equipement {
            r#type: un("https://exemple.fr/R212", "030"),
            nombre_en_service: Some(2),
            limites: vec![Limite { r#type: un("https://exemple.fr/R340", "001"), valeur: Some(poids) }],
        }],
        habitations: vec![Habitation { r#type: un("https://exemple.fr/R242", "03"), nombre: Some(8) }],
        structure_gestionnaire_id: "eg-1".to_owned(),
        lieu_parent_id: "lieu-0".to_owned(),
        commentaire: "Ascenseur B".to_owned(),
    }
}

pub fn capacite() -> CapaciteLieu {
    let enregistrement = |statut: &str, genre: &str, lit: &str, nombre: u32| {
        let cle = CleIndicateur {
            statut: statut.to_owned(),
            temporalite: "01".to_owned(),
            genre: genre.to_owned(),
            type_lit_supplementaire: lit.to_owned(),
            affectation_temporaire: "01".to_owned(),
            ..CleIndicateur::default()
        };
        EnregistrementCapacite {
            cle: Some(cle),
            nature: "01".to_owned(),
            nombre,
            source: "02".to_owned(),
            date_maj: lire_instant("2026-03-16T09:05:06.789Z"),
            commentaire: "vu".to_owned(),
        }
    };
    CapaciteLieu {
        meta: meta("lieu-1", "", ""),
        enregistrements: vec![
            enregistrement("01", "", "", 20),
            enregistrement("02", "03", "", 0),
            enregistrement("06", "", "01", 4),
        ],
        fermeture: None,
    }
}

pub fn situation() -> SituationOperationnelle {
    SituationOperationnelle {
        meta: meta("situation-1", "note", ""),
        identifiant: "11/666/810005678901".to_owned(),
        professionnel_id: "ps-1".to_owned(),
        offre_id: "offre-1".to_owned(),
        structure_id: "eg-1".to_owned(),
        profession: un(c::TRE_G15, "10"),
        savoir_faire: vec![code(c::TRE_R38, "SM04"), code(c::TRE_R43, "CAPA01")],
        competences_specifiques: vec![code(c::TRE_R243, "05")],
        mode_exercice: un(c::TRE_R23, "L"),
        civilite_exercice: un(c::TRE_R11, "DR"),
        nom_exercice: "Durand".to_owned(),
        prenom_exercice: "Anne".to_owned(),
        secteur_conventionnement: un("https://exemple.fr/R282", "c1"),
        option_contrat_acces_aux_soins: Some(true),
        carte_vitale_acceptee: Some(false),
        telecommunications: vec![telecom("2", "0102030407", "1")],
        horaires: horaires(),
    }
}

pub fn professionnel() -> Professionnel {
    Professionnel {
        meta: meta("ps-1", "", ""),
        id_nat_ps: "810005678901".to_owned(),
        rpps: "10005678901".to_owned(),
        civilite: un(c::TRE_R81, "MME"),
        nom: "Durand".to_owned(),
        prenom: "Anne".to_owned(),
        actif: true,
        ..Professionnel::default()
    }
}
