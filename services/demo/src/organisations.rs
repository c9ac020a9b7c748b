//! `fhir/organization.ndjson`: internal organisations, and the attributes of
//! the sites that the ROR owns (usual name, contacts, prices).

use std::path::Path;

use serde_json::Value;

use crate::contacts;
use crate::dates::date;
use crate::donnees::Donnees;
use crate::error::Error;
use crate::fhir::{
    Horodatage, Objet, concept, extension, extension_code, extension_complexe, identifiant, meta, reference,
    sous, sous_code,
};
use crate::ids;
use crate::monde::{Eg, Monde};
use crate::nos::{G07, R66, R202, R207, R228, R237, R240, R241, R242, R246, R250, R264, R284, R345};
use crate::offres::{Contenu, Oi};
use crate::prng::Prng;
use crate::sortie::Sortie;

/// Writes the internal organisations, then the complements of the sites;
/// answers the number of complements.
pub fn ecrire(
    chemin: &Path,
    donnees: &Donnees,
    monde: &Monde,
    contenu: &Contenu,
    graine: u64,
) -> Result<u64, Error> {
    let mut sortie = Sortie::creer(chemin)?;
    let mut fabrique = Fabrique { donnees, monde, prng: Prng::nouveau(graine, "organisations") };
    for oi in &contenu.ois {
        sortie.ligne(&fabrique.oi(oi))?;
    }
    let mut complements = 0;
    for (i, eg) in monde.egs.iter().enumerate() {
        let reference = i == 0 || i == monde.ehpad || i == monde.msp;
        let decrit = !contenu.par_eg[i].is_empty();
        if reference || (decrit && fabrique.prng.chance(300)) {
            sortie.ligne(&fabrique.eg(eg))?;
            complements += 1;
        }
    }
    sortie.finir()?;
    Ok(complements)
}

struct Fabrique<'a> {
    donnees: &'a Donnees,
    monde: &'a Monde,
    prng: Prng,
}

