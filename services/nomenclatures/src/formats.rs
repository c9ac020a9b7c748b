//! The published files of nomenclatures. Each reader gives what it could read and every
//! fault with its place; [`paquet`] reads files, folders and archives of any of them.
//!
//! A list that names the code systems of its codes by OID (TABS, SVS) is read with
//! `?oid:<OID>` in their place; [`resoudre`] puts the canonicals.

mod arbre;
mod fhir;
pub mod fhir_json;
pub mod fhir_xml;
pub mod paquet;
pub mod svs;
pub mod tabs;
pub mod tsv;
mod xml;

use std::collections::HashMap;

use ror_chassis::erreur::faute;
use ror_proto::{
    common::v1::Faute,
    nomenclatures::v1::{Concept, Nomenclature, Sorte},
};

use crate::domaine::{ACTIF, RETIRE, STATUTS, nom};

/// What was read, and what could not be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lecture {
    /// The nomenclatures, as published.
    pub nomenclatures: Vec<Nomenclature>,
    /// The faults; `element` is the place.
    pub fautes: Vec<Faute>,
}

impl Lecture {
    fn refuser(&mut self, place: &str, regle: &str, message: impl Into<String>, attendu: &str) {
        self.fautes.push(faute(place, regle, message, attendu));
    }

    fn absorber(&mut self, autre: Self) {
        self.nomenclatures.extend(autre.nomenclatures);
        self.fautes.extend(autre.fautes);
    }
}

/// How a system is named until its canonical is known.
const PAR_OID: &str = "?oid:";

/// Puts canonicals in place of OIDs; a list that keeps an unknown one is left out, with a
/// fault. Labels that a value set leaves out come from its code systems. `ailleurs` gives
/// the canonical of an OID that no list of the lot has.
pub fn resoudre(l: &mut Lecture, ailleurs: &HashMap<String, String>) {
    let par_oid: HashMap<String, String> = l
        .nomenclatures
        .iter()
        .filter(|n| !n.oid.is_empty() && n.sorte() == Sorte::Tre)
        .map(|n| (n.oid.clone(), n.canonique.clone()))
        .collect();
    let canonique = |systeme: &str| match systeme.strip_prefix(PAR_OID) {
        None => Some(systeme.to_owned()),
        Some(oid) => par_oid.get(oid).or_else(|| ailleurs.get(oid)).cloned(),
    };
    let mut inconnus = Vec::new();
    for n in &mut l.nomenclatures {
        let titre = nom(n).to_owned();
        let cotes = n.associations.iter_mut().flat_map(|a| [&mut a.systeme_source, &mut a.systeme_cible]);
        for systeme in n.concepts.iter_mut().map(|c| &mut c.systeme).chain(cotes) {
            match canonique(systeme) {
                Some(c) => *systeme = c,
                None if inconnus.last() != Some(&(titre.clone(), systeme.clone())) => {
                    inconnus.push((titre.clone(), systeme.clone()));
                }
                None => {}
            }
        }
    }
    inconnus.sort();
    inconnus.dedup();
    for (titre, systeme) in inconnus {
        let message = format!("Aucune TRE connue n'a l'OID {}.", systeme.trim_start_matches(PAR_OID));
        l.refuser(&titre, "oid-inconnu", message, "charger d'abord cette TRE, ou dans le même paquet");
    }
    let connu = |systeme: &String| !systeme.starts_with(PAR_OID);
    l.nomenclatures.retain(|n| {
        n.concepts.iter().all(|c| connu(&c.systeme))
            && n.associations.iter().all(|a| connu(&a.systeme_source) && connu(&a.systeme_cible))
    });
    completer(&mut l.nomenclatures);
}

