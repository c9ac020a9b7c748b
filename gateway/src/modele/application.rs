//! Applying events that were read: ignore what is not newer, move what is searched and the relations,
//! then compute the rights of what was touched.

use prost::Message;
use roaring::RoaringBitmap;
use ror_domaine::liaisons;
use ror_proto::{
    common::v1::Evenement,
    identity::v1::{Identity, identity},
    offers::v1::Offer,
    structures::v1::Structure,
};

use super::{
    Changement, Instantane, Modele, Table, TypeFhir as T,
    droits::Touches,
    etat::Etat,
    lecture::{Contenu, Lu, Renvois, lire},
    vue::{self, Vue},
};
use crate::{
    fhir::politique::Faits,
    recherche::parametres::{Groupe, Relation},
};

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// structures.
    Structures = 0,
    /// offers.
    Offers = 1,
    /// capacity.
    Capacity = 2,
    /// identity.
    Identity = 3,
}

/// How many there are.
const SOURCES: usize = 4;

/// What is read of the registries.
pub(super) const PROFESSIONNEL: &str = "professionnel";

impl Source {
    /// Every source, in the order of the positions.
    pub const TOUTES: [Self; SOURCES] = [Self::Structures, Self::Offers, Self::Capacity, Self::Identity];

    /// Name of the service.
    pub fn nom(self) -> &'static str {
        match self {
            Self::Structures => "structures",
            Self::Offers => "offers",
            Self::Capacity => "capacity",
            Self::Identity => "identity",
        }
    }

    /// The only kind of aggregate that the directory takes of it; all without.
    pub fn genre(self) -> Option<&'static str> {
        (self == Self::Identity).then_some(PROFESSIONNEL)
    }

    fn types(self) -> &'static [T] {
        match self {
            Self::Structures => &[T::Organization],
            Self::Offers => &[T::HealthcareService, T::Location, T::PractitionerRole],
            Self::Identity => &[T::Practitioner],
            Self::Capacity => &[T::Location],
        }
    }
}

/// What is searched of a kept state.
fn vue_de(t: T, etat: Etat<'_>) -> Option<Vue> {
    let etat = etat.lire();
    match t {
        T::Organization => Structure::decode(etat).ok()?.ressource.map(|r| vue::structure(&r)),
        T::Practitioner => match Identity::decode(etat).ok()?.ressource {
            Some(identity::Ressource::Professionnel(p)) => Some(vue::professionnel(&p)),
            _ => None,
        },
        _ => Offer::decode(etat).ok()?.ressource.map(|r| vue::offre(&r)),
    }
}

impl Modele {
    /// A snapshot of this source begins.
    pub fn debut_instantane(&mut self, source: Source) {
        let vus = source.types().iter().map(|t| (*t, RoaringBitmap::new())).collect();
        // One that was cut short may have changed rows.
        let change = self.travail.instantanes.get(&source).is_some_and(|i| i.change);
        self.travail.instantanes.insert(source, Instantane { vus, change });
    }

    /// The snapshot is whole: what it did not hold is gone.
    pub fn fin_instantane(&mut self, source: Source) {
        let mut touches = Touches::default();
        let Instantane { vus, mut change } = self.travail.instantanes.remove(&source).unwrap_or_default();
        for (t, vus) in vus {
            if source == Source::Capacity {
                for rang in (0..self.table(t).nombre()).filter(|r| !vus.contains(*r)) {
                    change |= self.oter_capacites(rang);
                }
                continue;
            }
            for rang in self.table(t).presentes() - &vus {
                change = true;
                self.toucher(t, rang, &mut touches);
                let version = self.table(t).version(rang).unwrap_or(0);
                self.retirer(t, rang, version);
            }
        }
        if !self.travail.hydratees.contains(&source) {
            self.travail.hydratees.push(source);
        }
        if self.travail.differe && self.travail.hydratees.len() == SOURCES {
            // The first time, the rights of all rows are computed at once.
            self.liens.clore();
            self.alentours = Self::situer_offres(&self.liens, self.table(T::Location));
            self.travail.differe = false;
            self.travail.refonte = true;
            self.tables.iter_mut().for_each(Table::tasser);
            self.recalculer_tout();
            self.dater_toutes_les_capacites();
        } else if !self.travail.differe {
            self.recalculer(&mut touches);
            // What came between is missing: no one may resume across it.
            self.travail.refonte |= change;
        }
    }

