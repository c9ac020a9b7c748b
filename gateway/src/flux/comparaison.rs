//! What changed for a subscriber between two moments, as sets of rows.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::{Abonnement, touches::Touches, voisinage};
use crate::{
    export::portee::Ensembles,
    modele::{Modele, TypeFhir},
    recherche::evaluation::Textes,
};

/// Rows of one type to tell of.
#[derive(Clone, Debug, PartialEq)]
pub struct Ecart {
    /// Type.
    pub type_fhir: TypeFhir,
    /// Now there, new or changed.
    pub poses: RoaringBitmap,
    /// No longer there.
    pub otes: RoaringBitmap,
}

/// Where a subscriber stands.
pub enum Repere {
    /// After a moment that is no longer held: the journal tells what was touched since.
    Numero(u64),
    /// At a moment still held, with what was found then.
    Tenu(Arc<Modele>, Ensembles),
}

/// Why what changed since cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Perime {
    /// The journal does not go back so far.
    Journal,
    /// The access policy is another one.
    Droits,
    /// The nomenclatures that the criteria are read with are others.
    Mots,
}

impl Repere {
    /// At a moment, with nothing to tell.
    pub fn ici(a: &Abonnement, m: Arc<Modele>, textes: &dyn Textes) -> Self {
        let trouves = a.recherches.evaluer(&m, a.profil, textes);
        Self::Tenu(m, trouves)
    }

    /// Goes on to a moment, and says what changed until then. Each row appears once at most.
    ///
    /// # Errors
    ///
    /// [`Perime`]; the subscriber then stands where it stood.
    pub fn avancer(
        &mut self,
        a: &Abonnement,
        m: &Arc<Modele>,
        textes: &dyn Textes,
    ) -> Result<Vec<Ecart>, Perime> {
        let (depuis, politique) = match self {
            Self::Numero(n) => (*n, None),
            Self::Tenu(ancien, _) if ancien.numero() == m.numero() => return Ok(Vec::new()),
            Self::Tenu(ancien, _) => (ancien.numero(), Some(ancien.politique())),
        };
        // Another policy changes what is read of any row: all is told, and no journal needed.
        let touches = if politique.is_none_or(|p| Arc::ptr_eq(p, m.politique())) {
            let journal = m.journal_depuis(depuis).ok_or(Perime::Journal)?;
            Some(Touches::de(&journal, a.profil))
        } else {
            None
        };
        let (trouves, ecarts) = match (&mut *self, touches) {
            (Self::Tenu(_, anciens), Some(t)) if a.types.iter().all(|x| t.rien(*x)) => {
                (std::mem::take(anciens), Vec::new())
            }
            (Self::Tenu(ancien, anciens), touches) => {
                let trouves = a.recherches.evaluer(m, a.profil, textes);
                let ecarts = par_les_ensembles(a, (ancien, anciens), (m, &trouves), touches.as_ref());
                (trouves, ecarts)
            }
            (Self::Numero(_), touches) => {
                let trouves = a.recherches.evaluer(m, a.profil, textes);
                let ecarts = par_le_journal(a, m, &touches.unwrap_or_default(), &trouves);
                (trouves, ecarts)
            }
        };
        *self = Self::Tenu(m.clone(), trouves);
        Ok(ecarts)
    }
}

/// Exact: both moments are at hand. Without `touches`, every row found is told again.
fn par_les_ensembles(
    a: &Abonnement,
    (ancien, avant): (&Modele, &Ensembles),
    (nouveau, apres): (&Modele, &Ensembles),
    touches: Option<&Touches>,
) -> Vec<Ecart> {
    ecarts(a, |t| {
        let (avant, apres) = (&avant[t as usize], &apres[t as usize]);
        let Some(touches) = touches else { return (apres.clone(), avant - apres) };
        let mut poses = apres - avant;
        // What changed in a way that the caller cannot read did not change: not even when is told.
        let restees = &(apres & avant) & &touches.rangs[t as usize];
        poses.extend(restees.iter().filter(|r| !egales(ancien, nouveau, t, *r, a.profil)));
        (poses, avant - apres)
    })
}

/// Whether a row reads the same at two moments: all that the profile reads of it, policy and labels apart.
fn egales(ancien: &Modele, nouveau: &Modele, t: TypeFhir, rang: u32, profil: u8) -> bool {
    match (ancien.extraire(t, rang, profil), nouveau.extraire(t, rang, profil)) {
        (Some(x), Some(y)) => {
            let memes_faits = || nouveau.lit_pareil(t, rang, profil, [&x.faits, &y.faits]);
            x.version == y.version && x.maj == y.maj && (x.faits == y.faits || memes_faits())
        }
        _ => false,
    }
}

/// From what was touched: may say gone of what was not found before, never the contrary.
fn par_le_journal(a: &Abonnement, m: &Modele, touches: &Touches, apres: &Ensembles) -> Vec<Ecart> {
    ecarts(a, |t| {
        let touchees = &touches.rangs[t as usize];
        let requetes = a.recherches.0.iter().filter(|(x, _)| *x == t).flat_map(|(_, r)| r);
        let mut concernees = touchees.clone();
        requetes.for_each(|r| concernees |= voisinage::etendre(m, r, touches, a.profil));
        // Rights that change touch their row: the others were seen before if they are now.
        let autres_vues = (&concernees - touchees) & m.table(t).visibles(a.profil);
        let vues_avant = &touches.vus[t as usize] | autres_vues;
        let apres = &apres[t as usize];
        (&concernees & apres, vues_avant - apres)
    })
}

fn ecarts(a: &Abonnement, un: impl Fn(TypeFhir) -> (RoaringBitmap, RoaringBitmap)) -> Vec<Ecart> {
    let tous = a.recherches.0.iter().map(|(t, _)| {
        let (poses, otes) = un(*t);
        Ecart { type_fhir: *t, poses, otes }
    });
    tous.filter(|e| !e.poses.is_empty() || !e.otes.is_empty()).collect()
}

#[cfg(test)]
pub(crate) mod tests;
