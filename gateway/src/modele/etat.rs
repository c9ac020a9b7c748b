//! States kept compact. The same long canonicals come back in every resource: each
//! state is compressed against a dictionary made of the first ones seen, and read
//! back in a few microseconds.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parking_lot::Mutex;

/// Bytes of first states that make the dictionary: the reach of the format.
const DICTIONNAIRE: usize = 60 * 1024;
/// Of each state, at most this much goes in, so that many kinds are in it.
const PART: usize = 3 * 1024;

static DICT: OnceLock<Vec<u8>> = OnceLock::new();
static ECHANTILLON: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// An encoded state.
#[derive(Clone)]
pub enum Etat {
    /// As it is.
    Brut(Arc<[u8]>),
    /// Compressed; the length it had.
    Comprime(Arc<[u8]>, u32),
}

impl Etat {
    /// Keeps a state.
    pub fn garder(octets: &[u8]) -> Self {
        match DICT.get() {
            Some(d) => {
                let c = lz4_flex::block::compress_with_dict(octets, d);
                match u32::try_from(octets.len()) {
                    Ok(n) if c.len() < octets.len() => Self::Comprime(c.into(), n),
                    _ => Self::Brut(octets.into()),
                }
            }
            None => {
                apprendre(octets);
                Self::Brut(octets.into())
            }
        }
    }

    /// The state; empty when it cannot be read, which decoding then reports.
    pub fn lire(&self) -> Bytes {
        match self {
            Self::Brut(o) => Bytes::copy_from_slice(o),
            Self::Comprime(o, n) => {
                let d = DICT.get().map_or(&[][..], Vec::as_slice);
                lz4_flex::block::decompress_with_dict(o, *n as usize, d).unwrap_or_default().into()
            }
        }
    }
}

fn apprendre(octets: &[u8]) {
    let mut e = ECHANTILLON.lock();
    if DICT.get().is_some() {
        return;
    }
    e.extend_from_slice(&octets[..octets.len().min(PART)]);
    if e.len() >= DICTIONNAIRE {
        e.truncate(DICTIONNAIRE);
        let _ = DICT.set(std::mem::take(&mut e));
    }
}

#[cfg(test)]
mod tests {
    use super::Etat;

    #[test]
    fn a_state_comes_back_as_it_was_before_and_after_the_dictionary() {
        let texte = |i: u32| {
            format!("https://exemple.invalid/systeme/TRE-R{}|code {i}; ", i % 7).repeat(20).into_bytes()
        };
        for i in 0..400 {
            let t = texte(i);
            assert_eq!(Etat::garder(&t).lire(), t);
        }
        assert!(matches!(Etat::garder(&texte(3)), Etat::Comprime(..)), "the dictionary is there");
        assert_eq!(Etat::garder(&[]).lire().len(), 0);
    }
}
