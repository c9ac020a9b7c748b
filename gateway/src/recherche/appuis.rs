//! What the meaning of criteria depends on beside the directory.

/// What decides what criteria ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Appuis {
    /// Labels, as criteria.
    pub libelles: bool,
    /// Labels, as texts.
    pub contenu: bool,
    /// Value sets.
    pub jeux: bool,
    /// The time.
    pub heure: bool,
}

impl Appuis {
    /// Adds a parameter, decoded. What looks like an answer is one: too much is no harm.
    pub fn noter(&mut self, nom: &str, valeur: &str) {
        let filtre = |mot: &str| {
            let mut mots = valeur.split(|c: char| !c.is_alphanumeric());
            nom == "_filter" && mots.any(|m| m.eq_ignore_ascii_case(mot))
        };
        let ap = |v: &str| v.strip_prefix("ap").is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        self.libelles |= nom.ends_with(":text");
        let integral = |texte: &str| texte.ends_with("_content") || texte.ends_with("_text");
        let mut chemins = valeur.split(|c: char| !c.is_alphanumeric() && c != '_');
        self.contenu |= integral(nom) || (nom == "_filter" && chemins.any(integral));
        self.jeux |= nom.ends_with(":in") || filtre("in") || filtre("ni");
        self.heure |= valeur.split(',').any(ap) || filtre("ap");
    }

    /// Whether the nomenclatures decide it.
    pub fn nomenclatures(self) -> bool {
        self.libelles || self.contenu || self.jeux
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_criteria_depend_on_is_seen() {
        let vu = |nom: &str, valeur: &str| {
            let mut a = Appuis::default();
            a.noter(nom, valeur);
            (a.libelles, a.contenu, a.jeux, a.heure)
        };
        let rien = (false, false, false, false);
        assert_eq!([vu("name", "ap"), vu("_summary", "text"), vu("type", "in")], [rien; 3]);
        assert_eq!(vu("organization.type:text", "clin"), (true, false, false, false));
        for (nom, valeur) in [
            ("organization._content", "x"),
            ("location._text", "nantes"),
            ("_has:PractitionerRole:service:_content", "x"),
            ("_filter", "name eq a or (location._content eq nantes)"),
            ("_filter", "not(_text eq x)"),
        ] {
            assert_eq!(vu(nom, valeur), (false, true, false, false), "{nom}={valeur}");
        }
        assert_eq!(vu("_has:PractitionerRole:service:role:in", "http://x"), (false, false, true, false));
        assert_eq!(vu("_filter", "type IN \"http://x\""), (false, false, true, false));
        assert_eq!(vu("_filter", "name eq a and (type Ni \"http://x\")"), (false, false, true, false));
        assert_eq!(vu("_lastUpdated", "ge2020,ap2024"), (false, false, false, true));
        assert_eq!(vu("_filter", "(_lastUpdated ap 2024)"), (false, false, false, true));
    }
}