    /// Notes where a source stands once its snapshot is whole, in a stream born then (microseconds since
    /// 1970). What was noted before is of no use to who resumes when the stream goes back or lives another
    /// life.
    pub fn resituer(&mut self, source: Source, sequence: u64, naissance: i64) {
        let autre_vie = self.reprise(source).is_some_and(|(_, n)| n != naissance);
        let p = &mut self.positions[source as usize];
        self.travail.refonte |= sequence < *p || autre_vie;
        *p = sequence;
        self.naissances[source as usize] = naissance;
    }

    /// Notes how far a source was followed.
    pub fn situer(&mut self, source: Source, sequence: u64) {
        let p = &mut self.positions[source as usize];
        *p = (*p).max(sequence);
    }

    /// Applies a batch of one source.
    pub fn appliquer(&mut self, source: Source, lot: &[Evenement]) {
        self.appliquer_lus(source, lire(source, lot));
    }

    /// Applies capacities that their owner answered, unless their event came first: told once more, at positions that
    /// do not move, who resumes there would hear of them until the next event.
    pub fn appliquer_reponse(&mut self, reponse: &Evenement) {
        let rang = self.table(T::Location).rang(&reponse.agregat_id);
        let connue = rang.and_then(|r| self.capacites_de(r)).map(|c| c.version);
        if connue.is_none_or(|v| v < reponse.version) {
            self.appliquer(Source::Capacity, std::slice::from_ref(reponse));
        }
    }

    /// Applies a batch of one source that was read apart.
    pub fn appliquer_lus(&mut self, source: Source, lot: Vec<Lu>) {
        let mut touches = Touches::default();
        for lu in lot {
            self.appliquer_un(source, lu, &mut touches);
        }
        if !self.travail.differe {
            self.recalculer(&mut touches);
        }
    }

    fn appliquer_un(&mut self, source: Source, lu: Lu, touches: &mut Touches) {
        let Lu { id, version, maj, contenu } = lu;
        match contenu {
            Contenu::Capacites { etat, donnees } => {
                let rang = self.rencontrer(source, T::Location, &id);
                if self.poser_capacites(rang, (version, maj), etat, &donnees) {
                    self.noter_change(source);
                } else if self.deja_la(source, self.capacites_de(rang).map(|c| c.version), version) {
                    self.rejournaliser_capacites(rang);
                }
            }
            Contenu::Ligne { t, vue, etat, renvois } => {
                let rang = self.rencontrer(source, t, &id);
                if self.avancer(source, (t, rang), version, touches) {
                    self.poser_ligne((t, rang), (version, maj), &vue, &etat, &renvois);
                    self.toucher(t, rang, touches);
                }
            }
            Contenu::Retrait { t } => {
                let rang = self.rencontrer(source, t, &id);
                if self.avancer(source, (t, rang), version, touches) {
                    self.retirer(t, rang, version);
                }
            }
        }
    }

    /// The row of an id, which this source holds.
    fn rencontrer(&mut self, source: Source, t: T, id: &str) -> u32 {
        let rang = self.table_mut(t).numeroter(id);
        self.noter(source, t, rang);
        rang
    }

    /// Whether a version is newer than its row, which is then about to change.
    fn avancer(&mut self, source: Source, (t, rang): (T, u32), version: u64, touches: &mut Touches) -> bool {
        let connue = self.table(t).version(rang);
        if connue.is_some_and(|v| v >= version) {
            if self.deja_la(source, connue, version) {
                self.journaliser(t, rang);
            }
            return false;
        }
        self.noter_change(source);
        self.toucher(t, rang, touches);
        self.journaliser_etat(t, rang);
        true
    }

    fn noter(&mut self, source: Source, t: T, rang: u32) {
        let vus = self.travail.instantanes.get_mut(&source).and_then(|i| i.vus.get_mut(&t));
        if let Some(vus) = vus {
            vus.insert(rang);
        }
    }

    fn noter_change(&mut self, source: Source) {
        if let Some(i) = self.travail.instantanes.get_mut(&source) {
            i.change = true;
        }
    }

