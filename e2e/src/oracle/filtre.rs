//! A `_filter`: its tree, and the text it is asked by.

use super::{
    dates::Prefixe,
    requete::{Cercle, Critere, Mode, Pas, Test},
};

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Noeud {
    /// All hold. An `and` is never the child of another: the grammar does not tell them apart.
    Et(Vec<Noeud>),
    /// One holds; a short alternation repeats neither path nor operator.
    Ou(Vec<Noeud>, bool),
    Non(Box<Noeud>),
    /// `path op value`.
    Critere(Box<Critere>),
    /// `links[condition].links[condition].path op value`.
    Crochets(Vec<Crochet>, Box<Critere>),
}

/// `links[condition].`: one target that meets the condition and what follows.
#[derive(Clone, Debug, PartialEq)]
pub struct Crochet {
    pub liens: Vec<Pas>,
    pub dedans: Noeud,
}

/// A tree and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Filtre {
    pub noeud: Noeud,
    /// Words in capitals.
    pub majuscules: bool,
    /// Parentheses that change nothing.
    pub entoure: bool,
    /// Escapes that change nothing.
    pub echappe: bool,
}

impl Noeud {
    /// One link with its condition, and what is asked at its end.
    pub fn crochet(pas: Pas, dedans: Self, critere: Box<Critere>) -> Self {
        Self::Crochets(vec![Crochet { liens: vec![pas], dedans }], critere)
    }

    /// Shows every criterion.
    pub fn visiter<'a>(&'a self, voir: &mut impl FnMut(&'a Critere)) {
        match self {
            Self::Et(noeuds) | Self::Ou(noeuds, _) => noeuds.iter().for_each(|n| n.visiter(voir)),
            Self::Non(noeud) => noeud.visiter(voir),
            Self::Critere(critere) => voir(critere),
            Self::Crochets(crochets, critere) => {
                crochets.iter().for_each(|c| c.dedans.visiter(voir));
                voir(critere);
            }
        }
    }

    /// Shows every condition, the outermost first.
    pub fn parcourir<'a>(&'a self, voir: &mut impl FnMut(&'a Self)) {
        voir(self);
        match self {
            Self::Et(noeuds) | Self::Ou(noeuds, _) => noeuds.iter().for_each(|n| n.parcourir(voir)),
            Self::Non(noeud) => noeud.parcourir(voir),
            Self::Critere(_) => {}
            Self::Crochets(crochets, _) => crochets.iter().for_each(|c| c.dedans.parcourir(voir)),
        }
    }

    /// The first circle that nothing denies.
    pub fn premier_cercle(&self) -> Option<&Cercle> {
        match self {
            Self::Et(noeuds) | Self::Ou(noeuds, _) => noeuds.iter().find_map(Self::premier_cercle),
            Self::Non(_) => None,
            Self::Critere(critere) => critere.cercle(),
            // Its `ne` denies the whole comparison.
            Self::Crochets(_, critere) if critere.nie => None,
            Self::Crochets(crochets, critere) => {
                crochets.iter().find_map(|c| c.dedans.premier_cercle()).or_else(|| critere.cercle())
            }
        }
    }

