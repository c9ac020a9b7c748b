//! Texts searched as strings: the words of names give candidates, the names decide. Full text, by its price.

use std::{cell::Cell, sync::Arc};

use roaring::RoaringBitmap;
use ror_proto::{offers::v1::offer, structures::v1::structure};

use super::{Moteur, PAR_CORRECTION, PAR_TEXTE, PEU, Rangs, TropCouteux};
use crate::{
    modele::{Dictionnaire, Modele, Table, TypeFhir, plier},
    recherche::{arbre::ModeTexte, parametres::Texte},
    texte::Trouves,
};

/// The dictionary of a text that is searched whole.
pub fn dictionnaire(table: &Table, quoi: Texte) -> &Dictionnaire {
    match quoi {
        Texte::Nom => &table.mots,
        Texte::Ville => &table.villes,
        Texte::CodePostal => &table.codes_postaux,
        Texte::SecteurPsy => &table.secteurs,
    }
}

impl Moteur<'_> {
    /// What answers a full text: the question, each row read again and each answer are paid for, unless
    /// it is at hand.
    pub(in crate::recherche) fn plein_texte(
        &self,
        t: TypeFhir,
        narratif: bool,
        texte: &str,
    ) -> Result<Arc<Trouves>, TropCouteux> {
        let neuf = Cell::new(false);
        let payer = |relues: u64| {
            neuf.set(true);
            self.payer(relues.saturating_mul(PAR_CORRECTION).saturating_add(PAR_TEXTE))
        };
        let trouves = self.textes.trouver(self.modele, t, narratif, texte, &payer)?;
        if neuf.get() {
            self.payer(trouves.rangs.len())?;
        }
        Ok(trouves)
    }

    pub(super) fn texte(
        &self,
        t: TypeFhir,
        quoi: Texte,
        mode: ModeTexte,
        valeurs: &[String],
        dans: &RoaringBitmap,
    ) -> Rangs {
        let table = self.table(t);
        let mut r = RoaringBitmap::new();
        for v in valeurs {
            let plie = if mode == ModeTexte::Exact { plier(v) } else { v.clone() };
            let mut un = if quoi == Texte::Nom {
                self.noms(table, mode, &plie, dans)?
            } else {
                let d = dictionnaire(table, quoi);
                let trouves = match mode {
                    ModeTexte::Debut => self.debut(d, &plie)?,
                    ModeTexte::Exact => d.egal(&plie),
                    ModeTexte::Contient => self.ou(d, |x| x.contains(plie.as_str()))?,
                    ModeTexte::Fin => self.ou(d, |x| x.ends_with(plie.as_str()))?,
                };
                trouves & dans
            };
            if mode == ModeTexte::Exact {
                // Reading a state costs more than a look at a column.
                un = self.garder(&un, 64, |x| ecrits(self.modele, t, quoi, *x).iter().any(|e| e == v))?;
            }
            r |= un;
        }
        Ok(r)
    }

    /// Rows with a text for which this holds: all are looked at.
    fn ou(&self, d: &Dictionnaire, condition: impl Fn(&str) -> bool) -> Rangs {
        self.payer(8 + d.nombre() / 8)?;
        Ok(d.ou(condition))
    }

    /// Rows with a text that starts so: of two letters or fewer, many do.
    fn debut(&self, d: &Dictionnaire, prefixe: &str) -> Rangs {
        let portee = d.portee(prefixe);
        self.payer(8 + if prefixe.len() <= 2 { portee } else { portee / 8 })?;
        Ok(d.debut(prefixe))
    }

    fn noms(&self, table: &Table, mode: ModeTexte, v: &str, dans: &RoaringBitmap) -> Rangs {
        let verifie = |r: &u32| {
            table.noms(*r).is_some_and(|mut noms| {
                noms.any(|n| match mode {
                    ModeTexte::Debut => n.starts_with(v),
                    ModeTexte::Contient => n.contains(v),
                    ModeTexte::Fin => n.ends_with(v),
                    ModeTexte::Exact => n == v,
                })
            })
        };
        if dans.len() < PEU {
            return self.garder(dans, 1, verifie);
        }
        let mots = &table.mots;
        let entiers: Vec<&str> = v.split_whitespace().collect();
        let candidats = match (mode, entiers.as_slice()) {
            (_, []) => dans.clone(),
            // A part without blank lies in one word.
            (ModeTexte::Contient, [seul]) if seul.len() == v.len() => {
                return Ok(self.ou(mots, |m| m.contains(v))? & dans);
            }
            (ModeTexte::Contient, [_, .., dernier]) => self.debut(mots, dernier)? & dans,
            (ModeTexte::Contient, [seul]) => self.ou(mots, |m| m.contains(seul))? & dans,
            (ModeTexte::Fin, [.., dernier]) => self.ou(mots, |m| m.ends_with(dernier))? & dans,
            (ModeTexte::Debut, [seul]) => self.debut(mots, seul)? & dans,
            (ModeTexte::Debut | ModeTexte::Exact, [premier, ..]) => mots.egal(premier) & dans,
        };
        self.garder(&candidats, 4, verifie)
    }
}

/// The texts of a row as written.
fn ecrits(m: &Modele, t: TypeFhir, quoi: Texte, rang: u32) -> Vec<String> {
    let Some(e) = m.extraire(t, rang, 1) else { return Vec::new() };
    match t {
        TypeFhir::Organization => match e.structure().and_then(|s| s.ressource) {
            Some(structure::Ressource::EntiteJuridique(x)) => vec![x.raison_sociale],
            Some(structure::Ressource::EntiteGeographique(x)) => vec![x.denomination, x.nom_operationnel],
            Some(structure::Ressource::OrganisationInterne(x)) => vec![x.nom],
            None => vec![],
        },
        _ => match e.offre().and_then(|s| s.ressource) {
            Some(offer::Ressource::Offre(x)) if quoi == Texte::SecteurPsy => x.secteurs_psychiatriques,
            Some(offer::Ressource::Offre(x)) => vec![x.nom],
            Some(offer::Ressource::Lieu(x)) => {
                let a = x.adresse.unwrap_or_default();
                match quoi {
                    Texte::Ville => vec![a.localite],
                    Texte::CodePostal => vec![a.code_postal],
                    _ => vec![x.nom, x.nom_externe_synchro],
                }
            }
            _ => vec![],
        },
    }
}
