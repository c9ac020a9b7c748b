//! `fhir/practitionerrole.ndjson`: one resource per professional and offer.

use std::path::Path;

use serde_json::Value;

use crate::donnees::Donnees;
use crate::error::Error;
use crate::fhir::{
    Horodatage, Objet, concept, extension, extension_code, extension_complexe, identifiant, meta, reference,
    sous, sous_code, telecom,
};
use crate::ids;
use crate::monde::Monde;
use crate::noms;
use crate::nos::{G08, G15, R04, R11, R23, R38, R282};
use crate::offres::{Contenu, Offre};
use crate::prng::Prng;
use crate::professionnels::Professionnel;
use crate::sortie::Sortie;

/// Three annuaire extensions keep their canonicals of v0.7.0.
const ANNUAIRE: &str =
    "https://apifhir.annuaire.sante.fr/ws-sync/exposed/structuredefinition/practitionerRole-";

/// Business identifier of a situation: offer, then professional.
pub fn numero(offre: &Offre, professionnel: &Professionnel) -> String {
    format!("{}/{}", offre.identifiant, professionnel.id_nat())
}

/// Writes every situation; answers their number.
pub fn ecrire(
    chemin: &Path,
    donnees: &Donnees,
    monde: &Monde,
    contenu: &Contenu,
    professionnels: &[Professionnel],
    graine: u64,
) -> Result<u64, Error> {
    let mut sortie = Sortie::creer(chemin)?;
    let mut prng = Prng::nouveau(graine, "situations");
    for professionnel in professionnels {
        for o in &professionnel.offres {
            let offre = &contenu.offres[*o];
            let eg = &monde.egs[offre.eg].id;
            sortie.ligne(&situation(donnees, professionnel, offre, eg, &mut prng))?;
        }
    }
    sortie.finir()
}

fn situation(
    donnees: &Donnees,
    professionnel: &Professionnel,
    offre: &Offre,
    eg: &str,
    prng: &mut Prng,
) -> Value {
    let dates = Horodatage::tirer(prng);
    let numero = numero(offre, professionnel);
    let mut specialites = vec![concept(R04, "S")];
    if !professionnel.specialite.is_empty() {
        specialites.push(concept(R38, professionnel.specialite));
    }
    let mut telecoms = Vec::new();
    if prng.chance(350) {
        let niveau = if offre.sensible { "3" } else { prng.mot(&["1", "2", "3"]) };
        telecoms.push(telecom("1", &noms::mobile(prng), None, niveau));
    }
    Objet::ressource(
        "PractitionerRole",
        &ids::id_situation(&numero),
        meta("ror-practitionerrole", donnees.region, &dates),
    )
    .liste("extension", extensions(donnees, professionnel, &dates, prng))
    .liste("identifier", vec![identifiant(G08, "30", &numero).fin()])
    .mettre("practitioner", reference("Practitioner", &professionnel.id))
    .mettre("organization", reference("Organization", eg))
    .liste("code", vec![concept(G15, professionnel.profession)])
    .liste("specialty", specialites)
    .liste("healthcareService", vec![reference("HealthcareService", &offre.id)])
    .liste("telecom", telecoms)
    .fin()
}

fn extensions(
    donnees: &Donnees,
    professionnel: &Professionnel,
    dates: &Horodatage,
    prng: &mut Prng,
) -> Vec<Value> {
    let mut identite = Vec::new();
    let civilite = donnees.professions.get(professionnel.profession).map_or("", |p| p.civilite);
    if !civilite.is_empty() {
        identite.push(sous_code("exerciseTitle", R11, civilite));
    }
    let nom = Value::from(professionnel.nom.as_str());
    let prenom = Value::from(professionnel.prenom.as_str());
    identite.push(sous("exerciseLastName", "valueString", nom));
    identite.push(sous("exerciseFirstName", "valueString", prenom));
    let mut ext = vec![
        dates.extension(),
        extension_code("ror-practitionerrole-unit-exercise-mode", R23, professionnel.mode),
        extension_complexe("ror-practitionerrole-name", identite),
    ];
    if professionnel.mode == "L" {
        let secteur = prng.mot(&["c1", "c1", "c1", "c3", "nc"]);
        let url = format!("{ANNUAIRE}contracted");
        ext.push(sous_code(&url, R282, secteur));
        let carte = Value::from(prng.chance(930));
        ext.push(sous(&format!("{ANNUAIRE}vitaleAccepted"), "valueBoolean", carte));
        if professionnel.profession == "10" && secteur == "c3" {
            let option = Value::from(prng.chance(400));
            ext.push(sous(&format!("{ANNUAIRE}hasCAS"), "valueBoolean", option));
        }
    } else if prng.chance(50) {
        let commentaire = Value::from("Présence à temps partiel");
        ext.push(extension("ror-meta-comment", "valueString", commentaire));
    }
    ext
}