    /// Smaller trees that it could be replaced by.
    pub fn reduits(&self) -> Vec<Self> {
        let mut tous = Vec::new();
        match self {
            Self::Et(noeuds) | Self::Ou(noeuds, _) => {
                let refaire = |noeuds: Vec<Self>| match self {
                    Self::Et(_) => Self::Et(noeuds),
                    _ => Self::Ou(noeuds, false),
                };
                tous.extend(noeuds.iter().cloned());
                for (rang, noeud) in noeuds.iter().enumerate() {
                    if noeuds.len() > 2 {
                        let mut moins = noeuds.clone();
                        moins.remove(rang);
                        tous.push(refaire(moins));
                    }
                    for reduit in noeud.reduits() {
                        // A reduced child may be what must not stand there.
                        if matches!((self, &reduit), (Self::Et(_), Self::Et(_))) {
                            continue;
                        }
                        let mut autre = noeuds.clone();
                        autre[rang] = reduit;
                        tous.push(refaire(autre));
                    }
                }
            }
            Self::Non(noeud) => {
                tous.push((**noeud).clone());
                tous.extend(noeud.reduits().into_iter().map(|n| Self::Non(Box::new(n))));
            }
            Self::Critere(critere) => {
                let nombre = critere.test.nombre();
                for rang in (0..nombre).filter(|_| nombre > 1) {
                    let test = critere.test.sans(rang);
                    tous.push(Self::Critere(Box::new(Critere { test, ..(**critere).clone() })));
                }
            }
            Self::Crochets(crochets, critere) => {
                let liens = crochets.iter().flat_map(|c| &c.liens);
                let chemin = liens.chain(&critere.chemin).copied().collect();
                tous.push(Self::Critere(Box::new(Critere { chemin, ..(**critere).clone() })));
                for (rang, crochet) in crochets.iter().enumerate() {
                    for reduit in crochet.dedans.reduits() {
                        let mut autres = crochets.clone();
                        autres[rang].dedans = reduit;
                        tous.push(Self::Crochets(autres, critere.clone()));
                    }
                }
            }
        }
        tous
    }
}

impl Filtre {
    pub fn ecrire(&self) -> String {
        let mut sortie = String::new();
        self.noeud(&self.noeud, self.entoure, &mut sortie);
        sortie
    }

    fn mot(&self, mot: &str) -> String {
        if self.majuscules { mot.to_uppercase() } else { mot.to_owned() }
    }

    fn noeud(&self, noeud: &Noeud, entoure: bool, sortie: &mut String) {
        let court = matches!(noeud, Noeud::Ou(_, true));
        let parentheses = entoure || court;
        if parentheses {
            sortie.push('(');
        }
        match noeud {
            Noeud::Et(noeuds) => {
                for (rang, n) in noeuds.iter().enumerate() {
                    if rang > 0 {
                        sortie.push_str(&format!(" {} ", self.mot("and")));
                    }
                    // `and` binds tighter: only what an `or` joins must be held together.
                    self.noeud(n, self.entoure || matches!(n, Noeud::Ou(..)), sortie);
                }
            }
            Noeud::Ou(noeuds, _) => {
                for (rang, n) in noeuds.iter().enumerate() {
                    if rang > 0 {
                        sortie.push_str(&format!(" {} ", self.mot("or")));
                    }
                    match n {
                        Noeud::Critere(c) if court && rang > 0 => sortie.push_str(&self.valeur(c)),
                        _ => self.noeud(n, self.entoure && !court, sortie),
                    }
                }
            }
            Noeud::Non(n) => {
                sortie.push_str(&self.mot("not"));
                sortie.push('(');
                self.noeud(n, false, sortie);
                sortie.push(')');
            }
            Noeud::Critere(c) => sortie.push_str(&self.comparaison(c)),
            Noeud::Crochets(crochets, c) => {
                for crochet in crochets {
                    let liens: String = crochet.liens.iter().map(|pas| pas.ecrire()).collect();
                    sortie.push_str(liens.trim_end_matches('.'));
                    sortie.push('[');
                    self.noeud(&crochet.dedans, false, sortie);
                    sortie.push_str("].");
                }
                sortie.push_str(&self.comparaison(c));
            }
        }
        if parentheses {
            sortie.push(')');
        }
    }

    fn comparaison(&self, c: &Critere) -> String {
        let (chemin, operateur, valeur) = (c.chemin_ecrit(), operateur(c), self.valeur(c));
        let gauche = chemin + c.modificateur_de_lien();
        if operateur == "=" { format!("{gauche}={valeur}") } else { format!("{gauche} {operateur} {valeur}") }
    }

