//! Where the values of a sort key are: in columns, read row by row and kept nowhere, where there is one; else read
//! beforehand, of the rows at the end of the path.

use std::{
    borrow::Cow,
    cmp::Ordering,
    collections::{HashMap, hash_map::Entry},
};

use foldhash::fast::RandomState;
use roaring::RoaringBitmap;

use crate::{
    modele::{Lien, Modele, Point, SYS_RPPS, Table, TypeFhir, UNITE},
    recherche::{
        arbre::{Centre, CleTri, Tri},
        evaluation::{Moteur, TropCouteux, centre, dictionnaire},
        notation::Trouvee,
        parametres::{Champ, Cible, Groupe, Parametre, Relation, Texte},
        unites,
    },
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

/// Values read row by row.
type Cles<'a> = HashMap<u32, Cle<'a>, RandomState>;
/// Values of which there are few different ones: the place of that of each row in their order.
type Places = HashMap<u32, u32, RandomState>;

/// What a text read of a state takes, about.
const TEXTE: usize = 32;

/// A sort key: the path to follow, and what is read at its end.
pub(super) struct Source<'a> {
    pas: Vec<Pas<'a>>,
    colonne: Colonne<'a>,
    descendant: bool,
}

/// A reference to follow, and its targets that count.
struct Pas<'a> {
    lien: &'a Lien,
    visibles: &'a RoaringBitmap,
}

