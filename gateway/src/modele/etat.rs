//! States kept compact. The same long canonicals come back in every resource: each
//! state is compressed against a dictionary of them, and read back in a few microseconds.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use crate::fhir::canoniques as c;

/// Small on purpose: compressing reads it whole each time.
static DICTIONNAIRE: LazyLock<Vec<u8>> = LazyLock::new(|| c::SYSTEMES.concat().into_bytes());

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
        let comprime = lz4_flex::block::compress_with_dict(octets, &DICTIONNAIRE);
        match u32::try_from(octets.len()) {
            Ok(n) if comprime.len() < octets.len() => Self::Comprime(comprime.into(), n),
            _ => Self::Brut(octets.into()),
        }
    }

    /// The state; empty when it cannot be read, which decoding then reports.
    pub fn lire(&self) -> Bytes {
        match self {
            Self::Brut(o) => Bytes::copy_from_slice(o),
            Self::Comprime(o, n) => lz4_flex::block::decompress_with_dict(o, *n as usize, &DICTIONNAIRE)
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
        assert!(matches!(Etat::garder(t), Etat::Comprime(c, _) if c.len() < t.len() / 2));
        assert_eq!(Etat::garder(&[]).lire().len(), 0);
    }
}
