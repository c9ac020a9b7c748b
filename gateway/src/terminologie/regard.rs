//! A version seen with the current versions of the code systems its codes come from: these
//! alone date the codes of a value set, and often label them.

use std::sync::Arc;

use super::{
    Edition, Genre, Jour, Terminologie, Vie, iso,
    textes::{Filtre, plier},
};
use crate::fhir::terminologie::Codage;

/// A version and the code systems of its codes.
pub struct Regard<'a> {
    edition: &'a Edition,
    /// By place of the system: its current version, and its place there.
    sources: Vec<Option<(&'a Arc<Edition>, usize)>>,
}

/// A code, completed from its system.
#[derive(Clone, Copy, Debug)]
pub struct Concept<'a> {
    /// Code system.
    pub systeme: &'a str,
    /// Code.
    pub code: &'a str,
    /// Label.
    pub libelle: &'a str,
    /// Libellé court.
    pub libelle_court: &'a str,
    /// Libellé long.
    pub libelle_long: &'a str,
    /// Definition.
    pub definition: &'a str,
    /// Status and dates.
    pub vie: Vie,
}

/// What is known of a membership question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Appartenance {
    /// Whether the code is a member on the day.
    pub valide: bool,
    /// Label, empty when unknown.
    pub libelle: String,
    /// French reason when not valid, or when a partial list cannot tell.
    pub motif: String,
}

impl<'a> Regard<'a> {
    /// Over a version of this terminology.
    pub fn nouveau(t: &'a Terminologie, edition: &'a Edition) -> Self {
        let source = |systeme: &str| {
            let e = t.courante(Genre::CodeSystem, systeme).filter(|_| edition.genre == Genre::ValueSet)?;
            Some((e, e.groupe_de(systeme)?))
        };
        Self { edition, sources: edition.systemes().map(source).collect() }
    }

