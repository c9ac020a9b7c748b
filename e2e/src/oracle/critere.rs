//! One criterion: the links to its parameter, what is asked of its values, and how it is written.

use super::{
    dates::Prefixe,
    parametres::{Genre, Groupe, Parametre, Relation},
};

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

    /// Type the link leaves.
    pub fn depart(self) -> Genre {
        match self {
            Self::Avant(r, _) => r.source,
            Self::Arriere(r) => r.cible,
        }
    }

    /// As it stands before what it leads to.
    pub fn ecrire(self) -> String {
        match self {
            Self::Avant(r, false) => format!("{}.", r.nom),
            Self::Avant(r, true) => format!("{}:{}.", r.nom, r.cible.nom()),
            Self::Arriere(r) => format!("_has:{}:{}:", r.source.nom(), r.nom),
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
    Parmi(Vec<String>),
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
            Self::Absent(_) => 1,
            Self::Jetons(v) => v.len(),
            Self::Parmi(v) | Self::Libelles(v) | Self::Textes(_, v) => v.len(),
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
            Self::Absent(_) => {}
            Self::Jetons(v) => drop(v.remove(rang)),
            Self::Parmi(v) | Self::Libelles(v) | Self::Textes(_, v) => drop(v.remove(rang)),
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
    /// Links followed before the parameter.
    pub chemin: Vec<Pas>,
    pub parametre: &'static Parametre,
    /// Name as written: the parameter's, or a tolerated one.
    pub nom: &'static str,
    pub test: Test,
    /// `:not`, or `ne` in `_filter`: nothing of it holds.
    pub nie: bool,
    /// `:above`: at the end of a chain, or on the whole value of a reference.
    pub dessus: bool,
    /// A reference whose target's type is written as a modifier.
    pub typee: bool,
    /// In `_filter`, the operator of an equality.
    pub operateur: &'static str,
}

impl Critere {
    pub fn nouveau(parametre: &'static Parametre, test: Test) -> Self {
        let (chemin, nom) = (Vec::new(), parametre.nom);
        Self { chemin, parametre, nom, test, nie: false, dessus: false, typee: false, operateur: "eq" }
    }

    /// Type of the resource that the first link leaves, or that carries the parameter.
    pub fn genre(&self) -> Genre {
        self.chemin.first().map_or(self.parametre.genre, |pas| pas.depart())
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
        let liens: String = self.chemin.iter().map(|pas| pas.ecrire()).collect();
        liens + self.nom
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
            _ => self.modificateur_de_lien(),
        }
    }

    /// What a `_filter` writes of it after the name: the rest is operators there.
    pub fn modificateur_de_lien(&self) -> &'static str {
        match self.parametre.relation() {
            _ if self.dessus => ":above",
            Some(r) if self.typee => match r.cible {
                Genre::Organization => ":Organization",
                Genre::HealthcareService => ":HealthcareService",
                Genre::Location => ":Location",
                Genre::Practitioner => ":Practitioner",
                Genre::PractitionerRole => ":PractitionerRole",
            },
            _ => "",
        }
    }

    /// Name and value of the ordinary parameter.
    pub fn ecrire(&self) -> (String, String) {
        (self.chemin_ecrit() + self.modificateur(), self.test.valeurs(true).join(","))
    }
}

impl Test {
    /// Each value as a search writes it, escaped, its prefix before it when it is wanted.
    pub fn valeurs(&self, avec_prefixe: bool) -> Vec<String> {
        // Equality is written both ways: as `eq`, and as nothing.
        let prefixe = |p: Prefixe, valeur: &str| match p {
            _ if !avec_prefixe => "",
            Prefixe::Eq if !valeur.len().is_multiple_of(3) => "",
            autre => autre.nom(),
        };
        match self {
            Self::Absent(absent) => vec![absent.to_string()],
            Self::Jetons(jetons) => jetons.iter().map(Jeton::ecrire).collect(),
            Self::Parmi(textes) | Self::Libelles(textes) | Self::Textes(_, textes) => {
                textes.iter().map(|t| echapper(t)).collect()
            }
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
    fn ecrire(&self) -> String {
        let code = echapper(self.code.as_deref().unwrap_or_default());
        match &self.systeme {
            Some(systeme) => format!("{}|{code}", echapper(systeme)),
            None if self.barre => format!("|{code}"),
            None => code,
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
