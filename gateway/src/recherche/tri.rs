//! Order of results: the keys asked for, then the stable order of the table; and the rows of a
//! page on either side of a place.

use std::{borrow::Cow, cmp::Ordering, collections::HashMap, sync::Arc};

use roaring::RoaringBitmap;

use super::{
    arbre::{Centre, CleTri, Tri},
    evaluation::{Moteur, TropCouteux, centre, dictionnaire},
    notation::Notation,
    parametres::{Champ, Cible, Groupe, Parametre, Relation, Texte},
    unites,
};
use crate::{
    modele::{Lien, Modele, Point, SYS_RPPS, Table, TypeFhir, UNITE},
    texte::Trouves,
};

/// A value that orders; what is absent comes last whatever the direction.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Cle<'a> {
    /// Numbers, distances, scores, instants.
    Nombre(f64),
    /// Codes, ids, folded texts.
    Texte(Cow<'a, str>),
}

impl Cle<'_> {
    /// The same, read where it is.
    fn vue(&self) -> Cle<'_> {
        match self {
            Self::Nombre(n) => Cle::Nombre(*n),
            Self::Texte(t) => Cle::Texte(Cow::Borrowed(&**t)),
        }
    }

    /// A whole number in the order of the keys: a smaller key never has a greater one.
    fn nombre(&self) -> u64 {
        match self {
            Self::Nombre(n) => {
                // There is one zero; negative numbers are in the order of their bits turned over.
                let bits = (n + 0.0).to_bits();
                if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
            }
            Self::Texte(t) => debut(t),
        }
    }
}

/// The first letters of a text as a number.
fn debut(texte: &str) -> u64 {
    let mut octets = [0; 8];
    octets.iter_mut().zip(texte.bytes()).for_each(|(place, o)| *place = o);
    u64::from_be_bytes(octets)
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
    /// Ids, in their column.
    Id(&'a Table),
    /// At the end of a path of references, in a column: read row by row, kept nowhere.
    Chemin(Vec<Pas<'a>>, Colonne<'a>),
}

/// A reference to follow, and its targets that count.
struct Pas<'a> {
    lien: &'a Lien,
    visibles: &'a RoaringBitmap,
}

/// What is read at the end of a path.
enum Colonne<'a> {
    /// Last update, as a profile may know it.
    Maj(&'a Modele, TypeFhir, u8),
    Nom(&'a Table),
    /// Metres from a point.
    Distance(&'a Table, Point),
    Score(&'a Notation<Arc<Trouves>>),
}

impl<'a> Colonne<'a> {
    fn cle(&self, rang: u32, descendant: bool) -> Option<Cle<'a>> {
        match *self {
            Self::Maj(modele, t, profil) => Some(Cle::Nombre(modele.maj(t, rang, profil) as f64)),
            Self::Nom(table) => {
                let noms = table.noms.get(rang).and_then(Option::as_deref)?.split('\n');
                let nom = if descendant { noms.max() } else { noms.min() };
                nom.map(|n| Cle::Texte(n.into()))
            }
            Self::Distance(table, depuis) => {
                let d = table.positions.point(rang).distance(depuis);
                d.is_finite().then_some(Cle::Nombre(d))
            }
            Self::Score(notes) => notes.score(rang).map(|s| Cle::Nombre(s.into())),
        }
    }
}

impl Source<'_> {
    /// The key of a row that counts.
    fn cle(&self, rang: u32, descendant: bool) -> Option<Cle<'_>> {
        match self {
            Self::Lues(cles) => cles.get(&rang).map(Cle::vue),
            Self::Id(table) => Some(Cle::Texte(table.id(rang).to_string().into())),
            Self::Chemin(pas, colonne) => au_bout(pas, colonne, rang, descendant),
        }
    }

    /// A number in the order of the rows.
    fn nombre(&self, rang: u32, descendant: bool) -> u64 {
        let nombre = match self {
            Self::Id(table) => Some(table.id(rang).avec(debut)),
            autre => autre.cle(rang, descendant).map(|c| c.nombre()),
        };
        nombre.map_or(u64::MAX, |n| if descendant { !n } else { n })
    }

    /// Whether rows of the same number have the same key.
    fn exacte(&self) -> bool {
        matches!(self, Self::Chemin(_, Colonne::Maj(..) | Colonne::Distance(..) | Colonne::Score(_)))
    }
}

/// The key that counts among those that a row leads to.
fn au_bout<'a>(pas: &[Pas<'a>], colonne: &Colonne<'a>, rang: u32, descendant: bool) -> Option<Cle<'a>> {
    let Some((premier, reste)) = pas.split_first() else { return colonne.cle(rang, descendant) };
    let cibles = premier.lien.cibles(rang).iter().filter(|c| premier.visibles.contains(**c));
    let cles = cibles.filter_map(|c| au_bout(reste, colonne, *c, descendant));
    cles.reduce(|gardee, cle| if l_emporte(&cle, &gardee, descendant) { cle } else { gardee })
}

