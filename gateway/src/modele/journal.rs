//! What changed from one moment to the next: for feeds that resume, and for what was deleted since.

use std::{
    collections::{HashMap, VecDeque},
    io,
};

use parking_lot::RwLock;

use super::{
    Changement, TypeFhir,
    image::{Entree, Image, Sortie, par_champs},
};

/// Touches kept: about a day of a busy country.
const JOURNAL_MAX: usize = 2_000_000;
/// Moments whose positions are kept, to place a cursor among them.
const REPERES_MAX: usize = 200_000;

/// A row that changed, its content, its capacities, or who may see it; or that one no longer refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touche {
    /// First moment that shows the change.
    pub numero: u64,
    /// Type.
    pub type_fhir: TypeFhir,
    /// Row.
    pub rang: u32,
    /// Profiles that saw it before, one bit each.
    pub avant: u8,
    /// Profiles for whom it changed, one bit each.
    pub pour: u8,
    /// Profiles that saw a row which ceased to refer to it, one bit each.
    pub quittent: u8,
}

#[derive(Default)]
struct Pages {
    touches: VecDeque<Touche>,
    /// Changes up to this moment, included, are no longer told.
    oublie: u64,
    /// The first moment of each positions.
    reperes: VecDeque<(u64, [u64; 4])>,
}

par_champs!(Pages { touches, oublie, reperes });

/// The journal of one replica.
#[derive(Default)]
pub(super) struct Journal(RwLock<Pages>);

impl Image for Journal {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.0.read().ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Ok(Self(RwLock::new(Image::lire(e)?)))
    }
}

impl Journal {
    /// Notes what a moment changed; `refonte`: what was noted before no longer tells enough.
    pub(super) fn noter(&self, numero: u64, positions: [u64; 4], touches: &[Changement], refonte: bool) {
        let mut j = self.0.write();
        if refonte {
            j.touches.clear();
            j.reperes.clear();
            j.oublie = numero;
        } else {
            let mut vus = HashMap::with_capacity(touches.len());
            let debut = j.touches.len();
            for c in touches {
                let place = *vus.entry((c.type_fhir, c.rang)).or_insert(j.touches.len());
                match j.touches.get_mut(place).filter(|_| place >= debut) {
                    // Who saw it before is told by the first change.
                    Some(t) => {
                        t.pour |= c.pour;
                        t.quittent |= c.quittent;
                    }
                    None => {
                        let Changement { type_fhir, rang, avant, pour, quittent } = *c;
                        j.touches.push_back(Touche { numero, type_fhir, rang, avant, pour, quittent });
                    }
                }
            }
        }
        if j.reperes.back().is_none_or(|(_, p)| *p != positions) {
            j.reperes.push_back((numero, positions));
        }
        while j.touches.len() > JOURNAL_MAX {
            if let Some(t) = j.touches.pop_front() {
                j.oublie = t.numero;
            }
        }
        // A moment told in part is not told.
        let oublie = j.oublie;
        while j.touches.front().is_some_and(|t| t.numero <= oublie) {
            j.touches.pop_front();
        }
        while j.reperes.len() > REPERES_MAX {
            j.reperes.pop_front();
        }
    }

    /// Rows touched after a moment, up to another one, in order; `None` when it goes back further
    /// than kept.
    pub(super) fn entre(&self, depuis: u64, jusqu_a: u64) -> Option<Vec<Touche>> {
        let j = self.0.read();
        if depuis < j.oublie {
            return None;
        }
        let debut = j.touches.partition_point(|t| t.numero <= depuis);
        Some(j.touches.range(debut..).take_while(|t| t.numero <= jusqu_a).copied().collect())
    }

    /// The first moment that has the latest kept positions that are all at most these: what follows
    /// it tells at least what follows them, whatever moments have the same positions. `None` when it
    /// goes back further than kept.
    pub(super) fn repere(&self, positions: [u64; 4]) -> Option<u64> {
        let j = self.0.read();
        let avant = |p: &[u64; 4]| p.iter().zip(&positions).all(|(a, b)| a <= b);
        // Positions only grow from one moment to the next: when they go back, all is forgotten.
        let n = j.reperes.partition_point(|(_, p)| avant(p));
        let (numero, _) = j.reperes.get(n.checked_sub(1)?)?;
        (*numero >= j.oublie).then_some(*numero)
    }

    /// What it told when that moment was the last one.
    pub(super) fn jusqu_a(&self, numero: u64) -> Self {
        let j = self.0.read();
        let touches = j.touches.partition_point(|t| t.numero <= numero);
        let reperes = j.reperes.partition_point(|(n, _)| *n <= numero);
        Self(RwLock::new(Pages {
            touches: j.touches.range(..touches).copied().collect(),
            oublie: j.oublie.min(numero),
            reperes: j.reperes.range(..reperes).copied().collect(),
        }))
    }
}
