//! From a text to the terms of the index: words folded, cut at every sign, without elisions nor empty words; each word
//! and its stem at its place; abbreviations with all their forms. Queries and texts go through the same.

use std::{borrow::Cow, collections::HashMap};

use foldhash::fast::RandomState;
use rust_stemmers::{Algorithm, Stemmer};

use super::abreviations;
use crate::modele::plier;

/// Bytes of a text that are read.
pub(super) const TEXTE_OCTETS: usize = 8_192;
/// Bytes of a word that are kept.
pub(super) const MOT_OCTETS: usize = 40;
/// Begins the terms that are stems; no word holds it.
pub(super) const MARQUE: char = '=';
/// Stems remembered.
const MEMOIRE: usize = 100_000;

/// A term at its place. Several terms may share a place, and a term may be at several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Occurrence {
    pub position: u32,
    pub terme: String,
}

/// The start of a text that is read.
pub(super) fn borner(texte: &str) -> &str {
    &texte[..texte.floor_char_boundary(TEXTE_OCTETS)]
}

/// The words of a text, in order.
pub(super) fn mots(texte: &str) -> Vec<String> {
    let lettres: Vec<char> = plier(borner(texte)).chars().collect();
    let mut sortie = Vec::new();
    let mut mot = String::new();
    let mut sigle = false;
    for (i, lettre) in lettres.iter().copied().enumerate() {
        if lettre.is_alphanumeric() {
            mot.push(lettre);
        } else if apostrophe(lettre) && elision(&mot) {
            mot.clear();
            sigle = false;
        } else if lettre == '.' && (sigle || mot.chars().count() == 1) && initiale(&lettres[i + 1..]) {
            sigle = true;
        } else {
            clore(&mut mot, &mut sortie);
            sigle = false;
        }
    }
    clore(&mut mot, &mut sortie);
    sortie
}

fn clore(mot: &mut String, sortie: &mut Vec<String>) {
    if !mot.is_empty() && !vide(mot) {
        sortie.push(mot[..mot.floor_char_boundary(MOT_OCTETS)].to_owned());
    }
    mot.clear();
}

/// Whether one letter alone comes next, as within « C.H.U. ».
fn initiale(suite: &[char]) -> bool {
    suite.first().is_some_and(|l| l.is_alphabetic()) && suite.get(1).is_none_or(|l| !l.is_alphanumeric())
}

fn apostrophe(lettre: char) -> bool {
    matches!(lettre, '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}')
}

fn elision(mot: &str) -> bool {
    matches!(
        mot,
        "l" | "d" | "j" | "m" | "n" | "s" | "t" | "c" | "qu" | "jusqu" | "lorsqu" | "puisqu" | "quoiqu"
    )
}

/// Words that say nothing; `l` and `d` stand for elisions in capitals without apostrophe.
fn vide(mot: &str) -> bool {
    matches!(
        mot,
        "a" | "au"
            | "aux"
            | "avec"
            | "ce"
            | "ces"
            | "d"
            | "dans"
            | "de"
            | "des"
            | "du"
            | "en"
            | "et"
            | "l"
            | "la"
            | "le"
            | "les"
            | "ou"
            | "par"
            | "pour"
            | "que"
            | "qui"
            | "sa"
            | "ses"
            | "son"
            | "sur"
            | "un"
            | "une"
    )
}

/// The stem of a word; itself when it is short or not made of plain letters.
pub(super) fn racine(mot: &str) -> Cow<'_, str> {
    if mot.len() < 4 || !mot.bytes().all(|o| o.is_ascii_lowercase()) {
        return Cow::Borrowed(mot);
    }
    let francais = Stemmer::create(Algorithm::French);
    let racine = match masculin(mot) {
        Some(m) => Cow::Owned(francais.stem(&m).into_owned()),
        None => francais.stem(mot),
    };
    if racine.is_empty() { Cow::Borrowed(mot) } else { racine }
}

/// The masculine of words in « -ière » and « -ée », which the stemmer only knows by their accents.
fn masculin(mot: &str) -> Option<String> {
    let singulier = mot.strip_suffix('s').unwrap_or(mot);
    let debut = singulier.strip_suffix("iere").map(|d| format!("{d}ier"));
    debut.or_else(|| singulier.strip_suffix("ee").map(|d| format!("{d}e")))
}

/// Words of a text, as its length counts them.
pub(super) fn longueur(texte: &str) -> u64 {
    u64::try_from(borner(texte).lines().map(|l| mots(l).len()).sum::<usize>()).unwrap_or(u64::MAX).min(255)
}

/// Cuts texts, remembering the stems of the words met.
#[derive(Clone, Default)]
pub struct Analyse {
    /// `None` for a word that is its own stem.
    racines: HashMap<String, Option<Box<str>>, RandomState>,
}

impl Analyse {
    /// The terms of a text, sorted by place. Lines are apart: no phrase runs from one to the next.
    pub(super) fn occurrences(&mut self, texte: &str) -> Vec<Occurrence> {
        if self.racines.len() >= MEMOIRE {
            self.racines.clear();
        }
        let mut sortie = Vec::new();
        let mut position = 0;
        for ligne in borner(texte).lines() {
            position = self.ligne(ligne, position, &mut sortie) + 1;
        }
        sortie.sort_unstable();
        sortie.dedup();
        sortie
    }

