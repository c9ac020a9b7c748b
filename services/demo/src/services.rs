//! `fhir/healthcareservice.ndjson`: the operational offers.

use std::path::Path;

use serde_json::Value;

use crate::contacts;
use crate::dates::{AUJOURD_HUI, date};
use crate::donnees::{Donnees, Gabarit};
use crate::error::Error;
use crate::fhir::{
    Horodatage, Objet, UCUM, concept, extension, extension_complexe, horaire, identifiant, meta, reference,
    sous, sous_code, telecom,
};
use crate::monde::{Eg, Monde};
use crate::nos::{
    R13, R201, R210, R211, R213, R227, R236, R239, R240, R243, R244, R245, R253, R265, R266, R286, R338,
    R344, R355, R356,
};
use crate::offres::{Contenu, Offre};
use crate::prng::Prng;
use crate::sortie::Sortie;

/// Writes every offer; answers their number.
pub fn ecrire(
    chemin: &Path,
    donnees: &Donnees,
    monde: &Monde,
    contenu: &Contenu,
    graine: u64,
) -> Result<u64, Error> {
    let mut sortie = Sortie::creer(chemin)?;
    let mut fabrique = Fabrique { donnees, monde, contenu, prng: Prng::nouveau(graine, "services") };
    for (rang, offre) in contenu.offres.iter().enumerate() {
        let reference = contenu.par_eg[offre.eg].start == rang;
        sortie.ligne(&fabrique.offre(offre, reference))?;
    }
    sortie.finir()
}

struct Fabrique<'a> {
    donnees: &'a Donnees,
    monde: &'a Monde,
    contenu: &'a Contenu,
    prng: Prng,
}

