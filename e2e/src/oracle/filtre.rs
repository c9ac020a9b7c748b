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
    /// `link[condition].param op value`.
    Crochet(Pas, Box<Noeud>, Box<Critere>),
}

/// A tree and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Filtre {
    pub noeud: Noeud,
    /// Words in capitals.
    pub majuscules: bool,
    /// Parentheses that change nothing.
    pub entoure: bool,
}

impl Noeud {
    /// Shows every criterion.
    pub fn visiter<'a>(&'a self, voir: &mut impl FnMut(&'a Critere)) {
        match self {
            Self::Et(noeuds) | Self::Ou(noeuds, _) => noeuds.iter().for_each(|n| n.visiter(voir)),
            Self::Non(noeud) => noeud.visiter(voir),
            Self::Critere(critere) => voir(critere),
            Self::Crochet(_, noeud, critere) => {
                noeud.visiter(voir);
                voir(critere);
            }
        }
    }

    /// The first circle that nothing denies.
    pub fn premier_cercle(&self) -> Option<&Cercle> {
        match self {
            Self::Et(noeuds) | Self::Ou(noeuds, _) => noeuds.iter().find_map(Self::premier_cercle),
            Self::Non(_) => None,
            Self::Critere(critere) => critere.cercle(),
            // Its `ne` denies the whole comparison.
            Self::Crochet(_, _, critere) if critere.nie => None,
            Self::Crochet(_, noeud, critere) => noeud.premier_cercle().or_else(|| critere.cercle()),
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
                        if matches!((self, &reduit), (Self::Et(_), Self::Et(_) | Self::Crochet(..))) {
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
            Self::Critere(_) => {}
            Self::Crochet(pas, noeud, critere) => {
                let mut direct = critere.clone();
                direct.chemin.insert(0, *pas);
                tous.push(Self::Critere(direct));
                let reduits = noeud.reduits().into_iter();
                tous.extend(reduits.map(|n| Self::Crochet(*pas, Box::new(n), critere.clone())));
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
                        Noeud::Critere(c) if court && rang > 0 => sortie.push_str(&valeur(c)),
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
            Noeud::Critere(c) => sortie.push_str(&comparaison("", c)),
            Noeud::Crochet(pas, n, c) => {
                let nom = match pas {
                    Pas::Avant(r, _) | Pas::Arriere(r) => r.nom,
                };
                let mut avant = format!("{nom}[");
                self.noeud(n, false, &mut avant);
                avant.push_str("].");
                sortie.push_str(&comparaison(&avant, c));
            }
        }
        if parentheses {
            sortie.push(')');
        }
    }
}

fn comparaison(avant: &str, c: &Critere) -> String {
    let dessus = if c.dessus { ":above" } else { "" };
    let (chemin, operateur, valeur) = (c.chemin_ecrit(), operateur(c), valeur(c));
    if operateur == "=" {
        format!("{avant}{chemin}{dessus}={valeur}")
    } else {
        format!("{avant}{chemin}{dessus} {operateur} {valeur}")
    }
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

fn valeur(c: &Critere) -> String {
    match &c.test {
        // `pr` asks for presence where `:missing` asks for absence.
        Test::Absent(absent) => (!absent).to_string(),
        Test::Textes(_, textes) => format!("\"{}\"", textes.join(",")),
        autre => autre.valeurs_nues(false).join(","),
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
        Filtre { noeud, majuscules, entoure: false }.ecrire()
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
        let crochet = Noeud::Crochet(lieux, Box::new(feuille("3")), rond("4"));
        assert_eq!(premier(&Noeud::Et(vec![crochet, ou])).as_deref(), Some("3"));
        let mut nie = rond("4");
        nie.nie = true;
        assert_eq!(premier(&Noeud::Crochet(lieux, Box::new(feuille("3")), nie)), None);
    }

    #[test]
    fn a_link_may_carry_its_own_condition() {
        let p = parametre(Genre::Location, "type");
        let absent = Box::new(Critere::nouveau(p, Test::Absent(false)));
        let nom = parametre(Genre::Location, "name");
        let texte = Critere::nouveau(nom, Test::Textes(Mode::Contient, vec!["x".to_owned()]));
        let noeud = Noeud::Crochet(
            Pas::Avant(RELATIONS[2], false),
            Box::new(Noeud::Critere(Box::new(texte))),
            absent,
        );
        assert_eq!(ecrire(noeud, false), "location[name co \"x\"].type pr true");
    }
}
