//! Order of results: the keys asked for, then the stable order of the table; and the rows of a
//! page on either side of a place.

use std::{borrow::Cow, cmp::Ordering, collections::HashMap};

use roaring::RoaringBitmap;

use super::{
    arbre::{Centre, CleTri, Tri},
    evaluation::{Moteur, TropCouteux, centre, dictionnaire},
    parametres::{Champ, Cible, Groupe, Parametre, Relation, Texte},
    unites,
};
use crate::modele::{Id, Modele, Point, SYS_RPPS, TypeFhir, UNITE};

/// A value that orders; what is absent comes last whatever the direction.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Cle<'a> {
    /// Numbers, distances, scores, instants.
    Nombre(f64),
    /// Codes, ids, folded texts.
    Texte(Cow<'a, str>),
}

type Cles<'a> = HashMap<u32, Cle<'a>, foldhash::fast::RandomState>;

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depart {
    /// At the first row.
    Debut,
    /// After this row.
    Apres(u32),
    /// Before this row.
    Avant(u32),
}

/// Rows of a page, and whether others lie before and after them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tranche {
    /// Rows, in order.
    pub rangs: Vec<u32>,
    /// Others before.
    pub avant: bool,
    /// Others after.
    pub apres: bool,
}

/// Where the values of a sort key are.
enum Source<'a> {
    /// Read beforehand.
    Lues(Cles<'a>),
    /// Last updates, in their column.
    Maj,
    /// Ids, in their column.
    Id,
    /// Names, in their column.
    Nom,
}

/// What is read at the end of a path of references.
enum Feuille {
    Parametre(&'static Parametre),
    Distance(Point),
}

/// The order of a request over its rows.
pub struct Ordre<'a> {
    modele: &'a Modele,
    type_fhir: TypeFhir,
    profil: u8,
    sources: Vec<(Source<'a>, bool)>,
}

impl<'a> Ordre<'a> {
    /// Reads the keys of these rows, and of the one a page begins at, which may no longer be of them.
    pub fn nouveau(
        m: &Moteur<'a>,
        t: TypeFhir,
        tri: &[Tri],
        depuis: Option<Centre>,
        scores: &dyn Fn(u32) -> Option<f32>,
        rangs: &RoaringBitmap,
        depart: Depart,
    ) -> Result<Self, TropCouteux> {
        let mut rangs = Cow::Borrowed(rangs);
        if let Depart::Apres(r) | Depart::Avant(r) = depart
            && !tri.is_empty()
            && !rangs.contains(r)
        {
            rangs.to_mut().insert(r);
        }
        let mut sources = Vec::with_capacity(tri.len());
        for k in tri {
            sources.push((source(m, t, k, depuis, scores, &rangs)?, k.descendant));
        }
        Ok(Self { modele: m.modele, type_fhir: t, profil: m.profil, sources })
    }

    fn comparer(&self, a: u32, b: u32) -> Ordering {
        for (source, descendant) in &self.sources {
            let o = self.comparer_cles(source, *descendant, a, b);
            if o != Ordering::Equal {
                return o;
            }
        }
        self.modele.table(self.type_fhir).comparer(a, b)
    }

    fn comparer_cles(&self, source: &Source<'_>, descendant: bool, a: u32, b: u32) -> Ordering {
        let table = self.modele.table(self.type_fhir);
        match source {
            Source::Lues(cles) => presents_d_abord(cles.get(&a), cles.get(&b), descendant, |x, y| {
                x.partial_cmp(y).unwrap_or(Ordering::Equal)
            }),
            Source::Maj => {
                let maj = |r: u32| Some(self.modele.maj(self.type_fhir, r, self.profil));
                presents_d_abord(maj(a), maj(b), descendant, Ord::cmp)
            }
            Source::Id => presents_d_abord(Some(table.id(a)), Some(table.id(b)), descendant, comparer_ids),
            Source::Nom => {
                let nom = |r: u32| {
                    let noms = table.noms.get(r).and_then(Option::as_deref)?.split('\n');
                    if descendant { noms.max() } else { noms.min() }
                };
                presents_d_abord(nom(a), nom(b), descendant, Ord::cmp)
            }
        }
    }

