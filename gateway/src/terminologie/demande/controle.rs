//! The check of each value of an operation by its nature.

use crate::{
    fhir::{
        outcome::Issue,
        temps,
        terminologie::{Codage, Entree, TEXTE_MAX, Valeur},
    },
    http::format_nomme,
    recherche::requete::refus,
    terminologie::{
        Jour, jour,
        parametres::{Argument, Nature, Operation},
    },
};

/// The parameter of a named value, checked; `None` for one that changes nothing.
pub(super) fn lire_un(
    o: &'static Operation,
    e: &Entree,
    connues: &[(&'static Argument, Valeur)],
) -> Result<Option<&'static Argument>, Issue> {
    if e.nom == "_format" {
        return match &e.valeur {
            Valeur::Simple(f) => format_servi(f).map(|()| None),
            _ => Ok(None),
        };
    }
    let argument = o.argument(&e.nom).ok_or_else(|| inconnu(o, &e.nom))?;
    if !argument.repete && connues.iter().any(|(a, _)| a.nom == argument.nom) {
        return Err(refus(argument.nom, "value", "Il est répété.".to_owned(), "une seule valeur"));
    }
    controler(argument, &e.valeur).map(|()| Some(argument))
}

/// Whether the format asked is one that is served.
pub(in crate::terminologie) fn format_servi(f: &str) -> Result<(), Issue> {
    if format_nomme(f).is_some() {
        return Ok(());
    }
    let message = format!("Le format « {} » n'est pas servi.", abreger(f));
    Err(refus("_format", "not-supported", message, "application/fhir+json ou application/fhir+xml"))
}

fn inconnu(o: &Operation, nom: &str) -> Issue {
    let connus: Vec<&str> = o.arguments.iter().map(|a| a.nom).collect();
    let nom = abreger(nom);
    Issue::new(
        "not-supported",
        format!(
            "Paramètre « {nom} » inconnu pour {}/${}. Attendu : {}.",
            o.genre.nom(),
            o.nom,
            connus.join(", ")
        ),
    )
    .sur(nom)
}

fn controler(a: &Argument, v: &Valeur) -> Result<(), Issue> {
    let dans_le_corps = |attendu: &str| {
        let message = "Il ne se donne que dans le corps d'un POST.".to_owned();
        Err(refus(a.nom, "value", message, attendu))
    };
    match (a.nature, v) {
        (Nature::Codage, Valeur::Codage(c)) => controler_codage(a, c),
        (Nature::Concept, Valeur::Concept(c)) if c.is_empty() => {
            Err(refus(a.nom, "value", "Il ne porte aucun code.".to_owned(), "coding, avec system et code"))
        }
        (Nature::Concept, Valeur::Concept(c)) => c.iter().try_for_each(|c| controler_codage(a, c)),
        (Nature::Codage, _) => dans_le_corps("valueCoding, avec system et code"),
        (Nature::Concept, _) => dans_le_corps("valueCodeableConcept, avec coding"),
        (_, Valeur::Codage(_) | Valeur::Concept(_)) => Err(refus(
            a.nom,
            "value",
            "Ce n'est pas une valeur simple.".to_owned(),
            "un texte, un nombre ou un booléen",
        )),
        (nature, Valeur::Simple(t)) => controler_texte(a, nature, t),
    }
}

fn controler_codage(a: &Argument, c: &Codage) -> Result<(), Issue> {
    let textes = [&c.systeme, &c.version, &c.code, &c.libelle];
    if c.code.is_empty() || textes.iter().any(|t| t.len() > TEXTE_MAX) {
        let message = "Un code manque, ou un de ses textes est trop long.".to_owned();
        return Err(refus(
            a.nom,
            "value",
            message,
            &format!("system et code, {TEXTE_MAX} caractères au plus"),
        ));
    }
    Ok(())
}

fn controler_texte(a: &Argument, nature: Nature, t: &str) -> Result<(), Issue> {
    let admis = |bon: bool, attendu: &str| {
        let message = || format!("« {} » n'est pas une valeur admise.", abreger(t));
        if bon { Ok(()) } else { Err(refus(a.nom, "value", message(), attendu)) }
    };
    admis(!t.is_empty() && t.len() <= TEXTE_MAX, &format!("1 à {TEXTE_MAX} caractères"))?;
    match nature {
        Nature::Date => admis(jour_demande(t).is_some(), "une date AAAA-MM-JJ"),
        Nature::Booleen => admis(matches!(t, "true" | "false"), "true ou false"),
        Nature::Entier(usize::MAX) => admis(t.parse::<usize>().is_ok(), "un entier, 0 ou plus"),
        Nature::Entier(max) => {
            admis(t.parse::<usize>().is_ok_and(|n| n <= max), &format!("un entier de 0 à {max}"))
        }
        Nature::Langue if t.eq_ignore_ascii_case("fr") || t.to_lowercase().starts_with("fr-") => Ok(()),
        Nature::Langue => {
            let message = format!("Les libellés n'existent pas dans la langue « {} ».", abreger(t));
            Err(refus(a.nom, "not-supported", message, "fr"))
        }
        Nature::Texte | Nature::Codage | Nature::Concept => Ok(()),
    }
}

/// The day of a FHIR dateTime; a partial date is its first day.
pub(super) fn jour_demande(texte: &str) -> Option<Jour> {
    temps::lire_instant(texte)?;
    let jour = match texte.len() {
        4 => jour(&format!("{texte}-01-01")),
        7 => jour(&format!("{texte}-01")),
        _ => jour(texte.get(..10)?),
    };
    (jour > 0).then_some(jour)
}

pub(in crate::terminologie) fn abreger(texte: &str) -> String {
    texte.chars().take(60).collect()
}