    /// Adds the terms of a line from a place on; the place after it.
    fn ligne(&mut self, ligne: &str, depart: u32, sortie: &mut Vec<Occurrence>) -> u32 {
        let mots = mots(ligne);
        for mot in &mots {
            self.retenir(mot);
        }
        let racines: Vec<&str> = mots.iter().map(|m| self.racine(m)).collect();
        let mut position = depart;
        let mut i = 0;
        while i < mots.len() {
            let Some((groupe, n)) = abreviations::trouver(&mots[i..], &racines[i..]) else {
                pousser(sortie, position, &mots[i], racines[i]);
                position += 1;
                i += 1;
                continue;
            };
            let etendue = groupe.etendue.max(n);
            aligner(sortie, position, etendue, &mots[i..i + n], &racines[i..i + n]);
            for forme in &groupe.formes {
                let racines: Vec<&str> = forme.racines.iter().map(String::as_str).collect();
                aligner(sortie, position, etendue, &forme.mots, &racines);
            }
            position += u32::try_from(etendue).unwrap_or(1);
            i += n;
        }
        position
    }

    fn retenir(&mut self, mot: &str) {
        if self.racines.contains_key(mot) {
            return;
        }
        let racine = racine(mot);
        let retenue = (racine != mot).then(|| Box::from(&*racine));
        self.racines.insert(mot.to_owned(), retenue);
    }

    fn racine<'a>(&'a self, mot: &'a str) -> &'a str {
        match self.racines.get(mot) {
            Some(Some(racine)) => racine,
            _ => mot,
        }
    }
}

fn pousser(sortie: &mut Vec<Occurrence>, position: u32, mot: &str, racine: &str) {
    sortie.push(Occurrence { position, terme: mot.to_owned() });
    if racine != mot {
        sortie.push(Occurrence { position, terme: format!("{MARQUE}{racine}") });
    }
}

/// Lays a form over the places of its group, against both ends: what comes before and after is next to it whichever
/// form a phrase is written in.
fn aligner(sortie: &mut Vec<Occurrence>, position: u32, etendue: usize, mots: &[String], racines: &[&str]) {
    for depart in [0, etendue.saturating_sub(mots.len())] {
        for (k, (mot, racine)) in mots.iter().zip(racines).enumerate() {
            pousser(sortie, position + u32::try_from(depart + k).unwrap_or(0), mot, racine);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_cut() {
        for (texte, attendus) in [
            ("Hôpital de l'Archet", vec!["hopital", "archet"]),
            ("HOPITAL DE L ARCHET", vec!["hopital", "archet"]),
            ("l’Œuvre d'Éole", vec!["oeuvre", "eole"]),
            ("Saint-Nazaire/La Baule (44)", vec!["saint", "nazaire", "baule", "44"]),
            ("C.H.U. de Nantes", vec!["chu", "nantes"]),
            ("C.H.U", vec!["chu"]),
            ("M.Dupont, M. Durand", vec!["m", "dupont", "m", "durand"]),
            ("aujourd'hui qu'on", vec!["aujourd", "hui", "on"]),
            ("cafe\u{301}", vec!["cafe"]),
            ("Hépatite C", vec!["hepatite", "c"]),
            ("3.5 T2 n°4", vec!["3", "5", "t2", "n", "4"]),
            ("de la", vec![]),
            ("'... -- ", vec![]),
        ] {
            assert_eq!(mots(texte), attendus, "{texte}");
        }
        assert!(mots(&"é".repeat(100_000)).iter().all(|m| m.len() <= MOT_OCTETS));
    }

    #[test]
    fn inflected_forms_share_a_stem() {
        for (a, b) in [
            ("cardiologie", "cardiologies"),
            ("infirmier", "infirmiers"),
            ("psychiatrie", "psychiatrique"),
            ("medicale", "medicaux"),
            ("urgence", "urgences"),
            ("hospitalieres", "hospitalier"),
            ("specialisees", "specialise"),
        ] {
            assert_eq!(racine(a), racine(b), "{a} {b}");
        }
        assert_eq!(racine("chu"), "chu");
        assert_eq!(racine("t2000"), "t2000");
        assert_eq!(racine("élan"), "élan");
    }

    fn places(texte: &str, terme: &str) -> Vec<u32> {
        let o = Analyse::default().occurrences(texte);
        o.iter().filter(|o| o.terme == terme).map(|o| o.position).collect()
    }

    #[test]
    fn abbreviations_bring_all_their_forms() {
        assert_eq!(places("CHU de Nantes", "universitaire"), [2]);
        assert_eq!(places("CHU de Nantes", "chu"), [0, 2]);
        assert_eq!(places("CHU de Nantes", "nantes"), [3]);
        assert_eq!(places("Centre hospitalier universitaire de Nantes", "chu"), [0, 2]);
        assert_eq!(places("Centre hospitalier universitaire de Nantes", "nantes"), [3]);
        assert_eq!(places("Clinique St Jean", "saint"), [1]);
        assert_eq!(places("Clinique Saint-Jean", "st"), [1]);
        assert_eq!(places("SSR", "smr"), [0, 2]);
    }

    #[test]
    fn lines_are_apart() {
        assert_eq!(places("soins\nsuite", "suite"), [2]);
        assert_eq!(places("soins suite", "suite"), [1]);
        assert_eq!(longueur("Hôpital de jour\nl'Archet"), 3);
    }

    #[test]
    fn remembering_changes_nothing() {
        let mut a = Analyse::default();
        let texte = "Services de cardiologie, CHU et cliniques cardiologiques";
        let un = a.occurrences(texte);
        assert_eq!(a.occurrences(texte), un);
        assert!(un.windows(2).all(|p| p[0].position <= p[1].position));
        assert!(un.iter().any(|o| o.terme.starts_with(MARQUE)));
    }
}