impl Fabrique<'_> {
    fn oi(&mut self, oi: &Oi) -> Value {
        let monde = self.monde;
        let eg = &monde.egs[oi.eg];
        let dates = Horodatage::tirer(&mut self.prng);
        let ouverture = eg.ouverture + 1 + self.prng.borne(300) as i64;
        let numero =
            identifiant(R345, "42", &oi.identifiant).texte("system", "https://oi.esante.gouv.fr").fin();
        Objet::ressource("Organization", &oi.id, meta("ror-organization", self.donnees.region, &dates))
            .liste("extension", vec![dates.extension(), periode(ouverture)])
            .liste("identifier", vec![numero])
            .liste("type", vec![concept(R207, oi.genre)])
            .texte("name", &oi.nom)
            .mettre("partOf", reference("Organization", &eg.id))
            .fin()
    }

    fn eg(&mut self, eg: &Eg) -> Value {
        let (donnees, monde) = (self.donnees, self.monde);
        let categorie = &donnees.categories[eg.categorie];
        let commune = &donnees.communes[eg.commune];
        let ej = &monde.ejs[eg.ej];
        let dates = Horodatage::tirer(&mut self.prng);
        let hospitalier = matches!(categorie.famille, "SAN" | "PSY");
        let mut ext = vec![dates.extension(), periode(eg.ouverture)];
        let acces = self.prng.mot(&["1", "1", "1", "3", "5"]);
        ext.push(extension_code("ror-organization-accessibility-location", R202, acces));
        if hospitalier {
            let zone = Value::from(self.prng.chance(200));
            ext.push(extension("ror-organization-drop-zone", "valueBoolean", zone));
            let niveau = self.prng.mot(&["1", "4"]);
            ext.push(extension_code("ror-organization-level-recours-orsan", R284, niveau));
        }
        if matches!(categorie.famille, "PA" | "PH") {
            ext.push(extension_code("ror-organization-financial-help-type", R241, "02"));
            let id = "ror-organization-nb-permanent-social-help-place";
            ext.push(extension(id, "valueInteger", Value::from(self.prng.entre(0, 40))));
        }
        if categorie.code == "500" {
            ext.extend(self.tarifs());
        }
        let mut identifiants = vec![
            identifiant(G07, "40", &eg.id_nat()).texte("system", "urn:oid:1.2.250.1.71.4.2.2").fin(),
            identifiant(G07, "1", &eg.finess).texte("system", "https://finess.esante.gouv.fr").fin(),
        ];
        if let Some(siret) = &eg.siret {
            identifiants.push(identifiant(G07, "3", siret).texte("system", "https://sirene.fr").fin());
        }
        let mut contacts = Vec::new();
        for contact in contacts::structure(&mut self.prng, hospitalier, donnees.region) {
            contacts.push(contact.organisation());
        }
        let alias = format!("{} ({})", usuel(&eg.nom), commune.nom);
        Objet::ressource("Organization", &eg.id, meta("ror-organization", donnees.region, &dates))
            .liste("extension", ext)
            .liste("identifier", identifiants)
            .liste("type", vec![concept(R66, categorie.code)])
            .texte("name", &eg.nom)
            .liste("alias", vec![Value::from(alias)])
            .mettre("partOf", reference("Organization", &ids::id_ej(&ej.finess)))
            .liste("contact", contacts)
            .fin()
    }

    /// Prices of an EHPAD: accommodation, then dependency by GIR.
    fn tarifs(&mut self) -> Vec<Value> {
        let socle = self.prng.entre(5_500, 9_800);
        let mut parties = tarif("02", socle);
        parties.push(sous("under60", "valueBoolean", Value::from(false)));
        parties.push(sous_code("residentialType", R242, "02"));
        parties.push(sous_code("welcomeType", R240, "02"));
        parties.push(sous_code("specialPrice", R250, "01"));
        for prestation in ["01", "08"] {
            if self.prng.chance(600) {
                parties.push(sous_code("deliveryIncluded", R264, prestation));
            }
        }
        let mut resultat = vec![extension_complexe("ror-organization-price", parties)];
        let gir12 = self.prng.entre(1_900, 2_400);
        let niveaux = [("01", gir12), ("02", gir12 * 63 / 100), ("03", gir12 * 27 / 100)];
        for (niveau, montant) in niveaux {
            let mut parties = tarif("03", montant);
            parties.push(sous_code("dependencyLevel", R237, niveau));
            parties.push(sous_code("welcomeType", R240, "02"));
            resultat.push(extension_complexe("ror-organization-price", parties));
        }
        resultat
    }
}

/// Common parts of a daily price, `centimes` in euro cents.
fn tarif(genre: &str, centimes: u64) -> Vec<Value> {
    let montant =
        Objet::nouveau().mettre("value", Value::from(centimes as f64 / 100.0)).texte("currency", "EUR").fin();
    vec![
        sous_code("priceType", R246, genre),
        sous_code("priceUnit", R228, "2"),
        sous("amount", "valueMoney", montant),
        sous("startDate", "valueDateTime", Value::from("2026-01-01")),
    ]
}

fn periode(ouverture: i64) -> Value {
    let valeur = Objet::nouveau().texte("start", &date(ouverture)).fin();
    let url = "http://hl7.org/fhir/StructureDefinition/organization-period";
    sous(url, "valuePeriod", valeur)
}

/// Usual name: `EHPAD LES TILLEULS DE X` becomes `Ehpad Les Tilleuls De X`.
pub(crate) fn usuel(nom: &str) -> String {
    let mut resultat = String::with_capacity(nom.len());
    for mot in nom.split(' ') {
        if !resultat.is_empty() {
            resultat.push(' ');
        }
        for (i, c) in mot.chars().enumerate() {
            if i == 0 {
                resultat.push(c);
            } else {
                resultat.extend(c.to_lowercase());
            }
        }
    }
    resultat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_are_readable() {
        assert_eq!(usuel("EHPAD LE PARC"), "Ehpad Le Parc");
    }

    #[test]
    fn prices_are_in_euros() {
        let v = tarif("02", 6_550);
        assert_eq!(v[2]["valueMoney"]["value"], 65.5);
    }
}
