//! What an operation is asked, checked against its table: every fault at once.

mod controle;

use std::sync::Arc;

pub(super) use controle::{abreger, format_servi};
use controle::{jour_demande, lire_un};

use super::{
    Edition, Genre, Jour, Quand, Terminologie,
    operations::Echec,
    parametres::{Argument, Operation},
};
use crate::{
    fhir::{
        outcome::Issue,
        terminologie::{Codage, Entree, Valeur},
    },
    recherche::requete::{LONGUEUR_MAX, decoder, refus},
};

/// The ways to give a code: exactly one is taken.
const FORMES: [&str; 3] = ["code", "coding", "codeableConcept"];

/// A checked request.
pub struct Demande {
    /// What is asked.
    pub operation: &'static Operation,
    /// Codes given, with the system a lone code came with.
    pub codages: Vec<Codage>,
    /// When.
    pub quand: Quand,
    /// Version that the address names.
    instance: Option<Arc<Edition>>,
    canonique: String,
    version: String,
    valeurs: Vec<(&'static Argument, Valeur)>,
}

/// The named values of a query string.
pub fn de_chaine(chaine: &str) -> Result<Vec<Entree>, Vec<Issue>> {
    if chaine.len() > LONGUEUR_MAX {
        return Err(vec![Issue::new("too-long", format!("La requête dépasse {LONGUEUR_MAX} caractères."))]);
    }
    let mut entrees = Vec::new();
    let mut issues = Vec::new();
    for paire in chaine.split('&').filter(|p| !p.is_empty()) {
        let (nom, valeur) = paire.split_once('=').unwrap_or((paire, ""));
        match (decoder(nom), decoder(valeur)) {
            (Some(nom), Some(v)) => entrees.push(Entree { nom, valeur: Valeur::Simple(v) }),
            _ => issues
                .push(Issue::new("invalid", format!("Le paramètre « {} » est mal encodé.", abreger(nom)))),
        }
    }
    if issues.is_empty() { Ok(entrees) } else { Err(issues) }
}

impl Demande {
    /// Checks what an operation is given; `instance` is the resource of the address.
    ///
    /// # Errors
    ///
    /// Every fault; never empty.
    pub fn lire(
        operation: &'static Operation,
        instance: Option<Arc<Edition>>,
        entrees: Vec<Entree>,
        aujourdhui: Jour,
    ) -> Result<Self, Vec<Issue>> {
        let mut issues = Vec::new();
        let mut valeurs: Vec<(&'static Argument, Valeur)> = Vec::new();
        for e in entrees {
            match lire_un(operation, &e, &valeurs) {
                Ok(Some(argument)) => valeurs.push((argument, e.valeur)),
                Ok(None) => {}
                Err(i) => issues.push(i),
            }
        }
        let mut d = Self {
            operation,
            codages: Vec::new(),
            quand: Quand { jour: aujourdhui, aujourdhui },
            instance,
            canonique: String::new(),
            version: String::new(),
            valeurs,
        };
        if let Some(jour) = d.texte("date").and_then(jour_demande) {
            d.quand.jour = jour;
        }
        d.lire_codages(&mut issues);
        d.lire_cible(&mut issues);
        if issues.is_empty() { Ok(d) } else { Err(issues) }
    }

    fn lire_codages(&mut self, issues: &mut Vec<Issue>) {
        let attendues: Vec<&str> =
            FORMES.into_iter().filter(|f| self.operation.argument(f).is_some()).collect();
        if attendues.is_empty() {
            return;
        }
        let donnees: Vec<&Valeur> = attendues.iter().filter_map(|f| self.valeur(f)).collect();
        let [donnee] = donnees.as_slice() else {
            let (genre, message) = match donnees.len() {
                0 => ("required", "Le code manque."),
                _ => ("value", "Le code est donné de deux façons."),
            };
            let attendu = format!("un seul de {}", attendues.join(", "));
            issues.push(refus("code", genre, message.to_owned(), &attendu));
            return;
        };
        self.codages = match donnee {
            Valeur::Simple(code) => vec![Codage {
                systeme: self.texte("system").unwrap_or_default().to_owned(),
                version: String::new(),
                code: code.clone(),
                libelle: self.texte("display").unwrap_or_default().to_owned(),
            }],
            Valeur::Codage(c) => vec![c.clone()],
            Valeur::Concept(c) => c.clone(),
        };
        // A table of pairs, and a code looked up by itself, say nothing without a system.
        let requis = match self.operation.nom {
            "translate" => true,
            "lookup" => self.instance.is_none(),
            _ => false,
        };
        if requis && self.codages.iter().any(|c| c.systeme.is_empty()) {
            let message = "Le système du code manque.".to_owned();
            issues.push(refus("system", "required", message, "le canonique d'une TRE"));
        }
    }

    fn lire_cible(&mut self, issues: &mut Vec<Issue>) {
        let o = self.operation;
        let donnee = self.texte(o.version).unwrap_or_default().to_owned();
        let premier = self.codages.first();
        let (canonique, version) = match o.nom {
            "lookup" => premier.map(|c| (c.systeme.clone(), c.version.clone())).unwrap_or_default(),
            _ => {
                let url = self.texte(o.cible).unwrap_or_default();
                // A version after the canonical, as in any canonical reference.
                let (url, version) = url.rsplit_once('|').unwrap_or((url, ""));
                (url.to_owned(), version.to_owned())
            }
        };
        if !donnee.is_empty() && !version.is_empty() && donnee != version {
            let message = format!("La version « {donnee} » n'est pas la version « {version} » aussi donnée.");
            issues.push(refus(o.version, "value", message, "une seule version"));
        }
        (self.canonique, self.version) = (canonique, if donnee.is_empty() { version } else { donnee });
        let Some(i) = &self.instance else {
            // Of a lookup, the missing system is told with the code.
            if o.cible_requise && self.canonique.is_empty() && o.nom != "lookup" {
                let message = "Le canonique manque.".to_owned();
                let attendu =
                    format!("l'url d'un {}, ou l'adresse {}/<id>/${}", o.genre.nom(), o.genre.nom(), o.nom);
                issues.push(refus(o.cible, "required", message, &attendu));
            }
            return;
        };
        let n = &i.entete;
        let sien =
            self.canonique == n.canonique || (o.nom == "lookup" && i.groupe_de(&self.canonique).is_some());
        if !self.canonique.is_empty() && !sien {
            let message = format!("« {} » n'est pas la ressource de l'adresse.", self.canonique);
            issues.push(refus(o.cible, "value", message, &n.canonique));
        }
        if !self.version.is_empty() && self.version != n.version {
            let message = format!("« {} » n'est pas la version de la ressource de l'adresse.", self.version);
            issues.push(refus(o.version, "value", message, &n.version));
        }
    }

    fn valeur(&self, nom: &str) -> Option<&Valeur> {
        self.valeurs.iter().find(|(a, _)| a.nom == nom).map(|(_, v)| v)
    }

    /// A simple value.
    pub fn texte(&self, nom: &str) -> Option<&str> {
        self.textes(nom).next()
    }

    /// The simple values of a repeated parameter.
    pub fn textes(&self, nom: &str) -> impl Iterator<Item = &str> {
        self.valeurs.iter().filter(move |(a, _)| a.nom == nom).filter_map(|(_, v)| match v {
            Valeur::Simple(t) => Some(t.as_str()),
            Valeur::Codage(_) | Valeur::Concept(_) => None,
        })
    }

    /// A boolean.
    pub fn oui(&self, nom: &str, defaut: bool) -> bool {
        self.texte(nom).map_or(defaut, |t| t == "true")
    }

    /// An integer.
    pub fn entier(&self, nom: &str) -> Option<usize> {
        self.texte(nom)?.parse().ok()
    }

    /// Whether a resource is named.
    pub fn nommee(&self) -> bool {
        self.instance.is_some() || !self.canonique.is_empty()
    }

    /// The version asked about.
    ///
    /// # Errors
    ///
    /// No such version.
    pub fn edition(&self, t: &Terminologie) -> Result<Arc<Edition>, Echec> {
        self.jeu(t).map(|(e, _)| e)
    }

    /// The version asked about, and whether it is the whole of a code system asked as a value set.
    ///
    /// # Errors
    ///
    /// No such version.
    pub fn jeu(&self, t: &Terminologie) -> Result<(Arc<Edition>, bool), Echec> {
        if let Some(i) = &self.instance {
            return Ok((i.clone(), false));
        }
        let genre = self.operation.genre;
        let trouvee = match genre {
            Genre::ValueSet => t.jeu(&self.canonique, &self.version, self.quand),
            _ => t.demandee(genre, &self.canonique, &self.version, self.quand).map(|e| (e, false)),
        };
        trouvee.map(|(e, entier)| (e.clone(), entier)).ok_or_else(|| self.introuvable(t))
    }

    fn introuvable(&self, t: &Terminologie) -> Echec {
        let (genre, canonique) = (self.operation.genre, self.canonique.as_str());
        let mut connues: Vec<&str> = t
            .versions(genre, canonique)
            .map(|e| e.entete.version.as_str())
            .filter(|v| !v.is_empty())
            .collect();
        connues.reverse();
        connues.truncate(10);
        let mut message = format!("{} « {canonique} »", genre.nom());
        if !self.version.is_empty() {
            message.push_str(&format!(", version « {} »,", self.version));
        }
        message.push_str(" n'est pas connu ici.");
        if !connues.is_empty() {
            message.push_str(&format!(" Attendu : la version {}.", connues.join(", ")));
        } else if genre == Genre::ValueSet && t.courante(Genre::CodeSystem, canonique).is_some() {
            message.push_str(&format!(
                " C'est un système de codes. Attendu : {canonique}{} pour tous ses codes.",
                super::TOUT_LE_SYSTEME
            ));
        }
        Echec::Introuvable(Issue::new("not-found", message).sur(self.operation.cible))
    }
}
