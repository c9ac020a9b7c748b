//! A query as the oracle builds it: what is asked, and the way it is written.

use super::{
    dates::Prefixe,
    filtre::Filtre,
    parametres::{Genre, Groupe, LIEUX, Parametre, Relation, Sorte},
};
use crate::client::requete as encoder;

/// Matches of a page, unless the query says how many: the most that can be asked.
pub const PAGE: usize = 1000;

/// One link followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pas {
    /// To what the resource refers to; the type may be written.
    Avant(Relation, bool),
    /// To what refers to the resource: `_has`.
    Arriere(Relation),
}

impl Pas {
    /// Type the link leads to.
    pub fn cible(self) -> Genre {
        match self {
            Self::Avant(r, _) => r.cible,
            Self::Arriere(r) => r.source,
        }
    }

    /// What makes two links the same.
    pub fn cle(self) -> (bool, usize) {
        match self {
            Self::Avant(r, _) => (true, r.rang),
            Self::Arriere(r) => (false, r.rang),
        }
    }
}

/// A token or an identifier as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jeton {
    pub systeme: Option<String>,
    pub code: Option<String>,
    /// A code without system, with a bar before it.
    pub barre: bool,
}

/// How texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Debut,
    Contient,
    /// Only in `_filter`.
    Fin,
    Exact,
}

/// Where a distance is counted from.
#[derive(Clone, Debug, PartialEq)]
pub enum Centre {
    /// Latitude and longitude as written.
    Point(String, String),
    /// INSEE code.
    Commune(String),
}

/// A circle as written; an absent distance is 10 km, an absent unit km.
#[derive(Clone, Debug, PartialEq)]
pub struct Cercle {
    pub centre: Centre,
    pub distance: Option<String>,
    pub unite: Option<&'static str>,
}

impl Cercle {
    /// Metres.
    pub fn rayon(&self) -> f64 {
        let distance = self.distance.as_deref().map_or(10.0, |d| d.parse().unwrap_or(f64::NAN));
        if self.unite == Some("m") { distance } else { distance * 1000.0 }
    }

    fn ecrire(&self) -> String {
        let mut parties = match &self.centre {
            Centre::Point(lat, lon) => vec![lat.as_str(), lon.as_str()],
            Centre::Commune(code) => vec![code.as_str()],
        };
        parties.extend(self.distance.as_deref());
        parties.extend(self.unite);
        parties.join("|")
    }
}

/// A reference as written: before the id, nothing, the type, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cible {
    pub avant: String,
    pub id: String,
}