    /// Whether an event tells what is there already, put there before by an answer: who resumes at its
    /// position must still hear of it. A snapshot tells it of every row: that is nothing new.
    fn deja_la(&self, source: Source, connue: Option<u64>, version: u64) -> bool {
        connue == Some(version) && !self.travail.instantanes.contains_key(&source)
    }

    /// Notes that a row changed, for who saw it: who comes to see it is told when its rights are computed.
    fn journaliser(&mut self, t: T, rang: u32) {
        self.journaliser_pour(t, rang, self.table(t).masque(rang));
    }

    /// Notes that the state of a row changed.
    fn journaliser_etat(&mut self, t: T, rang: u32) {
        if !self.travail.differe && !self.travail.muet {
            self.travail.etats.push((t, rang));
        }
        self.journaliser(t, rang);
    }

    pub(super) fn journaliser_pour(&mut self, t: T, rang: u32, pour: u8) {
        self.toucher_journal(t, rang, self.table(t).masque(rang), pour);
    }

    pub(super) fn toucher_journal(&mut self, type_fhir: T, rang: u32, avant: u8, pour: u8) {
        self.ajouter_au_journal(Changement { type_fhir, rang, avant, pour, quittent: 0 });
    }

    /// Notes that a row is no longer referred to by one that these profiles saw.
    pub(super) fn quitter(&mut self, relation: Relation, rang: u32, quittent: u8) {
        let type_fhir = relation.cible();
        let avant = self.table(type_fhir).masque(rang);
        self.ajouter_au_journal(Changement { type_fhir, rang, avant, pour: 0, quittent });
    }

    fn ajouter_au_journal(&mut self, c: Changement) {
        let travail = &mut self.travail;
        if !travail.differe && !travail.muet && c.pour | c.quittent != 0 {
            travail.touches.push(c);
        }
    }

    fn poser_ligne(
        &mut self,
        (t, rang): (T, u32),
        (version, maj): (u64, i64),
        vue: &Vue,
        etat: &[u8],
        renvois: &Renvois,
    ) {
        let ancienne = self.vue(t, rang);
        self.changer_index(t, rang, &ancienne, vue);
        let table = self.table_mut(t);
        table.etats.poser(rang, etat);
        table.poser_maj(rang, maj);
        table.poser_version(rang, version);
        let l = table.ligne_mut(rang);
        l.sorte = vue.sorte;
        // Rights are computed from these once the batch is in.
        if t == T::HealthcareService {
            l.faits = vue.faits;
        }
        table.poser_presence(rang, true);
        for (relation, ids) in renvois {
            self.relier(*relation, rang, ids);
        }
    }

    /// Both the old and the new neighbours of a row depend on it.
    fn toucher(&self, t: T, rang: u32, touches: &mut Touches) {
        if self.travail.differe {
            return;
        }
        match t {
            T::HealthcareService => self.toucher_offre(rang, touches),
            T::PractitionerRole => self.toucher_role(rang, touches),
            T::Organization => self.toucher_structure(rang, touches),
            T::Location => {
                touches.lieux.insert(rang);
            }
            T::Practitioner => {
                touches.professionnels.insert(rang);
            }
        }
    }

    fn retirer(&mut self, t: T, rang: u32, version: u64) {
        let ancienne = self.vue(t, rang);
        self.changer_index(t, rang, &ancienne, &Vue::default());
        self.journaliser_etat(t, rang);
        // While it is known who saw them.
        for r in Relation::TOUTES.into_iter().filter(|r| r.source() == t) {
            self.poser_lien(r, rang, &[]);
        }
        let table = self.table_mut(t);
        table.poser_version(rang, version);
        table.etats.poser(rang, &[]);
        table.poser_presence(rang, false);
        table.poser_droits(rang, Faits::default(), 0);
    }

    /// What is searched of a row at present; nothing of a row without state.
    fn vue(&self, t: T, rang: u32) -> Vue {
        self.table(t).etat(rang).and_then(|e| vue_de(t, e)).unwrap_or_default()
    }

    /// Business identifiers of a row: system, normalised, and value.
    pub fn identifiants(&self, t: T, rang: u32) -> Vec<(String, String)> {
        self.vue(t, rang).identifiants
    }

