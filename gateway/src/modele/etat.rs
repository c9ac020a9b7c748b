//! States kept compact. The same long canonicals come back in every resource: each
//! state is compressed against a dictionary of them, and read back in a few microseconds.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use crate::fhir::canoniques as c;

/// Small on purpose: compressing reads it whole each time.
static DICTIONNAIRE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let canoniques = [
        c::TRE_G07,
        c::TRE_G08,
        c::TRE_G13,
        c::TRE_G15,
        c::TRE_G16,
        c::TRE_R02,
        c::TRE_R04,
        c::TRE_R11,
        c::TRE_R13_COMMUNE,
        c::TRE_R13,
        c::TRE_R23,
        c::TRE_R30,
        c::TRE_R35,
        c::TRE_R38,
        c::TRE_R39,
        c::TRE_R40,
        c::TRE_R42,
        c::TRE_R43,
        c::TRE_R44,
        c::TRE_R66,
        c::TRE_R67,
        c::TRE_R69,
        c::TRE_R72,
        c::TRE_R73,
        c::TRE_R81,
        c::TRE_R85,
        c::TRE_R94,
        c::TRE_R95,
        c::TRE_R96,
        c::TRE_R97,
        c::TRE_R200,
        c::TRE_R201,
        c::TRE_R207,
        c::TRE_R210,
        c::TRE_R211,
        c::TRE_R213,
        c::TRE_R227,
        c::TRE_R236,
        c::TRE_R238,
        c::TRE_R240,
        c::TRE_R243,
        c::TRE_R244,
        c::TRE_R245,
        c::TRE_R247,
        c::TRE_R253,
        c::TRE_R265,
        c::TRE_R266,
        c::TRE_R283,
        c::TRE_R286,
        c::TRE_R316,
        c::TRE_R329,
        c::TRE_R330,
        c::TRE_R331,
        c::TRE_R332,
        c::TRE_R333,
        c::TRE_R334,
        c::TRE_R335,
        c::TRE_R336,
        c::TRE_R337,
        c::TRE_R338,
        c::TRE_R344,
        c::TRE_R345,
        c::TRE_R350,
        c::TRE_R354,
        c::TRE_R355,
        c::TRE_R356,
        c::TRE_R345_BIS,
    ];
    canoniques.concat().into_bytes()
});

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
