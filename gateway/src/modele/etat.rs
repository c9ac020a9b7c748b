//! States kept compact. The same long canonicals come back in every resource: each
//! state is compressed against a dictionary of them, and read back in a few microseconds.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use crate::fhir::canoniques as c;

/// Small on purpose: compressing reads it whole each time.
static DICTIONNAIRE: LazyLock<Vec<u8>> = LazyLock::new(|| c::SYSTEMES.concat().into_bytes());

/// Bytes of the length in front.
const ENTETE: usize = 4;

/// An encoded state: the length it has once read (zero when it is kept as it is), then its bytes.
#[derive(Clone)]
pub struct Etat(Arc<[u8]>);

impl Etat {
    /// Keeps a state.
    pub fn garder(octets: &[u8]) -> Self {
        let comprime = lz4_flex::block::compress_with_dict(octets, &DICTIONNAIRE);
        let (longueur, corps) = match u32::try_from(octets.len()) {
            Ok(n) if comprime.len() < octets.len() => (n, comprime.as_slice()),
            _ => (0, octets),
        };
        Self(longueur.to_le_bytes().iter().chain(corps).copied().collect())
    }

    /// The state; empty when it cannot be read, which decoding then reports.
    pub fn lire(&self) -> Bytes {
        let Some((tete, corps)) = self.0.split_first_chunk::<ENTETE>() else { return Bytes::new() };
        match u32::from_le_bytes(*tete) {
            0 => Bytes::copy_from_slice(corps),
            n => lz4_flex::block::decompress_with_dict(corps, n as usize, &DICTIONNAIRE)
                .unwrap_or_default()
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Etat;

    #[test]
    fn a_state_comes_back_as_it_was_and_canonicals_weigh_little() {
        for i in 0..50 {
            let t = format!("{} code {i} é", crate::fhir::canoniques::TRE_R211).repeat(i).into_bytes();
            assert_eq!(Etat::garder(&t).lire(), t);
        }
        let t = crate::fhir::canoniques::TRE_R211.as_bytes();
        assert!(Etat::garder(t).0.len() < t.len() / 2);
        assert_eq!(Etat::garder(&[]).lire().len(), 0);
    }
}
