//! Tolerant view of a JSON object that knows its path and notes what it meets.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use ror_domaine::identifiants::Finess;
use ror_proto::common::v1::Faute;
use serde_json::Value;

use super::super::faute;
use super::arbre::{Enfants, Noeud, Valeur};

/// Faults of the element being read, warnings and repairs of the whole file.
#[derive(Debug, Default)]
pub(in crate::formats) struct Carnet {
    constats: BTreeMap<&'static str, u64>,
    fautes: Vec<Faute>,
}

impl Carnet {
    /// Counts a warning or a repair.
    pub(in crate::formats) fn constater(&mut self, regle: &'static str) {
        *self.constats.entry(regle).or_default() += 1;
    }

    /// Adds a fault to the element being read.
    pub(in crate::formats) fn ajouter_faute(&mut self, faute: Faute) {
        self.fautes.push(faute);
    }

    /// True when the element being read has faults.
    pub(in crate::formats) fn a_des_fautes(&self) -> bool {
        !self.fautes.is_empty()
    }

    /// Takes the faults of the element that was read.
    pub(in crate::formats) fn prendre_fautes(&mut self) -> Vec<Faute> {
        std::mem::take(&mut self.fautes)
    }

    /// The warnings and repairs.
    pub(in crate::formats) fn constats(self) -> BTreeMap<&'static str, u64> {
        self.constats
    }

    fn forme(&mut self, chemin: &str, attendu: &str) {
        self.ajouter_faute(faute(
            chemin,
            "forme-inattendue",
            "L'élément n'a pas la forme attendue.",
            attendu,
        ));
    }
}

/// Where an element is in the file; written only when something is wrong with it.
#[derive(Debug, Clone, Copy)]
pub(in crate::formats) enum Chemin<'c> {
    /// An element of an array of the root: its rank, from 1.
    Racine(&'static str, u64),
    /// A key of an object.
    Cle(&'c Chemin<'c>, &'static str),
    /// An element of the list that a key of an object holds: its rank, from 1.
    Element(&'c Chemin<'c>, &'static str, usize),
}

impl fmt::Display for Chemin<'_> {
    fn fmt(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Racine(liste, rang) => write!(sortie, "{liste}[{rang}]"),
            Self::Cle(objet, cle) => write!(sortie, "{objet}.{cle}"),
            Self::Element(objet, cle, rang) => write!(sortie, "{objet}.{cle}[{rang}]"),
        }
    }
}

/// Keys of which the place is kept; beyond, they are searched.
const PLACES: usize = 32;

/// A JSON object, or nothing when it is absent or null.
pub(in crate::formats) struct Vue<'v> {
    objet: Option<Noeud<'v>>,
    cles: &'static [&'static str],
    /// Rank in the tree of the value of each key, 0 when it is absent.
    places: [usize; PLACES],
    chemin: Chemin<'v>,
}

