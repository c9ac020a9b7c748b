//! Searches: a query string becomes a checked request, the request a page of versions.

use std::sync::Arc;

use ror_domaine::ressource::cle_nomenclature;

use super::{
    Cle, Edition, Genre, Paire, Terminologie,
    demande::{abreger, de_chaine, format_servi},
    parametres::{Bout, Lecture, Parametre, de_genre},
};
use crate::{
    fhir::{
        outcome::Issue,
        terminologie::{Valeur, nom_fhir},
    },
    modele::plier,
    recherche::requete::{ModeNom, NOMBRE, NOMBRE_MAX, couper, id_conforme, refus},
};

/// System of identifiers that are URIs.
const SYS_URI: &str = "urn:ietf:rfc:3986";
const STATUTS: [&str; 4] = ["draft", "active", "retired", "unknown"];
/// Most codes and pairs in one page that shows them; one version is always shown.
const CONTENU_MAX: u32 = 50_000;

/// What is shown of the versions found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// Everything.
    #[default]
    Non,
    /// Without the content.
    Oui,
    /// Their number only.
    Compte,
}

/// A checked request.
#[derive(Debug)]
pub struct Requete {
    /// What is shown.
    pub resume: Resume,
    criteres: Vec<Critere>,
    nombre: usize,
    apres: Option<Cle>,
}

/// One of these values.
#[derive(Debug)]
struct Critere {
    lecture: Lecture,
    mode: ModeNom,
    valeurs: Vec<String>,
}

/// A page of versions.
pub struct Page {
    /// Matches in all.
    pub total: usize,
    /// Those of this page.
    pub editions: Vec<Arc<Edition>>,
    /// Where the next page starts, percent-encoded.
    pub suite: Option<String>,
}

/// Reads a query string for a type; `lecture`: for the read of one resource, which has no criteria.
///
/// # Errors
///
/// Every fault; never empty.
pub fn lire(genre: Genre, chaine: &str, lecture: bool) -> Result<Requete, Vec<Issue>> {
    let entrees = de_chaine(chaine)?;
    let mut r = Requete { resume: Resume::Non, criteres: Vec::new(), nombre: NOMBRE, apres: None };
    let mut issues = Vec::new();
    for e in &entrees {
        let Valeur::Simple(v) = &e.valeur else { continue };
        if let Err(i) = lire_un(&mut r, genre, &e.nom, v, lecture) {
            issues.push(i);
        }
    }
    if issues.is_empty() { Ok(r) } else { Err(issues) }
}

fn lire_un(r: &mut Requete, genre: Genre, nom: &str, v: &str, lecture: bool) -> Result<(), Issue> {
    match nom {
        "_summary" => {
            r.resume = match v {
                "true" => Resume::Oui,
                "false" | "data" => Resume::Non,
                "count" if !lecture => Resume::Compte,
                _ => {
                    let message = format!("« {} » n'existe pas ici.", abreger(v));
                    return Err(refus(nom, "value", message, "true, false, data ou, d'une recherche, count"));
                }
            };
        }
        "_format" => format_servi(v)?,
        "_count" if !lecture => {
            let lu = v.parse::<usize>().ok().filter(|n| (1..=NOMBRE_MAX).contains(n));
            r.nombre = lu.ok_or_else(|| {
                let message = format!("« {} » n'est pas une taille de page.", abreger(v));
                refus(nom, "value", message, &format!("un entier de 1 à {NOMBRE_MAX}"))
            })?;
        }
        // The page link carries the last canonical and version under this name.
        "_apres" if !lecture => r.apres = Some(cle_nomenclature(v)),
        _ => {
            let (base, modificateur) = nom.split_once(':').map_or((nom, None), |(b, m)| (b, Some(m)));
            let parametre = de_genre(genre).find(|p| p.nom == base && !lecture);
            let parametre = parametre.ok_or_else(|| inconnu(genre, nom, lecture))?;
            r.criteres.push(lire_critere(parametre, nom, modificateur, v)?);
        }
    }
    Ok(())
}

fn inconnu(genre: Genre, nom: &str, lecture: bool) -> Issue {
    let nom = abreger(nom);
    let connus: String = if lecture {
        String::new()
    } else {
        de_genre(genre).map(|p| format!("{}, ", p.nom)).chain(["_count, ".to_owned()]).collect()
    };
    Issue::new(
        "not-supported",
        format!("Paramètre « {nom} » inconnu pour {}. Attendu : {connus}_summary, _format.", genre.nom()),
    )
    .sur(nom)
}

fn lire_critere(p: &Parametre, nom: &str, modificateur: Option<&str>, v: &str) -> Result<Critere, Issue> {
    let textuel = matches!(p.lecture, Lecture::Nom | Lecture::Titre);
    let mode = match modificateur {
        None => ModeNom::Debut,
        Some("contains") if textuel => ModeNom::Contient,
        Some("exact") if textuel => ModeNom::Exact,
        Some(m) => {
            let message = format!("Le modificateur « :{} » n'existe pas ici.", abreger(m));
            let admis = if textuel { ":contains, :exact" } else { "aucun modificateur" };
            return Err(refus(nom, "not-supported", message, admis));
        }
    };
    let valeurs: Vec<String> = couper(v)
        .into_iter()
        .map(|v| if v.is_empty() { Err(sans_valeur(p, nom)) } else { preparer(p, nom, v) })
        .collect::<Result<_, _>>()?;
    Ok(Critere { lecture: p.lecture, mode, valeurs })
}

fn sans_valeur(p: &Parametre, nom: &str) -> Issue {
    refus(nom, "value", "Il n'a pas de valeur.".to_owned(), p.doc)
}

