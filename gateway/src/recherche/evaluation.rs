//! Set algebra: a condition becomes the set of its rows, starting from what the profile may see,
//! so that nothing hidden can match, count or order. The cheapest condition goes first and each
//! narrows what the next one looks at; a chain is walked from the side that has fewer rows.

mod champs;
mod estimation;
mod liens;
mod proximite;
mod textes;

pub use proximite::centre;
pub(super) use textes::dictionnaire;

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    sync::Arc,
    time::Duration,
};

use nix::time::{ClockId, clock_gettime};
use roaring::{MultiOps, RoaringBitmap};

use super::{
    arbre::{Critere, Intervalle, Jeton, Noeud, Prefixe, Test},
    parametres::{Cible, Texte},
    unites,
};
use crate::{
    fhir::politique::Bloc,
    modele::{Bits, LOT, Modele, Param, Table, TypeFhir, par_lots},
    texte::Trouves,
};

/// Rows and links one request may look at, about two seconds of work.
pub const BUDGET: i64 = 60_000_000;
/// What a request may look at without being set apart, some milliseconds.
pub const LEGER: i64 = 400_000;
/// Longest time of a core that a light request may take, and any other: what others do meanwhile is not theirs.
const DELAIS: [Duration; 2] = [Duration::from_millis(8), Duration::from_secs(3)];
/// Work between two looks at the clock, about half a millisecond.
const ENTRE_DEUX: i64 = 16_384;
/// Below this many rows, looking at each is cheaper than building sets.
const PEU: u64 = 4096;
/// From so many rows on, marking what is asked of each costs less than looking for it.
const MARQUER: u64 = 1024;
/// Below this many rows, looking at the value of each is cheaper than putting the sets of values together.
const PAR_RANG: u64 = 100_000;
/// Places looked at in the time it takes to put one cell of the grid with the others.
const PAR_CELLULE: u64 = 32;
/// A circle that touches few cells of the grid, metres.
const PETIT_RAYON: f64 = 50_000.0;
/// What a question to full text counts for.
const PAR_TEXTE: u64 = 20_000;
/// What reading the texts of a row again does.
const PAR_CORRECTION: u64 = 2_000;

/// The request asks for more work than one request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TropCouteux;

/// Pays for so many things about to be done.
pub type Payeur<'a> = &'a dyn Fn(u64) -> Result<(), TropCouteux>;

/// Full text, kept beside the model.
pub trait Textes {
    /// Rows of a type that answer a text, and how well; those read again, so that the answer is that of this moment,
    /// are paid for before any is, unless the answer is at hand.
    fn trouver(
        &self,
        m: &Modele,
        t: TypeFhir,
        narratif: bool,
        texte: &str,
        payer: Payeur<'_>,
    ) -> Result<Arc<Trouves>, TropCouteux>;
}

type Rangs = Result<RoaringBitmap, TropCouteux>;

/// Evaluates for one profile at one moment.
pub struct Moteur<'a> {
    /// The moment.
    pub modele: &'a Modele,
    /// The profile.
    pub profil: u8,
    /// Full text.
    pub textes: &'a dyn Textes,
    budget: Cell<i64>,
    // Work left before the next look at the clock.
    repit: Cell<i64>,
    // None for who must have the answer whatever it costs.
    echeance: Option<Duration>,
    // Whether nobody waits for the answer any more.
    arret: Option<&'a dyn Fn() -> bool>,
    estimations: RefCell<estimation::Estimations>,
}

impl<'a> Moteur<'a> {
    /// With a budget to spend, and from now the time of this thread that goes with it; `i64::MAX`: no bound at all.
    pub fn nouveau(modele: &'a Modele, profil: u8, textes: &'a dyn Textes, budget: i64) -> Self {
        let delai = DELAIS[usize::from(budget > LEGER)];
        Self {
            modele,
            profil,
            textes,
            budget: Cell::new(budget),
            repit: Cell::new(ENTRE_DEUX),
            echeance: (budget < i64::MAX).then(|| temps() + delai),
            arret: None,
            estimations: RefCell::default(),
        }
    }

    /// With so much time of this thread from now, unless it is told to stop before.
    #[must_use]
    pub fn patient(mut self, delai: Duration, arret: &'a dyn Fn() -> bool) -> Self {
        self.echeance = Some(temps() + delai);
        self.arret = Some(arret);
        self
    }

    /// Visible rows that meet a condition.
    pub fn rangs(&self, t: TypeFhir, n: &Noeud) -> Rangs {
        // They are those of the nodes of one tree.
        self.estimations.borrow_mut().clear();
        self.noeud(t, n, self.visibles(t)).map(Cow::into_owned)
    }

