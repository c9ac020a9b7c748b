//! The whole directory at one moment as one caller reads it, read once out of its JSON.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::{
    coupe,
    parametres::{Genre, Groupe, PARENT, RELATIONS, Relation, Sorte, de_genre},
    valeurs::{self, Enregistrement, Valeur},
};
use crate::fhir::texte;

/// What is the same for every caller and moment.
#[derive(Debug, Default)]
pub struct Contexte {
    /// Codes of the value sets: normalised system and code.
    pub jeux: BTreeMap<String, BTreeSet<(String, String)>>,
    /// Centres of the communes, in degrees.
    pub communes: BTreeMap<String, (f64, f64)>,
}

/// One resource.
#[derive(Debug)]
pub struct Ligne {
    pub id: String,
    /// Values of each parameter of the type, those of records put together.
    pub valeurs: Vec<Vec<Valeur>>,
    /// Records of each group.
    pub groupes: [Vec<Enregistrement>; 4],
    /// Latitude and longitude.
    pub position: Option<(f64, f64)>,
    /// Members of the JSON, with what tells two values apart.
    pub membres: BTreeMap<String, u64>,
}

/// The resources of one type.
#[derive(Debug, Default)]
pub struct Table {
    pub lignes: Vec<Ligne>,
    pub rangs: HashMap<String, usize>,
    /// Distinct values of each parameter and how often they are met, rarest first.
    pub frequences: Vec<Vec<(Valeur, usize)>>,
}

/// Everything a caller reads.
#[derive(Debug)]
pub struct Index {
    pub contexte: Arc<Contexte>,
    /// Number of the moment.
    pub moment: u64,
    pub tables: [Table; 5],
    /// Rows a row refers to and may be followed to, by relation.
    pub cibles: [Vec<Vec<usize>>; 8],
    /// Rows that refer to a row, by relation.
    pub sources: [Vec<Vec<usize>>; 8],
}

impl Index {
    /// Reads the resources of the five types, in any order.
    pub fn lire<'v>(
        contexte: &Arc<Contexte>,
        moment: u64,
        ressources: impl IntoIterator<Item = &'v Value>,
    ) -> Self {
        let mut tables: [Table; 5] = Default::default();
        for ressource in ressources {
            let Some(genre) = Genre::de_nom(texte(ressource, "/resourceType")) else { continue };
            let table = &mut tables[genre as usize];
            let ligne = Ligne::lire(genre, ressource);
            table.rangs.insert(ligne.id.clone(), table.lignes.len());
            table.lignes.push(ligne);
        }
        for genre in Genre::TOUS {
            let table = &mut tables[genre as usize];
            table.frequences =
                (0..de_genre(genre).len()).map(|rang| frequences(&table.lignes, rang)).collect();
        }
        let mut index = Self {
            contexte: contexte.clone(),
            moment,
            tables,
            cibles: Default::default(),
            sources: Default::default(),
        };
        for relation in RELATIONS {
            index.relier(relation);
        }
        index
    }

    /// A reference goes only to what the caller reads.
    fn relier(&mut self, relation: Relation) {
        let (source, cible) = (self.table(relation.source), self.table(relation.cible));
        let rang = super::parametres::parametre(relation.source, relation.nom).rang();
        let mut aller = vec![Vec::new(); source.lignes.len()];
        let mut retour = vec![Vec::new(); cible.lignes.len()];
        for (i, ligne) in source.lignes.iter().enumerate() {
            for valeur in &ligne.valeurs[rang] {
                let Valeur::Reference { genre, id } = valeur else { continue };
                let visible = cible.rangs.get(id).filter(|_| *genre == relation.cible).copied();
                if let Some(j) = visible.filter(|j| !aller[i].contains(j)) {
                    aller[i].push(j);
                    retour[j].push(i);
                }
            }
        }
        self.cibles[relation.rang] = aller;
        self.sources[relation.rang] = retour;
    }

    pub fn table(&self, genre: Genre) -> &Table {
        &self.tables[genre as usize]
    }

    /// An organization and its ancestors.
    pub fn lignee(&self, organisation: usize) -> Vec<usize> {
        let mut lignee = vec![organisation];
        let mut vus = 0;
        while let Some(courant) = lignee.get(vus).copied() {
            vus += 1;
            for parent in &self.cibles[PARENT.rang][courant] {
                if !lignee.contains(parent) {
                    lignee.push(*parent);
                }
            }
        }
        lignee
    }

    /// Whether the data carry a parameter at all.
    pub fn porte(&self, genre: Genre, rang: usize) -> bool {
        let table = self.table(genre);
        match de_genre(genre)[rang].sorte {
            Sorte::Proche => table.lignes.iter().any(|l| l.position.is_some()),
            Sorte::Commune => {
                !self.contexte.communes.is_empty() && table.lignes.iter().any(|l| l.position.is_some())
            }
            _ => !table.frequences[rang].is_empty(),
        }
    }
}

impl Ligne {
    fn lire(genre: Genre, ressource: &Value) -> Self {
        let liste = de_genre(genre);
        let groupes = Groupe::TOUS.map(|groupe| {
            let present = liste.iter().any(|p| p.groupe == Some(groupe));
            if present { valeurs::enregistrements(groupe, ressource, liste) } else { Vec::new() }
        });
        let une = |(rang, p): (usize, &super::parametres::Parametre)| match p.groupe {
            None => valeurs::lire(p, ressource),
            Some(groupe) => groupes[groupe as usize].iter().flat_map(|e| e[rang].clone()).collect(),
        };
        let valeurs = liste.iter().enumerate().map(une).collect();
        let position = if genre == Genre::Location { valeurs::position(ressource) } else { None };
        let (id, membres) = (texte(ressource, "/id").to_owned(), coupe::membres(ressource));
        Self { id, valeurs, groupes, position, membres }
    }
}

fn frequences(lignes: &[Ligne], rang: usize) -> Vec<(Valeur, usize)> {
    let mut comptes: HashMap<&Valeur, usize> = HashMap::new();
    let mut ordre: Vec<&Valeur> = Vec::new();
    for valeur in lignes.iter().flat_map(|l| &l.valeurs[rang]) {
        let compte = comptes.entry(valeur).or_insert_with(|| {
            ordre.push(valeur);
            0
        });
        *compte += 1;
    }
    // By number, then as met: the same data give the same list.
    let mut liste: Vec<(Valeur, usize)> = ordre.into_iter().map(|v| (v.clone(), comptes[v])).collect();
    liste.sort_by_key(|(_, compte)| *compte);
    liste
}
