//! From a query string to a checked request: names (`nom`), values (`valeurs`), what the answer is
//! made of (`reponse`), `_filter` (`filtre`), then which criteria hold on one and the same target or
//! record (`correlation`). Every fault at once, each naming its parameter, its rule and what would
//! be accepted.

mod correlation;
mod dates;
mod filtre;
mod jetons;
mod nom;
mod nombres;
mod reponse;
#[cfg(test)]
mod tests;
mod valeurs;

pub(crate) use self::nombres::PREFIXES;
use self::{
    correlation::{Expression, Feuille, premier_cercle, relier},
    valeurs::Comparaison,
};
use super::{
    arbre::{Critere, ModeTexte, Noeud, Requete, Resume, Total},
    notation::Demandee,
};
use crate::{fhir::outcome::Issue, modele::TypeFhir};

/// Matches per page by default (rule RG_RECH_52).
pub const NOMBRE: usize = 200;
/// Largest `_count`.
pub const NOMBRE_MAX: usize = 1000;
/// Longest query string.
pub const LONGUEUR_MAX: usize = 16 * 1024;
/// Most values in one request, all criteria together.
const VALEURS_MAX: usize = 500;
/// Most different full texts in one request: what answers each is kept until it ends.
pub const TEXTES_MAX: usize = 16;
/// Most codes that the value sets of `:in` bring into one request.
const CODES_MAX: usize = 100_000;
/// Most include clauses.
const INCLUSIONS_MAX: usize = 32;
/// Most links in one criterion.
const LIENS_MAX: usize = 6;
/// Deepest parentheses of `_filter`.
const PARENTHESES_MAX: usize = 64;
/// Most sort keys.
const TRIS_MAX: usize = 8;
/// Most faults that are told.
const FAUTES_MAX: usize = 50;

/// Codes of a value set, each after its system.
pub type Codes = Vec<(String, String)>;

/// What reading needs from outside.
pub struct Regard<'a> {
    /// Whether a code system is known.
    pub connu: &'a dyn Fn(&str) -> bool,
    /// Codes of the value set of a canonical, for `:in`; `None` when it is unknown.
    pub jeu: &'a dyn Fn(&str) -> Option<Codes>,
    /// Now, in milliseconds since 1970, for `ap` on dates.
    pub maintenant: i64,
    /// `Prefer: handling=lenient`: what is unknown is left aside instead of refused.
    pub indulgent: bool,
}

/// How the names of nomenclatures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeNom {
    /// Starts with, folded.
    Debut,
    /// Contains, folded.
    Contient,
    /// The same text.
    Exact,
}

/// Reads the query string of a search on a type.
///
/// # Errors
///
/// Every fault; never empty.
pub fn lire(t: TypeFhir, chaine: &str, r: &Regard<'_>) -> Result<Requete, Vec<Issue>> {
    if chaine.len() > LONGUEUR_MAX {
        return Err(vec![Issue::new("too-long", format!("La requête dépasse {LONGUEUR_MAX} caractères."))]);
    }
    let mut lecteur = Lecteur::nouveau(t, r);
    for paire in chaine.split('&').filter(|p| !p.is_empty()) {
        if lecteur.issues.len() >= FAUTES_MAX {
            lecteur.issues.push(trop_de_fautes());
            break;
        }
        let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
        match (decoder(nom), decoder(valeur)) {
            (Some(nom), Some(valeur)) => lecteur.un(&nom, &valeur),
            _ => lecteur.issues.push(mal_encode(nom)),
        }
    }
    lecteur.finir()
}

fn trop_de_fautes() -> Issue {
    Issue::new(
        "too-costly",
        format!(
            "La lecture s'arrête après {FAUTES_MAX} fautes. Attendu : une requête corrigée de celles-ci."
        ),
    )
}

/// Tells as many faults as one answer holds.
pub fn abreger(fautes: &mut Vec<Issue>) {
    if fautes.len() > FAUTES_MAX {
        fautes.truncate(FAUTES_MAX);
        fautes.push(trop_de_fautes());
    }
}

fn mal_encode(nom: &str) -> Issue {
    let attendu = "des % suivis de deux chiffres hexadécimaux, en UTF-8";
    Issue::new("invalid", format!("Le paramètre « {} » est mal encodé. Attendu : {attendu}.", court(nom)))
}

