//! The read model: the whole directory in memory. A resource is a row of its table; a criterion
//! is a set of rows; an access right is one more set, computed when rows change and intersected
//! first. A moment is never changed: who reads holds one, whatever is written meanwhile, and two
//! moments share all that is equal between them ([`Annuaire`]).

mod alentours;
mod annuaire;
mod application;
mod bits;
mod capacites;
mod colonne;
mod creux;
mod dictionnaire;
mod droits;
mod enregistrements;
pub(crate) mod etat;
mod grille;
mod ident;
pub mod image;
mod index;
mod journal;
mod lecture;
mod lien;
mod paquets;
mod positions;
mod repertoire;
mod table;
mod valeurs;
mod vue;

use std::{collections::HashMap, sync::Arc};

use ror_domaine::ressource::Ressource as _;
use ror_proto::{
    capacity::v1::Capacity, identity::v1::Identity, offers::v1::Offer, structures::v1::Structure,
};

use crate::fhir::politique::{Faits, Politique};
use crate::recherche::parametres::Relation;

pub use annuaire::{Annuaire, Temoin};
pub use application::{ACTIVITES, Source, plier};
pub use bits::{Bits, LOT, par_lots};
use capacites::Capacites;
use colonne::Colonne;
pub use dictionnaire::Dictionnaire;
pub use enregistrements::{Enregistrement, Enregistrements, UNITE};
pub(crate) use etat::Etat;
pub use grille::Grille;
pub use ident::Id;
pub use index::{Param, normaliser_systeme, systeme_d_identifiant_quelconque};
pub use journal::Touche;
pub use lecture::{Lu, lire as lire_evenements};
pub use lien::Lien;
pub use positions::{Disque, Point, Positions};
pub use table::{Sorte, Table};
pub use valeurs::Valeurs;
pub use vue::{SYS_RPPS, SYSTEME_STATUT_LIEU};

/// Resource types of the façade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TypeFhir {
    /// EJ, EG, OI.
    Organization = 0,
    /// Offers.
    HealthcareService = 1,
    /// Places with their capacities.
    Location = 2,
    /// Professionals.
    Practitioner = 3,
    /// Situations.
    PractitionerRole = 4,
}

impl TypeFhir {
    /// Every type, in the order of the tables.
    pub const TOUS: [Self; 5] = [
        Self::Organization,
        Self::HealthcareService,
        Self::Location,
        Self::Practitioner,
        Self::PractitionerRole,
    ];

    /// Name in URLs.
    pub fn nom(self) -> &'static str {
        ["Organization", "HealthcareService", "Location", "Practitioner", "PractitionerRole"][self as usize]
    }

    /// The type of that name.
    pub fn de_nom(nom: &str) -> Option<Self> {
        Self::TOUS.into_iter().find(|t| t.nom() == nom)
    }
}

/// The relations between tables.
#[derive(Clone, Default)]
pub struct Liens([Lien; 8]);

impl Liens {
    /// One relation.
    pub fn de(&self, r: Relation) -> &Lien {
        &self.0[r as usize]
    }

    fn de_mut(&mut self, r: Relation) -> &mut Lien {
        &mut self.0[r as usize]
    }

    fn ouverts() -> Self {
        Self(std::array::from_fn(|_| Lien::ouvert()))
    }

    fn clore(&mut self) {
        self.0.iter_mut().for_each(Lien::clore);
    }
}

/// The directory at one moment.
#[derive(Clone)]
pub struct Modele {
    tables: [Table; 5],
    capacites: Colonne<Option<Arc<Capacites>>>,
    /// Relations.
    pub liens: Liens,
    /// Offers by the cells of their places; none before the links are closed.
    pub alentours: Grille,
    politique: Arc<Politique>,
    positions: [u64; 4],
    // Births of the streams these are of, microseconds since 1970; zero before the first snapshot.
    naissances: [i64; 4],
    numero: u64,
    date: i64,
    // Last change that full text was told of.
    texte: u64,
    // That of the replica, which every moment may ask.
    journal: Arc<journal::Journal>,
    travail: Travail,
}

