//! `_filter`: the grammar of FHIR and the habits of the published requests (fhir-api notes, §4.2).
//!
//! ```text
//! filter     = conjunct { "or" ( conjunct | value ) }        -- a bare value takes the path and
//! conjunct   = operand { "and" operand }                        operator before it
//! operand    = "not" "(" filter ")" | "(" filter ")" | comparison
//! comparison = { links "[" filter "]" "." } name ( operator | "=" ) value
//! ```

mod lexique;
#[cfg(test)]
mod tests;

use self::lexique::{Curseur, Faute, commence_par, de_chemin};
use super::{
    FAUTES_MAX, Lecture, PARENTHESES_MAX, Rejet,
    correlation::{Expression, Feuille},
    court,
    nom::{self, Depart, Etape},
    valeurs::{self, Comparaison},
};
use crate::{
    fhir::outcome::Issue,
    modele::TypeFhir,
    recherche::{
        arbre::{Critere, ModeTexte, Prefixe},
        parametres::{Cible, Genre, Parametre},
    },
};

/// Reads the value of a `_filter`; every fault that does not hide the next ones.
pub(super) fn lire(t: TypeFhir, texte: &str, l: &mut Lecture<'_>) -> Result<Expression, Vec<Issue>> {
    let mut a = Analyse { curseur: Curseur::nouveau(texte), lecture: l, fautes: Vec::new() };
    let lue = a.tout(Lieu { type_fhir: t, liens: 0, niveau: 0 });
    match lue {
        Ok(e) if a.fautes.is_empty() => return Ok(e),
        Ok(_) => {}
        Err(f) => a.fautes.push(f),
    }
    Err(a.fautes.iter().map(|f| a.curseur.dire(f)).collect())
}

/// What comparisons are about at some place of the text.
#[derive(Clone, Copy)]
struct Lieu {
    type_fhir: TypeFhir,
    /// Links followed to come here.
    liens: usize,
    /// Parentheses and brackets open.
    niveau: usize,
}

/// What a bare value after `or` takes over.
enum Precedent {
    /// No comparison stands before.
    Aucun,
    /// The one before is wrong: nothing more is said of what depends on it.
    Fautif,
    /// The one before has brackets, whose criteria cannot be taken over.
    Groupe,
    /// This one.
    Cote(Cote),
}

/// The left side and the operator of a comparison.
struct Cote {
    chemin: Vec<Etape>,
    au_dessus: bool,
    parametre: &'static Parametre,
    comparaison: Comparaison,
    non: bool,
}

/// `links[filter].` before a name.
struct Groupe {
    chemin: Vec<Etape>,
    filtre: Expression,
}

struct Analyse<'a, 'l, 'r> {
    curseur: Curseur<'a>,
    lecture: &'l mut Lecture<'r>,
    fautes: Vec<Faute>,
}

