//! The values of a criterion: escapes, texts, references, and the door to the other kinds.

use super::{Lecture, Rejet, court, dates, id_conforme, jetons, nombres};
use crate::{
    modele::plier,
    recherche::{
        arbre::{Cercle, ModeTexte, Prefixe, Test},
        parametres::{Cible, Genre, Parametre, Relation},
    },
    texte,
};

/// How values are compared: what a modifier of the query string or an operator of `_filter` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparaison {
    /// As the parameter is without modifier; ordered values carry their prefix.
    Ordinaire,
    /// An ordered value under a prefix given apart.
    Prefixe(Prefixe),
    /// A text.
    Texte(ModeTexte),
    /// Codes of a value set.
    Dans,
    /// The start of a label.
    Libelle,
    /// `true` asks for absence.
    Absence,
    /// `true` asks for presence.
    Presence,
    /// A structure or what is below it.
    AuDessus,
}

/// Reads the raw values of a criterion; the caller made sure that the parameter is compared so.
pub(super) fn test(
    l: &mut Lecture<'_>,
    p: &'static Parametre,
    c: Comparaison,
    morceaux: &[String],
) -> Result<Test, Rejet> {
    let echappes = morceaux.iter().any(|m| m.contains('\\'));
    let parties: Option<Vec<String>> = match c {
        Comparaison::Ordinaire | Comparaison::Prefixe(_) if echappes => {
            Some(morceaux.iter().flat_map(|m| en_parties(p, m).unwrap_or_else(|| vec![m.clone()])).collect())
        }
        _ => None,
    };
    let morceaux = parties.as_deref().unwrap_or(morceaux);
    let donnes: Vec<&str> = morceaux.iter().map(String::as_str).filter(|m| !m.is_empty()).collect();
    if donnes.is_empty() {
        return Err(Rejet::new("value", "La valeur manque.", format!("une valeur comme {}", p.exemple)));
    }
    l.valeurs += donnes.len();
    match c {
        Comparaison::Ordinaire => ordinaire(l, p, &donnes),
        Comparaison::Prefixe(prefixe) => ordonnes(l, p, Some(prefixe), &donnes),
        Comparaison::Texte(mode) => textes(mode, &donnes).map(|t| Test::Texte(mode, t)),
        Comparaison::Dans => jetons::de_jeux(l, &donnes).map(Test::Jeton),
        Comparaison::Libelle => textes(ModeTexte::Debut, &donnes).map(Test::Libelle),
        Comparaison::Absence => booleen(&donnes).map(Test::Absent),
        Comparaison::Presence => booleen(&donnes).map(|b| Test::Absent(!b)),
        Comparaison::AuDessus => references(p, &donnes).map(Test::ReferenceAuDessus),
    }
}

fn ordinaire(l: &mut Lecture<'_>, p: &'static Parametre, donnes: &[&str]) -> Result<Test, Rejet> {
    match (p.genre, p.cible) {
        (_, Cible::Id) => ids(donnes).map(Test::Id),
        (_, Cible::Contenu | Cible::Narratif) => {
            let texte = desechapper(&donnes.join(","));
            if texte::Demande::lire(&texte).is_none() {
                return Err(sans_mot());
            }
            let demande = (p.type_fhir, p.cible == Cible::Narratif, texte.clone());
            if !l.textes.contains(&demande) {
                l.textes.push(demande);
            }
            Ok(Test::Contenu(texte))
        }
        (_, Cible::Proche) => proche(donnes, nombres::autour_d_un_point),
        (_, Cible::ProcheCommune) => proche(donnes, nombres::autour_d_une_commune),
        (_, Cible::Reference(_)) => references(p, donnes).map(Test::Reference),
        (Genre::Token, _) => jetons::lire(l, p, donnes).map(jetons::test),
        (Genre::String, _) => textes(ModeTexte::Debut, donnes).map(|t| Test::Texte(ModeTexte::Debut, t)),
        _ => ordonnes(l, p, None, donnes),
    }
}