/// A value in the form it is compared in.
fn preparer(p: &Parametre, nom: &str, v: String) -> Result<String, Issue> {
    let refuser = |code, quoi: &str, attendu: &str| {
        Err(refus(nom, code, format!("« {} » {quoi}", abreger(&v)), attendu))
    };
    match p.lecture {
        Lecture::Id if !id_conforme(&v) => refuser(
            "value",
            "n'est pas un identifiant technique.",
            "1 à 64 lettres, chiffres, tirets ou points",
        ),
        Lecture::Statut => {
            let code = v.rsplit('|').next().unwrap_or_default();
            if STATUTS.contains(&code) {
                return Ok(code.to_owned());
            }
            refuser("code-invalid", "n'est pas un statut.", &STATUTS.join(", "))
        }
        Lecture::Identifiant => {
            let (systeme, oid) = v.split_once('|').unwrap_or(("", v.as_str()));
            if !matches!(systeme, "" | SYS_URI) {
                return refuser(
                    "code-invalid",
                    "est d'un système inconnu.",
                    "urn:ietf:rfc:3986|urn:oid:<OID>",
                );
            }
            Ok(oid.strip_prefix("urn:oid:").unwrap_or(oid).to_owned())
        }
        // A canonical reference may name a version: the association itself does not.
        Lecture::Bout(_) => Ok(v.split('|').next().unwrap_or_default().to_owned()),
        _ => Ok(v),
    }
}

/// The page a request asks for, by canonical and version.
pub fn chercher(t: &Terminologie, genre: Genre, r: &Requete) -> Page {
    let retient = |e: &&Arc<Edition>| r.criteres.iter().all(|c| c.retient(t, e));
    let total = t.toutes(genre, None).filter(retient).count();
    let mut page = Page { total, editions: Vec::new(), suite: None };
    if r.resume == Resume::Compte {
        return page;
    }
    let mut contenu = 0u32;
    for e in t.toutes(genre, r.apres.clone()).filter(retient) {
        contenu = contenu.saturating_add(if r.resume == Resume::Non { e.entete.nombre } else { 0 });
        let pleine = page.editions.len() >= r.nombre || contenu > CONTENU_MAX;
        if let Some(dernier) = page.editions.last().filter(|_| pleine) {
            page.suite = Some(encoder(&dernier.id_metier()));
            break;
        }
        page.editions.push(e.clone());
    }
    page
}

impl Critere {
    fn retient(&self, t: &Terminologie, e: &Edition) -> bool {
        let n = &e.entete;
        match self.lecture {
            Lecture::Id => {
                self.valeurs.iter().any(|v| t.par_id(e.genre, v).is_some_and(|x| x.cle() == e.cle()))
            }
            Lecture::Identifiant => !n.oid.is_empty() && self.valeurs.contains(&n.oid),
            Lecture::Nom => self.se_nomme(&nom_fhir(&n.nom), nom_fhir),
            Lecture::Titre => self.se_nomme(e.titre(), str::to_owned),
            Lecture::Statut => self.valeurs.iter().any(|v| v == "active"),
            Lecture::Url => self.valeurs.contains(&n.canonique),
            Lecture::Version => self.valeurs.contains(&n.version),
            Lecture::Code => self.valeurs.iter().any(|v| tient(e, v)),
            Lecture::Systeme => self.valeurs.iter().any(|v| e.groupe_de(v).is_some()),
            Lecture::Bout(Bout::Source) => self.valeurs.contains(&n.source),
            Lecture::Bout(Bout::Cible) => self.valeurs.contains(&n.cible),
            Lecture::SystemeDe(b) => {
                e.paires().toutes().any(|p| self.valeurs.iter().any(|v| v == cote(&p, b).0))
            }
            Lecture::CodeDe(b) => e.paires().toutes().any(|p| {
                let (systeme, code) = cote(&p, b);
                self.valeurs
                    .iter()
                    .map(|v| jeton(v))
                    .any(|(s, c)| c == code && s.is_none_or(|s| s == systeme))
            }),
        }
    }

    /// Whether a text is one of the values, each brought to the same form.
    fn se_nomme(&self, texte: &str, forme: fn(&str) -> String) -> bool {
        let plie = plier(texte);
        self.valeurs.iter().any(|v| match self.mode {
            ModeNom::Exact => texte == v.as_str(),
            ModeNom::Debut => plie.starts_with(&plier(&forme(v))),
            ModeNom::Contient => plie.contains(&plier(&forme(v))),
        })
    }
}

/// Whether a version holds `code`, or `system|code`.
fn tient(e: &Edition, v: &str) -> bool {
    let (systeme, code) = jeton(v);
    match systeme {
        Some(s) => super::operations::tient(e, s, code),
        None => (0..e.systemes().count()).any(|g| e.chercher(g, code).is_some()),
    }
}

/// The system, unless none is named, and the code of a token.
fn jeton(v: &str) -> (Option<&str>, &str) {
    match v.split_once('|') {
        Some(("", code)) => (None, code),
        Some((systeme, code)) => (Some(systeme), code),
        None => (None, v),
    }
}

/// System and code at an end of a pair.
fn cote<'p>(p: &Paire<'p>, bout: Bout) -> (&'p str, &'p str) {
    match bout {
        Bout::Source => (p.systeme_source, p.code_source),
        Bout::Cible => (p.systeme_cible, p.code_cible),
    }
}

/// Percent-encoding of a value of a query string.
fn encoder(valeur: &str) -> String {
    let mut sortie = String::with_capacity(valeur.len());
    for octet in valeur.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~:/".contains(&octet) {
            sortie.push(char::from(octet));
        } else {
            sortie.push_str(&format!("%{octet:02X}"));
        }
    }
    sortie
}