/// A query string being read.
struct Lecteur<'r> {
    lecture: Lecture<'r>,
    requete: Requete,
    criteres: Vec<Expression>,
    filtres: Vec<Expression>,
    /// `_sort` as written: what it may name depends on the criteria.
    tri: Option<String>,
    /// Include clauses as written, before wildcards are spread.
    clauses: usize,
    /// Parameters of the answer given so far: each holds once.
    donnes: Vec<String>,
    issues: Vec<Issue>,
}

/// What is gathered while criteria are read, wherever they stand.
struct Lecture<'r> {
    regard: &'r Regard<'r>,
    valeurs: usize,
    codes: usize,
    /// Full texts asked, each once: type, whether of the narrative alone, text.
    textes: Vec<(TypeFhir, bool, String)>,
}

impl<'r> Lecteur<'r> {
    fn nouveau(t: TypeFhir, regard: &'r Regard<'r>) -> Self {
        Self {
            lecture: Lecture { regard, valeurs: 0, codes: 0, textes: Vec::new() },
            requete: Requete {
                type_fhir: t,
                condition: Noeud::Et(Vec::new()),
                cercle: None,
                texte_integral: false,
                notation: None,
                inclusions: Vec::new(),
                tri: Vec::new(),
                nombre: NOMBRE,
                resume: Resume::default(),
                elements: Vec::new(),
                total: Total::default(),
                page: None,
                ignores: Vec::new(),
            },
            criteres: Vec::new(),
            filtres: Vec::new(),
            tri: None,
            clauses: 0,
            donnes: Vec::new(),
            issues: Vec::new(),
        }
    }

    fn un(&mut self, nom: &str, valeur: &str) {
        let (base, modificateur) = nom.split_once(':').map_or((nom, None), |(b, m)| (b, Some(m)));
        let lu = match base {
            "_include" | "_revinclude" => self.inclure(base, modificateur, valeur),
            "_filter" => self.filtrer(modificateur, valeur),
            _ if reponse::PARAMETRES.contains(&base) => self.regler(base, modificateur, valeur),
            _ => self.criterer(nom, valeur),
        };
        if let Err(rejet) = lu {
            self.rejeter(nom, rejet);
        }
    }

    fn rejeter(&mut self, nom: &str, rejet: Rejet) {
        let laisse = rejet.ignorable && self.lecture.regard.indulgent;
        let dites = if laisse { &mut self.requete.ignores } else { &mut self.issues };
        if dites.len() < FAUTES_MAX {
            dites.push(rejet.sur(nom));
        }
    }

    fn inclure(&mut self, base: &str, modificateur: Option<&str>, valeur: &str) -> Result<(), Rejet> {
        self.clauses += 1;
        let lues = reponse::inclusions(self.requete.type_fhir, base == "_revinclude", modificateur, valeur)?;
        for i in lues {
            if !self.requete.inclusions.contains(&i) {
                self.requete.inclusions.push(i);
            }
        }
        Ok(())
    }

    fn filtrer(&mut self, modificateur: Option<&str>, valeur: &str) -> Result<(), Rejet> {
        if let Some(m) = modificateur {
            return Err(sans_modificateur(m, "_filter=…"));
        }
        match filtre::lire(self.requete.type_fhir, valeur, &mut self.lecture) {
            Ok(e) => self.filtres.push(e),
            Err(mut issues) => self.issues.append(&mut issues),
        }
        Ok(())
    }

    fn regler(&mut self, base: &str, modificateur: Option<&str>, valeur: &str) -> Result<(), Rejet> {
        if let Some(m) = modificateur {
            let attendu = if base == "_sort" { "_sort=-paramètre pour décroître" } else { base };
            return Err(sans_modificateur(m, attendu));
        }
        if self.donnes.iter().any(|d| d == base) {
            return Err(Rejet::new("value", "Il est donné plusieurs fois.", "une seule fois"));
        }
        self.donnes.push(base.to_owned());
        let r = &mut self.requete;
        match base {
            "_count" => reponse::nombre(r, valeur)?,
            "_elements" => r.elements = reponse::elements(r.type_fhir, valeur)?,
            "_format" => reponse::format(valeur)?,
            "_page" => r.page = Some(reponse::page(valeur)?),
            "_summary" => r.resume = reponse::resume(valeur)?,
            "_total" => r.total = reponse::total(valeur)?,
            _ => self.tri = Some(valeur.to_owned()),
        }
        Ok(())
    }

