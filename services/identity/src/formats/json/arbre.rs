//! An element as it is in the text: one list of values, whose texts are borrowed. It
//! accepts what [`Value`] accepts, and holds what it would hold.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Number, Value};

/// Values of an ordinary element.
const VALEURS: usize = 1024;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Valeur<'t> {
    Nul,
    Booleen(bool),
    Nombre(Number),
    Texte(Cow<'t, str>),
    /// Its elements come next, until this rank.
    Liste(usize),
    /// The same, for the values of its keys.
    Objet(usize),
}

static NUL: Valeur<'static> = Valeur::Nul;

/// A value and its key; what is in a list has an empty one.
#[derive(Debug)]
struct Case<'t> {
    cle: Cow<'t, str>,
    valeur: Valeur<'t>,
}

/// A JSON value and all it holds, in the order of the text.
#[derive(Debug)]
pub(in crate::formats) struct Arbre<'t> {
    cases: Vec<Case<'t>>,
}

impl<'t> Arbre<'t> {
    /// Reads the value a text begins with; says how many bytes it takes.
    pub(super) fn lire(texte: &'t str) -> serde_json::Result<(Self, usize)> {
        let mut json = serde_json::Deserializer::from_str(texte);
        let arbre = Self::deserialize(&mut json)?;
        // Nothing is iterated: this is how the reader says where it is.
        Ok((arbre, json.into_iter::<IgnoredAny>().byte_offset()))
    }

    /// Reads a text that is one value; None when it is not.
    pub(super) fn entier(texte: &'t str) -> Option<Self> {
        serde_json::from_str(texte).ok()
    }

    /// The value itself.
    pub(in crate::formats) fn racine(&self) -> Noeud<'_> {
        Noeud { cases: &self.cases, rang: 0 }
    }
}

impl<'de> Deserialize<'de> for Arbre<'de> {
    fn deserialize<D: Deserializer<'de>>(entree: D) -> Result<Self, D::Error> {
        let mut cases = Vec::with_capacity(VALEURS);
        Pousse { cases: &mut cases, cle: Cow::Borrowed("") }.deserialize(entree)?;
        Ok(Self { cases })
    }
}

/// Adds a value to a tree.
struct Pousse<'p, 't> {
    cases: &'p mut Vec<Case<'t>>,
    cle: Cow<'t, str>,
}

impl<'t> Pousse<'_, 't> {
    fn poser(self, valeur: Valeur<'t>) {
        self.cases.push(Case { cle: self.cle, valeur });
    }
}

impl<'de> DeserializeSeed<'de> for Pousse<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, entree: D) -> Result<(), D::Error> {
        entree.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pousse<'_, 'de> {
    type Value = ();

    fn expecting(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str("une valeur JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.poser(Valeur::Nul);
        Ok(())
    }

    fn visit_bool<E: Error>(self, lu: bool) -> Result<(), E> {
        self.poser(Valeur::Booleen(lu));
        Ok(())
    }

    fn visit_i64<E: Error>(self, lu: i64) -> Result<(), E> {
        self.poser(Valeur::Nombre(lu.into()));
        Ok(())
    }

    fn visit_u64<E: Error>(self, lu: u64) -> Result<(), E> {
        self.poser(Valeur::Nombre(lu.into()));
        Ok(())
    }

    fn visit_f64<E: Error>(self, lu: f64) -> Result<(), E> {
        self.poser(Number::from_f64(lu).map_or(Valeur::Nul, Valeur::Nombre));
        Ok(())
    }

    fn visit_str<E: Error>(self, lu: &str) -> Result<(), E> {
        self.poser(Valeur::Texte(Cow::Owned(lu.to_owned())));
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, lu: &'de str) -> Result<(), E> {
        self.poser(Valeur::Texte(Cow::Borrowed(lu)));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut acces: A) -> Result<(), A::Error> {
        let Self { cases, cle } = self;
        let rang = cases.len();
        cases.push(Case { cle, valeur: Valeur::Nul });
        while acces.next_element_seed(Pousse { cases: &mut *cases, cle: Cow::Borrowed("") })?.is_some() {}
        cases[rang].valeur = Valeur::Liste(cases.len());
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut acces: A) -> Result<(), A::Error> {
        let Self { cases, cle } = self;
        let rang = cases.len();
        cases.push(Case { cle, valeur: Valeur::Nul });
        while let Some(Cle(cle)) = acces.next_key::<Cle<'de>>()? {
            acces.next_value_seed(Pousse { cases: &mut *cases, cle })?;
        }
        cases[rang].valeur = Valeur::Objet(cases.len());
        Ok(())
    }
}

/// A key, borrowed when it can be: the one of serde never is.
struct Cle<'t>(Cow<'t, str>);

impl<'de> Deserialize<'de> for Cle<'de> {
    fn deserialize<D: Deserializer<'de>>(entree: D) -> Result<Self, D::Error> {
        entree.deserialize_str(LectureCle)
    }
}

struct LectureCle;