/// The order of a request over its rows.
pub struct Ordre<'a> {
    table: &'a Table,
    sources: Vec<(Source<'a>, bool)>,
}

/// A row, after a number in the order of its first key.
type Numerote = (u64, u32);

impl<'a> Ordre<'a> {
    /// Reads the keys of these rows, and of the one a page begins at, which may no longer be of them.
    pub fn nouveau(
        m: &Moteur<'a>,
        t: TypeFhir,
        tri: &[Tri],
        depuis: Option<Centre>,
        notes: Option<&'a Notation<Arc<Trouves>>>,
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
            sources.push((source(m, t, k, depuis, notes, &rangs)?, k.descendant));
        }
        Ok(Self { table: m.modele.table(t), sources })
    }

    /// The order of two rows of the same number.
    fn departager(&self, a: u32, b: u32) -> Ordering {
        let exactes = usize::from(self.sources.first().is_some_and(|(s, _)| s.exacte()));
        for (source, descendant) in self.sources.iter().skip(exactes) {
            let o = presents_d_abord(source.cle(a, *descendant), source.cle(b, *descendant), *descendant);
            if o != Ordering::Equal {
                return o;
            }
        }
        self.table.comparer(a, b)
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
        Ok(match self.sources.first() {
            None => self.trancher(rangs, depart, n, |r| self.table.ordre(r)),
            Some((source, descendant)) => self.trancher(rangs, depart, n, |r| source.nombre(r, *descendant)),
        })
    }

    /// Most rows are told by one number, read once.
    fn trancher(
        &self,
        rangs: &RoaringBitmap,
        depart: Depart,
        n: usize,
        nombre: impl Fn(u32) -> u64,
    ) -> Tranche {
        let numeroter = |r: u32| (nombre(r), r);
        let comparer = |a: &Numerote, b: &Numerote| a.0.cmp(&b.0).then_with(|| self.departager(a.1, b.1));
        let tous = rangs.iter().map(&numeroter);
        match depart {
            Depart::Debut => {
                let (rangs, apres) = premiers(tous, n, comparer);
                Tranche { rangs, avant: false, apres }
            }
            Depart::Apres(r) => {
                let r = numeroter(r);
                let suivants = tous.filter(|x| comparer(x, &r) == Ordering::Greater);
                let (rangs, apres) = premiers(suivants, n, comparer);
                Tranche { rangs, avant: true, apres }
            }
            Depart::Avant(r) => {
                let r = numeroter(r);
                let precedents = tous.filter(|x| comparer(x, &r) == Ordering::Less);
                let (mut rangs, avant) = premiers(precedents, n, |a, b| comparer(b, a));
                rangs.reverse();
                Tranche { rangs, avant, apres: true }
            }
        }
    }
}

/// The first `n` in an order, and whether there are more.
fn premiers(
    tous: impl Iterator<Item = Numerote>,
    n: usize,
    comparer: impl Fn(&Numerote, &Numerote) -> Ordering,
) -> (Vec<u32>, bool) {
    let mut v: Vec<Numerote> = Vec::with_capacity(2 * (n + 1));
    let mut borne: Option<Numerote> = None;
    for x in tous {
        if borne.is_some_and(|b| comparer(&x, &b) == Ordering::Greater) {
            continue;
        }
        v.push(x);
        // Twice too many: keep the first half, and know what needs no look any more.
        if v.len() == 2 * (n + 1) {
            v.select_nth_unstable_by(n, &comparer);
            v.truncate(n + 1);
            borne = Some(v[n]);
        }
    }
    v.sort_unstable_by(comparer);
    let suite = v.len() > n;
    v.truncate(n);
    (v.into_iter().map(|(_, r)| r).collect(), suite)
}

