//! Lines gathered into records, one person at a time.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Read;
use std::ops::ControlFlow;

use foldhash::fast::RandomState;
use ror_domaine::territoire::{region_de_commune, region_de_departement};
use ror_proto::common::v1::Faute;
use ror_proto::identity::v1::identity::Ressource;

use super::super::lignes::{Lignes, Lue};
use super::super::source::{Source, erreur_lecture};
use super::super::{ErreurFichier, Lecture, Resume, faute};
use super::colonnes::{Champs, Colonnes, encodage_invalide};
use super::identifiant::Identifiant;
use super::modeles::Modele;

/// Text of one person kept to know the exact duplicates. Past it, what was read is
/// handed over and the rest comes as a continuation: memory has a bound.
const PERSONNE_MAX: usize = 256 * 1024;

/// A record, as the lines of a person make it.
pub(super) trait Fiche {
    /// Nothing read yet.
    fn nouvelle(identifiant: Identifiant) -> Self;
    /// Whose it is.
    fn identifiant(&self) -> &Identifiant;
    /// Technical id of the record of a person, by `idNat_PS`.
    fn id(id_nat_ps: &str) -> String;
    /// Adds the faults of a line, those of its identifiers excepted. No value is
    /// quoted.
    fn controler(ligne: &Champs<'_>, fautes: &mut Vec<Faute>);
    /// Adds a line without faults.
    fn ajouter(&mut self, ligne: &Champs<'_>, suivi: &mut Suivi);
    /// The record, its lists sorted, so that the order of the lines does not change it.
    fn ressource(self, suivi: &mut Suivi) -> Ressource;
}

/// What is kept along a file.
#[derive(Debug, Default)]
pub(super) struct Suivi {
    constats: BTreeMap<&'static str, u64>,
    regions: HashMap<[u8; 5], &'static str, RandomState>,
}

impl Suivi {
    /// Counts a warning.
    pub(super) fn constater(&mut self, regle: &'static str) {
        *self.constats.entry(regle).or_default() += 1;
    }

    /// Region of a commune, else of a département; empty when not derivable. The
    /// communes met are remembered: a file names some thousands, millions of times.
    pub(super) fn region(&mut self, commune: &str, departement: &str) -> &'static str {
        let cle = <[u8; 5]>::try_from(commune.as_bytes()).ok();
        if let Some(region) = cle.and_then(|cle| self.regions.get(&cle).copied()) {
            return region;
        }
        match (region_de_commune(commune), cle) {
            (Some(region), Some(cle)) => {
                self.regions.insert(cle, region);
                region
            }
            (lue, _) => lue.or_else(|| region_de_departement(departement)).unwrap_or_default(),
        }
    }
}

/// Reads a file, gzip or plain, and hands over a record each time the person changes.
pub(super) fn lire<F: Fiche>(
    source: impl Read,
    modele: &Modele,
    suite: &mut dyn FnMut(Lecture) -> ControlFlow<()>,
) -> Result<Resume, ErreurFichier> {
    let source = Source::ouvrir(source).map_err(|erreur| erreur_lecture(&erreur, 1, 0))?;
    let mut lignes = Lignes::nouvelles(source);
    let mut suivi = Suivi::default();
    let colonnes = lire_entete(&mut lignes, modele, &mut suivi)?;
    let mut table = Table::<F> {
        suite,
        suivi,
        courante: None,
        debut: 0,
        texte: Vec::new(),
        fins: Vec::new(),
        vues: HashSet::default(),
        lignes: 0,
        doublons: 0,
        reprises: 0,
    };
    while let Some(lue) = lignes.suivante()? {
        let numero = lignes.numero();
        let suite = match lue {
            Lue::Entiere => table.ligne(lignes.octets(), numero, &colonnes),
            Lue::TropLongue => table.refuser_longueur(lignes.octets(), numero, &colonnes),
        };
        if suite.is_break() {
            return Ok(table.resume(&colonnes));
        }
    }
    // The end comes anyway, whether the caller wants more or not.
    let _ = table.remettre();
    Ok(table.resume(&colonnes))
}

fn lire_entete<R: Read>(
    lignes: &mut Lignes<R>,
    modele: &Modele,
    suivi: &mut Suivi,
) -> Result<Colonnes, ErreurFichier> {
    let refus = |message: String, octet: u64| ErreurFichier { ligne: 1, octet, message };
    let Some(lue) = lignes.suivante()? else {
        return Err(refus("Le fichier est vide.".to_owned(), 0));
    };
    let octet = lignes.lus();
    let faute = match (lue, std::str::from_utf8(lignes.octets())) {
        (Lue::Entiere, Ok(entete)) => {
            let entete = entete.strip_prefix('\u{feff}').unwrap_or(entete);
            return Colonnes::lire(entete, modele, suivi).map_err(|message| refus(message, octet));
        }
        (Lue::Entiere, Err(_)) => encodage_invalide(),
        (Lue::TropLongue, _) => ligne_trop_longue(),
    };
    Err(refus(format!("En-tête : {}", faute.message), octet))
}

fn ligne_trop_longue() -> Faute {
    faute("ligne", "ligne-trop-longue", "La ligne dépasse 64 Kio.", "Une ligne d'au plus 65 536 octets")
}

/// The person being read, and what is known of the others.
struct Table<'s, F> {
    suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>,
    suivi: Suivi,
    courante: Option<F>,
    /// First line of the person being read.
    debut: u64,
    /// Lines of the person being read, one after the other, and where each ends.
    texte: Vec<u8>,
    fins: Vec<usize>,
    /// Persons handed over.
    vues: HashSet<u64, RandomState>,
    lignes: u64,
    doublons: u64,
    reprises: u64,
}