impl Analyse<'_, '_, '_> {
    fn tout(&mut self, lieu: Lieu) -> Result<Expression, Faute> {
        let e = self.alternative(lieu)?;
        self.curseur.blancs();
        match self.curseur.voir() {
            None => Ok(e),
            Some(')' | ']') => self.faute("Cette fermeture n'a pas d'ouverture.", "and, or ou la fin"),
            Some(_) => self.faute("Rien ne relie ceci à ce qui précède.", "and, or ou la fin"),
        }
    }

    /// A fault of syntax, here.
    fn faute<T>(&self, message: &str, attendu: &str) -> Result<T, Faute> {
        let rejet = Rejet::new("invalid", message, attendu);
        Err(Faute { position: self.curseur.position(), rejet })
    }

    fn alternative(&mut self, lieu: Lieu) -> Result<Expression, Faute> {
        let mut precedent = Precedent::Aucun;
        let mut branches = vec![self.conjonction(lieu, &mut precedent, false)?];
        while self.mot_cle("or") {
            branches.push(self.conjonction(lieu, &mut precedent, true)?);
        }
        Ok(plusieurs(branches, Expression::Ou))
    }

    fn conjonction(
        &mut self,
        lieu: Lieu,
        precedent: &mut Precedent,
        apres_ou: bool,
    ) -> Result<Expression, Faute> {
        let mut operandes = vec![self.operande(lieu, precedent, apres_ou)?];
        while self.mot_cle("and") {
            operandes.push(self.operande(lieu, precedent, false)?);
        }
        Ok(plusieurs(operandes, Expression::Et))
    }

    fn mot_cle(&mut self, mot: &str) -> bool {
        self.curseur.blancs();
        self.curseur.mot_cle(mot)
    }

    fn operande(
        &mut self,
        lieu: Lieu,
        precedent: &mut Precedent,
        apres_ou: bool,
    ) -> Result<Expression, Faute> {
        self.curseur.blancs();
        let reste = self.curseur.reste();
        let non = commence_par(reste, "not") && reste[3..].trim_start().starts_with('(');
        if non {
            self.curseur.mot();
            self.curseur.blancs();
        }
        if self.curseur.voir() == Some('(') {
            *precedent = Precedent::Aucun;
            let e = self.entre(lieu, '(', ')')?;
            return Ok(if non { Expression::Non(Box::new(e)) } else { e });
        }
        if apres_ou && !self.est_comparaison() {
            return self.valeur_seule(precedent);
        }
        self.comparaison(lieu, precedent)
    }

    /// A filter between signs.
    fn entre(&mut self, lieu: Lieu, ouvre: char, ferme: char) -> Result<Expression, Faute> {
        if lieu.niveau >= PARENTHESES_MAX {
            let rejet = Rejet::new(
                "too-costly",
                "Trop de parenthèses s'emboîtent.",
                format!("{PARENTHESES_MAX} niveaux au plus"),
            );
            return Err(Faute { position: self.curseur.position(), rejet });
        }
        let position = self.curseur.position();
        self.curseur.prendre(ouvre);
        let e = self.alternative(Lieu { niveau: lieu.niveau + 1, ..lieu })?;
        self.curseur.blancs();
        if self.curseur.prendre(ferme) {
            return Ok(e);
        }
        if self.curseur.voir().is_some() {
            return self.faute("Rien ne relie ceci à ce qui précède.", &format!("and, or ou « {ferme} »"));
        }
        let message = format!("« {ouvre} » n'est pas fermé.");
        Err(Faute { position, rejet: Rejet::new("invalid", message, format!("« {ferme} »")) })
    }

    /// Whether what comes is a path and an operator, not a value alone.
    fn est_comparaison(&self) -> bool {
        let reste = self.curseur.reste();
        let fin = reste.find(|c: char| !de_chemin(c)).unwrap_or(reste.len());
        let apres = &reste[fin..];
        let suite = apres.trim_start();
        fin > 0
            && (apres.starts_with('[')
                || suite.starts_with('=')
                || (suite.len() < apres.len() && OPERATEURS.iter().any(|(nom, _)| commence_par(suite, nom))))
    }

    fn comparaison(&mut self, lieu: Lieu, precedent: &mut Precedent) -> Result<Expression, Faute> {
        let mut lieu = lieu;
        let mut groupes: Vec<Groupe> = Vec::new();
        let (position, nom) = loop {
            let position = self.curseur.position();
            let nom = self.curseur.chemin();
            if self.curseur.voir() != Some('[') {
                break (position, nom);
            }
            let chemin =
                nom::liens(lieu.type_fhir, nom, lieu.liens).map_err(|rejet| Faute { position, rejet })?;
            lieu.liens += chemin.len();
            lieu.type_fhir = chemin.last().map_or(lieu.type_fhir, |e| e.arrivee());
            let filtre = self.entre(lieu, '[', ']')?;
            groupes.push(Groupe { chemin, filtre });
            if !self.curseur.prendre('.') {
                return self.faute("Il manque un critère après le groupe.", "un point puis un paramètre");
            }
        };
        if nom.is_empty() {
            return self.faute("Il manque une comparaison.", "paramètre opérateur valeur, not(…) ou (…)");
        }
        let (ou_operateur, operateur) = self.operateur()?;
        self.curseur.blancs();
        let ou_valeur = self.curseur.position();
        let pieces = self.curseur.valeur()?;

        *precedent = Precedent::Fautif;
        let dernier = groupes.last().and_then(|g| g.chemin.last()).copied();
        let depart = Depart { liens: lieu.liens, dernier, requete: false };
        let lue = nom::lire(lieu.type_fhir, nom, depart)
            .and_then(sans_autre_modificateur)
            .map_err(|rejet| Faute { position, rejet })
            .and_then(|n| match comparer(operateur, n.parametre, n.modificateur.is_some()) {
                Ok((comparaison, non)) => Ok((n, comparaison, non)),
                Err(rejet) => Err(Faute { position: ou_operateur, rejet }),
            });
        let (n, comparaison, non) = match lue {
            Ok(lue) => lue,
            Err(f) => return Ok(self.noter(f)),
        };
        // `link[…].parameter:above`: the link is that of the group.
        let du_groupe = n.au_dessus && n.chemin.is_empty();
        let au_dessus = n.au_dessus && !du_groupe;
        let cote = Cote { chemin: n.chemin, au_dessus, parametre: n.parametre, comparaison, non };
        let feuille = self.feuille(&cote, ou_valeur, &pieces);
        *precedent = if groupes.is_empty() { Precedent::Cote(cote) } else { Precedent::Groupe };
        Ok(nier(non, grouper(groupes, du_groupe, feuille)))
    }

    fn operateur(&mut self) -> Result<(usize, Operateur), Faute> {
        self.curseur.blancs();
        let position = self.curseur.position();
        if self.curseur.prendre('=') {
            return Ok((position, Operateur::Eq));
        }
        let mot = self.curseur.mot();
        let fini = self.curseur.voir().is_none_or(|c| c.is_whitespace() || c == '"');
        let trouve = OPERATEURS.iter().find(|(nom, _)| fini && nom.eq_ignore_ascii_case(mot));
        if let Some((_, o)) = trouve {
            return Ok((position, *o));
        }
        let message = if mot.is_empty() {
            "Il manque un opérateur.".to_owned()
        } else {
            format!("« {} » n'est pas un opérateur.", court(mot))
        };
        let noms: Vec<&str> = OPERATEURS.iter().map(|(nom, _)| *nom).collect();
        Err(Faute { position, rejet: Rejet::new("invalid", message, noms.join(", ")) })
    }

    /// A bare value, under the path and operator before it.
    fn valeur_seule(&mut self, precedent: &Precedent) -> Result<Expression, Faute> {
        if matches!(self.curseur.voir(), None | Some(')' | ']')) {
            return self.faute("Il manque une comparaison ou une valeur.", "paramètre opérateur valeur");
        }
        match precedent {
            Precedent::Aucun => {
                return self.faute(
                    "Cette valeur n'a ni paramètre ni opérateur à reprendre.",
                    "paramètre opérateur valeur",
                );
            }
            Precedent::Groupe => {
                return self.faute(
                    "Une valeur seule ne reprend pas une comparaison à groupe « lien[…] ».",
                    "la comparaison entière",
                );
            }
            Precedent::Fautif | Precedent::Cote(_) => {}
        }
        let position = self.curseur.position();
        let pieces = self.curseur.valeur()?;
        match precedent {
            Precedent::Cote(cote) => Ok(nier(cote.non, self.feuille(cote, position, &pieces))),
            _ => Ok(Expression::Et(Vec::new())),
        }
    }

    /// The criterion of a left side and its value; an empty one when the value is wrong.
    fn feuille(&mut self, cote: &Cote, position: usize, pieces: &[String]) -> Expression {
        match valeurs::test(self.lecture, cote.parametre, cote.comparaison, pieces) {
            Ok(test) => Expression::Feuille(Feuille {
                chemin: cote.chemin.clone(),
                au_dessus: cote.au_dessus,
                critere: Critere { parametre: cote.parametre, test },
                non: false,
                absence: cote.comparaison == Comparaison::Presence,
            }),
            Err(rejet) => self.noter(Faute { position, rejet }),
        }
    }

    /// Keeps a fault that does not stop the reading, and stands in for what it spoils.
    fn noter(&mut self, f: Faute) -> Expression {
        if self.fautes.len() < FAUTES_MAX {
            self.fautes.push(f);
        }
        Expression::Et(Vec::new())
    }
}