    fn criterer(&mut self, nom: &str, valeur: &str) -> Result<(), Rejet> {
        let depart = nom::Depart { requete: true, ..Default::default() };
        let n = nom::lire(self.requete.type_fhir, nom, depart)?;
        let comparaison = match n.modificateur {
            None | Some("not") => Comparaison::Ordinaire,
            Some("missing") => Comparaison::Absence,
            Some("in") => Comparaison::Dans,
            Some("text") => Comparaison::Libelle,
            Some("contains") => Comparaison::Texte(ModeTexte::Contient),
            Some("exact") => Comparaison::Texte(ModeTexte::Exact),
            Some("above") => Comparaison::AuDessus,
            Some(m) => return Err(nom::modificateur_refuse(n.parametre, m)),
        };
        let non = n.modificateur == Some("not");
        let test = valeurs::test(&mut self.lecture, n.parametre, comparaison, &valeurs::morceaux(valeur))?;
        let critere = Critere { parametre: n.parametre, test };
        let absence = comparaison == Comparaison::Absence;
        let feuille = Feuille { chemin: n.chemin, au_dessus: n.au_dessus, critere, non, absence };
        self.criteres.push(Expression::Feuille(feuille));
        Ok(())
    }

    fn finir(mut self) -> Result<Requete, Vec<Issue>> {
        let bornes = [
            (self.lecture.valeurs, VALEURS_MAX, "valeurs"),
            (self.clauses, INCLUSIONS_MAX, "inclusions"),
            (self.lecture.textes.len(), TEXTES_MAX, "textes intégraux différents"),
        ];
        for (n, max, quoi) in bornes {
            if n > max {
                let texte = format!("La requête porte {n} {quoi}. Attendu : {max} au plus.");
                self.issues.push(Issue::new("too-costly", texte));
            }
        }
        let sain = self.issues.is_empty();
        let requete = &mut self.requete;
        requete.texte_integral = !self.lecture.textes.is_empty();
        // Distances are counted from the ordinary parameters before the filter, whatever their order.
        requete.cercle = self.criteres.iter().chain(&self.filtres).find_map(premier_cercle);
        // What is refused is not worth putting together.
        if sain {
            let mut noeuds = vec![relier(Expression::Et(std::mem::take(&mut self.criteres)))];
            noeuds.extend(std::mem::take(&mut self.filtres).into_iter().map(relier));
            requete.condition = correlation::tous(noeuds);
            requete.notation = Demandee::de(&requete.condition);
        }
        if let Some(tri) = self.tri.take() {
            let (cles, rejets) = reponse::tri(&self.requete, &tri, sain);
            self.requete.tri = cles;
            for rejet in rejets {
                self.rejeter("_sort", rejet);
            }
        }
        if self.issues.is_empty() { Ok(self.requete) } else { Err(self.issues) }
    }
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

/// Splits on commas; `\,`, `\|`, `\$` and `\\` stand for themselves. One empty value when there is none.
pub(crate) fn couper(valeur: &str) -> Vec<String> {
    let v: Vec<String> = valeurs::morceaux(valeur).iter().map(|m| valeurs::desechapper(m)).collect();
    if v.is_empty() { vec![String::new()] } else { v }
}

pub(crate) fn id_conforme(v: &str) -> bool {
    (1..=64).contains(&v.len()) && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

pub(crate) fn refus(nom: &str, code: &'static str, message: String, attendu: &str) -> Issue {
    Issue::new(code, format!("Paramètre « {nom} » : {message} Attendu : {}.", attendu.trim_end_matches('.')))
        .sur(nom)
}

/// Why a part of a request is refused, before it is said where it stands.
#[derive(Debug)]
struct Rejet {
    code: &'static str,
    message: String,
    attendu: String,
    /// Something unknown, or a page too large: left aside, and told, for who asks for lenience.
    ignorable: bool,
}

impl Rejet {
    fn new(code: &'static str, message: impl Into<String>, attendu: impl Into<String>) -> Self {
        Self { code, message: message.into(), attendu: attendu.into(), ignorable: false }
    }

    /// The refusal of something that does not exist here.
    fn inconnu(message: impl Into<String>, attendu: impl Into<String>) -> Self {
        Self { ignorable: true, ..Self::new("not-supported", message, attendu) }
    }

    fn sur(self, nom: &str) -> Issue {
        refus(&court(nom), self.code, self.message, &self.attendu)
    }
}

fn sans_modificateur(m: &str, attendu: &str) -> Rejet {
    Rejet::inconnu(format!("Le modificateur « :{} » n'existe pas ici.", court(m)), attendu)
}

/// What was written, short enough to be shown.
fn court(texte: &str) -> String {
    match texte.char_indices().nth(60) {
        Some((i, _)) => format!("{}…", &texte[..i]),
        None => texte.to_owned(),
    }
}
