//! One version of a nomenclature, packed for lookup, membership and expansion.

use std::{collections::HashMap, sync::Arc};

use ror_proto::{
    common::v1::Code,
    nomenclatures::v1::{Association, Concept, Nomenclature, Propriete, Sorte},
};

use super::{
    Entete,
    filtre::{Filtre, plier},
};
use crate::domaine::{self, ACTIF, STATUTS};

/// What only a few concepts have.
struct Reste {
    libelle_court: Box<str>,
    libelle_long: Box<str>,
    definition: Box<str>,
    date_maj: Box<str>,
    proprietes: Vec<Propriete>,
}

/// A concept, packed. Its dates are texts shared by many, ranks of [`Vue::dates`].
struct Membre {
    systeme: u16,
    statut: u8,
    valide_du: u32,
    valide_au: u32,
    code: Box<str>,
    libelle: Box<str>,
    /// Labels folded for the filters.
    plie: Box<str>,
    reste: Option<Box<Reste>>,
}

/// A version, header aside.
pub struct Vue {
    /// Header.
    pub entete: Nomenclature,
    /// Version of the aggregate.
    pub revision: u64,
    /// Code systems in the order they first appear.
    systemes: Vec<String>,
    /// Distinct dates; the first is the empty one.
    dates: Vec<Box<str>>,
    membres: Vec<Membre>,
    /// Ranks of `membres` by code system and code.
    tries: Box<[u32]>,
    associations: Vec<Association>,
}

impl Vue {
    /// Packs a version.
    pub fn nouvelle(n: &Nomenclature, revision: u64) -> Self {
        let mut v = Self {
            entete: domaine::entete(n),
            revision,
            systemes: Vec::new(),
            dates: vec!["".into()],
            membres: Vec::with_capacity(n.concepts.len()),
            tries: Box::default(),
            associations: n.associations.clone(),
        };
        let mut dates = HashMap::from([("", 0)]);
        for c in &n.concepts {
            let m = v.membre(c, &mut dates);
            v.membres.push(m);
        }
        // Stable: within a code system, as published.
        v.membres.sort_by_key(|m| m.systeme);
        let mut tries: Vec<u32> = (0u32..).take(v.membres.len()).collect();
        tries.sort_by(|a, b| v.cle(*a).cmp(&v.cle(*b)));
        v.tries = tries.into();
        v
    }

