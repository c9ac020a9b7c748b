//! What is asked, once read: a tree of conditions on resources of one type. See `docs/recherche.md`
//! for what each means.

use super::{
    notation::Demandee,
    parametres::{Groupe, Parametre, Relation},
};
use crate::modele::TypeFhir;

/// A condition on resources of one type.
#[derive(Clone, Debug, PartialEq)]
pub enum Noeud {
    /// All hold; none: everything.
    Et(Vec<Noeud>),
    /// One holds; none: nothing.
    Ou(Vec<Noeud>),
    /// It does not hold.
    Non(Box<Noeud>),
    /// A parameter of the type itself.
    Critere(Critere),
    /// Some visible target of a relation meets a condition.
    Chaine(Relation, Box<Noeud>),
    /// The same, at the target or at one of its ancestors (Organization only).
    AuDessus(Relation, Box<Noeud>),
    /// Some visible resource that refers here by a relation meets a condition (`_has`).
    Inverse(Relation, Box<Noeud>),
    /// One record of the group meets all these criteria, which are all of that group.
    Enregistrement(Groupe, Vec<Critere>),
}

impl Noeud {
    /// The same condition, asked in fewer looks: alternatives beyond one link are alternatives at its end, and
    /// those of one parameter are its values.
    #[must_use]
    pub fn reunir(self) -> Self {
        match self {
            Self::Et(v) => Self::Et(v.into_iter().map(Self::reunir).collect()),
            Self::Ou(v) => {
                let mut reunies: Vec<Self> = Vec::with_capacity(v.len());
                for n in v {
                    let mut seule = Some(n);
                    for r in &mut reunies {
                        seule = seule.and_then(|n| r.prendre(n));
                    }
                    reunies.extend(seule);
                }
                Self::Ou(reunies.into_iter().map(Self::reunir).collect())
            }
            Self::Non(n) => Self::Non(Box::new(n.reunir())),
            Self::Chaine(r, n) => Self::Chaine(r, Box::new(n.reunir())),
            Self::AuDessus(r, n) => Self::AuDessus(r, Box::new(n.reunir())),
            Self::Inverse(r, n) => Self::Inverse(r, Box::new(n.reunir())),
            seul @ (Self::Critere(_) | Self::Enregistrement(..)) => seul,
        }
    }

    /// Takes another alternative in, or gives it back.
    fn prendre(&mut self, autre: Self) -> Option<Self> {
        match (self, autre) {
            (Self::Chaine(r, n), Self::Chaine(s, autre))
            | (Self::AuDessus(r, n), Self::AuDessus(s, autre))
            | (Self::Inverse(r, n), Self::Inverse(s, autre))
                if *r == s =>
            {
                n.ou(*autre);
                None
            }
            (
                Self::Critere(Critere { parametre: p, test: Test::Jeton(v) }),
                Self::Critere(Critere { parametre: q, test: Test::Jeton(autres) }),
            ) if *p == q => {
                v.extend(autres);
                None
            }
            (_, autre) => Some(autre),
        }
    }

    fn ou(&mut self, autre: Self) {
        match self {
            Self::Ou(v) => v.push(autre),
            _ => {
                let premiere = std::mem::replace(self, Self::Ou(Vec::new()));
                *self = Self::Ou(vec![premiere, autre]);
            }
        }
    }
}

/// One parameter and what is asked of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Critere {
    /// The parameter.
    pub parametre: &'static Parametre,
    /// What is asked.
    pub test: Test,
}

/// What is asked of the values of a parameter; several values mean one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `:missing`: true when absence is asked.
    Absent(bool),
    /// One of these technical ids.
    Id(Vec<String>),
    /// One of these codes.
    Jeton(Vec<Jeton>),
    /// `:text`: a label that starts so, folded.
    Libelle(Vec<String>),
    /// One of these texts; folded already, unless exact.
    Texte(ModeTexte, Vec<String>),
    /// One of these dates.
    Date(Vec<(Prefixe, Intervalle)>),
    /// One of these numbers.
    Nombre(Vec<(Prefixe, Nombre)>),
    /// One of these quantities.
    Quantite(Vec<(Prefixe, Nombre, Option<String>)>),
    /// Refers to one of these ids.
    Reference(Vec<String>),
    /// Refers to one of these ids, or to something below one of them (Organization only).
    ReferenceAuDessus(Vec<String>),
    /// Within one of these circles.
    Proche(Vec<Cercle>),
    /// Full text, as typed.
    Contenu(String),
}

/// A token value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jeton {
    /// Code system, normalised; `None` for any.
    pub systeme: Option<String>,
    /// Code; `None` for any of the system.
    pub code: Option<String>,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeTexte {
    /// Starts with, folded.
    Debut,
    /// Contains, folded.
    Contient,
    /// Ends with, folded.
    Fin,
    /// The same text, byte for byte.
    Exact,
}

/// Prefixes of ordered values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the two letters of the specification")]
pub enum Prefixe {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
    /// `po` of `_filter`: overlaps.
    Po,
}

