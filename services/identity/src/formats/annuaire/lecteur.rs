//! The resources of a stream, joined by their technical ids.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufRead;
use std::ops::ControlFlow;

use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::Professionnel;
use ror_proto::identity::v1::identity::Ressource;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::{ErreurFichier, Lecture, Resume, couper, faute};
use super::documents::{Document, Documents};
use super::fhir::{empreinte, inactive, reference, texte};
use super::organisation::{self, Lieu, Lue};
use super::professionnel;

/// Resources whose technical id is remembered, of each kind. Beyond, the memory is
/// emptied: a stream asked with `_include` needs no more than the page being read.
const MEMOIRE_MAX: usize = 50_000;
/// Resources that wait for another one of the stream.
const ATTENTE_MAX: usize = 5_000;

/// A person and what the document says of them.
struct Groupe {
    ligne: u64,
    professionnel: Professionnel,
    /// True when only activities are told.
    sans_identite: bool,
}

type Groupes = BTreeMap<String, Groupe>;

/// Holds what joins the resources of a stream.
pub(super) struct Lecteur<'s, F> {
    recoit: &'s mut F,
    resume: Resume,
    /// True when documents are spread over lines: ordinals are told instead.
    ordinaux: bool,
    lues: u64,
    lieux: HashMap<String, Lieu>,
    praticiens: HashMap<String, Professionnel>,
    /// Versions of resources met.
    vus: HashSet<u64>,
    /// Records handed over.
    remis: HashSet<u64>,
    attente: Vec<(u64, Value)>,
}

impl<'s, F: FnMut(Lecture) -> ControlFlow<()>> Lecteur<'s, F> {
    /// Nothing read yet.
    pub(super) fn nouveau(recoit: &'s mut F) -> Self {
        Self {
            recoit,
            resume: Resume::default(),
            ordinaux: false,
            lues: 0,
            lieux: HashMap::new(),
            praticiens: HashMap::new(),
            vus: HashSet::new(),
            remis: HashSet::new(),
            attente: Vec::new(),
        }
    }

    fn compter(&mut self, nom: &'static str) {
        *self.resume.comptes.entry(nom).or_default() += 1;
    }

    /// Hands over what cannot be read.
    pub(super) fn refuser(&mut self, ligne: u64, fautes: Vec<Faute>, contenu: String) -> ControlFlow<()> {
        (self.recoit)(Lecture::Refus { ligne, fautes, contenu, nommes: Vec::new() })
    }

    /// Reads documents spread over lines, to the end of the text.
    pub(super) fn lire_etale<R: BufRead>(
        mut self,
        documents: &mut Documents<R>,
    ) -> Result<Resume, ErreurFichier> {
        documents.reste()?;
        self.ordinaux = true;
        let octets = documents.octets();
        for document in serde_json::Deserializer::from_slice(octets).into_iter::<Box<RawValue>>() {
            let document = document.map_err(|erreur| documents.erreur(&erreur))?;
            if self.ligne(0, document.get().as_bytes()).is_break() {
                return Ok(self.resume);
            }
        }
        Ok(self.finir())
    }