fn ordonnes(
    l: &Lecture<'_>,
    p: &'static Parametre,
    impose: Option<Prefixe>,
    donnes: &[&str],
) -> Result<Test, Rejet> {
    match p.genre {
        Genre::Date => {
            let une = |v: &&str| -> Result<_, Rejet> {
                let (prefixe, i) = nombres::ordonne(impose, v, dates::lire)?;
                let large = prefixe == Prefixe::Ap;
                Ok((prefixe, if large { dates::elargir(i, l.regard.maintenant) } else { i }))
            };
            donnes.iter().map(une).collect::<Result<_, _>>().map(Test::Date)
        }
        Genre::Number => {
            let un = |v: &&str| nombres::ordonne(impose, v, nombres::nombre);
            donnes.iter().map(un).collect::<Result<_, _>>().map(Test::Nombre)
        }
        Genre::Quantity => {
            let une = |v: &&str| {
                nombres::ordonne(impose, v, nombres::quantite).map(|(p, (n, unite))| (p, n, unite))
            };
            donnes.iter().map(une).collect::<Result<_, _>>().map(Test::Quantite)
        }
        Genre::Token | Genre::String | Genre::Reference | Genre::Special => {
            let message = format!("« {} » n'a pas d'ordre.", p.nom);
            Err(Rejet::new("not-supported", message, "une date, un nombre ou une quantité"))
        }
    }
}

fn proche(donnes: &[&str], lire: fn(&str) -> Result<Cercle, Rejet>) -> Result<Test, Rejet> {
    donnes.iter().map(|v| lire(v)).collect::<Result<_, _>>().map(Test::Proche)
}

fn booleen(donnes: &[&str]) -> Result<bool, Rejet> {
    match donnes {
        ["true"] => Ok(true),
        ["false"] => Ok(false),
        _ => {
            let message = format!("« {} » n'est ni vrai ni faux.", court(&donnes.join(",")));
            Err(Rejet::new("value", message, "true ou false"))
        }
    }
}

fn ids(donnes: &[&str]) -> Result<Vec<String>, Rejet> {
    let un = |v: &&str| {
        if id_conforme(v) {
            return Ok((*v).to_owned());
        }
        let message = format!("« {} » n'est pas un identifiant technique.", court(v));
        Err(Rejet::new("value", message, "1 à 64 lettres, chiffres, tirets ou points"))
    };
    donnes.iter().map(un).collect()
}

fn textes(mode: ModeTexte, donnes: &[&str]) -> Result<Vec<String>, Rejet> {
    let un = |v: &&str| {
        let texte = desechapper(v);
        let texte = if mode == ModeTexte::Exact { texte } else { plier(&texte) };
        if texte.is_empty() { Err(texte_vide()) } else { Ok(texte) }
    };
    donnes.iter().map(un).collect()
}

fn texte_vide() -> Rejet {
    Rejet::new("value", "Le texte cherché est vide.", "au moins une lettre ou un chiffre")
}

fn sans_mot() -> Rejet {
    Rejet::new(
        "value",
        "Le texte cherché n'a pas de mot : il est vide, ou n'a que des articles, des prépositions ou des mots exclus.",
        "au moins un mot qui dise quelque chose",
    )
}

fn references(p: &'static Parametre, donnes: &[&str]) -> Result<Vec<String>, Rejet> {
    let Cible::Reference(relation) = p.cible else {
        let message = format!("« {} » n'est pas une référence.", p.nom);
        return Err(Rejet::new("not-supported", message, "un paramètre de référence"));
    };
    donnes.iter().map(|v| reference(relation, v)).collect()
}

/// `id`, `Type/id` or an address that ends so.
fn reference(relation: Relation, v: &str) -> Result<String, Rejet> {
    let texte = desechapper(v);
    let attendu = relation.cible().nom();
    let mut segments = texte.rsplit('/');
    let id = segments.next().unwrap_or_default();
    if id_conforme(id) && segments.next().is_none_or(|t| t == attendu) {
        return Ok(id.to_owned());
    }
    let message = format!("« {} » n'est pas une référence à {attendu}.", court(v));
    Err(Rejet::new("value", message, format!("<id>, {attendu}/<id> ou une adresse qui finit ainsi")))
}

