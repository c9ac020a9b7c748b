//! `finess-structures.json`: FINESS+ Structures v1.0.0, one JSON object on one
//! line, with the keys and the order of the real files.

use std::path::Path;

use serde::Serialize;

use crate::dates::{date, horodatage};
use crate::donnees::{Commune, Donnees};
use crate::error::Error;
use crate::monde::{Eg, Ej, Monde};
use crate::noms::{Voie, tronquer};
use crate::prng::Prng;
use crate::sortie::Sortie;
use crate::territoire;

/// A key that is always null in the files we produce.
type Nul = Option<()>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Pmej {
    #[serde(rename = "informationsGeneralesPMEJ")]
    informations: InfosPm,
    adresse: Vec<Adresse>,
    contact: Vec<Contact>,
    engagement: Vec<()>,
    evenement: Vec<Evenement>,
    ege: Vec<Ege>,
    etat_objet: &'static str,
    date_derniere_maj: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfosPm {
    pm_smsse_id: String,
    code_ape: Option<&'static str>,
    complement_adresse_pm_smsse: Nul,
    date_creation: String,
    date_fermeture: Nul,
    denomination_longue_pm_smsse: String,
    denomination_pm: String,
    num_finess_pm: String,
    fonction_publique: Option<&'static str>,
    #[serde(rename = "categorieentiteGeographiqueExercice")]
    categorie: Nul,
    siren: String,
    statut_juridique: &'static str,
    type_groupe_gco: Nul,
    type_personne_morale: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ege {
    #[serde(rename = "informationsGeneralesEGE")]
    informations: InfosEge,
    #[serde(rename = "categorieentiteGeographiqueExercice")]
    categorie: &'static str,
    #[serde(rename = "modefixationtarifaire")]
    mft: &'static str,
    type_budget: [&'static str; 1],
    adresse: Vec<Adresse>,
    contact: Vec<Contact>,
    engagement: Vec<()>,
    evenement: Vec<Evenement>,
    role_ege: Vec<()>,
    etat_objet: &'static str,
    date_derniere_maj: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InfosEge {
    ege_id: String,
    complement_denomination_eg: Nul,
    date_fermeture: Option<String>,
    date_ouverture: String,
    date_premiere_autorisation: String,
    nom_ege_court: String,
    nom_ege_long: String,
    numero_education_nationale: Nul,
    numero_reference_externe: Nul,
    num_finess_ege: String,
    espic: Option<[&'static str; 1]>,
    siret: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Adresse {
    usage_adresse: &'static str,
    numero_voie: String,
    type_voie: &'static str,
    libelle_voie: &'static str,
    complement_voie: Nul,
    complement_point_geographique: Nul,
    lieu_dit: Nul,
    cog_commune: &'static str,
    ligne_acheminement: &'static str,
    ligne_une: Nul,
    ligne_deux: Nul,
    ligne_trois: Nul,
    ligne_quatre: String,
    ligne_cinq: Nul,
    ligne_six: Nul,
    code_postal: &'static str,
    coordonnees_geographique: Option<Coordonnees>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Coordonnees {
    coordonnee_x: String,
    coordonnee_y: String,
    direction_latitude: String,
    direction_longitude: String,
    #[serde(rename = "cleInInteropBAN")]
    cle_ban: String,
    #[serde(rename = "scoreBAN")]
    score_ban: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Contact {
    type_contact: TypeContact,
    telecom: Telecom,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TypeContact {
    role_contact: &'static str,
}

#[derive(Serialize)]
struct Telecom {
    telephone: String,
    telecopie: Nul,
    courriel: Nul,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Evenement {
    evenement_id: String,
    date_enregistrement: &'static str,
    date_evenement: String,
    etat_objet1: &'static str,
    identifiant_objet1: String,
    identifiant_objet2: Nul,
    systeme_maitre: &'static str,
    type_objet1: &'static str,
    type_objet2: Nul,
    code_evenement: &'static str,
}

/// Writes the whole file.
pub fn ecrire(chemin: &Path, monde: &Monde, donnees: &Donnees, graine: u64) -> Result<(), Error> {
    let mut sortie = Sortie::creer(chemin)?;
    let mut fabrique = Fabrique { donnees, evenements: 900_000, prng: Prng::nouveau(graine, "finess") };
    sortie.texte("{\"schemaVersion\":\"v1.0.0\",")?;
    sortie.texte("\"generatedAt\":\"2026-10-01T02:14:30.574916741Z\",")?;
    sortie.texte("\"gco\":[],\"gcc\":[],\"pmej\":[")?;
    for (rang, ej) in monde.ejs.iter().enumerate() {
        if rang > 0 {
            sortie.texte(",")?;
        }
        let egs = &monde.egs[ej.eg.clone()];
        sortie.json(&fabrique.pmej(rang, ej, egs))?;
    }
    sortie.texte("]}\n")?;
    sortie.finir()?;
    Ok(())
}

struct Fabrique<'a> {
    donnees: &'a Donnees,
    evenements: u64,
    prng: Prng,
}

impl Fabrique<'_> {
    fn pmej(&mut self, rang: usize, ej: &Ej, egs: &[Eg]) -> Pmej {
        let id = format!("{}", 990_000 + rang);
        let creation = date(ej.creation);
        let donnees = self.donnees;
        let commune = &donnees.communes[ej.commune];
        let adresse = adresse("02", &ej.voie, commune, None);
        let evenement = vec![self.evenement("PM", &id, &creation, "001", "001")];
        let mut ege = Vec::with_capacity(egs.len());
        for (k, eg) in egs.iter().enumerate() {
            ege.push(self.ege(ej.eg.start + k, eg));
        }
        Pmej {
            informations: InfosPm {
                pm_smsse_id: id,
                code_ape: code_ape(ej.famille),
                complement_adresse_pm_smsse: None,
                date_creation: creation,
                date_fermeture: None,
                denomination_longue_pm_smsse: tronquer(&ej.nom, 98),
                denomination_pm: tronquer(&ej.nom, 38),
                num_finess_pm: ej.finess.clone(),
                fonction_publique: matches!(ej.statut, "13" | "21").then_some("01"),
                categorie: None,
                siren: ej.siren.clone(),
                statut_juridique: ej.statut,
                type_groupe_gco: None,
                type_personne_morale: "01",
            },
            adresse: vec![adresse],
            contact: vec![contact(&ej.telephone)],
            engagement: Vec::new(),
            evenement,
            ege,
            etat_objet: "A",
            date_derniere_maj: horodatage(20_000 + self.prng.borne(700) as i64),
        }
    }

    fn ege(&mut self, rang: usize, eg: &Eg) -> Ege {
        let donnees = self.donnees;
        let categorie = &donnees.categories[eg.categorie];
        let id = format!("{}", 9_950_000 + rang);
        let ouverture = date(eg.ouverture);
        let mut evenement = vec![
            self.evenement("EG", &id, &ouverture, "003", "003"),
            self.evenement("EG", &id, &ouverture, "007", "007"),
        ];
        if let Some((jour, genre)) = eg.fermeture {
            evenement.push(self.evenement("EG", &id, &date(jour), genre, "005"));
        }
        let hospitalier = matches!(categorie.famille, "SAN" | "PSY");
        let commune = &donnees.communes[eg.commune];
        Ege {
            informations: InfosEge {
                ege_id: id,
                complement_denomination_eg: None,
                date_fermeture: eg.fermeture.map(|f| date(f.0)),
                date_ouverture: ouverture.clone(),
                date_premiere_autorisation: ouverture,
                nom_ege_court: tronquer(&eg.nom, 38),
                nom_ege_long: eg.nom.clone(),
                numero_education_nationale: None,
                numero_reference_externe: None,
                num_finess_ege: eg.finess.clone(),
                espic: hospitalier.then_some(["1"]),
                siret: eg.siret.clone(),
            },
            categorie: categorie.code,
            mft: categorie.mft,
            type_budget: [if hospitalier { "02" } else { "01" }],
            adresse: vec![adresse("03", &eg.voie, commune, Some(eg))],
            contact: vec![contact(&eg.telephone)],
            engagement: Vec::new(),
            evenement,
            role_ege: Vec::new(),
            etat_objet: if eg.fermeture.is_some() { "I" } else { "A" },
            date_derniere_maj: horodatage(20_000 + self.prng.borne(700) as i64),
        }
    }

    fn evenement(
        &mut self,
        objet: &'static str,
        id: &str,
        jour: &str,
        etat: &'static str,
        code: &'static str,
    ) -> Evenement {
        self.evenements += 1;
        Evenement {
            evenement_id: self.evenements.to_string(),
            date_enregistrement: "2026-07-07 12:22:32",
            date_evenement: jour.to_owned(),
            etat_objet1: etat,
            identifiant_objet1: id.to_owned(),
            identifiant_objet2: None,
            systeme_maitre: "01",
            type_objet1: objet,
            type_objet2: None,
            code_evenement: code,
        }
    }
}

fn adresse(usage: &'static str, voie: &Voie, commune: &Commune, eg: Option<&Eg>) -> Adresse {
    let place = eg.filter(|eg| eg.geolocalise);
    Adresse {
        usage_adresse: usage,
        numero_voie: voie.numero.to_string(),
        type_voie: voie.abrege,
        libelle_voie: voie.nom,
        complement_voie: None,
        complement_point_geographique: None,
        lieu_dit: None,
        cog_commune: commune.insee,
        ligne_acheminement: commune.acheminement,
        ligne_une: None,
        ligne_deux: None,
        ligne_trois: None,
        ligne_quatre: voie.ligne(),
        ligne_cinq: None,
        ligne_six: None,
        code_postal: commune.cp,
        coordonnees_geographique: place.map(|eg| coordonnees(eg, voie, commune)),
    }
}

fn coordonnees(eg: &Eg, voie: &Voie, commune: &Commune) -> Coordonnees {
    let (x, y) = territoire::lambert93(eg.lat, eg.lon);
    Coordonnees {
        coordonnee_x: territoire::degres(eg.lon),
        coordonnee_y: territoire::degres(eg.lat),
        direction_latitude: format!("{y:.2}"),
        direction_longitude: format!("{x:.2}"),
        cle_ban: format!("{}_2380_{:05}", commune.insee, voie.numero),
        score_ban: "0.96",
    }
}

fn contact(telephone: &str) -> Contact {
    Contact {
        type_contact: TypeContact { role_contact: "01" },
        telecom: Telecom { telephone: telephone.to_owned(), telecopie: None, courriel: None },
    }
}

fn code_ape(famille: &str) -> Option<&'static str> {
    match famille {
        "SAN" | "PSY" => Some("86.10Z"),
        "PA" => Some("87.10A"),
        "PH" => Some("87.30B"),
        "ENF" => Some("87.10B"),
        "DOM" => Some("88.10A"),
        "PHA" => Some("47.73Z"),
        "LBM" => Some("86.90B"),
        "VIL" => Some("86.21Z"),
        _ => None,
    }
}
