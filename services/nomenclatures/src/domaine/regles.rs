//! What a version must be, whoever sends it.

use std::collections::HashSet;

use ror_chassis::erreur::faute;
use ror_domaine::controle::lire_date;
use ror_proto::{
    common::v1::Faute,
    nomenclatures::v1::{Association, Concept, Nomenclature, Sorte},
};

use super::STATUTS;

/// Faults told for one load; a broken file would otherwise answer with one a line.
const FAUTES_MAX: usize = 500;
/// Most properties of a concept.
const PROPRIETES_MAX: usize = 100;
/// FHIR R4 ConceptMapEquivalence.
pub const EQUIVALENCES: [&str; 10] = [
    "relatedto",
    "equivalent",
    "equal",
    "wider",
    "subsumes",
    "narrower",
    "specializes",
    "inexact",
    SANS_CIBLE,
    "disjoint",
];
/// The equivalence of a source that has no target.
pub const SANS_CIBLE: &str = "unmatched";

/// Every fault of a normalised version.
pub fn valider(n: &Nomenclature) -> Vec<Faute> {
    let mut f = Fautes::default();
    f.entete(n);
    if n.sorte() == Sorte::Ass {
        f.associations(n);
    } else {
        f.concepts(n);
    }
    f.finir()
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

    fn entete(&mut self, n: &Nomenclature) {
        if n.canonique.trim().is_empty() {
            let attendu = "un canonique d'au plus 500 caractères";
            self.refuser("canonique", "obligatoire", "Le canonique manque.", attendu);
        }
        self.texte("canonique", &n.canonique, 500);
        self.texte("version", &n.version, 100);
        self.texte("nom", &n.nom, 255);
        self.texte("oid", &n.oid, 255);
        self.texte("titre", &n.titre, 500);
        self.texte("editeur", &n.editeur, 255);
        self.texte("source", &n.source, 500);
        self.texte("cible", &n.cible, 500);
        self.prose("description", &n.description, 20_000);
        // The id joins canonical and version by this sign, and is read back from its last one.
        if n.version.contains('|') {
            self.refuser("version", "caractere", "La version contient « | ».", "une version sans « | »");
        }
        if n.sorte() == Sorte::Unspecified {
            self.refuser("sorte", "obligatoire", "La sorte de nomenclature manque.", "TRE, JDV ou ASS");
        }
        self.dates("", &n.valide_du, &n.valide_au);
        self.date("date_maj", &n.date_maj);
    }

    fn concepts(&mut self, n: &Nomenclature) {
        if n.concepts.is_empty() {
            let message = "La nomenclature n'a aucun code.";
            self.refuser("concepts", "obligatoire", message, "au moins un code");
        }
        if !n.associations.is_empty() {
            let message = "Une TRE ou un JDV n'a pas d'association.";
            self.refuser("associations", "sorte", message, "la sorte ASS");
        }
        let mut vus = HashSet::with_capacity(n.concepts.len());
        for (rang, c) in n.concepts.iter().enumerate() {
            let element = format!("concepts[{rang}].");
            if c.code.trim().is_empty() {
                self.refuser(&format!("{element}code"), "obligatoire", "Le code manque.", "un code");
            } else if !vus.insert((c.systeme.as_str(), c.code.as_str())) {
                self.refuser(
                    &format!("{element}code"),
                    "doublon",
                    format!("Le code « {} » est répété.", c.code),
                    "chaque code une fois par système",
                );
            }
            self.concept(&element, c, n.sorte());
        }
    }

    fn concept(&mut self, element: &str, c: &Concept, sorte: Sorte) {
        self.texte(&format!("{element}code"), &c.code, 255);
        for (nom, texte) in
            [("libelle", &c.libelle), ("libelle_court", &c.libelle_court), ("libelle_long", &c.libelle_long)]
        {
            self.texte(&format!("{element}{nom}"), texte, 2000);
        }
        self.prose(&format!("{element}definition"), &c.definition, 20_000);
        match sorte {
            Sorte::Jdv if c.systeme.is_empty() => self.refuser(
                &format!("{element}systeme"),
                "obligatoire",
                format!("Le système du code « {} » manque.", c.code),
                "le canonique d'une TRE",
            ),
            Sorte::Tre if !c.systeme.is_empty() => self.refuser(
                &format!("{element}systeme"),
                "systeme-inconnu",
                format!("Le code « {} » est d'un autre système que sa TRE.", c.code),
                "rien, ou le canonique de la TRE",
            ),
            _ => {}
        }
        if !STATUTS.contains(&c.statut.as_str()) {
            self.refuser(
                &format!("{element}statut"),
                "valeur",
                format!("Statut « {} » inconnu.", c.statut),
                "draft, active, deprecated ou retired",
            );
        }
        self.dates(element, &c.valide_du, &c.valide_au);
        self.date(&format!("{element}date_maj"), &c.date_maj);
        if c.proprietes.len() > PROPRIETES_MAX {
            let message = format!("Le code « {} » a {} propriétés.", c.code, c.proprietes.len());
            self.refuser(&format!("{element}proprietes"), "taille", message, "100 au plus");
        }
        for p in c.proprietes.iter().take(PROPRIETES_MAX) {
            if p.code.is_empty() {
                let message = "Une propriété n'a pas de code.";
                self.refuser(&format!("{element}proprietes"), "obligatoire", message, "un code de propriété");
            }
            self.texte(&format!("{element}proprietes"), &p.code, 255);
            self.prose(&format!("{element}proprietes"), &p.valeur, 4000);
        }
    }

    fn associations(&mut self, n: &Nomenclature) {
        if n.associations.is_empty() {
            let message = "La table n'associe aucun code.";
            self.refuser("associations", "obligatoire", message, "au moins une association");
        }
        if !n.concepts.is_empty() {
            self.refuser("concepts", "sorte", "Une ASS n'a pas de code propre.", "la sorte TRE ou JDV");
        }
        let mut vues = HashSet::with_capacity(n.associations.len());
        for (rang, a) in n.associations.iter().enumerate() {
            let element = format!("associations[{rang}].");
            let cle = (&a.systeme_source, &a.code_source, &a.systeme_cible, &a.code_cible);
            if !vues.insert(cle) {
                let message = format!("L'association de « {} » est répétée.", a.code_source);
                self.refuser(&format!("{element}code_source"), "doublon", message, "chaque paire une fois");
            }
            self.association(&element, a);
        }
    }

    fn association(&mut self, element: &str, a: &Association) {
        let sans_cible = a.equivalence == SANS_CIBLE;
        for (nom, texte, requis) in [
            ("systeme_source", &a.systeme_source, true),
            ("code_source", &a.code_source, true),
            ("systeme_cible", &a.systeme_cible, !sans_cible),
            ("code_cible", &a.code_cible, !sans_cible),
        ] {
            let element = format!("{element}{nom}");
            if requis && texte.trim().is_empty() {
                let message = format!("L'élément {nom} manque.");
                self.refuser(&element, "obligatoire", message, "une valeur, ou l'équivalence unmatched");
            }
            self.texte(&element, texte, 500);
        }
        if !EQUIVALENCES.contains(&a.equivalence.as_str()) {
            let message = format!("Équivalence « {} » inconnue.", a.equivalence);
            let attendu = "un code FHIR R4 : equivalent, wider, narrower, relatedto…";
            self.refuser(&format!("{element}equivalence"), "valeur", message, attendu);
        }
        self.prose(&format!("{element}commentaire"), &a.commentaire, 4000);
    }

    fn texte(&mut self, element: &str, texte: &str, max: usize) {
        self.lisible(element, texte, max, char::is_control);
    }

    /// A text of several lines.
    fn prose(&mut self, element: &str, texte: &str, max: usize) {
        self.lisible(element, texte, max, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
    }

    fn lisible(&mut self, element: &str, texte: &str, max: usize, interdit: impl Fn(char) -> bool) {
        if texte.chars().count() > max {
            let message = format!("{element} dépasse {max} caractères.");
            self.refuser(element, "longueur", message, "un texte plus court");
        }
        if texte.chars().any(interdit) {
            let message = format!("{element} contient un caractère de contrôle.");
            self.refuser(element, "caractere", message, "un texte lisible");
        }
    }

    fn date(&mut self, element: &str, texte: &str) -> bool {
        let juste = texte.is_empty() || lire_date(texte).is_some();
        if !juste {
            self.refuser(element, "date", format!("« {texte} » n'est pas une date."), "AAAA-MM-JJ");
        }
        juste
    }

    fn dates(&mut self, element: &str, du: &str, au: &str) {
        let du_juste = self.date(&format!("{element}valide_du"), du);
        let au_juste = self.date(&format!("{element}valide_au"), au);
        // ISO dates order as texts.
        if du_juste && au_juste && !du.is_empty() && !au.is_empty() && au < du {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domaine::{essais::*, normaliser};

    fn regles(n: &Nomenclature) -> Vec<(String, String)> {
        valider(n).into_iter().map(|f| (f.element, f.regle)).collect()
    }

    fn attendues(liste: &[(&str, &str)]) -> Vec<(String, String)> {
        liste.iter().map(|(e, r)| ((*e).to_owned(), (*r).to_owned())).collect()
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
        let dites = [
            ("canonique", "obligatoire"),
            ("version", "caractere"),
            ("sorte", "obligatoire"),
            ("valide_du", "date"),
            ("concepts[0].code", "obligatoire"),
            ("concepts[2].code", "doublon"),
            ("concepts[3].statut", "valeur"),
            ("concepts[3].valide_au", "ordre-des-dates"),
        ];
        assert_eq!(regles(&n), attendues(&dites));
    }

    #[test]
    fn sound_versions_have_no_fault() {
        assert!(valider(&tre("1", vec![concept("1", "x")])).is_empty());
        assert!(valider(&jdv("1", &[("urn:t", "1"), ("urn:u", "1")])).is_empty());
        assert!(valider(&ass("1", &[("1", "A"), ("1", "B")])).is_empty());
    }

    #[test]
    fn associations_have_their_rules() {
        let mut n = ass("1", &[("1", "A"), ("1", "A"), ("2", ""), ("3", "")]);
        n.associations[3].equivalence = SANS_CIBLE.into();
        n.associations[0].equivalence = "pareil".into();
        n.concepts.push(concept("1", "x"));
        let dites = [
            ("concepts", "sorte"),
            ("associations[0].equivalence", "valeur"),
            ("associations[1].code_source", "doublon"),
            ("associations[2].code_cible", "obligatoire"),
        ];
        assert_eq!(regles(&n), attendues(&dites));
        assert_eq!(regles(&ass("1", &[])), attendues(&[("associations", "obligatoire")]));
    }

    #[test]
    fn too_many_faults_are_counted() {
        let fautes = valider(&tre("1", vec![concept("", "x"); 800]));
        assert_eq!(fautes.len(), FAUTES_MAX + 1);
        assert!(fautes[FAUTES_MAX].message.contains("300"));
    }

    #[test]
    fn a_definition_may_have_several_lines_and_a_label_one() {
        let prose = |definition: &str, libelle: &str| {
            let c = Concept { definition: definition.into(), ..concept("1", libelle) };
            regles(&tre("1", vec![c]))
        };
        assert!(prose("une\r\ndeux", "x").is_empty());
        assert_eq!(prose("", "une\ndeux"), attendues(&[("concepts[0].libelle", "caractere")]));
    }
}