    /// `n` rows of these from a place on.
    pub fn tranche(
        &self,
        m: &Moteur<'_>,
        rangs: &RoaringBitmap,
        depart: Depart,
        n: usize,
    ) -> Result<Tranche, TropCouteux> {
        m.payer(rangs.len() / 4 + rangs.len().saturating_mul(self.sources.len() as u64))?;
        Ok(match depart {
            Depart::Debut => {
                let (rangs, apres) = if self.sources.is_empty() {
                    self.premiers_sans_cle(rangs, n)
                } else {
                    self.premiers(rangs.iter(), n, Self::comparer)
                };
                Tranche { rangs, avant: false, apres }
            }
            Depart::Apres(r) => {
                let suivants = rangs.iter().filter(|x| self.comparer(*x, r) == Ordering::Greater);
                let (rangs, apres) = self.premiers(suivants, n, Self::comparer);
                Tranche { rangs, avant: true, apres }
            }
            Depart::Avant(r) => {
                let precedents = rangs.iter().filter(|x| self.comparer(*x, r) == Ordering::Less);
                let (mut rangs, avant) = self.premiers(precedents, n, |s, a, b| s.comparer(a, b).reverse());
                rangs.reverse();
                Tranche { rangs, avant, apres: true }
            }
        })
    }

    /// The first `n` in the order of the table, and whether there are more: most rows are told by one number.
    fn premiers_sans_cle(&self, rangs: &RoaringBitmap, n: usize) -> (Vec<u32>, bool) {
        let table = self.modele.table(self.type_fhir);
        let mut v: Vec<(u64, u32)> = Vec::with_capacity(2 * (n + 1));
        let mut borne = u64::MAX;
        for r in rangs {
            let o = table.ordre(r);
            if o > borne {
                continue;
            }
            v.push((o, r));
            if v.len() == 2 * (n + 1) {
                v.select_nth_unstable_by(n, |a, b| a.0.cmp(&b.0).then_with(|| table.comparer(a.1, b.1)));
                v.truncate(n + 1);
                borne = v[n].0;
            }
        }
        v.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| table.comparer(a.1, b.1)));
        let suite = v.len() > n;
        v.truncate(n);
        (v.into_iter().map(|(_, r)| r).collect(), suite)
    }

    /// The first `n` in an order, and whether there are more.
    fn premiers(
        &self,
        rangs: impl Iterator<Item = u32>,
        n: usize,
        comparer: impl Fn(&Self, u32, u32) -> Ordering,
    ) -> (Vec<u32>, bool) {
        let mut v: Vec<u32> = Vec::with_capacity(2 * (n + 1));
        let mut borne: Option<u32> = None;
        for r in rangs {
            if borne.is_some_and(|b| comparer(self, r, b) == Ordering::Greater) {
                continue;
            }
            v.push(r);
            // Twice too many: keep the first half, and know what needs no look any more.
            if v.len() == 2 * (n + 1) {
                v.select_nth_unstable_by(n, |a, b| comparer(self, *a, *b));
                v.truncate(n + 1);
                borne = Some(v[n]);
            }
        }
        v.sort_unstable_by(|a, b| comparer(self, *a, *b));
        let suite = v.len() > n;
        v.truncate(n);
        (v, suite)
    }
}

