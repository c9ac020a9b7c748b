//! An answer in the making: text of its own, and resources that it shares with other answers.

use bytes::Bytes;

/// Bytes under which a piece is copied: handing it over on its own costs more.
const COPIEE: usize = 1024;

/// A rope.
#[derive(Default)]
pub struct Corde {
    texte: Vec<u8>,
    /// Shared pieces, each with the length of the text before it.
    partagees: Vec<(usize, Bytes)>,
    /// Bytes of these.
    longueur: usize,
}

impl Corde {
    /// With room for so much text and so many pieces.
    pub fn avec_place(texte: usize, pieces: usize) -> Self {
        Self { texte: Vec::with_capacity(texte), partagees: Vec::with_capacity(pieces), longueur: 0 }
    }

    /// The text at its end, to be added to and never cut before the last piece.
    pub fn texte(&mut self) -> &mut Vec<u8> {
        &mut self.texte
    }

    /// Adds a piece, shared unless it is small.
    pub fn joindre(&mut self, piece: Bytes) {
        if piece.len() < COPIEE {
            self.texte.extend_from_slice(&piece);
        } else {
            self.longueur += piece.len();
            self.partagees.push((self.texte.len(), piece));
        }
    }

    /// Bytes in all.
    pub fn longueur(&self) -> usize {
        self.texte.len() + self.longueur
    }

    /// What it is made of, in order, none empty: the text is one allocation, lent by slices.
    pub fn pieces(self) -> Vec<Bytes> {
        let texte = Bytes::from(self.texte);
        let mut pieces = Vec::with_capacity(2 * self.partagees.len() + 1);
        let mut dit = 0;
        for (avant, partagee) in self.partagees {
            if dit < avant {
                pieces.push(texte.slice(dit..avant));
            }
            pieces.push(partagee);
            dit = avant;
        }
        if dit < texte.len() {
            pieces.push(texte.slice(dit..));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{COPIEE, Corde};

    #[test]
    fn a_rope_says_what_one_text_would_and_shares_what_is_long() {
        let longue = Bytes::from(vec![b'l'; COPIEE]);
        let courte = Bytes::from(vec![b'c'; COPIEE - 1]);
        let (mut corde, mut attendu) = (Corde::avec_place(8, 1), Vec::new());
        let pas: [(&[u8], &Bytes); 4] =
            [(b"avant", &longue), (b"", &longue), (b"puis", &courte), (b"encore", &longue)];
        for (texte, piece) in pas {
            corde.texte().extend_from_slice(texte);
            corde.joindre(piece.clone());
            attendu.extend_from_slice(texte);
            attendu.extend_from_slice(piece);
            assert_eq!(corde.longueur(), attendu.len());
        }
        let pieces = corde.pieces();
        assert_eq!(pieces.concat(), attendu);
        let partagees = pieces.iter().filter(|p| p.as_ptr() == longue.as_ptr()).count();
        assert_eq!((partagees, pieces.len()), (3, 5), "the short one is part of the text");
        assert!(pieces.iter().all(|p| !p.is_empty()));
    }

    #[test]
    fn a_rope_may_be_text_alone_or_nothing() {
        let mut corde = Corde::default();
        corde.texte().push(b'x');
        assert_eq!(corde.pieces(), [Bytes::from_static(b"x")]);
        assert!(Corde::default().pieces().is_empty());
    }
}
