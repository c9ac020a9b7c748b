//! Cursors: places in the four streams, alike on every replica, sealed so that nobody makes one up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Version of the format; it changes with the meaning of the positions.
const VERSION: u8 = 2;
/// Version, instant, four positions, policy, nomenclatures.
const CORPS: usize = 1 + 8 + 4 * 8 + 8 + 8;
/// Bytes of the seal: enough that guessing one is out of reach.
const SCEAU: usize = 16;
/// What tells these seals from others made with the same key.
const USAGE: &[u8] = b"ror $changes";

/// A place in the change feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curseur {
    /// Sequence reached in structures, offers, capacity, identity.
    pub positions: [u64; 4],
    /// When it was given, milliseconds since 1970.
    pub date: i64,
    /// What tells the access policy of then.
    pub droits: u64,
    /// What tells the nomenclatures of the copy that is followed.
    pub mots: u64,
}

impl Curseur {
    /// As given to a client.
    pub fn sceller(&self, cle: &[u8; 32]) -> String {
        let mut octets = Vec::with_capacity(CORPS + SCEAU);
        octets.push(VERSION);
        octets.extend_from_slice(&self.date.to_be_bytes());
        for p in self.positions {
            octets.extend_from_slice(&p.to_be_bytes());
        }
        octets.extend_from_slice(&self.droits.to_be_bytes());
        octets.extend_from_slice(&self.mots.to_be_bytes());
        let sceau = sceau(cle, &octets).finalize().into_bytes();
        octets.extend_from_slice(&sceau[..SCEAU]);
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// What a client gives back; none when it was not given by us, or in another format.
    pub fn lire(texte: &str, cle: &[u8; 32]) -> Option<Self> {
        // Longer texts are not even decoded.
        if texte.len() > 2 * (CORPS + SCEAU) {
            return None;
        }
        let octets = URL_SAFE_NO_PAD.decode(texte).ok()?;
        let (corps, marque) = octets.split_at_checked(CORPS)?;
        if corps[0] != VERSION || marque.len() != SCEAU {
            return None;
        }
        sceau(cle, corps).verify_truncated_left(marque).ok()?;
        let mut nombres = corps[1..].chunks_exact(8).map(|c| c.try_into().map(u64::from_be_bytes));
        let date = nombres.next()?.ok()?.cast_signed();
        let mut positions = [0; 4];
        for p in &mut positions {
            *p = nombres.next()?.ok()?;
        }
        let (droits, mots) = (nombres.next()?.ok()?, nombres.next()?.ok()?);
        Some(Self { positions, date, droits, mots })
    }
}

fn sceau(cle: &[u8; 32], octets: &[u8]) -> Hmac<Sha256> {
    let mut h = match Hmac::<Sha256>::new_from_slice(cle) {
        Ok(h) => h,
        Err(e) => unreachable!("a key of any length serves: {e}"),
    };
    h.update(USAGE);
    h.update(octets);
    h
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
