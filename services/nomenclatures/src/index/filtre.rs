//! Text filters that know neither case nor accents.

/// A text filter: every word starts a word of the text, or the filter starts the code.
pub struct Filtre<'a> {
    texte: &'a str,
    mots: Vec<String>,
}

impl<'a> Filtre<'a> {
    /// Reads a filter; an empty one keeps everything.
    pub fn lire(texte: &'a str) -> Self {
        let texte = texte.trim();
        let mots = plier(texte).split_whitespace().map(|m| format!(" {m}")).collect();
        Self { texte, mots }
    }

    /// Whether it keeps a folded text.
    pub fn retient_texte(&self, plie: &str) -> bool {
        self.texte.is_empty() || self.par_mots(plie)
    }

    /// Whether it keeps a code and its folded labels.
    pub fn retient(&self, code: &str, plie: &str) -> bool {
        let debut = code.as_bytes().get(..self.texte.len());
        self.retient_texte(plie) || debut.is_some_and(|d| d.eq_ignore_ascii_case(self.texte.as_bytes()))
    }

    fn par_mots(&self, plie: &str) -> bool {
        !self.mots.is_empty() && self.mots.iter().all(|mot| plie.contains(mot.as_str()))
    }
}

/// Lower case, without accents, each word after one space: " l abergement clemenciat".
pub fn plier(texte: &str) -> String {
    let mut plie = String::with_capacity(texte.len() + 1);
    let mut dans_un_mot = false;
    for c in texte.chars().flat_map(char::to_lowercase) {
        let mut tampon = [0u8; 4];
        let lettres: &str = match c {
            // Combining accents.
            '\u{300}'..='\u{36f}' => continue,
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'ç' => "c",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ñ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ý' | 'ÿ' => "y",
            'æ' => "ae",
            'œ' => "oe",
            'ß' => "ss",
            c if c.is_alphanumeric() => &*c.encode_utf8(&mut tampon),
            _ => {
                dans_un_mot = false;
                continue;
            }
        };
        if !dans_un_mot {
            plie.push(' ');
            dans_un_mot = true;
        }
        plie.push_str(lettres);
    }
    plie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_forgets_case_accents_and_punctuation() {
        assert_eq!(plier("L'Abergement-CLÉMENCIAT  (Ain)"), " l abergement clemenciat ain");
        assert_eq!(plier("Œdème e\u{301}"), " oedeme e");
        assert_eq!(plier("-- "), "");
    }

    #[test]
    fn a_filter_starts_words_or_the_code() {
        let garde = |filtre: &str| Filtre::lire(filtre).retient("A02", &plier("Saint-Étienne du Bois"));
        for filtre in ["", "etien saint", "SAINT-ÉTI", "bois", "a0", "A02"] {
            assert!(garde(filtre), "{filtre}");
        }
        for filtre in ["tienne", "02", "saint lo", "--"] {
            assert!(!garde(filtre), "{filtre}");
        }
    }
}