fn plusieurs(mut v: Vec<Expression>, ensemble: fn(Vec<Expression>) -> Expression) -> Expression {
    match v.pop() {
        Some(seule) if v.is_empty() => seule,
        Some(derniere) => {
            v.push(derniere);
            ensemble(v)
        }
        None => ensemble(v),
    }
}

fn nier(non: bool, e: Expression) -> Expression {
    if non { Expression::Non(Box::new(e)) } else { e }
}

/// One target of the links of each group meets its filter and what follows it.
fn grouper(groupes: Vec<Groupe>, mut au_dessus: bool, mut e: Expression) -> Expression {
    for g in groupes.into_iter().rev() {
        let mut operandes = match g.filtre {
            Expression::Et(v) => v,
            autre => vec![autre],
        };
        operandes.push(e);
        e = Expression::Et(operandes);
        for etape in g.chemin.into_iter().rev() {
            e = Expression::Lien(etape, std::mem::take(&mut au_dessus), Box::new(e));
        }
    }
    e
}

fn sans_autre_modificateur(n: nom::Nom<'_>) -> Result<nom::Nom<'_>, Rejet> {
    match n.modificateur {
        None | Some("above") => Ok(n),
        Some(m) => {
            let message = format!("Le modificateur « :{} » ne s'écrit pas dans « _filter ».", court(m));
            Err(Rejet::new("not-supported", message, "un opérateur (ne, co, pr, in…) ou not(…)"))
        }
    }
}

/// The operators of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operateur {
    Eq,
    Ne,
    Prefixe(Prefixe),
    Texte(ModeTexte),
    Present,
    /// In a value set; true: in none.
    Dans(bool),
    /// Subsumes, is subsumed: the published code systems are flat.
    Subsume,
    Reference,
}

