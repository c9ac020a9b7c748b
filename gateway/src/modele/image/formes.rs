//! The containers that the model is made of. What has no order of its own is written in that of its keys, so
//! that equal models are equal images.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{BuildHasher, Hash},
    io,
    sync::Arc,
};

use roaring::RoaringBitmap;

use super::{Entree, Image, Sortie, abime};

macro_rules! nombres {
    ($($type:ty),*) => {$(
        impl Image for $type {
            fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
                s.poser(&self.to_le_bytes())
            }
            fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
                Ok(Self::from_le_bytes(e.tableau()?))
            }
        }
    )*};
}
nombres!(u16, u32, u64, i16, i64, f64);

impl Image for u8 {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        s.poser(&[*self])
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        e.tableau::<1>().map(|[n]| n)
    }
    // At once: one by one would take most of the time of a start.
    fn ecrire_suite(suite: &[Self], s: &mut Sortie) -> io::Result<()> {
        s.octets(suite)
    }
    fn lire_suite(e: &mut Entree<'_>) -> io::Result<Vec<Self>> {
        e.octets(<[Self]>::to_vec)
    }
}

macro_rules! textes {
    ($($type:ty),*) => {$(
        impl Image for $type {
            fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
                s.octets(self.as_bytes())
            }
            fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
                e.octets(|o| std::str::from_utf8(o).map(Self::from))?.map_err(|_| abime())
            }
        }
    )*};
}
textes!(String, Box<str>, Arc<str>);

impl Image for bool {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        u8::from(*self).ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        match u8::lire(e)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(abime()),
        }
    }
}

impl<T: Image> Image for Option<T> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.is_some().ecrire(s)?;
        self.iter().try_for_each(|x| x.ecrire(s))
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        bool::lire(e)?.then(|| T::lire(e)).transpose()
    }
}

impl<A: Image, B: Image> Image for (A, B) {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.0.ecrire(s)?;
        self.1.ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Ok((A::lire(e)?, B::lire(e)?))
    }
}

impl<T: Image> Image for Arc<T> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.as_ref().ecrire(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        T::lire(e).map(Self::new)
    }
}

impl<T: Image, const N: usize> Image for [T; N] {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.iter().try_for_each(|x| x.ecrire(s))
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        let lus: Vec<T> = (0..N).map(|_| T::lire(e)).collect::<io::Result<_>>()?;
        lus.try_into().map_err(|_| abime())
    }
}

impl<T: Image> Image for Vec<T> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        T::ecrire_suite(self, s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        T::lire_suite(e)
    }
}

impl<T: Image> Image for Arc<[T]> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        T::ecrire_suite(self, s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        T::lire_suite(e).map(Self::from)
    }
}

impl<T: Image> Image for VecDeque<T> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        s.longueur(self.len())?;
        self.iter().try_for_each(|x| x.ecrire(s))
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        T::lire_suite(e).map(Self::from)
    }
}

/// Keys with their values.
fn ecrire_paires<'a, K: Image + 'a, V: Image + 'a>(
    paires: impl ExactSizeIterator<Item = (&'a K, &'a V)>,
    s: &mut Sortie,
) -> io::Result<()> {
    s.longueur(paires.len())?;
    for (k, v) in paires {
        k.ecrire(s)?;
        v.ecrire(s)?;
    }
    Ok(())
}

impl<K: Image + Ord, V: Image> Image for BTreeMap<K, V> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        ecrire_paires(self.iter(), s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Ok(Vec::<(K, V)>::lire(e)?.into_iter().collect())
    }
}

impl<K: Image + Ord + Hash, V: Image, S: BuildHasher + Default> Image for HashMap<K, V, S> {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        let mut paires: Vec<(&K, &V)> = self.iter().collect();
        paires.sort_unstable_by_key(|(k, _)| *k);
        ecrire_paires(paires.into_iter(), s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Ok(Vec::<(K, V)>::lire(e)?.into_iter().collect())
    }
}

impl Image for RoaringBitmap {
    fn ecrire(&self, s: &mut Sortie) -> io::Result<()> {
        self.serialize_into(s)
    }
    fn lire(e: &mut Entree<'_>) -> io::Result<Self> {
        Self::deserialize_from(e)
    }
}