    /// Reads one document.
    pub(super) fn ligne(&mut self, ligne: u64, octets: &[u8]) -> ControlFlow<()> {
        let mut lues = Vec::new();
        match serde_json::from_slice::<Document<'_>>(octets) {
            Ok(document) if document.genre == "Bundle" => {
                for brut in document.entry.iter().filter_map(|entree| entree.resource) {
                    self.ressource(ligne, serde_json::from_str(brut.get()), &mut lues)?;
                }
            }
            Ok(_) => self.ressource(ligne, serde_json::from_slice(octets), &mut lues)?,
            Err(erreur) => self.ressource(ligne, Err(erreur), &mut lues)?,
        }
        self.traiter(&lues, false)
    }

    /// A resource that can be read joins the others of its document.
    fn ressource(
        &mut self,
        ligne: u64,
        lue: Result<Value, serde_json::Error>,
        lues: &mut Vec<(u64, Value)>,
    ) -> ControlFlow<()> {
        self.lues += 1;
        self.compter("ressources");
        let numero = if self.ordinaux { self.lues } else { ligne };
        match lue {
            Ok(valeur) => {
                lues.push((numero, valeur));
                ControlFlow::Continue(())
            }
            Err(_) => self.refuser(
                numero,
                vec![faute(
                    "ligne",
                    "json-illisible",
                    "Le document n'est pas du JSON lisible.",
                    "Un Bundle ou une ressource FHIR en JSON",
                )],
                String::new(),
            ),
        }
    }

    /// Hands over the resources of a document, or those that waited (`dernier`).
    fn traiter(&mut self, lues: &[(u64, Value)], dernier: bool) -> ControlFlow<()> {
        self.memoriser(lues);
        for (ligne, ressource) in lues {
            match texte(ressource, "resourceType") {
                "Organization" => self.structure(*ligne, ressource, dernier)?,
                "Practitioner" | "PractitionerRole" => {}
                "" => self.refuser(
                    *ligne,
                    vec![faute(
                        "resourceType",
                        "type-de-ressource-absent",
                        "La ressource n'a pas de type.",
                        "Organization, Practitioner ou PractitionerRole",
                    )],
                    String::new(),
                )?,
                _ => self.compter("ressources-ignorees"),
            }
        }
        let mut groupes = Groupes::new();
        for (ligne, ressource) in lues.iter().filter(|(_, r)| texte(r, "resourceType") == "Practitioner") {
            self.personne(*ligne, ressource, &mut groupes)?;
        }
        for (ligne, ressource) in lues.iter().filter(|(_, r)| texte(r, "resourceType") == "PractitionerRole")
        {
            self.activite(*ligne, ressource, dernier, &mut groupes)?;
        }
        for (id, groupe) in groupes {
            let connu = !self.remis.insert(cle("ps", &id));
            let ressource = Box::new(Ressource::Professionnel(groupe.professionnel));
            let suite = connu || groupe.sans_identite;
            (self.recoit)(Lecture::Enregistrement { ligne: groupe.ligne, ressource, suite })?;
        }
        ControlFlow::Continue(())
    }

    /// Remembers the structures of a document, which may be named before they come.
    fn memoriser(&mut self, lues: &[(u64, Value)]) {
        if self.lieux.len() > MEMOIRE_MAX {
            self.lieux.clear();
        }
        if self.praticiens.len() > MEMOIRE_MAX {
            self.praticiens.clear();
        }
        for (_, r) in lues.iter().filter(|(_, r)| texte(r, "resourceType") == "Organization") {
            if !texte(r, "id").is_empty() {
                self.lieux.insert(texte(r, "id").to_owned(), Lieu::lire(r));
            }
        }
    }

    /// True when this very version was met before in the stream.
    fn deja_vue(&mut self, ressource: &Value, dernier: bool) -> bool {
        let vue = !dernier && empreinte(ressource).is_some_and(|e| !self.vus.insert(e));
        if vue {
            self.compter("doublons");
        }
        vue
    }

    fn structure(&mut self, ligne: u64, ressource: &Value, dernier: bool) -> ControlFlow<()> {
        if self.deja_vue(ressource, dernier) {
            return ControlFlow::Continue(());
        }
        let dernier = dernier || self.attente.len() >= ATTENTE_MAX;
        match organisation::lire(ressource, &self.lieux, dernier, &mut self.resume) {
            Ok(Lue::HorsFiness) => self.compter("organisations-hors-finess"),
            Ok(Lue::EnAttente) => self.attente.push((ligne, ressource.clone())),
            Ok(Lue::Structure(structure)) => {
                let genre = if structure.entite_juridique { "ej" } else { "eg" };
                let suite = !self.remis.insert(cle(genre, &structure.num_finess));
                let ressource = Box::new(Ressource::StructureFiness(*structure));
                return (self.recoit)(Lecture::Enregistrement { ligne, ressource, suite });
            }
            Err(fautes) => return self.refuser(ligne, fautes, couper(&ressource.to_string())),
        }
        ControlFlow::Continue(())
    }

    fn personne(&mut self, ligne: u64, ressource: &Value, groupes: &mut Groupes) -> ControlFlow<()> {
        let deja_vue = self.deja_vue(ressource, false);
        let mut ignores = Resume::default();
        let resume = if deja_vue { &mut ignores } else { &mut self.resume };
        match professionnel::lire(ressource, resume) {
            Ok(lu) => {
                if !texte(ressource, "id").is_empty() {
                    self.praticiens.insert(texte(ressource, "id").to_owned(), lu.clone());
                }
                if !deja_vue {
                    let groupe = Groupe { ligne, professionnel: lu, sans_identite: false };
                    groupes.insert(groupe.professionnel.id_nat_ps.clone(), groupe);
                }
                ControlFlow::Continue(())
            }
            Err(_) if deja_vue => ControlFlow::Continue(()),
            Err(fautes) => self.refuser(ligne, fautes, String::new()),
        }
    }

    fn activite(
        &mut self,
        ligne: u64,
        ressource: &Value,
        dernier: bool,
        groupes: &mut Groupes,
    ) -> ControlFlow<()> {
        if self.deja_vue(ressource, dernier) {
            return ControlFlow::Continue(());
        }
        if inactive(ressource) {
            self.compter("activites-inactives");
            return ControlFlow::Continue(());
        }
        let connu = self.praticiens.get(reference(ressource, "practitioner")).cloned();
        let sans_identite = connu.is_none();
        let Some(base) = connu.or_else(|| professionnel::nommer(ressource, &mut self.resume)) else {
            if !dernier && self.attente.len() < ATTENTE_MAX {
                self.attente.push((ligne, ressource.clone()));
                return ControlFlow::Continue(());
            }
            return self.refuser(
                ligne,
                vec![faute(
                    "PractitionerRole.practitioner",
                    "praticien-non-resolu",
                    "Le professionnel de cette activité n'est pas dans l'envoi.",
                    "La ressource Practitioner dans le même envoi (_include=PractitionerRole:practitioner)",
                )],
                String::new(),
            );
        };
        let lieu = self.lieux.get(reference(ressource, "organization"));
        let ej = lieu.map(|l| l.entite_juridique(&self.lieux)).unwrap_or_default();
        let groupe = groupes.entry(base.id_nat_ps.clone()).or_insert(Groupe {
            ligne,
            professionnel: base,
            sans_identite,
        });
        professionnel::ajouter_activite(&mut groupe.professionnel, ressource, lieu, &ej, &mut self.resume);
        ControlFlow::Continue(())
    }

    /// The counts, the caller having stopped.
    pub(super) fn interrompre(self) -> Resume {
        self.resume
    }

    /// The counts, once handed over what waited: there is nothing more to wait for.
    pub(super) fn finir(mut self) -> Resume {
        let attente = std::mem::take(&mut self.attente);
        let _ = self.traiter(&attente, true);
        self.resume
    }
}

fn cle(genre: &str, identifiant: &str) -> u64 {
    let mut empreinte = DefaultHasher::new();
    (genre, identifiant).hash(&mut empreinte);
    empreinte.finish()
}