    /// The current versions of the code systems.
    pub fn sources(&self) -> impl Iterator<Item = &'a Edition> {
        self.sources.iter().flatten().map(|(e, _)| &***e)
    }

    /// A code in its system. `suite` is where the code before was found there, or 0: both
    /// lists are most often in the same order.
    fn source(&self, rang: u32, suite: &mut u32) -> Option<(&'a Edition, u32)> {
        let (source, groupe) = (*self.sources.get(self.edition.groupe(rang))?)?;
        let source: &'a Edition = source;
        let code = self.edition.code(rang);
        let voisin = suite.saturating_add(1);
        let trouve = if source.code(voisin) == code && source.groupe(voisin) == groupe {
            voisin
        } else {
            source.chercher(groupe, code)?
        };
        *suite = trouve;
        Some((source, trouve))
    }

    fn vie(&self, rang: u32, suite: &mut u32) -> Vie {
        let propre = self.edition.vie(rang);
        self.source(rang, suite).map_or(propre, |(e, r)| propre.completee(e.vie(r)))
    }

    /// A code, completed.
    pub fn lire(&self, rang: u32) -> Concept<'a> {
        let propre = (self.edition, rang);
        let source = self.source(rang, &mut 0);
        let vie = self.edition.vie(rang);
        Concept {
            systeme: self.edition.systeme(self.edition.groupe(rang)),
            code: self.edition.code(rang),
            libelle: premier(propre, source, Edition::libelle),
            libelle_court: premier(propre, source, Edition::libelle_court),
            libelle_long: premier(propre, source, Edition::libelle_long),
            definition: premier(propre, source, Edition::definition),
            vie: source.map_or(vie, |(e, r)| vie.completee(e.vie(r))),
        }
    }

    /// Whether a code belongs to the version on a day. The system may be left out when there is
    /// one only.
    pub fn appartient(&self, codage: &Codage, jour: Jour) -> Appartenance {
        let e = self.edition;
        let (nom, code) = (e.titre(), codage.code.as_str());
        let refus =
            |libelle: &str, motif: String| Appartenance { valide: false, libelle: libelle.to_owned(), motif };
        let groupe = match (codage.systeme.as_str(), e.systemes().count()) {
            ("", 0 | 1) => Some(0),
            ("", _) => return refus("", format!("Le système du code manque : {nom} en a plusieurs.")),
            (systeme, _) => e.groupe_de(systeme),
        };
        if groupe.is_none() && e.systemes().next().is_some() {
            return refus("", format!("Le système « {} » n'est pas une source de {nom}.", codage.systeme));
        }
        let Some(rang) = groupe.and_then(|g| e.chercher(g, code)) else {
            let source = groupe.and_then(|g| *self.sources.get(g)?);
            let ailleurs = source.and_then(|(s, g)| s.chercher(g, code).map(|rang| s.libelle(rang)));
            let motif = format!("Le code « {code} » n'est pas dans {nom}");
            if e.entete.complete {
                return refus(ailleurs.unwrap_or_default(), format!("{motif}."));
            }
            let libelle = ailleurs.unwrap_or_default().to_owned();
            // A partial list never proves a code wrong.
            let motif =
                format!("{motif}, mais cette liste n'est pas complète : rien ne prouve qu'il est faux.");
            return Appartenance { valide: true, libelle, motif };
        };
        let c = self.lire(rang);
        if !c.vie.utilisable(jour) {
            return refus(
                c.libelle,
                format!("Le code « {code} » de {nom} n'est pas valide le {}.", iso(jour)),
            );
        }
        if !codage.libelle.is_empty() && !self.se_dit(rang, &codage.libelle) {
            let motif = format!("Le libellé « {} » n'est pas celui du code « {code} ».", codage.libelle);
            return refus(c.libelle, motif);
        }
        Appartenance { valide: true, libelle: c.libelle.to_owned(), motif: String::new() }
    }

    /// Whether a text is a label of a code, here or in its system, but for case, accents and punctuation.
    fn se_dit(&self, rang: u32, texte: &str) -> bool {
        let cherche = plier(&[texte]);
        let noms = |(e, r): (&'a Edition, u32)| [e.libelle(r), e.libelle_court(r), e.libelle_long(r)];
        let ici = noms((self.edition, rang));
        let source = self.source(rang, &mut 0).map(noms);
        ici.iter().chain(source.iter().flatten()).any(|l| !l.is_empty() && plier(&[*l]) == cherche)
    }

    /// Codes that match the filter and, unless `inactifs`, may be used that day, in the order
    /// published: those from `debut`, at most `limite`, and how many there are in all.
    pub fn deplier(
        &self,
        filtre: Option<&Filtre<'_>>,
        jour: Jour,
        inactifs: bool,
        debut: usize,
        limite: usize,
    ) -> (Vec<u32>, usize) {
        let retenus = filtre.map(|f| self.retenus(f));
        let datee = !inactifs && (self.edition.datee() || self.sources().any(Edition::datee));
        let mut page = Vec::new();
        let (mut total, mut suite) = (0, 0);
        for rang in 0..self.edition.nombre() {
            if retenus.as_ref().is_some_and(|r| r.get(rang as usize) != Some(&true)) {
                continue;
            }
            if datee && !self.vie(rang, &mut suite).utilisable(jour) {
                continue;
            }
            if total >= debut && page.len() < limite {
                page.push(rang);
            }
            total += 1;
        }
        (page, total)
    }

    /// Which codes a filter keeps.
    fn retenus(&self, filtre: &Filtre<'_>) -> Vec<bool> {
        let e = self.edition;
        let mut retenus: Vec<bool> = (0..e.nombre()).map(|rang| filtre.code(e.code(rang))).collect();
        let mut retenir = |rang: u32, plie: &str| {
            if filtre.texte(plie)
                && let Some(r) = retenus.get_mut(rang as usize)
            {
                *r = true;
            }
        };
        for rang in filtre.premier().into_iter().flat_map(|mot| e.plies().contenant(mot)) {
            retenir(rang, e.plies().lire(rang));
        }
        if e.sans_libelle() {
            let mut suite = 0;
            // A code without a label of its own goes by that of its system.
            for rang in (0..e.nombre()).filter(|r| e.libelle(*r).is_empty()) {
                if let Some((source, r)) = self.source(rang, &mut suite) {
                    retenir(rang, source.plies().lire(r));
                }
            }
        }
        retenus
    }
}

/// A text of a member, else of the code in its system.
fn premier<'a>(
    (edition, rang): (&'a Edition, u32),
    source: Option<(&'a Edition, u32)>,
    lire: for<'e> fn(&'e Edition, u32) -> &'e str,
) -> &'a str {
    match lire(edition, rang) {
        "" => source.map_or("", |(e, r)| lire(e, r)),
        propre => propre,
    }
}
