//! From a query string to a checked request. Every fault at once, each naming its
//! parameter, its rule and what would be accepted.

mod dates;

use ror_domaine::identifiants::{Finess, IdNatPs, IdNatStruct, Rpps};

use super::parametres::{self, Lecture, Parametre, Relation};
use crate::{
    fhir::outcome::Issue,
    modele::{Param, TypeFhir},
};

/// Identifier system of RPPS numbers.
const SYS_RPPS: &str = "https://rpps.esante.gouv.fr";
/// Matches per page by default (rule RG_RECH_52).
pub const NOMBRE: usize = 200;
/// Largest `_count`.
pub const NOMBRE_MAX: usize = 1000;
/// Longest query string.
pub const LONGUEUR_MAX: usize = 16 * 1024;
/// Most values in one request, all parameters together.
const VALEURS_MAX: usize = 500;
/// Most include clauses.
const INCLUSIONS_MAX: usize = 32;

/// A checked request.
#[derive(Debug)]
pub struct Requete {
    /// Type searched.
    pub type_fhir: TypeFhir,
    /// Criteria, all to be met.
    pub criteres: Vec<Critere>,
    /// Includes.
    pub inclusions: Vec<Inclusion>,
    /// Page size.
    pub nombre: usize,
    /// Last id of the former page.
    pub apres: Option<String>,
}

/// One criterion.
#[derive(Debug)]
pub enum Critere {
    /// One of these ids.
    Id(Vec<String>),
    /// One of these codes in one of these indexes; `non` keeps the others.
    Jeton {
        /// Indexes.
        params: &'static [Param],
        /// Values.
        valeurs: Vec<Jeton>,
        /// `:not`.
        non: bool,
    },
    /// One of these names.
    Nom {
        /// How they are compared.
        mode: ModeNom,
        /// Values, folded unless exact.
        valeurs: Vec<String>,
    },
    /// One of these postal prefixes.
    CodePostal(Vec<String>),
    /// Updated in one of these intervals: milliseconds, from included, to excluded.
    Maj(Vec<Intervalle>),
    /// Refers to one of these ids by a relation.
    Reference(Relation, Vec<String>),
    /// A criterion on the other end of a relation; `au_dessus`: there or at any ancestor.
    Chaine {
        /// Relation followed.
        relation: Relation,
        /// Criterion there.
        critere: Box<Critere>,
        /// `:above`.
        au_dessus: bool,
    },
}

/// A token value.
#[derive(Debug, PartialEq, Eq)]
pub struct Jeton {
    /// Code system, normalised; `None` for any.
    pub systeme: Option<String>,
    /// Code; `None` for any of the system.
    pub code: Option<String>,
}

/// How names are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeNom {
    /// Starts with, folded.
    Debut,
    /// Contains, folded.
    Contient,
    /// The same text.
    Exact,
}

/// An interval of milliseconds; `exclu` keeps what is outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervalle {
    /// First instant.
    pub de: i64,
    /// First instant after.
    pub a: i64,
    /// `ne`.
    pub exclu: bool,
}

/// One include clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Type that carries the reference.
    pub source: TypeFhir,
    /// Relation.
    pub relation: Relation,
    /// `_revinclude`: from the target to those that refer to it.
    pub inverse: bool,
    /// `:iterate`: on included resources too.
    pub repete: bool,
}