impl Fabrique<'_> {
    fn offre(&mut self, offre: &Offre, premiere: bool) -> Value {
        let (donnees, monde, contenu) = (self.donnees, self.monde, self.contenu);
        let gabarit = &donnees.gabarits[offre.gabarit];
        let eg = &monde.egs[offre.eg];
        let dates = Horodatage::tirer(&mut self.prng);
        let porteur = match offre.oi {
            Some(oi) => &contenu.ois[oi].id,
            None => &eg.id,
        };
        let fermee = !premiere && !offre.sensible && self.prng.chance(8);
        let mut specialites = vec![concept(R211, gabarit.activite)];
        if !gabarit.famille.is_empty() {
            let systeme = if gabarit.famille.len() == 3 { R265 } else { R266 };
            specialites.push(concept(systeme, gabarit.famille));
        }
        let extensions = self.extensions(offre, gabarit, eg, &dates);
        let caracteristiques = self.caracteristiques(gabarit, fermee);
        let mut objet = Objet::ressource(
            "HealthcareService",
            &offre.id,
            meta("ror-healthcareservice", donnees.region, &dates),
        )
        .liste("extension", extensions)
        .liste("identifier", vec![identifiant(R355, "35", &offre.identifiant).fin()])
        .mettre("providedBy", reference("Organization", porteur));
        if !gabarit.type_offre.is_empty() {
            objet = objet.liste("category", vec![concept(R244, gabarit.type_offre)]);
        }
        objet = objet
            .liste("type", vec![concept(R227, gabarit.champ)])
            .liste("specialty", specialites)
            .liste("location", vec![reference("Location", &contenu.lieux[offre.lieu].id)])
            .texte("name", &offre.nom)
            .liste("telecom", self.messagerie(offre))
            .liste("characteristic", caracteristiques)
            .liste("availableTime", self.horaires(gabarit));
        if fermee {
            objet = objet.liste("notAvailable", vec![self.fermeture()]);
        }
        objet.fin()
    }

    fn extensions(&mut self, offre: &Offre, gabarit: &Gabarit, eg: &Eg, dates: &Horodatage) -> Vec<Value> {
        let mut ext = vec![
            dates.extension(),
            extension("ror-healthcareservice-sensitive-unit", "valueBoolean", Value::from(offre.sensible)),
            patientele(gabarit),
        ];
        if gabarit.a("zone") {
            for insee in self.communes(eg) {
                let parties = vec![
                    sous_code("typeTerritorialDivision", R201, "3"),
                    sous_code("codeTerritorialDivision", R13, insee),
                ];
                ext.push(extension_complexe("ror-territorial-division", parties));
            }
        }
        if gabarit.a("nsc") {
            let oui = Value::from(self.prng.chance(400));
            let id = "ror-healthcareservice-no-consent-habilitation";
            ext.push(extension(id, "valueBoolean", oui));
        }
        if gabarit.a("sec") && self.prng.chance(700) {
            let departement = self.donnees.communes[eg.commune].departement();
            let secteur = format!("{departement}G{:02}", self.prng.entre(1, 20));
            let id = "ror-healthcareservice-psychiatric-sector";
            ext.push(extension(id, "valueString", Value::from(secteur)));
        }
        let region = self.donnees.region;
        for contact in contacts::offre(&mut self.prng, gabarit.champ, offre.sensible, region) {
            ext.push(contact.offre());
        }
        ext
    }

    /// Communes served by a home care offer: the one of the site and others of
    /// its département.
    fn communes(&mut self, eg: &Eg) -> Vec<&'static str> {
        let toutes = &self.donnees.communes;
        let departement = toutes[eg.commune].departement();
        let debut = toutes.partition_point(|c| c.departement() < departement);
        let fin = toutes.partition_point(|c| c.departement() <= departement);
        let mut resultat = vec![toutes[eg.commune].insee];
        for _ in 0..self.prng.entre(3, 8) {
            let insee = toutes[debut + self.prng.indice(fin - debut)].insee;
            if !resultat.contains(&insee) {
                resultat.push(insee);
            }
        }
        resultat
    }

    fn caracteristiques(&mut self, gabarit: &Gabarit, fermee: bool) -> Vec<Value> {
        let mut resultat = vec![concept(R213, gabarit.mode)];
        if !gabarit.temporalite.is_empty() {
            resultat.push(concept(R240, gabarit.temporalite));
        }
        // Trait, code system, share of the offers that state it.
        let simples = [
            ("acc", R338, 900),
            ("ges", R236, 1000),
            ("esp", R245, 800),
            ("res", R356, 700),
            ("comp", R243, 600),
            ("exp", R344, 250),
        ];
        for (cle, systeme, part) in simples {
            for code in gabarit.valeurs(cle) {
                if self.prng.chance(part) {
                    resultat.push(concept(systeme, code));
                }
            }
        }
        for code in gabarit.valeurs("acte") {
            if self.prng.chance(600) {
                resultat.push(acte(code));
            }
        }
        if gabarit.a("mat") {
            let niveau = self.prng.mot(&["01", "01", "02", "03", "04"]);
            resultat.push(concept(R253, niveau));
        }
        if fermee {
            resultat.push(concept(R286, "PRO"));
        }
        resultat
    }

    /// Secure mail box of the offer.
    fn messagerie(&mut self, offre: &Offre) -> Vec<Value> {
        if !self.prng.chance(450) {
            return Vec::new();
        }
        let numero = offre.identifiant.replace('/', "-");
        let adresse = format!("offre-{numero}@mss.exemple.invalid");
        let niveau = if offre.sensible { "3" } else { "1" };
        vec![telecom("3", &adresse, Some("MSSanté"), niveau)]
    }

    fn horaires(&mut self, gabarit: &Gabarit) -> Vec<Value> {
        let mut resultat = Vec::new();
        match gabarit.mode {
            "28" | "46" | "13" | "30" => {}
            "33" | "59" => {
                for jour in 1..=7 {
                    resultat.push(horaire("02", jour, "00:00:00", "23:59:00"));
                }
            }
            _ => {
                let genre = match gabarit.champ {
                    "05" if gabarit.mode == "56" => "06",
                    "05" => "07",
                    _ => "01",
                };
                let ouverture = self.prng.mot(&["08:00:00", "08:30:00", "09:00:00"]);
                let fermeture = self.prng.mot(&["17:00:00", "18:00:00", "19:00:00"]);
                for jour in 1..=5 {
                    resultat.push(horaire(genre, jour, ouverture, fermeture));
                }
                if self.prng.chance(150) {
                    resultat.push(horaire(genre, 6, ouverture, "12:00:00"));
                }
            }
        }
        resultat
    }

    fn fermeture(&mut self) -> Value {
        let debut = AUJOURD_HUI - self.prng.entre(5, 60) as i64;
        let fin = AUJOURD_HUI + self.prng.entre(10, 90) as i64;
        let periode = Objet::nouveau().texte("start", &date(debut)).texte("end", &date(fin)).fin();
        Objet::nouveau()
            .texte("id", "closingReopeningDate")
            .texte("description", "Période de fermeture et de réouverture prévisionnelle")
            .mettre("during", periode)
            .fin()
    }
}

/// A specific act, with its discriminating extension.
fn acte(code: &str) -> Value {
    let genre = extension("ror-act-type", "valueCode", Value::from("specificAct"));
    Objet::nouveau()
        .liste("extension", vec![genre])
        .liste("coding", vec![crate::fhir::codage(R210, code)])
        .fin()
}

fn patientele(gabarit: &Gabarit) -> Value {
    let mut parties = Vec::new();
    for public in &gabarit.publics {
        parties.push(sous_code("supportedPatientInfo", R239, public));
    }
    let bornes =
        Objet::nouveau().mettre("low", age(gabarit.age_min)).mettre("high", age(gabarit.age_max)).fin();
    parties.push(sous("ageRange", "valueRange", bornes));
    extension_complexe("ror-healthcareservice-patient-type", parties)
}

fn age(annees: u64) -> Value {
    Objet::nouveau()
        .mettre("value", Value::from(annees))
        .texte("unit", "a")
        .texte("system", UCUM)
        .texte("code", "a")
        .fin()
}
