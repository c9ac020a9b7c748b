//! Texts of a version packed in one allocation, and the filter that scans them.

use crate::modele;

/// Texts known by their rank. When all are empty nothing is kept, and all read as empty.
#[derive(Debug, Default)]
pub struct Textes {
    lettres: Box<str>,
    /// Where each text ends.
    fins: Box<[u32]>,
}

impl Textes {
    /// Packs them, in order.
    pub fn nouveaux<T: AsRef<str>>(textes: impl Iterator<Item = T>) -> Self {
        let mut lettres = String::new();
        let mut fins = Vec::new();
        for t in textes {
            lettres.push_str(t.as_ref());
            fins.push(court(lettres.len()));
        }
        if lettres.is_empty() {
            return Self::default();
        }
        Self { lettres: lettres.into_boxed_str(), fins: fins.into_boxed_slice() }
    }

    /// The text of a rank, empty beyond the last one.
    pub fn lire(&self, rang: u32) -> &str {
        let rang = rang as usize;
        let debut = rang.checked_sub(1).and_then(|r| self.fins.get(r)).map_or(0, |f| *f as usize);
        let fin = self.fins.get(rang).map_or(debut, |f| *f as usize);
        self.lettres.get(debut..fin).unwrap_or_default()
    }

    /// Ranks, in order, of the texts that contain `mot`. One scan of the letters, not one a text.
    pub fn contenant<'t>(&'t self, mot: &'t str) -> impl Iterator<Item = u32> {
        let mut rang = 0usize;
        let mut dernier = None;
        self.lettres.match_indices(mot).filter_map(move |(place, trouve)| {
            rang += self.fins.get(rang..)?.partition_point(|f| *f as usize <= place);
            let fin = *self.fins.get(rang)? as usize;
            let neuf = place + trouve.len() <= fin && dernier != Some(rang);
            if neuf {
                dernier = Some(rang);
            }
            neuf.then(|| court(rang))
        })
    }

    /// Bytes held.
    pub fn poids(&self) -> usize {
        self.lettres.len() + size_of_val(&*self.fins)
    }
}

/// A message is at most some tens of megabytes: a length fits.
pub fn court(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Folded words of some texts, each after one space: " l abergement clemenciat".
pub fn plier(textes: &[&str]) -> String {
    let mut mots = String::new();
    for texte in textes {
        let plie = modele::plier(texte);
        for mot in plie.split(|c: char| !c.is_alphanumeric()).filter(|m| !m.is_empty()) {
            mots.push(' ');
            mots.push_str(mot);
        }
    }
    mots
}

/// A text filter: every word of it starts a word of a label, or it starts the code.
pub struct Filtre<'a> {
    debut_code: &'a str,
    /// Longest first: the one that keeps the fewest.
    mots: Vec<String>,
}

impl<'a> Filtre<'a> {
    /// Reads a filter; `None` keeps everything.
    pub fn lire(texte: &'a str) -> Option<Self> {
        let debut_code = texte.trim();
        if debut_code.is_empty() {
            return None;
        }
        let mut mots: Vec<String> =
            plier(&[debut_code]).split_whitespace().map(|m| format!(" {m}")).collect();
        mots.sort_by_key(|m| std::cmp::Reverse(m.len()));
        Some(Self { debut_code, mots })
    }

    /// Whether it starts this code, case ignored.
    pub fn code(&self, code: &str) -> bool {
        let debut = code.as_bytes().get(..self.debut_code.len());
        debut.is_some_and(|d| d.eq_ignore_ascii_case(self.debut_code.as_bytes()))
    }

    /// Whether each of its words starts one of these folded words.
    pub fn texte(&self, plie: &str) -> bool {
        !self.mots.is_empty() && self.mots.iter().all(|m| plie.contains(m.as_str()))
    }

    /// The word to look for first.
    pub fn premier(&self) -> Option<&str> {
        self.mots.first().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_back_and_found_by_what_they_contain() {
        let t = Textes::nouveaux(["", " lyon", " saint lyonnet lyon", "", " paris"].into_iter());
        let lus: Vec<&str> = (0..6).map(|r| t.lire(r)).collect();
        assert_eq!(lus, ["", " lyon", " saint lyonnet lyon", "", " paris", ""]);
        assert_eq!(t.contenant(" lyon").collect::<Vec<_>>(), [1, 2]);
        assert_eq!(t.contenant(" p").collect::<Vec<_>>(), [4]);
        assert_eq!(t.contenant(" z").count(), 0);
        let vide = Textes::nouveaux(["", ""].into_iter());
        assert_eq!((vide.lire(1), vide.poids(), vide.contenant("a").count()), ("", 0, 0));
    }

    #[test]
    fn a_filter_starts_words_or_the_code() {
        let plie = plier(&["Saint-Étienne du Bois", "ST ETIENNE"]);
        assert_eq!(plie, " saint etienne du bois st etienne");
        for filtre in ["etien saint", "SAINT-ÉTI", "bois", "a0", "A02"] {
            let f = Filtre::lire(filtre).unwrap();
            assert!(f.texte(&plie) || f.code("A02"), "{filtre}");
        }
        for filtre in ["tienne", "02", "saint lo", "--"] {
            let f = Filtre::lire(filtre).unwrap();
            assert!(!f.texte(&plie) && !f.code("A02"), "{filtre}");
        }
        assert!(Filtre::lire("  ").is_none());
    }
}