/// What only the writer needs.
#[derive(Default)]
struct Travail {
    /// Until every source came once, rows wait for one computation of all rights.
    differe: bool,
    hydratees: Vec<Source>,
    /// Snapshots under way.
    instantanes: HashMap<Source, Instantane>,
    /// Rows touched since the last moment.
    touches: Vec<Changement>,
    /// Those whose own state changed: what they say in full text depends on nothing else.
    etats: Vec<(TypeFhir, u32)>,
    /// Everything is computed again: rows one by one tell nothing.
    muet: bool,
    /// Everything may have changed: what was kept of former moments no longer tells enough.
    refonte: bool,
    /// Rights changed for all: former moments are not read any more.
    retrait: bool,
}

/// A copy is a moment to read: nothing of the writer's goes with it.
impl Clone for Travail {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// A snapshot under way.
#[derive(Default)]
struct Instantane {
    /// What it held so far.
    vus: HashMap<TypeFhir, roaring::RoaringBitmap>,
    /// Whether it, or one that was cut before it, changed anything.
    change: bool,
}

/// A row touched: who saw it before, for whom it changed, and for whom something ceased to refer to it.
#[derive(Clone, Copy)]
struct Changement {
    type_fhir: TypeFhir,
    rang: u32,
    avant: u8,
    pour: u8,
    quittent: u8,
}

/// A resource as the model has it: what tells whether it was rendered before, and its state, read only to render it.
#[derive(Clone)]
pub struct Extrait<'m> {
    /// Type.
    pub type_fhir: TypeFhir,
    /// Kind within the type.
    pub sorte: Sorte,
    /// Row in its table.
    pub rang: u32,
    /// Technical id.
    pub id: Id,
    /// Version shown to clients.
    pub version: u64,
    /// Last update, milliseconds since 1970.
    pub maj: i64,
    /// Facts that rights depend on.
    pub faits: Faits,
    pub(crate) etat: Etat<'m>,
    pub(crate) capacite: Option<Etat<'m>>,
}

impl Modele {
    /// An empty directory under a policy.
    pub fn nouveau(politique: Arc<Politique>) -> Self {
        Self {
            tables: Default::default(),
            capacites: Colonne::default(),
            liens: Liens::ouverts(),
            politique,
            alentours: Grille::default(),
            positions: [0; 4],
            naissances: [0; 4],
            numero: 0,
            date: 0,
            texte: 0,
            journal: Arc::default(),
            travail: Travail { differe: true, ..Travail::default() },
        }
    }

    /// One table.
    pub fn table(&self, t: TypeFhir) -> &Table {
        &self.tables[t as usize]
    }

    pub(crate) fn table_mut(&mut self, t: TypeFhir) -> &mut Table {
        &mut self.tables[t as usize]
    }

    /// The policy in force.
    pub fn politique(&self) -> &Arc<Politique> {
        &self.politique
    }

    /// Number of this moment on this replica, growing.
    pub fn numero(&self) -> u64 {
        self.numero
    }

    /// Stream sequence reached in structures, offers, capacity, identity: the same meaning on
    /// every replica.
    pub fn positions(&self) -> [u64; 4] {
        self.positions
    }

    /// Where a source is followed from: sequence, and birth of its stream, microseconds since 1970. `None`
    /// before its first snapshot.
    pub fn reprise(&self, source: Source) -> Option<(u64, i64)> {
        let n = source as usize;
        (self.naissances[n] != 0).then_some((self.positions[n], self.naissances[n]))
    }

    /// When it was published, milliseconds since 1970.
    pub fn date(&self) -> i64 {
        self.date
    }

    /// Rows touched after a moment, up to this one, in order; `None` when it goes back further than
    /// kept.
    pub fn journal_depuis(&self, numero: u64) -> Option<Vec<Touche>> {
        self.journal.entre(numero, self.numero)
    }