static OPERATEURS: [(&str, Operateur); 19] = [
    ("eq", Operateur::Eq),
    ("ne", Operateur::Ne),
    ("gt", Operateur::Prefixe(Prefixe::Gt)),
    ("lt", Operateur::Prefixe(Prefixe::Lt)),
    ("ge", Operateur::Prefixe(Prefixe::Ge)),
    ("le", Operateur::Prefixe(Prefixe::Le)),
    ("sa", Operateur::Prefixe(Prefixe::Sa)),
    ("eb", Operateur::Prefixe(Prefixe::Eb)),
    ("ap", Operateur::Prefixe(Prefixe::Ap)),
    ("po", Operateur::Prefixe(Prefixe::Po)),
    ("co", Operateur::Texte(ModeTexte::Contient)),
    ("sw", Operateur::Texte(ModeTexte::Debut)),
    ("ew", Operateur::Texte(ModeTexte::Fin)),
    ("pr", Operateur::Present),
    ("in", Operateur::Dans(false)),
    ("ni", Operateur::Dans(true)),
    ("ss", Operateur::Subsume),
    ("sb", Operateur::Subsume),
    ("re", Operateur::Reference),
];

/// What an operator asks of a parameter, and whether the whole comparison is denied.
fn comparer(o: Operateur, p: &'static Parametre, au_dessus: bool) -> Result<(Comparaison, bool), Rejet> {
    sens(o, p, au_dessus).ok_or_else(|| {
        let admis = OPERATEURS.iter().filter(|(_, o)| sens(*o, p, au_dessus).is_some());
        let admis: Vec<&str> = admis.map(|(nom, _)| *nom).collect();
        let message = format!("Cet opérateur ne s'applique pas à « {} ».", p.nom);
        Rejet::new("not-supported", message, admis.join(", "))
    })
}

fn sens(o: Operateur, p: &Parametre, au_dessus: bool) -> Option<(Comparaison, bool)> {
    let modificateurs = p.modificateurs();
    let egal = match (au_dessus, p.ordonne()) {
        (true, _) => Comparaison::AuDessus,
        (false, true) => Comparaison::Prefixe(Prefixe::Eq),
        (false, false) => Comparaison::Ordinaire,
    };
    match o {
        Operateur::Eq => Some((egal, false)),
        Operateur::Ne => Some((egal, true)),
        Operateur::Reference if p.genre == Genre::Reference => Some((egal, false)),
        _ if au_dessus => None,
        Operateur::Prefixe(Prefixe::Po) if p.genre != Genre::Date => None,
        Operateur::Prefixe(prefixe) if p.ordonne() => Some((Comparaison::Prefixe(prefixe), false)),
        Operateur::Texte(mode) if matches!(p.cible, Cible::Texte(_)) => {
            Some((Comparaison::Texte(mode), false))
        }
        Operateur::Present if modificateurs.contains(&"missing") => Some((Comparaison::Presence, false)),
        Operateur::Dans(non) if modificateurs.contains(&"in") => Some((Comparaison::Dans, non)),
        Operateur::Subsume if p.genre == Genre::Token && p.cible != Cible::Id => Some((egal, false)),
        _ => None,
    }
}