/// A quantity as written: its number, its unit.
pub type Quantite = (String, Option<(&'static str, String)>);

/// What is asked of the values of a parameter; several values mean one of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// `:missing`.
    Absent(bool),
    Jetons(Vec<Jeton>),
    /// `:in`.
    Parmi(String),
    /// `:text`.
    Libelles(Vec<String>),
    Textes(Mode, Vec<String>),
    Dates(Vec<(Prefixe, String)>),
    Nombres(Vec<(Prefixe, String)>),
    Quantites(Vec<(Prefixe, Quantite)>),
    References(Vec<Cible>),
    Cercles(Vec<Cercle>),
}

impl Test {
    /// How many values are given.
    pub fn nombre(&self) -> usize {
        match self {
            Self::Absent(_) | Self::Parmi(_) => 1,
            Self::Jetons(v) => v.len(),
            Self::Libelles(v) | Self::Textes(_, v) => v.len(),
            Self::Dates(v) | Self::Nombres(v) => v.len(),
            Self::Quantites(v) => v.len(),
            Self::References(v) => v.len(),
            Self::Cercles(v) => v.len(),
        }
    }

    /// The same without one of its values.
    pub fn sans(&self, rang: usize) -> Self {
        let mut copie = self.clone();
        match &mut copie {
            Self::Absent(_) | Self::Parmi(_) => {}
            Self::Jetons(v) => drop(v.remove(rang)),
            Self::Libelles(v) | Self::Textes(_, v) => drop(v.remove(rang)),
            Self::Dates(v) | Self::Nombres(v) => drop(v.remove(rang)),
            Self::Quantites(v) => drop(v.remove(rang)),
            Self::References(v) => drop(v.remove(rang)),
            Self::Cercles(v) => drop(v.remove(rang)),
        }
        copie
    }
}

/// One criterion.
#[derive(Clone, Debug, PartialEq)]
pub struct Critere {
    /// Links followed before the parameter: every `_has` first.
    pub chemin: Vec<Pas>,
    pub parametre: &'static Parametre,
    /// Name as written: the parameter's, or a tolerated one.
    pub nom: &'static str,
    pub test: Test,
    /// `:not`, or `ne` in `_filter`: nothing of it holds.
    pub nie: bool,
    /// `:above`: at the end of a chain, or on the whole value of a reference.
    pub dessus: bool,
    /// In `_filter`, the operator of an equality.
    pub operateur: &'static str,
}

impl Critere {
    pub fn nouveau(parametre: &'static Parametre, test: Test) -> Self {
        let (chemin, nom) = (Vec::new(), parametre.nom);
        Self { chemin, parametre, nom, test, nie: false, dessus: false, operateur: "eq" }
    }

    /// Type of the resource that the first link leaves, or that carries the parameter.
    pub fn genre(&self) -> Genre {
        self.chemin.first().map_or(self.parametre.genre, |pas| match pas {
            Pas::Avant(r, _) => r.source,
            Pas::Arriere(r) => r.cible,
        })
    }

    /// `:not` and `:missing`: told of the whole resource, never of another one.
    pub fn refuse(&self) -> bool {
        self.nie || matches!(self.test, Test::Absent(_))
    }

    /// The group whose records it is told of, unless it holds on the whole resource.
    pub fn groupe(&self) -> Option<Groupe> {
        self.parametre.groupe.filter(|_| !self.refuse())
    }

    /// Whether `:above` climbs from its last link, not from its own value.
    pub fn monte(&self) -> bool {
        self.dessus && self.parametre.relation().is_none()
    }

    /// The circle distances are counted from, were it the first one.
    pub fn cercle(&self) -> Option<&Cercle> {
        match &self.test {
            Test::Cercles(cercles) if !self.nie => cercles.first(),
            _ => None,
        }
    }

    /// Its path, without modifier.
    pub fn chemin_ecrit(&self) -> String {
        let mut ecrit = String::new();
        for pas in &self.chemin {
            match pas {
                Pas::Avant(r, false) => ecrit += &format!("{}.", r.nom),
                Pas::Avant(r, true) => ecrit += &format!("{}:{}.", r.nom, r.cible.nom()),
                Pas::Arriere(r) => ecrit += &format!("_has:{}:{}:", r.source.nom(), r.nom),
            }
        }
        ecrit + self.nom
    }

    /// Its modifier, colon included.
    pub fn modificateur(&self) -> &'static str {
        match &self.test {
            Test::Absent(_) => ":missing",
            Test::Parmi(_) => ":in",
            Test::Libelles(_) => ":text",
            Test::Textes(Mode::Contient, _) => ":contains",
            Test::Textes(Mode::Exact, _) => ":exact",
            _ if self.nie => ":not",
            _ if self.dessus => ":above",
            _ => "",
        }
    }

    /// Name and value of the ordinary parameter.
    pub fn ecrire(&self) -> (String, String) {
        let valeurs: Vec<String> = self.valeurs().into_iter().map(|v| v.join("|")).collect();
        (self.chemin_ecrit() + self.modificateur(), valeurs.join(","))
    }

    /// Each value, in its parts, escaped.
    fn valeurs(&self) -> Vec<Vec<String>> {
        match &self.test {
            Test::Jetons(jetons) => jetons.iter().map(|j| j.parties(echapper)).collect(),
            Test::Libelles(textes) | Test::Textes(_, textes) => {
                textes.iter().map(|t| vec![echapper(t)]).collect()
            }
            autre => autre.valeurs_nues(true).into_iter().map(|v| vec![v]).collect(),
        }
    }
}

impl Test {
    /// Each value without escapes, its prefix before it when it is wanted.
    pub fn valeurs_nues(&self, avec_prefixe: bool) -> Vec<String> {
        // Equality is written both ways: as `eq`, and as nothing.
        let prefixe = |p: Prefixe, valeur: &str| match p {
            _ if !avec_prefixe => "",
            Prefixe::Eq if !valeur.len().is_multiple_of(3) => "",
            autre => autre.nom(),
        };
        match self {
            Self::Absent(absent) => vec![absent.to_string()],
            Self::Parmi(canonique) => vec![canonique.clone()],
            Self::Jetons(jetons) => jetons.iter().map(|j| j.parties(str::to_owned).join("|")).collect(),
            Self::Libelles(textes) | Self::Textes(_, textes) => textes.clone(),
            Self::Dates(valeurs) | Self::Nombres(valeurs) => {
                valeurs.iter().map(|(p, v)| format!("{}{v}", prefixe(*p, v))).collect()
            }
            Self::Quantites(valeurs) => {
                let une = |(p, (nombre, unite)): &(Prefixe, Quantite)| match unite {
                    Some((systeme, code)) => format!("{}{nombre}|{systeme}|{code}", prefixe(*p, nombre)),
                    None => format!("{}{nombre}", prefixe(*p, nombre)),
                };
                valeurs.iter().map(une).collect()
            }
            Self::References(cibles) => cibles.iter().map(|c| format!("{}{}", c.avant, c.id)).collect(),
            Self::Cercles(cercles) => cercles.iter().map(Cercle::ecrire).collect(),
        }
    }
}

impl Jeton {
    fn parties(&self, ecrire: impl Fn(&str) -> String) -> Vec<String> {
        match (&self.systeme, &self.code) {
            (Some(systeme), code) => vec![ecrire(systeme), ecrire(code.as_deref().unwrap_or_default())],
            (None, Some(code)) if self.barre => vec![String::new(), ecrire(code)],
            (None, code) => vec![ecrire(code.as_deref().unwrap_or_default())],
        }
    }
}