    /// The first moment that has the latest kept positions that are all at most these: what follows
    /// it tells at least what follows them. `None` when it goes back further than kept.
    pub fn journal_repere(&self, positions: [u64; 4]) -> Option<u64> {
        self.journal.repere(positions)
    }

    /// Number of the last change that full text was told of.
    pub fn texte(&self) -> u64 {
        self.texte
    }

    /// Last update of a row as a profile may know it: the capacities of a place count for who reads them.
    pub fn maj(&self, t: TypeFhir, rang: u32, profil: u8) -> i64 {
        let maj = self.table(t).maj(rang);
        if t == TypeFhir::Location { maj.max(self.apport_des_capacites(rang, profil).1) } else { maj }
    }

    /// Whether this holds of it.
    pub fn maj_convient(&self, t: TypeFhir, rang: u32, profil: u8, convient: impl Fn(i64) -> bool) -> bool {
        convient(self.maj(t, rang, profil))
    }

    /// The row of an id, if this profile may see it.
    pub fn visible(&self, t: TypeFhir, id: &str, profil: u8) -> Option<u32> {
        let table = self.table(t);
        table.rang(id).filter(|r| table.visibles(profil).contains(*r))
    }

    /// Takes a row out for rendering, without what the profile may not even date.
    pub fn extraire(&self, t: TypeFhir, rang: u32, profil: u8) -> Option<Extrait<'_>> {
        let table = self.table(t);
        let (l, etat) = (table.ligne(rang)?, table.etat(rang)?);
        let (capacite, apport) = match t {
            TypeFhir::Location => {
                let visible = |_: &&Capacites| self.capacite_visible(rang, profil);
                (self.capacite(rang).filter(visible), self.apport_des_capacites(rang, profil))
            }
            _ => (None, (0, i64::MIN)),
        };
        Some(Extrait {
            type_fhir: t,
            sorte: l.sorte,
            rang,
            id: table.id(rang),
            version: table.version(rang).unwrap_or(0) + apport.0,
            maj: table.maj(rang).max(apport.1),
            faits: l.faits,
            etat,
            capacite: capacite.and_then(Capacites::etat),
        })
    }

    /// Rows of a type that carry a business identifier, hidden ones included; `systeme` normalised.
    pub fn par_identifiant(
        &self,
        t: TypeFhir,
        systeme: Option<&str>,
        valeur: &str,
    ) -> roaring::RoaringBitmap {
        let porte = |rang: &u32| {
            self.identifiants(t, *rang).iter().any(|(s, v)| v == valeur && systeme.is_none_or(|x| s == x))
        };
        self.table(t).identifiants.candidats(valeur).filter(porte).collect()
    }

    /// Rows present in each table.
    pub fn comptes(&self) -> [(TypeFhir, u64); 5] {
        TypeFhir::TOUS.map(|t| (t, self.table(t).presentes().len()))
    }
}

impl Extrait<'_> {
    fn horodatage(&self) -> prost_types::Timestamp {
        prost_types::Timestamp {
            seconds: self.maj.div_euclid(1000),
            nanos: i32::try_from(self.maj.rem_euclid(1000)).unwrap_or(0) * 1_000_000,
        }
    }

    pub(crate) fn structure(&self) -> Option<Structure> {
        Structure::decoder(self.etat.lire(), self.version, self.horodatage()).ok()
    }

    pub(crate) fn offre(&self) -> Option<Offer> {
        Offer::decoder(self.etat.lire(), self.version, self.horodatage()).ok()
    }

    pub(crate) fn identite(&self) -> Option<Identity> {
        Identity::decoder(self.etat.lire(), self.version, self.horodatage()).ok()
    }

    pub(crate) fn capacite(&self) -> Option<Capacity> {
        Capacity::decoder(self.capacite?.lire(), self.version, self.horodatage()).ok()
    }
}

#[cfg(test)]
pub(crate) mod tests;