impl<'de> Visitor<'de> for LectureCle {
    type Value = Cle<'de>;

    fn expecting(&self, sortie: &mut fmt::Formatter<'_>) -> fmt::Result {
        sortie.write_str("une clé")
    }

    fn visit_str<E: Error>(self, lu: &str) -> Result<Cle<'de>, E> {
        Ok(Cle(Cow::Owned(lu.to_owned())))
    }

    fn visit_borrowed_str<E: Error>(self, lu: &'de str) -> Result<Cle<'de>, E> {
        Ok(Cle(Cow::Borrowed(lu)))
    }
}

/// A value of a tree.
#[derive(Debug, Clone, Copy)]
pub(in crate::formats) struct Noeud<'v> {
    cases: &'v [Case<'v>],
    rang: usize,
}

impl<'v> Noeud<'v> {
    /// Its rank in the tree; only the root has 0.
    pub(super) fn rang(self) -> usize {
        self.rang
    }

    /// Another value of the same tree.
    pub(super) fn voisin(self, rang: usize) -> Self {
        Self { cases: self.cases, rang }
    }

    /// What it is.
    pub(super) fn valeur(self) -> &'v Valeur<'v> {
        self.cases.get(self.rang).map_or(&NUL, |case| &case.valeur)
    }

    /// Its key in the object that holds it.
    pub(super) fn cle(self) -> &'v str {
        self.cases.get(self.rang).map_or("", |case| &*case.cle)
    }

    /// The rank that follows it and all it holds.
    fn fin(self) -> usize {
        match self.valeur() {
            Valeur::Liste(fin) | Valeur::Objet(fin) => *fin,
            Valeur::Nul | Valeur::Booleen(_) | Valeur::Nombre(_) | Valeur::Texte(_) => self.rang + 1,
        }
    }

    /// The elements of a list, or the values of an object, in the order of the text;
    /// none for the rest. A key may come twice.
    pub(in crate::formats) fn enfants(self) -> Enfants<'v> {
        Enfants { cases: self.cases, rang: self.rang + 1, fin: self.fin() }
    }

    /// Its text, when it is one.
    pub(in crate::formats) fn texte(self) -> Option<&'v str> {
        match self.valeur() {
            Valeur::Texte(texte) => Some(&**texte),
            _ => None,
        }
    }

    /// The value of a key of an object; the last one counts.
    pub(in crate::formats) fn get(self, cle: &str) -> Option<Self> {
        match self.valeur() {
            Valeur::Objet(_) => self.enfants().filter(|enfant| enfant.cle() == cle).last(),
            _ => None,
        }
    }
}

impl From<Noeud<'_>> for Value {
    fn from(noeud: Noeud<'_>) -> Self {
        match noeud.valeur() {
            Valeur::Nul => Self::Null,
            Valeur::Booleen(lu) => Self::Bool(*lu),
            Valeur::Nombre(lu) => Self::Number(lu.clone()),
            Valeur::Texte(lu) => Self::String(lu.clone().into_owned()),
            Valeur::Liste(_) => Self::Array(noeud.enfants().map(Self::from).collect()),
            Valeur::Objet(_) => Self::Object(
                noeud.enfants().map(|enfant| (enfant.cle().to_owned(), Self::from(enfant))).collect(),
            ),
        }
    }
}

/// What a list or an object holds.
#[derive(Debug, Clone, Default)]
pub(in crate::formats) struct Enfants<'v> {
    cases: &'v [Case<'v>],
    rang: usize,
    fin: usize,
}

impl<'v> Iterator for Enfants<'v> {
    type Item = Noeud<'v>;

    fn next(&mut self) -> Option<Noeud<'v>> {
        if self.rang >= self.fin {
            return None;
        }
        let noeud = Noeud { cases: self.cases, rang: self.rang };
        self.rang = noeud.fin();
        Some(noeud)
    }
}

#[cfg(test)]
impl Arbre<'static> {
    /// The tree of a value that was parsed without it.
    pub(super) fn de_valeur(valeur: &Value) -> Self {
        let mut cases = Vec::new();
        planter(&mut cases, String::new(), valeur);
        Self { cases }
    }
}

#[cfg(test)]
fn planter(cases: &mut Vec<Case<'static>>, cle: String, valeur: &Value) {
    let rang = cases.len();
    cases.push(Case { cle: Cow::Owned(cle), valeur: Valeur::Nul });
    let plante = match valeur {
        Value::Null => Valeur::Nul,
        Value::Bool(lu) => Valeur::Booleen(*lu),
        Value::Number(lu) => Valeur::Nombre(lu.clone()),
        Value::String(lu) => Valeur::Texte(Cow::Owned(lu.clone())),
        Value::Array(liste) => {
            liste.iter().for_each(|element| planter(cases, String::new(), element));
            Valeur::Liste(cases.len())
        }
        Value::Object(objet) => {
            objet.iter().for_each(|(cle, lue)| planter(cases, cle.clone(), lue));
            Valeur::Objet(cases.len())
        }
    };
    cases[rang].valeur = plante;
}
