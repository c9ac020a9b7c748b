//! Hands the records of a file over, and remembers what it already gave.

use std::collections::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::ops::ControlFlow;

use ror_domaine::controle::lire_date;
use ror_domaine::identifiants::id_eg;
use ror_domaine::ressource::id_deterministe;
use ror_domaine::territoire::region_de_commune;
use ror_proto::common::v1::{Meta, Position};
use ror_proto::identity::v1::identity::Ressource;
use ror_proto::identity::v1::{ActiviteFiness, ActivitesFiness, StructureFiness};

use super::super::{Lecture, Resume, faute};
use super::{Carnet, Champs, Fiche};

/// Structures of a file; France has 275,000, all states included.
const STRUCTURES_MAX: usize = 4_000_000;
/// Activities of one structure held together; more are handed over in several times.
const ACTIVITES_MAX: usize = 1000;

/// What was read of a file.
pub(in crate::formats) struct Remise<'s> {
    suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>,
    carnet: Carnet,
    comptes: BTreeMap<&'static str, u64>,
    /// Day of the edition, AAAA-MM-JJ, empty when not told.
    jour: String,
    schema: String,
    /// Communes of the structures handed over, by their FINESS numbers: both packed,
    /// a few MB for the whole country.
    communes: HashMap<u64, [u8; 5]>,
    /// Line and activities of the structure being read.
    groupe: Option<(u64, ActivitesFiness)>,
}

impl<'s> Remise<'s> {
    /// Nothing read yet.
    pub(in crate::formats) fn nouvelle(suite: &'s mut dyn FnMut(Lecture) -> ControlFlow<()>) -> Self {
        Self {
            suite,
            carnet: Carnet::default(),
            comptes: BTreeMap::new(),
            jour: String::new(),
            schema: String::new(),
            communes: HashMap::new(),
            groupe: None,
        }
    }

    /// Takes the day of the edition; one that is not a date is counted and left.
    pub(in crate::formats) fn dater(&mut self, jour: &str) {
        match lire_date(jour) {
            Some(_) => jour.clone_into(&mut self.jour),
            None => self.constater("date-invalide"),
        }
    }

    /// Takes the version of the schema.
    pub(in crate::formats) fn versionner(&mut self, schema: String) {
        self.schema = schema;
    }

    /// Counts something met.
    pub(in crate::formats) fn compter(&mut self, nom: &'static str) {
        *self.comptes.entry(nom).or_default() += 1;
    }

    /// Counts a warning or a repair.
    pub(in crate::formats) fn constater(&mut self, regle: &'static str) {
        self.carnet.constater(regle);
    }

    /// The fields of a record.
    pub(in crate::formats) fn champs<'a>(&'a mut self, fiche: &'a dyn Fiche) -> Champs<'a> {
        Champs::nouveaux(fiche, &mut self.carnet, &self.jour)
    }

    /// Adds a fault to the record being read.
    pub(in crate::formats) fn fauter(&mut self, element: &str, regle: &str, message: &str, attendu: &str) {
        self.carnet.ajouter_faute(faute(element, regle, message, attendu));
    }

    /// True when the record being read has faults.
    pub(in crate::formats) fn a_des_fautes(&self) -> bool {
        self.carnet.a_des_fautes()
    }

    /// Hands over the faults of the record being read.
    pub(in crate::formats) fn refuser(&mut self, ligne: u64, contenu: String) -> ControlFlow<()> {
        let fautes = self.carnet.prendre_fautes();
        (self.suite)(Lecture::Refus { ligne, fautes, contenu, nommes: Vec::new() })
    }

    /// Hands over a structure, or its faults; `contenu` gives its text.
    pub(in crate::formats) fn structure(
        &mut self,
        ligne: u64,
        structure: StructureFiness,
        contenu: &dyn Fn() -> String,
    ) -> ControlFlow<()> {
        if !self.a_des_fautes() && !self.noter(&structure.num_finess, &structure.commune_cog) {
            self.fauter(
                if structure.entite_juridique { "nofiness" } else { "nofinesset" },
                "numero-en-double",
                "Ce numéro FINESS est celui d'une structure déjà lue dans ce fichier.",
                "Une seule structure par numéro",
            );
        }
        if self.a_des_fautes() {
            return self.refuser(ligne, contenu());
        }
        self.remettre(ligne, Ressource::StructureFiness(structure), false)
    }

