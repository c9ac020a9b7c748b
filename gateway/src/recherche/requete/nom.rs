//! The name of a criterion: the links to follow, the parameter at their end, its modifier.

use super::{LIENS_MAX, Rejet, court, reponse};
use crate::{
    modele::TypeFhir,
    recherche::parametres::{self, Cible, Parametre, Relation},
};

/// One link on the way to a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Etape {
    /// To what a reference names.
    Vers(Relation),
    /// To what refers here: `_has`.
    Depuis(Relation),
}

impl Etape {
    /// Type at its end.
    pub(super) fn arrivee(self) -> TypeFhir {
        match self {
            Self::Vers(r) => r.cible(),
            Self::Depuis(r) => r.source(),
        }
    }
}

/// A name, read.
pub(super) struct Nom<'a> {
    /// Links, in order.
    pub(super) chemin: Vec<Etape>,
    /// Parameter at their end.
    pub(super) parametre: &'static Parametre,
    /// Its modifier, which it accepts.
    pub(super) modificateur: Option<&'a str>,
    /// `:above` at the end of a chain: the target of the last link or one of its ancestors.
    pub(super) au_dessus: bool,
}

/// Where a name stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Depart {
    /// Links that lead to it.
    pub(super) liens: usize,
    /// The last of them, when the name is what is asked at its end.
    pub(super) dernier: Option<Etape>,
    /// In the query string, where other things than criteria have names too.
    pub(super) requete: bool,
}

/// Reads a name.
pub(super) fn lire(t: TypeFhir, nom: &str, depart: Depart) -> Result<Nom<'_>, Rejet> {
    let (mut t, mut reste) = (t, nom);
    let mut chemin = Vec::new();
    loop {
        let (etape, suite) = match reste.strip_prefix("_has:") {
            Some(suite) => inverse(t, suite)?,
            None => match reste.split_once('.') {
                Some((ecrit, suite)) => (lien(t, ecrit)?, suite),
                None => break,
            },
        };
        ajouter(&mut chemin, etape, depart.liens)?;
        (t, reste) = (etape.arrivee(), suite);
    }
    let (base, modificateur) = reste.split_once(':').map_or((reste, None), |(b, m)| (b, Some(m)));
    let parametre =
        parametres::trouver(t, base).ok_or_else(|| inconnu(t, base, depart.requete && chemin.is_empty()))?;
    let mut n = Nom { chemin, parametre, modificateur, au_dessus: false };
    let Some(m) = modificateur else { return Ok(n) };
    if parametre.modificateurs().contains(&m) {
        return Ok(n);
    }
    let dernier = n.chemin.last().copied().or(depart.dernier);
    let vers_structure = matches!(dernier, Some(Etape::Vers(r)) if r.cible() == TypeFhir::Organization);
    match parametre.cible {
        _ if m == "above" && vers_structure => n.au_dessus = true,
        // `organization:Organization=id`: the type of what the value names.
        Cible::Reference(r) if m == r.cible().nom() => {}
        Cible::Reference(r) if m.split_once(':').is_some_and(|(c, _)| c == r.cible().nom()) => {
            let suite = m.rsplit(':').next().unwrap_or_default();
            return Err(Rejet::inconnu(
                "Une chaîne typée s'écrit avec un point.",
                format!("{base}:{}.{}", r.cible().nom(), court(suite)),
            ));
        }
        _ => return Err(modificateur_refuse(parametre, m)),
    }
    n.modificateur = None;
    Ok(n)
}

/// Reads the links of a path that ends on one, such as `organization.partof`.
pub(super) fn liens(t: TypeFhir, ecrit: &str, deja: usize) -> Result<Vec<Etape>, Rejet> {
    let mut t = t;
    let mut chemin = Vec::new();
    for un in ecrit.split('.') {
        let etape = lien(t, un)?;
        ajouter(&mut chemin, etape, deja)?;
        t = etape.arrivee();
    }
    Ok(chemin)
}

fn ajouter(chemin: &mut Vec<Etape>, etape: Etape, deja: usize) -> Result<(), Rejet> {
    chemin.push(etape);
    if deja + chemin.len() > LIENS_MAX {
        let message = "Ce critère suit trop de liens.";
        return Err(Rejet::new("too-costly", message, format!("{LIENS_MAX} liens au plus")));
    }
    Ok(())
}

