//! Tokens: codes with or without their system, identifiers, value sets.

use super::{
    CODES_MAX, Lecture, Rejet, court,
    valeurs::{desechapper, separer},
};
use crate::{
    fhir::canoniques as c,
    modele::{Param, normaliser_systeme, systeme_d_identifiant_quelconque},
    recherche::{
        arbre::{Jeton, Test},
        parametres::{Cible, Parametre},
    },
};

/// Identifier system of RPPS numbers.
const SYS_RPPS: &str = "https://rpps.esante.gouv.fr";

/// `code`, `system|code`, `|code`, `system|`; a list with a system on its first value only is a
/// published habit: the system holds for the codes alone after it.
pub(super) fn lire(l: &Lecture<'_>, p: &'static Parametre, donnes: &[&str]) -> Result<Vec<Jeton>, Rejet> {
    if matches!(p.cible, Cible::Jeton([Param::ZonePoser])) {
        return donnes.iter().map(|v| booleen(v)).collect();
    }
    let mut herite: Option<String> = None;
    donnes.iter().map(|v| un(l, p, v, &mut herite)).collect()
}

fn un(l: &Lecture<'_>, p: &Parametre, v: &str, herite: &mut Option<String>) -> Result<Jeton, Rejet> {
    let (ecrit, code) = match separer(v, '|').as_slice() {
        [code] => (None, desechapper(code)),
        [systeme, code] => (Some(desechapper(systeme)), desechapper(code)),
        _ => {
            let message = format!("« {} » porte plus d'une barre.", court(v));
            return Err(Rejet::new("value", message, r"code, système|code ou système| ; \| dans un code"));
        }
    };
    if code.is_empty() && ecrit.as_ref().is_none_or(String::is_empty) {
        let message = format!("« {} » n'est pas un code.", court(v));
        return Err(Rejet::new("value", message, "code, système|code ou système|"));
    }
    let code = (!code.is_empty()).then_some(code);
    // "|code" is the code alone.
    let Some(ecrit) = ecrit.filter(|e| !e.is_empty()) else {
        return Ok(jeton(p, herite.clone(), code));
    };
    let systeme = normaliser_systeme(&ecrit);
    if p.cible == Cible::Identifiant {
        if systeme_d_identifiant_quelconque(&systeme) {
            *herite = None;
            return Ok(Jeton { systeme: None, code });
        }
        controler_systeme(&systeme)?;
    } else if !(l.regard.connu)(&ecrit) && !(l.regard.connu)(&systeme) {
        let message = format!("Le système de codes « {} » est inconnu.", court(&ecrit));
        return Err(Rejet::new("code-invalid", message, "le canonique d'une TRE, ou le code seul"));
    }
    *herite = Some(systeme.clone());
    Ok(jeton(p, Some(systeme), code))
}

/// What tokens ask: any identifier at all, when one of them says no more.
pub(super) fn test(jetons: Vec<Jeton>) -> Test {
    let quelconque = jetons.iter().any(|j| j.systeme.is_none() && j.code.is_none());
    if quelconque { Test::Absent(false) } else { Test::Jeton(jetons) }
}

fn booleen(v: &str) -> Result<Jeton, Rejet> {
    let code = v.strip_prefix('|').unwrap_or(v);
    if matches!(code, "true" | "false") {
        return Ok(Jeton { systeme: None, code: Some(code.to_owned()) });
    }
    let message = format!("« {} » n'est ni vrai ni faux.", court(v));
    Err(Rejet::new("code-invalid", message, "true ou false"))
}

/// The codes of value sets.
pub(super) fn de_jeux(l: &mut Lecture<'_>, donnes: &[&str]) -> Result<Vec<Jeton>, Rejet> {
    let mut jetons = Vec::new();
    for v in donnes {
        let canonique = desechapper(v);
        let codes = (l.regard.jeu)(&canonique).ok_or_else(|| {
            let message = format!("Le jeu de valeurs « {} » est inconnu.", court(&canonique));
            Rejet::new("not-found", message, "le canonique d'un jeu de valeurs (JDV) publié ici")
        })?;
        l.codes = l.codes.saturating_add(codes.len());
        if l.codes > CODES_MAX {
            let message = "Les jeux de valeurs de cette requête portent trop de codes.";
            return Err(Rejet::new("too-costly", message, format!("{CODES_MAX} codes au plus")));
        }
        jetons.extend(codes.into_iter().map(|(systeme, code)| Jeton {
            systeme: (!systeme.is_empty()).then(|| normaliser_systeme(&systeme)),
            code: Some(code),
        }));
    }
    Ok(jetons)
}

/// The systems of the identifiers that are shown, and of the RPPS numbers.
fn controler_systeme(systeme: &str) -> Result<(), Rejet> {
    let systemes = [
        c::SYS_FINESS,
        c::SYS_ID_NAT_STRUCT,
        c::SYS_ID_NAT_PS,
        c::SYS_SIRENE,
        c::SYS_RPPS_RANG,
        c::SYS_ADELI_RANG,
        c::SYS_OI,
        SYS_RPPS,
    ];
    if systemes.contains(&systeme) {
        return Ok(());
    }
    let message = format!("Le système d'identifiants « {} » est inconnu.", court(systeme));
    Err(Rejet::new("code-invalid", message, systemes.join(", ")))
}

/// An idNatStruct, `1` and the FINESS number, is published as a FINESS number: it is looked for under any system. An
/// RPPS number is published under the system of the idNat_PS, which is `8` and that number.
fn jeton(p: &Parametre, systeme: Option<String>, code: Option<String>) -> Jeton {
    let identifiant = |s: &str| p.cible == Cible::Identifiant && systeme.as_deref() == Some(s);
    match code {
        Some(c) if identifiant(c::SYS_FINESS) && c.len() == 10 && c.starts_with('1') => {
            Jeton { systeme: None, code: Some(c) }
        }
        Some(rpps) if identifiant(c::SYS_ID_NAT_PS) && chiffres(&rpps, 11) => {
            Jeton { systeme, code: Some(format!("8{rpps}")) }
        }
        code => Jeton { systeme, code },
    }
}

fn chiffres(code: &str, nombre: usize) -> bool {
    code.len() == nombre && code.bytes().all(|o| o.is_ascii_digit())
}