/// Milliseconds since 1970, from included, to excluded; a period's open ends are `i64::MIN` and
/// `i64::MAX`. For `ap` the widening is done already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intervalle {
    /// First instant.
    pub de: i64,
    /// First instant after.
    pub a: i64,
}

impl Intervalle {
    /// Whether a resource's interval satisfies a prefix with this searched interval.
    pub fn verifie(self, p: Prefixe, r: Self) -> bool {
        let eq = self.de <= r.de && r.a <= self.a;
        match p {
            Prefixe::Eq => eq,
            Prefixe::Ne => !eq,
            Prefixe::Gt => r.a > self.a,
            Prefixe::Ge => r.a > self.a || eq,
            Prefixe::Lt => r.de < self.de,
            Prefixe::Le => r.de < self.de || eq,
            Prefixe::Sa => r.de >= self.a,
            Prefixe::Eb => r.a <= self.de,
            Prefixe::Ap | Prefixe::Po => r.de < self.a && self.de < r.a,
        }
    }
}

/// A number and the width of its last digit, halved: `12.5` is 12.5 ± 0.05.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nombre {
    /// Value.
    pub valeur: f64,
    /// Half of the last digit's unit.
    pub demi: f64,
}

/// Units of the tenth decimal, as numbers are compared: a bound is never a matter of rounding. Past
/// fifteen digits a double says nothing more, and what is out of reach stays at the end.
pub fn exact(v: f64) -> i128 {
    const BOUT: i128 = 10_i128.pow(27);
    let (echelle, reste) = match v.abs() {
        a if a < 1e5 => (1e10, 1),
        a if a < 1e9 => (1e6, 10_000),
        a if a < 1e13 => (1e2, 100_000_000),
        _ => (1.0, 10_000_000_000),
    };
    ((v * echelle).round() as i128).saturating_mul(reste).clamp(-BOUT, BOUT)
}

impl Nombre {
    /// Whether a resource's value satisfies a prefix.
    pub fn verifie(self, p: Prefixe, v: f64) -> bool {
        self.verifie_entre(p, 1, v, 1)
    }

    /// The same between two units: how many of a common one each of them is, at most 10⁹.
    pub fn verifie_entre(self, p: Prefixe, facteur: i128, v: f64, facteur_v: i128) -> bool {
        if v.is_nan() {
            return false;
        }
        let (valeur, demi) = (exact(self.valeur) * facteur, exact(self.demi) * facteur);
        let v = exact(v) * facteur_v;
        // A precision finer than the tenth decimal is that of the value itself.
        let eq = valeur - demi <= v && v < valeur + demi.max(1);
        match p {
            Prefixe::Eq | Prefixe::Po => eq,
            Prefixe::Ne => !eq,
            Prefixe::Gt | Prefixe::Sa => v > valeur,
            Prefixe::Ge => v >= valeur,
            Prefixe::Lt | Prefixe::Eb => v < valeur,
            Prefixe::Le => v <= valeur,
            Prefixe::Ap => (v - valeur).abs() * 10 <= valeur.abs(),
        }
    }
}

/// A circle on the Earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cercle {
    /// Where from.
    pub centre: Centre,
    /// Metres.
    pub rayon_m: f64,
}

/// Where a distance is measured from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Centre {
    /// WGS84 degrees.
    Point {
        /// Latitude.
        lat: f64,
        /// Longitude.
        lon: f64,
    },
    /// Centre of a commune: five characters of its INSEE code.
    Commune([u8; 5]),
}

impl Centre {
    /// Whether a place without position stands at the centre of its commune, seen from here.
    pub fn par_commune(&self) -> bool {
        matches!(self, Self::Commune(_))
    }
}

/// One sort key, most important first.
#[derive(Clone, Debug, PartialEq)]
pub struct Tri {
    /// References followed before the parameter.
    pub chemin: Vec<Relation>,
    /// What orders.
    pub cle: CleTri,
    /// Largest first.
    pub descendant: bool,
}

/// What orders.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CleTri {
    /// Values of a parameter of the type at the end of the path.
    Parametre(&'static Parametre),
    /// Distance from the first circle of the request.
    Distance,
    /// Full-text score, best first when ascending is asked of `_score` as `-_score`.
    Score,
}

/// One include clause; wildcards are spread out already.
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

/// `_summary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// All of the resource.
    #[default]
    Non,
    /// Elements marked as summary by FHIR.
    Oui,
    /// Text, id, meta and mandatory elements.
    Texte,
    /// Everything but the text.
    Donnees,
    /// Only the count.
    Compte,
}

/// `_total`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Total {
    /// Exact, also for `estimate`: it costs us nothing.
    #[default]
    Exact,
    /// Left out.
    Aucun,
}

/// Format of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// application/fhir+json.
    #[default]
    Json,
    /// application/fhir+xml.
    Xml,
}

