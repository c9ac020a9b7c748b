//! `:text`: labels stand for the codes in use that bear them.

use std::collections::{HashMap, HashSet};

use super::{
    arbre::{Critere, Jeton, Noeud, Test},
    evaluation::TropCouteux,
    parametres::{Champ, Cible},
};
use crate::modele::{Modele, TypeFhir, plier};

/// Labels looked at and codes written for one request, at most.
const REGARDS: usize = 200_000;

/// Type, parameter, beginnings asked.
type Question = (TypeFhir, &'static str, Vec<String>);

/// Turns labels into the codes they name, everywhere in a condition; the same question is looked up
/// once.
pub fn resoudre(
    n: &mut Noeud,
    t: TypeFhir,
    m: &Modele,
    libelle: &dyn Fn(&str, &str) -> Option<String>,
) -> Result<(), TropCouteux> {
    Resolution { modele: m, libelle, connus: HashMap::new(), reste: REGARDS }.noeud(n, t)
}

struct Resolution<'a> {
    modele: &'a Modele,
    libelle: &'a dyn Fn(&str, &str) -> Option<String>,
    connus: HashMap<Question, Vec<Jeton>>,
    reste: usize,
}

impl Resolution<'_> {
    fn noeud(&mut self, n: &mut Noeud, t: TypeFhir) -> Result<(), TropCouteux> {
        match n {
            Noeud::Et(v) | Noeud::Ou(v) => v.iter_mut().try_for_each(|n| self.noeud(n, t)),
            Noeud::Non(n) => self.noeud(n, t),
            Noeud::Critere(c) => self.critere(c, t),
            Noeud::Chaine(r, n) | Noeud::AuDessus(r, n) => self.noeud(n, r.cible()),
            Noeud::Inverse(r, n) => self.noeud(n, r.source()),
            Noeud::Enregistrement(_, v) => v.iter_mut().try_for_each(|c| self.critere(c, t)),
        }
    }

    fn critere(&mut self, c: &mut Critere, t: TypeFhir) -> Result<(), TropCouteux> {
        let Test::Libelle(debuts) = &mut c.test else { return Ok(()) };
        let question = (t, c.parametre.nom, std::mem::take(debuts));
        let jetons = match self.connus.get(&question) {
            Some(connus) => connus.clone(),
            None => {
                let trouves = self.chercher(t, c.parametre.cible, &question.2)?;
                self.connus.insert(question, trouves.clone());
                trouves
            }
        };
        self.payer(jetons.len())?;
        c.test = Test::Jeton(jetons);
        Ok(())
    }

    fn payer(&mut self, n: usize) -> Result<(), TropCouteux> {
        self.reste = self.reste.checked_sub(n).ok_or(TropCouteux)?;
        Ok(())
    }

    /// The codes in use of a parameter whose label starts so.
    fn chercher(&mut self, t: TypeFhir, cible: Cible, debuts: &[String]) -> Result<Vec<Jeton>, TropCouteux> {
        let table = self.modele.table(t);
        // A code comes back in several parameters and signatures.
        let mut vus: HashSet<(&str, &str)> = HashSet::new();
        match cible {
            Cible::Jeton(params) => {
                for p in params {
                    vus.extend(table.index.tous(*p).map(|(s, code, _)| (s, code)));
                }
            }
            Cible::Champ(groupe, Champ::Code(i)) => {
                let groupe = table.groupe(groupe);
                self.payer(groupe.signatures().len() / 8)?;
                let codes = groupe.codes_en_usage(usize::from(i));
                vus.extend(codes.map(|(s, code)| (s.as_str(), code.as_str())));
            }
            _ => {}
        }
        self.payer(vus.len())?;
        let mut jetons = Vec::new();
        for (systeme, code) in vus {
            let l = (self.libelle)(systeme, code).map(|l| plier(&l)).unwrap_or_default();
            if debuts.iter().any(|d| l.starts_with(d.as_str())) {
                jetons.push(Jeton { systeme: Some(systeme.to_owned()), code: Some(code.to_owned()) });
            }
        }
        Ok(jetons)
    }
}
