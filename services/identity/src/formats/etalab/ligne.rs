//! A line, cut into its fields.

use std::borrow::Cow;

use super::super::fiche::Fiche;

/// Cuts a line at its `;`. A field between quotes may hold some, its own quotes being
/// doubled. None when a quote is neither doubled nor at the edge of such a field: where
/// the fields end would be a guess.
pub(super) fn couper_ligne(ligne: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut champs = Vec::with_capacity(44);
    let mut reste = ligne;
    loop {
        let (champ, suite) = match reste.strip_prefix('"') {
            Some(apres) => entre_guillemets(apres)?,
            None => {
                let (champ, suite) = reste.split_at(reste.find(';').unwrap_or(reste.len()));
                (Cow::Borrowed(champ), suite)
            }
        };
        champs.push(champ);
        match suite.strip_prefix(';') {
            Some(apres) => reste = apres,
            None => return Some(champs),
        }
    }
}

/// A field, after its opening quote, and what follows its closing one: nothing or `;`.
fn entre_guillemets(texte: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut champ = Cow::Borrowed("");
    let mut reste = texte;
    loop {
        let (morceau, apres) = reste.split_once('"')?;
        if champ.is_empty() {
            champ = Cow::Borrowed(morceau);
        } else {
            champ.to_mut().push_str(morceau);
        }
        match apres.strip_prefix('"') {
            Some(suite) => {
                champ.to_mut().push('"');
                reste = suite;
            }
            None if apres.is_empty() || apres.starts_with(';') => return Some((champ, apres)),
            None => return None,
        }
    }
}

/// The fields of a line with their names.
pub(super) struct Rangee<'l> {
    /// Names, in the order of the fields; empty for a field that is not read.
    pub(super) noms: &'l [&'static str],
    /// Fields; the last ones may be missing.
    pub(super) valeurs: &'l [Cow<'l, str>],
}

impl Fiche for Rangee<'_> {
    fn champ(&self, nom: &str) -> &str {
        let rang = self.noms.iter().position(|connu| *connu == nom);
        rang.and_then(|rang| self.valeurs.get(rang)).map_or("", |valeur| valeur.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_read_or_refused_never_guessed() {
        let cas: [(&str, Option<&[&str]>); 12] = [
            ("a;b;c", Some(&["a", "b", "c"])),
            (";", Some(&["", ""])),
            ("", Some(&[""])),
            (r#""a;b";c"#, Some(&["a;b", "c"])),
            (r#""LIEU ""MAJI 1""";"#, Some(&[r#"LIEU "MAJI 1""#, ""])),
            ("\"\"\"\"", Some(&["\""])),
            ("\"\"\";\"\"\";b", Some(&["\";\"", "b"])),
            ("\"\"\"", None),
            (r#"CLINIQUE "X";b"#, Some(&[r#"CLINIQUE "X""#, "b"])),
            (r#""PHARMACIE "DU LAGON"";b"#, None),
            (r#""jamais fermé;b"#, None),
            (r#""a" ;b"#, None),
        ];
        for (ligne, attendu) in cas {
            let lue = couper_ligne(ligne);
            let lue: Option<Vec<&str>> = lue.as_ref().map(|l| l.iter().map(|c| c.as_ref()).collect());
            assert_eq!(lue.as_deref(), attendu, "{ligne}");
        }
    }

    #[test]
    fn a_missing_field_is_empty() {
        let valeurs = [Cow::Borrowed("structureet"), Cow::Borrowed("019000207")];
        let rangee = Rangee { noms: &["", "nofinesset", "rs"], valeurs: &valeurs };
        assert_eq!(rangee.champ("nofinesset"), "019000207");
        assert_eq!(rangee.champ("rs"), "");
        assert_eq!(rangee.champ("inconnu"), "");
    }
}