/// What is present first, then by the direction asked.
fn presents_d_abord<T>(
    a: Option<T>,
    b: Option<T>,
    descendant: bool,
    comparer: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    match (a, b) {
        (Some(x), Some(y)) if descendant => comparer(&y, &x),
        (Some(x), Some(y)) => comparer(&x, &y),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// The order of their texts.
fn comparer_ids(a: &Id, b: &Id) -> Ordering {
    match (a, b) {
        (Id::Uuid(x), Id::Uuid(y)) => x.cmp(y),
        _ => a.avec(|x| b.avec(|y| x.cmp(y))),
    }
}

/// The values of one key.
fn source<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    k: &Tri,
    depuis: Option<Centre>,
    scores: &dyn Fn(u32) -> Option<f32>,
    rangs: &RoaringBitmap,
) -> Result<Source<'a>, TropCouteux> {
    let feuille = match k.cle {
        CleTri::Parametre(p) => match p.cible {
            Cible::Maj if k.chemin.is_empty() => return Ok(Source::Maj),
            Cible::Id if k.chemin.is_empty() => return Ok(Source::Id),
            Cible::Texte(Texte::Nom) if k.chemin.is_empty() => return Ok(Source::Nom),
            _ => Feuille::Parametre(p),
        },
        CleTri::Distance => match depuis.and_then(|c| centre(&c)) {
            Some(depuis) => Feuille::Distance(depuis),
            None => return Ok(Source::Lues(Cles::default())),
        },
        CleTri::Score => {
            m.payer(rangs.len() * 4)?;
            let un = |r: u32| Some((r, Cle::Nombre(f64::from(scores(r)?))));
            return Ok(Source::Lues(rangs.iter().filter_map(un).collect()));
        }
    };
    let mut relations = Cow::Borrowed(k.chemin.as_slice());
    let bout = k.chemin.last().map_or(t, |r| r.cible());
    // An offer is where its places are.
    if matches!(feuille, Feuille::Distance(_)) && bout == TypeFhir::HealthcareService {
        relations.to_mut().push(Relation::Lieux);
    }
    chemin(m, t, &relations, &feuille, k.descendant, rangs).map(Source::Lues)
}

/// Keeps the key that counts: the smallest in ascending order, the largest in descending.
fn retenir<'a>(cles: &mut Cles<'a>, rang: u32, cle: Cle<'a>, descendant: bool) {
    match cles.entry(rang) {
        std::collections::hash_map::Entry::Vacant(e) => {
            e.insert(cle);
        }
        std::collections::hash_map::Entry::Occupied(mut e) => {
            if (*e.get() > cle) != descendant && *e.get() != cle {
                e.insert(cle);
            }
        }
    }
}

/// Keys at the end of a path of references, brought back to its beginning; only what the profile
/// sees on the way counts.
fn chemin<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    relations: &[Relation],
    feuille: &Feuille,
    descendant: bool,
    rangs: &RoaringBitmap,
) -> Result<Cles<'a>, TropCouteux> {
    let Some((premiere, reste)) = relations.split_first() else {
        return match feuille {
            Feuille::Parametre(p) => cles(m, t, p, descendant, rangs),
            Feuille::Distance(depuis) => distances(m, t, *depuis, rangs),
        };
    };
    let l = m.modele.liens.de(*premiere);
    let cible = premiere.cible();
    let cibles = m.cibles_de(*premiere, rangs)? & m.modele.table(cible).visibles(m.profil);
    let lues = chemin(m, cible, reste, feuille, descendant, &cibles)?;
    m.payer(rangs.len() * 2)?;
    let mut r = Cles::default();
    for rang in rangs {
        for c in l.cibles(rang) {
            if let Some(cle) = lues.get(c) {
                retenir(&mut r, rang, cle.clone(), descendant);
            }
        }
    }
    Ok(r)
}

