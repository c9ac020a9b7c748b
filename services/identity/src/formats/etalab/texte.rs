//! The encoding of a file, found line after line.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_8859_15, WINDOWS_1252};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Etat {
    /// ASCII so far.
    Inconnu,
    Utf8,
    Ancien,
}

/// UTF-8, or the encoding of the time, as the first line with an accent shows.
pub(super) struct Encodage {
    etat: Etat,
    ancien: &'static Encoding,
}

impl Encodage {
    /// `marque`: the file begins with the UTF-8 mark.
    pub(super) fn nouveau(marque: bool) -> Self {
        Self { etat: if marque { Etat::Utf8 } else { Etat::Inconnu }, ancien: ISO_8859_15 }
    }

    /// The annual files came from another tool.
    pub(super) fn annuel(&mut self) {
        self.ancien = WINDOWS_1252;
    }

    /// Text of a line; None for a line that is not UTF-8 in a file that is.
    pub(super) fn lire<'o>(&mut self, octets: &'o [u8]) -> Option<Cow<'o, str>> {
        if self.etat != Etat::Ancien {
            match std::str::from_utf8(octets) {
                Ok(texte) => {
                    if !texte.is_ascii() {
                        self.etat = Etat::Utf8;
                    }
                    return Some(Cow::Borrowed(texte));
                }
                Err(_) if self.etat == Etat::Utf8 => return None,
                Err(_) => self.etat = Etat::Ancien,
            }
        }
        let (texte, _) = self.ancien.decode_without_bom_handling(octets);
        Some(texte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_accent_tells_the_encoding() {
        let mut stock = Encodage::nouveau(false);
        assert_eq!(stock.lire(b"ASCII").as_deref(), Some("ASCII"));
        assert_eq!(stock.lire(b"C\xbdUR \xc9T\xc9").as_deref(), Some("CœUR ÉTÉ"));
        assert_eq!(stock.lire("É".as_bytes()).as_deref(), Some("Ã\u{89}"));

        let mut annuel = Encodage::nouveau(false);
        annuel.annuel();
        assert_eq!(annuel.lire(b"C\x9cUR \xbd").as_deref(), Some("CœUR ½"));

        let mut utf8 = Encodage::nouveau(false);
        assert_eq!(utf8.lire("Œ".as_bytes()).as_deref(), Some("Œ"));
        assert_eq!(utf8.lire(b"\xc9"), None);
        assert_eq!(utf8.lire(b"ASCII").as_deref(), Some("ASCII"));
        assert_eq!(Encodage::nouveau(true).lire(b"\xc9"), None);
    }
}