/// A checked request.
#[derive(Clone, Debug)]
pub struct Requete {
    /// Type searched.
    pub type_fhir: TypeFhir,
    /// Condition, correlation of links and records done.
    pub condition: Noeud,
    /// First circle asked, for distances in the answer.
    pub cercle: Option<Cercle>,
    /// Whether full text is asked, of whatever resource.
    pub texte_integral: bool,
    /// What scores the resources found.
    pub notation: Option<Demandee>,
    /// Includes.
    pub inclusions: Vec<Inclusion>,
    /// Order; empty for the stable order.
    pub tri: Vec<Tri>,
    /// Page size; 0 for the count alone.
    pub nombre: usize,
    /// Summary.
    pub resume: Resume,
    /// Top-level elements kept, when `_elements` is given.
    pub elements: Vec<String>,
    /// Total.
    pub total: Total,
    /// Opaque place in a walk, as received.
    pub page: Option<String>,
    /// Parameters left aside in lenient handling, to be told in the answer.
    pub ignores: Vec<crate::fhir::outcome::Issue>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recherche::parametres;

    #[test]
    fn alternatives_of_one_link_or_parameter_are_one_and_others_stay_apart() {
        let jetons = |t: TypeFhir, nom: &str, codes: &[&str]| {
            let jeton = |c: &&str| Jeton { systeme: None, code: Some((*c).to_owned()) };
            let parametre = parametres::trouver(t, nom).unwrap();
            Noeud::Critere(Critere { parametre, test: Test::Jeton(codes.iter().map(jeton).collect()) })
        };
        let commune = |codes: &[&str]| jetons(TypeFhir::Location, "commune-cog", codes);
        let statut = || jetons(TypeFhir::Location, "status", &["active"]);
        let lieu = |n: Noeud| Noeud::Chaine(Relation::Lieux, Box::new(n));
        let parent = |n: Noeud| Noeud::Chaine(Relation::LieuParent, Box::new(n));
        let activite = |codes: &[&str]| jetons(TypeFhir::HealthcareService, "specialty", codes);
        let alternatives = vec![
            activite(&["1"]),
            lieu(commune(&["a"])),
            lieu(parent(commune(&["a"]))),
            lieu(Noeud::Et(vec![commune(&["b"]), statut()])),
            lieu(commune(&["c"])),
            activite(&["2", "3"]),
            lieu(parent(commune(&["d"]))),
            lieu(statut()),
        ];
        let bout = vec![
            commune(&["a", "c"]),
            parent(Noeud::Ou(vec![commune(&["a", "d"])])),
            Noeud::Et(vec![commune(&["b"]), statut()]),
            statut(),
        ];
        let attendu = Noeud::Ou(vec![activite(&["1", "2", "3"]), lieu(Noeud::Ou(bout))]);
        let tous = |n: Noeud| Noeud::Non(Box::new(Noeud::Et(vec![n, statut()])));
        assert_eq!(tous(Noeud::Ou(alternatives)).reunir(), tous(attendu));
        // Two targets may each meet one: both criteria at once are not asked of one.
        let deux = Noeud::Et(vec![lieu(commune(&["a"])), lieu(commune(&["b"]))]);
        assert_eq!(deux.clone().reunir(), deux);
    }

    #[test]
    fn bounds_of_decimals_are_exact() {
        let tient = |p, valeur, demi, v| Nombre { valeur, demi }.verifie(p, v);
        assert!(tient(Prefixe::Eq, 60.1, 0.05, 60.05) && !tient(Prefixe::Ne, 60.1, 0.05, 60.05));
        assert!(!tient(Prefixe::Eq, 0.8, 0.05, 0.85) && tient(Prefixe::Ne, 0.8, 0.05, 0.85));
        assert!(tient(Prefixe::Ap, 13.0, 0.5, 14.30) && !tient(Prefixe::Ap, 13.0, 0.5, 14.31));
        assert!(tient(Prefixe::Ap, 14.0, 0.5, 15.40) && tient(Prefixe::Ap, -14.0, 0.5, -12.6));
        for i in -20_000..20_000_i32 {
            // Tenths around each hundredth that ends in five.
            let (n, bas, haut) =
                (f64::from(i) / 10.0, f64::from(10 * i - 5) / 100.0, f64::from(10 * i + 5) / 100.0);
            assert!(tient(Prefixe::Eq, n, 0.05, bas) && !tient(Prefixe::Eq, n, 0.05, haut), "{n}");
        }
        assert!(tient(Prefixe::Eq, 1_234_567.8, 0.05, 1_234_567.75));
        assert!(!tient(Prefixe::Eq, 1_234_567.8, 0.05, 1_234_567.85));
    }

    #[test]
    fn numbers_out_of_reach_neither_overflow_nor_match() {
        let enorme = Nombre { valeur: 1e300, demi: 5e299 };
        for p in [Prefixe::Eq, Prefixe::Ne, Prefixe::Gt, Prefixe::Le, Prefixe::Ap, Prefixe::Po] {
            assert!(!enorme.verifie_entre(p, 1_000_000_000, f64::NAN, 1));
        }
        assert!(enorme.verifie_entre(Prefixe::Lt, 1_000_000_000, 1e12, 1_000_000_000));
        assert!(!enorme.verifie_entre(Prefixe::Ap, 1_000_000_000, -1e300, 1_000_000_000));
        let fin = Nombre { valeur: 2.0, demi: 5e-300 };
        assert!(fin.verifie(Prefixe::Eq, 2.0) && !fin.verifie(Prefixe::Eq, 2.1));
    }
}