/// The OIDs that no code system of the lot has: to be asked of the service.
pub fn oids_manquants(l: &Lecture) -> Vec<String> {
    let connus: std::collections::HashSet<&str> =
        l.nomenclatures.iter().filter(|n| n.sorte() == Sorte::Tre).map(|n| n.oid.as_str()).collect();
    let des_paires = l.nomenclatures.iter().flat_map(|n| &n.associations);
    let mut oids: Vec<String> = l
        .nomenclatures
        .iter()
        .flat_map(|n| &n.concepts)
        .map(|c| c.systeme.as_str())
        .chain(des_paires.flat_map(|a| [a.systeme_source.as_str(), a.systeme_cible.as_str()]))
        .filter_map(|s| s.strip_prefix(PAR_OID))
        .filter(|oid| !connus.contains(oid))
        .map(str::to_owned)
        .collect();
    oids.sort_unstable();
    oids.dedup();
    oids
}

/// Labels that a value set leaves out come from its code systems, where they are at hand.
fn completer(listes: &mut [Nomenclature]) {
    let libelles: HashMap<(String, String), String> = listes
        .iter()
        .filter(|n| n.sorte() == Sorte::Tre)
        .flat_map(|n| n.concepts.iter().map(|c| ((n.canonique.clone(), c.code.clone()), c.libelle.clone())))
        .collect();
    let jeux = listes.iter_mut().filter(|n| n.sorte() == Sorte::Jdv);
    for c in jeux.flat_map(|n| &mut n.concepts).filter(|c| c.libelle.is_empty()) {
        if let Some(l) = libelles.get(&(c.systeme.clone(), c.code.clone())) {
            c.libelle.clone_from(l);
        }
    }
}

/// A status of a code; an inactive code is refused on new entries, as a retired one.
fn statut(publie: &str) -> &str {
    match publie {
        "" => "",
        "inactive" | "inactif" => RETIRE,
        "actif" => ACTIF,
        connu => STATUTS.iter().find(|s| s.eq_ignore_ascii_case(connu)).copied().unwrap_or(connu),
    }
}

/// A published day as an ISO date: 14 or 8 digits, an ISO date or instant, nothing.
/// What has none of these forms is given back, to be refused by the service.
fn jour(publie: &str) -> String {
    let publie = publie.trim();
    let chiffres = publie.bytes().all(|b| b.is_ascii_digit()) && matches!(publie.len(), 8 | 14);
    if chiffres && let (Some(a), Some(m), Some(j)) = (publie.get(..4), publie.get(4..6), publie.get(6..8)) {
        return format!("{a}-{m}-{j}");
    }
    match publie.split_once('T') {
        Some((jour, _)) => jour.to_owned(),
        None => publie.to_owned(),
    }
}

/// The canonical of a NOS file by its address and name: files other than FHIR have the
/// address of the terminology, whose FHIR canonical follows from its name. Any other
/// address is itself the canonical.
fn canonique_nos(url: &str, nom: &str) -> String {
    let base = format!("https://mos.esante.gouv.fr/NOS/{nom}");
    let de_nos = url.strip_prefix(&base).is_some_and(|s| s.is_empty() || s.starts_with('/'));
    if nom.is_empty() || !de_nos || url.contains("/FHIR/") {
        return url.to_owned();
    }
    format!("{base}/FHIR/{}", nom.replacen('_', "-", 1))
}

/// The kind told by the name of a NOS list.
fn sorte_du_nom(nom: &str) -> Sorte {
    match nom.get(..4).map(str::to_ascii_uppercase).as_deref() {
        Some("TRE_") => Sorte::Tre,
        Some("JDV_") => Sorte::Jdv,
        Some("ASS_") => Sorte::Ass,
        _ => Sorte::Unspecified,
    }
}

/// The name of a NOS list, which its files give with their own extension.
fn nom_nos(publie: &str) -> &str {
    let publie = publie.trim();
    [".tabs", ".xml", ".json"].iter().find_map(|e| publie.strip_suffix(e)).unwrap_or(publie)
}

/// The version a NOS update makes: its timestamp, at noon when only the day is told.
fn version_nos(maj: &str) -> String {
    let chiffres: String = maj.chars().filter(char::is_ascii_digit).take(14).collect();
    match chiffres.len() {
        14 => chiffres,
        8 => format!("{chiffres}120000"),
        _ => maj.trim().to_owned(),
    }
}

