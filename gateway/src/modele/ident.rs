//! Technical ids kept small: nearly all are UUIDs, sixteen bytes.

use std::{fmt, sync::Arc};

/// A technical id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Id {
    /// A UUID in its usual lower-case form.
    Uuid([u8; 16]),
    /// Anything else.
    Texte(Arc<str>),
}

impl Default for Id {
    fn default() -> Self {
        Self::Uuid([0; 16])
    }
}

const TIRETS: [usize; 4] = [8, 13, 18, 23];

impl From<&str> for Id {
    fn from(t: &str) -> Self {
        uuid(t.as_bytes()).map_or_else(|| Self::Texte(t.into()), Self::Uuid)
    }
}

/// Only the exact form that printing gives back.
fn uuid(t: &[u8]) -> Option<[u8; 16]> {
    if t.len() != 36 {
        return None;
    }
    let (mut o, mut n) = ([0u8; 16], 0);
    for (i, c) in t.iter().enumerate() {
        if TIRETS.contains(&i) {
            if *c != b'-' {
                return None;
            }
            continue;
        }
        let v = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return None,
        };
        o[n / 2] = o[n / 2] << 4 | v;
        n += 1;
    }
    Some(o)
}

impl Id {
    /// Gives its text to a reader, without allocating for a UUID.
    pub fn avec<R>(&self, lire: impl FnOnce(&str) -> R) -> R {
        match self {
            Self::Texte(t) => lire(t),
            Self::Uuid(o) => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let mut t = [b'-'; 36];
                let mut i = 0;
                for octet in o {
                    if TIRETS.contains(&i) {
                        i += 1;
                    }
                    t[i] = HEX[usize::from(octet >> 4)];
                    t[i + 1] = HEX[usize::from(octet & 15)];
                    i += 2;
                }
                lire(std::str::from_utf8(&t).unwrap_or_default())
            }
        }
    }

    /// Order of the rows in every answer: the same on every replica and after every restart, told
    /// by the id alone (FNV-1a, 64 bits; the id itself settles a tie).
    pub fn ordre(&self) -> u64 {
        self.avec(|t| {
            t.bytes().fold(0xcbf2_9ce4_8422_2325, |h, o| (h ^ u64::from(o)).wrapping_mul(0x0100_0000_01b3))
        })
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.avec(|t| f.write_str(t))
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn every_text_comes_back_as_it_was() {
        for t in [
            "206950cc-fcc6-5cf8-a079-16d9be9c4d56",
            "206950CC-fcc6-5cf8-a079-16d9be9c4d56",
            "206950cc-fcc6-5cf8-a079-16d9be9c4d5",
            "206950cc-fcc6-5cf8-a079+16d9be9c4d56",
            "",
            "140",
        ] {
            assert_eq!(Id::from(t).to_string(), t);
        }
        assert!(matches!(Id::from("206950cc-fcc6-5cf8-a079-16d9be9c4d56"), Id::Uuid(_)));
        assert_eq!(std::mem::size_of::<Id>(), 24);
    }
}
