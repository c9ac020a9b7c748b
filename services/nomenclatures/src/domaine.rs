//! What a version of a nomenclature must be, and what changes from one to the next.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use prost::Message;
use ror_chassis::{
    Erreur, Resultat,
    conversion::{horodatage, instant, maintenant},
    erreur::faute,
    magasin::Ligne,
};
use ror_domaine::{controle::lire_date, ressource::id_nomenclature};
use ror_proto::{
    common::v1::{Evenement, Faute, Meta},
    nomenclatures::v1::{Concept, Nomenclature, Sorte},
};
use time::OffsetDateTime;

/// Kind of the aggregates.
pub const GENRE: &str = "nomenclature";
/// Status of a code that may be used.
pub const ACTIF: &str = "active";
/// Status of a code that may no longer be entered.
pub const RETIRE: &str = "retired";

const STATUTS: [&str; 4] = ["draft", ACTIF, "deprecated", RETIRE];
/// Faults told for one load; a broken file would otherwise answer with one a line.
const FAUTES_MAX: usize = 500;

/// A version as stored: its concepts, and when the store last changed it.
#[derive(Clone, Debug)]
pub struct Edition {
    /// The nomenclature, metadata complete.
    pub nomenclature: Nomenclature,
    /// Version of the aggregate.
    pub version: u64,
    /// Instant of the load.
    pub maj_le: OffsetDateTime,
}

impl Edition {
    /// From a row of the store.
    pub fn depuis_ligne(l: &Ligne) -> Resultat<Self> {
        Self::decoder(l.etat.clone(), l.version, l.maj_le)
    }

    /// From an event that carries its state.
    pub fn depuis_evenement(e: &Evenement) -> Resultat<Self> {
        let maj_le =
            e.date.as_ref().and_then(instant).ok_or_else(|| Erreur::interne("event without date"))?;
        Self::decoder(e.etat.clone(), e.version, maj_le)
    }

    fn decoder(etat: Bytes, version: u64, maj_le: OffsetDateTime) -> Resultat<Self> {
        let mut nomenclature = Nomenclature::decode(etat)?;
        let meta = nomenclature.meta.get_or_insert_default();
        meta.version = version;
        meta.date_maj = Some(horodatage(maj_le));
        if meta.date_creation.is_none() {
            meta.date_creation = meta.date_maj;
        }
        Ok(Self { nomenclature, version, maj_le })
    }

    /// The nomenclature without its concepts.
    pub fn entete(&self) -> Nomenclature {
        let n = &self.nomenclature;
        Nomenclature {
            meta: n.meta.clone(),
            sorte: n.sorte,
            canonique: n.canonique.clone(),
            version: n.version.clone(),
            nom: n.nom.clone(),
            oid: n.oid.clone(),
            valide_du: n.valide_du.clone(),
            valide_au: n.valide_au.clone(),
            complete: n.complete,
            concepts: Vec::new(),
        }
    }
}

/// One form for one content: metadata reduced to the id, statuses filled in, the
/// system of a TRE's concepts left implicit.
pub fn normaliser(mut n: Nomenclature) -> Nomenclature {
    n.meta = Some(Meta { id: id_nomenclature(&n.canonique, &n.version), ..Default::default() });
    let tre = n.sorte() == Sorte::Tre;
    for c in &mut n.concepts {
        if c.statut.is_empty() {
            c.statut = ACTIF.to_owned();
        }
        if tre && c.systeme == n.canonique {
            c.systeme.clear();
        }
    }
    n
}

/// The state to store over the present one: the creation date is that of the first load.
pub fn etat(n: &Nomenclature, courant: Option<&Ligne>) -> Bytes {
    let creation = courant
        .and_then(|l| Nomenclature::decode(l.etat.clone()).ok())
        .and_then(|ancienne| ancienne.meta)
        .and_then(|m| m.date_creation)
        .unwrap_or_else(|| horodatage(maintenant()));
    let mut n = n.clone();
    n.meta.get_or_insert_default().date_creation = Some(creation);
    n.encode_to_vec().into()
}

#[derive(Default)]
struct Fautes {
    liste: Vec<Faute>,
    tues: usize,
}

impl Fautes {
    fn refuser(&mut self, element: &str, regle: &str, message: impl Into<String>, attendu: &str) {
        if self.liste.len() < FAUTES_MAX {
            self.liste.push(faute(element, regle, message, attendu));
        } else {
            self.tues += 1;
        }
    }