/// What is present first, then by the direction asked.
fn presents_d_abord(a: Option<Cle<'_>>, b: Option<Cle<'_>>, descendant: bool) -> Ordering {
    match (a, b) {
        (Some(x), Some(y)) => {
            let o = x.partial_cmp(&y).unwrap_or(Ordering::Equal);
            if descendant { o.reverse() } else { o }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// The values of one key.
fn source<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    k: &Tri,
    depuis: Option<Centre>,
    notes: Option<&'a Notation<Arc<Trouves>>>,
    rangs: &RoaringBitmap,
) -> Result<Source<'a>, TropCouteux> {
    let modele: &'a Modele = m.modele;
    let mut relations = Cow::Borrowed(k.chemin.as_slice());
    let arrivee = k.chemin.last().map_or(t, |r| r.cible());
    let colonne = match k.cle {
        CleTri::Parametre(p) => match p.cible {
            Cible::Id if k.chemin.is_empty() => return Ok(Source::Id(modele.table(t))),
            Cible::Maj => Colonne::Maj(modele, arrivee, m.profil),
            Cible::Texte(Texte::Nom) => Colonne::Nom(modele.table(arrivee)),
            _ => return chemin(m, t, &relations, p, k.descendant, rangs).map(Source::Lues),
        },
        CleTri::Distance => {
            // An offer is where its places are.
            if arrivee == TypeFhir::HealthcareService {
                relations.to_mut().push(Relation::Lieux);
            }
            match depuis.and_then(|c| centre(&c)) {
                Some(depuis) if matches!(arrivee, TypeFhir::HealthcareService | TypeFhir::Location) => {
                    m.payer(rangs.len().saturating_mul(4))?;
                    Colonne::Distance(modele.table(TypeFhir::Location), depuis)
                }
                _ => return Ok(Source::Lues(Cles::default())),
            }
        }
        CleTri::Score => {
            let Some(notes) = notes else { return Ok(Source::Lues(Cles::default())) };
            m.payer(rangs.len().saturating_mul(4 * notes.textes()))?;
            Colonne::Score(notes)
        }
    };
    let pas = |r: &Relation| Pas {
        lien: modele.liens.de(*r),
        visibles: modele.table(r.cible()).visibles(m.profil),
    };
    let pas: Vec<Pas<'a>> = relations.iter().map(pas).collect();
    m.payer(rangs.len().saturating_mul(4 * pas.len() as u64))?;
    if let Some(premier) = pas.first() {
        m.payer(rangs.iter().map(|r| 2 * premier.lien.cibles(r).len() as u64).sum())?;
    }
    Ok(Source::Chemin(pas, colonne))
}

/// Whether a key counts rather than another one: the smallest in ascending order, the largest in descending.
fn l_emporte(cle: &Cle<'_>, autre: &Cle<'_>, descendant: bool) -> bool {
    if descendant { cle > autre } else { cle < autre }
}

/// Keeps the key that counts.
fn retenir<'a>(cles: &mut Cles<'a>, rang: u32, cle: Cle<'a>, descendant: bool) {
    match cles.entry(rang) {
        std::collections::hash_map::Entry::Vacant(e) => {
            e.insert(cle);
        }
        std::collections::hash_map::Entry::Occupied(mut e) => {
            if l_emporte(&cle, e.get(), descendant) {
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
    parametre: &Parametre,
    descendant: bool,
    rangs: &RoaringBitmap,
) -> Result<Cles<'a>, TropCouteux> {
    let Some((premiere, reste)) = relations.split_first() else {
        return cles(m, t, parametre, descendant, rangs);
    };
    let l = m.modele.liens.de(*premiere);
    let cible = premiere.cible();
    let cibles = m.cibles_de(*premiere, rangs)? & m.modele.table(cible).visibles(m.profil);
    let lues = chemin(m, cible, reste, parametre, descendant, &cibles)?;
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
        // Read in their columns.
        Cible::Maj | Cible::Texte(Texte::Nom) => {}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_ones_are_those_of_a_whole_sort_among_ties_too() {
        let mut graine = 5u64;
        let mut hasard = |borne: u64| {
            graine = graine.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (graine >> 33) % borne
        };
        for (lignes, numeros) in [(0, 1), (5, 3), (21, 2), (1000, 1), (1000, 7), (1000, 1_000_000)] {
            let tous: Vec<Numerote> = (0..lignes).map(|r| (hasard(numeros), r ^ 3)).collect();
            for sens in [1, -1] {
                let comparer = |a: &Numerote, b: &Numerote| {
                    let o = a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1));
                    if sens == 1 { o } else { o.reverse() }
                };
                let mut tries = tous.clone();
                tries.sort_by(comparer);
                for n in [1, 4, 5, 20, 999, 1000, 1001] {
                    let attendus: Vec<u32> = tries.iter().take(n).map(|(_, r)| *r).collect();
                    let suite = tries.len() > n;
                    assert_eq!(
                        premiers(tous.iter().copied(), n, comparer),
                        (attendus, suite),
                        "{lignes} {n}"
                    );
                }
            }
        }
    }

    #[test]
    fn numbers_never_go_against_keys_and_absent_ones_come_last() {
        let nombres = [f64::MIN, -2.5, -1e-300, -0.0, 0.0, 1e-300, 1.0, 1.5, 1e12, f64::MAX].map(Cle::Nombre);
        let textes =
            ["", "\0", "a", "a\0", "abcdefg", "abcdefgh", "abcdefghi", "abcdefgi", "é", "\u{10ffff}"];
        let textes = textes.map(|t| Cle::Texte(t.into()));
        for (cles, exactes) in [(nombres, true), (textes, false)] {
            // Row 0 has none.
            let source = Source::Lues(cles.into_iter().zip(1..).map(|(c, r)| (r, c)).collect());
            for descendant in [false, true] {
                for (a, b) in (0..=10).flat_map(|a| (0..=10).map(move |b| (a, b))) {
                    let cle = |r| source.cle(r, descendant);
                    let ordre = presents_d_abord(cle(a), cle(b), descendant);
                    let dit = source.nombre(a, descendant).cmp(&source.nombre(b, descendant));
                    let egaux = !exactes && dit == Ordering::Equal;
                    assert!(dit == ordre || egaux, "{:?} {:?} {descendant}", cle(a), cle(b));
                }
            }
        }
    }
}