fn cles<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    p: &Parametre,
    descendant: bool,
    rangs: &RoaringBitmap,
) -> Result<Cles<'a>, TropCouteux> {
    m.payer(rangs.len() * 2)?;
    let modele: &'a Modele = m.modele;
    let table = modele.table(t);
    let mut r = Cles::default();
    let mut poser = |rang: u32, cle: Cle<'a>| retenir(&mut r, rang, cle, descendant);
    match p.cible {
        Cible::Id => {
            for x in rangs {
                poser(x, Cle::Texte(table.id(x).to_string().into()));
            }
        }
        Cible::Maj => {
            let maj = m.dates(t);
            rangs.iter().for_each(|x| poser(x, Cle::Nombre(maj(x) as f64)));
        }
        Cible::Jeton(params) => {
            for param in params {
                m.payer(table.index.nombre(*param) * 4)?;
                let montrees = match m.masquees(t, *param) {
                    Some(masquees) => Cow::Owned(rangs - masquees),
                    None => Cow::Borrowed(rangs),
                };
                for (_, code, e) in table.index.tous(*param) {
                    for x in e & &*montrees {
                        poser(x, Cle::Texte(code.into()));
                    }
                }
            }
        }
        Cible::Identifiant => {
            m.payer(rangs.len() * 64)?;
            for x in rangs {
                // A number that the resource does not show orders nothing.
                for (_, v) in modele.identifiants(t, x).into_iter().filter(|(s, _)| s != SYS_RPPS) {
                    poser(x, Cle::Texte(v.into()));
                }
            }
        }
        Cible::Texte(Texte::Nom) => {
            for x in rangs {
                let noms = table.noms.get(x).and_then(Option::as_deref);
                noms.into_iter().flat_map(|n| n.split('\n')).for_each(|n| poser(x, Cle::Texte(n.into())));
            }
        }
        Cible::Texte(quoi) => {
            let d = dictionnaire(table, quoi);
            m.payer(d.nombre() * 4)?;
            for (texte, e) in d.tous() {
                (e & rangs).iter().for_each(|x| poser(x, Cle::Texte(texte.into())));
            }
        }
        Cible::AgeBas | Cible::AgeHaut => {
            let ages = if p.cible == Cible::AgeBas { &table.ages_bas } else { &table.ages_haut };
            m.payer(ages.nombre() * 4)?;
            for (n, unite, e) in ages.toutes() {
                let v = unites::ordre(n, unite);
                (e & rangs).iter().for_each(|x| poser(x, Cle::Nombre(v)));
            }
        }
        // A period is ordered by its beginning.
        Cible::Fermeture | Cible::FinPeriode => {
            for x in rangs {
                if let Some((de, _)) = table.periodes.get(x) {
                    poser(x, Cle::Nombre(*de as f64));
                }
            }
        }
        Cible::Reference(relation) => {
            let (l, cibles) = (modele.liens.de(relation), modele.table(relation.cible()));
            for x in rangs {
                for c in l.cibles(x) {
                    poser(x, Cle::Texte(cibles.id(*c).to_string().into()));
                }
            }
        }
        Cible::Champ(groupe, champ) => {
            m.payer(rangs.len() * 4)?;
            champs(m, t, groupe, champ, rangs, &mut poser);
        }
        Cible::Proche | Cible::ProcheCommune | Cible::Contenu | Cible::Narratif => {}
    }
    Ok(r)
}

fn champs<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    groupe: Groupe,
    champ: Champ,
    rangs: &RoaringBitmap,
    poser: &mut impl FnMut(u32, Cle<'a>),
) {
    let modele: &'a Modele = m.modele;
    let e = modele.table(t).groupe(groupe);
    for x in rangs {
        for record in e.de(x).iter().filter(|r| m.record_visible(t, groupe, e, x, r)) {
            let s = &e.signatures()[record.signature as usize];
            match champ {
                Champ::Code(i) => {
                    if let Some((_, code)) = e.code_de(s, usize::from(i)) {
                        poser(x, Cle::Texte(code.as_str().into()));
                    }
                }
                Champ::Nombre if !record.nombre.is_nan() => {
                    let unite = e.code_de(s, UNITE).map_or("", |c| c.1.as_str());
                    poser(x, Cle::Nombre(unites::ordre(record.nombre, unite)));
                }
                Champ::Date if record.largeur > 0 => poser(x, Cle::Nombre(record.date as f64)),
                _ => {}
            }
        }
    }
}

/// Distances of places, in metres.
fn distances<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    depuis: Point,
    rangs: &RoaringBitmap,
) -> Result<Cles<'a>, TropCouteux> {
    if t != TypeFhir::Location {
        return Ok(Cles::default());
    }
    m.payer(rangs.len() * 4)?;
    let positions = &m.modele.table(t).positions;
    let une = |x: u32| {
        let d = positions.point(x).distance(depuis);
        d.is_finite().then_some((x, Cle::Nombre(d)))
    };
    Ok(rangs.iter().filter_map(une).collect())
}