    fn texte(&mut self, element: &str, texte: &str, max: usize) {
        if texte.chars().count() > max {
            self.refuser(
                element,
                "longueur",
                format!("{element} dépasse {max} caractères."),
                "un texte plus court",
            );
        }
        if texte.chars().any(char::is_control) {
            self.refuser(
                element,
                "caractere",
                format!("{element} contient un caractère de contrôle."),
                "un texte lisible",
            );
        }
    }

    fn dates(&mut self, element: &str, du: &str, au: &str) {
        let mut lues = [None, None];
        for (lue, (nom, texte)) in lues.iter_mut().zip([("valide_du", du), ("valide_au", au)]) {
            *lue = lire_date(texte);
            if !texte.is_empty() && lue.is_none() {
                self.refuser(
                    &format!("{element}{nom}"),
                    "date",
                    format!("« {texte} » n'est pas une date."),
                    "AAAA-MM-JJ",
                );
            }
        }
        if let [Some(du), Some(au)] = lues
            && au < du
        {
            self.refuser(
                &format!("{element}valide_au"),
                "ordre-des-dates",
                "La fin de validité précède le début.",
                "une date après le début",
            );
        }
    }

    fn finir(mut self) -> Vec<Faute> {
        if self.tues > 0 {
            let message = format!("Et {} autres fautes.", self.tues);
            self.liste.push(faute("concepts", "trop-de-fautes", message, "corriger puis recommencer"));
        }
        self.liste
    }
}

/// Every fault of a normalised version.
pub fn valider(n: &Nomenclature) -> Vec<Faute> {
    let mut f = Fautes::default();
    if n.canonique.trim().is_empty() {
        f.refuser(
            "canonique",
            "obligatoire",
            "Le canonique manque.",
            "un canonique d'au plus 500 caractères",
        );
    }
    f.texte("canonique", &n.canonique, 500);
    f.texte("version", &n.version, 100);
    f.texte("nom", &n.nom, 255);
    f.texte("oid", &n.oid, 255);
    // The id joins canonical and version by this sign, and is read back from its last one.
    if n.version.contains('|') {
        f.refuser("version", "caractere", "La version contient « | ».", "une version sans « | »");
    }
    if n.sorte() == Sorte::Unspecified {
        f.refuser("sorte", "obligatoire", "La sorte de nomenclature manque.", "TRE ou JDV");
    }
    f.dates("", &n.valide_du, &n.valide_au);
    if n.concepts.is_empty() {
        f.refuser("concepts", "obligatoire", "La nomenclature n'a aucun code.", "au moins un code");
    }
    let mut vus = HashSet::with_capacity(n.concepts.len());
    for (rang, c) in n.concepts.iter().enumerate() {
        let element = format!("concepts[{rang}].");
        if c.code.trim().is_empty() {
            f.refuser(&format!("{element}code"), "obligatoire", "Le code manque.", "un code");
        } else if !vus.insert((c.systeme.as_str(), c.code.as_str())) {
            f.refuser(
                &format!("{element}code"),
                "doublon",
                format!("Le code « {} » est répété.", c.code),
                "chaque code une fois par système",
            );
        }
        f.texte(&format!("{element}code"), &c.code, 255);
        f.texte(&format!("{element}libelle"), &c.libelle, 2000);
        match n.sorte() {
            Sorte::Jdv if c.systeme.is_empty() => f.refuser(
                &format!("{element}systeme"),
                "obligatoire",
                format!("Le système du code « {} » manque.", c.code),
                "le canonique d'une TRE",
            ),
            Sorte::Tre if !c.systeme.is_empty() => f.refuser(
                &format!("{element}systeme"),
                "systeme-inconnu",
                format!("Le code « {} » est d'un autre système que sa TRE.", c.code),
                "rien, ou le canonique de la TRE",
            ),
            _ => {}
        }
        if !STATUTS.contains(&c.statut.as_str()) {
            f.refuser(
                &format!("{element}statut"),
                "valeur",
                format!("Statut « {} » inconnu.", c.statut),
                "draft, active, deprecated ou retired",
            );
        }
        f.dates(&element, &c.valide_du, &c.valide_au);
    }
    f.finir()
}

/// How many codes a version adds, changes and drops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ecarts {
    /// New codes.
    pub ajoutes: u32,
    /// Codes whose label, status or dates changed.
    pub modifies: u32,
    /// Codes no longer present.
    pub retires: u32,
}