/// The values of a comma list that are not empty, escapes left as they are.
pub(super) fn morceaux(valeur: &str) -> Vec<String> {
    separer(valeur, ',').into_iter().filter(|m| !m.is_empty()).map(str::to_owned).collect()
}

/// The values of a list, or the parts of one of them, whose bars are all escaped when they are those that cut.
fn en_parties(p: &Parametre, valeur: &str) -> Option<Vec<String>> {
    let nue = tout_echappe(valeur)?;
    let (avant, _) = nue.split_once('|')?;
    let coupe = match (p.genre, p.cible) {
        (Genre::Quantity, _) | (_, Cible::Proche | Cible::ProcheCommune) => true,
        // A bar may be a sign of a code, but not after the address of a system.
        (Genre::Token, _) => avant.contains(':'),
        _ => false,
    };
    coupe.then(|| morceaux(&nue))
}

/// A text without its escapes, when each of the signs that cut values is escaped in it: clients that take a value for
/// plain text (HAPI's `StringClientParam`) send it so, whatever the kind of the parameter.
fn tout_echappe(texte: &str) -> Option<String> {
    let mut suite = texte.chars();
    let mut echappes = 0;
    while let Some(c) = suite.next() {
        match c {
            '\\' if matches!(suite.next(), Some(',' | '|' | '$' | '\\')) => echappes += 1,
            '\\' | ',' | '|' | '$' => return None,
            _ => {}
        }
    }
    (echappes > 0).then(|| desechapper(texte))
}

/// Cuts at a sign that is not escaped; escapes are left as they are.
pub(super) fn separer(texte: &str, signe: char) -> Vec<&str> {
    let mut parties = Vec::new();
    let (mut debut, mut echappe) = (0, false);
    for (i, c) in texte.char_indices() {
        if echappe {
            echappe = false;
        } else if c == '\\' {
            echappe = true;
        } else if c == signe {
            parties.push(&texte[debut..i]);
            debut = i + c.len_utf8();
        }
    }
    parties.push(&texte[debut..]);
    parties
}

/// `\,`, `\|`, `\$` and `\\` stand for the sign after the bar.
pub(super) fn desechapper(texte: &str) -> String {
    let mut sortie = String::with_capacity(texte.len());
    let mut suite = texte.chars().peekable();
    while let Some(c) = suite.next() {
        match suite.peek().copied() {
            Some(signe @ (',' | '|' | '$' | '\\')) if c == '\\' => {
                sortie.push(signe);
                suite.next();
            }
            _ => sortie.push(c),
        }
    }
    sortie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_signs_do_not_cut() {
        assert_eq!(morceaux(r"a\,b,c,,d\\,e"), [r"a\,b", "c", r"d\\", "e"]);
        assert_eq!(separer(r"s|a\|b|", '|'), ["s", r"a\|b", ""]);
        assert_eq!(desechapper(r"a\,b\|c\$d\\e\n\"), r"a,b|c$d\e\n\");
        assert_eq!(super::super::couper(r"a\,b,c\|d"), ["a,b", "c|d"]);
        assert_eq!(super::super::couper(","), [""]);
    }

    #[test]
    fn a_value_escaped_as_a_whole_is_read_as_if_it_were_not() {
        assert_eq!(tout_echappe(r"s\|a\,s\|b\\c").as_deref(), Some(r"s|a,s|b\c"));
        for reste in ["", "a", r"s|a\|b", r"a\,b,c", r#"a\"b\|"#, r"a\", r"a\|b$"] {
            assert_eq!(tout_echappe(reste), None, "{reste}");
        }
    }

    #[test]
    fn a_reference_is_an_id_with_or_without_its_type() {
        let lire = |v: &str| reference(Relation::Porteur, v).ok();
        for v in ["x-1", "Organization/x-1", "https://ror.exemple.invalid/fhir/Organization/x-1"] {
            assert_eq!(lire(v).as_deref(), Some("x-1"), "{v}");
        }
        for v in ["Location/x-1", "Organization/", "/x", "Organization/x y", ""] {
            assert_eq!(lire(v), None, "{v}");
        }
    }
}