    /// Texts stand between quotes, and what a blank or a bracket would end: lists never do, and a
    /// date whose zone begins with a blank need not.
    fn valeur(&self, c: &Critere) -> String {
        match &c.test {
            // `pr` asks for presence where `:missing` asks for absence.
            Test::Absent(absent) => (!absent).to_string(),
            Test::Textes(_, textes) if textes.len() == 1 => self.citer(&textes[0], false),
            autre => {
                let valeurs = autre.valeurs(false);
                let libre = matches!(autre, Test::Dates(_)) && !self.echappe;
                match valeurs.as_slice() {
                    [seule] if !libre && !nue(seule) => self.citer(seule, true),
                    _ => valeurs.join(","),
                }
            }
        }
    }

    /// A text between quotes; `deja`: with the escapes of search values, which stand there as they are.
    fn citer(&self, texte: &str, deja: bool) -> String {
        let mut sortie = "\"".to_owned();
        for lettre in texte.chars() {
            match lettre {
                '"' => sortie.push_str("\\\""),
                '\\' if !deja => sortie.push_str("\\\\"),
                ',' if self.echappe && !deja => sortie.push_str("\\,"),
                '/' if self.echappe => sortie.push_str("\\/"),
                _ if self.echappe && !lettre.is_ascii() && u32::from(lettre) < 0x1_0000 => {
                    sortie.push_str(&format!("\\u{:04x}", u32::from(lettre)));
                }
                _ => sortie.push(lettre),
            }
        }
        sortie.push('"');
        sortie
    }
}

/// Whether a value can stand without quotes: nothing in it ends it.
pub fn nue(valeur: &str) -> bool {
    !valeur.is_empty()
        && !valeur.starts_with(['\'', '«', '“', '”', '‘', '’'])
        && !valeur.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']' | '"'))
}

