//! What a client keeps for us and gives back, links and cursors: closed, so that it neither reads one nor makes one
//! up. The same text closes to the same bytes, so that the same answer has the same links.
//!
//! A synthetic initialisation vector over HMAC-SHA256 (as RFC 5297 has it over AES): the mark authenticates the
//! text and what it is for, and the text is covered by a stream drawn from the mark.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a mark: enough that guessing one is out of reach.
const MARQUE: usize = 16;
/// Bytes that one block covers.
const BLOC: usize = 32;

/// Closes and opens with one key.
pub(crate) struct Sceau(Hmac<Sha256>);

impl Sceau {
    pub(crate) fn nouveau(cle: &[u8; 32]) -> Self {
        match Hmac::<Sha256>::new_from_slice(cle) {
            Ok(h) => Self(h),
            Err(e) => unreachable!("a key of any length serves: {e}"),
        }
    }

    /// The mark, then the text covered. `usage` says what for, the kind first: it opens for no other.
    pub(crate) fn fermer(&self, usage: &[&[u8]], clair: &[u8]) -> Vec<u8> {
        let marque = self.marquer(usage, clair);
        let mut octets = Vec::with_capacity(MARQUE + clair.len());
        octets.extend_from_slice(&marque);
        octets.extend_from_slice(clair);
        self.couvrir(&marque, &mut octets[MARQUE..]);
        octets
    }

    /// The text; none when it was not closed with this key, for this.
    pub(crate) fn ouvrir(&self, usage: &[&[u8]], ferme: &[u8]) -> Option<Vec<u8>> {
        let (marque, couvert) = ferme.split_first_chunk::<MARQUE>()?;
        let mut clair = couvert.to_vec();
        self.couvrir(marque, &mut clair);
        let attendue = self.marquer(usage, &clair);
        bool::from(subtle::ConstantTimeEq::ct_eq(&attendue[..], &marque[..])).then_some(clair)
    }

    fn marquer(&self, usage: &[&[u8]], clair: &[u8]) -> [u8; MARQUE] {
        let mut mac = self.0.clone();
        mac.update(b"m");
        for partie in usage.iter().copied().chain([clair]) {
            // Lengths first: no two lists give the same bytes.
            mac.update(&(partie.len() as u64).to_le_bytes());
            mac.update(partie);
        }
        let mut marque = [0; MARQUE];
        marque.copy_from_slice(&mac.finalize().into_bytes()[..MARQUE]);
        marque
    }

    /// Covers, or uncovers.
    fn couvrir(&self, marque: &[u8; MARQUE], octets: &mut [u8]) {
        for (rang, bloc) in octets.chunks_mut(BLOC).enumerate() {
            let mut mac = self.0.clone();
            mac.update(b"v");
            mac.update(marque);
            mac.update(&(rang as u64).to_le_bytes());
            for (octet, voile) in bloc.iter_mut().zip(mac.finalize().into_bytes()) {
                *octet ^= voile;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_opens_whole_for_its_use_only_and_shows_nothing() {
        let (sceau, autre) = (Sceau::nouveau(&[7; 32]), Sceau::nouveau(&[8; 32]));
        for n in [0, 1, BLOC, 2 * BLOC + 3] {
            let clair = vec![0u8; n];
            let mut ferme = sceau.fermer(&[b"a", b"bc"], &clair);
            assert_eq!(ferme, sceau.fermer(&[b"a", b"bc"], &clair), "the same closes the same");
            assert_eq!(sceau.ouvrir(&[b"a", b"bc"], &ferme), Some(clair.clone()));
            assert!(n < 8 || !ferme.windows(4).any(|w| w == [0; 4]), "{ferme:?}");
            let usages: [&[&[u8]]; 3] = [&[b"ab", b"c"], &[b"abc"], &[b"a", b"bd"]];
            for usage in usages {
                assert_eq!(sceau.ouvrir(usage, &ferme), None);
            }
            assert_eq!(autre.ouvrir(&[b"a", b"bc"], &ferme), None, "another key");
            for rang in 0..ferme.len() {
                ferme[rang] ^= 1;
                assert_eq!(sceau.ouvrir(&[b"a", b"bc"], &ferme), None, "byte {rang}");
                ferme[rang] ^= 1;
            }
            for fin in 0..ferme.len() {
                assert_eq!(sceau.ouvrir(&[b"a", b"bc"], &ferme[..fin]), None, "cut at {fin}");
            }
        }
    }

    #[test]
    fn neighbours_have_nothing_in_common() {
        let sceau = Sceau::nouveau(&[7; 32]);
        let (un, deux) = (sceau.fermer(&[b"a"], &[0, 1]), sceau.fermer(&[b"a"], &[0, 2]));
        assert_ne!(un[..MARQUE], deux[..MARQUE]);
    }
}
