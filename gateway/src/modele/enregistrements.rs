//! Records of a resource whose criteria must hold on one and the same record: capacities,
//! equipment limits, habitations, prices. The codes of a record are its signature; few are
//! different, so that a question on codes is a union of sets, and one on numbers and dates
//! verifies only the rows of these sets.

use std::{collections::HashMap, io, sync::Arc};

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;

use super::{
    colonne::Colonne,
    image::{Entree, Image, Sortie, par_champs},
};

/// Token fields of a signature; the last is the unit of the number.
pub const CHAMPS: usize = 9;
/// Place of the unit.
pub const UNITE: usize = 8;

/// A code of a record: system, code; both empty for none.
pub type CodeDe = (String, String);

/// A record as given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Donnee {
    /// Codes by field.
    pub codes: [CodeDe; CHAMPS],
    /// Status that rights depend on (capacities).
    pub statut: u8,
    /// Number; NaN for none.
    pub nombre: f64,
    /// First instant of the date, milliseconds, and its width; a width of zero is no date.
    pub date: (i64, u32),
}

/// A record kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enregistrement {
    /// Number; NaN for none.
    pub nombre: f64,
    /// First instant of the date.
    pub date: i64,
    /// Milliseconds of its precision; zero for no date.
    pub largeur: u32,
    /// Which signature.
    pub signature: u32,
}

impl PartialEq for Enregistrement {
    fn eq(&self, o: &Self) -> bool {
        (self.nombre.to_bits(), self.date, self.largeur, self.signature)
            == (o.nombre.to_bits(), o.date, o.largeur, o.signature)
    }
}

/// The codes of a record, by number, and its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Signature {
    codes: [u32; CHAMPS],
    /// Status that rights depend on.
    pub statut: u8,
}

par_champs!(Enregistrement { nombre, date, largeur, signature });
par_champs!(Signature { codes, statut });

/// All records of one group.
#[derive(Clone, Default)]
pub struct Enregistrements {
    codes: Arc<Vec<CodeDe>>,
    numeros_des_codes: Arc<HashMap<CodeDe, u32, RandomState>>,
    signatures: Arc<Vec<Signature>>,
    numeros: Arc<HashMap<Signature, u32, RandomState>>,
    lignes: Colonne<Option<Arc<[Enregistrement]>>>,
    ensembles: Colonne<Arc<RoaringBitmap>>,
    // Rows with a record of that signature whose number is above zero: the usual question.
    positifs: Colonne<Arc<RoaringBitmap>>,
}

impl Image for Enregistrements {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.codes.ecrire(s)?;
        self.signatures.ecrire(s)?;
        self.lignes.ecrire(s)?;
        self.ensembles.ecrire(s)?;
        self.positifs.ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        let (codes, signatures) = <(Vec<CodeDe>, Vec<Signature>)>::lire(e)?;
        Ok(Self {
            numeros_des_codes: Arc::new(codes.iter().cloned().zip(1..).collect()),
            codes: codes.into(),
            numeros: Arc::new(signatures.iter().copied().zip(0..).collect()),
            signatures: signatures.into(),
            lignes: Image::lire(e)?,
            ensembles: Image::lire(e)?,
            positifs: Image::lire(e)?,
        })
    }
}

impl Enregistrements {
    fn code(&mut self, code: &CodeDe) -> u32 {
        if code.1.is_empty() {
            return 0;
        }
        if let Some(n) = self.numeros_des_codes.get(code) {
            return *n;
        }
        let codes = Arc::make_mut(&mut self.codes);
        codes.push(code.clone());
        let n = codes.len() as u32;
        Arc::make_mut(&mut self.numeros_des_codes).insert(code.clone(), n);
        n
    }