/// The differences between two versions; without a former one, every code is new.
pub fn comparer(avant: Option<&Nomenclature>, apres: &Nomenclature) -> Ecarts {
    fn cle(c: &Concept) -> (&str, &str) {
        (c.systeme.as_str(), c.code.as_str())
    }
    let anciens: HashMap<_, _> =
        avant.into_iter().flat_map(|n| n.concepts.iter()).map(|c| (cle(c), c)).collect();
    let mut e = Ecarts::default();
    let mut gardes = 0usize;
    for c in &apres.concepts {
        match anciens.get(&cle(c)) {
            None => e.ajoutes += 1,
            Some(ancien) => {
                gardes += 1;
                if *ancien != c {
                    e.modifies += 1;
                }
            }
        }
    }
    e.retires = u32::try_from(anciens.len().saturating_sub(gardes)).unwrap_or(u32::MAX);
    e
}

/// Whether a code may be used at an ISO date. Known dates decide; a code retired
/// without a known end is usable at no date.
pub fn utilisable(c: &Concept, date: &str) -> bool {
    if !c.valide_du.is_empty() && date < c.valide_du.as_str() {
        return false;
    }
    if c.valide_au.is_empty() { c.statut != RETIRE } else { date <= c.valide_au.as_str() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concept(code: &str, libelle: &str) -> Concept {
        Concept { code: code.into(), libelle: libelle.into(), ..Default::default() }
    }

    fn tre(concepts: Vec<Concept>) -> Nomenclature {
        normaliser(Nomenclature {
            sorte: Sorte::Tre as i32,
            canonique: "urn:t".into(),
            concepts,
            ..Default::default()
        })
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let n = normaliser(Nomenclature {
            version: "a|b".into(),
            valide_du: "2024-13-01".into(),
            concepts: vec![
                concept("", "x"),
                concept("1", "x"),
                concept("1", "y"),
                Concept {
                    code: "2".into(),
                    statut: "inactive".into(),
                    valide_du: "2024-02-01".into(),
                    valide_au: "2024-01-01".into(),
                    ..Default::default()
                },
            ],
            ..Default::default()
        });
        let fautes = valider(&n);
        let regles: Vec<_> = fautes.iter().map(|f| (f.element.as_str(), f.regle.as_str())).collect();
        assert_eq!(
            regles,
            [
                ("canonique", "obligatoire"),
                ("version", "caractere"),
                ("sorte", "obligatoire"),
                ("valide_du", "date"),
                ("concepts[0].code", "obligatoire"),
                ("concepts[2].code", "doublon"),
                ("concepts[3].statut", "valeur"),
                ("concepts[3].valide_au", "ordre-des-dates"),
            ]
        );
    }

    #[test]
    fn a_sound_version_has_no_fault_and_one_form() {
        let n = tre(vec![Concept { systeme: "urn:t".into(), ..concept("1", "x") }]);
        assert!(valider(&n).is_empty());
        assert_eq!((n.concepts[0].systeme.as_str(), n.concepts[0].statut.as_str()), ("", ACTIF));
        assert_eq!(n.meta.map(|m| m.id), Some("urn:t|".to_owned()));
    }

    #[test]
    fn too_many_faults_are_counted() {
        let n = tre(vec![concept("", "x"); 800]);
        let fautes = valider(&n);
        assert_eq!(fautes.len(), FAUTES_MAX + 1);
        assert!(fautes[FAUTES_MAX].message.contains("300"));
    }

    #[test]
    fn differences_are_counted() {
        let avant = tre(vec![concept("1", "un"), concept("2", "deux"), concept("3", "trois")]);
        let apres =
            tre(vec![concept("1", "un"), concept("2", "Deux"), concept("4", "quatre"), concept("5", "cinq")]);
        assert_eq!(comparer(Some(&avant), &apres), Ecarts { ajoutes: 2, modifies: 1, retires: 1 });
        assert_eq!(comparer(None, &avant), Ecarts { ajoutes: 3, modifies: 0, retires: 0 });
    }

    #[test]
    fn known_dates_decide_and_retirement_without_date_is_final() {
        let c = |statut: &str, du: &str, au: &str| Concept {
            statut: statut.into(),
            valide_du: du.into(),
            valide_au: au.into(),
            ..Default::default()
        };
        assert!(utilisable(&c(RETIRE, "", "2018-01-26"), "2018-01-26"));
        assert!(!utilisable(&c(RETIRE, "", "2018-01-26"), "2018-01-27"));
        assert!(!utilisable(&c(RETIRE, "", ""), "2018-01-26"));
        assert!(utilisable(&c("deprecated", "2015-04-08", ""), "2026-11-21"));
        assert!(!utilisable(&c(ACTIF, "2015-04-08", ""), "2015-04-07"));
    }
}