    fn visibles(&self, t: TypeFhir) -> &'a RoaringBitmap {
        self.modele.table(t).visibles(self.profil)
    }

    fn table(&self, t: TypeFhir) -> &'a Table {
        self.modele.table(t)
    }

    /// Pays for work about to be done; the clock is looked at now and then.
    pub fn payer(&self, n: u64) -> Result<(), TropCouteux> {
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let reste = self.budget.get().saturating_sub(n);
        self.budget.set(reste);
        if reste < 0 {
            return Err(TropCouteux);
        }
        let repit = self.repit.get().saturating_sub(n);
        self.repit.set(repit);
        if repit > 0 { Ok(()) } else { self.heure() }
    }

    fn heure(&self) -> Result<(), TropCouteux> {
        self.repit.set(ENTRE_DEUX);
        match self.echeance {
            Some(e) if temps() > e => Err(TropCouteux),
            _ if self.arret.is_some_and(|arret| arret()) => Err(TropCouteux),
            _ => Ok(()),
        }
    }

    /// Rows of a set for which a condition holds, which costs so much a row.
    fn garder(&self, rangs: &RoaringBitmap, cout: u64, condition: impl Fn(&u32) -> bool) -> Rangs {
        self.garder_par_lots(rangs, cout, |lot, verdicts| {
            for (rang, verdict) in lot.iter().zip(verdicts) {
                *verdict = condition(rang);
            }
        })
    }

    /// The same, decided some rows at a time.
    fn garder_par_lots(
        &self,
        rangs: &RoaringBitmap,
        cout: u64,
        mut juger: impl FnMut(&[u32], &mut [bool]),
    ) -> Rangs {
        self.payer(rangs.len().saturating_mul(cout))?;
        // Each is written, and stays if it is kept: which ones are cannot be foretold, so nothing branches on it.
        let mut gardes = vec![0; usize::try_from(rangs.len()).unwrap_or(0)];
        let mut nombre = 0;
        let mut verdicts = [false; LOT];
        self.par_lots(rangs, |lot| {
            let verdicts = &mut verdicts[..lot.len()];
            juger(lot, verdicts);
            let gardes = &mut gardes[nombre..];
            let mut ici = 0;
            for (rang, verdict) in lot.iter().zip(verdicts) {
                gardes[ici] = *rang;
                ici += usize::from(*verdict);
            }
            nombre += ici;
        })?;
        Ok(Bits::en_ordre(&gardes[..nombre]))
    }

    /// Walks through the rows of a set, some at a time, the clock looked at between.
    fn par_lots(&self, rangs: &RoaringBitmap, mut voir: impl FnMut(&[u32])) -> Result<(), TropCouteux> {
        par_lots(rangs, |lot| {
            voir(lot);
            if lot.len() < LOT { Ok(()) } else { self.heure() }
        })
    }

    /// Keeps the rows of `dans` that meet a condition.
    fn noeud<'d>(
        &self,
        t: TypeFhir,
        n: &Noeud,
        dans: &'d RoaringBitmap,
    ) -> Result<Cow<'d, RoaringBitmap>, TropCouteux> {
        if dans.is_empty() {
            return Ok(Cow::Borrowed(dans));
        }
        self.payer(8 + dans.len() / 1024)?;
        Ok(match n {
            Noeud::Et(conditions) => {
                let mut conditions: Vec<((bool, u64), &Noeud)> =
                    conditions.iter().map(|c| (self.priorite(t, c), c)).collect();
                conditions.sort_by_key(|c| c.0);
                let mut r = Cow::Borrowed(dans);
                for (_, c) in conditions {
                    if r.is_empty() {
                        break;
                    }
                    r = Cow::Owned(self.noeud(t, c, &r)?.into_owned());
                }
                r
            }
            Noeud::Ou(conditions) => {
                let mut r = RoaringBitmap::new();
                let mut reste = Cow::Borrowed(dans);
                for c in conditions {
                    let trouves = self.noeud(t, c, &reste)?.into_owned();
                    // What is found needs no other look: worth taking out when little is left.
                    if trouves.len() >= reste.len() / 4 {
                        *reste.to_mut() -= &trouves;
                    }
                    r |= trouves;
                }
                Cow::Owned(r)
            }
            Noeud::Non(c) => Cow::Owned(dans - self.noeud(t, c, dans)?.as_ref()),
            Noeud::Critere(c) => Cow::Owned(self.critere(t, c, dans)?),
            Noeud::Chaine(relation, c) => Cow::Owned(self.chaine(*relation, c, dans)?),
            Noeud::AuDessus(relation, c) => Cow::Owned(self.au_dessus(*relation, c, dans)?),
            Noeud::Inverse(relation, c) => Cow::Owned(self.inverse(*relation, c, dans)?),
            Noeud::Enregistrement(groupe, criteres) => {
                Cow::Owned(self.enregistrement(t, *groupe, criteres, dans)?)
            }
        })
    }

    fn critere(&self, t: TypeFhir, c: &Critere, dans: &RoaringBitmap) -> Rangs {
        let table = self.table(t);
        match (&c.test, c.parametre.cible) {
            (Test::Absent(absent), cible) => {
                let presents = self.presents(t, cible, dans)?;
                Ok(if *absent { dans - presents } else { presents })
            }
            (Test::Id(ids), _) => {
                self.payer(ids.len() as u64 * 2)?;
                Ok(ids.iter().filter_map(|i| table.rang(i)).filter(|r| dans.contains(*r)).collect())
            }
            (Test::Jeton(valeurs), Cible::Jeton(params)) => self.jetons(t, params, valeurs, dans),
            (Test::Jeton(valeurs), Cible::Identifiant) => self.identifiants(t, valeurs, dans),
            (Test::Texte(mode, valeurs), Cible::Texte(quoi)) => self.texte(t, quoi, *mode, valeurs, dans),
            (Test::Date(valeurs), Cible::Maj) => {
                let convient =
                    |d: i64| valeurs.iter().any(|(p, i)| i.verifie(*p, Intervalle { de: d, a: d + 1 }));
                self.garder(dans, 1 + valeurs.len() as u64, |r| {
                    self.modele.maj_convient(t, *r, self.profil, convient)
                })
            }
            (Test::Date(valeurs), Cible::Fermeture | Cible::FinPeriode) => {
                self.periodes(table, valeurs, dans)
            }
            (Test::Quantite(valeurs), cible @ (Cible::AgeBas | Cible::AgeHaut)) => {
                let ages = if cible == Cible::AgeBas { &table.ages_bas } else { &table.ages_haut };
                self.payer(ages.nombre().saturating_mul(4 + valeurs.len() as u64))?;
                let convient = |n: f64, unite: &str| {
                    valeurs.iter().any(|(p, v, u)| unites::verifie(*p, *v, u.as_deref(), n, unite))
                };
                if dans.len() < PAR_RANG {
                    return self.garder_par_lots(dans, 1, ages.admises(convient));
                }
                let retenus: Vec<&RoaringBitmap> =
                    ages.toutes().filter(|(n, unite, _)| convient(*n, unite)).map(|(_, _, e)| e).collect();
                Ok(unir(&retenus, dans))
            }
            (Test::Reference(ids), Cible::Reference(relation)) => {
                let cibles = self.ids_visibles(relation.cible(), ids)?;
                self.sources(relation, &cibles, dans)
            }
            (Test::ReferenceAuDessus(ids), Cible::Reference(relation)) => {
                let cibles = self.descendants(self.ids_visibles(relation.cible(), ids)?)?;
                self.sources(relation, &cibles, dans)
            }
            (Test::Proche(cercles), _) => self.proche(t, cercles, dans),
            (Test::Contenu(texte), cible) => {
                Ok(&self.plein_texte(t, cible == Cible::Narratif, texte)?.rangs & dans)
            }
            (_, Cible::Champ(groupe, _)) => self.enregistrement(t, groupe, std::slice::from_ref(c), dans),
            // The parser gives no other pair.
            _ => Ok(RoaringBitmap::new()),
        }
    }

    fn jetons(&self, t: TypeFhir, params: &[Param], valeurs: &[Jeton], dans: &RoaringBitmap) -> Rangs {
        let index = &self.table(t).index;
        let mut r = RoaringBitmap::new();
        for p in params {
            let mut un = RoaringBitmap::new();
            let mut ensembles = Vec::new();
            for v in valeurs {
                // Without a code, every code of the parameter is looked at.
                self.payer(if v.code.is_some() { 2 } else { index.nombre(*p) })?;
                let trouves = index.ensembles(*p, v.systeme.as_deref(), v.code.as_deref());
                self.payer(trouves.len() as u64 * 4)?;
                if v.code.is_some() {
                    ensembles.extend(trouves);
                } else {
                    un |= unir(&trouves, dans);
                }
            }
            un |= unir(&ensembles, dans);
            self.oter_masquees(t, *p, &mut un);
            r |= un;
        }
        Ok(r)
    }

    fn identifiants(&self, t: TypeFhir, valeurs: &[Jeton], dans: &RoaringBitmap) -> Rangs {
        let table = self.table(t);
        let mut r = RoaringBitmap::new();
        for v in valeurs {
            match (&v.systeme, &v.code) {
                (s, Some(code)) => {
                    // The state of each candidate is read.
                    self.payer(4 + table.identifiants.candidats(code).count() as u64 * 64)?;
                    r |= self.modele.par_identifiant(t, s.as_deref(), code);
                }
                (Some(s), None) => {
                    self.payer(8 + table.presentes().len() / 1024)?;
                    r |= table.index.chercher(Param::SystemeIdentifiant, Some(s), "*");
                }
                (None, None) => {}
            }
        }
        Ok(r & dans)
    }

    fn periodes(&self, table: &Table, valeurs: &[(Prefixe, Intervalle)], dans: &RoaringBitmap) -> Rangs {
        let convient = |(de, a): (i64, i64)| valeurs.iter().any(|(p, i)| i.verifie(*p, Intervalle { de, a }));
        let cout = valeurs.len() as u64;
        if dans.len() < PEU {
            return self.garder(dans, 1 + cout, |r| table.periodes.get(*r).is_some_and(|p| convient(*p)));
        }
        // Few rows have one.
        self.payer((u64::from(table.nombre()) / 8).saturating_mul(cout))?;
        let tous = table.periodes.iter().filter(|(r, p)| dans.contains(*r) && convient(**p));
        Ok(tous.map(|(r, _)| r).collect())
    }

    /// Rows whose codes of a parameter the profile does not see.
    pub(super) fn masquees(&self, t: TypeFhir, p: Param) -> Option<RoaringBitmap> {
        let bloc = match p {
            Param::CharacteristicFine => Bloc::OffreFine,
            Param::ZonePoser => Bloc::StructureRecours,
            _ => return None,
        };
        Some(self.table(t).masquees(self.modele.politique(), bloc, self.profil, 0))
    }

    /// A hidden attribute neither matches nor excludes.
    fn oter_masquees(&self, t: TypeFhir, p: Param, rangs: &mut RoaringBitmap) {
        if !rangs.is_empty()
            && let Some(masquees) = self.masquees(t, p)
        {
            *rangs -= masquees;
        }
    }

    fn ids_visibles(&self, t: TypeFhir, ids: &[String]) -> Rangs {
        self.payer(ids.len() as u64 * 2)?;
        let visibles = self.visibles(t);
        Ok(ids.iter().filter_map(|i| self.table(t).rang(i)).filter(|r| visibles.contains(*r)).collect())
    }

    /// Rows of `dans` where a parameter has a value the profile sees.
    fn presents(&self, t: TypeFhir, cible: Cible, dans: &RoaringBitmap) -> Rangs {
        let table = self.table(t);
        Ok(match cible {
            Cible::Jeton(params) => {
                let mut r = RoaringBitmap::new();
                for p in params {
                    self.payer(table.index.nombre(*p))?;
                    let ensembles = table.index.ensembles(*p, None, None);
                    self.payer(ensembles.len() as u64 * 4)?;
                    let mut un = unir(&ensembles, dans);
                    self.oter_masquees(t, *p, &mut un);
                    r |= un;
                }
                r
            }
            Cible::Identifiant => {
                let ensembles = table.index.ensembles(Param::SystemeIdentifiant, None, None);
                self.payer(ensembles.len() as u64 * 4)?;
                unir(&ensembles, dans)
            }
            Cible::Texte(Texte::Nom) => self.garder(dans, 1, |r| table.noms(*r).is_some())?,
            Cible::Texte(quoi) => {
                let d = textes::dictionnaire(table, quoi);
                self.payer(d.nombre() * 4)?;
                d.ou(|_| true) & dans
            }
            Cible::AgeBas | Cible::AgeHaut => {
                let ages = if cible == Cible::AgeBas { &table.ages_bas } else { &table.ages_haut };
                self.payer(ages.nombre() * 4)?;
                let ensembles: Vec<&RoaringBitmap> = ages.toutes().map(|(_, _, e)| e).collect();
                unir(&ensembles, dans)
            }
            Cible::Fermeture | Cible::FinPeriode => {
                self.garder(dans, 1, |r| table.periodes.get(*r).is_some())?
            }
            Cible::Reference(relation) => {
                let l = self.modele.liens.de(relation);
                self.garder(dans, 1, |r| !l.cibles(*r).is_empty())?
            }
            Cible::Champ(groupe, champ) => self.champ_present(t, groupe, champ, dans)?,
            _ => dans.clone(),
        })
    }
}

/// What this thread has had of a core. A system without such a clock bounds nothing by it.
fn temps() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Rows of `dans` that are in one of these sets.
fn unir(ensembles: &[&RoaringBitmap], dans: &RoaringBitmap) -> RoaringBitmap {
    match ensembles {
        [] => RoaringBitmap::new(),
        [seul] => *seul & dans,
        // Few rows: what each set shares with them is found at once.
        plusieurs if dans.len() < PEU => plusieurs.iter().fold(RoaringBitmap::new(), |mut r, e| {
            r |= *e & dans;
            r
        }),
        plusieurs => MultiOps::<&RoaringBitmap>::union(plusieurs.iter().copied()) & dans,
    }
}

/// Whether a prefix and a number ask for what is above zero, nothing more.
fn au_dessus_de_zero(p: Prefixe, v: f64) -> bool {
    matches!(p, Prefixe::Gt | Prefixe::Sa) && v == 0.0
}
