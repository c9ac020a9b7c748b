//! Cursors: places in the four streams, alike on every replica, closed so that nobody reads or makes one up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::sceau::Sceau;

/// What a cursor is for, and its form.
const USAGE: &[u8] = b"ror $changes 2";
/// Instant, four positions, rights, nomenclatures.
const CORPS: usize = 8 + 4 * 8 + 8 + 8;
/// Letters of a text beyond which it is not even decoded.
const LONGUEUR_MAX: usize = 200;

/// A place in the change feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curseur {
    /// Sequence reached in structures, offers, capacity, identity.
    pub positions: [u64; 4],
    /// When it was given, milliseconds since 1970.
    pub date: i64,
    /// What tells what its reader might read then.
    pub droits: u64,
    /// What tells the nomenclatures of the copy that is followed.
    pub mots: u64,
}

impl Curseur {
    /// As given to a client.
    pub fn sceller(&self, cle: &[u8; 32]) -> String {
        let mut octets = Vec::with_capacity(CORPS);
        octets.extend_from_slice(&self.date.to_be_bytes());
        for p in self.positions {
            octets.extend_from_slice(&p.to_be_bytes());
        }
        octets.extend_from_slice(&self.droits.to_be_bytes());
        octets.extend_from_slice(&self.mots.to_be_bytes());
        URL_SAFE_NO_PAD.encode(Sceau::nouveau(cle).fermer(&[USAGE], &octets))
    }

    /// What a client gives back; none when it was not given by us, or in another format.
    pub fn lire(texte: &str, cle: &[u8; 32]) -> Option<Self> {
        if texte.len() > LONGUEUR_MAX {
            return None;
        }
        let octets = URL_SAFE_NO_PAD.decode(texte).ok()?;
        let clair = Sceau::nouveau(cle).ouvrir(&[USAGE], &octets)?;
        let mut nombres = clair.chunks_exact(8).map(|c| c.try_into().map(u64::from_be_bytes));
        let date = nombres.next()?.ok()?.cast_signed();
        let mut positions = [0; 4];
        for p in &mut positions {
            *p = nombres.next()?.ok()?;
        }
        let (droits, mots) = (nombres.next()?.ok()?, nombres.next()?.ok()?);
        Some(Self { positions, date, droits, mots })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_and_only_with_its_seal() {
        let cle = [7; 32];
        let c = Curseur { positions: [1, u64::MAX, 0, 42], date: -5, droits: 1 << 63, mots: 9 };
        let texte = c.sceller(&cle);
        assert!(texte.bytes().all(|o| o.is_ascii_alphanumeric() || o == b'-' || o == b'_'), "{texte}");
        assert_eq!(Curseur::lire(&texte, &cle), Some(c));
        assert_eq!(Curseur::lire(&texte, &[8; 32]), None, "another key");
        let mut octets = URL_SAFE_NO_PAD.decode(&texte).unwrap();
        for rang in 0..octets.len() {
            octets[rang] ^= 1;
            assert_eq!(Curseur::lire(&URL_SAFE_NO_PAD.encode(&octets), &cle), None, "byte {rang}");
            octets[rang] ^= 1;
        }
        let coupes = (0..texte.len()).map(|n| texte[..n].to_owned());
        for autre in coupes.chain([format!("{texte}AAAA"), "é".into(), "x".repeat(10_000)]) {
            assert_eq!(Curseur::lire(&autre, &cle), None, "{autre}");
        }
    }
}