impl<'v> Vue<'v> {
    /// Looks at a value that must be an object or null; counts unknown keys.
    fn nouvelle(
        valeur: Option<Noeud<'v>>,
        chemin: Chemin<'v>,
        cles: &'static [&'static str],
        carnet: &mut Carnet,
    ) -> Self {
        let mut vue = Self { objet: None, cles, places: [0; PLACES], chemin };
        let Some(noeud) = valeur else {
            return vue;
        };
        match noeud.valeur() {
            Valeur::Objet(_) => {
                vue.objet = Some(noeud);
                vue.placer(noeud, carnet);
            }
            Valeur::Nul => {}
            Valeur::Booleen(_) | Valeur::Nombre(_) | Valeur::Texte(_) | Valeur::Liste(_) => {
                carnet.forme(&chemin.to_string(), "un objet");
            }
        }
        vue
    }

    /// Finds the keys of the object: they nearly always come in the order of `cles`.
    fn placer(&mut self, objet: Noeud<'v>, carnet: &mut Carnet) {
        let mut suivante = 0;
        let mut inconnues = Vec::new();
        for enfant in objet.enfants() {
            let cle = enfant.cle();
            let rang = match self.cles.get(suivante) {
                Some(attendue) if *attendue == cle => Some(suivante),
                _ => self.cles.iter().position(|connue| *connue == cle),
            };
            let Some(rang) = rang else {
                inconnues.push(cle);
                continue;
            };
            if let Some(place) = self.places.get_mut(rang) {
                *place = enfant.rang();
            }
            suivante = rang + 1;
        }
        inconnues.sort_unstable();
        inconnues.dedup();
        for _ in inconnues {
            carnet.constater("cle-inconnue");
        }
    }

    /// The same, for an element that may not be null.
    pub(in crate::formats) fn requise(
        valeur: Noeud<'v>,
        chemin: Chemin<'v>,
        cles: &'static [&'static str],
        carnet: &mut Carnet,
    ) -> Self {
        if matches!(valeur.valeur(), Valeur::Nul) {
            carnet.ajouter_faute(faute(
                &chemin.to_string(),
                "forme-inattendue",
                "L'élément est vide.",
                "un objet",
            ));
        }
        Self::nouvelle(Some(valeur), chemin, cles, carnet)
    }

    /// Path of one of its keys.
    pub(in crate::formats) fn chemin(&self, cle: &str) -> String {
        format!("{}.{cle}", self.chemin)
    }

    fn valeur(&self, cle: &str) -> Option<Noeud<'v>> {
        let objet = self.objet?;
        let rang = self.cles.iter().position(|connue| *connue == cle);
        match rang.and_then(|rang| self.places.get(rang)) {
            Some(0) => None,
            Some(place) => Some(objet.voisin(*place)),
            None => objet.get(cle),
        }
    }

    /// A text exactly as it is, empty when absent.
    pub(in crate::formats) fn texte_brut(&self, cle: &str, carnet: &mut Carnet) -> Cow<'v, str> {
        let Some(noeud) = self.valeur(cle) else {
            return Cow::Borrowed("");
        };
        match noeud.valeur() {
            Valeur::Nul => Cow::Borrowed(""),
            Valeur::Texte(texte) => Cow::Borrowed(&**texte),
            Valeur::Nombre(_) | Valeur::Booleen(_) => {
                carnet.constater("scalaire-non-textuel");
                Cow::Owned(Value::from(noeud).to_string())
            }
            Valeur::Liste(_) | Valeur::Objet(_) => {
                carnet.forme(&self.chemin(cle), "un texte");
                Cow::Borrowed("")
            }
        }
    }

    /// A text without the spaces around it, empty when absent; not copied.
    pub(in crate::formats) fn texte_vu(&self, cle: &str, carnet: &mut Carnet) -> Cow<'v, str> {
        match self.texte_brut(cle, carnet) {
            Cow::Borrowed(brut) => {
                let texte = brut.trim();
                if texte.len() != brut.len() {
                    carnet.constater("texte-rembourre");
                }
                Cow::Borrowed(texte)
            }
            // A number or a boolean has no space around it.
            ecrit @ Cow::Owned(_) => ecrit,
        }
    }

    /// A text without the spaces around it, empty when absent.
    pub(in crate::formats) fn texte(&self, cle: &str, carnet: &mut Carnet) -> String {
        self.texte_vu(cle, carnet).into_owned()
    }

    /// A text that may also be the first of a list.
    pub(in crate::formats) fn premier_texte(&self, cle: &str, carnet: &mut Carnet) -> String {
        let liste = self.valeur(cle).filter(|noeud| matches!(noeud.valeur(), Valeur::Liste(_)));
        let Some(liste) = liste else {
            return self.texte(cle, carnet);
        };
        match liste.enfants().next().map(Noeud::valeur) {
            None | Some(Valeur::Nul) => String::new(),
            Some(Valeur::Texte(texte)) => texte.trim().to_owned(),
            Some(_) => {
                carnet.forme(&self.chemin(cle), "une liste de textes");
                String::new()
            }
        }
    }

    /// A FINESS number. A wrong form is a fault; a wrong key is counted and kept.
    pub(in crate::formats) fn finess(&self, cle: &str, carnet: &mut Carnet) -> String {
        let brut = self.texte_vu(cle, carnet);
        match Finess::lire_delivre(&brut) {
            Ok((lu, avertissement)) => {
                if avertissement.is_some() {
                    carnet.constater("finess-cle-invalide");
                }
                lu.as_str().to_owned()
            }
            Err(invalide) => {
                carnet.ajouter_faute(faute(
                    &self.chemin(cle),
                    invalide.regle,
                    &invalide.message,
                    invalide.attendu,
                ));
                String::new()
            }
        }
    }

    /// An object it holds.
    pub(in crate::formats) fn sous(
        &self,
        cle: &'static str,
        cles: &'static [&'static str],
        carnet: &mut Carnet,
    ) -> Vue<'_> {
        Vue::nouvelle(self.valeur(cle), Chemin::Cle(&self.chemin, cle), cles, carnet)
    }

    /// A list it holds, empty when absent or null.
    pub(in crate::formats) fn liste(&self, cle: &str, carnet: &mut Carnet) -> Enfants<'v> {
        let Some(noeud) = self.valeur(cle) else {
            return Enfants::default();
        };
        match noeud.valeur() {
            Valeur::Nul => Enfants::default(),
            Valeur::Liste(_) => noeud.enfants(),
            Valeur::Booleen(_) | Valeur::Nombre(_) | Valeur::Texte(_) | Valeur::Objet(_) => {
                carnet.forme(&self.chemin(cle), "une liste");
                Enfants::default()
            }
        }
    }

    /// The objects of a list it holds.
    pub(in crate::formats) fn vues(
        &self,
        cle: &'static str,
        cles: &'static [&'static str],
        carnet: &mut Carnet,
    ) -> Vec<Vue<'_>> {
        let mut vues = Vec::new();
        for (rang, noeud) in self.liste(cle, carnet).enumerate() {
            let chemin = Chemin::Element(&self.chemin, cle, rang + 1);
            vues.push(Vue::nouvelle(Some(noeud), chemin, cles, carnet));
        }
        vues
    }

    /// A date as AAAA-MM-JJ, empty when absent, unknown (1900-01-01) or malformed; not
    /// copied.
    pub(in crate::formats) fn date_vue(&self, cle: &str, carnet: &mut Carnet) -> Cow<'v, str> {
        let texte = self.texte_vu(cle, carnet);
        if texte.is_empty() {
            return texte;
        }
        let jour = texte.get(..10).unwrap_or_default();
        if jour == "1900-01-01" {
            carnet.constater("date-inconnue");
            return Cow::Borrowed("");
        }
        if !est_date(jour) {
            carnet.constater("date-invalide");
            return Cow::Borrowed("");
        }
        match texte {
            Cow::Borrowed(texte) => Cow::Borrowed(texte.get(..10).unwrap_or_default()),
            Cow::Owned(mut texte) => {
                texte.truncate(10);
                Cow::Owned(texte)
            }
        }
    }

    /// A date as AAAA-MM-JJ, empty when absent, unknown (1900-01-01) or malformed.
    pub(in crate::formats) fn date(&self, cle: &str, carnet: &mut Carnet) -> String {
        self.date_vue(cle, carnet).into_owned()
    }

    /// An instant `AAAA-MM-JJ hh:mm:ss`, given back with a `T`; a date alone stays
    /// a date.
    pub(in crate::formats) fn instant(&self, cle: &str, carnet: &mut Carnet) -> String {
        let jour = self.date(cle, carnet);
        if jour.is_empty() {
            return jour;
        }
        let brut = self.valeur(cle).and_then(Noeud::texte).unwrap_or_default();
        match brut.trim().split_once([' ', 'T']) {
            Some((_, heure)) if est_heure(heure) => format!("{jour}T{heure}"),
            _ => jour,
        }
    }
}

/// Compares with a pattern where `9` stands for a digit.
fn suit(texte: &str, patron: &str) -> bool {
    texte.len() == patron.len()
        && texte
            .bytes()
            .zip(patron.bytes())
            .all(|(octet, modele)| if modele == b'9' { octet.is_ascii_digit() } else { octet == modele })
}

fn nombre(texte: &str, debut: usize) -> u32 {
    texte.get(debut..debut + 2).and_then(|morceau| morceau.parse().ok()).unwrap_or(u32::MAX)
}

/// True for AAAA-MM-JJ.
pub(super) fn est_date(texte: &str) -> bool {
    suit(texte, "9999-99-99") && (1..=12).contains(&nombre(texte, 5)) && (1..=31).contains(&nombre(texte, 8))
}

fn est_heure(texte: &str) -> bool {
    suit(texte, "99:99:99") && nombre(texte, 0) < 24 && nombre(texte, 3) < 60 && nombre(texte, 6) < 60
}