/// Reads a query string for a type; `connu` says whether a code system exists.
pub fn lire(t: TypeFhir, chaine: &str, connu: &dyn Fn(&str) -> bool) -> Result<Requete, Vec<Issue>> {
    if chaine.len() > LONGUEUR_MAX {
        return Err(vec![Issue::new("too-long", format!("La requête dépasse {LONGUEUR_MAX} caractères."))]);
    }
    let mut r =
        Requete { type_fhir: t, criteres: Vec::new(), inclusions: Vec::new(), nombre: NOMBRE, apres: None };
    let mut issues = Vec::new();
    let mut valeurs = 0;
    for paire in chaine.split('&').filter(|p| !p.is_empty()) {
        let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
        let (Some(nom), Some(valeur)) = (decoder(nom), decoder(valeur)) else {
            issues.push(Issue::new(
                "invalid",
                format!("Le paramètre « {} » est mal encodé.", nom.chars().take(60).collect::<String>()),
            ));
            continue;
        };
        valeurs += 1 + valeur.matches(',').count();
        if let Err(i) = lire_un(&mut r, &nom, &valeur, connu) {
            issues.push(i);
        }
    }
    if valeurs > VALEURS_MAX {
        issues.push(
            Issue::new("too-costly", format!("La requête porte {valeurs} valeurs."))
                .avec_details(format!("{VALEURS_MAX} valeurs au plus")),
        );
    }
    if r.inclusions.len() > INCLUSIONS_MAX {
        issues.push(Issue::new(
            "too-costly",
            format!("La requête demande {} inclusions ; {INCLUSIONS_MAX} au plus.", r.inclusions.len()),
        ));
    }
    if issues.is_empty() { Ok(r) } else { Err(issues) }
}

/// Percent-decoding of a form: `+` is a space.
pub fn decoder(s: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(s.len());
    let mut suite = s.bytes();
    while let Some(b) = suite.next() {
        match b {
            b'+' => octets.push(b' '),
            b'%' => {
                let (h, l) = (suite.next()?, suite.next()?);
                let hex = |c: u8| char::from(c).to_digit(16);
                octets.push(u8::try_from(hex(h)? * 16 + hex(l)?).ok()?);
            }
            autre => octets.push(autre),
        }
    }
    String::from_utf8(octets).ok().filter(|s| !s.contains('\0'))
}

fn lire_un(r: &mut Requete, nom: &str, valeur: &str, connu: &dyn Fn(&str) -> bool) -> Result<(), Issue> {
    let (base, modificateur) = nom.split_once(':').map_or((nom, None), |(b, m)| (b, Some(m)));
    match base {
        "_count" => {
            r.nombre = valeur.parse().ok().filter(|n| (1..=NOMBRE_MAX).contains(n)).ok_or_else(|| {
                refus(
                    nom,
                    "value",
                    format!("« {valeur} » n'est pas une taille de page."),
                    &format!("un entier de 1 à {NOMBRE_MAX}"),
                )
            })?;
        }
        "_format" => {
            if !matches!(
                valeur,
                "json" | "application/json" | "application/fhir+json" | "application/fhir json"
            ) {
                return Err(refus(
                    nom,
                    "not-supported",
                    format!("Le format « {valeur} » n'est pas servi."),
                    "application/fhir+json",
                ));
            }
        }
        "_include" | "_revinclude" => {
            let repete = match modificateur {
                None => false,
                Some("iterate" | "recurse") => true,
                Some(m) => {
                    return Err(refus(
                        nom,
                        "not-supported",
                        format!("Le modificateur « :{m} » n'existe pas ici."),
                        ":iterate",
                    ));
                }
            };
            r.inclusions.push(lire_inclusion(nom, valeur, base == "_revinclude", repete)?);
        }
        // The page link carries the last id under this name.
        "_apres" => r.apres = Some(valeur.to_owned()),
        _ => {
            let critere = lire_critere(r.type_fhir, nom, nom, valeur, connu)?;
            r.criteres.push(critere);
        }
    }
    Ok(())
}