/// What is read at the end of a path.
enum Colonne<'a> {
    Id(&'a Table),
    /// Last update, as a profile may know it.
    Maj(&'a Modele, TypeFhir, u8),
    Nom(&'a Table),
    /// Beginning of a period.
    Debut(&'a Table),
    /// Metres from a point, by the communes of places too or not.
    Distance(&'a Table, Point, bool),
    Score(&'a Trouvee<'a>),
    Places(Places),
    Lues(Cles<'a>),
}

impl<'a> Source<'a> {
    /// The key of these rows.
    pub(super) fn lire(
        m: &Moteur<'a>,
        t: TypeFhir,
        k: &Tri,
        depuis: Option<Centre>,
        notes: Option<&'a Trouvee<'a>>,
        rangs: &RoaringBitmap,
    ) -> Result<Self, TropCouteux> {
        let modele: &'a Modele = m.modele;
        let arrivee = k.chemin.last().map_or(t, |r| r.cible());
        let mut relations = Cow::Borrowed(k.chemin.as_slice());
        // An offer is where its places are.
        if k.cle == CleTri::Distance && arrivee == TypeFhir::HealthcareService {
            relations.to_mut().push(Relation::Lieux);
        }
        let depuis = depuis.and_then(|c| Some((centre(&c)?, c.par_commune())));
        let colonne = match (k.cle, notes, depuis) {
            (CleTri::Parametre(p), _, _) => match Colonne::directe(m, arrivee, p) {
                Some(colonne) => colonne,
                None => {
                    let bouts = bouts(m, &relations, rangs)?;
                    Colonne::lire(m, arrivee, p, k.descendant, &bouts)?
                }
            },
            (CleTri::Distance, _, Some((depuis, par_commune)))
                if matches!(arrivee, TypeFhir::HealthcareService | TypeFhir::Location) =>
            {
                m.payer(rangs.len().saturating_mul(4))?;
                Colonne::Distance(modele.table(TypeFhir::Location), depuis, par_commune)
            }
            (CleTri::Score, Some(notes), _) => {
                m.payer(rangs.iter().map(|r| notes.cout(r)).sum())?;
                Colonne::Score(notes)
            }
            (CleTri::Distance | CleTri::Score, _, _) => Colonne::Lues(Cles::default()),
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
        Ok(Self { pas, colonne, descendant: k.descendant })
    }

    /// Largest first.
    pub(super) fn descendant(&self) -> bool {
        self.descendant
    }

    /// The key of a row that counts.
    pub(super) fn cle(&self, rang: u32) -> Option<Cle<'_>> {
        self.au_bout(&self.pas, rang)
    }

    /// The key that counts among those that a row leads to.
    fn au_bout<'s>(&'s self, pas: &[Pas<'_>], rang: u32) -> Option<Cle<'s>> {
        let Some((premier, reste)) = pas.split_first() else {
            return self.colonne.cle(rang, self.descendant);
        };
        let cibles = premier.lien.cibles(rang).iter().filter(|c| premier.visibles.contains(**c));
        let cles = cibles.filter_map(|c| self.au_bout(reste, *c));
        cles.reduce(|gardee, cle| if l_emporte(&cle, &gardee, self.descendant) { cle } else { gardee })
    }

    /// A number in the order of the rows.
    pub(super) fn nombre(&self, rang: u32) -> u64 {
        let nombre = match &self.colonne {
            Colonne::Id(table) if self.pas.is_empty() => Some(table.id(rang).avec(debut)),
            _ => self.cle(rang).map(|c| c.nombre()),
        };
        nombre.map_or(u64::MAX, |n| if self.descendant { !n } else { n })
    }

    /// Whether rows of the same number have the same key.
    pub(super) fn exacte(&self) -> bool {
        !matches!(self.colonne, Colonne::Id(_) | Colonne::Nom(_) | Colonne::Lues(_))
    }

    /// What is kept of it, about.
    pub(super) fn octets(&self) -> usize {
        match &self.colonne {
            Colonne::Places(p) => p.capacity() * (size_of::<(u32, u32)>() + 1),
            Colonne::Lues(c) => c.capacity() * (size_of::<(u32, Cle<'_>)>() + 1 + TEXTE),
            _ => 0,
        }
    }
}

/// The rows that these lead to; only what the profile sees on the way counts.
fn bouts<'r>(
    m: &Moteur<'_>,
    relations: &[Relation],
    rangs: &'r RoaringBitmap,
) -> Result<Cow<'r, RoaringBitmap>, TropCouteux> {
    let mut bouts = Cow::Borrowed(rangs);
    for r in relations {
        bouts = Cow::Owned(m.cibles_de(*r, &bouts)? & m.modele.table(r.cible()).visibles(m.profil));
    }
    Ok(bouts)
}

impl<'a> Colonne<'a> {
    /// That of a parameter, when it has one.
    fn directe(m: &Moteur<'a>, t: TypeFhir, p: &Parametre) -> Option<Self> {
        let table = m.modele.table(t);
        match p.cible {
            Cible::Id => Some(Self::Id(table)),
            Cible::Maj => Some(Self::Maj(m.modele, t, m.profil)),
            Cible::Texte(Texte::Nom) => Some(Self::Nom(table)),
            Cible::Fermeture | Cible::FinPeriode => Some(Self::Debut(table)),
            _ => None,
        }
    }

    /// The values of these rows, read whole: those that the profile sees.
    fn lire(
        m: &Moteur<'a>,
        t: TypeFhir,
        p: &Parametre,
        descendant: bool,
        rangs: &RoaringBitmap,
    ) -> Result<Self, TropCouteux> {
        m.payer(rangs.len() * 2)?;
        let modele: &'a Modele = m.modele;
        let table = modele.table(t);
        let mut valeurs: Vec<(Cle<'_>, RoaringBitmap)> = Vec::new();
        match p.cible {
            Cible::Jeton(params) => {
                for param in params {
                    m.payer(table.index.nombre(*param) * 4)?;
                    let montrees = match m.masquees(t, *param) {
                        Some(masquees) => Cow::Owned(rangs - masquees),
                        None => Cow::Borrowed(rangs),
                    };
                    let tous = table.index.tous(*param);
                    valeurs.extend(tous.map(|(_, code, e)| (Cle::Texte(code.into()), e & &*montrees)));
                }
            }
            Cible::Texte(quoi) => {
                let d = dictionnaire(table, quoi);
                m.payer(d.nombre() * 4)?;
                valeurs.extend(d.tous().map(|(texte, e)| (Cle::Texte(texte.into()), e & rangs)));
            }
            Cible::AgeBas | Cible::AgeHaut => {
                let ages = if p.cible == Cible::AgeBas { &table.ages_bas } else { &table.ages_haut };
                m.payer(ages.nombre() * 4)?;
                let tous = ages.toutes();
                valeurs.extend(tous.map(|(n, unite, e)| (Cle::Nombre(unites::ordre(n, unite)), e & rangs)));
            }
            _ => return lues(m, t, p, descendant, rangs).map(Self::Lues),
        }
        Ok(Self::Places(places(valeurs, descendant)))
    }

    fn cle(&self, rang: u32, descendant: bool) -> Option<Cle<'_>> {
        match self {
            Self::Id(table) => Some(Cle::Texte(table.id(rang).to_string().into())),
            Self::Maj(modele, t, profil) => Some(Cle::Nombre(modele.maj(*t, rang, *profil) as f64)),
            Self::Nom(table) => {
                let noms = table.noms(rang)?;
                let nom = if descendant { noms.max() } else { noms.min() };
                nom.map(|n| Cle::Texte(n.into()))
            }
            Self::Debut(table) => table.periodes.get(rang).map(|(de, _)| Cle::Nombre(*de as f64)),
            Self::Distance(table, depuis, par_commune) => {
                let d = table.positions.point(rang, *par_commune).distance(*depuis);
                d.is_finite().then_some(Cle::Nombre(d))
            }
            Self::Score(notes) => notes.score(rang).map(|s| Cle::Nombre(s.into())),
            Self::Places(places) => places.get(&rang).map(|p| Cle::Nombre((*p).into())),
            Self::Lues(cles) => cles.get(&rang).map(Cle::vue),
        }
    }
}

/// Whether a key counts rather than another one: the smallest in ascending order, the largest in descending.
fn l_emporte(cle: &Cle<'_>, autre: &Cle<'_>, descendant: bool) -> bool {
    if descendant { cle > autre } else { cle < autre }
}

/// The place in the order of values of the one that counts for each row.
fn places(mut valeurs: Vec<(Cle<'_>, RoaringBitmap)>, descendant: bool) -> Places {
    valeurs.retain(|(_, rangs)| !rangs.is_empty());
    valeurs.sort_by(|(a, _), (b, _)| a.partial_cmp(b).unwrap_or(Ordering::Equal));
    // One code of two systems is one value.
    let suivantes = valeurs.windows(2).scan(0, |place, deux| {
        *place += u32::from(deux[0].0 != deux[1].0);
        Some(*place)
    });
    let numeros: Vec<u32> = std::iter::once(0).chain(suivantes).collect();
    let mut places = Places::default();
    let poser = |((_, rangs), place): (&(Cle<'_>, RoaringBitmap), &u32)| {
        places.extend(rangs.iter().map(|r| (r, *place)));
    };
    // The one that counts is written last.
    let toutes = valeurs.iter().zip(&numeros);
    if descendant {
        toutes.for_each(poser)
    } else {
        toutes.rev().for_each(poser)
    }
    places
}

/// Values that are in no set: each row is looked at.
fn lues<'a>(
    m: &Moteur<'a>,
    t: TypeFhir,
    p: &Parametre,
    descendant: bool,
    rangs: &RoaringBitmap,
) -> Result<Cles<'a>, TropCouteux> {
    let mut cles = Cles::default();
    let mut poser = |rang: u32, cle: Cle<'a>| match cles.entry(rang) {
        Entry::Vacant(e) => {
            e.insert(cle);
        }
        Entry::Occupied(mut e) => {
            if l_emporte(&cle, e.get(), descendant) {
                e.insert(cle);
            }
        }
    };
    match p.cible {
        Cible::Identifiant => {
            m.payer(rangs.len() * 64)?;
            for x in rangs {
                // A number that the resource does not show orders nothing.
                for (_, v) in m.modele.identifiants(t, x).into_iter().filter(|(s, _)| s != SYS_RPPS) {
                    poser(x, Cle::Texte(v.into()));
                }
            }
        }
        Cible::Champ(groupe, champ) => {
            m.payer(rangs.len() * 4)?;
            champs(m, t, groupe, champ, rangs, &mut poser);
        }
        // The others have a column or sets, or order nothing.
        _ => {}
    }
    Ok(cles)
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
    use crate::recherche::tri::presents_d_abord;

    #[test]
    fn numbers_never_go_against_keys_and_absent_ones_come_last() {
        let nombres = [f64::MIN, -2.5, -1e-300, -0.0, 0.0, 1e-300, 1.0, 1.5, 1e12, f64::MAX].map(Cle::Nombre);
        let textes =
            ["", "\0", "a", "a\0", "abcdefg", "abcdefgh", "abcdefghi", "abcdefgi", "é", "\u{10ffff}"];
        let textes = textes.map(|t| Cle::Texte(t.into()));
        for (cles, exactes) in [(nombres, true), (textes, false)] {
            for descendant in [false, true] {
                // Row 0 has none.
                let lues = cles.iter().cloned().zip(1..).map(|(c, r)| (r, c)).collect();
                let source = Source { pas: Vec::new(), colonne: Colonne::Lues(lues), descendant };
                for (a, b) in (0..=10).flat_map(|a| (0..=10).map(move |b| (a, b))) {
                    let ordre = presents_d_abord(source.cle(a), source.cle(b), descendant);
                    let dit = source.nombre(a).cmp(&source.nombre(b));
                    let egaux = !exactes && dit == Ordering::Equal;
                    assert!(dit == ordre || egaux, "{:?} {:?} {descendant}", source.cle(a), source.cle(b));
                }
            }
        }
    }

    #[test]
    fn a_row_stands_by_the_value_that_counts_and_takes_few_bytes() {
        let texte = |t: &'static str| Cle::Texte(t.into());
        let rangs = |r: &[u32]| r.iter().copied().collect::<RoaringBitmap>();
        // The code "b" is of two systems; no row has "0".
        let valeurs = || {
            vec![
                (texte("c"), rangs(&[1, 2])),
                (texte("b"), rangs(&[2, 3])),
                (texte("0"), rangs(&[])),
                (texte("a"), rangs(&[3, 4])),
                (texte("b"), rangs(&[5])),
            ]
        };
        let vues = |descendant| {
            let places = places(valeurs(), descendant);
            [0, 1, 2, 3, 4, 5].map(|r| places.get(&r).copied())
        };
        assert_eq!(vues(false), [None, Some(2), Some(1), Some(0), Some(0), Some(1)]);
        assert_eq!(vues(true), [None, Some(2), Some(2), Some(1), Some(0), Some(1)]);
        let places = places(vec![(texte("a"), (0..100_000).collect())], false);
        let source = Source { pas: Vec::new(), colonne: Colonne::Places(places), descendant: false };
        assert!((900_000..2_500_000).contains(&source.octets()), "{}", source.octets());
    }
}