    fn signature(&mut self, d: &Donnee) -> u32 {
        let s = Signature { codes: std::array::from_fn(|i| self.code(&d.codes[i])), statut: d.statut };
        if let Some(n) = self.numeros.get(&s) {
            return *n;
        }
        let n = self.signatures.len() as u32;
        Arc::make_mut(&mut self.signatures).push(s);
        Arc::make_mut(&mut self.numeros).insert(s, n);
        n
    }

    /// Replaces the records of a row.
    pub fn poser(&mut self, rang: u32, donnees: &[Donnee]) {
        let nouveaux: Vec<Enregistrement> = donnees
            .iter()
            .map(|d| Enregistrement {
                nombre: d.nombre,
                date: d.date.0,
                largeur: d.date.1,
                signature: self.signature(d),
            })
            .collect();
        let anciens = self.lignes.get(rang).cloned().flatten();
        let anciens: &[Enregistrement] = anciens.as_deref().unwrap_or_default();
        if anciens == nouveaux {
            return;
        }
        for (e, avant) in anciens.iter().map(|e| (e, true)).chain(nouveaux.iter().map(|e| (e, false))) {
            let n = e.signature;
            let apres = nouveaux.iter().any(|x| x.signature == n);
            let positif = nouveaux.iter().any(|x| x.signature == n && x.nombre > 0.0);
            for (ensembles, present) in [(&mut self.ensembles, apres), (&mut self.positifs, positif)] {
                let est = ensembles.get(n).is_some_and(|b| b.contains(rang));
                if est != present && (avant || present) {
                    let b = Arc::make_mut(ensembles.place(n));
                    if present {
                        b.insert(rang)
                    } else {
                        b.remove(rang)
                    };
                }
            }
        }
        *self.lignes.place(rang) = (!nouveaux.is_empty()).then(|| nouveaux.into());
    }

    /// Records of a row.
    pub fn de(&self, rang: u32) -> &[Enregistrement] {
        self.lignes.get(rang).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Every signature, by number.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// One code of a signature: system and code.
    pub fn code_de(&self, s: &Signature, champ: usize) -> Option<&CodeDe> {
        self.codes.get((s.codes[champ] as usize).checked_sub(1)?)
    }

    /// Rows with a record of that signature; `positif`: whose number is above zero.
    pub fn ensemble(&self, signature: u32, positif: bool) -> Option<&RoaringBitmap> {
        let e = if positif { &self.positifs } else { &self.ensembles };
        e.get(signature).map(AsRef::as_ref)
    }

    /// Every code in use in a field.
    pub fn codes_en_usage(&self, champ: usize) -> impl Iterator<Item = &CodeDe> {
        self.signatures.iter().filter_map(move |s| self.code_de(s, champ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn donnee(statut: &str, nombre: f64) -> Donnee {
        let mut codes: [CodeDe; CHAMPS] = Default::default();
        codes[1] = ("s".into(), statut.into());
        Donnee { codes, nombre, ..Default::default() }
    }

    #[test]
    fn sets_follow_the_records_of_each_row() {
        let mut e = Enregistrements::default();
        e.poser(7, &[donnee("01", 20.0), donnee("02", 0.0)]);
        e.poser(8, &[donnee("02", 3.0)]);
        let avant = e.clone();
        let rangs = |e: &Enregistrements, n, p| e.ensemble(n, p).unwrap().iter().collect::<Vec<_>>();
        assert_eq!(
            (rangs(&e, 0, false), rangs(&e, 1, false), rangs(&e, 1, true)),
            (vec![7], vec![7, 8], vec![8])
        );
        e.poser(7, &[donnee("02", 1.0)]);
        e.poser(8, &[]);
        assert_eq!(
            (rangs(&e, 0, false), rangs(&e, 1, false), rangs(&e, 1, true)),
            (vec![], vec![7], vec![7])
        );
        assert_eq!((rangs(&avant, 0, true), avant.de(8).len(), e.de(8).len()), (vec![7], 1, 0));
        assert_eq!(e.code_de(&e.signatures()[1], 1).unwrap().1, "02");
    }
}