/// What every file of a NOS list tells of it.
struct EnTeteNos<'a> {
    oid: &'a str,
    sorte: &'a str,
    nom: &'a str,
    description: &'a str,
    url: &'a str,
    valide_du: &'a str,
    valide_au: &'a str,
    date_maj: &'a str,
}

impl EnTeteNos<'_> {
    fn nomenclature(&self) -> Nomenclature {
        let nom = nom_nos(self.nom);
        let sorte = match self.sorte.trim() {
            "TRE" => Sorte::Tre,
            "JDV" => Sorte::Jdv,
            "ASS" => Sorte::Ass,
            _ => sorte_du_nom(nom),
        };
        Nomenclature {
            sorte: sorte as i32,
            canonique: canonique_nos(self.url.trim(), nom),
            version: version_nos(self.date_maj),
            nom: nom.to_owned(),
            oid: self.oid.trim().to_owned(),
            description: self.description.trim().to_owned(),
            valide_du: jour(self.valide_du),
            valide_au: jour(self.valide_au),
            date_maj: jour(self.date_maj),
            complete: true,
            ..Default::default()
        }
    }
}

/// A system known by its OID.
fn par_oid(oid: &str) -> String {
    format!("{PAR_OID}{}", oid.trim())
}

/// A code of a NOS file, its dates as published.
fn concept(systeme: String, code: &str, libelle: &str) -> Concept {
    Concept { systeme, code: code.to_owned(), libelle: libelle.to_owned(), ..Default::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::essais::{jdv, tre};

    #[test]
    fn days_statuses_and_canonicals_have_one_form() {
        for (publie, iso) in [
            ("20241025120000", "2024-10-25"),
            ("20241025", "2024-10-25"),
            ("2024-10-25T12:00:00+02:00", "2024-10-25"),
            ("2024-10-25", "2024-10-25"),
            ("", ""),
            ("hier", "hier"),
        ] {
            assert_eq!(jour(publie), iso);
        }
        assert_eq!((statut("inactive"), statut("Active"), statut("x")), (RETIRE, ACTIF, "x"));
        let nos = "https://mos.esante.gouv.fr/NOS/TRE_R211-Activite";
        let fhir = format!("{nos}/FHIR/TRE-R211-Activite");
        assert_eq!(canonique_nos(nos, "TRE_R211-Activite"), fhir);
        assert_eq!(canonique_nos(&format!("{nos}/TABS/x.tabs"), "TRE_R211-Activite"), fhir);
        assert_eq!(canonique_nos(&fhir, "TRE_R211-Activite"), fhir);
        assert_eq!(
            canonique_nos("https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r394", "tre-r394"),
            "https://smt.esante.gouv.fr/fhir/CodeSystem/tre-r394"
        );
        assert_eq!((sorte_du_nom("ASS_X09-A"), sorte_du_nom("tre-r394")), (Sorte::Ass, Sorte::Unspecified));
    }

    #[test]
    fn oids_become_canonicals_and_labels_are_filled_in() {
        let mut t = tre("1", vec![Concept { code: "1".into(), libelle: "Un".into(), ..Default::default() }]);
        t.oid = "1.2".into();
        let lot = Lecture {
            nomenclatures: vec![
                jdv("1", &[("?oid:1.2", "1"), ("?oid:1.3", "2")]),
                jdv("2", &[("?oid:9.9", "1"), ("?oid:9.9", "2")]),
                t,
            ],
            fautes: Vec::new(),
        };
        assert_eq!(oids_manquants(&lot), ["1.3", "9.9"]);
        let mut l = lot;
        resoudre(&mut l, &HashMap::from([("1.3".to_owned(), "urn:u".to_owned())]));
        assert_eq!(l.nomenclatures.len(), 2, "the unresolved one is left out");
        let lus: Vec<_> =
            l.nomenclatures[0].concepts.iter().map(|c| (c.systeme.as_str(), c.libelle.as_str())).collect();
        assert_eq!(lus, [("urn:t", "Un"), ("urn:u", "")]);
        assert_eq!(l.fautes.len(), 1);
        assert!(l.fautes[0].regle == "oid-inconnu" && l.fautes[0].message.contains("9.9"), "{:?}", l.fautes);
    }
}