    fn membre<'c>(&mut self, c: &'c Concept, dates: &mut HashMap<&'c str, u32>) -> Membre {
        let systeme = if c.systeme.is_empty() { &self.entete.canonique } else { &c.systeme };
        let rang = self.systemes.iter().position(|s| s == systeme).unwrap_or_else(|| {
            self.systemes.push(systeme.clone());
            self.systemes.len() - 1
        });
        let plie = [&c.libelle, &c.libelle_court, &c.libelle_long].map(|l| plier(l)).concat();
        let reste = Reste {
            libelle_court: c.libelle_court.as_str().into(),
            libelle_long: c.libelle_long.as_str().into(),
            definition: c.definition.as_str().into(),
            date_maj: c.date_maj.as_str().into(),
            proprietes: c.proprietes.clone(),
        };
        let vide = c.libelle_court.is_empty()
            && c.libelle_long.is_empty()
            && c.definition.is_empty()
            && c.date_maj.is_empty()
            && c.proprietes.is_empty();
        Membre {
            systeme: u16::try_from(rang).unwrap_or(u16::MAX),
            statut: STATUTS
                .iter()
                .position(|s| *s == c.statut)
                .and_then(|r| u8::try_from(r).ok())
                .unwrap_or(1),
            valide_du: self.date(&c.valide_du, dates),
            valide_au: self.date(&c.valide_au, dates),
            code: c.code.as_str().into(),
            libelle: c.libelle.as_str().into(),
            plie: plie.into(),
            reste: (!vide).then(|| Box::new(reste)),
        }
    }

    fn date<'c>(&mut self, texte: &'c str, connues: &mut HashMap<&'c str, u32>) -> u32 {
        *connues.entry(texte).or_insert_with(|| {
            self.dates.push(texte.into());
            u32::try_from(self.dates.len() - 1).unwrap_or(0)
        })
    }

    fn cle(&self, rang: u32) -> (u16, &str) {
        self.membres.get(rang as usize).map_or((0, ""), |m| (m.systeme, &*m.code))
    }

    fn chercher(&self, systeme: &str, code: &str) -> Option<&Membre> {
        let systeme = u16::try_from(self.systemes.iter().position(|s| s == systeme)?).ok()?;
        let place = self.tries.binary_search_by(|rang| self.cle(*rang).cmp(&(systeme, code))).ok()?;
        self.membres.get(*self.tries.get(place)? as usize)
    }

    fn lire_date(&self, rang: u32) -> &str {
        self.dates.get(rang as usize).map_or("", |d| &**d)
    }

    /// Status, first and last days.
    fn vie(&self, m: &Membre) -> (&str, &str, &str) {
        let statut = STATUTS.get(usize::from(m.statut)).copied().unwrap_or(ACTIF);
        (statut, self.lire_date(m.valide_du), self.lire_date(m.valide_au))
    }

    fn concept(&self, m: &Membre) -> Concept {
        let reste = m.reste.as_deref();
        let texte = |lire: fn(&Reste) -> &str| reste.map_or("", lire).to_owned();
        let (statut, valide_du, valide_au) = self.vie(m);
        Concept {
            systeme: self.systemes.get(usize::from(m.systeme)).cloned().unwrap_or_default(),
            code: m.code.to_string(),
            libelle: m.libelle.to_string(),
            statut: statut.to_owned(),
            valide_du: valide_du.to_owned(),
            valide_au: valide_au.to_owned(),
            libelle_court: texte(|r| &*r.libelle_court),
            libelle_long: texte(|r| &*r.libelle_long),
            definition: texte(|r| &*r.definition),
            date_maj: texte(|r| &*r.date_maj),
            proprietes: reste.map(|r| r.proprietes.clone()).unwrap_or_default(),
        }
    }

    /// Whether this is the content of a header, at its last state.
    pub fn est(&self, e: &Entete) -> bool {
        self.revision == e.revision && self.entete.version == e.nomenclature.version
    }

    /// The pairs of an ASS, in the order published.
    pub fn associations(&self) -> &[Association] {
        &self.associations
    }

    /// Code systems the codes come from: of an ASS, both sides.
    pub fn systemes(&self) -> Vec<String> {
        let mut s = self.systemes.clone();
        for a in &self.associations {
            for cote in [&a.systeme_source, &a.systeme_cible] {
                if !cote.is_empty() && !s.contains(cote) {
                    s.push(cote.clone());
                }
            }
        }
        s
    }

    /// Systems and codes of every member; of an ASS, the source codes.
    pub fn codes(&self) -> Vec<(String, String)> {
        let du_membre = |m: &Membre| {
            (self.systemes.get(usize::from(m.systeme)).cloned().unwrap_or_default(), m.code.to_string())
        };
        let sources = self.associations.iter().map(|a| (a.systeme_source.clone(), a.code_source.clone()));
        self.membres.iter().map(du_membre).chain(sources).collect()
    }
}

/// What is known of a membership question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appartenance {
    /// Whether the code is a member at the date.
    pub valide: bool,
    /// Whether a lenient check may accept it: a code of a known system.
    pub tolerable: bool,
    /// Label, empty when unknown.
    pub libelle: String,
    /// French reason when not valid, or when a partial list cannot tell.
    pub motif: String,
}

/// A version and the code systems its members come from, which alone date and often label them.
pub struct Regard<'a> {
    vue: &'a Vue,
    sources: Vec<Option<Arc<Vue>>>,
}

impl<'a> Regard<'a> {
    /// Over a version; `systeme` gives the current version of a code system.
    pub fn nouveau(vue: &'a Vue, systeme: impl Fn(&str) -> Option<Arc<Vue>>) -> Self {
        let source = |s: &String| systeme(s).filter(|_| vue.entete.sorte() == Sorte::Jdv);
        Self { vue, sources: vue.systemes.iter().map(source).collect() }
    }

    fn source(&self, m: &Membre) -> Option<(&Vue, &Membre)> {
        let vue = self.sources.get(usize::from(m.systeme))?.as_deref()?;
        let systeme = self.vue.systemes.get(usize::from(m.systeme))?;
        Some((vue, vue.chercher(systeme, &m.code)?))
    }

    fn complet(&self, m: &Membre) -> Concept {
        let propre = self.vue.concept(m);
        match self.source(m) {
            Some((vue, source)) => completer(propre, vue.concept(source)),
            None => propre,
        }
    }