/// The operator of a comparison.
pub fn operateur(c: &Critere) -> &'static str {
    let prefixe = |p: Prefixe| if p == Prefixe::Eq { c.operateur } else { p.nom() };
    match &c.test {
        Test::Parmi(_) if c.nie => "ni",
        _ if c.nie => "ne",
        Test::Absent(_) => "pr",
        Test::Parmi(_) => "in",
        Test::Textes(Mode::Contient, _) => "co",
        Test::Textes(Mode::Fin, _) => "ew",
        Test::Dates(v) | Test::Nombres(v) => v.first().map_or("eq", |(p, _)| prefixe(*p)),
        Test::Quantites(v) => v.first().map_or("eq", |(p, _)| prefixe(*p)),
        _ => c.operateur,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{
        parametres::{Genre, RELATIONS, parametre},
        requete::{Centre, Jeton},
    };

    fn jeton(nom: &str, code: &str) -> Noeud {
        let jeton = Jeton { systeme: None, code: Some(code.to_owned()), barre: false };
        let p = parametre(Genre::HealthcareService, nom);
        Noeud::Critere(Box::new(Critere::nouveau(p, Test::Jetons(vec![jeton]))))
    }

    fn ecrire(noeud: Noeud, majuscules: bool) -> String {
        Filtre { noeud, majuscules, entoure: false, echappe: false }.ecrire()
    }

    #[test]
    fn trees_are_written_with_no_more_parentheses_than_they_need() {
        let court = Noeud::Ou(vec![jeton("specialty", "1"), jeton("specialty", "2")], true);
        let ou = Noeud::Ou(vec![jeton("specialty", "1"), jeton("patient-type", "2")], false);
        let et = Noeud::Et(vec![court, jeton("patient-type", "3"), ou]);
        assert_eq!(
            ecrire(et.clone(), true),
            "(specialty eq 1 OR 2) AND patient-type eq 3 AND (specialty eq 1 OR patient-type eq 2)"
        );
        let racine = Noeud::Ou(vec![et, Noeud::Non(Box::new(jeton("specialty", "4")))], false);
        assert!(ecrire(racine.clone(), false).ends_with("patient-type eq 2) or not(specialty eq 4)"));
        assert!(!racine.reduits().is_empty());
    }

    #[test]
    fn what_is_denied_is_no_point_to_count_from() {
        let p = parametre(Genre::Location, "near");
        let rond = |distance: &str| {
            let centre = Centre::Point("1".to_owned(), "2".to_owned());
            let cercle = Cercle { centre, distance: Some(distance.to_owned()), unite: None };
            Box::new(Critere::nouveau(p, Test::Cercles(vec![cercle])))
        };
        let feuille = |distance: &str| Noeud::Critere(rond(distance));
        let premier = |noeud: &Noeud| noeud.premier_cercle().and_then(|c| c.distance.clone());
        let non = Noeud::Non(Box::new(feuille("1")));
        assert_eq!(premier(&non), None);
        let ou = Noeud::Ou(vec![non, feuille("2")], false);
        assert_eq!(premier(&ou).as_deref(), Some("2"));
        let lieux = Pas::Avant(RELATIONS[2], false);
        let crochet = Noeud::crochet(lieux, feuille("3"), rond("4"));
        assert_eq!(premier(&Noeud::Et(vec![crochet, ou])).as_deref(), Some("3"));
        let mut nie = rond("4");
        nie.nie = true;
        assert_eq!(premier(&Noeud::crochet(lieux, feuille("3"), nie)), None);
    }

    #[test]
    fn a_link_may_carry_its_own_condition() {
        let p = parametre(Genre::Location, "type");
        let absent = Box::new(Critere::nouveau(p, Test::Absent(false)));
        let nom = parametre(Genre::Location, "name");
        let texte = Critere::nouveau(nom, Test::Textes(Mode::Contient, vec!["x".to_owned()]));
        let dedans = Noeud::Critere(Box::new(texte));
        let noeud = Noeud::crochet(Pas::Avant(RELATIONS[2], false), dedans, absent);
        assert_eq!(ecrire(noeud, false), "location[name co \"x\"].type pr true");
    }

    #[test]
    fn brackets_follow_each_other_and_links_lead_to_them() {
        let nom = |genre, texte: &str| {
            let test = Test::Textes(Mode::Debut, vec![texte.to_owned()]);
            Critere::nouveau(parametre(genre, "name"), test)
        };
        let (porteur, parent) = (Pas::Avant(RELATIONS[1], true), Pas::Avant(RELATIONS[0], false));
        let dedans = |texte: &str| Noeud::Critere(Box::new(nom(Genre::Organization, texte)));
        let crochets = vec![
            Crochet { liens: vec![porteur], dedans: dedans("a") },
            Crochet { liens: vec![parent, parent], dedans: dedans("b") },
        ];
        let dernier = Critere { chemin: vec![parent], dessus: true, ..nom(Genre::Organization, "c") };
        let noeud = Noeud::Crochets(crochets, Box::new(dernier));
        let ecrit = "organization:Organization[name eq \"a\"].partof.partof[name eq \"b\"].partof.name:above eq \"c\"";
        assert_eq!(ecrire(noeud.clone(), false), ecrit);
        assert!(noeud.reduits().iter().any(|n| matches!(n, Noeud::Critere(c) if c.chemin.len() == 4)));
    }

    #[test]
    fn quotes_hold_what_would_end_a_value() {
        let p = parametre(Genre::Location, "name");
        let ecrit = |textes: &[&str], echappe| {
            let test = Test::Textes(Mode::Debut, textes.iter().map(|t| (*t).to_owned()).collect());
            let noeud = Noeud::Critere(Box::new(Critere::nouveau(p, test)));
            Filtre { noeud, majuscules: false, entoure: false, echappe }.ecrire()
        };
        assert_eq!(ecrit(&["é \"a\", \\ b/"], false), r#"name eq "é \"a\", \\ b/""#);
        assert_eq!(ecrit(&["é \"a\", \\ b/"], true), r#"name eq "\u00e9 \"a\"\, \\ b\/""#);
        assert_eq!(ecrit(&["a,b", "c"], false), r"name eq a\,b,c");
        let code = Jeton { systeme: Some("urn:s".to_owned()), code: Some("a b|c".to_owned()), barre: false };
        let critere = Critere::nouveau(parametre(Genre::Location, "type"), Test::Jetons(vec![code]));
        assert_eq!(ecrire(Noeud::Critere(Box::new(critere)), false), r#"type eq "urn:s|a b\|c""#);
    }
}