fn echapper(texte: &str) -> String {
    let mut sortie = String::with_capacity(texte.len());
    for lettre in texte.chars() {
        if matches!(lettre, ',' | '|' | '$' | '\\') {
            sortie.push('\\');
        }
        sortie.push(lettre);
    }
    sortie
}

/// What an include clause follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suivi {
    /// One relation; its target may be written.
    Une(Relation, bool),
    /// Every relation of a type.
    Type(Genre),
    /// Every relation of the type searched.
    Tout,
}

/// One include clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inclusion {
    pub suivi: Suivi,
    /// `_revinclude`.
    pub inverse: bool,
    /// `:iterate`.
    pub itere: bool,
}

impl Inclusion {
    fn ecrire(&self) -> (String, String) {
        let nom = if self.inverse { "_revinclude" } else { "_include" };
        let valeur = match self.suivi {
            Suivi::Une(r, false) => format!("{}:{}", r.source.nom(), r.nom),
            Suivi::Une(r, true) => format!("{}:{}:{}", r.source.nom(), r.nom, r.cible.nom()),
            Suivi::Type(genre) => format!("{}:*", genre.nom()),
            Suivi::Tout => "*".to_owned(),
        };
        (format!("{nom}{}", if self.itere { ":iterate" } else { "" }), valeur)
    }
}

/// One sort key.
#[derive(Clone, Debug, PartialEq)]
pub struct Tri {
    pub chemin: Vec<Relation>,
    pub parametre: &'static Parametre,
    pub descendant: bool,
}

impl Tri {
    /// The references it follows: `near` of an offer is told of its places.
    pub fn suivies(&self, genre: Genre) -> &[Relation] {
        if genre == Genre::HealthcareService && self.parametre.sorte == Sorte::Proche {
            return &[LIEUX];
        }
        &self.chemin
    }

    fn ecrire(&self) -> String {
        let chemin: String = self.chemin.iter().map(|r| format!("{}.", r.nom)).collect();
        format!("{}{chemin}{}", if self.descendant { "-" } else { "" }, self.parametre.nom)
    }
}

/// A whole query.
#[derive(Clone, Debug, PartialEq)]
pub struct Requete {
    pub genre: Genre,
    pub criteres: Vec<Critere>,
    pub filtre: Option<Filtre>,
    pub inclusions: Vec<Inclusion>,
    pub tri: Vec<Tri>,
    /// `_count`.
    pub nombre: Option<usize>,
    /// `_total`.
    pub total: Option<&'static str>,
    /// `_summary=count`.
    pub compte: bool,
}

impl Requete {
    pub fn nouvelle(genre: Genre) -> Self {
        Self {
            genre,
            criteres: Vec::new(),
            filtre: None,
            inclusions: Vec::new(),
            tri: Vec::new(),
            nombre: None,
            total: None,
            compte: false,
        }
    }

    /// Names and values, in the order of the address.
    pub fn parametres(&self) -> Vec<(String, String)> {
        let mut tous: Vec<(String, String)> = self.criteres.iter().map(Critere::ecrire).collect();
        tous.extend(self.filtre.iter().map(|f| ("_filter".to_owned(), f.ecrire())));
        tous.extend(self.inclusions.iter().map(Inclusion::ecrire));
        if !self.tri.is_empty() {
            let cles: Vec<String> = self.tri.iter().map(Tri::ecrire).collect();
            tous.push(("_sort".to_owned(), cles.join(",")));
        }
        tous.extend(self.nombre.map(|n| ("_count".to_owned(), n.to_string())));
        tous.extend(self.total.map(|t| ("_total".to_owned(), t.to_owned())));
        if self.compte {
            tous.push(("_summary".to_owned(), "count".to_owned()));
        }
        tous
    }

    /// Type and query string.
    pub fn url(&self) -> String {
        let parametres = self.parametres();
        let empruntes: Vec<(&str, &str)> =
            parametres.iter().map(|(nom, valeur)| (nom.as_str(), valeur.as_str())).collect();
        let chaine = encoder(&empruntes);
        if chaine.is_empty() { self.genre.nom().to_owned() } else { format!("{}?{chaine}", self.genre.nom()) }
    }

    /// The circle that distances are counted from: the first of the ordinary parameters, else the
    /// first of the filter that nothing denies.
    pub fn premier_cercle(&self) -> Option<&Cercle> {
        let ordinaire = self.criteres.iter().find_map(Critere::cercle);
        ordinaire.or_else(|| self.filtre.as_ref()?.noeud.premier_cercle())
    }

    /// Every criterion, those of the filter included.
    pub fn tous_les_criteres(&self) -> Vec<&Critere> {
        let mut tous: Vec<&Critere> = self.criteres.iter().collect();
        if let Some(filtre) = &self.filtre {
            filtre.noeud.visiter(&mut |c| tous.push(c));
        }
        tous
    }
}