fn lien(t: TypeFhir, ecrit: &str) -> Result<Etape, Rejet> {
    let (nom, cible) = ecrit.split_once(':').map_or((ecrit, None), |(n, c)| (n, Some(c)));
    if nom == "focus" {
        return Err(taches());
    }
    let Some(relation) = parametres::relation(t, nom) else {
        let connus: Vec<&str> =
            Relation::TOUTES.into_iter().filter(|r| r.source() == t).map(Relation::nom).collect();
        let attendu = if connus.is_empty() {
            format!("un paramètre de {} sans lien", t.nom())
        } else {
            format!("un lien parmi {}", connus.join(", "))
        };
        let message =
            format!("« {} » n'est pas un lien de {}.{}", court(nom), t.nom(), suggestion(nom, &connus));
        return Err(Rejet::inconnu(message, attendu));
    };
    let arrivee = relation.cible().nom();
    match cible {
        Some(c) if c != arrivee => Err(Rejet::inconnu(
            format!("Le lien « {nom} » mène à {arrivee}, pas à « {} ».", court(c)),
            format!("{nom}.<paramètre> ou {nom}:{arrivee}.<paramètre>"),
        )),
        _ => Ok(Etape::Vers(relation)),
    }
}

fn inverse(t: TypeFhir, suite: &str) -> Result<(Etape, &str), Rejet> {
    let mut parties = suite.splitn(3, ':');
    let (nom_type, nom) = (parties.next().unwrap_or_default(), parties.next().unwrap_or_default());
    if nom_type == "Task" || nom == "focus" {
        return Err(taches());
    }
    let relation = TypeFhir::de_nom(nom_type)
        .and_then(|source| parametres::relation(source, nom))
        .filter(|r| r.cible() == t);
    if let (Some(relation), Some(reste)) = (relation, parties.next()) {
        return Ok((Etape::Depuis(relation), reste));
    }
    let message = match relation {
        Some(_) => "Le paramètre de « _has » manque.".to_owned(),
        None => format!("« _has:{}:{} » ne mène pas à {}.", court(nom_type), court(nom), t.nom()),
    };
    Err(Rejet::inconnu(message, rebours(t)))
}

/// The ways to what refers to a type.
fn rebours(t: TypeFhir) -> String {
    let possibles: Vec<String> = parametres::vers(t)
        .map(|r| format!("_has:{}:{}:<paramètre de {0}>", r.source().nom(), r.nom()))
        .collect();
    if possibles.is_empty() {
        return format!("un autre critère : rien ne renvoie à {}", t.nom());
    }
    possibles.join(", ")
}

/// The anomalies have no resource yet.
pub(super) fn taches() -> Rejet {
    Rejet::inconnu("Les anomalies (Task) ne sont pas encore servies.", "une requête sans Task ni focus")
}

/// Modifiers a parameter takes, for a refusal.
pub(super) fn modificateur_refuse(p: &Parametre, m: &str) -> Rejet {
    let admis: Vec<String> = p.modificateurs().iter().map(|m| format!(":{m}")).collect();
    let attendu = match (m, admis.is_empty()) {
        ("above", _) => {
            "un lien vers Organization : organization:above=<id> ou organization.<paramètre>:above".to_owned()
        }
        (_, true) => "aucun modificateur".to_owned(),
        (_, false) => admis.join(", "),
    };
    let message = format!("Le modificateur « :{} » n'existe pas pour « {} ».", court(m), p.nom);
    Rejet::inconnu(message, attendu)
}

fn inconnu(t: TypeFhir, base: &str, requete: bool) -> Rejet {
    if base == "focus" {
        return taches();
    }
    if base == "_has" {
        return Rejet::inconnu("« _has » demande un type, un lien et un paramètre.", rebours(t));
    }
    let mut connus: Vec<&str> = parametres::de_type(t).map(|p| p.nom).collect();
    if requete {
        connus.extend(reponse::GENERAUX);
    }
    let message = format!("« {} » est inconnu pour {}.{}", court(base), t.nom(), suggestion(base, &connus));
    Rejet::inconnu(message, connus.join(", "))
}

/// The name that was meant, in a sentence; nothing when none is near.
pub(super) fn suggestion(ecrit: &str, connus: &[&str]) -> String {
    let bas = ecrit.to_lowercase();
    if bas.chars().count() > 64 {
        return String::new();
    }
    connus
        .iter()
        .map(|c| (distance(&bas, &c.to_lowercase()), *c))
        .filter(|(d, c)| *d <= 2 && d * 3 <= c.len() && *c != ecrit)
        .min_by_key(|(d, _)| *d)
        .map_or_else(String::new, |(_, c)| format!(" Vouliez-vous dire « {c} » ?"))
}

/// Characters to add, remove or replace to go from one text to the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut ligne: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonale = i;
        ligne[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let pareil = diagonale + usize::from(x != *y);
            diagonale = ligne[j + 1];
            ligne[j + 1] = pareil.min(diagonale + 1).min(ligne[j] + 1);
        }
    }
    ligne[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(distance("_revincluded", "_revinclude"), 1);
        assert_eq!(distance("chat", "chien"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(
            suggestion("Adress-City", &["address-city", "name"]),
            " Vouliez-vous dire « address-city » ?"
        );
        assert_eq!(suggestion("bidule", &["_id", "name"]), "");
    }
}
