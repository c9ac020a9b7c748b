//! `finess-structures.json`: FINESS+ Structures v1.0.0, one JSON object on one
//! line, with the keys and the order of the real files.

pub mod forme;

use std::path::Path;

use crate::dates::{date, horodatage};
use crate::donnees::{Commune, Donnees};
use crate::error::Error;
use crate::finess::forme::{
    Adresse, Contact, Coordonnees, Ege, Evenement, InfosEge, InfosPm, Pmej, Telecom, TypeContact,
};
use crate::monde::{Eg, Ej, Monde};
use crate::noms::{Voie, tronquer};
use crate::prng::Prng;
use crate::sortie::Sortie;
use crate::territoire;

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
                siren: Some(ej.siren.clone()),
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
            adresse: vec![adresse("03", &eg.voie, commune, eg.geolocalise.then_some((eg.lat, eg.lon)))],
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
            etat_objet1: Some(etat),
            identifiant_objet1: id.to_owned(),
            identifiant_objet2: None,
            systeme_maitre: "01",
            type_objet1: objet,
            type_objet2: None,
            code_evenement: code,
        }
    }
}

/// An address; `place` is its latitude and longitude in 1e-5 degrees.
pub(crate) fn adresse(
    usage: &'static str,
    voie: &Voie,
    commune: &Commune,
    place: Option<(i64, i64)>,
) -> Adresse {
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
        coordonnees_geographique: place.map(|p| coordonnees(p, voie, commune)),
    }
}

fn coordonnees((lat, lon): (i64, i64), voie: &Voie, commune: &Commune) -> Coordonnees {
    let (x, y) = territoire::projeter(commune.insee, lat, lon);
    Coordonnees {
        coordonnee_x: territoire::degres(lon),
        coordonnee_y: territoire::degres(lat),
        direction_latitude: format!("{y:.2}"),
        direction_longitude: format!("{x:.2}"),
        cle_ban: format!("{}_2380_{:05}", commune.insee, voie.numero),
        score_ban: "0.96",
    }
}

/// The only kind of contact of the real files.
pub(crate) fn contact(telephone: &str) -> Contact {
    Contact {
        type_contact: TypeContact { role_contact: "01" },
        telecom: Telecom { telephone: telephone.to_owned(), telecopie: None, courriel: None },
    }
}

/// APE code of a family of categories.
pub(crate) fn code_ape(famille: &str) -> Option<&'static str> {
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