    /// Commune of a site handed over; None when it was not.
    pub(in crate::formats) fn commune(&self, num_finess: &str) -> Option<String> {
        let octets = self.communes.get(&cle_compacte(num_finess))?;
        Some(octets.iter().filter(|octet| **octet != 0).map(|octet| char::from(*octet)).collect())
    }

    /// Hands over the position of a site handed over before.
    pub(in crate::formats) fn position(
        &mut self,
        ligne: u64,
        num_finess: String,
        commune: String,
        position: Position,
    ) -> ControlFlow<()> {
        let region = region_de_commune(&commune).unwrap_or_default().to_owned();
        let structure = StructureFiness {
            meta: Some(Meta { id: id_eg(&num_finess), region, ..Meta::default() }),
            num_finess,
            commune_cog: commune,
            position: Some(position),
            ..StructureFiness::default()
        };
        self.remettre(ligne, Ressource::StructureFiness(structure), true)
    }

    /// Takes an activity of a site, or hands over its faults; the activities of a site
    /// that follow one another make one record.
    pub(in crate::formats) fn activite(
        &mut self,
        ligne: u64,
        num_finess: String,
        activite: ActiviteFiness,
        contenu: &dyn Fn() -> String,
    ) -> ControlFlow<()> {
        if self.a_des_fautes() {
            return self.refuser(ligne, contenu());
        }
        let place = self.groupe.as_mut().filter(|(_, groupe)| groupe.num_finess == num_finess);
        if let Some((_, groupe)) = place {
            let meme = groupe.activites.iter().find(|connue| connue.identifiant == activite.identifiant);
            match meme.map(|connue| *connue == activite) {
                None => {}
                Some(true) => {
                    self.constater("activite-en-double");
                    return ControlFlow::Continue(());
                }
                Some(false) => {
                    self.fauter(
                        "ligne",
                        "activite-divergente",
                        "Cette activité de la structure est déjà lue, avec un autre contenu.",
                        "Une ligne par activité, ou un numéro ARHGOS qui les distingue",
                    );
                    return self.refuser(ligne, contenu());
                }
            }
            groupe.activites.push(activite);
            if groupe.activites.len() >= ACTIVITES_MAX {
                return self.vider();
            }
            return ControlFlow::Continue(());
        }
        self.vider()?;
        let meta = Meta { id: id_activites(&id_eg(&num_finess)), ..Meta::default() };
        self.groupe =
            Some((ligne, ActivitesFiness { meta: Some(meta), num_finess, activites: vec![activite] }));
        ControlFlow::Continue(())
    }

    /// Hands over the activities gathered.
    fn vider(&mut self) -> ControlFlow<()> {
        let Some((ligne, mut groupe)) = self.groupe.take() else {
            return ControlFlow::Continue(());
        };
        groupe.activites.sort_by(|une, autre| une.identifiant.cmp(&autre.identifiant));
        let suite = !self.noter(&groupe.num_finess, "");
        if suite {
            self.constater("structure-reprise");
        }
        self.remettre(ligne, Ressource::ActivitesFiness(groupe), suite)
    }

    fn remettre(&mut self, ligne: u64, ressource: Ressource, suite: bool) -> ControlFlow<()> {
        (self.suite)(Lecture::Enregistrement { ligne, ressource: Box::new(ressource), suite })
    }

    /// False when the structure was noted before.
    fn noter(&mut self, num_finess: &str, commune: &str) -> bool {
        match self.communes.entry(cle_compacte(num_finess)) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(<[u8; 5]>::try_from(commune.as_bytes()).unwrap_or_default());
                true
            }
        }
    }

    /// True when the file holds more structures than can be.
    pub(in crate::formats) fn pleine(&self) -> bool {
        self.communes.len() > STRUCTURES_MAX
    }

    /// What the file held, its last record handed over.
    pub(in crate::formats) fn finir(mut self) -> Resume {
        let _ = self.vider();
        self.resume()
    }

    /// What was read of a file that the caller stopped.
    pub(in crate::formats) fn resume(self) -> Resume {
        Resume {
            cle: self.jour.replace('-', ""),
            schema: self.schema,
            comptes: self.comptes,
            constats: self.carnet.constats(),
        }
    }
}

/// Nine characters among [0-9A-Z]: exact in 64 bits.
fn cle_compacte(num_finess: &str) -> u64 {
    u64::from_str_radix(num_finess, 36).unwrap_or(u64::MAX)
}

/// Technical id of the activities of a structure, from that of the structure: the same
/// as by every channel.
fn id_activites(structure: &str) -> String {
    id_deterministe("activites_finess", structure)
}
