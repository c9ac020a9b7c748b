//! Texts reduced to what tells them apart.

/// Lower case, no accents, only `[a-z0-9]`: how names and titles that people write are compared.
pub fn lettres(titre: &str) -> String {
    let mut sortie = String::with_capacity(titre.len());
    for lettre in titre.chars().flat_map(char::to_lowercase) {
        let simple = match lettre {
            'a'..='z' | '0'..='9' => lettre,
            'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
            'ç' => 'c',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' | 'ì' => 'i',
            'ñ' => 'n',
            'ô' | 'ö' | 'ó' | 'ò' | 'õ' => 'o',
            'û' | 'ü' | 'ù' | 'ú' => 'u',
            'ÿ' => 'y',
            'œ' => {
                sortie.push('o');
                'e'
            }
            'æ' => {
                sortie.push('a');
                'e'
            }
            // The rest, such as apostrophes and combining accents, says nothing.
            _ => continue,
        };
        sortie.push(simple);
    }
    sortie
}

#[cfg(test)]
mod tests {
    use super::lettres;

    #[test]
    fn case_accents_and_signs_say_nothing() {
        assert_eq!(lettres("Code Département (structure)"), "codedepartementstructure");
        assert_eq!(lettres("CŒUR D’ÉTÉ-Ñ"), "coeurdeten");
    }
}
