//! A query as the oracle builds it: what is asked, and the way it is written.

pub use super::critere::{Centre, Cercle, Cible, Critere, Jeton, Mode, Pas, Quantite, Test};
use super::{
    filtre::Filtre,
    parametres::{Genre, LIEUX, Parametre, Relation},
};
use crate::client::requete as encoder;

/// Matches of a page, unless the query says how many: the most that can be asked.
pub const PAGE: usize = 1000;

/// What an include clause follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suivi {
    /// One relation; its target may be written.
    Une(Relation, bool),
    /// Every relation of a type.
    Type(Genre),
    /// Those of them that lead to another one.
    TypeVers(Genre, Genre),
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
    /// Written `:recurse`, the older word.
    pub recurse: bool,
}

impl Inclusion {
    fn ecrire(&self) -> (String, String) {
        let nom = if self.inverse { "_revinclude" } else { "_include" };
        let valeur = match self.suivi {
            Suivi::Une(r, false) => format!("{}:{}", r.source.nom(), r.nom),
            Suivi::Une(r, true) => format!("{}:{}:{}", r.source.nom(), r.nom, r.cible.nom()),
            Suivi::Type(genre) => format!("{}:*", genre.nom()),
            Suivi::TypeVers(genre, cible) => format!("{}:*:{}", genre.nom(), cible.nom()),
            Suivi::Tout => "*".to_owned(),
        };
        let modificateur = match (self.itere, self.recurse) {
            (false, _) => "",
            (true, false) => ":iterate",
            (true, true) => ":recurse",
        };
        (format!("{nom}{modificateur}"), valeur)
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
        if genre == Genre::HealthcareService && self.parametre.situe() {
            return &[LIEUX];
        }
        &self.chemin
    }

    fn ecrire(&self) -> String {
        let chemin: String = self.chemin.iter().map(|r| format!("{}.", r.nom)).collect();
        format!("{}{chemin}{}", if self.descendant { "-" } else { "" }, self.parametre.nom)
    }
}

/// Which members of the resources are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coupe {
    /// `_elements`.
    Elements(Vec<&'static str>),
    /// `_summary`: true, text or data.
    Resume(&'static str),
}

impl Coupe {
    fn ecrire(&self) -> (String, String) {
        match self {
            Self::Elements(noms) => ("_elements".to_owned(), noms.join(",")),
            Self::Resume(lequel) => ("_summary".to_owned(), (*lequel).to_owned()),
        }
    }
}

/// A whole query.
#[derive(Clone, Debug, PartialEq)]
pub struct Requete {
    pub genre: Genre,
    pub criteres: Vec<Critere>,
    /// Each `_filter`.
    pub filtres: Vec<Filtre>,
    pub inclusions: Vec<Inclusion>,
    pub tri: Vec<Tri>,
    /// `_count`.
    pub nombre: Option<usize>,
    /// `_total`.
    pub total: Option<&'static str>,
    /// `_summary=count`.
    pub compte: bool,
    /// Which members of the resources are asked for; ids when nothing is said.
    pub coupe: Option<Coupe>,
}

impl Requete {
    pub fn nouvelle(genre: Genre) -> Self {
        Self {
            genre,
            criteres: Vec::new(),
            filtres: Vec::new(),
            inclusions: Vec::new(),
            tri: Vec::new(),
            nombre: None,
            total: None,
            compte: false,
            coupe: None,
        }
    }

    /// Names and values, in the order of the address.
    pub fn parametres(&self) -> Vec<(String, String)> {
        let mut tous: Vec<(String, String)> = self.criteres.iter().map(Critere::ecrire).collect();
        tous.extend(self.filtres.iter().map(|f| ("_filter".to_owned(), f.ecrire())));
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
        tous.extend(self.coupe.iter().map(Coupe::ecrire));
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
        ordinaire.or_else(|| self.filtres.iter().find_map(|f| f.noeud.premier_cercle()))
    }

    /// Every criterion, those of the filter included.
    pub fn tous_les_criteres(&self) -> Vec<&Critere> {
        let mut tous: Vec<&Critere> = self.criteres.iter().collect();
        for filtre in &self.filtres {
            filtre.noeud.visiter(&mut |c| tous.push(c));
        }
        tous
    }
}
