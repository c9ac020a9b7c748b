//! Criteria that hold on one record: codes choose signatures, numbers and dates verify records.

use std::collections::{BTreeMap, HashSet};

use roaring::RoaringBitmap;

use super::{Moteur, PEU, Rangs, au_dessus_de_zero, unir};
use crate::{
    fhir::politique::{Bloc, Faits},
    modele::{Enregistrement, Enregistrements, TypeFhir, UNITE},
    recherche::{
        arbre::{Critere, Intervalle, Jeton, Nombre, Prefixe, Test},
        parametres::{Champ, Cible, Groupe},
        unites,
    },
};

/// Past so many codes, they are looked up rather than gone through.
const CODES: usize = 16;

/// A test on the number or the date of a record.
enum Valeur<'a> {
    Nombre(&'a [(Prefixe, Nombre)]),
    Quantite(&'a [(Prefixe, Nombre, Option<String>)]),
    Date(&'a [(Prefixe, Intervalle)]),
    NombrePresent,
    DatePresente,
}

fn champ(c: &Critere) -> Champ {
    match c.parametre.cible {
        Cible::Champ(_, champ) => champ,
        // The tree holds fields only here.
        _ => Champ::Nombre,
    }
}

type Ensemble<T> = HashSet<T, foldhash::fast::RandomState>;

/// Codes asked, looked up when they are many: a value set may hold a hundred thousand.
enum Codes<'a> {
    Peu(&'a [Jeton]),
    Beaucoup {
        entiers: Ensemble<(&'a str, &'a str)>,
        sans_systeme: Ensemble<&'a str>,
        systemes: Ensemble<&'a str>,
        tout: bool,
    },
}

impl<'a> Codes<'a> {
    fn nouveau(jetons: &'a [Jeton]) -> Self {
        if jetons.len() <= CODES {
            return Self::Peu(jetons);
        }
        let (mut entiers, mut sans_systeme) = (Ensemble::default(), Ensemble::default());
        let (mut systemes, mut tout) = (Ensemble::default(), false);
        for j in jetons {
            match (j.systeme.as_deref(), j.code.as_deref()) {
                (Some(s), Some(c)) => {
                    entiers.insert((s, c));
                }
                (None, Some(c)) => {
                    sans_systeme.insert(c);
                }
                (Some(s), None) => {
                    systemes.insert(s);
                }
                (None, None) => tout = true,
            }
        }
        Self::Beaucoup { entiers, sans_systeme, systemes, tout }
    }

    /// Work of looking for so many codes.
    fn cout(jetons: &[Jeton], signatures: usize) -> u64 {
        let (j, s) = (jetons.len() as u64, signatures as u64);
        if jetons.len() <= CODES { j * s / 8 } else { j + s }
    }

    fn contient(&self, systeme: &str, code: &str) -> bool {
        match self {
            Self::Peu(jetons) => jetons.iter().any(|j| {
                j.systeme.as_deref().is_none_or(|s| s == systeme)
                    && j.code.as_deref().is_none_or(|c| c == code)
            }),
            Self::Beaucoup { entiers, sans_systeme, systemes, tout } => {
                *tout
                    || entiers.contains(&(systeme, code))
                    || sans_systeme.contains(code)
                    || systemes.contains(systeme)
            }
        }
    }
}

impl Moteur<'_> {
    /// Rows with one visible record that meets all these criteria.
    pub(super) fn enregistrement(
        &self,
        t: TypeFhir,
        groupe: Groupe,
        criteres: &[Critere],
        dans: &RoaringBitmap,
    ) -> Rangs {
        let e = self.table(t).groupe(groupe);
        let mut admises: Vec<bool> = vec![true; e.signatures().len()];
        let mut valeurs: Vec<Valeur<'_>> = Vec::new();
        for c in criteres {
            match (&c.test, champ(c)) {
                (Test::Jeton(jetons), Champ::Code(i)) => {
                    self.payer(Codes::cout(jetons, admises.len()))?;
                    let codes = Codes::nouveau(jetons);
                    for (s, admise) in e.signatures().iter().zip(&mut admises) {
                        *admise &= e
                            .code_de(s, usize::from(i))
                            .is_some_and(|(systeme, code)| codes.contient(systeme, code));
                    }
                }
                (Test::Nombre(v), _) => valeurs.push(Valeur::Nombre(v)),
                (Test::Quantite(v), _) => valeurs.push(Valeur::Quantite(v)),
                (Test::Date(v), _) => valeurs.push(Valeur::Date(v)),
                _ => return Ok(RoaringBitmap::new()),
            }
        }
        self.parmi(t, groupe, &admises, &valeurs, dans)
    }

    /// Rows with a visible record where a field has a value.
    pub(super) fn champ_present(
        &self,
        t: TypeFhir,
        groupe: Groupe,
        champ: Champ,
        dans: &RoaringBitmap,
    ) -> Rangs {
        let e = self.table(t).groupe(groupe);
        let un = |s| match champ {
            Champ::Code(i) => e.code_de(s, usize::from(i)).is_some(),
            _ => true,
        };
        self.payer(e.signatures().len() as u64 / 8)?;
        let admises: Vec<bool> = e.signatures().iter().map(un).collect();
        let valeurs = match champ {
            Champ::Code(_) => vec![],
            Champ::Nombre => vec![Valeur::NombrePresent],
            Champ::Date => vec![Valeur::DatePresente],
        };
        self.parmi(t, groupe, &admises, &valeurs, dans)
    }

    fn parmi(
        &self,
        t: TypeFhir,
        groupe: Groupe,
        admises: &[bool],
        valeurs: &[Valeur<'_>],
        dans: &RoaringBitmap,
    ) -> Rangs {
        let e = self.table(t).groupe(groupe);
        let cout = 2 + valeurs.iter().map(Valeur::nombre).sum::<u64>();
        if dans.len() < PEU {
            return self.garder(dans, cout, |r| self.un_record(t, groupe, e, *r, admises, valeurs));
        }
        self.payer(admises.len() as u64 / 8)?;
        // "More than none" is what nearly everyone asks of a number: kept as a set of its own.
        let positif = matches!(valeurs, [Valeur::Nombre([(p, n)])] if au_dessus_de_zero(*p, n.valeur));
        let mut par_statut: BTreeMap<u8, Vec<&RoaringBitmap>> = BTreeMap::new();
        for (n, s) in e.signatures().iter().enumerate().filter(|(n, _)| admises[*n]) {
            if let Some(rangs) = e.ensemble(n as u32, positif) {
                par_statut.entry(s.statut).or_default().push(rangs);
            }
        }
        let mut r = RoaringBitmap::new();
        for (statut, ensembles) in par_statut {
            self.payer(ensembles.len() as u64 * 4)?;
            let mut rangs = unir(&ensembles, dans);
            if let Some(bloc) = bloc(groupe).filter(|_| !rangs.is_empty()) {
                rangs -= self.table(t).masquees(self.modele.politique(), bloc, self.profil, statut);
            }
            r |= rangs;
        }
        if valeurs.is_empty() || positif {
            return Ok(r);
        }
        self.garder(&r, cout, |x| self.un_record(t, groupe, e, *x, admises, valeurs))
    }

    fn un_record(
        &self,
        t: TypeFhir,
        groupe: Groupe,
        e: &Enregistrements,
        rang: u32,
        admises: &[bool],
        valeurs: &[Valeur<'_>],
    ) -> bool {
        let records = e.de(rang);
        if records.is_empty() {
            return false;
        }
        records.iter().any(|x| {
            admises[x.signature as usize]
                && self.record_visible(t, groupe, e, rang, x)
                && valeurs.iter().all(|v| v.verifie(e, x))
        })
    }

    /// Whether the profile sees a record of a row.
    pub fn record_visible(
        &self,
        t: TypeFhir,
        groupe: Groupe,
        e: &Enregistrements,
        rang: u32,
        x: &Enregistrement,
    ) -> bool {
        let Some(bloc) = bloc(groupe) else { return true };
        let statut = e.signatures()[x.signature as usize].statut;
        let faits = Faits { statut, ..self.table(t).faits(rang) };
        self.modele.politique().permet(bloc, self.profil, &faits)
    }
}

impl Valeur<'_> {
    /// How many values are asked.
    fn nombre(&self) -> u64 {
        match self {
            Self::Nombre(v) => v.len() as u64,
            Self::Quantite(v) => v.len() as u64,
            Self::Date(v) => v.len() as u64,
            Self::NombrePresent | Self::DatePresente => 1,
        }
    }

    fn verifie(&self, e: &Enregistrements, x: &Enregistrement) -> bool {
        match self {
            Self::Nombre(v) => v.iter().any(|(p, n)| !x.nombre.is_nan() && n.verifie(*p, x.nombre)),
            Self::Quantite(v) => {
                let s = &e.signatures()[x.signature as usize];
                let unite = e.code_de(s, UNITE).map_or("", |c| c.1.as_str());
                v.iter().any(|(p, n, u)| {
                    !x.nombre.is_nan() && unites::verifie(*p, *n, u.as_deref(), x.nombre, unite)
                })
            }
            Self::Date(v) => {
                let i = Intervalle { de: x.date, a: x.date + i64::from(x.largeur) };
                x.largeur > 0 && v.iter().any(|(p, s)| s.verifie(*p, i))
            }
            Self::NombrePresent => !x.nombre.is_nan(),
            Self::DatePresente => x.largeur > 0,
        }
    }
}

/// The block of the policy that shows a group.
fn bloc(g: Groupe) -> Option<Bloc> {
    match g {
        Groupe::Capacite => Some(Bloc::LieuCapacite),
        Groupe::Equipement => Some(Bloc::LieuEquipement),
        Groupe::Habitation | Groupe::Tarif => None,
    }
}
