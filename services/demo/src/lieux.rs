//! `fhir/location.ndjson`: the places, their address, equipment and capacity.

use std::path::Path;

use serde_json::Value;

use crate::capacites::{self, Zone};
use crate::donnees::{Donnees, Gabarit};
use crate::error::Error;
use crate::fhir::{
    Horodatage, Objet, UCUM, adresse, codage, concept, extension, extension_code, extension_complexe,
    identifiant, meta, sous, sous_code, telecom,
};
use crate::monde::{Eg, Monde};
use crate::noms;
use crate::nos::{R13, R203, R212, R242, R340, R343, R354};
use crate::offres::{Contenu, Lieu};
use crate::prng::Prng;
use crate::sortie::Sortie;
use crate::territoire::flottant;

/// Places and capacity records written.
pub struct Bilan {
    /// Places.
    pub lieux: u64,
    /// Capacity records.
    pub capacites: u64,
}

/// Writes every place.
pub fn ecrire(
    chemin: &Path,
    donnees: &Donnees,
    monde: &Monde,
    contenu: &Contenu,
    graine: u64,
) -> Result<Bilan, Error> {
    let mut sortie = Sortie::creer(chemin)?;
    let mut fabrique =
        Fabrique { donnees, monde, contenu, capacites: 0, prng: Prng::nouveau(graine, "lieux") };
    let reference = contenu.offres.get(contenu.par_eg[0].start).map(|o| o.lieu);
    for (rang, lieu) in contenu.lieux.iter().enumerate() {
        sortie.ligne(&fabrique.lieu(lieu, Some(rang) == reference))?;
    }
    Ok(Bilan { lieux: sortie.finir()?, capacites: fabrique.capacites })
}

struct Fabrique<'a> {
    donnees: &'a Donnees,
    monde: &'a Monde,
    contenu: &'a Contenu,
    capacites: u64,
    prng: Prng,
}

impl Fabrique<'_> {
    fn lieu(&mut self, lieu: &Lieu, reference: bool) -> Value {
        let (donnees, monde, contenu) = (self.donnees, self.monde, self.contenu);
        let eg = &monde.egs[lieu.eg];
        let commune = &donnees.communes[eg.commune];
        let offre = &contenu.offres[lieu.offre];
        let gabarit = &donnees.gabarits[offre.gabarit];
        let dates = Horodatage::tirer(&mut self.prng);
        let mut ext = vec![dates.extension(), extension_code("ror-commune-cog", R13, commune.insee)];
        ext.extend(self.equipements(gabarit));
        ext.extend(habitation(gabarit, lieu.capacite, &mut self.prng));
        if lieu.capacite > 0 {
            let zone =
                Zone { nature: gabarit.nature, champ: gabarit.champ, installe: lieu.capacite, reference };
            let records = capacites::tirer(&zone, &mut self.prng);
            self.capacites += records.len() as u64;
            ext.extend(capacites::extensions(&zone, &records, &mut self.prng));
        }
        let mut identifiants = vec![identifiant(R354, "25", &lieu.identifiant).fin()];
        if let Some(externe) = &lieu.externe {
            identifiants.push(identifiant(R354, "26", externe).fin());
        }
        let hebergement = matches!(gabarit.mode, "28" | "46" | "13");
        let types = if hebergement { vec![concept(R343, "001")] } else { Vec::new() };
        let ferme = !reference && self.prng.chance(10);
        let mut objet = Objet::ressource("Location", &lieu.id, meta("ror-location", donnees.region, &dates))
            .liste("extension", ext)
            .liste("identifier", identifiants)
            .texte("status", if ferme { "suspended" } else { "active" })
            .mettre("operationalStatus", codage(R203, if ferme { "2" } else { "3" }))
            .texte("name", &nom(eg, &offre.nom))
            .liste("type", types)
            .liste("telecom", self.telecoms(offre.sensible))
            .mettre("address", adresse(&eg.voie, commune))
            .mettre("position", position(eg));
        if let Some(externe) = &lieu.externe {
            let zone = externe.split_once('/').map_or("", |z| z.1);
            let alias = Value::from(format!("{} {zone}", offre.nom));
            objet = objet.liste("alias", vec![alias]);
        }
        objet.fin()
    }

    fn telecoms(&mut self, sensible: bool) -> Vec<Value> {
        if !self.prng.chance(400) {
            return Vec::new();
        }
        let niveau = if sensible { "3" } else { self.prng.mot(&["1", "1", "1", "2", "2", "3"]) };
        let numero = noms::telephone(&mut self.prng, self.donnees.region);
        vec![telecom("2", &numero, Some("Ligne du service"), niveau)]
    }

    fn equipements(&mut self, gabarit: &Gabarit) -> Vec<Value> {
        let mut resultat = Vec::new();
        for code in gabarit.valeurs("equ") {
            if !self.prng.chance(550) {
                continue;
            }
            let nombre = self.prng.entre(1, 4);
            let mut parties = vec![
                sous_code("equipmentType", R212, code),
                sous("nbInService", "valueInteger", Value::from(nombre)),
            ];
            if let Some((caracteristique, valeur, unite)) = limite(code) {
                let quantite = Objet::nouveau()
                    .mettre("value", Value::from(valeur))
                    .texte("unit", unite)
                    .texte("system", UCUM)
                    .texte("code", unite)
                    .fin();
                let details = vec![
                    sous_code("equipmentFeature", R340, caracteristique),
                    sous("limitValue", "valueQuantity", quantite),
                ];
                parties.push(extension_complexe("ror-location-equipment-limit", details));
            }
            resultat.push(extension_complexe("ror-location-equipment", parties));
        }
        resultat
    }
}

/// Limit of the obesity equipment: characteristic (R340), value, unit.
pub(crate) fn limite(code: &str) -> Option<(&'static str, u64, &'static str)> {
    match code {
        "083" | "088" => Some(("001", 250, "kg")),
        "072" | "109" => Some(("001", 300, "kg")),
        "089" => Some(("001", 350, "kg")),
        "052" => Some(("002", 70, "cm")),
        "085" => Some(("002", 80, "cm")),
        _ => None,
    }
}

/// Rooms (trait 1) or flats (trait 2) of the places where people live.
fn habitation(gabarit: &Gabarit, capacite: u64, prng: &mut Prng) -> Vec<Value> {
    let types: [&str; 2] = match gabarit.valeurs("hab").first() {
        Some(&"1") => ["02", "01"],
        Some(&"2") => ["03", "05"],
        _ => return Vec::new(),
    };
    let autres = capacite * prng.entre(0, 15) / 100;
    let mut resultat = Vec::new();
    for (code, nombre) in [(types[0], capacite - autres), (types[1], autres / 2)] {
        if nombre > 0 {
            let parties = vec![
                sous_code("residentialType", R242, code),
                sous("residentialNumber", "valueInteger", Value::from(nombre)),
            ];
            resultat.push(extension_complexe("ror-location-residential-capacity", parties));
        }
    }
    resultat
}

fn nom(eg: &Eg, offre: &str) -> String {
    format!("{offre} - {}", eg.nom)
}

fn position(eg: &Eg) -> Value {
    let fiable = extension("ror-coordinate-reliability", "valueBoolean", Value::from(eg.geolocalise));
    Objet::nouveau()
        .liste("extension", vec![fiable])
        .mettre("longitude", Value::from(flottant(eg.lon)))
        .mettre("latitude", Value::from(flottant(eg.lat)))
        .fin()
}