    /// Whether a member may be used at the date, without completing the whole of it.
    fn utilisable(&self, m: &Membre, date: &str) -> bool {
        let (mut statut, mut du, mut au) = self.vue.vie(m);
        if let Some((vue, source)) = self.source(m) {
            let (son_statut, son_du, son_au) = vue.vie(source);
            if statut == ACTIF {
                statut = son_statut;
            }
            if du.is_empty() {
                du = son_du;
            }
            if au.is_empty() {
                au = son_au;
            }
        }
        domaine::utilisable_entre(statut, du, au, date)
    }

    /// A code, completed.
    pub fn lire(&self, systeme: &str, code: &str) -> Option<Concept> {
        self.vue.chercher(systeme, code).map(|m| self.complet(m))
    }

    /// Whether a code belongs to the version at a date.
    pub fn appartient(&self, code: &Code, date: &str) -> Appartenance {
        let nom = domaine::nom(&self.vue.entete);
        let refus = |tolerable, libelle: String, motif: String| Appartenance {
            valide: false,
            tolerable,
            libelle,
            motif,
        };
        if code.code.is_empty() {
            return refus(false, String::new(), "Le code manque.".to_owned());
        }
        let systeme = match (code.systeme.as_str(), self.vue.systemes.as_slice()) {
            ("", [seul]) => seul.as_str(),
            ("", _) => {
                let motif = format!("Le système du code manque : {nom} en a plusieurs.");
                return refus(false, String::new(), motif);
            }
            (donne, _) => donne,
        };
        let rang = self.vue.systemes.iter().position(|s| s == systeme);
        if rang.is_none() && !self.vue.systemes.is_empty() {
            let motif = format!("Le système « {systeme} » n'est pas une source de {nom}.");
            return refus(false, String::new(), motif);
        }
        let Some(m) = self.vue.chercher(systeme, &code.code) else {
            let source = rang.and_then(|r| self.sources.get(r)).and_then(Option::as_deref);
            let libelle = source.and_then(|v| v.chercher(systeme, &code.code)).map(|m| m.libelle.to_string());
            let libelle = libelle.unwrap_or_default();
            if self.vue.entete.complete {
                return refus(true, libelle, format!("Le code « {} » n'est pas dans {nom}.", code.code));
            }
            let motif = format!(
                "Le code « {} » n'est pas dans {nom}, mais cette liste n'est pas complète.",
                code.code
            );
            return Appartenance { valide: true, tolerable: true, libelle, motif };
        };
        let concept = self.complet(m);
        if !domaine::utilisable(&concept, date) {
            let motif = format!("Le code « {} » de {nom} n'est pas valide le {date}.", concept.code);
            return refus(true, concept.libelle, motif);
        }
        Appartenance { valide: true, tolerable: true, libelle: concept.libelle, motif: String::new() }
    }

    /// Members that match the filter and, unless `inactifs`, are usable at the date: those
    /// from `debut`, at most `limite`, and how many there are in all.
    pub fn deplier(
        &self,
        filtre: &str,
        date: &str,
        inactifs: bool,
        debut: usize,
        limite: usize,
    ) -> (Vec<Concept>, usize) {
        let filtre = Filtre::lire(filtre);
        let mut page = Vec::new();
        let mut total = 0;
        for m in &self.vue.membres {
            if (inactifs || self.utilisable(m, date)) && filtre.retient(&m.code, self.plie(m)) {
                if total >= debut && page.len() < limite {
                    page.push(self.complet(m));
                }
                total += 1;
            }
        }
        (page, total)
    }

    /// The folded labels, those of the code system when the value set has none.
    fn plie<'m>(&'m self, m: &'m Membre) -> &'m str {
        if m.plie.is_empty() { self.source(m).map_or("", |(_, source)| &*source.plie) } else { &m.plie }
    }
}

/// A member of a value set completed from its code system.
fn completer(propre: Concept, source: Concept) -> Concept {
    fn ou(a: String, b: String) -> String {
        if a.is_empty() { b } else { a }
    }
    let statut = if propre.statut == ACTIF { source.statut } else { propre.statut };
    Concept {
        systeme: propre.systeme,
        code: propre.code,
        libelle: ou(propre.libelle, source.libelle),
        statut,
        valide_du: ou(propre.valide_du, source.valide_du),
        valide_au: ou(propre.valide_au, source.valide_au),
        libelle_court: ou(propre.libelle_court, source.libelle_court),
        libelle_long: ou(propre.libelle_long, source.libelle_long),
        definition: ou(propre.definition, source.definition),
        date_maj: ou(propre.date_maj, source.date_maj),
        proprietes: if propre.proprietes.is_empty() { source.proprietes } else { propre.proprietes },
    }
}