    fn changer_index(&mut self, t: T, rang: u32, avant: &Vue, apres: &Vue) {
        let table = self.table_mut(t);
        table.index.changer(rang, &avant.cles, &apres.cles);
        // The directory knows values only: one may be there under two systems.
        let porte = |v: &Vue, n: &String| v.identifiants.iter().any(|(_, x)| x == n);
        for (_, n) in avant.identifiants.iter().filter(|(_, n)| !porte(apres, n)) {
            table.identifiants.retirer(n, rang);
        }
        for (_, n) in apres.identifiants.iter().filter(|(_, n)| !porte(avant, n)) {
            table.identifiants.ajouter(n, rang);
        }
        table.poser_noms(rang, &apres.noms);
        table.mots.changer(rang, &avant.mots, &apres.mots);
        table.villes.changer(rang, &avant.villes, &apres.villes);
        table.codes_postaux.changer(rang, &avant.codes_postaux, &apres.codes_postaux);
        table.secteurs.changer(rang, &avant.secteurs, &apres.secteurs);
        table.ages_bas.changer(rang, avant.age_bas.as_ref(), apres.age_bas.as_ref());
        table.ages_haut.changer(rang, avant.age_haut.as_ref(), apres.age_haut.as_ref());
        table.periodes.poser(rang, apres.periode);
        let deplacee = table.positions.poser(rang, apres.position);
        match t {
            T::Location => {
                table.groupe_mut(Groupe::Equipement).poser(rang, &apres.equipements);
                table.groupe_mut(Groupe::Habitation).poser(rang, &apres.habitations);
            }
            T::Organization => table.groupe_mut(Groupe::Tarif).poser(rang, &apres.tarifs),
            _ => {}
        }
        if t == T::Location
            && let Some((avant, apres)) = deplacee
        {
            for offre in self.liens.de(Relation::Lieux).sources(rang).to_vec() {
                self.resituer_offre(offre, avant, apres);
            }
        }
    }

    fn relier(&mut self, relation: Relation, rang: u32, ids: &[String]) {
        let table = self.table_mut(relation.cible());
        let mut cibles: Vec<u32> = Vec::new();
        for id in ids.iter().filter(|i| !i.is_empty()) {
            let r = table.numeroter(id);
            if !cibles.contains(&r) {
                cibles.push(r);
            }
        }
        self.poser_lien(relation, rang, &cibles);
    }

    /// What a row no longer refers to is told too, to who saw the row: it may be followed by that link.
    fn poser_lien(&mut self, relation: Relation, rang: u32, cibles: &[u32]) {
        let anciennes = self.liens.de(relation).cibles(rang).to_vec();
        let quittees = || anciennes.iter().filter(|c| !cibles.contains(c));
        let voyaient = self.table(relation.source()).masque(rang);
        for c in quittees() {
            self.quitter(relation, *c, voyaient);
        }
        self.liens.de_mut(relation).poser(rang, cibles);
        if relation == Relation::Lieux {
            let cellule = |m: &Self, lieu: u32| m.table(T::Location).positions.cellule(lieu);
            for c in quittees() {
                self.resituer_offre(rang, cellule(self, *c), None);
            }
            for c in cibles.iter().filter(|c| !anciennes.contains(c)) {
                self.resituer_offre(rang, None, cellule(self, *c));
            }
        }
    }
}

/// Folds a text for comparison: lower case, without accents, œ and æ spelled out.
pub fn plier(texte: &str) -> String {
    let mut s = String::with_capacity(texte.len());
    for ch in texte.chars().flat_map(char::to_lowercase) {
        match ch {
            'à' | 'â' | 'ä' | 'á' | 'ã' | 'å' => s.push('a'),
            'é' | 'è' | 'ê' | 'ë' => s.push('e'),
            'î' | 'ï' | 'í' | 'ì' => s.push('i'),
            'ô' | 'ö' | 'ó' | 'ò' | 'õ' => s.push('o'),
            'û' | 'ü' | 'ù' | 'ú' => s.push('u'),
            'ÿ' | 'ý' => s.push('y'),
            'ç' => s.push('c'),
            'ñ' => s.push('n'),
            'œ' => s.push_str("oe"),
            'æ' => s.push_str("ae"),
            '’' => s.push('\''),
            // Combining marks of a decomposed text.
            '\u{300}'..='\u{36f}' => {}
            autre => s.push(autre),
        }
    }
    s
}

/// Canonical of the activity code system, for the home page.
pub const ACTIVITES: &str = liaisons::TRE_ACTIVITE;
