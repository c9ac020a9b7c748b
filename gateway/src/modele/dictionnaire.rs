//! Texts to the rows that carry them, searched by their beginning or any part of them.

use std::{collections::BTreeMap, ops::Bound, sync::Arc};

use roaring::{MultiOps, RoaringBitmap};

use super::colonne::Colonne;

/// Parts, by first byte, so that a new text copies a small one.
const PARTS: usize = 256;

/// Texts of one part, with the number of their set.
type Part = BTreeMap<Arc<str>, u32>;

/// A dictionary of folded texts.
#[derive(Clone)]
pub struct Dictionnaire {
    parts: Arc<Vec<Arc<Part>>>,
    ensembles: Colonne<Arc<RoaringBitmap>>,
    nombre: u32,
}

super::image::par_champs!(Dictionnaire { parts, ensembles, nombre });

impl Default for Dictionnaire {
    fn default() -> Self {
        Self {
            parts: Arc::new((0..PARTS).map(|_| Arc::default()).collect()),
            ensembles: Colonne::default(),
            nombre: 0,
        }
    }
}

fn part(texte: &str) -> usize {
    texte.bytes().next().map_or(0, usize::from)
}

impl Dictionnaire {
    fn numero(&mut self, texte: &str) -> u32 {
        let i = part(texte);
        if let Some(n) = self.parts[i].get(texte) {
            return *n;
        }
        let n = self.nombre;
        self.nombre += 1;
        Arc::make_mut(&mut Arc::make_mut(&mut self.parts)[i]).insert(texte.into(), n);
        n
    }

    /// Moves a row from its former texts to its new ones; both sorted, without doubles.
    pub fn changer(&mut self, rang: u32, anciens: &[String], nouveaux: &[String]) {
        for t in anciens.iter().filter(|t| nouveaux.binary_search(t).is_err()) {
            let n = self.numero(t);
            Arc::make_mut(self.ensembles.place(n)).remove(rang);
        }
        for t in nouveaux.iter().filter(|t| anciens.binary_search(t).is_err()) {
            let n = self.numero(t);
            Arc::make_mut(self.ensembles.place(n)).insert(rang);
        }
    }

    /// Texts known so far.
    pub fn nombre(&self) -> u64 {
        u64::from(self.nombre)
    }

    /// At most how many texts start so, without looking at them.
    pub fn portee(&self, prefixe: &str) -> u64 {
        if prefixe.is_empty() { self.nombre() } else { self.parts[part(prefixe)].len() as u64 }
    }

    fn ensemble(&self, n: u32) -> Option<&RoaringBitmap> {
        self.ensembles.get(n).map(AsRef::as_ref)
    }

    fn union<'a>(&'a self, numeros: impl Iterator<Item = &'a u32>) -> RoaringBitmap {
        MultiOps::<&RoaringBitmap>::union(numeros.filter_map(|n| self.ensemble(*n)))
    }

    /// About how many rows carry a text that starts so; `None` past so many texts.
    pub fn environ(&self, prefixe: &str, textes: usize) -> Option<u64> {
        if prefixe.is_empty() {
            return None;
        }
        let suite = self.parts[part(prefixe)].range::<str, _>((Bound::Included(prefixe), Bound::Unbounded));
        let mut reste = textes;
        let mut total = 0;
        for (_, n) in suite.take_while(|(t, _)| t.starts_with(prefixe)) {
            reste = reste.checked_sub(1)?;
            total += self.ensemble(*n).map_or(0, RoaringBitmap::len);
        }
        Some(total)
    }

    /// Rows that carry exactly this text.
    pub fn egal(&self, texte: &str) -> RoaringBitmap {
        let connu = self.parts[part(texte)].get(texte);
        connu.and_then(|n| self.ensemble(*n)).cloned().unwrap_or_default()
    }

    /// Rows that carry a text that starts so.
    pub fn debut(&self, prefixe: &str) -> RoaringBitmap {
        if prefixe.is_empty() {
            return self.ou(|_| true);
        }
        let suite = self.parts[part(prefixe)].range::<str, _>((Bound::Included(prefixe), Bound::Unbounded));
        self.union(suite.take_while(|(t, _)| t.starts_with(prefixe)).map(|(_, n)| n))
    }

    /// Rows that carry a text for which this holds: every text is looked at.
    pub fn ou(&self, condition: impl Fn(&str) -> bool) -> RoaringBitmap {
        self.union(self.parts.iter().flat_map(|p| p.iter()).filter(|(t, _)| condition(t)).map(|(_, n)| n))
    }

    /// Texts and their rows, in order.
    pub fn tous(&self) -> impl DoubleEndedIterator<Item = (&str, &RoaringBitmap)> {
        self.parts
            .iter()
            .flat_map(|p| p.iter())
            .filter_map(|(t, n)| Some((t.as_ref(), self.ensembles.get(*n)?.as_ref())))
    }
}

#[cfg(test)]
mod tests {
    use super::Dictionnaire;

    #[test]
    fn texts_are_found_by_beginning_part_and_whole() {
        let mut d = Dictionnaire::default();
        for (r, t) in [(1, "nantes"), (2, "nancy"), (3, "saint-nazaire"), (4, "nantes")] {
            d.changer(r, &[], &[t.to_owned()]);
        }
        let avant = d.clone();
        d.changer(4, &["nantes".to_owned()], &["rezé".to_owned()]);
        let v = |b: roaring::RoaringBitmap| b.iter().collect::<Vec<_>>();
        assert_eq!(
            (v(d.debut("nan")), v(d.debut("")), v(d.egal("nantes"))),
            (vec![1, 2], vec![1, 2, 3, 4], vec![1])
        );
        assert_eq!((v(d.ou(|t| t.contains("na"))), v(avant.egal("nantes"))), (vec![1, 2, 3], vec![1, 4]));
        assert!(d.tous().map(|(t, _)| t).is_sorted());
        let environ = |t: &str, textes| d.environ(t, textes);
        assert_eq!(
            (environ("nan", 9), environ("nan", 1), environ("", 9), environ("q", 0)),
            (Some(2), None, None, Some(0))
        );
        assert_eq!((d.nombre(), d.portee(""), d.portee("sa"), d.portee("x")), (4, 4, 1, 0));
    }
}