fn lire_inclusion(nom: &str, valeur: &str, inverse: bool, repete: bool) -> Result<Inclusion, Issue> {
    let connues = || {
        parametres::INCLUSIONS
            .iter()
            .map(|(t, n, _)| format!("{}:{n}", t.nom()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut parties = valeur.split(':');
    let lue = parties
        .next()
        .and_then(TypeFhir::de_nom)
        .zip(parties.next())
        .and_then(|(t, n)| parametres::inclusion(t, n).map(|rel| (t, rel)));
    // A third part restricts the target type: it must be the only one possible.
    let cible = parties.next();
    match lue {
        Some((source, relation)) if cible.is_none_or(|c| c == relation.cible().nom()) => {
            Ok(Inclusion { source, relation, inverse, repete })
        }
        _ => Err(refus(nom, "value", format!("L'inclusion « {valeur} » n'existe pas."), &connues())),
    }
}

fn lire_critere(
    t: TypeFhir,
    complet: &str,
    nom: &str,
    valeur: &str,
    connu: &dyn Fn(&str) -> bool,
) -> Result<Critere, Issue> {
    if let Some((lien, reste)) = nom.split_once('.') {
        let relation = parametres::trouver(t, lien).and_then(|p| match p.lecture {
            Lecture::Reference(r) => Some(r),
            _ => None,
        });
        let Some(relation) = relation else { return Err(inconnu(t, complet)) };
        let (reste, au_dessus) = match reste.strip_suffix(":above") {
            Some(r) if relation.cible() == TypeFhir::Organization => (r, true),
            _ => (reste, false),
        };
        let critere = Box::new(lire_critere(relation.cible(), complet, reste, valeur, connu)?);
        return Ok(Critere::Chaine { relation, critere, au_dessus });
    }
    let (base, modificateur) = nom.split_once(':').map_or((nom, None), |(b, m)| (b, Some(m)));
    let parametre = parametres::trouver(t, base).ok_or_else(|| inconnu(t, complet))?;
    lire_valeurs(parametre, complet, modificateur, valeur, connu)
}

fn lire_valeurs(
    p: &Parametre,
    complet: &str,
    modificateur: Option<&str>,
    valeur: &str,
    connu: &dyn Fn(&str) -> bool,
) -> Result<Critere, Issue> {
    let valeurs = couper(valeur);
    if valeurs.iter().all(String::is_empty) {
        return Err(refus(complet, "value", format!("Le paramètre « {complet} » n'a pas de valeur."), p.doc));
    }
    let sans_modificateur = || match modificateur {
        None => Ok(()),
        Some(m) => Err(modificateur_refuse(p, complet, m)),
    };
    match p.lecture {
        Lecture::Id => {
            sans_modificateur()?;
            match valeurs.iter().find(|v| !id_conforme(v)) {
                Some(v) => Err(refus(
                    complet,
                    "value",
                    format!("« {v} » n'est pas un identifiant technique."),
                    "1 à 64 lettres, chiffres, tirets ou points",
                )),
                None => Ok(Critere::Id(valeurs)),
            }
        }
        Lecture::Jeton(params) => {
            let non = match modificateur {
                None => false,
                Some("not") => true,
                Some(m) => return Err(modificateur_refuse(p, complet, m)),
            };
            Ok(Critere::Jeton { params, valeurs: jetons(complet, &valeurs, params, connu)?, non })
        }
        Lecture::Nom => {
            let mode = match modificateur {
                None => ModeNom::Debut,
                Some("contains") => ModeNom::Contient,
                Some("exact") => ModeNom::Exact,
                Some(m) => return Err(modificateur_refuse(p, complet, m)),
            };
            let valeurs = valeurs
                .into_iter()
                .map(|v| if mode == ModeNom::Exact { v } else { crate::modele::plier(&v) })
                .collect();
            Ok(Critere::Nom { mode, valeurs })
        }
        Lecture::CodePostal => {
            sans_modificateur()?;
            Ok(Critere::CodePostal(valeurs))
        }
        Lecture::Maj => {
            sans_modificateur()?;
            valeurs.iter().map(|v| dates::intervalle(complet, v)).collect::<Result<_, _>>().map(Critere::Maj)
        }
        Lecture::Reference(relation) => {
            sans_modificateur()?;
            let prefixe = format!("{}/", relation.cible().nom());
            valeurs
                .iter()
                .map(|v| {
                    let id = v.rsplit_once(&prefixe).map_or(v.as_str(), |(_, id)| id);
                    if id.contains('/') || id.is_empty() {
                        Err(refus(
                            complet,
                            "value",
                            format!("« {v} » n'est pas une référence."),
                            &format!("{prefixe}<id>"),
                        ))
                    } else {
                        Ok(id.to_owned())
                    }
                })
                .collect::<Result<_, _>>()
                .map(|ids| Critere::Reference(relation, ids))
        }
    }
}

/// Splits on commas; `\,`, `\|`, `\$` and `\\` stand for themselves.
pub(crate) fn couper(valeur: &str) -> Vec<String> {
    let mut v = vec![String::new()];
    let mut suite = valeur.chars();
    while let Some(c) = suite.next() {
        let fin = v.len() - 1;
        match c {
            ',' => v.push(String::new()),
            '\\' => match suite.next() {
                Some('|') => v[fin].push_str("\\|"),
                Some(s) => v[fin].push(s),
                None => v[fin].push('\\'),
            },
            autre => v[fin].push(autre),
        }
    }
    v.retain(|x| !x.is_empty());
    if v.is_empty() { vec![String::new()] } else { v }
}

/// `code`, `system|code`, `|code`, `system|`; a list with a system on its first value
/// only is a published habit: the system holds for the values after it.
fn jetons(
    complet: &str,
    valeurs: &[String],
    params: &[Param],
    connu: &dyn Fn(&str) -> bool,
) -> Result<Vec<Jeton>, Issue> {
    let identifiant = params.contains(&Param::Identifier);
    let mut herite: Option<String> = None;
    valeurs
        .iter()
        .map(|v| {
            let (systeme, code) = match decouper_jeton(v) {
                Some((s, c)) => (Some(s), c),
                None => (None, v.clone()),
            };
            let code = code.replace("\\|", "|");
            if code.is_empty() && systeme.as_ref().is_none_or(String::is_empty) {
                return Err(refus(
                    complet,
                    "value",
                    format!("« {v} » n'est pas un code."),
                    "code, système|code ou système|",
                ));
            }
            let systeme = match systeme {
                None => herite.clone(),
                // "|code": a code without system; identifiers of the ROR have none to speak of.
                Some(s) if s.is_empty() => None,
                Some(s) if identifiant && crate::modele::systeme_d_identifiant_quelconque(&s) => None,
                Some(brut) => {
                    let s = crate::modele::normaliser_systeme(&brut);
                    if identifiant {
                        controler_identifiant(complet, &s, &code)?;
                    } else if !connu(&brut) && !connu(&s) {
                        return Err(refus(
                            complet,
                            "code-invalid",
                            format!("Le système de codes « {brut} » est inconnu."),
                            "le canonique d'une TRE, ou le code seul",
                        ));
                    }
                    herite = Some(s.clone());
                    Some(s)
                }
            };
            Ok(Jeton { systeme, code: (!code.is_empty()).then_some(code) })
        })
        .collect()
}

pub(crate) fn id_conforme(v: &str) -> bool {
    (1..=64).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// A number typed by hand with a wrong key would silently find nothing.
fn controler_identifiant(complet: &str, systeme: &str, code: &str) -> Result<(), Issue> {
    use crate::fhir::canoniques as c;
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
    if !systemes.contains(&systeme) {
        return Err(refus(
            complet,
            "code-invalid",
            format!("Le système d'identifiants « {systeme} » est inconnu."),
            &systemes.join(", "),
        ));
    }
    if code.is_empty() {
        return Ok(());
    }
    let faute = match systeme {
        c::SYS_FINESS => Finess::lire(code).err(),
        c::SYS_ID_NAT_STRUCT => IdNatStruct::lire(code).err(),
        c::SYS_ID_NAT_PS => IdNatPs::lire(code).err(),
        SYS_RPPS => Rpps::lire(code).err(),
        _ => None,
    };
    faute.map_or(Ok(()), |f| Err(refus(complet, "value", f.message, f.attendu)))
}

fn decouper_jeton(v: &str) -> Option<(String, String)> {
    let octets = v.as_bytes();
    let i = (0..octets.len()).find(|i| octets[*i] == b'|' && (*i == 0 || octets[*i - 1] != b'\\'))?;
    Some((v[..i].to_owned(), v[i + 1..].to_owned()))
}

pub(crate) fn refus(nom: &str, code: &'static str, message: String, attendu: &str) -> Issue {
    Issue::new(code, format!("Paramètre « {nom} » : {message} Attendu : {}.", attendu.trim_end_matches('.')))
        .sur(nom)
}

fn inconnu(t: TypeFhir, nom: &str) -> Issue {
    let connus = parametres::de_type(t).map(|p| p.nom).collect::<Vec<_>>().join(", ");
    let proches = if nom.contains('.') { "" } else { ", _count, _include, _revinclude, _format" };
    Issue::new(
        "not-supported",
        format!("Paramètre « {nom} » inconnu pour {}. Attendu : {connus}{proches}.", t.nom()),
    )
    .sur(nom)
}

fn modificateur_refuse(p: &Parametre, nom: &str, m: &str) -> Issue {
    let admis = match p.lecture {
        Lecture::Jeton(_) => ":not",
        Lecture::Nom => ":contains, :exact",
        _ => "aucun modificateur",
    };
    refus(nom, "not-supported", format!("Le modificateur « :{m} » n'existe pas ici."), admis)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn un(q: &str) -> Critere {
        lire(TypeFhir::HealthcareService, q, &|s| s.starts_with("https://x/")).unwrap().criteres.remove(0)
    }

    #[test]
    fn tokens_take_every_published_form() {
        let Critere::Jeton { valeurs, non, .. } =
            un("specialty:not=https%3A%2F%2Fx%2Fs%7C005,481,%7C7,https://x/s%7C")
        else {
            panic!()
        };
        assert!(non);
        let s = Some("https://x/s".to_owned());
        let j = |systeme: &Option<String>, code: Option<&str>| Jeton {
            systeme: systeme.clone(),
            code: code.map(Into::into),
        };
        assert_eq!(valeurs, vec![j(&s, Some("005")), j(&s, Some("481")), j(&None, Some("7")), j(&s, None)]);
    }

    #[test]
    fn chains_and_above_are_read_and_everything_wrong_is_told_at_once() {
        assert!(matches!(un("organization.identifier:above=X"), Critere::Chaine { au_dessus: true, .. }));
        assert!(matches!(un("location.address-postalcode=71"), Critere::Chaine { au_dessus: false, .. }));
        let fautes = lire(
            TypeFhir::HealthcareService,
            "nimporte=1&_count=0&_lastUpdated=xx2024&name:flou=a&_include=A:b&specialty=",
            &|_| true,
        )
        .unwrap_err();
        assert_eq!(fautes.len(), 6, "{fautes:?}");
        assert!(fautes[0].diagnostics.contains("nimporte") && fautes[0].diagnostics.contains("specialty"));
    }

    #[test]
    fn no_query_string_panics() {
        let mut graine = 7u64;
        let morceaux = [
            "specialty",
            "=",
            "&",
            "%",
            "%zz",
            ":",
            ".",
            "|",
            "\\",
            ",",
            "é",
            "_lastUpdated=ge",
            "2024-",
            "T",
            "+",
            "_include=",
            "\u{0}",
            "organization.",
        ];
        for _ in 0..20_000 {
            let mut q = String::new();
            for _ in 0..8 {
                graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                q.push_str(morceaux[(graine >> 33) as usize % morceaux.len()]);
            }
            let _ = lire(TypeFhir::HealthcareService, &q, &|_| true);
        }
    }
}