impl<F: Fiche> Table<'_, F> {
    fn resume(self, colonnes: &Colonnes) -> Resume {
        let comptes = BTreeMap::from([
            ("colonnes", nombre(colonnes.nombre())),
            ("lignes", self.lignes),
            ("doublons", self.doublons),
            ("personnes", nombre(self.vues.len())),
            ("reprises", self.reprises),
        ]);
        Resume { comptes, constats: self.suivi.constats, ..Resume::default() }
    }

    fn ligne(&mut self, octets: &[u8], numero: u64, colonnes: &Colonnes) -> ControlFlow<()> {
        if octets.is_empty() {
            self.suivi.constater("ligne-vide");
            return ControlFlow::Continue(());
        }
        self.lignes += 1;
        let champs = match colonnes.couper(octets) {
            Ok(champs) => champs,
            Err(faute) => return self.refuser(numero, vec![faute], &colonnes.deviner(octets)),
        };
        let mut fautes = Vec::new();
        let nouvelle = match self.identifiant(&champs) {
            Ok(nouvelle) => nouvelle,
            Err(faute) => {
                fautes.push(faute);
                None
            }
        };
        F::controler(&champs, &mut fautes);
        if !fautes.is_empty() {
            return self.refuser(numero, fautes, &champs);
        }
        if let Some(identifiant) = nouvelle {
            self.remettre()?;
            self.courante = Some(F::nouvelle(identifiant));
            self.debut = numero;
        }
        if self.deja_lue(octets) {
            self.doublons += 1;
            self.suivi.constater("ligne-en-double");
        } else if let Some(fiche) = self.courante.as_mut() {
            fiche.ajouter(&champs, &mut self.suivi);
        }
        ControlFlow::Continue(())
    }

    /// The identifier of the person a line begins; None when it goes on with the
    /// person being read. The identifier of a person is checked once.
    fn identifiant(&mut self, champs: &Champs<'_>) -> Result<Option<Identifiant>, Faute> {
        let courant = self.courante.as_ref().map(F::identifiant);
        let pleine = self.texte.len() > PERSONNE_MAX;
        if let Some(courant) = courant.filter(|courant| courant.est_de(champs)) {
            return Ok(pleine.then(|| courant.clone()));
        }
        let lu = Identifiant::lire(champs, &mut self.suivi)?;
        let nouvelle = pleine || courant.is_none_or(|courant| *courant != lu);
        Ok(nouvelle.then_some(lu))
    }

    /// True for a line equal to another of the person being read; else keeps it.
    fn deja_lue(&mut self, octets: &[u8]) -> bool {
        let mut debut = 0;
        for fin in &self.fins {
            if self.texte[debut..*fin] == *octets {
                return true;
            }
            debut = *fin;
        }
        self.texte.extend_from_slice(octets);
        self.fins.push(self.texte.len());
        false
    }

    /// Hands over the person being read.
    fn remettre(&mut self) -> ControlFlow<()> {
        self.texte.clear();
        self.fins.clear();
        let Some(fiche) = self.courante.take() else {
            return ControlFlow::Continue(());
        };
        let suite = !self.vues.insert(fiche.identifiant().compact());
        if suite {
            self.reprises += 1;
            self.suivi.constater("personne-reprise");
        }
        let ressource = Box::new(fiche.ressource(&mut self.suivi));
        (self.suite)(Lecture::Enregistrement { ligne: self.debut, ressource, suite })
    }

    /// The line itself is personal data: it is not kept.
    fn refuser(&mut self, ligne: u64, fautes: Vec<Faute>, champs: &Champs<'_>) -> ControlFlow<()> {
        let nommes = Identifiant::cites(champs).iter().map(|cite| F::id(cite)).collect();
        (self.suite)(Lecture::Refus { ligne, fautes, contenu: String::new(), nommes })
    }

    fn refuser_longueur(&mut self, octets: &[u8], numero: u64, colonnes: &Colonnes) -> ControlFlow<()> {
        self.lignes += 1;
        self.refuser(numero, vec![ligne_trop_longue()], &colonnes.deviner(octets))
    }
}

fn nombre(longueur: usize) -> u64 {
    u64::try_from(longueur).unwrap_or(u64::MAX)
}
