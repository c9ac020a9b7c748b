//! Walking through the text of a `_filter`: blanks, words, values, and where a fault stands.

use crate::{
    fhir::outcome::Issue,
    recherche::requete::{Rejet, valeurs::morceaux},
};

/// Characters of the excerpt that shows a fault.
const EXTRAIT: usize = 24;

/// What is wrong, and at which byte.
#[derive(Debug)]
pub(super) struct Faute {
    pub(super) position: usize,
    pub(super) rejet: Rejet,
}

/// A place in the text.
pub(super) struct Curseur<'a> {
    texte: &'a str,
    position: usize,
}

impl<'a> Curseur<'a> {
    pub(super) fn nouveau(texte: &'a str) -> Self {
        Self { texte, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    pub(super) fn reste(&self) -> &'a str {
        &self.texte[self.position..]
    }

    pub(super) fn voir(&self) -> Option<char> {
        self.reste().chars().next()
    }

    pub(super) fn blancs(&mut self) {
        let reste = self.reste();
        self.position += reste.len() - reste.trim_start().len();
    }

    /// Takes a sign if it comes next.
    pub(super) fn prendre(&mut self, signe: char) -> bool {
        let la = self.voir() == Some(signe);
        if la {
            self.position += signe.len_utf8();
        }
        la
    }

    /// Takes a word, whatever its case, if it comes next and ends there.
    pub(super) fn mot_cle(&mut self, mot: &str) -> bool {
        let la = commence_par(self.reste(), mot);
        if la {
            self.position += mot.len();
        }
        la
    }

    /// Takes letters.
    pub(super) fn mot(&mut self) -> &'a str {
        self.prendre_tant(|c| c.is_ascii_alphabetic())
    }

    /// Takes the signs a path is made of.
    pub(super) fn chemin(&mut self) -> &'a str {
        self.prendre_tant(de_chemin)
    }

    fn prendre_tant(&mut self, admis: impl Fn(char) -> bool) -> &'a str {
        let reste = self.reste();
        let pris = &reste[..reste.find(|c: char| !admis(c)).unwrap_or(reste.len())];
        self.position += pris.len();
        pris
    }

    /// Takes a value: a text between quotes, or what goes to the next blank or parenthesis, cut at
    /// its commas. The pieces keep the escapes of search values.
    pub(super) fn valeur(&mut self) -> Result<Vec<String>, Faute> {
        let position = self.position;
        let refuser = |message: &str| {
            let attendu =
                "une valeur, entre guillemets droits (\") si elle porte des blancs ou des parenthèses";
            Err(Faute { position, rejet: Rejet::new("invalid", message, attendu) })
        };
        match self.voir() {
            Some('"') => return self.texte().map(|t| vec![t]),
            Some('\'' | '«' | '“' | '”' | '‘' | '’') => {
                return refuser("Ce guillemet n'est pas admis.");
            }
            _ => {}
        }
        let pris = self.prendre_tant(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '[' | ']' | '"'));
        if pris.is_empty() {
            return refuser("Il manque une valeur.");
        }
        let mut valeur = pris.to_owned();
        // A "+" left unescaped in a URL arrives as a space: that of a zone is put back.
        if let Some(zone) = zone(self.reste()).filter(|_| pris.contains('T') && pris.contains(':')) {
            self.position += zone.len() + 1;
            valeur = format!("{pris}+{zone}");
        }
        Ok(morceaux(&valeur))
    }

    /// A text between quotes, with the escapes of JSON and those of search values.
    fn texte(&mut self) -> Result<String, Faute> {
        let ouvert = self.position;
        let mut sortie = String::new();
        let mut suite = self.reste().char_indices().skip(1);
        while let Some((i, c)) = suite.next() {
            if c == '"' {
                self.position = ouvert + i + 1;
                return Ok(sortie);
            }
            if c != '\\' {
                sortie.push(c);
                continue;
            }
            let lu = match suite.next().map(|(_, c)| c) {
                Some('u') => {
                    let hex: String = suite.by_ref().take(4).map(|(_, c)| c).collect();
                    let bon = hex.len() == 4 && hex.bytes().all(|b| b.is_ascii_hexdigit());
                    u32::from_str_radix(&hex, 16).ok().filter(|_| bon).and_then(char::from_u32)
                }
                Some('n') => Some('\n'),
                Some('r') => Some('\r'),
                Some('t') => Some('\t'),
                Some('b') => Some('\u{8}'),
                Some('f') => Some('\u{c}'),
                Some(c @ ('"' | '/' | '\\')) => Some(c),
                Some(c @ (',' | '|' | '$')) => {
                    sortie.push('\\');
                    Some(c)
                }
                _ => None,
            };
            match lu {
                Some('\\') => sortie.push_str("\\\\"),
                Some(c) => sortie.push(c),
                None => {
                    let attendu = r#"\", \\, \/, \n, \r, \t, \b, \f, \, \| \$ ou \u suivi de quatre chiffres hexadécimaux"#;
                    let rejet = Rejet::new("invalid", "Cet échappement n'existe pas.", attendu);
                    return Err(Faute { position: ouvert + i, rejet });
                }
            }
        }
        let rejet = Rejet::new(
            "invalid",
            "Ce guillemet n'est pas fermé.",
            "un guillemet droit (\") à la fin du texte",
        );
        Err(Faute { position: ouvert, rejet })
    }

    /// Tells a fault, with its column and what stands there.
    pub(super) fn dire(&self, f: &Faute) -> Issue {
        let (avant, apres) = self.texte.split_at(f.position);
        let colonne = avant.chars().count() + 1;
        let mut extrait: String = apres.chars().take(EXTRAIT).collect();
        if extrait.len() < apres.len() {
            extrait.push('…');
        }
        let ou = if extrait.is_empty() { "à la fin".to_owned() } else { format!("à « {extrait} »") };
        let (message, attendu) = (&f.rejet.message, f.rejet.attendu.trim_end_matches('.'));
        let texte =
            format!("Paramètre « _filter », colonne {colonne}, {ou} : {message} Attendu : {attendu}.");
        Issue::new(f.rejet.code, texte).sur("_filter")
    }
}

/// Whether a text begins with a word, whatever its case, that ends there.
pub(super) fn commence_par(texte: &str, mot: &str) -> bool {
    texte.get(..mot.len()).is_some_and(|m| m.eq_ignore_ascii_case(mot))
        && texte[mot.len()..].chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
}

pub(super) fn de_chemin(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// `hh:mm` after a blank.
fn zone(reste: &str) -> Option<&str> {
    let zone = reste.strip_prefix(' ')?.get(..5)?;
    let forme = zone.bytes().enumerate().all(|(i, b)| if i == 2 { b == b':' } else { b.is_ascii_digit() });
    let fini = reste[6..].chars().next().is_none_or(|c| c.is_whitespace() || matches!(c, ')' | ']'));
    (forme && fini).then_some(zone)
}
